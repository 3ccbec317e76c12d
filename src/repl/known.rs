//! The words that mean something now: those of the language and those of the loaded model.
//!
//! Enters: a model. Leaves: sorted lists, made once for each model, so that looking up a beginning
//! stays fast for thousands of names.

use crate::model::Entity;
use crate::session::Compiled;
use crate::symbolic::Builtin;
use crate::syntax::written_name;
use std::sync::Arc;

/// What a name of the model may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A parameter or state: it can be set.
    Quantity,
    /// A definition or flux: it can be read.
    Definition,
    /// It is called.
    Function,
    /// It chooses values.
    Condition,
    /// An index set, a data column: it stands in brackets only.
    Other,
}

/// The names of a model.
#[derive(Default)]
pub(super) struct Known {
    model: Option<Arc<Compiled>>,
    /// As written in a text, in order.
    names: Vec<(String, Role)>,
}

impl Known {
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
        self.names = model.map_or_else(Vec::new, |model| names_of(model));
        self.model = model.cloned();
    }

    /// True while no model is loaded.
    pub fn is_empty(&self) -> bool {
        self.model.is_none()
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
    pub fn role(&self, word: &str) -> Option<Role> {
        let at = self
            .names
            .binary_search_by(|(name, _)| name.as_str().cmp(word))
            .ok()?;
        self.names.get(at).map(|(_, role)| *role)
    }

    /// The members of the index set at a place in the brackets of a name.
    pub fn members(&self, name: &str, place: usize) -> Vec<String> {
        let Some(model) = &self.model else {
            return Vec::new();
        };
        let names = &model.model.names;
        let name = name.trim_matches('`');
        let Some(set) = names.indices(name).get(place) else {
            return Vec::new();
        };
        let set = names.index_set(*set);
        (0..set.len()).map(|at| set.label(at)).collect()
    }
}

fn names_of(compiled: &Compiled) -> Vec<(String, Role)> {
    let mut names: Vec<(String, Role)> = compiled
        .model
        .names
        .iter()
        .map(|(name, entity)| {
            let role = match entity {
                Entity::Parameter(_) | Entity::State(_) => Role::Quantity,
                Entity::Function(_) => Role::Function,
                Entity::Condition(_) => Role::Condition,
                Entity::IndexSet(_) => Role::Other,
                _ => Role::Definition,
            };
            (written_name(name), role)
        })
        .collect();
    names.extend(Builtin::all().map(|function| (function.name.to_owned(), Role::Function)));
    names.sort_unstable_by(|left, right| left.0.cmp(&right.0));
    names.dedup_by(|left, right| left.0 == right.0);
    names
}
