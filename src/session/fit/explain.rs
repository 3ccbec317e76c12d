//! `explain fit`: how the likelihood of the last fit was computed, and why so.
//!
//! Enters: the last fit. Leaves: an [`Explanation`]: facts with the names of the model, no sentences.
//! Nothing is remembered for it: what decides is in the symbols, and the estimates are at hand.

use super::super::outcome::{Outcome, Performed};
use super::super::{Session, done};
use super::GeneFit;
use super::answer::FitAnswer;
use super::picture::nothing_fitted;
use super::stochastic::Filters;
use crate::diagnostic::Diagnostic;
use crate::fit::filter::{Obstacle, Reasons, Route, Start, reasons};
use crate::fit::{Datum, Scale, Wanted};
use crate::simulate::Method;
use crate::source::Span;
use crate::symbolic::{Expr, Notation};
use crate::world::World;
use std::sync::Arc;

/// How a fit was computed.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The fit.
    pub fit: Arc<FitAnswer>,
    /// Where its likelihood comes from.
    pub from: LikelihoodFrom,
    /// True when every quantity has two bounds: starts can be drawn.
    pub is_bounded: bool,
}

/// Where a likelihood comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum LikelihoodFrom {
    /// A formula of time: the model has no states.
    Formula,
    /// Runs of the model, each up to its last datum.
    Runs {
        /// How the first of them is solved at the estimates.
        methods: Vec<Method>,
        /// Relative tolerance.
        relative: f64,
        /// The fitted quantities that move the states: their derivatives are integrated too.
        moving: Vec<String>,
    },
    /// What the data before each datum foretell of it.
    Filter(FilterFrom),
}

/// Of a model with noise.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterFrom {
    /// How the state gets from datum to datum.
    pub route: Route,
    /// The scale on which the states are Gaussian.
    pub scale: Scale,
    /// How many numbers the state has.
    pub states: usize,
    /// The derivatives of the drift by the states that are not zero: `theta*(mu - y)` by `y`. Empty
    /// where the drift is not linear in the states themselves.
    pub matrix: Vec<Entry>,
    /// What stands against the exact transition.
    pub obstacles: Vec<Against>,
    /// What is known of the states at the start.
    pub start: Start,
    /// False where what is seen by normal data is linearised.
    pub is_seen_linearly: bool,
    /// How many data are known to lie below or above a limit.
    pub limits: usize,
}

/// An entry of the Jacobian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose drift.
    pub state: String,
    /// By what.
    pub by: String,
    /// The derivative.
    pub text: String,
}

/// An [`Obstacle`] in the names of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// The derivative depends on a state.
    NotLinear(Entry),
    /// The derivative depends on time or an input.
    NotConstant(Entry),
    /// This drift is moved by time or an input.
    Driven {
        /// Whose.
        state: String,
        /// The drift.
        text: String,
    },
    /// The variance of noise per time depends on a state.
    NotAdditive {
        /// Whose noise.
        state: String,
        /// Its variance per time.
        text: String,
    },
    /// The variance of noise per time depends on time or an input.
    NoiseNotConstant {
        /// Whose noise.
        state: String,
        /// Its variance per time.
        text: String,
    },
    /// The drift has conditions.
    Conditions,
    /// Doses are given.
    Doses,
}

impl Session {
    pub(in crate::session) fn explain_fit(&self, span: Span) -> Result<Performed, Vec<Diagnostic>> {
        if let Some(fit) = self.genes.clone() {
            return Ok(done(match fit {
                GeneFit::AtRest(answer) => Outcome::FitAtRestExplained(answer),
                GeneFit::Lines(answer) => Outcome::VelocityExplained(answer),
                GeneFit::Factored(answer) => Outcome::FactoredExplained(answer),
            }));
        }
        let fit = self.need_fits(span)?.first().cloned();
        let Some(fit) = fit else {
            return Err(nothing_fitted(span));
        };
        let from = from(&fit, &**self.world());
        let bounds = fit
            .fitted
            .iter()
            .flat_map(|known| [known.bounds.0, known.bounds.1]);
        let is_bounded = bounds.into_iter().all(f64::is_finite);
        Ok(done(Outcome::FitExplained(Arc::new(Explanation {
            from,
            is_bounded,
            fit,
        }))))
    }
}

