//! A curve through rows of a run: values with their exact time derivatives, cubic in between.
//!
//! The cubic Hermite interpolant has an error of order h^4 in the distance h of rows, and so have
//! extrema and crossings; its integral is that of the trapezoidal rule with end corrections.
//! Where the value jumps there are two rows at one time, and no piece across them.

/// A piecewise cubic curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    pieces: Vec<Piece>,
}

/// Between two rows; of no length when it is the only one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    start: f64,
    end: f64,
    values: [f64; 2],
    slopes: [f64; 2],
}

impl Curve {
    /// Through rows of a time, a value and its time derivative; times ascend, and one that repeats
    /// is a jump. A derivative that is not finite gives way to the straight line. `None` without
    /// rows, or when a time or value is not finite.
    #[must_use]
    pub fn new(times: &[f64], values: &[f64], slopes: &[f64]) -> Option<Curve> {
        let sound = times.iter().chain(values).all(|number| number.is_finite());
        if !sound || values.len() != times.len() || slopes.len() != times.len() {
            return None;
        }
        let mut pieces = Vec::with_capacity(times.len());
        for row in 1..times.len() {
            let [start, end] = [times[row - 1], times[row]];
            if end > start {
                let values = [values[row - 1], values[row]];
                let straight = (values[1] - values[0]) / (end - start);
                let slope = |slope: f64| if slope.is_finite() { slope } else { straight };
                pieces.push(Piece {
                    start,
                    end,
                    values,
                    slopes: [slope(slopes[row - 1]), slope(slopes[row])],
                });
            }
        }
        let (time, value) = (*times.last()?, *values.last()?);
        // A jump at the very end leads nowhere, but it is where the curve ends.
        let jumps = |last: &Piece| last.end == time && last.values[1] != value;
        if pieces.last().is_none_or(jumps) {
            pieces.push(Piece {
                start: time,
                end: time,
                values: [value; 2],
                slopes: [0.0; 2],
            });
        }
        Some(Curve { pieces })
    }

    /// The first time.
    #[must_use]
    pub fn start(&self) -> f64 {
        self.pieces.first().map_or(f64::NAN, |piece| piece.start)
    }

    /// The last time.
    #[must_use]
    pub fn end(&self) -> f64 {
        self.pieces.last().map_or(f64::NAN, |piece| piece.end)
    }

    /// The value at the start.
    #[must_use]
    pub fn first(&self) -> f64 {
        self.pieces
            .first()
            .map_or(f64::NAN, |piece| piece.values[0])
    }

    /// The value at the end.
    #[must_use]
    pub fn last(&self) -> f64 {
        self.pieces.last().map_or(f64::NAN, |piece| piece.values[1])
    }

    /// Value and time derivative; at a jump those after it.
    #[must_use]
    pub fn at(&self, time: f64) -> (f64, f64) {
        let after = self.pieces.partition_point(|piece| piece.start <= time);
        let piece = self.pieces.get(after.saturating_sub(1));
        piece.map_or((f64::NAN, f64::NAN), |piece| piece.at(time))
    }

    /// The part between two times; `None` when they lie outside the curve or do not ascend.
    #[must_use]
    pub fn within(&self, from: f64, to: f64) -> Option<Curve> {
        if !(from >= self.start() && to <= self.end() && from <= to) {
            return None;
        }
        let inside = |piece: &&Piece| {
            let is_point = piece.start == piece.end;
            piece.end > from && piece.start < to || is_point && piece.start == to
        };
        let mut pieces: Vec<Piece> = (self.pieces.iter())
            .filter(inside)
            .map(|piece| piece.cut(from, to))
            .collect();
        if pieces.is_empty() {
            let value = self.at(from).0;
            pieces.push(Piece {
                start: from,
                end: from,
                values: [value; 2],
                slopes: [0.0; 2],
            });
        }
        Some(Curve { pieces })
    }

    /// The curve through every second row, but for rows at jumps: the difference tells how far a
    /// number taken from the curve is to be trusted.
    #[must_use]
    pub fn coarser(&self) -> Curve {
        let mut pieces: Vec<Piece> = Vec::with_capacity(self.pieces.len() / 2 + 1);
        let mut joined = false;
        for piece in &self.pieces {
            if let Some(before) = pieces.last_mut()
                && !joined
                && before.values[1] == piece.values[0]
            {
                before.end = piece.end;
                before.values[1] = piece.values[1];
                before.slopes[1] = piece.slopes[1];
                joined = true;
                continue;
            }
            pieces.push(*piece);
            joined = false;
        }
        Curve { pieces }
    }

