//! Branches by pseudo-arclength continuation, their special points, and the branches that cross.
//!
//! H. B. Keller, Numerical solution of bifurcation and nonlinear eigenvalue problems (1977);
//! W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), chapters 2
//! to 5. States are measured in sizes that grow with them, the parameter in its range.

use super::linear::{Factors, dot, eigenvalues, norm, right_vectors, unit};
use super::normal_form;
use super::{
    Branch, Crossing, Diagram, End, Family, Kind, Motion, Options, Origin, Point, Special,
};
use nalgebra::{Complex, DMatrix};

/// Longest and shortest step, and the first, in the sizes of states and parameter.
const LONGEST: f64 = 0.04;
const SHORTEST: f64 = 1e-9;
const FIRST: f64 = 0.005;
/// A correction that ends Newton's iteration: the next one would be round-off.
const DONE: f64 = 1e-9;
const MOST_ITERATIONS: usize = 8;
/// Least cosine between tangents of neighbouring points.
const STRAIGHT: f64 = 0.98;
/// Points closer than this are the same special point.
const SAME: f64 = 1e-5;
/// A state this many times larger than all its sizes is unbounded.
const UNBOUNDED: f64 = 1e9;

/// Follows the branches through `starts` and those that cross them.
pub fn diagram(family: &dyn Family, starts: &[Vec<f64>], options: &Options<'_>) -> Diagram {
    let n = family.dimension();
    let mut tracer = Tracer {
        family,
        options,
        n,
        diagram: Diagram::default(),
        known: Vec::new(),
        open: Vec::new(),
    };
    for start in starts {
        let sizes = tracer.sizes(start);
        let Some(x) = tracer.at_parameter(start, &sizes) else {
            continue;
        };
        if tracer.is_known(&x, &sizes) {
            continue;
        }
        let tangents = tracer.tangents(&x, &sizes);
        if let [one] = tangents.as_slice() {
            let one = one.clone();
            tracer.both_ways(&x, &one, Origin::Start);
        } else if let [first, second] = tangents.as_slice() {
            // The start is a branch point itself.
            let (first, second) = (first.clone(), second.clone());
            tracer.both_ways(&x, &first, Origin::Start);
            tracer.open.push((usize::MAX, x.clone(), second));
        }
        while let Some((special, x, tangent)) = tracer.open.pop() {
            if tracer.diagram.branches.len() >= options.most_branches || (options.interrupted)() {
                break;
            }
            let origin = if special == usize::MAX {
                Origin::Start
            } else {
                Origin::Crossing(special)
            };
            tracer.both_ways(&x, &tangent, origin);
        }
    }
    tracer.diagram.interrupted = (options.interrupted)();
    tracer.diagram
}

struct Tracer<'a> {
    family: &'a dyn Family,
    options: &'a Options<'a>,
    n: usize,
    diagram: Diagram,
    /// Places of branch points, with their numbers.
    known: Vec<(Vec<f64>, usize)>,
    /// Crossing branches that have not been followed.
    open: Vec<(usize, Vec<f64>, Vec<f64>)>,
}

/// A point with all that is known of it. Tangents are in sizes.
#[derive(Clone)]
struct Here {
    x: Vec<f64>,
    tangent: Vec<f64>,
    /// Sign of the bordered determinant.
    sign: f64,
    eigenvalues: Option<Vec<Complex<f64>>>,
}

