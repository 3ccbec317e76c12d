//! From the eigenvalues at a fixed point to its type.
//!
//! In: the eigenvalues of the linear part of a flow, or the multipliers of a map. Out: a
//! [`Class`], as data.
//!
//! The words are those of S. H. Strogatz, Nonlinear Dynamics and Chaos (1994), chapters 5, 6 and
//! 10: figure 5.2.8 for two dimensions. In more dimensions a node has real eigenvalues only, a
//! spiral has a complex pair among eigenvalues of one sign, and a saddle has both signs.

use super::continuation::Motion;
use super::eigen::Mode;
use super::spectrum::Eigenvalue;

/// Whether nearby states come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// They do.
    Stable,
    /// They all go away.
    Unstable,
}

/// The type of a fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Real eigenvalues of one sign.
    Node(Side),
    /// One eigenvalue, and every direction is an eigenvector.
    Star(Side),
    /// A repeated leading eigenvalue that lacks eigenvectors.
    DegenerateNode(Side),
    /// Eigenvalues on one side, some complex.
    Spiral(Side),
    /// Eigenvalues on both sides, none between.
    Saddle,
    /// Complex pairs on the border, and nothing beyond it. Of a nonlinear system this says
    /// nothing but that the linear part is one: see [`Class::linear`].
    Center,
    /// Fixed points fill a line, or a space of [`Class::border`] dimensions.
    Continuum,
    /// A line of fixed points beside which everything moves uniformly along it: a zero eigenvalue
    /// that lacks eigenvectors, in a linear system.
    UniformMotion,
    /// Eigenvalues lie on the border as far as rounding can tell.
    Undecided,
    /// Nothing can vary.
    Rigid,
}

/// How a map comes to a fixed point or leaves it: by its leading multiplier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approach {
    /// Positive: from one side.
    Monotone,
    /// Negative: from both sides in turn.
    Alternating,
    /// Complex: turning.
    Rotating,
    /// All multipliers are zero: the linear part is gone after so many steps.
    DeadBeat(usize),
}

/// What the linear part at a fixed point says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Class {
    /// Of a flow or of a map.
    pub motion: Motion,
    /// The type.
    pub kind: Kind,
    /// Dimensions in which nearby states come back.
    pub stable: usize,
    /// Dimensions that the linear part does not decide.
    pub border: usize,
    /// Dimensions in which they go away.
    pub unstable: usize,
    /// True when a pair is complex.
    pub turns: bool,
    /// The eigenvalue of the largest real part, or the multiplier of the largest modulus; `None`
    /// when nothing can vary.
    pub leading: Option<Eigenvalue>,
    /// Of maps: how the leading multiplier moves states.
    pub approach: Option<Approach>,
    /// Distance of the closest eigenvalue to the border (imaginary axis, unit circle).
    pub margin: f64,
    /// How far rounding may move that eigenvalue.
    pub rounding: f64,
    /// True when the equations are linear, so that the linear part is all there is.
    pub linear: bool,
}

impl Class {
    /// Whether nearby states come back; `None` when the linear part does not tell.
    #[must_use]
    pub fn attracts(&self) -> Option<bool> {
        if self.unstable > 0 {
            Some(false)
        } else if self.border > 0 {
            // A linear system with a zero eigenvalue or a center keeps its distance.
            self.linear.then_some(false)
        } else {
            Some(true)
        }
    }

    /// True for two and more dimensions on each side with turning, or one and a turning pair: a
    /// saddle-focus.
    #[must_use]
    pub fn is_saddle_focus(&self) -> bool {
        self.kind == Kind::Saddle && self.turns
    }
}

/// On which side of the border an eigenvalue lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Inside,
    Border,
    Outside,
}

/// Signed distance to the border: below zero where states come back.
#[must_use]
pub fn beyond(motion: Motion, value: Eigenvalue) -> f64 {
    match motion {
        Motion::Flow => value.real,
        Motion::Map => value.modulus() - 1.0,
    }
}

fn place(motion: Motion, mode: &Mode) -> Place {
    let beyond = beyond(motion, mode.value);
    if beyond.abs() <= mode.error {
        Place::Border
    } else if beyond < 0.0 {
        Place::Inside
    } else {
        Place::Outside
    }
}

/// The type of a fixed point. `modes` are eigenvalues of the Jacobian of a flow, or multipliers of
/// a map, on the states that can vary, leading ones first; `linear` says that the equations are.
#[must_use]
pub fn classify(motion: Motion, modes: &[Mode], linear: bool) -> Class {
    let count = |wanted: Place| {
        let there = modes.iter().filter(|mode| place(motion, mode) == wanted);
        there.map(Mode::dimension).sum::<usize>()
    };
    let nearest = modes.iter().min_by(|a, b| {
        let distance = |mode: &Mode| beyond(motion, mode.value).abs();
        distance(a).total_cmp(&distance(b))
    });
    let mut class = Class {
        motion,
        kind: Kind::Rigid,
        stable: count(Place::Inside),
        border: count(Place::Border),
        unstable: count(Place::Outside),
        turns: modes.iter().any(Mode::is_pair),
        leading: modes.first().map(|mode| mode.value),
        approach: None,
        margin: nearest.map_or(f64::INFINITY, |mode| beyond(motion, mode.value).abs()),
        rounding: nearest.map_or(0.0, |mode| mode.error),
        linear,
    };
    class.kind = kind(&class, modes);
    if motion == Motion::Map {
        class.approach = approach(modes);
    }
    class
}

fn kind(class: &Class, modes: &[Mode]) -> Kind {
    if modes.is_empty() {
        return Kind::Rigid;
    }
    if class.border > 0 {
        return on_the_border(class, modes);
    }
    let side = match (class.stable, class.unstable) {
        (_, 0) => Side::Stable,
        (0, _) => Side::Unstable,
        _ => return Kind::Saddle,
    };
    match modes {
        _ if class.turns => Kind::Spiral(side),
        [only] if only.multiplicity > 1 && only.geometric == only.multiplicity => Kind::Star(side),
        [first, ..] if first.geometric < first.multiplicity => Kind::DegenerateNode(side),
        _ => Kind::Node(side),
    }
}

fn on_the_border(class: &Class, modes: &[Mode]) -> Kind {
    let border: Vec<&Mode> = modes
        .iter()
        .filter(|mode| place(class.motion, mode) == Place::Border)
        .collect();
    if class.unstable == 0 && border.iter().all(|mode| mode.is_pair()) {
        return Kind::Center;
    }
    let is_fixed = |mode: &&Mode| {
        let one = match class.motion {
            Motion::Flow => mode.value.real.abs(),
            Motion::Map => (mode.value.real - 1.0).abs(),
        };
        !mode.is_pair() && one <= mode.error
    };
    let complete = border
        .iter()
        .all(|mode| mode.geometric == mode.multiplicity);
    match class.linear && border.iter().all(is_fixed) {
        true if complete => Kind::Continuum,
        true => Kind::UniformMotion,
        false => Kind::Undecided,
    }
}

fn approach(modes: &[Mode]) -> Option<Approach> {
    let leading = modes.first()?;
    Some(if leading.value.modulus() <= leading.error {
        // The size of the largest Jordan block is at most this.
        Approach::DeadBeat(
            leading.multiplicity + 1 - leading.geometric.clamp(1, leading.multiplicity),
        )
    } else if leading.is_pair() {
        Approach::Rotating
    } else if leading.value.real > 0.0 {
        Approach::Monotone
    } else {
        Approach::Alternating
    })
}
