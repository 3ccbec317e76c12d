//! What a sweep asks, with its names found and its values checked.
//!
//! Enters: a model, the values that hold, the run to be repeated and the sentence. Leaves: the
//! swept quantities, the values of every member, and what each run gives. What can be refused
//! without running anything is refused here.

use super::super::compiled::Compiled;
use super::super::simulate::{fault, sound, with_setting};
use super::super::tables::{Columns, Tables};
use super::super::values::{Overrides, Present};
use super::axes::{Axis, axis, listed_values, new_axis, outside, target};
use super::design::{Members, Span as Reach};
use super::sentence::{Design, Sweep, Swept, SweptValues};
use super::sobol::{MOST_DIMENSIONS, Sobol};
use super::wanted::{Wanted, wanted};
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::model::Target;
use crate::source::Span;
use crate::syntax::{self, tree};
use std::sync::Arc;

/// Runs of one sweep.
const MOST_MEMBERS: f64 = 1e7;
/// Numbers that a sweep gives (0.8 GB).
const MOST_NUMBERS: f64 = 1e8;
/// Points of each axis when the sentence does not say: of one axis, of two, of more.
const USUAL_POINTS: [f64; 3] = [50.0, 20.0, 8.0];

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
    Err(fault(expr, &message, count, "as in `points 200`"))
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
