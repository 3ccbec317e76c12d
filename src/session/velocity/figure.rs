//! `plot u[g1] vs s[g1]`: the cells of a gene with its line.
//!
//! Enters: the last lines, the sentence. Leaves: a panel for each gene. Must not know how they are
//! drawn.

use super::super::command::{LogAxis, Plot};
use super::super::compiled::Compiled;
use super::super::outcome::{Outcome, Performed};
use super::super::{Session, done};
use super::VelocityAnswer;
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::figure::{Axis, Figure, Mark, Scale, Series, Sheet};
use crate::model::{self, Target};
use crate::symbolic::Pool;
use crate::syntax::tree::{self, ExprKind};
use crate::table::cells::Cells;
use std::path::PathBuf;

/// Cells that are drawn of a gene; of more, every so many-th one.
const MOST_DOTS: usize = 20_000;
/// Up to so many have larger marks.
const FEW_DOTS: usize = 100;
/// Genes on one sheet.
const MOST_PANELS: usize = 12;

/// True of a `plot` that draws what is observed against its covariate, neither of which a run has.
pub(in crate::session) fn asked(compiled: &Compiled, plot: &Plot) -> bool {
    let is_observed = |name: &str| {
        let mut known = compiled.model.observations.iter();
        known.any(|known| known.name == name) && compiled.model.names.get(name).is_none()
    };
    let is_so = |subject: &tree::Subject| {
        subject.versus.is_some()
            && reference(&subject.value).is_some_and(|known| is_observed(&known.name.text))
    };
    !plot.curves.is_empty() && plot.curves.iter().all(is_so)
}

/// What can be refused of it before there are lines.
pub(in crate::session) fn check(compiled: &Compiled, plot: &Plot) -> Result<(), Vec<Diagnostic>> {
    let Ok(lines) = super::lines::of(compiled) else {
        return Err(vec![super::no_lines(plot.span)]);
    };
    let covariate = &compiled.model.parameters[lines.covariate.index()].name;
    if let Some(data) = &plot.data {
        return Err(vec![
            Diagnostic::new(Code::BadOption, "cells are drawn as they were fitted")
                .at(data.path.span, "these are others")
                .help("remove `over`"),
        ]);
    }
    for subject in &plot.curves {
        element(compiled, covariate, subject)?;
    }
    Ok(())
}

fn reference(expr: &tree::Expr) -> Option<&tree::Reference> {
    match &expr.kind {
        ExprKind::Reference(reference) => Some(reference),
        _ => None,
    }
}

/// Which gene a subject means; all when it has no index.
fn element(
    compiled: &Compiled,
    covariate: &str,
    subject: &tree::Subject,
) -> Result<Option<usize>, Vec<Diagnostic>> {
    let (Some(up), Some(versus)) = (reference(&subject.value), &subject.versus) else {
        return Ok(None);
    };
    let Some(along) = reference(versus).filter(|along| along.name.text == covariate) else {
        return Err(vec![
            Diagnostic::new(Code::BadOption, "a line is drawn over what it is linear in")
                .at(versus.span, format!("this is not `{covariate}`"))
                .help(format!(
                    "as in `plot {0}[gene] vs {covariate}[gene]`",
                    up.name.text
                )),
        ]);
    };
    let mut pool = Pool::continuing(&compiled.system.pool);
    let mut problems = Vec::new();
    // What is observed has no symbol of its own, and the indices of its covariate.
    let mut place = |indices: &[tree::Expr], span| {
        let reference = tree::Reference {
            indices: indices.to_vec(),
            span,
            ..along.clone()
        };
        model::target(&compiled.model.names, &mut pool, &mut problems, &reference)
    };
    let (up_at, along_at) = (
        place(&up.indices, up.span),
        place(&along.indices, along.span),
    );
    if !problems.is_empty() {
        return Err(problems);
    }
    match (up_at, along_at) {
        (Some((Target::Parameter(_), up_at)), Some((_, along_at))) if up_at == along_at => {
            Ok(up_at)
        }
        _ => Err(vec![
            Diagnostic::new(Code::BadOption, "these are of different genes")
                .at(subject.value.span, "of one")
                .at(versus.span, "of another"),
        ]),
    }
}

