//! The linear part of a system at a state: its Jacobian on the states that can vary, eigenvalues
//! and eigenvectors. Kept sums and constraints are eliminated first, since they add eigenvalues
//! that mean nothing.

use super::change::Change;
use super::classify::{Class, Kind, beyond, classify};
use super::continuation::Motion;
use super::eigen::{self, Mode};
use super::laws::{self, Kept, Law, at, sizes};
use super::newton::Equations;
use crate::simulate::{Dynamics, Tolerances};
use nalgebra::DMatrix;

/// An eigenvalue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eigenvalue {
    /// Rate of growth, per time; of a multiplier the real part.
    pub real: f64,
    /// Angular frequency, not negative; of a multiplier the imaginary part.
    pub imaginary: f64,
}

impl Eigenvalue {
    /// Its absolute value.
    #[must_use]
    pub fn modulus(&self) -> f64 {
        self.real.hypot(self.imaginary)
    }
}

/// What the leading eigenvalue, that of the largest real part, says about nearby states.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stability {
    /// They come back.
    Attracts(Eigenvalue),
    /// Some of them go away.
    Repels(Eigenvalue),
    /// Its real part is zero as far as round-off can tell: the linear part does not decide.
    Undecided(Eigenvalue),
    /// Nothing can vary: every nearby state that keeps the sums is this one.
    Rigid,
    /// Too many states for eigenvalues, or none could be computed.
    Unknown,
}

/// Eigenvalues of larger matrices are not computed: at this size they take about a second.
pub const MOST_STATES: usize = 250;

/// A state at which a system is made linear.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The equations.
    pub dynamics: &'a dyn Dynamics,
    /// Whether they say how fast the state changes or what it is next.
    pub motion: Motion,
    /// The time that is handed to them.
    pub time: f64,
    /// The state.
    pub state: &'a [f64],
    /// Say how small a change matters.
    pub tolerances: &'a Tolerances,
    /// Sums that the equations are known to keep; others are looked for.
    pub laws: &'a [Law],
}

/// The linear part of a system at a state.
#[derive(Debug, Clone, PartialEq)]
pub struct Linearised {
    /// df/dy, or dg/dy of a map: n by n numbers, column by column.
    pub jacobian: Vec<f64>,
    /// Eigenvalues on the states that can vary, leading ones first, with eigenvectors of n
    /// numbers, of unit length.
    pub modes: Vec<Mode>,
    /// The sum of these eigenvalues.
    pub trace: f64,
    /// Their product.
    pub determinant: f64,
    /// The type of the fixed point; that of the linear part alone when the state is none.
    pub class: Class,
    /// Sums that were kept: given ones, and ones found in the equations.
    pub kept: (usize, usize),
    /// Constraints that were eliminated.
    pub constraints: usize,
}

/// The Jacobian at a state: n by n numbers, column by column.
#[must_use]
pub fn jacobian_at(dynamics: &dyn Dynamics, time: f64, state: &[f64]) -> Vec<f64> {
    at(dynamics, time, state).1.as_slice().to_vec()
}

/// The equilibrium, or the fixed point of a map, that Newton's iteration ends at from a state, with
/// the sums of that state. `None` when it does not end.
#[must_use]
pub fn polish(place: &Place<'_>) -> Option<Vec<f64>> {
    polish_with(place, &kept_at(place))
}

/// What a flow keeps; sums that a map keeps are not looked for.
fn kept_at(place: &Place<'_>) -> Vec<Kept> {
    match place.motion {
        Motion::Flow => laws::kept(
            place.dynamics,
            place.time,
            place.state,
            place.tolerances,
            place.laws,
        ),
        Motion::Map => Vec::new(),
    }
}

