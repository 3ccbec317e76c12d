//! Reference values are from mpmath 1.3.0 with 50 digits, by the formulas of the densities and by
//! its incomplete gamma and beta functions.

use super::*;
use crate::kernel::Stream;
use proptest::prelude::*;

#[rustfmt::skip]
const DENSITIES: &[(Family, &[f64], f64, f64)] = &[
    (Family::Normal, &[1.5, 0.25], 2.0, -1.5326441720848),
    (Family::LogNormal, &[2.0, 0.5], 0.3, -6.2199470224256),
    (Family::StudentT, &[1.0, 2.0, 3.5], 7.0, -4.5467935423984),
    (Family::StudentT, &[0.0, 1.0, 10000000.0], 2.5, -4.0439378941425),
    (Family::StudentT, &[0.0, 1.0, 40.0], -3.0, -5.0854751845825),
    (Family::Poisson, &[3.5], 0.0, -3.5),
    (Family::Poisson, &[3.5], 7.0, -3.2558205815978),
    (Family::Poisson, &[1000000.0], 1002000.0, -9.8263608950873),
    (Family::NegativeBinomial, &[10.0, 2.5], 4.0, -2.7163436273058),
    (Family::NegativeBinomial, &[10.0, 1000000000000.0], 4.0, -3.9677134583558),
    (Family::NegativeBinomial, &[0.3, 0.05], 0.0, -0.097295507452766),
    (Family::NegativeBinomial, &[100000.0, 3.0], 250000.0, -14.577619816718),
    (Family::Binomial, &[20.0, 0.3], 6.0, -1.6521419750932),
    (Family::Binomial, &[20.0, 0.3], 0.0, -7.1334988787746),
    (Family::Binomial, &[1000000.0, 1e-05], 3.0, -4.8840271904318),
    (Family::Gamma, &[0.2, 3.0], 0.01, 2.3497947840933),
    (Family::Gamma, &[7.0, 2.0], 2.5, -1.2294765568456),
    (Family::Gamma, &[1000000.0, 1000.0], 1001.0, -1.4196050333379),
    (Family::Beta, &[0.5, 0.3], 0.2, -0.55518381720594),
    (Family::Beta, &[0.5, 3.0], 0.2, 0.29389333245106),
    (Family::Beta, &[2.0, 0.7], 0.9, 0.75936831936383),
    (Family::Beta, &[30.0, 50.0], 0.4, 1.8654279486229),
    (Family::Exponential, &[2.5], 4.0, -2.5162907318742),
    (Family::Uniform, &[-1.0, 3.0], 0.0, -1.3862943611199),
    (Family::Cauchy, &[1.0, 2.0], -7.0, -4.6710904104656),
];

#[rustfmt::skip]
const TAILS: &[(Family, &[f64], Datum, f64)] = &[
    (Family::Normal, &[0.0, 1.0], Datum::Below(-40.0), -804.608442013754),
    (Family::Normal, &[0.0, 1.0], Datum::Below(-3.0), -6.60772622151035),
    (Family::Normal, &[2.0, 0.5], Datum::Above(1.0), -0.0230129093289635),
    (Family::Normal, &[0.0, 1.0], Datum::Below(8.0), -6.22096057427179e-16),
    (Family::LogNormal, &[2.0, 0.5], Datum::Below(0.5), -5.88508212334472),
    (Family::StudentT, &[0.0, 1.0, 3.0], Datum::Below(-50.0), -11.639784763244),
    (Family::StudentT, &[0.0, 1.0, 3.0], Datum::Above(-1.0), -0.217535691640626),
    (Family::Gamma, &[0.2, 3.0], Datum::Below(1e-9), -3.83955662015234),
    (Family::Gamma, &[0.2, 3.0], Datum::Above(8.0), -28.0980866231266),
    (Family::Gamma, &[10000.0, 100.0], Datum::Below(95.0), -15.4962003280126),
    (Family::Gamma, &[10000.0, 100.0], Datum::Below(101.0), -0.172749019536776),
    (Family::Beta, &[30.0, 50.0], Datum::Above(0.7), -20.7118188900867),
    (Family::Beta, &[0.5, 0.3], Datum::Below(0.2), -1.57684610758611),
    (Family::Poisson, &[3.5], Datum::Below(1.0), -3.5),
    (Family::Poisson, &[3.5], Datum::Above(30.0), -42.6411898015553),
    (Family::NegativeBinomial, &[10.0, 2.5], Datum::Below(5.0), -1.46978415265004),
    (Family::NegativeBinomial, &[10.0, 2.5], Datum::Above(100.0), -18.2369977588435),
    (Family::Binomial, &[20.0, 0.3], Datum::Above(15.0), -12.1016670315521),
    (Family::Exponential, &[2.5], Datum::Below(1e-6), -14.7318014898384),
    (Family::Cauchy, &[1.0, 2.0], Datum::Below(-1e8), -18.8722634592418),
    (Family::Uniform, &[-1.0, 3.0], Datum::Above(2.5), -2.07944154167984),
];

