//! Minus the log-likelihood of a model's parameters, with exact derivatives.
//!
//! Enters: runs with their data, a lens, what is fitted. Leaves: a [`Likelihood`], which is an
//! [`Objective`] of the fitted quantities in their own units. Derivatives come from forward
//! sensitivities, through events, doses and initial values that follow parameters.
//!
//! Without distributions it is least squares: normal errors of one unknown variance, which is at
//! its best value RSS/n everywhere (profiled out): n/2 (log(2 pi RSS/n) + 1).

use super::super::compiled::Compiled;
use super::super::run::{Assertions, problem, solved};
use super::data::Point;
use super::lens::Lens;
use super::quantities::Fitted;
use super::region::Region;
use super::runs::FitRun;
use super::stochastic::Filters;
use crate::fit::{Datum, Evaluation, Fault, Margin, Objective, Wanted, density};
use crate::simulate::{
    CompiledDynamics, Halt, Looks, Monitor, Solution, Statistics, Stop, VariedStart,
};
use crate::symbolic::{SymbolId, symbols_of};
use crate::world::World;
use rustc_hash::FxHashSet;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A sum of squares this small beside that of the data is round-off.
const EXACT: f64 = 1e-28;

/// What a fit minimises.
pub struct Likelihood<'w> {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// What is seen of it.
    pub lens: Arc<Lens>,
    /// What is fitted.
    pub fitted: Vec<Fitted>,
    /// One for each subject under each condition.
    pub runs: Vec<FitRun>,
    /// Asked for interrupts.
    pub world: &'w dyn World,
    /// Symbols that the drift reads.
    pub drivers: Arc<FxHashSet<SymbolId>>,
    /// Of a model with noise, whose runs are filtered instead of solved.
    pub filters: Option<Arc<Filters>>,
    /// The values that are searched; all of them when absent.
    pub region: Option<Arc<Region>>,
    /// True where values for which an assertion of the model fails have no likelihood.
    pub asserts: bool,
}

/// What a run looks like through the lens, at every row of its data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Looked {
    /// The numbers of the lens, row after row.
    pub numbers: Vec<f64>,
    /// Their derivatives: row after row, quantity after quantity; empty unless asked for.
    pub derivatives: Vec<f64>,
}

/// A run at values of what is fitted.
pub(super) struct SolvedRun {
    /// The values of the parameters.
    pub parameters: Vec<f64>,
    /// How it begins, with derivatives by all that is fitted; nothing when none were wanted.
    pub start: Option<VariedStart>,
    /// The run, with derivatives by what moves the states.
    pub solution: Solution,
    /// Which of the fitted quantities move the states; empty where nothing was solved.
    pub movers: Vec<bool>,
}

/// Terms of an objective while they are summed.
struct Sum {
    value: f64,
    gradient: Vec<f64>,
    residuals: Vec<f64>,
    jacobian: Vec<f64>,
    /// Of least squares.
    squares: f64,
    size: f64,
    count: usize,
}

impl Objective for Likelihood<'_> {
    fn dimension(&self) -> usize {
        self.fitted.len()
    }

    fn has_region(&self) -> bool {
        self.region.is_some()
    }

    fn margins(&self, at: &[f64], wanted: Wanted) -> Result<Vec<Margin>, Fault> {
        self.margins_at(at, wanted)
    }

    fn evaluate(&self, at: &[f64], wanted: Wanted) -> Result<Evaluation, Fault> {
        self.admits(at)?;
        let m = self.fitted.len();
        let mut sum = Sum {
            value: 0.0,
            gradient: vec![0.0; m],
            residuals: Vec::new(),
            jacobian: Vec::new(),
            squares: 0.0,
            size: 0.0,
            count: 0,
        };
        for at_run in 0..self.runs.len() {
            if self.filters.is_some() {
                sum.add(self.filtered(at_run, at, wanted)?.evaluation);
                continue;
            }
            let looked = self.look(at_run, at, wanted)?;
            self.add_run(at_run, &looked, wanted, &mut sum)?;
        }
        if sum.count > 0 {
            sum.add_squares(wanted);
        }
        self.add_priors(at, wanted, &mut sum)?;
        let keep = |numbers: Vec<f64>, level| {
            if wanted >= level { numbers } else { Vec::new() }
        };
        Ok(Evaluation {
            value: sum.value,
            gradient: keep(sum.gradient, Wanted::Gradient),
            residuals: keep(sum.residuals, Wanted::Residuals),
            jacobian: keep(sum.jacobian, Wanted::Residuals),
        })
    }
}

/// The symbols that the drift of a model reads.
pub(super) fn drivers(compiled: &Compiled) -> Arc<FxHashSet<SymbolId>> {
    let system = &compiled.system;
    let read = system
        .drift
        .iter()
        .flat_map(|drift| symbols_of(&system.pool, *drift));
    Arc::new(read.collect())
}

