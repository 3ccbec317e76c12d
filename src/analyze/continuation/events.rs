//! What happens on the way along a branch of equilibria or fixed points: the test functions of
//! flows and maps, where they vanish, and what that means.
//!
//! W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), chapter 4.
//! Enters: neighbouring sites of a curve. Leaves: special places between them, to round-off.

use super::curve::{Corrector, Site};
use super::linear::{eigenvalues, norm, unit};
use super::polish::{self, Critical};
use super::{Family, Motion};
use nalgebra::Complex;

/// What may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Fold,
    Branch,
    Hopf,
    Doubling,
    Circle,
    Alternation,
}

const OF_FLOWS: [Test; 3] = [Test::Branch, Test::Fold, Test::Hopf];
const OF_MAPS: [Test; 5] = [
    Test::Branch,
    Test::Fold,
    Test::Doubling,
    Test::Circle,
    Test::Alternation,
];
/// Room for all tests of one motion.
pub(super) const TESTS: usize = 5;

/// The tests of a motion.
pub(super) fn tests(motion: Motion) -> &'static [Test] {
    match motion {
        Motion::Flow => &OF_FLOWS,
        Motion::Map => &OF_MAPS,
    }
}

/// What is seen at a site.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Rates of a flow, multipliers of a map; `None` when they cannot be computed.
    pub eigenvalues: Option<Vec<Complex<f64>>>,
    /// How many directions leave.
    pub unstable: Option<usize>,
    /// A value for each test; NaN where there is none.
    pub values: [f64; TESTS],
}

/// A place where something happens.
pub(super) struct Event {
    pub test: Test,
    pub site: Site,
    /// The part of the way between the two sites.
    pub part: f64,
    /// The frequency of a Hopf point, the angle of a Neimark-Sacker point.
    pub turn: f64,
}

/// An eigenvalue this close to the axis, or to the circle, beside the largest, is on it.
const ROUND_OFF: f64 = 1e-11;
/// What a polish leaves of a zero, in scales.
const ZERO: f64 = 1e-14;
/// Pairs with a smaller imaginary part beside the largest eigenvalue are real.
const REAL: f64 = 1e-6;
/// Pairs of eigenvalues are tested one by one up to this size.
const MOST_PAIRED: usize = 300;

/// Looks at a site.
pub(super) fn look(family: &dyn Family, site: &Site) -> Seen {
    let eigenvalues = eigenvalues(family, &site.jacobian, &site.scale);
    let mut values = [f64::NAN; TESTS];
    let motion = family.motion();
    for (value, test) in values.iter_mut().zip(tests(motion)) {
        *value = match test {
            Test::Fold => site.tangent.last().copied().unwrap_or(f64::NAN),
            Test::Branch => site.sign,
            _ => eigenvalues
                .as_deref()
                .map_or(f64::NAN, |values| of_eigenvalues(*test, values)),
        };
    }
    let unstable = eigenvalues.as_deref().map(|values| leaving(motion, values));
    Seen {
        eigenvalues,
        unstable,
        values,
    }
}

fn leaving(motion: Motion, values: &[Complex<f64>]) -> usize {
    let radius = values.iter().map(|z| z.norm()).fold(0.0, f64::max);
    let leaves = |z: &&Complex<f64>| match motion {
        Motion::Flow => z.re > ROUND_OFF * radius,
        Motion::Map => z.norm() > 1.0 + ROUND_OFF,
    };
    values.iter().filter(leaves).count()
}

fn of_eigenvalues(test: Test, values: &[Complex<f64>]) -> f64 {
    match test {
        Test::Hopf => closest_pair(values, |a, b| a + b).map_or(f64::NAN, |pair| pair.value),
        Test::Circle => {
            closest_pair(values, |a, b| a * b - 1.0).map_or(f64::NAN, |pair| pair.value)
        }
        Test::Doubling => signed_least(values.iter().map(|z| z + 1.0)),
        Test::Alternation => signed_least(values.iter().copied()),
        Test::Fold | Test::Branch => f64::NAN,
    }
}

/// The smallest modulus, with the sign of the product of all.
fn signed_least(values: impl Iterator<Item = Complex<f64>>) -> f64 {
    let mut sign = Complex::new(1.0, 0.0);
    let mut least = f64::INFINITY;
    for value in values {
        let size = value.norm();
        if size > 0.0 {
            sign *= value / size;
        }
        least = least.min(size);
    }
    if least.is_finite() {
        least.copysign(sign.re)
    } else {
        f64::NAN
    }
}

/// The pair of eigenvalues for which a symmetric function is closest to zero.
struct Pair {
    /// That function, with the sign of its product over all pairs.
    value: f64,
    one: Complex<f64>,
    other: Complex<f64>,
}

