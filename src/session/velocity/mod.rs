//! `fit gamma, offset to "cells.h5ad" using extremes`: lines through extreme cells, gene by gene.
//!
//! ```text
//! sentence --words.rs--> Extremes
//!   lines.rs    is the model one of lines, with which parameters
//!   counts.rs   the counts of both kinds from the file
//!   mod.rs      the lines, which become the values that hold
//!   figure.rs   `plot u[g1] vs s[g1]`: cells and line
//!   save.rs     `save velocity`, `save lines`
//! ```
//!
//! Enters: the sentence, the file that it names. Leaves: a [`VelocityAnswer`]. The lines themselves
//! are [`crate::fit::velocity`]'s work: closed forms in two passes over the counts, where the general
//! fit would search over thousands of parameters.

mod counts;
mod figure;
mod lines;
mod save;
mod words;

pub(super) use figure::{asked as is_of_lines, check as check_plot};
pub use lines::Lines;
pub(super) use save::{LAYER, TRUSTED, columns_of_lines, next_rows};
pub use words::{Custom, Extremes, SaidTails, WORD, cells_in_words, line_in_words};
pub(super) use words::{is_meant, read};

use super::command::DataSource;
use super::compiled::Compiled;
use super::fit::{Fit, GeneFit, nothing_left_over};
use super::outcome::{Outcome, Performed};
use super::tables::Tables;
use super::values::{Overrides, Present};
use super::{Session, done, undo};
use crate::diagnostic::{Code, Diagnostic, listed};
use crate::fit::velocity::{self, Convention, Counts, Criteria, Gene, Offset, Unfit, trusted};
use crate::model::{ParameterId, Target};
use crate::source::Span;
use crate::symbolic::Shape;
use crate::syntax::tree::{self, ExprKind};
use crate::table::cells::{Axis, Cells};
use lines::NoLine;
use std::sync::Arc;

/// What is fitted, in messages.
const WHAT: &str = "lines through extreme cells, which are found in closed form";

/// Lines through extreme cells.
#[derive(Debug)]
pub struct VelocityAnswer {
    /// The sentence.
    pub span: Span,
    /// The model.
    pub compiled: Arc<Compiled>,
    /// What is a line of what.
    pub lines: Lines,
    /// True where the offset was fitted.
    pub has_offset: bool,
    /// The names of the genes, in the order of `genes`.
    pub labels: Vec<String>,
    /// Through which cells, and which lines.
    pub convention: Convention,
    /// What is found for each gene.
    pub genes: Vec<Gene>,
    /// Which of them are to be trusted.
    pub trusted: Vec<bool>,
    /// What that takes.
    pub criteria: Criteria,
    /// How many slopes lie outside the bounds of their parameter.
    pub outside: usize,
    /// The data as the sentence names them.
    pub data: DataSource,
    /// The counts of the covariate, cells by genes.
    pub spliced: Cells,
    /// The counts of what is observed, of the same shape.
    pub unspliced: Cells,
}

impl VelocityAnswer {
    /// How many cells there are.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.spliced.rows()
    }

    /// The counts of all genes.
    #[must_use]
    pub fn counts(&self) -> Counts<'_> {
        Counts {
            spliced: &self.spliced,
            unspliced: &self.unspliced,
            genes: Axis::Columns,
        }
    }

    /// The name of a parameter.
    #[must_use]
    pub fn name_of(&self, id: ParameterId) -> &str {
        &self.compiled.model.parameters[id.index()].name
    }

    /// The name of the offset, where it was fitted.
    #[must_use]
    pub fn offset_name(&self) -> Option<&str> {
        let offset = self.lines.offset.filter(|_| self.has_offset)?;
        Some(self.name_of(offset))
    }
}

/// Lines that the general search takes: it works with a matrix of all data by all parameters.
const MOST_SEARCHED: usize = 100;

/// A sentence understood: all but the counts.
struct Question {
    lines: Lines,
    has_offset: bool,
    labels: Vec<String>,
    convention: Convention,
}

