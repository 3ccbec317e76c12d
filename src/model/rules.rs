//! One rule after another: equations, reactions, assertions, what stands in conditions, events
//! and doses.
//!
//! Enters: statements with their loops unrolled. Leaves: [`Rules`], and from them the drift of
//! every state. Must not know values.

use super::collect::Draft;
use super::doses::Given;
use super::elaborate::Scope;
use super::equations::Governed;
use super::loops::{Instance, Place};
use super::reactions::Contributions;
use super::settings::Moment;
use super::values::Values;
use super::{
    Assertion, Condition, ConditionId, Constraint, DefinitionId, Dose, Event, Reaction, StateId,
};
use crate::symbolic::Expr;
use crate::syntax::tree::{self, DeclareKind, EquationLeft, StatementKind};
use rustc_hash::FxHashMap;

/// What equations, reactions, assertions, conditions and interruptions say.
pub(super) struct Rules {
    pub governed: Vec<Governed>,
    pub contributions: Contributions,
    pub reactions: Vec<Reaction>,
    pub fluxes: Vec<(DefinitionId, Expr)>,
    pub assertions: Vec<Assertion>,
    pub conditions: Vec<Condition>,
    pub constraints: Vec<Constraint>,
    pub events: Vec<Event>,
    pub doses: Vec<Dose>,
}

impl<'t> Draft<'t> {
    pub(super) fn rules(&mut self, instances: &[Instance<'t>]) -> Rules {
        let mut rules = Rules {
            governed: vec![Governed::Nothing; self.states.len()],
            contributions: Contributions::default(),
            reactions: Vec::new(),
            fluxes: Vec::new(),
            assertions: Vec::new(),
            conditions: self.empty_conditions(),
            constraints: Vec::new(),
            events: Vec::new(),
            doses: Vec::new(),
        };
        let faults = self.faults();
        for instance in instances {
            self.rule(instance, &mut rules);
        }
        // A misread equation leaves its state to the constraints: counting them would mislead.
        let is_partial = rules.governed.iter().any(Governed::is_partial);
        if self.faults() == faults && self.abandoned.is_empty() && !is_partial {
            self.count_constraints(&rules);
        }
        rules
    }

    fn rule(&mut self, instance: &Instance<'t>, rules: &mut Rules) {
        let (scope, span) = (&instance.scope, instance.statement.span);
        if instance.within.is_none() && self.foreign_to_maps(instance.statement) {
            return;
        }
        match &instance.statement.kind {
            StatementKind::Equation { left, right } => {
                self.any_equation(instance, left, right, rules);
            }
            StatementKind::Reaction(reaction) => {
                let found = self.reaction(scope, reaction, span, &mut rules.contributions);
                if let Some((reaction, flux)) = found {
                    rules.fluxes.extend(flux.map(|id| (id, reaction.flux)));
                    rules.reactions.push(reaction);
                }
            }
            StatementKind::Assert(condition) => self.assertion(scope, condition, rules),
            StatementKind::Assign { target, value } => {
                self.setting_of_condition(instance, target, value, rules);
            }
            StatementKind::NoDoses => {
                if let Some(condition) = condition_of(instance.within, rules) {
                    condition.clears_doses = true;
                }
            }
            StatementKind::Dose { amount, options } => {
                let given = Given {
                    within: instance.within,
                    by_event: false,
                };
                let dose = self.dose(given, scope, amount, options, span);
                rules.doses.extend(dose);
            }
            _ => self.event(instance, rules),
        }
    }

    /// `x' = ...`, `0 = ...`, `history x = ...`; in a condition `theta' = ...` sets a velocity.
    fn any_equation(
        &mut self,
        instance: &Instance<'t>,
        left: &tree::EquationLeft,
        right: &tree::Expr,
        rules: &mut Rules,
    ) {
        let (scope, statement) = (&instance.scope, instance.statement);
        match left {
            EquationLeft::Zero(_) => {
                self.constraint(scope, right, statement.span, &mut rules.constraints);
            }
            EquationLeft::History(target) => self.history(scope, target, right, statement.span),
            EquationLeft::Derivative {
                target,
                order,
                span,
            } if instance.within.is_some() => {
                let place = Place::of(instance.within);
                if let Some(target) = self.velocity(place, statement, target, *order, *span) {
                    self.setting_of_condition(instance, &target, right, rules);
                }
            }
            _ => self.equation(scope, left, right, &mut rules.governed),
        }
    }

    fn assertion(&mut self, scope: &Scope, condition: &tree::Expr, rules: &mut Rules) {
        if let Some(expr) = self.with_elaborator(|e| e.condition(scope, condition)) {
            rules.assertions.push(Assertion {
                condition: expr,
                span: condition.span,
            });
        }
    }

    /// How many errors have been found so far.
    pub(super) fn faults(&self) -> usize {
        let said = self.diagnostics.iter();
        said.filter(|known| known.is_error()).count() + self.silent_faults
    }

    fn empty_conditions(&self) -> Vec<Condition> {
        self.conditions
            .iter()
            .map(|name| Condition {
                name: name.text.clone(),
                span: name.span,
                settings: Vec::new(),
                clears_doses: false,
            })
            .collect()
    }

    fn setting_of_condition(
        &mut self,
        instance: &Instance<'t>,
        target: &tree::Reference,
        value: &tree::Expr,
        rules: &mut Rules,
    ) {
        let setting =
            self.with_elaborator(|e| e.setting(Moment::Start, &instance.scope, target, value));
        let condition = condition_of(instance.within, rules);
        if let (Some(condition), Some(setting)) = (condition, setting) {
            condition.settings.push(setting);
        }
    }

    pub(super) fn drifts(&mut self, rules: &Rules, values: &Values) -> FxHashMap<StateId, Expr> {
        let mut drifts = FxHashMap::default();
        for index in 0..self.states.len() {
            let id = StateId::new(index);
            let drift = match self.states[index].kind {
                DeclareKind::Species => self.drift_of_species(id, &rules.contributions),
                _ => self.drift_of_state(id, &rules.governed[index], values),
            };
            drifts.extend(drift.map(|drift| (id, drift)));
        }
        drifts
    }

    /// Fluxes and derivatives get their values from reactions and equations.
    pub(super) fn fill_derived(
        &mut self,
        rules: &Rules,
        drifts: &FxHashMap<StateId, Expr>,
        values: &mut Values,
    ) {
        values.definitions.extend(rules.fluxes.iter().copied());
        for (index, definition) in self.definitions.iter().enumerate() {
            if let Some(drift) = definition.state.and_then(|state| drifts.get(&state)) {
                values.definitions.insert(DefinitionId::new(index), *drift);
            }
        }
    }
}

fn condition_of(within: Option<ConditionId>, rules: &mut Rules) -> Option<&mut Condition> {
    rules.conditions.get_mut(within?.index())
}
