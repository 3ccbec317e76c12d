//! Ranges, scales and ticks of an axis.
//!
//! Enters: an axis' description and the smallest and largest value along it. Leaves: a map from
//! values to `0..1`, tick positions and their words. Must not know pixels beyond the number of
//! ticks that fit.

use crate::figure::Scale;

/// Maps values of one axis to `0..1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Map {
    scale: Scale,
    /// Ends in axis units: values, or their decimal logarithms.
    low: f64,
    high: f64,
}

/// One tick with the words beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Place along the axis, 0 to 1.
    pub at: f64,
    /// Words; none on minor ticks.
    pub label: Option<Label>,
}

/// The words of a tick.
#[derive(Debug, Clone, PartialEq)]
pub enum Label {
    /// A decimal number.
    Plain(String),
    /// A factor (1 is not written) times a power of ten.
    Power {
        /// 1 to 9.
        factor: i32,
        /// The exponent of ten.
        exponent: i32,
    },
}

/// All ticks of one axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ticks {
    /// In rising order of place.
    pub ticks: Vec<Tick>,
    /// The power of ten by which all labels are to be multiplied; 0 when they stand for
    /// themselves.
    pub exponent: i32,
}

/// Ticks with names at 1, 2, 3, ..., as far as they lie between the ends.
pub fn named(names: &[String], low: f64, high: f64) -> Ticks {
    let map = Map::new(Scale::Linear, low, high);
    let tick = |(at, name): (usize, &String)| Tick {
        at: map.place(at as f64 + 1.0),
        label: Some(Label::Plain(name.clone())),
    };
    let all = names.iter().enumerate().map(tick);
    Ticks {
        ticks: all.filter(|tick| (0.0..=1.0).contains(&tick.at)).collect(),
        exponent: 0,
    }
}

impl Map {
    /// The map over `low..high` in values, which must be finite, different, and positive on a
    /// logarithmic scale.
    pub fn new(scale: Scale, low: f64, high: f64) -> Map {
        let (low, high) = match scale {
            Scale::Linear | Scale::Hidden => (low, high),
            Scale::Logarithmic => (low.log10(), high.log10()),
        };
        Map { scale, low, high }
    }

    /// Place of a value, 0 at the low end and 1 at the high end; NaN when it has none.
    pub fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear | Scale::Hidden => self.unit(value),
            Scale::Logarithmic if value > 0.0 => self.unit(value.log10()),
            Scale::Logarithmic => f64::NAN,
        }
    }

    fn unit(&self, value: f64) -> f64 {
        let span = self.high - self.low;
        if span.is_finite() {
            (value - self.low) / span
        } else {
            // Halves keep a range such as -1e308..1e308 from overflowing.
            (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)
        }
    }
}

/// The range of an axis: the asked one where it makes sense, else that of the data with `pad`
/// (a fraction of the span) around it. `data` is the smallest and largest drawable value.
pub fn range(
    scale: Scale,
    asked: Option<(f64, f64)>,
    data: Option<(f64, f64)>,
    pad: (f64, f64),
) -> (f64, f64) {
    let usable = |end: f64| end.is_finite() && (scale != Scale::Logarithmic || end > 0.0);
    if let Some((low, high)) = asked
        && usable(low)
        && usable(high)
        && !same(scale, low, high)
    {
        return (low.min(high), low.max(high));
    }
    match (data, scale) {
        (None, Scale::Linear | Scale::Hidden) => (0.0, 1.0),
        (None, Scale::Logarithmic) => (1.0, 10.0),
        (Some((low, high)), _) if same(scale, low, high) => around(scale, low),
        (Some((low, high)), Scale::Linear | Scale::Hidden) => {
            let span = high - low;
            let padded = (low - span * pad.0, high + span * pad.1);
            if padded.0.is_finite() && padded.1.is_finite() {
                padded
            } else {
                (low, high)
            }
        }
        (Some((low, high)), Scale::Logarithmic) => {
            let span = high.log10() - low.log10();
            let (first, last) = (low.log10() - span * pad.0, high.log10() + span * pad.1);
            // Powers that leave the numbers' range fall back to the data's ends.
            let first = 10_f64.powf(first);
            let last = 10_f64.powf(last);
            (
                if first > 0.0 { first } else { low },
                if last.is_finite() { last } else { high },
            )
        }
    }
}

/// True when two ends are too close for a scale between them: a flat curve's rounding noise is
/// not magnified.
fn same(scale: Scale, low: f64, high: f64) -> bool {
    match scale {
        Scale::Linear | Scale::Hidden => {
            let span = (high - low).abs();
            // Nor are numbers below the smallest that have all their digits.
            span < f64::MIN_POSITIVE || span < 1e-11 * low.abs().max(high.abs())
        }
        Scale::Logarithmic => (high.log10() - low.log10()).abs() < 1e-9,
    }
}

