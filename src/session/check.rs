//! Checking a whole file: its declarations, and its sentences in order.

use super::cells::is_anndata;
use super::command::Command;
use super::compiled::Compiled;
use super::lower::lower;
use super::modules::Whole;
use super::tables::Tables;
use super::values::Overrides;
use super::{
    Session, annotate, continuation, equilibria, factored, fit, index, jacobian, matrices, measure,
    plot, portrait, rest, sensitivity, set_value, simulate, stability, stationary, sweep, velocity,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{self, Allowance, Model};
use crate::source::{SourceId, Span};
use crate::syntax::{self, tree};
use rustc_hash::FxHashSet;
use std::path::Path;
use std::sync::Arc;

/// What reading a text gives.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The model, when its declarations have no error; a sentence may have one.
    pub model: Option<Model>,
    /// All problems in the order of the text, warnings that it allows among them.
    pub diagnostics: Vec<Diagnostic>,
    /// The warnings that the text allows.
    pub allowances: Vec<Allowance>,
}

/// Parses and checks a text, and understands its sentences.
#[must_use]
pub fn check_text(source: SourceId, text: &str) -> Checked {
    let own = syntax::parse_file(source, text);
    let diagnostics = own.file.statements.iter().filter_map(without_file);
    let whole = Whole {
        is_empty: own.file.statements.is_empty(),
        diagnostics: diagnostics.collect(),
        file: own.file,
        faults: own.diagnostics,
    };
    check_whole(source, text, &whole)
}

/// A `use` in a text that has no place from where files could be found.
fn without_file(statement: &tree::Statement) -> Option<Diagnostic> {
    let tree::StatementKind::Use { path, .. } = &statement.kind else {
        return None;
    };
    let message = format!("cannot read {}: this text has no folder", path.text);
    Some(Diagnostic::new(Code::CannotRead, message).at(path.span, "used here"))
}

/// Checks a text together with what it uses.
pub(super) fn check_whole(source: SourceId, text: &str, whole: &Whole) -> Checked {
    if whole.is_empty && whole.faults.is_empty() {
        return Checked {
            model: None,
            diagnostics: vec![empty(source, text)],
            allowances: Vec::new(),
        };
    }
    let mut diagnostics = whole.faults.clone();
    let unread = words_of_lines(text, &diagnostics);
    diagnostics.extend(whole.diagnostics.iter().cloned());
    let is_whole = !diagnostics.iter().any(Diagnostic::is_error);
    let checked = model::check(&whole.file);
    // A statement that cannot be read leaves its names undeclared and ungoverned: what follows
    // from that would only repeat the syntax error.
    diagnostics.extend(checked.diagnostics.into_iter().filter(|problem| {
        unread.is_empty() || !quoted(&problem.message).any(|name| unread.contains(name))
    }));
    if is_whole && let Some(model) = &checked.model {
        diagnostics.extend(index::problem(model));
    }
    let mut understood = Vec::new();
    for statement in sentences(&whole.file) {
        match lower(statement) {
            Ok(_) => understood.push(statement),
            Err(problems) => diagnostics.extend(problems),
        }
    }
    if let Some(model) = &checked.model {
        diagnostics.extend(model::check_sentences(&model.names, understood));
    }
    in_order(&mut diagnostics);
    Checked {
        model: checked.model.filter(|_| is_whole),
        diagnostics,
        allowances: checked.allowances,
    }
}

impl Checked {
    /// The model, when there is no error at all.
    ///
    /// # Errors
    /// All problems when one of them is an error.
    pub fn sound(self) -> Result<(Model, Vec<Diagnostic>), Vec<Diagnostic>> {
        match self.model {
            Some(model) if !self.diagnostics.iter().any(Diagnostic::is_error) => {
                Ok((model, self.diagnostics))
            }
            _ => Err(self.diagnostics),
        }
    }
}

/// A checked file: its declarations, then its sentences.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The model, when its declarations have no error.
    pub compiled: Option<Arc<Compiled>>,
    /// All problems in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Examined {
    /// True without errors.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Checks statements of several texts as one model.
pub(super) fn check_statements(file: &tree::File) -> Checked {
    let checked = model::check(file);
    let mut diagnostics = checked.diagnostics;
    if let Some(model) = &checked.model {
        diagnostics.extend(index::problem(model));
    }
    Checked {
        model: checked.model,
        diagnostics,
        allowances: checked.allowances,
    }
}

/// Files are read from top to bottom: so are their problems.
fn in_order(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span));
}

