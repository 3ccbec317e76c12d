//! Turns the place where reading failed into a diagnostic that names the likely slip.
//!
//! Enters: the statement, the place, and what could have stood there. Leaves: a [`Diagnostic`].
//! Must not know the grammar.
//!
//! The checks stand in order of certainty; the first that recognises its slip speaks. Those of numbers
//! (`numbers.rs`) and of what other programs write (`foreign.rs`) stand apart.

mod foreign;
mod numbers;

use super::slips::OTHER_WORDS;
use super::starts::{is_equals, skip_blanks, target, word};
use super::words::{
    BLOCKS, DECLARATIONS, OPTIONS, VERBS, continues_name, is_reserved, starts_name,
};
use crate::diagnostic::{Code, Diagnostic, closest};
use crate::source::{SourceId, Span};
use foreign::{
    foreign_character, foreign_left, foreign_model, foreign_operator, foreign_start, lookalike,
};
use numbers::{bad_number, bad_point, number_length};

/// Where a statement could not be read on.
pub struct Fault<'a> {
    /// The statement.
    pub text: &'a str,
    /// The byte where no rule went on.
    pub at: usize,
    /// What could have stood there, in words.
    pub expected: &'a [&'static str],
    /// The statement's source.
    pub source: SourceId,
    /// Where the statement begins in it.
    pub base: usize,
}

/// What stands at the fault.
struct Found<'a> {
    fault: &'a Fault<'a>,
    /// Where the offending token begins.
    at: usize,
    /// The text before it, without the blanks at its end.
    before: &'a str,
    /// The text from it on.
    rest: &'a str,
}

impl Found<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        let base = self.fault.base;
        Span::new(self.fault.source, base + start, base + end)
    }

    /// The first `length` bytes of the offending text.
    fn here(&self, length: usize) -> Span {
        self.span(self.at, self.at + length)
    }

    fn expects(&self, what: &str) -> bool {
        self.fault.expected.contains(&what)
    }

    /// "expected a value or `=`"
    fn expected(&self) -> String {
        match self.fault.expected {
            [] => "expected a value".to_owned(),
            [one] => format!("expected {one}"),
            [many @ .., last] => format!("expected {} or {last}", many.join(", ")),
        }
    }

    fn touches(&self) -> bool {
        self.before.len() == self.at
    }
}

/// The diagnostic for a statement that cannot be read.
#[must_use]
pub fn syntax_error(fault: &Fault) -> Diagnostic {
    let from = fault.text.get(fault.at..).unwrap_or("");
    let rest = skip_blanks(from, true);
    let at = fault.text.len() - rest.len();
    let found = Found {
        fault,
        at,
        before: fault.text.get(..at).unwrap_or("").trim_end(),
        rest,
    };
    if rest.is_empty() {
        return unfinished(&found);
    }
    lookalike(&found)
        .or_else(|| foreign_start(&found))
        .or_else(|| foreign_operator(&found))
        .or_else(|| bad_point(&found))
        .or_else(|| bad_number(&found))
        .or_else(|| spaced_index(&found))
        .or_else(|| misplaced_equals(&found))
        .or_else(|| reserved_here(&found))
        .or_else(|| scale_without_bounds(&found))
        .or_else(|| missing_operator(&found))
        .or_else(|| misplaced_mark(&found))
        .or_else(|| foreign_character(&found))
        .unwrap_or_else(|| unexpected(&found))
}

fn unfinished(found: &Found) -> Diagnostic {
    let end = found.before.len();
    let message = "the statement is not finished";
    let problem =
        Diagnostic::new(Code::Unexpected, message).at(found.span(end, end), found.expected());
    if found.expects("an arrow") {
        return problem.help("write a reaction as `A + B -> C, k`");
    }
    if found.expects("`,`") && found.before.contains("->") {
        return problem
            .help("a reaction ends with its rate constant, `, k`, or with `, rate` and its flux");
    }
    match found.before.chars().next_back() {
        Some('=') => problem.help("write the value after `=`"),
        _ if found.expects("`else`") => problem.help("write `if c then a else b`"),
        _ if found.expects("`then`") => problem.help("write `if c then a else b`"),
        _ => problem,
    }
}

