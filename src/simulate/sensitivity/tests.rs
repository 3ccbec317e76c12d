//! Derivatives against exact solutions and against differences of runs.

use super::*;
use crate::kernel::Kernels;
use crate::model::Model;
use crate::simulate::{
    self, CompiledDynamics, Method, Options, Output, Problem, Solution, Stop, Tolerances,
};
use crate::system::{self, System};
use std::sync::Arc;

/// A model with its kernels and declared numbers.
struct Example {
    system: Arc<System>,
    kernels: Kernels,
    parameters: Vec<f64>,
    initial: Vec<f64>,
}

impl Example {
    fn new(text: &str, parameters: &[f64], initial: &[f64]) -> Example {
        let system = Arc::new(system::derive(&Model::of_text(text)));
        Example {
            kernels: Kernels::new(Arc::clone(&system)),
            system,
            parameters: parameters.to_vec(),
            initial: initial.to_vec(),
        }
    }

    /// Derivatives at `times` by all of `varied`.
    fn run(&self, varied: &[Varied], times: &[f64], method: Method, rtol: f64) -> Solution {
        let start = VariedStart::new(
            &self.system,
            &self.kernels,
            0.0,
            &self.parameters,
            &self.initial,
            varied,
            Held::default(),
        );
        let base = CompiledDynamics::new(&self.system, &self.kernels, self.parameters.clone());
        let end = times.last().copied().unwrap_or(0.0);
        let solution = run_with_sensitivities(
            &self.problem(&self.parameters, &self.initial),
            &base,
            (0.0, end),
            &start,
            &Output::Times(times.to_vec()),
            &self.options(method, rtol),
            &mut (),
        );
        assert_eq!(solution.stop, Stop::Finished);
        solution
    }

    fn problem(&self, parameters: &[f64], initial: &[f64]) -> Problem<'_> {
        Problem::new(
            &self.system,
            &self.kernels,
            parameters.to_vec(),
            initial.to_vec(),
        )
    }

    fn options(&self, method: Method, rtol: f64) -> Options {
        let tolerances = Tolerances::uniform(rtol, 1e-3 * rtol, self.initial.len());
        Options::new(tolerances).with_method(method)
    }

    /// The end of a run with other values.
    fn end(&self, parameters: &[f64], initial: &[f64], end: f64, method: Method) -> Vec<f64> {
        let base = CompiledDynamics::new(&self.system, &self.kernels, parameters.to_vec());
        let output = Output::Times(vec![end]);
        let options = self.options(method, 1e-12);
        let problem = self.problem(parameters, initial);
        let range = (0.0, end);
        let run = simulate::run(&problem, &base, range, initial, &output, &options, &mut ());
        assert_eq!(run.stop, Stop::Finished);
        run.states
    }

    /// Central differences with h and h/2, extrapolated (Richardson).
    fn difference(&self, varied: Varied, end: f64, h: f64, method: Method) -> Vec<f64> {
        let central = |h: f64| -> Vec<f64> {
            let at = |shift: f64| {
                let (mut p, mut y) = (self.parameters.clone(), self.initial.clone());
                match varied {
                    Varied::Parameter(at) => p[at] *= 1.0 + shift,
                    Varied::Initial(at) => y[at] *= 1.0 + shift,
                }
                self.end(&p, &y, end, method)
            };
            let value = match varied {
                Varied::Parameter(at) => self.parameters[at],
                Varied::Initial(at) => self.initial[at],
            };
            let (above, below) = (at(h), at(-h));
            let pairs = above.iter().zip(&below);
            pairs.map(|(a, b)| (a - b) / (2.0 * h * value)).collect()
        };
        let (coarse, fine) = (central(h), central(h / 2.0));
        let pairs = fine.iter().zip(&coarse);
        pairs.map(|(f, c)| f + (f - c) / 3.0).collect()
    }
}

/// y' = -k y from y0: dy/dk = -t y, dy/dy0 = exp(-k t).
#[test]
fn decay() {
    let example = Example::new("state y = 2\nparam k = 0.5\ny' = -k*y", &[0.5], &[2.0]);
    let varied = [Varied::Parameter(0), Varied::Initial(0)];
    let times = [0.0, 1.0, 4.0];
    let run = example.run(&varied, &times, Method::Tsit5, 1e-9);
    assert_eq!((run.states.len(), run.sensitivities.len()), (3, 6));
    for (row, t) in times.iter().enumerate() {
        let exact = (-0.5 * t).exp();
        let found = &run.sensitivities[2 * row..2 * row + 2];
        assert!((found[0] + t * 2.0 * exact).abs() < 1e-8, "{t}: {found:?}");
        assert!((found[1] - exact).abs() < 1e-8, "{t}: {found:?}");
    }
}

