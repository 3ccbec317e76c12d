//! Branch and bound over a box with interval Newton: every root certified, the rest excluded.
//!
//! A. Neumaier, Interval Methods for Systems of Equations (1990), sections 5.1 and 5.2 (the
//! operator of Hansen and Sengupta with a preconditioner at the midpoint: an image inside the box
//! proves one root there and no second); R. B. Kearfott, Rigorous Global Search (1996), for the
//! choice of the side to cut and for the boxes around roots that are known beforehand, which spare
//! the cutting down to points. All numbers are enclosed: see `interval.rs`.

use super::interval::{Domain, Interval, ZERO};
use super::program::{Program, Register, Values};
use super::reduced::Reduced;
use super::region::Region;
use nalgebra::DMatrix;

/// What has become of a box.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    /// Roots that exist, each alone in its neighbourhood.
    pub certified: Vec<Certificate>,
    /// What could not be decided, joined where boxes touch.
    pub left: Vec<Region>,
    /// Positions of the states that it was about; the others follow from them.
    pub free: Vec<usize>,
    /// Boxes examined.
    pub examined: u64,
    /// How it ended.
    pub end: End,
}

/// Why the division of boxes came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing is left to divide.
    Done,
    /// So many boxes were examined.
    Spent,
    /// The user stopped it.
    Interrupted,
}

/// A root of the reduced equations that is proved to exist.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Certificate {
    /// A box of the free states that holds this root and no other.
    alone: Vec<Interval>,
    /// A small box that holds it.
    tight: Vec<Interval>,
    /// Every state there, in the middle of its enclosure.
    pub state: Vec<f64>,
}

impl Certificate {
    /// Whether a root of the search, a state, is this one: it lies where this one is alone.
    pub fn is_of(&self, state: &[f64], free: &[usize]) -> bool {
        let mut pairs = free.iter().zip(&self.alone);
        pairs.all(|(at, alone)| state.get(*at).is_some_and(|y| alone.contains(*y)))
    }
}

impl Verdict {
    /// Whether a state is shown to be no root: it lies in no box that holds one or is left.
    pub fn excludes(&self, state: &[f64]) -> bool {
        let is_root = self
            .certified
            .iter()
            .any(|known| known.is_of(state, &self.free));
        let is_left = self.left.iter().any(|left| left.holds(state, 0.1));
        !is_root && !is_left
    }
}

/// Work of all boxes together, in registers with their derivatives: about 0.3 s.
const MOST_WORK: usize = 12_000_000;
/// A box whose sides are this small, beside the whole, is not divided any more.
const SMALLEST: f64 = 1e-7;
/// The same for a box that touches the neighbourhood of a certified root.
const SMALLEST_AT_ROOTS: f64 = 1e-13;
/// Half the side of the first neighbourhood of a known root that is tried, beside the whole.
const NEIGHBOURHOOD: f64 = 0.25;
/// So many roots are enough.
const MOST_ROOTS: usize = 1000;
/// Boxes left over beyond these are joined to the last one.
const MOST_LEFT: usize = 400;

/// Divides `region` until each part is decided. `known` are roots of the search: states.
pub(super) fn prove(
    reduced: &Reduced,
    region: &Region,
    known: &[Vec<f64>],
    interrupted: &dyn Fn() -> bool,
) -> Verdict {
    let ranges: Vec<(f64, f64)> = region.ranges().collect();
    let whole: Vec<Interval> = reduced
        .free
        .iter()
        .map(|at| Interval::new(ranges[*at].0, ranges[*at].1))
        .collect();
    let mut proof = Proof {
        reduced,
        ranges: ranges
            .iter()
            .map(|(low, high)| Interval::new(*low, *high))
            .collect(),
        whole,
        over: Values::default(),
        cleared: Values::default(),
        at: Values::default(),
        certified: Vec::new(),
        left: Vec::new(),
    };
    for state in known {
        let point: Vec<f64> = reduced.free.iter().map(|at| state[*at]).collect();
        proof.certify_near(&point);
    }
    proof.divide(interrupted)
}

struct Proof<'a> {
    reduced: &'a Reduced,
    /// The box, for all states.
    ranges: Vec<Interval>,
    /// The box, for the free ones.
    whole: Vec<Interval>,
    over: Values,
    cleared: Values,
    at: Values,
    certified: Vec<Certificate>,
    left: Vec<Vec<Interval>>,
}

/// What a step of interval Newton makes of a box.
enum Step {
    /// It holds no root.
    Empty,
    /// It holds exactly one root, which lies in this part.
    One(Vec<Interval>),
    /// All its roots lie in this part.
    Part(Vec<Interval>),
    /// Nothing can be said.
    Unknown,
}