/// What can be refused without a look at the counts.
fn question(
    compiled: &Compiled,
    overrides: &Overrides,
    (command, extremes): (&Fit, &Extremes),
) -> Result<Question, Vec<Diagnostic>> {
    nothing_left_over(command, (extremes.span, WHAT))?;
    let lines = lines::of(compiled).map_err(|why| vec![no_line(compiled, extremes.span, &why)])?;
    let present = compiled.present(overrides);
    let has_offset = fitted(compiled, &present, &lines, command)?;
    no_priors(compiled, &lines, extremes.span)?;
    let offset = match has_offset {
        true => Offset::Fitted,
        false => Offset::None,
    };
    let convention = extremes.convention(offset, &|expr| compiled.number(expr, &present))?;
    Ok(Question {
        labels: lines.labels(compiled),
        lines,
        has_offset,
        convention,
    })
}

/// What can be refused before a run of the sentence: all but what the counts themselves say.
pub(super) fn check(
    compiled: &Compiled,
    tables: Option<&Tables<'_>>,
    overrides: &Overrides,
    (command, extremes): (&Fit, &Extremes),
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let question = question(compiled, overrides, (command, extremes))?;
    if let Some(tables) = tables {
        let of = (&question.lines, question.labels.as_slice());
        counts::check(compiled, tables, of, &command.data)?;
    }
    Ok(Vec::new())
}

impl Session {
    pub(super) fn velocity(
        &mut self,
        (command, extremes): (&Fit, &Extremes),
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let world = Arc::clone(&self.world);
        let question = question(&compiled, &self.overrides, (command, extremes))?;
        let tables = Tables::new(&*world, self.data_folder());
        let interrupted = || world.interrupted();
        let of = (&question.lines, question.labels.as_slice());
        let (spliced, unspliced) =
            counts::read(&compiled, &tables, of, &command.data, &interrupted)?;
        let counts = Counts {
            spliced: &spliced,
            unspliced: &unspliced,
            genes: Axis::Columns,
        };
        let genes = velocity::lines(counts, question.convention, &interrupted)
            .map_err(|unfit| vec![unfitted(unfit, command.span)])?;
        let criteria = Criteria::default();
        let answer = Arc::new(VelocityAnswer {
            span: command.span,
            outside: outside(&compiled, &question.lines, &genes),
            trusted: trusted(&genes, criteria),
            compiled,
            lines: question.lines,
            has_offset: question.has_offset,
            labels: question.labels,
            convention: question.convention,
            genes,
            criteria,
            data: command.data.clone(),
            spliced,
            unspliced,
        });
        self.take_lines(&answer);
        self.keep_gene_fit(GeneFit::Lines(Arc::clone(&answer)));
        let diagnostics = warnings(&answer);
        Ok(Performed {
            diagnostics,
            ..done(Outcome::Velocity(answer))
        })
    }

    /// Slopes and offsets are the values that hold now, where the data say them.
    fn take_lines(&mut self, answer: &VelocityAnswer) {
        let before = self.values_before();
        let slopes = answer.genes.iter().map(|gene| gene.slope);
        self.take_numbers(answer, answer.lines.slope, slopes.collect());
        if let Some(offset) = answer.lines.offset.filter(|_| answer.has_offset) {
            let offsets = answer.genes.iter().map(|gene| gene.intercept);
            self.take_numbers(answer, offset, offsets.collect());
        }
        self.can_undo(undo::Undid::Fitted, before);
    }

    fn take_numbers(&mut self, answer: &VelocityAnswer, id: ParameterId, mut found: Vec<f64>) {
        let target = Target::Parameter(id);
        let held = answer.compiled.numbers_of(&self.overrides, target);
        for (number, held) in found.iter_mut().zip(held) {
            if !number.is_finite() {
                *number = held;
            }
        }
        self.overrides.set(target, None, found);
    }

    /// The lines that were found last.
    pub(super) fn need_lines(&self, span: Span) -> Result<&Arc<VelocityAnswer>, Vec<Diagnostic>> {
        self.need_model()?;
        match &self.genes {
            Some(GeneFit::Lines(answer)) => Ok(answer),
            _ => Err(vec![no_lines(span)]),
        }
    }
}

/// Refuses what the general search would take hours for, and the closed form seconds.
pub(super) fn too_many(compiled: &Compiled, fitted: usize, span: Span) -> Option<Diagnostic> {
    let count = lines::of(compiled).ok()?.labels(compiled).len();
    // A few lines of many may well be searched for.
    (count.min(fitted) > MOST_SEARCHED).then(|| {
        let message = format!("{count} lines are too many for the general search");
        Diagnostic::new(Code::CannotFit, message)
            .at(span, format!("it takes up to {MOST_SEARCHED}"))
            .help("least squares through all cells, line by line and at once: `using extremes(tails = all)`; `using extremes` takes the extreme ones")
    })
}