/// The words on the lines that diagnostics point at.
fn words_of_lines<'t>(text: &'t str, diagnostics: &[Diagnostic]) -> FxHashSet<&'t str> {
    let mut words = FxHashSet::default();
    for label in diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
        let (start, end) = (label.span.start as usize, label.span.end as usize);
        let from = text
            .get(..start)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |at| at + 1);
        let to = text
            .get(end..)
            .and_then(|after| after.find('\n'))
            .map_or(text.len(), |at| end + at);
        let line = text.get(from..to).unwrap_or("");
        words.extend(
            line.split(|c: char| !c.is_alphanumeric() && c != '_')
                .filter(|word| !word.is_empty()),
        );
    }
    words
}

/// The names between backquotes, without primes and indices.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2).map(|name| {
        let end = name.find(['\'', '[']).unwrap_or(name.len());
        &name[..end]
    })
}

fn sentences(file: &tree::File) -> impl Iterator<Item = &tree::Statement> {
    use tree::StatementKind::{Assign, Expression, Sentence};
    file.statements
        .iter()
        .filter(|statement| matches!(statement.kind, Sentence(_) | Assign { .. } | Expression(_)))
}

fn empty(source: SourceId, text: &str) -> Diagnostic {
    let first = text.chars().next().map_or(0, char::len_utf8);
    Diagnostic::new(Code::EmptyModel, "this file holds no statements")
        .at(Span::new(source, 0, first), "")
        .help("a model declares states and their equations, as in `state x = 1` and `x' = -x`")
}

impl Session {
    /// Reads a file and tries every sentence as far as that needs no integration: names, ranges,
    /// values, data files. The session stays as it was.
    pub fn examine(&mut self, path: &Path) -> Examined {
        let source = match self.read(path) {
            Ok(source) => source,
            Err(problem) => {
                return Examined {
                    compiled: None,
                    diagnostics: vec![problem],
                };
            }
        };
        let (checked, _) = self.checked(source);
        let allowances = checked.allowances;
        let mut diagnostics = checked.diagnostics;
        let compiled = checked.model.map(Compiled::new);
        if let Some(compiled) = &compiled {
            let mut trial = self.clone();
            trial.install(path.to_owned(), Arc::clone(compiled));
            diagnostics.extend(trial.check_sentences(compiled));
        }
        self.silence(&allowances, &mut diagnostics);
        if !diagnostics.iter().any(Diagnostic::is_error) {
            diagnostics.extend(self.idle_in_checks(&allowances));
        }
        in_order(&mut diagnostics);
        Examined {
            compiled,
            diagnostics,
        }
    }

