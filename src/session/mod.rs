//! The session: the loaded model, the present values and the last result.
//!
//! Enters: files and sentences. Leaves: [`Outcome`]s and diagnostics, never text. The command
//! line, the prompt and the Rust interface all go through it. Must not know the terminal.

mod allowed;
mod annotate;
mod cells;
mod chance;
mod check;
mod command;
mod compiled;
mod continuation;
mod correlation;
mod counted;
mod covariates;
mod declare;
mod doses;
mod ensemble;
mod equilibria;
mod explain;
mod factored;
mod failure;
pub mod fit;
mod from_files;
mod index;
mod inputs;
mod jacobian;
mod library;
mod lower;
mod matrices;
mod measure;
mod memory;
mod method;
mod modules;
mod observer;
mod options;
mod outcome;
mod places;
mod plot;
mod portrait;
mod present;
mod ranges;
mod readings;
mod record;
mod rest;
mod run;
mod save;
mod scales;
mod section;
mod sensitivity;
mod simulate;
mod stability;
mod stamp;
mod start;
mod stationary;
mod steady;
mod steps;
mod subjects;
mod sweep;
mod tables;
mod times;
mod timing;
mod tolerances;
mod trajectory;
mod undo;
mod unsuited;
mod upset;
mod values;
mod velocity;
pub mod verbs;

#[cfg(test)]
mod tests;

pub use chance::ChanceWords;
pub use check::{Checked, Examined, check_text};
pub use command::{
    About, Command, Continue, Correlate, DataSource, Form, Histogram, Jacobian, LogAxis,
    OutputTimes, Plot, Portrait, PortraitKind, Rows, Save, SaveSession, Sensitivity, Series,
    SeriesValues, Setting, Simulate, Stability, Stationary, Steady, SteadyAll, SteadyStart,
    Subjects, Topic,
};
pub use compiled::{Compiled, Observable};
pub use continuation::{
    BranchAnswer, BranchOrigin, BranchPoint, ContinuationTiming, DiagramAnswer, DrawnDiagram,
    DrawnInto, EndOfBranch, Run,
};
pub use correlation::CorrelationAnswer;
pub use ensemble::{Ensemble, FailedPath, Quantity, SHARES};
pub use equilibria::EquilibriaAnswer;
pub use explain::Explained;
pub use factored::{
    FactoredAnswer, Form as FactoredForm, Met, Predict, PredictionAnswer, penalty_in_words,
};
pub use jacobian::JacobianAnswer;
pub use library::{Error, compile};
pub use lower::lower;
pub use measure::{MeasuredRow, MeasuredRun, Measures};
pub use memory::Memory;
pub use method::MethodAdvice;
pub use observer::{Observer, Stage};
pub use outcome::{Declared, Made, Outcome, Performed, Sides, Undone};
pub use portrait::{Fixed, PortraitAnswer, View};
pub use ranges::{Range, Ranged};
pub use record::Said;
pub(crate) use save::cannot_write;
pub use sensitivity::{Influence, Sensitivities};
pub use stability::{Entry, Feedback, Forbids, Judged, Origin, OscillationAnswer, StabilityAnswer};
pub use stability::{
    Measure, NoForm, Quantity as QuantityOfRows, RowsAnswer, Summary, Told, Way, summary,
};
pub use stamp::{Stamp, StampedFile, Work, version};
pub use stationary::{NoiseOf, StationaryAnswer};
pub use steady::SteadyAnswer;
pub use sweep::{
    Column as SweptColumn, Design, DrawnSweep, FailedMember, Layout, MissingMeasure, Sweep,
    SweepAnswer, SweepPicture, SweepTiming, Swept, SweptAxis, SweptValues,
};
pub use timing::{LoadTimes, Timed, Timing};
pub use trajectory::Trajectory;
pub use values::{Overrides, Present};
pub use velocity::{
    Custom, Extremes, Lines, SaidTails, VelocityAnswer, cells_in_words, line_in_words,
};

