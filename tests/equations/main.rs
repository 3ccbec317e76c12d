//! What becomes of a model's equations: drift, Jacobians and their sparsity, volumes.
//!
//! Enters: model files and texts. Leaves: agreement of the compiled functions with the reference
//! evaluator (bit for bit) and with finite differences, and of patterns and operators with what
//! the mathematics says.

mod branches;
#[path = "../support/library.rs"]
mod library;
#[path = "../support/mod.rs"]
mod support;

use library::{Random, compile, problems};
use lotka::kernel::{Parameters, Scratch, SharedKernel};
use lotka::session::{Compiled, Overrides};
use lotka::symbolic::{Node, Operator, Pattern, Pool, Value, evaluate};
use lotka::system::{Jacobian, Layout, parameter_jacobian};
use std::fs;
use std::sync::Arc;

/// Small models, each with something of its own.
const TEXTS: &[(&str, &str)] = &[
    (
        "matrix times vector",
        "index g = {a, b, c}
         state y[g] = 1
         param A[g, g] = [[-1, 0.2, 0.3], [0.5, -2, 0.1], [0.2, 0.7, -1]]
         y' = A*y",
    ),
    (
        "regulated network",
        "index g = 1..4
         state s[g] = 0.5
         param W[g, g] = 0.3
         param K[g] = 0.5
         param n = 2
         param gamma[g] = 0.4
         param I = 0.1
         fn hill(x, k, n) = x.^n ./ (k.^n + x.^n)
         s' = W*hill(s, K, n) - gamma .* s + I",
    ),
    (
        "functions of scalars act on elements",
        "index g = 1..3
         state s[g] = 0.5
         param W[g, g] = 0.3
         fn hill(x, k, n) = x^n/(k^n + x^n)
         s' = W*hill(s, 0.6, 3) - s",
    ),
    (
        "three index sets",
        "index p = 1..3
         index q = {on, off}
         index r = 1..4
         state x[p] = 1, z[q] = 2, u[r] = 0.5
         param B[p, q] = 0.5
         param C[q, r] = -0.25
         param D[r, p] = 0.1
         x' = -x + B*tanh(z)
         z' = C*u - z.^2
         let moved[q] = C*u
         u' = D*x - moved[on]*u",
    ),
    (
        "independent decays",
        "index g = 1..5
         state s[g] = 1
         param gamma[g] = 0.4
         s' = -gamma .* s",
    ),
    (
        "one vector moved by another",
        "index p = 1..3
         index q = 1..2
         state x[p] = 1
         state z[q] = 2
         param B[p, q] = 0.5
         param C[q, p] = -0.25
         x' = -x + B*tanh(z)
         z' = C*x - z.^2",
    ),
    (
        "a covariance matrix laid out as states",
        "index p = 1..2
         state v11 = 1, v12 = 0, v22 = 1
         param A[p, p] = [[-1, 0.5], [0.2, -2]]
         v11' = 2*(A[1,1]*v11 + A[1,2]*v12) + 1
         v12' = A[1,1]*v12 + A[1,2]*v22 + A[2,1]*v11 + A[2,2]*v12
         v22' = 2*(A[2,1]*v12 + A[2,2]*v22) + 1",
    ),
    (
        "heat along a line",
        "let N = 12
         index cell = 1..N
         state u[cell] = sin(pi*cell/(N + 1))
         param D = 0.3
         u[1]' = D*(u[2] - 2*u[1])
         for i in 2..N-1 { u[i]' = D*(u[i-1] - 2*u[i] + u[i+1]) + u[i]*(1 - u[i]) }
         u[N]' = D*(u[N-1] - 2*u[N])",
    ),
    (
        "a threshold",
        "state x = 1, y = 2
         param a = 0.9
         x' = if x > a then -x^2 else y
         y' = if x > y and y > 0 then x*y else sin(x)",
    ),
    (
        "gradient descent",
        "index g = 1..3
         param X[g, g] = [[1, 2, 0], [0, 1, 1], [3, 0, 1]]
         param b[g] = 1
         state w[g] = 0.1
         let r = X*w - b
         let loss = dot(r, r)/2 + 0.1*sum(w.^4)
         w' = -grad(loss, w)",
    ),
    (
        "gradient of a scalar state",
        "state x = 0.7, y = 0.2
         let energy = x^4/4 - x^2/2 + x*y + cosh(y)
         x' = -grad(energy, x)
         y' = -grad(energy, y)",
    ),
    (
        "amounts in compartments",
        "compartment V1 = 5, V2 = 20
         species C1 in V1 = 1
         species C2 in V2 = 0.5
         state total = 0
         C1 <-> C2, 0.2, 0.3
         C1 -> 0, rate 0.1*amount(C1)/(1 + C1)
         total' = amount(C1) + amount(C2) - total",
    ),
    (
        "second order",
        "state theta = 3, theta' = 0
         param b = 0.25, c = 5
         theta'' = -b*theta' - c*sin(theta)",
    ),
    (
        "second order, coupled",
        "state x = 1, x' = 0
         state z = 0, z' = 0.5
         x'' = -2*x + z - 0.1*x'
         z'' = x - 3*z + x'*z'",
    ),
    (
        "fluxes as names",
        "species A = 1, B = 0.3
         state used = 0
         forward: A -> B, 0.7
         back: B -> A, rate 0.2*B/(1 + A + B)
         used' = forward - back",
    ),
    (
        "derivatives as names",
        "state x = 1, y = 0.2
         param tau = 0.5
         x' = -x + y^2
         y' = (x' - y)/tau",
    ),
    (
        "a vector driven by time",
        "index g = 1..3
         state y[g] = 0
         param w[g] = 2
         y' = sin(w*t) - y",
    ),
    (
        "elements and whole vectors together",
        "index g = 1..6
         state y[g] = 0.4
         param k[g] = 0.8
         let total = sum(y)
         let mean = total/6
         for i in 1..5 { y[i]' = k[i]*(y[i+1] - y[i])*mean }
         y[6]' = -k[6]*y[6] + 0.1*total",
    ),
    (
        "every species of a vector reacts",
        "index g = 1..4
         species S[g] = 0.5
         param k[g] = 0.8
         for i in 1..3 { step[i]: S[i] + S[i+1] <-> 2 S[i+1], k[i], 0.3 }
         S[4] -> 0, rate k[4]*S[4]^1.5",
    ),
    (
        "fractional powers and coefficients",
        "species A = 2, B = 1
         1.5 A -> 0.5 B, 0.3
         B -> 0, rate 0.2*sqrt(B)*exp(-A)",
    ),
    (
        "products of matrices",
        "index g = 1..3
         param P[g, g] = [[1, 2, 0.5], [0, 1, 1], [0.3, 0, 1]]
         param R[g, g] = [[-1, 0, 0.1], [0.4, -2, 0], [0, 0.5, -1]]
         state y[g] = 1
         y' = inverse(P)*(R*(P*y)) + transpose(P)*tanh(y)",
    ),
];

/// All models: the files that come with the project and the texts above.
fn models() -> Vec<(String, Arc<Compiled>)> {
    let files = support::model_files().into_iter().map(|path| {
        let text = fs::read_to_string(&path).expect("a model file");
        (path.display().to_string(), compile(&text))
    });
    let texts = TEXTS.iter().chain(branches::TEXTS);
    files
        .chain(texts.map(|(name, text)| ((*name).to_owned(), compile(text))))
        .collect()
}

/// What inputs and delayed values are where it does not matter.
const SLOTS: [f64; 64] = [0.5; 64];

/// A point in time, state and parameters.
#[derive(Clone)]
struct Point {
    time: f64,
    state: Vec<f64>,
    parameters: Vec<f64>,
}

/// Near the declared values, but for no quantity equal to them or zero.
fn random_point(compiled: &Compiled, random: &mut Random) -> Point {
    let present = compiled.present(&Overrides::new());
    let mut near = |value: &f64| match *value {
        0.0 => random.between(0.1, 1.0),
        value => value * random.between(0.6, 1.6),
    };
    Point {
        state: present.initial.iter().map(&mut near).collect(),
        parameters: present.parameters.iter().map(&mut near).collect(),
        time: random.between(0.1, 3.0),
    }
}

fn call(kernel: &SharedKernel, point: &Point) -> Vec<f64> {
    call_with(kernel, point, &SLOTS)
}

fn call_with(kernel: &SharedKernel, point: &Point, slots: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; kernel.out_len()];
    let parameters = Parameters::new(point.parameters.clone());
    let mut scratch = Scratch::new();
    kernel.call(
        point.time,
        &point.state,
        &parameters,
        slots,
        &mut out,
        &mut scratch,
    );
    out
}