/// y = K y0 e/(K + y0 (e - 1)) with e = exp(r t): dy/dy0 = K^2 e/(K + y0 (e - 1))^2.
#[test]
fn logistic_by_its_initial_value() {
    let text = "state y = 0.3\nparam r = 1.2\nparam K = 4\ny' = r*y*(1 - y/K)";
    let example = Example::new(text, &[1.2, 4.0], &[0.3]);
    let times = [0.5, 2.0, 5.0];
    let run = example.run(&[Varied::Initial(0)], &times, Method::Tsit5, 1e-10);
    for (t, found) in times.iter().zip(&run.sensitivities) {
        let e = (1.2 * t).exp();
        let exact = 16.0 * e / (4.0 + 0.3 * (e - 1.0)).powi(2);
        assert!((found / exact - 1.0).abs() < 1e-8, "{t}: {found} {exact}");
    }
}

#[test]
fn lotka_volterra_against_differences() {
    let text = "state x = 10\nstate y = 5\nparam a = 1.1\nparam b = 0.4\nparam c = 0.1\n\
                param d = 0.4\nx' = a*x - b*x*y\ny' = c*x*y - d*y";
    let example = Example::new(text, &[1.1, 0.4, 0.1, 0.4], &[10.0, 5.0]);
    let mut varied: Vec<Varied> = (0..4).map(Varied::Parameter).collect();
    varied.extend([Varied::Initial(0), Varied::Initial(1)]);
    let run = example.run(&varied, &[20.0], Method::Tsit5, 1e-8);
    for (j, quantity) in varied.iter().enumerate() {
        let difference = example.difference(*quantity, 20.0, 1e-3, Method::Tsit5);
        for (i, exact) in difference.iter().enumerate() {
            let found = run.sensitivities[2 * j + i];
            let size = difference.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
            assert!(
                (found - exact).abs() < 1e-6 * size,
                "{quantity:?} {i}: {found} {exact}"
            );
        }
    }
}

/// y' = -y from y0 = 3 q, z' = -z from z0 = y0 q: dy0/dq = 3, dz0/dq = 6 q.
#[test]
fn initial_values_move_with_parameters() {
    let text = "param q = 2\nstate z = y*q\nstate y = 3*q\nz' = -z\ny' = -y";
    let example = Example::new(text, &[2.0], &[12.0, 6.0]);
    let run = example.run(&[Varied::Parameter(0)], &[0.0, 1.0], Method::Tsit5, 1e-9);
    assert_eq!(run.sensitivities[..2], [12.0, 3.0]);
    assert!((run.sensitivities[2] - 12.0 * (-1.0_f64).exp()).abs() < 1e-7);
}

/// A vector of states with a matrix parameter: y' = A y with A = [[-1, 1], [0, -2]]; by the entry
/// A12: dy2/dA12 = 0 and dy1/dA12 = y2(0) (exp(-t) - exp(-2t)).
#[test]
fn entries_of_matrices() {
    let text = "index i = 1..2\nstate y[i] = 1\nparam A[i, i] = [[-1, 1], [0, -2]]\ny' = A*y";
    let example = Example::new(text, &[-1.0, 0.0, 1.0, -2.0], &[1.0, 1.0]);
    let run = example.run(&[Varied::Parameter(2)], &[1.5], Method::Tsit5, 1e-10);
    let exact = (-1.5_f64).exp() - (-3.0_f64).exp();
    assert!((run.sensitivities[0] - exact).abs() < 1e-9);
    assert_eq!(run.sensitivities[1], 0.0);
}

