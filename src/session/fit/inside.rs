//! Whether values that are searched are inside the region of a fit, and how far.
//!
//! Enters: a likelihood, values of what is fitted. Leaves: faults where something that must hold does
//! not, margins with derivatives by central differences (the state of rest is followed by Newton's
//! iteration, so that they are smooth). Must not know words.

use super::super::rest::AtRest;
use super::super::steady;
use super::super::values::{Overrides, Present};
use super::objective::Likelihood;
use super::quantities::difference;
use super::region::{Region, RequirementKind};
use super::rested::followed;
use crate::analyze::{Class, Eigenvalue, Linearised, NotFound, Place, linearise};
use crate::fit::{Fault, Margin, Wanted};
use crate::kernel::{Parameters, Scratch, SharedKernel};
use std::cmp::Ordering;

/// What must hold, and how it stands at the estimates.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// As written.
    pub text: String,
    /// Whether it holds for every run.
    pub holds: bool,
    /// True when the estimates are on its edge: the data alone would leave it.
    pub on_edge: bool,
    /// How it stands for the runs whose values differ.
    pub places: Vec<StandingOfRun>,
}

/// How something that must hold stands for one run.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingOfRun {
    /// Which run.
    pub run: usize,
    /// Whether it holds there.
    pub holds: bool,
    /// The type of the state of rest, where one is asked about and found.
    pub class: Option<Class>,
    /// Its eigenvalues, leading ones first, pairs by the one above the real axis.
    pub eigenvalues: Vec<Eigenvalue>,
}

/// The state of rest of a run.
struct AtState<'c> {
    at_rest: AtRest<'c>,
    state: Vec<f64>,
    linear: Linearised,
}