/// The drift by the reference evaluator.
fn reference_drift(compiled: &Compiled, point: &Point) -> Vec<f64> {
    let system = &compiled.system;
    let find = |layout: &Layout, numbers: &[f64], symbol| {
        let mut blocks = layout.blocks().iter();
        let block = blocks.find(|block| block.symbol == symbol)?;
        Some(Value {
            shape: block.shape,
            numbers: numbers[block.range()].to_vec(),
        })
    };
    let value = |symbol| {
        if symbol == system.time {
            return Value::scalar(point.time);
        }
        find(&system.states, &point.state, symbol)
            .or_else(|| find(&system.parameters, &point.parameters, symbol))
            .or_else(|| find(&system.slots.layout, &SLOTS, symbol))
            .expect("an inlined expression names only time, states, parameters and slots")
    };
    let drift = system.drift.iter();
    drift
        .flat_map(|expr| evaluate(&system.pool, *expr, &value).numbers)
        .collect()
}

#[test]
fn compiled_drifts_equal_the_reference_bit_for_bit() {
    let mut random = Random::new(1);
    for (name, compiled) in models() {
        for _ in 0..3 {
            let point = random_point(&compiled, &mut random);
            let (found, expected) = (
                call(compiled.kernels.drift(), &point),
                reference_drift(&compiled, &point),
            );
            assert_eq!(found.len(), expected.len(), "{name}");
            for (state, (a, b)) in found.iter().zip(&expected).enumerate() {
                let state = compiled.state_name(state);
                assert!(
                    a.to_bits() == b.to_bits(),
                    "{name}, {state}: {a} is not {b}"
                );
            }
        }
    }
}

