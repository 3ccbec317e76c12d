//! Delays, histories and constraints.

use super::{codes, model};
use crate::model::StateId;
use crate::symbolic::Shape;

#[test]
fn equal_delays_share_one_entry() {
    let model = model(
        "param tau = 2, k = 1
state x = 1, y = 0
x' = -k*x(t - tau) + y(t - 2*tau)
y' = x(t - tau) - y
let before = x(t - tau)^2
when x(t - tau) > 0.5 { y = x(t - tau) }
history x = exp(t/tau)",
    );
    let found: Vec<_> = model
        .delays
        .iter()
        .map(|delay| {
            (
                model.pool.symbol_data(delay.symbol).name.as_str(),
                delay.state,
                model.text(delay.lag),
            )
        })
        .collect();
    assert_eq!(found.len(), 2);
    assert!(found.contains(&("x(t - tau)", StateId(0), "tau".to_owned())));
    assert!(found.contains(&("y(t - 2*tau)", StateId(1), "2*tau".to_owned())));
    assert_eq!(
        model.text(model.states[0].drift),
        "y(t - 2*tau) - k*x(t - tau)"
    );
    assert_eq!(
        model.states[0].history.map(|h| model.text(h)).as_deref(),
        Some("exp(t/tau)")
    );
    assert_eq!(model.states[1].history, None);
}

#[test]
fn vectors_and_elements_are_delayed() {
    let model = model(
        "index cell = 1..3
param tau = 2
state u[cell] = 1
for i in 2..3 { u[i]' = -u[i-1](t - tau - 1) }
u[1]' = -dot(u(t - tau), u)
history u[2] = t",
    );
    let found: Vec<_> = model
        .delays
        .iter()
        .map(|delay| {
            (
                model.pool.symbol_data(delay.symbol).name.clone(),
                delay.element,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("u[1](t - (tau + 1))".to_owned(), Some(0)),
            ("u[2](t - (tau + 1))".to_owned(), Some(1)),
            ("u(t - tau)".to_owned(), None),
        ]
    );
    let history = model.states[0].history.expect("declared");
    assert_eq!(model.text(history), "[1, t, 1]");
}

#[test]
fn states_without_equation_are_algebraic() {
    let model = model(
        "param total = 1
state A = 1, B
A' = -A + B
0 = A + B - total",
    );
    assert_eq!(model.constraints.len(), 1);
    assert_eq!(model.text(model.constraints[0].residual), "A + B - total");
    assert!(!model.states[0].is_algebraic && model.states[1].is_algebraic);
    assert_eq!(model.text(model.states[1].drift), "0");
    assert_eq!(model.text(model.states[1].initial), "0");
    assert_eq!(model.names.describe("B"), "an algebraic state");
}

#[test]
fn constraints_may_be_vectors() {
    let model = model(
        "index cell = 1..3
state u[cell] = 1, v[cell] = 2
u' = v
0 = u .* v - 1",
    );
    assert!(model.states[1].is_algebraic);
    assert_eq!(model.pool.shape(model.states[1].initial), Shape::Vector(3));
    assert_eq!(
        model.pool.shape(model.constraints[0].residual),
        Shape::Vector(3)
    );
}

#[test]
fn without_constraints_a_state_needs_its_equation() {
    assert_eq!(codes("state x = 1, y = 2\nx' = -y"), ["E0207"]);
    assert_eq!(
        codes("state x = 1, y = 2\nx' = -y\n0 = x - 1\n0 = y"),
        ["E0218"]
    );
    assert_eq!(
        codes("state x = 1, y = 2, z = 3\nx' = -y\n0 = x*y*z - 1"),
        ["E0218"]
    );
}