/// The same with sums that are known; their totals need not be those of the state.
#[must_use]
pub fn polish_with(place: &Place<'_>, kept: &[Kept]) -> Option<Vec<f64>> {
    let change;
    let dynamics: &dyn Dynamics = match place.motion {
        Motion::Flow => place.dynamics,
        Motion::Map => {
            change = Change::new(place.dynamics);
            &change
        }
    };
    let equations = Equations {
        dynamics,
        time: place.time,
        tolerances: place.tolerances,
        kept,
    };
    let found = equations.solve(place.state, f64::INFINITY)?;
    Some(found.state)
}

/// Which states sums leave free, and how the others follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Eliminated {
    /// Positions of the free states K.
    pub free: Vec<usize>,
    /// Positions of the others, D.
    pub dependent: Vec<usize>,
    /// With changes dy_K of the free states those of the others are dy_D = -follows dy_K: a row
    /// for each of D.
    pub follows: Vec<Vec<f64>>,
}

/// Eliminates the given sums. `None` when they do not determine the dependent states.
#[must_use]
pub fn eliminated(place: &Place<'_>) -> Option<Eliminated> {
    let kept = laws::given(place.state, place.tolerances, place.laws);
    let n = place.state.len();
    let ones = vec![1.0; n];
    let found = reduced(&DMatrix::zeros(n, n), &[], &ones, &kept)?;
    let rows = found.follows.row_iter();
    let follows = rows.map(|row| row.iter().copied().collect()).collect();
    Some(Eliminated {
        free: found.free,
        dependent: found.dependent,
        follows,
    })
}

/// Makes a system linear at a state. `None` for more than 250 states, and where the Jacobian is
/// not finite or its eigenvalues cannot be computed.
#[must_use]
pub fn linearise(place: &Place<'_>) -> Option<Linearised> {
    // In a linear system a hidden sum is a line of fixed points, and goes by that name.
    let kept = if place.dynamics.is_linear() {
        laws::given(place.state, place.tolerances, place.laws)
    } else {
        kept_at(place)
    };
    let known = kept
        .iter()
        .filter(|kept| place.laws.contains(&kept.law))
        .count();
    let mut found = linear_part(place, &kept)?;
    found.kept = (known, kept.len() - known);
    Some(found)
}

/// The same with kept sums that are known.
pub(super) fn linear_part(place: &Place<'_>, kept: &[Kept]) -> Option<Linearised> {
    let n = place.state.len();
    if n > MOST_STATES {
        return None;
    }
    let size = sizes(place.state, place.tolerances);
    let reduced = scaled(place, place.state, &size, kept)?;
    let motion = place.motion;
    let mut modes = eigen::modes(&reduced.matrix, |a, b| {
        let order = beyond(motion, *b).total_cmp(&beyond(motion, *a));
        order.then(b.imaginary.total_cmp(&a.imaginary))
    })?;
    uncertain(place, kept, &mut modes);
    let mut class = classify(motion, &modes, place.dynamics.is_linear());
    if motion == Motion::Flow
        && class.kind == Kind::Undecided
        && is_continuum(place, kept, &modes, &reduced, &size)
    {
        class.kind = Kind::Continuum;
    }
    for direction in modes.iter_mut().flat_map(|mode| &mut mode.directions) {
        *direction = direction.mapped(|free| reduced.lifted(free, &size));
    }
    Some(Linearised {
        jacobian: jacobian_at(place.dynamics, place.time, place.state),
        trace: reduced.matrix.trace(),
        determinant: determinant(&reduced.matrix),
        class,
        modes,
        kept: (0, 0),
        constraints: reduced.constraints,
    })
}

