//! Large matrices of measurements, cells by genes: dense or sparse, in single or double precision.
//!
//! Enters: numbers in one of the usual layouts. Leaves: whole lines (rows or columns), a block at
//! a time, whatever the layout. Must not know what rows and columns stand for.

use std::ops::Range;

/// A matrix. Positions that a sparse one does not hold are zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    rows: usize,
    columns: usize,
    values: Values,
}

/// The numbers of a matrix in their layout.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// All numbers, row by row.
    Dense(Numbers),
    /// Compressed by row: each row's entries with their columns.
    Csr(Compressed),
    /// Compressed by column: each column's entries with their rows.
    Csc(Compressed),
}

/// Sparse lines one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Compressed {
    /// Where each line's entries begin, and where the last ends: one more than there are lines.
    pub starts: Vec<usize>,
    /// The place of each entry in its line, ascending.
    pub places: Vec<u32>,
    /// The entries.
    pub numbers: Numbers,
}

/// Numbers as they were stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// Of 32 bits.
    Single(Vec<f32>),
    /// Of 64 bits.
    Double(Vec<f64>),
}

/// Numbers do not make a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misshapen {
    /// More or fewer numbers than rows times columns, or than places.
    Count {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// The starts of sparse lines do not ascend from 0 to the number of entries, or there are not
    /// one more than lines.
    Starts,
    /// Places of a line lie outside of it, or one comes twice.
    Places {
        /// The line.
        line: usize,
    },
}

/// Which lines of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// A line is a row.
    Rows,
    /// A line is a column.
    Columns,
}

/// A number of 32 or 64 bits.
pub trait Real: Copy + PartialOrd + Default + Into<f64> + private::Sealed {
    /// The nearest number of this type.
    fn nearest(x: f64) -> Self;
    /// The numbers, where they are of this type.
    fn own(numbers: &Numbers) -> Option<&[Self]>;
}

mod private {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Real for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "the nearest is wanted")]
    fn nearest(x: f64) -> f32 {
        x as f32
    }
    fn own(numbers: &Numbers) -> Option<&[f32]> {
        match numbers {
            Numbers::Single(numbers) => Some(numbers),
            Numbers::Double(_) => None,
        }
    }
}

impl Real for f64 {
    fn nearest(x: f64) -> f64 {
        x
    }
    fn own(numbers: &Numbers) -> Option<&[f64]> {
        match numbers {
            Numbers::Single(_) => None,
            Numbers::Double(numbers) => Some(numbers),
        }
    }
}

impl Numbers {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Numbers::Single(numbers) => numbers.len(),
            Numbers::Double(numbers) => numbers.len(),
        }
    }

    /// True without numbers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them; zero outside.
    #[must_use]
    pub fn at(&self, at: usize) -> f64 {
        match self {
            Numbers::Single(numbers) => numbers.get(at).map_or(0.0, |x| f64::from(*x)),
            Numbers::Double(numbers) => numbers.get(at).copied().unwrap_or(0.0),
        }
    }
}

