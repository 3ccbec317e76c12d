//! The table against all that must agree with it.

use super::{VERBS, Value};
use crate::diagnostic::Code;
use crate::session::lower;
use crate::source::SourceId;
use crate::syntax;

/// The problems of one line, as the reading of sentences reports them.
fn problems(line: &str) -> Vec<crate::diagnostic::Diagnostic> {
    let parsed = syntax::parse_line(SourceId(0), line);
    assert!(parsed.diagnostics.is_empty(), "{line}: {parsed:?}");
    let statements = &parsed.file.statements;
    let found = statements.iter().filter_map(|one| lower(one).err());
    found.flatten().collect()
}

#[test]
fn the_grammar_knows_the_same_verbs() {
    let mut here: Vec<&str> = VERBS.iter().map(|verb| verb.word).collect();
    let mut there = syntax::VERBS.to_vec();
    here.sort_unstable();
    there.sort_unstable();
    assert_eq!(here, there);
}

#[test]
fn every_example_is_understood() {
    for verb in VERBS {
        assert!(problems(verb.example).is_empty(), "{}", verb.example);
    }
}

#[test]
fn every_option_of_the_table_is_taken() {
    for verb in VERBS {
        for choice in verb.options {
            let text = format!("{} {}", verb.word, choice.example);
            let subject = format!("{} {}", verb.example, choice.example);
            let found = problems(if verb.subjects == Value::Nothing {
                &text
            } else {
                &subject
            });
            let unknown = found
                .iter()
                .find(|problem| problem.code == Code::UnknownOption);
            assert!(unknown.is_none(), "{subject}: {unknown:?}");
        }
    }
}

#[test]
fn options_stand_once() {
    for verb in VERBS {
        for (at, choice) in verb.options.iter().enumerate() {
            let again = verb.options[at + 1..]
                .iter()
                .any(|other| other.word == choice.word);
            assert!(!again, "{} {}", verb.word, choice.word);
            assert!(
                choice.example.starts_with(choice.word),
                "{} {}",
                verb.word,
                choice.word
            );
        }
    }
}
