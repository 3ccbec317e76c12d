//! `from steady`: runs of a fit that begin at rest.
//!
//! Enters: what is set where the system rests, values of what is fitted. Leaves: the steady state x*
//! with its derivatives. These follow from f(x*(p), p) = 0 (`analyze::moved`), with the sums that
//! reactions are known to keep; where equations hide other sums, whose coefficients may move as well,
//! they are central differences of the state. Must not know data.

use super::super::command::{Setting, SteadyStart};
use super::super::compiled::Compiled;
use super::super::rest::{AtRest, Equations};
use super::super::steady;
use super::super::values::Overrides;
use super::own::Own;
use super::quantities::{Fitted, difference};
use crate::analyze::{
    Kept, Law, Motion, Moved, NotFound, Place, Reached, kept, moved, polish_with,
};
use crate::diagnostic::Diagnostic;
use crate::fit::Fault;
use crate::kernel::Scratch;
use crate::simulate::{DirectedSlots, Direction, VariedStart};
use crate::world::World;

/// Where the system rests before a run.
#[derive(Debug, Clone)]
pub struct Rested {
    /// The values there.
    own: Own,
    equations: Equations,
    /// One per state: true where `with` sets the value that the run begins with.
    set: Vec<bool>,
}

/// The start of a run.
pub(super) struct Begun {
    /// The state.
    pub state: Vec<f64>,
    /// Its derivatives by what is fitted, one after the other; none unless asked for.
    pub moved: Vec<Vec<f64>>,
}

impl Rested {
    /// Where a run that is set up by `base` rests before; `with` belongs to the run.
    ///
    /// # Errors
    /// Unknown conditions, equations that never rest.
    pub(super) fn new(
        compiled: &Compiled,
        base: &Overrides,
        start: &SteadyStart,
        (setting, fitted): (&Setting, &[Fitted]),
    ) -> Result<Rested, Vec<Diagnostic>> {
        let own = Own::new(compiled, base, &start.setting, fitted)?;
        let nothing = Setting::default();
        let at_rest = AtRest::new(compiled, &own.overrides, &nothing, None, start.span)?;
        let states = compiled.model.states.iter();
        let blocks = states.zip(compiled.system.states.blocks());
        let named = |name: &str| {
            let mut all = setting.with.iter();
            all.any(|binding| binding.name.name.text == name)
        };
        Ok(Rested {
            own,
            equations: at_rest.own(),
            set: blocks
                .flat_map(|(state, block)| {
                    std::iter::repeat_n(named(&state.name), block.shape.len())
                })
                .collect(),
        })
    }

    /// The steady state at values of what is fitted, for the run with this number.
    ///
    /// # Errors
    /// [`Fault::NoRest`] where there is none that the system goes to.
    pub(super) fn begin(
        &self,
        compiled: &Compiled,
        (fitted, at): (&[Fitted], &[f64]),
        (run, world): (usize, &dyn World),
        derivatives: bool,
    ) -> Result<Begun, Fault> {
        let no_rest = Fault::NoRest { run };
        let values = self.own.at(compiled, fitted, at).ok_or(no_rest.clone())?;
        let at_rest = AtRest::of(compiled, self.equations.clone(), values);
        let found = steady::search(&at_rest, world).map_err(|why| match why {
            NotFound::Interrupted => Fault::Interrupted,
            NotFound::Restless(_) | NotFound::Newton => no_rest.clone(),
        })?;
        if matches!(found.reached, Reached::Not(_)) {
            return Err(no_rest);
        }
        let state = found.state;
        let moved = match derivatives {
            false => Vec::new(),
            true => {
                let motion = Motions {
                    rested: self,
                    at_rest: &at_rest,
                    state: &state,
                };
                motion.by(fitted, at).ok_or(no_rest)?
            }
        };
        Ok(Begun { state, moved })
    }

    /// Puts the steady state in the place of initial values, but for those that `with` sets.
    pub(super) fn place(
        &self,
        begun: &Begun,
        initial: &mut [f64],
        start: Option<&mut VariedStart>,
    ) {
        let n = initial.len();
        let put = |from: &[f64], to: &mut [f64]| {
            for ((to, from), is_set) in to.iter_mut().zip(from).zip(&self.set) {
                if !is_set {
                    *to = *from;
                }
            }
        };
        put(&begun.state, initial);
        let Some(start) = start else { return };
        let mut blocks = start.state.chunks_exact_mut(n.max(1));
        if let Some(state) = blocks.next() {
            put(&begun.state, state);
        }
        for (block, moved) in blocks.zip(&begun.moved) {
            put(moved, block);
        }
    }
}

/// How a steady state moves.
struct Motions<'a> {
    rested: &'a Rested,
    at_rest: &'a AtRest<'a>,
    state: &'a [f64],
}

