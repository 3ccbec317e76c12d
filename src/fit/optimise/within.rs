//! Searches within a region that smooth margins describe: g_k > 0.
//!
//! A plain search comes first: points outside have no value, and where the optimum is inside it ends
//! there. One that gets stuck follows the minima of F - w sum(log g_k) for weights w that fall to
//! next to nothing (the logarithmic barrier; A. Fiacco, G. McCormick, Nonlinear Programming, 1968,
//! chapter 3): with multipliers w/g_k the last of them is within w for each margin of the minimum in
//! the region. The barrier's terms are residuals like all others: r = -sqrt(w) with the derivatives
//! sqrt(w) dg/g, whose J'r is its gradient and J'J its Hessian but for the curvature of g.
//!
//! A start outside is moved inside first, by least squares of the margins that are missing.

use super::super::objective::{Evaluation, Fault, Margin, Objective, Wanted};
use super::{Bounds, End, Local, Method, Options, Pace, anywhere};

/// The first weight, as a part of what the plain search has gained, and at least.
const FIRST_WEIGHT: f64 = 0.1;
const LEAST_FIRST_WEIGHT: f64 = 1e-2;
/// Each weight is this part of the one before.
const FALL: f64 = 0.1;
/// The last weight: what may be left to gain, for each margin.
const LAST_WEIGHT: f64 = 1e-9;
/// With a weight up to this the minimum counts as found.
const GOOD_WEIGHT: f64 = 1e-7;
/// A search with a weight ends when this part of the weight is left to gain.
const PART: f64 = 1e-3;
/// What is left to gain at a minimum inside.
const INSIDE: f64 = 1e-8;
/// A multiplier times the length of its gradient that is below this part of the largest is none.
const ACTIVE: f64 = 1e-3;
/// A start is moved inside by this part of what is missing.
const ROOM: f64 = 0.1;
/// Attempts to do so; each doubles the room.
const ATTEMPTS: u32 = 2;
/// Iterations of each.
const MOST_ITERATIONS: u64 = 20;

/// What a search of another objective comes to is nobody's pace.
fn unwatched(_: Pace) {}

/// Searches from a start for the minimum within the region of the objective.
pub(super) fn search_within(
    objective: &dyn Objective,
    bounds: &Bounds,
    start: &[f64],
    options: &Options,
    threads: usize,
    watch: &dyn Fn(Pace),
) -> Local {
    let start = match inside(objective, bounds, start, threads) {
        Ok(start) => start,
        Err(fault) => return Local::failed(start, as_end(fault)),
    };
    let plain = anywhere(objective, bounds, &start, options, threads, watch);
    let is_stuck = matches!(plain.end, End::Stalled { .. } | End::Unmoved { .. });
    let follows = matches!(options.method, Method::Lm | Method::Lbfgs);
    if !(is_stuck && follows) || is_done(&plain.end, options) {
        return plain;
    }
    let on_edge = along_barrier(objective, bounds, &plain, options, threads);
    match on_edge {
        Some(found) if found.value <= plain.value || !plain.is_found() => found,
        // What has converged within a hair of it is more than what got stuck there.
        Some(found)
            if matches!(found.end, End::OnEdge { .. })
                && found.value - plain.value <= 10.0 * GOOD_WEIGHT =>
        {
            found
        }
        _ => plain,
    }
}

fn as_end(fault: Fault) -> End {
    match fault {
        Fault::Interrupted => End::Interrupted,
        fault => End::Fault(fault),
    }
}

/// True for a start that was the minimum, and for a minimum inside whose rest rounding hides. Only
/// steps that know the curvature can tell the latter.
fn is_done(end: &End, options: &Options) -> bool {
    match end {
        End::Unmoved { decrement } => *decrement <= options.tolerance,
        End::Stalled { decrement } => options.method == Method::Lm && *decrement <= INSIDE,
        _ => false,
    }
}

// ---- the start ----

/// The start, or a point inside that is found from it.
fn inside(
    objective: &dyn Objective,
    bounds: &Bounds,
    start: &[f64],
    threads: usize,
) -> Result<Vec<f64>, Fault> {
    let start = bounds.project(start);
    let fault = match objective.evaluate(&start, Wanted::Value) {
        Err(fault @ Fault::Outside { .. }) => fault,
        // Any other fault is the search's to tell.
        _ => return Ok(start),
    };
    let Ok(margins) = objective.margins(&start, Wanted::Value) else {
        return Err(fault);
    };
    for attempt in 0..ATTEMPTS {
        let room = ROOM * f64::from(1 << attempt);
        let missing = Missing {
            objective,
            targets: margins
                .iter()
                .map(|margin| Target::new(margin, room))
                .collect(),
        };
        let mut options = Options::new(Method::Lm);
        options.iterations = MOST_ITERATIONS;
        options.tolerance = 1e-6;
        let found = anywhere(&missing, bounds, &start, &options, threads, &unwatched);
        match objective.evaluate(&found.point, Wanted::Value) {
            Ok(_) => return Ok(found.point),
            Err(Fault::Interrupted) => return Err(Fault::Interrupted),
            Err(_) => {}
        }
    }
    Err(fault)
}

/// What a margin is to become.
struct Target {
    least: f64,
    size: f64,
}

impl Target {
    fn new(margin: &Margin, room: f64) -> Target {
        let size = margin.value.abs().max(f64::MIN_POSITIVE);
        // What is there already may be given up by half.
        let least = match margin.value > 0.0 {
            true => 0.5 * size,
            false => room * size,
        };
        Target { least, size }
    }
}

/// Half the sum of squares of what margins lack.
struct Missing<'o> {
    objective: &'o dyn Objective,
    targets: Vec<Target>,
}

