//! `report "fit.html"`: the last fit as a file for others.
//!
//! Enters: the answers of a fit, the text of the model. Leaves: a [`FitReport`], everything that a
//! page tells, for whoever writes it; or a table of estimates. Must not know HTML.

use super::super::command::Command;
use super::super::lower::ends_in;
use super::super::options::Options;
use super::super::outcome::{Outcome, Performed};
use super::super::{Session, done};
use super::answer::{FitAnswer, all_warnings};
use super::draws::{Draws, Inferred};
use super::picture::{Drawn, FitPicture, drawn};
use crate::diagnostic::{Code, Diagnostic};
use crate::simulate::Tolerances;
use crate::source::Span;
use crate::syntax::tree::{self, ExprKind};
use crate::table::Cells;
use std::path::PathBuf;
use std::sync::Arc;

const EXAMPLE: &str = "as in `report \"fit.html\"`";

/// A file about the last fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The whole sentence.
    pub span: Span,
    /// The file.
    pub path: tree::Text,
    /// What it holds.
    pub form: ReportForm,
}

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportForm {
    /// A page with tables and figures.
    Html,
    /// All numbers.
    Json,
    /// The table of estimates.
    Csv,
}

impl ReportForm {
    /// All with their endings.
    const ENDINGS: [(&'static str, ReportForm); 3] = [
        ("html", ReportForm::Html),
        ("json", ReportForm::Json),
        ("csv", ReportForm::Csv),
    ];

    fn of(path: &str) -> Option<ReportForm> {
        let known = ReportForm::ENDINGS.iter();
        let mut known = known.filter(|(ending, _)| ends_in(path, &[ending]));
        known.next().map(|(_, form)| *form)
    }
}

/// All that a report tells.
#[derive(Debug, Clone)]
pub struct FitReport {
    /// The fit, or one for each subject.
    pub answers: Vec<Arc<FitAnswer>>,
    /// What was asked.
    pub sentence: String,
    /// The text of the model.
    pub model: String,
    /// What is to be said of the fits besides their numbers.
    pub warnings: Vec<Diagnostic>,
    /// Those of the runs; none for models without states.
    pub tolerances: Option<Tolerances>,
    /// The figures, each with the words below it.
    pub pictures: Vec<(FitPicture, String, Drawn)>,
    /// What was asked of the fit since.
    pub inferred: Inferred,
}

/// `report "fit.html"`
pub(in crate::session) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let path = match sentence.subjects.as_slice() {
        [subject] => match &subject.value.kind {
            ExprKind::Text(text) => Some(tree::Text {
                text: text.clone(),
                span: subject.value.span,
            }),
            _ => None,
        },
        _ => None,
    };
    let Some(path) = path else {
        options.problem(
            Diagnostic::new(
                Code::MissingArgument,
                "`report` needs the name of a file in quotes",
            )
            .at(sentence.verb.span, "into which file?")
            .help(EXAMPLE),
        );
        return options.abandon();
    };
    let form = ReportForm::of(&path.text);
    if form.is_none() {
        options.problem(
            Diagnostic::new(
                Code::CannotWrite,
                "a report is a page (HTML), all numbers (JSON) or the table of estimates (CSV)",
            )
            .at(path.span, "this ending means something else")
            .help("end the name in `.html`, `.json` or `.csv`"),
        );
    }
    options.finish(|| {
        Ok(Command::Report(Report {
            span,
            path,
            form: form.ok_or(())?,
        }))
    })
}

impl Session {
    pub(in crate::session) fn report(
        &self,
        command: &Report,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let answers = self.need_fits(command.span)?;
        let to = PathBuf::from(&command.path.text);
        match command.form {
            ReportForm::Csv => {
                let (headers, columns) = table(answers);
                let cells: Vec<Cells<'_>> = columns.iter().map(Kept::cells).collect();
                let rows = answers.iter().map(|answer| answer.fitted.len()).sum();
                self.write_cells_to(&command.path, &headers, &cells, rows)
            }
            ReportForm::Json => Ok(done(Outcome::FitNumbers {
                answers: answers.to_vec(),
                inferred: Box::new(self.inferred.clone()),
                to,
            })),
            ReportForm::Html => Ok(done(Outcome::FitPage {
                report: Box::new(self.told(answers)),
                to,
            })),
        }
    }

    fn told(&self, answers: &[Arc<FitAnswer>]) -> FitReport {
        let first = answers.first();
        let plan = first.and_then(|answer| answer.runs.first()?.plan.as_ref());
        FitReport {
            answers: answers.to_vec(),
            sentence: first.map_or_else(String::new, |answer| {
                self.sources.slice(answer.span).to_owned()
            }),
            model: self.text_of_loaded(),
            warnings: first.map_or_else(Vec::new, |first| all_warnings(answers, first.span)),
            tolerances: plan.map(|plan| plan.options.tolerances.clone()),
            pictures: self.pictures(answers),
            inferred: self.inferred.clone(),
        }
    }

