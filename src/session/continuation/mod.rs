//! `continue`: branches of steady states as a parameter moves.
//!
//! ```text
//! sentence --read.rs--> Continue --question.rs--> Question --start--> a steady state
//!   family.rs    the model at rest as F(u, p) = 0 (formulas.rs: its expressions)
//!   --analyze::continuation--> Diagram, with the names of the model
//!   figure.rs    the diagram drawn, and as a table
//! ```

mod answer;
mod begin;
mod family;
mod figure;
mod formulas;
mod named;
mod question;
mod read;
mod timing;

pub use answer::{
    BranchAnswer, BranchOrigin, BranchPoint, DiagramAnswer, DrawnDiagram, DrawnInto, EndOfBranch,
    Run,
};
pub(super) use read::lower;
pub use timing::ContinuationTiming;

use super::command::Continue;
use super::command::LogAxis;
use super::compiled::Compiled;
use super::lower::ends_in;
use super::outcome::Performed;
use super::outcome::{Made, Outcome};
use super::rest;
use super::trajectory::Trajectory;
use super::values::Overrides;
use super::{Observer, Session};
use crate::analyze::Law;
use crate::analyze::continuation::{Family, Iterate, Motion, Options, diagram};
use crate::diagnostic::Diagnostic;
use crate::figure::FILE_ENDINGS;
use crate::model::{ParameterId, Target};
use crate::syntax::tree;
use crate::world::World;
use std::path::PathBuf;
use std::sync::Arc;

/// Models of more states are not continued: each step factorises full matrices.
const MOST_STATES: usize = 200;

/// The number of the parameter vector that moves.
#[derive(Debug, Clone, PartialEq)]
struct Moving {
    parameter: ParameterId,
    /// Which number of a vector or matrix.
    element: Option<usize>,
    /// Its position in the parameter vector.
    position: usize,
    /// As written.
    name: String,
}

impl Moving {
    /// Gives it a value.
    fn set(&self, overrides: &mut Overrides, value: f64) {
        let element = self.element.and_then(|at| u32::try_from(at).ok());
        overrides.set(Target::Parameter(self.parameter), element, vec![value]);
    }
}

/// Why a model is no family in a parameter.
#[derive(Debug, Clone, PartialEq)]
enum Unfit {
    /// Nothing depends on the parameter.
    Nowhere,
    /// A sum that the equations keep for one value of the parameter is not kept for others.
    SumFollows(Law),
}

/// What can be refused without computing anything.
pub(super) fn check(
    compiled: &Compiled,
    overrides: &Overrides,
    command: &Continue,
) -> Result<(), Vec<Diagnostic>> {
    let question = question::question(compiled, overrides, command)?;
    rest::check(
        compiled,
        &question.overrides,
        &question.setting,
        command.span,
    )
}

/// Points of one branch when the sentence does not say.
const MOST_POINTS: usize = 10_000;
/// Branches of one diagram.
const MOST_BRANCHES: usize = 50;

impl Session {
    pub(super) fn continue_along(
        &self,
        command: &Continue,
        _: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let last = self.last_when(command.from_last)?;
        let (answer, diagnostics) = follow(
            &compiled,
            &self.overrides,
            last.as_deref(),
            command,
            &*self.world,
        )?;
        let is_logarithmic = |axis| command.log.contains(&axis);
        let mut log = command.log.clone();
        if answer.is_logarithmic && !is_logarithmic(LogAxis::X) {
            log.push(LogAxis::X);
        }
        let drawn = figure::figure(&answer, &log, command.title.as_deref());
        let figure = match &command.to {
            None => DrawnInto::Terminal(drawn),
            Some(path) if ends_in(&path.text, &FILE_ENDINGS) => {
                DrawnInto::File(drawn, PathBuf::from(&path.text))
            }
            Some(path) => DrawnInto::Table(self.write_table(&answer, path)?),
        };
        Ok(Performed {
            outcome: Outcome::Diagram(Box::new(DrawnDiagram {
                answer: Arc::new(answer),
                figure,
            })),
            diagnostics,
        })
    }

    fn write_table(
        &self,
        answer: &DiagramAnswer,
        path: &tree::Text,
    ) -> Result<Made, Vec<Diagnostic>> {
        let (text, rows, columns) = figure::csv(answer);
        Ok(Made::Table {
            path: self.write_file(path, &text)?,
            rows,
            columns,
        })
    }
}

/// Follows the branches that a sentence asks for.
///
/// # Errors
/// All that keeps them from being followed at all.
pub(super) fn follow(
    compiled: &Arc<Compiled>,
    overrides: &Overrides,
    last: Option<&Trajectory>,
    command: &Continue,
    world: &dyn World,
) -> Result<(DiagramAnswer, Vec<Diagnostic>), Vec<Diagnostic>> {
    let question = question::question(compiled, overrides, command)?;
    let begin = begin::begin(compiled, &question, command, last, world)?;
    let interrupted = || world.interrupted();
    let mut diagrams = Vec::new();
    for (family, starts) in &begin.families {
        let admissible = |x: &[f64]| family.holds(x);
        let options = Options {
            range: question.range,
            sizes: &begin.sizes,
            bounds: &begin.bounds,
            most_points: question.points.unwrap_or(MOST_POINTS),
            most_branches: MOST_BRANCHES,
            admissible: &admissible,
            interrupted: &interrupted,
        };
        let diagram = match family.motion() {
            Motion::Map if question.period > 1 => {
                diagram(&Iterate::new(family, question.period), starts, &options)
            }
            _ => diagram(family, starts, &options),
        };
        diagrams.push((family, diagram));
    }
    let answer = named::answer(compiled, &question, command, diagrams)?;
    let mut diagnostics = begin.warnings;
    diagnostics.extend(named::stops(&answer, command.span));
    Ok((answer, diagnostics))
}

#[cfg(test)]
mod tests;