/// An equilibrium is known to rounding only: near a double root a hair in its state moves the
/// small eigenvalue as much as its own size. The state is moved by what rounding may have done to
/// it, along the direction that the equations hold it in most weakly, and so is the error of the
/// eigenvalue.
fn uncertain(place: &Place<'_>, kept: &[Kept], modes: &mut [Mode]) {
    const SMALL: f64 = 1e-3;
    const MOST: f64 = 1e-2;
    if place.motion == Motion::Map || place.dynamics.is_linear() {
        return;
    }
    let radius = modes.iter().map(|mode| mode.value.modulus());
    let radius = radius.fold(0.0, f64::max);
    let weakest = modes
        .iter()
        .enumerate()
        .filter(|(_, mode)| !mode.is_pair() && mode.value.real.abs() > mode.error)
        .min_by(|(_, a), (_, b)| a.value.modulus().total_cmp(&b.value.modulus()));
    let Some((at_mode, weakest)) = weakest else {
        return;
    };
    let Some(direction) = weakest.directions.first() else {
        return;
    };
    if weakest.value.modulus() > SMALL * radius {
        return;
    }
    let size = sizes(place.state, place.tolerances);
    let hair = (weakest.error / weakest.value.modulus()).min(MOST);
    let Some(here) = scaled(place, place.state, &size, kept) else {
        return;
    };
    let lifted = here.lifted(&direction.real, &size);
    let beside = place.state.iter().zip(&lifted);
    let beside: Vec<f64> = beside.map(|(y, v)| y + hair * v).collect();
    let Some(there) = scaled(place, &beside, &size, kept) else {
        return;
    };
    let order = |a: &Eigenvalue, b: &Eigenvalue| a.real.total_cmp(&b.real);
    let Some(moved) = eigen::modes(&there.matrix, order) else {
        return;
    };
    let value = weakest.value.real;
    let distance = |mode: &Mode| (mode.value.real - value).hypot(mode.value.imaginary);
    let nearest = moved.iter().map(distance).fold(f64::INFINITY, f64::min);
    if nearest.is_finite()
        && let Some(mode) = modes.get_mut(at_mode)
    {
        mode.error = mode.error.max(nearest);
    }
}

/// The reduced Jacobian at a state, in the sizes of the states.
pub(super) fn scaled(
    place: &Place<'_>,
    state: &[f64],
    size: &[f64],
    kept: &[Kept],
) -> Option<Reduced> {
    let n = state.len();
    let (_, jacobian) = at(place.dynamics, place.time, state);
    if jacobian.iter().any(|entry| !entry.is_finite()) {
        return None;
    }
    let scaled = DMatrix::from_fn(n, n, |i, j| jacobian[(i, j)] / size[i] * size[j]);
    reduced(&scaled, place.dynamics.algebraic(), size, kept)
}

/// Whether equilibria go on along every direction whose eigenvalue is zero: Newton's iteration
/// then ends where it was started, a step away, and not back at the state.
fn is_continuum(
    place: &Place<'_>,
    kept: &[Kept],
    modes: &[Mode],
    reduced: &Reduced,
    size: &[f64],
) -> bool {
    let equations = Equations {
        dynamics: place.dynamics,
        time: place.time,
        tolerances: place.tolerances,
        kept,
    };
    let border = modes
        .iter()
        .filter(|mode| beyond(place.motion, mode.value).abs() <= mode.error);
    let stays = |direction: &[f64], step: f64| {
        let moved = reduced.lifted(direction, size);
        let start: Vec<f64> = place
            .state
            .iter()
            .zip(&moved)
            .map(|(y, v)| y + step * v)
            .collect();
        let Some(root) = equations.solve(&start, f64::INFINITY) else {
            return false;
        };
        let far = |a: &[f64], b: &[f64]| {
            let pairs = a.iter().zip(b).zip(size);
            pairs
                .map(|((a, b), size)| ((a - b) / size).abs())
                .fold(0.0, f64::max)
        };
        far(&root.state, place.state) > 0.5 * far(&start, place.state)
    };
    border.into_iter().all(|mode| {
        !mode.is_pair()
            && mode.geometric == mode.multiplicity
            && !mode.directions.is_empty()
            && mode.directions.iter().all(|direction| {
                [-1e-2, -1e-3, 1e-3, 1e-2]
                    .iter()
                    .all(|step| stays(&direction.real, *step))
            })
    })
}

