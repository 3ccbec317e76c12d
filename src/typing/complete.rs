//! What may stand at the cursor.
//!
//! Enters: the text up to the cursor, the names that are known. Leaves: where the unfinished word
//! begins, and the words that it may become. The table of sentences says what each takes.

use super::clauses::{choices, clauses};
use super::known::{Known, Role};
use super::scan::{Kind, Token, tokens};
use crate::analyze::Measure;
use crate::diagnostic::{Code, Severity};
use crate::model::Family;
use crate::session::Topic;
use crate::session::verbs::{Choice, Place, VERBS, Value, Verb};
use crate::simulate::Method;
use crate::syntax::{DECLARATIONS, last_statement, written_name};
use std::path::Path;

/// Suggestions shown at once; a longer beginning narrows them.
const MOST: usize = 200;

/// A word that may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// As it is listed.
    pub shown: String,
    /// As it is put into the line.
    pub text: String,
    /// What it is.
    pub sort: Sort,
}

/// What a suggested word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// It begins a sentence.
    Verb,
    /// It begins a declaration.
    Declaration,
    /// An option of a sentence with this verb, or a clause of a declaration.
    Option(&'static str),
    /// A name with what it may be used for.
    Name(Role),
    /// A member of an index set.
    Member,
    /// A distribution.
    Family,
    /// A file or folder.
    File,
    /// One of the words that an option chooses among.
    Word,
}

/// Where one types.
#[derive(Clone, Copy)]
pub struct Cursor<'c> {
    /// The names that mean something.
    pub known: &'c Known,
    /// In a file (anywhere) or at the prompt, which has verbs and habits of its own.
    pub place: Place,
    /// The folder that paths start from.
    pub folder: &'c Path,
}

