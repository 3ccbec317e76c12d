//! The core: a curve of solutions of F(x) = 0, n equations for n + 1 numbers, by pseudo-arclength
//! continuation.
//!
//! H. B. Keller, Numerical solution of bifurcation and nonlinear eigenvalue problems (1977);
//! E. L. Allgower, K. Georg, Introduction to Numerical Continuation Methods (2003), chapters 2, 4
//! and 6. Numbers are measured in scales that follow the curve. Enters: [`Equations`], a first
//! [`Site`] and [`Limits`]. Leaves: sites, each shown to a [`Walker`], and a [`Stop`]. Must not
//! know what the solutions are, nor which of them are special: walkers have the test functions.

use super::linear::{dot, lu, lu_solve, norm, unit};

/// n equations for n + 1 numbers, with their derivatives.
pub(super) trait Equations {
    /// n
    fn count(&self) -> usize;
    /// F at `x` into `out`; non-finite values as they come.
    fn residual(&self, x: &[f64], out: &mut [f64]);
    /// dF/dx into `out`, n rows and n + 1 columns, by column.
    fn jacobian(&self, x: &[f64], out: &mut [f64]);
}

/// A solution with the direction of its curve.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// n + 1 numbers; the last is the parameter.
    pub x: Vec<f64>,
    /// Of length 1 in `scale`.
    pub tangent: Vec<f64>,
    /// What a change of each number is measured in.
    pub scale: Vec<f64>,
    /// Sign of the determinant of the Jacobian bordered by the tangent: it changes where branches
    /// cross.
    pub sign: f64,
    /// dF/dx
    pub jacobian: Vec<f64>,
}

impl Site {
    /// The tangent in plain numbers.
    pub fn direction(&self) -> Vec<f64> {
        let pairs = self.tangent.iter().zip(&self.scale);
        pairs.map(|(t, scale)| t * scale).collect()
    }

    /// (to - x) in scales.
    pub fn offset(&self, to: &[f64]) -> Vec<f64> {
        let pairs = to.iter().zip(&self.x).zip(&self.scale);
        pairs.map(|((to, x), scale)| (to - x) / scale).collect()
    }

    /// x + part * way, where `way` is in scales.
    pub fn ahead(&self, part: f64, way: &[f64]) -> Vec<f64> {
        let pairs = self.x.iter().zip(way).zip(&self.scale);
        pairs.map(|((x, w), scale)| x + part * w * scale).collect()
    }
}

/// Where numbers may be.
pub(super) struct Limits {
    pub low: Vec<f64>,
    pub high: Vec<f64>,
}

/// What follows a curve.
pub(super) trait Walker {
    /// A step from `here` to `next`; what lies between can be looked at through `corrector`.
    fn arrive(&mut self, corrector: &mut Corrector<'_>, here: &Site, next: &Site) -> Verdict;
    /// False where the equations are other ones.
    fn admits(&self, x: &[f64]) -> bool;
    /// What a change of each number is measured in around `x`.
    fn scale(&self, x: &[f64], before: &[f64]) -> Vec<f64>;
    /// Whether to stop before the next step.
    fn rest(&self) -> Option<Stop>;
}

/// What a walker says to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on from there.
    On,
    /// Too much has happened: a shorter one.
    Shorter,
}

/// Why a walk ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stop {
    /// A number has come to its limit.
    Limit { at: usize, bound: f64 },
    /// Back at the first site.
    Closed,
    /// [`Walker::admits`]
    Switch,
    /// F is not finite beyond.
    NotFinite,
    /// No next site with the shortest step.
    StepTooSmall,
    /// By [`Walker::rest`].
    Full,
    /// By [`Walker::rest`].
    Interrupted,
    /// By [`Walker::rest`]: this number has grown beyond all measure.
    Unbounded { at: usize },
}

/// The first step, the longest and the shortest, in scales; the parameter alone moves by less.
const FIRST: f64 = 0.01;
const LONGEST: f64 = 0.3;
const LONGEST_OF_PARAMETER: f64 = 0.03;
const SHORTEST: f64 = 1e-10;
/// A step that walkers find too long is shortened down to this.
const SHORTEST_BY_WALKER: f64 = 1e-5;
/// The angle between neighbouring tangents: what is aimed at, and what is refused.
const ANGLE: f64 = 0.08;
const LARGEST_ANGLE: f64 = 0.25;
/// A correction that ends Newton's iteration: the next one would be round-off.
const DONE: f64 = 1e-9;
const MOST_ITERATIONS: usize = 7;

/// Newton's iteration onto the curve, with its memory.
pub(super) struct Corrector<'a> {
    equations: &'a dyn Equations,
    n: usize,
    residual: Vec<f64>,
    jacobian: Vec<f64>,
    /// The bordered matrix by rows, then its factors.
    matrix: Vec<f64>,
    order: Vec<usize>,
    rows: Vec<f64>,
    step: Vec<f64>,
    right: Vec<f64>,
}

