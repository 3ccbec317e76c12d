//! Events: `when`, `at` and `every`, and what their blocks do.
//!
//! Enters: the statement of a block. Leaves: an [`Event`], with the doses that it gives. Must not
//! know how triggers are found in time.

use super::clauses::Clauses;
use super::collect::Draft;
use super::doses::Given;
use super::elaborate::Scope;
use super::loops::{Instance, Place};
use super::rules::Rules;
use super::schedules::{Sense, optional};
use super::settings::Moment;
use super::{Assignment, Direction, Event, Target, Trigger};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::symbolic::{Expr, Shape};
use crate::syntax::tree::{self, EquationLeft, StatementKind};

/// What the head of a block says.
struct Head {
    trigger: Option<Trigger>,
    delay: Option<Option<Expr>>,
    priority: Option<Option<Expr>>,
    persistent: bool,
    values_at_trigger: bool,
}

impl<'t> Draft<'t> {
    /// Takes up one event.
    pub(super) fn event(&mut self, instance: &Instance<'t>, rules: &mut Rules) {
        let scope = &instance.scope;
        let (head, body) = match &instance.statement.kind {
            StatementKind::When {
                condition,
                options,
                body,
            } => (self.when(scope, condition, options), body),
            StatementKind::At {
                times,
                options,
                body,
            } => {
                let mut clauses = Clauses::new("`at`", options);
                let priority = self.priority(scope, &mut clauses);
                self.diagnostics.extend(clauses.finish());
                let times = self.times(scope, times);
                (Head::timed(times.map(Trigger::At), priority), body)
            }
            StatementKind::Every {
                period,
                options,
                body,
            } => {
                let mut clauses = Clauses::new("`every`", options);
                let repeat = self.repeat(scope, period, &mut clauses);
                let priority = self.priority(scope, &mut clauses);
                self.diagnostics.extend(clauses.finish());
                (Head::timed(repeat.map(Trigger::Every), priority), body)
            }
            _ => return,
        };
        let first_dose = rules.doses.len();
        let assignments = self.effects(instance, body, rules);
        let (Some(trigger), Some(delay), Some(priority), Some(assignments)) =
            (head.trigger, head.delay, head.priority, assignments)
        else {
            return;
        };
        rules.events.push(Event {
            span: head_of(instance.statement),
            within: instance.within,
            trigger,
            delay,
            priority,
            persistent: head.persistent,
            values_at_trigger: head.values_at_trigger,
            assignments,
            doses: (first_dose..rules.doses.len()).collect(),
        });
    }

    fn when(
        &mut self,
        scope: &Scope,
        condition: &tree::Expr,
        options: &'t [tree::SentenceOption],
    ) -> Head {
        let mut clauses = Clauses::new("`when`", options);
        let direction = direction(&mut clauses);
        let (after, during) = (clauses.value("after"), clauses.value("for"));
        if let (Some(after), Some(during)) = (after, during) {
            clauses.problems.push(
                Diagnostic::new(Code::BadEvent, "`after` and `for` do not go together")
                    .at(after.span, "so much later, whatever happens")
                    .at(
                        during.span,
                        "so much later, if the condition holds all the time",
                    )
                    .help("choose one of them"),
            );
        }
        let priority = self.priority(scope, &mut clauses);
        let values = clauses.choice("values", &["execution", "trigger"]);
        self.diagnostics.extend(clauses.finish());
        let delay = after
            .or(during)
            .map(|delay| self.sensible(scope, "a delay", delay, Sense::NotNegative));
        let trigger = self
            .with_elaborator(|e| e.condition(scope, condition))
            .and_then(|value| self.single_condition(value, condition))
            .map(|condition| Trigger::When {
                condition,
                direction,
            });
        Head {
            trigger,
            delay: optional(delay),
            priority,
            persistent: during.is_none(),
            values_at_trigger: values == Some(1),
        }
    }

    fn single_condition(&mut self, value: Expr, written: &tree::Expr) -> Option<Expr> {
        let shape = self.pool.shape(value);
        if shape == Shape::Scalar {
            return Some(value);
        }
        self.diagnostics.push(
            Diagnostic::new(Code::ShapeMismatch, "`when` waits for a single condition")
                .at(written.span, format!("this is {shape}"))
                .help("one event for each element is a loop: `for i in 1..3 { when y[i] > 1 { y[i] = 0 } }`"),
        );
        None
    }

    fn priority(&mut self, scope: &Scope, clauses: &mut Clauses<'t>) -> Option<Option<Expr>> {
        let written = clauses.value("priority");
        optional(
            written.map(|priority| self.sensible(scope, "a priority", priority, Sense::Finite)),
        )
    }

