//! What was done in a session, and the file that does it again.
//!
//! Enters: every line performed at the prompt, with how it ended. Leaves: the text of a model file
//! with the declarations, values and sentences that gave the same answers.

use super::command::{Command, SaveSession};
use super::declare::Written;
use super::lower::ends_in;
use super::options::Options;
use super::{Outcome, Performed, Session, cannot_write, done};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{SourceId, Span};
use crate::symbolic::Shape;
use crate::syntax::tree::{self, ExprKind, StatementKind};
use std::path::{Path, PathBuf};

/// How every saved session begins.
const FIRST_LINE: &str = "# A Lotka session";

/// The lines of a session, in chapters: with a new model a new one begins.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// One at least.
    chapters: Vec<Chapter>,
}

/// What was done with one model.
#[derive(Debug, Clone, Default)]
struct Chapter {
    /// The assignments that held when it began.
    values: Vec<String>,
    deeds: Vec<Deed>,
}

/// One sentence or assignment.
#[derive(Debug, Clone)]
struct Deed {
    text: String,
    /// Why it is not done again; empty for what only the prompt understands.
    left_out: Option<String>,
}

/// A command with the text that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// What was meant.
    pub command: Command,
    /// What was typed.
    pub text: String,
}

impl Default for Record {
    fn default() -> Record {
        Record {
            chapters: vec![Chapter::default()],
        }
    }
}

impl Record {
    /// The number of the present chapter.
    pub fn chapter(&self) -> usize {
        self.chapters.len()
    }

    /// How much has been done in the present chapter.
    pub fn deeds(&self) -> usize {
        self.chapters.last().map_or(0, |last| last.deeds.len())
    }

    /// Goes on with an earlier chapter after its first `deeds`, as the present one; gives its new
    /// number. What followed in it stays where it was.
    pub fn resume(&mut self, chapter: usize, deeds: usize) -> usize {
        let known = chapter
            .checked_sub(1)
            .and_then(|at| self.chapters.get_mut(at));
        let resumed = known.map_or_else(Chapter::default, |known| {
            let after = known.deeds.split_off(deeds.min(known.deeds.len()));
            let before = std::mem::replace(&mut known.deeds, after);
            Chapter {
                values: known.values.clone(),
                deeds: before,
            }
        });
        self.chapters.push(resumed);
        self.chapter()
    }

    fn add(&mut self, text: &str, left_out: Option<String>) {
        if let Some(chapter) = self.chapters.last_mut() {
            chapter.deeds.push(Deed {
                text: text.to_owned(),
                left_out,
            });
        }
    }
}

impl Session {
    /// Notes that the model is another one now.
    pub(super) fn begin_chapter(&mut self) {
        let values = self.assignments();
        self.record.chapters.push(Chapter {
            values,
            deeds: Vec::new(),
        });
    }

    /// The assignments that hold, as sentences.
    fn assignments(&self) -> Vec<String> {
        let Some(loaded) = &self.loaded else {
            return Vec::new();
        };
        self.overrides.sentences(&loaded.compiled)
    }

    /// Notes a line that could not be read.
    pub fn note_failure(&mut self, line: &str, problems: &[Diagnostic]) {
        self.record.add(line.trim(), Some(failed(problems)));
    }

    /// Notes how a command ended.
    pub fn note(&mut self, said: &Said, result: &Result<Performed, Vec<Diagnostic>>) {
        let is_of_file = match &said.command {
            // These are in the text of the model, or make no sense in a file.
            Command::Declare(_) => return self.note_if_failed(said, result),
            Command::Load(_)
            | Command::Reload
            | Command::Help(_)
            | Command::Explain(_)
            | Command::History
            | Command::SaveSession(_)
            | Command::Quit => return,
            // A file has no bare expressions, and checks an assertion along every run.
            Command::Evaluate(_) | Command::Assert(_) => false,
            Command::Undo => {
                // What is undone with the model begins a chapter and is no part of it.
                let in_chapter = matches!(
                    result,
                    Ok(Performed {
                        outcome: Outcome::Undone(undone),
                        ..
                    }) if undone.is_of_values()
                ) && self
                    .record
                    .chapters
                    .last()
                    .is_none_or(|chapter| !chapter.deeds.is_empty());
                if !in_chapter {
                    return;
                }
                true
            }
            _ => true,
        };
        let why = match result {
            Err(problems) => Some(failed(problems)),
            Ok(performed) if stopped(performed) => Some("stopped by hand".to_owned()),
            Ok(_) if !is_of_file => Some(String::new()),
            Ok(_) => None,
        };
        self.record.add(&said.text, why);
    }

    fn note_if_failed(&mut self, said: &Said, result: &Result<Performed, Vec<Diagnostic>>) {
        if let Err(problems) = result {
            self.record.add(&said.text, Some(failed(problems)));
        }
    }

