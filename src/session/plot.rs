//! `plot`: from a trajectory and data to the description of a figure.

use super::command::{DataSource, LogAxis, Plot};
use super::compiled::{Compiled, Observable};
use super::outcome::{Outcome, Performed};
use super::tables::{Columns, Tables};
use super::trajectory::Trajectory;
use super::{Ensemble, Session, ensemble, inputs};
use crate::diagnostic::{Code, Diagnostic, listed};
use crate::figure::{Axis, Figure, Mark, Scale, Series};
use crate::model::{Entity, Model, Motion, Unit};
use crate::source::Span;
use crate::symbolic::Shape;
use crate::syntax::tree::{self, ExprKind};
use crate::table::Table;
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

/// Data with the names that its columns go by in the model.
pub(super) struct Points {
    table: Arc<Table>,
    time: String,
    /// `(name in the model, column)`
    columns: Vec<(String, String)>,
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

/// Reads the data of a plot and matches its columns with the curves.
///
/// # Errors
/// A file that cannot be read, a table that cannot be understood, columns that are not there.
pub(super) fn points(
    model: &Model,
    tables: &Tables<'_>,
    source: &DataSource,
    curves: &[Curve],
) -> Result<(Points, Vec<Diagnostic>), Vec<Diagnostic>> {
    let span = source.path.span;
    let table = tables.read(&source.path).map_err(|problem| vec![problem])?;
    let (time, columns) = match_columns(&table, source, curves)?;
    let drawn = columns.iter().map(|(_, column)| column).chain([&time]);
    let problems: Vec<Diagnostic> = drawn
        .filter_map(|column| table.column_numbers(column).err())
        .map(|error| error.diagnostic(&table.source).at(span, ""))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let inputs: Vec<&str> = read_by_inputs(model, source, &table).collect();
    let warnings = unused_columns(&table, source, &time, &columns, &inputs);
    Ok((
        Points {
            table,
            time,
            columns,
        },
        warnings,
    ))
}

type Matched = (String, Vec<(String, String)>);

fn match_columns(
    table: &Table,
    source: &DataSource,
    curves: &[Curve],
) -> Result<Matched, Vec<Diagnostic>> {
    let names: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let quoted = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        listed(&names)
    };
    let has = || format!("it has {}", quoted(&names));
    let mut problems = Vec::new();
    let mut time = names
        .iter()
        .find(|name| ["time", "t"].contains(&name.to_lowercase().as_str()))
        .map(|name| (*name).to_owned());
    let mut columns: Vec<(String, String)> = Vec::new();
    let labels: Vec<&str> = curves
        .iter()
        .flat_map(|curve| curve.horizontal.iter().chain([&curve.vertical]))
        .map(|observable| observable.label.as_str())
        .collect();
    // A misnamed column of times is one problem, not two.
    let names_time = |here: &tree::Name| here.text == "time" || here.text == "t";
    let time_is_named = source.columns.iter().any(|(here, _)| names_time(here));
    for (here, there) in &source.columns {
        if !names.contains(&there.text.as_str()) {
            let near = crate::diagnostic::did_you_mean(&there.text, names.iter().copied());
            problems.push(
                Diagnostic::new(
                    Code::NoColumn,
                    format!("the table has no column `{}`", there.text),
                )
                .at(there.span, "not in the table")
                .help(near.unwrap_or_else(has)),
            );
        } else if names_time(here) {
            time = Some(there.text.clone());
        } else if labels.contains(&here.text.as_str()) {
            columns.push((here.text.clone(), there.text.clone()));
        } else {
            let near = crate::diagnostic::did_you_mean(&here.text, labels.iter().copied());
            problems.push(
                Diagnostic::new(
                    Code::NoColumn,
                    format!("`{}` is not among the curves", here.text),
                )
                .at(here.span, "not drawn")
                .help(near.unwrap_or_else(|| format!("what is drawn is {}", quoted(&labels)))),
            );
        }
    }
    for label in &labels {
        if columns.iter().all(|(here, _)| here != label) && names.contains(label) {
            columns.push(((*label).to_owned(), (*label).to_owned()));
        }
    }
    let Some(time) = time else {
        if !time_is_named {
            problems.push(
                Diagnostic::new(Code::NoColumn, "the table has no column `time` or `t`")
                    .at(source.path.span, has())
                    .help("name it, as in `over \"data.csv\" (time = year)`"),
            );
        }
        return Err(problems);
    };
    if columns.is_empty() && problems.is_empty() {
        let plain = labels.iter().find(|label| is_name(label));
        problems.push(
            Diagnostic::new(Code::NoColumn, "no column of the table belongs to a curve")
                .at(source.path.span, has())
                .help(match plain {
                    Some(label) => format!(
                        "what is drawn is {}: name columns, as in `({label} = column)`",
                        quoted(&labels)
                    ),
                    None => {
                        "give the curve the name of a column: define it, as in `let ratio = x/y`"
                            .to_owned()
                    }
                }),
        );
    }
    if problems.is_empty() {
        Ok((time, columns))
    } else {
        Err(problems)
    }
}

