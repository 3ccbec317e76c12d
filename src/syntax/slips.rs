//! What other languages and word processors write instead, as tables.
//!
//! Enters: nothing. Leaves: the tables from which messages take their advice. Must not know where
//! in a statement such a slip was made.

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

/// First words of other languages, and what Lotka has for them.
pub const OTHER_WORDS: &[(&[&str], &str)] = &[
    (
        &["parameter", "parameters", "const", "constant", "par"],
        "the word is `param`",
    ),
    (
        &["var", "variable", "init", "initial"],
        "the word is `state`",
    ),
    (&["def", "function", "func"], "the word is `fn`"),
    (&["import", "include"], "the word is `use`"),
    (&["run", "solve", "integrate"], "the word is `simulate`"),
    (
        &["reaction"],
        "a reaction is written without a word: `name: A + B -> C, k`",
    ),
];
