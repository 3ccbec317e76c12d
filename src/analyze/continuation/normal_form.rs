//! Coefficients of normal forms from exact second and third derivatives.
//!
//! Yu. A. Kuznetsov, Elements of Applied Bifurcation Theory (2004), sections 5.4 and 8.7: A q =
//! i w q, p* A = i w p*, |q| = 1, p* M q = 1, where M is the identity but for constraints.

use super::Family;
use super::linear::{Vector, by_states, eigenvalues, masses, null_pair};
use nalgebra::{Complex, DMatrix, DVector};

type C = Complex<f64>;

/// Multilinear forms at a point, of real and complex vectors of states.
struct Forms<'f> {
    family: &'f dyn Family,
    x: &'f [f64],
    n: usize,
}

impl Forms<'_> {
    fn lifted(&self, v: &[f64]) -> Vec<f64> {
        let mut v = v.to_vec();
        v.push(0.0);
        v
    }

    fn second(&self, a: &[f64], b: &[f64]) -> DVector<f64> {
        let mut out = vec![0.0; self.n];
        self.family
            .second(self.x, &self.lifted(a), &self.lifted(b), &mut out);
        DVector::from_vec(out)
    }

    fn third(&self, a: &[f64], b: &[f64]) -> DVector<f64> {
        let mut out = vec![0.0; self.n];
        self.family
            .third(self.x, &self.lifted(a), &self.lifted(b), &mut out);
        DVector::from_vec(out)
    }

    fn b(&self, a: &Vector, b: &Vector) -> Vector {
        let ((ar, ai), (br, bi)) = (parts(a), parts(b));
        let real = self.second(&ar, &br) - self.second(&ai, &bi);
        let imaginary = self.second(&ar, &bi) + self.second(&ai, &br);
        join(&real, &imaginary)
    }

    /// D³F(q, q, conj q)
    fn c(&self, q: &Vector) -> Vector {
        let (r, s) = parts(q);
        let real = self.third(&r, &r) + self.third(&s, &r);
        let imaginary = self.third(&r, &s) + self.third(&s, &s);
        join(&real, &imaginary)
    }
}

fn parts(v: &Vector) -> (Vec<f64>, Vec<f64>) {
    (
        v.iter().map(|z| z.re).collect(),
        v.iter().map(|z| z.im).collect(),
    )
}

fn join(real: &DVector<f64>, imaginary: &DVector<f64>) -> Vector {
    DVector::from_fn(real.len(), |i, _| C::new(real[i], imaginary[i]))
}

fn forms<'f>(family: &'f dyn Family, x: &'f [f64]) -> Forms<'f> {
    Forms {
        family,
        x,
        n: family.dimension(),
    }
}

fn jacobian(family: &dyn Family, x: &[f64]) -> (Vec<f64>, DMatrix<f64>) {
    let n = family.dimension();
    let mut all = vec![0.0; n * (n + 1)];
    family.jacobian(x, &mut all);
    let matrix = by_states(&all, n);
    (all, matrix)
}

/// (shift M - A)⁻¹ b
fn resolvent(a: &DMatrix<f64>, masses: &[f64], shift: C, b: &Vector) -> Option<Vector> {
    let n = a.nrows();
    let matrix = DMatrix::from_fn(n, n, |i, j| {
        let entry = C::new(-a[(i, j)], 0.0);
        if i == j {
            entry + shift * masses[i]
        } else {
            entry
        }
    });
    matrix.lu().solve(b)
}

/// A sum this small beside its terms is zero.
const ROUND_OFF: f64 = 1e-11;

/// The sum of terms, exactly zero where they cancel to round-off: a degenerate point then has no
/// sign by chance.
fn total(p: &Vector, terms: &[Vector], part: impl Fn(C) -> f64) -> f64 {
    let values = terms.iter().map(|term| p.dotc(term));
    let (sum, size) = values.fold((C::new(0.0, 0.0), 0.0), |(sum, size), value| {
        (sum + value, size + value.norm())
    });
    let value = part(sum);
    if value.abs() <= ROUND_OFF * size {
        0.0
    } else {
        value
    }
}

/// An eigenvalue this small beside the frequency of a Hopf point, and a product of unit vectors p and
/// q this small at a fold, are zero: another eigenvalue vanishes with the first, the normal form of
/// one alone does not hold, and its coefficient is a quotient of round-off. Kuznetsov, section 8.1.
const SECOND: f64 = 1e-6;

/// p . D²F(q, q)/2; not a number where the eigenvalue 0 is double (Bogdanov-Takens).
pub(super) fn fold(family: &dyn Family, x: &[f64]) -> Option<f64> {
    let (_, a) = jacobian(family, x);
    let (q, p) = null_pair(&a, &masses(family), C::new(0.0, 0.0))?;
    // p . q = 1 makes p as long as the unit vectors are near to being orthogonal.
    if p.norm() * SECOND > 1.0 {
        return Some(f64::NAN);
    }
    let of = forms(family, x);
    Some((p.dotc(&of.b(&q, &q)) * 0.5).norm())
}

