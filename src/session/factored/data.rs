//! The data of a model of perturbations: a matrix of genes by perturbations, and which gene each
//! perturbation is of.
//!
//! A table has a row for each gene, a column that names it, and a column for each perturbation; or it
//! has a column that names perturbations, and one for each gene. An AnnData file has perturbations for
//! cells, by their names or by a column of `obs`. Rows of one perturbation are averaged. A perturbation
//! goes by the name of its gene; the one that changes are counted from is named by the sentence.
//!
//! Enters: the file, as the sentence maps it. Leaves: a [`Screen`]. Must not know factors.

use super::super::cells::CellFile;
use super::super::command::DataSource;
use super::super::compiled::Compiled;
use super::super::fit::Fit;
use super::super::tables::Tables;
use super::form::Form;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, first_quoted, listed};
use crate::fit::factored::Matrix;
use crate::syntax::tree;
use crate::table::cells::{Axis, Cells};
use crate::table::h5ad::{Frame, H5ad};
use crate::table::{self, Table};
use rustc_hash::FxHashMap;

/// The word for the column that changes are counted from.
const BASELINE: &str = "baseline";
/// Names in a list of what is missing.
const NAMED: usize = 5;
/// The word for the matrix of an AnnData file that is no layer.
const WHOLE: &str = "X";

/// A matrix of measurements.
pub(super) struct Screen {
    pub expression: Matrix,
    pub genes: Vec<String>,
    pub labels: Vec<String>,
    pub control: usize,
    pub baseline: Vec<f64>,
    /// The gene of each column; none of the control.
    pub perturbed: Vec<Option<usize>>,
    /// How many rows of the file each column is the mean of, where it has rows for perturbations.
    pub replicates: Option<Vec<usize>>,
}

/// What the sentence and the model name.
#[derive(Clone, Copy)]
struct Names<'a> {
    data: &'a DataSource,
    observed: &'a str,
    /// The index set of genes, and its labels.
    rows: (&'a str, &'a [String]),
    /// That of perturbations.
    columns: (&'a str, &'a [String]),
}

pub(super) fn read(
    compiled: &Compiled,
    tables: &Tables<'_>,
    form: &Form,
    command: &Fit,
) -> Result<Screen, Vec<Diagnostic>> {
    let names = &compiled.model.names;
    let labels = |set| {
        let set = names.index_set(set);
        (0..set.len())
            .map(|at| set.label(at))
            .collect::<Vec<String>>()
    };
    let (genes, columns) = (labels(form.sets.0), labels(form.sets.1));
    let (rows_name, columns_name) = (
        &names.index_set(form.sets.0).name,
        &names.index_set(form.sets.1).name,
    );
    let data = &command.data;
    let control = control(data, &columns, columns_name)?;
    let perturbed = perturbed(data, (&genes, rows_name), (&columns, control))?;
    let named = Names {
        data,
        observed: &form.observed,
        rows: (rows_name, &genes),
        columns: (columns_name, &columns),
    };
    foreign(named)?;
    let file = CellFile::open(tables, &data.path).map_err(|problem| vec![problem])?;
    let interrupted = || tables.world().interrupted();
    let found = measured(&file, named, &interrupted);
    let (expression, replicates) = found.map_err(|problem| vec![problem])?;
    if let Some(at) = expression.iter().position(|x| !x.is_finite()) {
        let (gene, column) = (at % genes.len().max(1), at / genes.len().max(1));
        let label = |all: &[String], at: usize| all.get(at).cloned().unwrap_or_default();
        let message = format!(
            "{}: `{}[{}, {}]` is not a number",
            data.path.text,
            form.observed,
            label(&genes, gene),
            label(&columns, column)
        );
        return Err(vec![
            Diagnostic::new(Code::BadDatum, message)
                .at(data.path.span, "")
                .help("every gene is measured under every perturbation; leave others out of the index sets"),
        ]);
    }
    let baseline = expression.column(control).iter().copied().collect();
    Ok(Screen {
        expression,
        genes,
        labels: columns,
        control,
        baseline,
        perturbed,
        replicates,
    })
}

/// The matrix, and how many rows each of its columns is the mean of.
fn measured(
    file: &CellFile,
    named: Names<'_>,
    interrupted: &dyn Fn() -> bool,
) -> Result<(Matrix, Option<Vec<usize>>), Diagnostic> {
    let (set, _) = named.columns;
    let by = match mapped(named.data, set) {
        Some(there) => Some(there.clone()),
        None => Some(tree::Name {
            text: set.to_owned(),
            span: named.data.path.span,
        })
        .filter(|own| file.column_names().contains(&own.text)),
    };
    if let Some(by) = by {
        let layer = match file.anndata() {
            Some(anndata) => layer(file, anndata, named)?,
            None => None,
        };
        let cells = file.matrix(layer.as_ref(), named.observed, named.rows.1, interrupted)?;
        let groups = file.groups(&by)?;
        let (means, counts) = means(&cells, groups, named)?;
        return Ok((means, Some(counts)));
    }
    let matrix = match (file.anndata(), file.table()) {
        (Some(anndata), _) => of_anndata(file, anndata, named, interrupted)?,
        (None, Some(table)) => of_table(table, named)?,
        (None, None) => return Err(missing(named.data, &[], "no numbers")),
    };
    Ok((matrix, None))
}

