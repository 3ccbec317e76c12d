//! The words that go on a declaration after its value or its head.
//!
//! Sentences have their own table in `session/verbs`; declarations are read by the model, clause
//! by clause, and this list only helps who types them; the manual has it too.

/// What may follow in a declaration that begins with a word.
pub const CLAUSES: &[(&str, &[&str])] = &[
    ("param", &["in", "log"]),
    ("state", &["in", "log", "atol"]),
    ("species", &["in", "log", "atol"]),
    ("compartment", &["in", "log"]),
    ("time", &["from"]),
    ("covariate", &["by"]),
    ("input", &["from", "step", "linear", "cubic", "column"]),
    (
        "when",
        &["rising", "falling", "after", "for", "priority", "values"],
    ),
    ("at", &["priority"]),
    ("every", &["from", "times", "until", "priority"]),
    (
        "dose",
        &[
            "into", "at", "every", "from", "times", "until", "over", "lag", "steady",
        ],
    ),
    ("for", &["in"]),
];

/// The words that may follow in a declaration that begins with `word`.
pub(super) fn clauses(word: &str) -> &'static [&'static str] {
    let mut known = CLAUSES.iter();
    known
        .find(|(first, _)| *first == word)
        .map_or(&[], |(_, words)| words)
}

/// The words that one of these clauses chooses among, when it does.
pub(super) fn choices(word: &str, clause: &str) -> &'static [&'static str] {
    match (word, clause) {
        ("covariate", "by") => &["subject", "condition", "row"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{DECLARATIONS, OPTIONS};

    #[test]
    fn clauses_are_words_of_the_language() {
        for (first, words) in CLAUSES {
            assert!(DECLARATIONS.contains(first), "{first}");
            for word in *words {
                assert!(OPTIONS.contains(word), "{first} {word}");
            }
        }
    }
}
