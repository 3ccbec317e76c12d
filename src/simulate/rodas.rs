//! Rodas5P, a Rosenbrock method of order 5 with an embedded one of order 4, both stiffly accurate.
//!
//! In: a [`Watched`] system with exact Jacobian and time derivative, and a [`Start`]. Out: a
//! [`Stepper`] for stiff equations and for constraints of index 1. G. Steinebach, BIT Numer. Math.
//! 63 (2023) 27. With D the identity, but zero for algebraic equations, a step of length h is
//!
//! ```text
//! (D/(h gamma) - J) U_i = f(t + c_i h, y + sum a_ij U_j) + D sum (C_ij/h) U_j + h d_i f_t
//! ```
//!
//! for i = 1 to 8. The arguments of the last three stages are y + sum a_6j U_j, and that with U_6,
//! and with U_7 added; adding U_8 as well gives the new state, and U_8 is the error. One
//! factorisation serves an attempt; a rejected attempt leaves the Jacobian as it is. Between
//! steps his interpolant of order 4 holds ([`INTERPOLANT`]).

use super::controller::{Controller, Rule};
use super::sensitivity::StageSolver;
use super::stepper::{
    Accepted, Start, StepFailure, Stepper, StepperStatistics, Watched, all_finite,
};
use super::weights::Weights;
use crate::linalg::length::{Any, Fixed, Length};
use crate::linalg::{Pattern, Shifted};

const GAMMA: f64 = 0.21193756319429014;
/// c of stages 2 to 5; 1 from stage 6 on.
const NODES: [f64; 4] = [
    0.6358126895828704,
    0.4095798393397535,
    0.9769306725060716,
    0.4288403609558664,
];
/// The factors of the time derivative in stages 1 to 5; 0 from stage 6 on.
const BY_TIME: [f64; 5] = [
    0.21193756319429014,
    -0.42387512638858027,
    -0.3384627126235924,
    1.8046452872882734,
    2.325825639765069,
];
const A2: [f64; 1] = [3.0];
const A3: [f64; 2] = [2.849394379747939, 0.45842242204463923];
const A4: [f64; 3] = [-6.954028509809101, 2.489845061869568, -10.358996098473584];
const A5: [f64; 4] = [
    2.8029986275628964,
    0.5072464736228206,
    -0.3988312541770524,
    -0.04721187230404641,
];
const A6: [f64; 5] = [
    -7.502846399306121,
    2.561846144803919,
    -11.627539656261098,
    -0.18268767659942256,
    0.030198172008377946,
];
const C2: [f64; 1] = [-14.155112264123755];
const C3: [f64; 2] = [-17.97296035885952, -2.859693295451294];
const C4: [f64; 3] = [147.12150275711716, -1.41221402718213, 71.68940251302358];
const C5: [f64; 4] = [
    165.43517024871676,
    -0.4592823456491126,
    42.90938336958603,
    -5.961986721573306,
];
const C6: [f64; 5] = [
    24.854864614690072,
    -3.0009227002832186,
    47.4931110020768,
    5.5814197821558125,
    -0.6610691825249471,
];
const C7: [f64; 6] = [
    30.91273214028599,
    -3.1208243349937974,
    77.79954646070892,
    34.28646028294783,
    -19.097331116725623,
    -28.087943162872662,
];
const C8: [f64; 7] = [
    37.80277123390563,
    -3.2571969029072276,
    112.26918849496327,
    66.9347231244047,
    -40.06618937091002,
    -54.66780262877968,
    -9.48861652309627,
];
/// With `theta` the share of the step that is passed, y0 and y1 its ends, and P, Q, R the sums of
/// the stages with these three rows, the state inside is
/// `(1 - theta) y0 + theta (y1 + (1 - theta) (P + theta (Q + theta R)))`.
const INTERPOLANT: [[f64; 8]; 3] = [
    [
        25.948786856663858,
        -2.5579724845846235,
        10.433815404888879,
        -2.3679251022685204,
        0.524948541321073,
        1.1241088310450404,
        0.4272876194431874,
        -0.17202221070155493,
    ],
    [
        -9.91568850695171,
        -0.9689944594115154,
        3.0438037242978453,
        -24.495224566215796,
        20.176138334709044,
        15.98066361424651,
        -6.789040303419874,
        -6.710236069923372,
    ],
    [
        11.419903575922262,
        2.8879645146136994,
        72.92137995996029,
        80.12511834622643,
        -52.072871366152654,
        -59.78993625266729,
        -0.15582684282751913,
        4.883087185713722,
    ],
];

