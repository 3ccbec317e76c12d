//! The fit of cells at rest as JSON: schema `lotka-cells-fit-1`.

use crate::fit::cells::End;
use crate::session::fit::{AtRestAnswer, Known, Spread};
use serde::Serialize;

#[derive(Serialize)]
struct Fit<'a> {
    schema: &'static str,
    model: &'a str,
    file: &'a str,
    genes: &'a [String],
    groups: Vec<Group<'a>>,
    left_out: usize,
    covariance_from: &'static str,
    matrices: Vec<Matrix<'a>>,
    covariance: Vec<Vec<f64>>,
    means: Vec<Vec<f64>>,
    log_likelihood: f64,
    log_likelihood_before: Option<f64>,
    end: &'static str,
    converged: bool,
    gradient: f64,
    steps: usize,
    shortened: usize,
    leading: f64,
    measured: Option<f64>,
    free: usize,
    undetermined: Option<usize>,
    directions: Option<Vec<Vec<Part<'a>>>>,
    penalties: Vec<Penalty<'a>>,
    weights: Option<Weights<'a>>,
    against: Option<Against<'a>>,
}

#[derive(Serialize)]
struct Group<'a> {
    name: &'a str,
    cells: usize,
    time: Option<f64>,
}

#[derive(Serialize)]
struct Matrix<'a> {
    name: &'a str,
    rows: &'a [String],
    columns: &'a [String],
    values: Vec<Vec<f64>>,
    free: Vec<Vec<bool>>,
    std_errors: Option<Vec<Vec<Option<f64>>>>,
}

#[derive(Serialize)]
struct Part<'a> {
    name: &'a str,
    part: f64,
}

#[derive(Serialize)]
struct Penalty<'a> {
    name: &'a str,
    weight: f64,
}

#[derive(Serialize)]
struct Weights<'a> {
    weights: &'a [f64],
    scores: Vec<Option<f64>>,
    best: usize,
}

#[derive(Serialize)]
struct Against<'a> {
    file: &'a str,
    compared: usize,
    differing: Vec<Difference<'a>>,
}

#[derive(Serialize)]
struct Difference<'a> {
    name: &'a str,
    before: f64,
    now: f64,
    z: f64,
}

/// One line; matrices row by row, numbers with every digit.
#[must_use]
pub fn fit(answer: &AtRestAnswer) -> String {
    let (free, open) = match &answer.known {
        Known::NotExamined(free) => (*free, None),
        Known::Unknown => (0, None),
        Known::Examined { free, open } => (*free, Some(open)),
    };
    let found = &answer.found;
    let json = Fit {
        schema: "lotka-cells-fit-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        file: &answer.file,
        genes: &answer.genes,
        groups: answer
            .groups
            .iter()
            .map(|group| Group {
                name: &group.label,
                cells: group.cells,
                time: finite(group.time),
            })
            .collect(),
        left_out: answer.left_out,
        covariance_from: match answer.spread {
            Spread::Held => "given_noise",
            Spread::Fitted => "fitted_noise",
            Spread::Free(_) => "free",
        },
        matrices: answer.estimates.iter().map(matrix).collect(),
        covariance: by_rows(&answer.covariance),
        means: by_rows(&answer.means),
        log_likelihood: found.log_likelihood,
        log_likelihood_before: answer.before,
        end: match found.end {
            End::Converged => "converged",
            End::Stalled => "stalled",
            End::OutOfIterations => "out_of_steps",
            End::Interrupted => "interrupted",
            End::Fault(_) => "failed",
        },
        converged: answer.has_converged(),
        gradient: found.gradient,
        steps: found.iterations,
        shortened: found.unstable,
        leading: answer.leading,
        measured: answer.measured,
        free,
        undetermined: open.map(Vec::len),
        directions: open.map(|open| {
            let written = open.iter().filter(|one| !one.is_empty());
            written
                .map(|one| {
                    one.iter()
                        .map(|(name, part)| Part { name, part: *part })
                        .collect()
                })
                .collect()
        }),
        penalties: answer
            .penalties
            .iter()
            .map(|(name, weight)| Penalty {
                name,
                weight: *weight,
            })
            .collect(),
        weights: answer.selection.as_ref().map(|chosen| Weights {
            weights: &chosen.weights,
            scores: chosen.scores.iter().map(|score| finite(*score)).collect(),
            best: chosen.best,
        }),
        against: answer.against.as_ref().map(|against| Against {
            file: &against.file,
            compared: against.compared,
            differing: against
                .differing
                .iter()
                .map(|one| Difference {
                    name: &one.name,
                    before: one.before,
                    now: one.now,
                    z: one.z,
                })
                .collect(),
        }),
    };
    serde_json::to_string(&json).unwrap_or_default()
}

fn matrix(estimate: &crate::session::fit::Estimate) -> Matrix<'_> {
    let (rows, columns) = estimate.values.shape();
    let free = |row: usize, column: usize| {
        let at = row + column * rows;
        estimate.free.get(at).is_some_and(|free| *free)
    };
    Matrix {
        name: &estimate.name,
        rows: &estimate.rows,
        columns: &estimate.columns,
        values: by_rows(&estimate.values),
        free: (0..rows)
            .map(|row| (0..columns).map(|column| free(row, column)).collect())
            .collect(),
        std_errors: estimate.errors.as_ref().map(|errors| {
            let of = |row: usize| (0..columns).map(move |column| finite(errors[(row, column)]));
            (0..rows).map(|row| of(row).collect()).collect()
        }),
    }
}

fn by_rows(matrix: &crate::linalg::Matrix) -> Vec<Vec<f64>> {
    matrix
        .row_iter()
        .map(|row| row.iter().copied().collect())
        .collect()
}

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}