/// Entries in the order of a pattern, as a dense matrix, row by row.
fn dense(pattern: &Pattern, entries: &[f64]) -> Vec<Vec<f64>> {
    let mut matrix = vec![vec![0.0; pattern.columns]; pattern.rows];
    for ((row, column), entry) in pattern.places().zip(entries) {
        matrix[row][column] = *entry;
    }
    matrix
}

/// One column of a derivative: central differences with two step sizes, extrapolated
/// (L. F. Richardson); the error is of fourth order in the step. Also the step.
fn difference(f: impl Fn(f64) -> Vec<f64>, at: f64) -> (Vec<f64>, f64) {
    let step = 1e-3 * at.abs();
    let central = |h: f64| -> Vec<f64> {
        let (above, below) = (f(at + h), f(at - h));
        let pairs = above.iter().zip(&below);
        pairs.map(|(a, b)| (a - b) / (2.0 * h)).collect()
    };
    let (wide, narrow) = (central(step), central(step / 2.0));
    let pairs = wide.iter().zip(&narrow);
    (pairs.map(|(w, n)| (4.0 * n - w) / 3.0).collect(), step)
}

/// Compares the exact derivative with finite differences of the drift.
///
/// Rounding in the drift is in proportion to its largest terms, for which the entries of the row
/// times their variables stand.
fn compare(
    name: &str,
    exact: &[Vec<f64>],
    pattern: &Pattern,
    variables: &[f64],
    drift_with: impl Fn(usize, f64) -> Vec<f64>,
    drift: &[f64],
) {
    let size: Vec<f64> = exact
        .iter()
        .zip(drift)
        .map(|(row, f)| {
            let terms = row
                .iter()
                .zip(variables)
                .map(|(entry, y)| (entry * y).abs());
            terms.sum::<f64>() + f.abs()
        })
        .collect();
    for (column, &at) in variables.iter().enumerate() {
        let (numeric, step) = difference(|value| drift_with(column, value), at);
        for (row, numeric) in numeric.iter().enumerate() {
            let exact = exact[row][column];
            let rounding = 100.0 * f64::EPSILON * size[row] / step;
            let error = (exact - numeric).abs();
            assert!(
                error <= 1e-6 * exact.abs() + rounding,
                "{name}, row {row}, column {column}: {exact} differs from {numeric}"
            );
            assert!(
                numeric.abs() <= rounding || pattern.contains(row, column),
                "{name}: row {row}, column {column} is {numeric} but not in the pattern"
            );
        }
    }
}

