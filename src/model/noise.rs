//! Noise: `wiener W`, `stratonovich V`, `noise intrinsic`, and where white noise may stand.
//!
//! Enters: declarations, and equations whose expressions are complete. Leaves: [`Wiener`] and
//! [`Intrinsic`], or what is wrong with them. An equation is linear in white noise when its
//! derivative by the noise does not contain it: then x' = f + B W' stands for dx = f dt + B dW.
//! Must not know what is done with noise.

use super::collect::Draft;
use super::elaborate::{Declared, Elaborator, Quantity, Scope};
use super::loops::Instance;
use super::names::Entity;
use super::rules::Rules;
use super::values::Values;
use super::{
    DefinitionId, Event, IndexSetId, Motion, ParameterId, Repeat, Schedule, StateId, Target,
    Trigger, WienerId,
};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;
use crate::symbolic::{
    self, Expr, Pool, Shape, SymbolId, dependents, directional_along, expand_gradients, substitute,
};
use crate::syntax::tree::{self, Calculus, EquationLeft, ExprKind, StatementKind};
use rustc_hash::{FxHashMap, FxHashSet};

/// A Brownian motion, or a vector of independent ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Wiener {
    /// As declared: `W`.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Doc comment.
    pub doc: Option<String>,
    /// Stands for the white noise `W'`.
    pub symbol: SymbolId,
    /// The index set of a vector.
    pub indices: Vec<IndexSetId>,
    /// How `W'` is read.
    pub calculus: Calculus,
}

/// `noise intrinsic (size = Omega)`: each way of each reaction has white noise of its own, as
/// large as the square root of how often it happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Intrinsic {
    /// The statement.
    pub span: Span,
    /// Molecules per unit of amount: an expression of parameters; 1 when absent.
    pub size: Option<Expr>,
}

/// A declared Brownian motion, before it has its shape.
pub(super) struct DraftWiener<'t> {
    pub name: &'t tree::Reference,
    pub doc: Option<&'t String>,
    pub calculus: Calculus,
}

/// Places shown of one equation.
const MOST_PLACES: usize = 4;

impl<'t> Draft<'t> {
    pub(super) fn wiener(
        &mut self,
        calculus: Calculus,
        names: &'t [tree::Reference],
        doc: Option<&'t String>,
    ) {
        for name in names {
            let id = WienerId::new(self.wieners.len());
            self.wieners.push(DraftWiener {
                name,
                doc,
                calculus,
            });
            self.names.wieners.push(Declared::default());
            self.declare(&name.name, Entity::Wiener(id));
            let noise = tree::Name {
                text: format!("{}'", name.name.text),
                span: name.name.span,
            };
            // A name that is taken has been reported.
            let _ = self.names.declare(&noise, Entity::Noise(id));
        }
    }

