//! `stability over "cells.h5ad" layer "Ms" by cell_type`: the linear part of a flow at every row of
//! a table of states.
//!
//! ```text
//! sentence.rs  the words of the sentence
//! data.rs      states, groups and names of rows from the file
//! form.rs      is the Jacobian M*diagonal(v(s)) + diagonal(d)?
//! route.rs     linear parts by the way that this decides
//! numbers.rs   what is told of each row as columns, with medians and quartiles by group
//! tables.rs    the columns, and all eigenvalues, as CSV
//! figure.rs    clouds of eigenvalues, boxes by group, colours on an embedding
//! ```
//!
//! Enters: a command and the session's values. Leaves: a [`RowsAnswer`]. Must not know how
//! eigenvalues are found.

mod data;
mod figure;
mod form;
mod numbers;
mod route;
mod sentence;
mod tables;

pub(in crate::session) use figure::{RowsPicture, embedding};
pub use form::NoForm;
pub use numbers::{Measure, Quantity, Summary, summary};
pub use route::Way;
pub(in crate::session) use sentence::{about, refuse_words};
pub(in crate::session) use tables::RowsTable;

use super::Stability;
use crate::analyze::Motion;
use crate::analyze::network::{Ended, Keep, Linear};
use crate::diagnostic::{Code, Diagnostic};
use crate::linalg::Unfound;
use crate::model;
use crate::session::command::{Rows, Setting};
use crate::session::compiled::Compiled;
use crate::session::outcome::{Made, Outcome, Performed};
use crate::session::rest::{self, AtRest};
use crate::session::stability::refuse_delays;
use crate::session::tables::Tables;
use crate::session::values::{self, Overrides};
use crate::session::{Session, simulate};
use crate::source::Span;
use crate::syntax::tree;
use crate::world::World;
use data::Data;
use route::{Batch, Equations, Failed, Wanted};
use std::path::PathBuf;
use std::sync::Arc;

/// Linear parts at the rows of a table, with all names.
pub struct RowsAnswer {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// The file and what was read of it.
    pub data: Data,
    /// For each group, whether the values of the condition of its name held.
    pub conditions: Vec<bool>,
    /// The condition whose values held for all rows.
    pub condition: Option<String>,
    /// The chosen elements of the Jacobian: name, row, column.
    pub elements: Vec<Element>,
    /// Whether eigenvalues were asked for.
    pub spectrum: bool,
    /// One per row; none for those that were not reached before the user stopped it.
    pub found: Vec<Option<Result<Linear, Unfound>>>,
    /// Which way was taken, and what it met.
    pub told: Told,
    batches: Vec<Batch>,
    time: f64,
    setting: Span,
}

/// An element of the Jacobian.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// `jacobian[a, b]`
    pub label: String,
    /// The state that changes.
    pub row: usize,
    /// By which state.
    pub column: usize,
}

/// How the work was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Which way.
    pub way: Way,
    /// Entries of the pattern, at most of all values of parameters.
    pub entries: usize,
    /// Variables that feed back on themselves through others, at most.
    pub feedback: usize,
    /// The largest number of variables in one block of feedback.
    pub largest: usize,
}

impl std::fmt::Debug for RowsAnswer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RowsAnswer")
            .field("file", &self.data.file.text)
            .field("rows", &self.found.len())
            .field("told", &self.told)
            .finish_non_exhaustive()
    }
}

/// Refuses what has no linear part at a row.
fn refuse(compiled: &Compiled, span: Span) -> Result<(), Vec<Diagnostic>> {
    refuse_delays(compiled, span)?;
    if compiled.model.motion == model::Motion::Map {
        return Err(vec![
            Diagnostic::new(Code::NotForMaps, "`stability over` a table is about flows")
                .at(span, "this model is a map")
                .help("`stability` judges the fixed points of a map"),
        ]);
    }
    if let Some(constraint) = compiled.model.constraints.first() {
        return Err(vec![
            Diagnostic::new(
                Code::NotPerformed,
                "this version of Lotka makes equations with constraints linear at states of rest only",
            )
            .at(span, "")
            .at(constraint.span, "rows of a table need not fulfil it")
            .help("`stability` judges where they rest"),
        ]);
    }
    if let Some(moved) = rest::moved(compiled) {
        let message = format!(
            "the linear part of `{}` at a row depends on {}",
            moved.state, moved.by
        );
        return Err(vec![
            Diagnostic::new(Code::NoSteadyState, message)
                .at(moved.place, format!("{} comes in here", moved.by))
                .at(span, "rows have no time")
                .help("write a number in its place"),
        ]);
    }
    Ok(())
}

