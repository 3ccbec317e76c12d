//! The one bridge to the crate `diffsol`: its BDF, TR-BDF2, ESDIRK34 and Tsit45 as [`Stepper`]s.
//!
//! In: a [`Watched`] system and a [`Start`]. Out: a stepper, lent to a closure for as long as the
//! problem that it borrows lives. The exact Jacobian goes in as a dense or sparse matrix; the
//! crate never probes for derivatives or sparsity. Nothing outside this file knows the crate.
//!
//! What the crate does not do, and this file adds: rejection of steps whose result is not finite
//! (its maximum-based error norm takes NaN for zero), a shortest step relative to the time, a
//! longest step, and failures with their cause.

use super::Method;
use super::stepper::{
    Accepted, Start, StepFailure, Stepper, StepperStatistics, Watched, all_finite, shortest_step,
};
use ::diffsol::error::OdeSolverError;
use ::diffsol::matrix::MatrixRef;
use ::diffsol::{
    Bdf, ConstantOp, DefaultDenseMatrix, DiffsolError, ExplicitRk, FaerContext, FaerSparseLU,
    FaerSparseMat, FaerVec, Matrix, NalgebraContext, NalgebraLU, NalgebraMat, NalgebraVec,
    NonLinearOp, NonLinearOpJacobian, OdeBuilder, OdeEquations, OdeEquationsRef, OdeSolverConfig,
    OdeSolverMethod, OdeSolverOptions, OdeSolverProblem, OdeSolverState, OdeSolverStopReason, Op,
    Sdirk, Tableau, UnitCallable, Vector, VectorCommon, VectorRef,
};
use faer::sparse::SymbolicSparseColMat;
use std::marker::PhantomData;

/// The crate's settings, in one place. Everything not named here stays at its default.
fn settings(options: &mut OdeSolverOptions<f64>) {
    // Limits are kept by the shortest step, which every attempt in a row of failures approaches
    // geometrically; the crate counts convergence failures over the whole run.
    options.max_nonlinear_solver_failures = usize::MAX;
    options.max_error_test_failures = usize::MAX;
    // Newton's error as a share of the tolerance. At the crate's 0.2 it is felt in the result:
    // 0.05 lowers the error of OREGO and POLLU at 1e-10 by 4 and 10 for a tenth more evaluations.
    options.nonlinear_solver_tolerance = 0.05;
    // The proportional part of the step controller stays off (the default): two steps without
    // any error, as at an equilibrium, make its factor 0 times infinity, and BDF panics on that.
    options.pi_control_proportional = 0.0;
}

/// The share of the tolerances that the crate's error test is given.
///
/// BDF's local errors add up over many short steps. CVODE therefore aims at a sixth of the
/// tolerance (its bias factor of 6, Hindmarsh et al., ACM Trans. Math. Softw. 31 (2005) 363-396),
/// where the crate aims at 0.8 of it. With the sixth, 100 periods of an oscillator err by 30 to
/// 90 tolerances instead of 170 to 410 (1e-4 to 1e-8), for a third more steps.
fn tolerance_share(method: Method) -> f64 {
    match method {
        Method::Bdf => 1.0 / 6.0,
        _ => 1.0,
    }
}

/// Stands for an absolute tolerance of zero: with none, a state at exact zero makes the crate's
/// norm 0/0, which its error test takes for no error at all.
const SMALLEST_TOLERANCE: f64 = 1e-290;

/// Builds the stepper that `start` asks for and lends it to `run`.
pub(super) fn with_stepper<R>(
    system: &Watched<'_>,
    start: &Start<'_>,
    run: impl FnOnce(&mut dyn Stepper) -> R,
) -> Result<R, StepFailure> {
    if start.sparse && !start.method.is_explicit() {
        with_matrix::<FaerSparseMat<f64>, FaerSparseLU<f64>, R>(
            system,
            start,
            FaerContext::default(),
            run,
        )
    } else {
        with_matrix::<NalgebraMat<f64>, NalgebraLU<f64>, R>(
            system,
            start,
            NalgebraContext::default(),
            run,
        )
    }
}

