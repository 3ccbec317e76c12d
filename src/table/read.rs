//! Reads delimited text.
//!
//! Enters: bytes. Leaves: a table, or the first problem with its place. The only file, with
//! `write`, that knows the CSV crate.

use super::error::Encoding;
use super::{Column, Reading, Table, TableError, Values};
use rustc_hash::FxHashMap;

/// Reads a table with a row of column names. The delimiter (comma, semicolon or tab) is the one
/// most frequent in the header; lines that begin with `#` above the header are comments; cells
/// may be quoted; empty cells, `NA`, `NaN` and `.` are missing. A unit may follow a column's name
/// in brackets, `conc [mg/L]`, or after a space in parentheses. Where commas do not delimit, they are
/// decimal marks, as spreadsheets of many countries write them, unless the table has decimal points.
///
/// `source` is what messages call the file.
///
/// # Errors
/// All of [`TableError`] but those about one column.
pub fn read(source: &str, bytes: &[u8]) -> Result<Table, TableError> {
    let text = decode(bytes)?;
    let (header_line, body) = skip_comments(text);
    let first_line = body.lines().next().unwrap_or("");
    if first_line.is_empty() {
        return Err(TableError::EmptyFile);
    }
    let body = Body {
        text: body,
        line: header_line,
        delimiter: delimiter(first_line),
    };
    let Scan {
        headers,
        numbers,
        lines,
        commas,
    } = Scan::of(&body)?;
    let is_text = |column: usize| commas || numbers.get(column).is_none_or(Option::is_none);
    let mut texts = body.texts(headers.len(), &is_text)?;
    if commas {
        points_for_commas(&mut texts);
    }
    let columns = headers.into_iter().zip(numbers.into_iter().zip(texts));
    let columns = columns.map(|(header, (numbers, texts))| Column {
        name: header.name,
        header: header.whole,
        unit: header.unit,
        values: match numbers.filter(|_| !commas) {
            Some(numbers) => Values::Numbers(numbers),
            None => values(texts),
        },
    });
    let columns = columns.collect();
    Ok(Table {
        source: source.to_owned(),
        columns,
        lines: lines.into(),
    })
}

/// The text of a table from its header on.
struct Body<'t> {
    text: &'t str,
    /// The line of the header in the file.
    line: usize,
    delimiter: u8,
}

impl Body<'_> {
    /// Hands out each row that holds something, with its line, and gives the header.
    fn rows(
        &self,
        take: &mut dyn FnMut(usize, &csv::StringRecord),
    ) -> Result<Vec<Header>, TableError> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .trim(csv::Trim::All)
            .from_reader(self.text.as_bytes());
        let mut record = csv::StringRecord::new();
        let mut headers: Vec<Header> = Vec::new();
        let mut rows = 0;
        let mut lines_to = LineCounter {
            rest: self.text,
            passed: 0,
            line: self.line,
        };
        while next(&mut reader, &mut record)? {
            let line = lines_to.advance(record.position().map_or(0, csv::Position::byte) as usize);
            if headers.is_empty() {
                headers = header(&record, line)?;
                continue;
            }
            // Spreadsheets leave rows of bare delimiters behind the data.
            if record.iter().all(str::is_empty) {
                continue;
            }
            if record.len() != headers.len() {
                return Err(TableError::RaggedRow {
                    row: rows + 1,
                    line,
                    found: record.len(),
                    expected: headers.len(),
                });
            }
            rows += 1;
            take(line, &record);
        }
        match rows {
            0 => Err(TableError::NoRows),
            _ => Ok(headers),
        }
    }

    /// The cells of the columns that are text; nothing of the others.
    fn texts(
        &self,
        count: usize,
        is_text: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<Vec<String>>, TableError> {
        let mut texts = vec![Vec::new(); count];
        let wanted: Vec<usize> = (0..count).filter(|column| is_text(*column)).collect();
        if wanted.is_empty() {
            return Ok(texts);
        }
        self.rows(&mut |_, record| {
            for column in &wanted {
                texts[*column].push(record.get(*column).unwrap_or("").to_owned());
            }
        })?;
        Ok(texts)
    }
}

