//! First pass: every declaration gets its id and its name; nothing is looked up yet.

use super::allowances::{self, Allowance};
use super::delays::History;
use super::elaborate::Declared;
use super::maps;
use super::names::{Entity, Function, IndexSet, Names};
use super::noise::DraftWiener;
use super::observations::DraftObservation;
use super::{
    ConditionId, Covariate, DefinitionId, DefinitionKind, Delay, IndexSetId, Input, Motion,
    ParameterId, StateId, Time, Unit,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::symbolic::{Builtin, Pool, Shape, SymbolId};
use crate::syntax::tree::{self, DeclareKind, StatementKind};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// A model on its way: the tree sorted by what it declares.
pub(super) struct Draft<'t> {
    pub names: Names,
    pub pool: Pool,
    pub diagnostics: Vec<Diagnostic>,
    /// Problems that are not said again: their like has been reported.
    pub silent_faults: usize,
    pub model_name: Option<&'t tree::Name>,
    pub motion: Motion,
    pub time: Time,
    pub time_declared: Option<Span>,
    pub time_from: Option<&'t tree::Expr>,
    pub parameters: Vec<DraftItem<'t>>,
    pub states: Vec<DraftItem<'t>>,
    pub definitions: Vec<DraftDefinition<'t>>,
    pub index_sets: Vec<(&'t tree::Name, &'t tree::IndexSet)>,
    pub conditions: Vec<&'t tree::Name>,
    pub inputs: Vec<Input>,
    pub wieners: Vec<DraftWiener<'t>>,
    pub covariates: Vec<Covariate>,
    pub observations: Vec<DraftObservation<'t>>,
    /// `noise intrinsic (size = Omega)`: the statement, its kind and what stands in parentheses.
    pub intrinsic: Option<(Span, &'t tree::Name, &'t [tree::Binding])>,
    /// Equations, reactions, assertions, events, doses, conditions and loops, in order.
    pub rules: Vec<&'t tree::Statement>,
    pub sentences: Vec<&'t tree::Statement>,
    pub allowances: Vec<Allowance>,
    /// States whose equations went with a statement at fault, which has been reported.
    pub abandoned: FxHashSet<StateId>,
    /// The model has constraints, `0 = ...`.
    pub has_constraint: bool,
    /// States that constraints govern.
    pub algebraic: FxHashSet<StateId>,
    /// Delayed values that expressions have named so far.
    pub delays: Vec<Delay>,
    /// What states were before the start.
    pub histories: FxHashMap<StateId, History>,
    /// Stands for the amount of a row of a dose table.
    pub amount: Option<SymbolId>,
}

/// A declared parameter, compartment, state or species.
pub(super) struct DraftItem<'t> {
    /// Primes included.
    pub name: String,
    pub item: &'t tree::Declaration,
    pub kind: DeclareKind,
    pub doc: Option<&'t String>,
    /// Of a parameter: which entries are there, once its clause has been read.
    pub mask: Option<Arc<[bool]>>,
}

/// A `let`, a flux or a derivative.
pub(super) struct DraftDefinition<'t> {
    pub name: String,
    pub span: Span,
    pub doc: Option<&'t String>,
    pub unit: Option<&'t tree::Unit>,
    pub kind: DefinitionKind,
    /// The value of a `let`.
    pub value: Option<&'t tree::Expr>,
    /// The index sets written after the name of a `let`.
    pub indices: &'t [tree::Expr],
    /// The state of a derivative.
    pub state: Option<StateId>,
}

