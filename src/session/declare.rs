//! Declarations at the prompt: the text of the model grows by them, one line at a time.
//!
//! Enters: statements that a model file may hold. Leaves: the session with the model that they
//! make together with what was there, present values kept by name; or all problems, and a session
//! as before. A state whose equation has not been typed yet waits for it.

use super::check::{Checked, check_statements};
use super::compiled::Compiled;
use super::outcome::Declared;
use super::trajectory::Trajectory;
use super::undo::{Runs, Undid};
use super::{Loaded, Outcome, Performed, Session, values};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Entity;
use crate::source::{SourceId, Span};
use crate::syntax::tree::{self, DeclareKind, EquationLeft, StatementKind};
use crate::syntax::{self, show_expression};
use std::path::PathBuf;
use std::sync::Arc;

/// The text of a model: its file, and what was declared at the prompt.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    /// The file; nothing when the model was begun at the prompt.
    pub file: Option<SourceId>,
    /// The statements of the file and of the files that it uses.
    pub whole: Arc<[tree::Statement]>,
    /// Those of them whose place others took.
    pub struck: Vec<Span>,
    /// What was declared at the prompt, in order, each `use` before what it brought in; but for that
    /// the spans lie in the lines typed.
    pub typed: Vec<tree::Statement>,
    /// The files that were used at the prompt.
    pub used: Vec<SourceId>,
}

impl Written {
    /// The text of a file that was loaded with all its statements and those that it uses.
    pub fn of_file(file: SourceId, whole: Vec<tree::Statement>) -> Written {
        Written {
            file: Some(file),
            whole: whole.into(),
            ..Written::default()
        }
    }

    /// Takes up statements as typed, and all that they are with what they use.
    fn take_up(&mut self, typed: &[tree::Statement], added: &[tree::Statement]) {
        let lines: Vec<SourceId> = typed.iter().map(|one| one.span.source).collect();
        let brought = added.iter().map(|one| one.span.source);
        self.used
            .extend(brought.filter(|source| !lines.contains(source)));
        let uses = typed
            .iter()
            .filter(|one| matches!(one.kind, StatementKind::Use { .. }));
        self.typed.extend(uses.cloned());
        self.typed.extend(added.iter().cloned());
    }

    /// What was typed at the prompt, without what it brought in.
    pub fn lines(&self) -> impl Iterator<Item = &tree::Statement> {
        let typed = self.typed.iter();
        typed.filter(|statement| !self.used.contains(&statement.span.source))
    }
}

/// Why statements make no model.
enum Unfit {
    /// They lack equations for these states, and nothing else.
    Waits(Vec<String>),
    /// They are at fault.
    Faulty(Vec<Diagnostic>),
}

impl Session {
    /// Takes up declarations.
    ///
    /// # Errors
    /// All problems that they bring; the session is then as before.
    pub(super) fn declare(
        &mut self,
        statements: &[tree::Statement],
    ) -> Result<Performed, Vec<Diagnostic>> {
        let before = self.model_before();
        let mut written = self.written();
        let known = Session::statements_of(&written);
        let root = written
            .file
            .or(statements.first().map(|one| one.span.source));
        let root = root.unwrap_or(SourceId(0));
        let added = self.typed_with_used(statements, &known, root)?;
        let replaced = replace(&mut written, &known, &added);
        let replaced: Vec<String> = replaced
            .into_iter()
            .map(|span| self.sources.slice(span).to_owned())
            .collect();
        written.take_up(statements, &added);
        let file = tree::File {
            statements: Session::statements_of(&written),
        };
        let texts: Vec<&str> = statements
            .iter()
            .map(|statement| self.sources.slice(statement.span))
            .collect();
        let what = Undid::Declared(texts.join("; "));
        let (compiled, diagnostics) = match compiled(&file, &added) {
            Ok(found) => found,
            Err(Unfit::Waits(waiting)) => {
                self.waiting = Some(written);
                self.can_undo(what, before);
                return Ok(Performed {
                    outcome: Outcome::Declared(Declared {
                        waiting,
                        ..Declared::default()
                    }),
                    diagnostics: Vec::new(),
                });
            }
            Err(Unfit::Faulty(problems)) => {
                return Err(problems
                    .into_iter()
                    .map(|problem| advised(problem, &added))
                    .collect());
            }
        };
        let was_waiting = self.waiting.take().is_some();
        let is_harmless = replaced.is_empty() && !was_waiting && added.iter().all(is_harmless);
        let has_run = self.last.is_some() || !self.by_subject.is_empty() || self.ensemble.is_some();
        let keeps_runs = self.take_over(&compiled, is_harmless);
        let path = self.loaded.take().map_or_else(PathBuf::new, |old| old.path);
        self.loaded = Some(Loaded {
            compiled: Arc::clone(&compiled),
            path,
            written,
        });
        self.can_undo(what, before);
        if !is_harmless {
            self.begin_chapter();
        }
        let values = declared_names(&added)
            .filter_map(|name| self.value_of(&compiled, &name))
            .collect();
        Ok(Performed {
            outcome: Outcome::Declared(Declared {
                compiled: Some(compiled),
                replaced,
                values,
                waiting: Vec::new(),
                forgot_runs: has_run && !keeps_runs,
            }),
            diagnostics,
        })
    }

