//! Guards, triggers and the index of constraints, from model texts.

use super::{Guard, GuardKind, IndexProblem, JumpPlace, System, Trigger, derive, structural_index};
use crate::model::Model;
use crate::symbolic::{Expr, to_text};

fn system(text: &str) -> System {
    derive(&Model::of_text(text))
}

impl System {
    fn text(&self, expr: Expr) -> String {
        to_text(&self.pool, expr)
    }

    /// Kind, value and rate of each guard.
    fn guard_texts(&self) -> Vec<(GuardKind, String, String)> {
        let text = |guard: &Guard| (guard.kind, self.text(guard.expr), self.text(guard.rate));
        self.guards.iter().map(text).collect()
    }

    fn drift_texts(&self) -> Vec<String> {
        let drift = self.frozen_drift.iter();
        drift.map(|expr| self.text(*expr)).collect()
    }
}

#[test]
fn nothing_changes_where_nothing_interrupts() {
    let found = system("param a = -1\nstate x = 1\nx' = (if a > 0 then x else -x)*abs(a)");
    assert_eq!(found.frozen_drift, found.drift);
    assert!(found.slots.is_empty() && found.guards.is_empty());
    assert!(found.time_derivative.is_empty() && found.algebraic.is_empty());
}

#[test]
fn comparisons_of_the_same_two_share_a_guard() {
    let found = system(
        "state x = 1, y = 2
         param a = 3
         x' = (if x > a then y else 0) + (if x <= a then 1 else 0) + (if a < x then 2 else 0)
         y' = (if a >= x then x else 0) + abs(x - a)",
    );
    // x > a and its contrary; abs asks for x - a >= 0.
    let rate = found.text(found.frozen_drift[0]);
    assert_eq!(
        found.guard_texts(),
        [
            (GuardKind::Positive, "x - a".to_owned(), rate.clone()),
            (GuardKind::NotNegative, "x - a".to_owned(), rate),
        ]
    );
    assert!(
        found
            .guards
            .iter()
            .all(|guard| guard.in_drift && !guard.is_timed)
    );
}

#[test]
fn kinks_of_long_vectors_stay() {
    let kinks = |n: usize| {
        let text = format!("index g = 1..{n}\nstate s[g] = 1\ns' = abs(s) - max(s, 0.3)");
        system(&text).guards.len()
    };
    assert_eq!((kinks(16), kinks(17)), (2, 0));
    // A jump cannot stay, however long.
    let jumps = system("index g = 1..40\nstate s[g] = 1\ns' = if s > 0.5 then -s else 1");
    assert_eq!((jumps.guards.len(), jumps.slots.modes.len()), (1, 40));
    // Nor do a hundred kinks of single numbers.
    let single = "for i in 1..100 { s[i]' = abs(s[i]) }";
    let single = system(&format!("index g = 1..100\nstate s[g] = 1\n{single}"));
    assert_eq!(single.guards.len(), 0);
}

#[test]
fn a_guard_is_timed_when_only_the_clock_moves_it() {
    let timed = |condition: &str| {
        let text = format!("param a = 2, tau = 3\nstate x = 1\nx' = if {condition} then 1 else -x");
        let guards = system(&text).guards;
        guards
            .iter()
            .map(|guard| guard.is_timed)
            .collect::<Vec<_>>()
    };
    assert_eq!(timed("t > a*tau"), [true]);
    assert_eq!(timed("2*t - 1 >= a"), [true]);
    // The whole part of t/tau and what is left of it.
    assert_eq!(timed("mod(t, tau) < 1"), [true, true]);
    assert_eq!(timed("t^2 > a"), [false]);
    assert_eq!(timed("abs(t - a) > 1"), [false]);
    assert_eq!(timed("t > x"), [false]);
    assert_eq!(timed("t > a and x > a"), [true, false]);
}

