//! `fit K, b to "screen.csv" (baseline = control)` of Y = G*K*transpose(P) + b: linear models of
//! perturbations.
//!
//! ```text
//! form.rs     is the model one of this kind, with which parameters
//! data.rs     the matrix of genes by perturbations, and which gene each perturbs
//! mod.rs      the fit, whose K, b, G and P become the values that hold
//! predict.rs  `predict Sox2`: genes that were never perturbed
//! ```
//!
//! Enters: the sentence, the file that it names. Leaves: a [`FactoredAnswer`]. The solution is
//! [`crate::fit::factored`]'s work: K has a row and a column for each factor, and is found from
//! matrices of that size, where the general fit would have a row for each entry of Y.

mod data;
mod form;
mod predict;

pub use form::Form;
pub use predict::{Predict, PredictionAnswer};
pub(super) use predict::{check as check_prediction, lower as lower_predict};

use super::compiled::Compiled;
use super::fit::{Fit, GeneFit, Possible, nothing_left_over};
use super::outcome::{Outcome, Performed};
use super::tables::Tables;
use super::{Session, done, undo};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::fit::factored::{self, Matrix, Penalty, Training, Unfit};
use crate::model::{Norm, ParameterId, Per, Target, Weight};
use crate::source::Span;
use crate::syntax::tree::{self, ExprKind};
use data::Screen;
use std::sync::Arc;

/// What the model is called in messages.
const WHAT: &str = "a model of perturbations, which is solved at once";

/// A fitted model of perturbations.
#[derive(Debug)]
pub struct FactoredAnswer {
    /// The sentence.
    pub span: Span,
    /// The model.
    pub compiled: Arc<Compiled>,
    /// Its parts.
    pub form: Form,
    /// The data as the sentence names them.
    pub file: String,
    /// The names of the genes, in the order of rows.
    pub genes: Vec<String>,
    /// The names of the perturbations, in the order of columns.
    pub perturbations: Vec<String>,
    /// The column that changes are counted from.
    pub control: usize,
    /// The numbers of that column.
    pub baseline: Vec<f64>,
    /// How many rows of the file each column is the mean of, where it has rows for perturbations.
    pub replicates: Option<Vec<usize>>,
    /// What was asked of K.
    pub penalty: Penalty,
    /// K and b, with G.
    pub model: factored::Model,
    /// The share of the variation within columns that the factors hold.
    pub share: f64,
    /// How well each perturbation is met.
    pub met: Vec<Met>,
}

/// How a fitted model meets a perturbation that it has seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Met {
    /// The correlation of observed and fitted changes over genes; not a number where one of them is
    /// the same for all genes.
    pub correlation: f64,
    /// The root of the mean of squared residuals.
    pub residual: f64,
}

impl FactoredAnswer {
    /// The name of a parameter.
    #[must_use]
    pub fn name_of(&self, id: ParameterId) -> &str {
        &self.compiled.model.parameters[id.index()].name
    }

    /// The number of factors.
    #[must_use]
    pub fn factors(&self) -> usize {
        self.model.genes.ncols()
    }
}

/// True of a model with covariates that are scores of the data: it is fitted here.
pub(super) fn is_meant(compiled: &Compiled) -> bool {
    let mut covariates = compiled.model.covariates.iter();
    covariates.any(|known| known.per == Per::Scores)
}

/// A sentence understood: all but the numbers of the file.
fn question(compiled: &Compiled, command: &Fit) -> Result<(Form, Penalty), Vec<Diagnostic>> {
    if let Some(extremes) = &command.extremes {
        return Err(vec![
            Diagnostic::new(
                Code::BadOption,
                "extreme cells say lines, and this model is none",
            )
            .at(extremes.span, "")
            .help("a model of perturbations is solved without `using`"),
        ]);
    }
    nothing_left_over(command, (command.data.path.span, WHAT))?;
    let form = form::of(compiled).map_err(|why| vec![why.told(compiled, command.span)])?;
    both(compiled, &form, command)?;
    let penalty = penalty(compiled, &form)?;
    Ok((form, penalty))
}

/// What can be refused before the solution.
pub(super) fn check(
    compiled: &Compiled,
    tables: Option<&Tables<'_>>,
    command: &Fit,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let (form, _) = question(compiled, command)?;
    if let Some(tables) = tables {
        data::read(compiled, tables, &form, command)?;
    }
    Ok(Vec::new())
}

