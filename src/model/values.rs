//! Second pass: index sets, parameters, definitions and initial values, each after what it needs.

use super::collect::{Draft, not_modelled};
use super::delays::Delays;
use super::dependencies;
use super::elaborate::{Declared, Elaborator, Quantity, Scope};
use super::names::{Entity, IndexSet, Members};
use super::walk;
use super::{Bounds, DefinitionId, IndexSetId, Motion, ParameterId, StateId, ValueOf};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::source::Span;
use crate::symbolic::{Expr, Shape};
use crate::syntax::tree::{self, DeclareKind, ExprKind};
use rustc_hash::{FxHashMap, FxHashSet};

/// The largest index set; beyond it a slip of the keyboard is likelier than a model.
const LARGEST_INDEX_SET: i64 = 10_000_000;

/// The largest vector or matrix: its numbers fit into a common computer's memory.
const LARGEST_QUANTITY: usize = 100_000_000;

/// Values by id; a missing one has been reported.
#[derive(Default)]
pub(super) struct Values {
    pub parameters: FxHashMap<ParameterId, Expr>,
    pub states: FxHashMap<StateId, Expr>,
    pub definitions: FxHashMap<DefinitionId, Expr>,
    pub order: Vec<ValueOf>,
}

impl<'t> Draft<'t> {
    /// Runs `work` with an elaborator over this draft's names and pool.
    pub fn with_elaborator<T>(&mut self, work: impl FnOnce(&mut Elaborator<'_>) -> T) -> T {
        let mut elaborator = Elaborator::new(&self.names, &mut self.pool, &mut self.diagnostics);
        elaborator.delays = Delays::Open(&mut self.delays);
        work(&mut elaborator)
    }

    /// Gives every quantity its symbol and value.
    pub fn elaborate_values(&mut self) -> Values {
        let mut values = Values::default();
        for entity in dependencies::order(self) {
            match entity {
                Entity::IndexSet(id) => self.index_set(id),
                Entity::Parameter(id) => {
                    if let Some(value) = self.parameter(id) {
                        values.parameters.insert(id, value);
                        values.order.push(ValueOf::Parameter(id));
                    }
                }
                Entity::State(id) => {
                    if let Some(value) = self.state(id) {
                        values.states.insert(id, value);
                        values.order.push(ValueOf::State(id));
                    }
                }
                Entity::Definition(id) => {
                    if let Some(value) = self.let_definition(id) {
                        values.definitions.insert(id, value);
                        values.order.push(ValueOf::Definition(id));
                    }
                }
                Entity::Noise(id) => self.white_noise(id),
                Entity::Time
                | Entity::Function(_)
                | Entity::Condition(_)
                | Entity::Input(_)
                | Entity::Wiener(_) => {}
            }
        }
        self.start_of_time();
        values
    }

    /// `time from 1900`; after the definitions, since the start may be one that is a number.
    fn start_of_time(&mut self) {
        let Some(from) = self.time_from else { return };
        let Some(start) = self.with_elaborator(|e| e.constant(&Scope::default(), from)) else {
            return;
        };
        if self.motion == Motion::Map && start.is_finite() && start.fract() != 0.0 {
            self.diagnostics.push(
                Diagnostic::new(Code::NotForMaps, "a map starts at a whole number of steps")
                    .at(from.span, format!("this is {}", number_text(start)))
                    .help("`n` counts the steps: `time from 1900` starts at n = 1900"),
            );
            return;
        }
        if start.is_finite() {
            self.time.start = start;
            return;
        }
        self.diagnostics.push(
            Diagnostic::new(Code::NotFinite, "the time cannot start there")
                .at(from.span, format!("this is {}", number_text(start))),
        );
    }

    fn index_set(&mut self, id: IndexSetId) {
        let (name, set) = self.index_sets[id.index()];
        let members = match set {
            tree::IndexSet::Labels(labels) => {
                let mut seen = FxHashSet::default();
                for label in labels {
                    if !seen.insert(&label.text) {
                        self.diagnostics.push(
                            Diagnostic::new(
                                Code::Duplicate,
                                format!("`{}` stands in `{}` twice", label.text, name.text),
                            )
                            .at(label.span, "again here")
                            .help("each member of an index set has a name of its own"),
                        );
                    }
                }
                Members::Labels(labels.iter().map(|label| label.text.clone()).collect())
            }
            tree::IndexSet::Range(range) => self.index_range(range),
            // The file could not be read, which has been reported.
            tree::IndexSet::Data(_) => Members::Labels(Vec::new()),
        };
        self.names.set_index_set(
            id,
            IndexSet {
                name: name.text.clone(),
                members,
            },
        );
    }

    fn index_range(&mut self, range: &tree::Expr) -> Members {
        let empty = Members::Numbers { first: 1, count: 0 };
        let Some((first, last)) = self.with_elaborator(|e| e.whole_range(&Scope::default(), range))
        else {
            return empty;
        };
        match usize::try_from(last - first + 1) {
            Ok(count) if count > 0 && last - first < LARGEST_INDEX_SET => {
                Members::Numbers { first, count }
            }
            _ => {
                self.diagnostics.push(
                    Diagnostic::new(Code::BadIndex, "this index set has no sensible size")
                        .at(range.span, format!("from {first} to {last}"))
                        .help(
                            "a range runs from a smaller to a larger whole number, ends included",
                        ),
                );
                empty
            }
        }
    }

    /// The shape that index sets after a name give it; `None` when one is at fault.
    pub(super) fn declared_shape(
        &mut self,
        indices: &[tree::Expr],
    ) -> Option<(Vec<IndexSetId>, Shape)> {
        let mut sets = Vec::with_capacity(indices.len());
        for index in indices {
            sets.push(self.declared_index(index)?);
        }
        let length = |set: &IndexSetId| self.names.index_set(*set).len();
        // An empty set has been reported where it is declared.
        if sets.iter().any(|set| length(set) == 0) {
            return None;
        }
        let size = sets
            .iter()
            .fold(1_usize, |size, set| size.saturating_mul(length(set)));
        if size > LARGEST_QUANTITY {
            let span = indices.first().map(|index| index.span)?;
            self.diagnostics.push(
                Diagnostic::new(Code::BadIndex, "too many elements")
                    .at(span, format!("this makes {size}"))
                    .help(format!(
                        "a vector or matrix has at most {LARGEST_QUANTITY} elements"
                    )),
            );
            return None;
        }
        let shape = match sets.as_slice() {
            [] => Shape::Scalar,
            [one] => Shape::Vector(length(one)),
            [row, column] => Shape::Matrix(length(row), length(column)),
            _ => {
                let span = indices.first().map(|index| index.span)?;
                self.diagnostics
                    .push(not_modelled("quantities with more than two indices").at(span, ""));
                return None;
            }
        };
        Some((sets, shape))
    }

    fn declared_index(&mut self, index: &tree::Expr) -> Option<IndexSetId> {
        if let ExprKind::Reference(reference) = &index.kind
            && reference.indices.is_empty()
        {
            if let Some(Entity::IndexSet(id)) = self.names.get(&reference.name.text) {
                return Some(id);
            }
            let text = &reference.name.text;
            let near = self
                .names
                .closest(text, |entity| matches!(entity, Entity::IndexSet(_)))
                .map(|known| format!("did you mean `{known}`?"));
            self.diagnostics.push(
                Diagnostic::new(
                    Code::UnknownIndexSet,
                    format!("`{text}` is not an index set"),
                )
                .at(reference.span, "")
                .help(near.unwrap_or_else(|| {
                    format!("declare it, as in `index {text} = 1..10` or `index {text} = {{a, b}}`")
                })),
            );
            return None;
        }
        self.diagnostics.push(
            Diagnostic::new(
                Code::UnknownIndexSet,
                "a declaration takes the name of an index set in its brackets",
            )
            .at(index.span, "")
            .help("declare the set first, as in `index cell = 1..50`"),
        );
        None
    }

    fn parameter(&mut self, id: ParameterId) -> Option<Expr> {
        let draft = &self.parameters[id.index()];
        let (item, name, kind) = (draft.item, draft.name.clone(), draft.kind);
        self.foreign_clauses(item, kind);
        let (sets, shape) = self.declared_shape(&item.name.indices)?;
        let mask = match &item.mask {
            Some(written) if kind == DeclareKind::Parameter => {
                self.with_elaborator(|e| e.mask(written, &sets))
            }
            _ => None,
        };
        // What comes with the data, and vectors and matrices that a fit is to find.
        let may_wait =
            kind == DeclareKind::Covariate || kind == DeclareKind::Parameter && !sets.is_empty();
        if may_wait && item.value.is_none() {
            let unknown = self.pool.constant(f64::NAN);
            let unknown = self.pool.fill(unknown, shape);
            let value = self.masked(unknown, mask.as_deref(), shape);
            self.parameters[id.index()].mask = mask.map(Into::into);
            self.names.parameters[id.index()] = Declared {
                symbol: Some(self.pool.new_symbol(&name, shape)),
                indices: sets,
                compartment: None,
            };
            return Some(value);
        }
        let Some(value) = &item.value else {
            self.diagnostics.push(
                Diagnostic::new(Code::NoInitialValue, format!("`{name}` has no value"))
                    .at(item.span, "")
                    .help(format!(
                        "give it one, as in `{} {name} = 1`",
                        if kind == DeclareKind::Compartment {
                            "compartment"
                        } else {
                            "param"
                        }
                    )),
            );
            self.names.parameters[id.index()] = Declared {
                symbol: Some(self.pool.new_symbol(&name, shape)),
                indices: sets,
                compartment: None,
            };
            return None;
        };
        let value_expr = self.value_of_shape(value, &sets, shape, mask.as_deref());
        self.parameters[id.index()].mask = mask.map(Into::into);
        // The symbol exists even when its value is at fault, so that its users stay quiet.
        let shape = value_expr.map_or(shape, |expr| self.pool.shape(expr));
        let symbol = self.pool.new_symbol(&name, shape);
        self.names.parameters[id.index()] = Declared {
            symbol: Some(symbol),
            indices: sets,
            compartment: None,
        };
        let value_expr = value_expr?;
        self.only_of_parameters(value, &name)?;
        Some(value_expr)
    }

    /// A value where a mask holds, and zero elsewhere.
    fn masked(&mut self, value: Expr, mask: Option<&[bool]>, shape: Shape) -> Expr {
        let Some(mask) = mask else { return value };
        let numbers: Vec<f64> = mask
            .iter()
            .map(|there| f64::from(u8::from(*there)))
            .collect();
        let mask = self.pool.array(&numbers, shape);
        let zero = self.pool.constant(0.0);
        self.pool.conditional(mask, value, zero).unwrap_or(value)
    }

    /// The value, spread over the declared shape when it is a single number, then zero where a mask
    /// does not hold. A whole matrix says itself what stands there.
    fn value_of_shape(
        &mut self,
        value: &tree::Expr,
        sets: &[IndexSetId],
        shape: Shape,
        mask: Option<&[bool]>,
    ) -> Option<Expr> {
        let expr = self.with_elaborator(|e| e.number_for(&Scope::default(), value, sets, shape))?;
        let found = self.pool.shape(expr);
        if sets.is_empty() || found == shape {
            return Some(expr);
        }
        if found == Shape::Scalar {
            let spread = self.pool.fill(expr, shape);
            return Some(self.masked(spread, mask, shape));
        }
        self.diagnostics.push(
            Diagnostic::new(
                Code::ShapeMismatch,
                "the value does not fit the declared shape",
            )
            .at(value.span, format!("this is {found}, {shape} is needed")),
        );
        None
    }

    /// A parameter is fixed during a run: its value may not follow states or time.
    fn only_of_parameters(&mut self, value: &tree::Expr, name: &str) -> Option<()> {
        let mut offender: Option<(String, &'static str)> = None;
        walk::each_name(value, &mut |used| match self.names.get(used) {
            Some(Entity::State(_) | Entity::Time | Entity::Input(_) | Entity::Noise(_)) => {
                offender.get_or_insert((used.to_owned(), self.names.describe(used)));
            }
            Some(Entity::Definition(id)) if self.names.varies(id) => {
                offender.get_or_insert((used.to_owned(), "a definition that changes"));
            }
            _ => {}
        });
        let Some((used, what)) = offender else {
            return Some(());
        };
        self.diagnostics.push(
            Diagnostic::new(
                Code::NotConstant,
                format!("the value of `{name}` must not change during a run"),
            )
            .at(value.span, format!("`{used}` is {what}"))
            .help(format!(
                "write `let {name} = ...` for something that follows it"
            )),
        );
        None
    }

    fn state(&mut self, id: StateId) -> Option<Expr> {
        let draft = &self.states[id.index()];
        let (item, name, kind) = (draft.item, draft.name.clone(), draft.kind);
        self.foreign_clauses(item, kind);
        let compartment = match &item.compartment {
            Some(compartment) => Some(self.compartment(compartment)?),
            None => None,
        };
        let (sets, shape) = self.declared_shape(&item.name.indices)?;
        let initial = match &item.value {
            Some(value) => self.value_of_shape(value, &sets, shape, None),
            // The constraints say what it is; this is where the search for it begins.
            None if self.algebraic.contains(&id) => {
                let guess = self.pool.constant(0.0);
                Some(self.pool.fill(guess, shape))
            }
            None => {
                let word = if kind == DeclareKind::State {
                    "state"
                } else {
                    "species"
                };
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::NoInitialValue,
                        format!("`{name}` has no initial value"),
                    )
                    .at(item.span, "")
                    .help(format!("give it one, as in `{word} {name} = 0`")),
                );
                None
            }
        };
        let shape = initial.map_or(shape, |expr| self.pool.shape(expr));
        if matches!(shape, Shape::Matrix(..)) {
            self.diagnostics
                .push(not_modelled("states with two indices").at(item.name.span, ""));
        }
        let symbol = self.pool.new_symbol(&name, shape);
        self.names.states[id.index()] = Declared {
            symbol: Some(symbol),
            indices: sets,
            compartment,
        };
        initial
    }