/// There are no lines to be drawn or saved.
pub(super) fn no_lines(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NothingYet, "no lines have been fitted before this")
        .at(span, "")
        .help("as in `fit gamma to \"cells.h5ad\" using extremes`")
}

/// Whether the offset is fitted, as the sentence says; the slope must be.
fn fitted(
    compiled: &Compiled,
    present: &Present,
    lines: &Lines,
    command: &Fit,
) -> Result<bool, Vec<Diagnostic>> {
    let name = |id: ParameterId| compiled.model.parameters[id.index()].name.as_str();
    let slope = name(lines.slope);
    let offset = lines.offset.map(name);
    let mut named = Vec::new();
    let mut problems = Vec::new();
    for expr in &command.quantities {
        let whole = match &expr.kind {
            ExprKind::Reference(tree::Reference { name, indices, .. }) if indices.is_empty() => {
                Some(name.text.as_str())
            }
            _ => None,
        };
        match whole.filter(|known| *known == slope || Some(*known) == offset) {
            Some(known) => named.push(known),
            None => problems.push(
                Diagnostic::new(
                    Code::WrongKind,
                    "lines are fitted whole, with their slopes and offsets",
                )
                .at(expr.span, "neither of them")
                .help(match offset {
                    Some(offset) => format!("the slope is `{slope}`, the offset `{offset}`"),
                    None => format!("the slope is `{slope}`, and there is no offset"),
                }),
            ),
        }
    }
    let all = command.quantities.is_empty();
    if problems.is_empty() && !all && !named.contains(&slope) {
        problems.push(
            Diagnostic::new(Code::MissingArgument, "a line needs its slope")
                .at(command.span, format!("`{slope}` is not fitted"))
                .help(format!(
                    "as in `fit {slope} to \"cells.h5ad\" using extremes`"
                )),
        );
    }
    let has_offset = offset.is_some_and(|offset| all || named.contains(&offset));
    if let (Some(id), false) = (lines.offset, has_offset)
        && held(compiled, present, id).iter().any(|held| *held != 0.0)
    {
        problems.push(
            Diagnostic::new(
                Code::BadOption,
                "lines have the offset that is fitted, or none",
            )
            .at(
                command.span,
                format!("`{}` is held at values that are not 0", name(id)),
            )
            .help(format!("fit it too, or set it to 0: `{} = 0`", name(id))),
        );
    }
    if problems.is_empty() {
        Ok(has_offset)
    } else {
        Err(problems)
    }
}

fn held<'p>(compiled: &Compiled, present: &'p Present, id: ParameterId) -> &'p [f64] {
    let block = compiled.system.parameters.blocks().get(id.index());
    let own = block.and_then(|block| present.parameters.get(block.range()));
    own.unwrap_or(&[])
}

fn no_priors(compiled: &Compiled, lines: &Lines, span: Span) -> Result<(), Vec<Diagnostic>> {
    let both = [Some(lines.slope), lines.offset].into_iter().flatten();
    let known = both.map(|id| &compiled.model.parameters[id.index()]);
    let mut with_prior = known.filter_map(|known| Some((known, known.prior.as_ref()?)));
    match with_prior.next() {
        None => Ok(()),
        Some((known, prior)) => Err(vec![
            Diagnostic::new(
                Code::BadOption,
                "lines through extreme cells know no priors",
            )
            .at(span, "")
            .at(prior.span, format!("that of `{}`", known.name))
            .help("remove the prior, or fit without `using extremes`"),
        ]),
    }
}

/// How many slopes lie outside the declared bounds.
fn outside(compiled: &Compiled, lines: &Lines, genes: &[Gene]) -> usize {
    let Some(bounds) = compiled.model.parameters[lines.slope.index()].bounds else {
        return 0;
    };
    let is_outside = |gene: &&Gene| gene.slope < bounds.low || gene.slope > bounds.high;
    genes.iter().filter(is_outside).count()
}

fn warnings(answer: &VelocityAnswer) -> Vec<Diagnostic> {
    let mut warnings = below_zero(answer);
    warnings.extend(outside_of_bounds(answer));
    warnings
}

