//! Mean and covariance of the state with their derivatives, and what a datum makes of them.
//!
//! A datum y of the state x with y = h x + noise of variance R, seen where the mean is m and the
//! covariance P: with c = P h, S = h c + R, K = c/S and nu = y - h m the mean moves by K nu and the
//! covariance becomes (1 - K h) P (1 - K h)^T + K R K^T (the form of P. D. Joseph, which rounding
//! keeps positive: R. S. Bucy, P. D. Joseph, Filtering for Stochastic Processes, 1968).
//!
//! Enters: a [`Gaussian`], a [`Seen`]. Leaves: the [`Gaussian`] after it and an [`Outcome`].

/// What a datum must add to what is known, as a share of what was uncertain at its time: less is
/// the rounding of a covariance that data before have brought to zero.
const ROUNDING: f64 = 1e-12;
/// Where nothing is uncertain, a datum agrees with the state when it differs by no more than this
/// share of its size.
const AGREEMENT: f64 = 1e-9;

/// Mean and covariance of n states, or their derivatives by a quantity.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moments {
    /// n numbers.
    pub mean: Vec<f64>,
    /// n by n numbers, symmetric.
    pub covariance: Vec<f64>,
}

/// What is known of the state, with its derivatives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gaussian {
    /// Mean and covariance.
    pub value: Moments,
    /// Their derivatives: one for each of d quantities.
    pub along: Vec<Moments>,
}

/// How what is seen depends on the state, or a derivative of that.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Sight {
    /// At the mean before all data of this time. A derivative follows that mean.
    pub expected: f64,
    /// Its derivative by the state there, h: n numbers.
    pub slope: Vec<f64>,
    /// R, of the noise of measurement; 0 without.
    pub variance: f64,
}

/// A datum and how it depends on the state.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Seen {
    /// y
    pub value: f64,
    /// h
    pub sight: Sight,
    /// One for each of d quantities.
    pub along: Vec<Sight>,
}

/// nu with S, or their derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Deviation {
    /// What was seen beyond what was expected.
    pub value: f64,
    /// Its variance.
    pub variance: f64,
}

/// What a datum says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// Something: the deviation and its derivatives by d quantities.
    Informs(Deviation, Vec<Deviation>),
    /// What was certain before.
    Agrees,
    /// What was certainly not so, or nothing that is a number.
    Contradicts,
}

