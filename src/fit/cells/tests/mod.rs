//! The cells as a whole: exact numbers, derivatives against differences, recovery, what cannot be
//! told, sparse fits.

use super::likelihood::{gradient, moments};
use super::*;
use crate::linalg::products::eigenvalues;
use crate::linalg::sign::{Equation, SignLyapunov};
use nalgebra::DMatrix;

mod search;

const GO_ON: &(dyn Fn() -> bool + Sync) = &|| false;

/// Numbers from -1 to 1 from a linear congruential generator (Knuth's MMIX).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn matrix(&mut self, rows: usize, columns: usize) -> DMatrix<f64> {
        DMatrix::from_fn(rows, columns, |_, _| self.next())
    }

    /// Random couplings of a given density, with a spectrum that ends at -1/2.
    fn stable(&mut self, p: usize, density: f64) -> DMatrix<f64> {
        let mut a = DMatrix::from_fn(p, p, |_, _| {
            let size = self.next();
            if self.next().abs() < density {
                size
            } else {
                0.0
            }
        });
        a.fill_diagonal(0.0);
        let most = eigenvalues(&a)
            .unwrap()
            .iter()
            .map(|z| z.re)
            .fold(f64::MIN, f64::max);
        a - DMatrix::identity(p, p) * (most.max(0.0) + 0.5)
    }
}

/// Exact moments of cells: a control and K knock-outs, each of which acts on its own gene. Inputs:
/// a constant and one for each knock-out.
struct Screen {
    truth: Point,
    inputs: DMatrix<f64>,
    statistics: Statistics,
}

fn screen(p: usize, knockouts: usize, density: f64, seed: u64) -> Screen {
    let mut numbers = Numbers(seed);
    let drift = numbers.stable(p, density);
    let input = DMatrix::from_fn(p, knockouts + 1, |i, l| {
        let size = numbers.next();
        match l {
            0 => 1.0 + 0.5 * size,
            _ if i + 1 == l => -1.0 + 0.3 * size,
            _ => 0.0,
        }
    });
    let noise = DMatrix::from_diagonal_element(p, p, 1.0);
    let inputs = DMatrix::from_fn(knockouts + 1, knockouts + 1, |l, k| {
        if l == 0 || l == k { 1.0 } else { 0.0 }
    });
    let counts = vec![100.0; knockouts + 1];
    let means = crate::analyze::effects::stationary_mean(&drift, &input, &inputs).unwrap();
    let solver = SignLyapunov::new(&drift, GO_ON).unwrap();
    let covariance = solver
        .solve(Equation::Direct, &(&noise * noise.transpose()), GO_ON)
        .unwrap();
    let scatter = covariance * counts.iter().sum::<f64>();
    let statistics = Statistics::of_moments(&counts, means, scatter).unwrap();
    Screen {
        truth: Point {
            drift,
            input,
            noise,
        },
        inputs,
        statistics,
    }
}

/// A free, B free in its first column and where knock-outs act, C held.
fn design(screen: &Screen) -> Design {
    let (p, q) = screen.truth.input.shape();
    Design {
        drift: Entries::free(-DMatrix::identity(p, p)),
        input: Entries::masked(DMatrix::zeros(p, q), |i, l| l == 0 || i + 1 == l),
        noise: Entries::held(screen.truth.noise.clone()),
    }
}

/// The sum of log-densities of the six cells, by scipy.stats.multivariate_normal (given).
#[test]
fn six_cells_have_the_known_likelihood() {
    let cells = [0.3, 0.2, 0.1, 0.6, -0.2, 0.3, 0.5, -0.1, 0.2, 0.9, 0.4, 0.4];
    let mut taken = Accumulator::new(2, &[0, 0]);
    taken.take(&[0, 0, 0, 1, 1, 1], &cells, GO_ON).unwrap();
    let inputs = DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 0.0, 1.0]);
    let point = Point {
        drift: DMatrix::from_row_slice(2, 2, &[-1.0, -2.0, 2.0, -1.0]),
        input: DMatrix::from_row_slice(2, 2, &[1.0, -0.5, 0.5, 0.0]),
        noise: DMatrix::identity(2, 2),
    };
    let cells = Cells::new(&taken.finish(), &inputs, None, Covariance::FromNoise).unwrap();
    let found = moments(&cells, &point, GO_ON).unwrap();
    assert!(
        (-6.0 * found.value + 8.378_379_315_096).abs() < 1e-11,
        "{}",
        -6.0 * found.value
    );
}

// ---- derivatives ----

