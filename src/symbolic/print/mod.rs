//! Expressions and operators as text: in the language, and in LaTeX.
//!
//! Enters: expressions, names. Leaves: text with as few brackets as the language needs. Terms of a
//! sum may change places for reading (`a - b` in place of `-b + a`), and brackets that only
//! regroup a sum or product of scalars are left out; the mathematics is the same, the last bit of
//! a value computed from the text may not be. Must not know the terminal.
//!
//! Printing is a stack of pieces still to be written, so that no nesting is too deep.

mod latex;
mod layout;
mod name;
mod operator;

use super::{Expr, Operator, Pool, SymbolId};
use layout::Piece;

/// Longer text than this ends in `...`: shared parts are written out wherever they stand, so
/// that the text of a small graph can be arbitrarily long.
const LONGEST_TEXT: usize = 1 << 20;

/// How symbols and their elements are called.
pub trait Names {
    /// The name of a symbol, when it is not the pool's.
    fn symbol(&self, _symbol: SymbolId) -> Option<String> {
        None
    }

    /// What stands in brackets behind a vector or matrix: `GATA1` in `y[GATA1]`. The offset counts
    /// column by column from 0. Without an answer it is the place, counted from 1.
    fn element(&self, _symbol: SymbolId, _offset: usize) -> Option<String> {
        None
    }
}

/// The pool's names, and places counted from 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainNames;

impl Names for PlainNames {}

/// The notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// The language itself.
    Text,
    /// Mathematics for LaTeX (with amsmath), without dollar signs.
    Latex,
}

/// The expression in the language, with the pool's names.
#[must_use]
pub fn to_text(pool: &Pool, expr: Expr) -> String {
    print(pool, expr, Notation::Text, &PlainNames)
}

/// The expression in LaTeX, with the pool's names.
#[must_use]
pub fn to_latex(pool: &Pool, expr: Expr) -> String {
    print(pool, expr, Notation::Latex, &PlainNames)
}

/// The expression in a notation, with names.
#[must_use]
pub fn print(pool: &Pool, expr: Expr, notation: Notation, names: &dyn Names) -> String {
    let mut writer = Writer::new(pool, notation, names);
    writer.write(vec![Piece::whole(expr)]);
    writer.out
}

/// An operator in a notation, with names: `W*diagonal(f)` for products, `[row, column]: entry`,
/// one to a line and counted from 1, for entries and blocks.
#[must_use]
pub fn print_operator(
    pool: &Pool,
    operator: &Operator,
    notation: Notation,
    names: &dyn Names,
) -> String {
    let mut writer = Writer::new(pool, notation, names);
    writer.write_operator(operator, operator::Place::Alone);
    writer.out
}

/// A greek or multi-letter name in LaTeX, with subscripts: `k_on` becomes `k_{\mathrm{on}}`.
#[must_use]
pub fn latex_name(name: &str) -> String {
    name::latex(name, None)
}

struct Writer<'a> {
    pool: &'a Pool,
    notation: Notation,
    names: &'a dyn Names,
    out: String,
}

impl<'a> Writer<'a> {
    fn new(pool: &'a Pool, notation: Notation, names: &'a dyn Names) -> Writer<'a> {
        Writer {
            pool,
            notation,
            names,
            out: String::new(),
        }
    }

    /// Writes pieces from first to last; each expression becomes pieces in its turn.
    fn write(&mut self, pieces: Vec<Piece>) {
        let mut open = pieces;
        open.reverse();
        while let Some(piece) = open.pop() {
            if self.out.len() > LONGEST_TEXT {
                self.out.push_str("...");
                return;
            }
            match piece {
                Piece::Text(text) => self.out.push_str(&text),
                Piece::Expr {
                    expr,
                    level,
                    absolute,
                } => {
                    let (own, pieces) = self.layout(expr, absolute);
                    let bracketed = own < level;
                    let (left, right) = match self.notation {
                        Notation::Text => ("(", ")"),
                        Notation::Latex => ("\\left(", "\\right)"),
                    };
                    if bracketed {
                        open.push(Piece::text(right));
                    }
                    open.extend(pieces.into_iter().rev());
                    if bracketed {
                        open.push(Piece::text(left));
                    }
                }
            }
        }
    }

    fn symbol_name(&self, symbol: SymbolId) -> String {
        self.names
            .symbol(symbol)
            .unwrap_or_else(|| self.pool.symbol_data(symbol).name.clone())
    }

    /// What stands in brackets behind a symbol for one of its elements.
    fn index(&self, symbol: SymbolId, offset: u32) -> String {
        let offset = offset as usize;
        self.names.element(symbol, offset).unwrap_or_else(|| {
            let shape = self.pool.symbol_data(symbol).shape;
            place(shape, offset)
        })
    }
}

/// A place in a vector or matrix, counted from 1.
fn place(shape: super::Shape, offset: usize) -> String {
    match shape {
        super::Shape::Matrix(rows, _) => {
            format!("{}, {}", offset % rows + 1, offset / rows + 1)
        }
        _ => (offset + 1).to_string(),
    }
}
