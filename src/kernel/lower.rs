//! The lowering: from expressions to the program that all executors run.
//!
//! Enters: a pool, the places of its symbols and the wanted outputs. Leaves: a [`Program`].
//! One pass over the expressions that are needed, in the order of their ids, writes instructions
//! on values; `schedule` may reorder them and `allocate` gives the values registers. Single numbers become scalar
//! instructions; vectors and matrices become blocks, which stay loops however long they are.
//! Values that go out are computed where they go out, as are the elements of stacks.
//! Must not know how programs are executed.

use super::allocate::allocate;
use super::block::{Block, BlockOperation, Span};
use super::draft::{Draft, Virtual};
use super::layout::{Layout, LowerError, Output};
use super::outputs::{Writes, sort_outputs};
use super::plan::{Phase, Plan, Scaling, power_form};
use super::program::{Operation, Program};
use super::schedule::schedule;
use crate::symbolic::{Binary, Expr, Node, Pool, PowerForm, Shape, Unary};
use std::sync::Arc;

/// Compiles the outputs to a program that writes `out_len` numbers.
///
/// # Errors
/// See [`LowerError`].
pub fn lower(
    pool: &Pool,
    layout: &Layout,
    outputs: &[Output],
    out_len: usize,
) -> Result<Program, LowerError> {
    let writes = sort_outputs(pool, outputs, out_len)?;
    let roots: Vec<Expr> = outputs.iter().map(Output::expr).collect();
    let plan = Plan::new(pool, layout, &roots)?;
    let mut lowering = Lowering {
        pool,
        layout,
        plan: &plan,
        draft: Draft::new(out_len),
        homes: vec![None; plan.order.len()],
    };
    lowering.choose_homes(&writes);
    for &expr in &plan.order {
        let fate = plan.fate(expr);
        if fate.uses > 0 && !fate.absorbed {
            lowering.compute(expr);
        }
    }
    lowering.write_out(&writes);
    let mut draft = lowering.draft;
    schedule(&mut draft.prologue);
    schedule(&mut draft.body);
    allocate(draft)
}

struct Lowering<'a> {
    pool: &'a Pool,
    layout: &'a Layout,
    plan: &'a Plan,
    draft: Draft,
    /// Where each expression of the plan stands or is to be written, by position in the plan.
    homes: Vec<Option<Virtual>>,
}

/// An expression being computed: when, and where it goes.
#[derive(Clone, Copy)]
struct Target {
    phase: Phase,
    shape: Shape,
    to: Virtual,
}

