//! `stability`: what the equations do near a state at which they rest, from their linear part.
//!
//! ```text
//! command --find.rs--> where: the present state, the state it goes to, one that is named, all
//!         --smooth.rs--> refused where the equations switch
//!         --analyze::linearise--> Judged, with the words of render/stability.rs
//! ```
//!
//! Enters: a command and the session's values. Leaves: a [`StabilityAnswer`]. Must not know how a
//! linear part is found.

mod feedback;
mod find;
mod over;
mod rows;
mod smooth;

use super::command::{About, Command, Stability};
use super::compiled::Compiled;
use super::lower::{setting, word_of};
use super::options::Options;
use super::outcome::{Outcome, Performed};
use super::{Observer, Session, equilibria, ranges};
use crate::analyze::{Linearised, Motion};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree;
use std::sync::Arc;

pub use feedback::{Entry, Feedback, Forbids};
pub(super) use find::{check, named_state, not_finite, refuse_delays, refuse_size};
pub use over::OscillationAnswer;
pub use rows::{Measure, NoForm, Quantity, RowsAnswer, Summary, Told, Way, summary};
pub(super) use rows::{RowsPicture, RowsTable, embedding, nothing_yet};

/// The linear parts at one or several states, with the names of their model.
#[derive(Debug, Clone)]
pub struct StabilityAnswer {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// The parameter values that it holds for.
    pub parameters: Vec<f64>,
    /// Of a flow or of a map.
    pub motion: Motion,
    /// The state that was asked about.
    pub judged: Judged,
    /// What the model has and this leaves out: `doses`, `events`.
    pub left_out: Vec<&'static str>,
}

/// A state with its linear part.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The state.
    pub state: Vec<f64>,
    /// How it was come by.
    pub origin: Origin,
    /// What holds near it.
    pub linear: Linearised,
}

/// How a state was come by.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// The system starts there and rests.
    Present,
    /// The system goes there, in this time.
    Reached(f64),
    /// It rests there, but the system does something else.
    NotReached,
    /// It was named; Newton's iteration moved it by as much as this of a state at most.
    Given {
        /// The largest change.
        moved: f64,
        /// Of which state.
        state: usize,
    },
    /// It was named, and the system does not rest there.
    NoEquilibrium {
        /// The largest derivative (of a map: the largest change) for the size of its state.
        rate: f64,
        /// Of which state.
        state: usize,
    },
}

/// `stability`, `stability with x = 1 in control`, `stability from last`, `stability at x = 1`
pub(super) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let mut all = None;
    if let Some(subject) = sentence.subjects.first() {
        if word_of(&subject.value).is_some_and(|word| word.text == "all") {
            all = Some(subject.value.span);
        } else {
            options.problem(
                Diagnostic::new(Code::BadOption, "`stability` is about a state")
                    .at(subject.value.span, "this is too much")
                    .help(
                        "write `stability`, or name the state, as in `stability at x = 1, y = 2`",
                    ),
            );
        }
    }
    if all.is_some() {
        return equilibria::lower(sentence, span, options).map(|command| match command {
            Command::SteadyAll(command) => Command::StabilityAll(command),
            other => other,
        });
    }
    let from_last = super::steady::from_last(&mut options);
    let at = bindings(&mut options);
    let rows = rows::about(&mut options);
    if rows.is_none() {
        rows::refuse_words(&mut options);
    }
    let over = ranges::after_word("over", &mut options);
    let about = match (all, at, from_last) {
        (all, at, from_last) if rows.is_some() || over.is_some() => {
            let places = [all, at.map(|at| at.1), from_last];
            for span in places.into_iter().flatten() {
                options.problem(
                    Diagnostic::new(Code::BadOption, "`over` says at which states")
                        .at(span, "this names others")
                        .help("leave out `all`, `at` and `from`"),
                );
            }
            let ranges = over.unwrap_or_default();
            if ranges.is_empty() && rows.is_none() {
                options.problem(
                    Diagnostic::new(Code::MissingArgument, "`over` is followed by parameters")
                        .at(span, "over which?")
                        .help("as in `stability over k in 0..2, b in 0..1`"),
                );
            }
            match rows {
                Some(rows) => About::Rows(Box::new(rows)),
                None => About::Over(ranges),
            }
        }
        (None, None, from_last) => About::Here {
            from_last: from_last.is_some(),
        },
        (None, Some((at, _)), None) => About::At(at),
        (all, at, from_last) => {
            let mut problem = Diagnostic::new(
                Code::BadOption,
                "`all`, `at` and `from` name different states",
            );
            let places = [all, at.map(|at| at.1), from_last];
            for span in places.into_iter().flatten() {
                problem = problem.at(span, "");
            }
            options.problem(problem.help("keep one of them"));
            return options.abandon();
        }
    };
    let setting = setting(&mut options);
    options.finish(|| {
        Ok(Command::Stability(Box::new(Stability {
            span,
            about,
            setting,
        })))
    })
}

/// `at x = 1, y = 2`
pub(super) fn bindings(options: &mut Options<'_>) -> Option<(Vec<tree::Binding>, Span)> {
    let option = options.take("at")?;
    if option.bindings.is_empty() || !option.values.is_empty() {
        options.problem(
            Diagnostic::new(Code::BadOption, "`at` names states with their values")
                .at(option.span, "")
                .help("as in `at x = 1, y = 2`"),
        );
    }
    Some((option.bindings.clone(), option.span))
}

impl Session {
    pub(super) fn stability(
        &mut self,
        command: &Stability,
        _: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        if let About::Rows(rows) = &command.about {
            return self.stability_over_rows(rows, command);
        }
        let compiled = Arc::clone(&self.need_model()?.compiled);
        if let About::Over(ranges) = &command.about {
            find::refuse_delays(&compiled, command.span)?;
            let (answer, diagnostics) =
                over::answered(&compiled, &self.overrides, ranges, command, &*self.world)?;
            return Ok(Performed {
                outcome: Outcome::Oscillation(Arc::new(answer)),
                diagnostics,
            });
        }
        let from_last = matches!(command.about, About::Here { from_last: true });
        let last = if from_last {
            Some(Arc::clone(self.need_last()?))
        } else {
            None
        };
        let (answer, diagnostics) = find::judged(
            &compiled,
            &self.overrides,
            last.as_deref(),
            command,
            &*self.world,
        )?;
        Ok(Performed {
            outcome: Outcome::Stability(Arc::new(answer)),
            diagnostics,
        })
    }
}
