//! Fits in words: a table of estimates, how good they are, how they were found.
//!
//! Enters: the answer of a fit, or of one fit for each subject. Leaves: text; pieces of it for
//! `fit_page`.

use super::class::class_words;
use super::outcome::counted;
use super::table::{Column, number, table};
use super::words;
use crate::fit::{End, Standing};
use crate::session::fit::{FitAnswer, LeftOut, Standing as StandingOfRegion, StandingOfRun};

/// What is left to gain is told when it is more than this.
const NEXT_TO_NOTHING: f64 = 1e-9;
/// Digits of numbers in sentences.
const DIGITS: usize = 6;
/// Digits of log-likelihoods and sums of squares: optima are compared by them.
const FINE: usize = 9;
/// Correlations above this are told: the estimates trade off against each other.
const STRONG: f64 = 0.95;
/// The header of relative standard errors.
const RELATIVE: &str = "rel. %";
/// Between columns of a table.
const GAP: usize = 2;
/// Residuals that are less likely than this are told.
const UNLIKELY: f64 = 0.01;
/// Digits of eigenvalues.
const DIGITS_OF_EIGENVALUES: usize = 4;
/// Eigenvalues that are told of a steady state.
const MOST_EIGENVALUES: usize = 6;
/// Runs whose steady states are told.
const MOST_PLACES: usize = 6;
/// Parameters that were held and are told.
const MOST_HELD: usize = 8;
/// Pairs of correlated estimates that are told.
const MOST_PAIRS: usize = 4;

/// The text of fits: one in full, several as a table.
pub(super) fn text(answers: &[std::sync::Arc<FitAnswer>], width: usize) -> String {
    match answers {
        [only] => one(only, width),
        several => by_subject(several, width),
    }
}

fn one(answer: &FitAnswer, width: usize) -> String {
    let mut text = words::wrapped(&headline(answer), width, "  ");
    text.push_str("\n\n");
    text.push_str(&estimates(answer, width));
    text.push('\n');
    let mut lines = vec![quality(answer)];
    lines.extend(super::explain_fit::line(answer));
    lines.push(search(answer));
    lines.extend(region(answer));
    lines.extend(held(answer));
    lines.extend(correlated(answer));
    lines.extend(conspicuous(answer));
    for line in lines {
        text.push_str(&words::wrapped(&line, width, "  "));
        text.push('\n');
    }
    text
}

/// `held, without bounds or prior: F = 1, Vmax and 3 others`
fn held(answer: &FitAnswer) -> Option<String> {
    let known = answer.held.iter().take(MOST_HELD);
    let mut names: Vec<String> = known
        .map(|(name, value)| match value {
            Some(value) => format!("{name} = {}", number(*value, DIGITS)),
            None => name.clone(),
        })
        .collect();
    let others = answer.held.len().saturating_sub(names.len());
    if others > 0 {
        names.push(counted(others, "other", "others"));
    }
    let names = crate::diagnostic::listed(&names);
    (!names.is_empty()).then(|| format!("held, without bounds or prior: {names}"))
}

/// `42 data of hare and lynx from lynx_hare.csv, 1 run`
pub(super) fn headline(answer: &FitAnswer) -> String {
    let names: Vec<String> = answer
        .lens
        .seen
        .iter()
        .map(|seen| seen.name.clone())
        .collect();
    let of = crate::diagnostic::listed(&names);
    let subject = answer
        .subject
        .as_ref()
        .map_or(String::new(), |who| format!(", subject {who}"));
    let runs = match answer.runs.len() {
        1 => String::new(),
        several => format!(" in {several} runs"),
    };
    let what = match (answer.squares.is_some(), answer.log_prior != 0.0) {
        (true, _) => "least squares",
        (false, true) => "maximum of the posterior density",
        (false, false) => "maximum likelihood",
    };
    format!(
        "{what}: {} of {of}{runs} from {}{subject}{}",
        counted(answer.count, "datum", "data"),
        answer.file,
        left_out(&[answer])
    )
}