fn determinant(matrix: &DMatrix<f64>) -> f64 {
    if let (2, [a, c, b, d]) = (matrix.nrows(), matrix.as_slice()) {
        return a * d - b * c;
    }
    matrix.determinant()
}

/// Judges a steady state, with its type.
pub(super) fn stability(
    dynamics: &dyn Dynamics,
    motion: Motion,
    time: f64,
    state: &[f64],
    tolerances: &Tolerances,
    kept: &[Kept],
) -> (Stability, Option<Class>) {
    let place = Place {
        dynamics,
        motion,
        time,
        state,
        tolerances,
        laws: &[],
    };
    let Some(found) = linear_part(&place, kept) else {
        return (Stability::Unknown, None);
    };
    let class = found.class;
    let stability = match (class.leading, class.attracts()) {
        (None, _) => Stability::Rigid,
        (Some(leading), Some(true)) => Stability::Attracts(leading),
        (Some(leading), _) if class.unstable > 0 => Stability::Repels(leading),
        (Some(leading), _) => Stability::Undecided(leading),
    };
    (stability, Some(class))
}

/// The Jacobian on the states that can vary.
pub(super) struct Reduced {
    pub matrix: DMatrix<f64>,
    /// Positions of these states.
    pub free: Vec<usize>,
    /// Positions of the others, and minus how they follow: a row for each.
    dependent: Vec<usize>,
    follows: DMatrix<f64>,
    constraints: usize,
}

impl Reduced {
    /// A change of the free states in their sizes as a change of all states in their units.
    pub fn lifted(&self, free: &[f64], sizes: &[f64]) -> Vec<f64> {
        let mut all = vec![0.0; sizes.len()];
        for (at, value) in self.free.iter().zip(free) {
            all[*at] = value * sizes[*at];
        }
        for (row, at) in self.dependent.iter().enumerate() {
            let change = free.iter().enumerate();
            let change: f64 = change.map(|(j, x)| self.follows[(row, j)] * x).sum();
            all[*at] = -change * sizes[*at];
        }
        all
    }
}

/// The Jacobian on the free states: with G dy = 0 (rows of constraints, and laws), dependent
/// states follow as dy_D = -G_D^-1 G_K dy_K.
fn reduced(
    jacobian: &DMatrix<f64>,
    algebraic: &[bool],
    sizes: &[f64],
    kept: &[Kept],
) -> Option<Reduced> {
    let n = jacobian.nrows();
    let is_algebraic = |i: usize| algebraic.get(i).copied().unwrap_or(false);
    let mut dependent: Vec<usize> = (0..n).filter(|i| is_algebraic(*i)).collect();
    let constraints = dependent.len();
    dependent.extend(kept.iter().map(|kept| kept.row));
    let free: Vec<usize> = (0..n).filter(|i| !dependent.contains(i)).collect();
    if dependent.is_empty() {
        return Some(Reduced {
            matrix: jacobian.clone(),
            follows: DMatrix::zeros(0, n),
            free,
            dependent,
            constraints,
        });
    }
    let mut rows = DMatrix::zeros(dependent.len(), n);
    for (at, i) in dependent.iter().take(constraints).enumerate() {
        rows.row_mut(at).copy_from(&jacobian.row(*i));
    }
    for (at, kept) in kept.iter().enumerate() {
        for (column, w) in &kept.law.terms {
            rows[(constraints + at, *column)] += w * sizes[*column];
        }
    }
    let of = |matrix: &DMatrix<f64>, columns: &[usize]| matrix.select_columns(columns);
    let follows = of(&rows, &dependent).lu().solve(&of(&rows, &free))?;
    let drift = jacobian.select_rows(&free);
    Some(Reduced {
        matrix: of(&drift, &free) - of(&drift, &dependent) * &follows,
        follows,
        free,
        dependent,
        constraints,
    })
}
