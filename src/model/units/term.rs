//! Units that may not be known yet: products of powers of units and unknowns.
//!
//! Enters: units and unknowns. Leaves: their products and powers. An exponent may be a name, as in
//! `x^n`: then [nM]^n stays as it is, and n times the exponent of nM is one of its own. Terms form a
//! vector space over pairs of an atom and a product of names. Must not know expressions.

use super::measure::{Measure, Registry, UnitId};
use std::collections::BTreeMap;

/// A unit that is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unknown(pub(super) u32);

/// What terms are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Atom {
    /// A known unit.
    Unit(UnitId),
    /// An unknown.
    Unknown(Unknown),
}

/// A product of powers of names: `n`, `m*n`, `1/n`. Empty for the number 1.
pub type Names = BTreeMap<String, i32>;

/// A polynomial in names, as far as exponents need them: a number, and numbers by products of names.
/// Nearly all exponents are numbers, and these take no room of their own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exponent {
    number: f64,
    named: BTreeMap<Names, f64>,
}

/// More parts than these are no exponent that anyone compares.
pub(super) const MOST_PARTS: usize = 64;

/// Exponents closer to zero than this are zero.
const ROUND_OFF: f64 = 1e-9;

impl Exponent {
    /// A number.
    #[must_use]
    pub fn number(value: f64) -> Exponent {
        let mut exponent = Exponent::default();
        exponent.add_number(value);
        exponent
    }

    /// A name.
    #[must_use]
    pub fn name(name: &str) -> Exponent {
        Exponent::of(Names::from([(name.to_owned(), 1)]), 1.0)
    }

    /// How many parts it has.
    #[must_use]
    pub fn size(&self) -> usize {
        usize::from(self.number != 0.0) + self.named.len()
    }

    /// True for zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.size() == 0
    }

    /// The product, unless it has more parts than anyone compares: they grow with every factor.
    #[must_use]
    pub fn times_within(&self, other: &Exponent) -> Option<Exponent> {
        (self.size() * other.size() <= MOST_PARTS).then(|| self.times(other))
    }

    fn of(names: Names, value: f64) -> Exponent {
        let mut exponent = Exponent::default();
        exponent.add(names, value);
        exponent
    }

    fn add_number(&mut self, value: f64) {
        let sum = self.number + value;
        self.number = if sum.abs() < ROUND_OFF { 0.0 } else { sum };
    }

    fn add(&mut self, names: Names, value: f64) {
        if names.is_empty() {
            self.add_number(value);
            return;
        }
        let sum = self.named.get(&names).copied().unwrap_or(0.0) + value;
        if sum.abs() < ROUND_OFF {
            self.named.remove(&names);
        } else {
            self.named.insert(names, sum);
        }
    }

    /// The parts, the number first.
    fn parts(&self) -> impl DoubleEndedIterator<Item = (&Names, f64)> {
        static NO_NAMES: Names = Names::new();
        let number = (self.number != 0.0).then_some((&NO_NAMES, self.number));
        let named = self.named.iter().map(|(names, value)| (names, *value));
        number.into_iter().chain(named)
    }

    /// This plus so many times another.
    #[must_use]
    pub fn plus(mut self, other: &Exponent, times: f64) -> Exponent {
        self.add_number(times * other.number);
        for (names, value) in &other.named {
            self.add(names.clone(), times * value);
        }
        self
    }

    /// The product.
    #[must_use]
    pub fn times(&self, other: &Exponent) -> Exponent {
        let mut product = Exponent::number(self.number * other.number);
        if self.named.is_empty() && other.named.is_empty() {
            return product;
        }
        for (a, x) in self.parts() {
            for (b, y) in other
                .parts()
                .filter(|(b, _)| !a.is_empty() || !b.is_empty())
            {
                product.add(joined(a, b), x * y);
            }
        }
        product
    }

    /// One over this, when it has one part only.
    #[must_use]
    pub fn inverse(&self) -> Option<Exponent> {
        let (names, value) = self.only()?;
        let inverse = names.iter().map(|(name, power)| (name.clone(), -power));
        Some(Exponent::of(inverse.collect(), 1.0 / value))
    }

    /// The number that it is, when it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        self.named.is_empty().then_some(self.number)
    }

    fn only(&self) -> Option<(&Names, f64)> {
        let mut parts = self.parts();
        match (parts.next(), parts.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// `2`, `n`, `2*n`, `n - 1`, `1/n`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Names before numbers, as people write them.
        for (names, value) in self.parts().rev() {
            let above = names.iter().filter(|(_, power)| **power > 0);
            let below = names.iter().filter(|(_, power)| **power < 0);
            let size = value.abs();
            let mut factors: Vec<String> =
                above.map(|(name, power)| raised(name, *power)).collect();
            if (size - 1.0).abs() > ROUND_OFF || factors.is_empty() {
                factors.insert(0, number(size));
            }
            let mut part = factors.join("*");
            for (name, power) in below {
                part.push('/');
                part.push_str(&raised(name, -power));
            }
            let sign = match (text.is_empty(), value < 0.0) {
                (true, true) => "-",
                (true, false) => "",
                (false, true) => " - ",
                (false, false) => " + ",
            };
            text.push_str(sign);
            text.push_str(&part);
        }
        if text.is_empty() {
            "0".to_owned()
        } else {
            text
        }
    }
}

