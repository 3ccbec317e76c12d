//! What a sweep asks, with its names found and its values checked.
//!
//! Enters: a model, the values that hold, the run to be repeated and the sentence. Leaves: the
//! swept quantities, the values of every member, and what each run gives. What can be refused
//! without running anything is refused here.

use super::super::command::Simulate;
use super::super::compiled::Compiled;
use super::super::ranges::Range;
use super::super::simulate::{Plan, plan, sound, with_setting};
use super::super::tables::{Columns, Tables};
use super::super::trajectory::Trajectory;
use super::super::values::{self, Overrides, Present};
use super::design::{Members, Span as Reach};
use super::sentence::{Design, Sweep, Swept, SweptValues};
use super::sobol::{MOST_DIMENSIONS, Sobol};
use super::wanted::{Wanted, wanted};
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::model::{self, Bounds, Target};
use crate::source::Span;
use crate::symbolic::{Pool, Shape, symbols_of};
use crate::syntax::{self, tree};
use std::sync::Arc;

/// Runs of one sweep.
const MOST_MEMBERS: f64 = 1e7;
/// Numbers that a sweep gives (0.8 GB).
const MOST_NUMBERS: f64 = 1e8;
/// Points of each axis when the sentence does not say: of one axis, of two, of more.
const USUAL_POINTS: [f64; 3] = [50.0, 20.0, 8.0];

/// A swept quantity.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub target: Target,
    /// Which number of a vector or matrix.
    pub element: Option<u32>,
    /// Its place among the parameters or the states.
    pub position: usize,
    /// As written.
    pub name: String,
    pub unit: Option<String>,
    /// Spread over a logarithmic scale.
    pub logarithmic: bool,
    /// The smallest and the largest value.
    pub range: (f64, f64),
}

/// How the members are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Every value with every other.
    Grid,
    /// Points that fill the ranges evenly.
    Sobol,
    /// Rows of a table.
    Table,
}

/// What is asked.
pub(super) struct Question {
    pub axes: Vec<Axis>,
    pub layout: Layout,
    pub members: Members,
    pub wanted: Wanted,
}

/// Understands a sentence, but for the run that it repeats.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn question(
    compiled: &Compiled,
    tables: &Tables<'_>,
    overrides: &Overrides,
    command: &Sweep,
) -> Result<Question, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let overrides = with_setting(compiled, overrides, &command.setting).unwrap_or_else(|found| {
        problems.extend(found);
        overrides.clone()
    });
    let present = compiled.present(&overrides);
    let wanted = sound(wanted(compiled, &present, command), &mut problems);
    let laid_out = match &command.design {
        Design::Grid(names) => grid(compiled, &present, names),
        Design::Sobol(names, count) => sobol(compiled, &present, names, count),
        Design::Table(_) => table(compiled, tables, command),
    };
    let laid_out = sound(laid_out, &mut problems);
    if let Some((axes, ..)) = &laid_out {
        problems.extend(repeated(axes, command));
    }
    let (Some(wanted), Some((axes, layout, members)), true) =
        (wanted, laid_out, problems.is_empty())
    else {
        return Err(problems);
    };
    let question = Question {
        axes,
        layout,
        members,
        wanted,
    };
    fits(&question, command)?;
    Ok(question)
}

type LaidOut = (Vec<Axis>, Layout, Members);

