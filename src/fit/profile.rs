//! The likelihood profile of one parameter.
//!
//! Enters: an optimum, and whoever finds the optimum of all other parameters with one held. Leaves:
//! how the objective rises with the parameter on both sides, where it passes the quantile of
//! chi-squared that makes a confidence interval, and where it never does: there the parameter is
//! not identifiable (A. Raue et al., Bioinformatics 25, 1923, 2009; steps adapt to the rise as
//! there). Must not know how optima are found.

use super::coordinates::{Coordinates, Scale};
use super::objective::Fault;
use crate::simulate::in_order;
use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};
use std::ops::ControlFlow;

/// Finds an optimum from a start between lower and upper bounds, where equal bounds hold a
/// parameter: gives the point and its value. All are inner coordinates.
pub type Refit<'a> = dyn Fn(&[f64], &[f64], &[f64]) -> Result<(Vec<f64>, f64), Fault> + Sync + 'a;

/// How a profile is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProfileOptions {
    /// The level of the interval, between 0 and 1.
    pub level: f64,
    /// Of least squares with a profiled variance: how many data there are, and how many of them
    /// beyond the parameters. The threshold is then that of the F distribution, n log(1 + F/(n - m)),
    /// which gives a linear model the intervals of Student's t (D. M. Bates, D. G. Watts, Nonlinear
    /// Regression Analysis, 1988, section 6.1).
    pub degrees: Option<(usize, usize)>,
    /// How much twice the objective should rise from one point to the next.
    pub rise: f64,
    /// The most points on each side.
    pub most_points: usize,
}

impl Default for ProfileOptions {
    fn default() -> Self {
        ProfileOptions {
            level: 0.95,
            degrees: None,
            rise: 0.3,
            most_points: 100,
        }
    }
}

/// What is profiled.
#[derive(Clone, Copy)]
pub struct Profiled<'a> {
    /// Scales and bounds of all parameters.
    pub coordinates: &'a Coordinates,
    /// The optimum, inner coordinates.
    pub at: &'a [f64],
    /// The objective there.
    pub value: f64,
    /// Which parameter.
    pub parameter: usize,
    /// Its standard error on the inner scale, for the length of the first step; anything that is
    /// not positive and finite if unknown.
    pub error: f64,
    /// Finds the optimum of the others.
    pub refit: &'a Refit<'a>,
}

/// A point of a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfilePoint {
    /// The parameter in its own units.
    pub value: f64,
    /// The inner coordinates of all parameters, the others at their optimum.
    pub at: Vec<f64>,
    /// Twice the objective beyond that of the optimum.
    pub rise: f64,
}

/// How a profile ends on one side.
#[derive(Debug, Clone, PartialEq)]
pub enum ProfileEnd {
    /// It passes the threshold at this value of the parameter, in its own units.
    Crosses(f64),
    /// It reaches the bound of the parameter below the threshold.
    Bound,
    /// It does not reach the threshold within many orders of magnitude.
    Flat,
    /// It did not come so far within the most points that were allowed.
    OutOfPoints,
    /// The others have no optimum beyond the last point.
    Stopped(Fault),
}

/// A profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Which parameter.
    pub parameter: usize,
    /// What the rise has to pass: a quantile of chi-squared with one degree of freedom, or what
    /// [`ProfileOptions::degrees`] says.
    pub threshold: f64,
    /// Points in ascending order of the parameter, the optimum among them.
    pub points: Vec<ProfilePoint>,
    /// Towards smaller values.
    pub lower: ProfileEnd,
    /// Towards larger values.
    pub upper: ProfileEnd,
    /// The inner coordinates of the lowest point, where it is below the optimum: a search from here
    /// finds a better one. All else counts from the old one.
    pub better: Option<Vec<f64>>,
}

/// The farthest a logarithm is followed: thirteen orders of magnitude.
const FARTHEST_LOGARITHM: f64 = 30.0;
/// The farthest any other parameter is, beside its size and its standard error.
const FARTHEST: f64 = 1e8;
/// The first step of a parameter of unknown standard error, beside its size.
const FIRST_STEP: f64 = 0.01;
/// Steps become longer by at most this factor.
const GROWTH: f64 = 2.0;
/// A rise of so many times what is wanted is done again with half the step.
const TOO_MUCH: f64 = 3.0;
/// How often steps are halved.
const HALVINGS: usize = 12;
/// Where there is no optimum beyond, steps end at this part of the first.
const SHORTEST: f64 = 1e-3;
/// Ends are found to this part of their distance from the optimum.
const PRECISION: f64 = 1e-4;
/// The most refits for that.
const MOST_REFITS: usize = 30;
/// Twice the objective below the optimum by this much tells of a better one.
const BETTER: f64 = 1e-3;

