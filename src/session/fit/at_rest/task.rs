//! What the search is given: matrices with their masks, inputs, penalties.
//!
//! Enters: the form of the model, groups of cells. Leaves: a [`Task`], which runs. Must not know
//! words of sentences, or how results are shown.

use super::answer::{Chosen, Estimate, Spread};
use super::groups::{Groups, Reader, Seen};
use super::look::{self, Scatter};
use super::matrix;
use super::recognise::{Form, Noise, Term};
use super::sentence::FitAtRest;
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::fit::cells::{
    self, Cells, Course, Covariance, Design, Entries, Found, Mismatch, Options, Path, Penalty,
    Point, Question, Statistics,
};
use crate::linalg::Matrix;
use crate::model::{Norm, ParameterId, Weight};
use crate::session::cells::CellFile;
use crate::session::compiled::Compiled;
use crate::session::tables::Tables;
use crate::session::values::{self, Overrides};
use crate::symbolic::{Expr, symbols_of};

/// Folds in which weights are tried.
const FOLDS: usize = 5;
/// Of a free covariance this part of the mean variance is added to each, where nothing else is said.
const RIDGE: f64 = 1e-6;
/// What decides where the cells say nothing, where nothing else is said.
const LEAST: f64 = 1e-8;
/// An adaptive weight is (f/(|a| + f))^1 for an entry a of a first fit: f beside the largest entry.
const FLOOR: f64 = 1e-2;

/// The cells as they were read.
pub(super) struct Read {
    pub groups: Groups,
    pub statistics: Statistics,
    /// What measuring adds to the variances.
    pub measured: Vec<f64>,
    /// The parameter values without conditions and covariates.
    pub plain: Vec<f64>,
}

/// What is searched.
pub(super) struct Task {
    pub cells: Cells,
    pub design: Design,
    pub penalty: Penalty,
    pub spread: Spread,
    pub genes: Vec<String>,
    pub drift_name: String,
    /// The log-likelihood at the values that held before, where it has one.
    pub before: Option<f64>,
    /// The part of the mean variance of cells that measuring adds, where it adds any.
    pub measured: Option<f64>,
    statistics: Statistics,
    inputs: Matrix,
    course: Option<Course>,
    covariance: Covariance,
    /// The weight is chosen by groups that are held out.
    held_out: bool,
    is_adaptive: bool,
    fitted: Vec<ParameterId>,
    /// Where fitted parameters stand: A itself, columns of B, C or its diagonal.
    drift: ParameterId,
    columns: Vec<(ParameterId, usize, usize)>,
    noise: Noise,
}

/// What a number of a point is.
pub(super) enum Place {
    Of(ParameterId, usize, usize),
    Held,
}

/// The end of the search.
pub(super) struct Ran {
    pub found: Found,
    pub selection: Option<Chosen>,
    /// The weight of l1 in the end.
    pub weight: f64,
}

/// Reads the cells into groups and statistics.
pub(super) fn read(
    compiled: &Compiled,
    overrides: &Overrides,
    (command, fitted, seed): (&FitAtRest, &[ParameterId], u64),
    form: &Form,
    tables: &Tables<'_>,
    interrupted: &dyn Fn() -> bool,
) -> Result<Read, Vec<Diagnostic>> {
    let one = |problem: Diagnostic| vec![problem];
    let file = CellFile::open(tables, &command.data.path).map_err(one)?;
    let reader = Reader {
        compiled,
        overrides,
        command,
        file: &file,
    };
    let groups = reader.groups(&covariates(compiled, form))?;
    let state = &compiled.model.states[0];
    let labels = labels(compiled, state.indices.first().copied());
    let layer = command.layer.as_ref();
    let plain = compiled.present(overrides).parameters;
    let look = look::look(compiled, &plain, (fitted, command))?;
    let matrix = file
        .matrix(layer, &look.name, &labels, interrupted)
        .map_err(one)?;
    let depths = match look.scatter {
        Scatter::Counts(Some(depth)) => Some(reader.depths(depth).map_err(one)?),
        _ => None,
    };
    // The first group is as good a control as any, and is never held out.
    let parts = cells::folds(groups.groups.len(), FOLDS, &[0], seed);
    let seen = Seen {
        cells: &matrix,
        of_cells: &groups.of_cells,
        look: &look,
        depths,
        labels: &labels,
        span: command.data.path.span,
    };
    let (statistics, measured) = seen.statistics(&parts, interrupted).map_err(one)?;
    Ok(Read {
        groups,
        statistics,
        measured,
        plain,
    })
}

