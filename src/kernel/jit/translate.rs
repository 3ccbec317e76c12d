//! From instructions to Cranelift's intermediate form.
//!
//! A body is cut into functions of bounded length, so that the time to translate it stays linear.
//! Within a function what it has computed are values; between functions registers live in the register
//! file, and results in `out`. State and slots are read where the caller has them, without a copy.
//!
//! No value lives longer than it must, for the allocator's work grows with what lives at once, and what
//! does not fit into the processor's registers is written to memory and read back: values are computed
//! by demand, results are stored as they come, and what stands in memory is read where it is used. Only
//! the states of small models are read once.

use super::super::program::{Instruction, Operation, Program, Register};
use super::functions;
use super::order::{Source, Step, by_demand};
use crate::symbolic::{Binary, Unary};
use cranelift_codegen::Context;
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::{AbiParam, InstBuilder, MemFlagsData, SigRef, Signature, Value, types};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::JITModule;
use cranelift_module::{FuncId, Module};
use rustc_hash::{FxHashMap, FxHashSet};

/// Instructions in one function: the register allocator takes more than linear time.
const LONGEST: usize = 1000;

/// A function that reads at most so many states keeps them in registers: half of those that a
/// processor has for numbers. More would drive out what is being computed.
const MOST_KEPT: usize = 8;

/// Translates the body into functions to be called in order. `None` when the translation fails.
pub(super) fn body(module: &mut JITModule, program: &Program) -> Option<Vec<FuncId>> {
    let mut parts: Vec<&[Instruction]> = program.body().instructions.chunks(LONGEST).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    let mut shared = FunctionBuilderContext::new();
    let mut context = module.make_context();
    // Results that have come to `out`; the others still stand in the file.
    let mut delivered = FxHashSet::default();
    let last = parts.len() - 1;
    let mut found = Vec::with_capacity(parts.len());
    for (at, (part, read_later)) in parts.iter().zip(read_later(&parts)).enumerate() {
        context.func.signature = signature(module);
        let id = module
            .declare_anonymous_function(&context.func.signature)
            .ok()?;
        let place = Part {
            program,
            read_later,
            is_last: at == last,
        };
        place.translate(module, &mut context, &mut shared, part, &mut delivered);
        module.define_function(id, &mut context).ok()?;
        module.clear_context(&mut context);
        found.push(id);
    }
    Some(found)
}

/// For each part the registers that later parts read before they write them.
fn read_later(parts: &[&[Instruction]]) -> Vec<FxHashSet<usize>> {
    let mut wanted: FxHashSet<usize> = FxHashSet::default();
    let mut found = Vec::with_capacity(parts.len());
    for part in parts.iter().rev() {
        found.push(wanted.clone());
        for instruction in part.iter().rev() {
            wanted.remove(&instruction.to.index());
            wanted.extend(instruction.reads().iter().map(|read| read.index()));
        }
    }
    found.reverse();
    found
}

/// That of `Entry`.
fn signature(module: &JITModule) -> Signature {
    let pointer = module.target_config().pointer_type();
    let mut signature = module.make_signature();
    for kind in [pointer, types::F64, pointer, pointer, pointer] {
        signature.params.push(AbiParam::new(kind));
    }
    signature
}

/// Which part of the body a function is.
struct Part<'p> {
    program: &'p Program,
    read_later: FxHashSet<usize>,
    is_last: bool,
}

