//! The exact solution of linear equations with constant coefficients, y' = A y + b.
//!
//! One step goes as far as it may: y(t + h) follows from the exponential of h times
//! [[A, b], [0, 0]] applied to (y, 1), the last column scaled so that b does not dominate the norm
//! (Al-Mohy & Higham, SIAM J. Sci. Comput. 33 (2011) 488-511, section 2). Values inside a step are
//! exact in the same way. Exponentials are kept: evenly spaced times cost one product of a matrix
//! and a vector each. A and b are read anew at every restart.
//!
//! Where someone looks at the inside of steps ([`Start::smooth`]), steps are short enough for a
//! smooth curve: at the middle of a step the cubic through values and derivatives at its ends
//! deviates from the solution by at most [`SMOOTH`] times the range that the state has covered.
//! Their lengths are powers of two, so that few exponentials serve a whole run.
//!
//! The error is that of the exponentials, about round-off times the norm of A times the time
//! covered; tolerances play no part but for the steps above.

use super::stepper::{
    Accepted, Start, StepFailure, Stepper, StepperStatistics, Watched, all_finite, shortest_step,
};
use crate::linalg::{Exponential, one_norm};

/// Largest number of states for which `auto` takes this method: beyond, exponentials of irregular
/// intervals cost more than the steps of other methods.
pub(super) const MOST_STATES: usize = 16;

/// Deviation of a cubic at the middle of a step, in terms of the range that the state has covered.
const SMOOTH: f64 = 1e-4;

/// Numbers in all exponentials that are kept, and their count.
const MOST_NUMBERS: usize = 1 << 20;
const MOST_KEPT: usize = 24;

/// Whether the loss of digits in the exponentials stays far below the tolerance over `length`.
pub(super) fn is_accurate(norm: f64, length: f64, relative: f64) -> bool {
    norm * length * f64::EPSILON < 1e-3 * relative
}

/// Exponentials of multiples of one matrix.
struct Propagators {
    /// Rows of the matrix.
    size: usize,
    matrix: Vec<f64>,
    work: Exponential,
    kept: Vec<Kept>,
    most: usize,
    /// Counts uses.
    clock: u64,
    computed: u64,
}

struct Kept {
    interval: f64,
    values: Vec<f64>,
    used: u64,
}

impl Propagators {
    fn new() -> Self {
        Propagators {
            size: 0,
            matrix: Vec::new(),
            work: Exponential::new(0),
            kept: Vec::new(),
            most: MOST_KEPT,
            clock: 0,
            computed: 0,
        }
    }

    /// Takes another matrix; what is kept holds on if it is the same one.
    fn take(&mut self, size: usize, matrix: &[f64]) {
        if self.size == size && self.matrix == matrix {
            return;
        }
        if self.size != size {
            self.size = size;
            self.work = Exponential::new(size);
            self.most = (MOST_NUMBERS / (size * size).max(1)).clamp(2, MOST_KEPT);
        }
        self.matrix.clear();
        self.matrix.extend_from_slice(matrix);
        self.kept.clear();
    }

    /// exp of `interval` times the matrix, `interval` being known to within `slack`; the interval
    /// that it is exact for goes with it.
    fn of(&mut self, interval: f64, slack: f64) -> (f64, &[f64]) {
        self.clock += 1;
        let found = self
            .kept
            .iter()
            .position(|known| (known.interval - interval).abs() <= slack);
        let at = found.unwrap_or_else(|| self.compute(interval));
        let known = &mut self.kept[at];
        known.used = self.clock;
        (known.interval, &known.values)
    }

    /// In the place of the one that was not used for longest, when there are enough.
    fn compute(&mut self, interval: f64) -> usize {
        self.computed += 1;
        let oldest = (0..self.kept.len()).min_by_key(|at| self.kept[*at].used);
        let at = match oldest {
            Some(oldest) if self.kept.len() >= self.most => oldest,
            _ => {
                self.kept.push(Kept {
                    interval,
                    values: vec![0.0; self.size * self.size],
                    used: 0,
                });
                self.kept.len() - 1
            }
        };
        let known = &mut self.kept[at];
        known.interval = interval;
        self.work.of(interval, &self.matrix, &mut known.values);
        at
    }
}

