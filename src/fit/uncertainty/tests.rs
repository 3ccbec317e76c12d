use super::*;
use crate::fit::trials::{LeastSquares, MISRA_ERRORS, MISRA_ESTIMATES, Value, misra};

const FREE: (Scale, f64, f64) = (Scale::Linear, f64::NEG_INFINITY, f64::INFINITY);
const POSITIVE: (Scale, f64, f64) = (Scale::Logarithmic, 0.0, f64::INFINITY);

fn of(
    objective: &dyn Objective,
    parameters: &[(Scale, f64, f64)],
    at: &[f64],
    information: Information,
) -> (Uncertainty, Coordinates) {
    let coordinates = Coordinates::new(parameters.iter().copied());
    let scaled = Scaled {
        objective,
        coordinates: &coordinates,
    };
    let options = UncertaintyOptions {
        information,
        ..UncertaintyOptions::default()
    };
    let found = uncertainty(&scaled, &coordinates.inner(at), &options).unwrap();
    (found, coordinates)
}

fn near(value: f64, expected: f64, relative: f64) {
    assert!(
        (value - expected).abs() <= relative * expected.abs(),
        "{value} is not {expected}"
    );
}

/// y = a + b t at t = 0, 1, 2 with standard deviation 1.
fn line(at: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let residuals = (0..3).map(|t| at[0] + at[1] * f64::from(t));
    let jacobian = (0..3).flat_map(|t| [1.0, f64::from(t)]);
    (residuals.collect(), jacobian.collect())
}

#[test]
fn a_line_has_the_covariance_of_linear_regression() {
    let objective = LeastSquares {
        dimension: 2,
        residuals: line,
    };
    // The inverse of [[3, 3], [3, 5]].
    let exact = [5.0 / 6.0, -0.5, -0.5, 0.5];
    for information in [Information::Expected, Information::Observed] {
        let (found, _) = of(&objective, &[FREE, FREE], &[0.0, 0.0], information);
        for (value, exact) in found.covariance.iter().zip(exact) {
            near(*value, exact, 1e-10);
        }
        near(found.errors[0], (5.0_f64 / 6.0).sqrt(), 1e-10);
        near(found.correlation[1], -0.5 / (5.0_f64 / 12.0).sqrt(), 1e-10);
        assert_eq!(found.standing, [Standing::Determined; 2]);
        assert!(found.information_error < 1e-8);
    }
}

#[test]
fn standard_errors_are_those_certified() {
    let objective = LeastSquares {
        dimension: 2,
        residuals: misra,
    };
    for scales in [[FREE, FREE], [POSITIVE, POSITIVE]] {
        let (found, _) = of(&objective, &scales, &MISRA_ESTIMATES, Information::Expected);
        for (error, certified) in found.errors.iter().zip(MISRA_ERRORS) {
            near(*error, certified, 1e-6);
        }
    }
}

#[test]
fn observed_information_is_the_hessian() {
    // Misra1a's Hessian by hand: J'J plus the sum of residuals times second derivatives.
    let objective = LeastSquares {
        dimension: 2,
        residuals: misra,
    };
    let at = [230.0, 5.7e-4];
    let (found, _) = of(&objective, &[FREE, FREE], &at, Information::Observed);
    let (residuals, jacobian) = misra(&at);
    let sd = crate::fit::trials::MISRA_SD;
    let mut hessian = [0.0; 4];
    for (row, ((r, j), (_, x))) in residuals
        .iter()
        .zip(jacobian.chunks_exact(2))
        .zip(crate::fit::trials::MISRA)
        .enumerate()
    {
        let decay = (-at[1] * x).exp() / sd;
        hessian[0] += j[0] * j[0];
        hessian[1] += j[0] * j[1] + r * x * decay;
        hessian[3] += j[1] * j[1] - r * at[0] * x * x * decay;
        assert!(row < 14);
    }
    hessian[2] = hessian[1];
    for (value, exact) in found.information.iter().zip(hessian) {
        near(*value, exact, 1e-7);
    }
    assert!(found.information_error < 1e-7);
}

