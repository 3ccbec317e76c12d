//! Real series, fitted by a small scoring method: lh.csv and nile.csv of R's `datasets`
//! (../shared/data/timeseries/README.md says where the reference values come from).

use super::*;

const LH: &str = include_str!("lh.csv");
const NILE: &str = include_str!("nile.csv");

fn series(text: &str) -> Vec<(f64, f64)> {
    let rows = text.lines().skip(1).filter_map(|line| line.split_once(','));
    rows.map(|(t, y)| (t.parse().unwrap(), y.parse().unwrap()))
        .collect()
}

/// Fisher scoring over the first `d` quantities: steps of Gauss and Newton, halved until they
/// help, in logarithms where told.
fn maximise(example: &Example, from: &Start, data: &[Look], logs: &[bool]) -> (Vec<f64>, f64) {
    let d = logs.len();
    let mut at = example.point();
    let m = at.len();
    for _ in 0..100 {
        let found = example.pass(&at, from, data).unwrap().evaluation;
        let slopes: Vec<f64> = (0..d).map(|j| if logs[j] { at[j] } else { 1.0 }).collect();
        let rows = found.jacobian.chunks_exact(m);
        let jacobian: Vec<f64> = rows
            .flat_map(|row| row.iter().zip(&slopes).map(|(entry, slope)| entry * slope))
            .collect();
        let mut step = vec![0.0; d];
        crate::linalg::Reduced::new(&jacobian, &found.residuals, d)
            .solve(&mut step, &vec![true; d], &vec![0.0; d])
            .unwrap();
        let mut length = 1.0;
        loop {
            let mut next = at.clone();
            for j in 0..d {
                let shift = length * step[j];
                next[j] = if logs[j] {
                    at[j] * shift.exp()
                } else {
                    at[j] + shift
                };
            }
            let value = example.pass(&next, from, data).unwrap().evaluation.value;
            if value <= found.value || length < 1e-6 {
                at = next;
                break;
            }
            length *= 0.5;
        }
        if step.iter().all(|step| step.abs() < 1e-10) {
            break;
        }
    }
    let value = example.pass(&at, from, data).unwrap().evaluation.value;
    (at, value)
}

/// R arima(lh, order = c(1, 0, 0)): phi 0.5739296014, mean 2.4132879577, innovation variance
/// 0.1974895149, log-likelihood -29.3791623874. An Ornstein-Uhlenbeck process seen at unit steps
/// has phi = exp(-theta) and the stationary variance s2/(1 - phi^2) = sigma^2/(2 theta).
#[test]
fn luteinising_hormone_is_an_ornstein_uhlenbeck_process() {
    let example = Example::new(
        "param theta = 1, mu = 2, sigma = 0.5
wiener W
state x = 2
x' = theta*(mu - x) + sigma*W'
let y1 = x",
    );
    let (times, values): (Vec<f64>, Vec<f64>) = series(LH).into_iter().unzip();
    let data = single(&times, &values);
    let (found, value) = maximise(&example, &Start::Stationary, &data, &[true, false, true]);
    close(value, 29.379_162_387_4, 1e-7);
    let phi = (-found[0]).exp();
    close(phi, 0.573_929_601_4, 1e-5);
    close(found[1], 2.413_287_957_7, 1e-5);
    let innovation = found[2] * found[2] / (2.0 * found[0]) * (1.0 - phi * phi);
    close(innovation, 0.197_489_514_9, 1e-5);
}

/// R StructTS(Nile, "level"): variances of the level 1469.1466 and of the noise 15098.577 (1469.1
/// and 15099 in J. Durbin, S. J. Koopman, Time Series Analysis by State Space Methods, 2001), from
/// a level of which nothing is known.
#[test]
fn flow_of_the_nile_is_a_local_level() {
    let example = Example::new(
        "param s = 50, e = 100
wiener W
state x = 1000
x' = s*W'
let y1 = x
let sd1 = e",
    );
    let (times, values): (Vec<f64>, Vec<f64>) = series(NILE).into_iter().unzip();
    let data = single(&times, &values);
    let from = Start::Spread(vec![1e6]);
    let (found, _) = maximise(&example, &from, &data, &[true, true]);
    let relative = |found: f64, exact: f64| (found / exact - 1.0).abs();
    assert!(relative(found[0] * found[0], 1469.1466) < 1e-4, "{found:?}");
    assert!(relative(found[1] * found[1], 15098.577) < 1e-4, "{found:?}");
}
