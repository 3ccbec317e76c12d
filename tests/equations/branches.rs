//! Branches, inputs, infusions, delays and constraints in the compiled functions.
//!
//! Enters: model texts with these, and all others. Leaves: agreement of what steps integrate with
//! what the text says, and of rates and derivatives by time with finite differences.

use super::library::{self, Random, compile};
use super::{Point, call_with, dense, models, random_point};
use lotka::kernel::SharedKernel;
use lotka::session::Compiled;
use lotka::system::{GuardKind, Motion, linear_form};

const LIVE_KINKS: &str = "a long vector with kinks";

/// Models with branches of every kind.
pub const TEXTS: &[(&str, &str)] = &[
    (
        "comparisons in both directions",
        "state x = 1, y = 2
         param a = 0.9
         x' = (if x > a then -x^2 else y) + (if x <= a then 1 else 2)*y
         y' = if a >= x and not (y < 0.5) then x*y else sin(x) + (if a < y then t else 0)",
    ),
    (
        "kinks of numbers",
        "state x = 1, y = -2
         param a = 0.9
         x' = abs(y) - min(x, y, a)
         y' = max(x - a, 0)^2 - abs(x*y)*y",
    ),
    (
        "whole numbers",
        "state x = 1.7, y = -2.2
         x' = floor(3*x) + ceil(y)*y - round(5*x)
         y' = sign(x - 1)*y + mod(7*y, 2) - sign(y)",
    ),
    (
        "branches that parameters decide",
        "state x = 1
         param a = 0.9
         x' = (if a > 0.5 then -x else x) + abs(a) + mod(a, 0.3)",
    ),
    (
        "vectors",
        "index g = 1..4
         state s[g] = 0.5
         param W[g, g] = 0.3
         param K[g] = 0.5
         let drive = W*s
         s' = (if drive > K then 1 - s else -s) + max(drive - 0.4, 0)",
    ),
    (
        LIVE_KINKS,
        "index g = 1..40
         state s[g] = 0.5
         param K[g] = 0.6
         s' = abs(s - K) - min(s, K).^2",
    ),
    (
        "branches in branches",
        "state x = 1, y = 0.4
         param a = 0.9
         let level = if mod(t, 2) < 1 then max(x, y) else x
         x' = if abs(level - a) > 0.2 then (if y > x then -x else y - x) else -y
         y' = x - y*level",
    ),
    (
        "driven by the clock",
        "state x = 1
         param period = 0.7
         x' = (if mod(t, period) < 0.3 then 2 else 0) + (if t > 1.5 then t^2 else t) - x",
    ),
    (
        "infusions into volumes and amounts",
        "compartment V = 5
         species C in V = 1
         species depot = 2
         state x = 1
         param ka = 0.3
         absorption: depot -> C, ka
         C -> 0, rate 0.2*C*V/(1 + C)
         x' = C - x*t
         dose 100 into C over 2 at 1
         dose 10 into depot at 3",
    ),
    (
        "infusions into vectors",
        "index g = 1..3
         state y[g] = 1
         param k[g] = 0.4
         y' = -k .* y
         dose 10 into y[2] over 0.5 every 12 times 3",
    ),
    (
        "inputs and the clock",
        "input temperature from \"temperature.csv\" linear
         input light from \"light.csv\" step
         state x = 1, y = 0.5
         param a = 0.8
         x' = -x*exp(a*temperature) + t*light
         y' = if temperature > x then light - y else -y*temperature",
    ),
    (
        "delayed feedback",
        "state x = 1.2, y = 0.5
         param beta = 0.2, tau = 17
         history x = 0.9 + 0.1*sin(t)
         x' = beta*x(t - tau)/(1 + x(t - tau)^10) - 0.1*x
         y' = (if x(t - tau) > y then x else 0) - y(t - 2*tau)*y",
    ),
    (
        "constraints",
        "state A = 1, B = 0.4
         state z, w
         param k = 0.7
         A' = -k*A*w
         B' = z - B
         0 = z - A*B - 0.1*sin(t)
         0 = A + max(B, 0.2) - w*(1 + z^2)",
    ),
    (
        "a vector of constraints",
        "index g = 1..3
         state x[g] = 1
         state z[g] = 0.5
         param W[g, g] = 0.2
         x' = -x + z
         0 = W*tanh(x) - 2*z",
    ),
    (
        "events",
        "state x = 1, y = 0.5
         param a = 0.7
         x' = y
         y' = -a*x - abs(y)*y
         when x > a and not (y <= 0.1) { x = 0 }
         when x*y == a rising { a = a/2 }
         when t >= 3 { y = y + 1 }",
    ),
];