impl Part<'_> {
    /// Whether what a register holds after this part is read: results, and what later parts take.
    fn is_wanted(&self, register: Register) -> bool {
        let register = register.index();
        self.program.out().contains(&register) || self.read_later.contains(&register)
    }

    /// The states that these instructions read, if they are few enough to be kept.
    fn few_states(&self, instructions: &[Instruction]) -> Vec<Register> {
        let states = self.program.state().registers();
        let read = instructions.iter().flat_map(Instruction::reads).copied();
        let mut found: Vec<Register> = read
            .filter(|register| states.contains(&register.index()))
            .collect();
        found.sort_unstable();
        found.dedup();
        if found.len() > MOST_KEPT {
            found.clear();
        }
        found
    }

    fn translate(
        &self,
        module: &JITModule,
        context: &mut Context,
        shared: &mut FunctionBuilderContext,
        instructions: &[Instruction],
        delivered: &mut FxHashSet<usize>,
    ) {
        let mut builder = FunctionBuilder::new(&mut context.func, shared);
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        let arguments = builder.block_params(block).to_vec();
        let &[file, time, state, slots, out] = arguments.as_slice() else {
            return;
        };
        let one = builder.import_signature(of_numbers(module, 1));
        let two = builder.import_signature(of_numbers(module, 2));
        let mut writer = Writer {
            program: self.program,
            pointer: module.target_config().pointer_type(),
            builder,
            file,
            time,
            state,
            slots,
            out,
            one,
            two,
            computed: vec![None; instructions.len()],
            loaded: FxHashMap::default(),
            delivered,
        };
        let steps = by_demand(instructions, |register| self.is_wanted(register));
        writer.keep(&self.few_states(instructions));
        writer.keep(&overwritten(instructions, &steps));
        for step in &steps {
            if let Some(instruction) = instructions.get(step.number) {
                writer.step(instruction, step);
            }
        }
        for step in &steps {
            writer.note_delivered(step);
        }
        if self.is_last {
            writer.deliver_rest();
        }
        let Writer { mut builder, .. } = writer;
        builder.ins().return_(&[]);
        builder.seal_all_blocks();
        builder.finalize(module.target_config());
    }
}

/// The registers that a function reads and writes: whoever needs what stood there may come after the
/// writer.
fn overwritten(instructions: &[Instruction], steps: &[Step]) -> Vec<Register> {
    let written: FxHashSet<Register> = steps.iter().filter_map(|step| step.wanted).collect();
    let mut found = Vec::new();
    for step in steps {
        let arity = instructions[step.number].operation.arity();
        for operand in &step.operands[..arity] {
            match operand {
                Source::Memory(register) if written.contains(register) => found.push(*register),
                _ => {}
            }
        }
    }
    found
}

/// The signature of a function of `count` numbers.
fn of_numbers(module: &JITModule, count: usize) -> Signature {
    let mut signature = module.make_signature();
    signature.params = vec![AbiParam::new(types::F64); count];
    signature.returns.push(AbiParam::new(types::F64));
    signature
}

/// Writes one function.
struct Writer<'a, 'b> {
    program: &'a Program,
    pointer: types::Type,
    builder: FunctionBuilder<'b>,
    file: Value,
    time: Value,
    state: Value,
    slots: Value,
    out: Value,
    one: SigRef,
    two: SigRef,
    /// The results so far, by the numbers of their instructions.
    computed: Vec<Option<Value>>,
    /// What was read from memory and is to stay.
    loaded: FxHashMap<usize, Value>,
    /// Results that earlier functions have put into `out`.
    delivered: &'a mut FxHashSet<usize>,
}

impl Writer<'_, '_> {
    fn load(&mut self, base: Value, index: usize) -> Value {
        let offset = i32::try_from(8 * index).unwrap_or(i32::MAX);
        let flags = MemFlagsData::trusted();
        self.builder.ins().load(types::F64, flags, base, offset)
    }

    fn store(&mut self, value: Value, base: Value, index: usize) {
        let offset = i32::try_from(8 * index).unwrap_or(i32::MAX);
        self.builder
            .ins()
            .store(MemFlagsData::trusted(), value, base, offset);
    }

    /// What a register holds when the function begins.
    fn read(&mut self, register: Register) -> Value {
        let register = register.index();
        if let Some(value) = self.loaded.get(&register) {
            return *value;
        }
        let program = self.program;
        if register == program.time().index() {
            self.time
        } else if program.state().registers().contains(&register) {
            self.load(self.state, register - program.state().register)
        } else if program.slots().registers().contains(&register) {
            self.load(self.slots, register - program.slots().register)
        } else if self.delivered.contains(&register) {
            self.load(self.out, register - program.out().start)
        } else {
            self.load(self.file, register)
        }
    }

