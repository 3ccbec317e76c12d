//! Unknown units and what equations say of them.
//!
//! Enters: pairs of terms that must be equal. Leaves: each unknown in terms of others, or how far two
//! known terms differ. One equation is solved after the other, as in Gaussian elimination: the first
//! unknown of it that can be is expressed by the rest. Must not know expressions.

use super::measure::{Measure, Registry, TemperatureScale};
use super::term::{Exponent, Term, Unknown};
use crate::source::Span;

/// What an unknown is the unit of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// A quantity with a name.
    Quantity,
    /// A number of the text that is added, compared or stands alone.
    Number,
    /// The numbers of a product, with their value.
    Coefficient(f64),
    /// What a fault left open.
    Fault,
}

/// How two known units differ.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// One of the first is so many of the second.
    Factor(f64),
    /// They measure different things.
    Dimension,
    /// Both are temperatures, counted from different zeros.
    Zero(Option<TemperatureScale>, Option<TemperatureScale>),
    /// The difference is raised to a power with a name, and is a factor or more than that.
    Exponent(String, Option<f64>),
}

#[derive(Debug, Clone)]
struct Entry {
    role: Role,
    value: Option<Term>,
    /// Where it was found out.
    found_at: Option<Span>,
}

/// All unknowns so far.
#[derive(Debug, Clone, Default)]
pub struct Store {
    entries: Vec<Entry>,
    /// Which unknowns have been found out, one after the other.
    found: Vec<Unknown>,
}

/// How far a store was.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    entries: usize,
    found: usize,
}

impl Store {
    /// One more unknown.
    pub fn fresh(&mut self, role: Role) -> Unknown {
        self.entries.push(Entry {
            role,
            value: None,
            found_at: None,
        });
        Unknown(u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX))
    }

    /// The same as a term.
    pub fn fresh_term(&mut self, role: Role) -> Term {
        Term::unknown(self.fresh(role))
    }

    fn entry(&self, id: Unknown) -> Option<&Entry> {
        self.entries.get(id.0 as usize)
    }

    /// What it is the unit of.
    #[must_use]
    pub fn role(&self, id: Unknown) -> Role {
        self.entry(id).map_or(Role::Fault, |entry| entry.role)
    }

    /// Where its unit was found out.
    #[must_use]
    pub fn found_at(&self, id: Unknown) -> Option<Span> {
        self.entry(id)?.found_at
    }

    /// How far it is, to go back to.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            entries: self.entries.len(),
            found: self.found.len(),
        }
    }

    /// Forgets all since a mark.
    pub fn back_to(&mut self, mark: Mark) {
        for id in self.found.drain(mark.found.min(self.found.len())..) {
            if let Some(entry) = self.entries.get_mut(id.0 as usize) {
                entry.value = None;
                entry.found_at = None;
            }
        }
        self.entries.truncate(mark.entries);
    }

    /// What an unknown has been found out to be.
    fn value(&self, id: Unknown) -> Option<&Term> {
        self.entry(id)?.value.as_ref()
    }

    /// The term with what has been found out put in.
    #[must_use]
    pub fn resolve(&self, term: &Term) -> Term {
        let mut term = term.clone();
        // Each round puts in what an earlier equation said: there are no circles.
        loop {
            let found = |(id, _)| Some((id, self.value(id)?));
            let Some((id, value)) = term.unknowns().find_map(found) else {
                return term;
            };
            term.replace(id, value);
        }
    }

    /// Makes two terms equal.
    ///
    /// # Errors
    /// How they differ, when both are known. Terms whose unknowns cannot be expressed by the rest,
    /// `v^(n + 1)`, are left open.
    pub fn equate(
        &mut self,
        registry: &Registry,
        left: &Term,
        right: &Term,
        place: Option<Span>,
    ) -> Result<(), Difference> {
        let ratio = self.resolve(&left.clone().times(right, -1.0));
        let order = |role: Role| match role {
            Role::Fault => 0,
            Role::Coefficient(_) => 1,
            Role::Number => 2,
            Role::Quantity => 3,
        };
        let mut candidates: Vec<(Unknown, Exponent)> = ratio
            .unknowns()
            .filter_map(|(id, exponent)| Some((id, exponent.inverse()?)))
            .collect();
        candidates.sort_by_key(|(id, _)| (order(self.role(*id)), std::cmp::Reverse(id.0)));
        if let Some((id, inverse)) = candidates.into_iter().next() {
            let rest = ratio.without(id);
            let value = Term::one().times(&rest.raised(&inverse), -1.0);
            if let Some(entry) = self.entries.get_mut(id.0 as usize) {
                entry.value = Some(value);
                entry.found_at = place;
                self.found.push(id);
            }
            return Ok(());
        }
        if !ratio.is_known() {
            return Ok(());
        }
        difference(registry, left, right, &ratio, self)
    }
}

fn difference(
    registry: &Registry,
    left: &Term,
    right: &Term,
    ratio: &Term,
    store: &Store,
) -> Result<(), Difference> {
    let measures = ratio.measures(registry);
    if measures.is_empty() {
        return Ok(());
    }
    if let Some(name) = measures.keys().flat_map(|names| names.keys()).next() {
        let mut all = measures.values();
        let factor = match (all.next(), all.next()) {
            (Some(only), None) => only.factor(),
            _ => None,
        };
        return Err(Difference::Exponent(name.clone(), factor));
    }
    let measure = measures.into_values().next().unwrap_or_default();
    let zero = |term: &Term| {
        let known = store.resolve(term).measure(registry)?;
        known.zero()
    };
    if measure.zero().is_some() || zero(left) != zero(right) {
        let dimensions: Measure = measure.dimensions();
        if dimensions == Measure::one() {
            return Err(Difference::Zero(zero(left), zero(right)));
        }
        return Err(Difference::Dimension);
    }
    Err(match measure.factor() {
        Some(factor) => Difference::Factor(factor),
        None => Difference::Dimension,
    })
}