fn raised(name: &str, power: i32) -> String {
    match power {
        1 => name.to_owned(),
        _ => format!("{name}^{power}"),
    }
}

/// A number of an exponent: whole ones and simple fractions as such.
fn number(value: f64) -> String {
    for below in 1..=12 {
        let above = value * f64::from(below);
        if (above - above.round()).abs() < 1e-7 {
            return match below {
                1 => format!("{}", above.round()),
                _ => format!("{}/{below}", above.round()),
            };
        }
    }
    format!("{value}")
}

fn joined(a: &Names, b: &Names) -> Names {
    let mut names = a.clone();
    for (name, power) in b {
        let sum = names.get(name).copied().unwrap_or(0) + power;
        if sum == 0 {
            names.remove(name);
        } else {
            names.insert(name.clone(), sum);
        }
    }
    names
}

/// A product of powers of atoms.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Term {
    /// Each atom once, none to the power of zero, in order.
    parts: Vec<(Atom, Exponent)>,
}

impl Term {
    /// A number without unit.
    #[must_use]
    pub fn one() -> Term {
        Term::default()
    }

    /// A known unit.
    #[must_use]
    pub fn unit(id: UnitId) -> Term {
        Term::of(Atom::Unit(id))
    }

    /// An unknown.
    #[must_use]
    pub fn unknown(id: Unknown) -> Term {
        Term::of(Atom::Unknown(id))
    }

    fn of(atom: Atom) -> Term {
        Term {
            parts: vec![(atom, Exponent::number(1.0))],
        }
    }

    fn place(&self, atom: Atom) -> Result<usize, usize> {
        self.parts.binary_search_by_key(&atom, |(known, _)| *known)
    }

    /// Multiplies it by an atom to so many times a power.
    fn multiply(&mut self, atom: Atom, exponent: &Exponent, times: f64) {
        match self.place(atom) {
            Ok(at) => {
                let sum = std::mem::take(&mut self.parts[at].1).plus(exponent, times);
                if sum.is_zero() {
                    self.parts.remove(at);
                } else {
                    self.parts[at].1 = sum;
                }
            }
            Err(at) => {
                let power = Exponent::default().plus(exponent, times);
                if !power.is_zero() {
                    self.parts.insert(at, (atom, power));
                }
            }
        }
    }

    /// This times another to a power.
    #[must_use]
    pub fn times(mut self, other: &Term, power: f64) -> Term {
        for (atom, exponent) in &other.parts {
            self.multiply(*atom, exponent, power);
        }
        self
    }

    /// Puts a term in the place of an unknown.
    pub fn replace(&mut self, id: Unknown, value: &Term) {
        let Ok(at) = self.place(Atom::Unknown(id)) else {
            return;
        };
        let (_, power) = self.parts.remove(at);
        for (atom, exponent) in &value.parts {
            self.multiply(*atom, &exponent.times(&power), 1.0);
        }
    }

