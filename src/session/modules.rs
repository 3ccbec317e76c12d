//! The files that a model uses.
//!
//! Enters: the tree of a text with its `use`s, and where the text stands. Leaves: one tree of all
//! declarations together, and what is wrong with the files and their `use`s. Must not know names.
//!
//! Every `use` reads its file as a text of its own, so that each place in an instance differs from
//! the same place in another.

use super::check::{Checked, check_whole};
use super::tables::Tables;
use super::{Session, from_files};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Assembly, Import};
use crate::source::{SourceId, SourceMap};
use crate::syntax;
use crate::syntax::tree::{Binding, File, Name, Statement, StatementKind, Text};
use crate::world::World;
use rustc_hash::FxHashSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Files that one model may use, each time counted.
const MOST_FILES: usize = 10_000;

/// A text with all that it uses.
pub(super) struct Whole {
    /// The text itself holds no statements.
    pub is_empty: bool,
    /// Faults of syntax of the text itself.
    pub faults: Vec<Diagnostic>,
    /// All declarations together, then the sentences of the text itself, in their order.
    pub file: File,
    /// What is wrong with used files and with `use`s.
    pub diagnostics: Vec<Diagnostic>,
}

impl Session {
    fn parsed(&self, source: SourceId) -> syntax::Parsed {
        let text = self.text_of(source);
        match &self.memory {
            None => syntax::parse_file(source, &text),
            Some(memory) => {
                memory.of_statements(|known| syntax::parse_file_again(source, &text, known))
            }
        }
    }

    /// Reads what a text uses; its files stand beside it.
    pub(super) fn whole(&mut self, source: SourceId) -> Whole {
        let known = self.sources.get(source);
        let path = known.map(|known| plain(Path::new(&known.name)));
        let folder = known.and_then(|known| Path::new(&known.name).parent().map(Path::to_owned));
        let own = self.parsed(source);
        let place = Place {
            folder: folder.unwrap_or_default(),
            path,
        };
        let is_empty = own.file.statements.is_empty();
        let (file, diagnostics) = self.with_used(own.file.statements, &place, &[], source);
        Whole {
            is_empty,
            faults: own.diagnostics,
            file,
            diagnostics,
        }
    }

    /// Checks a text with all that it uses.
    pub(super) fn checked(&mut self, source: SourceId) -> (Checked, Whole) {
        let whole = self.whole(source);
        let mut checked = check_whole(source, &self.text_of(source), &whole);
        self.say_once(&mut checked.diagnostics);
        (checked, whole)
    }

    /// Statements typed at the prompt with all that they use, in a model of `known` statements.
    ///
    /// # Errors
    /// All that is wrong with the files and the `use`s.
    pub(super) fn typed_with_used(
        &mut self,
        statements: &[Statement],
        known: &[Statement],
        root: SourceId,
    ) -> Result<Vec<Statement>, Vec<Diagnostic>> {
        let uses = |one: &Statement| matches!(one.kind, StatementKind::Use { .. });
        if !statements.iter().any(uses) {
            return Ok(statements.to_vec());
        }
        let place = Place {
            folder: self.data_folder(),
            path: None,
        };
        let (file, mut problems) = self.with_used(statements.to_vec(), &place, known, root);
        self.say_once(&mut problems);
        if problems.is_empty() {
            Ok(file.statements)
        } else {
            Err(problems)
        }
    }

    fn with_used(
        &mut self,
        statements: Vec<Statement>,
        place: &Place,
        known: &[Statement],
        root: SourceId,
    ) -> (File, Vec<Diagnostic>) {
        let mut gatherer = Gatherer {
            session: self,
            open: place.path.iter().cloned().collect(),
            count: 0,
            unread: FxHashSet::default(),
            diagnostics: Vec::new(),
        };
        let mut assembly = Assembly::default();
        gatherer.gather(
            statements,
            &place.folder,
            &mut FxHashSet::default(),
            &mut assembly,
        );
        let mut diagnostics = gatherer.diagnostics;
        let (file, more) = assembly.settle(known, root);
        diagnostics.extend(more);
        (file, diagnostics)
    }

    /// Two instances of one file have its faults in common: they are told once.
    fn say_once(&self, problems: &mut Vec<Diagnostic>) {
        let mut said = FxHashSet::default();
        problems.retain(|problem| {
            let Some(label) = problem.labels.first() else {
                return true;
            };
            let name = self.sources.get(label.span.source).map(|known| &known.name);
            said.insert((problem.code, name, label.span.start, label.span.end))
        });
    }
}

/// Where statements stand.
struct Place {
    folder: PathBuf,
    /// Their file, when there is one.
    path: Option<PathBuf>,
}

/// The path without detours: `a/../b.lotka` is `b.lotka`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// Follows `use`s from file to file.
struct Gatherer<'s> {
    session: &'s mut Session,
    /// The files whose `use`s are being followed, outermost first.
    open: Vec<PathBuf>,
    /// Files read so far.
    count: usize,
    /// Files with faults of syntax, which have been reported.
    unread: FxHashSet<PathBuf>,
    diagnostics: Vec<Diagnostic>,
}

