//! One fixed point of a map: the one that its iterates go to from where they are.
//!
//! The map is iterated first, in blocks that grow twofold; after each, Newton polishes what was
//! reached on g(x) - x, and a root counts when the iterates have come close to it and it does not
//! repel. Iterates that repeat after a few steps are a cycle, which is said with its period; Newton
//! then looks for a fixed point inside the cycle and near the start, which is handed out as one that
//! the iterates do not go to.

use super::change::Change;
use super::continuation::Motion;
use super::laws::{self, Kept, sizes};
use super::newton::{Equations, Root};
use super::spectrum::{Stability, stability};
use super::steady::{NotFound, Question, Reached, Residual, Restless, SteadyState};
use crate::simulate::{Dynamics, NonFinite, Stop};
use std::collections::VecDeque;

/// A root closer than this to the start, in the sizes of the states, is where the iterates are.
const PRESENT: f64 = 1e-7;
/// Iterates this close to a root, in the sizes of the states, are taken to go there.
const CLOSE: f64 = 1e-3;
/// The first block of iterates.
const FIRST_BLOCK: u64 = 32;
/// Iterates of all blocks together: some hundredths of a second for a small map.
const MOST_STEPS: u64 = 1 << 20;
/// Cycles of a longer period are not told from wandering.
const LONGEST_CYCLE: usize = 64;
/// Iterates that come back this closely, in the sizes of the states, repeat.
const REPEATS: f64 = 1e-9;
/// A deviation of round-off grows to the size of the state by more than this power of e.
const THROWN_OUT: f64 = 50.0;
/// Iterates between two looks at the user's wish to stop.
const BETWEEN_LOOKS: u64 = 1024;