    /// To a power.
    #[must_use]
    pub fn raised(&self, power: &Exponent) -> Term {
        let parts = self.parts.iter();
        let parts = parts.map(|(atom, exponent)| (*atom, exponent.times(power)));
        Term {
            parts: parts.filter(|(_, power)| !power.is_zero()).collect(),
        }
    }

    /// The parts of its largest exponent.
    #[must_use]
    pub fn size(&self) -> usize {
        let exponents = self.parts.iter();
        exponents
            .map(|(_, exponent)| exponent.size())
            .max()
            .unwrap_or(0)
    }

    /// True for the number 1 as it is spelled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The parts, each atom once.
    pub fn parts(&self) -> impl Iterator<Item = (Atom, &Exponent)> {
        self.parts.iter().map(|(atom, exponent)| (*atom, exponent))
    }

    /// The unknowns in it.
    pub fn unknowns(&self) -> impl Iterator<Item = (Unknown, &Exponent)> {
        self.parts().filter_map(|(atom, exponent)| match atom {
            Atom::Unknown(id) => Some((id, exponent)),
            Atom::Unit(_) => None,
        })
    }

    /// True when it holds no unknown.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.unknowns().next().is_none()
    }

    /// Without one unknown.
    #[must_use]
    pub fn without(mut self, id: Unknown) -> Term {
        if let Ok(at) = self.place(Atom::Unknown(id)) {
            self.parts.remove(at);
        }
        self
    }

    /// What it measures for each product of names in its exponents, the number 1 first; unknowns left
    /// out.
    #[must_use]
    pub fn measures(&self, registry: &Registry) -> BTreeMap<Names, Measure> {
        let mut measures: BTreeMap<Names, Measure> = BTreeMap::new();
        for (atom, exponent) in &self.parts {
            let Atom::Unit(id) = atom else { continue };
            for (names, value) in exponent.parts() {
                let known = measures.remove(names).unwrap_or_default();
                measures.insert(names.clone(), known.times(registry.measure(*id), value));
            }
        }
        measures.retain(|_, measure| !measure.is_one());
        measures
    }

    /// What it measures, when no exponent is a name and nothing is unknown.
    #[must_use]
    pub fn measure(&self, registry: &Registry) -> Option<Measure> {
        if !self.is_known() {
            return None;
        }
        let measures = self.measures(registry);
        let mut all = measures.into_iter();
        match (all.next(), all.next()) {
            (None, _) => Some(Measure::one()),
            (Some((names, measure)), None) if names.is_empty() => Some(measure),
            _ => None,
        }
    }

    /// The one unit that it is, such as `degC`.
    #[must_use]
    pub fn only_unit(&self) -> Option<UnitId> {
        match self.parts.as_slice() {
            [(Atom::Unit(id), exponent)] => (exponent.as_number() == Some(1.0)).then_some(*id),
            _ => None,
        }
    }

    /// `mg/L/h`, as it stands in brackets; `1` without units. Unknowns are left out.
    #[must_use]
    pub fn text(&self, registry: &Registry) -> String {
        let (mut above, mut below) = (Vec::new(), Vec::new());
        for (atom, exponent) in &self.parts {
            let Atom::Unit(id) = atom else { continue };
            let name = registry.name(*id);
            let negative = exponent.only().is_some_and(|(_, value)| value < 0.0);
            let size = if negative {
                Exponent::default().plus(exponent, -1.0)
            } else {
                exponent.clone()
            };
            let power = size.text();
            let power = match power.as_str() {
                "1" => name.to_owned(),
                whole if whole.chars().all(char::is_alphanumeric) => format!("{name}^{power}"),
                _ => format!("{name}^({power})"),
            };
            if negative {
                below.push(power)
            } else {
                above.push(power)
            }
        }
        let mut text = if above.is_empty() {
            "1".to_owned()
        } else {
            above.join("*")
        };
        for part in below {
            text.push('/');
            text.push_str(&part);
        }
        text
    }
}