impl Cells {
    /// Numbers as a matrix. Sparse lines whose places do not ascend are sorted.
    ///
    /// # Errors
    /// [`Misshapen`].
    pub fn new(rows: usize, columns: usize, mut values: Values) -> Result<Cells, Misshapen> {
        match &mut values {
            Values::Dense(numbers) => {
                let (found, expected) = (numbers.len(), rows.saturating_mul(columns));
                if found != expected {
                    return Err(Misshapen::Count { found, expected });
                }
            }
            Values::Csr(lines) => lines.settle(rows, columns)?,
            Values::Csc(lines) => lines.settle(columns, rows)?,
        }
        Ok(Cells {
            rows,
            columns,
            values,
        })
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The numbers in their layout.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// True where the numbers are of 32 bits.
    #[must_use]
    pub fn is_single(&self) -> bool {
        let numbers = match &self.values {
            Values::Dense(numbers) => numbers,
            Values::Csr(lines) | Values::Csc(lines) => &lines.numbers,
        };
        matches!(numbers, Numbers::Single(_))
    }

    /// One number, as 64 bits; zero outside.
    #[must_use]
    pub fn at(&self, row: usize, column: usize) -> f64 {
        if row >= self.rows || column >= self.columns {
            return 0.0;
        }
        match &self.values {
            Values::Dense(numbers) => numbers.at(row * self.columns + column),
            Values::Csr(lines) => lines.at(row, column),
            Values::Csc(lines) => lines.at(column, row),
        }
    }

    /// Some of the columns, in the order given; one may come several times. Those outside are zero.
    #[must_use]
    pub fn select(&self, chosen: &[usize]) -> Cells {
        let values = match &self.values {
            Values::Dense(Numbers::Single(numbers)) => {
                Values::Dense(Numbers::Single(selected(numbers, self.columns, chosen)))
            }
            Values::Dense(Numbers::Double(numbers)) => {
                Values::Dense(Numbers::Double(selected(numbers, self.columns, chosen)))
            }
            Values::Csc(lines) => Values::Csc(lines.lines_of(chosen)),
            Values::Csr(lines) => {
                let mut wanted = vec![Vec::new(); self.columns];
                for (at, column) in (0_u32..).zip(chosen) {
                    if let Some(wanted) = wanted.get_mut(*column) {
                        wanted.push(at);
                    }
                }
                Values::Csr(lines.placed(&wanted))
            }
        };
        Cells {
            rows: self.rows,
            columns: chosen.len(),
            values,
        }
    }

    /// How many lines there are along an axis, and how many numbers each holds.
    #[must_use]
    pub fn extent(&self, axis: Axis) -> (usize, usize) {
        match axis {
            Axis::Rows => (self.rows, self.columns),
            Axis::Columns => (self.columns, self.rows),
        }
    }

    /// The lines along an axis, from the first on.
    #[must_use]
    pub fn lines<T: Real>(&self, axis: Axis) -> Lines<'_, T> {
        Lines {
            cells: self,
            axis,
            next: 0,
            cursors: Vec::new(),
            buffer: Vec::new(),
        }
    }
}

fn selected<T: Real>(numbers: &[T], columns: usize, chosen: &[usize]) -> Vec<T> {
    let rows = numbers.chunks_exact(columns.max(1));
    rows.flat_map(|row| {
        chosen
            .iter()
            .map(|column| row.get(*column).copied().unwrap_or_default())
    })
    .collect()
}

impl Numbers {
    /// Some of the numbers, in the order given.
    fn gathered(&self, places: &[usize]) -> Numbers {
        match self {
            Numbers::Single(numbers) => {
                Numbers::Single(places.iter().map(|place| numbers[*place]).collect())
            }
            Numbers::Double(numbers) => {
                Numbers::Double(places.iter().map(|place| numbers[*place]).collect())
            }
        }
    }
}

impl Compressed {
    /// Some of the lines, in the order given; those outside are empty.
    fn lines_of(&self, chosen: &[usize]) -> Compressed {
        let mut starts = vec![0];
        let mut entries = Vec::new();
        for line in chosen {
            if *line + 1 < self.starts.len() {
                entries.extend(self.line(*line));
            }
            starts.push(entries.len());
        }
        Compressed {
            starts,
            places: entries.iter().map(|entry| self.places[*entry]).collect(),
            numbers: self.numbers.gathered(&entries),
        }
    }

    /// All lines with every entry put where `wanted` says for its place, in ascending order.
    fn placed(&self, wanted: &[Vec<u32>]) -> Compressed {
        let mut starts = vec![0];
        let (mut entries, mut places) = (Vec::new(), Vec::new());
        let mut line_entries = Vec::new();
        for line in 0..self.starts.len().saturating_sub(1) {
            line_entries.clear();
            for entry in self.line(line) {
                let new = &wanted[self.places[entry] as usize];
                line_entries.extend(new.iter().map(|place| (*place, entry)));
            }
            line_entries.sort_unstable();
            places.extend(line_entries.iter().map(|(place, _)| *place));
            entries.extend(line_entries.iter().map(|(_, entry)| *entry));
            starts.push(entries.len());
        }
        Compressed {
            starts,
            places,
            numbers: self.numbers.gathered(&entries),
        }
    }

    fn line(&self, line: usize) -> Range<usize> {
        self.starts[line]..self.starts[line + 1]
    }

    fn at(&self, line: usize, place: usize) -> f64 {
        let range = self.line(line);
        let found = u32::try_from(place)
            .ok()
            .and_then(|place| self.places[range.clone()].binary_search(&place).ok());
        found.map_or(0.0, |found| self.numbers.at(range.start + found))
    }

