//! `jacobian`: symbolic, or as numbers at a state.
//!
//! Enters: a command and the session's values. Leaves: what `show jacobian` shows, or a
//! [`JacobianAnswer`], and a table of it when a file is named.

use super::command::{Command, Form, Jacobian, Topic};
use super::compiled::Compiled;
use super::lower::{ends_in, form, setting};
use super::options::Options;
use super::outcome::{Made, Outcome, Performed};
use super::rest::AtRest;
use super::stability::{bindings, named_state, not_finite};
use super::values::Overrides;
use super::{Session, steady};
use crate::analyze::{Motion, jacobian_at};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree;
use crate::table::{self, Cells};
use std::sync::Arc;

/// The Jacobian at a state, with the names of its model.
#[derive(Debug, Clone)]
pub struct JacobianAnswer {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// Of a flow or of a map.
    pub motion: Motion,
    /// The state.
    pub state: Vec<f64>,
    /// Its entries, column by column; rows and columns are the numbers of the state vector.
    pub entries: Vec<f64>,
    /// As text or for a paper.
    pub form: Form,
}

/// `jacobian`, `jacobian as latex`, `jacobian at x = 1`, `jacobian from last with k = 2`
pub(super) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    if let Some(subject) = sentence.subjects.first() {
        options.problem(
            Diagnostic::new(Code::BadOption, "`jacobian` is that of all states")
                .at(subject.value.span, "this is too much")
                .help("write `jacobian`, or `jacobian at x = 1` for numbers"),
        );
    }
    let from_last = steady::from_last(&mut options);
    let at = bindings(&mut options);
    if let (Some(from), Some((_, at))) = (from_last, &at) {
        options.problem(
            Diagnostic::new(Code::BadOption, "`at` and `from` name different states")
                .at(from, "")
                .at(*at, "")
                .help("keep one of them"),
        );
    }
    let form = form(&mut options);
    let to = options.text("to");
    if let Some(path) = &to
        && !ends_in(&path.text, &["", "csv", "txt"])
    {
        options.problem(
            Diagnostic::new(Code::CannotWrite, "a table is written as CSV")
                .at(path.span, "this ending means something else")
                .help("as in `jacobian to \"jacobian.csv\"`"),
        );
    }
    let setting = setting(&mut options);
    options.finish(|| {
        Ok(Command::Jacobian(Box::new(Jacobian {
            span,
            at: at.map(|(at, _)| at),
            from_last: from_last.is_some(),
            form,
            to,
            setting,
        })))
    })
}

/// `x'`, or `next x` of a map.
fn row_name(name: &str, motion: Motion) -> String {
    match motion {
        Motion::Flow => format!("{name}'"),
        Motion::Map => format!("next {name}"),
    }
}

impl Jacobian {
    /// Without values there is nothing to evaluate it at.
    fn is_symbolic(&self) -> bool {
        self.at.is_none()
            && !self.from_last
            && self.to.is_none()
            && self.setting.with.is_empty()
            && self.setting.condition.is_none()
    }
}

/// What can be refused without computing anything.
pub(super) fn check(
    compiled: &Compiled,
    overrides: &Overrides,
    command: &Jacobian,
) -> Result<(), Vec<Diagnostic>> {
    if command.is_symbolic() {
        return Ok(());
    }
    let at_rest = AtRest::new(compiled, overrides, &command.setting, None, command.span)?;
    if let Some(at) = &command.at {
        named_state(compiled, &at_rest, at)?;
    }
    Ok(())
}

impl Session {
    pub(super) fn jacobian(&self, command: &Jacobian) -> Result<Performed, Vec<Diagnostic>> {
        if command.is_symbolic() {
            return self.show(Topic::Jacobian, command.form, &command.setting);
        }
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let last = self.last_when(command.from_last)?;
        let (overrides, setting) = (&self.overrides, &command.setting);
        let at_rest = AtRest::new(&compiled, overrides, setting, last.as_deref(), command.span)?;
        let state = match &command.at {
            Some(at) => named_state(&compiled, &at_rest, at)?,
            None => at_rest.state.clone(),
        };
        let dynamics = at_rest.dynamics();
        let entries = jacobian_at(&dynamics, at_rest.time(), &state);
        if entries.iter().any(|entry| !entry.is_finite()) {
            let time = at_rest.time();
            return Err(vec![not_finite(
                &compiled,
                &dynamics,
                time,
                &state,
                command.span,
            )]);
        }
        let answer = JacobianAnswer {
            compiled: Arc::clone(&compiled),
            motion: at_rest.motion(),
            state,
            entries,
            form: command.form,
        };
        let made = match &command.to {
            Some(path) => Some(self.write_jacobian(&answer, path)?),
            None => None,
        };
        Ok(Performed {
            outcome: Outcome::Jacobian {
                answer: Arc::new(answer),
                made,
            },
            diagnostics: Vec::new(),
        })
    }

    /// A row for each derivative, a column for each state.
    fn write_jacobian(
        &self,
        answer: &JacobianAnswer,
        to: &tree::Text,
    ) -> Result<Made, Vec<Diagnostic>> {
        let names = answer.compiled.state_names();
        let n = names.len();
        let rows: Vec<String> = names
            .iter()
            .map(|name| row_name(name, answer.motion))
            .collect();
        let mut header = vec!["derivative".to_owned()];
        header.extend(names);
        let mut cells = vec![Cells::Text(&rows)];
        cells.extend(answer.entries.chunks(n.max(1)).map(Cells::Numbers));
        let text = table::write_cells(&header, &cells);
        Ok(Made::Table {
            path: self.write_file(to, &text)?,
            rows: n,
            columns: n + 1,
        })
    }
}