/// The suggestions for the end of `text`, and the byte where the word that they replace begins.
#[must_use]
pub fn suggestions(text: &str, cursor: Cursor<'_>) -> (usize, Vec<Suggestion>) {
    let begin = last_statement(text);
    let mut all = tokens(text.get(begin..).unwrap_or(""));
    for token in &mut all {
        token.start += begin;
        token.end += begin;
    }
    let is_blank = |token: &Token| matches!(token.kind, Kind::Blank | Kind::End);
    let (before, word) = match all.split_last() {
        Some((last, before)) if last.kind == Kind::Word || is_open_text(last, text) => {
            (before, Some(last))
        }
        Some((last, _)) if matches!(last.kind, Kind::Comment | Kind::Text | Kind::Number) => {
            return (text.len(), Vec::new());
        }
        _ => (all.as_slice(), None),
    };
    let start = word.map_or(text.len(), |token| token.start);
    let typed = word.map_or("", |token| token.text(text));
    let before = before.iter().filter(|token| !is_blank(token)).copied();
    let place = Here {
        text,
        before: before.collect(),
        cursor,
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
struct Here<'l> {
    text: &'l str,
    before: Vec<Token>,
    cursor: Cursor<'l>,
}

impl Here<'_> {
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
            return self.declared(typed);
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

    /// Inside a declaration, an equation or a reaction.
    fn declared(&self, typed: &str) -> Vec<Suggestion> {
        let words: Vec<&str> = self.before.iter().map(|token| self.word(token)).collect();
        let first = words.first().copied().unwrap_or("");
        let last = words.last().copied().unwrap_or("");
        if last == "~" {
            let families = Family::ALL.iter().map(|family| family.name());
            let fit = families.filter(|name| begins(name, typed));
            return fit.map(|name| called(name, Sort::Family)).collect();
        }
        if !DECLARATIONS.contains(&first) || matches!(words.get(1), Some(&("=" | "'" | ":"))) {
            return self.expressions(typed);
        }
        match (first, words.len()) {
            ("next" | "history", 1) => return self.names(typed, &[Role::Quantity], false),
            ("observe", 1) => {
                return self.names(typed, &[Role::Quantity, Role::Definition], false);
            }
            ("allow", 1) => {
                let all = Code::ALL.iter();
                let warnings = all.filter(|code| code.severity() == Severity::Warning);
                return listed(warnings.map(|code| code.as_str()), typed, Sort::Word);
            }
            ("no", 1) => return listed(["doses"], typed, Sort::Option("no")),
            ("when" | "at" | "every" | "dose" | "assert", 1) => return self.expressions(typed),
            (_, 1) => return Vec::new(),
            _ => {}
        }
        if self.wants_value() {
            return self.expressions(typed);
        }
        match (first, last) {
            ("for", "in") => return self.names(typed, &[Role::IndexSet], false),
            ("dose", "into") | ("species", "in") => {
                return self.names(typed, &[Role::Quantity], false);
            }
            ("dose" | "input", "from") if typed.is_empty() => return vec![quote()],
            _ => {}
        }
        let chosen = choices(first, last);
        if !chosen.is_empty() {
            return listed(chosen.iter().copied(), typed, Sort::Word);
        }
        let clauses = clauses(first);
        if clauses.contains(&last) {
            return self.expressions(typed);
        }
        let left = clauses.iter().filter(|word| !words.contains(word));
        let begun = left.filter(|word| begins(word, typed));
        begun.map(|word| spaced(word, Sort::Option(word))).collect()
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
                    let name = self.word(name);
                    if self
                        .before
                        .first()
                        .is_some_and(|first| declares(self.word(first)))
                        && at == 2
                    {
                        // `state y[`: the index set of a new name.
                        return Some(self.names(typed, &[Role::IndexSet], false));
                    }
                    let members = self.cursor.known.members(name, place);
                    let found = members.map(|member| written_name_of(&member));
                    let fit = found.filter(|member| begins(member, typed));
                    let fit = fit.map(|member| plain(&member, Sort::Member));
                    return Some(fit.take(MOST).collect());
                }
                "(" | "[" => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// What begins a statement.
    fn beginnings(&self, typed: &str) -> Vec<Suggestion> {
        let is_file = self.cursor.place == Place::Anywhere;
        let verbs = VERBS.iter().filter(|verb| verb.word.starts_with(typed));
        let verbs = verbs.filter(|verb| !is_file || verb.place == Place::Anywhere);
        let mut found: Vec<Suggestion> = verbs.map(verb_with_space).collect();
        // Values are asked for by name; a function begins a line when nothing else does.
        found.extend(self.names(typed, &[Role::Quantity, Role::Definition], false));
        if is_file || !typed.is_empty() {
            let words = DECLARATIONS.iter().filter(|word| word.starts_with(typed));
            let words = words.filter(|word| is_file || Verb::find(word).is_none());
            found.extend(words.map(|word| spaced(word, Sort::Declaration)));
        }
        if found.is_empty() && !is_file {
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
            .cursor
            .known
            .beginning(typed, roles)
            .filter(|(_, role)| functions || *role != Role::Function)
            .map(|(name, role)| match role {
                Role::Function => called(name, Sort::Name(role)),
                _ => plain(name, Sort::Name(role)),
            })
            .take(MOST + 1)
            .collect();
        // A name that needs no backquotes may be written in them, and one that does without.
        let other = match quoted {
            Some(inside) => inside.to_owned(),
            None if !typed.is_empty() => format!("`{typed}"),
            None => return found,
        };
        let more = self.cursor.known.beginning(&other, roles);
        found.extend(
            more.map(|(name, role)| plain(name, Sort::Name(role)))
                .take(MOST),
        );
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
                Value::Nothing => plain(choice.word, Sort::Option(verb.word)),
                _ => spaced(choice.word, Sort::Option(verb.word)),
            })
            .collect();
        if verb.word == "plot" && begins("vs", typed) && !self.before.is_empty() {
            found.push(spaced("vs", Sort::Option(verb.word)));
        }
        found
    }

    fn values(&self, value: Value, typed: &str) -> Vec<Suggestion> {
        match value {
            Value::Topic => {
                let topics = Topic::WORDS.iter().map(|(word, _)| *word);
                listed(topics, typed, Sort::Word)
            }
            Value::Method => {
                let methods = Method::ALL.iter().map(|method| method.name());
                listed(methods, typed, Sort::Word)
            }
            Value::Words(list) => listed(list.iter().copied(), typed, Sort::Word),
            Value::HelpWord => {
                let mut list: Vec<&str> = crate::render::help::topics().collect();
                list.sort_unstable();
                list.dedup();
                listed(list, typed, Sort::Word)
            }
            Value::Codes => {
                let codes = Code::ALL.iter().map(|code| code.as_str());
                listed(codes, typed, Sort::Word)
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
                fit.map(|word| called(word, Sort::Word)).collect()
            }
            Value::Expressions => self.expressions(typed),
            Value::File(_) if typed.is_empty() => vec![quote()],
            _ => Vec::new(),
        }
    }

    /// The files and folders that a path may become.
    fn files(&self, path: &str) -> Vec<Suggestion> {
        let (folder, begin) = path.split_at(folder_length(path));
        let first = self.before.first().map_or("", |first| self.word(first));
        let endings: &[&str] = match first {
            "use" => &["lotka"],
            "dose" | "input" => &["csv", "tsv", "txt"],
            _ => &[],
        };
        let endings = self.verb().map_or(endings, |verb| {
            let value = self
                .option(verb)
                .map_or(verb.subjects, |(choice, _)| choice.value);
            match value {
                Value::File(endings) => endings,
                _ => &[],
            }
        });
        let Ok(entries) = std::fs::read_dir(self.cursor.folder.join(folder)) else {
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
                    return Some(plain(&format!("{name}/"), Sort::File));
                }
                let ending = Path::new(&name).extension().and_then(|one| one.to_str());
                let fits = endings.is_empty() || endings.contains(&ending.unwrap_or(""));
                fits.then(|| Suggestion {
                    text: format!("{name}\""),
                    shown: name,
                    sort: Sort::File,
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

/// True for the words after which names with index sets are declared.
fn declares(word: &str) -> bool {
    matches!(
        word,
        "param" | "state" | "species" | "let" | "wiener" | "stratonovich"
    )
}

/// Those of the words that begin so.
fn listed<'w>(
    words: impl IntoIterator<Item = &'w str>,
    typed: &str,
    sort: Sort,
) -> Vec<Suggestion> {
    let fit = words.into_iter().filter(|word| begins(word, typed));
    fit.map(|word| plain(word, sort)).collect()
}

fn plain(word: &str, sort: Sort) -> Suggestion {
    Suggestion {
        shown: word.to_owned(),
        text: word.to_owned(),
        sort,
    }
}

fn spaced(word: &str, sort: Sort) -> Suggestion {
    Suggestion {
        shown: word.to_owned(),
        text: format!("{word} "),
        sort,
    }
}

/// What is followed by its arguments.
fn called(word: &str, sort: Sort) -> Suggestion {
    Suggestion {
        shown: format!("{word}("),
        text: format!("{word}("),
        sort,
    }
}

/// A quotation mark that begins the name of a file.
fn quote() -> Suggestion {
    plain("\"", Sort::File)
}

fn verb_with_space(verb: &Verb) -> Suggestion {
    if verb.subjects == Value::Nothing && verb.options.is_empty() {
        plain(verb.word, Sort::Verb)
    } else {
        spaced(verb.word, Sort::Verb)
    }
}
