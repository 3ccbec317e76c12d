//! `lotka fit`: the flags spell a sentence.

use super::Ending;
use super::answers::{finished, prepared, setting};
use super::arguments::{FitArguments, Format};
use super::simulate::in_quotes;
use super::terminal::{Terminal, ending};
use crate::diagnostic::{Code, Diagnostic};
use crate::session::{Command, Performed};

/// Finds parameters of a file from data, then does what is asked of the fit.
pub fn fit(terminal: &mut Terminal, arguments: &FitArguments) -> Ending {
    let fitted =
        prepared(terminal, &arguments.file).and_then(|_| performed(terminal, &sentence(arguments)));
    let Some(next) = afterwards(arguments) else {
        return finished(terminal, fitted, arguments.format);
    };
    let fitted = match fitted {
        Ok(fitted) => fitted,
        Err(problems) => return finished(terminal, Err(problems), arguments.format),
    };
    // JSON is one object: that of what is asked last.
    let first = match arguments.format {
        Format::Text => terminal.show(&fitted),
        Format::Json => {
            terminal.report(&fitted.diagnostics);
            ending(&fitted.diagnostics)
        }
    };
    if first == Ending::Interrupted {
        return first;
    }
    let result = performed(terminal, &next);
    match finished(terminal, result, arguments.format) {
        Ending::Fine => first,
        worse => worse,
    }
}

fn performed(terminal: &mut Terminal, sentence: &str) -> Result<Performed, Vec<Diagnostic>> {
    let commands = terminal.session.understand(sentence)?;
    match commands.as_slice() {
        [
            command @ (Command::Fit(_)
            | Command::FitAtRest(_)
            | Command::Profile(_)
            | Command::Bootstrap(_)),
        ] => terminal.watched(command),
        _ => {
            let message = format!("`{sentence}` is not understood");
            Err(vec![Diagnostic::new(Code::BadOption, message)])
        }
    }
}

/// The sentence after the fit.
fn afterwards(arguments: &FitArguments) -> Option<String> {
    if let Some(names) = &arguments.profile {
        return Some(format!("profile {}", names.join(", ")));
    }
    let replicates = arguments.bootstrap.as_ref()?;
    let seed = arguments.seed.as_ref();
    let seed = seed.map_or(String::new(), |seed| format!(" seed {seed}"));
    Some(format!("bootstrap {replicates}{seed}"))
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
        ("as", &arguments.kind),
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
    if let Some(layer) = &arguments.layer {
        add(format!(" layer {}", in_quotes(layer)));
    }
    if let Some(subject) = &arguments.subject {
        add(format!(" subject {}", in_quotes(subject)));
    }
    add(setting(&arguments.setting));
    sentence
}
