//! What interrupts the run of a [`Problem`]: switches of the equations, events, doses, inputs.
//!
//! ```text
//! agenda.rs     what is scheduled, by time; schedules one time ahead
//! schedule.rs   its first entries, when a run begins
//! inputs.rs     tables of inputs as piecewise polynomials
//! guards.rs     sides of guards and their modes; search.rs finds where they cross
//! execute.rs    events: set off, delayed, called off, executed
//! past.rs       what was before, for equations with delays
//! shifts.rs     how times and values move where derivatives ride along
//! doses.rs      doses and infusions; steady.rs the state that repeated ones lead to
//!               (steady_moves.rs how it moves)
//! storm.rs      events without end
//! functions.rs  the system's functions at the values that hold
//! ```
//!
//! In: a [`Problem`] with its [`CompiledDynamics`]. Out: an [`Interrupter`] for the driver. Must
//! not know methods, rows or names.

mod agenda;
mod doses;
mod execute;
mod functions;
mod guards;
mod inputs;
mod past;
mod schedule;
mod search;
mod shifts;
mod steady;
mod steady_moves;
mod storm;
#[cfg(test)]
mod tests;

pub(super) use guards::live_modes;
pub(super) use inputs::Inputs;

use super::chance::{self, follow};
use super::clock::Clock;
use super::driver::drive;
use super::interrupter::{Consequence, Interrupter};
use super::iterate::iterate;
use super::sensitivity::{Repeated, Variation};
use super::stepper::{StepFailure, Stepper};
use super::work::Work;
use super::{
    CompiledDynamics, Monitor, Occasion, Occurrence, Options, Output, Problem, SensitivityDynamics,
    Solution, Stop,
};
use crate::symbolic::{SymbolId, symbols_of};
use crate::system::{Motion, System, Trigger};
use agenda::{Agenda, What};
use doses::Infusions;
use execute::Triggers;
use functions::Functions;
use guards::{Guards, Sample};
use rustc_hash::FxHashMap;
use schedule::Schedules;
use search::{Probe, first_change, first_crossing};
use storm::Storm;

/// Runs a problem from `initial` over a range of time (start, end), with all that interrupts it.
///
/// `dynamics` are those of the problem's system with its parameters; during the run their
/// parameters and slots are those that hold, so that a monitor can evaluate with them. Results as
/// of [`super::integrate`].
pub fn run(
    problem: &Problem<'_>,
    dynamics: &CompiledDynamics<'_>,
    (start, end): (f64, f64),
    initial: &[f64],
    output: &Output,
    options: &Options,
    monitor: &mut dyn Monitor,
) -> Solution {
    let work = Work {
        system: dynamics,
        shown: problem.system.dimension(),
        start,
        initial,
        end,
        output,
        options,
        walker: None,
    };
    match options.chance {
        Some(chance)
            if problem.system.motion == Motion::Flow && !options.method.counts_reactions() =>
        {
            chance::path(problem, dynamics, &work, chance, monitor)
        }
        _ => drive_with(problem, dynamics, &work, None, monitor),
    }
}

/// Runs a problem whose state vector may carry derivatives: those of `both`.
pub(super) fn drive_with(
    problem: &Problem<'_>,
    dynamics: &CompiledDynamics<'_>,
    work: &Work<'_>,
    both: Option<&SensitivityDynamics<'_>>,
    monitor: &mut dyn Monitor,
) -> Solution {
    // Derivatives of algebraic states are made consistent where derivatives jump.
    let has_constraints = both.is_some() && !problem.system.algebraic.is_empty();
    if is_quiet(problem) && !has_constraints {
        return match problem.system.motion {
            Motion::Flow if work.options.method.counts_reactions() => {
                follow(problem, dynamics, work, &mut (), monitor)
            }
            Motion::Flow => drive(work, &mut (), monitor),
            Motion::Map => iterate(work, &mut (), monitor),
        };
    }
    dynamics.set_inputs(&problem.inputs);
    let range = (work.start, work.end);
    let mut interruptions = Interruptions::new(problem, dynamics, work.options, range);
    if let Output::Event(event) = work.output {
        interruptions.shown = Some(*event);
    }
    interruptions.variation = both.map(|both| {
        let initial = work.initial.get(work.shown..).unwrap_or(&[]);
        Variation::new(problem, dynamics, both, initial)
    });
    match problem.system.motion {
        Motion::Flow if work.options.method.counts_reactions() => {
            follow(problem, dynamics, work, &mut interruptions, monitor)
        }
        Motion::Flow => drive(work, &mut interruptions, monitor),
        Motion::Map => iterate(work, &mut interruptions, monitor),
    }
}