/// What can be refused without computing anything, and what there is to warn of.
pub(super) fn check(
    compiled: &Compiled,
    tables: &Tables<'_>,
    overrides: &Overrides,
    asked: &Rows,
    command: &Stability,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    refuse(compiled, command.span)?;
    let never = || false;
    let data = Data::read(compiled, tables, asked, &never)?;
    sentence::elements(compiled, asked)?;
    for at in 0..data.groups.len() {
        values_of_group(
            compiled,
            overrides,
            asked,
            &command.setting,
            &data,
            Some(at),
        )?;
    }
    AtRest::new(compiled, overrides, &command.setting, None, command.span)?;
    Ok(data.doubts)
}

/// The values that hold for a group, and whether they are those of a condition of its name.
fn values_of_group(
    compiled: &Compiled,
    overrides: &Overrides,
    asked: &Rows,
    setting: &Setting,
    data: &Data,
    group: Option<usize>,
) -> Result<(values::Present, bool), Vec<Diagnostic>> {
    let name = group.and_then(|at| data.groups.get(at));
    let own =
        name.filter(|name| setting.condition.is_none() && compiled.model.condition(name).is_some());
    let setting = match (own, &asked.by) {
        (Some(name), Some(by)) => &Setting {
            with: setting.with.clone(),
            condition: Some(tree::Name {
                text: name.clone(),
                span: by.span,
            }),
        },
        _ => setting,
    };
    let overrides = simulate::with_setting(compiled, overrides, setting)?;
    let present = compiled.present(&overrides);
    values::check_finite(compiled, &present)?;
    Ok((present, own.is_some()))
}

impl Session {
    pub(super) fn stability_over_rows(
        &mut self,
        asked: &Rows,
        command: &Stability,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let world = Arc::clone(&self.world);
        let tables = Tables::new(&*world, self.data_folder());
        let (answer, diagnostics) =
            answered(&compiled, &tables, &self.overrides, asked, command, &*world)?;
        let answer = Arc::new(answer);
        self.rows = Some(Arc::clone(&answer));
        let (mut made, mut json) = (None, None);
        match &asked.to {
            Some(to) if sentence::is_json(to) => json = Some(PathBuf::from(&to.text)),
            Some(to) => {
                let written = tables::rows(&answer);
                made = Some(self.write_rows(&written, to)?);
            }
            None => {}
        }
        Ok(Performed {
            outcome: Outcome::Rows { answer, made, json },
            diagnostics,
        })
    }

    fn write_rows(
        &self,
        written: &tables::Written,
        to: &tree::Text,
    ) -> Result<Made, Vec<Diagnostic>> {
        Ok(Made::Table {
            path: self.write_file(to, &written.text)?,
            rows: written.rows,
            columns: written.columns,
        })
    }
}

/// There are no linear parts at rows yet.
pub(in crate::session) fn nothing_yet(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::NothingYet,
        "no table of states has been looked at before this",
    )
    .at(span, "")
    .help("as in `stability over \"cells.h5ad\" layer \"Ms\" by cell_type`")
}

