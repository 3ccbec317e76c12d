//! What each name is, for colours that a grammar of regular expressions cannot give.

use super::document::Document;
use super::position::units;
use crate::model::{Bound, NameKind, Role, declared_names};
use crate::symbolic::Builtin;
use gen_lsp_types::{SemanticToken, SemanticTokens, SemanticTokensLegend};
use rustc_hash::FxHashMap;

/// Kinds of names, of the protocol's own list, in the order in which answers count them.
const TYPES: [&str; 7] = [
    "parameter",
    "variable",
    "property",
    "function",
    "enum",
    "enumMember",
    "namespace",
];
const PARAMETER: u32 = 0;
const VARIABLE: u32 = 1;
const PROPERTY: u32 = 2;
const FUNCTION: u32 = 3;
const ENUM: u32 = 4;
const ENUM_MEMBER: u32 = 5;
const NAMESPACE: u32 = 6;

/// What may be said of a name besides, each a bit.
const MODIFIERS: [&str; 3] = ["declaration", "modification", "defaultLibrary"];
const DECLARATION: u32 = 1;
const MODIFICATION: u32 = 2;
const DEFAULT_LIBRARY: u32 = 4;

pub(super) fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend {
        token_types: TYPES.map(str::to_owned).to_vec(),
        token_modifiers: MODIFIERS.map(str::to_owned).to_vec(),
    }
}

/// All names of the text, each told by its distance from the one before.
pub(super) fn colours(document: &Document) -> SemanticTokens {
    let kinds: FxHashMap<&str, NameKind> = declared_names(document.file())
        .into_iter()
        .rev()
        .map(|declared| (declared.name.text.as_str(), declared.kind))
        .collect();
    let mut data = Vec::new();
    let (mut line, mut column) = (0, 0);
    let mut end = 0;
    for found in document.occurrences() {
        // Of a path and its first part, which overlap, the first is told.
        if found.span.start < end {
            continue;
        }
        let kind = match found.bound {
            Bound::Model => kinds.get(found.name).map(|kind| of_name(*kind)),
            Bound::Local(_) => Some(PARAMETER),
            Bound::Label(_) => Some(ENUM_MEMBER),
            Bound::Open => Builtin::find(found.name).map(|_| FUNCTION),
        };
        let Some(kind) = kind else { continue };
        end = found.span.end;
        let is_own = found.bound != Bound::Open;
        let modifiers = match found.role {
            Role::Declares => DECLARATION,
            Role::Governs | Role::Sets => MODIFICATION,
            _ if !is_own => DEFAULT_LIBRARY,
            _ => 0,
        };
        let at = document.range(found.span).start;
        data.push(SemanticToken {
            delta_line: at.line - line,
            delta_start: if at.line == line {
                at.character - column
            } else {
                at.character
            },
            length: units(document.slice(found.span)),
            token_type: kind,
            token_modifiers_bitset: modifiers,
        });
        (line, column) = (at.line, at.character);
    }
    SemanticTokens {
        result_id: None,
        data,
    }
}

fn of_name(kind: NameKind) -> u32 {
    match kind {
        NameKind::Parameter | NameKind::Compartment | NameKind::Covariate => PARAMETER,
        NameKind::State | NameKind::Species | NameKind::Wiener => VARIABLE,
        NameKind::Definition | NameKind::Flux | NameKind::Input | NameKind::Observation => PROPERTY,
        NameKind::Function => FUNCTION,
        NameKind::IndexSet => ENUM,
        NameKind::Condition | NameKind::Instance => NAMESPACE,
    }
}
