//! What may be asked of a state of rest, and how far its linear part is from it.
//!
//! In: a kind by name, a linear part. Out: whether it is of that kind, and margins: numbers that are
//! positive where it is, negative where it is not, and smooth where they are zero, so that a search can
//! stay within the kind. Sides are judged by the distance of eigenvalues from the border (imaginary
//! axis, unit circle); turning by the square of the difference of the two closest eigenvalues, which
//! is negative for a complex pair and passes smoothly through zero where two real ones meet.

use super::classify::{Kind, Side, beyond};
use super::eigen::Mode;
use super::spectrum::Linearised;

/// A kind of state of rest that holds on whole regions of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Nearby states come back.
    Stable,
    /// Some go away.
    Unstable,
    /// Real eigenvalues on one side.
    Node(Option<Side>),
    /// Eigenvalues on one side, some complex.
    Spiral(Option<Side>),
    /// Eigenvalues on both sides.
    Saddle,
    /// The same with a complex pair.
    SaddleFocus,
    /// States go away turning: a complex pair on the unstable side.
    Oscillates,
}

impl Demand {
    /// The kinds that go by names, without [`Demand::Oscillates`].
    pub const NAMED: [(&'static str, Demand); 10] = [
        ("stable", Demand::Stable),
        ("unstable", Demand::Unstable),
        ("stable node", Demand::Node(Some(Side::Stable))),
        ("stable spiral", Demand::Spiral(Some(Side::Stable))),
        ("unstable node", Demand::Node(Some(Side::Unstable))),
        ("unstable spiral", Demand::Spiral(Some(Side::Unstable))),
        ("node", Demand::Node(None)),
        ("spiral", Demand::Spiral(None)),
        ("saddle", Demand::Saddle),
        ("saddle focus", Demand::SaddleFocus),
    ];

    /// The kind of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Demand> {
        let mut all = Demand::NAMED.into_iter();
        all.find(|(known, _)| *known == name).map(|(_, kind)| kind)
    }

    /// True where a state of rest is of this kind. One on the border is of none.
    #[must_use]
    pub fn holds(self, linear: &Linearised) -> bool {
        let class = &linear.class;
        let is_on = |side: Option<Side>, of: Side| side.is_none_or(|side| side == of);
        match self {
            Demand::Stable => class.stable > 0 && class.border + class.unstable == 0,
            Demand::Unstable => class.unstable > 0,
            Demand::Node(side) => match class.kind {
                // Equal eigenvalues are real ones.
                Kind::Node(of) | Kind::Star(of) | Kind::DegenerateNode(of) => is_on(side, of),
                _ => false,
            },
            Demand::Spiral(side) => matches!(class.kind, Kind::Spiral(of) if is_on(side, of)),
            Demand::Saddle => class.kind == Kind::Saddle,
            Demand::SaddleFocus => class.is_saddle_focus(),
            Demand::Oscillates => {
                let unstable = |mode: &&Mode| beyond(class.motion, mode.value) > mode.error;
                let mut all = linear.modes.iter().filter(unstable);
                all.any(Mode::is_pair)
            }
        }
    }

    /// How far a linear part is inside of this kind: all positive inside. As many for every linear
    /// part.
    #[must_use]
    pub fn margins(self, linear: &Linearised) -> Vec<f64> {
        let of = |mode: &Mode| beyond(linear.class.motion, mode.value);
        let all = linear.modes.iter().map(of);
        let most = all.clone().fold(f64::NEG_INFINITY, f64::max);
        let least = all.fold(f64::INFINITY, f64::min);
        if linear.modes.is_empty() {
            // Nothing can vary, so that nothing is of any kind.
            return vec![-1.0; self.count()];
        }
        let on = |side: Option<Side>| match side {
            Some(Side::Stable) => -most,
            Some(Side::Unstable) => least,
            None => least.max(-most),
        };
        match self {
            Demand::Stable => vec![-most],
            Demand::Unstable => vec![most],
            Demand::Node(side) => vec![on(side), -turning(&linear.modes)],
            Demand::Spiral(side) => vec![on(side), turning(&linear.modes)],
            Demand::Saddle => vec![most, -least],
            Demand::SaddleFocus => vec![most, -least, turning(&linear.modes)],
            Demand::Oscillates => {
                let pairs = linear.modes.iter().filter(|mode| mode.is_pair());
                let leading = pairs.max_by(|a, b| of(a).total_cmp(&of(b)));
                match leading {
                    Some(pair) => vec![of(pair), 4.0 * pair.value.imaginary.powi(2)],
                    None => vec![most, turning(&linear.modes)],
                }
            }
        }
    }

