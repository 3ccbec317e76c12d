//! The integral of a likelihood over a standard normal number z, as weights of nodes.
//!
//! The integrand exp(l(z)) phi(z) is looked at from far out to find its peaks, and summed between the
//! points where it is negligible by the trapezoidal rule, which converges exponentially for smooth
//! integrands that vanish at both ends (L. N. Trefethen, J. A. C. Weideman, SIAM Rev. 56, 385,
//! 2014). Where half the nodes do not give the same sum, there is an edge: the pieces between the
//! edges are summed by the double-exponential formula (H. Takahasi, M. Mori, Publ. RIMS 9, 721,
//! 1974).
//!
//! Enters: a function. Leaves: a [`Weighted`]. Must not know distributions.

use std::f64::consts::{FRAC_PI_2, TAU};

/// Far out the integrand is this many natural logarithms below its peak: its digits are used up.
const DROP: f64 = 38.0;
/// Where the integrand is looked at first, on either side of 0.
const PLACES: [f64; 19] = [
    0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0, 10.0, 14.0, 20.0, 30.0, 50.0, 100.0,
    300.0, 1000.0,
];
/// Intervals of the trapezoidal rule: so many at first, doubled a few times.
const INTERVALS: usize = 48;
const DOUBLINGS: u32 = 3;
/// Half the nodes give the sum to these digits: all of them give it to twice as many.
const AGREEMENT: f64 = 1e-8;
/// Nodes of a piece between edges: t up to plus and minus this, so many for each unit.
const HALF_WIDTH: f64 = 3.2;
const NODES_PER_UNIT: u32 = 24;
/// Places at which edges are looked for.
const LOOKS: usize = 128;

/// The integrand at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Height {
    /// l(z); minus infinity where there is no density.
    pub log: f64,
    /// Which formula gave it: the integrand is smooth where this does not change.
    pub side: u8,
}

/// An integral as a sum.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weighted {
    /// Its logarithm.
    pub log: f64,
    /// Nodes z with their shares, which add up to 1.
    pub nodes: Vec<(f64, f64)>,
}

/// Integrates exp(l(z)) phi(z); `hint` is a place where l may have a peak of its own. `None` where
/// nothing is found that is not zero.
pub(super) fn weighted(
    function: &mut dyn FnMut(f64) -> Height,
    hint: Option<f64>,
) -> Option<Weighted> {
    let mut log = |z: f64| function(z).log - 0.5 * z * z;
    let (low, high) = support(&mut log, hint)?;
    for doubling in 0..=DOUBLINGS {
        let intervals = INTERVALS << doubling;
        let (all, differs) = trapezoidal(&mut log, (low, high), intervals)?;
        if !differs {
            return Some(all);
        }
    }
    pieces(function, (low, high))
}

/// Between which places the integrand counts.
fn support(log: &mut dyn FnMut(f64) -> f64, hint: Option<f64>) -> Option<(f64, f64)> {
    let mut places: Vec<f64> = PLACES.iter().flat_map(|z| [-z, *z]).chain([0.0]).collect();
    places.extend(hint.filter(|z| z.is_finite()));
    places.sort_by(f64::total_cmp);
    let seen: Vec<(f64, f64)> = places.iter().map(|z| (*z, log(*z))).collect();
    let finite = seen
        .iter()
        .enumerate()
        .filter(|(_, (_, log))| log.is_finite());
    let (best, (at, top)) = finite.max_by(|a, b| a.1.1.total_cmp(&b.1.1))?;
    let gap = |other: Option<usize>| {
        other
            .and_then(|other| seen.get(other))
            .map_or(1.0, |(z, _)| (z - at).abs())
    };
    let near = gap(best.checked_sub(1)).min(gap(Some(best + 1)));
    let (at, top, step) = peak(log, (*at, *top), 0.5 * near.max(1e-12));
    let (mut low, mut high) = (reach(log, (at, top), -step), reach(log, (at, top), step));
    // Other peaks that count.
    for (z, height) in &seen {
        if *height > top - DROP && *z < low {
            low = reach(log, (*z, top), -step.max(0.1));
        }
        if *height > top - DROP && *z > high {
            high = reach(log, (*z, top), step.max(0.1));
        }
    }
    Some((low, high))
}

