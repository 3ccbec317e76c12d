//! What units measure: a scale times a product of powers of dimensions.
//!
//! Enters: names of units and definitions of own ones. Leaves: a [`Measure`] for each, by number.
//! Measures form a vector space over the logarithm of the scale and the exponents of the dimensions, so
//! that products are sums and powers are multiples. Must not know expressions.

use super::table::{PREFIXES, Row, UNITS};
use crate::diagnostic::closest;
use rustc_hash::FxHashMap;

/// A direction of the space of measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Base {
    /// The natural logarithm of the scale.
    Scale,
    /// A dimension, by its place in the list of those that are known.
    Dimension(u32),
    /// Counted from the zero of this scale of temperature.
    Zero(TemperatureScale),
}

/// A scale of temperature whose zero is a convention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TemperatureScale {
    /// Degrees Celsius.
    Celsius,
    /// Degrees Fahrenheit.
    Fahrenheit,
}

/// Exponents closer to zero than this are zero: they come from sums of small fractions.
const EXPONENT_ROUND_OFF: f64 = 1e-9;

/// Scales whose logarithms differ by less than this are one scale.
const SCALE_ROUND_OFF: f64 = 1e-9;

/// A scale with a product of powers of dimensions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measure {
    /// Each base once, none with exponent zero, in order.
    parts: Vec<(Base, f64)>,
}

impl Measure {
    /// The number 1.
    #[must_use]
    pub fn one() -> Measure {
        Measure::default()
    }

    /// A number without dimension.
    #[must_use]
    pub fn number(value: f64) -> Measure {
        Measure::one().with(Base::Scale, value.ln())
    }

    fn of(base: Base) -> Measure {
        Measure::one().with(base, 1.0)
    }

    /// This times a base to a power.
    #[must_use]
    fn with(mut self, base: Base, exponent: f64) -> Measure {
        let tolerance = match base {
            Base::Scale => 1e-12,
            _ => EXPONENT_ROUND_OFF,
        };
        match self.parts.binary_search_by_key(&base, |(known, _)| *known) {
            Ok(at) => {
                let sum = self.parts[at].1 + exponent;
                if sum.abs() < tolerance {
                    self.parts.remove(at);
                } else {
                    self.parts[at].1 = sum;
                }
            }
            Err(at) if exponent != 0.0 => self.parts.insert(at, (base, exponent)),
            Err(_) => {}
        }
        self
    }

    /// This times another to a power.
    #[must_use]
    pub fn times(mut self, other: &Measure, power: f64) -> Measure {
        for (base, exponent) in &other.parts {
            self = self.with(*base, exponent * power);
        }
        self
    }

    /// The factor that a measure without dimensions is; `None` when it has some.
    #[must_use]
    pub fn factor(&self) -> Option<f64> {
        match self.parts.as_slice() {
            [] => Some(1.0),
            [(Base::Scale, log)] if log.abs() < SCALE_ROUND_OFF => Some(1.0),
            [(Base::Scale, log)] => Some(log.exp()),
            _ => None,
        }
    }

    /// The number 1, as far as round-off lets one tell.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.factor() == Some(1.0)
    }

    /// The scale whose zero it is counted from.
    #[must_use]
    pub fn zero(&self) -> Option<TemperatureScale> {
        self.parts.iter().find_map(|(base, _)| match base {
            Base::Zero(scale) => Some(*scale),
            _ => None,
        })
    }

    /// Without its scale and the zero it is counted from: dimensions alone.
    #[must_use]
    pub fn dimensions(&self) -> Measure {
        let parts = self.parts.iter();
        Measure {
            parts: parts
                .filter(|(base, _)| matches!(base, Base::Dimension(_)))
                .copied()
                .collect(),
        }
    }

    /// Differences are not counted from a zero.
    #[must_use]
    pub fn of_difference(&self) -> Measure {
        let parts = self.parts.iter();
        Measure {
            parts: parts
                .filter(|(base, _)| !matches!(base, Base::Zero(_)))
                .copied()
                .collect(),
        }
    }
}

/// A unit by its number in a [`Registry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitId(pub(super) u32);

/// The units that have been named so far, built-in and own.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    units: Vec<(String, Measure)>,
    numbers: FxHashMap<String, UnitId>,
    /// The names of dimensions: of SI, of counts and of own units.
    dimensions: Vec<String>,
    /// The names of own units, in order.
    own: Vec<String>,
}

impl Registry {
    /// The unit of this name, with or without a prefix.
    pub fn unit(&mut self, name: &str) -> Option<UnitId> {
        if let Some(known) = self.numbers.get(name) {
            return Some(*known);
        }
        let measure = self.built_in(name)?;
        Some(self.insert(name, measure))
    }

    /// What a unit measures.
    #[must_use]
    pub fn measure(&self, id: UnitId) -> &Measure {
        &self.units[id.0 as usize].1
    }

