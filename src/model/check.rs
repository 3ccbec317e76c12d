//! From a syntax tree to a model: all passes in order, all problems at once.

use super::calls::{MOST_GRADIENTS, too_many_gradients};
use super::collect::{Draft, DraftDefinition};
use super::dependencies;
use super::elaborate::Scope;
use super::names::Entity;
use super::rules::Rules;
use super::values::Values;
use super::walk::{each_expression, each_name, each_reference};
use super::{
    Allowance, Condition, ConditionId, Definition, DefinitionId, DefinitionKind, Intrinsic, Model,
    Motion, Observation, Parameter, ParameterId, State, StateId, Unit, ValueOf,
};
use crate::diagnostic::{Code, Diagnostic, Label, listed, number_text};
use crate::source::Span;
use crate::symbolic::{self, Expr, SymbolId};
use crate::syntax::tree::{self, DeclareKind};
use rustc_hash::{FxHashMap, FxHashSet};

/// What checking a tree gives.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The model, when there is no error.
    pub model: Option<Model>,
    /// All problems, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The warnings that the text allows; they are among the problems all the same.
    pub allowances: Vec<Allowance>,
}

/// Checks a file. Warnings do not prevent a model.
#[must_use]
pub fn check(file: &tree::File) -> Checked {
    let mut draft = Draft::collect(file);
    draft.find_algebraic(file);
    draft.declare_derivatives(file);
    draft.check_functions();
    let mut values = draft.elaborate_values();
    let instances = draft.unroll();
    draft.declare_indexed_fluxes(&instances);
    let rules = draft.rules(&instances);
    let drifts = draft.drifts(&rules, &values);
    draft.fill_derived(&rules, &drifts, &mut values);
    let definition_order = draft.definition_order(&values, &rules);
    draft.check_driven(&values, &rules, &definition_order);
    draft.check_noise(&values, (&rules, &instances), &drifts, &definition_order);
    let intrinsic = draft.intrinsic_noise(&rules);
    let observations = draft.finish_observations();
    draft.check_units(file, &definition_order);
    draft.warn_unused(file);
    draft.finish(
        values,
        rules,
        drifts,
        definition_order,
        (intrinsic, observations),
    )
}

impl<'t> Draft<'t> {
    /// `x'` in an expression is the drift of `x`: a definition, unless `x'` is a state itself.
    fn declare_derivatives(&mut self, file: &'t tree::File) {
        let mut primed: Vec<String> = Vec::new();
        each_expression(file, &mut |expr| {
            each_name(expr, &mut |name| {
                if name.ends_with('\'') || name.starts_with("next ") {
                    primed.push(name.to_owned());
                }
            });
        });
        for name in primed {
            let (base, kind) = match name.strip_prefix("next ") {
                Some(base) if self.motion == Motion::Map => (base, DefinitionKind::Next),
                Some(_) => continue,
                None if self.motion == Motion::Map => continue,
                None => (&name[..name.len() - 1], DefinitionKind::Derivative),
            };
            if self.names.get(&name).is_none()
                && let Some(Entity::State(state)) = self.names.get(base)
                && !self.algebraic.contains(&state)
            {
                let span = self.states[state.index()].item.span;
                self.definition(DraftDefinition {
                    name: name.clone(),
                    span,
                    doc: None,
                    unit: None,
                    kind,
                    value: None,
                    indices: &[],
                    state: Some(state),
                });
            }
        }
    }

    /// Definitions, each after those that it uses. Derivatives may close a circle that the names
    /// alone did not show: `x' = x' + 1`.
    fn definition_order(&mut self, values: &Values, rules: &Rules) -> Vec<DefinitionId> {
        let by_symbol: FxHashMap<_, usize> = self
            .names
            .definitions
            .iter()
            .enumerate()
            .filter_map(|(index, declared)| Some((declared.symbol?, index)))
            .collect();
        let edges: Vec<Vec<usize>> = (0..self.definitions.len())
            .map(|index| {
                let Some(value) = values.definitions.get(&DefinitionId::new(index)) else {
                    return Vec::new();
                };
                symbolic::symbols_of(&self.pool, *value)
                    .iter()
                    .filter_map(|symbol| by_symbol.get(symbol).copied())
                    .collect()
            })
            .collect();
        let mut order = Vec::with_capacity(edges.len());
        for component in dependencies::components(&edges) {
            let is_circle = match component.as_slice() {
                [single] => edges[*single].contains(single),
                _ => true,
            };
            if !is_circle {
                order.extend(component.into_iter().map(DefinitionId::new));
                continue;
            }
            let diagnostic = self.circle_of_derivatives(&component, &edges, rules);
            self.diagnostics.push(diagnostic);
        }
        if let Some(at) = self.too_deep_gradient(values, &order) {
            let span = self.definitions[order[at].index()].span;
            self.diagnostics.push(too_many_gradients(span));
            order.truncate(at);
        }
        order
    }

