//! Values that replace declared ones: in conditions, after `with`, and by assignment.

use super::elaborate::{Elaborator, Scope};
use super::names::{Entity, Names};
use super::{Setting, Target};
use crate::diagnostic::{Code, Diagnostic, listed};
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
    read(elaborator, target, value)
}

/// The same in the body of a condition.
pub(super) fn setting_of_condition(
    names: &Names,
    pool: &mut Pool,
    diagnostics: &mut Vec<Diagnostic>,
    target: &tree::Reference,
    value: &tree::Expr,
) -> Option<Setting> {
    read(Elaborator::new(names, pool, diagnostics), target, value)
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
    read_target(&mut elaborator, target)
}

fn read_target(
    elaborator: &mut Elaborator<'_>,
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
    let element = elaborator.single_element(&Scope::default(), target)?;
    Some((found, element))
}

fn read(
    mut elaborator: Elaborator<'_>,
    target: &tree::Reference,
    value: &tree::Expr,
) -> Option<Setting> {
    let names = elaborator.names;
    let (found, element) = read_target(&mut elaborator, target)?;
    let scope = Scope::default();
    let symbol = names.symbol(&target.name.text)?;
    let wanted = match element {
        Some(_) => Shape::Scalar,
        None => elaborator.pool.symbol_data(symbol).shape,
    };
    let mut expr = elaborator.number_for(&scope, value, wanted)?;
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
