//! What a sparsity pattern says of every matrix that has it.
//!
//! Rows and columns can be ordered so that the matrix is block triangular, its diagonal blocks
//! being the strongly connected components of the graph of its entries (R. Tarjan, SIAM J. Comput.
//! 1, 146, 1972). Its eigenvalues are those of the blocks. A variable that acts on no other, and
//! one on which no other acts, is a block of its own.
//!
//! Enters: a pattern. Leaves: its blocks, where its diagonal is, which entries stand opposite each
//! other. Must not know values.

use crate::linalg::Pattern;

/// Stands for an entry that the pattern does not have.
pub(super) const ABSENT: usize = usize::MAX;

/// A pattern cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// The starts do not ascend from 0 to the number of entries.
    Starts,
    /// A row of a column lies outside of the matrix, or does not exceed the one before it.
    Rows {
        /// The column.
        column: usize,
    },
}

/// A strongly connected component of at least two variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Its variables, ascending.
    pub members: Vec<usize>,
    /// Row and column within the block, and position among all entries; those off the diagonal.
    pub entries: Vec<(u32, u32, usize)>,
}

/// A pattern taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    pub(super) starts: Vec<usize>,
    pub(super) rows: Vec<usize>,
    /// The column of each entry.
    pub(super) columns: Vec<u32>,
    /// Where the diagonal's entries are; [`ABSENT`] where it has none.
    pub(super) diagonal: Vec<usize>,
    /// Variables that are a block of their own, ascending.
    pub(super) singles: Vec<usize>,
    /// The other blocks, by their first variable.
    pub(super) blocks: Vec<Block>,
    /// Entries (i, j) and (j, i), each pair once.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Entries off the diagonal without an entry opposite.
    pub(super) lone: Vec<usize>,
}

impl Structure {
    /// Takes a pattern apart.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn of(pattern: Pattern<'_>) -> Result<Structure, Malformed> {
        check(pattern)?;
        let n = pattern.dimension();
        let mut structure = Structure {
            starts: pattern.starts.to_vec(),
            rows: pattern.rows.to_vec(),
            columns: Vec::with_capacity(pattern.rows.len()),
            diagonal: vec![ABSENT; n],
            singles: Vec::new(),
            blocks: Vec::new(),
            pairs: Vec::new(),
            lone: Vec::new(),
        };
        for (j, column) in pattern.columns().enumerate() {
            let number = u32::try_from(j).map_err(|_| Malformed::Starts)?;
            structure
                .columns
                .extend(std::iter::repeat_n(number, column.len()));
        }
        structure.face();
        let component = components(pattern);
        structure.gather(&component);
        Ok(structure)
    }

    /// The number of variables.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.diagonal.len()
    }

    /// The sizes of the diagonal blocks of more than one variable, by their first variable.
    #[must_use]
    pub fn block_sizes(&self) -> Vec<usize> {
        self.blocks
            .iter()
            .map(|block| block.members.len())
            .collect()
    }

    /// Where the entry (row, column) stands in the pattern, if it does.
    #[must_use]
    pub fn position(&self, row: usize, column: usize) -> Option<usize> {
        let start = *self.starts.get(column)?;
        let end = *self.starts.get(column + 1)?;
        let found = self.rows.get(start..end)?.binary_search(&row).ok()?;
        Some(start + found)
    }

    /// Finds the diagonal and which entries face each other.
    fn face(&mut self) {
        for at in 0..self.rows.len() {
            let (i, j) = (self.rows[at], self.columns[at] as usize);
            if i == j {
                self.diagonal[j] = at;
                continue;
            }
            match self.position(j, i) {
                None => self.lone.push(at),
                Some(opposite) if i < j => self.pairs.push((at, opposite)),
                Some(_) => {}
            }
        }
    }

    fn gather(&mut self, component: &[usize]) {
        let n = component.len();
        let mut sizes = vec![0; n];
        for &label in component {
            sizes[label] += 1;
        }
        // Which block a component became, in the order of first variables.
        let mut block_of = vec![ABSENT; n];
        let mut local = vec![0_u32; n];
        for (variable, &label) in component.iter().enumerate() {
            if sizes[label] == 1 {
                self.singles.push(variable);
                continue;
            }
            if block_of[label] == ABSENT {
                block_of[label] = self.blocks.len();
                self.blocks.push(Block {
                    members: Vec::with_capacity(sizes[label]),
                    entries: Vec::new(),
                });
            }
            let members = &mut self.blocks[block_of[label]].members;
            // Variables were counted in 32 bits when the columns were.
            local[variable] = u32::try_from(members.len()).unwrap_or(u32::MAX);
            members.push(variable);
        }
        for at in 0..self.rows.len() {
            let (i, j) = (self.rows[at], self.columns[at] as usize);
            if i != j && component[i] == component[j] {
                let block = &mut self.blocks[block_of[component[i]]];
                block.entries.push((local[i], local[j], at));
            }
        }
    }
}

fn check(pattern: Pattern<'_>) -> Result<(), Malformed> {
    let n = pattern.dimension();
    let ends = (pattern.starts.first(), pattern.starts.last());
    let whole = match ends {
        (Some(0), Some(&last)) => last == pattern.rows.len(),
        (None, None) => pattern.rows.is_empty(),
        _ => false,
    };
    if !whole || pattern.starts.windows(2).any(|two| two[0] > two[1]) {
        return Err(Malformed::Starts);
    }
    for (column, rows) in pattern.columns().enumerate() {
        let ascending = rows.windows(2).all(|two| two[0] < two[1]);
        if !ascending || rows.last().is_some_and(|&row| row >= n) {
            return Err(Malformed::Rows { column });
        }
    }
    Ok(())
}

/// A label below n for each variable, the same for those that reach each other.
fn components(pattern: Pattern<'_>) -> Vec<usize> {
    let n = pattern.dimension();
    let mut search = Search {
        seen: vec![ABSENT; n],
        lowest: vec![0; n],
        label: vec![ABSENT; n],
        open: Vec::new(),
        count: 0,
        labels: 0,
    };
    // Depth first without recursion: variable and the next of its entries.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for root in 0..n {
        if search.seen[root] != ABSENT {
            continue;
        }
        search.enter(root);
        path.push((root, pattern.starts[root]));
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            if *next == pattern.starts[at + 1] {
                path.pop();
                search.leave(at, path.last().map(|above| above.0));
                continue;
            }
            let target = pattern.rows[*next];
            *next += 1;
            if search.seen[target] == ABSENT {
                search.enter(target);
                path.push((target, pattern.starts[target]));
            } else if search.label[target] == ABSENT {
                search.lowest[at] = search.lowest[at].min(search.seen[target]);
            }
        }
    }
    search.label
}

struct Search {
    /// When a variable was met.
    seen: Vec<usize>,
    /// The earliest open variable that it is known to reach.
    lowest: Vec<usize>,
    label: Vec<usize>,
    /// Met, but not yet in a component.
    open: Vec<usize>,
    count: usize,
    labels: usize,
}

impl Search {
    fn enter(&mut self, variable: usize) {
        self.seen[variable] = self.count;
        self.lowest[variable] = self.count;
        self.count += 1;
        self.open.push(variable);
    }

    fn leave(&mut self, variable: usize, above: Option<usize>) {
        if self.lowest[variable] == self.seen[variable] {
            while let Some(member) = self.open.pop() {
                self.label[member] = self.labels;
                if member == variable {
                    break;
                }
            }
            self.labels += 1;
        }
        if let Some(above) = above {
            self.lowest[above] = self.lowest[above].min(self.lowest[variable]);
        }
    }
}
