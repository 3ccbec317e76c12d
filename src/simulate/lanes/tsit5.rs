//! Tsitouras' pair on many members at once.
//!
//! In: members. Out: a [`MemberBlock`]. Every lane has a time, a step and a controller of its own,
//! by the rules of the scalar stepper ([`crate::simulate::tsit5`], [`Controller`]); only the
//! arithmetic of the attempts goes side by side. A lane whose member has ended takes the next one,
//! so that no lane waits while there is work. The start of a member and looks at its Jacobian are
//! scalar.

use super::{Member, MemberBlock, MemberEnd, MemberRun, SideBySide};
use crate::kernel::lanes::SeparateScratch;
use crate::kernel::lanes::arithmetic::{
    ErrorScale, WeightedSum, add_scaled, get, set, squared_errors, take_over,
};
use crate::kernel::lanes::level::Level;
use crate::kernel::lanes::{Chunk, LANES};
use crate::linalg::length::Any;
use crate::simulate::controller::{Attempt, Controller};
use crate::simulate::step_size::initial_step;
use crate::simulate::stepper::{Watched, all_finite, shortest_step};
use crate::simulate::stiffness::{Supervisor, Verdict};
use crate::simulate::tsit5::{A2, A3, A4, A5, A6, A7, ERROR, INTERPOLANT, NODES, RULE};
use crate::simulate::weights::Weights;
use crate::simulate::{CompiledDynamics, Statistics};

/// The order that the length of the first step is for.
const ORDER: u32 = 5;

/// Runs the members in so many chunks of lanes.
pub(super) fn run(
    problem: &SideBySide<'_>,
    members: &[Member],
    chunks: usize,
    interrupted: &(dyn Fn() -> bool + Sync),
) -> MemberBlock {
    let parameters = members.first().map(|member| member.parameters.clone());
    let parameters = parameters.unwrap_or_default();
    let dynamics = CompiledDynamics::new(problem.system, problem.kernels, parameters);
    let watched = Watched::new(&dynamics);
    let mut block = Block {
        problem,
        members,
        dynamics: &dynamics,
        watched: &watched,
        weights: Weights::new(&problem.options.tolerances),
        next: 0,
        done: MemberBlock {
            values: vec![f64::NAN; members.len() * problem.times.len() * problem.width()],
            runs: vec![UNTOUCHED; members.len()],
        },
        states: States::new(problem, chunks),
        lanes: Vec::new(),
        vectors: std::array::from_fn(|_| vec![0.0; problem.width()]),
    };
    block.lanes = (0..LANES * chunks).map(|_| None).collect();
    for lane in 0..block.lanes.len() {
        block.take_next(lane);
    }
    while block.lanes.iter().any(Option::is_some) && !interrupted() {
        block.step();
    }
    block.done
}

/// A member that was not begun.
const UNTOUCHED: MemberRun = MemberRun {
    rows: 0,
    end: MemberEnd::Interrupted,
    statistics: Statistics {
        steps: 0,
        rejected: 0,
        evaluations: 0,
        jacobians: 0,
        factorisations: 0,
        clamped: 0,
    },
};

/// The numbers of all lanes.
struct States {
    chunks: usize,
    level: Level,
    scale: ErrorScale,
    scratch: SeparateScratch,
    /// State before the attempt, state reached, and the argument of a stage.
    from: Vec<Chunk>,
    to: Vec<Chunk>,
    inner: Vec<Chunk>,
    /// Derivatives at the stages.
    stages: [Vec<Chunk>; 7],
    /// Time before the attempt, its length and its end.
    time: Vec<Chunk>,
    step: Vec<Chunk>,
    end: Vec<Chunk>,
    /// The time of a stage.
    now: Vec<Chunk>,
    errors: Vec<Chunk>,
    /// 1 where the attempt was accepted.
    accepted: Vec<Chunk>,
}

