//! What a caller chooses before a run: method, tolerances, limits and output times.
//!
//! In: names and numbers. Out: plain data. Must not know: models, solver crates, the terminal.

use std::fmt;
use std::str::FromStr;

/// An integration method, or the choice of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Chosen from the Jacobian at the start, and changed during the run when the problem turns
    /// stiff or stops being so: Tsit5, and Rodas or, for large systems whose matrices are dear to
    /// factorise, BDF. With constraints: Rodas.
    Auto,
    /// Explicit Runge-Kutta of order 5 with its free interpolant of order 4: for problems that
    /// are not stiff. Six evaluations a step; nothing is allocated on the way. Tsitouras, Comput.
    /// Math. Appl. 62 (2011) 770-775.
    Tsit5,
    /// Rosenbrock method of order 5 with embedded order 4 (Rodas5P), stiffly accurate, with exact
    /// Jacobian and an interpolant of order 4: for stiff problems and constraints of index 1. Eight
    /// evaluations and one factorisation a step, no iterations. Steinebach, BIT 63 (2023) 27.
    Rodas,
    /// The matrix exponential: exact for equations that are linear with constant coefficients
    /// between interruptions, and for no others. Higham, SIAM J. Matrix Anal. Appl. 26 (2005)
    /// 1179-1193.
    Exponential,
    /// Backward differentiation (NDF coefficients), orders 1 to 5, variable step: for stiff
    /// problems. Shampine & Reichelt, SIAM J. Sci. Comput. 18 (1997) 1-22.
    Bdf,
    /// Trapezoidal rule and BDF2 in one step, order 2, L-stable: for stiff problems at loose
    /// tolerances. Hosea & Shampine, Appl. Numer. Math. 20 (1996) 21-37.
    TrBdf2,
    /// Explicit first stage, singly diagonally implicit Runge-Kutta of order 3, L-stable.
    /// Jorgensen, Kristensen & Thomsen, arXiv:1803.01613.
    Esdirk34,
    /// The pair of [`Method::Tsit5`] in the crate that also provides BDF: a second opinion.
    /// Tsitouras, Comput. Math. Appl. 62 (2011) 770-775.
    Tsit45,
    /// One step of a map after the other: exact, and the only one for maps.
    Iteration,
    /// Noise: y + f h + B dW with steps of fixed length; strong order 1/2 (1 for additive noise),
    /// weak order 1. Maruyama, Rend. Circ. Mat. Palermo 4 (1955) 48-90.
    EulerMaruyama,
    /// Noise: with the derivatives of B, strong order 1 where the columns of B commute. Milstein,
    /// Theory Probab. Appl. 19 (1975) 557-562.
    Milstein,
    /// Noise: Runge-Kutta method of strong order 3/2 for additive noise, fixed steps. Rossler, SIAM
    /// J. Numer. Anal. 48 (2010) 922-952.
    Sra1,
    /// Noise: Runge-Kutta method of strong order 3/2 for additive, scalar and diagonal noise, with
    /// steps of its own choosing on one Brownian path. Rossler, SIAM J. Numer. Anal. 48 (2010)
    /// 922-952; steps as of Gaines & Lyons, SIAM J. Appl. Math. 57 (1997) 1455-1484.
    Srk,
    /// Noise: implicit in the drift, for stiff drifts, fixed steps. Kloeden & Platen, Numerical
    /// Solution of Stochastic Differential Equations (1992), section 12.2.
    ImplicitEuler,
    /// Noise: the exact transition of a linear equation with additive noise. Van Loan, IEEE Trans.
    /// Automat. Contr. 23 (1978) 395-404.
    ExactTransition,
    /// Reactions: the chemical Langevin equation, by Euler-Maruyama. Gillespie, J. Chem. Phys. 113
    /// (2000) 297-306.
    Langevin,
    /// Reactions: every single one, exactly. Gillespie, J. Phys. Chem. 81 (1977) 2340-2361; Gibson
    /// & Bruck, J. Phys. Chem. A 104 (2000) 1876-1889.
    Ssa,
    /// Reactions: many at a time. Cao, Gillespie & Petzold, J. Chem. Phys. 124 (2006) 044109.
    Tau,
}

impl Method {
    /// Every method of flows, in the order of the manual.
    pub const ALL: [Method; 8] = [
        Method::Auto,
        Method::Tsit5,
        Method::Rodas,
        Method::Exponential,
        Method::Bdf,
        Method::TrBdf2,
        Method::Esdirk34,
        Method::Tsit45,
    ];

    /// Every method of models with noise, in the order of the manual.
    pub const OF_NOISE: [Method; 9] = [
        Method::EulerMaruyama,
        Method::Milstein,
        Method::Sra1,
        Method::Srk,
        Method::ImplicitEuler,
        Method::ExactTransition,
        Method::Langevin,
        Method::Ssa,
        Method::Tau,
    ];

