//! `profile alpha`: how the best likelihood falls as one fitted quantity is held elsewhere.
//!
//! Enters: the last fit, which quantities. Leaves: a [`ProfileAnswer`], its picture. Must not know
//! how profiles are followed.

use super::super::lower::{figure_or_table, subjects_without_vs};
use super::super::options::Options;
use super::super::outcome::{Outcome, Performed};
use super::super::{Observer, Session};
use super::answer::FitAnswer;
use super::quantities::coordinates;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::figure::{Axis, Figure, Mark, Series, Sheet};
use crate::fit::{
    Bounds, Fault, Profile, ProfileEnd, ProfileOptions, Profiled, Scale, Scaled, SearchMethod,
    SearchOptions, profile, search,
};
use crate::session::command::Command;
use crate::source::Span;
use crate::syntax::tree;
use std::path::PathBuf;
use std::sync::Arc;

/// A coordinate this near to a bound, beside its size, is on it.
const ON_BOUND: f64 = 1e-9;
/// Iterations of each refit: it begins beside its optimum.
const MOST_ITERATIONS: u64 = 200;

/// Profiles of fitted quantities.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileCommand {
    /// The whole sentence.
    pub span: Span,
    /// Which quantities; all that were fitted when empty.
    pub quantities: Vec<tree::Expr>,
    /// The file for the figure or the table.
    pub to: Option<tree::Text>,
}

/// The profiles of a fit.
#[derive(Debug, Clone)]
pub struct ProfileAnswer {
    /// The fit.
    pub fit: Arc<FitAnswer>,
    /// One for each quantity asked for.
    pub profiles: Vec<Profile>,
    /// A panel for each.
    pub sheet: Sheet,
    /// The file to draw into; the terminal when absent.
    pub to: Option<PathBuf>,
}

/// A side of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Towards smaller values.
    Lower,
    /// Towards larger values.
    Upper,
}

impl ProfileAnswer {
    /// Other quantities that are on a bound where the profile passes the threshold on this side, and
    /// are not at the estimates: with wider bounds of theirs it might pass it farther out.
    #[must_use]
    pub fn held(&self, profile: &Profile, side: Side) -> Vec<&str> {
        let held = held(&self.fit, profile, side).into_iter();
        held.filter_map(|at| Some(self.fit.fitted.get(at)?.name.as_str()))
            .collect()
    }

    /// The answer about one of its profiles.
    pub(super) fn only(&self, profile: &Profile) -> ProfileAnswer {
        let profiles = vec![profile.clone()];
        ProfileAnswer {
            fit: Arc::clone(&self.fit),
            sheet: sheet(&self.fit, &profiles),
            profiles,
            to: None,
        }
    }
}

/// `profile alpha, beta to "profiles.svg"`
pub(in crate::session) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let quantities = subjects_without_vs(
        sentence,
        &mut options,
        "parameters stand after each other here",
        "as in `profile alpha, beta`",
    );
    let to = figure_or_table(&mut options, "profiles are");
    options.finish(|| {
        Ok(Command::Profile(ProfileCommand {
            span,
            quantities,
            to,
        }))
    })
}

impl Session {
    pub(in crate::session) fn profile(
        &mut self,
        command: &ProfileCommand,
        observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let fit = self.need_fit(command.span)?;
        let chosen = chosen(&fit, &command.quantities)?;
        let world = Arc::clone(self.world());
        let likelihood = fit.likelihood(&*world);
        let coordinates = coordinates(&fit.fitted);
        let scaled = Scaled {
            objective: &likelihood,
            coordinates: &coordinates,
        };
        let refit =
            |start: &[f64], lower: &[f64], upper: &[f64]| -> Result<(Vec<f64>, f64), Fault> {
                let bounds = Bounds {
                    lower: lower.to_vec(),
                    upper: upper.to_vec(),
                };
                let mut options = SearchOptions::new(SearchMethod::Lm);
                options.iterations = MOST_ITERATIONS;
                // The threshold is 3.84: a profile needs no more digits than its picture shows.
                options.tolerance = 1e-6;
                let found = search(&scaled, &bounds, start, &options, 1);
                match found.end {
                    crate::fit::End::Fault(fault) => Err(fault),
                    crate::fit::End::Interrupted => Err(Fault::Interrupted),
                    _ => Ok((found.point, found.value)),
                }
            };
        let at = coordinates.inner(&fit.estimates);
        let options = ProfileOptions {
            // The variance of least squares is estimated too.
            degrees: fit.squares.map(|_| (fit.count, fit.degrees_left())),
            ..ProfileOptions::default()
        };
        let mut profiles = Vec::with_capacity(chosen.len());
        for (done, parameter) in chosen.iter().enumerate() {
            observer.progress(done as f64 / chosen.len() as f64);
            let errors = fit
                .uncertainty
                .as_ref()
                .map_or(&[][..], |known| &known.inner_errors);
            let profiled = Profiled {
                coordinates: &coordinates,
                at: &at,
                value: -fit.log_likelihood - fit.log_prior,
                parameter: *parameter,
                error: errors.get(*parameter).copied().unwrap_or(f64::NAN),
                refit: &refit,
            };
            profiles.push(profile(&profiled, &options, world.threads()));
            if world.interrupted() {
                break;
            }
        }
        let diagnostics = notes(&fit, &profiles, command.span);
        let answer = ProfileAnswer {
            sheet: sheet(&fit, &profiles),
            fit,
            profiles,
            to: None,
        };
        self.inferred.take_profiles(&answer);
        let to = match &command.to {
            Some(path) if super::super::lower::ends_in(&path.text, &["csv"]) => {
                let (headers, columns) = table(&answer.fit, &answer.profiles);
                self.write_file(path, &crate::table::write_csv(&headers, &columns))?;
                None
            }
            to => to.as_ref().map(|path| PathBuf::from(&path.text)),
        };
        Ok(Performed {
            outcome: Outcome::Profiled(Arc::new(ProfileAnswer { to, ..answer })),
            diagnostics,
        })
    }

