//! How a cell at rest is looked at: directly, with noise of measuring, or by counts.
//!
//! ```text
//! (no observe)                                             y itself
//! observe z[gene] ~ normal(y, 0.1)                         y with known noise
//! observe n[gene] ~ poisson(mean = depth*(y + ambient))    counts, of a depth that each cell has
//! ```
//!
//! A count n of the depth d says (n/d - ambient)/scale of y, with a variance that has the same mean as
//! n/(d scale)^2: that much is added to the variances of the model, gene by gene, rather than taken
//! from those of the cells.
//!
//! Enters: the observation of the model. Leaves: a [`Look`]. Must not know files.

use super::sentence::FitAtRest;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Family, Observation, ParameterId, Target};
use crate::session::compiled::Compiled;
use crate::session::values;
use crate::source::Span;
use crate::symbolic::{Expr, Pool, Shape, symbols_of};

/// What is seen of a cell: depth * (scale y + background), and how it scatters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Look {
    /// The name of the vector of data.
    pub name: String,
    /// One for each gene.
    pub scale: Vec<f64>,
    /// One for each gene.
    pub background: Vec<f64>,
    /// How what is seen scatters.
    pub scatter: Scatter,
}

/// How what is seen scatters around its mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scatter {
    /// With these variances, one for each gene; all zero when y itself is seen.
    Normal(Vec<f64>),
    /// As counts do; the covariate that is the depth, 1 when there is none.
    Counts(Option<ParameterId>),
}

/// The look of a model at its only state.
pub(super) fn look(
    compiled: &Compiled,
    parameters: &[f64],
    (fitted, command): (&[ParameterId], &FitAtRest),
) -> Result<Look, Vec<Diagnostic>> {
    let state = &compiled.model.states[0];
    let genes = compiled.model.count_of(&state.indices);
    let observation = match compiled.model.observations.as_slice() {
        [] => {
            return Ok(Look {
                name: state.name.clone(),
                scale: vec![1.0; genes],
                background: vec![0.0; genes],
                scatter: Scatter::Normal(vec![0.0; genes]),
            });
        }
        [one] if one.indices == state.indices => one,
        [other, ..] => {
            return Err(vec![
                misfit(
                    other.span,
                    "it is not one vector over the places of the state",
                )
                .at(command.span, ""),
            ]);
        }
    };
    let reader = Reader {
        compiled,
        parameters,
        fitted,
        observation,
        genes,
    };
    reader
        .read()
        .map_err(|problem| vec![problem.at(command.span, "")])
}

struct Reader<'a> {
    compiled: &'a Compiled,
    parameters: &'a [f64],
    fitted: &'a [ParameterId],
    observation: &'a Observation,
    genes: usize,
}