impl States {
    fn new(problem: &SideBySide<'_>, chunks: usize) -> States {
        let one = || vec![Chunk::splat(0.0); chunks];
        let vector = || vec![Chunk::splat(0.0); problem.width() * chunks];
        States {
            chunks,
            level: Level::detect(),
            scale: Weights::new(&problem.options.tolerances).in_lanes(),
            scratch: problem.drift.scratch(chunks),
            from: vector(),
            to: vector(),
            inner: vector(),
            stages: std::array::from_fn(|_| vector()),
            time: one(),
            step: one(),
            end: one(),
            now: one(),
            errors: one(),
            accepted: one(),
        }
    }

    /// Stages, state reached and squared errors of an attempt in every lane.
    fn attempt(&mut self, problem: &SideBySide<'_>) {
        let [c2, c3, c4, c5] = NODES;
        self.stage::<1>(problem, &A2, Some(c2));
        self.stage::<2>(problem, &A3, Some(c3));
        self.stage::<3>(problem, &A4, Some(c4));
        self.stage::<4>(problem, &A5, Some(c5));
        self.stage::<5>(problem, &A6, None);
        add_scaled(
            self.level,
            &mut self.to,
            &self.from,
            &self.step,
            &A7,
            &self.stages,
        );
        let last = &mut self.stages[6];
        problem
            .drift
            .call(&self.end, &self.to, &[], last, &mut self.scratch);
        squared_errors(
            self.level,
            &mut self.errors,
            &self.from,
            &self.to,
            &self.step,
            WeightedSum {
                weights: &ERROR,
                vectors: &self.stages,
            },
            &self.scale,
        );
    }

    /// The derivative at stage `AT`, at this share of the step or at its end.
    fn stage<const AT: usize>(
        &mut self,
        problem: &SideBySide<'_>,
        weights: &[f64; AT],
        node: Option<f64>,
    ) {
        let (inner, from) = (&mut self.inner, &self.from);
        add_scaled(self.level, inner, from, &self.step, weights, &self.stages);
        let now = match node {
            Some(node) => {
                let moments = self.now.iter_mut().zip(&self.time).zip(&self.step);
                for ((now, time), step) in moments {
                    now.0 = std::array::from_fn(|lane| time.0[lane] + node * step.0[lane]);
                }
                &self.now
            }
            None => &self.end,
        };
        let stage = &mut self.stages[AT];
        problem
            .drift
            .call(now, &self.inner, &[], stage, &mut self.scratch);
    }

    /// What the steps accepted have reached is where the next ones begin.
    fn accept(&mut self) {
        take_over(self.level, &mut self.from, &self.to, &self.accepted);
        let [first, .., last] = &mut self.stages;
        take_over(self.level, first, last, &self.accepted);
    }
}

/// A member on its way.
struct Lane {
    member: usize,
    control: Controller,
    attempt: Attempt,
    supervisor: Supervisor,
    rows: usize,
    statistics: Statistics,
}

struct Block<'b> {
    problem: &'b SideBySide<'b>,
    members: &'b [Member],
    dynamics: &'b CompiledDynamics<'b>,
    watched: &'b Watched<'b>,
    weights: Weights,
    /// The first member that was not begun.
    next: usize,
    done: MemberBlock,
    states: States,
    /// Boxed: they are taken out and put back at every attempt.
    lanes: Vec<Option<Box<Lane>>>,
    /// Room for a look at one lane.
    vectors: [Vec<f64>; 5],
}

