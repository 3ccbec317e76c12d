//! The answer as figures: clouds of eigenvalues, boxes by group, colours on an embedding.
//!
//! Enters: a `plot` and the last answer. Leaves: figures. Must not know how they are drawn.

use super::numbers::{Measure, summary};
use super::sentence::element;
use super::tables::without_spectrum;
use super::{RowsAnswer, nothing_yet};
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::figure::{Axis, Figure, Mark, SHADE_STEPS, Series, Sheet, shade};
use crate::fit::sample_quantile as quantile;
use crate::session::Session;
use crate::session::cells::CellFile;
use crate::session::command::Plot;
use crate::session::compiled::Compiled;
use crate::session::lower::word_of;
use crate::session::options::Options;
use crate::session::outcome::{Outcome, Performed};
use crate::session::tables::Tables;
use crate::syntax::tree::{self, ExprKind};
use std::path::PathBuf;

/// Half of the width of a box; groups are 1 apart.
const HALF: f64 = 0.3;
/// Whiskers reach to the last number within so many times the distance of the quartiles (J. W.
/// Tukey, Exploratory Data Analysis, 1977).
const REACH: f64 = 1.5;
/// So many rows on an embedding have room for discs; more are dots.
const FEW: usize = 400;
/// Panels of one sheet.
const MOST_PANELS: usize = 9;

/// What of the rows is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::session) struct RowsPicture(Vec<Shown>);

