//! Points that fill a cube evenly: the Sobol' sequence.
//!
//! Enters: the number of a point. Leaves: its coordinates. Must not know what they stand for.
//!
//! I. M. Sobol', USSR Comput. Math. Math. Phys. 7 (1967) 86-112, in the order of Gray codes (I. A.
//! Antonov & V. M. Saleev, USSR Comput. Math. Math. Phys. 19 (1979) 252-256), with the primitive
//! polynomials and initial direction numbers of S. Joe & F. Y. Kuo, SIAM J. Sci. Comput. 30 (2008)
//! 2635-2654. Point 0 is the corner where all coordinates are 0: leaving it out would spoil the
//! balance of the first 2^m points (A. B. Owen, arXiv:2008.08051).

/// Binary digits of a coordinate.
const DIGITS: usize = 32;

/// Of each dimension from the second on: the inner coefficients of its primitive polynomial as
/// binary digits, and the initial direction numbers, as many as its degree.
const INITIAL: [(u32, &[u32]); 20] = [
    (0, &[1]),
    (1, &[1, 3]),
    (1, &[1, 3, 1]),
    (2, &[1, 1, 1]),
    (1, &[1, 1, 3, 3]),
    (4, &[1, 3, 5, 13]),
    (2, &[1, 1, 5, 5, 17]),
    (4, &[1, 1, 5, 5, 5]),
    (7, &[1, 1, 7, 11, 19]),
    (11, &[1, 1, 5, 1, 1]),
    (13, &[1, 1, 1, 3, 11]),
    (14, &[1, 3, 5, 5, 31]),
    (1, &[1, 3, 3, 9, 7, 49]),
    (13, &[1, 1, 1, 15, 21, 21]),
    (16, &[1, 3, 1, 13, 27, 49]),
    (19, &[1, 1, 1, 15, 7, 5]),
    (22, &[1, 3, 1, 15, 13, 25]),
    (25, &[1, 1, 5, 5, 19, 61]),
    (1, &[1, 3, 7, 11, 23, 15, 103]),
    (4, &[1, 3, 7, 13, 13, 15, 69]),
];

/// Coordinates that a point may have.
pub(super) const MOST_DIMENSIONS: usize = INITIAL.len() + 1;

/// The direction numbers of a cube.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sobol {
    directions: Vec<[u32; DIGITS]>,
}

impl Sobol {
    /// A cube of at most [`MOST_DIMENSIONS`] dimensions; more are left out.
    pub fn new(dimensions: usize) -> Sobol {
        let first = std::array::from_fn(|k| 1 << (DIGITS - 1 - k));
        let others = INITIAL
            .iter()
            .map(|(inner, initial)| directions(*inner, initial));
        Sobol {
            directions: std::iter::once(first)
                .chain(others)
                .take(dimensions)
                .collect(),
        }
    }

    /// The coordinates of a point, each at least 0 and below 1.
    pub fn point(&self, number: u32) -> impl Iterator<Item = f64> + '_ {
        let gray = number ^ (number >> 1);
        self.directions.iter().map(move |of| {
            let taken = of.iter().enumerate().filter(|(k, _)| gray >> k & 1 == 1);
            let digits = taken.fold(0, |sum, (_, direction)| sum ^ direction);
            f64::from(digits) / 2.0_f64.powi(DIGITS as i32)
        })
    }
}

/// All direction numbers of a dimension, by the recurrence of its polynomial.
fn directions(inner: u32, initial: &[u32]) -> [u32; DIGITS] {
    let degree = initial.len();
    let mut found = [0; DIGITS];
    for k in 0..DIGITS {
        found[k] = match initial.get(k) {
            Some(number) => number << (DIGITS - 1 - k),
            None => {
                let before = found[k - degree];
                let mut next = before ^ (before >> degree);
                for j in 1..degree {
                    if inner >> (degree - 1 - j) & 1 == 1 {
                        next ^= found[k - j];
                    }
                }
                next
            }
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_points_are_those_of_the_literature() {
        // P. Bratley & B. L. Fox, ACM Trans. Math. Softw. 14 (1988) 88-100, in Gray order.
        let sobol = Sobol::new(3);
        let points: Vec<Vec<f64>> = (0..5).map(|at| sobol.point(at).collect()).collect();
        let expected = [
            [0.0, 0.0, 0.0],
            [0.5, 0.5, 0.5],
            [0.75, 0.25, 0.25],
            [0.25, 0.75, 0.75],
            [0.375, 0.375, 0.625],
        ];
        assert_eq!(points, expected);
    }

    #[test]
    fn each_coordinate_meets_each_of_256_equal_parts_once() {
        let sobol = Sobol::new(MOST_DIMENSIONS);
        let mut met = vec![[0; 256]; MOST_DIMENSIONS];
        for number in 0..256 {
            for (of, x) in met.iter_mut().zip(sobol.point(number)) {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a part from 0 to 255"
                )]
                let part = (x * 256.0) as usize;
                of[part] += 1;
            }
        }
        assert!(met.iter().flatten().all(|count| *count == 1));
    }

    #[test]
    fn every_pair_of_coordinates_fills_the_square() {
        // Every quarter of the unit square holds a quarter of the points, for any two coordinates.
        let sobol = Sobol::new(MOST_DIMENSIONS);
        let points: Vec<Vec<f64>> = (0..4096).map(|at| sobol.point(at).collect()).collect();
        for i in 0..MOST_DIMENSIONS {
            for j in 0..i {
                let inside = points.iter().filter(|x| x[i] < 0.5 && x[j] < 0.5).count();
                assert_eq!(inside, 1024, "{i} and {j}");
            }
        }
    }
}