/// What the guards say at a point, where these slots hold.
fn modes(compiled: &Compiled, point: &Point, slots: &[f64]) -> Vec<f64> {
    let system = &compiled.system;
    let values = call_with(compiled.kernels.guards(), point, slots);
    assert_eq!(values.len(), system.slots.modes.len());
    let kinds = system.guards.iter().flat_map(|guard| {
        let count = system.pool.shape(guard.expr).len();
        std::iter::repeat_n(guard.kind, count)
    });
    let mode = |(value, kind): (&f64, GuardKind)| match kind {
        GuardKind::Positive => f64::from(*value > 0.0),
        GuardKind::NotNegative => f64::from(*value >= 0.0),
        GuardKind::Zero => 0.0,
        GuardKind::Floor => value.floor(),
    };
    values.iter().zip(kinds).map(mode).collect()
}

/// Slots at a point: modes as the guards say there, no infusions, all else of size one.
fn live_slots(compiled: &Compiled, point: &Point, random: &mut Random) -> Vec<f64> {
    let sections = &compiled.system.slots;
    let mut slots: Vec<f64> = (0..sections.len())
        .map(|_| random.between(0.2, 1.5))
        .collect();
    slots[sections.infusions.clone()].fill(0.0);
    // Guards read modes of other guards.
    for _ in 0..=compiled.system.guards.len() {
        let modes = modes(compiled, point, &slots);
        slots[sections.modes.clone()].copy_from_slice(&modes);
    }
    slots
}

fn assert_equal(name: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (a, b) in found.iter().zip(expected) {
        // Some models have no value at some random points.
        let same = (a - b).abs() <= 1e-13 * b.abs().max(1.0) || a.is_nan() && b.is_nan();
        assert!(same, "{name}: {found:?} is not {expected:?}");
    }
}

#[test]
fn drifts_in_terms_of_modes_equal_live_ones() {
    let mut random = Random::new(5);
    for (name, compiled) in models() {
        let kernels = &compiled.kernels;
        for _ in 0..20 {
            let point = random_point(&compiled, &mut random);
            let slots = live_slots(&compiled, &point, &mut random);
            let of = |kernel: &SharedKernel| call_with(kernel, &point, &slots);
            assert_equal(&name, &of(kernels.frozen_drift()), &of(kernels.drift()));
            assert_equal(
                &name,
                &of(kernels.frozen_jacobian()),
                &of(kernels.jacobian()),
            );
        }
    }
}

#[test]
fn jacobians_with_fixed_modes_agree_with_differences() {
    let mut random = Random::new(9);
    // The kinks of the long vector are not read from modes: differences would go over them.
    let smooth = TEXTS.iter().filter(|(name, _)| *name != LIVE_KINKS);
    for (name, text) in smooth {
        let compiled = compile(text);
        let pattern = &compiled.system.frozen_jacobian.pattern;
        for _ in 0..5 {
            let point = random_point(&compiled, &mut random);
            let slots = live_slots(&compiled, &point, &mut random);
            let entries = call_with(compiled.kernels.frozen_jacobian(), &point, &slots);
            let exact = dense(pattern, &entries);
            for column in 0..point.state.len() {
                let drift = |shift: f64| {
                    let mut point = point.clone();
                    point.state[column] += shift;
                    call_with(compiled.kernels.frozen_drift(), &point, &slots)
                };
                let exact: Vec<f64> = exact.iter().map(|row| row[column]).collect();
                assert_slopes(name, &exact, &slope(drift), &drift(0.0));
            }
        }
    }
}