    /// Writes the session into a file.
    ///
    /// # Errors
    /// No model; a file that is there already, unless this session was saved to it before or
    /// `overwrite` is said; what the file system says.
    pub(super) fn save_session(
        &mut self,
        command: &SaveSession,
    ) -> Result<Performed, Vec<Diagnostic>> {
        self.need_model()?;
        let path = PathBuf::from(&command.path.text);
        let (text, sentences) = self.as_text(&path);
        let written = match command.overwrite {
            true => self.world.replace(&path, text.as_bytes()),
            false => self.world.write(&path, text.as_bytes()),
        };
        written.map_err(|error| {
            let problem = cannot_write(&path, &error).at(command.path.span, "");
            vec![match error.kind() {
                std::io::ErrorKind::AlreadyExists => problem.help(format!(
                    "take another name, or write `save session \"{}\" overwrite`",
                    command.path.text
                )),
                _ => problem,
            }]
        })?;
        let outcome = Outcome::SavedSession {
            path: path.clone(),
            sentences,
        };
        Ok(Performed {
            diagnostics: self.would_not_run(&path, command.path.span),
            ..done(outcome)
        })
    }

    /// A warning when the file would not run as it stands: tables are looked for beside it.
    fn would_not_run(&mut self, path: &Path, span: Span) -> Vec<Diagnostic> {
        let examined = self.examine(path);
        let Some(problem) = examined.diagnostics.iter().find(|one| one.is_error()) else {
            return Vec::new();
        };
        let warning = Diagnostic::new(
            Code::SessionIncomplete,
            "this file would not run from there",
        )
        .at(span, problem.message.clone());
        let folder = self.loaded.as_ref().and_then(|one| one.path.parent());
        vec![
            match folder.filter(|folder| !folder.as_os_str().is_empty()) {
                Some(folder) if problem.code == Code::CannotRead => warning.help(format!(
                    "tables are looked for beside the file: save it in {}",
                    folder.display()
                )),
                _ => warning.help("look into it before you run it"),
            },
        ]
    }

    /// The whole file, and how many sentences it performs.
    fn as_text(&self, path: &Path) -> (String, usize) {
        let mut text = format!(
            "{FIRST_LINE}; `lotka run {}` performs it again.\n",
            path.display()
        );
        if let Some(loaded) = &self.loaded {
            if !loaded.path.as_os_str().is_empty() {
                text.push_str(&format!("# The model is {}.\n", loaded.path.display()));
            }
            text.push('\n');
            text.push_str(&self.text_of_model(&loaded.written));
        }
        if let Some(waiting) = &self.waiting {
            let known = self
                .loaded
                .as_ref()
                .map_or(0, |one| one.written.typed.len());
            text.push_str("\n# waits for its equation\n");
            for statement in waiting.typed.iter().skip(known) {
                text.push_str(&commented(self.sources.slice(statement.span)));
            }
        }
        let sentences = self.sentences(&mut text);
        (text, sentences)
    }

    /// The text of the loaded model as it stands in its file; one that grew at the prompt with what
    /// was typed.
    pub(super) fn text_of_loaded(&self) -> String {
        let Some(loaded) = &self.loaded else {
            return String::new();
        };
        if !loaded.written.typed.is_empty() {
            return self.text_of_model(&loaded.written);
        }
        let model = &loaded.compiled.model;
        let states = model.states.iter().map(|known| known.span);
        let parameters = model.parameters.iter().map(|known| known.span);
        // The model's own text is read before those that it uses.
        let declared = states.chain(parameters).map(|span| span.source).min();
        let file = loaded.written.file.or(declared);
        file.map_or_else(String::new, |file| self.text_of(file).to_string())
    }

    /// The file with its sentences and with replaced statements as comments, then what was typed.
    fn text_of_model(&self, written: &Written) -> String {
        let mut text = written
            .file
            .map_or_else(String::new, |file| self.text_of_file(file, &written.struck));
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        if !written.typed.is_empty() {
            text.push_str(if text.is_empty() {
                "# declared at the prompt\n"
            } else {
                "\n# declared at the prompt\n"
            });
        }
        for statement in written.lines() {
            for line in statement.doc.iter().flat_map(|doc| doc.lines()) {
                text.push_str(&format!("## {line}\n"));
            }
            text.push_str(self.sources.slice(statement.span));
            text.push('\n');
        }
        text
    }

