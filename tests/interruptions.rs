//! Whole runs with events, doses, inputs, constraints and delays, from model text, against exact
//! solutions.
//!
//! Enters: model texts. Leaves: errors within what the tolerances promise, and refusals.

#[path = "support/library.rs"]
mod library;
mod support;

use library::{column, compile, last, problems, simulate};
use lotka::simulate::{Occasion, Stop};
use nalgebra::{DMatrix, DVector};

/// Methods that serve every kind of interruption.
const METHODS: [&str; 4] = ["auto", "tsit5", "rodas", "bdf"];

fn assert_near(found: f64, exact: f64, allowed: f64, what: &str) {
    let error = (found - exact).abs() / exact.abs().max(1e-3);
    assert!(
        error <= allowed,
        "{what}: {found} instead of {exact}: {error:e}"
    );
}

// ---- doses ----

/// Gut, central and peripheral amounts.
const ABSORPTION: &str = "
    param ka = 1.1, ke = 0.2, k12 = 0.3, k21 = 0.12
    state gut = 0, cen = 0, per = 0
    gut' = -ka*gut
    cen' = ka*gut - ke*cen - k12*cen + k21*per
    per' = k12*cen - k21*per";

fn absorption() -> DMatrix<f64> {
    let (ka, ke, k12, k21) = (1.1, 0.2, 0.3, 0.12);
    DMatrix::from_row_slice(3, 3, &[-ka, 0.0, 0.0, ka, -ke - k12, k21, 0.0, k12, -k21])
}

/// What is left after a time of amounts given at once.
fn after_bolus(amounts: &[f64; 3], time: f64) -> DVector<f64> {
    if time < 0.0 {
        return DVector::zeros(3);
    }
    (absorption() * time).exp() * DVector::from_column_slice(amounts)
}

/// The integral of [`after_bolus`] over the last `length` before `time`: an infusion that ended
/// so long ago. A^-1 (exp(A b) - exp(A a)).
fn after_infusion(rates: &[f64; 3], since: f64, length: f64) -> DVector<f64> {
    if since <= 0.0 {
        return DVector::zeros(3);
    }
    let from = (since - length).max(0.0);
    let difference = (absorption() * since).exp() - (absorption() * from).exp();
    let solved = absorption().lu().solve(&difference).expect("regular");
    solved * DVector::from_column_slice(rates)
}

#[test]
fn twenty_boluses_follow_the_matrix_exponential() {
    let text = format!(
        "{ABSORPTION}\n    param F = 0.7\n    dose 100*F into gut every 12 times 20 lag 0.5"
    );
    let compiled = compile(&text);
    for method in ["auto", "exponential", "tsit5", "rodas", "bdf", "tsit45"] {
        for tolerance in [1e-6, 1e-9] {
            let sentence = format!(
                "simulate 0..260 points 131 rtol {tolerance} atol {} using {method}",
                tolerance * 1e-2
            );
            let run = simulate(&compiled, &sentence);
            let (cen, per) = (column(&run, "cen"), column(&run, "per"));
            for (row, &time) in run.times().iter().enumerate() {
                let exact = (0..20).fold(DVector::zeros(3), |sum, k| {
                    sum + after_bolus(&[70.0, 0.0, 0.0], time - 12.0 * f64::from(k) - 0.5)
                });
                assert!(
                    (cen[row] - exact[1]).abs() <= 100.0 * tolerance * 70.0,
                    "{sentence} at {time}"
                );
                assert!(
                    (per[row] - exact[2]).abs() <= 100.0 * tolerance * 70.0,
                    "{sentence} at {time}"
                );
            }
        }
    }
}