/// Whether nothing can interrupt the run.
fn is_quiet(problem: &Problem<'_>) -> bool {
    let system = problem.system;
    system.slots.is_empty()
        && system.delays.is_empty()
        && problem.rows.is_empty()
        && !problem.events.contains(&true)
        && !problem.doses.contains(&true)
}

/// All that interrupts one run.
pub(super) struct Interruptions<'p> {
    problem: &'p Problem<'p>,
    dynamics: &'p CompiledDynamics<'p>,
    options: &'p Options,
    functions: Functions<'p>,
    clock: Clock,
    /// Start and end of the run.
    range: (f64, f64),
    agenda: Agenda,
    schedules: Schedules,
    guards: Guards,
    triggers: Triggers,
    /// Some event waits for a condition.
    has_conditions: bool,
    /// Some guard that is searched for changes along the solution.
    guards_move: bool,
    /// Every change of the state is a jump: that of a map, and of counted reactions.
    only_jumps: bool,
    infusions: Infusions,
    storm: Storm,
    /// Parameter blocks that do not follow others (any more).
    held: Vec<bool>,
    parameters_changed: bool,
    /// The event whose moments are the rows, and whether it happened since this was last asked.
    shown: Option<usize>,
    has_shown: bool,
    occurrences: Vec<Occurrence>,
    /// A state inside a step.
    inside: Vec<f64>,
    /// Derivatives that ride along, if any.
    variation: Option<Variation<'p>>,
}

