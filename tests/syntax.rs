//! Texts to trees.
use lotka::source::{SourceId, SourceMap};
use lotka::syntax::*;

#[test]
fn explore() {
    for entry in std::fs::read_dir("tests/syntax").unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut map = SourceMap::new();
        map.add("x", text.clone());
        let parsed = parse_file(SourceId(0), &text);
        println!("{path:?} {}", parsed.file.statements.len());
        for d in &parsed.diagnostics {
            let (l, c) = map.position(d.labels[0].span);
            println!(
                "  {l}:{c} {d} :: {} @ {:?}",
                d.labels[0].text,
                text.lines().nth(l - 1)
            );
        }
    }
}
