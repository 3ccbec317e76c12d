//! Tsitouras' explicit Runge-Kutta pair of orders 5 and 4.
//!
//! In: a [`Watched`] system and a [`Start`]. Out: a [`Stepper`] that allocates nothing once built.
//! Seven stages, the last of which is the first of the next step; its own interpolant of order 4
//! costs no evaluation. Ch. Tsitouras, Comput. Math. Appl. 62 (2011) 770-775: his c, a, b (the last
//! row of a) and the differences to the embedded weights are [`NODES`], [`A2`] to [`A7`] and
//! [`ERROR`]; his polynomials b_i(theta), multiplied out, are [`INTERPOLANT`].

use super::controller::{Controller, Rule};
use super::stepper::{Accepted, Start, StepFailure, Stepper, StepperStatistics, Watched};
use super::weights::Weights;
use crate::linalg::length::{Any, Fixed, Length};

/// The times of stages 2 to 5 within a step; 6 and 7 are at its end.
pub(super) const NODES: [f64; 4] = [0.161, 0.327, 0.9, 0.9800255409045097];
pub(super) const A2: [f64; 1] = [0.161];
pub(super) const A3: [f64; 2] = [-0.008480655492356989, 0.335480655492357];
pub(super) const A4: [f64; 3] = [2.8971530571054935, -6.359448489975075, 4.3622954328695815];
pub(super) const A5: [f64; 4] = [
    5.325864828439257,
    -11.748883564062828,
    7.4955393428898365,
    -0.09249506636175525,
];
pub(super) const A6: [f64; 5] = [
    5.86145544294642,
    -12.92096931784711,
    8.159367898576159,
    -0.071584973281401,
    -0.028269050394068383,
];
pub(super) const A7: [f64; 6] = [
    0.09646076681806523,
    0.01,
    0.4798896504144996,
    1.379008574103742,
    -3.290069515436081,
    2.324710524099774,
];
/// Weights of the difference between the solutions of order 5 and 4.
pub(super) const ERROR: [f64; 7] = [
    -0.001780011052225777,
    -0.0008164344596567469,
    0.007880878010261995,
    -0.1447110071732629,
    0.5823571654525552,
    -0.45808210592918697,
    0.015151515151515152,
];
/// Row i: the coefficients of theta, theta^2, theta^3, theta^4 in the weight of stage i.
pub(super) const INTERPOLANT: [[f64; 4]; 7] = [
    [
        1.0,
        -2.763706197274826,
        2.9132554618219126,
        -1.0530884977290216,
    ],
    [0.0, 0.1317, -0.2234, 0.1017],
    [
        0.0,
        3.9302962368947516,
        -5.941033872131505,
        2.490627285651253,
    ],
    [
        0.0,
        -12.411077166933676,
        30.33818863028232,
        -16.548102889244902,
    ],
    [0.0, 37.50931341651104, -88.1789048947664, 47.37952196281928],
    [
        0.0,
        -27.896526289197286,
        65.09189467479366,
        -34.87065786149661,
    ],
    [0.0, 1.5, -4.0, 2.5],
];

/// The rule of Hairer's DOPRI5 with a larger integral part, as usual for this pair.
pub(super) const RULE: Rule = Rule {
    present: 0.14,
    previous: 0.08,
    rejected: 0.2,
    safety: 0.9,
    growth: 10.0,
};

/// A run by Tsitouras' pair, for a state of this length.
pub(super) struct Tsit5<'a, L> {
    system: &'a Watched<'a>,
    length: L,
    weights: Weights,
    control: Controller,
    /// Length of the last accepted step.
    step: f64,
    /// State before the last step, and the one reached.
    from: Vec<f64>,
    to: Vec<f64>,
    /// The argument of the sixth stage, which like the seventh is at the end of the step.
    inner: Vec<f64>,
    /// Derivatives at the stages; the first belongs to `from`, the last to `to`.
    stages: [Vec<f64>; 7],
    counts: StepperStatistics,
}

/// Builds the stepper and lends it to `run`.
pub(super) fn with_stepper<R>(
    system: &Watched<'_>,
    start: &Start<'_>,
    run: impl FnOnce(&mut dyn Stepper) -> R,
) -> R {
    match system.dimension() {
        1 => run(&mut Tsit5::new(system, start, Fixed::<1>)),
        2 => run(&mut Tsit5::new(system, start, Fixed::<2>)),
        3 => run(&mut Tsit5::new(system, start, Fixed::<3>)),
        4 => run(&mut Tsit5::new(system, start, Fixed::<4>)),
        5 => run(&mut Tsit5::new(system, start, Fixed::<5>)),
        6 => run(&mut Tsit5::new(system, start, Fixed::<6>)),
        n => run(&mut Tsit5::new(system, start, Any(n))),
    }
}

