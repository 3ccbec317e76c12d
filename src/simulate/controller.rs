//! How long the next step is: the answer of our own steppers to an error, and where steps end.
//!
//! In: the squared error norm of an attempt. Out: the length of the next one. The rule is
//! proportional-integral (Gustafsson, ACM Trans. Math. Softw. 17 (1991) 533-554; Hairer & Wanner,
//! Solving Ordinary Differential Equations II, section IV.2), written in logarithms to base two so
//! that one approximate logarithm and one approximate power serve a step.

use super::stepper::{StepFailure, shortest_step};

/// What a method's order makes of an error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Exponent of the present error in the factor on the step.
    pub present: f64,
    /// Exponent of the previous error, counted against the present one.
    pub previous: f64,
    /// Exponent after a rejected attempt: one over the order of the error estimate.
    pub rejected: f64,
    /// The share of the step that the rule would choose which is taken.
    pub safety: f64,
    /// The largest factor on a step.
    pub growth: f64,
}

impl Rule {
    /// The factor on the step after an attempt that was accepted, and the logarithm of its error,
    /// to be remembered; `remembered` is that of the last one, and whether an attempt was rejected
    /// since.
    #[inline(always)]
    pub fn after_acceptance(&self, squared_error: f64, remembered: (f64, bool)) -> (f64, f64) {
        let error = at_least(rough_log2(squared_error), LEAST);
        let exponent = 0.5 * (self.previous * remembered.0 - self.present * error);
        let most = if remembered.1 { 1.0 } else { self.growth };
        let factor = self.safety * rough_exp2(exponent);
        (at_most(at_least(factor, SHRINKAGE), most), error)
    }

    /// The factor on the step after an attempt that was rejected.
    #[inline(always)]
    pub fn after_rejection(&self, squared_error: f64) -> f64 {
        let exponent = -0.5 * self.rejected * rough_log2(squared_error);
        let factor = self.safety * rough_exp2(exponent);
        let factor = at_most(at_least(factor, SHRINKAGE), self.safety);
        if squared_error.is_finite() {
            factor
        } else {
            RETREAT
        }
    }
}

/// The larger; `a` where it is not a number. A choice without a call, also in lanes.
#[inline(always)]
fn at_least(a: f64, b: f64) -> f64 {
    if a < b { b } else { a }
}

#[inline(always)]
fn at_most(a: f64, b: f64) -> f64 {
    if a > b { b } else { a }
}

/// The next attempt from a time, with the step that errors allow.
#[inline(always)]
pub(super) fn attempt(time: f64, step: f64, stop: f64, max_step: f64) -> Attempt {
    let remaining = stop - time;
    let step = at_most(step, max_step);
    let last = (remaining <= 1.05 * step) & (remaining <= max_step);
    let half = if remaining < 2.0 * step {
        0.5 * remaining
    } else {
        step
    };
    let step = if last { remaining } else { half };
    Attempt {
        step,
        end: if last { stop } else { time + step },
        last,
    }
}

/// The step wanted after an accepted attempt, where `wanted` was wanted before it: an attempt that
/// was cut short by the stop says little of how long steps may be.
#[inline(always)]
pub(super) fn step_after(factor: f64, attempted: f64, wanted: f64) -> f64 {
    let next = factor * attempted;
    if attempted < wanted {
        at_least(next, wanted)
    } else {
        next
    }
}

/// The logarithm of the squared error that a stepper begins with.
pub(super) const NOTHING_REMEMBERED: f64 = LEAST;

/// The smallest factor on a step.
const SHRINKAGE: f64 = 0.2;
/// The factor on a step whose result was not finite.
const RETREAT: f64 = 0.25;
/// The logarithm of the smallest squared error that is remembered: an error of 1e-4 tolerances.
const LEAST: f64 = -26.575;

/// An attempt at a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    /// Its length.
    pub step: f64,
    /// Where it ends: exactly the stop when it is the last.
    pub end: f64,
    /// Whether it ends at the stop.
    pub last: bool,
}

/// Time, step and memory of errors of one stepper.
#[derive(Debug, Clone)]
pub(super) struct Controller {
    rule: Rule,
    /// The time reached.
    pub time: f64,
    /// Length of the next attempt before limits.
    step: f64,
    stop: f64,
    max_step: f64,
    length: f64,
    /// Logarithm of the last accepted attempt's squared error.
    remembered: f64,
    after_rejection: bool,
}

impl Controller {
    pub fn new(rule: Rule, time: f64, step: f64, stop: f64, max_step: f64) -> Self {
        Controller {
            rule,
            time,
            step,
            stop,
            max_step,
            length: stop - time,
            remembered: LEAST,
            after_rejection: false,
        }
    }

