//! Boxes of states.

/// A box: one closed range per state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Region {
    /// Low ends; minus infinity where there is none.
    pub low: Vec<f64>,
    /// High ends; infinity where there is none.
    pub high: Vec<f64>,
}

impl Region {
    /// All states.
    #[must_use]
    pub fn everything(dimension: usize) -> Region {
        Region {
            low: vec![f64::NEG_INFINITY; dimension],
            high: vec![f64::INFINITY; dimension],
        }
    }

    /// The range of each state.
    pub fn ranges(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.low.iter().copied().zip(self.high.iter().copied())
    }

    /// True when every state is in its range, give or take `slack` times the range's width.
    #[must_use]
    pub fn holds(&self, state: &[f64], slack: f64) -> bool {
        self.ranges().zip(state).all(|((low, high), y)| {
            let by = slack * (high - low);
            let by = if by.is_finite() { by } else { 0.0 };
            *y >= low - by && *y <= high + by
        })
    }
}
