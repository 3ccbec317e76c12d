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
mod order;
mod translate;

use super::Kernel;
use super::program::{Operation, Program};
use super::scratch::{Parameters, Scratch};
use super::tape::Tape;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::FuncId;
use std::fmt;
use std::ops::Range;
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
    needs: Needs,
    /// Called first.
    entry: Entry,
    /// Called one after the other after it: the rest of a long program.
    more: Box<[Entry]>,
    code: CodeMemory,
}

/// What a call must bring, next to each other: of a short function looking this up in the program
/// would take as long as the function itself.
struct Needs {
    /// The program's number.
    program: u64,
    state: Range<usize>,
    slots: Range<usize>,
    out: usize,
}

impl Needs {
    fn of(program: &Program) -> Needs {
        Needs {
            program: program.id,
            state: program.state.source.clone(),
            slots: program.slots.source.clone(),
            out: program.out_len(),
        }
    }

    fn are_met(&self, state: &[f64], slots: &[f64], out: &[f64]) -> bool {
        self.state.end <= state.len() && self.slots.end <= slots.len() && self.out == out.len()
    }
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
        let mut entries = finished?.into_iter().map(|id| code.entry(id));
        Some(Jit {
            tape: Tape::new(Arc::clone(program)),
            needs: Needs::of(program),
            entry: entries.next()??,
            more: entries.collect::<Option<_>>()?,
            code,
        })
    }

    /// A call after which the next one with the same parameters finds everything ready.
    ///
    /// # Panics
    /// As [`Kernel::call`].
    #[cold]
    #[inline(never)]
    fn prepare_and_call(
        &self,
        t: f64,
        state: &[f64],
        parameters: &Parameters,
        slots: &[f64],
        out: &mut [f64],
        scratch: &mut Scratch,
    ) {
        let needs = &self.needs;
        assert_eq!(out.len(), needs.out, "numbers that a call writes");
        let (state, slots) = (&state[..needs.state.end], &slots[..needs.slots.end]);
        let file = self.tape.prepare(parameters, scratch);
        self.enter(file, t, state, slots, out);
    }

    /// Enters the machine code. `file` is the program's, prepared, and [`Needs::are_met`].
    #[inline(always)]
    #[expect(unsafe_code, reason = "machine code is called")]
    fn enter(&self, file: &mut [f64], t: f64, state: &[f64], slots: &[f64], out: &mut [f64]) {
        let (file, out) = (file.as_mut_ptr(), out.as_mut_ptr());
        // SAFETY: the program is sound, so every access of its instructions lies in the file (of
        // `registers` numbers), in the ranges of state and slots that begin here and end, as the
        // caller has seen, within the slices, or in `out`, whose length the caller has seen too. The
        // memory of the code lives as long as `self`.
        unsafe {
            let state = state.as_ptr().add(self.needs.state.start);
            let slots = slots.as_ptr().add(self.needs.slots.start);
            match self.more.is_empty() {
                true => (self.entry)(file, t, state, slots, out),
                false => self.enter_all(file, t, state, slots, out),
            }
        }
    }

    /// Enters the functions of a long program. Apart from the call of a single one, which then is a
    /// jump.
    ///
    /// # Safety
    /// That of `enter`.
    #[inline(never)]
    #[expect(unsafe_code, reason = "machine code is called")]
    unsafe fn enter_all(
        &self,
        file: *mut f64,
        t: f64,
        state: *const f64,
        slots: *const f64,
        out: *mut f64,
    ) {
        for entry in std::iter::once(&self.entry).chain(&self.more) {
            // SAFETY: that of `enter`.
            unsafe { entry(file, t, state, slots, out) };
        }
    }
}

impl Kernel for Jit {
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
        match scratch.ready(self.needs.program, parameters) {
            Some(file) if self.needs.are_met(state, slots, out) => {
                self.enter(file, t, state, slots, out);
            }
            _ => self.prepare_and_call(t, state, parameters, slots, out, scratch),
        }
    }
}

impl fmt::Debug for Jit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Jit")
            .field("program", self.program())
            .field("functions", &(1 + self.more.len()))
            .field("freed", &self.code.0.is_none())
            .finish()
    }
}

/// The settings of the translation for this processor.
fn builder() -> Option<JITBuilder> {
    let mut flags = settings::builder();
    flags.set("use_colocated_libcalls", "false").ok()?;
    flags.set("is_pic", "false").ok()?;
    // The optimiser would compute each value as late as it can, and wait with its operands loaded;
    // the order is that of `order`, and the pool of expressions has shared what is equal.
    flags.set("opt_level", "none").ok()?;
    flags.set("unwind_info", "false").ok()?;
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
