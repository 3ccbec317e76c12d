//! `lotka simulate`: the flags spell a sentence.

use super::Ending;
use super::answers::setting;
use super::arguments::SimulateArguments;
use super::terminal::{Terminal, ending};
use crate::diagnostic::{Code, Diagnostic};
use crate::render::statistics;
use crate::session::{Command, OutputTimes, Simulate, Subjects, lower};
use crate::simulate::Method;

/// Simulates a file as the flags say.
pub fn simulate(terminal: &mut Terminal, arguments: &SimulateArguments) -> Ending {
    let spelled = match spelled(terminal, arguments) {
        Ok(command) => command,
        Err(problems) => {
            terminal.report(&problems);
            return ending(&problems);
        }
    };
    let result = if arguments.stats.is_some() {
        time(terminal, arguments, spelled)
    } else {
        perform(terminal, arguments, spelled)
    };
    result.unwrap_or_else(|problems| {
        terminal.report(&problems);
        ending(&problems)
    })
}

/// What the flags say, and whether they give the range of time.
#[derive(Clone)]
struct Spelled {
    command: Simulate,
    has_range: bool,
}

fn spelled(
    terminal: &mut Terminal,
    arguments: &SimulateArguments,
) -> Result<Spelled, Vec<Diagnostic>> {
    let mut sentence = format!("simulate {}", arguments.range.as_deref().unwrap_or("0..1"));
    let flags = [
        ("step", &arguments.step),
        ("points", &arguments.points),
        ("at", &arguments.at),
        ("using", &arguments.using),
        ("rtol", &arguments.rtol),
        ("atol", &arguments.atol),
        ("paths", &arguments.paths),
        ("seed", &arguments.seed),
        ("dt", &arguments.dt),
        ("of", &arguments.of),
    ];
    for (word, value) in flags {
        if let Some(value) = value {
            sentence.push_str(&format!(" {word} {value}"));
        }
    }
    if arguments.nonnegative {
        sentence.push_str(" nonnegative");
    }
    if let Some(subject) = &arguments.subject {
        let plain = subject
            .chars()
            .all(|c| c.is_alphanumeric() || "_.".contains(c));
        let subject = if plain {
            subject.clone()
        } else {
            in_quotes(subject)
        };
        sentence.push_str(&format!(" subject {subject}"));
    }
    if arguments.by_subject {
        sentence.push_str(" by subject");
    }
    sentence.push_str(&setting(&arguments.setting));
    let commands = terminal.session.understand(&sentence)?;
    match commands.into_iter().next() {
        Some(Command::Simulate(command)) => Ok(Spelled {
            command: *command,
            has_range: arguments.range.is_some(),
        }),
        _ => Err(vec![Diagnostic::new(
            Code::BadOption,
            format!("`{sentence}` is not understood"),
        )]),
    }
}

/// The file's own sentence with what the flags add.
fn merged(own: Option<Simulate>, spelled: Spelled) -> Result<Simulate, Vec<Diagnostic>> {
    if spelled.has_range {
        return Ok(spelled.command);
    }
    let Some(mut command) = own else {
        return Err(vec![
            Diagnostic::new(Code::MissingArgument, "the file has no `simulate` sentence")
                .help("give a range, as in `lotka simulate model.lotka 0..100`"),
        ]);
    };
    let flags = spelled.command;
    if flags.output != OutputTimes::Steps {
        command.output = flags.output;
    }
    if flags.method != Method::Auto {
        command.method = flags.method;
    }
    command.relative = flags.relative.or(command.relative);
    command.absolute = flags.absolute.or(command.absolute);
    command.setting.with.extend(flags.setting.with);
    command.setting.condition = flags.setting.condition.or(command.setting.condition);
    let (own, more) = (&mut command.chance, flags.chance);
    own.paths = more.paths.or(own.paths.take());
    own.seed = more.seed.or(own.seed.take());
    own.step = more.step.or(own.step.take());
    own.non_negative = more.non_negative.or(own.non_negative);
    if more.of_span.is_some() {
        (own.of, own.of_span) = (more.of, more.of_span);
    }
    if flags.subjects != Subjects::Unsaid {
        command.subjects = flags.subjects;
    }
    Ok(command)
}

fn perform(
    terminal: &mut Terminal,
    arguments: &SimulateArguments,
    spelled: Spelled,
) -> Result<Ending, Vec<Diagnostic>> {
    let reading = format!("reading {}", arguments.file.display());
    let performed = terminal.timed(&reading, |terminal| terminal.session.load(&arguments.file))?;
    terminal.report(&performed.diagnostics);
    // Assignments before the file's sentence belong to it.
    let mut own = None;
    let compiled = terminal.session.compiled().cloned();
    for statement in compiled
        .iter()
        .flat_map(|compiled| &compiled.model.sentences)
    {
        match lower(statement)? {
            Command::Simulate(command) => {
                own = Some(*command);
                break;
            }
            command @ Command::Set { .. } => {
                terminal.session.perform(&command, &mut ())?;
            }
            _ => {}
        }
    }
    let command = merged(own, spelled)?;
    let save = arguments.save.as_deref();
    let save = save.map(|path| format!("save {}", in_quotes(path)));
    let plot = arguments.plot.as_deref().map(|path| match path {
        "" => "plot".to_owned(),
        path => format!("plot to {}", in_quotes(path)),
    });
    let mut then = Vec::new();
    for sentence in save.into_iter().chain(plot) {
        then.extend(terminal.session.understand(&sentence)?);
    }
    // What may not be written is said before the run.
    let taken = then.iter().filter_map(|one| terminal.session.taken(one));
    let taken: Vec<Diagnostic> = taken.collect();
    if !taken.is_empty() {
        return Err(taken);
    }
    let mut worst = terminal.perform(&Command::Simulate(Box::new(command)));
    for command in &then {
        let ending = terminal.perform(command);
        if worst == Ending::Fine {
            worst = ending;
        }
    }
    Ok(worst)
}

/// A path as a quoted text of the language.
pub fn in_quotes(path: &str) -> String {
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))
}

fn time(
    terminal: &mut Terminal,
    arguments: &SimulateArguments,
    spelled: Spelled,
) -> Result<Ending, Vec<Diagnostic>> {
    let source = terminal
        .session
        .read(&arguments.file)
        .map_err(|problem| vec![problem])?;
    let repeats = arguments.repeat as usize;
    let timing = terminal
        .session
        .time(source, &|own| merged(own, spelled.clone()), repeats)?;
    terminal.print(&format!(
        "{}\n",
        statistics::json(&timing, &terminal.session.sources)
    ));
    terminal.report(&timing.diagnostics);
    Ok(ending(&timing.diagnostics))
}
