//! Which types of fixed point occur in a box of parameters, and whether a complex pair can cross
//! the border there.
//!
//! In: a box, and a function that gives the equilibria at a point of it. Out: a [`Survey`]. The
//! samples are those of a Kronecker sequence with the powers of the generalised golden ratio (M.
//! Roberts, The unreasonable effectiveness of quasirandom sequences, 2018): the same on every run.
//! What no sample shows is looked for by compass search (T. Kolda, R. Lewis, V. Torczon, SIAM
//! Review 45 (2003)), and crossings are refined by bisection between two samples. A survey finds,
//! it does not prove.

use super::classify::{Class, beyond};
use super::eigen::Mode;
use super::spectrum::Linearised;

/// A box of parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Side {
    /// Low end.
    pub low: f64,
    /// High end.
    pub high: f64,
    /// Sampled on a logarithmic scale; both ends are positive.
    pub logarithmic: bool,
}

/// An equilibrium at a point of the box.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The parameters that vary.
    pub point: Vec<f64>,
    /// The state.
    pub state: Vec<f64>,
    /// Its linear part.
    pub linear: Linearised,
}

/// A type with its share.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// The type.
    pub class: Class,
    /// Samples at which it occurs.
    pub samples: usize,
    /// The first of them.
    pub example: Example,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// Samples that were looked at.
    pub samples: usize,
    /// Samples at which no equilibrium was found.
    pub without: usize,
    /// Types, the most frequent first.
    pub tallies: Vec<Tally>,
    /// An equilibrium with a complex pair.
    pub complex: Option<Example>,
    /// An equilibrium whose leading eigenvalue is complex.
    pub leads: Option<Example>,
    /// An equilibrium with a complex pair on the border: where oscillations begin.
    pub crossing: Option<Example>,
    /// True when every sample is in, false when the user stopped it.
    pub complete: bool,
}

/// What a survey asks of a system.
pub trait Land {
    /// All equilibria at a point of the box that can be found near `hints`, and otherwise.
    fn equilibria(&mut self, point: &[f64], hints: &[Vec<f64>]) -> Vec<(Vec<f64>, Linearised)>;

    /// The equilibrium next to a state.
    fn follow(&mut self, point: &[f64], state: &[f64]) -> Option<(Vec<f64>, Linearised)>;

    /// True when the user wants to stop.
    fn interrupted(&self) -> bool;
}

/// Equilibria of so many earlier samples are tried at the next one.
const NEIGHBOURS: usize = 3;
/// Searches for what no sample shows begin at so many of the best samples.
const SEARCHES: usize = 4;
/// Evaluations of each.
const STEPS: usize = 160;
/// Pairs of samples between which a crossing is looked for.
const COUPLES: usize = 24;
/// Halvings of the way between them.
const HALVINGS: usize = 60;

/// Looks at `samples` points of a box.
pub fn survey(land: &mut dyn Land, sides: &[Side], samples: usize) -> Survey {
    let mut found = Survey {
        samples: 0,
        without: 0,
        tallies: Vec::new(),
        complex: None,
        leads: None,
        crossing: None,
        complete: true,
    };
    let mut seen: Vec<(Vec<f64>, Vec<Example>)> = Vec::new();
    for at in 0..samples {
        if land.interrupted() {
            found.complete = false;
            break;
        }
        let unit = place_in_unit(at, sides.len());
        let point = in_box(sides, &unit);
        let equilibria = land.equilibria(&point, &nearest(&seen, &unit));
        let examples: Vec<Example> = equilibria
            .into_iter()
            .map(|(state, linear)| Example {
                point: point.clone(),
                state,
                linear,
            })
            .collect();
        found.samples += 1;
        found.without += usize::from(examples.is_empty());
        count(&mut found.tallies, &examples);
        seen.push((unit, examples));
    }
    found
        .tallies
        .sort_by_key(|tally| std::cmp::Reverse(tally.samples));
    let all = || seen.iter().flat_map(|(_, examples)| examples);
    found.complex = all()
        .find(|example| pair(&example.linear).is_some())
        .cloned();
    found.leads = all().find(|example| leads(&example.linear)).cloned();
    if found.complete {
        search_further(land, sides, &seen, &mut found);
    }
    found
}

/// The point number `at` of the sequence in the unit cube.
fn place_in_unit(at: usize, dimension: usize) -> Vec<f64> {
    // The root of x^(d + 1) = x + 1.
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let (number, power) = (at as f64, 1.0 / (dimension as f64 + 1.0));
    let mut root = 1.5_f64;
    for _ in 0..60 {
        root = (1.0 + root).powf(power);
    }
    let mut step = 1.0;
    (0..dimension)
        .map(|_| {
            step /= root;
            (0.5 + step * (number + 1.0)).fract()
        })
        .collect()
}

