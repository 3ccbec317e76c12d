//! Where a system is made linear: the state that a sentence means.

use super::over;
use super::rows;
use super::smooth::{self, Switch};
use super::{Judged, Origin, StabilityAnswer};
use crate::analyze::{
    self, Linearised, Motion, Place, Reached, Settled, linearise, polish, settle,
};
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed, number_text};
use crate::model::Entity;
use crate::session::command::{About, Setting, Stability, Steady};
use crate::session::compiled::Compiled;
use crate::session::places;
use crate::session::rest::{self, AtRest};
use crate::session::tables::Tables;
use crate::session::trajectory::Trajectory;
use crate::session::values::{self, Overrides};
use crate::session::{simulate, steady};
use crate::simulate::Dynamics;
use crate::source::Span;
use crate::syntax::tree;
use crate::world::World;
use std::sync::Arc;

/// A named state is taken for an equilibrium that lies this close, for its size.
const NEAR: f64 = 0.1;

/// What can be refused without computing anything.
pub(in crate::session) fn check(
    compiled: &Compiled,
    tables: &Tables<'_>,
    overrides: &Overrides,
    command: &Stability,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    if let About::Rows(asked) = &command.about {
        return rows::check(compiled, tables, overrides, asked, command);
    }
    let at_rest = AtRest::new(compiled, overrides, &command.setting, None, command.span)?;
    refuse_delays(compiled, command.span)?;
    match &command.about {
        About::At(bindings) => {
            named_state(compiled, &at_rest, bindings)?;
        }
        About::Over(ranges) => over::check(compiled, &at_rest, ranges, command.span)?,
        About::Here { .. } | About::Rows(_) => {}
    }
    Ok(Vec::new())
}

/// A delay adds eigenvalues without end: those of the present state alone say nothing.
pub(in crate::session) fn refuse_delays(
    compiled: &Compiled,
    span: Span,
) -> Result<(), Vec<Diagnostic>> {
    let Some(delay) = compiled.model.delays.first() else {
        return Ok(());
    };
    Err(vec![
        Diagnostic::new(
            Code::NotPerformed,
            "this version of Lotka does not judge the stability of equations with delays",
        )
        .at(span, "")
        .at(delay.span, "what was before counts here")
        .help("`steady` finds where they rest, and `simulate` shows whether they come back"),
    ])
}

/// The state that the sentence means, with its linear part and what there is to warn of.
pub(super) fn judged(
    compiled: &Arc<Compiled>,
    overrides: &Overrides,
    last: Option<&Trajectory>,
    command: &Stability,
    world: &dyn World,
) -> Result<(StabilityAnswer, Vec<Diagnostic>), Vec<Diagnostic>> {
    let span = command.span;
    refuse_delays(compiled, span)?;
    let at_rest = AtRest::new(compiled, overrides, &command.setting, last, span)?;
    let (state, origin, mut diagnostics) = match &command.about {
        About::Here { .. } if at_rest.motion() == Motion::Map => {
            let (state, origin) = settled(&at_rest, span, world)?;
            (state, origin, Vec::new())
        }
        About::Here { from_last } => {
            let asked = Steady {
                span,
                setting: command.setting.clone(),
                from_last: *from_last,
            };
            let found = steady::find(compiled, overrides, last, &asked, world)?;
            let warnings = steady::warnings(&found, span);
            let origin = match &found.found.reached {
                Reached::Present => Origin::Present,
                Reached::After(time) => Origin::Reached(*time),
                Reached::Not(_) | Reached::Unknown => Origin::NotReached,
            };
            (found.found.state, origin, warnings)
        }
        About::At(bindings) => {
            let given = named_state(compiled, &at_rest, bindings)?;
            let (state, origin) = near(&at_rest, given);
            (state, origin, Vec::new())
        }
        // Those questions have answers of their own.
        About::Over(_) | About::Rows(_) => (at_rest.state.clone(), Origin::Present, Vec::new()),
    };
    diagnostics.extend(refuse_switches(compiled, &at_rest, &state, span)?);
    diagnostics.extend(rest::noise_left_out(compiled, span));
    let linear = linear_part(compiled, &at_rest, &state, span)?;
    let answer = StabilityAnswer {
        compiled: Arc::clone(compiled),
        motion: at_rest.motion(),
        judged: Judged {
            state,
            origin,
            linear,
        },
        left_out: steady::left_out(compiled),
        parameters: at_rest.present.parameters,
    };
    Ok((answer, diagnostics))
}

