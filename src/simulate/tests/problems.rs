//! Test systems written by hand: right-hand sides with exact Jacobians.

use crate::simulate::Dynamics;
use std::path::PathBuf;

type Drift = Box<dyn Fn(f64, &[f64], &mut [f64])>;
type Jacobian = Box<dyn Fn(f64, &[f64], &mut dyn FnMut(usize, usize, f64))>;

/// A system from two closures; the Jacobian adds to entries (row, column), all others being zero.
pub struct Closures {
    starts: Vec<usize>,
    rows: Vec<usize>,
    drift: Drift,
    jacobian: Jacobian,
    algebraic: Vec<bool>,
    is_linear: bool,
}

impl Closures {
    /// The same with constraints in place of some derivatives.
    pub fn constrained(self, algebraic: Vec<bool>) -> Self {
        Closures { algebraic, ..self }
    }

    /// With a full pattern.
    pub fn new(
        n: usize,
        drift: impl Fn(f64, &[f64], &mut [f64]) + 'static,
        jacobian: impl Fn(f64, &[f64], &mut dyn FnMut(usize, usize, f64)) + 'static,
    ) -> Self {
        let pairs = (0..n).flat_map(|j| (0..n).map(move |i| (i, j)));
        Self::sparse(n, pairs.collect(), drift, jacobian)
    }

    /// With the pattern of the (row, column) pairs given.
    pub fn sparse(
        n: usize,
        mut pairs: Vec<(usize, usize)>,
        drift: impl Fn(f64, &[f64], &mut [f64]) + 'static,
        jacobian: impl Fn(f64, &[f64], &mut dyn FnMut(usize, usize, f64)) + 'static,
    ) -> Self {
        pairs.sort_by_key(|&(i, j)| (j, i));
        pairs.dedup();
        let starts = (0..=n).map(|j| pairs.partition_point(|p| p.1 < j));
        Closures {
            starts: starts.collect(),
            rows: pairs.iter().map(|p| p.0).collect(),
            drift: Box::new(drift),
            jacobian: Box::new(jacobian),
            algebraic: Vec::new(),
            is_linear: false,
        }
    }

    /// Declares it linear with constant coefficients.
    pub fn linear(mut self) -> Self {
        self.is_linear = true;
        self
    }
}

impl Dynamics for Closures {
    fn dimension(&self) -> usize {
        self.starts.len() - 1
    }

    fn drift(&self, t: f64, y: &[f64], dy: &mut [f64]) {
        (self.drift)(t, y, dy);
    }

    fn pattern(&self) -> (&[usize], &[usize]) {
        (&self.starts, &self.rows)
    }

    fn jacobian(&self, t: f64, y: &[f64], entries: &mut [f64]) {
        entries.fill(0.0);
        (self.jacobian)(t, y, &mut |i, j, value| {
            let column = self.starts[j]..self.starts[j + 1];
            let k = self.rows[column.clone()].binary_search(&i).unwrap();
            entries[column.start + k] += value;
        });
    }

    fn is_linear(&self) -> bool {
        self.is_linear
    }

    fn is_autonomous(&self) -> bool {
        false
    }

    fn algebraic(&self) -> &[bool] {
        &self.algebraic
    }

    /// A central difference: the closures know no derivative by time.
    fn time_derivative(&self, t: f64, y: &[f64], out: &mut [f64]) {
        let h = 1e-5 * t.abs().max(1.0);
        let mut below = vec![0.0; out.len()];
        (self.drift)(t - h, y, &mut below);
        (self.drift)(t + h, y, out);
        for (after, before) in out.iter_mut().zip(&below) {
            *after = (*after - before) / (2.0 * h);
        }
    }
}

/// One reaction: rate constant, reactants (repeated for powers), net changes (species, amount).
pub type Reaction = (f64, Vec<usize>, Vec<(usize, f64)>);

