//! Conservation laws: combinations of amounts that no reaction changes.
//!
//! The left null space of the stoichiometric matrix, by Gauss-Jordan elimination over the
//! rationals, so that the laws are exact. Rows are sparse.

use crate::model::{Model, ParameterId, StateId};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::collections::{BTreeMap, BTreeSet};

/// A sum of amounts that stays constant.
#[derive(Debug, Clone, PartialEq)]
pub struct ConservationLaw {
    /// Its terms, in the order of the species.
    pub terms: Vec<LawTerm>,
    /// True when all species lie in one compartment (or in none), so that the concentrations
    /// themselves are conserved with these coefficients.
    pub same_compartment: bool,
}

/// `coefficient` times the amount of one species.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LawTerm {
    /// The species.
    pub species: StateId,
    /// Which element of a vector of species.
    pub element: u32,
    /// A whole number.
    pub coefficient: f64,
    /// The species' compartment.
    pub compartment: Option<ParameterId>,
}

type Row = BTreeMap<usize, BigRational>;

/// All independent conservation laws of a model's reactions. Species that no reaction touches
/// are left out.
#[must_use]
pub fn conservation_laws(model: &Model) -> Vec<ConservationLaw> {
    let (species, mut rows) = stoichiometry(model);
    let pivots = eliminate(&mut rows);
    let mut basis = null_space(species.len(), &rows, &pivots);
    make_positive(&mut basis);
    basis
        .into_iter()
        .map(|law| to_law(model, &species, &law))
        .collect()
}

/// Species that take part in reactions, and one sparse row of net coefficients per reaction.
fn stoichiometry(model: &Model) -> (Vec<(StateId, u32)>, Vec<Row>) {
    let taking_part: BTreeSet<(StateId, u32)> = model
        .reactions
        .iter()
        .flat_map(|reaction| reaction.reactants.iter().chain(&reaction.products))
        .map(|participant| (participant.species, participant.element))
        .collect();
    let species: Vec<(StateId, u32)> = taking_part.into_iter().collect();
    let position: BTreeMap<(StateId, u32), usize> = species
        .iter()
        .enumerate()
        .map(|(at, key)| (*key, at))
        .collect();
    let rows = model
        .reactions
        .iter()
        .map(|reaction| {
            let mut row = Row::new();
            for (side_is_used, side) in [(true, &reaction.reactants), (false, &reaction.products)] {
                for participant in side {
                    let at = position[&(participant.species, participant.element)];
                    let size = as_written(participant.coefficient);
                    let entry = row.entry(at).or_insert_with(BigRational::zero);
                    *entry += if side_is_used { -size } else { size };
                }
            }
            row.retain(|_, value| !value.is_zero());
            row
        })
        .filter(|row| !row.is_empty())
        .collect();
    (species, rows)
}

