//! Newton directions where every entry of A is free and cells are at rest: no Lyapunov equation.
//!
//! With A S = Q - C C^T/2 for a skew Q, A is as good as S and Q: dA = (dQ - A dS) S^-1. In the
//! coordinates dS = R S' R^T and dQ = Z Q' Z^T, where S = R R^T and Z = A R O with orthogonal O, the
//! information of a cell is
//!
//! ```text
//! |S'|^2 / 2 + sum n_k/n |S' u_k - O Q' v_k - R^-1 A^-1 dB x_k|^2
//! u_k = R^-1 mu_k,   v_k = Z^T S^-1 mu_k,
//! ```
//!
//! so a product with it costs some products of p by p with p by K matrices. R and O are such that
//! sum n_k/n u_k u_k' and sum n_k/n v_k v_k' are diagonal: then each entry of S' and of Q' stands by
//! itself, and conjugate gradients only have to find how S, Q and B go together. S' and Q' are the
//! symmetric and the skew half of one p by p matrix M.
//!
//! A step of length t goes to S_t = R (1 + t S'/2)^2 R^T and A_t = (A S + t dQ) S_t^-1,
//! which has A_t S_t + S_t A_t^T = A S + S A^T = -C C^T: with every S_t > 0 each A_t is stable by
//! Lyapunov's theorem, however long the step. Likewise -C C^T S^-1 / 2 is a stable A with any S as
//! its covariance: a start that has the covariance of the cells.
//!
//! Enters: S as its Cholesky factor, A, means at rest with weights, a gradient. Leaves: minus the
//! inverse of the information times the gradient, roughly, as a path. Must not know the likelihood.

use super::problem::Fault;
use crate::linalg::products::{Cholesky, Lu, add_product, inner, product, symmetric_eigen, turned};
use nalgebra::DMatrix;

/// A place, as the directions need it.
pub(super) struct Geometry {
    /// R^-1 and R^T A^T.
    unroot: DMatrix<f64>,
    turned_drift: DMatrix<f64>,
    /// O, Z and R^-1 Z.
    turn: DMatrix<f64>,
    frame: DMatrix<f64>,
    inner_frame: DMatrix<f64>,
    /// R^-1 A^-1.
    response: DMatrix<f64>,
    /// u_k, v_k and x_k, each times (n_k/n)^(1/2).
    means: DMatrix<f64>,
    turning_means: DMatrix<f64>,
    inputs: DMatrix<f64>,
    /// Which entries of B are free.
    free: Vec<bool>,
    how: How,
    /// The diagonal of the information about S', Q' and dB.
    of_symmetric: DMatrix<f64>,
    of_skew: DMatrix<f64>,
    of_input: DMatrix<f64>,
}

/// What is added to the information, and whether S moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct How {
    /// Times |M|^2 + |dB|^2, half of it.
    pub damping: f64,
    /// Times the squares of dB and of dA off its diagonal, half of it.
    pub ridge: f64,
    /// Whether S' is free.
    pub spread: Spread,
}

/// Whether S moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    /// It does.
    Moves,
    /// S' is zero.
    Stays,
}

/// M and dB: a direction, or a gradient.
#[derive(Clone)]
pub(super) struct Pair {
    drift: DMatrix<f64>,
    input: DMatrix<f64>,
}

impl Pair {
    fn dot(&self, other: &Pair) -> f64 {
        inner(&self.drift, &other.drift) + inner(&self.input, &other.input)
    }

    fn add(&mut self, factor: f64, other: &Pair) {
        let drift = self.drift.iter_mut().zip(other.drift.iter());
        let input = self.input.iter_mut().zip(other.input.iter());
        drift
            .chain(input)
            .for_each(|(to, what)| *to += factor * what);
    }

    /// Becomes `other` plus `factor` times itself.
    fn renew(&mut self, factor: f64, other: &Pair) {
        let drift = self.drift.iter_mut().zip(other.drift.iter());
        let input = self.input.iter_mut().zip(other.input.iter());
        drift
            .chain(input)
            .for_each(|(to, what)| *to = factor * *to + what);
    }
}