#[test]
fn a_product_determines_neither_factor() {
    // r = a b - 6 and c - 1: only the product of a and b, and c; d has no influence.
    let objective = LeastSquares {
        dimension: 4,
        residuals: |at: &[f64]| {
            (
                vec![at[0] * at[1] - 6.0, at[2] - 1.0],
                vec![at[1], at[0], 0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            )
        },
    };
    for scales in [[POSITIVE, POSITIVE, FREE, FREE], [FREE; 4]] {
        for information in [Information::Expected, Information::Observed] {
            let (found, coordinates) = of(&objective, &scales, &[2.0, 3.0, 1.0, 4.0], information);
            assert_eq!(found.undetermined.len(), 2, "{found:?}");
            assert_eq!(found.undetermined[0].coefficients, [(3, 1.0)]);
            let product = &found.undetermined[1].coefficients;
            assert_eq!([product[0].0, product[1].0], [0, 1]);
            // Relative changes of the factors cancel.
            near(product[0].1 / product[1].1, -1.0, 1e-6);
            assert_eq!(found.standing[2], Standing::Determined);
            assert_eq!(found.standing[0], Standing::Undetermined);
            near(found.errors[2], 1.0, 1e-6);
            assert_eq!(found.errors[0], f64::INFINITY);
            assert_eq!(found.errors[3], f64::INFINITY);
            assert!(found.falling.is_empty());
            let intervals = found.intervals(&coordinates, 0.95, Quantiles::Normal);
            assert_eq!(intervals[0].1, f64::INFINITY);
        }
    }
}

#[test]
fn a_saddle_is_said() {
    // x^2 - y^2 + z^2 with residuals of the same sizes.
    let objective = LeastSquares {
        dimension: 3,
        residuals: |at: &[f64]| (vec![at[0], at[2]], vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
    };
    struct Saddle<O>(O);
    impl<O: Objective> Objective for Saddle<O> {
        fn dimension(&self) -> usize {
            3
        }
        fn evaluate(
            &self,
            at: &[f64],
            wanted: super::super::Wanted,
        ) -> Result<super::super::Evaluation, Fault> {
            let mut evaluation = self.0.evaluate(at, wanted)?;
            evaluation.gradient[1] -= at[1];
            Ok(evaluation)
        }
    }
    let (found, _) = of(
        &Saddle(objective),
        &[FREE; 3],
        &[0.0; 3],
        Information::Observed,
    );
    let falling = [Direction {
        coefficients: vec![(1, 1.0)],
    }];
    assert_eq!(found.falling, falling);
    assert_eq!(found.standing[1], Standing::Falling);
    assert_eq!(found.errors[1], f64::INFINITY);
    near(found.errors[0], 1.0, 1e-8);
}

#[test]
fn parameters_on_bounds_are_held() {
    let objective = LeastSquares {
        dimension: 2,
        residuals: line,
    };
    let bounded = (Scale::Linear, 0.0, f64::INFINITY);
    let (found, coordinates) = of(
        &objective,
        &[FREE, bounded],
        &[0.0, 0.0],
        Information::Observed,
    );
    assert_eq!(found.standing, [Standing::Determined, Standing::AtLower]);
    // Without a slope the mean of three has variance 1/3.
    near(found.errors[0], (1.0_f64 / 3.0).sqrt(), 1e-10);
    assert_eq!(found.errors[1], 0.0);
    let intervals = found.intervals(&coordinates, 0.9, Quantiles::Normal);
    assert_eq!(intervals[1], (0.0, 0.0));
}

#[test]
fn intervals_of_logarithms_are_positive() {
    // r = (ln k - ln 2) / 0.5.
    let objective = LeastSquares {
        dimension: 1,
        residuals: |at: &[f64]| {
            (
                vec![(at[0].ln() - 2.0_f64.ln()) / 0.5],
                vec![1.0 / at[0] / 0.5],
            )
        },
    };
    let (found, coordinates) = of(&objective, &[POSITIVE], &[2.0], Information::Expected);
    near(found.inner_errors[0], 0.5, 1e-12);
    near(found.errors[0], 1.0, 1e-12);
    let student = Quantiles::StudentT { degrees: 10.0 };
    let ends = found.intervals(&coordinates, 0.95, student)[0];
    // R: qt(0.975, 10) = 2.228138852.
    near(ends.0, 2.0 * (-0.5 * 2.228_138_852_f64).exp(), 1e-8);
    near(ends.1, 2.0 * (0.5 * 2.228_138_852_f64).exp(), 1e-8);
}

#[test]
fn quantiles_are_those_of_tables() {
    // R: qnorm(0.975), qt(0.975, 1), qt(0.95, 3).
    near(Quantiles::Normal.half_width(0.95), 1.959_963_984_540, 1e-9);
    let student = |degrees| Quantiles::StudentT { degrees };
    near(student(1.0).half_width(0.95), 12.706_204_736, 1e-8);
    near(student(3.0).half_width(0.90), 2.353_363_435, 1e-8);
    assert!(student(0.0).half_width(0.9).is_nan());
    assert!(student(3.0).half_width(2.0).is_nan());
}

#[test]
fn a_point_without_a_value_is_a_fault() {
    let objective = Value {
        dimension: 1,
        value: |_: &[f64]| None,
    };
    let coordinates = Coordinates::new([FREE]);
    let scaled = Scaled {
        objective: &objective,
        coordinates: &coordinates,
    };
    let options = UncertaintyOptions::default();
    assert!(uncertainty(&scaled, &[0.0], &options).is_err());
}
