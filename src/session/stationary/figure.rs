//! The figure of `stationary`: autocorrelations, and spectra of unit area.

use super::StationaryAnswer;
use crate::figure::{Axis, Figure, Mark, Scale, Series, Sheet};

/// States drawn; more would hide each other.
const MOST_CURVES: usize = 8;
const POINTS: u32 = 400;
/// Lags are drawn up to this many times the slowest relaxation time.
const LAGS: f64 = 5.0;

/// Autocorrelations, and spectra of unit area.
pub(super) fn figure(answer: &StationaryAnswer) -> Sheet {
    let found = &answer.found;
    let names = answer.compiled.state_names();
    let states: Vec<usize> = answer
        .shown
        .iter()
        .copied()
        .filter(|at| found.deviation(*at) > 0.0)
        .take(MOST_CURVES)
        .collect();
    let (slowest, fastest) = found.rates();
    let steps: Vec<f64> = (0..=POINTS)
        .map(|k| f64::from(k) / f64::from(POINTS))
        .collect();
    let lags: Vec<f64> = steps.iter().map(|x| x * LAGS / slowest).collect();
    let (low, high) = (0.05 * slowest, 20.0 * fastest);
    let mut frequencies: Vec<f64> = steps.iter().map(|x| low * (high / low).powf(*x)).collect();
    frequencies.extend(
        states
            .iter()
            .filter_map(|at| found.peaks[*at])
            .map(|peak| peak.frequency),
    );
    frequencies.sort_by(f64::total_cmp);
    let n = found.dimension();
    let covariances: Vec<Vec<f64>> = lags.iter().map(|lag| found.autocovariance(*lag)).collect();
    let spectra: Vec<Vec<f64>> = frequencies
        .iter()
        .map(|w| found.spectra(*w).unwrap_or_else(|| vec![f64::NAN; n]))
        .collect();
    let unit = answer
        .compiled
        .model
        .time
        .unit
        .as_ref()
        .map(ToString::to_string);
    let series = |values: &dyn Fn(usize) -> Vec<f64>, x: &[f64]| -> Vec<Series> {
        let curves = states.iter().enumerate();
        curves
            .map(|(colour, at)| Series {
                label: names.get(*at).cloned().unwrap_or_default(),
                x: x.to_vec(),
                y: values(*at),
                mark: Mark::Line,
                colour,
            })
            .collect()
    };
    let axis = |label: &str, unit: Option<String>| Axis {
        label: label.to_owned(),
        unit,
        ..Axis::default()
    };
    let logarithmic = |axis: Axis| Axis {
        scale: Scale::Logarithmic,
        ..axis
    };
    let correlation = |at: usize| -> Vec<f64> {
        let variance = found.covariance_of(at, at);
        covariances
            .iter()
            .map(|matrix| matrix[at * n + at] / variance)
            .collect()
    };
    let power = |at: usize| -> Vec<f64> {
        let variance = found.covariance_of(at, at);
        spectra.iter().map(|row| row[at] / variance).collect()
    };
    let rate = unit.as_ref().map(|unit| format!("1/{unit}"));
    Sheet {
        panels: vec![
            Figure {
                title: "autocorrelation".to_owned(),
                x: axis("lag", unit.clone()),
                y: axis("correlation", None),
                series: series(&correlation, &lags),
                ..Figure::default()
            },
            Figure {
                title: "power spectrum".to_owned(),
                x: logarithmic(axis("angular frequency", rate)),
                y: logarithmic(axis("power/variance", unit)),
                series: series(&power, &frequencies),
                ..Figure::default()
            },
        ],
        ..Sheet::default()
    }
}