fn answered(
    compiled: &Arc<Compiled>,
    tables: &Tables<'_>,
    overrides: &Overrides,
    asked: &Rows,
    command: &Stability,
    world: &dyn World,
) -> Result<(RowsAnswer, Vec<Diagnostic>), Vec<Diagnostic>> {
    let span = command.span;
    refuse(compiled, span)?;
    let interrupted = || world.interrupted();
    let data = Data::read(compiled, tables, asked, &interrupted)?;
    let wished = sentence::elements(compiled, asked)?;
    let at_rest = AtRest::new(compiled, overrides, &command.setting, None, span)?;
    debug_assert_eq!(at_rest.motion(), Motion::Flow);
    let equations = Equations {
        system: at_rest.system(),
        kernels: at_rest.kernels(),
        time: at_rest.time(),
    };
    let places: Vec<(usize, usize)> = (wished.elements.iter())
        .map(|element| (element.row, element.column))
        .collect();
    let wanted = Wanted {
        spectrum: wished.spectrum.then_some(Keep::Counts),
        elements: &places,
        threads: world.threads(),
        interrupted: &interrupted,
    };
    let stopped = |done: usize| {
        let message = format!(
            "stopped by the user after {done} of {} {}s",
            data.rows(),
            data.what()
        );
        Diagnostic::new(Code::Interrupted, message).at(span, "")
    };
    let recognised = route::recognise(equations);
    let (mut conditions, mut batches) = (vec![false; data.groups.len()], Vec::new());
    for (group, rows) in batches_of(compiled, command, &data) {
        let (present, own) =
            values_of_group(compiled, overrides, asked, &command.setting, &data, group)?;
        if let Some(flag) = group.and_then(|at| conditions.get_mut(at)) {
            *flag = own;
        }
        let batch = recognised.batch(equations, &data.numbers, rows, &present, wanted);
        batches.push(batch.map_err(|failed| match failed {
            Failed::Interrupted => vec![stopped(0)],
            Failed::TooLarge => vec![
                Diagnostic::new(Code::NotPerformed, "the model has too many states").at(span, ""),
            ],
        })?);
    }
    let mut found: Vec<Option<Result<Linear, Unfound>>> = vec![None; data.rows()];
    let mut diagnostics: Vec<Diagnostic> =
        rest::noise_left_out(compiled, span).into_iter().collect();
    diagnostics.extend(data.doubts.iter().cloned());
    for batch in &batches {
        let ended = batch.linear_parts(equations.time, &data.numbers, wanted, |row, linear| {
            if let Some(place) = found.get_mut(row) {
                *place = Some(linear);
            }
        });
        if ended == Ended::Interrupted {
            diagnostics.push(stopped(found.iter().flatten().count()));
            break;
        }
    }
    let told = told(&batches, recognised.way());
    let answer = RowsAnswer {
        compiled: Arc::clone(compiled),
        conditions,
        condition: command
            .setting
            .condition
            .as_ref()
            .map(|name| name.text.clone()),
        elements: wished.elements,
        spectrum: wished.spectrum,
        time: equations.time,
        setting: span,
        data,
        found,
        told,
        batches,
    };
    Ok((answer, diagnostics))
}

/// Rows that have the same values: those of each group with a condition, and all others.
fn batches_of(
    compiled: &Compiled,
    command: &Stability,
    data: &Data,
) -> Vec<(Option<usize>, Vec<usize>)> {
    let by_condition = command.setting.condition.is_none();
    let has_own = |group: &usize| {
        let name = data.groups.get(*group);
        by_condition && name.is_some_and(|name| compiled.model.condition(name).is_some())
    };
    let mut others = Vec::new();
    let mut own: Vec<Vec<usize>> = vec![Vec::new(); data.groups.len()];
    for (row, group) in data.of.iter().enumerate() {
        match group.filter(has_own).and_then(|group| own.get_mut(group)) {
            Some(rows) => rows.push(row),
            None => others.push(row),
        }
    }
    let own = own.into_iter().enumerate();
    let own = own.map(|(group, rows)| (Some(group), rows));
    std::iter::once((None, others))
        .chain(own)
        .filter(|(_, rows)| !rows.is_empty())
        .collect()
}

fn told(batches: &[Batch], way: Way) -> Told {
    let most = |of: &dyn Fn(&Batch) -> usize| batches.iter().map(of).max().unwrap_or(0);
    Told {
        way,
        entries: most(&Batch::entries),
        feedback: most(&|batch| batch.block_sizes().iter().sum()),
        largest: most(&|batch| batch.block_sizes().into_iter().max().unwrap_or(0)),
    }
}

impl RowsAnswer {
    /// Hands all eigenvalues of every row to `take`: they are found once more, since together they
    /// are larger than the data.
    pub(super) fn spectra(
        &self,
        world: &dyn World,
        mut take: impl FnMut(usize, Linear),
    ) -> Result<(), Vec<Diagnostic>> {
        let interrupted = || world.interrupted();
        let wanted = Wanted {
            spectrum: Some(Keep::Spectrum),
            elements: &[],
            threads: world.threads(),
            interrupted: &interrupted,
        };
        for batch in &self.batches {
            let ended = batch.linear_parts(self.time, &self.data.numbers, wanted, |row, found| {
                if let Ok(linear) = found {
                    take(row, linear);
                }
            });
            if ended == Ended::Interrupted {
                return Err(vec![
                    Diagnostic::new(Code::Interrupted, "stopped by the user; nothing was made")
                        .at(self.setting, "of these rows"),
                ]);
            }
        }
        Ok(())
    }
}