impl Tracer<'_> {
    fn sizes(&self, x: &[f64]) -> Vec<f64> {
        let largest = x[..self.n]
            .iter()
            .fold(0.0_f64, |most, u| most.max(u.abs()));
        let common = if largest > 0.0 { largest } else { 1.0 };
        let mut sizes: Vec<f64> = (0..self.n)
            .map(|i| {
                let least = self.options.sizes.get(i).copied().unwrap_or(0.0);
                x[i].abs().max(least).max(1e-2 * common)
            })
            .collect();
        sizes.push(self.options.range.1 - self.options.range.0);
        sizes
    }

    fn residual(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.n];
        self.family.residual(x, &mut out);
        out
    }

    fn jacobian(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.n * (self.n + 1)];
        self.family.jacobian(x, &mut out);
        out
    }

    /// The Jacobian in sizes with a further row, by rows.
    fn bordered(&self, jacobian: &[f64], sizes: &[f64], row: &[f64]) -> Factors {
        let width = self.n + 1;
        let mut entries = vec![0.0; width * width];
        for (j, column) in jacobian.chunks_exact(self.n.max(1)).enumerate() {
            for (i, entry) in column.iter().enumerate() {
                entries[i * width + j] = entry * sizes[j];
            }
        }
        // Rows are scaled alike, so that no equation counts for its unit.
        for i in 0..self.n {
            let row = &mut entries[i * width..(i + 1) * width];
            let most = row
                .iter()
                .fold(0.0_f64, |most, entry| most.max(entry.abs()));
            if most > 0.0 {
                row.iter_mut().for_each(|entry| *entry /= most);
            }
        }
        entries[self.n * width..].copy_from_slice(row);
        Factors::new(entries, width)
    }

    /// How much each row was scaled by.
    fn row_scales(&self, jacobian: &[f64], sizes: &[f64]) -> Vec<f64> {
        (0..self.n)
            .map(|i| {
                let most = (0..=self.n)
                    .map(|j| (jacobian[j * self.n + i] * sizes[j]).abs())
                    .fold(0.0, f64::max);
                if most > 0.0 { most } else { 1.0 }
            })
            .collect()
    }

    /// Newton's iteration on F = 0 and row . (x - from)/sizes = 0.
    fn correct(&self, from: &[f64], row: &[f64], sizes: &[f64]) -> Option<(Vec<f64>, usize)> {
        let mut x = from.to_vec();
        let mut before = f64::INFINITY;
        for iteration in 1..=MOST_ITERATIONS {
            let jacobian = self.jacobian(&x);
            let scales = self.row_scales(&jacobian, sizes);
            let mut right: Vec<f64> = self
                .residual(&x)
                .iter()
                .zip(&scales)
                .map(|(f, scale)| -f / scale)
                .collect();
            let off: f64 = (0..=self.n)
                .map(|i| row[i] * (x[i] - from[i]) / sizes[i])
                .sum();
            right.push(-off);
            let step = self.bordered(&jacobian, sizes, row).solve(&right)?;
            for ((x, step), size) in x.iter_mut().zip(&step).zip(sizes) {
                *x += step * size;
            }
            let length = norm(&step);
            if !length.is_finite() || length > 10.0 || (iteration > 2 && length > before) {
                // Round-off near a branch point is as good as it gets.
                return (before < 1e-6 && length < 1e-5).then_some((x, iteration));
            }
            if length < DONE {
                return Some((x, iteration));
            }
            before = length;
        }
        (before < 1e-6).then_some((x, MOST_ITERATIONS))
    }

    /// Newton's iteration at a fixed parameter, else anywhere near.
    fn at_parameter(&self, from: &[f64], sizes: &[f64]) -> Option<Vec<f64>> {
        let mut row = vec![0.0; self.n + 1];
        row[self.n] = 1.0;
        if let Some((x, _)) = self.correct(from, &row, sizes) {
            return Some(x);
        }
        // A fold: no point at exactly this parameter, or a singular one.
        let small = self.residual(from).iter().all(|f| f.is_finite());
        small.then(|| from.to_vec())
    }

    /// The tangents at a point, in sizes: one, or two where branches cross.
    fn tangents(&self, x: &[f64], sizes: &[f64]) -> Vec<Vec<f64>> {
        let jacobian = self.jacobian(x);
        let scales = self.row_scales(&jacobian, sizes);
        let matrix = DMatrix::from_fn(self.n, self.n + 1, |i, j| {
            jacobian[j * self.n + i] * sizes[j] / scales[i]
        });
        if matrix.iter().any(|entry| !entry.is_finite()) {
            return Vec::new();
        }
        let Some((values, vectors)) = right_vectors(&matrix) else {
            return Vec::new();
        };
        let is_crossing = self.n > 0 && values.get(1).is_some_and(|value| *value < 1e-7);
        if is_crossing {
            let both = self.crossing_tangents(x, sizes, &vectors[0], &vectors[1]);
            if let Some([first, second]) = both {
                return vec![first, second];
            }
        }
        vec![vectors[0].clone()]
    }

    /// The algebraic bifurcation equation: a11 α² + 2 a12 α β + a22 β² = 0 for tangents α v1 + β v2.
    fn crossing_tangents(
        &self,
        x: &[f64],
        sizes: &[f64],
        v1: &[f64],
        v2: &[f64],
    ) -> Option<[Vec<f64>; 2]> {
        let jacobian = self.jacobian(x);
        let scales = self.row_scales(&jacobian, sizes);
        // The left null vector, for scaled rows.
        let transposed = DMatrix::from_fn(self.n + 1, self.n, |j, i| {
            jacobian[j * self.n + i] * sizes[j] / scales[i]
        });
        let (_, left) = right_vectors(&transposed)?;
        let psi = left.first()?;
        let real = |v: &[f64]| {
            v.iter()
                .zip(sizes)
                .map(|(v, size)| v * size)
                .collect::<Vec<f64>>()
        };
        let (r1, r2) = (real(v1), real(v2));
        let form = |a: &[f64], b: &[f64]| {
            let mut out = vec![0.0; self.n];
            self.family.second(x, a, b, &mut out);
            let terms = out.iter().zip(&scales).zip(psi);
            terms.map(|((f, scale), psi)| f / scale * psi).sum::<f64>()
        };
        let (a, b, c) = (form(&r1, &r1), form(&r1, &r2), form(&r2, &r2));
        let size = a.abs().max(b.abs()).max(c.abs());
        let square = b * b - a * c;
        if size == 0.0 || square <= 1e-14 * size * size {
            return None;
        }
        let root = square.sqrt();
        // α : β = a root of a α² + 2 b α β + c β², without cancellation.
        let q = -(b + root.copysign(b));
        let pairs = [(q, a), (c, q)];
        let tangent = |(alpha, beta): (f64, f64)| {
            let sum: Vec<f64> = v1
                .iter()
                .zip(v2)
                .map(|(v1, v2)| alpha * v1 + beta * v2)
                .collect();
            unit(&sum)
        };
        Some([tangent(pairs[0]), tangent(pairs[1])])
    }

    /// All about a corrected point; the tangent leads on from `before`.
    fn look(&self, x: Vec<f64>, before: &[f64], sizes: &[f64]) -> Option<Here> {
        let jacobian = self.jacobian(&x);
        let factors = self.bordered(&jacobian, sizes, before);
        let mut right = vec![0.0; self.n + 1];
        right[self.n] = 1.0;
        let tangent = match factors.solve(&right) {
            Some(tangent) => unit(&tangent),
            None => before.to_vec(),
        };
        let sign = self.bordered(&jacobian, sizes, &tangent).sign;
        Some(Here {
            eigenvalues: eigenvalues(self.family, &jacobian),
            x,
            tangent,
            sign,
        })
    }

    /// Follows a branch from a point in both directions and keeps it.
    fn both_ways(&mut self, x: &[f64], tangent: &[f64], origin: Origin) {
        let number = self.diagram.branches.len();
        let mut forward = self.follow(x, tangent, number, &[]);
        let is_loop = forward.end == End::Closed;
        let mut points = Vec::new();
        let mut special = Vec::new();
        let mut first_end = End::Closed;
        if !is_loop {
            let back: Vec<f64> = tangent.iter().map(|t| -t).collect();
            let backward = self.follow(x, &back, number, &forward.points);
            first_end = backward.end;
            let count = backward.points.len();
            special.extend(
                backward
                    .special
                    .iter()
                    .map(|(at, id)| (count - 1 - at, *id)),
            );
            special.reverse();
            points.extend(backward.points.into_iter().rev());
            points.pop();
        }
        let shift = points.len();
        special.extend(forward.special.iter().map(|(at, id)| (at + shift, *id)));
        if let Origin::Crossing(id) = origin {
            special.push((shift, id));
            special.sort_unstable();
        }
        points.append(&mut forward.points);
        if points.len() < 2 {
            return;
        }
        self.diagram.branches.push(Branch {
            origin,
            points,
            special,
            ends: [first_end, forward.end],
        });
    }

    /// Follows a branch one way. The first point is the start.
    fn follow(&mut self, x: &[f64], tangent: &[f64], number: usize, other: &[Point]) -> Way {
        let mut sizes = self.sizes(x);
        let mut here = Here {
            x: x.to_vec(),
            tangent: unit(tangent),
            sign: 0.0,
            eigenvalues: eigenvalues(self.family, &self.jacobian(x)),
        };
        if let Some(seen) = self.look(x.to_vec(), &here.tangent, &sizes) {
            if dot(&seen.tangent, &here.tangent) > 0.9 {
                here.sign = seen.sign;
            }
        }
        let mut way = Way {
            points: vec![self.point(&here)],
            special: Vec::new(),
            end: End::Range,
        };
        let mut step = FIRST;
        loop {
            if (self.options.interrupted)() {
                way.end = End::Interrupted;
                return way;
            }
            if way.points.len() + other.len() >= self.options.most_points {
                way.end = End::TooManyPoints;
                return way;
            }
            let (p, direction) = (here.x[self.n], here.tangent[self.n]);
            let (low, high) = self.options.range;
            if (p >= high && direction > 0.0) || (p <= low && direction < 0.0) {
                way.end = End::Range;
                return way;
            }
            let Some((next, iterations)) = self.step(&here, step, &sizes) else {
                step /= 2.0;
                if step < SHORTEST {
                    let ahead: Vec<f64> = self.ahead(&here, 1e-6, &sizes);
                    let finite = self.residual(&ahead).iter().all(|f| f.is_finite());
                    way.end = if finite {
                        End::StepTooSmall
                    } else {
                        End::NotFinite
                    };
                    return way;
                }
                continue;
            };
            let (next, end) = self.cut(&here, next, &sizes);
            if self.closes(&way, &here, &next, &sizes) {
                let first = way.points[0].clone();
                self.between(&here, &next, &sizes, number, &mut way);
                way.points.push(first);
                way.end = End::Closed;
                return way;
            }
            self.between(&here, &next, &sizes, number, &mut way);
            way.points.push(self.point(&next));
            if let Some(end) = end {
                way.end = end;
                return way;
            }
            // Sizes grow with the states; the tangent keeps its direction.
            let real: Vec<f64> = next
                .tangent
                .iter()
                .zip(&sizes)
                .map(|(t, s)| t * s)
                .collect();
            here = next;
            for (size, u) in sizes.iter_mut().zip(&here.x[..self.n]) {
                *size = size.max(u.abs());
            }
            let scaled: Vec<f64> = real.iter().zip(&sizes).map(|(r, s)| r / s).collect();
            here.tangent = unit(&scaled);
            if iterations <= 3 {
                step = (1.5 * step).min(LONGEST);
            }
        }
    }

    fn ahead(&self, here: &Here, step: f64, sizes: &[f64]) -> Vec<f64> {
        let parts = here.x.iter().zip(&here.tangent).zip(sizes);
        parts.map(|((x, t), size)| x + step * t * size).collect()
    }

    /// One step; `None` when it is too long.
    fn step(&self, here: &Here, step: f64, sizes: &[f64]) -> Option<(Here, usize)> {
        let ahead = self.ahead(here, step, sizes);
        let (x, iterations) = self.correct(&ahead, &here.tangent, sizes)?;
        let moved: Vec<f64> = (0..=self.n)
            .map(|i| (x[i] - here.x[i]) / sizes[i])
            .collect();
        let next = self.look(x, &here.tangent, sizes)?;
        let is_smooth = dot(&here.tangent, &next.tangent) > STRAIGHT
            && norm(&moved) < 2.0 * step
            && dot(&here.tangent, &moved) > 0.5 * norm(&moved);
        is_smooth.then_some((next, iterations))
    }

    /// Shortens a step that leaves the range or the box.
    fn cut(&self, here: &Here, next: Here, sizes: &[f64]) -> (Here, Option<End>) {
        let (low, high) = self.options.range;
        let mut found: Option<(f64, End, usize, f64)> = None;
        let mut consider = |at: usize, bound: f64, end: End| {
            let part = (bound - here.x[at]) / (next.x[at] - here.x[at]);
            if found.as_ref().is_none_or(|known| part < known.0) {
                found = Some((part, end, at, bound));
            }
        };
        if next.x[self.n] > high {
            consider(self.n, high, End::Range);
        }
        if next.x[self.n] < low {
            consider(self.n, low, End::Range);
        }
        for (state, (least, most)) in self.options.bounds.iter().enumerate() {
            let within = 1e-9 * sizes[state];
            if next.x[state] < least - within && here.x[state] >= least - within {
                consider(
                    state,
                    *least,
                    End::Bound {
                        state,
                        bound: *least,
                    },
                );
            }
            if next.x[state] > most + within && here.x[state] <= most + within {
                consider(
                    state,
                    *most,
                    End::Bound {
                        state,
                        bound: *most,
                    },
                );
            }
        }
        let Some((part, end, at, bound)) = found else {
            let grown = (0..self.n).find(|i| next.x[*i].abs() > UNBOUNDED * self.first_size(*i));
            let end = grown.map(|state| End::Unbounded { state });
            if end.is_none() && !(self.options.admissible)(&next.x) {
                return (self.switch(here, next, sizes), Some(End::Switch));
            }
            return (next, end);
        };
        let mut from: Vec<f64> = (0..=self.n)
            .map(|i| here.x[i] + part * (next.x[i] - here.x[i]))
            .collect();
        from[at] = bound;
        let mut row = vec![0.0; self.n + 1];
        row[at] = 1.0;
        if let Some((mut x, _)) = self.correct(&from, &row, sizes) {
            x[at] = bound;
            if let Some(exact) = self.look(x, &here.tangent, sizes) {
                return (exact, Some(end));
            }
        }
        (next, Some(end))
    }

    /// The last point before a condition changes.
    fn switch(&self, here: &Here, beyond: Here, sizes: &[f64]) -> Here {
        let (mut low, mut high) = (0.0, 1.0);
        let mut last = here.clone();
        let length: Vec<f64> = (0..=self.n)
            .map(|i| (beyond.x[i] - here.x[i]) / sizes[i])
            .collect();
        for _ in 0..50 {
            let middle = 0.5 * (low + high);
            let from: Vec<f64> = (0..=self.n)
                .map(|i| here.x[i] + middle * length[i] * sizes[i])
                .collect();
            let Some((x, _)) = self.correct(&from, &here.tangent, sizes) else {
                high = middle;
                continue;
            };
            if (self.options.admissible)(&x) {
                low = middle;
                if let Some(seen) = self.look(x, &here.tangent, sizes) {
                    last = seen;
                }
            } else {
                high = middle;
            }
        }
        last
    }

    fn first_size(&self, state: usize) -> f64 {
        self.options
            .sizes
            .get(state)
            .copied()
            .unwrap_or(0.0)
            .max(1.0)
    }

    /// Whether a step passes the first point of its branch.
    fn closes(&self, way: &Way, here: &Here, next: &Here, sizes: &[f64]) -> bool {
        if way.points.len() < 4 {
            return false;
        }
        let scaled = |a: &[f64], b: &[f64]| -> Vec<f64> {
            (0..=self.n).map(|i| (a[i] - b[i]) / sizes[i]).collect()
        };
        let chord = scaled(&next.x, &here.x);
        let to_first = scaled(&way.points[0].x, &here.x);
        let length = norm(&chord);
        let along = dot(&chord, &to_first) / (length * length);
        let off: Vec<f64> = to_first
            .iter()
            .zip(&chord)
            .map(|(a, c)| a - along * c)
            .collect();
        (0.0..=1.0).contains(&along) && norm(&off) < 0.05 * length
    }

    fn point(&self, here: &Here) -> Point {
        Point {
            x: here.x.clone(),
            unstable: self.unstable(here),
        }
    }

    fn unstable(&self, here: &Here) -> Option<usize> {
        let values = here.eigenvalues.as_ref()?;
        let is_map = self.family.motion() == Motion::Map;
        let leaves = |z: &&Complex<f64>| if is_map { z.norm() > 1.0 } else { z.re > 0.0 };
        Some(values.iter().filter(leaves).count())
    }
}

