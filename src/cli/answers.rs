//! `lotka steady`, `lotka stability`, `lotka jacobian`, `lotka nullclines`,
//! `lotka phase`, `lotka measure`, `lotka sensitivity`: the flags spell a sentence.

use super::Ending;
use super::arguments::{
    Format, JacobianArguments, MeasureArguments, PortraitArguments, SensitivityArguments,
    SettingArguments, StabilityArguments, StationaryArguments, SteadyArguments,
};
use super::simulate::in_quotes;
use super::terminal::{Terminal, ending};
use crate::diagnostic::{Code, Diagnostic};
use crate::render::{
    answers_json, at_rest_json, diagram_json, equilibria_json, fit_json, inference_json, portrait,
    rows_json, stability_json, stamp, stationary_json, sweep_json,
};
use crate::session::fit::Inferred;
use crate::session::{Command, Outcome, Performed, lower};
use std::path::Path;

/// Finds a steady state of a file.
pub fn steady(terminal: &mut Terminal, arguments: &SteadyArguments) -> Ending {
    let setting = setting(&arguments.setting);
    let all = if arguments.all {
        let ranges = arguments.region.join(", ");
        format!(" all {ranges}").trim_end().to_owned()
    } else {
        String::new()
    };
    let result = prepared(terminal, &arguments.file)
        .and_then(|_| said(terminal, &format!("steady{all}{setting}")));
    finished(terminal, result, arguments.format)
}

/// Says what happens near a state of rest.
pub fn stability(terminal: &mut Terminal, arguments: &StabilityArguments) -> Ending {
    let mut sentence = "stability".to_owned();
    if arguments.all {
        sentence.push_str(&format!(" all {}", arguments.region.join(", ")));
    }
    if !arguments.at.is_empty() {
        sentence.push_str(&format!(" at {}", arguments.at.join(", ")));
    }
    if let Some(ranges) = &arguments.over {
        sentence.push_str(&format!(" over {ranges}"));
    }
    sentence.push_str(&setting(&arguments.setting));
    let result = prepared(terminal, &arguments.file).and_then(|_| said(terminal, &sentence));
    finished(terminal, result, arguments.format)
}

/// Says how noise spreads the state.
pub fn stationary(terminal: &mut Terminal, arguments: &StationaryArguments) -> Ending {
    let mut sentence = format!("stationary {}", arguments.states.join(", "));
    if !arguments.at.is_empty() {
        sentence.push_str(&format!(" at {}", arguments.at.join(", ")));
    }
    if let Some(path) = &arguments.to {
        sentence.push_str(&format!(" to {}", in_quotes(path)));
    }
    sentence.push_str(&setting(&arguments.setting));
    let result = prepared(terminal, &arguments.file).and_then(|_| said(terminal, &sentence));
    finished(terminal, result, arguments.format)
}

/// Shows the Jacobian.
pub fn jacobian(terminal: &mut Terminal, arguments: &JacobianArguments) -> Ending {
    let mut sentence = "jacobian".to_owned();
    if !arguments.at.is_empty() {
        sentence.push_str(&format!(" at {}", arguments.at.join(", ")));
    }
    if let Some(form) = &arguments.form {
        sentence.push_str(&format!(" as {form}"));
    }
    if let Some(path) = &arguments.to {
        sentence.push_str(&format!(" to {}", in_quotes(path)));
    }
    sentence.push_str(&setting(&arguments.setting));
    let result = prepared(terminal, &arguments.file).and_then(|_| {
        let mut commands = terminal.session.understand(&sentence)?;
        // What is symbolic has no numbers for JSON: these are those of the present state.
        if let (Format::Json, [Command::Jacobian(command)]) =
            (arguments.format, commands.as_mut_slice())
        {
            command.at.get_or_insert_default();
        }
        performed(terminal, &commands, &sentence)
    });
    finished(terminal, result, arguments.format)
}

/// Draws the phase plane of a file, or its nullclines.
pub fn portrait(terminal: &mut Terminal, arguments: &PortraitArguments, verb: &str) -> Ending {
    let mut sentence = verb.to_owned();
    if !arguments.states.is_empty() {
        sentence.push_str(&format!(" {}", arguments.states.join(", ")));
    }
    if let Some(over) = &arguments.over {
        sentence.push_str(&format!(" over {over}"));
    }
    sentence.push_str(&setting(&arguments.setting));
    if let Some(title) = &arguments.title {
        sentence.push_str(&format!(" title {}", in_quotes(title)));
    }
    if let Some(path) = &arguments.to {
        sentence.push_str(&format!(" to {}", in_quotes(path)));
    }
    let result = prepared(terminal, &arguments.file).and_then(|_| said(terminal, &sentence));
    finished(terminal, result, arguments.format)
}

/// Simulates a file and measures the run.
pub fn measure(terminal: &mut Terminal, arguments: &MeasureArguments) -> Ending {
    let result = measured(terminal, arguments);
    finished(terminal, result, arguments.format)
}

