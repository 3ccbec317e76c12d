//! The sentences `stability` and `jacobian`, seen through a session: every type of fixed point by a
//! model of its own, eigenvalues in closed form, tables and JSON.

mod support;

use lotka::analyze::{Kind, Mode, Side};
use lotka::render::class::class_words;
use lotka::session::{Judged, Origin, Outcome, Session, StabilityAnswer};
use lotka::world::SystemWorld;
use std::path::Path;
use std::sync::Arc;
use support::{Workplace, lotka, root};

fn load(file: &str) -> Session {
    let mut session = Session::new(Arc::new(SystemWorld::default()));
    session
        .load(&root().join("models").join(file))
        .unwrap_or_else(|problems| panic!("{file}: {problems:?}"));
    session
}

fn say(session: &mut Session, line: &str) -> Outcome {
    let commands = session.understand(line).expect("a sentence");
    let performed = session.perform(&commands[0], &mut ());
    performed
        .unwrap_or_else(|problems| panic!("{line}: {problems:?}"))
        .outcome
}

fn ask(session: &mut Session, line: &str) -> Arc<StabilityAnswer> {
    match say(session, line) {
        Outcome::Stability(answer) => answer,
        other => panic!("{line}: {other:?}"),
    }
}

fn judged(file: &str, line: &str) -> Judged {
    ask(&mut load(file), line).judged.clone()
}

fn close(found: f64, exact: f64) {
    assert!(
        (found - exact).abs() <= 1e-12 * (1.0 + exact.abs()),
        "{found} for {exact}"
    );
}

/// Figure 5.2.8 of S. H. Strogatz, Nonlinear Dynamics and Chaos (1994): each row has a model whose
/// name says it, and whose eigenvalues its head works out.
#[test]
fn every_row_of_the_classification_has_its_model() {
    let rows = [
        ("stable_node", "stable node"),
        ("unstable_node", "unstable node"),
        ("saddle", "saddle"),
        ("stable_spiral", "stable spiral"),
        ("unstable_spiral", "unstable spiral"),
        ("center", "center"),
        ("stable_star", "stable star"),
        ("unstable_star", "unstable star"),
        ("stable_degenerate_node", "stable degenerate node"),
        ("unstable_degenerate_node", "unstable degenerate node"),
        ("stable_line", "stable line of fixed points"),
        ("unstable_line", "unstable line of fixed points"),
        (
            "uniform_motion",
            "line of fixed points beside uniform motion",
        ),
        ("all_fixed", "every state is a fixed point"),
        ("saddle_focus", "saddle-focus (2 stable, 1 unstable)"),
        ("spiral_of_three", "stable spiral"),
    ];
    for (model, words) in rows {
        let file = format!("stability/{model}.lotka");
        let n = load(&file).compiled().expect("a model").state_names().len();
        let line = if n == 2 {
            "stability at x = 0, y = 0"
        } else {
            "stability at x = 0, y = 0, z = 0"
        };
        let found = judged(&file, line);
        assert_eq!(class_words(&found.linear.class), words, "{model}");
    }
}

/// Every model of the folder runs and says its source.
#[test]
fn the_models_run_whole() {
    let workplace = Workplace::new();
    let folder = root().join("models/stability");
    for path in support::entries(&folder) {
        let printed = lotka(
            workplace.path(),
            &["run", path.to_str().expect("a path")],
            "",
        );
        assert!(printed.status.success(), "{}", printed.both());
        assert!(printed.errors.is_empty(), "{}", printed.both());
        let text = std::fs::read_to_string(&path).expect("a model");
        assert!(text.starts_with("# "), "{}", path.display());
    }
}

