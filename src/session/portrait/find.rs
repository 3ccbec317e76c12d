//! What a portrait shows, for one set of values.

use super::super::command::Setting;
use super::super::compiled::Compiled;
use super::super::rest::AtRest;
use super::super::values::Overrides;
use super::plane::Asked;
use super::{Fixed, View};
use crate::analyze::equilibria::{self, Answer, Completeness, Formulas, Motion, Query, Region};
use crate::analyze::portrait::{self, Coming, Plane, Point};
use crate::analyze::{Law, Place, kept, linearise};
use crate::diagnostic::Diagnostic;
use crate::simulate::{Dynamics, Tolerances};
use crate::world::World;
use std::sync::Arc;

/// The seed of the search: the same sentence gives the same picture.
const SEED: u64 = 1;

/// All that is found out about the equations before anything is drawn.
struct Ground<'a> {
    dynamics: &'a dyn Dynamics,
    time: f64,
    tolerances: Tolerances,
    laws: Vec<Law>,
    non_negative: Vec<bool>,
    state: Vec<f64>,
    interrupted: &'a dyn Fn() -> bool,
}

/// One view.
///
/// # Errors
/// Values that do not fit the model.
pub(super) fn view(
    compiled: &Arc<Compiled>,
    overrides: &Overrides,
    asked: &Asked,
    value: Option<f64>,
    setting: &Setting,
    world: &dyn World,
) -> Result<View, Vec<Diagnostic>> {
    let at_rest = AtRest::new(compiled, overrides, setting, None, asked.span)?;
    let interrupted = || world.interrupted();
    let dynamics = at_rest.dynamics();
    let tolerances = at_rest.tolerances();
    let given = at_rest.laws();
    let all = kept(
        &dynamics,
        at_rest.time(),
        &at_rest.state,
        &tolerances,
        &given,
    );
    let ground = Ground {
        dynamics: &dynamics,
        time: at_rest.time(),
        laws: all.into_iter().map(|kept| kept.law).collect(),
        non_negative: at_rest.non_negative(),
        state: at_rest.state.clone(),
        tolerances,
        interrupted: &interrupted,
    };
    let formulas = Formulas::of(
        at_rest.system(),
        at_rest.time(),
        &at_rest.present.parameters,
    );
    let bounds = bounds(compiled);
    let found = equilibria::search(&Query {
        dynamics: ground.dynamics,
        motion: Motion::Flow,
        time: ground.time,
        state: &ground.state,
        tolerances: &ground.tolerances,
        laws: &given,
        non_negative: &ground.non_negative,
        formulas: formulas.as_ref(),
        region: region(asked, &bounds),
        seed: SEED,
        interrupted: &interrupted,
    });
    let mut view = View {
        value,
        parameters: at_rest.present.parameters.clone(),
        fixed: fixed(&ground, asked, &found, &given),
        interrupted: found.completeness == Completeness::Interrupted,
        ..View::default()
    };
    choose_window(&ground, asked, &bounds, &found, &mut view);
    if asked.axes.len() == 1 {
        line(&ground, asked, &mut view);
    } else {
        plane(&ground, asked, &found, &mut view);
        if widened(&ground, asked, &bounds, &mut view) {
            plane(&ground, asked, &found, &mut view);
        }
    }
    view.interrupted |= world.interrupted();
    Ok(view)
}

/// Draws a series anew in one window that holds those of all views.
///
/// # Errors
/// As [`view`].
pub(super) fn share_window(
    compiled: &Arc<Compiled>,
    overrides: &Overrides,
    asked: &Asked,
    views: &mut [View],
    world: &dyn World,
) -> Result<(), Vec<Diagnostic>> {
    let common = |axis: usize| {
        let ranges = views.iter().map(|view| view.ranges[axis]);
        ranges.fold((f64::INFINITY, f64::NEG_INFINITY), |all, one| {
            (all.0.min(one.0), all.1.max(one.1))
        })
    };
    let ranges = [common(0), common(1)];
    let ends = ranges.map(|(low, high)| (Some(low), Some(high)));
    for (view, (value, setting)) in views.iter_mut().zip(&asked.settings) {
        if view.ranges == ranges || view.interrupted || world.interrupted() {
            continue;
        }
        let shared = Asked {
            span: asked.span,
            axes: asked.axes.clone(),
            ends,
            settings: Vec::new(),
            flows: asked.flows,
        };
        let chosen = view.chosen;
        *view = self::view(compiled, overrides, &shared, *value, setting, world)?;
        view.chosen = chosen;
    }
    Ok(())
}

