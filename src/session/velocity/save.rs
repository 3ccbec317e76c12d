//! `save velocity to "velocity.csv"` and `save lines to "genes.csv"`.
//!
//! Enters: the last lines. Leaves: a table, or a layer and columns for a file of cells. Must not know
//! how lines are found.

use super::super::Session;
use super::super::command::Save;
use super::super::outcome::Performed;
use super::{VelocityAnswer, unfitted};
use crate::diagnostic::Diagnostic;
use crate::fit::velocity::{self, OfCells};
use crate::table::Cells;
use crate::table::cells::{Numbers, Real};

/// The name of the layer.
pub const LAYER: &str = "velocity";
/// The name of the column that says which lines are to be trusted.
pub const TRUSTED: &str = "trusted";

impl Session {
    /// A row for each gene.
    pub(in crate::session) fn save_lines(&self, save: &Save) -> Result<Performed, Vec<Diagnostic>> {
        let answer = self.need_lines(save.span)?;
        let mut columns = columns_of_lines(answer);
        let trusted = answer.trusted.iter();
        let trusted = trusted.map(|good| f64::from(u8::from(*good)));
        columns.push((TRUSTED, trusted.collect()));
        let set = answer
            .lines
            .set
            .map(|id| answer.compiled.model.names.index_set(id).name.clone());
        let mut headers = vec![set.unwrap_or_else(|| "observed".to_owned())];
        headers.extend(columns.iter().map(|(name, _)| (*name).to_owned()));
        let mut cells = vec![Cells::Text(&answer.labels)];
        cells.extend(columns.iter().map(|(_, numbers)| Cells::Numbers(numbers)));
        self.write_cells_to(&save.path, &headers, &cells, answer.genes.len())
    }

    /// Cells by genes.
    pub(in crate::session) fn save_velocity(
        &self,
        save: &Save,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let answer = self.need_lines(save.span)?;
        let mut columns: Vec<Vec<f64>> = Vec::with_capacity(answer.genes.len());
        let world = &**self.world();
        let mut take = |_: usize, own: &[f64]| columns.push(own.to_vec());
        velocity::velocities(answer.counts(), &answer.genes, &mut take, &|| {
            world.interrupted()
        })
        .map_err(|unfit| vec![unfitted(unfit, save.span)])?;
        let cells: Vec<Cells<'_>> = columns
            .iter()
            .map(|column| Cells::Numbers(column))
            .collect();
        self.write_cells_to(&save.path, &answer.labels, &cells, answer.cells())
    }
}

/// What is known of each line, under its names.
pub(in crate::session) fn columns_of_lines(answer: &VelocityAnswer) -> Vec<(&str, Vec<f64>)> {
    let genes = &answer.genes;
    let numbers = |of: &dyn Fn(&velocity::Gene) -> f64| genes.iter().map(of).collect::<Vec<f64>>();
    vec![
        (
            answer.name_of(answer.lines.slope),
            numbers(&|gene| gene.slope),
        ),
        (
            answer.offset_name().unwrap_or("offset"),
            numbers(&|gene| gene.intercept),
        ),
        ("r_squared", numbers(&|gene| gene.r_squared)),
        ("cells", numbers(&|gene| gene.extreme as f64)),
    ]
}

/// Velocities of the next cells, in the places of their genes among those of a file; the others are
/// no numbers. As precise as the counts.
pub(in crate::session) fn next_rows(
    velocities: &mut OfCells<'_>,
    (places, genes): (&[usize], usize),
    (cells, is_single): (usize, bool),
) -> Numbers {
    fn spread<T: Real>(own: &[f64], places: &[usize], genes: usize) -> Vec<T> {
        let width = places.len().max(1);
        let mut rows = vec![T::nearest(f64::NAN); own.len() / width * genes];
        for (row, own) in rows
            .chunks_exact_mut(genes.max(1))
            .zip(own.chunks_exact(width))
        {
            for (place, number) in places.iter().zip(own) {
                row[*place] = T::nearest(*number);
            }
        }
        rows
    }
    let own = velocities.next(cells);
    match is_single {
        true => Numbers::Single(spread(&own, places, genes)),
        false => Numbers::Double(spread(&own, places, genes)),
    }
}
