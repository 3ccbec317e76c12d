//! The k-th iterate of a map as a family of its own: its fixed points are orbits of period k.
//!
//! Enters: a map F(u, p) = g(u, p) - u. Leaves: g^k(u, p) - u with all derivatives, by the chain
//! rule along the orbit (Faà di Bruno's formula up to the third order): where the arguments of g
//! move along A and B and curve as W, g(u) curves as g' W + g''(A, B).

use super::{Family, Motion};

/// g^k(u, p) - u.
pub struct Iterate<'f> {
    map: &'f dyn Family,
    times: usize,
}

impl<'f> Iterate<'f> {
    /// The iterate of a map; `times` is at least 1.
    #[must_use]
    pub fn new(map: &'f dyn Family, times: usize) -> Iterate<'f> {
        Iterate {
            map,
            times: times.max(1),
        }
    }

    /// u becomes g(u, p).
    fn step(&self, x: &mut [f64], change: &mut [f64]) {
        self.map.residual(x, change);
        x.iter_mut().zip(change.iter()).for_each(|(x, c)| *x += c);
    }

    /// The points x = (u, p) of the orbit from `x` on, `times` of them.
    fn orbit(&self, x: &[f64]) -> Vec<Vec<f64>> {
        let mut change = vec![0.0; self.map.dimension()];
        let mut points = vec![x.to_vec()];
        while points.len() < self.times {
            let mut next = points.last().map_or_else(Vec::new, Clone::clone);
            self.step(&mut next, &mut change);
            points.push(next);
        }
        points
    }
}

/// Along an orbit: how the point moves when the first one moves along a direction.
struct Along<'f> {
    map: &'f dyn Family,
    n: usize,
    jacobian: Vec<f64>,
    change: Vec<f64>,
}

impl Along<'_> {
    /// g'(x) `v`, where `v` has n + 1 numbers; the last stays.
    fn push(&self, v: &[f64]) -> Vec<f64> {
        let n = self.n;
        let mut out = v.to_vec();
        for (column, v) in self.jacobian.chunks_exact(n.max(1)).zip(v) {
            for (out, entry) in out.iter_mut().zip(column) {
                *out += entry * v;
            }
        }
        out
    }

    /// Adds `factor` g''(x)(`a`, `b`) to `out`.
    fn bend(&mut self, x: &[f64], factor: f64, a: &[f64], b: &[f64], out: &mut [f64]) {
        self.map.second(x, a, b, &mut self.change);
        for (out, change) in out.iter_mut().zip(&self.change) {
            *out += factor * change;
        }
    }
}

impl Iterate<'_> {
    fn along(&self) -> Along<'_> {
        let n = self.map.dimension();
        Along {
            map: self.map,
            n,
            jacobian: vec![0.0; n * (n + 1)],
            change: vec![0.0; n],
        }
    }
}