/// A range around a single value.
fn around(scale: Scale, value: f64) -> (f64, f64) {
    match scale {
        Scale::Logarithmic => {
            let low = value / 10.0_f64.sqrt();
            let high = value * 10.0_f64.sqrt();
            (
                if low > 0.0 { low } else { value },
                if high.is_finite() { high } else { value },
            )
        }
        Scale::Linear | Scale::Hidden if value.abs() < f64::MIN_POSITIVE => (-1.0, 1.0),
        Scale::Linear | Scale::Hidden => {
            let margin = value.abs() * 0.1;
            let (low, high) = (value - margin, value + margin);
            (low.max(f64::MIN), high.min(f64::MAX))
        }
    }
}

/// Ticks for `low..high`, about `wanted` of them labelled.
pub fn ticks(scale: Scale, low: f64, high: f64, wanted: usize) -> Ticks {
    let wanted = wanted.max(2);
    let map = Map::new(scale, low, high);
    match scale {
        Scale::Hidden => Ticks {
            ticks: Vec::new(),
            exponent: 0,
        },
        Scale::Linear => linear(&map, low, high, wanted),
        Scale::Logarithmic => {
            if map.high - map.low < 0.7 {
                linear(&map, low, high, wanted)
            } else {
                logarithmic(&map, wanted)
            }
        }
    }
}

/// The step 1, 2 or 5 times a power of ten that gives at most `wanted` ticks, as
/// (factor, exponent).
fn nice_step(span: f64, wanted: usize) -> (f64, i32) {
    let rough = span / wanted as f64;
    let exponent = rough.log10().floor();
    let fraction = rough / 10_f64.powf(exponent);
    let (factor, carry) = match fraction {
        f if f <= 1.0 + 1e-9 => (1.0, 0),
        f if f <= 2.0 + 1e-9 => (2.0, 0),
        f if f <= 5.0 + 1e-9 => (5.0, 0),
        _ => (1.0, 1),
    };
    (factor, (exponent as i32).saturating_add(carry))
}

fn linear(map: &Map, low: f64, high: f64, wanted: usize) -> Ticks {
    let (factor, step_exponent) = nice_step(high - low, wanted);
    let step = factor * 10_f64.powi(step_exponent);
    if step == 0.0 || !step.is_finite() {
        return ends_only(map, low, high);
    }
    let size = low.abs().max(high.abs()).log10().floor() as i32;
    // Numbers from a thousandth to a hundred thousand are written out; beyond, a common power
    // of ten stands at the end of the axis.
    let exponent = if (-3..5).contains(&size) { 0 } else { size };
    let decimals = (exponent - step_exponent).max(0) as usize;
    if decimals > 15 {
        return ends_only(map, low, high);
    }
    let first = (low / step - 1e-6).ceil();
    let last = (high / step + 1e-6).floor();
    let count = ((last - first) as usize).min(4 * wanted);
    // Whole steps times the step keep 0.30000000000000004 out of the labels.
    let label_step = factor * 10_f64.powi(step_exponent - exponent);
    let ticks = (0..=count)
        .map(|index| {
            let steps = first + index as f64;
            let words = format!("{:.decimals$}", steps * label_step + 0.0);
            Tick {
                at: map.place(steps * step).clamp(0.0, 1.0),
                label: Some(Label::Plain(minus(&words))),
            }
        })
        .collect();
    Ticks { ticks, exponent }
}

/// Where no nice step exists (a range near the ends of the number range): the two ends.
fn ends_only(map: &Map, low: f64, high: f64) -> Ticks {
    let ticks = [low, high]
        .into_iter()
        .map(|value| Tick {
            at: map.place(value),
            label: Some(Label::Plain(minus(&crate::render::table::number(value, 4)))),
        })
        .collect();
    Ticks { ticks, exponent: 0 }
}

fn logarithmic(map: &Map, wanted: usize) -> Ticks {
    let first = map.low.floor() as i32;
    let last = map.high.ceil() as i32;
    let decades = map.high - map.low;
    let mut ticks = Vec::new();
    let stride = nice_stride(decades, wanted);
    // Short axes also name 2 and 5 times a power of ten, or there would be one label alone.
    let named: &[i32] = if stride > 1 {
        &[]
    } else if decades < 1.6 {
        &[2, 3, 5]
    } else if decades < 2.6 && wanted >= 5 {
        &[2, 5]
    } else {
        &[]
    };
    let inside = |decade: i32| map.unit(f64::from(decade)) >= -1e-9;
    let plain = map.high < 5.0 && (first..=last).find(|decade| inside(*decade)) >= Some(-3);
    for decade in first..=last {
        for factor in 1..10 {
            if stride > 1 && (factor > 1 || (stride > 5 && decade.rem_euclid(stride) != 0)) {
                break;
            }
            let place = map.unit(f64::from(decade) + f64::from(factor).log10());
            if !(-1e-9..=1.0 + 1e-9).contains(&place) {
                continue;
            }
            let labelled = (factor == 1 && decade.rem_euclid(stride) == 0)
                || (factor > 1 && named.contains(&factor));
            ticks.push(Tick {
                at: place.clamp(0.0, 1.0),
                label: labelled.then(|| log_label(decade, factor, plain)),
            });
        }
    }
    Ticks { ticks, exponent: 0 }
}