/// Counts below 0, in each of the two matrices.
fn below_zero(answer: &VelocityAnswer) -> Vec<Diagnostic> {
    let both = [
        (answer.name_of(answer.lines.covariate), &answer.spliced),
        (&answer.lines.observed, &answer.unspliced),
    ];
    both.into_iter()
        .filter_map(|(name, counts)| {
            let (count, (cell, gene)) = counts::below_zero(counts)?;
            let gene = answer.labels.get(gene).map_or("", String::as_str);
            let element = match answer.lines.set {
                Some(_) => format!("{name}[{gene}]"),
                None => name.to_owned(),
            };
            let (noun, verb) = match count {
                1 => ("number", "is"),
                _ => ("numbers", "are"),
            };
            let message = format!("{count} {noun} of `{name}` {verb} below 0");
            Some(
                Diagnostic::new(Code::Doubtful, message)
                    .at(
                        answer.data.path.span,
                        format!("the first is `{element}` of cell {}", cell + 1),
                    )
                    .help("spliced and unspliced counts are 0 or more; centred or scaled numbers have no line through the origin"),
            )
        })
        .collect()
}

fn outside_of_bounds(answer: &VelocityAnswer) -> Vec<Diagnostic> {
    if answer.outside == 0 {
        return Vec::new();
    }
    let known = &answer.compiled.model.parameters[answer.lines.slope.index()];
    let span = known.bounds.map_or(known.span, |bounds| bounds.span);
    let (noun, verb) = match answer.outside {
        1 => ("slope", "lies"),
        _ => ("slopes", "lie"),
    };
    vec![
        Diagnostic::new(
            Code::OnBound,
            format!(
                "{} {noun} {verb} outside the bounds of `{}`",
                answer.outside, known.name
            ),
        )
        .at(span, "these bounds")
        .at(answer.span, "found by this")
        .help("lines through extreme cells are what they are; bounds hold for other fits"),
    ]
}

fn no_line(compiled: &Compiled, span: Span, why: &NoLine) -> Diagnostic {
    let observations = &compiled.model.observations;
    let place = observations.first().map(|known| known.distribution.span);
    let problem = Diagnostic::new(
        Code::BadOption,
        "extreme cells say lines, and this model is none",
    );
    let told = match why {
        NoLine::Observations(0) => "nothing is observed".to_owned(),
        NoLine::Observations(count) => format!("{count} observations, a line has one"),
        NoLine::Scatters => {
            "lines are those of least squares: leave the standard deviation out".to_owned()
        }
        NoLine::Matrix => "a matrix is observed".to_owned(),
        NoLine::Covariates(0) => "no covariate stands here".to_owned(),
        NoLine::Covariates(count) => format!("{count} covariates stand here, a line has one"),
        NoLine::CovariateShape(name) => {
            format!("`{name}` has other indices than what is observed")
        }
        NoLine::Slope(text) if text.is_empty() => {
            "an element depends on the covariates of others".to_owned()
        }
        NoLine::Slope(text) => {
            format!("the slope is `{text}`, not a parameter with an element for each line")
        }
        NoLine::Rest(text) => {
            format!("`{text}` is added, not a parameter with an element for each line")
        }
        NoLine::Moves => "it follows states or time".to_owned(),
    };
    let problem = match place {
        Some(place) => problem.at(span, "").at(place, told),
        None => problem.at(span, told),
    };
    problem.help("lines are written `observe u[gene] ~ normal(gamma .* s + offset)`, with `covariate s[gene]` and parameters `gamma[gene]`, `offset[gene]`; other models are fitted without `using extremes`")
}

pub(super) fn unfitted(unfit: Unfit, span: Span) -> Diagnostic {
    match unfit {
        Unfit::Interrupted => {
            Diagnostic::new(Code::Interrupted, "stopped by the user").at(span, "")
        }
        Unfit::Cells => Diagnostic::new(Code::BadDatum, "there are more cells than 2^32 - 1")
            .at(span, "")
            .help("fit a part of them"),
        Unfit::Percentile => {
            Diagnostic::new(Code::BadOption, "a percentile lies between 0 and 100").at(span, "")
        }
        Unfit::Shapes { spliced, unspliced } => {
            let text = |(rows, columns): (usize, usize)| format!("{rows} x {columns}");
            let both = [text(spliced), text(unspliced)];
            let message = format!("the two matrices differ in shape: {}", listed(&both));
            Diagnostic::new(Code::ShapeMismatch, message).at(span, "")
        }
        Unfit::Genes { found, expected } => {
            let shape = Shape::Vector(expected);
            let message = format!("{found} lines were found where there is {shape}");
            Diagnostic::new(Code::ShapeMismatch, message).at(span, "")
        }
    }
}
