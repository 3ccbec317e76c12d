//! The sentences `stability` and `jacobian`, seen through a session: every type of fixed point by a
//! model of its own, eigenvalues in closed form, tables and JSON.

mod support;

use lotka::analyze::{Kind, Mode, Side, Structure};
use lotka::render::class::class_words;
use lotka::session::{
    Forbids, Judged, Origin, OscillationAnswer, Outcome, Session, StabilityAnswer,
};
use lotka::world::SystemWorld;
use std::path::Path;
use std::sync::Arc;
use support::session::{loaded, say};
use support::{Workplace, lotka, root};

fn load(file: &str) -> Session {
    loaded(&root().join("models").join(file))
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

// ---- can it oscillate? ----

fn box_of(file: &str, line: &str) -> Arc<OscillationAnswer> {
    match say(&mut load(file), line) {
        Outcome::Oscillation(answer) => answer,
        other => panic!("{line}: {other:?}"),
    }
}

/// The same for a model of text.
fn box_of_text(text: &str, line: &str) -> Arc<OscillationAnswer> {
    let folder = Workplace::new();
    folder.write("model.lotka", text);
    let mut session = Session::new(Arc::new(SystemWorld::default()));
    session
        .load(&folder.path().join("model.lotka"))
        .expect("a model");
    match say(&mut session, line) {
        Outcome::Oscillation(answer) => answer,
        other => panic!("{line}: {other:?}"),
    }
}

fn forbids(answer: &OscillationAnswer) -> Option<Forbids> {
    answer.feedback.as_ref().and_then(|known| known.forbids)
}

/// G1' = -k1 G1 + 2 k2 G2, G2' = k1 G1 - k2 G2: the discriminant is k1^2 + 6 k1 k2 + k2^2, positive for
/// positive rates and negative between the lines k1 = (-3 +- sqrt(8)) k2, where one rate is
/// negative. (Swierniak, Polanski, Kimmel 1996.)
#[test]
fn the_cell_cycle_needs_a_negative_rate() {
    let proved = box_of("cell_cycle.lotka", "stability over k1 in 0..1, k2 in 0..1");
    assert_eq!(forbids(&proved), Some(Forbids::PositivePair));
    assert!(proved.survey.complex.is_none());
    let opened = proved.with_negative.as_ref().expect("beyond the box");
    let example = opened.complex.as_ref().expect("complex eigenvalues");
    let (k1, k2) = (example.point[0], example.point[1]);
    assert!(k1 * k2 < 0.0 && k1 * k1 + 6.0 * k1 * k2 + k2 * k2 < 0.0);

    let open = box_of("cell_cycle.lotka", "stability over k1, k2");
    assert_eq!(forbids(&open), None);
    let cut = open
        .without_negative
        .as_ref()
        .expect("without negative rates");
    assert_eq!(cut.forbids, Some(Forbids::PositivePair));
    // Every type with complex eigenvalues comes from a negative rate.
    for tally in open.survey.tallies.iter().filter(|tally| tally.class.turns) {
        let point = &tally.example.point;
        assert!(point[0] * point[1] < 0.0, "{tally:?}");
    }
    // On the border the trace -(k1 + k2) is zero.
    let crossing = open.survey.crossing.as_ref().expect("a crossing");
    assert!((crossing.point[0] + crossing.point[1]).abs() < 1e-9);
}

/// Brusselator: Hopf at B = 1 + A^2 with the frequency A. (Prigogine, Lefever 1968.)
#[test]
fn the_onset_of_oscillations_is_found() {
    let answer = box_of("brusselator.lotka", "stability over A in 0.5..2, B in 1..5");
    let crossing = answer.survey.crossing.as_ref().expect("a crossing");
    let (a, b) = (crossing.point[0], crossing.point[1]);
    assert!((b - 1.0 - a * a).abs() < 1e-9, "{a} {b}");
    let pair = crossing.linear.modes[0].value;
    assert!((pair.imaginary - a).abs() < 1e-9);
    assert_eq!(forbids(&answer), None);
}

/// Griffith's loop is positive for states that are not negative, which the equations keep so. The
/// share of the box with three equilibria is that of 2ab < 1.
#[test]
fn a_switch_cannot_oscillate() {
    let answer = box_of("griffith.lotka", "stability over a, b");
    assert_eq!(forbids(&answer), Some(Forbids::PositivePair));
    let feedback = answer.feedback.as_ref().expect("signs");
    assert_eq!(feedback.non_negative, [true, true]);
    let saddles = answer
        .survey
        .tallies
        .iter()
        .find(|tally| tally.class.kind == Kind::Saddle)
        .expect("thresholds");
    // The area of ab < 1/2 in 0.1..2 by 0.1..2, over 1.9^2: for a below 1/4 all b to 2, then
    // to 1/(2a).
    let area = 0.15 * 1.9 + 0.5 * (2.0_f64 / 0.25).ln() - 0.1 * 1.75;
    let share = area / (1.9 * 1.9);
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let found = saddles.samples as f64 / answer.survey.samples as f64;
    assert!((found - share).abs() < 0.01, "{found} for {share}");
}

/// A chain acts one way; two states that hinder each other make a positive loop; a ring of three
/// that hinder each other a negative one (the repressilator: Elowitz, Leibler 2000).
#[test]
fn loops_decide() {
    let chain = box_of_text(
        "param k = 1 in 0..5\nstate a = 1, b = 0, c = 0\na' = -k*a\nb' = k*a - b^2\nc' = b - c",
        "stability over k",
    );
    assert_eq!(forbids(&chain), Some(Forbids::NoLoop));
    let toggle = box_of_text(
        "param s = 2 in 0..5, n = 2 in 1..4\nstate u = 1, v = 0.5\nu' = s/(1 + v^n) - u\nv' = s/(1 + u^n) - v",
        "stability over s, n",
    );
    assert_eq!(forbids(&toggle), Some(Forbids::PositivePair));
    let helpers = box_of_text(
        "param k = 1 in 0..5\nstate a = 1, b = 0, c = 0\na' = c/(1 + c) - k*a\nb' = a - b\nc' = b - c",
        "stability over k",
    );
    assert_eq!(forbids(&helpers), Some(Forbids::PositiveLoops));
    let ring = box_of_text(
        "param s = 20 in 1..100\nstate a = 1, b = 2, c = 3
         a' = s/(1 + c^3) - a\nb' = s/(1 + a^3) - b\nc' = s/(1 + b^3) - c",
        "stability over s",
    );
    let feedback = ring.feedback.as_ref().expect("signs");
    assert!(matches!(feedback.structure, Structure::Negative(_)));
    // At the symmetric state x (1 + x^3) = s the pair crosses where the slope of the loop is -2:
    // 3 x^3/(1 + x^3) = 2, x^3 = 2, s = 3 * 2^(1/3).
    let crossing = ring.survey.crossing.as_ref().expect("a crossing");
    assert!(
        (crossing.point[0] - 3.0 * 2.0_f64.cbrt()).abs() < 1e-6,
        "{crossing:?}"
    );
    // A switch acts without a slope, so that slopes prove nothing.
    let relay = box_of_text(
        "param k = 1 in 0.5..2\nstate x = 1, y = 0\nx' = (if y > 1 then -1 else 1) - k*x\ny' = x - y",
        "stability over k",
    );
    assert!(relay.feedback.is_none());
}

/// R + L <-> C keeps R + C and L + C: what is left is one state. A -> B -> C -> A with mass action
/// keeps one sum; of the two states left the discriminant is (k1 + k2 - k3)^2 - 4 k1 k2 for some order, of
/// either sign: such a ring turns when its rates are alike.
#[test]
fn sums_are_eliminated_before_loops_are_judged() {
    let binding = box_of_text(
        "param kon = 1 in 0..10, koff = 1 in 0..10\nspecies R = 1, L = 2, C = 0\nR + L <-> C, kon, koff",
        "stability over kon, koff",
    );
    assert_eq!(forbids(&binding), Some(Forbids::OneState));
    let chain = box_of_text(
        "param a = 1 in 0..10, b = 1 in 0..10\nspecies A = 1, B = 0, C = 0\nA <-> B, a, b\nB <-> C, b, a",
        "stability over a, b",
    );
    assert!(
        matches!(
            forbids(&chain),
            Some(Forbids::PositivePair | Forbids::PositiveLoops | Forbids::Discriminant)
        ),
        "{:?}",
        chain.feedback
    );
    let ring = box_of_text(
        "param k = 1 in 0.1..10\nspecies A = 1, B = 0, C = 0\nA -> B, k\nB -> C, 1\nC -> A, 1",
        "stability over k",
    );
    assert!(ring.survey.complex.is_some());
}

/// Totals that depend on a parameter move with it: A <-> B with A + B = total rests at B = total/2.
#[test]
fn sums_follow_the_parameters() {
    let closed = box_of_text(
        "param total = 1 in 1..2\nspecies A = total, B = 0\nA <-> B, 1, 1",
        "stability over total",
    );
    let tally = &closed.survey.tallies[0];
    close(tally.example.state[1], tally.example.point[0] / 2.0);
    assert_eq!(closed.survey.without, 0);
}

#[test]
fn all_equilibria_are_judged_at_once() {
    let Outcome::StabilityAll(answer) = say(&mut load("griffith.lotka"), "stability all") else {
        panic!("no answer");
    };
    let words: Vec<String> = answer
        .linear
        .iter()
        .map(|linear| class_words(&linear.as_ref().expect("a linear part").class))
        .collect();
    assert_eq!(words, ["stable node", "saddle", "stable node"]);
}

// ---- maps ----

/// The logistic map rests at 1 - 1/r with the multiplier 2 - r (May 1976).
#[test]
fn maps_are_named_by_their_multipliers() {
    let file = "stability/logistic_map.lotka";
    for (r, words) in [
        (1.5, "stable node, monotone"),
        (2.0, "stable node, dead-beat"),
        (2.5, "stable node, alternating"),
    ] {
        let found = judged(file, &format!("stability with r = {r}"));
        assert!((found.state[0] - 1.0 + 1.0 / r).abs() < 1e-9, "{found:?}");
        assert_eq!(class_words(&found.linear.class), words, "{r}");
        assert!((found.linear.modes[0].value.real - 2.0 + r).abs() < 1e-9);
    }
    let beyond = judged(file, "stability with r = 3.2 at x = 0.6875");
    assert_eq!(
        class_words(&beyond.linear.class),
        "unstable node, alternating"
    );
    let onset = judged(file, &format!("stability with r = 3 at x = {}", 2.0 / 3.0));
    assert_eq!(onset.linear.class.kind, Kind::Undecided);
}

/// x -> x - eta h x on a parabola of curvature h: the multiplier is 1 - eta h.
#[test]
fn gradient_descent_ends_in_one_step() {
    let file = "stability/gradient_descent.lotka";
    for (eta, words) in [
        (0.25, "stable node, monotone"),
        (0.5, "stable node, dead-beat"),
        (0.75, "stable node, alternating"),
    ] {
        let found = judged(file, &format!("stability with eta = {eta}"));
        close(found.state[0], 0.0);
        assert_eq!(class_words(&found.linear.class), words, "{eta}");
    }
    let beyond = judged(file, "stability with eta = 1.25 at x = 0");
    assert_eq!(
        class_words(&beyond.linear.class),
        "unstable node, alternating"
    );
}
