//! Linear operators as text.
//!
//! Enters: an operator. Leaves: a formula of matrices, or a list of entries. Must not know how the
//! entries are computed.

use super::layout::{Level, Piece};
use super::{Notation, Writer};
use crate::symbolic::{Expr, Node, Operator};

/// Where an operator stands in a formula.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On its own.
    Alone,
    /// As a factor of a product.
    Factor,
}

impl Writer<'_> {
    /// Operators nest as deep as a product has factors, a few dozen at most.
    pub(super) fn write_operator(&mut self, operator: &Operator, place: Place) {
        let latex = self.notation == Notation::Latex;
        match operator {
            Operator::Zero { .. } => self.out.push('0'),
            Operator::Diagonal(vector) => self.write_diagonal(*vector, place),
            Operator::Matrix(matrix) => {
                let level = match place {
                    Place::Alone => Level::Choice,
                    Place::Factor => Level::Power,
                };
                self.write(vec![Piece::at(*matrix, level)]);
            }
            Operator::Product(a, b) => {
                self.write_operator(a, Place::Factor);
                self.out.push_str(if latex { " " } else { "*" });
                self.write_operator(b, Place::Factor);
            }
            Operator::Sum(terms) => {
                self.open(place);
                for (k, term) in terms.iter().enumerate() {
                    if k > 0 {
                        self.out.push_str(" + ");
                    }
                    self.write_term(term);
                }
                self.close(place);
            }
            Operator::Entries { entries, .. } => {
                self.open(place);
                let mut sorted = entries.clone();
                sorted.sort_unstable_by_key(|&(row, column, _)| (row, column));
                for (k, (row, column, entry)) in sorted.into_iter().enumerate() {
                    self.begin_entry(k, place, row as usize, column as usize);
                    self.write(vec![Piece::whole(entry)]);
                }
                self.close(place);
            }
            Operator::Block { blocks, .. } => {
                self.open(place);
                for (k, (row, column, block)) in blocks.iter().enumerate() {
                    self.begin_entry(k, place, *row, *column);
                    self.write_operator(block, Place::Alone);
                }
                self.close(place);
            }
        }
    }

    /// A term after a plus: one that would begin with a minus takes the plus away.
    fn write_term(&mut self, term: &Operator) {
        let before = self.out.len();
        self.write_operator(term, Place::Alone);
        if before >= 3 && self.out[before..].starts_with('-') && self.out[..before].ends_with(" + ")
        {
            self.out.replace_range(before - 3..=before, " - ");
        }
    }

    fn open(&mut self, place: Place) {
        if place == Place::Factor {
            self.out.push('(');
        }
    }

    fn close(&mut self, place: Place) {
        if place == Place::Factor {
            self.out.push(')');
        }
    }

    fn begin_entry(&mut self, position: usize, place: Place, row: usize, column: usize) {
        if position > 0 {
            self.out
                .push_str(if place == Place::Alone { "\n" } else { "; " });
        }
        let text = format!("[{}, {}]: ", row + 1, column + 1);
        self.out.push_str(&text);
    }

    /// A multiple of the identity is written as the number where it is a factor.
    fn write_diagonal(&mut self, vector: Expr, place: Place) {
        if let (Place::Factor, Node::Fill(value, _)) = (place, self.pool.node(vector)) {
            self.write(vec![Piece::at(*value, Level::Power)]);
            return;
        }
        let (mut vector, mut pieces) = (vector, Vec::new());
        // The minus of a decay reads better in front.
        if let (Place::Alone, Some(inner)) = (place, self.pool.negated(vector)) {
            vector = inner;
            pieces.push(Piece::text("-"));
        }
        pieces.extend(self.call("diagonal", &[vector]).1);
        self.write(pieces);
    }
}
