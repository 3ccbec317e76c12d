use super::*;
use crate::fit::objective::Wanted;

/// Residuals with their Jacobian, row by row.
type Residuals = fn(&[f64]) -> (Vec<f64>, Vec<f64>);
/// Margins with their gradients.
type Margins = fn(&[f64]) -> Vec<(f64, [f64; 2])>;

/// Half a sum of squares within margins.
struct Region {
    residuals: Residuals,
    margins: Margins,
}

impl Objective for Region {
    fn dimension(&self) -> usize {
        2
    }

    fn has_region(&self) -> bool {
        true
    }

    fn margins(&self, at: &[f64], _: Wanted) -> Result<Vec<Margin>, Fault> {
        let all = (self.margins)(at).into_iter().enumerate();
        Ok(all
            .map(|(requirement, (value, gradient))| Margin {
                requirement,
                run: 0,
                value,
                gradient: gradient.to_vec(),
            })
            .collect())
    }

    fn evaluate(&self, at: &[f64], _: Wanted) -> Result<Evaluation, Fault> {
        let broken = (self.margins)(at)
            .iter()
            .position(|(value, _)| *value <= 0.0);
        if let Some(requirement) = broken {
            return Err(Fault::Outside {
                requirement,
                run: 0,
            });
        }
        let (residuals, jacobian) = (self.residuals)(at);
        let mut gradient = vec![0.0; 2];
        for (r, row) in residuals.iter().zip(jacobian.chunks(2)) {
            for (sum, slope) in gradient.iter_mut().zip(row) {
                *sum += r * slope;
            }
        }
        Ok(Evaluation {
            value: 0.5 * residuals.iter().map(|r| r * r).sum::<f64>(),
            gradient,
            residuals,
            jacobian,
        })
    }
}

/// H. Rosenbrock, Comput. J. 3, 175 (1960).
fn rosenbrock(x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let residuals = vec![10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]];
    (residuals, vec![-20.0 * x[0], 10.0, -1.0, 0.0])
}

fn disc(x: &[f64], radius: f64) -> (f64, [f64; 2]) {
    let value = radius * radius - x[0] * x[0] - x[1] * x[1];
    (value, [-2.0 * x[0], -2.0 * x[1]])
}

fn found(region: &Region, start: &[f64], method: Method) -> Local {
    let options = Options::new(method);
    search_within(region, &Bounds::none(2), start, &options, 1, &|_| ())
}

fn is_near(point: &[f64], expected: &[f64], distance: f64) -> bool {
    let mut pairs = point.iter().zip(expected);
    pairs.all(|(x, expected)| (x - expected).abs() <= distance)
}

#[test]
fn a_curved_edge_is_followed_to_the_minimum_on_it() {
    let region = Region {
        residuals: rosenbrock,
        margins: |x| vec![disc(x, 1.0)],
    };
    // The last start is outside.
    for start in [[-0.2, 0.3], [0.0, -0.9], [-1.2, 1.0]] {
        for method in [Method::Lm, Method::Lbfgs] {
            let found = found(&region, &start, method);
            // scipy.optimize.minimize, SLSQP and trust-constr.
            assert!(
                is_near(&found.point, &[0.786_415_15, 0.617_698_31], 1e-6),
                "{method:?} {found:?}"
            );
            assert!((found.value - 0.022_837_404).abs() < 1e-7, "{found:?}");
            let End::OnEdge { decrement, margins } = &found.end else {
                panic!("{found:?}");
            };
            assert!(*decrement < 1e-6);
            assert_eq!(margins, &[0]);
        }
    }
}

#[test]
fn a_minimum_inside_is_found_as_without_a_region() {
    let region = Region {
        residuals: rosenbrock,
        margins: |x| vec![disc(x, 1.5)],
    };
    for start in [[-0.2, 0.3], [-1.2, 2.0]] {
        let found = found(&region, &start, Method::Lm);
        assert!(is_near(&found.point, &[1.0, 1.0], 1e-4), "{found:?}");
        assert!(matches!(found.end, End::Converged { .. }), "{found:?}");
    }
}

/// Two edges meet in the minimum; a third one is far away.
#[test]
fn edges_that_hold_the_minimum_are_told() {
    let region = Region {
        residuals: |x| (vec![x[0] - 9.0, x[1] - 9.0], vec![1.0, 0.0, 0.0, 1.0]),
        margins: |x| {
            vec![
                (x[0] + 100.0, [1.0, 0.0]),
                (2.0 - x[0], [-1.0, 0.0]),
                (3.0 - x[1], [0.0, -1.0]),
            ]
        },
    };
    let found = found(&region, &[-5.0, 1.0], Method::Lm);
    assert!(is_near(&found.point, &[2.0, 3.0], 1e-8), "{found:?}");
    let End::OnEdge { margins, .. } = &found.end else {
        panic!("{found:?}");
    };
    assert_eq!(margins, &[1, 2]);
}

#[test]
fn a_region_without_points_has_none_to_begin_at() {
    let region = Region {
        residuals: rosenbrock,
        margins: |x| vec![(-1.0 - x[0] * x[0], [-2.0 * x[0], 0.0])],
    };
    let found = found(&region, &[0.3, 0.0], Method::Lm);
    let outside = Fault::Outside {
        requirement: 0,
        run: 0,
    };
    assert_eq!(found.end, End::Fault(outside));
}