use crate::diagnostic::{Code, Diagnostic};
use crate::model::{self, Target};
use crate::source::{SourceId, SourceMap, Span};
use crate::symbolic::Pool;
use crate::syntax::{self, tree};
use crate::world::World;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is loaded and what has been set and computed since.
#[derive(Clone)]
pub struct Session {
    world: Arc<dyn World>,
    /// Every text read so far; diagnostics point into it.
    pub sources: SourceMap,
    loaded: Option<Loaded>,
    /// Declarations that make no model yet: a state waits for its equation.
    waiting: Option<declare::Written>,
    overrides: Overrides,
    /// The steps that can be taken back.
    earlier: Vec<undo::Step>,
    last: Option<Arc<Trajectory>>,
    /// How the last run was asked for, to be repeated.
    asked: Option<Arc<Asked>>,
    /// The runs of the last sentence, when it made one for each subject; `last` is then empty.
    by_subject: Vec<Arc<Trajectory>>,
    /// The paths of the last sentence, when it made many; `last` is then empty.
    ensemble: Option<Arc<Ensemble>>,
    /// The fits of the last sentence, one or one for each subject.
    fits: Vec<Arc<fit::FitAnswer>>,
    /// The last fit of a model of many genes, when no other came after it; `fits` is then empty.
    genes: Option<fit::GeneFit>,
    /// What was asked of that fit since.
    inferred: fit::Inferred,
    /// The linear parts at the rows of the last table.
    rows: Option<Arc<RowsAnswer>>,
    history: Vec<String>,
    /// Warnings about the files that a line reads, told with what it does.
    heard: Vec<Diagnostic>,
    record: record::Record,
    allowed: allowed::Allowed,
    /// The sentence that is performed, or was last.
    said: Option<Span>,
    /// How many files had been read before the model.
    files_before: usize,
    /// How the program was called.
    called: Arc<[String]>,
    /// Of texts that are read over and over, what does not change.
    memory: Option<Arc<Memory>>,
}

/// What a run was asked for with: all that it takes to make it again.
#[derive(Debug)]
struct Asked {
    command: Simulate,
    overrides: Overrides,
    /// The run before, for one that went on from it.
    before: Option<Arc<Trajectory>>,
}

#[derive(Debug, Clone)]
struct Loaded {
    compiled: Arc<Compiled>,
    /// Its file; empty when it was begun at the prompt.
    path: PathBuf,
    written: declare::Written,
}

impl Session {
    /// A session without a model.
    #[must_use]
    pub fn new(world: Arc<dyn World>) -> Session {
        Session {
            world,
            sources: SourceMap::new(),
            loaded: None,
            waiting: None,
            overrides: Overrides::new(),
            earlier: Vec::new(),
            last: None,
            asked: None,
            by_subject: Vec::new(),
            ensemble: None,
            fits: Vec::new(),
            genes: None,
            inferred: fit::Inferred::default(),
            rows: None,
            history: Vec::new(),
            heard: Vec::new(),
            record: record::Record::default(),
            allowed: allowed::Allowed::default(),
            said: None,
            files_before: 0,
            called: Arc::default(),
            memory: None,
        }
    }

    /// Takes what has not changed from an earlier session in which the same texts were checked.
    #[must_use]
    pub fn remembering(mut self, memory: Arc<Memory>) -> Session {
        self.memory = Some(memory);
        self
    }

    /// The world that the session reads and writes.
    #[must_use]
    pub fn world(&self) -> &Arc<dyn World> {
        &self.world
    }

    /// The loaded model.
    #[must_use]
    pub fn compiled(&self) -> Option<&Arc<Compiled>> {
        self.loaded.as_ref().map(|loaded| &loaded.compiled)
    }

    /// The last run.
    #[must_use]
    pub fn last(&self) -> Option<&Arc<Trajectory>> {
        self.last.as_ref()
    }

