//! The minimum of minus the log-likelihood of a cell with its penalties.
//!
//! Truncated Newton steps (`newton.rs`). With penalties of the form w |x| steps go across signs
//! (`proximal.rs`) as long as these change. Then they stay in the orthant that steepest descent enters:
//! entries that would leave it are put to zero, and entries at zero whose slope is below w are not moved
//! (G. Andrew, J. Gao, ICML 2007; N. Keskar et al., Optim. Methods Softw. 31, 1190, 2016), which is
//! Newton's method on the entries that are not zero.
//!
//! Where every entry of A is free and none is penalised by |x|, steps go through stable matrices alone,
//! in coordinates in which the information is nearly diagonal (`free_drift.rs`); and where a ridge only
//! decides what cells leave open, they begin at the maximum of the likelihood (`maximum`), where there is
//! nothing left to decide and they go on without it.
//!
//! Elsewhere steps that would make A unstable, or its moments senseless, are halved and counted.
//!
//! Enters: cells, masks, penalties, options. Leaves: [`Found`], which says why it ended. Must not
//! know where weights come from.

use super::centre::Centre;
use super::free_drift::{Geometry, Pair};
use super::likelihood::{Moments, gradient, moments};
use super::maximum::maximum;
use super::problem::{Cells, Design, Fault, Mismatch, Point};
use crate::linalg::certificate::Certificate;
use nalgebra::{DMatrix, DVector};

/// Penalties, for a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Penalty {
    /// ridge/2 x^2 on every free entry of A off its diagonal.
    pub ridge: f64,
    /// The same on every free entry of B.
    pub input_ridge: f64,
    /// w |x| on every free entry of A off its diagonal.
    pub l1: f64,
    /// Multipliers of w, p by p; all 1 where there are none.
    pub multipliers: Option<DMatrix<f64>>,
}

impl Default for Penalty {
    /// A ridge that only decides where the cells say nothing.
    fn default() -> Penalty {
        Penalty {
            ridge: 1e-8,
            input_ridge: 1e-8,
            l1: 0.0,
            multipliers: None,
        }
    }
}

/// Options of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The length of the gradient, for a cell, that ends the search. Where entries are zero by l1 it
    /// is the shortest subgradient.
    pub gradient: f64,
    /// Newton steps at most.
    pub iterations: usize,
    /// Products with the information at most in a step.
    pub products: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            gradient: 1e-6,
            iterations: 500,
            products: 300,
        }
    }
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The gradient became small.
    Converged,
    /// No step makes the value smaller, though the gradient is not small: rounding.
    Stalled,
    /// The options' iterations were used up.
    OutOfIterations,
    /// The start has no likelihood.
    Fault(Fault),
    /// The user interrupted.
    Interrupted,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The best point met.
    pub point: Point,
    /// Minus the log-likelihood of a cell, with penalties; infinite if the start has none.
    pub value: f64,
    /// The log-likelihood of all cells, without penalties.
    pub log_likelihood: f64,
    /// The length of the (sub)gradient for a cell.
    pub gradient: f64,
    /// Newton steps.
    pub iterations: usize,
    /// Evaluations of the likelihood.
    pub evaluations: usize,
    /// Products with the information.
    pub products: usize,
    /// Times a step was halved because A would not be stable.
    pub unstable: usize,
    /// How it ended.
    pub end: End,
}

/// The value must fall by this part of what the slope says.
const SUFFICIENT: f64 = 1e-4;
/// Halvings of a step.
const MOST_HALVINGS: i32 = 40;
/// Rounding of values: differences below this, beside the value, say nothing.
const ROUNDING: f64 = 1e-12;
/// Added to the information is this part of the length of the gradient at first: steps then do not
/// run along what the cells say nothing about, and converge as fast as without. The part grows where
/// steps are halved and falls where they are not (D. Marquardt, J. SIAM 11, 431, 1963).
const DAMPING: f64 = 0.02;
const GROWTH: f64 = 4.0;
const FALL: f64 = 0.4;
const MOST_DAMPING: f64 = 1e4;
const LEAST_DAMPING: f64 = 1e-4;
/// A ridge up to this only decides where the cells say nothing.
pub(super) const ONLY_DECIDES: f64 = 1e-7;
/// A whole step that leaves more than this part of the gradient is slow.
const SLOW: f64 = 0.3;

