//! Coordinates without bounds.
//!
//! Enters: bounds of parameters. Leaves: a coordinate z for each that is not held: the parameter
//! itself, the logarithm of its distance from its one bound, or the logit of where it is between
//! two; and the logarithm of the derivative of parameters by z, which a density gains (B. Carpenter
//! et al., J. Stat. Softw. 76, 1, 2017). Must not know densities.

/// How one parameter is mapped.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Map {
    Identity,
    /// Above a bound.
    Above(f64),
    /// Below a bound.
    Below(f64),
    Between(f64, f64),
    Held(f64),
}

/// A parameter at a coordinate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mapped {
    value: f64,
    /// dx/dz
    slope: f64,
    /// ln |dx/dz|
    log_slope: f64,
    /// Its derivative by z.
    log_slope_slope: f64,
}

impl Map {
    fn new(low: f64, high: f64) -> Map {
        match (low.is_finite(), high.is_finite()) {
            (true, true) if low >= high => Map::Held(low),
            (true, true) => Map::Between(low, high),
            (true, false) => Map::Above(low),
            (false, true) => Map::Below(high),
            (false, false) => Map::Identity,
        }
    }

    fn at(self, z: f64) -> Mapped {
        match self {
            Map::Identity | Map::Held(_) => Mapped {
                value: if let Map::Held(value) = self {
                    value
                } else {
                    z
                },
                slope: 1.0,
                log_slope: 0.0,
                log_slope_slope: 0.0,
            },
            Map::Above(low) => Mapped {
                value: low + z.exp(),
                slope: z.exp(),
                log_slope: z,
                log_slope_slope: 1.0,
            },
            Map::Below(high) => Mapped {
                value: high - z.exp(),
                slope: -z.exp(),
                log_slope: z,
                log_slope_slope: 1.0,
            },
            Map::Between(low, high) => {
                // Of the two parts that add up to 1 each is exact where it is small.
                let (below, above) = (1.0 / (1.0 + (-z).exp()), 1.0 / (1.0 + z.exp()));
                let width = high - low;
                let value = if z < 0.0 {
                    low + width * below
                } else {
                    high - width * above
                };
                Mapped {
                    value,
                    slope: width * below * above,
                    // ln(p (1 - p)) = -|z| - 2 ln(1 + exp(-|z|)), without overflow.
                    log_slope: width.ln() - z.abs() - 2.0 * (-z.abs()).exp().ln_1p(),
                    log_slope_slope: above - below,
                }
            }
        }
    }

    /// The coordinate of a value; not finite on a bound.
    fn inverse(self, value: f64) -> f64 {
        match self {
            Map::Identity | Map::Held(_) => value,
            Map::Above(low) => (value - low).ln(),
            Map::Below(high) => (high - value).ln(),
            Map::Between(low, high) => (value - low).ln() - (high - value).ln(),
        }
    }
}

/// The maps of m parameters, n of which are not held.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unconstrained {
    maps: Vec<Map>,
}

impl Unconstrained {
    pub fn new(bounds: &[(f64, f64)]) -> Unconstrained {
        let maps = bounds.iter().map(|(low, high)| Map::new(*low, *high));
        Unconstrained {
            maps: maps.collect(),
        }
    }

    /// n
    pub fn dimension(&self) -> usize {
        self.free().count()
    }

    /// The positions of the parameters that are not held.
    pub fn free(&self) -> impl Iterator<Item = usize> {
        let maps = self.maps.iter().enumerate();
        maps.filter(|(_, map)| !matches!(map, Map::Held(_)))
            .map(|(at, _)| at)
    }

    /// All maps, each with its coordinate.
    fn mapped(&self, z: &[f64]) -> impl Iterator<Item = (Map, Mapped)> {
        let mut coordinates = z.iter();
        self.maps.iter().map(move |map| {
            let z = match map {
                Map::Held(_) => 0.0,
                _ => coordinates.next().copied().unwrap_or(f64::NAN),
            };
            (*map, map.at(z))
        })
    }

