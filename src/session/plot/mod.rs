//! `plot`: from a trajectory and data to the description of a figure.

mod data;
mod looks;

pub(super) use data::points;
pub(super) use looks::ends;

use super::command::Plot;
use super::compiled::{Compiled, Observable};
use super::fit::FitPicture;
use super::outcome::{Outcome, Performed};
use super::section::is_section;
use super::stability::RowsPicture;
use super::tables::Tables;
use super::trajectory::Trajectory;
use super::{Ensemble, Session, ensemble, matrices};
use crate::diagnostic::{Code, Diagnostic, listed};
use crate::figure::{Axis, Figure, Mark, Scale, Series};
use crate::model::{Entity, Motion, Unit};
use crate::source::Span;
use crate::symbolic::Shape;
use crate::syntax::tree::{self, ExprKind};
use data::{Points, add_points};
use looks::{set_scales, unjoin, with_ends};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One thing to draw: what it is, and what it is drawn against.
pub(super) struct Curve {
    vertical: Observable,
    /// Time when absent.
    horizontal: Option<Observable>,
    unit: Option<Unit>,
    horizontal_unit: Option<Unit>,
    span: Span,
}

/// The curves of a plot, all states when none is named.
///
/// # Errors
/// Unknown names, shapes that cannot be drawn.
pub(super) fn curves(compiled: &Compiled, plot: &Plot) -> Result<Vec<Curve>, Vec<Diagnostic>> {
    if plot.curves.is_empty() {
        let states = compiled.model.states.iter();
        return states
            .map(|state| {
                let vertical = compiled.observable_from_text(&quoted(&state.name))?;
                Ok(Curve {
                    vertical,
                    horizontal: None,
                    unit: state.unit.clone(),
                    horizontal_unit: None,
                    span: plot.span,
                })
            })
            .collect();
    }
    let mut found = Vec::with_capacity(plot.curves.len());
    let mut problems = Vec::new();
    for subject in &plot.curves {
        match curve(compiled, subject) {
            Ok(curve) => found.push(curve),
            Err(diagnostics) => problems.extend(diagnostics),
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

/// A name as it can be read back.
pub(super) fn quoted(name: &str) -> String {
    let plain = name.trim_end_matches('\'');
    let primes = &name[plain.len()..];
    format!("`{plain}`{primes}")
}

fn curve(compiled: &Compiled, subject: &tree::Subject) -> Result<Curve, Vec<Diagnostic>> {
    let vertical = drawable(compiled, &subject.value);
    let horizontal = match &subject.versus {
        Some(versus) => drawable(compiled, versus).map(Some),
        None => Ok(None),
    };
    let (vertical, horizontal) = match (vertical, horizontal) {
        (Ok(vertical), Ok(horizontal)) => (vertical, horizontal),
        (vertical, horizontal) => {
            let mut problems = vertical.err().unwrap_or_default();
            problems.extend(horizontal.err().into_iter().flatten());
            return Err(problems);
        }
    };
    if let Some(horizontal) = &horizontal
        && horizontal.shape != vertical.shape
        && horizontal.shape != Shape::Scalar
    {
        return Err(vec![
            Diagnostic::new(
                Code::ShapeMismatch,
                "these cannot be drawn against each other",
            )
            .at(subject.value.span, format!("this is {}", vertical.shape))
            .at(
                subject
                    .versus
                    .as_ref()
                    .map_or(subject.value.span, |expr| expr.span),
                format!("this is {}", horizontal.shape),
            ),
        ]);
    }
    Ok(Curve {
        unit: unit_of(compiled, &subject.value),
        horizontal_unit: subject
            .versus
            .as_ref()
            .and_then(|expr| unit_of(compiled, expr)),
        vertical,
        horizontal,
        span: subject.value.span,
    })
}

fn drawable(compiled: &Compiled, expr: &tree::Expr) -> Result<Observable, Vec<Diagnostic>> {
    let observable = compiled.observable(expr)?;
    if matches!(observable.shape, Shape::Matrix(..)) {
        return Err(vec![
            Diagnostic::new(Code::ShapeMismatch, "a matrix cannot be drawn as a curve")
                .at(expr.span, format!("this is {}", observable.shape))
                .help("choose elements by their indices"),
        ]);
    }
    Ok(observable)
}

/// The unit of an expression that is a plain name.
pub(super) fn unit_of(compiled: &Compiled, expr: &tree::Expr) -> Option<Unit> {
    let ExprKind::Reference(reference) = &expr.kind else {
        return None;
    };
    unit_of_name(compiled, &reference.name.text)
}

/// The unit of a quantity, if it has one.
pub(super) fn unit_of_name(compiled: &Compiled, name: &str) -> Option<Unit> {
    match compiled.model.names.get(name)? {
        Entity::Parameter(id) => compiled.model.parameters[id.index()].unit.clone(),
        Entity::State(id) => compiled.model.states[id.index()].unit.clone(),
        Entity::Definition(id) => compiled.model.definitions[id.index()].unit.clone(),
        Entity::Input(id) => compiled.model.inputs.get(id.index())?.unit.clone(),
        Entity::Time => compiled.model.time.unit.clone(),
        _ => None,
    }
}

impl Session {
    /// The folder that data files are looked for in.
    pub(super) fn data_folder(&self) -> PathBuf {
        self.loaded
            .as_ref()
            .and_then(|loaded| loaded.path.parent())
            .map_or_else(PathBuf::new, Path::to_owned)
    }

    pub(super) fn plot(&self, plot: &Plot) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = &self.need_model()?.compiled;
        let ends = ends(compiled, plot, &compiled.present(&self.overrides))?;
        let mut performed = self.picture(plot)?;
        match &mut performed.outcome {
            Outcome::Figure { figure, .. } => {
                if plot.points {
                    unjoin(figure);
                }
                with_ends(figure, &ends)?;
            }
            _ if plot.points || !plot.axes.is_empty() => {
                return Err(vec![
                    Diagnostic::new(
                        Code::BadOption,
                        "this picture has no curves and no axes of numbers",
                    )
                    .at(plot.span, "")
                    .help("leave `points` and `axes` away"),
                ]);
            }
            _ => {}
        }
        Ok(performed)
    }

    /// The picture that is asked for, as it looks by itself.
    fn picture(&self, plot: &Plot) -> Result<Performed, Vec<Diagnostic>> {
        if let Some(picture) = FitPicture::asked(&self.need_model()?.compiled, plot) {
            return self.plot_fit(picture, plot);
        }
        if let Some(matrix) = matrices::plotted(&self.need_model()?.compiled, plot) {
            return self.plot_matrix(matrix, plot);
        }
        if let Some(picture) = RowsPicture::asked(&self.need_model()?.compiled, plot) {
            return self.plot_rows(&picture?, plot);
        }
        if super::velocity::is_of_lines(&self.need_model()?.compiled, plot) {
            return self.plot_lines(plot);
        }
        let runs = match &self.ensemble {
            Some(_) => &[],
            None => {
                let compiled = &self.need_model()?.compiled;
                curves(compiled, plot)
                    .map_err(|problems| RowsPicture::meant(self.rows.is_some(), plot, problems))?;
                self.need_runs()?
            }
        };
        let compiled = &self.need_model()?.compiled;
        let curves = curves(compiled, plot)?;
        let mut diagnostics = Vec::new();
        let data = match &plot.data {
            Some(source) => {
                let tables = Tables::new(&*self.world, self.data_folder());
                let (points, warnings) = points(&compiled.model, &tables, source, &curves)?;
                diagnostics = warnings;
                diagnostics.extend(self.other_values(compiled, plot));
                Some(points)
            }
            None => None,
        };
        let figure = match &self.ensemble {
            Some(ensemble) => figure_of_paths(ensemble, plot, &curves, data.as_ref())?,
            None => figure(runs, compiled, plot, &curves, data.as_ref())?,
        };
        Ok(Performed {
            outcome: Outcome::Figure {
                figure,
                to: plot.to.as_ref().map(|text| PathBuf::from(&text.text)),
            },
            diagnostics,
        })
    }

    /// A run that was made with other values than hold now, as after a fit, shows nothing of these
    /// beside data.
    fn other_values(&self, compiled: &Compiled, plot: &Plot) -> Option<Diagnostic> {
        let asked = self.asked.as_ref()?;
        if asked.overrides == self.overrides {
            return None;
        }
        let (then, now) = (
            compiled.present(&asked.overrides),
            compiled.present(&self.overrides),
        );
        let blocks = compiled
            .model
            .parameters
            .iter()
            .zip(compiled.system.parameters.blocks());
        let changed = blocks.filter_map(|(parameter, block)| {
            let same = then.parameters.get(block.range()) == now.parameters.get(block.range());
            (!same).then(|| format!("`{}`", parameter.name))
        });
        let mut changed: Vec<String> = changed.take(MOST_CHANGED + 1).collect();
        if changed.len() > MOST_CHANGED {
            changed.truncate(MOST_CHANGED);
            changed.push("others".to_owned());
        }
        let what = match changed.as_slice() {
            [] => "other values hold".to_owned(),
            [one] if one.starts_with('`') => format!("{one} has another value"),
            names => format!("{} have other values", listed(names)),
        };
        Some(
            Diagnostic::new(
                Code::OtherValues,
                format!("the run that is drawn is older than the values: {what} now"),
            )
            .at(plot.span, "")
            .help("`simulate` again before, to see the present values beside the data"),
        )
    }
}

/// Names that are listed of values that have changed.
const MOST_CHANGED: usize = 6;

/// Bands instead of curves.
fn figure_of_paths(
    ensemble: &Ensemble,
    plot: &Plot,
    curves: &[Curve],
    data: Option<&Points>,
) -> Result<Figure, Vec<Diagnostic>> {
    if let Some(curve) = curves.iter().find(|curve| curve.horizontal.is_some()) {
        return Err(vec![
            Diagnostic::new(Code::BadOption, "bands of many paths are drawn over time")
                .at(curve.span, "against another quantity")
                .help("simulate without `paths` to draw one path like this"),
        ]);
    }
    // All that was summed up, when nothing is named.
    let named = curves.iter().filter(|_| !plot.curves.is_empty());
    let columns =
        ensemble.columns(named.map(|curve| (curve.vertical.label.as_str(), curve.span)))?;
    let time = time_label(ensemble.compiled.model.motion);
    let mut figure = ensemble::bands(ensemble, &columns, time);
    if let Some(title) = &plot.title {
        figure.title.clone_from(title);
    }
    set_scales(&mut figure, plot);
    if let Some(points) = data {
        for (colour, curve) in curves.iter().enumerate() {
            add_points(points, curve, (None, false), colour, &mut figure.series);
        }
    }
    drawn(&figure, plot, curves)?;
    Ok(figure)
}

fn figure(
    runs: &[Arc<Trajectory>],
    compiled: &Compiled,
    plot: &Plot,
    curves: &[Curve],
    data: Option<&Points>,
) -> Result<Figure, Vec<Diagnostic>> {
    let mut figure = Figure {
        title: plot.title.clone().unwrap_or_default(),
        x: horizontal_axis(compiled, curves),
        y: vertical_axis(curves),
        ..Figure::default()
    };
    set_scales(&mut figure, plot);
    for curve in curves {
        let colour = next_colour(&figure.series);
        // Data come after the curves, so that they lie on them.
        let mut own = Vec::new();
        for run in runs {
            let whose = match runs.len() {
                1 => Whose::Only,
                2..=MOST_NAMED_SUBJECTS => Whose::Named(run.subject.as_deref().unwrap_or("")),
                _ => Whose::OneOfMany(colour),
            };
            let first = match whose {
                Whose::OneOfMany(first) => first,
                Whose::Only | Whose::Named(_) => next_colour(&figure.series),
            };
            add_curve(run, curve, whose, &mut figure.series);
            if let Some(points) = data.filter(|points| points.have_subjects()) {
                points.belong_to(runs)?;
                let whose = (run.subject.as_deref(), matches!(whose, Whose::Named(_)));
                add_points(points, curve, whose, first, &mut own);
            }
        }
        if let Some(points) = data.filter(|points| !points.have_subjects()) {
            add_points(points, curve, (None, false), colour, &mut own);
        }
        figure.series.append(&mut own);
    }
    // Between two rows of a section the run was elsewhere: no line joins them.
    if runs.iter().any(|run| is_section(run)) {
        unjoin(&mut figure);
    }
    drawn(&figure, plot, curves)?;
    Ok(figure)
}

/// A logarithmic axis without positive values would be an empty figure.
fn drawn(figure: &Figure, plot: &Plot, curves: &[Curve]) -> Result<(), Vec<Diagnostic>> {
    let visible =
        |axis: &Axis, value: f64| value.is_finite() && (axis.scale == Scale::Linear || value > 0.0);
    let any = figure.series.iter().any(|series| {
        series
            .x
            .iter()
            .zip(&series.y)
            .any(|(x, y)| visible(&figure.x, *x) && visible(&figure.y, *y))
    });
    if any {
        return Ok(());
    }
    let span = curves.first().map_or(plot.span, |curve| curve.span);
    let logarithmic = !plot.log.is_empty();
    Err(vec![
        Diagnostic::new(
            Code::NotFinite,
            if logarithmic {
                "nothing to draw: no value is positive"
            } else {
                "nothing to draw: no value is finite"
            },
        )
        .at(span, ""),
    ])
}

fn horizontal_axis(compiled: &Compiled, curves: &[Curve]) -> Axis {
    let mut axis = Axis {
        label: time_label(compiled.model.motion).to_owned(),
        unit: compiled.model.time.unit.as_ref().map(Unit::to_string),
        ..Axis::default()
    };
    if let Some(first) = curves.first()
        && let Some(horizontal) = &first.horizontal
    {
        axis.label.clone_from(&horizontal.label);
        axis.unit = first.horizontal_unit.as_ref().map(Unit::to_string);
    }
    axis
}

/// What the axis of time is called; the steps of a map are counted by n.
pub(super) fn time_label(motion: Motion) -> &'static str {
    match motion {
        Motion::Flow => "time",
        Motion::Map => motion.variable(),
    }
}

/// Labels of the vertical axis longer than this leave it to the legend.
const LONGEST_LABEL: usize = 40;

fn vertical_axis(curves: &[Curve]) -> Axis {
    let labels: Vec<&str> = curves
        .iter()
        .map(|curve| curve.vertical.label.as_str())
        .collect();
    let joined = labels.join(", ");
    let unit = curves.first().and_then(|curve| curve.unit.clone());
    let common = curves.iter().all(|curve| curve.unit == unit);
    Axis {
        label: if joined.chars().count() <= LONGEST_LABEL {
            joined
        } else {
            "value".to_owned()
        },
        unit: unit.filter(|_| common).as_ref().map(Unit::to_string),
        ..Axis::default()
    }
}

/// Curves are coloured one after the other; their data take their colour.
fn next_colour(series: &[Series]) -> usize {
    series
        .iter()
        .filter(|known| known.mark == Mark::Line)
        .map(|known| known.colour + 1)
        .max()
        .unwrap_or(0)
}

/// Subjects up to this number have colours and entries of the legend of their own.
const MOST_NAMED_SUBJECTS: usize = 8;

/// Whose curve is drawn.
#[derive(Clone, Copy)]
enum Whose<'r> {
    /// That of the only run.
    Only,
    /// That of one of a few subjects.
    Named(&'r str),
    /// That of one of many subjects, whose curves share their colours from this one on.
    OneOfMany(usize),
}

/// Iterates of a map that are drawn as dots on the line through them; more would hide it.
const MOST_DOTS: usize = 101;

fn add_curve(run: &Trajectory, curve: &Curve, whose: Whose<'_>, series: &mut Vec<Series>) {
    let width = curve.vertical.shape.len();
    let vertical = run.evaluate(&curve.vertical);
    let horizontal = curve
        .horizontal
        .as_ref()
        .map(|observable| (observable.shape.len(), run.evaluate(observable)));
    let column = |numbers: &[f64], width: usize, at: usize| -> Vec<f64> {
        numbers
            .iter()
            .skip(at)
            .step_by(width.max(1))
            .copied()
            .collect()
    };
    // Nothing lies between two steps of a map: a line there only leads the eye.
    let is_map = run.compiled.model.motion == Motion::Map;
    let scattered = is_map && horizontal.is_some();
    let dotted = is_map && horizontal.is_none() && run.times().len() <= MOST_DOTS;
    for at in 0..width {
        let x = match &horizontal {
            None => run.times().to_vec(),
            Some((1, numbers)) => numbers.clone(),
            Some((wide, numbers)) => column(numbers, *wide, at),
        };
        let colour = match whose {
            Whose::OneOfMany(first) => first + at,
            Whose::Only | Whose::Named(_) => next_colour(series),
        };
        let label = if width == 1 {
            curve.vertical.label.clone()
        } else {
            element_label(run, curve, at)
        };
        series.push(Series {
            label: match whose {
                Whose::Named(subject) => format!("{label}, subject {subject}"),
                Whose::Only | Whose::OneOfMany(_) => label,
            },
            x,
            y: column(&vertical, width, at),
            mark: if scattered { Mark::Points } else { Mark::Line },
            colour,
        });
        if dotted && let Some(line) = series.last() {
            let dots = Series {
                label: String::new(),
                mark: Mark::Points,
                ..line.clone()
            };
            series.push(dots);
        }
    }
}

fn element_label(run: &Trajectory, curve: &Curve, element: usize) -> String {
    let names = &run.compiled.model.names;
    let indices = names.indices(&curve.vertical.label);
    if indices.is_empty() {
        return format!("{} [{}]", curve.vertical.label, element + 1);
    }
    run.compiled
        .model
        .element_name(&curve.vertical.label, indices, element)
}