impl<'a> Corrector<'a> {
    pub fn new(equations: &'a dyn Equations) -> Corrector<'a> {
        let n = equations.count();
        Corrector {
            equations,
            n,
            residual: vec![0.0; n],
            jacobian: vec![0.0; n * (n + 1)],
            matrix: vec![0.0; (n + 1) * (n + 1)],
            order: vec![0; n + 1],
            rows: vec![1.0; n],
            step: vec![0.0; n + 1],
            right: vec![0.0; n + 1],
        }
    }

    /// Whether F is finite.
    pub fn is_finite_at(&mut self, x: &[f64]) -> bool {
        self.equations.residual(x, &mut self.residual);
        self.residual.iter().all(|f| f.is_finite())
    }

    /// Factorises [J; row] at `x` in scales, its equations made alike in size; the sign of its
    /// determinant, 0 when it is singular or not finite.
    fn factorise(&mut self, x: &[f64], row: &[f64], scale: &[f64]) -> f64 {
        let (n, width) = (self.n, self.n + 1);
        self.equations.jacobian(x, &mut self.jacobian);
        for (j, column) in self.jacobian.chunks_exact(n.max(1)).enumerate() {
            for (i, entry) in column.iter().enumerate() {
                self.matrix[i * width + j] = entry * scale[j];
            }
        }
        for i in 0..n {
            let row = &mut self.matrix[i * width..(i + 1) * width];
            let most = row.iter().fold(0.0_f64, |most, e| most.max(e.abs()));
            self.rows[i] = if most > 0.0 { most } else { 1.0 };
            row.iter_mut().for_each(|entry| *entry /= self.rows[i]);
        }
        self.matrix[n * width..].copy_from_slice(row);
        lu(&mut self.matrix, &mut self.order, width)
    }

    /// Newton's iteration on F = 0 and row . (x - from) = 0 in scales, from `x` on. The number of
    /// iterations; `None` when it does not converge.
    pub fn correct(&mut self, x: &mut [f64], row: &[f64], scale: &[f64]) -> Option<usize> {
        let n = self.n;
        let mut before = f64::INFINITY;
        let mut off = 0.0;
        for iteration in 1..=MOST_ITERATIONS {
            let sign = self.factorise(x, row, scale);
            self.equations.residual(x, &mut self.residual);
            for i in 0..n {
                self.right[i] = -self.residual[i] / self.rows[i];
            }
            self.right[n] = -off;
            if sign == 0.0 {
                return None;
            }
            lu_solve(&self.matrix, &self.order, &self.right, &mut self.step);
            let length = norm(&self.step);
            if !length.is_finite() || length > 10.0 {
                return None;
            }
            // Round-off beside a singular matrix is as good as it gets.
            if length >= 0.7 * before && iteration > 1 {
                return (before < 1e-7).then_some(iteration);
            }
            for ((x, step), scale) in x.iter_mut().zip(&self.step).zip(scale) {
                *x += step * scale;
            }
            off += dot(row, &self.step);
            if length < DONE {
                return Some(iteration);
            }
            before = length;
        }
        (before < 1e-7).then_some(MOST_ITERATIONS)
    }

    /// Newton's iteration from a point that may be far, damped so that no step is longer than half
    /// of what the numbers are measured in.
    pub fn find(&mut self, x: &mut [f64], row: &[f64], scale: &[f64]) -> Option<()> {
        const MOST: usize = 60;
        let from = x.to_vec();
        let mut scale = scale.to_vec();
        for _ in 0..MOST {
            let mut trial = x.to_vec();
            if self.correct(&mut trial, row, &scale).is_some() {
                x.copy_from_slice(&trial);
                return Some(());
            }
            if self.factorise(x, row, &scale) == 0.0 {
                return None;
            }
            self.equations.residual(x, &mut self.residual);
            for i in 0..self.n {
                self.right[i] = -self.residual[i] / self.rows[i];
            }
            let parts = x.iter().zip(&from).zip(&scale).zip(row);
            let off: f64 = parts
                .map(|(((x, from), s), row)| row * (x - from) / s)
                .sum();
            self.right[self.n] = -off;
            lu_solve(&self.matrix, &self.order, &self.right, &mut self.step);
            let length = norm(&self.step);
            if !length.is_finite() {
                return None;
            }
            let part = (0.5 / length).min(1.0);
            for ((x, step), scale) in x.iter_mut().zip(&self.step).zip(&mut scale) {
                *x += part * step * *scale;
                *scale = scale.max(x.abs());
            }
        }
        None
    }

    /// All about a solution; its tangent leads on along `before`. `None` when the Jacobian is not
    /// finite.
    pub fn site(&mut self, x: Vec<f64>, before: &[f64], scale: &[f64]) -> Option<Site> {
        let mut sign = self.factorise(&x, before, scale);
        if self.jacobian.iter().any(|entry| !entry.is_finite()) {
            return None;
        }
        let mut tangent = before.to_vec();
        if sign != 0.0 {
            self.right.fill(0.0);
            self.right[self.n] = 1.0;
            lu_solve(&self.matrix, &self.order, &self.right, &mut self.step);
            if self.step.iter().all(|s| s.is_finite()) {
                tangent = unit(&self.step);
            } else {
                sign = 0.0;
            }
        }
        Some(Site {
            x,
            tangent,
            scale: scale.to_vec(),
            sign,
            jacobian: self.jacobian.clone(),
        })
    }

    /// The site between two neighbours, at a part of the way from one to the other.
    pub fn between(&mut self, a: &Site, b: &Site, part: f64) -> Option<Site> {
        let chord = a.offset(&b.x);
        let row = unit(&chord);
        let mut x = a.ahead(part, &chord);
        self.correct(&mut x, &row, &a.scale)?;
        self.site(x, &row, &a.scale)
    }
}

/// A site that a step has come to.
struct Arrived {
    site: Site,
    iterations: usize,
    angle: f64,
    limit: Option<(usize, f64)>,
}

/// Follows a curve from a site along its tangent.
pub(super) fn walk(
    corrector: &mut Corrector<'_>,
    walker: &mut dyn Walker,
    first: &Site,
    limits: &Limits,
) -> Stop {
    let mut here = first.clone();
    let mut step = FIRST;
    let mut steps = 0;
    loop {
        if let Some(stop) = walker.rest() {
            return stop;
        }
        if let Some((at, bound)) = limits.leaves(&here) {
            return Stop::Limit { at, bound };
        }
        step = step.min(longest(&here));
        let Some(arrived) = attempt(corrector, &here, step, limits) else {
            step /= 2.0;
            if step < SHORTEST {
                let ahead = here.ahead(1e-6, &here.tangent);
                return if corrector.is_finite_at(&ahead) {
                    Stop::StepTooSmall
                } else {
                    Stop::NotFinite
                };
            }
            continue;
        };
        let next = arrived.site;
        if !walker.admits(&next.x) {
            let last = last_admitted(corrector, walker, &here, &next);
            walker.arrive(corrector, &here, &last);
            return Stop::Switch;
        }
        if steps > 2 && closes(first, &here, &next) {
            walker.arrive(corrector, &here, first);
            return Stop::Closed;
        }
        let verdict = walker.arrive(corrector, &here, &next);
        if verdict == Verdict::Shorter && step > SHORTEST_BY_WALKER {
            step /= 2.0;
            continue;
        }
        if let Some((at, bound)) = arrived.limit {
            return Stop::Limit { at, bound };
        }
        steps += 1;
        here = rescaled(next, walker);
        let by_iterations: f64 = match arrived.iterations {
            0..=2 => 2.0,
            3 => 1.4,
            4 => 1.0,
            _ => 0.6,
        };
        step *= (ANGLE / arrived.angle.max(1e-9)).clamp(0.5, by_iterations.max(0.5));
    }
}

/// The longest step in a direction.
fn longest(here: &Site) -> f64 {
    let parameter = here.tangent.last().map_or(0.0, |t| t.abs());
    LONGEST.min(LONGEST_OF_PARAMETER / parameter.max(1e-9))
}

/// The same site in the scales around it.
fn rescaled(mut site: Site, walker: &dyn Walker) -> Site {
    let direction = site.direction();
    site.scale = walker.scale(&site.x, &site.scale);
    let pairs = direction.iter().zip(&site.scale);
    site.tangent = unit(&pairs.map(|(d, scale)| d / scale).collect::<Vec<f64>>());
    site
}

/// One step; `None` when it is too long.
fn attempt(
    corrector: &mut Corrector<'_>,
    here: &Site,
    step: f64,
    limits: &Limits,
) -> Option<Arrived> {
    let ahead = here.ahead(step, &here.tangent);
    if let Some(part) = limits.crossing(here, &ahead)
        && let Some(arrived) = onto_limit(corrector, here, &ahead, part, limits)
    {
        return Some(arrived);
    }
    let mut x = ahead;
    let iterations = corrector.correct(&mut x, &here.tangent, &here.scale)?;
    let site = corrector.site(x, &here.tangent, &here.scale)?;
    let angle = smooth(here, &site)?;
    let moved = norm(&here.offset(&site.x));
    if !(0.5 * step..=1.5 * step).contains(&moved) {
        return None;
    }
    if let Some(part) = limits.crossing(here, &site.x) {
        return onto_limit(corrector, here, &site.x, part, limits);
    }
    Some(Arrived {
        site,
        iterations,
        angle,
        limit: None,
    })
}

/// The site where a number is at its limit.
fn onto_limit(
    corrector: &mut Corrector<'_>,
    here: &Site,
    beyond: &[f64],
    (part, at, bound): (f64, usize, f64),
    limits: &Limits,
) -> Option<Arrived> {
    let mut x = here.ahead(part, &here.offset(beyond));
    x[at] = bound;
    let mut row = vec![0.0; x.len()];
    row[at] = 1.0;
    let iterations = corrector.correct(&mut x, &row, &here.scale)?;
    x[at] = bound;
    let site = corrector.site(x, &here.tangent, &here.scale)?;
    let angle = smooth(here, &site)?;
    limits.crossing(here, &site.x).is_none().then_some(Arrived {
        site,
        iterations,
        angle,
        limit: Some((at, bound)),
    })
}

/// The angle between the tangents of neighbours; `None` when they are not neighbours on a smooth
/// curve: the chord between them leads halfway between the tangents, which it does not when the
/// step has jumped to another branch.
fn smooth(here: &Site, next: &Site) -> Option<f64> {
    let chord = here.offset(&next.x);
    let length = norm(&chord);
    if length == 0.0 {
        return None;
    }
    let sum = here.tangent.iter().zip(&next.tangent).map(|(a, b)| a + b);
    let middle = unit(&sum.collect::<Vec<f64>>());
    let turned = here.tangent.iter().zip(&next.tangent).map(|(a, b)| a - b);
    let angle = norm(&turned.collect::<Vec<f64>>());
    let along = dot(&chord, &middle) / length;
    let off = (chord.iter().zip(&middle)).map(|(c, m)| c / length - along * m);
    let off = norm(&off.collect::<Vec<f64>>());
    let is_smooth = angle < LARGEST_ANGLE && along > 0.0 && off < 0.35 * angle + 2e-3;
    is_smooth.then_some(angle)
}

/// The last site before the equations change, to round-off.
fn last_admitted(
    corrector: &mut Corrector<'_>,
    walker: &dyn Walker,
    here: &Site,
    beyond: &Site,
) -> Site {
    let (mut low, mut high) = (0.0, 1.0);
    let mut last = here.clone();
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        match corrector.between(here, beyond, middle) {
            Some(site) if walker.admits(&site.x) => {
                low = middle;
                last = site;
            }
            _ => high = middle,
        }
    }
    last
}

