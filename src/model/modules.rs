//! Models in models: what `use` brings in becomes part of the tree.
//!
//! Enters: the statements of a used file, with what its own `use` brought in, and the `use` itself.
//! Leaves: the same statements as the using file would have to write them: names of an instance with
//! its prefix, `cell1.x`, and what the `use` sets in place. Must not know files.
//!
//! A parameter that is set by an expression of parameters stays a parameter; one that is set by
//! something that changes along a run becomes a definition. Which of the two holds is settled when
//! all files are together.

use super::maps::first_next;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::source::SourceId;
use crate::syntax::tree::{
    Binding, Declaration, DeclareKind, Expr, ExprKind, File, Name, OwnUnit, Reference,
    SentenceOption, Statement, StatementKind, Text,
};
use crate::syntax::visit::{self, NameUse, Visitor};
use crate::syntax::{VALUES, format};
use rustc_hash::FxHashSet;
use std::path::Path;

/// Statements of several files, on their way to be one.
#[derive(Debug, Clone, Default)]
pub struct Assembly {
    /// The statements, those of used files where their `use` stood.
    pub statements: Vec<Statement>,
    /// Parameters that a `use` has set.
    bound: FxHashSet<String>,
}

/// A `use` as written.
#[derive(Debug, Clone, Copy)]
pub struct Import<'t> {
    /// The name of the instance.
    pub instance: Option<&'t Name>,
    /// The file.
    pub path: &'t Text,
    /// What is set.
    pub bindings: &'t [Binding],
    /// The folder of the used file, seen from that of the using file.
    pub folder: &'t Path,
}

impl Assembly {
    /// Adds a statement of the file itself.
    pub fn push(&mut self, statement: Statement) {
        self.statements.push(statement);
    }

    /// Adds a used file: its declarations, not its sentences. Gives all that is wrong with the `use`.
    pub fn import(&mut self, used: Assembly, import: &Import<'_>) -> Vec<Diagnostic> {
        let mut used = used;
        used.statements.retain(is_declaration);
        used.narrow_allowances();
        used.move_tables(import.folder);
        if let Some(instance) = import.instance {
            used.rename(&instance.text);
        }
        let problems = used.bind(import);
        self.statements.append(&mut used.statements);
        self.bound.extend(used.bound);
        problems
    }

    /// What a file allows without a name, it allows for its own names only.
    fn narrow_allowances(&mut self) {
        let mut known = Known::default();
        visit::statements(&mut self.statements, &mut known);
        let mut names: Vec<String> = known.declared.into_iter().collect();
        names.sort_unstable();
        if names.is_empty() {
            // An empty list would mean any name.
            self.statements.retain(
                |one| !matches!(&one.kind, StatementKind::Allow { of, .. } if of.is_empty()),
            );
        }
        for statement in &mut self.statements {
            let span = statement.span;
            if let StatementKind::Allow { of, .. } = &mut statement.kind
                && of.is_empty()
            {
                let named = names.iter().map(|text| Name {
                    text: text.clone(),
                    span,
                });
                of.extend(named);
            }
        }
    }