const RULE: Rule = Rule {
    present: 0.2,
    previous: 0.0,
    rejected: 0.2,
    safety: 0.9,
    growth: 6.0,
};

/// The factor on a step whose matrix was singular.
const AWAY_FROM_SINGULAR: f64 = 0.5;

/// A run by Rodas5P, for a state of this length.
pub(super) struct Rodas<'a, L> {
    system: &'a Watched<'a>,
    length: L,
    weights: Weights,
    control: Controller,
    matrix: Shifted<L>,
    solver: StageSolver,
    /// The diagonal of D; ones when there are no constraints.
    mass: Vec<f64>,
    /// Entries of the Jacobian at `from`, when `differentiated`.
    jacobian: Vec<f64>,
    /// Derivative of the right-hand side by time at `from`; empty when it does not name the time.
    by_time: Vec<f64>,
    differentiated: bool,
    /// Length of the last accepted step.
    step: f64,
    /// State before the last step and right-hand side there; the same where it ended.
    from: Vec<f64>,
    from_drift: Vec<f64>,
    to: Vec<f64>,
    to_drift: Vec<f64>,
    /// U_1 to U_8.
    stages: [Vec<f64>; 8],
    /// D / h.
    inertia: Vec<f64>,
    scratch: Vec<f64>,
    /// The three sums of the interpolant, once they are asked for.
    sums: [Vec<f64>; 3],
    summed: bool,
    counts: StepperStatistics,
}

/// Builds the stepper and lends it to `run`.
pub(super) fn with_stepper<R>(
    system: &Watched<'_>,
    start: &Start<'_>,
    run: impl FnOnce(&mut dyn Stepper) -> R,
) -> R {
    let states = system.pattern().0.len().saturating_sub(1);
    match system.dimension() {
        n if n != states => run(&mut Rodas::new(system, start, Any(n), Any(states))),
        1 => run(&mut Rodas::new(system, start, Fixed::<1>, Fixed)),
        2 => run(&mut Rodas::new(system, start, Fixed::<2>, Fixed)),
        3 => run(&mut Rodas::new(system, start, Fixed::<3>, Fixed)),
        4 => run(&mut Rodas::new(system, start, Fixed::<4>, Fixed)),
        5 => run(&mut Rodas::new(system, start, Fixed::<5>, Fixed)),
        6 => run(&mut Rodas::new(system, start, Fixed::<6>, Fixed)),
        7 => run(&mut Rodas::new(system, start, Fixed::<7>, Fixed)),
        8 => run(&mut Rodas::new(system, start, Fixed::<8>, Fixed)),
        n => run(&mut Rodas::new(system, start, Any(n), Any(n))),
    }
}

impl<'a, L: Length> Rodas<'a, L> {
    /// `length` is that of the state vector, `states` that without derivatives.
    fn new(system: &'a Watched<'a>, start: &Start<'_>, length: L, states: L) -> Self {
        let n = start.state.len();
        let (starts, rows) = system.pattern();
        let zeros = || vec![0.0; n];
        let mass = |algebraic: &bool| if *algebraic { 0.0 } else { 1.0 };
        let given: Vec<f64> = system.algebraic().iter().map(mass).collect();
        let mut to_drift = zeros();
        system.drift(start.time, start.state, &mut to_drift);
        Rodas {
            system,
            length,
            weights: Weights::new(start.tolerances),
            control: Controller::new(RULE, start.time, start.step, start.end, start.max_step),
            mass: if given.is_empty() {
                vec![1.0; n]
            } else {
                given.repeat(1 + system.varied())
            },
            solver: StageSolver::new(system, n),
            matrix: Shifted::new(states, Pattern { starts, rows }, given),
            jacobian: vec![0.0; rows.len()],
            by_time: if system.is_autonomous() {
                Vec::new()
            } else {
                vec![0.0; states.get()]
            },
            differentiated: false,
            step: 0.0,
            from: start.state.to_vec(),
            from_drift: zeros(),
            to: start.state.to_vec(),
            to_drift,
            stages: [const { Vec::new() }; 8].map(|_: Vec<f64>| zeros()),
            inertia: zeros(),
            scratch: zeros(),
            sums: [const { Vec::new() }; 3].map(|_: Vec<f64>| zeros()),
            summed: false,
            counts: StepperStatistics::default(),
        }
    }

