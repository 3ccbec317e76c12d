//! The diagram: branches through the starts, what happens on them, and the branches that cross.
//!
//! Enters: a [`Family`], starts and [`Options`]. Leaves: a [`Diagram`]. The first client of the
//! core in `curve.rs`; what is special on a branch is found in `events.rs`.

use super::curve::{Corrector, Equations, Limits, Site, Stop, walk};
use super::events::{self, Event, Seen, Test};
use super::journey::Journey;
use super::linear::{dot, norm, unit};
use super::normal_form;
use super::polish::{self, Tangents};
use super::{
    Branch, Crossing, Diagram, End, Family, Kind, Options, Origin, Point, Special, Unstarted,
};

struct Roots<'f>(&'f dyn Family);

impl Equations for Roots<'_> {
    fn count(&self) -> usize {
        self.0.dimension()
    }

    fn residual(&self, x: &[f64], out: &mut [f64]) {
        self.0.residual(x, out);
    }

    fn jacobian(&self, x: &[f64], out: &mut [f64]) {
        self.0.jacobian(x, out);
    }
}

/// Special points closer than this, in scales, are the same.
pub(super) const SAME: f64 = 1e-4;
/// Ranges of positive numbers that are wider than this are walked by factors.
const WIDE: f64 = 50.0;
/// How far a start at which something happens is moved.
const ASIDE: f64 = 3e-3;
/// A component of a tangent that is zero.
const STEEP: f64 = 1e-6;

/// Follows the branches through `starts` and those that cross them. What is found is kept when the
/// user stops it.
pub fn diagram(family: &dyn Family, starts: &[Vec<f64>], options: &Options<'_>) -> Diagram {
    let roots = Roots(family);
    let mut corrector = Corrector::new(&roots);
    let mut found = Found {
        family,
        options,
        n: family.dimension(),
        diagram: Diagram::default(),
        crossings: Vec::new(),
        open: Vec::new(),
    };
    for (number, start) in starts.iter().enumerate() {
        match found.begin(&mut corrector, start) {
            Ok(()) => {}
            Err(why) => found.diagram.unstarted.push((number, why)),
        }
        while let Some(next) = found.open.pop() {
            if found.diagram.branches.len() >= options.most_branches || (options.interrupted)() {
                break;
            }
            found.pursue(&mut corrector, next);
        }
    }
    found.diagram.interrupted = (options.interrupted)();
    found.diagram
}

/// A place where two branches cross.
struct Known {
    x: Vec<f64>,
    scale: Vec<f64>,
    /// Its number among the special points.
    special: usize,
    /// The directions of both branches, in plain numbers, and whether they have been followed.
    ways: Option<[(Vec<f64>, bool); 2]>,
}

impl Known {
    /// Which of the two branches has this direction, in plain numbers.
    fn way(&self, direction: &[f64]) -> Option<usize> {
        let scaled = |v: &[f64]| -> Vec<f64> {
            let parts = v.iter().zip(&self.scale);
            unit(&parts.map(|(v, s)| v / s).collect::<Vec<f64>>())
        };
        let ways = self.ways.as_ref()?;
        let to = scaled(direction);
        let along = |at: usize| dot(&scaled(&ways[at].0), &to).abs();
        Some(usize::from(along(1) > along(0)))
    }

    fn mark(&mut self, direction: &[f64]) {
        if let (Some(way), Some(ways)) = (self.way(direction), self.ways.as_mut()) {
            ways[way].1 = true;
        }
    }
}

/// A branch that leaves a crossing.
struct Open {
    crossing: usize,
    way: usize,
}

pub(super) struct Found<'a> {
    pub family: &'a dyn Family,
    pub options: &'a Options<'a>,
    pub n: usize,
    diagram: Diagram,
    crossings: Vec<Known>,
    open: Vec<Open>,
}

