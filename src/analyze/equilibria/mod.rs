//! All equilibria in a box of states, and whether they are all.
//!
//! ```text
//! Query --search--> Answer
//!   region.rs    boxes; the one that is chosen where the user gives none
//!   starts.rs    low-discrepancy starts, spread over decades where states are positive
//!   hunt.rs      Newton from many starts, and deflated Newton from the same
//!   curve.rs     roots that are not alone: lines of fixed points
//!   formulas.rs  the right-hand side as a program over intervals, with its exact derivatives
//!   interval.rs  interval arithmetic, rounded outwards
//!   proof.rs     branch and bound with interval Newton: each root certified, the rest excluded
//! ```
//!
//! Enters: a [`crate::simulate::Dynamics`], and its expressions for the proof. Leaves: plain data.
//! States are positions; must not know names, text or the terminal.

mod curve;
mod formulas;
mod hunt;
mod interval;
mod polynomial;
mod program;
mod proof;
mod reduced;
mod region;
mod starts;

pub use super::continuation::Motion;
pub use formulas::Formulas;
pub use region::Region;

use super::change::Change;
use super::laws::{self, Kept, Law};
use super::newton::Equations;
use crate::simulate::{Dynamics, Tolerances};
use hunt::{Candidate, Found, Hunt};
use proof::{End, Verdict};
use reduced::Reduced;

#[cfg(test)]
mod tests;

/// Systems that have more variables, once all that can be eliminated is, are searched only.
const MOST_VARIABLES: usize = 4;
/// The box is made larger by this part of its sides for the proof, so that roots on its faces and
/// corners are within.
const INFLATION: f64 = 1e-6;
/// When so many roots are found in a box that is chosen, it is chosen smaller.
const MANY: usize = 30;
/// A root this close to a face, beside the side, is on it.
const ON_FACE: f64 = 1e-9;

/// What is asked: every y in a box with f(y) = 0 (a flow) or g(y) = y (a map).
pub struct Query<'a> {
    /// The equations; they do not name the time.
    pub dynamics: &'a dyn Dynamics,
    /// Whether they say how fast the state changes or what it is next.
    pub motion: Motion,
    /// The time that is handed to them.
    pub time: f64,
    /// Where the system is: its kept sums have these totals.
    pub state: &'a [f64],
    /// Errors allowed; also says how small a change matters.
    pub tolerances: &'a Tolerances,
    /// Sums that the equations are known to keep; others are looked for. None for maps.
    pub laws: &'a [Law],
    /// One per state: true where a negative value has no meaning.
    pub non_negative: &'a [bool],
    /// The same equations as expressions, for the proof; without them it is a search only.
    pub formulas: Option<&'a Formulas>,
    /// Where to look. Ends that are infinite are chosen: see [`Answer::region`].
    pub region: Region,
    /// Moves the starts of the search.
    pub seed: u64,
    /// True when the user wants to stop.
    pub interrupted: &'a dyn Fn() -> bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// In ascending order of the first state, then of the second, and so on.
    pub equilibria: Vec<Equilibrium>,
    /// Curves (or surfaces) of equilibria, each in place of its points.
    pub continua: Vec<Continuum>,
    /// Equilibria that were met outside the box, the nearest first; others may be there.
    pub outside: Vec<Vec<f64>>,
    /// The box that the answer is about; always finite.
    pub region: Region,
    /// One per state: true where an end of the box was chosen here.
    pub chosen: Vec<bool>,
    /// Whether the list is all there is.
    pub completeness: Completeness,
    /// Newton's iterations that were begun.
    pub starts: u32,
    /// Sums that were kept: given ones, and ones found in the equations.
    pub kept: (usize, usize),
    /// When nothing was found: where the iterations came nearest.
    pub nearest: Option<Miss>,
}

