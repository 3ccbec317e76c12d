//! A checked model: every name resolved, every shape known, every problem reported.
//!
//! Enters: a syntax tree. Leaves: a [`Model`] whose quantities are symbols and expressions of one
//! pool, with definitions kept as names, and all diagnostics. Must not know derivatives.

mod allowances;
mod calls;
mod check;
mod clauses;
mod collect;
mod constraints;
mod declared_names;
mod delays;
mod dependencies;
mod doses;
mod driven;
mod elaborate;
mod equations;
mod events;
mod family;
mod inputs;
mod interruption;
mod labelled;
mod loops;
mod maps;
mod masks;
mod modules;
mod names;
mod noise;
mod observations;
mod occurrences;
mod operators;
mod reactions;
mod references;
mod rules;
mod schedules;
mod settings;
#[cfg(test)]
mod tests;
mod units;
mod values;
mod walk;
mod watching;

pub use allowances::Allowance;
pub use check::{Checked, check};
pub use declared_names::{DeclaredName, NameKind, declared_names};
pub use elaborate::{Quantity, Scope, elaborate};
pub use family::{Family, Support};
pub use interruption::{
    Assignment, Constraint, Delay, Direction, Dose, DoseTable, Event, Input, Interpolation, Repeat,
    Schedule, Trigger,
};
pub use maps::Motion;
pub use modules::{Assembly, Import};
pub use names::{Entity, Function, IndexSet, Members, Names};
pub use noise::{Intrinsic, Wiener};
pub use observations::{Covariate, Distribution, Observation, Per};
pub use occurrences::{Bound, InSentence, Occurrence, Role, occurrences};
pub use settings::{setting, target};
pub use units::{
    ColumnUnit, PREFIXES, UNITS, Unit, UnitRow, Units, check_sentence, check_sentences,
    compare_column,
};

use crate::source::Span;
use crate::symbolic::{self, Expr, Notation, Operator, Pool, SymbolId};
use crate::syntax::tree;
use std::sync::Arc;

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident;)*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub struct $name(pub u32);

            impl $name {
                /// The id of the entry at this position.
                #[must_use]
                pub fn new(index: usize) -> $name {
                    $name(u32::try_from(index).unwrap_or(u32::MAX))
                }

                /// Position in the model's list.
                #[must_use]
                pub fn index(self) -> usize {
                    self.0 as usize
                }
            }
        )*
    };
}

ids! {
    /// A parameter or a compartment's volume.
    ParameterId;
    /// A state or species (scalar, vector or matrix).
    StateId;
    /// A definition: a `let`, or the flux of a reaction.
    DefinitionId;
    /// A function.
    FunctionId;
    /// An index set.
    IndexSetId;
    /// A condition.
    ConditionId;
    /// An input from a table.
    InputId;
    /// A Brownian motion.
    WienerId;
}

/// A checked model.
#[derive(Debug, Clone)]
pub struct Model {
    /// The name after `model`, if any.
    pub name: Option<String>,
    /// All expressions below live here.
    pub pool: Pool,
    /// Every declared name.
    pub names: Names,
    /// Whether equations give rates of change or new values.
    pub motion: Motion,
    /// The independent variable.
    pub time: Time,
    /// Parameters and compartments, in the order of the text.
    pub parameters: Vec<Parameter>,
    /// States and species, in the order of the text.
    pub states: Vec<State>,
    /// Definitions and fluxes, in the order of the text.
    pub definitions: Vec<Definition>,
    /// Reactions, loops unrolled.
    pub reactions: Vec<Reaction>,
    /// What must hold along every run.
    pub assertions: Vec<Assertion>,
    /// Named sets of values.
    pub conditions: Vec<Condition>,
    /// `when`, `at` and `every`, in the order of the text, those within conditions included.
    pub events: Vec<Event>,
    /// Doses, in the order of the text, those within conditions and events included.
    pub doses: Vec<Dose>,
    /// Forcing from tables.
    pub inputs: Vec<Input>,
    /// Algebraic equations; there are as many numbers in them as in the algebraic states.
    pub constraints: Vec<Constraint>,
    /// Delayed states that expressions name.
    pub delays: Vec<Delay>,
    /// Brownian motions, in the order of the text.
    pub wieners: Vec<Wiener>,
    /// Quantities whose values come with the data, in the order of the text.
    pub covariates: Vec<Covariate>,
    /// How data scatter about the model, in the order of the text.
    pub observations: Vec<Observation>,
    /// `noise intrinsic`: reactions carry their own noise.
    pub intrinsic: Option<Intrinsic>,
    /// The warnings that the text allows.
    pub allowances: Vec<Allowance>,
    /// The sentences of the file, in order, still as written.
    pub sentences: Vec<tree::Statement>,
    /// Parameters and initial values, each after those that its value needs.
    pub value_order: Vec<ValueOf>,
    /// Definitions, each after those that it uses.
    pub definition_order: Vec<DefinitionId>,
}

