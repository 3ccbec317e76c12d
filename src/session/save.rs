//! `save`: the last run as a table in a file.

use super::command::{Command, Save};
use super::fit::FitTable;
use super::outcome::{Outcome, Performed};
use super::plot::time_label;
use super::stability::RowsTable;
use super::trajectory::Trajectory;
use super::{Ensemble, Session, annotate, ensemble, matrices, reason_to_write};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::DefinitionKind;
use crate::source::Span;
use crate::symbolic::{Expr, Shape};
use crate::syntax::tree;
use crate::table::{self, Cells};
use std::path::{Path, PathBuf};

impl Session {
    pub(super) fn save(&self, save: &Save) -> Result<Performed, Vec<Diagnostic>> {
        if annotate::is_meant(save) {
            return self.save_into_cells(save);
        }
        if let Some(table) = FitTable::asked(&self.need_model()?.compiled, save) {
            return self.save_of_fit(table, save);
        }
        if let Some(matrix) = self.saved_matrix(save) {
            return self.save_matrix(matrix, save);
        }
        if let Some(table) = RowsTable::asked(&self.need_model()?.compiled, save) {
            return self.save_of_rows(table, save);
        }
        let has_run = self.ensemble.is_some() || self.last.is_some() || !self.by_subject.is_empty();
        if self.rows.is_some() && !has_run && save.columns.is_empty() {
            return self.save_of_rows(RowsTable::Spectra, save);
        }
        if let Some(ensemble) = &self.ensemble {
            return self.save_paths(ensemble, save);
        }
        matrices::known(&self.need_model()?.compiled, &save.columns)?;
        let runs = self.need_runs()?;
        let (mut headers, mut numbers) = (Vec::new(), Vec::new());
        let mut subjects = Vec::new();
        for run in runs {
            let (names, columns) = columns(run, save)?;
            if headers.is_empty() {
                (headers, numbers) = (names, columns);
            } else {
                for (above, below) in numbers.iter_mut().zip(columns) {
                    above.extend(below);
                }
            }
            let subject = run.subject.clone().unwrap_or_default();
            subjects.extend(std::iter::repeat_n(subject, run.times().len()));
        }
        let mut cells: Vec<Cells<'_>> = Vec::with_capacity(numbers.len() + 1);
        // A single run needs no column that says whose it is.
        if runs.len() > 1 {
            headers.insert(0, "subject".to_owned());
            cells.push(Cells::Text(&subjects));
        }
        cells.extend(numbers.iter().map(|column| Cells::Numbers(column)));
        self.write_cells_to(&save.path, &headers, &cells, subjects.len())
    }

    /// What many paths have in common, a row for each output time.
    fn save_paths(&self, ensemble: &Ensemble, save: &Save) -> Result<Performed, Vec<Diagnostic>> {
        let labels: Vec<(String, Span)> = (save.columns.iter())
            .map(|expr| Ok((ensemble.compiled.observable(expr)?.label, expr.span)))
            .collect::<Result<_, Vec<Diagnostic>>>()?;
        let named = labels.iter().map(|(label, span)| (label.as_str(), *span));
        let shown = ensemble.columns(named)?;
        let time = time_label(ensemble.compiled.model.motion);
        let (headers, columns) = ensemble::columns_of_file(ensemble, &shown, time);
        let cells: Vec<Cells<'_>> = columns
            .iter()
            .map(|column| Cells::Numbers(column))
            .collect();
        self.write_cells_to(&save.path, &headers, &cells, ensemble.times.len())
    }

    /// Writes a table, and its stamp beside it: a table has no place for one that every program
    /// would leave out.
    ///
    /// # Errors
    /// A file that was there before; what the file system says.
    pub(super) fn write_file(
        &self,
        to: &tree::Text,
        content: &str,
    ) -> Result<PathBuf, Vec<Diagnostic>> {
        let path = PathBuf::from(&to.text);
        let failed =
            |path: &Path, error: &std::io::Error| vec![cannot_write(path, error).at(to.span, "")];
        let written = self.world.write(&path, content.as_bytes());
        written.map_err(|error| failed(&path, &error))?;
        self.write_stamp(to)?;
        Ok(path)
    }