    fn text_of_file(&self, file: SourceId, struck: &[Span]) -> String {
        let mut text = self.text_of(file).to_string();
        let parsed = crate::syntax::parse_file(file, &text).file.statements;
        let is_left_out = |kind: &StatementKind| {
            matches!(
                kind,
                StatementKind::Sentence(_)
                    | StatementKind::Assign { .. }
                    | StatementKind::Expression(_)
            )
        };
        let left_out = parsed
            .iter()
            .filter(|statement| is_left_out(&statement.kind) || struck.contains(&statement.span));
        for statement in left_out.rev() {
            let (start, end) = (statement.span.start as usize, statement.span.end as usize);
            let Some(old) = text.get(start..end).map(str::to_owned) else {
                continue;
            };
            let rest = text.get(end..).unwrap_or("");
            let rest = rest.split('\n').next().unwrap_or("").trim();
            // What follows on the line is not to become part of the comment.
            let stands_last = rest.is_empty() || rest.starts_with('#');
            let new = if stands_last {
                commented(&old).trim_end().to_owned()
            } else {
                String::new()
            };
            text.replace_range(start..end, &new);
        }
        text
    }

    /// Adds values and sentences: those of the last chapter are done again, earlier ones, which
    /// were about another model, are told. Gives how many are done.
    fn sentences(&self, text: &mut String) -> usize {
        let Some((last, earlier)) = self.record.chapters.split_last() else {
            return 0;
        };
        if earlier.iter().any(|chapter| !chapter.deeds.is_empty()) {
            text.push_str("\n# asked while the model was another one\n");
            for deed in earlier.iter().flat_map(|chapter| &chapter.deeds) {
                text.push_str(&commented(&deed.text));
            }
        }
        if !last.values.is_empty() {
            text.push_str("\n# values set before\n");
            for value in &last.values {
                text.push_str(value);
                text.push('\n');
            }
        }
        if !last.deeds.is_empty() {
            text.push_str("\n# what was done\n");
        }
        for deed in &last.deeds {
            match &deed.left_out {
                None => {
                    text.push_str(&deed.text);
                    text.push('\n');
                }
                Some(why) => {
                    if !why.is_empty() {
                        text.push_str(&format!("# {why}:\n"));
                    }
                    text.push_str(&commented(&deed.text));
                }
            }
        }
        last.deeds
            .iter()
            .filter(|deed| deed.left_out.is_none())
            .count()
    }
}

/// `save session "today.lotka" overwrite`
pub(super) fn lower(
    sentence: &tree::Sentence,
    option: &tree::SentenceOption,
    mut options: Options<'_>,
) -> Option<Command> {
    let overwrite = options.take("overwrite").is_some();
    if let Some(subject) = sentence.subjects.first() {
        options.problem(
            Diagnostic::new(Code::BadOption, "a session is saved as a whole")
                .at(subject.value.span, "one too many")
                .help("as in `save session \"today.lotka\"`"),
        );
    }
    let path = match option.values.as_slice() {
        [value] => match &value.kind {
            ExprKind::Text(text) => tree::Text {
                text: text.clone(),
                span: value.span,
            },
            _ => {
                options.needs_text(option);
                return options.abandon();
            }
        },
        _ => {
            options.needs_text(option);
            return options.abandon();
        }
    };
    if !ends_in(&path.text, &["lotka"]) {
        options.problem(
            Diagnostic::new(Code::CannotWrite, "a session is saved as a model file")
                .at(path.span, "this ending means something else")
                .help("end the name in `.lotka`"),
        );
    }
    options.finish(|| Ok(Command::SaveSession(SaveSession { path, overwrite })))
}

/// Every line as a comment.
fn commented(text: &str) -> String {
    text.lines().map(|line| format!("# {line}\n")).collect()
}

fn failed(problems: &[Diagnostic]) -> String {
    match problems.iter().find(|problem| problem.is_error()) {
        Some(problem) => format!("failed ({}: {})", problem.code.as_str(), problem.message),
        None => "failed".to_owned(),
    }
}

fn stopped(performed: &Performed) -> bool {
    let mut problems = performed.diagnostics.iter();
    problems.any(|problem| problem.code == Code::Interrupted)
}

/// `k = 2.0`, `k = [1.0, 2.0]`, `A = [[1.0, 0.0], [0.0, 1.0]]`
pub(super) fn assignment(name: &str, numbers: &[f64], shape: Shape) -> String {
    let plain: Vec<String> = numbers.iter().map(|number| format!("{number:?}")).collect();
    match shape {
        Shape::Scalar => format!("{name} = {}", plain.join("")),
        Shape::Vector(_) => format!("{name} = [{}]", plain.join(", ")),
        Shape::Matrix(rows, _) => {
            let rows = rows.max(1);
            // Numbers of a matrix stand column by column.
            let row = |at: usize| -> Vec<&str> {
                plain
                    .iter()
                    .skip(at)
                    .step_by(rows)
                    .map(String::as_str)
                    .collect()
            };
            let lines: Vec<String> = (0..rows)
                .map(|at| format!("[{}]", row(at).join(", ")))
                .collect();
            format!("{name} = [{}]", lines.join(", "))
        }
    }
}
