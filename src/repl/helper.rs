//! What the line editor asks while a line is typed: completion, colours, hints.

use super::complete;
use super::known::Known;
use super::scan::{Kind, partner, tokens};
use crate::render::Colour;
use crate::session::verbs::{Value, Verb};
use crate::syntax::{DECLARATIONS, RESERVED};
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::SearchDirection;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};
use std::borrow::Cow;

// Colours of the terminal's own sixteen, which its theme keeps readable on its background.
const WORD: &str = "1";
const NUMBER: &str = "36";
const TEXT: &str = "32";
const OPTION: &str = "35";
const UNKNOWN: &str = "31";
const COMMENT: &str = "2";
const BRACKET: &str = "1;7";

/// What is known while a line is typed.
pub(super) struct Typing {
    /// The names of the model.
    pub known: Known,
    /// The lines of this statement that were typed before.
    pub before: String,
    /// Whether the terminal shows colours.
    pub colour: Colour,
}

impl Helper for Typing {}
// Lines that go on are read one by one, so that each shows that it continues.
impl Validator for Typing {}

impl Completer for Typing {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = format!("{}{}", self.before, line.get(..at).unwrap_or(""));
        let (start, found) = complete::suggestions(&typed, &self.known);
        let rest = line.get(at..).unwrap_or("");
        let pairs = found
            .into_iter()
            .map(|suggestion| Pair {
                display: suggestion.shown,
                // A quotation mark that is there already is not put there again.
                replacement: match suggestion.text.strip_suffix('"') {
                    Some(text) if rest.starts_with('"') => text.to_owned(),
                    _ => suggestion.text,
                },
            })
            .collect();
        Ok((start.saturating_sub(self.before.len()), pairs))
    }
}

/// Grey text after the cursor.
pub(super) struct Shadow {
    shown: String,
    /// Whether it may be taken over into the line.
    is_text: bool,
}

impl Hint for Shadow {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.is_text.then_some(self.shown.as_str())
    }
}

impl Hinter for Typing {
    type Hint = Shadow;

    /// The rest of the last line that began so, else what the verb takes.
    fn hint(&self, line: &str, at: usize, context: &Context<'_>) -> Option<Shadow> {
        if line.trim().is_empty() || at < line.len() {
            return None;
        }
        let history = context.history();
        let latest = history.len().checked_sub(1)?;
        let found = history.starts_with(line, latest, SearchDirection::Reverse);
        if let Ok(Some(found)) = found
            && let Some(rest) = found.entry.get(line.len()..)
            && !rest.is_empty()
            && !rest.contains('\n')
        {
            return Some(Shadow {
                shown: rest.to_owned(),
                is_text: true,
            });
        }
        let verb = Verb::find(line.strip_suffix(' ')?)?;
        let rest = verb.example.strip_prefix(verb.word)?.trim_start();
        let words: Vec<&str> = verb.options.iter().map(|choice| choice.word).collect();
        let shown = match (rest.is_empty(), words.is_empty()) {
            (true, true) => return None,
            (false, _) => format!("  as in: {rest}"),
            (true, false) => format!("  may have: {}", words.join(", ")),
        };
        Some(Shadow {
            shown,
            is_text: false,
        })
    }
}

impl Highlighter for Typing {
    fn highlight<'l>(&self, line: &'l str, at: usize) -> Cow<'l, str> {
        if self.colour == Colour::Never {
            return Cow::Borrowed(line);
        }
        Cow::Owned(self.painted(line, at))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        match self.colour {
            Colour::Never => Cow::Borrowed(hint),
            Colour::Always => Cow::Owned(format!("\x1b[{COMMENT}m{hint}\x1b[0m")),
        }
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.colour == Colour::Always
    }
}

impl Typing {
    fn painted(&self, line: &str, at: usize) -> String {
        let pair = partner(line, at);
        let mut out = String::with_capacity(line.len() * 2);
        // The first word of the statement, as far as it is on this line.
        let mut first = self.before.is_empty().then_some("");
        for token in tokens(line) {
            let text = token.text(line);
            let style = match token.kind {
                Kind::Number => Some(NUMBER),
                Kind::Text => Some(TEXT),
                Kind::Comment => Some(COMMENT),
                Kind::Bracket => pair
                    .is_some_and(|(here, there)| token.start == here || token.start == there)
                    .then_some(BRACKET),
                Kind::Word => {
                    let is_first = first == Some("");
                    let touched = token.start <= at && at <= token.end;
                    let after = line.get(token.end..).unwrap_or("").trim_start();
                    let style = self.style(text, first, touched, after);
                    if is_first {
                        first = Some(text);
                    }
                    style
                }
                Kind::End => {
                    first = Some("");
                    None
                }
                Kind::Sign | Kind::Blank => None,
            };
            match style {
                Some(style) => out.push_str(&format!("\x1b[{style}m{text}\x1b[0m")),
                None => out.push_str(text),
            }
        }
        out
    }

    /// How a word is shown; `first` is the one that its statement begins with, empty when it is
    /// this one.
    fn style(
        &self,
        word: &str,
        first: Option<&str>,
        touched: bool,
        after: &str,
    ) -> Option<&'static str> {
        let is_name = after.starts_with(['=', '\'', ':', '[']) && !after.starts_with("==");
        if first == Some("") && !is_name {
            if Verb::find(word).is_some() || DECLARATIONS.contains(&word) {
                return Some(WORD);
            }
        } else if RESERVED.contains(&word) && !matches!(word, "t" | "pi") {
            return Some(WORD);
        }
        let verb = first.and_then(Verb::find);
        if verb.is_some_and(|verb| verb.option(word).is_some()) {
            return Some(OPTION);
        }
        // New names are no mistakes where names are declared; nor is what is still being typed.
        let declares = match first {
            Some("") => after.starts_with(['\'', ':']),
            Some(first) => DECLARATIONS.contains(&first),
            None => true,
        };
        let takes_words = verb.is_some_and(|verb| {
            !matches!(
                verb.subjects,
                Value::Expressions | Value::Quantities | Value::Measures | Value::Ranges
            )
        });
        let name = word.trim_end_matches('\'');
        let is_known = self.known.role(name).is_some() || name == "t" || name == "pi";
        let is_doubtful = !is_known && !declares && !takes_words && !touched;
        (is_doubtful && verb.is_none() && !self.known.is_empty()).then_some(UNKNOWN)
    }
}