/// The threshold for an interval; not a number where its level means nothing.
fn threshold(options: &ProfileOptions) -> f64 {
    let level = options.level;
    if !(0.0..1.0).contains(&level) {
        return f64::NAN;
    }
    if let Some((count, left)) = options.degrees {
        let (count, left) = (count as f64, left as f64);
        let quantile = StudentsT::new(0.0, 1.0, left).map(|t| t.inverse_cdf(0.5 + 0.5 * level));
        return quantile.map_or(f64::NAN, |t| count * (1.0 + t * t / left).ln());
    }
    ChiSquared::new(1.0).map_or(f64::NAN, |chi_squared| chi_squared.inverse_cdf(level))
}

/// The profile of a parameter; its two sides at the same time if there are two `threads`.
#[must_use]
pub fn profile(profiled: &Profiled, options: &ProfileOptions, threads: usize) -> Profile {
    let threshold = threshold(options);
    let side = |index| {
        let towards = if index == 0 { -1.0 } else { 1.0 };
        Side {
            profiled,
            options,
            threshold,
            towards,
            points: Vec::new(),
        }
        .follow()
    };
    let mut points = Vec::new();
    let mut ends = Vec::new();
    in_order(2, threads, side, |index, (mut found, end)| {
        if index == 0 {
            found.reverse();
            // Both sides begin with the optimum.
            found.pop();
        }
        points.extend(found);
        ends.push(end);
        ControlFlow::Continue(())
    });
    let upper = ends.pop().unwrap_or(ProfileEnd::Flat);
    let lower = ends.pop().unwrap_or(ProfileEnd::Flat);
    let lowest = points.iter().min_by(|a, b| a.rise.total_cmp(&b.rise));
    let better = lowest.filter(|point| point.rise < -BETTER);
    Profile {
        parameter: profiled.parameter,
        threshold,
        better: better.map(|point| point.at.clone()),
        points,
        lower,
        upper,
    }
}

/// One side of a profile as it is followed outwards.
struct Side<'a> {
    profiled: &'a Profiled<'a>,
    options: &'a ProfileOptions,
    threshold: f64,
    /// 1 or -1.
    towards: f64,
    /// Outwards, from the optimum.
    points: Vec<ProfilePoint>,
}

