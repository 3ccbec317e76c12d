//! A fit as one page of HTML that can be sent to a colleague.
//!
//! Enters: a report. Leaves: a page that needs no other file and no network: its style and its
//! figures (SVG) stand in it, and there are no scripts. The same report gives the same bytes.

mod inference;

use super::figure::{self, FigureError};
use super::fit::{
    conspicuous, correlated, error, estimate, headline, interval, name, region, relative, search,
};
use super::table::number;
use crate::diagnostic::Diagnostic;
use crate::session::fit::{Drawn, FitAnswer, FitPicture, FitReport};
use std::fmt::Write;
use std::sync::Arc;

/// Digits of numbers on the page.
const DIGITS: usize = 6;
/// Digits of log-likelihoods and sums of squares: fits are compared by them.
const FINE: usize = 9;

const STYLE: &str = "\
body{margin:0;background:#fff;color:#1a1a1a;font:16px/1.5 Helvetica,Arial,'Liberation Sans',sans-serif}
main{max-width:56rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .4rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem;padding-bottom:.25rem;border-bottom:1px solid #ddd}
h3{font-size:1rem;margin:1.4rem 0 .4rem}
p{margin:.4rem 0}
.lead{color:#555}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.28rem .8rem;text-align:right;border-bottom:1px solid #e6e6e6;white-space:nowrap}
th{font-weight:600;border-bottom-color:#999}
th:first-child,td:first-child,.words{text-align:left}
tbody th{border-bottom-color:#e6e6e6}
.note{color:#a04000}
ul.warnings{margin:.4rem 0;padding:.6rem .8rem .6rem 1.8rem;background:#fdf3e7;border-left:4px solid #d55e00}
figure{margin:1.2rem 0}
figure svg{max-width:100%;height:auto;display:block}
figcaption{color:#555;font-size:.9rem;margin-top:.3rem}
pre{background:#f6f6f6;padding:.8rem 1rem;overflow-x:auto;font:13px/1.45 'DejaVu Sans Mono',Menlo,Consolas,monospace}
footer{margin-top:3rem;color:#777;font-size:.85rem}
@media screen and (max-width:40rem){main{padding:1rem .8rem 3rem}figure{overflow-x:auto}figure svg{max-width:none;width:40rem}}
@media print{main{max-width:none;padding:0}.wide{overflow:visible}h2,h3{break-after:avoid}figure,table{break-inside:avoid}th,td{padding:.2rem .5rem}pre{white-space:pre-wrap}}
";

/// The whole page.
///
/// # Errors
/// A figure that cannot be drawn.
pub fn html(report: &FitReport) -> Result<String, Diagnostic> {
    let title = title(report);
    let mut page = Page::default();
    page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
    page.element("title", &title);
    let _ = write!(
        page.text,
        "<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    page.element("h1", &title);
    page.warnings(report);
    page.estimates(&report.answers);
    page.figures(report)?;
    page.inferred(report)?;
    page.correlations(&report.answers);
    page.provenance(report);
    page.element("h2", "The model");
    page.element("pre", report.model.trim_end());
    page.raw("</main>\n</body>\n</html>\n");
    Ok(page.text)
}

/// `Fit of lynx_hare to lynx_hare.csv`
fn title(report: &FitReport) -> String {
    let Some(first) = report.answers.first() else {
        return "Fit".to_owned();
    };
    match &first.compiled.model.name {
        Some(name) => format!("Fit of {name} to {}", first.file),
        None => format!("Fit to {}", first.file),
    }
}

/// The page as far as it is written.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn raw(&mut self, markup: &str) {
        self.text.push_str(markup);
    }

    /// An element that holds a text.
    fn element(&mut self, tag: &str, text: &str) {
        let _ = writeln!(self.text, "<{tag}>{}</{tag}>", escaped(text));
    }

    /// What must not be overlooked.
    fn warnings(&mut self, report: &FitReport) {
        if report.warnings.is_empty() {
            return;
        }
        self.raw("<ul class=\"warnings\">\n");
        for warning in &report.warnings {
            let help = warning
                .help
                .as_ref()
                .map_or_else(String::new, |help| format!("; {help}"));
            self.element("li", &format!("{}{help}", warning.message));
        }
        self.raw("</ul>\n");
    }

    fn estimates(&mut self, answers: &[Arc<FitAnswer>]) {
        for answer in answers {
            match (&answer.subject, answers) {
                (Some(who), [_, _, ..]) => {
                    self.element("h2", &format!("Estimates of subject {who}"))
                }
                _ => self.element("h2", "Estimates"),
            }
            self.lead(&headline(answer));
            self.table_of_estimates(answer);
            self.quality(answer);
            self.residuals(answer);
            self.element("p", &search(answer));
            let lines = region(answer).into_iter().chain(correlated(answer));
            for line in lines.chain(conspicuous(answer)) {
                self.element("p", &line);
            }
        }
    }

    fn table_of_estimates(&mut self, answer: &FitAnswer) {
        self.raw("<div class=\"wide\"><table>\n");
        self.head(&[
            "",
            "estimate",
            "std. error",
            "rel. %",
            "95 % interval",
            "start",
            "bounds",
            "prior",
        ]);
        self.raw("<tbody>\n");
        for at in 0..answer.fitted.len() {
            let known = &answer.fitted[at];
            let (interval, class) = match interval(answer, at) {
                Ok((low, high)) => (format!("{low} to {high}"), ""),
                Err(why) => (why.to_owned(), " class=\"note\""),
            };
            let (low, high) = known.bounds;
            let bounds = match (low.is_finite(), high.is_finite()) {
                (false, false) => String::new(),
                (true, true) => format!("{} to {}", number(low, DIGITS), number(high, DIGITS)),
                (true, false) => format!("at least {}", number(low, DIGITS)),
                (false, true) => format!("at most {}", number(high, DIGITS)),
            };
            let prior = known.prior.as_ref().map_or_else(String::new, |prior| {
                let numbers: Vec<String> = prior
                    .parameters
                    .iter()
                    .map(|x| number(*x, DIGITS))
                    .collect();
                format!("{}({})", prior.family.name(), numbers.join(", "))
            });
            let _ = write!(self.text, "<tr><th>{}</th>", escaped(&name(answer, at)));
            for cell in [
                estimate(answer, at),
                error(answer, at),
                relative(answer, at),
            ] {
                let _ = write!(self.text, "<td>{}</td>", escaped(&cell));
            }
            let _ = write!(self.text, "<td{class}>{}</td>", escaped(&interval));
            for cell in [number(known.start, DIGITS), bounds, prior] {
                let _ = write!(self.text, "<td>{}</td>", escaped(&cell));
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody>\n</table></div>\n");
    }

    fn quality(&mut self, answer: &FitAnswer) {
        self.element("h3", "Quality");
        let mut rows = vec![
            ("data", answer.count.to_string()),
            ("log-likelihood", number(answer.log_likelihood, FINE)),
            ("AIC", number(answer.aic(), DIGITS)),
            ("BIC", number(answer.bic(), DIGITS)),
        ];
        if let Some(squares) = answer.squares {
            rows.push(("residual sum of squares", number(squares, FINE)));
        }
        if let Some(sd) = answer.residual_sd() {
            rows.push(("residual standard deviation", number(sd, DIGITS)));
            rows.push(("degrees of freedom", answer.degrees_left().to_string()));
        }
        if answer.log_prior != 0.0 {
            rows.push(("log prior density", number(answer.log_prior, DIGITS)));
        }
        self.pairs(&rows);
    }

    /// What tests say of the residuals.
    fn residuals(&mut self, answer: &FitAnswer) {
        self.element("h3", "Residuals");
        self.raw("<div class=\"wide\"><table>\n");
        self.head(&[
            "",
            "runs test, p",
            "Shapiro and Francia, p",
            "autocorrelation",
        ]);
        self.raw("<tbody>\n");
        for checks in &answer.checks {
            let tests = &checks.tests;
            let numbers = [
                tests.runs.map(|test| test.p),
                tests.normality.map(|test| test.p),
                tests.autocorrelation,
            ];
            let _ = write!(self.text, "<tr><th>{}</th>", escaped(&checks.name));
            for cell in numbers {
                let text = cell.map_or_else(|| "–".to_owned(), |one| number(one, 3));
                let _ = write!(self.text, "<td>{}</td>", escaped(&text));
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody>\n</table></div>\n");
    }

    fn figures(&mut self, report: &FitReport) -> Result<(), FigureError> {
        self.element("h2", "Figures");
        for picture in [
            FitPicture::Fit,
            FitPicture::Residuals,
            FitPicture::Waterfall,
        ] {
            self.pictures(report, picture)?;
        }
        Ok(())
    }

    /// The figures of one kind with the words below them.
    fn pictures(&mut self, report: &FitReport, which: FitPicture) -> Result<(), FigureError> {
        let own = report.pictures.iter();
        for (_, caption, drawn) in own.filter(|(picture, ..)| *picture == which) {
            let svg = match drawn {
                Drawn::Matrix(matrix) => figure::matrix_svg(matrix)?,
                Drawn::Sheet(sheet) => match sheet.panels.as_slice() {
                    [only] => figure::svg(only, figure::Size::default())?,
                    _ => figure::sheet_svg(sheet)?,
                },
            };
            self.raw("<figure>\n");
            self.raw(&within_html(&svg));
            self.element("figcaption", caption);
            self.raw("</figure>\n");
        }
        Ok(())
    }

    fn correlations(&mut self, answers: &[Arc<FitAnswer>]) {
        let several = answers.len() > 1;
        for answer in answers {
            let (Ok(known), m) = (&answer.uncertainty, answer.fitted.len()) else {
                continue;
            };
            if m < 2 {
                continue;
            }
            match &answer.subject {
                Some(who) if several => {
                    self.element("h2", &format!("Correlations of subject {who}"))
                }
                _ => self.element("h2", "Correlations of the estimates"),
            }
            let names: Vec<&str> = answer
                .fitted
                .iter()
                .map(|known| known.name.as_str())
                .collect();
            self.raw("<div class=\"wide\"><table>\n");
            self.head(&[&[""], names.as_slice()].concat());
            self.raw("<tbody>\n");
            for (row, name) in known.correlation.chunks(m).zip(&names) {
                let _ = write!(self.text, "<tr><th>{}</th>", escaped(name));
                for r in row {
                    self.correlation(*r);
                }
                self.raw("</tr>\n");
            }
            self.raw("</tbody>\n</table></div>\n");
        }
    }

    /// The darker, the stronger: blue for positive, red for negative ones.
    fn correlation(&mut self, r: f64) {
        if !r.is_finite() {
            self.raw("<td>–</td>");
            return;
        }
        let colour = if r > 0.0 { "0,114,178" } else { "213,94,0" };
        let opacity = 0.45 * r.abs().min(1.0);
        let _ = write!(
            self.text,
            "<td style=\"background:rgba({colour},{opacity:.2})\">{r:.3}</td>"
        );
    }

    /// How it was obtained, so that it can be done again.
    fn provenance(&mut self, report: &FitReport) {
        self.element("h2", "How it was obtained");
        let mut rows = vec![("version", format!("Lotka {}", env!("CARGO_PKG_VERSION")))];
        if let Some(first) = report.answers.first() {
            rows.push(("data", first.file.clone()));
            rows.push(("search", first.method.name().to_owned()));
            rows.push(("starts", first.starts.to_string()));
            if first.starts > 1 {
                rows.push(("seed", first.seed.to_string()));
            }
        }
        if let Some(tolerances) = &report.tolerances {
            rows.push((
                "relative tolerance of runs",
                number(tolerances.relative, DIGITS),
            ));
            let absolute = tolerances.absolute.iter().copied();
            let ends = absolute.fold((f64::INFINITY, 0.0_f64), |(low, high), one| {
                (low.min(one), high.max(one))
            });
            rows.push((
                "absolute tolerance of runs",
                match ends.0 < ends.1 {
                    true => format!("{} to {}", number(ends.0, DIGITS), number(ends.1, DIGITS)),
                    false => number(ends.1, DIGITS),
                },
            ));
        }
        self.pairs(&rows);
        self.element("pre", &report.sentence);
    }

    /// Words under a heading.
    fn lead(&mut self, text: &str) {
        let _ = writeln!(self.text, "<p class=\"lead\">{}</p>", escaped(text));
    }

    /// A table whose rows begin with a name.
    fn table(&mut self, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        self.raw("<div class=\"wide\"><table>\n");
        self.head(head);
        self.raw("<tbody>\n");
        for row in rows {
            self.raw("<tr>");
            for (at, cell) in row.iter().enumerate() {
                let tag = if at == 0 { "th" } else { "td" };
                let _ = write!(self.text, "<{tag}>{}</{tag}>", escaped(cell));
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody>\n</table></div>\n");
    }

    fn head(&mut self, cells: &[&str]) {
        self.raw("<thead>\n<tr>");
        for cell in cells {
            let _ = write!(self.text, "<th>{}</th>", escaped(cell));
        }
        self.raw("</tr>\n</thead>\n");
    }

    /// A table of two columns.
    fn pairs(&mut self, rows: &[(&str, String)]) {
        self.raw("<div class=\"wide\"><table>\n<tbody>\n");
        for (what, value) in rows {
            let _ = writeln!(
                self.text,
                "<tr><td>{}</td><td class=\"words\">{}</td></tr>",
                escaped(what),
                escaped(value)
            );
        }
        self.raw("</tbody>\n</table></div>\n");
    }
}

/// An SVG document as a part of a page, which knows the elements by themselves.
fn within_html(svg: &str) -> String {
    svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1)
}

/// Text that means itself.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}
