//! Texts and the pieces they are cut into.

use super::*;

fn statements(text: &str) -> Vec<String> {
    let cut = split(SourceId(0), text);
    cut.pieces
        .iter()
        .map(|piece| match piece {
            Piece::Statement(c) => text[c.start..c.end].to_string(),
            Piece::Open(c) => format!("{} {{", &text[c.start..c.end]),
            Piece::Close(_) => "}".to_string(),
        })
        .collect()
}

fn codes(text: &str) -> Vec<&'static str> {
    let cut = split(SourceId(0), text);
    cut.diagnostics.iter().map(|d| d.code.as_str()).collect()
}

#[test]
fn a_statement_ends_with_its_line_or_a_semicolon() {
    assert_eq!(
        statements("a = 1 # x; y\n\nb = 2; c = 3\n"),
        ["a = 1", "b = 2", "c = 3"]
    );
}

#[test]
fn it_goes_on_in_brackets_and_after_operators_commas_and_arrows() {
    let text = "x' = a + # first\n\n  b\ny = f(1,\n 2)\nplot a,\n b\nA ->\n B, k\nz = a and\n b";
    assert_eq!(statements(text).len(), 5);
    assert_eq!(statements("y = if a\n  then b\n  else c\nz = 1").len(), 2);
}

#[test]
fn an_operator_left_hanging_does_not_swallow_the_next_equation() {
    assert_eq!(statements("x' =\ny' = 2\nz' = 3 +\nparam a = 1").len(), 4);
}

#[test]
fn blocks_hold_statements() {
    let text = "when x < 1 { x = 0; y = 1 }\nat 3\n{\n  x = 1\n}\nindex g = {a,\n b}";
    let wanted = [
        "when x < 1 {",
        "x = 0",
        "y = 1",
        "}",
        "at 3 {",
        "x = 1",
        "}",
        "index g = {a,\n b}",
    ];
    assert_eq!(statements(text), wanted);
}

#[test]
fn one_slip_gives_one_error() {
    assert_eq!(codes("x' = (a + b\ny = 2\nparam c = 1\n"), ["E0103"]);
    assert_eq!(
        codes("x' = a + b)\ny = [2)\nz = ((1]\n"),
        ["E0104", "E0104", "E0104"]
    );
    assert_eq!(codes("at 3 { x = 1\nparam b = 2\n"), ["E0103"]);
    assert_eq!(codes("at 3 { x = (1 }\nparam b = 2\n"), ["E0103"]);
    assert_eq!(codes("s = \"abc\nu = `x\n"), ["E0107", "E0107"]);
}

#[test]
fn nesting_is_bounded() {
    assert_eq!(codes(&"(".repeat(10_000)), ["E0105"]);
    assert_eq!(
        codes(&format!("x = {}1", "if a then ".repeat(10_000))),
        ["E0105"]
    );
    assert_eq!(codes(&"at 1 {".repeat(10_000)), ["E0105"]);
    assert!(codes(&format!("x = {}{}", "(".repeat(200), ")".repeat(200))).is_empty());
    assert!(codes(&format!("x = {} 1", "if a then 1 else ".repeat(1000))).is_empty());
}

#[test]
fn docs_belong_to_the_next_statement() {
    let cut = split(
        SourceId(0),
        "## one\n##two\n\nparam a = 1 ## not a doc\nparam b = 2",
    );
    let docs: Vec<_> = cut
        .pieces
        .iter()
        .filter_map(|p| match p {
            Piece::Statement(c) => Some(c.doc.as_deref()),
            _ => None,
        })
        .collect();
    assert_eq!(docs, [Some("one\ntwo"), None]);
}
