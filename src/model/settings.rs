//! Values that replace declared ones: in conditions, after `with`, and by assignment.

use super::elaborate::{Elaborator, Scope};
use super::names::{Entity, Names};
use super::{Setting, Target};
use crate::diagnostic::{Code, Diagnostic, listed};
use crate::source::Span;
use crate::symbolic::{Pool, Shape};
use crate::syntax::tree;

/// Reads `target = value` of a sentence; problems go to `diagnostics`.
pub fn setting(
    names: &Names,
    pool: &mut Pool,
    diagnostics: &mut Vec<Diagnostic>,
    target: &tree::Reference,
    value: &tree::Expr,
) -> Option<Setting> {
    let mut elaborator = Elaborator::new(names, pool, diagnostics);
    elaborator.in_sentence = true;
    let setting = elaborator.setting(&Scope::default(), target, value)?;
    match names.driven(elaborator.pool, setting.value) {
        None => Some(setting),
        Some(symbol) => {
            let name = elaborator.pool.symbol_data(symbol).name.clone();
            elaborator.report(must_not_follow(&target.name.text, &name, value.span))
        }
    }
}

/// A value at the start cannot follow what is known during a run only.
pub(super) fn must_not_follow(what: &str, driver: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::NotConstant,
        format!("the value of `{what}` is needed before the run"),
    )
    .at(span, format!("`{driver}` is known during a run only"))
    .help("it takes numbers, parameters and initial values")
}

impl Elaborator<'_> {
    /// `target = value`, in a block or a sentence.
    pub(super) fn setting(
        &mut self,
        scope: &Scope,
        target: &tree::Reference,
        value: &tree::Expr,
    ) -> Option<Setting> {
        read(self, scope, target, value)
    }
}

/// What a sentence names: a parameter or an initial value, or one element of it. Problems go to
/// `diagnostics`.
pub fn target(
    names: &Names,
    pool: &mut Pool,
    diagnostics: &mut Vec<Diagnostic>,
    target: &tree::Reference,
) -> Option<(Target, Option<usize>)> {
    let mut elaborator = Elaborator::new(names, pool, diagnostics);
    elaborator.in_sentence = true;
    read_target(&mut elaborator, &Scope::default(), target)
}

fn read_target(
    elaborator: &mut Elaborator<'_>,
    scope: &Scope,
    target: &tree::Reference,
) -> Option<(Target, Option<usize>)> {
    let names = elaborator.names;
    let found = match names.get(&target.name.text) {
        Some(Entity::Parameter(id)) => Target::Parameter(id),
        Some(Entity::State(id)) => Target::State(id),
        Some(_) => {
            elaborator.report::<()>(
                Diagnostic::new(
                    Code::WrongKind,
                    format!(
                        "`{}` is {} and cannot be set",
                        target.name.text,
                        names.describe(&target.name.text)
                    ),
                )
                .at(target.span, "")
                .help("parameters and initial values can be set"),
            );
            return None;
        }
        None => {
            elaborator.unknown_setting(target);
            return None;
        }
    };
    let element = elaborator.single_element(scope, target)?;
    Some((found, element))
}

fn read(
    elaborator: &mut Elaborator<'_>,
    scope: &Scope,
    target: &tree::Reference,
    value: &tree::Expr,
) -> Option<Setting> {
    let names = elaborator.names;
    let (found, element) = read_target(elaborator, scope, target)?;
    let symbol = names.symbol(&target.name.text)?;
    let wanted = match element {
        Some(_) => Shape::Scalar,
        None => elaborator.pool.symbol_data(symbol).shape,
    };
    let mut expr = elaborator.number_for(scope, value, wanted)?;
    let shape = elaborator.pool.shape(expr);
    if shape != wanted {
        if shape != Shape::Scalar {
            return elaborator.report(
                Diagnostic::new(Code::ShapeMismatch, "this value does not fit")
                    .at(value.span, format!("this is {shape}, {wanted} is needed")),
            );
        }
        expr = elaborator.pool.fill(expr, wanted);
    }
    Some(Setting {
        target: found,
        element: element.map(|at| u32::try_from(at).unwrap_or(u32::MAX)),
        value: expr,
        span: target.span,
    })
}

impl Elaborator<'_> {
    /// What can be set.
    fn settable(&self) -> String {
        const MOST: usize = 12;
        let names: Vec<String> = self
            .names
            .iter()
            .filter(|(_, entity)| matches!(entity, Entity::Parameter(_) | Entity::State(_)))
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        match names.len() {
            1..=MOST => format!("what can be set is {}", listed(&names)),
            _ => "parameters and initial values can be set".to_owned(),
        }
    }

    fn unknown_setting(&mut self, target: &tree::Reference) {
        let near = self.names.closest(&target.name.text, |entity| {
            matches!(entity, Entity::Parameter(_) | Entity::State(_))
        });
        let mut diagnostic = Diagnostic::new(
            Code::UnknownName,
            format!("`{}` is not declared", target.name.text),
        )
        .at(target.name.span, "not known");
        diagnostic = diagnostic.help(match near {
            Some(known) => format!("did you mean `{known}`?"),
            None => self.settable(),
        });
        self.report::<()>(diagnostic);
    }
}