/// A branch in one direction.
struct Way {
    points: Vec<Point>,
    special: Vec<(usize, usize)>,
    end: End,
}

/// What changes its sign at special points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Fold,
    Branch,
    Hopf,
    Doubling,
    Circle,
    Alternation,
}

impl Tracer<'_> {
    fn tests(&self) -> &'static [Test] {
        match self.family.motion() {
            Motion::Flow => &[Test::Branch, Test::Fold, Test::Hopf],
            Motion::Map => &[
                Test::Branch,
                Test::Fold,
                Test::Doubling,
                Test::Circle,
                Test::Alternation,
            ],
        }
    }

    /// The value of a test; its sign alone for determinants.
    fn test(&self, test: Test, here: &Here) -> Option<f64> {
        match test {
            Test::Fold => Some(here.tangent[self.n]),
            Test::Branch => Some(here.sign),
            Test::Hopf => {
                let values = here.eigenvalues.as_ref()?;
                closest_pair(values, |a, b| a + b).map(|sum| sum.0)
            }
            Test::Doubling => {
                let values = here.eigenvalues.as_ref()?;
                product(values.iter().map(|z| z + 1.0))
            }
            Test::Circle => {
                let values = here.eigenvalues.as_ref()?;
                closest_pair(values, |a, b| a * b - 1.0).map(|sum| sum.0)
            }
            Test::Alternation => match here.eigenvalues.as_deref()? {
                [one] => Some(one.re),
                _ => None,
            },
        }
    }

    /// Finds the special points between two neighbouring points and adds them.
    fn between(&mut self, here: &Here, next: &Here, sizes: &[f64], number: usize, way: &mut Way) {
        let mut found: Vec<(f64, Test, Here)> = Vec::new();
        for test in self.tests() {
            let (Some(a), Some(b)) = (self.test(*test, here), self.test(*test, next)) else {
                continue;
            };
            if a * b < 0.0 || (b == 0.0 && a != 0.0) {
                found.extend(
                    self.locate(*test, here, next, sizes)
                        .map(|(s, at)| (s, *test, at)),
                );
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let has_branch = found.iter().any(|(_, test, _)| *test == Test::Branch);
        for (_, test, at) in found {
            // The tangent turns at once where a symmetric branch passes its own crossing.
            if test != Test::Branch && has_branch && self.near_known(&at.x, sizes).is_some() {
                continue;
            }
            self.add(test, at, sizes, number, way);
        }
    }

    /// The point where a test vanishes, by bisection and interpolation along the chord.
    fn locate(&self, test: Test, a: &Here, b: &Here, sizes: &[f64]) -> Option<(f64, Here)> {
        let chord: Vec<f64> = (0..=self.n).map(|i| (b.x[i] - a.x[i]) / sizes[i]).collect();
        let row = unit(&chord);
        let (mut low, mut high) = (0.0_f64, 1.0_f64);
        let (mut f_low, mut f_high) = (self.test(test, a)?, self.test(test, b)?);
        let mut best: Option<(f64, f64, Here)> = None;
        let (mut side, mut last) = (0, f64::NAN);
        for round in 0..80 {
            let is_sign = test == Test::Branch;
            let mut at = if is_sign || round % 12 == 11 {
                0.5 * (low + high)
            } else {
                (low * f_high - high * f_low) / (f_high - f_low)
            };
            if !at.is_finite() || at < low || at > high {
                at = 0.5 * (low + high);
            }
            let from: Vec<f64> = (0..=self.n)
                .map(|i| a.x[i] + at * chord[i] * sizes[i])
                .collect();
            let Some(here) = self
                .correct(&from, &row, sizes)
                .and_then(|(x, _)| self.look(x, &row, sizes))
            else {
                break;
            };
            let value = self.test(test, &here)?;
            if best
                .as_ref()
                .is_none_or(|known| is_sign || value.abs() <= known.1)
            {
                best = Some((at, value.abs(), here));
            }
            if value == 0.0 || (at - last).abs() < 1e-14 || high - low < 1e-13 {
                break;
            }
            if is_sign && high - low < 1e-7 {
                break;
            }
            last = at;
            if value * f_low < 0.0 {
                (high, f_high) = (at, value);
                if side == 1 {
                    f_low /= 2.0;
                }
                side = 1;
            } else {
                (low, f_low) = (at, value);
                if side == -1 {
                    f_high /= 2.0;
                }
                side = -1;
            }
        }
        best.map(|(at, _, here)| (at, here))
    }

    /// The number of the branch point at a place.
    fn near_known(&self, x: &[f64], sizes: &[f64]) -> Option<usize> {
        let near = |known: &Vec<f64>| {
            (0..=self.n).all(|i| (known[i] - x[i]).abs() <= SAME.max(1e-4) * sizes[i])
        };
        self.known
            .iter()
            .find(|(known, _)| near(known))
            .map(|(_, id)| *id)
    }

    fn add(&mut self, test: Test, at: Here, sizes: &[f64], number: usize, way: &mut Way) {
        let kind = match test {
            Test::Branch => return self.add_crossing(at, sizes, number, way),
            Test::Fold => Kind::Fold {
                coefficient: normal_form::fold(self.family, &at.x).unwrap_or(f64::NAN),
            },
            Test::Hopf => {
                let Some(pair) = at
                    .eigenvalues
                    .as_ref()
                    .and_then(|values| closest_pair(values, |a, b| a + b))
                else {
                    return;
                };
                if pair.1 <= 1e-9 {
                    return;
                }
                let real: Vec<f64> = at.tangent.iter().zip(sizes).map(|(t, s)| t * s).collect();
                match normal_form::hopf(self.family, &at.x, &real, pair.1) {
                    Some(hopf) => Kind::Hopf {
                        frequency: hopf.frequency,
                        l1: hopf.l1,
                        growth: hopf.growth,
                        amplitude: hopf.amplitude,
                    },
                    None => return,
                }
            }
            Test::Doubling => Kind::Doubling {
                coefficient: normal_form::cubic(self.family, &at.x, -2.0).unwrap_or(f64::NAN),
            },
            Test::Circle => {
                let Some(pair) = at
                    .eigenvalues
                    .as_ref()
                    .and_then(|values| closest_pair(values, |a, b| a * b - 1.0))
                else {
                    return;
                };
                if pair.1 <= 1e-9 {
                    return;
                }
                Kind::Circle {
                    angle: pair.2,
                    coefficient: normal_form::circle(self.family, &at.x, pair.2)
                        .unwrap_or(f64::NAN),
                }
            }
            Test::Alternation => Kind::Alternation,
        };
        way.points.push(self.point(&at));
        way.special
            .push((way.points.len() - 1, self.diagram.specials.len()));
        self.diagram.specials.push(Special {
            branch: number,
            x: at.x,
            kind,
        });
    }

    fn add_crossing(&mut self, at: Here, sizes: &[f64], number: usize, way: &mut Way) {
        if let Some(known) = self.near_known(&at.x, sizes) {
            if let Some((place, _)) = self.known.iter().find(|(_, id)| *id == known) {
                way.points.push(Point {
                    x: place.clone(),
                    unstable: None,
                });
                way.special.push((way.points.len() - 1, known));
            }
            return;
        }
        let x = self.refine_crossing(&at.x, sizes).unwrap_or(at.x.clone());
        let jacobian = self.jacobian(&x);
        let scales = self.row_scales(&jacobian, sizes);
        let matrix = DMatrix::from_fn(self.n, self.n + 1, |i, j| {
            jacobian[j * self.n + i] * sizes[j] / scales[i]
        });
        let Some((_, vectors)) = right_vectors(&matrix) else {
            return;
        };
        let tangents = self.crossing_tangents(&x, sizes, &vectors[0], &vectors[1]);
        let id = self.diagram.specials.len();
        let mut crossing = Crossing::Other;
        if let Some(tangents) = tangents {
            let steep = |t: &[f64]| t[self.n].abs() < 1e-5;
            if tangents.iter().any(|t| steep(t)) {
                let cubic = normal_form::cubic(self.family, &x, 0.0).unwrap_or(f64::NAN);
                crossing = Crossing::Pitchfork {
                    supercritical: cubic < 0.0,
                };
            } else {
                crossing = Crossing::Transcritical;
            }
            let other = tangents.into_iter().min_by(|a, b| {
                dot(a, &at.tangent)
                    .abs()
                    .total_cmp(&dot(b, &at.tangent).abs())
            });
            if let Some(other) = other {
                self.open.push((id, x.clone(), other));
            }
        }
        way.points.push(Point {
            x: x.clone(),
            unstable: None,
        });
        way.special.push((way.points.len() - 1, id));
        self.known.push((x.clone(), id));
        self.diagram.specials.push(Special {
            branch: number,
            x,
            kind: Kind::Crossing(crossing),
        });
    }

    /// Newton's iteration on F + m w = 0, w . J = 0, |w| = 1 (G. Moore, 1980).
    fn refine_crossing(&self, start: &[f64], sizes: &[f64]) -> Option<Vec<f64>> {
        let n = self.n;
        let mut x = start.to_vec();
        let jacobian = self.jacobian(&x);
        let scales = self.row_scales(&jacobian, sizes);
        let transposed =
            DMatrix::from_fn(n + 1, n, |j, i| jacobian[j * n + i] * sizes[j] / scales[i]);
        let (_, left) = right_vectors(&transposed)?;
        let mut w = left.first()?.clone();
        let mut m = 0.0;
        let width = 2 * n + 2;
        for _ in 0..10 {
            let jacobian = self.jacobian(&x);
            let entry = |i: usize, j: usize| jacobian[j * n + i] * sizes[j] / scales[i];
            let f: Vec<f64> = self
                .residual(&x)
                .iter()
                .zip(&scales)
                .map(|(f, s)| f / s)
                .collect();
            let mut matrix = vec![0.0; width * width];
            let mut right = vec![0.0; width];
            for i in 0..n {
                for j in 0..=n {
                    matrix[i * width + j] = entry(i, j);
                    matrix[(n + j) * width + n + 1 + i] = entry(i, j);
                }
                matrix[i * width + n + 1 + i] = m;
                matrix[i * width + width - 1] = w[i];
                matrix[(width - 1) * width + n + 1 + i] = 2.0 * w[i];
                right[i] = -(f[i] + m * w[i]);
            }
            for j in 0..=n {
                right[n + j] = -(0..n).map(|i| w[i] * entry(i, j)).sum::<f64>();
                for k in 0..=n {
                    let unit = |at: usize| -> Vec<f64> {
                        (0..=n)
                            .map(|i| if i == at { sizes[i] } else { 0.0 })
                            .collect()
                    };
                    let mut out = vec![0.0; n];
                    self.family.second(&x, &unit(j), &unit(k), &mut out);
                    matrix[(n + j) * width + k] =
                        (0..n).map(|i| w[i] * out[i] / scales[i]).sum::<f64>();
                }
            }
            right[width - 1] = 1.0 - dot(&w, &w);
            let step = Factors::new(matrix, width).solve(&right)?;
            for i in 0..=n {
                x[i] += step[i] * sizes[i];
            }
            for i in 0..n {
                w[i] += step[n + 1 + i];
            }
            m += step[width - 1];
            if norm(&step) < 1e-12 {
                break;
            }
        }
        let moved = (0..=n)
            .map(|i| ((x[i] - start[i]) / sizes[i]).abs())
            .fold(0.0, f64::max);
        (moved < 1e-2).then_some(x)
    }

    /// Whether a branch goes through a point.
    fn is_known(&self, x: &[f64], sizes: &[f64]) -> bool {
        for branch in &self.diagram.branches {
            for pair in branch.points.windows(2) {
                let [a, b] = pair else { continue };
                let chord: Vec<f64> = (0..=self.n).map(|i| (b.x[i] - a.x[i]) / sizes[i]).collect();
                let to: Vec<f64> = (0..=self.n).map(|i| (x[i] - a.x[i]) / sizes[i]).collect();
                let length = norm(&chord);
                if length == 0.0 {
                    continue;
                }
                let along = dot(&chord, &to) / (length * length);
                if !(-0.1..=1.1).contains(&along) {
                    continue;
                }
                let off: Vec<f64> = to.iter().zip(&chord).map(|(t, c)| t - along * c).collect();
                if norm(&off) > 0.5 * length {
                    continue;
                }
                let from: Vec<f64> = (0..=self.n)
                    .map(|i| a.x[i] + along * chord[i] * sizes[i])
                    .collect();
                if let Some((found, _)) = self.correct(&from, &unit(&chord), sizes) {
                    let gap: Vec<f64> =
                        (0..=self.n).map(|i| (found[i] - x[i]) / sizes[i]).collect();
                    if norm(&gap) < 1e-5 {
                        return true;
                    }
                }
            }
        }
        false
    }
}

/// The product of complex numbers that come in pairs.
fn product(values: impl Iterator<Item = Complex<f64>>) -> Option<f64> {
    let product: Complex<f64> = values.product();
    product.re.is_finite().then_some(product.re)
}

/// The product of `of` over all pairs, by its sign, with the size of the pair closest to zero;
/// then that pair's imaginary part and angle.
fn closest_pair(
    values: &[Complex<f64>],
    of: impl Fn(Complex<f64>, Complex<f64>) -> Complex<f64>,
) -> Option<(f64, f64, f64)> {
    let mut sign = Complex::new(1.0, 0.0);
    let mut closest: Option<(f64, Complex<f64>)> = None;
    for (i, a) in values.iter().enumerate() {
        for b in &values[i + 1..] {
            let term = of(*a, *b);
            let size = term.norm();
            if size > 0.0 {
                sign *= term / size;
            }
            if closest.is_none_or(|known| size < known.0) {
                closest = Some((size, *a));
            }
        }
    }
    let (size, a) = closest?;
    Some((size.copysign(sign.re), a.im.abs(), a.arg().abs()))
}