/// What a first look at a table finds. Cells that are numbers are not kept as text: there may be many
/// millions of them.
struct Scan {
    headers: Vec<Header>,
    /// The numbers of each column; none where a cell is text.
    numbers: Vec<Option<Vec<f64>>>,
    /// The line of each row.
    lines: Vec<usize>,
    /// Commas may be decimal marks: cells have some, and no number has a point.
    commas: bool,
}

impl Scan {
    fn of(body: &Body<'_>) -> Result<Scan, TableError> {
        let mut numbers: Vec<Option<Vec<f64>>> = Vec::new();
        let mut lines = Vec::new();
        let (mut has_commas, mut has_points) = (false, false);
        let headers = body.rows(&mut |line, record| {
            lines.push(line);
            numbers.resize(record.len(), Some(Vec::new()));
            for (column, cell) in numbers.iter_mut().zip(record) {
                if body.delimiter != b',' {
                    has_commas |= cell.contains(',');
                    has_points |= !has_points && cell.contains('.') && is_reading(cell);
                }
                if let Some(known) = column {
                    match number(cell) {
                        Some(number) => known.push(number),
                        None => *column = None,
                    }
                }
            }
        })?;
        numbers.iter_mut().flatten().for_each(Vec::shrink_to_fit);
        Ok(Scan {
            headers,
            numbers,
            lines,
            commas: has_commas && !has_points,
        })
    }
}

/// True of a number, or a limit.
fn is_reading(cell: &str) -> bool {
    !cell.is_empty() && matches!(reading(cell), Some(Some(_)))
}

/// Counts lines while records are read. The reader's own count takes blank lines before a record
/// as part of it.
struct LineCounter<'a> {
    rest: &'a str,
    passed: usize,
    line: usize,
}

impl LineCounter<'_> {
    /// The line of the first character at or after byte `offset` that is not a line break.
    fn advance(&mut self, offset: usize) -> usize {
        let behind = self
            .rest
            .get(offset.saturating_sub(self.passed)..)
            .unwrap_or("");
        let record = behind.trim_start_matches(['\n', '\r']);
        let skipped = self.rest.len() - record.len();
        let breaks = self
            .rest
            .bytes()
            .take(skipped)
            .filter(|byte| *byte == b'\n')
            .count();
        self.rest = record;
        self.passed += skipped;
        self.line += breaks;
        self.line
    }
}

/// The next record, false at the end.
fn next(
    reader: &mut csv::Reader<&[u8]>,
    record: &mut csv::StringRecord,
) -> Result<bool, TableError> {
    // Memory and UTF-8 cannot fail the reader; a flexible one accepts any number of cells.
    reader
        .read_record(record)
        .map_err(|error| TableError::NotText {
            line: error.position().map_or(1, csv::Position::line) as usize,
            looks_like: Encoding::Binary,
        })
}

