//! Every declared name and what it stands for.

use super::elaborate::Declared;
use super::{
    ConditionId, DefinitionId, Delay, FunctionId, IndexSetId, InputId, Motion, ParameterId,
    StateId, Units, WienerId,
};
use crate::diagnostic::{Code, Diagnostic, closest};
use crate::source::{SourceId, Span};
use crate::symbolic::{self, Expr, Pool, Shape, SymbolId};
use crate::syntax::tree;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// `t`
    Time,
    /// A parameter.
    Parameter(ParameterId),
    /// A state or species.
    State(StateId),
    /// A definition or flux.
    Definition(DefinitionId),
    /// A function.
    Function(FunctionId),
    /// An index set.
    IndexSet(IndexSetId),
    /// A condition.
    Condition(ConditionId),
    /// An input from a table.
    Input(InputId),
    /// `W`: a Brownian motion. Its path is no quantity of the language.
    Wiener(WienerId),
    /// `W'`: white noise.
    Noise(WienerId),
}

impl Entity {
    /// What it is, with its article, as messages say it.
    fn describe(self) -> &'static str {
        match self {
            Entity::Time => "the time",
            Entity::Parameter(_) => "a parameter",
            Entity::State(_) => "a state",
            Entity::Definition(_) => "a definition",
            Entity::Function(_) => "a function",
            Entity::IndexSet(_) => "an index set",
            Entity::Condition(_) => "a condition",
            Entity::Input(_) => "an input",
            Entity::Wiener(_) => "a Brownian motion",
            Entity::Noise(_) => "white noise",
        }
    }
}

/// A function written with `fn`; its calls are expanded.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// As declared.
    pub name: tree::Name,
    /// Its parameters.
    pub parameters: Vec<tree::Name>,
    /// Its value.
    pub body: tree::Expr,
    /// Doc comment.
    pub doc: Option<String>,
}

/// The members of an index set, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexSet {
    /// As declared.
    pub name: String,
    /// Its members.
    pub members: Members,
}

/// Labels or consecutive whole numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Members {
    /// `{GATA1, KLF1}`
    Labels(Vec<String>),
    /// `1..50`: first number and how many.
    Numbers {
        /// The first.
        first: i64,
        /// How many.
        count: usize,
    },
}

impl IndexSet {
    /// A set without members.
    pub(super) fn empty(name: &str) -> IndexSet {
        IndexSet {
            name: name.to_owned(),
            members: Members::Labels(Vec::new()),
        }
    }

    /// How many members it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.members {
            Members::Labels(labels) => labels.len(),
            Members::Numbers { count, .. } => *count,
        }
    }

    /// True when it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The printed form of the member at a position from 0.
    #[must_use]
    pub fn label(&self, position: usize) -> String {
        match &self.members {
            Members::Labels(labels) => labels.get(position).cloned().unwrap_or_default(),
            Members::Numbers { first, .. } => {
                (first + i64::try_from(position).unwrap_or(i64::MAX)).to_string()
            }
        }
    }

    /// The position of a label.
    #[must_use]
    pub fn position_of_label(&self, label: &str) -> Option<usize> {
        match &self.members {
            Members::Labels(labels) => labels.iter().position(|known| known == label),
            Members::Numbers { .. } => None,
        }
    }

    /// The position of a number; labels are counted from 1.
    #[must_use]
    pub fn position_of_number(&self, number: i64) -> Option<usize> {
        let first = match &self.members {
            Members::Labels(_) => 1,
            Members::Numbers { first, .. } => *first,
        };
        usize::try_from(number - first)
            .ok()
            .filter(|position| *position < self.len())
    }
}

