//! The maximum of the likelihood where all of A is free, C is held and cells are at rest: without A.
//!
//! With D = C C^T and A S = Q - D/2 for a skew Q, Y = S^-1 mu obeys (Q - D/2) Y = -B X. In S and Y
//! minus the log-likelihood of a cell is, with M = (n_k/n)^(1/2) m_k and T0 = W/n + M M^T,
//!
//! ```text
//! f = 1/2 (p log 2 pi + log det S + tr S^-1 T0 + tr Y^T S Y) - tr M^T Y,
//! ```
//!
//! and the best S for a Y is known: with the eigenvalues n_i and vectors E of Y^T T0 Y and
//! z_i = (1 + (1 + 4 n_i)^(1/2))/2,
//!
//! ```text
//! S = T0 - T0 Y E z^-2 E^T Y^T T0,    phi(Y) = sum (2 z_i - 2 - log z_i)/2 - tr M^T Y
//! ```
//!
//! is what remains of f, convex in Y. A skew Q exists for a Y of full column rank if and only if
//!
//! ```text
//! c(Y, B) = symmetric half of Y^T (B X - D Y/2) = 0.
//! ```
//!
//! So a convex function is to be made small under K (K + 1)/2 equations of second degree. Directions
//! of means that groups hardly tell apart make the problem in A as good as singular; here they
//! only make c flat. Newton steps along c = 0 come to the minimum in a few steps, by conjugate
//! gradients that are projected (N. Gould, M. Hribar, J. Nocedal, SIAM J. Sci. Comput. 23, 1376,
//! 2001) and kept in a trust region (T. Steihaug, SIAM J. Numer. Anal. 20, 626, 1983). A step along c = 0
//! is also a change of Q; with the new Q and B, Y = -(Q - D/2)^-1 B X, and no step leaves c = 0.
//!
//! ```text
//! saddle.rs    the slopes of c, projections, products with the Hessian
//! frame.rs     the smallest skew matrix with Q Y = w
//! recover.rs   A from Y, B and Q: of all that fit, the one with the smallest entries
//! ```
//!
//! Enters: cells, masks, a start. Leaves: the masks with A and B at the maximum, or nothing where this
//! way does not lead there. Must not know penalties.

mod frame;
mod recover;
mod saddle;

use super::centre::Centre;
use super::likelihood::{moments, scale_columns};
use super::problem::{Cells, Design};
use crate::linalg::products::{
    Cholesky, Lu, add_product, add_symmetric_product, inner, product, symmetric_eigen, turned,
};
use frame::Frame;
use nalgebra::DMatrix;
use saddle::Saddle;

/// What does not change. Groups are combined so that their inputs are independent and the squares of
/// all weights are in them.
struct Problem {
    /// D
    diffusion: DMatrix<f64>,
    /// T0 and its factor.
    second: DMatrix<f64>,
    factor: Cholesky,
    /// M, p by K.
    means: DMatrix<f64>,
    /// X, q by K.
    inputs: DMatrix<f64>,
    /// The free entries of B, by columns.
    free: Vec<(usize, usize)>,
    /// ridge/2 |B|^2 over the free entries is added.
    ridge: f64,
}

/// Y and B with what is known of phi there.
#[derive(Debug, Clone)]
struct Place {
    y: DMatrix<f64>,
    input: DMatrix<f64>,
    /// T0 Y
    shown: DMatrix<f64>,
    /// E and z.
    basis: DMatrix<f64>,
    z: Vec<f64>,
    /// phi with the ridge.
    value: f64,
}

/// A place on c = 0, with Q.
#[derive(Debug, Clone)]
struct Balanced {
    place: Place,
    turning: DMatrix<f64>,
}

/// Newton steps at most, with those not taken.
const MOST_STEPS: usize = 80;
/// Products with the Hessian at most in a step.
const MOST_PRODUCTS: usize = 400;
/// Conjugate gradients stop at this part of the gradient at first.
const LOOSEST: f64 = 0.1;
/// A step that keeps this part of what it promised lets the region grow; below the other it is not
/// taken.
const GOOD: f64 = 0.7;
const POOR: f64 = 0.05;
const GROWTH: f64 = 2.5;
const FALL: f64 = 0.3;
/// Combinations of inputs below this part of the largest (squared) are none.
const DEPENDENT: f64 = 1e-12;
/// Free entries of B at most: their information is formed.
const MOST_FREE: usize = 2000;
/// A ridge on B, and what the last step promises: at first, when it decides what the cells leave open; and
/// then, when it keeps that where it is and the rest does not feel it. Smaller promises are rounding.
const DECIDES: (f64, f64) = (1e-8, 1e-9);
const KEEPS: (f64, f64) = (1e-12, 1e-10);

