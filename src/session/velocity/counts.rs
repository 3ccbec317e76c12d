//! The counts that lines go through: two layers of an AnnData file, or columns of a table.
//!
//! Enters: the file, as the sentence maps it. Leaves: two matrices of cells by genes, of numbers; or
//! problems that point at the sentence. Must not know lines.

use super::super::cells::CellFile;
use super::super::command::DataSource;
use super::super::compiled::Compiled;
use super::super::tables::{Tables, is_element};
use super::lines::Lines;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed, number_text};
use crate::model::ParameterId;
use crate::syntax::tree;
use crate::table::cells::{Cells, Numbers, Values};
use crate::table::h5ad::H5ad;

/// The word for the matrix of an AnnData file that is no layer.
const WHOLE: &str = "X";
/// A line through fewer cells is none.
const LEAST_CELLS: usize = 2;

/// Counts of the covariate and of what is observed.
pub(super) fn read(
    compiled: &Compiled,
    tables: &Tables<'_>,
    (lines, labels): (&Lines, &[String]),
    data: &DataSource,
    interrupted: &dyn Fn() -> bool,
) -> Result<(Cells, Cells), Vec<Diagnostic>> {
    let file = opened(compiled, tables, lines, data)?;
    let one = |name: &str| {
        let there = mapped(data, name);
        let counts = match file.anndata() {
            Some(anndata) => {
                let layer = layer(&file, anndata, (name, there, data))?;
                file.matrix(layer.as_ref(), name, labels, interrupted)?
            }
            None => {
                let is_vector = lines.set.is_some();
                of_columns(&file, (name, there, data), (is_vector, labels), interrupted)?
            }
        };
        finite(&counts, name, labels, data)?;
        Ok(counts)
    };
    both(
        one(name_of(compiled, lines.covariate)),
        one(&lines.observed),
    )
}

/// What can be refused without reading the counts of an AnnData file.
pub(super) fn check(
    compiled: &Compiled,
    tables: &Tables<'_>,
    (lines, labels): (&Lines, &[String]),
    data: &DataSource,
) -> Result<(), Vec<Diagnostic>> {
    let file = opened(compiled, tables, lines, data)?;
    let Some(anndata) = file.anndata() else {
        return read(compiled, tables, (lines, labels), data, &|| false).map(|_| ());
    };
    file.gene_places(labels).map_err(|problem| vec![problem])?;
    let one = |name: &str| layer(&file, anndata, (name, mapped(data, name), data));
    both(
        one(name_of(compiled, lines.covariate)),
        one(&lines.observed),
    )
    .map(|_| ())
}

/// The two of a pair, or the problems of both, each once.
fn both<T>(
    one: Result<T, Diagnostic>,
    other: Result<T, Diagnostic>,
) -> Result<(T, T), Vec<Diagnostic>> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => {
            let mut problems: Vec<Diagnostic> =
                [one.err(), other.err()].into_iter().flatten().collect();
            problems.dedup();
            Err(problems)
        }
    }
}

fn opened(
    compiled: &Compiled,
    tables: &Tables<'_>,
    lines: &Lines,
    data: &DataSource,
) -> Result<CellFile, Vec<Diagnostic>> {
    let covariate = name_of(compiled, lines.covariate);
    let problems = foreign(data, &[covariate, &lines.observed]);
    if !problems.is_empty() {
        return Err(problems);
    }
    let file = CellFile::open(tables, &data.path).map_err(|problem| vec![problem])?;
    if file.anndata().is_some() && lines.set.is_none() {
        return Err(vec![no_genes(data)]);
    }
    if file.cells() < LEAST_CELLS {
        let count = file.cells();
        let noun = if count == 1 { "cell" } else { "cells" };
        let message = format!("{count} {noun}, and a line needs {LEAST_CELLS} at least");
        return Err(vec![
            Diagnostic::new(Code::NoData, message).at(data.path.span, "rows of a table are cells"),
        ]);
    }
    Ok(file)
}

fn name_of(compiled: &Compiled, id: ParameterId) -> &str {
    &compiled.model.parameters[id.index()].name
}

/// What a name of the model is mapped to.
fn mapped<'d>(data: &'d DataSource, name: &str) -> Option<&'d tree::Name> {
    let mut columns = data.columns.iter();
    let (_, there) = columns.find(|(here, _)| here.text == name)?;
    Some(there)
}

/// Problems with mappings from names that are not read.
fn foreign(data: &DataSource, known: &[&str]) -> Vec<Diagnostic> {
    let others = data.columns.iter();
    let others = others.filter(|(here, _)| !known.contains(&here.text.as_str()));
    others
        .map(|(here, _)| {
            let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("no data are read for `{}`", here.text);
            let near = did_you_mean(&here.text, known.iter().copied());
            Diagnostic::new(Code::NoColumn, message)
                .at(here.span, "the name in the model stands on this side")
                .help(near.unwrap_or_else(|| format!("what is read goes by {}", listed(&names))))
        })
        .collect()
}