/// Genes by perturbations: the means of the rows with the label of each, and how many there are.
#[expect(clippy::cast_precision_loss, reason = "a number of rows")]
fn means(
    cells: &Cells,
    (groups, places): (Vec<String>, Vec<Option<usize>>),
    named: Names<'_>,
) -> Result<(Matrix, Vec<usize>), Diagnostic> {
    let (_, labels) = named.columns;
    let known = by_label(labels);
    let column_of: Vec<Option<usize>> = groups
        .iter()
        .map(|group| known.get(group.as_str()).copied())
        .collect();
    let mut sums = Matrix::zeros(cells.columns(), labels.len());
    let mut counts = vec![0_usize; labels.len()];
    let mut lines = cells.lines::<f64>(Axis::Rows);
    for place in places {
        let line = lines.block(1);
        let Some(column) = place.and_then(|group| column_of.get(group).copied().flatten()) else {
            continue;
        };
        counts[column] += 1;
        for (sum, number) in sums.column_mut(column).iter_mut().zip(line) {
            *sum += number;
        }
    }
    let pairs = labels.iter().zip(&counts);
    let lost: Vec<String> = pairs
        .filter(|(_, count)| **count == 0)
        .map(|(label, _)| label.clone())
        .collect();
    if !lost.is_empty() {
        return Err(missing(named.data, &lost, "no row of"));
    }
    for (mut column, count) in sums.column_iter_mut().zip(&counts) {
        column.unscale_mut(*count as f64);
    }
    Ok((sums, counts))
}

/// Which column changes are counted from.
fn control(data: &DataSource, columns: &[String], set: &str) -> Result<usize, Vec<Diagnostic>> {
    let mut mapped = data.columns.iter();
    let Some((_, there)) = mapped.find(|(here, _)| here.text == BASELINE) else {
        let example = columns.first().map_or("control", String::as_str);
        return Err(vec![
            Diagnostic::new(Code::MissingArgument, "changes are counted from a baseline")
                .at(data.path.span, "which of its columns?")
                .help(format!("as in `to \"screen.csv\" (baseline = {example})`")),
        ]);
    };
    columns
        .iter()
        .position(|label| *label == there.text)
        .ok_or_else(|| {
            let near = did_you_mean(&there.text, columns.iter().map(String::as_str));
            let problem = Diagnostic::new(
                Code::NoColumn,
                format!("`{}` is not a member of `{set}`", there.text),
            );
            vec![
                problem
                    .at(there.span, "the baseline")
                    .help(near.unwrap_or_else(|| {
                        let some: Vec<&str> =
                            columns.iter().take(NAMED).map(String::as_str).collect();
                        format!("it has {}", listed(&some))
                    })),
            ]
        })
}

/// The gene of each perturbation.
fn perturbed(
    data: &DataSource,
    (genes, set): (&[String], &str),
    (columns, control): (&[String], usize),
) -> Result<Vec<Option<usize>>, Vec<Diagnostic>> {
    let known: FxHashMap<&str, usize> = genes
        .iter()
        .enumerate()
        .map(|(at, gene)| (gene.as_str(), at))
        .collect();
    let found: Vec<Option<usize>> = columns
        .iter()
        .enumerate()
        .map(|(at, label)| known.get(label.as_str()).copied().filter(|_| at != control))
        .collect();
    let pairs = columns.iter().zip(&found).enumerate();
    let lost: Vec<&str> = pairs
        .filter(|(at, (_, gene))| gene.is_none() && *at != control)
        .map(|(_, (label, _))| label.as_str())
        .collect();
    let Some(first) = lost.first() else {
        return Ok(found);
    };
    let near = did_you_mean(first, genes.iter().map(String::as_str));
    Err(vec![
        Diagnostic::new(
            Code::NoData,
            match lost.len() {
                1 => format!("`{first}` is the name of no gene in `{set}`"),
                _ => format!(
                    "{} are names of no genes in `{set}`",
                    first_quoted(&lost, NAMED)
                ),
            },
        )
        .at(data.path.span, "a perturbation is of the gene of its name")
        .help(near.unwrap_or_else(|| {
            "name perturbations as their genes, and leave others out of the index set".to_owned()
        })),
    ])
}