#[test]
fn twenty_overlapping_infusions_follow_the_matrix_exponential() {
    // 9 h long, every 6 h: two at a time.
    let text = format!("{ABSORPTION}\n    dose 90 into cen every 6 times 20 from 1 over 9");
    let compiled = compile(&text);
    for method in ["auto", "exponential", "tsit5", "rodas", "bdf"] {
        let sentence = format!("simulate 0..150 points 151 rtol 1e-7 atol 1e-9 using {method}");
        let run = simulate(&compiled, &sentence);
        let cen = column(&run, "cen");
        for (row, &time) in run.times().iter().enumerate() {
            let exact = (0..20).fold(DVector::zeros(3), |sum, k| {
                sum + after_infusion(&[0.0, 10.0, 0.0], time - 1.0 - 6.0 * f64::from(k), 9.0)
            });
            assert!(
                (cen[row] - exact[1]).abs() <= 1e-5 * 90.0,
                "{sentence} at {time}: {} {}",
                cen[row],
                exact[1]
            );
        }
    }
}

#[test]
fn steady_dosing_has_its_closed_form() {
    // One compartment: just before a dose D/(e^{kT} - 1), just after D/(1 - e^{-kT}).
    let (k, period, amount) = (0.15_f64, 8.0, 50.0);
    let text = format!(
        "param k = {k}\nstate A = 0\nA' = -k*A\ndose {amount} into A every {period} steady"
    );
    let after = amount / (1.0 - (-k * period).exp());
    for method in METHODS {
        let run = simulate(
            &compile(&text),
            &format!("simulate 0..24 at 0, 4, 8, 20 rtol 1e-8 using {method}"),
        );
        let found = column(&run, "A");
        let half = after * (-k * 4.0).exp();
        for (row, exact) in [after, half, after, half].into_iter().enumerate() {
            assert_near(found[row], exact, 1e-6, method);
        }
    }
    // An infusion of 2 h: at its end R/k (1 - e^{-2k})/(1 - e^{-kT}).
    let text = format!(
        "param k = {k}\nstate A = 0\nA' = -k*A\ndose {amount} into A every {period} over 2 steady"
    );
    let run = simulate(&compile(&text), "simulate 0..24 at 2, 10 rtol 1e-8");
    let exact = amount / 2.0 / k * (1.0 - (-2.0 * k).exp()) / (1.0 - (-k * period).exp());
    for found in column(&run, "A") {
        assert_near(found, exact, 1e-6, "infusion");
    }
}

#[test]
fn steady_dosing_of_a_nonlinear_model_repeats_itself() {
    let text = "
        param vmax = 12, km = 5
        state A = 0
        A' = -vmax*A/(km + A)
        dose 50 into A every 8 steady";
    let run = simulate(&compile(text), "simulate 0..80 step 8 rtol 1e-9");
    let found = column(&run, "A");
    for value in &found {
        assert_near(*value, found[0], 1e-5, "troughs and peaks repeat");
    }
}

#[test]
fn a_dose_raises_a_concentration_by_its_share_of_the_volume() {
    let text = "
        compartment V = 5 [L]
        species C in V = 0 [mg/L]
        dose 100 [mg] into C at 1
        dose 50 [mg] into C at 2 over 4";
    let run = simulate(&compile(text), "simulate 0..10 at 0.5, 1, 4, 10");
    for (found, exact) in column(&run, "C").into_iter().zip([0.0, 20.0, 25.0, 30.0]) {
        assert_near(found, exact, 1e-9, "C");
    }
}

#[test]
fn a_condition_adds_its_doses_or_clears_them() {
    let text = "
        state A = 1
        A' = 0
        dose 2 into A at 1
        condition more { dose 4 into A at 2 }
        condition none { no doses }
        condition other { no doses; dose 8 into A at 1 }";
    let compiled = compile(text);
    for (sentence, exact) in [
        ("simulate 0..3", 3.0),
        ("simulate 0..3 in more", 7.0),
        ("simulate 0..3 in none", 1.0),
        ("simulate 0..3 in other", 9.0),
    ] {
        assert_near(
            last(&simulate(&compiled, sentence), "A"),
            exact,
            1e-9,
            sentence,
        );
    }
}

