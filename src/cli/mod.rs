//! The command line: thin spellings of the language's sentences.
//!
//! Enters: arguments. Leaves: text on standard output, diagnostics on standard error, an exit
//! code. Must not know algorithms.

mod answers;
mod arguments;
mod continuation;
mod fit;
mod format;
mod run;
mod shell;
mod simulate;
mod sweep;
mod terminal;

pub use arguments::Arguments;
pub use terminal::{Terminal, ending};

use crate::world::{Interrupt, SystemWorld, Traffic};
use arguments::Action;
use clap::Parser;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All was done.
    Fine,
    /// The model or a sentence is at fault.
    Model,
    /// A file or its content is at fault.
    Data,
    /// A run stopped before its end; what it had is kept.
    Partial,
    /// The user interrupted.
    Interrupted,
}

impl Ending {
    /// The exit code: 0 fine, 1 model, 3 data, 4 partial, 130 interrupted. (2 is a wrong call.)
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Ending::Fine => 0,
            Ending::Model => 1,
            Ending::Data => 3,
            Ending::Partial => 4,
            Ending::Interrupted => 130,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> ExitCode {
        ExitCode::from(ending.code())
    }
}

/// `lotka model.lotka` means `lotka run model.lotka`.
fn with_run(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let is_file = |argument: &OsString| {
        let path = Path::new(argument);
        path.extension()
            .is_some_and(|extension| extension == "lotka")
    };
    if arguments.get(1).is_some_and(is_file) {
        arguments.insert(1, "run".into());
    }
    arguments
}

/// How the program was called, without what makes no difference to the answers.
fn called(arguments: impl Iterator<Item = OsString>) -> Vec<String> {
    let mut called = vec!["lotka".to_owned()];
    let mut is_number = false;
    for argument in arguments.skip(1) {
        let argument = argument.to_string_lossy();
        match argument.as_ref() {
            _ if is_number => is_number = false,
            "--threads" => is_number = true,
            "--force" | "--verbose" | "-v" => {}
            other if other.starts_with("--threads=") => {}
            other => called.push(other.to_owned()),
        }
    }
    called
}

/// Runs the program with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse_from(with_run(std::env::args_os().collect()));
    let world = SystemWorld {
        threads: arguments.threads,
        overwrite: arguments.force,
        traffic: Traffic::of_all_files(),
        ..SystemWorld::default()
    };
    let interrupt = world.interrupt.clone();
    let flag = interrupt.clone();
    // Without a handler Ctrl-C ends the program, which is what a handler that cannot be set means.
    let _ = ctrlc::set_handler(move || {
        if flag.is_raised() {
            // The second Ctrl-C does not wait for the computation to notice the first.
            std::process::exit(i32::from(Ending::Interrupted.code()));
        }
        flag.raise();
        // A terminal shows `^C`: what was computed so far begins on a line of its own.
        if std::io::stderr().is_terminal() {
            let _ = writeln!(std::io::stderr());
        }
    });
    let deadline = Deadline::new(arguments.max_time, interrupt.clone());
    let mut terminal = Terminal::new(world, deadline.clone());
    terminal.set_verbose(arguments.verbose);
    terminal.session.set_called(called(std::env::args_os()));
    for code in &arguments.allow {
        terminal.session.allow(*code);
    }
    let ending = match arguments.action {
        Action::Run { file } => run::run(&mut terminal, &file),
        Action::Check { file, format } => run::check(&mut terminal, &file, format),
        Action::Format { files, check } => format::format_files(&mut terminal, &files, check),
        Action::Show { file, topic, form } => run::show(&mut terminal, &file, topic, form),
        Action::Simulate(arguments) => simulate::simulate(&mut terminal, &arguments),
        Action::Steady(arguments) => answers::steady(&mut terminal, &arguments),
        Action::Stability(arguments) => answers::stability(&mut terminal, &arguments),
        Action::Stationary(arguments) => answers::stationary(&mut terminal, &arguments),
        Action::Nullclines(arguments) => answers::portrait(&mut terminal, &arguments, "nullclines"),
        Action::Phase(arguments) => answers::portrait(&mut terminal, &arguments, "phase"),
        Action::Jacobian(arguments) => answers::jacobian(&mut terminal, &arguments),
        Action::Continue(arguments) => continuation::continue_along(&mut terminal, &arguments),
        Action::Sweep(arguments) => sweep::sweep(&mut terminal, &arguments),
        Action::Fit(arguments) => fit::fit(&mut terminal, &arguments),
        Action::Measure(arguments) => answers::measure(&mut terminal, &arguments),
        Action::Sensitivity(arguments) => answers::sensitivity(&mut terminal, &arguments),
        Action::Repl { file } => crate::repl::repl(&mut terminal, file.as_deref(), &interrupt),
        Action::Explain { codes } => terminal.explain(&codes),
        Action::Completions { shell } => shell::completions(&terminal, shell),
        Action::Man { command } => shell::manual_page(&terminal, command.as_deref()),
        Action::Lsp { .. } => crate::lsp::lsp(&interrupt),
        Action::Help { word } => {
            let text = crate::render::help::help(word.as_deref(), terminal.width());
            terminal.print(&text);
            Ending::Fine
        }
    };
    match ending {
        // What was cut short by the deadline is partial; by the user, interrupted.
        Ending::Interrupted if deadline.is_over() => Ending::Partial.into(),
        ending => ending.into(),
    }
}

/// `--max-time`: raises the interrupt when the time is over.
#[derive(Debug, Clone, Default)]
pub struct Deadline {
    is_over: Arc<AtomicBool>,
}

impl Deadline {
    fn new(time: Option<Duration>, interrupt: Interrupt) -> Deadline {
        let deadline = Deadline::default();
        let Some(time) = time else {
            return deadline;
        };
        let flag = Arc::clone(&deadline.is_over);
        // The thread ends with the program, at the latest.
        std::thread::spawn(move || {
            std::thread::sleep(time);
            if !interrupt.is_raised() {
                flag.store(true, Ordering::Relaxed);
                interrupt.raise();
            }
        });
        deadline
    }

    /// The deadline, and not the user, has stopped what was running.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}