    /// Jacobian and time derivative at the beginning of the step, unless they are there.
    fn differentiate(&mut self, time: f64) {
        if self.differentiated {
            return;
        }
        let entries = &mut self.jacobian;
        self.system
            .jacobian(time, &self.from, |found| entries.copy_from_slice(found));
        if !self.by_time.is_empty() {
            self.system
                .time_derivative(time, &self.from, &mut self.by_time);
        }
        self.differentiated = true;
    }

    /// Computes the stages of a step of length h, the state it reaches and the right-hand side
    /// there; returns the square of the error's norm, NaN when it met values that are not finite.
    /// The matrix is factorised.
    fn attempt(&mut self, time: f64, h: f64, end: f64) -> f64 {
        let n = self.length;
        let system = self.system;
        let frequency = 1.0 / h;
        for (inertia, mass) in self.inertia.iter_mut().zip(&self.mass) {
            *inertia = mass * frequency;
        }
        let equations = Equations {
            length: n,
            inertia: &self.inertia,
            by_time: &self.by_time,
            h,
        };
        let width = n.get();
        let (y, to, f) = (
            &self.from[..width],
            &mut self.to[..width],
            &mut self.scratch[..width],
        );
        let (matrix, solver) = (&mut self.matrix, &mut self.solver);
        let mut solve = |u: &mut [f64], d: f64| solver.solve(system, matrix, (time, y), h * d, u);
        // Slices of a length known before the first call: what follows then needs no checks.
        let [u1, u2, u3, u4, u5, u6, u7, u8] = self.stages.each_mut().map(|u| &mut u[..width]);
        let [c2, c3, c4, c5] = NODES;
        let [d1, d2, d3, d4, d5] = BY_TIME;
        equations.first(u1, &self.from_drift, d1);
        solve(u1, d1);
        advance(n, to, y, A2, [u1]);
        system.drift(time + c2 * h, to, f);
        equations.right_side(u2, f, C2, [u1], d2);
        solve(u2, d2);
        advance(n, to, y, A3, [u1, u2]);
        system.drift(time + c3 * h, to, f);
        equations.right_side(u3, f, C3, [u1, u2], d3);
        solve(u3, d3);
        advance(n, to, y, A4, [u1, u2, u3]);
        system.drift(time + c4 * h, to, f);
        equations.right_side(u4, f, C4, [u1, u2, u3], d4);
        solve(u4, d4);
        advance(n, to, y, A5, [u1, u2, u3, u4]);
        system.drift(time + c5 * h, to, f);
        equations.right_side(u5, f, C5, [u1, u2, u3, u4], d5);
        solve(u5, d5);
        advance(n, to, y, A6, [u1, u2, u3, u4, u5]);
        system.drift(end, to, f);
        equations.right_side(u6, f, C6, [u1, u2, u3, u4, u5], 0.0);
        solve(u6, 0.0);
        add(n, to, u6);
        system.drift(end, to, f);
        equations.right_side(u7, f, C7, [u1, u2, u3, u4, u5, u6], 0.0);
        solve(u7, 0.0);
        add(n, to, u7);
        system.drift(end, to, f);
        equations.right_side(u8, f, C8, [u1, u2, u3, u4, u5, u6, u7], 0.0);
        solve(u8, 0.0);
        add(n, to, u8);
        let error = self.weights.squared_norm(n, y, to, |j| u8[j]);
        if error <= 1.0 {
            system.drift(end, to, &mut self.to_drift);
            if !all_finite(&self.to_drift) {
                return f64::NAN;
            }
        }
        error
    }

    /// Attempts steps until one is accepted.
    fn accepted(&mut self) -> Result<Accepted, StepFailure> {
        loop {
            let attempt = self.control.attempt();
            let time = self.control.time;
            self.differentiate(time);
            self.counts.factorisations += 1;
            let shift = 1.0 / (GAMMA * attempt.step);
            if self.matrix.factorise(shift, &self.jacobian).is_err() {
                self.counts.rejected += 1;
                self.control.retreat(&attempt, AWAY_FROM_SINGULAR)?;
                continue;
            }
            let error = self.attempt(time, attempt.step, attempt.end);
            if self.control.judge(&attempt, error)? {
                self.step = attempt.step;
                self.counts.steps += 1;
                return Ok(if attempt.last {
                    Accepted::End
                } else {
                    Accepted::Inside
                });
            }
            self.counts.rejected += 1;
        }
    }

    fn exchange(&mut self) {
        std::mem::swap(&mut self.from, &mut self.to);
        std::mem::swap(&mut self.from_drift, &mut self.to_drift);
    }
}