fn labels(compiled: &Compiled, set: Option<crate::model::IndexSetId>) -> Vec<String> {
    let Some(set) = set else { return Vec::new() };
    let set = compiled.model.names.index_set(set);
    (0..set.len()).map(|at| set.label(at)).collect()
}

/// The covariates that the equations name.
fn covariates(compiled: &Compiled, form: &Form) -> Vec<ParameterId> {
    let exprs = form.terms.iter().filter_map(|term| match term {
        Term::Fitted { by, .. } => *by,
        Term::Given { expr, .. } => Some(*expr),
    });
    let symbols: Vec<_> = exprs
        .flat_map(|expr| symbols_of(&compiled.system.pool, expr))
        .collect();
    let known = compiled.model.parameters.iter().enumerate();
    known
        .filter(|(_, known)| known.is_covariate && symbols.contains(&known.symbol))
        .map(|(at, _)| ParameterId::new(at))
        .collect()
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

/// Puts everything together.
pub(super) fn task(
    compiled: &Compiled,
    overrides: &Overrides,
    (command, fitted): (&FitAtRest, &[ParameterId]),
    form: Form,
    read: &Read,
) -> Result<Task, Vec<Diagnostic>> {
    let genes = labels(compiled, compiled.model.states[0].indices.first().copied());
    let present = compiled.present(overrides).parameters;
    let own = Own {
        compiled,
        fitted,
        present: &present,
        p: genes.len(),
    };
    let used = form.uses(fitted);
    if let Some(idle) = fitted.iter().find(|id| !used.contains(id)) {
        let name = &compiled.model.parameters[idle.index()].name;
        let message = format!("`{name}` does not appear in the equations");
        return Err(vec![
            Diagnostic::new(Code::CannotFit, message).at(command.span, ""),
        ]);
    }
    let (input, columns) = own.input(&form);
    let (now, before) = own.inputs(&form, &read.groups.parameters, &read.plain);
    let course = read.groups.on_the_way.then(|| Course {
        before,
        times: read.groups.groups.iter().map(|group| group.time).collect(),
    });
    let weights = own.weights(&form, &columns)?;
    let (covariance, noise, spread) = own.noise(&form, &weights);
    let design = Design {
        drift: own.drift(form.drift),
        input,
        noise,
    };
    let is_measured = read.measured.iter().any(|variance| *variance > 0.0);
    let cells = Cells::new(&read.statistics, &now, course.as_ref(), covariance.clone())
        .and_then(|cells| match is_measured {
            true => cells.measured_with(read.measured.clone()),
            false => Ok(cells),
        })
        .map_err(|mismatch| vec![super::misfit(mismatch, command)])?;
    let before = cells::moments(&cells, &design.start(), &|| false).ok();
    let before = before.map(|moments| -moments.value * cells.cells());
    let groups = read.groups.groups.len();
    if weights.held_out && groups < 3 {
        return Err(vec![
            Diagnostic::new(Code::CannotFit, "too few groups to hold some out")
                .at(command.data.path.span, format!("there are {groups}"))
                .help("give the penalty a weight, as in `penalty l1(0.01, offdiag)`"),
        ]);
    }
    Ok(Task {
        drift_name: compiled.model.parameters[form.drift.index()].name.clone(),
        design: cells::matched_start(&cells, &design, &|| false).unwrap_or(design),
        penalty: Penalty {
            ridge: weights.drift,
            input_ridge: weights.input,
            l1: weights.l1,
            multipliers: None,
        },
        cells,
        before,
        spread,
        genes,
        measured: is_measured.then(|| {
            let total = read.statistics.scatter().trace() / read.statistics.cells();
            read.measured.iter().sum::<f64>() / total
        }),
        statistics: read.statistics.clone(),
        inputs: now,
        course,
        covariance,
        held_out: weights.held_out,
        is_adaptive: weights.is_adaptive,
        fitted: fitted.to_vec(),
        drift: form.drift,
        columns,
        noise: form.noise,
    })
}

impl Form {
    /// The fitted parameters that the form holds.
    fn uses(&self, fitted: &[ParameterId]) -> Vec<ParameterId> {
        let mut used: Vec<ParameterId> = fitted
            .iter()
            .copied()
            .filter(|id| *id == self.drift)
            .collect();
        used.extend(self.terms.iter().filter_map(|term| match term {
            Term::Fitted { parameter, .. } => Some(*parameter),
            Term::Given { .. } => None,
        }));
        if let Noise::Matrix(id) | Noise::Diagonal(id) = self.noise {
            used.push(id);
        }
        used
    }
}

/// Weights of penalties, for a cell.
struct Weights {
    drift: f64,
    input: f64,
    l1: f64,
    /// Added to the variances of a free covariance.
    noise: f64,
    held_out: bool,
    is_adaptive: bool,
}

/// The parameters by number.
struct Own<'a> {
    compiled: &'a Compiled,
    fitted: &'a [ParameterId],
    present: &'a [f64],
    /// Genes.
    p: usize,
}