#[test]
fn what_makes_a_guard_jump_is_a_guard_too() {
    let found = system(
        "state x = 0
         x' = 1
         when mod(x, 24) > 8 and abs(x) > 1 { x = 0 }",
    );
    let texts: Vec<String> = (found.guards.iter())
        .map(|guard| found.text(guard.expr))
        .collect();
    // The side of x that decides abs(x) is none: abs does not jump.
    let texts: Vec<String> = texts.iter().map(|text| text.replace('`', "")).collect();
    assert_eq!(texts, ["x/24", "x - 24*mode 1 - 8", "abs(x) - 1"]);
    assert_eq!(found.drift_texts(), ["1"]);
    assert!(found.guards.iter().all(|guard| !guard.in_drift));
}

#[test]
fn triggers_are_terms_of_modes_and_parameters() {
    let found = system(
        "state x = 1, y = 2
         param a = 3, on = 1
         x' = if x > a then -x else y
         y' = -y
         when x <= a and on > 0 { y = 1 }
         when x - y == a rising { x = y; y = x }
         when y == 0 falling { y = 2 }
         when not (x == 2) falling { y = 3 }
         at 3 { a = x }",
    );
    let triggers: Vec<(String, Option<(usize, f64)>)> = (found.events.iter())
        .filter_map(|event| match event.trigger {
            Trigger::When {
                condition,
                crossing,
                ..
            } => Some((found.text(condition), crossing)),
            _ => None,
        })
        .collect();
    let expected = [
        ("not mode 1 and on > 0", None),
        ("mode 2", Some((1, 1.0))),
        ("mode 3", Some((2, -1.0))),
        ("not mode 4", None),
    ];
    for ((text, crossing), (expected, at)) in triggers.iter().zip(expected) {
        assert_eq!(text.replace('`', ""), expected);
        assert_eq!(*crossing, at);
    }
    let kinds: Vec<GuardKind> = found.guards.iter().map(|guard| guard.kind).collect();
    assert_eq!(kinds[0], GuardKind::Positive);
    assert_eq!(kinds[1..], [GuardKind::Zero; 3]);
    let places: Vec<&JumpPlace> = found.events[1].jump.places.iter().collect();
    assert_eq!(places, [&JumpPlace::State(0..1), &JumpPlace::State(1..2)]);
    assert_eq!(
        found.events[4].jump.places,
        [JumpPlace::Parameter(0..1)],
        "a is the first parameter"
    );
}

#[test]
fn parameters_that_follow_come_after_what_they_need() {
    let found = system(
        "param c = 2*b, b = 3*a, a = 1, d = 4
         let twice = 2*d
         param e = twice
         state x = 1
         x' = -a*x",
    );
    let names: Vec<&str> = (found.followers.iter())
        .map(|at| found.parameters.blocks()[*at].symbol)
        .map(|symbol| found.pool.symbol_data(symbol).name.as_str())
        .collect();
    let position = |name: &str| names.iter().position(|known| *known == name);
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(position("b") < position("c") && position("e").is_some());
}

#[test]
fn constraints_stand_where_their_states_do() {
    let found = system(
        "state a = 1, z, b = 2, w
         a' = -w
         b' = z
         0 = w - a
         0 = a + z^3 - b*w",
    );
    assert_eq!(*found.algebraic, [false, true, false, true]);
    let drift = found.drift_texts();
    assert_eq!(drift[1], "a + z^3 - b*w");
    assert_eq!(drift[3], "w - a");
    // Whole vectors stay whole, here against the order of the text.
    let vectors = system(
        "index g = 1..5
         state z[g] = 0, u[g] = 0, x[g] = 1
         x' = z + u
         0 = u - tanh(x)
         0 = x - 2*z",
    );
    let drift = vectors.drift_texts();
    assert_eq!(drift[..2], ["x - 2*z", "u - tanh(x)"]);
    // Scalars for the elements of a vector.
    let parts = system(
        "index g = 1..3
         state z[g] = 0, x = 1
         x' = sum(z)
         0 = z[3] - x
         0 = z[1] + z[3]
         0 = z[2] - 2*x",
    );
    assert_eq!(
        parts.drift_texts()[0],
        "[z[1] + z[3], z[2] - 2*x, z[3] - x]"
    );
}

