//! The command line: thin spellings of the language's sentences.
//!
//! Enters: arguments. Leaves: text on standard output, diagnostics on standard error, an exit
//! code. Must not know algorithms.

mod answers;
mod arguments;
mod continuation;
mod fit;
mod run;
mod simulate;
mod sweep;
mod terminal;

pub use arguments::Arguments;
pub use terminal::{Terminal, ending};

use crate::world::SystemWorld;
use arguments::Action;
use clap::Parser;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

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

/// Runs the program with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse_from(with_run(std::env::args_os().collect()));
    let world = SystemWorld {
        threads: arguments.threads,
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
    });
    let mut terminal = Terminal::new(world);
    let ending = match arguments.action {
        Action::Run { file } => run::run(&mut terminal, &file),
        Action::Check { file, format } => run::check(&mut terminal, &file, format),
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
        Action::Lsp { .. } => crate::lsp::lsp(&interrupt),
        Action::Help { word } => {
            let text = crate::render::help::help(word.as_deref(), terminal.width());
            terminal.print(&text);
            Ending::Fine
        }
    };
    ending.into()
}
