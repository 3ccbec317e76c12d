//! Interval arithmetic, rounded outwards.
//!
//! R. E. Moore, R. B. Kearfott & M. J. Cloud, Introduction to Interval Analysis (SIAM 2009). Sums,
//! products, quotients and square roots are computed to nearest, as IEEE 754 demands, and each
//! bound is then moved to the next number outwards unless the result is known to be exact.
//! Functions of the system's mathematical library are taken to be right to [`LIBRARY`].

/// All numbers from `low` to `high`, infinite ends left out. Never NaN, never empty; `low` is
/// below infinity and `high` above minus infinity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Where a function is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Domain {
    /// It is continuous and has a value on the whole interval.
    Whole,
    /// On a part of it there is no value, or a pole.
    Part,
    /// There is no value anywhere.
    None,
}

/// Relative error of library functions: eight units in the last place. The GNU library documents
/// at most four for each of those that are used here.
const LIBRARY: f64 = 8.0 * f64::EPSILON;
/// Products below this may have lost digits to underflow.
const UNDERFLOW: f64 = 1e-250;
/// Angles beyond this are not reduced.
const LARGE_ANGLE: f64 = 1e6;

/// Everything.
pub(super) const ENTIRE: Interval = Interval {
    low: f64::NEG_INFINITY,
    high: f64::INFINITY,
};
/// Nothing but zero.
pub(super) const ZERO: Interval = Interval {
    low: 0.0,
    high: 0.0,
};

impl Interval {
    /// From `low` to `high`; everything when one is NaN or they are not in order.
    #[inline]
    pub fn new(low: f64, high: f64) -> Interval {
        if low <= high && low < f64::INFINITY && high > f64::NEG_INFINITY {
            Interval { low, high }
        } else {
            ENTIRE
        }
    }

    /// One number; everything when it is not finite.
    #[inline]
    pub fn point(x: f64) -> Interval {
        if x.is_finite() {
            Interval { low: x, high: x }
        } else {
            ENTIRE
        }
    }

    #[inline]
    pub fn is_zero(self) -> bool {
        self.low == 0.0 && self.high == 0.0
    }

    pub fn is_point(self) -> bool {
        self.low == self.high
    }

    pub fn is_finite(self) -> bool {
        self.low.is_finite() && self.high.is_finite()
    }

    #[inline]
    pub fn contains(self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }

    #[inline]
    pub fn has_zero(self) -> bool {
        self.contains(0.0)
    }

    pub fn is_within(self, other: Interval) -> bool {
        self.low >= other.low && self.high <= other.high
    }

    /// Within the other and away from its ends.
    pub fn is_inside(self, other: Interval) -> bool {
        self.low > other.low && self.high < other.high
    }

    /// What both have; `None` when that is nothing.
    #[inline]
    pub fn meet(self, other: Interval) -> Option<Interval> {
        let (low, high) = (self.low.max(other.low), self.high.min(other.high));
        (low <= high).then_some(Interval { low, high })
    }