fn with_matrix<M, L, R>(
    system: &Watched<'_>,
    start: &Start<'_>,
    context: M::C,
    run: impl FnOnce(&mut dyn Stepper) -> R,
) -> Result<R, StepFailure>
where
    M: SystemMatrix,
    M::V: SliceVector + DefaultDenseMatrix<T = f64, C = M::C>,
    for<'b> &'b M::V: VectorRef<M::V>,
    for<'b> &'b M: MatrixRef<M>,
    L: ::diffsol::LinearSolver<M>,
{
    let equations = Equations::<M> {
        system,
        initial: start.state,
        sparsity: M::sparsity_of(system),
        context: context.clone(),
    };
    let share = tolerance_share(start.method);
    let absolute = start.tolerances.absolute.iter();
    let mut problem = OdeBuilder::<M>::new()
        .context(context)
        .rtol(share * start.tolerances.relative)
        .atol(absolute.map(|a| (share * a).max(SMALLEST_TOLERANCE)))
        .t0(start.time)
        .h0(start.step)
        .build_from_eqn(equations)
        .map_err(other)?;
    settings(&mut problem.ode_options);
    match start.method {
        Method::Bdf => {
            let state = OdeSolverState::new_without_initialise(&problem).map_err(other)?;
            let solver: Bdf<'_, _, L> = problem.bdf_solver(state).map_err(other)?;
            Leg::lend(solver, start, run)
        }
        Method::TrBdf2 => sdirk::<M, L, R>(&problem, Tableau::tr_bdf2(), start, run),
        Method::Esdirk34 => sdirk::<M, L, R>(&problem, Tableau::esdirk34(), start, run),
        Method::Tsit45 => {
            let state = OdeSolverState::new_without_initialise(&problem).map_err(other)?;
            let solver: ExplicitRk<'_, _> = problem.tsit45_solver(state).map_err(other)?;
            Leg::lend(solver, start, run)
        }
        method => Err(StepFailure::Other(format!("{method} is not of this crate"))),
    }
}

fn sdirk<M, L, R>(
    problem: &OdeSolverProblem<Equations<'_, M>>,
    tableau: Tableau<f64>,
    start: &Start<'_>,
    run: impl FnOnce(&mut dyn Stepper) -> R,
) -> Result<R, StepFailure>
where
    M: SystemMatrix,
    M::V: SliceVector + DefaultDenseMatrix<T = f64, C = M::C>,
    L: ::diffsol::LinearSolver<M>,
{
    let state = OdeSolverState::new_without_initialise(problem).map_err(other)?;
    let solver: Sdirk<'_, _, L> =
        Sdirk::new(problem, state, tableau, L::default()).map_err(other)?;
    Leg::lend(solver, start, run)
}

fn other(error: DiffsolError) -> StepFailure {
    StepFailure::Other(error.to_string())
}

/// A vector type of the crate, seen as a slice.
trait SliceVector: Vector<T = f64> {
    fn slice(&self) -> &[f64];
    fn slice_mut(&mut self) -> &mut [f64];
}

impl SliceVector for NalgebraVec<f64> {
    fn slice(&self) -> &[f64] {
        self.inner().as_slice()
    }

    fn slice_mut(&mut self) -> &mut [f64] {
        self.inner_mut().as_mut_slice()
    }
}

impl SliceVector for FaerVec<f64> {
    fn slice(&self) -> &[f64] {
        self.inner().col_as_slice(0)
    }

    fn slice_mut(&mut self) -> &mut [f64] {
        self.inner_mut().col_as_slice_mut(0)
    }
}

/// A matrix type of the crate that takes Jacobian entries in the order of the pattern.
trait SystemMatrix: Matrix<T = f64> {
    fn sparsity_of(system: &Watched<'_>) -> Option<Self::Sparsity>;
    fn fill(&mut self, pattern: (&[usize], &[usize]), entries: &[f64]);
}

impl SystemMatrix for NalgebraMat<f64> {
    fn sparsity_of(_: &Watched<'_>) -> Option<Self::Sparsity> {
        None
    }

    fn fill(&mut self, (starts, rows): (&[usize], &[usize]), entries: &[f64]) {
        let matrix = self.inner_mut();
        for (j, ends) in starts.windows(2).enumerate() {
            let mut column = matrix.column_mut(j);
            for k in ends[0]..ends[1] {
                column[rows[k]] = entries[k];
            }
        }
    }
}

impl SystemMatrix for FaerSparseMat<f64> {
    fn sparsity_of(system: &Watched<'_>) -> Option<Self::Sparsity> {
        let n = system.dimension();
        let (starts, rows) = system.pattern();
        Some(SymbolicSparseColMat::new_checked(
            n,
            n,
            starts.to_vec(),
            None,
            rows.to_vec(),
        ))
    }