    /// Writes the stamp of a file beside it.
    ///
    /// # Errors
    /// What the file system says.
    pub(super) fn write_stamp(&self, to: &tree::Text) -> Result<(), Vec<Diagnostic>> {
        let failed =
            |path: &Path, error: &std::io::Error| vec![cannot_write(path, error).at(to.span, "")];
        let beside = PathBuf::from(format!("{}.stamp.json", to.text));
        let stamp = serde_json::to_string_pretty(&self.stamp()).unwrap_or_default() + "\n";
        let written = self.world.replace(&beside, stamp.as_bytes());
        written.map_err(|error| failed(&beside, &error))
    }

    /// Why the answer of a command cannot be written where it says, seen before it is worked out.
    #[must_use]
    pub fn taken(&self, command: &Command) -> Option<Diagnostic> {
        let to = command.output()?;
        let path = Path::new(&to.text);
        let error = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        (self.world.is_taken(path)).then(|| cannot_write(path, &error).at(to.span, ""))
    }

    /// Writes a table of so many rows.
    pub(super) fn write_cells_to(
        &self,
        to: &tree::Text,
        headers: &[String],
        cells: &[Cells<'_>],
        rows: usize,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let path = self.write_file(to, &table::write_cells(headers, cells))?;
        Ok(Performed {
            outcome: Outcome::Saved {
                path,
                rows,
                columns: headers.len(),
            },
            diagnostics: Vec::new(),
        })
    }
}

/// What kept a file from being written.
#[must_use]
pub fn cannot_write(path: &Path, error: &std::io::Error) -> Diagnostic {
    let reason = reason_to_write(error);
    let message = format!("cannot write {}: {reason}", path.display());
    let problem = Diagnostic::new(Code::CannotWrite, message);
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            problem.help("take another name, or start lotka with `--force` to overwrite files")
        }
        _ => problem,
    }
}

type Columns = (Vec<String>, Vec<Vec<f64>>);

/// Time first, then what is asked for, else all states and all `let` and flux definitions.
fn columns(run: &Trajectory, save: &Save) -> Result<Columns, Vec<Diagnostic>> {
    let mut headers = vec![time_label(run.compiled.model.motion).to_owned()];
    let mut columns = vec![run.times().to_vec()];
    if !save.columns.is_empty() {
        for expr in &save.columns {
            let observable = run.compiled.observable(expr)?;
            add_headers(run, &observable.label, observable.shape, &mut headers);
            columns.extend(by_column(
                &run.evaluate(&observable),
                observable.shape.len(),
            ));
        }
        return Ok((headers, columns));
    }
    let dimension = run.solution.dimension;
    headers.extend(run.compiled.state_names());
    columns.extend(by_column(&run.solution.states, dimension));
    let system = &run.compiled.system;
    let definitions: Vec<(&str, Expr)> = run
        .compiled
        .model
        .definitions
        .iter()
        .filter(|definition| {
            !matches!(
                definition.kind,
                DefinitionKind::Derivative | DefinitionKind::Next
            )
        })
        .filter_map(|definition| {
            let expr = system.definitions.get(&definition.symbol)?;
            Some((definition.name.as_str(), *expr))
        })
        .collect();
    let exprs: Vec<Expr> = definitions.iter().map(|(_, expr)| *expr).collect();
    let numbers = run.evaluate_all(&system.pool, &exprs);
    let width = exprs
        .iter()
        .map(|expr| system.pool.shape(*expr).len())
        .sum();
    for (name, expr) in &definitions {
        add_headers(run, name, system.pool.shape(*expr), &mut headers);
    }
    columns.extend(by_column(&numbers, width));
    Ok((headers, columns))
}

fn add_headers(run: &Trajectory, name: &str, shape: Shape, headers: &mut Vec<String>) {
    let model = &run.compiled.model;
    let indices = model.names.indices(name);
    for element in 0..shape.len() {
        headers.push(if shape == Shape::Scalar {
            name.to_owned()
        } else if indices.is_empty() {
            format!("{name}[{}]", element + 1)
        } else {
            model.element_name(name, indices, element)
        });
    }
}

/// Rows of `width` numbers as columns.
fn by_column(numbers: &[f64], width: usize) -> impl Iterator<Item = Vec<f64>> + '_ {
    (0..width).map(move |at| numbers.iter().skip(at).step_by(width).copied().collect())
}
