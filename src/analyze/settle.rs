//! The fixed point that a map goes to from a state: by iterating it, and Newton's iteration.

use super::spectrum::{Place, linearise, polish};

/// How a map stands to a fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is there.
    Present,
    /// It comes so close after this many steps that the rest is sure.
    After(u64),
    /// It does something else; the fixed point was found by Newton's iteration.
    Not,
}

/// Steps that are tried.
const MOST_STEPS: u64 = 1 << 16;
/// A state this close to a root, for its size, is already there.
const PRESENT: f64 = 1e-7;
/// One this close goes there, when it attracts.
const CLOSE: f64 = 1e-3;

/// The fixed point that a map goes to from a state; `None` when none is found, or the user stops
/// the search.
#[must_use]
pub fn settle(place: &Place<'_>, interrupted: &dyn Fn() -> bool) -> Option<(Vec<f64>, Settled)> {
    let first = polish(place);
    if let Some(root) = &first
        && is_near(place, place.state, root, PRESENT)
    {
        return Some((root.clone(), Settled::Present));
    }
    let mut state = place.state.to_vec();
    let mut next = vec![0.0; state.len()];
    for step in 1..=MOST_STEPS {
        place.dynamics.drift(place.time, &state, &mut next);
        if next.iter().any(|value| !value.is_finite()) {
            break;
        }
        std::mem::swap(&mut state, &mut next);
        if !step.is_power_of_two() {
            continue;
        }
        if interrupted() {
            return None;
        }
        let here = Place {
            state: &state,
            ..*place
        };
        if let Some(root) = polish(&here)
            && is_near(place, &state, &root, CLOSE)
            && attracts(place, &root)
        {
            return Some((root, Settled::After(step)));
        }
    }
    first.map(|root| (root, Settled::Not))
}

fn attracts(place: &Place<'_>, root: &[f64]) -> bool {
    let there = Place {
        state: root,
        ..*place
    };
    linearise(&there).is_some_and(|found| found.class.attracts() != Some(false))
}

fn is_near(place: &Place<'_>, a: &[f64], b: &[f64], within: f64) -> bool {
    a.iter().zip(b).enumerate().all(|(i, (a, b))| {
        let floor = place.tolerances.absolute.get(i).copied().unwrap_or(0.0);
        let size = b.abs().max(floor / place.tolerances.relative);
        (a - b).abs() <= within * size
    })
}
