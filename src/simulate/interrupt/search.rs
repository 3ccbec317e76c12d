//! Where guards cross inside a step.
//!
//! In: guards at the ends of a step, and anything that evaluates them in between. Out: the first
//! crossing, as the far end of a bracket of round-off length.
//!
//! A guard between two samples is close to the cubic Hermite polynomial of its values and rates,
//! and that lies in the convex hull of its Bezier points. An interval whose hulls, widened for what
//! the cubic misses, stay on one side is free of crossings; others are halved until they are free,
//! or short, or hold a change of sides. That is how two crossings inside one step are found. A
//! change of sides is closed in on by the rule of false position with halved weights (Dowell &
//! Jarratt, BIT 11 (1971) 168-174), and by bisection where that is slow.

use super::super::stepper::StepFailure;
use super::guards::{Element, Guards, Sample};

/// Halvings of a step at most.
const DEEPEST: u32 = 24;
/// Halvings of each step when functions of time alone are watched: no step is aware of these.
const SAMPLING: u32 = 4;
/// Evaluations inside one step at most, before what is left is taken to be free of crossings.
const MOST_EVALUATIONS: u32 = 400;
/// What the hull is widened by, in terms of its width, on the whole step; a sixteenth for each
/// halving, as the error of a cubic.
const WIDENING: f64 = 0.25;

/// Evaluates the guards inside a step.
pub(super) trait Probe {
    fn probe(&mut self, time: f64, sample: &mut Sample) -> Result<(), StepFailure>;
}

/// The first crossing after `guards.now` and up to `last`, as the far end of its bracket.
pub(super) fn first_crossing(
    guards: &Guards,
    last: &Sample,
    probe: &mut dyn Probe,
) -> Result<Option<Sample>, StepFailure> {
    let mut search = Search {
        elements: &guards.elements,
        sampling: if guards.need_sampling { SAMPLING } else { 0 },
        probe,
        left: MOST_EVALUATIONS,
    };
    search.first(&guards.now, last, 0)
}

/// The first crossing that the ends of a step tell of, as [`first_crossing`]: for paths, of which
/// nothing is known between these.
pub(super) fn first_change(
    guards: &Guards,
    last: &Sample,
    probe: &mut dyn Probe,
) -> Result<Option<Sample>, StepFailure> {
    let mut search = Search {
        elements: &guards.elements,
        sampling: 0,
        probe,
        left: MOST_EVALUATIONS,
    };
    if search.has_changed(last) {
        search.locate(&guards.now, last).map(Some)
    } else {
        Ok(None)
    }
}

struct Search<'a> {
    elements: &'a [Element],
    sampling: u32,
    probe: &'a mut dyn Probe,
    left: u32,
}

