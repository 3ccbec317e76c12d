//! Machine code: programs translated by Cranelift.
//!
//! Enters: a program whose body has scalar instructions only. Leaves: the same function, several
//! times faster, with the same bits as the tape: each instruction becomes the same IEEE operation
//! on the same operands, and functions such as `exp` are calls of the very routines that the tape
//! calls. Loops over vectors (blocks) stay with the tape, which runs them as compiled loops anyway.
//!
//! The unsafe code of the project is here and where lanes call wide instructions: memory is handed
//! to machine code, which was made by [`translate`] from a sound program and keeps to its ranges.

mod functions;
mod translate;

use super::Kernel;
use super::program::{Operation, Program};
use super::scratch::{Parameters, Scratch};
use super::tape::Tape;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::FuncId;
use std::fmt;
use std::sync::Arc;

/// What machine code is called with: register file, time, state, slots, out. Each pointer is to
/// the first number that the program reads or writes.
type Entry = unsafe extern "C" fn(*mut f64, f64, *const f64, *const f64, *mut f64);

/// Bodies longer than this stay with the tape: the time to translate them is better spent there.
const MOST_INSTRUCTIONS: usize = 400_000;

/// A program as machine code.
pub struct Jit {
    /// Runs the prologue, and owns the program.
    tape: Tape,
    /// Called one after the other.
    entries: Box<[Entry]>,
    code: CodeMemory,
}

impl Jit {
    /// Translates the body of a program. `None` when it has blocks or is too long, or when this
    /// processor is not one that code can be made for.
    #[must_use]
    pub fn new(program: &Arc<Program>) -> Option<Jit> {
        let instructions = &program.body().instructions;
        let scalar = instructions
            .iter()
            .all(|instruction| instruction.operation != Operation::Block);
        if !scalar || instructions.len() > MOST_INSTRUCTIONS || !program.is_sound() {
            return None;
        }
        let mut module = JITModule::new(builder()?);
        let functions = translate::body(&mut module, program);
        let finished = functions.and_then(|functions| {
            module.finalize_definitions().ok()?;
            Some(functions)
        });
        let code = CodeMemory(Some(module));
        let entries = finished?
            .iter()
            .map(|id| code.entry(*id))
            .collect::<Option<_>>()?;
        Some(Jit {
            tape: Tape::new(Arc::clone(program)),
            entries,
            code,
        })
    }
}

impl Kernel for Jit {
    fn program(&self) -> &Arc<Program> {
        self.tape.program()
    }

    #[expect(unsafe_code, reason = "machine code is called")]
    fn call(
        &self,
        t: f64,
        state: &[f64],
        parameters: &Parameters,
        slots: &[f64],
        out: &mut [f64],
        scratch: &mut Scratch,
    ) {
        let program = &**self.program();
        assert_eq!(out.len(), program.out_len(), "numbers that a call writes");
        let file = self.tape.prepare(parameters, scratch);
        let state = state[program.state.source.clone()].as_ptr();
        let slots = slots[program.slots.source.clone()].as_ptr();
        let (file, out) = (file.as_mut_ptr(), out.as_mut_ptr());
        for entry in &self.entries {
            // SAFETY: the program is sound, so every access of its instructions lies in the file
            // (of `registers` numbers), in the ranges of state and slots that were just cut to
            // what the program reads, or in `out`, whose length was checked. The memory of the
            // code lives as long as `self`.
            unsafe { entry(file, t, state, slots, out) };
        }
    }
}

impl fmt::Debug for Jit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Jit")
            .field("program", self.program())
            .field("functions", &self.entries.len())
            .field("freed", &self.code.0.is_none())
            .finish()
    }
}

/// The settings of the translation for this processor.
fn builder() -> Option<JITBuilder> {
    let mut flags = settings::builder();
    flags.set("use_colocated_libcalls", "false").ok()?;
    flags.set("is_pic", "false").ok()?;
    flags.set("opt_level", "speed").ok()?;
    flags.set("enable_verifier", "false").ok()?;
    let isa = cranelift_native::builder().ok()?;
    let isa = isa.finish(settings::Flags::new(flags)).ok()?;
    let names = cranelift_module::default_libcall_names();
    Some(JITBuilder::with_isa(isa, names))
}

/// The memory that code lives in, given back when dropped: the module itself would leak it.
struct CodeMemory(Option<JITModule>);

impl CodeMemory {
    #[expect(unsafe_code, reason = "an address becomes a function")]
    fn entry(&self, id: FuncId) -> Option<Entry> {
        let address = self.0.as_ref()?.get_finalized_function(id);
        // SAFETY: the function was declared with the signature of `Entry` and is finished.
        Some(unsafe { std::mem::transmute::<*const u8, Entry>(address) })
    }
}

impl Drop for CodeMemory {
    #[expect(unsafe_code, reason = "code memory is given back")]
    fn drop(&mut self) {
        if let Some(module) = self.0.take() {
            // SAFETY: the entries live in the same `Jit` and cannot be called any more.
            unsafe { module.free_memory() };
        }
    }
}

// SAFETY: after `Jit::new` the module is only kept to give its memory back, which the last owner
// does alone; the code itself is immutable.
#[expect(unsafe_code, reason = "the module is not marked so")]
unsafe impl Send for CodeMemory {}
// SAFETY: as above; nothing is reachable through a shared reference but finished code.
#[expect(unsafe_code, reason = "the module is not marked so")]
unsafe impl Sync for CodeMemory {}
