//! The law of data that are not normal, along a line through the states.
//!
//! Enters: a family with its parameters as expressions; states on a line x(z) = m + z c. Leaves: the
//! parameters on the line with their derivatives, and the log density of a datum there.
//!
//! A mean of counts below 0 counts as 0, and a probability is kept between 0 and 1: a normal
//! distribution reaches beyond what a state can be, and data are not to be impossible for that.

use super::equations::{Point, is_affine};
use super::integral::Height;
use crate::fit::family::{Datum, Family, density};
use crate::kernel::{Kernels, SharedKernel};
use crate::symbolic::{Expr, Pool};
use crate::system::System;
use std::sync::Arc;

/// A law, compiled.
#[derive(Debug)]
pub(super) struct Law {
    pub family: Family,
    /// Which of its parameters leads: the direction is its slope.
    pub lead: usize,
    /// All parameters are affine in the states: two points of a line tell the others.
    pub is_affine: bool,
    pub values: SharedKernel,
    pub along: SharedKernel,
}

impl Law {
    pub fn new(
        (system, kernels): (&System, &Kernels),
        pool: &Arc<Pool>,
        (family, exprs, lead): (Family, &[Expr], usize),
    ) -> Law {
        // Each parameter as a mean of its own.
        let zero = Pool::continuing(pool).constant(0.0);
        let pairs: Vec<Expr> = exprs.iter().flat_map(|expr| [*expr, zero]).collect();
        Law {
            family,
            lead,
            is_affine: is_affine(system, pool, &pairs),
            values: kernels.function(pool, exprs),
            along: kernels.tangent(pool, exprs),
        }
    }
}

/// A line through the states: x(z) = m + z c, or its derivative.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'s> {
    pub mean: &'s [f64],
    pub towards: &'s [f64],
}

impl Line<'_> {
    pub fn at(&self, z: f64) -> Vec<f64> {
        let pairs = self.mean.iter().zip(self.towards);
        pairs.map(|(m, c)| m + z * c).collect()
    }
}

/// The parameters of a law on a line.
pub(super) struct OnLine<'p, 's> {
    point: &'p mut Point<'s>,
    law: &'s Law,
    /// Which observable.
    k: usize,
    time: f64,
    line: Line<'p>,
    /// At z = 0 and z = 1, where that is enough.
    ends: Option<[Vec<f64>; 2]>,
}

impl<'p, 's> OnLine<'p, 's> {
    /// `None` for an observable that has no law.
    pub fn new(
        point: &'p mut Point<'s>,
        k: usize,
        time: f64,
        line: Line<'p>,
    ) -> Option<OnLine<'p, 's>> {
        let law = point.equations.laws.get(k)?.as_ref()?;
        let ends = law
            .is_affine
            .then(|| [0.0, 1.0].map(|z| point.law(k, time, &line.at(z))));
        Some(OnLine {
            point,
            law,
            k,
            time,
            line,
            ends,
        })
    }

    /// The parameters at a place.
    pub fn at(&mut self, z: f64) -> Vec<f64> {
        match &self.ends {
            Some([zero, one]) => between(zero, one, z),
            None => self.point.law(self.k, self.time, &self.line.at(z)),
        }
    }

    /// The parameters as they can be, and whether one was too low, or too high, for that.
    pub fn possible(&mut self, z: f64) -> (Vec<f64>, [bool; 2]) {
        let mut parameters = self.at(z);
        let moved = clamp(self.law.family, &mut parameters);
        (parameters, moved)
    }

    /// The log density of a datum.
    pub fn height(&mut self, datum: Datum, z: f64) -> Height {
        let (parameters, [low, high]) = self.possible(z);
        let known = density(self.law.family, &parameters, datum);
        Height {
            log: known.map_or(f64::NEG_INFINITY, |known| known.log),
            side: u8::from(low) + 2 * u8::from(high),
        }
    }

    /// The derivatives by the j-th quantity, with which the line moves too: a function of the place.
    pub fn along(&mut self, j: usize, moved: Line<'_>, places: &[f64]) -> Vec<Vec<f64>> {
        let (k, time) = (self.k, self.time);
        let mut at = |z: f64| {
            let state = self.line.at(z);
            self.point
                .law_along(k, (time, &state), Some(j), &moved.at(z))
        };
        if self.law.is_affine {
            let (zero, one) = (at(0.0), at(1.0));
            return places.iter().map(|z| between(&zero, &one, *z)).collect();
        }
        places.iter().map(|z| at(*z)).collect()
    }

    /// Where the parameter that leads would be the datum, by its slope.
    pub fn hint(&mut self, datum: Datum) -> Option<f64> {
        let (Datum::Exactly(y) | Datum::Below(y) | Datum::Above(y)) = datum;
        let (zero, small) = (self.at(0.0), self.at(1e-6));
        let (from, to) = (zero.get(self.law.lead)?, small.get(self.law.lead)?);
        let slope = (to - from) * 1e6;
        (slope != 0.0).then(|| (y - from) / slope)
    }
}

fn between(zero: &[f64], one: &[f64], z: f64) -> Vec<f64> {
    let pairs = zero.iter().zip(one);
    pairs.map(|(zero, one)| zero + z * (one - zero)).collect()
}

/// Keeps what leads the law of counts where it can be; whether it was too low, or too high.
fn clamp(family: Family, parameters: &mut [f64]) -> [bool; 2] {
    let (at, most) = match family {
        Family::Poisson | Family::NegativeBinomial => (0, f64::INFINITY),
        Family::Binomial => (1, 1.0),
        _ => return [false; 2],
    };
    let Some(parameter) = parameters.get_mut(at) else {
        return [false; 2];
    };
    let moved = [*parameter < 0.0, *parameter > most];
    if moved[0] {
        *parameter = 0.0;
    }
    if moved[1] {
        *parameter = most;
    }
    moved
}