fn in_box(sides: &[Side], unit: &[f64]) -> Vec<f64> {
    let pairs = sides.iter().zip(unit);
    pairs
        .map(|(side, x)| {
            if side.logarithmic {
                (side.low.ln() + x * (side.high / side.low).ln()).exp()
            } else {
                side.low + x * (side.high - side.low)
            }
        })
        .collect()
}

/// The equilibria of the closest earlier samples.
fn nearest(seen: &[(Vec<f64>, Vec<Example>)], unit: &[f64]) -> Vec<Vec<f64>> {
    let mut order: Vec<(f64, usize)> = seen
        .iter()
        .enumerate()
        .filter(|(_, (_, examples))| !examples.is_empty())
        .map(|(at, (other, _))| (distance(other, unit), at))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let close = order.iter().take(NEIGHBOURS);
    close
        .filter_map(|(_, at)| seen.get(*at))
        .flat_map(|(_, examples)| examples.iter().map(|example| example.state.clone()))
        .collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Adds what a sample shows, each type once.
fn count(tallies: &mut Vec<Tally>, examples: &[Example]) {
    let mut counted: Vec<usize> = Vec::new();
    for example in examples {
        let class = &example.linear.class;
        let same = |known: &Class| {
            known.kind == class.kind
                && known.approach == class.approach
                && known.turns == class.turns
                && (known.stable, known.border, known.unstable)
                    == (class.stable, class.border, class.unstable)
        };
        match tallies.iter().position(|tally| same(&tally.class)) {
            Some(at) if counted.contains(&at) => {}
            Some(at) => {
                counted.push(at);
                tallies[at].samples += 1;
            }
            None => {
                counted.push(tallies.len());
                tallies.push(Tally {
                    class: *class,
                    samples: 1,
                    example: example.clone(),
                });
            }
        }
    }
}

/// The complex pair closest to leaving the stable side.
fn pair(linear: &Linearised) -> Option<&Mode> {
    // Leading ones come first.
    linear.modes.iter().find(|mode| mode.is_pair())
}

fn leads(linear: &Linearised) -> bool {
    linear.modes.first().is_some_and(Mode::is_pair)
}

/// Signed distance of the pair to the border; nothing where it lies on it within rounding.
fn side(linear: &Linearised) -> Option<f64> {
    let mode = pair(linear)?;
    let beyond = beyond(linear.class.motion, mode.value);
    (beyond.abs() > mode.error).then_some(beyond)
}

fn search_further(
    land: &mut dyn Land,
    sides: &[Side],
    seen: &[(Vec<f64>, Vec<Example>)],
    found: &mut Survey,
) {
    if found.complex.is_none() {
        found.complex = compass(land, sides, seen, &|linear| closeness(linear));
    }
    found.crossing = between(land, sides, seen);
    if found.crossing.is_some() || found.complex.is_none() {
        return;
    }
    // Only one side was seen: towards the other one.
    let signs: Vec<f64> = seen
        .iter()
        .flat_map(|(_, examples)| examples)
        .filter_map(|example| side(&example.linear))
        .collect();
    let Some(first) = signs.first() else {
        return;
    };
    let sign = first.signum();
    let goal = |linear: &Linearised| side(linear).map_or(f64::INFINITY, |beyond| sign * beyond);
    if let Some(other) = compass(land, sides, seen, &goal) {
        let mut seen = seen.to_vec();
        let unit = in_unit(sides, &other.point);
        seen.push((unit, vec![other]));
        found.crossing = between(land, sides, &seen);
    }
}

fn in_unit(sides: &[Side], point: &[f64]) -> Vec<f64> {
    let pairs = sides.iter().zip(point);
    pairs
        .map(|(side, x)| {
            let along = if side.logarithmic {
                (x / side.low).ln() / (side.high / side.low).ln()
            } else {
                (x - side.low) / (side.high - side.low)
            };
            if along.is_finite() { along } else { 0.5 }
        })
        .collect()
}

/// How far the eigenvalues are from forming a pair: the smallest square of a difference, below
/// zero for a pair.
fn closeness(linear: &Linearised) -> f64 {
    if let Some(pair) = pair(linear) {
        return -4.0 * pair.value.imaginary * pair.value.imaginary;
    }
    let values: Vec<f64> = linear.modes.iter().map(|mode| mode.value.real).collect();
    let size = values
        .iter()
        .fold(f64::MIN_POSITIVE, |most, x| most.max(x.abs()));
    let mut sorted = values;
    sorted.sort_by(f64::total_cmp);
    let gaps = sorted.windows(2).map(|two| match two {
        [a, b] => ((b - a) / size).powi(2),
        _ => f64::INFINITY,
    });
    gaps.fold(f64::INFINITY, f64::min)
}

/// Walks downhill in steps along the axes from the best samples until `goal` is below zero.
fn compass(
    land: &mut dyn Land,
    sides: &[Side],
    seen: &[(Vec<f64>, Vec<Example>)],
    goal: &dyn Fn(&Linearised) -> f64,
) -> Option<Example> {
    let mut starts: Vec<(f64, &Vec<f64>, &Example)> = seen
        .iter()
        .flat_map(|(unit, examples)| examples.iter().map(move |example| (unit, example)))
        .map(|(unit, example)| (goal(&example.linear), unit, example))
        .filter(|(value, _, _)| value.is_finite())
        .collect();
    starts.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (value, unit, example) in starts.into_iter().take(SEARCHES) {
        let mut best = (value, unit.clone(), example.clone());
        let mut step = 0.1;
        let mut left = STEPS;
        while best.0 >= 0.0 && left > 0 && step > 1e-6 && !land.interrupted() {
            let mut moved = false;
            'axes: for axis in 0..sides.len() {
                for sign in [-1.0, 1.0] {
                    let mut trial = best.1.clone();
                    trial[axis] = (trial[axis] + sign * step).clamp(0.0, 1.0);
                    left = left.saturating_sub(1);
                    let point = in_box(sides, &trial);
                    let Some((state, linear)) = land.follow(&point, &best.2.state) else {
                        continue;
                    };
                    let value = goal(&linear);
                    if value < best.0 {
                        let example = Example {
                            point,
                            state,
                            linear,
                        };
                        best = (value, trial, example);
                        moved = true;
                        break 'axes;
                    }
                }
            }
            step *= if moved { 1.5 } else { 0.5 };
        }
        if best.0 < 0.0 {
            return Some(best.2);
        }
    }
    None
}

