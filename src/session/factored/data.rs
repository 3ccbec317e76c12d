//! The data of a model of perturbations: a matrix of genes by perturbations, and which gene each
//! perturbation is of.
//!
//! A table has a row for each gene, a column that names it, and a column for each perturbation. An
//! AnnData file has perturbations for cells. A perturbation goes by the name of its gene; the one
//! that changes are counted from is named by the sentence.
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
use crate::table::h5ad::{Frame, H5ad};
use crate::table::{self, Table};
use rustc_hash::FxHashMap;

/// The word for the column that changes are counted from.
const BASELINE: &str = "baseline";
/// Names in a list of what is missing.
const NAMED: usize = 5;

/// A matrix of measurements.
pub(super) struct Screen {
    pub expression: Matrix,
    pub genes: Vec<String>,
    pub labels: Vec<String>,
    pub control: usize,
    pub baseline: Vec<f64>,
    /// The gene of each column; none of the control.
    pub perturbed: Vec<Option<usize>>,
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
    foreign(data, &form.observed, rows_name)?;
    let file = CellFile::open(tables, &data.path).map_err(|problem| vec![problem])?;
    let interrupted = || tables.world().interrupted();
    let expression = match (file.anndata(), file.table()) {
        (Some(anndata), _) => of_anndata(
            &file,
            anndata,
            (form, data),
            (&genes, &columns),
            &interrupted,
        ),
        (None, Some(table)) => of_table(table, (rows_name, data), (&genes, &columns)),
        (None, None) => Err(missing(data, &[], "no numbers")),
    };
    let expression = expression.map_err(|problem| vec![problem])?;
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
    })
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

fn foreign(data: &DataSource, observed: &str, rows: &str) -> Result<(), Vec<Diagnostic>> {
    let known = [BASELINE, observed, rows];
    let others = data
        .columns
        .iter()
        .filter(|(here, _)| !known.contains(&here.text.as_str()));
    let problems: Vec<Diagnostic> = others
        .map(|(here, _)| {
            let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            Diagnostic::new(
                Code::NoColumn,
                format!("no data are read for `{}`", here.text),
            )
            .at(here.span, "")
            .help(format!("what is read goes by {}", listed(&names)))
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

/// Where labels stand among others, or the lost ones.
fn places(labels: &[String], among: &[String]) -> Result<Vec<usize>, Vec<String>> {
    let known: FxHashMap<&str, usize> = among
        .iter()
        .enumerate()
        .map(|(at, label)| (label.as_str(), at))
        .collect();
    let found = labels
        .iter()
        .map(|label| known.get(label.as_str()).copied().ok_or(label.clone()));
    let (found, lost): (Vec<_>, Vec<_>) = found.partition(Result::is_ok);
    match lost.is_empty() {
        true => Ok(found.into_iter().flatten().collect()),
        false => Err(lost.into_iter().filter_map(Result::err).collect()),
    }
}

fn of_table(
    table: &Table,
    (rows, data): (&str, &DataSource),
    (genes, columns): (&[String], &[String]),
) -> Result<Matrix, Diagnostic> {
    let there = mapped(data, rows);
    let name = there.map_or(rows, |there| there.text.as_str());
    let is_text = |column: &&table::Column| matches!(column.values, table::Values::Text(_));
    let named = table.column(name);
    let column = named.or_else(|| {
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
                "name it, as in `to \"screen.csv\" ({rows} = symbol)`"
            )));
    };
    let places =
        places(genes, &table.labels(column)).map_err(|lost| missing(data, &lost, "no row of"))?;
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

fn of_anndata(
    file: &CellFile,
    anndata: &H5ad,
    (form, data): (&Form, &DataSource),
    (genes, columns): (&[String], &[String]),
    interrupted: &dyn Fn() -> bool,
) -> Result<Matrix, Diagnostic> {
    let observed = anndata
        .index(Frame::Obs)
        .map_err(|error| file.problem(&error))?;
    let places = places(columns, &observed).map_err(|lost| missing(data, &lost, "no row of"))?;
    let layer = mapped(data, &form.observed).map(|there| tree::Text {
        text: there.text.clone(),
        span: there.span,
    });
    let cells = file.matrix(layer.as_ref(), &form.observed, genes, interrupted)?;
    let numbers = Matrix::from_fn(genes.len(), columns.len(), |gene, column| {
        places
            .get(column)
            .map_or(f64::NAN, |row| cells.at(*row, gene))
    });
    Ok(numbers)
}
