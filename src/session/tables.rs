//! The data tables that a model or a sentence names, and their columns by the names of here.
//!
//! Enters: a path as written, columns as mapped. Leaves: tables, each read once, and columns, or
//! problems that point at the text that asked for them. Must not know what a table means.

use super::memory::{Contents, Memory};
use super::reason;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::model::{ColumnUnit, Names, compare_column};
use crate::source::Span;
use crate::syntax::tree;
use crate::table::h5ad::{H5ad, H5adError};
use crate::table::{self, Column, Table};
use crate::world::{FileState, World};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Tables beside a model file, each read once.
pub(super) struct Tables<'w> {
    world: &'w dyn World,
    folder: PathBuf,
    known: RefCell<FxHashMap<PathBuf, Arc<Table>>>,
    memory: Option<&'w Memory>,
}

/// The contents of a file.
pub(super) enum Original {
    /// To be read in parts.
    OnDisk(PathBuf),
    /// As they are.
    InMemory(Vec<u8>),
}

impl<'w> Tables<'w> {
    /// Files are looked for in `folder`.
    pub fn new(world: &'w dyn World, folder: PathBuf) -> Tables<'w> {
        Tables {
            world,
            folder,
            known: RefCell::default(),
            memory: None,
        }
    }

    /// The same; files that are as they were are taken from a memory.
    pub fn remembering(self, memory: Option<&'w Memory>) -> Tables<'w> {
        Tables { memory, ..self }
    }

    /// The world that the files are in.
    pub fn world(&self) -> &'w dyn World {
        self.world
    }

    /// Where the file is that a text names.
    pub fn path(&self, file: &tree::Text) -> PathBuf {
        self.folder.join(&file.text)
    }

    /// The contents of the file that a text names.
    ///
    /// # Errors
    /// A file that cannot be read; the problem points at the text.
    pub fn bytes(&self, file: &tree::Text) -> Result<Vec<u8>, Diagnostic> {
        let found = self.world.read(&self.path(file));
        found.map_err(|error| self.unread(file, &error))
    }

    /// The AnnData file that a text names; of one on a disk only what is asked for is read.
    ///
    /// # Errors
    /// A file that cannot be read; the problem points at the text. What is wrong with the contents is
    /// the caller's to tell.
    pub fn anndata(&self, file: &tree::Text) -> Result<Result<Arc<H5ad>, H5adError>, Diagnostic> {
        let path = self.path(file);
        let before = self.remembered(&path);
        if let Some((_, _, Some(Contents::AnnData(known)))) = before {
            return Ok(Ok(known));
        }
        let opened = match self.original(file)? {
            Original::OnDisk(place) => H5ad::open(&place),
            Original::InMemory(bytes) => H5ad::of_bytes(bytes),
        };
        Ok(opened.map(|opened| {
            let Some((memory, state, _)) = before else {
                return Arc::new(opened);
            };
            let opened = Arc::new(opened.remembering());
            memory.keep(path, state, Contents::AnnData(Arc::clone(&opened)));
            opened
        }))
    }

    /// Where the contents of a file are kept, the state that the file is in, and the contents if they
    /// were read in that state. A change while the file is read leaves another state behind, and so
    /// is seen the next time.
    fn remembered(&self, path: &Path) -> Option<(&'w Memory, FileState, Option<Contents>)> {
        let memory = self.memory?;
        let state = self.world.state(path)?;
        Some((memory, state, memory.recall(path, &state)))
    }

    /// Where the contents of a file are that may be large.
    ///
    /// # Errors
    /// A file that cannot be read; the problem points at the text.
    pub fn original(&self, file: &tree::Text) -> Result<Original, Diagnostic> {
        let place = self.world.on_disk(&self.path(file));
        let place = place.map_err(|error| self.unread(file, &error))?;
        Ok(match place {
            Some(place) => Original::OnDisk(place),
            None => Original::InMemory(self.bytes(file)?),
        })
    }

    fn unread(&self, file: &tree::Text, error: &io::Error) -> Diagnostic {
        let path = self.path(file);
        let message = format!("cannot read {}: {}", path.display(), reason(error));
        Diagnostic::new(Code::CannotRead, message)
            .at(file.span, "")
            .help("data files are looked for beside the model file")
    }

    /// The table in the file that a text names.
    ///
    /// # Errors
    /// A file that cannot be read, or that holds no table; the problem points at the text.
    pub fn read(&self, file: &tree::Text) -> Result<Arc<Table>, Diagnostic> {
        let path = self.path(file);
        if let Some(table) = self.known.borrow().get(&path) {
            return Ok(Arc::clone(table));
        }
        let before = self.remembered(&path);
        let table = match before {
            Some((_, _, Some(Contents::Table(known)))) => known,
            _ => {
                let name = path.display().to_string();
                let bytes = self.bytes(file)?;
                let table = table::read(&name, &bytes)
                    .map_err(|error| error.diagnostic(&name).at(file.span, ""))?;
                let table = Arc::new(table);
                if let Some((memory, state, _)) = before {
                    memory.keep(path.clone(), state, Contents::Table(Arc::clone(&table)));
                }
                table
            }
        };
        self.known.borrow_mut().insert(path, Arc::clone(&table));
        Ok(table)
    }
}

/// The columns of one table as a statement maps them: `(TIME = hour)`, name here, column there.
pub(super) struct Columns<'t> {
    pub table: &'t Table,
    mapped: &'t [(tree::Name, tree::Name)],
    /// The file as the statement names it.
    pub file: Span,
}