fn grid(
    compiled: &Compiled,
    present: &Present,
    names: &[Swept],
) -> Result<LaidOut, Vec<Diagnostic>> {
    let usual = USUAL_POINTS
        .get(names.len().saturating_sub(1))
        .or(USUAL_POINTS.last());
    let usual = usual.copied().unwrap_or(1.0);
    let mut problems = Vec::new();
    let mut counts = 1.0;
    let mut axes = Vec::with_capacity(names.len());
    for swept in names {
        let found = axis(compiled, present, swept).and_then(|(axis, reach)| {
            let count = match &swept.values {
                SweptValues::Listed(values) => size(values.len()),
                SweptValues::Ranged { points, .. } => {
                    count(compiled, present, points.as_deref(), usual)?
                }
            };
            Ok((axis, reach, count))
        });
        if let Some(found) = sound(found, &mut problems) {
            counts *= found.2;
            axes.push(found);
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if counts > MOST_MEMBERS {
        return Err(vec![too_many(names, counts)]);
    }
    let mut values = Vec::with_capacity(axes.len());
    for ((_, reach, count), swept) in axes.iter().zip(names) {
        values.push(match &swept.values {
            SweptValues::Listed(list) => listed_values(compiled, present, list)?,
            SweptValues::Ranged { .. } => reach.values(whole(*count)),
        });
    }
    let axes = axes.into_iter().map(|(axis, ..)| axis).collect();
    Ok((axes, Layout::Grid, Members::Grid(values)))
}

fn sobol(
    compiled: &Compiled,
    present: &Present,
    names: &[Swept],
    points: &tree::Expr,
) -> Result<LaidOut, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut axes = Vec::with_capacity(names.len());
    for swept in names {
        axes.extend(sound(axis(compiled, present, swept), &mut problems));
    }
    let count = sound(count(compiled, present, Some(points), 1.0), &mut problems);
    if let Some(swept) = names.get(MOST_DIMENSIONS) {
        problems.push(
            Diagnostic::new(
                Code::BadOption,
                format!("`sobol` fills the ranges of at most {MOST_DIMENSIONS} quantities"),
            )
            .at(swept.name.span, "one too many")
            .help("write the points into a table, as in `sweep from \"points.csv\"`"),
        );
    }
    let (Some(count), true) = (count, problems.is_empty()) else {
        return Err(problems);
    };
    let (axes, ranges): (Vec<Axis>, Vec<Reach>) = axes.into_iter().unzip();
    let members = Members::Sobol {
        sobol: Sobol::new(axes.len()),
        ranges,
        count: whole(count),
    };
    Ok((axes, Layout::Sobol, members))
}

/// `sweep from "table.csv"`: a column for each parameter, a row for each member.
fn table(
    compiled: &Compiled,
    tables: &Tables<'_>,
    command: &Sweep,
) -> Result<LaidOut, Vec<Diagnostic>> {
    let Design::Table(source) = &command.design else {
        return Err(Vec::new());
    };
    let file = source.path.span;
    let table = tables.read(&source.path).map_err(|problem| vec![problem])?;
    let columns = Columns::new(&table, &source.columns, file);
    let mut problems = columns.check();
    let mut found: Vec<(Axis, Arc<[f64]>)> = Vec::new();
    for column in table
        .columns
        .iter()
        .filter(|column| !column.name.is_empty())
    {
        let mapped = source
            .columns
            .iter()
            .find(|(_, there)| there.text == column.name);
        let (name, span) = match mapped {
            Some((here, _)) => (here.text.as_str(), here.span),
            None => (column.name.as_str(), file),
        };
        let Some((target, element)) = sound(column_target(compiled, name, span), &mut problems)
        else {
            continue;
        };
        let numbers = match table.complete_numbers(&column.name) {
            Ok(numbers) => numbers,
            Err(error) => {
                problems.push(error.diagnostic(&table.source).at(file, ""));
                continue;
            }
        };
        let axis = new_axis(compiled, (target, element), name.to_owned(), numbers);
        problems.extend(outside(compiled, &axis, numbers, |row| {
            (file, format!("in line {} of the table", table.line(row)))
        }));
        found.push((axis, Arc::from(numbers)));
    }
    if found.is_empty() && problems.is_empty() {
        problems.push(
            Diagnostic::new(
                Code::NoColumn,
                "the table names nothing that could be swept",
            )
            .at(file, "its first row holds names of parameters"),
        );
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let (axes, columns): (Vec<Axis>, Vec<Arc<[f64]>>) = found.into_iter().unzip();
    Ok((axes, Layout::Table, Members::Table(columns)))
}

/// The parameter or state that the header of a column names.
fn column_target(
    compiled: &Compiled,
    name: &str,
    span: Span,
) -> Result<(Target, Option<u32>), Vec<Diagnostic>> {
    let unknown = || {
        let parameters = &compiled.model.parameters;
        let names = || parameters.iter().map(|known| known.name.as_str());
        let help = crate::diagnostic::did_you_mean(name, names()).unwrap_or_else(|| {
            let known: Vec<String> = names().take(8).map(|name| format!("`{name}`")).collect();
            if known.is_empty() {
                "the model declares no parameter".to_owned()
            } else {
                format!("the parameters are {}; a column may be renamed, as in `from \"table.csv\" ({} = {name})`", listed(&known), names().next().unwrap_or("k"))
            }
        });
        vec![
            Diagnostic::new(
                Code::NoColumn,
                format!("the column `{name}` names neither a parameter nor a state"),
            )
            .at(span, "in this table")
            .help(help),
        ]
    };
    let nowhere = crate::source::SourceId(u32::MAX);
    let expr = syntax::parse_expression(nowhere, name).map_err(|_| unknown())?;
    let tree::ExprKind::Reference(mut reference) = expr.kind else {
        return Err(unknown());
    };
    // Problems point at the sentence: the header has no place in it.
    reference.span = span;
    reference.name.span = span;
    target(compiled, &reference).map_err(|_| unknown())
}

/// A swept quantity with its range.
fn axis(
    compiled: &Compiled,
    present: &Present,
    swept: &Swept,
) -> Result<(Axis, Reach), Vec<Diagnostic>> {
    let tree::ExprKind::Reference(reference) = &swept.name.kind else {
        return Err(vec![
            Diagnostic::new(Code::BadOption, "`sweep` needs the name of a parameter")
                .at(swept.name.span, "this is no name")
                .help("as in `sweep alpha in 0..2`"),
        ]);
    };
    let found = target(compiled, reference)?;
    let name = syntax::show_expression(&swept.name);
    let (range, log) = match &swept.values {
        SweptValues::Listed(list) => {
            let numbers = listed_values(compiled, present, list)?;
            let axis = new_axis(compiled, found, name, &numbers);
            let problems = outside(compiled, &axis, &numbers, |at| {
                let span = list.get(at).map_or(swept.name.span, |value| value.span);
                (span, String::new())
            });
            if !problems.is_empty() {
                return Err(problems);
            }
            let (low, high) = axis.range;
            let reach = Reach {
                low,
                high,
                logarithmic: false,
            };
            return Ok((axis, reach));
        }
        SweptValues::Ranged { range, log, .. } => (range.as_deref(), *log),
    };
    let bounds = bounds_of(compiled, found.0);
    let ends = ends(compiled, present, (&name, swept.name.span), range, bounds)?;
    let declared_log = bounds.is_some_and(|bounds| bounds.logarithmic) && ends.0 > 0.0;
    let logarithmic = log.is_some() || declared_log;
    if logarithmic && ends.0 <= 0.0 {
        let span = range.map_or(swept.name.span, |range| range.span);
        let mut diagnostic = Diagnostic::new(
            Code::BadLogBounds,
            "a logarithmic scale needs a positive range",
        )
        .at(span, format!("this begins at {}", number_text(ends.0)));
        if let Some(log) = log {
            diagnostic = diagnostic.at(log, "");
        }
        return Err(vec![
            diagnostic.help(format!("as in `sweep {name} in 1e-3..1 log`")),
        ]);
    }
    let axis = Axis {
        logarithmic,
        ..new_axis(compiled, found, name, &[ends.0, ends.1])
    };
    let reach = Reach {
        low: ends.0,
        high: ends.1,
        logarithmic,
    };
    Ok((axis, reach))
}

fn new_axis(
    compiled: &Compiled,
    (target, element): (Target, Option<u32>),
    name: String,
    numbers: &[f64],
) -> Axis {
    let (layout, at) = match target {
        Target::Parameter(id) => (&compiled.system.parameters, id.index()),
        Target::State(id) => (&compiled.system.states, id.index()),
    };
    let unit = match target {
        Target::Parameter(id) => compiled
            .model
            .parameters
            .get(id.index())
            .and_then(|known| known.unit.as_ref()),
        Target::State(id) => compiled
            .model
            .states
            .get(id.index())
            .and_then(|known| known.unit.as_ref()),
    };
    let offset = layout.blocks().get(at).map_or(0, |block| block.offset);
    let fold = |start: f64, pick: fn(f64, f64) -> f64| numbers.iter().copied().fold(start, pick);
    Axis {
        target,
        element,
        position: offset + element.map_or(0, |element| element as usize),
        name,
        unit: unit.map(ToString::to_string),
        logarithmic: false,
        range: (
            fold(f64::INFINITY, f64::min),
            fold(f64::NEG_INFINITY, f64::max),
        ),
    }
}

/// The number that a name means.
fn target(
    compiled: &Compiled,
    reference: &tree::Reference,
) -> Result<(Target, Option<u32>), Vec<Diagnostic>> {
    let mut pool = Pool::continuing(&compiled.system.pool);
    let mut problems = Vec::new();
    let found = model::target(&compiled.model.names, &mut pool, &mut problems, reference);
    let Some((target, element)) = found.filter(|_| problems.is_empty()) else {
        return Err(problems);
    };
    let shape = compiled.shape_of(target);
    if shape != Shape::Scalar && element.is_none() {
        let name = &reference.name.text;
        return Err(vec![
            Diagnostic::new(
                Code::ShapeMismatch,
                format!(
                    "`{name}` holds {} numbers, and one of them is swept",
                    shape.len()
                ),
            )
            .at(reference.span, format!("this is {shape}"))
            .help(format!("name one of them, as in `sweep {name}[1] in 0..1`")),
        ]);
    }
    Ok((target, element.and_then(|at| u32::try_from(at).ok())))
}

fn bounds_of(compiled: &Compiled, target: Target) -> Option<Bounds> {
    match target {
        Target::Parameter(id) => compiled.model.parameters.get(id.index())?.bounds,
        Target::State(id) => compiled.model.states.get(id.index())?.bounds,
    }
}

/// Where a quantity goes: as the sentence says, else as it is declared.
fn ends(
    compiled: &Compiled,
    present: &Present,
    (name, span): (&str, Span),
    written: Option<&Range>,
    declared: Option<Bounds>,
) -> Result<(f64, f64), Vec<Diagnostic>> {
    let place = written.map_or(span, |range| range.span);
    let end = |written: Option<&tree::Expr>, declared: Option<f64>| {
        match written {
        Some(expr) => compiled.number(expr, present),
        None => declared.filter(|end| end.is_finite()).ok_or_else(|| {
            vec![
                Diagnostic::new(
                    Code::MissingArgument,
                    format!("`{name}` is declared without bounds: which values does it take?"),
                )
                .at(place, "")
                .help(format!(
                    "give a range, as in `sweep {name} in 0..1`, or bounds, as in `param {name} = 1 in 0..2`"
                )),
            ]
        }),
    }
    };
    let low = end(
        written.and_then(|range| range.low.as_ref()),
        declared.map(|b| b.low),
    );
    let high = end(
        written.and_then(|range| range.high.as_ref()),
        declared.map(|b| b.high),
    );
    let (low, high) = match (low, high) {
        (Ok(low), Ok(high)) => (low, high),
        (Err(mut problems), Err(more)) => {
            problems.extend(more);
            problems.dedup();
            return Err(problems);
        }
        (Err(problems), _) | (_, Err(problems)) => return Err(problems),
    };
    if low >= high {
        let range = if low > high {
            format!("{}..{}", number_text(high), number_text(low))
        } else {
            "0..1".to_owned()
        };
        return Err(vec![
            Diagnostic::new(Code::BadOption, "the range holds nothing to sweep over")
                .at(place, format!("from {} to {}", number_text(low), number_text(high)))
                .help(format!(
                    "a range runs from the smaller number to the larger, as in `sweep {name} in {range}`"
                )),
        ]);
    }
    match declared {
        Some(bounds) if low < bounds.low || high > bounds.high => Err(vec![
            Diagnostic::new(
                Code::OutOfBounds,
                format!("the range goes beyond the bounds of `{name}`"),
            )
            .at(place, "")
            .at(bounds.span, "these bounds")
            .help(format!(
                "keep to {}..{}, or widen the bounds in the declaration",
                number_text(bounds.low),
                number_text(bounds.high)
            )),
        ]),
        _ => Ok((low, high)),
    }
}

/// A value outside the bounds of what is swept; `place` says where the value of a row stands.
fn outside(
    compiled: &Compiled,
    axis: &Axis,
    numbers: &[f64],
    place: impl Fn(usize) -> (Span, String),
) -> Vec<Diagnostic> {
    let Some(bounds) = bounds_of(compiled, axis.target) else {
        return Vec::new();
    };
    let mut all = numbers.iter();
    let Some(row) = all.position(|number| !(bounds.low..=bounds.high).contains(number)) else {
        return Vec::new();
    };
    let (span, words) = place(row);
    let value = numbers.get(row).copied().unwrap_or(f64::NAN);
    vec![
        Diagnostic::new(
            Code::OutOfBounds,
            format!(
                "the value {} of `{}` lies outside its bounds",
                number_text(value),
                axis.name
            ),
        )
        .at(span, words)
        .at(bounds.span, "these bounds"),
    ]
}

fn listed_values(
    compiled: &Compiled,
    present: &Present,
    list: &[tree::Expr],
) -> Result<Vec<f64>, Vec<Diagnostic>> {
    let numbers = list.iter().map(|value| compiled.number(value, present));
    numbers.collect()
}

/// A whole number of points from 1 on.
fn count(
    compiled: &Compiled,
    present: &Present,
    points: Option<&tree::Expr>,
    usual: f64,
) -> Result<f64, Vec<Diagnostic>> {
    let Some(expr) = points else {
        return Ok(usual);
    };
    let count = compiled.number(expr, present)?;
    if count >= 1.0 && count.fract() == 0.0 && count <= MOST_MEMBERS {
        return Ok(count);
    }
    let message = if count > MOST_MEMBERS {
        format!("a sweep makes at most {} runs", number_text(MOST_MEMBERS))
    } else {
        "the number of points is a whole number from 1 on".to_owned()
    };
    Err(vec![
        Diagnostic::new(Code::BadOption, message)
            .at(expr.span, format!("this is {}", number_text(count)))
            .help("as in `points 200`"),
    ])
}

fn too_many(names: &[Swept], count: f64) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(
        Code::BadOption,
        format!(
            "this grid has {} points, and a sweep makes at most {} runs",
            number_text(count),
            number_text(MOST_MEMBERS)
        ),
    );
    for swept in names {
        diagnostic = diagnostic.at(swept.name.span, "");
    }
    diagnostic.help("give each fewer `points`, or fill the ranges evenly with `sobol 1000`")
}

/// What a sweep gives must fit into memory.
fn fits(question: &Question, command: &Sweep) -> Result<(), Vec<Diagnostic>> {
    let width = question.wanted.width() + question.axes.len();
    let numbers = size(question.members.count()) * size(width);
    if numbers <= MOST_NUMBERS {
        return Ok(());
    }
    Err(vec![
        Diagnostic::new(
            Code::BadOption,
            "this makes more output than a memory holds",
        )
        .at(command.span, format!("{} numbers", number_text(numbers)))
        .help("sweep fewer points, or ask for fewer numbers of each run"),
    ])
}

/// A quantity that is swept twice, or swept and set.
fn repeated(axes: &[Axis], command: &Sweep) -> Vec<Diagnostic> {
    let same = |a: &Axis, b: &Axis| (a.target, a.element) == (b.target, b.element);
    for (at, axis) in axes.iter().enumerate() {
        if axes.iter().take(at).any(|before| same(before, axis)) {
            let message = format!("`{}` is swept twice", axis.name);
            return vec![
                Diagnostic::new(Code::BadOption, message)
                    .at(command.span, "")
                    .help("name it once"),
            ];
        }
    }
    Vec::new()
}

#[expect(clippy::cast_precision_loss, reason = "a size")]
fn size(count: usize) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number within bounds"
)]
fn whole(count: f64) -> usize {
    count as usize
}

