//! Tsitouras' pair on many members at once.
//!
//! In: members. Out: a [`MemberBlock`]. Every lane has a time, a step and a controller of its own,
//! by the rules of the scalar stepper ([`crate::simulate::tsit5`]); what is seldom goes lane by lane:
//! rows, ends, looks at the stages. A lane whose member has ended takes the next one,
//! so that no lane waits while there is work. The start of a member and looks at its Jacobian are
//! scalar.

use super::control::{Control, Lane, Limits};
use super::{Member, MemberBlock, MemberEnd, MemberRun, SideBySide};
use crate::kernel::lanes::SeparateScratch;
use crate::kernel::lanes::arithmetic::{
    ErrorScale, WeightedSum, add_scaled, get, set, squared_errors, take_over,
};
use crate::kernel::lanes::level::Level;
use crate::kernel::lanes::{Chunk, LANES};
use crate::linalg::length::Any;
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
        busy: 0,
        events: Vec::new(),
        vectors: std::array::from_fn(|_| vec![0.0; problem.width()]),
    };
    block.lanes = (0..LANES * chunks).map(|_| None).collect();
    for lane in 0..block.lanes.len() {
        block.take_next(lane);
    }
    while block.busy > 0 && !interrupted() {
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
    /// The time of a stage.
    now: Vec<Chunk>,
    control: Control,
}