#[test]
fn jacobians_agree_with_finite_differences() {
    let mut random = Random::new(2);
    for (name, compiled) in models() {
        // Differences across a jump have no meaning.
        if branches::TEXTS.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let pattern = &compiled.system.jacobian.pattern;
        // Finite differences of a thousand states are slow, and all rows are alike.
        let points = if pattern.rows > 100 { 1 } else { 4 };
        for _ in 0..points {
            let point = random_point(&compiled, &mut random);
            let exact = dense(pattern, &call(compiled.kernels.jacobian(), &point));
            let drift = call(compiled.kernels.drift(), &point);
            let with = |column: usize, value: f64| {
                let mut state = point.state.clone();
                state[column] = value;
                call(
                    compiled.kernels.drift(),
                    &Point {
                        state,
                        parameters: point.parameters.clone(),
                        ..point
                    },
                )
            };
            compare(&name, &exact, pattern, &point.state, with, &drift);
        }
    }
}

#[test]
fn derivatives_by_parameters_agree_with_finite_differences() {
    for (name, compiled) in models() {
        if compiled.system.parameters.len() > 100 {
            continue;
        }
        // Where a text with kinks is looked at does not depend on the models before it.
        let mut random = Random::new(3);
        let (pool, jacobian) = parameter_jacobian(&compiled.model, &compiled.system);
        let point = random_point(&compiled, &mut random);
        let exact = dense(
            &jacobian.pattern,
            &entries(&compiled, &pool, &jacobian, &point),
        );
        let drift = call(compiled.kernels.drift(), &point);
        // Derivatives by matrix parameters exist as products only: their columns are empty.
        let blocks = compiled.system.parameters.blocks();
        let (mut columns, mut variables) = (Vec::new(), Vec::new());
        for block in blocks.iter().filter(|block| block.shape.columns() == 1) {
            columns.extend(block.range());
            variables.extend_from_slice(&point.parameters[block.range()]);
        }
        let exact: Vec<Vec<f64>> = exact
            .iter()
            .map(|row| columns.iter().map(|column| row[*column]).collect())
            .collect();
        let kept = jacobian.pattern.places().filter_map(|(row, column)| {
            let column = columns.iter().position(|kept| *kept == column)?;
            Some((row, column))
        });
        let pattern = Pattern::from_places(jacobian.pattern.rows, columns.len(), kept);
        let with = |column: usize, value: f64| {
            let mut parameters = point.parameters.clone();
            parameters[columns[column]] = value;
            call(
                compiled.kernels.drift(),
                &Point {
                    state: point.state.clone(),
                    parameters,
                    ..point
                },
            )
        };
        compare(&name, &exact, &pattern, &variables, with, &drift);
    }
}