/// Takes a datum into account. `before` is what was known before all data of this time, where
/// they are linearised.
pub(super) fn condition(known: &mut Gaussian, before: &Gaussian, seen: &Seen) -> Outcome {
    let (h, r) = (&seen.sight.slope, seen.sight.variance);
    let moved = difference(&known.value.mean, &before.value.mean);
    let expected = seen.sight.expected + dot(h, &moved);
    let c = product(&known.value.covariance, h);
    let s = dot(h, &c) + r;
    let nu = seen.value - expected;
    let whole = dot(h, &product(&before.value.covariance, h)) + r;
    if !(s.is_finite() && nu.is_finite()) || s < -ROUNDING * whole.abs() {
        return Outcome::Contradicts;
    }
    if s <= ROUNDING * whole || s <= 0.0 {
        let size = seen.value.abs().max(seen.sight.expected.abs());
        return if nu.abs() <= AGREEMENT * size {
            Outcome::Agrees
        } else {
            Outcome::Contradicts
        };
    }
    let gain: Vec<f64> = c.iter().map(|c| c / s).collect();
    // (1 - K h) P, and what of it meets h again.
    let mut left = known.value.covariance.clone();
    subtract_outer(&mut left, &gain, &c);
    let rest = product(&left, h);
    let mut changes = Vec::with_capacity(known.along.len());
    let pairs = known.along.iter_mut().zip(&before.along).zip(&seen.along);
    for ((along, before), sight) in pairs {
        let dh = &sight.slope;
        let dp_h = product(&along.covariance, h);
        let mut dc = product(&known.value.covariance, dh);
        add_scaled(&mut dc, 1.0, &dp_h);
        let ds = dot(dh, &c) + dot(h, &dc) + sight.variance;
        let drift = difference(&along.mean, &before.mean);
        let dnu = -(sight.expected + dot(dh, &moved) + dot(h, &drift));
        let pairs = dc.iter().zip(&gain);
        let dgain: Vec<f64> = pairs.map(|(dc, k)| (dc - k * ds) / s).collect();
        add_scaled(&mut along.mean, nu, &dgain);
        add_scaled(&mut along.mean, dnu, &gain);
        // (1 - K h) dP (1 - K h)^T
        subtract_outer(&mut along.covariance, &gain, &dp_h);
        let turned = product(&along.covariance, h);
        subtract_outer(&mut along.covariance, &turned, &gain);
        // The moves of (1 - K h) and of K R K^T, from both sides.
        let mut weights = rest.clone();
        add_scaled(&mut weights, -r, &gain);
        subtract_outer(&mut along.covariance, &dgain, &weights);
        subtract_outer(&mut along.covariance, &weights, &dgain);
        let shed = product(&left, dh);
        subtract_outer(&mut along.covariance, &gain, &shed);
        subtract_outer(&mut along.covariance, &shed, &gain);
        let scaled: Vec<f64> = gain.iter().map(|k| -sight.variance * k).collect();
        subtract_outer(&mut along.covariance, &scaled, &gain);
        symmetrise(&mut along.covariance, h.len());
        changes.push(Deviation {
            value: dnu,
            variance: ds,
        });
    }
    add_scaled(&mut known.value.mean, nu, &gain);
    subtract_outer(&mut left, &rest, &gain);
    let scaled: Vec<f64> = gain.iter().map(|k| -r * k).collect();
    subtract_outer(&mut left, &scaled, &gain);
    symmetrise(&mut left, h.len());
    known.value.covariance = left;
    let deviation = Deviation {
        value: nu,
        variance: s,
    };
    Outcome::Informs(deviation, changes)
}

/// The one state that a datum shows; `None` when it shows several, or none.
pub(super) fn shown(seen: &Seen) -> Option<usize> {
    let mut shown = (0..seen.sight.slope.len()).filter(|at| seen.sight.slope[*at] != 0.0);
    shown.next().filter(|_| shown.next().is_none())
}

/// Puts the one state that a datum shows where the datum has it. For a start that is certain and is
/// seen without noise: the datum is the start.
pub(super) fn place(known: &mut Gaussian, before: &Gaussian, seen: &Seen, at: usize) {
    let slope = seen.sight.slope[at];
    let shift = (seen.value - seen.sight.expected) / slope;
    known.value.mean[at] = before.value.mean[at] + shift;
    let moves = known.along.iter_mut().zip(&before.along);
    for ((along, before), sight) in moves.zip(&seen.along) {
        along.mean[at] = before.mean[at] - (sight.expected + shift * sight.slope[at]) / slope;
    }
}

/// M x, M symmetric.
pub(super) fn product(matrix: &[f64], x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    for (column, x) in matrix.chunks_exact(x.len().max(1)).zip(x) {
        add_scaled(&mut out, *x, column);
    }
    out
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn add_scaled(to: &mut [f64], factor: f64, more: &[f64]) {
    for (to, more) in to.iter_mut().zip(more) {
        *to += factor * more;
    }
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// M - a b^T
pub(super) fn subtract_outer(matrix: &mut [f64], a: &[f64], b: &[f64]) {
    for (column, b) in matrix.chunks_exact_mut(a.len().max(1)).zip(b) {
        add_scaled(column, -b, a);
    }
}

pub(super) fn symmetrise(matrix: &mut [f64], n: usize) {
    for j in 0..n {
        for i in 0..j {
            let mean = 0.5 * (matrix[j * n + i] + matrix[i * n + j]);
            (matrix[j * n + i], matrix[i * n + j]) = (mean, mean);
        }
    }
}