/// Whether a step passes the first site in its direction.
fn closes(first: &Site, here: &Site, next: &Site) -> bool {
    let chord = here.offset(&next.x);
    let to_first = here.offset(&first.x);
    let length = norm(&chord);
    let along = dot(&chord, &to_first) / (length * length);
    let off = to_first.iter().zip(&chord).map(|(a, c)| a - along * c);
    let off = norm(&off.collect::<Vec<f64>>());
    let way = first.direction();
    let way: Vec<f64> = way.iter().zip(&here.scale).map(|(w, s)| w / s).collect();
    (0.0..=1.0).contains(&along)
        && off < 0.05 * length
        && dot(&chord, &way) > 0.9 * length * norm(&way)
}

impl Limits {
    /// A number that is at its limit and moves on.
    fn leaves(&self, here: &Site) -> Option<(usize, f64)> {
        (0..here.x.len()).find_map(|at| {
            let (x, t) = (here.x[at], here.tangent[at]);
            let within = 1e-9 * here.scale[at];
            if x >= self.high[at] && x <= self.high[at] + within && t > 1e-9 {
                Some((at, self.high[at]))
            } else if x <= self.low[at] && x >= self.low[at] - within && t < -1e-9 {
                Some((at, self.low[at]))
            } else {
                None
            }
        })
    }

    /// The first limit between a site within and a point beyond: the part of the way, which
    /// number, and the limit.
    fn crossing(&self, here: &Site, to: &[f64]) -> Option<(f64, usize, f64)> {
        let mut first: Option<(f64, usize, f64)> = None;
        for (at, (from, to)) in here.x.iter().zip(to).enumerate() {
            let within = 1e-9 * here.scale[at];
            let (low, high) = (self.low[at], self.high[at]);
            let bound = if *to > high + within && *from <= high + within {
                high
            } else if *to < low - within && *from >= low - within {
                low
            } else {
                continue;
            };
            let part = ((bound - from) / (to - from)).clamp(0.0, 1.0);
            if first.is_none_or(|known| part < known.0) {
                first = Some((part, at, bound));
            }
        }
        first
    }
}
