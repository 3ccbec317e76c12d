//! Roots that are not alone: curves and surfaces of equilibria.
//!
//! A root belongs to more when the Jacobian is singular there and Newton, begun a small step away
//! along a null vector, ends about there and not where it came from; this must hold for two
//! lengths of the step. A curve is followed by such steps through the box.

use super::hunt::distance;
use super::region::Region;
use super::{Continuum, Query};
use crate::analyze::laws::{Kept, at, sizes};
use crate::analyze::newton::Equations;
use nalgebra::DMatrix;

/// A singular value this small, beside the largest and beside 1, the size of the terms, is zero: a root of higher order is found with a
/// part of the digits only.
const SINGULAR: f64 = 1e-6;
/// Larger systems are not tried.
const MOST_STATES: usize = 150;
/// Steps away, in the sizes of the states.
const STEPS: [f64; 2] = [1e-2, 2e-2];
/// Points of a curve: twice so many.
const MOST_POINTS: usize = 400;

/// What the terms of each equation amount to near a state: its derivatives times the sizes of the
/// states, the largest of a few points, since they may vanish at the state itself.
pub(super) fn terms(
    query: &Query<'_>,
    equations: &Equations<'_>,
    state: &[f64],
    size: &[f64],
) -> Vec<f64> {
    let mut terms = vec![0.0_f64; state.len()];
    for shift in [0.0, 0.1, -0.1] {
        let shifted: Vec<f64> = state
            .iter()
            .zip(size)
            .map(|(y, size)| y + shift * size)
            .collect();
        let (_, jacobian) = at(equations.dynamics, query.time, &shifted);
        for (terms, row) in terms.iter_mut().zip(jacobian.row_iter()) {
            let largest = row.iter().zip(size).fold(0.0_f64, |most, (entry, size)| {
                let term = (entry * size).abs();
                if term.is_finite() {
                    most.max(term)
                } else {
                    most
                }
            });
            *terms = terms.max(largest);
        }
    }
    terms
}

/// Directions in which the equations and the kept sums do not change, of length 1 in the sizes of
/// the states.
pub(super) fn null_vectors(
    query: &Query<'_>,
    equations: &Equations<'_>,
    kept: &[Kept],
    state: &[f64],
) -> Vec<Vec<f64>> {
    let n = state.len();
    if n > MOST_STATES {
        return Vec::new();
    }
    let size = sizes(state, query.tolerances);
    let scale = terms(query, equations, state, &size);
    let (_, jacobian) = at(equations.dynamics, query.time, state);
    let mut matrix = DMatrix::from_fn(n, n, |i, j| {
        if scale[i] > 0.0 {
            jacobian[(i, j)] * size[j] / scale[i]
        } else {
            0.0
        }
    });
    for kept in kept {
        matrix.row_mut(kept.row).fill(0.0);
        let weights = kept.law.terms.iter().map(|(at, w)| (w * size[*at]).abs());
        let most = weights.fold(f64::MIN_POSITIVE, f64::max);
        for (column, w) in &kept.law.terms {
            matrix[(kept.row, *column)] += w * size[*column] / most;
        }
    }
    if matrix.iter().any(|entry| !entry.is_finite()) {
        return Vec::new();
    }
    let Some(decomposed) = matrix.try_svd(false, true, f64::EPSILON, 0) else {
        return Vec::new();
    };
    let most = decomposed.singular_values.max();
    let Some(vectors) = decomposed.v_t else {
        return Vec::new();
    };
    vectors
        .row_iter()
        .zip(decomposed.singular_values.iter())
        .filter(|(_, value)| **value <= SINGULAR * most.max(1.0))
        .map(|(row, _)| row.iter().copied().collect())
        .collect()
}

/// Whether there are other roots next to this one, along a null vector.
pub(super) fn is_part_of_more(
    query: &Query<'_>,
    equations: &Equations<'_>,
    state: &[f64],
    null: &[Vec<f64>],
) -> bool {
    let size = sizes(state, query.tolerances);
    null.iter().all(|direction| {
        let goes = |sign: f64| {
            STEPS.iter().all(|step| {
                let next = stepped(equations, state, direction, sign * step, &size);
                next.is_some_and(|next| {
                    distance(&next, state, &size) > 0.5 * step * largest(direction)
                })
            })
        };
        goes(1.0) || goes(-1.0)
    })
}