/// x' = -a x + y, y' = x^2/(1 + x^2) - b y: trace -(a + b), determinant a b - 2x/(1 + x^2)^2 (Strogatz,
/// example 8.1.1). At 0, 1/2 and 2 for a = 1, b = 0.4: 0.4, -0.24 and 0.24.
#[test]
fn griffith_has_its_eigenvalues() {
    let mut session = load("griffith.lotka");
    for (x, determinant, words) in [
        (0.0, 0.4, "stable node"),
        (0.5, -0.24, "saddle"),
        (2.0, 0.24, "stable node"),
    ] {
        let answer = ask(&mut session, &format!("stability at x = {x}, y = {x}"));
        let linear = &answer.judged.linear;
        close(linear.trace, -1.4);
        close(linear.determinant, determinant);
        let root = (0.49_f64 - determinant).sqrt();
        close(linear.modes[0].value.real, -0.7 + root);
        close(linear.modes[1].value.real, -0.7 - root);
        assert_eq!(class_words(&linear.class), words);
    }
    // The state that the system goes to, from its start.
    let answer = ask(&mut session, "stability");
    assert!(matches!(answer.judged.origin, Origin::Reached(_)));
    close(answer.judged.state[0], 2.0);
    // At the fold 2 a b = 1 both upper states are (1, a): the eigenvalue is zero, and a state that
    // is known to half of its digits only is not said to attract or to repel.
    let fold = ask(&mut session, "stability with b = 0.5 at x = 1, y = 1");
    assert_eq!(fold.judged.linear.class.kind, Kind::Undecided, "{fold:?}");
    let near = ask(
        &mut session,
        "stability with b = 0.5 at x = 1.00001, y = 1.00001",
    );
    assert_eq!(near.judged.linear.class.kind, Kind::Undecided, "{near:?}");
}

/// Predator and prey: eigenvalues +- i sqrt(alpha gamma) (Strogatz, exercise 7.2.18's sibling; by
/// hand from trace 0 and determinant alpha*gamma). The pendulum: -b/2 +- i sqrt(c - b^2/4). Van der
/// Pol at 0: roots of s^2 - mu s + 1.
#[test]
fn known_models_are_named() {
    let prey = judged(
        "lotka_volterra.lotka",
        "stability at prey = 4, predator = 2.75",
    );
    assert_eq!(prey.linear.class.kind, Kind::Center);
    close(prey.linear.modes[0].value.imaginary, (1.1_f64 * 0.4).sqrt());
    assert_eq!(prey.linear.class.attracts(), None);

    let pendulum = judged("damped_pendulum.lotka", "stability");
    assert_eq!(pendulum.linear.class.kind, Kind::Spiral(Side::Stable));
    let leading = pendulum.linear.modes[0].value;
    close(leading.real, -0.125);
    close(leading.imaginary, (5.0_f64 - 0.25 * 0.25 / 4.0).sqrt());
    let top = judged(
        "damped_pendulum.lotka",
        "stability at theta = 3.14159, theta' = 0",
    );
    assert_eq!(top.linear.class.kind, Kind::Saddle);

    let oscillator = judged("van_der_pol.lotka", "stability with mu = 1");
    assert_eq!(oscillator.linear.class.kind, Kind::Spiral(Side::Unstable));
    close(oscillator.linear.modes[0].value.real, 0.5);
    close(oscillator.linear.modes[0].value.imaginary, 0.75_f64.sqrt());
}

/// The linear part is a center for every a: 6.3.2 of Strogatz. S with beta S < gamma is spared.
#[test]
fn what_the_linear_part_does_not_say_is_not_said() {
    let circle = judged(
        "stability/nonlinear_center.lotka",
        "stability at x = 0, y = 0",
    );
    assert_eq!(circle.linear.class.kind, Kind::Center);
    assert_eq!(
        class_words(&circle.linear.class),
        "center of the linear part"
    );
    let double = judged("stability/double_root.lotka", "stability at x = 0");
    assert_eq!(class_words(&double.linear.class), "undecided");
    let file = "stability/hidden_line.lotka";
    let spared = judged(file, "stability at S = 0.3, I = 0");
    assert_eq!(
        class_words(&spared.linear.class),
        "stable line of fixed points"
    );
    close(spared.linear.modes[1].value.real, 2.0 * 0.3 - 1.0);
    let at_risk = judged(file, "stability at S = 0.9, I = 0");
    assert_eq!(
        class_words(&at_risk.linear.class),
        "unstable line of fixed points"
    );
    close(at_risk.linear.modes[0].value.real, 2.0 * 0.9 - 1.0);
}