/// Cells, and a point that is not near the truth.
fn case(p: usize, covariance: Covariance, has_course: bool) -> (Cells, Point) {
    let mut numbers = Numbers(5);
    let (q, groups) = (3, 4);
    let rows = numbers.matrix(p, 60);
    let mut taken = Accumulator::new(p, &[0; 4]);
    let labels: Vec<usize> = (0..60).map(|cell| cell % groups).collect();
    taken.take(&labels, rows.as_slice(), GO_ON).unwrap();
    let inputs = numbers.matrix(q, groups);
    let course = Course {
        before: numbers.matrix(q, groups),
        times: vec![f64::INFINITY, 0.4, 1.3, 0.4],
    };
    let course = has_course.then_some(&course);
    let cells = Cells::new(&taken.finish(), &inputs, course, covariance).unwrap();
    let point = Point {
        drift: numbers.stable(p, 0.8),
        input: numbers.matrix(p, q),
        noise: numbers.matrix(p, p) * 0.3 + DMatrix::identity(p, p),
    };
    (cells, point)
}

fn check_gradient(p: usize, covariance: Covariance, has_course: bool) {
    let (cells, point) = case(p, covariance, has_course);
    check_gradient_of(&cells, &point);
}

fn check_gradient_of(cells: &Cells, point: &Point) {
    let at = moments(cells, point, GO_ON).unwrap();
    let exact = gradient(cells, point, &at, GO_ON).unwrap();
    let design = Design {
        drift: Entries::free(point.drift.clone()),
        input: Entries::free(point.input.clone()),
        noise: Entries::free(point.noise.clone()),
    };
    let (x, exact) = (design.packed(point), design.packed(&exact));
    let value = |x: &[f64]| {
        moments(cells, &design.unpacked(x, point), GO_ON)
            .unwrap()
            .value
    };
    let most = exact.iter().fold(0.0_f64, |most, g| most.max(g.abs()));
    for k in 0..x.len() {
        let h = 1e-4;
        let shifted = |by: f64| {
            let mut x = x.clone();
            x[k] += by;
            value(&x)
        };
        let near = (shifted(h) - shifted(-h)) / (2.0 * h);
        let far = (shifted(2.0 * h) - shifted(-2.0 * h)) / (4.0 * h);
        let difference = (4.0 * near - far) / 3.0;
        assert!(
            (difference - exact[k]).abs() < 1e-8 * most.max(1.0),
            "{k}: {difference} {}",
            exact[k]
        );
    }
}

#[test]
fn measuring_adds_to_the_variances() {
    let (cells, point) = case(4, Covariance::FromNoise, false);
    let variances = vec![0.3, 0.0, 0.1, 2.0];
    let measured = cells.clone().measured_with(variances.clone()).unwrap();
    check_gradient_of(&measured, &point);
    // The same as the sum of both given as a known covariance.
    let at = moments(&cells, &point, GO_ON).unwrap();
    let diagonal = DMatrix::from_diagonal(&nalgebra::DVector::from_vec(variances));
    let (known, _) = case(
        4,
        Covariance::Known(at.covariance(&cells) + diagonal),
        false,
    );
    let (one, other) = (
        moments(&measured, &point, GO_ON),
        moments(&known, &point, GO_ON),
    );
    assert!((one.unwrap().value - other.unwrap().value).abs() < 1e-10);
}

#[test]
fn gradients_are_those_of_differences() {
    for has_course in [false, true] {
        check_gradient(4, Covariance::FromNoise, has_course);
        check_gradient(4, Covariance::Profiled { ridge: 1e-3 }, has_course);
        // More than twice as many genes as groups: the factor is updated.
        check_gradient(9, Covariance::Profiled { ridge: 0.0 }, has_course);
        let known = Numbers(8).matrix(4, 4) * 0.2 + DMatrix::identity(4, 4);
        check_gradient(4, Covariance::Known(&known * known.transpose()), has_course);
    }
}

