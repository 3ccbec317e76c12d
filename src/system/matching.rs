//! Matching equations to unknowns, each at most once.
//!
//! Enters: for each equation, the unknowns it contains. Leaves: pairs. Must not know what they
//! stand for. Augmenting paths are found breadth first (H. W. Kuhn, The Hungarian method for the
//! assignment problem, Naval Research Logistics Quarterly 2, 1955; C. Berge's theorem).

/// Pairs of rows (equations) and columns (unknowns).
#[derive(Debug, Clone, Default)]
pub(super) struct Matching {
    /// The column of each row.
    pub of_row: Vec<Option<usize>>,
    /// The row of each column.
    pub of_column: Vec<Option<usize>>,
}

/// What was met while a row looked for a column in vain.
#[derive(Debug, Clone, Default)]
pub(super) struct Visited {
    /// Rows: more than there are columns for them.
    pub rows: Vec<usize>,
    /// All the columns that those rows contain.
    pub columns: Vec<usize>,
}

impl Matching {
    /// Finds a column for a row, moving rows that are matched already to other columns; these
    /// stay matched. `columns` lists the columns of a row.
    pub fn augment<'c, I: Iterator<Item = usize>>(
        &mut self,
        row: usize,
        columns: impl Fn(usize) -> I + 'c,
    ) -> Result<(), Visited> {
        let mut reached_from = vec![usize::MAX; self.of_column.len()];
        let mut visited = Visited {
            rows: vec![row],
            columns: Vec::new(),
        };
        let mut next = 0;
        while let Some(&from) = visited.rows.get(next) {
            next += 1;
            for column in columns(from) {
                if reached_from[column] != usize::MAX {
                    continue;
                }
                reached_from[column] = from;
                visited.columns.push(column);
                match self.of_column[column] {
                    Some(other) => visited.rows.push(other),
                    None => {
                        self.take(column, &reached_from);
                        return Ok(());
                    }
                }
            }
        }
        Err(visited)
    }

    /// Gives a free column to the row it was reached from, that row's column to the one before,
    /// and so on.
    fn take(&mut self, free: usize, reached_from: &[usize]) {
        let mut open = Some(free);
        while let Some(column) = open {
            let row = reached_from[column];
            open = self.of_row[row];
            self.of_row[row] = Some(column);
            self.of_column[column] = Some(row);
        }
    }
}

/// As many pairs as possible; rows that have a column of their own number keep it where they can.
pub(super) fn largest(rows: &[Vec<usize>], columns: usize) -> Matching {
    let mut matching = Matching {
        of_row: vec![None; rows.len()],
        of_column: vec![None; columns],
    };
    for (row, contained) in rows.iter().enumerate() {
        if contained.contains(&row) {
            matching.of_row[row] = Some(row);
            matching.of_column[row] = Some(row);
        }
    }
    for row in 0..rows.len() {
        if matching.of_row[row].is_none() {
            // A row without a column stays without: the result tells.
            let _ = matching.augment(row, |row| rows[row].iter().copied());
        }
    }
    matching
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_give_way_along_a_chain() {
        // Row k contains columns k and k + 1, the last only column 0.
        let n = 1000;
        let mut rows: Vec<Vec<usize>> = (0..n - 1).map(|k| vec![k, k + 1]).collect();
        rows.push(vec![0]);
        let matching = largest(&rows, n);
        assert_eq!(matching.of_row[n - 1], Some(0));
        assert!((0..n - 1).all(|k| matching.of_row[k] == Some(k + 1)));
    }

    #[test]
    fn too_many_rows_for_their_columns_are_told() {
        let rows = [vec![0], vec![0, 2], vec![0]];
        let mut matching = largest(&rows, 3);
        assert_eq!(matching.of_row, [Some(0), Some(2), None]);
        let visited = matching.augment(2, |row| rows[row].iter().copied());
        let visited = visited.expect_err("rows 0 and 2 share column 0");
        assert_eq!((visited.rows, visited.columns), (vec![2, 0], vec![0]));
    }
}
