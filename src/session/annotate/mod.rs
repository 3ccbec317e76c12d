//! `save A, b to "out.h5ad"`: results in a copy of the file of cells that they come from.
//!
//! ```text
//! velocity       layers["velocity"]        cells by genes
//! lines          var["gamma"], ...         slopes and what goes with them, for each gene
//! spectra        obs["leading"], ...       for each cell
//! b[gene]        var["b"]
//! A[gene, gene]  varp["A"]
//! B[gene, kind]  varm["B"]                 a table with the labels of the other set
//! ```
//!
//! Enters: names of results. Leaves: a copy of the file with all of them, at once or not at all; a
//! copy that this session has written grows. Must not know how results are found.

mod placed;

use super::cells::{CellFile, is_anndata};
use super::command::Save;
use super::compiled::Compiled;
use super::fit::{self, FitTable, GeneFit};
use super::outcome::{Outcome, Performed};
use super::save::cannot_write;
use super::stability::{self, RowsTable};
use super::tables::{Original, Tables};
use super::{Session, done, matrices};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree;
use crate::table::h5ad::{self, Frame, H5ad, H5adError, Taken};
use placed::{Placed, of_array, of_lines, of_rows, of_velocity};
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A result that has a place in a file of cells, where it is named.
#[derive(Clone, Copy)]
enum Wanted<'s> {
    Velocity,
    Lines,
    Spectra,
    Array(&'s tree::Expr),
}

/// What the sentences before have left, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    /// What is known of a fit.
    pub possible: fit::Possible,
    /// A file of cells has been read by a fit or by `stability over`.
    pub cells: bool,
    /// States of a table have been looked at.
    pub rows: bool,
    /// Something was simulated.
    pub run: bool,
}

/// True of a `save` into a file of cells.
pub(super) fn is_meant(save: &Save) -> bool {
    is_anndata(&save.path.text)
}

/// Refuses what can be refused before anything is worked out.
pub(super) fn check(compiled: &Compiled, save: &Save, left: Left) -> Result<(), Vec<Diagnostic>> {
    for one in wanted(compiled, save, left)? {
        match one {
            Wanted::Velocity | Wanted::Lines => {
                left.possible.has(fit::Need::Lines, save.span)?;
            }
            Wanted::Spectra if !left.rows => return Err(vec![stability::nothing_yet(save.span)]),
            Wanted::Spectra | Wanted::Array(_) => {}
        }
    }
    match left.cells {
        true => Ok(()),
        false => Err(vec![no_cells(save)]),
    }
}

/// The results that a sentence names.
fn wanted<'s>(
    compiled: &Compiled,
    save: &'s Save,
    left: Left,
) -> Result<Vec<Wanted<'s>>, Vec<Diagnostic>> {
    if save.columns.is_empty() {
        return match left.rows && !left.run {
            true => Ok(vec![Wanted::Spectra]),
            false => Err(vec![without_place(save.path.span, "which results?")]),
        };
    }
    let mut problems = Vec::new();
    let mut found = Vec::with_capacity(save.columns.len());
    for column in &save.columns {
        let of_fit = FitTable::of_word(compiled, column);
        let of_rows = RowsTable::of_word(compiled, column);
        match (of_fit, of_rows) {
            (Some(FitTable::Velocity), _) => found.push(Wanted::Velocity),
            (Some(FitTable::Lines), _) => found.push(Wanted::Lines),
            (_, Some(RowsTable::Spectra)) => found.push(Wanted::Spectra),
            (Some(_), _) | (_, Some(_)) => {
                problems.push(without_place(column.span, "this is written as a table"));
            }
            _ if matrices::is_constant_array(compiled, column, 1) => {
                found.push(Wanted::Array(column));
            }
            _ => match compiled.observable(column) {
                Ok(_) => problems.push(without_place(
                    column.span,
                    "this has no index of genes, or belongs to a run",
                )),
                Err(unknown) => problems.extend(unknown),
            },
        }
    }
    match problems.is_empty() {
        true => Ok(found),
        false => Err(problems),
    }
}

