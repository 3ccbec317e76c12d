//! Inputs: tables of times and values as piecewise polynomials of the time.
//!
//! In: [`Track`]s. Out: present values and their time derivatives, written into slots. A step
//! function or a broken line is smooth between its knots only: the piece in force is chosen at
//! stops, so that a step that ends at a knot sees the limit from the left. A natural cubic spline
//! (de Boor, A Practical Guide to Splines, chapter IV) is smooth enough at its inner knots.

use super::super::Track;
use crate::model::Interpolation;
use crate::system::System;
use std::ops::Range;

/// All inputs of a run.
#[derive(Debug, Default)]
pub(in crate::simulate) struct Inputs {
    courses: Vec<Course>,
    values: Range<usize>,
    rates: Range<usize>,
}

/// One input.
#[derive(Debug)]
struct Course {
    track: Track,
    interpolation: Interpolation,
    /// Second derivatives at the knots of a spline.
    curvatures: Vec<f64>,
    /// How many knots have passed: those before are in force.
    passed: usize,
}

impl Inputs {
    pub fn new(system: &System, tracks: &[Track]) -> Inputs {
        let courses = system.inputs.iter().zip(tracks);
        Inputs {
            courses: courses
                .filter(|(_, track)| !track.times.is_empty())
                .map(|(input, track)| Course {
                    curvatures: match input.interpolation {
                        Interpolation::Cubic => natural_spline(&track.times, &track.values),
                        Interpolation::Step | Interpolation::Linear => Vec::new(),
                    },
                    track: track.clone(),
                    interpolation: input.interpolation,
                    passed: 0,
                })
                .collect(),
            values: system.slots.inputs.clone(),
            rates: system.slots.input_rates.clone(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.courses.is_empty()
    }

    /// Takes the pieces that begin up to `time`; true when some piece changed.
    pub fn pass(&mut self, time: f64) -> bool {
        let mut changed = false;
        for course in &mut self.courses {
            let passed = course.track.times.partition_point(|knot| *knot <= time);
            changed |= passed != course.passed;
            course.passed = passed;
        }
        changed
    }

    /// The next time at which a piece ends.
    pub fn next_knot(&self) -> f64 {
        let next = self.courses.iter().map(Course::next_knot);
        next.fold(f64::INFINITY, f64::min)
    }

    /// Writes values and rates at `time`.
    pub fn fill(&self, time: f64, slots: &mut [f64]) {
        for (k, course) in self.courses.iter().enumerate() {
            let (value, rate) = course.at(time);
            if let Some(slot) = slots.get_mut(self.values.start + k) {
                *slot = value;
            }
            if let Some(slot) = slots
                .get_mut(self.rates.start + k)
                .filter(|_| k < self.rates.len())
            {
                *slot = rate;
            }
        }
    }
}

impl Course {
    fn next_knot(&self) -> f64 {
        let times = &self.track.times;
        let next = match self.interpolation {
            Interpolation::Step | Interpolation::Linear => times.get(self.passed),
            // Between its ends a spline has two continuous derivatives.
            Interpolation::Cubic if self.passed == 0 => times.first(),
            Interpolation::Cubic => times.last().filter(|_| self.passed < times.len()),
        };
        next.copied().unwrap_or(f64::INFINITY)
    }

    /// Value and rate; outside the table the value at its end.
    fn at(&self, time: f64) -> (f64, f64) {
        let (times, values) = (&self.track.times, &self.track.values);
        let count = times.len();
        let passed = match self.interpolation {
            Interpolation::Step | Interpolation::Linear => self.passed,
            Interpolation::Cubic if (1..count).contains(&self.passed) => {
                let last = count - 1;
                times.partition_point(|knot| *knot <= time).clamp(1, last)
            }
            Interpolation::Cubic => self.passed,
        };
        if passed == 0 || passed >= count || self.interpolation == Interpolation::Step {
            let held = passed.max(1).min(count) - 1;
            return (values.get(held).copied().unwrap_or(0.0), 0.0);
        }
        let (k, next) = (passed - 1, passed);
        let width = times[next] - times[k];
        let slope = (values[next] - values[k]) / width;
        let s = time - times[k];
        let (Some(c0), Some(c1)) = (self.curvatures.get(k), self.curvatures.get(next)) else {
            return (values[k] + slope * s, slope);
        };
        let first = slope - width * (2.0 * c0 + c1) / 6.0;
        let third = (c1 - c0) / (6.0 * width);
        let value = values[k] + s * (first + s * (0.5 * c0 + s * third));
        let rate = first + s * (c0 + 3.0 * s * third);
        (value, rate)
    }
}

/// Second derivatives at the knots of the natural cubic spline: zero at the ends, and by the
/// tridiagonal equations of continuous slopes inside.
fn natural_spline(times: &[f64], values: &[f64]) -> Vec<f64> {
    let n = times.len();
    let mut curvatures = vec![0.0; n];
    if n < 3 {
        return curvatures;
    }
    let mut factors = vec![0.0; n];
    for k in 1..n - 1 {
        let (before, after) = (times[k] - times[k - 1], times[k + 1] - times[k]);
        let slopes = (
            (values[k] - values[k - 1]) / before,
            (values[k + 1] - values[k]) / after,
        );
        let pivot = 2.0 * (before + after) - before * factors[k - 1];
        factors[k] = after / pivot;
        curvatures[k] = (6.0 * (slopes.1 - slopes.0) - before * curvatures[k - 1]) / pivot;
    }
    for k in (1..n - 1).rev() {
        curvatures[k] -= factors[k] * curvatures[k + 1];
    }
    curvatures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(interpolation: Interpolation, times: &[f64], values: &[f64]) -> Course {
        Course {
            track: Track {
                times: times.to_vec(),
                values: values.to_vec(),
            },
            interpolation,
            curvatures: match interpolation {
                Interpolation::Cubic => natural_spline(times, values),
                _ => Vec::new(),
            },
            passed: 0,
        }
    }

    #[test]
    fn a_natural_spline_reproduces_the_textbook_case() {
        // Burden & Faires, Numerical Analysis, section 3.5, example 1: the natural spline through
        // (1, 2), (2, 3), (3, 5) is 2 + 3/4 (x-1) + 1/4 (x-1)^3 and
        // 3 + 3/2 (x-2) + 3/4 (x-2)^2 - 1/4 (x-2)^3.
        let mut spline = course(Interpolation::Cubic, &[1.0, 2.0, 3.0], &[2.0, 3.0, 5.0]);
        spline.passed = 1;
        let (value, rate) = spline.at(1.5);
        assert!((value - (2.0 + 0.375 + 0.03125)).abs() < 1e-15);
        assert!((rate - (0.75 + 0.1875)).abs() < 1e-15);
        let (value, rate) = spline.at(2.5);
        assert!((value - (3.0 + 0.75 + 0.1875 - 0.03125)).abs() < 1e-15);
        assert!((rate - (1.5 + 0.75 - 0.1875)).abs() < 1e-15);
    }

    #[test]
    fn the_end_values_hold_outside() {
        for kind in [
            Interpolation::Step,
            Interpolation::Linear,
            Interpolation::Cubic,
        ] {
            let mut course = course(kind, &[1.0, 2.0, 4.0], &[5.0, 7.0, 6.0]);
            assert_eq!(course.at(0.0), (5.0, 0.0));
            course.passed = 3;
            assert_eq!(course.at(9.0), (6.0, 0.0));
        }
    }

    #[test]
    fn a_piece_holds_up_to_its_end() {
        let mut step = course(Interpolation::Step, &[0.0, 1.0], &[3.0, 4.0]);
        step.passed = 1;
        assert_eq!(step.at(1.0), (3.0, 0.0));
        let mut line = course(Interpolation::Linear, &[0.0, 1.0, 2.0], &[0.0, 2.0, 0.0]);
        line.passed = 1;
        assert_eq!(line.at(1.0), (2.0, 2.0));
        line.passed = 2;
        assert_eq!(line.at(1.0), (2.0, -2.0));
    }
}