fn index(text: &str) -> Result<(), IndexProblem> {
    structural_index(&Model::of_text(text))
}

#[test]
fn index_1_passes() {
    for text in [
        // H. H. Robertson's kinetics with the sum as a constraint.
        "state a = 1, b = 0, c = 0
         a' = -0.04*a + 1e4*b*c
         b' = 0.04*a - 1e4*b*c - 3e7*b^2
         0 = a + b + c - 1",
        "state x = 1, z, w
         x' = z
         0 = z + w - x
         0 = z - w*t",
        "index g = 1..3
         state x[g] = 1, z[g] = 0
         param W[g, g] = 1
         x' = z
         0 = W*z - x",
    ] {
        assert_eq!(index(text), Ok(()), "{text}");
    }
}

/// Differentiations and index.
fn higher(text: &str) -> (usize, usize, usize) {
    match index(text) {
        Err(IndexProblem::Higher {
            constraint,
            differentiations,
            index,
            ..
        }) => (constraint, differentiations, index),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn the_pendulum_in_cartesian_coordinates_has_index_3() {
    // K. E. Brenan, S. L. Campbell, L. R. Petzold, Numerical Solution of Initial-Value Problems
    // in Differential-Algebraic Equations, SIAM 1996, section 1.3.
    let pendulum = |constraint: &str| {
        format!(
            "param L = 1, g = 9.81
             state x = 1, y = 0, u = 0, v = 0, lambda = 0
             x' = u
             y' = v
             u' = -lambda*x
             v' = -lambda*y - g
             0 = {constraint}"
        )
    };
    assert_eq!(higher(&pendulum("x^2 + y^2 - L^2")), (0, 2, 3));
    // Differentiated once, and twice.
    assert_eq!(higher(&pendulum("x*u + y*v")), (0, 1, 2));
    let last = pendulum("u^2 + v^2 - lambda*(x^2 + y^2) - g*y");
    assert_eq!(index(&last), Ok(()));
    let Err(IndexProblem::Higher {
        binds,
        undetermined,
        ..
    }) = index(&pendulum("x^2 + y^2 - L^2"))
    else {
        panic!("index 3");
    };
    let positions = |states: &[crate::model::StateId]| -> Vec<usize> {
        states.iter().map(|id| id.index()).collect()
    };
    assert_eq!(
        (positions(&binds), positions(&undetermined)),
        (vec![0, 1], vec![4])
    );
}

#[test]
fn hessenberg_forms_have_the_index_of_their_chain() {
    // x1' = f(x1, z), 0 = g(x1): index 2. E. Hairer, G. Wanner, Solving Ordinary Differential
    // Equations II, section VII.1.
    assert_eq!(
        higher("state x = 1, z\nx' = z - x\n0 = x - sin(t)"),
        (0, 1, 2)
    );
    // A chain of four integrators, of which the last is given: index 5.
    let chain = "state a = 0, b = 0, c = 0, d = 0, z
         a' = z
         b' = a
         c' = b
         d' = c
         0 = d - t^5";
    assert_eq!(higher(chain), (0, 4, 5));
    // Next to a constraint that does determine its state.
    let second = "state x = 1, y = 1, z, w
         x' = z
         y' = w
         0 = w - x*y
         0 = x + y - 2";
    assert_eq!(higher(second), (1, 1, 2));
}

#[test]
fn constraints_without_a_state_for_them_are_too_many() {
    for (text, expected) in [
        ("state x = 1, z\nx' = -x\n0 = t - 3", 0),
        ("state x = 1, z, w\nx' = z\n0 = z - x\n0 = z - 2*x", 1),
    ] {
        match index(text) {
            Err(IndexProblem::Overdetermined {
                constraint,
                undetermined,
                ..
            }) => {
                assert_eq!(constraint, expected, "{text}");
                assert_eq!(undetermined.len(), 1, "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}
