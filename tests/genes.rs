//! Models of many genes: index sets and matrices from files, cells at rest.

mod support;

use lotka::session::fit::{AtRestAnswer, Known};
use lotka::session::{Outcome, Session};
use lotka::world::SystemWorld;
use std::sync::Arc;
use support::Workplace;

/// The last fit of cells at rest among the sentences of a model.
fn fitted(workplace: &Workplace, model: &str) -> Arc<AtRestAnswer> {
    let mut session = opened(workplace, model);
    let mut last = None;
    for command in session.sentences() {
        let done = session.perform(&command, &mut ());
        let performed = done.unwrap_or_else(|problems| panic!("{problems:?}"));
        if let Outcome::FittedAtRest(answer) = performed.outcome {
            last = Some(answer);
        }
    }
    last.expect("a fit")
}

fn opened(workplace: &Workplace, model: &str) -> Session {
    workplace.write("model.lotka", model);
    let mut session = Session::new(Arc::new(SystemWorld::default()));
    let path = workplace.path().join("model.lotka");
    session.load(&path).unwrap_or_else(|problems| panic!("{problems:?}"));
    session
}