/// A state at which the system rests.
#[derive(Debug, Clone, PartialEq)]
pub struct Equilibrium {
    /// The state.
    pub state: Vec<f64>,
    /// The largest |f| that is left, and of which state.
    pub residual: (f64, usize),
    /// The Jacobian is singular there (beside what kept sums explain): a fold, a branch point, or
    /// a root of higher multiplicity.
    pub singular: bool,
    /// In how many directions it is; 0 when it is not singular.
    pub null: usize,
    /// Starts from which plain Newton ended here; none when deflation or the proof found it.
    pub starts: u32,
    /// Its existence is proved, and that it is alone in a neighbourhood.
    pub certified: bool,
}

/// Equilibria that are not alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Continuum {
    /// Points along it, in order; for more than one dimension a few points of it.
    pub points: Vec<Vec<f64>>,
    /// 1 for a curve, 2 for a surface, and so on.
    pub dimension: usize,
    /// A curve that ends where it begins.
    pub closed: bool,
}

/// Whether the list is all there is in the box.
#[derive(Debug, Clone, PartialEq)]
pub enum Completeness {
    /// Each root is certified, and the rest of the box holds none.
    Proved {
        /// Boxes examined.
        examined: u64,
        /// True when there is none outside the box either (of any sign).
        everywhere: bool,
    },
    /// As proved, but for these boxes, which may hold any number of roots, listed ones among them.
    Undecided {
        /// The boxes that are left, each around what hangs together.
        left: Vec<Region>,
        /// Boxes examined.
        examined: u64,
        /// True when the budget was spent; else the boxes have become too small to be divided.
        spent: bool,
    },
    /// Looked for from many starts; nothing is proved.
    Searched(Unproved),
    /// The user stopped it: what is listed was found until then.
    Interrupted,
}

/// Why nothing is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproved {
    /// There are too many variables: so many, after kept sums are eliminated.
    Variables(usize),
    /// The right-hand side has an operation without an interval form here, or no expressions were
    /// handed over.
    Operation,
    /// Equilibria that are not alone cannot be counted.
    Continuum,
}

/// Where an iteration that found no root came nearest to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Miss {
    /// The state.
    pub state: Vec<f64>,
    /// The largest |f| there for the size of the state, and of which state.
    pub residual: (f64, usize),
}

/// Looks for all equilibria in a box. See the head of this file. The same query gives the same
/// answer: budgets are counted in work, not in time.
#[must_use]
pub fn search(query: &Query<'_>) -> Answer {
    let of_map;
    let dynamics: &dyn Dynamics = match query.motion {
        Motion::Flow => query.dynamics,
        Motion::Map => {
            of_map = Change::new(query.dynamics);
            &of_map
        }
    };
    let kept = match query.motion {
        Motion::Flow => laws::kept(
            dynamics,
            query.time,
            query.state,
            query.tolerances,
            query.laws,
        ),
        Motion::Map => Vec::new(),
    };
    let equations = Equations {
        dynamics,
        time: query.time,
        tolerances: query.tolerances,
        kept: &kept,
    };
    let (found, region, chosen) = hunted(query, &equations, &kept);
    let continua = curve::continua(query, &equations, &kept, &region, &found.continua);
    let known = query.laws;
    let given = kept.iter().filter(|kept| known.contains(&kept.law)).count();
    let mut answer = Answer {
        equilibria: Vec::new(),
        continua,
        outside: Vec::new(),
        completeness: Completeness::Interrupted,
        starts: found.starts,
        kept: (given, kept.len() - given),
        nearest: found.nearest,
        region,
        chosen,
    };
    let (verdict, completeness) = judged(query, &kept, &found.roots, found.interrupted, &answer);
    answer.completeness = completeness;
    list(query, &equations, found.roots, verdict, &mut answer);
    answer
}

