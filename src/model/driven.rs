//! What follows inputs and delayed values, and what must not; triggers that never change.
//!
//! Enters: a model whose definitions are complete. Leaves: diagnostics, and the set of driven
//! names for the sentences to come.

use super::collect::Draft;
use super::rules::Rules;
use super::settings::must_not_follow;
use super::values::Values;
use super::{Condition, DefinitionId, ParameterId, StateId, Target, Trigger};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::symbolic::{self, Expr, Pool, SymbolId};
use crate::syntax::tree;
use rustc_hash::{FxHashMap, FxHashSet};

/// Definitions and parameters with their values: what a name is made of.
pub(super) struct Contents(FxHashMap<SymbolId, Expr>);

impl Contents {
    /// All names that an expression is made of, through those that it names.
    pub fn reach(&self, pool: &Pool, expr: Expr) -> Vec<SymbolId> {
        let mut seen: FxHashSet<SymbolId> = FxHashSet::default();
        let mut pending: Vec<SymbolId> = symbolic::symbols_of(pool, expr).into_iter().collect();
        while let Some(symbol) = pending.pop() {
            if seen.insert(symbol)
                && let Some(value) = self.0.get(&symbol)
            {
                pending.extend(symbolic::symbols_of(pool, *value));
            }
        }
        let mut all: Vec<SymbolId> = seen.into_iter().collect();
        all.sort_unstable();
        all
    }
}

impl Draft<'_> {
    /// Checks what is needed before a run, and what sets events off.
    pub(super) fn check_driven(&mut self, values: &Values, rules: &Rules, order: &[DefinitionId]) {
        if !(self.inputs.is_empty() && self.delays.is_empty()) {
            self.find_driven(values, order);
            self.needed_before_the_run(values, &rules.conditions);
        }
        if self.histories.is_empty() && rules.events.is_empty() {
            return;
        }
        let definitions = self.definitions_by_symbol(values);
        self.check_histories(&definitions);
        // An event at fault may set what another one waits for.
        if self.faults() == 0 {
            let everything = self.with_parameters(definitions, values);
            self.triggers_that_never_change(rules, &everything);
        }
    }

    fn find_driven(&mut self, values: &Values, order: &[DefinitionId]) {
        let mut driven: FxHashSet<SymbolId> =
            self.inputs.iter().map(|input| input.symbol).collect();
        driven.extend(self.delays.iter().map(|delay| delay.symbol));
        for id in order {
            if let Some(value) = values.definitions.get(id)
                && let Some(symbol) = self.names.definition_symbol(*id)
                && symbolic::symbols_of(&self.pool, *value)
                    .iter()
                    .any(|used| driven.contains(used))
            {
                driven.insert(symbol);
            }
        }
        self.names.set_driven(driven);
    }

    fn needed_before_the_run(&mut self, values: &Values, conditions: &[Condition]) {
        let mut found: Vec<(String, Expr, Span)> = Vec::new();
        for (at, draft) in self.parameters.iter().enumerate() {
            if let Some(value) = values.parameters.get(&ParameterId::new(at)) {
                found.push((draft.name.clone(), *value, value_span(draft.item)));
            }
        }
        for (at, draft) in self.states.iter().enumerate() {
            if let Some(value) = values.states.get(&StateId::new(at)) {
                found.push((draft.name.clone(), *value, value_span(draft.item)));
            }
        }
        for setting in conditions.iter().flat_map(|condition| &condition.settings) {
            let name = match setting.target {
                Target::Parameter(id) => &self.parameters[id.index()].name,
                Target::State(id) => &self.states[id.index()].name,
            };
            found.push((name.clone(), setting.value, setting.span));
        }
        for (name, value, span) in found {
            if let Some(driver) = self.names.driven(&self.pool, value) {
                let driver = self.pool.symbol_data(driver).name.clone();
                self.diagnostics.push(must_not_follow(&name, &driver, span));
            }
        }
    }

    fn definitions_by_symbol(&self, values: &Values) -> Contents {
        Contents(
            values
                .definitions
                .iter()
                .filter_map(|(id, value)| Some((self.names.definition_symbol(*id)?, *value)))
                .collect(),
        )
    }

    fn with_parameters(&self, definitions: Contents, values: &Values) -> Contents {
        let Contents(mut all) = definitions;
        for (id, value) in &values.parameters {
            if let Some(symbol) = self.names.parameters[id.index()].symbol {
                all.insert(symbol, *value);
            }
        }
        Contents(all)
    }

    /// A condition of parameters that no event sets stays as it is: the event never happens.
    fn triggers_that_never_change(&mut self, rules: &Rules, everything: &Contents) {
        let fixed: FxHashSet<SymbolId> = self
            .names
            .parameters
            .iter()
            .chain(&self.names.definitions)
            .filter_map(|declared| declared.symbol)
            .collect();
        let set: FxHashSet<SymbolId> = rules
            .events
            .iter()
            .flat_map(|event| &event.assignments)
            .filter_map(|assignment| match assignment.target {
                Target::Parameter(id) => self.names.parameters[id.index()].symbol,
                Target::State(_) => None,
            })
            .collect();
        for event in &rules.events {
            let Trigger::When { condition, .. } = event.trigger else {
                continue;
            };
            let names = everything.reach(&self.pool, condition);
            let may_change = |symbol: &SymbolId| !fixed.contains(symbol) || set.contains(symbol);
            if names.iter().any(may_change) {
                continue;
            }
            let help = match names.first() {
                None => "compare a state, the time or something that follows them".to_owned(),
                Some(_) => "no event sets its parameters; to choose between runs, write a `condition` with values of its own".to_owned(),
            };
            self.diagnostics.push(
                Diagnostic::new(
                    Code::BadEvent,
                    "this condition never changes, so the event never happens",
                )
                .at(event.span, "made of numbers and parameters only")
                .help(help),
            );
        }
    }
}

fn value_span(item: &tree::Declaration) -> Span {
    item.value.as_ref().map_or(item.span, |value| value.span)
}