/// The declared ranges of all states.
fn bounds(compiled: &Compiled) -> Region {
    let mut region = Region::everything(compiled.system.dimension());
    let blocks = compiled.system.states.blocks().iter();
    for (state, block) in compiled.model.states.iter().zip(blocks) {
        let Some(bounds) = state.bounds else { continue };
        for at in block.range() {
            if let (Some(low), Some(high)) = (region.low.get_mut(at), region.high.get_mut(at)) {
                (*low, *high) = (bounds.low, bounds.high);
            }
        }
    }
    region
}

/// Where fixed points are looked for.
fn region(asked: &Asked, bounds: &Region) -> Region {
    let mut region = bounds.clone();
    for (at, (low, high)) in asked.axes.iter().zip(asked.ends) {
        // Points on the edge of the window belong to it.
        let slack = match (low, high) {
            (Some(low), Some(high)) => 1e-6 * (high - low),
            _ => 0.0,
        };
        if let (Some(end), Some(low)) = (region.low.get_mut(*at), low) {
            *end = low - slack;
        }
        if let (Some(end), Some(high)) = (region.high.get_mut(*at), high) {
            *end = high + slack;
        }
    }
    region
}

fn point_of(asked: &Asked, state: &[f64]) -> Point {
    let value = |axis: usize| {
        let at = asked.axes.get(axis);
        at.and_then(|at| state.get(*at)).copied().unwrap_or(0.0)
    };
    (value(0), value(1))
}

fn fixed(ground: &Ground<'_>, asked: &Asked, found: &Answer, given: &[Law]) -> Vec<Fixed> {
    let known = found.equilibria.iter();
    known
        .map(|known| Fixed {
            at: point_of(asked, &known.state),
            linear: linearise(&Place {
                dynamics: ground.dynamics,
                motion: Motion::Flow,
                time: ground.time,
                state: &known.state,
                tolerances: &ground.tolerances,
                laws: given,
            }),
            state: known.state.clone(),
            inside: true,
        })
        .collect()
}

// ---- the window ----

/// Around what matters: fixed points, the present state, and where it goes.
fn choose_window(
    ground: &Ground<'_>,
    asked: &Asked,
    bounds: &Region,
    found: &Answer,
    view: &mut View,
) {
    let mut states = nearest(ground, asked, &view.fixed);
    states.extend(
        found
            .continua
            .iter()
            .flat_map(|line| line.points.iter().map(Vec::as_slice)),
    );
    states.push(&ground.state);
    let open = asked
        .ends
        .iter()
        .any(|(low, high)| low.is_none() || high.is_none());
    let way = if open {
        visited(ground, &states)
    } else {
        Vec::new()
    };
    states.extend(way.iter().map(Vec::as_slice));
    let mut ranges = view.ranges;
    for (axis, ((low, high), range)) in asked.ends.iter().zip(&mut ranges).enumerate() {
        let Some(at) = asked.axes.get(axis).copied() else {
            *range = (-1.0, 1.0);
            continue;
        };
        let values = states.iter().filter_map(|state| state.get(at).copied());
        let bound = (
            bounds.low.get(at).copied().unwrap_or(f64::NEG_INFINITY),
            bounds.high.get(at).copied().unwrap_or(f64::INFINITY),
        );
        let never_negative = ground.non_negative.get(at).copied().unwrap_or(false);
        *range = around(values, bound, never_negative);
        view.chosen[axis] = low.is_none() || high.is_none();
        *range = (low.unwrap_or(range.0), high.unwrap_or(range.1));
        if range.1 <= range.0 {
            // One end is given, and all that matters lies beyond it.
            let size = range.0.abs().max(range.1.abs()).max(1.0);
            *range = match (low, high) {
                (Some(low), _) => (*low, low + size),
                _ => (range.1 - size, range.1),
            };
        }
    }
    view.ranges = ranges;
    let window = view.window();
    for fixed in &mut view.fixed {
        let at = if asked.axes.len() == 1 {
            (fixed.at.0, 0.0)
        } else {
            fixed.at
        };
        fixed.inside = window.holds(at, 1e-6);
    }
}