impl Block<'_> {
    /// Fills a free lane, as long as there are members.
    fn take_next(&mut self, lane: usize) {
        while let Some(member) = self.members.get(self.next) {
            let at = self.next;
            self.next += 1;
            match self.begin(lane, at, member) {
                Ok(begun) => {
                    self.lanes[lane] = Some(Box::new(begun));
                    return;
                }
                Err(end) => self.done.runs[at].end = end,
            }
        }
        // Nothing moves in an empty lane.
        let chunks = self.states.chunks;
        set(&mut self.states.step, chunks, lane, 0, 0.0);
        set(&mut self.states.accepted, chunks, lane, 0, 0.0);
    }

    /// A member's first derivative and step.
    fn begin(&mut self, lane: usize, at: usize, member: &Member) -> Result<Lane, MemberEnd> {
        let (start, end) = self.problem.range;
        let options = self.problem.options;
        let n = self.problem.width();
        let state = &member.initial[..n];
        self.hold(member);
        if !all_finite(state) {
            return Err(MemberEnd::NotFinite { time: start });
        }
        let mut derivative = vec![0.0; n];
        self.watched.drift(start, state, &mut derivative);
        if !all_finite(&derivative) {
            return Err(MemberEnd::NotFinite { time: start });
        }
        let mut supervisor = Supervisor::new(options, end);
        if supervisor.starts_stiff(self.watched, start, state) {
            return Err(MemberEnd::Stiff { time: start });
        }
        supervisor.take_up(crate::simulate::Method::Tsit5, start);
        let max_step = options.max_step.unwrap_or(f64::INFINITY);
        let longest = max_step.min(end - start);
        let step = match options.initial_step {
            Some(step) => step.min(longest),
            None => initial_step(
                self.watched,
                start,
                state,
                &derivative,
                ORDER,
                longest,
                &options.tolerances,
            ),
        };
        let states = &mut self.states;
        let chunks = states.chunks;
        for i in 0..n {
            set(&mut states.from, chunks, lane, i, state[i]);
            set(&mut states.stages[0], chunks, lane, i, derivative[i]);
        }
        let drift = &self.problem.drift;
        drift.set_parameters(lane, &member.parameters, &mut states.scratch);
        let control = Controller::new(RULE, start, step, end, max_step);
        let mut begun = Lane {
            member: at,
            attempt: control.attempt(),
            control,
            supervisor,
            rows: 0,
            statistics: Statistics {
                evaluations: 2,
                ..Statistics::default()
            },
        };
        let rows = self.rows_of(at);
        while self.problem.times.get(begun.rows) == Some(&start) {
            self.done.values[rows..][begun.rows * n..][..n].copy_from_slice(state);
            begun.rows += 1;
        }
        self.done.runs[at] = MemberRun {
            rows: begun.rows,
            ..UNTOUCHED
        };
        Ok(begun)
    }

    /// Where the rows of a member begin.
    fn rows_of(&self, member: usize) -> usize {
        member * self.problem.times.len() * self.problem.width()
    }

    /// Gives the scalar dynamics the parameters of a member.
    fn hold(&self, member: &Member) {
        self.dynamics.update_parameters(|values| {
            let given = &member.parameters[..values.len()];
            values.copy_from_slice(given);
        });
    }

    /// An attempt at a step in every lane.
    fn step(&mut self) {
        let chunks = self.states.chunks;
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            let Some(lane) = lane else { continue };
            lane.attempt = lane.control.attempt();
            set(&mut self.states.time, chunks, at, 0, lane.control.time);
            set(&mut self.states.step, chunks, at, 0, lane.attempt.step);
            set(&mut self.states.end, chunks, at, 0, lane.attempt.end);
        }
        self.states.attempt(self.problem);
        // Members that end are replaced once the others have moved on.
        let mut ended = Vec::new();
        for at in 0..self.lanes.len() {
            let Some(mut lane) = self.lanes[at].take() else {
                continue;
            };
            match self.judge(at, &mut lane) {
                None => self.lanes[at] = Some(lane),
                Some(end) => {
                    self.done.runs[lane.member] = MemberRun {
                        rows: lane.rows,
                        end,
                        statistics: lane.statistics,
                    };
                    ended.push(at);
                }
            }
        }
        self.states.accept();
        for at in ended {
            self.take_next(at);
        }
    }

    /// Takes in the attempt of a lane; how its member ended, if it did.
    fn judge(&mut self, at: usize, lane: &mut Lane) -> Option<MemberEnd> {
        let chunks = self.states.chunks;
        let before = lane.control.time;
        let error = get(&self.states.errors, chunks, at, 0);
        lane.statistics.evaluations += 6;
        let accepted = lane.control.judge(&lane.attempt, error);
        let moved = f64::from(u8::from(accepted == Ok(true)));
        set(&mut self.states.accepted, chunks, at, 0, moved);
        match accepted {
            Ok(true) => lane.statistics.steps += 1,
            Ok(false) => {
                lane.statistics.rejected += 1;
                return None;
            }
            Err(_) => {
                lane.statistics.rejected += 1;
                return Some(if error.is_finite() {
                    MemberEnd::StepTooSmall { time: before }
                } else {
                    MemberEnd::NotFinite { time: before }
                });
            }
        }
        self.show(at, lane);
        let (start, end) = self.problem.range;
        let time = lane.control.time;
        if lane.attempt.last {
            return Some(MemberEnd::Finished);
        }
        if lane.statistics.steps >= self.problem.options.max_steps {
            return Some(MemberEnd::TooManySteps { time });
        }
        if lane.attempt.step < shortest_step(time, end - start) {
            return Some(MemberEnd::StepTooSmall { time });
        }
        if lane.supervisor.is_due() && self.is_stiff(at, lane) {
            return Some(MemberEnd::Stiff { time });
        }
        None
    }

    /// Rows at output times up to the end of an accepted step.
    fn show(&mut self, at: usize, lane: &mut Lane) {
        let (n, chunks) = (self.problem.width(), self.states.chunks);
        let rows = self.rows_of(lane.member);
        let (reached, step) = (lane.control.time, lane.attempt.step);
        while let Some(&time) = self.problem.times.get(lane.rows)
            && time <= reached
        {
            let states = &self.states;
            let row = &mut self.done.values[rows..][lane.rows * n..][..n];
            if time >= reached {
                for (i, value) in row.iter_mut().enumerate() {
                    *value = get(&states.to, chunks, at, i);
                }
            } else {
                // As the scalar stepper reckons it.
                let theta = (time - (reached - step)) / step;
                let weights = INTERPOLANT
                    .map(|[a, b, c, d]| theta * (a + theta * (b + theta * (c + theta * d))));
                for (i, value) in row.iter_mut().enumerate() {
                    let terms = weights.iter().zip(&states.stages);
                    *value = terms
                        .fold(get(&states.from, chunks, at, i), |sum, (weight, stage)| {
                            sum + step * weight * get(stage, chunks, at, i)
                        });
                }
            }
            lane.rows += 1;
        }
    }

    /// What the last two stages felt, and what the Jacobian says if they felt much.
    fn is_stiff(&mut self, at: usize, lane: &mut Lane) -> bool {
        let n = self.problem.width();
        let states = &self.states;
        let [.., sixth, last] = &states.stages;
        let all = [&states.from, &states.to, &states.inner, sixth, last];
        for (vector, lanes) in self.vectors.iter_mut().zip(all) {
            for (i, value) in vector.iter_mut().enumerate() {
                *value = get(lanes, states.chunks, at, i);
            }
        }
        let [from, to, inner, k6, k7] = &self.vectors;
        let norm = |difference: &dyn Fn(usize) -> f64| {
            self.weights.squared_norm(Any(n), from, to, difference)
        };
        let change = norm(&|j| k7[j] - k6[j]);
        let distance = norm(&|j| to[j] - inner[j]);
        let felt = (distance > 0.0).then(|| lane.attempt.step * (change / distance).sqrt());
        self.hold(&self.members[lane.member]);
        let to = &self.vectors[1];
        let (time, steps) = (lane.control.time, lane.statistics.steps);
        let supervisor = &mut lane.supervisor;
        let verdict = supervisor.look_at_stages(self.watched, time, to, felt, steps);
        !matches!(verdict, Verdict::Go)
    }
}