impl Objective for Missing<'_> {
    fn dimension(&self) -> usize {
        self.objective.dimension()
    }

    fn evaluate(&self, at: &[f64], wanted: Wanted) -> Result<Evaluation, Fault> {
        let margins = self.objective.margins(at, wanted)?;
        let mut sum = Evaluation {
            gradient: vec![0.0; at.len()],
            ..Evaluation::default()
        };
        for (margin, target) in margins.iter().zip(&self.targets) {
            let lacking = ((margin.value - target.least) / target.size).min(0.0);
            sum.value += 0.5 * lacking * lacking;
            if wanted == Wanted::Value {
                continue;
            }
            sum.residuals.push(lacking);
            let is_met = lacking == 0.0;
            let slopes = margin.gradient.iter();
            let row: Vec<f64> = slopes
                .map(|slope| if is_met { 0.0 } else { slope / target.size })
                .collect();
            for (total, entry) in sum.gradient.iter_mut().zip(&row) {
                *total += lacking * entry;
            }
            sum.jacobian.extend(row);
        }
        Ok(sum)
    }
}

// ---- the barrier ----

/// The objective with its barrier.
struct Barrier<'o> {
    objective: &'o dyn Objective,
    weight: f64,
}

impl Objective for Barrier<'_> {
    fn dimension(&self) -> usize {
        self.objective.dimension()
    }

    fn evaluate(&self, at: &[f64], wanted: Wanted) -> Result<Evaluation, Fault> {
        let mut sum = self.objective.evaluate(at, wanted)?;
        for margin in self.objective.margins(at, wanted)? {
            if margin.value.is_nan() || margin.value <= 0.0 {
                return Err(Fault::Outside {
                    requirement: margin.requirement,
                    run: margin.run,
                });
            }
            sum.value -= self.weight * margin.value.ln();
            if wanted == Wanted::Value {
                continue;
            }
            let relative = margin.gradient.iter().map(|slope| slope / margin.value);
            for (total, slope) in sum.gradient.iter_mut().zip(relative.clone()) {
                *total -= self.weight * slope;
            }
            if wanted == Wanted::Residuals {
                let root = self.weight.sqrt();
                sum.residuals.push(-root);
                sum.jacobian.extend(relative.map(|slope| root * slope));
            }
        }
        Ok(sum)
    }
}

/// Follows the minima of ever lower barriers from the start of a plain search.
fn along_barrier(
    objective: &dyn Objective,
    bounds: &Bounds,
    plain: &Local,
    options: &Options,
    threads: usize,
) -> Option<Local> {
    let before = objective.evaluate(&plain.start, Wanted::Value).ok()?.value;
    let gained = (before - plain.value).max(0.0);
    let mut weight = (FIRST_WEIGHT * gained).max(LEAST_FIRST_WEIGHT);
    let mut found = Local {
        point: plain.start.clone(),
        ..plain.clone()
    };
    let mut reached = f64::INFINITY;
    loop {
        let barrier = Barrier { objective, weight };
        let own = Options {
            tolerance: (PART * weight).max(options.tolerance),
            iterations: options.iterations.saturating_sub(found.iterations),
            ..*options
        };
        let next = anywhere(&barrier, bounds, &found.point, &own, threads, &unwatched);
        found.iterations += next.iterations;
        found.evaluations += next.evaluations;
        if next.end == End::Interrupted {
            found.end = End::Interrupted;
            break;
        }
        if !next.is_found() {
            break;
        }
        found.point = next.point;
        if is_found(&next.end, weight) {
            reached = weight;
        }
        if weight <= LAST_WEIGHT || found.iterations >= options.iterations {
            break;
        }
        weight = (FALL * weight).max(LAST_WEIGHT);
    }
    let here = objective.evaluate(&found.point, Wanted::Gradient).ok()?;
    found.value = here.value;
    found.gradient = here.gradient;
    if found.end == End::Interrupted {
        return Some(found);
    }
    if reached > GOOD_WEIGHT {
        // Infinite where no minimum was reached with any weight.
        found.end = End::Stalled { decrement: reached };
        return Some(found);
    }
    // Inside after all?
    let last = anywhere(
        objective,
        bounds,
        &found.point,
        options,
        threads,
        &unwatched,
    );
    if let End::Converged { decrement } | End::Unmoved { decrement } = last.end
        && decrement <= INSIDE
    {
        return Some(Local {
            start: found.start,
            iterations: found.iterations + last.iterations,
            evaluations: found.evaluations + last.evaluations,
            end: End::Converged { decrement },
            ..last
        });
    }
    let margins = objective.margins(&found.point, Wanted::Gradient).ok()?;
    // The multipliers of the others are next to nothing.
    let active = active(&margins, reached);
    found.end = End::OnEdge {
        decrement: reached * active.len() as f64,
        margins: active,
    };
    Some(found)
}

/// True where a search with a weight has come to its minimum, as far as the weight asks.
fn is_found(end: &End, weight: f64) -> bool {
    match end {
        End::Converged { .. } => true,
        End::Unmoved { decrement } | End::Stalled { decrement } => *decrement <= weight,
        _ => false,
    }
}

/// The margins that hold the minimum back, by position.
fn active(margins: &[Margin], weight: f64) -> Vec<usize> {
    let pull = |margin: &Margin| {
        let squares = margin.gradient.iter().map(|slope| slope * slope);
        weight / margin.value * squares.sum::<f64>().sqrt()
    };
    let most = margins.iter().map(pull).fold(0.0, f64::max);
    let all = margins.iter().enumerate();
    let active = all.filter(|(_, margin)| pull(margin) > ACTIVE * most);
    active.map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests;