/// `; 56 rows of doses left out`; nothing where no row was.
pub(super) fn left_out(answers: &[&FitAnswer]) -> String {
    let of = |which: fn(&LeftOut) -> usize| {
        let answers = answers.iter();
        answers.map(|answer| which(&answer.left_out())).sum()
    };
    let (rows, doses): (usize, usize) = (of(|left| left.rows), of(|left| left.doses));
    let counted = counted(rows, "row", "rows");
    match rows {
        0 => String::new(),
        _ if rows == doses => format!("; {counted} of doses left out"),
        _ => format!("; {counted} without observation left out"),
    }
}

/// The table of estimates. Where it is too wide the relative errors give way, then intervals stand
/// in a table of their own.
fn estimates(answer: &FitAnswer, width: usize) -> String {
    let mut columns = columns(answer);
    if !fits(&columns, width) {
        columns.retain(|column| column.header != RELATIVE);
    }
    if fits(&columns, width) {
        return table(&columns, width);
    }
    let names = columns.first().cloned();
    let intervals: Vec<Column> = names.into_iter().chain(columns.pop()).collect();
    format!("{}\n{}", table(&columns, width), table(&intervals, width))
}

fn fits(columns: &[Column], width: usize) -> bool {
    let wide: usize = columns.iter().map(|column| column.width() + GAP).sum();
    wide <= width + GAP
}

fn columns(answer: &FitAnswer) -> Vec<Column> {
    let rows = || 0..answer.fitted.len();
    vec![
        Column::text("", rows().map(|at| name(answer, at)).collect()),
        Column::text(
            "estimate",
            aligned(rows().map(|at| estimate(answer, at)).collect()),
        ),
        Column::text(
            "std. error",
            aligned(rows().map(|at| error(answer, at)).collect()),
        ),
        Column::text(
            RELATIVE,
            aligned(rows().map(|at| relative(answer, at)).collect()),
        ),
        Column::text("95 % interval", intervals(answer)),
    ]
}

/// `k [1/h]`
pub(super) fn name(answer: &FitAnswer, at: usize) -> String {
    match answer.fitted.get(at) {
        Some(known) => match &known.unit {
            Some(unit) => format!("{} [{unit}]", known.name),
            None => known.name.clone(),
        },
        None => String::new(),
    }
}

fn cell(value: Option<&f64>, digits: usize) -> String {
    match value {
        Some(value) if value.is_finite() => number(*value, digits),
        _ => "–".to_owned(),
    }
}

pub(super) fn estimate(answer: &FitAnswer, at: usize) -> String {
    cell(answer.estimates.get(at), DIGITS)
}

/// The standard error, where there is one.
pub(super) fn error(answer: &FitAnswer, at: usize) -> String {
    cell(
        answer.errors.get(at).filter(|_| is_determined(answer, at)),
        DIGITS,
    )
}

/// The standard error in percent of the estimate.
pub(super) fn relative(answer: &FitAnswer, at: usize) -> String {
    let pair = answer.estimates.get(at).zip(answer.errors.get(at));
    let percent = pair.map(|(estimate, error)| 100.0 * error / estimate.abs());
    cell(percent.as_ref().filter(|_| is_determined(answer, at)), 3)
}

/// How an estimate stands; taken as determined where nothing is known.
fn standing(answer: &FitAnswer, at: usize) -> Standing {
    let known = answer.uncertainty.as_ref().ok();
    let standing = known.and_then(|known| known.standing.get(at).copied());
    standing.unwrap_or(Standing::Determined)
}

fn is_determined(answer: &FitAnswer, at: usize) -> bool {
    standing(answer, at) == Standing::Determined
}

/// The ends of an interval, or why there is none.
pub(super) fn interval(answer: &FitAnswer, at: usize) -> Result<(String, String), &'static str> {
    match standing(answer, at) {
        Standing::AtLower => Err("on its lower bound"),
        Standing::AtUpper => Err("on its upper bound"),
        Standing::Undetermined | Standing::Falling => Err("not determined"),
        Standing::Fixed => Err("fixed"),
        Standing::OnEdge => Err("on the edge"),
        Standing::Determined => {
            let ends = answer.intervals.get(at);
            if ends.is_none_or(|(low, high)| low.is_nan() && high.is_nan()) {
                return Err("–");
            }
            Ok((
                cell(ends.map(|ends| &ends.0), DIGITS),
                cell(ends.map(|ends| &ends.1), DIGITS),
            ))
        }
    }
}