    /// Gives the white noise of a Brownian motion its symbol and shape.
    pub(super) fn white_noise(&mut self, id: WienerId) {
        let name = self.wieners[id.index()].name;
        let Some((indices, shape)) = self.declared_shape(&name.indices) else {
            return;
        };
        if matches!(shape, Shape::Matrix(..)) {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::BadNoise,
                    format!("`{}` has two indices", name.name.text),
                )
                .at(name.span, "")
                .help("Brownian motions are numbers or vectors: declare one for each row, or one over an index set that is long enough"),
            );
            return;
        }
        let symbol = self.pool.new_symbol(format!("{}'", name.name.text), shape);
        self.names.wieners[id.index()] = Declared {
            symbol: Some(symbol),
            indices,
            compartment: None,
        };
    }

    /// The Brownian motions; those at fault, which have been reported, are left out.
    pub(super) fn finish_wieners(&self) -> Vec<Wiener> {
        let pairs = self.wieners.iter().zip(&self.names.wieners);
        pairs
            .filter_map(|(draft, declared)| {
                Some(Wiener {
                    name: draft.name.name.text.clone(),
                    span: draft.name.span,
                    doc: draft.doc.cloned(),
                    symbol: declared.symbol?,
                    indices: declared.indices.clone(),
                    calculus: draft.calculus,
                })
            })
            .collect()
    }

    /// White noise stands in equations only, and linearly.
    pub(super) fn check_noise(
        &mut self,
        values: &Values,
        (rules, instances): (&Rules, &[Instance<'t>]),
        drifts: &FxHashMap<StateId, Expr>,
        order: &[DefinitionId],
    ) {
        // That a map takes no noise has been said.
        if self.wieners.is_empty() || self.motion == Motion::Map {
            return;
        }
        self.find_noisy(values, order);
        self.misplaced_noise(values, rules);
        self.nonlinear_noise(values, (rules, instances), drifts, order);
    }

    fn sources(&self) -> FxHashSet<SymbolId> {
        let declared = self.names.wieners.iter();
        declared.filter_map(|declared| declared.symbol).collect()
    }

    fn find_noisy(&mut self, values: &Values, order: &[DefinitionId]) {
        let mut noisy = self.sources();
        for id in order {
            if let Some(value) = values.definitions.get(id)
                && let Some(symbol) = self.names.definition_symbol(*id)
                && symbolic::symbols_of(&self.pool, *value)
                    .iter()
                    .any(|used| noisy.contains(used))
            {
                noisy.insert(symbol);
            }
        }
        self.names.set_noisy(noisy);
    }

    /// Everything that needs the value of what it names.
    fn misplaced_noise(&mut self, values: &Values, rules: &Rules) {
        let mut found: Vec<(String, Expr, Span)> = Vec::new();
        for (at, draft) in self.states.iter().enumerate() {
            if let Some(value) = values.states.get(&StateId::new(at)) {
                let span = draft
                    .item
                    .value
                    .as_ref()
                    .map_or(draft.item.span, |v| v.span);
                found.push((
                    format!("the initial value of `{}`", draft.name),
                    *value,
                    span,
                ));
            }
        }
        for (at, draft) in self.parameters.iter().enumerate() {
            if let Some(value) = values.parameters.get(&ParameterId::new(at)) {
                let span = draft
                    .item
                    .value
                    .as_ref()
                    .map_or(draft.item.span, |v| v.span);
                found.push((format!("the value of `{}`", draft.name), *value, span));
            }
        }
        for setting in rules.conditions.iter().flat_map(|known| &known.settings) {
            found.push((
                format!("the value of {}", self.target(setting.target)),
                setting.value,
                setting.span,
            ));
        }
        let reactions = rules.reactions.iter();
        found.extend(
            reactions.map(|known| ("the law of a reaction".to_owned(), known.flux, known.span)),
        );
        let asserted = rules.assertions.iter();
        found
            .extend(asserted.map(|known| ("an assertion".to_owned(), known.condition, known.span)));
        let constraints = rules.constraints.iter();
        found.extend(
            constraints.map(|known| ("a constraint".to_owned(), known.residual, known.span)),
        );
        for event in &rules.events {
            let parts = parts_of_event(event).into_iter();
            found.extend(parts.map(|part| ("an event".to_owned(), part, event.span)));
            found.extend(event.assignments.iter().map(|known| {
                (
                    format!("the new value of {}", self.target(known.target)),
                    known.value,
                    known.span,
                )
            }));
        }
        for dose in &rules.doses {
            let mut parts = vec![dose.amount];
            parts.extend(dose.duration.into_iter().chain(dose.lag));
            match &dose.schedule {
                Schedule::At(times) => parts.extend(times),
                Schedule::Every(repeat) => parts.extend(parts_of(repeat)),
                Schedule::Event | Schedule::Table(_) => {}
            }
            found.extend(
                parts
                    .into_iter()
                    .map(|part| ("a dose".to_owned(), part, dose.span)),
            );
        }
        for (place, value, span) in found {
            if let Some(noisy) = self.names.noisy(&self.pool, value) {
                let name = self.pool.symbol_data(noisy).name.clone();
                self.diagnostics.push(misplaced(&name, &place, span));
            }
        }
    }

    fn target(&self, target: Target) -> String {
        let name = match target {
            Target::Parameter(id) => self.parameters.get(id.index()).map(|known| &known.name),
            Target::State(id) => self.states.get(id.index()).map(|known| &known.name),
        };
        name.map_or_else(|| "a quantity".to_owned(), |name| format!("`{name}`"))
    }

    fn nonlinear_noise(
        &mut self,
        values: &Values,
        (rules, instances): (&Rules, &[Instance<'t>]),
        drifts: &FxHashMap<StateId, Expr>,
        order: &[DefinitionId],
    ) {
        let sources = self.sources();
        let mut pool = self.pool.clone();
        let mut inlined: FxHashMap<SymbolId, Expr> = FxHashMap::default();
        for id in order {
            if let (Some(value), Some(symbol)) = (
                values.definitions.get(id),
                self.names.definition_symbol(*id),
            ) {
                let value = substitute(&mut pool, *value, &inlined);
                inlined.insert(symbol, expand_gradients(&mut pool, value));
            }
        }
        let mut found = Vec::new();
        for at in 0..self.states.len() {
            let Some(drift) = drifts.get(&StateId::new(at)) else {
                continue;
            };
            if self.names.noisy(&self.pool, *drift).is_none() {
                continue;
            }
            let drift = substitute(&mut pool, *drift, &inlined);
            let drift = expand_gradients(&mut pool, drift);
            if !is_linear(&mut pool, drift, &sources) {
                found.push(StateId::new(at));
            }
        }
        for state in found {
            let diagnostic = self.not_linear(state, rules, instances);
            self.diagnostics.push(diagnostic);
        }
    }

    fn not_linear(&self, state: StateId, rules: &Rules, instances: &[Instance<'t>]) -> Diagnostic {
        let draft = &self.states[state.index()];
        let base = draft.name.trim_end_matches('\'');
        let mut diagnostic = Diagnostic::new(
            Code::NonlinearNoise,
            format!(
                "the equation of `{}` is not linear in white noise",
                draft.name
            ),
        );
        let mut places = Vec::new();
        for instance in instances {
            if let StatementKind::Equation {
                left: EquationLeft::Derivative { target, .. },
                right,
            } = &instance.statement.kind
                && target.name.text == base
            {
                self.noise_in(right, &mut places);
            }
        }
        places.sort_unstable();
        places.dedup();
        for (at, span) in places.iter().take(MOST_PLACES).enumerate() {
            diagnostic = diagnostic.at(*span, if at == 0 { "white noise" } else { "and here" });
        }
        if places.is_empty() {
            let equation = rules.governed[state.index()].span();
            diagnostic = diagnostic.at(equation.unwrap_or(draft.item.span), "");
        }
        diagnostic.help("white noise can be added, and multiplied by what does not contain it, as in `x' = -x + s*x*W'`")
    }

    /// The places of an expression that name white noise, or a definition that contains it.
    fn noise_in(&self, expr: &tree::Expr, places: &mut Vec<Span>) {
        let mut pending = vec![expr];
        while let Some(expr) = pending.pop() {
            let name = match &expr.kind {
                ExprKind::Prime { target, order } => Some(format!(
                    "{}{}",
                    target.name.text,
                    "'".repeat(usize::from(*order))
                )),
                ExprKind::Reference(target) => Some(target.name.text.clone()),
                _ => None,
            };
            if let Some(symbol) = name.and_then(|name| self.names.symbol(&name))
                && self.names.is_noisy(symbol)
            {
                places.push(expr.span);
            }
            expr.for_each_part(|part| pending.push(part));
        }
    }

    /// `noise intrinsic (size = Omega)`
    pub(super) fn intrinsic_noise(&mut self, rules: &Rules) -> Option<Intrinsic> {
        let (span, kind, bindings) = self.intrinsic?;
        if kind.text != "intrinsic" {
            let near = did_you_mean(&kind.text, ["intrinsic"]);
            self.diagnostics.push(
                Diagnostic::new(Code::BadNoise, format!("there is no noise `{}`", kind.text))
                    .at(kind.span, "")
                    .help(near.unwrap_or_else(|| {
                        "`noise intrinsic` gives reactions their own noise; other noise is declared with `wiener W`, and stands in equations as `W'`".to_owned()
                    })),
            );
            return None;
        }
        let mut size = None;
        for binding in bindings {
            if binding.name.name.text != "size" || !binding.name.indices.is_empty() {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::BadNoise,
                        format!("intrinsic noise has no `{}`", binding.name.name.text),
                    )
                    .at(binding.name.span, "not known here")
                    .help("it has a size, the number of molecules in a unit of amount: `noise intrinsic (size = Omega)`"),
                );
                continue;
            }
            let value = self.with_elaborator(|e| e.scalar(&Scope::default(), &binding.value));
            let Some(value) = value else { continue };
            if self.names.changing(&self.pool, value).is_some() {
                self.diagnostics.push(
                    Diagnostic::new(Code::BadNoise, "the size must not change during a run")
                        .at(binding.value.span, "this changes")
                        .help("make it of numbers and parameters"),
                );
                continue;
            }
            size = Some(value);
        }
        if rules.reactions.is_empty() && self.faults() == 0 {
            self.diagnostics.push(
                Diagnostic::new(Code::BadNoise, "there are no reactions that could have noise")
                    .at(span, "")
                    .help("intrinsic noise is that of reactions; for equations, declare `wiener W` and use `W'` in them"),
            );
        }
        for reaction in rules
            .reactions
            .iter()
            .filter(|known| known.reversible && !known.mass_action)
        {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::BadNoise,
                    "the noise of this reaction is not known from its net rate",
                )
                .at(reaction.span, "both ways in one rate")
                .at(span, "reactions carry their own noise")
                .help("each way has noise of its own: write two reactions with `->`, each with its rate"),
            );
        }
        Some(Intrinsic { span, size })
    }
}