impl Session {
    /// A copy of the file of cells with results in it.
    pub(super) fn save_into_cells(&self, save: &Save) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = &self.need_model()?.compiled;
        let left = Left {
            possible: self.possible(),
            // Which file it is tells `source`.
            cells: true,
            rows: self.rows.is_some(),
            run: self.ensemble.is_some() || self.last.is_some() || !self.by_subject.is_empty(),
        };
        check(compiled, save, left)?;
        let wanted = wanted(compiled, save, left)?;
        let one = |problem: Diagnostic| vec![problem];
        let source = self.source(&wanted, save).map_err(one)?;
        let tables = Tables::new(&**self.world(), self.data_folder());
        let file = CellFile::open(&tables, &source).map_err(one)?;
        let mut placed = Vec::new();
        let interrupted = || self.world().interrupted();
        for wanted in &wanted {
            placed.extend(self.placed(wanted, &file, save, &interrupted)?);
        }
        let Some(cells) = file.anndata() else {
            return Err(vec![no_cells(save)]);
        };
        distinct(&placed, save).map_err(one)?;
        if !self.world().overwrites() {
            untaken(cells, &placed, save).map_err(one)?;
        }
        let path = PathBuf::from(&save.path.text);
        let original = match self.grows(&path, cells) {
            true => Original::OnDisk(path.clone()),
            false if self.world().wrote(&path) && !self.world().overwrites() => {
                return Err(vec![of_other_cells(save)]);
            }
            false => tables.original(&source).map_err(one)?,
        };
        self.write_copy(&original, &path, &placed, save)?;
        self.write_stamp(&save.path)?;
        Ok(done(Outcome::Annotated {
            path,
            cells: cells.cells(),
            genes: cells.genes(),
            added: placed.iter().map(Placed::written).collect(),
        }))
    }

    /// The file that results come from: that of the lines or rows that are written, else that of the
    /// last fit, else of the last table of states.
    fn source(&self, wanted: &[Wanted<'_>], save: &Save) -> Result<tree::Text, Diagnostic> {
        let fitted = match &self.genes {
            Some(GeneFit::Lines(lines)) => Some(lines.data.path.clone()),
            Some(GeneFit::AtRest(answer)) => Some(tree::Text {
                text: answer.file.clone(),
                span: answer.span,
            }),
            Some(GeneFit::Factored(answer)) => Some(tree::Text {
                text: answer.file.clone(),
                span: answer.span,
            }),
            None => None,
        };
        let rows = self.rows.as_ref().map(|rows| rows.data.file.clone());
        let mut needed: Option<tree::Text> = None;
        for one in wanted {
            let own = match one {
                Wanted::Velocity | Wanted::Lines => fitted.clone(),
                Wanted::Spectra => rows.clone(),
                Wanted::Array(_) => continue,
            };
            match (&needed, own) {
                (Some(known), Some(own)) if known.text != own.text => {
                    return Err(of_two_files(known, &own, save));
                }
                (None, own) => needed = own,
                _ => {}
            }
        }
        let arrays = [fitted, rows].into_iter().flatten();
        let of_arrays = || {
            let mut arrays = arrays.clone();
            let cells = arrays.find(|file| is_anndata(&file.text));
            cells.or_else(|| arrays.next())
        };
        let source = needed.or_else(of_arrays);
        let source = source.ok_or_else(|| no_cells(save))?;
        match is_anndata(&source.text) {
            true => Ok(source),
            false => Err(of_a_table(&source, save)),
        }
    }

    fn placed<'s>(
        &'s self,
        wanted: &Wanted<'_>,
        file: &CellFile,
        save: &Save,
        interrupted: &'s dyn Fn() -> bool,
    ) -> Result<Vec<Placed<'s>>, Vec<Diagnostic>> {
        let one = |problem: Diagnostic| vec![problem];
        match wanted {
            Wanted::Velocity => {
                let lines = self.need_lines(save.span)?;
                let layer = of_velocity(lines, file, save, interrupted);
                Ok(vec![layer.map_err(one)?])
            }
            Wanted::Lines => of_lines(self.need_lines(save.span)?, file, save).map_err(one),
            Wanted::Spectra => match &self.rows {
                Some(rows) => of_rows(rows, file, save).map_err(one),
                None => Err(vec![stability::nothing_yet(save.span)]),
            },
            Wanted::Array(expr) => {
                let array = self.labelled(expr)?;
                Ok(vec![of_array(&array, file, expr.span).map_err(one)?])
            }
        }
    }

    /// True where the copy is there already, written by this session, with the same cells and genes.
    fn grows(&self, path: &Path, source: &H5ad) -> bool {
        let same = |frame: Frame, other: &H5ad| match (source.index(frame), other.index(frame)) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        };
        let other = || H5ad::open(path).ok();
        let is_alike = |other: H5ad| same(Frame::Obs, &other) && same(Frame::Var, &other);
        self.world().wrote(path) && other().is_some_and(is_alike)
    }

    fn write_copy(
        &self,
        original: &Original,
        path: &Path,
        placed: &[Placed<'_>],
        save: &Save,
    ) -> Result<(), Vec<Diagnostic>> {
        let mut refused = None;
        let written = self.world().write_made(path, &mut |place| {
            match original {
                // The content alone: the copy may be written where the original may only be read.
                Original::OnDisk(source) => {
                    io::copy(&mut File::open(source)?, &mut File::create(place)?).map(|_| ())?;
                }
                Original::InMemory(bytes) => std::fs::write(place, bytes)?,
            }
            let all: Vec<_> = placed.iter().map(Placed::added).collect();
            h5ad::add(place, &all, Taken::Replaced).map_err(|error| {
                refused = Some(not_added(&error, save));
                io::Error::other("nothing was added")
            })
        });
        match (written, refused) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(problem)) => Err(vec![problem]),
            (Err(error), None) => Err(vec![cannot_write(path, &error).at(save.path.span, "")]),
        }
    }
}