impl Reader<'_> {
    fn read(&self) -> Result<Look, Diagnostic> {
        let span = self.observation.distribution.span;
        let distribution = &self.observation.distribution;
        let mut pool = Pool::continuing(&self.compiled.system.pool);
        let mut arguments = Vec::new();
        for argument in &distribution.arguments {
            arguments.push(self.compiled.system.inline(&mut pool, *argument));
        }
        let Some((mean, rest)) = arguments.split_first() else {
            return Err(misfit(span, "it has no mean"));
        };
        let covariates = self.named(&pool, &arguments, |at| {
            self.compiled.model.parameters[at].is_covariate
        });
        let is_fitted = |at: usize| self.fitted.contains(&ParameterId::new(at));
        if !self.named(&pool, &arguments, is_fitted).is_empty() {
            return Err(misfit(span, "something in it is fitted"));
        }
        let depth = match (distribution.family, covariates.as_slice()) {
            (Family::Poisson, [one])
                if self.compiled.shape_of(Target::Parameter(*one)) == Shape::Scalar =>
            {
                Some(*one)
            }
            (Family::Poisson | Family::Normal, []) => None,
            (Family::Poisson, _) => {
                return Err(misfit(span, "its covariates are not one number, the depth"));
            }
            (Family::Normal, _) => return Err(misfit(span, "it has a covariate")),
            _ => return Err(misfit(span, "cells are seen by `normal` or `poisson`")),
        };
        let (scale, background) = self.line(&pool, *mean, depth, span)?;
        let scatter = match distribution.family {
            Family::Poisson => Scatter::Counts(depth),
            _ => Scatter::Normal(self.variances(&pool, rest.first().copied(), span)?),
        };
        Ok(Look {
            name: self.observation.name.clone(),
            scale,
            background,
            scatter,
        })
    }

    /// The parameters among some that expressions name.
    fn named(
        &self,
        pool: &Pool,
        exprs: &[Expr],
        is_wanted: impl Fn(usize) -> bool,
    ) -> Vec<ParameterId> {
        let known = self.compiled.model.parameters.iter().enumerate();
        known
            .filter(|(at, known)| {
                is_wanted(*at)
                    && exprs
                        .iter()
                        .any(|expr| symbols_of(pool, *expr).contains(&known.symbol))
            })
            .map(|(at, _)| ParameterId::new(at))
            .collect()
    }

    fn at(
        &self,
        pool: &Pool,
        expr: Expr,
        state: &[f64],
        depth: Option<(ParameterId, f64)>,
    ) -> Vec<f64> {
        let mut parameters = self.parameters.to_vec();
        if let Some((id, depth)) = depth {
            let block = self.compiled.system.parameters.blocks()[id.index()];
            parameters[block.range()].fill(depth);
        }
        let point = values::Point {
            time: self.compiled.model.time.start,
            state,
            parameters: &parameters,
            slots: &[],
        };
        let numbers = values::evaluate_at(pool, &self.compiled.system, expr, &point);
        match numbers.as_slice() {
            [one] => vec![*one; self.genes],
            _ => numbers,
        }
    }

    /// Scale and background of a mean that is depth * (scale y + background), gene by gene. Whether it
    /// is that is seen at a state of which no two numbers agree.
    fn line(
        &self,
        pool: &Pool,
        mean: Expr,
        depth: Option<ParameterId>,
        span: Span,
    ) -> Result<(Vec<f64>, Vec<f64>), Diagnostic> {
        let n = self.genes;
        let of = |state: &[f64], by: f64| self.at(pool, mean, state, depth.map(|id| (id, by)));
        let background = of(&vec![0.0; n], 1.0);
        let ones = of(&vec![1.0; n], 1.0);
        let scale: Vec<f64> = ones.iter().zip(&background).map(|(a, b)| a - b).collect();
        let other: Vec<f64> = (0..n)
            .map(|at| 1.0 + (at as f64 + 0.5).sqrt().fract())
            .collect();
        let twice = if depth.is_some() { 2.0 } else { 1.0 };
        let seen = of(&other, twice);
        let fits = seen.len() == n
            && (0..n).all(|at| {
                let expected = twice * (scale[at] * other[at] + background[at]);
                (seen[at] - expected).abs() <= 1e-9 * expected.abs().max(1e-9)
            });
        if !fits
            || scale
                .iter()
                .any(|scale| !(scale.is_finite() && *scale > 0.0))
        {
            return Err(misfit(
                span,
                "its mean is not a depth times the state, gene by gene, plus something known",
            ));
        }
        Ok((scale, background))
    }

    fn variances(
        &self,
        pool: &Pool,
        deviation: Option<Expr>,
        span: Span,
    ) -> Result<Vec<f64>, Diagnostic> {
        let Some(deviation) = deviation else {
            return Ok(vec![0.0; self.genes]);
        };
        let state = self.compiled.model.states[0].symbol;
        if symbols_of(pool, deviation).contains(&state) {
            return Err(misfit(span, "its standard deviation follows the state"));
        }
        let found = self.at(pool, deviation, &vec![0.0; self.genes], None);
        if found.len() != self.genes || found.iter().any(|sd| !(sd.is_finite() && *sd >= 0.0)) {
            return Err(misfit(span, "its standard deviation has no value"));
        }
        Ok(found.iter().map(|sd| sd * sd).collect())
    }
}

fn misfit(span: Span, label: &str) -> Diagnostic {
    Diagnostic::new(Code::CannotFit, "cells at rest are not seen in this way")
        .at(span, label)
        .help("as in `observe z[gene] ~ normal(y, 0.1)`, or `observe n[gene] ~ poisson(mean = depth*(y + ambient))` with a covariate `depth`; without `observe` the cells are the state itself")
}

impl Look {
    /// Turns what was seen of a cell into y as good as it can be told, in place, and adds to `sums`
    /// what the variance of counting is. What is no count is handed back with its place.
    pub fn turn(&self, depth: f64, cell: &mut [f64], sums: &mut [f64]) -> Result<(), (usize, f64)> {
        let counts = matches!(self.scatter, Scatter::Counts(_));
        for (at, seen) in cell.iter_mut().enumerate() {
            if counts {
                if !(*seen >= 0.0 && seen.fract() == 0.0) {
                    return Err((at, *seen));
                }
                sums[at] += *seen / (depth * self.scale[at]).powi(2);
            }
            *seen = (*seen / depth - self.background[at]) / self.scale[at];
        }
        Ok(())
    }

    /// True when the numbers of the file are the state itself.
    pub fn is_plain(&self) -> bool {
        let ones = self.scale.iter().all(|scale| *scale == 1.0);
        ones && self.background.iter().all(|b| *b == 0.0)
            && !matches!(self.scatter, Scatter::Counts(_))
    }

    /// What measuring adds to the variances of y, from sums over so many cells.
    pub fn variances(&self, sums: &[f64], cells: f64) -> Vec<f64> {
        match &self.scatter {
            Scatter::Counts(_) => sums.iter().map(|sum| sum / cells).collect(),
            Scatter::Normal(known) => {
                let all = known.iter().zip(&self.scale);
                all.map(|(variance, scale)| variance / (scale * scale))
                    .collect()
            }
        }
    }
}