fn is_close(found: f64, expected: f64, relative: f64) -> bool {
    (found - expected).abs() <= relative * (1e-3 + expected.abs())
}

#[test]
fn densities_are_those_of_mpmath() {
    for (family, parameters, y, expected) in DENSITIES {
        let found = density(*family, parameters, Datum::Exactly(*y)).expect("a density");
        let log = found.log;
        assert!(
            is_close(log, *expected, 1e-12),
            "{family:?} {parameters:?} {y}: {log}"
        );
    }
}

#[test]
fn tails_are_those_of_mpmath() {
    for (family, parameters, datum, expected) in TAILS {
        let log = density(*family, parameters, *datum).expect("a tail").log;
        assert!(
            (log - expected).abs() <= 1e-11 * expected.abs(),
            "{family:?} {parameters:?} {datum:?}: {log}, not {expected}"
        );
    }
}

#[test]
fn gradients_of_tails_by_shapes_are_those_of_mpmath() {
    let slope = |family, parameters: &[f64], datum, at: usize| {
        density(family, parameters, datum).expect("a tail").gradient[at]
    };
    let gamma = slope(Family::Gamma, &[0.2, 3.0], Datum::Below(0.01), 0);
    assert!(is_close(gamma, -3.238_269_609_308_16, 1e-10), "{gamma}");
    let beta = slope(Family::Beta, &[30.0, 50.0], Datum::Above(0.7), 0);
    assert!(is_close(beta, 0.645_411_454_739_657, 1e-10), "{beta}");
    let student = slope(Family::StudentT, &[0.0, 1.0, 3.0], Datum::Below(-4.0), 2);
    assert!(
        is_close(student, -0.620_051_728_080_226, 1e-10),
        "{student}"
    );
}

/// A family with parameters of usual size.
fn distributions() -> impl Strategy<Value = (Family, Vec<f64>)> {
    let numbers = (0..Family::ALL.len(), -3.0..3.0, 0.05_f64..3.0, 0.3..30.0);
    numbers.prop_map(|(at, location, spread, shape)| {
        let family = Family::ALL[at];
        let parameters = match family {
            Family::Normal | Family::Cauchy => vec![location, spread],
            Family::LogNormal => vec![shape, spread],
            Family::StudentT => vec![location, spread, shape],
            Family::Poisson | Family::Exponential => vec![shape],
            Family::NegativeBinomial => vec![shape, 5.0 * spread],
            Family::Binomial => vec![shape.ceil(), 0.1 + spread / 4.0],
            Family::Gamma | Family::Beta => vec![shape, 2.0 * spread],
            Family::Uniform => vec![location, location + spread],
        };
        (family, parameters)
    })
}

/// Data: one at a random quantile, a limit there.
fn data() -> impl Strategy<Value = (Family, Vec<f64>, Datum)> {
    (distributions(), 0.05..0.95, 0..3).prop_map(|((family, parameters), p, kind)| {
        let y = quantile(family, &parameters, p).expect("a quantile");
        let datum = match kind {
            0 => Datum::Exactly(y),
            1 => Datum::Below(y + f64::from(u8::from(is_discrete(family)))),
            _ => Datum::Above(y - f64::from(u8::from(is_discrete(family)))),
        };
        (family, parameters, datum)
    })
}

