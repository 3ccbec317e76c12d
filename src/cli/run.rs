//! `lotka run`, `lotka check` and `lotka show`.

use super::Ending;
use super::arguments::Format;
use super::terminal::{Terminal, ending};
use crate::render::diagnostics;
use crate::session::{Command, lower};
use std::path::Path;
use std::sync::Arc;

/// Performs the sentences of a file in order. Nothing is performed when the file has an error, or
/// when a file that it writes is there already and is to be kept;
/// a sentence that stops early does not keep the later ones from running on what there is.
pub fn run(terminal: &mut Terminal, file: &Path) -> Ending {
    let examined = terminal.timed(&format!("reading {}", file.display()), |terminal| {
        terminal.session.examine(file)
    });
    let (true, Some(compiled)) = (examined.is_sound(), &examined.compiled) else {
        terminal.report(&examined.diagnostics);
        return ending(&examined.diagnostics);
    };
    terminal.report(&examined.diagnostics);
    terminal
        .session
        .install(file.to_owned(), Arc::clone(compiled));
    if compiled.model.sentences.is_empty() {
        terminal.print(
            "The file is fine. It asks for nothing: add a sentence such as `simulate 0..100`.\n",
        );
    }
    let commands = compiled
        .model
        .sentences
        .iter()
        .filter_map(|one| lower(one).ok());
    let taken: Vec<_> = commands
        .filter_map(|command| terminal.session.taken(&command))
        .collect();
    if !taken.is_empty() {
        terminal.report(&taken);
        return ending(&taken);
    }
    let mut worst = Ending::Fine;
    for statement in &compiled.model.sentences {
        let sentence = terminal.session.sources.slice(statement.span).to_owned();
        terminal.about(&sentence);
        let ending = match lower(statement) {
            // What follows from another run or a search has warnings that only these can give.
            Ok(command) if continues(&command) => terminal.perform(&command),
            // Others have warnings of both kinds: some have been reported with the file's.
            Ok(command) => terminal.perform_without(&command, &examined.diagnostics),
            Err(problems) => {
                terminal.report(&problems);
                ending(&problems)
            }
        };
        if ending == Ending::Interrupted {
            return ending;
        }
        if worst == Ending::Fine {
            worst = ending;
        }
    }
    if worst == Ending::Fine && !compiled.model.sentences.is_empty() {
        let idle = terminal.session.idle_allowances();
        terminal.report(&idle);
    }
    worst
}

fn continues(command: &Command) -> bool {
    match command {
        Command::Simulate(simulate) => simulate.from_last || simulate.from_steady.is_some(),
        Command::Steady(_) => true,
        _ => false,
    }
}

/// Reports every problem of a file.
pub fn check(terminal: &mut Terminal, file: &Path, format: Format) -> Ending {
    let (problems, is_fine) = match terminal.session.check(file) {
        Ok(warnings) => (warnings, true),
        Err(problems) => (problems, false),
    };
    match format {
        Format::Json => {
            let json = diagnostics::json(&problems, &terminal.session.sources);
            terminal.print(&format!("{json}\n"));
        }
        Format::Text => {
            terminal.report(&problems);
            if is_fine {
                terminal.print(&format!("{} is fine\n", file.display()));
            }
        }
    }
    ending(&problems)
}

/// Shows a part of a model.
pub fn show(
    terminal: &mut Terminal,
    file: &Path,
    topic: Option<String>,
    form: Option<String>,
) -> Ending {
    match terminal.session.load(file) {
        Ok(performed) => terminal.report(&performed.diagnostics),
        Err(problems) => {
            terminal.report(&problems);
            return ending(&problems);
        }
    }
    let mut sentence = "show".to_owned();
    if let Some(topic) = topic {
        sentence.push(' ');
        sentence.push_str(&topic);
    }
    if let Some(form) = form {
        sentence.push_str(" as ");
        sentence.push_str(&form);
    }
    line(terminal, &sentence)
}

/// Understands and performs one line, as if it had been typed.
pub fn line(terminal: &mut Terminal, line: &str) -> Ending {
    match terminal.session.understand(line) {
        Ok(commands) => {
            for command in &commands {
                let ending = terminal.perform(command);
                if ending != Ending::Fine {
                    return ending;
                }
            }
            Ending::Fine
        }
        Err(problems) => {
            terminal.report(&problems);
            ending(&problems)
        }
    }
}
