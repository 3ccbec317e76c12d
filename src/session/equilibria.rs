//! `steady all`: every equilibrium in a box of states, in the model's own words.

use super::Session;
use super::command::{Command, SteadyAll};
use super::compiled::Compiled;
use super::lower::{setting, word_of};
use super::options::Options;
use super::outcome::{Outcome, Performed};
use super::ranges::{self, Ranged};
use super::rest::{self, AtRest};
use super::simulate::with_setting;
use super::steady::{from_last, left_out};
use super::trajectory::Trajectory;
use super::values::{Overrides, Present};
use crate::analyze::equilibria::{self, Answer, Completeness, Formulas, Query, Region};
use crate::analyze::{Linearised, Motion, Place, linearise};
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::source::Span;
use crate::symbolic::Node;
use crate::syntax::{self, tree};
use crate::world::World;
use std::sync::Arc;

/// All equilibria in a box, with the names of their model.
#[derive(Debug, Clone)]
pub struct EquilibriaAnswer {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// The parameter values that they hold for.
    pub parameters: Vec<f64>,
    /// Of a flow or of a map.
    pub motion: Motion,
    /// What was found, and whether it is all.
    pub found: Answer,
    /// The linear part at each of them; `None` where it has none.
    pub linear: Vec<Option<Linearised>>,
    /// What the model has and a steady state leaves out: `doses`, `events`.
    pub left_out: Vec<&'static str>,
}

/// The seed of the starts: the same sentence gives the same answer.
const SEED: u64 = 1;

/// `steady all x in 0..5, y in 0..3 with a = 1 in control from last`
pub(super) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let mut names = ranges::after_verb(sentence, &mut options);
    if !names.is_empty() {
        let all = names.remove(0);
        if let Some(range) = all.range {
            options.problem(
                Diagnostic::new(Code::BadOption, "this range belongs to no state")
                    .at(range.span, "")
                    .help("write the name before it, as in `steady all x in 0..5`"),
            );
        }
    }
    while let Some(bare) = bare_name(&options) {
        options.problem(
            Diagnostic::new(Code::BadOption, "a state of the box needs a range")
                .at(bare.span, "")
                .help(format!("as in `steady all {} in 0..5`", bare.word.text)),
        );
        options.remove(bare);
        // Its range, further on, is no condition.
        while let Some(range) = range_without_name(&options) {
            options.remove(range);
        }
    }
    for ranged in &names {
        if ranged.range.is_none() {
            let name = syntax::show_expression(&ranged.name);
            options.problem(
                Diagnostic::new(Code::BadOption, "a state of the box needs a range")
                    .at(ranged.name.span, "")
                    .help(format!("as in `steady all {name} in 0..5`")),
            );
        }
    }
    let from_last = from_last(&mut options).is_some();
    let setting = setting(&mut options);
    options.finish(|| {
        Ok(Command::SteadyAll(SteadyAll {
            span,
            ranges: names,
            setting,
            from_last,
        }))
    })
}

/// A word that is no option and has nothing after it.
fn bare_name<'t>(options: &Options<'t>) -> Option<&'t tree::SentenceOption> {
    let mut left = (0..).map_while(|place| options.at(place));
    left.find(|option| {
        let known = ["with", "in", "from"].contains(&option.word.text.as_str());
        !known && option.values.is_empty() && options.is_left(option)
    })
}

fn range_without_name<'t>(options: &Options<'t>) -> Option<&'t tree::SentenceOption> {
    let mut left = (0..).map_while(|place| options.at(place));
    left.find(|option| {
        let first = option.values.first();
        let is_range =
            first.is_some_and(|value| matches!(value.kind, tree::ExprKind::Range { .. }));
        option.word.text == "in" && is_range && options.is_left(option)
    })
}

/// True when the sentence asks for all of them.
pub(super) fn is_asked(sentence: &tree::Sentence) -> bool {
    let first = sentence.subjects.first();
    first.is_some_and(|subject| word_of(&subject.value).is_some_and(|word| word.text == "all"))
}

/// Models of more states are refused: a single iteration takes too long to begin many.
const MOST_STATES: usize = 100;

fn too_large(compiled: &Compiled, span: Span) -> Option<Diagnostic> {
    let n = compiled.system.dimension();
    (n > MOST_STATES).then(|| {
        Diagnostic::new(
            Code::NotPerformed,
            format!("`steady all` looks at models of up to {MOST_STATES} states; this one has {n}"),
        )
        .at(span, "")
        .help(
            "`steady` finds the one that the system goes to; `steady with x = 1` starts elsewhere",
        )
    })
}

