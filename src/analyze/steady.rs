//! One steady state: the one that a system goes to from where it is.
//!
//! Newton's iteration alone may end at any root, also one that the system never reaches. So the
//! equations are integrated first, for stretches that grow fourfold; after each, Newton polishes
//! what was reached, and a root counts when the run has come close to it and it does not repel.
//! A run that keeps swinging, grows or is still moving at the end says so; Newton then looks for a
//! root near the start and near the mean of the swing, which is handed out as one that the system
//! does not go to.

use super::classify::Class;
use super::continuation::Motion;
use super::laws::{self, Kept, Law, sizes};
use super::newton::{Equations, Root};
use super::spectrum::{Stability, stability};
use super::swing;
use crate::simulate::{
    Dynamics, Halt, Monitor, Options, Output, Solution, Statistics, Stop, Tolerances, integrate,
};
use std::ops::ControlFlow;

/// What is asked: where f(y) = 0, starting from a state.
pub struct Question<'a> {
    /// The equations; they do not name the time.
    pub dynamics: &'a dyn Dynamics,
    /// The time that is handed to them.
    pub time: f64,
    /// Where the system is.
    pub state: &'a [f64],
    /// Error allowed on the way; also says how small a change matters.
    pub tolerances: &'a Tolerances,
    /// Sums that the equations are known to keep; others are looked for.
    pub laws: &'a [Law],
    /// One per state: true where a negative value has no meaning.
    pub non_negative: &'a [bool],
    /// False when these equations do not say how the system moves, only where it rests, as with
    /// delays: what they go to is then a guess at where the system goes.
    pub follows: bool,
    /// True when the user wants to stop.
    pub interrupted: &'a dyn Fn() -> bool,
}

/// A steady state.
#[derive(Debug, Clone, PartialEq)]
pub struct SteadyState {
    /// The state at which f vanishes.
    pub state: Vec<f64>,
    /// What is left of f.
    pub residual: Residual,
    /// Whether the system goes there.
    pub reached: Reached,
    /// What nearby states do.
    pub stability: Stability,
    /// The type of the fixed point; `None` where [`Stability::Unknown`] is said.
    pub class: Option<Class>,
    /// Iterations of Newton in the last polish.
    pub iterations: u32,
    /// Sums that were kept: given ones, and ones found in the equations.
    pub kept: (usize, usize),
    /// Steps of the integration before.
    pub steps: u64,
}

/// The largest derivative that is left, in terms of what its own terms amount to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Residual {
    /// |f|
    pub value: f64,
    /// Of which state.
    pub state: usize,
}

/// How the system stands to a steady state.
#[derive(Debug, Clone, PartialEq)]
pub enum Reached {
    /// It starts there.
    Present,
    /// A run came so close in this time, or in this many steps, that the rest is sure.
    After(f64),
    /// It does something else instead.
    Not(Restless),
    /// The way there was not followed.
    Unknown,
}

/// Why a run does not settle.
#[derive(Debug, Clone, PartialEq)]
pub enum Restless {
    /// A state keeps swinging between two values.
    Swings {
        /// The one that swings most for its size.
        state: usize,
        /// Lowest value.
        low: f64,
        /// Highest value.
        high: f64,
        /// Mean time between maxima.
        period: f64,
    },
    /// The iterates of a map repeat.
    Cycle {
        /// The state that swings most for its size.
        state: usize,
        /// The states of one round, in order; as many as the period.
        points: Vec<Vec<f64>>,
    },
    /// The state still moves when patience ends.
    Moves {
        /// The one that moves fastest for its size.
        state: usize,
        /// Time integrated, or steps of a map.
        time: f64,
        /// Its lowest and highest value in the last stretch.
        between: (f64, f64),
        /// Its value at the end.
        value: f64,
        /// Its derivative there, or its change in one step.
        rate: f64,
    },
    /// The run ended before: most often the solution grows without bounds.
    Stopped {
        /// Why, as the run says it.
        stop: Stop,
        /// Time integrated.
        time: f64,
        /// The state that grew most.
        state: usize,
        /// Its value then.
        value: f64,
    },
}

impl Restless {
    /// The state that shows it most.
    #[must_use]
    pub fn state(&self) -> usize {
        match self {
            Restless::Swings { state, .. }
            | Restless::Cycle { state, .. }
            | Restless::Moves { state, .. }
            | Restless::Stopped { state, .. } => *state,
        }
    }
}