    fn fill(&mut self, _: (&[usize], &[usize]), entries: &[f64]) {
        if let Some(matrix) = self.inner_mut().first_mut() {
            matrix.val_mut().copy_from_slice(entries);
        }
    }
}

/// The system in the crate's terms: right-hand side and initial value; no mass matrix, roots,
/// outputs or parameters.
struct Equations<'d, M: Matrix> {
    system: &'d Watched<'d>,
    initial: &'d [f64],
    sparsity: Option<M::Sparsity>,
    context: M::C,
}

impl<M: SystemMatrix> Op for Equations<'_, M> {
    type T = f64;
    type V = M::V;
    type M = M;
    type C = M::C;

    fn context(&self) -> &M::C {
        &self.context
    }

    fn nstates(&self) -> usize {
        self.system.dimension()
    }

    fn nout(&self) -> usize {
        self.system.dimension()
    }

    fn nparams(&self) -> usize {
        0
    }
}

impl<M: SystemMatrix<V: SliceVector>> NonLinearOp for Equations<'_, M> {
    fn call_inplace(&self, x: &M::V, t: f64, y: &mut M::V) {
        self.system.drift(t, x.slice(), y.slice_mut());
    }
}

impl<M: SystemMatrix<V: SliceVector>> NonLinearOpJacobian for Equations<'_, M> {
    fn jac_mul_inplace(&self, x: &M::V, t: f64, v: &M::V, y: &mut M::V) {
        let (starts, rows) = self.system.pattern();
        let (v, y) = (v.slice(), y.slice_mut());
        y.fill(0.0);
        self.system.jacobian(t, x.slice(), |entries| {
            for (j, ends) in starts.windows(2).enumerate() {
                for k in ends[0]..ends[1] {
                    y[rows[k]] += entries[k] * v[j];
                }
            }
        });
    }

    fn jacobian_inplace(&self, x: &M::V, t: f64, y: &mut M) {
        let pattern = self.system.pattern();
        self.system
            .jacobian(t, x.slice(), |entries| y.fill(pattern, entries));
    }

    fn jacobian_sparsity(&self) -> Option<M::Sparsity> {
        self.sparsity.clone()
    }
}

impl<M: SystemMatrix<V: SliceVector>> ConstantOp for Equations<'_, M> {
    fn call_inplace(&self, _t: f64, y: &mut M::V) {
        y.slice_mut().copy_from_slice(self.initial);
    }
}

impl<'a, M: SystemMatrix<V: SliceVector>> OdeEquationsRef<'a> for Equations<'_, M> {
    type Mass = UnitCallable<M>;
    type Rhs = &'a Self;
    type Root = UnitCallable<M>;
    type Init = &'a Self;
    type Out = UnitCallable<M>;
    type Reset = UnitCallable<M>;
}

impl<M: SystemMatrix<V: SliceVector>> OdeEquations for Equations<'_, M> {
    fn rhs(&self) -> &Self {
        self
    }

    fn mass(&self) -> Option<UnitCallable<M>> {
        None
    }

    fn init(&self) -> &Self {
        self
    }

    fn set_params(&mut self, _: &M::V) {}

    fn get_params(&self, _: &mut M::V) {}
}

/// The right-hand side over plain slices.
trait DriftOf {
    fn drift_into(&self, state: &[f64], time: f64, out: &mut [f64]);
}

impl<M: Matrix> DriftOf for Equations<'_, M> {
    fn drift_into(&self, state: &[f64], time: f64, out: &mut [f64]) {
        self.system.drift(time, state, out);
    }
}

/// One of the crate's solvers, with the guards it lacks.
struct Leg<'p, E: OdeEquations, S> {
    solver: S,
    end: f64,
    length: f64,
    max_step: f64,
    /// Steps rejected here, on top of those that the solver rejected itself.
    rejected: u64,
    /// The solver's own limit on the growth of the step.
    growth: f64,
    /// State and derivative before the present step.
    before: Vec<f64>,
    before_derivative: Vec<f64>,
    scratch: E::V,
    problem: PhantomData<&'p E>,
}