impl<'t> Columns<'t> {
    /// The columns of a table that the text at `file` names.
    pub fn new(table: &'t Table, mapped: &'t [(tree::Name, tree::Name)], file: Span) -> Self {
        Columns {
            table,
            mapped,
            file,
        }
    }

    /// A problem for each mapping to a column that the table does not have.
    pub fn check(&self) -> Vec<Diagnostic> {
        let missing = self
            .mapped
            .iter()
            .filter(|(_, there)| self.table.column(&there.text).is_none());
        missing
            .map(|(_, there)| {
                let near = did_you_mean(&there.text, self.names());
                let message = format!("the table has no column `{}`", there.text);
                Diagnostic::new(Code::NoColumn, message)
                    .at(there.span, "not in the table")
                    .help(near.unwrap_or_else(|| self.has()))
            })
            .collect()
    }

    /// The column that goes by a name here: the mapped one, else the one with that name; letters
    /// count alike in both cases when `any_case` says so. Elements of a vector follow its mapping:
    /// `u = Mu` also means `u[g1] = Mu[g1]`.
    pub fn find(&self, name: &str, any_case: bool) -> Option<&'t Column> {
        let same = |other: &str| {
            if any_case {
                other.eq_ignore_ascii_case(name)
            } else {
                other == name
            }
        };
        match self.mapped.iter().find(|(here, _)| same(&here.text)) {
            Some((_, there)) => self.table.column(&there.text),
            None => match self.element_mapped(name) {
                Some(there) => self.table.column(&there),
                None => self.table.columns.iter().find(|column| same(&column.name)),
            },
        }
    }

    /// `Mu[g1]` for `u[g1]` where `u` is mapped to `Mu`.
    fn element_mapped(&self, name: &str) -> Option<String> {
        let (vector, rest) = name.split_at(name.find('[')?);
        let mut mapped = self.mapped.iter();
        let (_, there) = mapped.find(|(here, _)| here.text == vector)?;
        Some(format!("{}{rest}", there.text))
    }

    /// True of `Mu` where the table has columns such as `Mu[g1]`.
    pub fn has_elements(&self, vector: &str) -> bool {
        let mut names = self.names();
        names.any(|name| is_element(name, vector))
    }

    /// All mappings: name here, column there.
    pub fn mappings(&self) -> &'t [(tree::Name, tree::Name)] {
        self.mapped
    }

    /// What a name here is mapped to.
    pub fn mapped(&self, name: &str) -> Option<Cow<'t, str>> {
        let mut mapped = self.mapped.iter();
        let own = mapped.find(|(here, _)| here.text == name);
        own.map(|(_, there)| Cow::Borrowed(there.text.as_str()))
            .or_else(|| self.element_mapped(name).map(Cow::Owned))
    }

    /// True when a name is mapped, rightly or wrongly.
    pub fn maps(&self, names: &[&str]) -> bool {
        self.mapped
            .iter()
            .any(|(here, _)| names.contains(&here.text.as_str()))
    }

    /// `it has `a` and `b``
    pub fn has(&self) -> String {
        let names: Vec<String> = self.names().map(|name| format!("`{name}`")).collect();
        format!("it has {}", listed(&names))
    }

    /// The names of the columns that have one.
    pub fn names(&self) -> impl Iterator<Item = &'t str> {
        self.table
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .filter(|name| !name.is_empty())
    }

    /// What is wrong with a column's unit, which is not that of what it is read for: an error with the
    /// factor between them, or a warning when the header is not understood.
    pub fn other_unit(
        &self,
        column: &Column,
        names: &Names,
        unit: Option<String>,
        what: &str,
    ) -> Option<Diagnostic> {
        let there = column.unit.as_ref()?;
        let here = unit?;
        let (code, help) = match compare_column(names, there, &here) {
            ColumnUnit::Same => return None,
            ColumnUnit::Factor(fact, action) => (
                Code::ColumnUnit,
                format!("{fact}: take the column and {action}, with [{here}] in its header"),
            ),
            ColumnUnit::Other => (
                Code::ColumnUnit,
                "they do not measure the same: is it the right column?".to_owned(),
            ),
            ColumnUnit::Unreadable => (
                Code::OtherUnit,
                "this unit is not known here, and numbers are taken as they stand: convert them, or write the same unit"
                    .to_owned(),
            ),
        };
        let message = format!(
            "the column `{}` is in [{there}], {what} in [{here}]",
            column.name
        );
        Some(
            Diagnostic::new(code, message)
                .at(self.file, "of this table")
                .help(help),
        )
    }
}

/// True of `u[g1]` as an element of `u`.
pub(super) fn is_element(name: &str, vector: &str) -> bool {
    name.strip_prefix(vector)
        .is_some_and(|rest| rest.starts_with('[') && rest.ends_with(']'))
}
