//! How a figure looks, whatever it shows: markers, scales and ends of its axes.
//!
//! Enters: a figure and the words `points`, `log` and `axes` of the sentence. Leaves: the figure as
//! they want it. Must not know what is drawn.

use super::super::command::{LogAxis, Plot};
use super::super::compiled::Compiled;
use super::super::lower::word_of;
use super::super::ranges::Ranged;
use super::super::simulate::sound;
use super::super::values::Present;
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::figure::{Axis, Figure, Mark, Scale};
use crate::source::Span;
use crate::syntax::tree;

/// The ends that were said of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::session) struct Ends {
    axis: LogAxis,
    low: Option<f64>,
    high: Option<f64>,
    span: Span,
}

/// The ends after `axes`, as numbers.
///
/// # Errors
/// What is no axis, axes without a range, ranges that hold nothing.
pub(in crate::session) fn ends(
    compiled: &Compiled,
    plot: &Plot,
    present: &Present,
) -> Result<Vec<Ends>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut found: Vec<Ends> = Vec::new();
    for ranged in &plot.axes {
        let Some(ends) = sound(ends_of(compiled, plot, present, ranged), &mut problems) else {
            continue;
        };
        if found.iter().any(|known| known.axis == ends.axis) {
            problems.push(
                Diagnostic::new(Code::BadOption, "this axis is named twice")
                    .at(ranged.name.span, "again here")
                    .help("keep one of its ranges"),
            );
        }
        found.push(ends);
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

fn ends_of(
    compiled: &Compiled,
    plot: &Plot,
    present: &Present,
    Ranged { name, range }: &Ranged,
) -> Result<Ends, Vec<Diagnostic>> {
    let fault = |message: &str, label: String, help: &str| {
        let fault = Diagnostic::new(Code::BadOption, message);
        vec![fault.at(name.span, label).help(help)]
    };
    let axis = match word_of(name).map(|word| word.text.as_str()) {
        Some("x") => LogAxis::X,
        Some("y") => LogAxis::Y,
        _ => {
            let help =
                "the axes are `x` and `y`, whatever they show: `axes x in 0..10, y in -1..1`";
            return Err(fault("there is no such axis", String::new(), help));
        }
    };
    let Some(range) = range else {
        let help = "as in `axes x in 0..10, y in -1..1`";
        return Err(fault(
            "an axis needs its range",
            "from where to where?".to_owned(),
            help,
        ));
    };
    let number = |end: &Option<tree::Expr>| {
        let end = end.as_ref();
        end.map(|expr| compiled.number(expr, present)).transpose()
    };
    let (low, high) = (number(&range.low)?, number(&range.high)?);
    let at_range = |message: &str, label: String, help: &str| {
        let fault = Diagnostic::new(Code::BadOption, message);
        vec![fault.at(range.span, label).help(help)]
    };
    if let (Some(low), Some(high)) = (low, high)
        && low >= high
    {
        let label = format!("from {} to {}", number_text(low), number_text(high));
        return Err(at_range(
            "this axis has no length",
            label,
            "the low end comes first",
        ));
    }
    let lowest = low.or(high).unwrap_or(1.0);
    if plot.log.contains(&axis) && lowest <= 0.0 {
        let label = format!("{} has no logarithm", number_text(lowest));
        let help = "a logarithmic axis lies above zero: raise the end, or leave `log` away";
        return Err(at_range("this axis is logarithmic", label, help));
    }
    let span = name.span.to(range.span);
    Ok(Ends {
        axis,
        low,
        high,
        span,
    })
}

/// Gives a figure the axes that were asked for.
///
/// # Errors
/// An end that leaves nothing of what is drawn.
pub(super) fn with_ends(figure: &mut Figure, ends: &[Ends]) -> Result<(), Vec<Diagnostic>> {
    for ends in ends {
        let (low, high) = extent(figure, ends.axis);
        let range = (ends.low.unwrap_or(low), ends.high.unwrap_or(high));
        if range.0 < range.1 {
            axis_mut(figure, ends.axis).range = Some(range);
            continue;
        }
        let drawn = format!(
            "what is drawn lies in {}..{}",
            number_text(low),
            number_text(high)
        );
        return Err(vec![
            Diagnostic::new(Code::BadOption, "nothing lies on this side of the end")
                .at(ends.span, drawn)
                .help("give both ends, as in `axes x in 0..10`"),
        ]);
    }
    Ok(())
}

fn axis_of(figure: &Figure, axis: LogAxis) -> &Axis {
    match axis {
        LogAxis::X => &figure.x,
        LogAxis::Y => &figure.y,
    }
}

fn axis_mut(figure: &mut Figure, axis: LogAxis) -> &mut Axis {
    match axis {
        LogAxis::X => &mut figure.x,
        LogAxis::Y => &mut figure.y,
    }
}

/// The lowest and the highest number along an axis.
fn extent(figure: &Figure, axis: LogAxis) -> (f64, f64) {
    let of_series = figure.series.iter().flat_map(|series| match axis {
        LogAxis::X => &series.x,
        LogAxis::Y => &series.y,
    });
    let of_bands = figure.bands.iter().flat_map(|band| match axis {
        LogAxis::X => band.x.iter().chain(&[]),
        LogAxis::Y => band.low.iter().chain(&band.high),
    });
    let is_linear = axis_of(figure, axis).scale == Scale::Linear;
    let finite = of_series
        .chain(of_bands)
        .filter(|value| value.is_finite() && (is_linear || **value > 0.0));
    finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(*value), high.max(*value))
    })
}

/// Logarithmic axes.
pub(super) fn set_scales(figure: &mut Figure, plot: &Plot) {
    for axis in &plot.log {
        axis_mut(figure, *axis).scale = Scale::Logarithmic;
    }
}

/// Markers in place of the lines that join them.
pub(super) fn unjoin(figure: &mut Figure) {
    for series in &mut figure.series {
        if series.mark == Mark::Line {
            series.mark = Mark::Points;
        }
    }
}
