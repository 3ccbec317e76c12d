//! The matrices that a search moves, their masks, their inputs and their penalties, by number.
//!
//! Enters: the form of the model, parameter values in each group. Leaves: A, B, C and X with what is
//! free of them, and weights. Must not know cells, or how a search goes.

use super::answer::Spread;
use super::matrix;
use super::recognise::{Form, Noise, Term};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::fit::cells::{Covariance, Entries};
use crate::linalg::Matrix;
use crate::model::{Norm, ParameterId, Penalty, Weight};
use crate::session::compiled::Compiled;
use crate::session::values;
use crate::symbolic::Expr;

/// Of a free covariance this part of the mean variance is added to each, where nothing else is said.
const RIDGE: f64 = 1e-6;
/// What decides where the cells say nothing, where nothing else is said.
pub(super) const LEAST: f64 = 1e-8;

/// Which columns of B a parameter is: from the first on, up to the last.
pub(super) type Columns = (ParameterId, usize, usize);

/// Weights of penalties, for a cell.
pub(super) struct Weights {
    pub drift: f64,
    pub input: f64,
    pub l1: f64,
    /// Added to the variances of a free covariance.
    noise: f64,
    pub held_out: bool,
    pub is_adaptive: bool,
}

/// The parameters by number.
pub(super) struct Own<'a> {
    pub compiled: &'a Compiled,
    pub fitted: &'a [ParameterId],
    pub present: &'a [f64],
    /// Genes.
    pub p: usize,
}