    fn compartment(&mut self, name: &tree::Name) -> Option<ParameterId> {
        let found = self.names.get(&name.text);
        if let Some(Entity::Parameter(id)) = found
            && self.parameters[id.index()].kind == DeclareKind::Compartment
        {
            return Some(id);
        }
        let compartments: Vec<&str> = self
            .parameters
            .iter()
            .filter(|draft| draft.kind == DeclareKind::Compartment)
            .map(|draft| draft.name.as_str())
            .collect();
        let help = crate::diagnostic::did_you_mean(&name.text, compartments)
            .unwrap_or_else(|| format!("declare it, as in `compartment {} = 1 [L]`", name.text));
        let (code, message) = match found {
            Some(_) => (
                Code::WrongKind,
                format!(
                    "`{}` is {}, not a compartment",
                    name.text,
                    self.names.describe(&name.text)
                ),
            ),
            None => (
                Code::UnknownName,
                format!("`{}` is not declared", name.text),
            ),
        };
        self.diagnostics.push(
            Diagnostic::new(code, message)
                .at(name.span, "not a compartment")
                .help(help),
        );
        None
    }

    fn let_definition(&mut self, id: DefinitionId) -> Option<Expr> {
        let definition = &self.definitions[id.index()];
        let (name, indices, value) = (
            definition.name.clone(),
            definition.indices,
            definition.value,
        );
        if let Some(state) = definition.state {
            let declared = &self.names.states[state.index()];
            let (symbol, indices) = (declared.symbol?, declared.indices.clone());
            let shape = self.pool.symbol_data(symbol).shape;
            let symbol = self.pool.new_symbol(&name, shape);
            self.names.definitions[id.index()] = Declared {
                symbol: Some(symbol),
                indices,
                compartment: None,
            };
            self.names.mark_varying(id);
            return None;
        }
        let Some(value) = value else {
            self.names.mark_varying(id);
            return None;
        };
        let (sets, shape) = self.declared_shape(indices)?;
        let quantity = if sets.is_empty() {
            self.with_elaborator(|e| e.expression(&Scope::default(), value))
        } else {
            self.value_of_shape(value, &sets, shape, None)
                .map(Quantity::number)
        }?;
        if quantity.is_condition {
            self.diagnostics.push(
                Diagnostic::new(Code::NotNumeric, "a definition stands for a number")
                    .at(value.span, "this is a condition")
                    .help("choose a value with `if ... then 1 else 0`"),
            );
            return None;
        }
        let shape = self.pool.shape(quantity.expr);
        let symbol = self.pool.new_symbol(&name, shape);
        self.names.definitions[id.index()] = Declared {
            symbol: Some(symbol),
            indices: sets,
            compartment: None,
        };
        if let Some(number) = self.names.constant_value(&self.pool, quantity.expr) {
            self.names.add_constant(symbol, number);
        }
        let mut varies = false;
        walk::each_name(value, &mut |used| match self.names.get(used) {
            Some(Entity::State(_) | Entity::Time | Entity::Input(_) | Entity::Noise(_)) => {
                varies = true;
            }
            Some(Entity::Definition(used)) => varies |= self.names.varies(used),
            _ => {}
        });
        if varies {
            self.names.mark_varying(id);
        }
        Some(quantity.expr)
    }