/// The independent variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Time {
    /// `t`; `n` for a map.
    pub symbol: SymbolId,
    /// Its unit.
    pub unit: Option<Unit>,
    /// Where the model starts; a whole number for a map.
    pub start: f64,
}

/// A quantity with an expression for its value, in the order in which values can be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueOf {
    /// A parameter's value.
    Parameter(ParameterId),
    /// A state's initial value.
    State(StateId),
    /// A definition.
    Definition(DefinitionId),
}

/// A parameter, or a compartment's volume.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// As declared.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Doc comment.
    pub doc: Option<String>,
    /// Its symbol.
    pub symbol: SymbolId,
    /// The index sets of a vector or matrix.
    pub indices: Vec<IndexSetId>,
    /// Unit as declared.
    pub unit: Option<Unit>,
    /// An expression of other parameters, of the parameter's shape.
    pub value: Expr,
    /// The explored range.
    pub bounds: Option<Bounds>,
    /// The prior distribution.
    pub prior: Option<Distribution>,
    /// Which entries of a vector or matrix are there, column by column; all where there is no
    /// mask. The others are never fitted.
    pub mask: Option<Arc<[bool]>>,
    /// What the size of its entries costs in a fit.
    pub penalties: Vec<Penalty>,
    /// True for a compartment.
    pub is_compartment: bool,
    /// True for a covariate, whose value comes with the data; it is NaN where none is declared.
    pub is_covariate: bool,
}

/// What the size of entries costs in a fit: it is added to the negative log-likelihood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalty {
    /// Of what size.
    pub norm: Norm,
    /// How much.
    pub weight: Weight,
    /// Entries on the diagonal cost nothing.
    pub off_diagonal: bool,
    /// Each entry's weight is divided by its size in a fit without the penalty.
    pub is_adaptive: bool,
    /// Of K in G K P, on each side on its own.
    pub is_two_sided: bool,
    /// Where it stands.
    pub span: Span,
}

/// How entries are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// `l1`: the sum of sizes, which makes entries zero.
    Absolute,
    /// `l2`: the sum of squares.
    Square,
}

/// The weight of a penalty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weight {
    /// A number.
    Given(f64),
    /// `auto`: the one under which data that were held out are the likeliest.
    HeldOut,
}

/// A range that a parameter or state may lie in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Low end; minus infinity when open.
    pub low: f64,
    /// High end; infinity when open.
    pub high: f64,
    /// Explored on a logarithmic scale.
    pub logarithmic: bool,
    /// Where it stands.
    pub span: Span,
}

/// A state or a species.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// As declared; `theta'` for the velocity of a second-order state.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Where the equation that governs it stands; a species has none.
    pub equation: Option<Span>,
    /// Doc comment.
    pub doc: Option<String>,
    /// Its symbol.
    pub symbol: SymbolId,
    /// The index sets of a vector.
    pub indices: Vec<IndexSetId>,
    /// Unit as declared.
    pub unit: Option<Unit>,
    /// The value at the start; may refer to parameters and to other initial values.
    pub initial: Expr,
    /// The time derivative, of the state's shape, with definitions and white noise as names; for a
    /// map the new value.
    pub drift: Expr,
    /// Absolute tolerance declared for it.
    pub absolute_tolerance: Option<f64>,
    /// Bounds as declared.
    pub bounds: Option<Bounds>,
    /// A species' compartment; `None` for a state or a species given as the quantity itself.
    pub compartment: Option<ParameterId>,
    /// Governed by reactions.
    pub is_species: bool,
    /// Governed by constraints alone; its drift is then zero.
    pub is_algebraic: bool,
    /// `history x = ...`: its value before the start, an expression of `t` and parameters; the
    /// initial value when absent.
    pub history: Option<Expr>,
}

/// A `let`, a flux, or the derivative or new value of a state used as a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// As declared.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Doc comment.
    pub doc: Option<String>,
    /// Its symbol.
    pub symbol: SymbolId,
    /// Unit as declared.
    pub unit: Option<Unit>,
    /// What it stands for.
    pub value: Expr,
    /// Which kind of name it is.
    pub kind: DefinitionKind,
}