impl Motions<'_> {
    fn by(&self, fitted: &[Fitted], at: &[f64]) -> Option<Vec<Vec<f64>>> {
        let at_rest = self.at_rest;
        let (compiled, own) = (at_rest.compiled, &self.rested.own);
        let (dynamics, tolerances, laws) =
            (at_rest.dynamics(), at_rest.tolerances(), at_rest.laws());
        let sums = sums(at_rest);
        if sums.iter().any(|sum| !laws.contains(&sum.law)) {
            return (0..fitted.len())
                .map(|j| self.difference(fitted, at, j))
                .collect();
        }
        let start = own.varied(compiled, fitted, at, (&at_rest.overrides, &at_rest.present));
        let n = self.state.len();
        let directions: Vec<Moved> = (0..fitted.len())
            .map(|j| {
                let parameters = start.parameters.get(j).map_or(&[][..], Vec::as_slice);
                let initial = start.state.get(n * (1 + j)..n * (2 + j)).unwrap_or(&[]);
                let moving = self.laws_beside(parameters);
                Moved {
                    drift: self.drift_along(parameters),
                    totals: sums
                        .iter()
                        .map(|sum| self.total_along(sum, (&laws, &moving), initial))
                        .collect(),
                }
            })
            .collect();
        let place = Place {
            dynamics: &dynamics,
            motion: at_rest.motion(),
            time: at_rest.time(),
            state: self.state,
            tolerances: &tolerances,
            laws: &laws,
        };
        moved(&place, &sums, &directions)
    }

    /// How the equations move with the parameters, at a state that stays.
    fn drift_along(&self, parameters: &[f64]) -> Vec<f64> {
        let (system, kernels) = (self.at_rest.system(), self.at_rest.kernels());
        let tangent = kernels.tangent(&system.pool, &system.frozen_drift);
        let mut slots = DirectedSlots::new(system);
        let direction = Direction {
            parameters,
            ..Direction::default()
        };
        slots.set(0, direction);
        let mut out = vec![0.0; self.state.len()];
        let dynamics = self.at_rest.dynamics();
        tangent.call(
            self.at_rest.time(),
            self.state,
            &dynamics.parameters(),
            slots.numbers(),
            &mut out,
            &mut Scratch::new(),
        );
        out
    }

    /// The laws of the reactions with parameters a unit along a direction: coefficients are linear in
    /// the volumes.
    fn laws_beside(&self, direction: &[f64]) -> Vec<Law> {
        let mut present = self.at_rest.present.clone();
        for (value, change) in present.parameters.iter_mut().zip(direction) {
            *value += change;
        }
        self.at_rest
            .with(self.at_rest.overrides.clone(), present)
            .laws()
    }

    /// How much more a total becomes than the sum of the state that stays: w dx0 + dw (x0 - x).
    fn total_along(&self, sum: &Kept, (laws, moving): (&[Law], &[Law]), initial: &[f64]) -> f64 {
        let own: f64 = sum
            .law
            .terms
            .iter()
            .map(|(at, w)| w * initial.get(*at).copied().unwrap_or(0.0))
            .sum();
        let at = laws.iter().position(|law| *law == sum.law);
        let Some(moving) = at.and_then(|at| moving.get(at)) else {
            return own;
        };
        let pairs = moving.terms.iter().zip(&sum.law.terms);
        let by_coefficients: f64 = pairs
            .map(|((at, there), (_, here))| {
                let pair = self.at_rest.state.get(*at).zip(self.state.get(*at));
                pair.map_or(0.0, |(start, rest)| (there - here) * (start - rest))
            })
            .sum();
        own + by_coefficients
    }

    /// The same by differences of the state.
    fn difference(&self, fitted: &[Fitted], at: &[f64], j: usize) -> Option<Vec<f64>> {
        let here = || self.state.to_vec();
        let beside = |moved: &[f64]| {
            let values = self.rested.own.at(self.at_rest.compiled, fitted, moved);
            let (overrides, present) = values.ok_or(())?;
            followed(&self.at_rest.with(overrides, present), self.state).ok_or(())
        };
        difference(fitted, (at, j), here, beside).ok()
    }
}

/// The sums that a flow keeps, with the totals of its initial state.
fn sums(at_rest: &AtRest<'_>) -> Vec<Kept> {
    match at_rest.motion() {
        Motion::Map => Vec::new(),
        Motion::Flow => kept(
            &at_rest.dynamics(),
            at_rest.time(),
            &at_rest.state,
            &at_rest.tolerances(),
            &at_rest.laws(),
        ),
    }
}

/// The steady state next to one of other values, with the sums of the initial state.
pub(super) fn followed(at_rest: &AtRest<'_>, near: &[f64]) -> Option<Vec<f64>> {
    let place = Place {
        dynamics: &at_rest.dynamics(),
        motion: at_rest.motion(),
        time: at_rest.time(),
        state: near,
        tolerances: &at_rest.tolerances(),
        laws: &at_rest.laws(),
    };
    polish_with(&place, &sums(at_rest))
}
