//! Names with the ranges that they move in: `x in 0..2, y in 0..3`.
//!
//! The grammar knows no such list: it reads `phase x in 0..2, y in 0..3` as the subject `x` and
//! two options `in` with the values `0..2, y` and `0..3`. Here they are put together again. An
//! `in` that a name follows instead of a range is a condition and stays where it is.

use super::lower::subjects_without_vs;
use super::options::Options;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree::{self, ExprKind};

/// A name, as written, with the range it moves in.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranged {
    /// `x`, `theta'`, `k[2]`
    pub name: tree::Expr,
    /// `0..2`; what is declared counts when it is absent.
    pub range: Option<Range>,
}

/// `0.2..0.8`, still as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// The range.
    pub span: Span,
    /// Low end; the declared one when absent.
    pub low: Option<tree::Expr>,
    /// High end; the declared one when absent.
    pub high: Option<tree::Expr>,
}

/// The names after the verb, each with its range: `phase x in 0..2, y in 0..3`.
pub(super) fn after_verb(sentence: &tree::Sentence, options: &mut Options<'_>) -> Vec<Ranged> {
    let help = format!("as in `{} x, y`", sentence.verb.text);
    let names = subjects_without_vs(
        sentence,
        options,
        "names stand after each other here",
        &help,
    );
    with_ranges(names.into_iter().map(plain).collect(), 0, options)
}

/// The names after a word such as `over`, each with its range; `None` when the word is not there:
/// `stability over k in 0..2, b in 0..1`.
pub(super) fn after_word(word: &'static str, options: &mut Options<'_>) -> Option<Vec<Ranged>> {
    let option = options.take(word)?;
    let next = options.place_after(option);
    let names = option.values.iter().cloned().map(plain).collect();
    Some(with_ranges(names, next, options))
}

fn plain(name: tree::Expr) -> Ranged {
    Ranged { name, range: None }
}

/// Takes the options from the one at `place` on that are ranges of the names.
fn with_ranges(mut names: Vec<Ranged>, mut place: usize, options: &mut Options<'_>) -> Vec<Ranged> {
    while let Some(option) = options.at(place) {
        let starts_with_range = |option: &tree::SentenceOption| {
            let first = option.values.first();
            option.word.text == "in"
                && first.is_some_and(|value| matches!(value.kind, ExprKind::Range { .. }))
        };
        let follows = options.at(place + 1).is_some_and(starts_with_range);
        if starts_with_range(option) {
            let mut values = option.values.iter();
            let range = values.next().and_then(range_of);
            match names.last_mut() {
                Some(last) if last.range.is_none() => last.range = range,
                _ => options.problem(
                    Diagnostic::new(Code::BadOption, "this range belongs to no name")
                        .at(option.span, "")
                        .help("write the name before it, as in `x in 0..2`"),
                ),
            }
            names.extend(values.cloned().map(plain));
        } else if option.values.is_empty() && option.bindings.is_empty() && follows {
            // `steady all x in 0..5`: the name looks like a word of the sentence.
            names.push(plain(tree::Expr {
                span: option.word.span,
                kind: ExprKind::Reference(tree::Reference {
                    span: option.word.span,
                    name: option.word.clone(),
                    indices: Vec::new(),
                }),
            }));
        } else {
            break;
        }
        options.remove(option);
        place += 1;
    }
    names
}

/// A range as it is written.
pub(super) fn range_of(value: &tree::Expr) -> Option<Range> {
    match &value.kind {
        ExprKind::Range { low, high } => Some(Range {
            span: value.span,
            low: low.as_deref().cloned(),
            high: high.as_deref().cloned(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::verbs::Verb;
    use crate::source::SourceId;
    use crate::syntax;
    use crate::syntax::tree::StatementKind;

    /// Each name with its range, and the words that are left.
    fn read(line: &str, word: Option<&'static str>) -> String {
        let parsed = syntax::parse_line(SourceId(0), line);
        assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
        let Some(StatementKind::Sentence(sentence)) =
            parsed.file.statements.first().map(|known| &known.kind)
        else {
            panic!("no sentence: {line}");
        };
        let mut problems = Vec::new();
        let verb = Verb::find(&sentence.verb.text).expect("a verb");
        let mut options = Options::new(verb, sentence, &mut problems);
        let names = match word {
            None => after_verb(sentence, &mut options),
            Some(word) => after_word(word, &mut options).unwrap_or_default(),
        };
        let mut said: Vec<String> = names
            .iter()
            .map(|ranged| {
                let name = syntax::show_expression(&ranged.name);
                let end = |end: &Option<tree::Expr>| {
                    end.as_ref().map_or(String::new(), syntax::show_expression)
                };
                match &ranged.range {
                    Some(range) => format!("{name}: {}..{}", end(&range.low), end(&range.high)),
                    None => name,
                }
            })
            .collect();
        let left = (0..).map_while(|place| options.at(place));
        let left: Vec<&str> = left
            .filter(|option| options.is_left(option))
            .map(|option| option.word.text.as_str())
            .collect();
        said.push(format!("({})", left.join(" ")));
        said.join("; ")
    }

    #[test]
    fn names_find_their_ranges() {
        let cases = [
            ("continue a in 0.2..0.8", None, "a: 0.2..0.8; ()"),
            (
                "continue a in 0.2..0.8 in knockout with b = 1",
                None,
                "a: 0.2..0.8; (in with)",
            ),
            ("continue a in knockout", None, "a; (in)"),
            ("phase x, y", None, "x; y; ()"),
            (
                "phase x in 0..2, y in 0..3 to \"p.svg\"",
                None,
                "x: 0..2; y: 0..3; (to)",
            ),
            (
                "phase theta in -pi..pi, theta' in -2..2",
                None,
                "theta: -pi..pi; theta': -2..2; ()",
            ),
            ("phase x, y in 0..3", None, "x; y: 0..3; ()"),
            ("phase x in ..5, y", None, "x: ..5; y; ()"),
            (
                "steady all x in 0..5, y in 0..3 with a = 1",
                None,
                "all; x: 0..5; y: 0..3; (with)",
            ),
            (
                "stability over k in 0..2, b in 0..1 in control",
                Some("over"),
                "k: 0..2; b: 0..1; (in)",
            ),
            ("stability over k, b", Some("over"), "k; b; ()"),
        ];
        for (line, word, expected) in cases {
            assert_eq!(read(line, word), expected, "{line}");
        }
    }
}