/// A coefficient as the decimal fraction that was written: 0.1 is a tenth, not the binary number
/// next to it, which would turn laws into sums with coefficients of sixteen digits.
fn as_written(coefficient: f64) -> BigRational {
    let text = format!("{coefficient}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let exponent = u32::try_from(fraction.len()).unwrap_or(0);
    let digits: Option<BigInt> = format!("{whole}{fraction}").parse().ok();
    match digits {
        Some(digits) => BigRational::new(digits, BigInt::from(10).pow(exponent)),
        None => BigRational::zero(),
    }
}

/// Reduced row echelon form in place; returns the pivot column of each remaining row.
fn eliminate(rows: &mut Vec<Row>) -> Vec<usize> {
    let mut reduced: Vec<(usize, Row)> = Vec::new();
    let mut row_of_pivot: BTreeMap<usize, usize> = BTreeMap::new();
    for mut row in std::mem::take(rows) {
        // Remove known pivots from the new row.
        let hits: Vec<usize> = row
            .keys()
            .filter(|column| row_of_pivot.contains_key(column))
            .copied()
            .collect();
        for column in hits {
            if let Some(factor) = row.get(&column).cloned() {
                subtract(&mut row, &reduced[row_of_pivot[&column]].1, &factor);
            }
        }
        // The last column as the pivot leaves early species free: laws start with them.
        let Some((&pivot, value)) = row.iter().next_back() else {
            continue;
        };
        let scale = value.recip();
        row.values_mut().for_each(|value| *value *= &scale);
        for (_, other) in &mut reduced {
            if let Some(factor) = other.get(&pivot).cloned() {
                subtract(other, &row, &factor);
            }
        }
        row_of_pivot.insert(pivot, reduced.len());
        reduced.push((pivot, row));
    }
    let pivots = reduced.iter().map(|(pivot, _)| *pivot).collect();
    *rows = reduced.into_iter().map(|(_, row)| row).collect();
    pivots
}

/// `row -= factor * other`
fn subtract(row: &mut Row, other: &Row, factor: &BigRational) {
    for (column, value) in other {
        let entry = row.entry(*column).or_insert_with(BigRational::zero);
        *entry -= factor * value;
        if entry.is_zero() {
            row.remove(column);
        }
    }
}

/// One vector per free column.
fn null_space(columns: usize, rows: &[Row], pivots: &[usize]) -> Vec<Row> {
    let is_pivot: BTreeSet<usize> = pivots.iter().copied().collect();
    let mut basis: BTreeMap<usize, Row> = (0..columns)
        .filter(|column| !is_pivot.contains(column))
        .map(|free| (free, Row::from([(free, BigRational::one())])))
        .collect();
    for (row, pivot) in rows.iter().zip(pivots) {
        for (column, value) in row {
            if let Some(vector) = basis.get_mut(column) {
                vector.insert(*pivot, -value.clone());
            }
        }
    }
    basis.into_values().map(whole_numbers).collect()
}

/// The smallest whole multiple with at least as many positive as negative coefficients.
fn whole_numbers(mut vector: Row) -> Row {
    let mut denominator = BigInt::one();
    for value in vector.values() {
        denominator = lcm(&denominator, value.denom());
    }
    let mut divisor = BigInt::zero();
    for value in vector.values() {
        let whole = (value * &denominator).to_integer();
        divisor = gcd(divisor, whole.abs());
    }
    if divisor.is_zero() {
        return vector;
    }
    let mostly_negative =
        vector.values().filter(|value| value.is_negative()).count() * 2 > vector.len();
    let sign = if mostly_negative {
        -BigInt::one()
    } else {
        BigInt::one()
    };
    let scale = BigRational::new(denominator * sign, divisor);
    vector.values_mut().for_each(|value| *value *= &scale);
    vector
}

fn gcd(mut a: BigInt, mut b: BigInt) -> BigInt {
    while !b.is_zero() {
        (a, b) = (b.clone(), a % b);
    }
    a
}

fn lcm(a: &BigInt, b: &BigInt) -> BigInt {
    a * b / gcd(a.clone(), b.clone())
}

/// Laws of total amounts read best without minus signs: add laws to each other where that removes
/// them. Each step lowers the number of negative coefficients, so it ends.
fn make_positive(basis: &mut [Row]) {
    let negatives = |row: &Row| row.values().filter(|value| value.is_negative()).count();
    let mut changed = true;
    while changed {
        changed = false;
        for at in 0..basis.len() {
            if negatives(&basis[at]) == 0 {
                continue;
            }
            let best = (0..basis.len())
                .filter(|other| *other != at)
                .flat_map(|other| [1, -1].map(|sign| (other, sign)))
                .filter(|(other, _)| {
                    basis[*other]
                        .keys()
                        .any(|key| basis[at].get(key).is_some_and(Signed::is_negative))
                })
                .map(|(other, sign)| {
                    let mut sum = basis[at].clone();
                    subtract(
                        &mut sum,
                        &basis[other],
                        &BigRational::from_integer(BigInt::from(-sign)),
                    );
                    whole_numbers(sum)
                })
                .min_by_key(|sum| (negatives(sum), sum.len()));
            if let Some(best) = best
                && negatives(&best) < negatives(&basis[at])
            {
                basis[at] = best;
                changed = true;
            }
        }
    }
}

fn to_law(model: &Model, species: &[(StateId, u32)], law: &Row) -> ConservationLaw {
    let terms: Vec<LawTerm> = law
        .iter()
        .map(|(column, value)| {
            let (state, element) = species[*column];
            LawTerm {
                species: state,
                element,
                coefficient: value.to_f64().unwrap_or(f64::NAN),
                compartment: model.states[state.index()].compartment,
            }
        })
        .collect();
    let same_compartment = terms
        .windows(2)
        .all(|pair| pair[0].compartment == pair[1].compartment);
    ConservationLaw {
        terms,
        same_compartment,
    }
}