    /// Reads these registers now, for all who need them.
    fn keep(&mut self, registers: &[Register]) {
        for register in registers {
            let value = self.read(*register);
            self.loaded.insert(register.index(), value);
        }
    }

    fn note_delivered(&mut self, step: &Step) {
        let wanted = step.wanted.map(Register::index);
        self.delivered
            .extend(wanted.filter(|register| self.program.out().contains(register)));
    }

    /// Puts results that parameters alone determine, and so stand in the file, into `out`.
    fn deliver_rest(&mut self) {
        let out = self.program.out();
        for register in out.clone() {
            if !self.delivered.contains(&register) {
                let value = self.load(self.file, register);
                self.store(value, self.out, register - out.start);
            }
        }
    }

    /// Computes one instruction, and stores its result where it is wanted: a result of the program in
    /// `out`, what later functions read in the file.
    fn step(&mut self, instruction: &Instruction, step: &Step) {
        let value = self.compute(instruction.operation, &step.operands);
        if let Some(computed) = self.computed.get_mut(step.number) {
            *computed = Some(value);
        }
        let out = self.program.out();
        match step.wanted.map(Register::index) {
            Some(register) if out.contains(&register) => {
                self.store(value, self.out, register - out.start);
            }
            Some(register) => self.store(value, self.file, register),
            None => {}
        }
    }

    /// An operand. What stands in memory is to be asked for right before it is used: then the
    /// operation itself reads it.
    fn operand(&mut self, source: Source) -> Value {
        match source {
            Source::Memory(register) => self.read(register),
            Source::Computed(number) => match self.computed.get(number) {
                Some(Some(value)) => *value,
                // Operands come before their users.
                _ => self.builder.ins().f64const(f64::NAN),
            },
        }
    }

    fn compute(&mut self, operation: Operation, operands: &[Source; 3]) -> Value {
        let [a, b, c] = *operands;
        match operation {
            Operation::Copy | Operation::Block => self.operand(a),
            Operation::Negate => self.unary(Unary::Negate, a),
            Operation::Add => self.binary(Binary::Add, a, b),
            Operation::Subtract => self.binary(Binary::Subtract, a, b),
            Operation::Multiply => self.binary(Binary::Multiply, a, b),
            Operation::Divide => self.binary(Binary::Divide, a, b),
            Operation::Select => {
                let (a, b, c) = (self.operand(a), self.operand(b), self.operand(c));
                let chosen = self.is_true(a);
                self.builder.ins().select(chosen, b, c)
            }
            Operation::Unary(function) => self.unary(function, a),
            Operation::Binary(function) => self.binary(function, a, b),
            _ => self.two_steps(operation, [a, b, c]),
        }
    }

    /// Each step rounds: two instructions.
    fn two_steps(&mut self, operation: Operation, [a, b, c]: [Source; 3]) -> Value {
        use Operation::*;
        let ins = |writer: &mut Self, kind: Operation, x: Value, y: Value| {
            let ins = writer.builder.ins();
            match kind {
                Add => ins.fadd(x, y),
                Subtract => ins.fsub(x, y),
                _ => ins.fmul(x, y),
            }
        };
        let (first, second) = match operation {
            MultiplyAdd => (Multiply, Add),
            MultiplySubtract | SubtractProduct => (Multiply, Subtract),
            AddAdd => (Add, Add),
            AddSubtract => (Add, Subtract),
            SubtractAdd => (Subtract, Add),
            SubtractSubtract => (Subtract, Subtract),
            AddMultiply => (Add, Multiply),
            SubtractMultiply => (Subtract, Multiply),
            _ => (Multiply, Multiply),
        };
        let (a, b) = (self.operand(a), self.operand(b));
        let inner = ins(self, first, a, b);
        let c = self.operand(c);
        match operation {
            SubtractProduct => ins(self, second, c, inner),
            _ => ins(self, second, inner, c),
        }
    }

