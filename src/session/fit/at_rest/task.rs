//! What is searched, and the search.
//!
//! Enters: the form of the model, groups of cells. Leaves: a [`Task`], which runs. Must not know
//! words of sentences, or how results are shown.

use super::answer::{Chosen, Estimate, Spread};
use super::design::{Columns, LEAST, Own};
use super::groups::{Groups, Reader, Seen};
use super::look::{self, Scatter};
use super::recognise::{Form, Noise, Term};
use super::sentence::FitAtRest;
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::fit::cells::{
    self, Cells, Course, Covariance, Design, End, Found, Mismatch, Options, Path, Penalty, Point,
    Question, Statistics, Watch,
};
use crate::linalg::Matrix;
use crate::model::ParameterId;
use crate::session::cells::CellFile;
use crate::session::compiled::Compiled;
use crate::session::tables::Tables;
use crate::session::values::Overrides;
use crate::symbolic::symbols_of;

/// Folds in which weights are tried.
const FOLDS: usize = 5;
/// An adaptive weight is (f/(|a| + f))^1 for an entry a of a first fit: f beside the largest entry.
const FLOOR: f64 = 1e-2;

/// The cells as they were read.
pub(super) struct Read {
    pub groups: Groups,
    pub statistics: Statistics,
    /// What measuring adds to the variances.
    pub measured: Vec<f64>,
    /// For folds.
    pub seed: u64,
    /// The group that is never held out, by number.
    pub control: usize,
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
    /// The group that is never held out.
    control: String,
    /// The weight is chosen by groups that are held out.
    pub held_out: bool,
    is_adaptive: bool,
    fitted: Vec<ParameterId>,
    /// Where fitted parameters stand: A itself, columns of B, C or its diagonal.
    drift: ParameterId,
    columns: Vec<Columns>,
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
    let own = Own::new(compiled, fitted, &plain);
    let (parts, control) = parts(&own, form, &groups, (&plain, seed));
    let seen = Seen {
        file: &file,
        cells: &matrix,
        of_cells: &groups.of_cells,
        look: &look,
        depths,
        labels: &labels,
        span: layer.map_or(command.data.path.span, |layer| layer.span),
    };
    let (statistics, measured) = seen.statistics(&parts, interrupted).map_err(one)?;
    Ok(Read {
        groups,
        statistics,
        measured,
        seed,
        control,
        plain,
    })
}

/// Refuses a file that lacks columns, genes or the layer that a fit reads; of an AnnData file no matrix
/// is read.
pub(super) fn check(
    compiled: &Compiled,
    overrides: &Overrides,
    (command, fitted): (&FitAtRest, &[ParameterId]),
    form: &Form,
    tables: &Tables<'_>,
) -> Result<(), Vec<Diagnostic>> {
    let one = |problem: Diagnostic| vec![problem];
    let file = CellFile::open(tables, &command.data.path).map_err(one)?;
    let reader = Reader {
        compiled,
        overrides,
        command,
        file: &file,
    };
    let groups = reader.groups(&covariates(compiled, form));
    let state = &compiled.model.states[0];
    let labels = labels(compiled, state.indices.first().copied());
    let plain = compiled.present(overrides).parameters;
    let look = look::look(compiled, &plain, (fitted, command))?;
    let matrix = file.check(command.layer.as_ref(), &look.name, &labels);
    let depths = match look.scatter {
        Scatter::Counts(Some(depth)) => reader.depths(depth).err(),
        _ => None,
    };
    let mut problems = groups.err().unwrap_or_default();
    problems.extend(matrix.err().into_iter().chain(depths));
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems),
    }
}

fn labels(compiled: &Compiled, set: Option<crate::model::IndexSetId>) -> Vec<String> {
    let Some(set) = set else { return Vec::new() };
    let set = compiled.model.names.index_set(set);
    (0..set.len()).map(|at| set.label(at)).collect()
}

