//! `where stability = stable spiral, a < b`: the region of values that a fit searches.
//!
//! Enters: the words after `where`, the model, the runs. Leaves: a [`Region`] of [`Requirement`]s.
//! Must not know how they are evaluated (`inside.rs`).

use super::super::command::Setting;
use super::super::compiled::Compiled;
use super::super::options::Options;
use super::super::rest::{AtRest, Equations, noise_left_out};
use super::super::stability::{refuse_delays, refuse_size};
use super::runs::FitRun;
use crate::analyze::Demand;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::kernel::SharedKernel;
use crate::source::Span;
use crate::symbolic::{Shape, symbols_of};
use crate::syntax;
use crate::syntax::tree::{self, BinaryOperator, ExprKind};
use rustc_hash::FxHashSet;
use std::sync::Arc;

const EXAMPLE: &str =
    "as in `where stability = stable spiral`, `where oscillates` or `where a < b`";

/// What stands after `where`, one by one.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// As written.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: WishKind,
}

/// What is wished for.
#[derive(Debug, Clone, PartialEq)]
pub enum WishKind {
    /// A kind of state of rest.
    Rest(Demand),
    /// Two expressions, the first below the second.
    Below(Box<[tree::Expr; 2]>),
}

/// The region of values that a fit searches.
#[derive(Debug)]
pub struct Region {
    /// All that must hold in it.
    pub requirements: Vec<Requirement>,
    /// The equations at rest, where a state of rest is asked about.
    pub(super) equations: Option<Equations>,
    /// The runs whose values differ, by position: for each of them all must hold.
    pub(super) places: Vec<usize>,
}

/// One thing that must hold.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// As written.
    pub text: String,
    /// Where.
    pub span: Span,
    pub(super) kind: RequirementKind,
}

/// What must hold.
#[derive(Debug, Clone)]
pub(super) enum RequirementKind {
    /// The state of rest is of this kind.
    Rest(Demand),
    /// A function of the parameters is above zero.
    Positive(SharedKernel),
}

// ---- words ----

/// The words after `where`.
pub(super) fn lower(options: &mut Options<'_>) -> Vec<Wish> {
    let Some(option) = options.take("where") else {
        return Vec::new();
    };
    let mut wishes = Vec::new();
    let mut problems = Vec::new();
    for binding in &option.bindings {
        stability(binding, &mut wishes, &mut problems);
    }
    for value in &option.values {
        expression(value, &mut wishes, &mut problems);
    }
    if wishes.is_empty() && problems.is_empty() {
        problems.push(
            Diagnostic::new(
                Code::MissingArgument,
                "`where` is followed by what must hold",
            )
            .at(option.span, "nothing follows")
            .help(EXAMPLE),
        );
    }
    wishes.sort_by_key(|wish| wish.span.start);
    options.problems(problems);
    wishes
}

/// `stability = stable spiral`, `stability = stable and a < b`
fn stability(binding: &tree::Binding, wishes: &mut Vec<Wish>, problems: &mut Vec<Diagnostic>) {
    let name = &binding.name.name;
    if name.text != "stability" {
        problems.push(
            Diagnostic::new(
                Code::BadOption,
                format!("`where` says nothing of `{} = ...`", name.text),
            )
            .at(binding.name.span, "")
            .help(format!(
                "a value is set by `with {} = ...`; what may stand here is `stability = ...`, `oscillates` and comparisons",
                name.text
            )),
        );
        return;
    }
    let mut parts = Vec::new();
    conjunction(&binding.value, &mut parts);
    let Some((first, others)) = parts.split_first() else {
        return;
    };
    let words = match &first.kind {
        ExprKind::Words(words) => words.iter().map(|word| word.text.as_str()).collect(),
        ExprKind::Reference(reference) => vec![reference.name.text.as_str()],
        _ => vec![],
    };
    let words: Vec<&str> = words;
    let written = words.join(" ");
    match Demand::named(&written) {
        Some(kind) => wishes.push(Wish {
            text: format!("stability = {written}"),
            span: binding.name.span.to(first.span),
            kind: WishKind::Rest(kind),
        }),
        None => problems.push(no_kind(&written, first.span)),
    }
    for other in others {
        expression(other, wishes, problems);
    }
}

fn no_kind(written: &str, span: Span) -> Diagnostic {
    let names: Vec<&str> = Demand::NAMED.iter().map(|(name, _)| *name).collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let known = format!("there are {}", listed(&quoted));
    let thin = ["center", "centre", "star", "degenerate node", "degenerate"];
    let help = if thin.iter().any(|word| written.ends_with(word)) {
        format!(
            "such a state of rest lies between two others, and no search can stay there: {known}"
        )
    } else {
        did_you_mean(written, names.iter().copied()).unwrap_or(known)
    };
    Diagnostic::new(
        Code::BadOption,
        format!("`where` knows no stability `{written}`"),
    )
    .at(span, "")
    .help(help)
}

/// The parts of `a and b and c`.
fn conjunction<'t>(expr: &'t tree::Expr, parts: &mut Vec<&'t tree::Expr>) {
    match &expr.kind {
        ExprKind::Binary {
            operator: BinaryOperator::And,
            left,
            right,
            ..
        } => {
            conjunction(left, parts);
            conjunction(right, parts);
        }
        _ => parts.push(expr),
    }
}

/// `oscillates`, `a < b`, and several joined by `and`.
fn expression(expr: &tree::Expr, wishes: &mut Vec<Wish>, problems: &mut Vec<Diagnostic>) {
    let mut parts = Vec::new();
    conjunction(expr, &mut parts);
    for part in parts {
        match wish(part) {
            Ok(kind) => wishes.push(Wish {
                text: syntax::show_expression(part),
                span: part.span,
                kind,
            }),
            Err(problem) => problems.push(problem),
        }
    }
}

