//! Where a fitted curve may lie, and the data about it.
//!
//! Enters: what the lens sees at a place, with derivatives or for many draws. Leaves: [`Edges`], the
//! curve between the ends of two bands. The inner one holds the curve: by the covariance of the
//! estimates to first order, on the logarithmic scale where an observation is a positive number and
//! on the logistic one where it is a share, or by quantiles over draws. The outer one holds data to
//! come: their scatter besides. For least squares these are the textbook's bands of linear
//! regression (N. R. Draper, H. Smith, Applied Regression Analysis, 3rd edition, 1998, section 3.1).

use super::answer::{FitAnswer, LEVEL};
use super::lens::Seen;
use super::scores::middle;
use crate::fit::{Family, Propagation, Quantiles, cdf, quantile, sample_quantile};
use crate::model::Support;

/// The middle; the ends of the band of the curve; those of the band of data.
pub(super) type Edges = [f64; 5];

/// Nodes and weights of Gauss and Hermite for the standard normal distribution (M. Abramowitz,
/// I. Stegun, Handbook of Mathematical Functions, 1964, table 25.10, scaled).
const NODES: [(f64, f64); 5] = [
    (-2.856_970_013_872_806, 0.011_257_411_327_720_69),
    (-1.355_626_179_974_266, 0.222_075_922_005_612_6),
    (0.0, 0.533_333_333_333_333_3),
    (1.355_626_179_974_266, 0.222_075_922_005_612_6),
    (2.856_970_013_872_806, 0.011_257_411_327_720_69),
];
/// Halvings of an interval that holds a quantile.
const HALVINGS: usize = 60;
/// The ends of a quantile are this near to each other, beside its size.
const PRECISION: f64 = 1e-9;

/// The scale on which a number has no ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Link {
    Identity,
    Logarithm,
    /// Between 0 and this.
    Logit(f64),
}

impl Link {
    fn inner(self, value: f64) -> f64 {
        match self {
            Link::Identity => value,
            Link::Logarithm => value.ln(),
            Link::Logit(whole) => (value / (whole - value)).ln(),
        }
    }

    fn outer(self, inner: f64) -> f64 {
        match self {
            Link::Identity => inner,
            Link::Logarithm => inner.exp(),
            Link::Logit(whole) => whole / (1.0 + (-inner).exp()),
        }
    }

    /// The derivative of the inner number by the value.
    fn slope(self, value: f64) -> f64 {
        match self {
            Link::Identity => 1.0,
            Link::Logarithm => 1.0 / value,
            Link::Logit(whole) => whole / (value * (whole - value)),
        }
    }

    /// The value so many standard errors away, where the error is that of the value.
    fn moved(self, value: f64, by: f64) -> f64 {
        let to = self.outer(self.inner(value) + by * self.slope(value));
        // At the end of its range a value has no neighbours on this scale.
        if to.is_nan() { value } else { to }
    }
}

/// The scale of what is seen.
fn link(family: Option<Family>, numbers: &[f64]) -> Link {
    match family {
        Some(
            Family::LogNormal
            | Family::Poisson
            | Family::NegativeBinomial
            | Family::Gamma
            | Family::Exponential,
        ) => Link::Logarithm,
        Some(Family::Binomial) => Link::Logit(numbers.first().copied().unwrap_or(1.0)),
        Some(Family::Beta) => Link::Logit(1.0),
        _ => Link::Identity,
    }
}

/// The scale of each parameter of a distribution.
fn links(family: Family) -> [Link; 3] {
    use Link::{Identity, Logarithm, Logit};
    match family {
        Family::Poisson
        | Family::NegativeBinomial
        | Family::Gamma
        | Family::Beta
        | Family::Exponential
        | Family::LogNormal => [Logarithm; 3],
        Family::Binomial => [Identity, Logit(1.0), Identity],
        Family::Uniform => [Identity; 3],
        Family::Normal | Family::Cauchy | Family::StudentT => [Identity, Logarithm, Logarithm],
    }
}