    /// Tables stand beside the file that names them.
    fn move_tables(&mut self, folder: &Path) {
        struct Mover<'a>(&'a Path);
        impl Visitor for Mover<'_> {
            fn option(&mut self, option: &mut SentenceOption) {
                if option.word.text != "from" {
                    return;
                }
                for value in &mut option.values {
                    if let ExprKind::Text(path) = &mut value.kind {
                        *path = self.0.join(path.as_str()).to_string_lossy().into_owned();
                    }
                }
            }
        }
        if !folder.as_os_str().is_empty() {
            visit::statements(&mut self.statements, &mut Mover(folder));
        }
    }

    // ---- names ----

    /// Gives all names of the file the prefix of an instance.
    fn rename(&mut self, instance: &str) {
        let mut known = Known::default();
        visit::statements(&mut self.statements, &mut known);
        let is_map = first_next(&self.statements).is_some();
        let mut renamer = Renamer {
            instance,
            known,
            is_map,
            locals: Vec::new(),
        };
        visit::statements(&mut self.statements, &mut renamer);
        let bound = std::mem::take(&mut self.bound);
        self.bound = bound
            .into_iter()
            .map(|name| format!("{instance}.{name}"))
            .collect();
    }

    // ---- what a `use` sets ----

    fn bind(&mut self, import: &Import<'_>) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let mut set: Vec<&Name> = Vec::new();
        for binding in import.bindings {
            let name = &binding.name.name;
            if let Some(earlier) = set.iter().find(|earlier| earlier.text == name.text) {
                let problem =
                    Diagnostic::new(Code::Duplicate, format!("`{}` is set twice", name.text))
                        .at(name.span, "set again here")
                        .at(earlier.span, "already set here")
                        .help("remove one of them");
                problems.push(problem);
                continue;
            }
            set.push(name);
            if let Err(problem) = self.bind_one(import, binding) {
                problems.push(problem);
            }
        }
        problems
    }

    fn bind_one(&mut self, import: &Import<'_>, binding: &Binding) -> Result<(), Diagnostic> {
        let own = &binding.name.name;
        let full = match import.instance {
            Some(instance) => format!("{}.{}", instance.text, own.text),
            None => own.text.clone(),
        };
        if !binding.name.indices.is_empty() {
            let message = format!("only all of `{}` can be set here", own.text);
            let problem = Diagnostic::new(Code::WrongKind, message)
                .at(binding.name.span, "one element")
                .help(format!("write `{} = ...`", own.text));
            return Err(problem);
        }
        for statement in &mut self.statements {
            match &mut statement.kind {
                StatementKind::Declare { kind, items } => {
                    let item = items
                        .iter_mut()
                        .find(|item| item.name.name.text == full && item.primes == 0);
                    if let Some(item) = item {
                        item.value = Some(binding.value.clone());
                        if *kind == DeclareKind::Parameter {
                            self.bound.insert(full);
                        }
                        return Ok(());
                    }
                }
                StatementKind::Input { name, unit, .. } if name.name.text == full => {
                    statement.kind = StatementKind::Let {
                        name: name.clone(),
                        unit: unit.take(),
                        value: binding.value.clone(),
                    };
                    return Ok(());
                }
                _ => {}
            }
        }
        // A file that could not be read, which has been said, may have declared it.
        let is_missing = |one: &Statement| matches!(one.kind, StatementKind::Use { .. });
        if self.statements.iter().any(is_missing) {
            return Ok(());
        }
        Err(self.not_settable(import, own, &full))
    }

    fn not_settable(&self, import: &Import<'_>, own: &Name, full: &str) -> Diagnostic {
        let prefix = import
            .instance
            .map_or(String::new(), |instance| format!("{}.", instance.text));
        let settable = self.settable();
        let settable: Vec<&str> = settable
            .iter()
            .map(|name| name.strip_prefix(&prefix).unwrap_or(name))
            .collect();
        let mut known = Known::default();
        visit::statements(&mut self.statements.clone(), &mut known);
        let (code, message, label) = if known.declared.contains(full) {
            (
                Code::WrongKind,
                format!("`{}` cannot be set by `use`", own.text),
                "no parameter, initial value or input",
            )
        } else {
            (
                Code::UnknownName,
                format!("`{}` is not declared in {}", own.text, import.path.text),
                "not known there",
            )
        };
        let help = did_you_mean(&own.text, settable.iter().copied()).unwrap_or_else(|| {
            let quoted: Vec<_> = settable
                .iter()
                .take(8)
                .map(|one| format!("`{one}`"))
                .collect();
            match quoted.as_slice() {
                [] => "nothing can be set there".to_owned(),
                [one] => format!("what can be set is {one}"),
                several => format!("what can be set is {}", listed(several)),
            }
        });
        Diagnostic::new(code, message)
            .at(own.span, label)
            .help(help)
    }

    /// The names that a `use` may set.
    fn settable(&self) -> Vec<String> {
        let mut names = Vec::new();
        for statement in &self.statements {
            match &statement.kind {
                StatementKind::Declare { items, .. } => names.extend(
                    items
                        .iter()
                        .filter(|item| item.primes == 0)
                        .map(|item| item.name.name.text.clone()),
                ),
                StatementKind::Input { name, .. } => names.push(name.name.text.clone()),
                _ => {}
            }
        }
        names
    }

    // ---- all files together ----

    /// The statements as those of one file. `context` are statements that hold already, at the
    /// prompt; `root` is the text that the model is about.
    pub fn settle(self, context: &[Statement], root: SourceId) -> (File, Vec<Diagnostic>) {
        let (statements, problems) = one_time(self.statements, context, root);
        let statements = units_once(statements, context);
        let bound = &self.bound;
        let mut varying = Varying::default();
        if !bound.is_empty() {
            varying.names.insert("t".to_owned());
            if first_next(context).or(first_next(&statements)).is_some() {
                varying.names.insert("n".to_owned());
            }
            varying.follow(context, &FxHashSet::default());
            varying.follow(&statements, bound);
        }
        let statements = statements
            .into_iter()
            .flat_map(|statement| defined(statement, bound, &varying))
            .collect();
        (File { statements }, problems)
    }
}