/// Mass-action kinetics: y' = sum over reactions of k * product of reactants * net change.
pub fn mass_action(n: usize, reactions: Vec<Reaction>) -> Closures {
    let mut pairs = Vec::new();
    for (_, reactants, changes) in &reactions {
        for (i, _) in changes {
            pairs.extend(reactants.iter().map(|j| (*i, *j)));
        }
    }
    let copy = reactions.clone();
    Closures::sparse(
        n,
        pairs,
        move |_, y, dy| {
            dy.fill(0.0);
            for (k, reactants, changes) in &reactions {
                let rate = k * reactants.iter().map(|&j| y[j]).product::<f64>();
                for (i, amount) in changes {
                    dy[*i] += amount * rate;
                }
            }
        },
        move |_, y, add| {
            for (k, reactants, changes) in &copy {
                for (position, &j) in reactants.iter().enumerate() {
                    let others = reactants.iter().enumerate();
                    let rest = others.filter(|(p, _)| *p != position);
                    let slope = k * rest.map(|(_, &l)| y[l]).product::<f64>();
                    for (i, amount) in changes {
                        add(*i, j, amount * slope);
                    }
                }
            }
        },
    )
}

/// Van der Pol's oscillator y1' = y2, y2' = mu (1 - y1^2) y2 - y1.
pub fn van_der_pol(mu: f64) -> Closures {
    Closures::new(
        2,
        move |_, y, dy| {
            dy[0] = y[1];
            dy[1] = mu * (1.0 - y[0] * y[0]) * y[1] - y[0];
        },
        move |_, y, add| {
            add(0, 1, 1.0);
            add(1, 0, -2.0 * mu * y[0] * y[1] - 1.0);
            add(1, 1, mu * (1.0 - y[0] * y[0]));
        },
    )
}

/// The Oregonator of the IVP test set.
pub fn oregonator() -> Closures {
    let (k1, k2, k4) = (77.27, 8.375e-6, 0.161);
    Closures::new(
        3,
        move |_, y, dy| {
            dy[0] = k1 * (y[1] + y[0] - y[0] * y[1] - k2 * y[0] * y[0]);
            dy[1] = (y[2] - (1.0 + y[0]) * y[1]) / k1;
            dy[2] = k4 * (y[0] - y[2]);
        },
        move |_, y, add| {
            add(0, 0, k1 * (1.0 - y[1] - 2.0 * k2 * y[0]));
            add(0, 1, k1 * (1.0 - y[0]));
            add(1, 0, -y[1] / k1);
            add(1, 1, -(1.0 + y[0]) / k1);
            add(1, 2, 1.0 / k1);
            add(2, 0, k4);
            add(2, 2, -k4);
        },
    )
}

/// Robertson's kinetics.
pub fn robertson() -> Closures {
    mass_action(
        3,
        vec![
            (0.04, vec![0], vec![(0, -1.0), (1, 1.0)]),
            (1e4, vec![1, 2], vec![(1, -1.0), (0, 1.0)]),
            (3e7, vec![1, 1], vec![(1, -1.0), (2, 1.0)]),
        ],
    )
}

/// Robertson's kinetics with the conservation of mass in place of the third equation.
pub fn constrained_robertson() -> Closures {
    let drift = |_: f64, y: &[f64], dy: &mut [f64]| {
        let rates = [0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]];
        dy[0] = rates[1] - rates[0];
        dy[1] = rates[0] - rates[1] - rates[2];
        dy[2] = y[0] + y[1] + y[2] - 1.0;
    };
    let jacobian = |_: f64, y: &[f64], add: &mut dyn FnMut(usize, usize, f64)| {
        let slopes = [-0.04, 1e4 * y[2], 1e4 * y[1]];
        for (j, slope) in slopes.into_iter().enumerate() {
            add(0, j, slope);
            add(1, j, -slope);
            add(2, j, 1.0);
        }
        add(1, 1, -6e7 * y[1]);
    };
    Closures::new(3, drift, jacobian).constrained(vec![false, false, true])
}

/// The rate constants and the reactants (species from 1) of the POLLU problem's 25 reactions.
const POLLU: [(f64, &[usize]); 25] = [
    (0.35, &[1]),
    (26.6, &[2, 4]),
    (12300.0, &[5, 2]),
    (0.00086, &[7]),
    (0.00082, &[7]),
    (15000.0, &[7, 6]),
    (0.00013, &[9]),
    (24000.0, &[9, 6]),
    (16500.0, &[11, 2]),
    (9000.0, &[11, 1]),
    (0.022, &[13]),
    (12000.0, &[10, 2]),
    (1.88, &[14]),
    (16300.0, &[1, 6]),
    (4.8e6, &[3]),
    (0.00035, &[4]),
    (0.0175, &[4]),
    (1e8, &[16]),
    (4.44e11, &[16]),
    (1240.0, &[17, 6]),
    (2.1, &[19]),
    (5.78, &[19]),
    (0.0474, &[1, 4]),
    (1780.0, &[19, 1]),
    (3.12, &[20]),
];

