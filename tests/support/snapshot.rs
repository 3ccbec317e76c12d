//! Diagnostics as plain text that a person can judge, and the files that keep it.
//!
//! Enters: diagnostics and their sources. Leaves: text, and a list of what differs from the files
//! beside the tests. `LOTKA_BLESS=1` writes the files anew.

use lotka::diagnostic::{Diagnostic, Label, Severity};
use lotka::source::{SourceMap, Span};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// More of a label's text than this is left out.
const MOST_QUOTED: usize = 60;

/// All diagnostics, one after the other.
pub fn diagnostics(found: &[Diagnostic], sources: &SourceMap) -> String {
    found.iter().map(|one| diagnostic(one, sources)).collect()
}

/// ```text
/// error E0201: `bta` is not declared
///   3:7-10 `bta` not known
///   help: did you mean `beta`?
/// ```
fn diagnostic(found: &Diagnostic, sources: &SourceMap) -> String {
    let severity = match found.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut text = format!("{severity} {}: {}\n", found.code.as_str(), found.message);
    for label in &found.labels {
        let _ = writeln!(text, "  {}", place(label, sources).trim_end());
    }
    if let Some(help) = &found.help {
        let _ = writeln!(text, "  help: {help}");
    }
    text
}

/// Lines and columns from 1, the last column excluded; a line is named again only when it differs.
fn place(label: &Label, sources: &SourceMap) -> String {
    let Span { source, start, end } = label.span;
    if sources.get(source).is_none() {
        return format!("NOWHERE {}", label.text);
    }
    let at = |byte: u32| sources.position(Span::new(source, byte as usize, byte as usize));
    let ((line, column), (last_line, last_column)) = (at(start), at(end));
    let range = if line == last_line {
        format!("{line}:{column}-{last_column}")
    } else {
        format!("{line}:{column}-{last_line}:{last_column}")
    };
    let covered = sources.slice(label.span).replace('\n', "⏎");
    let quoted: String = if covered.chars().count() > MOST_QUOTED {
        covered.chars().take(MOST_QUOTED).chain(['…']).collect()
    } else {
        covered
    };
    format!("{range} `{quoted}` {}", label.text)
}

/// What has to be said when `found` is not what `file` holds.
pub fn compare(file: &Path, found: &str) -> Option<String> {
    if std::env::var_os("LOTKA_BLESS").is_some() {
        fs::write(file, found).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        return None;
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    (expected != found).then(|| {
        format!(
            "{} differs (LOTKA_BLESS=1 accepts)\n--- expected\n{expected}--- found\n{found}",
            file.display()
        )
    })
}
