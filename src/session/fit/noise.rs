//! Which fits are of models with noise, and what is known of their states at the start.
//!
//! Enters: a likelihood, the sentence. Leaves: the likelihood, filtered where the model has noise, or
//! why there is none. Must not know filters.

use super::objective::{Likelihood, Looked};
use super::sentence::{Fit, StartOfFit};
use super::stochastic::{NoiseFrom, Unfit};
use crate::diagnostic::{Code, Diagnostic};
use crate::fit::filter::{Filtered, Start, Unfiltered};
use crate::fit::{Datum, Scale};

/// What is not known at the start has a standard deviation so many times the largest datum.
const DIFFUSE: f64 = 1e4;

/// The same likelihood, filtered where the model has noise.
///
/// # Errors
/// Models, observations and starts that the filters do not take.
pub(super) fn filtered<'w>(
    likelihood: Likelihood<'w>,
    command: &Fit,
) -> Result<Likelihood<'w>, Vec<Diagnostic>> {
    if likelihood.compiled.system.noise.is_none() {
        return match command.from {
            StartOfFit::Declared | StartOfFit::Steady(_) => Ok(likelihood),
            StartOfFit::Stationary(span) | StartOfFit::Diffuse(span) => Err(vec![
                Diagnostic::new(Code::BadOption, "the model has no noise")
                    .at(span, "where would its distribution come from?")
                    .help(
                        "fit the initial values by naming states, as in `fit k, x to \"data.csv\"`",
                    ),
            ]),
        };
    }
    let declared = !likelihood.compiled.model.observations.is_empty();
    if let (true, Some(seen)) = (
        declared,
        likelihood
            .lens
            .seen
            .iter()
            .find(|seen| seen.family.is_none()),
    ) {
        return Err(vec![
            Diagnostic::new(
                Code::BadObservation,
                "observations of a model with noise say how their data scatter",
            )
            .at(seen.span, "no standard deviation")
            .help("write one, as in `normal(x, sigma)`; `normal(x, 0)` sees the state exactly"),
        ]);
    }
    let replaces = |run: &super::FitRun| run.own.sets_fitted();
    if likelihood.runs.iter().any(replaces) {
        return Err(vec![
            Diagnostic::new(
                Code::NotPerformed,
                "a condition sets what is fitted, in a model with noise",
            )
            .at(command.span, "")
            .help("fit the data of that condition apart"),
        ]);
    }
    let from = match &command.from {
        StartOfFit::Declared => Start::Given,
        StartOfFit::Steady(start) => {
            return Err(vec![
                Diagnostic::new(
                    Code::NotPerformed,
                    "a model with noise does not rest in a steady state",
                )
                .at(start.span, "")
                .help("`from stationary` starts in the distribution that it settles to"),
            ]);
        }
        StartOfFit::Stationary(_) => Start::Stationary,
        StartOfFit::Diffuse(_) => Start::Spread(spread(&likelihood)),
    };
    let (lens, compiled) = (likelihood.lens.clone(), likelihood.compiled.clone());
    likelihood.filtering(NoiseFrom::Model, from).map_err(|unfit| {
        let refused = |message: String, help: &str| {
            vec![
                Diagnostic::new(Code::NotPerformed, message)
                    .at(command.span, "")
                    .help(help.to_owned()),
            ]
        };
        match unfit {
            Unfit::Family { seen, family } => {
                let span = lens.seen.get(seen).map_or(command.span, |seen| seen.span);
                vec![
                    Diagnostic::new(
                        Code::BadObservation,
                        format!("`{}` does not fit a model with noise", family.name()),
                    )
                    .at(span, "observed here")
                    .help("its density jumps as the state moves, and the likelihood has no slope to follow: observe it with `normal`, or exactly"),
                ]
            }
            Unfit::Model(why) => {
                let why = match why {
                    Unfiltered::NoNoise => "it has no noise".to_owned(),
                    Unfiltered::Map => "it is a map".to_owned(),
                    Unfiltered::Delays => "it has delays".to_owned(),
                    Unfiltered::Constraints => "it has constraints".to_owned(),
                    Unfiltered::Events => {
                        "it has events, and when they happen depends on the path".to_owned()
                    }
                    Unfiltered::TooLarge { most } => {
                        format!("its {} states are more than the {most} whose covariances are followed", compiled.system.dimension())
                    }
                    Unfiltered::Input { .. } => "what is seen reads an input".to_owned(),
                };
                refused(
                    format!("there is no likelihood for this model with noise: {why}"),
                    "fit the equations without their noise, or simplify the model",
                )
            }
        }
    })
}

/// Standard deviations far beyond all data.
fn spread(likelihood: &Likelihood<'_>) -> Vec<f64> {
    let sizes = likelihood.points().map(|(_, point)| match point.datum {
        Datum::Exactly(value) | Datum::Below(value) | Datum::Above(value) => value.abs(),
    });
    let largest = sizes.fold(0.0_f64, f64::max);
    let size = if largest > 0.0 { largest } else { 1.0 };
    vec![DIFFUSE * size; likelihood.compiled.system.dimension()]
}

/// What a filter foretold of each datum, as numbers of the lens: the mean and the standard deviation
/// where the distribution has one; the parameters of other laws where the state was expected.
/// Nothing where a datum was certain.
pub(super) fn foretold(
    likelihood: &Likelihood<'_>,
    run: usize,
    at: &[f64],
) -> Option<(Looked, Filtered)> {
    let found = likelihood.scored(run, at).ok()?;
    let scales = &likelihood.filters.as_ref()?.equations.seen_scales;
    let unknown = match &likelihood.filters.as_ref()?.from {
        Start::Spread(spread) => 0.01 * spread.iter().copied().fold(0.0, f64::max),
        Start::Given | Start::Stationary => f64::INFINITY,
    };
    let width = likelihood.lens.width();
    let data = &likelihood.runs.get(run)?.data;
    let mut numbers = vec![f64::NAN; data.rows.len() * width];
    for innovation in &found.innovations {
        let Some(point) = data.points.get(innovation.datum) else {
            continue;
        };
        // Before the first data of an unknown start, a forecast says nothing.
        if innovation.variance.sqrt() > unknown {
            continue;
        }
        let place = &likelihood.lens.seen[point.seen].numbers;
        let from = point.row * width + place.start;
        if !innovation.parameters.is_empty() {
            let own = numbers.get_mut(from..from + place.len());
            for (number, value) in own.into_iter().flatten().zip(&innovation.parameters) {
                *number = *value;
            }
            continue;
        }
        let is_log = scales.get(point.seen) == Some(&Scale::Logarithmic);
        if let Some(mean) = numbers.get_mut(from) {
            *mean = if is_log {
                innovation.expected.exp()
            } else {
                innovation.expected
            };
        }
        if place.len() > 1
            && let Some(sd) = numbers.get_mut(from + 1)
        {
            *sd = innovation.variance.sqrt();
        }
    }
    let looked = Looked {
        numbers,
        derivatives: Vec::new(),
    };
    Some((looked, found))
}
