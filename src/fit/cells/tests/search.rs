//! Searches: exact curvature, the maximum without A, cells that lie far from zero.

use super::*;
use crate::fit::cells::curvature::Curvature;
use crate::fit::cells::maximum::maximum;

/// Products with the Hessian are differences of gradients, for every way to come by S.
#[test]
fn curvatures_are_those_of_differences() {
    let p = 5;
    let mut numbers = Numbers(29);
    let known = DMatrix::from_diagonal_element(p, p, 0.7);
    let plain = [
        Covariance::FromNoise,
        Covariance::Profiled { ridge: 1e-3 },
        Covariance::Known(known),
    ];
    let mut cases: Vec<(Cells, Point)> = plain.map(|how| case(p, how, false)).into();
    let (cells, point) = case(p, Covariance::FromNoise, false);
    let variances = (1..=p).map(|gene| 0.1 * gene as f64).collect();
    cases.push((cells.measured_with(variances).unwrap(), point));
    for (cells, point) in &cases {
        let from_noise = cells.base.is_none();
        let change = Point {
            drift: numbers.matrix(p, p),
            input: numbers.matrix(p, 3),
            noise: numbers.matrix(p, p) * if from_noise { 1.0 } else { 0.0 },
        };
        let slopes = |by: f64| {
            let point = Point {
                drift: &point.drift + &change.drift * by,
                input: &point.input + &change.input * by,
                noise: &point.noise + &change.noise * by,
            };
            let at = moments(cells, &point, GO_ON).unwrap();
            gradient(cells, &point, &at, GO_ON).unwrap()
        };
        let at = moments(cells, point, GO_ON).unwrap();
        let curvature = Curvature::new(cells, point, &at, GO_ON).unwrap().unwrap();
        let exact = curvature.times(&change, GO_ON).unwrap();
        let (up, down) = (slopes(1e-5), slopes(-1e-5));
        let difference = up
            .numbers()
            .zip(down.numbers())
            .map(|(u, d)| (u - d) / 2e-5);
        for (difference, exact) in difference.zip(exact.numbers()) {
            assert!((difference - exact).abs() < 1e-7, "{difference} {exact}");
        }
    }
    let (cells, point) = case(p, Covariance::FromNoise, true);
    let at = moments(&cells, &point, GO_ON).unwrap();
    assert!(Curvature::new(&cells, &point, &at, GO_ON).is_none());
}

/// Cells drawn from the moments of a screen: no A meets their means exactly.
fn drawn(screen: &Screen, cells: usize, seed: u64) -> Statistics {
    let (p, groups) = (screen.truth.drift.nrows(), screen.inputs.ncols());
    let exact = Cells::new(
        &screen.statistics,
        &screen.inputs,
        None,
        Covariance::FromNoise,
    )
    .unwrap();
    let at = moments(&exact, &screen.truth, GO_ON).unwrap();
    let root = at.covariance(&exact).cholesky().unwrap().unpack();
    let mut numbers = Numbers(seed);
    let mut taken = Accumulator::new(p, &vec![0; groups]);
    for cell in 0..cells {
        // Uniform numbers of variance one.
        let own = numbers.matrix(p, 1) * 3.0_f64.sqrt();
        let own = &root * own + at.means().column(cell % groups);
        taken.take(&[cell % groups], own.as_slice(), GO_ON).unwrap();
    }
    taken.finish()
}

/// The gradient of the whole likelihood vanishes at the maximum that is found without A.
#[test]
fn the_maximum_without_a_is_that_of_the_likelihood() {
    for (p, knockouts) in [(6, 5), (8, 3), (12, 6)] {
        let screen = screen(p, knockouts, 0.8, 17);
        let statistics = drawn(&screen, 3000, 3);
        let cells = Cells::new(&statistics, &screen.inputs, None, Covariance::FromNoise).unwrap();
        let start = matched_start(&cells, &design(&screen), GO_ON).unwrap();
        let found = maximum(&cells, &start, GO_ON).unwrap().design;
        let point = found.start();
        let at = moments(&cells, &point, GO_ON).unwrap();
        let slopes = found.packed(&gradient(&cells, &point, &at, GO_ON).unwrap());
        let most = slopes.iter().fold(0.0_f64, |most, g| most.max(g.abs()));
        assert!(most < 1e-7, "{p} {knockouts}: {most}");
        let held = Design {
            noise: Entries::free(screen.truth.noise.clone()),
            ..start
        };
        assert!(maximum(&cells, &held, GO_ON).is_none());
    }
}

/// Where cells lie is b's to say: a search finds the same A wherever that is.
#[test]
fn a_search_does_not_see_where_the_cells_lie() {
    let screen = screen(6, 4, 0.8, 23);
    let near = drawn(&screen, 2000, 8);
    let means = near.means.map(|mean| mean + 50.0);
    let far = Statistics::of_moments(&near.counts, means, near.scatter()).unwrap();
    let penalties = [(1e-8, 0.0), (1e-2, 0.0), (1e-8, 0.02)];
    for (ridge, l1) in penalties {
        let penalty = Penalty {
            ridge,
            l1,
            ..Penalty::default()
        };
        let found = [&near, &far].map(|statistics| {
            let cells =
                Cells::new(statistics, &screen.inputs, None, Covariance::FromNoise).unwrap();
            let found = search(
                &cells,
                &design(&screen),
                &penalty,
                &Options::default(),
                GO_ON,
            )
            .unwrap();
            assert_eq!(
                found.end,
                End::Converged,
                "{ridge} {l1}: {}",
                found.gradient
            );
            found
        });
        let [near, far] = found;
        assert!(
            (near.log_likelihood - far.log_likelihood).abs() < 1e-2,
            "{ridge} {l1}"
        );
        let off = (near.point.drift - far.point.drift).amax();
        assert!(off < 2e-3, "{ridge} {l1}: {off}");
    }
}
