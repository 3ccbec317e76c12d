//! A place on c = 0: projections along it, products with the Hessian, steps.
//!
//! With Z = E z E^T, G = T0 (.) Z^-1 and C = B X - D Y, the slope of c along dY and dB is the symmetric
//! half of dY^T C + Y^T dB X. Projections solve
//!
//! ```text
//! G dY        + C s         = r_Y
//! ridge dB    + [Y s X^T]   = r_B      (on the free entries)
//! half of dY^T C + Y^T dB X = r_c
//! ```
//!
//! for dY, dB and a symmetric s. Without dB the equation for s is (Z s K + K s Z)/2 = ... with
//! K = C^T T0^-1 C; with Z = V V^T and K = V k V^T it falls apart into single entries. What is left
//! for dB is a positive matrix as large as there are free entries.
//!
//! Enters: a problem, a place. Leaves: steps. Must not know where they lead.

use super::frame::Frame;
use super::{Balanced, Place, Problem, symmetric};
use crate::fit::cells::likelihood::scale_columns;
use crate::linalg::products::{Cholesky, Lu, add_product, inner, product, symmetric_eigen, turned};
use nalgebra::DMatrix;

/// A change of Y and B, or a gradient by them.
#[derive(Debug, Clone)]
pub(super) struct Move {
    pub y: DMatrix<f64>,
    pub input: DMatrix<f64>,
}

impl Move {
    fn dot(&self, other: &Move) -> f64 {
        inner(&self.y, &other.y) + inner(&self.input, &other.input)
    }

    fn add(&mut self, factor: f64, other: &Move) {
        let numbers = self.y.iter_mut().chain(self.input.iter_mut());
        let others = other.y.iter().chain(other.input.iter());
        numbers
            .zip(others)
            .for_each(|(to, what)| *to += factor * what);
    }

    /// Becomes `other` plus `factor` times itself.
    fn renew(&mut self, factor: f64, other: &Move) {
        let numbers = self.y.iter_mut().chain(self.input.iter_mut());
        let others = other.y.iter().chain(other.input.iter());
        numbers
            .zip(others)
            .for_each(|(to, what)| *to = factor * *to + what);
    }

    fn zeros_like(&self) -> Move {
        Move {
            y: DMatrix::zeros(self.y.nrows(), self.y.ncols()),
            input: DMatrix::zeros(self.input.nrows(), self.input.ncols()),
        }
    }
}

/// A place with what projections need.
pub(super) struct Saddle<'a> {
    problem: &'a Problem,
    place: &'a Place,
    /// Z, Z^-1, C.
    stretch: DMatrix<f64>,
    shrink: DMatrix<f64>,
    slope: DMatrix<f64>,
    /// V^-1, and 1/(k_a + k_b).
    unbase: DMatrix<f64>,
    weights: DMatrix<f64>,
    /// Of the free entries of B, if there are any.
    inputs: Option<Cholesky>,
}

/// The slopes along c = 0.
pub(super) struct Slopes {
    /// Minus the gradient of phi + <s, c>.
    down: Move,
    /// The same projected.
    along: Move,
    /// s
    multipliers: DMatrix<f64>,
}

impl Slopes {
    /// Their length, as the projection measures it.
    pub fn size(&self) -> f64 {
        self.down.dot(&self.along).max(0.0).sqrt()
    }
}

/// What conjugate gradients found.
pub(super) struct Step {
    pub change: Move,
    /// As the projection measures it.
    pub length: f64,
    /// By how much the value should fall.
    pub promise: f64,
    /// False where the region or a negative curvature ended it.
    pub is_whole: bool,
}

/// Entries of k below this part of the largest: Y has no full rank.
const SINGULAR: f64 = 1e-15;
/// Added to the matrix of the free entries of B is this part of its largest entry.
const LEAST: f64 = 1e-13;