impl<'w> Likelihood<'w> {
    /// The same of other runs, which are solved: filters belong to their data ([`Likelihood::with_data`]
    /// keeps them).
    pub(super) fn with_runs(&self, runs: Vec<FitRun>) -> Likelihood<'w> {
        Likelihood {
            compiled: Arc::clone(&self.compiled),
            lens: Arc::clone(&self.lens),
            fitted: self.fitted.clone(),
            region: (self.region.as_ref()).map(|region| Arc::new(region.of(&runs))),
            runs,
            world: self.world,
            drivers: Arc::clone(&self.drivers),
            filters: None,
            asserts: self.asserts,
        }
    }
}

impl Likelihood<'_> {
    /// Every datum with the run that it belongs to.
    pub fn points(&self) -> impl Iterator<Item = (usize, &Point)> {
        let runs = self.runs.iter().enumerate();
        runs.flat_map(|(at, run)| run.data.points.iter().map(move |point| (at, point)))
    }

    /// True when no distribution is known: least squares.
    #[must_use]
    pub fn is_least_squares(&self) -> bool {
        self.filters.is_none() && self.lens.is_least_squares()
    }

    /// How many data there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.runs.iter().map(|run| run.data.points.len()).sum()
    }

    /// A run at values of what is fitted, looked at where there are data.
    ///
    /// # Errors
    /// A run that ends early, and values that are not finite.
    pub fn look(&self, at_run: usize, at: &[f64], wanted: Wanted) -> Result<Looked, Fault> {
        let SolvedRun {
            parameters,
            start,
            solution,
            movers,
        } = self.solved(at_run, at, wanted)?;
        let solution = match &start {
            None => solution,
            Some(_) => self.with_all(solution, &movers),
        };
        let run = &self.runs[at_run];
        let covariates = self.covariates(run);
        let own = |row: usize, numbers: &mut [f64]| {
            for (position, values) in &covariates {
                if let (Some(number), Some(value)) = (numbers.get_mut(*position), values.get(row)) {
                    *number = *value;
                }
            }
        };
        let looks = Looks {
            solution: &solution,
            parameters: &parameters,
            rows: &run.looks,
            own: (!covariates.is_empty()).then_some(&own),
        };
        Ok(Looked {
            numbers: looks.values(&self.lens.values),
            derivatives: start.map_or_else(Vec::new, |start| {
                looks.directed(&self.compiled.system, &self.lens.tangent, &start)
            }),
        })
    }

    /// Which of the fitted quantities move the states: derivatives by the others, such as standard
    /// deviations of data, need no integration. All of them where something interrupts the runs.
    fn movers(&self, start: &VariedStart) -> Vec<bool> {
        let system = &self.compiled.system;
        let n = system.states.len();
        if !system.is_undisturbed() {
            return vec![true; start.varied.len()];
        }
        let moves = |j: usize| {
            let begins = start.state.get(n * (1 + j)..n * (2 + j));
            let begins = begins.is_some_and(|moved| moved.iter().any(|d| *d != 0.0));
            let drives = start.parameters.get(j).is_some_and(|moved| {
                let blocks = system.parameters.blocks().iter();
                let moving = blocks.filter(|block| {
                    moved
                        .get(block.range())
                        .is_some_and(|own| own.iter().any(|d| *d != 0.0))
                });
                moving
                    .into_iter()
                    .any(|block| self.drivers.contains(&block.symbol))
            });
            begins || drives
        };
        (0..start.varied.len()).map(moves).collect()
    }

    /// How a run begins, with derivatives by what moves its states alone.
    fn moving(&self, start: &VariedStart, movers: &[bool]) -> VariedStart {
        let n = self.compiled.system.states.len();
        let kept = || {
            movers
                .iter()
                .enumerate()
                .filter(|(_, moves)| **moves)
                .map(|(j, _)| j)
        };
        let mut state = start.state[..n.min(start.state.len())].to_vec();
        state.extend(kept().flat_map(|j| start.state[n * (1 + j)..n * (2 + j)].iter().copied()));
        VariedStart {
            varied: kept().map(|j| start.varied[j]).collect(),
            scales: kept().map(|j| start.scales[j]).collect(),
            state,
            parameters: kept().map(|j| start.parameters[j].clone()).collect(),
        }
    }

    /// A solution with the derivatives by all quantities, zero by those that do not move it.
    fn with_all(&self, mut solution: Solution, movers: &[bool]) -> Solution {
        if movers.iter().all(|moves| *moves) {
            return solution;
        }
        let n = self.compiled.system.states.len();
        let kept = movers.iter().filter(|moves| **moves).count();
        let mut all = Vec::with_capacity(solution.times.len() * n * movers.len());
        for row in 0..solution.times.len() {
            let rows = solution
                .sensitivities
                .get(row * n * kept..(row + 1) * n * kept);
            let mut own = rows.unwrap_or(&[]).chunks_exact(n.max(1));
            for moves in movers {
                match moves {
                    true => all.extend_from_slice(own.next().unwrap_or(&[])),
                    false => all.extend(std::iter::repeat_n(0.0, n)),
                }
            }
        }
        solution.sensitivities = all;
        solution
    }

    /// Positions and values of covariates that change from row to row.
    fn covariates<'r>(&self, run: &'r FitRun) -> Vec<(usize, &'r [f64])> {
        let varying = run.data.varying.iter();
        varying
            .filter_map(|(known, values)| {
                Some((known.position(&self.compiled)?, values.as_slice()))
            })
            .collect()
    }

    /// A run solved at values of what is fitted, with the derivatives that a search asks for.
    ///
    /// # Errors
    /// A run that ends early, and values that are not finite.
    pub(super) fn solved(
        &self,
        at_run: usize,
        at: &[f64],
        wanted: Wanted,
    ) -> Result<SolvedRun, Fault> {
        let fault = Fault::NoDensity {
            run: at_run,
            datum: 0,
        };
        let run = self.runs.get(at_run).ok_or(fault.clone())?;
        let (compiled, fitted) = (&self.compiled, &self.fitted);
        let (overrides, present) = run.own.at(compiled, fitted, at).ok_or(fault)?;
        let mut start = (wanted > Wanted::Value)
            .then(|| run.own.varied(compiled, fitted, at, (&overrides, &present)));
        let mut initial = present.initial.clone();
        if let Some(rested) = &run.rested {
            let who = (at_run, self.world);
            let begun = rested.begin(compiled, (fitted, at), who, start.is_some())?;
            rested.place(&begun, &mut initial, start.as_mut());
        }
        let mut movers = Vec::new();
        let solution = match &run.plan {
            None => Solution::standing(compiled.model.time.start, compiled.system.slots.len()),
            Some(plan) => {
                let mut plan = plan.clone();
                plan.parameters.clone_from(&present.parameters);
                plan.initial = initial;
                plan.declared = present.initial;
                if let Some(start) = &start {
                    movers = self.movers(start);
                    plan.varied = Some(self.moving(start, &movers));
                }
                self.solve(at_run, &plan)?
            }
        };
        Ok(SolvedRun {
            parameters: present.parameters,
            start,
            solution,
            movers,
        })
    }

    fn solve(&self, at_run: usize, plan: &super::super::simulate::Plan) -> Result<Solution, Fault> {
        let problem = problem(&self.compiled, plan);
        let parameters = plan.parameters.clone();
        let dynamics = CompiledDynamics::new(problem.system, problem.kernels, parameters);
        let mut watch = Watch {
            world: self.world,
            assertions: self
                .asserts
                .then(|| Assertions::new(&self.compiled, &dynamics)),
            failed: None,
        };
        let solution = solved(&problem, &dynamics, plan, &mut watch);
        if let Some((assumption, time)) = watch.failed {
            return Err(Fault::Assumption {
                run: at_run,
                assumption,
                time,
            });
        }
        match &solution.stop {
            Stop::Finished => Ok(solution),
            Stop::Interrupted { .. } => Err(Fault::Interrupted),
            stop => Err(Fault::Run {
                run: at_run,
                stop: stop.clone(),
                time: solution.times.last().copied().unwrap_or(plan.start),
            }),
        }
    }

    fn add_run(
        &self,
        at_run: usize,
        looked: &Looked,
        wanted: Wanted,
        sum: &mut Sum,
    ) -> Result<(), Fault> {
        let (m, width) = (self.fitted.len(), self.lens.width());
        for (datum, point) in self.runs[at_run].data.points.iter().enumerate() {
            let seen = &self.lens.seen[point.seen];
            let fault = Fault::NoDensity { run: at_run, datum };
            let from = point.row * width;
            let numbers = looked
                .numbers
                .get(from..from + width)
                .ok_or(fault.clone())?;
            let numbers = &numbers[seen.numbers.clone()];
            let rows = looked
                .derivatives
                .get(from * m..(from + width) * m)
                .unwrap_or(&[]);
            let derivative =
                |number: usize, j: usize| rows[j * width + seen.numbers.start + number];
            match (seen.family, point.datum) {
                (None, Datum::Exactly(value)) => {
                    let residual = numbers[0] - value;
                    if !residual.is_finite() {
                        return Err(fault);
                    }
                    sum.squares += residual * residual;
                    sum.size += value * value;
                    sum.count += 1;
                    if wanted > Wanted::Value {
                        sum.residuals.push(residual);
                        sum.jacobian.extend((0..m).map(|j| derivative(0, j)));
                    }
                }
                // A limit has no square: the reader of the data has refused it.
                (None, _) => return Err(fault),
                (Some(family), datum) => {
                    let density = density(family, numbers, datum).ok_or(fault)?;
                    sum.value -= density.log;
                    if wanted > Wanted::Value {
                        sum.add_density(&density, numbers.len(), m, wanted, &derivative);
                    }
                }
            }
        }
        Ok(())
    }

    fn add_priors(&self, at: &[f64], wanted: Wanted, sum: &mut Sum) -> Result<(), Fault> {
        for (j, (quantity, value)) in self.fitted.iter().zip(at).enumerate() {
            let Some(prior) = &quantity.prior else {
                continue;
            };
            let density = prior.at(*value).ok_or(Fault::NoPrior { parameter: j })?;
            sum.value -= density.log;
            if wanted == Wanted::Value {
                continue;
            }
            sum.gradient[j] -= density.slope;
            let (residual, slope) = density.residual;
            sum.residuals.push(residual);
            sum.jacobian
                .extend((0..at.len()).map(|i| if i == j { slope } else { 0.0 }));
        }
        Ok(())
    }
}

