//! The periodic steady state under endless repetition of one dose.
//!
//! In: a dose, its period, its lag. Out: the state that one period leads back to. With P the map
//! over one period, found by integrating with that dose only, the state solves x = P(x): by
//! Newton's method with differences for the Jacobian of P, which takes one step where the equations
//! are linear; where that fails or there are many states, by repetition with Anderson's
//! acceleration (Walker & Ni, SIAM J. Numer. Anal. 49 (2011) 1715-1735).
//!
//! Sums that the dosing does not change (a total of receptors, say) keep the value that they have:
//! the matrix 1 - dP/dx is singular along them, and the steps stay orthogonal to its left kernel.

use super::super::driver::drive;
use super::super::interrupter::Consequence;
use super::super::sensitivity::Shift;
use super::super::work::Work;
use super::super::{Method, Occasion, Options, Output, Problem, SteadyKind, Stop};
use super::Interruptions;
use super::agenda::{Delivery, What};
use nalgebra::{DMatrix, DVector, Dyn, LU, SVD, SymmetricEigen};

/// A dose that is repeated.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Regimen {
    pub delivery: Delivery,
    pub period: f64,
    pub lag: f64,
    /// How period and lag move; empty where nothing does.
    pub moved: [Shift; 2],
}

/// States up to which the Jacobian of the map is worked out by differences.
const MOST_BY_NEWTON: usize = 40;
/// Newton steps at most.
const NEWTON_STEPS: usize = 25;
/// Repetitions at most.
const MOST_REPETITIONS: usize = 3000;
/// Previous repetitions that the acceleration looks at.
const MEMORY: usize = 6;
/// The share of the run's tolerances that the map is integrated with.
const SHARE: f64 = 0.01;
/// The difference by which the Jacobian is probed, relative to the size of a state. The map's own
/// error is some 1e-8: this loses least to both.
const DIFFERENCE: f64 = 1e-2;
/// A singular value of 1 - dP/dx up to this stands for a sum that is kept.
const SINGULAR: f64 = 3e-5;
/// A sum that changes by less than this part of the states' sizes is kept but for rounding.
const ROUNDING: f64 = 1e-11;
/// Growth per period that differences cannot tell from none.
const NEUTRAL: f64 = 1e-4;

impl Interruptions<'_> {
    /// Puts the state where endless repetition of the dose has brought it just before this one,
    /// and starts what is left of earlier ones.
    pub(super) fn reach_steady_state(
        &mut self,
        regimen: &Regimen,
        kind: SteadyKind,
        time: f64,
        state: &mut [f64],
    ) -> Result<Consequence, Stop> {
        let delivery = &regimen.delivery;
        self.refuse_steady(Occasion::Dose(delivery.dose, delivery.row))?;
        let moves = self.variation.is_some();
        if !self.functions.system.delays.is_empty() {
            // With delays a state alone does not say how it goes on: there is no map to solve.
            let dose = delivery.dose;
            return Err(Stop::NeverSteady { dose, state: 0 });
        }
        let count = self.functions.system.dimension();
        let mut inner = self.options.clone();
        inner.tolerances.relative = (SHARE * inner.tolerances.relative).clamp(1e-12, 1e-8);
        inner.tolerances.absolute.truncate(count);
        for absolute in &mut inner.tolerances.absolute {
            *absolute *= SHARE;
        }
        if inner.chance.take().is_some() {
            // Noise settles in no state: the equations without it do.
            inner.method = Method::Auto;
        }
        inner.initial_step = None;
        inner.shown_from = None;
        let from: Vec<f64> = match kind {
            SteadyKind::Add => self.problem.initial.iter().take(count).copied().collect(),
            SteadyKind::No | SteadyKind::Replace => state.iter().take(count).copied().collect(),
        };
        let quiet = Problem {
            events: Vec::new(),
            doses: Vec::new(),
            rows: Vec::new(),
            resumed: false,
            ..self.problem.clone()
        };
        let slots = self.dynamics.slots().clone();
        let mut map = Map {
            outer: self,
            problem: &quiet,
            options: &inner,
            regimen,
            time,
        };
        let found = map.fixed_point(from);
        let moved = match &found {
            Ok(found) if moves => map.moves(kind, found, state),
            _ => Ok(Vec::new()),
        };
        self.dynamics.slots_mut().copy_from_slice(&slots);
        let slack = self.clock.slack(time);
        self.dynamics.inputs_mut().pass(time + slack);
        self.dynamics.refresh(time, state);
        for (value, found) in state.iter_mut().zip(found?.into_iter().chain(moved?)) {
            match kind {
                SteadyKind::Add => *value += found,
                SteadyKind::No | SteadyKind::Replace => *value = found,
            }
        }
        regimen.start_earlier(self, time)?;
        Ok(Consequence::Jump)
    }
}