/// Climbs to a peak; with it a step over which the integrand falls little.
fn peak(
    log: &mut dyn FnMut(f64) -> f64,
    (mut at, mut top): (f64, f64),
    mut step: f64,
) -> (f64, f64, f64) {
    /// Gains below this, and falls below the other, are none.
    const GAIN: f64 = 1e-3;
    const FALL: f64 = 0.5;
    const MOST: u32 = 400;
    for _ in 0..MOST {
        let (left, right) = (log(at - step), log(at + step));
        if left.max(right) > top + GAIN {
            (at, top) = match right >= left {
                true => (at + step, right),
                false => (at - step, left),
            };
            continue;
        }
        let is_flat = left > top - FALL && right > top - FALL;
        if is_flat || step < 1e-13 * (1.0 + at.abs()) {
            break;
        }
        step *= 0.5;
    }
    (at, top, step)
}

/// The place beyond which the integrand is negligible, in the direction of a step.
fn reach(log: &mut dyn FnMut(f64) -> f64, (from, top): (f64, f64), step: f64) -> f64 {
    const MOST: u32 = 200;
    const BISECTIONS: u32 = 8;
    let is_over = |height: f64| height.is_nan() || height < top - DROP;
    let (mut inside, mut step) = (from, step);
    let mut outside = from + step;
    for _ in 0..MOST {
        outside = inside + step;
        if is_over(log(outside)) {
            break;
        }
        inside = outside;
        step *= 2.0;
    }
    for _ in 0..BISECTIONS {
        let middle = 0.5 * (inside + outside);
        if is_over(log(middle)) {
            outside = middle;
        } else {
            inside = middle;
        }
    }
    outside
}

/// The sum over even distances, and whether every other node tells another sum.
fn trapezoidal(
    log: &mut dyn FnMut(f64) -> f64,
    (low, high): (f64, f64),
    intervals: usize,
) -> Option<(Weighted, bool)> {
    let width = (high - low) / intervals as f64;
    let terms: Vec<(f64, f64)> = (0..=intervals)
        .map(|at| low + at as f64 * width)
        .map(|z| (z, log(z)))
        .collect();
    let coarse: Vec<(f64, f64)> = terms.iter().copied().step_by(2).collect();
    let (all, coarse) = (summed(terms, width)?, summed(coarse, 2.0 * width));
    let differs = coarse.is_none_or(|coarse| (coarse.log - all.log).abs() > AGREEMENT);
    Some((all, differs))
}

/// Nodes with the logarithms of their terms, as shares of their sum times a width.
fn summed(mut terms: Vec<(f64, f64)>, width: f64) -> Option<Weighted> {
    let top = terms.iter().map(|(_, log)| *log).fold(f64::MIN, f64::max);
    if top == f64::MIN {
        return None;
    }
    let mut total = 0.0;
    for (_, term) in &mut terms {
        *term = (*term - top).exp();
        // What is not a number has no density.
        if !term.is_finite() {
            *term = 0.0;
        }
        total += *term;
    }
    terms.retain(|(_, share)| *share > 0.0);
    for (_, share) in &mut terms {
        *share /= total;
    }
    Some(Weighted {
        log: top + (total * width).ln() - 0.5 * TAU.ln(),
        nodes: terms,
    })
}