    /// The first definition whose gradients are gradients of definitions, and so on, too often.
    fn too_deep_gradient(&self, values: &Values, order: &[DefinitionId]) -> Option<usize> {
        let mut depths: FxHashMap<SymbolId, usize> = FxHashMap::default();
        order.iter().position(|id| {
            let (Some(value), Some(symbol)) = (
                values.definitions.get(id),
                self.names.definition_symbol(*id),
            ) else {
                return false;
            };
            let of_symbol = |symbol| depths.get(&symbol).copied().unwrap_or(0);
            let depth = symbolic::gradient_depth(&self.pool, *value, of_symbol);
            if depth > 0 {
                depths.insert(symbol, depth);
            }
            depth > MOST_GRADIENTS
        })
    }

    fn circle_of_derivatives(
        &self,
        component: &[usize],
        edges: &[Vec<usize>],
        rules: &Rules,
    ) -> Diagnostic {
        let members: Vec<&DraftDefinition<'_>> = component
            .iter()
            .map(|index| &self.definitions[*index])
            .collect();
        let names: Vec<String> = members
            .iter()
            .map(|member| format!("`{}`", member.name))
            .collect();
        let mut diagnostic = Diagnostic::new(
            Code::Cycle,
            if members.len() == 1 {
                format!("{} depends on itself", listed(&names))
            } else {
                format!("{} depend on each other", listed(&names))
            },
        );
        for (at, member) in members.iter().enumerate() {
            let equation = member
                .state
                .and_then(|state| rules.governed[state.index()].span());
            let needed = edges[component[at]].iter();
            let needed = needed.copied().filter(|other| component.contains(other));
            let next = needed
                .min()
                .map_or(&member.name, |other| &self.definitions[other].name);
            diagnostic = diagnostic.at(equation.unwrap_or(member.span), format!("needs `{next}`"));
        }
        diagnostic.help(match self.motion {
            Motion::Flow => "solve for the derivatives, and write each without the others",
            Motion::Map => "use a present value in one of them: `x` in place of `next x`",
        })
    }

    /// The names in functions are checked whether something calls them or not.
    fn check_functions(&mut self) {
        for function in self.names.functions() {
            let mut unknown = Vec::new();
            each_reference(&function.body, &mut |name, is_call| {
                let known = function
                    .parameters
                    .iter()
                    .any(|known| known.text == name.text)
                    || self.names.get(&name.text).is_some()
                    || name.text == "pi"
                    || (is_call && symbolic::Builtin::find(&name.text).is_some());
                if !known {
                    unknown.push((name.clone(), is_call));
                }
            });
            for (name, is_call) in unknown {
                if self.names.is_refused(&name.text) {
                    continue;
                }
                let text = &name.text;
                let parameters = function.parameters.iter().map(|known| known.text.as_str());
                let everything = parameters
                    .chain(self.names.iter().map(|(known, _)| known))
                    .chain(symbolic::Builtin::all().map(|builtin| builtin.name));
                let near = crate::diagnostic::did_you_mean(text, everything);
                let (code, message, help) = if is_call {
                    (
                        Code::UnknownFunction,
                        format!("there is no function `{text}`"),
                        format!("define it, as in `fn {text}(x) = x^2`"),
                    )
                } else {
                    (
                        Code::UnknownName,
                        format!("`{text}` is not declared"),
                        format!(
                            "add it to the parameters of `{}`, or declare it, as in `param {text} = 1`",
                            function.name.text
                        ),
                    )
                };
                self.diagnostics.push(
                    Diagnostic::new(code, message)
                        .at(name.span, "not known")
                        .help(near.unwrap_or(help)),
                );
            }
        }
    }