/// The derivatives of [`middle`] by the parameters of the distribution.
fn middle_slopes(family: Option<Family>, numbers: &[f64]) -> Vec<f64> {
    match (family, numbers) {
        (Some(Family::Binomial), &[trials, share]) => vec![share, trials],
        (Some(Family::Gamma), &[shape, rate]) => vec![1.0 / rate, -shape / (rate * rate)],
        (Some(Family::Beta), &[a, b]) => {
            let square = (a + b) * (a + b);
            vec![b / square, -a / square]
        }
        (Some(Family::Uniform), &[_, _]) => vec![0.5, 0.5],
        _ => {
            let mut slopes = vec![0.0; numbers.len()];
            if let Some(first) = slopes.first_mut() {
                *first = 1.0;
            }
            slopes
        }
    }
}

fn middle_of(seen: &Seen, numbers: &[f64]) -> f64 {
    match seen.family {
        None => numbers.first().copied().unwrap_or(f64::NAN),
        Some(family) => middle(family, numbers),
    }
}

/// The quantiles by which standard errors become bands.
fn width(answer: &FitAnswer) -> f64 {
    let quantiles = match answer.squares {
        Some(_) => Quantiles::StudentT {
            degrees: answer.degrees_left() as f64,
        },
        None => Quantiles::Normal,
    };
    quantiles.half_width(LEVEL)
}

/// Both bands at a place by the covariance of the estimates. `gradients` has, for each number of the
/// observation, its derivatives by the inner coordinates.
pub(super) fn linear(
    answer: &FitAnswer,
    seen: &Seen,
    (numbers, gradients): (&[f64], &[Vec<f64>]),
    spread: &Propagation,
) -> Edges {
    let middle = middle_of(seen, numbers);
    let slopes = middle_slopes(seen.family, numbers);
    let mut gradient = vec![0.0; answer.fitted.len()];
    for (slope, row) in slopes.iter().zip(gradients) {
        let pairs = gradient.iter_mut().zip(row);
        pairs.for_each(|(total, own)| *total += slope * own);
    }
    let error = spread.error(&gradient);
    let link = link(seen.family, numbers);
    let width = width(answer);
    let curve = |by: f64| match error.is_finite() {
        true => link.moved(middle, by * error),
        false => f64::NAN,
    };
    let [low, high] = match (seen.family, numbers) {
        // What is not determined is left out: the scatter alone.
        _ if !error.is_finite() => return alone(answer, seen, numbers),
        (None, _) => {
            let sd = answer.residual_sd().unwrap_or(f64::NAN);
            let both = width * error.hypot(sd);
            [middle - both, middle + both]
        }
        (Some(Family::Normal), &[mean, sd]) => {
            let both = width * error.hypot(sd);
            [mean - both, mean + both]
        }
        (Some(Family::LogNormal), &[median, sd]) => {
            let both = width * (error / median).hypot(sd);
            [median * (-both).exp(), median * both.exp()]
        }
        (Some(family), _) => {
            let moves: Vec<f64> = gradients
                .iter()
                .map(|own| match error > 0.0 {
                    true => spread.covariance(own, &gradient) / error,
                    false => 0.0,
                })
                .collect();
            let parts = NODES.map(|(node, weight)| {
                let moved = numbers.iter().zip(&moves).zip(links(family));
                let moved = moved.map(|((number, by), link)| link.moved(*number, node * by));
                (weight, moved.collect::<Vec<f64>>())
            });
            ends(family, &parts)
        }
    };
    [middle, curve(-width), curve(width), low, high]
}

/// The band of data where nothing is known of the curve's own.
pub(super) fn alone(answer: &FitAnswer, seen: &Seen, numbers: &[f64]) -> Edges {
    let middle = middle_of(seen, numbers);
    let [low, high] = match seen.family {
        None => {
            let width = width(answer) * answer.residual_sd().unwrap_or(f64::NAN);
            [middle - width, middle + width]
        }
        Some(family) => ends(family, &[(1.0, numbers.to_vec())]),
    };
    [middle, f64::NAN, f64::NAN, low, high]
}

