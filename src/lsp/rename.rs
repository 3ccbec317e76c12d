//! Another name for the same thing, everywhere at once, or the reason why not.
//!
//! Whatever the new name is, the text with it is read again: unless every name then stands for what
//! it stood for before, the change is refused. So no shadowing, clash or word of a sentence can turn
//! a renamed model into another one.

use super::document::{Document, SOURCE};
use super::navigate::same_as;
use crate::model::{Bound, Occurrence, occurrences};
use crate::source::Span;
use crate::symbolic::Builtin;
use crate::syntax::{continues_name, is_reserved, parse_file, starts_name, tree, written_name};
use crate::typing::{Kind, tokens};
use gen_lsp_types::{PrepareRenamePlaceholder, PrepareRenameResult, TextEdit, WorkspaceEdit};
use std::collections::HashMap;

/// Whether the name at a place can have another one, and how it is written now.
///
/// # Errors
/// Why it cannot.
pub(super) fn prepare(document: &Document, at: usize) -> Result<PrepareRenameResult, String> {
    let found = renamed(document, at)?;
    let placeholder = PrepareRenamePlaceholder {
        range: document.range(found.span),
        placeholder: found.name.to_owned(),
    };
    Ok(PrepareRenameResult::PrepareRenamePlaceholder(placeholder))
}

/// The changes that give the name at a place another one.
///
/// # Errors
/// Why it cannot have that name.
pub(super) fn rename(document: &Document, at: usize, new: &str) -> Result<WorkspaceEdit, String> {
    let found = renamed(document, at)?;
    let new_name = name_of(new)?;
    let places = same_as(document, &found);
    if new_name == found.name {
        return Ok(WorkspaceEdit::default());
    }
    clash(document, &found, &new_name)?;
    unread(document, found.name)?;
    let written = written_name(&new_name);
    means_the_same(document, &places, &written, found.name, &new_name)?;
    let edits = places.iter().map(|place| TextEdit {
        range: document.range(place.span),
        new_text: written.clone(),
    });
    let changes = HashMap::from([(document.uri.clone(), edits.collect())]);
    Ok(WorkspaceEdit {
        changes: Some(changes),
        ..WorkspaceEdit::default()
    })
}

fn renamed(document: &Document, at: usize) -> Result<Occurrence<'_>, String> {
    let Some(found) = document.occurrence_at(at) else {
        return Err("there is no name here that could be changed".to_owned());
    };
    if found.bound != Bound::Open {
        return Ok(found);
    }
    let name = found.name;
    Err(if Builtin::find(name).is_some() {
        format!("`{name}` is a function of the language")
    } else if is_reserved(name) {
        format!("`{name}` is a word of the language")
    } else {
        format!("`{name}` is not declared in this file")
    })
}

/// What was typed as a name: bare, or in backquotes.
fn name_of(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    let quoted = typed
        .strip_prefix('`')
        .and_then(|rest| rest.strip_suffix('`'));
    if let Some(inside) = quoted {
        let fits = !inside.trim().is_empty() && !inside.contains(['`', '\n', '\r']);
        return if fits {
            Ok(inside.to_owned())
        } else {
            Err("there is no name between the backquotes".to_owned())
        };
    }
    if is_reserved(typed) {
        return Err(format!(
            "`{typed}` is a reserved word; in backquotes it may be a name"
        ));
    }
    let fits = typed.starts_with(starts_name) && typed.chars().all(continues_name);
    if fits {
        Ok(typed.to_owned())
    } else {
        Err(format!(
            "`{typed}` is no name: letters, digits and `_`, beginning with a letter, or anything in backquotes"
        ))
    }
}

/// Refuses a name that something else has.
fn clash(document: &Document, found: &Occurrence<'_>, new: &str) -> Result<(), String> {
    let all = document.occurrences();
    let mut taken = all
        .iter()
        .filter(|other| other.name == new && other.bound == found.bound);
    if let Some(other) = taken.next() {
        let line = document.range(other.span).start.line + 1;
        return Err(format!("`{new}` is taken: it stands in line {line}"));
    }
    if found.bound == Bound::Model && Builtin::find(new).is_some() {
        return Err(format!("`{new}` is a function of the language"));
    }
    Ok(())
}