/// Richardson's extrapolation of central differences.
fn difference(f: impl Fn(f64) -> Option<f64>, at: f64) -> Option<f64> {
    let h = 1e-3 * at.abs().clamp(0.01, 0.1);
    let central = |h: f64| Some((f(at + h)? - f(at - h)?) / (2.0 * h));
    let (wide, middle, narrow) = (central(h)?, central(h / 2.0)?, central(h / 4.0)?);
    let (first, second) = ((4.0 * middle - wide) / 3.0, (4.0 * narrow - middle) / 3.0);
    Some((16.0 * second - first) / 15.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn gradients_are_those_of_differences((family, parameters, datum) in data()) {
        let found = density(family, &parameters, datum);
        // Above the highest count there is nothing.
        prop_assume!(found.is_some());
        let gradient = found.expect("a density").gradient;
        for (at, slope) in gradient.iter().take(parameters.len()).enumerate() {
            let log = |value: f64| {
                let mut shifted = parameters.clone();
                shifted[at] = value;
                density(family, &shifted, datum).map(|density| density.log)
            };
            // Near the end of a support the difference leaves it.
            let Some(expected) = difference(log, parameters[at]) else { continue };
            // The number of summands depends on the trials.
            if family == Family::Binomial && at == 0 && !matches!(datum, Datum::Exactly(_)) {
                continue;
            }
            prop_assert!((slope - expected).abs() <= 1e-5 * (1.0 + expected.abs()),
                "{at}: {slope}, not {expected}");
        }
    }

    #[test]
    fn residuals_give_the_gradient((family, parameters, datum) in data()) {
        let found = density(family, &parameters, datum);
        prop_assume!(found.is_some());
        let found = found.expect("a density");
        for at in 0..MOST {
            let pairs = found.jacobian.iter().zip(found.residuals);
            let sum: f64 = pairs.map(|(row, residual)| row[at] * residual).sum();
            let slope = found.gradient[at];
            prop_assert!((sum + slope).abs() <= 1e-9 * (1e-3 + slope.abs()), "{at}: {sum} {slope}");
        }
    }

    #[test]
    fn quantiles_invert_cumulative_probabilities(
        (family, parameters) in distributions(), p in 0.001_f64..0.999
    ) {
        let y = quantile(family, &parameters, p).expect("a quantile");
        let at = cdf(family, &parameters, y).expect("a probability");
        if is_discrete(family) {
            let before = cdf(family, &parameters, y - 1.0).expect("a probability");
            prop_assert!(before < p && p <= at, "{y}: {before} {at}");
        } else {
            // Just below 1 numbers are coarse.
            let before = cdf(family, &parameters, y.next_down().next_down());
            let before = before.expect("a probability");
            prop_assert!(before < p + 1e-9 && p < at + 1e-9, "{y}: {before} {at}");
        }
    }

    #[test]
    fn tails_are_cumulative_probabilities((family, parameters, datum) in data()) {
        let found = density(family, &parameters, datum);
        prop_assume!(found.is_some());
        let log = found.expect("a density").log;
        let before = |y: f64| if is_discrete(family) { y.ceil() - 1.0 } else { y };
        let expected = match datum {
            Datum::Exactly(_) => return Ok(()),
            Datum::Below(limit) => cdf(family, &parameters, before(limit)),
            Datum::Above(limit) => cdf(family, &parameters, limit).map(|below| 1.0 - below),
        };
        let expected = expected.expect("a probability");
        prop_assert!((log.exp() - expected).abs() < 1e-9, "{} {expected}", log.exp());
    }
}

/// The mean of the gradient's outer product: sums over counts, or over the middles of equal shares
/// of the probability.
fn expected_information(family: Family, parameters: &[f64]) -> [[f64; MOST]; MOST] {
    let mut sum = [[0.0; MOST]; MOST];
    let mut add = |y: f64, weight: Option<f64>| {
        let found = density(family, parameters, Datum::Exactly(y)).expect("a density");
        let weight = weight.unwrap_or(found.log.exp());
        for (i, row) in sum.iter_mut().enumerate() {
            for (j, entry) in row.iter_mut().enumerate() {
                *entry += weight * found.gradient[i] * found.gradient[j];
            }
        }
    };
    if is_discrete(family) {
        let last = quantile(family, parameters, 1.0 - 1e-12).expect("a quantile");
        let mut count = 0.0;
        while count <= last {
            add(count, None);
            count += 1.0;
        }
    } else {
        let shares = 20_000;
        for share in 0..shares {
            // p = 3u^2 - 2u^3 puts more nodes into the tails.
            let u = (f64::from(share) + 0.5) / f64::from(shares);
            let y = quantile(family, parameters, u * u * (3.0 - 2.0 * u)).expect("a quantile");
            add(y, Some(6.0 * u * (1.0 - u) / f64::from(shares)));
        }
    }
    sum
}

#[test]
fn jacobians_give_the_expected_information() {
    let cases: [(Family, &[f64], f64); 11] = [
        (Family::Normal, &[1.0, 0.5], 1.2),
        (Family::LogNormal, &[2.0, 0.5], 1.2),
        (Family::StudentT, &[1.0, 0.5, 4.5], 1.2),
        (Family::Cauchy, &[1.0, 0.5], 1.2),
        (Family::Poisson, &[4.5], 3.0),
        (Family::NegativeBinomial, &[8.0, 2.5], 3.0),
        (Family::NegativeBinomial, &[1.5, 60.0], 3.0),
        (Family::Gamma, &[4.5, 2.0], 1.2),
        (Family::Beta, &[4.5, 2.0], 0.3),
        (Family::Exponential, &[4.5], 0.3),
        (Family::Gamma, &[0.8, 2.0], 1.2),
    ];
    for (family, parameters, y) in cases {
        let found = density(family, parameters, Datum::Exactly(y)).expect("a density");
        let expected = expected_information(family, parameters);
        for i in 0..MOST {
            for j in 0..MOST {
                let rows = found.jacobian.iter();
                let sum: f64 = rows.map(|row| row[i] * row[j]).sum();
                let scale = (expected[i][i] * expected[j][j]).sqrt();
                assert!(
                    (sum - expected[i][j]).abs() <= 2e-3 * scale,
                    "{family:?} {i} {j}: {sum}, not {}",
                    expected[i][j]
                );
            }
        }
    }
    // Of a binomial: trials / (p (1 - p)), the trials being known.
    let found = density(Family::Binomial, &[20.0, 0.3], Datum::Exactly(4.0)).expect("a density");
    let sum: f64 = found.jacobian.iter().map(|row| row[1] * row[1]).sum();
    assert!((sum - 20.0 / 0.21).abs() < 1e-9);
}

#[test]
fn random_numbers_have_the_distribution() {
    let cases: [(Family, &[f64]); 11] = [
        (Family::Normal, &[1.0, 0.5]),
        (Family::LogNormal, &[2.0, 0.5]),
        (Family::StudentT, &[1.0, 0.5, 3.5]),
        (Family::Poisson, &[4.5]),
        (Family::NegativeBinomial, &[8.0, 2.5]),
        (Family::Binomial, &[20.0, 0.3]),
        (Family::Gamma, &[0.7, 2.0]),
        (Family::Beta, &[4.5, 2.0]),
        (Family::Exponential, &[4.5]),
        (Family::Uniform, &[-1.0, 3.0]),
        (Family::Cauchy, &[1.0, 2.0]),
    ];
    let count = 20_000;
    for (family, parameters) in cases {
        let mut stream = Stream::new(1, 0);
        let numbers: Vec<f64> = (0..count)
            .map(|_| sample(family, parameters, &mut stream).expect("a number"))
            .collect();
        for p in [0.1, 0.5, 0.9] {
            let y = quantile(family, parameters, p).expect("a quantile");
            let expected = cdf(family, parameters, y).expect("a probability");
            let below = numbers.iter().filter(|number| **number <= y).count();
            #[expect(clippy::cast_precision_loss, reason = "a count")]
            let found = below as f64 / f64::from(count);
            // Four standard errors of a share.
            let error = (expected * (1.0 - expected) / f64::from(count)).sqrt();
            assert!(
                (found - expected).abs() < 4.0 * error,
                "{family:?} {p}: {found} {expected}"
            );
        }
    }
}

#[test]
fn what_is_outside_the_domain_has_no_density() {
    let none = |family, parameters: &[f64], datum| density(family, parameters, datum).is_none();
    assert!(none(Family::Normal, &[0.0, 0.0], Datum::Exactly(1.0)));
    assert!(none(Family::Normal, &[0.0, -1.0], Datum::Exactly(1.0)));
    assert!(none(Family::Normal, &[f64::NAN, 1.0], Datum::Exactly(1.0)));
    assert!(none(Family::Normal, &[0.0, 1.0], Datum::Exactly(f64::NAN)));
    assert!(none(Family::Normal, &[0.0], Datum::Exactly(1.0)));
    assert!(none(Family::LogNormal, &[1.0, 1.0], Datum::Exactly(0.0)));
    assert!(none(Family::LogNormal, &[1.0, 1.0], Datum::Below(0.0)));
    assert!(none(Family::Poisson, &[1.0], Datum::Exactly(1.5)));
    assert!(none(Family::Poisson, &[0.0], Datum::Exactly(1.0)));
    assert!(none(Family::Poisson, &[1.0], Datum::Below(0.0)));
    assert!(none(Family::Binomial, &[3.0, 0.5], Datum::Exactly(4.0)));
    assert!(none(Family::Beta, &[1.0, 1.0], Datum::Exactly(1.0)));
    assert!(none(Family::Uniform, &[0.0, 1.0], Datum::Exactly(2.0)));
}

#[test]
fn means_of_zero_allow_zero_alone() {
    for (family, parameters) in [
        (Family::Poisson, &[0.0][..]),
        (Family::NegativeBinomial, &[0.0, 2.0]),
        (Family::Binomial, &[10.0, 0.0]),
    ] {
        let found = density(family, parameters, Datum::Exactly(0.0)).expect("a density");
        assert_eq!(found.log, 0.0);
        assert!(density(family, parameters, Datum::Exactly(1.0)).is_none());
    }
}