impl<'a> Saddle<'a> {
    /// `None` where Y has no full rank, or numbers are not finite.
    pub fn new(problem: &'a Problem, place: &'a Place) -> Option<Saddle<'a>> {
        let mut slope = product(&place.input, &problem.inputs);
        add_product(&mut slope, -1.0, &problem.diffusion, &place.y);
        let mut half = slope.clone();
        problem.factor.solve_lower(&mut half);
        let root = place.spectral(|z| 1.0 / z.sqrt());
        let half = product(&half, &root);
        let (k, turn) = symmetric_eigen(&product(turned(&half), &half))?;
        let most = k.iter().copied().fold(0.0, f64::max);
        if k.iter().any(|k| k.is_nan() || *k <= SINGULAR * most) {
            return None;
        }
        let sums = k.iter().flat_map(|b| k.iter().map(move |a| 1.0 / (a + b)));
        let mut out = Saddle {
            problem,
            place,
            stretch: place.spectral(|z| z),
            shrink: place.spectral(|z| 1.0 / z),
            slope,
            unbase: product(turned(&turn), &root),
            weights: DMatrix::from_iterator(k.len(), k.len(), sums),
            inputs: None,
        };
        if !problem.free.is_empty() {
            out.inputs = Some(out.of_inputs()?);
        }
        Some(out)
    }

    /// How large the terms of c are.
    pub fn terms(&self) -> f64 {
        self.place.y.norm() * self.slope.norm()
    }

    /// The matrix of the free entries of B: with y_i and x_l the rows of Y and X in the basis V, that of
    /// (i, l) and (j, m) is sum over a, b of y_ia x_lb w_ab (y_ja x_mb + x_ma y_jb).
    fn of_inputs(&self) -> Option<Cholesky> {
        let y = product(&self.place.y, turned(&self.unbase));
        let x = product(&self.problem.inputs, turned(&self.unbase));
        let (y_columns, x_columns) = (y.transpose(), x.transpose());
        let free = &self.problem.free;
        let mut all = DMatrix::zeros(free.len(), free.len());
        let mut from = 0;
        for own in free.chunk_by(|a, b| a.1 == b.1) {
            let l = own.first()?.1;
            let weighted = |rows: &DMatrix<f64>| {
                let mut scaled = rows.clone();
                scale_columns(&mut scaled, x_columns.column(l).as_slice());
                product(&scaled, &self.weights).transpose()
            };
            let (of_y, of_x) = (weighted(&y), weighted(&x));
            // All that lies left of the end of these rows: one column for each free entry.
            let end = from + own.len();
            let mut right = DMatrix::zeros(y.ncols(), end);
            for (mut column, (j, m)) in right.column_iter_mut().zip(free) {
                column.copy_from(&y_columns.column(*j).component_mul(&of_x.column(*m)));
                column += x_columns.column(*m).component_mul(&of_y.column(*j));
            }
            let rows: Vec<usize> = own.iter().map(|(i, _)| *i).collect();
            let block = product(&y.select_rows(&rows), &right);
            all.view_mut((from, 0), block.shape()).copy_from(&block);
            all.view_mut((0, from), (end, own.len()))
                .copy_from(&block.transpose());
            from = end;
        }
        let most = all.diagonal().amax();
        for at in 0..free.len() {
            all[(at, at)] += self.problem.ridge + LEAST * most;
        }
        Cholesky::new(all).ok()
    }

    /// s with (Z s K + K s Z)/2 = m.
    fn single(&self, m: &DMatrix<f64>) -> DMatrix<f64> {
        let mut inner = product(&product(&self.unbase, m), turned(&self.unbase));
        inner.component_mul_assign(&self.weights);
        inner *= 2.0;
        product(&product(turned(&self.unbase), &inner), &self.unbase)
    }

    /// The projection for right sides: a move and s.
    fn solve(&self, right: &Move, c: Option<&DMatrix<f64>>) -> (Move, DMatrix<f64>) {
        let problem = self.problem;
        let mut y = product(&right.y, &self.stretch);
        problem.factor.solve(&mut y);
        let mut rest = symmetric(product(turned(&y), &self.slope));
        if let Some(c) = c {
            rest -= c;
        }
        let mut input = DMatrix::zeros(right.input.nrows(), right.input.ncols());
        if let Some(factor) = &self.inputs {
            let pushed = self.pushed(&self.single(&rest));
            let own = problem.free.iter().map(|at| right.input[*at] - pushed[*at]);
            let mut entries = DMatrix::from_iterator(problem.free.len(), 1, own);
            factor.solve(&mut entries);
            for (at, entry) in problem.free.iter().zip(entries.iter()) {
                input[*at] = *entry;
            }
            let moved = product(&input, &problem.inputs);
            rest += symmetric(product(turned(&self.place.y), &moved));
        }
        let s = self.single(&rest);
        let mut bound = product(&product(&self.slope, &s), &self.stretch);
        problem.factor.solve(&mut bound);
        y -= bound;
        (Move { y, input }, s)
    }

    /// Y s X^T.
    fn pushed(&self, s: &DMatrix<f64>) -> DMatrix<f64> {
        product(&product(&self.place.y, s), turned(&self.problem.inputs))
    }

    /// Leaves the free entries alone.
    fn masked(&self, all: &DMatrix<f64>) -> DMatrix<f64> {
        let mut out = DMatrix::zeros(all.nrows(), all.ncols());
        for at in &self.problem.free {
            out[*at] = all[*at];
        }
        out
    }

    /// The shortest move that takes c to zero, to first order.
    pub fn back(&self, c: &DMatrix<f64>) -> Move {
        let nothing = Move {
            y: DMatrix::zeros(self.place.y.nrows(), self.place.y.ncols()),
            input: DMatrix::zeros(self.place.input.nrows(), self.place.input.ncols()),
        };
        self.solve(&nothing, Some(&-c)).0
    }

    /// The gradient along c = 0 with the multipliers of least squares.
    pub fn slopes(&self) -> Slopes {
        let (problem, place) = (self.problem, self.place);
        let mut down = Move {
            y: &problem.means - product(&place.shown, &self.shrink),
            input: self.masked(&place.input) * -problem.ridge,
        };
        let (along, multipliers) = self.solve(&down, None);
        add_product(&mut down.y, -1.0, &self.slope, &multipliers);
        down.input -= self.masked(&self.pushed(&multipliers));
        Slopes {
            down,
            along,
            multipliers,
        }
    }

    /// The Hessian of phi + <s, c> times a move.
    fn hessian(&self, change: &Move, s: &DMatrix<f64>) -> Move {
        let (problem, place) = (self.problem, self.place);
        let own = product(&problem.second, &change.y);
        let mut y = product(&own, &self.shrink);
        // d(Z^-1) by divided differences of 1/z, z^2 - z = n, in the basis E.
        let turning = product(turned(&change.y), &place.shown);
        let turning = &turning + turning.transpose();
        let mut turning = product(&product(turned(&place.basis), &turning), &place.basis);
        for (mut column, b) in turning.column_iter_mut().zip(&place.z) {
            for (entry, a) in column.iter_mut().zip(&place.z) {
                *entry /= -(a * b * (a + b - 1.0));
            }
        }
        let turning = product(&product(&place.basis, &turning), turned(&place.basis));
        add_product(&mut y, 1.0, &place.shown, &turning);
        let weighed = product(&change.y, s);
        add_product(&mut y, -1.0, &problem.diffusion, &weighed);
        let pushed = product(&change.input, &problem.inputs);
        add_product(&mut y, 1.0, &pushed, s);
        let mut input = product(&weighed, turned(&problem.inputs));
        input += &change.input * problem.ridge;
        Move {
            y,
            input: self.masked(&input),
        }
    }

    /// A Newton step by conjugate gradients, no longer than the region.
    pub fn step(&self, slopes: &Slopes, region: f64, tolerance: f64, most: usize) -> Step {
        let mut rest = slopes.down.clone();
        let mut along = slopes.along.clone();
        let mut size = rest.dot(&along);
        let goal = tolerance * tolerance * size;
        let mut change = rest.zeros_like();
        // Squares and products of lengths, as the projection measures them.
        let (mut own, mut across, mut other) = (0.0, 0.0, size);
        let mut promise = 0.0;
        let mut is_whole = true;
        for _ in 0..most {
            if size <= goal {
                break;
            }
            let turned = self.hessian(&along, &slopes.multipliers);
            let curvature = along.dot(&turned);
            let step = size / curvature;
            let longer = own + step * (2.0 * across + step * other);
            if curvature.is_nan() || curvature <= 0.0 || longer >= region * region {
                // To the edge of the region.
                let room = (region * region - own).max(0.0);
                let step = room / (across + (across * across + other * room).sqrt());
                change.add(step, &along);
                promise += step * (size - 0.5 * step * curvature);
                own = region * region;
                is_whole = false;
                break;
            }
            change.add(step, &along);
            rest.add(-step, &turned);
            promise += 0.5 * step * size;
            own = longer;
            let next = self.solve(&rest, None).0;
            let after = rest.dot(&next);
            let kept = after / size;
            across = kept * (across + step * other);
            other = after + kept * kept * other;
            along.renew(kept, &next);
            size = after;
        }
        Step {
            change,
            length: own.max(0.0).sqrt(),
            promise,
            is_whole,
        }
    }

    /// The place after a move: Q is turned as Y and B move, and the new Q and B say what Y is.
    pub fn moved(&self, frame: &Frame, turning: &DMatrix<f64>, change: &Move) -> Option<Balanced> {
        let problem = self.problem;
        // dQ Y = -(Q - D/2) dY - dB X
        let mut wanted = product(&problem.diffusion, &change.y) * 0.5;
        add_product(&mut wanted, -1.0, turning, &change.y);
        add_product(&mut wanted, -1.0, &change.input, &problem.inputs);
        let turning = turning + frame.smallest(wanted);
        let input = &self.place.input + &change.input;
        let mut y = -product(&input, &problem.inputs);
        Lu::new(&turning - &problem.diffusion * 0.5)
            .ok()?
            .solve(&mut y);
        let place = problem.place(y, input)?;
        Some(Balanced { place, turning })
    }
}