    /// Clauses that belong to other declarations.
    fn foreign_clauses(&mut self, item: &tree::Declaration, kind: DeclareKind) {
        use DeclareKind::{Parameter, Species, State};
        let word = match kind {
            Parameter => "a parameter",
            State => "a state",
            Species => "a species",
            DeclareKind::Compartment => "a compartment",
            DeclareKind::Covariate => "a covariate",
        };
        let fixed = !matches!(kind, State | Species);
        let mut foreign: Vec<(Span, &str, &str)> = Vec::new();
        if let Some(compartment) = &item.compartment
            && kind != Species
        {
            foreign.push((
                compartment.span,
                "a compartment",
                "only a `species` lies in a compartment",
            ));
        }
        if let Some(atol) = &item.atol
            && fixed
        {
            foreign.push((
                atol.span,
                "an absolute tolerance",
                "`atol` belongs to states and species",
            ));
        }
        if let Some(prior) = &item.prior
            && kind != Parameter
        {
            foreign.push((prior.span, "a prior", "only parameters have priors"));
        }
        for (clause, what) in [(&item.mask, "a mask"), (&item.penalty, "a penalty")] {
            if let Some(clause) = clause
                && kind != Parameter
            {
                foreign.push((clause.span, what, "only parameters have one"));
            }
        }
        for (span, what, help) in foreign {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::ForeignClause,
                    format!("{what} does not belong to {word}"),
                )
                .at(span, "")
                .help(help),
            );
        }
    }

    /// Bounds as numbers, checked against a value where it is a plain number.
    pub fn bounds(
        &mut self,
        item: &tree::Declaration,
        name: &str,
        value: Option<Expr>,
    ) -> Option<Bounds> {
        let written = item.bounds.as_ref()?;
        let ExprKind::Range { low, high } = &written.range.kind else {
            self.diagnostics.push(
                Diagnostic::new(Code::EmptyBounds, "bounds are a range")
                    .at(written.range.span, "")
                    .help("as in `in 0..10`"),
            );
            return None;
        };
        let mut end = |end: &Option<Box<tree::Expr>>, open: f64| match end {
            Some(expr) => self.with_elaborator(|e| e.constant(&Scope::default(), expr)),
            None => Some(open),
        };
        let low = end(low, f64::NEG_INFINITY)?;
        let high = end(high, f64::INFINITY)?;
        if low.partial_cmp(&high) != Some(std::cmp::Ordering::Less) {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::EmptyBounds,
                    format!("the bounds of `{name}` hold no range"),
                )
                .at(
                    written.range.span,
                    format!("from {} to {}", number_text(low), number_text(high)),
                )
                .help("the low end comes first"),
            );
            return None;
        }
        if let Some(log) = written.log
            && low <= 0.0
        {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::BadLogBounds,
                    format!("a logarithmic scale for `{name}` needs positive bounds"),
                )
                .at(
                    written.range.span,
                    if low.is_finite() {
                        format!("the low end is {}", number_text(low))
                    } else {
                        "the low end is open".to_owned()
                    },
                )
                .at(log, "")
                .help("raise the low end, as in `in 1e-4..10 log`"),
            );
        }
        if let Some(number) = value.and_then(|value| self.names.constant_value(&self.pool, value))
            && !(low <= number && number <= high)
        {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::OutOfBounds,
                    format!(
                        "the value {} of `{name}` lies outside its bounds",
                        number_text(number)
                    ),
                )
                .at(
                    item.value.as_ref().map_or(item.span, |value| value.span),
                    "this value",
                )
                .at(written.range.span, "these bounds"),
            );
        }
        Some(Bounds {
            low,
            high,
            logarithmic: written.log.is_some(),
            span: written.span,
        })
    }
}

impl Elaborator<'_> {
    /// Both ends of a range of whole numbers.
    pub fn whole_range(&mut self, scope: &Scope, range: &tree::Expr) -> Option<(i64, i64)> {
        let ExprKind::Range {
            low: Some(low),
            high: Some(high),
        } = &range.kind
        else {
            return self.report(
                Diagnostic::new(Code::BadIndex, "a range with two ends is needed here")
                    .at(range.span, "")
                    .help("as in `1..50`"),
            );
        };
        let low = self.whole_number(scope, low);
        let high = self.whole_number(scope, high);
        Some((low?, high?))
    }
}
