//! The arguments of the call that is being typed.

use super::document::Document;
use super::hover::{arguments_of, signature_of};
use crate::model::{Family, NameKind, declared_names};
use crate::symbolic::Builtin;
use crate::syntax::{last_statement, tree::StatementKind};
use crate::typing::{Kind, Token, tokens};
use gen_lsp_types::{
    ActiveParameter, Documentation, ParameterInformation, ParameterInformationLabel, SignatureHelp,
    SignatureInformation,
};

/// The innermost call around the end of the text up to `at`, when its function is known.
pub(super) fn signature(document: &Document, at: usize) -> Option<SignatureHelp> {
    let before = document.text.get(..at)?;
    let statement = before.get(last_statement(before)..)?;
    let all = tokens(statement);
    let (function, place) = call(&all, statement)?;
    let (label, arguments, about) = described(document, function)?;
    let last = arguments.len().saturating_sub(1);
    let parameters = arguments.into_iter().map(|name| ParameterInformation {
        label: ParameterInformationLabel::String(name),
        documentation: None,
    });
    let active = ActiveParameter::Int(u32::try_from(place.min(last)).unwrap_or(0));
    Some(SignatureHelp {
        signatures: vec![SignatureInformation {
            label,
            documentation: about.map(Documentation::String),
            parameters: Some(parameters.collect()),
            active_parameter: None,
        }],
        active_signature: Some(0),
        active_parameter: Some(active),
    })
}

/// The word before the innermost open bracket, and how many commas stand in it.
fn call<'s>(all: &[Token], statement: &'s str) -> Option<(&'s str, usize)> {
    let mut depth = 0;
    let mut commas = 0;
    for (at, token) in all.iter().enumerate().rev() {
        match token.text(statement) {
            ")" | "]" | "}" => depth += 1,
            "," if depth == 0 => commas += 1,
            "(" if depth == 0 => {
                let name = all.get(at.checked_sub(1)?)?;
                let touches = name.kind == Kind::Word && name.end == token.start;
                return touches.then(|| (name.text(statement), commas));
            }
            "[" if depth == 0 => commas = 0,
            "(" | "[" | "{" => depth -= 1,
            _ => {}
        }
        depth = depth.max(0);
    }
    None
}

/// The whole call, its arguments one by one, and what it is about.
fn described(document: &Document, name: &str) -> Option<(String, Vec<String>, Option<String>)> {
    let known = declared_names(document.file());
    let own = known
        .iter()
        .find(|known| known.kind == NameKind::Function && known.name.text == name);
    if let Some(own) = own
        && let StatementKind::Function { parameters, .. } = &own.statement.kind
    {
        let names: Vec<String> = parameters.iter().map(|name| name.text.clone()).collect();
        let label = format!("{name}({})", names.join(", "));
        return Some((label, names, own.statement.doc.clone()));
    }
    if let Some(function) = Builtin::find(name) {
        let names = arguments_of(function).into_iter().map(str::to_owned);
        let about = function.description.to_owned();
        return Some((signature_of(function), names.collect(), Some(about)));
    }
    let family = Family::named(name)?;
    let names: Vec<String> = family
        .parameters()
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    Some((format!("{name}({})", names.join(", ")), names, None))
}