#[test]
fn a_range_that_begins_late_has_seen_the_doses_before() {
    let text = "state A = 0\nA' = 0\ndose 2 into A at 1\ndose 6 into A at 2 over 6";
    let run = simulate(&compile(text), "simulate 5..10");
    assert_near(run.times()[0], 5.0, 1e-12, "the first row");
    assert_near(column(&run, "A")[0], 5.0, 1e-9, "half of the infusion");
    assert_near(last(&run, "A"), 8.0, 1e-9, "all of it");
}

// ---- events ----

#[test]
fn a_ball_bounces_at_its_analytic_times() {
    // Falls from h: t1 = sqrt(2h/g), then flights of 2 e^n sqrt(2h/g).
    let (g, h, e) = (9.81_f64, 2.0, 0.8_f64);
    let text = format!(
        "param g = {g}, e = {e}
         state y = {h}, v = 0
         y' = v
         v' = -g
         when y < 0 {{ y = 0; v = -e*v }}"
    );
    for method in METHODS {
        let run = simulate(
            &compile(&text),
            &format!("simulate 0..4 rtol 1e-8 atol 1e-10 using {method}"),
        );
        let times: Vec<f64> = run
            .solution
            .occurrences
            .iter()
            .filter(|seen| matches!(seen.what, Occasion::Event(_)))
            .map(|seen| seen.time)
            .collect();
        let mut exact = (2.0 * h / g).sqrt();
        let mut flight = 2.0 * exact;
        assert!(times.len() >= 5, "{method}: {times:?}");
        for time in times {
            assert_near(time, exact, 1e-6, method);
            flight *= e;
            exact += flight;
        }
    }
}

#[test]
fn a_ball_that_comes_to_rest_is_an_event_without_end() {
    let text = "
        state y = 1, v = 0
        y' = v
        v' = -9.81
        when y < 0 { y = 0; v = -0.5*v }";
    let compiled = compile(text);
    let run = compiled.simulate("0..10").expect_err("it stops at rest");
    let text = format!("{run}");
    assert!(text.contains("E0607"), "{text}");
}

#[test]
fn a_threshold_crossed_twice_within_one_step_is_not_missed() {
    // A parabola that the methods integrate exactly in one step: above 0.99 for 0.2 only.
    let text = "
        param count = 0
        state x = 0
        x' = 2*(1 - t)
        when x > 0.99 { count = count + 1 }
        when x > 0.99 falling { count = count + 10 }";
    for method in METHODS {
        let run = simulate(
            &compile(text),
            &format!("simulate 0..2 rtol 1e-10 using {method}"),
        );
        let times: Vec<f64> = run
            .solution
            .occurrences
            .iter()
            .map(|seen| seen.time)
            .collect();
        assert_eq!(times.len(), 2, "{method}: {times:?}");
        assert_near(times[0], 0.9, 1e-8, method);
        assert_near(times[1], 1.1, 1e-8, method);
        assert_near(last(&run, "count"), 11.0, 1e-12, method);
    }
}

#[test]
fn equalities_fire_at_each_crossing_and_in_their_direction() {
    let text = "
        param both = 0, up = 0, down = 0
        state x = 0, v = 1
        x' = v
        v' = -x
        when x == 0.5 { both = both + 1 }
        when x == 0.5 rising { up = up + 1 }
        when x == 0.5 falling { down = down + 1 }";
    let run = simulate(&compile(text), "simulate 0..40 rtol 1e-8");
    // sin t crosses 1/2 upwards at pi/6 + 2 pi k and downwards at 5 pi/6 + 2 pi k.
    for (name, exact) in [("up", 7.0), ("down", 6.0), ("both", 13.0)] {
        assert_near(last(&run, name), exact, 1e-12, name);
    }
}

#[test]
fn repeated_events_and_steps_of_parameters() {
    let text = "
        param k = 1
        state x = 8
        x' = -k*x
        every 2 from 1 times 3 { x = x + 1 }
        at 4.5 { k = 0 }";
    for method in METHODS {
        let run = simulate(
            &compile(text),
            &format!("simulate 0..10 rtol 1e-9 using {method}"),
        );
        let e = |time: f64| (-time).exp();
        let exact = 8.0 * e(4.5) + e(3.5) + e(1.5);
        assert_near(last(&run, "x"), exact + 1.0, 1e-7, method);
        assert_near(
            last(&run, "k"),
            0.0,
            1e-12,
            "the parameter that holds at the end",
        );
        assert_near(
            column(&run, "k")[0],
            1.0,
            1e-12,
            "the parameter that held at the start",
        );
    }
}