/// The equations with what was computed from them.
struct Equations {
    /// Number of states.
    n: usize,
    /// [[A, b/unit], [0, 0]], or A where b is zero; column by column.
    matrix: Vec<f64>,
    size: usize,
    unit: f64,
    norm: f64,
    propagators: Propagators,
}

impl Equations {
    fn new(n: usize) -> Self {
        Equations {
            n,
            matrix: Vec::new(),
            size: 0,
            unit: 1.0,
            norm: 0.0,
            propagators: Propagators::new(),
        }
    }

    /// Reads A and b at a time.
    fn read(&mut self, system: &Watched<'_>, time: f64) {
        let n = self.n;
        let zero = vec![0.0; n];
        let mut constant = vec![0.0; n];
        system.drift(time, &zero, &mut constant);
        let size: f64 = constant.iter().map(|b| b.abs()).sum();
        self.size = if size == 0.0 { n } else { n + 1 };
        self.matrix.clear();
        self.matrix.resize(self.size * self.size, 0.0);
        let (starts, rows) = system.pattern();
        system.jacobian(time, &zero, |entries| {
            for (column, ends) in starts.windows(2).enumerate() {
                for k in ends[0]..ends[1] {
                    self.matrix[column * self.size + rows[k]] = entries[k];
                }
            }
        });
        let linear = one_norm(self.size, &self.matrix);
        self.unit = match (size / linear).log2().ceil() {
            _ if linear == 0.0 || size <= linear => 1.0,
            power => power.exp2(),
        };
        for (to, b) in self.matrix.iter_mut().skip(n * self.size).zip(&constant) {
            *to = b / self.unit;
        }
        self.norm = one_norm(self.size, &self.matrix);
        self.propagators.take(self.size, &self.matrix);
    }

    /// A y + b.
    fn derivative(&self, y: &[f64], out: &mut [f64]) {
        apply(self.size, self.unit, &self.matrix, y, out);
    }

    /// The state an interval after `y`; returns the interval that it is exact for, which differs
    /// by `slack` at most.
    fn advance(&mut self, interval: f64, slack: f64, y: &[f64], out: &mut [f64]) -> f64 {
        let (interval, exponential) = self.propagators.of(interval, slack);
        apply(self.size, self.unit, exponential, y, out);
        interval
    }
}

/// The first rows of M (y, unit), or of M y.
fn apply(size: usize, unit: f64, matrix: &[f64], y: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    let factors = y.iter().chain(std::iter::once(&unit));
    for (factor, column) in factors.zip(matrix.chunks_exact(size.max(1))) {
        for (out, entry) in out.iter_mut().zip(column) {
            *out += factor * entry;
        }
    }
}

/// What the choice of smooth steps remembers.
struct Smoothness<'a> {
    start: &'a Start<'a>,
    /// Length of the next step: a power of two.
    step: f64,
    least: Vec<f64>,
    most: Vec<f64>,
    middle: Vec<f64>,
}

impl Smoothness<'_> {
    fn widen(least: &mut [f64], most: &mut [f64], y: &[f64]) {
        for ((least, most), y) in least.iter_mut().zip(most).zip(y) {
            *least = least.min(*y);
            *most = most.max(*y);
        }
    }

    /// The deviation of the cubic at the middle, in terms of what is allowed.
    fn deviation(&self, step: f64, ends: [(&[f64], &[f64]); 2]) -> f64 {
        let [(y0, f0), (y1, f1)] = ends;
        let tolerances = self.start.tolerances;
        let mut largest = 0.0_f64;
        for (i, middle) in self.middle.iter().enumerate() {
            let cubic = 0.5 * (y0[i] + y1[i]) + 0.125 * step * (f0[i] - f1[i]);
            let least = self.least[i].min(*middle).min(y1[i]);
            let most = self.most[i].max(*middle).max(y1[i]);
            let size = least.abs().max(most.abs());
            let allowed = SMOOTH * (most - least)
                + tolerances.relative * size
                + tolerances.absolute.get(i).copied().unwrap_or(0.0);
            let difference = (middle - cubic).abs();
            // At the largest numbers the cubic overflows before the solution does.
            if difference > 0.0 && difference.is_finite() {
                largest = largest.max(difference / allowed);
            }
        }
        largest
    }
}