/// Nothing was found.
#[derive(Debug, Clone, PartialEq)]
pub enum NotFound {
    /// The run does not settle, and Newton does not end from where it was.
    Restless(Restless),
    /// Newton alone did not end.
    Newton,
    /// The user stopped it.
    Interrupted,
}

/// A root closer than this to the start, in the sizes of the states, is where the system already is.
const PRESENT: f64 = 1e-7;
/// A run this close to a root, in the sizes of the states, is taken to go there.
const CLOSE: f64 = 1e-3;
/// The run is followed for this many times as long as the slowest state that moves at the start
/// needs to change by its size.
const PATIENCE: f64 = 1e12;
/// Stretches of integration, each four times as long as the one before.
const STRETCHES: u32 = 60;
/// Steps of all stretches together: a second or so for a small system.
const MOST_STEPS: u64 = 200_000;

/// Looks for a steady state. See the head of this file.
///
/// # Errors
/// [`NotFound`]
pub fn steady(question: &Question<'_>) -> Result<SteadyState, NotFound> {
    let kept = laws::kept(
        question.dynamics,
        question.time,
        question.state,
        question.tolerances,
        question.laws,
    );
    let search = Search {
        question,
        equations: Equations {
            dynamics: question.dynamics,
            time: question.time,
            tolerances: question.tolerances,
            kept: &kept,
        },
        kept: &kept,
    };
    search.run()
}

struct Search<'a> {
    question: &'a Question<'a>,
    equations: Equations<'a>,
    kept: &'a [Kept],
}

/// How far the integration has come.
struct Way {
    state: Vec<f64>,
    elapsed: f64,
    steps: u64,
    /// Means over the second half of the last stretch.
    mean: Vec<f64>,
}