impl<'p, E, S> Leg<'p, E, S>
where
    E: OdeEquations<T = f64, V: SliceVector> + DriftOf + 'p,
    S: OdeSolverMethod<'p, E>,
{
    fn lend<R>(
        mut solver: S,
        start: &Start<'_>,
        run: impl FnOnce(&mut dyn Stepper) -> R,
    ) -> Result<R, StepFailure> {
        solver.set_stop_time(start.end).map_err(other)?;
        let state = solver.state();
        let mut leg = Leg {
            end: start.end,
            length: start.end - start.time,
            max_step: start.max_step,
            rejected: 0,
            growth: *solver.config().as_base_ref().maximum_timestep_growth,
            before: state.y.slice().to_vec(),
            before_derivative: state.dy.slice().to_vec(),
            scratch: state.y.clone(),
            solver,
            problem: PhantomData,
        };
        Ok(run(&mut leg))
    }

    /// Sets the limits of the next step: shortest step, and a growth that keeps to the longest.
    fn set_limits(&mut self, time: f64, step: f64) {
        let config = self.solver.config_mut().as_base_mut();
        *config.minimum_timestep = shortest_step(time, self.length);
        *config.maximum_timestep_growth = self.growth.min(self.max_step / step).max(1e-3);
    }

    /// Puts the solver back to the state before the step, to try again with `step`.
    fn restore(&mut self, time: f64, step: f64) -> Result<(), StepFailure> {
        let state = self.solver.state_mut();
        state.y.slice_mut().copy_from_slice(&self.before);
        let derivative = &self.before_derivative;
        state.dy.slice_mut().copy_from_slice(derivative);
        *state.t = time;
        *state.h = step;
        self.solver.set_stop_time(self.end).map_err(other)
    }
}

impl<'p, E, S> Stepper for Leg<'p, E, S>
where
    E: OdeEquations<T = f64, V: SliceVector> + DriftOf + 'p,
    S: OdeSolverMethod<'p, E>,
{
    fn step(&mut self) -> Result<Accepted, StepFailure> {
        let state = self.solver.state();
        let time = state.t;
        let mut step = state.h;
        self.before.copy_from_slice(state.y.slice());
        self.before_derivative.copy_from_slice(state.dy.slice());
        loop {
            self.set_limits(time, step);
            let reached = self.solver.step();
            let state = self.solver.state();
            let reason = match reached {
                Ok(reason) => reason,
                Err(error) => return Err(failure(error, shortest_step(time, self.length))),
            };
            if all_finite(state.y.slice()) && all_finite(state.dy.slice()) {
                return Ok(match reason {
                    OdeSolverStopReason::TstopReached => Accepted::End,
                    _ => Accepted::Inside,
                });
            }
            step = RETREAT * (state.t - time);
            self.rejected += 1;
            if step.is_nan() || step < shortest_step(time, self.length) {
                return Err(StepFailure::TooSmall { step });
            }
            self.restore(time, step)?;
        }
    }

    fn time(&self) -> f64 {
        self.solver.state().t
    }

    fn state(&self) -> &[f64] {
        self.solver.state().y.slice()
    }

    fn derivative(&self) -> &[f64] {
        self.solver.state().dy.slice()
    }

    fn interpolate(&mut self, time: f64, out: &mut [f64]) -> Result<(), StepFailure> {
        self.solver
            .interpolate_inplace(time, &mut self.scratch)
            .map_err(other)?;
        out.copy_from_slice(self.scratch.slice());
        Ok(())
    }

    fn set_longest(&mut self, step: f64) {
        self.max_step = step;
    }

    fn restart(
        &mut self,
        time: f64,
        state: &[f64],
        step: f64,
        stop: f64,
    ) -> Result<(), StepFailure> {
        self.end = stop;
        self.before.copy_from_slice(state);
        self.solver
            .problem()
            .eqn
            .drift_into(state, time, &mut self.before_derivative);
        self.restore(time, step)
    }

    fn set_stop(&mut self, _: f64, stop: f64) -> Result<(), StepFailure> {
        self.end = stop;
        self.solver.set_stop_time(stop).map_err(other)
    }

    fn statistics(&self) -> StepperStatistics {
        let s = self.solver.get_statistics();
        let failed = s.number_of_error_test_failures + s.number_of_nonlinear_solver_fails;
        StepperStatistics {
            steps: (s.number_of_steps as u64).saturating_sub(self.rejected),
            rejected: failed as u64 + self.rejected,
            factorisations: s.number_of_linear_solver_setups as u64,
            clamped: 0,
        }
    }
}

/// The factor on a step whose result was not finite.
const RETREAT: f64 = 0.25;

/// A failed step in the terms of the driver; `step` is the length at which the solver gave up.
fn failure(error: DiffsolError, step: f64) -> StepFailure {
    match error {
        DiffsolError::OdeSolverError(
            OdeSolverError::StepSizeTooSmall { .. }
            | OdeSolverError::TooManyErrorTestFailures { .. }
            | OdeSolverError::TooManyNonlinearSolverFailures { .. },
        ) => StepFailure::TooSmall { step },
        error => other(error),
    }
}