impl Sum {
    /// Takes in the whole of a run.
    fn add(&mut self, own: Evaluation) {
        self.value += own.value;
        for (total, own) in self.gradient.iter_mut().zip(&own.gradient) {
            *total += own;
        }
        self.residuals.extend(own.residuals);
        self.jacobian.extend(own.jacobian);
    }

    /// Takes in the density of a datum whose distribution has `k` parameters.
    fn add_density(
        &mut self,
        density: &crate::fit::Density,
        k: usize,
        m: usize,
        wanted: Wanted,
        derivative: &dyn Fn(usize, usize) -> f64,
    ) {
        for (number, slope) in density.gradient.iter().take(k).enumerate() {
            for (j, total) in self.gradient.iter_mut().enumerate() {
                *total -= slope * derivative(number, j);
            }
        }
        if wanted < Wanted::Residuals {
            return;
        }
        for (residual, row) in density.residuals.iter().zip(&density.jacobian).take(k) {
            // Rows of zeros say nothing: Poisson data have one, normal data two.
            if row.iter().take(k).all(|entry| *entry == 0.0) {
                continue;
            }
            self.residuals.push(*residual);
            self.jacobian.extend((0..m).map(|j| {
                let entries = row.iter().take(k).enumerate();
                entries
                    .map(|(number, entry)| entry * derivative(number, j))
                    .sum::<f64>()
            }));
        }
    }

