//! Strong and weak orders of methods with fixed steps, on coupled paths: steps of every length see
//! the same Brownian motion.
//!
//! The orders of theory are those of convergence_orders in ../shared/data/sde/references.json; a
//! measured order counts when the lower end of its bootstrap interval is at most 0.15 below.

use super::{Case, case};
use crate::kernel::{Parameters, Scratch, Stream};
use crate::simulate::Method;
use crate::system::SchemeKind;

/// Increments of a Brownian motion over a step, and its integral from the start of the step.
#[derive(Debug, Clone, Copy)]
struct Increment {
    w: f64,
    area: f64,
}

/// Steps that halve a path's length `levels` times, the finest first.
struct Motion {
    /// For each level, for each step, for each column.
    levels: Vec<Vec<Vec<Increment>>>,
    finest: f64,
}

impl Motion {
    fn new(path: u64, columns: usize, end: f64, halvings: u32, levels: usize) -> Motion {
        let count = 1 << halvings;
        let h = end / f64::from(count);
        let mut stream = Stream::new(77, path);
        let mut z = vec![0.0; 2 * columns];
        let mut finest = Vec::new();
        for _ in 0..count {
            stream.normals(&mut z);
            let pairs = z[..columns].iter().zip(&z[columns..]);
            let step = pairs.map(|(z1, z2)| Increment {
                w: h.sqrt() * z1,
                area: 0.5 * h.powf(1.5) * (z1 + z2 / 3.0_f64.sqrt()),
            });
            finest.push(step.collect());
        }
        let mut all: Vec<Vec<Vec<Increment>>> = vec![finest];
        let mut length = h;
        while all.len() < levels {
            let last = &all[all.len() - 1];
            let joined = last.chunks_exact(2).map(|pair| {
                let columns = pair[0].iter().zip(&pair[1]);
                let join = |(a, b): (&Increment, &Increment)| Increment {
                    w: a.w + b.w,
                    area: a.area + b.area + length * a.w,
                };
                columns.map(join).collect()
            });
            let joined: Vec<Vec<Increment>> = joined.collect();
            all.push(joined);
            length *= 2.0;
        }
        Motion {
            levels: all,
            finest: h,
        }
    }

    fn total(&self, column: usize) -> f64 {
        self.levels[0].iter().map(|step| step[column].w).sum()
    }
}

/// The states at the end of a path by steps of every level.
fn ends(case: &Case, kind: SchemeKind, motion: &Motion) -> Vec<Vec<f64>> {
    let compiled = case.kernels.scheme(kind).expect("a method for this noise");
    let columns = motion.levels[0][0].len();
    let mut found = Vec::new();
    let mut scratch = Scratch::new();
    for (level, steps) in motion.levels.iter().enumerate() {
        let h = motion.finest * f64::from(1 << level);
        let mut values = case.parameters.clone();
        values.push(h);
        let parameters = Parameters::new(values);
        let mut state = case.initial.clone();
        let mut next = vec![0.0; compiled.kernel.out_len()];
        let mut z = vec![0.0; compiled.scheme.normals.len()];
        for (k, step) in steps.iter().enumerate() {
            for (column, increment) in step.iter().enumerate() {
                if kind == SchemeKind::Srk {
                    z[column] = increment.w;
                    z[columns + column] = increment.area / h - 0.5 * increment.w;
                    continue;
                }
                let first = increment.w / h.sqrt();
                z[column] = first;
                if let Some(z) = z.get_mut(columns + column) {
                    *z = 3.0_f64.sqrt() * (2.0 * increment.area / h.powf(1.5) - first);
                }
            }
            let time = k as f64 * h;
            let kernel = &*compiled.kernel;
            kernel.call(time, &state, &parameters, &z, &mut next, &mut scratch);
            // Estimated errors may follow.
            let n = state.len();
            state.copy_from_slice(&next[..n]);
        }
        found.push(state);
    }
    found
}

/// The slope of the logarithms of `sizes`, whose steps double, by least squares.
fn slope(sizes: &[f64]) -> f64 {
    let middle = (sizes.len() - 1) as f64 / 2.0;
    let (mut above, mut below) = (0.0, 0.0);
    for (k, size) in sizes.iter().enumerate() {
        let x = k as f64 - middle;
        above += x * size.log2();
        below += x * x;
    }
    above / below
}