fn unexpected(found: &Found) -> Diagnostic {
    let length = token_length(found.rest);
    let token = found.rest.get(..length).unwrap_or("");
    let problem = Diagnostic::new(Code::Unexpected, format!("`{token}` does not fit here"))
        .at(found.here(length), found.expected());
    let first = word(found.fault.text);
    if let Some(help) = foreign_model(found, token, first) {
        return problem.help(help);
    }
    match word(found.rest) {
        "then" if BLOCKS.contains(&first) => {
            problem.help("what happens stands in braces, without `then`")
        }
        "then" | "else" => problem.help("write `if c then a else b`"),
        _ if token == "=" && BLOCKS.contains(&first) && first != "for" => {
            problem.help("what happens stands in braces")
        }
        _ if token == ")" && matches!(found.fault.text.trim_end(), "quit()" | "exit()") => {
            problem.help("write `quit`")
        }
        _ if token == "~" && first != "observe" => {
            problem.help("what scatters around a curve is written `observe y ~ normal(x, sd = s)`")
        }
        _ if token == "(" && first == "let" => {
            problem.help("a function is written `fn f(x) = ...`")
        }
        _ if found.expects("an arrow") => problem.help("write a reaction as `A + B -> C, k`"),
        _ if found.expects("a species") && token.ends_with("->") => {
            problem.help("nothing is written `0`, as in `0 -> A, k`")
        }
        _ if found.expects("a species") => {
            problem.help("nothing is written `0`, as in `A -> 0, k`")
        }
        _ if in_unit(found) && token.starts_with(|c: char| c.is_ascii_digit()) => {
            problem.help("numbers in a unit are exponents, as in `cm^2`, or the `1` of `1/h`")
        }
        _ if found.expects("a text in quotes") => {
            problem.help("the name of a file stands in quotes")
        }
        _ => problem,
    }
}

/// `y [gene]`, where an index was meant, or a unit where none may stand.
fn spaced_index(found: &Found) -> Option<Diagnostic> {
    let named = found
        .before
        .ends_with(|c: char| continues_name(c) || c == '`');
    let start = found
        .before
        .trim_end_matches(|c: char| continues_name(c) || c == '.' || c == '`')
        .len();
    let name = found.before.get(start..)?;
    if !found.rest.starts_with('[') || !named || found.touches() || !target_is_name(name) {
        return None;
    }
    let end = found.rest.find(']').map_or(1, |end| end + 1);
    let bracket = found.rest.get(..end)?;
    Some(
        Diagnostic::new(Code::SpacedIndex, "an index must touch its name")
            .at(found.here(end), "there is a space before it")
            .help(format!(
                "write `{name}{bracket}`; a unit stands after a number, or at the end of a declaration"
            )),
    )
}

fn target_is_name(text: &str) -> bool {
    target(text).is_some_and(|target| target.length == text.len()) && !is_keyword(text)
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "if" | "then" | "else" | "and" | "or" | "not" | "next" | "in"
    )
}

fn misplaced_equals(found: &Found) -> Option<Diagnostic> {
    let text = found.fault.text;
    if found.rest.starts_with("==") && found.expects("`=`") {
        let problem = Diagnostic::new(Code::Unexpected, "`==` compares")
            .at(found.here(2), "expected `=`")
            .help("write `=`");
        return Some(problem);
    }
    if !is_equals(found.rest) || found.expects("`=`") {
        return None;
    }
    let opened = found
        .before
        .rfind("if ")
        .is_some_and(|at| !found.before[at..].contains("then"));
    if matches!(word(text), "when" | "assert") || opened {
        let problem = Diagnostic::new(Code::Unexpected, "`=` does not compare")
            .at(found.here(1), "in a condition")
            .help("write `==`");
        return Some(problem);
    }
    let problem = Diagnostic::new(Code::Unexpected, "`=` does not fit here")
        .at(found.here(1), found.expected());
    if VERBS.contains(&word(text)) && !found.before.contains('=') {
        return Some(problem.help(
            "an option is written without `=`, as in `step 0.1`; values are set after `with`",
        ));
    }
    match word(text) {
        "observe" => return Some(problem.help("write `~` before the distribution")),
        "for" => return Some(problem.help("write `for i in 1..10 { ... }`")),
        word if DECLARATIONS.contains(&word) => return Some(problem),
        _ => {}
    }
    let first = text.find('=') == Some(found.at);
    let compact: String = found.before.split_whitespace().collect();
    let leibniz = compact
        .strip_prefix('d')
        .and_then(|rest| rest.strip_suffix("/dt"));
    let foreign = foreign_left(found.before).filter(|_| first);
    if let Some(help) = foreign {
        return Some(problem.help(help));
    }
    Some(match leibniz {
        Some(name) if first => problem.help(format!("write `{name}' = ...`")),
        _ if first && found.before.ends_with("(t)") => {
            problem.help("a derivative is written `x' = ...`")
        }
        _ if first && compact.ends_with("(0)") => {
            let name = word(text);
            problem.help(format!(
                "an initial value stands in the declaration, `state {name} = ...`, and the past of a delay in `history {name} = ...`"
            ))
        }
        _ if first && (compact.ends_with("(n+1)") || compact.ends_with("(t+1)")) => {
            let name = word(text);
            problem.help(format!(
                "a map is written `next {name} = ...`, with `{name}` for the value before"
            ))
        }
        _ if first && compact.starts_with("d/dt(") => {
            let name = compact.strip_prefix("d/dt(").map_or("x", word);
            problem.help(format!("a derivative is written `{name}' = ...`"))
        }
        _ if first && found.before.ends_with(')') => {
            problem.help(format!("a function is written `fn {} = ...`", found.before))
        }
        _ if first && found.before.ends_with('0') => {
            problem.help("a constraint is written `0 = ...`, with zero on the left")
        }
        _ if first => {
            problem.help("on the left of `=` stands one name; a constraint is written `0 = ...`")
        }
        _ => problem.help("`==` compares; a statement ends with its line or with `;`"),
    })
}

