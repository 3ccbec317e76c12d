//! What is added to an AnnData file: a layer, columns of cells or genes, matrices about genes.
//!
//! Enters: a file, names and what is added under them. Leaves: the file with all of it, written in
//! one go. Whoever wants the file to be the old or the new one adds to a copy and renames that. Must
//! not know models.

use super::error::H5adError;
use super::store::{told, unsupported};
use super::superblock::modernise;
use super::{Frame, H5ad};
use crate::table::cells::{Compressed, Numbers};
use hdf5_pure::{
    AttrValue, DatasetBuilder, Datatype, EnumTypeBuilder, File, FormatError, Group, make_f32_type,
    make_f64_type, make_i8_type,
};
use rustc_hash::FxHashMap;
use std::path::Path;

/// The index of a table that is written here.
const INDEX: &str = "_index";

/// Numbers of a layer that are made at a time, about.
const BLOCK: u64 = 1 << 20;

/// What is added.
#[derive(Clone, Copy)]
pub enum Added<'a> {
    /// A dense layer, cells by genes.
    Layer(Layer<'a>),
    /// A column about cells or genes.
    Column(Frame, Series<'a>),
    /// A table with a row for each gene and named columns, in `varm`.
    Columns(&'a [(String, Vec<f64>)]),
    /// Genes by genes, row by row, in `varp`.
    Pairs(&'a [f64]),
    /// The same of which few entries are not zero: those of each row.
    SparsePairs(&'a Compressed),
}

/// A layer that is made while it is written: it is in memory in the form of the file alone.
#[derive(Clone, Copy)]
pub struct Layer<'a> {
    /// True for numbers of 32 bits.
    pub is_single: bool,
    /// What makes the rows.
    pub rows: &'a dyn Cellwise,
}

/// Something that is known of one cell after the other.
pub trait Cellwise {
    /// Begins with the first cell.
    fn begin(&self) -> Rows<'_>;
}

/// The rows of the next cells, as many as it is asked for.
pub type Rows<'a> = Box<dyn FnMut(usize) -> Result<Numbers, H5adError> + 'a>;

/// The cells of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Series<'a> {
    /// Numbers; missing ones are NaN.
    Numbers(&'a [f64]),
    /// Truth values.
    Truth(&'a [bool]),
}

/// What becomes of something that has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It stays, and nothing is added.
    Kept,
    /// It is replaced.
    Replaced,
}

impl Added<'_> {
    /// The group of the file that it belongs to.
    #[must_use]
    pub fn group(&self) -> &'static str {
        match self {
            Added::Layer(_) => "layers",
            Added::Column(frame, _) => frame.path(),
            Added::Columns(_) => "varm",
            Added::Pairs(_) | Added::SparsePairs(_) => "varp",
        }
    }

    /// Refuses numbers that do not fit the file.
    fn fits(&self, file: &H5ad, path: &str) -> Result<(), H5adError> {
        let (cells, genes) = (file.cells(), file.genes());
        let rows_of = |frame: &Frame| match frame {
            Frame::Obs => cells,
            Frame::Var => genes,
        };
        let (found, expected) = match self {
            // Its rows are counted when they are made.
            Added::Layer(_) => ((0, 0), (0, 0)),
            Added::Column(frame, Series::Numbers(column)) => {
                ((column.len(), 1), (rows_of(frame), 1))
            }
            Added::Column(frame, Series::Truth(column)) => ((column.len(), 1), (rows_of(frame), 1)),
            Added::Columns(columns) => {
                let other = columns.iter().map(|(_, column)| column.len());
                let rows = other.clone().find(|rows| *rows != genes).unwrap_or(genes);
                ((rows, columns.len()), (genes, columns.len()))
            }
            Added::Pairs(numbers) => ((numbers.len(), 1), (genes * genes, 1)),
            Added::SparsePairs(lines) => ((lines.starts.len(), 1), (genes + 1, 1)),
        };
        if found == expected {
            return Ok(());
        }
        Err(H5adError::Shape {
            path: path.to_owned(),
            found,
            expected,
        })
    }
}

impl H5ad {
    /// True where the file has something in the place of what is added under this name.
    ///
    /// # Errors
    /// [`H5adError`].
    pub fn holds(&self, name: &str, added: &Added<'_>) -> Result<bool, H5adError> {
        let path = format!("{}/{name}", added.group());
        Ok(self.store.kind(&path)?.is_some())
    }
}

/// Adds all of this to a file, where it lies: to a copy, which is of no use when this fails.
///
/// # Errors
/// [`H5adError::Name`] where a name exists already, is empty or holds a slash; [`H5adError::Shape`];
/// [`H5adError::Unsupported`] for tables stored as records; and others.
pub fn add(path: &Path, all: &[(&str, Added<'_>)], taken: Taken) -> Result<(), H5adError> {
    let plan = Plan::of(&H5ad::open(path)?, all, taken)?;
    modernise(path).map_err(|error| told(error.into(), ""))?;
    let file = File::open_rw(path).map_err(|error| told(error, ""))?;
    let mut groups: FxHashMap<&str, Group> = FxHashMap::default();
    for ((name, added), holds) in all.iter().zip(&plan.holds) {
        let group = added.group();
        let tell = |error| told(error, group);
        if !groups.contains_key(group) {
            groups.insert(group, parent(&file, &plan, group).map_err(tell)?);
        }
        let Some(parent) = groups.get(group) else {
            continue;
        };
        if *holds {
            parent.delete(name).map_err(tell)?;
        }
        match added {
            Added::Layer(layer) => put_layer(parent, name, layer, &plan)?,
            _ => put(parent, name, added, &plan).map_err(tell)?,
        }
    }
    for (frame, order) in &plan.orders {
        let Some(table) = groups.get(frame.path()) else {
            continue;
        };
        let order = AttrValue::VarLenStringArray(order.clone());
        let set = table.set_attr("column-order", order);
        set.map_err(|error| told(error, frame.path()))?;
    }
    file.commit().map_err(|error| told(error, ""))?;
    file.close().map_err(|error| told(error, ""))
}

/// What the file says about what is added to it.
struct Plan {
    cells: u64,
    genes: u64,
    /// For each addition, whether something of its name is to be replaced.
    holds: Vec<bool>,
    /// The groups that exist.
    groups: Vec<&'static str>,
    /// Columns in their order, of the tables that grow.
    orders: Vec<(Frame, Vec<String>)>,
    /// Names of genes, where a table of them is written.
    names: Vec<String>,
}

impl Plan {
    fn of(file: &H5ad, all: &[(&str, Added<'_>)], taken: Taken) -> Result<Plan, H5adError> {
        let mut plan = Plan {
            cells: file.cells() as u64,
            genes: file.genes() as u64,
            holds: Vec::with_capacity(all.len()),
            groups: Vec::new(),
            orders: Vec::new(),
            names: Vec::new(),
        };
        for (name, added) in all {
            let group = added.group();
            let path = format!("{group}/{name}");
            let holds = is_name(name) && file.holds(name, added)?;
            if !is_name(name) || (holds && taken == Taken::Kept) {
                return Err(H5adError::Name { path });
            }
            added.fits(file, &path)?;
            plan.holds.push(holds);
            if file.is_group(group)? {
                plan.groups.push(group);
            }
            match added {
                Added::Column(frame, _) => plan.grows(file, *frame, name)?,
                Added::Columns(columns) => {
                    let odd = |name: &String| !is_name(name) || name == INDEX;
                    if let Some((name, _)) = columns.iter().find(|(name, _)| odd(name)) {
                        let path = format!("{path}/{name}");
                        return Err(H5adError::Name { path });
                    }
                    plan.names = file.index(Frame::Var)?;
                }
                _ => {}
            }
        }
        Ok(plan)
    }

    /// The rows of so many cells, all there.
    fn rows(&self, rows: &mut Rows<'_>, cells: u64, name: &str) -> Result<Numbers, H5adError> {
        let some = rows(usize::try_from(cells).unwrap_or(usize::MAX))?;
        let (found, expected) = (some.len() as u64, cells.saturating_mul(self.genes));
        if found == expected {
            return Ok(some);
        }
        let size = |numbers: u64| usize::try_from(numbers).unwrap_or(usize::MAX);
        Err(H5adError::Shape {
            path: format!("layers/{name}"),
            found: (size(found), 1),
            expected: (size(expected), 1),
        })
    }

    fn grows(&mut self, file: &H5ad, frame: Frame, name: &str) -> Result<(), H5adError> {
        if !file.is_group(frame.path())? {
            let what = "records, to which no column can be added";
            return Err(unsupported(frame.path(), what));
        }
        if !self.orders.iter().any(|(known, _)| *known == frame) {
            self.orders.push((frame, file.columns(frame)?));
        }
        let order = self.orders.iter_mut().find(|(known, _)| *known == frame);
        if let Some((_, order)) = order
            && !order.iter().any(|known| known == name)
        {
            order.push(name.to_owned());
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "." && !name.contains('/')
}

/// A group that things are added to; one of the kind that AnnData has is made where it is missing.
fn parent(file: &File, plan: &Plan, group: &str) -> Result<Group, hdf5_pure::Error> {
    if plan.groups.contains(&group) {
        return file.group(group);
    }
    let made = file.root().create_group(group)?;
    made.set_attr("encoding-type", text("dict"))?;
    made.set_attr("encoding-version", text("0.1.0"))?;
    Ok(made)
}

fn put(parent: &Group, name: &str, added: &Added<'_>, plan: &Plan) -> Result<(), hdf5_pure::Error> {
    let array = |build: &dyn Fn(&mut DatasetBuilder)| {
        let made = parent.create_dataset(name, |array| {
            build(array);
            encoded(array, "array");
        });
        made.map(|_| ())
    };
    match added {
        // It is written elsewhere.
        Added::Layer(_) => Ok(()),
        Added::Column(_, Series::Numbers(column)) => array(&|array| {
            array.with_f64_data(column);
        }),
        Added::Column(_, Series::Truth(column)) => {
            let truth = truth()?;
            let bytes: Vec<u8> = column.iter().map(|cell| u8::from(*cell)).collect();
            array(&|array| {
                array.with_enum_u8_data(truth.clone(), &bytes);
            })
        }
        Added::Pairs(numbers) => array(&|array| {
            array.with_f64_data(numbers);
            array.with_shape(&[plan.genes, plan.genes]);
        }),
        Added::SparsePairs(lines) => sparse(parent, name, lines, plan.genes),
        Added::Columns(columns) => table(parent, name, columns, &plan.names),
    }
}

/// A layer, which is in memory once: as bytes.
fn put_layer(parent: &Group, name: &str, layer: &Layer<'_>, plan: &Plan) -> Result<(), H5adError> {
    let count = plan.cells.saturating_mul(plan.genes);
    let (kind, width) = match layer.is_single {
        true => (make_f32_type(), 4),
        false => (make_f64_type(), 8),
    };
    let size = usize::try_from(count).ok();
    let size = size.and_then(|count| count.checked_mul(width));
    let mut bytes = Vec::new();
    let reserved = bytes.try_reserve_exact(size.unwrap_or(usize::MAX));
    reserved.map_err(|_| unsupported("layers", "more than the memory holds"))?;
    let mut rows = layer.rows.begin();
    let step = (BLOCK / plan.genes.max(1)).max(1);
    let mut from = 0;
    while from < plan.cells {
        let cells = step.min(plan.cells - from);
        match plan.rows(&mut rows, cells, name)? {
            Numbers::Single(some) if layer.is_single => {
                some.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
            }
            Numbers::Double(some) if !layer.is_single => {
                some.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
            }
            _ => return Err(unsupported(name, "numbers of two precisions")),
        }
        from += cells;
    }
    let made = parent.create_dataset(name, |array| {
        array.with_raw_data(kind, bytes, count);
        encoded(array.with_shape(&[plan.cells, plan.genes]), "array");
    });
    made.map(|_| ()).map_err(|error| told(error, "layers"))
}

/// Entries row by row, as scipy has them.
fn sparse(
    parent: &Group,
    name: &str,
    lines: &Compressed,
    genes: u64,
) -> Result<(), hdf5_pure::Error> {
    let places: Vec<i64> = lines.places.iter().map(|place| i64::from(*place)).collect();
    let starts = lines.starts.iter().map(|start| i64::try_from(*start));
    let starts: Vec<i64> = starts.map(Result::unwrap_or_default).collect();
    parent.create_group_with(name, |group| {
        group.create_dataset("data", |array| {
            match &lines.numbers {
                Numbers::Single(numbers) => array.with_f32_data(numbers),
                Numbers::Double(numbers) => array.with_f64_data(numbers),
            };
        });
        group.create_dataset("indices", |array| {
            array.with_i64_data(&places);
        });
        group.create_dataset("indptr", |array| {
            array.with_i64_data(&starts);
        });
        group.set_attr("encoding-type", text("csr_matrix"));
        group.set_attr("encoding-version", text("0.1.0"));
        group.set_attr("shape", AttrValue::U64Array(vec![genes, genes]));
    })?;
    Ok(())
}

/// A table whose rows have these names.
fn table(
    parent: &Group,
    name: &str,
    columns: &[(String, Vec<f64>)],
    rows: &[String],
) -> Result<(), hdf5_pure::Error> {
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let order = columns.iter().map(|(name, _)| name.clone()).collect();
    parent.create_group_with(name, |group| {
        group.create_dataset(INDEX, |array| {
            encoded(array.with_vlen_strings(&rows), "string-array");
        });
        for (name, column) in columns {
            group.create_dataset(name, |array| {
                encoded(array.with_f64_data(column), "array");
            });
        }
        group.set_attr("encoding-type", text("dataframe"));
        group.set_attr("encoding-version", text("0.2.0"));
        group.set_attr("_index", text(INDEX));
        group.set_attr("column-order", AttrValue::VarLenStringArray(order));
    })?;
    Ok(())
}

/// Truth values as h5py has them: names of numbers of eight bits.
fn truth() -> Result<Datatype, FormatError> {
    let names = EnumTypeBuilder::with_base(make_i8_type());
    names.value("FALSE", 0).value("TRUE", 1).build()
}

/// Says what an array is to AnnData.
fn encoded(array: &mut DatasetBuilder, kind: &str) {
    array.set_attr("encoding-type", text(kind));
    array.set_attr("encoding-version", text("0.2.0"));
}

fn text(text: &str) -> AttrValue {
    AttrValue::VarLenString(text.to_owned())
}
