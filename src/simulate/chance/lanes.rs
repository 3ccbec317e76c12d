//! Many paths side by side, by steps of fixed length.
//!
//! In: what [`SinglePaths`] makes one by one, where nothing interrupts a path. Out: the same paths,
//! many at once: the same steps with the same random numbers. A path that meets a value that is
//! not finite is made again by itself, which tells where and why. Must not know names.

use super::diffusion::{Piece, chosen, is_reached, kind, next_end, suits};
use super::exact_steps::{self, ExactSteps};
use super::{Block, PathEnd, Paths, SinglePaths};
use crate::kernel::Parameters;
use crate::kernel::lanes::arithmetic::get;
use crate::kernel::lanes::{Chunk, LANES, LaneStreams, SharedLanes, SharedScratch};
use crate::simulate::stepper::all_finite;
use crate::simulate::{Chance, LinearSolver, Method, MethodUse, Statistics, Stop};
use std::ops::Range;
use std::sync::Arc;

/// Paths made in lanes.
#[derive(Debug)]
pub struct LanePaths<'p> {
    single: SinglePaths<'p>,
    next: SharedLanes,
    /// Normal numbers of a step.
    normals: usize,
    chance: Chance,
    longest: f64,
    /// Of the exact transition; others take the length of the step behind the parameters.
    exact: Option<ExactSteps>,
    /// Steps of a whole path.
    steps: u64,
    used: MethodUse,
}

impl<'p> LanePaths<'p> {
    /// `None` for paths that are made one by one only: anything that interrupts a path or moves
    /// with its time (events, conditions, doses, inputs, delays, assertions), constraints, methods
    /// whose steps are not one function of the state; arguments that no path can be made with too.
    #[must_use]
    pub fn new(single: SinglePaths<'p>) -> Option<LanePaths<'p>> {
        let (problem, options) = (single.problem, single.options);
        let chance = options.chance?;
        let (start, end) = single.range;
        let served = problem.system.is_undisturbed()
            && problem.system.noise.is_some()
            && problem.rows.is_empty()
            && start.is_finite()
            && end.is_finite()
            && start < end
            && single.times.is_sorted()
            && (single.times.iter()).all(|time| (start..=end).contains(time))
            && single.initial.len() == problem.system.dimension()
            && all_finite(single.initial)
            && chance.step.is_none_or(|step| step > 0.0)
            && options.max_step.is_none_or(|step| step > 0.0);
        if !served {
            return None;
        }
        let (pace, method, why) = chosen(
            problem,
            single.range,
            single.initial,
            options.method,
            chance,
        );
        let has_even_steps = matches!(
            method,
            Method::EulerMaruyama
                | Method::Langevin
                | Method::Milstein
                | Method::Sra1
                | Method::ExactTransition
        );
        if !has_even_steps {
            return None;
        }
        suits(method, problem).ok()?;
        let asked = options.max_step.unwrap_or(f64::INFINITY);
        let (program, normals, longest) = if method == Method::ExactTransition {
            let n = problem.system.dimension();
            (exact_steps::program(n)?, n, asked)
        } else {
            let scheme = problem.kernels.scheme(kind(method)?).ok()?;
            let program = Arc::clone(scheme.kernel.program());
            (program, scheme.scheme.normals.len(), asked.min(pace.step))
        };
        let mut paths = LanePaths {
            next: SharedLanes::new(&program),
            normals,
            chance,
            longest,
            exact: None,
            steps: 0,
            used: MethodUse {
                method,
                from: start,
                linear_solver: LinearSolver::None,
                why,
            },
            single,
        };
        let (mut time, mut ahead) = (start, 0);
        let mut intervals = Vec::new();
        while time < end {
            let piece = paths.piece(time, &mut ahead);
            paths.steps = paths.steps.saturating_add(piece.steps());
            intervals.push((piece.step, time + piece.step));
            time = piece.end;
        }
        if method == Method::ExactTransition {
            paths.exact = Some(ExactSteps::new(problem, start, intervals.into_iter())?);
        }
        (paths.steps <= options.max_steps).then_some(paths)
    }

    /// The steps from a time to the next output time.
    fn piece(&self, time: f64, ahead: &mut usize) -> Piece {
        let end = next_end(self.single.times, ahead, time, self.single.range.1);
        Piece::new(time, end, self.longest)
    }

    /// Makes the paths of one set of lanes; false when interrupted.
    fn side_by_side(
        &self,
        paths: Range<u64>,
        scratch: &mut SharedScratch,
        chunks: usize,
        interrupted: &(dyn Fn() -> bool + Sync),
        block: &mut Block,
    ) -> bool {
        let width = self.width();
        let (start, end) = self.single.range;
        let mut group = Group {
            all: self,
            streams: LaneStreams::new(self.chance.seed, paths.clone(), chunks),
            chunks,
            state: vec![Chunk::splat(0.0); width * chunks],
            normals: vec![Chunk::splat(0.0); self.normals * chunks],
            reached: vec![Chunk::splat(0.0); width * chunks],
            clamped: vec![0; LANES * chunks],
            lost: vec![Chunk::splat(0.0); chunks],
            rows: 0,
            first: block.values.len(),
        };
        for (i, value) in self.single.initial.iter().enumerate() {
            group.state[i * chunks..][..chunks].fill(Chunk::splat(*value));
        }
        let lanes = (paths.end - paths.start) as usize;
        let numbers = self.times().len() * width;
        block.values.resize(group.first + lanes * numbers, f64::NAN);
        let mut parameters = Parameters::new(self.single.problem.parameters.clone());
        let own = parameters.len();
        let (mut time, mut ahead) = (start, 0);
        group.show(time, lanes, &mut block.values);
        for at in 0.. {
            if time >= end {
                break;
            }
            let mut piece = self.piece(time, &mut ahead);
            if let Some(numbers) = self.exact.as_ref().and_then(|exact| exact.of(at)) {
                // A clone is known to hold the same numbers.
                parameters.clone_from(numbers);
            } else if parameters.get(own) != Some(&piece.step) {
                let mut values = self.single.problem.parameters.clone();
                values.push(piece.step);
                parameters.assign(&values);
            }
            while !piece.is_done() {
                if interrupted() {
                    group.end(lanes, Stop::Interrupted { time }, block);
                    return false;
                }
                group.step(time, &parameters, scratch);
                time = piece.next();
                piece.advance();
            }
            group.note_lost();
            group.show(time, lanes, &mut block.values);
        }
        group.end(lanes, Stop::Finished, block);
        // Those that left the numbers are made again.
        for (lane, path) in paths.enumerate() {
            if get(&group.lost, chunks, lane, 0) == 0.0 {
                continue;
            }
            let alone = self.single.block(path..path + 1, interrupted);
            let at = group.first + lane * numbers;
            let place = block.ends.len() - lanes + lane;
            block.values[at..at + numbers].copy_from_slice(&alone.values);
            if let Some(end) = alone.ends.into_iter().next() {
                block.ends[place] = end;
            }
        }
        true
    }
}

impl Paths for LanePaths<'_> {
    fn width(&self) -> usize {
        self.single.width()
    }

