//! Runs with interruptions against exact solutions.

use super::super::{
    CompiledDynamics, DoseRow, Method, Occasion, Options, Output, Problem, RowKind, ScheduleFault,
    Solution, SteadyKind, Stop, Tolerances, Track, run,
};
use crate::kernel::Kernels;
use crate::model::Model;
use crate::simulate::tests::declared::declared;
use crate::system::{self, System};
use std::sync::Arc;

/// A model with what a run of it needs.
struct Case {
    system: Arc<System>,
    kernels: Kernels,
    parameters: Vec<f64>,
    initial: Vec<f64>,
    rows: Vec<DoseRow>,
    inputs: Vec<Track>,
    method: Method,
    tolerance: f64,
    resumed: bool,
}

/// Parameters and initial values of the text must be plain numbers.
fn case(text: &str) -> Case {
    let system = Arc::new(system::derive(&Model::of_text(text)));
    let kernels = Kernels::new(Arc::clone(&system));
    let (parameters, initial) = declared(&system, &kernels);
    Case {
        kernels,
        parameters,
        initial,
        rows: Vec::new(),
        inputs: Vec::new(),
        method: Method::Auto,
        tolerance: 1e-8,
        resumed: false,
        system,
    }
}

impl Case {
    fn run_from(&self, range: (f64, f64), initial: &[f64], output: &Output) -> Solution {
        let problem = Problem {
            rows: self.rows.clone(),
            inputs: self.inputs.clone(),
            resumed: self.resumed,
            ..Problem::new(
                &self.system,
                &self.kernels,
                self.parameters.clone(),
                self.initial.clone(),
            )
        };
        let parameters = self.parameters.clone();
        let dynamics = CompiledDynamics::new(&self.system, &self.kernels, parameters);
        let tolerances = Tolerances::uniform(self.tolerance, self.tolerance, initial.len());
        let options = Options::new(tolerances).with_method(self.method);
        run(
            &problem,
            &dynamics,
            range,
            initial,
            output,
            &options,
            &mut (),
        )
    }

    fn run(&self, range: (f64, f64), output: &Output) -> Solution {
        self.run_from(range, &self.initial, output)
    }

    /// The states at these times of a run that finishes.
    fn at(&self, times: &[f64]) -> Vec<Vec<f64>> {
        let end = times.last().copied().unwrap_or(0.0);
        let solution = self.run((0.0, end), &Output::Times(times.to_vec()));
        assert_eq!(solution.stop, Stop::Finished);
        assert_eq!(solution.times, times);
        (0..times.len())
            .filter_map(|row| solution.row(row).map(<[f64]>::to_vec))
            .collect()
    }

    fn using(mut self, method: Method) -> Case {
        self.method = method;
        self
    }
}

#[track_caller]
fn near(found: f64, exact: f64, allowed: f64) {
    let error = (found - exact).abs() / exact.abs().max(1.0);
    assert!(error <= allowed, "{found} instead of {exact}: {error:e}");
}

fn row(time: f64, amount: f64) -> DoseRow {
    DoseRow {
        dose: 0,
        time,
        kind: RowKind::Dose,
        amount,
        into: 0,
        duration: None,
        additional: 0,
        interval: 0.0,
        steady: SteadyKind::No,
        line: 2,
    }
}

/// One compartment; its doses come from the rows of a table, with half of each absorbed.
fn one_compartment(rows: Vec<DoseRow>) -> Case {
    let text = "param k = 0.3, F = 0.5
        state A = 3
        A' = -k*A
        dose AMT*F from \"doses.csv\"";
    let mut case = case(text);
    case.rows = rows;
    case
}

const METHODS: [Method; 6] = [
    Method::Auto,
    Method::Tsit5,
    Method::Tsit45,
    Method::Bdf,
    Method::TrBdf2,
    Method::Esdirk34,
];

#[test]
fn times_that_differ_by_rounding_are_one() {
    // 0.1 * 3 is not 0.3; the assignment comes after the dose all the same.
    let text = "state x = 0\nx' = 0\nevery 0.1 times 5 { x = 2*x }\ndose 1 into x at 0.3";
    let found = case(text).at(&[0.3, 0.35, 0.4]);
    assert_eq!(found, [[2.0], [2.0], [4.0]]);
}