    fn pictures(&self, answers: &[Arc<FitAnswer>]) -> Vec<(FitPicture, String, Drawn)> {
        let captions = [
            (
                FitPicture::Fit,
                match self.inferred.draws() {
                    Some(Draws::Posterior(_)) => {
                        "The median of the curves over the data. The dark band holds the curve with a probability of 95 %, the pale one data to come."
                    }
                    Some(Draws::Bootstrap(_)) => {
                        "The model at its estimates over the data. The dark band holds the curves of 95 % of the bootstrap's fits, the pale one 95 % of data to come."
                    }
                    None => {
                        "The model at its estimates over the data. Where there is a dark band, the curve lies in it with a confidence of 95 %, by the standard errors; 95 % of data to come are expected in the pale one."
                    }
                },
            ),
            (
                FitPicture::Residuals,
                "Residuals: where each datum stands in its distribution, as a standard normal number (95 % lie between the dotted lines), and sorted against what is expected of normal numbers; each lies in the band in 95 % of cases.",
            ),
            (
                FitPicture::Waterfall,
                "What the search from each start came to, the best first; differences below 0.001 stand at 0.001.",
            ),
            (
                FitPicture::Traces,
                "The draws of each chain one after the other: chains that agree cover the same range.",
            ),
            (
                FitPicture::Pairs,
                "Each quantity alone, and two against each other. Above the diagonal: their correlation, on the scale that is drawn.",
            ),
            (
                FitPicture::Profiles,
                "How far the likelihood falls as a quantity is held at other values and the rest is fitted again. Where the curve stays below the dashed line, a value cannot be told from the estimate.",
            ),
        ];
        let made = captions.map(|(picture, caption)| {
            let drawn = drawn(picture, (answers, &self.inferred), &*self.world);
            (picture, caption.to_owned(), drawn)
        });
        made.into_iter()
            .filter(|(.., drawn)| !drawn.is_empty())
            .collect()
    }
}

/// A column of the table of estimates.
enum Kept {
    Numbers(Vec<f64>),
    Text(Vec<String>),
}

impl Kept {
    fn cells(&self) -> Cells<'_> {
        match self {
            Kept::Numbers(numbers) => Cells::Numbers(numbers),
            Kept::Text(texts) => Cells::Text(texts),
        }
    }
}

/// A row for each estimate, of each subject where there are several fits.
fn table(answers: &[Arc<FitAnswer>]) -> (Vec<String>, Vec<Kept>) {
    let rows = || {
        let answers = answers.iter();
        answers.flat_map(|answer| (0..answer.fitted.len()).map(move |at| (answer, at)))
    };
    let text = |of: &dyn Fn(&FitAnswer, usize) -> String| {
        Kept::Text(rows().map(|(answer, at)| of(answer, at)).collect())
    };
    let numbers = |of: &dyn Fn(&FitAnswer, usize) -> Option<f64>| {
        let all = rows().map(|(answer, at)| of(answer, at).unwrap_or(f64::NAN));
        Kept::Numbers(all.collect())
    };
    let mut all = vec![
        ("name", text(&|answer, at| answer.fitted[at].name.clone())),
        (
            "unit",
            text(&|answer, at| answer.fitted[at].unit.clone().unwrap_or_default()),
        ),
        (
            "start",
            numbers(&|answer, at| Some(answer.fitted[at].start)),
        ),
        (
            "estimate",
            numbers(&|answer, at| answer.estimates.get(at).copied()),
        ),
        (
            "std_error",
            numbers(&|answer, at| answer.errors.get(at).copied()),
        ),
        (
            "low",
            numbers(&|answer, at| answer.intervals.get(at).map(|ends| ends.0)),
        ),
        (
            "high",
            numbers(&|answer, at| answer.intervals.get(at).map(|ends| ends.1)),
        ),
        (
            "lower",
            numbers(&|answer, at| Some(answer.fitted[at].bounds.0)),
        ),
        (
            "upper",
            numbers(&|answer, at| Some(answer.fitted[at].bounds.1)),
        ),
    ];
    if answers.iter().any(|answer| answer.subject.is_some()) {
        let subjects = text(&|answer, _| answer.subject.clone().unwrap_or_default());
        all.insert(0, ("subject", subjects));
    }
    all.into_iter()
        .map(|(header, column)| (header.to_owned(), column))
        .unzip()
}