// ---- the run that is repeated ----

/// The run that a sweep repeats, with what changes from member to member.
pub(super) struct Base {
    /// At the values that hold without the sweep.
    plan: Plan,
    /// What is set, `with` included.
    overrides: Overrides,
    /// The absolute tolerance that the sentence states.
    absolute: Option<f64>,
    /// The state at the start is not the declared one: it follows no parameter.
    starts_elsewhere: bool,
    /// Nothing is computed from what is swept before a run begins.
    stands_alone: bool,
}

/// Works out the run that a sweep repeats.
///
/// # Errors
/// All problems of the run.
pub(super) fn base(
    compiled: &Compiled,
    tables: &Tables<'_>,
    overrides: &Overrides,
    before: Option<&Trajectory>,
    (command, run): (&Sweep, &Simulate),
    axes: &[Axis],
) -> Result<(Base, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut run = run.clone();
    run.setting.with.extend(command.setting.with.clone());
    if command.setting.condition.is_some() {
        run.setting.condition.clone_from(&command.setting.condition);
    }
    let mut plan = plan(compiled, tables, overrides, before, &run)?;
    if plan.paths.is_some() {
        return Err(vec![
            Diagnostic::new(
                Code::BadOption,
                "a sweep makes one path for each value, and this run makes many",
            )
            .at(run.span, "")
            .help("simulate without `paths` first; `seed 7` chooses the path"),
        ]);
    }
    let warnings = std::mem::take(&mut plan.warnings);
    let mut overrides = with_setting(compiled, overrides, &run.setting)?;
    let present = compiled.present(&overrides);
    let absolute = run.absolute.as_ref();
    let absolute = absolute
        .map(|expr| compiled.number(expr, &present))
        .transpose()?;
    for axis in axes {
        axis.set(&mut overrides, f64::NAN);
    }
    plan.held = overrides.held(compiled.model.parameters.len());
    let base = Base {
        plan,
        overrides,
        absolute,
        starts_elsewhere: run.from_last || run.from_steady.is_some(),
        stands_alone: stand_alone(compiled, axes),
    };
    Ok((base, warnings))
}

