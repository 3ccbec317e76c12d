//! What a call needs beside its arguments: parameters that know when they changed, and working
//! space.
//!
//! Enters: parameter values. Leaves: the register file of one function on one thread, with the
//! part that depends on parameters only kept between calls. Nothing here can be stale: each
//! change gives [`Parameters`] a stamp that was never given before in this process, and a call
//! whose stamp is not the one its [`Scratch`] was prepared for prepares it first.

use super::program::Program;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

/// Parameter values with a stamp. Equal stamps mean equal values, so that a kernel sees in one
/// comparison whether what it worked out from the parameters still holds. A clone keeps the
/// stamp; every change makes a new one.
#[derive(Debug, Clone)]
pub struct Parameters {
    values: Vec<f64>,
    stamp: u64,
}

/// A number that no set of parameter values of this process has; never 0.
fn new_stamp() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Parameters {
    /// Takes the values, in the order of the layout.
    #[must_use]
    pub fn new(values: impl Into<Vec<f64>>) -> Parameters {
        Parameters {
            values: values.into(),
            stamp: new_stamp(),
        }
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Lets `change` alter the values.
    pub fn update<T>(&mut self, change: impl FnOnce(&mut [f64]) -> T) -> T {
        self.stamp = new_stamp();
        change(&mut self.values)
    }

    /// Takes over other values; the length may differ.
    pub fn assign(&mut self, values: &[f64]) {
        self.stamp = new_stamp();
        self.values.clear();
        self.values.extend_from_slice(values);
    }

    pub(super) fn stamp(&self) -> u64 {
        self.stamp
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Parameters::new(Vec::new())
    }
}

impl Deref for Parameters {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.values
    }
}

/// Working space of one function on one thread. It grows on demand and may be handed to any
/// function: handing it from one to another gives right results, but costs a preparation at each
/// change, so keep one for each function. Executors of the same program may share it.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    /// The program that the file is laid out for; 0 before the first.
    program: u64,
    /// The stamp of the parameters that the file is prepared for; 0 before the first.
    stamp: u64,
    file: Vec<f64>,
}

impl Scratch {
    /// Empty working space.
    #[must_use]
    pub fn new() -> Scratch {
        Scratch::default()
    }

    /// The register file of `program`, prepared for `parameters`: constants and parameters in
    /// place and the prologue run, by `run_prologue`, if it was not yet.
    ///
    /// # Panics
    /// When there are fewer parameters than the program reads.
    #[inline]
    pub(super) fn prepare(
        &mut self,
        program: &Program,
        parameters: &Parameters,
        run_prologue: impl FnOnce(&mut [f64]),
    ) -> &mut [f64] {
        if self.program != program.id || self.stamp != parameters.stamp() {
            self.refill(program, parameters, run_prologue);
        }
        &mut self.file
    }

    /// The register file of the program with this number, if it is prepared for `parameters`.
    #[inline]
    pub(super) fn ready(&mut self, program: u64, parameters: &Parameters) -> Option<&mut [f64]> {
        let is_ready = self.program == program && self.stamp == parameters.stamp();
        is_ready.then_some(&mut self.file)
    }

    #[cold]
    fn refill(
        &mut self,
        program: &Program,
        parameters: &Parameters,
        run_prologue: impl FnOnce(&mut [f64]),
    ) {
        // Nothing is prepared while this runs, should it not reach its end.
        self.stamp = 0;
        if self.program != program.id {
            self.program = program.id;
            self.file.clear();
            self.file.resize(program.registers, 0.0);
            self.file[..program.constants.len()].copy_from_slice(&program.constants);
        }
        let input = &program.parameters;
        self.file[input.registers()].copy_from_slice(&parameters[input.source.clone()]);
        run_prologue(&mut self.file);
        self.stamp = parameters.stamp();
    }
}
