//! Special points to round-off: Newton's iteration on the equations together with those that
//! define the point, which are regular there.
//!
//! W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), chapters 3 and
//! 4; for crossings G. Moore, The numerical treatment of non-trivial bifurcation points (1980).
//! Enters: a place near by. Leaves: the point, `None` when the iteration leads elsewhere.

use super::Family;
use super::linear::{by_states, dot, lu, lu_solve, masses, norm, null_pair, right_vectors};
use nalgebra::{Complex, DMatrix};

/// The condition on an eigenvalue of dF/du.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Critical {
    /// It is this number.
    Real(f64),
    /// A pair ± i w.
    Imaginary(f64),
    /// A pair exp(± i t) - 1.
    Circle(f64),
}

const MOST_ITERATIONS: usize = 12;
const DONE: f64 = 1e-12;
/// A correction that is round-off when the next one is no smaller.
const ROUND_OFF: f64 = 1e-7;
/// The polish of larger systems costs more than it brings.
const MOST_STATES: usize = 100;

/// F, dF/dx at a point, its columns measured in scales and its rows made alike.
struct Local<'f> {
    family: &'f dyn Family,
    n: usize,
    scale: &'f [f64],
    rows: Vec<f64>,
}

impl<'f> Local<'f> {
    fn new(family: &'f dyn Family, x: &[f64], scale: &'f [f64]) -> Local<'f> {
        let n = family.dimension();
        let mut local = Local {
            family,
            n,
            scale,
            rows: vec![1.0; n],
        };
        let mut most = vec![0.0_f64; n];
        for sample in 0..3 {
            let jacobian = local.jacobian(&beside(x, scale, sample));
            for (most, row) in most.iter_mut().zip(jacobian.row_iter()) {
                let entries = row.iter().filter(|entry| entry.is_finite());
                *most = entries.fold(*most, |most, entry| most.max(entry.abs()));
            }
        }
        local.rows = (most.iter())
            .map(|most| if *most > 0.0 { *most } else { 1.0 })
            .collect();
        local
    }

    fn residual(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.n];
        self.family.residual(x, &mut out);
        out.iter().zip(&self.rows).map(|(f, row)| f / row).collect()
    }

    fn jacobian(&self, x: &[f64]) -> DMatrix<f64> {
        let n = self.n;
        let mut all = vec![0.0; n * (n + 1)];
        self.family.jacobian(x, &mut all);
        DMatrix::from_fn(n, n + 1, |i, j| {
            all[j * n + i] * self.scale[j] / self.rows[i]
        })
    }

    /// D²F(a, b) of vectors in scales.
    fn second(&self, x: &[f64], a: &[f64], b: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.n];
        let plain = |v: &[f64]| -> Vec<f64> {
            let parts = self.scale.iter().enumerate();
            parts
                .map(|(i, s)| v.get(i).copied().unwrap_or(0.0) * s)
                .collect()
        };
        self.family.second(x, &plain(a), &plain(b), &mut out);
        out.iter().zip(&self.rows).map(|(f, row)| f / row).collect()
    }

    /// The derivative of (dF/du) q by x.
    fn bent(&self, x: &[f64], q: &[f64]) -> DMatrix<f64> {
        let mut out = DMatrix::zeros(self.n, self.n + 1);
        let mut along = vec![0.0; self.n + 1];
        for j in 0..=self.n {
            along[j] = 1.0;
            let column = self.second(x, &along, q);
            out.column_mut(j).copy_from_slice(&column);
            along[j] = 0.0;
        }
        out
    }
}

/// The point itself, then points beside it: a row of the Jacobian may vanish at the point, and its
/// size is then that of the rounding around it.
fn beside(x: &[f64], scale: &[f64], sample: usize) -> Vec<f64> {
    let parts = x.iter().zip(scale).enumerate();
    parts
        .map(|(i, (x, scale))| {
            #[expect(clippy::cast_precision_loss, reason = "a direction")]
            let turn = (1.3 * (i + 1) as f64 * sample as f64).sin();
            x + 0.05 * turn * scale
        })
        .collect()
}

/// A system of bordered blocks, filled by its entries.
struct Blocks {
    width: usize,
    entries: Vec<f64>,
    right: Vec<f64>,
}

impl Blocks {
    fn new(width: usize) -> Blocks {
        Blocks {
            width,
            entries: vec![0.0; width * width],
            right: vec![0.0; width],
        }
    }

