//! States and their derivatives as one system.

use super::direction::{DirectedSlots, Direction, Moving};
use super::varied::{Varied, VariedStart};
use crate::kernel::{Kernels, Scratch, SharedKernel};
use crate::simulate::{CompiledDynamics, Dynamics};
use crate::system::System;
use std::cell::{OnceCell, Ref, RefCell, RefMut};

/// The system y' = f, S_j' = f_y S_j + f_p dp/dtheta_j + f_s ds/dtheta_j (s: the slots) for m
/// varied quantities: n (1 + m) numbers, the state first, then one block per quantity.
///
/// Each block is one directional derivative, which costs two to three evaluations of f whatever
/// the numbers of parameters and states.
pub struct SensitivityDynamics<'d> {
    base: &'d CompiledDynamics<'d>,
    system: &'d System,
    kernels: &'d Kernels,
    tangent: SharedKernel,
    second: OnceCell<SharedKernel>,
    varied: Vec<Varied>,
    moving: RefCell<Moving>,
    slots: RefCell<DirectedSlots>,
    scratch: RefCell<Scratch>,
    second_scratch: RefCell<Scratch>,
}

impl<'d> SensitivityDynamics<'d> {
    /// `base` and `start` are of the same system and values.
    #[must_use]
    pub fn new(
        system: &'d System,
        kernels: &'d Kernels,
        base: &'d CompiledDynamics<'d>,
        start: &VariedStart,
    ) -> SensitivityDynamics<'d> {
        SensitivityDynamics {
            base,
            system,
            kernels,
            tangent: kernels.tangent(&system.pool, &system.frozen_drift),
            second: OnceCell::new(),
            varied: start.varied.clone(),
            moving: RefCell::new(start.moving(system)),
            slots: RefCell::new(DirectedSlots::new(system)),
            scratch: RefCell::new(Scratch::new()),
            second_scratch: RefCell::new(Scratch::new()),
        }
    }

    fn states(&self) -> usize {
        self.system.states.len()
    }

    /// How parameters and slots move now.
    pub(super) fn moving(&self) -> Ref<'_, Moving> {
        self.moving.borrow()
    }

    /// The same, to be changed.
    pub(super) fn moving_mut(&self) -> RefMut<'_, Moving> {
        self.moving.borrow_mut()
    }

    /// Brings to (`t`, `y`) what moves with time: inputs, delayed values and their derivatives.
    pub(super) fn refresh(&self, t: f64, y: &[f64]) {
        self.base.refresh(t, &y[..self.states().min(y.len())]);
        let mut moving = self.moving.borrow_mut();
        self.base
            .with_delayed(|delayed| delayed.fill_moved(t, y, &mut moving));
    }

    /// What is varied as number j.
    pub(super) fn varied_as(&self, j: usize) -> Varied {
        self.varied[j]
    }

    /// The position of the parameter that is varied as number j.
    pub(super) fn varied_parameter(&self, j: usize) -> Option<usize> {
        match self.varied.get(j) {
            Some(Varied::Parameter(at)) => Some(*at),
            _ => None,
        }
    }

    /// The derivative of the drift of the states along any direction.
    pub(super) fn tangent_along(
        &self,
        t: f64,
        state: &[f64],
        direction: Direction<'_>,
        out: &mut [f64],
    ) {
        self.base.refresh(t, state);
        let parameters = self.base.parameters();
        let mut slots = self.slots.borrow_mut();
        slots.set_own(&self.base.slots());
        slots.set(0, direction);
        let scratch = &mut *self.scratch.borrow_mut();
        self.tangent
            .call(t, state, &parameters, slots.numbers(), out, scratch);
    }

    /// How the slots move in a time `dt`: inputs and delayed values at their rates.
    pub(super) fn slot_rates(&self, dt: f64) -> Vec<f64> {
        let known = &self.system.slots;
        let now = self.base.slots();
        let mut rates = vec![0.0; known.len()];
        let pairs = [
            (&known.inputs, &known.input_rates),
            (&known.delayed, &known.delayed_rates),
        ];
        for (values, slopes) in pairs {
            for (to, from) in values.clone().zip(slopes.clone()) {
                rates[to] = dt * now[from];
            }
        }
        rates
    }
}

impl Dynamics for SensitivityDynamics<'_> {
    fn dimension(&self) -> usize {
        self.states() * (1 + self.varied())
    }

    fn varied(&self) -> usize {
        self.varied.len()
    }

    fn drift(&self, t: f64, y: &[f64], dy: &mut [f64]) {
        let n = self.states();
        let (state, moved) = y.split_at(n);
        let (rate, rates) = dy.split_at_mut(n);
        self.base.drift(t, state, rate);
        if n == 0 {
            return;
        }
        self.refresh(t, y);
        let parameters = self.base.parameters();
        let moving = self.moving.borrow();
        let mut slots = self.slots.borrow_mut();
        slots.set_own(&self.base.slots());
        let scratch = &mut *self.scratch.borrow_mut();
        let blocks = moved.chunks_exact(n).zip(rates.chunks_exact_mut(n));
        for (j, (states, out)) in blocks.enumerate() {
            let direction = Direction {
                time: 0.0,
                states,
                parameters: moving.parameters_of(j),
                slots: moving.slots_of(j),
            };
            slots.set(0, direction);
            self.tangent
                .call(t, state, &parameters, slots.numbers(), out, scratch);
        }
    }

    fn pattern(&self) -> (&[usize], &[usize]) {
        self.base.pattern()
    }

    fn jacobian(&self, t: f64, y: &[f64], entries: &mut [f64]) {
        self.base.jacobian(t, &y[..self.states()], entries);
    }

    fn is_autonomous(&self) -> bool {
        self.base.is_autonomous()
    }

    fn time_derivative(&self, t: f64, y: &[f64], out: &mut [f64]) {
        self.base.time_derivative(t, &y[..self.states()], out);
    }

    fn varied_along(&self, t: f64, y: &[f64], (dt, dy): (f64, &[f64]), out: &mut [f64]) {
        let n = self.states();
        let (state, moved) = y.split_at(n);
        if n == 0 {
            return;
        }
        let second = self.second.get_or_init(|| {
            self.kernels
                .second_tangent(&self.system.pool, &self.system.frozen_drift)
        });
        self.refresh(t, y);
        let parameters = self.base.parameters();
        let moving = self.moving.borrow();
        let mut slots = self.slots.borrow_mut();
        slots.set_own(&self.base.slots());
        let rates = self.slot_rates(dt);
        let along = Direction {
            time: dt,
            states: dy,
            parameters: &[],
            slots: &rates,
        };
        slots.set(1, along);
        let scratch = &mut *self.second_scratch.borrow_mut();
        let blocks = moved.chunks_exact(n).zip(out.chunks_exact_mut(n));
        for (j, (states, out)) in blocks.enumerate() {
            let direction = Direction {
                time: 0.0,
                states,
                parameters: moving.parameters_of(j),
                slots: moving.slots_of(j),
            };
            slots.set(0, direction);
            second.call(t, state, &parameters, slots.numbers(), out, scratch);
        }
    }

    fn algebraic(&self) -> &[bool] {
        self.base.algebraic()
    }
}
