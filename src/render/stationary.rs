//! The answer of `stationary` as text: moments of each state, correlations, relaxation, rotation.

use super::outcome::counted;
use super::table::{Column, number, table};
use super::words;
use crate::analyze::stationary::{Exactness, Peak, Relaxation, Rotation};
use crate::session::{NoiseOf, StationaryAnswer};

/// A longer table is cut.
const MOST_STATES: usize = 100;
/// States of a table of correlations.
const MOST_CORRELATED: usize = 12;
/// Modes of relaxation that are listed.
const MOST_MODES: usize = 6;
const DIGITS: usize = 5;

pub(super) fn text(answer: &StationaryAnswer, width: usize) -> String {
    let mut text = moments(answer, width);
    let correlated: Vec<usize> = (answer.shown.iter().copied())
        .filter(|at| answer.found.deviation(*at) > 0.0)
        .collect();
    if (2..=MOST_CORRELATED).contains(&correlated.len()) {
        text.push('\n');
        text.push_str(&correlations(answer, &correlated, width));
    }
    if !answer.lags.is_empty() {
        text.push('\n');
        text.push_str(&lags(answer, width));
    }
    text.push('\n');
    let mut lines = vec![kind(answer)];
    lines.extend(relaxations(&answer.found.relaxations));
    lines.extend(
        answer
            .found
            .rotation
            .as_ref()
            .map(|known| rotation(answer, known)),
    );
    lines.extend(peaks(answer));
    lines.extend(rest(answer));
    for line in lines {
        text.push_str(&words::wrapped(&line, width, "  "));
        text.push('\n');
    }
    text
}

/// Mean, standard deviation, what follows from them.
fn moments(answer: &StationaryAnswer, width: usize) -> String {
    let found = &answer.found;
    let names = answer.compiled.state_names();
    let shown = answer.shown.get(..MOST_STATES).unwrap_or(&answer.shown);
    let column =
        |value: &dyn Fn(usize) -> f64| -> Vec<f64> { shown.iter().map(|at| value(*at)).collect() };
    let text = |value: &dyn Fn(usize) -> f64| -> Vec<String> {
        let one = |at: &usize| {
            let value = value(*at);
            if value.is_finite() {
                number(value, DIGITS)
            } else {
                "–".to_owned()
            }
        };
        shown.iter().map(one).collect()
    };
    let mut columns = vec![
        Column::text(
            "",
            shown
                .iter()
                .map(|at| names.get(*at).cloned().unwrap_or_default())
                .collect(),
        ),
        Column::numbers(
            "mean",
            column(&|at| clean(found.mean[at], found.deviation(at))),
        ),
        Column::numbers("sd", column(&|at| found.deviation(at))),
        Column::text(
            "cv",
            text(&|at| {
                let mean = clean(found.mean[at], found.deviation(at));
                found.deviation(at) / mean.abs()
            }),
        ),
    ];
    if answer.fano.iter().any(|value| value.is_finite()) {
        columns.push(Column::text("Fano", text(&|at| answer.fano[at])));
    }
    columns.push(Column::text(
        "memory",
        text(&|at| found.correlation_times[at]),
    ));
    let mut out = table(&columns, width);
    if answer.shown.len() > shown.len() {
        out.push_str(&format!(
            "... and {} more states\n",
            answer.shown.len() - shown.len()
        ));
    }
    out
}

/// A mean that is round-off beside the fluctuations is zero.
fn clean(mean: f64, deviation: f64) -> f64 {
    if mean.abs() <= 1e-13 * deviation {
        0.0
    } else {
        mean
    }
}

fn correlations(answer: &StationaryAnswer, states: &[usize], width: usize) -> String {
    let names = answer.compiled.state_names();
    let name = |at: &usize| names.get(*at).cloned().unwrap_or_default();
    let mut columns = vec![Column::text(
        "correlation",
        states.iter().map(name).collect(),
    )];
    for (at, state) in states.iter().enumerate() {
        let cells = states.iter().enumerate().map(|(row, other)| {
            if row < at {
                String::new()
            } else {
                let value = answer.found.correlation(*other, *state);
                number(if value.abs() < 1e-12 { 0.0 } else { value }, 4)
            }
        });
        columns.push(Column::text(name(state), cells.collect()));
    }
    table(&columns, width)
}

fn lags(answer: &StationaryAnswer, width: usize) -> String {
    let found = &answer.found;
    let n = found.dimension();
    let names = answer.compiled.state_names();
    let shown = answer.shown.get(..MOST_CORRELATED).unwrap_or(&answer.shown);
    let matrices: Vec<Vec<f64>> = answer
        .lags
        .iter()
        .map(|lag| found.autocovariance(*lag))
        .collect();
    let mut columns = vec![Column::text(
        "lag",
        answer.lags.iter().map(|lag| number(*lag, DIGITS)).collect(),
    )];
    for at in shown {
        let variance = found.covariance_of(*at, *at);
        let cells = matrices.iter().map(|matrix| {
            let value = matrix.get(at * n + at).copied().unwrap_or(f64::NAN) / variance;
            if value.is_finite() {
                number(value, DIGITS)
            } else {
                "–".to_owned()
            }
        });
        let name = names.get(*at).cloned().unwrap_or_default();
        columns.push(Column::text(name, cells.collect()));
    }
    format!("autocorrelation\n{}", table(&columns, width))
}

