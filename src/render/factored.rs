//! Linear models of perturbations, as text and as JSON: schema `lotka-perturbations-1`.
//!
//! Enters: the answers of `fit` and `predict`. Leaves: tables cut where there are hundreds of
//! perturbations or thousands of genes, how a model was solved in words, a line of JSON. Must not
//! know how models are solved.

use super::outcome::counted;
use super::table::{Column, number, table};
use super::words;
use crate::fit::factored::Matrix;
use crate::session::{FactoredAnswer, PredictionAnswer, penalty_in_words};
use serde::Serialize;

/// More perturbations than this are not read whole,
const MOST_COLUMNS: usize = 24;
/// so the table has the worst of them.
const WORST_COLUMNS: usize = 12;
/// Genes that change most.
const MOST_GENES: usize = 12;

/// The answer of a fit, `width` columns wide.
#[must_use]
pub fn text(answer: &FactoredAnswer, width: usize) -> String {
    let mut text = words::wrapped(&headline(answer), width, "  ");
    text.push('\n');
    text.push_str(&words::wrapped(&factors(answer), width, "  "));
    text.push_str("\n\n");
    let mut shown: Vec<usize> = (0..answer.met.len())
        .filter(|at| *at != answer.control)
        .collect();
    let count = shown.len();
    if count > MOST_COLUMNS {
        let residual = |at: &usize| answer.met.get(*at).map_or(0.0, |met| met.residual);
        shown.sort_by(|one, other| residual(other).total_cmp(&residual(one)));
        shown.truncate(WORST_COLUMNS);
    }
    let met = |of: &dyn Fn(crate::session::Met) -> f64| -> Vec<f64> {
        shown
            .iter()
            .filter_map(|at| answer.met.get(*at).copied())
            .map(of)
            .collect()
    };
    let labels = shown
        .iter()
        .filter_map(|at| answer.perturbations.get(*at).cloned());
    let set = answer
        .compiled
        .model
        .names
        .index_set(answer.form.sets.1)
        .name
        .clone();
    let mut columns = vec![Column::text(set, labels.collect())];
    if let Some(replicates) = &answer.replicates {
        let counts = shown.iter().filter_map(|at| replicates.get(*at));
        #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
        let counts = counts.map(|count| *count as f64);
        columns.push(Column::numbers("rows", counts.collect()));
    }
    columns.push(Column::numbers("r of changes", met(&|met| met.correlation)));
    columns.push(Column::numbers("residual", met(&|met| met.residual)));
    text.push_str(&table(&columns, width));
    if shown.len() < count {
        let left = format!(
            "\u{2026} {} more, met better than these\n",
            count - shown.len()
        );
        text.push_str(&left);
    }
    text
}

/// `explain fit` of such a model.
pub(super) fn explained(answer: &FactoredAnswer, width: usize) -> String {
    let name = |id| answer.name_of(id);
    let form = &answer.form;
    let (k, b) = (name(form.coefficients), name(form.mean));
    let (g, p) = (name(form.genes), name(form.perturbations));
    let control = answer
        .perturbations
        .get(answer.control)
        .map_or("", String::as_str);
    let d = answer.factors();
    let lines = [
        format!(
            "route: solved at once, from matrices of {d} by {d} numbers: `{}` is linear in `{k}` on both sides; the design of {} rows is never formed",
            form.observed,
            answer.genes.len() * answer.perturbations.len()
        ),
        format!(
            "{g}: the first {} of the data, U S of its singular value decomposition after the mean of each column is taken off",
            counted(d, "principal score", "principal scores")
        ),
        format!("{p}: for each perturbation the row of {g} of its gene, zero for `{control}`"),
        format!(
            "{}: changes from `{control}`; {b} is the mean of each row of changes, `{control}` included",
            form.observed
        ),
        format!("{k}: {}", penalty_in_words(answer.penalty)),
        format!("predictions: `{control}` + {b} + {g}*{k}*(the row of {g} of the gene)"),
    ];
    let mut text = words::wrapped(&headline(answer), width, "  ");
    text.push_str("\n\n");
    for line in lines {
        text.push_str(&words::wrapped(&line, width, "  "));
        text.push('\n');
    }
    text
}

