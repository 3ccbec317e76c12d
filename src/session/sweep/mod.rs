//! `sweep`: the same run for many values of parameters.
//!
//! ```text
//! sentence --sentence.rs--> Sweep --question.rs--> Question; base.rs: the run that it repeats
//!   axes.rs      which numbers of the model are swept
//!   design.rs    which values each member has (sobol.rs: points that fill a cube evenly)
//!   wanted.rs    what each run gives: values at its end, its last values, measures
//!   members.rs   the runs, on all cores, their numbers in order (side.rs: in the lanes of vectors)
//!   figure.rs    the numbers drawn, and as a table
//! ```

mod answer;
mod axes;
mod base;
mod design;
mod figure;
mod members;
mod question;
mod sentence;
mod side;
mod sobol;
mod timing;
mod wanted;

pub use answer::{DrawnSweep, FailedMember, MissingMeasure, SweepAnswer, SweepPicture, SweptAxis};
pub use question::Layout;
pub(super) use sentence::lower;
pub use sentence::{Design, Sweep, Swept, SweptValues};
pub use timing::SweepTiming;
pub use wanted::Column;

use super::command::Simulate;
use super::compiled::Compiled;
use super::lower::ends_in;
use super::outcome::{Made, Outcome, Performed};
use super::tables::Tables;
use super::trajectory::Trajectory;
use super::values::Overrides;
use super::{Observer, Session};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::source::Span;
use crate::world::World;
use base::Base;
use members::Gathered;
use question::Question;
use std::path::PathBuf;
use std::sync::Arc;

/// What can be refused without running anything.
pub(super) fn check(
    compiled: &Compiled,
    tables: &Tables<'_>,
    overrides: &Overrides,
    command: &Sweep,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let question = question::question(compiled, tables, overrides, command)?;
    let Some(run) = &command.run else {
        return Ok(Vec::new());
    };
    let repeated = (command, &**run);
    let (_, warnings) = base::base(compiled, tables, overrides, None, repeated, &question.axes)?;
    Ok(warnings)
}

impl Session {
    pub(super) fn sweep(
        &self,
        command: &Sweep,
        observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let tables = Tables::new(&*self.world, self.data_folder());
        let (question, base, warnings) = self.prepared(&compiled, &tables, command)?;
        let (answer, mut diagnostics) = swept(
            &compiled,
            question,
            &base,
            command.span,
            (&*self.world, observer),
        );
        diagnostics.splice(0..0, warnings);
        let mut drawn = DrawnSweep {
            picture: None,
            to: None,
            made: None,
            answer: Arc::new(answer),
        };
        match &command.to {
            Some(path) if ends_in(&path.text, &["csv"]) => {
                drawn.made = Some(self.write_sweep(&drawn.answer, path)?);
            }
            to => {
                drawn.picture = figure::picture(&drawn.answer, command);
                drawn.to = to.as_ref().map(|path| PathBuf::from(&path.text));
                if let (Some(path), None) = (to, &drawn.picture) {
                    return Err(vec![cannot_draw(&drawn.answer, path.span)]);
                }
            }
        }
        Ok(Performed {
            outcome: Outcome::Swept(Box::new(drawn)),
            diagnostics,
        })
    }

    /// What a sentence asks, and the run that it repeats.
    fn prepared(
        &self,
        compiled: &Compiled,
        tables: &Tables<'_>,
        command: &Sweep,
    ) -> Result<(Question, Base, Vec<Diagnostic>), Vec<Diagnostic>> {
        let asked;
        let (run, overrides, before): (&Simulate, &Overrides, Option<&Trajectory>) =
            match &command.run {
                Some(run) => (run, &self.overrides, None),
                None => {
                    self.need_run(command.span)?;
                    asked = self.asked.clone();
                    let Some(asked) = &asked else {
                        return Err(vec![no_run(command.span)]);
                    };
                    // What has been set since then holds: only the sentence is repeated.
                    (&asked.command, &self.overrides, asked.before.as_deref())
                }
            };
        let question = question::question(compiled, tables, overrides, command)?;
        let repeated = (command, run);
        let (base, warnings) = base::base(
            compiled,
            tables,
            overrides,
            before,
            repeated,
            &question.axes,
        )?;
        Ok((question, base, warnings))
    }

    fn need_run(&self, span: Span) -> Result<(), Vec<Diagnostic>> {
        let nothing = self.by_subject.is_empty() && self.ensemble.is_none();
        if self.last.is_none() && nothing {
            return Err(vec![no_run(span)]);
        }
        self.need_last().map(|_| ())
    }

