//! The parts of a text: declarations, equations, reactions, events, sentences.

use super::document::Document;
use crate::model::{NameKind, declared_names};
use crate::source::Span;
use crate::syntax::tree::{EquationLeft, Statement, StatementKind};
use gen_lsp_types::{DocumentSymbol, SymbolKind};

/// Characters of a statement that stand for it.
const LONGEST: usize = 60;

pub(super) fn outline(document: &Document) -> Vec<DocumentSymbol> {
    let mut found = of_statements(document, &document.file().statements);
    let declared = declared_names(document.file());
    let declared = declared
        .iter()
        .filter(|known| known.kind != NameKind::Observation && known.kind != NameKind::Condition);
    found.extend(declared.map(|known| {
        let labels = known.labels.iter();
        let labels: Vec<DocumentSymbol> = labels
            .map(|label| {
                let span = (label.span, label.span);
                symbol(document, &label.text, SymbolKind::EnumMember, span, None)
            })
            .collect();
        let detail = Some(known.kind.describe().to_owned());
        DocumentSymbol {
            detail,
            children: (!labels.is_empty()).then_some(labels),
            ..symbol(
                document,
                &known.name.text,
                kind_of(known.kind),
                (known.span, known.name.span),
                None,
            )
        }
    }));
    found.sort_by_key(|symbol| (symbol.range.start, symbol.selection_range.start));
    found
}

/// What an editor draws for a name.
pub(super) fn kind_of(kind: NameKind) -> SymbolKind {
    match kind {
        NameKind::Parameter | NameKind::Covariate => SymbolKind::Constant,
        NameKind::State | NameKind::Species => SymbolKind::Variable,
        NameKind::Compartment => SymbolKind::Object,
        NameKind::Definition | NameKind::Flux => SymbolKind::Property,
        NameKind::Function => SymbolKind::Function,
        NameKind::IndexSet => SymbolKind::Enum,
        NameKind::Condition => SymbolKind::Namespace,
        NameKind::Input | NameKind::Observation | NameKind::Wiener => SymbolKind::Field,
        NameKind::Instance => SymbolKind::Module,
    }
}

/// What declares no name.
fn of_statements(document: &Document, statements: &[Statement]) -> Vec<DocumentSymbol> {
    let all = statements.iter();
    all.filter_map(|statement| of_statement(document, statement))
        .collect()
}

fn of_statement(document: &Document, statement: &Statement) -> Option<DocumentSymbol> {
    let whole = statement.span;
    let line = || {
        let text = document.slice(whole);
        let line = text
            .lines()
            .next()
            .unwrap_or("")
            .trim_end_matches(['{', ' ']);
        line.chars().take(LONGEST).collect::<String>()
    };
    let made = |name: &str, kind, selected: Span, body: Option<&[Statement]>| {
        let children = body.map(|body| of_statements(document, body));
        let children = children.filter(|children| !children.is_empty());
        Some(symbol(document, name, kind, (whole, selected), children))
    };
    match &statement.kind {
        StatementKind::Equation { left, .. } => {
            let place = match left {
                EquationLeft::Derivative { span, .. } | EquationLeft::Zero(span) => *span,
                EquationLeft::Next(target) | EquationLeft::History(target) => {
                    Span::new(whole.source, whole.start as usize, target.span.end as usize)
                }
            };
            made(document.slice(place), SymbolKind::Operator, place, None)
        }
        StatementKind::Reaction(reaction) if reaction.name.is_none() => {
            made(&line(), SymbolKind::Operator, whole, None)
        }
        StatementKind::When { body, .. }
        | StatementKind::At { body, .. }
        | StatementKind::Every { body, .. } => made(&line(), SymbolKind::Event, whole, Some(body)),
        StatementKind::Dose { .. } | StatementKind::Assert(_) => {
            made(&line(), SymbolKind::Event, whole, None)
        }
        StatementKind::Condition { name, body } => {
            made(&name.text, SymbolKind::Namespace, name.span, Some(body))
        }
        StatementKind::For { body, .. } => made(&line(), SymbolKind::Array, whole, Some(body)),
        StatementKind::Observe { name, .. } => {
            let text = format!("observe {}", name.name.text);
            made(&text, SymbolKind::Field, name.span, None)
        }
        StatementKind::Sentence(sentence) => {
            made(&line(), SymbolKind::Method, sentence.verb.span, None)
        }
        StatementKind::Model(name) => made(&name.text, SymbolKind::Module, name.span, None),
        _ => None,
    }
}

fn symbol(
    document: &Document,
    name: &str,
    kind: SymbolKind,
    (whole, selected): (Span, Span),
    children: Option<Vec<DocumentSymbol>>,
) -> DocumentSymbol {
    #[expect(deprecated, reason = "the protocol keeps the field that tags replaced")]
    DocumentSymbol {
        // An editor refuses a symbol without a name.
        name: if name.is_empty() { "?" } else { name }.to_owned(),
        detail: None,
        kind,
        tags: None,
        deprecated: None,
        range: document.range(whole),
        selection_range: document.range(selected),
        children,
    }
}