fn closest_pair(
    values: &[Complex<f64>],
    of: impl Fn(Complex<f64>, Complex<f64>) -> Complex<f64>,
) -> Option<Pair> {
    if values.len() > MOST_PAIRED {
        return None;
    }
    let mut sign = Complex::new(1.0, 0.0);
    let mut closest: Option<(f64, Complex<f64>, Complex<f64>)> = None;
    for (i, a) in values.iter().enumerate() {
        for b in &values[i + 1..] {
            let term = of(*a, *b);
            let size = term.norm();
            if size > 0.0 {
                sign *= term / size;
            }
            if closest.is_none_or(|known| size < known.0) {
                closest = Some((size, *a, *b));
            }
        }
    }
    let (size, one, other) = closest?;
    Some(Pair {
        value: size.copysign(sign.re),
        one,
        other,
    })
}

/// A stretch of a curve with what is seen at its ends.
pub(super) struct Stretch<'s> {
    pub from: (&'s Site, &'s Seen),
    pub to: (&'s Site, &'s Seen),
}

/// All events on a stretch, in order.
pub(super) fn events(
    family: &dyn Family,
    corrector: &mut Corrector<'_>,
    stretch: &Stretch<'_>,
) -> Vec<Event> {
    let mut found = Vec::new();
    let (a, b) = (stretch.from.1, stretch.to.1);
    for (at, test) in tests(family.motion()).iter().enumerate() {
        let (a, b) = (a.values[at], b.values[at]);
        if a * b < 0.0 || (b == 0.0 && a != 0.0 && !a.is_nan()) {
            let event = locate(family, corrector, stretch, *test)
                .and_then(|(part, site)| refined(family, corrector, stretch, *test, part, site));
            found.extend(event);
        }
    }
    found.sort_by(|a: &Event, b| a.part.total_cmp(&b.part));
    found
}

/// Whether a change in the number of directions that leave follows from events.
pub(super) fn explains(events: &[Event], before: usize, after: usize) -> bool {
    let (mut ones, mut twos) = (0_usize, 0_usize);
    for event in events {
        match event.test {
            Test::Fold | Test::Branch | Test::Doubling => ones += 1,
            Test::Hopf | Test::Circle => twos += 1,
            Test::Alternation => {}
        }
    }
    let change = before.abs_diff(after);
    let most = ones + 2 * twos;
    // Sums of +-1 and +-2: of pairs alone every second even number.
    let is_sum = if ones == 0 {
        change % 4 == most % 4
    } else {
        change % 2 == ones % 2
    };
    change <= most && is_sum
}

/// The place where a test vanishes, by the Illinois variant of false position, and by bisection
/// where only the sign is known.
fn locate(
    family: &dyn Family,
    corrector: &mut Corrector<'_>,
    stretch: &Stretch<'_>,
    test: Test,
) -> Option<(f64, Site)> {
    let at = tests(family.motion()).iter().position(|t| *t == test)?;
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    let (mut f_low, mut f_high) = (stretch.from.1.values[at], stretch.to.1.values[at]);
    let mut best: Option<(f64, f64, Site)> = None;
    let mut side = 0;
    for round in 0..80 {
        let by_sign = test == Test::Branch || round % 8 == 7;
        let mut part = (low * f_high - high * f_low) / (f_high - f_low);
        if by_sign || !(low..=high).contains(&part) {
            part = low.midpoint(high);
        }
        let Some(site) = corrector.between(stretch.from.0, stretch.to.0, part) else {
            // Beside a crossing Newton's iteration may fail; the polish goes on from there.
            break;
        };
        let value = match test {
            Test::Branch => site.sign,
            Test::Fold => site.tangent.last().copied()?,
            _ => look(family, &site).values[at],
        };
        if value.is_nan() {
            break;
        }
        let is_better = best.as_ref().is_none_or(|known| value.abs() <= known.1);
        if is_better {
            best = Some((part, value.abs(), site));
        }
        let narrow = if test == Test::Branch { 1e-6 } else { 1e-13 };
        if value == 0.0 || high - low < narrow || value.abs() < 1e-14 {
            break;
        }
        if value * f_low < 0.0 {
            (high, f_high) = (part, value);
            if side == 1 {
                f_low /= 2.0;
            }
            side = 1;
        } else {
            (low, f_low) = (part, value);
            if side == -1 {
                f_high /= 2.0;
            }
            side = -1;
        }
    }
    let found = best.map(|(part, _, site)| (part, site));
    found.or_else(|| Some((0.5, stretch.to.0.clone())))
}