/// The text without a byte-order mark.
fn decode(bytes: &[u8]) -> Result<&str, TableError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(TableError::NotText {
            line: 1,
            looks_like: Encoding::Utf16,
        });
    }
    let line_of = |offset: usize| {
        let before = bytes.get(..offset).unwrap_or(bytes);
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    };
    if let Some(zero) = bytes.iter().position(|byte| *byte == 0) {
        return Err(TableError::NotText {
            line: line_of(zero),
            looks_like: Encoding::Binary,
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        // Control characters hardly occur in text of any encoding.
        let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t');
        TableError::NotText {
            line: line_of(error.valid_up_to()),
            looks_like: if bytes.iter().any(control) {
                Encoding::Binary
            } else {
                Encoding::OneByte
            },
        }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The line number of the header and the text from there on.
fn skip_comments(text: &str) -> (usize, &str) {
    let mut rest = text;
    let mut line = 1;
    loop {
        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let (first, after) = rest.split_at(end);
        let blank = first.trim().is_empty();
        if rest.is_empty() || !(blank || first.starts_with('#')) {
            return (line, rest);
        }
        rest = after;
        line += 1;
    }
}

/// The delimiter that occurs most often outside quotation marks.
fn delimiter(header: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [(b'\t', 0), (b';', 0), (b',', 0)];
    for byte in header.bytes() {
        if byte == b'"' {
            quoted = !quoted;
        } else if !quoted {
            for (delimiter, count) in &mut counts {
                *count += usize::from(*delimiter == byte);
            }
        }
    }
    // The last of equals is taken, so a table of one column is read with commas.
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(delimiter, _)| delimiter)
}

/// Decimal commas become points.
fn points_for_commas(cells: &mut [Vec<String>]) {
    for cell in cells.iter_mut().flatten() {
        if cell.contains(',') {
            let pointed = cell.replacen(',', ".", 1);
            if is_reading(&pointed) {
                *cell = pointed;
            }
        }
    }
}

/// The header of a column.
struct Header {
    name: String,
    unit: Option<String>,
    /// As it stands.
    whole: String,
}

/// Names and units of the columns.
fn header(record: &csv::StringRecord, line: usize) -> Result<Vec<Header>, TableError> {
    let written = |text: &str| !text.is_empty() && number(text).is_some_and(|x| !x.is_nan());
    let mut numbers = record.iter().filter(|text| written(text));
    if let Some(text) = numbers.next().filter(|_| !counts_up(record)) {
        return Err(TableError::NoHeader {
            line,
            text: text.to_owned(),
        });
    }
    let mut headers: Vec<Header> = Vec::new();
    for text in record {
        let (name, unit) = split_unit(text);
        headers.push(Header {
            name: name.to_owned(),
            unit: unit.map(str::to_owned),
            whole: text.to_owned(),
        });
    }
    keep_remarks(&mut headers);
    let mut seen = FxHashMap::default();
    for (index, Header { name, .. }) in headers.iter().enumerate() {
        // Row numbers often stand in a column without a name.
        if !name.is_empty()
            && let Some(first) = seen.insert(name.as_str(), index)
        {
            return Err(TableError::DuplicateColumn {
                name: name.clone(),
                columns: (first + 1, index + 1),
            });
        }
    }
    Ok(headers)
}

/// True of the labels of a numeric index set above a matrix: `gene,1,2,3`.
fn counts_up(record: &csv::StringRecord) -> bool {
    let mut cells = record.iter();
    let is_named = cells.next().is_some_and(|first| number(first).is_none());
    let labels: Option<Vec<i64>> = cells.map(|cell| cell.parse().ok()).collect();
    let follows = |two: &[i64]| two[0].checked_add(1) == Some(two[1]);
    is_named && labels.is_some_and(|labels| labels.len() > 1 && labels.windows(2).all(follows))
}

/// What stands in parentheses is no unit where only it tells columns apart: `dose (oral)` and
/// `dose (iv)`.
fn keep_remarks(headers: &mut [Header]) {
    let names: Vec<String> = headers.iter().map(|header| header.name.clone()).collect();
    for header in headers.iter_mut() {
        let same = names.iter().filter(|name| **name == header.name);
        if header.whole.ends_with(')') && same.count() > 1 {
            header.name.clone_from(&header.whole);
            header.unit = None;
        }
    }
}

/// `conc [mg/L]` in two, also `conc[mg/L]` and `conc (mg/L)`; `x[1]` and `x[liver]`, where the bracket
/// touches the name and holds what may be an index, are names as a whole.
fn split_unit(text: &str) -> (&str, Option<&str>) {
    let split = |close: char, open: char| {
        let (name, unit) = text.strip_suffix(close)?.rsplit_once(open)?;
        let touches = !name.ends_with(char::is_whitespace);
        let is_unit = !touches || open == '[' && unit.contains(['/', '*', '^', '%', '°', '·', 'µ']);
        (!name.trim().is_empty() && is_unit).then_some((name.trim_end(), unit.trim()))
    };
    match split(']', '[').or_else(|| split(')', '(')) {
        Some((name, unit)) => (name, (!unit.is_empty()).then_some(unit)),
        None => (text, None),
    }
}

fn values(cells: Vec<String>) -> Values {
    let numbers: Option<Vec<f64>> = cells.iter().map(|cell| number(cell)).collect();
    match numbers {
        Some(numbers) => Values::Numbers(numbers),
        None => Values::Text(cells),
    }
}

/// The number in a cell; NaN when it is missing, nothing when it is text.
pub fn number(cell: &str) -> Option<f64> {
    match cell {
        "" | "." | "NA" | "N/A" | "na" | "n/a" => Some(f64::NAN),
        _ => cell.parse().ok(),
    }
}

/// What a cell says of a quantity: nothing when it is missing; `None` when it is text, or not
/// finite.
pub fn reading(cell: &str) -> Option<Option<Reading>> {
    let finite = |text: &str| number(text.trim()).filter(|number| number.is_finite());
    match (cell.strip_prefix('<'), cell.strip_prefix('>')) {
        (Some(below), _) => finite(below).map(|limit| Some(Reading::Below(limit))),
        (_, Some(above)) => finite(above).map(|limit| Some(Reading::Above(limit))),
        _ if number(cell).is_some_and(f64::is_nan) => Some(None),
        _ => finite(cell).map(|number| Some(Reading::Exactly(number))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(table: &Table, name: &str) -> Vec<f64> {
        table.column_numbers(name).expect(name).to_vec()
    }

    #[test]
    fn delimiters_units_quotes_and_comments() {
        for text in [
            "# made by hand\n\nt,conc [mg/L],\"name, of it\"\n0,1.5,\"a \"\"b\"\"\"\n1,2e-3,c\n",
            "\u{feff}t;conc [mg/L];\"name, of it\"\r\n0;1.5;\"a \"\"b\"\"\"\r\n1;2e-3;c\r\n",
            "t\tconc [mg/L]\tname, of it\n0\t1.5\t\"a \"\"b\"\"\"\n1\t2e-3\tc",
        ] {
            let table = read("data.csv", text.as_bytes()).expect(text);
            assert_eq!(table.rows(), 2);
            assert_eq!(numbers(&table, "t"), [0.0, 1.0]);
            assert_eq!(numbers(&table, "conc"), [1.5, 0.002]);
            assert_eq!(table.columns[1].unit.as_deref(), Some("mg/L"));
            assert_eq!(
                table.column("name, of it").map(|column| &column.values),
                Some(&Values::Text(vec!["a \"b\"".into(), "c".into()]))
            );
        }
    }

    /// `save` writes a matrix over a numeric index set so; a first row of data is no header still.
    #[test]
    fn columns_of_a_matrix_may_count_up() {
        let table = read("W.csv", b"cell,1,2,3\n1,0,5,0\n2,1,0,0\n").expect("a matrix");
        assert_eq!(numbers(&table, "2"), [5.0, 0.0]);
        for text in ["HSC,1,3\nEry,1,2\n", "HSC,1\nEry,2\n", "0,1,2\n3,4,5\n"] {
            assert!(told(text.as_bytes()).contains("E0508"), "{text}");
        }
    }

    #[test]
    fn missing_cells_are_nan() {
        let table = read("d", b"a,b\n1,\n,NA\n.,NaN\n,,\n".split_at(17).0).expect("a table");
        assert!(numbers(&table, "b").iter().all(|value| value.is_nan()));
        assert!(numbers(&table, "a")[1..].iter().all(|value| value.is_nan()));
    }

    #[test]
    fn rows_of_bare_delimiters_are_skipped() {
        let table = read("d", b"a,b\n1,2\n,\n,,\n\n").expect("a table");
        assert_eq!(table.rows(), 1);
    }

    fn headers(table: &Table) -> Vec<(&str, Option<&str>)> {
        let columns = table.columns.iter();
        columns
            .map(|column| (column.name.as_str(), column.unit.as_deref()))
            .collect()
    }

    #[test]
    fn brackets_that_touch_belong_to_the_name() {
        let table = read("d", b"x[1],x[2] [mM],c [ ]\n1,2,3\n").expect("a table");
        assert_eq!(
            headers(&table),
            [("x[1]", None), ("x[2]", Some("mM")), ("c", None)]
        );
    }

    #[test]
    fn units_are_written_in_many_ways() {
        let text = "conc[mg/L],time (h),f(x),x[liver],dose (oral),dose (iv)\n1,2,3,4,5,6\n";
        let table = read("d", text.as_bytes()).expect("a table");
        assert_eq!(
            headers(&table),
            [
                ("conc", Some("mg/L")),
                ("time", Some("h")),
                ("f(x)", None),
                ("x[liver]", None),
                ("dose (oral)", None),
                ("dose (iv)", None)
            ]
        );
        assert_eq!(numbers(&table, "time (h)"), [2.0]);
    }

    #[test]
    fn commas_are_decimal_marks_where_they_do_not_delimit() {
        for text in ["t;y\n0,5;<1,5\n1;-2,5e3\n", "t\ty\n0,5\t<1,5\n1\t-2,5e3\n"] {
            let table = read("d", text.as_bytes()).expect("a table");
            assert_eq!(numbers(&table, "t"), [0.5, 1.0]);
            let y = table.column("y").expect("a column");
            let found: Result<Vec<_>, _> = table.readings(y).map(|(_, found)| found).collect();
            assert_eq!(
                found,
                Ok(vec![Reading::Below(1.5), Reading::Exactly(-2500.0)])
            );
        }
        // A comma beside a point may group thousands: it is not guessed.
        let mixed = read("d", b"t;y\n0.5;1,500\n").expect("a table");
        assert!(mixed.column_numbers("y").is_err());
    }

    #[test]
    fn limits_and_gaps_are_read() {
        let table = read("d", b"y\n< 0.5\n>100\nNA\n.\nn/a\n7\n<x\n<\n").expect("a table");
        let column = table.column("y").expect("a column");
        let found: Vec<(usize, Option<Reading>)> = table
            .readings(column)
            .map(|(row, found)| (row, found.ok()))
            .collect();
        assert_eq!(
            found,
            [
                (0, Some(Reading::Below(0.5))),
                (1, Some(Reading::Above(100.0))),
                (5, Some(Reading::Exactly(7.0))),
                (6, None),
                (7, None)
            ]
        );
    }

    fn told(bytes: &[u8]) -> String {
        let error = read("data.csv", bytes).expect_err("not a table");
        error.diagnostic("data.csv").to_string()
    }

    #[test]
    fn problems_name_their_place() {
        assert_eq!(
            told(b"# c\na,b\n1,2\n\n3\n"),
            "E0507: data.csv: row 2 (line 5) has 1 cell, but the header has 2 (check its \
             delimiters; text that holds one must stand in quotation marks)"
        );
        assert_eq!(
            told(b"1900,30\n1901,47\n"),
            "E0508: data.csv: line 1 should name the columns, but holds the number 1900 (put a \
             row with the names of the columns above it)"
        );
        assert_eq!(
            told(b"a,b,a\n1,2,3\n"),
            "E0509: data.csv: columns 1 and 3 are both named `a` (rename or delete one of them)"
        );
        for empty in [&b""[..], b"\n\n", b"# only this", b"\xef\xbb\xbf"] {
            assert!(told(empty).starts_with("E0510: data.csv: the file is empty"));
        }
        assert!(told(b"a,b\n").starts_with("E0510: data.csv: there is a header"));
        assert!(told(b"PK\x03\x04\x00").starts_with("E0503: data.csv: this is a binary file"));
        assert!(told(b"\xff\xfea\x00").contains("UTF-16"));
        assert!(told(b"a,b\n1,\xb5\n").contains("line 2 holds letters"));
    }

    #[test]
    fn text_among_numbers_is_told_when_numbers_are_needed() {
        let table = read("d", b"t,y\n0,1\n1,1;5\n2,x\n").expect("a table");
        let error = table.column_numbers("y").expect_err("text");
        assert_eq!(
            error.diagnostic("d").to_string(),
            "E0511: d: row 2 (line 3) of column `y` holds \"1;5\", which is not a number \
             (missing values are written as an empty cell, `NA`, `NaN` or `.`)"
        );
        let comma = read("d", b"t,y\n0,\"1,5\"\n").expect("a table");
        let error = comma.column_numbers("y").expect_err("text");
        assert!(
            error
                .diagnostic("d")
                .to_string()
                .contains("write 1.5 with a decimal point")
        );
        let error = table.column_numbers("z").expect_err("no such column");
        assert_eq!(
            error.diagnostic("d").to_string(),
            "E0505: d: there is no column `z` (it has the columns t, y)"
        );
    }
}
