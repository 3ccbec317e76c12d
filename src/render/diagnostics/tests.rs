//! Diagnostics of every kind, drawn whole.

use super::*;
use crate::diagnostic::Code;

const PLAIN: Style = Style {
    colour: Colour::Never,
    width: 72,
};

const MODEL: &str = "state prey = 30\nparam α = 0.5\nprey' = α*pray - β*prey\n";

fn model() -> (SourceMap, SourceId) {
    let mut sources = SourceMap::new();
    let id = sources.add("prey.lotka", MODEL);
    (sources, id)
}

/// The span of the first occurrence of `part` in `MODEL`.
fn span(id: SourceId, part: &str) -> Span {
    let start = MODEL.find(part).expect("a part of the model");
    Span::new(id, start, start + part.len())
}

fn unknown(id: SourceId) -> Diagnostic {
    Diagnostic::new(Code::UnknownName, "`pray` is not declared")
        .at(span(id, "pray"), "not known here")
        .at(span(id, "prey"), "`prey` is declared here")
        .help("did you mean `prey`?")
}

#[test]
fn one_source_is_one_snippet() {
    let (sources, id) = model();
    insta::assert_snapshot!(text(&[unknown(id)], &sources, PLAIN), @r#"
 × E0201: `pray` is not declared
  ╭─[prey.lotka:3:11]
1 │ state prey = 30
  ·       ──┬─
  ·         ╰── `prey` is declared here
2 │ param α = 0.5
3 │ prey' = α*pray - β*prey
  ·           ──┬─
  ·             ╰── not known here
  ╰────
 help: did you mean `prey`?
"#);
}

#[test]
fn without_a_place() {
    let missing =
        Diagnostic::new(Code::NoModel, "no model is loaded").help("load one with `lotka FILE`");
    let unused = Diagnostic::new(
        Code::UnusedColumn,
        "nothing uses the column `weather` of \"lynx_hare.csv\", which is as long a name as it has to be",
    );
    insta::assert_snapshot!(text(&[missing, unused], &SourceMap::new(), PLAIN), @r#"
× E0705: no model is loaded
help: load one with `lotka FILE`

⚠ W0501: nothing uses the column `weather` of "lynx_hare.csv", which
│ is as long a name as it has to be
"#);
}

#[test]
fn two_sources_are_two_snippets() {
    let (mut sources, id) = model();
    let line = sources.add("<line 2>", "param α = 3");
    let twice = Diagnostic::new(Code::Duplicate, "`α` is declared twice")
        .at(Span::new(line, 6, 8), "second")
        .at(span(id, "α"), "first")
        .help("rename one of them");
    insta::assert_snapshot!(text(&[twice], &sources, PLAIN), @r#"
 × E0202: `α` is declared twice
  ╭─[<line 2>:1:7]
1 │ param α = 3
  ·       ┬
  ·       ╰── second
  ╰────
 ☞ and in prey.lotka
  ╭─[prey.lotka:2:7]
1 │ state prey = 30
2 │ param α = 0.5
  ·       ┬
  ·       ╰── first
3 │ prey' = α*pray - β*prey
  ╰────
 help: rename one of them
"#);
}

#[test]
fn long_lines_are_cut_around_the_label() {
    let mut sources = SourceMap::new();
    let long = format!(
        "x = {} + oops + {}\n",
        "µ + ".repeat(2000),
        "b + ".repeat(2000)
    );
    let start = long.find("oops").expect("it is there");
    let id = sources.add("long.lotka", long.as_str());
    let wrong = Diagnostic::new(Code::UnknownName, "`oops` is not declared")
        .at(Span::new(id, start, start + 4), "not known");
    let drawn = text(&[wrong], &sources, PLAIN);
    assert!(
        drawn.lines().all(|line| line.chars().count() <= 72),
        "{drawn}"
    );
    insta::assert_snapshot!(drawn, @r#"
 × E0201: `oops` is not declared
  ╭─[long.lotka:1:8008]
1 │ …µ + µ + µ + µ + µ + µ +  + oops + b + b + b + b + b + b + …
  ·                             ──┬─
  ·                               ╰── not known
  ╰────
"#);
}

#[test]
fn odd_spans_are_drawn() {
    let mut sources = SourceMap::new();
    let many = "a = 1\n".repeat(100);
    let id = sources.add("odd.lotka", format!("é\u{1b}[31m\r\n{many}"));
    let empty = sources.add("empty.lotka", "");
    let end = 9 + many.len();
    for (source, start, stop) in [
        (id, 1, 1),
        (id, 0, end),
        (id, end, end),
        (id, 1_000_000, 2_000_000),
        (empty, 0, 0),
        (SourceId(77), 0, 1),
    ] {
        let odd = Diagnostic::new(Code::Unexpected, "odd")
            .at(Span::new(source, start, stop), "here")
            .at(Span::new(source, stop, stop), "");
        let drawn = text(&[odd], &sources, PLAIN);
        assert!(drawn.contains("E0101: odd"), "{drawn}");
        assert!(drawn.lines().count() < 15, "{drawn}");
        assert!(!drawn.contains('\u{1b}'), "{drawn}");
    }
}

#[test]
fn colour_is_written_only_when_asked() {
    let (sources, id) = model();
    let style = Style {
        colour: Colour::Always,
        width: 80,
    };
    assert!(text(&[unknown(id)], &sources, style).contains("\u{1b}["));
    assert!(!text(&[unknown(id)], &sources, PLAIN).contains('\u{1b}'));
}

#[test]
fn json_counts_characters_from_one() {
    let (sources, id) = model();
    insta::assert_snapshot!(json(&[unknown(id)], &sources), @r#"{"schema":"lotka-diagnostics-1","diagnostics":[{"code":"E0201","severity":"error","title":"a name that is not declared","message":"`pray` is not declared","help":"did you mean `prey`?","page":"diagnostics/names.md#e0201-a-name-that-is-not-declared","labels":[{"file":"prey.lotka","text":"not known here","start":{"line":3,"column":11,"utf16":11,"offset":42},"end":{"line":3,"column":15,"utf16":15,"offset":46}},{"file":"prey.lotka","text":"`prey` is declared here","start":{"line":1,"column":7,"utf16":7,"offset":6},"end":{"line":1,"column":11,"utf16":11,"offset":10}}]}]}"#);
    assert_eq!(
        json(&[], &sources),
        r#"{"schema":"lotka-diagnostics-1","diagnostics":[]}"#
    );
}
