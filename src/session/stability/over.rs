//! `stability over k in 0..2, b in 0..1`: can the model oscillate there?
//!
//! Two answers that complete each other: what the signs of the Jacobian prove for the whole box
//! ([`super::feedback`]), and which types of equilibrium a survey of the box finds
//! ([`crate::analyze::survey`]). Where a proof rests on rates that are not negative, the box is
//! opened to negative ones, to show what they would do.

use super::feedback::{self, Feedback};
use crate::analyze::{
    BoxSide, Kept, Land, Law, Linearised, Motion, Place, Survey, kept, linearise, polish_with,
    survey,
};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::model::{self, Target};
use crate::session::command::{Stability, Steady};
use crate::session::compiled::Compiled;
use crate::session::ranges::Ranged;
use crate::session::rest::{self, AtRest};
use crate::session::steady;
use crate::session::values::{self, Overrides};
use crate::simulate::{CompiledDynamics, Tolerances};
use crate::source::Span;
use crate::syntax;
use crate::world::World;
use std::sync::Arc;

/// What a model can do in a box of parameters.
#[derive(Debug, Clone)]
pub struct OscillationAnswer {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// Of a flow or of a map.
    pub motion: Motion,
    /// The box: names as written, with their ranges.
    pub sides: Vec<(String, BoxSide)>,
    /// What the signs of the Jacobian say in the box; `None` where they were not looked at (maps,
    /// constraints, more than 40 states).
    pub feedback: Option<Feedback>,
    /// The same for the part of the box without negative values, when there are some.
    pub without_negative: Option<Feedback>,
    /// What is found in the box.
    pub survey: Survey,
    /// What is found when the box is opened to negative values.
    pub with_negative: Option<Survey>,
}

/// Samples of small systems; of larger ones fewer.
const SAMPLES: usize = 1000;
/// Samples of the opened box.
const FEWER: usize = 300;
/// More parameters are no box that could be filled.
const MOST_SIDES: usize = 12;

/// A parameter that varies.
struct Varied {
    label: String,
    target: Target,
    element: Option<u32>,
    side: BoxSide,
}