/// The numbers of a derivative, in the order of its pattern.
fn entries(compiled: &Compiled, pool: &Pool, jacobian: &Jacobian, point: &Point) -> Vec<f64> {
    let mut entries = vec![0.0; jacobian.pattern.len()];
    for contribution in &jacobian.contributions {
        let numbers = call(
            &compiled.kernels.function(pool, &[contribution.expr]),
            point,
        );
        for (entry, number) in contribution.entries.iter().zip(numbers) {
            entries[*entry as usize] += number;
        }
    }
    entries
}

#[test]
fn patterns_hold_no_zeros() {
    let mut random = Random::new(4);
    for (name, compiled) in models() {
        // Which branch of a condition is taken decides which entries are zero.
        let has_branches = branches::TEXTS.iter().any(|(known, _)| *known == name);
        if name == "a threshold" || has_branches {
            continue;
        }
        let point = random_point(&compiled, &mut random);
        let pattern = &compiled.system.jacobian.pattern;
        let entries = call(compiled.kernels.jacobian(), &point);
        for ((row, column), entry) in pattern.places().zip(entries) {
            assert!(
                entry != 0.0,
                "{name}: row {row}, column {column} is always zero"
            );
        }
    }
}

fn file(name: &str) -> Arc<Compiled> {
    let path = support::root().join("models").join(name);
    compile(&fs::read_to_string(path).expect("a model file"))
}

fn text(name: &str) -> Arc<Compiled> {
    let found = TEXTS.iter().find(|(known, _)| *known == name);
    compile(found.expect("one of the texts").1)
}

#[test]
fn patterns_have_the_shape_of_the_model() {
    // A chain: each species depends on itself and on the one before.
    let chain = file("chain_1000.lotka");
    let pattern = &chain.system.jacobian.pattern;
    assert_eq!((pattern.len(), pattern.bandwidths()), (1999, (1, 0)));
    // Five diagonals: the three of diffusion, and u and v of one cell by each other.
    let line = file("brusselator_1d.lotka");
    let pattern = &line.system.jacobian.pattern;
    assert_eq!(pattern.len(), 2 * (3 * 500 - 2) + 2 * 500);
    let far = |(row, column): (usize, usize)| !matches!(row.abs_diff(column), 0 | 1 | 500);
    assert!(!pattern.places().any(far));
    for (name, entries) in [
        ("independent decays", 5),
        ("heat along a line", 3 * 12 - 2),
        ("second order", 3),
        ("a vector driven by time", 3),
        ("matrix times vector", 9),
    ] {
        let compiled = text(name);
        assert_eq!(compiled.system.jacobian.pattern.len(), entries, "{name}");
    }
}

fn is_symbol(compiled: &Compiled, operator: &Operator, name: &str) -> bool {
    let pool = &compiled.system.pool;
    matches!(operator, Operator::Matrix(expr)
        if matches!(pool.node(*expr), Node::Symbol(id) if pool.symbol_data(*id).name == name))
}

#[test]
fn linear_systems_have_their_matrix_as_jacobian() {
    let compiled = text("matrix times vector");
    let [block] = compiled.system.jacobian.blocks.as_slice() else {
        panic!("one block");
    };
    assert!(
        is_symbol(&compiled, &block.operator, "A"),
        "{:?}",
        block.operator
    );
}

#[test]
fn networks_have_a_matrix_times_a_diagonal_as_jacobian() {
    let compiled = text("regulated network");
    let [block] = compiled.system.jacobian.blocks.as_slice() else {
        panic!("one block");
    };
    let Operator::Sum(terms) = &block.operator else {
        panic!("a sum, not {:?}", block.operator);
    };
    let slopes = terms.iter().any(|term| {
        matches!(term, Operator::Product(matrix, slopes)
            if is_symbol(&compiled, matrix, "W") && matches!(**slopes, Operator::Diagonal(_)))
    });
    let decay = terms
        .iter()
        .any(|term| matches!(term, Operator::Diagonal(_)));
    assert!(slopes && decay && terms.len() == 2, "{terms:?}");
}