/// The lower end of the 95 % bootstrap interval of the order: `errors` has for each path the error
/// at each level, `size` makes one number of those of all paths at a level.
fn lowest_order(errors: &[Vec<f64>], size: impl Fn(&mut dyn Iterator<Item = f64>) -> f64) -> f64 {
    const RESAMPLES: usize = 200;
    let levels = errors[0].len();
    let mut stream = Stream::new(5, 0);
    let mut orders = Vec::new();
    for _ in 0..RESAMPLES {
        let chosen: Vec<usize> = (0..errors.len())
            .map(|_| (stream.uniform() * errors.len() as f64).ceil() as usize - 1)
            .collect();
        let sizes: Vec<f64> = (0..levels)
            .map(|level| size(&mut chosen.iter().map(|path| errors[*path][level])))
            .collect();
        orders.push(slope(&sizes));
    }
    orders.sort_by(f64::total_cmp);
    orders[RESAMPLES / 40]
}

fn root_mean_square(values: &mut dyn Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value * value;
        count += 1.0;
    }
    (sum / count).sqrt()
}

/// Errors of every level against the exact solution, which is a function of the motions at the
/// end.
fn against_exact(
    case: &Case,
    kind: SchemeKind,
    paths: u64,
    levels: (u32, usize),
    columns: usize,
    exact: impl Fn(&Motion) -> f64,
) -> Vec<Vec<f64>> {
    let errors = (0..paths).map(|path| {
        let motion = Motion::new(path, columns, 1.0, levels.0, levels.1);
        let exact = exact(&motion);
        let ends = ends(case, kind, &motion);
        ends.iter().map(|state| state[0] - exact).collect()
    });
    errors.collect()
}

/// Differences between the states of neighbouring levels, for equations whose solution is not
/// known.
fn between_levels(case: &Case, kind: SchemeKind, paths: u64, columns: usize) -> Vec<Vec<f64>> {
    let errors = (0..paths).map(|path| {
        let motion = Motion::new(path, columns, 1.0, 8, 5);
        let ends = ends(case, kind, &motion);
        let pairs = ends.windows(2);
        pairs.map(|pair| pair[1][0] - pair[0][0]).collect()
    });
    errors.collect()
}

const GBM: &str = "param mu = 1.5, sigma = 1
     wiener W
     state x = 1
     x' = mu*x + sigma*x*W'";

/// x0 exp((mu - sigma^2/2) t + sigma W).
fn gbm(motion: &Motion) -> f64 {
    (1.0 + motion.total(0)).exp()
}

const DOUBLE_WELL: &str = "wiener W
     state x = 1
     x' = x - x^3 + 0.8*W'";

#[test]
fn euler_maruyama_has_strong_order_one_half() {
    let case = case(GBM, Method::EulerMaruyama, 1.0);
    let errors = against_exact(&case, SchemeKind::EulerMaruyama, 2000, (9, 5), 1, gbm);
    let order = lowest_order(&errors, root_mean_square);
    assert!(order > 0.35, "{order}");
}

#[test]
fn euler_maruyama_has_strong_order_one_for_additive_noise() {
    let case = case(DOUBLE_WELL, Method::EulerMaruyama, 1.0);
    let errors = between_levels(&case, SchemeKind::EulerMaruyama, 500, 1);
    let order = lowest_order(&errors, root_mean_square);
    assert!(order > 0.85, "{order}");
}

/// The mean of the error on coupled paths is that of the mean: the exact solution is a control.
#[test]
fn euler_maruyama_has_weak_order_one() {
    let text = GBM.replace("mu = 1.5, sigma = 1", "mu = 2, sigma = 0.3");
    let case = case(&text, Method::EulerMaruyama, 1.0);
    let exact = |motion: &Motion| (2.0 - 0.045 + 0.3 * motion.total(0)).exp();
    let errors = against_exact(&case, SchemeKind::EulerMaruyama, 4000, (7, 4), 1, exact);
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let values: Vec<f64> = values.collect();
        (values.iter().sum::<f64>() / values.len() as f64).abs()
    };
    let order = lowest_order(&errors, mean);
    assert!(order > 0.85, "{order}");
}

#[test]
fn milstein_has_strong_order_one() {
    let case = case(GBM, Method::Milstein, 1.0);
    let errors = against_exact(&case, SchemeKind::Milstein, 2000, (9, 5), 1, gbm);
    let order = lowest_order(&errors, root_mean_square);
    assert!(order > 0.85, "{order}");
}

/// Two motions that both move one state: they commute, with mixed products of increments. The
/// exact solution is that of geometric Brownian motion.
#[test]
fn milstein_has_strong_order_one_for_commutative_noise() {
    let text = "param a = 0.7, b = 0.5
         wiener V, W
         state x = 1
         x' = x + a*x*V' + b*x*W'";
    let case = case(text, Method::Milstein, 1.0);
    let exact = |motion: &Motion| {
        (1.0 - 0.5 * (0.49 + 0.25) + 0.7 * motion.total(0) + 0.5 * motion.total(1)).exp()
    };
    let errors = against_exact(&case, SchemeKind::Milstein, 1000, (8, 5), 2, exact);
    let order = lowest_order(&errors, root_mean_square);
    assert!(order > 0.85, "{order}");
}

