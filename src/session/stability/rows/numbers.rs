//! What is told of each row, as columns of numbers, and how they lie in each group.
//!
//! Enters: an answer. Leaves: quantities with a number for each row, medians and quartiles. Must
//! not know how they are shown.

use super::RowsAnswer;
use crate::analyze::network::Linear;
use crate::fit::sample_quantile as quantile;

/// Something that is told of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The largest real part of an eigenvalue.
    Leading,
    /// How many real parts are positive.
    Positive,
    /// How many are negative.
    Negative,
    /// The sum of the diagonal.
    Trace,
    /// The Frobenius norm of (J - J^T)/2.
    Rotation,
    /// A chosen element, by its position.
    Element(usize),
}

/// A measure with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// Which.
    pub measure: Measure,
    /// `leading`, `jacobian[a, b]`
    pub label: String,
}

/// How the numbers of a group lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many there are.
    pub count: usize,
    /// The middle one; not a number without any.
    pub median: f64,
    /// Lower and upper quartile; none for a single number.
    pub quartiles: Option<(f64, f64)>,
}

impl Measure {
    /// The words of measures that every row has.
    pub const WORDS: [(&'static str, Measure); 5] = [
        ("leading", Measure::Leading),
        ("positive", Measure::Positive),
        ("negative", Measure::Negative),
        ("trace", Measure::Trace),
        ("rotation", Measure::Rotation),
    ];

    /// True where it needs eigenvalues.
    #[must_use]
    pub fn is_of_spectrum(self) -> bool {
        matches!(
            self,
            Measure::Leading | Measure::Positive | Measure::Negative
        )
    }

    #[expect(clippy::cast_precision_loss, reason = "a count")]
    fn of(self, linear: &Linear) -> f64 {
        match self {
            Measure::Leading => linear.leading.map_or(f64::NAN, |value| value.re),
            Measure::Positive => linear.positive as f64,
            Measure::Negative => linear.negative as f64,
            Measure::Trace => linear.shape.trace,
            Measure::Rotation => linear.shape.rotation,
            Measure::Element(at) => linear.elements.get(at).copied().unwrap_or(f64::NAN),
        }
    }
}

impl RowsAnswer {
    /// All that is told of each row.
    #[must_use]
    pub fn quantities(&self) -> Vec<Quantity> {
        let known = Measure::WORDS.iter();
        let usual = known.filter(|(_, measure)| self.spectrum || !measure.is_of_spectrum());
        let usual = usual.map(|(word, measure)| Quantity {
            measure: *measure,
            label: (*word).to_owned(),
        });
        let elements = self.elements.iter().enumerate();
        let elements = elements.map(|(at, element)| Quantity {
            measure: Measure::Element(at),
            label: element.label.clone(),
        });
        usual.chain(elements).collect()
    }

    /// The linear part of a row, where it was found.
    #[must_use]
    pub fn linear(&self, row: usize) -> Option<&Linear> {
        self.found.get(row)?.as_ref()?.as_ref().ok()
    }

    /// A number for each row; not a number where it was not found.
    #[must_use]
    pub fn column(&self, measure: Measure) -> Vec<f64> {
        let rows = 0..self.found.len();
        rows.map(|row| {
            self.linear(row)
                .map_or(f64::NAN, |linear| measure.of(linear))
        })
        .collect()
    }

    /// Imaginary parts of the leading eigenvalues.
    #[must_use]
    pub fn leading_imaginary(&self) -> Vec<f64> {
        let rows = 0..self.found.len();
        let part = |row| {
            let leading = self.linear(row)?.leading?;
            Some(leading.im)
        };
        rows.map(|row| part(row).unwrap_or(f64::NAN)).collect()
    }

    /// The groups that have rows, and none for rows without a group, where there are groups at
    /// all.
    #[must_use]
    pub fn groups(&self) -> Vec<(Option<usize>, &str)> {
        if self.data.by.is_none() {
            return Vec::new();
        }
        let mut counts = vec![0_usize; self.data.groups.len()];
        let mut missing = false;
        for group in &self.data.of {
            match group.and_then(|group| counts.get_mut(group)) {
                Some(count) => *count += 1,
                None => missing = true,
            }
        }
        let names = self.data.groups.iter().enumerate();
        let there = names.filter(|(at, _)| counts.get(*at).is_some_and(|count| *count > 0));
        let there = there.map(|(at, name)| (Some(at), name.as_str()));
        there.chain(missing.then_some((None, "no group"))).collect()
    }

    /// The rows of a group; all rows where the answer has none.
    #[must_use]
    pub fn rows_of(&self, group: Option<usize>) -> Vec<usize> {
        let rows = self.data.of.iter().enumerate();
        rows.filter(|(_, of)| **of == group)
            .map(|(row, _)| row)
            .collect()
    }

    /// How many rows have no eigenvalue with a positive real part, of those that were found.
    #[must_use]
    pub fn stable(&self, rows: &[usize]) -> (usize, usize) {
        let found = rows.iter().filter_map(|row| self.linear(*row));
        found.fold((0, 0), |(stable, all), linear| {
            (stable + usize::from(linear.positive == 0), all + 1)
        })
    }

    /// Rows whose Jacobian is not finite, or whose eigenvalues were not found.
    #[must_use]
    pub fn failed(&self) -> Vec<usize> {
        let rows = self.found.iter().enumerate();
        rows.filter(|(_, found)| matches!(found, Some(Err(_))))
            .map(|(row, _)| row)
            .collect()
    }
}

/// How the numbers of some rows lie.
#[must_use]
pub fn summary(column: &[f64], rows: &[usize]) -> Summary {
    let mut numbers: Vec<f64> = rows
        .iter()
        .filter_map(|row| column.get(*row).copied())
        .filter(|number| number.is_finite())
        .collect();
    numbers.sort_by(f64::total_cmp);
    let at = |share: f64| match numbers.is_empty() {
        true => f64::NAN,
        false => quantile(&numbers, share),
    };
    Summary {
        count: numbers.len(),
        median: at(0.5),
        quartiles: (numbers.len() > 1).then(|| (at(0.25), at(0.75))),
    }
}