    /// The text of the model, with what waits for equations.
    fn written(&self) -> Written {
        match (&self.waiting, &self.loaded) {
            (Some(waiting), _) => waiting.clone(),
            (None, Some(loaded)) => loaded.written.clone(),
            (None, None) => Written::default(),
        }
    }

    /// All statements of a text that hold, those of the file first.
    pub(super) fn statements_of(written: &Written) -> Vec<tree::Statement> {
        let is_use = |one: &&tree::Statement| matches!(one.kind, StatementKind::Use { .. });
        let typed = written.typed.iter().filter(|one| !is_use(one));
        let whole = written.whole.iter();
        whole
            .filter(|statement| !written.struck.contains(&statement.span))
            .chain(typed)
            .cloned()
            .collect()
    }

    /// Moves values and runs over to a model that grew from the present one; false when the runs
    /// do not fit it.
    fn take_over(&mut self, compiled: &Arc<Compiled>, is_harmless: bool) -> bool {
        let Some(old) = self.loaded.as_ref().map(|loaded| &loaded.compiled) else {
            return false;
        };
        self.overrides = self.overrides.carried(old, compiled);
        // Paths have been summed up: they cannot be asked for more.
        if !(is_harmless && same_layout(old, compiled)) || self.ensemble.is_some() {
            self.forget_runs();
            return false;
        }
        let parameters = compiled.present(&self.overrides).parameters;
        let moved = |run: &Arc<Trajectory>| Arc::new(run.extended(compiled, &parameters));
        self.last = self.last.as_ref().map(moved);
        self.by_subject = self.by_subject.iter().map(moved).collect();
        true
    }

    /// A declared quantity with what it is now.
    fn value_of(&self, compiled: &Arc<Compiled>, name: &str) -> Option<(String, Vec<f64>)> {
        let names = &compiled.model.names;
        let symbol = match names.get(name)? {
            Entity::Parameter(_) | Entity::State(_) | Entity::Definition(_) => {
                names.symbol(name)?
            }
            _ => return None,
        };
        let here = self.here(compiled).ok()?;
        let mut pool = crate::symbolic::Pool::continuing(&compiled.system.pool);
        let expr = pool.symbol(symbol);
        let expr = compiled.system.inline(&mut pool, expr);
        let point = values::Point {
            time: here.time,
            state: &here.state,
            parameters: &here.parameters,
            slots: &here.slots,
        };
        let numbers = values::evaluate_at(&pool, &compiled.system, expr, &point);
        Some((name.to_owned(), numbers))
    }

    /// The runs, out of the session.
    pub(super) fn runs(&self) -> Runs {
        Runs {
            last: self.last.clone(),
            asked: self.asked.clone(),
            by_subject: self.by_subject.clone(),
            ensemble: self.ensemble.clone(),
            fits: self.fits.clone(),
            inferred: self.inferred.clone(),
            rows: self.rows.clone(),
            genes: self.genes.clone(),
        }
    }
}

/// Checks and compiles all statements. Warnings are those about the new ones.
fn compiled(
    file: &tree::File,
    new: &[tree::Statement],
) -> Result<(Arc<Compiled>, Vec<Diagnostic>), Unfit> {
    let Checked {
        model, diagnostics, ..
    } = check_statements(file);
    let errors: Vec<&Diagnostic> = diagnostics
        .iter()
        .filter(|problem| problem.is_error())
        .collect();
    if let (Some(model), true) = (model, errors.is_empty()) {
        let is_news = |problem: &Diagnostic| {
            let label = problem.labels.first();
            let in_line = label.is_some_and(|label| new.iter().any(|one| within(label.span, one)));
            // What is declared line by line is used by the next one.
            in_line && !matches!(problem.code, Code::UnusedParameter | Code::UnusedHistory)
        };
        let warnings = diagnostics.into_iter().filter(is_news).collect();
        return Ok((Compiled::new(model), warnings));
    }
    let waits = errors
        .iter()
        .all(|problem| problem.code == Code::NoEquation);
    if waits && !errors.is_empty() {
        let names = errors.iter().filter_map(|problem| {
            let name = problem.message.split('`').nth(1)?;
            Some(name.to_owned())
        });
        return Err(Unfit::Waits(names.collect()));
    }
    // What still lacks its equation is not at fault now.
    let faulty = diagnostics
        .into_iter()
        .filter(|problem| problem.is_error() && problem.code != Code::NoEquation)
        .collect();
    Err(Unfit::Faulty(faulty))
}

fn within(span: Span, statement: &tree::Statement) -> bool {
    let outer = statement.span;
    span.source == outer.source && span.start >= outer.start && span.end <= outer.end
}