/// True when no parameter and no initial value is computed from what is swept.
fn stand_alone(compiled: &Compiled, axes: &[Axis]) -> bool {
    let (model, system) = (&compiled.model, &compiled.system);
    let symbols: Vec<_> = axes
        .iter()
        .filter_map(|axis| match axis.target {
            Target::Parameter(id) => system.parameters.blocks().get(id.index()),
            Target::State(id) => system.states.blocks().get(id.index()),
        })
        .map(|block| block.symbol)
        .collect();
    let is_volume = |axis: &Axis| match axis.target {
        Target::Parameter(id) => model
            .parameters
            .get(id.index())
            .is_some_and(|p| p.is_compartment),
        Target::State(_) => false,
    };
    let mut values = system.parameter_values.iter().chain(&system.initial);
    !axes.iter().any(is_volume)
        && values.all(|value| {
            let mut read = symbols_of(&system.pool, *value).into_iter();
            !read.any(|symbol| symbols.contains(&symbol))
        })
}

impl Axis {
    fn set(&self, overrides: &mut Overrides, value: f64) {
        overrides.set(self.target, self.element, vec![value]);
    }
}

impl Base {
    /// First and last time.
    pub fn range(&self) -> (f64, f64) {
        (
            self.plan.options.shown_from.unwrap_or(self.plan.start),
            self.plan.end,
        )
    }