impl<'a> Own<'a> {
    /// The parameters of a model at these values.
    pub fn new(compiled: &'a Compiled, fitted: &'a [ParameterId], present: &'a [f64]) -> Own<'a> {
        let state = compiled.model.states.first();
        Own {
            compiled,
            fitted,
            present,
            p: state.map_or(0, |state| compiled.model.count_of(&state.indices)),
        }
    }

    fn numbers_of(&self, id: ParameterId) -> &[f64] {
        let block = self.compiled.system.parameters.blocks()[id.index()];
        &self.present[block.range()]
    }

    /// Which entries are fitted.
    fn free(&self, id: ParameterId) -> Vec<bool> {
        let many = self.numbers_of(id).len();
        match (
            &self.compiled.model.parameters[id.index()].mask,
            self.fitted.contains(&id),
        ) {
            (_, false) => vec![false; many],
            (Some(mask), true) => mask.to_vec(),
            (None, true) => vec![true; many],
        }
    }

    /// A. Entries without a value start at rest alone: -1 on the diagonal.
    pub fn drift(&self, id: ParameterId) -> Entries {
        let mut values = matrix(self.p, self.numbers_of(id));
        let p = self.p.max(1);
        for (at, value) in values.iter_mut().enumerate() {
            if value.is_nan() {
                *value = if at % p == at / p { -1.0 } else { 0.0 };
            }
        }
        Entries {
            values,
            free: self.free(id),
        }
    }

    /// B: the columns of all fitted terms, then unit columns where something is given. With
    /// which columns belong to which parameter.
    pub fn input(&self, form: &Form) -> (Entries, Vec<Columns>) {
        let mut values = Vec::new();
        let mut free = Vec::new();
        let mut columns = Vec::new();
        let p = self.p.max(1);
        for term in &form.terms {
            if let Term::Fitted { parameter, .. } = term {
                let own = self.numbers_of(*parameter);
                let first = values.len() / p;
                values.extend(own.iter().map(|x| if x.is_nan() { 0.0 } else { *x }));
                free.extend(self.free(*parameter));
                columns.push((*parameter, first, values.len() / p));
            }
        }
        if form
            .terms
            .iter()
            .any(|term| matches!(term, Term::Given { .. }))
        {
            // What is given stands in the inputs.
            let unit = (0..self.p * self.p).map(|at| f64::from(u8::from(at % p == at / p)));
            values.extend(unit);
            free.extend(std::iter::repeat_n(false, self.p * self.p));
        }
        let entries = Entries {
            values: matrix(self.p, &values),
            free,
        };
        (entries, columns)
    }

    /// X in each group, and without conditions and covariates.
    pub fn inputs(&self, form: &Form, of_groups: &[Vec<f64>], plain: &[f64]) -> (Matrix, Matrix) {
        let columns: Vec<Vec<f64>> = of_groups
            .iter()
            .map(|own| self.input_of(form, own))
            .collect();
        let rows = columns.first().map_or(0, Vec::len);
        let all: Vec<f64> = columns.concat();
        let before = self.input_of(form, plain).repeat(columns.len());
        (matrix(rows, &all), matrix(rows, &before))
    }

    /// One column of X: what multiplies fitted matrices, 1 for vectors, then the sum of what is given.
    fn input_of(&self, form: &Form, parameters: &[f64]) -> Vec<f64> {
        let mut column = Vec::new();
        let mut given: Option<Vec<f64>> = None;
        for term in &form.terms {
            match term {
                Term::Fitted { by, sign, .. } => match by {
                    None => column.push(*sign),
                    Some(by) => {
                        let by = numbers(self.compiled, *by, parameters);
                        column.extend(by.into_iter().map(|x| sign * x));
                    }
                },
                Term::Given { expr, sign } => {
                    let own = numbers(self.compiled, *expr, parameters);
                    let sum = given.get_or_insert_with(|| vec![0.0; self.p]);
                    for (at, place) in sum.iter_mut().enumerate() {
                        *place += sign * own.get(at).or(own.first()).copied().unwrap_or(f64::NAN);
                    }
                }
            }
        }
        column.extend(given.into_iter().flatten());
        column
    }

    /// C, and where the covariance comes from.
    pub fn noise(&self, form: &Form, weights: &Weights) -> (Covariance, Entries, Spread) {
        let p = self.p;
        let free_covariance = |ridge: f64| {
            (
                Covariance::Profiled { ridge },
                Entries::held(Matrix::zeros(p, p)),
                Spread::Free(ridge),
            )
        };
        match form.noise {
            Noise::Absent => free_covariance(weights.noise),
            Noise::Given => {
                let held = Entries::held(self.factor());
                (Covariance::FromNoise, held, Spread::Held)
            }
            Noise::Matrix(id) => {
                let free = self.free(id);
                if free.len() == p * p && free.iter().all(|free| *free) {
                    return free_covariance(weights.noise);
                }
                let mut values = matrix(p, self.numbers_of(id));
                start_of_noise(&mut values);
                (
                    Covariance::FromNoise,
                    Entries { values, free },
                    Spread::Fitted,
                )
            }
            Noise::Diagonal(id) => {
                let own = self.numbers_of(id);
                let mut values = diagonal(own);
                start_of_noise(&mut values);
                let along = self.free(id);
                let mut free = vec![false; p * p];
                for (at, is_free) in along.into_iter().enumerate() {
                    free[at * p + at] = is_free;
                }
                (
                    Covariance::FromNoise,
                    Entries { values, free },
                    Spread::Fitted,
                )
            }
        }
    }

    /// C at the present values.
    fn factor(&self) -> Matrix {
        let Some(noise) = &self.compiled.system.noise else {
            return Matrix::zeros(self.p, self.p);
        };
        let pattern = &noise.factor.pattern;
        let mut full = Matrix::zeros(pattern.rows, pattern.columns);
        let places: Vec<(usize, usize)> = pattern.places().collect();
        for contribution in &noise.factor.contributions {
            let numbers = numbers(self.compiled, contribution.expr, self.present);
            for (entry, number) in contribution.entries.iter().zip(numbers) {
                if let Some(place) = places.get(*entry as usize) {
                    full[*place] += number;
                }
            }
        }
        full
    }

    /// The penalties of the parameters, for a cell.
    pub fn weights(&self, form: &Form, columns: &[Columns]) -> Result<Weights, Vec<Diagnostic>> {
        let mut weights = Weights {
            drift: LEAST,
            input: LEAST,
            l1: 0.0,
            noise: RIDGE,
            held_out: false,
            is_adaptive: false,
        };
        let mut problems = Vec::new();
        for id in self.fitted {
            let known = &self.compiled.model.parameters[id.index()];
            let is_drift = *id == form.drift;
            let is_input = columns.iter().any(|(own, ..)| own == id);
            for penalty in &known.penalties {
                let given = match penalty.weight {
                    Weight::Given(weight) => Some(weight),
                    Weight::HeldOut => None,
                };
                match (penalty.norm, given) {
                    _ if penalty.is_two_sided => problems.push(
                        Diagnostic::new(Code::BadOption, "`sides` belongs to a matrix between two others")
                            .at(penalty.span, "")
                            .help("leave the word out"),
                    ),
                    _ if is_drift && !penalty.off_diagonal => problems.push(
                        Diagnostic::new(Code::BadOption, "the diagonal of this matrix is not penalised: it keeps the system stable")
                            .at(penalty.span, "")
                            .help(format!("say `offdiag`, as in `penalty {}`", off_diagonal(penalty))),
                    ),
                    (Norm::Square, None) => problems.push(
                        Diagnostic::new(Code::BadOption, "only an `l1` of the matrix that acts on the state has a weight that is chosen")
                            .at(penalty.span, "")
                            .help("give a number"),
                    ),
                    (Norm::Absolute, _) if !is_drift => problems.push(
                        Diagnostic::new(Code::BadOption, "an `l1` is for the matrix that acts on the state")
                            .at(penalty.span, "")
                            .help("use `l2` here"),
                    ),
                    (Norm::Square, Some(weight)) if is_drift => weights.drift = weight,
                    (Norm::Square, Some(weight)) if is_input => weights.input = weight,
                    (Norm::Square, Some(weight)) => weights.noise = weight,
                    (Norm::Absolute, Some(weight)) => {
                        weights.l1 = weight;
                        weights.is_adaptive = penalty.is_adaptive;
                    }
                    (Norm::Absolute, None) => {
                        weights.held_out = true;
                        weights.is_adaptive = penalty.is_adaptive;
                    }
                }
            }
        }
        if problems.is_empty() {
            Ok(weights)
        } else {
            Err(problems)
        }
    }
}

/// The same penalty without the diagonal, as it is written.
fn off_diagonal(penalty: &Penalty) -> String {
    let norm = match penalty.norm {
        Norm::Square => "l2",
        Norm::Absolute => "l1",
    };
    let weight = match penalty.weight {
        Weight::Given(weight) => number_text(weight),
        Weight::HeldOut => "auto".to_owned(),
    };
    let adaptive = if penalty.is_adaptive {
        ", adaptive"
    } else {
        ""
    };
    format!("{norm}({weight}, offdiag{adaptive})")
}

/// Free entries of C without a value start at 1 on the diagonal.
fn start_of_noise(values: &mut Matrix) {
    let rows = values.nrows().max(1);
    for (at, value) in values.iter_mut().enumerate() {
        if value.is_nan() {
            *value = f64::from(u8::from(at % rows == at / rows));
        }
    }
}

/// A square matrix with these numbers on its diagonal.
fn diagonal(along: &[f64]) -> Matrix {
    let n = along.len();
    Matrix::from_fn(
        n,
        n,
        |row, column| if row == column { along[row] } else { 0.0 },
    )
}

/// Numbers of an expression at parameter values.
fn numbers(compiled: &Compiled, expr: Expr, parameters: &[f64]) -> Vec<f64> {
    let point = values::Point {
        time: compiled.model.time.start,
        state: &[],
        parameters,
        slots: &[],
    };
    values::evaluate_at(&compiled.system.pool, &compiled.system, expr, &point)
}