impl Gatherer<'_> {
    /// Adds statements to an assembly. `present` are the files whose names are there without a prefix.
    fn gather(
        &mut self,
        mut statements: Vec<Statement>,
        folder: &Path,
        present: &mut FxHashSet<PathBuf>,
        assembly: &mut Assembly,
    ) {
        let tables = Tables::new(&*self.session.world, folder.to_owned())
            .remembering(self.session.memory.as_deref());
        self.diagnostics
            .extend(from_files::read_in(&tables, &mut statements));
        let mut instances: Vec<Name> = Vec::new();
        for statement in statements {
            let StatementKind::Use {
                instance,
                path,
                bindings,
            } = &statement.kind
            else {
                assembly.push(statement);
                continue;
            };
            if let Some(name) = instance {
                if let Some(earlier) = instances.iter().find(|known| known.text == name.text) {
                    self.diagnostics.push(second_instance(name, earlier));
                    continue;
                }
                instances.push(name.clone());
            }
            let written = Written {
                instance: instance.as_ref(),
                path,
                bindings,
            };
            match self.used(&written, folder, present) {
                Ok(Some(used)) => {
                    let import = Import {
                        instance: written.instance,
                        path,
                        bindings,
                        folder: Path::new(&path.text).parent().unwrap_or(Path::new("")),
                    };
                    self.diagnostics.extend(assembly.import(used, &import));
                }
                // It is there already.
                Ok(None) => {}
                Err(problems) => {
                    self.diagnostics.extend(problems);
                    // Its names are not to be reported as unknown.
                    assembly.push(statement);
                }
            }
        }
    }

    /// A used file with all that it uses itself; nothing when its names are there already.
    fn used(
        &mut self,
        written: &Written<'_>,
        folder: &Path,
        present: &mut FxHashSet<PathBuf>,
    ) -> Result<Option<Assembly>, Vec<Diagnostic>> {
        let path = plain(&folder.join(&written.path.text));
        if let Some(from) = self.open.iter().position(|open| *open == path) {
            return Err(vec![circle(
                self.open.get(from..).unwrap_or(&[]),
                written.path,
            )]);
        }
        if written.instance.is_none() && !present.insert(path.clone()) {
            return match written.bindings.first() {
                None => Ok(None),
                Some(binding) => Err(vec![used_already(written.path, binding)]),
            };
        }
        if self.unread.contains(&path) {
            return Err(Vec::new());
        }
        self.count += 1;
        if self.count > MOST_FILES {
            return Err(vec![too_many(written.path)]);
        }
        let source = self.session.read(&path).map_err(|problem| {
            let label = "used here";
            vec![problem.at(written.path.span, label)]
        })?;
        let parsed = self.session.parsed(source);
        if !parsed.diagnostics.is_empty() {
            self.unread.insert(path);
            return Err(parsed.diagnostics);
        }
        let inner = path.parent().map(Path::to_owned).unwrap_or_default();
        let mut assembly = Assembly::default();
        self.open.push(path);
        if written.instance.is_some() {
            let mut own = FxHashSet::default();
            self.gather(parsed.file.statements, &inner, &mut own, &mut assembly);
        } else {
            self.gather(parsed.file.statements, &inner, present, &mut assembly);
        }
        self.open.pop();
        Ok(Some(assembly))
    }
}

/// A `use` as written.
struct Written<'t> {
    instance: Option<&'t Name>,
    path: &'t Text,
    bindings: &'t [Binding],
}

fn second_instance(name: &Name, earlier: &Name) -> Diagnostic {
    let message = format!("`{}` is the name of two instances", name.text);
    Diagnostic::new(Code::Duplicate, message)
        .at(name.span, "again here")
        .at(earlier.span, "the first one")
        .help("give one of them another name")
}

fn circle(open: &[PathBuf], path: &Text) -> Diagnostic {
    let mut files: Vec<String> = open.iter().map(|file| file.display().to_string()).collect();
    let message = match files.as_slice() {
        [only] => format!("{only} uses itself"),
        _ => {
            files.extend(files.first().cloned());
            format!("files use each other: {}", files.join(" uses "))
        }
    };
    Diagnostic::new(Code::Cycle, message)
        .at(path.span, "this closes the circle")
        .help("move what both need into a file of its own, and use that in both")
}

fn used_already(path: &Text, binding: &Binding) -> Diagnostic {
    let message = format!("{} is used already, without these values", path.text);
    Diagnostic::new(Code::Duplicate, message)
        .at(binding.name.span, "set here")
        .help(format!(
            "set values where it is used first, or make an instance of it: `a: use \"{}\" (...)`",
            path.text
        ))
}

fn too_many(path: &Text) -> Diagnostic {
    Diagnostic::new(Code::TooDeep, "too many files are used")
        .at(path.span, format!("more than {MOST_FILES} with this one"))
        .help("use fewer instances; vectors (`index cell = 1..1000`) have no such limit")
}

/// The files that a text without a place of its own uses are found where the program runs.
pub(super) fn checked_alone(world: Arc<dyn World>, text: &str) -> (Checked, SourceMap) {
    let mut session = Session::new(world);
    let source = session.sources.add("model", text);
    let (checked, _) = session.checked(source);
    (checked, session.sources)
}