fn wish(expr: &tree::Expr) -> Result<WishKind, Diagnostic> {
    let refused = |message: &str, help: &str| {
        Err(Diagnostic::new(Code::BadOption, message)
            .at(expr.span, "")
            .help(help.to_owned()))
    };
    match &expr.kind {
        ExprKind::Reference(reference) if reference.name.text == "oscillates" => {
            Ok(WishKind::Rest(Demand::Oscillates))
        }
        ExprKind::Binary {
            operator,
            left,
            right,
            ..
        } => match operator {
            BinaryOperator::Less | BinaryOperator::LessEqual => Ok(below(left, right)),
            BinaryOperator::Greater | BinaryOperator::GreaterEqual => Ok(below(right, left)),
            BinaryOperator::Equal => match &left.kind {
                ExprKind::Reference(reference) if reference.name.text == "stability" => refused(
                    "`stability` is named with a single `=`",
                    "as in `where stability = stable spiral`",
                ),
                _ => refused(
                    "an equality leaves nothing to search",
                    "let one follow from the other where it is declared, as in `param b = 1 - a`",
                ),
            },
            _ => refused("`where` is followed by what must hold", EXAMPLE),
        },
        _ => refused("`where` is followed by what must hold", EXAMPLE),
    }
}

fn below(low: &tree::Expr, high: &tree::Expr) -> WishKind {
    WishKind::Below(Box::new([low.clone(), high.clone()]))
}

// ---- meanings ----

/// Understands what must hold; nothing where nothing must. Notes are added to `warnings`.
///
/// # Errors
/// Unknown names, expressions of states, models that never rest.
pub(super) fn understood(
    compiled: &Compiled,
    wishes: &[Wish],
    runs: &[FitRun],
    warnings: &mut Vec<Diagnostic>,
) -> Result<Option<Arc<Region>>, Vec<Diagnostic>> {
    if wishes.is_empty() {
        return Ok(None);
    }
    let mut problems = Vec::new();
    let mut requirements = Vec::with_capacity(wishes.len());
    for wish in wishes {
        let kind = match &wish.kind {
            WishKind::Rest(kind) => Ok(RequirementKind::Rest(*kind)),
            WishKind::Below(pair) => difference(compiled, &pair[0], &pair[1]),
        };
        match kind {
            Ok(kind) => requirements.push(Requirement {
                text: wish.text.clone(),
                span: wish.span,
                kind,
            }),
            Err(found) => problems.extend(found),
        }
    }
    let asks = |wish: &&Wish| matches!(wish.kind, WishKind::Rest(_));
    let equations = match wishes.iter().find(asks) {
        None => None,
        Some(wish) => match equations(compiled, runs, wish.span) {
            Ok(equations) => {
                warnings.extend(noise_left_out(compiled, wish.span));
                Some(equations)
            }
            Err(found) => {
                problems.extend(found);
                None
            }
        },
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Some(Arc::new(Region {
        requirements,
        equations,
        places: places(runs),
    })))
}

impl Region {
    /// The same for other runs.
    pub(super) fn of(&self, runs: &[FitRun]) -> Region {
        Region {
            requirements: self.requirements.clone(),
            equations: self.equations.clone(),
            places: places(runs),
        }
    }
}

/// The runs whose values differ: many subjects share all of theirs.
fn places(runs: &[FitRun]) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        if !places.iter().any(|known| runs[*known].own == run.own) {
            places.push(at);
        }
    }
    places
}

/// The equations at rest.
fn equations(
    compiled: &Compiled,
    runs: &[FitRun],
    span: Span,
) -> Result<Equations, Vec<Diagnostic>> {
    refuse_delays(compiled, span)?;
    refuse_size(compiled, span)?;
    let Some(first) = runs.first() else {
        return Ok(None);
    };
    let at_rest = AtRest::new(
        compiled,
        &first.own.overrides,
        &Setting::default(),
        None,
        span,
    )?;
    Ok(at_rest.own())
}

/// How much the second expression is above the first.
fn difference(
    compiled: &Compiled,
    low: &tree::Expr,
    high: &tree::Expr,
) -> Result<RequirementKind, Vec<Diagnostic>> {
    let span = low.span.to(high.span);
    let difference = tree::Expr {
        span,
        kind: ExprKind::Binary {
            operator: BinaryOperator::Subtract,
            operator_span: span,
            left: Box::new(high.clone()),
            right: Box::new(low.clone()),
        },
    };
    let found = compiled.observable(&difference)?;
    let refused = |message: &str, label: String, help: &str| {
        Err(vec![
            Diagnostic::new(Code::BadOption, message.to_owned())
                .at(span, label)
                .help(help.to_owned()),
        ])
    };
    if found.shape != Shape::Scalar {
        return refused(
            "two single numbers are compared here",
            format!("this is {}", found.shape),
            "name their elements, as in `a[1] < a[2]`",
        );
    }
    let system = &compiled.system;
    let read = symbols_of(&found.pool, found.expr);
    let blocks = system.parameters.blocks().iter();
    let parameters: FxHashSet<_> = blocks.map(|block| block.symbol).collect();
    if let Some(other) = read.iter().find(|symbol| !parameters.contains(symbol)) {
        let name = found.pool.symbol_data(*other).name.clone();
        return refused(
            "`where` compares parameters",
            format!("`{name}` changes along a run"),
            "what must hold along every run is asserted in the model, as in `assert x < 5`",
        );
    }
    if read.is_empty() {
        return refused(
            "`where` compares parameters",
            "here are none".to_owned(),
            EXAMPLE,
        );
    }
    let kernel = compiled.kernels.function(&found.pool, &[found.expr]);
    Ok(RequirementKind::Positive(kernel))
}