impl<'t> Draft<'t> {
    pub fn collect(file: &'t tree::File) -> Draft<'t> {
        let mut pool = Pool::new();
        let map_at = maps::first_next(&file.statements);
        let motion = match map_at {
            Some(_) => Motion::Map,
            None => Motion::Flow,
        };
        let symbol = pool.new_symbol(motion.variable(), Shape::Scalar);
        let mut draft = Draft {
            names: Names::default(),
            pool,
            diagnostics: Vec::new(),
            silent_faults: 0,
            model_name: None,
            motion,
            time: Time {
                symbol,
                unit: None,
                start: 0.0,
            },
            time_declared: None,
            time_from: None,
            parameters: Vec::new(),
            states: Vec::new(),
            definitions: Vec::new(),
            index_sets: Vec::new(),
            conditions: Vec::new(),
            inputs: Vec::new(),
            wieners: Vec::new(),
            covariates: Vec::new(),
            observations: Vec::new(),
            intrinsic: None,
            rules: Vec::new(),
            sentences: Vec::new(),
            allowances: Vec::new(),
            abandoned: FxHashSet::default(),
            has_constraint: false,
            algebraic: FxHashSet::default(),
            delays: Vec::new(),
            histories: FxHashMap::default(),
            amount: None,
        };
        draft.names.declare_time(symbol, map_at);
        for statement in &file.statements {
            draft.statement(statement);
        }
        draft
    }

    fn statement(&mut self, statement: &'t tree::Statement) {
        let span = statement.span;
        let doc = statement.doc.as_ref();
        if self.foreign_to_maps(statement) {
            return;
        }
        match &statement.kind {
            // Own units have names of their own: their checks read them.
            StatementKind::Version(_) | StatementKind::Unit(_) => {}
            StatementKind::Model(name) => {
                if let Some(earlier) = self.model_name {
                    self.second_of_its_kind("name of the model", name.span, earlier.span);
                }
                self.model_name = Some(name);
            }
            StatementKind::Time { unit, from } => {
                if let Some(earlier) = self.time_declared {
                    self.second_of_its_kind("declaration of the time", span, earlier);
                }
                self.time_declared = Some(span);
                self.time.unit = unit.as_ref().map(Unit::from);
                self.time_from = from.as_ref();
            }
            StatementKind::Declare { kind, items } => {
                for item in items {
                    self.declared(*kind, item, doc);
                }
            }
            StatementKind::Let { name, unit, value } => self.definition(DraftDefinition {
                name: name.name.text.clone(),
                span: name.name.span,
                doc,
                unit: unit.as_ref(),
                kind: DefinitionKind::Let,
                value: Some(value),
                indices: &name.indices,
                state: None,
            }),
            StatementKind::Function {
                name,
                parameters,
                body,
            } => self.function(name, parameters, body, doc),
            StatementKind::Index { name, set } => {
                let id = IndexSetId::new(self.index_sets.len());
                self.index_sets.push((name, set));
                // Empty for now, and for good when its declaration turns out to be at fault.
                self.names.set_index_set(id, IndexSet::empty(&name.text));
                self.declare(name, Entity::IndexSet(id));
            }
            StatementKind::Condition { name, .. } => {
                let id = ConditionId::new(self.conditions.len());
                self.conditions.push(name);
                if self.declare(name, Entity::Condition(id)) {
                    self.rules.push(statement);
                }
            }
            StatementKind::Input {
                name,
                unit,
                options,
            } => self.input(name, unit.as_ref(), options, doc, span),
            StatementKind::Wiener { calculus, names } => self.wiener(*calculus, names, doc),
            StatementKind::Covariate { items, options } => {
                self.covariates(items, options, doc);
            }
            StatementKind::Observe {
                name,
                unit,
                distribution,
            } => self.observation(DraftObservation {
                name,
                unit: unit.as_ref(),
                distribution,
                doc,
            }),
            StatementKind::Noise { kind, bindings } => {
                if let Some((earlier, ..)) = self.intrinsic {
                    self.second_of_its_kind("declaration of the reactions' noise", span, earlier);
                }
                self.intrinsic = Some((span, kind, bindings));
            }
            StatementKind::Reaction(reaction) => {
                if let Some(name) = &reaction.name
                    && name.indices.is_empty()
                {
                    self.named_flux(&name.name, doc);
                }
                self.rules.push(statement);
            }
            StatementKind::Equation { .. }
            | StatementKind::Assert(_)
            | StatementKind::When { .. }
            | StatementKind::At { .. }
            | StatementKind::Every { .. }
            | StatementKind::Dose { .. }
            | StatementKind::For { .. } => {
                self.rules.push(statement);
            }
            StatementKind::Allow { codes, of } => {
                let (allowances, problems) = allowances::read(codes, of);
                self.allowances.extend(allowances);
                self.diagnostics.extend(problems);
            }
            StatementKind::Sentence(_)
            | StatementKind::Assign { .. }
            | StatementKind::Expression(_) => self.sentences.push(statement),
            other => self.refuse(other, span),
        }
    }

    /// What the language has and later versions model. Its names are remembered, so that their
    /// uses are not reported as well.
    fn refuse(&mut self, kind: &'t StatementKind, span: Span) {
        let what = match kind {
            // What can be used is in its place already; this one could not, which has been said.
            StatementKind::Use { instance, .. } => {
                match instance {
                    Some(instance) => self.names.refuse(&instance.text),
                    None => self.names.refuse_any(),
                }
                return;
            }
            StatementKind::NoDoses => {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::ForeignClause,
                        "`no doses` belongs into the block of a condition",
                    )
                    .at(span, "outside of conditions")
                    .help("as in `condition untreated { no doses }`"),
                );
                return;
            }
            _ => "this declaration",
        };
        self.diagnostics.push(not_modelled(what).at(span, ""));
    }

    fn second_of_its_kind(&mut self, what: &str, span: Span, earlier: Span) {
        self.diagnostics.push(
            Diagnostic::new(Code::Duplicate, format!("a second {what}"))
                .at(span, "again here")
                .at(earlier, "the first one")
                .help("remove one of them"),
        );
    }

    pub(super) fn declare(&mut self, name: &tree::Name, entity: Entity) -> bool {
        match self.names.declare(name, entity) {
            Ok(()) => true,
            Err(diagnostic) => {
                self.names.dispute(&name.text);
                self.diagnostics.push(diagnostic);
                false
            }
        }
    }

    pub(super) fn declared(
        &mut self,
        kind: DeclareKind,
        item: &'t tree::Declaration,
        doc: Option<&'t String>,
    ) {
        let name = tree::Name {
            text: format!("{}{}", item.name.name.text, "'".repeat(item.primes.into())),
            span: item.name.name.span,
        };
        let draft = DraftItem {
            name: name.text.clone(),
            item,
            kind,
            doc,
            mask: None,
        };
        match kind {
            DeclareKind::Parameter | DeclareKind::Compartment | DeclareKind::Covariate => {
                let id = ParameterId::new(self.parameters.len());
                self.parameters.push(draft);
                self.names.parameters.push(Declared::default());
                if self.declare(&name, Entity::Parameter(id)) {
                    match kind {
                        DeclareKind::Compartment => self.names.call_it(&name.text, "a compartment"),
                        DeclareKind::Covariate => self.names.call_it(&name.text, "a covariate"),
                        _ => {}
                    }
                }
            }
            DeclareKind::State | DeclareKind::Species => {
                let id = StateId::new(self.states.len());
                self.states.push(draft);
                self.names.states.push(Declared::default());
                if self.declare(&name, Entity::State(id)) && kind == DeclareKind::Species {
                    self.names.call_it(&name.text, "a species");
                }
            }
        }
        self.declaration_foreign_to_maps(kind, item, &name.text);
        if item.primes > 0 && kind != DeclareKind::State {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::ForeignClause,
                    format!("`{}` cannot be declared with a prime", item.name.name.text),
                )
                .at(item.span, "")
                .help("only states have derivatives with initial values of their own"),
            );
        }
    }

    pub fn definition(&mut self, definition: DraftDefinition<'t>) {
        let id = DefinitionId::new(self.definitions.len());
        let name = tree::Name {
            text: definition.name.clone(),
            span: definition.span,
        };
        let mut declared = Declared::default();
        let word = match definition.kind {
            DefinitionKind::Let => "a definition",
            DefinitionKind::Flux => "a reaction",
            DefinitionKind::Derivative => "a derivative",
            DefinitionKind::Next => "a new value",
        };
        if definition.kind == DefinitionKind::Flux {
            declared.symbol = Some(self.pool.new_symbol(&name.text, Shape::Scalar));
        }
        self.definitions.push(definition);
        self.names.definitions.push(declared);
        if self.declare(&name, Entity::Definition(id)) {
            self.names.call_it(&name.text, word);
        }
    }

    fn named_flux(&mut self, name: &'t tree::Name, doc: Option<&'t String>) {
        self.definition(DraftDefinition {
            name: name.text.clone(),
            span: name.span,
            doc,
            unit: None,
            kind: DefinitionKind::Flux,
            value: None,
            indices: &[],
            state: None,
        });
    }

    /// The flux of one round of a loop; its name is looked up by base name and index.
    pub fn add_flux(&mut self, name: &str, span: Span) -> DefinitionId {
        let id = DefinitionId::new(self.definitions.len());
        self.definitions.push(DraftDefinition {
            name: name.to_owned(),
            span,
            doc: None,
            unit: None,
            kind: DefinitionKind::Flux,
            value: None,
            indices: &[],
            state: None,
        });
        let symbol = self.pool.new_symbol(name, Shape::Scalar);
        self.names.definitions.push(Declared {
            symbol: Some(symbol),
            ..Declared::default()
        });
        self.names.mark_varying(id);
        id
    }

    fn function(
        &mut self,
        name: &'t tree::Name,
        parameters: &'t [tree::Name],
        body: &'t tree::Expr,
        doc: Option<&'t String>,
    ) {
        let mut seen = FxHashSet::default();
        for parameter in parameters {
            if !seen.insert(&parameter.text) {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::Duplicate,
                        format!(
                            "`{}` is a parameter of `{}` twice",
                            parameter.text, name.text
                        ),
                    )
                    .at(parameter.span, "again here")
                    .help("give each parameter a name of its own"),
                );
            }
        }
        if Builtin::find(&name.text).is_some() {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::Duplicate,
                    format!("`{}` is a built-in function", name.text),
                )
                .at(name.span, "cannot be defined again")
                .help("give your function another name"),
            );
        }
        let id = self.names.add_function(Function {
            name: name.clone(),
            parameters: parameters.to_vec(),
            body: body.clone(),
            doc: doc.cloned(),
        });
        self.declare(name, Entity::Function(id));
    }
}

/// An error for what later versions model.
pub(super) fn not_modelled(what: &str) -> Diagnostic {
    Diagnostic::new(
        Code::NotModelled,
        format!("this version of Lotka does not model {what}"),
    )
    .help("it is part of the language, for later versions; remove it to use the rest of the model")
}
