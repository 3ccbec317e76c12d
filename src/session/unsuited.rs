//! Why a method makes no path of a model, and why one left the domain of its noise, in words.
//!
//! Enters: what the numerical layer said, by position. Leaves: diagnostics in the model's own
//! words. Must not know how paths are made.

use super::compiled::Compiled;
use super::failure::short;
use crate::diagnostic::{Code, Diagnostic};
use crate::simulate::Method;
use crate::source::Span;
use crate::system::{Source, Unsuited};

/// A method that is not for the paths of this model.
pub(super) fn refused(
    compiled: &Compiled,
    method: Method,
    why: Unsuited,
    sentence: Span,
) -> Diagnostic {
    let diagnostic =
        |message: String| Diagnostic::new(Code::UnsuitedMethod, message).at(sentence, "");
    let name = |column| source(compiled, column);
    match why {
        Unsuited::NoNoise => diagnostic(format!("`{method}` is for models with noise"))
            .help("declare noise, as in `wiener W` with `x' = -x + 0.1*W'`"),
        Unsuited::NotAdditive { column } => at_source(
            compiled,
            column,
            diagnostic(format!(
                "`{method}` is for additive noise, and the factor of {} depends on the state",
                name(column)
            )),
        )
        .help("choose `using milstein` or `using srk`, or leave the choice to `auto`"),
        Unsuited::NotCommutative { columns: (a, b) } => at_source(
            compiled,
            b,
            diagnostic(format!(
                "`{method}` is for noise whose sources commute, and {} and {} do not",
                name(a),
                name(b)
            )),
        )
        .help("how one changes the effect of the other depends on which comes first; choose `using euler_maruyama`"),
        Unsuited::Coupled { columns: (a, b) } => at_source(
            compiled,
            b,
            diagnostic(format!(
                "`{method}` is for additive, scalar and diagonal noise, and the factor of {} depends on a state that {} drives",
                name(b),
                name(a)
            )),
        )
        .help("choose `using euler_maruyama`, or `using milstein` where the sources commute"),
        Unsuited::NotLinear => diagnostic(format!(
            "`{method}` is for linear equations with constant coefficients"
        ))
        .help("leave the choice to `auto`, which takes the exact transition wherever there is one"),
        Unsuited::NotConstant { column } => at_source(
            compiled,
            column,
            diagnostic(format!(
                "`{method}` is for constant noise, and the factor of {} is not constant",
                name(column)
            )),
        )
        .help("leave the choice to `auto`, which takes the exact transition wherever there is one"),
        Unsuited::TooLarge { most } => diagnostic(format!(
            "`{method}` is for at most {most} states, and the model has {}",
            compiled.system.dimension()
        ))
        .help("leave the choice to `auto`"),
        Unsuited::Delays => Diagnostic::new(
            Code::NotPerformed,
            "this version of Lotka makes no paths of equations with noise and delays",
        )
        .at(sentence, "")
        .help("a chain of states, each following the one before, stands for a spread delay"),
        Unsuited::Constraints => Diagnostic::new(
            Code::NotPerformed,
            "this version of Lotka makes no paths of equations with noise and constraints",
        )
        .at(sentence, "")
        .help("solve the constraint for its state, as in `let z = ...`"),
        Unsuited::NoReactions => diagnostic(format!(
            "`{method}` is for the noise of reactions, and this noise stands in equations"
        ))
        .help("choose `using euler_maruyama`; `noise intrinsic` adds that of the reactions"),
        Unsuited::Deterministic => {
            diagnostic(format!("`{method}` is for equations without noise"))
                .help("leave `using` away, or choose a method for noise, as in `using euler_maruyama`")
        }
    }
}

/// A reaction whose rate fell below zero.
pub(super) fn negative_rate(
    compiled: &Compiled,
    time: f64,
    (reaction, way): (usize, usize),
    value: f64,
) -> Diagnostic {
    let known = compiled.model.reactions.get(reaction);
    let name = known
        .and_then(|known| known.name.as_ref())
        .map_or("a reaction".to_owned(), |name| format!("`{name}`"));
    let back = if way > 0 { ", read backwards," } else { "" };
    let variable = compiled.model.names.variable();
    let diagnostic = Diagnostic::new(
        Code::NegativeRate,
        format!(
            "{name}{back} ran at the negative rate {} at {variable} = {}",
            short(value),
            short(time)
        ),
    );
    let diagnostic = match known {
        Some(known) => diagnostic.at(known.span, "negative there"),
        None => diagnostic,
    };
    diagnostic.help("its noise, the root of the rate, has no value there; `nonnegative` keeps states from falling below zero, a shorter `dt` makes it rarer, `using ssa` never leaves the domain")
}

fn at_source(compiled: &Compiled, column: usize, diagnostic: Diagnostic) -> Diagnostic {
    match span(compiled, column) {
        Some(span) => diagnostic.at(span, ""),
        None => diagnostic,
    }
}

fn column(compiled: &Compiled, column: usize) -> Option<Source> {
    let noise = compiled.system.noise.as_ref()?;
    noise.columns.get(column).copied()
}

fn span(compiled: &Compiled, at: usize) -> Option<Span> {
    match column(compiled, at)? {
        Source::Wiener { wiener, .. } => compiled.model.wieners.get(wiener).map(|w| w.span),
        Source::Reaction { reaction, .. } => compiled.model.reactions.get(reaction).map(|r| r.span),
    }
}

/// A source of noise by its name: `W'`, `W[2]'`, a reaction.
fn source(compiled: &Compiled, at: usize) -> String {
    let noise = compiled
        .system
        .noise
        .iter()
        .flat_map(|noise| &noise.columns);
    match column(compiled, at) {
        Some(Source::Wiener {
            wiener, element, ..
        }) => {
            let same = |source: &&Source| matches!(source, Source::Wiener { wiener: other, .. } if *other == wiener);
            let name = compiled.model.wieners.get(wiener).map_or("", |w| &w.name);
            if noise.filter(same).count() > 1 {
                format!("`{name}[{}]'`", element + 1)
            } else {
                format!("`{name}'`")
            }
        }
        Some(Source::Reaction { reaction, .. }) => {
            let known = compiled.model.reactions.get(reaction);
            let name = known.and_then(|known| known.name.as_ref());
            name.map_or("a reaction".to_owned(), |name| format!("`{name}`"))
        }
        None => "a source".to_owned(),
    }
}