    /// The problems of a file: warnings alone, or all of them when there is an error.
    ///
    /// # Errors
    /// All problems when at least one is an error.
    pub fn check(&mut self, path: &Path) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let examined = self.examine(path);
        if examined.is_sound() {
            Ok(examined.diagnostics)
        } else {
            Err(examined.diagnostics)
        }
    }

    /// The problems of a loaded model's sentences that can be seen before running them.
    fn check_sentences(&self, compiled: &Arc<Compiled>) -> Vec<Diagnostic> {
        let mut overrides = Overrides::new();
        let mut past = Past::default();
        let tables =
            Tables::new(&**self.world(), self.data_folder()).remembering(self.memory.as_deref());
        let mut problems = Vec::new();
        for statement in &compiled.model.sentences {
            let Ok(command) = lower(statement) else {
                continue;
            };
            let (Ok(found) | Err(found)) =
                self.check_command(compiled, &tables, &mut overrides, &mut past, &command);
            past.written.extend(command.writes().cloned());
            // A faulty value is at fault for every run: it is said once.
            for problem in found {
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
        problems
    }

    fn check_command(
        &self,
        compiled: &Arc<Compiled>,
        tables: &Tables<'_>,
        overrides: &mut Overrides,
        past: &mut Past,
        command: &Command,
    ) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let comes = |file: &tree::Text| past.writes(tables, file);
        let comes: Vec<tree::Text> = command.reads().filter(comes).collect();
        past.has_cells |= command.reads().any(|file| is_anndata(&file.text));
        let Past {
            has_cells,
            has_run,
            has_rows,
            possible,
            at_rest,
            ..
        } = past;
        match command {
            Command::Set { target, value } => {
                *overrides = set_value(compiled, overrides, target, value)?;
            }
            Command::Simulate(command) => {
                // `from last` has its values only when the run before has been made; `from steady`
                // is not worked out.
                let declared = super::Simulate {
                    from_last: false,
                    from_steady: None,
                    ..(**command).clone()
                };
                if command.from_last && !*has_run {
                    return Err(vec![
                        Diagnostic::new(Code::NothingYet, "there is no run to go on from")
                            .at(command.span, "")
                            .help("simulate once without `from last` first"),
                    ]);
                }
                *has_run = true;
                if let Some(start) = &command.from_steady {
                    rest::check(compiled, overrides, &start.setting, start.span)?;
                }
                let plans = simulate::plans(compiled, tables, overrides, &|_| None, &declared)?;
                if !command.from_last {
                    return Ok(plans.into_iter().flat_map(|plan| plan.warnings).collect());
                }
            }
            Command::Measure(command) => {
                needs_run(*has_run, command.span)?;
                measure::check(compiled, command)?;
            }
            Command::Steady(command) => {
                if command.from_last {
                    needs_run(*has_run, command.span)?;
                }
                rest::check(compiled, overrides, &command.setting, command.span)?;
            }
            Command::Stability(command) => {
                if matches!(command.about, super::About::Here { from_last: true }) {
                    needs_run(*has_run, command.span)?;
                }
                if matches!(command.about, super::About::Rows(_)) {
                    *has_rows = true;
                }
                if comes.is_empty() {
                    return stability::check(compiled, tables, overrides, command);
                }
            }
            Command::Stationary(command) => {
                if command.from_last {
                    needs_run(*has_run, command.span)?;
                }
                stationary::check(compiled, overrides, command)?;
            }
            Command::Jacobian(command) => {
                if command.from_last {
                    needs_run(*has_run, command.span)?;
                }
                jacobian::check(compiled, overrides, command)?;
            }
            Command::SteadyAll(command) | Command::StabilityAll(command) => {
                if command.from_last {
                    needs_run(*has_run, command.span)?;
                }
                equilibria::check(compiled, overrides, command)?;
            }
            Command::Portrait(command) => portrait::check(compiled, overrides, command)?,
            Command::Continue(command) => {
                if command.from_last {
                    needs_run(*has_run, command.span)?;
                }
                continuation::check(compiled, overrides, command)?;
            }
            Command::Sweep(command) => {
                if command.run.is_none() && !*has_run {
                    return Err(vec![sweep::no_run(command.span)]);
                }
                if !comes.is_empty() {
                    return Ok(Vec::new());
                }
                return sweep::check(compiled, tables, overrides, command);
            }
            Command::Fit(command) => {
                past.possible = match command.extremes {
                    _ if factored::is_meant(compiled) => factored::leaves(),
                    Some(_) => fit::Possible::lines(),
                    None => fit::Possible::fitted(command.method == fit::Way::Posterior),
                };
                let found = match comes.is_empty() {
                    true => fit::check(compiled, tables, overrides, command),
                    false => fit::check_without_data(compiled, overrides, command),
                };
                return found.map_err(|problems| past.elsewhere(command.data.path.span, problems));
            }
            Command::Report(command) => possible.has(fit::Need::Fit, command.span)?,
            Command::ExplainFit(_) if *at_rest => {}
            Command::ExplainFit(span) => possible.has(fit::Need::Any, *span)?,
            Command::Predict(command) => {
                factored::check_prediction(compiled, command)?;
                possible.has(fit::Need::Factors, command.span)?;
            }
            Command::Profile(command) => {
                possible.has(fit::Need::Fit, command.span)?;
                possible.profiles = true;
            }
            Command::FitAtRest(command) => {
                *at_rest = true;
                fit::check_at_rest(compiled, command)?;
                if comes.is_empty() {
                    fit::check_cells(compiled, tables, overrides, command)
                        .map_err(|problems| past.elsewhere(command.data.path.span, problems))?;
                }
            }
            Command::Bootstrap(command) => {
                possible.has(fit::Need::Fit, command.span)?;
                possible.bootstrap = true;
            }
            Command::Plot(command) => {
                plot::ends(compiled, command, &compiled.present(overrides))?;
                if let Some(picture) = fit::FitPicture::asked(compiled, command) {
                    fit::check_picture(picture, command)?;
                    possible.has(picture.need(), command.span)?;
                    return Ok(Vec::new());
                }
                if super::matrices::plotted(compiled, command).is_some() {
                    return Ok(Vec::new());
                }
                if let Some(picture) = stability::RowsPicture::asked(compiled, command) {
                    needs_rows(*has_rows, command.span)?;
                    picture?;
                    return Ok(Vec::new());
                }
                if velocity::is_of_lines(compiled, command) {
                    velocity::check_plot(compiled, command)?;
                    possible.has(fit::Need::Lines, command.span)?;
                    return Ok(Vec::new());
                }
                // A name that is none is none after a run too.
                let curves = plot::curves(compiled, command).map_err(|problems| {
                    stability::RowsPicture::meant(*has_rows, command, problems)
                })?;
                needs_run(*has_run, command.span)?;
                if let Some(data) = command.data.as_ref().filter(|_| comes.is_empty()) {
                    let (_, warnings) = plot::points(&compiled.model, tables, data, &curves)?;
                    return Ok(warnings);
                }
            }
            Command::Correlation(command) => {
                needs_run(*has_run, command.span)?;
                super::correlation::pairs(compiled, command)?;
            }
            Command::Histogram(command) => {
                needs_run(*has_run, command.span)?;
                super::ensemble::check_histogram(compiled, command)?;
            }
            Command::Save(command) if annotate::is_meant(command) => {
                let left = annotate::Left {
                    possible: *possible,
                    cells: *has_cells,
                    rows: *has_rows,
                    run: *has_run,
                };
                annotate::check(compiled, command, left)?;
            }
            Command::Save(command) => {
                if let Some(table) = fit::FitTable::asked(compiled, command) {
                    possible.has(table.need(), command.span)?;
                    return Ok(Vec::new());
                }
                if super::matrices::only_matrix(compiled, &command.columns, 1).is_some() {
                    return Ok(Vec::new());
                }
                if stability::RowsTable::asked(compiled, command).is_some()
                    || (*has_rows && !*has_run && command.columns.is_empty())
                {
                    needs_rows(*has_rows, command.span)?;
                    return Ok(Vec::new());
                }
                matrices::known(compiled, &command.columns)?;
                needs_run(*has_run, command.span)?;
            }
            Command::Sensitivity(command) => {
                needs_run(*has_run, command.span)?;
                sensitivity::question(compiled, overrides, command)?;
            }
            Command::Reset => {
                *overrides = Overrides::new();
                (*has_run, *has_rows, *has_cells) = (false, false, false);
                *possible = fit::Possible::default();
            }
            // What was taken back may have been a `reset`, which forgot the run.
            Command::Undo => {
                (*has_run, *has_rows, *possible) = (true, true, fit::Possible::ALL);
                *has_cells = true;
            }
            Command::Evaluate(expr) | Command::Assert(expr) => {
                compiled.observable(expr)?;
            }
            _ => {}
        }
        Ok(Vec::new())
    }
}