#[test]
fn what_an_event_changed_reverts_with_the_next_run() {
    let compiled = compile("param k = 1\nstate x = 1\nx' = -k*x\nat 1 { k = 0 }");
    let first = last(&simulate(&compiled, "simulate 0..5"), "x");
    let second = last(&simulate(&compiled, "simulate 0..5"), "x");
    assert_eq!(first.to_bits(), second.to_bits());
}

#[test]
fn assignments_of_a_block_are_simultaneous() {
    let text = "state a = 1, b = 2\na' = 0\nb' = 0\nat 1 { a = b; b = a }";
    let run = simulate(&compile(text), "simulate 0..2");
    assert_near(last(&run, "a"), 2.0, 1e-12, "a");
    assert_near(last(&run, "b"), 1.0, 1e-12, "b");
}

#[test]
fn the_higher_priority_goes_first_and_events_cascade() {
    let text = "
        state x = 0, y = 0, z = 0
        x' = 1
        y' = 0
        z' = 0
        when x > 1 { y = 10*y + 1 }
        when x > 1 priority 5 { y = 10*y + 2 }
        when y > 20 priority -1 { z = z + 1 }";
    let run = simulate(&compile(text), "simulate 0..2");
    assert_near(last(&run, "y"), 21.0, 1e-12, "y");
    assert_near(last(&run, "z"), 1.0, 1e-12, "z");
}

#[test]
fn delayed_events_take_their_values_when_told() {
    let text = "
        state x = 0, seen = 0, late = 0, held = 0
        x' = 1
        seen' = 0
        late' = 0
        held' = 0
        when x > 1 after 2 values trigger { seen = x }
        when x > 1 after 2 { late = x }
        when x > 1 and x < 2 for 2 { held = 1 }";
    let run = simulate(&compile(text), "simulate 0..5");
    assert_near(last(&run, "seen"), 1.0, 1e-9, "at the trigger");
    assert_near(last(&run, "late"), 3.0, 1e-9, "at the execution");
    assert_near(last(&run, "held"), 0.0, 1e-12, "it ceased to hold");
}

#[test]
fn a_thermostat_switches_at_its_analytic_times() {
    // Towards 30 with rate 1 while on, towards 10 while off; 19 to 21.
    let text = "
        param on = 1
        state T = 19
        T' = (if on > 0.5 then 30 else 10) - T
        when T > 21 { on = 0 }
        when T < 19 { on = 1 }";
    let up = (11.0_f64 / 9.0).ln();
    let down = (11.0_f64 / 9.0).ln();
    for method in METHODS {
        let run = simulate(
            &compile(text),
            &format!("simulate 0..2 rtol 1e-9 using {method}"),
        );
        let mut exact = 0.0;
        let times: Vec<f64> = run
            .solution
            .occurrences
            .iter()
            .filter(|seen| matches!(seen.what, Occasion::Event(_)))
            .map(|seen| seen.time)
            .collect();
        assert_eq!(times.len(), 9, "{method}: {times:?}");
        for (at, time) in times.into_iter().enumerate() {
            exact += if at % 2 == 0 { up } else { down };
            assert_near(time, exact, 1e-7, method);
        }
    }
}

