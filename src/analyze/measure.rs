//! Numbers taken from a curve: extrema, integrals, periods, half-lives.
//!
//! In: a [`Curve`]. Out: the number with an estimate of its error, or why the curve has none. The
//! error is what half of the rows would change; it does not hold the error of the run itself.

use super::curve::Curve;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// The highest value.
    Max,
    /// The lowest value.
    Min,
    /// The mean over time.
    Mean,
    /// When the highest value is met first.
    TimeOfMax,
    /// When the lowest value is met first.
    TimeOfMin,
    /// The area under the curve: the integral over time.
    Auc,
    /// The value at the start.
    First,
    /// The value at the end.
    Last,
    /// Time between repetitions.
    Period,
    /// Half of the way between the lowest and the highest value of the last repetition.
    Amplitude,
    /// Time in which the value halves at the end.
    HalfLife,
}

impl Measure {
    /// Every measure with its word.
    pub const ALL: [(&'static str, Measure); 11] = [
        ("max", Measure::Max),
        ("min", Measure::Min),
        ("mean", Measure::Mean),
        ("time_of_max", Measure::TimeOfMax),
        ("time_of_min", Measure::TimeOfMin),
        ("auc", Measure::Auc),
        ("first", Measure::First),
        ("last", Measure::Last),
        ("period", Measure::Period),
        ("amplitude", Measure::Amplitude),
        ("half_life", Measure::HalfLife),
    ];
}

/// A number taken from a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The number.
    pub value: f64,
    /// How far it may be off because of the distance of rows.
    pub error: f64,
    /// When, for an extreme value.
    pub at: Option<f64>,
}

impl Measured {
    /// A number without error.
    #[must_use]
    pub fn exact(value: f64) -> Measured {
        Measured {
            value,
            error: 0.0,
            at: None,
        }
    }
}

/// Why a curve does not have a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Refusal {
    /// It does not pass its own middle often enough to see a repetition.
    TooFewSwings {
        /// Upward passages that were seen.
        passages: usize,
    },
    /// It settles: what moves at the end is below what errors make.
    Settles {
        /// Where.
        value: f64,
    },
    /// Its swings shrink or grow.
    NotLasting {
        /// Height of the first swing looked at.
        first: f64,
        /// Of the last.
        last: f64,
    },
    /// It swings without repeating itself.
    Irregular {
        /// Shortest time between upward passages.
        shortest: f64,
        /// Longest.
        longest: f64,
    },
    /// It does not fall towards zero at the end.
    NotFalling,
    /// It falls, but the rate -x'/x is not constant.
    NotExponential {
        /// The rate at the beginning of what was looked at.
        from: f64,
        /// At the end.
        to: f64,
    },
    /// It falls by too little to tell the rate.
    FallsTooLittle,
    /// The iterates of a map do not repeat.
    NoRepetition {
        /// Among so many.
        steps: usize,
    },
    /// The condition is never met.
    Never,
}

/// What half the rows change in a number of order h^4 is some fifteen times its error.
const SAFETY: f64 = 0.25;

/// Takes a number from a curve. `relative` is the relative tolerance of the run: what moves less is
/// noise.
///
/// # Errors
/// Why the curve does not have it.
pub fn measure(curve: &Curve, what: Measure, relative: f64) -> Result<Measured, Refusal> {
    let measured = one(curve, what, relative)?;
    let coarse = one(&curve.coarser(), what, relative);
    let change = coarse.map_or(0.0, |coarse| (coarse.value - measured.value).abs());
    Ok(Measured {
        error: measured.error.max(SAFETY * change),
        ..measured
    })
}

fn one(curve: &Curve, what: Measure, relative: f64) -> Result<Measured, Refusal> {
    let extreme = |(value, at): (f64, f64)| Measured {
        at: Some(at),
        ..Measured::exact(value)
    };
    let length = curve.end() - curve.start();
    Ok(match what {
        Measure::Max => extreme(curve.highest()),
        Measure::Min => extreme(curve.lowest()),
        Measure::TimeOfMax => Measured::exact(curve.highest().1),
        Measure::TimeOfMin => Measured::exact(curve.lowest().1),
        Measure::Auc => Measured::exact(curve.integral()),
        Measure::Mean if length > 0.0 => Measured::exact(curve.integral() / length),
        Measure::Mean | Measure::Last => Measured::exact(curve.last()),
        Measure::First => Measured::exact(curve.first()),
        Measure::Period => {
            let cycles = cycles(curve, relative)?;
            Measured {
                error: cycles.spread / 2.0,
                ..Measured::exact(cycles.period)
            }
        }
        Measure::Amplitude => amplitude(curve, relative)?,
        Measure::HalfLife => half_life(curve)?,
    })
}