impl Search<'_> {
    fn first(
        &mut self,
        from: &Sample,
        to: &Sample,
        depth: u32,
    ) -> Result<Option<Sample>, StepFailure> {
        let is_free = depth >= self.sampling && self.is_free(from, to, depth);
        let changed = self.has_changed(to);
        if is_free || depth >= DEEPEST || self.left == 0 {
            return match changed {
                true => self.locate(from, to).map(Some),
                false => Ok(None),
            };
        }
        let middle = self.evaluate(0.5 * (from.time + to.time))?;
        if let Some(found) = self.first(from, &middle, depth + 1)? {
            return Ok(Some(found));
        }
        self.first(&middle, to, depth + 1)
    }

    fn evaluate(&mut self, time: f64) -> Result<Sample, StepFailure> {
        let count = self.elements.len();
        let mut sample = Sample {
            time,
            values: vec![0.0; count],
            rates: vec![0.0; count],
            state: Vec::new(),
        };
        self.left = self.left.saturating_sub(1);
        self.probe.probe(time, &mut sample)?;
        Ok(sample)
    }

    fn watched(&self) -> impl Iterator<Item = (usize, &Element)> {
        let elements = self.elements.iter().enumerate();
        elements.filter(|(_, element)| element.is_watched && !element.is_timed)
    }

    /// Whether some guard is beyond its border.
    fn has_changed(&self, sample: &Sample) -> bool {
        self.watched()
            .any(|(at, element)| element.has_changed(sample.values[at]))
    }

    /// Whether no guard crosses an even number of times in between: those that change sides are
    /// sought elsewhere.
    fn is_free(&self, from: &Sample, to: &Sample, depth: u32) -> bool {
        let length = to.time - from.time;
        let widening = WIDENING / 16.0_f64.powi(depth.cast_signed());
        self.watched().all(|(at, element)| {
            let ends = (from.values[at], to.values[at]);
            if element.has_changed(ends.1) {
                return true;
            }
            let inner = (
                ends.0 + length / 3.0 * from.rates[at],
                ends.1 - length / 3.0 * to.rates[at],
            );
            let low = ends.0.min(ends.1).min(inner.0).min(inner.1);
            let high = ends.0.max(ends.1).max(inner.0).max(inner.1);
            let margin = widening * (high - low);
            let (least, most) = element.range();
            // What stands still at its border does not cross it.
            high == low
                || inner.0.min(inner.1) - margin > least && inner.0.max(inner.1) + margin < most
        })
    }

    /// Closes in on the first crossing of those that `to` is beyond.
    fn locate(&mut self, from: &Sample, to: &Sample) -> Result<Sample, StepFailure> {
        let floor = 4.0 * f64::EPSILON * (to.time - from.time);
        let mut progress = self.progress(from, to);
        let (mut low, mut far) = (from.time, to.clone());
        let (mut below, mut above) = (progress.of(from), progress.of(to));
        // Halved weights keep one end from staying for ever; -1 and 1 say which end moved last.
        let mut last_moved = 0;
        let mut slow = 0;
        let mut checkpoint = far.time - low;
        while far.time - low > (2.0 * f64::EPSILON * far.time.abs()).max(floor) {
            let tolerance = (2.0 * f64::EPSILON * far.time.abs()).max(floor);
            let length = far.time - low;
            let share = below / (below - above);
            let middle = low + 0.5 * length;
            let mut time = low + share * length;
            if slow >= 3 || !time.is_finite() || below >= 0.0 {
                time = middle;
                slow = 0;
                checkpoint = length;
            }
            time = time
                .max(low + 0.45 * tolerance)
                .min(far.time - 0.45 * tolerance);
            if time <= low || time >= far.time {
                break;
            }
            let sample = self.evaluate(time)?;
            if self.has_changed(&sample) {
                if last_moved == 1 {
                    below *= 0.5;
                }
                above = progress.of(&sample);
                if above < 0.0 {
                    // Another guard than those of the start crosses earlier.
                    progress = self.progress(from, &sample);
                    (below, above) = (progress.of(from), progress.of(&sample));
                }
                last_moved = 1;
                far = sample;
            } else {
                if last_moved == -1 {
                    above *= 0.5;
                }
                below = progress.of(&sample);
                last_moved = -1;
                low = time;
            }
            slow += 1;
            if far.time - low < 0.5 * checkpoint {
                slow = 0;
                checkpoint = far.time - low;
            }
        }
        Ok(far)
    }

    /// A function that changes its sign where the first of the guards does that `to` is beyond.
    fn progress(&self, from: &Sample, to: &Sample) -> Progress {
        let terms = self
            .watched()
            .filter(|(at, element)| element.has_changed(to.values[*at]))
            .map(|(at, element)| {
                let size =
                    element.excess(from.values[at]).abs() + element.excess(to.values[at]).abs();
                (at, *element, if size > 0.0 { size } else { 1.0 })
            });
        Progress {
            terms: terms.collect(),
        }
    }
}

struct Progress {
    terms: Vec<(usize, Element, f64)>,
}

impl Progress {
    fn of(&self, sample: &Sample) -> f64 {
        let terms = self.terms.iter();
        let excess = terms.map(|(at, element, size)| element.excess(sample.values[*at]) / size);
        excess.fold(f64::NEG_INFINITY, f64::max)
    }
}