/// What came of it.
pub(super) struct Nearer {
    /// The design with A and B at the maximum, or nearer to it.
    pub design: Design,
    /// Newton steps, with those not taken.
    pub steps: usize,
}

/// The design with A and B where the likelihood is greatest, or nearer to it, as far as it went
/// when interrupted; `None` where this way does not apply.
pub(super) fn maximum(
    cells: &Cells,
    design: &Design,
    interrupted: &dyn Fn() -> bool,
) -> Option<Nearer> {
    let applies = design.drift.free.iter().all(|free| *free)
        && design.noise.free.iter().all(|free| !free)
        && cells.base.is_none()
        && cells.times.is_empty()
        && cells.measured.is_empty();
    if !applies {
        return None;
    }
    // A combination of groups without a mean has no Y: away from zero, by a standard deviation.
    let spreads = cells.scatter.diagonal().map(f64::sqrt);
    let Some(centre) = Centre::of(cells, design, &spreads) else {
        return near(cells, design, interrupted);
    };
    let (cells, design) = (centre.cells(cells), centre.design(design));
    let mut found = near(&cells, &design, interrupted)?;
    let point = centre.back(found.design.start());
    (found.design.drift.values, found.design.input.values) = (point.drift, point.input);
    Some(found)
}

/// The same for cells that are where they should be.
fn near(cells: &Cells, design: &Design, interrupted: &dyn Fn() -> bool) -> Option<Nearer> {
    let mut problem = Problem::new(cells, design)?;
    let mut found = start(&problem, cells, design, interrupted)?;
    let mut steps = 0;
    for (ridge, last) in [DECIDES, KEEPS] {
        problem.ridge = ridge;
        found.place = problem.place(found.place.y, found.place.input)?;
        let (nearer, more) = descend(&problem, found, last, interrupted);
        found = nearer;
        steps += more;
    }
    let mut design = design.clone();
    design.drift.values = recover::drift(&problem, &found, interrupted)?;
    design.input.values = found.place.input;
    Some(Nearer { design, steps })
}

impl Problem {
    fn new(cells: &Cells, design: &Design) -> Option<Problem> {
        let weights = cells.counts.iter().map(|n| (n / cells.total).sqrt());
        let weights: Vec<f64> = weights.collect();
        let (mut means, mut inputs) = (cells.means.clone(), cells.inputs.clone());
        scale_columns(&mut means, &weights);
        scale_columns(&mut inputs, &weights);
        let mut second = cells.scatter.clone();
        add_symmetric_product(&mut second, 1.0, &means, turned(&means));
        // X = X' R with orthonormal rows of R: Y = Y' R, and only M R^T is seen of M.
        let (sizes, turn) = symmetric_eigen(&product(turned(&inputs), &inputs))?;
        let most = sizes.iter().copied().fold(0.0, f64::max);
        let kept =
            (0..sizes.len()).filter(|at| sizes.get(*at).is_some_and(|n| *n > DEPENDENT * most));
        let turn = turn.select_columns(&kept.collect::<Vec<usize>>());
        let genes = means.nrows();
        let free = design.input.free.iter().enumerate();
        let free: Vec<(usize, usize)> = free
            .filter(|(_, free)| **free)
            .map(|(at, _)| (at % genes, at / genes))
            .collect();
        if turn.ncols() == 0 || turn.ncols() > genes || free.len() > MOST_FREE {
            return None;
        }
        let noise = &design.noise.values;
        Some(Problem {
            diffusion: product(noise, turned(noise)),
            factor: Cholesky::new(second.clone()).ok()?,
            second,
            means: product(&means, &turn),
            inputs: product(&inputs, &turn),
            free,
            ridge: DECIDES.0,
        })
    }

    fn place(&self, y: DMatrix<f64>, input: DMatrix<f64>) -> Option<Place> {
        let shown = product(&self.second, &y);
        let (squares, basis) = symmetric_eigen(&symmetric(product(turned(&y), &shown)))?;
        let z = squares
            .iter()
            .map(|n| 0.5 * (1.0 + (1.0 + 4.0 * n.max(0.0)).sqrt()));
        let z: Vec<f64> = z.collect();
        let spectral: f64 = z.iter().map(|z| 2.0 * z - 2.0 - z.ln()).sum();
        let pushes: f64 = self.entries(&input).map(|entry| entry * entry).sum();
        let value = 0.5 * (spectral + self.ridge * pushes) - inner(&self.means, &y);
        value.is_finite().then_some(Place {
            y,
            input,
            shown,
            basis,
            z,
            value,
        })
    }

