//! The equations at rest: what every question about steady states starts from.
//!
//! Enters: a model, the values that hold and what a sentence sets. Leaves: its equations without
//! what interrupts them, the state to start from, conservation laws and tolerances. A model that
//! names the time or reads an input does not rest.

use super::command::Setting;
use super::compiled::Compiled;
use super::simulate::with_setting;
use super::trajectory::Trajectory;
use super::values::{self, Overrides, Present};
use crate::analyze::{Law, Motion};
use crate::diagnostic::{Code, Diagnostic};
use crate::kernel::Kernels;
use crate::model::Entity;
use crate::simulate::{CompiledDynamics, Tolerances};
use crate::source::Span;
use crate::symbolic::{Expr, Pool, SymbolId, symbols_of};
use crate::system::{System, conservation_laws};
use std::sync::Arc;

/// Error allowed while a system is followed to where it goes.
const RELATIVE_TOLERANCE: f64 = 1e-6;

/// A model at rest, with the values that hold now.
pub(super) struct AtRest<'c> {
    /// The model with its names.
    pub compiled: &'c Compiled,
    /// What is set, `with` included.
    pub overrides: Overrides,
    /// Parameters and initial values.
    pub present: Present,
    /// Where to start from.
    pub state: Vec<f64>,
    /// The equations without events, doses, modes and delays, when the model has any.
    own: Equations,
}

/// Equations without what interrupts them, with their functions; `None` for those of a model that
/// has nothing of the kind.
pub(super) type Equations = Option<Arc<(Arc<System>, Kernels)>>;

impl<'c> AtRest<'c> {
    /// The equations at rest, from the values that hold now or from the end of `last`.
    ///
    /// # Errors
    /// No states; equations that name the time or an input; unknown names or bad values in
    /// `setting`.
    pub fn new(
        compiled: &'c Compiled,
        overrides: &Overrides,
        setting: &Setting,
        last: Option<&Trajectory>,
        span: Span,
    ) -> Result<AtRest<'c>, Vec<Diagnostic>> {
        let (overrides, present, state) = start(compiled, overrides, setting, last, span)?;
        let system = &compiled.system;
        let is_plain =
            system.guards.is_empty() && system.delays.is_empty() && system.infused.is_empty();
        let own = (!is_plain).then(|| {
            let at_rest = Arc::new(system.at_rest());
            Arc::new((Arc::clone(&at_rest), Kernels::new(at_rest)))
        });
        Ok(AtRest {
            compiled,
            overrides,
            present,
            state,
            own,
        })
    }

    /// Equations at rest that are known already, with the values that hold, from their initial state.
    pub fn of(
        compiled: &'c Compiled,
        own: Equations,
        (overrides, present): (Overrides, Present),
    ) -> AtRest<'c> {
        AtRest {
            compiled,
            overrides,
            state: present.initial.clone(),
            present,
            own,
        }
    }

    /// The equations, to be used again.
    pub fn own(&self) -> Equations {
        self.own.clone()
    }

    /// The same equations with other values, from their initial state.
    pub fn with(&self, overrides: Overrides, present: Present) -> AtRest<'c> {
        AtRest {
            compiled: self.compiled,
            overrides,
            state: present.initial.clone(),
            present,
            own: self.own.clone(),
        }
    }

    /// What the model has and a steady state leaves out: `doses`, `events`.
    pub fn left_out(&self) -> Vec<&'static str> {
        let model = &self.compiled.model;
        let left_out = [
            ("doses", !model.doses.is_empty()),
            ("events", !model.events.is_empty()),
        ];
        left_out
            .into_iter()
            .filter_map(|(what, is_there)| is_there.then_some(what))
            .collect()
    }

    /// The equations.
    pub fn system(&self) -> &System {
        self.own
            .as_ref()
            .map_or(&*self.compiled.system, |own| &own.0)
    }

    /// Their functions.
    pub fn kernels(&self) -> &Kernels {
        self.own
            .as_ref()
            .map_or(&self.compiled.kernels, |own| &own.1)
    }

    /// The equations as numbers, with the parameters that hold.
    pub fn dynamics(&self) -> CompiledDynamics<'_> {
        let parameters = self.present.parameters.clone();
        CompiledDynamics::new(self.system(), self.kernels(), parameters)
    }

    /// Whether they say how fast the state changes or what it is next.
    pub fn motion(&self) -> Motion {
        self.system().motion
    }

    /// The time that is handed to the equations.
    pub fn time(&self) -> f64 {
        self.compiled.model.time.start
    }

    /// Error allowed; also says how small a change matters.
    pub fn tolerances(&self) -> Tolerances {
        Tolerances {
            relative: RELATIVE_TOLERANCE,
            absolute: self
                .compiled
                .absolute_tolerances(&self.present.initial, None),
        }
    }

    /// The conservation laws of the reactions, for the volumes that hold.
    pub fn laws(&self) -> Vec<Law> {
        laws(self.compiled, &self.present.parameters)
    }

    /// One per number of the state vector: species, and states with bounds from 0, are never
    /// negative.
    pub fn non_negative(&self) -> Vec<bool> {
        non_negative(self.compiled)
    }
}

/// What can be refused without looking for anything.
pub(super) fn check(
    compiled: &Compiled,
    overrides: &Overrides,
    setting: &Setting,
    span: Span,
) -> Result<(), Vec<Diagnostic>> {
    start(compiled, overrides, setting, None, span).map(|_| ())
}