fn intervals(answer: &FitAnswer) -> Vec<String> {
    let all: Vec<_> = (0..answer.fitted.len())
        .map(|at| interval(answer, at))
        .collect();
    let ends = |which: fn(&(String, String)) -> &String| {
        let cells = all.iter().flatten().map(|ends| which(ends).clone());
        aligned(cells.collect())
    };
    let (lows, highs) = (ends(|ends| &ends.0), ends(|ends| &ends.1));
    let mut known = lows.into_iter().zip(highs);
    let texts = all.iter().map(|one| match one {
        Ok(_) => known
            .next()
            .map_or_else(String::new, |(low, high)| format!("{low} to {high}")),
        Err(why) => (*why).to_owned(),
    });
    texts.collect()
}

/// Numbers with their decimal points under each other.
fn aligned(cells: Vec<String>) -> Vec<String> {
    let before = |cell: &str| words::width(cell.split(['.', 'e']).next().unwrap_or(cell));
    let most = cells.iter().map(|cell| before(cell)).max().unwrap_or(0);
    let moved: Vec<String> = cells
        .iter()
        .map(|cell| format!("{}{cell}", " ".repeat(most - before(cell))))
        .collect();
    let widest = moved
        .iter()
        .map(|cell| words::width(cell))
        .max()
        .unwrap_or(0);
    moved.iter().map(|cell| words::left(cell, widest)).collect()
}

fn quality(answer: &FitAnswer) -> String {
    let mut text = String::new();
    if let Some(squares) = answer.squares {
        text.push_str(&format!(
            "residual sum of squares {}",
            number(squares, FINE)
        ));
        if let Some(sd) = answer.residual_sd() {
            let left = answer.degrees_left();
            text.push_str(&format!(
                ", residual sd {} ({})",
                number(sd, DIGITS),
                counted(left, "degree of freedom", "degrees of freedom")
            ));
        }
        text.push_str("; ");
        // The likelihood of no scatter at all has no end.
        if answer.is_exact {
            text.push_str("the model passes through all data");
            return text;
        }
        if answer.degrees_left() == 0 {
            text.push_str("no data to spare for standard errors; ");
        }
    }
    text.push_str(&format!(
        "log-likelihood {}, AIC {}, BIC {}",
        number(answer.log_likelihood, FINE),
        number(answer.aic(), DIGITS),
        number(answer.bic(), DIGITS)
    ));
    if answer.log_prior != 0.0 {
        text.push_str(&format!(
            ", log prior density {}",
            number(answer.log_prior, DIGITS)
        ));
    }
    text
}