// ---- repetitions ----

/// How a curve repeats itself.
struct Cycles {
    period: f64,
    /// Longest less shortest repetition.
    spread: f64,
    /// The last one.
    last: (f64, f64),
    /// Height of its swing, and of the one before.
    heights: (f64, f64),
}

/// Upward passages in one repetition, at most: one with two peaks passes the middle twice.
const MOST_PASSAGES: usize = 4;
/// Repetitions differ by less than this, relative to their mean.
const ALIKE: f64 = 0.01;
/// Swings are lasting when the last is within these ratios of the first.
const LASTING: (f64, f64) = (0.9, 1.1);
/// A swing of fewer tolerances than this is noise,
const NOISE: f64 = 100.0;
/// and so is one smaller than this part of the largest value: absolute tolerances rule there.
const NOISE_OF_ALL: f64 = 1e-7;

/// Repetitions between upward passages of the middle value. The first half of the curve is left
/// out as transient, unless the second shows too few.
fn cycles(curve: &Curve, relative: f64) -> Result<Cycles, Refusal> {
    let size = |curve: &Curve| curve.highest().0.abs().max(curve.lowest().0.abs());
    let whole = NOISE_OF_ALL * size(curve);
    let cycles_of = |curve: &Curve| {
        let noise = whole.max(NOISE * relative * size(curve));
        cycles_of(curve, noise)
    };
    let half = curve.within(curve.start().midpoint(curve.end()), curve.end());
    match half.as_ref().map(cycles_of) {
        Some(Err(Refusal::TooFewSwings { .. })) | None => cycles_of(curve),
        Some(found) => found,
    }
}

fn cycles_of(curve: &Curve, noise: f64) -> Result<Cycles, Refusal> {
    let (low, high) = (curve.lowest().0, curve.highest().0);
    if high - low <= noise {
        return Err(Refusal::Settles {
            value: curve.last(),
        });
    }
    let passages: Vec<f64> = (curve.crossings(low.midpoint(high)).into_iter())
        .filter_map(|(time, direction)| (direction > 0).then_some(time))
        .collect();
    if passages.len() < 3 {
        return Err(Refusal::TooFewSwings {
            passages: passages.len(),
        });
    }
    let repeating = (1..=MOST_PASSAGES).find_map(|count| repetition(&passages, count));
    let heights = |from: f64, to: f64| {
        let cycle = curve.within(from, to);
        cycle.map_or(0.0, |cycle| cycle.highest().0 - cycle.lowest().0)
    };
    let count = repeating.map_or(1, |(count, _, _)| count);
    let ends = passages.len() - 1;
    let height = heights(passages[ends - count], passages[ends]);
    let before = heights(passages[ends - count - 1], passages[ends - 1]);
    let first = heights(passages[0], passages[count]);
    if !(LASTING.0..=LASTING.1).contains(&(height / first)) {
        return Err(Refusal::NotLasting {
            first,
            last: height,
        });
    }
    let Some((_, period, spread)) = repeating else {
        let gaps = passages.windows(2).map(|pair| pair[1] - pair[0]);
        return Err(Refusal::Irregular {
            shortest: gaps.clone().fold(f64::INFINITY, f64::min),
            longest: gaps.fold(0.0, f64::max),
        });
    };
    Ok(Cycles {
        period,
        spread,
        last: (passages[ends - count], passages[ends]),
        heights: (height, before),
    })
}

/// The mean and the spread of the time that `count` passages take, when it is always the same.
fn repetition(passages: &[f64], count: usize) -> Option<(usize, f64, f64)> {
    let later = passages.get(count..)?;
    let times: Vec<f64> = passages.iter().zip(later).map(|(a, b)| b - a).collect();
    if times.len() < 2 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    let shortest = times.iter().copied().fold(f64::INFINITY, f64::min);
    let longest = times.iter().copied().fold(0.0, f64::max);
    (longest - shortest <= ALIKE * mean).then_some((count, mean, longest - shortest))
}

fn amplitude(curve: &Curve, relative: f64) -> Result<Measured, Refusal> {
    let cycles = cycles(curve, relative)?;
    let (height, before) = cycles.heights;
    let (from, to) = cycles.last;
    let last = curve.within(from, to);
    let height = last.map_or(height, |last| last.highest().0 - last.lowest().0);
    Ok(Measured {
        error: (height - before).abs() / 2.0,
        ..Measured::exact(height / 2.0)
    })
}

// ---- half-life ----