/// At exact moments the Hessian is the Fisher information: its product with a direction is the
/// change of the gradient, to the precision of rough tangents.
#[test]
fn the_information_is_the_hessian_at_the_truth() {
    let screen = screen(5, 3, 1.0, 4);
    let cells = Cells::new(
        &screen.statistics,
        &screen.inputs,
        None,
        Covariance::FromNoise,
    )
    .unwrap();
    let (truth, design) = (&screen.truth, design(&screen));
    let at = moments(&cells, truth, GO_ON).unwrap();
    let mut numbers = Numbers(2);
    let along: Vec<f64> = (0..design.size()).map(|_| numbers.next()).collect();
    let change = design.unpacked(&along, &truth.zeros_like());
    let found = likelihood::information_product(&cells, truth, &at, &change, GO_ON).unwrap();
    let found = design.packed(&found);
    let slope = |by: f64| {
        let x: Vec<f64> = design
            .packed(truth)
            .iter()
            .zip(&along)
            .map(|(x, d)| x + by * d)
            .collect();
        let point = design.unpacked(&x, truth);
        let at = moments(&cells, &point, GO_ON).unwrap();
        design.packed(&gradient(&cells, &point, &at, GO_ON).unwrap())
    };
    let exact: Vec<f64> = slope(1e-5)
        .iter()
        .zip(&slope(-1e-5))
        .map(|(a, b)| (a - b) / 2e-5)
        .collect();
    let size = exact.iter().map(|e| e * e).sum::<f64>().sqrt();
    let off = exact
        .iter()
        .zip(&found)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f64>()
        .sqrt();
    assert!(off < 0.1 * size, "{off} {size}");
}

/// A start from moments is stable, has the covariance of the cells, and nearly their means.
#[test]
fn a_start_from_moments_matches_them() {
    let screen = screen(7, 6, 1.0, 6);
    let cells = Cells::new(
        &screen.statistics,
        &screen.inputs,
        None,
        Covariance::FromNoise,
    )
    .unwrap();
    let start = matched_start(&cells, &design(&screen), GO_ON).unwrap();
    let at = moments(&cells, &start.start(), GO_ON).unwrap();
    let exact = moments(&cells, &screen.truth, GO_ON).unwrap();
    assert!((at.covariance(&cells) - exact.covariance(&cells)).amax() < 1e-9);
    assert!(
        at.value - exact.value < 0.05,
        "{} {}",
        at.value,
        exact.value
    );
    let held = Design {
        drift: Entries::held(screen.truth.drift.clone()),
        ..design(&screen)
    };
    assert!(matched_start(&cells, &held, GO_ON).is_none());
}

// ---- recovery, and what cannot be told ----

fn recover(p: usize, density: f64, tolerance: f64) -> f64 {
    let screen = screen(p, p - 1, density, 11);
    let cells = Cells::new(
        &screen.statistics,
        &screen.inputs,
        None,
        Covariance::FromNoise,
    )
    .unwrap();
    let penalty = Penalty {
        ridge: 0.0,
        input_ridge: 0.0,
        ..Penalty::default()
    };
    let options = Options {
        gradient: tolerance,
        ..Options::default()
    };
    let found = search(&cells, &design(&screen), &penalty, &options, GO_ON).unwrap();
    assert_eq!(found.end, End::Converged, "{}", found.gradient);
    (&found.point.drift - &screen.truth.drift).norm() / screen.truth.drift.norm()
}

/// With a control and p - 1 knock-outs exact moments have one A.
#[test]
fn exact_moments_give_the_drift_back() {
    let error = recover(5, 1.0, 1e-9);
    assert!(error <= 1e-6, "{error}");
    let error = recover(20, 0.3, 1e-8);
    assert!(error <= 1e-3, "{error}");
}

/// (p - K)(p - K - 1)/2, and each direction leaves the moments.
#[test]
fn the_nullity_is_that_of_the_formula() {
    for p in [5_usize, 6, 8] {
        for knockouts in 0..p {
            let screen = screen(p, knockouts, 1.0, (p + 10 * knockouts) as u64);
            let cells = Cells::new(
                &screen.statistics,
                &screen.inputs,
                None,
                Covariance::FromNoise,
            );
            let cells = cells.unwrap();
            let found = blindness(&cells, &design(&screen), &screen.truth, GO_ON).unwrap();
            let open = (p - knockouts) * (p - knockouts - 1) / 2;
            assert_eq!(
                found.directions.len(),
                open,
                "{p} {knockouts}: {:?}",
                found.singular_values
            );
            for direction in &found.directions {
                let step = 1e-4;
                let mut moved = screen.truth.clone();
                moved.drift += &direction.drift * step;
                moved.input += &direction.input * step;
                let value = |point| moments(&cells, point, GO_ON).unwrap().value;
                // Quadratic in the step times the curvature, which is zero.
                assert!((value(&moved) - value(&screen.truth)).abs() < 1e-11);
            }
        }
    }
}

