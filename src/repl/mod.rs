//! The prompt: read a line, do it, keep history.
//!
//! Enters: lines from a terminal or a pipe. Leaves: what the command line prints for the same
//! sentences. Must not know algorithms.

mod helper;

use crate::cli::{Ending, Terminal};
use crate::render::Colour;
use crate::session::Command;
use crate::syntax;
use crate::typing::Known;
use crate::world::Interrupt;
use helper::Typing;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, CompletionType, Config, Editor};
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

/// Lines kept from earlier sessions.
const MOST_LINES: usize = 10_000;

/// Talks until `quit` or the end of the input. Through a pipe, no prompt is printed, and the
/// ending is the gravest of all lines.
pub fn repl(terminal: &mut Terminal, file: Option<&Path>, interrupt: &Interrupt) -> Ending {
    let is_terminal = std::io::stdin().is_terminal();
    if is_terminal {
        terminal.begin_talk();
    }
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
    let mut editor = match editor() {
        Ok(editor) => editor,
        Err(error) => {
            terminal.print(&format!("no line editing on this terminal: {error}\n"));
            return;
        }
    };
    let history = history_file();
    if let Some(history) = &history {
        if let Some(folder) = history.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        // The first session has no history yet.
        let _ = editor.load_history(history);
    }
    if terminal.session.compiled().is_none() {
        terminal.print(
            "Lotka: `load \"model.lotka\"` takes up a model, or declare one; `help` says the rest.\n",
        );
    }
    while let Some(text) = heard(&mut editor, terminal) {
        if text.trim().is_empty() {
            continue;
        }
        let _ = editor.add_history_entry(text.as_str());
        if let Some(history) = &history {
            // Each line at once: a session that is killed has its history too.
            let _ = editor.append_history(history);
        }
        interrupt.clear();
        // The window may have another size by now.
        terminal.measure();
        if matches!(perform(terminal, &text), Answered::Quit) {
            break;
        }
        interrupt.clear();
    }
}

fn editor() -> rustyline::Result<Editor<Typing, FileHistory>> {
    let colour = Colour::on(&std::io::stdout());
    let config = Config::builder()
        .max_history_size(MOST_LINES)?
        .history_ignore_dups(true)?
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .color_mode(match colour {
            Colour::Always => ColorMode::Enabled,
            Colour::Never => ColorMode::Disabled,
        })
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Typing {
        known: Known::default(),
        before: String::new(),
        colour,
    }));
    Ok(editor)
}

/// The next statement, over as many lines as it takes; nothing at the end of the input. Ctrl-C
/// forgets what has been typed of it, as in a shell.
fn heard(editor: &mut Editor<Typing, FileHistory>, terminal: &Terminal) -> Option<String> {
    let mut text = String::new();
    loop {
        if let Some(typing) = editor.helper_mut() {
            typing.known.update(terminal.session.compiled());
            typing.before.clone_from(&text);
        }
        let prompt = if text.is_empty() { "> " } else { ". " };
        match editor.readline(prompt) {
            Ok(line) => text.push_str(&line),
            Err(ReadlineError::Interrupted) => text.clear(),
            Err(_) => return None,
        }
        if text.trim().is_empty() || !syntax::is_incomplete(&text) {
            return Some(text);
        }
        text.push('\n');
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