    /// The smallest interval around both.
    pub fn hull(self, other: Interval) -> Interval {
        Interval {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// A number within, near the middle.
    pub fn middle(self) -> f64 {
        if self.is_finite() {
            self.low.midpoint(self.high)
        } else if self.low.is_finite() {
            2.0 * self.low.abs() + 1.0
        } else if self.high.is_finite() {
            -2.0 * self.high.abs() - 1.0
        } else {
            0.0
        }
    }

    /// Not less than the distance of the ends.
    #[inline]
    pub fn width(self) -> f64 {
        sum_up(self.high, -self.low)
    }

    /// The largest absolute value.
    pub fn magnitude(self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    #[inline]
    pub fn negate(self) -> Interval {
        Interval {
            low: -self.high,
            high: -self.low,
        }
    }

    #[inline]
    pub fn add(self, other: Interval) -> Interval {
        Interval {
            low: sum_down(self.low, other.low),
            high: sum_up(self.high, other.high),
        }
    }

    #[inline]
    pub fn subtract(self, other: Interval) -> Interval {
        self.add(other.negate())
    }

    #[inline]
    pub fn multiply(self, other: Interval) -> Interval {
        if self.is_zero() || other.is_zero() {
            return ZERO;
        }
        if self.is_point() && other.is_point() {
            let (a, b) = (self.low, other.low);
            let product = a * b;
            if product.abs() > UNDERFLOW && product.is_finite() && a.mul_add(b, -product) == 0.0 {
                return Interval {
                    low: product,
                    high: product,
                };
            }
        }
        let products = [
            times(self.low, other.low),
            times(self.low, other.high),
            times(self.high, other.low),
            times(self.high, other.high),
        ];
        let low = products.iter().copied().fold(f64::INFINITY, f64::min);
        let high = products.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Factors of one sign have a product that is not negative, however it underflows.
        let same = (self.low >= 0.0 && other.low >= 0.0) || (self.high <= 0.0 && other.high <= 0.0);
        let opposite =
            (self.low >= 0.0 && other.high <= 0.0) || (self.high <= 0.0 && other.low >= 0.0);
        Interval {
            low: if same && low == 0.0 {
                0.0
            } else {
                low.next_down()
            },
            high: if opposite && high == 0.0 {
                0.0
            } else {
                high.next_up()
            },
        }
    }

    /// The quotient where the divisor is not zero.
    pub fn divide(self, by: Interval) -> (Interval, Domain) {
        if by.is_zero() {
            return (ENTIRE, Domain::None);
        }
        if !by.has_zero() {
            return (self.over(by), Domain::Whole);
        }
        // Half lines where the divisor keeps its sign and the dividend is not zero.
        let half = if self.has_zero() || (by.low < 0.0 && by.high > 0.0) {
            ENTIRE
        } else {
            let far = if by.low == 0.0 { by.high } else { by.low };
            let quotient = self.over(Interval {
                low: far,
                high: far,
            });
            if (self.low > 0.0) == (by.low == 0.0) {
                Interval::new(quotient.low, f64::INFINITY)
            } else {
                Interval::new(f64::NEG_INFINITY, quotient.high)
            }
        };
        (half, Domain::Part)
    }

    fn over(self, by: Interval) -> Interval {
        if self.is_zero() {
            return ZERO;
        }
        let quotients = [
            ratio(self.low, by.low),
            ratio(self.low, by.high),
            ratio(self.high, by.low),
            ratio(self.high, by.high),
        ];
        let low = quotients.iter().copied().fold(f64::INFINITY, f64::min);
        let high = quotients.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Interval {
            low: if self.low == 0.0 && by.low > 0.0 || self.high == 0.0 && by.high < 0.0 {
                0.0
            } else {
                low.next_down()
            },
            high: if self.high == 0.0 && by.low > 0.0 || self.low == 0.0 && by.high < 0.0 {
                0.0
            } else {
                high.next_up()
            },
        }
    }

    /// A whole power that is not negative.
    pub fn power(self, exponent: u32) -> Interval {
        if exponent == 0 {
            return Interval::point(1.0);
        }
        if exponent == 1 {
            return self;
        }
        if exponent.is_multiple_of(2) {
            let size = self.absolute();
            return Interval {
                low: raised(size.low, exponent).low,
                high: raised(size.high, exponent).high,
            };
        }
        Interval {
            low: raised(self.low, exponent).low,
            high: raised(self.high, exponent).high,
        }
    }

    /// A power that is not a whole number, of what is not negative.
    pub fn general_power(self, exponent: f64) -> (Interval, Domain) {
        let Some(base) = self.meet(NOT_NEGATIVE) else {
            return (ENTIRE, Domain::None);
        };
        let (low, high) = (base.low.powf(exponent), base.high.powf(exponent));
        let value = if exponent > 0.0 {
            Interval::new(library_down(low).max(0.0), library_up(high))
        } else {
            Interval::new(library_down(high).max(0.0), library_up(low))
        };
        let is_whole = self.low > 0.0 || (self.low == 0.0 && exponent > 0.0);
        (
            value,
            if is_whole {
                Domain::Whole
            } else {
                Domain::Part
            },
        )
    }

    pub fn absolute(self) -> Interval {
        if self.low >= 0.0 {
            self
        } else if self.high <= 0.0 {
            self.negate()
        } else {
            Interval {
                low: 0.0,
                high: self.magnitude(),
            }
        }
    }

    pub fn minimum(self, other: Interval) -> Interval {
        Interval {
            low: self.low.min(other.low),
            high: self.high.min(other.high),
        }
    }

    pub fn maximum(self, other: Interval) -> Interval {
        Interval {
            low: self.low.max(other.low),
            high: self.high.max(other.high),
        }
    }

    pub fn sqrt(self) -> (Interval, Domain) {
        let Some(part) = self.meet(NOT_NEGATIVE) else {
            return (ENTIRE, Domain::None);
        };
        let down = |x: f64| if x == 0.0 { 0.0 } else { x.sqrt().next_down() };
        let up = |x: f64| if x == 0.0 { 0.0 } else { x.sqrt().next_up() };
        let value = Interval::new(down(part.low), up(part.high));
        (value, whole_if(self.low >= 0.0))
    }

    /// A function of the library that never falls, on the part of the interval where it has a
    /// value; `range` bounds its values.
    pub fn rising(
        self,
        function: impl Fn(f64) -> f64,
        domain: Interval,
        range: Interval,
    ) -> (Interval, Domain) {
        let Some(part) = self.meet(domain) else {
            return (ENTIRE, Domain::None);
        };
        // At an open end of the domain, such as log(0), the function gives minus infinity or NaN.
        let bound = |x: f64, otherwise: f64| {
            let value = function(x);
            if value.is_nan() { otherwise } else { value }
        };
        let low = library_down(bound(part.low, range.low)).max(range.low);
        let high = library_up(bound(part.high, range.high)).min(range.high);
        let value = if low <= high && low < f64::INFINITY && high > f64::NEG_INFINITY {
            Interval { low, high }
        } else {
            range
        };
        let is_whole = self.is_within(domain) && function(part.low).abs() < f64::INFINITY;
        (
            value,
            whole_if(is_whole && !function(part.high).is_infinite() || domain == ENTIRE),
        )
    }

    pub fn sin(self) -> Interval {
        self.wave(f64::sin, std::f64::consts::FRAC_PI_2)
    }

    pub fn cos(self) -> Interval {
        self.wave(f64::cos, 0.0)
    }

    /// A wave of period 2 pi with its top at `top`.
    fn wave(self, function: impl Fn(f64) -> f64, top: f64) -> Interval {
        use std::f64::consts::{PI, TAU};
        const RANGE: Interval = Interval {
            low: -1.0,
            high: 1.0,
        };
        if self.magnitude() > LARGE_ANGLE || self.width() >= TAU {
            return RANGE;
        }
        // Is there a whole number of turns between the ends, give or take the error of pi?
        let passes = |at: f64| {
            let turns = |x: f64| (x - at) / TAU;
            let slack = 1e-9;
            (turns(self.high) + slack).floor() >= (turns(self.low) - slack).ceil()
        };
        let (a, b) = (function(self.low), function(self.high));
        let high = if passes(top) {
            1.0
        } else {
            library_up(a.max(b)).min(1.0)
        };
        let low = if passes(top + PI) {
            -1.0
        } else {
            library_down(a.min(b)).max(-1.0)
        };
        Interval::new(low, high)
    }
}

/// All numbers from zero on.
pub(super) const NOT_NEGATIVE: Interval = Interval {
    low: 0.0,
    high: f64::INFINITY,
};

pub(super) fn whole_if(is_whole: bool) -> Domain {
    if is_whole {
        Domain::Whole
    } else {
        Domain::Part
    }
}

/// The product, where zero times infinity is zero.
#[inline]
fn times(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { a * b }
}

/// The quotient, where infinity over infinity is zero: the other candidates bound it.
fn ratio(a: f64, b: f64) -> f64 {
    if a.is_infinite() && b.is_infinite() {
        0.0
    } else {
        a / b
    }
}

/// The error of a sum rounded to nearest (Knuth's two-sum): its sign tells on which side of the
/// true sum the computed one lies.
#[inline]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// Not above a + b.
#[inline]
pub(super) fn sum_down(a: f64, b: f64) -> f64 {
    let (sum, error) = two_sum(a, b);
    // NaN, of an overflow, is not an exact error.
    if error >= 0.0 { sum } else { sum.next_down() }
}

/// Not below a + b.
#[inline]
pub(super) fn sum_up(a: f64, b: f64) -> f64 {
    let (sum, error) = two_sum(a, b);
    if error <= 0.0 { sum } else { sum.next_up() }
}

fn library_down(value: f64) -> f64 {
    (value - LIBRARY * value.abs()).next_down()
}

fn library_up(value: f64) -> f64 {
    (value + LIBRARY * value.abs()).next_up()
}

/// A whole power of one number by squaring; `exponent` is at least 1.
fn raised(x: f64, exponent: u32) -> Interval {
    if x.is_infinite() {
        let infinite = if x < 0.0 && exponent % 2 == 1 {
            Interval {
                low: f64::NEG_INFINITY,
                high: -f64::MAX,
            }
        } else {
            Interval {
                low: f64::MAX,
                high: f64::INFINITY,
            }
        };
        return infinite;
    }
    let is_negative = x < 0.0 && exponent % 2 == 1;
    let mut square = Interval::point(x.abs());
    let mut result = Interval::point(1.0);
    let mut left = exponent;
    loop {
        if left % 2 == 1 {
            result = result.multiply(square);
        }
        left /= 2;
        if left == 0 {
            break;
        }
        square = square.multiply(square);
    }
    // A product of what is not negative is not negative.
    result.low = result.low.max(0.0);
    if is_negative { result.negate() } else { result }
}
