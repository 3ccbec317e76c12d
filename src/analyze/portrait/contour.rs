//! Nullclines: where one of the two rates is zero.
//!
//! Marching squares over a grid that is refined while it misses branches (Lorensen and Cline 1987
//! in two dimensions). Each crossing of an edge of the grid is refined onto f = 0 along that edge
//! by bracketing; a change of sign at which |f| does not vanish (a pole, a jump) is no crossing. A
//! cell with four crossings is decided by the sign in its middle. An axis along which f is zero
//! (a factor x or y of f) is divided out, so that what else is zero is traced cleanly up to it.

use super::{Plane, Point};

/// Cells along a side to begin with, and at most.
const CELLS: (usize, usize) = (96, 384);
/// |f| at a crossing, beside that at the ends of its edge, where f is zero and does not jump.
const VANISHES: f64 = 1e-6;

/// Curves of points in order; a closed one ends with its first point.
type Curves = Vec<Vec<Point>>;

/// The nullclines of the horizontal and of the vertical state. What is drawn until an
/// interruption is kept.
#[must_use]
pub fn nullclines(plane: &Plane<'_>) -> [Curves; 2] {
    [0, 1].map(|component| nullcline(plane, component))
}

/// One component of the rate, without the factors x and y along which it is zero.
struct Reduced<'p> {
    plane: &'p Plane<'p>,
    component: usize,
    by_x: bool,
    by_y: bool,
}

impl Reduced<'_> {
    fn at(&self, (x, y): Point) -> f64 {
        let part = |point: Point| {
            let (dx, dy) = self.plane.rate(point);
            if self.component == 0 { dx } else { dy }
        };
        // On the axis itself the quotient is a derivative; a tiny step is as good.
        let step = |range: (f64, f64)| {
            let side = if range.1 > 0.0 { 1.0 } else { -1.0 };
            side * 1e-9 * (range.1 - range.0)
        };
        let window = &self.plane.window;
        let x = if self.by_x && x == 0.0 {
            step(window.x)
        } else {
            x
        };
        let y = if self.by_y && y == 0.0 {
            step(window.y)
        } else {
            y
        };
        let mut value = part((x, y));
        if self.by_x {
            value /= x;
        }
        if self.by_y {
            value /= y;
        }
        value
    }
}

fn nullcline(plane: &Plane<'_>, component: usize) -> Curves {
    let mut reduced = Reduced {
        plane,
        component,
        by_x: false,
        by_y: false,
    };
    let window = plane.window;
    let mut curves = Vec::new();
    let holds_zero = |range: (f64, f64)| range.0 <= 0.0 && 0.0 <= range.1;
    let zero_along = |at: &dyn Fn(f64) -> Point| {
        // Irregular places, so that no periodic function fools them.
        (1..=17).all(|k| {
            let part = (f64::from(k) * 0.618_033_988_75).fract();
            let (dx, dy) = plane.rate(at(part));
            (if component == 0 { dx } else { dy }) == 0.0
        })
    };
    let inside = |part: f64| window.at((part, part));
    let everywhere = (1..=5).all(|k| {
        let u = (f64::from(k) * 0.618_033_988_75).fract();
        let v = (f64::from(k) * 0.754_877_666_25).fract();
        let (dx, dy) = plane.rate(window.at((u, v)));
        (if component == 0 { dx } else { dy }) == 0.0
    });
    if everywhere {
        return curves;
    }
    if holds_zero(window.x) && zero_along(&|part| (0.0, inside(part).1)) {
        reduced.by_x = true;
        curves.push(vec![(0.0, window.y.0), (0.0, window.y.1)]);
    }
    if holds_zero(window.y) && zero_along(&|part| (inside(part).0, 0.0)) {
        reduced.by_y = true;
        curves.push(vec![(window.x.0, 0.0), (window.x.1, 0.0)]);
    }
    let mut cells = CELLS.0;
    let mut grid = Grid::new(&reduced, cells);
    while cells < CELLS.1 && !(plane.interrupted)() && grid.misses(&reduced) {
        cells *= 2;
        grid = Grid::new(&reduced, cells);
    }
    curves.extend(grid.trace(&reduced));
    curves
}