impl Regimen {
    /// How the arrival of the dose k periods before moves, beside the present moment.
    fn arrival_moves(&self, k: f64) -> Shift {
        let [period, lag] = &self.moved;
        let back: Shift = period.iter().map(|period| -k * period).collect();
        Interruptions::sum_of(&[&back, lag])
    }

    /// What doses given before `time` still bring: infusions that are not over, and doses on
    /// their way.
    pub fn start_earlier(&self, run: &mut Interruptions<'_>, time: f64) -> Result<(), Stop> {
        let slack = run.clock.slack(time);
        // What arrives after the end of the run is not waited for: with a long lag there are
        // many such doses on their way.
        let beyond = ((time + self.lag - run.range.1 - slack) / self.period).floor();
        let mut k = beyond.max(1.0);
        loop {
            let arrival = time + self.lag - k * self.period;
            let end = arrival + self.delivery.duration;
            let shift = run.shift_after(&self.arrival_moves(k));
            let delivery = || self.delivery.clone();
            if arrival > time + slack {
                run.agenda
                    .push_moving(arrival, What::Arrival(delivery()), shift);
            } else if arrival > time - slack {
                // Arrives at this very moment, as part of what is due.
                run.agenda
                    .push_moving(time, What::Arrival(delivery()), shift);
            } else if end > time + slack {
                let [_, by_duration] = &self.delivery.moved;
                let shift = Interruptions::sum_of(&[&shift, by_duration]);
                run.infuse(delivery(), end, shift)?;
            } else {
                return Ok(());
            }
            k += 1.0;
        }
    }
}

/// The map over one period.
pub(super) struct Map<'a, 'p> {
    pub outer: &'a Interruptions<'p>,
    pub problem: &'a Problem<'a>,
    pub options: &'a Options,
    pub regimen: &'a Regimen,
    pub time: f64,
}

/// How far off a state is from being periodic, at some state.
struct Point {
    state: DVector<f64>,
    residual: DVector<f64>,
}

impl Map<'_, '_> {
    /// The state one period later; `None` when the equations cannot be integrated from here.
    fn after_period(&self, state: &[f64]) -> Option<Vec<f64>> {
        let end = self.time + self.regimen.period;
        let mut interruptions = Interruptions::new(
            self.problem,
            self.outer.dynamics,
            self.options,
            (self.time, end),
        );
        interruptions.clock = self.outer.clock;
        // Other doses are not counted.
        interruptions.end_infusions();
        self.regimen
            .start_earlier(&mut interruptions, self.time)
            .ok()?;
        let arrival = self.time + self.regimen.lag;
        if arrival < end {
            interruptions
                .agenda
                .push(arrival, What::Arrival(self.regimen.delivery.clone()));
        }
        let output = Output::Times(vec![end]);
        let work = Work {
            system: self.outer.dynamics,
            shown: state.len(),
            start: self.time,
            initial: state,
            end,
            output: &output,
            options: self.options,
            walker: None,
        };
        let solution = drive(&work, &mut interruptions, &mut ());
        let last = solution.last().filter(|_| solution.stop == Stop::Finished);
        last.map(|(_, state)| state.to_vec())
    }

    fn point(&self, state: DVector<f64>) -> Option<Point> {
        let after = self.after_period(state.as_slice())?;
        let residual = DVector::from_vec(after) - &state;
        Some(Point { state, residual })
    }

    /// Changes in terms of the run's tolerances, the largest of all.
    fn size(&self, change: &DVector<f64>, state: &DVector<f64>) -> f64 {
        let tolerances = &self.outer.options.tolerances;
        let terms = change.iter().zip(state).zip(&tolerances.absolute);
        let ratio = |((change, state), absolute): ((&f64, &f64), &f64)| {
            let ratio = change.abs() / (absolute + tolerances.relative * state.abs());
            if *change == 0.0 { 0.0 } else { ratio }
        };
        terms.map(ratio).fold(0.0, |most: f64, ratio| {
            if ratio.is_nan() {
                f64::INFINITY
            } else {
                most.max(ratio)
            }
        })
    }

