//! What is minimised.
//!
//! Enters: a point. Leaves: minus a log-likelihood (plus what priors add), its gradient, and
//! generalised residuals r with Jacobian J: J'r is the gradient exactly and J'J the expected
//! (Fisher) information, so that one method of Gauss and Newton serves every distribution
//! (scoring; P. McCullagh, J. A. Nelder, Generalized Linear Models, 2nd edition, 1989, section 2.5).

use crate::simulate::Stop;

/// How much of an objective is asked for; each includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// The value alone.
    Value,
    /// The gradient too.
    Gradient,
    /// Generalised residuals too.
    Residuals,
}

/// An objective at a point of m numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluation {
    /// Minus the logarithm of likelihood and prior densities: differences of it are differences
    /// of log-likelihood.
    pub value: f64,
    /// Its derivatives: m numbers, none unless asked for.
    pub gradient: Vec<f64>,
    /// k generalised residuals r, none unless asked for.
    pub residuals: Vec<f64>,
    /// Their Jacobian, k rows of m numbers: J'r is the gradient, J'J the expected information.
    pub jacobian: Vec<f64>,
}

/// Why an objective has no value at a point.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// A run ended early.
    Run {
        /// Which of the objective's runs.
        run: usize,
        /// Why it ended.
        stop: Stop,
        /// When.
        time: f64,
    },
    /// A datum has no density: a distribution's parameter is outside its domain, or not finite.
    NoDensity {
        /// Which of the objective's runs.
        run: usize,
        /// Which of its data.
        datum: usize,
    },
    /// There is nothing to start from: no stationary distribution where one is asked for, or an
    /// initial value that is not finite, or not positive where its logarithm counts.
    NoStart {
        /// Which of the objective's runs.
        run: usize,
    },
    /// What is assumed of a run ceases to hold within it.
    Assumption {
        /// Which of the objective's runs.
        run: usize,
        /// Which of its assumptions.
        assumption: usize,
        /// When.
        time: f64,
    },
    /// No steady state was found where one is asked for.
    NoRest {
        /// Which of the objective's runs.
        run: usize,
    },
    /// The point is outside the region that is searched.
    Outside {
        /// Which of the requirements does not hold.
        requirement: usize,
        /// For which of the objective's runs.
        run: usize,
    },
    /// A prior density vanishes or is not finite.
    NoPrior {
        /// Which of the parameters.
        parameter: usize,
    },
    /// The user interrupted.
    Interrupted,
}

/// How far a point is inside the region that is searched, by one of the requirements on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Margin {
    /// Which of the requirements.
    pub requirement: usize,
    /// For which of the objective's runs.
    pub run: usize,
    /// Above zero inside, below zero outside; smooth where it is zero.
    pub value: f64,
    /// Its derivatives: m numbers, none unless asked for.
    pub gradient: Vec<f64>,
}

/// Something to be minimised over m numbers.
pub trait Objective: Sync {
    /// m
    fn dimension(&self) -> usize;

    /// True when some points are outside the region that is searched: there [`Objective::evaluate`]
    /// ends with [`Fault::Outside`].
    fn has_region(&self) -> bool {
        false
    }

    /// The margins of the region at a point, also outside: always as many, in the same order.
    /// Derivatives with anything but [`Wanted::Value`].
    ///
    /// # Errors
    /// Where they cannot be told.
    fn margins(&self, _at: &[f64], _wanted: Wanted) -> Result<Vec<Margin>, Fault> {
        Ok(Vec::new())
    }

    /// Evaluates it at a point.
    ///
    /// # Errors
    /// Where it has no finite value; searches take it as infinite there.
    fn evaluate(&self, at: &[f64], wanted: Wanted) -> Result<Evaluation, Fault>;
}