#[test]
fn pieces_of_a_right_hand_side_meet_where_they_should() {
    let text = "
        state x = 0, y = 1, z = 0, w = 0
        x' = if t < 1 then 2 else if t < 3 then -1 else 0
        y' = -abs(y - 0.5) - 0.1
        z' = floor(t)
        w' = min(t, 2)";
    // y - 0.5 = (0.6) e^{-t} - 0.1 until it is 0 at ln 6; then 0.1 - 0.1 e^{t - ln 6}... below it
    // grows away: (y - 0.5)' = (y - 0.5) - 0.1.
    let switch = 6.0_f64.ln();
    let below = 0.5 + 0.1 - 0.1 * (2.5 - switch).exp();
    for method in METHODS {
        let run = simulate(
            &compile(text),
            &format!("simulate 0..2.5 rtol 1e-9 using {method}"),
        );
        assert_near(last(&run, "x"), 0.5, 1e-8, method);
        assert_near(last(&run, "y"), below, 1e-7, method);
        assert_near(last(&run, "z"), 2.0, 1e-8, method);
        assert_near(last(&run, "w"), 3.0, 1e-8, method);
    }
}

// ---- constraints ----

#[test]
fn robertson_with_its_sum_as_a_constraint_agrees_with_its_equations() {
    let ode = "
        param k1 = 0.04, k2 = 3e7, k3 = 1e4
        state A = 1, B = 0 atol 1e-14, C = 0
        A' = -k1*A + k3*B*C
        B' = k1*A - k3*B*C - k2*B^2
        C' = k2*B^2";
    let dae = ode.replace("C' = k2*B^2", "0 = A + B + C - 1");
    let sentence = "simulate 0..1e6 at 1, 100, 1e4, 1e6 rtol 1e-8 atol 1e-12";
    let (ode, dae) = (
        simulate(&compile(ode), sentence),
        simulate(&compile(&dae), &format!("{sentence} using rodas")),
    );
    for name in ["A", "B", "C"] {
        for (a, b) in column(&ode, name).into_iter().zip(column(&dae, name)) {
            assert_near(b, a, 1e-5, name);
        }
    }
}

#[test]
fn an_algebraic_state_finds_its_initial_value() {
    // z^2 = x + 1 with a poor guess; x' = -z x.
    let text = "state x = 3, z = 1\nx' = -x\n0 = z^2 - x - 1";
    let run = simulate(&compile(text), "simulate 0..2 rtol 1e-8");
    assert_near(column(&run, "z")[0], 2.0, 1e-9, "at the start");
    assert_near(
        last(&run, "z"),
        (1.0 + 3.0 * (-2.0_f64).exp()).sqrt(),
        1e-6,
        "at the end",
    );
}

#[test]
fn the_pendulum_in_cartesian_form_is_refused() {
    let found = problems(
        "param g = 9.81, L = 1
         state x = 1, y = 0, u = 0, v = 0, tension = 0
         x' = u
         y' = v
         u' = -tension*x
         v' = -tension*y - g
         0 = x^2 + y^2 - L^2",
    );
    assert!(
        found.iter().any(|text| text.contains("index 3")),
        "{found:?}"
    );
}

// ---- delays ----

#[test]
fn a_linear_delay_equation_by_the_method_of_steps() {
    // y' = -y(t - 1), y = 1 before: y(t) = sum over k of (-1)^k (t - k + 1)^k / k!, k up to floor(t) + 1.
    let exact = |t: f64| -> f64 {
        let (mut sum, mut factorial) = (1.0, 1.0);
        let mut k = 1.0;
        while k <= t.floor() + 1.0 {
            factorial *= k;
            let term = (t - k + 1.0).powf(k) / factorial;
            sum += if k % 2.0 == 0.0 { term } else { -term };
            k += 1.0;
        }
        sum
    };
    let text = "param tau = 1\nstate y = 1\ny' = -y(t - tau)\nhistory y = 1";
    for method in ["auto", "tsit5", "rodas"] {
        for tolerance in [1e-6, 1e-9] {
            let sentence = format!(
                "simulate 0..6 points 61 rtol {tolerance} atol {} using {method}",
                tolerance * 1e-2
            );
            let run = simulate(&compile(text), &sentence);
            for (row, found) in column(&run, "y").into_iter().enumerate() {
                let time = run.times()[row];
                assert!(
                    (found - exact(time)).abs() < 100.0 * tolerance,
                    "{sentence} at {time}: {found}"
                );
            }
        }
    }
}