    /// c
    fn constraint(&self, y: &DMatrix<f64>, input: &DMatrix<f64>) -> DMatrix<f64> {
        let mut pushed = product(input, &self.inputs);
        add_product(&mut pushed, -0.5, &self.diffusion, y);
        symmetric(product(turned(y), &pushed))
    }

    /// The free entries of a matrix of the shape of B.
    fn entries<'a>(&'a self, input: &'a DMatrix<f64>) -> impl Iterator<Item = f64> + 'a {
        self.free.iter().map(|place| input[*place])
    }
}

impl Place {
    /// E f(z) E^T
    fn spectral(&self, f: impl Fn(f64) -> f64) -> DMatrix<f64> {
        let mut scaled = self.basis.clone();
        let factors: Vec<f64> = self.z.iter().map(|z| f(*z)).collect();
        scale_columns(&mut scaled, &factors);
        product(&scaled, turned(&self.basis))
    }
}

fn symmetric(matrix: DMatrix<f64>) -> DMatrix<f64> {
    (&matrix + matrix.transpose()) * 0.5
}

/// Y as the cells show it, brought to c = 0; where that does not succeed, Y of the design's A and B.
fn start(
    problem: &Problem,
    cells: &Cells,
    design: &Design,
    interrupted: &dyn Fn() -> bool,
) -> Option<Balanced> {
    let place = match shown(problem, cells, design, interrupted) {
        Some(place) => place,
        None => meant(problem, cells, design, interrupted)?,
    };
    let mut wanted = product(&problem.diffusion, &place.y) * 0.5;
    add_product(&mut wanted, -1.0, &place.input, &problem.inputs);
    let turning = Frame::new(problem, &place)?.smallest(wanted);
    Some(Balanced { place, turning })
}

/// Steps to c = 0 at most.
const MOST_BALANCING: usize = 12;
/// c counts as zero, beside its terms.
const BALANCED: f64 = 1e-14;

/// From the cells' Y to c = 0 by Newton steps, each the shortest.
fn shown(
    problem: &Problem,
    cells: &Cells,
    design: &Design,
    interrupted: &dyn Fn() -> bool,
) -> Option<Place> {
    let mut y = problem.means.clone();
    Cholesky::new(cells.scatter.clone()).ok()?.solve(&mut y);
    let mut place = problem.place(y, design.input.values.clone())?;
    for _ in 0..MOST_BALANCING {
        let saddle = Saddle::new(problem, &place).filter(|_| !interrupted())?;
        let c = problem.constraint(&place.y, &place.input);
        if c.norm() <= BALANCED * saddle.terms() {
            return Some(place);
        }
        let back = saddle.back(&c);
        place = problem.place(&place.y + back.y, &place.input + back.input)?;
    }
    None
}

/// Y of the design's A and B.
fn meant(
    problem: &Problem,
    cells: &Cells,
    design: &Design,
    interrupted: &dyn Fn() -> bool,
) -> Option<Place> {
    let point = design.start();
    let moments = moments(cells, &point, interrupted).ok()?;
    let mut y = -product(&point.input, &problem.inputs);
    Lu::new(point.drift).ok()?.solve(&mut y);
    Cholesky::new(moments.covariance(cells)).ok()?.solve(&mut y);
    problem.place(y, point.input)
}

/// Newton steps towards the minimum, to it where [`MOST_STEPS`] suffice.
fn descend(
    problem: &Problem,
    mut at: Balanced,
    last: f64,
    interrupted: &dyn Fn() -> bool,
) -> (Balanced, usize) {
    let mut steps = 0;
    // As wide as the first gradient is long, until steps say more.
    let mut region = None;
    loop {
        let (place, turning) = (&at.place, &at.turning);
        let tools = Saddle::new(problem, place).zip(Frame::new(problem, place));
        let Some((saddle, frame)) = tools else { break };
        let slopes = saddle.slopes();
        let size = slopes.size();
        let region = region.get_or_insert(size);
        let tolerance = LOOSEST.min(size.sqrt());
        let next = loop {
            if steps == MOST_STEPS || interrupted() {
                return (at, steps);
            }
            steps += 1;
            let step = saddle.step(&slopes, *region, tolerance, MOST_PRODUCTS);
            let is_last = step.promise <= last;
            let next = saddle.moved(&frame, turning, &step.change);
            if is_last {
                // What the value does is rounding.
                return (next.filter(|_| step.is_whole).unwrap_or(at), steps);
            }
            let kept = next.map(|next| ((place.value - next.place.value) / step.promise, next));
            match kept {
                Some((kept, next)) if kept >= POOR => {
                    if kept >= GOOD {
                        *region = region.max(GROWTH * step.length);
                    }
                    break next;
                }
                _ => *region = FALL * step.length,
            }
        };
        at = next;
    }
    (at, steps)
}