impl Elaborator<'_> {
    /// `W` without a prime.
    pub(super) fn path_of_noise(&mut self, name: &tree::Name, span: Span) -> Option<Quantity> {
        let text = &name.text;
        self.report(
            Diagnostic::new(
                Code::MisplacedNoise,
                format!("the path of `{text}` is no quantity of the model"),
            )
            .at(span, "a Brownian motion")
            .help(format!(
                "its derivative, white noise, stands in equations, as in `x' = -x + {text}'`; for the path itself declare a state with `b' = {text}'`"
            )),
        )
    }
}

/// White noise in a place that needs a value.
pub(super) fn misplaced(name: &str, place: &str, span: Span) -> Diagnostic {
    let what = if name.ends_with('\'') && !name.contains('(') {
        format!("`{name}` is white noise")
    } else {
        format!("`{name}` contains white noise")
    };
    Diagnostic::new(
        Code::MisplacedNoise,
        format!("{what}, which cannot stand in {place}"),
    )
    .at(span, "it has no value at any one time")
    .help("white noise stands on the right side of equations `x' = ...`, and in definitions that these use")
}

fn parts_of_event(event: &Event) -> Vec<Expr> {
    let mut parts: Vec<Expr> = event.delay.into_iter().chain(event.priority).collect();
    match &event.trigger {
        Trigger::When { condition, .. } => parts.push(*condition),
        Trigger::At(times) => parts.extend(times),
        Trigger::Every(repeat) => parts.extend(parts_of(repeat)),
    }
    parts
}

