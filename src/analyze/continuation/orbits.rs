//! Fixed points and orbits of maps to start from: where the map settles, and what Newton's
//! iteration finds from the present state.

use super::{Family, Iterate};
use nalgebra::{DMatrix, DVector};

/// Steps in which a map may settle.
const SETTLING: usize = 5_000;
const MOST_ITERATIONS: usize = 50;
/// A correction that is round-off, for the size of the states.
const DONE: f64 = 1e-13;
/// Points of an orbit closer than this are the same.
const SAME: f64 = 1e-6;

/// Orbits of this period near where the map goes, else near the start; each once. A point holds
/// the states and then the parameter.
#[must_use]
pub fn orbits(map: &dyn Family, period: usize, start: &[f64]) -> Vec<Vec<f64>> {
    let iterate = Iterate::new(map, period);
    let mut change = vec![0.0; map.dimension()];
    let mut settled = start.to_vec();
    for _ in 0..SETTLING {
        map.residual(&settled, &mut change);
        settled.iter_mut().zip(&change).for_each(|(x, c)| *x += c);
    }
    let is_finite = settled.iter().all(|x| x.is_finite());
    let from = is_finite
        .then_some(settled)
        .into_iter()
        .chain([start.to_vec()]);
    let found: Vec<Vec<f64>> = from.filter_map(|from| root(&iterate, &from)).collect();
    // An orbit that closes earlier is one of a shorter period: it counts when there is no other.
    let proper = found.iter().find(|x| closes_first_after(map, x, period));
    let first = proper.or(found.first());
    first.cloned().into_iter().collect()
}

fn closes_first_after(map: &dyn Family, x: &[f64], period: usize) -> bool {
    let n = map.dimension();
    let size = x[..n].iter().fold(1e-300_f64, |most, u| most.max(u.abs()));
    let mut change = vec![0.0; n];
    let mut point = x.to_vec();
    for _ in 1..period {
        map.residual(&point, &mut change);
        point.iter_mut().zip(&change).for_each(|(x, c)| *x += c);
        let gap = point
            .iter()
            .zip(x)
            .fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
        if gap <= SAME * size {
            return false;
        }
    }
    true
}

/// Newton's iteration at a fixed parameter, damped by halves.
fn root(family: &dyn Family, start: &[f64]) -> Option<Vec<f64>> {
    let n = family.dimension();
    let mut x = start.to_vec();
    let mut residual = vec![0.0; n];
    let mut jacobian = vec![0.0; n * (n + 1)];
    let length = |of: &[f64]| of.iter().map(|f| f * f).sum::<f64>().sqrt();
    for _ in 0..MOST_ITERATIONS {
        family.residual(&x, &mut residual);
        family.jacobian(&x, &mut jacobian);
        let before = length(&residual);
        let matrix = DMatrix::from_column_slice(n, n, &jacobian[..n * n]);
        let step = matrix.lu().solve(&DVector::from_column_slice(&residual))?;
        if !step.iter().all(|s| s.is_finite()) {
            return None;
        }
        let size = x[..n].iter().fold(1e-3_f64, |most, u| most.max(u.abs()));
        let mut part = 1.0;
        loop {
            let mut trial = x.clone();
            trial
                .iter_mut()
                .zip(step.iter())
                .for_each(|(x, s)| *x -= part * s);
            family.residual(&trial, &mut residual);
            let after = length(&residual);
            if after < before || step.amax() <= 1e-8 * size {
                x = trial;
                break;
            }
            part /= 2.0;
            if part < 1e-6 {
                return None;
            }
        }
        if step.amax() <= DONE * size {
            return Some(x);
        }
    }
    None
}