#[test]
fn rows_stand_before_and_after_each_jump() {
    for method in METHODS {
        let case = case("param k = 1\nstate x = 1\nx' = -k*x\nat 1 { x = 5 }\nat 2 { k = 0 }")
            .using(method);
        let solution = case.run((0.0, 3.0), &Output::Steps { interior: 2 });
        let rows: Vec<usize> = (0..solution.times.len())
            .filter(|row| solution.times[*row] == 1.0)
            .collect();
        assert_eq!(rows.len(), 2, "{method}");
        near(solution.states[rows[0]], (-1.0_f64).exp(), 1e-6);
        assert_eq!(solution.states[rows[1]], 5.0);
        let rows: Vec<usize> = (0..solution.times.len())
            .filter(|row| solution.times[*row] == 2.0)
            .collect();
        assert_eq!(rows.len(), 2, "{method}");
        assert_eq!(solution.parameter_changes, [(rows[1], vec![0.0])]);
        let times = &solution.times;
        assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "{method}");
    }
}

#[test]
fn slots_of_rows_are_those_that_hold() {
    let mut case = case(
        "input u from \"u.csv\" step
         state x = 0
         x' = u
         dose 6 into x at 1 over 2",
    );
    case.inputs = vec![Track {
        times: vec![0.0, 2.0],
        values: vec![1.0, 4.0],
    }];
    let solution = case.run((0.0, 4.0), &Output::Times(vec![0.0, 1.0, 2.0, 3.0, 4.0]));
    let slots = &case.system.slots;
    let of = |at: usize| -> Vec<f64> { (0..5).map(|row| solution.slots_of(row)[at]).collect() };
    assert_eq!(of(slots.inputs.start), [1.0, 1.0, 4.0, 4.0, 4.0]);
    assert_eq!(of(slots.infusions.start), [0.0, 3.0, 3.0, 0.0, 0.0]);
    near(solution.states[4], 2.0 + 8.0 + 6.0, 1e-9);
}

#[test]
fn inputs_have_their_exact_integrals() {
    let (times, values) = (vec![0.5, 1.0, 2.0, 4.0], vec![1.0, 3.0, 2.0, 5.0]);
    // Before the table the first value holds, after it the last.
    let step = 1.0 * 1.0 + 3.0 * 1.0 + 2.0 * 2.0 + 5.0 * 1.0;
    let linear = 0.5 + 0.5 * 2.0 + 2.5 + 7.0 + 5.0;
    // The natural spline's integral over a piece of width h: the trapezium's less
    // h^3 (c0 + c1)/24. The curvatures c1, c2 solve 3 c1 + c2 = 6 (-1 - 4) and
    // c1 + 6 c2 = 6 (1.5 + 1): c1 = -195/17, c2 = 75/17.
    let (c1, c2) = (-195.0 / 17.0, 75.0 / 17.0);
    let cubic = linear - (0.125 * c1 + (c1 + c2) + 8.0 * c2) / 24.0;
    for (kind, exact) in [("step", step), ("linear", linear), ("cubic", cubic)] {
        for method in METHODS {
            let text = format!("input u from \"u.csv\" {kind}\nstate x = 0\nx' = u");
            let mut case = case(&text).using(method);
            let (times, values) = (times.clone(), values.clone());
            case.inputs = vec![Track { times, values }];
            near(case.at(&[5.0])[0][0], exact, 1e-6);
        }
    }
}

#[test]
fn rows_of_a_table_are_doses_with_additional_ones() {
    let mut several = row(1.0, 20.0);
    several.additional = 2;
    several.interval = 4.0;
    let case = one_compartment(vec![row(0.0, 10.0), several]);
    let e = |time: f64| (-0.3 * time).exp();
    let exact = 8.0 * e(10.0) + 10.0 * (e(9.0) + e(5.0) + e(1.0));
    near(case.at(&[10.0])[0][0], exact, 1e-7);
    // The first of the rows at the start is in the first row of the output.
    near(case.at(&[0.0])[0][0], 8.0, 1e-12);
}

#[test]
fn what_is_absorbed_of_an_infused_row_keeps_its_rate() {
    // AMT 20 at RATE 5 with F = 1/2: rate 5 for 2 instead of 4.
    let mut infused = row(1.0, 20.0);
    infused.duration = Some(4.0);
    let mut case = one_compartment(vec![infused]);
    case.initial = vec![0.0];
    let exact = 5.0 / 0.3 * (1.0 - (-0.6_f64).exp()) * (-0.3_f64).exp();
    near(case.at(&[4.0])[0][0], exact, 1e-7);
}