/// What is below this part of the largest value is not looked at: absolute errors rule there.
const LEAST_PART: f64 = 1e-6;
/// Half-lives at the end over which the rate must be constant, when the curve has as many.
const HALF_LIVES: f64 = 2.0;
/// How many it must have at least.
const FEWEST_HALF_LIVES: f64 = 0.5;
/// How much of its mean the rate may vary.
const CONSTANT: f64 = 0.1;
/// Points of the regression.
const POINTS: u32 = 64;

/// log(2) over the slope of log x by linear regression over the last two half-lives.
fn half_life(curve: &Curve) -> Result<Measured, Refusal> {
    let size = curve.highest().0.abs().max(curve.lowest().0.abs());
    let below = curve.crossings(LEAST_PART * size);
    let fell = below.iter().rev().find(|(_, direction)| *direction < 0);
    let above = curve.last() > LEAST_PART * size;
    let end = match fell {
        Some((time, _)) if !above => *time,
        _ => curve.end(),
    };
    let rate = |time: f64| {
        let (value, slope) = curve.at(time);
        -slope / value
    };
    let last_rate = rate(end);
    if !(last_rate > 0.0 && curve.at(end).0 > 0.0) {
        return Err(Refusal::NotFalling);
    }
    // Nothing before a jump or an upward turn belongs to the last fall.
    let jump = curve.jumps().filter(|time| *time < end).last();
    let start = jump.unwrap_or(curve.start());
    let fall = curve.within(start, end).ok_or(Refusal::NotFalling)?;
    let start = fall.highest().1.max(start);
    let half = std::f64::consts::LN_2 / last_rate;
    let from = start.max(end - HALF_LIVES * half);
    if end - from < FEWEST_HALF_LIVES * half {
        let before = rate(from.midpoint(end));
        return Err(if before > 2.0 * last_rate {
            Refusal::NotExponential {
                from: before,
                to: last_rate,
            }
        } else {
            Refusal::FallsTooLittle
        });
    }
    let times: Vec<f64> = (0..=POINTS)
        .map(|k| from + (end - from) * f64::from(k) / f64::from(POINTS))
        .collect();
    let logs: Vec<f64> = times.iter().map(|time| curve.at(*time).0.ln()).collect();
    let fitted = -slope(&times, &logs);
    let rates = times.iter().map(|time| rate(*time));
    let spread = rates.fold(0.0, |most: f64, rate| most.max((rate - fitted).abs()));
    if fitted.is_nan() || spread.is_nan() || spread > CONSTANT * fitted {
        return Err(Refusal::NotExponential {
            from: rate(from),
            to: last_rate,
        });
    }
    let value = std::f64::consts::LN_2 / fitted;
    Ok(Measured {
        error: value * spread / fitted,
        ..Measured::exact(value)
    })
}

/// Of the least-squares line.
fn slope(x: &[f64], y: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let pairs = || x.iter().zip(y).map(|(x, y)| (x - mx, y - my));
    let products: f64 = pairs().map(|(x, y)| x * y).sum();
    let squares: f64 = pairs().map(|(x, _)| x * x).sum();
    products / squares
}

// ---- conditions ----

/// The first time at which a condition on the signs of several curves holds. The signs (-1, 0 or 1)
/// change only where a curve crosses zero or jumps; at a crossing that curve's sign is 0. Curves
/// are over the same range.
///
/// # Errors
/// [`Refusal::Never`]
pub fn first_time(curves: &[Curve], holds: &dyn Fn(&[f64]) -> bool) -> Result<f64, Refusal> {
    let Some(any) = curves.first() else {
        return Err(Refusal::Never);
    };
    let signs = |time: f64| -> Vec<f64> {
        let value = |curve: &Curve| curve.at(time).0;
        let sign = |value: f64| if value == 0.0 { 0.0 } else { value.signum() };
        curves.iter().map(|curve| sign(value(curve))).collect()
    };
    if holds(&signs(any.start())) {
        return Ok(any.start());
    }
    let mut changes: Vec<(f64, Option<usize>)> = Vec::new();
    for (at, curve) in curves.iter().enumerate() {
        let crossings = curve.crossings(0.0).into_iter();
        let jumps: Vec<f64> = curve.jumps().collect();
        changes.extend(crossings.map(|(time, _)| (time, (!jumps.contains(&time)).then_some(at))));
        changes.extend(jumps.iter().map(|time| (*time, None)));
    }
    changes.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (at, (time, zero)) in changes.iter().enumerate() {
        let mut here = signs(*time);
        if let Some(sign) = zero.and_then(|zero| here.get_mut(zero)) {
            *sign = 0.0;
        }
        let next = changes.get(at + 1).map_or(any.end(), |(next, _)| *next);
        if holds(&here) || next > *time && holds(&signs(time.midpoint(next))) {
            return Ok(*time);
        }
    }
    Err(Refusal::Never)
}
