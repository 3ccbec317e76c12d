//! Aligned text tables and numbers for people.
//!
//! Enters: headers and cells. Leaves: text within a number of columns. Must not know what the
//! numbers mean.

use super::words;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// One column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Stands above the cells.
    pub header: String,
    /// The cells, one kind per column.
    pub cells: Cells,
}

/// The cells of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Right-aligned, with a common number of decimals where sizes allow; NaN is shown as `–`.
    Numbers(Vec<f64>),
    /// Left-aligned.
    Text(Vec<String>),
}

impl Column {
    /// A column of numbers.
    #[must_use]
    pub fn numbers(header: impl Into<String>, values: Vec<f64>) -> Column {
        Column {
            header: header.into(),
            cells: Cells::Numbers(values),
        }
    }

    /// A column of text.
    #[must_use]
    pub fn text(header: impl Into<String>, values: Vec<String>) -> Column {
        Column {
            header: header.into(),
            cells: Cells::Text(values),
        }
    }
}

impl Column {
    /// Columns of the terminal that it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        Laid::of(self, usize::MAX).width
    }
}

/// Significant digits of numbers in tables.
const DIGITS: usize = 6;

/// Numbers of a column have a common number of decimals while the largest is at most so many times
/// the smallest: the smallest then still shows four significant digits.
const MOST_ALIKE: f64 = 100.0;

/// Between columns.
const GAP: usize = 2;

/// True where no screen cuts lines. It belongs to the process as its standard output does, and is set
/// once, before anything is printed.
static WHOLE: AtomicBool = AtomicBool::new(false);

/// From now on tables have all their columns, however wide: for a pipe or a file, in which words are
/// wrapped all the same.
pub fn keep_whole() {
    WHOLE.store(true, Ordering::Relaxed);
}

/// The table with a line under its headers, ending with a line break. Columns that do not fit
/// `width` are left out from the right and counted (`… 12 more columns`), unless tables are kept
/// whole ([`keep_whole`]); the first is always shown. Empty when there are no columns.
#[must_use]
pub fn table(columns: &[Column], width: usize) -> String {
    let Some(first) = columns.first() else {
        return String::new();
    };
    let mut shown = vec![Laid::of(first, width)];
    let mut used = shown.iter().map(|column| column.width).sum::<usize>();
    for column in columns.iter().skip(1) {
        let laid = Laid::of(column, width);
        if used + GAP + laid.width > width && !WHOLE.load(Ordering::Relaxed) {
            break;
        }
        used += GAP + laid.width;
        shown.push(laid);
    }

    let mut out = String::new();
    push_row(&mut out, &shown, |column| column.header.as_str());
    let rules: Vec<String> = shown
        .iter()
        .map(|column| "─".repeat(column.width))
        .collect();
    out.push_str(&rules.join(&" ".repeat(GAP)));
    out.push('\n');
    let rows = shown
        .iter()
        .map(|column| column.cells.len())
        .max()
        .unwrap_or(0);
    for row in 0..rows {
        push_row(&mut out, &shown, |column| {
            column.cells.get(row).map_or("", String::as_str)
        });
    }
    let hidden = columns.len() - shown.len();
    if hidden > 0 {
        let plural = if hidden == 1 { "" } else { "s" };
        let _ = writeln!(out, "… {hidden} more column{plural}");
    }
    out
}

/// A column with its cells as text.
struct Laid {
    header: String,
    cells: Vec<String>,
    width: usize,
    right: bool,
}

impl Laid {
    fn of(column: &Column, most: usize) -> Laid {
        let (cells, right) = match &column.cells {
            Cells::Numbers(values) => (numbers(values, DIGITS), true),
            Cells::Text(values) => (
                values.iter().map(|text| words::fit(text, most)).collect(),
                false,
            ),
        };
        let header = words::fit(&column.header, most);
        let widest = cells
            .iter()
            .map(|cell| words::width(cell))
            .max()
            .unwrap_or(0);
        let width = widest.max(words::width(&header));
        Laid {
            header,
            cells,
            width,
            right,
        }
    }
}

fn push_row<'a>(out: &mut String, columns: &'a [Laid], cell: impl Fn(&'a Laid) -> &'a str) {
    let mut line = String::new();
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            line.push_str(&" ".repeat(GAP));
        }
        let text = cell(column);
        line.push_str(&if column.right {
            words::right(text, column.width)
        } else {
            words::left(text, column.width)
        });
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

