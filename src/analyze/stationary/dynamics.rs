//! How fluctuations go on in time: relaxation, autocovariance R(lag) = exp(A lag) S, spectra
//! S(w) = (iw - A)^-1 D (iw - A)^-H.

use super::NotStationary;
use super::problem::Fluctuations;
use crate::analyze::spectrum::Eigenvalue;
use crate::linalg::Exponential;
use nalgebra::{Complex, DMatrix};

/// How a disturbance decays: one eigenvalue of the linear part, or a complex pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relaxation {
    /// The eigenvalue.
    pub value: Eigenvalue,
    /// The time in which it falls to 1/e.
    pub time: f64,
    /// The period in which it swings meanwhile; infinite for a real eigenvalue.
    pub period: f64,
}

/// The peak of a spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// Angular frequency.
    pub frequency: f64,
    /// The power there.
    pub power: f64,
    /// The frequency divided by the width at half the height; `None` where the spectrum does not
    /// fall to half the height on both sides.
    pub quality: Option<f64>,
}

/// Spectra of more states that can vary are not searched for peaks: a second.
const MOST_SEARCHED: usize = 60;
/// Angular frequencies looked at between the slowest and the fastest rate.
const POINTS: usize = 240;

pub(super) fn relaxations(found: &Fluctuations) -> Result<Vec<Relaxation>, NotStationary> {
    let mut values = found.eigenvalues.clone();
    values.sort_by(|a, b| {
        let order = b.real.total_cmp(&a.real);
        order.then(b.imaginary.total_cmp(&a.imaginary))
    });
    let mut all = Vec::with_capacity(values.len());
    let mut skip = false;
    for value in values {
        // The second of a pair.
        if std::mem::take(&mut skip) {
            continue;
        }
        skip = value.imaginary > 0.0;
        all.push(Relaxation {
            value,
            time: -1.0 / value.real,
            period: std::f64::consts::TAU / value.imaginary,
        });
    }
    if all.iter().any(|known| !known.time.is_finite()) {
        return Err(NotStationary::NotFinite);
    }
    Ok(all)
}

pub(super) fn rates(relaxations: &[Relaxation]) -> (f64, f64) {
    let slowest = relaxations.first().map_or(1.0, |known| -known.value.real);
    let moduli = relaxations.iter().map(|known| known.value.modulus());
    (slowest, moduli.fold(slowest, f64::max))
}

pub(super) fn autocovariance(found: &Fluctuations, lag: f64) -> DMatrix<f64> {
    let r = found.drift.nrows();
    let mut numbers = vec![0.0; r * r];
    Exponential::new(r).of(lag.abs(), found.drift.as_slice(), &mut numbers);
    let moved = DMatrix::from_column_slice(r, r, &numbers) * &found.covariance;
    let whole = found.lifted(&moved);
    if lag < 0.0 { whole.transpose() } else { whole }
}

/// The integral of the autocorrelation from 0 on: (-A^-1 S)_ii / S_ii.
pub(super) fn correlation_times(found: &Fluctuations) -> Vec<f64> {
    let variances = found.lifted(&found.covariance);
    let n = found.embedding.nrows();
    let Some(integral) = found.drift.clone().lu().solve(&found.covariance) else {
        return vec![f64::NAN; n];
    };
    let integral = found.lifted(&integral);
    (0..n)
        .map(|i| -integral[(i, i)] / variances[(i, i)])
        .collect()
}

/// A root F of D = F F^T, of as many columns as there are sources that count.
fn root(d: &DMatrix<f64>) -> DMatrix<f64> {
    let found = d.clone().symmetric_eigen();
    let mut root = found.eigenvectors;
    for (mut column, value) in root.column_iter_mut().zip(found.eigenvalues.iter()) {
        column *= value.max(0.0).sqrt();
    }
    root
}

pub(super) fn spectra(found: &Fluctuations, frequency: f64) -> Option<Vec<f64>> {
    at(found, &root(&found.diffusion), frequency)
}

fn at(found: &Fluctuations, root: &DMatrix<f64>, frequency: f64) -> Option<Vec<f64>> {
    let complex = |matrix: &DMatrix<f64>| matrix.map(|entry| Complex::new(entry, 0.0));
    let mut shifted = -complex(&found.drift);
    for i in 0..shifted.nrows() {
        shifted[(i, i)] += Complex::new(0.0, frequency);
    }
    let response = shifted.lu().solve(&complex(root))?;
    let response = complex(&found.embedding) * response;
    Some(
        response
            .row_iter()
            .map(|row| row.iter().map(Complex::norm_sqr).sum())
            .collect(),
    )
}

