//! From instructions to Cranelift's intermediate form.
//!
//! A body is cut into functions of bounded length, so that the time to translate it stays linear.
//! Within a function what it has computed are values; between functions registers live in the register
//! file, and results in `out`. State and slots are read where the caller has them, without a copy.
//!
//! No value lives longer than it must, for the allocator's work grows with what lives at once, and what
//! does not fit into the processor's registers is written to memory and read back: results are stored as
//! they come, and what stands in memory is read anew where it is used.

use super::super::program::{Instruction, Operation, Program, Register};
use super::functions;
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
            values: FxHashMap::default(),
            delivered,
        };
        let numbered = instructions.iter().enumerate();
        let last_writes: FxHashMap<usize, usize> = numbered
            .map(|(at, instruction)| (instruction.to.index(), at))
            .collect();
        for (at, instruction) in instructions.iter().enumerate() {
            writer.instruction(instruction);
            let register = instruction.to.index();
            if last_writes.get(&register) == Some(&at) {
                writer.keep(register, &self.read_later);
            }
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
    /// What registers hold that the function has written.
    values: FxHashMap<usize, Value>,
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

    /// The value of a register.
    fn read(&mut self, register: Register) -> Value {
        let register = register.index();
        if let Some(value) = self.values.get(&register) {
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

    /// Stores what a register holds at the end of the function: a result into `out`, and what later
    /// functions read into the file.
    fn keep(&mut self, register: usize, read_later: &FxHashSet<usize>) {
        let Some(&value) = self.values.get(&register) else {
            return;
        };
        let out = self.program.out();
        if out.contains(&register) {
            self.store(value, self.out, register - out.start);
            self.delivered.insert(register);
        } else if read_later.contains(&register) {
            self.store(value, self.file, register);
        }
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

    fn instruction(&mut self, instruction: &Instruction) {
        let mut operands = [self.file; 3];
        for (operand, register) in operands.iter_mut().zip(instruction.reads()) {
            *operand = self.read(*register);
        }
        let value = self.compute(instruction.operation, operands);
        self.values.insert(instruction.to.index(), value);
    }

    fn compute(&mut self, operation: Operation, [a, b, c]: [Value; 3]) -> Value {
        match operation {
            Operation::Copy | Operation::Block => a,
            Operation::Negate => self.builder.ins().fneg(a),
            Operation::Add => self.builder.ins().fadd(a, b),
            Operation::Subtract => self.builder.ins().fsub(a, b),
            Operation::Multiply => self.builder.ins().fmul(a, b),
            Operation::Divide => self.builder.ins().fdiv(a, b),
            Operation::Select => {
                let chosen = self.is_true(a);
                self.builder.ins().select(chosen, b, c)
            }
            Operation::Unary(function) => self.unary(function, a),
            Operation::Binary(function) => self.binary(function, a, b),
            _ => self.two_steps(operation, [a, b, c]),
        }
    }

    /// Each step rounds: two instructions.
    fn two_steps(&mut self, operation: Operation, [a, b, c]: [Value; 3]) -> Value {
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
            MultiplySubtract => (Multiply, Subtract),
            AddAdd => (Add, Add),
            AddSubtract => (Add, Subtract),
            SubtractAdd => (Subtract, Add),
            SubtractSubtract => (Subtract, Subtract),
            AddMultiply => (Add, Multiply),
            SubtractMultiply => (Subtract, Multiply),
            SubtractProduct => {
                let product = ins(self, Multiply, a, b);
                return ins(self, Subtract, c, product);
            }
            _ => (Multiply, Multiply),
        };
        let inner = ins(self, first, a, b);
        ins(self, second, inner, c)
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

    fn unary(&mut self, function: Unary, a: Value) -> Value {
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

    fn binary(&mut self, function: Binary, a: Value, b: Value) -> Value {
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
