//! Many paths of one model, in blocks.
//!
//! Enters: which paths. Leaves: their states at the output times and how each ended. Whoever
//! sums blocks up takes them in order; what is in a block depends on the numbers of its paths
//! alone.

use crate::kernel::{Scratch, SharedKernel};
use crate::simulate::{
    Chance, CompiledDynamics, Halt, MethodUse, Monitor, Options, Output, Problem, Statistics, Stop,
    run,
};
use std::ops::{ControlFlow, Range};

/// How one path ended.
#[derive(Debug, Clone, PartialEq)]
pub struct PathEnd {
    /// Rows that it reached, from the first.
    pub rows: usize,
    /// Why it ended.
    pub stop: Stop,
    /// Work done.
    pub statistics: Statistics,
}

/// Some paths with consecutive numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// The states of every path at every output time: `values[(path * rows + row) * width + i]`.
    /// NaN in rows that a path did not reach.
    pub values: Vec<f64>,
    /// One for each path.
    pub ends: Vec<PathEnd>,
    /// The methods used by the first path.
    pub methods: Vec<MethodUse>,
    /// Its longest step, of a method with steps of fixed length.
    pub step: Option<f64>,
}

/// A source of paths; path k of a seed is the same however it is asked for.
pub trait Paths: Sync {
    /// States of a row.
    fn width(&self) -> usize;

    /// Output times, ascending.
    fn times(&self) -> &[f64];

    /// These paths. Stops early, with [`Stop::Interrupted`] in all that are not at their end, once
    /// `interrupted` says so.
    fn block(&self, paths: Range<u64>, interrupted: &(dyn Fn() -> bool + Sync)) -> Block;
}

/// Paths made one after the other by [`run`]: for any method, and with all that interrupts a run.
#[derive(Debug)]
pub struct SinglePaths<'p> {
    /// The model with its values.
    pub problem: &'p Problem<'p>,
    /// Start and end.
    pub range: (f64, f64),
    /// The state at the start.
    pub initial: &'p [f64],
    /// Output times.
    pub times: &'p [f64],
    /// How each path is made; the number of the path is filled in.
    pub options: &'p Options,
}

/// Polls the interrupt at every step, and ends a path on which an assertion does not hold.
struct Watch<'a> {
    interrupted: &'a dyn Fn() -> bool,
    dynamics: &'a CompiledDynamics<'a>,
    assertions: Option<&'a SharedKernel>,
    values: Vec<f64>,
    scratch: Scratch,
}

impl Monitor for Watch<'_> {
    fn step(&mut self, time: f64, state: &[f64], _: &Statistics) -> ControlFlow<Halt> {
        if (self.interrupted)() {
            return ControlFlow::Break(Halt::Interrupt);
        }
        if let Some(assertions) = self.assertions {
            let (values, scratch) = (&mut self.values, &mut self.scratch);
            self.dynamics
                .evaluate(&**assertions, time, state, values, scratch);
            if values.iter().any(|value| *value != 1.0) {
                return ControlFlow::Break(Halt::Enough);
            }
        }
        ControlFlow::Continue(())
    }
}

impl Paths for SinglePaths<'_> {
    fn width(&self) -> usize {
        self.problem.system.dimension()
    }

    fn times(&self) -> &[f64] {
        self.times
    }

    fn block(&self, paths: Range<u64>, interrupted: &(dyn Fn() -> bool + Sync)) -> Block {
        let (width, rows) = (self.width(), self.times.len());
        let output = Output::Times(self.times.to_vec());
        let mut block = Block::default();
        for path in paths {
            let mut options = self.options.clone();
            if let Some(chance) = &mut options.chance {
                *chance = Chance { path, ..*chance };
            }
            let problem = self.problem;
            let parameters = problem.parameters.clone();
            let dynamics = CompiledDynamics::new(problem.system, problem.kernels, parameters);
            let asserted = problem.system.assertions.len();
            let mut watch = Watch {
                interrupted: &|| interrupted(),
                dynamics: &dynamics,
                assertions: (asserted > 0).then(|| problem.kernels.assertions()),
                values: vec![1.0; asserted],
                scratch: Scratch::new(),
            };
            let (range, initial) = (self.range, self.initial);
            let solution = run(
                problem, &dynamics, range, initial, &output, &options, &mut watch,
            );
            let from = block.values.len();
            // Where something jumps there is a row before and one after: the last counts.
            let mut reached = 0;
            for time in self.times {
                let found = solution.times.partition_point(|known| known <= time);
                match found.checked_sub(1) {
                    Some(row) if solution.times.get(row) == Some(time) => {
                        let state = solution.row(row).unwrap_or(&[]);
                        block.values.extend_from_slice(state);
                        reached += 1;
                    }
                    _ => break,
                }
            }
            block.values.resize(from + rows * width, f64::NAN);
            if block.ends.is_empty() {
                (block.methods, block.step) = (solution.methods, solution.step);
            }
            block.ends.push(PathEnd {
                rows: reached,
                stop: solution.stop,
                statistics: solution.statistics,
            });
        }
        block
    }
}
