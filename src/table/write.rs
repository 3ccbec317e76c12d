//! Writes delimited text.
//!
//! Enters: headers and columns of numbers. Leaves: the text of a CSV file that reads back to the
//! same bits.

/// A comma-separated table with line feeds. Numbers have the fewest digits that read back to the
/// same value; NaN and the missing cells of shorter columns are `NA`. Headers are quoted where
/// they must be.
#[must_use]
pub fn write_csv<H: AsRef<str>, C: AsRef<[f64]>>(headers: &[H], columns: &[C]) -> String {
    let columns: Vec<Cells<'_>> = columns
        .iter()
        .map(|column| Cells::Numbers(column.as_ref()))
        .collect();
    write_cells(headers, &columns)
}

/// The cells of a column to write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cells<'a> {
    /// Numbers.
    Numbers(&'a [f64]),
    /// Labels, quoted where they must be.
    Text(&'a [String]),
}

/// Like [`write_csv`], for columns of numbers and of labels.
#[must_use]
pub fn write_cells<H: AsRef<str>>(headers: &[H], columns: &[Cells<'_>]) -> String {
    let mut out = String::new();
    for (index, header) in headers.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_quoted(&mut out, header.as_ref());
    }
    out.push('\n');
    let rows = columns
        .iter()
        .map(|column| match column {
            Cells::Numbers(numbers) => numbers.len(),
            Cells::Text(labels) => labels.len(),
        })
        .max()
        .unwrap_or(0);
    for row in 0..rows {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            match column {
                Cells::Numbers(numbers) => {
                    push_number(&mut out, numbers.get(row).copied().unwrap_or(f64::NAN));
                }
                Cells::Text(labels) => match labels.get(row) {
                    Some(label) => push_quoted(&mut out, label),
                    None => push_number(&mut out, f64::NAN),
                },
            }
        }
        out.push('\n');
    }
    out
}

fn push_quoted(out: &mut String, text: &str) {
    // A `#` in front would make the header a comment.
    let special = |c: char| matches!(c, ',' | ';' | '\t' | '"' | '\n' | '\r');
    if text.contains(special) || text.starts_with('#') || text.trim() != text {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

fn push_number(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NA");
        return;
    }
    // The debugging form is the shortest that reads back, and has exponents.
    let text = format!("{value:?}");
    out.push_str(text.strip_suffix(".0").unwrap_or(&text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::read;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_short() {
        let text = write_csv(
            &["t", "a, b", "#c"],
            &[
                vec![0.0, 1.0, 0.1],
                vec![1e300, 1e-7, f64::NAN],
                vec![f64::INFINITY],
            ],
        );
        assert_eq!(
            text,
            "t,\"a, b\",\"#c\"\n0,1e300,inf\n1,1e-7,NA\n0.1,NA,NA\n"
        );
        let table = read("d", text.as_bytes()).expect("it reads back");
        assert_eq!(table.column_numbers("t"), Ok(&[0.0, 1.0, 0.1][..]));
        assert_eq!(table.column_numbers("#c").map(|c| c[0]), Ok(f64::INFINITY));
    }

    proptest! {
        #[test]
        fn values_read_back_to_the_same_bits(values in prop::collection::vec(
            any::<u64>().prop_map(f64::from_bits), 1..20)
        ) {
            let text = write_csv(&["x", "y"], &[&values, &values]);
            let table = read("d", text.as_bytes()).expect("it reads back");
            if values.iter().any(|value| !value.is_nan()) {
                let back = table.column_numbers("x").expect("numbers");
                for (before, after) in values.iter().zip(back) {
                    prop_assert!(before.to_bits() == after.to_bits() || before.is_nan() && after.is_nan());
                }
            }
        }

        #[test]
        fn any_bytes_are_a_table_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read("d", &bytes);
        }

        #[test]
        fn any_text_is_a_table_or_an_error(text in "[a-c0-9,;\t\"#\n\r \\[\\].]{0,80}") {
            let _ = read("d", text.as_bytes());
        }
    }
}
