//! Families written as formulas, with exact derivatives by arithmetic with three infinitesimals
//! whose squares vanish.

use crate::analyze::continuation::{Family, Motion};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Coefficients of the products of the infinitesimals in a set of bits.
#[derive(Debug, Clone, Copy)]
pub struct Jet([f64; 8]);

impl Jet {
    fn map(self, values: [f64; 4]) -> Jet {
        // f(a + e) = f + f' e + f'' e²/2 + f''' e³/6
        let mut e = self;
        e.0[0] = 0.0;
        let e2 = e * e;
        let e3 = e2 * e;
        let mut out = [0.0; 8];
        for (at, out) in out.iter_mut().enumerate() {
            *out = values[1] * e.0[at] + values[2] * e2.0[at] / 2.0 + values[3] * e3.0[at] / 6.0;
        }
        out[0] = values[0];
        Jet(out)
    }

    pub fn exp(self) -> Jet {
        self.map([self.0[0].exp(); 4])
    }

    pub fn tanh(self) -> Jet {
        let e = (self * 2.0).exp();
        (e - 1.0) / (e + 1.0)
    }

    pub fn recip(self) -> Jet {
        let r = 1.0 / self.0[0];
        self.map([r, -r * r, 2.0 * r * r * r, -6.0 * r * r * r * r])
    }

    pub fn sqrt(self) -> Jet {
        let x = self.0[0];
        let r = x.sqrt();
        self.map([r, 0.5 / r, -0.25 / (r * x), 0.375 / (r * x * x)])
    }

    pub fn value(self) -> f64 {
        self.0[0]
    }

    pub fn pow(self, times: usize) -> Jet {
        (0..times).fold(Jet::from(1.0), |all, _| all * self)
    }
}

impl From<f64> for Jet {
    fn from(value: f64) -> Jet {
        let mut out = [0.0; 8];
        out[0] = value;
        Jet(out)
    }
}

impl Mul for Jet {
    type Output = Jet;
    fn mul(self, other: Jet) -> Jet {
        let mut out = [0.0; 8];
        for (a, x) in self.0.iter().enumerate() {
            for (b, y) in other.0.iter().enumerate() {
                if a & b == 0 {
                    out[a | b] += x * y;
                }
            }
        }
        Jet(out)
    }
}

impl Add for Jet {
    type Output = Jet;
    fn add(self, other: Jet) -> Jet {
        Jet(std::array::from_fn(|at| self.0[at] + other.0[at]))
    }
}

impl Sub for Jet {
    type Output = Jet;
    fn sub(self, other: Jet) -> Jet {
        Jet(std::array::from_fn(|at| self.0[at] - other.0[at]))
    }
}

impl Neg for Jet {
    type Output = Jet;
    fn neg(self) -> Jet {
        Jet(self.0.map(|x| -x))
    }
}

impl Div for Jet {
    type Output = Jet;
    #[expect(clippy::suspicious_arithmetic_impl, reason = "by the reciprocal")]
    fn div(self, other: Jet) -> Jet {
        self * other.recip()
    }
}

macro_rules! with_numbers {
    ($($trait:ident $name:ident),*) => {$(
        impl $trait<f64> for Jet {
            type Output = Jet;
            fn $name(self, other: f64) -> Jet {
                self.$name(Jet::from(other))
            }
        }
        impl $trait<Jet> for f64 {
            type Output = Jet;
            fn $name(self, other: Jet) -> Jet {
                Jet::from(self).$name(other)
            }
        }
    )*};
}

with_numbers!(Add add, Sub sub, Mul mul, Div div);

/// A family by its formulas.
pub struct Formulas<F> {
    pub n: usize,
    pub motion: Motion,
    pub algebraic: Vec<bool>,
    /// F for a flow, g for a map.
    pub of: F,
}

pub fn flow<F: Fn(&[Jet]) -> Vec<Jet>>(n: usize, of: F) -> Formulas<F> {
    Formulas {
        n,
        motion: Motion::Flow,
        algebraic: Vec::new(),
        of,
    }
}

pub fn map<F: Fn(&[Jet]) -> Vec<Jet>>(n: usize, of: F) -> Formulas<F> {
    Formulas {
        motion: Motion::Map,
        ..flow(n, of)
    }
}

impl<F: Fn(&[Jet]) -> Vec<Jet>> Formulas<F> {
    fn along(&self, x: &[f64], ways: [&[f64]; 3], want: usize, out: &mut [f64]) {
        let jets: Vec<Jet> = (0..=self.n)
            .map(|i| {
                let mut jet = Jet::from(x[i]);
                for (bit, way) in ways.iter().enumerate() {
                    jet.0[1 << bit] = way.get(i).copied().unwrap_or(0.0);
                }
                jet
            })
            .collect();
        let mut values = (self.of)(&jets);
        if self.motion == Motion::Map {
            for (value, x) in values.iter_mut().zip(&jets) {
                *value = *value - *x;
            }
        }
        for (out, value) in out.iter_mut().zip(&values) {
            *out = value.0[want];
        }
    }
}

impl<F: Fn(&[Jet]) -> Vec<Jet>> Family for Formulas<F> {
    fn dimension(&self) -> usize {
        self.n
    }

    fn motion(&self) -> Motion {
        self.motion
    }

    fn algebraic(&self) -> &[bool] {
        &self.algebraic
    }

    fn residual(&self, x: &[f64], out: &mut [f64]) {
        self.along(x, [&[], &[], &[]], 0, out);
    }

    fn jacobian(&self, x: &[f64], out: &mut [f64]) {
        for (j, column) in out.chunks_exact_mut(self.n).enumerate() {
            let mut way = vec![0.0; self.n + 1];
            way[j] = 1.0;
            self.along(x, [&way, &[], &[]], 1, column);
        }
    }

    fn second(&self, x: &[f64], a: &[f64], b: &[f64], out: &mut [f64]) {
        self.along(x, [a, b, &[]], 3, out);
    }

    fn third(&self, x: &[f64], a: &[f64], b: &[f64], out: &mut [f64]) {
        self.along(x, [a, a, b], 7, out);
    }
}
