//! `lotka continue`: the flags spell a sentence.

use super::Ending;
use super::answers::{finished, prepared, said, setting};
use super::arguments::ContinueArguments;
use super::simulate::in_quotes;
use super::terminal::{Terminal, ending};
use crate::diagnostic::{Code, Diagnostic};
use crate::render::diagram_json;
use crate::session::Command;

/// Follows the steady states of a file.
pub fn continue_along(terminal: &mut Terminal, arguments: &ContinueArguments) -> Ending {
    let sentence = sentence(arguments);
    if arguments.stats.is_some() {
        return time(terminal, arguments, &sentence).unwrap_or_else(|problems| {
            terminal.report(&problems);
            ending(&problems)
        });
    }
    let result = prepared(terminal, &arguments.file).and_then(|_| said(terminal, &sentence));
    finished(terminal, result, arguments.format)
}

/// Prints the special points and the costs.
fn time(
    terminal: &mut Terminal,
    arguments: &ContinueArguments,
    sentence: &str,
) -> Result<Ending, Vec<Diagnostic>> {
    let source = terminal
        .session
        .read(&arguments.file)
        .map_err(|problem| vec![problem])?;
    let commands = terminal.session.understand(sentence)?;
    let [Command::Continue(command)] = commands.as_slice() else {
        let message = format!("`{sentence}` is not understood");
        return Err(vec![Diagnostic::new(Code::BadOption, message)]);
    };
    let repeats = arguments.repeat as usize;
    let timing = terminal
        .session
        .time_continuation(source, command, repeats)?;
    terminal.print(&format!("{}\n", diagram_json::statistics(&timing)));
    terminal.report(&timing.diagnostics);
    Ok(ending(&timing.diagnostics))
}

fn sentence(arguments: &ContinueArguments) -> String {
    let mut sentence = format!("continue {}", arguments.parameter);
    let mut add = |text: String| sentence.push_str(&text);
    if let Some(range) = &arguments.range {
        add(format!(" in {range}"));
    }
    let flags = [
        ("of", &arguments.of),
        ("period", &arguments.period),
        ("points", &arguments.points),
        ("log", &arguments.log),
    ];
    for (word, value) in flags {
        if let Some(value) = value {
            add(format!(" {word} {value}"));
        }
    }
    if arguments.all {
        add(" all".to_owned());
    }
    if let Some(path) = &arguments.to {
        add(format!(" to {}", in_quotes(path)));
    }
    add(setting(&arguments.setting));
    sentence
}
