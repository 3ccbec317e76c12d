//! The exponential of a small dense matrix.
//!
//! Scaling and squaring with the diagonal Pade approximants of orders 3, 5, 7, 9 and 13: Higham,
//! SIAM J. Matrix Anal. Appl. 26 (2005) 1179-1193, with the scaling of Al-Mohy & Higham, SIAM J.
//! Matrix Anal. Appl. 31 (2009) 970-989, which looks at norms of powers, so that matrices far from
//! normal are not scaled too much.
//!
//! Enters: a matrix column by column. Leaves: its exponential, with an error of about n times
//! round-off times the norm of the matrix. Must not know what it is for.

/// Largest 1-norm for which the approximant of each order has a backward error within round-off
/// (Higham 2005, table 2.3); for order 13 the smaller bound of Al-Mohy & Higham 2009.
const THETA_3: f64 = 1.495_585_217_958_292e-2;
const THETA_5: f64 = 2.539_398_330_063_23e-1;
const THETA_7: f64 = 9.504_178_996_162_932e-1;
const THETA_9: f64 = 2.097_847_961_257_068;
const THETA_13: f64 = 4.25;

/// Coefficients of the numerators, lowest power first.
const PADE_3: [f64; 4] = [120.0, 60.0, 12.0, 1.0];
const PADE_5: [f64; 6] = [30240.0, 15120.0, 3360.0, 420.0, 30.0, 1.0];
const PADE_7: [f64; 8] = [
    17_297_280.0,
    8_648_640.0,
    1_995_840.0,
    277_200.0,
    25_200.0,
    1_512.0,
    56.0,
    1.0,
];
const PADE_9: [f64; 10] = [
    17_643_225_600.0,
    8_821_612_800.0,
    2_075_673_600.0,
    302_702_400.0,
    30_270_240.0,
    2_162_160.0,
    110_880.0,
    3_960.0,
    90.0,
    1.0,
];
pub(super) const PADE_13: [f64; 14] = [
    64_764_752_532_480_000.0,
    32_382_376_266_240_000.0,
    7_771_770_303_897_600.0,
    1_187_353_796_428_800.0,
    129_060_195_264_000.0,
    10_559_470_521_600.0,
    670_442_572_800.0,
    33_522_128_640.0,
    1_323_241_920.0,
    40_840_800.0,
    960_960.0,
    16_380.0,
    182.0,
    1.0,
];

/// Matrices with a larger norm are halved before their powers are taken, which then stay finite.
pub(super) const LARGEST_NORM: f64 = 1e40;

/// Working space for exponentials of n by n matrices; nothing is allocated after [`Self::new`].
#[derive(Debug, Clone)]
pub struct Exponential {
    n: usize,
    a: Vec<f64>,
    a2: Vec<f64>,
    a4: Vec<f64>,
    a6: Vec<f64>,
    odd: Vec<f64>,
    even: Vec<f64>,
    scratch: Vec<f64>,
    vectors: [Vec<f64>; 2],
}

impl Exponential {
    /// For matrices of `n` rows.
    #[must_use]
    pub fn new(n: usize) -> Exponential {
        let matrix = || vec![0.0; n * n];
        Exponential {
            n,
            a: matrix(),
            a2: matrix(),
            a4: matrix(),
            a6: matrix(),
            odd: matrix(),
            even: matrix(),
            scratch: matrix(),
            vectors: [vec![0.0; n], vec![0.0; n]],
        }
    }

    /// exp(`factor` * A) into `out`; both matrices column by column, n * n numbers. NaN throughout
    /// when `factor` * A is not finite; entries that are too large for a number are not finite.
    ///
    /// # Panics
    /// When a slice is not of that length.
    pub fn of(&mut self, factor: f64, a: &[f64], out: &mut [f64]) {
        let n = self.n;
        assert_eq!((a.len(), out.len()), (n * n, n * n), "an n by n matrix");
        if n == 0 {
            return;
        }
        for (to, from) in self.a.iter_mut().zip(a) {
            *to = factor * from;
        }
        let norm = one_norm(n, &self.a);
        if !norm.is_finite() {
            out.fill(f64::NAN);
            return;
        }
        let mut halvings = 0;
        if norm > LARGEST_NORM {
            halvings = halvings_to(norm, LARGEST_NORM);
            self.halve(halvings);
        }
        let (order, more) = self.order_and_scaling(norm * 0.5_f64.powi(halvings));
        self.approximate(order, out);
        for _ in 0..halvings + more {
            self.scratch.copy_from_slice(out);
            multiply(n, &self.scratch, &self.scratch, out);
        }
    }

    /// Halves A so many times.
    fn halve(&mut self, times: i32) {
        let factor = 0.5_f64.powi(times);
        self.a.iter_mut().for_each(|entry| *entry *= factor);
    }