#[derive(Debug, Clone, PartialEq)]
enum Shown {
    /// All eigenvalues, in the plane.
    Eigenvalues,
    /// The groups, on an embedding.
    Groups,
    /// A number for each row.
    Measure(&'static str, Measure),
    /// An element of the Jacobian: its name, row and column.
    Element(String, (usize, usize)),
}

/// `on "X_umap"`, `on "UMAP1", "UMAP2"`
pub(in crate::session) fn embedding(options: &mut Options<'_>) -> Vec<tree::Text> {
    let Some(option) = options.take("on") else {
        return Vec::new();
    };
    let texts: Vec<tree::Text> = (option.values.iter())
        .filter_map(|value| match &value.kind {
            ExprKind::Text(text) => Some(tree::Text {
                text: text.clone(),
                span: value.span,
            }),
            _ => None,
        })
        .collect();
    if texts.len() != option.values.len() || !(1..=2).contains(&texts.len()) {
        options.problem(
            Diagnostic::new(Code::BadOption, "`on` is followed by the name of an embedding")
                .at(option.span, "")
                .help(
                    "as in `plot leading on \"X_umap\"`; of a table two columns, as in `on \"UMAP1\", \"UMAP2\"`",
                ),
        );
    }
    texts
}

impl RowsPicture {
    /// The one that a `plot` asks for: its words are those of rows, and the model has no such
    /// names; or it is to be drawn on an embedding.
    pub fn asked(compiled: &Compiled, plot: &Plot) -> Option<Result<RowsPicture, Vec<Diagnostic>>> {
        let known: Vec<Option<Result<Shown, Diagnostic>>> = (plot.curves.iter())
            .map(|subject| match subject.versus {
                Some(_) => None,
                None => shown(compiled, &subject.value),
            })
            .collect();
        let is_own = !known.is_empty() && known.iter().all(Option::is_some);
        if !is_own && plot.on.is_empty() {
            return None;
        }
        Some(picture(plot, known))
    }
}

impl RowsPicture {
    /// The problems of a plot, with the word that a name misspells where rows were looked at.
    pub fn meant(has_rows: bool, plot: &Plot, problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let words = || {
            let measures = Measure::WORDS.iter().map(|(word, _)| *word);
            measures.chain(["eigenvalues", "groups"])
        };
        let near = |problem: &Diagnostic| {
            let at = problem.labels.first()?.span;
            let mut names = plot.curves.iter().filter_map(|one| word_of(&one.value));
            let name = names.find(|name| name.span == at)?;
            did_you_mean(&name.text, words())
        };
        let told = |problem: Diagnostic| match near(&problem) {
            Some(near) if has_rows && problem.code == Code::UnknownName => problem.help(near),
            _ => problem,
        };
        problems.into_iter().map(told).collect()
    }
}

/// A subject, where it is one of rows.
fn shown(compiled: &Compiled, value: &tree::Expr) -> Option<Result<Shown, Diagnostic>> {
    if let ExprKind::Reference(reference) = &value.kind
        && reference.indices.len() == 2
        && reference.name.text == "jacobian"
    {
        return Some(
            element(compiled, value)
                .map(|found| Shown::Element(found.label, (found.row, found.column))),
        );
    }
    let word = word_of(value)?;
    if compiled.model.names.get(&word.text).is_some() {
        return None;
    }
    Some(Ok(match word.text.as_str() {
        "eigenvalues" => Shown::Eigenvalues,
        "groups" => Shown::Groups,
        other => {
            let mut known = Measure::WORDS.iter();
            let (word, measure) = known.find(|(word, _)| *word == other)?;
            Shown::Measure(word, *measure)
        }
    }))
}

fn picture(
    plot: &Plot,
    known: Vec<Option<Result<Shown, Diagnostic>>>,
) -> Result<RowsPicture, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let wrong = |message: &str, span| Diagnostic::new(Code::BadOption, message).at(span, "");
    if let Some(data) = &plot.data {
        problems.push(
            wrong("what is told of rows is drawn without data", data.path.span)
                .help("leave `over` out"),
        );
    }
    if !plot.log.is_empty() {
        problems
            .push(wrong("what is told of rows has linear axes", plot.span).help("leave `log` out"));
    }
    let mut all = Vec::new();
    for (subject, found) in plot.curves.iter().zip(known) {
        let span = subject.value.span;
        match found {
            Some(Ok(Shown::Eigenvalues)) if !plot.on.is_empty() => problems
                .push(wrong("eigenvalues have a plane of their own", span).help("leave `on` out")),
            Some(Ok(Shown::Groups)) if plot.on.is_empty() => problems.push(
                wrong("groups are drawn on an embedding", span)
                    .help("as in `plot groups on \"X_umap\"`"),
            ),
            Some(Ok(shown)) => all.push(shown),
            Some(Err(problem)) => problems.push(problem),
            None => {
                let words: Vec<&str> = (Measure::WORDS.iter().map(|(word, _)| *word))
                    .chain(["groups", "jacobian[a, b]"])
                    .collect();
                problems.push(
                    wrong("this is not told of the rows of a table", span)
                        .help(format!("on an embedding there are {}", listed(&words))),
                );
            }
        }
    }
    if plot.curves.is_empty() {
        problems.push(
            wrong("what is to be drawn on the embedding?", plot.span)
                .help("as in `plot leading on \"X_umap\"`"),
        );
    }
    match problems.is_empty() {
        true => Ok(RowsPicture(all)),
        false => Err(problems),
    }
}

