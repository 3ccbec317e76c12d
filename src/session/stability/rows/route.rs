//! The two ways from a model and rows of states to linear parts.
//!
//! ```text
//! system --form.rs--> M*diagonal(v) + diagonal(d) --values that hold--> M, d once; v(s) per row
//!           or none --> the compiled sparse Jacobian at every row; entries that are zero at all
//!                       rows are left out of the pattern
//! both --analyze::network--> spectra, traces, rotational parts
//! ```
//!
//! Enters: equations, parameter values, states. Leaves: linear parts in the order of the rows. Must
//! not know names, groups, or what the numbers are read from.

use super::form::{Form, NoForm, form};
use crate::analyze::network::{
    self, Ended, Found, Keep, Linear, Network, Options, Shape, Structure,
};
use crate::kernel::{Kernel, Kernels, Parameters, Scratch, SharedKernel};
use crate::linalg::{Pattern, Unfound};
use crate::session::values::{self, Present};
use crate::simulate::in_order;
use crate::symbolic::Expr;
use crate::system::System;
use crate::table::cells::Cells;
use std::ops::ControlFlow;

/// Rows whose slopes are in memory at a time.
const CHUNK: usize = 256;
/// Rows that one thread evaluates before interrupts are polled.
const PIECE: usize = 16;

/// What is computed of each row.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Eigenvalues; `None` for trace, rotational part and elements alone.
    pub spectrum: Option<Keep>,
    /// Elements of the Jacobian, as (row, column).
    pub elements: &'a [(usize, usize)],
    pub threads: usize,
    pub interrupted: &'a dyn Fn() -> bool,
}

/// Which way was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// J = M*diagonal(v(s)) + diagonal(d), M and d evaluated once.
    Network,
    /// A sum of such terms, or with a diagonal that depends on the state.
    Terms,
    /// The compiled Jacobian at every row.
    Jacobian(NoForm),
}

/// Rows of states that have the same values of the parameters.
pub(super) struct Batch {
    /// Which rows.
    pub rows: Vec<usize>,
    parameters: Parameters,
    /// Nothing interrupts equations at rest: all zero.
    slots: Vec<f64>,
    structure: Structure,
    route: Route,
}

enum Route {
    /// Weights and diagonal once, v by a function of n numbers.
    Network {
        weights: Vec<f64>,
        decay: Vec<f64>,
        slopes: SharedKernel,
    },
    /// Weights of every product; the function gives a vector for each that has one, and then the
    /// diagonals that depend on the state.
    Terms {
        weights: Vec<Weights>,
        /// The column of each entry.
        columns: Vec<usize>,
        /// Where the diagonal is among the entries.
        diagonal: Vec<usize>,
        /// What the diagonal has besides.
        fixed: Vec<f64>,
        vectors: SharedKernel,
    },
    /// All entries of the system's pattern, and which of them are those of the structure.
    Jacobian {
        entries: SharedKernel,
        kept: Vec<usize>,
    },
}

struct Weights {
    /// In the order of the structure.
    values: Vec<f64>,
    /// Its vector among those of the function; all ones without.
    vector: Option<usize>,
}

/// The equations at rest with their functions.
#[derive(Clone, Copy)]
pub(super) struct Equations<'a> {
    pub system: &'a System,
    pub kernels: &'a Kernels,
    pub time: f64,
}

/// The form of the equations, worked out once for all batches.
pub(super) struct Recognised(Result<(Form, SharedKernel), NoForm>);

/// Looks at the Jacobian's form, and compiles what depends on the state.
pub(super) fn recognise(of: Equations<'_>) -> Recognised {
    Recognised(form(of.system).map(|form| {
        let vectors = form.products.iter().filter_map(|product| product.vector);
        let outputs: Vec<Expr> = vectors.chain(form.moving.iter().copied()).collect();
        let kernel = of.kernels.function(&form.pool, &outputs);
        (form, kernel)
    }))
}

/// Why rows have no linear parts.
pub(super) enum Failed {
    /// By the user.
    Interrupted,
    /// More variables than can be counted.
    TooLarge,
}

impl Recognised {
    /// Which way the work takes.
    pub fn way(&self) -> Way {
        match &self.0 {
            Ok((form, _)) if is_network(form) => Way::Network,
            Ok(_) => Way::Terms,
            Err(why) => Way::Jacobian(*why),
        }
    }