    fn put(&mut self, row: usize, column: usize, block: &DMatrix<f64>) {
        for i in 0..block.nrows() {
            for j in 0..block.ncols() {
                self.entries[(row + i) * self.width + column + j] = block[(i, j)];
            }
        }
    }

    fn step(mut self) -> Option<Vec<f64>> {
        let mut order = vec![0; self.width];
        if lu(&mut self.entries, &mut order, self.width) == 0.0 {
            return None;
        }
        let mut step = vec![0.0; self.width];
        lu_solve(&self.entries, &order, &self.right, &mut step);
        step.iter().all(|s| s.is_finite()).then_some(step)
    }
}

/// Iterates until corrections are round-off.
fn iterate(
    unknowns: &mut [f64],
    mut correction: impl FnMut(&[f64]) -> Option<Vec<f64>>,
) -> Option<()> {
    let mut before = f64::INFINITY;
    for _ in 0..MOST_ITERATIONS {
        let step = correction(unknowns)?;
        let length = norm(&step);
        if !length.is_finite() || length > 1e3 {
            return None;
        }
        if length >= 0.5 * before && before < ROUND_OFF {
            return Some(());
        }
        unknowns.iter_mut().zip(&step).for_each(|(u, s)| *u += s);
        if length < DONE {
            return Some(());
        }
        before = length;
    }
    (before < ROUND_OFF).then_some(())
}

/// x from its offset in scales.
fn place(start: &[f64], offset: &[f64], scale: &[f64]) -> Vec<f64> {
    let parts = start.iter().zip(offset).zip(scale);
    parts.map(|((x, o), s)| x + o * s).collect()
}

/// The point near `start` where dF/du has a critical eigenvalue, with what the eigenvalue then is;
/// no farther than `farthest` in scales.
pub(super) fn critical(
    family: &dyn Family,
    start: &[f64],
    scale: &[f64],
    of: Critical,
    farthest: f64,
) -> Option<(Vec<f64>, Critical)> {
    if family.dimension() > MOST_STATES {
        return None;
    }
    let (offset, of) = match of {
        Critical::Real(value) => (real(family, start, scale, value)?, of),
        Critical::Imaginary(w) => {
            let (offset, w) = pair(family, start, scale, w, |w| {
                (Complex::new(0.0, w), Complex::new(0.0, 1.0))
            })?;
            (offset, Critical::Imaginary(w))
        }
        Critical::Circle(t) => {
            let (offset, t) = pair(family, start, scale, t, |t| {
                let turn = Complex::from_polar(1.0, t);
                (turn - 1.0, turn * Complex::new(0.0, 1.0))
            })?;
            (offset, Critical::Circle(t))
        }
    };
    (norm(&offset) <= farthest).then(|| (place(start, &offset, scale), of))
}

/// F = 0, (A - value M) q = 0, l . q = 1 for x and q.
fn real(family: &dyn Family, start: &[f64], scale: &[f64], value: f64) -> Option<Vec<f64>> {
    let local = Local::new(family, start, scale);
    let n = local.n;
    let masses = masses(family);
    let mut all = vec![0.0; n * (n + 1)];
    family.jacobian(start, &mut all);
    let (q, _) = null_pair(&by_states(&all, n), &masses, Complex::new(value, 0.0))
        .or_else(|| null_pair(&by_states(&all, n), &vec![1.0; n], Complex::new(value, 0.0)))?;
    let q: Vec<f64> = q.iter().zip(scale).map(|(q, s)| q.re / s).collect();
    let length = norm(&q);
    let l: Vec<f64> = q.iter().map(|q| q / length).collect();
    let mut unknowns = vec![0.0; n + 1];
    unknowns.extend(&l);
    iterate(&mut unknowns, |u| {
        let (offset, q) = u.split_at(n + 1);
        let x = place(start, offset, scale);
        let jacobian = local.jacobian(&x);
        let mut shifted = jacobian.columns(0, n).into_owned();
        for i in 0..n {
            shifted[(i, i)] -= value * masses[i] * scale[i] / local.rows[i];
        }
        let mut blocks = Blocks::new(2 * n + 1);
        blocks.put(0, 0, &jacobian);
        blocks.put(n, 0, &local.bent(&x, q));
        blocks.put(n, n + 1, &shifted);
        blocks.put(2 * n, n + 1, &DMatrix::from_row_slice(1, n, &l));
        for (right, f) in blocks.right.iter_mut().zip(local.residual(&x)) {
            *right = -f;
        }
        for i in 0..n {
            blocks.right[n + i] = -(0..n).map(|j| shifted[(i, j)] * q[j]).sum::<f64>();
        }
        blocks.right[2 * n] = 1.0 - dot(&l, q);
        blocks.step()
    })?;
    unknowns.truncate(n + 1);
    Some(unknowns)
}