fn reserved_here(found: &Found) -> Option<Diagnostic> {
    let here = word(found.rest);
    let named = found.expects("a name") || found.expects("a species");
    let reserved = is_reserved(here) && named;
    reserved.then(|| reserved_word(here, found.here(here.len())))
}

/// A reserved word that stands as a name.
#[must_use]
pub fn reserved_word(word: &str, span: Span) -> Diagnostic {
    let what = match word {
        "t" => "the variable of time",
        "pi" => "a constant",
        _ => "a reserved word",
    };
    let problem = Diagnostic::new(Code::ReservedWord, format!("`{word}` is {what}"))
        .at(span, "it cannot be a name here");
    match word {
        "t" | "pi" => problem.help("choose another name"),
        "time" => problem
            .help("the variable of time is `t`; a name may be written in backquotes: `` `time` ``"),
        _ => problem.help(format!(
            "choose another name, or write it in backquotes: `` `{word}` ``"
        )),
    }
}

/// `param k = 0.1 log`
fn scale_without_bounds(found: &Found) -> Option<Diagnostic> {
    let declares = matches!(word(found.fault.text), "param" | "state" | "species");
    let after = skip_blanks(found.rest.get("log".len()..).unwrap_or(""), false);
    let ends = after.is_empty() || after.starts_with([',', '~', '[', '#', ';']);
    if !declares || word(found.rest) != "log" || !ends {
        return None;
    }
    Some(
        Diagnostic::new(Code::Unexpected, "`log` stands behind bounds")
            .at(found.here("log".len()), "the scale of which range?")
            .help("give it bounds, as in `param k = 0.1 in 1e-3..10 log`"),
    )
}

fn missing_operator(found: &Found) -> Option<Diagnostic> {
    let begins = |c: char| starts_name(c) || c.is_ascii_digit() || c == '(' || c == '`';
    let ends = |c: char| continues_name(c) || ")]'`".contains(c);
    let here = word(found.rest);
    let keyword_here = matches!(here, "then" | "else" | "and" | "or" | "in");
    let start = found.before.trim_end_matches(continues_name).len();
    let last = found.before.get(start..)?;
    if !found.expects("an operator")
        || !found.rest.starts_with(begins)
        || !found.before.ends_with(ends)
        || keyword_here
        || is_keyword(last)
    {
        return None;
    }
    let length = token_length(found.rest);
    let after = skip_blanks(found.rest.get(length..)?, true);
    if is_equals(after) {
        let help = if BLOCKS.contains(&word(found.fault.text)) {
            "what happens stands in braces"
        } else {
            "a comma separates what is declared together; a statement ends with its line or with `;`"
        };
        let message = format!("`{}` does not fit here", found.rest.get(..length)?);
        let problem =
            Diagnostic::new(Code::Unexpected, message).at(found.here(length), found.expected());
        return Some(problem.help(help));
    }
    let help = match (last, found.rest.get(..length)?) {
        (left, right) if !left.is_empty() && right != "(" => format!("write `{left}*{right}`"),
        _ => "write `*` between them".to_owned(),
    };
    Some(
        Diagnostic::new(
            Code::MissingOperator,
            "an operator is missing between two values",
        )
        .at(found.here(length), "a second value begins here")
        .help(format!("if a product is meant, {help}")),
    )
}