    /// The values set since the model was loaded.
    #[must_use]
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// Reads a text file into the source map.
    ///
    /// # Errors
    /// A file that cannot be read or is not text.
    pub fn read(&mut self, path: &Path) -> Result<SourceId, Diagnostic> {
        let bytes = self.world.read(path).map_err(|error| {
            let diagnostic = Diagnostic::new(
                Code::CannotRead,
                format!("cannot read {}: {}", path.display(), reason(&error)),
            );
            if path.extension().is_none() && error.kind() == std::io::ErrorKind::NotFound {
                diagnostic.help("model files end in `.lotka`")
            } else {
                diagnostic
            }
        })?;
        if bytes.contains(&0) {
            return Err(Diagnostic::new(
                Code::NotText,
                format!("{} is not a text file", path.display()),
            )
            .help("a model file is plain text in UTF-8"));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            Diagnostic::new(
                Code::NotText,
                format!(
                    "{} is not UTF-8 text (byte {})",
                    path.display(),
                    error.utf8_error().valid_up_to()
                ),
            )
            .help("save the file as UTF-8")
        })?;
        Ok(self.sources.add_file(path.display().to_string(), &text))
    }

    /// Loads a model file in place of the present one and forgets values and results.
    ///
    /// # Errors
    /// All problems of the file; the session is then as before.
    pub fn load(&mut self, path: &Path) -> Result<Performed, Vec<Diagnostic>> {
        let files_before = self.world.files_read().len();
        let source = self.read(path).map_err(|problem| vec![problem])?;
        let (mut checked, whole) = self.checked(source);
        self.silence(&checked.allowances, &mut checked.diagnostics);
        let (model, diagnostics) = checked.sound()?;
        let compiled = Compiled::new(model);
        let before = self.model_before();
        let written = declare::Written::of_file(source, whole.file.statements);
        self.files_before = files_before;
        self.replace_model(path.to_owned(), Arc::clone(&compiled), written);
        self.can_undo(undo::Undid::Loaded, before);
        self.begin_chapter();
        Ok(Performed {
            outcome: Outcome::Loaded {
                path: path.to_owned(),
                compiled,
            },
            diagnostics,
        })
    }

    /// A text read before; empty for an id of another session.
    fn text_of(&self, source: SourceId) -> Arc<str> {
        self.sources
            .get(source)
            .map_or_else(|| "".into(), |known| Arc::clone(&known.text))
    }

    /// Takes a compiled model as if it had been loaded from `path`.
    pub fn install(&mut self, path: PathBuf, compiled: Arc<Compiled>) {
        self.replace_model(path, compiled, declare::Written::default());
        self.begin();
    }

    fn replace_model(&mut self, path: PathBuf, compiled: Arc<Compiled>, written: declare::Written) {
        self.loaded = Some(Loaded {
            compiled,
            path,
            written,
        });
        self.waiting = None;
        self.overrides = Overrides::new();
        self.forget_runs();
    }

    /// Reads one line typed at the prompt.
    ///
    /// # Errors
    /// Syntax errors and misunderstood options.
    pub fn understand(&mut self, line: &str) -> Result<Vec<Command>, Vec<Diagnostic>> {
        let said = self.hear(line)?;
        Ok(said.into_iter().map(|said| said.command).collect())
    }

    /// The same with the text of each command, for the record of the session. Declarations next to
    /// each other are one command.
    ///
    /// # Errors
    /// Syntax errors and misunderstood options.
    pub fn hear(&mut self, line: &str) -> Result<Vec<Said>, Vec<Diagnostic>> {
        self.history.push(line.to_owned());
        let name = format!("line {}", self.history.len());
        let source = self.sources.add(name, line);
        let mut parsed = syntax::parse_line(source, line);
        let tables = tables::Tables::new(&*self.world, self.data_folder());
        let unread = from_files::read_in(&tables, &mut parsed.file.statements);
        let (unread, warned): (Vec<_>, Vec<_>) = unread.into_iter().partition(Diagnostic::is_error);
        parsed.diagnostics.extend(unread);
        if !parsed.diagnostics.is_empty() {
            return Err(parsed.diagnostics);
        }
        self.heard = warned;
        let mut heard: Vec<Said> = Vec::new();
        let mut problems = Vec::new();
        for statement in &parsed.file.statements {
            let text = self.sources.slice(statement.span).to_owned();
            match lower(statement) {
                Ok(Command::Declare(more)) => match heard.last_mut() {
                    Some(Said {
                        command: Command::Declare(known),
                        text: known_text,
                    }) => {
                        known.extend(more);
                        known_text.push('\n');
                        known_text.push_str(&text);
                    }
                    _ => heard.push(Said {
                        command: Command::Declare(more),
                        text,
                    }),
                },
                Ok(command) => {
                    problems.extend(self.units_of(statement, &heard));
                    heard.push(Said { command, text });
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            Ok(heard)
        } else {
            Err(problems)
        }
    }

    /// What is wrong with the units of a sentence about the model that is loaded.
    fn units_of(&self, statement: &tree::Statement, heard: &[Said]) -> Vec<Diagnostic> {
        let changes = |said: &Said| {
            matches!(
                said.command,
                Command::Declare(_) | Command::Load(_) | Command::Reload
            )
        };
        match &self.loaded {
            Some(loaded) if !heard.iter().any(changes) => {
                model::check_sentence(&loaded.compiled.model.names, statement)
            }
            _ => Vec::new(),
        }
    }

    /// Performs a command. A failed one leaves the session as it was; a partial one keeps what
    /// it has.
    ///
    /// # Errors
    /// Everything that kept the command from being performed at all.
    pub fn perform(
        &mut self,
        command: &Command,
        observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        // Nothing is computed for a file that may not be written.
        if let Some(taken) = self.taken(command) {
            return Err(vec![taken]);
        }
        self.note_sentence(command);
        let mut performed = self.performed(command, observer).map_err(|mut problems| {
            self.silence_here(&mut problems);
            problems
        })?;
        if let (Some(span), Some(loaded)) = (asks_about_rest(command), &self.loaded) {
            let note = rest::noise_left_out(&loaded.compiled, span);
            performed.diagnostics.extend(note);
        }
        performed.diagnostics.append(&mut self.heard);
        self.silence_here(&mut performed.diagnostics);
        Ok(performed)
    }

    fn performed(
        &mut self,
        command: &Command,
        observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        match command {
            Command::Simulate(command) => self.simulate(command, observer),
            Command::Measure(command) => self.measure(command, observer),
            Command::Steady(command) => self.steady(command, observer),
            Command::Stability(command) => self.stability(command, observer),
            Command::StabilityAll(command) => {
                let mut performed = self.steady_all(command)?;
                if let Outcome::Equilibria(answer) = performed.outcome {
                    performed.outcome = Outcome::StabilityAll(answer);
                }
                Ok(performed)
            }
            Command::Stationary(command) => self.stationary(command, observer),
            Command::Jacobian(command) => self.jacobian(command),
            Command::SteadyAll(command) => self.steady_all(command),
            Command::Portrait(command) => self.portrait(command, observer),
            Command::Continue(command) => self.continue_along(command, observer),
            Command::Sweep(command) => self.sweep(command, observer),
            Command::Fit(command) => self.fit(command, observer),
            Command::Profile(command) => self.profile(command, observer),
            Command::FitAtRest(command) => self.fit_at_rest(command, observer),
            Command::Bootstrap(command) => self.bootstrap(command, observer),
            Command::Predict(command) => self.predict(command),
            Command::Plot(command) => self.plot(command),
            Command::Report(command) => self.report(command),
            Command::ExplainFit(span) => self.explain_fit(*span),
            Command::Save(command) => self.save(command),
            Command::Histogram(command) => self.histogram(command),
            Command::Correlation(command) => self.correlation(command),
            Command::Sensitivity(command) => self.sensitivity(command, observer),
            Command::Show {
                topic,
                form,
                setting,
            } => self.show(*topic, *form, setting),
            Command::Set { target, value } => self.set(target, value),
            Command::Evaluate(expr) => self.evaluate(expr),
            Command::Assert(expr) => self.assert(expr),
            Command::Load(path) => self.load(Path::new(path)),
            Command::Reload => self.reload(),
            Command::Reset => {
                self.need_model()?;
                let before = self.results_before();
                self.overrides = Overrides::new();
                self.forget_runs();
                self.can_undo(undo::Undid::Reset, before);
                Ok(done(Outcome::Reset))
            }
            Command::Undo => self.undo(),
            Command::Declare(statements) => self.declare(statements),
            Command::SaveSession(command) => self.save_session(command),
            Command::Help(word) => Ok(done(Outcome::Help(word.clone()))),
            Command::Explain(asked) => Ok(done(Outcome::Explained(asked.clone()))),
            Command::History => Ok(done(Outcome::History(self.history.clone()))),
            Command::Quit => Ok(done(Outcome::Quit)),
        }
    }

    fn reload(&mut self) -> Result<Performed, Vec<Diagnostic>> {
        let path = self.need_model()?.path.clone();
        if path.as_os_str().is_empty() {
            return Err(vec![
                Diagnostic::new(
                    Code::NoModel,
                    "this model has no file that could be read again",
                )
                .help("it was declared at the prompt; `save session \"model.lotka\"` makes a file"),
            ]);
        }
        self.load(&path)
    }

    fn need_model(&self) -> Result<&Loaded, Vec<Diagnostic>> {
        self.loaded.as_ref().ok_or_else(|| {
            let problem = Diagnostic::new(Code::NoModel, "no model is loaded");
            vec![if self.waiting.is_some() {
                problem.help("what has been declared waits for an equation, as in `x' = -x`")
            } else {
                problem.help("as in `load \"models/lotka_volterra.lotka\"`")
            }]
        })
    }

    /// The last run, for a sentence that says `from last`.
    fn last_when(&self, from_last: bool) -> Result<Option<Arc<Trajectory>>, Vec<Diagnostic>> {
        if !from_last {
            return Ok(None);
        }
        let last = self.need_last()?;
        section::not_from(last)?;
        Ok(Some(Arc::clone(last)))
    }

    fn forget_runs(&mut self) {
        self.last = None;
        self.by_subject.clear();
        self.ensemble = None;
        self.fits.clear();
        self.genes = None;
        self.inferred = fit::Inferred::default();
        self.rows = None;
    }

    /// The runs of the last `simulate`: one, or one for each subject.
    fn need_runs(&self) -> Result<&[Arc<Trajectory>], Vec<Diagnostic>> {
        if self.by_subject.is_empty() {
            self.need_last().map(std::slice::from_ref)
        } else {
            Ok(&self.by_subject)
        }
    }

    fn need_last(&self) -> Result<&Arc<Trajectory>, Vec<Diagnostic>> {
        self.need_model()?;
        if let Some(first) = self.by_subject.first() {
            let message = format!(
                "the last runs are those of {} subjects",
                self.by_subject.len()
            );
            let subject = first.subject.as_deref().unwrap_or("1");
            return Err(vec![Diagnostic::new(Code::NoSubject, message).help(
                format!("simulate one of them, as in `simulate 0..100 subject {subject}`"),
            )]);
        }
        if let Some(ensemble) = &self.ensemble {
            return Err(vec![ensemble::is_no_run(ensemble)]);
        }
        self.last.as_ref().ok_or_else(|| {
            vec![
                Diagnostic::new(Code::NothingYet, "nothing has been simulated yet")
                    .help("as in `simulate 0..100`"),
            ]
        })
    }

    fn set(
        &mut self,
        target: &tree::Reference,
        value: &tree::Expr,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let overrides = set_value(&compiled, &self.overrides, target, value)
            .map_err(|problems| declare::offered(problems, target))?;
        let target_id = found_target(&compiled, target)?;
        let step = self.values_before();
        let before = compiled.numbers_of(&self.overrides, target_id);
        let now = compiled.numbers_of(&overrides, target_id);
        self.overrides = overrides;
        self.can_undo(undo::Undid::Set(target_id), step);
        Ok(done(Outcome::Set {
            name: values::target_name(&compiled.model, target_id).to_owned(),
            before,
            now,
            at_start: matches!(target_id, Target::State(_)) && self.last.is_some(),
        }))
    }
}

fn done(outcome: Outcome) -> Performed {
    Performed {
        outcome,
        diagnostics: Vec::new(),
    }
}

/// What the operating system said, without its error number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "this is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// The same for a file that was to be written: what is missing then is its folder.
pub(crate) fn reason_to_write(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such folder".to_owned(),
        std::io::ErrorKind::NotADirectory => "its folder is a file".to_owned(),
        std::io::ErrorKind::StorageFull => "there is no space left".to_owned(),
        std::io::ErrorKind::AlreadyExists => "it is there already".to_owned(),
        _ => reason(error),
    }
}