/// The numbers of a Hopf point.
pub(super) struct Hopf {
    pub frequency: f64,
    /// Not a number where another eigenvalue is 0 (fold-Hopf).
    pub l1: f64,
    pub growth: f64,
    /// 2 |q_i| sqrt(|growth/l1|)
    pub amplitude: Vec<f64>,
}

pub(super) fn hopf(
    family: &dyn Family,
    x: &[f64],
    tangent: &[f64],
    frequency: f64,
) -> Option<Hopf> {
    let (all, a) = jacobian(family, x);
    let masses = masses(family);
    let n = family.dimension();
    let (q, p) = null_pair(&a, &masses, C::new(0.0, frequency))?;
    let of = forms(family, x);
    let conjugate = q.conjugate();
    let zero = C::new(0.0, 0.0);
    let mean = resolvent(&a, &masses, zero, &of.b(&q, &conjugate))?;
    let double = resolvent(&a, &masses, C::new(0.0, 2.0 * frequency), &of.b(&q, &q))?;
    let terms = [
        of.c(&q),
        of.b(&q, &mean) * C::new(2.0, 0.0),
        of.b(&conjugate, &double),
    ];
    let values = eigenvalues(family, &all, &vec![1.0; n]);
    let is_double = (values.iter().flatten()).any(|value| value.norm() <= SECOND * frequency);
    let l1 = if is_double {
        f64::NAN
    } else {
        total(&p, &terms, |sum| sum.re / 2.0)
    };
    // How the eigenvalue moves along the branch, per parameter.
    let (r, s) = parts(&q);
    let lifted = |v: &[f64]| {
        let mut v = v.to_vec();
        v.push(0.0);
        v
    };
    let (mut real, mut imaginary) = (vec![0.0; n], vec![0.0; n]);
    family.second(x, &lifted(&r), tangent, &mut real);
    family.second(x, &lifted(&s), tangent, &mut imaginary);
    let moved = join(&DVector::from_vec(real), &DVector::from_vec(imaginary));
    let growth = p.dotc(&moved).re / tangent[n];
    let root = (growth / l1).abs().sqrt();
    Some(Hopf {
        frequency,
        l1,
        growth,
        amplitude: q.iter().map(|z| 2.0 * z.norm() * root).collect(),
    })
}

/// The cubic coefficient on the centre manifold of a real eigenvalue `shift` of dF/du: 0 for a
/// pitchfork, -2 for a flip.
pub(super) fn cubic(family: &dyn Family, x: &[f64], shift: f64) -> Option<f64> {
    let (_, a) = jacobian(family, x);
    let (q, p) = null_pair(&a, &masses(family), C::new(shift, 0.0))?;
    let of = forms(family, x);
    let n = family.dimension();
    let bend = of.b(&q, &q);
    // The part along q is removed where A is singular.
    let mut bordered = DMatrix::from_element(n + 1, n + 1, C::new(0.0, 0.0));
    for i in 0..n {
        for j in 0..n {
            bordered[(i, j)] = C::new(a[(i, j)], 0.0);
        }
        if shift == 0.0 {
            bordered[(i, n)] = q[i];
            bordered[(n, i)] = p[i].conj();
        }
    }
    if shift != 0.0 {
        bordered[(n, n)] = C::new(1.0, 0.0);
    }
    let mut right = DVector::from_element(n + 1, C::new(0.0, 0.0));
    let along = if shift == 0.0 {
        p.dotc(&bend)
    } else {
        C::new(0.0, 0.0)
    };
    for i in 0..n {
        right[i] = bend[i] - q[i] * along;
    }
    let solved = bordered.lu().solve(&right)?;
    let h = solved.rows(0, n).into_owned();
    let terms = [of.c(&q), of.b(&q, &h) * C::new(-3.0, 0.0)];
    Some(total(&p, &terms, |sum| sum.re / 6.0))
}

/// The coefficient of a Neimark-Sacker point; negative when the circle attracts.
pub(super) fn circle(family: &dyn Family, x: &[f64], angle: f64) -> Option<f64> {
    let (_, a) = jacobian(family, x);
    let masses = masses(family);
    let turn = C::from_polar(1.0, angle);
    let one = C::new(1.0, 0.0);
    let (q, p) = null_pair(&a, &masses, turn - one)?;
    let of = forms(family, x);
    let conjugate = q.conjugate();
    let mean = resolvent(&a, &masses, C::new(0.0, 0.0), &of.b(&q, &conjugate))?;
    let double = resolvent(&a, &masses, turn * turn - one, &of.b(&q, &q))?;
    let terms = [
        of.c(&q),
        of.b(&q, &mean) * C::new(2.0, 0.0),
        of.b(&conjugate, &double),
    ];
    Some(total(&p, &terms, |sum| (turn.conj() * sum).re / 2.0))
}