impl Found<'_> {
    // ---- starts ----

    fn begin(&mut self, corrector: &mut Corrector<'_>, start: &[f64]) -> Result<(), Unstarted> {
        if start.len() != self.n + 1 || !corrector.is_finite_at(start) {
            return Err(Unstarted::NotFinite);
        }
        let scale = self.scale_at(start, &[]);
        let mut x = start.to_vec();
        let mut row = vec![0.0; self.n + 1];
        row[self.n] = 1.0;
        if corrector.find(&mut x, &row, &scale).is_none() {
            // A fold, or a point where branches cross: solutions near by need not have just this
            // parameter.
            x = self.near(corrector, start, &scale)?;
        }
        let crossing = polish::crossing(self.family, &x, &scale, 1e-6);
        let at_crossing = crossing.is_some();
        let x = crossing.unwrap_or(x);
        if self.is_known(corrector, &x, &scale) {
            return Ok(());
        }
        match polish::tangents(self.family, &x, &scale, at_crossing) {
            None => Err(Unstarted::NotFinite),
            Some(Tangents::Degenerate) => Err(Unstarted::Singular),
            Some(Tangents::One(tangent)) => {
                let (x, tangent) = self.aside(corrector, x, tangent, &scale);
                self.both_ways(corrector, &x, &tangent, &scale, Origin::Start);
                Ok(())
            }
            Some(Tangents::Two(tangents)) => {
                let [first, second] = tangents;
                let kind = Kind::Crossing(self.type_of(&x, [&first, &second]));
                let special = self.add(&x, kind);
                let plain =
                    |t: &[f64]| -> Vec<f64> { t.iter().zip(&scale).map(|(t, s)| t * s).collect() };
                let ways = [(plain(&first), true), (plain(&second), false)];
                self.crossings.push(Known {
                    x: x.clone(),
                    scale: scale.clone(),
                    special,
                    ways: Some(ways),
                });
                let crossing = self.crossings.len() - 1;
                self.open.push(Open { crossing, way: 1 });
                self.both_ways(corrector, &x, &first, &scale, Origin::Start);
                Ok(())
            }
        }
    }

    /// A little farther along the branch when something happens just at the start, where no test
    /// has a sign.
    fn aside(
        &self,
        corrector: &mut Corrector<'_>,
        x: Vec<f64>,
        tangent: Vec<f64>,
        scale: &[f64],
    ) -> (Vec<f64>, Vec<f64>) {
        let Some(site) = corrector.site(x.clone(), &tangent, scale) else {
            return (x, tangent);
        };
        let seen = events::look(self.family, &site);
        let sizes = seen.eigenvalues.iter().flatten().map(|z| z.norm());
        let radius = sizes.fold(1e-300, f64::max);
        let motion = self.family.motion();
        let pairs = events::tests(motion).iter().zip(&seen.values);
        let happens = pairs.into_iter().any(|(test, value)| {
            let size = if *test == Test::Hopf { radius } else { 1.0 };
            value.abs() < 1e-6 * size
        });
        if !happens {
            return (x, tangent);
        }
        for part in [ASIDE, -ASIDE] {
            let mut near = site.ahead(part, &site.tangent);
            if corrector.correct(&mut near, &site.tangent, scale).is_some()
                && let Some(near) = corrector.site(near, &site.tangent, scale)
                && dot(&near.tangent, &site.tangent) > 0.9
                && (self.options.admissible)(&near.x)
                && self.is_within(&near.x)
            {
                return (near.x, near.tangent);
            }
        }
        (x, tangent)
    }

    /// Whether a point is in the range and in the box.
    fn is_within(&self, x: &[f64]) -> bool {
        let within = |x: f64, (low, high): (f64, f64)| low <= x && x <= high;
        let mut states = x[..self.n].iter().zip(self.options.bounds);
        states.all(|(x, bounds)| within(*x, *bounds)) && within(x[self.n], self.options.range)
    }

    /// A solution near a start at which Newton's iteration in the states alone does not end.
    fn near(
        &self,
        corrector: &mut Corrector<'_>,
        start: &[f64],
        scale: &[f64],
    ) -> Result<Vec<f64>, Unstarted> {
        if let Some(x) = polish::crossing(self.family, start, scale, 0.1) {
            return Ok(x);
        }
        let row = match polish::tangents(self.family, start, scale, false) {
            Some(Tangents::One(tangent)) => tangent,
            Some(Tangents::Two([tangent, _])) => tangent,
            Some(Tangents::Degenerate) => return Err(Unstarted::Singular),
            None => return Err(Unstarted::NotFinite),
        };
        let mut x = start.to_vec();
        let corrected = corrector.correct(&mut x, &row, scale);
        let moved = x.iter().zip(start).zip(scale);
        let moved: Vec<f64> = moved.map(|((x, s), scale)| (x - s) / scale).collect();
        match corrected {
            Some(_) if norm(&moved) < 0.1 => Ok(x),
            _ => Err(Unstarted::NoSolution),
        }
    }

    /// Whether a branch that has been followed goes through a point.
    fn is_known(&self, corrector: &mut Corrector<'_>, x: &[f64], scale: &[f64]) -> bool {
        let offset = |from: &[f64], to: &[f64]| -> Vec<f64> {
            let parts = to.iter().zip(from).zip(scale);
            parts.map(|((to, from), s)| (to - from) / s).collect()
        };
        let pairs = self.diagram.branches.iter();
        pairs
            .flat_map(|branch| branch.points.windows(2))
            .any(|pair| {
                let [a, b] = pair else { return false };
                let (chord, to) = (offset(&a.x, &b.x), offset(&a.x, x));
                let length = norm(&chord);
                if length == 0.0 {
                    return false;
                }
                let along = dot(&chord, &to) / (length * length);
                let off = to.iter().zip(&chord).map(|(t, c)| t - along * c);
                let off = norm(&off.collect::<Vec<f64>>());
                if !(-0.1..=1.1).contains(&along) || off > 0.5 * length {
                    return false;
                }
                let parts = a.x.iter().zip(&chord).zip(scale);
                let mut on: Vec<f64> = parts.map(|((a, c), s)| a + along * c * s).collect();
                corrector.correct(&mut on, &unit(&chord), scale).is_some()
                    && norm(&offset(&on, x)) < SAME
            })
    }

    // ---- branches ----

    fn pursue(&mut self, corrector: &mut Corrector<'_>, open: Open) {
        let Some(known) = self.crossings.get_mut(open.crossing) else {
            return;
        };
        let Some(ways) = known.ways.as_mut() else {
            return;
        };
        let (direction, followed) = &mut ways[open.way];
        if std::mem::replace(followed, true) {
            return;
        }
        let scaled = direction.iter().zip(&known.scale).map(|(d, s)| d / s);
        let tangent = unit(&scaled.collect::<Vec<f64>>());
        let (x, scale) = (known.x.clone(), known.scale.clone());
        let origin = Origin::Crossing(known.special);
        self.both_ways(corrector, &x, &tangent, &scale, origin);
    }

    /// Follows a branch in both directions from a point and keeps it.
    fn both_ways(
        &mut self,
        corrector: &mut Corrector<'_>,
        x: &[f64],
        tangent: &[f64],
        scale: &[f64],
        origin: Origin,
    ) {
        let Some(mut first) = corrector.site(x.to_vec(), tangent, scale) else {
            return;
        };
        // Where branches cross, the matrix is singular and the tangent the given one.
        let crossing = self.crossing_at(x, scale, SAME);
        if crossing.is_some() {
            first.tangent = tangent.to_vec();
            first.sign = 0.0;
        }
        let forward = self.one_way(corrector, &first, 0);
        let mut back = first.clone();
        back.tangent.iter_mut().for_each(|t| *t = -*t);
        back.sign = -back.sign;
        let backward = if forward.end == End::Closed {
            None
        } else {
            Some(self.one_way(corrector, &back, forward.points.len()))
        };
        let mut branch = Branch {
            origin,
            points: Vec::new(),
            special: Vec::new(),
            ends: [End::Closed, forward.end],
        };
        if let Some(mut way) = backward {
            branch.ends[0] = way.end;
            let last = way.points.len() - 1;
            branch.special = way
                .special
                .iter()
                .map(|(at, id)| (last - at, *id))
                .collect();
            branch.special.reverse();
            way.points.reverse();
            way.points.pop();
            branch.points = way.points;
        }
        let shift = branch.points.len();
        let special = crossing.map(|at| (shift, self.crossings[at].special));
        branch.special.extend(special);
        let ahead = forward.special.iter().map(|(at, id)| (at + shift, *id));
        branch.special.extend(ahead);
        branch.points.extend(forward.points);
        if branch.points.len() >= 2 || origin == Origin::Start {
            self.diagram.branches.push(branch);
        }
    }

    fn one_way(&mut self, corrector: &mut Corrector<'_>, first: &Site, before: usize) -> Way {
        let seen = events::look(self.family, first);
        let n = self.n;
        let (low, high) = self.options.range;
        let bound = |at: usize| {
            let bounds = self.options.bounds.get(at).copied();
            bounds.unwrap_or((f64::NEG_INFINITY, f64::INFINITY))
        };
        let limits = Limits {
            low: (0..n).map(|at| bound(at).0).chain([low]).collect(),
            high: (0..n).map(|at| bound(at).1).chain([high]).collect(),
        };
        let mut journey = Journey {
            at_crossing: self.crossing_at(&first.x, &first.scale, SAME).is_some(),
            points: vec![point(first, &seen)],
            found: self,
            special: Vec::new(),
            here: seen,
            before: None,
            allowed: before,
            first_scale: first.scale.clone(),
        };
        let stop = walk(corrector, &mut journey, first, &limits);
        Way {
            points: journey.points,
            special: journey.special,
            end: self.end(stop),
        }
    }

    fn end(&self, stop: Stop) -> End {
        match stop {
            Stop::Limit { at, .. } if at == self.n => End::Range,
            Stop::Limit { at, bound } => End::Bound { state: at, bound },
            Stop::Closed => End::Closed,
            Stop::Switch => End::Switch,
            Stop::NotFinite => End::NotFinite,
            Stop::StepTooSmall => End::StepTooSmall,
            Stop::Full => End::TooManyPoints,
            Stop::Interrupted => End::Interrupted,
            Stop::Unbounded { at } => End::Unbounded { state: at },
        }
    }

    /// States are measured in their values, but in no less than a tenth of the largest so far; the
    /// parameter in its range, or in its value where the range is wide.
    pub fn scale_at(&self, x: &[f64], before: &[f64]) -> Vec<f64> {
        let largest = x[..self.n]
            .iter()
            .fold(0.0_f64, |most, u| most.max(u.abs()));
        let common = if largest > 0.0 { largest } else { 1.0 };
        let state = |i: usize| {
            let least = self.options.sizes.get(i).copied().unwrap_or(0.0);
            let least = if least > 0.0 { least } else { 1e-3 * common };
            // A little slower than the state where that shrinks.
            let before = before.get(i).copied().unwrap_or(0.0);
            x[i].abs().max(least).max(0.9 * before)
        };
        let (low, high) = self.options.range;
        let parameter = if low > 0.0 && high > WIDE * low {
            x[self.n].clamp(low, high)
        } else {
            high - low
        };
        (0..self.n).map(state).chain([parameter]).collect()
    }

    // ---- special points ----

    fn crossing_at(&self, x: &[f64], scale: &[f64], within: f64) -> Option<usize> {
        let near = |known: &Known| {
            let parts = known.x.iter().zip(x).zip(scale);
            parts.fold(0.0_f64, |most, ((a, b), s)| most.max((a - b).abs() / s)) < within
        };
        self.crossings.iter().position(near)
    }

    /// The number of an event among the special points, new or known; `None` when it is no point
    /// of its own.
    pub fn keep(&mut self, event: &Event, length: f64) -> Option<usize> {
        let within = if event.test == Test::Fold {
            (0.02 * length).max(10.0 * SAME)
        } else {
            SAME
        };
        let at = self.crossing_at(&event.site.x, &event.site.scale, within);
        if event.test == Test::Branch {
            return self.keep_crossing(event, at);
        }
        // A symmetric branch turns back where it crosses another one: no fold.
        if event.test == Test::Fold && at.is_some() {
            return None;
        }
        let kind = self.kind(event)?;
        Some(self.add(&event.site.x, kind))
    }

    fn add(&mut self, x: &[f64], kind: Kind) -> usize {
        self.diagram.specials.push(Special {
            branch: self.diagram.branches.len(),
            x: x.to_vec(),
            kind,
        });
        self.diagram.specials.len() - 1
    }

    fn kind(&self, event: &Event) -> Option<Kind> {
        let (family, x) = (self.family, &event.site.x);
        Some(match event.test {
            Test::Fold => Kind::Fold {
                coefficient: normal_form::fold(family, x).unwrap_or(f64::NAN),
            },
            Test::Hopf => {
                let direction = event.site.direction();
                let hopf = normal_form::hopf(family, x, &direction, event.turn)?;
                Kind::Hopf {
                    frequency: hopf.frequency,
                    l1: hopf.l1,
                    growth: hopf.growth,
                    amplitude: hopf.amplitude,
                }
            }
            Test::Doubling => Kind::Doubling {
                coefficient: normal_form::cubic(family, x, -2.0).unwrap_or(f64::NAN),
            },
            Test::Circle => Kind::Circle {
                angle: event.turn,
                coefficient: normal_form::circle(family, x, event.turn).unwrap_or(f64::NAN),
            },
            Test::Alternation => Kind::Alternation,
            Test::Branch => return None,
        })
    }

    fn keep_crossing(&mut self, event: &Event, at: Option<usize>) -> Option<usize> {
        let direction = event.site.direction();
        if let Some(known) = at {
            let known = &mut self.crossings[known];
            known.mark(&direction);
            return Some(known.special);
        }
        let (x, scale) = (event.site.x.clone(), event.site.scale.clone());
        let tangents = polish::tangents(self.family, &x, &scale, true);
        let plain = |t: &[f64]| -> Vec<f64> { t.iter().zip(&scale).map(|(t, s)| t * s).collect() };
        let (crossing, ways) = match &tangents {
            Some(Tangents::Two([a, b])) => (
                self.type_of(&x, [a, b]),
                Some([(plain(a), false), (plain(b), false)]),
            ),
            _ => (Crossing::Other, None),
        };
        let special = self.add(&x, Kind::Crossing(crossing));
        let mut known = Known {
            x,
            scale,
            special,
            ways,
        };
        known.mark(&direction);
        let number = self.crossings.len();
        let ways = known.ways.iter().flatten().enumerate();
        let open = ways.filter(|(_, (_, followed))| !followed);
        self.open.extend(open.map(|(way, _)| Open {
            crossing: number,
            way,
        }));
        self.crossings.push(known);
        Some(special)
    }

    fn type_of(&self, x: &[f64], tangents: [&[f64]; 2]) -> Crossing {
        let is_steep = |t: &[f64]| t.last().is_some_and(|t| t.abs() < STEEP);
        if !tangents.iter().any(|t| is_steep(t)) {
            return Crossing::Transcritical;
        }
        match normal_form::cubic(self.family, x, 0.0) {
            Some(cubic) if cubic != 0.0 && cubic.is_finite() => Crossing::Pitchfork {
                supercritical: cubic < 0.0,
            },
            _ => Crossing::Other,
        }
    }
}

pub(super) fn point(site: &Site, seen: &Seen) -> Point {
    Point {
        x: site.x.clone(),
        unstable: seen.unstable,
    }
}

/// A branch in one direction.
struct Way {
    points: Vec<Point>,
    special: Vec<(usize, usize)>,
    end: End,
}