    /// The name used in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Method::Auto => "auto",
            Method::Tsit5 => "tsit5",
            Method::Rodas => "rodas",
            Method::Exponential => "exponential",
            Method::Bdf => "bdf",
            Method::TrBdf2 => "tr_bdf2",
            Method::Esdirk34 => "esdirk34",
            Method::Tsit45 => "tsit45",
            Method::Iteration => "iteration",
            Method::EulerMaruyama => "euler_maruyama",
            Method::Milstein => "milstein",
            Method::Sra1 => "sra1",
            Method::Srk => "srk",
            Method::ImplicitEuler => "implicit_euler",
            Method::ExactTransition => "exact",
            Method::Langevin => "langevin",
            Method::Ssa => "ssa",
            Method::Tau => "tau",
        }
    }

    /// Whether the method counts molecules: every single reaction, or many at a time.
    pub fn counts_reactions(self) -> bool {
        matches!(self, Method::Ssa | Method::Tau)
    }

    /// Whether the method is for reactions, which have noise of their own then.
    pub fn is_of_reactions(self) -> bool {
        self == Method::Langevin || self.counts_reactions()
    }

    /// Whether the method makes paths with steps that it chooses itself.
    pub fn chooses_steps_of_paths(self) -> bool {
        matches!(self, Method::Srk | Method::ExactTransition) || self.counts_reactions()
    }

    /// Whether the method bounds its errors by tolerances.
    pub fn has_tolerances(self) -> bool {
        self == Method::Srk || !Method::OF_NOISE.contains(&self)
    }

    /// Whether the method solves constraints, 0 = f, along with differential equations.
    pub fn solves_constraints(self) -> bool {
        matches!(self, Method::Auto | Method::Rodas)
    }

    /// Whether the method solves no equations within a step.
    pub fn is_explicit(self) -> bool {
        match self {
            Method::Tsit5 | Method::Tsit45 | Method::Exponential | Method::Iteration => true,
            Method::ImplicitEuler => false,
            _ => Method::OF_NOISE.contains(&self),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is neither one of [`Method::ALL`] nor of [`Method::OF_NOISE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMethod(pub String);

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        let all = Method::ALL.into_iter().chain(Method::OF_NOISE);
        let found = all.into_iter().find(|m| m.name() == name);
        found.ok_or_else(|| UnknownMethod(name.to_owned()))
    }
}

/// The local error allowed in state i: `absolute[i] + relative * |y_i|`, in the root mean square
/// over the states. Tsit5 and Rodas take the larger of |y_i| before and after the step.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerances {
    /// Positive; the same for all states.
    pub relative: f64,
    /// One per state, not negative; positive wherever the state can be zero.
    pub absolute: Vec<f64>,
}

impl Tolerances {
    /// The same absolute tolerance for each of `dimension` states.
    pub fn uniform(relative: f64, absolute: f64, dimension: usize) -> Self {
        Tolerances {
            relative,
            absolute: vec![absolute; dimension],
        }
    }
}

/// What makes one path of a model with noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// Of all paths.
    pub seed: u64,
    /// Which of them. Its random numbers are those of [`crate::kernel::Stream::new`].
    pub path: u64,
    /// Length of the steps of a method that does not choose them itself.
    pub step: Option<f64>,
    /// States that fall below zero are set to zero, and counted.
    pub non_negative: bool,
}

/// How a run is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The method, or [`Method::Auto`].
    pub method: Method,
    /// Local error allowed.
    pub tolerances: Tolerances,
    /// Accepted steps after which a run gives up with [`crate::simulate::Stop::TooManySteps`].
    pub max_steps: u64,
    /// Length of the first step; `None` estimates it (Hairer, Norsett & Wanner, section II.4).
    pub initial_step: Option<f64>,
    /// Longest step allowed; for inputs that a long step would jump over.
    pub max_step: Option<f64>,
    /// Rows of [`Output::Steps`] before this time are not kept; one stands at it.
    pub shown_from: Option<f64>,
    /// Of a model with noise.
    pub chance: Option<Chance>,
}

impl Options {
    /// The step cap of [`Options::new`]. Ten million steps of a small system take some ten
    /// seconds: far beyond any sensible run, but no endless loop.
    pub const MAX_STEPS: u64 = 10_000_000;

    /// Automatic method and step sizes, and the default step cap.
    pub fn new(tolerances: Tolerances) -> Self {
        Options {
            method: Method::Auto,
            tolerances,
            max_steps: Self::MAX_STEPS,
            initial_step: None,
            max_step: None,
            shown_from: None,
            chance: None,
        }
    }

    /// The same options with another method.
    pub fn with_method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }
}

/// Which times become rows of the solution.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// The start, the end, every accepted step, and `interior` equally spaced points inside each
    /// step by the method's own interpolant. A run with very many steps keeps every second, fourth,
    /// ... of these rows, and always the last: [`crate::simulate::Solution::kept_every`].
    Steps {
        /// Points strictly inside each step.
        interior: usize,
    },
    /// Exactly these times, ascending, from the start to the end of the run. Values inside a step
    /// come from the method's own interpolant: the steps do not depend on the times asked for.
    ///
    /// The interpolants are those of Tsit5 and Rodas, both of order 4, BDF's own polynomial, Tsit45's
    /// of order 4, TR-BDF2's quadratic and ESDIRK34's cubic Hermite. On an oscillator the errors
    /// inside steps exceed those at steps by at most a tenth.
    Times(Vec<f64>),
    /// The moments at which this event of the system happens, with the state after it. Of very many
    /// moments every second, fourth, ... is kept.
    Event(usize),
}