/// At rest the scale of time, and with p - 1 knock-outs that alone, is open when a diagonal C is
/// free: (A, B, C/2) is the direction of (s A, s B, s^(1/2) C). The same knock-outs seen on the way,
/// too, leave nothing open.
#[test]
fn cells_on_the_way_tell_the_scale_of_time() {
    let screen = screen(4, 3, 1.0, 3);
    let mut free = design(&screen);
    free.noise = Entries::masked(screen.truth.noise.clone(), |i, j| i == j);
    let rest = Cells::new(
        &screen.statistics,
        &screen.inputs,
        None,
        Covariance::FromNoise,
    )
    .unwrap();
    let at_rest = blindness(&rest, &free, &screen.truth, GO_ON).unwrap();
    assert_eq!(at_rest.directions.len(), 1, "{:?}", at_rest.singular_values);
    let scale = Point {
        noise: &screen.truth.noise * 0.5,
        ..screen.truth.clone()
    };
    let (scale, open) = (free.packed(&scale), free.packed(&at_rest.directions[0]));
    let size = scale.iter().map(|entry| entry * entry).sum::<f64>().sqrt();
    let along: f64 = scale.iter().zip(&open).map(|(a, b)| a * b / size).sum();
    assert!((along.abs() - 1.0).abs() < 1e-9, "{along}");
    // Groups 4, 5, 6 are the knock-outs half a time after a step from the control.
    let twice = |of: &DMatrix<f64>| {
        DMatrix::from_fn(of.nrows(), 7, |i, k| of[(i, if k < 4 { k } else { k - 3 })])
    };
    let before = DMatrix::from_fn(4, 7, |l, _| if l == 0 { 1.0 } else { 0.0 });
    let mut times = vec![f64::INFINITY; 4];
    times.extend([0.5; 3]);
    let (inputs, means) = (twice(&screen.inputs), twice(&screen.statistics.means));
    let scatter = screen.statistics.scatter();
    let both = Statistics::of_moments(&[100.0; 7], means, scatter).unwrap();
    let course = Course { before, times };
    let cells = Cells::new(&both, &inputs, Some(&course), Covariance::FromNoise).unwrap();
    let moving = blindness(&cells, &free, &screen.truth, GO_ON).unwrap();
    assert_eq!(moving.directions.len(), 0, "{:?}", moving.singular_values);
}

// ---- sparse ----

/// The conditions of a minimum with |x|: slopes of w where entries are, below w where none is.
#[test]
fn a_sparse_fit_meets_its_conditions() {
    let screen = screen(12, 8, 0.15, 9);
    for covariance in [
        Covariance::FromNoise,
        Covariance::Known(DMatrix::identity(12, 12)),
    ] {
        let cells = Cells::new(&screen.statistics, &screen.inputs, None, covariance).unwrap();
        let penalty = Penalty {
            ridge: 0.0,
            input_ridge: 0.0,
            l1: 0.01,
            multipliers: None,
        };
        let mut design = design(&screen);
        if !matches!(&cells.covariance, Covariance::FromNoise) {
            // Without S time has no scale.
            design.drift = Entries::masked(-DMatrix::identity(12, 12), |i, j| i != j);
        }
        let found = search(&cells, &design, &penalty, &Options::default(), GO_ON).unwrap();
        assert_eq!(found.end, End::Converged, "{}", found.gradient);
        let at = moments(&cells, &found.point, GO_ON).unwrap();
        let slopes = gradient(&cells, &found.point, &at, GO_ON).unwrap();
        let mut zeros = 0;
        for i in 0..12 {
            for j in (0..12).filter(|j| *j != i) {
                let (a, slope) = (found.point.drift[(i, j)], slopes.drift[(i, j)]);
                if a == 0.0 {
                    zeros += 1;
                    assert!(slope.abs() <= 0.01 + 1e-5);
                } else {
                    assert!((slope + 0.01 * a.signum()).abs() < 1e-5);
                }
            }
        }
        assert!(zeros > 20, "{zeros}");
    }
}