/// F = 0, (A - z(t) M)(v + i w) = 0 and a complex normalisation, for x, v, w and t; `z` gives the
/// eigenvalue and its derivative.
fn pair(
    family: &dyn Family,
    start: &[f64],
    scale: &[f64],
    t: f64,
    z: impl Fn(f64) -> (Complex<f64>, Complex<f64>),
) -> Option<(Vec<f64>, f64)> {
    let local = Local::new(family, start, scale);
    let n = local.n;
    let masses = masses(family);
    let mut all = vec![0.0; n * (n + 1)];
    family.jacobian(start, &mut all);
    let (q, _) = null_pair(&by_states(&all, n), &masses, z(t).0)?;
    let q: Vec<Complex<f64>> = q.iter().zip(scale).map(|(q, s)| q / *s).collect();
    let length = q.iter().map(Complex::norm_sqr).sum::<f64>().sqrt();
    let l: Vec<f64> = (q.iter().map(|q| q.re).chain(q.iter().map(|q| q.im)))
        .map(|part| part / length)
        .collect();
    let turned: Vec<f64> = (l[n..].iter().map(|w| -w))
        .chain(l[..n].iter().copied())
        .collect();
    let mut unknowns = vec![0.0; n + 1];
    unknowns.extend(&l);
    unknowns.push(t);
    iterate(&mut unknowns, |u| {
        let x = place(start, &u[..=n], scale);
        let (v, w) = (&u[n + 1..2 * n + 1], &u[2 * n + 1..3 * n + 1]);
        let (value, slope) = z(u[3 * n + 1]);
        let jacobian = local.jacobian(&x);
        let mass: Vec<f64> = (0..n)
            .map(|i| masses[i] * scale[i] / local.rows[i])
            .collect();
        let mut same = jacobian.columns(0, n).into_owned();
        let mut cross = DMatrix::zeros(n, n);
        for i in 0..n {
            same[(i, i)] -= value.re * mass[i];
            cross[(i, i)] = value.im * mass[i];
        }
        let mut blocks = Blocks::new(3 * n + 2);
        blocks.put(0, 0, &jacobian);
        blocks.put(n, 0, &local.bent(&x, v));
        blocks.put(n, n + 1, &same);
        blocks.put(n, 2 * n + 1, &cross);
        blocks.put(2 * n, 0, &local.bent(&x, w));
        blocks.put(2 * n, n + 1, &-&cross);
        blocks.put(2 * n, 2 * n + 1, &same);
        blocks.put(3 * n, n + 1, &DMatrix::from_row_slice(1, 2 * n, &l));
        blocks.put(
            3 * n + 1,
            n + 1,
            &DMatrix::from_row_slice(1, 2 * n, &turned),
        );
        let last = 3 * n + 1;
        for (right, f) in blocks.right.iter_mut().zip(local.residual(&x)) {
            *right = -f;
        }
        for i in 0..n {
            let through = |q: &[f64]| (0..n).map(|j| same[(i, j)] * q[j]).sum::<f64>();
            blocks.right[n + i] = -(through(v) + cross[(i, i)] * w[i]);
            blocks.right[2 * n + i] = -(through(w) - cross[(i, i)] * v[i]);
            let moved = slope * Complex::new(v[i], w[i]) * mass[i];
            blocks.entries[(n + i) * (last + 1) + last] = -moved.re;
            blocks.entries[(2 * n + i) * (last + 1) + last] = -moved.im;
        }
        let both = &u[n + 1..3 * n + 1];
        blocks.right[3 * n] = 1.0 - dot(&l, both);
        blocks.right[last] = -dot(&turned, both);
        blocks.step()
    })?;
    let t = unknowns[3 * n + 1];
    unknowns.truncate(n + 1);
    (t > 0.0).then_some((unknowns, t))
}