    /// The order of the approximant, and how many times A was halved for it; the powers that it
    /// needs are left in place.
    fn order_and_scaling(&mut self, norm: f64) -> (i32, i32) {
        let n = self.n;
        multiply(n, &self.a, &self.a, &mut self.a2);
        if norm <= THETA_3 {
            return (3, 0);
        }
        multiply(n, &self.a2, &self.a2, &mut self.a4);
        if norm <= THETA_5 {
            return (5, 0);
        }
        multiply(n, &self.a2, &self.a4, &mut self.a6);
        // Bounds the norms of all higher even powers, each to the power of one over its exponent.
        let fourth = one_norm(n, &self.a4).sqrt().sqrt();
        let sixth = one_norm(n, &self.a6).cbrt().sqrt();
        let eta = fourth.max(sixth);
        for (order, theta) in [(7, THETA_7), (9, THETA_9)] {
            if norm <= theta || (eta <= theta && self.extra_halvings(order, norm, 0) == 0) {
                return (order, 0);
            }
        }
        let mut halvings = halvings_to(eta, THETA_13);
        halvings += self.extra_halvings(13, norm, halvings);
        self.halve(halvings);
        for (power, matrix) in [(2, &mut self.a2), (4, &mut self.a4), (6, &mut self.a6)] {
            let factor = 0.5_f64.powi(power * halvings);
            matrix.iter_mut().for_each(|entry| *entry *= factor);
        }
        (13, halvings)
    }

    /// Further halvings that bring the first term of the backward error, of order 2 m + 1, below
    /// round-off for A halved `halvings` times: l(A, m) of Al-Mohy & Higham 2009.
    fn extra_halvings(&mut self, order: i32, norm: f64, halvings: i32) -> i32 {
        let n = self.n;
        let scale = 0.5_f64.powi(halvings);
        let [v, w] = &mut self.vectors;
        v.fill(1.0);
        let mut log = 0.0;
        for _ in 0..=2 * order {
            for (column, w) in self.a.chunks_exact(n).zip(w.iter_mut()) {
                *w = column.iter().zip(v.iter()).map(|(a, v)| a.abs() * v).sum();
            }
            let largest = w.iter().fold(0.0_f64, |largest, w| largest.max(*w));
            if largest == 0.0 {
                return 0;
            }
            log += (largest * scale).log2();
            for (v, w) in v.iter_mut().zip(w.iter()) {
                *v = w / largest;
            }
        }
        let alpha = log - log2_error_constant(order) - (norm * scale).log2();
        // Round-off is 2^-53.
        let extra = ((alpha + 53.0) / f64::from(2 * order)).ceil();
        extra.clamp(0.0, 1000.0) as i32
    }

    /// The approximant (V - U)^-1 (V + U) of A into `out`.
    fn approximate(&mut self, order: i32, out: &mut [f64]) {
        let n = self.n;
        match order {
            3 => self.low_order(&PADE_3),
            5 => self.low_order(&PADE_5),
            7 => self.low_order(&PADE_7),
            9 => {
                // The eighth power takes the place that order 13 needs for sums.
                multiply(n, &self.a4, &self.a4, &mut self.scratch);
                self.low_order(&PADE_9);
            }
            _ => self.order_13(),
        }
        multiply(n, &self.a, &self.odd, out);
        for ((even, odd), u) in self.even.iter_mut().zip(&mut self.odd).zip(&*out) {
            (*even, *odd) = (*even - u, *even + u);
        }
        solve(n, &mut self.even, &mut self.odd);
        out.copy_from_slice(&self.odd);
    }

    /// The sums over odd powers (one factor A left out) and even powers, up to order 9.
    fn low_order(&mut self, coefficients: &[f64]) {
        let powers = [&self.a2, &self.a4, &self.a6, &self.scratch];
        self.odd.fill(0.0);
        self.even.fill(0.0);
        let pairs = coefficients.chunks_exact(2);
        for (k, pair) in pairs.enumerate() {
            let &[even, odd] = pair else { continue };
            match k.checked_sub(1).and_then(|k| powers.get(k)) {
                None => {
                    add_identity(self.n, even, &mut self.even);
                    add_identity(self.n, odd, &mut self.odd);
                }
                Some(power) => {
                    add(even, power, &mut self.even);
                    add(odd, power, &mut self.odd);
                }
            }
        }
    }