#[test]
fn infusions_are_amounts_per_time_and_volume() {
    let mut random = Random::new(6);
    for (name, compiled) in models() {
        let system = &compiled.system;
        let point = random_point(&compiled, &mut random);
        let mut slots = live_slots(&compiled, &point, &mut random);
        let before = call_with(compiled.kernels.frozen_drift(), &point, &slots);
        slots[system.slots.infusions.clone()].fill(2.5);
        let after = call_with(compiled.kernels.frozen_drift(), &point, &slots);
        let volumes = call_with(compiled.kernels.volumes(), &point, &slots);
        let mut expected = before;
        for block in &system.infused {
            for at in system.states.blocks()[*block].range() {
                expected[at] += 2.5 / volumes[at];
            }
        }
        assert_equal(&name, &after, &expected);
    }
}

/// A function of a number by differences, extrapolated (L. F. Richardson).
fn slope(f: impl Fn(f64) -> Vec<f64>) -> Vec<f64> {
    let central = |h: f64| -> Vec<f64> {
        let (above, below) = (f(h), f(-h));
        let pairs = above.iter().zip(&below);
        pairs.map(|(a, b)| (a - b) / (2.0 * h)).collect()
    };
    let (wide, narrow) = (central(1e-3), central(5e-4));
    let pairs = wide.iter().zip(&narrow);
    pairs.map(|(w, n)| (4.0 * n - w) / 3.0).collect()
}

/// Slots when inputs and delayed values have moved at their rates for some time.
fn moved(compiled: &Compiled, slots: &[f64], time: f64) -> Vec<f64> {
    let sections = &compiled.system.slots;
    let mut moved = slots.to_vec();
    for (values, rates) in [
        (&sections.inputs, &sections.input_rates),
        (&sections.delayed, &sections.delayed_rates),
    ] {
        for (value, rate) in values.clone().zip(rates.clone()) {
            moved[value] += time * slots[rate];
        }
    }
    moved
}

fn assert_slopes(name: &str, found: &[f64], expected: &[f64], scale: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for ((a, b), scale) in found.iter().zip(expected).zip(scale) {
        let same = (a - b).abs() <= 1e-8 * (b.abs() + scale.abs() + 1.0);
        assert!(same, "{name}: {found:?} is not {expected:?}");
    }
}

#[test]
fn time_derivatives_agree_with_differences() {
    let mut random = Random::new(7);
    for (name, compiled) in models() {
        // The steps of a map are counted: nothing moves between two.
        if compiled.system.motion == Motion::Map {
            continue;
        }
        for _ in 0..5 {
            let point = random_point(&compiled, &mut random);
            let slots = live_slots(&compiled, &point, &mut random);
            let drift = |shift: f64| {
                let point = Point {
                    time: point.time + shift,
                    ..point.clone()
                };
                let slots = moved(&compiled, &slots, shift);
                call_with(compiled.kernels.frozen_drift(), &point, &slots)
            };
            let mut exact = call_with(compiled.kernels.time_derivative(), &point, &slots);
            if compiled.system.time_derivative.is_empty() {
                assert!(exact.is_empty());
                exact = vec![0.0; point.state.len()];
            }
            assert_slopes(&name, &exact, &slope(drift), &drift(0.0));
        }
    }
}

