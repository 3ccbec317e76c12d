//! `save velocity to "out.h5ad"` and `save lines to "genes.csv"`.
//!
//! Enters: the last lines. Leaves: a copy of the file of counts with the layer `velocity`, or a
//! table; all at once or not at all. Must not know how lines are found.

use super::super::command::Save;
use super::super::outcome::{Outcome, Performed};
use super::super::save::cannot_write;
use super::super::tables::{Original, Tables};
use super::super::{Session, cells::is_anndata, done};
use super::{VelocityAnswer, counts, unfitted};
use crate::diagnostic::{Code, Diagnostic};
use crate::fit::velocity;
use crate::table::Cells;
use crate::table::cells::Numbers;
use crate::table::h5ad::{self, Added, H5ad, H5adError, Taken};
use std::io;
use std::path::{Path, PathBuf};

/// The name of the layer.
pub const LAYER: &str = "velocity";

impl Session {
    /// A row for each gene.
    pub(in crate::session) fn save_lines(&self, save: &Save) -> Result<Performed, Vec<Diagnostic>> {
        let answer = self.need_lines(save.span)?;
        if is_anndata(&save.path.text) {
            return Err(vec![
                Diagnostic::new(Code::CannotWrite, "lines are written as a table")
                    .at(save.path.span, "this is for cells by genes")
                    .help("as in `save lines to \"genes.csv\"`"),
            ]);
        }
        let genes = &answer.genes;
        let numbers =
            |of: &dyn Fn(&velocity::Gene) -> f64| genes.iter().map(of).collect::<Vec<f64>>();
        let columns = [
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
            (
                "trusted",
                answer
                    .trusted
                    .iter()
                    .map(|good| f64::from(u8::from(*good)))
                    .collect(),
            ),
        ];
        let set = answer
            .lines
            .set
            .map(|id| answer.compiled.model.names.index_set(id).name.clone());
        let mut headers = vec![set.unwrap_or_else(|| "observed".to_owned())];
        headers.extend(columns.iter().map(|(name, _)| (*name).to_owned()));
        let mut cells = vec![Cells::Text(&answer.labels)];
        cells.extend(columns.iter().map(|(_, numbers)| Cells::Numbers(numbers)));
        self.write_cells_to(&save.path, &headers, &cells, genes.len())
    }

    /// Cells by genes.
    pub(in crate::session) fn save_velocity(
        &self,
        save: &Save,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let answer = self.need_lines(save.span)?;
        if is_anndata(&save.path.text) {
            return self.save_layer(answer, save);
        }
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

    /// A copy of the file of counts; genes without a line have no numbers.
    fn save_layer(
        &self,
        answer: &VelocityAnswer,
        save: &Save,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let source = &answer.data.path;
        if !is_anndata(&source.text) {
            return Err(vec![
                Diagnostic::new(
                    Code::CannotWrite,
                    "velocities of a table are written as a table",
                )
                .at(save.path.span, "a copy of what?")
                .at(source.span, "the counts came from here")
                .help("as in `save velocity to \"velocity.csv\"`"),
            ]);
        }
        let world = &**self.world();
        let original = Tables::new(world, self.data_folder()).original(source);
        let original = original.map_err(|problem| vec![problem])?;
        let path = PathBuf::from(&save.path.text);
        let (mut genes, mut refused) = (0, None);
        let written = world.write_made(&path, &mut |place| {
            match &original {
                Original::OnDisk(source) => std::fs::copy(source, place).map(|_| ())?,
                Original::InMemory(bytes) => std::fs::write(place, bytes)?,
            }
            let taken = match world.overwrites() {
                true => Taken::Replaced,
                false => Taken::Kept,
            };
            match add_layer(answer, (place, taken, save), &|| world.interrupted()) {
                Ok(count) => {
                    genes = count;
                    Ok(())
                }
                Err(problem) => {
                    refused = Some(problem);
                    Err(io::Error::other("no layer"))
                }
            }
        });
        match (written, refused) {
            (Ok(()), _) => {}
            (Err(_), Some(problem)) => return Err(vec![problem]),
            (Err(error), None) => {
                return Err(vec![cannot_write(&path, &error).at(save.path.span, "")]);
            }
        }
        self.write_stamp(&save.path)?;
        Ok(done(Outcome::SavedLayer {
            path,
            layer: LAYER,
            cells: answer.cells(),
            genes,
        }))
    }
}

/// Adds the layer to a copy of the file of counts; how many genes it has.
fn add_layer(
    answer: &VelocityAnswer,
    (place, taken, save): (&Path, Taken, &Save),
    interrupted: &dyn Fn() -> bool,
) -> Result<usize, Diagnostic> {
    let changed = || {
        Diagnostic::new(
            Code::BadAnnData,
            "the file of counts is not what it was when the lines were fitted",
        )
        .at(answer.data.path.span, "this file")
        .at(save.span, "")
        .help("fit once more")
    };
    let file = H5ad::open(place).map_err(|_| changed())?;
    let places = counts::places(&file, &answer.labels).ok_or_else(changed)?;
    let (cells, genes) = (file.cells(), file.genes());
    drop(file);
    if cells != answer.cells() {
        return Err(changed());
    }
    let layer =
        layer(answer, (&places, genes), interrupted).map_err(|unfit| unfitted(unfit, save.span))?;
    h5ad::add(place, LAYER, Added::Layer(&layer), taken)
        .map_err(|error| not_added(&error, save))?;
    Ok(genes)
}

/// Velocities in the places of their genes among those of the file; the others are no numbers.
fn layer(
    answer: &VelocityAnswer,
    (places, genes): (&[usize], usize),
    interrupted: &dyn Fn() -> bool,
) -> Result<Numbers, velocity::Unfit> {
    let cells = answer.cells();
    let is_single = answer.spliced.is_single() && answer.unspliced.is_single();
    let mut numbers = match is_single {
        true => Numbers::Single(vec![f32::NAN; cells * genes]),
        false => Numbers::Double(vec![f64::NAN; cells * genes]),
    };
    let mut take = |gene: usize, own: &[f64]| {
        let place = places.get(gene).copied().unwrap_or(genes);
        match &mut numbers {
            Numbers::Single(all) => {
                let column = all.iter_mut().skip(place).step_by(genes.max(1));
                #[expect(clippy::cast_possible_truncation, reason = "as precise as the counts")]
                column.zip(own).for_each(|(cell, own)| *cell = *own as f32);
            }
            Numbers::Double(all) => {
                let column = all.iter_mut().skip(place).step_by(genes.max(1));
                column.zip(own).for_each(|(cell, own)| *cell = *own);
            }
        }
    };
    velocity::velocities(answer.counts(), &answer.genes, &mut take, interrupted)?;
    Ok(numbers)
}

fn not_added(error: &H5adError, save: &Save) -> Diagnostic {
    let problem = Diagnostic::new(
        Code::CannotWrite,
        format!("the layer `{LAYER}` cannot be added: {error}"),
    )
    .at(save.path.span, "nothing was written");
    match error {
        H5adError::Name { .. } => problem.help(format!(
            "the file of counts has {} already: start lotka with `--force` to replace it in what is written, or write a table, as in `save velocity to \"velocity.csv\"`",
            counts::layer_path(LAYER)
        )),
        _ => problem,
    }
}