impl Search<'_> {
    fn run(&self) -> Result<SteadyState, NotFound> {
        let start = self.question.state;
        if let Some(root) = self.equations.solve(start, PRESENT) {
            return Ok(self.found(root, Reached::Present, 0));
        }
        let mut way = Way {
            state: start.to_vec(),
            elapsed: 0.0,
            steps: 0,
            mean: start.to_vec(),
        };
        let followed = self.follow(&mut way)?;
        if !self.question.follows {
            let root = match followed {
                Followed::Settled(root) => Some(root),
                Followed::Restless(_) => self.alone(&way),
            };
            return root
                .map(|root| self.found(root, Reached::Unknown, way.steps))
                .ok_or(NotFound::Newton);
        }
        let restless = match followed {
            Followed::Settled(root) => {
                return Ok(self.found(root, Reached::After(way.elapsed), way.steps));
            }
            Followed::Restless(restless) => restless,
        };
        match self.alone(&way) {
            Some(root) => Ok(self.found(root, Reached::Not(restless), way.steps)),
            None => Err(NotFound::Restless(restless)),
        }
    }

    /// Integrates in growing stretches until the run has come to a root that does not repel.
    fn follow(&self, way: &mut Way) -> Result<Followed, NotFound> {
        let Some((mut stretch, slowest)) = self.time_scales() else {
            let stop = Stop::Invalid(crate::simulate::Invalid::StepSize { value: f64::NAN });
            return Ok(Followed::Restless(self.stopped(way, stop)));
        };
        let mut last = None;
        for _ in 0..STRETCHES {
            let run = self.integrate(way, stretch);
            way.steps += run.statistics.steps;
            if let Some((time, state)) = run.last() {
                way.elapsed += time;
                way.state.copy_from_slice(state);
            }
            way.mean = mean(&run);
            match &run.stop {
                Stop::Finished => {}
                Stop::Interrupted { .. } => return Err(NotFound::Interrupted),
                Stop::TooManySteps { .. } => {
                    let swings = self.swings(&run);
                    return Ok(Followed::Restless(
                        swings.unwrap_or_else(|| self.moves(way, &run)),
                    ));
                }
                stop => return Ok(Followed::Restless(self.stopped(way, stop.clone()))),
            }
            if let Some(root) = self.close_root(&way.state, stretch) {
                return Ok(Followed::Settled(root));
            }
            if let Some(swings) = self.swings(&run) {
                return Ok(Followed::Restless(swings));
            }
            last = Some(run);
            if way.elapsed > PATIENCE * slowest {
                break;
            }
            stretch *= 4.0;
        }
        let moves = last.map(|run| self.moves(way, &run));
        let none = || self.stopped(way, Stop::Finished);
        Ok(Followed::Restless(moves.unwrap_or_else(none)))
    }

    /// The times in which the fastest and the slowest state change by their size, of those that
    /// move at the start. `None` when a derivative is not finite.
    fn time_scales(&self) -> Option<(f64, f64)> {
        let question = self.question;
        let mut drift = vec![0.0; question.state.len()];
        let dynamics = question.dynamics;
        dynamics.drift(question.time, question.state, &mut drift);
        let size = sizes(question.state, question.tolerances);
        let is_algebraic = |i: usize| dynamics.algebraic().get(i).copied().unwrap_or(false);
        if drift.iter().any(|f| !f.is_finite()) {
            return None;
        }
        let pairs = drift.iter().zip(&size).enumerate();
        let times = pairs
            .filter(|(i, (f, _))| !is_algebraic(*i) && **f != 0.0)
            .map(|(_, (f, size))| (size / f).abs())
            .filter(|time| time.is_finite());
        let ends = times.fold((f64::INFINITY, 0.0_f64), |(low, high), time| {
            (low.min(time), high.max(time))
        });
        // Nothing moves at first sight: what does is found on the way.
        Some(if ends.0 <= ends.1 { ends } else { (1.0, 1.0) })
    }

    fn integrate(&self, way: &Way, stretch: f64) -> Solution {
        let question = self.question;
        let mut options = Options::new(question.tolerances.clone());
        options.max_steps = MOST_STEPS.saturating_sub(way.steps).max(1);
        let output = Output::Steps { interior: 3 };
        let mut watch = Watch(question.interrupted);
        // The equations do not name the time: each stretch has a clock of its own.
        integrate(
            question.dynamics,
            0.0,
            &way.state,
            stretch,
            &output,
            &options,
            &mut watch,
        )
    }

    /// The root that a run has come to, unless it is one that it only passes.
    fn close_root(&self, state: &[f64], stretch: f64) -> Option<Root> {
        let root = self.equations.solve(state, 10.0 * CLOSE)?;
        let distance = self.distance(state, &root.state);
        let goes_there = match self.stability(&root).0 {
            Stability::Repels(leading) => {
                // It has stayed although a disturbance of round-off would have thrown it out.
                distance <= CLOSE && leading.real * stretch > 50.0
            }
            _ => distance <= CLOSE,
        };
        goes_there.then_some(root)
    }

    fn distance(&self, state: &[f64], root: &[f64]) -> f64 {
        let size = sizes(root, self.question.tolerances);
        let pairs = state.iter().zip(root).zip(&size);
        pairs.fold(0.0, |most, ((y, root), size)| {
            most.max(((y - root) / size).abs())
        })
    }

    /// Newton from where the system is, from where it went, and from the mean of what it did.
    fn alone(&self, way: &Way) -> Option<Root> {
        [self.question.state, &way.mean, &way.state]
            .into_iter()
            .filter_map(|start| self.equations.solve(start, f64::INFINITY))
            .find(|root| self.makes_sense(&root.state))
    }

    fn makes_sense(&self, root: &[f64]) -> bool {
        let size = sizes(self.question.state, self.question.tolerances);
        let bounded = self.question.non_negative.iter();
        let mut pairs = root.iter().zip(&size).zip(bounded);
        pairs.all(|((y, size), non_negative)| !non_negative || *y >= -1e-9 * size)
    }

    fn found(&self, root: Root, reached: Reached, steps: u64) -> SteadyState {
        let given = self.question.laws;
        let known = |kept: &&Kept| given.contains(&kept.law);
        let known = self.kept.iter().filter(known).count();
        let (stability, class) = if self.question.follows {
            self.stability(&root)
        } else {
            (Stability::Unknown, None)
        };
        SteadyState {
            residual: self.residual(&root.state),
            stability,
            class,
            reached,
            iterations: root.iterations,
            kept: (known, self.kept.len() - known),
            steps,
            state: root.state,
        }
    }

    fn residual(&self, state: &[f64]) -> Residual {
        let mut drift = vec![0.0; state.len()];
        let question = self.question;
        question.dynamics.drift(question.time, state, &mut drift);
        let size = sizes(state, question.tolerances);
        let ratio = |i: usize| (drift[i] / size[i]).abs();
        let worst = (0..drift.len()).max_by(|a, b| ratio(*a).total_cmp(&ratio(*b)));
        let state = worst.unwrap_or(0);
        Residual {
            value: drift.get(state).map_or(0.0, |f| f.abs()),
            state,
        }
    }

    fn stability(&self, root: &Root) -> (Stability, Option<Class>) {
        let question = self.question;
        stability(
            question.dynamics,
            Motion::Flow,
            question.time,
            &root.state,
            question.tolerances,
            self.kept,
        )
    }

    // ---- what a run does instead ----

    /// The widest lasting swing, if any state has one.
    fn swings(&self, run: &Solution) -> Option<Restless> {
        let mut widest: Option<(f64, Restless)> = None;
        for state in 0..run.dimension {
            let values: Vec<f64> = column(run, state).collect();
            let size = values.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
            let noise = self.noise(size, state);
            let Some(swing) = swing::lasting(&run.times, &values, noise) else {
                continue;
            };
            let ratio = (swing.high - swing.low) / size;
            if widest.as_ref().is_none_or(|(known, _)| ratio > *known) {
                let found = Restless::Swings {
                    state,
                    low: swing.low,
                    high: swing.high,
                    period: swing.period,
                };
                widest = Some((ratio, found));
            }
        }
        widest.map(|(_, found)| found)
    }

    /// What the errors of steps may add up to.
    fn noise(&self, size: f64, state: usize) -> f64 {
        let tolerances = self.question.tolerances;
        let absolute = tolerances.absolute.get(state).copied().unwrap_or(0.0);
        1e3 * (tolerances.relative * size + absolute)
    }

    fn moves(&self, way: &Way, run: &Solution) -> Restless {
        let question = self.question;
        let mut drift = vec![0.0; way.state.len()];
        let dynamics = question.dynamics;
        dynamics.drift(question.time, &way.state, &mut drift);
        let size = sizes(&way.state, question.tolerances);
        let is_algebraic = |i: usize| dynamics.algebraic().get(i).copied().unwrap_or(false);
        let ratio = |i: usize| (drift[i] / size[i]).abs();
        let state = (0..drift.len())
            .filter(|i| !is_algebraic(*i))
            .max_by(|a, b| ratio(*a).total_cmp(&ratio(*b)))
            .unwrap_or(0);
        let half = run.times.len() / 2;
        let late = column(run, state).skip(half);
        Restless::Moves {
            state,
            time: way.elapsed,
            between: late.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
                (low.min(y), high.max(y))
            }),
            value: way.state.get(state).copied().unwrap_or(f64::NAN),
            rate: drift.get(state).copied().unwrap_or(f64::NAN),
        }
    }

    fn stopped(&self, way: &Way, stop: Stop) -> Restless {
        let size = sizes(self.question.state, self.question.tolerances);
        let ratio = |i: usize| (way.state[i] / size[i]).abs();
        let state = (0..size.len())
            .max_by(|a, b| ratio(*a).total_cmp(&ratio(*b)))
            .unwrap_or(0);
        Restless::Stopped {
            stop,
            time: way.elapsed,
            state,
            value: way.state.get(state).copied().unwrap_or(f64::NAN),
        }
    }
}