    pub fn never(&self, residual: &DVector<f64>, state: &DVector<f64>) -> Stop {
        let tolerances = &self.outer.options.tolerances;
        let terms = residual.iter().zip(state).zip(&tolerances.absolute);
        let mut largest = (0, -1.0);
        for (at, ((change, state), absolute)) in terms.enumerate() {
            let ratio = change.abs() / (absolute + tolerances.relative * state.abs());
            if ratio > largest.1 || ratio.is_nan() {
                largest = (at, ratio);
            }
        }
        Stop::NeverSteady {
            dose: self.regimen.delivery.dose,
            state: largest.0,
        }
    }

    fn fixed_point(&mut self, from: Vec<f64>) -> Result<Vec<f64>, Stop> {
        let from = DVector::from_vec(from);
        let Some(start) = self.point(from.clone()) else {
            return Err(self.never(&from, &from));
        };
        if start.state.len() <= MOST_BY_NEWTON {
            match self.newton(&start) {
                Newton::Found(found) => return Ok(found.data.into()),
                Newton::Diverges => return Err(self.never(&start.residual, &start.state)),
                Newton::Lost => {}
            }
        }
        self.repeat(start)
    }

    fn newton(&self, start: &Point) -> Newton {
        let mut present = Point {
            state: start.state.clone(),
            residual: start.residual.clone(),
        };
        let mut solver: Option<Linear> = None;
        let mut last = f64::INFINITY;
        for _ in 0..NEWTON_STEPS {
            let fresh = solver.is_none();
            let linear = match solver.take() {
                Some(linear) => linear,
                None => match self.linearise(&present) {
                    Some(linear) => linear,
                    None => return Newton::Lost,
                },
            };
            let Some(step) = linear.solve(&present.residual) else {
                return Newton::Diverges;
            };
            let size = self.size(&step, &present.state);
            if size <= 1.0 {
                // Only a steady state that repetition leads to is one.
                let settled = match fresh {
                    true => linear.is_stable(),
                    false => self
                        .linearise(&present)
                        .is_some_and(|last| last.is_stable()),
                };
                return match settled {
                    true => Newton::Found(present.state + step),
                    false => Newton::Diverges,
                };
            }
            let Some(next) = self.damped(&present, &step) else {
                return Newton::Lost;
            };
            present = next;
            // The same derivatives serve while they help.
            if size < 0.2 * last {
                solver = Some(linear);
            }
            last = if fresh { f64::INFINITY } else { size };
        }
        Newton::Lost
    }

    /// A step, shortened until the equations can be integrated from where it leads.
    fn damped(&self, from: &Point, step: &DVector<f64>) -> Option<Point> {
        let mut share = 1.0;
        for _ in 0..8 {
            let next = self.point(&from.state + step * share);
            let usable = next.filter(|next| next.residual.iter().all(|r| r.is_finite()));
            if usable.is_some() {
                return usable;
            }
            share *= 0.25;
        }
        None
    }

    /// The derivatives of the map, by differences.
    fn linearise(&self, at: &Point) -> Option<Linear> {
        let count = at.state.len();
        let after = &at.state + &at.residual;
        let most = after.amax().max(at.state.amax());
        let sizes: Vec<f64> = (0..count)
            .map(|i| size_of(at.state[i].abs().max(after[i].abs()), most))
            .collect();
        let mut map = DMatrix::zeros(count, count);
        for column in 0..count {
            let mut state = at.state.clone();
            state[column] += DIFFERENCE * sizes[column];
            let moved = DVector::from_vec(self.after_period(state.as_slice())?);
            let change = moved - &after;
            for row in 0..count {
                map[(row, column)] = change[row] / (DIFFERENCE * sizes[row]);
            }
        }
        Some(Linear::new(map, sizes))
    }

    /// Repetition, with the next state extrapolated from the last few.
    fn repeat(&self, start: Point) -> Result<Vec<f64>, Stop> {
        let mut points: Vec<Point> = vec![start];
        let mut smallest = f64::INFINITY;
        let mut since = 0;
        for _ in 0..MOST_REPETITIONS {
            let Some(last) = points.last() else { break };
            let size = self.size(&last.residual, &last.state);
            if size < 0.9 * smallest {
                (smallest, since) = (size, 0);
            } else {
                since += 1;
            }
            if size <= 0.01 {
                return Ok(last.state.clone().data.into());
            }
            if since > 100 {
                return Err(self.never(&last.residual, &last.state));
            }
            let plain = &last.state + &last.residual;
            let next = extrapolate(&points).and_then(|next| self.point(next));
            let next = match next.filter(|p| self.size(&p.residual, &p.state) < 2.0 * size) {
                Some(next) => next,
                None => match self.point(plain) {
                    Some(next) => {
                        points.clear();
                        next
                    }
                    None => return Err(self.never(&last.residual, &last.state)),
                },
            };
            points.push(next);
            if points.len() > MEMORY {
                points.remove(0);
            }
        }
        match points.last() {
            Some(last) => Err(self.never(&last.residual, &last.state)),
            None => Err(Stop::NeverSteady {
                dose: self.regimen.delivery.dose,
                state: 0,
            }),
        }
    }
}

