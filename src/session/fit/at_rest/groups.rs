//! Which cells belong together: those with the same condition, covariates and time.
//!
//! Enters: a file of cells, the parameters that the equations need. Leaves: groups with the values
//! that hold in each, the group of every cell, and the statistics of the cells. Must not know
//! matrices.

use super::look::Look;
use super::sentence::FitAtRest;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed, number_text};
use crate::fit::cells::{Accumulator, Refused, Statistics};
use crate::model::ParameterId;
use crate::session::cells::CellFile;
use crate::session::command::Setting;
use crate::session::compiled::Compiled;
use crate::session::simulate::with_setting;
use crate::session::values::Overrides;
use crate::source::Span;
use crate::syntax::tree;
use crate::table::cells::{Axis, Cells};
use crate::table::h5ad::Column;
use rustc_hash::FxHashMap;

/// Cells read at a time.
const BLOCK: usize = 1024;
/// More groups than this are no groups.
const MOST_GROUPS: usize = 100_000;

/// Cells that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name, for tables.
    pub label: String,
    /// How many cells it has.
    pub cells: usize,
    /// The time after a step of the inputs; infinite at rest.
    pub time: f64,
}

/// The groups of a file.
pub(super) struct Groups {
    pub groups: Vec<Group>,
    /// The parameter values in each.
    pub parameters: Vec<Vec<f64>>,
    /// The group of each cell; none where something is missing.
    pub of_cells: Vec<Option<usize>>,
    /// True when a column has times.
    pub on_the_way: bool,
}

/// The place of each cell among some names; none where it is missing.
type Places = Vec<Option<usize>>;

/// What each cell has for a covariate.
struct Covariate {
    parameter: ParameterId,
    values: Values,
}

enum Values {
    /// Numbers for each cell, one after the other.
    Numbers(Vec<Vec<f64>>),
    /// 1 in one place.
    Place(Vec<Option<usize>>),
}

/// What groups are read with.
pub(super) struct Reader<'a> {
    pub compiled: &'a Compiled,
    pub overrides: &'a Overrides,
    pub command: &'a FitAtRest,
    pub file: &'a CellFile,
}