fn parts_of(repeat: &Repeat) -> impl Iterator<Item = Expr> {
    let others = [repeat.from, repeat.times, repeat.until];
    std::iter::once(repeat.period).chain(others.into_iter().flatten())
}

/// True when an inlined expression is f + B W': its derivative along any direction of the noise
/// does not contain the noise. What depends on the noise and has no derivative by it jumps.
fn is_linear(pool: &mut Pool, expr: Expr, sources: &FxHashSet<SymbolId>) -> bool {
    let mut noisy: Vec<Expr> = dependents(pool, &[expr], sources).into_iter().collect();
    if noisy.is_empty() {
        return true;
    }
    noisy.sort_unstable();
    let mut symbols: Vec<SymbolId> = sources.iter().copied().collect();
    symbols.sort_unstable();
    let mut directions = FxHashMap::default();
    for symbol in symbols {
        let shape = pool.symbol_data(symbol).shape;
        let direction = pool.new_symbol("direction", shape);
        directions.insert(symbol, pool.symbol(direction));
    }
    let derivatives = directional_along(pool, &noisy, &directions);
    let whole = directional_along(pool, &[expr], &directions);
    derivatives.iter().all(|known| !pool.is_zero(*known))
        && dependents(pool, &whole, sources).is_empty()
}
