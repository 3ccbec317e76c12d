//! How the time between two stops is divided into steps: evenly, none longer than allowed.
//!
//! In: where steps must end, the longest step. Out: one end of a step after the other. The ends
//! depend on these numbers alone, so that whoever takes the same steps elsewhere meets the same
//! times.

/// Quotients that exceed a whole number by rounding only count as that number.
const ROUNDING: f64 = 1e-12;

/// Into how many steps an interval is divided.
#[must_use]
pub fn even_steps(interval: f64, longest: f64) -> f64 {
    (interval / longest * (1.0 - ROUNDING)).ceil().max(1.0)
}

/// Steps from one stop to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::simulate::chance) struct Piece {
    start: f64,
    /// Where the last step ends.
    pub end: f64,
    count: f64,
    done: f64,
    /// Length of each step.
    pub step: f64,
}

impl Piece {
    /// From `start` to `end` by steps of at most `longest`.
    pub fn new(start: f64, end: f64, longest: f64) -> Piece {
        let count = even_steps(end - start, longest);
        Piece {
            start,
            end,
            count,
            done: 0.0,
            step: (end - start) / count,
        }
    }

    /// How many steps there are.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 1; what is larger than there are counts as the largest"
    )]
    pub fn steps(&self) -> u64 {
        self.count as u64
    }

    /// Whether all steps are taken.
    pub fn is_done(&self) -> bool {
        self.done >= self.count
    }

    /// Where the next step ends.
    pub fn next(&self) -> f64 {
        let next = self.done + 1.0;
        if next >= self.count {
            self.end
        } else {
            self.start + next * self.step
        }
    }

    /// The next step was taken.
    pub fn advance(&mut self) {
        self.done += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_even_and_end_where_they_must() {
        // 0.3 / 0.1 is above 3 by rounding.
        assert_eq!(even_steps(0.3, 0.1), 3.0);
        assert_eq!(even_steps(0.31, 0.1), 4.0);
        assert_eq!(even_steps(0.1, f64::INFINITY), 1.0);
        let mut piece = Piece::new(1.0, 1.3, 0.1);
        let mut ends = Vec::new();
        while !piece.is_done() {
            ends.push(piece.next());
            piece.advance();
        }
        assert_eq!(ends.len(), 3);
        assert_eq!(ends[2], 1.3);
        assert!((ends[0] - 1.1).abs() < 1e-15);
    }
}