fn largest(direction: &[f64]) -> f64 {
    direction.iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// The root next to the point at `step` along a direction.
fn stepped(
    equations: &Equations<'_>,
    state: &[f64],
    direction: &[f64],
    step: f64,
    size: &[f64],
) -> Option<Vec<f64>> {
    let start: Vec<f64> = state
        .iter()
        .zip(direction)
        .zip(size)
        .map(|((y, direction), size)| y + step * direction * size)
        .collect();
    let root = equations.solve(&start, step.abs())?;
    let moved = distance(&root.state, &start, size);
    (moved <= step.abs()).then_some(root.state)
}

/// The continua through some roots, within a box.
pub(super) fn continua(
    query: &Query<'_>,
    equations: &Equations<'_>,
    kept: &[Kept],
    region: &Region,
    found: &[(usize, Vec<Vec<f64>>)],
) -> Vec<Continuum> {
    let mut continua: Vec<Continuum> = Vec::new();
    let widths: Vec<f64> = region.ranges().map(|(low, high)| high - low).collect();
    for (dimension, points) in found {
        let mut inside = points.iter().filter(|point| region.holds(point, 1e-9));
        if *dimension > 1 {
            let points: Vec<Vec<f64>> = inside.take(5).cloned().collect();
            if !points.is_empty() {
                continua.push(Continuum {
                    points,
                    dimension: *dimension,
                    closed: false,
                });
            }
            continue;
        }
        let on_known = |point: &Vec<f64>, continua: &[Continuum]| {
            let known = continua.iter().flat_map(|known| &known.points);
            known
                .into_iter()
                .any(|known| distance(known, point, &widths) < 0.03)
        };
        for point in inside.by_ref() {
            if !on_known(point, &continua) && continua.len() < 20 {
                continua.push(followed(query, equations, kept, region, point));
            }
        }
    }
    continua
}

/// How far beyond a face of the box a curve may go, in the width of the box: rounding alone, since
/// its ends are then put onto the face.
const FACE: f64 = 1e-12;

/// The curve through a root, both ways to the faces of the box.
fn followed(
    query: &Query<'_>,
    equations: &Equations<'_>,
    kept: &[Kept],
    region: &Region,
    start: &[f64],
) -> Continuum {
    let widths: Vec<f64> = region.ranges().map(|(low, high)| high - low).collect();
    let mut points: Vec<Vec<f64>> = vec![start.to_vec()];
    let mut closed = false;
    for way in [1.0, -1.0] {
        let mut here = start.to_vec();
        let mut before: Option<Vec<f64>> = None;
        let mut one_way: Vec<Vec<f64>> = Vec::new();
        let mut was_short = false;
        let mut steps = 0;
        while steps < MOST_POINTS && !(query.interrupted)() {
            steps += 1;
            let size = sizes(&here, query.tolerances);
            let null = null_vectors(query, equations, kept, &here);
            let [direction] = null.as_slice() else {
                break;
            };
            // A step of a fiftieth of the box, in the way it went so far.
            let tangent: Vec<f64> = direction
                .iter()
                .zip(&size)
                .map(|(d, size)| d * size)
                .collect();
            let length = tangent
                .iter()
                .zip(&widths)
                .fold(0.0_f64, |most, (t, w)| most.max((t / w).abs()));
            let along = before
                .as_ref()
                .map_or(way * leading_sign(&tangent), |before| {
                    let pairs = tangent.iter().zip(before).zip(&widths);
                    let dot: f64 = pairs.map(|((t, b), w)| t * b / (w * w)).sum();
                    dot.signum()
                });
            let by = along * 0.02 / length;
            // At a face the last steps are shorter.
            let mut steps = (0..30)
                .map(|halvings| by * 0.5_f64.powi(halvings))
                .enumerate();
            let next = steps.find_map(|(halvings, by)| {
                let pairs = here.iter().zip(&tangent);
                let target: Vec<f64> = pairs.map(|(y, t)| y + by * t).collect();
                let root = equations.solve(&target, f64::INFINITY)?.state;
                let stays = distance(&root, &target, &widths) <= 0.02;
                (stays && region.holds(&root, FACE)).then_some((halvings > 0, root))
            });
            let Some((is_short, next)) = next else {
                break;
            };
            if is_short && was_short {
                one_way.pop();
            }
            was_short = is_short;
            before = Some(next.iter().zip(&here).map(|(new, old)| new - old).collect());
            here = next;
            closed = one_way.len() > 3 && distance(&here, start, &widths) < 0.02;
            one_way.push(here.clone());
            if closed {
                break;
            }
        }
        if way > 0.0 {
            points.extend(one_way);
            if closed {
                break;
            }
        } else {
            one_way.reverse();
            one_way.append(&mut points);
            points = one_way;
        }
    }
    // An end within rounding of a face is on it.
    for point in &mut points {
        for ((y, (low, high)), width) in point.iter_mut().zip(region.ranges()).zip(&widths) {
            let snap = |y: f64, end: f64| {
                if (y - end).abs() <= 1e-7 * width {
                    end
                } else {
                    y
                }
            };
            *y = snap(snap(*y, low), high);
        }
    }
    Continuum {
        points,
        dimension: 1,
        closed,
    }
}

/// The sign of the largest number, so that a curve is followed the same way whatever the sign of
/// its null vectors.
fn leading_sign(tangent: &[f64]) -> f64 {
    let leading = tangent.iter().max_by(|a, b| a.abs().total_cmp(&b.abs()));
    leading.map_or(1.0, |leading| leading.signum())
}