fn start(
    compiled: &Compiled,
    overrides: &Overrides,
    setting: &Setting,
    last: Option<&Trajectory>,
    span: Span,
) -> Result<(Overrides, Present, Vec<f64>), Vec<Diagnostic>> {
    if compiled.model.states.is_empty() {
        return Err(vec![
            Diagnostic::new(Code::EmptyModel, "the model has no states that could rest")
                .at(span, "")
                .help("declare one, as in `state x = 1` with `x' = -x`"),
        ]);
    }
    let mut problems = moved_by_time(compiled, span);
    let overrides = with_setting(compiled, overrides, setting).unwrap_or_else(|found| {
        problems.extend(found);
        overrides.clone()
    });
    let present = compiled.present(&overrides);
    let not_finite = values::check_finite(compiled, &present).err();
    // Which sentence asks matters: it may set what is missing.
    let not_finite = not_finite.into_iter().flatten();
    problems.extend(not_finite.map(|problem| problem.at(span, "asked for here")));
    if !problems.is_empty() {
        return Err(problems);
    }
    let ended = last.and_then(|last| last.solution.last());
    let state = match ended {
        Some((_, state)) => with_set(compiled, setting, &present, state.to_vec()),
        None => present.initial.clone(),
    };
    Ok((overrides, present, state))
}

/// A state with the values that `with` names.
pub(super) fn with_set(
    compiled: &Compiled,
    setting: &Setting,
    present: &Present,
    mut state: Vec<f64>,
) -> Vec<f64> {
    for binding in &setting.with {
        if let Some(Entity::State(id)) = compiled.model.names.get(&binding.name.name.text) {
            let range = compiled.system.states.blocks()[id.index()].range();
            if let (Some(to), Some(from)) =
                (state.get_mut(range.clone()), present.initial.get(range))
            {
                to.copy_from_slice(from);
            }
        }
    }
    state
}

/// What to say beside an answer that is about the drift alone; nothing for a model without noise.
pub(super) fn noise_left_out(compiled: &Compiled, span: Span) -> Option<Diagnostic> {
    let noise = compiled.system.noise.as_ref()?;
    let sense = if noise.correction.is_some() {
        "; Stratonovich noise that depends on the state would add to the drift in the Itô sense, which is left out too"
    } else {
        ""
    };
    Some(
        Diagnostic::new(
            Code::NoiseLeftOut,
            format!("this is about the equations without their noise{sense}"),
        )
        .at(span, "")
        .help(
            "`stationary` describes how the noise spreads the state around a stable steady state",
        ),
    )
}

/// The conservation laws of the reactions, in terms of the state vector: amounts are
/// concentrations times volumes.
fn laws(compiled: &Compiled, parameters: &[f64]) -> Vec<Law> {
    let system = &compiled.system;
    let place = |law: &crate::system::LawTerm| {
        let block = system.states.blocks().get(law.species.index())?;
        let volume = law.compartment.and_then(|id| {
            let block = system.parameters.blocks().get(id.index())?;
            parameters.get(block.offset).copied()
        });
        let position = block.offset + law.element as usize;
        Some((position, law.coefficient * volume.unwrap_or(1.0)))
    };
    conservation_laws(&compiled.model)
        .iter()
        .map(|law| Law {
            terms: law.terms.iter().filter_map(place).collect(),
        })
        .collect()
}

/// One per number of the state vector: species, and states with bounds, are never negative.
fn non_negative(compiled: &Compiled) -> Vec<bool> {
    let states = compiled.model.states.iter();
    let blocks = compiled.system.states.blocks();
    states
        .zip(blocks)
        .flat_map(|(state, block)| {
            let bounded = state.bounds.is_some_and(|bounds| bounds.low >= 0.0);
            std::iter::repeat_n(state.is_species || bounded, block.shape.len())
        })
        .collect()
}

/// What keeps a system from ever resting.
pub(super) struct Moved {
    /// The state whose equation it is in.
    pub state: String,
    /// `the time`, ``the input `light` ``
    pub by: String,
    /// Where.
    pub place: Span,
}

/// The equations that name the time or an input: such a system never rests.
fn moved_by_time(compiled: &Compiled, sentence: Span) -> Vec<Diagnostic> {
    let Some(Moved { state, by, place }) = moved(compiled) else {
        return Vec::new();
    };
    vec![
        Diagnostic::new(
            Code::NoSteadyState,
            format!("there is no steady state: the equation of `{state}` depends on {by}"),
        )
        .at(place, format!("{by} comes in here"))
        .at(sentence, "")
        .help("`simulate` over a long range shows what it settles to"),
    ]
}

/// The first equation that names the time or an input.
pub(super) fn moved(compiled: &Compiled) -> Option<Moved> {
    let (model, system) = (&compiled.model, &compiled.system);
    let inputs: Vec<SymbolId> = system
        .slots
        .layout
        .blocks()
        .iter()
        .filter(|block| system.slots.inputs.contains(&block.offset))
        .map(|block| block.symbol)
        .collect();
    let mover = |pool: &Pool, expr: Expr| {
        let symbols = symbols_of(pool, expr);
        if symbols.contains(&system.time) {
            return Some(match system.motion {
                Motion::Flow => "the time".to_owned(),
                Motion::Map => "`n`".to_owned(),
            });
        }
        let input = inputs.iter().find(|input| symbols.contains(input))?;
        Some(format!("the input `{}`", pool.symbol_data(*input).name))
    };
    for (state, drift) in model.states.iter().zip(&system.drift) {
        let Some(what) = mover(&system.pool, *drift) else {
            continue;
        };
        let mut pool = Pool::continuing(&system.pool);
        let reaction = model.reactions.iter().find(|reaction| {
            let flux = system.inline(&mut pool, reaction.flux);
            mover(&pool, flux).is_some()
        });
        let of_reaction = reaction.map(|reaction| reaction.span);
        let place = state.equation.or(of_reaction).unwrap_or(state.span);
        return Some(Moved {
            state: state.name.clone(),
            by: what,
            place,
        });
    }
    None
}