/// Looks for a fixed point of a map; the drift of `question` is the state after a step.
///
/// # Errors
/// [`NotFound`]
pub fn fixed_point(question: &Question<'_>) -> Result<SteadyState, NotFound> {
    let change = Change::new(question.dynamics);
    let kept = laws::kept(
        &change,
        question.time,
        question.state,
        question.tolerances,
        question.laws,
    );
    let search = Search {
        question,
        change: &change,
        equations: Equations {
            dynamics: &change,
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
    change: &'a Change<'a>,
    equations: Equations<'a>,
    kept: &'a [Kept],
}

/// Where the iterates have come to.
struct Way {
    state: Vec<f64>,
    steps: u64,
    /// The last iterates, the present one last.
    recent: VecDeque<Vec<f64>>,
    /// The lowest, the highest and the sum of each state over the last block.
    low: Vec<f64>,
    high: Vec<f64>,
    sum: Vec<f64>,
    block: u64,
}

impl Way {
    /// Takes in the next iterate.
    fn go(&mut self, next: &[f64]) {
        self.state.copy_from_slice(next);
        self.steps += 1;
        self.block += 1;
        let ends = self.low.iter_mut().zip(&mut self.high).zip(&mut self.sum);
        for (((low, high), sum), y) in ends.zip(next) {
            *low = low.min(*y);
            *high = high.max(*y);
            *sum += y;
        }
        let mut oldest = match self.recent.len() {
            0..=RECENT => Vec::new(),
            _ => self.recent.pop_front().unwrap_or_default(),
        };
        oldest.clear();
        oldest.extend_from_slice(next);
        self.recent.push_back(oldest);
    }

    fn begin_block(&mut self) {
        self.low.fill(f64::INFINITY);
        self.high.fill(f64::NEG_INFINITY);
        self.sum.fill(0.0);
        self.block = 0;
    }

    #[expect(clippy::cast_precision_loss, reason = "a count")]
    fn mean(&self) -> Vec<f64> {
        let count = self.block.max(1) as f64;
        self.sum.iter().map(|sum| sum / count).collect()
    }
}

/// Two rounds of the longest cycle.
const RECENT: usize = 2 * LONGEST_CYCLE;

enum Followed {
    Settled(Root),
    Restless(Restless),
}

impl Search<'_> {
    fn run(&self) -> Result<SteadyState, NotFound> {
        let start = self.question.state;
        if let Some(root) = self.equations.solve(start, PRESENT) {
            return Ok(self.found(root, Reached::Present, 0));
        }
        let n = start.len();
        let mut way = Way {
            state: start.to_vec(),
            steps: 0,
            recent: VecDeque::from([start.to_vec()]),
            low: vec![0.0; n],
            high: vec![0.0; n],
            sum: start.to_vec(),
            block: 1,
        };
        let restless = match self.follow(&mut way)? {
            Followed::Settled(root) => {
                #[expect(clippy::cast_precision_loss, reason = "a count")]
                let reached = Reached::After(way.steps as f64);
                return Ok(self.found(root, reached, way.steps));
            }
            Followed::Restless(restless) => restless,
        };
        match self.alone(&way) {
            Some(root) => Ok(self.found(root, Reached::Not(restless), way.steps)),
            None => Err(NotFound::Restless(restless)),
        }
    }

    /// Iterates in growing blocks until the map has come to a root that does not repel.
    fn follow(&self, way: &mut Way) -> Result<Followed, NotFound> {
        let mut block = FIRST_BLOCK;
        while way.steps < MOST_STEPS {
            way.begin_block();
            if let Some(stopped) = self.iterate(way, block)? {
                return Ok(Followed::Restless(stopped));
            }
            if let Some(root) = self.close_root(&way.state, block) {
                return Ok(Followed::Settled(root));
            }
            if let Some(cycle) = self.cycle(way) {
                return Ok(Followed::Restless(cycle));
            }
            block *= 2;
        }
        Ok(Followed::Restless(self.moves(way)))
    }

    /// One block; what ended it before, if anything.
    fn iterate(&self, way: &mut Way, block: u64) -> Result<Option<Restless>, NotFound> {
        let question = self.question;
        let mut next = vec![0.0; way.state.len()];
        for step in 0..block {
            if step % BETWEEN_LOOKS == 0 && (question.interrupted)() {
                return Err(NotFound::Interrupted);
            }
            question
                .dynamics
                .drift(question.time, &way.state, &mut next);
            if let Some(state) = next.iter().position(|y| !y.is_finite()) {
                return Ok(Some(self.stopped(way, state)));
            }
            way.go(&next);
        }
        Ok(None)
    }

    /// The root that the iterates have come to, unless it is one that they only pass.
    fn close_root(&self, state: &[f64], block: u64) -> Option<Root> {
        let root = self.equations.solve(state, 10.0 * CLOSE)?;
        if self.distance(state, &root.state) > CLOSE {
            return None;
        }
        let goes_there = match self.stability(&root).0 {
            // They have stayed although a deviation of round-off would have thrown them out.
            #[expect(clippy::cast_precision_loss, reason = "a count")]
            Stability::Repels(leading) => leading.modulus().ln() * block as f64 > THROWN_OUT,
            _ => true,
        };
        goes_there.then_some(root)
    }

    fn distance(&self, a: &[f64], b: &[f64]) -> f64 {
        let size = sizes(b, self.question.tolerances);
        let pairs = a.iter().zip(b).zip(&size);
        pairs.fold(0.0, |most, ((a, b), size)| most.max(((a - b) / size).abs()))
    }

    /// The shortest period with which the last iterates repeat.
    fn cycle(&self, way: &Way) -> Option<Restless> {
        let recent: Vec<&Vec<f64>> = way.recent.iter().rev().collect();
        let back = |ago: usize| recent.get(ago).map(|state| state.as_slice());
        let period = (1..=LONGEST_CYCLE).find(|period| {
            (0..*period).all(|ago| match (back(ago), back(ago + period)) {
                (Some(now), Some(then)) => self.distance(now, then) <= REPEATS,
                _ => false,
            })
        })?;
        if period == 1 {
            return None;
        }
        let round: Vec<&[f64]> = (0..period).rev().filter_map(back).collect();
        let size = sizes(&way.state, self.question.tolerances);
        let spread = |state: usize| {
            let values = round.iter().filter_map(|point| point.get(state));
            let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
                (low.min(*y), high.max(*y))
            });
            (high - low) / size[state]
        };
        let widest = (0..size.len()).max_by(|a, b| spread(*a).total_cmp(&spread(*b)))?;
        Some(Restless::Cycle {
            state: widest,
            points: round.into_iter().map(<[f64]>::to_vec).collect(),
        })
    }

    /// Newton from the mean of what the iterates did, from where they began, and from where they
    /// are.
    fn alone(&self, way: &Way) -> Option<Root> {
        [&way.mean(), self.question.state, &way.state]
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
        let (stability, class) = self.stability(&root);
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
        let change = self.change_at(state);
        let state = self.largest(state, &change);
        Residual {
            value: change.get(state).map_or(0.0, |f| f.abs()),
            state,
        }
    }

    fn change_at(&self, state: &[f64]) -> Vec<f64> {
        let mut change = vec![0.0; state.len()];
        self.change.drift(self.question.time, state, &mut change);
        change
    }

    /// Which of these numbers is the largest, in the sizes of the states.
    fn largest(&self, state: &[f64], numbers: &[f64]) -> usize {
        let size = sizes(state, self.question.tolerances);
        let ratio = |i: usize| (numbers[i] / size[i]).abs();
        let worst = (0..numbers.len()).max_by(|a, b| ratio(*a).total_cmp(&ratio(*b)));
        worst.unwrap_or(0)
    }

    fn stability(&self, root: &Root) -> (Stability, Option<super::classify::Class>) {
        let question = self.question;
        stability(
            question.dynamics,
            Motion::Map,
            question.time,
            &root.state,
            question.tolerances,
            self.kept,
        )
    }

    fn moves(&self, way: &Way) -> Restless {
        let change = self.change_at(&way.state);
        let state = self.largest(&way.state, &change);
        let of = |numbers: &[f64]| numbers.get(state).copied().unwrap_or(f64::NAN);
        Restless::Moves {
            state,
            #[expect(clippy::cast_precision_loss, reason = "a count")]
            time: way.steps as f64,
            between: (of(&way.low), of(&way.high)),
            value: of(&way.state),
            rate: of(&change),
        }
    }

    /// The next iterate is not finite in this state.
    fn stopped(&self, way: &Way, state: usize) -> Restless {
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let time = way.steps as f64;
        Restless::Stopped {
            stop: Stop::NonFinite {
                time,
                states: vec![state],
                what: NonFinite::State,
                values: way.state.clone(),
            },
            time,
            state,
            value: way.state.get(state).copied().unwrap_or(f64::NAN),
        }
    }
}
