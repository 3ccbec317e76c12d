//! `correlation x, y vs x lags 20`: how the rows of a run hang together over time.
//!
//! Enters: the sentence and the last run. Leaves: correlations at lags, as numbers and as a figure.
//! Must not know how paths are made.

use super::Session;
use super::command::{Command, Correlate};
use super::compiled::{Compiled, Observable};
use super::lower::{ends_in, figure_or_table};
use super::options::Options;
use super::outcome::{Outcome, Performed};
use super::plot::time_label;
use super::simulate::fault;
use super::trajectory::Trajectory;
use crate::analyze::{self, Correlation};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::figure::{Axis, Figure, Mark, Series};
use crate::model::Unit;
use crate::source::Span;
use crate::symbolic::Shape;
use crate::syntax::tree;
use crate::table::Cells;
use std::path::PathBuf;
use std::sync::Arc;

/// Rows may be off an even spacing by this share of it.
const UNEVEN: f64 = 1e-6;
/// The most lags shown when none are asked for.
const LAGS: usize = 200;

/// Correlations of a run.
#[derive(Debug, Clone)]
pub struct CorrelationAnswer {
    /// The run.
    pub run: Arc<Trajectory>,
    /// The time between two rows.
    pub spacing: f64,
    /// How many rows there are.
    pub rows: usize,
    /// One for each quantity, or pair of quantities, asked for.
    pub found: Vec<(String, Correlation)>,
}

/// Understands the sentence.
pub(super) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let lag = options.value("lag");
    let title = options.text("title").map(|text| text.text);
    let to = figure_or_table(&mut options, "correlations are");
    let shown = sentence.subjects.clone();
    options.finish(|| {
        Ok(Command::Correlation(Correlate {
            span,
            shown,
            lag,
            title,
            to,
        }))
    })
}

/// A quantity, and the one that it is compared with, if that is another.
type Pair = (Observable, Option<Observable>);

