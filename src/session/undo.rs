//! Taking steps back: assignments, declarations, `reset`, `load` and `reload`, one at a time.

use super::fit::{FitAnswer, GeneFit, Inferred};
use super::outcome::Undone;
use super::trajectory::Trajectory;
use super::values::{self, Overrides};
use super::{
    Asked, Ensemble, Loaded, Outcome, Performed, RowsAnswer, Session, declare::Written, done,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Target;
use std::sync::Arc;

/// Steps that can be taken back; older ones are forgotten, with the runs that they keep.
const MOST_STEPS: usize = 100;

/// What was done.
#[derive(Debug, Clone)]
pub(super) enum Undid {
    /// A value was set.
    Set(Target),
    /// A fit, whose estimates became the values.
    Fitted,
    /// `reset`
    Reset,
    /// `load`, `reload`
    Loaded,
    /// A declaration, as written.
    Declared(String),
}

/// What a step found and changed.
#[derive(Debug, Clone)]
pub(super) struct Before {
    overrides: Overrides,
    /// The runs, where the step forgot them.
    runs: Option<Runs>,
    /// The fit of many genes, which a fit takes the place of.
    genes: Option<GeneFit>,
    /// The model and what waited for its equations, where the step changed them.
    model: Option<(Option<Loaded>, Option<Written>)>,
}

/// The results of the last `simulate`.
#[derive(Debug, Clone)]
pub(super) struct Runs {
    pub last: Option<Arc<Trajectory>>,
    pub asked: Option<Arc<Asked>>,
    pub by_subject: Vec<Arc<Trajectory>>,
    pub ensemble: Option<Arc<Ensemble>>,
    pub fits: Vec<Arc<FitAnswer>>,
    pub inferred: Inferred,
    pub rows: Option<Arc<RowsAnswer>>,
    pub genes: Option<GeneFit>,
}

/// One step that can be taken back.
#[derive(Debug, Clone)]
pub(super) struct Step {
    what: Undid,
    before: Before,
    /// The chapter of the record that it belongs to, and how much had been done in it.
    chapter: usize,
    deeds: usize,
}

impl Session {
    /// What an assignment changes.
    pub(super) fn values_before(&self) -> Before {
        Before {
            overrides: self.overrides.clone(),
            runs: None,
            genes: self.genes.clone(),
            model: None,
        }
    }

    /// What `reset` changes.
    pub(super) fn results_before(&self) -> Before {
        Before {
            runs: Some(self.runs()),
            ..self.values_before()
        }
    }

    /// What changes with the model.
    pub(super) fn model_before(&self) -> Before {
        Before {
            model: Some((self.loaded.clone(), self.waiting.clone())),
            ..self.results_before()
        }
    }

    /// Notes a step that has been taken.
    pub(super) fn can_undo(&mut self, what: Undid, before: Before) {
        if self.earlier.len() >= MOST_STEPS {
            self.earlier.remove(0);
        }
        self.earlier.push(Step {
            what,
            before,
            chapter: self.record.chapter(),
            deeds: self.record.deeds(),
        });
    }

    /// Forgets the steps taken so far: what a session begins with is not taken back.
    pub fn begin(&mut self) {
        self.earlier.clear();
    }

    pub(super) fn undo(&mut self) -> Result<Performed, Vec<Diagnostic>> {
        let Some(step) = self.earlier.pop() else {
            return Err(vec![Diagnostic::new(
                Code::NothingYet,
                "there is nothing to undo",
            )]);
        };
        let now = std::mem::replace(&mut self.overrides, step.before.overrides);
        let is_of_model = step.before.model.is_some();
        if matches!(step.what, Undid::Fitted) {
            self.genes = step.before.genes;
        }
        if let Some(runs) = step.before.runs {
            self.last = runs.last;
            self.asked = runs.asked;
            self.by_subject = runs.by_subject;
            self.ensemble = runs.ensemble;
            self.fits = runs.fits;
            self.inferred = runs.inferred;
            self.rows = runs.rows;
            self.genes = runs.genes;
        }
        if let Some((loaded, waiting)) = step.before.model {
            self.loaded = loaded;
            self.waiting = waiting;
        }
        if is_of_model {
            // What was done with that model holds again, its runs too.
            let resumed = self.record.resume(step.chapter, step.deeds);
            let same = |known: &&mut Step| known.chapter == step.chapter;
            for known in self.earlier.iter_mut().filter(same) {
                known.chapter = resumed;
            }
        } else if step.chapter != self.record.chapter() {
            self.begin_chapter();
        }
        Ok(done(Outcome::Undone(match step.what {
            Undid::Set(target) => self.unset(target, &now),
            Undid::Reset => Undone::Reset,
            Undid::Fitted => Undone::Fitted,
            Undid::Declared(text) => Undone::Declared(text),
            Undid::Loaded => Undone::Loaded(self.loaded.as_ref().map(|one| one.path.clone())),
        })))
    }

    /// What a value was, and is again.
    fn unset(&self, target: Target, now: &Overrides) -> Undone {
        let Some(loaded) = &self.loaded else {
            return Undone::Reset;
        };
        let compiled = &loaded.compiled;
        Undone::Set {
            name: values::target_name(&compiled.model, target).to_owned(),
            was: compiled.numbers_of(now, target),
            again: compiled.numbers_of(&self.overrides, target),
        }
    }
}