#[test]
fn large_networks_stay_vectors_down_to_the_kernel() {
    let n = 200;
    let compiled = compile(&format!(
        "index g = 1..{n}
         state s[g] = 0.5
         param W[g, g] = 0.3
         param K[g] = 0.5
         param n = 2
         param gamma[g] = 0.4
         fn hill(x, k, n) = x.^n ./ (k.^n + x.^n)
         s' = W*hill(s, K, n) - gamma .* s"
    ));
    let (drift, jacobian) = (
        compiled.kernels.drift().statistics(),
        compiled.kernels.jacobian().statistics(),
    );
    let codes = [&drift, &jacobian].map(|kernel| kernel.prologue + kernel.body);
    assert!(codes.iter().all(|count| *count < 40), "{drift}\n{jacobian}");
    // A product of a matrix and a vector; a column scaling, cleared, made and copied.
    assert!(drift.elementary < 2 * n * n + 20 * n, "{drift}");
    assert!(jacobian.elementary < 4 * n * n + 20 * n, "{jacobian}");
}

/// The drift of a text's states at its initial values.
fn initial_drift(text: &str) -> Vec<f64> {
    let compiled = compile(text);
    let present = compiled.present(&Overrides::new());
    let point = Point {
        time: 0.0,
        state: present.initial,
        parameters: present.parameters,
    };
    call(compiled.kernels.drift(), &point)
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!(
            (a - b).abs() <= 1e-14 * b.abs().max(1e-3),
            "{found:?} is not {expected:?}"
        );
    }
}

#[test]
fn exchange_between_volumes_moves_amounts() {
    // V1 C1' = -ke C1 V1 - k1 C1 V1 + k2 C2 V2;  V2 C2' = k1 C1 V1 - k2 C2 V2
    let (v1, v2, k1, k2, ke, c1, c2) = (5.0, 20.0, 0.3, 0.07, 0.11, 2.0, 0.6);
    let drift = initial_drift(&format!(
        "compartment central = {v1} [L]
         compartment peripheral = {v2} [L]
         species C1 in central = {c1} [mg/L]
         species C2 in peripheral = {c2} [mg/L]
         param k1 = {k1}, k2 = {k2}, ke = {ke}
         exchange: C1 <-> C2, k1, k2
         elimination: C1 -> 0, ke"
    ));
    let expected = [
        (-ke * c1 * v1 - k1 * c1 * v1 + k2 * c2 * v2) / v1,
        (k1 * c1 * v1 - k2 * c2 * v2) / v2,
    ];
    assert_close(&drift, &expected);
}

#[test]
fn amounts_enter_a_volume_divided_by_it() {
    // An amount without a compartment: ka*depot leaves it, ka*depot/V enters.
    let drift = initial_drift(
        "compartment V = 4
         species depot = 10
         species C in V = 0
         depot -> C, 0.5",
    );
    assert_close(&drift, &[-5.0, 1.25]);
}

#[test]
fn production_fills_its_volume() {
    // The flux is k*V, so that A' = k; what leaves V1 at k*A*V1 enters V2 divided by V2.
    let drift = initial_drift(
        "compartment V1 = 4, V2 = 8
         species A in V1 = 3, B in V2 = 0
         0 -> A, 0.7
         A -> B, 0.2",
    );
    assert_close(&drift, &[0.7 - 0.6, 0.2 * 3.0 * 4.0 / 8.0]);
}

#[test]
fn coefficients_count_once_in_the_rate_and_once_in_the_change() {
    // L' = -2 kon L^2 + 2 koff D; no factorials.
    let (kon, koff, l, d) = (0.3, 0.2, 1.5, 0.4);
    let flux = kon * l * l - koff * d;
    let text = format!("species L = {l}, D = {d}\n2 L <-> D, {kon}, {koff}");
    assert_close(&initial_drift(&text), &[-2.0 * flux, flux]);
    let written_twice = format!("species L = {l}, D = {d}\nL + L <-> D, {kon}, {koff}");
    assert_close(&initial_drift(&written_twice), &[-2.0 * flux, flux]);
    // In one volume, the volume cancels.
    let in_volume =
        format!("compartment V = 7\nspecies L in V = {l}, D in V = {d}\n2 L <-> D, {kon}, {koff}");
    assert_close(&initial_drift(&in_volume), &[-2.0 * flux, flux]);
}

