//! Lines through extreme cells, as text and as JSON: schema `lotka-velocity-1`.
//!
//! Enters: the answer of `fit ... using extremes`. Leaves: a table of the genes, cut where there are
//! thousands; how they were found in words; one line of JSON with all genes. Must not know how lines
//! are found.

use super::outcome::counted;
use super::table::{Column, number, table};
use super::words;
use crate::fit::velocity::Gene;
use crate::session::{VelocityAnswer, cells_in_words, line_in_words};
use serde::Serialize;

/// More genes than this are not read whole,
const MOST_GENES: usize = 24;
/// so the table has those with the best lines.
const BEST_GENES: usize = 12;

/// The answer, `width` columns wide.
#[must_use]
pub fn text(answer: &VelocityAnswer, width: usize) -> String {
    let mut text = words::wrapped(&headline(answer), width, "  ");
    text.push('\n');
    text.push_str(&words::wrapped(&trust(answer), width, "  "));
    text.push_str("\n\n");
    text.push_str(&genes(answer, width));
    text
}

/// `explain fit` of lines.
pub(super) fn explained(answer: &VelocityAnswer, width: usize) -> String {
    let name = |id| answer.name_of(id);
    let (slope, covariate) = (name(answer.lines.slope), name(answer.lines.covariate));
    let observed = &answer.lines.observed;
    let rest = match answer.lines.offset {
        Some(offset) if answer.has_offset => format!(" and the rest is `{}`", name(offset)),
        Some(offset) => format!(" and the rest, `{}`, is held at 0", name(offset)),
        None => " and nothing else is added".to_owned(),
    };
    let route = format!(
        "route: closed form, line by line: the derivative of `{observed}` by `{covariate}` is `{slope}`, \
         a parameter with an element for each line,{rest}; no search over {} is needed",
        counted(
            answer.genes.len() * (1 + usize::from(answer.has_offset)),
            "parameter",
            "parameters"
        )
    );
    let cells = format!(
        "cells: {}; percentiles lie between neighbouring cells, and ties belong to them",
        cells_in_words(&answer.convention, (covariate, observed))
    );
    let line = format!(
        "line: least squares {}",
        line_in_words(&answer.convention, slope, answer.offset_name())
    );
    let work = "work: two passes over the counts, one gene after the other: percentiles and sums of the \
                chosen cells, then R\u{b2} over all cells";
    let mut text = words::wrapped(&headline(answer), width, "  ");
    text.push_str("\n\n");
    for line in [
        &route,
        &cells,
        &line,
        work,
        &format!("trust: {}", trust(answer)),
    ] {
        text.push_str(&words::wrapped(line, width, "  "));
        text.push('\n');
    }
    text
}

fn headline(answer: &VelocityAnswer) -> String {
    let slope = answer.name_of(answer.lines.slope);
    let covariate = answer.name_of(answer.lines.covariate);
    let offset = answer
        .offset_name()
        .map_or(String::new(), |offset| format!(" + {offset}"));
    format!(
        "{} {} = {slope}*{covariate}{offset} through {}; {} from {}",
        match answer.genes.len() {
            1 => "the line".to_owned(),
            count => format!("{count} lines"),
        },
        answer.lines.observed,
        cells_in_words(&answer.convention, (covariate, &answer.lines.observed)),
        counted(answer.cells(), "cell", "cells"),
        answer.data.path.text,
    )
}

fn trust(answer: &VelocityAnswer) -> String {
    let good = answer.trusted.iter().filter(|good| **good).count();
    let slope = answer.name_of(answer.lines.slope);
    let criteria = answer.criteria;
    let unknown = answer
        .genes
        .iter()
        .filter(|gene| !gene.slope.is_finite())
        .count();
    let unknown = match unknown {
        0 => String::new(),
        count => format!(
            "; {} no slope: no chosen cell has counts that say one",
            match count {
                1 => "1 has".to_owned(),
                count => format!("{count} have"),
            }
        ),
    };
    let strict = answer.genes.iter();
    let strict = strict.filter(|gene| {
        gene.expressed && gene.slope > criteria.slope && gene.r_squared > criteria.r_squared
    });
    let least = match strict.count() {
        0 | 1 if answer.genes.len() > 1 => format!(
            "R\u{b2} above the 80 % percentile (of R\u{b2} > {} there are too few)",
            number(criteria.r_squared, 3)
        ),
        _ => format!("R\u{b2} > {}", number(criteria.r_squared, 3)),
    };
    format!(
        "{good} of {} to be trusted: {least}, {slope} > {}, both counts seen{unknown}",
        answer.genes.len(),
        number(criteria.slope, 3),
    )
}