#[test]
fn resets_return_to_initial_values_and_end_infusions() {
    let mut infused = row(0.0, 100.0);
    infused.duration = Some(50.0);
    let mut several = row(0.0, 8.0);
    several.additional = 10;
    several.interval = 3.0;
    let reset = DoseRow {
        kind: RowKind::Reset,
        ..row(4.0, 0.0)
    };
    let anew = DoseRow {
        kind: RowKind::ResetAndDose,
        ..row(6.0, 10.0)
    };
    let case = one_compartment(vec![infused, several, reset, anew]);
    let e = |time: f64| (-0.3 * time).exp();
    let found = case.at(&[4.0, 5.0, 6.0, 8.0]);
    near(found[0][0], 3.0, 1e-12);
    near(found[1][0], 3.0 * e(1.0), 1e-7);
    near(found[2][0], 8.0, 1e-12);
    near(found[3][0], 8.0 * e(2.0), 1e-7);
}

#[test]
fn steady_rows_replace_or_add() {
    // Boluses of 5 every 6: trough 5/(e^{1.8} - 1).
    let trough = 5.0 / (1.8_f64.exp() - 1.0);
    for (kind, exact) in [
        (SteadyKind::Replace, trough + 5.0),
        (SteadyKind::Add, 3.0 * (-0.6_f64).exp() + trough + 5.0),
    ] {
        let steady = DoseRow {
            steady: kind,
            interval: 6.0,
            ..row(2.0, 10.0)
        };
        let case = one_compartment(vec![steady]);
        near(case.at(&[2.0])[0][0], exact, 1e-6);
    }
}

#[test]
fn steady_infusions_may_be_longer_than_their_period() {
    // Rate 2 for 7 every 3: two or three at a time. The sum of all infusions before.
    let text = "param k = 0.3\nstate A = 0\nA' = -k*A\ndose 14 into A every 3 over 7 steady";
    let exact = |time: f64| -> f64 {
        (-60..=40)
            .map(|n| {
                let begun = time - 3.0 * f64::from(n);
                let (young, old) = ((begun - 7.0).max(0.0), begun.max(0.0));
                2.0 / 0.3 * ((-0.3 * young).exp() - (-0.3 * old).exp())
            })
            .sum()
    };
    for (time, found) in [0.0, 0.5, 2.0, 10.0]
        .iter()
        .zip(case(text).at(&[0.0, 0.5, 2.0, 10.0]))
    {
        near(found[0], exact(*time), 1e-6);
    }
}

#[test]
fn steady_dosing_keeps_a_lag_and_a_conserved_sum() {
    // Arrives 1 after its time; at its time, 3 of the period of 4 after the arrival before.
    let text = "param k = 0.3
        state A = 0
        A' = -k*A
        dose 10 into A every 4 lag 1 steady";
    let peak = 10.0 / (1.0 - (-1.2_f64).exp());
    let found = case(text).at(&[0.0, 1.0, 5.0]);
    near(found[0][0], peak * (-0.9_f64).exp(), 1e-6);
    near(found[1][0], peak, 1e-6);
    near(found[2][0], peak, 1e-6);
    // Free and bound receptors sum to 2 whatever the drug does; it goes its own way.
    let text = "param k = 0.3
        state A = 0, free = 2, bound = 0
        A' = -k*A
        free' = -A*free + bound
        bound' = A*free - bound
        dose 10 into A every 4 steady";
    let found = case(text).at(&[0.0, 4.0]);
    near(found[0][1] + found[0][2], 2.0, 1e-7);
    for (first, second) in found[0].iter().zip(&found[1]) {
        near(*first, *second, 1e-5);
    }
}

#[test]
fn dosing_that_accumulates_is_never_steady() {
    for text in [
        "state A = 0, AUC = 0\nA' = -A\nAUC' = A\ndose 1 into A every 2 steady",
        "state A = 1\nA' = A\ndose 1 into A every 2 steady",
        "state A = 0\nA' = 1/(1 + A)\ndose 1 into A every 2 steady",
    ] {
        let solution = case(text).run((0.0, 5.0), &Output::Steps { interior: 0 });
        let never = matches!(solution.stop, Stop::NeverSteady { dose: 0, .. });
        assert!(never, "{text}: {:?}", solution.stop);
    }
}

