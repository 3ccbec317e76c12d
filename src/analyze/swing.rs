//! Does a series of numbers keep swinging? Its turning points say.
//!
//! In: values at times, as a run left them. Out: a lasting swing between two values, or nothing.

/// A swing that neither grows nor dies out, as far as the series shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Swing {
    pub low: f64,
    pub high: f64,
    /// Mean time between maxima.
    pub period: f64,
}

/// Turns of each kind that must be seen.
const TURNS: usize = 6;
/// How much of the swing its maxima and minima may differ.
const ALIKE: f64 = 0.02;

/// The swing in the second half of a series. Small wiggles, below `noise`, do not count.
pub(super) fn lasting(times: &[f64], values: &[f64], noise: f64) -> Option<Swing> {
    let half = times.first()?.midpoint(*times.last()?);
    let from = times.partition_point(|time| *time < half);
    let (highs, lows) = turns(times.get(from..)?, values.get(from..)?);
    if highs.len() < TURNS || lows.len() < TURNS {
        return None;
    }
    let (low, low_spread) = mean_and_spread(lows.iter().map(|turn| turn.1));
    let (high, high_spread) = mean_and_spread(highs.iter().map(|turn| turn.1));
    let swing = high - low;
    let (first, last) = (highs.first()?.0, highs.last()?.0);
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let period = (last - first) / (highs.len() - 1) as f64;
    let alike = low_spread.max(high_spread) <= ALIKE * swing;
    (swing > noise && alike).then_some(Swing { low, high, period })
}

type Turn = (f64, f64);

/// Times and values of the maxima and of the minima inside.
fn turns(times: &[f64], values: &[f64]) -> (Vec<Turn>, Vec<Turn>) {
    let (mut highs, mut lows) = (Vec::new(), Vec::new());
    for (times, values) in times.windows(3).zip(values.windows(3)) {
        let ([a, b, c], [_, time, _]) = (values, times) else {
            continue;
        };
        if a < b && b >= c {
            highs.push((*time, *b));
        } else if a > b && b <= c {
            lows.push((*time, *b));
        }
    }
    (highs, lows)
}

fn mean_and_spread(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let (count, sum) = values
        .clone()
        .fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    (sum / count, high - low)
}
