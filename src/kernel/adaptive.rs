//! The executor that begins as the tape and becomes machine code once that pays.
//!
//! Both give the same bits, so it does not matter for any result when the change happens, nor on
//! which thread. It depends on the number of calls alone, never on a clock.

use super::Kernel;
use super::jit::Jit;
use super::program::Program;
use super::scratch::{Parameters, Scratch};
use super::tape::Tape;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Instructions that the tape executes before a program of no instructions is translated. The
/// translation takes about 0.3 ms and 3 us per instruction, in which the tape executes about
/// 150 000 instructions, and 1500 more for each.
const BASE: u64 = 200_000;
/// The same for each instruction of the program.
const EACH: u64 = 2_000;

/// A program, executed by the tape or by machine code.
#[derive(Debug)]
pub struct Adaptive {
    tape: Tape,
    /// `None` inside when the program cannot be translated.
    jit: OnceLock<Option<Jit>>,
    /// Calls of the tape so far, on all threads; some may be lost when threads meet.
    calls: AtomicU64,
    /// Calls after which the program is translated.
    patience: u64,
}

impl Adaptive {
    /// An executor of this program.
    #[must_use]
    pub fn new(program: impl Into<Arc<Program>>) -> Adaptive {
        let tape = Tape::new(program);
        let instructions = tape.program().body().instructions.len() as u64;
        Adaptive {
            patience: (BASE + EACH * instructions) / instructions.max(1),
            tape,
            jit: OnceLock::new(),
            calls: AtomicU64::new(0),
        }
    }

    #[cold]
    fn translate(&self) {
        self.jit.get_or_init(|| Jit::new(self.tape.program()));
    }
}

impl Kernel for Adaptive {
    fn program(&self) -> &Arc<Program> {
        self.tape.program()
    }

    #[inline]
    fn call(
        &self,
        t: f64,
        state: &[f64],
        parameters: &Parameters,
        slots: &[f64],
        out: &mut [f64],
        scratch: &mut Scratch,
    ) {
        match self.jit.get() {
            Some(Some(jit)) => return jit.call(t, state, parameters, slots, out, scratch),
            Some(None) => {}
            None => {
                // A lost count only puts the change off: an exact one would cost more than it saves.
                let calls = self.calls.load(Ordering::Relaxed) + 1;
                self.calls.store(calls, Ordering::Relaxed);
                if calls > self.patience {
                    self.translate();
                }
            }
        }
        self.tape.call(t, state, parameters, slots, out, scratch);
    }
}