#[test]
fn what_was_scheduled_for_the_start_is_done_once() {
    let mut case = case("state A = 0\nA' = 0\ndose 1 into A every 5\nevery 5 { A = 2*A }");
    let first = case.run((0.0, 10.0), &Output::Times(vec![10.0]));
    let (_, state) = first.last().expect("a row");
    assert_eq!(state, [14.0]);
    let state = state.to_vec();
    case.resumed = true;
    let second = case.run_from((10.0, 15.0), &state, &Output::Times(vec![10.0, 15.0]));
    assert_eq!(second.states, [14.0, 30.0]);
}

#[test]
fn a_run_that_begins_later_finds_infusions_running() {
    let mut case = case("state A = 0\nA' = 0\ndose 12 into A every 4 times 3 over 6 lag 1");
    // At 7 the infusion of 1 to 7 is over, that of 5 to 11 has 4 left, the third comes at 9.
    let late = case.run_from((7.0, 20.0), &[0.0], &Output::Times(vec![20.0]));
    near(late.states[0], 8.0 + 12.0, 1e-9);
    case.resumed = true;
    let late = case.run_from((9.0, 20.0), &[0.0], &Output::Times(vec![20.0]));
    near(late.states[0], 4.0 + 12.0, 1e-9);
}

#[test]
fn a_step_may_look_beyond_its_branch() {
    // The root exists below 1 only; the branch above takes over at t = 2 (1 - x)^(1/2) = 2.
    let text = "state x = 0\nx' = if x < 1 then sqrt(1 - x) + 0.1 else 0.1";
    for method in METHODS {
        let solution = case(text)
            .using(method)
            .run((0.0, 4.0), &Output::Times(vec![4.0]));
        assert_eq!(solution.stop, Stop::Finished, "{method}");
        // With s = sqrt(1 - x): s' = -(s + 0.1)/(2 s); from s = 1 to 0 it takes
        // 2 (1 - 0.1 ln 11).
        let switch = 2.0 * (1.0 - 0.1 * 11.0_f64.ln());
        near(solution.states[0], 1.0 + 0.1 * (4.0 - switch), 1e-5);
    }
}

#[test]
fn a_slide_along_a_border_is_told_from_an_event_storm() {
    let text = "state x = 1\nx' = if x > 0 then -1 else 1";
    for method in [Method::Auto, Method::Bdf] {
        let solution = case(text)
            .using(method)
            .run((0.0, 4.0), &Output::Steps { interior: 0 });
        let slides = matches!(solution.stop, Stop::Chattering { guard: 0, time, .. }
            if (time - 1.0).abs() < 1e-6);
        assert!(slides, "{method}: {:?}", solution.stop);
    }
}

#[test]
fn functions_of_time_are_watched_within_long_steps() {
    // The drift is constant between switches, so that a step would go over all of them.
    let text = "state x = 0, n = 0
        x' = if sin(t) > 0 then 1 else -1
        n' = 0
        when cos(3*t) == 0 { n = n + 1 }";
    for method in METHODS {
        let found = &case(text).using(method).at(&[20.0])[0];
        near(found[0], 20.0 - 6.0 * std::f64::consts::PI, 1e-7);
        // 3 t = pi/2 + k pi: k up to 18.
        assert_eq!(found[1], 19.0, "{method}");
    }
}

#[test]
fn a_condition_that_lasts_is_told_from_one_that_does_not() {
    let text = "state x = 0, short = 0, long = 0
        x' = cos(t)
        short' = 0
        long' = 0
        when x > 0.5 for 2 { short = short + 1 }
        when x > 0.5 for 3 { long = long + 1 }";
    // sin t > 1/2 for 2 pi/3 = 2.09 at a time.
    let found = &case(text).at(&[14.0])[0];
    assert_eq!(found[1..], [2.0, 0.0]);
}

#[test]
fn parameters_follow_unless_they_were_set() {
    let text = "param k = 1, double = 2*k, four = 2*double
        state x = 0, y = 0
        x' = double
        y' = four
        at 1 { k = 3 }
        at 2 { k = 5; double = 1 }
        at 3 { k = 100 }";
    let found = &case(text).at(&[4.0])[0];
    near(found[0], 2.0 + 6.0 + 1.0 + 1.0, 1e-9);
    near(found[1], 4.0 + 12.0 + 2.0 + 2.0, 1e-9);
}

