//! What is fitted: numbers of the model, their scales, bounds and priors.
//!
//! Enters: names as written. Leaves: a [`Fitted`] for each number, or what is wrong with it. Must not
//! know data.

use super::super::compiled::Compiled;
use super::super::plot::unit_of_name;
use super::super::values::{Overrides, Present, at_present, target_name};
use crate::diagnostic::{Code, Diagnostic};
use crate::fit::{Coordinates, Prior, Scale};
use crate::model::{self, Bounds, Distribution, ParameterId, Target};
use crate::simulate::Varied;
use crate::source::Span;
use crate::symbolic::{Pool, Shape, symbols_of};
use crate::syntax::tree::{self, ExprKind};

/// A number that is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Its name: `k`, `A[1, 2]`, `prey(0)` for an initial value.
    pub name: String,
    /// Its unit.
    pub unit: Option<String>,
    /// What it is.
    pub target: Target,
    /// Which element of a vector.
    pub element: Option<u32>,
    /// Its position among the parameters or the states.
    pub varied: Varied,
    /// The scale on which it is explored.
    pub scale: Scale,
    /// Its bounds; infinite where there are none.
    pub bounds: (f64, f64),
    /// The value that holds before the fit.
    pub start: f64,
    /// Its prior.
    pub prior: Option<Prior>,
    /// Where it is declared.
    pub span: Span,
}

impl Fitted {
    /// Puts a value in its place.
    pub(super) fn set(&self, overrides: &mut Overrides, value: f64) {
        overrides.set(self.target, self.element, vec![value]);
    }
}

/// The step of central differences, as a part of the size of a value: the cube root of round-off.
const STEP: f64 = 6e-6;

/// The derivatives of several numbers by the j-th quantity, by differences: central ones, or to one
/// side where the other has none. `here` are the numbers at the values themselves.
///
/// # Errors
/// Where neither side has numbers.
pub(super) fn difference<E>(
    fitted: &[Fitted],
    (at, j): (&[f64], usize),
    here: impl Fn() -> Vec<f64>,
    numbers: impl Fn(&[f64]) -> Result<Vec<f64>, E>,
) -> Result<Vec<f64>, E> {
    let value = at.get(j).copied().unwrap_or(0.0);
    let width = fitted
        .get(j)
        .map_or(f64::INFINITY, |known| known.bounds.1 - known.bounds.0);
    let unit = match (value != 0.0, width.is_finite()) {
        (true, _) => value.abs(),
        (false, true) => width,
        (false, false) => 1.0,
    };
    let step = STEP * unit;
    let beside = |by: f64| {
        let mut moved = at.to_vec();
        if let Some(own) = moved.get_mut(j) {
            *own += by;
        }
        numbers(&moved)
    };
    let slopes = |high: Vec<f64>, low: Vec<f64>, step: f64| {
        let pairs = high.into_iter().zip(low);
        pairs.map(|(high, low)| (high - low) / step).collect()
    };
    match (beside(step), beside(-step)) {
        (Ok(high), Ok(low)) => Ok(slopes(high, low, 2.0 * step)),
        (Ok(high), Err(_)) => Ok(slopes(high, here(), step)),
        (Err(_), Ok(low)) => Ok(slopes(here(), low, step)),
        (Err(fault), Err(_)) => Err(fault),
    }
}

/// The scales and bounds of all.
pub(super) fn coordinates(fitted: &[Fitted]) -> Coordinates {
    Coordinates::new(
        fitted
            .iter()
            .map(|known| (known.scale, known.bounds.0, known.bounds.1)),
    )
}

/// Understands what a sentence fits.
///
/// # Errors
/// Unknown names, names of something that is not fitted, the same one twice.
pub(super) fn fitted(
    compiled: &Compiled,
    present: &Present,
    quantities: &[tree::Expr],
    span: Span,
) -> Result<Vec<Fitted>, Vec<Diagnostic>> {
    let mut found: Vec<(Fitted, Span)> = Vec::new();
    let mut problems = Vec::new();
    if quantities.is_empty() {
        let all = declared(compiled, present);
        if all.is_empty() {
            problems.push(
                Diagnostic::new(Code::MissingArgument, "`fit` needs what is fitted")
                    .at(span, "which parameters?")
                    .help("name them, as in `fit alpha, beta to \"data.csv\"`, or give them bounds or priors where they are declared: `param alpha = 1 in 0..10`"),
            );
        }
        found.extend(all.into_iter().map(|one| (one, span)));
    }
    for expr in quantities {
        match elements(compiled, present, expr) {
            Ok(elements) => {
                for one in elements {
                    let twice = found.iter().find(|(known, _)| known.varied == one.varied);
                    if let Some((known, earlier)) = twice {
                        problems.push(
                            Diagnostic::new(
                                Code::BadOption,
                                format!("`{}` is fitted twice", known.name),
                            )
                            .at(expr.span, "again here")
                            .at(*earlier, "the first one"),
                        );
                        break;
                    }
                    found.push((one, expr.span));
                }
            }
            Err(faults) => problems.extend(faults),
        }
    }
    if problems.is_empty() {
        Ok(found.into_iter().map(|(one, _)| one).collect())
    } else {
        Err(problems)
    }
}

/// All single parameters that have bounds or a prior.
fn declared(compiled: &Compiled, present: &Present) -> Vec<Fitted> {
    let known = compiled.model.parameters.iter().enumerate();
    known
        .filter(|(_, known)| !known.is_covariate && !known.is_compartment)
        .filter(|(_, known)| known.bounds.is_some() || known.prior.is_some())
        .flat_map(|(at, _)| {
            let target = Target::Parameter(ParameterId::new(at));
            of_target(compiled, present, target, None)
        })
        .collect()
}