    fn write_sweep(
        &self,
        answer: &SweepAnswer,
        path: &crate::syntax::tree::Text,
    ) -> Result<Made, Vec<Diagnostic>> {
        let (text, rows, columns) = figure::csv(answer);
        Ok(Made::Table {
            path: self.write_file(path, &text)?,
            rows,
            columns,
        })
    }
}

pub(super) fn no_run(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NothingYet, "there is no run to repeat")
        .at(span, "")
        .help("write a sentence such as `simulate 0..100` before it, or `for 0..100` in it")
}

fn cannot_draw(answer: &SweepAnswer, span: Span) -> Diagnostic {
    let why = if answer.axes.len() > 2 {
        format!(
            "{} quantities are swept, and a figure has two axes",
            answer.axes.len()
        )
    } else {
        "these members make no curve and no grid".to_owned()
    };
    Diagnostic::new(Code::CannotDraw, why)
        .at(span, "")
        .help("write a table, as in `to \"sweep.csv\"`")
}

/// Runs all members of a question.
fn swept(
    compiled: &Arc<Compiled>,
    question: Question,
    base: &Base,
    sentence: Span,
    (world, observer): (&dyn World, &mut dyn Observer),
) -> (SweepAnswer, Vec<Diagnostic>) {
    let gathered = members::gather(compiled, &question, base, sentence, world, observer);
    let asked = question.members.count();
    let count = gathered.count;
    let points = (0..count).flat_map(|member| question.members.values(member));
    let counts = question.members.counts();
    let axes = question
        .axes
        .iter()
        .enumerate()
        .map(|(at, axis)| SweptAxis {
            name: axis.name.clone(),
            unit: axis.unit.clone(),
            range: axis.range,
            count: counts.get(at).copied(),
            logarithmic: axis.logarithmic,
        });
    let failures = (gathered.failures.iter()).map(|(member, problem)| FailedMember {
        member: *member,
        problem: problem.clone(),
    });
    let answer = SweepAnswer {
        compiled: Arc::clone(compiled),
        axes: axes.collect(),
        layout: question.layout,
        columns: question.wanted.columns.clone(),
        last: question.wanted.last,
        range: base.range(),
        asked,
        count,
        points: points.collect(),
        failures: failures.collect(),
        failed: gathered.failed,
        missing: missing(&question.wanted.columns, &gathered),
        interrupted: gathered.interrupted,
        values: Vec::new(),
    };
    let diagnostics = said(&answer, &gathered, sentence);
    let answer = SweepAnswer {
        values: gathered.numbers,
        ..answer
    };
    (answer, diagnostics)
}

/// The measures that some members do not have, by their columns.
fn missing(columns: &[Column], gathered: &Gathered) -> Vec<MissingMeasure> {
    let measures = columns.iter().enumerate();
    let measures: Vec<usize> = measures
        .filter(|(_, column)| column.is_measure)
        .map(|(at, _)| at)
        .collect();
    let missing = gathered.missing.iter().filter_map(|missing| {
        let (first, problem) = &missing.first;
        Some(MissingMeasure {
            column: *measures.get(missing.measure)?,
            members: missing.members,
            first: *first,
            problem: problem.clone(),
        })
    });
    missing.collect()
}

/// What went wrong, in short: the answer holds every member that failed.
fn said(answer: &SweepAnswer, gathered: &Gathered, sentence: Span) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    let of = |some: usize| format!("{some} of {} runs", answer.count);
    if let Some((member, problem)) = gathered.failures.first() {
        let message = format!(
            "{} failed; {} {}: {}",
            of(gathered.failed),
            if gathered.failed == 1 {
                "it has"
            } else {
                "the first has"
            },
            answer.place(*member),
            problem.message
        );
        let mut diagnostic = Diagnostic::new(Code::RunsFailed, message);
        diagnostic.labels.clone_from(&problem.labels);
        if problem.labels.iter().all(|label| label.span != sentence) {
            diagnostic = diagnostic.at(sentence, "");
        }
        said.push(
            diagnostic
                .help("the numbers of the others are kept; those of a failed run are missing"),
        );
    }
    if gathered.interrupted {
        let message = format!(
            "stopped by the user after {} of {} runs",
            number_text(count(answer.count)),
            number_text(count(answer.asked))
        );
        said.push(
            Diagnostic::new(Code::Interrupted, message)
                .at(sentence, "")
                .help("the runs before are kept"),
        );
    }
    said
}

#[expect(clippy::cast_precision_loss, reason = "a size")]
fn count(count: usize) -> f64 {
    count as f64
}