impl Likelihood<'_> {
    /// The same likelihood on all values, also those that have none because something does not hold.
    pub(super) fn everywhere(&self) -> Likelihood<'_> {
        Likelihood {
            region: None,
            asserts: false,
            filters: self.filters.clone(),
            ..self.with_runs(self.runs.clone())
        }
    }

    /// Whether all that must hold does.
    ///
    /// # Errors
    /// [`Fault::Outside`] where something does not; no state of rest where one is asked about.
    pub(super) fn admits(&self, at: &[f64]) -> Result<(), Fault> {
        let Some(region) = &self.region else {
            return Ok(());
        };
        for &run in &region.places {
            let values = self.values_of(run, at)?;
            let start = self.compiled.model.time.start;
            let all = || region.requirements.iter().enumerate();
            // What parameters alone decide comes first: a state of rest is dear.
            for (requirement, known) in all() {
                if let RequirementKind::Positive(kernel) = &known.kind
                    && number(kernel, start, &values.1).partial_cmp(&0.0) != Some(Ordering::Greater)
                {
                    return Err(Fault::Outside { requirement, run });
                }
            }
            let rested = self.rested(region, run, &values)?;
            for (requirement, known) in all() {
                if let RequirementKind::Rest(kind) = &known.kind
                    && !rested
                        .as_ref()
                        .is_some_and(|found| kind.holds(&found.linear))
                {
                    return Err(Fault::Outside { requirement, run });
                }
            }
        }
        Ok(())
    }

    /// The margins of all that must hold, run after run.
    ///
    /// # Errors
    /// No state of rest where one is asked about.
    pub(super) fn margins_at(&self, at: &[f64], wanted: Wanted) -> Result<Vec<Margin>, Fault> {
        let Some(region) = &self.region else {
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for &run in &region.places {
            let values = self.values_of(run, at)?;
            let rested = self.rested(region, run, &values)?;
            let here = self.margins_of(region, &values, rested.as_ref().map(|found| &found.linear));
            let mut gradients = vec![Vec::with_capacity(at.len()); here.len()];
            if wanted > Wanted::Value {
                for j in 0..at.len() {
                    let slopes = self.slopes(region, (run, j), at, (rested.as_ref(), &here))?;
                    for (gradient, slope) in gradients.iter_mut().zip(slopes) {
                        gradient.push(slope);
                    }
                }
            }
            let own = here.into_iter().zip(gradients);
            all.extend(own.map(|((requirement, value), gradient)| Margin {
                requirement,
                run,
                value,
                gradient,
            }));
        }
        Ok(all)
    }

    /// How all that must hold stands; `edges` are positions of margins that are zero.
    pub(super) fn standing(&self, at: &[f64], edges: &[usize]) -> Vec<Standing> {
        let Some(region) = &self.region else {
            return Vec::new();
        };
        let margins = self.margins_at(at, Wanted::Value).unwrap_or_default();
        let on_edge = |requirement: usize| {
            let mut all = edges.iter().filter_map(|at| margins.get(*at));
            all.any(|margin| margin.requirement == requirement)
        };
        let mut found: Vec<Standing> = region
            .requirements
            .iter()
            .enumerate()
            .map(|(at, known)| Standing {
                text: known.text.clone(),
                holds: true,
                on_edge: on_edge(at),
                places: Vec::with_capacity(region.places.len()),
            })
            .collect();
        for &run in &region.places {
            let values = self.values_of(run, at).ok();
            let rested = values
                .as_ref()
                .and_then(|values| self.rested(region, run, values).ok().flatten());
            for (known, standing) in region.requirements.iter().zip(&mut found) {
                let (holds, linear) = match (&known.kind, &values) {
                    (RequirementKind::Rest(kind), _) => {
                        let linear = rested.as_ref().map(|found| &found.linear);
                        (linear.is_some_and(|linear| kind.holds(linear)), linear)
                    }
                    (RequirementKind::Positive(kernel), Some(values)) => {
                        let start = self.compiled.model.time.start;
                        (number(kernel, start, &values.1) > 0.0, None)
                    }
                    (RequirementKind::Positive(_), None) => (false, None),
                };
                standing.holds &= holds;
                standing.places.push(StandingOfRun {
                    run,
                    holds,
                    class: linear.map(|linear| linear.class),
                    eigenvalues: linear.map_or_else(Vec::new, |linear| {
                        linear.modes.iter().map(|mode| mode.value).collect()
                    }),
                });
            }
        }
        found
    }

    fn values_of(&self, run: usize, at: &[f64]) -> Result<(Overrides, Present), Fault> {
        let known = self.runs.get(run);
        let values = known.and_then(|known| known.own.at(&self.compiled, &self.fitted, at));
        values.ok_or(Fault::NoDensity { run, datum: 0 })
    }

    /// The state of rest of a run, where one is asked about.
    fn rested(
        &self,
        region: &Region,
        run: usize,
        (overrides, present): &(Overrides, Present),
    ) -> Result<Option<AtState<'_>>, Fault> {
        let Some(equations) = &region.equations else {
            return Ok(None);
        };
        let values = (overrides.clone(), present.clone());
        let at_rest = AtRest::of(&self.compiled, equations.clone(), values);
        let no_rest = Fault::NoRest { run };
        let found = steady::search(&at_rest, self.world).map_err(|why| match why {
            NotFound::Interrupted => Fault::Interrupted,
            NotFound::Restless(_) | NotFound::Newton => no_rest.clone(),
        })?;
        let linear = linear_part(&at_rest, &found.state).ok_or(no_rest)?;
        Ok(Some(AtState {
            at_rest,
            state: found.state,
            linear,
        }))
    }

    /// The margins of a run, each with its requirement.
    fn margins_of(
        &self,
        region: &Region,
        values: &(Overrides, Present),
        linear: Option<&Linearised>,
    ) -> Vec<(usize, f64)> {
        let mut margins = Vec::new();
        for (at, known) in region.requirements.iter().enumerate() {
            match (&known.kind, linear) {
                (RequirementKind::Rest(kind), Some(linear)) => {
                    margins.extend(kind.margins(linear).into_iter().map(|value| (at, value)));
                }
                (RequirementKind::Rest(_), None) => {}
                (RequirementKind::Positive(kernel), _) => {
                    let start = self.compiled.model.time.start;
                    margins.push((at, number(kernel, start, &values.1)));
                }
            }
        }
        margins
    }

    /// The derivatives of the margins of a run by one quantity.
    fn slopes(
        &self,
        region: &Region,
        (run, j): (usize, usize),
        at: &[f64],
        (rested, here): (Option<&AtState<'_>>, &[(usize, f64)]),
    ) -> Result<Vec<f64>, Fault> {
        let here = || here.iter().map(|(_, value)| *value).collect();
        // What follows may not go on to both sides.
        difference(&self.fitted, (at, j), here, |moved| {
            let values = self.values_of(run, moved)?;
            let linear = match rested {
                None => None,
                Some(rested) => {
                    let at_rest = rested.at_rest.with(values.0.clone(), values.1.clone());
                    let state = followed(&at_rest, &rested.state);
                    let linear = state.and_then(|state| linear_part(&at_rest, &state));
                    Some(linear.ok_or(Fault::NoRest { run })?)
                }
            };
            let margins = self.margins_of(region, &values, linear.as_ref());
            Ok(margins.into_iter().map(|(_, value)| value).collect())
        })
    }
}

/// A function of parameters.
fn number(kernel: &SharedKernel, time: f64, present: &Present) -> f64 {
    let mut out = [f64::NAN];
    let parameters = Parameters::new(&present.parameters[..]);
    let scratch = &mut Scratch::new();
    kernel.call(time, &present.initial, &parameters, &[], &mut out, scratch);
    out[0]
}

fn linear_part(at_rest: &AtRest<'_>, state: &[f64]) -> Option<Linearised> {
    linearise(&Place {
        dynamics: &at_rest.dynamics(),
        motion: at_rest.motion(),
        time: at_rest.time(),
        state,
        tolerances: &at_rest.tolerances(),
        laws: &at_rest.laws(),
    })
}
