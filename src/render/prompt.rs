//! What the prompt answers to declarations, `undo`, `history` and `save session`.

use super::outcome::{counted, in_short, list};
use crate::session::{Declared, Undone};
use std::path::Path;

/// Values that a line declares; a pasted model is told in short.
const MOST_VALUES: usize = 4;

/// What declarations came to.
pub(super) fn declared(declared: &Declared) -> String {
    let mut text = String::new();
    for old in &declared.replaced {
        text.push_str(&format!("in place of: {}\n", on_one_line(old)));
    }
    if !declared.waiting.is_empty() {
        let one = declared.waiting.len() == 1;
        let names: Vec<String> = declared
            .waiting
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let first = declared.waiting.first().map_or("x", String::as_str);
        let (waits, what) = if one {
            ("waits", "its equation")
        } else {
            ("wait", "their equations")
        };
        let names = crate::diagnostic::listed(&names);
        text.push_str(&format!("{names} {waits} for {what}: {first}' = ...\n"));
    }
    let is_short = (1..=MOST_VALUES).contains(&declared.values.len());
    if is_short {
        for (name, numbers) in &declared.values {
            text.push_str(&format!("{name} = {}\n", list(numbers)));
        }
    } else if let Some(compiled) = &declared.compiled {
        text.push_str(&format!("the model: {}\n", in_short(compiled)));
    }
    if declared.forgot_runs {
        text.push_str("the last run is forgotten: it was of the model before\n");
    }
    text
}

/// What was taken back.
pub(super) fn undone(undone: &Undone) -> String {
    match undone {
        Undone::Set { name, was, again } => {
            format!(
                "undone: {name} = {} again (was {})\n",
                list(again),
                list(was)
            )
        }
        Undone::Fitted => "undone: the values before the fit hold again\n".to_owned(),
        Undone::Reset => "undone: the values before `reset` hold again\n".to_owned(),
        Undone::Declared(text) => format!("undone: {}\n", on_one_line(text)),
        Undone::Loaded(None) => "undone: no model is loaded\n".to_owned(),
        Undone::Loaded(Some(path)) if path.as_os_str().is_empty() => {
            "undone: the model declared here is back\n".to_owned()
        }
        Undone::Loaded(Some(path)) => format!("undone: {} is back as it was\n", path.display()),
    }
}

/// The lines typed so far, numbered as messages number them.
pub(super) fn history(lines: &[String]) -> String {
    let columns = lines.len().to_string().len();
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        let indent = format!("\n{}", " ".repeat(columns + 2));
        let line = line.trim_end().replace('\n', &indent);
        text.push_str(&format!("{:columns$}  {line}\n", at + 1));
    }
    text
}

/// A session was saved.
pub(super) fn saved(path: &Path, sentences: usize) -> String {
    let path = path.display();
    format!(
        "wrote {path}: `lotka run {path}` performs {}\n",
        counted(sentences, "sentence", "sentences")
    )
}

fn on_one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ")
}
