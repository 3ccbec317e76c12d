//! What is known of the word under the pointer.
//!
//! Enters: a document and a place. Leaves: Markdown: the declaration as written, the kind, value,
//! unit and bounds as the last model has them, the derived equation, the doc comment; of the words
//! of the language what `help` says.

use super::document::Document;
use crate::diagnostic::Code;
use crate::model::{Bound, DeclaredName, Entity, Family, NameKind, Target, declared_names};
use crate::render::explain;
use crate::render::help;
use crate::render::show::{derived, values_text};
use crate::session::verbs::Verb;
use crate::session::{Compiled, Overrides};
use crate::source::Span;
use crate::symbolic::{Arity, Builtin};
use crate::syntax::{last_statement, tree};
use crate::typing::{Kind, Token, tokens};
use gen_lsp_types::{Contents, Hover, MarkupContent, MarkupKind};

/// Columns of help texts in a pop-up.
const WIDTH: usize = 80;
/// Lines of a declaration that are shown.
const MOST_LINES: usize = 12;

/// What the editor shows beside the pointer; nothing where there is nothing to say.
pub(super) fn hover(document: &Document, at: usize) -> Option<Hover> {
    let (text, span) = name_at(document, at).or_else(|| word_at(document, at))?;
    Some(Hover {
        contents: Contents::MarkupContent(MarkupContent {
            kind: MarkupKind::Markdown,
            value: text,
        }),
        range: Some(document.range(span)),
    })
}

fn name_at(document: &Document, at: usize) -> Option<(String, Span)> {
    let found = document.occurrence_at(at)?;
    let text = match found.bound {
        Bound::Model => card(document, found.name)?,
        Bound::Local(place) => local(document, found.name, place),
        Bound::Label(set) => format!("**label** of the index set `{set}`"),
        Bound::Open => elsewhere(document, found.name)?,
    };
    Some((text, found.span))
}

/// All that is known of a name that the text declares.
pub(super) fn card(document: &Document, name: &str) -> Option<String> {
    let mut declared = declared_names(document.file());
    declared.retain(|known| known.name.text == name);
    // An observation may go by the name of what it observes.
    declared.sort_by_key(|known| known.kind == NameKind::Observation);
    let first = declared.first()?;
    let mut parts = vec![fenced(&written(document, first)), facts(document, first)];
    for more in declared.iter().skip(1) {
        if more.kind == NameKind::Observation {
            parts.push(fenced(&written(document, more)));
        }
    }
    if let Some(equation) = document.compiled().and_then(|model| equations(model, name)) {
        parts.push(fenced(&equation));
    }
    if let Some(doc) = &first.statement.doc {
        parts.push(doc.clone());
    }
    Some(parts.join("\n\n"))
}

/// The declaration as it stands: of several items only this one.
pub(super) fn written(document: &Document, declared: &DeclaredName<'_>) -> String {
    let statement = document.slice(declared.statement.span);
    let is_item = declared.span != declared.statement.span;
    if is_item {
        let word = statement.split_whitespace().next().unwrap_or("");
        let item = document.slice(declared.span);
        return format!("{word} {item}");
    }
    let mut lines: Vec<&str> = statement.lines().take(MOST_LINES).collect();
    if statement.lines().count() > MOST_LINES {
        lines.push("...");
    }
    lines.join("\n")
}

/// The kind, and the numbers that the last model has for it.
fn facts(document: &Document, declared: &DeclaredName<'_>) -> String {
    let mut text = format!("**{}**", declared.kind.describe());
    if let Some(compiled) = document.compiled() {
        text.push_str(&numbers(compiled, &declared.name.text));
        if !document.is_current() {
            text.push_str(" (before the last changes)");
        }
    }
    text
}

fn numbers(compiled: &Compiled, name: &str) -> String {
    let model = &compiled.model;
    let (target, unit, bounds, begins) = match model.names.get(name) {
        Some(Entity::Parameter(id)) => {
            let Some(known) = model.parameters.get(id.index()) else {
                return String::new();
            };
            (Target::Parameter(id), &known.unit, known.bounds, " = ")
        }
        Some(Entity::State(id)) => {
            let Some(known) = model.states.get(id.index()) else {
                return String::new();
            };
            (
                Target::State(id),
                &known.unit,
                known.bounds,
                ", at the start ",
            )
        }
        Some(Entity::IndexSet(id)) => {
            return format!(" of {} members", model.names.index_set(id).len());
        }
        Some(Entity::Definition(id)) => {
            let unit = model.definitions.get(id.index());
            let unit = unit.and_then(|known| known.unit.as_ref());
            return unit.map_or_else(String::new, |unit| format!(" [{unit}]"));
        }
        _ => return String::new(),
    };
    let mut text = format!(
        "{begins}{}",
        values_text(&compiled.numbers_of(&Overrides::new(), target))
    );
    if let Some(unit) = unit {
        text.push_str(&format!(" [{unit}]"));
    }
    if let Some(bounds) = bounds {
        let end = |x: f64| {
            if x.is_finite() {
                values_text(&[x])
            } else {
                String::new()
            }
        };
        let scale = if bounds.logarithmic { " log" } else { "" };
        text.push_str(&format!(
            ", in {}..{}{scale}",
            end(bounds.low),
            end(bounds.high)
        ));
    }
    text
}

