//! The words of the language, each list in its one place.
//!
//! Enters: nothing. Leaves: the lists that the parser, completion and messages share. Must not
//! know what a word does.

/// The verbs that begin a sentence. They stay usable as names.
pub const VERBS: &[&str] = &[
    "simulate",
    "sweep",
    "measure",
    "steady",
    "stability",
    "jacobian",
    "continue",
    "nullclines",
    "phase",
    "stationary",
    "sensitivity",
    "fit",
    "profile",
    "plot",
    "save",
    "show",
    "explain",
    "load",
    "reload",
    "reset",
    "undo",
    "help",
    "history",
    "quit",
];

/// The words that begin a declaration or an interruption.
pub const DECLARATIONS: &[&str] = &[
    "lotka",
    "model",
    "time",
    "param",
    "state",
    "species",
    "compartment",
    "let",
    "fn",
    "assert",
    "wiener",
    "stratonovich",
    "noise",
    "index",
    "covariate",
    "observe",
    "input",
    "when",
    "at",
    "every",
    "dose",
    "no",
    "condition",
    "for",
    "use",
    "next",
    "history",
];

/// The words whose statement ends in a block of statements between braces.
pub const BLOCKS: &[&str] = &["when", "at", "every", "condition", "for"];

/// The words that cannot be names, unless written in backquotes. `t` and `pi` are names that
/// nothing may declare anew.
pub const RESERVED: &[&str] = &[
    "model",
    "time",
    "param",
    "state",
    "species",
    "compartment",
    "let",
    "fn",
    "assert",
    "wiener",
    "stratonovich",
    "noise",
    "index",
    "covariate",
    "observe",
    "input",
    "when",
    "at",
    "every",
    "condition",
    "for",
    "use",
    "rate",
    "next",
    "if",
    "then",
    "else",
    "and",
    "or",
    "not",
    "t",
    "pi",
];

/// The reserved words that have a value and so may stand in expressions.
pub const VALUES: &[&str] = &["t", "pi"];

/// The usual option words, for completion. The grammar knows those that it must tell from names;
/// a sentence may take others.
pub const OPTIONS: &[&str] = &[
    "from", "to", "with", "using", "by", "over", "into", "where", "as", "in", "at", "every",
    "until", "step", "points", "rtol", "atol", "paths", "seed", "starts", "log", "layer", "times",
    "lag", "after", "priority", "column", "method", "session", "rising", "falling", "linear",
    "cubic", "steady", "sobol", "grid", "vs",
];

/// True for a word that may be neither declared nor set.
#[must_use]
pub fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// True for a character that may begin a name.
#[must_use]
pub fn starts_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || (!c.is_ascii() && c.is_alphabetic())
}

/// True for a character that may stand inside a name.
#[must_use]
pub fn continues_name(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || c == '_'
        || (!c.is_ascii() && (c.is_alphanumeric() && !c.is_numeric() || is_subscript_or_mark(c)))
}

/// Subscript digits (`x₁`) and combining marks (`ẋ`), which are no letters but belong to names.
fn is_subscript_or_mark(c: char) -> bool {
    matches!(c, '₀'..='₉' | '\u{300}'..='\u{36F}')
}