/// The ranges of a sentence, as numbers.
fn varied(
    compiled: &Compiled,
    at_rest: &AtRest<'_>,
    ranges: &[Ranged],
    span: Span,
) -> Result<Vec<Varied>, Vec<Diagnostic>> {
    if ranges.len() > MOST_SIDES {
        return Err(vec![
            Diagnostic::new(
                Code::BadOption,
                format!("at most {MOST_SIDES} parameters can vary at a time"),
            )
            .at(span, format!("these are {}", ranges.len()))
            .help("keep those that matter: `sensitivity` shows which"),
        ]);
    }
    let mut problems = Vec::new();
    let mut found: Vec<Varied> = Vec::new();
    for ranged in ranges {
        match one(compiled, at_rest, ranged) {
            Ok(varied) if found.iter().any(|known| known.label == varied.label) => problems.push(
                Diagnostic::new(
                    Code::BadOption,
                    format!("`{}` is named twice", varied.label),
                )
                .at(ranged.name.span, "again here")
                .help("keep one of them"),
            ),
            Ok(varied) => found.push(varied),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

fn one(
    compiled: &Compiled,
    at_rest: &AtRest<'_>,
    ranged: &Ranged,
) -> Result<Varied, Vec<Diagnostic>> {
    let label = syntax::show_expression(&ranged.name);
    let span = ranged.name.span;
    let (target, element) = feedback::quantity(compiled, &ranged.name)?;
    let Target::Parameter(id) = target else {
        return Err(vec![
            Diagnostic::new(Code::WrongKind, format!("`{label}` is a state"))
                .at(span, "`over` names parameters")
                .help("where the states rest follows from the parameters"),
        ]);
    };
    let known = &compiled.model.parameters[id.index()];
    let block = compiled.system.parameters.blocks()[id.index()];
    if element.is_none() && block.shape.len() != 1 {
        return Err(vec![
            Diagnostic::new(Code::BadOption, format!("`{label}` is {}", block.shape))
                .at(span, "")
                .help(format!("name one number of it, as in `{label}[1]`")),
        ]);
    }
    let bounds = known.bounds;
    let end = |given: Option<&syntax::tree::Expr>, declared: Option<f64>| match given {
        Some(expr) => compiled.number(expr, &at_rest.present),
        None => declared.filter(|end| end.is_finite()).ok_or_else(|| {
            vec![
                Diagnostic::new(Code::MissingArgument, format!("`{label}` has no range"))
                    .at(span, "between which values?")
                    .at(known.span, "no bounds are declared here")
                    .help(format!("as in `stability over {label} in 0..2`")),
            ]
        }),
    };
    let range = ranged.range.as_ref();
    let low = end(
        range.and_then(|range| range.low.as_ref()),
        bounds.map(|known| known.low),
    )?;
    let high = end(
        range.and_then(|range| range.high.as_ref()),
        bounds.map(|known| known.high),
    )?;
    if low >= high {
        let place = range.map_or(span, |range| range.span);
        return Err(vec![
            Diagnostic::new(Code::EmptyBounds, "this range holds no values")
                .at(
                    place,
                    format!("{} is not below {}", number_text(low), number_text(high)),
                )
                .help("the low end comes first, as in `0..2`"),
        ]);
    }
    Ok(Varied {
        label,
        target,
        element,
        side: BoxSide {
            low,
            high,
            logarithmic: bounds.is_some_and(|known| known.logarithmic) && low > 0.0,
        },
    })
}

/// What can be refused without computing anything.
pub(super) fn check(
    compiled: &Compiled,
    at_rest: &AtRest<'_>,
    ranges: &[Ranged],
    span: Span,
) -> Result<(), Vec<Diagnostic>> {
    varied(compiled, at_rest, ranges, span).map(|_| ())
}

/// Answers the question, with a warning when the user stopped it.
pub(super) fn answered(
    compiled: &Arc<Compiled>,
    overrides: &Overrides,
    ranges: &[Ranged],
    command: &Stability,
    world: &dyn World,
) -> Result<(OscillationAnswer, Vec<Diagnostic>), Vec<Diagnostic>> {
    let span = command.span;
    let at_rest = AtRest::new(compiled, overrides, &command.setting, None, span)?;
    super::find::refuse_size(compiled, span)?;
    let varied = varied(compiled, &at_rest, ranges, span)?;
    let sides: Vec<BoxSide> = varied.iter().map(|known| known.side).collect();
    let targets = |sides: &[BoxSide]| -> Vec<(Target, Option<u32>, BoxSide)> {
        let pairs = varied.iter().zip(sides);
        pairs
            .map(|(known, side)| (known.target, known.element, *side))
            .collect()
    };
    let feedback = feedback::of(&at_rest, &targets(&sides));
    let has_negative = sides.iter().any(|side| side.low < 0.0);
    // Rates that cannot be but negative are left as they are.
    let cut = |side: &BoxSide| BoxSide {
        low: if side.high > 0.0 {
            side.low.max(0.0)
        } else {
            side.low
        },
        ..*side
    };
    let positive: Vec<BoxSide> = sides.iter().map(cut).collect();
    let without_negative = if has_negative && positive != sides {
        feedback::of(&at_rest, &targets(&positive))
    } else {
        None
    };
    // Where the system settles with the values that hold, if it does.
    let asked = Steady {
        span,
        setting: command.setting.clone(),
        from_last: false,
    };
    let settled = match at_rest.motion() {
        Motion::Flow => steady::find(compiled, overrides, None, &asked, world)
            .ok()
            .map(|answer| answer.found.state),
        Motion::Map => None,
    };
    let proved = feedback.as_ref();
    let mut fields = Fields::new(compiled, &at_rest, &varied, world, proved, settled);
    let samples = (SAMPLES * 2 / at_rest.state.len().max(2)).max(100);
    let survey_in = survey(&mut fields, &sides, samples);
    let forbidden = feedback
        .as_ref()
        .is_some_and(|found| found.forbids.is_some());
    let with_negative = (forbidden && !has_negative && survey_in.complete).then(|| {
        let opened = sides.iter().map(|side| BoxSide {
            low: -side.high,
            high: side.high,
            logarithmic: false,
        });
        let opened: Vec<BoxSide> = opened.collect();
        fields.anywhere();
        survey(&mut fields, &opened, FEWER.min(samples))
    });
    let mut diagnostics: Vec<Diagnostic> =
        rest::noise_left_out(compiled, span).into_iter().collect();
    if !survey_in.complete {
        diagnostics.push(
            Diagnostic::new(
                Code::Interrupted,
                format!(
                    "stopped by the user after {} of {samples} samples",
                    survey_in.samples
                ),
            )
            .at(span, ""),
        );
    }
    let answer = OscillationAnswer {
        compiled: Arc::clone(compiled),
        motion: at_rest.motion(),
        sides: varied
            .iter()
            .map(|known| (known.label.clone(), known.side))
            .collect(),
        feedback,
        without_negative,
        survey: survey_in,
        with_negative: with_negative.filter(|found| found.complex.is_some()),
    };
    Ok((answer, diagnostics))
}

/// Equilibria for any parameters of the box.
struct Fields<'a> {
    compiled: &'a Compiled,
    at_rest: &'a AtRest<'a>,
    dynamics: CompiledDynamics<'a>,
    varied: &'a [Varied],
    world: &'a dyn World,
    tolerances: Tolerances,
    laws: Vec<Law>,
    /// What is kept for the parameters that hold now, with the totals of their initial values.
    kept: Vec<Kept>,
    /// One per state: equilibria with a negative value do not count.
    non_negative: Vec<bool>,
    /// States to search from, beside those of neighbours.
    starts: Vec<Vec<f64>>,
}

impl<'a> Fields<'a> {
    fn new(
        compiled: &'a Compiled,
        at_rest: &'a AtRest<'a>,
        varied: &'a [Varied],
        world: &'a dyn World,
        feedback: Option<&Feedback>,
        settled: Option<Vec<f64>>,
    ) -> Fields<'a> {
        let mut non_negative = at_rest.non_negative();
        if let Some(known) = feedback {
            for (flag, proved) in non_negative.iter_mut().zip(&known.non_negative) {
                *flag |= proved;
            }
        }
        let mut starts = vec![at_rest.state.clone()];
        starts.extend(settled);
        starts.extend(spread(&at_rest.state, &non_negative));
        Fields {
            compiled,
            at_rest,
            varied,
            world,
            tolerances: at_rest.tolerances(),
            non_negative,
            starts,
            kept: Vec::new(),
            laws: at_rest.laws(),
            dynamics: at_rest.dynamics(),
        }
    }

    /// Lets states be negative.
    fn anywhere(&mut self) {
        self.non_negative.fill(false);
    }

    fn set(&mut self, point: &[f64]) {
        let mut overrides = self.at_rest.overrides.clone();
        for (varied, value) in self.varied.iter().zip(point) {
            overrides.set(varied.target, varied.element, vec![*value]);
        }
        let present = self.compiled.present(&overrides);
        self.dynamics
            .update_parameters(|numbers| numbers.copy_from_slice(&present.parameters));
        if self.at_rest.motion() == Motion::Map {
            return;
        }
        self.kept = kept(
            &self.dynamics,
            self.at_rest.time(),
            &present.initial,
            &self.tolerances,
            &self.laws,
        );
    }

    fn place<'b>(&'b self, state: &'b [f64]) -> Place<'b> {
        Place {
            dynamics: &self.dynamics,
            motion: self.at_rest.motion(),
            time: self.at_rest.time(),
            state,
            tolerances: &self.tolerances,
            laws: &self.laws,
        }
    }

    fn polished(&self, state: &[f64]) -> Option<Vec<f64>> {
        let found = polish_with(&self.place(state), &self.kept)?;
        let pairs = found.iter().zip(&self.non_negative).enumerate();
        let meant = pairs.into_iter().all(|(i, (value, flag))| {
            let floor = self.tolerances.absolute.get(i).copied().unwrap_or(0.0);
            !flag || *value >= -floor
        });
        meant.then_some(found)
    }
}

impl Land for Fields<'_> {
    fn equilibria(&mut self, point: &[f64], hints: &[Vec<f64>]) -> Vec<(Vec<f64>, Linearised)> {
        self.set(point);
        let mut states: Vec<Vec<f64>> = Vec::new();
        for start in self.starts.iter().chain(hints) {
            let Some(found) = self.polished(start) else {
                continue;
            };
            let is_new = states.iter().all(|known| !self.same(known, &found));
            if is_new {
                states.push(found);
            }
        }
        let all = states.into_iter();
        all.filter_map(|state| {
            let linear = linearise(&self.place(&state))?;
            Some((state, linear))
        })
        .collect()
    }

    fn follow(&mut self, point: &[f64], state: &[f64]) -> Option<(Vec<f64>, Linearised)> {
        self.set(point);
        let found = self.polished(state)?;
        let linear = linearise(&self.place(&found))?;
        Some((found, linear))
    }

    fn interrupted(&self) -> bool {
        self.world.interrupted()
    }
}