#[test]
fn a_delay_reads_its_history() {
    // y' = -y(t - pi/2) with the history cos t stays cos t.
    let text = "state y = 1\ny' = -y(t - pi/2)\nhistory y = cos(t)";
    let run = simulate(
        &compile(text),
        "simulate 0..10 points 101 rtol 1e-8 atol 1e-10",
    );
    for (row, found) in column(&run, "y").into_iter().enumerate() {
        assert!(
            (found - run.times()[row].cos()).abs() < 5e-6,
            "{row}: {found}"
        );
    }
}

// ---- what stops ----

#[test]
fn two_events_that_set_each_other_off_are_stopped() {
    let text = "
        state x = 0, s = 0
        x' = 1
        s' = 0
        when x > 1 and s < 0.5 { s = 1 }
        when s > 0.5 { s = 0 }";
    let stopped = compile(text).simulate("0..2").expect_err("without end");
    assert!(format!("{stopped}").contains("E0607"), "{stopped}");
}

#[test]
fn bad_values_of_schedules_stop_a_run_before_it_begins() {
    for (text, code) in [
        (
            "param p = -1\nstate x = 1\nx' = 0\nevery p { x = 2 }",
            "E0609",
        ),
        (
            "param d = -1\nstate x = 1\nx' = 0\ndose 1 into x at 1 over d",
            "E0609",
        ),
        ("param tau = -1\nstate x = 1\nx' = -x(t - tau)", "E0610"),
        ("state x = 1\nx' = x\ndose 1 into x every 2 steady", "E0611"),
        ("state x = 1, z = 1\nx' = 0\n0 = z^2 + x", "E0608"),
    ] {
        let stopped = compile(text).simulate("0..5").expect_err(text);
        assert!(format!("{stopped}").contains(code), "{text}: {stopped}");
    }
}

#[test]
fn a_finished_run_says_so() {
    let run = simulate(
        &compile("state x = 1\nx' = -x\nat 1 { x = 2 }"),
        "simulate 0..2",
    );
    assert_eq!(run.solution.stop, Stop::Finished);
    assert_eq!(run.solution.occurrences.len(), 1);
}

// ---- sections ----

/// x = cos(t), which falls through 0 at pi/2 and rises through it at 3 pi/2, both again each turn.
const TURNING: &str = "state x = 1, v = 0\nx' = v\nv' = -x";

#[test]
fn the_rows_of_a_section_are_the_moments_of_its_crossings() {
    use std::f64::consts::{FRAC_PI_2, TAU};
    let compiled = compile(TURNING);
    let cases: [(&str, &[f64]); 4] = [
        ("x == 0 rising", &[3.0 * FRAC_PI_2, 3.0 * FRAC_PI_2 + TAU]),
        ("x == 0 falling", &[FRAC_PI_2, FRAC_PI_2 + TAU]),
        ("x < 0", &[FRAC_PI_2, FRAC_PI_2 + TAU]),
        (
            "x == 0 and v > 0",
            &[3.0 * FRAC_PI_2, 3.0 * FRAC_PI_2 + TAU],
        ),
    ];
    for method in METHODS {
        for (section, expected) in &cases {
            let sentence =
                format!("simulate 0..12 using {method} rtol 1e-9 atol 1e-12 when {section}");
            let run = simulate(&compiled, &sentence);
            assert_eq!(run.times().len(), expected.len(), "{sentence}");
            for (found, exact) in run.times().iter().zip(*expected) {
                assert_near(*found, *exact, 1e-6, &sentence);
            }
            assert!(run.solution.occurrences.is_empty(), "{sentence}");
        }
    }
}

#[test]
fn a_section_leaves_the_transient_away() {
    let run = simulate(&compile(TURNING), "simulate 5..12 when x == 0 rising");
    assert_eq!(run.times().len(), 1);
}

#[test]
fn a_section_shows_what_holds_after_the_events_of_the_moment() {
    let text = format!("{TURNING}\nwhen x < 0 {{ v = -2 }}");
    let run = simulate(&compile(&text), "simulate 0..3 when x < 0");
    assert_near(last(&run, "v"), -2.0, 1e-9, "after the jump");
}