impl Session {
    pub(in crate::session) fn plot_lines(&self, plot: &Plot) -> Result<Performed, Vec<Diagnostic>> {
        let answer = self.need_lines(plot.span)?;
        check(&answer.compiled, plot)?;
        let covariate = answer.name_of(answer.lines.covariate);
        let mut genes = Vec::new();
        for subject in &plot.curves {
            match element(&answer.compiled, covariate, subject)? {
                Some(gene) => genes.push(gene),
                None => genes.extend(best(answer)),
            }
        }
        genes.truncate(MOST_PANELS);
        let mut panels: Vec<Figure> = genes.iter().map(|gene| panel(answer, *gene)).collect();
        for panel in &mut panels {
            for axis in &plot.log {
                match axis {
                    LogAxis::X => panel.x.scale = Scale::Logarithmic,
                    LogAxis::Y => panel.y.scale = Scale::Logarithmic,
                }
            }
        }
        let to = plot.to.as_ref().map(|text| PathBuf::from(&text.text));
        let title = plot.title.clone();
        Ok(done(match <[Figure; 1]>::try_from(panels) {
            Ok([mut figure]) => {
                figure.title = title.unwrap_or(figure.title);
                Outcome::Figure { figure, to }
            }
            Err(panels) => Outcome::Sheet {
                sheet: Sheet {
                    title: title.unwrap_or_default(),
                    panels,
                    ..Sheet::default()
                },
                to,
            },
        }))
    }
}

/// The genes whose lines say most, in the order of R^2.
fn best(answer: &VelocityAnswer) -> Vec<usize> {
    let known = answer.genes.iter().zip(&answer.trusted).enumerate();
    let any = answer.trusted.contains(&true);
    let mut known: Vec<(usize, f64)> = known
        .filter(|(_, (gene, good))| (**good || !any) && !gene.r_squared.is_nan())
        .map(|(at, (gene, _))| (at, gene.r_squared))
        .collect();
    known.sort_by(|one, other| other.1.total_cmp(&one.1));
    known
        .into_iter()
        .take(MOST_PANELS)
        .map(|(at, _)| at)
        .collect()
}

fn panel(answer: &VelocityAnswer, at: usize) -> Figure {
    let label = answer.labels.get(at).map_or("", String::as_str);
    let named = |name: &str| match answer.lines.set {
        Some(_) => format!("{name}[{label}]"),
        None => name.to_owned(),
    };
    let step = answer.cells().div_ceil(MOST_DOTS).max(1);
    let column = |cells: &Cells| -> Vec<f64> {
        (0..answer.cells())
            .step_by(step)
            .map(|cell| cells.at(cell, at))
            .collect()
    };
    let (s, u) = (column(&answer.spliced), column(&answer.unspliced));
    let most = s.iter().copied().fold(0.0, f64::max);
    let gene = &answer.genes[at];
    let (slope, offset) = (gene.slope, gene.intercept);
    let name = answer.name_of(answer.lines.slope);
    let mut words = format!("{name} = {}", number_text(rounded(slope)));
    if offset != 0.0 {
        words.push_str(&format!(", offset {}", number_text(rounded(offset))));
    }
    words.push_str(&format!(
        ", R\u{b2} = {}",
        number_text(rounded(gene.r_squared))
    ));
    // Of few cells each is to be seen.
    let mark = match s.len() {
        0..=FEW_DOTS => Mark::Points,
        _ => Mark::Dots,
    };
    Figure {
        title: words,
        x: Axis {
            label: named(answer.name_of(answer.lines.covariate)),
            ..Axis::default()
        },
        y: Axis {
            label: named(&answer.lines.observed),
            ..Axis::default()
        },
        series: vec![
            Series {
                label: "cells".to_owned(),
                x: s,
                y: u,
                mark,
                colour: 0,
            },
            Series {
                label: "steady state".to_owned(),
                x: vec![0.0, most],
                y: vec![offset, slope * most + offset],
                mark: Mark::Line,
                colour: 1,
            },
        ],
        ..Figure::default()
    }
}

/// Four digits for words in a figure.
fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}