/// The fixed point that a map goes to.
fn settled(
    at_rest: &AtRest<'_>,
    span: Span,
    world: &dyn World,
) -> Result<(Vec<f64>, Origin), Vec<Diagnostic>> {
    let dynamics = at_rest.dynamics();
    let found = settle(
        &Place {
            dynamics: &dynamics,
            motion: Motion::Map,
            time: at_rest.time(),
            state: &at_rest.state,
            tolerances: &at_rest.tolerances(),
            laws: &[],
        },
        &|| world.interrupted(),
    );
    let Some((state, how)) = found else {
        return Err(vec![if world.interrupted() {
            Diagnostic::new(
                Code::Interrupted,
                "stopped by the user before a fixed point was found",
            )
            .at(span, "")
        } else {
            Diagnostic::new(
                Code::NoSteadyState,
                "no fixed point was found near the present state",
            )
            .at(span, "")
            .help("start the search elsewhere, as in `stability with x = 1`")
        }]);
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of steps")]
    let origin = match how {
        Settled::Present => Origin::Present,
        Settled::After(steps) => Origin::Reached(steps as f64),
        Settled::Not => Origin::NotReached,
    };
    Ok((state, origin))
}

/// The present state with the values that are named in place of its own.
pub(in crate::session) fn named_state(
    compiled: &Compiled,
    at_rest: &AtRest<'_>,
    bindings: &[tree::Binding],
) -> Result<Vec<f64>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    for binding in bindings {
        let name = &binding.name.name;
        let entity = compiled.model.names.get(&name.text);
        if entity.is_none() {
            let states: Vec<&str> = compiled
                .model
                .states
                .iter()
                .map(|known| known.name.as_str())
                .collect();
            let quoted: Vec<String> = states.iter().map(|name| format!("`{name}`")).collect();
            let help = did_you_mean(&name.text, states.iter().copied());
            problems.push(
                Diagnostic::new(
                    Code::UnknownName,
                    format!("there is no state `{}`", name.text),
                )
                .at(binding.name.span, "not known")
                .help(help.unwrap_or_else(|| format!("the states are {}", listed(&quoted)))),
            );
        } else if !matches!(entity, Some(Entity::State(_))) {
            problems.push(
                Diagnostic::new(Code::WrongKind, format!("`{}` is no state", name.text))
                    .at(binding.name.span, "`at` names states")
                    .help(format!(
                        "values of parameters go after `with`, as in `with {} = 1`",
                        name.text
                    )),
            );
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    // Read like `with`: indices, vectors, units of names and bounds are the same there.
    let named = Setting {
        with: bindings.to_vec(),
        condition: None,
    };
    let overrides = simulate::with_setting(compiled, &at_rest.overrides, &named)?;
    let present = compiled.present(&overrides);
    values::check_finite(compiled, &present)?;
    Ok(present.initial)
}

/// The equilibrium next to a state, or the state itself where there is none.
fn near(at_rest: &AtRest<'_>, given: Vec<f64>) -> (Vec<f64>, Origin) {
    let dynamics = at_rest.dynamics();
    let tolerances = at_rest.tolerances();
    let laws = at_rest.laws();
    let place = Place {
        dynamics: &dynamics,
        motion: at_rest.motion(),
        time: at_rest.time(),
        state: &given,
        tolerances: &tolerances,
        laws: &laws,
    };
    let Some(found) = polish(&place) else {
        let (rate, state) = moving(&place);
        return (given, Origin::NoEquilibrium { rate, state });
    };
    let pairs = || given.iter().zip(&found).enumerate();
    let floor = |i: usize| {
        let absolute = tolerances.absolute.get(i).copied().unwrap_or(0.0);
        absolute / tolerances.relative
    };
    let is_near = pairs().all(|(i, (a, b))| {
        let size = a.abs().max(b.abs());
        (a - b).abs() <= (NEAR * size).max(NEAR * floor(i))
    });
    if !is_near {
        let (rate, state) = moving(&place);
        return (given, Origin::NoEquilibrium { rate, state });
    }
    let furthest =
        pairs().max_by(|(_, (a, b)), (_, (c, d))| (*a - *b).abs().total_cmp(&(*c - *d).abs()));
    let (state, moved) = furthest.map_or((0, 0.0), |(i, (a, b))| (i, (a - b).abs()));
    (found, Origin::Given { moved, state })
}

/// The state that moves fastest for its size, and how fast.
fn moving(place: &Place<'_>) -> (f64, usize) {
    let mut drift = vec![0.0; place.state.len()];
    place.dynamics.drift(place.time, place.state, &mut drift);
    if place.motion == Motion::Map {
        let pairs = drift.iter_mut().zip(place.state);
        pairs.for_each(|(next, now)| *next -= now);
    }
    let ratio = |i: usize| {
        let floor = place.tolerances.absolute.get(i).copied().unwrap_or(0.0);
        let size = place.state[i].abs().max(floor / place.tolerances.relative);
        (drift[i] / size.max(f64::MIN_POSITIVE)).abs()
    };
    let fastest = (0..drift.len()).max_by(|a, b| ratio(*a).total_cmp(&ratio(*b)));
    let at = fastest.unwrap_or(0);
    (drift.get(at).copied().unwrap_or(f64::NAN), at)
}

/// Refuses a state at which the equations jump; warns where they have a kink.
fn refuse_switches(
    compiled: &Compiled,
    at_rest: &AtRest<'_>,
    state: &[f64],
    span: Span,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let Some((switch, guard)) = smooth::switch(compiled, at_rest, state) else {
        return Ok(Vec::new());
    };
    let known = guard.and_then(|guard| compiled.system.guards.get(guard));
    let place = match known {
        Some(known) => format!("`{}` is zero here", compiled.text_of(known.expr)),
        None => "they switch here".to_owned(),
    };
    let shown = |diagnostic| match guard {
        Some(guard) => places::with_readers(diagnostic, compiled, guard),
        None => diagnostic,
    };
    match switch {
        Switch::Jump => Err(vec![
            shown(Diagnostic::new(
                Code::NotSmooth,
                format!("the equations jump at this state, so that they have no linear part: {place}"),
            )
            .at(span, ""))
            .help("ask beside the switch, as in `stability at x = 1.01`; `simulate` shows what happens on it"),
        ]),
        Switch::Kink => Ok(vec![
            shown(Diagnostic::new(
                Code::KinkHere,
                format!("the equations have a kink at this state: {place}"),
            )
            .at(span, "the linear part holds on one side of it only"))
            .help("ask beside the kink, as in `stability at x = 1.01`, for the other side"),
        ]),
    }
}

/// Eigenvalues of large matrices take too long.
pub(in crate::session) fn refuse_size(
    compiled: &Compiled,
    span: Span,
) -> Result<(), Vec<Diagnostic>> {
    let states = compiled.system.dimension();
    if states <= analyze::MOST_STATES {
        return Ok(());
    }
    Err(vec![
        Diagnostic::new(
            Code::NotPerformed,
            format!(
                "this version of Lotka computes the eigenvalues of at most {} states",
                analyze::MOST_STATES
            ),
        )
        .at(span, format!("the model has {states}"))
        .help("`steady` finds where they rest"),
    ])
}

/// The linear part at a state.
fn linear_part(
    compiled: &Compiled,
    at_rest: &AtRest<'_>,
    state: &[f64],
    span: Span,
) -> Result<Linearised, Vec<Diagnostic>> {
    let dynamics = at_rest.dynamics();
    refuse_size(compiled, span)?;
    let found = linearise(&Place {
        dynamics: &dynamics,
        motion: at_rest.motion(),
        time: at_rest.time(),
        state,
        tolerances: &at_rest.tolerances(),
        laws: &at_rest.laws(),
    });
    found.ok_or_else(|| vec![not_finite(compiled, &dynamics, at_rest.time(), state, span)])
}

/// Which entry of the Jacobian has no value.
pub(in crate::session) fn not_finite(
    compiled: &Compiled,
    dynamics: &dyn Dynamics,
    time: f64,
    state: &[f64],
    span: Span,
) -> Diagnostic {
    let matrix = analyze::jacobian_at(dynamics, time, state);
    let n = state.len().max(1);
    let wrong = matrix.iter().position(|entry| !entry.is_finite());
    let Some(at) = wrong else {
        return Diagnostic::new(
            Code::NotSmooth,
            "the linear part at this state is singular: its constraints do not determine the states without equations",
        )
        .at(span, "")
        .help("`steady` finds other states; `stability with x = 1` starts elsewhere");
    };
    let (row, column) = (compiled.state_name(at % n), compiled.state_name(at / n));
    let value = matrix.get(at).copied().map_or(String::new(), number_text);
    let diagnostic = Diagnostic::new(
        Code::NotSmooth,
        format!("the Jacobian is not finite at this state: d({row}')/d({column}) is {value}"),
    )
    .at(span, "");
    places::with_equation(diagnostic, compiled, at % n)
    .help("a root, a logarithm or a quotient has no slope there; ask beside it, as in `stability at x = 0.01`")
}