enum Newton {
    Found(DVector<f64>),
    /// There is no steady state that repetition leads to.
    Diverges,
    /// The method does not get there.
    Lost,
}

/// The linearised map, in units of the states' sizes.
pub(super) struct Linear {
    sizes: Vec<f64>,
    map: DMatrix<f64>,
    /// How many sums the map keeps.
    kept: usize,
    /// 1 - dP/dx, bordered by its left kernel, the sums: regular where repetition forgets all else.
    bordered: LU<f64, Dyn, Dyn>,
}

impl Linear {
    pub fn new(map: DMatrix<f64>, sizes: Vec<f64>) -> Linear {
        let count = sizes.len();
        let matrix = DMatrix::identity(count, count) - &map;
        // The left kernel by eigenvectors: nalgebra's SVD loses some of theirs beside a value of zero.
        let squared = SymmetricEigen::new(&matrix * matrix.transpose());
        let values = squared.eigenvalues.iter().enumerate();
        let kept: Vec<usize> = values
            .filter(|(_, value)| **value <= SINGULAR * SINGULAR)
            .map(|(at, _)| at)
            .collect();
        let all = count + kept.len();
        let mut bordered = DMatrix::zeros(all, all);
        bordered.view_mut((0, 0), (count, count)).copy_from(&matrix);
        for (border, at) in kept.iter().enumerate() {
            for (row, value) in squared.eigenvectors.column(*at).iter().enumerate() {
                bordered[(row, count + border)] = *value;
                bordered[(count + border, row)] = *value;
            }
        }
        Linear {
            bordered: bordered.lu(),
            kept: kept.len(),
            map,
            sizes,
        }
    }

    /// The Newton step for a residual: (1 - dP/dx)^-1 r, keeping the sums that the map keeps.
    /// `None` when the map changes such a sum, so that it goes on changing for ever.
    pub fn solve(&self, residual: &DVector<f64>) -> Option<DVector<f64>> {
        let count = self.sizes.len();
        let scaled = DVector::from_fn(count, |i, _| residual[i] / self.sizes[i]);
        let right = scaled.clone().resize_vertically(count + self.kept, 0.0);
        let found = self.bordered.solve(&right)?;
        // What the borders take is what no step can: the change of the sums.
        let most = (1e-3 * scaled.norm()).max(ROUNDING);
        let changes = found
            .rows(count, self.kept)
            .iter()
            .any(|share| share.abs() > most);
        if changes {
            return None;
        }
        Some(DVector::from_fn(count, |i, _| found[i] * self.sizes[i]))
    }

    /// Whether small deviations from the steady state do not grow.
    fn is_stable(&self) -> bool {
        let values = self.map.complex_eigenvalues();
        values.iter().all(|value| value.norm() <= 1.0 + NEUTRAL)
    }
}

/// The size of a state for differences and scales, where the largest of all is `most`.
pub(super) fn size_of(own: f64, most: f64) -> f64 {
    let size = own.max(1e-3 * most);
    if size > 0.0 { size } else { 1.0 }
}

/// The combination of the last states whose residuals nearly cancel.
fn extrapolate(points: &[Point]) -> Option<DVector<f64>> {
    let (last, before) = points.split_last()?;
    if before.is_empty() {
        return None;
    }
    let count = last.state.len();
    let differences = DMatrix::from_fn(count, before.len(), |row, column| {
        last.residual[row] - before[column].residual[row]
    });
    let steps = DMatrix::from_fn(count, before.len(), |row, column| {
        let here = last.state[row] + last.residual[row];
        here - before[column].state[row] - before[column].residual[row]
    });
    let shares = SVD::new(differences, true, true)
        .solve(&last.residual, 1e-12)
        .ok()?;
    let next = &last.state + &last.residual - steps * shares;
    next.iter().all(|value| value.is_finite()).then_some(next)
}