/// Searches from the values of the design.
///
/// # Errors
/// [`Mismatch::Shapes`]: masks or multipliers do not fit the cells.
pub fn search(
    cells: &Cells,
    design: &Design,
    penalty: &Penalty,
    options: &Options,
    interrupted: &dyn Fn() -> bool,
) -> Result<Found, Mismatch> {
    let shape = design.drift.values.shape();
    let fitting = penalty
        .multipliers
        .as_ref()
        .is_none_or(|given| given.shape() == shape);
    if !cells.fits(design) || !fitting {
        return Err(Mismatch::Shapes);
    }
    // Penalties on b would not stay what they are.
    let is_open = penalty.input_ridge <= ONLY_DECIDES;
    let nothing = DVector::zeros(shape.0);
    let found = match Centre::of(cells, design, &nothing).filter(|_| is_open) {
        Some(centre) => {
            let (cells, design) = (centre.cells(cells), centre.design(design));
            let mut found = from_start(&cells, &design, penalty, options, interrupted);
            found.point = centre.back(found.point);
            found
        }
        None => from_start(cells, design, penalty, options, interrupted),
    };
    Ok(found)
}

/// A search that has been checked.
fn from_start(
    cells: &Cells,
    design: &Design,
    penalty: &Penalty,
    options: &Options,
    interrupted: &dyn Fn() -> bool,
) -> Found {
    let mut task = Task::new(cells, design, penalty, interrupted);
    let start = match task.begin(design.start()) {
        Ok(start) => start,
        Err(fault) => return task.nothing(design.start(), fault),
    };
    let only_decide = penalty.ridge <= ONLY_DECIDES && penalty.input_ridge <= ONLY_DECIDES;
    if !only_decide || task.weights.iter().any(|w| *w != 0.0) {
        return run(task, start, options);
    }
    from_maximum(cells, design, options, interrupted)
        .filter(|found| found.value < start.0.value)
        .unwrap_or_else(|| run(task, start, options))
}

/// From the maximum of the likelihood, which has decided what cells leave open: without ridges. `None`
/// where there is no way to it.
fn from_maximum(
    cells: &Cells,
    design: &Design,
    options: &Options,
    interrupted: &dyn Fn() -> bool,
) -> Option<Found> {
    let nothing = Penalty {
        ridge: 0.0,
        input_ridge: 0.0,
        ..Penalty::default()
    };
    let nearer = maximum(cells, design, interrupted)?;
    // What has been found counts, also when the way to it was interrupted.
    let mut task = Task::new(cells, design, &nothing, &|| false);
    let start = task.begin(nearer.design.start()).ok()?;
    task.interrupted = interrupted;
    let mut found = run(task, start, options);
    found.iterations += nearer.steps;
    Some(found)
}

/// Newton steps from a place to the end.
fn run(mut task: Task<'_>, start: (Place, Vec<f64>), options: &Options) -> Found {
    let (mut place, mut slopes) = start;
    let mut iterations = 0;
    let mut before = f64::INFINITY;
    let end = loop {
        let size = length(&task.steepest(&place, &slopes));
        if size <= options.gradient {
            break End::Converged;
        }
        if iterations == options.iterations {
            break End::OutOfIterations;
        }
        task.is_slow = size > SLOW * before;
        before = size;
        match task.step(&place, &slopes, options) {
            Ok(Some(next)) => {
                task.crosses = task.crossed(&place.x, &next.0.x);
                (place, slopes) = next;
            }
            Ok(None) => break End::Stalled,
            Err(Fault::Interrupted) => break End::Interrupted,
            Err(_) => break End::Stalled,
        }
        iterations += 1;
    };
    Found {
        gradient: length(&task.steepest(&place, &slopes)),
        value: place.value,
        log_likelihood: -place.moments.value * task.cells.total,
        point: place.point,
        iterations,
        evaluations: task.evaluations,
        products: task.products,
        unstable: task.unstable,
        end,
    }
}

/// A point with its value.
pub(super) struct Place {
    pub x: Vec<f64>,
    pub point: Point,
    pub moments: Moments,
    /// With penalties.
    value: f64,
}

/// Where steps lead.
pub(super) enum Path {
    /// Straight on; entries that change their signs are stopped at zero.
    Line(Vec<f64>),
    /// Straight on, whatever changes its sign.
    Across {
        direction: Vec<f64>,
        /// What a whole step promises: negative.
        fall: f64,
    },
    /// Through stable matrices alone.
    Curve {
        geometry: Box<Geometry>,
        pair: Pair,
        /// The direction in which it sets out.
        first: Vec<f64>,
    },
}

