//! The same in Rust: compile a text, simulate it, read the columns.

use super::Session;
use super::command::{Command, Simulate};
use super::compiled::Compiled;
use super::lower::lower;
use super::modules::checked_alone;
use super::outcome::Outcome;
use super::run::run;
use super::sensitivity::Sensitivities;
use super::simulate::plan;
use super::tables::Tables;
use super::trajectory::Trajectory;
use super::values::Overrides;
use crate::diagnostic::{Code, Diagnostic};
use crate::model;
use crate::source::SourceMap;
use crate::syntax;
use crate::world::SystemWorld;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Everything that kept a text from being compiled or a model from being simulated.
#[derive(Debug, Clone)]
pub struct Error {
    /// What is wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics point into.
    pub sources: SourceMap,
    /// A run that stopped early, up to where it came.
    pub partial: Option<Box<Trajectory>>,
}

impl Error {
    fn new(diagnostics: Vec<Diagnostic>, sources: SourceMap) -> Error {
        Error {
            diagnostics,
            sources,
            partial: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, diagnostic) in self.diagnostics.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            if let Some(label) = diagnostic.labels.first() {
                let (line, column) = self.sources.position(label.span);
                write!(out, "{line}:{column}: ")?;
            }
            write!(out, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Compiles a model from its text. The result never changes and may be shared between threads.
/// Files that it uses are found where the program runs.
///
/// ```
/// let model = lotka::compile("state x = 1\nparam k = 2\nx' = -k*x")?;
/// let run = model.simulate("0..1 points 11 with k = 1")?;
/// let x = run.column("x")?;
/// assert!((x[10] - (-1.0f64).exp()).abs() < 1e-6);
/// # Ok::<(), lotka::Error>(())
/// ```
///
/// # Errors
/// All problems of the text.
pub fn compile(text: &str) -> Result<Arc<Compiled>, Error> {
    let (checked, sources) = checked_alone(Arc::new(SystemWorld::default()), text);
    match checked.sound() {
        Ok((model, _)) => Ok(Compiled::new(model)),
        Err(diagnostics) => Err(Error::new(diagnostics, sources)),
    }
}

impl Compiled {
    /// Simulates. `sentence` is what stands after the word `simulate`: a range of time and
    /// options, such as `"0..100 step 0.1 using bdf with k = 3"`.
    ///
    /// # Errors
    /// A sentence that is not understood, and a run that did not reach its end; the error then
    /// holds what was computed.
    pub fn simulate(self: &Arc<Self>, sentence: &str) -> Result<Trajectory, Error> {
        let mut sources = SourceMap::new();
        let text = format!("simulate {sentence}");
        let source = sources.add("sentence", text.as_str());
        let fail = |diagnostics| Error::new(diagnostics, sources.clone());
        let parsed = syntax::parse_line(source, &text);
        if !parsed.diagnostics.is_empty() {
            return Err(fail(parsed.diagnostics));
        }
        let command = match parsed.file.statements.as_slice() {
            [statement] => {
                let faults = model::check_sentence(&self.model.names, statement);
                if !faults.is_empty() {
                    return Err(fail(faults));
                }
                lower(statement).map_err(fail)?
            }
            _ => return Err(fail(vec![one_sentence()])),
        };
        match command {
            Command::Simulate(command) => self.run(&command).map_err(|mut error| {
                error.sources = sources.clone();
                error
            }),
            _ => Err(fail(vec![one_sentence()])),
        }
    }

    /// Simulates with derivatives. `range` is what stands after the word `simulate`, `question`
    /// what stands after `sensitivity`: observables, and after `by` what they are differentiated
    /// by.
    ///
    /// ```
    /// let model = lotka::compile("state x = 2\nparam k = 0.5\nx' = -k*x")?;
    /// let found = model.sensitivity("0..4 points 5", "x by k")?;
    /// let by_k = found.series("x", "k").unwrap_or_default();
    /// assert!((by_k[4] - -4.0 * 2.0 * (-2.0f64).exp()).abs() < 1e-5);
    /// # Ok::<(), lotka::Error>(())
    /// ```
    ///
    /// # Errors
    /// Sentences that are not understood, and a run that did not reach its end.
    pub fn sensitivity(
        self: &Arc<Self>,
        range: &str,
        question: &str,
    ) -> Result<Arc<Sensitivities>, Error> {
        let mut session = Session::new(Arc::new(SystemWorld::default()));
        session.install(PathBuf::new(), Arc::clone(self));
        let mut found = None;
        for sentence in [
            format!("simulate {range}"),
            format!("sensitivity {question}"),
        ] {
            let performed = session.understand(&sentence).and_then(|commands| {
                let [command] = commands.as_slice() else {
                    return Err(vec![one_sentence()]);
                };
                session.perform(command, &mut ())
            });
            match performed {
                Ok(performed) if performed.is_complete() => found = Some(performed.outcome),
                Ok(performed) => return Err(Error::new(performed.diagnostics, session.sources)),
                Err(problems) => return Err(Error::new(problems, session.sources)),
            }
        }
        match found {
            Some(Outcome::Sensitivities { result, .. }) => Ok(result),
            _ => Err(Error::new(vec![one_sentence()], session.sources)),
        }
    }

    fn run(self: &Arc<Self>, command: &Simulate) -> Result<Trajectory, Error> {
        let fail = |diagnostics| Error::new(diagnostics, SourceMap::new());
        let world = SystemWorld::default();
        // A text has no folder of its own: its tables are found where the program runs.
        let tables = Tables::new(&world, PathBuf::new());
        let plan = plan(self, &tables, &Overrides::new(), None, command).map_err(fail)?;
        let (trajectory, end) = run(self, &plan, &world, &mut ());
        match super::failure::explain(&trajectory, &end, command.span) {
            None => Ok(trajectory),
            Some(problem) => Err(Error {
                partial: Some(Box::new(trajectory)),
                ..fail(vec![problem])
            }),
        }
    }
}

fn one_sentence() -> Diagnostic {
    Diagnostic::new(Code::BadOption, "one `simulate` sentence is needed here")
}

impl From<Vec<Diagnostic>> for Error {
    fn from(diagnostics: Vec<Diagnostic>) -> Error {
        Error::new(diagnostics, SourceMap::new())
    }
}
