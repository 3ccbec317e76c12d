//! Newton directions across signs.
//!
//! While entries still become zero or leave it, a Newton step within an orthant is stopped again and
//! again. So the quadratic model with the Fisher information F and with w |x| as it is,
//!
//! ```text
//! min over d of g^T d + d^T F d/2 + sum w |x + d|,
//! ```
//!
//! is minimised by proximal gradients with momentum (A. Beck, M. Teboulle, SIAM J. Imaging Sci. 2, 183,
//! 2009) that is given up where it leads astray (B. O'Donoghue, E. Candes, Found. Comput. Math. 15,
//! 715, 2015), in the scale of the diagonal of F; a step along d then changes all signs at once (J. D.
//! Lee, Y. Sun, M. A. Saunders, SIAM J. Optim. 24, 1420, 2014).
//!
//! Enters: a task at a place. Leaves: directions. Must not know how far to go.

use super::likelihood::information_product;
use super::problem::Fault;
use super::search::{Options, Path, Place, Task, dot};

/// The model is minimised until its steps are this part of the first: more does not pay, for the next
/// model is another.
const LOOSE: f64 = 0.2;
/// The bound on F in the scale of its diagonal: at least, how it grows, and what of it is tried next time.
const LEAST_BOUND: f64 = 2.0;
const GROWTH: f64 = 1.5;
const KEPT: f64 = 0.7;

/// d and F d.
#[derive(Clone)]
struct Change {
    d: Vec<f64>,
    image: Vec<f64>,
}

impl Change {
    /// This and `part` times what leads here from `before`.
    fn beyond(&self, before: &Change, part: f64) -> Change {
        let beyond = |to: &[f64], from: &[f64]| {
            let pairs = to.iter().zip(from);
            pairs.map(|(to, from)| to + part * (to - from)).collect()
        };
        Change {
            d: beyond(&self.d, &before.d),
            image: beyond(&self.image, &before.image),
        }
    }
}

impl Task<'_> {
    /// The direction to the minimum of the model.
    pub(super) fn across(
        &mut self,
        place: &Place,
        slopes: &[f64],
        (diagonal, damping): (&[f64], f64),
        options: &Options,
    ) -> Result<Path, Fault> {
        let scale: Vec<f64> = diagonal.iter().map(|entry| entry + damping).collect();
        let mut bound = (KEPT * self.bound).max(LEAST_BOUND);
        let nothing = Change {
            d: vec![0.0; scale.len()],
            image: vec![0.0; scale.len()],
        };
        let (mut here, mut from) = (nothing.clone(), nothing);
        let mut momentum = 1.0_f64;
        let mut first = None;
        for _ in 0..options.products {
            let d = self.shrunk(place, slopes, &from, (&scale, bound));
            let next = self.with_image(place, d, damping)?;
            let step = difference(&next.d, &from.d);
            let length = weighed(&step, &step, &scale);
            if dot(&step, &difference(&next.image, &from.image)) > bound * length {
                bound *= GROWTH;
                continue;
            }
            let onward = difference(&next.d, &here.d);
            let is_astray = weighed(&step, &onward, &scale) < 0.0;
            let size = bound * length.sqrt();
            let is_enough = size <= LOOSE * *first.get_or_insert(size);
            let grown = 0.5 * (1.0 + (1.0 + 4.0 * momentum * momentum).sqrt());
            let (part, grown) = match is_astray {
                true => (0.0, 1.0),
                false => ((momentum - 1.0) / grown, grown),
            };
            momentum = grown;
            from = next.beyond(&here, part);
            here = next;
            if is_enough {
                break;
            }
        }
        self.bound = bound;
        let fall = self.promised(place, slopes, &here.d);
        let direction = here.d;
        Ok(Path::Across { direction, fall })
    }

    /// A proximal step from a change: x + d.
    fn shrunk(
        &self,
        place: &Place,
        slopes: &[f64],
        from: &Change,
        (scale, bound): (&[f64], f64),
    ) -> Vec<f64> {
        let starts = place.x.iter().zip(&from.d);
        let slopes = slopes.iter().zip(&from.image);
        let all = starts.zip(slopes).zip(&self.weights).zip(scale);
        all.map(|((((x, d), (slope, image)), w), scale)| {
            let free = x + d - (slope + image) / (bound * scale);
            free.signum() * (free.abs() - w / (bound * scale)).max(0.0) - x
        })
        .collect()
    }

    fn with_image(&mut self, place: &Place, d: Vec<f64>, damping: f64) -> Result<Change, Fault> {
        self.products += 1;
        let change = self.design.unpacked(&d, &place.point.zeros_like());
        let (cells, own) = (self.cells, &place.moments);
        let image = information_product(cells, &place.point, own, &change, self.interrupted)?;
        let mut image = self.design.packed(&image);
        for ((image, d), ridge) in image.iter_mut().zip(&d).zip(&self.ridges) {
            *image += ridge.max(damping) * d;
        }
        Ok(Change { d, image })
    }

    /// By how much slopes and w |x| say that the value changes: negative.
    fn promised(&self, place: &Place, slopes: &[f64], d: &[f64]) -> f64 {
        let all = place.x.iter().zip(d).zip(slopes).zip(&self.weights);
        all.map(|(((x, d), slope), w)| slope * d + w * ((x + d).abs() - x.abs()))
            .sum()
    }
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn weighed(a: &[f64], b: &[f64], scale: &[f64]) -> f64 {
    let all = a.iter().zip(b).zip(scale);
    all.map(|((a, b), scale)| a * b * scale).sum()
}
