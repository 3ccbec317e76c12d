//! What other languages and word processors write instead, as tables.
//!
//! Enters: nothing. Leaves: the tables from which messages take their advice. Must not know where
//! in a statement such a slip was made.

use super::words::VERBS;
use crate::diagnostic::closest;

/// Signs that look like ones of the language, mostly from word processors and web pages.
pub const LOOKALIKES: &[(char, &str)] = &[
    ('–', "-"),
    ('—', "-"),
    ('−', "-"),
    ('‐', "-"),
    ('×', "*"),
    ('·', "*"),
    ('⋅', "*"),
    ('∙', "*"),
    ('•', "*"),
    ('∗', "*"),
    ('÷', "/"),
    ('∕', "/"),
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('«', "\""),
    ('»', "\""),
    ('‘', "'"),
    ('’', "'"),
    ('′', "'"),
    ('´', "'"),
    ('″', "''"),
    ('≤', "<="),
    ('≥', ">="),
    ('≠', "!="),
    ('→', "->"),
    ('⟶', "->"),
    ('↔', "<->"),
    ('⇌', "<->"),
    ('⇄', "<->"),
    ('∅', "0"),
    ('²', "^2"),
    ('³', "^3"),
    ('…', ".."),
    ('，', ","),
    ('；', ";"),
    ('：', ":"),
    ('（', "("),
    ('）', ")"),
    ('＝', "="),
    ('＋', "+"),
    ('∧', "and"),
    ('∨', "or"),
    ('¬', "not"),
    ('√', "sqrt(...)"),
    ('∼', "~"),
    ('～', "~"),
];

/// Operators of other languages.
pub const FOREIGN: &[(&str, &str)] = &[
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("**", "a power is written `^`"),
    ("//", "a comment begins with `#`"),
    ("/*", "a comment begins with `#` and ends with its line"),
    (":=", "write `=`"),
    ("=<", "write `<=`"),
    ("=>", "an arrow is written `->`, \"greater or equal\" `>=`"),
    ("<=>", "an arrow in both directions is written `<->`"),
    ("-->", "an arrow is written `->`"),
    ("<>", "\"not equal\" is written `!=`"),
    ("!==", "\"not equal\" is written `!=`"),
    ("+=", "write the name again: `x = x + ...`"),
    ("-=", "write the name again: `x = x - ...`"),
    ("*=", "write the name again: `x = x * ...`"),
    ("/=", "write the name again: `x = x / ...`"),
    ("++", "write `x = x + 1`"),
    ("&", "write `and`"),
    ("|", "write `or`"),
];

/// First words of other languages, and what Lotka has for them; `{}` stands for the name that
/// follows.
pub const OTHER_WORDS: &[(&[&str], &str)] = &[
    (
        &["parameter", "parameters", "const", "constant", "par"],
        "the word is `param`",
    ),
    (&["var", "variable"], "the word is `state`"),
    (
        &["init", "initial"],
        "a state is declared with its initial value: `state {} = ...`",
    ),
    (
        &["number"],
        "write `param {} = ...`, or `let {} = ...` for what follows from others",
    ),
    (
        &["aux"],
        "write `let {} = ...`: it may be plotted, measured and saved",
    ),
    (
        &["global"],
        "an event is written with its condition: `when x > 1 { x = 0 }`",
    ),
    (
        &["table"],
        "a table is an input: `input {} from \"file.csv\"`",
    ),
    (
        &["markov"],
        "states that jump at random are species with reactions, as in `A -> B, k`, and `simulate 0..10 using ssa`",
    ),
    (
        &["solv"],
        "write the constraint `0 = ...`, and `state {} = ...`",
    ),
    (
        &["done", "end", "endmodel"],
        "leave it away: a file ends with its last line",
    ),
    (&["def", "function", "func"], "the word is `fn`"),
    (&["import", "include"], "the word is `use`"),
    (&["run", "solve", "integrate"], "the word is `simulate`"),
    (&["exit", "bye"], "the word is `quit`, at the prompt"),
    (
        &["reaction"],
        "a reaction is written without a word: `name: A + B -> C, k`",
    ),
];

/// What statements of other languages begin with, and what is written instead.
pub const OTHER_STARTS: &[(char, &str)] = &[
    (
        '@',
        "what a program is to do stands in a sentence, as in `simulate 0..500 step 0.5`",
    ),
    (
        '!',
        "a parameter that follows from others is written `param k = 2*a`",
    ),
    ('%', "a comment begins with `#`"),
    (
        '$',
        "what does not change is a parameter: `param A = 1`, and `0 -> B, rate k*A`",
    ),
];

/// Functions of other languages.
const OTHER_FUNCTIONS: &[(&[&str], &str)] = &[
    (&["ln"], "did you mean `log`?"),
    (&["power", "pow"], "did you mean `x^y`?"),
    (
        &["heav", "heaviside", "Heaviside"],
        "write `if x > 0 then 1 else 0`",
    ),
    (&["flr"], "did you mean `floor`?"),
    (
        &["delay", "lagvalue"],
        "a delayed value is written `x(t - tau)`",
    ),
    (
        &["piecewise", "ifelse", "iif"],
        "write `if c then a else b`",
    ),
    (
        &[
            "ran", "rand", "random", "runif", "normal", "Normal", "rnorm", "uniform", "poisson",
        ],
        "nothing in an equation is drawn at random: declare noise, as in `wiener W` with `x' = -x + 0.1*W'`, or write reactions and `simulate 0..10 using ssa`",
    ),
    (
        &["exit", "quit", "q", "bye"],
        "write `quit`, without brackets",
    ),
];

/// Names of other languages.
const OTHER_NAMES: &[(&[&str], &str)] = &[(&["Pi", "PI", "M_PI"], "did you mean `pi`?")];

/// The verb that a name which stands alone at the prompt most likely means.
#[must_use]
pub fn verb_meant(name: &str) -> Option<&'static str> {
    match name {
        "exit" | "q" | "bye" => Some("quit"),
        _ => closest(name, VERBS.iter().copied()),
    }
}

/// What to write instead of a function of another language.
#[must_use]
pub fn other_function(name: &str) -> Option<&'static str> {
    advice(OTHER_FUNCTIONS, name)
}

/// What to write instead of a name of another language.
#[must_use]
pub fn other_name(name: &str) -> Option<&'static str> {
    advice(OTHER_NAMES, name)
}

fn advice(table: &'static [(&[&str], &str)], word: &str) -> Option<&'static str> {
    let found = table.iter().find(|(words, _)| words.contains(&word));
    found.map(|(_, advice)| *advice)
}
