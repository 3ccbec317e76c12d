//! What may stand at the cursor.
//!
//! Enters: the statement up to the cursor, the names of the model. Leaves: where the unfinished
//! word begins, and the words that it may become. The table of sentences says what each takes.

use super::known::{Known, Role};
use super::scan::{Kind, Token, tokens};
use crate::analyze::Measure;
use crate::session::Topic;
use crate::session::verbs::{Choice, VERBS, Value, Verb};
use crate::simulate::Method;
use crate::syntax::{DECLARATIONS, written_name};
use std::path::Path;

/// Suggestions shown at once; a longer beginning narrows them.
const MOST: usize = 200;

/// A word that may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suggestion {
    /// As it is listed.
    pub shown: String,
    /// As it is put into the line.
    pub text: String,
}

/// The suggestions for the end of `text`, and the byte where the word that they replace begins.
pub(super) fn suggestions(text: &str, known: &Known) -> (usize, Vec<Suggestion>) {
    let all = tokens(text);
    let begin = all
        .iter()
        .rposition(|token| token.kind == Kind::End || token.text(text) == "{")
        .map_or(0, |at| at + 1);
    let statement = all.get(begin..).unwrap_or(&[]);
    let (before, word) = match statement.split_last() {
        Some((last, before)) if last.kind == Kind::Word || is_open_text(last, text) => {
            (before, Some(last))
        }
        Some((last, _)) if matches!(last.kind, Kind::Comment | Kind::Text | Kind::Number) => {
            return (text.len(), Vec::new());
        }
        _ => (statement, None),
    };
    let start = word.map_or(text.len(), |token| token.start);
    let typed = word.map_or("", |token| token.text(text));
    let before: Vec<Token> = before
        .iter()
        .filter(|token| token.kind != Kind::Blank)
        .copied()
        .collect();
    let place = Place {
        text,
        before,
        known,
    };
    if let Some(path) = typed.strip_prefix('"') {
        return (start + 1 + folder_length(path), place.files(path));
    }
    let mut found = place.words(typed);
    found.truncate(MOST);
    (start, found)
}

fn is_open_text(token: &Token, text: &str) -> bool {
    let quoted = token.text(text);
    token.kind == Kind::Text && (quoted.len() == 1 || !quoted.ends_with('"'))
}

fn folder_length(path: &str) -> usize {
    path.rfind('/').map_or(0, |at| at + 1)
}

/// What stands before the cursor in its statement.
struct Place<'l> {
    text: &'l str,
    before: Vec<Token>,
    known: &'l Known,
}

