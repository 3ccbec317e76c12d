//! `lotka fit`: the flags spell a sentence.

use super::Ending;
use super::answers::{finished, prepared, setting};
use super::arguments::FitArguments;
use super::simulate::in_quotes;
use super::terminal::Terminal;
use crate::diagnostic::{Code, Diagnostic};
use crate::session::{Command, Performed};

/// Finds parameters of a file from data.
pub fn fit(terminal: &mut Terminal, arguments: &FitArguments) -> Ending {
    let result = performed(terminal, arguments);
    finished(terminal, result, arguments.format)
}

fn performed(
    terminal: &mut Terminal,
    arguments: &FitArguments,
) -> Result<Performed, Vec<Diagnostic>> {
    prepared(terminal, &arguments.file)?;
    let sentence = sentence(arguments);
    let commands = terminal.session.understand(&sentence)?;
    match commands.as_slice() {
        [command @ Command::Fit(_)] => terminal.watched(command),
        _ => {
            let message = format!("`{sentence}` is not understood");
            Err(vec![Diagnostic::new(Code::BadOption, message)])
        }
    }
}

fn sentence(arguments: &FitArguments) -> String {
    let mut sentence = "fit".to_owned();
    let mut add = |text: String| sentence.push_str(&text);
    if !arguments.names.is_empty() {
        add(format!(" {}", arguments.names.join(", ")));
    }
    add(format!(" to {}", in_quotes(&arguments.to)));
    if !arguments.columns.is_empty() {
        add(format!(" ({})", arguments.columns.join(", ")));
    }
    let flags = [
        ("using", &arguments.using),
        ("seed", &arguments.seed),
        ("draws", &arguments.draws),
        ("chains", &arguments.chains),
        ("from", &arguments.from),
        ("where", &arguments.within),
        ("by", &arguments.by),
        ("rtol", &arguments.rtol),
        ("atol", &arguments.atol),
    ];
    for (word, value) in flags {
        if let Some(value) = value {
            add(format!(" {word} {value}"));
        }
    }
    if let Some(starts) = &arguments.starts {
        let is_number = starts.parse::<f64>().is_ok();
        add(match is_number {
            true => format!(" starts {starts}"),
            false => format!(" starts {}", in_quotes(starts)),
        });
    }
    if let Some(file) = &arguments.checkpoint {
        add(format!(" checkpoint {}", in_quotes(file)));
    }
    add(setting(&arguments.setting));
    sentence
}