/// The symmetric and the skew half.
fn halves(matrix: &DMatrix<f64>) -> (DMatrix<f64>, DMatrix<f64>) {
    let across = matrix.transpose();
    ((matrix + &across) * 0.5, (matrix - across) * 0.5)
}

impl Geometry {
    /// At A with the factor of S; `means` are those at rest, p by K, `inputs` q by K, both times
    /// (n_k/n)^(1/2); `free` says which entries of B are.
    pub fn new(
        drift: &DMatrix<f64>,
        factor: &Cholesky,
        means: &DMatrix<f64>,
        inputs: DMatrix<f64>,
        free: &[bool],
        how: How,
    ) -> Result<Geometry, Fault> {
        let mut plain = means.clone();
        factor.solve_lower(&mut plain);
        let second = product(&plain, turned(&plain));
        let (_, turn) = symmetric_eigen(&second).ok_or(Fault::NotFinite)?;
        let root = product(factor.lower(), &turn);
        let mut unroot = turn;
        factor.solve_upper(&mut unroot);
        let unroot = unroot.transpose();
        let mut response = unroot.transpose();
        Lu::new(drift.clone())?.solve_turned(&mut response);
        let response = response.transpose();
        let means = product(&unroot, means);
        let driven = product(drift, &root);
        let inner_drift = product(&unroot, &driven);
        let plain = product(turned(&inner_drift), &means);
        let second = product(&plain, turned(&plain));
        let (_, turn) = symmetric_eigen(&second).ok_or(Fault::NotFinite)?;
        let turning_means = product(turned(&turn), &plain);
        let squares = |matrix: &DMatrix<f64>| -> Vec<f64> {
            matrix.row_iter().map(|row| row.norm_squared()).collect()
        };
        let (of_u, of_v, of_x) = (squares(&means), squares(&turning_means), squares(&inputs));
        let frame = product(&driven, &turn);
        let inner_frame = product(&inner_drift, &turn);
        let by_column = |matrix: &DMatrix<f64>| -> Vec<f64> {
            matrix
                .column_iter()
                .map(|column| column.norm_squared())
                .collect()
        };
        let of_rows = by_column(&response);
        let of_frame = by_column(&frame);
        let of_outer = by_column(&product(turned(&unroot), &inner_frame));
        let p = drift.nrows();
        Ok(Geometry {
            of_symmetric: DMatrix::from_fn(p, p, |i, j| {
                0.5 + 0.5 * (of_u[i] + of_u[j]) + how.damping
            }),
            of_skew: DMatrix::from_fn(p, p, |i, j| {
                let own = of_frame[i] * of_outer[j] + of_frame[j] * of_outer[i];
                0.5 * (of_v[i] + of_v[j] + how.ridge * own) + how.damping
            }),
            of_input: DMatrix::from_fn(p, of_x.len(), |i, l| {
                of_rows[i] * of_x[l] + how.damping + how.ridge
            }),
            turned_drift: driven.transpose(),
            frame,
            inner_frame,
            free: free.to_vec(),
            unroot,
            turn,
            response,
            means,
            turning_means,
            inputs,
            how,
        })
    }