    fn order_13(&mut self) {
        let (n, b) = (self.n, &PADE_13);
        let halves = [(&mut self.odd, 1), (&mut self.even, 0)];
        for (sum, k) in halves {
            self.scratch.fill(0.0);
            add(b[12 + k], &self.a6, &mut self.scratch);
            add(b[10 + k], &self.a4, &mut self.scratch);
            add(b[8 + k], &self.a2, &mut self.scratch);
            multiply(n, &self.a6, &self.scratch, sum);
            add(b[6 + k], &self.a6, sum);
            add(b[4 + k], &self.a4, sum);
            add(b[2 + k], &self.a2, sum);
            add_identity(n, b[k], sum);
        }
    }
}

/// log2 of C(2m, m) (2m + 1)!, one over the error constant of the approximant of order m.
fn log2_error_constant(order: i32) -> f64 {
    let m = f64::from(order);
    let binomial: f64 = (1..=order).map(|k| (1.0 + m / f64::from(k)).log2()).sum();
    let factorial: f64 = (1..=2 * order + 1).map(|k| f64::from(k).log2()).sum();
    binomial + factorial
}

/// Halvings that bring `norm` below `bound`.
fn halvings_to(norm: f64, bound: f64) -> i32 {
    (norm / bound).log2().ceil().clamp(0.0, 3000.0) as i32
}

/// The largest column sum of absolute values; NaN when an entry is.
#[must_use]
pub fn one_norm(n: usize, a: &[f64]) -> f64 {
    let mut largest = 0.0;
    for column in a.chunks_exact(n.max(1)) {
        let sum: f64 = column.iter().map(|entry| entry.abs()).sum();
        if sum > largest || sum.is_nan() {
            largest = sum;
        }
    }
    largest
}

/// C = A B of n by n matrices.
fn multiply(n: usize, a: &[f64], b: &[f64], c: &mut [f64]) {
    for (c, b) in c.chunks_exact_mut(n).zip(b.chunks_exact(n)) {
        c.fill(0.0);
        for (&factor, a) in b.iter().zip(a.chunks_exact(n)) {
            if factor != 0.0 {
                for (c, a) in c.iter_mut().zip(a) {
                    *c += factor * a;
                }
            }
        }
    }
}

fn add(factor: f64, a: &[f64], sum: &mut [f64]) {
    for (sum, a) in sum.iter_mut().zip(a) {
        *sum += factor * a;
    }
}

fn add_identity(n: usize, factor: f64, sum: &mut [f64]) {
    sum.iter_mut()
        .step_by(n + 1)
        .for_each(|entry| *entry += factor);
}

