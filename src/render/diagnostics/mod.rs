//! Diagnostics as text for people and as JSON for editors.
//!
//! Enters: diagnostics and the sources that their spans lie in. Leaves: text. The only file that
//! knows miette.

mod cut;
#[cfg(test)]
mod tests;

use super::{Colour, explain};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Position, SourceId, SourceMap, Span};
use cut::Cut;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use serde::Serialize;
use std::fmt;

/// How diagnostics are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colour codes or none.
    pub colour: Colour,
    /// Columns of the terminal; at least 40 are used.
    pub width: usize,
}

/// A label that covers more lines than this is drawn at its first line alone.
const MOST_LABEL_LINES: usize = 8;

/// All diagnostics, with the lines that they speak of, separated by empty lines.
#[must_use]
pub fn text(diagnostics: &[Diagnostic], sources: &SourceMap, style: Style) -> String {
    let width = style.width.max(40);
    let theme = GraphicalTheme {
        characters: ThemeCharacters::unicode(),
        styles: match style.colour {
            Colour::Always => ThemeStyles::ansi(),
            Colour::Never => ThemeStyles::none(),
        },
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width)
        .with_links(false)
        .with_context_lines(1)
        .without_syntax_highlighting();
    let reports: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| report(diagnostic, sources, width, &handler))
        .collect();
    reports.join("\n")
}

fn report(
    diagnostic: &Diagnostic,
    sources: &SourceMap,
    width: usize,
    handler: &GraphicalReportHandler,
) -> String {
    let mut out = String::new();
    for part in parts(diagnostic, sources, width) {
        if handler.render_report(&mut out, &part).is_err() {
            // Only a label outside its source stops the drawing; the words still count.
            return format!("{diagnostic}\n");
        }
    }
    out
}

/// One stretch of a report: a sentence with the labels of one source.
#[derive(Debug)]
struct Part {
    words: String,
    severity: miette::Severity,
    help: Option<String>,
    snippet: Option<Snippet>,
}

/// The report in parts, one for each source that has labels; the first bears the message and the
/// last the help.
fn parts(diagnostic: &Diagnostic, sources: &SourceMap, width: usize) -> Vec<Part> {
    let mut ids: Vec<SourceId> = Vec::new();
    for label in &diagnostic.labels {
        if !ids.contains(&label.span.source) && sources.get(label.span.source).is_some() {
            ids.push(label.span.source);
        }
    }
    let mut snippets = ids
        .into_iter()
        .filter_map(|id| Snippet::new(diagnostic, sources, id, width));
    let mut parts = vec![Part {
        words: format!("{}: {}", diagnostic.code.as_str(), diagnostic.message),
        severity: match diagnostic.severity() {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        },
        help: None,
        snippet: snippets.next(),
    }];
    parts.extend(snippets.map(|snippet| Part {
        words: format!("and in {}", snippet.name),
        severity: miette::Severity::Advice,
        help: None,
        snippet: Some(snippet),
    }));
    if let Some(last) = parts.last_mut() {
        last.help.clone_from(&diagnostic.help);
    }
    parts
}

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words)
    }
}

impl std::error::Error for Part {}

impl miette::Diagnostic for Part {
    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.snippet
            .as_ref()
            .map(|snippet| snippet as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let snippet = self.snippet.as_ref()?;
        Some(Box::new(snippet.labels.iter().map(|(label, _)| {
            let text = Some(label.text.clone()).filter(|text| !text.is_empty());
            let span = (label.start, label.end - label.start);
            if label.main {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            }
        })))
    }
}

/// A source whose long lines are cut around their labels.
#[derive(Debug)]
struct Snippet {
    name: String,
    text: String,
    /// Labels with the column (from 0, in characters) that they have in the whole line.
    labels: Vec<(Placed, usize)>,
}

/// A label in the bytes of the cut text.
#[derive(Debug)]
struct Placed {
    start: usize,
    end: usize,
    text: String,
    main: bool,
}