/// What the right sides of the stages have in common.
struct Equations<'a, L> {
    length: L,
    inertia: &'a [f64],
    by_time: &'a [f64],
    h: f64,
}

impl<L: Length> Equations<'_, L> {
    /// f + h d f_t into `out`.
    #[inline(always)]
    fn first(&self, out: &mut [f64], f: &[f64], d: f64) {
        let n = self.length.get();
        out[..n].copy_from_slice(&f[..n]);
        self.add_by_time(out, d);
    }

    /// f + D sum (C_j / h) U_j + h d f_t into `out`.
    #[inline(always)]
    fn right_side<const S: usize>(
        &self,
        out: &mut [f64],
        f: &[f64],
        weights: [f64; S],
        stages: [&[f64]; S],
        d: f64,
    ) {
        let n = self.length.get();
        let (out, f, inertia) = (&mut out[..n], &f[..n], &self.inertia[..n]);
        let stages = stages.map(|u| &u[..n]);
        for j in 0..n {
            let mut sum = weights[0] * stages[0][j];
            for s in 1..S {
                sum += weights[s] * stages[s][j];
            }
            out[j] = f[j] + inertia[j] * sum;
            self.length.next();
        }
        if d != 0.0 {
            self.add_by_time(out, d);
        }
    }

    #[inline(always)]
    fn add_by_time(&self, out: &mut [f64], d: f64) {
        for (out, by_time) in out.iter_mut().zip(self.by_time) {
            *out += self.h * d * by_time;
        }
    }
}

/// `y + sum over s of weights[s] * stages[s]` into `out`.
#[inline(always)]
fn advance<L: Length, const S: usize>(
    length: L,
    out: &mut [f64],
    y: &[f64],
    weights: [f64; S],
    stages: [&[f64]; S],
) {
    let n = length.get();
    let (out, y) = (&mut out[..n], &y[..n]);
    let stages = stages.map(|u| &u[..n]);
    for j in 0..n {
        let mut sum = y[j];
        for s in 0..S {
            sum += weights[s] * stages[s][j];
        }
        out[j] = sum;
        length.next();
    }
}

#[inline(always)]
fn add<L: Length>(length: L, to: &mut [f64], more: &[f64]) {
    let n = length.get();
    for (to, more) in to[..n].iter_mut().zip(&more[..n]) {
        *to += more;
    }
}

impl<L: Length> Stepper for Rodas<'_, L> {
    fn step(&mut self) -> Result<Accepted, StepFailure> {
        self.exchange();
        self.differentiated = false;
        self.summed = false;
        let accepted = self.accepted();
        if accepted.is_err() {
            self.exchange();
        }
        accepted
    }

    fn time(&self) -> f64 {
        self.control.time
    }

    fn state(&self) -> &[f64] {
        &self.to
    }

    fn derivative(&self) -> &[f64] {
        &self.to_drift
    }

    fn interpolate(&mut self, time: f64, out: &mut [f64]) -> Result<(), StepFailure> {
        let n = self.length.get();
        if !self.summed {
            for (sum, weights) in self.sums.iter_mut().zip(INTERPOLANT) {
                sum.fill(0.0);
                for (weight, stage) in weights.iter().zip(&self.stages) {
                    for (sum, u) in sum.iter_mut().zip(stage) {
                        *sum += weight * u;
                    }
                }
            }
            self.summed = true;
        }
        let theta = 1.0 - (self.control.time - time) / self.step;
        let rest = 1.0 - theta;
        let [p, q, r] = &self.sums;
        let (y0, y1, out) = (&self.from[..n], &self.to[..n], &mut out[..n]);
        for j in 0..n {
            let bend = p[j] + theta * (q[j] + theta * r[j]);
            out[j] = rest * y0[j] + theta * (y1[j] + rest * bend);
        }
        Ok(())
    }

    fn set_longest(&mut self, step: f64) {
        self.control.set_longest(step);
    }

    fn restart(
        &mut self,
        time: f64,
        state: &[f64],
        step: f64,
        stop: f64,
    ) -> Result<(), StepFailure> {
        self.control.restart(time, step, stop);
        self.to.copy_from_slice(state);
        self.system.drift(time, &self.to, &mut self.to_drift);
        Ok(())
    }

    fn set_stop(&mut self, _: f64, stop: f64) -> Result<(), StepFailure> {
        self.control.set_stop(stop);
        Ok(())
    }

    fn statistics(&self) -> StepperStatistics {
        self.counts
    }
}