impl Proof<'_> {
    fn divide(mut self, interrupted: &dyn Fn() -> bool) -> Verdict {
        let cost = self.reduced.program.ops.len() * (self.whole.len() + 2);
        let most = (MOST_WORK / cost.max(1)).clamp(500, 200_000) as u64;
        let mut open = vec![self.whole.clone()];
        let mut examined = 0;
        let mut end = End::Done;
        while let Some(part) = open.pop() {
            if examined >= most || self.certified.len() >= MOST_ROOTS {
                open.push(part);
                end = End::Spent;
                break;
            }
            if examined % 64 == 0 && interrupted() {
                open.push(part);
                end = End::Interrupted;
                break;
            }
            examined += 1;
            if let Some(part) = self.examine(part) {
                if self.is_small(&part) {
                    self.left.push(part);
                } else {
                    let (first, second) = self.halves(&part);
                    open.push(second);
                    open.push(first);
                }
            }
        }
        self.left.extend(open);
        Verdict {
            left: self.joined(),
            free: self.reduced.free.clone(),
            certified: self.certified,
            examined,
            end,
        }
    }

    /// True when a box is not worth dividing. The limit is a part of the whole or, far below it,
    /// of the numbers in the box; near certified roots there is more to see.
    fn is_small(&self, part: &[Interval]) -> bool {
        let meets = |known: &Certificate| {
            let mut pairs = part.iter().zip(&known.alone);
            pairs.all(|(part, alone)| part.meet(*alone).is_some())
        };
        if self.certified.iter().any(meets) {
            return self.relative_width(part) <= SMALLEST_AT_ROOTS;
        }
        part.iter().zip(&self.whole).all(|(part, whole)| {
            let whole = whole.width();
            let scale = (10.0 * part.magnitude()).clamp(1e-4 * whole, whole);
            part.width() <= SMALLEST * scale
        })
    }

    /// What is left to decide of a box; `None` when nothing is.
    fn examine(&mut self, part: Vec<Interval>) -> Option<Vec<Interval>> {
        let mut part = part;
        for _ in 0..8 {
            if self.is_excluded(&part) || self.is_known(&part) {
                return None;
            }
            match self.newton(&part) {
                Step::Empty => return None,
                Step::One(tight) => {
                    self.add(part, tight);
                    return None;
                }
                Step::Part(smaller) => {
                    let gained = smaller
                        .iter()
                        .zip(&part)
                        .any(|(new, old)| new.width() < 0.7 * old.width());
                    part = smaller;
                    if !gained {
                        return Some(part);
                    }
                }
                Step::Unknown => return Some(part),
            }
        }
        Some(part)
    }

    /// True when some equation has no root there, or some state leaves the box.
    fn is_excluded(&mut self, part: &[Interval]) -> bool {
        let reduced = self.reduced;
        reduced.program.evaluate(part, &mut self.over);
        let over = &self.over;
        let has_no_root = |values: &Values, register: Register| {
            values.domain(register) == Domain::None || !values.value(register).has_zero()
        };
        if (reduced.outputs.iter()).any(|output| has_no_root(over, *output)) {
            return true;
        }
        let leaves = |(register, range): (&Register, &Interval)| {
            over.value(*register).meet(*range).is_none() || over.domain(*register) == Domain::None
        };
        if reduced.states.iter().zip(&self.ranges).any(leaves) {
            return true;
        }
        let Some((program, outputs)) = &reduced.cleared else {
            return false;
        };
        let is_partial = |output: &Register| over.domain(*output) != Domain::Whole;
        if !reduced.outputs.iter().any(is_partial) {
            return false;
        }
        program.evaluate(part, &mut self.cleared);
        let cleared = &self.cleared;
        outputs
            .iter()
            .any(|output| !cleared.value(*output).has_zero())
    }

    /// True when all roots there are known.
    fn is_known(&self, part: &[Interval]) -> bool {
        let within = |known: &Certificate| {
            let mut pairs = part.iter().zip(&known.alone);
            pairs.all(|(part, alone)| part.is_within(*alone))
        };
        self.certified.iter().any(within)
    }

    /// One step of interval Newton by Gauss and Seidel, preconditioned at the midpoint.
    fn newton(&mut self, part: &[Interval]) -> Step {
        let n = part.len();
        let Some(jacobian) = derivatives(self.reduced, part, &mut self.over) else {
            return Step::Unknown;
        };
        let middle: Vec<f64> = part.iter().map(|range| range.middle()).collect();
        let points: Vec<Interval> = middle.iter().map(|x| Interval::point(*x)).collect();
        let Some(residual) = residual(self.reduced, &points, &mut self.at) else {
            return Step::Unknown;
        };
        let away: Vec<Interval> = part
            .iter()
            .zip(&points)
            .map(|(range, point)| range.subtract(*point))
            .collect();
        for (i, residual) in residual.iter().enumerate() {
            let row = &jacobian[i * n..(i + 1) * n];
            if !linear(*residual, row, &away, n).has_zero() {
                return Step::Empty;
            }
        }
        let centre = DMatrix::from_fn(n, n, |i, j| jacobian[i * n + j].middle());
        let Some(inverse) = inverse(centre) else {
            return Step::Unknown;
        };
        let mut reached = part.to_vec();
        let mut is_inside = true;
        for i in 0..n {
            // Row i of the preconditioned system.
            let mut right = ZERO;
            let mut row = vec![ZERO; n];
            for k in 0..n {
                let factor = Interval::point(inverse[(i, k)]);
                right = right.add(factor.multiply(residual[k]));
                for (j, entry) in row.iter_mut().enumerate() {
                    *entry = entry.add(factor.multiply(jacobian[k * n + j]));
                }
            }
            if row[i].has_zero() {
                is_inside = false;
                continue;
            }
            let away: Vec<Interval> = reached
                .iter()
                .zip(&points)
                .map(|(range, point)| range.subtract(*point))
                .collect();
            let sum = linear(right, &row, &away, i);
            let image = points[i].subtract(sum.divide(row[i]).0);
            is_inside &= image.is_inside(part[i]);
            match image.meet(reached[i]) {
                Some(meet) => reached[i] = meet,
                None => return Step::Empty,
            }
        }
        if is_inside {
            Step::One(reached)
        } else {
            Step::Part(reached)
        }
    }

    /// Looks for a neighbourhood of a root of the search in which it is alone.
    fn certify_near(&mut self, point: &[f64]) {
        let mut factor = NEIGHBOURHOOD;
        while factor > 1e-12 {
            let around: Option<Vec<Interval>> = point
                .iter()
                .zip(&self.whole)
                .map(|(x, whole)| {
                    let by = factor * whole.width();
                    Interval::new(x - by, x + by).meet(*whole)
                })
                .collect();
            let Some(around) = around else {
                return;
            };
            if let Step::One(tight) = self.newton(&around) {
                self.add(around, tight);
                return;
            }
            factor /= 4.0;
        }
    }

    /// Takes a root into the list, unless it is there.
    fn add(&mut self, alone: Vec<Interval>, tight: Vec<Interval>) {
        let mut tight = tight;
        for _ in 0..20 {
            let before = self.relative_width(&tight);
            match self.newton(&tight) {
                Step::One(next) | Step::Part(next) => tight = next,
                Step::Empty | Step::Unknown => break,
            }
            if self.relative_width(&tight) >= 0.5 * before {
                break;
            }
        }
        let meets =
            |a: &[Interval], b: &[Interval]| a.iter().zip(b).all(|(a, b)| a.meet(*b).is_some());
        let is_within =
            |a: &[Interval], b: &[Interval]| a.iter().zip(b).all(|(a, b)| a.is_within(*b));
        for known in &self.certified {
            if is_within(&tight, &known.alone) || is_within(&known.tight, &alone) {
                return;
            }
            if meets(&tight, &known.tight) {
                // Too close to tell whether it is the same.
                self.left.push(alone);
                return;
            }
        }
        self.reduced.program.evaluate(&tight, &mut self.at);
        let values = &self.at;
        let states = self.reduced.states.iter();
        let state = states
            .map(|register| values.value(*register).middle())
            .collect();
        self.certified.push(Certificate {
            alone,
            tight,
            state,
        });
    }

    fn relative_width(&self, part: &[Interval]) -> f64 {
        let widths = part.iter().zip(&self.whole);
        widths
            .map(|(part, whole)| part.width() / whole.width())
            .fold(0.0, f64::max)
    }

    /// Cuts a box in two: at the face of a known root's neighbourhood, or else in the middle of
    /// the side along which the equations vary most.
    fn halves(&self, part: &[Interval]) -> (Vec<Interval>, Vec<Interval>) {
        let (side, at) = self
            .face(part)
            .unwrap_or_else(|| self.side_and_middle(part));
        let mut first = part.to_vec();
        let mut second = part.to_vec();
        first[side].high = at;
        second[side].low = at;
        (first, second)
    }

    /// A face of the neighbourhood of a known root that cuts through the box, when the root is in
    /// the box and its neighbourhood no small part of it.
    fn face(&self, part: &[Interval]) -> Option<(usize, f64)> {
        for known in &self.certified {
            let holds = |known: &Certificate| {
                let mut pairs = known.tight.iter().zip(part);
                pairs.all(|(tight, part)| tight.meet(*part).is_some())
            };
            if !holds(known) {
                continue;
            }
            let mut best: Option<(f64, usize, f64)> = None;
            for (side, (alone, part)) in known.alone.iter().zip(part).enumerate() {
                if alone.width() < 0.1 * part.width() {
                    return None;
                }
                for at in [alone.low, alone.high] {
                    let cut = (at - part.low).min(part.high - at) / part.width();
                    if cut > 1e-3 && best.is_none_or(|(most, ..)| cut > most) {
                        best = Some((cut, side, at));
                    }
                }
            }
            if let Some((_, side, at)) = best {
                return Some((side, at));
            }
        }
        None
    }

    fn side_and_middle(&self, part: &[Interval]) -> (usize, f64) {
        let n = part.len();
        let relative = |j: usize| part[j].width() / self.whole[j].width();
        let widest = (0..n).max_by(|a, b| relative(*a).total_cmp(&relative(*b)));
        let widest = widest.unwrap_or(0);
        // How much the equations vary along each side, from the last derivatives.
        let smear = |j: usize| {
            let slopes = self.reduced.outputs.iter().map(|output| {
                let entry = self.over.gradient(*output).get(j);
                entry.map_or(f64::INFINITY, |entry| entry.magnitude())
            });
            slopes.fold(0.0, f64::max) * part[j].width()
        };
        let has_slopes = self.over.has_gradients();
        let side = if has_slopes {
            let by_smear = (0..n).max_by(|a, b| smear(*a).total_cmp(&smear(*b)));
            let by_smear = by_smear.unwrap_or(widest);
            let is_sound =
                smear(by_smear).is_finite() && relative(by_smear) > 1e-2 * relative(widest);
            if is_sound { by_smear } else { widest }
        } else {
            widest
        };
        (side, part[side].middle())
    }

    /// The boxes left over, joined where they touch, in terms of all states.
    fn joined(&mut self) -> Vec<Region> {
        let mut parts = std::mem::take(&mut self.left);
        if parts.len() > MOST_LEFT {
            let rest = parts.split_off(MOST_LEFT);
            if let Some(last) = parts.last_mut() {
                for other in rest {
                    for (a, b) in last.iter_mut().zip(other) {
                        *a = a.hull(b);
                    }
                }
            }
        }
        let touch = |a: &[Interval], b: &[Interval]| {
            a.iter().zip(b).zip(&self.whole).all(|((a, b), whole)| {
                let slack = 2.0 * SMALLEST * whole.width();
                a.low <= b.high + slack && b.low <= a.high + slack
            })
        };
        let mut joined: Vec<Vec<Interval>> = Vec::new();
        while let Some(mut part) = parts.pop() {
            while let Some(at) = joined.iter().position(|other| touch(other, &part)) {
                let other = joined.swap_remove(at);
                for (a, b) in part.iter_mut().zip(other) {
                    *a = a.hull(b);
                }
            }
            joined.push(part);
        }
        let mut regions: Vec<Region> = Vec::new();
        for part in &joined {
            self.reduced.program.evaluate(part, &mut self.over);
            let mut all = self.reduced.all_states(&self.over);
            for ((low, high), range) in all.low.iter_mut().zip(&mut all.high).zip(&self.ranges) {
                *low = low.max(range.low);
                *high = high.min(range.high);
            }
            regions.push(all);
        }
        regions.sort_by(|a, b| {
            let pairs = a.low.iter().zip(&b.low);
            let mut orders = pairs.map(|(a, b)| a.total_cmp(b));
            orders
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        regions
    }
}

/// The Jacobian over a box, row by row; `None` when it is not bounded or some output is not
/// defined everywhere.
fn derivatives(reduced: &Reduced, part: &[Interval], values: &mut Values) -> Option<Vec<Interval>> {
    reduced.program.differentiate(part, values);
    let mut jacobian = Vec::with_capacity(part.len() * part.len());
    for output in &reduced.outputs {
        if values.domain(*output) != Domain::Whole {
            return None;
        }
        jacobian.extend_from_slice(values.gradient(*output));
    }
    let is_bounded = jacobian.iter().all(|entry| entry.is_finite());
    is_bounded.then_some(jacobian)
}

fn residual(reduced: &Reduced, at: &[Interval], values: &mut Values) -> Option<Vec<Interval>> {
    let program: &Program = &reduced.program;
    program.evaluate(at, values);
    let outputs = reduced.outputs.iter();
    let residual: Vec<Interval> = outputs.map(|output| values.value(*output)).collect();
    residual.iter().all(|r| r.is_finite()).then_some(residual)
}

/// start + sum of row * away, the term at `without` left out.
fn linear(start: Interval, row: &[Interval], away: &[Interval], without: usize) -> Interval {
    let mut sum = start;
    for (j, (entry, away)) in row.iter().zip(away).enumerate() {
        if j != without {
            sum = sum.add(entry.multiply(*away));
        }
    }
    sum
}

fn inverse(centre: DMatrix<f64>) -> Option<DMatrix<f64>> {
    let inverse = centre.try_inverse()?;
    let is_sound = inverse.iter().all(|entry| entry.is_finite());
    is_sound.then_some(inverse)
}
