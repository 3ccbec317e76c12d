//! `lotka format`.
//!
//! Enters: the names of model files, or `-` for standard input. Leaves: the files in canonical
//! layout, each written anew only when it changes. A file with faults is left alone.

use super::Ending;
use super::terminal::{Terminal, ending};
use crate::diagnostic::{Code, Diagnostic};
use crate::session::{cannot_write, reason};
use crate::source::SourceId;
use crate::syntax::format;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Lays out all `files`; with `check` only says which of them would change.
pub fn format_files(terminal: &mut Terminal, files: &[PathBuf], check: bool) -> Ending {
    let mut worst = Ending::Fine;
    for file in files {
        let ending = match laid_out(terminal, file) {
            Ok(laid_out) => conclude(terminal, file, &laid_out, check),
            Err(problems) => {
                terminal.report(&problems);
                ending(&problems)
            }
        };
        if worst == Ending::Fine {
            worst = ending;
        }
    }
    worst
}

/// A text and its layout.
struct LaidOut {
    before: Arc<str>,
    after: String,
}

fn laid_out(terminal: &mut Terminal, file: &Path) -> Result<LaidOut, Vec<Diagnostic>> {
    let source = if is_standard_input(file) {
        standard_input(terminal)
    } else {
        terminal.session.read(file)
    }
    .map_err(|problem| vec![problem])?;
    let before = match terminal.session.sources.get(source) {
        Some(known) => Arc::clone(&known.text),
        None => "".into(),
    };
    let after = format::format(source, &before)?;
    Ok(LaidOut { before, after })
}

fn conclude(terminal: &Terminal, file: &Path, laid_out: &LaidOut, check: bool) -> Ending {
    let is_same = *laid_out.before == *laid_out.after;
    if check {
        if is_same {
            return Ending::Fine;
        }
        let name = if is_standard_input(file) {
            "standard input".to_owned()
        } else {
            file.display().to_string()
        };
        terminal.print(&format!("{name} is not formatted\n"));
        return Ending::Model;
    }
    if is_standard_input(file) {
        terminal.print(&laid_out.after);
        return Ending::Fine;
    }
    if is_same {
        return Ending::Fine;
    }
    let written = terminal
        .session
        .world()
        .replace(file, laid_out.after.as_bytes());
    match written.map_err(|error| cannot_write(file, &error)) {
        Ok(()) => {
            terminal.print(&format!("formatted {}\n", file.display()));
            Ending::Fine
        }
        Err(problem) => {
            terminal.report(std::slice::from_ref(&problem));
            ending(&[problem])
        }
    }
}

fn is_standard_input(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn standard_input(terminal: &mut Terminal) -> Result<SourceId, Diagnostic> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|error| {
        let message = format!("cannot read standard input: {}", reason(&error));
        Diagnostic::new(Code::CannotRead, message)
    })?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Diagnostic::new(Code::NotText, "standard input is not UTF-8 text")
            .help("a model file is plain text in UTF-8")
    })?;
    Ok(terminal.session.sources.add("standard input", text))
}