    /// Rows with one set of values.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn batch(
        &self,
        of: Equations<'_>,
        states: &Cells,
        rows: Vec<usize>,
        present: &Present,
        wanted: Wanted<'_>,
    ) -> Result<Batch, Failed> {
        let parameters = Parameters::new(present.parameters.clone());
        let (structure, route) = match &self.0 {
            Ok((form, kernel)) => with_form(of, form, kernel, present)?,
            Err(_) => with_entries(of, states, &rows, &parameters, wanted)?,
        };
        Ok(Batch {
            rows,
            parameters,
            slots: vec![0.0; of.system.slots.len()],
            structure,
            route,
        })
    }
}

/// One product, and a diagonal free of the state.
fn is_network(form: &Form) -> bool {
    let [product] = form.products.as_slice() else {
        return false;
    };
    product.vector.is_some() && form.moving.is_empty()
}

/// A structure of places (row, column) that ascend by column and then by row.
fn structure_of(
    n: usize,
    places: impl Iterator<Item = (usize, usize)>,
) -> Result<Structure, Failed> {
    let (mut starts, mut rows) = (vec![0; n + 1], Vec::new());
    for (row, column) in places {
        rows.push(row);
        if let Some(count) = starts.get_mut(column + 1) {
            *count += 1;
        }
    }
    let mut total = 0;
    for start in &mut starts {
        total += *start;
        *start = total;
    }
    let pattern = Pattern {
        starts: &starts,
        rows: &rows,
    };
    network::structure(pattern).map_err(|_| Failed::TooLarge)
}

fn with_form(
    of: Equations<'_>,
    form: &Form,
    kernel: &SharedKernel,
    present: &Present,
) -> Result<(Structure, Route), Failed> {
    let n = of.system.states.len();
    let numbers = |expr: Expr| values::at_present(&form.pool, of.system, of.time, expr, present);
    // Column after column, so that (row, column) is at row + column*n.
    let matrices: Vec<Vec<f64>> = (form.products.iter())
        .map(|product| numbers(product.matrix))
        .collect();
    let mut fixed = vec![0.0; n];
    for expr in &form.fixed {
        for (sum, number) in fixed.iter_mut().zip(numbers(*expr)) {
            *sum += number;
        }
    }
    let network = is_network(form);
    // The diagonal of a network is kept beside its pattern; else it is a part of it.
    let is_kept = |at: &usize| {
        let mut all = matrices.iter();
        (!network && at % n == at / n)
            || all.any(|matrix| matrix.get(*at).is_some_and(|weight| *weight != 0.0))
    };
    let kept: Vec<usize> = (0..n * n).filter(is_kept).collect();
    let structure = structure_of(n, kept.iter().map(|at| (at % n, at / n)))?;
    let weights_of = |matrix: &Vec<f64>| -> Vec<f64> {
        let weight = |at: &usize| matrix.get(*at).copied().unwrap_or(0.0);
        kept.iter().map(weight).collect()
    };
    let slopes = SharedKernel::clone(kernel);
    if let (true, Some(matrix)) = (network, matrices.first()) {
        let route = Route::Network {
            weights: weights_of(matrix),
            decay: fixed.iter().map(|number| -number).collect(),
            slopes,
        };
        return Ok((structure, route));
    }
    let mut next = 0;
    let products = form.products.iter().zip(&matrices);
    let weights = products.map(|(product, matrix)| {
        let vector = product.vector.map(|_| next);
        next += usize::from(vector.is_some());
        Weights {
            values: weights_of(matrix),
            vector,
        }
    });
    let route = Route::Terms {
        weights: weights.collect(),
        columns: kept.iter().map(|at| at / n).collect(),
        diagonal: (0..n).filter_map(|at| structure.position(at, at)).collect(),
        fixed,
        vectors: slopes,
    };
    Ok((structure, route))
}