#[test]
fn guard_rates_agree_with_differences_along_the_flow() {
    let mut random = Random::new(8);
    for (name, compiled) in models() {
        // Where algebraic states go is not a matter of the drift: see below.
        if !compiled.system.algebraic.is_empty() {
            continue;
        }
        for _ in 0..5 {
            let point = random_point(&compiled, &mut random);
            let slots = live_slots(&compiled, &point, &mut random);
            let drift = call_with(compiled.kernels.frozen_drift(), &point, &slots);
            let at = |shift: f64| {
                let moving = point.state.iter().zip(&drift);
                let state = moving.map(|(y, f)| y + shift * f).collect();
                let point = Point {
                    time: point.time + shift,
                    state,
                    ..point.clone()
                };
                (point, moved(&compiled, &slots, shift))
            };
            let value = |shift: f64| {
                let (point, slots) = at(shift);
                call_with(compiled.kernels.guards(), &point, &slots)
            };
            let exact = call_with(compiled.kernels.guard_rates(), &point, &slots);
            assert_slopes(&name, &exact, &slope(value), &value(0.0));
        }
    }
}

#[test]
fn guards_of_algebraic_states_move_as_the_constraints_demand() {
    // z = x*y and u + z = 2: z' = x'*y + x*y' and u' = -z'.
    let compiled = compile(
        "state x = 2, y = 3
         state z, u
         x' = 5*u
         y' = -y
         0 = z - x*y
         0 = u + z - 2
         when z > 4*t { x = 0 }
         when u*u < 1 { x = 0 }",
    );
    let (x, y) = (2.0, 3.0);
    let (z, u): (f64, f64) = (6.0, -4.0);
    let point = Point {
        time: 0.0,
        state: vec![x, y, z, u],
        parameters: Vec::new(),
    };
    let slots = vec![0.0; compiled.system.slots.len()];
    let z_rate = 5.0 * u * y + x * -y;
    let found = call_with(compiled.kernels.guard_rates(), &point, &slots);
    // The second guard is 1 - u^2.
    assert_equal("rates", &found, &[z_rate - 4.0, 2.0 * u * z_rate]);
    let guards = call_with(compiled.kernels.guards(), &point, &slots);
    assert_equal("guards", &guards, &[z, 1.0 - u * u]);
}

#[test]
fn linear_systems_are_recognised() {
    let is_linear = |text: &str| linear_form(&compile(text).system);
    for text in [
        "state x = 1, y = 0\nparam k = 2\nx' = -k*x\ny' = k*x - y/k + 3",
        "index g = 1..3\nstate y[g] = 1\nparam A[g, g] = 0.5\ny' = A*y - 2*y + 1",
        // Switched by the clock, and dosed.
        "state x = 1\nx' = (if t > 3 then 1 else 0) - (if mod(t, 2) < 1 then 2 else 1)*x",
        "compartment V = 3\nspecies C in V = 1\nC -> 0, 0.3\ndose 5 into C over 2 at 1",
        "state x = 1\nx' = abs(x)",
    ] {
        assert!(is_linear(text), "{text}");
    }
    for text in [
        "state x = 1\nx' = x^2",
        "state x = 1, y = 1\nx' = -x\ny' = x/y",
        "state x = 1\nx' = t - x",
        "state x = 1\nx' = -t*x",
        "state x = 1\nx' = (if x == 2 then 1 else 0) - x",
        "state x = 1\nx' = -x(t - 1)",
        "state x = 1\nstate z\nx' = z\n0 = z - x",
        "input u from \"u.csv\"\nstate x = 1\nx' = u - x",
    ] {
        assert!(!is_linear(text), "{text}");
    }
}

#[test]
fn pulses_by_the_clock_are_never_missed() {
    // Half of the time at rate 1; most of these periods have no exact binary form.
    for period in [0.1, 0.7, 1.0 / 3.0, 24.0] {
        let compiled = compile(&format!(
            "param P = {period}\nstate x = 0\nx' = if mod(t, P) < P/2 then 1 else 0"
        ));
        let end = 100.0 * period;
        let run = library::simulate(&compiled, &format!("simulate 0..{end} points 2"));
        let x = library::last(&run, "x");
        assert!((x - end / 2.0).abs() < 1e-9 * end, "period {period}: {x}");
    }
}
