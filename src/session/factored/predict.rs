//! `predict Sox2, Spi1 to "unseen.csv"`: what a fitted model says of perturbations, also of those
//! that were never made.
//!
//! Enters: names of genes, the last model of perturbations. Leaves: a [`PredictionAnswer`], or a
//! table. Must not know how models are fitted.

use super::super::command::Command;
use super::super::compiled::Compiled;
use super::super::lower::word_of;
use super::super::options::Options;
use super::super::outcome::{Outcome, Performed};
use super::super::{Session, done};
use super::{FactoredAnswer, form, nothing_to_predict};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::fit::factored::Matrix;
use crate::source::Span;
use crate::syntax::tree::{self, ExprKind};
use crate::table::Cells;
use std::sync::Arc;

/// `predict Sox2, Spi1 to "unseen.csv"`
#[derive(Debug, Clone, PartialEq)]
pub struct Predict {
    /// The whole sentence.
    pub span: Span,
    /// The perturbed genes.
    pub genes: Vec<tree::Name>,
    /// The table to write.
    pub to: Option<tree::Text>,
}

/// What is foretold.
#[derive(Debug)]
pub struct PredictionAnswer {
    /// The model.
    pub fit: Arc<FactoredAnswer>,
    /// The perturbed genes, by their places.
    pub perturbed: Vec<usize>,
    /// Genes by perturbations: what they come to, baseline included.
    pub predicted: Matrix,
}

/// Reads the sentence.
pub(in crate::session) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let mut genes = Vec::new();
    let is_alone = sentence.subjects.is_empty();
    for subject in &sentence.subjects {
        let value = &subject.value;
        match (word_of(value), &value.kind) {
            (Some(word), _) => genes.push(word.clone()),
            (None, ExprKind::Text(text)) => genes.push(tree::Name {
                text: text.clone(),
                span: value.span,
            }),
            _ => options.problem(
                Diagnostic::new(Code::BadOption, "perturbed genes go by their names")
                    .at(value.span, "")
                    .help("as in `predict Sox2, \"HLA-A\"`"),
            ),
        }
    }
    if genes.is_empty() && !is_alone {
        return options.abandon();
    }
    if genes.is_empty() {
        options.problem(
            Diagnostic::new(
                Code::MissingArgument,
                "`predict` needs the gene that is perturbed",
            )
            .at(sentence.verb.span, "which one?")
            .help("as in `predict Sox2`"),
        );
        return options.abandon();
    }
    let to = options.text("to");
    options.finish(|| Ok(Command::Predict(Predict { span, genes, to })))
}

/// What can be refused before there is a fit: genes that are not in the index set.
pub(in crate::session) fn check(
    compiled: &Compiled,
    command: &Predict,
) -> Result<(), Vec<Diagnostic>> {
    let Ok(form) = form::of(compiled) else {
        return Err(vec![nothing_to_predict(command.span)]);
    };
    let set = compiled.model.names.index_set(form.sets.0);
    let labels: Vec<String> = (0..set.len()).map(|at| set.label(at)).collect();
    places(command, &labels, &set.name).map(|_| ())
}

fn places(command: &Predict, labels: &[String], set: &str) -> Result<Vec<usize>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for gene in &command.genes {
        match labels.iter().position(|label| *label == gene.text) {
            Some(at) => found.push(at),
            None => {
                let near = did_you_mean(&gene.text, labels.iter().map(String::as_str));
                problems.push(
                    Diagnostic::new(
                        Code::UnknownName,
                        format!("`{}` is not a member of `{set}`", gene.text),
                    )
                    .at(gene.span, "its factors are not known")
                    .help(near.unwrap_or_else(|| {
                        "genes that were measured can be predicted, perturbed or not".to_owned()
                    })),
                );
            }
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

impl Session {
    pub(in crate::session) fn predict(
        &self,
        command: &Predict,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let fit = Arc::clone(self.need_factored(command.span)?);
        let set = &fit.compiled.model.names.index_set(fit.form.sets.0).name;
        let perturbed = places(command, &fit.genes, set)?;
        let factors = &fit.model.genes;
        let rows = Matrix::from_fn(perturbed.len(), factors.ncols(), |at, factor| {
            factors[(perturbed[at], factor)]
        });
        let predicted = fit
            .model
            .predict(&rows, &fit.baseline)
            .map_err(|_| vec![nothing_to_predict(command.span)])?;
        let Some(to) = &command.to else {
            return Ok(done(Outcome::Predicted(Arc::new(PredictionAnswer {
                fit,
                perturbed,
                predicted,
            }))));
        };
        let mut headers = vec![set.clone(), fit.perturbations[fit.control].clone()];
        headers.extend(command.genes.iter().map(|gene| gene.text.clone()));
        let mut cells = vec![Cells::Text(&fit.genes), Cells::Numbers(&fit.baseline)];
        let columns: Vec<Vec<f64>> = predicted
            .column_iter()
            .map(|column| column.iter().copied().collect())
            .collect();
        cells.extend(columns.iter().map(|column| Cells::Numbers(column)));
        self.write_cells_to(to, &headers, &cells, fit.genes.len())
    }
}