    /// Checks the lines and sorts those that are not in order.
    fn settle(&mut self, lines: usize, length: usize) -> Result<(), Misshapen> {
        let (found, expected) = (self.numbers.len(), self.places.len());
        if found != expected {
            return Err(Misshapen::Count { found, expected });
        }
        let ends = (self.starts.first(), self.starts.last());
        if self.starts.len() != lines + 1
            || ends != (Some(&0), Some(&expected))
            || self.starts.windows(2).any(|two| two[0] > two[1])
        {
            return Err(Misshapen::Starts);
        }
        for line in 0..lines {
            let range = self.line(line);
            let ascends = |places: &[u32]| places.windows(2).all(|two| two[0] < two[1]);
            if !ascends(&self.places[range.clone()]) {
                self.sort(range.clone());
            }
            let places = &self.places[range];
            let inside = places.last().is_none_or(|&last| (last as usize) < length);
            if !inside || !ascends(places) {
                return Err(Misshapen::Places { line });
            }
        }
        Ok(())
    }

    fn sort(&mut self, range: Range<usize>) {
        match &mut self.numbers {
            Numbers::Single(numbers) => {
                sort(&mut self.places[range.clone()], &mut numbers[range]);
            }
            Numbers::Double(numbers) => {
                sort(&mut self.places[range.clone()], &mut numbers[range]);
            }
        }
    }
}

fn sort<T: Copy>(places: &mut [u32], numbers: &mut [T]) {
    let mut pairs: Vec<(u32, T)> = places
        .iter()
        .copied()
        .zip(numbers.iter().copied())
        .collect();
    pairs.sort_by_key(|pair| pair.0);
    for ((place, number), pair) in places.iter_mut().zip(numbers).zip(pairs) {
        (*place, *number) = pair;
    }
}

/// Lines of a matrix that are handed out in order, a block at a time.
#[derive(Debug, Clone)]
pub struct Lines<'a, T> {
    cells: &'a Cells,
    axis: Axis,
    next: usize,
    /// Where the next line begins in each line across, for sparse ones.
    cursors: Vec<usize>,
    buffer: Vec<T>,
}

impl<T: Real> Lines<'_, T> {
    /// The next lines, `most` of them or as many as are left, one after the other; empty at the
    /// end. Numbers of the other type are converted. Lines that are stored so are not copied.
    pub fn block(&mut self, most: usize) -> &[T] {
        let (count, length) = self.cells.extent(self.axis);
        let block = self.next..count.min(self.next.saturating_add(most));
        self.next = block.end;
        let stored = match (&self.cells.values, self.axis) {
            (Values::Dense(numbers), Axis::Rows) => T::own(numbers),
            _ => None,
        };
        if let Some(numbers) = stored {
            return &numbers[block.start * length..block.end * length];
        }
        self.buffer.clear();
        self.buffer.resize(block.len() * length, T::default());
        match (&self.cells.values, self.axis) {
            (Values::Dense(Numbers::Single(numbers)), axis) => self.dense(numbers, axis, block),
            (Values::Dense(Numbers::Double(numbers)), axis) => self.dense(numbers, axis, block),
            (Values::Csr(lines), Axis::Rows) | (Values::Csc(lines), Axis::Columns) => {
                match &lines.numbers {
                    Numbers::Single(numbers) => self.along(lines, numbers, block, length),
                    Numbers::Double(numbers) => self.along(lines, numbers, block, length),
                }
            }
            (Values::Csr(lines) | Values::Csc(lines), _) => match &lines.numbers {
                Numbers::Single(numbers) => self.across(lines, numbers, block, length),
                Numbers::Double(numbers) => self.across(lines, numbers, block, length),
            },
        }
        &self.buffer
    }

    fn dense<S: Real>(&mut self, numbers: &[S], axis: Axis, block: Range<usize>) {
        let columns = self.cells.columns;
        match axis {
            Axis::Rows => {
                let stored = &numbers[block.start * columns..block.end * columns];
                for (out, number) in self.buffer.iter_mut().zip(stored) {
                    *out = T::nearest((*number).into());
                }
            }
            Axis::Columns => {
                let rows = self.cells.rows;
                if rows == 0 || columns == 0 {
                    return;
                }
                // Squares of numbers at a time, so that what is read and what is written both stay
                // in the cache.
                for first in (0..rows).step_by(SQUARE) {
                    let last = rows.min(first + SQUARE);
                    for left in block.clone().step_by(SQUARE) {
                        let right = block.end.min(left + SQUARE);
                        for row in first..last {
                            let stored = &numbers[row * columns + left..row * columns + right];
                            let out = self.buffer[(left - block.start) * rows + row..].iter_mut();
                            for (out, number) in out.step_by(rows).zip(stored) {
                                *out = T::nearest((*number).into());
                            }
                        }
                    }
                }
            }
        }
    }

    /// Sparse lines that are stored as such.
    fn along<S: Real>(
        &mut self,
        lines: &Compressed,
        numbers: &[S],
        block: Range<usize>,
        length: usize,
    ) {
        for (at, line) in block.enumerate() {
            let range = lines.line(line);
            let out = &mut self.buffer[at * length..(at + 1) * length];
            for (place, number) in lines.places[range.clone()].iter().zip(&numbers[range]) {
                out[*place as usize] = T::nearest((*number).into());
            }
        }
    }

    /// Sparse lines that are stored across: each of those goes on where the block before ended.
    fn across<S: Real>(
        &mut self,
        lines: &Compressed,
        numbers: &[S],
        block: Range<usize>,
        length: usize,
    ) {
        if self.cursors.is_empty() {
            self.cursors = lines.starts[..length].to_vec();
        }
        for (across, cursor) in self.cursors.iter_mut().enumerate() {
            let end = lines.starts[across + 1];
            while *cursor < end && (lines.places[*cursor] as usize) < block.end {
                let line = lines.places[*cursor] as usize - block.start;
                self.buffer[line * length + across] = T::nearest(numbers[*cursor].into());
                *cursor += 1;
            }
        }
    }
}