impl Side<'_> {
    /// Follows the profile to its end.
    fn follow(mut self) -> (Vec<ProfilePoint>, ProfileEnd) {
        let profiled = self.profiled;
        let first = ProfilePoint {
            value: self.own(self.inner(profiled.at)),
            at: profiled.at.to_vec(),
            rise: 0.0,
        };
        self.points.push(first.clone());
        let mut last = first;
        let start = self.inner(&last.at);
        let (bound, farthest) = (self.bound(), self.farthest());
        let mut step = self.first_step();
        while self.points.len() <= self.options.most_points {
            let here = self.inner(&last.at);
            let left = (bound - here) * self.towards;
            if left <= 0.0 {
                return (self.points, ProfileEnd::Bound);
            }
            if (here - start).abs() >= farthest {
                return (self.points, ProfileEnd::Flat);
            }
            let (next, taken) = match self.advance(&last, step, bound) {
                Ok(next) => next,
                Err(fault) => return (self.points, ProfileEnd::Stopped(fault)),
            };
            let rise = next.rise - last.rise;
            if next.rise >= self.threshold {
                let end = self.crossing(&last, &next);
                self.points.push(next);
                self.points
                    .sort_by(|a, b| (a.value * self.towards).total_cmp(&(b.value * self.towards)));
                return (self.points, end);
            }
            let factor = (self.options.rise / rise.max(0.0)).clamp(1.0 / GROWTH, GROWTH);
            step = taken * factor;
            self.points.push(next.clone());
            last = next;
        }
        (self.points, ProfileEnd::OutOfPoints)
    }

    /// The coordinate of the parameter.
    fn inner(&self, at: &[f64]) -> f64 {
        let coordinate = at.get(self.profiled.parameter);
        coordinate.copied().unwrap_or(f64::NAN)
    }

    fn scale(&self) -> Scale {
        let scales = &self.profiled.coordinates.scales;
        let scale = scales.get(self.profiled.parameter);
        scale.copied().unwrap_or(Scale::Linear)
    }

    fn own(&self, inner: f64) -> f64 {
        self.scale().outer(inner)
    }

    fn bound(&self) -> f64 {
        let coordinates = self.profiled.coordinates;
        let bounds = if self.towards < 0.0 {
            &coordinates.lower
        } else {
            &coordinates.upper
        };
        self.inner(bounds)
    }

    /// What the parameter is measured in.
    fn size(&self) -> f64 {
        let at = self.inner(self.profiled.at).abs();
        match self.scale() {
            Scale::Linear if at > 0.0 => at,
            Scale::Linear | Scale::Logarithmic => 1.0,
        }
    }

    fn known_error(&self) -> Option<f64> {
        let error = self.profiled.error;
        (error.is_finite() && error > 0.0).then_some(error)
    }

    fn first_step(&self) -> f64 {
        let unknown = FIRST_STEP * self.size();
        // Of a quadratic objective the rise is the square of the step in standard errors.
        let step = self.known_error();
        let step = step.map_or(unknown, |error| self.options.rise.sqrt() * error);
        match self.scale() {
            Scale::Linear => step,
            Scale::Logarithmic => step.min(1.0),
        }
    }

    fn farthest(&self) -> f64 {
        match self.scale() {
            Scale::Linear => FARTHEST * self.size().max(self.known_error().unwrap_or(0.0)),
            Scale::Logarithmic => FARTHEST_LOGARITHM,
        }
    }

    /// The next point with the step that led to it: shorter where the rise is too much or there is
    /// no optimum.
    fn advance(
        &self,
        last: &ProfilePoint,
        mut step: f64,
        bound: f64,
    ) -> Result<(ProfilePoint, f64), Fault> {
        let here = self.inner(&last.at);
        let shortest = SHORTEST * self.first_step();
        let mut halvings = 0;
        loop {
            let to = here + self.towards * step;
            let to = if self.towards < 0.0 {
                to.max(bound)
            } else {
                to.min(bound)
            };
            let found = self
                .refit(to, self.extrapolated(last, to))
                .or_else(|fault| {
                    if fault == Fault::Interrupted {
                        return Err(fault);
                    }
                    self.refit(to, last.at.clone())
                });
            let is_last = halvings == HALVINGS;
            match found {
                Ok(next) if is_last || next.rise - last.rise <= TOO_MUCH * self.options.rise => {
                    return Ok((next, (to - here).abs()));
                }
                Err(fault) if is_last || step < shortest || fault == Fault::Interrupted => {
                    return Err(fault);
                }
                Ok(_) | Err(_) => {
                    step = (to - here).abs() / 2.0;
                    halvings += 1;
                }
            }
        }
    }

    /// All coordinates where the last two points lead to.
    fn extrapolated(&self, last: &ProfilePoint, to: f64) -> Vec<f64> {
        let before = self.points.iter().rev().nth(1);
        before.map_or_else(|| last.at.clone(), |before| self.on_line(before, last, to))
    }

    /// All coordinates on the line through two points.
    fn on_line(&self, one: &ProfilePoint, other: &ProfilePoint, to: f64) -> Vec<f64> {
        let (from, until) = (self.inner(&one.at), self.inner(&other.at));
        let part = (to - from) / (until - from);
        let pairs = one.at.iter().zip(&other.at);
        let coordinates = pairs.map(|(a, b)| a + part * (b - a));
        // Equal points have no line.
        coordinates
            .zip(&other.at)
            .map(|(u, b)| if u.is_finite() { u } else { *b })
            .collect()
    }

    /// The optimum of the others with the parameter held.
    fn refit(&self, to: f64, mut start: Vec<f64>) -> Result<ProfilePoint, Fault> {
        let coordinates = self.profiled.coordinates;
        let (mut lower, mut upper) = (coordinates.lower.clone(), coordinates.upper.clone());
        for values in [&mut lower, &mut upper, &mut start] {
            if let Some(held) = values.get_mut(self.profiled.parameter) {
                *held = to;
            }
        }
        for ((u, low), high) in start.iter_mut().zip(&lower).zip(&upper) {
            *u = u.max(*low).min(*high);
        }
        let (at, value) = (self.profiled.refit)(&start, &lower, &upper)?;
        Ok(ProfilePoint {
            value: self.own(to),
            at,
            rise: 2.0 * (value - self.profiled.value),
        })
    }

    /// Where the rise passes the threshold between two points: the root of its square root, which
    /// is nearly straight, by false position (Illinois variant; M. Dowell, P. Jarratt, BIT 11, 168,
    /// 1971).
    fn crossing(&mut self, below: &ProfilePoint, above: &ProfilePoint) -> ProfileEnd {
        let height = |point: &ProfilePoint| point.rise.max(0.0).sqrt() - self.threshold.sqrt();
        let start = self.inner(self.profiled.at);
        let (mut below, mut above) = (below.clone(), above.clone());
        let (mut low, mut high) = (height(&below), height(&above));
        let mut found = Vec::new();
        let mut to = self.inner(&above.at);
        let mut was_below = None;
        for _ in 0..MOST_REFITS {
            let (a, b) = (self.inner(&below.at), self.inner(&above.at));
            let before = to;
            to = (a * high - b * low) / (high - low);
            let close = PRECISION * (to - start).abs();
            if (to - before).abs() <= close / 10.0 || (b - a).abs() <= close {
                break;
            }
            let next = match self.refit(to, self.on_line(&below, &above, to)) {
                Ok(next) => next,
                Err(fault) => {
                    self.points.extend(found);
                    return ProfileEnd::Stopped(fault);
                }
            };
            found.push(next.clone());
            let at_next = height(&next);
            // An end that stays for a second time is weighed half.
            let is_below = at_next < 0.0;
            if was_below == Some(is_below) {
                if is_below {
                    high /= 2.0;
                } else {
                    low /= 2.0;
                }
            }
            was_below = Some(is_below);
            if is_below {
                (below, low) = (next, at_next);
            } else {
                (above, high) = (next, at_next);
            }
        }
        self.points.extend(found);
        ProfileEnd::Crosses(self.own(to))
    }
}

#[cfg(test)]
mod tests;