impl Own<'_> {
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
    fn drift(&self, id: ParameterId) -> Entries {
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
    fn input(&self, form: &Form) -> (Entries, Vec<(ParameterId, usize, usize)>) {
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
    fn inputs(&self, form: &Form, of_groups: &[Vec<f64>], plain: &[f64]) -> (Matrix, Matrix) {
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
    fn noise(&self, form: &Form, weights: &Weights) -> (Covariance, Entries, Spread) {
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
    fn weights(
        &self,
        form: &Form,
        columns: &[(ParameterId, usize, usize)],
    ) -> Result<Weights, Vec<Diagnostic>> {
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
                        Diagnostic::new(Code::CannotFit, "`sides` belongs to a matrix between two others")
                            .at(penalty.span, "")
                            .help("leave the word out"),
                    ),
                    _ if is_drift && !penalty.off_diagonal => problems.push(
                        Diagnostic::new(Code::CannotFit, "the diagonal of this matrix is not penalised: it keeps the system stable")
                            .at(penalty.span, "")
                            .help("say `offdiag`, as in `penalty l1(0.1, offdiag)`"),
                    ),
                    (Norm::Square, None) => problems.push(
                        Diagnostic::new(Code::CannotFit, "only an `l1` of the matrix that acts on the state has a weight that is chosen")
                            .at(penalty.span, "")
                            .help("give a number"),
                    ),
                    (Norm::Absolute, _) if !is_drift => problems.push(
                        Diagnostic::new(Code::CannotFit, "an `l1` is for the matrix that acts on the state")
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

/// Free entries of C without a value start at 1 on the diagonal.
fn start_of_noise(values: &mut Matrix) {
    let rows = values.nrows().max(1);
    for (at, value) in values.iter_mut().enumerate() {
        if value.is_nan() {
            *value = f64::from(u8::from(at % rows == at / rows));
        }
    }
}

impl Task {
    /// The search, with the weight of its penalty chosen where that is wished.
    pub fn run(&self, interrupted: &dyn Fn() -> bool) -> Result<Ran, Mismatch> {
        let options = Options::default();
        let mut penalty = self.penalty.clone();
        if self.is_adaptive {
            let plain = Penalty {
                l1: 0.0,
                ..penalty.clone()
            };
            let first = cells::search(&self.cells, &self.design, &plain, &options, interrupted)?;
            let drift = &first.point.drift;
            let largest = drift
                .iter()
                .fold(0.0_f64, |most, entry| most.max(entry.abs()));
            penalty.multipliers = Some(cells::adaptive(drift, FLOOR * largest, 1.0));
        }
        if !self.held_out {
            let found = cells::search(&self.cells, &self.design, &penalty, &options, interrupted)?;
            return Ok(Ran {
                found,
                selection: None,
                weight: penalty.l1,
            });
        }
        let question = Question {
            statistics: &self.statistics,
            inputs: &self.inputs,
            course: self.course.as_ref(),
            covariance: &self.covariance,
            design: &self.design,
        };
        let path = Path {
            folds: FOLDS.min(self.statistics.groups() - 1),
            ..Path::default()
        };
        let selected = cells::select(question, &penalty, &options, &path, interrupted)?;
        Ok(Ran {
            weight: selected.weights.get(selected.best).copied().unwrap_or(0.0),
            selection: Some(Chosen {
                weights: selected.weights,
                scores: selected.scores,
                best: selected.best,
            }),
            found: selected.found,
        })
    }

    /// What the number at this place of a point (A, B, C, column by column) is.
    pub fn place(&self, at: usize) -> Option<Place> {
        let p = self.genes.len().max(1);
        let (drift, input) = (&self.design.drift.values, &self.design.input.values);
        if at < drift.len() {
            return Some(self.of(self.drift, at % p, at / p));
        }
        let at = at - drift.len();
        if at < input.len() {
            let (row, column) = (at % p, at / p);
            let own = self
                .columns
                .iter()
                .find(|(_, from, to)| (*from..*to).contains(&column));
            return Some(match own {
                Some((id, from, _)) => self.of(*id, row, column - from),
                None => Place::Held,
            });
        }
        let at = at - input.len();
        let (row, column) = (at % p, at / p);
        match self.noise {
            Noise::Matrix(id) => Some(self.of(id, row, column)),
            Noise::Diagonal(id) if row == column => Some(self.of(id, row, 0)),
            _ => None,
        }
    }

    fn of(&self, id: ParameterId, row: usize, column: usize) -> Place {
        match self.fitted.contains(&id) {
            true => Place::Of(id, row, column),
            false => Place::Held,
        }
    }

    /// The fitted parameters at a point, as the sentence orders them. A noise matrix that was left
    /// open is the lower triangle that makes the covariance; where A allows none it is not told.
    pub fn estimates(
        &self,
        compiled: &Compiled,
        point: &Point,
        errors: Option<&Point>,
        covariance: &Matrix,
    ) -> Vec<Estimate> {
        let mut found = Vec::new();
        for id in &self.fitted {
            let known = &compiled.model.parameters[id.index()];
            let sets = known.indices.iter().map(|set| labels(compiled, Some(*set)));
            let mut sets = sets;
            let (rows, columns) = (
                sets.next().unwrap_or_default(),
                sets.next().unwrap_or_default(),
            );
            let part = |of: &Point| -> Option<Matrix> {
                if *id == self.drift {
                    return Some(of.drift.clone());
                }
                if let Some((_, from, to)) = self.columns.iter().find(|(own, ..)| own == id) {
                    return Some(of.input.columns(*from, to - from).clone_owned());
                }
                match self.noise {
                    Noise::Matrix(_) => Some(of.noise.clone()),
                    Noise::Diagonal(_) => {
                        let along = of.noise.diagonal();
                        Some(Matrix::from_column_slice(along.len(), 1, along.as_slice()))
                    }
                    _ => None,
                }
            };
            let is_open_noise = matches!((self.noise, self.spread), (Noise::Matrix(own), Spread::Free(_)) if own == *id);
            let (values, errors) = if is_open_noise {
                match lower_factor(&point.drift, covariance) {
                    Some(values) => (values, None),
                    None => continue,
                }
            } else {
                match part(point) {
                    Some(values) => (values, errors.and_then(part)),
                    None => continue,
                }
            };
            let free = match &known.mask {
                Some(mask) => mask.to_vec(),
                None => vec![true; values.len()],
            };
            found.push(Estimate {
                parameter: *id,
                name: known.name.clone(),
                rows,
                columns,
                values,
                free,
                errors,
            });
        }
        found
    }

    /// The penalties with their weights, as they are told.
    pub fn told_penalties(&self, l1: f64) -> Vec<(String, f64)> {
        let mut told = Vec::new();
        if l1 > 0.0 {
            let adaptive = if self.is_adaptive { ", adaptive" } else { "" };
            told.push((
                format!(
                    "l1({}{adaptive}) on {} off its diagonal",
                    number_text(l1),
                    self.drift_name
                ),
                l1,
            ));
        }
        for (weight, what) in [
            (
                self.penalty.ridge,
                format!("{} off its diagonal", self.drift_name),
            ),
            (self.penalty.input_ridge, "the inputs".to_owned()),
        ] {
            if weight > LEAST {
                told.push((format!("l2({}) on {what}", number_text(weight)), weight));
            }
        }
        told
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

/// The lower triangle C with A S + S A^T + C C^T = 0.
fn lower_factor(drift: &Matrix, covariance: &Matrix) -> Option<Matrix> {
    let half = crate::linalg::products::product(drift, covariance);
    let diffusion = -(&half + half.transpose());
    let factor = crate::linalg::products::Cholesky::new(diffusion).ok()?;
    Some(factor.lower().clone())
}