impl<'a, L: Length> Tsit5<'a, L> {
    fn new(system: &'a Watched<'a>, start: &Start<'_>, length: L) -> Self {
        let n = start.state.len();
        let mut stepper = Tsit5 {
            system,
            length,
            weights: Weights::new(start.tolerances),
            control: Controller::new(RULE, start.time, start.step, start.end, start.max_step),
            step: 0.0,
            from: start.state.to_vec(),
            to: start.state.to_vec(),
            inner: vec![0.0; n],
            stages: [const { Vec::new() }; 7],
            counts: StepperStatistics::default(),
        };
        for stage in &mut stepper.stages {
            stage.resize(n, 0.0);
        }
        let [.., last] = &mut stepper.stages;
        system.drift(start.time, &stepper.to, last);
        stepper
    }

    /// Computes the stages of a step of length h and the state it reaches; returns the square of
    /// the error's norm, NaN when it met values that are not finite.
    fn attempt(&mut self, time: f64, h: f64, end: f64) -> f64 {
        let n = self.length;
        let system = self.system;
        let width = n.get();
        // Slices of a length known before the first call: what follows then needs no checks.
        let [k1, k2, k3, k4, k5, k6, k7] = self.stages.each_mut().map(|k| &mut k[..width]);
        let (y, u, to) = (
            &self.from[..width],
            &mut self.inner[..width],
            &mut self.to[..width],
        );
        let [c2, c3, c4, c5] = NODES;
        combine(n, u, y, h, A2, [k1]);
        system.drift(time + c2 * h, u, k2);
        combine(n, u, y, h, A3, [k1, k2]);
        system.drift(time + c3 * h, u, k3);
        combine(n, u, y, h, A4, [k1, k2, k3]);
        system.drift(time + c4 * h, u, k4);
        combine(n, u, y, h, A5, [k1, k2, k3, k4]);
        system.drift(time + c5 * h, u, k5);
        combine(n, u, y, h, A6, [k1, k2, k3, k4, k5]);
        system.drift(end, u, k6);
        combine(n, to, y, h, A7, [k1, k2, k3, k4, k5, k6]);
        system.drift(end, to, k7);
        let stages = [k1, k2, k3, k4, k5, k6, k7].map(|k| &*k);
        self.weights.squared_norm(n, y, to, |j| {
            let sum = ERROR.iter().zip(stages).map(|(e, k)| e * k[j]);
            h * sum.sum::<f64>()
        })
    }
}

/// `y + h * (sum over s of weights[s] * stages[s])` into `out`.
#[inline(always)]
fn combine<L: Length, const S: usize>(
    length: L,
    out: &mut [f64],
    y: &[f64],
    h: f64,
    weights: [f64; S],
    stages: [&[f64]; S],
) {
    let n = length.get();
    let (out, y) = (&mut out[..n], &y[..n]);
    let stages = stages.map(|k| &k[..n]);
    // The step goes into the weights, and the last stage, which is the newest, comes last: the
    // processor then adds up the others before it is there.
    let weights = weights.map(|weight| h * weight);
    for j in 0..n {
        let mut sum = y[j];
        for s in 0..S {
            sum += weights[s] * stages[s][j];
        }
        out[j] = sum;
        length.next();
    }
}