/// Marks that are in the language, but not here.
fn misplaced_mark(found: &Found) -> Option<Diagnostic> {
    let mark = found.rest.chars().next()?;
    let help = match mark {
        ';' => {
            "within brackets no statement ends; the rows of a matrix are written `[[1, 2], [3, 4]]`"
        }
        '{' if word(found.fault.text) == "if" => {
            "an event is written `when c { ... }`, a choice of values `if c then a else b`"
        }
        '{' => "blocks follow `when`, `at`, `every`, `condition` and `for`",
        '\'' => "a prime marks the derivative of a name and touches it: `x'`",
        '[' => {
            "a unit stands after a number, or at the end of a declaration; an index touches its name"
        }
        '"' if matches!(word(found.fault.text), "input" | "index") => {
            "write `from` before the file"
        }
        '"' => "texts name files and tables; a name stands without quotes",
        _ => return None,
    };
    let message = format!("`{mark}` does not fit here");
    Some(
        Diagnostic::new(Code::Unexpected, message)
            .at(found.here(mark.len_utf8()), found.expected())
            .help(help),
    )
}

/// The bracket of a unit is open.
fn in_unit(found: &Found) -> bool {
    found.expects("a unit") && found.before.rfind('[') > found.before.rfind(']')
}

/// Bytes of the word, number or sign at the start.
fn token_length(text: &str) -> usize {
    let name = text
        .find(|c: char| !continues_name(c))
        .unwrap_or(text.len());
    let long = ["<->", "->", "..", "==", "!=", "<=", ">="];
    let long = long.into_iter().find(|sign| text.starts_with(sign));
    match (name, text.chars().next()) {
        (0, _) if long.is_some() => long.map_or(0, str::len),
        (0, Some(sign)) => sign.len_utf8(),
        (0, None) => 0,
        _ => name.max(number_length(text)),
    }
}

/// A statement that begins with a word that begins no statement. `rest` is what follows it.
#[must_use]
pub fn unknown_word(unknown: &str, rest: &str, span: Span) -> Diagnostic {
    let message = format!("no statement begins with `{unknown}`");
    let problem = Diagnostic::new(Code::UnknownStatement, message).at(span, "unknown here");
    if OPTIONS.contains(&unknown) {
        return problem
            .help("to go on with the sentence of the line before, end that line with a comma");
    }
    // Known words of other languages go first: `init` is near to `unit`, but means something else.
    let other = OTHER_WORDS
        .iter()
        .find(|(words, _)| words.contains(&unknown));
    if let Some((_, advice)) = other {
        let name = match word(skip_blanks(rest, true)) {
            "" => "x",
            name => name,
        };
        return problem.help(advice.replace("{}", name));
    }
    let known = DECLARATIONS.iter().chain(VERBS).copied();
    if let Some(word) = closest(unknown, known) {
        return problem.help(format!("did you mean `{word}`?"));
    }
    let next = skip_blanks(rest, true);
    let next = next.get(..token_length(next)).unwrap_or("");
    problem.help(format!(
        "if a product is meant, write `{unknown}*{next}`; otherwise begin with a sentence such as `simulate` or a declaration such as `param`"
    ))
}

/// An expression that stands alone in a file.
#[must_use]
pub fn bare_expression(text: &str, span: Span) -> Diagnostic {
    let problem = Diagnostic::new(
        Code::BareExpression,
        "an expression by itself says nothing in a file",
    )
    .at(span, "nothing is done with this value");
    if text.starts_with('-') {
        return problem.help("to continue the line before, end that line with the operator");
    }
    // `ka <- 1.2` compares.
    if let Some((left, right)) = text.split_once("<-") {
        let (left, right) = (left.trim(), right.trim());
        let help = match foreign_left(left) {
            Some(help) => help,
            None if word(left) == left => {
                format!(
                    "`=` gives a name its value, as in `param {left} = {right}` or `let {left} = {right}`"
                )
            }
            None => "`=` gives a name its value; `<` compares".to_owned(),
        };
        return problem.help(help);
    }
    if let Some(name) = text.strip_prefix("d/dt(").map(word) {
        return problem.help(format!("a derivative is written `{name}' = ...`"));
    }
    if OTHER_WORDS.iter().any(|(words, _)| words.contains(&text)) {
        return unknown_word(text, "", span);
    }
    let known = DECLARATIONS.iter().chain(VERBS).copied();
    if word(text).len() == text.len() && closest(text, known).is_some() {
        return unknown_word(text, "", span);
    }
    problem.help("name it with `let`, or ask for it with `measure`")
}