/// Folds and the selection are the same each time, and a sparse truth asks for some weight.
#[test]
fn the_weight_is_chosen_by_groups_held_out() {
    let made = screen(8, 8, 0.2, 21);
    let parts = folds(9, 3, &[0], 7);
    assert_eq!(parts, folds(9, 3, &[0], 7));
    assert_eq!(parts[0], 3);
    // Cells around the exact means.
    let solver = SignLyapunov::new(&made.truth.drift, GO_ON).unwrap();
    let s = solver
        .solve(Equation::Direct, &DMatrix::identity(8, 8), GO_ON)
        .unwrap();
    let lower = s.cholesky().unwrap().l();
    let mut numbers = Numbers(77);
    let mut taken = Accumulator::new(8, &parts);
    for cell in 0..900 {
        // Sums of twelve uniform numbers are nearly normal, of variance 4.
        let z = nalgebra::DVector::from_fn(8, |_, _| {
            (0..12).map(|_| numbers.next()).sum::<f64>() / 2.0
        });
        let y = made.statistics.means.column(cell % 9) + &lower * z;
        taken.take(&[cell % 9], y.as_slice(), GO_ON).unwrap();
    }
    let statistics = taken.finish();
    let question = Question {
        statistics: &statistics,
        inputs: &made.inputs,
        course: None,
        covariance: &Covariance::FromNoise,
        design: &design(&made),
    };
    let path = Path {
        folds: 3,
        weights: 6,
        last: 1e-3,
    };
    let choose = || {
        select(
            question,
            &Penalty::default(),
            &Options::default(),
            &path,
            Watch {
                threads: 2,
                interrupted: GO_ON,
                told: &|_| {},
            },
        )
        .unwrap()
    };
    let chosen = choose();
    assert_eq!(chosen, choose());
    assert!(
        chosen.scores.iter().all(|score| score.is_finite()),
        "{:?}",
        chosen.scores
    );
    assert!(chosen.best > 0, "{:?}", chosen.scores);
    assert_eq!(chosen.found.end, End::Converged);
    let weights = adaptive(&chosen.found.point.drift, 0.1, 1.0);
    assert!(weights.max() <= 1.0 && weights.min() > 0.0);
}

// ---- what goes wrong ----

#[test]
fn what_is_wrong_is_said() {
    let made = screen(3, 2, 1.0, 1);
    let (statistics, inputs) = (&made.statistics, &made.inputs);
    let short = DMatrix::zeros(3, 2);
    let found = Cells::new(statistics, &short, None, Covariance::FromNoise);
    assert_eq!(found.err(), Some(Mismatch::Shapes));
    // One cell in each group: no scatter.
    let alone = Statistics::of_moments(&[1.0; 3], statistics.means.clone(), DMatrix::zeros(3, 3));
    let profiled = |ridge| Covariance::Profiled { ridge };
    let found = Cells::new(&alone.unwrap(), inputs, None, profiled(0.0));
    assert_eq!(found.err(), Some(Mismatch::SingularCovariance));
    let ones = Statistics::of_moments(
        &[9.0; 3],
        statistics.means.clone(),
        DMatrix::from_element(3, 3, 1.0),
    );
    let ones = ones.unwrap();
    assert!(Cells::new(&ones, inputs, None, profiled(0.0)).is_err());
    assert!(Cells::new(&ones, inputs, None, profiled(1e-6)).is_ok());
    let cells = Cells::new(statistics, inputs, None, Covariance::FromNoise).unwrap();
    let mut wrong = design(&made);
    wrong.drift.values = DMatrix::identity(3, 3);
    let run = |design: &Design, stop: &dyn Fn() -> bool| {
        search(
            &cells,
            design,
            &Penalty::default(),
            &Options::default(),
            stop,
        )
        .unwrap()
        .end
    };
    assert_eq!(run(&wrong, GO_ON), End::Fault(Fault::Unstable));
    let mut silent = design(&made);
    silent.noise.values.fill(0.0);
    assert_eq!(run(&silent, GO_ON), End::Fault(Fault::SingularCovariance));
    assert_eq!(run(&design(&made), &|| true), End::Interrupted);
    wrong.input.values = DMatrix::zeros(2, 2);
    let found = search(
        &cells,
        &wrong,
        &Penalty::default(),
        &Options::default(),
        GO_ON,
    );
    assert_eq!(found.err(), Some(Mismatch::Shapes));
}

/// A free covariance: the means alone, with the diagonal of A held. Steps beyond stability are
/// counted, not taken.
#[test]
fn a_profiled_fit_stays_stable() {
    let made = screen(6, 6, 0.3, 5);
    let mut design = design(&made);
    let held = DMatrix::from_diagonal(&made.truth.drift.diagonal());
    design.drift = Entries::masked(held, |i, j| i != j);
    design.input = Entries::masked(made.truth.input.clone(), |_, l| l == 0);
    let cells = Cells::new(
        &made.statistics,
        &made.inputs,
        None,
        Covariance::Profiled { ridge: 0.0 },
    );
    let penalty = Penalty {
        ridge: 0.0,
        input_ridge: 0.0,
        ..Penalty::default()
    };
    let options = Options {
        gradient: 1e-9,
        ..Options::default()
    };
    let found = search(&cells.unwrap(), &design, &penalty, &options, GO_ON).unwrap();
    assert_eq!(
        found.end,
        End::Converged,
        "{} {}",
        found.gradient,
        found.unstable
    );
    let error = (&found.point.drift - &made.truth.drift).norm() / made.truth.drift.norm();
    assert!(error < 1e-6, "{error}");
}
