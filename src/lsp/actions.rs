//! Changes that mend a problem: the word that was probably meant.

use super::document::{Document, SOURCE};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::written_name;
use gen_lsp_types::{CodeAction, CodeActionKind, Range, TextEdit, WorkspaceEdit};
use std::collections::HashMap;

/// What can be done about the problems in a range.
pub(super) fn actions(document: &Document, range: Range) -> Vec<CodeAction> {
    let from = document.offset(range.start);
    let to = document.offset(range.end);
    let current = document
        .checked
        .as_ref()
        .filter(|checked| checked.version == document.version);
    let problems = current.map_or(&[] as &[Diagnostic], |checked| &checked.diagnostics);
    let touched = problems.iter().filter(|problem| {
        let mut labels = problem
            .labels
            .iter()
            .filter(|label| label.span.source == SOURCE);
        labels.any(|label| label.span.start as usize <= to && from <= label.span.end as usize)
    });
    touched
        .filter_map(|problem| mended(document, problem))
        .collect()
}

/// `did you mean `prey`?` as a change of the misspelt name.
fn mended(document: &Document, problem: &Diagnostic) -> Option<CodeAction> {
    let meant = problem.help.as_ref()?.strip_prefix("did you mean `")?;
    let meant = meant.strip_suffix("`?")?;
    let main = problem.labels.first()?.span;
    let wrong = document.slice(main);
    let written = if wrong.starts_with('"') || !problem.message.contains(&format!("`{wrong}`")) {
        // Only a name that the message itself quotes is certain to be what the advice is about.
        return None;
    } else {
        written_name(meant)
    };
    let same = |span: &Span| span.source == SOURCE && document.slice(*span) == wrong;
    let places = problem.labels.iter().map(|label| label.span).filter(same);
    let edits = places.map(|span| TextEdit {
        range: document.range(span),
        new_text: written.clone(),
    });
    let changes = HashMap::from([(document.uri.clone(), edits.collect())]);
    Some(CodeAction {
        title: format!("change `{wrong}` to `{meant}`"),
        kind: Some(CodeActionKind::QuickFix),
        is_preferred: Some(true),
        edit: Some(WorkspaceEdit {
            changes: Some(changes),
            ..WorkspaceEdit::default()
        }),
        ..CodeAction::default()
    })
}
