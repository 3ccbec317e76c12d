//! Where the symbols of an expression find their numbers, and where results go.
//!
//! Enters: symbol ids with offsets into the slices that a kernel is called with. Leaves: the
//! answer to "where is this symbol". Must not know names, units or what a slot stands for.

use crate::symbolic::{Expr, SymbolId};
use rustc_hash::FxHashMap;
use std::fmt;

/// Where the first number of a symbol stands; the numbers of vectors and matrices follow it,
/// column by column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The time `t`. For scalars only.
    Time,
    /// An offset into the state.
    State(usize),
    /// An offset into the parameters.
    Parameter(usize),
    /// An offset into the slots: inputs, delayed values, noise, directions, frozen event modes.
    Slot(usize),
}

/// The places of all symbols that the expressions of one model may name.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    places: FxHashMap<SymbolId, Place>,
}

impl Layout {
    /// A layout without symbols.
    #[must_use]
    pub fn new() -> Layout {
        Layout::default()
    }

    /// Gives a symbol its place. A symbol placed before moves. Symbols may share numbers (a
    /// vector and its elements, say).
    pub fn insert(&mut self, symbol: SymbolId, place: Place) -> &mut Layout {
        self.places.insert(symbol, place);
        self
    }

    /// The place of a symbol, if it has one.
    #[must_use]
    pub fn place(&self, symbol: SymbolId) -> Option<Place> {
        self.places.get(&symbol).copied()
    }
}

/// One result of a compiled function. Offsets count from the start of `out`. No two `Assign`s may
/// name the same entry, nor an `Assign` and a `Scatter`. Entries that no output names are
/// written as 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// The numbers of `expr`, column by column, from offset `at` on.
    Assign {
        /// What is computed.
        expr: Expr,
        /// Offset of its first number.
        at: usize,
    },
    /// Number k of `expr` is added to entry `at[k]`. Each entry named by a `Scatter` becomes the
    /// sum of all its contributions, in the order of the outputs.
    Scatter {
        /// What is computed.
        expr: Expr,
        /// One entry for each number of `expr`.
        at: Box<[u32]>,
    },
}

impl Output {
    /// The expression whose value goes out.
    #[must_use]
    pub fn expr(&self) -> Expr {
        match self {
            Output::Assign { expr, .. } | Output::Scatter { expr, .. } => *expr,
        }
    }
}

/// Why expressions could not be compiled. All of these are mistakes of the caller, none of the
/// person who wrote a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LowerError {
    /// The layout has no place for this symbol.
    NoPlace(SymbolId),
    /// A vector or matrix was placed at `Place::Time`.
    TimeNotScalar(SymbolId),
    /// A gradient that was not expanded is left in this expression.
    Gradient(Expr),
    /// An output reaches this entry, beyond the end of `out`.
    OutsideOut(usize),
    /// Two outputs that exclude each other name this entry.
    Overlap(usize),
    /// A `Scatter` whose number of entries is not the number of values.
    ScatterLength {
        /// Numbers in the expression.
        values: usize,
        /// Entries named.
        entries: usize,
    },
    /// More than 2^32 - 1 registers.
    TooLarge,
}

impl fmt::Display for LowerError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LowerError::NoPlace(symbol) => write!(out, "symbol {} has no place", symbol.0),
            LowerError::TimeNotScalar(symbol) => {
                write!(out, "symbol {} stands for time but is no scalar", symbol.0)
            }
            LowerError::Gradient(expr) => {
                write!(out, "expression {} is an unexpanded gradient", expr.index())
            }
            LowerError::OutsideOut(at) => write!(out, "output entry {at} is out of range"),
            LowerError::Overlap(at) => write!(out, "output entry {at} is given twice"),
            LowerError::ScatterLength { values, entries } => {
                write!(out, "{values} values scattered to {entries} entries")
            }
            LowerError::TooLarge => write!(out, "more registers than 32 bits can count"),
        }
    }
}

impl std::error::Error for LowerError {}