    /// The lowest value with the time at which it is met first.
    #[must_use]
    pub fn lowest(&self) -> (f64, f64) {
        self.extreme(|a, b| a < b)
    }

    /// The highest value with the time at which it is met first.
    #[must_use]
    pub fn highest(&self) -> (f64, f64) {
        self.extreme(|a, b| a > b)
    }

    fn extreme(&self, better: impl Fn(f64, f64) -> bool) -> (f64, f64) {
        /// Peaks of a repetition that differ by less are the same: the first one counts.
        const SAME: f64 = 1e-6;
        let candidates = || {
            self.pieces.iter().flat_map(|piece| {
                let turns = piece.turns().into_iter().flatten();
                let starts = [piece.start].into_iter().chain(turns);
                let inside = starts.map(|time| (piece.at(time).0, time));
                inside.chain([(piece.values[1], piece.end)])
            })
        };
        let start = (self.first(), self.start());
        let best = candidates().fold(
            start,
            |best, found| {
                if better(found.0, best.0) { found } else { best }
            },
        );
        // Only where the curve turns or jumps: beside a smooth peak all is nearly as high.
        let summits = self.pieces.iter().flat_map(|piece| {
            let turns = piece.turns().into_iter().flatten();
            turns.map(|time| (piece.at(time).0, time))
        });
        let starts = self
            .pieces
            .first()
            .map(|first| (first.values[0], first.start));
        let landings = starts.into_iter().chain(self.landings());
        let same = |found: &(f64, f64)| (found.0 - best.0).abs() <= SAME * best.0.abs();
        let met = summits.chain(landings).filter(same);
        (best.0, met.fold(best.1, |first, found| first.min(found.1)))
    }

    /// The integral over time.
    #[must_use]
    pub fn integral(&self) -> f64 {
        self.pieces.iter().map(Piece::integral).sum()
    }

    /// The times at which the value passes a level, ascending, with 1 for upward, -1 for downward.
    /// A jump across the level counts.
    #[must_use]
    pub fn crossings(&self, level: f64) -> Vec<(f64, i8)> {
        let mut found = Vec::new();
        // The side that the curve was on last: touching the level is no crossing.
        let mut side = 0.0;
        for piece in &self.pieces {
            let turns = piece.turns().into_iter().flatten();
            let mut low = piece.start;
            for high in turns.chain([piece.end]) {
                let [a, b] = [low, high].map(|time| piece.at(time).0 - level);
                // The start of the piece is beyond the level already after a jump.
                for (time, value) in [(low, a), (high, b)] {
                    if value == 0.0 {
                        continue;
                    }
                    let now = value.signum();
                    if side != 0.0 && now != side {
                        let time = if time == low {
                            low
                        } else {
                            piece.root(low, high, level)
                        };
                        found.push((time, if now > 0.0 { 1 } else { -1 }));
                    }
                    side = now;
                }
                low = high;
            }
        }
        found
    }

    /// The values that jumps lead to, and their times.
    fn landings(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let pairs = self.pieces.windows(2);
        pairs.filter_map(|pair| match pair {
            [before, after] if before.values[1] != after.values[0] => {
                Some((after.values[0], after.start))
            }
            _ => None,
        })
    }

    /// The times at which the value jumps.
    pub fn jumps(&self) -> impl Iterator<Item = f64> + '_ {
        self.landings().map(|(_, time)| time)
    }
}

impl Piece {
    fn length(&self) -> f64 {
        self.end - self.start
    }

    /// Coefficients of 1, u, u^2, u^3 for u from 0 to 1.
    fn cubic(&self) -> [f64; 4] {
        let h = self.length();
        let [a, b] = self.values;
        let [da, db] = self.slopes.map(|slope| slope * h);
        [
            a,
            da,
            3.0 * (b - a) - 2.0 * da - db,
            2.0 * (a - b) + da + db,
        ]
    }

    fn at(&self, time: f64) -> (f64, f64) {
        let h = self.length();
        if time <= self.start || h == 0.0 {
            return (self.values[0], self.slopes[0]);
        }
        if time >= self.end {
            return (self.values[1], self.slopes[1]);
        }
        let [c0, c1, c2, c3] = self.cubic();
        let u = (time - self.start) / h;
        let value = c0 + u * (c1 + u * (c2 + u * c3));
        (value, (c1 + u * (2.0 * c2 + u * 3.0 * c3)) / h)
    }