fn from(fit: &FitAnswer, world: &dyn World) -> LikelihoodFrom {
    if let Some(filters) = &fit.filters {
        return LikelihoodFrom::Filter(filter_from(fit, filters));
    }
    let plan = fit.runs.first().and_then(|run| run.plan.as_ref());
    let Some(plan) = plan else {
        return LikelihoodFrom::Formula;
    };
    let likelihood = fit.likelihood(world);
    let solved = likelihood.solved(0, &fit.estimates, Wanted::Gradient);
    let (solution, movers) =
        solved.map_or((None, Vec::new()), |run| (Some(run.solution), run.movers));
    let mut methods: Vec<Method> = Vec::new();
    for used in solution.iter().flat_map(|solution| &solution.methods) {
        if !methods.contains(&used.method) {
            methods.push(used.method);
        }
    }
    let named = fit.fitted.iter().zip(movers);
    LikelihoodFrom::Runs {
        methods,
        relative: plan.options.tolerances.relative,
        moving: named
            .filter(|(_, moves)| *moves)
            .map(|(known, _)| known.name.clone())
            .collect(),
    }
}

fn filter_from(fit: &FitAnswer, filters: &Filters) -> FilterFrom {
    let equations = &filters.equations;
    let found = match equations.scale {
        Scale::Linear => reasons(&equations.system),
        // The equations of logarithms are not those that were written.
        Scale::Logarithmic => None,
    };
    let (mut matrix, mut obstacles) = (Vec::new(), Vec::new());
    if let Some(found) = &found {
        obstacles = (found.obstacles.iter())
            .map(|known| against(fit, found, *known))
            .collect();
        let is_linear = |known: &Against| !matches!(known, Against::NotLinear(_));
        if obstacles.iter().all(is_linear) {
            matrix = entries(fit, found);
        }
    }
    FilterFrom {
        route: equations.route,
        scale: equations.scale,
        states: equations.dimension(),
        matrix,
        obstacles,
        start: filters.from.clone(),
        is_seen_linearly: equations.is_seen_linearly,
        limits: (fit.runs.iter().flat_map(|run| &run.data.points))
            .filter(|point| !matches!(point.datum, Datum::Exactly(_)))
            .count(),
    }
}

/// The entries of the Jacobian that are not zero.
fn entries(fit: &FitAnswer, found: &Reasons) -> Vec<Entry> {
    let n = found.dimension.max(1);
    let all = found.jacobian.iter().copied().enumerate();
    let present = all.filter(|(_, entry)| !found.pool.is_zero(*entry));
    present
        .map(|(at, expr)| entry(fit, found, (at % n, at / n), expr))
        .collect()
}

fn entry(fit: &FitAnswer, found: &Reasons, (row, column): (usize, usize), expr: Expr) -> Entry {
    Entry {
        state: fit.compiled.state_name(row),
        by: fit.compiled.state_name(column),
        text: text(fit, found, expr),
    }
}

fn text(fit: &FitAnswer, found: &Reasons, expr: Expr) -> String {
    let model = &fit.compiled.model;
    model.print(&found.pool, expr, Notation::Text)
}

fn against(fit: &FitAnswer, found: &Reasons, known: Obstacle) -> Against {
    let state = |row| fit.compiled.state_name(row);
    match known {
        Obstacle::NotLinear {
            row,
            column,
            entry: expr,
        } => Against::NotLinear(entry(fit, found, (row, column), expr)),
        Obstacle::NotConstant {
            row,
            column,
            entry: expr,
        } => Against::NotConstant(entry(fit, found, (row, column), expr)),
        Obstacle::Driven { row, drift } => Against::Driven {
            state: state(row),
            text: text(fit, found, drift),
        },
        Obstacle::NotAdditive { row, variance } => Against::NotAdditive {
            state: state(row),
            text: text(fit, found, variance),
        },
        Obstacle::NoiseNotConstant { row, variance } => Against::NoiseNotConstant {
            state: state(row),
            text: text(fit, found, variance),
        },
        Obstacle::Conditions => Against::Conditions,
        Obstacle::Doses => Against::Doses,
    }
}