/// Widens ranges that were chosen here to hold the cycles that were found; false when they do.
fn widened(ground: &Ground<'_>, asked: &Asked, bounds: &Region, view: &mut View) -> bool {
    let mut wider = false;
    for (axis, at) in asked.axes.iter().copied().enumerate().take(2) {
        let range = view.ranges[axis];
        let extents = view.cycles.iter().filter_map(|cycle| cycle.extent.get(at));
        let ends: Vec<f64> = extents.flat_map(|(low, high)| [*low, *high]).collect();
        let is_inside = |end: &f64| (range.0..=range.1).contains(end);
        if !view.chosen[axis] || ends.iter().all(is_inside) {
            continue;
        }
        let bound = (
            bounds.low.get(at).copied().unwrap_or(f64::NEG_INFINITY),
            bounds.high.get(at).copied().unwrap_or(f64::INFINITY),
        );
        let never_negative = ground.non_negative.get(at).copied().unwrap_or(false);
        let rests = view.fixed.iter().filter(|fixed| fixed.inside);
        let values = rests.filter_map(|fixed| fixed.state.get(at).copied());
        let (low, high) = asked.ends.get(axis).copied().unwrap_or_default();
        let chosen = around(values.chain(ends), bound, never_negative);
        view.ranges[axis] = (low.unwrap_or(chosen.0), high.unwrap_or(chosen.1));
        wider |= view.ranges[axis] != range;
    }
    wider
}

/// Fixed points in one window; of more, as a pendulum has, only the nearest few are shown.
const MOST_FIXED: usize = 9;
const NEAREST: usize = 5;

/// The fixed points that the window is chosen for: all, or those nearest to the present state.
fn nearest<'f>(ground: &Ground<'_>, asked: &Asked, fixed: &'f [Fixed]) -> Vec<&'f [f64]> {
    let mut states: Vec<&[f64]> = fixed.iter().map(|fixed| fixed.state.as_slice()).collect();
    if states.len() <= MOST_FIXED {
        return states;
    }
    let away = |state: &[f64], axis: usize| {
        let pair = state.get(axis).zip(ground.state.get(axis));
        pair.map_or(0.0, |(there, here)| (there - here).abs())
    };
    let farthest = |axis: usize| {
        let distances = states.iter().map(|state| away(state, axis));
        distances.fold(f64::MIN_POSITIVE, f64::max)
    };
    let spread: Vec<f64> = asked.axes.iter().map(|axis| farthest(*axis)).collect();
    let distance = |state: &[f64]| {
        let parts = asked.axes.iter().zip(&spread);
        parts.fold(0.0_f64, |most, (axis, spread)| {
            most.max(away(state, *axis) / spread)
        })
    };
    states.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    states.truncate(NEAREST);
    states
}

/// States that the present one comes through, as long as they stay within reach of the others.
fn visited(ground: &Ground<'_>, states: &[&[f64]]) -> Vec<Vec<f64>> {
    let n = ground.state.len();
    let size = |at: usize| {
        let values = states.iter().filter_map(|state| state.get(at).copied());
        values.fold(0.0_f64, |most, value| most.max(value.abs()))
    };
    let sizes: Vec<f64> = (0..n).map(size).collect();
    portrait::visited(ground.dynamics, &ground.state, &sizes, ground.interrupted)
}