impl Fields<'_> {
    /// Two roots of which Newton's iteration makes no difference.
    fn same(&self, a: &[f64], b: &[f64]) -> bool {
        a.iter().zip(b).enumerate().all(|(i, (a, b))| {
            let floor = self.tolerances.absolute.get(i).copied().unwrap_or(0.0) * 1e3;
            (a - b).abs() <= 1e-6 * a.abs().max(b.abs()) + floor
        })
    }
}

/// States around the present one: from nothing to a hundred times its size.
fn spread(state: &[f64], non_negative: &[bool]) -> Vec<Vec<f64>> {
    let largest = state
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    let size = if largest > 0.0 { largest } else { 1.0 };
    let mut starts = vec![vec![0.0; state.len()]];
    for (round, factor) in [0.03, 0.3, 1.0, 3.0, 30.0].into_iter().enumerate() {
        for turn in 0..2 {
            let value = |i: usize| {
                #[expect(clippy::cast_precision_loss, reason = "a direction")]
                let angle = (i + 1) as f64 * (1.3 + 0.9 * round as f64) + 2.0 * f64::from(turn);
                let flag = non_negative.get(i).copied().unwrap_or(false);
                let along = if flag {
                    0.55 + 0.45 * angle.sin()
                } else {
                    angle.sin()
                };
                factor * size * along
            };
            starts.push((0..state.len()).map(value).collect());
        }
    }
    starts
}