#[test]
fn a_state_that_does_not_rest_is_said_to_move() {
    let moving = judged("griffith.lotka", "stability at x = 1, y = 1");
    let Origin::NoEquilibrium { rate, state } = moving.origin else {
        panic!("{moving:?}");
    };
    // y' = 1/2 - 0.4; x' = 0.
    close(rate, 0.1);
    assert_eq!(state, 1);
    let near = judged("griffith.lotka", "stability at x = 2.01, y = 1.98");
    assert!(matches!(near.origin, Origin::Given { .. }));
    close(near.state[0], 2.0);
}

/// A <-> B with kon = 2, koff = 1 has the one eigenvalue -(kon + koff) when A + B is kept.
#[test]
fn sums_and_constraints_add_no_eigenvalues() {
    let text = "species A = 1, B = 0\nA <-> B, 2, 1\nstate z = 1\n0 = z - A";
    let folder = Workplace::new();
    let file = folder.path().join("closed.lotka");
    std::fs::write(&file, text).expect("written");
    let mut session = Session::new(Arc::new(SystemWorld::default()));
    session.load(&file).expect("a model");
    let answer = ask(&mut session, "stability");
    let linear = &answer.judged.linear;
    assert_eq!((linear.kept, linear.constraints), ((1, 0), 1));
    assert_eq!(linear.modes.len(), 1);
    close(linear.modes[0].value.real, -3.0);
    // Along the eigenvector A + B stays and z follows A.
    let vector = &linear.modes[0].directions[0].real;
    close(vector[0] + vector[1], 0.0);
    close(vector[2] - vector[0], 0.0);
}

#[test]
fn a_jacobian_is_written_with_its_names() {
    let workplace = Workplace::new();
    let said = "jacobian at x = 2, y = 2 to \"j.csv\"\njacobian at x = 2, y = 2 as latex\n";
    let printed = lotka(workplace.path(), &["repl", "models/griffith.lotka"], said);
    assert!(printed.status.success(), "{}", printed.both());
    let table = std::fs::read_to_string(workplace.path().join("j.csv")).expect("a table");
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "derivative,x,y");
    assert_eq!(rows[1], "x',-1,1");
    // 2x/(1 + x^2)^2 at 2, up to rounding.
    let cells: Vec<&str> = rows[2].split(',').collect();
    close(cells[1].parse().expect("a number"), 0.16);
    assert!(
        printed
            .output
            .contains("\\begin{pmatrix}\n  -1 & 1 \\\\\n  0.16 & -0.4\n\\end{pmatrix}"),
        "{}",
        printed.output
    );
}

/// A chain of tanks: the eigenvalues of a triangular matrix are its diagonal. All are found for
/// forty states and more; the leading ones have eigenvectors.
#[test]
fn larger_systems_have_all_their_eigenvalues() {
    let folder = Workplace::new();
    let file = folder.path().join("chain.lotka");
    std::fs::write(
        &file,
        "index tank = 1..100\nstate u[tank] = 1\nu[1]' = -u[1]\nfor i in 2..100 { u[i]' = u[i-1] - i*u[i] }",
    )
    .expect("written");
    let mut session = Session::new(Arc::new(SystemWorld::default()));
    session.load(Path::new(&file)).expect("a model");
    let answer = ask(&mut session, "stability");
    let modes = &answer.judged.linear.modes;
    assert_eq!(modes.iter().map(Mode::dimension).sum::<usize>(), 100);
    assert_eq!(answer.judged.linear.class.kind, Kind::Node(Side::Stable));
    close(modes[0].value.real, -1.0);
    assert!(!modes[0].directions.is_empty());
}