impl<'p> Interruptions<'p> {
    pub(super) fn new(
        problem: &'p Problem<'p>,
        dynamics: &'p CompiledDynamics<'p>,
        options: &'p Options,
        (start, end): (f64, f64),
    ) -> Interruptions<'p> {
        let system = problem.system;
        let watched = watched_guards(problem, is_straight(options));
        let functions = Functions::new(problem, dynamics);
        let has_conditions = system.events.iter().enumerate().any(|(event, data)| {
            matches!(data.trigger, Trigger::When { .. }) && problem.events.get(event) == Some(&true)
        });
        let mut held = problem.held.clone();
        held.resize(system.parameters.blocks().len(), false);
        let guards_move = (system.guards.iter().zip(&watched)).any(|(guard, is_watched)| {
            *is_watched && !guard.is_timed && !system.pool.is_zero(guard.rate)
        });
        Interruptions {
            guards: Guards::new(
                system,
                |guard| watched.get(guard) == Some(&true),
                |guard| is_of_time_only(system, guard),
            ),
            triggers: Triggers::new(system.events.len()),
            has_conditions,
            guards_move,
            only_jumps: system.motion == Motion::Map || options.method.counts_reactions(),
            infusions: Infusions::new(system),
            storm: Storm::new(system.events.len(), system.guards.len()),
            clock: Clock::new(start, end),
            range: (start, end),
            agenda: Agenda::default(),
            schedules: Schedules::default(),
            held,
            parameters_changed: false,
            shown: None,
            has_shown: false,
            occurrences: Vec::new(),
            inside: Vec::new(),
            variation: None,
            problem,
            dynamics,
            options,
            functions,
        }
    }

    fn note(&mut self, time: f64, what: Occasion) {
        self.occurrences.push(Occurrence { time, what });
    }

    /// Performs what is due at this time.
    fn perform(&mut self, time: f64, state: &mut [f64]) -> Result<Consequence, Stop> {
        let returns = self.discontinuities_return(time, state);
        let consequence = self.perform_due(time, state)?;
        self.remember(consequence, time, state)?;
        Ok(consequence.max(returns))
    }

    fn perform_due(&mut self, time: f64, state: &mut [f64]) -> Result<Consequence, Stop> {
        let mut consequence = Consequence::Nothing;
        let slack = self.clock.slack(time);
        let entered = self.dynamics.inputs_mut().pass(time + slack);
        self.dynamics.refresh(time, state);
        if entered {
            consequence = Consequence::Equations;
        }
        let landing = entered || self.only_jumps;
        consequence = consequence.max(self.settle(time, state, landing)?);
        let mut batch = Vec::new();
        loop {
            while let Some(entry) = self.agenda.pop(time, self.clock) {
                batch.push(entry);
            }
            if batch.is_empty() {
                break;
            }
            batch.sort_by_key(|entry| entry.what.rank());
            for entry in batch.drain(..) {
                self.open(&entry.shift, time, state);
                let done = self.perform_entry(entry.what, time, state)?;
                consequence = consequence.max(done);
                if done > Consequence::Nothing {
                    consequence = consequence.max(self.settle(time, state, true)?);
                }
                self.close(time, state);
            }
        }
        Ok(consequence.max(self.execute_due(time, state)?))
    }

    fn perform_entry(
        &mut self,
        what: What,
        time: f64,
        state: &mut [f64],
    ) -> Result<Consequence, Stop> {
        match what {
            What::InfusionEnd(number) => Ok(self.end_infusion(number)),
            What::Row { row, count } => self.row(row, count, time, state),
            What::Arrival(delivery) => self.arrive(delivery, time, state),
            What::Dose { dose, count } => self.scheduled_dose(dose, count, time, state),
            What::Event { event, count } => {
                let repetition = self.schedules.events.get(event).copied().flatten();
                let count = count + 1;
                if let Some(next) = repetition.and_then(|repetition| repetition.time(count)) {
                    let shift = self.repetition_shift(Repeated::Event(event), count);
                    let what = What::Event { event, count };
                    self.agenda.push_moving(next, what, shift);
                }
                self.set_off(event, time, state)?;
                Ok(Consequence::Nothing)
            }
            What::Execution { number, .. } => {
                self.has_come(number);
                Ok(Consequence::Nothing)
            }
        }
    }

    /// Takes in the sides on which guards are now, and sets off what waits for them. With
    /// `landing`, something jumped: an equality that holds exactly has come true.
    fn settle(&mut self, time: f64, state: &mut [f64], landing: bool) -> Result<Consequence, Stop> {
        let mut consequence = Consequence::Nothing;
        let mut opened = false;
        // Guards read modes of other guards: one pass for each that another depends on.
        for _ in 0..=self.guards.elements.len() {
            if self.guards.elements.is_empty() {
                break;
            }
            self.guards.sample(&mut self.functions, time, state);
            let mut switched: Vec<usize> = Vec::new();
            let mut has_changed = false;
            let mut first = None;
            self.guards.settle(self.clock, landing, |at, element| {
                has_changed = true;
                first.get_or_insert(at);
                if element.in_drift && switched.last() != Some(&element.guard) {
                    switched.push(element.guard);
                }
            });
            for guard in switched {
                consequence = Consequence::Switch;
                self.storm.switch(guard, time, self.clock)?;
                self.note(time, Occasion::Switch(guard));
            }
            let crossings = self.guards.crossings.first();
            let first = first.or(crossings.map(|(at, _)| *at));
            opened |= self.open_crossing(first.filter(|_| !landing), time, state);
            self.write_modes();
            if !has_changed {
                break;
            }
        }
        self.look_at_triggers(time, state)?;
        if !self.guards.crossings.is_empty() {
            self.guards.crossings.clear();
            self.write_modes();
            self.look_at_triggers(time, state)?;
        }
        if opened {
            self.close(time, state);
        }
        Ok(consequence)
    }

    fn write_modes(&mut self) {
        let range = self.functions.system.slots.modes.clone();
        if let Some(modes) = self.dynamics.slots_mut().get_mut(range) {
            self.guards.write_modes(modes);
        }
    }
}

