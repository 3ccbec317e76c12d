//! The simulate room against published and exact solutions.

mod behaviour;
mod constraints;
pub(in crate::simulate) mod declared;
mod delays;
mod exact;
mod exponential;
mod lanes;
mod orders;
mod paths;
mod problems;
mod reference;
mod robustness;
mod stiffness;

use super::{Dynamics, Method, Options, Output, Solution, Tolerances, integrate};

/// The methods that take any equations.
const GENERAL: [Method; 7] = [
    Method::Auto,
    Method::Tsit5,
    Method::Rodas,
    Method::Bdf,
    Method::TrBdf2,
    Method::Esdirk34,
    Method::Tsit45,
];

fn options(method: Method, relative: f64, absolute: f64, dimension: usize) -> Options {
    let tolerances = Tolerances::uniform(relative, absolute, dimension);
    Options::new(tolerances).with_method(method)
}

/// A run that keeps the end only.
fn run(
    system: &dyn Dynamics,
    method: Method,
    (start, end): (f64, f64),
    initial: &[f64],
    (relative, absolute): (f64, f64),
) -> Solution {
    let options = options(method, relative, absolute, initial.len());
    let output = Output::Times(vec![end]);
    integrate(system, start, initial, end, &output, &options, &mut ())
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f64::max)
}
