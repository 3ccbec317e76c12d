//! The grammar for editors (`docs/editors/vscode/syntaxes`) knows the words that the language knows.
//!
//! Its regular expressions are read as text: the first group of alternatives of a rule is its list.

use crate::support::root;
use lotka::analyze::Measure;
use lotka::model::Family;
use lotka::session::verbs::VERBS as SENTENCES;
use lotka::symbolic::Builtin;
use lotka::syntax::{DECLARATIONS, OPTIONS, RESERVED, VALUES, VERBS};
use serde_json::Value;
use std::collections::BTreeSet;

fn read(name: &str) -> Value {
    let path = root().join("docs/editors/vscode").join(name);
    let text = std::fs::read_to_string(&path).expect("a file of the extension");
    serde_json::from_str(&text).expect("JSON")
}

/// The words that a rule of the grammar lists.
fn listed(grammar: &Value, rule: &str) -> BTreeSet<String> {
    let rule = &grammar["repository"][rule];
    let pattern = rule["match"].as_str().or_else(|| rule["begin"].as_str());
    let pattern = pattern.expect("a pattern");
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '|';
    let groups = pattern
        .split('(')
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let mut lists = groups.filter(|group| group.starts_with(char::is_alphabetic));
    let list = lists.find(|group| group.chars().all(is_word));
    list.expect("a list of words")
        .split('|')
        .map(str::to_owned)
        .collect()
}

fn set<'w>(words: impl IntoIterator<Item = &'w str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn the_words_of_the_grammar_are_those_of_the_language() {
    let grammar = read("syntaxes/lotka.tmLanguage.json");
    let words = |rule: &str| listed(&grammar, rule);
    assert_eq!(words("declaration"), set(DECLARATIONS.iter().copied()));
    assert_eq!(words("sentence"), set(VERBS.iter().copied()));
    assert_eq!(words("constant"), set(VALUES.iter().copied()));
    let reserved = RESERVED
        .iter()
        .copied()
        .filter(|word| !VALUES.contains(word));
    assert_eq!(words("word"), set(reserved));
    let of_verbs = SENTENCES.iter().flat_map(|verb| verb.options);
    let of_verbs = of_verbs.map(|choice| choice.word);
    assert_eq!(
        words("option"),
        set(OPTIONS.iter().copied().chain(of_verbs))
    );
    assert_eq!(
        words("function"),
        set(Builtin::all().map(|function| function.name))
    );
    assert_eq!(
        words("distribution"),
        set(Family::ALL.iter().map(|family| family.name()))
    );
    let measures = Measure::ALL.iter().map(|(word, _)| *word);
    assert_eq!(words("measure"), set(measures.chain(["time_of"])));
    let others = ["atol", "mask", "penalty", "doses"];
    for word in words("clause") {
        assert!(
            OPTIONS.contains(&word.as_str()) || others.contains(&word.as_str()),
            "{word}"
        );
    }
}

#[test]
fn every_rule_that_is_named_is_there() {
    let grammar = read("syntaxes/lotka.tmLanguage.json");
    let rules = grammar["repository"].as_object().expect("rules");
    let mut pending = vec![&grammar];
    while let Some(value) = pending.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(name) = fields.get("include").and_then(Value::as_str) {
                    let name = name.strip_prefix('#').expect("a rule of its own");
                    assert!(rules.contains_key(name), "{name}");
                }
                pending.extend(fields.values());
            }
            Value::Array(items) => pending.extend(items),
            _ => {}
        }
    }
}

#[test]
fn the_extension_names_files_that_are_there() {
    let package = read("package.json");
    let contributed = &package["contributes"];
    let named = [
        &package["main"],
        &contributed["languages"][0]["configuration"],
        &contributed["grammars"][0]["path"],
    ];
    for path in named {
        let path = path.as_str().expect("a path");
        assert!(
            root().join("docs/editors/vscode").join(path).is_file(),
            "{path}"
        );
    }
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    read("language-configuration.json");
}