/// Values of f on the nodes of a grid over the window.
struct Grid {
    cells: usize,
    values: Vec<f64>,
}

/// A crossing is named by its edge: the lower or left node, and whether the edge goes up.
type Edge = (usize, bool);

impl Grid {
    fn new(f: &Reduced<'_>, cells: usize) -> Grid {
        let nodes = cells + 1;
        let mut values = Vec::with_capacity(nodes * nodes);
        for row in 0..nodes {
            if row % 16 == 0 && (f.plane.interrupted)() {
                break;
            }
            for column in 0..nodes {
                values.push(f.at(place(f, cells, (column as f64, row as f64))));
            }
        }
        // What was not computed is unknown.
        values.resize(nodes * nodes, f64::NAN);
        Grid { cells, values }
    }

    fn value(&self, node: usize) -> f64 {
        self.values.get(node).copied().unwrap_or(f64::NAN)
    }

    fn corners(&self, column: usize, row: usize) -> [usize; 4] {
        let first = row * (self.cells + 1) + column;
        [
            first,
            first + 1,
            first + self.cells + 2,
            first + self.cells + 1,
        ]
    }

    /// True when f changes its sign somewhere within a cell whose corners have one sign.
    fn misses(&self, f: &Reduced<'_>) -> bool {
        for row in 0..self.cells {
            for column in 0..self.cells {
                let values = self.corners(column, row).map(|node| self.value(node));
                let one_sign = values.iter().all(|v| *v > 0.0) || values.iter().all(|v| *v < 0.0);
                if !one_sign {
                    continue;
                }
                let size = values.iter().map(|v| v.abs());
                let (least, most) = size.fold((f64::INFINITY, 0.0_f64), |(low, high), v| {
                    (low.min(v), high.max(v))
                });
                // Near zero for how much f changes over the cell it is looked at more closely.
                let is_near = least <= 0.5 * (most - least);
                let sign = values[0].signum();
                let inner = [
                    (0.5, 0.5),
                    (0.5, 0.0),
                    (0.0, 0.5),
                    (0.25, 0.25),
                    (0.75, 0.75),
                ];
                let looked = if is_near { inner.len() } else { 1 };
                let changes = inner.iter().take(looked).any(|(right, up)| {
                    let at = (column as f64 + right, row as f64 + up);
                    let value = f.at(place(f, self.cells, at));
                    value * sign < 0.0
                });
                if changes {
                    return true;
                }
            }
        }
        false
    }

    fn trace(&self, f: &Reduced<'_>) -> Curves {
        let mut crossings: rustc_hash::FxHashMap<Edge, Option<Point>> =
            rustc_hash::FxHashMap::default();
        let mut links: Vec<(Edge, Edge)> = Vec::new();
        for row in 0..self.cells {
            if row % 16 == 0 && (f.plane.interrupted)() {
                break;
            }
            for column in 0..self.cells {
                let corners = self.corners(column, row);
                let values = corners.map(|node| self.value(node));
                if values.iter().any(|value| !value.is_finite()) {
                    continue;
                }
                // Bottom, right, top, left.
                let edges: [Edge; 4] = [
                    (corners[0], false),
                    (corners[1], true),
                    (corners[3], false),
                    (corners[0], true),
                ];
                let ends = [(0, 1), (1, 2), (3, 2), (0, 3)];
                let mut met = [None; 4];
                for (side, ((from, to), edge)) in ends.iter().zip(edges).enumerate() {
                    if (values[*from] >= 0.0) != (values[*to] >= 0.0) {
                        let found = crossings.entry(edge).or_insert_with(|| {
                            self.crossing(f, edge, (values[*from], values[*to]))
                        });
                        met[side] = found.map(|_| edge);
                    }
                }
                let there: Vec<Edge> = met.iter().flatten().copied().collect();
                match (there.as_slice(), met) {
                    ([from, to], _) => links.push((*from, *to)),
                    (_, [Some(bottom), Some(right), Some(top), Some(left)]) => {
                        let middle = (column as f64 + 0.5, row as f64 + 0.5);
                        let middle = f.at(place(f, self.cells, middle));
                        // The middle hangs together with the corners of its sign.
                        if (middle >= 0.0) == (values[0] >= 0.0) {
                            links.extend([(bottom, right), (top, left)]);
                        } else {
                            links.extend([(bottom, left), (top, right)]);
                        }
                    }
                    _ => {}
                }
            }
        }
        join(&links, |edge| crossings.get(&edge).copied().flatten())
    }