/// The roots that Newton finds, and the box: as given, or enlarged until no more roots turn up.
fn hunted(
    query: &Query<'_>,
    equations: &Equations<'_>,
    kept: &[Kept],
) -> (Found, Region, Vec<bool>) {
    let chosen: Vec<bool> = query
        .region
        .ranges()
        .map(|(low, high)| !(low.is_finite() && high.is_finite()))
        .collect();
    let met = region::met(query, chosen.contains(&true));
    let mut found = Found::default();
    let mut reach = region::REACH;
    loop {
        let wide = region::bounded(query, kept, &met, reach, None);
        let hunt = Hunt {
            query,
            equations,
            kept,
            region: &wide,
            met: &met,
        };
        hunt.run(&mut found);
        let roots = found.roots.iter().map(|root| root.state.as_slice());
        // A line may go on for ever: the box takes in what is near.
        let near = met.inflated(10.0);
        let lines = found.continua.iter().flat_map(|(_, points)| points);
        let lines = lines
            .map(Vec::as_slice)
            .filter(|point| near.holds(point, 0.0));
        let roots: Vec<&[f64]> = roots.chain(lines).collect();
        let region = region::bounded(query, kept, &met, reach, Some(&roots));
        let inside = roots.iter().filter(|root| region.holds(root, 0.0)).count();
        if inside > MANY && chosen.contains(&true) {
            // They may go on for ever, as those of a pendulum do: the nearest are enough.
            let near: Vec<&[f64]> = roots
                .into_iter()
                .filter(|root| near.holds(root, 0.0))
                .collect();
            let region = region::bounded(query, kept, &met, reach, Some(&near));
            return (found, region, chosen);
        }
        // A root near the end of what was searched may have others behind it.
        let is_wide_enough = region.ranges().zip(wide.ranges()).zip(&chosen).all(
            |(((low, high), (least, most)), chosen)| {
                !chosen
                    || (0.1 * least <= low && high <= 0.1 * most)
                    || high >= most && low <= least
            },
        );
        if is_wide_enough || found.interrupted || reach >= region::FARTHEST {
            return (found, region, chosen);
        }
        reach *= region::REACH;
    }
}

/// The proof, where there can be one.
fn judged(
    query: &Query<'_>,
    kept: &[Kept],
    roots: &[Candidate],
    interrupted: bool,
    answer: &Answer,
) -> (Option<Verdict>, Completeness) {
    if interrupted {
        return (None, Completeness::Interrupted);
    }
    let searched = |why| (None, Completeness::Searched(why));
    if !answer.continua.is_empty() {
        return searched(Unproved::Continuum);
    }
    if query.state.len() > formulas::MOST_STATES {
        return searched(Unproved::Variables(query.state.len() - kept.len()));
    }
    let Some(formulas) = query.formulas else {
        return searched(Unproved::Operation);
    };
    let wider = answer.region.inflated(INFLATION);
    let reduced = Reduced::new(formulas, query.motion, kept, query.state, &wider);
    if reduced.free.len() > MOST_VARIABLES {
        return searched(Unproved::Variables(reduced.free.len()));
    }
    let known: Vec<Vec<f64>> = roots
        .iter()
        .map(|root| root.state.clone())
        .filter(|state| wider.holds(state, 0.0))
        .collect();
    let verdict = proof::prove(&reduced, &wider, &known, query.interrupted);
    let (verdict, everywhere) = unbounded(&reduced, &wider, &known, query, verdict);
    let completeness = match verdict.end {
        End::Interrupted => Completeness::Interrupted,
        End::Done if verdict.left.is_empty() => Completeness::Proved {
            examined: verdict.examined,
            everywhere,
        },
        End::Done | End::Spent => Completeness::Undecided {
            left: verdict.left.clone(),
            examined: verdict.examined,
            spent: verdict.end == End::Spent,
        },
    };
    (Some(verdict), completeness)
}

/// Where one variable is left and its equation is rational, its roots are bounded: then the proof
/// goes that far, and what it says holds everywhere.
fn unbounded(
    reduced: &Reduced,
    region: &Region,
    known: &[Vec<f64>],
    query: &Query<'_>,
    verdict: Verdict,
) -> (Verdict, bool) {
    let is_proved = verdict.end == End::Done && verdict.left.is_empty();
    let ([free], [output]) = (reduced.free.as_slice(), reduced.outputs.as_slice()) else {
        return (verdict, false);
    };
    if !is_proved || !reduced.everywhere {
        return (verdict, false);
    }
    let Some(bound) = polynomial::bound(&reduced.program, *output) else {
        return (verdict, false);
    };
    let mut wide = Region::everything(region.low.len());
    wide.low[*free] = region.low[*free].min(-1.01 * bound);
    wide.high[*free] = region.high[*free].max(1.01 * bound);
    let mut all = proof::prove(reduced, &wide, known, query.interrupted);
    if all.end != End::Done || !all.left.is_empty() {
        return (verdict, false);
    }
    all.examined += verdict.examined;
    (all, true)
}

