//! Vectors and matrices that belong to no run: parameters, and definitions made of parameters alone.
//!
//! Enters: an expression. Leaves: its numbers with the labels of its index sets; as a table, or as a
//! picture of what acts on what. Must not know what the numbers mean.

use super::command::{Plot, Save};
use super::compiled::Compiled;
use super::outcome::{Outcome, Performed};
use super::{Session, done, values};
use crate::diagnostic::{Code, Diagnostic};
use crate::figure::{Axis, Figure, Mark, Note, Scale, Series};
use crate::model::{Entity, IndexSetId};
use crate::symbolic::Shape;
use crate::syntax::tree::{self, ExprKind};
use crate::table::Cells;
use std::f64::consts::TAU;
use std::path::PathBuf;

/// Arrows in a picture; of more the strongest are drawn.
const MOST_ARROWS: usize = 80;
/// Entries smaller than this beside the largest are not drawn.
const LEAST: f64 = 0.1;
/// Up to so many nodes all are drawn, also those without arrows.
const ALL_NODES: usize = 40;
/// Steps that spread the nodes.
const STEPS: usize = 300;

/// A vector or matrix with labels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Labelled {
    pub name: String,
    /// The name of the set of rows, and its members.
    pub set: String,
    pub rows: Vec<String>,
    /// Members of the set of columns; none for a vector.
    pub columns: Option<Vec<String>>,
    /// Both sets are one.
    pub is_square: bool,
    /// Column by column.
    pub numbers: Vec<f64>,
}

/// True for the name of a vector or matrix that is the same throughout a run.
pub(super) fn is_constant_array(compiled: &Compiled, expr: &tree::Expr, least: usize) -> bool {
    sets(compiled, expr).is_some_and(|sets| sets.len() >= least)
}

/// The index sets of such a name.
fn sets<'c>(compiled: &'c Compiled, expr: &tree::Expr) -> Option<&'c [IndexSetId]> {
    let ExprKind::Reference(reference) = &expr.kind else {
        return None;
    };
    if !reference.indices.is_empty() {
        return None;
    }
    let names = &compiled.model.names;
    let name = &reference.name.text;
    let is_constant = match names.get(name)? {
        Entity::Parameter(_) => true,
        Entity::Definition(id) => !names.varies(id),
        _ => false,
    };
    let sets = names.indices(name);
    (is_constant && !sets.is_empty()).then_some(sets)
}

/// Refuses columns with names that the model has not: they are none after a run either.
pub(super) fn known(compiled: &Compiled, columns: &[tree::Expr]) -> Result<(), Vec<Diagnostic>> {
    let problems = columns
        .iter()
        .filter_map(|column| compiled.observable(column).err());
    let problems: Vec<Diagnostic> = problems.flatten().collect();
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems),
    }
}

/// `save A to "A.csv"`, `plot A`: of one matrix.
pub(super) fn only_matrix<'e>(
    compiled: &Compiled,
    exprs: impl IntoIterator<Item = &'e tree::Expr>,
    least: usize,
) -> Option<&'e tree::Expr> {
    let mut exprs = exprs.into_iter();
    let only = exprs.next().filter(|_| exprs.next().is_none())?;
    is_constant_array(compiled, only, least).then_some(only)
}

/// The matrix that a plot is of.
pub(super) fn plotted<'p>(compiled: &Compiled, plot: &'p Plot) -> Option<&'p tree::Expr> {
    let plain = plot.data.is_none() && plot.curves.iter().all(|one| one.versus.is_none());
    let exprs = plot.curves.iter().map(|subject| &subject.value);
    plain.then(|| only_matrix(compiled, exprs, 2))?
}