    /// The zero on an edge, by regula falsi with halved ends (Illinois) and bisection; none where
    /// f jumps over zero.
    fn crossing(&self, f: &Reduced<'_>, (node, up): Edge, ends: (f64, f64)) -> Option<Point> {
        let nodes = self.cells + 1;
        let (column, row) = ((node % nodes) as f64, (node / nodes) as f64);
        let at = |part: f64| {
            let (right, above) = if up { (0.0, part) } else { (part, 0.0) };
            place(f, self.cells, (column + right, row + above))
        };
        let size = ends.0.abs().max(ends.1.abs());
        let (mut low, mut high) = ((0.0, ends.0), (1.0, ends.1));
        if low.1 == 0.0 {
            return Some(at(0.0));
        }
        if high.1 == 0.0 {
            return Some(at(1.0));
        }
        let (mut kept, mut weights) = (0_i8, (low.1, high.1));
        for round in 0..100 {
            let guess = (low.0 * weights.1 - high.0 * weights.0) / (weights.1 - weights.0);
            let middle = f64::midpoint(low.0, high.0);
            let part = if round % 3 == 2 || !(guess > low.0 && guess < high.0) {
                middle
            } else {
                guess
            };
            let value = f.at(at(part));
            if !value.is_finite() {
                return None;
            }
            if value == 0.0 {
                return Some(at(part));
            }
            if (value > 0.0) == (low.1 > 0.0) {
                low = (part, value);
                weights.0 = value;
                if kept == 1 {
                    weights.1 /= 2.0;
                } else {
                    weights.1 = high.1;
                }
                kept = 1;
            } else {
                high = (part, value);
                weights.1 = value;
                if kept == -1 {
                    weights.0 /= 2.0;
                } else {
                    weights.0 = low.1;
                }
                kept = -1;
            }
            if high.0 - low.0 <= 4.0 * f64::EPSILON || value.abs() <= 1e-15 * size {
                break;
            }
        }
        let best = if low.1.abs() < high.1.abs() {
            low
        } else {
            high
        };
        (best.1.abs() <= VANISHES * size).then(|| at(best.0))
    }
}

/// The place of a point of the grid; nodes next to zero are on it.
fn place(f: &Reduced<'_>, cells: usize, (column, row): Point) -> Point {
    let cells = cells as f64;
    let window = &f.plane.window;
    let along = |range: (f64, f64), part: f64| {
        let value = range.0 + (range.1 - range.0) * (part / cells);
        if value.abs() < 1e-12 * (range.1 - range.0) {
            0.0
        } else {
            value
        }
    };
    (along(window.x, column), along(window.y, row))
}

/// Joins links to curves: open ones from their ends first, then the closed ones.
fn join(links: &[(Edge, Edge)], at: impl Fn(Edge) -> Option<Point>) -> Curves {
    let mut of_edge: std::collections::BTreeMap<Edge, Vec<usize>> =
        std::collections::BTreeMap::new();
    for (index, (from, to)) in links.iter().enumerate() {
        of_edge.entry(*from).or_default().push(index);
        of_edge.entry(*to).or_default().push(index);
    }
    let mut used = vec![false; links.len()];
    let mut curves = Vec::new();
    let ends = of_edge.iter().filter(|(_, links)| links.len() == 1);
    let starts: Vec<Edge> = ends.chain(of_edge.iter()).map(|(edge, _)| *edge).collect();
    for start in starts {
        let mut curve: Vec<Edge> = vec![start];
        let mut here = start;
        while let Some(next) = of_edge.get(&here).and_then(|known| {
            known
                .iter()
                .find(|link| !used.get(**link).copied().unwrap_or(true))
        }) {
            let (Some((from, to)), Some(mark)) = (links.get(*next), used.get_mut(*next)) else {
                break;
            };
            *mark = true;
            here = if *from == here { *to } else { *from };
            curve.push(here);
        }
        if curve.len() > 1 {
            curves.push(curve.into_iter().filter_map(&at).collect());
        }
    }
    curves
}