    /// Turns the sum of squares into minus a log-likelihood.
    fn add_squares(&mut self, wanted: Wanted) {
        let n = self.count as f64;
        let squares = self.squares.max(EXACT * self.size).max(f64::MIN_POSITIVE);
        self.value += 0.5 * n * ((std::f64::consts::TAU * squares / n).ln() + 1.0);
        if wanted == Wanted::Value {
            return;
        }
        let m = self.gradient.len();
        let weight = (n / squares).sqrt();
        for (residual, row) in self
            .residuals
            .iter_mut()
            .zip(self.jacobian.chunks_exact_mut(m.max(1)))
        {
            *residual *= weight;
            for (entry, total) in row.iter_mut().zip(&mut self.gradient) {
                *entry *= weight;
                *total += *residual * *entry;
            }
        }
    }
}

/// A world in which nobody interrupts: what an interrupted search has found is worked out in full.
pub(super) struct Calm<'w>(pub &'w dyn World);

impl World for Calm<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0.read(path)
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.0.write(path, content)
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.0.replace(path, content)
    }

    fn is_taken(&self, path: &Path) -> bool {
        self.0.is_taken(path)
    }

    fn cpu_time(&self) -> Duration {
        self.0.cpu_time()
    }

    fn threads(&self) -> usize {
        self.0.threads()
    }

    fn interrupted(&self) -> bool {
        false
    }
}

/// Looks out for interrupts, and for assertions that fail.
struct Watch<'a> {
    world: &'a dyn World,
    assertions: Option<Assertions<'a>>,
    /// The first that failed, and when.
    failed: Option<(usize, f64)>,
}

impl Monitor for Watch<'_> {
    fn step(&mut self, time: f64, state: &[f64], _: &Statistics) -> ControlFlow<Halt> {
        if self.world.interrupted() {
            return ControlFlow::Break(Halt::Interrupt);
        }
        self.row(time, state)
    }

    fn row(&mut self, time: f64, state: &[f64]) -> ControlFlow<Halt> {
        let assertions = self.assertions.as_mut();
        let Some(assertion) = assertions.and_then(|known| known.failed(time, state)) else {
            return ControlFlow::Continue(());
        };
        self.failed.get_or_insert((assertion, time));
        ControlFlow::Break(Halt::Enough)
    }
}