/// Refuses to leave the name behind in statements that cannot be read.
fn unread(document: &Document, name: &str) -> Result<(), String> {
    if document.parsed().diagnostics.is_empty() {
        return Ok(());
    }
    let mut read = Vec::new();
    covered(&document.file().statements, &mut read);
    let text = &document.text;
    let left = tokens(text).into_iter().find(|token| {
        let word = token.text(text).trim_end_matches('\'').trim_matches('`');
        let at = u32::try_from(token.start).unwrap_or(u32::MAX);
        token.kind == Kind::Word
            && word.split('.').next() == Some(name)
            && !read.iter().any(|span| span.start <= at && at < span.end)
    });
    match left {
        None => Ok(()),
        Some(token) => {
            let line = document.lines.position(text, token.start).line + 1;
            Err(format!(
                "line {line} has a fault and would keep `{name}`: mend it first"
            ))
        }
    }
}

/// What the tree was made of: statements, and of blocks their heads and what is in them.
fn covered(statements: &[tree::Statement], read: &mut Vec<Span>) {
    use tree::StatementKind::{At, Condition, Every, For, When};
    for statement in statements {
        match &statement.kind {
            For { body, .. }
            | Condition { body, .. }
            | When { body, .. }
            | At { body, .. }
            | Every { body, .. } => {
                let head_end = body
                    .first()
                    .map_or(statement.span.end, |first| first.span.start);
                let (start, end) = (statement.span.start as usize, head_end as usize);
                read.push(Span::new(SOURCE, start, end));
                covered(body, read);
            }
            _ => read.push(statement.span),
        }
    }
}

/// Reads the changed text and compares what every name stands for.
fn means_the_same(
    document: &Document,
    places: &[Occurrence<'_>],
    written: &str,
    old: &str,
    new: &str,
) -> Result<(), String> {
    let mut text = String::with_capacity(document.text.len());
    let mut from = 0;
    for place in places {
        text.push_str(
            document
                .text
                .get(from..place.span.start as usize)
                .unwrap_or(""),
        );
        text.push_str(written);
        from = place.span.end as usize;
    }
    text.push_str(document.text.get(from..).unwrap_or(""));
    let parsed = parse_file(SOURCE, &text);
    let moved = |at: u32| {
        let earlier = places.iter().filter(|place| place.span.end <= at);
        let shift: i64 = earlier
            .map(|place| i64::try_from(written.len()).unwrap_or(0) - place.span.len() as i64)
            .sum();
        i64::from(at) + shift
    };
    let before: Vec<_> = occurrences(document.file())
        .iter()
        .map(|found| {
            let is_renamed = places.iter().any(|place| place.span == found.span);
            let bound = match found.bound {
                Bound::Local(at) => Meaning::Local(moved(at.start)),
                Bound::Label(set) => Meaning::Label(if set == old && renames_set(places) {
                    new.to_owned()
                } else {
                    set.to_owned()
                }),
                Bound::Model => Meaning::Model,
                Bound::Open => Meaning::Open,
            };
            let name = if is_renamed { new } else { found.name };
            (moved(found.span.start), name.to_owned(), bound)
        })
        .collect();
    let after: Vec<_> = occurrences(&parsed.file)
        .iter()
        .map(|found| {
            let bound = match found.bound {
                Bound::Local(at) => Meaning::Local(i64::from(at.start)),
                Bound::Label(set) => Meaning::Label(set.to_owned()),
                Bound::Model => Meaning::Model,
                Bound::Open => Meaning::Open,
            };
            (i64::from(found.span.start), found.name.to_owned(), bound)
        })
        .collect();
    let same_faults = parsed.diagnostics.len() == document.parsed().diagnostics.len();
    if same_faults && before == after {
        return Ok(());
    }
    let mut pairs = before.iter().zip(&after);
    let differs = pairs.find(|(left, right)| left != right);
    let line = differs.and_then(|(_, (at, ..))| {
        let before = text.get(..usize::try_from(*at).ok()?)?;
        Some(before.matches('\n').count() + 1)
    });
    Err(match line {
        Some(line) => format!("with the name `{new}` line {line} would mean something else"),
        None => format!("with the name `{new}` the text would mean something else"),
    })
}

fn renames_set(places: &[Occurrence<'_>]) -> bool {
    places.iter().any(|place| place.bound == Bound::Model)
}

/// What a name stands for, in terms that two texts share.
#[derive(Debug, PartialEq)]
enum Meaning {
    Model,
    Local(i64),
    Label(String),
    Open,
}