fn headline(answer: &FactoredAnswer) -> String {
    let name = |id| answer.name_of(id);
    let form = &answer.form;
    let averaged = answer.replicates.as_ref().map(|replicates| {
        let rows = replicates.iter().sum();
        let control = replicates.get(answer.control).copied().unwrap_or(0);
        let own = counted(control, "row", "rows");
        let noun = counted(rows, "row", "rows");
        format!(", the means of {noun}, {own} of the baseline")
    });
    format!(
        "{} = {}*{}*transpose({}) + {}: {} by {} from {}{}",
        form.observed,
        name(form.genes),
        name(form.coefficients),
        name(form.perturbations),
        name(form.mean),
        counted(answer.genes.len(), "gene", "genes"),
        counted(answer.perturbations.len(), "column", "columns"),
        answer.file,
        averaged.unwrap_or_default(),
    )
}

fn factors(answer: &FactoredAnswer) -> String {
    let control = answer
        .perturbations
        .get(answer.control)
        .map_or("", String::as_str);
    format!(
        "{} with {} % of the variation between genes; changes from {control}; {}",
        counted(answer.factors(), "factor", "factors"),
        number(100.0 * answer.share, 4),
        penalty_in_words(answer.penalty)
    )
}

/// The genes that a prediction changes most, `width` columns wide.
#[must_use]
pub fn prediction(answer: &PredictionAnswer, width: usize) -> String {
    let fit = &*answer.fit;
    let count = fit.genes.len();
    let change = |gene: usize, column: usize| {
        let from = fit.baseline.get(gene).copied().unwrap_or(f64::NAN);
        at(&answer.predicted, gene, column) - from
    };
    let columns = answer.perturbed.len();
    let most = |gene: &usize| {
        let all = (0..columns).map(|column| change(*gene, column).abs());
        all.fold(0.0, f64::max)
    };
    let mut shown: Vec<usize> = (0..count).collect();
    if count > MOST_GENES {
        shown.sort_by(|one, other| most(other).total_cmp(&most(one)));
        shown.truncate(MOST_GENES);
    }
    let set = fit
        .compiled
        .model
        .names
        .index_set(fit.form.sets.0)
        .name
        .clone();
    let labels = shown
        .iter()
        .filter_map(|gene| fit.genes.get(*gene).cloned());
    let control = fit
        .perturbations
        .get(fit.control)
        .cloned()
        .unwrap_or_default();
    let baseline = shown
        .iter()
        .filter_map(|gene| fit.baseline.get(*gene).copied());
    let mut table_of = vec![
        Column::text(set, labels.collect()),
        Column::numbers(control, baseline.collect()),
    ];
    for (column, gene) in answer.perturbed.iter().enumerate() {
        let name = fit.genes.get(*gene).map_or("", String::as_str);
        let own = shown.iter().map(|row| at(&answer.predicted, *row, column));
        table_of.push(Column::numbers(name, own.collect()));
    }
    let mut text = table(&table_of, width);
    if shown.len() < count {
        text.push_str(&format!(
            "\u{2026} {} more genes, which change less: `predict ... to \"predicted.csv\"` has all\n",
            count - shown.len()
        ));
    }
    text
}

fn at(matrix: &Matrix, row: usize, column: usize) -> f64 {
    matrix.get((row, column)).copied().unwrap_or(f64::NAN)
}

#[derive(Serialize)]
struct Fit<'a> {
    schema: &'static str,
    model: &'a str,
    file: &'a str,
    observed: &'a str,
    genes: usize,
    baseline: &'a str,
    factors: usize,
    share: f64,
    penalty: String,
    coefficients: Vec<Vec<f64>>,
    perturbations: Vec<Met<'a>>,
}

#[derive(Serialize)]
struct Met<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<usize>,
    correlation: f64,
    residual: f64,
}

/// One line; numbers with every digit, those that are not finite as null.
#[must_use]
pub fn json(answer: &FactoredAnswer) -> String {
    let rows = answer.model.coefficients.row_iter();
    let met = answer.perturbations.iter().zip(&answer.met).enumerate();
    let rows_of = |at: usize| answer.replicates.as_ref()?.get(at).copied();
    let whole = Fit {
        schema: "lotka-perturbations-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        file: &answer.file,
        observed: &answer.form.observed,
        genes: answer.genes.len(),
        baseline: answer
            .perturbations
            .get(answer.control)
            .map_or("", String::as_str),
        factors: answer.factors(),
        share: answer.share,
        penalty: penalty_in_words(answer.penalty),
        coefficients: rows.map(|row| row.iter().copied().collect()).collect(),
        perturbations: met
            .map(|(at, (name, met))| Met {
                name,
                rows: rows_of(at),
                correlation: met.correlation,
                residual: met.residual,
            })
            .collect(),
    };
    serde_json::to_string(&whole).unwrap_or_default()
}