/// A range around values, with round ends.
fn around(
    values: impl Iterator<Item = f64>,
    bound: (f64, f64),
    never_negative: bool,
) -> (f64, f64) {
    if bound.0.is_finite() && bound.1.is_finite() {
        return bound;
    }
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let span = high - low;
    let size = low.abs().max(high.abs());
    let pad = if span > 1e-6 * size {
        0.2 * span
    } else if size > 0.0 {
        0.75 * size
    } else {
        1.0
    };
    let (mut low, mut high) = (low - pad, high + pad);
    let is_amount = never_negative && low < 0.35 * high;
    if is_amount {
        low = 0.0;
    }
    let step = 10_f64.powf((high - low).log10().floor()) / 10.0;
    // Products of a power of ten round in their last digit.
    let plain = |value: f64| format!("{value:.9e}").parse().unwrap_or(value);
    low = plain((low / step).floor() * step);
    high = plain((high / step).ceil() * step);
    (low.max(bound.0), high.min(bound.1))
}

// ---- what is drawn ----

/// Places for arrows, across and upward.
const ARROWS: (usize, usize) = (18, 14);

fn plane(ground: &Ground<'_>, asked: &Asked, found: &Answer, view: &mut View) {
    let (Some(x), Some(y)) = (asked.axes.first(), asked.axes.get(1)) else {
        return;
    };
    let axes = (*x, *y);
    let build = |base: &[f64]| {
        Plane::new(
            ground.dynamics,
            ground.time,
            axes,
            view.window(),
            base,
            &ground.laws,
            ground.interrupted,
        )
    };
    let mut plane = build(&ground.state);
    if !plane.invariant {
        // A plane through a state of rest shows where its nullclines meet.
        let attracting = view.fixed.iter().find(|fixed| fixed.attracts());
        if let Some(rest) = attracting.or(view.fixed.first()) {
            plane = build(&rest.state);
            view.held_at_rest = true;
        }
    }
    view.held = plane.held();
    view.bound = plane.invariant && ground.state.len() > 2;
    view.shadow = !plane.invariant;
    view.lines = found
        .continua
        .iter()
        .map(|line| line.points.iter().map(|state| plane.point(state)).collect())
        .collect();
    if !(asked.flows && view.shadow) {
        view.nullclines = portrait::nullclines(&plane);
    }
    let fixed: Vec<Point> = view.fixed.iter().map(|fixed| fixed.at).collect();
    if !asked.flows {
        if !view.shadow {
            view.flow = flow(&plane, &fixed);
        }
        return;
    }
    if view.shadow {
        shadows(ground, &plane, view);
        return;
    }
    let present = plane.point(&ground.state);
    let present = plane.window.holds(present, 0.0).then_some(present);
    view.manifolds = manifolds(&plane, view, &fixed);
    let around: Vec<usize> = (view.fixed.iter().enumerate())
        .filter(|(_, fixed)| fixed.inside && !fixed.is_saddle())
        .map(|(at, _)| at)
        .collect();
    let cycles = portrait::limit_cycles(&plane, &fixed, &around);
    (view.cycles, view.centers) = (cycles.cycles, cycles.centers);
    if view.cycles.is_empty() && view.centers.is_empty() && !(ground.interrupted)() {
        follow_present(ground, &plane, view);
    }
    view.streamlines = portrait::streamlines(&plane, present, &fixed);
}

/// Looks for a cycle where the present state goes.
fn follow_present(ground: &Ground<'_>, plane: &Plane<'_>, view: &mut View) {
    match portrait::comes_to(plane, &ground.state) {
        Coming::Cycle(cycle) => view.cycles.push(cycle),
        Coming::Stays => view.stays = true,
        Coming::Elsewhere => {}
    }
}