/// Every how many decades a label fits.
fn nice_stride(decades: f64, wanted: usize) -> i32 {
    [1, 2, 3, 5, 10, 20, 50, 100]
        .into_iter()
        .find(|stride| decades / f64::from(*stride) <= wanted as f64)
        .unwrap_or(200)
}

fn log_label(exponent: i32, factor: i32, plain: bool) -> Label {
    if plain {
        let decimals = (-exponent).max(0) as usize;
        let value = f64::from(factor) * 10_f64.powi(exponent);
        Label::Plain(format!("{value:.decimals$}"))
    } else {
        Label::Power { factor, exponent }
    }
}

/// A true minus sign instead of a hyphen.
fn minus(text: &str) -> String {
    text.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(ticks: &Ticks) -> Vec<String> {
        ticks
            .ticks
            .iter()
            .filter_map(|tick| match &tick.label {
                Some(Label::Plain(text)) => Some(text.clone()),
                Some(Label::Power { factor, exponent }) => Some(format!("{factor}x10^{exponent}")),
                None => None,
            })
            .collect()
    }

    #[test]
    fn decimals_are_those_of_the_step() {
        let ticks = ticks(Scale::Linear, 0.0, 0.55, 6);
        assert_eq!(words(&ticks), ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
    }

    #[test]
    fn large_and_small_numbers_share_an_exponent() {
        let large = ticks(Scale::Linear, 0.0, 2.1e7, 5);
        assert_eq!(large.exponent, 7);
        assert_eq!(words(&large), ["0.0", "0.5", "1.0", "1.5", "2.0"]);
        let small = ticks(Scale::Linear, -3e-12, 3e-12, 4);
        assert_eq!(small.exponent, -12);
        assert_eq!(words(&small), ["\u{2212}2", "0", "2"]);
    }

    #[test]
    fn decades_are_labelled_and_minor_ticks_are_not() {
        let ticks = ticks(Scale::Logarithmic, 1e-6, 1e3, 10);
        assert_eq!(words(&ticks).len(), 10);
        assert_eq!(words(&ticks)[0], "1x10^-6");
        assert_eq!(ticks.ticks.len(), 9 * 9 + 1);
    }

    #[test]
    fn many_decades_are_thinned() {
        let ticks = ticks(Scale::Logarithmic, 1e-12, 1e12, 8);
        assert!(words(&ticks).len() <= 9);
        assert_eq!(ticks.ticks.len(), 25);
    }

    #[test]
    fn less_than_a_decade_is_still_labelled() {
        assert_eq!(
            words(&ticks(Scale::Logarithmic, 2.0, 8.0, 6)),
            ["2", "3", "4", "5", "6", "7", "8"]
        );
        assert_eq!(
            words(&ticks(Scale::Logarithmic, 1.5, 40.0, 6)),
            ["2", "3", "5", "10", "20", "30"]
        );
    }

    #[test]
    fn every_range_gets_ticks_within_it() {
        let ends = [
            -1e308,
            -1e12,
            -1.0,
            -1e-12,
            0.0,
            1e-300,
            1e-12,
            1.0,
            1.0 + 1e-9,
            1e12,
            1e308,
        ];
        for (index, low) in ends.iter().enumerate() {
            for high in &ends[index + 1..] {
                for scale in [Scale::Linear, Scale::Logarithmic] {
                    if scale == Scale::Logarithmic && *low <= 0.0 {
                        continue;
                    }
                    let found = ticks(scale, *low, *high, 6);
                    assert!(found.ticks.len() >= 2, "{low} {high}: {found:?}");
                    assert!(found.ticks.len() <= 200, "{low} {high}");
                    assert!(
                        found
                            .ticks
                            .iter()
                            .all(|tick| (0.0..=1.0).contains(&tick.at))
                    );
                }
            }
        }
    }

    #[test]
    fn flat_and_missing_data_have_a_range() {
        let pad = (0.05, 0.05);
        assert_eq!(range(Scale::Linear, None, None, pad), (0.0, 1.0));
        assert_eq!(
            range(Scale::Linear, None, Some((0.0, 0.0)), pad),
            (-1.0, 1.0)
        );
        assert_eq!(
            range(Scale::Linear, None, Some((5.0, 5.0)), pad),
            (4.5, 5.5)
        );
        let noise = range(Scale::Linear, None, Some((1.0, 1.0 + 1e-14)), pad);
        assert!(noise.1 - noise.0 > 0.1);
        assert_eq!(
            range(Scale::Linear, Some((3.0, 1.0)), None, pad),
            (1.0, 3.0)
        );
        assert_eq!(
            range(Scale::Logarithmic, Some((0.0, 1.0)), None, pad),
            (1.0, 10.0)
        );
    }
}
