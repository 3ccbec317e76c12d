//! The simulate room against published and exact solutions.

mod problems;
mod reference;

use super::{Dynamics, Method, Options, Output, Solution, Tolerances, integrate};

/// A run with end value only.
fn run(
    system: &dyn Dynamics,
    method: Method,
    range: (f64, f64),
    initial: &[f64],
    tolerances: (f64, f64),
) -> Solution {
    let (start, end) = range;
    let tolerances = Tolerances::uniform(tolerances.0, tolerances.1, initial.len());
    let options = Options::new(tolerances).with_method(method);
    let output = Output::Times(vec![end]);
    integrate(system, start, initial, end, &output, &options, &mut ())
}