    /// How a unit is written.
    #[must_use]
    pub fn name(&self, id: UnitId) -> &str {
        &self.units[id.0 as usize].0
    }

    /// The unit of differences on a scale that has a zero of its own.
    pub fn of_differences(&mut self, scale: TemperatureScale) -> Option<UnitId> {
        match scale {
            TemperatureScale::Celsius => self.unit("K"),
            TemperatureScale::Fahrenheit => {
                let measure = self.built_in("degF")?.of_difference();
                let name = "degF (difference)";
                let known = self.numbers.get(name).copied();
                Some(known.unwrap_or_else(|| self.insert(name, measure)))
            }
        }
    }

    /// Declares a unit of one's own: a dimension, or so much of something known.
    pub fn declare(&mut self, name: &str, measure: Option<Measure>) -> UnitId {
        let measure = measure.unwrap_or_else(|| self.dimension(name));
        self.own.push(name.to_owned());
        self.insert(name, measure)
    }

    /// True for a name that is a unit without any declaration.
    #[must_use]
    pub fn is_built_in(name: &str) -> bool {
        Registry::default().built_in(name).is_some()
    }

    /// The unit that `wrong` most likely misspells.
    #[must_use]
    pub fn closest(&self, wrong: &str) -> Option<String> {
        const USUAL: [&str; 9] = ["", "m", "u", "n", "k", "p", "d", "c", "M"];
        let mut known: Vec<String> = self.own.clone();
        for row in UNITS {
            for name in row.names {
                let prefixes: &[&str] = if row.takes_prefix { &USUAL } else { &[""] };
                known.extend(prefixes.iter().map(|prefix| format!("{prefix}{name}")));
            }
        }
        closest(wrong, known.iter().map(String::as_str)).map(str::to_owned)
    }

    fn insert(&mut self, name: &str, measure: Measure) -> UnitId {
        let id = UnitId(u32::try_from(self.units.len()).unwrap_or(u32::MAX));
        self.units.push((name.to_owned(), measure));
        self.numbers.insert(name.to_owned(), id);
        id
    }

    /// A dimension by its name.
    fn dimension(&mut self, name: &str) -> Measure {
        let known = self.dimensions.iter().position(|known| known == name);
        let at = known.unwrap_or_else(|| {
            self.dimensions.push(name.to_owned());
            self.dimensions.len() - 1
        });
        Measure::of(Base::Dimension(u32::try_from(at).unwrap_or(u32::MAX)))
    }

    fn built_in(&mut self, name: &str) -> Option<Measure> {
        if let Some(row) = row_named(name) {
            return self.measure_of(row);
        }
        let (row, power) = PREFIXES.iter().find_map(|(prefix, power)| {
            let rest = name.strip_prefix(prefix)?;
            let row = row_named(rest).filter(|row| row.takes_prefix)?;
            Some((row, *power))
        })?;
        let unit = self.measure_of(row)?;
        Some(unit.with(Base::Scale, f64::from(power) * std::f64::consts::LN_10))
    }

    fn measure_of(&mut self, row: &Row) -> Option<Measure> {
        let usual = *row.names.first()?;
        let scale = match usual {
            "degC" => Some(TemperatureScale::Celsius),
            "degF" => Some(TemperatureScale::Fahrenheit),
            _ => None,
        };
        if let Some(scale) = scale {
            let degree = match scale {
                TemperatureScale::Celsius => 1.0,
                TemperatureScale::Fahrenheit => 5.0 / 9.0,
            };
            let kelvin = self.dimension("K");
            let degree = Measure::number(degree).times(&kelvin, 1.0);
            return Some(degree.times(&Measure::of(Base::Zero(scale)), 1.0));
        }
        if row.of == usual {
            return Some(self.dimension(usual));
        }
        let mut measure = Measure::number(row.factor);
        for (name, exponent) in factors(row.of) {
            // The kilogram is the unit of mass that others are made of.
            let part = match name {
                "kg" => self.dimension("kg"),
                _ => self.built_in(name)?,
            };
            measure = measure.times(&part, exponent);
        }
        Some(measure)
    }
}

fn row_named(name: &str) -> Option<&'static Row> {
    UNITS.iter().find(|row| row.names.contains(&name))
}

/// `kg*m/s^2` as names with exponents.
fn factors(text: &'static str) -> impl Iterator<Item = (&'static str, f64)> {
    let mut sign = 1.0;
    text.split_inclusive(['*', '/']).filter_map(move |part| {
        let exponent = sign;
        sign = if part.ends_with('/') { -1.0 } else { 1.0 };
        let part = part.trim_end_matches(['*', '/']);
        let (name, power) = part.split_once('^').unwrap_or((part, "1"));
        let power: f64 = power.parse().ok()?;
        (name != "1" && !name.is_empty()).then_some((name, exponent * power))
    })
}