impl Session {
    pub(super) fn fit_factored(&mut self, command: &Fit) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let world = Arc::clone(&self.world);
        let (form, penalty) = question(&compiled, command)?;
        let tables = Tables::new(&*world, self.data_folder());
        let screen = data::read(&compiled, &tables, &form, command)?;
        let solved = solved(&screen, penalty, form.factors(&compiled));
        let (model, perturbations) =
            solved.map_err(|unfit| vec![unfitted(&unfit, &compiled, &form, command)])?;
        let answer = Arc::new(answer(
            compiled,
            form,
            command,
            (screen, penalty, model),
            &perturbations,
        ));
        self.take_factors(&answer, &perturbations);
        self.keep_gene_fit(GeneFit::Factored(Arc::clone(&answer)));
        Ok(done(Outcome::Factored(answer)))
    }

    /// All four matrices are the values that hold now: the model can be evaluated.
    fn take_factors(&mut self, answer: &FactoredAnswer, perturbations: &Matrix) {
        let before = self.values_before();
        let model = &answer.model;
        for (id, numbers) in [
            (answer.form.coefficients, model.coefficients.as_slice()),
            (answer.form.mean, model.mean.as_slice()),
            (answer.form.genes, model.genes.as_slice()),
            (answer.form.perturbations, perturbations.as_slice()),
        ] {
            self.overrides
                .set(Target::Parameter(id), None, numbers.to_vec());
        }
        self.can_undo(undo::Undid::Fitted, before);
    }

    fn need_factored(&self, span: Span) -> Result<&Arc<FactoredAnswer>, Vec<Diagnostic>> {
        self.need_model()?;
        match &self.genes {
            Some(GeneFit::Factored(answer)) => Ok(answer),
            _ => Err(vec![nothing_to_predict(span)]),
        }
    }
}

/// There is no model to predict by.
pub(super) fn nothing_to_predict(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::NothingYet,
        "no model of perturbations has been fitted before this",
    )
    .at(span, "")
    .help("as in `fit K, b to \"screen.csv\" (baseline = control)`")
}

/// What a fit of this kind leaves for sentences after it.
pub(super) fn leaves() -> Possible {
    Possible {
        factors: true,
        ..Possible::default()
    }
}

/// K and b, and the factors of the perturbations.
fn solved(
    screen: &Screen,
    penalty: Penalty,
    factors: usize,
) -> Result<(factored::Model, Matrix), Unfit> {
    let genes = factored::gene_factors(&screen.expression, factors)?;
    let perturbations = factored::perturbation_factors(&genes, &screen.perturbed)?;
    let training = Training {
        expression: &screen.expression,
        baseline: &screen.baseline,
        genes: &genes,
        perturbations: &perturbations,
    };
    Ok((factored::fit(training, penalty)?, perturbations))
}