impl Lowering<'_> {
    /// Decides which values are computed directly in `out` or inside a stack.
    fn choose_homes(&mut self, writes: &Writes) {
        for &(expr, at) in &writes.ranges {
            self.offer_home(expr, Virtual::OUT.plus(at));
        }
        for &expr in self.plan.order.iter().rev() {
            let Node::Stack(elements, shape) = self.pool.node(expr) else {
                continue;
            };
            if self.plan.fate(expr).uses == 0 {
                continue;
            }
            let position = self.plan.position(expr);
            let home = match self.homes[position] {
                Some(home) => home,
                None => self.draft.new_value(shape.len()),
            };
            self.homes[position] = Some(home);
            for (offset, &element) in elements.iter().enumerate() {
                self.offer_home(element, home.plus(offset));
            }
        }
    }

    /// Takes the home for an expression that has a value of its own and no home yet.
    fn offer_home(&mut self, expr: Expr, home: Virtual) {
        let elsewhere = matches!(
            self.pool.node(expr),
            Node::Constant(_) | Node::Symbol(_) | Node::Element(..)
        );
        let known = &mut self.homes[self.plan.position(expr)];
        if !elsewhere && known.is_none() {
            *known = Some(home);
        }
    }

    /// Where an expression that was computed stands.
    fn home(&self, expr: Expr) -> Virtual {
        // Operands are computed before their users, so there always is a home.
        let home = self.homes[self.plan.position(expr)];
        debug_assert!(home.is_some());
        home.unwrap_or(Virtual::CONSTANTS)
    }

    fn span(&self, expr: Expr) -> Span<Virtual> {
        Span {
            start: self.home(expr),
            len: self.pool.shape(expr).len(),
        }
    }

    /// Writes what computes one expression from operands that have been computed.
    fn compute(&mut self, expr: Expr) {
        let position = self.plan.position(expr);
        let shape = self.pool.shape(expr);
        let to = match (self.pool.node(expr), self.homes[position]) {
            (Node::Constant(bits), _) => self.draft.constant(f64::from_bits(*bits)),
            (Node::Symbol(symbol), _) => match self.layout.place(*symbol) {
                Some(place) => self.draft.input(place, shape.len()),
                // The plan has refused symbols without a place.
                None => return,
            },
            (Node::Element(base, offset), _) => self.home(*base).plus(*offset as usize),
            (_, Some(home)) => home,
            (_, None) => self.draft.new_value(shape.len()),
        };
        self.homes[position] = Some(to);
        if !shape.is_empty() {
            let phase = self.plan.fate(expr).phase;
            self.operate(expr, Target { phase, shape, to });
        }
    }

    fn operate(&mut self, expr: Expr, target: Target) {
        if let Some(fused) = self.plan.fate(expr).fused {
            let operands = fused.operands.map(|operand| self.home(operand));
            self.draft
                .scalar(target.phase, fused.operation, target.to, &operands);
            return;
        }
        match *self.pool.node(expr) {
            Node::Constant(_) | Node::Symbol(_) | Node::Element(..) => {}
            // The plan has refused gradients.
            Node::Gradient(..) => {}
            Node::Unary(function, a) => self.each(target, BlockOperation::Unary(function), &[a]),
            Node::Binary(Binary::Power, a, b) => self.power(target, a, b),
            Node::Binary(function, a, b) => {
                self.each(target, BlockOperation::Binary(function), &[a, b]);
            }
            Node::If(condition, a, b) => {
                self.each(target, BlockOperation::Select, &[condition, a, b]);
            }
            Node::Fill(a, _) => self.each(target, BlockOperation::Copy, &[a]),
            Node::Stack(ref elements, _) => self.stack(target, elements),
            Node::Array(ref numbers, _) => {
                for (at, bits) in numbers.iter().enumerate() {
                    let from = self.draft.constant(f64::from_bits(*bits));
                    self.draft.copy(target.phase, from, target.to.plus(at), 1);
                }
            }
            Node::Product(a, b) => self.product(target, a, b),
            Node::Transpose(a) if target.shape.rows().min(target.shape.columns()) == 1 => {
                // Of a single row or column only the shape changes.
                let from = self.home(a);
                self.draft
                    .copy(target.phase, from, target.to, target.shape.len());
            }
            Node::Transpose(a) => self.whole(target, BlockOperation::Transpose, &[a]),
            Node::Inverse(a) => self.whole(target, BlockOperation::Inverse, &[a]),
            Node::Diagonal(a) => self.whole(target, BlockOperation::Diagonal, &[a]),
            Node::Sum(a) => self.whole(target, BlockOperation::Sum, &[a]),
            Node::Dot(a, b) => self.whole(target, BlockOperation::Dot, &[a, b]),
            Node::Outer(a, b) => self.whole(target, BlockOperation::Outer, &[a, b]),
        }
    }

    fn whole(&mut self, target: Target, operation: BlockOperation, operands: &[Expr]) {
        let operands: Vec<_> = operands.iter().map(|&operand| self.span(operand)).collect();
        self.draft
            .whole(target.phase, operation, target.shape, target.to, &operands);
    }

    fn each(&mut self, target: Target, operation: BlockOperation, operands: &[Expr]) {
        let operands: Vec<_> = operands.iter().map(|&operand| self.span(operand)).collect();
        self.each_span(target, operation, &operands);
    }

    fn each_span(&mut self, target: Target, operation: BlockOperation, operands: &[Span<Virtual>]) {
        self.draft
            .each(target.phase, operation, target.shape, target.to, operands);
    }

    /// A power, as [`PowerForm`] lays down.
    fn power(&mut self, target: Target, a: Expr, exponent: Expr) {
        const MULTIPLY: BlockOperation = BlockOperation::Binary(Binary::Multiply);
        const DIVIDE: BlockOperation = BlockOperation::Binary(Binary::Divide);
        let form = power_form(self.pool, exponent);
        if form == PowerForm::One {
            let one = self.one();
            return self.each_span(target, BlockOperation::Copy, &[one]);
        }
        let x = self.span(a);
        match form {
            PowerForm::One | PowerForm::Base => self.each_span(target, BlockOperation::Copy, &[x]),
            PowerForm::Square => self.each_span(target, MULTIPLY, &[x, x]),
            PowerForm::Cube => {
                let square = self.square(target, x);
                self.each_span(target, MULTIPLY, &[square, x]);
            }
            PowerForm::Fourth => {
                let square = self.square(target, x);
                self.each_span(target, MULTIPLY, &[square, square]);
            }
            PowerForm::Reciprocal => {
                let one = self.one();
                self.each_span(target, DIVIDE, &[one, x]);
            }
            PowerForm::ReciprocalSquare => {
                let (one, square) = (self.one(), self.square(target, x));
                self.each_span(target, DIVIDE, &[one, square]);
            }
            PowerForm::SquareRoot => {
                self.each_span(target, BlockOperation::Unary(Unary::Sqrt), &[x]);
            }
            PowerForm::General => {
                self.each(
                    target,
                    BlockOperation::Binary(Binary::Power),
                    &[a, exponent],
                );
            }
        }
    }

    fn one(&mut self) -> Span<Virtual> {
        Span {
            start: self.draft.constant(1.0),
            len: 1,
        }
    }

    fn square(&mut self, target: Target, x: Span<Virtual>) -> Span<Virtual> {
        let to = self.draft.new_value(target.shape.len());
        let square = Target { to, ..target };
        self.each_span(square, BlockOperation::Binary(Binary::Multiply), &[x, x]);
        Span {
            start: to,
            len: target.shape.len(),
        }
    }

    fn product(&mut self, target: Target, a: Expr, b: Expr) {
        match Scaling::of(self.pool, a, b) {
            Some(Scaling::Columns { matrix, vector }) => {
                self.whole(target, BlockOperation::ScaleColumns, &[matrix, vector]);
            }
            Some(Scaling::Rows { matrix, vector }) => {
                self.whole(target, BlockOperation::ScaleRows, &[matrix, vector]);
            }
            None => {
                let inner = self.pool.shape(a).columns();
                self.whole(target, BlockOperation::Product { inner }, &[a, b]);
            }
        }
    }

    /// Brings in the elements that were not computed in place, neighbours together.
    fn stack(&mut self, target: Target, elements: &[Expr]) {
        let mut start = 0;
        while let Some(&element) = elements.get(start) {
            let from = self.home(element);
            let run = elements[start..]
                .iter()
                .enumerate()
                .take_while(|&(offset, &element)| self.home(element) == from.plus(offset))
                .count();
            self.draft
                .copy(target.phase, from, target.to.plus(start), run);
            start += run;
        }
    }

    /// Writes what was not computed in place.
    fn write_out(&mut self, writes: &Writes) {
        for &(expr, at) in &writes.ranges {
            let span = self.span(expr);
            let phase = self.plan.fate(expr).phase;
            self.draft
                .copy(phase, span.start, Virtual::OUT.plus(at), span.len);
        }
        for (expr, at) in &writes.stores {
            let operation = BlockOperation::ScatterStore(at.clone());
            self.scatter(self.plan.fate(*expr).phase, operation, &[*expr]);
        }
        for (&at, terms) in &writes.sums {
            self.sum_up(Virtual::OUT.plus(at), terms);
        }
        if !writes.cleared.is_empty() {
            let operation = BlockOperation::Clear(Arc::from(&*writes.cleared));
            self.scatter(Phase::Body, operation, &[]);
        }
        for (expr, at) in &writes.additions {
            let operation = BlockOperation::ScatterAdd(at.clone());
            self.scatter(Phase::Body, operation, &[*expr]);
        }
    }

    fn scatter(&mut self, phase: Phase, operation: BlockOperation, from: &[Expr]) {
        let none = Span {
            start: Virtual::OUT,
            len: 0,
        };
        let from = from.first().map_or(none, |&expr| self.span(expr));
        let block = Block {
            operation,
            rows: from.len,
            columns: 1,
            to: Span {
                start: Virtual::OUT,
                len: self.draft.out_len,
            },
            work: none,
            operands: [from, none, none],
        };
        self.draft.block(phase, block);
    }

    /// Adds up single numbers from the first to the last.
    fn sum_up(&mut self, to: Virtual, terms: &[Expr]) {
        let phase = |expr: &Expr| self.plan.fate(*expr).phase;
        let phase = terms.iter().map(phase).max().unwrap_or(Phase::Prologue);
        let mut sum = None;
        for &term in terms {
            let term = self.home(term);
            match sum {
                None => sum = Some(term),
                Some(sum_so_far) => {
                    self.draft
                        .scalar(phase, Operation::Add, to, &[sum_so_far, term]);
                    sum = Some(to);
                }
            }
        }
    }
}