impl Family for Iterate<'_> {
    fn dimension(&self) -> usize {
        self.map.dimension()
    }

    fn motion(&self) -> Motion {
        Motion::Map
    }

    fn residual(&self, x: &[f64], out: &mut [f64]) {
        let mut point = x.to_vec();
        for _ in 0..self.times {
            self.step(&mut point, out);
        }
        for ((out, last), first) in out.iter_mut().zip(&point).zip(x) {
            *out = last - first;
        }
    }

    fn jacobian(&self, x: &[f64], out: &mut [f64]) {
        let n = self.map.dimension();
        let mut along = self.along();
        let mut moved: Vec<Vec<f64>> = (0..=n)
            .map(|j| (0..=n).map(|i| f64::from(u8::from(i == j))).collect())
            .collect();
        for point in self.orbit(x) {
            self.map.jacobian(&point, &mut along.jacobian);
            for v in &mut moved {
                *v = along.push(v);
            }
        }
        for (j, (v, column)) in moved.iter().zip(out.chunks_exact_mut(n.max(1))).enumerate() {
            column.copy_from_slice(&v[..n]);
            if let Some(diagonal) = column.get_mut(j) {
                *diagonal -= 1.0;
            }
        }
    }

    fn second(&self, x: &[f64], a: &[f64], b: &[f64], out: &mut [f64]) {
        let mut along = self.along();
        let (mut a, mut b) = (a.to_vec(), b.to_vec());
        let mut w = vec![0.0; a.len()];
        for point in self.orbit(x) {
            self.map.jacobian(&point, &mut along.jacobian);
            w = along.push(&w);
            along.bend(&point, 1.0, &a, &b, &mut w);
            (a, b) = (along.push(&a), along.push(&b));
        }
        out.copy_from_slice(&w[..self.map.dimension()]);
    }

    fn third(&self, x: &[f64], a: &[f64], b: &[f64], out: &mut [f64]) {
        let mut along = self.along();
        let (mut a, mut b) = (a.to_vec(), b.to_vec());
        let zero = vec![0.0; a.len()];
        let (mut aa, mut ab, mut z) = (zero.clone(), zero.clone(), zero);
        for point in self.orbit(x) {
            self.map.jacobian(&point, &mut along.jacobian);
            z = along.push(&z);
            self.map.third(&point, &a, &b, &mut along.change);
            z.iter_mut().zip(&along.change).for_each(|(z, c)| *z += c);
            along.bend(&point, 2.0, &a, &ab, &mut z);
            along.bend(&point, 1.0, &b, &aa, &mut z);
            (aa, ab) = (along.push(&aa), along.push(&ab));
            along.bend(&point, 1.0, &a, &a, &mut aa);
            along.bend(&point, 1.0, &a, &b, &mut ab);
            (a, b) = (along.push(&a), along.push(&b));
        }
        out.copy_from_slice(&z[..self.map.dimension()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Hénon map with F = g - u: (1 - p u² + v, 0.3 u).
    struct Henon;

    impl Family for Henon {
        fn dimension(&self) -> usize {
            2
        }

        fn motion(&self) -> Motion {
            Motion::Map
        }

        fn residual(&self, x: &[f64], out: &mut [f64]) {
            out[0] = 1.0 - x[2] * x[0] * x[0] + x[1] - x[0];
            out[1] = 0.3 * x[0] - x[1];
        }

        fn jacobian(&self, x: &[f64], out: &mut [f64]) {
            out.copy_from_slice(&[-2.0 * x[2] * x[0] - 1.0, 0.3, 1.0, -1.0, -x[0] * x[0], 0.0]);
        }

        fn second(&self, x: &[f64], a: &[f64], b: &[f64], out: &mut [f64]) {
            out[0] = -2.0 * (x[2] * a[0] * b[0] + x[0] * (a[0] * b[2] + a[2] * b[0]));
            out[1] = 0.0;
        }

        fn third(&self, _: &[f64], a: &[f64], b: &[f64], out: &mut [f64]) {
            out[0] = -2.0 * (a[0] * a[0] * b[2] + 2.0 * a[0] * a[2] * b[0]);
            out[1] = 0.0;
        }
    }

    const X: [f64; 3] = [0.4, -0.2, 1.1];
    const A: [f64; 3] = [0.3, 1.0, -0.7];
    const B: [f64; 3] = [-0.8, 0.5, 0.6];

    fn moved(along: &[f64; 3], by: f64) -> [f64; 3] {
        std::array::from_fn(|i| X[i] + by * along[i])
    }

    /// A central difference of `f` along a direction.
    fn difference(f: &dyn Fn(&[f64; 3]) -> [f64; 2], along: &[f64; 3]) -> [f64; 2] {
        const STEP: f64 = 1e-5;
        let (after, before) = (f(&moved(along, STEP)), f(&moved(along, -STEP)));
        std::array::from_fn(|i| (after[i] - before[i]) / (2.0 * STEP))
    }

    fn assert_close(a: [f64; 2], b: [f64; 2]) {
        for (a, b) in a.iter().zip(&b) {
            assert!((a - b).abs() <= 1e-7 * (1.0 + b.abs()), "{a} {b}");
        }
    }

    #[test]
    fn each_derivative_is_that_of_the_one_before() {
        for times in 1..=4 {
            let iterate = Iterate::new(&Henon, times);
            let residual = |x: &[f64; 3]| {
                let mut out = [0.0; 2];
                iterate.residual(x, &mut out);
                out
            };
            let first = |x: &[f64; 3]| -> [f64; 2] {
                let mut all = [0.0; 6];
                iterate.jacobian(x, &mut all);
                std::array::from_fn(|i| (0..3).map(|j| all[2 * j + i] * A[j]).sum())
            };
            let second = |x: &[f64; 3]| {
                let mut out = [0.0; 2];
                iterate.second(x, &A, &A, &mut out);
                out
            };
            let (mut ab, mut aab) = ([0.0; 2], [0.0; 2]);
            iterate.second(&X, &A, &B, &mut ab);
            iterate.third(&X, &A, &B, &mut aab);
            assert_close(difference(&residual, &A), first(&X));
            assert_close(difference(&first, &B), ab);
            assert_close(difference(&second, &B), aab);
        }
    }
}
