//! `bootstrap 500`: the last fit done again for data that its own model makes.
//!
//! Enters: the last fit. Leaves: a [`BootstrapAnswer`]. B. Efron, R. J. Tibshirani, An Introduction
//! to the Bootstrap (1993), section 6.5 (parametric). Data are drawn from the fitted distributions;
//! of least squares from normal ones with the residual standard deviation. Of a model with noise new
//! paths are drawn first (paths.rs). Censored data stay censored where what is drawn lies beyond their
//! limit.

use super::super::options::Options;
use super::super::outcome::{Outcome, Performed};
use super::super::simulate::{fault, whole};
use super::super::{Observer, Session};
use super::answer::FitAnswer;
use super::objective::Likelihood;
use super::paths::paths;
use super::quantities::coordinates;
use crate::diagnostic::{Code, Diagnostic};
use crate::fit::filter::Start;
use crate::fit::{
    Bootstrap, BootstrapOptions, Bounds, Datum, End, Family, Fault, Scaled, SearchOptions,
    bootstrap, sample, search,
};
use crate::kernel::Stream;
use crate::session::command::Command;
use crate::source::Span;
use crate::syntax::tree;
use std::sync::Arc;

/// Replicates when the sentence does not say how many.
const REPLICATES: u64 = 200;
/// More is a slip of the keyboard.
const MOST: u64 = 1_000_000;

/// A parametric bootstrap of the last fit.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapCommand {
    /// The whole sentence.
    pub span: Span,
    /// How many new data sets.
    pub replicates: Option<tree::Expr>,
    /// From which their random numbers come.
    pub seed: Option<tree::Expr>,
}

/// The estimates of new data sets.
#[derive(Debug, Clone)]
pub struct BootstrapAnswer {
    /// The fit.
    pub fit: Arc<FitAnswer>,
    /// The estimates.
    pub bootstrap: Bootstrap,
    /// How many data sets were asked for.
    pub asked: u64,
    /// From which their random numbers came.
    pub seed: u64,
}

/// `bootstrap 500 seed 7`
pub(in crate::session) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let seed = options.value("seed");
    let mut subjects = sentence
        .subjects
        .iter()
        .map(|subject| subject.value.clone());
    let replicates = subjects.next();
    if let Some(second) = subjects.next() {
        options.problem(
            Diagnostic::new(Code::BadOption, "`bootstrap` takes a single number")
                .at(second.span, "one too many")
                .help("as in `bootstrap 500`"),
        );
    }
    options.finish(|| {
        Ok(Command::Bootstrap(BootstrapCommand {
            span,
            replicates,
            seed,
        }))
    })
}

impl Session {
    pub(in crate::session) fn bootstrap(
        &mut self,
        command: &BootstrapCommand,
        observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let fit = self.need_fit(command.span)?;
        let start = fit.filters.as_ref().map(|filters| &filters.from);
        if matches!(start, Some(Start::Spread(_))) {
            return Err(vec![
                Diagnostic::new(
                    Code::NotPerformed,
                    "no data can be drawn of a fit `from diffuse`",
                )
                .at(command.span, "nothing is known of where a new path would start")
                .help("fit `from stationary` or from initial values; `profile` bounds the parameters too"),
            ]);
        }
        let compiled = Arc::clone(&fit.compiled);
        let present = compiled.present(self.overrides());
        let count = |expr: &Option<tree::Expr>, default: u64, least: u64, help: &str| match expr {
            None => Ok(default),
            Some(expr) => {
                let value = compiled.number(expr, &present)?;
                whole(value, least, MOST)
                    .ok_or_else(|| fault(expr, "a whole number is needed here", value, help))
            }
        };
        let asked = count(&command.replicates, REPLICATES, 2, "as in `bootstrap 500`")?;
        let seed = count(&command.seed, 1, 0, "as in `seed 7`")?;
        let world = Arc::clone(self.world());
        let likelihood = fit.likelihood(&*world);
        let options = BootstrapOptions {
            replicates: usize::try_from(asked).unwrap_or(usize::MAX),
            seed,
            threads: world.threads(),
        };
        let work =
            |number: u64, stream: &mut Stream| refitted(&fit, &likelihood, (seed, number), stream);
        let found = bootstrap(&options, work, |done| {
            observer.progress(done as f64 / asked as f64);
            !world.interrupted()
        });
        let mut diagnostics = Vec::new();
        if found.interrupted {
            diagnostics.push(
                Diagnostic::new(Code::Interrupted, "the bootstrap was interrupted")
                    .at(
                        command.span,
                        format!("{} data sets were done", found.estimates.len()),
                    )
                    .help("the numbers are of these"),
            );
        }
        let answer = Arc::new(BootstrapAnswer {
            fit,
            bootstrap: found,
            asked,
            seed,
        });
        self.inferred.bootstrap = Some(Arc::clone(&answer));
        Ok(Performed {
            outcome: Outcome::Bootstrapped(answer),
            diagnostics,
        })
    }
}

/// The estimates from data drawn at the estimates.
fn refitted(
    fit: &FitAnswer,
    likelihood: &Likelihood<'_>,
    replicate: (u64, u64),
    stream: &mut Stream,
) -> Result<Vec<f64>, Fault> {
    let mut runs = fit.runs.clone();
    let paths = match &fit.filters {
        Some(_) => Some(paths(fit, likelihood, replicate, stream)?),
        None => None,
    };
    let width = fit.lens.width();
    for (at, run) in runs.iter_mut().enumerate() {
        let looked = paths.as_ref().unwrap_or(&fit.looked).get(at);
        let numbers = looked.map_or(&[][..], |looked| &looked.numbers);
        for (datum, point) in run.data.points.iter_mut().enumerate() {
            let seen = &fit.lens.seen[point.seen];
            let nothing = Fault::NoDensity { run: at, datum };
            let from = point.row * width + seen.numbers.start;
            let numbers = numbers
                .get(from..from + seen.numbers.len())
                .ok_or(nothing.clone())?;
            let drawn = match seen.family {
                Some(family) => sample(family, numbers, stream),
                // A state of a path, seen as it is.
                None if paths.is_some() => numbers.first().copied(),
                None => {
                    let sd = fit.residual_sd().unwrap_or(0.0);
                    sample(
                        Family::Normal,
                        &[numbers[0], sd.max(f64::MIN_POSITIVE)],
                        stream,
                    )
                }
            };
            point.datum = again(point.datum, drawn.ok_or(nothing)?);
        }
    }
    let again = likelihood.with_data(runs);
    let coordinates = coordinates(&again.fitted);
    let scaled = Scaled {
        objective: &again,
        coordinates: &coordinates,
    };
    let bounds = Bounds {
        lower: coordinates.lower.clone(),
        upper: coordinates.upper.clone(),
    };
    let start = coordinates.inner(&fit.estimates);
    let found = search(&scaled, &bounds, &start, &SearchOptions::new(fit.method), 1);
    match found.end {
        End::Fault(fault) => Err(fault),
        End::Interrupted => Err(Fault::Interrupted),
        _ => Ok(coordinates.outer(&found.point)),
    }
}

/// A new datum where an old one stood.
fn again(old: Datum, drawn: f64) -> Datum {
    match old {
        Datum::Below(limit) if drawn < limit => old,
        Datum::Above(limit) if drawn > limit => old,
        _ => Datum::Exactly(drawn),
    }
}
