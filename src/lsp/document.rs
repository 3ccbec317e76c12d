//! An open text: what the editor says it is, its tree, and what the last check made of it.

use super::position::Lines;
use super::uri::path_of;
use crate::diagnostic::Diagnostic;
use crate::model::{Bound, Occurrence, occurrences};
use crate::session::Compiled;
use crate::session::verbs::{Value, Verb};
use crate::source::{SourceId, SourceMap, Span};
use crate::syntax::{self, Parsed, tree};
use gen_lsp_types::{Position, Range, TextDocumentContentChangeEvent, Uri};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Of the text itself; other texts, of modules, come after it.
pub(super) const SOURCE: SourceId = SourceId(0);

/// What a check found.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    /// The version of the text that was checked.
    pub version: i32,
    /// All problems.
    pub diagnostics: Vec<Diagnostic>,
    /// The model, when its declarations have no error.
    pub compiled: Option<Arc<Compiled>>,
    /// The texts that the spans lie in; the first is the document's own.
    pub sources: SourceMap,
}

/// An open text.
#[derive(Debug)]
pub(super) struct Document {
    pub uri: Uri,
    pub path: PathBuf,
    pub version: i32,
    pub text: Arc<str>,
    pub lines: Lines,
    parsed: OnceLock<Parsed>,
    /// The last check.
    pub checked: Option<Checked>,
    /// The last check that gave a model.
    pub sound: Option<Checked>,
}

impl Document {
    pub fn new(uri: Uri, version: i32, text: &str) -> Document {
        Document {
            path: path_of(&uri),
            uri,
            version,
            lines: Lines::new(text),
            text: text.into(),
            parsed: OnceLock::new(),
            checked: None,
            sound: None,
        }
    }

    /// Takes up what was typed.
    pub fn change(&mut self, version: i32, changes: Vec<TextDocumentContentChangeEvent>) {
        use TextDocumentContentChangeEvent as Event;
        let mut text = self.text.to_string();
        for change in changes {
            match change {
                Event::TextDocumentContentChangeWholeDocument(whole) => text = whole.text,
                Event::TextDocumentContentChangePartial(part) => {
                    let from = self.lines.offset(&text, part.range.start);
                    let to = self.lines.offset(&text, part.range.end).max(from);
                    text.replace_range(from..to, &part.text);
                }
            }
            // Each change is told in positions of the text after the one before.
            self.lines = Lines::new(&text);
        }
        self.text = text.into();
        self.version = version;
        self.parsed = OnceLock::new();
    }

    /// Takes up a check, unless the text has moved on.
    pub fn take(&mut self, checked: Checked) -> bool {
        if checked.version != self.version {
            return false;
        }
        if checked.compiled.is_some() {
            self.sound = Some(checked.clone());
        }
        self.checked = Some(checked);
        true
    }

    /// The tree of all sound statements, and the faults of the others.
    pub fn parsed(&self) -> &Parsed {
        self.parsed
            .get_or_init(|| syntax::parse_file(SOURCE, &self.text))
    }

    pub fn file(&self) -> &tree::File {
        &self.parsed().file
    }

    /// True where `use` takes something from another file.
    pub fn uses_others(&self) -> bool {
        let mut statements = self.file().statements.iter();
        statements.any(|one| matches!(one.kind, tree::StatementKind::Use { .. }))
    }

    /// The newest model that could be made of the text.
    pub fn compiled(&self) -> Option<&Arc<Compiled>> {
        self.sound.as_ref()?.compiled.as_ref()
    }

    /// True when that model is of the text as it stands.
    pub fn is_current(&self) -> bool {
        self.sound
            .as_ref()
            .is_some_and(|sound| sound.version == self.version)
    }

    /// The folder that data files are looked for in.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    pub fn slice(&self, span: Span) -> &str {
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
    }

    pub fn offset(&self, position: Position) -> usize {
        self.lines.offset(&self.text, position)
    }

    pub fn range(&self, span: Span) -> Range {
        self.lines.range(&self.text, span)
    }

    /// All names of the text, without the words that sentences take instead of names.
    pub fn occurrences(&self) -> Vec<Occurrence<'_>> {
        let mut all = occurrences(self.file());
        all.retain(|found| !is_word(found));
        all
    }

    /// The name that a place touches: inside it, at its end, or behind its primes. Of a dotted path
    /// and its first part, the part that is declared here.
    pub fn occurrence_at(&self, at: usize) -> Option<Occurrence<'_>> {
        let before = self.text.get(..at)?;
        let unprimed = before.trim_end_matches('\'').len();
        let touches = |found: &Occurrence<'_>, at: usize| {
            (found.span.start as usize) <= at && at <= found.span.end as usize
        };
        let all = self.occurrences();
        let at = if all.iter().any(|found| touches(found, at)) {
            at
        } else {
            unprimed
        };
        let near = all.into_iter().filter(|found| touches(found, at));
        // Where two meet, as in `x*y`, an operator stands between; only a part and its whole overlap.
        near.min_by_key(|found| found.bound == Bound::Open)
    }
}

/// True where a sentence takes a word of its own: `using rodas`, `show equations`, `log y`.
fn is_word(found: &Occurrence<'_>) -> bool {
    let Some(place) = found.sentence else {
        return false;
    };
    let Some(verb) = Verb::find(place.verb) else {
        return false;
    };
    let value = match place.option {
        None => Some(verb.subjects),
        Some(word) => verb.option(word).map(|choice| choice.value),
    };
    match value {
        Some(Value::Words(words)) => words.contains(&found.name),
        Some(Value::Method | Value::Topic | Value::HelpWord | Value::Text) => true,
        _ => false,
    }
}