/// The pattern of all entries that are not zero at every row.
fn with_entries(
    of: Equations<'_>,
    states: &Cells,
    rows: &[usize],
    parameters: &Parameters,
    wanted: Wanted<'_>,
) -> Result<(Structure, Route), Failed> {
    let n = of.system.states.len();
    let kernel = SharedKernel::clone(of.kernels.jacobian());
    let slots = vec![0.0; of.system.slots.len()];
    let look = |piece: usize| {
        let mut seen = vec![false; kernel.out_len()];
        let mut entries = vec![0.0; kernel.out_len()];
        let mut point = Point::new(n);
        for row in rows.iter().skip(piece * PIECE).take(PIECE) {
            entries.fill(0.0);
            point.call(
                &*kernel,
                of.time,
                states,
                *row,
                parameters,
                &slots,
                &mut entries,
            );
            for (seen, entry) in seen.iter_mut().zip(&entries) {
                *seen |= *entry != 0.0;
            }
        }
        seen
    };
    let mut seen = vec![false; kernel.out_len()];
    let mut stopped = (wanted.interrupted)();
    in_order(
        rows.len().div_ceil(PIECE),
        wanted.threads,
        look,
        |_, more| {
            for (seen, more) in seen.iter_mut().zip(more) {
                *seen |= more;
            }
            stopped |= (wanted.interrupted)();
            match stopped {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        },
    );
    if stopped {
        return Err(Failed::Interrupted);
    }
    let kept: Vec<usize> = (0..seen.len())
        .filter(|at| seen.get(*at) == Some(&true))
        .collect();
    let places: Vec<(usize, usize)> = of.system.jacobian.pattern.places().collect();
    let structure = structure_of(n, kept.iter().filter_map(|at| places.get(*at).copied()))?;
    Ok((
        structure,
        Route::Jacobian {
            entries: kernel,
            kept,
        },
    ))
}

/// Working space of one thread at one row.
struct Point {
    state: Vec<f64>,
    scratch: Scratch,
}

impl Point {
    fn new(n: usize) -> Point {
        Point {
            state: vec![0.0; n],
            scratch: Scratch::new(),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "those of a kernel")]
    fn call(
        &mut self,
        kernel: &dyn Kernel,
        time: f64,
        states: &Cells,
        row: usize,
        parameters: &Parameters,
        slots: &[f64],
        out: &mut [f64],
    ) {
        for (column, number) in self.state.iter_mut().enumerate() {
            *number = states.at(row, column);
        }
        kernel.call(time, &self.state, parameters, slots, out, &mut self.scratch);
    }
}

impl Batch {
    /// Variables in feedback with others: the sizes of the blocks whose eigenvalues are found by
    /// dense work.
    pub fn block_sizes(&self) -> Vec<usize> {
        self.structure.block_sizes()
    }

    /// Columns with an entry: the variables that act on others or on themselves, beside what all
    /// lose of themselves.
    pub fn entries(&self) -> usize {
        match &self.route {
            Route::Network { weights, .. } => weights.len(),
            Route::Terms { columns, .. } => columns.len(),
            Route::Jacobian { kept, .. } => kept.len(),
        }
    }

    /// Hands the linear part of every row to `take`, in the order of [`Batch::rows`]; says how it
    /// ended.
    pub fn linear_parts(
        &self,
        time: f64,
        states: &Cells,
        wanted: Wanted<'_>,
        mut take: impl FnMut(usize, Result<Linear, Unfound>),
    ) -> Ended {
        for rows in self.rows.chunks(CHUNK) {
            let found = self.chunk(time, states, rows, wanted);
            for (row, linear) in rows.iter().zip(found.cells) {
                take(*row, linear);
            }
            if found.ended == Ended::Interrupted {
                return Ended::Interrupted;
            }
        }
        Ended::Complete
    }

    fn chunk(
        &self,
        time: f64,
        states: &Cells,
        rows: &[usize],
        wanted: Wanted<'_>,
    ) -> Found<Result<Linear, Unfound>> {
        let options = Options {
            spectrum: wanted.spectrum.unwrap_or(Keep::Counts),
            elements: wanted.elements,
            threads: wanted.threads,
            interrupted: wanted.interrupted,
        };
        let numbers = self.evaluated(time, states, rows, wanted.threads);
        let width = numbers.len() / rows.len().max(1);
        let row = |at: usize| {
            numbers
                .get(at * width..(at + 1) * width)
                .unwrap_or_default()
        };
        let nothing = Found {
            cells: Vec::new(),
            ended: Ended::Interrupted,
        };
        if let Route::Network { weights, decay, .. } = &self.route {
            let network = Network {
                structure: &self.structure,
                weights,
                decay,
            };
            if wanted.spectrum.is_some() {
                return network::spectra(network, &numbers, options).unwrap_or(nothing);
            }
            let Ok(shapes) = network::shapes(network, &numbers, options) else {
                return nothing;
            };
            let elements = |at: usize| self.elements_of_network(network, row(at), wanted.elements);
            let cells = shapes.cells.into_iter().enumerate();
            return Found {
                cells: cells
                    .map(|(at, shape)| without_spectrum(shape, elements(at)))
                    .collect(),
                ended: shapes.ended,
            };
        }
        let fill = |at: usize, entries: &mut [f64]| self.fill(row(at), entries);
        if wanted.spectrum.is_some() {
            return network::spectra_of(&self.structure, rows.len(), &fill, options)
                .unwrap_or(nothing);
        }
        let one = |at: usize| {
            let mut entries = vec![0.0; self.entries()];
            fill(at, &mut entries);
            let element = |(row, column): &(usize, usize)| {
                let place = self.structure.position(*row, *column);
                place.and_then(|at| entries.get(at).copied()).unwrap_or(0.0)
            };
            let elements = wanted.elements.iter().map(element).collect();
            without_spectrum(network::shape(&self.structure, &entries), elements)
        };
        Found {
            cells: (0..rows.len()).map(one).collect(),
            ended: match (wanted.interrupted)() {
                true => Ended::Interrupted,
                false => Ended::Complete,
            },
        }
    }

    /// The numbers of the route's function at rows, one after the other.
    fn evaluated(&self, time: f64, states: &Cells, rows: &[usize], threads: usize) -> Vec<f64> {
        let (kernel, kept) = match &self.route {
            Route::Network { slopes, .. } => (slopes, None),
            Route::Terms { vectors, .. } => (vectors, None),
            Route::Jacobian { entries, kept } => (entries, Some(kept)),
        };
        let work = |piece: usize| {
            let rows = rows.iter().skip(piece * PIECE).take(PIECE);
            let width = kernel.out_len();
            let mut out = vec![0.0; width];
            let mut point = Point::new(self.structure.dimension());
            let mut all = Vec::with_capacity(rows.len() * kept.map_or(width, Vec::len));
            for row in rows {
                out.fill(0.0);
                point.call(
                    &**kernel,
                    time,
                    states,
                    *row,
                    &self.parameters,
                    &self.slots,
                    &mut out,
                );
                match kept {
                    None => all.extend_from_slice(&out),
                    Some(kept) => {
                        all.extend(kept.iter().map(|at| out.get(*at).copied().unwrap_or(0.0)));
                    }
                }
            }
            all
        };
        let mut numbers = Vec::new();
        in_order(rows.len().div_ceil(PIECE), threads, work, |_, more| {
            numbers.extend(more);
            ControlFlow::Continue(())
        });
        numbers
    }

    /// The entries of the structure at a row, from what was evaluated there.
    fn fill(&self, numbers: &[f64], entries: &mut [f64]) {
        let n = self.structure.dimension();
        let Route::Terms {
            weights,
            columns,
            diagonal,
            fixed,
            ..
        } = &self.route
        else {
            for (entry, number) in entries.iter_mut().zip(numbers) {
                *entry = *number;
            }
            return;
        };
        for term in weights {
            let vector = term
                .vector
                .map(|at| numbers.get(at * n..).unwrap_or_default());
            for ((entry, weight), column) in entries.iter_mut().zip(&term.values).zip(columns) {
                let slope = vector.map_or(Some(1.0), |vector| vector.get(*column).copied());
                // A weight of zero takes no part, whatever the slope is.
                if *weight != 0.0 {
                    *entry += weight * slope.unwrap_or(f64::NAN);
                }
            }
        }
        let products = weights.iter().filter(|term| term.vector.is_some()).count();
        let moving = numbers.get(products * n..).unwrap_or_default();
        for (variable, (place, fixed)) in diagonal.iter().zip(fixed).enumerate() {
            let Some(entry) = entries.get_mut(*place) else {
                continue;
            };
            let own = moving.iter().skip(variable).step_by(n.max(1));
            *entry += fixed + own.sum::<f64>();
        }
    }

    fn elements_of_network(
        &self,
        network: Network<'_>,
        slopes: &[f64],
        elements: &[(usize, usize)],
    ) -> Vec<f64> {
        let one = |(row, column): &(usize, usize)| {
            let weight = self
                .structure
                .position(*row, *column)
                .and_then(|at| network.weights.get(at));
            let slope = slopes.get(*column);
            let product = weight
                .zip(slope)
                .map_or(0.0, |(weight, slope)| weight * slope);
            let lost = network.decay.get(*row).filter(|_| row == column);
            product - lost.copied().unwrap_or(0.0)
        };
        elements.iter().map(one).collect()
    }
}

/// Trace, rotational part and elements alone.
fn without_spectrum(shape: Shape, elements: Vec<f64>) -> Result<Linear, Unfound> {
    if !shape.trace.is_finite() || !shape.rotation.is_finite() {
        return Err(Unfound::NotFinite);
    }
    Ok(Linear {
        leading: None,
        positive: 0,
        negative: 0,
        shape,
        elements,
        spectrum: None,
    })
}