#[test]
fn species_on_both_sides_change_by_the_difference() {
    // Autocatalysis: A + X -> 2 X at rate k A X; a catalyst E is unchanged.
    let drift = initial_drift(
        "species A = 2, X = 3, E = 5
         A + X -> 2 X, 0.1
         A + E -> E, 0.2",
    );
    let (growth, decay) = (0.1 * 2.0 * 3.0, 0.2 * 2.0 * 5.0);
    assert_close(&drift, &[-growth - decay, growth, 0.0]);
}

#[test]
fn free_laws_give_amounts_per_time() {
    let drift = initial_drift(
        "compartment V1 = 4, V2 = 8
         species A in V1 = 3, B in V2 = 1
         species outside = 0
         A -> 2 B + outside, rate 6*A*B",
    );
    let flux = 6.0 * 3.0;
    assert_close(&drift, &[-flux / 4.0, 2.0 * flux / 8.0, flux]);
}

#[test]
fn mass_action_across_volumes_is_refused() {
    let found = problems(
        "compartment V1 = 4, V2 = 8
         species A in V1 = 3, B in V2 = 1
         A + B -> 0, 0.3",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("no obvious volume"), "{found:?}");
}

#[test]
fn fluxes_are_amounts() {
    let compiled = compile(
        "compartment V = 4
         species A in V = 3
         state gone = 0
         leave: A -> 0, 0.5
         gone' = leave",
    );
    let present = compiled.present(&Overrides::new());
    let point = Point {
        time: 0.0,
        state: present.initial,
        parameters: present.parameters,
    };
    assert_close(&call(compiled.kernels.drift(), &point), &[-1.5, 6.0]);
}

/// Compiled models are shared between threads; sessions may move between them.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    const fn is_sent<T: Send>() {}
    is_shared::<Compiled>();
    is_shared::<lotka::session::Trajectory>();
    is_shared::<lotka::session::Observable>();
    is_shared::<lotka::session::Overrides>();
    is_shared::<lotka::session::Command>();
    is_shared::<SharedKernel>();
    is_shared::<lotka::system::System>();
    is_shared::<lotka::model::Model>();
    is_sent::<lotka::session::Session>();
    is_sent::<Scratch>();
};

#[test]
fn threads_that_share_a_model_agree_to_the_byte() {
    let runs = |compiled: &Arc<Compiled>| -> Vec<u64> {
        let mut bits = Vec::new();
        for sentence in [
            "simulate 0..5 points 51 using bdf",
            "simulate 0..1 using tsit45",
            "simulate 0..5 step 0.5",
        ] {
            let trajectory = library::simulate(compiled, sentence);
            let observed = library::column(&trajectory, "sin(t)");
            let numbers = trajectory.solution.states.iter().chain(&observed);
            bits.extend(numbers.map(|number| number.to_bits()));
        }
        bits
    };
    for name in [
        "chain_1000.lotka",
        "receptor_binding.lotka",
        "lotka_volterra.lotka",
    ] {
        // A fresh model: the threads race to compile its kernels.
        let shared = file(name);
        let threads: Vec<Vec<u64>> = std::thread::scope(|scope| {
            let started: Vec<_> = (0..4).map(|_| scope.spawn(|| runs(&shared))).collect();
            let joined = started.into_iter().map(|thread| thread.join());
            joined.map(|bits| bits.expect("a thread")).collect()
        });
        let alone = runs(&file(name));
        assert!(threads.iter().all(|bits| *bits == alone), "{name}");
    }
}