impl<L: Length> Stepper for Tsit5<'_, L> {
    fn step(&mut self) -> Result<Accepted, StepFailure> {
        std::mem::swap(&mut self.from, &mut self.to);
        self.stages.swap(0, 6);
        loop {
            let attempt = self.control.attempt();
            let error = self.attempt(self.control.time, attempt.step, attempt.end);
            match self.control.judge(&attempt, error) {
                Ok(true) => {
                    self.step = attempt.step;
                    self.counts.steps += 1;
                    return Ok(if attempt.last {
                        Accepted::End
                    } else {
                        Accepted::Inside
                    });
                }
                Ok(false) => self.counts.rejected += 1,
                Err(failure) => {
                    self.counts.rejected += 1;
                    std::mem::swap(&mut self.from, &mut self.to);
                    self.stages.swap(0, 6);
                    return Err(failure);
                }
            }
        }
    }

    fn time(&self) -> f64 {
        self.control.time
    }

    fn state(&self) -> &[f64] {
        &self.to
    }

    fn derivative(&self) -> &[f64] {
        &self.stages[6]
    }

    fn interpolate(&mut self, time: f64, out: &mut [f64]) -> Result<(), StepFailure> {
        let before = self.control.time - self.step;
        let theta = (time - before) / self.step;
        let weights =
            INTERPOLANT.map(|[a, b, c, d]| theta * (a + theta * (b + theta * (c + theta * d))));
        let [k1, k2, k3, k4, k5, k6, k7] = &self.stages;
        let stages = [&**k1, k2, k3, k4, k5, k6, k7];
        combine(self.length, out, &self.from, self.step, weights, stages);
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
        let [.., last] = &mut self.stages;
        self.system.drift(time, &self.to, last);
        Ok(())
    }

    fn set_stop(&mut self, _: f64, stop: f64) -> Result<(), StepFailure> {
        self.control.set_stop(stop);
        Ok(())
    }

    /// The arguments of the last two stages, both at the end of the step, differ mostly in the
    /// direction that the right-hand side changes most along (Hairer & Wanner II, formula IV.2.17).
    fn stability(&self) -> Option<f64> {
        let [.., k6, k7] = &self.stages;
        let (n, y) = (self.length, &self.from);
        let change = |j: usize| k7[j] - k6[j];
        let distance = |j: usize| self.to[j] - self.inner[j];
        let change = self.weights.squared_norm(n, y, &self.to, change);
        let distance = self.weights.squared_norm(n, y, &self.to, distance);
        (distance > 0.0).then(|| self.step * (change / distance).sqrt())
    }

    fn statistics(&self) -> StepperStatistics {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rooted tree, by its branches.
    #[derive(Clone)]
    struct Tree(Vec<Tree>);

    /// All rooted trees of an order, some of them more than once.
    fn trees(order: usize) -> Vec<Tree> {
        forests(order - 1).into_iter().map(Tree).collect()
    }

    fn forests(nodes: usize) -> Vec<Vec<Tree>> {
        if nodes == 0 {
            return vec![Vec::new()];
        }
        let mut all = Vec::new();
        for first in 1..=nodes {
            for tree in trees(first) {
                for mut rest in forests(nodes - first) {
                    rest.push(tree.clone());
                    all.push(rest);
                }
            }
        }
        all
    }

    impl Tree {
        fn order(&self) -> f64 {
            1.0 + self.0.iter().map(Tree::order).sum::<f64>()
        }

        /// gamma of Hairer, Norsett & Wanner I, definition II.2.10.
        fn density(&self) -> f64 {
            self.order() * self.0.iter().map(Tree::density).product::<f64>()
        }

        /// The elementary weight at every stage.
        fn weights(&self) -> [f64; 7] {
            let mut weights = [1.0; 7];
            for branch in &self.0 {
                let inner = branch.weights();
                for (weight, row) in weights.iter_mut().zip(matrix()) {
                    *weight *= row.iter().zip(inner).map(|(a, w)| a * w).sum::<f64>();
                }
            }
            weights
        }
    }

    fn matrix() -> [[f64; 7]; 7] {
        let rows: [&[f64]; 6] = [&A2, &A3, &A4, &A5, &A6, &A7];
        let mut matrix = [[0.0; 7]; 7];
        for (row, given) in matrix.iter_mut().skip(1).zip(rows) {
            row[..given.len()].copy_from_slice(given);
        }
        matrix
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    /// The order conditions, theorem II.2.13 of the same book: to order 5 for the solution, and
    /// for the difference to the embedded one to order 4.
    #[test]
    fn the_order_is_5_with_4_embedded() {
        for order in 1..=5 {
            for tree in trees(order) {
                let weights = tree.weights();
                let found = dot(&A7, &weights[..6]) * tree.density();
                assert!((found - 1.0).abs() < 2e-13, "order {order}: {found}");
                let difference = dot(&ERROR, &weights);
                assert_eq!(
                    difference.abs() < 1e-13,
                    order < 5,
                    "{order}: {difference:e}"
                );
            }
        }
    }

    #[test]
    fn nodes_are_row_sums() {
        let sums = matrix().map(|row| row.iter().sum::<f64>());
        for (sum, node) in sums.iter().skip(1).zip(NODES.iter().chain(&[1.0, 1.0])) {
            assert!((sum - node).abs() < 1e-13, "{sum} {node}");
        }
    }

    /// Order 4 at every theta; the ends are met, with the derivatives there.
    #[test]
    fn the_interpolant_is_of_order_4() {
        let at = |theta: f64| {
            INTERPOLANT.map(|[a, b, c, d]| theta * (a + theta * (b + theta * (c + theta * d))))
        };
        for theta in [0.1_f64, 0.35, 0.5, 0.8, 1.0] {
            for order in 1..=4 {
                for tree in trees(order) {
                    let expected = theta.powi(order as i32) / tree.density();
                    let found = dot(&at(theta), &tree.weights());
                    assert!(
                        (found - expected).abs() < 2e-13,
                        "{order}: {found} {expected}"
                    );
                }
            }
        }
        for (weight, expected) in at(1.0).iter().zip(A7.iter().chain(&[0.0])) {
            assert!((weight - expected).abs() < 1e-13, "{weight} {expected}");
        }
        let slopes = INTERPOLANT.map(|[a, b, c, d]| a + 2.0 * b + 3.0 * c + 4.0 * d);
        for (i, slope) in slopes.iter().enumerate() {
            let expected = f64::from(u8::from(i == 6));
            assert!((slope - expected).abs() < 1e-12, "{slope}");
        }
    }
}