/// A crossing between two samples whose pairs lie on both sides of the border.
fn between(
    land: &mut dyn Land,
    sides: &[Side],
    seen: &[(Vec<f64>, Vec<Example>)],
) -> Option<Example> {
    let of_sign = |positive: bool| {
        let all = seen
            .iter()
            .flat_map(|(unit, examples)| examples.iter().map(move |example| (unit, example)));
        all.filter(|(_, example)| side(&example.linear).is_some_and(|x| (x > 0.0) == positive))
            .collect::<Vec<(&Vec<f64>, &Example)>>()
    };
    let (inside, outside) = (of_sign(false), of_sign(true));
    let mut couples: Vec<(f64, usize, usize)> = Vec::new();
    for (i, (a, _)) in inside.iter().enumerate() {
        // The closest one is enough.
        let near = outside
            .iter()
            .enumerate()
            .map(|(j, (b, _))| (distance(a, b), i, j))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        couples.extend(near);
    }
    couples.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, i, j) in couples.into_iter().take(COUPLES) {
        if land.interrupted() {
            return None;
        }
        let (Some((a, from)), Some((b, _))) = (inside.get(i), outside.get(j)) else {
            continue;
        };
        if let Some(found) = bisect(land, sides, (a, from), b) {
            return Some(found);
        }
    }
    None
}

/// Halves the way from a sample whose pair lies inside to one whose pair lies outside, following
/// the equilibrium of the first.
fn bisect(
    land: &mut dyn Land,
    sides: &[Side],
    (from, start): (&[f64], &Example),
    to: &[f64],
) -> Option<Example> {
    let along = |s: f64| -> Vec<f64> {
        let pairs = from.iter().zip(to);
        pairs.map(|(a, b)| a + s * (b - a)).collect()
    };
    let mut inside = start.clone();
    let (mut low, mut high) = (0.0_f64, None);
    // In small steps, so that the equilibrium is not lost.
    for step in 1..=16 {
        let s = f64::from(step) / 16.0;
        let point = in_box(sides, &along(s));
        let (state, linear) = land.follow(&point, &inside.state)?;
        let example = Example {
            point,
            state,
            linear,
        };
        pair(&example.linear)?;
        if side(&example.linear).is_none_or(|beyond| beyond > 0.0) {
            high = Some((s, example));
            break;
        }
        (low, inside) = (s, example);
    }
    let (mut high, mut outside) = high?;
    for _ in 0..HALVINGS {
        let middle = low.midpoint(high);
        if middle <= low || middle >= high {
            break;
        }
        let point = in_box(sides, &along(middle));
        let (state, linear) = land.follow(&point, &inside.state)?;
        let example = Example {
            point,
            state,
            linear,
        };
        pair(&example.linear)?;
        match side(&example.linear) {
            None => return Some(example),
            Some(beyond) if beyond > 0.0 => (high, outside) = (middle, example),
            Some(_) => (low, inside) = (middle, example),
        }
    }
    Some(outside)
}