#[test]
fn doses_of_events_use_what_held_before_the_block() {
    let text = "state A = 1, B = 0
        A' = 0
        B' = 0
        at 1 { A = 10; dose A into B }
        when t >= 2 values trigger { dose 2*A into B }";
    let found = &case(text).at(&[3.0])[0];
    assert_eq!(*found, [10.0, 21.0]);
}

#[test]
fn bad_schedules_say_which_and_why() {
    for (text, what, fault) in [
        (
            "param p = 0\nstate x = 0\nx' = 0\nevery p { x = 1 }",
            Occasion::Event(0),
            ScheduleFault::Period(0.0),
        ),
        (
            "param n = 1.5\nstate x = 0\nx' = 0\ndose 1 into x every 1 times n",
            Occasion::Dose(0, None),
            ScheduleFault::Times(1.5),
        ),
        (
            "param l = -1\nstate x = 0\nx' = 0\ndose 1 into x at 1 lag l",
            Occasion::Dose(0, None),
            ScheduleFault::Delay(-1.0),
        ),
        (
            "param d = -2\nstate x = 0\nx' = 1\nwhen x > 1 after d { x = 0 }",
            Occasion::Event(0),
            ScheduleFault::Delay(-2.0),
        ),
    ] {
        let solution = case(text).run((0.0, 5.0), &Output::Steps { interior: 0 });
        assert_eq!(solution.stop, Stop::Schedule { what, fault }, "{text}");
    }
}

#[test]
fn stiffness_is_met_between_events() {
    // Slow with k = 1, stiff from t = 10 on; the pulses go on.
    let text = "param k = 1
        state x = 0
        x' = -k*(x - cos(t)) - sin(t)
        at 10 { k = 1e5 }
        every 1 { x = x + 0.01 }";
    let case = case(text);
    let solution = case.run((0.0, 30.0), &Output::Times(vec![29.9]));
    assert_eq!(solution.stop, Stop::Finished);
    near(solution.states[0], 29.9_f64.cos(), 1e-6);
    assert!(solution.methods.len() > 1, "{:?}", solution.methods);
    assert!(solution.statistics.steps < 20_000);
}

#[test]
fn a_long_run_of_events_keeps_rows_and_changes_together() {
    let text = "param k = 0\nstate x = 0\nx' = 0\nevery 1 { k = k + 1; x = x + 1 }";
    let case = case(text);
    let solution = case.run((0.0, 200.0), &Output::Steps { interior: 0 });
    let mut changes = solution.parameter_changes.iter().peekable();
    let mut k = 0.0;
    for (at, x) in solution.states.iter().enumerate() {
        while let Some((_, values)) = changes.next_if(|(from, _)| *from <= at) {
            k = values[0];
        }
        assert_eq!(k, *x, "row {at}");
    }
}

#[test]
fn conditions_of_algebraic_states_follow_a_jump() {
    // z = x^2 whatever the guess; x jumps to 3 at 1, which takes z to 9.
    let text = "state x = 0, z = 40, n = 0
        x' = 1
        n' = 0
        0 = z - x^2
        at 1 { x = 3 }
        when z > 5 { n = n + 1 }";
    let solution = case(text).run((0.0, 2.0), &Output::Times(vec![0.0, 1.0, 2.0]));
    assert_eq!(solution.stop, Stop::Finished);
    for (row, exact) in [[0.0, 0.0, 0.0], [3.0, 9.0, 1.0], [4.0, 16.0, 1.0]]
        .iter()
        .enumerate()
    {
        for (found, exact) in solution.row(row).expect("a row").iter().zip(exact) {
            near(*found, *exact, 1e-6);
        }
    }
    let events: Vec<f64> = solution.occurrences.iter().map(|seen| seen.time).collect();
    assert_eq!(events, [1.0, 1.0]);
}

#[test]
fn exact_steps_cross_a_border_once() {
    let text = "param up = 0
        state x = 0, v = 1
        x' = v
        v' = -x
        when x == 0.5 rising { up = up + 1 }
        when x > 0.5 { up = up + 100 }";
    for method in [Method::Auto, Method::Tsit5, Method::Rodas, Method::Bdf] {
        let solution = case(text)
            .using(method)
            .run((0.0, 40.0), &Output::Steps { interior: 0 });
        assert_eq!(solution.occurrences.len(), 14, "{method}");
        for (k, pair) in solution.occurrences.chunks(2).enumerate() {
            let exact = (1.0 / 6.0 + 2.0 * k as f64) * std::f64::consts::PI;
            near(pair[0].time, exact, 1e-5);
        }
    }
}