    /// Minus the inverse of the information times the gradient by A and B, to a part `tolerance` of
    /// the gradient, in at most `most` products, and how many there were.
    pub fn direction(
        &self,
        (by_drift, by_input): (&DMatrix<f64>, &DMatrix<f64>),
        tolerance: f64,
        most: usize,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(Pair, usize), Fault> {
        let mut rest = self.inward(by_drift, by_input);
        let goal = tolerance * tolerance;
        let mut out = Pair {
            drift: &rest.drift * 0.0,
            input: &rest.input * 0.0,
        };
        let mut scaled = self.scaled(&rest);
        let mut along = scaled.clone();
        let mut size = rest.dot(&scaled);
        let first = size;
        let mut count = 0;
        while count < most && size > goal * first {
            if interrupted() {
                return Err(Fault::Interrupted);
            }
            count += 1;
            let turned = self.times(&along);
            let curvature = along.dot(&turned);
            if curvature.is_nan() || curvature <= 0.0 {
                break;
            }
            out.add(size / curvature, &along);
            rest.add(-size / curvature, &turned);
            scaled = self.scaled(&rest);
            let next = rest.dot(&scaled);
            along.renew(next / size, &scaled);
            size = next;
        }
        Ok((out, count))
    }

    /// R^-T R^-1 b.
    fn whitened(&self, b: &DMatrix<f64>) -> DMatrix<f64> {
        product(turned(&self.unroot), &product(&self.unroot, b))
    }

    /// Minus the gradient by M and dB.
    fn inward(&self, by_drift: &DMatrix<f64>, by_input: &DMatrix<f64>) -> Pair {
        let right = product(by_drift, turned(&self.unroot));
        let framed = product(&right, &self.inner_frame);
        let (_, skew) = halves(&product(turned(&self.frame), &framed));
        let (mut symmetric, _) = halves(&product(&self.turned_drift, &right));
        if self.how.spread == Spread::Stays {
            symmetric.fill(0.0);
        }
        let mut input = -by_input;
        self.mask(&mut input);
        Pair {
            drift: symmetric - skew,
            input,
        }
    }

    /// A and the change of B a step away; `None` where 1 + t S'/2 is singular.
    pub fn at(&self, pair: &Pair, step: f64) -> Option<(DMatrix<f64>, DMatrix<f64>)> {
        let (symmetric, skew) = halves(&pair.drift);
        let stretch = DMatrix::identity(skew.nrows(), skew.nrows()) + symmetric * (0.5 * step);
        let stretch = Lu::new(stretch).ok()?;
        // The transpose of the whole: R^-T (1 + t S'/2)^-2 (A R + t dQ R^-T)^T.
        let mut left = self.turned_drift.clone();
        let framed = product(&self.inner_frame, turned(&skew));
        add_product(&mut left, step, &framed, turned(&self.frame));
        stretch.solve(&mut left);
        stretch.solve(&mut left);
        let drift = product(turned(&left), &self.unroot);
        Some((drift, &pair.input * step))
    }

    /// The first change of A and B along a path: dA = (dQ R^-T - A R S') R^-1.
    pub fn outward(&self, pair: &Pair) -> (DMatrix<f64>, DMatrix<f64>) {
        let (symmetric, skew) = halves(&pair.drift);
        let mut left = product(&product(&self.frame, &skew), turned(&self.inner_frame));
        add_product(&mut left, -1.0, turned(&self.turned_drift), &symmetric);
        (product(&left, &self.unroot), pair.input.clone())
    }

    fn mask(&self, input: &mut DMatrix<f64>) {
        for (entry, free) in input.iter_mut().zip(&self.free) {
            if !free {
                *entry = 0.0;
            }
        }
    }

    /// The preconditioner: exact for S' and Q' by themselves, and for columns of B that are all free.
    fn scaled(&self, pair: &Pair) -> Pair {
        let mut drift = DMatrix::zeros(pair.drift.nrows(), pair.drift.ncols());
        let (of_symmetric, of_skew) = (self.of_symmetric.as_slice(), self.of_skew.as_slice());
        blend(&mut drift, &pair.drift, &pair.drift, |at, here, across| {
            0.5 * ((here + across) / of_symmetric[at] + (here - across) / of_skew[at])
        });
        let mut input = pair.input.component_div(&self.of_input);
        let p = input.nrows().max(1);
        for (l, free) in self.free.chunks(p).enumerate() {
            let of_input = self.inputs.row(l).norm_squared();
            if of_input > 0.0 && free.iter().all(|free| *free) {
                let column = pair.input.columns(l, 1).clone_owned();
                let inward = product(&self.turned_drift, &column);
                let solved = product(turned(&self.turned_drift), &inward) / of_input;
                input.column_mut(l).copy_from(&solved.column(0));
            }
        }
        Pair { drift, input }
    }

    /// The information times a direction.
    fn times(&self, pair: &Pair) -> Pair {
        // S' u and Q' v by M and its transpose.
        let mut moved = product(&pair.drift, &self.means);
        add_product(&mut moved, 1.0, turned(&pair.drift), &self.means);
        let mut pushed = product(&pair.drift, &self.turning_means);
        add_product(&mut pushed, -1.0, turned(&pair.drift), &self.turning_means);
        add_product(&mut moved, -1.0, &self.turn, &pushed);
        moved *= 0.5;
        let pushed = product(&pair.input, &self.inputs);
        add_product(&mut moved, -1.0, &self.response, &pushed);
        let own = product(&moved, turned(&self.means));
        let back = product(turned(&self.turn), &moved);
        let turning = product(&back, turned(&self.turning_means));
        let back = product(turned(&self.response), &moved);
        let mut input = -product(&back, turned(&self.inputs));
        self.mask(&mut input);
        let (sum, difference) = match self.how.spread {
            Spread::Moves => (&own - &turning, &own + &turning),
            Spread::Stays => (-&turning, turning),
        };
        // The symmetric half of `own` less the skew half of `turning`.
        let mut drift = DMatrix::zeros(sum.nrows(), sum.ncols());
        blend(&mut drift, &sum, &difference, |at, here, across| {
            0.5 * (here + across) + self.how.damping * pair.drift.as_slice()[at]
        });
        if self.how.spread == Spread::Moves {
            let own = drift.clone();
            blend(&mut drift, &pair.drift, &pair.drift, |at, here, across| {
                own.as_slice()[at] + 0.25 * (here + across)
            });
        }
        let mut out = Pair { drift, input };
        for (to, what) in out.input.iter_mut().zip(pair.input.iter()) {
            *to += self.how.damping * what;
        }
        if self.how.ridge > 0.0 {
            // The ridge is one on A and B: out, and back by the adjoint.
            let (mut by_drift, mut by_input) = self.outward(pair);
            by_drift.fill_diagonal(0.0);
            by_drift *= self.how.ridge;
            by_input *= self.how.ridge;
            out.add(-1.0, &self.inward(&by_drift, &by_input));
        }
        out
    }
}

/// Side of the tiles in which matrices are read across.
const TILE: usize = 32;

/// Fills `out` with f(position, x_ij, y_ji).
fn blend(
    out: &mut DMatrix<f64>,
    x: &DMatrix<f64>,
    y: &DMatrix<f64>,
    f: impl Fn(usize, f64, f64) -> f64,
) {
    let n = out.nrows();
    let (out, x, y) = (out.as_mut_slice(), x.as_slice(), y.as_slice());
    for left in (0..n).step_by(TILE) {
        for top in (0..n).step_by(TILE) {
            for j in left..(left + TILE).min(n) {
                for i in top..(top + TILE).min(n) {
                    let at = j * n + i;
                    out[at] = f(at, x[at], y[i * n + j]);
                }
            }
        }
    }
}

/// Products for a start.
const MOST_PRODUCTS: usize = 500;
/// How exact a start is, and what is added for what means do not say.
const START: (f64, f64) = (1e-4, 1e-6);

/// A and B with A S + S A^T = -C C^T for the S of `factor`, whose A m_k + B x_k are as near to zero
/// as can be: linear least squares in Q and B. `means` m_k and `inputs` x_k have the weights
/// (n_k/n)^(1/2); `input` gives the held entries of B.
pub(super) fn balanced(
    diffusion: DMatrix<f64>,
    factor: &Cholesky,
    (means, inputs): (&DMatrix<f64>, &DMatrix<f64>),
    (input, free): (&DMatrix<f64>, &[bool]),
    interrupted: &dyn Fn() -> bool,
) -> Result<(DMatrix<f64>, DMatrix<f64>), Fault> {
    let mut drift = diffusion * -0.5;
    factor.solve(&mut drift);
    let drift = drift.transpose();
    // At A = -1 the moved means of a direction are what it adds to A m + B x.
    let p = drift.nrows();
    let minus = -DMatrix::<f64>::identity(p, p);
    let (tolerance, damping) = START;
    let how = How {
        damping,
        ridge: 0.0,
        spread: Spread::Stays,
    };
    let geometry = Geometry::new(&minus, factor, means, inputs.clone(), free, how)?;
    let mut rest = product(&drift, means);
    add_product(&mut rest, 1.0, input, inputs);
    let rest = geometry.whitened(&rest);
    let by = (
        &product(&rest, turned(means)),
        &product(&rest, turned(inputs)),
    );
    let (pair, _) = geometry.direction(by, tolerance, MOST_PRODUCTS, interrupted)?;
    let (turning, pushed) = geometry.outward(&pair);
    Ok((drift + turning, input + pushed))
}