    /// Whether a number is not 0; NaN is not.
    fn is_true(&mut self, number: Value) -> Value {
        let zero = self.builder.ins().f64const(0.0);
        self.builder.ins().fcmp(FloatCC::NotEqual, number, zero)
    }

    /// 1 or 0.
    fn truth(&mut self, condition: Value) -> Value {
        let one = self.builder.ins().f64const(1.0);
        let zero = self.builder.ins().f64const(0.0);
        self.builder.ins().select(condition, one, zero)
    }

    fn unary(&mut self, function: Unary, a: Source) -> Value {
        let a = self.operand(a);
        match function {
            Unary::Negate => self.builder.ins().fneg(a),
            Unary::Abs => self.builder.ins().fabs(a),
            Unary::Sqrt => self.builder.ins().sqrt(a),
            Unary::Not => {
                let zero = self.builder.ins().f64const(0.0);
                let equal = self.builder.ins().fcmp(FloatCC::Equal, a, zero);
                self.truth(equal)
            }
            Unary::Positive => {
                let zero = self.builder.ins().f64const(0.0);
                let none = self.builder.ins().f64const(f64::NAN);
                let above = self.builder.ins().fcmp(FloatCC::GreaterThan, a, zero);
                self.builder.ins().select(above, a, none)
            }
            _ => self.call(functions::unary(function), self.one, &[a]),
        }
    }

    fn binary(&mut self, function: Binary, a: Source, b: Source) -> Value {
        let (a, b) = (self.operand(a), self.operand(b));
        let comparison = match function {
            Binary::Add => return self.builder.ins().fadd(a, b),
            Binary::Subtract => return self.builder.ins().fsub(a, b),
            Binary::Multiply => return self.builder.ins().fmul(a, b),
            Binary::Divide => return self.builder.ins().fdiv(a, b),
            Binary::Minimum => return self.first_if(FloatCC::LessThanOrEqual, a, b),
            Binary::Maximum => return self.first_if(FloatCC::GreaterThanOrEqual, a, b),
            Binary::And => {
                let (a, b) = (self.is_true(a), self.is_true(b));
                let both = self.builder.ins().band(a, b);
                return self.truth(both);
            }
            Binary::Or => {
                let (a, b) = (self.is_true(a), self.is_true(b));
                let either = self.builder.ins().bor(a, b);
                return self.truth(either);
            }
            Binary::Power | Binary::Atan2 | Binary::Modulo | Binary::Hill | Binary::HillSlope => {
                return self.call(functions::binary(function), self.two, &[a, b]);
            }
            Binary::Equal => FloatCC::Equal,
            Binary::NotEqual => FloatCC::NotEqual,
            Binary::Less => FloatCC::LessThan,
            Binary::LessEqual => FloatCC::LessThanOrEqual,
            Binary::Greater => FloatCC::GreaterThan,
            Binary::GreaterEqual => FloatCC::GreaterThanOrEqual,
        };
        let holds = self.builder.ins().fcmp(comparison, a, b);
        self.truth(holds)
    }

    /// a where the comparison holds or a is NaN, else b.
    fn first_if(&mut self, comparison: FloatCC, a: Value, b: Value) -> Value {
        let holds = self.builder.ins().fcmp(comparison, a, b);
        let is_nan = self.builder.ins().fcmp(FloatCC::Unordered, a, a);
        let first = self.builder.ins().bor(holds, is_nan);
        self.builder.ins().select(first, a, b)
    }

    fn call(&mut self, address: *const u8, signature: SigRef, arguments: &[Value]) -> Value {
        let address = i64::try_from(address.addr()).unwrap_or(0);
        let callee = self.builder.ins().iconst(self.pointer, address);
        let call = self
            .builder
            .ins()
            .call_indirect(signature, callee, arguments);
        self.builder.inst_results(call)[0]
    }
}