fn kind(answer: &StationaryAnswer) -> String {
    let kind = match answer.found.exactness {
        Exactness::Exact => {
            "exact: linear equations, noise that does not depend on the state; the distribution is normal"
        }
        Exactness::ExactMoments => {
            "exact moments: linear equations, noise that is linear in the state; the distribution is not normal"
        }
        Exactness::LinearNoise => {
            "linear-noise approximation around a stable steady state: good while the fluctuations are small"
        }
    };
    let noise = match answer.noise {
        NoiseOf::Equations => String::new(),
        NoiseOf::Reactions(size) | NoiseOf::Both(size) => format!(
            "; reactions have their own noise, with {} {} per unit of amount",
            number(size, DIGITS),
            if size == 1.0 { "molecule" } else { "molecules" }
        ),
        NoiseOf::Undeclared => "; no noise is declared: this is that of the reactions, with amounts as numbers of molecules".to_owned(),
    };
    format!("{kind}{noise}")
}

fn relaxations(all: &[Relaxation]) -> Option<String> {
    let one = |known: &Relaxation| {
        let time = number(known.time, 4);
        if known.period.is_finite() {
            format!(
                "{time} (swinging with the period {})",
                number(known.period, 4)
            )
        } else {
            time
        }
    };
    let mut listed: Vec<String> = all.iter().take(MOST_MODES).map(one).collect();
    if all.len() > MOST_MODES {
        listed.push(format!("{} faster ones", all.len() - MOST_MODES));
    }
    let word = if all.len() == 1 {
        "relaxation time"
    } else {
        "relaxation times"
    };
    (!listed.is_empty()).then(|| format!("{word} {}", listed.join(", ")))
}

/// What the probability current means.
fn rotation(answer: &StationaryAnswer, known: &Rotation) -> String {
    if known.balanced {
        return if answer.found.dimension() == 1 {
            "detailed balance: forward and backward in time look alike".to_owned()
        } else {
            "detailed balance: nothing circles, forward and backward in time look alike".to_owned()
        };
    }
    let mut text = "no detailed balance: the fluctuations circle".to_owned();
    if let Some((first, second)) = known.pair {
        text.push_str(&format!(
            ", {} before {}",
            answer.compiled.state_name(first),
            answer.compiled.state_name(second)
        ));
    }
    let frequencies = known
        .frequencies
        .iter()
        .filter(|w| **w > 1e-9 * known.frequencies[0]);
    let periods: Vec<String> = frequencies
        .take(MOST_MODES)
        .map(|w| number(std::f64::consts::TAU / w, 4))
        .collect();
    let word = if periods.len() == 1 {
        "a mean turn takes"
    } else {
        "mean turns take"
    };
    text.push_str(&format!("; {word} {}", periods.join(", ")));
    if let Some(entropy) = known.entropy {
        text.push_str(&format!(
            "; entropy is made at the rate {}",
            number(entropy, 4)
        ));
    }
    text
}

fn peaks(answer: &StationaryAnswer) -> Option<String> {
    const MOST: usize = 4;
    let found = &answer.found;
    let with_peak: Vec<(usize, &Peak)> = (answer.shown.iter())
        .filter_map(|at| Some((*at, found.peaks.get(*at)?.as_ref()?)))
        .collect();
    if with_peak.is_empty() {
        return None;
    }
    let one = |(at, peak): &(usize, &Peak)| {
        let quality = peak.quality.map_or(String::new(), |quality| {
            format!(", quality {}", number(quality, 3))
        });
        format!(
            "{} at {} (period {}{quality})",
            answer.compiled.state_name(*at),
            number(peak.frequency, 4),
            number(std::f64::consts::TAU / peak.frequency, 4)
        )
    };
    let mut listed: Vec<String> = with_peak.iter().take(MOST).map(one).collect();
    if with_peak.len() > MOST {
        listed.push(format!("{} more", with_peak.len() - MOST));
    }
    Some(format!(
        "spectra peak at an angular frequency: {}",
        listed.join("; ")
    ))
}

fn rest(answer: &StationaryAnswer) -> Option<String> {
    let kept = answer.found.kept.0 + answer.found.kept.1;
    let mut parts = Vec::new();
    if kept > 0 {
        parts.push(format!(
            "{} kept as at the start: this is the covariance of what can vary",
            counted(kept, "conserved sum", "conserved sums")
        ));
    }
    if !answer.left_out.is_empty() {
        parts.push(format!("{} are left out", answer.left_out.join(" and ")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
