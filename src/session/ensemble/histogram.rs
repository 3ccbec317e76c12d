//! `histogram x at 20 to "figure.svg"`: how quantities are spread over the paths.
//!
//! Enters: the sentence. Leaves: a figure, or a table of bars. Must not know how it is drawn.

use super::{Ensemble, figure, many};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::session::Session;
use crate::session::command::{Command, Histogram};
use crate::session::compiled::Compiled;
use crate::session::failure::short;
use crate::session::lower::{ends_in, figure_or_table, subjects_without_vs};
use crate::session::options::Options;
use crate::session::outcome::{Outcome, Performed};
use crate::source::Span;
use crate::syntax::tree;
use crate::table::Cells;
use std::path::PathBuf;
use std::sync::Arc;

/// Understands the sentence.
pub(in crate::session) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let why = "a histogram is of one quantity at a time";
    let shown = subjects_without_vs(sentence, &mut options, why, "as in `histogram x, y`");
    let at = options.value("at");
    let title = options.text("title").map(|text| text.text);
    let to = figure_or_table(&mut options, "a histogram is");
    options.finish(|| {
        Ok(Command::Histogram(Histogram {
            span,
            shown,
            at,
            title,
            to,
        }))
    })
}

/// What can be seen of the sentence before there are paths.
///
/// # Errors
/// Unknown names.
pub(in crate::session) fn check(
    compiled: &Compiled,
    command: &Histogram,
) -> Result<(), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    for expr in &command.shown {
        problems.extend(compiled.observable(expr).err().into_iter().flatten());
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

impl Session {
    pub(in crate::session) fn histogram(
        &self,
        command: &Histogram,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let Some(ensemble) = &self.ensemble else {
            return Err(vec![
                Diagnostic::new(Code::NothingYet, "there are no paths to count")
                    .at(command.span, "")
                    .help("make some, as in `simulate 0..50 paths 1000`"),
            ]);
        };
        let labels: Vec<(String, Span)> = (command.shown.iter())
            .map(|expr| Ok((compiled.observable(expr)?.label, expr.span)))
            .collect::<Result<_, Vec<Diagnostic>>>()?;
        let named = labels.iter().map(|(label, span)| (label.as_str(), *span));
        let columns = ensemble.columns(named)?;
        let row = self.row(ensemble, command)?;
        if let Some(to) = &command.to
            && ends_in(&to.text, &["csv"])
        {
            return self.save_histogram(ensemble, &columns, row, to);
        }
        let at = ensemble.times.get(row).copied().unwrap_or(f64::NAN);
        let title = command.title.clone().unwrap_or_else(|| {
            format!(
                "{} at {} = {}",
                many(ensemble.made),
                compiled.model.names.variable(),
                number_text(at)
            )
        });
        Ok(Performed {
            outcome: Outcome::Figure {
                figure: figure::histogram(ensemble, &columns, row, title),
                to: command.to.as_ref().map(|text| PathBuf::from(&text.text)),
            },
            diagnostics: Vec::new(),
        })
    }

    /// The output time asked for.
    fn row(&self, ensemble: &Ensemble, command: &Histogram) -> Result<usize, Vec<Diagnostic>> {
        let last = ensemble.times.len().saturating_sub(1);
        let Some(expr) = &command.at else {
            return Ok(last);
        };
        let compiled = &self.need_model()?.compiled;
        let time = compiled.number(expr, &compiled.present(&self.overrides))?;
        let apart = |row: &usize| {
            ensemble
                .times
                .get(*row)
                .map_or(f64::NAN, |at| (at - time).abs())
        };
        let nearest = (0..=last).min_by(|a, b| apart(a).total_cmp(&apart(b)));
        let length = match (ensemble.times.first(), ensemble.times.last()) {
            (Some(first), Some(last)) => last - first,
            _ => 0.0,
        };
        match nearest {
            Some(row) if apart(&row) <= 1e-9 * length.max(time.abs()) => Ok(row),
            nearest => Err(vec![
                Diagnostic::new(Code::BadOption, "this is no output time of the paths")
                    .at(expr.span, format!("this is {}", number_text(time)))
                    .help(match nearest.and_then(|row| ensemble.times.get(row)) {
                        Some(near) => format!(
                            "the nearest one is {}; `at {}` of `simulate` would keep it",
                            short(*near),
                            number_text(time)
                        ),
                        None => "there are none".to_owned(),
                    }),
            ]),
        }
    }

    fn save_histogram(
        &self,
        ensemble: &Ensemble,
        columns: &[usize],
        row: usize,
        to: &tree::Text,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let (mut names, mut low, mut high, mut count) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for column in columns {
            let quantity = ensemble.quantities.get(*column);
            for bar in ensemble.summary.histogram(row, *column) {
                names.push(quantity.map_or_else(String::new, |known| known.name.clone()));
                low.push(bar.low);
                high.push(bar.high);
                #[expect(clippy::cast_precision_loss, reason = "a count of paths")]
                count.push(bar.count as f64);
            }
        }
        let headers = ["quantity", "from", "to", "paths"].map(str::to_owned);
        let cells = [
            Cells::Text(&names),
            Cells::Numbers(&low),
            Cells::Numbers(&high),
            Cells::Numbers(&count),
        ];
        self.write_cells_to(to, &headers, &cells, names.len())
    }
}
