//! How the periodic steady state of doses moves with what a run is differentiated by.
//!
//! In: the map P over one period, the state x = P(x). Out: its derivatives. P is run once more from
//! x with derivatives by the varied quantities and by its own initial state; then
//!
//! ```text
//! dx = (1 - P_x)^-1 (P_theta + f dT)        T: the period
//! ```
//!
//! Sums that the dosing keeps move as they did before: what is solved for is the change from there.

use super::super::driver::drive;
use super::super::sensitivity::Variation;
use super::super::work::Work;
use super::super::{Dynamics, Options, Output, SensitivityDynamics, SteadyKind, Stop};
use super::Interruptions;
use super::agenda::{Delivery, What};
use super::steady::{Linear, Map, Regimen, size_of};
use nalgebra::{DMatrix, DVector};

impl Map<'_, '_> {
    /// The derivatives of the periodic state `found`, one block for each varied quantity. `before` is
    /// the state that it replaces, with its derivatives.
    pub fn moves(&self, kind: SteadyKind, found: &[f64], before: &[f64]) -> Result<Vec<f64>, Stop> {
        let Some(variation) = &self.outer.variation else {
            return Ok(Vec::new());
        };
        let n = found.len();
        let most = found.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let sizes: Vec<f64> = found.iter().map(|x| size_of(x.abs(), most)).collect();
        let Some(after) = self.after_period_moving(variation, found, &sizes) else {
            return Err(self.never_moving(found));
        };
        let (by_quantities, by_state) = after.split_at(after.len() - n * n);
        let map = DMatrix::from_fn(n, n, |row, column| {
            by_state[column * n + row] * sizes[column] / sizes[row]
        });
        let linear = Linear::new(map, sizes);
        let was = match kind {
            SteadyKind::Add => variation.initial(),
            SteadyKind::No | SteadyKind::Replace => before.get(n..).unwrap_or(&[]),
        };
        let mut moves = Vec::with_capacity(by_quantities.len());
        for (j, own) in by_quantities.chunks_exact(n.max(1)).enumerate() {
            let was = was.get(j * n..(j + 1) * n).unwrap_or(&[]);
            let residual = DVector::from_fn(n, |i, _| {
                let carried = was.iter().enumerate();
                let carried: f64 = carried.map(|(k, was)| by_state[k * n + i] * was).sum();
                own[i] + carried - was.get(i).copied().unwrap_or(0.0)
            });
            let Some(step) = linear.solve(&residual) else {
                return Err(self.never_moving(found));
            };
            let block = (0..n).map(|i| was.get(i).copied().unwrap_or(0.0) + step[i]);
            moves.extend(block);
        }
        Ok(moves)
    }

    fn never_moving(&self, found: &[f64]) -> Stop {
        let found = DVector::from_column_slice(found);
        self.never(&found, &found)
    }

    /// The derivatives one period later, by the varied quantities and by the initial state.
    fn after_period_moving(
        &self,
        variation: &Variation<'_>,
        found: &[f64],
        sizes: &[f64],
    ) -> Option<Vec<f64>> {
        let (problem, dynamics) = (self.problem, self.outer.dynamics);
        let n = found.len();
        let start = variation.with_initial(found, sizes);
        let count = start.varied.len();
        let both = SensitivityDynamics::new(problem.system, problem.kernels, dynamics, &start);
        let options = Options {
            tolerances: self.tolerances_moving(sizes, count),
            ..self.options.clone()
        };
        let regimen = self.regimen.padded(count);
        let end = self.time + regimen.period;
        let range = (self.time, end);
        let mut run = Interruptions::new(problem, dynamics, &options, range);
        run.clock = self.outer.clock;
        run.variation = Some(Variation::new(problem, dynamics, &both, &start.state[n..]));
        run.end_infusions();
        regimen.start_earlier(&mut run, self.time).ok()?;
        let arrival = self.time + regimen.lag;
        if arrival < end {
            let [_, lag] = &regimen.moved;
            let what = What::Arrival(regimen.delivery.clone());
            run.agenda.push_moving(arrival, what, lag.clone());
        }
        let output = Output::Times(vec![end]);
        let work = Work {
            system: &both,
            shown: n,
            start: self.time,
            initial: &start.state,
            end,
            output: &output,
            options: &options,
            walker: None,
        };
        let solution = drive(&work, &mut run, &mut ());
        let (_, state) = solution
            .last()
            .filter(|_| solution.stop == Stop::Finished)?;
        let from = solution.sensitivities.len().checked_sub(n * count)?;
        let mut after = solution.sensitivities[from..].to_vec();
        // A later end lies farther along the solution.
        let [period, _] = &regimen.moved;
        if period.iter().any(|dt| *dt != 0.0) {
            let mut flow = vec![0.0; n];
            dynamics.drift(end, state, &mut flow);
            for (block, dt) in after.chunks_exact_mut(n.max(1)).zip(period) {
                for (moved, flow) in block.iter_mut().zip(&flow) {
                    *moved += dt * flow;
                }
            }
        }
        Some(after)
    }

    /// The tolerances of states and derivatives: those of the run for what it varies.
    fn tolerances_moving(&self, sizes: &[f64], count: usize) -> super::super::Tolerances {
        let n = sizes.len();
        let mut tolerances = self.options.tolerances.clone();
        let own = tolerances.absolute.clone();
        let outer = &self.outer.options.tolerances.absolute;
        let share = |at: usize| match (own.get(at % n.max(1)), outer.get(at % n.max(1))) {
            (Some(inner), Some(outer)) if *outer > 0.0 => inner / outer,
            _ => 1.0,
        };
        let rest = outer.iter().enumerate().skip(own.len());
        let rest: Vec<f64> = rest.map(|(at, absolute)| share(at) * absolute).collect();
        tolerances.absolute.extend(rest);
        let scales = n * (1 + count) - tolerances.absolute.len();
        let first = n - scales / n.max(1);
        for size in sizes.iter().skip(first) {
            tolerances
                .absolute
                .extend(own.iter().map(|absolute| absolute / size));
        }
        tolerances
    }
}

impl Regimen {
    /// The same where more is varied, which does not move it.
    fn padded(&self, count: usize) -> Regimen {
        let padded = |shift: &Vec<f64>| {
            let mut shift = shift.clone();
            shift.resize(count, 0.0);
            shift
        };
        Regimen {
            delivery: Delivery {
                moved: self.delivery.moved.each_ref().map(padded),
                ..self.delivery.clone()
            },
            moved: self.moved.each_ref().map(padded),
            ..self.clone()
        }
    }
}