impl Snippet {
    fn new(
        diagnostic: &Diagnostic,
        sources: &SourceMap,
        id: SourceId,
        width: usize,
    ) -> Option<Snippet> {
        let source = sources.get(id)?;
        let here = diagnostic
            .labels
            .iter()
            .enumerate()
            .filter(|(_, label)| label.span.source == id);
        let labels: Vec<(Placed, usize)> = here
            .map(|(index, label)| {
                let (start, end) = drawable(&source.text, label.span);
                let placed = Placed {
                    start,
                    end,
                    text: label.text.clone(),
                    main: index == 0,
                };
                (placed, column(&source.text, start))
            })
            .collect();
        // The line number, the frame and the rim take about a dozen columns.
        let places: Vec<(usize, usize)> = labels
            .iter()
            .map(|(label, _)| (label.start, label.end))
            .collect();
        let cut = Cut::new(&source.text, &places, width.saturating_sub(12));
        let moved = labels.into_iter().map(|(label, column)| {
            let placed = Placed {
                start: cut.moved(label.start),
                end: cut.moved(label.end),
                ..label
            };
            (placed, column)
        });
        Some(Snippet {
            name: source.name.clone(),
            labels: moved.collect(),
            text: cut.text,
        })
    }
}

impl SourceCode for Snippet {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_before: usize,
        context_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let found = self.text.read_span(span, context_before, context_after)?;
        // Without context, miette asks where a label stands: the cut must not show there.
        let column = if context_before == 0 && context_after == 0 {
            let label = self
                .labels
                .iter()
                .find(|(label, _)| label.start == span.offset());
            label.map_or(found.column(), |(_, column)| *column)
        } else {
            found.column()
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            found.data(),
            *found.span(),
            found.line(),
            column,
            found.line_count(),
        )))
    }
}

/// The bytes that are underlined for a span: within the text, on character boundaries, and only
/// the first line of many.
fn drawable(text: &str, span: Span) -> (usize, usize) {
    let start = text.floor_char_boundary((span.start as usize).min(text.len()));
    let end = text.ceil_char_boundary((span.end as usize).clamp(start, text.len()));
    let covered = text.get(start..end).unwrap_or("");
    if covered.matches('\n').count() >= MOST_LABEL_LINES {
        let first = covered.lines().next().unwrap_or("").len();
        return (start, start + first);
    }
    (start, end)
}

/// Characters between the start of a line and `offset`.
fn column(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or("");
    before.rsplit('\n').next().unwrap_or("").chars().count()
}

/// The outermost object of the JSON form.
#[derive(Serialize)]
struct JsonReport<'a> {
    schema: &'static str,
    diagnostics: Vec<JsonDiagnostic<'a>>,
}

#[derive(Serialize)]
struct JsonDiagnostic<'a> {
    code: &'static str,
    severity: Severity,
    title: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    page: Option<String>,
    labels: Vec<JsonLabel<'a>>,
}

#[derive(Serialize)]
struct JsonLabel<'a> {
    file: &'a str,
    text: &'a str,
    start: JsonPlace,
    end: JsonPlace,
}

/// Line and columns from 1, in characters and in units of UTF-16; the offset from the beginning of
/// the file, in bytes from 0.
#[derive(Serialize)]
struct JsonPlace {
    line: usize,
    column: usize,
    utf16: usize,
    offset: u32,
}

/// All diagnostics as one JSON object with the schema `lotka-diagnostics-1`, on one line.
#[must_use]
pub fn json(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let place = |source: SourceId, at: u32| {
        let Position {
            line,
            column,
            utf16,
        } = sources.place(source, at);
        let skipped = sources.get(source).map_or(0, |known| known.skipped);
        JsonPlace {
            line,
            column,
            utf16,
            offset: at.saturating_add(skipped),
        }
    };
    let diagnostics = diagnostics
        .iter()
        .map(|diagnostic| JsonDiagnostic {
            code: diagnostic.code.as_str(),
            severity: diagnostic.severity(),
            title: diagnostic.code.title(),
            message: &diagnostic.message,
            help: diagnostic.help.as_deref(),
            page: explain::place(diagnostic.code),
            labels: diagnostic
                .labels
                .iter()
                .map(|label| JsonLabel {
                    file: sources
                        .get(label.span.source)
                        .map_or("", |source| source.name.as_str()),
                    text: &label.text,
                    start: place(label.span.source, label.span.start),
                    end: place(label.span.source, label.span.end),
                })
                .collect(),
        })
        .collect();
    let report = JsonReport {
        schema: "lotka-diagnostics-1",
        diagnostics,
    };
    // Strings and whole numbers always have a JSON form.
    serde_json::to_string(&report).unwrap_or_default()
}
