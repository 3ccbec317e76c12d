//! Which expressions depend on the symbols to differentiate by.
//!
//! Enters: a set of symbols, expressions. Leaves: yes or no, remembered from call to call while
//! the pool grows. Must not know derivatives.

use crate::symbolic::{Expr, Node, Pool, SymbolId};
use rustc_hash::FxHashSet;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Unknown,
    No,
    Yes,
}

/// The set of symbols, and what is known about expressions so far.
pub(in crate::symbolic) struct Dependence<'s> {
    symbols: &'s FxHashSet<SymbolId>,
    answers: Vec<Answer>,
    open: Vec<Expr>,
    /// Gradient nodes were met that are not worked out.
    gradients: bool,
}

impl<'s> Dependence<'s> {
    pub(in crate::symbolic) fn new(symbols: &'s FxHashSet<SymbolId>) -> Dependence<'s> {
        Dependence {
            symbols,
            answers: Vec::new(),
            open: Vec::new(),
            gradients: false,
        }
    }

    /// True when the expression holds a gradient that matters and is not worked out.
    pub(in crate::symbolic) fn has_gradients(&mut self, pool: &Pool, expr: Expr) -> bool {
        self.gradients = false;
        self.depends(pool, expr);
        std::mem::take(&mut self.gradients)
    }

    /// True when the expression depends on a symbol of the set.
    pub(in crate::symbolic) fn depends(&mut self, pool: &Pool, expr: Expr) -> bool {
        if self.answers.len() <= expr.index() {
            self.answers.resize(pool.len(), Answer::Unknown);
        }
        self.open.push(expr);
        while let Some(&top) = self.open.last() {
            if self.answers[top.index()] != Answer::Unknown {
                self.open.pop();
                continue;
            }
            match self.answer(pool, top) {
                Answer::Unknown => {}
                known => {
                    self.answers[top.index()] = known;
                    self.open.pop();
                }
            }
        }
        self.answers[expr.index()] == Answer::Yes
    }

    /// The answer for one expression when its operands tell; otherwise those are opened. All
    /// operands are looked at even when one would do, so that no gradient is overlooked.
    fn answer(&mut self, pool: &Pool, expr: Expr) -> Answer {
        match *pool.node(expr) {
            Node::Constant(_) => return Answer::No,
            Node::Symbol(symbol) if self.symbols.contains(&symbol) => return Answer::Yes,
            Node::Symbol(_) => return Answer::No,
            Node::Gradient(..) => self.gradients = true,
            _ => {}
        }
        let before = self.open.len();
        let mut answer = Answer::No;
        pool.node(expr)
            .for_each_operand(|operand| match self.answers[operand.index()] {
                Answer::Unknown => self.open.push(operand),
                Answer::Yes => answer = Answer::Yes,
                Answer::No => {}
            });
        if self.open.len() > before {
            Answer::Unknown
        } else {
            answer
        }
    }
}