/// Robertson's kinetics (Hairer & Wanner II, section IV.1), stiff: by the three rate constants.
#[test]
fn robertson_against_differences() {
    let text = "state a = 1\nstate b = 0\nstate c = 0\nparam k1 = 0.04\nparam k2 = 3e7\n\
                param k3 = 1e4\na' = -k1*a + k3*b*c\nb' = k1*a - k3*b*c - k2*b^2\nc' = k2*b^2";
    let example = Example::new(text, &[0.04, 3e7, 1e4], &[1.0, 0.0, 0.0]);
    let varied: Vec<Varied> = (0..3).map(Varied::Parameter).collect();
    let run = example.run(&varied, &[40.0], Method::Rodas, 1e-10);
    for (j, quantity) in varied.iter().enumerate() {
        let difference = example.difference(*quantity, 40.0, 1e-2, Method::Rodas);
        for (i, exact) in difference.iter().enumerate() {
            let found = run.sensitivities[3 * j + i];
            assert!(
                (found / exact - 1.0).abs() < 1e-5,
                "{j} {i}: {found:e} {exact:e}"
            );
        }
    }
}

/// y' = -2 k (y - cos(t)), not autonomous: with both methods against the exact derivative. With
/// k' = 2k the solution from y0 is A cos t + B sin t + (y0 - A) e^(-k' t), A = k'^2/(1 + k'^2),
/// B = k'/(1 + k'^2).
#[test]
fn implicit_steps_keep_their_order_for_derivatives() {
    let text = "state y = 0\nparam k = 3\ny' = -2*k*(y - cos(t))";
    let example = Example::new(text, &[3.0], &[0.0]);
    let exact = |k: f64, t: f64| {
        let k = 2.0 * k;
        let size = 1.0 + k * k;
        let (a, b) = (k * k / size, k / size);
        a * t.cos() + b * t.sin() - a * (-k * t).exp()
    };
    let h = 1e-4;
    let slope = (exact(3.0 + h, 2.0) - exact(3.0 - h, 2.0)) / (2.0 * h);
    let mut errors = Vec::new();
    for rtol in [1e-5, 1e-9] {
        let run = example.run(&[Varied::Parameter(0)], &[2.0], Method::Rodas, rtol);
        errors.push(((run.sensitivities[0] - slope).abs(), run.statistics.steps));
    }
    assert!(errors[0].0 < 1e-4 && errors[1].0 < 2e-9, "{errors:?}");
    // Order 5: 10^4 times the accuracy for some 6 times the steps.
    assert!(errors[1].1 < 9 * errors[0].1, "{errors:?}");
}

/// The derivative of a closed form, by extrapolated central differences.
fn slope(f: impl Fn(f64) -> f64, at: f64) -> f64 {
    let h = 1e-3 * at.abs().max(1e-3);
    let central = |h: f64| (f(at + h) - f(at - h)) / (2.0 * h);
    (4.0 * central(h / 2.0) - central(h)) / 3.0
}

fn near(found: f64, exact: f64, tolerance: f64) {
    let size = exact.abs().max(1.0);
    assert!((found - exact).abs() < tolerance * size, "{found} {exact}");
}

/// A ball that falls from height h and bounces: x = e^k u (t - t_k) - g/2 (t - t_k)^2 after the
/// k-th impact, with u = sqrt(2 g h), t_1 = u/g and t_(k+1) = t_k + 2 e^k u/g.
#[test]
fn a_bouncing_ball() {
    let text = "param g = 9.81\nparam e = 0.8\nparam h = 2\nstate x = h\nstate v = 0\nx' = v\n\
                v' = -g\nwhen x < 0 { x = 0; v = -e*v }";
    let height = |g: f64, e: f64, h: f64, t: f64| {
        let u = (2.0 * g * h).sqrt();
        let (mut start, mut speed) = (u / g, e * u);
        while t > start + 2.0 * speed / g {
            start += 2.0 * speed / g;
            speed *= e;
        }
        speed * (t - start) - 0.5 * g * (t - start) * (t - start)
    };
    let (g, e, h) = (9.81, 0.8, 2.0);
    let example = Example::new(text, &[g, e, h], &[h, 0.0]);
    let varied: Vec<Varied> = (0..3).map(Varied::Parameter).collect();
    for method in [Method::Tsit5, Method::Rodas] {
        let times = [1.0, 2.0, 2.8];
        let run = example.run(&varied, &times, method, 1e-10);
        for (row, t) in times.iter().enumerate() {
            let found = &run.sensitivities[6 * row..6 * row + 6];
            near(found[0], slope(|g| height(g, e, h, *t), g), 1e-7);
            near(found[2], slope(|e| height(g, e, h, *t), e), 1e-7);
            near(found[4], slope(|h| height(g, e, h, *t), h), 1e-7);
        }
    }
}