/// The layer of a name; none for `X`.
fn layer(
    file: &CellFile,
    anndata: &H5ad,
    (name, there, data): (&str, Option<&tree::Name>, &DataSource),
) -> Result<Option<tree::Text>, Diagnostic> {
    let layers = anndata.layers().map_err(|error| file.problem(&error))?;
    let (text, span) = match there {
        Some(there) => (there.text.as_str(), there.span),
        None => (name, data.path.span),
    };
    let is_layer = layers.iter().any(|layer| layer == text);
    if text == WHOLE && !is_layer {
        return Ok(None);
    }
    if !is_layer {
        let near = did_you_mean(text, layers.iter().map(String::as_str));
        let has: Vec<String> = layers.iter().map(|layer| format!("`{layer}`")).collect();
        let has = match has.as_slice() {
            [] => "it has no layers but `X`".to_owned(),
            has => format!("it has {}, and `X`", listed(has)),
        };
        let message = format!("{} has no layer `{text}`", data.path.text);
        return Err(Diagnostic::new(Code::NoColumn, message).at(span, has).help(
            near.unwrap_or_else(|| {
                let example = layers.first().map_or(WHOLE, String::as_str);
                format!("say which one holds `{name}`, as in `({name} = {example})`")
            }),
        ));
    }
    Ok(Some(tree::Text {
        text: text.to_owned(),
        span,
    }))
}

fn of_columns(
    file: &CellFile,
    (name, there, data): (&str, Option<&tree::Name>, &DataSource),
    (is_vector, labels): (bool, &[String]),
    interrupted: &dyn Fn() -> bool,
) -> Result<Cells, Diagnostic> {
    let text = there.map_or(name, |there| there.text.as_str());
    if !is_vector {
        return file.matrix(None, text, &[text.to_owned()], interrupted);
    }
    let names = file.column_names();
    if !names.iter().any(|known| is_element(known, text)) {
        let first = labels.first().map_or("", String::as_str);
        let message = format!(
            "{} has no columns `{text}[{first}]` and so on",
            data.path.text
        );
        let has: Vec<String> = names
            .iter()
            .take(8)
            .map(|name| format!("`{name}`"))
            .collect();
        let span = there.map_or(data.path.span, |there| there.span);
        return Err(Diagnostic::new(Code::NoData, message)
            .at(span, "one for each gene")
            .help(format!("it has {}", listed(&has))));
    }
    file.matrix(None, text, labels, interrupted)
}

fn no_genes(data: &DataSource) -> Diagnostic {
    Diagnostic::new(Code::BadOption, "an AnnData file has many genes, and the model has one line")
        .at(data.path.span, "cells by genes")
        .help("give what is observed an index, as in `index gene = {Actb, Sox2}` and `observe u[gene] ~ normal(gamma .* s)`")
}

/// Refuses counts that are no numbers.
fn finite(
    counts: &Cells,
    name: &str,
    labels: &[String],
    data: &DataSource,
) -> Result<(), Diagnostic> {
    let numbers = match counts.values() {
        Values::Dense(numbers) => numbers,
        Values::Csr(lines) | Values::Csc(lines) => &lines.numbers,
    };
    let all = match numbers {
        Numbers::Single(numbers) => numbers.iter().all(|x| x.is_finite()),
        Numbers::Double(numbers) => numbers.iter().all(|x| x.is_finite()),
    };
    if all {
        return Ok(());
    }
    let places =
        (0..counts.rows()).flat_map(|row| (0..counts.columns()).map(move |gene| (row, gene)));
    let mut faulty = places.filter(|(row, gene)| !counts.at(*row, *gene).is_finite());
    let (row, gene) = faulty.next().unwrap_or_default();
    let gene_name = labels.get(gene).map_or("", String::as_str);
    let message = format!(
        "{}: cell {} of `{name}[{gene_name}]` is {}",
        data.path.text,
        row + 1,
        number_text(counts.at(row, gene))
    );
    Err(Diagnostic::new(Code::BadDatum, message)
        .at(data.path.span, "counts are finite numbers")
        .help("a cell without a count has 0; leave cells or genes out that were not measured"))
}

/// How many numbers are below 0, and where the first is: its cell and gene.
pub(super) fn below_zero(counts: &Cells) -> Option<(usize, (usize, usize))> {
    let numbers = match counts.values() {
        Values::Dense(numbers) => numbers,
        Values::Csr(lines) | Values::Csc(lines) => &lines.numbers,
    };
    let count = match numbers {
        Numbers::Single(numbers) => numbers.iter().filter(|x| **x < 0.0).count(),
        Numbers::Double(numbers) => numbers.iter().filter(|x| **x < 0.0).count(),
    };
    if count == 0 {
        return None;
    }
    let mut places =
        (0..counts.rows()).flat_map(|row| (0..counts.columns()).map(move |gene| (row, gene)));
    let first = places.find(|(row, gene)| counts.at(*row, *gene) < 0.0);
    Some((count, first?))
}