    fn warn_unused(&mut self, file: &'t tree::File) {
        // What an error hides may use it: a misspelt name, a statement that is refused.
        if self.parameters.is_empty() || self.diagnostics.iter().any(Diagnostic::is_error) {
            return;
        }
        let mut used: FxHashSet<String> = FxHashSet::default();
        each_expression(file, &mut |expr| {
            each_name(expr, &mut |name| {
                if !used.contains(name) {
                    used.insert(name.to_owned());
                }
            });
        });
        for state in &self.states {
            used.extend(
                state
                    .item
                    .compartment
                    .as_ref()
                    .map(|name| name.text.clone()),
            );
        }
        for parameter in &self.parameters {
            if !used.contains(&parameter.name) {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::UnusedParameter,
                        format!("nothing uses `{}`", parameter.name),
                    )
                    .at(parameter.item.name.span, "declared here")
                    .help("remove it, or check the spelling where it should stand"),
                );
            }
        }
    }

    fn finish(
        mut self,
        values: Values,
        rules: Rules,
        drifts: FxHashMap<StateId, Expr>,
        definition_order: Vec<DefinitionId>,
        (intrinsic, observations): (Option<Intrinsic>, Vec<Observation>),
    ) -> Checked {
        let parameters = self.finish_parameters(&values);
        let states = self.finish_states(&values, &rules, &drifts);
        let definitions = self.finish_definitions(&values);
        let wieners = self.finish_wieners();
        let allowances = std::mem::take(&mut self.allowances);
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        // Files are read from top to bottom: so are their problems.
        diagnostics.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span));
        let diagnostics = once_each(diagnostics);
        let has_errors = diagnostics.iter().any(Diagnostic::is_error);
        let model = match (has_errors, parameters, states, definitions) {
            (false, Some(parameters), Some(states), Some(definitions)) => {
                for state in states.iter().filter(|state| !state.is_algebraic) {
                    self.names.set_drift(&state.name, state.drift);
                }
                self.names.set_delays(&self.delays);
                Some(Model {
                    name: self.model_name.map(|name| name.text.clone()),
                    pool: self.pool,
                    names: self.names,
                    motion: self.motion,
                    time: self.time,
                    parameters,
                    states,
                    definitions,
                    reactions: rules.reactions,
                    assertions: rules.assertions,
                    conditions: rules.conditions,
                    events: rules.events,
                    doses: rules.doses,
                    inputs: self.inputs,
                    constraints: rules.constraints,
                    delays: self.delays,
                    wieners,
                    covariates: self.covariates,
                    observations,
                    intrinsic,
                    allowances: allowances.clone(),
                    sentences: self.sentences.into_iter().cloned().collect(),
                    value_order: values
                        .order
                        .into_iter()
                        .filter(|value| !matches!(value, ValueOf::Definition(_)))
                        .collect(),
                    definition_order,
                })
            }
            _ => None,
        };
        Checked {
            model,
            diagnostics,
            allowances,
        }
    }

    fn finish_parameters(&mut self, values: &Values) -> Option<Vec<Parameter>> {
        let mut parameters = Vec::with_capacity(self.parameters.len());
        let mut complete = true;
        for index in 0..self.parameters.len() {
            let draft = &self.parameters[index];
            let (item, name, doc) = (draft.item, draft.name.clone(), draft.doc.cloned());
            let is_compartment = draft.kind == DeclareKind::Compartment;
            let is_covariate = draft.kind == DeclareKind::Covariate;
            let written_prior = item
                .prior
                .as_ref()
                .filter(|_| draft.kind == DeclareKind::Parameter);
            let prior = written_prior.and_then(|written| self.prior(written));
            let value = values.parameters.get(&ParameterId::new(index)).copied();
            let bounds = self.bounds(item, &name, value);
            let penalties = item.penalty.as_ref();
            let penalties = penalties
                .and_then(|written| self.with_elaborator(|e| e.penalties(written)))
                .unwrap_or_default();
            let draft = &self.parameters[index];
            let declared = &self.names.parameters[index];
            match (value, declared.symbol) {
                (Some(value), Some(symbol)) => parameters.push(Parameter {
                    name,
                    span: item.span,
                    doc,
                    symbol,
                    indices: declared.indices.clone(),
                    unit: item.unit.as_ref().map(Unit::from),
                    value,
                    bounds,
                    prior,
                    mask: draft.mask.clone(),
                    penalties,
                    is_compartment,
                    is_covariate,
                }),
                _ => complete = false,
            }
        }
        complete.then_some(parameters)
    }

    fn finish_states(
        &mut self,
        values: &Values,
        rules: &Rules,
        drifts: &FxHashMap<StateId, Expr>,
    ) -> Option<Vec<State>> {
        let mut states = Vec::with_capacity(self.states.len());
        let mut complete = true;
        for index in 0..self.states.len() {
            let id = StateId::new(index);
            let draft = &self.states[index];
            let (item, name, doc) = (draft.item, draft.name.clone(), draft.doc.cloned());
            let is_species = draft.kind == DeclareKind::Species;
            let initial = values.states.get(&id).copied();
            let bounds = self.bounds(item, &name, initial);
            let absolute_tolerance = self.absolute_tolerance(item);
            let history = initial.and_then(|initial| self.whole_history(id, initial));
            let declared = &self.names.states[index];
            match (initial, drifts.get(&id), declared.symbol) {
                (Some(initial), Some(drift), Some(symbol)) => states.push(State {
                    name,
                    span: item.span,
                    equation: rules.governed[index].span(),
                    doc,
                    symbol,
                    indices: declared.indices.clone(),
                    unit: item.unit.as_ref().map(Unit::from),
                    initial,
                    drift: *drift,
                    absolute_tolerance,
                    bounds,
                    compartment: declared.compartment,
                    is_species,
                    is_algebraic: self.algebraic.contains(&id),
                    history,
                }),
                _ => complete = false,
            }
        }
        complete.then_some(states)
    }

    fn absolute_tolerance(&mut self, item: &tree::Declaration) -> Option<f64> {
        let written = item.atol.as_ref()?;
        let value = self.with_elaborator(|e| e.constant(&Scope::default(), written))?;
        if value > 0.0 && value.is_finite() {
            return Some(value);
        }
        self.diagnostics.push(
            Diagnostic::new(Code::OutOfBounds, "an absolute tolerance must be positive")
                .at(written.span, format!("this is {}", number_text(value))),
        );
        None
    }

    fn finish_definitions(&mut self, values: &Values) -> Option<Vec<Definition>> {
        let mut definitions = Vec::with_capacity(self.definitions.len());
        let mut complete = true;
        for (index, draft) in self.definitions.iter().enumerate() {
            let value = values.definitions.get(&DefinitionId::new(index));
            match (value, self.names.definitions[index].symbol) {
                (Some(value), Some(symbol)) => definitions.push(Definition {
                    name: draft.name.clone(),
                    span: draft.span,
                    doc: draft.doc.cloned(),
                    symbol,
                    unit: draft.unit.map(Unit::from),
                    value: *value,
                    kind: draft.kind,
                }),
                _ => complete = false,
            }
        }
        complete.then_some(definitions)
    }
}