/// y' = a until y reaches c, then y' = -b y from there: t* = c/a, y = c exp(-b (t - c/a)).
#[test]
fn a_drift_that_switches() {
    let text = "param a = 2\nparam b = 0.7\nparam c = 3\nstate y = 0\nstate on = 0\non' = 0\n\
                y' = if on > 0.5 then -b*y else a\nwhen y > c { on = 1 }";
    let exact = |a: f64, b: f64, c: f64| c * (-b * (4.0 - c / a)).exp();
    let example = Example::new(text, &[2.0, 0.7, 3.0], &[0.0, 0.0]);
    let varied: Vec<Varied> = (0..3).map(Varied::Parameter).collect();
    let run = example.run(&varied, &[4.0], Method::Tsit5, 1e-10);
    near(run.states[0], exact(2.0, 0.7, 3.0), 1e-8);
    near(
        run.sensitivities[0],
        slope(|a| exact(a, 0.7, 3.0), 2.0),
        1e-7,
    );
    near(
        run.sensitivities[2],
        slope(|b| exact(2.0, b, 3.0), 0.7),
        1e-7,
    );
    near(
        run.sensitivities[4],
        slope(|c| exact(2.0, 0.7, c), 3.0),
        1e-7,
    );
}

/// y' = 1 below the border c and y' = k above: y = c + k (t - c) after t = c.
#[test]
fn a_border_in_the_drift() {
    let text = "param c = 1.5\nparam k = 0.2\nstate y = 0\ny' = if y < c then 1 else k";
    let example = Example::new(text, &[1.5, 0.2], &[0.0]);
    let varied = [
        Varied::Parameter(0),
        Varied::Parameter(1),
        Varied::Initial(0),
    ];
    let run = example.run(&varied, &[4.0], Method::Tsit5, 1e-10);
    // y = c + k (t - (c - y0)).
    near(run.sensitivities[0], 1.0 - 0.2, 1e-9);
    near(run.sensitivities[1], 2.5, 1e-9);
    near(run.sensitivities[2], 0.2, 1e-9);
}

/// A pulse of the drift between times that are parameters: y = k (off - on).
#[test]
fn borders_in_time() {
    let text = "param on = 1\nparam off = 2.5\nparam k = 3\nstate y = 0\n\
                y' = if t > on and t < off then k else 0";
    let example = Example::new(text, &[1.0, 2.5, 3.0], &[0.0]);
    let varied: Vec<Varied> = (0..3).map(Varied::Parameter).collect();
    let run = example.run(&varied, &[4.0], Method::Tsit5, 1e-9);
    near(run.sensitivities[0], -3.0, 1e-9);
    near(run.sensitivities[1], 3.0, 1e-9);
    near(run.sensitivities[2], 1.5, 1e-9);
}

/// A dose with bioavailability F and lag L into a depot, and an infusion over D, into one
/// compartment: superposition of the Bateman function and of a zero-order input.
#[test]
fn doses_with_lag_share_and_duration() {
    let text = "param ka = 1.3\nparam ke = 0.3\nparam F = 0.7\nparam L = 0.5\nparam D = 2\n\
                param V = 5\nparam P = 6\nstate depot = 0\nstate C = 0\ndepot' = -ka*depot\n\
                C' = ka*depot/V - ke*C\ndose 100*F into depot every P times 2 lag L\n\
                dose 40 into C at 1 over D";
    let p = [1.3, 0.3, 0.7, 0.5, 2.0, 5.0, 6.0];
    let exact = |p: &[f64], t: f64| {
        let [ka, ke, f, lag, d, v, period] = *p else {
            return 0.0;
        };
        let oral = |t: f64| match t > 0.0 {
            true => 100.0 * f * ka / (v * (ka - ke)) * ((-ke * t).exp() - (-ka * t).exp()),
            false => 0.0,
        };
        let ramp = |t: f64| if t > 0.0 { 1.0 - (-ke * t).exp() } else { 0.0 };
        let infused = 40.0 / d / ke * (ramp(t - 1.0) - ramp(t - 1.0 - d));
        oral(t - lag) + oral(t - lag - period) + infused
    };
    let example = Example::new(text, &p, &[0.0, 0.0]);
    let varied: Vec<Varied> = (0..7).map(Varied::Parameter).collect();
    for method in [Method::Tsit5, Method::Rodas] {
        let times = [0.9, 2.0, 5.0, 9.0];
        let run = example.run(&varied, &times, method, 1e-10);
        for (row, t) in times.iter().enumerate() {
            near(run.states[2 * row + 1], exact(&p, *t), 1e-8);
            for j in 0..7 {
                let along = |value: f64| {
                    let mut p = p;
                    p[j] = value;
                    exact(&p, *t)
                };
                let found = run.sensitivities[14 * row + 2 * j + 1];
                near(found, slope(along, p[j]), 1e-6);
            }
        }
    }
}