    /// The times inside at which the derivative vanishes, ascending.
    fn turns(&self) -> [Option<f64>; 2] {
        let [_, c1, c2, c3] = self.cubic();
        let (a, b, c) = (3.0 * c3, 2.0 * c2, c1);
        let discriminant = b * b - 4.0 * a * c;
        if discriminant < 0.0 {
            return [None; 2];
        }
        // Without cancellation: the larger root first, the other from the product.
        let q = -0.5 * (b + discriminant.sqrt().copysign(b));
        let inside = |u: f64| {
            let time = self.start + u * self.length();
            (u > 0.0 && u < 1.0 && time > self.start && time < self.end).then_some(time)
        };
        let (one, other) = (inside(q / a), inside(c / q));
        match (one, other) {
            (Some(x), Some(y)) if x > y => [Some(y), Some(x)],
            (Some(x), Some(y)) if x == y => [Some(x), None],
            found => [found.0, found.1],
        }
    }

    /// Where a stretch without turns, on both sides of a level, passes it.
    fn root(&self, low: f64, high: f64, level: f64) -> f64 {
        let (mut low, mut high) = (low, high);
        let from = self.at(low).0 - level;
        for _ in 0..80 {
            let middle = low.midpoint(high);
            if middle <= low || middle >= high {
                break;
            }
            let value = self.at(middle).0 - level;
            if value == 0.0 {
                return middle;
            }
            if (value > 0.0) == (from > 0.0) && from != 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    fn integral(&self) -> f64 {
        let h = self.length();
        let [a, b] = self.values;
        let [da, db] = self.slopes;
        h * a.midpoint(b) + h * h / 12.0 * (da - db)
    }

    fn cut(&self, from: f64, to: f64) -> Piece {
        let (start, end) = (self.start.max(from), self.end.min(to));
        let ((a, da), (b, db)) = (self.at(start), self.at(end));
        Piece {
            start,
            end,
            values: [a, b],
            slopes: [da, db],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(f: impl Fn(f64) -> (f64, f64), times: &[f64]) -> Curve {
        let (values, slopes): (Vec<f64>, Vec<f64>) = times.iter().map(|t| f(*t)).unzip();
        Curve::new(times, &values, &slopes).expect("a curve")
    }

    /// A cubic is its own interpolant, whatever the rows: t^3 - 3t on -2..3.
    #[test]
    fn a_cubic_is_met_exactly() {
        let curve = of(
            |t| (t * t * t - 3.0 * t, 3.0 * t * t - 3.0),
            &[-2.0, 0.5, 3.0],
        );
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} for {b}");
        near(curve.lowest().0, -2.0);
        near(curve.lowest().1, -2.0);
        near(curve.highest().0, 18.0);
        let inner = curve.within(-1.5, 1.9).expect("inside");
        near(inner.highest().0, 2.0);
        near(inner.highest().1, -1.0);
        near(inner.lowest().0, -2.0);
        near(inner.lowest().1, 1.0);
        near(curve.integral(), (81.0 - 16.0) / 4.0 - 1.5 * (9.0 - 4.0));
        let crossings = curve.crossings(0.0);
        let root = 3.0f64.sqrt();
        assert_eq!(crossings.len(), 3);
        for (found, exact) in crossings.iter().zip([(-root, 1), (0.0, -1), (root, 1)]) {
            near(found.0, exact.0);
            assert_eq!(found.1, exact.1);
        }
        assert!(curve.within(-3.0, 0.0).is_none() && curve.within(1.0, 0.0).is_none());
    }

    #[test]
    fn the_error_is_of_fourth_order() {
        let exact = 1.0 - 6.0f64.cos();
        let error = |rows: u32| {
            let times: Vec<f64> = (0..=rows)
                .map(|k| 6.0 * f64::from(k) / f64::from(rows))
                .collect();
            (of(|t| (t.sin(), t.cos()), &times).integral() - exact).abs()
        };
        let order = (error(20) / error(40)).log2();
        assert!((order - 4.0).abs() < 0.1, "{order}");
    }

    /// A jump from 1 to 3 at t = 1, then a fall of slope -1.
    #[test]
    fn jumps_are_kept_apart() {
        let curve = Curve::new(
            &[0.0, 1.0, 1.0, 3.0, 4.0],
            &[1.0, 1.0, 3.0, 1.0, 0.0],
            &[0.0, 0.0, -1.0, -1.0, -1.0],
        )
        .expect("a curve");
        assert_eq!(curve.jumps().collect::<Vec<_>>(), [1.0]);
        assert_eq!(curve.highest(), (3.0, 1.0));
        assert!((curve.integral() - 5.5).abs() < 1e-12);
        assert_eq!(curve.crossings(2.0), [(1.0, 1), (2.0, -1)]);
        assert_eq!(curve.at(1.0).0, 3.0);
        assert_eq!(curve.coarser().jumps().count(), 1);
        assert!((curve.coarser().integral() - 5.5).abs() < 1e-12);
    }
}