/// At the prompt, what exists is set or taken back.
fn advised(problem: Diagnostic, statements: &[tree::Statement]) -> Diagnostic {
    if problem.code != Code::Duplicate {
        return problem;
    }
    let mut declared = statements.iter().flat_map(|statement| {
        let items: &[tree::Declaration] = match &statement.kind {
            StatementKind::Declare { items, .. } => items,
            _ => &[],
        };
        items
    });
    let named = |item: &&tree::Declaration| {
        let labels = problem.labels.iter();
        labels.clone().any(|label| label.span == item.name.span)
    };
    match declared.find(named) {
        Some(item) => {
            let name = &item.name.name.text;
            problem.help(format!("`{name} = ...` sets its value"))
        }
        None => problem,
    }
}

/// What cannot be set because it is not there can be declared.
pub(super) fn offered(problems: Vec<Diagnostic>, target: &tree::Reference) -> Vec<Diagnostic> {
    let offer = |problem: Diagnostic| {
        let is_target = problem.labels.iter().any(|label| label.span == target.span);
        if problem.code != Code::UnknownName || !is_target {
            return problem;
        }
        let name = syntax::written_name(&target.name.text);
        let offer = format!("`param {name} = ...` declares it");
        let help = match &problem.help {
            Some(help) => format!("{help}; {offer}"),
            None => offer,
        };
        problem.help(help)
    };
    problems.into_iter().map(offer).collect()
}

/// Strikes what new statements take the place of: a definition, a function, an equation, a named
/// reaction or a condition of the same name. Leaves where they stand.
fn replace(written: &mut Written, known: &[tree::Statement], new: &[tree::Statement]) -> Vec<Span> {
    let keys: Vec<Key> = new.iter().filter_map(key).collect();
    let mut replaced = Vec::new();
    for old in known {
        if !key(old).is_some_and(|key| keys.contains(&key)) {
            continue;
        }
        replaced.push(old.span);
        let typed = written.typed.len();
        written.typed.retain(|typed| typed.span != old.span);
        if written.typed.len() == typed {
            written.struck.push(old.span);
        }
    }
    replaced
}

/// What a statement declares, when another one may take its place.
#[derive(PartialEq)]
enum Key {
    Definition(String),
    Function(String),
    Derivative(String, u8),
    Next(String),
    History(String),
    Reaction(String),
    Condition(String),
}

fn key(statement: &tree::Statement) -> Option<Key> {
    let reference = |reference: &tree::Reference| {
        let indices: Vec<String> = reference.indices.iter().map(show_expression).collect();
        format!("{}[{}]", reference.name.text, indices.join(","))
    };
    Some(match &statement.kind {
        StatementKind::Let { name, .. } => Key::Definition(reference(name)),
        StatementKind::Function { name, .. } => Key::Function(name.text.clone()),
        StatementKind::Equation { left, .. } => match left {
            EquationLeft::Derivative { target, order, .. } => {
                Key::Derivative(reference(target), *order)
            }
            EquationLeft::Next(target) => Key::Next(reference(target)),
            EquationLeft::History(target) => Key::History(reference(target)),
            EquationLeft::Zero(_) => return None,
        },
        StatementKind::Reaction(reaction) => Key::Reaction(reference(reaction.name.as_ref()?)),
        StatementKind::Condition { name, .. } => Key::Condition(name.text.clone()),
        _ => return None,
    })
}

/// True for what changes no run that has been made.
fn is_harmless(statement: &tree::Statement) -> bool {
    match &statement.kind {
        StatementKind::Declare { kind, .. } => *kind == DeclareKind::Parameter,
        StatementKind::Let { .. }
        | StatementKind::Function { .. }
        | StatementKind::Model(_)
        | StatementKind::Allow { .. }
        | StatementKind::Index { .. }
        | StatementKind::Unit(_)
        | StatementKind::Condition { .. } => true,
        _ => false,
    }
}

/// True when the numbers of a run of the old model mean the same in the new one.
fn same_layout(old: &Compiled, new: &Compiled) -> bool {
    let states = |compiled: &Compiled| -> Vec<(String, usize)> {
        let blocks = compiled.system.states.blocks().iter();
        let names = compiled.model.states.iter().map(|state| state.name.clone());
        names.zip(blocks.map(|block| block.shape.len())).collect()
    };
    let slots = |compiled: &Compiled| compiled.system.slots.layout.len();
    states(old) == states(new)
        && slots(old) == slots(new)
        && old.system.parameters.len() <= new.system.parameters.len()
}

/// The names of the quantities that statements declare.
fn declared_names(statements: &[tree::Statement]) -> impl Iterator<Item = String> + '_ {
    statements
        .iter()
        .flat_map(|statement| match &statement.kind {
            StatementKind::Declare { items, .. } => items
                .iter()
                .map(|item| item.name.name.text.clone() + &"'".repeat(usize::from(item.primes)))
                .collect(),
            StatementKind::Let { name, .. } => vec![name.name.text.clone()],
            _ => Vec::new(),
        })
}