    fn times(&self) -> &[f64] {
        self.single.times
    }

    fn block(&self, paths: Range<u64>, interrupted: &(dyn Fn() -> bool + Sync)) -> Block {
        let mut block = Block {
            methods: vec![self.used],
            step: self.exact.is_none().then_some(self.longest),
            ..Block::default()
        };
        let count = usize::try_from(paths.end.saturating_sub(paths.start)).unwrap_or(usize::MAX);
        let chunks = self.next.fitting_chunks().min(count.div_ceil(LANES)).max(1);
        let mut scratch = self.next.scratch(chunks);
        let mut from = paths.start;
        while from < paths.end {
            let group = from..(from + (LANES * chunks) as u64).min(paths.end);
            from = group.end;
            if !self.side_by_side(group, &mut scratch, chunks, interrupted, &mut block) {
                break;
            }
        }
        let numbers = self.times().len() * self.width();
        for _ in block.ends.len()..count {
            block.values.extend(std::iter::repeat_n(f64::NAN, numbers));
            block.ends.push(PathEnd {
                rows: 0,
                stop: Stop::Interrupted {
                    time: self.single.range.0,
                },
                statistics: Statistics::default(),
            });
        }
        block
    }
}

/// Paths on their way.
struct Group<'a> {
    all: &'a LanePaths<'a>,
    streams: LaneStreams,
    chunks: usize,
    state: Vec<Chunk>,
    normals: Vec<Chunk>,
    reached: Vec<Chunk>,
    /// States set to zero, of each path.
    clamped: Vec<u64>,
    /// Not 0 where a value was not finite.
    lost: Vec<Chunk>,
    /// Rows shown.
    rows: usize,
    /// Where the values of these paths begin.
    first: usize,
}

impl Group<'_> {
    fn step(&mut self, time: f64, parameters: &Parameters, scratch: &mut SharedScratch) {
        self.streams.normals(&mut self.normals);
        let next = &self.all.next;
        next.call(
            time,
            &self.state,
            parameters,
            &self.normals,
            &mut self.reached,
            scratch,
        );
        std::mem::swap(&mut self.state, &mut self.reached);
        if self.all.chance.non_negative {
            // Before what is minus infinity becomes zero.
            self.note_lost();
            self.clamp();
        }
    }

    /// Sets states below zero to zero.
    fn clamp(&mut self) {
        for (at, chunk) in self.state.iter_mut().enumerate() {
            let is_below = |value: &f64| *value < 0.0;
            if !chunk.0.iter().any(is_below) {
                continue;
            }
            let first = at % self.chunks * LANES;
            for (value, clamped) in chunk.0.iter_mut().zip(&mut self.clamped[first..]) {
                if *value < 0.0 {
                    *value = 0.0;
                    *clamped += 1;
                }
            }
        }
    }

    /// Takes note of values that are not finite; every later state of such a path is not either.
    fn note_lost(&mut self) {
        for (at, chunk) in self.state.iter().enumerate() {
            let lost = &mut self.lost[at % self.chunks].0;
            for (lost, value) in lost.iter_mut().zip(chunk.0) {
                // Zero, or NaN.
                let not_finite = 0.0 * value;
                *lost = if not_finite == 0.0 { *lost } else { 1.0 };
            }
        }
    }

    /// Rows at the output times up to this one.
    fn show(&mut self, time: f64, lanes: usize, values: &mut [f64]) {
        let (width, rows) = (self.all.width(), self.all.times().len());
        while self
            .all
            .times()
            .get(self.rows)
            .is_some_and(|shown| is_reached(*shown, time))
        {
            for lane in 0..lanes {
                let row = self.first + (lane * rows + self.rows) * width;
                for (i, value) in values[row..][..width].iter_mut().enumerate() {
                    *value = get(&self.state, self.chunks, lane, i);
                }
            }
            self.rows += 1;
        }
    }

    /// All paths end.
    fn end(&self, lanes: usize, stop: Stop, block: &mut Block) {
        for clamped in &self.clamped[..lanes] {
            block.ends.push(PathEnd {
                rows: self.rows,
                stop: stop.clone(),
                statistics: Statistics {
                    steps: self.all.steps,
                    evaluations: self.all.steps,
                    clamped: *clamped,
                    ..Statistics::default()
                },
            });
        }
    }
}