enum Followed {
    Settled(Root),
    Restless(Restless),
}

/// One state over the rows of a run.
fn column(run: &Solution, state: usize) -> impl Iterator<Item = f64> + '_ {
    let rows = run.states.iter().skip(state);
    rows.step_by(run.dimension.max(1)).copied()
}

/// The mean of each state over the second half of a run, by the trapezoidal rule.
fn mean(run: &Solution) -> Vec<f64> {
    let n = run.dimension;
    let half = run.times.last().map_or(0.0, |end| end / 2.0);
    let mut sums = vec![0.0; n];
    let mut length = 0.0;
    for (row, times) in run.times.windows(2).enumerate() {
        let ([from, to], Some(before), Some(after)) = (times, run.row(row), run.row(row + 1))
        else {
            continue;
        };
        if *from < half {
            continue;
        }
        length += to - from;
        for ((sum, a), b) in sums.iter_mut().zip(before).zip(after) {
            *sum += (to - from) * a.midpoint(*b);
        }
    }
    if length > 0.0 {
        sums.iter_mut().for_each(|sum| *sum /= length);
        return sums;
    }
    run.last().map_or(sums, |(_, state)| state.to_vec())
}

/// Stops a run when the user wants to.
struct Watch<'a>(&'a dyn Fn() -> bool);

impl Monitor for Watch<'_> {
    fn step(&mut self, _: f64, _: &[f64], _: &Statistics) -> ControlFlow<Halt> {
        if (self.0)() {
            return ControlFlow::Break(Halt::Interrupt);
        }
        ControlFlow::Continue(())
    }
}
