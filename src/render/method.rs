//! What `show method` shows: how a run would be made, and how the last one was.
//!
//! Enters: advice. Leaves: text.

use super::outcome::{counted, method_use, noise_reason};
use super::show::wrapped;
use super::table::number;
use crate::model::Motion;
use crate::session::MethodAdvice;
use crate::simulate::NoiseReason;

/// The whole text, `width` columns wide.
pub(super) fn advice(advice: &MethodAdvice, width: usize) -> String {
    let full = advice.states.saturating_mul(advice.states).max(1);
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    let percent = 100.0 * advice.entries as f64 / full as f64;
    let (below, above) = advice.bandwidths;
    let mut text = format!(
        "{}; the Jacobian is exact, with {} ({} %) on {} below and {above} above the main one\n",
        counted(advice.states, "state", "states"),
        counted(advice.entries, "entry", "entries"),
        number(percent, 3),
        counted(below, "diagonal", "diagonals")
    );
    match &advice.last {
        None if advice.motion == Motion::Map => {
            text.push_str("a map: iteration, one evaluation for each step, exact\n");
        }
        Some((_, work, _)) if advice.motion == Motion::Map => text.push_str(&format!(
            "a map: iteration, exact; the last run took {}\n",
            counted(
                usize::try_from(work.steps).unwrap_or(usize::MAX),
                "step",
                "steps"
            )
        )),
        None if advice.noise.is_some() => text.push_str(&of_noise(advice)),
        None if advice.exact => text.push_str(
            "the equations are linear with constant coefficients: auto takes their exact solution, \
             by the matrix exponential\n",
        ),
        None => text.push_str(
            "auto looks at the Jacobian when a run starts, and may change the method on the way\n",
        ),
        Some((methods, work, tolerances)) => {
            text.push_str("the last run:\n");
            const MOST: usize = 12;
            for used in methods.iter().take(MOST) {
                text.push_str(&format!("  {}\n", method_use(used)));
            }
            if methods.len() > MOST {
                text.push_str(&format!("  ... {} more changes\n", methods.len() - MOST));
            }
            let tolerance = if methods.iter().any(|used| used.method.has_tolerances()) {
                format!("; rtol {}", number(tolerances.relative, 3))
            } else {
                String::new()
            };
            text.push_str(&format!(
                "  {} steps, {} rejected; {} evaluations, {} Jacobians, {} factorisations{tolerance}\n",
                work.steps, work.rejected, work.evaluations, work.jacobians, work.factorisations,
            ));
        }
    }
    wrapped(&text, width)
}

/// What `auto` takes for a model with noise.
fn of_noise(advice: &MethodAdvice) -> String {
    match advice.noise {
        Some((method, Some(NoiseReason::Linear))) => format!(
            "a model with noise: auto takes {method}, for {}\n",
            noise_reason(NoiseReason::Linear)
        ),
        Some((method, Some(why))) => format!(
            "a model with noise: auto takes {method}, since {}; where the drift is stiff for the steps \
             asked for, implicit_euler\n",
            noise_reason(why)
        ),
        Some((method, None)) => format!(
            "reactions have noise of their own: auto takes {method}; `using langevin`, `ssa` or `tau` \
             chooses\n"
        ),
        None => String::new(),
    }
}
