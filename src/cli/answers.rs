//! `lotka steady` and `lotka measure`: the flags spell a sentence.

use super::Ending;
use super::arguments::{Format, MeasureArguments, SteadyArguments};
use super::terminal::{Terminal, ending};
use crate::diagnostic::{Code, Diagnostic};
use crate::render::answers_json;
use crate::session::{Command, Outcome, Performed, lower};
use std::path::Path;

/// Finds a steady state of a file.
pub fn steady(terminal: &mut Terminal, arguments: &SteadyArguments) -> Ending {
    let setting = setting(&arguments.with, arguments.condition.as_deref());
    let result = prepared(terminal, &arguments.file)
        .and_then(|_| said(terminal, &format!("steady{setting}")));
    finished(terminal, result, arguments.format)
}

/// Simulates a file and measures the run.
pub fn measure(terminal: &mut Terminal, arguments: &MeasureArguments) -> Ending {
    let result = measured(terminal, arguments);
    finished(terminal, result, arguments.format)
}

fn measured(
    terminal: &mut Terminal,
    arguments: &MeasureArguments,
) -> Result<Performed, Vec<Diagnostic>> {
    let own = prepared(terminal, &arguments.file)?;
    let setting = setting(&arguments.with, arguments.condition.as_deref());
    let run = match (&arguments.over, own) {
        (Some(range), _) => said(terminal, &format!("simulate {range}{setting}"))?,
        (None, None) => {
            return Err(vec![
                Diagnostic::new(Code::MissingArgument, "the file has no `simulate` sentence").help(
                    "give a range, as in `lotka measure model.lotka \"max(x)\" --over 0..100`",
                ),
            ]);
        }
        (None, Some(mut own)) => {
            // The flags come after the file's own words.
            if let Some(Command::Simulate(flags)) = terminal
                .session
                .understand(&format!("simulate 0..1{setting}"))?
                .into_iter()
                .next()
                && let Command::Simulate(own) = &mut own
            {
                own.setting.with.extend(flags.setting.with);
                own.setting.condition = flags.setting.condition.or(own.setting.condition.take());
            }
            terminal.session.perform(&own, &mut ())?
        }
    };
    terminal.report(&run.diagnostics);
    said(
        terminal,
        &format!("measure {}", arguments.measures.join(", ")),
    )
}

/// Loads a file with its assignments up to the first `simulate`, which is handed back.
fn prepared(terminal: &mut Terminal, file: &Path) -> Result<Option<Command>, Vec<Diagnostic>> {
    let performed = terminal.session.load(file)?;
    terminal.report(&performed.diagnostics);
    let compiled = terminal.session.compiled().cloned();
    let sentences = compiled.iter().flat_map(|known| &known.model.sentences);
    for statement in sentences {
        match lower(statement)? {
            command @ Command::Simulate(_) => return Ok(Some(command)),
            command @ Command::Set { .. } => {
                terminal.session.perform(&command, &mut ())?;
            }
            _ => {}
        }
    }
    Ok(None)
}

fn setting(with: &[String], condition: Option<&str>) -> String {
    let mut text = String::new();
    if !with.is_empty() {
        text.push_str(&format!(" with {}", with.join(", ")));
    }
    if let Some(condition) = condition {
        text.push_str(&format!(" in {condition}"));
    }
    text
}

fn said(terminal: &mut Terminal, sentence: &str) -> Result<Performed, Vec<Diagnostic>> {
    let commands = terminal.session.understand(sentence)?;
    match commands.as_slice() {
        [command] => terminal.session.perform(command, &mut ()),
        _ => Err(vec![Diagnostic::new(
            Code::BadOption,
            format!("`{sentence}` is not understood"),
        )]),
    }
}

fn finished(
    terminal: &mut Terminal,
    result: Result<Performed, Vec<Diagnostic>>,
    format: Format,
) -> Ending {
    let performed = match result {
        Ok(performed) => performed,
        Err(problems) => {
            terminal.report(&problems);
            return ending(&problems);
        }
    };
    let json = match (&performed.outcome, format) {
        (Outcome::Steady(answer), Format::Json) => answers_json::steady(answer),
        (Outcome::Measured(runs), Format::Json) => answers_json::measured(runs),
        _ => return terminal.show(&performed),
    };
    terminal.print(&format!("{json}\n"));
    terminal.report(&performed.diagnostics);
    ending(&performed.diagnostics)
}