impl States {
    fn new(problem: &SideBySide<'_>, chunks: usize) -> States {
        let vector = || vec![Chunk::splat(0.0); problem.width() * chunks];
        let options = problem.options;
        #[expect(clippy::cast_precision_loss, reason = "a cap")]
        let limits = Limits {
            rule: RULE,
            range: problem.range,
            max_step: options.max_step.unwrap_or(f64::INFINITY),
            max_steps: options.max_steps as f64,
        };
        States {
            chunks,
            level: Level::detect(),
            scale: Weights::new(&problem.options.tolerances).in_lanes(),
            scratch: problem.drift.scratch(chunks),
            from: vector(),
            to: vector(),
            inner: vector(),
            stages: std::array::from_fn(|_| vector()),
            now: vec![Chunk::splat(0.0); chunks],
            control: Control::new(limits, chunks),
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
            &self.control.step,
            &A7,
            &self.stages,
        );
        let last = &mut self.stages[6];
        problem
            .drift
            .call(&self.control.end, &self.to, &[], last, &mut self.scratch);
        let Control { errors, step, .. } = &mut self.control;
        squared_errors(
            self.level,
            errors,
            &self.from,
            &self.to,
            step,
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
        add_scaled(
            self.level,
            inner,
            from,
            &self.control.step,
            weights,
            &self.stages,
        );
        let now = match node {
            Some(node) => {
                let Control { time, step, .. } = &self.control;
                let moments = self.now.iter_mut().zip(time).zip(step);
                for ((now, time), step) in moments {
                    now.0 = std::array::from_fn(|lane| time.0[lane] + node * step.0[lane]);
                }
                &self.now
            }
            None => &self.control.end,
        };
        let stage = &mut self.stages[AT];
        problem
            .drift
            .call(now, &self.inner, &[], stage, &mut self.scratch);
    }

    /// What the steps accepted have reached is where the next ones begin.
    fn accept(&mut self) {
        let accepted = &self.control.accepted;
        take_over(self.level, &mut self.from, &self.to, accepted);
        let [first, .., last] = &mut self.stages;
        take_over(self.level, first, last, accepted);
    }
}

/// A member on its way.
struct OnItsWay {
    member: usize,
    supervisor: Supervisor,
    rows: usize,
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
    lanes: Vec<Option<OnItsWay>>,
    /// Lanes with a member.
    busy: usize,
    /// Room for the lanes in which something is to be looked at.
    events: Vec<usize>,
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
                    self.lanes[lane] = Some(begun);
                    self.busy += 1;
                    return;
                }
                Err(end) => self.done.runs[at].end = end,
            }
        }
        self.states.control.clear(lane);
    }

    /// A member's first derivative and step.
    fn begin(&mut self, lane: usize, at: usize, member: &Member) -> Result<OnItsWay, MemberEnd> {
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
        let mut begun = OnItsWay {
            member: at,
            supervisor,
            rows: 0,
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
        let (look_in, next_row) = (begun.supervisor.until_look(), self.row_after(begun.rows));
        let control = &mut self.states.control;
        control.begin(lane, step, look_in, next_row);
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

    /// The time at which a row is shown; infinite after the last.
    fn row_after(&self, rows: usize) -> f64 {
        self.problem
            .times
            .get(rows)
            .copied()
            .unwrap_or(f64::INFINITY)
    }

    /// An attempt at a step in every lane.
    fn step(&mut self) {
        self.states.control.attempt();
        self.states.attempt(self.problem);
        self.states.control.judge();
        // Members that end are replaced once the others have moved on.
        let mut events = std::mem::take(&mut self.events);
        self.states.control.events(&mut events);
        let mut ended = Vec::new();
        for at in events.drain(..) {
            let Some(mut lane) = self.lanes[at].take() else {
                continue;
            };
            let reached = self.states.control.come_to(at);
            match self.look_at(at, &mut lane, &reached) {
                None => self.lanes[at] = Some(lane),
                Some(end) => {
                    self.done.runs[lane.member] = MemberRun {
                        rows: lane.rows,
                        end,
                        statistics: Statistics {
                            steps: reached.steps,
                            rejected: reached.rejected,
                            evaluations: 2 + 6 * (reached.steps + reached.rejected),
                            ..Statistics::default()
                        },
                    };
                    ended.push(at);
                }
            }
        }
        self.events = events;
        self.states.accept();
        for at in ended {
            self.busy -= 1;
            self.take_next(at);
        }
    }

    /// Looks at a lane that has come to something; how its member ended, if it did.
    fn look_at(&mut self, at: usize, lane: &mut OnItsWay, reached: &Lane) -> Option<MemberEnd> {
        let time = reached.time;
        if !reached.accepted {
            return Some(if reached.error.is_finite() {
                MemberEnd::StepTooSmall { time }
            } else {
                MemberEnd::NotFinite { time }
            });
        }
        self.show(at, lane, reached);
        let (start, end) = self.problem.range;
        if reached.last {
            return Some(MemberEnd::Finished);
        }
        if reached.steps >= self.problem.options.max_steps {
            return Some(MemberEnd::TooManySteps { time });
        }
        if reached.step < shortest_step(time, end - start) {
            return Some(MemberEnd::StepTooSmall { time });
        }
        if reached.is_due && self.is_stiff(at, lane, reached) {
            return Some(MemberEnd::Stiff { time });
        }
        let (look_in, next_row) = (lane.supervisor.until_look(), self.row_after(lane.rows));
        let control = &mut self.states.control;
        control.show_next(at, next_row);
        if reached.is_due {
            control.look_again(at, look_in);
        }
        None
    }

    /// Rows at output times up to the end of an accepted step.
    fn show(&mut self, at: usize, lane: &mut OnItsWay, to: &Lane) {
        let (n, chunks) = (self.problem.width(), self.states.chunks);
        let rows = self.rows_of(lane.member);
        let (reached, step) = (to.time, to.step);
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
    fn is_stiff(&mut self, at: usize, lane: &mut OnItsWay, reached: &Lane) -> bool {
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
        let felt = (distance > 0.0).then(|| reached.step * (change / distance).sqrt());
        self.hold(&self.members[lane.member]);
        let to = &self.vectors[1];
        let (time, steps) = (reached.time, reached.steps);
        let supervisor = &mut lane.supervisor;
        supervisor.pass_to_look();
        let verdict = supervisor.look_at_stages(self.watched, time, to, felt, steps);
        !matches!(verdict, Verdict::Go)
    }
}
