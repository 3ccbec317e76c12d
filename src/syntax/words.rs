//! The words of the language, each list in its one place.
//!
//! Enters: nothing. Leaves: the lists that the parser, completion and messages share. Must not
//! know what a word does.

use pest::unicode::{DECIMAL_NUMBER, LETTER, MARK};

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
    "histogram",
    "correlation",
    "phase",
    "stationary",
    "sensitivity",
    "fit",
    "predict",
    "profile",
    "bootstrap",
    "report",
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
    "unit",
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
    "allow",
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
    "until", "when", "step", "points", "rtol", "atol", "paths", "seed", "starts", "log", "layer",
    "times", "lag", "after", "for", "priority", "values", "column", "method", "session", "rising",
    "falling", "linear", "cubic", "steady", "sobol", "grid", "vs", "of", "axes",
];

/// True for a word that may be neither declared nor set.
#[must_use]
pub fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// True for a character that may begin a name.
#[must_use]
pub fn starts_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || (!c.is_ascii() && LETTER(c))
}

/// True for a character that may stand inside a name: subscript digits (`x₁`) and combining marks (`ẋ`)
/// too.
#[must_use]
pub fn continues_name(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || c == '_'
        || (!c.is_ascii() && (LETTER(c) || MARK(c) || DECIMAL_NUMBER(c) || matches!(c, '₀'..='₉')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that a rule of the grammar lists.
    fn listed(rule: &str) -> Vec<&'static str> {
        let grammar = include_str!("../../grammar/lotka.pest");
        let start = grammar
            .find(&format!("\n{rule} "))
            .expect("the rule is there");
        let body = grammar[start..].split('}').next().unwrap_or("");
        body.split('"')
            .skip(1)
            .step_by(2)
            .filter(|word| word.starts_with(starts_name))
            .collect()
    }

    #[test]
    fn the_grammar_and_the_lists_know_the_same_words() {
        let mut options: Vec<_> = ["strong", "weak", "flag", "w_vs"]
            .into_iter()
            .flat_map(listed)
            .collect();
        let mut known = OPTIONS.to_vec();
        options.sort_unstable();
        known.sort_unstable();
        assert_eq!(options, known);
        for word in listed("keyword") {
            assert!(is_reserved(word), "{word}");
        }
        for word in ["declare_word", "wiener_word"].into_iter().flat_map(listed) {
            assert!(DECLARATIONS.contains(&word) && is_reserved(word), "{word}");
        }
        for word in BLOCKS {
            assert_eq!(listed(&format!("w_{word}")), [*word]);
        }
    }
}
