//! The functions of one system, each compiled when it is first asked for.
//!
//! Enters: a system. Leaves: kernels that any number of threads may call at once. Must not know
//! solvers or names.

use super::{Kernel, Layout, Output, Place, Tape, lower};
use crate::symbolic::{Expr, Pool};
use crate::system::{Jacobian, System, tangent};
use std::sync::{Arc, OnceLock};

/// A compiled function that threads share.
pub type SharedKernel = Arc<dyn Kernel>;

/// Compiled functions f(t, state, parameters, slots) of a system.
#[derive(Debug)]
pub struct Kernels {
    system: Arc<System>,
    layout: Layout,
    /// The same with the directions of tangents.
    directed: OnceLock<Layout>,
    drift: OnceLock<SharedKernel>,
    jacobian: OnceLock<SharedKernel>,
    frozen_drift: OnceLock<SharedKernel>,
    frozen_jacobian: OnceLock<SharedKernel>,
    time_derivative: OnceLock<SharedKernel>,
    assertions: OnceLock<SharedKernel>,
}

impl Kernels {
    /// Nothing is compiled yet.
    #[must_use]
    pub fn new(system: Arc<System>) -> Kernels {
        let mut layout = Layout::new();
        layout.insert(system.time, Place::Time);
        for block in system.states.blocks() {
            layout.insert(block.symbol, Place::State(block.offset));
        }
        for block in system.parameters.blocks() {
            layout.insert(block.symbol, Place::Parameter(block.offset));
        }
        for block in system.slots.layout.blocks() {
            layout.insert(block.symbol, Place::Slot(block.offset));
        }
        Kernels {
            system,
            layout,
            directed: OnceLock::new(),
            drift: OnceLock::new(),
            jacobian: OnceLock::new(),
            frozen_drift: OnceLock::new(),
            frozen_jacobian: OnceLock::new(),
            time_derivative: OnceLock::new(),
            assertions: OnceLock::new(),
        }
    }

    /// dy/dt, n numbers.
    #[must_use]
    pub fn drift(&self) -> &SharedKernel {
        self.drift
            .get_or_init(|| self.function(&self.system.pool, &self.system.drift))
    }

    /// The entries of d(dy/dt)/dy in the order of the Jacobian's pattern.
    #[must_use]
    pub fn jacobian(&self) -> &SharedKernel {
        self.jacobian
            .get_or_init(|| self.entries(&self.system.jacobian))
    }

    /// The drift that steps integrate, n numbers; its slots are those of the system.
    #[must_use]
    pub fn frozen_drift(&self) -> &SharedKernel {
        if self.system.frozen_drift == self.system.drift {
            return self.drift();
        }
        self.frozen_drift
            .get_or_init(|| self.function(&self.system.pool, &self.system.frozen_drift))
    }

    /// The entries of its Jacobian, in the order of the Jacobian's pattern.
    #[must_use]
    pub fn frozen_jacobian(&self) -> &SharedKernel {
        if self.system.frozen_drift == self.system.drift {
            return self.jacobian();
        }
        self.frozen_jacobian
            .get_or_init(|| self.entries(&self.system.frozen_jacobian))
    }

    /// The partial derivative of the frozen drift by time: n numbers, or none for an autonomous
    /// system.
    #[must_use]
    pub fn time_derivative(&self) -> &SharedKernel {
        self.time_derivative
            .get_or_init(|| self.function(&self.system.pool, &self.system.time_derivative))
    }

    fn entries(&self, jacobian: &Jacobian) -> SharedKernel {
        let outputs: Vec<Output> = jacobian
            .contributions
            .iter()
            .map(|contribution| Output::Scatter {
                expr: contribution.expr,
                at: contribution.entries.clone(),
            })
            .collect();
        self.compile(&self.system.pool, &outputs, jacobian.pattern.len())
    }

    /// One number per assertion: 1 where it holds.
    #[must_use]
    pub fn assertions(&self) -> &SharedKernel {
        self.assertions
            .get_or_init(|| self.function(&self.system.pool, &self.system.assertions))
    }

    /// Other expressions of time, states and parameters, their numbers one after the other.
    /// `pool` is the system's own pool or a continuation of it.
    #[must_use]
    pub fn function(&self, pool: &Pool, exprs: &[Expr]) -> SharedKernel {
        let (outputs, len) = one_after_the_other(pool, exprs);
        self.compile(pool, &outputs, len)
    }

    /// The derivatives of expressions along direction 0: [`crate::system::tangent`]. The numbers
    /// of the direction stand in the slots behind the system's own, at
    /// [`crate::system::Directions::offset`].
    #[must_use]
    pub fn tangent(&self, pool: &Arc<Pool>, exprs: &[Expr]) -> SharedKernel {
        let mut pool = Pool::continuing(pool);
        let exprs = tangent(&self.system, &mut pool, exprs, 0);
        self.directed(&pool, &exprs)
    }

    /// The second derivatives of expressions along directions 0 and 1.
    #[must_use]
    pub fn second_tangent(&self, pool: &Arc<Pool>, exprs: &[Expr]) -> SharedKernel {
        let mut pool = Pool::continuing(pool);
        let first = tangent(&self.system, &mut pool, exprs, 0);
        let second = tangent(&self.system, &mut pool, &first, 1);
        self.directed(&pool, &second)
    }

    /// A function of expressions that name directions.
    fn directed(&self, pool: &Pool, exprs: &[Expr]) -> SharedKernel {
        let layout = self.directed.get_or_init(|| self.with_directions());
        let (outputs, len) = one_after_the_other(pool, exprs);
        compile(pool, layout, &outputs, len)
    }

    fn with_directions(&self) -> Layout {
        let system = &*self.system;
        let mut layout = self.layout.clone();
        for direction in &system.directions {
            let mut at = direction.offset;
            if let Some(time) = direction.time {
                layout.insert(time, Place::Slot(at));
            }
            at += 1;
            let blocks = [
                (&system.states, &direction.states),
                (&system.parameters, &direction.parameters),
                (&system.slots.layout, &direction.slots),
            ];
            for (of, symbols) in blocks {
                for (block, symbol) in of.blocks().iter().zip(symbols) {
                    layout.insert(*symbol, Place::Slot(at + block.offset));
                }
                at += of.len();
            }
        }
        layout
    }

    fn compile(&self, pool: &Pool, outputs: &[Output], len: usize) -> SharedKernel {
        compile(pool, &self.layout, outputs, len)
    }
}

/// Outputs that follow each other, and how many numbers they have.
fn one_after_the_other(pool: &Pool, exprs: &[Expr]) -> (Vec<Output>, usize) {
    let mut len = 0;
    let outputs = exprs.iter().map(|expr| {
        let at = len;
        len += pool.shape(*expr).len();
        Output::Assign { expr: *expr, at }
    });
    (outputs.collect(), len)
}

fn compile(pool: &Pool, layout: &Layout, outputs: &[Output], len: usize) -> SharedKernel {
    // Every symbol of an inlined expression is the time, a state, a parameter or a slot.
    let program = lower(pool, layout, outputs, len)
        .expect("an inlined expression names only time, states, parameters and slots");
    Arc::new(Tape::new(program))
}
