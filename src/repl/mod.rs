//! The prompt: read a line, do it, keep history.
//!
//! Enters: lines from a terminal or a pipe. Leaves: what the command line prints for the same
//! sentences. Must not know algorithms.

use crate::cli::{Ending, Terminal};
use crate::session::Command;
use crate::syntax;
use crate::world::Interrupt;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Completer, Editor, Helper, Highlighter, Hinter};
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

/// Knows when a line goes on: an open block or bracket, a trailing operator.
#[derive(Completer, Helper, Highlighter, Hinter)]
struct Lines;

impl Validator for Lines {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if syntax::is_incomplete(context.input()) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

/// Talks until `quit` or the end of the input. Through a pipe, no prompt is printed, and the
/// ending is the gravest of all lines.
pub fn repl(terminal: &mut Terminal, file: Option<&Path>, interrupt: &Interrupt) -> Ending {
    let is_terminal = std::io::stdin().is_terminal();
    let mut worst = Ending::Fine;
    if let Some(file) = file {
        worst = match terminal.session.load(file) {
            Ok(performed) => terminal.show(&performed),
            Err(problems) => {
                terminal.report(&problems);
                crate::cli::ending(&problems)
            }
        };
        terminal.session.begin();
    }
    if is_terminal {
        talk(terminal, interrupt);
        return Ending::Fine;
    }
    let mut pending = String::new();
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        pending.push_str(&line);
        if syntax::is_incomplete(&pending) {
            pending.push('\n');
            continue;
        }
        let text = std::mem::take(&mut pending);
        match perform(terminal, &text) {
            Answered::Quit => return worst,
            Answered::Done(ending) if worst == Ending::Fine => worst = ending,
            Answered::Done(_) => {}
        }
    }
    if !pending.trim().is_empty()
        && let Answered::Done(ending) = perform(terminal, &pending)
        && worst == Ending::Fine
    {
        worst = ending;
    }
    worst
}

fn talk(terminal: &mut Terminal, interrupt: &Interrupt) {
    let mut editor: Editor<Lines, FileHistory> = match Editor::new() {
        Ok(editor) => editor,
        Err(error) => {
            terminal.print(&format!("no line editing on this terminal: {error}\n"));
            return;
        }
    };
    editor.set_helper(Some(Lines));
    let history = history_file();
    if let Some(history) = &history {
        // The first session has no history yet.
        let _ = editor.load_history(history);
    }
    if terminal.session.compiled().is_none() {
        terminal.print("Lotka: `load \"model.lotka\"` takes up a model, `help` says the rest.\n");
    }
    loop {
        match editor.readline("> ") {
            Ok(line) => {
                if line.trim().is_empty() {
                    continue;
                }
                let _ = editor.add_history_entry(line.as_str());
                interrupt.clear();
                if matches!(perform(terminal, &line), Answered::Quit) {
                    break;
                }
            }
            // Ctrl-C on a line forgets the line, as in a shell.
            Err(ReadlineError::Interrupted) => {}
            Err(_) => break,
        }
    }
    if let Some(history) = &history {
        if let Some(folder) = history.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        let _ = editor.save_history(history);
    }
}

enum Answered {
    Done(Ending),
    Quit,
}

fn perform(terminal: &mut Terminal, line: &str) -> Answered {
    if line.trim().is_empty() {
        return Answered::Done(Ending::Fine);
    }
    let heard = match terminal.session.hear(line) {
        Ok(heard) => heard,
        Err(problems) => {
            terminal.session.note_failure(line, &problems);
            terminal.report(&problems);
            return Answered::Done(crate::cli::ending(&problems));
        }
    };
    for said in &heard {
        if said.command == Command::Quit {
            return Answered::Quit;
        }
        let ending = terminal.perform_said(said);
        if ending != Ending::Fine {
            return Answered::Done(ending);
        }
    }
    Answered::Done(Ending::Fine)
}

/// Where the lines of earlier sessions are kept, by the XDG convention.
fn history_file() -> Option<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| {
            std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"))
        })?;
    Some(data.join("lotka").join("history"))
}
