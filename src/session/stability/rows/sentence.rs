//! The words of `stability over "cells.h5ad" layer "Ms" by cell_type of jacobian[a, b]`.
//!
//! Enters: options. Leaves: [`Rows`], and the elements that it names as positions. Must not know
//! what is read or computed.

use super::Element;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::session::command::Rows;
use crate::session::compiled::Compiled;
use crate::session::lower::{ends_in, word_of};
use crate::session::options::Options;
use crate::syntax::{self, tree};
use tree::ExprKind;

/// The name in front of the indices of an element.
const JACOBIAN: &str = "jacobian";
/// What may stand after `of`, beside elements.
const PARTS: [&str; 2] = ["trace", "rotation"];
/// Names in a list.
const NAMED: usize = 5;
/// The words that belong to a table alone.
const WORDS: [&str; 4] = ["layer", "by", "of", "to"];

/// What `of` asks for.
pub(super) struct Wished {
    pub elements: Vec<Element>,
    /// False where trace and rotational part alone are named.
    pub spectrum: bool,
}

/// The sentence over a table, where a file stands after `over`.
pub(in crate::session) fn about(options: &mut Options<'_>) -> Option<Rows> {
    let option = options.peek("over")?;
    let is_file = |value: &tree::Expr| matches!(value.kind, ExprKind::Text(_));
    if !option.values.first().is_some_and(is_file) {
        return None;
    }
    let file = options.text("over")?;
    for binding in &option.bindings {
        options.problem(
            Diagnostic::new(Code::BadOption, "columns have the names of the states here")
                .at(binding.name.span, "")
                .help("rename the columns of the file"),
        );
    }
    let layer = options.peek("layer").and_then(|_| options.text("layer"));
    let by = options
        .take("by")
        .and_then(|option| match option.values.as_slice() {
            [
                tree::Expr {
                    kind: ExprKind::Text(text),
                    span,
                },
            ] => Some(tree::Name {
                text: text.clone(),
                span: *span,
            }),
            _ => options.name_of(option),
        });
    let of = match options.take("of") {
        None => Vec::new(),
        Some(option) => {
            if option.values.is_empty() {
                options.needs_value(option);
            }
            option.values.clone()
        }
    };
    let to = options.peek("to").and_then(|_| options.text("to"));
    if let Some(path) = &to
        && !ends_in(&path.text, &["csv", "txt", "json"])
    {
        options.problem(
            Diagnostic::new(Code::CannotWrite, "a table is written as CSV or JSON")
                .at(path.span, "this ending means something else")
                .help("as in `to \"spectra.csv\"`; `plot eigenvalues to \"cloud.svg\"` draws"),
        );
    }
    Some(Rows {
        file,
        layer,
        by,
        of,
        to,
    })
}

/// Refuses the words that belong to a table, where none is named.
pub(in crate::session) fn refuse_words(options: &mut Options<'_>) {
    for word in WORDS {
        if let Some(option) = options.take(word) {
            options.problem(
                Diagnostic::new(
                    Code::BadOption,
                    format!("`{word}` belongs to `stability over` a table of states"),
                )
                .at(option.span, "")
                .help("as in `stability over \"cells.h5ad\" layer \"Ms\" by cell_type`"),
            );
        }
    }
}

pub(super) fn is_json(path: &tree::Text) -> bool {
    ends_in(&path.text, &["json"])
}

/// What `of` names.
///
/// # Errors
/// Words that it does not know, elements of no state.
pub(super) fn elements(compiled: &Compiled, asked: &Rows) -> Result<Wished, Vec<Diagnostic>> {
    let (mut elements, mut problems, mut parts) = (Vec::new(), Vec::new(), 0);
    for value in &asked.of {
        match word_of(value).map(|word| word.text.as_str()) {
            Some(word) if PARTS.contains(&word) => parts += 1,
            _ => match element(compiled, value) {
                Ok(element) if elements.contains(&element) => {}
                Ok(element) => elements.push(element),
                Err(problem) => problems.push(problem),
            },
        }
    }
    match problems.is_empty() {
        true => Ok(Wished {
            elements,
            spectrum: parts == 0,
        }),
        false => Err(problems),
    }
}

/// `jacobian[a, b]`, `jacobian[x, s[b]]`
pub(super) fn element(compiled: &Compiled, value: &tree::Expr) -> Result<Element, Diagnostic> {
    let wrong = |message: &str| {
        Diagnostic::new(Code::BadOption, message).at(value.span, "").help(
            "`of jacobian[x, y]` adds the derivative of x' by y; `of trace, rotation` leaves the eigenvalues out",
        )
    };
    let ExprKind::Reference(reference) = &value.kind else {
        return Err(wrong("`of` is followed by elements of the Jacobian"));
    };
    if reference.name.text != JACOBIAN {
        return Err(wrong("`of` is followed by elements of the Jacobian"));
    }
    let [row, column] = reference.indices.as_slice() else {
        return Err(wrong("an element of the Jacobian has two indices"));
    };
    let names = compiled.state_names();
    let (row, column) = (
        place(compiled, &names, row)?,
        place(compiled, &names, column)?,
    );
    let name = |at: usize| names.get(at).map_or("", String::as_str);
    let short = |at: usize| within(compiled, name(at));
    Ok(Element {
        label: format!("{JACOBIAN}[{}, {}]", short(row), short(column)),
        row,
        column,
    })
}

/// The label of a number of the only vector; else the whole name.
fn within<'n>(compiled: &Compiled, name: &'n str) -> &'n str {
    let [state] = compiled.model.states.as_slice() else {
        return name;
    };
    let rest = name.strip_prefix(state.name.as_str());
    let label = rest.and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
    label.unwrap_or(name)
}

/// The state that an index names: in full, or by its label where the only state is a vector.
fn place(compiled: &Compiled, names: &[String], index: &tree::Expr) -> Result<usize, Diagnostic> {
    let written = syntax::show_expression(index);
    let is_meant = |name: &String| *name == written || within(compiled, name) == written;
    names.iter().position(is_meant).ok_or_else(|| {
        let near = did_you_mean(&written, names.iter().map(|name| within(compiled, name)));
        let known: Vec<String> = (names.iter().take(NAMED))
            .map(|name| format!("`{}`", within(compiled, name)))
            .collect();
        Diagnostic::new(Code::UnknownName, format!("there is no state `{written}`"))
            .at(index.span, "not a state")
            .help(near.unwrap_or_else(|| match names.len() > NAMED {
                true => format!("the states are {}, ...", known.join(", ")),
                false => format!("the states are {}", listed(&known)),
            }))
    })
}