impl Session {
    pub(in crate::session) fn plot_rows(
        &self,
        picture: &RowsPicture,
        plot: &Plot,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let Some(answer) = &self.rows else {
            return Err(vec![nothing_yet(plot.span)]);
        };
        let embedding = match plot.on.is_empty() {
            true => None,
            false => Some(self.places_of_rows(answer, plot)?),
        };
        let mut figures = Vec::new();
        for shown in picture.0.iter().take(MOST_PANELS) {
            figures.push(match (shown, &embedding) {
                (Shown::Eigenvalues, _) => self.cloud(answer, plot)?,
                (Shown::Groups, Some(places)) => groups_on(answer, places),
                (Shown::Groups, None) => Figure::default(),
                (shown, Some(places)) => {
                    let (label, column) = numbers(answer, shown, plot)?;
                    colours_on(&label, &column, places)
                }
                (shown, None) => {
                    let (label, column) = numbers(answer, shown, plot)?;
                    boxes(answer, &label, &column)
                }
            });
        }
        let to = plot.to.as_ref().map(|text| PathBuf::from(&text.text));
        let title = plot.title.clone().unwrap_or_default();
        let outcome = match <[Figure; 1]>::try_from(figures) {
            Ok([figure]) => Outcome::Figure {
                figure: Figure {
                    title: if title.is_empty() {
                        figure.title.clone()
                    } else {
                        title
                    },
                    ..figure
                },
                to,
            },
            Err(panels) => Outcome::Sheet {
                sheet: Sheet {
                    title,
                    panels,
                    ..Sheet::default()
                },
                to,
            },
        };
        Ok(Performed {
            outcome,
            diagnostics: Vec::new(),
        })
    }

    /// All eigenvalues, coloured by group; the imaginary axis is where stability ends.
    fn cloud(&self, answer: &RowsAnswer, plot: &Plot) -> Result<Figure, Vec<Diagnostic>> {
        if !answer.spectrum {
            return Err(vec![without_spectrum(plot.span)]);
        }
        let groups = all_groups(answer);
        let mut clouds = vec![(Vec::new(), Vec::new()); groups.len()];
        let place = |row: usize| {
            let own = answer.data.of.get(row).copied().flatten();
            groups
                .iter()
                .position(|(group, _)| *group == own)
                .unwrap_or(0)
        };
        answer.spectra(&*self.world, |row, linear| {
            let Some((real, imaginary)) = clouds.get_mut(place(row)) else {
                return;
            };
            for value in linear.spectrum.iter().flatten() {
                real.push(value.re);
                imaginary.push(value.im);
            }
        })?;
        let largest = |numbers: &mut dyn Iterator<Item = &f64>| {
            numbers.fold(0.0_f64, |most, value| most.max(value.abs()))
        };
        // Of real eigenvalues alone the imaginary axis is a tenth as long as the real one.
        let high = match largest(&mut clouds.iter().flat_map(|(_, imaginary)| imaginary)) {
            0.0 => largest(&mut clouds.iter().flat_map(|(real, _)| real)) / 10.0,
            high => high,
        };
        let low = -high;
        let mut series = vec![Series {
            label: String::new(),
            x: vec![0.0, 0.0],
            y: vec![low, high],
            mark: Mark::Thin,
            colour: 6,
        }];
        let clouds = clouds.into_iter().zip(&groups).enumerate();
        series.extend(clouds.map(|(colour, ((x, y), (_, name)))| Series {
            label: name.clone(),
            x,
            y,
            mark: Mark::Dots,
            colour,
        }));
        Ok(Figure {
            x: axis("real part"),
            y: axis("imaginary part"),
            series,
            ..Figure::default()
        })
    }

    /// Where every row lies, with the names of the axes.
    fn places_of_rows(&self, answer: &RowsAnswer, plot: &Plot) -> Result<Places, Vec<Diagnostic>> {
        let one = |problem: Diagnostic| vec![problem];
        let tables = Tables::new(&*self.world, self.data_folder());
        let file = CellFile::open(&tables, &answer.data.file).map_err(one)?;
        let places = match plot.on.as_slice() {
            [only] => file
                .embedding(only, &|| self.world.interrupted())
                .map(|cells| {
                    let column =
                        |at: usize| (0..cells.rows()).map(|row| cells.at(row, at)).collect();
                    let short = only.text.strip_prefix("X_").unwrap_or(&only.text);
                    Places {
                        names: [format!("{short} 1"), format!("{short} 2")],
                        x: column(0),
                        y: column(1),
                    }
                }),
            [x, y, ..] => file.pair(x, y).map(|(first, second)| Places {
                names: [x.text.clone(), y.text.clone()],
                x: first,
                y: second,
            }),
            [] => return Err(vec![nothing_yet(plot.span)]),
        };
        let places = places.map_err(one)?;
        if places.x.len() != answer.data.rows() {
            let span = plot.on.first().map_or(plot.span, |text| text.span);
            return Err(vec![
                Diagnostic::new(Code::NoData, "the file has other rows than before")
                    .at(span, "")
                    .help("say `stability over` once more"),
            ]);
        }
        Ok(places)
    }
}