/// The fold of each group, and the control: the group whose inputs reach the fewest entries of B. Names
/// decide, so that the order of the rows of a file does not.
fn parts(
    own: &Own,
    form: &Form,
    groups: &Groups,
    (plain, seed): (&[f64], u64),
) -> (Vec<usize>, usize) {
    let (input, _) = own.input(form);
    let (now, _) = own.inputs(form, &groups.parameters, plain);
    let genes = input.values.nrows().max(1);
    let acts = |at: &usize, free: &bool| *free || input.values[*at] != 0.0;
    let reached: Vec<usize> = (0..input.values.ncols())
        .map(|l| {
            let own = (l * genes..).zip(input.free.iter().skip(l * genes).take(genes));
            own.filter(|(at, free)| acts(at, free)).count()
        })
        .collect();
    let pushes = |group: &usize| -> usize {
        let inputs = now.column(*group);
        let pairs = inputs.iter().zip(&reached);
        pairs.filter(|(x, _)| **x != 0.0).map(|(_, n)| n).sum()
    };
    let label = |group: &usize| groups.groups.get(*group).map(|group| group.label.as_str());
    let mut order: Vec<usize> = (0..groups.groups.len()).collect();
    order.sort_by(|a, b| pushes(a).cmp(&pushes(b)).then(label(a).cmp(&label(b))));
    let dealt = cells::folds(order.len(), FOLDS, &[0], seed);
    let mut parts = vec![FOLDS; order.len()];
    for (group, part) in order.iter().zip(dealt) {
        parts[*group] = part;
    }
    (parts, order.first().copied().unwrap_or(0))
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

/// Puts everything together.
pub(super) fn task(
    compiled: &Compiled,
    (command, fitted): (&FitAtRest, &[ParameterId]),
    form: Form,
    read: &Read,
    interrupted: &dyn Fn() -> bool,
) -> Result<Task, Vec<Diagnostic>> {
    let genes = labels(compiled, compiled.model.states[0].indices.first().copied());
    let own = Own::new(compiled, fitted, &read.plain);
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
    let before = cells::moments(&cells, &design.start(), interrupted).ok();
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
        design: cells::matched_start(&cells, &design, interrupted).unwrap_or(design),
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
        control: read
            .groups
            .groups
            .get(read.control)
            .map_or_else(String::new, |group| group.label.clone()),
        is_adaptive: weights.is_adaptive,
        fitted: fitted.to_vec(),
        drift: form.drift,
        columns,
        noise: form.noise,
    })
}

impl Task {
    /// The search, with the weight of its penalty chosen where that is wished.
    pub fn run(&self, watch: Watch<'_>) -> Result<Ran, Mismatch> {
        let interrupted = watch.interrupted;
        let options = Options::default();
        let mut penalty = self.penalty.clone();
        if self.is_adaptive {
            let plain = Penalty {
                l1: 0.0,
                ..penalty.clone()
            };
            let first = cells::search(&self.cells, &self.design, &plain, &options, interrupted)?;
            if first.end == End::Interrupted {
                return Ok(Ran {
                    found: first,
                    selection: None,
                    weight: 0.0,
                });
            }
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
        let selected = cells::select(question, &penalty, &options, &path, watch)?;
        Ok(Ran {
            weight: selected.weights.get(selected.best).copied().unwrap_or(0.0),
            selection: Some(Chosen {
                weights: selected.weights,
                scores: selected.scores,
                best: selected.best,
                control: self.control.clone(),
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
            let mut sets = known.indices.iter().map(|set| labels(compiled, Some(*set)));
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

/// The lower triangle C with A S + S A^T + C C^T = 0.
fn lower_factor(drift: &Matrix, covariance: &Matrix) -> Option<Matrix> {
    let half = crate::linalg::products::product(drift, covariance);
    let diffusion = -(&half + half.transpose());
    let factor = crate::linalg::products::Cholesky::new(diffusion).ok()?;
    Some(factor.lower().clone())
}
