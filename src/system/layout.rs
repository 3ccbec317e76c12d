//! Where quantities stand in a flat vector of numbers.

use crate::symbolic::{Pool, Shape, SymbolId};

/// One quantity in the vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Its symbol.
    pub symbol: SymbolId,
    /// Its shape; matrices are laid out column by column.
    pub shape: Shape,
    /// The position of its first number.
    pub offset: usize,
}

impl Block {
    /// The positions of its numbers.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.shape.len()
    }
}

/// Quantities one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    blocks: Vec<Block>,
    len: usize,
}

impl Layout {
    pub(super) fn new(pool: &Pool, symbols: impl Iterator<Item = SymbolId>) -> Layout {
        let mut layout = Layout::default();
        for symbol in symbols {
            let shape = pool.symbol_data(symbol).shape;
            layout.blocks.push(Block {
                symbol,
                shape,
                offset: layout.len,
            });
            layout.len += shape.len();
        }
        layout
    }

    /// The quantities in order.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// How many numbers there are in all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The quantity that holds a position, and which of its numbers it is.
    #[must_use]
    pub fn locate(&self, position: usize) -> Option<(usize, usize)> {
        let block = self
            .blocks
            .partition_point(|block| block.offset + block.shape.len() <= position);
        let found = self.blocks.get(block)?;
        found
            .range()
            .contains(&position)
            .then(|| (block, position - found.offset))
    }
}