fn answer(
    compiled: Arc<Compiled>,
    form: Form,
    command: &Fit,
    (screen, penalty, model): (Screen, Penalty, factored::Model),
    perturbations: &Matrix,
) -> FactoredAnswer {
    let fitted = model
        .predict(perturbations, &screen.baseline)
        .unwrap_or_default();
    let columns = screen.expression.column_iter().zip(fitted.column_iter());
    let met = columns.map(|(seen, fitted)| {
        let change = |column: &[f64]| -> Vec<f64> {
            column
                .iter()
                .zip(&screen.baseline)
                .map(|(x, from)| x - from)
                .collect()
        };
        let (seen, fitted) = (change(seen.as_slice()), change(fitted.as_slice()));
        met(&seen, &fitted)
    });
    FactoredAnswer {
        span: command.span,
        met: met.collect(),
        share: share(&screen.expression, &model.genes),
        compiled,
        form,
        file: command.data.path.text.clone(),
        genes: screen.genes,
        perturbations: screen.labels,
        control: screen.control,
        baseline: screen.baseline,
        replicates: screen.replicates,
        penalty,
        model,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of genes")]
fn met(seen: &[f64], fitted: &[f64]) -> Met {
    let n = seen.len() as f64;
    let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / n;
    let (a, b) = (mean(seen), mean(fitted));
    let (mut aa, mut ab, mut bb, mut squares) = (0.0, 0.0, 0.0, 0.0);
    for (x, y) in seen.iter().zip(fitted) {
        aa += (x - a) * (x - a);
        ab += (x - a) * (y - b);
        bb += (y - b) * (y - b);
        squares += (x - y) * (x - y);
    }
    Met {
        correlation: ab / (aa * bb).sqrt(),
        residual: (squares / n).sqrt(),
    }
}

/// The share of the squares about the means of columns that lies along the factors.
fn share(expression: &Matrix, genes: &Matrix) -> f64 {
    let columns = expression.column_iter();
    let all: f64 = columns
        .map(|column| {
            let mean = column.mean();
            column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>()
        })
        .sum();
    genes.norm_squared() / all
}

/// Both K and b are fitted, whole.
fn both(compiled: &Compiled, form: &Form, command: &Fit) -> Result<(), Vec<Diagnostic>> {
    let name = |id: ParameterId| compiled.model.parameters[id.index()].name.as_str();
    let wanted = [name(form.coefficients), name(form.mean)];
    let whole = |expr: &tree::Expr| match &expr.kind {
        ExprKind::Reference(known) if known.indices.is_empty() => Some(known.name.text.clone()),
        _ => None,
    };
    let help = format!("as in `fit {}, {} to \"screen.csv\"`", wanted[0], wanted[1]);
    let mut named: Vec<String> = Vec::new();
    for expr in &command.quantities {
        match whole(expr).filter(|known| wanted.contains(&known.as_str())) {
            Some(known) => named.push(known),
            None => {
                return Err(vec![
                    Diagnostic::new(
                        Code::WrongKind,
                        "a model of perturbations is fitted whole, with its coefficients and means",
                    )
                    .at(expr.span, "neither of them")
                    .help(help),
                ]);
            }
        }
    }
    let missing = wanted
        .iter()
        .find(|known| !named.iter().any(|one| one == *known));
    match missing {
        Some(missing) if !named.is_empty() => Err(vec![
            Diagnostic::new(
                Code::MissingArgument,
                "a model of perturbations is fitted whole",
            )
            .at(command.span, format!("`{missing}` is not fitted"))
            .help(help),
        ]),
        _ => Ok(()),
    }
}

/// What is asked of K, by the penalty where it is declared.
fn penalty(compiled: &Compiled, form: &Form) -> Result<Penalty, Vec<Diagnostic>> {
    let known = &compiled.model.parameters[form.coefficients.index()];
    let other = |span: Span, told: &str| {
        vec![
            Diagnostic::new(
                Code::BadOption,
                "a model of perturbations is solved with another penalty",
            )
            .at(span, told.to_owned())
            .help("there are `penalty l2(0.1)`, `penalty l2(0.1, sides)`, or none"),
        ]
    };
    let mean = &compiled.model.parameters[form.mean.index()];
    if let Some(first) = mean.penalties.first() {
        return Err(other(first.span, "it belongs to the coefficients"));
    }
    for parameter in [known, mean] {
        if parameter.mask.is_some() || parameter.prior.is_some() || parameter.bounds.is_some() {
            return Err(vec![
                Diagnostic::new(
                    Code::BadOption,
                    "a model of perturbations knows no masks, bounds or priors",
                )
                .at(parameter.span, "declared here")
                .help("leave them out: its coefficients are solved for at once"),
            ]);
        }
    }
    let penalty = match known.penalties.as_slice() {
        [] => return Ok(Penalty::None),
        [only] => only,
        [_, second, ..] => return Err(other(second.span, "a second one")),
    };
    if penalty.norm != Norm::Square || penalty.off_diagonal {
        return Err(other(penalty.span, "this has no closed form"));
    }
    match penalty.weight {
        Weight::Given(0.0) => Ok(Penalty::None),
        Weight::Given(weight) if penalty.is_two_sided => Ok(Penalty::TwoSided(weight)),
        Weight::Given(weight) => Ok(Penalty::Ridge(weight)),
        Weight::HeldOut => Err(other(penalty.span, "write its weight as a number")),
    }
}

fn unfitted(unfit: &Unfit, compiled: &Compiled, form: &Form, command: &Fit) -> Diagnostic {
    let known = &compiled.model.parameters[form.coefficients.index()];
    match unfit {
        Unfit::Factors { found, most } => Diagnostic::new(
            Code::BadDatum,
            format!("{found} factors, and the data have {most} at most"),
        )
        .at(known.span, "so many factors")
        .at(command.data.path.span, "of this matrix")
        .help("there are no more factors than genes, nor than perturbations"),
        Unfit::Penalty => Diagnostic::new(Code::BadOption, "a penalty is a positive number").at(
            known.penalties.first().map_or(known.span, |one| one.span),
            "",
        ),
        Unfit::NotFinite => {
            Diagnostic::new(Code::CannotFit, "the factors of the data were not found").at(
                command.data.path.span,
                "its numbers are too large, or not finite",
            )
        }
        Unfit::Empty | Unfit::Genes { .. } | Unfit::Perturbations { .. } | Unfit::NoGene { .. } => {
            Diagnostic::new(Code::CannotFit, "the matrix of the data has no entries")
                .at(command.data.path.span, "")
        }
    }
}

/// A penalty in words.
#[must_use]
pub fn penalty_in_words(penalty: Penalty) -> String {
    match penalty {
        Penalty::None => "least squares; of several solutions that of the least norm".to_owned(),
        Penalty::TwoSided(weight) => format!("ridge on both sides, {}", number_text(weight)),
        Penalty::Ridge(weight) => format!("ridge, {}", number_text(weight)),
    }
}