/// For each of POLLU's 20 species the reactions (from 1) that change it, negative for loss; one
/// that counts twice is listed twice.
const POLLU_CHANGES: [&[i32]; 20] = [
    &[-1, -10, -14, -23, -24, 2, 3, 9, 11, 12, 22, 25],
    &[-2, -3, -9, -12, 1, 21],
    &[-15, 1, 17, 19, 22],
    &[-2, -16, -17, -23, 15],
    &[-3, 4, 4, 6, 7, 13, 20],
    &[-6, -8, -14, -20, 3, 18, 18],
    &[-4, -5, -6, 13],
    &[4, 5, 6, 7],
    &[-7, -8],
    &[-12, 7, 9],
    &[-9, -10, 8, 11],
    &[9],
    &[-11, 10],
    &[-13, 12],
    &[14],
    &[-18, -19, 16],
    &[-20],
    &[20],
    &[-21, -22, -24, 23, 25],
    &[-25, 24],
];

/// The air pollution problem of the IVP test set.
pub fn pollu() -> Closures {
    let changes = |reaction: i32| {
        let mut of = Vec::new();
        for (i, list) in POLLU_CHANGES.iter().enumerate() {
            let net: i32 = list
                .iter()
                .filter(|r| r.abs() == reaction)
                .map(|r| r.signum())
                .sum();
            if net != 0 {
                of.push((i, f64::from(net)));
            }
        }
        of
    };
    let reaction = |(r, (k, reactants)): (i32, &(f64, &[usize]))| {
        (*k, reactants.iter().map(|j| j - 1).collect(), changes(r))
    };
    mass_action(20, (1..).zip(&POLLU).map(reaction).collect())
}

/// The HIRES problem of the IVP test set.
pub fn hires() -> Closures {
    Closures::new(
        8,
        |_, y, dy| {
            let r = 280.0 * y[5] * y[7];
            dy[0] = -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007;
            dy[1] = 1.71 * y[0] - 8.75 * y[1];
            dy[2] = -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4];
            dy[3] = 8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3];
            dy[4] = -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6];
            dy[5] = -r + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6];
            dy[6] = r - 1.81 * y[6];
            dy[7] = -r + 1.81 * y[6];
        },
        |_, y, add| {
            let linear = [
                (0, 0, -1.71),
                (0, 1, 0.43),
                (0, 2, 8.32),
                (1, 0, 1.71),
                (1, 1, -8.75),
                (2, 2, -10.03),
                (2, 3, 0.43),
                (2, 4, 0.035),
                (3, 1, 8.32),
                (3, 2, 1.71),
                (3, 3, -1.12),
                (4, 4, -1.745),
                (4, 5, 0.43),
                (4, 6, 0.43),
                (5, 3, 0.69),
                (5, 4, 1.71),
                (5, 5, -0.43),
                (5, 6, 0.69),
                (6, 6, -1.81),
                (7, 6, 1.81),
            ];
            for (i, j, value) in linear {
                add(i, j, value);
            }
            for (i, sign) in [(5, -1.0), (6, 1.0), (7, -1.0)] {
                add(i, 5, sign * 280.0 * y[7]);
                add(i, 7, sign * 280.0 * y[5]);
            }
        },
    )
}

/// The Pleiades of the IVP test set: seven bodies of masses 1 to 7 in the plane; positions x, y,
/// then velocities.
pub fn pleiades() -> Closures {
    fn pairs(mut visit: impl FnMut(usize, usize)) {
        for i in 0..7 {
            for j in (0..7).filter(|j| *j != i) {
                visit(i, j);
            }
        }
    }
    Closures::new(
        28,
        |_, y, dy| {
            dy[..14].copy_from_slice(&y[14..]);
            dy[14..].fill(0.0);
            pairs(|i, j| {
                let (dx, dz) = (y[j] - y[i], y[7 + j] - y[7 + i]);
                let force = (j + 1) as f64 / (dx * dx + dz * dz).powf(1.5);
                dy[14 + i] += force * dx;
                dy[21 + i] += force * dz;
            });
        },
        |_, y, add| {
            for i in 0..14 {
                add(i, 14 + i, 1.0);
            }
            pairs(|i, j| {
                let (dx, dz) = (y[j] - y[i], y[7 + j] - y[7 + i]);
                let (square, mass) = (dx * dx + dz * dz, (j + 1) as f64);
                let (a, b) = (mass / square.powf(1.5), 3.0 * mass / square.powf(2.5));
                let slopes = [
                    (14 + i, j, a - b * dx * dx, i),
                    (14 + i, 7 + j, -b * dx * dz, 7 + i),
                    (21 + i, j, -b * dx * dz, i),
                    (21 + i, 7 + j, a - b * dz * dz, 7 + i),
                ];
                for (row, column, slope, own) in slopes {
                    add(row, column, slope);
                    add(row, own, -slope);
                }
            });
        },
    )
}