/// Steps by exponentials of the matrix.
struct Exact<'a> {
    system: &'a Watched<'a>,
    equations: Equations,
    smoothness: Option<Smoothness<'a>>,
    max_step: f64,
    end: f64,
    length: f64,
    /// Start of the last step.
    before: f64,
    before_state: Vec<f64>,
    /// At the end of a step that is tried.
    trial_derivative: Vec<f64>,
    time: f64,
    state: Vec<f64>,
    derivative: Vec<f64>,
    /// A time inside the last step whose state is known, and what is to be added to it: intervals
    /// that are almost the same are taken for the same, and their errors must not add up.
    known: f64,
    known_rest: f64,
    known_state: Vec<f64>,
    scratch: Vec<f64>,
    steps: u64,
    rejected: u64,
}

/// Builds the stepper and lends it to `run`. The equations are taken for linear: see
/// [`super::Dynamics::is_linear`].
pub(super) fn with_stepper<R>(
    system: &Watched<'_>,
    start: &Start<'_>,
    run: impl FnOnce(&mut dyn Stepper) -> R,
) -> Result<R, StepFailure> {
    let zeros = || vec![0.0; start.state.len()];
    let mut exact = Exact {
        system,
        equations: Equations::new(start.state.len()),
        smoothness: start.smooth.then(|| Smoothness {
            start,
            step: start.step,
            least: start.state.to_vec(),
            most: start.state.to_vec(),
            middle: zeros(),
        }),
        max_step: start.max_step,
        end: start.end,
        length: start.end - start.time,
        before: start.time,
        before_state: zeros(),
        trial_derivative: zeros(),
        time: start.time,
        state: zeros(),
        derivative: zeros(),
        known: start.time,
        known_rest: 0.0,
        known_state: zeros(),
        scratch: zeros(),
        steps: 0,
        rejected: 0,
    };
    exact.restart(start.time, start.state, start.step, start.end)?;
    Ok(run(&mut exact))
}

impl Exact<'_> {
    /// Round-off of times.
    fn slack(&self) -> f64 {
        4.0 * f64::EPSILON * self.time.abs().max(self.end.abs())
    }

    /// The state after `step` into `scratch`; `None` when it is not finite, or else whether the
    /// curve is smooth enough, and much more than that.
    fn attempt(&mut self, step: f64) -> Option<(bool, bool)> {
        let slack = self.slack();
        let Some(smoothness) = &mut self.smoothness else {
            self.equations
                .advance(step, slack, &self.state, &mut self.scratch);
            return all_finite(&self.scratch).then_some((true, false));
        };
        let half = 0.5 * step;
        let middle = &mut smoothness.middle;
        self.equations.advance(half, slack, &self.state, middle);
        self.equations
            .advance(half, slack, middle, &mut self.scratch);
        if !all_finite(&self.scratch) {
            return None;
        }
        self.equations
            .derivative(&self.scratch, &mut self.trial_derivative);
        let ends: [(&[f64], &[f64]); 2] = [
            (&self.state, &self.derivative),
            (&self.scratch, &self.trial_derivative),
        ];
        let deviation = smoothness.deviation(step, ends);
        // The deviation grows with the fourth power of the step.
        Some((deviation <= 1.0, deviation < 1.0 / 20.0))
    }

    /// The length of the first attempt at a step.
    fn first_attempt(&self) -> f64 {
        let left = self.end - self.time;
        let step = match &self.smoothness {
            Some(smoothness) => smoothness.step,
            None => left,
        };
        let step = step.min(self.max_step);
        // No remainder of a length that is next to nothing.
        if step > 0.99 * left { left } else { step }
    }

    /// The step is taken.
    fn accept(&mut self, step: f64, grows: bool) -> Accepted {
        std::mem::swap(&mut self.before_state, &mut self.state);
        std::mem::swap(&mut self.state, &mut self.scratch);
        self.before = self.time;
        (self.known, self.known_rest) = (self.before, 0.0);
        self.known_state.copy_from_slice(&self.before_state);
        let ends = step >= self.end - self.time;
        self.time = if ends { self.end } else { self.time + step };
        self.equations.derivative(&self.state, &mut self.derivative);
        self.steps += 1;
        if let Some(smoothness) = &mut self.smoothness {
            let (least, most) = (&mut smoothness.least, &mut smoothness.most);
            Smoothness::widen(least, most, &smoothness.middle);
            Smoothness::widen(least, most, &self.state);
            if grows && step >= smoothness.step {
                smoothness.step *= 2.0;
            }
        }
        if ends {
            Accepted::End
        } else {
            Accepted::Inside
        }
    }
}

