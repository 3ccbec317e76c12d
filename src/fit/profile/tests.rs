use super::*;
use crate::fit::objective::{Objective, Wanted};
use crate::fit::trials::{LeastSquares, MISRA_ERRORS, MISRA_ESTIMATES, misra};
use crate::linalg::Spectrum;

/// Gauss and Newton with damping, bounds by projection; enough for tests.
fn minimise(
    objective: &dyn Objective,
    start: &[f64],
    lower: &[f64],
    upper: &[f64],
) -> Result<(Vec<f64>, f64), Fault> {
    let m = start.len();
    let mut at = start.to_vec();
    let mut value = objective.evaluate(&at, Wanted::Value)?.value;
    let mut damping = 1e-6;
    for _ in 0..200 {
        let here = objective.evaluate(&at, Wanted::Residuals)?;
        let mut normal = vec![0.0; m * m];
        for row in here.jacobian.chunks_exact(m) {
            for i in 0..m {
                for j in 0..m {
                    normal[i * m + j] += row[i] * row[j];
                }
            }
        }
        let mut gradient = here.gradient.clone();
        for i in 0..m {
            normal[i * m + i] *= 1.0 + damping;
            if lower[i] >= upper[i] || normal[i * m + i] == 0.0 {
                for j in 0..m {
                    normal[i * m + j] = 0.0;
                    normal[j * m + i] = 0.0;
                }
                normal[i * m + i] = 1.0;
                gradient[i] = 0.0;
            }
        }
        let by: Vec<f64> = (0..m).map(|i| 1.0 / normal[i * m + i].sqrt()).collect();
        for i in 0..m {
            for j in 0..m {
                normal[i * m + j] *= by[i] * by[j];
            }
        }
        let spectrum = Spectrum::of(&normal, m).unwrap();
        let mut next = at.clone();
        for (lambda, v) in spectrum.values.iter().zip(&spectrum.vectors) {
            if *lambda < 1e-14 {
                continue;
            }
            let along: f64 = (0..m).map(|i| v[i] * by[i] * gradient[i]).sum();
            for i in 0..m {
                next[i] -= by[i] * v[i] * along / lambda;
            }
        }
        for i in 0..m {
            next[i] = next[i].clamp(lower[i], upper[i]);
        }
        match objective.evaluate(&next, Wanted::Value) {
            Ok(there) if there.value <= value => {
                let gain = value - there.value;
                (at, value) = (next, there.value);
                damping = (damping / 10.0_f64).max(1e-12);
                if gain <= 1e-13 * value.max(1e-6) {
                    break;
                }
            }
            _ => {
                damping *= 10.0;
                if damping > 1e8 {
                    break;
                }
            }
        }
    }
    Ok((at, value))
}

fn of(
    objective: &dyn Objective,
    coordinates: &Coordinates,
    at: &[f64],
    parameter: usize,
    error: f64,
) -> Profile {
    let scaled = crate::fit::Scaled {
        objective,
        coordinates,
    };
    let at = coordinates.inner(at);
    let value = scaled.evaluate(&at, Wanted::Value).unwrap().value;
    let refit =
        |start: &[f64], lower: &[f64], upper: &[f64]| minimise(&scaled, start, lower, upper);
    let profiled = Profiled {
        coordinates,
        at: &at,
        value,
        parameter,
        error,
        refit: &refit,
    };
    profile(&profiled, &ProfileOptions::default(), 2)
}

const FREE: (Scale, f64, f64) = (Scale::Linear, f64::NEG_INFINITY, f64::INFINITY);
const POSITIVE: (Scale, f64, f64) = (Scale::Logarithmic, 0.0, f64::INFINITY);

#[test]
fn of_a_line_the_ends_are_those_of_regression() {
    // Slope of y = a + b t at t = 0, 1, 2: standard error sqrt(1/2); R: qchisq(0.95, 1) =
    // 3.841458820694124, so the ends are at +- 1.959963984540 standard errors.
    let objective = LeastSquares {
        dimension: 2,
        residuals: |at: &[f64]| {
            let residuals = (0..3).map(|t| at[0] + at[1] * f64::from(t));
            let jacobian = (0..3).flat_map(|t| [1.0, f64::from(t)]);
            (residuals.collect(), jacobian.collect())
        },
    };
    let coordinates = Coordinates::new([FREE, FREE]);
    for error in [0.5_f64.sqrt(), f64::NAN, 1e-3, 100.0] {
        let found = of(&objective, &coordinates, &[0.0, 0.0], 1, error);
        let end = 1.959_963_984_540 * 0.5_f64.sqrt();
        let (ProfileEnd::Crosses(low), ProfileEnd::Crosses(high)) = (&found.lower, &found.upper)
        else {
            panic!("{found:?}");
        };
        assert!((low + end).abs() < 1e-4 * end, "{low}");
        assert!((high - end).abs() < 1e-4 * end, "{high}");
        assert!(found.points.is_sorted_by(|a, b| a.value < b.value));
        assert!(found.points.iter().any(|point| point.rise == 0.0));
        assert_eq!(found.better, None);
        // The mean of the line stays: a = -b.
        for point in &found.points {
            assert!((point.at[0] + point.at[1]).abs() < 1e-6);
        }
    }
}

