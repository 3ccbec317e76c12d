//! The answer of `stationary` as JSON: schema `lotka-stationary-1`.

use crate::analyze::stationary::{Exactness, Peak};
use crate::session::{NoiseOf, StationaryAnswer};
use serde::Serialize;

#[derive(Serialize)]
struct Stationary<'a> {
    schema: &'static str,
    model: &'a str,
    names: Vec<String>,
    kind: &'static str,
    noise: &'static str,
    size: Option<f64>,
    mean: &'a [f64],
    covariance: Vec<Vec<f64>>,
    correlation: Vec<Vec<Option<f64>>>,
    residual: f64,
    fano: Vec<Option<f64>>,
    drift: Vec<Vec<f64>>,
    diffusion: Vec<Vec<f64>>,
    relaxations: Vec<Relaxation>,
    correlation_times: Vec<Option<f64>>,
    peaks: Vec<Option<Spectral>>,
    autocovariances: Vec<Lag>,
    rotation: Option<Rotation>,
    conserved: usize,
    left_out: &'a [&'static str],
}

#[derive(Serialize)]
struct Relaxation {
    eigenvalue: [f64; 2],
    time: f64,
    period: Option<f64>,
}

#[derive(Serialize)]
struct Spectral {
    angular_frequency: f64,
    power: f64,
    quality: Option<f64>,
}

#[derive(Serialize)]
struct Lag {
    lag: f64,
    covariance: Vec<Vec<f64>>,
}

#[derive(Serialize)]
struct Rotation {
    detailed_balance: bool,
    current: Vec<Vec<f64>>,
    angular_frequencies: Vec<f64>,
    entropy_production: Option<f64>,
    skew: Option<Vec<Vec<f64>>>,
}

/// One line; matrices row by row, numbers with every digit.
#[must_use]
pub fn stationary(answer: &StationaryAnswer) -> String {
    let found = &answer.found;
    let n = found.dimension();
    let rows = |numbers: &[f64]| -> Vec<Vec<f64>> {
        let entry = |i: usize, j: usize| numbers.get(j * n + i).copied().unwrap_or(f64::NAN);
        let row = |i: usize| (0..n).map(|j| entry(i, j)).collect();
        (0..n).map(row).collect()
    };
    let finite = |value: f64| value.is_finite().then_some(value);
    let each = |values: &[f64]| values.iter().map(|value| finite(*value)).collect();
    let (noise, size) = match answer.noise {
        NoiseOf::Equations => ("equations", None),
        NoiseOf::Reactions(size) => ("reactions", Some(size)),
        NoiseOf::Both(size) => ("equations and reactions", Some(size)),
        NoiseOf::Undeclared => ("reactions, undeclared", Some(1.0)),
    };
    let peak = |peak: &Peak| Spectral {
        angular_frequency: peak.frequency,
        power: peak.power,
        quality: peak.quality,
    };
    let correlations = (0..n).map(|i| (0..n).map(|j| finite(found.correlation(i, j))).collect());
    let relaxations = found.relaxations.iter().map(|known| Relaxation {
        eigenvalue: [known.value.real, known.value.imaginary],
        time: known.time,
        period: finite(known.period),
    });
    let lags = answer.lags.iter().map(|lag| Lag {
        lag: *lag,
        covariance: rows(&found.autocovariance(*lag)),
    });
    let text = serde_json::to_string(&Stationary {
        schema: "lotka-stationary-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        names: answer.compiled.state_names(),
        kind: match found.exactness {
            Exactness::Exact => "exact",
            Exactness::ExactMoments => "exact moments",
            Exactness::LinearNoise => "linear-noise approximation",
        },
        noise,
        size,
        mean: &found.mean,
        covariance: rows(&found.covariance),
        correlation: correlations.collect(),
        residual: found.residual,
        fano: each(&answer.fano),
        drift: rows(&found.drift),
        diffusion: rows(&found.diffusion),
        relaxations: relaxations.collect(),
        correlation_times: each(&found.correlation_times),
        peaks: found
            .peaks
            .iter()
            .map(|known| known.as_ref().map(peak))
            .collect(),
        autocovariances: lags.collect(),
        rotation: found.rotation.as_ref().map(|known| Rotation {
            detailed_balance: known.balanced,
            current: rows(&known.current),
            angular_frequencies: known.frequencies.clone(),
            entropy_production: known.entropy,
            skew: known.skew.as_deref().map(rows),
        }),
        conserved: found.kept.0 + found.kept.1,
        left_out: &answer.left_out,
    });
    text.unwrap_or_default()
}