    fn count(self) -> usize {
        match self {
            Demand::Stable | Demand::Unstable => 1,
            Demand::Node(_) | Demand::Spiral(_) | Demand::Saddle | Demand::Oscillates => 2,
            Demand::SaddleFocus => 3,
        }
    }
}

/// Minus the square of the smallest difference between eigenvalues: positive where there are
/// complex pairs, for the one that turns fastest.
fn turning(modes: &[Mode]) -> f64 {
    let pairs = modes.iter().filter(|mode| mode.is_pair());
    let fastest = pairs.map(|mode| mode.value.imaginary).fold(0.0, f64::max);
    if fastest > 0.0 {
        return 4.0 * fastest * fastest;
    }
    let mut values: Vec<f64> = modes.iter().map(|mode| mode.value.real).collect();
    values.sort_by(f64::total_cmp);
    let gaps = values.windows(2).map(|two| match two {
        [a, b] => (b - a) * (b - a),
        _ => f64::INFINITY,
    });
    let closest = gaps.fold(f64::INFINITY, f64::min);
    // A single eigenvalue has nothing to form a pair with.
    if closest.is_finite() { -closest } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::classify::classify;
    use crate::analyze::continuation::Motion;
    use crate::analyze::spectrum::Eigenvalue;

    fn linear(values: &[(f64, f64)]) -> Linearised {
        let mut modes: Vec<Mode> = values
            .iter()
            .map(|(real, imaginary)| Mode {
                value: Eigenvalue {
                    real: *real,
                    imaginary: *imaginary,
                },
                multiplicity: 1,
                directions: Vec::new(),
                geometric: 1,
                error: 1e-12,
            })
            .collect();
        modes.sort_by(|a, b| b.value.real.total_cmp(&a.value.real));
        Linearised {
            jacobian: Vec::new(),
            trace: 0.0,
            determinant: 0.0,
            class: classify(Motion::Flow, &modes, false),
            modes,
            kept: (0, 0),
            constraints: 0,
        }
    }

    /// The kinds of S. H. Strogatz, Nonlinear Dynamics and Chaos (1994), figure 5.2.8, by name.
    #[test]
    fn a_kind_holds_where_all_its_margins_are_positive() {
        type Case = (&'static [(f64, f64)], &'static [&'static str]);
        let cases: [Case; 8] = [
            (
                &[(-1.0, 0.0), (-3.0, 0.0)],
                &["stable", "stable node", "node"],
            ),
            (
                &[(1.0, 0.0), (3.0, 0.0)],
                &["unstable", "unstable node", "node"],
            ),
            (&[(-1.0, 2.0)], &["stable", "stable spiral", "spiral"]),
            (&[(1.0, 2.0)], &["unstable", "unstable spiral", "spiral"]),
            (&[(-1.0, 0.0), (2.0, 0.0)], &["unstable", "saddle"]),
            (
                &[(-1.0, 2.0), (2.0, 0.0)],
                &["unstable", "saddle", "saddle focus"],
            ),
            (&[(0.0, 2.0)], &[]),
            (&[(-1.0, 0.0)], &["stable", "stable node", "node"]),
        ];
        for (values, names) in cases {
            let linear = linear(values);
            for (name, kind) in Demand::NAMED {
                let expected = names.contains(&name);
                assert_eq!(kind.holds(&linear), expected, "{name} of {values:?}");
                let margins = kind.margins(&linear);
                let inside = margins.iter().all(|margin| *margin > 0.0);
                assert_eq!(inside, expected, "{name} of {values:?}: {margins:?}");
                assert_eq!(margins.len(), kind.count());
            }
        }
    }

    #[test]
    fn oscillations_need_a_pair_that_goes_away() {
        let holds = |values: &[(f64, f64)]| {
            let linear = linear(values);
            let inside = Demand::Oscillates.margins(&linear).iter().all(|m| *m > 0.0);
            assert_eq!(Demand::Oscillates.holds(&linear), inside, "{values:?}");
            inside
        };
        assert!(holds(&[(0.1, 2.0)]));
        assert!(holds(&[(0.1, 2.0), (-5.0, 0.0)]));
        assert!(!holds(&[(-0.1, 2.0)]));
        assert!(!holds(&[(0.1, 0.0), (0.3, 0.0)]));
        // The pair comes back, and what goes away does not turn.
        assert!(!holds(&[(0.1, 0.0), (-0.3, 1.0)]));
    }
}
