//! What is asked about the present state: expressions, assertions, parts of the model.
//!
//! Enters: an expression or a topic. Leaves: its value at the end of the last run, or at the start
//! when nothing has been simulated.

use super::command::{Form, Setting, Topic};
use super::compiled::Compiled;
use super::outcome::Sides;
use super::tables::Tables;
use super::{Outcome, Performed, Session, done, measure, method, run, simulate, values};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::IndexSetId;
use crate::symbolic::Shape;
use crate::syntax::visit::{self, NameUse, Visitor};
use crate::syntax::{show_expression, tree, verb_meant};
use std::sync::Arc;

impl Session {
    /// What bare expressions see: the end of the last run, else the start.
    pub(super) fn here(&self, compiled: &Arc<Compiled>) -> Result<Here, Vec<Diagnostic>> {
        let present = compiled.present(&self.overrides);
        if !self.by_subject.is_empty() || self.ensemble.is_some() {
            self.need_last()?;
        }
        if let Some(last) = &self.last
            && let Some((time, state)) = last.solution.last()
        {
            let slots = last.solution.slots_of(last.times().len().saturating_sub(1));
            return Ok(Here {
                time,
                state: state.to_vec(),
                parameters: present.parameters,
                slots: slots.to_vec(),
            });
        }
        let tables = Tables::new(&*self.world, self.data_folder());
        let slots = run::slots_at_start(compiled, &tables, &present)?;
        Ok(Here {
            time: compiled.model.time.start,
            state: present.initial,
            parameters: present.parameters,
            slots,
        })
    }

    /// The work of the last run, or of the last paths.
    fn last_work(&self) -> Option<method::LastRun> {
        if let Some(ensemble) = &self.ensemble {
            let methods = ensemble.methods.clone();
            return Some((methods, ensemble.statistics, ensemble.tolerances.clone()));
        }
        self.last.as_ref().map(|run| {
            let solution = &run.solution;
            let methods = solution.methods.clone();
            (methods, solution.statistics, solution.tolerances.clone())
        })
    }

    pub(super) fn evaluate(&self, expr: &tree::Expr) -> Result<Performed, Vec<Diagnostic>> {
        let written = expr;
        let compiled = &self.need_model()?.compiled;
        let observable = compiled
            .observable(expr)
            .map_err(|problems| asked_otherwise(expr, problems))?;
        let here = self.here(compiled)?;
        let point = values::Point {
            time: here.time,
            state: &here.state,
            parameters: &here.parameters,
            slots: &here.slots,
        };
        let (pool, expr) = (&observable.pool, observable.expr);
        let numbers = values::evaluate_at(pool, &compiled.system, expr, &point);
        Ok(done(Outcome::Value {
            label: observable.label,
            numbers,
            matrix: sides(compiled, written, observable.shape),
            is_condition: observable.is_condition,
        }))
    }

    pub(super) fn assert(&self, expr: &tree::Expr) -> Result<Performed, Vec<Diagnostic>> {
        let performed = self.evaluate(expr)?;
        let Outcome::Value {
            label,
            numbers,
            is_condition,
            ..
        } = performed.outcome
        else {
            return Ok(performed);
        };
        if !is_condition {
            return Err(vec![
                Diagnostic::new(Code::NotBoolean, "a condition is needed here")
                    .at(expr.span, "this is a number"),
            ]);
        }
        if numbers.iter().all(|number| *number != 0.0) {
            return Ok(done(Outcome::Holds(label)));
        }
        Err(vec![
            Diagnostic::new(
                Code::AssertionFailed,
                format!("`{label}` does not hold here"),
            )
            .at(expr.span, ""),
        ])
    }

    pub(super) fn show(
        &self,
        topic: Topic,
        form: Form,
        setting: &Setting,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let overrides = simulate::with_setting(&compiled, &self.overrides, setting)?;
        let present = compiled.present(&overrides);
        let method =
            (topic == Topic::Method).then(|| method::advice(&compiled, &present, self.last_work()));
        Ok(done(Outcome::Shown {
            compiled,
            topic,
            form,
            parameters: present.parameters,
            initial: present.initial,
            method,
        }))
    }
}

/// What the sides of a matrix are called: a side goes by the index set of its length among those of
/// the names in the expression, or by numbers where there are several.
fn sides(compiled: &Compiled, expr: &tree::Expr, shape: Shape) -> Option<Sides> {
    let Shape::Matrix(rows, columns) = shape else {
        return None;
    };
    let names = &compiled.model.names;
    let mut used = Used::default();
    visit::expression(&mut expr.clone(), &mut used);
    let mut sets: Vec<IndexSetId> = Vec::new();
    for name in &used.names {
        for set in names.indices(name) {
            if !sets.contains(set) {
                sets.push(*set);
            }
        }
    }
    let labels = |count: usize| -> Vec<String> {
        let known = sets.iter().map(|set| names.index_set(*set));
        let mut fitting = known.filter(|set| set.len() == count);
        match (fitting.next(), fitting.next()) {
            (Some(set), None) => (0..count).map(|at| set.label(at)).collect(),
            _ => (1..=count).map(|at| at.to_string()).collect(),
        }
    };
    Some(Sides {
        rows: labels(rows),
        columns: labels(columns),
    })
}

/// The names that an expression uses.
#[derive(Default)]
struct Used {
    names: Vec<String>,
}

impl Visitor for Used {
    fn name(&mut self, name: &mut tree::Name, used: NameUse) {
        if used == NameUse::Used {
            self.names.push(name.text.clone());
        }
    }
}

/// The problems of an expression that stands alone, where a sentence was meant: `period(x)` for
/// `measure period(x)`, `exit` for `quit`.
fn asked_otherwise(expr: &tree::Expr, problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let is_measure = measure::holds_measure(expr);
    let verb = match &expr.kind {
        tree::ExprKind::Reference(reference) => verb_meant(&reference.name.text),
        _ => None,
    };
    let problems = problems
        .into_iter()
        .map(|problem| match (problem.code, verb) {
            (Code::UnknownFunction | Code::Arity, _) if is_measure => problem.help(format!(
                "it is taken from a run: `measure {}`",
                show_expression(expr)
            )),
            (Code::UnknownName, Some(verb)) => problem.help(format!("did you mean `{verb}`?")),
            _ => problem,
        });
    problems.collect()
}

/// A point that a session has come to.
pub(super) struct Here {
    pub time: f64,
    pub state: Vec<f64>,
    pub parameters: Vec<f64>,
    pub slots: Vec<f64>,
}