impl Session {
    /// The vector or matrix that a table is asked of.
    pub(super) fn saved_matrix<'s>(&self, save: &'s Save) -> Option<&'s tree::Expr> {
        let compiled = &self.loaded.as_ref()?.compiled;
        only_matrix(compiled, &save.columns, 1)
    }

    /// A table with labels, which `read` reads.
    pub(super) fn save_matrix(
        &self,
        expr: &tree::Expr,
        save: &Save,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let found = self.labelled(expr)?;
        let rows = found.rows.len();
        let mut headers = vec![found.set.clone()];
        match &found.columns {
            Some(columns) => headers.extend(columns.iter().cloned()),
            None => headers.push(found.name.clone()),
        }
        let mut cells = vec![Cells::Text(&found.rows)];
        cells.extend(found.numbers.chunks_exact(rows.max(1)).map(Cells::Numbers));
        self.write_cells_to(&save.path, &headers, &cells, rows)
    }

    pub(super) fn labelled(&self, expr: &tree::Expr) -> Result<Labelled, Vec<Diagnostic>> {
        let compiled = &self.need_model()?.compiled;
        let observable = compiled.observable(expr)?;
        let present = compiled.present(&self.overrides);
        let point = values::Point {
            time: compiled.model.time.start,
            state: &present.initial,
            parameters: &present.parameters,
            slots: &[],
        };
        let numbers =
            values::evaluate_at(&observable.pool, &compiled.system, observable.expr, &point);
        let sets = sets(compiled, expr).unwrap_or_default();
        let names = &compiled.model.names;
        let members = |set: &IndexSetId| {
            let set = names.index_set(*set);
            (0..set.len()).map(|at| set.label(at)).collect::<Vec<_>>()
        };
        Ok(Labelled {
            name: observable.label,
            set: sets
                .first()
                .map_or_else(String::new, |set| names.index_set(*set).name.clone()),
            rows: sets.first().map_or_else(Vec::new, members),
            columns: match observable.shape {
                Shape::Matrix(..) => sets.get(1).map(members),
                _ => None,
            },
            is_square: sets.len() == 2 && sets.first() == sets.get(1),
            numbers,
        })
    }

    /// What acts on what: an arrow from the column to the row of each entry off the diagonal.
    pub(super) fn plot_matrix(
        &self,
        expr: &tree::Expr,
        plot: &Plot,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let found = self.labelled(expr)?;
        if !found.is_square {
            return Err(vec![
                Diagnostic::new(
                    Code::CannotDraw,
                    "only a square matrix is drawn as a network",
                )
                .at(expr.span, "its rows and columns are of different sets")
                .help("`save` writes any matrix as a table"),
            ]);
        }
        let mut figure = network(&found);
        if let Some(title) = &plot.title {
            figure.title.clone_from(title);
        }
        Ok(done(Outcome::Figure {
            figure,
            to: plot.to.as_ref().map(|text| PathBuf::from(&text.text)),
        }))
    }
}

/// An arrow of a network.
#[derive(Clone, Copy)]
struct Edge {
    from: usize,
    to: usize,
    weight: f64,
}

fn network(matrix: &Labelled) -> Figure {
    let n = matrix.rows.len();
    let mut edges: Vec<Edge> = matrix
        .numbers
        .iter()
        .enumerate()
        .map(|(at, weight)| Edge {
            from: at / n.max(1),
            to: at % n.max(1),
            weight: *weight,
        })
        .filter(|edge| edge.from != edge.to && edge.weight != 0.0 && edge.weight.is_finite())
        .collect();
    edges.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    let all = edges.len();
    let least = edges.first().map_or(0.0, |edge| LEAST * edge.weight.abs());
    edges.retain(|edge| edge.weight.abs() >= least);
    edges.truncate(MOST_ARROWS);
    let shown: Vec<usize> = (0..n)
        .filter(|node| {
            n <= ALL_NODES
                || edges
                    .iter()
                    .any(|edge| edge.from == *node || edge.to == *node)
        })
        .collect();
    let places = places(n, &shown, &edges);
    let sign = |positive: bool| {
        let own = edges
            .iter()
            .filter(move |edge| (edge.weight > 0.0) == positive);
        let mut strokes = [Strokes::default(), Strokes::default()];
        for edge in own {
            arrow(places[edge.from], places[edge.to], &mut strokes);
        }
        strokes
    };
    let title = match all > edges.len() {
        true => format!(
            "{}: the {} largest of {all} entries",
            matrix.name,
            edges.len()
        ),
        false => String::new(),
    };
    let mut series = Vec::new();
    for (positive, label, mark) in [
        (true, "raises", Mark::Line),
        (false, "lowers", Mark::Dashed),
    ] {
        let colour = usize::from(!positive);
        let parts = [(label.to_owned(), mark), (String::new(), Mark::Line)];
        for (Strokes { x, y }, (label, mark)) in sign(positive).into_iter().zip(parts) {
            if !x.is_empty() {
                series.push(Series {
                    label,
                    x,
                    y,
                    mark,
                    colour,
                });
            }
        }
    }
    let of =
        |axis: &dyn Fn((f64, f64)) -> f64| shown.iter().map(|node| axis(places[*node])).collect();
    series.push(Series {
        label: String::new(),
        x: of(&|place| place.0),
        y: of(&|place| place.1),
        mark: Mark::Filled,
        colour: 2,
    });
    let hidden = || Axis {
        scale: Scale::Hidden,
        range: Some((-1.25, 1.25)),
        ..Axis::default()
    };
    Figure {
        title,
        x: hidden(),
        y: hidden(),
        series,
        notes: shown
            .iter()
            .map(|node| Note {
                at: places[*node],
                text: matrix.rows[*node].clone(),
            })
            .collect(),
        ..Figure::default()
    }
}

