//! Where Newton's iterations begin: points that fill a box evenly.
//!
//! The additive sequence of M. Roberts (The unreasonable effectiveness of quasirandom sequences,
//! 2018): multiples of the powers of 1/phi, phi the positive root of x^(d+1) = x + 1, modulo 1. It
//! is the golden-ratio sequence for d = 1. The points are spread in turn over the sizes that are met
//! on a run, over the decades of the box, over a box ten times as large as these sizes, and evenly
//! over the whole box.

use super::region::Region;

/// Decades below the high end that are searched.
const DECADES: f64 = 10.0;

/// An endless series of points of a box.
#[derive(Debug, Clone)]
pub(super) struct Starts {
    steps: Vec<f64>,
    shifts: Vec<f64>,
    next: u32,
}

impl Starts {
    /// Points of `dimension` numbers; `seed` shifts them.
    pub fn new(dimension: usize, seed: u64) -> Starts {
        let degree = f64::from(u32::try_from(dimension + 1).unwrap_or(u32::MAX));
        let phi = (0..60).fold(2.0_f64, |x, _| (1.0 + x).powf(1.0 / degree));
        let mut power = 1.0;
        let steps = (0..dimension).map(|_| {
            power /= phi;
            power
        });
        let mut state = seed;
        Starts {
            steps: steps.collect(),
            shifts: (0..dimension).map(|_| uniform(&mut state)).collect(),
            next: 0,
        }
    }

    /// The next point of the unit cube, with its number.
    fn unit(&mut self) -> (u32, Vec<f64>) {
        let number = self.next;
        self.next += 1;
        let pairs = self.steps.iter().zip(&self.shifts);
        let point = pairs.map(|(step, shift)| (shift + f64::from(number + 1) * step).fract());
        (number, point.collect())
    }

    /// The next point of a box; `met` holds the states of a run.
    pub fn point(&mut self, region: &Region, met: &Region) -> Vec<f64> {
        let (number, unit) = self.unit();
        let ranges = region.ranges().zip(met.ranges()).zip(unit);
        ranges
            .map(|(((low, high), (least, most)), u)| match number % 4 {
                kind @ (0 | 2) => {
                    let size = most.abs().max(least.abs());
                    let margin = if kind == 0 {
                        0.5 * (most - least).max(0.1 * size)
                    } else {
                        10.0 * size
                    };
                    let (from, to) = ((least - margin).max(low), (most + margin).min(high));
                    if from < to {
                        from + u * (to - from)
                    } else {
                        low + u * (high - low)
                    }
                }
                1 => over_decades(low, high, u),
                _ => low + u * (high - low),
            })
            .collect()
    }
}

/// Spread evenly over the logarithm of the distance to zero, or to the end that is nearer to it.
fn over_decades(low: f64, high: f64, u: f64) -> f64 {
    let size = |u: f64| 10.0_f64.powf(-DECADES * u);
    if low < 0.0 && high > 0.0 {
        if u < 0.5 {
            high * size(2.0 * u)
        } else {
            low * size(2.0 * u - 1.0)
        }
    } else if low >= 0.0 {
        low + (high - low) * size(u)
    } else {
        high + (low - high) * size(u)
    }
}

/// A number from 0 to 1 (S. Vigna's splitmix64).
#[expect(clippy::cast_precision_loss, reason = "53 bits")]
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_fill_the_box_evenly() {
        let mut starts = Starts::new(2, 1);
        let mut cells = [0; 100];
        for _ in 0..1000 {
            let (_, point) = starts.unit();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a cell from 0 to 9"
            )]
            let cell = |x: f64| (10.0 * x) as usize;
            cells[10 * cell(point[0]) + cell(point[1])] += 1;
        }
        // Random points would leave cells with 1 to 20.
        assert!(
            cells.iter().all(|count| (7..=13).contains(count)),
            "{cells:?}"
        );
    }

    #[test]
    fn positive_ranges_are_searched_over_decades() {
        assert!((over_decades(0.0, 10.0, 0.4) - 1e-3).abs() < 1e-12);
        assert!((over_decades(-10.0, 10.0, 0.7) + 1e-3).abs() < 1e-12);
    }
}