fn foreign(named: Names<'_>) -> Result<(), Vec<Diagnostic>> {
    let known = [BASELINE, named.observed, named.rows.0, named.columns.0];
    let others =
        (named.data.columns.iter()).filter(|(here, _)| !known.contains(&here.text.as_str()));
    let problems: Vec<Diagnostic> = others
        .map(|(here, _)| {
            let message = format!("no data are read for `{}`", here.text);
            let near = did_you_mean(&here.text, known);
            Diagnostic::new(Code::NoColumn, message)
                .at(here.span, "")
                .help(near.unwrap_or_else(|| {
                    format!("what is read goes by {}", first_quoted(&known, known.len()))
                }))
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn mapped<'d>(data: &'d DataSource, name: &str) -> Option<&'d tree::Name> {
    let mut columns = data.columns.iter();
    columns
        .find(|(here, _)| here.text == name)
        .map(|(_, there)| there)
}

fn missing(data: &DataSource, lost: &[String], what: &str) -> Diagnostic {
    Diagnostic::new(Code::NoData, format!("{} has {what} {}", data.path.text, first_quoted(lost, NAMED)))
        .at(data.path.span, format!("{} missing", lost.len()))
        .help("take the index sets from the file itself, as in `index gene from \"screen.csv\" column gene`")
}

fn by_label(labels: &[String]) -> FxHashMap<&str, usize> {
    let places = labels.iter().enumerate();
    places.map(|(at, label)| (label.as_str(), at)).collect()
}

/// Where labels stand among the rows of a file, each once.
fn places(
    labels: &[String],
    among: &[String],
    named: Names<'_>,
    help: impl FnOnce() -> String,
) -> Result<Vec<usize>, Diagnostic> {
    let wanted = by_label(labels);
    let mut found: Vec<Option<usize>> = vec![None; labels.len()];
    for (row, label) in among.iter().enumerate() {
        let Some(at) = wanted.get(label.as_str()) else {
            continue;
        };
        if let Some(before) = found[*at] {
            let message = format!(
                "{} has two rows of `{label}`, {} and {}",
                named.data.path.text,
                before + 1,
                row + 1
            );
            return Err(Diagnostic::new(Code::BadDatum, message)
                .at(named.data.path.span, "")
                .help(help()));
        }
        found[*at] = Some(row);
    }
    let pairs = labels.iter().zip(&found);
    let lost: Vec<String> = pairs
        .filter(|(_, row)| row.is_none())
        .map(|(label, _)| label.clone())
        .collect();
    match lost.is_empty() {
        true => Ok(found.into_iter().flatten().collect()),
        false => Err(missing(named.data, &lost, "no row of")),
    }
}

fn of_table(table: &Table, named: Names<'_>) -> Result<Matrix, Diagnostic> {
    let (data, (rows, genes), (set, columns)) = (named.data, named.rows, named.columns);
    let there = mapped(data, rows);
    let name = there.map_or(rows, |there| there.text.as_str());
    let is_text = |column: &&table::Column| matches!(column.values, table::Values::Text(_));
    let column = table.column(name).or_else(|| {
        table
            .columns
            .iter()
            .find(is_text)
            .filter(|_| there.is_none())
    });
    let Some(column) = column else {
        let message = format!("{} has no column `{name}`", data.path.text);
        return Err(Diagnostic::new(Code::NoColumn, message)
            .at(
                there.map_or(data.path.span, |there| there.span),
                "which gene is in which row?",
            )
            .help(format!(
                "name it, as in `to \"screen.csv\" ({rows} = symbol)`; of a table with a row for each perturbation name the column of those, as in `({set} = guide)`"
            )));
    };
    let places = places(genes, &table.labels(column), named, || {
        "a gene has one row; delete the other, or give it a name of its own".to_owned()
    })?;
    let mut numbers = Matrix::zeros(genes.len(), columns.len());
    for (mut to, label) in numbers.column_iter_mut().zip(columns) {
        if table.column(label).is_none() {
            return Err(missing(data, std::slice::from_ref(label), "no column"));
        }
        let own = table
            .complete_numbers(label)
            .map_err(|error| error.diagnostic(&table.source).at(data.path.span, ""))?;
        for (to, place) in to.iter_mut().zip(&places) {
            *to = own.get(*place).copied().unwrap_or(f64::NAN);
        }
    }
    Ok(numbers)
}

/// Which matrix of an AnnData file is meant: none for `X`.
fn layer(
    file: &CellFile,
    anndata: &H5ad,
    named: Names<'_>,
) -> Result<Option<tree::Text>, Diagnostic> {
    let Some(there) = mapped(named.data, named.observed) else {
        return Ok(None);
    };
    let layers = anndata.layers().map_err(|error| file.problem(&error))?;
    let is_whole = there.text == WHOLE && !layers.contains(&there.text);
    Ok((!is_whole).then(|| tree::Text {
        text: there.text.clone(),
        span: there.span,
    }))
}

fn of_anndata(
    file: &CellFile,
    anndata: &H5ad,
    named: Names<'_>,
    interrupted: &dyn Fn() -> bool,
) -> Result<Matrix, Diagnostic> {
    let ((_, genes), (set, columns)) = (named.rows, named.columns);
    let observed = anndata
        .index(Frame::Obs)
        .map_err(|error| file.problem(&error))?;
    let places = places(columns, &observed, named, || {
        format!(
            "rows of one perturbation are averaged by a column of `obs`, as in `({set} = guide)`"
        )
    })?;
    let layer = layer(file, anndata, named)?;
    let cells = file.matrix(layer.as_ref(), named.observed, genes, interrupted)?;
    let numbers = Matrix::from_fn(genes.len(), columns.len(), |gene, column| {
        places
            .get(column)
            .map_or(f64::NAN, |row| cells.at(*row, gene))
    });
    Ok(numbers)
}