    /// The plan without the values of a member.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The parameters and the state that a member begins with.
    ///
    /// # Errors
    /// Values that make another one infinite, or a volume that is not positive.
    pub fn start(
        &self,
        compiled: &Compiled,
        axes: &[Axis],
        values: &[f64],
    ) -> Result<Start, Vec<Diagnostic>> {
        if !self.stands_alone {
            let present = self.present(compiled, axes, values)?;
            return Ok(self.start_of(&present, axes, values));
        }
        let mut start = Start {
            parameters: self.plan.parameters.clone(),
            initial: self.plan.initial.clone(),
        };
        start.put(axes, values);
        Ok(start)
    }

    /// All values of a member as they are declared.
    fn present(
        &self,
        compiled: &Compiled,
        axes: &[Axis],
        values: &[f64],
    ) -> Result<Present, Vec<Diagnostic>> {
        let mut overrides = self.overrides.clone();
        for (axis, value) in axes.iter().zip(values) {
            axis.set(&mut overrides, *value);
        }
        let present = compiled.present(&overrides);
        values::check_finite(compiled, &present)?;
        Ok(present)
    }

    fn start_of(&self, present: &Present, axes: &[Axis], values: &[f64]) -> Start {
        let initial = if self.starts_elsewhere {
            &self.plan.initial
        } else {
            &present.initial
        };
        let mut start = Start {
            parameters: present.parameters.clone(),
            initial: initial.clone(),
        };
        start.put(axes, values);
        start
    }