/// An event changes a parameter that another follows, at a time that follows from the state, after
/// a delay: y = a t until t* = c/a + d, where k becomes y; then y' = -2 k.
#[test]
fn parameters_that_events_change() {
    let text = "param a = 2\nparam c = 3\nparam d = 0.5\nparam k = 1\nparam k2 = 2*k\nstate y = 0\n\
                state on = 0\non' = 0\ny' = if on > 0.5 then -k2 else a\n\
                when y > c after d { k = y; on = 1 }";
    let example = Example::new(text, &[2.0, 3.0, 0.5, 1.0, 2.0], &[0.0, 0.0]);
    // y(t) = Y - 2 Y (t - t*), Y = c + a d.
    let exact = |a: f64, c: f64, d: f64| {
        let (y, at) = (c + a * d, c / a + d);
        y - 2.0 * y * (3.0 - at)
    };
    let varied: Vec<Varied> = (0..4).map(Varied::Parameter).collect();
    let run = example.run(&varied, &[3.0], Method::Tsit5, 1e-10);
    near(run.states[0], exact(2.0, 3.0, 0.5), 1e-8);
    near(
        run.sensitivities[0],
        slope(|a| exact(a, 3.0, 0.5), 2.0),
        1e-7,
    );
    near(
        run.sensitivities[2],
        slope(|c| exact(2.0, c, 0.5), 3.0),
        1e-7,
    );
    near(
        run.sensitivities[4],
        slope(|d| exact(2.0, 3.0, d), 0.5),
        1e-7,
    );
    near(run.sensitivities[6], 0.0, 1e-9);
}

/// y' = z with 0 = z - q until y reaches c, when q becomes 3: y = c + 3 (t - c/q) after c/q.
#[test]
fn constraints_that_an_event_changes() {
    let text = "param c = 1\nparam q = 2\nstate y = 0\nstate z = 2\ny' = z\n0 = z - q\n\
                when y > c { q = 3 }";
    let example = Example::new(text, &[1.0, 2.0], &[0.0, 2.0]);
    let varied = [Varied::Parameter(0), Varied::Parameter(1)];
    let run = example.run(&varied, &[2.0], Method::Rodas, 1e-9);
    near(run.states[0], 1.0 + 3.0 * 1.5, 1e-8);
    near(run.sensitivities[0], 1.0 - 3.0 / 2.0, 1e-8);
    near(run.sensitivities[1], 0.0, 1e-8);
    near(run.sensitivities[2], 3.0 / 4.0, 1e-8);
    near(run.sensitivities[3], 0.0, 1e-8);
}

/// x' = -k x with the constraint 0 = z^3 - x - p: dz/dp = (1 + dx/dp)/(3 z^2).
#[test]
fn constraints() {
    let text = "param k = 0.5\nparam p = 1\nstate x = 2\nstate z = 1.4422495703074083\nx' = -k*x\n\
                0 = z^3 - x - p";
    let example = Example::new(text, &[0.5, 1.0], &[2.0, 3.0_f64.cbrt()]);
    let varied = [Varied::Parameter(0), Varied::Parameter(1)];
    let run = example.run(&varied, &[0.0, 2.0], Method::Rodas, 1e-9);
    let z = (2.0 * (-1.0_f64).exp() + 1.0).cbrt();
    let by_k = -2.0 * 2.0 * (-1.0_f64).exp() / (3.0 * z * z);
    near(run.sensitivities[3], 1.0 / (3.0 * 9.0_f64.cbrt()), 1e-9);
    near(run.sensitivities[5], by_k, 1e-7);
    near(run.sensitivities[7], 1.0 / (3.0 * z * z), 1e-7);
}