/// Rows and columns of a dense matrix that are transposed at a time.
const SQUARE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn dense() -> Cells {
        let numbers = vec![1.0, 0.0, 2.0, 0.0, 0.0, 3.0, 4.0, 5.0];
        Cells::new(2, 4, Values::Dense(Numbers::Double(numbers))).unwrap()
    }

    fn csr() -> Compressed {
        // Places of the second row out of order.
        Compressed {
            starts: vec![0, 2, 5],
            places: vec![0, 2, 3, 1, 2],
            numbers: Numbers::Single(vec![1.0, 2.0, 5.0, 3.0, 4.0]),
        }
    }

    fn csc() -> Compressed {
        Compressed {
            starts: vec![0, 1, 2, 4, 5],
            places: vec![0, 1, 0, 1, 1],
            numbers: Numbers::Double(vec![1.0, 3.0, 2.0, 4.0, 5.0]),
        }
    }

    #[test]
    fn every_layout_hands_out_the_same_lines() {
        let all = [
            dense(),
            Cells::new(2, 4, Values::Csr(csr())).unwrap(),
            Cells::new(2, 4, Values::Csc(csc())).unwrap(),
        ];
        for cells in &all {
            for most in [1, 3, 10] {
                for axis in [Axis::Rows, Axis::Columns] {
                    let (count, length) = cells.extent(axis);
                    let mut lines = cells.lines::<f64>(axis);
                    let mut narrow = cells.lines::<f32>(axis);
                    let mut seen = Vec::new();
                    loop {
                        let block = lines.block(most).to_vec();
                        let same = narrow.block(most).iter().map(|x| f64::from(*x));
                        assert!(same.eq(block.iter().copied()));
                        if block.is_empty() {
                            break;
                        }
                        seen.extend(block);
                    }
                    for line in 0..count {
                        for place in 0..length {
                            let (i, j) = match axis {
                                Axis::Rows => (line, place),
                                Axis::Columns => (place, line),
                            };
                            assert_eq!(seen[line * length + place], dense().at(i, j));
                            assert_eq!(cells.at(i, j), dense().at(i, j));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        let count = Values::Dense(Numbers::Single(vec![0.0; 5]));
        let (found, expected) = (5, 6);
        let refused = Cells::new(2, 3, count).err();
        assert_eq!(refused, Some(Misshapen::Count { found, expected }));
        assert_eq!(
            Cells::new(3, 4, Values::Csr(csr())).err(),
            Some(Misshapen::Starts)
        );
        let narrow = Cells::new(2, 3, Values::Csr(csr())).err();
        assert_eq!(narrow, Some(Misshapen::Places { line: 1 }));
        let mut twice = csr();
        twice.places[1] = 0;
        let twice = Cells::new(2, 4, Values::Csr(twice)).err();
        assert_eq!(twice, Some(Misshapen::Places { line: 0 }));
    }
}