/// `lm converged (0.3e-12 left to gain); 18 of 20 starts reached this optimum; seed 1`
pub(super) fn search(answer: &FitAnswer) -> String {
    let local = answer.search();
    let end = match &local.end {
        _ if answer.is_exact => "converged (nothing but rounding is left)".to_owned(),
        // The last digits of next to nothing tell nobody anything.
        End::Converged { decrement } if *decrement < NEXT_TO_NOTHING => {
            "converged (less than 1e-9 of log-likelihood left to gain)".to_owned()
        }
        End::Converged { decrement } => format!(
            "converged (at most {} of log-likelihood left to gain)",
            number(*decrement, 1)
        ),
        End::OnEdge { decrement, .. } => format!(
            "converged on the edge of {} (at most {} of log-likelihood left to gain within)",
            edges(answer),
            number(*decrement, 1)
        ),
        End::Unmoved { decrement } if *decrement <= 1e-8 => {
            "stayed at the start, which is the optimum".to_owned()
        }
        End::Unmoved { .. } => "did not move from the start".to_owned(),
        // What no step makes smaller, and next to nothing is left: rounding.
        End::Stalled { .. } if answer.has_converged() => {
            "converged as far as rounding lets it".to_owned()
        }
        End::Stalled { .. } => "stalled".to_owned(),
        End::OutOfIterations => "used up its iterations".to_owned(),
        End::SimplexCollapsed => "ended with a simplex shrunk to a point".to_owned(),
        End::SwarmCollapsed => "ended with a swarm shrunk to a point".to_owned(),
        End::Interrupted => "was interrupted".to_owned(),
        End::Fault(_) | End::NotFinite => "could not begin".to_owned(),
    };
    let mut text = format!(
        "{} {end} after {}",
        answer.method.name(),
        counted(local.iterations as usize, "iteration", "iterations")
    );
    if answer.began_elsewhere() {
        text.push_str(match answer.region {
            None => "; the given start has no likelihood, and another was drawn",
            Some(_) => "; the given start is outside, and the search began at values found inside",
        });
    }
    // Rounding is not an optimum that starts could share.
    if answer.findings.all.len() > 1 && !answer.is_exact {
        let failed = answer
            .findings
            .all
            .iter()
            .filter(|one| !one.local.value.is_finite())
            .count();
        let (here, others) = answer.reached();
        text.push_str(&format!(
            "; {here} of {} starts reached this optimum",
            answer.findings.all.len()
        ));
        if others > 0 {
            text.push_str(&format!(", {others} another as good"));
        }
        if failed > 0 {
            text.push_str(&format!(", {failed} could not begin"));
        }
        text.push_str(&format!(" (seed {})", answer.seed));
    }
    text
}

/// The names of what the estimates are on the edge of.
fn edges(answer: &FitAnswer) -> String {
    let on_edge = answer.standing.iter().filter(|one| one.on_edge);
    let names: Vec<String> = on_edge.map(|one| format!("`{}`", one.text)).collect();
    crate::diagnostic::listed(&names)
}

/// How what must hold of the estimates stands, each in a line.
pub(super) fn region(answer: &FitAnswer) -> Vec<String> {
    let line = |one: &StandingOfRegion| {
        let several = one.places.len() > 1;
        let places = one.places.iter().take(MOST_PLACES);
        let told: Vec<String> = places
            .filter_map(|place| at_rest(answer, place, several))
            .collect();
        let more = match one.places.len() > MOST_PLACES {
            true => ", and others",
            false => "",
        };
        let told = match told.is_empty() {
            true => String::new(),
            false => format!(": {}{more}", told.join("; ")),
        };
        let holds = match (one.holds, several) {
            (true, true) => "holds for all of them",
            (true, false) => "holds",
            (false, _) => "does not hold",
        };
        format!("{} {holds}{told}", one.text)
    };
    answer.standing.iter().map(line).collect()
}

/// `control: stable spiral, eigenvalues -0.1 ± 2i`
fn at_rest(answer: &FitAnswer, place: &StandingOfRun, several: bool) -> Option<String> {
    let class = place.class?;
    let values = place.eigenvalues.iter().take(MOST_EIGENVALUES);
    let values: Vec<String> = values
        .map(|value| eigenvalue(value.real, value.imaginary))
        .collect();
    let more = match place.eigenvalues.len() > MOST_EIGENVALUES {
        true => ", ...",
        false => "",
    };
    let label = match several {
        true => answer
            .runs
            .get(place.run)
            .map(|run| format!("{}: ", run.label())),
        false => None,
    };
    Some(format!(
        "{}{}, eigenvalues {}{more}",
        label.unwrap_or_default(),
        class_words(&class),
        values.join(", ")
    ))
}

/// `-0.1 ± 2i`
fn eigenvalue(real: f64, imaginary: f64) -> String {
    let real = number(real, DIGITS_OF_EIGENVALUES);
    match imaginary > 0.0 {
        true => format!("{real} ± {}i", number(imaginary, DIGITS_OF_EIGENVALUES)),
        false => real,
    }
}

