//! What may stand at the cursor, with a few words on each.

use super::document::{Document, SOURCE};
use super::hover::{builtin, distribution, helped, written};
use super::outline::kind_of;
use crate::model::{DeclaredName, Family, declared_names};
use crate::render::help;
use crate::session::verbs::{Place, Verb};
use crate::source::Span;
use crate::symbolic::Builtin;
use crate::typing::{Cursor, Known, Role, Sort, Suggestion, suggestions};
use gen_lsp_types::{
    CompletionItem, CompletionItemKind, CompletionItemTextEdit, CompletionList, Documentation,
    MarkupContent, MarkupKind, SymbolKind, TextEdit,
};
use rustc_hash::FxHashMap;

/// All suggestions at a place.
pub(super) fn complete(document: &Document, at: usize) -> CompletionList {
    let before = document.text.get(..at).unwrap_or("");
    let earlier = document.compiled().map(AsRef::as_ref);
    let known = Known::of_text(document.file(), SOURCE, earlier);
    let cursor = Cursor {
        known: &known,
        place: Place::Anywhere,
        folder: document.folder(),
    };
    let (start, found) = suggestions(before, cursor);
    let declared: FxHashMap<&str, DeclaredName<'_>> = declared_names(document.file())
        .into_iter()
        .map(|declared| (declared.name.text.as_str(), declared))
        .collect();
    let range = document.range(Span::new(SOURCE, start, at));
    let rest = document.text.get(at..).unwrap_or("");
    let items = found.into_iter().enumerate().map(|(rank, suggestion)| {
        let about = about(document, &declared, &suggestion);
        CompletionItem {
            kind: Some(about.kind),
            detail: about.detail,
            documentation: about.text.map(|value| {
                Documentation::MarkupContent(MarkupContent {
                    kind: MarkupKind::Markdown,
                    value,
                })
            }),
            // Editors sort by letters unless told otherwise.
            sort_text: Some(format!("{rank:04}")),
            filter_text: Some(suggestion.shown.clone()),
            text_edit: Some(CompletionItemTextEdit::TextEdit(TextEdit {
                range,
                new_text: fitted(&suggestion.text, rest).to_owned(),
            })),
            label: suggestion.shown,
            ..CompletionItem::default()
        }
    });
    CompletionList {
        // Lists are cut; a longer beginning brings other words.
        is_incomplete: true,
        item_defaults: None,
        apply_kind: None,
        items: items.collect(),
    }
}

/// A bracket, quotation mark or blank that is there already is not put there again.
fn fitted<'s>(text: &'s str, rest: &str) -> &'s str {
    let last = text
        .chars()
        .next_back()
        .filter(|c| matches!(c, '(' | '"' | ' '));
    match last {
        Some(last) if text.len() > 1 && rest.starts_with(last) => {
            text.strip_suffix(last).unwrap_or(text)
        }
        _ => text,
    }
}

struct About {
    kind: CompletionItemKind,
    detail: Option<String>,
    text: Option<String>,
}

fn about(
    document: &Document,
    declared: &FxHashMap<&str, DeclaredName<'_>>,
    suggestion: &Suggestion,
) -> About {
    let word = suggestion.shown.trim_end_matches('(').trim_matches('`');
    let plain = |kind| About {
        kind,
        detail: None,
        text: None,
    };
    match suggestion.sort {
        Sort::Name(role) => {
            if let Some(declared) = declared.get(word) {
                return About {
                    kind: kind_of_symbol(kind_of(declared.kind)),
                    detail: Some(written(document, declared)),
                    text: declared.statement.doc.clone(),
                };
            }
            match (role, Builtin::find(word)) {
                (Role::Function, Some(function)) => About {
                    kind: CompletionItemKind::Function,
                    detail: Some(function.description.to_owned()),
                    text: Some(builtin(function)),
                },
                _ => plain(CompletionItemKind::Variable),
            }
        }
        Sort::Verb => About {
            kind: CompletionItemKind::Keyword,
            detail: Verb::find(word).map(|verb| verb.summary.to_owned()),
            text: Some(helped(word)),
        },
        Sort::Declaration => About {
            kind: CompletionItemKind::Keyword,
            detail: None,
            text: help::topics()
                .any(|topic| topic == word)
                .then(|| helped(word)),
        },
        Sort::Option(verb) => {
            let choice = Verb::find(verb).and_then(|verb| verb.option(word));
            About {
                kind: CompletionItemKind::Keyword,
                detail: choice.map(|choice| choice.meaning.to_owned()),
                text: choice.map(|choice| format!("```lotka\n{}\n```", choice.example)),
            }
        }
        Sort::Family => About {
            kind: CompletionItemKind::Class,
            detail: None,
            text: Family::named(word).map(distribution),
        },
        Sort::Member => plain(CompletionItemKind::EnumMember),
        Sort::File => plain(CompletionItemKind::File),
        Sort::Word => plain(CompletionItemKind::Value),
    }
}

fn kind_of_symbol(kind: SymbolKind) -> CompletionItemKind {
    match kind {
        SymbolKind::Constant => CompletionItemKind::Constant,
        SymbolKind::Property => CompletionItemKind::Property,
        SymbolKind::Function => CompletionItemKind::Function,
        SymbolKind::Enum => CompletionItemKind::Enum,
        SymbolKind::Namespace | SymbolKind::Module => CompletionItemKind::Module,
        SymbolKind::Field => CompletionItemKind::Field,
        _ => CompletionItemKind::Variable,
    }
}
