//! Where a name is declared, governed and used.

use super::document::Document;
use super::problems;
use crate::model::{Bound, Occurrence, Role};
use gen_lsp_types::{DocumentHighlight, DocumentHighlightKind, Location};

/// Every place that stands for the same as the name at a place, in the order of the text.
pub(super) fn same(document: &Document, at: usize) -> Vec<Occurrence<'_>> {
    let Some(here) = document.occurrence_at(at) else {
        return Vec::new();
    };
    same_as(document, &here)
}

/// Every place that stands for the same as a name.
pub(super) fn same_as<'d>(document: &'d Document, here: &Occurrence<'d>) -> Vec<Occurrence<'d>> {
    if here.bound == Bound::Open {
        return Vec::new();
    }
    let all = document.occurrences().into_iter();
    all.filter(|other| other.bound == here.bound && other.name == here.name)
        .collect()
}

/// Where the name is declared, here or in a module.
pub(super) fn definition(document: &Document, at: usize) -> Vec<Location> {
    let declared = with_role(document, at, |role| role == Role::Declares);
    if !declared.is_empty() {
        return declared;
    }
    declared_elsewhere(document, at).into_iter().collect()
}

/// The equations and reactions that govern the name.
pub(super) fn implementation(document: &Document, at: usize) -> Vec<Location> {
    let governed = with_role(document, at, |role| role == Role::Governs);
    if governed.is_empty() {
        return definition(document, at);
    }
    governed
}

/// Every use of the name.
pub(super) fn references(document: &Document, at: usize, declaration: bool) -> Vec<Location> {
    with_role(document, at, |role| declaration || role != Role::Declares)
}

pub(super) fn highlights(document: &Document, at: usize) -> Vec<DocumentHighlight> {
    let all = same(document, at).into_iter();
    all.map(|found| DocumentHighlight {
        range: document.range(found.span),
        kind: Some(match found.role {
            Role::Declares | Role::Governs | Role::Sets => DocumentHighlightKind::Write,
            Role::Calls | Role::Reads => DocumentHighlightKind::Read,
        }),
    })
    .collect()
}

fn with_role(document: &Document, at: usize, wanted: impl Fn(Role) -> bool) -> Vec<Location> {
    let all = same(document, at).into_iter();
    all.filter(|found| wanted(found.role))
        .map(|found| Location {
            uri: document.uri.clone(),
            range: document.range(found.span),
        })
        .collect()
}

/// A name that the model has from another text.
fn declared_elsewhere(document: &Document, at: usize) -> Option<Location> {
    let found = document.occurrence_at(at)?;
    let sound = document.sound.as_ref()?;
    let names = &sound.compiled.as_ref()?.model.names;
    let span = names.declared_at(found.name)?;
    if span.source == super::document::SOURCE {
        return None;
    }
    problems::location(sound, span)
}