    /// The last fit, of all data.
    pub(in crate::session) fn need_fit(
        &self,
        span: Span,
    ) -> Result<Arc<FitAnswer>, Vec<Diagnostic>> {
        self.need_model()?;
        match self.fits.as_slice() {
            [only] => Ok(Arc::clone(only)),
            [] => Err(vec![
                Diagnostic::new(Code::NothingYet, "nothing has been fitted yet")
                    .at(span, "")
                    .help("as in `fit alpha to \"data.csv\"`"),
            ]),
            several => Err(vec![
                Diagnostic::new(
                    Code::NoSubject,
                    format!("the last fits are those of {} subjects", several.len()),
                )
                .at(span, "")
                .help("fit without `by subject`, or one subject alone, as in `subject 3`"),
            ]),
        }
    }
}

/// The positions of the named quantities among those fitted.
pub(super) fn chosen(
    fit: &FitAnswer,
    quantities: &[tree::Expr],
) -> Result<Vec<usize>, Vec<Diagnostic>> {
    if quantities.is_empty() {
        return Ok((0..fit.fitted.len()).collect());
    }
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for expr in quantities {
        let written = crate::syntax::show_expression(expr);
        let start = crate::diagnostic::number_text(fit.compiled.model.time.start);
        let initial = format!("{written}({start})");
        let mut known = fit.fitted.iter();
        match known.position(|known| known.name == written || known.name == initial) {
            Some(at) => found.push(at),
            None => {
                let names: Vec<&str> = fit.fitted.iter().map(|known| known.name.as_str()).collect();
                let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let near = did_you_mean(&written, names.iter().copied());
                problems.push(
                    Diagnostic::new(Code::UnknownName, format!("`{written}` was not fitted"))
                        .at(expr.span, "")
                        .help(
                            near.unwrap_or_else(|| format!("the last fit has {}", listed(&quoted))),
                        ),
                );
            }
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

fn held(fit: &FitAnswer, profile: &Profile, side: Side) -> Vec<usize> {
    let end = match side {
        Side::Lower => &profile.lower,
        Side::Upper => &profile.upper,
    };
    let ProfileEnd::Crosses(place) = end else {
        return Vec::new();
    };
    let known = &fit.fitted[profile.parameter];
    let distance = |value: f64| (known.scale.inner(value) - known.scale.inner(*place)).abs();
    let points = profile.points.iter();
    let nearest = points.min_by(|a, b| distance(a.value).total_cmp(&distance(b.value)));
    let Some(nearest) = nearest else {
        return Vec::new();
    };
    let coordinates = coordinates(&fit.fitted);
    let best = coordinates.inner(&fit.estimates);
    let on_bound = |at: usize, point: &[f64]| {
        let number = |numbers: &[f64]| numbers.get(at).copied().unwrap_or(f64::NAN);
        let (low, high, here) = (
            number(&coordinates.lower),
            number(&coordinates.upper),
            number(point),
        );
        let near = |bound: f64| (here - bound).abs() <= ON_BOUND * bound.abs().max(1.0);
        low < high && (near(low) || near(high))
    };
    let others = (0..fit.fitted.len()).filter(|at| *at != profile.parameter);
    others
        .filter(|at| on_bound(*at, &nearest.at) && !on_bound(*at, &best))
        .collect()
}

/// What profiles tell besides their intervals.
fn notes(fit: &FitAnswer, profiles: &[Profile], span: Span) -> Vec<Diagnostic> {
    let mut notes = Vec::new();
    for profile in profiles {
        let name = &fit.fitted[profile.parameter].name;
        let is_open = |end: &ProfileEnd| matches!(end, ProfileEnd::Flat | ProfileEnd::OutOfPoints);
        let sides = match (is_open(&profile.lower), is_open(&profile.upper)) {
            (true, true) => "on neither side",
            (true, false) => "not below",
            (false, true) => "not above",
            (false, false) => "",
        };
        if !sides.is_empty() {
            notes.push(
                Diagnostic::new(
                    Code::Undetermined,
                    format!("the data bound `{name}` {sides}"),
                )
                .at(span, "its profile stays below the threshold")
                .help("fix it at a known value, give it a prior or bounds, or measure what depends on it"),
            );
        }
        notes.extend(limited(fit, profile, span));
        if profile.better.is_some() {
            notes.push(
                Diagnostic::new(
                    Code::NotConverged,
                    format!("the profile of `{name}` met a better fit than the last one"),
                )
                .at(span, "")
                .help("fit again from several starts, as in `starts 20`, and then profile"),
            );
        }
    }
    notes
}

/// Says which limits rest on bounds of other quantities.
fn limited(fit: &FitAnswer, profile: &Profile, span: Span) -> Vec<Diagnostic> {
    let name = &fit.fitted[profile.parameter].name;
    let sides = [(Side::Lower, "lower"), (Side::Upper, "upper")];
    let notes = sides.into_iter().filter_map(|(side, word)| {
        let held = held(fit, profile, side);
        let names: Vec<String> = held
            .iter()
            .map(|at| format!("`{}`", fit.fitted[*at].name))
            .collect();
        let first = fit.fitted.get(*held.first()?)?;
        let (is, its) = match held.len() {
            1 => ("is on its bound", "it"),
            _ => ("are on bounds", "they"),
        };
        Some(
            Diagnostic::new(
                Code::OnBound,
                format!(
                    "the {word} limit of `{name}` rests on a bound of {}",
                    listed(&names)
                ),
            )
            .at(span, format!("{its} {is} there"))
            .at(first.span, "declared here")
            .help(format!(
                "with wider bounds `{name}` may go farther; keep them where they are knowledge"
            )),
        )
    });
    notes.collect()
}

/// A panel for each profile: twice the loss of log-likelihood over the parameter.
fn sheet(fit: &FitAnswer, profiles: &[Profile]) -> Sheet {
    let panel = |profile: &Profile| {
        let known = &fit.fitted[profile.parameter];
        let (x, y) = smooth(profile, known.scale);
        let ends = (
            x.first().copied().unwrap_or(0.0),
            x.last().copied().unwrap_or(1.0),
        );
        let line = |label: &str, (x, y): (Vec<f64>, Vec<f64>), (mark, colour)| Series {
            label: label.to_owned(),
            x,
            y,
            mark,
            colour,
        };
        Figure {
            x: Axis {
                label: known.name.clone(),
                unit: known.unit.clone(),
                scale: match known.scale {
                    Scale::Linear => crate::figure::Scale::Linear,
                    Scale::Logarithmic => crate::figure::Scale::Logarithmic,
                },
                ..Axis::default()
            },
            y: Axis {
                label: "twice the loss of log-likelihood".to_owned(),
                ..Axis::default()
            },
            series: vec![
                line("profile", (x, y), (Mark::Line, 0)),
                line(
                    "95 %",
                    (vec![ends.0, ends.1], vec![profile.threshold; 2]),
                    (Mark::Dashed, 1),
                ),
                line(
                    "estimate",
                    (vec![fit.estimates[profile.parameter]], vec![0.0]),
                    (Mark::Filled, 0),
                ),
            ],
            ..Figure::default()
        }
    };
    Sheet {
        panels: profiles.iter().map(panel).collect(),
        ..Sheet::default()
    }
}

/// The curve of a profile. The signed root of a rise is nearly straight in the parameter, and lines
/// between points on that scale are parabolas here.
fn smooth(profile: &Profile, scale: Scale) -> (Vec<f64>, Vec<f64>) {
    const BETWEEN: usize = 8;
    let lowest = profile
        .points
        .iter()
        .map(|point| point.rise)
        .fold(f64::INFINITY, f64::min);
    let bottom = profile.points.iter().position(|point| point.rise <= lowest);
    let bottom = bottom.unwrap_or(0);
    let root = |at: usize| {
        let root = profile.points[at].rise.max(0.0).sqrt();
        if at < bottom { -root } else { root }
    };
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for at in 1..profile.points.len() {
        let place = |at: usize| scale.inner(profile.points[at].value);
        let (from, to) = (place(at - 1), place(at));
        for step in 0..BETWEEN {
            let part = step as f64 / BETWEEN as f64;
            x.push(scale.outer(from + part * (to - from)));
            y.push((root(at - 1) + part * (root(at) - root(at - 1))).powi(2));
        }
    }
    x.extend(profile.points.last().map(|point| point.value));
    y.extend(profile.points.last().map(|point| point.rise.max(0.0)));
    (x, y)
}

/// Columns of a table: which parameter, its value, the rise, all others.
fn table(fit: &FitAnswer, profiles: &[Profile]) -> (Vec<String>, Vec<Vec<f64>>) {
    let coordinates = coordinates(&fit.fitted);
    let mut headers = vec!["profile".to_owned(), "rise".to_owned()];
    headers.extend(fit.fitted.iter().map(|known| known.name.clone()));
    let mut columns = vec![Vec::new(); headers.len()];
    for profile in profiles {
        for point in &profile.points {
            columns[0].push((profile.parameter + 1) as f64);
            columns[1].push(point.rise);
            for (column, value) in columns[2..].iter_mut().zip(coordinates.outer(&point.at)) {
                column.push(value);
            }
        }
    }
    (headers, columns)
}