/// True for all that a used file gives: declarations and rules.
fn is_declaration(statement: &Statement) -> bool {
    !matches!(
        statement.kind,
        StatementKind::Version(_)
            | StatementKind::Model(_)
            | StatementKind::Sentence(_)
            | StatementKind::Assign { .. }
            | StatementKind::Expression(_)
    )
}

/// The names that a file declares, and the members of its index sets.
#[derive(Debug, Default)]
struct Known {
    declared: FxHashSet<String>,
    labels: FxHashSet<String>,
}

impl Visitor for Known {
    fn name(&mut self, name: &mut Name, used: NameUse) {
        match used {
            NameUse::Declared => {
                self.declared.insert(name.text.clone());
            }
            NameUse::Label => {
                self.labels.insert(name.text.clone());
            }
            _ => {}
        }
    }
}

struct Renamer<'a> {
    instance: &'a str,
    known: Known,
    is_map: bool,
    /// The variables of loops and the arguments of functions around, innermost last.
    locals: Vec<(String, Local)>,
}

/// A name that holds within one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Local {
    /// It has the prefix, too, for it must not be the name of anything in the using file.
    Variable,
    /// It hides what is outside.
    Argument,
}

impl Renamer<'_> {
    fn belongs(&self, name: &str, used: NameUse) -> bool {
        let is_declared = self.known.declared.contains(name);
        let is_label = self.known.labels.contains(name);
        let local = self.locals.iter().rev().find(|(local, _)| local == name);
        let local = local.map(|(_, local)| *local);
        if used == NameUse::Used || used == NameUse::Index || used == NameUse::Option {
            match local {
                Some(Local::Variable) => return true,
                Some(Local::Argument) => return false,
                None => {}
            }
        }
        match used {
            NameUse::Declared | NameUse::Instance | NameUse::Loop => true,
            // What the file does not declare is not to be found by chance in the using one.
            NameUse::Used => {
                let is_time = VALUES.contains(&name) || self.is_map && name == "n";
                is_declared || !is_label && !is_time
            }
            NameUse::Called | NameUse::Option => is_declared,
            NameUse::Index => is_declared && !is_label,
            NameUse::Label
            | NameUse::Parameter
            | NameUse::Argument
            | NameUse::Word
            | NameUse::Model => false,
        }
    }
}

/// The names that hold within a statement alone.
fn locals(statement: &Statement) -> (&[Name], Local) {
    match &statement.kind {
        StatementKind::Function { parameters, .. } => (parameters, Local::Argument),
        StatementKind::For { variable, .. } => (std::slice::from_ref(variable), Local::Variable),
        _ => (&[], Local::Argument),
    }
}