/// A name that is not known is one problem, in however many places it stands.
fn once_each(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    const MOST_PLACES: usize = 4;
    let mut first: FxHashMap<(Code, String), usize> = FxHashMap::default();
    // Each round of a loop says the same about the same place.
    let mut seen: FxHashSet<(Code, Span)> = FxHashSet::default();
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    for diagnostic in diagnostics {
        if let Some(place) = diagnostic.labels.first()
            && !seen.insert((diagnostic.code, place.span))
        {
            continue;
        }
        let repeats = matches!(
            diagnostic.code,
            Code::UnknownName
                | Code::UnknownFunction
                | Code::UnknownIndexSet
                | Code::NotASpecies
                | Code::UnknownUnit
        );
        if !repeats {
            kept.push(diagnostic);
            continue;
        }
        let key = (diagnostic.code, diagnostic.message.clone());
        let Some(earlier) = first.get(&key).and_then(|at| kept.get_mut(*at)) else {
            first.insert(key, kept.len());
            kept.push(diagnostic);
            continue;
        };
        if let Some(place) = diagnostic.labels.first()
            && earlier.labels.len() < MOST_PLACES
            && earlier.labels.iter().all(|known| known.span != place.span)
        {
            earlier.labels.push(Label {
                span: place.span,
                text: "and here".to_owned(),
            });
        }
    }
    kept
}

impl Model {
    /// The condition of this name.
    #[must_use]
    pub fn condition(&self, name: &str) -> Option<&Condition> {
        match self.names.get(name)? {
            Entity::Condition(ConditionId(index)) => self.conditions.get(index as usize),
            _ => None,
        }
    }
}