impl Interrupter for Interruptions<'_> {
    fn prepare(&mut self, time: f64, state: &mut [f64]) -> Result<(), Stop> {
        self.dynamics
            .inputs_mut()
            .pass(time + self.clock.slack(time));
        self.begin_delays(state)?;
        self.dynamics.refresh(time, state);
        if !self.guards.elements.is_empty() {
            // Guards read modes of other guards, and rates follow the drift, which reads them too.
            for _ in 0..=self.functions.system.guards.len() {
                self.guards.sample(&mut self.functions, time, state);
                let has_changed = self.guards.begin(self.clock);
                self.write_modes();
                if !has_changed {
                    break;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, time: f64, state: &mut [f64]) -> Result<Consequence, Stop> {
        self.prepare(time, state)?;
        self.begin_triggers(time, state);
        self.schedule(time, state)?;
        self.perform(time, state)
    }

    fn has_guards(&self) -> bool {
        self.guards.need_search
    }

    fn looks_at_states(&self) -> bool {
        self.has_conditions
    }

    fn moves_with_time(&self) -> bool {
        self.guards.need_search && self.guards_move
    }

    fn next_stop(&mut self, time: f64) -> f64 {
        let _ = time;
        let knot = self.dynamics.inputs_mut().next_knot();
        let crossing = self.guards.next_crossing(self.clock);
        let returns = self.dynamics.with_delayed(|delayed| delayed.next_stop());
        let returns = returns.unwrap_or(f64::INFINITY);
        self.agenda.next_time().min(knot).min(crossing).min(returns)
    }

    fn crossing(
        &mut self,
        stepper: &mut dyn Stepper,
        before: f64,
        until: f64,
    ) -> Result<Option<f64>, StepFailure> {
        if !self.guards.need_search {
            return Ok(None);
        }
        let mut inside = std::mem::take(&mut self.inside);
        inside.resize(stepper.state().len(), 0.0);
        let mut point = Point {
            functions: &mut self.functions,
            stepper,
            state: inside,
        };
        if self.guards.now.time != before {
            point.probe(before, &mut self.guards.now)?;
        }
        let count = self.guards.elements.len();
        let mut last = Sample {
            time: until,
            values: vec![0.0; count],
            rates: vec![0.0; count],
            state: Vec::new(),
        };
        point.probe(until, &mut last)?;
        self.guards.note_rests();
        let found = if is_straight(self.options) {
            first_change(&self.guards, &last, &mut point)
        } else {
            first_crossing(&self.guards, &last, &mut point)
        };
        self.inside = point.state;
        match found? {
            None => {
                self.guards.now = last;
                self.guards.note_departures();
                Ok(None)
            }
            Some(at) => {
                let time = at.time;
                self.guards.now = at;
                self.guards.note_crossings();
                Ok(Some(time))
            }
        }
    }

    fn interrupt(&mut self, time: f64, state: &mut [f64]) -> Result<Consequence, Stop> {
        let located = &self.guards.now;
        if located.time == time && located.state.len() == state.len() {
            state.copy_from_slice(&located.state);
        }
        // Only once: what happens now may change the state.
        self.guards.now.state.clear();
        self.perform(time, state)
    }

    fn accepted(
        &mut self,
        stepper: &mut dyn Stepper,
        before: f64,
        until: f64,
    ) -> Result<(), StepFailure> {
        let remembered = self
            .dynamics
            .with_delayed(|delayed| delayed.accepted(stepper, before, until));
        remembered.unwrap_or(Ok(()))
    }

    fn longest_step(&self) -> f64 {
        let longest = self.dynamics.with_delayed(|delayed| delayed.longest_step());
        longest.unwrap_or(f64::INFINITY)
    }

    fn slot_width(&self) -> usize {
        self.functions.system.slots.len()
    }

    fn row(&mut self, time: f64, state: &[f64], slots: &mut Vec<f64>) {
        self.dynamics.refresh(time, state);
        slots.extend_from_slice(&self.dynamics.slots());
    }

    fn constrained(&mut self, time: f64, state: &mut [f64]) {
        if let Some(variation) = &mut self.variation {
            variation.constrained(time, state);
        }
    }

    fn changed_moving(&mut self) -> Option<Vec<f64>> {
        self.variation.as_mut().and_then(Variation::changed)
    }

    fn changed_parameters(&mut self) -> Option<Vec<f64>> {
        let changed = std::mem::replace(&mut self.parameters_changed, false);
        changed.then(|| self.dynamics.parameters().values().to_vec())
    }

    fn has_shown(&mut self) -> bool {
        std::mem::take(&mut self.has_shown)
    }

    fn take_occurrences(&mut self) -> Vec<Occurrence> {
        std::mem::take(&mut self.occurrences)
    }
}

/// The guards inside the last step of a stepper.
struct Point<'a, 'p> {
    functions: &'a mut Functions<'p>,
    stepper: &'a mut dyn Stepper,
    state: Vec<f64>,
}

impl Probe for Point<'_, '_> {
    fn probe(&mut self, time: f64, sample: &mut Sample) -> Result<(), StepFailure> {
        sample.time = time;
        let (values, rates) = (&mut sample.values, &mut sample.rates);
        if time >= self.stepper.time() {
            sample.state.clear();
            self.functions
                .guards(time, self.stepper.state(), values, rates);
            return Ok(());
        }
        self.stepper.interpolate(time, &mut self.state)?;
        sample.state.clone_from(&self.state);
        self.functions.guards(time, &self.state, values, rates);
        Ok(())
    }
}

/// Whether the run is the path of a diffusion, of which nothing is known between the ends of a
/// step.
fn is_straight(options: &Options) -> bool {
    options.chance.is_some() && !options.method.counts_reactions()
}

/// Which guards something depends on in this run: the drift, or the condition of an event that
/// holds. On a path of a model with noise (`is_path`) the drift looks at the state itself, and only
/// what time alone moves ends a step.
fn watched_guards(problem: &Problem<'_>, is_path: bool) -> Vec<bool> {
    let system = problem.system;
    let guards = system.guards.iter();
    let mut watched: Vec<bool> = guards
        .map(|guard| guard.in_drift && (guard.is_timed || !is_path))
        .collect();
    for (event, data) in system.events.iter().enumerate() {
        let Trigger::When { condition, .. } = data.trigger else {
            continue;
        };
        if problem.events.get(event) != Some(&true) {
            continue;
        }
        let named = symbols_of(&system.pool, condition);
        let modes = system.slots.layout.blocks().iter();
        let modes = modes.filter(|block| system.slots.modes.contains(&block.offset));
        for (watched, block) in watched.iter_mut().zip(modes) {
            *watched |= named.contains(&block.symbol);
        }
    }
    watch_what_is_read(system, &mut watched);
    watched
}

/// Guards that watched ones read are watched too.
fn watch_what_is_read(system: &System, watched: &mut [bool]) {
    let blocks = system.slots.layout.blocks().iter();
    let modes = blocks.filter(|block| system.slots.modes.contains(&block.offset));
    let guard_of: FxHashMap<SymbolId, usize> = modes.map(|block| block.symbol).zip(0..).collect();
    let mut open: Vec<usize> = (0..watched.len()).filter(|at| watched[*at]).collect();
    while let Some(guard) = open.pop() {
        let Some(guard) = system.guards.get(guard) else {
            continue;
        };
        for symbol in symbols_of(&system.pool, guard.expr) {
            if let Some(read) = guard_of.get(&symbol)
                && let Some(is_watched) = watched.get_mut(*read)
                && !*is_watched
            {
                *is_watched = true;
                open.push(*read);
            }
        }
    }
}

/// Whether a guard names the time, and neither states nor slots that move.
fn is_of_time_only(system: &System, guard: usize) -> bool {
    let Some(guard) = system.guards.get(guard) else {
        return false;
    };
    let named = symbols_of(&system.pool, guard.expr);
    let states = system.states.blocks().iter();
    let slots = system.slots.layout.blocks().iter();
    let moving = states.chain(slots.filter(|block| !system.slots.modes.contains(&block.offset)));
    let mut moving = moving;
    named.contains(&system.time) && !moving.any(|block| named.contains(&block.symbol))
}