/// The equation of a state, and of its velocity when that is a state too.
fn equations(compiled: &Compiled, name: &str) -> Option<String> {
    let velocity = format!("{name}'");
    // With a velocity that is a state, its name is all that the first equation says.
    let text = match compiled.model.names.get(&velocity) {
        Some(Entity::State(_)) => derived(compiled, &velocity),
        _ => derived(compiled, name),
    };
    (!text.is_empty()).then(|| text.trim_end().to_owned())
}

fn local(document: &Document, name: &str, place: Span) -> String {
    match around(&document.file().statements, place).map(|statement| &statement.kind) {
        Some(tree::StatementKind::Function { name: function, .. }) => {
            format!("**parameter** of the function `{}`", function.text)
        }
        Some(tree::StatementKind::For { range, .. }) => {
            format!(
                "**loop variable** `{name}` in `{}`",
                document.slice(range.span)
            )
        }
        _ => format!("**local name** `{name}`"),
    }
}

/// The innermost statement around a place.
fn around(statements: &[tree::Statement], place: Span) -> Option<&tree::Statement> {
    let found = statements
        .iter()
        .find(|statement| statement.span.start <= place.start && place.end <= statement.span.end)?;
    let inner = match &found.kind {
        tree::StatementKind::For { body, .. } => around(body, place),
        _ => None,
    };
    Some(inner.unwrap_or(found))
}

/// A name that this text does not declare: a function of the language, a distribution, or what the
/// model has from a module.
fn elsewhere(document: &Document, name: &str) -> Option<String> {
    if let Some(function) = Builtin::find(name) {
        return Some(builtin(function));
    }
    if let Some(family) = Family::named(name) {
        return Some(distribution(family));
    }
    if let Some(compiled) = document.compiled() {
        let names = &compiled.model.names;
        if names.get(name).is_some() {
            let mut text = format!(
                "`{name}`: {}{}",
                names.describe(name),
                numbers(compiled, name)
            );
            if let Some(equation) = equations(compiled, name) {
                text.push_str("\n\n");
                text.push_str(&fenced(&equation));
            }
            return Some(text);
        }
    }
    match name {
        "t" => Some("`t`: the time".to_owned()),
        "pi" => Some(format!("`pi` = {}", values_text(&[std::f64::consts::PI]))),
        _ => None,
    }
}

/// A function of the language.
pub(super) fn builtin(function: &Builtin) -> String {
    format!(
        "{}\n\n{}\n\ndomain: {}",
        fenced(&signature_of(function)),
        function.description,
        function.domain
    )
}

/// `max(x, y, ...)`
pub(super) fn signature_of(function: &Builtin) -> String {
    format!("{}({})", function.name, arguments_of(function).join(", "))
}

/// Names for the arguments of a function of the language, which have none of their own.
pub(super) fn arguments_of(function: &Builtin) -> Vec<&'static str> {
    const LETTERS: [&str; 4] = ["x", "y", "z", "w"];
    let (count, more) = match function.arity {
        Arity::Exactly(count) => (count, false),
        Arity::AtLeast(count) => (count, true),
    };
    let mut names: Vec<&str> = LETTERS.into_iter().take(count).collect();
    if more {
        names.push("...");
    }
    names
}

pub(super) fn distribution(family: Family) -> String {
    let call = format!("{}({})", family.name(), family.parameters().join(", "));
    format!("{}\n\n**distribution**", fenced(&call))
}

/// A word of the language: of a sentence, an option, a declaration.
fn word_at(document: &Document, at: usize) -> Option<(String, Span)> {
    let text = &document.text;
    let line = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let rest = text.get(line..)?;
    let end = rest.find('\n').unwrap_or(rest.len());
    let all = tokens(rest.get(..end)?);
    let touches = |token: &&Token| line + token.start <= at && at <= line + token.end;
    let mut near = all.iter().filter(touches);
    let token = near.find(|token| token.kind == Kind::Word)?;
    let word = token.text(rest);
    let span = Span::new(
        super::document::SOURCE,
        line + token.start,
        line + token.end,
    );
    let begin = last_statement(text.get(..line + token.end)?);
    let statement = text.get(begin..)?.trim_start();
    let first: String = statement
        .chars()
        .take_while(|c| c.is_alphanumeric())
        .collect();
    if let Some(choice) = Verb::find(&first).and_then(|verb| verb.option(word)) {
        let shown = format!("{}\n\n{}", fenced(choice.example), choice.meaning);
        return Some((format!("{shown}\n\noption of `{first}`"), span));
    }
    if let Some(function) = Builtin::find(word) {
        return Some((builtin(function), span));
    }
    // `allow W0201`
    let mut codes = Code::ALL.iter();
    if let Some(code) = codes.find(|code| code.as_str() == word) {
        let page = explain::section(*code).unwrap_or("");
        return Some((format!("**{word}**: {}\n\n{page}", code.title()), span));
    }
    let is_known = help::topics().any(|topic| topic == word);
    is_known.then(|| (helped(word), span))
}

/// What `help` says of a word.
pub(super) fn helped(word: &str) -> String {
    let text = help::help(Some(word), WIDTH);
    match text.split_once('\n') {
        Some((summary, rest)) if !rest.trim().is_empty() => {
            format!("**{word}**: {summary}\n\n```text\n{}\n```", rest.trim_end())
        }
        _ => format!("**{word}**: {}", text.trim()),
    }
}

fn fenced(code: &str) -> String {
    format!("```lotka\n{code}\n```")
}