/// Simulates a file and differentiates the run.
pub fn sensitivity(terminal: &mut Terminal, arguments: &SensitivityArguments) -> Ending {
    let mut sentence = format!("sensitivity {}", arguments.observables.join(", "));
    if !arguments.by.is_empty() {
        sentence.push_str(&format!(" by {}", arguments.by.join(", ")));
    }
    if arguments.scaled {
        sentence.push_str(" scaled");
    }
    if let Some(path) = &arguments.to {
        sentence.push_str(&format!(" to {}", in_quotes(path)));
    }
    let setting = setting(&arguments.setting);
    let run = simulated(
        terminal,
        &arguments.file,
        arguments.over.as_deref(),
        &setting,
        "lotka sensitivity model.lotka x --over 0..100",
    );
    let result = run.and_then(|run| {
        terminal.report(&run.diagnostics);
        said(terminal, &sentence)
    });
    finished(terminal, result, Format::Text)
}

fn measured(
    terminal: &mut Terminal,
    arguments: &MeasureArguments,
) -> Result<Performed, Vec<Diagnostic>> {
    let setting = setting(&arguments.setting);
    let run = simulated(
        terminal,
        &arguments.file,
        arguments.over.as_deref(),
        &setting,
        "lotka measure model.lotka \"max(x)\" --over 0..100",
    )?;
    terminal.report(&run.diagnostics);
    said(
        terminal,
        &format!("measure {}", arguments.measures.join(", ")),
    )
}

/// The run of a file: over the range given, else as the file's own sentence says.
fn simulated(
    terminal: &mut Terminal,
    file: &Path,
    over: Option<&str>,
    setting: &str,
    example: &str,
) -> Result<Performed, Vec<Diagnostic>> {
    let own = prepared(terminal, file)?;
    match (over, own) {
        (Some(range), _) => said(terminal, &format!("simulate {range}{setting}")),
        (None, None) => Err(vec![
            Diagnostic::new(Code::MissingArgument, "the file has no `simulate` sentence")
                .help(format!("give a range, as in `{example}`")),
        ]),
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
            terminal.session.perform(&own, &mut ())
        }
    }
}

/// Loads a file with its assignments up to the first `simulate`, which is handed back.
pub(super) fn prepared(
    terminal: &mut Terminal,
    file: &Path,
) -> Result<Option<Command>, Vec<Diagnostic>> {
    let performed = terminal.timed(&format!("reading {}", file.display()), |terminal| {
        terminal.session.load(file)
    })?;
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

/// The words of a sentence for what the flags set.
pub(super) fn setting(flags: &SettingArguments) -> String {
    let mut text = String::new();
    if !flags.with.is_empty() {
        text.push_str(&format!(" with {}", flags.with.join(", ")));
    }
    if let Some(condition) = &flags.condition {
        text.push_str(&format!(" in {condition}"));
    }
    text
}

pub(super) fn said(terminal: &mut Terminal, sentence: &str) -> Result<Performed, Vec<Diagnostic>> {
    let commands = terminal.session.understand(sentence)?;
    performed(terminal, &commands, sentence)
}

fn performed(
    terminal: &mut Terminal,
    commands: &[Command],
    sentence: &str,
) -> Result<Performed, Vec<Diagnostic>> {
    match commands {
        [command] => terminal.session.perform(command, &mut ()),
        _ => Err(vec![Diagnostic::new(
            Code::BadOption,
            format!("`{sentence}` is not understood"),
        )]),
    }
}

pub(super) fn finished(
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
        (Outcome::Stability(answer), Format::Json) => stability_json::stability(answer),
        (Outcome::Rows { answer, .. }, Format::Json) => rows_json::rows(answer),
        (Outcome::Oscillation(answer), Format::Json) => stability_json::oscillation(answer),
        (Outcome::Stationary { answer, .. }, Format::Json) => stationary_json::stationary(answer),
        (Outcome::Jacobian { answer, .. }, Format::Json) => stability_json::jacobian(answer),
        (Outcome::Equilibria(answer) | Outcome::StabilityAll(answer), Format::Json) => {
            equilibria_json::equilibria(answer)
        }
        (Outcome::Portrait(answer), Format::Json) => portrait::json(answer),
        (Outcome::Diagram(drawn), Format::Json) => diagram_json::diagram(&drawn.answer),
        (Outcome::Swept(drawn), Format::Json) => sweep_json::sweep(&drawn.answer),
        (Outcome::Fitted(answers), Format::Json) => fit_json::fits(answers, &Inferred::default()),
        (Outcome::FittedAtRest(answer), Format::Json) => at_rest_json::fit(answer),
        (Outcome::Sampled(answer), Format::Json) => inference_json::posterior(answer),
        (Outcome::Profiled(answer), Format::Json) => inference_json::profiles(answer),
        (Outcome::Bootstrapped(answer), Format::Json) => inference_json::bootstrap(answer),
        (Outcome::Measured(runs), Format::Json) => answers_json::measured(runs),
        _ => return terminal.show(&performed),
    };
    let json = stamp::in_json(&json, &terminal.session.stamp());
    terminal.print(&format!("{json}\n"));
    terminal.report(&performed.diagnostics);
    ending(&performed.diagnostics)
}