pub(super) fn correlated(answer: &FitAnswer) -> Option<String> {
    let known = answer.uncertainty.as_ref().ok()?;
    let m = answer.fitted.len();
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for i in 0..m {
        for j in i + 1..m {
            let r = known
                .correlation
                .get(i * m + j)
                .copied()
                .unwrap_or(f64::NAN);
            if r.abs() > STRONG {
                pairs.push((r, i, j));
            }
        }
    }
    if pairs.is_empty() {
        return None;
    }
    pairs.sort_by(|one, other| other.0.abs().total_cmp(&one.0.abs()));
    let told: Vec<String> = pairs
        .iter()
        .take(MOST_PAIRS)
        .map(|(r, i, j)| {
            format!(
                "{} and {} ({})",
                answer.fitted[*i].name,
                answer.fitted[*j].name,
                number(*r, 3)
            )
        })
        .collect();
    let more = if pairs.len() > MOST_PAIRS {
        ", and others"
    } else {
        ""
    };
    Some(format!("strongly correlated: {}{more}", told.join(", ")))
}

/// The observations whose residuals do not look like what they should be.
pub(super) fn conspicuous(answer: &FitAnswer) -> Vec<String> {
    let mut lines = Vec::new();
    for checks in &answer.checks {
        let mut why = Vec::new();
        if let Some(test) = checks.tests.runs.filter(|test| test.p < UNLIKELY) {
            why.push(format!(
                "their signs do not alternate by chance (runs test, p = {})",
                number(test.p, 2)
            ));
        }
        if let Some(test) = checks.tests.normality.filter(|test| test.p < UNLIKELY) {
            why.push(format!(
                "they are not normal (Shapiro and Francia, p = {})",
                number(test.p, 2)
            ));
        }
        if !why.is_empty() {
            lines.push(format!("residuals of {}: {}", checks.name, why.join("; ")));
        }
    }
    lines
}

/// A row for each subject; columns that do not fit go on below.
fn by_subject(answers: &[std::sync::Arc<FitAnswer>], width: usize) -> String {
    let Some(first) = answers.first() else {
        return String::new();
    };
    let fits = counted(answers.len(), "fit", "fits");
    let all: Vec<&FitAnswer> = answers.iter().map(AsRef::as_ref).collect();
    let head = format!("{fits} to {}{}", first.file, left_out(&all));
    let mut text = words::wrapped(&head, width, "  ");
    text.push_str("\n\n");
    let subjects = answers.iter().map(|answer| {
        let mark = if answer.has_converged() {
            ""
        } else {
            " (not converged)"
        };
        format!("{}{mark}", answer.subject.clone().unwrap_or_default())
    });
    let subjects = Column::text("subject", subjects.collect());
    let mut groups: Vec<Vec<Column>> = Vec::new();
    for at in 0..first.fitted.len() {
        let cells = |of: fn(&FitAnswer, usize) -> String| {
            aligned(answers.iter().map(|answer| of(answer, at)).collect())
        };
        groups.push(vec![
            Column::text(name(first, at), cells(estimate)),
            Column::text("±", cells(error)),
        ]);
    }
    if first.squares.is_some() {
        let squares = answers.iter().map(|one| one.squares.unwrap_or(f64::NAN));
        groups.push(vec![Column::numbers("RSS", squares.collect())]);
    }
    let logs = answers.iter().map(|answer| answer.log_likelihood);
    groups.push(vec![Column::numbers("log-likelihood", logs.collect())]);
    text.push_str(&in_blocks(&subjects, groups, width));
    if let Some(held) = held(first) {
        text.push('\n');
        text.push_str(&words::wrapped(&held, width, "  "));
        text.push('\n');
    }
    text
}

/// Tables below each other, each beginning with the same column; groups of columns stay together.
pub(super) fn in_blocks(head: &Column, groups: Vec<Vec<Column>>, width: usize) -> String {
    let mut blocks: Vec<Vec<Column>> = Vec::new();
    for group in groups {
        let wider = blocks
            .last()
            .map(|block| [block.as_slice(), &group].concat());
        match (blocks.last_mut(), wider) {
            (Some(block), Some(wider)) if fits(&wider, width) => *block = wider,
            _ => blocks.push([vec![head.clone()], group].concat()),
        }
    }
    let texts: Vec<String> = blocks.iter().map(|block| table(block, width)).collect();
    texts.join("\n")
}