/// The highest peak of each spectrum away from zero.
pub(super) fn peaks(found: &Fluctuations, interrupted: &dyn Fn() -> bool) -> Vec<Option<Peak>> {
    let n = found.embedding.nrows();
    let swings = found.eigenvalues.iter().any(|known| known.imaginary > 0.0);
    // A spectrum can have a peak with real eigenvalues too, where noise enters twice.
    if found.drift.nrows() > MOST_SEARCHED || (!swings && found.drift.nrows() == 1) {
        return vec![None; n];
    }
    let root = root(&found.diffusion);
    let moduli = found.eigenvalues.iter().map(Eigenvalue::modulus);
    let (low, high) = moduli.fold((f64::INFINITY, 0.0_f64), |(low, high), modulus| {
        (low.min(modulus), high.max(modulus))
    });
    let (low, high) = (1e-2 * low, 1e1 * high);
    #[expect(clippy::cast_precision_loss, reason = "a few hundred points")]
    let steps = (0..POINTS).map(|k| k as f64 / (POINTS - 1) as f64);
    let mut frequencies: Vec<f64> = steps.map(|x| low * (high / low).powf(x)).collect();
    frequencies.extend(
        found
            .eigenvalues
            .iter()
            .map(|known| known.imaginary)
            .filter(|w| *w > low),
    );
    frequencies.sort_by(f64::total_cmp);
    let mut rows = Vec::with_capacity(frequencies.len());
    for frequency in &frequencies {
        if interrupted() {
            return vec![None; n];
        }
        rows.push(at(found, &root, *frequency).unwrap_or_else(|| vec![f64::NAN; n]));
    }
    let power = |state: usize, frequency: f64| {
        let spectra = at(found, &root, frequency);
        spectra
            .and_then(|all| all.get(state).copied())
            .unwrap_or(f64::NAN)
    };
    (0..n)
        .map(|state| {
            let curve: Vec<f64> = rows.iter().map(|row| row[state]).collect();
            peak(&frequencies, &curve, &|frequency| power(state, frequency))
        })
        .collect()
}

fn peak(frequencies: &[f64], curve: &[f64], power: &dyn Fn(f64) -> f64) -> Option<Peak> {
    let interior = 1..curve.len().saturating_sub(1);
    let top = interior
        .filter(|k| curve[*k] > curve[k - 1] && curve[*k] >= curve[k + 1])
        .max_by(|a, b| curve[*a].total_cmp(&curve[*b]))?;
    let (frequency, height) = highest(frequencies[top - 1], frequencies[top + 1], power);
    // Less than this above the power at zero is no peak that data would show.
    if height <= power(0.0) * (1.0 + 1e-6) {
        return None;
    }
    let left = (0..top).rev().find(|k| curve[*k] < height / 2.0);
    let right = (top..curve.len()).find(|k| curve[*k] < height / 2.0);
    let quality = match (left, right) {
        (Some(left), Some(right)) => {
            let low = half(frequencies[left], frequency, height / 2.0, power);
            let high = half(frequencies[right], frequency, height / 2.0, power);
            Some(frequency / (high - low))
        }
        _ => None,
    };
    Some(Peak {
        frequency,
        power: height,
        quality: quality.filter(|quality| quality.is_finite()),
    })
}

/// Golden section.
fn highest(mut low: f64, mut high: f64, power: &dyn Fn(f64) -> f64) -> (f64, f64) {
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut a, mut b) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_a, mut at_b) = (power(a), power(b));
    for _ in 0..80 {
        if at_a > at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - golden * (high - low);
            at_a = power(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + golden * (high - low);
            at_b = power(b);
        }
        if high - low <= 1e-9 * high {
            break;
        }
    }
    if at_a > at_b { (a, at_a) } else { (b, at_b) }
}

/// Where the spectrum crosses a height between a lower place and the peak.
fn half(mut below: f64, mut above: f64, height: f64, power: &dyn Fn(f64) -> f64) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (below + above);
        if power(middle) < height {
            below = middle;
        } else {
            above = middle;
        }
    }
    0.5 * (below + above)
}
