//! The functions of one system, each compiled when it is first asked for.
//!
//! Enters: a system. Leaves: kernels that any number of threads may call at once. Must not know
//! solvers or names.

#[cfg(feature = "jit")]
use super::Adaptive;
use super::{Kernel, Layout, Output, Place, Program, lower};
use crate::symbolic::{Expr, Pool};
use crate::system::{Jacobian, System};
use std::sync::{Arc, OnceLock};

/// A compiled function that threads share.
pub type SharedKernel = Arc<dyn Kernel>;

/// Compiled functions f(t, state, parameters, slots) of a system.
#[derive(Debug)]
pub struct Kernels {
    system: Arc<System>,
    layout: Layout,
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
        let mut len = 0;
        let outputs: Vec<Output> = exprs
            .iter()
            .map(|expr| {
                let at = len;
                len += pool.shape(*expr).len();
                Output::Assign { expr: *expr, at }
            })
            .collect();
        self.compile(pool, &outputs, len)
    }

    fn compile(&self, pool: &Pool, outputs: &[Output], len: usize) -> SharedKernel {
        // Every symbol of an inlined expression is the time, a state, a parameter or a slot.
        let program = lower(pool, &self.layout, outputs, len)
            .expect("an inlined expression names only time, states, parameters and slots");
        executor(program)
    }
}

/// The tape, which becomes machine code once that pays.
#[cfg(feature = "jit")]
fn executor(program: Program) -> SharedKernel {
    Arc::new(Adaptive::new(program))
}

/// The tape.
#[cfg(not(feature = "jit"))]
fn executor(program: Program) -> SharedKernel {
    Arc::new(super::Tape::new(program))
}