/// The quantities asked for, all states when none is named.
///
/// # Errors
/// Unknown names; what is not a single number.
pub(super) fn pairs(
    compiled: &Compiled,
    command: &Correlate,
) -> Result<Vec<Pair>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut single = |expr: &tree::Expr| match compiled.observable(expr) {
        Ok(observable) if observable.shape == Shape::Scalar => Some(observable),
        Ok(observable) => {
            problems.push(
                Diagnostic::new(Code::ShapeMismatch, "a correlation is of single numbers")
                    .at(expr.span, format!("this is {}", observable.shape))
                    .help("name one element, as in `y[1]`"),
            );
            None
        }
        Err(found) => {
            problems.extend(found);
            None
        }
    };
    let mut found = Vec::new();
    for subject in &command.shown {
        let first = single(&subject.value);
        let second = subject.versus.as_ref().map(&mut single);
        if let Some(first) = first {
            found.push((first, second.flatten()));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if command.shown.is_empty() {
        for name in compiled.state_names() {
            found.push((compiled.observable_from_text(&name)?, None));
        }
    }
    Ok(found)
}

impl Session {
    pub(super) fn correlation(&self, command: &Correlate) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let pairs = pairs(&compiled, command)?;
        let run = Arc::clone(self.need_last()?);
        let spacing = spacing(&run, command.span)?;
        let most = self.most(command, &run, spacing)?;
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        let interrupted = || self.world.interrupted();
        for (first, second) in &pairs {
            let x = run.evaluate(first);
            let (label, correlation) = match second {
                None => (
                    first.label.clone(),
                    analyze::autocorrelation(&x, most, &interrupted),
                ),
                Some(second) => (
                    format!("{} after {}", first.label, second.label),
                    analyze::cross_correlation(&run.evaluate(second), &x, most),
                ),
            };
            if interrupted() {
                return Err(vec![
                    Diagnostic::new(Code::Interrupted, "stopped by the user").at(command.span, ""),
                ]);
            }
            match correlation {
                Some(correlation) => found.push((label, correlation)),
                None => problems.push(
                    Diagnostic::new(
                        Code::NoMeasure,
                        format!("`{label}` does not vary along this run, or is not finite"),
                    )
                    .at(command.span, "")
                    .help("a correlation is of quantities that vary"),
                ),
            }
        }
        if found.is_empty() {
            return Err(problems);
        }
        let answer = CorrelationAnswer {
            rows: run.times().len(),
            run,
            spacing,
            found,
        };
        if let Some(to) = command.to.as_ref().filter(|to| ends_in(&to.text, &["csv"])) {
            let mut performed = self.save_correlation(&answer, to)?;
            performed.diagnostics.extend(problems);
            return Ok(performed);
        }
        Ok(Performed {
            outcome: Outcome::Correlation {
                figure: figure(&answer, command.title.as_deref()),
                answer: Arc::new(answer),
                to: command.to.as_ref().map(|text| PathBuf::from(&text.text)),
            },
            diagnostics: problems,
        })
    }

    /// The longest lag in rows.
    fn most(
        &self,
        command: &Correlate,
        run: &Trajectory,
        spacing: f64,
    ) -> Result<usize, Vec<Diagnostic>> {
        let rows = run.times().len();
        let Some(expr) = &command.lag else {
            return Ok((rows / 4).clamp(1, LAGS));
        };
        let compiled = &run.compiled;
        let lag = compiled.number(expr, &compiled.present(&self.overrides))?;
        #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
        let longest = spacing * (rows - 1) as f64;
        if !(lag >= spacing && lag <= longest) {
            return Err(fault(
                expr,
                "the longest lag lies between the distance of two rows and the length of the run",
                lag,
                &format!(
                    "between {} and {}",
                    number_text(spacing),
                    number_text(longest)
                ),
            ));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        Ok((lag / spacing * (1.0 + UNEVEN)).floor() as usize)
    }

    fn save_correlation(
        &self,
        answer: &CorrelationAnswer,
        to: &tree::Text,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let lags = answer.lags();
        let mut headers = vec!["lag".to_owned()];
        let mut cells = vec![Cells::Numbers(&lags)];
        for (label, correlation) in &answer.found {
            headers.extend([label.clone(), format!("{label}_se")]);
            cells.extend([
                Cells::Numbers(&correlation.values),
                Cells::Numbers(&correlation.errors),
            ]);
        }
        self.write_cells_to(to, &headers, &cells, lags.len())
    }
}

impl CorrelationAnswer {
    /// The lags, in the model's unit of time.
    #[must_use]
    pub fn lags(&self) -> Vec<f64> {
        let count = self
            .found
            .first()
            .map_or(0, |(_, known)| known.values.len());
        #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
        let lags = (0..count).map(|lag| lag as f64 * self.spacing);
        lags.collect()
    }
}

/// The distance of the rows.
fn spacing(run: &Trajectory, sentence: Span) -> Result<f64, Vec<Diagnostic>> {
    let times = run.times();
    let (Some(first), Some(last), true) = (times.first(), times.last(), times.len() > 2) else {
        return Err(vec![
            Diagnostic::new(Code::NoMeasure, "the last run has too few rows")
                .at(sentence, "needs at least three")
                .help("simulate with more output times, as in `simulate 0..1000 step 0.1`"),
        ]);
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
    let even = (last - first) / (times.len() - 1) as f64;
    let is_even = |pair: &[f64]| (pair[1] - pair[0] - even).abs() <= UNEVEN * even;
    if even > 0.0 && times.windows(2).all(is_even) {
        return Ok(even);
    }
    Err(vec![
        Diagnostic::new(
            Code::NoMeasure,
            "the rows of the last run are not evenly spaced",
        )
        .at(sentence, "needs equal steps of time")
        .help("simulate with `step`, as in `simulate 0..1000 step 0.1`"),
    ])
}

/// The correlations over the lag; dotted lines where those of pure noise would end.
fn figure(answer: &CorrelationAnswer, title: Option<&str>) -> Figure {
    let model = &answer.run.compiled.model;
    let lags = answer.lags();
    let mut figure = Figure {
        title: title.unwrap_or_default().to_owned(),
        x: Axis {
            label: format!("lag in {}", time_label(model.motion)),
            unit: model.time.unit.as_ref().map(Unit::to_string),
            ..Axis::default()
        },
        y: Axis {
            label: match answer.found.as_slice() {
                [(label, _)] => format!("correlation of {label}"),
                _ => "correlation".to_owned(),
            },
            ..Axis::default()
        },
        ..Figure::default()
    };
    // Of numbers without any correlation 19 of 20 lie within.
    #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
    let noise = 1.96 / (answer.rows as f64).sqrt();
    for edge in [-noise, noise] {
        figure.series.push(Series {
            label: String::new(),
            x: vec![
                lags.first().copied().unwrap_or(0.0),
                lags.last().copied().unwrap_or(1.0),
            ],
            y: vec![edge, edge],
            mark: Mark::Dotted,
            colour: 6,
        });
    }
    for (colour, (label, correlation)) in answer.found.iter().enumerate() {
        figure.series.push(Series {
            // The axis names the only one.
            label: if answer.found.len() == 1 {
                String::new()
            } else {
                label.clone()
            },
            x: lags.clone(),
            y: correlation.values.clone(),
            mark: Mark::Line,
            colour,
        });
    }
    figure
}