/// Both bands at a place by quantiles over draws, for each of which there are the numbers of the
/// observation. The middle is the median of the curves.
pub(super) fn over_draws(answer: &FitAnswer, seen: &Seen, draws: &[&[f64]]) -> Edges {
    let mut middles: Vec<f64> = draws.iter().map(|own| middle_of(seen, own)).collect();
    middles.retain(|middle| middle.is_finite());
    middles.sort_by(f64::total_cmp);
    let tail = 0.5 * (1.0 - LEVEL);
    let share = |share: f64| sample_quantile(&middles, share);
    let sd = answer.residual_sd().unwrap_or(f64::NAN);
    let weight = 1.0 / draws.len().max(1) as f64;
    let parts: Vec<(f64, Vec<f64>)> = draws
        .iter()
        .map(|own| match seen.family {
            None => (weight, vec![middle_of(seen, own), sd]),
            Some(_) => (weight, own.to_vec()),
        })
        .collect();
    let [low, high] = ends(seen.family.unwrap_or(Family::Normal), &parts);
    [share(0.5), share(tail), share(1.0 - tail), low, high]
}

/// Between these most of what a mixture of distributions of one family gives.
fn ends(family: Family, parts: &[(f64, Vec<f64>)]) -> [f64; 2] {
    let tail = 0.5 * (1.0 - LEVEL);
    [tail, 1.0 - tail].map(|share| mixed_quantile(family, parts, share).unwrap_or(f64::NAN))
}

/// The quantile of a mixture: between those of its parts.
fn mixed_quantile(family: Family, parts: &[(f64, Vec<f64>)], share: f64) -> Option<f64> {
    let own: Option<Vec<f64>> = parts
        .iter()
        .map(|(_, numbers)| quantile(family, numbers, share))
        .collect();
    let own = own?;
    let mut low = own.iter().copied().fold(f64::INFINITY, f64::min);
    let mut high = own.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let whole = family.support() == Support::Counts;
    if whole {
        // The lowest count may be it.
        low -= 1.0;
    }
    let below = |value: f64| {
        let parts = parts.iter();
        let shares = parts.map(|(weight, own)| Some(weight * cdf(family, own, value)?));
        shares.sum::<Option<f64>>()
    };
    for _ in 0..HALVINGS {
        let room = high - low;
        let enough = if whole {
            1.0
        } else {
            PRECISION * high.abs().max(low.abs())
        };
        if room.is_nan() || room <= enough {
            break;
        }
        let middle = f64::midpoint(low, high);
        let middle = if whole { middle.floor() } else { middle };
        match below(middle)? >= share {
            true => high = middle,
            false => low = middle,
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_mixtures() {
        // scipy: brentq of 0.5*norm.cdf(x) + 0.5*norm.cdf(x, 2, 0.5) - 0.975: 2.83378779.
        let parts = [(0.5, vec![0.0, 1.0]), (0.5, vec![2.0, 0.5])];
        let found = mixed_quantile(Family::Normal, &parts, 0.975).expect("a quantile");
        assert!((found - 2.833_787_79).abs() < 1e-7, "{found}");
        // scipy: poisson.cdf at 8 and 9 of the same weights: 0.9658 and 0.9841.
        let parts = [(0.5, vec![2.0]), (0.5, vec![5.0])];
        assert_eq!(mixed_quantile(Family::Poisson, &parts, 0.975), Some(9.0));
        assert_eq!(mixed_quantile(Family::Poisson, &parts, 0.025), Some(0.0));
    }

    #[test]
    fn positive_numbers_stay_positive() {
        let low = Link::Logarithm.moved(2.0, -20.0);
        assert!(low > 0.0 && low < 1e-3);
        let high = Link::Logit(1.0).moved(0.9, 0.5);
        assert!(high < 1.0 && high > 0.9);
        assert_eq!(Link::Logarithm.moved(0.0, 1.0), 0.0);
    }
}