/// Prey and predators: x' = x (a - b y), y' = y (c x - d).
pub fn lotka_volterra() -> Closures {
    let (a, b, c, d) = (1.1, 0.4, 0.1, 0.4);
    Closures::new(
        2,
        move |_, y, dy| {
            dy[0] = y[0] * (a - b * y[1]);
            dy[1] = y[1] * (c * y[0] - d);
        },
        move |_, y, add| {
            add(0, 0, a - b * y[1]);
            add(0, 1, -b * y[0]);
            add(1, 0, c * y[1]);
            add(1, 1, c * y[0] - d);
        },
    )
}

/// One problem of the reference file.
pub struct Reference {
    pub initial: Vec<f64>,
    pub start: f64,
    pub end: f64,
    pub values: Vec<f64>,
}

/// Published solutions (IVP test set, see `source` in the file); `None` where the data are absent.
pub fn reference(name: &str) -> Option<Reference> {
    let text = std::fs::read_to_string(shared()?.join("data/ivp/reference.json")).ok()?;
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let problem = &json["problems"][name];
    let list = |key: &str| problem[key].as_array().unwrap().clone();
    let numbers = |key| list(key).iter().map(|v| v.as_f64().unwrap()).collect();
    let strings = list("reference");
    let values = strings.iter().map(|v| v.as_str().unwrap().parse().unwrap());
    Some(Reference {
        initial: numbers("y0"),
        start: problem["t0"].as_f64().unwrap(),
        end: problem["t1"].as_f64().unwrap(),
        values: values.collect(),
    })
}

/// The folder of shared data: named by `LOTKA_SHARED`, or `shared` beside or above the package.
fn shared() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("LOTKA_SHARED") {
        return Some(PathBuf::from(named));
    }
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = package.ancestors().map(|a| a.join("shared"));
    found.into_iter().find(|p| p.join("data").is_dir())
}

/// The largest relative error over the components.
pub fn relative_error(found: &[f64], expected: &[f64]) -> f64 {
    let errors = found.iter().zip(expected).map(|(f, e)| ((f - e) / e).abs());
    errors.fold(0.0, f64::max)
}

/// The harmonic oscillator of period 2 pi.
pub fn oscillator() -> Closures {
    Closures::new(
        2,
        |_, y, dy| {
            dy[0] = y[1];
            dy[1] = -y[0];
        },
        |_, _, add| {
            add(0, 1, 1.0);
            add(1, 0, -1.0);
        },
    )
}

/// A scalar problem y' = f(t, y) with its derivative by y.
pub fn scalar(f: fn(f64, f64) -> f64, slope: fn(f64, f64) -> f64) -> Closures {
    Closures::new(
        1,
        move |t, y, dy| dy[0] = f(t, y[0]),
        move |t, y, add| add(0, 0, slope(t, y[0])),
    )
}

/// Diffusion along a line of n cells with closed ends, rate 1e4 between neighbours.
pub fn diffusion(n: usize) -> Closures {
    let pairs =
        (0..n).flat_map(move |i| (i.saturating_sub(1)..(i + 2).min(n)).map(move |j| (i, j)));
    Closures::sparse(
        n,
        pairs.collect(),
        move |_, y, dy| {
            for i in 0..n {
                let left = if i > 0 { y[i - 1] - y[i] } else { 0.0 };
                let right = if i + 1 < n { y[i + 1] - y[i] } else { 0.0 };
                dy[i] = 1e4 * (left + right);
            }
        },
        move |_, _, add| {
            for i in 0..n {
                for j in [i.wrapping_sub(1), i + 1] {
                    if j < n {
                        add(i, j, 1e4);
                        add(i, i, -1e4);
                    }
                }
            }
        },
    )
}