/// A dose with lag L into a depot every P, for ever: the Bateman functions of all doses before are
/// geometric series. An infusion over D every P likewise.
#[test]
fn steady_doses() {
    let text = "param ka = 1.3\nparam ke = 0.3\nparam F = 0.7\nparam L = 0.5\nparam P = 6\n\
                state depot = 0\nstate C = 0\ndepot' = -ka*depot\nC' = ka*depot - ke*C\n\
                dose 100*F into depot every P lag L steady";
    let exact = |p: &[f64], t: f64| {
        let [ka, ke, f, lag, period] = *p else {
            return 0.0;
        };
        let since = (t - lag).rem_euclid(period);
        let all = |k: f64| (-k * since).exp() / (1.0 - (-k * period).exp());
        100.0 * f * ka / (ka - ke) * (all(ke) - all(ka))
    };
    follows(text, &[1.3, 0.3, 0.7, 0.5, 6.0], &[0.0, 0.0], exact);
    let text = "param ke = 0.3\nparam D = 2\nparam P = 6\nstate C = 0\nC' = -ke*C\n\
                dose 40 into C every P over D steady";
    let exact = |p: &[f64], t: f64| {
        let [ke, over, period] = *p else {
            return 0.0;
        };
        let rate = 40.0 / over / ke;
        let since = t.rem_euclid(period);
        let trough = rate * (1.0 - (-ke * over).exp()) * (-ke * (period - over)).exp()
            / (1.0 - (-ke * period).exp());
        let (during, after) = (since.min(over), (since - over).max(0.0));
        let there = trough * (-ke * during).exp() + rate * (1.0 - (-ke * during).exp());
        there * (-ke * after).exp()
    };
    follows(text, &[0.3, 2.0, 6.0], &[0.0], exact);
    // An infusion that outlasts the period.
    let exact = |p: &[f64], t: f64| {
        let [ke, over, period] = *p else {
            return 0.0;
        };
        let since = t.rem_euclid(period);
        // Of each dose: what comes in until now, less what came in too long ago.
        let ramp = |t: f64| if t > 0.0 { 1.0 - (-ke * t).exp() } else { 0.0 };
        let one = |age: f64| 40.0 / over / ke * (ramp(age) - ramp(age - over));
        (0..60).map(|k| one(since + f64::from(k) * period)).sum()
    };
    follows(text, &[0.3, 8.0, 6.0], &[0.0], exact);
}

/// The last state and its derivatives by all parameters are those of a function of them.
fn follows(text: &str, p: &[f64], initial: &[f64], exact: impl Fn(&[f64], f64) -> f64) {
    let example = Example::new(text, p, initial);
    let varied: Vec<Varied> = (0..p.len()).map(Varied::Parameter).collect();
    let (n, m) = (initial.len(), p.len());
    for method in [Method::Tsit5, Method::Rodas, Method::Auto] {
        let times = [0.3, 1.0, 5.0, 9.0];
        let run = example.run(&varied, &times, method, 1e-10);
        for (row, t) in times.iter().enumerate() {
            near(run.states[n * (row + 1) - 1], exact(p, *t), 1e-7);
            for j in 0..m {
                let along = |value: f64| {
                    let mut p = p.to_vec();
                    p[j] = value;
                    exact(&p, *t)
                };
                let found = run.sensitivities[n * m * row + n * (j + 1) - 1];
                near(found, slope(along, p[j]), 1e-5);
            }
        }
    }
}

/// Receptors that the dosing keeps: their sum moves with its initial value, and so does all else.
#[test]
fn steady_doses_beside_a_sum_that_is_kept() {
    let text = "param k = 0.3\nparam R0 = 2\nstate A = 0\nstate free = R0\nstate bound = 0\n\
                A' = -k*A*(1 + free)\nfree' = -A*free + bound\nbound' = A*free - bound\n\
                dose 10 into A every 4 steady";
    let example = Example::new(text, &[0.3, 2.0], &[0.0, 2.0, 0.0]);
    let varied = [Varied::Parameter(0), Varied::Parameter(1)];
    let run = example.run(&varied, &[3.0], Method::Tsit5, 1e-9);
    let end = |k: f64, total: f64| example.end(&[k, total], &[0.0, total, 0.0], 3.0, Method::Tsit5);
    for at in 0..3 {
        let by_k = slope(|k| end(k, 2.0)[at], 0.3);
        let by_total = slope(|total| end(0.3, total)[at], 2.0);
        near(run.sensitivities[at], by_k, 1e-4);
        near(run.sensitivities[3 + at], by_total, 1e-4);
    }
}