/// The parameters that vary, for a message.
pub(super) fn quantity_error(name: &syntax::tree::Expr, what: String) -> Vec<Diagnostic> {
    vec![
        Diagnostic::new(Code::BadOption, what)
            .at(name.span, "")
            .help("as in `stability over k in 0..2, b in 0..1`"),
    ]
}

/// The setting of a name, read as an assignment would be.
pub(super) fn setting_of(
    compiled: &Compiled,
    reference: &syntax::tree::Reference,
    value: &syntax::tree::Expr,
) -> Result<model::Setting, Vec<Diagnostic>> {
    let mut pool = crate::symbolic::Pool::continuing(&compiled.system.pool);
    let mut problems = Vec::new();
    let setting = model::setting(
        &compiled.model.names,
        &mut pool,
        &mut problems,
        reference,
        value,
    );
    match setting {
        Some(setting) if problems.is_empty() => Ok(setting),
        _ => Err(problems),
    }
}

/// Numbers of a parameter that hold now.
pub(super) fn numbers<'p>(
    compiled: &Compiled,
    present: &'p values::Present,
    at: usize,
) -> &'p [f64] {
    let block = compiled.system.parameters.blocks().get(at);
    block
        .and_then(|block| present.parameters.get(block.range()))
        .unwrap_or_default()
}