/// The point where branches cross: F + m w = 0, w . J = 0, |w| = 1 for x, w and m. No farther
/// than `farthest` in scales.
pub(super) fn crossing(
    family: &dyn Family,
    start: &[f64],
    scale: &[f64],
    farthest: f64,
) -> Option<Vec<f64>> {
    let local = Local::new(family, start, scale);
    let n = local.n;
    if n == 0 || n > MOST_STATES {
        return None;
    }
    let (_, left) = right_vectors(&local.jacobian(start).transpose())?;
    let mut unknowns = vec![0.0; n + 1];
    unknowns.extend(left.first()?);
    unknowns.push(0.0);
    iterate(&mut unknowns, |u| {
        let x = place(start, &u[..=n], scale);
        let (w, m) = (&u[n + 1..2 * n + 1], u[2 * n + 1]);
        let jacobian = local.jacobian(&x);
        let mut blocks = Blocks::new(2 * n + 2);
        let last = 2 * n + 1;
        blocks.put(0, 0, &jacobian);
        blocks.put(0, n + 1, &DMatrix::from_diagonal_element(n, n, m));
        blocks.put(0, last, &DMatrix::from_column_slice(n, 1, w));
        blocks.put(n, n + 1, &jacobian.transpose());
        let twice: Vec<f64> = w.iter().map(|w| 2.0 * w).collect();
        blocks.put(last, n + 1, &DMatrix::from_row_slice(1, n, &twice));
        let mut along = vec![0.0; n + 1];
        for j in 0..=n {
            along[j] = 1.0;
            let mut other = vec![0.0; n + 1];
            for k in 0..=j {
                other[k] = 1.0;
                let bent = dot(w, &local.second(&x, &along, &other));
                blocks.entries[(n + j) * (last + 1) + k] = bent;
                blocks.entries[(n + k) * (last + 1) + j] = bent;
                other[k] = 0.0;
            }
            along[j] = 0.0;
        }
        for (i, f) in local.residual(&x).iter().enumerate() {
            blocks.right[i] = -(f + m * w[i]);
        }
        for j in 0..=n {
            blocks.right[n + j] = -(0..n).map(|i| w[i] * jacobian[(i, j)]).sum::<f64>();
        }
        blocks.right[last] = 1.0 - dot(w, w);
        blocks.step()
    })?;
    let off = unknowns[2 * n + 1].abs();
    unknowns.truncate(n + 1);
    (norm(&unknowns) <= farthest && off < 1e-7).then(|| place(start, &unknowns, scale))
}

/// How the Jacobian at a point lets branches through.
pub(super) enum Tangents {
    /// One, or none that can be told: the Jacobian is singular but no two branches cross.
    One(Vec<f64>),
    Two([Vec<f64>; 2]),
    Degenerate,
}

/// A singular value this small beside the largest is zero.
const ZERO: f64 = 1e-8;

/// The tangents of branches at a point, of length 1 in scales, by the algebraic bifurcation
/// equation a α² + 2 b α β + c β² = 0 for α v1 + β v2 where the Jacobian loses a rank.
pub(super) fn tangents(
    family: &dyn Family,
    x: &[f64],
    scale: &[f64],
    crosses: bool,
) -> Option<Tangents> {
    let local = Local::new(family, x, scale);
    let jacobian = local.jacobian(x);
    if jacobian.iter().any(|entry| !entry.is_finite()) {
        return None;
    }
    let (values, vectors) = right_vectors(&jacobian)?;
    let most = values.last().copied().unwrap_or(0.0);
    let is_singular = local.n > 0 && (crosses || values.get(1).is_some_and(|v| *v <= ZERO * most));
    if !is_singular {
        return vectors.first().cloned().map(Tangents::One);
    }
    if values.get(2).is_some_and(|v| *v <= ZERO * most) {
        return Some(Tangents::Degenerate);
    }
    let (_, left) = right_vectors(&jacobian.transpose())?;
    let (psi, v1, v2) = (left.first()?, vectors.first()?, vectors.get(1)?);
    let form = |a: &[f64], b: &[f64]| dot(psi, &local.second(x, a, b));
    let (a, b, c) = (form(v1, v1), form(v1, v2), form(v2, v2));
    let size = a.abs().max(b.abs()).max(c.abs());
    let square = b * b - a * c;
    if size == 0.0 || square <= 1e-12 * size * size {
        return Some(Tangents::Degenerate);
    }
    let q = -(b + square.sqrt().copysign(b));
    let mix = |alpha: f64, beta: f64| {
        let sum = v1.iter().zip(v2).map(|(v1, v2)| alpha * v1 + beta * v2);
        super::linear::unit(&sum.collect::<Vec<f64>>())
    };
    Some(Tangents::Two([mix(q, a), mix(c, q)]))
}