impl Reader<'_> {
    /// The groups by all columns that the sentence or the model's covariates ask for.
    pub fn groups(&self, covariates: &[ParameterId]) -> Result<Groups, Vec<Diagnostic>> {
        let (names, categories) = self.categories()?;
        let mut problems = Vec::new();
        let mut known = Vec::new();
        for parameter in covariates {
            match self.covariate(*parameter) {
                Ok(covariate) => known.push(covariate),
                Err(problem) => problems.push(problem),
            }
        }
        let times = self.times().map_err(|problem| vec![problem])?;
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut found = Groups {
            groups: Vec::new(),
            parameters: Vec::new(),
            of_cells: Vec::with_capacity(self.file.cells()),
            on_the_way: times.is_some(),
        };
        let mut places: FxHashMap<Vec<u64>, usize> = FxHashMap::default();
        for cell in 0..self.file.cells() {
            let Some(key) = key(cell, categories.as_deref(), &known, times.as_deref()) else {
                found.of_cells.push(None);
                continue;
            };
            let place = match places.get(&key) {
                Some(place) => *place,
                None => {
                    let category = categories.as_ref().and_then(|all| all[cell]);
                    let category = category.and_then(|at| names.get(at));
                    let time = times.as_ref().map_or(f64::INFINITY, |times| times[cell]);
                    let values = self.parameters(category, &known, cell)?;
                    let label = label(
                        category,
                        (&known, cell),
                        self.compiled,
                        times.is_some(),
                        time,
                    );
                    found.groups.push(Group {
                        label,
                        cells: 0,
                        time,
                    });
                    found.parameters.push(values);
                    places.insert(key, found.groups.len() - 1);
                    found.groups.len() - 1
                }
            };
            found.groups[place].cells += 1;
            found.of_cells.push(Some(place));
            if found.groups.len() > MOST_GROUPS {
                let message = format!("more than {MOST_GROUPS} groups of cells");
                return Err(vec![
                    Diagnostic::new(Code::CannotFit, message)
                        .at(self.command.data.path.span, "")
                        .help("cells with the same condition and covariates make a group"),
                ]);
            }
        }
        match found.groups.is_empty() {
            false => Ok(found),
            true => Err(vec![
                Diagnostic::new(Code::EmptyTable, "no cell has all that is needed")
                    .at(self.command.data.path.span, ""),
            ]),
        }
    }

    /// The name of a column for what goes by `name` here.
    fn column_name<'n>(&'n self, name: &'n str) -> (&'n str, Span) {
        let mapped = &self.command.data.columns;
        match mapped.iter().find(|(here, _)| here.text == name) {
            Some((_, there)) => (&there.text, there.span),
            None => (name, self.command.data.path.span),
        }
    }

    fn is_mapped(&self, name: &str) -> bool {
        let mut mapped = self.command.data.columns.iter();
        mapped.any(|(here, _)| here.text == name)
    }

    /// The groups that `by`, or a column `condition`, makes.
    fn categories(&self) -> Result<(Vec<String>, Option<Places>), Vec<Diagnostic>> {
        let column = match &self.command.by {
            Some(column) => column.clone(),
            None => {
                let (text, span) = self.column_name("condition");
                let is_there = self.file.column(text).map_err(|problem| vec![problem])?;
                if is_there.is_none() && !self.is_mapped("condition") {
                    return Ok((Vec::new(), None));
                }
                tree::Name {
                    text: text.to_owned(),
                    span,
                }
            }
        };
        let (names, places) = self.file.groups(&column).map_err(|problem| vec![problem])?;
        Ok((names, Some(places)))
    }

    /// What the cells have for a covariate: a column of numbers, one for each element, or labels.
    fn covariate(&self, parameter: ParameterId) -> Result<Covariate, Diagnostic> {
        let known = &self.compiled.model.parameters[parameter.index()];
        let span = self.command.data.path.span;
        let found = |values| Ok(Covariate { parameter, values });
        let [set] = known.indices.as_slice() else {
            let (column, at) = self.column_name(&known.name);
            return match self.numbers(column, at)? {
                Some(numbers) => found(Values::Numbers(vec![numbers])),
                None => Err(self.lacks(&[column], &known.name, span)),
            };
        };
        let set = self.compiled.model.names.index_set(*set);
        let elements: Vec<String> = (0..set.len())
            .map(|at| format!("{}[{}]", known.name, set.label(at)))
            .collect();
        let columns = self.file.column_names();
        if elements.iter().any(|element| columns.contains(element)) {
            let mut numbers = Vec::with_capacity(elements.len());
            for element in &elements {
                match self.numbers(element, span)? {
                    Some(column) => numbers.push(column),
                    None => return Err(self.lacks(&[element], &known.name, span)),
                }
            }
            return found(Values::Numbers(numbers));
        }
        let candidates = [known.name.as_str(), set.name.as_str()];
        let mapped = candidates.iter().find(|name| self.is_mapped(name));
        let by = self
            .command
            .by
            .as_ref()
            .map(|by| (by.text.as_str(), by.span));
        let named = |name: &&str| columns.iter().any(|column| column == name);
        let column = mapped
            .map(|name| self.column_name(name))
            .or_else(|| {
                candidates
                    .iter()
                    .find(|name| named(name))
                    .map(|name| (*name, span))
            })
            .or(by);
        let Some((column, at)) = column else {
            return Err(self.lacks(
                &[elements[0].as_str(), candidates[0], candidates[1]],
                &known.name,
                span,
            ));
        };
        let column = tree::Name {
            text: column.to_owned(),
            span: at,
        };
        let (labels, places) = self.file.groups(&column)?;
        let positions: Vec<Option<usize>> = labels
            .iter()
            .map(|label| (0..set.len()).find(|at| set.label(*at) == *label))
            .collect();
        if let Some((unknown, _)) = labels.iter().zip(&positions).find(|(_, at)| at.is_none()) {
            let members: Vec<String> = (0..set.len()).map(|at| set.label(at)).collect();
            let near = did_you_mean(unknown, members.iter().map(String::as_str));
            let message = format!("`{unknown}` is not a member of `{}`", set.name);
            return Err(Diagnostic::new(Code::BadIndex, message)
                .at(at, format!("it stands in the column `{}`", column.text))
                .help(near.unwrap_or_else(|| {
                    format!("`{0}` is 1 in the place of a cell's label and 0 in the others, and a control is a member too: write `index {1} = {{{unknown}, ...}}`, or take all labels from the data, as in `index {1} from \"cells.h5ad\" obs {2}`; a mask such as `{1} == gene` lets a control act on nothing", known.name, set.name, column.text)
                })));
        }
        let place = |place: Option<usize>| place.and_then(|place| positions.get(place).copied()?);
        found(Values::Place(places.into_iter().map(place).collect()))
    }

    fn lacks(&self, columns: &[&str], name: &str, span: Span) -> Diagnostic {
        let quoted: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
        let has = self.file.column_names();
        let message = format!(
            "the covariate `{name}` has no data: there is no column {}",
            quoted.join(" or ")
        );
        Diagnostic::new(Code::NoData, message)
            .at(
                span,
                match has.as_slice() {
                    [] => "it has no columns about its cells".to_owned(),
                    _ => format!(
                        "it has {}",
                        listed(&has.iter().take(12).collect::<Vec<_>>())
                    ),
                },
            )
            .help(format!(
                "name it, as in `to \"cells.h5ad\" ({} = treatment)`",
                columns.last().unwrap_or(&name)
            ))
    }

    /// The depth of every cell.
    pub fn depths(&self, parameter: ParameterId) -> Result<Vec<f64>, Diagnostic> {
        let name = &self.compiled.model.parameters[parameter.index()].name;
        let (column, span) = self.column_name(name);
        let found = self.numbers(column, span)?;
        found.ok_or_else(|| self.lacks(&[column], name, span))
    }

    /// A column of numbers; none where there is no such column.
    fn numbers(&self, name: &str, span: Span) -> Result<Option<Vec<f64>>, Diagnostic> {
        match self.file.column(name)? {
            None => Ok(None),
            Some(Column::Numbers(numbers)) => Ok(Some(numbers)),
            Some(Column::Truth(all)) => Ok(Some(
                all.into_iter()
                    .map(|one| one.map_or(f64::NAN, |one| f64::from(u8::from(one))))
                    .collect(),
            )),
            Some(Column::Text(_) | Column::Categories { .. }) => {
                let message = format!("the column `{name}` holds text, not numbers");
                Err(Diagnostic::new(Code::TextForNumber, message).at(span, ""))
            }
        }
    }

    /// The time of each cell after a step, of the column that the sentence maps to `time`; none
    /// counts as at rest.
    fn times(&self) -> Result<Option<Vec<f64>>, Diagnostic> {
        let Some(named) = ["time", "t"].into_iter().find(|name| self.is_mapped(name)) else {
            return Ok(None);
        };
        let (column, span) = self.column_name(named);
        let found = self.numbers(column, span)?;
        if found.is_none() {
            let message = format!("there is no column `{column}`");
            return Err(Diagnostic::new(Code::NoColumn, message).at(span, ""));
        }
        let Some(times) = found else { return Ok(None) };
        if let Some(wrong) = times.iter().find(|time| **time < 0.0) {
            let message = format!("the column `{column}` has the time {wrong}");
            return Err(Diagnostic::new(Code::BadDatum, message)
                .at(span, "times count from the step of the inputs"));
        }
        let at_rest = |time: f64| if time.is_nan() { f64::INFINITY } else { time };
        Ok(Some(times.into_iter().map(at_rest).collect()))
    }

    /// The parameter values of a group.
    fn parameters(
        &self,
        category: Option<&String>,
        covariates: &[Covariate],
        cell: usize,
    ) -> Result<Vec<f64>, Vec<Diagnostic>> {
        let condition = category.filter(|name| self.compiled.model.condition(name).is_some());
        let overrides = match condition {
            None => self.overrides.clone(),
            Some(name) => {
                let condition = Some(tree::Name {
                    text: name.clone(),
                    span: self.command.span,
                });
                let setting = Setting {
                    condition,
                    with: Vec::new(),
                };
                with_setting(self.compiled, self.overrides, &setting)?
            }
        };
        let mut parameters = self.compiled.present(&overrides).parameters;
        for covariate in covariates {
            let block = self.compiled.system.parameters.blocks()[covariate.parameter.index()];
            let places = &mut parameters[block.range()];
            match &covariate.values {
                Values::Numbers(columns) => {
                    for (place, column) in places.iter_mut().zip(columns) {
                        *place = column[cell];
                    }
                }
                Values::Place(of_cells) => {
                    places.fill(0.0);
                    if let Some(place) = of_cells[cell].and_then(|at| places.get_mut(at)) {
                        *place = 1.0;
                    }
                }
            }
        }
        Ok(parameters)
    }
}