/// Where rows lie in a plane.
struct Places {
    names: [String; 2],
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Places {
    /// Some rows as a series.
    fn series(&self, rows: impl Iterator<Item = usize>, label: String, colour: usize) -> Series {
        let rows: Vec<usize> = rows.collect();
        let of = |column: &[f64]| -> Vec<f64> {
            let place = |row: &usize| column.get(*row).copied().unwrap_or(f64::NAN);
            rows.iter().map(place).collect()
        };
        Series {
            label,
            x: of(&self.x),
            y: of(&self.y),
            mark: if self.x.len() > FEW {
                Mark::Dots
            } else {
                Mark::Filled
            },
            colour,
        }
    }

    fn figure(&self, title: String, series: Vec<Series>) -> Figure {
        let [x, y] = &self.names;
        Figure {
            title,
            x: axis(x),
            y: axis(y),
            series,
            ..Figure::default()
        }
    }
}

fn axis(label: &str) -> Axis {
    Axis {
        label: label.to_owned(),
        ..Axis::default()
    }
}

/// The groups, or one without a name for all rows.
fn all_groups(answer: &RowsAnswer) -> Vec<(Option<usize>, String)> {
    let groups = answer.groups();
    if groups.is_empty() {
        return vec![(None, String::new())];
    }
    let named = groups.into_iter();
    named
        .map(|(group, name)| (group, name.to_owned()))
        .collect()
}

/// The numbers of a measure or an element with their name.
fn numbers(
    answer: &RowsAnswer,
    shown: &Shown,
    plot: &Plot,
) -> Result<(String, Vec<f64>), Vec<Diagnostic>> {
    match shown {
        Shown::Measure(_, measure) if measure.is_of_spectrum() && !answer.spectrum => {
            Err(vec![without_spectrum(plot.span)])
        }
        Shown::Measure(word, measure) => Ok(((*word).to_owned(), answer.column(*measure))),
        Shown::Element(label, place) => {
            let mut known = answer.elements.iter();
            let at = known.position(|known| (known.row, known.column) == *place);
            let Some(at) = at else {
                return Err(vec![
                    Diagnostic::new(
                        Code::NothingYet,
                        format!("`{label}` was not asked for at the rows"),
                    )
                    .at(plot.span, "")
                    .help(format!("say `stability over` once more, with `of {label}`")),
                ]);
            };
            Ok((label.clone(), answer.column(Measure::Element(at))))
        }
        Shown::Eigenvalues | Shown::Groups => Ok((String::new(), Vec::new())),
    }
}

/// Quartiles as a box for each group, whiskers, and what lies beyond them.
fn boxes(answer: &RowsAnswer, label: &str, column: &[f64]) -> Figure {
    let groups = all_groups(answer);
    let mut series = Vec::new();
    for (at, (group, _)) in groups.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a number of groups")]
        let middle = (at + 1) as f64;
        series.extend(one_box(column, &answer.rows_of(*group), middle, at));
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of groups")]
    let last = groups.len() as f64 + 0.5;
    Figure {
        x: Axis {
            label: answer.data.by.clone().unwrap_or_default(),
            range: Some((0.5, last)),
            names: groups.into_iter().map(|(_, name)| name).collect(),
            ..Axis::default()
        },
        y: axis(label),
        series,
        ..Figure::default()
    }
}

fn one_box(column: &[f64], rows: &[usize], middle: f64, colour: usize) -> Vec<Series> {
    let mut numbers: Vec<f64> = (rows.iter())
        .filter_map(|row| column.get(*row).copied())
        .filter(|number| number.is_finite())
        .collect();
    numbers.sort_by(f64::total_cmp);
    let series = |x: Vec<f64>, y: Vec<f64>, mark: Mark| Series {
        label: String::new(),
        x,
        y,
        mark,
        colour,
    };
    let known = summary(column, rows);
    let (left, right) = (middle - HALF, middle + HALF);
    let median = series(vec![left, right], vec![known.median; 2], Mark::Line);
    let Some((lower, upper)) = known.quartiles else {
        // One number is a line.
        return if known.count == 0 {
            Vec::new()
        } else {
            vec![median]
        };
    };
    let reach = REACH * (upper - lower);
    let inside = |number: &&f64| (lower - reach..=upper + reach).contains(*number);
    let (Some(low), Some(high)) = (
        numbers.iter().find(inside),
        numbers.iter().rev().find(inside),
    ) else {
        return vec![median];
    };
    let outside: Vec<f64> = numbers
        .iter()
        .filter(|number| !inside(number))
        .copied()
        .collect();
    let frame = series(
        vec![left, right, right, left, left],
        vec![lower, lower, upper, upper, lower],
        Mark::Line,
    );
    // Both whiskers are one curve that is interrupted.
    let whiskers = series(
        vec![middle, middle, f64::NAN, middle, middle],
        vec![*low, lower, f64::NAN, upper, *high],
        Mark::Line,
    );
    let mut all = vec![frame, median, whiskers];
    if !outside.is_empty() {
        all.push(series(vec![middle; outside.len()], outside, Mark::Dots));
    }
    all
}

/// Groups in their colours.
fn groups_on(answer: &RowsAnswer, places: &Places) -> Figure {
    let groups = all_groups(answer).into_iter().enumerate();
    let series = groups.map(|(colour, (group, name))| {
        places.series(answer.rows_of(group).into_iter(), name, colour)
    });
    places.figure(answer.data.by.clone().unwrap_or_default(), series.collect())
}

/// Numbers as steps of one scale, each with about as many rows: a few far ones do not take all
/// colours for themselves.
fn colours_on(label: &str, column: &[f64], places: &Places) -> Figure {
    let mut sorted: Vec<f64> = column.iter().copied().filter(|x| x.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    #[expect(clippy::cast_precision_loss, reason = "a few steps")]
    let edges: Vec<f64> = if distinct.len() <= SHADE_STEPS {
        distinct
    } else {
        let mut edges: Vec<f64> = (0..SHADE_STEPS)
            .map(|step| quantile(&sorted, step as f64 / SHADE_STEPS as f64))
            .collect();
        edges.dedup();
        edges
    };
    let step_of = |number: f64| {
        edges
            .partition_point(|edge| *edge <= number)
            .saturating_sub(1)
    };
    let text = crate::diagnostic::number_text;
    let series = edges.iter().enumerate().map(|(step, _)| {
        let is_in = |row: &usize| {
            let number = column.get(*row).copied().unwrap_or(f64::NAN);
            number.is_finite() && step_of(number) == step
        };
        let rows: Vec<usize> = (0..column.len()).filter(is_in).collect();
        let of = rows.iter().filter_map(|row| column.get(*row).copied());
        let (low, high) = of.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), number| {
            (low.min(number), high.max(number))
        });
        let rounded = |number: f64| text(rounded(number));
        let name = match rounded(low) == rounded(high) {
            true => rounded(low),
            false => format!("{} to {}", rounded(low), rounded(high)),
        };
        places.series(rows.into_iter(), name, shade(step, edges.len()))
    });
    places.figure(label.to_owned(), series.collect())
}

/// Three digits, for a legend.
fn rounded(number: f64) -> f64 {
    format!("{number:.2e}").parse().unwrap_or(number)
}