/// What the sentences above have done.
#[derive(Default)]
struct Past {
    has_run: bool,
    /// A file of cells has been read.
    has_cells: bool,
    /// A table of states has been looked at.
    has_rows: bool,
    /// What has been made of a fit.
    possible: fit::Possible,
    /// Cells at rest have been fitted.
    at_rest: bool,
    /// The files that they have written.
    written: Vec<tree::Text>,
}

impl Past {
    /// True when a file that is read has been written above: what it holds is known only then.
    fn writes(&self, tables: &Tables<'_>, file: &tree::Text) -> bool {
        let world = tables.world();
        let read = world.place(&tables.path(file));
        let mut written = self.written.iter();
        written.any(|written| world.place(Path::new(&written.text)) == read)
    }

    /// Says of a data file that is not there that a file of its name has been written elsewhere.
    fn elsewhere(&self, file: Span, problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let told = |problem: Diagnostic| {
            let is_own = problem.code == Code::CannotRead
                && problem.labels.iter().any(|label| label.span == file);
            let mut written = self.written.iter().rev();
            let same = written.find(|written| problem.message.contains(written.text.as_str()));
            match same.filter(|_| is_own) {
                Some(written) => problem.at(
                    written.span,
                    "this writes into the folder where Lotka was started",
                ),
                None => problem,
            }
        };
        problems.into_iter().map(told).collect()
    }
}

fn needs_rows(has_rows: bool, span: Span) -> Result<(), Vec<Diagnostic>> {
    match has_rows {
        true => Ok(()),
        false => Err(vec![stability::nothing_yet(span)]),
    }
}

fn needs_run(has_run: bool, span: Span) -> Result<(), Vec<Diagnostic>> {
    if has_run {
        return Ok(());
    }
    Err(vec![
        Diagnostic::new(Code::NothingYet, "nothing has been simulated before this")
            .at(span, "")
            .help("write a sentence such as `simulate 0..100` above it"),
    ])
}