/// True for a label that can stand before `=`.
fn is_name(label: &str) -> bool {
    label.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The columns of a table that inputs of the model read.
fn read_by_inputs<'m>(
    model: &'m Model,
    source: &'m DataSource,
    table: &'m Table,
) -> impl Iterator<Item = &'m str> {
    let inputs = model.inputs.iter();
    let same_file = inputs.filter(|input| input.path.text == source.path.text);
    same_file.flat_map(|input| {
        let columns = Columns::new(table, &input.columns, input.path.span);
        let times = inputs::TIME.iter().map(move |time| (*time, true));
        times
            .chain([(input.name.as_str(), false)])
            .filter_map(move |(name, any_case)| columns.find(name, any_case))
            .map(|column| column.name.as_str())
    })
}

fn unused_columns(
    table: &Table,
    source: &DataSource,
    time: &str,
    columns: &[(String, String)],
    inputs: &[&str],
) -> Vec<Diagnostic> {
    let unused: Vec<String> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| *name != time && !inputs.contains(name))
        .filter(|name| columns.iter().all(|(_, column)| column != name))
        .map(|name| format!("`{name}`"))
        .collect();
    if unused.is_empty() {
        return Vec::new();
    }
    vec![
        Diagnostic::new(
            Code::UnusedColumn,
            format!(
                "nothing uses the {} {}",
                if unused.len() == 1 {
                    "column"
                } else {
                    "columns"
                },
                unused.join(", ")
            ),
        )
        .at(source.path.span, "of this table")
        .help("draw it as well, or name the curve that it belongs to, as in `(x = column)`"),
    ]
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
        let runs = match &self.ensemble {
            Some(_) => &[],
            None => self.need_runs()?,
        };
        let compiled = &self.need_model()?.compiled;
        let curves = curves(compiled, plot)?;
        let mut diagnostics = Vec::new();
        let data = match &plot.data {
            Some(source) => {
                let tables = Tables::new(&*self.world, self.data_folder());
                let (points, warnings) = points(&compiled.model, &tables, source, &curves)?;
                diagnostics = warnings;
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
}

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
            add_points(points, curve, colour, &mut figure.series)?;
        }
    }
    drawn(&figure, plot, curves)?;
    Ok(figure)
}

fn set_scales(figure: &mut Figure, plot: &Plot) {
    for axis in &plot.log {
        match axis {
            LogAxis::X => figure.x.scale = Scale::Logarithmic,
            LogAxis::Y => figure.y.scale = Scale::Logarithmic,
        }
    }
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
        for run in runs {
            let whose = match runs.len() {
                1 => Whose::Only,
                2..=MOST_NAMED_SUBJECTS => Whose::Named(run.subject.as_deref().unwrap_or("")),
                _ => Whose::OneOfMany(colour),
            };
            add_curve(run, curve, whose, &mut figure.series);
        }
        if let Some(points) = data {
            add_points(points, curve, colour, &mut figure.series)?;
        }
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

fn add_points(
    points: &Points,
    curve: &Curve,
    colour: usize,
    series: &mut Vec<Series>,
) -> Result<(), Vec<Diagnostic>> {
    let label = &curve.vertical.label;
    let column_of = |label: &str| {
        points
            .columns
            .iter()
            .find(|(here, _)| here == label)
            .map(|(_, column)| column.as_str())
    };
    let Some(vertical) = column_of(label) else {
        return Ok(());
    };
    let horizontal = match &curve.horizontal {
        None => points.time.as_str(),
        // A phase plot shows data where both sides have a column.
        Some(observable) => match column_of(&observable.label) {
            Some(column) => column,
            None => return Ok(()),
        },
    };
    let numbers = |name: &str| {
        points
            .table
            .column_numbers(name)
            .map(<[f64]>::to_vec)
            .map_err(|error| vec![error.diagnostic(&points.table.source).at(curve.span, "")])
    };
    series.push(Series {
        label: format!("{label} (data)"),
        x: numbers(horizontal)?,
        y: numbers(vertical)?,
        mark: Mark::Points,
        colour,
    });
    Ok(())
}