/// Lines that are interrupted between them.
#[derive(Default)]
struct Strokes {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Strokes {
    fn add(&mut self, points: &[(f64, f64)]) {
        for point in points.iter().chain(&[(f64::NAN, f64::NAN)]) {
            self.x.push(point.0);
            self.y.push(point.1);
        }
    }
}

/// A line that ends before the nodes, and its head.
fn arrow(from: (f64, f64), to: (f64, f64), [line, head]: &mut [Strokes; 2]) {
    const ROOM: f64 = 0.06;
    const HEAD: f64 = 0.07;
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(1e-9);
    let (ux, uy) = (dx / length, dy / length);
    // Arrows there and back stand beside each other.
    let (sx, sy) = (-uy * 0.015, ux * 0.015);
    let tail = (from.0 + ux * ROOM + sx, from.1 + uy * ROOM + sy);
    let tip = (to.0 - ux * ROOM + sx, to.1 - uy * ROOM + sy);
    line.add(&[tail, tip]);
    let barb = |side: f64| {
        (
            tip.0 - HEAD * (0.9 * ux - side * 0.4 * uy),
            tip.1 - HEAD * (0.9 * uy + side * 0.4 * ux),
        )
    };
    head.add(&[barb(1.0), tip, barb(-1.0)]);
}

/// Places of nodes within the unit circle: from a circle on, those that are joined draw together and
/// all push each other away (T. Fruchterman, E. Reingold, Softw. Pract. Exp. 21, 1129, 1991).
fn places(n: usize, shown: &[usize], edges: &[Edge]) -> Vec<(f64, f64)> {
    let mut places = vec![(0.0, 0.0); n];
    let count = shown.len().max(1) as f64;
    for (turn, node) in shown.iter().enumerate() {
        let angle = TAU * (0.25 - turn as f64 / count);
        places[*node] = (angle.cos(), angle.sin());
    }
    if shown.len() < 5 {
        return places;
    }
    let ideal = 1.6 / count.sqrt();
    for step in 0..STEPS {
        let mut forces = vec![(0.0, 0.0); n];
        for (turn, a) in shown.iter().enumerate() {
            for b in shown.iter().skip(turn + 1) {
                let (dx, dy) = (places[*a].0 - places[*b].0, places[*a].1 - places[*b].1);
                let square = (dx * dx + dy * dy).max(1e-6);
                let (fx, fy) = (dx * ideal * ideal / square, dy * ideal * ideal / square);
                forces[*a] = (forces[*a].0 + fx, forces[*a].1 + fy);
                forces[*b] = (forces[*b].0 - fx, forces[*b].1 - fy);
            }
        }
        for edge in edges {
            let (a, b) = (places[edge.from], places[edge.to]);
            let (dx, dy) = (a.0 - b.0, a.1 - b.1);
            let pull = dx.hypot(dy) / ideal;
            forces[edge.from] = (
                forces[edge.from].0 - dx * pull,
                forces[edge.from].1 - dy * pull,
            );
            forces[edge.to] = (forces[edge.to].0 + dx * pull, forces[edge.to].1 + dy * pull);
        }
        let heat = 0.15 * (1.0 - step as f64 / STEPS as f64);
        for node in shown {
            let (fx, fy) = forces[*node];
            let size = fx.hypot(fy).max(1e-12);
            let move_by = size.min(heat) / size;
            places[*node] = (
                places[*node].0 + fx * move_by,
                places[*node].1 + fy * move_by,
            );
        }
    }
    fitted(&mut places, shown);
    places
}

/// Scales places so that they fill the square from -1 to 1.
fn fitted(places: &mut [(f64, f64)], shown: &[usize]) {
    let extent = |axis: &dyn Fn(&(f64, f64)) -> f64, places: &[(f64, f64)]| {
        let all = shown.iter().map(|node| axis(&places[*node]));
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
            (low.min(x), high.max(x))
        })
    };
    let (x, y) = (
        extent(&|place| place.0, places),
        extent(&|place| place.1, places),
    );
    let half = |(low, high): (f64, f64)| ((high - low) / 2.0).max(1e-9);
    for node in shown {
        let (px, py) = places[*node];
        places[*node] = (
            (px - f64::midpoint(x.0, x.1)) / half(x),
            (py - f64::midpoint(y.0, y.1)) / half(y),
        );
    }
}