#[test]
fn both_scales_give_one_interval() {
    let objective = LeastSquares {
        dimension: 2,
        residuals: misra,
    };
    let mut ends = Vec::new();
    for scale in [FREE, POSITIVE] {
        let coordinates = Coordinates::new([scale, scale]);
        let error = match scale.0 {
            Scale::Linear => MISRA_ERRORS[1],
            Scale::Logarithmic => MISRA_ERRORS[1] / MISRA_ESTIMATES[1],
        };
        let found = of(&objective, &coordinates, &MISRA_ESTIMATES, 1, error);
        let (ProfileEnd::Crosses(low), ProfileEnd::Crosses(high)) = (found.lower, found.upper)
        else {
            panic!("{:?}", found.points);
        };
        ends.push((low, high));
        // Nearly quadratic: about 1.96 certified standard errors.
        let width = 1.96 * MISRA_ERRORS[1];
        assert!((high - low - 2.0 * width).abs() < 0.02 * width);
    }
    let width = ends[0].1 - ends[0].0;
    assert!((ends[0].0 - ends[1].0).abs() < 2e-4 * width);
    assert!((ends[0].1 - ends[1].1).abs() < 2e-4 * width);
}

#[test]
fn a_factor_of_a_product_is_flat() {
    let objective = LeastSquares {
        dimension: 2,
        residuals: |at: &[f64]| {
            (
                vec![10.0 * (at[0] * at[1] - 6.0)],
                vec![10.0 * at[1], 10.0 * at[0]],
            )
        },
    };
    let coordinates = Coordinates::new([POSITIVE, POSITIVE]);
    let found = of(&objective, &coordinates, &[2.0, 3.0], 0, f64::INFINITY);
    assert_eq!(
        (found.lower, found.upper),
        (ProfileEnd::Flat, ProfileEnd::Flat)
    );
}

#[test]
fn a_rise_that_levels_off_is_flat_and_a_bound_is_met() {
    // r = k/(1 + k) - 1/2 in standard deviations of 0.3: at most 2.8 above, so 2*delta < 3.84.
    let objective = LeastSquares {
        dimension: 1,
        residuals: |at: &[f64]| {
            let fraction = at[0] / (1.0 + at[0]);
            (
                vec![(fraction - 0.5) / 0.3],
                vec![1.0 / (1.0 + at[0]).powi(2) / 0.3],
            )
        },
    };
    let coordinates = Coordinates::new([(Scale::Logarithmic, 0.1, f64::INFINITY)]);
    let found = of(&objective, &coordinates, &[1.0], 0, 1.2);
    assert_eq!(found.lower, ProfileEnd::Bound);
    assert_eq!(found.upper, ProfileEnd::Flat);
    assert!((found.points[0].value - 0.1).abs() < 1e-12);
}

#[test]
fn a_better_optimum_and_faults_are_told() {
    // (x^2 - 1)^2 from the wrong side, without an optimum beyond 3.
    let refit = |start: &[f64], _: &[f64], _: &[f64]| {
        let x = start[0];
        if x > 3.0 {
            return Err(Fault::NoPrior { parameter: 0 });
        }
        Ok((start.to_vec(), 0.1 * ((x * x - 1.0).powi(2) - 0.3 * x)))
    };
    let coordinates = Coordinates::new([FREE]);
    let profiled = Profiled {
        coordinates: &coordinates,
        at: &[-0.96],
        value: 0.1 * ((0.96_f64 * 0.96 - 1.0).powi(2) + 0.3 * 0.96),
        parameter: 0,
        error: 1.0,
        refit: &refit,
    };
    let found = profile(
        &profiled,
        &ProfileOptions {
            level: 0.9999,
            ..ProfileOptions::default()
        },
        1,
    );
    let better = found.better.unwrap();
    // In the other well, which begins at 0.
    assert!(better[0] > 0.5 && better[0] < 1.5, "{better:?}");
    assert_eq!(
        found.upper,
        ProfileEnd::Stopped(Fault::NoPrior { parameter: 0 })
    );
}