    /// Begins anew at `time`; nothing of what was before is used.
    pub fn restart(&mut self, time: f64, step: f64, stop: f64) {
        *self = Controller::new(self.rule, time, step, stop, self.max_step);
    }

    /// Limits later attempts.
    pub fn set_longest(&mut self, step: f64) {
        self.max_step = step;
    }

    /// Moves the stop; steps go on as they were.
    pub fn set_stop(&mut self, stop: f64) {
        self.stop = stop;
    }

    /// The next attempt: the step that errors allow, at most the longest. It reaches the stop
    /// when it comes near, and half-way there when two are needed, so that no tiny step is left
    /// over.
    #[inline]
    pub fn attempt(&self) -> Attempt {
        attempt(self.time, self.step, self.stop, self.max_step)
    }

    /// Takes note of an attempt with this squared error norm; true when it is accepted, which is
    /// when the norm is at most 1. An attempt that met values that are not finite has the norm
    /// NaN.
    #[inline(always)]
    pub fn judge(&mut self, attempt: &Attempt, squared_error: f64) -> Result<bool, StepFailure> {
        if squared_error <= 1.0 {
            let memory = (self.remembered, self.after_rejection);
            let (factor, error) = self.rule.after_acceptance(squared_error, memory);
            self.step = step_after(factor, attempt.step, self.step);
            self.time = attempt.end;
            self.remembered = error;
            self.after_rejection = false;
            return Ok(true);
        }
        self.reject(attempt, squared_error)?;
        Ok(false)
    }

    /// Answers to an error that is too large.
    #[cold]
    fn reject(&mut self, attempt: &Attempt, squared_error: f64) -> Result<(), StepFailure> {
        let factor = self.rule.after_rejection(squared_error);
        self.retreat(attempt, factor)
    }

    /// Rejects an attempt: the next is `factor` times as long.
    pub fn retreat(&mut self, attempt: &Attempt, factor: f64) -> Result<(), StepFailure> {
        self.step = factor * attempt.step;
        self.after_rejection = true;
        if self.step < shortest_step(self.time, self.length) {
            return Err(StepFailure::TooSmall { step: self.step });
        }
        Ok(())
    }
}

/// log2(x) for positive x, within 0.01: the exponent, and a parabola through the mantissa.
#[inline(always)]
fn rough_log2(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i32 - 1023;
    let mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    f64::from(exponent) + ((-1.0 / 3.0) * mantissa + 2.0) * mantissa - 5.0 / 3.0
}

/// 2^x within 0.4 percent for |x| < 1000.
#[inline(always)]
fn rough_exp2(x: f64) -> f64 {
    let x = at_most(at_least(x, -1000.0), 1000.0);
    // The next whole number below, in the last digits of a sum, without a call: 1.5 times 2^52 has
    // its last digit at 1.
    const LAST_DIGIT: f64 = 6_755_399_441_055_744.0;
    let nearest = (x + LAST_DIGIT) - LAST_DIGIT;
    let whole = if nearest > x { nearest - 1.0 } else { nearest };
    let rest = x - whole;
    let power = f64::from_bits((whole + (1023.0 + LAST_DIGIT)).to_bits() << 52);
    power * (1.0 + rest * (0.6565 + 0.3435 * rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rough_powers_are_near() {
        for k in -2000..2000 {
            let x = (0.01 * f64::from(k)).exp();
            assert!((rough_log2(x) - x.log2()).abs() < 0.01, "{x}");
            let y = 0.017 * f64::from(k);
            assert!((rough_exp2(y) / y.exp2() - 1.0).abs() < 4e-3, "{y}");
        }
        assert!(rough_log2(0.0) < -1000.0);
    }

    /// The remaining way is covered by steps of nearly equal length.
    #[test]
    fn no_tiny_step_is_left_over() {
        let rule = Rule {
            present: 0.2,
            previous: 0.0,
            rejected: 0.2,
            safety: 1.0,
            growth: 1.0,
        };
        for k in 1..100 {
            let stop = 0.05 * f64::from(k);
            let mut control = Controller::new(rule, 0.0, 1.0, stop, f64::INFINITY);
            let mut steps = 0;
            loop {
                let attempt = control.attempt();
                assert!(attempt.step > 0.5 * stop.min(1.0), "{stop}");
                assert!(attempt.step <= 1.05);
                assert_eq!(control.judge(&attempt, 1.0), Ok(true));
                steps += 1;
                if attempt.last {
                    break;
                }
            }
            assert_eq!(control.time, stop);
            assert!(f64::from(steps) < stop + 1.0);
        }
    }
}