/// What tells the group of a cell; none where something is missing.
fn key(
    cell: usize,
    categories: Option<&[Option<usize>]>,
    covariates: &[Covariate],
    times: Option<&[f64]>,
) -> Option<Vec<u64>> {
    let mut key = Vec::new();
    if let Some(categories) = categories {
        key.push(categories[cell]? as u64);
    }
    for covariate in covariates {
        match &covariate.values {
            Values::Numbers(columns) => {
                for column in columns {
                    if column[cell].is_nan() {
                        return None;
                    }
                    // Zero has two signs.
                    key.push((column[cell] + 0.0).to_bits());
                }
            }
            Values::Place(places) => key.push(places[cell]? as u64),
        }
    }
    if let Some(times) = times {
        key.push(times[cell].to_bits());
    }
    Some(key)
}

fn label(
    category: Option<&String>,
    (covariates, cell): (&[Covariate], usize),
    compiled: &Compiled,
    on_the_way: bool,
    time: f64,
) -> String {
    let mut parts: Vec<String> = category.cloned().into_iter().collect();
    if parts.is_empty() {
        for covariate in covariates {
            let known = &compiled.model.parameters[covariate.parameter.index()];
            match &covariate.values {
                Values::Place(places) => {
                    let set = known.indices.first();
                    let set = set.map(|set| compiled.model.names.index_set(*set));
                    if let (Some(set), Some(place)) = (set, places[cell]) {
                        parts.push(set.label(place));
                    }
                }
                Values::Numbers(columns) => {
                    let mut told: Vec<String> = columns
                        .iter()
                        .enumerate()
                        .filter(|(_, column)| column[cell] != 0.0)
                        .map(|(at, column)| {
                            let name = compiled.model.element_name(&known.name, &known.indices, at);
                            format!("{name} = {}", number_text(column[cell]))
                        })
                        .collect();
                    if told.is_empty() {
                        told.push(format!("{} = 0", known.name));
                    }
                    parts.extend(told);
                }
            }
        }
    }
    if parts.is_empty() && !on_the_way {
        parts.push("all".to_owned());
    }
    if on_the_way && time.is_finite() {
        parts.push(format!("t = {}", number_text(time)));
    }
    parts.join(", ")
}