    /// What the block of an event sets; its doses go to the rules.
    fn effects(
        &mut self,
        instance: &Instance<'t>,
        body: &'t [tree::Statement],
        rules: &mut Rules,
    ) -> Option<Vec<Assignment>> {
        let mut effects = Vec::with_capacity(body.len());
        let before = self.diagnostics.len();
        for statement in body {
            self.unroll_statement(Place::Event, &instance.scope, statement, &mut effects);
        }
        let mut assignments: Vec<Assignment> = Vec::with_capacity(effects.len());
        let mut complete = self.diagnostics.len() == before;
        if body.is_empty() {
            self.diagnostics.push(
                Diagnostic::new(Code::BadEvent, "this event does nothing")
                    .at(instance.statement.span, "an empty block")
                    .help("write what it sets or gives, as in `{ x = 0 }` or `{ dose 1 into x }`"),
            );
        }
        for effect in &effects {
            let (scope, statement) = (&effect.scope, effect.statement);
            match &statement.kind {
                StatementKind::Assign { target, value } => {
                    complete &= self.effect(scope, target, value, &mut assignments);
                }
                StatementKind::Equation {
                    left:
                        EquationLeft::Derivative {
                            target,
                            order,
                            span,
                        },
                    right,
                } => {
                    let velocity = self.velocity(Place::Event, statement, target, *order, *span);
                    complete &= velocity
                        .is_some_and(|target| self.effect(scope, &target, right, &mut assignments));
                }
                StatementKind::Dose { amount, options } => {
                    let given = Given {
                        within: instance.within,
                        by_event: true,
                    };
                    match self.dose(given, scope, amount, options, statement.span) {
                        Some(dose) => rules.doses.push(dose),
                        None => complete = false,
                    }
                }
                _ => {}
            }
        }
        complete.then_some(assignments)
    }

    /// One assignment; false when it is at fault.
    fn effect(
        &mut self,
        scope: &Scope,
        target: &tree::Reference,
        value: &tree::Expr,
        assignments: &mut Vec<Assignment>,
    ) -> bool {
        let Some(setting) =
            self.with_elaborator(|e| e.setting(Moment::Event, scope, target, value))
        else {
            return false;
        };
        if let Some(problem) = self.fixed_during_a_run(setting.target, target) {
            self.diagnostics.push(problem);
            return false;
        }
        let overlaps = |known: &&Assignment| {
            known.target == setting.target
                && (known.element.is_none()
                    || setting.element.is_none()
                    || known.element == setting.element)
        };
        if let Some(earlier) = assignments.iter().find(overlaps) {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::BadEvent,
                    format!("`{}` is set twice by one event", target.name.text),
                )
                .at(target.span, "again here")
                .at(earlier.span, "already set here")
                .help("all values of a block are set at once: join the two"),
            );
            return false;
        }
        assignments.push(Assignment {
            target: setting.target,
            element: setting.element,
            value: setting.value,
            span: setting.span,
        });
        true
    }

    /// What no event can set.
    fn fixed_during_a_run(&self, target: Target, written: &tree::Reference) -> Option<Diagnostic> {
        let name = &written.name.text;
        match target {
            Target::Parameter(id)
                if self.parameters.get(id.index())?.kind == tree::DeclareKind::Compartment =>
            {
                Some(
                    Diagnostic::new(
                        Code::BadEvent,
                        format!("the volume of `{name}` cannot change during a run"),
                    )
                    .at(written.span, "a compartment")
                    .help("concentrations would have to follow: write a state for the volume, and amounts in place of concentrations"),
                )
            }
            Target::State(id) if self.algebraic.contains(&id) => Some(
                Diagnostic::new(
                    Code::BadEvent,
                    format!("`{name}` follows from the constraints and cannot be set"),
                )
                .at(written.span, "an algebraic state")
                .help("set what the constraints are made of"),
            ),
            _ => None,
        }
    }
}

impl Head {
    fn timed(trigger: Option<Trigger>, priority: Option<Option<Expr>>) -> Head {
        Head {
            trigger,
            delay: Some(None),
            priority,
            persistent: true,
            values_at_trigger: false,
        }
    }
}

/// `rising` or `falling`.
fn direction(clauses: &mut Clauses<'_>) -> Direction {
    let (rising, falling) = (clauses.flag("rising"), clauses.flag("falling"));
    match (rising, falling) {
        (Some(rising), Some(falling)) => {
            clauses.problems.push(
                Diagnostic::new(Code::BadEvent, "`rising` and `falling` do not go together")
                    .at(rising.max(falling), "")
                    .at(rising.min(falling), "")
                    .help("choose one of them; an equality `a == b` without either counts both crossings"),
            );
            Direction::True
        }
        (Some(_), None) => Direction::Rising,
        (None, Some(_)) => Direction::Falling,
        (None, None) => Direction::True,
    }
}

/// From the word to the last option: the statement without its block.
fn head_of(statement: &tree::Statement) -> Span {
    let mut end = statement.span.start;
    let mut reach = |span: Span| end = end.max(span.end);
    match &statement.kind {
        StatementKind::When {
            condition, options, ..
        } => {
            reach(condition.span);
            options.iter().for_each(|option| reach(option.span));
        }
        StatementKind::At { times, options, .. } => {
            times.iter().for_each(|time| reach(time.span));
            options.iter().for_each(|option| reach(option.span));
        }
        StatementKind::Every {
            period, options, ..
        } => {
            reach(period.span);
            options.iter().for_each(|option| reach(option.span));
        }
        _ => reach(statement.span),
    }
    Span {
        end,
        ..statement.span
    }
}