    /// m parameters at n coordinates.
    pub fn parameters(&self, z: &[f64]) -> Vec<f64> {
        self.mapped(z).map(|(_, mapped)| mapped.value).collect()
    }

    /// n coordinates of m parameters.
    pub fn coordinates(&self, parameters: &[f64]) -> Vec<f64> {
        let pairs = self.maps.iter().zip(parameters);
        pairs
            .filter(|(map, _)| !matches!(map, Map::Held(_)))
            .map(|(map, value)| map.inverse(*value))
            .collect()
    }

    /// The derivative of each of the n parameters by its coordinate.
    pub fn slopes(&self, z: &[f64]) -> Vec<f64> {
        let free = self
            .mapped(z)
            .filter(|(map, _)| !matches!(map, Map::Held(_)));
        free.map(|(_, mapped)| mapped.slope).collect()
    }

    /// What the logarithm of a density gains.
    pub fn gain(&self, z: &[f64]) -> f64 {
        self.mapped(z).map(|(_, mapped)| mapped.log_slope).sum()
    }

    /// Turns the m derivatives of a log density by parameters into those by n coordinates, with
    /// what it gains.
    pub fn gradient(&self, z: &[f64], by_parameters: &[f64], by_coordinates: &mut [f64]) {
        let pairs = self.mapped(z).zip(by_parameters);
        let free = pairs.filter(|((map, _), _)| !matches!(map, Map::Held(_)));
        for (((_, mapped), derivative), out) in free.zip(by_coordinates) {
            *out = derivative * mapped.slope + mapped.log_slope_slope;
        }
    }

    /// How far a relative change by `part` moves each of the n coordinates at z.
    pub fn reach(&self, z: &[f64], part: f64) -> Vec<f64> {
        let free = self.maps.iter().filter(|map| !matches!(map, Map::Held(_)));
        free.zip(z)
            .map(|(map, z)| match map {
                Map::Identity if *z != 0.0 => part * z.abs(),
                _ => part,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_and_their_derivatives_agree() {
        let infinite = f64::INFINITY;
        let bounds = [
            (-infinite, infinite),
            (2.0, infinite),
            (-infinite, -1.0),
            (-1.0, 3.0),
            (5.0, 5.0),
        ];
        let unconstrained = Unconstrained::new(&bounds);
        assert_eq!(unconstrained.dimension(), 4);
        let parameters = [0.3, 2.5, -4.0, 2.7, 5.0];
        let z = unconstrained.coordinates(&parameters);
        for (value, expected) in unconstrained.parameters(&z).iter().zip(parameters) {
            assert!((value - expected).abs() < 1e-14);
        }
        // Against central differences, accurate to the square of the step.
        let step = 1e-5;
        let mut gradient = vec![0.0; 4];
        unconstrained.gradient(&z, &[0.0; 5], &mut gradient);
        for at in 0..4 {
            let (mut left, mut right) = (z.clone(), z.clone());
            left[at] -= step;
            right[at] += step;
            let gain = unconstrained.gain(&right) - unconstrained.gain(&left);
            assert!((gain / 2.0 / step - gradient[at]).abs() < 1e-8);
            let moved = unconstrained.parameters(&right)[at] - unconstrained.parameters(&left)[at];
            assert!((moved / 2.0 / step - unconstrained.slopes(&z)[at]).abs() < 1e-8);
        }
        let slopes = unconstrained.slopes(&z);
        let logs: f64 = slopes.iter().map(|slope| slope.abs().ln()).sum();
        assert!((logs - unconstrained.gain(&z)).abs() < 1e-12);
    }

    #[test]
    fn far_coordinates_stay_finite() {
        let unconstrained = Unconstrained::new(&[(0.0, 1.0)]);
        assert!((unconstrained.gain(&[800.0]) + 800.0).abs() < 1e-9);
        assert_eq!(unconstrained.parameters(&[800.0]), [1.0]);
    }
}