impl Stepper for Exact<'_> {
    fn step(&mut self) -> Result<Accepted, StepFailure> {
        let mut step = self.first_attempt();
        let shortest = shortest_step(self.time, self.length);
        loop {
            match self.attempt(step) {
                Some((true, grows)) => return Ok(self.accept(step, grows)),
                Some((false, _)) => {}
                None => self.system.overflow(self.time, &self.state, &self.scratch),
            }
            if step < shortest {
                return Err(StepFailure::TooSmall { step });
            }
            self.rejected += 1;
            step *= 0.5;
            if let Some(smoothness) = &mut self.smoothness {
                step = step.log2().floor().exp2();
                smoothness.step = step;
            }
        }
    }

    fn time(&self) -> f64 {
        self.time
    }

    fn state(&self) -> &[f64] {
        &self.state
    }

    fn derivative(&self) -> &[f64] {
        &self.derivative
    }

    fn interpolate(&mut self, time: f64, out: &mut [f64]) -> Result<(), StepFailure> {
        let slack = self.slack();
        if time < self.known - slack {
            (self.known, self.known_rest) = (self.before, 0.0);
            self.known_state.copy_from_slice(&self.before_state);
        }
        let interval = (time - self.known) - self.known_rest;
        if interval.abs() > slack {
            let advanced =
                self.equations
                    .advance(interval, slack, &self.known_state, &mut self.scratch);
            std::mem::swap(&mut self.known_state, &mut self.scratch);
            let advanced = advanced + self.known_rest;
            let reached = self.known + advanced;
            self.known_rest = advanced - (reached - self.known);
            self.known = reached;
        }
        out.copy_from_slice(&self.known_state);
        Ok(())
    }

    fn set_longest(&mut self, step: f64) {
        self.max_step = step;
    }

    fn restart(
        &mut self,
        time: f64,
        state: &[f64],
        _step: f64,
        stop: f64,
    ) -> Result<(), StepFailure> {
        self.equations.read(self.system, time);
        self.time = time;
        self.before = time;
        (self.known, self.known_rest) = (time, 0.0);
        self.end = stop;
        self.length = stop - time;
        for to in [
            &mut self.state,
            &mut self.before_state,
            &mut self.known_state,
        ] {
            to.copy_from_slice(state);
        }
        self.equations.derivative(state, &mut self.derivative);
        if let Some(smoothness) = &mut self.smoothness {
            // Infinite when the equations stand still.
            smoothness.step = (-self.equations.norm.log2().floor()).exp2();
            let (least, most) = (&mut smoothness.least, &mut smoothness.most);
            Smoothness::widen(least, most, state);
        }
        Ok(())
    }

    fn set_stop(&mut self, _step: f64, stop: f64) -> Result<(), StepFailure> {
        self.end = stop;
        Ok(())
    }

    fn statistics(&self) -> StepperStatistics {
        StepperStatistics {
            steps: self.steps,
            rejected: self.rejected,
            factorisations: self.equations.propagators.computed,
            clamped: 0,
        }
    }
}