/// Stratonovich: x0 exp(mu t + sigma W).
#[test]
fn milstein_reads_stratonovich_noise() {
    let text = GBM.replace("wiener W", "stratonovich W");
    let case = case(&text, Method::Milstein, 1.0);
    let exact = |motion: &Motion| (1.5 + motion.total(0)).exp();
    let errors = against_exact(&case, SchemeKind::Milstein, 1000, (8, 5), 1, exact);
    let order = lowest_order(&errors, root_mean_square);
    assert!(order > 0.85, "{order}");
}

/// dx = (b/sqrt(1+t) - x/(2(1+t))) dt + a b/sqrt(1+t) dW has the solution (x0 + b (t + a W)) /
/// sqrt(1+t): Kloeden & Platen 1992, section 4.4, formula 4.26 with a = 0.1, b = 0.5.
#[test]
fn sra1_has_strong_order_three_halves() {
    let text = "param a = 0.1, b = 0.5
         wiener W
         state x = 1
         x' = b/sqrt(1 + t) - x/(2*(1 + t)) + a*b/sqrt(1 + t)*W'";
    let varying = case(text, Method::Sra1, 1.0);
    let exact = |motion: &Motion| (1.0 + 0.5 * (1.0 + 0.1 * motion.total(0))) / 2.0_f64.sqrt();
    let errors = against_exact(&varying, SchemeKind::Sra1, 500, (8, 5), 1, exact);
    let order = lowest_order(&errors, root_mean_square);
    assert!(order > 1.35, "{order}");
    let constant = case(DOUBLE_WELL, Method::Sra1, 1.0);
    let errors = between_levels(&constant, SchemeKind::Sra1, 500, 1);
    let order = lowest_order(&errors, root_mean_square);
    assert!(order > 1.35, "{order}");
}

/// Scalar noise against the exact solution; diagonal noise, coupled by the drift, between levels.
#[test]
fn the_adaptive_method_has_strong_order_three_halves_at_fixed_steps() {
    let scalar = case(&GBM.replace("sigma = 1", "sigma = 0.5"), Method::Srk, 1.0);
    let exact = |motion: &Motion| (1.5 - 0.125 + 0.5 * motion.total(0)).exp();
    let errors = against_exact(&scalar, SchemeKind::Srk, 1000, (8, 4), 1, exact);
    let order = lowest_order(&errors, root_mean_square);
    assert!(order > 1.35, "{order}");
    let diagonal = case(
        "wiener V, W
         state x = 1, y = 0.5
         x' = -x + sin(y) + 0.4*x*V'
         y' = x - y^3 + 0.3*cos(y)*W'",
        Method::Srk,
        1.0,
    );
    let errors = between_levels(&diagonal, SchemeKind::Srk, 500, 2);
    let order = lowest_order(&errors, root_mean_square);
    assert!(order > 1.35, "{order}");
}

/// The states at the end of a path by steps of its own choosing.
fn adaptive(text: &str, tolerance: f64, path: u64) -> Vec<f64> {
    let mut case = case(text, Method::Srk, 1.0);
    case.step = None;
    case.tolerance = tolerance;
    case.paths_from(path, 1, &[1.0])
}

/// Errors against the exact solution at some tolerances, and that all of them see one path: `w` is
/// the motion itself.
fn check_adaptive(text: &str, most: f64, exact: impl Fn(f64) -> f64) {
    let tolerances = [1e-2, 1e-3, 1e-4, 1e-5];
    let mut sizes = Vec::new();
    let mut motions: Vec<f64> = Vec::new();
    for tolerance in tolerances {
        let mut errors = Vec::new();
        for path in 0..40 {
            let state = adaptive(text, tolerance, path);
            let (x, w) = (state[0], state[1]);
            match motions.get(path as usize) {
                Some(known) => assert!((known - w).abs() < 1e-10, "{known} {w}"),
                None => motions.push(w),
            }
            errors.push((x - exact(w)) / exact(w).abs().max(1.0));
        }
        sizes.push(root_mean_square(&mut errors.into_iter()));
    }
    for (size, tolerance) in sizes.iter().zip(tolerances) {
        assert!(*size < most * tolerance, "{sizes:?}");
    }
    // The root mean square is that of the worst paths, whose steps the estimate of the error, a
    // random number, now and then lets grow too far: somewhat below proportional.
    let order = -slope(&sizes) / 10.0_f64.log2();
    assert!(order > 0.7, "{order} {sizes:?}");
}

#[test]
fn adaptive_steps_follow_one_path_to_the_tolerance() {
    let multiplicative = "wiener W
         state x = 1, w = 0
         x' = x + 0.8*x*W'
         w' = W'";
    check_adaptive(multiplicative, 30.0, |w| (1.0 - 0.32 + 0.8 * w).exp());
}