/// Puts the roots of the search and of the proof into one list.
fn list(
    query: &Query<'_>,
    equations: &Equations<'_>,
    roots: Vec<Candidate>,
    verdict: Option<Verdict>,
    answer: &mut Answer,
) {
    let makes_sense = |state: &[f64]| {
        let size = laws::sizes(query.state, query.tolerances);
        let mut pairs = state.iter().zip(query.non_negative).zip(&size);
        pairs.all(|((y, non_negative), size)| !non_negative || *y >= -1e-9 * size)
    };
    let free: &[usize] = verdict.as_ref().map_or(&[], |verdict| &verdict.free);
    let mut certificates: Vec<_> = verdict.iter().flat_map(|v| &v.certified).collect();
    for root in roots {
        let at = certificates
            .iter()
            .position(|known| known.is_of(&root.state, free));
        let certified = at.is_some();
        if let Some(at) = at {
            certificates.swap_remove(at);
        }
        let is_in = answer.region.holds(&root.state, ON_FACE);
        if is_in {
            // What the proof excludes is no root, however small f is there.
            let is_excluded = verdict
                .as_ref()
                .is_some_and(|verdict| !certified && verdict.excludes(&root.state));
            if !is_excluded {
                answer.equilibria.push(Equilibrium {
                    residual: residual(query, equations, &root.state),
                    singular: root.null > 0 && !certified,
                    null: if certified { 0 } else { root.null },
                    starts: root.starts,
                    certified,
                    state: root.state,
                });
            }
        } else if makes_sense(&root.state) {
            answer.outside.push(root.state);
        }
    }
    for known in certificates {
        let polished = equations.solve(&known.state, 1e-3);
        let state = polished.map_or_else(|| known.state.clone(), |root| root.state);
        if answer.region.holds(&state, ON_FACE) {
            answer.equilibria.push(Equilibrium {
                residual: residual(query, equations, &state),
                singular: false,
                null: 0,
                starts: 0,
                certified: true,
                state,
            });
        } else if makes_sense(&state) {
            answer.outside.push(state);
        }
    }
    for equilibrium in &mut answer.equilibria {
        // A number on a face of the box is not shown beside it.
        let ranges = answer.region.ranges();
        for (y, (low, high)) in equilibrium.state.iter_mut().zip(ranges) {
            *y = y.clamp(low, high);
        }
    }
    let order = |a: &[f64], b: &[f64]| {
        let mut orders = a.iter().zip(b).map(|(a, b)| a.total_cmp(b));
        orders
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    };
    answer.equilibria.sort_by(|a, b| order(&a.state, &b.state));
    let region = &answer.region;
    answer.outside.sort_by(|a, b| {
        let far = region.distance(a).total_cmp(&region.distance(b));
        far.then_with(|| order(a, b))
    });
    if !answer.equilibria.is_empty() || !answer.continua.is_empty() {
        answer.nearest = None;
    }
}

/// The largest |f|, for the sizes of the states.
fn residual(query: &Query<'_>, equations: &Equations<'_>, state: &[f64]) -> (f64, usize) {
    let mut drift = vec![0.0; state.len()];
    equations.dynamics.drift(query.time, state, &mut drift);
    let size = laws::sizes(state, query.tolerances);
    let ratio = |i: usize| (drift[i] / size[i]).abs();
    let worst = (0..drift.len()).max_by(|a, b| ratio(*a).total_cmp(&ratio(*b)));
    worst.map_or((0.0, 0), |at| (drift[at].abs(), at))
}