fn manifolds(plane: &Plane<'_>, view: &View, fixed: &[Point]) -> Vec<portrait::Manifold> {
    let mut all = Vec::new();
    for saddle in view
        .fixed
        .iter()
        .filter(|fixed| fixed.is_saddle() && fixed.inside)
    {
        let modes = saddle.linear.iter().flat_map(|linear| &linear.modes);
        let directions: Vec<(f64, Vec<f64>)> = modes
            .filter(|mode| !mode.is_pair())
            .filter_map(|mode| Some((mode.value.real, mode.directions.first()?.real.clone())))
            .collect();
        all.extend(portrait::manifolds(
            plane,
            &saddle.state,
            &directions,
            fixed,
        ));
    }
    all
}

/// Arrows on a grid, away from fixed points.
fn flow(plane: &Plane<'_>, fixed: &[Point]) -> Vec<(Point, Point)> {
    let window = plane.window;
    let places = (0..ARROWS.0 * ARROWS.1).map(|k| {
        let (i, j) = (k % ARROWS.0, k / ARROWS.0);
        let part = |i: usize, n: usize| (i as f64 + 0.5) / n as f64;
        (part(i, ARROWS.0), part(j, ARROWS.1))
    });
    let free = |place: &Point| {
        fixed.iter().all(|fixed| {
            let fixed = window.unit(*fixed);
            (fixed.0 - place.0).hypot(fixed.1 - place.1) > 0.025
        })
    };
    places
        .filter(free)
        .map(|place| {
            let at = window.at(place);
            (at, plane.rate(at))
        })
        .collect()
}

/// Trajectories of more than two states, seen from above.
fn shadows(ground: &Ground<'_>, plane: &Plane<'_>, view: &mut View) {
    const ACROSS: usize = 4;
    view.path = portrait::trajectory(plane, &ground.state);
    for k in 0..ACROSS * ACROSS {
        if (ground.interrupted)() {
            return;
        }
        let part = |i: usize| (i as f64 + 0.5) / ACROSS as f64;
        let start = plane.state(plane.window.at((part(k % ACROSS), part(k / ACROSS))));
        view.streamlines.push(portrait::Streamline {
            points: portrait::trajectory(plane, &start),
            arrow: None,
        });
    }
    view.cycles = portrait::attracting_cycle(plane, &ground.state)
        .into_iter()
        .collect();
    if view.cycles.is_empty() && !(ground.interrupted)() {
        follow_present(ground, plane, view);
    }
}

/// The line of one state.
fn line(ground: &Ground<'_>, asked: &Asked, view: &mut View) {
    const POINTS: usize = 600;
    let Some(at) = asked.axes.first().copied() else {
        return;
    };
    let (low, high) = view.ranges[0];
    let mut state = ground.state.clone();
    let mut drift = vec![0.0; state.len()];
    let mut rate = |x: f64| {
        if let Some(value) = state.get_mut(at) {
            *value = x;
        }
        ground.dynamics.drift(ground.time, &state, &mut drift);
        drift.get(at).copied().unwrap_or(f64::NAN)
    };
    view.rate = (0..=POINTS)
        .map(|k| {
            let x = low + (high - low) * (k as f64 / POINTS as f64);
            (x, rate(x))
        })
        .collect();
    // Two arrows between neighbouring fixed points say which way it goes.
    let mut stops: Vec<f64> = view
        .fixed
        .iter()
        .filter(|fixed| fixed.inside)
        .map(|f| f.at.0)
        .collect();
    stops.extend([low, high]);
    stops.sort_by(f64::total_cmp);
    for pair in stops.windows(2) {
        let [from, to] = pair else { continue };
        let count = ((to - from) / (high - low) * 14.0).round().clamp(0.0, 14.0) as usize;
        for k in 0..count.max(usize::from(to - from > 0.03 * (high - low))) {
            let x = from + (to - from) * ((k as f64 + 0.5) / count.max(1) as f64);
            let rate = rate(x);
            view.flow.push(((x, 0.0), (rate, 0.0)));
        }
    }
    let others = ground.state.iter().copied().enumerate();
    view.held = others.filter(|(other, _)| *other != at).collect();
}