/// The event at a place: polished, unless it turns out to be none.
fn refined(
    family: &dyn Family,
    corrector: &mut Corrector<'_>,
    stretch: &Stretch<'_>,
    test: Test,
    part: f64,
    site: Site,
) -> Option<Event> {
    let values = look(family, &site).eigenvalues;
    let radius = (values.iter().flatten())
        .map(|z| z.norm())
        .fold(0.0, f64::max);
    let farthest = norm(&stretch.from.0.offset(&stretch.to.0.x));
    let mut turn = f64::NAN;
    let critical = match test {
        Test::Branch => None,
        Test::Fold => Some(Critical::Real(0.0)),
        Test::Doubling => Some(Critical::Real(-2.0)),
        Test::Alternation => Some(Critical::Real(-1.0)),
        Test::Hopf => {
            let pair = closest_pair(values.as_ref()?, |a, b| a + b)?;
            if pair.one.im.abs() <= REAL * radius
                || (pair.one.im + pair.other.im).abs() > REAL * radius
            {
                // A saddle whose eigenvalues are a and -a.
                return None;
            }
            turn = pair.one.im.abs();
            Some(Critical::Imaginary(turn))
        }
        Test::Circle => {
            let pair = closest_pair(values.as_ref()?, |a, b| a * b - 1.0)?;
            if pair.one.im.abs() <= REAL || (pair.one.im + pair.other.im).abs() > REAL {
                return None;
            }
            turn = pair.one.arg().abs();
            Some(Critical::Circle(turn))
        }
    };
    let polished = match critical {
        None => polish::crossing(family, &site.x, &site.scale, farthest)
            .map(|x| (x, Critical::Real(0.0))),
        Some(critical) => polish::critical(family, &site.x, &site.scale, critical, 0.5 * farthest),
    };
    let site = match polished {
        None => site,
        Some((mut x, critical)) => {
            let pairs = x.iter_mut().zip(&site.scale);
            let zeros = pairs.filter(|(x, scale)| x.abs() <= ZERO * **scale);
            zeros.for_each(|(x, _)| *x = 0.0);
            if let Critical::Imaginary(t) | Critical::Circle(t) = critical {
                turn = t;
            }
            corrector.site(x, &site.tangent, &site.scale)?
        }
    };
    let site = if test == Test::Branch {
        // Where branches cross, only the neighbours tell which way this one goes.
        let (a, b) = (&stretch.from.0.tangent, &stretch.to.0.tangent);
        let pairs = a.iter().zip(b);
        let tangent = unit(&pairs.map(|(a, b)| a + part * (b - a)).collect::<Vec<f64>>());
        Site { tangent, ..site }
    } else {
        site
    };
    Some(Event {
        test,
        site,
        part,
        turn,
    })
}

/// The place where the number of directions that leave changes although no test changes its sign:
/// two pairs at once, as in symmetric systems.
pub(super) fn jump(
    family: &dyn Family,
    corrector: &mut Corrector<'_>,
    stretch: &Stretch<'_>,
) -> Vec<Event> {
    let motion = family.motion();
    let before = stretch.from.1.unstable;
    let (mut low, mut high) = (0.0, 1.0);
    let mut last = stretch.to.0.clone();
    for _ in 0..45 {
        let part = 0.5 * (low + high);
        let Some(site) = corrector.between(stretch.from.0, stretch.to.0, part) else {
            break;
        };
        if look(family, &site).unstable == before {
            low = part;
        } else {
            high = part;
        }
        last = site;
    }
    let Some(values) = look(family, &last).eigenvalues else {
        return Vec::new();
    };
    let radius = values.iter().map(|z| z.norm()).fold(0.0, f64::max);
    let distance = |z: &Complex<f64>| match motion {
        Motion::Flow => z.re.abs() / radius,
        Motion::Map => (z.norm() - 1.0).abs(),
    };
    let mut events: Vec<Event> = Vec::new();
    for z in values.iter().filter(|z| distance(z) < 1e-6) {
        let event = |test, turn| Event {
            test,
            site: last.clone(),
            part: high,
            turn,
        };
        match motion {
            Motion::Flow if z.im > REAL * radius => events.push(event(Test::Hopf, z.im)),
            Motion::Map if z.im > REAL => events.push(event(Test::Circle, z.arg())),
            Motion::Map if z.im.abs() <= REAL && z.re < 0.0 => {
                events.push(event(Test::Doubling, f64::NAN));
            }
            _ if z.im.abs() <= REAL * radius && events.is_empty() => {
                events.push(event(Test::Branch, f64::NAN));
            }
            _ => {}
        }
    }
    events
}
