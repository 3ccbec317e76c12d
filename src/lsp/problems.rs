//! Problems of a text as the protocol tells them.

use super::document::{Checked, Document, SOURCE};
use super::position::Lines;
use super::uri::uri_of;
use crate::diagnostic::{self, Code, Label, Severity};
use gen_lsp_types::{
    Code as LspCode, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    Location, Message, Position, PublishDiagnosticsParams, Range,
};
use std::path::Path;

/// Everything that the last check found.
pub(super) fn published(document: &Document) -> PublishDiagnosticsParams {
    let checked = document.checked.as_ref();
    let all = checked.map_or_else(Vec::new, |checked| {
        let problems = checked.diagnostics.iter();
        problems
            .map(|problem| told(document, checked, problem))
            .collect()
    });
    PublishDiagnosticsParams {
        uri: document.uri.clone(),
        version: Some(document.version),
        diagnostics: all,
    }
}

fn told(document: &Document, checked: &Checked, problem: &diagnostic::Diagnostic) -> Diagnostic {
    // Of a problem in a module, the place in this text that leads there.
    let main = problem
        .labels
        .iter()
        .position(|label| label.span.source == SOURCE);
    let main_label = main.and_then(|at| problem.labels.get(at));
    let others = problem.labels.iter().enumerate();
    let others = others.filter(|(at, _)| Some(*at) != main);
    let related: Vec<DiagnosticRelatedInformation> = others
        .filter_map(|(_, label)| related(document, checked, label))
        .collect();
    Diagnostic {
        range: main_label.map_or_else(first_line, |label| document.range(label.span)),
        severity: Some(match problem.severity() {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
        }),
        code: Some(LspCode::String(problem.code.as_str().to_owned())),
        code_description: None,
        source: Some("lotka".to_owned()),
        message: Message::String(words(problem, main_label)),
        tags: (problem.code == Code::UnusedParameter).then(|| vec![DiagnosticTag::Unnecessary]),
        related_information: (!related.is_empty()).then_some(related),
        data: None,
    }
}

/// The sentence, what stands under its main place, and the advice.
fn words(problem: &diagnostic::Diagnostic, main: Option<&Label>) -> String {
    let mut text = problem.message.clone();
    if let Some(label) = main.filter(|label| !label.text.is_empty()) {
        text.push_str(": ");
        text.push_str(&label.text);
    }
    if let Some(help) = &problem.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    text
}

fn related(
    document: &Document,
    checked: &Checked,
    label: &Label,
) -> Option<DiagnosticRelatedInformation> {
    let location = if label.span.source == SOURCE {
        Location {
            uri: document.uri.clone(),
            range: document.range(label.span),
        }
    } else {
        location(checked, label.span)?
    };
    let message = match label.text.as_str() {
        "" => "here".to_owned(),
        text => text.to_owned(),
    };
    Some(DiagnosticRelatedInformation { location, message })
}

/// A place in another text than the document's own.
pub(super) fn location(checked: &Checked, span: crate::source::Span) -> Option<Location> {
    let source = checked.sources.get(span.source)?;
    Some(Location {
        uri: uri_of(Path::new(&source.name)),
        range: Lines::new(&source.text).range(&source.text, span),
    })
}

/// Where a problem without a place is shown.
fn first_line() -> Range {
    Range {
        start: Position {
            line: 0,
            character: 0,
        },
        end: Position {
            line: 0,
            character: u32::from(u16::MAX),
        },
    }
}