/// Where a definition comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefinitionKind {
    /// Written with `let`.
    Let,
    /// The flux of a named reaction.
    Flux,
    /// `x'` used in an expression.
    Derivative,
    /// `next x` used in an expression.
    Next,
}

/// One reaction between single species (loops are unrolled).
#[derive(Debug, Clone, PartialEq)]
pub struct Reaction {
    /// The name before the colon.
    pub name: Option<String>,
    /// Where it stands.
    pub span: Span,
    /// Species used up, with coefficients.
    pub reactants: Vec<Participant>,
    /// Species made, with coefficients.
    pub products: Vec<Participant>,
    /// `<->`
    pub reversible: bool,
    /// Amount per time, net.
    pub flux: Expr,
    /// The flux of each way with its sign: one for a one-way reaction and for a free law, two for
    /// a reversible reaction of mass action.
    pub ways: Vec<(f64, Expr)>,
    /// The constant of each way of mass action; empty for a free law.
    pub constants: Vec<Expr>,
    /// True when the flux follows from mass action.
    pub mass_action: bool,
}

/// A species of a reaction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Participant {
    /// The species.
    pub species: StateId,
    /// Which element of a vector of species; 0 for a single one.
    pub element: u32,
    /// The stoichiometric coefficient, positive.
    pub coefficient: f64,
}

/// `assert total < 1e6`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assertion {
    /// A condition: 1 where it holds.
    pub condition: Expr,
    /// Where it stands.
    pub span: Span,
}

/// A named set of values that replace the declared ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// What it sets.
    pub settings: Vec<Setting>,
    /// `no doses`: the doses of the model itself do not hold.
    pub clears_doses: bool,
}

/// One value set by a condition or by `with`.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// What is set.
    pub target: Target,
    /// Which element; the whole when absent.
    pub element: Option<u32>,
    /// To what: an expression of parameters.
    pub value: Expr,
    /// Where it stands.
    pub span: Span,
}

/// What can be given a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// A parameter or volume.
    Parameter(ParameterId),
    /// A state's value at the start.
    State(StateId),
}

impl Model {
    /// An expression of this model's pool, or of one that continues it, as text.
    #[must_use]
    pub fn print(&self, pool: &Pool, expr: Expr, notation: Notation) -> String {
        symbolic::print(pool, expr, notation, &ElementNames::new(self, notation))
    }

    /// A block of a Jacobian as text.
    #[must_use]
    pub fn print_operator(&self, pool: &Pool, operator: &Operator, notation: Notation) -> String {
        symbolic::print_operator(pool, operator, notation, &ElementNames::new(self, notation))
    }

    /// How many elements a quantity with these index sets has; 1 without any.
    #[must_use]
    pub fn count_of(&self, indices: &[IndexSetId]) -> usize {
        let sizes = indices.iter().map(|id| self.names.index_set(*id).len());
        sizes.product()
    }

    /// The printed name of one element: `y[GATA1]`, or the plain name of a scalar.
    #[must_use]
    pub fn element_name(&self, name: &str, indices: &[IndexSetId], element: usize) -> String {
        if indices.is_empty() {
            return name.to_owned();
        }
        let mut rest = element;
        let mut parts = Vec::with_capacity(indices.len());
        for id in indices {
            let set = self.names.index_set(*id);
            parts.push(set.label(rest % set.len().max(1)));
            rest /= set.len().max(1);
        }
        format!("{name}[{}]", parts.join(", "))
    }
}

/// Elements go by the members of their index sets: `y[GATA1]`.
struct ElementNames<'m> {
    model: &'m Model,
    /// States carry the number of their step: x_n.
    steps: bool,
}

impl<'m> ElementNames<'m> {
    fn new(model: &'m Model, notation: Notation) -> ElementNames<'m> {
        ElementNames {
            model,
            steps: model.motion == Motion::Map && notation == Notation::Latex,
        }
    }
}

impl symbolic::Names for ElementNames<'_> {
    fn symbol(&self, symbol: SymbolId) -> Option<String> {
        let is_state = self.steps && self.model.states.iter().any(|state| state.symbol == symbol);
        is_state.then(|| format!("now {}", self.model.pool.symbol_data(symbol).name))
    }

    fn element(&self, symbol: SymbolId, offset: usize) -> Option<String> {
        let name = &self.model.pool.symbol_data(symbol).name;
        let indices = self.model.names.indices(name);
        if indices.is_empty() {
            return None;
        }
        let label = self.model.element_name("", indices, offset);
        Some(label.trim_matches(['[', ']']).to_owned())
    }
}