/// Refuses names that the file of cells has already.
fn untaken(file: &H5ad, placed: &[Placed<'_>], save: &Save) -> Result<(), Diagnostic> {
    for one in placed {
        let (name, added) = one.added();
        let holds = file.holds(name, &added);
        if holds.map_err(|error| not_added(&error, save))? {
            let path = format!("{}/{name}", added.group());
            return Err(not_added(&H5adError::Name { path: path.clone() }, save).help(format!(
                "the file of cells has {path} already: start lotka with `--force` to replace it in what is written, or write a table, as in `save ... to \"out.csv\"`"
            )));
        }
    }
    Ok(())
}

/// Two results with one name would be one.
fn distinct(placed: &[Placed<'_>], save: &Save) -> Result<(), Diagnostic> {
    let mut seen = BTreeSet::new();
    let twice = placed.iter().map(Placed::written);
    match twice.into_iter().find(|name| !seen.insert(name.clone())) {
        None => Ok(()),
        Some(name) => {
            let message = format!("two of these results would both be {name}");
            Err(Diagnostic::new(Code::CannotWrite, message)
                .at(save.path.span, "nothing was written")
                .help("save them to two files, or leave one out"))
        }
    }
}

/// What this session has written there is of other cells.
fn of_other_cells(save: &Save) -> Diagnostic {
    let message = "this file was written before with results for other cells or genes";
    Diagnostic::new(Code::CannotWrite, message)
        .at(save.path.span, "nothing was written")
        .help("give another name, or start lotka with `--force` to replace it")
}

fn not_added(error: &H5adError, save: &Save) -> Diagnostic {
    if *error == H5adError::Interrupted {
        return Diagnostic::new(Code::Interrupted, "the results were not written to the end")
            .at(save.path.span, "nothing was written");
    }
    let message = format!("the results cannot be added: {error}");
    Diagnostic::new(Code::CannotWrite, message).at(save.path.span, "nothing was written")
}

/// Something that a file of cells has no place for.
fn without_place(span: Span, why: &str) -> Diagnostic {
    let message = "a file of cells takes what is known of cells or genes";
    Diagnostic::new(Code::CannotWrite, message)
        .at(span, why)
        .help("`velocity`, `lines`, `spectra`, and vectors and matrices over genes, as in `save A, b to \"out.h5ad\"`; all else is written as a table, as in `save \"out.csv\"`")
}

/// No file of cells has been read.
fn no_cells(save: &Save) -> Diagnostic {
    Diagnostic::new(Code::CannotWrite, "no file of cells has been read before this")
        .at(save.path.span, "a copy of what?")
        .help("a fit to an .h5ad file, or `stability over` one, comes first; a table needs neither, as in `save A to \"A.csv\"`")
}

/// The results come from a table of text.
fn of_a_table(source: &tree::Text, save: &Save) -> Diagnostic {
    let message = "results about a table are written as a table";
    Diagnostic::new(Code::CannotWrite, message)
        .at(save.path.span, "a copy of what?")
        .at(source.span, "the numbers came from here")
        .help("as in `save ... to \"out.csv\"`")
}

/// Two results that come from different files.
fn of_two_files(one: &tree::Text, other: &tree::Text, save: &Save) -> Diagnostic {
    let message = format!("these come from two files, {} and {}", one.text, other.text);
    Diagnostic::new(Code::CannotWrite, message)
        .at(save.path.span, "a copy of which?")
        .at(one.span, "one")
        .at(other.span, "the other")
        .help("write two files, with a `save` for each")
}

/// The file is another one than it was when the results were found.
fn changed(source: Span, save: &Save, what: &str) -> Diagnostic {
    let message = format!("the file of cells is not what it was when {what}");
    Diagnostic::new(Code::BadAnnData, message)
        .at(source, "this file")
        .at(save.span, "")
        .help("do that once more")
}