/// What stays and what is counted.
pub(super) struct Task<'a> {
    pub cells: &'a Cells,
    pub design: &'a Design,
    pub interrupted: &'a dyn Fn() -> bool,
    /// Of each free entry.
    pub ridges: Vec<f64>,
    /// w of each free entry.
    pub weights: Vec<f64>,
    certificate: Option<Certificate>,
    evaluations: usize,
    pub products: usize,
    unstable: usize,
    /// The part of the gradient that is added to the information.
    pub damping: f64,
    /// Whether the last step was.
    pub is_slow: bool,
    /// Entries with a weight came to zero or left it in the last step.
    crosses: bool,
    /// Of the information in the scale of its diagonal, as last seen.
    pub bound: f64,
}

impl<'a> Task<'a> {
    fn new(
        cells: &'a Cells,
        design: &'a Design,
        penalty: &Penalty,
        interrupted: &'a dyn Fn() -> bool,
    ) -> Task<'a> {
        let ridge = penalty.ridge;
        let weight = |i: usize, j: usize| match &penalty.multipliers {
            _ if i == j => 0.0,
            Some(multipliers) => penalty.l1 * multipliers[(i, j)],
            None => penalty.l1,
        };
        Task {
            ridges: design.labelled(
                |i, j| if i == j { 0.0 } else { ridge },
                penalty.input_ridge,
                0.0,
            ),
            weights: design.labelled(weight, 0.0, 0.0),
            cells,
            design,
            interrupted,
            certificate: None,
            evaluations: 0,
            products: 0,
            unstable: 0,
            damping: DAMPING,
            is_slow: false,
            crosses: penalty.l1 > 0.0,
            bound: 0.0,
        }
    }

    fn nothing(&self, point: Point, fault: Fault) -> Found {
        Found {
            point,
            value: f64::INFINITY,
            log_likelihood: f64::NEG_INFINITY,
            gradient: f64::INFINITY,
            iterations: 0,
            evaluations: self.evaluations,
            products: 0,
            unstable: 0,
            end: match fault {
                Fault::Interrupted => End::Interrupted,
                fault => End::Fault(fault),
            },
        }
    }

    /// A point with its slopes.
    fn begin(&mut self, point: Point) -> Result<(Place, Vec<f64>), Fault> {
        self.certify(&point)?;
        let place = self.place(self.design.packed(&point), &point)?;
        let slopes = self.slopes(&place)?;
        Ok((place, slopes))
    }

    /// Whether A is stable, where the likelihood does not find out by itself.
    fn certify(&mut self, point: &Point) -> Result<(), Fault> {
        if self.cells.base.is_none() {
            return Ok(());
        }
        match &mut self.certificate {
            Some(certificate) => certificate.extend(&point.drift, self.interrupted)?,
            None => self.certificate = Some(Certificate::new(&point.drift, self.interrupted)?),
        }
        Ok(())
    }

    fn place(&mut self, x: Vec<f64>, around: &Point) -> Result<Place, Fault> {
        let point = self.design.unpacked(&x, around);
        self.certify(&point)?;
        self.evaluations += 1;
        let moments = moments(self.cells, &point, self.interrupted)?;
        let penalties = x.iter().zip(&self.ridges).zip(&self.weights);
        let penalties = penalties.map(|((x, ridge), w)| 0.5 * ridge * x * x + w * x.abs());
        let value = moments.value + penalties.sum::<f64>();
        Ok(Place {
            x,
            point,
            moments,
            value,
        })
    }

    /// Derivatives of all but w |x|.
    fn slopes(&self, place: &Place) -> Result<Vec<f64>, Fault> {
        let all = gradient(self.cells, &place.point, &place.moments, self.interrupted)?;
        let mut slopes = self.design.packed(&all);
        for ((slope, x), ridge) in slopes.iter_mut().zip(&place.x).zip(&self.ridges) {
            *slope += ridge * x;
        }
        match slopes.iter().all(|slope| slope.is_finite()) {
            true => Ok(slopes),
            false => Err(Fault::NotFinite),
        }
    }

    /// True when entries with a weight came to zero, left it or changed sides.
    fn crossed(&self, from: &[f64], to: &[f64]) -> bool {
        let mut all = from.iter().zip(to).zip(&self.weights);
        let side = |x: f64| if x == 0.0 { 0.0 } else { x.signum() };
        all.any(|((from, to), w)| *w > 0.0 && side(*from) != side(*to))
    }

    /// The shortest subgradient.
    fn steepest(&self, place: &Place, slopes: &[f64]) -> Vec<f64> {
        let all = slopes.iter().zip(&place.x).zip(&self.weights);
        all.map(|((slope, x), w)| {
            if *x != 0.0 {
                slope + w * x.signum()
            } else {
                slope.signum() * (slope.abs() - w).max(0.0)
            }
        })
        .collect()
    }

    /// A Newton step; `None` where nothing makes the value smaller.
    fn step(
        &mut self,
        place: &Place,
        slopes: &[f64],
        options: &Options,
    ) -> Result<Option<(Place, Vec<f64>)>, Fault> {
        let steepest = self.steepest(place, slopes);
        let diagonal = self.diagonal(place);
        let newton = match self.free_drift(place, slopes, options)? {
            Some(path) => path,
            None if self.crosses => {
                let scale = (diagonal.as_slice(), self.added(&steepest));
                self.across(place, slopes, scale, options)?
            }
            None => Path::Line(self.newton(place, &steepest, &diagonal, options)?),
        };
        if let Some(next) = self.along(place, &steepest, &newton)? {
            return Ok(Some(next));
        }
        let scaled: Vec<f64> = steepest
            .iter()
            .zip(&diagonal)
            .map(|(v, d)| -v / d)
            .collect();
        self.along(place, &steepest, &Path::Line(scaled))
    }

    /// The first of the halved steps along a direction that lowers the value enough.
    fn along(
        &mut self,
        place: &Place,
        steepest: &[f64],
        path: &Path,
    ) -> Result<Option<(Place, Vec<f64>)>, Fault> {
        let mut step = 1.0;
        for halvings in 0..MOST_HALVINGS {
            let found = self.moved(place, steepest, path, step);
            step *= 0.5;
            // Projections may turn a step uphill.
            let Some((x, slope)) = found.filter(|(_, slope)| *slope < 0.0) else {
                continue;
            };
            match self.place(x, &place.point) {
                Ok(next) => {
                    if let Some(slopes) = self.accepts(place, &next, slope, steepest)? {
                        let change = if halvings == 0 {
                            FALL
                        } else {
                            GROWTH.powi(halvings)
                        };
                        let next_damping = self.damping * change;
                        self.damping = next_damping.clamp(LEAST_DAMPING, MOST_DAMPING);
                        return Ok(Some((next, slopes)));
                    }
                }
                Err(Fault::Unstable) => self.unstable += 1,
                Err(Fault::Interrupted) => return Err(Fault::Interrupted),
                Err(_) => {}
            }
        }
        Ok(None)
    }

    /// The point a step away, projected into the orthant, and the slope that leads there.
    fn moved(
        &self,
        place: &Place,
        steepest: &[f64],
        path: &Path,
        step: f64,
    ) -> Option<(Vec<f64>, f64)> {
        match path {
            Path::Curve {
                geometry,
                pair,
                first,
            } => {
                let (drift, input) = geometry.at(pair, step)?;
                let input = &place.point.input + input;
                let point = Point {
                    drift,
                    input,
                    noise: place.point.noise.clone(),
                };
                Some((self.design.packed(&point), step * dot(first, steepest)))
            }
            Path::Across { direction, fall } => {
                let all = place.x.iter().zip(direction);
                let x = all.map(|(x, d)| x + step * d).collect();
                Some((x, step * fall))
            }
            Path::Line(direction) => {
                let all = place
                    .x
                    .iter()
                    .zip(steepest)
                    .zip(direction)
                    .zip(&self.weights);
                let x: Vec<f64> = all
                    .map(|(((x, v), d), w)| {
                        let side = if *x != 0.0 { *x } else { -v };
                        let to = x + step * d;
                        if *w > 0.0 && to * side <= 0.0 {
                            0.0
                        } else {
                            to
                        }
                    })
                    .collect();
                let change = x.iter().zip(&place.x).zip(steepest);
                let slope = change.map(|((to, from), v)| (to - from) * v).sum();
                Some((x, slope))
            }
        }
    }

    /// The slopes at the next place, if it is lower enough; where rounding hides how much, if its
    /// gradient is shorter.
    fn accepts(
        &self,
        place: &Place,
        next: &Place,
        slope: f64,
        steepest: &[f64],
    ) -> Result<Option<Vec<f64>>, Fault> {
        let hidden = ROUNDING * place.value.abs().max(1.0);
        if next.value <= place.value + SUFFICIENT * slope && -slope > hidden {
            return self.slopes(next).map(Some);
        }
        if -slope <= 1e3 * hidden && next.value <= place.value + hidden {
            let slopes = self.slopes(next)?;
            let shorter = length(&self.steepest(next, &slopes)) < length(steepest);
            return Ok(shorter.then_some(slopes));
        }
        Ok(None)
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn length(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

pub(super) fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    to.iter_mut()
        .zip(what)
        .for_each(|(to, what)| *to += factor * what);
}