/// The sum over pieces between edges.
fn pieces(function: &mut dyn FnMut(f64) -> Height, (low, high): (f64, f64)) -> Option<Weighted> {
    let mut ends = vec![low];
    let step = (high - low) / LOOKS as f64;
    let mut before = side(function, low);
    for at in 1..=LOOKS {
        let z = low + at as f64 * step;
        let here = side(function, z);
        if here != before {
            ends.push(edge(function, (z - step, before), z));
        }
        before = here;
    }
    ends.push(high);
    let mut terms = Vec::new();
    for pair in ends.windows(2) {
        let (middle, half) = (0.5 * (pair[0] + pair[1]), 0.5 * (pair[1] - pair[0]));
        let nodes = f64::from(NODES_PER_UNIT);
        let count = (HALF_WIDTH * nodes) as i32;
        for node in -count..=count {
            let t = f64::from(node) / nodes;
            let u = FRAC_PI_2 * t.sinh();
            let z = middle + half * u.tanh();
            let slope = half * FRAC_PI_2 * t.cosh() / u.cosh().powi(2) / nodes;
            let height = function(z).log - 0.5 * z * z + slope.ln();
            if height.is_finite() {
                terms.push((z, height));
            }
        }
    }
    summed(terms, 1.0)
}

/// Which formula holds; one of its own where there is no density.
fn side(function: &mut dyn FnMut(f64) -> Height, z: f64) -> Option<u8> {
    let height = function(z);
    height.log.is_finite().then_some(height.side)
}

fn edge(
    function: &mut dyn FnMut(f64) -> Height,
    (mut inside, before): (f64, Option<u8>),
    mut outside: f64,
) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (inside + outside);
        if side(function, middle) == before {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    0.5 * (inside + outside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(log: impl Fn(f64) -> f64, hint: Option<f64>) -> Weighted {
        let mut function = |z| Height {
            log: log(z),
            side: 0,
        };
        weighted(&mut function, hint).unwrap()
    }

    fn mean(known: &Weighted) -> f64 {
        known.nodes.iter().map(|(z, share)| z * share).sum()
    }

    #[test]
    fn normal_likelihoods_of_any_width_and_place() {
        // Z = N(y; 0, 1 + w^2), the mean y/(1 + w^2).
        for (y, width) in [
            (0.3, 1.0),
            (8.0, 0.1),
            (-40.0, 3.0),
            (2e-4, 1e-6),
            (5.0, 1e4),
        ] {
            let log = |z: f64| -0.5 * ((y - z) / width).powi(2) - f64::ln(width) - 0.5 * TAU.ln();
            let found = of(log, Some(y));
            let total = 1.0 + width * width;
            let exact = -0.5 * y * y / total - 0.5 * (TAU * total).ln();
            assert!(
                (found.log - exact).abs() < 1e-10 * (1.0 + exact.abs()),
                "{y} {width}"
            );
            assert!(
                (mean(&found) - y / total).abs() < 1e-9 * (1.0 + y.abs()),
                "{y} {width}"
            );
        }
    }

    #[test]
    fn two_peaks_count_both() {
        // Student's t with 4 degrees of freedom, scale 0.1, at 8: scipy.integrate.quad of
        // t.pdf(8 - z, 4, scale=0.1) * norm.pdf(z), pieces split at 0 and 8.
        let log = |z: f64| {
            let w: f64 = (8.0 - z) / 0.1;
            // ln(gamma(2.5)/(gamma(2) sqrt(4 pi) 0.1)): the density at 0 of this t is 3.75.
            f64::ln(3.75) - 2.5 * (w * w / 4.0).ln_1p()
        };
        let found = of(log, Some(8.0));
        assert!(
            (found.log + 16.860_694_997_658_77).abs() < 1e-9,
            "{}",
            found.log
        );
        assert!(
            (mean(&found) - 0.699_718_071_363_359_1).abs() < 1e-8,
            "{}",
            mean(&found)
        );
    }

    #[test]
    fn half_a_normal_number_is_half() {
        let mut function = |z: f64| Height {
            log: if z < 0.0 { f64::NEG_INFINITY } else { 0.0 },
            side: 0,
        };
        let found = weighted(&mut function, None).unwrap();
        assert!((found.log - 0.5_f64.ln()).abs() < 1e-12);
        // sqrt(2/pi)
        assert!((mean(&found) - 0.797_884_560_802_865_4).abs() < 1e-12);
    }
}
