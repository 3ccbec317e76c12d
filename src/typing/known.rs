//! The words that mean something now: those of the language and those of a model.
//!
//! Enters: a model, or the tree of a text that may still be at fault. Leaves: sorted lists, made
//! once for each, so that looking up a beginning stays fast for thousands of names.

use crate::model::{DeclaredName, Entity, IndexSet, Members, Model, NameKind, declared_names};
use crate::session::Compiled;
use crate::source::SourceId;
use crate::symbolic::Builtin;
use crate::syntax::{tree, written_name};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What a name may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A parameter or state: it can be set.
    Quantity,
    /// A definition or flux: it can be read.
    Definition,
    /// It is called.
    Function,
    /// It chooses values.
    Condition,
    /// An index set: it stands in brackets and in loops.
    IndexSet,
    /// A Brownian motion: it stands with a prime.
    Noise,
}

/// The names of a model.
#[derive(Default)]
pub struct Known {
    model: Option<Arc<Compiled>>,
    is_filled: bool,
    /// As written in a text, in order.
    names: Vec<(String, Role)>,
    /// The index sets of each indexed name, by their own names.
    indices: FxHashMap<String, Vec<String>>,
    sets: FxHashMap<String, IndexSet>,
}

impl Known {
    /// The names that the tree of the text `own` declares, and those that an earlier model of the same
    /// text had from elsewhere.
    #[must_use]
    pub fn of_text(file: &tree::File, own: SourceId, earlier: Option<&Compiled>) -> Known {
        let mut known = Known {
            is_filled: true,
            ..Known::default()
        };
        if let Some(earlier) = earlier {
            known.take_sets(&earlier.model);
            known.take_used(&earlier.model, own);
        }
        for declared in declared_names(file) {
            known.take(&declared);
        }
        known.take_builtins();
        known.in_order();
        known
    }

    /// Names that a model has from used files: those with a place in another text.
    fn take_used(&mut self, model: &Model, own: SourceId) {
        for (name, entity) in model.names.iter() {
            let place = model.names.declared_at(name);
            // The time and what is derived have no place at all.
            let is_used = place.is_some_and(|span| span.source != own && span.source != NOWHERE);
            if is_used {
                self.names.push((written_name(name), role_of(entity)));
            }
        }
    }

    /// Takes up the names of a model, unless they are known already.
    pub fn update(&mut self, model: Option<&Arc<Compiled>>) {
        let is_same = match (&self.model, model) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (None, None) => true,
            _ => false,
        };
        if is_same {
            return;
        }
        *self = Known {
            model: model.cloned(),
            is_filled: model.is_some(),
            ..Known::default()
        };
        if let Some(compiled) = model {
            self.take_model(&compiled.model);
            self.take_builtins();
            self.in_order();
        }
    }

    fn take_model(&mut self, model: &Model) {
        for (name, entity) in model.names.iter() {
            self.names.push((written_name(name), role_of(entity)));
        }
        self.take_sets(model);
    }

    fn take_sets(&mut self, model: &Model) {
        for (name, _) in model.names.iter() {
            let sets = model.names.indices(name).iter();
            let sets: Vec<String> = sets
                .map(|id| model.names.index_set(*id))
                .inspect(|set| {
                    if !self.sets.contains_key(&set.name) {
                        self.sets.insert(set.name.clone(), (*set).clone());
                    }
                })
                .map(|set| set.name.clone())
                .collect();
            if !sets.is_empty() {
                self.indices.insert(name.to_owned(), sets);
            }
        }
    }

    fn take(&mut self, declared: &DeclaredName<'_>) {
        let name = &declared.name.text;
        let role = match declared.kind {
            NameKind::Parameter
            | NameKind::State
            | NameKind::Species
            | NameKind::Compartment
            | NameKind::Covariate => Role::Quantity,
            NameKind::Function => Role::Function,
            NameKind::Condition => Role::Condition,
            NameKind::IndexSet => Role::IndexSet,
            NameKind::Wiener => Role::Noise,
            NameKind::Definition
            | NameKind::Input
            | NameKind::Flux
            | NameKind::Observation
            | NameKind::Instance => Role::Definition,
        };
        self.names.push((written_name(name), role));
        if !declared.labels.is_empty() {
            let labels = declared.labels.iter();
            let set = IndexSet {
                name: name.clone(),
                members: Members::Labels(labels.map(|label| label.text.clone()).collect()),
            };
            self.sets.insert(name.clone(), set);
        }
        let indices = declared.indices.iter();
        let indices: Vec<String> = indices
            .filter_map(|index| match &index.kind {
                tree::ExprKind::Reference(set) => Some(set.name.text.clone()),
                _ => None,
            })
            .collect();
        if !indices.is_empty() {
            self.indices.insert(name.clone(), indices);
        }
    }

    fn take_builtins(&mut self) {
        let functions = Builtin::all();
        self.names
            .extend(functions.map(|function| (function.name.to_owned(), Role::Function)));
    }

    fn in_order(&mut self) {
        self.names.sort_by(|left, right| left.0.cmp(&right.0));
        self.names.dedup_by(|left, right| left.0 == right.0);
    }

    /// True while no model is loaded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.is_filled
    }

    /// The names that begin so and have one of these roles.
    pub fn beginning<'k>(
        &'k self,
        word: &'k str,
        roles: &'k [Role],
    ) -> impl Iterator<Item = (&'k str, Role)> {
        let from = self.names.partition_point(|(name, _)| name.as_str() < word);
        self.names
            .iter()
            .skip(from)
            .take_while(move |(name, _)| name.starts_with(word))
            .filter(move |(_, role)| roles.contains(role))
            .map(|(name, role)| (name.as_str(), *role))
    }

    /// What a word of the text is.
    #[must_use]
    pub fn role(&self, word: &str) -> Option<Role> {
        let at = self
            .names
            .binary_search_by(|(name, _)| name.as_str().cmp(word))
            .ok()?;
        self.names.get(at).map(|(_, role)| *role)
    }

    /// The members of the index set at a place in the brackets of a name, as written.
    pub fn members(&self, name: &str, place: usize) -> impl Iterator<Item = String> {
        let sets = self.indices.get(name.trim_matches('`'));
        let set = sets
            .and_then(|sets| sets.get(place))
            .and_then(|set| self.sets.get(set));
        set.into_iter()
            .flat_map(|set| (0..set.len()).map(move |at| set.label(at)))
    }
}

/// What the model's own time is said to stand in.
const NOWHERE: SourceId = SourceId(u32::MAX);

fn role_of(entity: Entity) -> Role {
    match entity {
        Entity::Parameter(_) | Entity::State(_) => Role::Quantity,
        Entity::Function(_) => Role::Function,
        Entity::Condition(_) => Role::Condition,
        Entity::IndexSet(_) => Role::IndexSet,
        _ => Role::Definition,
    }
}
