//! Mean and variance of numbers that come in blocks.
//!
//! Enters: blocks of numbers. Leaves: count, mean, variance, extremes. Two blocks are joined as of
//! T. F. Chan, G. H. Golub, R. J. LeVeque, Am. Stat. 37, 242, 1983.

/// What is known of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// The sum of squared distances from it.
    squares: f64,
    /// The lowest; infinite when there are none.
    pub lowest: f64,
    /// The highest; minus infinity when there are none.
    pub highest: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Moments {
            count: 0,
            mean: 0.0,
            squares: 0.0,
            lowest: f64::INFINITY,
            highest: f64::NEG_INFINITY,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of paths")]
fn real(count: u64) -> f64 {
    count as f64
}

impl Moments {
    /// The moments of the numbers that are finite.
    pub fn of(numbers: impl Iterator<Item = f64> + Clone) -> Moments {
        let numbers = numbers.filter(|number| number.is_finite());
        let mut moments = Moments::default();
        let mut sum = 0.0;
        for number in numbers.clone() {
            moments.count += 1;
            sum += number;
            moments.lowest = moments.lowest.min(number);
            moments.highest = moments.highest.max(number);
        }
        if moments.count == 0 {
            return moments;
        }
        moments.mean = sum / real(moments.count);
        moments.squares = numbers.map(|number| (number - moments.mean).powi(2)).sum();
        moments
    }

    /// Takes in those of other numbers.
    pub fn join(&mut self, other: &Moments) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (here, there) = (real(self.count), real(other.count));
        let all = here + there;
        let apart = other.mean - self.mean;
        self.mean += apart * (there / all);
        self.squares += other.squares + apart * apart * (here * there / all);
        self.count += other.count;
        self.lowest = self.lowest.min(other.lowest);
        self.highest = self.highest.max(other.highest);
    }

    /// The mean; NaN where there are no numbers.
    #[must_use]
    pub fn known_mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.mean }
    }

    /// The unbiased variance; NaN for fewer than two numbers.
    #[must_use]
    pub fn variance(&self) -> f64 {
        if self.count < 2 {
            return f64::NAN;
        }
        self.squares / real(self.count - 1)
    }

    /// The standard deviation.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        self.variance().sqrt()
    }

    /// The standard error of the mean.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        (self.variance() / real(self.count)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_join_to_the_whole() {
        let numbers: Vec<f64> = (0..100).map(|k| 1e6 + f64::from(k * k % 37)).collect();
        let whole = Moments::of(numbers.iter().copied());
        let mut joined = Moments::default();
        for block in numbers.chunks(7) {
            joined.join(&Moments::of(block.iter().copied()));
        }
        assert_eq!(joined.count, 100);
        assert!((joined.mean - whole.mean).abs() < 1e-9);
        assert!((joined.variance() - whole.variance()).abs() < 1e-9 * whole.variance());
        assert_eq!((joined.lowest, joined.highest), (1e6, 1e6 + 36.0));
    }

    #[test]
    fn what_is_not_finite_does_not_count() {
        let moments = Moments::of([1.0, f64::NAN, 3.0].into_iter());
        assert_eq!((moments.count, moments.mean), (2, 2.0));
        assert_eq!(moments.variance(), 2.0);
        assert!(Moments::default().variance().is_nan());
    }
}