fn genes(answer: &VelocityAnswer, width: usize) -> String {
    let count = answer.genes.len();
    let shown: Vec<usize> = if count <= MOST_GENES {
        (0..count).collect()
    } else {
        best(answer)
    };
    let known = |at: &usize| answer.genes.get(*at);
    let numbers = |of: &dyn Fn(&Gene) -> f64| -> Vec<f64> {
        shown.iter().filter_map(known).map(of).collect()
    };
    let set = answer
        .lines
        .set
        .map(|id| answer.compiled.model.names.index_set(id).name.clone());
    let labels = shown
        .iter()
        .filter_map(|at| answer.labels.get(*at).cloned());
    let slope = answer.name_of(answer.lines.slope);
    let mut columns = vec![
        Column::text(
            set.unwrap_or_else(|| "observed".to_owned()),
            labels.collect(),
        ),
        Column::numbers(slope, numbers(&|gene| gene.slope)),
    ];
    if let Some(offset) = answer.offset_name() {
        columns.push(Column::numbers(offset, numbers(&|gene| gene.intercept)));
    }
    columns.push(Column::numbers("R\u{b2}", numbers(&|gene| gene.r_squared)));
    columns.push(Column::numbers(
        "cells",
        numbers(&|gene| gene.extreme as f64),
    ));
    let good = shown.iter().filter_map(|at| answer.trusted.get(*at));
    let good = good.map(|good| if *good { "yes" } else { "no" }.to_owned());
    columns.push(Column::text("trusted", good.collect()));
    let mut text = table(&columns, width);
    if shown.len() < count {
        let left = format!(
            "\u{2026} {} more, with lower R\u{b2}: `save lines to \"genes.csv\"` has all\n",
            count - shown.len()
        );
        text.push_str(&left);
    }
    text
}

/// Those with the highest R^2, of trusted ones first.
fn best(answer: &VelocityAnswer) -> Vec<usize> {
    let mut all: Vec<usize> = (0..answer.genes.len()).collect();
    let key = |at: &usize| {
        let r_squared = answer
            .genes
            .get(*at)
            .map_or(f64::NAN, |gene| gene.r_squared);
        let good = answer.trusted.get(*at).copied().unwrap_or(false);
        (
            good,
            if r_squared.is_nan() {
                f64::NEG_INFINITY
            } else {
                r_squared
            },
        )
    };
    all.sort_by(|one, other| {
        let (one, other) = (key(one), key(other));
        other.0.cmp(&one.0).then(other.1.total_cmp(&one.1))
    });
    all.truncate(BEST_GENES);
    all
}

#[derive(Serialize)]
struct Velocity<'a> {
    schema: &'static str,
    model: &'a str,
    file: &'a str,
    observed: &'a str,
    covariate: &'a str,
    slope: &'a str,
    offset: Option<&'a str>,
    cells: usize,
    chosen: String,
    line: String,
    trusted: usize,
    outside_bounds: usize,
    genes: Vec<OfGene<'a>>,
}

#[derive(Serialize)]
struct OfGene<'a> {
    name: &'a str,
    slope: f64,
    offset: f64,
    r_squared: f64,
    cells: usize,
    trusted: bool,
}

/// One line; numbers with every digit, those that are not finite as null.
#[must_use]
pub fn json(answer: &VelocityAnswer) -> String {
    let slope = answer.name_of(answer.lines.slope);
    let covariate = answer.name_of(answer.lines.covariate);
    let genes = answer.genes.iter().zip(&answer.labels).zip(&answer.trusted);
    let genes = genes.map(|((gene, name), trusted)| OfGene {
        name,
        slope: gene.slope,
        offset: gene.intercept,
        r_squared: gene.r_squared,
        cells: gene.extreme,
        trusted: *trusted,
    });
    let whole = Velocity {
        schema: "lotka-velocity-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        file: &answer.data.path.text,
        observed: &answer.lines.observed,
        covariate,
        slope,
        offset: answer.offset_name(),
        cells: answer.cells(),
        chosen: cells_in_words(&answer.convention, (covariate, &answer.lines.observed)),
        line: line_in_words(&answer.convention, slope, answer.offset_name()),
        trusted: answer.trusted.iter().filter(|good| **good).count(),
        outside_bounds: answer.outside,
        genes: genes.collect(),
    };
    serde_json::to_string(&whole).unwrap_or_default()
}
