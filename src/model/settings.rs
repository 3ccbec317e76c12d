//! Values that replace declared ones: in conditions, after `with`, and by assignment.

use super::elaborate::{Elaborator, Scope};
use super::names::{Entity, Names};
use super::{Setting, Target};
use crate::diagnostic::{Code, Diagnostic, listed};
use crate::source::Span;
use crate::symbolic::{Pool, Shape};
use crate::syntax::tree;

/// When a value is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Before the run: a state's value is its initial value.
    Start,
    /// By an event: a state's value is its present one.
    Event,
}

impl Moment {
    fn in_general(self) -> &'static str {
        match self {
            Moment::Start => "parameters and initial values can be set",
            Moment::Event => "parameters and states can be set",
        }
    }
}

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
    let setting = elaborator.setting(Moment::Start, &Scope::default(), target, value)?;
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
        moment: Moment,
        scope: &Scope,
        target: &tree::Reference,
        value: &tree::Expr,
    ) -> Option<Setting> {
        read(self, moment, scope, target, value)
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
    read_target(&mut elaborator, Moment::Start, &Scope::default(), target)
}

fn read_target(
    elaborator: &mut Elaborator<'_>,
    moment: Moment,
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
                .help(moment.in_general()),
            );
            return None;
        }
        None => {
            elaborator.unknown_setting(moment, target);
            return None;
        }
    };
    let element = elaborator.single_element(scope, target)?;
    Some((found, element))
}

fn read(
    elaborator: &mut Elaborator<'_>,
    moment: Moment,
    scope: &Scope,
    target: &tree::Reference,
    value: &tree::Expr,
) -> Option<Setting> {
    let names = elaborator.names;
    let (found, element) = read_target(elaborator, moment, scope, target)?;
    let symbol = names.symbol(&target.name.text)?;
    let wanted = match element {
        Some(_) => Shape::Scalar,
        None => elaborator.pool.symbol_data(symbol).shape,
    };
    let sets = match element {
        Some(_) => &[],
        None => names.indices(&target.name.text),
    };
    let mut expr = elaborator.number_for(scope, value, sets, wanted)?;
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
    fn settable(&self, moment: Moment) -> String {
        const MOST: usize = 12;
        let names: Vec<String> = self
            .names
            .iter()
            .filter(|(_, entity)| matches!(entity, Entity::Parameter(_) | Entity::State(_)))
            .filter(|(name, _)| {
                let is_fixed = ["a compartment", "an algebraic state"];
                moment == Moment::Start || !is_fixed.contains(&self.names.describe(name))
            })
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        match names.len() {
            1..=MOST => format!("what can be set is {}", listed(&names)),
            _ => moment.in_general().to_owned(),
        }
    }

    fn unknown_setting(&mut self, moment: Moment, target: &tree::Reference) {
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
            None => self.settable(moment),
        });
        self.report::<()>(diagnostic);
    }
}