/// What can be refused without looking for anything.
pub(super) fn check(
    compiled: &Compiled,
    overrides: &Overrides,
    command: &SteadyAll,
) -> Result<(), Vec<Diagnostic>> {
    rest::check(compiled, overrides, &command.setting, command.span)?;
    if let Some(problem) = too_large(compiled, command.span) {
        return Err(vec![problem]);
    }
    let overrides = with_setting(compiled, overrides, &command.setting)?;
    region(compiled, &compiled.present(&overrides), &command.ranges).map(|_| ())
}

/// The box of a sentence: what it says, else what is declared, else open.
fn region(
    compiled: &Compiled,
    present: &Present,
    ranges: &[Ranged],
) -> Result<Region, Vec<Diagnostic>> {
    let mut region = Region::everything(compiled.system.dimension());
    for (state, block) in compiled
        .model
        .states
        .iter()
        .zip(compiled.system.states.blocks())
    {
        if let Some(bounds) = state.bounds {
            for at in block.range() {
                region.low[at] = bounds.low;
                region.high[at] = bounds.high;
            }
        }
    }
    let mut problems = Vec::new();
    let mut said: Vec<(usize, Span)> = Vec::new();
    for ranged in ranges {
        let positions = match positions(compiled, &ranged.name) {
            Ok(positions) => positions,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        if let Some((_, before)) = said.iter().find(|(at, _)| positions.contains(at)) {
            let name = syntax::show_expression(&ranged.name);
            problems.push(
                Diagnostic::new(Code::BadOption, format!("`{name}` has two ranges"))
                    .at(ranged.name.span, "again here")
                    .at(*before, "the first")
                    .help("keep one of them"),
            );
            continue;
        }
        said.extend(positions.iter().map(|at| (*at, ranged.name.span)));
        match ends(compiled, present, ranged) {
            Ok((low, high)) => {
                for at in positions {
                    region.low[at] = low.unwrap_or(region.low[at]);
                    region.high[at] = high.unwrap_or(region.high[at]);
                    problems.extend(empty(compiled, &region, at, ranged));
                }
            }
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(region)
    } else {
        Err(problems)
    }
}

fn empty(compiled: &Compiled, region: &Region, at: usize, ranged: &Ranged) -> Option<Diagnostic> {
    let (low, high) = (region.low[at], region.high[at]);
    let span = ranged
        .range
        .as_ref()
        .map_or(ranged.name.span, |range| range.span);
    let name = compiled.state_name(at);
    let message = format!(
        "the range of `{name}` holds no box: from {} to {}",
        number_text(low),
        number_text(high)
    );
    (low >= high).then(|| {
        Diagnostic::new(Code::EmptyBounds, message)
            .at(span, "the low end must be below the high one")
            .help(format!("as in `steady all {name} in 0..5`"))
    })
}

pub(super) type Ends = (Option<f64>, Option<f64>);

pub(super) fn ends(
    compiled: &Compiled,
    present: &Present,
    ranged: &Ranged,
) -> Result<Ends, Vec<Diagnostic>> {
    let Some(range) = &ranged.range else {
        return Ok((None, None));
    };
    let number = |end: &Option<tree::Expr>| {
        let end = end.as_ref();
        end.map(|end| {
            compiled.number(end, present).map_err(|problems| {
                let help =
                    "a box has finite ends; a side that is left out, as in `x in 0..`, is chosen";
                problems
                    .into_iter()
                    .map(|known| known.help(help))
                    .collect::<Vec<_>>()
            })
        })
        .transpose()
    };
    Ok((number(&range.low)?, number(&range.high)?))
}

/// The positions in the state vector of a name: `x`, `theta'`, `y` and `y[2]` of a vector.
pub(super) fn positions(
    compiled: &Compiled,
    name: &tree::Expr,
) -> Result<Vec<usize>, Vec<Diagnostic>> {
    let observable = compiled.observable(name)?;
    let pool = &observable.pool;
    let of_symbol = |expr| match pool.node(expr) {
        Node::Symbol(symbol) => {
            let mut blocks = compiled.system.states.blocks().iter();
            blocks.find(|block| block.symbol == *symbol)
        }
        _ => None,
    };
    let found = match pool.node(observable.expr) {
        Node::Element(base, at) => of_symbol(*base).map(|block| vec![block.offset + *at as usize]),
        _ => of_symbol(observable.expr).map(|block| block.range().collect()),
    };
    found.ok_or_else(|| {
        let states: Vec<String> = compiled
            .model
            .states
            .iter()
            .take(8)
            .map(|state| format!("`{}`", state.name))
            .collect();
        let said = syntax::show_expression(name);
        vec![
            Diagnostic::new(Code::WrongKind, format!("`{said}` is not a state"))
                .at(name.span, "a box has a range for states")
                .help(format!("the states are {}", listed(&states))),
        ]
    })
}

pub(super) fn find(
    compiled: &Arc<Compiled>,
    overrides: &Overrides,
    last: Option<&Trajectory>,
    command: &SteadyAll,
    world: &dyn World,
) -> Result<EquilibriaAnswer, Vec<Diagnostic>> {
    let at_rest = AtRest::new(compiled, overrides, &command.setting, last, command.span)?;
    if let Some(problem) = too_large(compiled, command.span) {
        return Err(vec![problem]);
    }
    let region = region(compiled, &at_rest.present, &command.ranges)?;
    let (dynamics, tolerances) = (at_rest.dynamics(), at_rest.tolerances());
    let (laws, time) = (at_rest.laws(), at_rest.time());
    let formulas = Formulas::of(at_rest.system(), time, &at_rest.present.parameters);
    let motion = at_rest.motion();
    let found = equilibria::search(&Query {
        dynamics: &dynamics,
        motion,
        time,
        state: &at_rest.state,
        tolerances: &tolerances,
        laws: &laws,
        non_negative: &at_rest.non_negative(),
        formulas: formulas.as_ref(),
        region,
        seed: SEED,
        interrupted: &|| world.interrupted(),
    });
    let has_delays = !compiled.system.delays.is_empty();
    let linear = found.equilibria.iter().map(|known| {
        // A delay adds eigenvalues without end: those of the present state alone say nothing.
        if has_delays {
            return None;
        }
        linearise(&Place {
            dynamics: &dynamics,
            motion,
            time,
            state: &known.state,
            tolerances: &tolerances,
            laws: &laws,
        })
    });
    Ok(EquilibriaAnswer {
        compiled: Arc::clone(compiled),
        motion,
        linear: linear.collect(),
        parameters: at_rest.present.parameters.clone(),
        left_out: left_out(compiled),
        found,
    })
}

impl Session {
    pub(super) fn steady_all(&self, command: &SteadyAll) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let last = self.last_when(command.from_last)?;
        let last = last.as_deref();
        let answer = find(&compiled, &self.overrides, last, command, &*self.world)?;
        let diagnostics = remarks(&answer, command.span);
        Ok(Performed {
            outcome: Outcome::Equilibria(Arc::new(answer)),
            diagnostics,
        })
    }
}

/// What keeps the answer from being one: nothing found, or stopped before the end.
fn remarks(answer: &EquilibriaAnswer, span: Span) -> Vec<Diagnostic> {
    let found = &answer.found;
    if found.completeness == Completeness::Interrupted {
        let message = "stopped by the user before the search for steady states was over";
        return vec![Diagnostic::new(Code::Interrupted, message).at(span, "")];
    }
    if !found.equilibria.is_empty() || !found.continua.is_empty() {
        return Vec::new();
    }
    let message = match &found.completeness {
        Completeness::Proved { .. } => "there is no steady state in the box: this is proved",
        Completeness::Undecided { .. } => {
            "no steady state was found in the box; parts of it remain undecided"
        }
        Completeness::Searched(_) | Completeness::Interrupted => {
            "no steady state was found in the box; that there is none is not proved"
        }
    };
    let diagnostic = Diagnostic::new(Code::NoSteadyState, message).at(span, "");
    let outside =
        "the steady states outside the box are listed above; widen the box to take them in";
    vec![match &found.nearest {
        _ if !found.outside.is_empty() => diagnostic.help(outside),
        Some(miss) => {
            let compiled = &answer.compiled;
            let place = miss
                .state
                .iter()
                .enumerate()
                .take(6)
                .map(|(at, y)| format!("{} = {}", compiled.state_name(at), short(*y)));
            let (left, state) = miss.residual;
            let how = match answer.motion {
                Motion::Flow => "still changes at the rate",
                Motion::Map => "still changes in a step by",
            };
            diagnostic.help(format!(
                "the nearest miss of Newton's iteration is at {}, where `{}` {how} {}",
                place.collect::<Vec<_>>().join(", "),
                compiled.state_name(state),
                short(left)
            ))
        }
        None => diagnostic.help("`simulate` shows where the system goes"),
    }]
}

fn short(number: f64) -> String {
    let digits = format!("{number:.3e}").parse().unwrap_or(number);
    number_text(digits)
}