    /// The plan of a member.
    ///
    /// # Errors
    /// Those of [`Base::start`].
    pub fn member(
        &self,
        compiled: &Compiled,
        axes: &[Axis],
        values: &[f64],
    ) -> Result<Plan, Vec<Diagnostic>> {
        let present = self.present(compiled, axes, values)?;
        let start = self.start_of(&present, axes, values);
        let mut plan = self.plan.clone();
        if start.initial != plan.initial {
            plan.options.tolerances.absolute =
                compiled.absolute_tolerances(&start.initial, self.absolute);
        }
        plan.parameters = start.parameters;
        plan.initial = start.initial;
        plan.declared = present.initial;
        Ok(plan)
    }

    /// True when all members have the tolerances of the plan: the absolute ones follow the size of
    /// the state at the start.
    pub fn has_common_tolerances(&self, axes: &[Axis]) -> bool {
        let is_state = |axis: &Axis| matches!(axis.target, Target::State(_));
        let starts_alike = self.starts_elsewhere || self.stands_alone;
        self.absolute.is_some() || (starts_alike && !axes.iter().any(is_state))
    }
}

/// What a member begins with.
pub(super) struct Start {
    pub parameters: Vec<f64>,
    pub initial: Vec<f64>,
}

impl Start {
    /// Puts the values of a member in their places.
    fn put(&mut self, axes: &[Axis], values: &[f64]) {
        for (axis, value) in axes.iter().zip(values) {
            let numbers = match axis.target {
                Target::Parameter(_) => &mut self.parameters,
                Target::State(_) => &mut self.initial,
            };
            if let Some(place) = numbers.get_mut(axis.position) {
                *place = *value;
            }
        }
    }
}
