//! The past of a run: what delayed states were, as far back as it matters.
//!
//! Each piece of an accepted step is kept as the polynomial of degree 5 through six of its points,
//! which is the interpolant itself of every method here, by Newton's divided differences. Enters:
//! values at the nodes of a piece. Leaves: values and derivatives at any time. Must not know
//! equations or methods.

use std::collections::VecDeque;

/// Where a piece is sampled, as shares of its length: the Chebyshev points of the second kind with
/// the ends first, which keeps the differences small.
pub(super) const NODES: [f64; 6] = [
    0.0,
    1.0,
    0.345_491_502_812_526_3,
    0.904_508_497_187_473_7,
    0.095_491_502_812_526_27,
    0.654_508_497_187_473_7,
];

/// A stretch of the past.
#[derive(Debug, Clone)]
struct Piece {
    from: f64,
    until: f64,
    /// Divided differences, node by node; `width` numbers each.
    differences: Vec<f64>,
}

/// Consecutive pieces of `width` quantities.
#[derive(Debug, Clone)]
pub(super) struct History {
    width: usize,
    pieces: VecDeque<Piece>,
    /// Room of a piece that was dropped.
    spare: Vec<f64>,
}

impl History {
    pub fn new(width: usize) -> History {
        History {
            width,
            pieces: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    /// Adds the piece between two times; `sample` writes the quantities at each of its times.
    pub fn push<E>(
        &mut self,
        (from, until): (f64, f64),
        mut sample: impl FnMut(f64, &mut [f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        let width = self.width;
        let mut differences = std::mem::take(&mut self.spare);
        differences.clear();
        differences.resize(NODES.len() * width, 0.0);
        for (node, values) in NODES.iter().zip(differences.chunks_exact_mut(width.max(1))) {
            let time = match node {
                1.0 => until,
                node => from + node * (until - from),
            };
            sample(time, values)?;
        }
        for order in 1..NODES.len() {
            for at in (order..NODES.len()).rev() {
                let distance = NODES[at] - NODES[at - order];
                let (before, here) = differences.split_at_mut(at * width);
                let previous = &before[(at - 1) * width..];
                for (here, previous) in here[..width].iter_mut().zip(previous) {
                    *here = (*here - previous) / distance;
                }
            }
        }
        self.pieces.push_back(Piece {
            from,
            until,
            differences,
        });
        Ok(())
    }

    /// Drops what ended before this time.
    pub fn forget(&mut self, before: f64) {
        while self.pieces.len() > 1 && self.pieces[0].until < before {
            if let Some(piece) = self.pieces.pop_front() {
                self.spare = piece.differences;
            }
        }
    }

    /// The piece that holds at `time` when only what lies between `lower` and `upper` counts: at a
    /// jump there are two. The last one goes on beyond its end.
    pub fn locate(&self, time: f64, lower: f64, upper: f64) -> Option<usize> {
        let at = if time <= lower {
            self.pieces.partition_point(|piece| piece.until <= lower)
        } else {
            let time = time.min(upper);
            self.pieces.partition_point(|piece| piece.until < time)
        };
        let last = self.pieces.len().checked_sub(1)?;
        Some(at.min(last))
    }

    /// Value and time derivative of a quantity, by the piece that was located.
    pub fn evaluate(&self, piece: usize, time: f64, quantity: usize) -> (f64, f64) {
        let Some(piece) = self.pieces.get(piece) else {
            return (f64::NAN, f64::NAN);
        };
        let length = piece.until - piece.from;
        let share = (time - piece.from) / length;
        let (mut value, mut slope) = (0.0, 0.0);
        for (at, node) in NODES.iter().enumerate().rev() {
            slope = slope * (share - node) + value;
            value = value * (share - node) + piece.differences[at * self.width + quantity];
        }
        (value, slope / length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pieces: &[(f64, f64)], f: impl Fn(f64) -> [f64; 2]) -> History {
        let mut history = History::new(2);
        for ends in pieces {
            let sampled: Result<(), ()> = history.push(*ends, |t, out| {
                out.copy_from_slice(&f(t));
                Ok(())
            });
            assert!(sampled.is_ok());
        }
        history
    }

    /// Polynomials of degree 5 and 4 come back exactly, with their derivatives.
    #[test]
    fn polynomials_of_degree_five_are_exact() {
        let history = filled(&[(1.0, 1.5), (1.5, 2.5)], |t| [t.powi(5), 3.0 - t.powi(4)]);
        for time in [1.0, 1.2, 1.5, 1.7, 2.5] {
            let piece = history
                .locate(time, f64::NEG_INFINITY, f64::INFINITY)
                .unwrap();
            let (value, slope) = history.evaluate(piece, time, 0);
            assert!((value - time.powi(5)).abs() < 1e-12 * time.powi(5));
            assert!((slope - 5.0 * time.powi(4)).abs() < 1e-11 * time.powi(4));
            let (value, slope) = history.evaluate(piece, time, 1);
            assert!((value - 3.0 + time.powi(4)).abs() < 1e-12);
            assert!((slope + 4.0 * time.powi(3)).abs() < 1e-10);
        }
    }

    /// At a jump the side decides.
    #[test]
    fn a_jump_has_two_sides() {
        let mut history = filled(&[(0.0, 1.0)], |_| [0.0, 0.0]);
        let pushed: Result<(), ()> = history.push((1.0, 2.0), |_, out| {
            out.fill(5.0);
            Ok(())
        });
        assert!(pushed.is_ok());
        let value = |time: f64, lower: f64, upper: f64| {
            let piece = history.locate(time, lower, upper).unwrap();
            history.evaluate(piece, time, 0).0
        };
        assert_eq!(value(1.0, 0.0, 1.0), 0.0);
        assert_eq!(value(1.0 + 1e-12, 0.0, 1.0), 0.0);
        assert_eq!(value(1.0, 1.0, f64::INFINITY), 5.0);
        assert_eq!(value(1.0 - 1e-12, 1.0, f64::INFINITY), 5.0);
    }

    #[test]
    fn what_is_old_is_dropped() {
        let pieces: Vec<(f64, f64)> = (0..10)
            .map(|k| (f64::from(k), f64::from(k) + 1.0))
            .collect();
        let mut history = filled(&pieces, |t| [t, -t]);
        history.forget(6.5);
        assert_eq!(history.pieces.len(), 4);
        history.forget(100.0);
        assert_eq!(history.pieces.len(), 1);
    }
}
