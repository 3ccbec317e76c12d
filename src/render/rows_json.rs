//! Linear parts at the rows of a table as JSON: schema `lotka-rows-1`.

use crate::session::{NoForm, RowsAnswer, Way, summary};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Rows<'a> {
    schema: &'static str,
    model: &'a str,
    file: &'a str,
    layer: Option<&'a str>,
    by: Option<&'a str>,
    condition: Option<&'a str>,
    names: Vec<String>,
    route: &'static str,
    why: Option<&'static str>,
    entries: usize,
    feedback: usize,
    largest_block: usize,
    quantities: Vec<String>,
    groups: Vec<Group<'a>>,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Group<'a> {
    /// None for rows without a group, and without groups for all rows.
    name: Option<&'a str>,
    rows: usize,
    /// The values of the condition of this name held.
    condition: bool,
    stable: Option<usize>,
    summaries: BTreeMap<String, Lies>,
}

#[derive(Serialize)]
struct Lies {
    count: usize,
    median: Option<f64>,
    quartiles: Option<(f64, f64)>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    group: Option<&'a str>,
    found: bool,
    leading: Option<(f64, f64)>,
    positive: Option<usize>,
    negative: Option<usize>,
    trace: Option<f64>,
    rotation: Option<f64>,
    elements: Option<&'a [f64]>,
}

/// One line; numbers with every digit. `elements` are in the order of the last `quantities`.
#[must_use]
pub fn rows(answer: &RowsAnswer) -> String {
    let told = &answer.told;
    let (route, why) = match told.way {
        Way::Network => ("network", None),
        Way::Terms => ("terms", None),
        Way::Jacobian(NoForm::States) => ("jacobian", Some("states")),
        Way::Jacobian(NoForm::Matrix) => ("jacobian", Some("matrix")),
    };
    let all = Rows {
        schema: "lotka-rows-1",
        model: answer.compiled.model.name.as_deref().unwrap_or(""),
        file: &answer.data.file.text,
        layer: answer.data.layer.as_deref(),
        by: answer.data.by.as_deref(),
        condition: answer.condition.as_deref(),
        names: answer.compiled.state_names(),
        route,
        why,
        entries: told.entries,
        feedback: told.feedback,
        largest_block: told.largest,
        quantities: (answer.quantities().into_iter())
            .map(|quantity| quantity.label)
            .collect(),
        groups: groups(answer),
        rows: (0..answer.data.rows()).map(|at| row(answer, at)).collect(),
    };
    serde_json::to_string(&all).unwrap_or_default()
}

fn groups(answer: &RowsAnswer) -> Vec<Group<'_>> {
    let columns: Vec<(String, Vec<f64>)> = (answer.quantities().into_iter())
        .map(|quantity| (quantity.label, answer.column(quantity.measure)))
        .collect();
    let known = answer.groups();
    let groups = match known.is_empty() {
        true => vec![(None, None)],
        false => (known.into_iter())
            .map(|(group, name)| (group, group.map(|_| name)))
            .collect(),
    };
    let one = |(group, name): (Option<usize>, Option<&'_ str>)| {
        let rows = answer.rows_of(group);
        let lies = columns.iter().map(|(label, column)| {
            let known = summary(column, &rows);
            let lies = Lies {
                count: known.count,
                median: (!known.median.is_nan()).then_some(known.median),
                quartiles: known.quartiles,
            };
            (label.clone(), lies)
        });
        Group {
            name: name.and(
                group
                    .and_then(|at| answer.data.groups.get(at))
                    .map(String::as_str),
            ),
            rows: rows.len(),
            condition: group.is_some_and(|at| answer.conditions.get(at) == Some(&true)),
            stable: answer.spectrum.then(|| answer.stable(&rows).0),
            summaries: lies.collect(),
        }
    };
    groups.into_iter().map(one).collect()
}

fn row(answer: &RowsAnswer, at: usize) -> Row<'_> {
    let linear = answer.linear(at);
    let of_spectrum = linear.filter(|_| answer.spectrum);
    Row {
        name: answer.data.names.get(at).map_or("", String::as_str),
        group: answer.data.group(at),
        found: linear.is_some(),
        leading: of_spectrum.and_then(|linear| {
            let leading = linear.leading?;
            Some((leading.re, leading.im))
        }),
        positive: of_spectrum.map(|linear| linear.positive),
        negative: of_spectrum.map(|linear| linear.negative),
        trace: linear.map(|linear| linear.shape.trace),
        rotation: linear.map(|linear| linear.shape.rotation),
        elements: linear.map(|linear| linear.elements.as_slice()),
    }
}
