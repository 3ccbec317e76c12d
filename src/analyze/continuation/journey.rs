//! On the way along a branch: what happens at each step is seen, kept, and put in its place among
//! the points.
//!
//! Enters: neighbouring sites from the core. Leaves: points and the places of special ones.

use super::Point;
use super::curve::{Corrector, Site, Stop, Verdict, Walker};
use super::diagram::{Found, SAME, point};
use super::events::{self, Event, Seen, Stretch, Test};
use super::linear::norm;

/// A state this many times larger than its first scale is unbounded.
const UNBOUNDED: f64 = 1e9;
/// A step in which too much happens is shortened down to this length.
const SHORT: f64 = 1e-3;

/// On the way along a branch.
pub(super) struct Journey<'j, 'a> {
    pub found: &'j mut Found<'a>,
    pub points: Vec<Point>,
    pub special: Vec<(usize, usize)>,
    /// What is seen at the last site.
    pub here: Seen,
    /// The site before the last one, what is seen there, and its place among the points.
    pub before: Option<(Site, Seen, usize)>,
    /// Points that the branch has in the other direction.
    pub allowed: usize,
    pub first_scale: Vec<f64>,
    /// The last site is a crossing from which the branch starts.
    pub at_crossing: bool,
}

impl Walker for Journey<'_, '_> {
    fn arrive(&mut self, corrector: &mut Corrector<'_>, here: &Site, next: &Site) -> Verdict {
        let family = self.found.family;
        let seen = events::look(family, next);
        let stretch = Stretch {
            from: (here, &self.here),
            to: (next, &seen),
        };
        let mut events = events::events(family, corrector, &stretch);
        if let (Some(a), Some(b), false) = (self.here.unstable, seen.unstable, self.at_crossing)
            && !events::explains(&events, a, b)
        {
            let length = norm(&here.offset(&next.x));
            if length > SHORT {
                return Verdict::Shorter;
            }
            if events.is_empty() {
                events = events::jump(family, corrector, &stretch);
            }
        }
        if events.is_empty()
            && let Some((site, before, place)) = self.before.take()
        {
            self.turned(corrector, (&site, &before, place), here, next, &seen);
        }
        let place = self.points.len() - 1;
        self.add_all(&events, None, norm(&here.offset(&next.x)));
        self.points.push(point(next, &seen));
        self.before = Some((here.clone(), std::mem::replace(&mut self.here, seen), place));
        self.at_crossing = false;
        Verdict::On
    }

    fn admits(&self, x: &[f64]) -> bool {
        (self.found.options.admissible)(x)
    }

    fn scale(&self, x: &[f64], before: &[f64]) -> Vec<f64> {
        self.found.scale_at(x, before)
    }

    fn rest(&self) -> Option<Stop> {
        let options = self.found.options;
        if (options.interrupted)() {
            return Some(Stop::Interrupted);
        }
        if self.points.len() + self.allowed >= options.most_points {
            return Some(Stop::Full);
        }
        let x = &self.points.last()?.x;
        let grown = (0..self.found.n).find(|at| x[*at].abs() > UNBOUNDED * self.first_scale[*at]);
        grown.map(|at| Stop::Unbounded { at })
    }
}

impl Journey<'_, '_> {
    /// Keeps events: those between the last point and the next one, or at an earlier place.
    fn add_all(&mut self, events: &[Event], place: Option<usize>, length: f64) {
        // Crossings first: what else is found at their place belongs to them.
        let mut kept: Vec<(usize, &Event)> = Vec::new();
        let is_branch = |event: &&Event| event.test == Test::Branch;
        let crossings = events.iter().filter(is_branch);
        for event in crossings.chain(events.iter().filter(|event| !is_branch(event))) {
            let at_start = self.at_crossing && {
                let start = &self.points[0].x;
                let offset = event.site.offset(start);
                norm(&offset) < 10.0 * SAME
            };
            if at_start && matches!(event.test, Test::Branch | Test::Fold) {
                continue;
            }
            if let Some(id) = self.found.keep(event, length) {
                kept.push((id, event));
            }
        }
        kept.sort_by(|a, b| a.1.part.total_cmp(&b.1.part));
        let first = place.map_or(self.points.len(), |place| place + 1);
        for (at, (id, event)) in (first..).zip(kept) {
            let seen = events::look(self.found.family, &event.site);
            self.points.insert(at, point(&event.site, &seen));
            for (place, _) in self.special.iter_mut().filter(|(place, _)| *place >= at) {
                *place += 1;
            }
            self.special.push((at, id));
        }
        self.special.sort_unstable();
    }

    /// Looks for two events in a row between three sites, where a test turns back at zero.
    fn turned(
        &mut self,
        corrector: &mut Corrector<'_>,
        (site, before, place): (&Site, &Seen, usize),
        here: &Site,
        next: &Site,
        seen: &Seen,
    ) {
        let family = self.found.family;
        let (first, second) = (norm(&site.offset(&here.x)), norm(&here.offset(&next.x)));
        if first == 0.0 || second == 0.0 {
            return;
        }
        for at in 0..events::tests(family.motion()).len() {
            if events::tests(family.motion())[at] == Test::Branch {
                continue;
            }
            let [a, b, c] = [before.values[at], self.here.values[at], seen.values[at]];
            if !(a * b > 0.0 && b * c > 0.0 && b.abs() < a.abs() && b.abs() < c.abs()) {
                continue;
            }
            // The vertex of the parabola through the three, from the middle one.
            let (down, up) = ((b - a) / first, (c - b) / second);
            let bend = (up - down) / (first + second);
            let slope = (down * second + up * first) / (first + second);
            let (way, least) = (-slope / (2.0 * bend), b - slope * slope / (4.0 * bend));
            if !way.is_finite() || least * b > 0.5 * b * b {
                continue;
            }
            let (is_later, part) = if way > 0.0 {
                (true, way / second)
            } else {
                (false, 1.0 + way / first)
            };
            let (from, to) = if is_later { (here, next) } else { (site, here) };
            let Some(middle) = corrector.between(from, to, part.clamp(0.01, 0.99)) else {
                continue;
            };
            let at_middle = events::look(family, &middle);
            if at_middle.values[at] * b >= 0.0 {
                continue;
            }
            let ends = if is_later {
                (&self.here, seen)
            } else {
                (before, &self.here)
            };
            let halves = [
                ((from, ends.0), (&middle, &at_middle)),
                ((&middle, &at_middle), (to, ends.1)),
            ];
            let mut found = Vec::new();
            for (half, (from, to)) in halves.into_iter().enumerate() {
                let mut events = events::events(family, corrector, &Stretch { from, to });
                #[expect(clippy::cast_precision_loss, reason = "0 or 1")]
                events
                    .iter_mut()
                    .for_each(|event| event.part += half as f64);
                found.extend(events);
            }
            let length = norm(&from.offset(&to.x));
            self.add_all(&found, if is_later { None } else { Some(place) }, length);
            return;
        }
    }
}