/// All names of a model.
#[derive(Debug, Clone, Default)]
pub struct Names {
    entities: FxHashMap<String, (Entity, Span)>,
    /// Better words than the entity's own: a species is a state to the machine only.
    words: FxHashMap<String, &'static str>,
    /// Names declared more than once: what they are is open, which has been reported.
    disputed: FxHashSet<String>,
    /// Names of declarations that were refused: their uses are not to be reported again.
    refused: FxHashSet<String>,
    /// A refused declaration may have declared any name.
    any_refused: bool,
    order: Vec<String>,
    functions: Vec<Function>,
    index_sets: Vec<IndexSet>,
    /// Fluxes of reactions that are named with an index: `flow[3]`.
    indexed_fluxes: FxHashMap<(String, i64), DefinitionId>,
    time: Option<SymbolId>,
    /// Of a map, its first `next x = ...`.
    map_at: Option<Span>,
    pub(super) parameters: Vec<Declared>,
    pub(super) states: Vec<Declared>,
    pub(super) definitions: Vec<Declared>,
    pub(super) inputs: Vec<Declared>,
    pub(super) wieners: Vec<Declared>,
    varying: FxHashSet<DefinitionId>,
    /// Functions that call themselves, by whatever detour: their calls cannot be expanded.
    circular: FxHashSet<FunctionId>,
    /// Definitions that are plain numbers.
    constants: FxHashMap<SymbolId, f64>,
    /// The drift of each state, once the model is complete.
    drifts: FxHashMap<String, Expr>,
    /// The delayed values of the model, once it is complete: sentences may name no others.
    delays: Vec<Delay>,
    /// Inputs, delayed values, and the definitions that follow them.
    driven: FxHashSet<SymbolId>,
    /// White noise, and the definitions that contain it.
    noisy: FxHashSet<SymbolId>,
    /// The units of quantities, for a model that names any.
    units: Option<Arc<Units>>,
}

impl Names {
    /// Adds a name.
    ///
    /// # Errors
    /// A diagnostic that points at both places when the name is taken.
    pub fn declare(&mut self, name: &tree::Name, entity: Entity) -> Result<(), Diagnostic> {
        if let Some((known, earlier)) = self.entities.get(&name.text) {
            if let (Entity::Time, Some(map)) = (known, self.map_at) {
                return Err(Diagnostic::new(
                    Code::Duplicate,
                    format!("`{}` counts the steps of a map", name.text),
                )
                .at(name.span, "declared as something else here")
                .at(map, "this makes the model a map")
                .help("give it another name"));
            }
            return Err(Diagnostic::new(
                Code::Duplicate,
                format!("`{}` is declared twice", name.text),
            )
            .at(name.span, "declared again here")
            .at(
                *earlier,
                format!("already {} here", self.described(&name.text, *known)),
            )
            .help("give one of them another name"));
        }
        self.entities.insert(name.text.clone(), (entity, name.span));
        self.order.push(name.text.clone());
        Ok(())
    }

    /// Says what a name is, where its entity is too general a word.
    pub(super) fn call_it(&mut self, name: &str, word: &'static str) {
        self.words.entry(name.to_owned()).or_insert(word);
    }