/// The parameters with neither bounds nor a prior that hold a value all the same in each run, and the
/// value of a single number. Those that a condition sets are part of the experiment.
pub(super) fn held(compiled: &Compiled, present: &Present) -> Vec<(String, Option<f64>)> {
    let (model, system) = (&compiled.model, &compiled.system);
    let is_set = |id: ParameterId| {
        let mut settings = model.conditions.iter().flat_map(|known| &known.settings);
        settings.any(|setting| setting.target == Target::Parameter(id))
    };
    let known = model.parameters.iter().enumerate();
    known
        .filter(|(_, known)| !known.is_covariate && !known.is_compartment)
        .filter(|(_, known)| known.bounds.is_none() && known.prior.is_none())
        .filter(|(at, _)| {
            let follows = symbols_of(&system.pool, system.parameter_values[*at]);
            follows.is_empty() && !is_set(ParameterId::new(*at))
        })
        .map(|(at, known)| {
            let block = system.parameters.blocks()[at];
            let value = present.parameters.get(block.offset).copied();
            let single = value.filter(|_| block.shape == Shape::Scalar);
            (known.name.clone(), single)
        })
        .collect()
}

fn elements(
    compiled: &Compiled,
    present: &Present,
    expr: &tree::Expr,
) -> Result<Vec<Fitted>, Vec<Diagnostic>> {
    let ExprKind::Reference(reference) = &expr.kind else {
        return Err(vec![
            Diagnostic::new(Code::WrongKind, "parameters and initial values are fitted")
                .at(expr.span, "this is an expression")
                .help(
                    "as in `fit k, x to \"data.csv\"`: `x`, a state, stands for its initial value",
                ),
        ]);
    };
    let mut pool = Pool::continuing(&compiled.system.pool);
    let mut problems = Vec::new();
    let names = &compiled.model.names;
    let found = model::target(names, &mut pool, &mut problems, reference);
    let Some((target, element)) = found.filter(|_| problems.is_empty()) else {
        return Err(problems);
    };
    if let Target::Parameter(id) = target
        && compiled.model.parameters[id.index()].is_covariate
    {
        let name = target_name(&compiled.model, target);
        return Err(vec![
            Diagnostic::new(Code::WrongKind, format!("`{name}` is a covariate"))
                .at(expr.span, "its values come with the data")
                .help("declare it as a parameter if it is to be fitted"),
        ]);
    }
    Ok(of_target(compiled, present, target, element))
}

fn of_target(
    compiled: &Compiled,
    present: &Present,
    target: Target,
    element: Option<usize>,
) -> Vec<Fitted> {
    let model = &compiled.model;
    let (block, indices, bounds, prior, span) = match target {
        Target::Parameter(id) => {
            let known = &model.parameters[id.index()];
            let block = compiled.system.parameters.blocks()[id.index()];
            (
                block,
                &known.indices,
                known.bounds,
                known.prior.as_ref(),
                known.span,
            )
        }
        Target::State(id) => {
            let known = &model.states[id.index()];
            let block = compiled.system.states.blocks()[id.index()];
            (block, &known.indices, known.bounds, None, known.span)
        }
    };
    let name = target_name(model, target);
    let unit = unit_of_name(compiled, name).map(|unit| unit.to_string());
    let wanted = match element {
        Some(element) => element..element + 1,
        None => 0..block.shape.len(),
    };
    wanted
        .map(|at| {
            let position = block.offset + at;
            let own = if block.shape == Shape::Scalar {
                name.to_owned()
            } else {
                model.element_name(name, indices, at)
            };
            let (varied, numbers, own) = match target {
                Target::Parameter(_) => (Varied::Parameter(position), &present.parameters, own),
                Target::State(_) => {
                    let start = crate::diagnostic::number_text(model.time.start);
                    (
                        Varied::Initial(position),
                        &present.initial,
                        format!("{own}({start})"),
                    )
                }
            };
            Fitted {
                name: own,
                unit: unit.clone(),
                target,
                element: (block.shape != Shape::Scalar).then(|| u32::try_from(at).unwrap_or(0)),
                varied,
                scale: scale(bounds),
                bounds: bounds.map_or((f64::NEG_INFINITY, f64::INFINITY), |b| (b.low, b.high)),
                start: numbers.get(position).copied().unwrap_or(f64::NAN),
                prior: prior.map(|prior| numbers_of(compiled, present, prior)),
                span,
            }
        })
        .collect()
}

fn scale(bounds: Option<Bounds>) -> Scale {
    match bounds {
        Some(bounds) if bounds.logarithmic => Scale::Logarithmic,
        _ => Scale::Linear,
    }
}

/// A prior with its numbers.
fn numbers_of(compiled: &Compiled, present: &Present, prior: &Distribution) -> Prior {
    let mut pool = Pool::continuing(&compiled.system.pool);
    let number = |expr: crate::symbolic::Expr, pool: &mut Pool| {
        let inlined = compiled.system.inline(pool, expr);
        let start = compiled.model.time.start;
        let numbers = at_present(pool, &compiled.system, start, inlined, present);
        numbers.first().copied().unwrap_or(f64::NAN)
    };
    let arguments = prior.arguments.iter();
    Prior {
        family: prior.family,
        parameters: arguments.map(|expr| number(*expr, &mut pool)).collect(),
    }
}