/// The overrides with one more value set; bounds are respected.
fn set_value(
    compiled: &Compiled,
    overrides: &Overrides,
    target: &tree::Reference,
    value: &tree::Expr,
) -> Result<Overrides, Vec<Diagnostic>> {
    let mut pool = Pool::continuing(&compiled.system.pool);
    let mut problems = Vec::new();
    let setting = model::setting(
        &compiled.model.names,
        &mut pool,
        &mut problems,
        target,
        value,
    );
    let Some(setting) = setting.filter(|_| problems.is_empty()) else {
        return Err(problems);
    };
    let settings = [setting];
    let result = values::apply(
        &compiled.model,
        &compiled.system,
        &mut pool,
        overrides,
        &settings,
    );
    values::check_bounds(compiled, &result, &settings)?;
    Ok(result)
}

fn found_target(compiled: &Compiled, target: &tree::Reference) -> Result<Target, Vec<Diagnostic>> {
    match compiled.model.names.get(&target.name.text) {
        Some(model::Entity::Parameter(id)) => Ok(Target::Parameter(id)),
        Some(model::Entity::State(id)) => Ok(Target::State(id)),
        _ => Err(vec![
            Diagnostic::new(
                Code::UnknownName,
                format!("`{}` is not declared", target.name.text),
            )
            .at(target.span, ""),
        ]),
    }
}

/// Where a question stands that is about the equations without their noise, and that does not say so
/// itself.
fn asks_about_rest(command: &Command) -> Option<Span> {
    match command {
        Command::Steady(command) => Some(command.span),
        Command::StabilityAll(command) | Command::SteadyAll(command) => Some(command.span),
        _ => None,
    }
}
