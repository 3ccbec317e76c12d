//! `lotka sweep`: the flags spell a sentence.

use super::Ending;
use super::answers::{finished, prepared, setting};
use super::arguments::SweepArguments;
use super::simulate::in_quotes;
use super::terminal::{Terminal, ending};
use crate::diagnostic::{Code, Diagnostic};
use crate::render::sweep_json;
use crate::session::{Command, Performed, Sweep};

/// Repeats the run of a file for many values.
pub fn sweep(terminal: &mut Terminal, arguments: &SweepArguments) -> Ending {
    if arguments.stats.is_some() {
        return time(terminal, arguments).unwrap_or_else(|problems| {
            terminal.report(&problems);
            ending(&problems)
        });
    }
    let result = performed(terminal, arguments);
    finished(terminal, result, arguments.format)
}

fn performed(
    terminal: &mut Terminal,
    arguments: &SweepArguments,
) -> Result<Performed, Vec<Diagnostic>> {
    let own = prepared(terminal, &arguments.file)?;
    let mut sweep = understood(terminal, arguments)?;
    // The file's own run is repeated without being shown.
    if let (None, Some(Command::Simulate(run))) = (&sweep.run, own) {
        sweep.run = Some(run);
    }
    terminal.watched(&Command::Sweep(Box::new(sweep)))
}

/// Prints the numbers and the costs.
fn time(terminal: &mut Terminal, arguments: &SweepArguments) -> Result<Ending, Vec<Diagnostic>> {
    let source = terminal
        .session
        .read(&arguments.file)
        .map_err(|problem| vec![problem])?;
    let sweep = understood(terminal, arguments)?;
    let repeats = arguments.repeat as usize;
    let timing = terminal.session.time_sweep(source, &sweep, repeats)?;
    terminal.print(&format!("{}\n", sweep_json::statistics(&timing)));
    terminal.report(&timing.diagnostics);
    Ok(ending(&timing.diagnostics))
}

fn understood(
    terminal: &mut Terminal,
    arguments: &SweepArguments,
) -> Result<Sweep, Vec<Diagnostic>> {
    let sentence = sentence(arguments);
    let commands = terminal.session.understand(&sentence)?;
    match <[Command; 1]>::try_from(commands) {
        Ok([Command::Sweep(sweep)]) => Ok(*sweep),
        _ => {
            let message = format!("`{sentence}` is not understood");
            Err(vec![Diagnostic::new(Code::BadOption, message)])
        }
    }
}

fn sentence(arguments: &SweepArguments) -> String {
    let mut sentence = "sweep".to_owned();
    let mut add = |text: String| sentence.push_str(&text);
    if !arguments.ranges.is_empty() {
        add(format!(" {}", arguments.ranges.join(", ")));
    }
    if let Some(path) = &arguments.from {
        add(format!(" from {}", in_quotes(path)));
    }
    if let Some(count) = &arguments.sobol {
        add(format!(" sobol {count}"));
    }
    if !arguments.of.is_empty() {
        add(format!(" of {}", arguments.of.join(", ")));
    }
    let flags = [
        ("last", &arguments.last),
        ("for", &arguments.run),
        ("log", &arguments.log),
    ];
    for (word, value) in flags {
        if let Some(value) = value {
            add(format!(" {word} {value}"));
        }
    }
    for (word, text) in [("title", &arguments.title), ("to", &arguments.to)] {
        if let Some(text) = text {
            add(format!(" {word} {}", in_quotes(text)));
        }
    }
    add(setting(&arguments.setting));
    sentence
}