impl Place<'_> {
    fn word(&self, token: &Token) -> &str {
        token.text(self.text)
    }

    /// The sentence's verb, when it begins with one.
    fn verb(&self) -> Option<&'static Verb> {
        let first = self.before.first()?;
        let verb = Verb::find(self.word(first))?;
        // `plot = 3` and `plot + 1` are about a name.
        let second = self.before.get(1).map_or("", |token| self.word(token));
        (!matches!(second, "=" | "+" | "*" | "/" | "^" | "'" | ":")).then_some(verb)
    }

    /// The option that the cursor stands in, and how many tokens follow its word.
    fn option(&self, verb: &'static Verb) -> Option<(&'static Choice, usize)> {
        let mut depth = 0_i32;
        let mut found = None;
        for (at, token) in self.before.iter().enumerate().skip(1) {
            match self.word(token) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                word if depth == 0 && token.kind == Kind::Word => {
                    if let Some(choice) = verb.option(word) {
                        found = Some((choice, self.before.len() - at - 1));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// True when the last token asks for a value: an operator, a comma, an open bracket.
    fn wants_value(&self) -> bool {
        let Some(last) = self.before.last() else {
            return false;
        };
        match last.kind {
            Kind::Sign => true,
            Kind::Bracket => matches!(self.word(last), "(" | "[" | "{"),
            _ => false,
        }
    }

    fn words(&self, typed: &str) -> Vec<Suggestion> {
        if let Some(members) = self.members(typed) {
            return members;
        }
        if self.before.is_empty() {
            return self.beginnings(typed);
        }
        let Some(verb) = self.verb() else {
            return match self.before.first().map(|token| self.word(token)) {
                Some(first) if DECLARATIONS.contains(&first) && self.before.len() == 1 => {
                    Vec::new()
                }
                _ => self.expressions(typed),
            };
        };
        let (value, follows) = match self.option(verb) {
            Some((choice, follows)) => (choice.value, follows),
            None => (verb.subjects, self.before.len() - 1),
        };
        if self.wants_value() {
            return match value {
                Value::Bindings if self.before.last().is_some_and(|t| self.word(t) == ",") => {
                    self.values(value, typed)
                }
                Value::Bindings | Value::Ranges => self.expressions(typed),
                _ if self.is_inside_brackets() => self.expressions(typed),
                _ => self.values(value, typed),
            };
        }
        let is_in_option = self.option(verb).is_some();
        if follows == 0 {
            let mut found = self.values(value, typed);
            // The verb's own subject may be left out; what an option needs may not.
            if !is_in_option || value == Value::Nothing {
                found.extend(self.options(verb, typed));
            }
            return found;
        }
        self.options(verb, typed)
    }

    fn is_inside_brackets(&self) -> bool {
        let depth: i32 = self
            .before
            .iter()
            .map(|token| match self.word(token) {
                "(" | "[" | "{" => 1,
                ")" | "]" | "}" => -1,
                _ => 0,
            })
            .sum();
        depth > 0
    }

    /// The members of an index set, inside the bracket that touches a name.
    fn members(&self, typed: &str) -> Option<Vec<Suggestion>> {
        let mut depth = 0;
        let mut place = 0;
        for (at, token) in self.before.iter().enumerate().rev() {
            match self.word(token) {
                "]" | ")" => depth += 1,
                "(" if depth == 0 => return None,
                "," if depth == 0 => place += 1,
                "[" if depth == 0 => {
                    let name = self.before.get(at.checked_sub(1)?)?;
                    if name.kind != Kind::Word || name.end != token.start {
                        return None;
                    }
                    let members = self.known.members(self.word(name), place);
                    let found = members.into_iter().map(|member| written_name_of(&member));
                    let fit = found.filter(|member| begins(member, typed));
                    return Some(fit.map(|member| plain(&member)).take(MOST).collect());
                }
                "(" | "[" => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// What begins a statement.
    fn beginnings(&self, typed: &str) -> Vec<Suggestion> {
        let verbs = VERBS.iter().filter(|verb| verb.word.starts_with(typed));
        let mut found: Vec<Suggestion> = verbs.map(verb_with_space).collect();
        // Values are asked for by name; a function begins a line when nothing else does.
        found.extend(self.names(typed, &[Role::Quantity, Role::Definition], false));
        if !typed.is_empty() {
            let words = DECLARATIONS.iter().filter(|word| word.starts_with(typed));
            let words = words.filter(|word| Verb::find(word).is_none());
            found.extend(words.map(|word| spaced(word)));
        }
        if found.is_empty() {
            found = self.names(typed, &[Role::Function], !typed.is_empty());
        }
        found
    }

    fn expressions(&self, typed: &str) -> Vec<Suggestion> {
        self.names(
            typed,
            &[Role::Quantity, Role::Definition, Role::Function],
            !typed.is_empty(),
        )
    }

    /// Names of the model; functions only when some of the word is typed.
    fn names(&self, typed: &str, roles: &[Role], functions: bool) -> Vec<Suggestion> {
        let quoted = typed.strip_prefix('`');
        let mut found: Vec<Suggestion> = self
            .known
            .beginning(typed, roles)
            .filter(|(_, role)| functions || *role != Role::Function)
            .map(|(name, role)| match role {
                Role::Function => Suggestion {
                    shown: format!("{name}("),
                    text: format!("{name}("),
                },
                _ => plain(name),
            })
            .take(MOST + 1)
            .collect();
        // A name that needs no backquotes may be written in them, and one that does without.
        let other = match quoted {
            Some(inside) => inside.to_owned(),
            None if !typed.is_empty() => format!("`{typed}"),
            None => return found,
        };
        let more = self.known.beginning(&other, roles);
        found.extend(more.map(|(name, _)| plain(name)).take(MOST));
        found
    }

    fn options(&self, verb: &'static Verb, typed: &str) -> Vec<Suggestion> {
        let used = |choice: &Choice| {
            let mut words = self.before.iter().skip(1);
            words.any(|token| token.kind == Kind::Word && self.word(token) == choice.word)
        };
        let mut found: Vec<Suggestion> = verb
            .options
            .iter()
            .filter(|choice| choice.word.starts_with(typed) && !used(choice))
            .map(|choice| match choice.value {
                Value::Nothing => plain(choice.word),
                _ => spaced(choice.word),
            })
            .collect();
        if verb.word == "plot" && begins("vs", typed) && !self.before.is_empty() {
            found.push(spaced("vs"));
        }
        found
    }

    fn values(&self, value: Value, typed: &str) -> Vec<Suggestion> {
        let words = |words: &mut dyn Iterator<Item = &str>| -> Vec<Suggestion> {
            words
                .filter(|word| begins(word, typed))
                .map(plain)
                .collect()
        };
        match value {
            Value::Topic => words(&mut Topic::WORDS.iter().map(|(word, _)| *word)),
            Value::Method => words(&mut Method::ALL.iter().map(|method| method.name())),
            Value::Words(list) => words(&mut list.iter().copied()),
            Value::HelpWord => {
                let mut list: Vec<&str> = crate::render::help::topics().collect();
                list.sort_unstable();
                list.dedup();
                words(&mut list.into_iter())
            }
            Value::Condition => self.names(typed, &[Role::Condition], false),
            Value::Quantities | Value::Ranges => self.names(typed, &[Role::Quantity], false),
            Value::Bindings => {
                let mut found = self.names(typed, &[Role::Quantity], false);
                for one in &mut found {
                    one.text.push_str(" = ");
                }
                found
            }
            Value::Measures => {
                let all = Measure::ALL.iter().map(|(word, _)| *word);
                let fit = all.chain(["time_of"]).filter(|word| begins(word, typed));
                fit.map(|word| plain(&format!("{word}("))).collect()
            }
            Value::Expressions => self.expressions(typed),
            Value::File(_) if typed.is_empty() => vec![plain("\"")],
            _ => Vec::new(),
        }
    }

    /// The files and folders that a path may become.
    fn files(&self, path: &str) -> Vec<Suggestion> {
        let (folder, begin) = path.split_at(folder_length(path));
        let endings = self.verb().map_or(&[] as &[&str], |verb| {
            let value = self
                .option(verb)
                .map_or(verb.subjects, |(choice, _)| choice.value);
            match value {
                Value::File(endings) => endings,
                _ => &[],
            }
        });
        let looked = if folder.is_empty() { "." } else { folder };
        let Ok(entries) = std::fs::read_dir(Path::new(looked)) else {
            return Vec::new();
        };
        let mut found: Vec<Suggestion> = entries
            .filter_map(Result::ok)
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let hidden = name.starts_with('.') && !begin.starts_with('.');
                if hidden || !name.starts_with(begin) || name.contains('"') {
                    return None;
                }
                if entry.path().is_dir() {
                    return Some(plain(&format!("{name}/")));
                }
                let ending = Path::new(&name).extension().and_then(|one| one.to_str());
                let fits = endings.is_empty() || endings.contains(&ending.unwrap_or(""));
                fits.then(|| Suggestion {
                    text: format!("{name}\""),
                    shown: name,
                })
            })
            .collect();
        found.sort_unstable_by(|left, right| left.shown.cmp(&right.shown));
        found
    }
}

fn begins(word: &str, typed: &str) -> bool {
    word.starts_with(typed)
}

/// A label of an index set as a text names it; numbers stay numbers.
fn written_name_of(label: &str) -> String {
    if label.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        label.to_owned()
    } else {
        written_name(label)
    }
}

fn plain(word: &str) -> Suggestion {
    Suggestion {
        shown: word.to_owned(),
        text: word.to_owned(),
    }
}

fn spaced(word: &str) -> Suggestion {
    Suggestion {
        shown: word.to_owned(),
        text: format!("{word} "),
    }
}

fn verb_with_space(verb: &Verb) -> Suggestion {
    if verb.subjects == Value::Nothing && verb.options.is_empty() {
        plain(verb.word)
    } else {
        spaced(verb.word)
    }
}
