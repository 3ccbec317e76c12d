//! A start from moments, in closed form but for linear least squares.
//!
//! Enters: cells, masks. Leaves: the masks with better values of their free entries. Must not know
//! how a search goes on.

use super::free_drift::balanced;
use super::likelihood::scale_columns;
use super::problem::{Cells, Design};
use crate::linalg::products::{Cholesky, product, turned};

/// The design with a start from moments, where every entry of A is free, C is held and reaches all
/// genes, S comes from noise and cells are at rest. A has the covariance within groups, and is stable
/// whatever that is; A m_k + B x_k are as small as they can be. `None` elsewhere.
#[must_use]
pub fn matched_start(
    cells: &Cells,
    design: &Design,
    interrupted: &dyn Fn() -> bool,
) -> Option<Design> {
    let is_free = design.drift.free.iter().all(|free| *free);
    if !cells.fits(design) || !is_free || cells.base.is_some() || !cells.times.is_empty() {
        return None;
    }
    let noise = &design.noise.values;
    let diffusion = product(noise, turned(noise));
    Cholesky::new(diffusion.clone()).ok()?;
    let factor = Cholesky::new(cells.scatter.clone()).ok()?;
    let weights = cells
        .counts
        .iter()
        .map(|count| (count / cells.total).sqrt());
    let weights: Vec<f64> = weights.collect();
    let (mut means, mut inputs) = (cells.means.clone(), cells.inputs.clone());
    scale_columns(&mut means, &weights);
    scale_columns(&mut inputs, &weights);
    let input = (&design.input.values, design.input.free.as_slice());
    let found = balanced(diffusion, &factor, (&means, &inputs), input, interrupted).ok()?;
    let mut out = design.clone();
    (out.drift.values, out.input.values) = found;
    Some(out)
}