impl Visitor for Renamer<'_> {
    fn statement(&mut self, statement: &mut Statement) {
        let (names, local) = locals(statement);
        let names = names.iter().map(|name| (name.text.clone(), local));
        self.locals.extend(names);
    }

    fn leave(&mut self, statement: &mut Statement) {
        let left = self.locals.len().saturating_sub(locals(statement).0.len());
        self.locals.truncate(left);
        if let StatementKind::Input { name, options, .. } = &mut statement.kind {
            keep_column(self.instance, name, options);
        }
    }

    fn name(&mut self, name: &mut Name, used: NameUse) {
        if self.belongs(&name.text, used) {
            name.text = format!("{}.{}", self.instance, name.text);
        }
    }
}

/// The table of an input stands beside the used file: its column has the name that it has there.
fn keep_column(instance: &str, name: &Reference, options: &mut [SentenceOption]) {
    let full = &name.name.text;
    let own = full
        .strip_prefix(instance)
        .and_then(|rest| rest.strip_prefix('.'))
        .unwrap_or(full);
    let mut bindings = options.iter_mut().flat_map(|option| &mut option.bindings);
    if let Some(known) = bindings.find(|binding| binding.name.name.text == own) {
        known.name.name.text.clone_from(full);
        return;
    }
    if let Some(from) = options.iter_mut().find(|option| option.word.text == "from") {
        let column = Reference {
            name: Name {
                text: own.to_owned(),
                span: name.name.span,
            },
            ..name.clone()
        };
        from.bindings.push(Binding {
            name: name.clone(),
            value: Expr {
                span: name.span,
                kind: ExprKind::Reference(column),
            },
        });
    }
}

// ---- time ------------------------------------------------------------------------------------------

/// One declaration of the time: that of the model itself, which the others have to agree with.
fn one_time(
    statements: Vec<Statement>,
    context: &[Statement],
    root: SourceId,
) -> (Vec<Statement>, Vec<Diagnostic>) {
    let is_time = |statement: &&Statement| matches!(statement.kind, StatementKind::Time { .. });
    let own = |statement: &&Statement| statement.span.source == root;
    let all = || context.iter().chain(&statements).filter(is_time);
    let Some(first) = all().find(own).or_else(|| all().next()).cloned() else {
        return (statements, Vec::new());
    };
    let mut problems = Vec::new();
    let kept = statements
        .into_iter()
        .filter(|statement| {
            // A second one in the same text is for the checks to tell.
            let is_other = is_time(&statement) && statement.span.source != first.span.source;
            if is_other && !says_the_same(statement, &first) {
                let problem = Diagnostic::new(Code::Duplicate, "a used file has another time")
                    .at(statement.span, "its time")
                    .at(first.span, "the time of the model")
                    .help("give both the same unit and start");
                problems.push(problem);
            }
            !is_other
        })
        .collect();
    (kept, problems)
}

/// Units have no prefix: one that several files or instances declare in the same way is there once.
fn units_once(statements: Vec<Statement>, context: &[Statement]) -> Vec<Statement> {
    let alone = |statement: &Statement, item: &OwnUnit| Statement {
        span: statement.span,
        doc: None,
        kind: StatementKind::Unit(vec![item.clone()]),
    };
    let mut known: Vec<Statement> = Vec::new();
    for statement in context {
        if let StatementKind::Unit(items) = &statement.kind {
            known.extend(items.iter().map(|item| alone(statement, item)));
        }
    }
    let once = |mut statement: Statement| {
        let StatementKind::Unit(items) = &statement.kind else {
            return Some(statement);
        };
        let mut kept = Vec::new();
        for item in items {
            let own = alone(&statement, item);
            let is_known = known.iter().any(|earlier| {
                earlier.span.source != own.span.source && says_the_same(earlier, &own)
            });
            if !is_known {
                known.push(own);
                kept.push(item.clone());
            }
        }
        let is_empty = kept.is_empty();
        statement.kind = StatementKind::Unit(kept);
        (!is_empty).then_some(statement)
    };
    statements.into_iter().filter_map(once).collect()
}