/// Cells, the group of each, and how they are looked at.
pub(super) struct Seen<'a> {
    pub file: &'a CellFile,
    pub cells: &'a Cells,
    pub of_cells: &'a [Option<usize>],
    pub look: &'a Look,
    /// The depth of each cell, where the look has one.
    pub depths: Option<Vec<f64>>,
    pub labels: &'a [String],
    pub span: Span,
}

impl Seen<'_> {
    /// The statistics of the state in groups, each in the part of its own that `parts` says, and what
    /// measuring adds to the variances.
    pub fn statistics(
        &self,
        parts: &[usize],
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(Statistics, Vec<f64>), Diagnostic> {
        let genes = self.cells.columns();
        let is_plain = self.look.is_plain();
        let mut sums = vec![0.0; genes];
        let mut accumulator = Accumulator::new(genes, parts);
        let mut lines = self.cells.lines::<f64>(Axis::Rows);
        let mut from = 0;
        let (mut groups, mut rows) = (Vec::with_capacity(BLOCK), Vec::new());
        while from < self.cells.rows() {
            let block = lines.block(BLOCK);
            let count = block.len() / genes.max(1);
            if count == 0 {
                break;
            }
            groups.clear();
            rows.clear();
            let own = self.of_cells.get(from..from + count).unwrap_or_default();
            for (at, (row, group)) in block.chunks_exact(genes).zip(own).enumerate() {
                let Some(group) = group else { continue };
                groups.push(*group);
                rows.extend_from_slice(row);
                if !is_plain {
                    let begin = rows.len() - genes;
                    let cell = rows.get_mut(begin..).unwrap_or_default();
                    self.turn(from + at, cell, &mut sums)?;
                }
            }
            accumulator
                .take(&groups, &rows, interrupted)
                .map_err(|refused| self.refusal(refused, from))?;
            from += count;
        }
        let statistics = accumulator.finish();
        let variances = self.look.variances(&sums, statistics.cells());
        Ok((statistics, variances))
    }

    fn turn(&self, cell: usize, row: &mut [f64], sums: &mut [f64]) -> Result<(), Diagnostic> {
        let depth = self.depths.as_ref().map_or(1.0, |depths| depths[cell]);
        if !(depth.is_finite() && depth > 0.0) {
            let message = format!("{} has the depth {depth}", self.file.cell_name(cell));
            return Err(Diagnostic::new(Code::BadDatum, message)
                .at(self.span, "a depth is a positive number"));
        }
        self.look.turn(depth, row, sums).map_err(|(at, seen)| {
            let gene = self.labels.get(at).map_or("", String::as_str);
            let name = self.file.cell_name(cell);
            let message = format!("{seen} is no count: `{gene}` of {name}");
            Diagnostic::new(Code::BadDatum, message)
                .at(self.span, "counts are whole numbers, 0 or more")
                .help("take the matrix of counts, as in `layer \"counts\"`; numbers that were scaled or smoothed are seen by `normal`")
        })
    }

    /// Why cells were not taken, of a block that begins at one of them.
    fn refusal(&self, refused: Refused, from: usize) -> Diagnostic {
        match refused {
            Refused::Interrupted => {
                Diagnostic::new(Code::Interrupted, "the cells were not read to the end")
                    .at(self.span, "")
            }
            Refused::NotFinite(_) => self.not_finite(from),
            _ => {
                Diagnostic::new(Code::CannotFit, "the cells do not fit the model").at(self.span, "")
            }
        }
    }

    /// The first number that is none, from a cell on.
    fn not_finite(&self, from: usize) -> Diagnostic {
        let used = |cell: &usize| self.of_cells.get(*cell).is_some_and(Option::is_some);
        let mut places = (from..self.cells.rows())
            .filter(used)
            .flat_map(|cell| (0..self.cells.columns()).map(move |gene| (cell, gene)));
        let found = places.find(|(cell, gene)| !self.cells.at(*cell, *gene).is_finite());
        let Some((cell, gene)) = found else {
            return Diagnostic::new(
                Code::EmptyCell,
                "the cells have a number that is not finite",
            )
            .at(self.span, "");
        };
        let what = match self.cells.at(cell, gene).is_nan() {
            true => "missing",
            false => "infinite",
        };
        let gene = self.labels.get(gene).map_or("", String::as_str);
        let name = self.file.cell_name(cell);
        let message = format!("`{gene}` of {name} is {what}");
        Diagnostic::new(Code::EmptyCell, message)
            .at(self.span, "every gene of every cell has a number")
            .help("leave the cell or the gene out, or fill what is missing")
    }
}