/// X = A^-1 B in place of B, by elimination with partial pivoting. A is overwritten. A singular A
/// gives entries that are not finite: the denominators here never are singular (Higham 2005).
fn solve(n: usize, a: &mut [f64], b: &mut [f64]) {
    for k in 0..n {
        let column = &a[k * n..(k + 1) * n];
        let mut pivot = k;
        for row in k + 1..n {
            if column[row].abs() > column[pivot].abs() {
                pivot = row;
            }
        }
        if pivot != k {
            for column in a.chunks_exact_mut(n).chain(b.chunks_exact_mut(n)) {
                column.swap(k, pivot);
            }
        }
        let (before, after) = a.split_at_mut((k + 1) * n);
        let multipliers = &mut before[k * n..];
        let divisor = multipliers[k];
        for entry in &mut multipliers[k + 1..] {
            *entry /= divisor;
        }
        for column in after.chunks_exact_mut(n).chain(b.chunks_exact_mut(n)) {
            let factor = column[k];
            if factor != 0.0 {
                for (entry, multiplier) in column[k + 1..].iter_mut().zip(&multipliers[k + 1..]) {
                    *entry -= factor * multiplier;
                }
            }
        }
    }
    for column in b.chunks_exact_mut(n) {
        for k in (0..n).rev() {
            let (above, at) = column.split_at_mut(k);
            at[0] /= a[k * n + k];
            let factor = at[0];
            if factor != 0.0 {
                for (entry, a) in above.iter_mut().zip(&a[k * n..k * n + k]) {
                    *entry -= factor * a;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By rows, as papers print matrices.
    fn exponential(rows: &[&[f64]]) -> Vec<Vec<f64>> {
        let n = rows.len();
        let mut a = vec![0.0; n * n];
        for (i, row) in rows.iter().enumerate() {
            for (j, entry) in row.iter().enumerate() {
                a[j * n + i] = *entry;
            }
        }
        let mut out = vec![0.0; n * n];
        Exponential::new(n).of(1.0, &a, &mut out);
        (0..n)
            .map(|i| (0..n).map(|j| out[j * n + i]).collect())
            .collect()
    }

    fn assert_close(found: &[Vec<f64>], expected: &[&[f64]], within: f64) {
        let largest = expected
            .iter()
            .flat_map(|row| row.iter())
            .fold(0.0_f64, |largest, entry| largest.max(entry.abs()));
        for (found, expected) in found.iter().zip(expected) {
            for (found, expected) in found.iter().zip(*expected) {
                let error = (found - expected).abs() / largest;
                assert!(error <= within, "{found} for {expected}: {error:e}");
            }
        }
    }

    /// exp of a rotation's generator is the rotation, for angles that use every order and squaring.
    #[test]
    fn rotations() {
        for angle in [0.0_f64, 1e-9, 0.01, 0.2, 0.9, 2.0, 4.0, 30.0, 1000.0] {
            let found = exponential(&[&[0.0, -angle], &[angle, 0.0]]);
            let (s, c) = angle.sin_cos();
            let within = 4.0 * f64::EPSILON * angle.max(1.0);
            assert_close(&found, &[&[c, -s], &[s, c]], within);
        }
    }

    /// The series of a nilpotent matrix ends: exact whatever its size.
    #[test]
    fn nilpotent_matrices() {
        for size in [1e-3, 1.0, 1e6] {
            let found = exponential(&[&[0.0, size, 0.0], &[0.0, 0.0, size], &[0.0, 0.0, 0.0]]);
            let square = size * size / 2.0;
            let expected: [&[f64]; 3] = [&[1.0, size, square], &[0.0, 1.0, size], &[0.0, 0.0, 1.0]];
            assert_close(&found, &expected, 1e-15);
        }
    }

    /// A Jordan block: exp of [[a, 1], [0, a]] is e^a [[1, 1], [0, 1]].
    #[test]
    fn defective_matrices() {
        for a in [-30.0_f64, -1.0, 0.5, 20.0] {
            let found = exponential(&[&[a, 1.0], &[0.0, a]]);
            let e = a.exp();
            assert_close(&found, &[&[e, e], &[0.0, e]], 1e-14 * a.abs().max(1.0));
        }
    }

    /// Moler & Van Loan, SIAM Review 45 (2003) 3-49, section 3: their example for the failure of
    /// the Taylor series, eigenvalues -1 and -17. The digits follow from the eigenvectors (1, 2)
    /// and (3, 4): rows e^-1 (-2, 1.5), (-4, 3) plus e^-17 (3, -1.5), (4, -2).
    #[test]
    fn the_example_of_moler_and_van_loan() {
        let found = exponential(&[&[-49.0, 24.0], &[-64.0, 31.0]]);
        let (slow, fast) = ((-1.0_f64).exp(), (-17.0_f64).exp());
        let expected: [&[f64]; 2] = [
            &[-2.0 * slow + 3.0 * fast, 1.5 * slow - 1.5 * fast],
            &[-4.0 * slow + 4.0 * fast, 3.0 * slow - 2.0 * fast],
        ];
        assert_close(&found, &expected, 1e-13);
        // As printed there.
        assert!((found[0][0] + 0.735759).abs() < 5e-7 && (found[1][1] - 1.103638).abs() < 5e-7);
    }

    /// Far from normal: [[1, b], [0, -1]] has the exponential [[e, b sinh 1], [0, 1/e]]; scaling
    /// by the norm of 10^6 instead of by norms of powers would cost six digits (Al-Mohy & Higham
    /// 2009, section 1).
    #[test]
    fn matrices_far_from_normal() {
        let b = 1e6;
        let found = exponential(&[&[1.0, b], &[0.0, -1.0]]);
        let e = 1.0_f64.exp();
        for (found, expected) in [
            (found[0][0], e),
            (found[0][1], b * 1.0_f64.sinh()),
            (found[1][1], 1.0 / e),
        ] {
            assert!((found / expected - 1.0).abs() < 1e-13, "{found}");
        }
    }

    /// Reversible exchange at rates k and 1: columns sum to one, and the state at equilibrium is
    /// (1, k)/(1 + k).
    #[test]
    fn a_spread_of_rates() {
        for k in [1e3, 1e6, 1e9] {
            let found = exponential(&[&[-k, 1.0], &[k, -1.0]]);
            let share = k / (1.0 + k);
            let expected: [&[f64]; 2] = [&[1.0 - share, 1.0 - share], &[share, share]];
            assert_close(&found, &expected, 1e-15 * k);
        }
    }

    #[test]
    fn what_is_too_large_or_no_number_says_so() {
        assert!(exponential(&[&[1000.0]])[0][0].is_infinite());
        assert!(exponential(&[&[f64::NAN]])[0][0].is_nan());
        assert_eq!(exponential(&[&[-1e300]])[0][0], 0.0);
        assert!(exponential(&[]).is_empty());
    }

    #[test]
    fn the_error_constant_of_order_13() {
        let expected = 113_250_775_606_021_113_483_283_660_800_000_000.0_f64.log2();
        assert!((log2_error_constant(13) - expected).abs() < 1e-12);
    }
}