    fn described(&self, name: &str, entity: Entity) -> &'static str {
        let own = self.words.get(name).copied();
        own.unwrap_or(match (entity, self.motion()) {
            (Entity::Time, Motion::Map) => "the number of steps",
            _ => entity.describe(),
        })
    }

    /// What a name is, with its article, as messages say it.
    #[must_use]
    pub fn describe(&self, name: &str) -> &'static str {
        self.get(name)
            .map_or("not declared", |entity| self.described(name, entity))
    }

    pub(super) fn dispute(&mut self, name: &str) {
        self.disputed.insert(name.to_owned());
    }

    /// True when the name is declared more than once.
    pub(super) fn is_disputed(&self, name: &str) -> bool {
        self.disputed.contains(name)
    }

    /// The declaration of this name was refused.
    pub(super) fn refuse(&mut self, name: &str) {
        self.refused.insert(name.to_owned());
    }

    /// A declaration was refused that may bring in any name.
    pub(super) fn refuse_any(&mut self) {
        self.any_refused = true;
    }

    /// True when the declaration of this name may be among the refused ones.
    pub(super) fn is_refused(&self, name: &str) -> bool {
        let instance = name.split('.').next().unwrap_or(name);
        self.any_refused || self.refused.contains(name) || self.refused.contains(instance)
    }

    /// What the name stands for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Entity> {
        self.entities.get(name).map(|(entity, _)| *entity)
    }

    /// Where the name is declared.
    #[must_use]
    pub fn declared_at(&self, name: &str) -> Option<Span> {
        self.entities.get(name).map(|(_, span)| *span)
    }

    /// All names in the order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Entity)> {
        self.order
            .iter()
            .filter_map(|name| self.get(name).map(|entity| (name.as_str(), entity)))
    }

    /// The declared name that `wrong` most likely misspells, among those that `accept`.
    pub fn closest(&self, wrong: &str, accept: impl Fn(Entity) -> bool) -> Option<&str> {
        closest(
            wrong,
            self.iter()
                .filter(|(_, entity)| accept(*entity))
                .map(|(name, _)| name),
        )
    }

    /// Adds a function.
    pub(super) fn add_function(&mut self, function: Function) -> FunctionId {
        self.functions.push(function);
        FunctionId::new(self.functions.len() - 1)
    }

    /// A function.
    #[must_use]
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.index()]
    }

    /// All functions.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// An index set.
    #[must_use]
    pub fn index_set(&self, id: IndexSetId) -> &IndexSet {
        &self.index_sets[id.index()]
    }

    /// Adds the flux of a reaction named with an index.
    pub(super) fn add_indexed_flux(&mut self, name: &str, index: i64, flux: DefinitionId) -> bool {
        self.indexed_fluxes
            .insert((name.to_owned(), index), flux)
            .is_none()
    }

    /// The flux `name[index]`.
    #[must_use]
    pub fn indexed_flux(&self, name: &str, index: i64) -> Option<DefinitionId> {
        self.indexed_fluxes.get(&(name.to_owned(), index)).copied()
    }

    /// True when some reaction is named `name[...]`.
    #[must_use]
    pub fn has_indexed_fluxes(&self, name: &str) -> bool {
        self.indexed_fluxes.keys().any(|(known, _)| known == name)
    }

    /// Declares `t`, or `n` for a map, whose first equation is given.
    pub(super) fn declare_time(&mut self, symbol: SymbolId, map_at: Option<Span>) {
        // `t` is reserved, and who declares `n` in a map is told why it is taken: the place is never
        // shown.
        self.map_at = map_at;
        let nowhere = Span::new(SourceId(u32::MAX), 0, 0);
        self.entities
            .insert(self.variable().to_owned(), (Entity::Time, nowhere));
        self.order.push(self.variable().to_owned());
        self.time = Some(symbol);
    }

    /// The name of the independent variable: `t`, or `n` for a map.
    #[must_use]
    pub fn variable(&self) -> &'static str {
        self.motion().variable()
    }

    /// Flow or map.
    #[must_use]
    pub fn motion(&self) -> Motion {
        match self.map_at {
            Some(_) => Motion::Map,
            None => Motion::Flow,
        }
    }

    /// Of a map, its first equation.
    pub(super) fn map_at(&self) -> Option<Span> {
        self.map_at
    }

    pub(super) fn set_index_set(&mut self, id: IndexSetId, set: IndexSet) {
        let at = id.index();
        while self.index_sets.len() <= at {
            self.index_sets.push(IndexSet::empty(""));
        }
        self.index_sets[at] = set;
    }

    pub(super) fn mark_circular(&mut self, id: FunctionId) {
        self.circular.insert(id);
    }

    /// True for a function that calls itself, by whatever detour.
    #[must_use]
    pub fn is_circular(&self, id: FunctionId) -> bool {
        self.circular.contains(&id)
    }

    pub(super) fn mark_varying(&mut self, id: DefinitionId) {
        self.varying.insert(id);
    }

    /// True for a definition that changes during a run.
    #[must_use]
    pub fn varies(&self, id: DefinitionId) -> bool {
        self.varying.contains(&id)
    }

    fn declared(&self, name: &str) -> Option<&Declared> {
        match self.get(name)? {
            Entity::Parameter(id) => self.parameters.get(id.index()),
            Entity::State(id) => self.states.get(id.index()),
            Entity::Definition(id) => self.definitions.get(id.index()),
            Entity::Input(id) => self.inputs.get(id.index()),
            Entity::Noise(id) => self.wieners.get(id.index()),
            _ => None,
        }
    }

    /// The symbol of a quantity; `None` when its declaration was at fault.
    #[must_use]
    pub fn symbol(&self, name: &str) -> Option<SymbolId> {
        if self.get(name) == Some(Entity::Time) {
            return self.time;
        }
        self.declared(name)?.symbol
    }

    /// The symbol of a definition.
    #[must_use]
    pub fn definition_symbol(&self, id: DefinitionId) -> Option<SymbolId> {
        self.definitions.get(id.index())?.symbol
    }

    /// The index sets of a quantity; empty for a scalar.
    #[must_use]
    pub fn indices(&self, name: &str) -> &[IndexSetId] {
        self.declared(name)
            .map_or(&[], |declared| declared.indices.as_slice())
    }

    /// The volume's parameter of a species in a compartment.
    #[must_use]
    pub fn compartment(&self, species: &str) -> Option<ParameterId> {
        self.declared(species)?.compartment
    }

    pub(super) fn add_constant(&mut self, symbol: SymbolId, value: f64) {
        self.constants.insert(symbol, value);
    }

    /// The value of an expression that holds only numbers and definitions that are numbers.
    #[must_use]
    pub fn constant_value(&self, pool: &Pool, expr: Expr) -> Option<f64> {
        if let Some(number) = pool.as_constant(expr) {
            return Some(number);
        }
        let symbols = symbolic::symbols_of(pool, expr);
        if pool.shape(expr) != Shape::Scalar
            || !symbols
                .iter()
                .all(|symbol| self.constants.contains_key(symbol))
        {
            return None;
        }
        let value = symbolic::evaluate(pool, expr, &|symbol| {
            symbolic::Value::scalar(self.constants.get(&symbol).copied().unwrap_or(f64::NAN))
        });
        Some(value.number())
    }

    /// The value of a definition that is a number.
    #[must_use]
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Entity::Definition(_) => self.constants.get(&self.symbol(name)?).copied(),
            _ => None,
        }
    }

    pub(super) fn set_units(&mut self, units: Units) {
        self.units = Some(Arc::new(units));
    }

    /// The units of quantities; `None` for a model that names none.
    #[must_use]
    pub fn units(&self) -> Option<&Units> {
        self.units.as_deref()
    }

    /// The unit of time as it stands in brackets, when it is known.
    #[must_use]
    pub fn unit_of_time(&self) -> Option<String> {
        self.units()?.of_time()
    }

    /// The unit of a quantity as it stands in brackets, when it is known.
    #[must_use]
    pub fn unit_of(&self, name: &str) -> Option<String> {
        Some(self.units()?.of(name)?.0)
    }

    /// The unit of what data of this name are: of an observable, else of the quantity.
    #[must_use]
    pub fn unit_of_data(&self, name: &str) -> Option<String> {
        self.units()?.of_data(name)
    }

    /// The unit of an amount of a species: of its concentration times the volume.
    #[must_use]
    pub fn unit_of_amount(&self, name: &str) -> Option<String> {
        self.units()?.of_amount(name)
    }

    pub(super) fn set_drift(&mut self, state: &str, drift: Expr) {
        self.drifts.insert(state.to_owned(), drift);
    }

    pub(super) fn set_delays(&mut self, delays: &[Delay]) {
        self.delays = delays.to_vec();
    }

    /// The delayed values of a complete model.
    #[must_use]
    pub fn delays(&self) -> &[Delay] {
        &self.delays
    }

    pub(super) fn set_driven(&mut self, driven: FxHashSet<SymbolId>) {
        self.driven = driven;
    }

    /// The first name of an expression that follows an input or a delayed value.
    pub(super) fn driven(&self, pool: &Pool, expr: Expr) -> Option<SymbolId> {
        symbolic::symbols_of(pool, expr)
            .into_iter()
            .filter(|symbol| self.driven.contains(symbol))
            .min()
    }

    pub(super) fn set_noisy(&mut self, noisy: FxHashSet<SymbolId>) {
        self.noisy = noisy;
    }

    /// True for white noise and for a definition that contains it.
    #[must_use]
    pub fn is_noisy(&self, symbol: SymbolId) -> bool {
        self.noisy.contains(&symbol)
    }

    /// The first name of an expression that is white noise or contains it.
    #[must_use]
    pub fn noisy(&self, pool: &Pool, expr: Expr) -> Option<SymbolId> {
        if self.noisy.is_empty() {
            return None;
        }
        symbolic::symbols_of(pool, expr)
            .into_iter()
            .filter(|symbol| self.noisy.contains(symbol))
            .min()
    }

    /// The first name of an expression that may change during a run.
    pub(super) fn changing(&self, pool: &Pool, expr: Expr) -> Option<SymbolId> {
        symbolic::symbols_of(pool, expr)
            .into_iter()
            .filter(|symbol| match self.get(&pool.symbol_data(*symbol).name) {
                Some(Entity::Parameter(_)) => false,
                Some(Entity::Definition(id)) => self.varies(id),
                _ => true,
            })
            .min()
    }

    /// The time derivative of a state of a complete model, with definitions as names.
    #[must_use]
    pub fn drift(&self, state: &str) -> Option<Expr> {
        self.drifts.get(state).copied()
    }
}