fn says_the_same(one: &Statement, other: &Statement) -> bool {
    let plain = |statement: &Statement| {
        format::without_places(&File {
            statements: vec![Statement {
                doc: None,
                ..statement.clone()
            }],
        })
    };
    plain(one) == plain(other)
}

// ---- what varies -----------------------------------------------------------------------------------

/// The names whose values change along a run.
#[derive(Debug, Default)]
struct Varying {
    names: FxHashSet<String>,
}

impl Varying {
    /// Adds what varies in these statements, definitions and bound parameters included.
    fn follow(&mut self, statements: &[Statement], bound: &FxHashSet<String>) {
        for statement in statements {
            self.declared(statement);
        }
        loop {
            let before = self.names.len();
            for statement in statements {
                self.defined(statement, bound);
            }
            if self.names.len() == before {
                return;
            }
        }
    }

    fn declared(&mut self, statement: &Statement) {
        let mut add = |name: &Name| {
            self.names.insert(name.text.clone());
        };
        match &statement.kind {
            StatementKind::Declare {
                kind: DeclareKind::State | DeclareKind::Species,
                items,
            } => items.iter().for_each(|item| add(&item.name.name)),
            StatementKind::Input { name, .. } => add(&name.name),
            StatementKind::Wiener { names, .. } => names.iter().for_each(|name| add(&name.name)),
            StatementKind::Reaction(reaction) => {
                reaction.name.iter().for_each(|name| add(&name.name));
            }
            _ => {}
        }
    }

    fn defined(&mut self, statement: &Statement, bound: &FxHashSet<String>) {
        match &statement.kind {
            StatementKind::Let {
                name: Reference { name, .. },
                value,
                ..
            } if self.varies(value) => {
                self.names.insert(name.text.clone());
            }
            StatementKind::Function {
                name,
                parameters,
                body,
            } if self.varies_beside(body, parameters) => {
                self.names.insert(name.text.clone());
            }
            StatementKind::Declare {
                kind: DeclareKind::Parameter,
                items,
            } => {
                for item in items {
                    if bound.contains(&item.name.name.text) && self.varies_item(item) {
                        self.names.insert(item.name.name.text.clone());
                    }
                }
            }
            _ => {}
        }
    }

    fn varies_item(&self, item: &Declaration) -> bool {
        item.value.as_ref().is_some_and(|value| self.varies(value))
    }

    fn varies(&self, value: &Expr) -> bool {
        self.varies_beside(value, &[])
    }

    /// The same where these names stand for something else.
    fn varies_beside(&self, value: &Expr, hidden: &[Name]) -> bool {
        let mut found = false;
        super::walk::each_reference(value, &mut |name, _| {
            let is_hidden = hidden.iter().any(|own| own.text == name.text);
            found |= !is_hidden && self.names.contains(&name.text);
        });
        found
    }
}

/// A statement whose bound parameters that vary are definitions.
fn defined(statement: Statement, bound: &FxHashSet<String>, varying: &Varying) -> Vec<Statement> {
    let becomes_definition = |item: &Declaration| {
        bound.contains(&item.name.name.text) && varying.names.contains(&item.name.name.text)
    };
    let Statement { span, doc, kind } = statement;
    let (kind, items) = match kind {
        StatementKind::Declare { kind, items } if items.iter().any(becomes_definition) => {
            (kind, items)
        }
        kind => return vec![Statement { span, doc, kind }],
    };
    let mut statements = Vec::new();
    for item in items {
        let own = item.span;
        let is_definition = becomes_definition(&item);
        let kind = match item.value {
            Some(value) if is_definition => StatementKind::Let {
                name: item.name,
                unit: item.unit,
                value,
            },
            value => StatementKind::Declare {
                kind,
                items: vec![Declaration { value, ..item }],
            },
        };
        statements.push(Statement {
            span: own,
            doc: doc.clone(),
            kind,
        });
    }
    statements
}