/// The numbers of one column: with a common number of decimals when all have about the same
/// size, else each as [`number`] writes it.
#[must_use]
pub fn numbers(values: &[f64], digits: usize) -> Vec<String> {
    let sizes = values
        .iter()
        .map(|value| value.abs())
        .filter(|size| size.is_finite() && *size > 0.0);
    let (smallest, largest) = sizes.fold((f64::INFINITY, 0.0_f64), |(low, high), size| {
        (low.min(size), high.max(size))
    });
    let alike = smallest >= 1e-4 && largest < 1e7 && largest / smallest < MOST_ALIKE;
    if !alike {
        return values.iter().map(|value| shown(*value, digits)).collect();
    }
    // Nothing but zeros has no size; one digit before the point is right for them.
    let before_point = if largest > 0.0 {
        largest.log10().floor() as i32 + 1
    } else {
        1
    };
    let most = (digits as i32 - before_point).clamp(0, 15) as usize;
    let fixed = |value: f64, decimals: usize| format!("{:.decimals$}", value + 0.0);
    let needed = |value: &f64| {
        let text = fixed(*value, most);
        match text.split_once('.') {
            Some((_, decimals)) => decimals.trim_end_matches('0').len(),
            None => 0,
        }
    };
    let finite = || values.iter().filter(|value| value.is_finite());
    let decimals = finite().map(needed).max().unwrap_or(0);
    let write = |value: &f64| {
        if value.is_finite() {
            without_negative_zero(fixed(*value, decimals))
        } else {
            shown(*value, digits)
        }
    };
    values.iter().map(write).collect()
}

fn shown(value: f64, digits: usize) -> String {
    if value.is_nan() {
        "–".to_owned()
    } else {
        number(value, digits)
    }
}

fn without_negative_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}

/// A number with at most `digits` significant digits, without trailing zeros: `0.25`, `12300`,
/// `1e-5`, `6.02e23`. Numbers below 1e-4 or with more than `digits` (at least 6) digits before
/// the point have an exponent. `NaN`, `inf` and `-inf` as such.
#[must_use]
pub fn number(x: f64, digits: usize) -> String {
    if !x.is_finite() {
        return if x.is_nan() {
            "NaN".to_owned()
        } else {
            x.to_string()
        };
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    let digits = digits.clamp(1, 17);
    // Rounding first: 9.9996 with four digits is 10, one digit more before the point.
    let scientific = format!("{x:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..(digits as i32).max(6)).contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        // Digits beyond the significant ones before the point become zeros.
        let rounded: f64 = scientific.parse().unwrap_or(x);
        trimmed(&format!("{rounded:.decimals$}")).to_owned()
    } else {
        format!("{}e{exponent}", trimmed(mantissa))
    }
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_plain() {
        for (x, digits, text) in [
            (0.0, 6, "0"),
            (-0.0, 6, "0"),
            (0.1 + 0.2, 6, "0.3"),
            (1e-5, 6, "1e-5"),
            (-1.5e-7, 6, "-1.5e-7"),
            (1.0 / 3.0, 4, "0.3333"),
            (123_456.0, 3, "123000"),
            (1_234_567.0, 6, "1.23457e6"),
            (9.9996, 4, "10"),
            (999_999.9, 6, "1e6"),
            (6.022e23, 6, "6.022e23"),
            (1e300, 6, "1e300"),
            (5e-324, 6, "4.94066e-324"),
            (f64::NAN, 6, "NaN"),
            (f64::NEG_INFINITY, 6, "-inf"),
        ] {
            assert_eq!(number(x, digits), text);
        }
    }

    #[test]
    fn zeros_alone_are_zeros() {
        assert_eq!(numbers(&[0.0, -0.0, f64::NAN], 6), ["0", "0", "–"]);
        assert_eq!(numbers(&[], 6), [""; 0]);
    }

    #[test]
    fn numbers_stand_under_each_other() {
        let columns = [
            Column::text("name", vec!["hare".into(), "lynx".into()]),
            Column::numbers("value", vec![47.25, -6.0]),
            Column::numbers("error", vec![1.5e-9, f64::NAN]),
        ];
        assert_eq!(
            table(&columns, 80),
            "name  value   error\n\
             ────  ─────  ──────\n\
             hare  47.25  1.5e-9\n\
             lynx  -6.00       –\n"
        );
    }

    #[test]
    fn columns_that_do_not_fit_are_counted() {
        let columns: Vec<Column> = (0..15)
            .map(|index| Column::numbers(format!("gene{index}"), vec![0.5]))
            .collect();
        let text = table(&columns, 22);
        assert_eq!(
            text,
            "gene0  gene1  gene2\n\
             ─────  ─────  ─────\n  \
               0.5    0.5    0.5\n\
             … 12 more columns\n"
        );
    }
}
