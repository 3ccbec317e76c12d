//! What sentences mean, seen through a session.

use lotka::analyze::equilibria::Completeness;
use lotka::analyze::{Kind, Side};
use lotka::figure::{Mark, Scale};
use lotka::session::{EquilibriaAnswer, Outcome, Performed, Session};
use lotka::world::World;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Files in memory.
#[derive(Default)]
struct Desk {
    files: Mutex<HashMap<PathBuf, Vec<u8>>>,
}

impl World for Desk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let files = self.files.lock().expect("no other holder");
        files
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut files = self.files.lock().expect("no other holder");
        files.insert(path.to_owned(), content.to_vec());
        Ok(())
    }

    fn cpu_time(&self) -> Duration {
        Duration::ZERO
    }

    fn interrupted(&self) -> bool {
        false
    }
}

fn session(model: &str, files: &[(&str, &str)]) -> (Session, Arc<Desk>) {
    let desk = Arc::new(Desk::default());
    desk.write(Path::new("model.lotka"), model.as_bytes())
        .expect("in memory");
    for (name, content) in files {
        desk.write(Path::new(name), content.as_bytes())
            .expect("in memory");
    }
    let mut session = Session::new(Arc::clone(&desk) as Arc<dyn World>);
    session
        .load(Path::new("model.lotka"))
        .expect("a sound model");
    (session, desk)
}

fn say(session: &mut Session, line: &str) -> Result<Performed, String> {
    let told = |problems: Vec<lotka::diagnostic::Diagnostic>| {
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let commands = session.understand(line).map_err(told)?;
    let mut last = None;
    for command in &commands {
        last = Some(session.perform(command, &mut ()).map_err(told)?);
    }
    last.ok_or_else(|| "nothing said".to_owned())
}

fn times(session: &Session) -> Vec<f64> {
    session.last().expect("a run").times().to_vec()
}

fn end(session: &Session, name: &str) -> f64 {
    let column = session
        .last()
        .expect("a run")
        .column(name)
        .expect("a column");
    *column.last().expect("a row")
}

const DECAY: &str = "param k = 1 in 0..10\nstate x = 1\nx' = -k*x\ncondition slow { k = 0.5 }\n";

#[test]
fn output_times_are_what_was_asked_for() {
    let (mut session, _) = session(DECAY, &[]);
    say(&mut session, "simulate 0..1 step 0.25").expect("runs");
    assert_eq!(times(&session), [0.0, 0.25, 0.5, 0.75, 1.0]);
    say(&mut session, "simulate 0..1 step 0.4").expect("runs");
    assert_eq!(
        times(&session),
        [0.0, 0.4, 0.8, 1.0],
        "the end always belongs to it"
    );
    say(&mut session, "simulate 0..1 points 3").expect("runs");
    assert_eq!(times(&session), [0.0, 0.5, 1.0]);
    say(&mut session, "simulate 0..1 at 0.9, 0.1").expect("runs");
    assert_eq!(times(&session), [0.1, 0.9]);
    say(&mut session, "simulate 0..1 step 0.1").expect("runs");
    assert_eq!(times(&session).len(), 11, "0.1 is no binary fraction");
    say(&mut session, "simulate 0..1").expect("runs");
    assert_eq!(times(&session).first(), Some(&0.0));
    assert_eq!(times(&session).last(), Some(&1.0));
}

#[test]
fn with_comes_after_the_condition_and_both_last_for_one_run() {
    let (mut session, _) = session(DECAY, &[]);
    // Exact solution: exp(-k t).
    let close = |found: f64, k: f64| assert!((found - (-k).exp()).abs() < 1e-5, "{found} for {k}");
    say(&mut session, "simulate 0..1 in slow").expect("runs");
    close(end(&session, "x"), 0.5);
    say(&mut session, "simulate 0..1 with k = 2 in slow").expect("runs");
    close(end(&session, "x"), 2.0);
    say(&mut session, "simulate 0..1").expect("runs");
    close(end(&session, "x"), 1.0);
    say(&mut session, "k = 3").expect("sets");
    say(&mut session, "simulate 0..1").expect("runs");
    close(end(&session, "x"), 3.0);
    say(&mut session, "undo").expect("undoes");
    say(&mut session, "simulate 0..1").expect("runs");
    close(end(&session, "x"), 1.0);
}

#[test]
fn from_last_goes_on() {
    let (mut session, _) = session(DECAY, &[]);
    assert!(say(&mut session, "simulate 1..2 from last").is_err());
    say(&mut session, "simulate 0..1").expect("runs");
    say(&mut session, "simulate 1..2 from last points 2").expect("runs");
    assert_eq!(times(&session), [1.0, 2.0]);
    assert!((end(&session, "x") - (-2.0f64).exp()).abs() < 1e-5);
}

#[test]
fn a_range_after_the_start_is_integrated_from_the_start_and_says_so() {
    let (mut session, _) = session(DECAY, &[]);
    let performed = say(&mut session, "simulate 1..2 points 2").expect("runs");
    assert_eq!(times(&session), [1.0, 2.0]);
    assert!((end(&session, "x") - (-2.0f64).exp()).abs() < 1e-5);
    assert_eq!(session.last().and_then(|run| run.began()), Some(0.0));
    assert!(performed.diagnostics.is_empty());
    let refused = say(&mut session, "simulate -1..2").expect_err("before the start");
    assert!(refused.contains("E0702"), "{refused}");
}

#[test]
fn values_follow_what_they_are_made_of() {
    let model = "param a = 2\nparam b = 3*a\nlet c = a + b\nstate x = c, y = x + 1\n\
                 x' = 0\ny' = -b*y\n";
    let (mut session, _) = session(model, &[]);
    say(&mut session, "a = 1").expect("sets");
    say(&mut session, "simulate 0..1 points 2").expect("runs");
    let run = session.last().expect("a run");
    assert_eq!(run.column("x").expect("x")[0], 4.0);
    assert_eq!(run.column("y").expect("y")[0], 5.0);
    assert_eq!(run.column("b").expect("b")[0], 3.0);
    say(&mut session, "x = 10").expect("sets an initial value");
    say(&mut session, "simulate 0..1 points 2").expect("runs");
    assert_eq!(
        session.last().expect("a run").column("y").expect("y")[0],
        11.0
    );
}

#[test]
fn a_refused_line_changes_nothing() {
    let (mut session, _) = session(DECAY, &[]);
    say(&mut session, "simulate 0..1").expect("runs");
    let before = end(&session, "x");
    for wrong in [
        "k = 20",
        "k = 1/0",
        "kk = 2",
        "simulate 0..1 with k = 11",
        "simulate 1..0",
        "simulate 0..1 using nothing",
        "simulate 0..1 step 0",
        "simulate 0..1 in fast",
        "plot nothing",
        "plot x over \"missing.csv\"",
        "load \"missing.lotka\"",
    ] {
        assert!(say(&mut session, wrong).is_err(), "{wrong}");
        assert_eq!(end(&session, "x"), before, "{wrong}");
        assert!(session.overrides().is_empty(), "{wrong}");
    }
}

#[test]
fn assertions_stop_a_run_and_keep_it() {
    let (mut session, _) = session("state x = 0\nx' = 1\nassert x < 0.5\n", &[]);
    let performed = say(&mut session, "simulate 0..1 step 0.1").expect("a partial run");
    assert!(!performed.is_complete());
    let text = performed.diagnostics[0].to_string();
    assert!(text.starts_with("E0405"), "{text}");
    // The row that breaks it is kept as evidence, and no later one.
    let x = session.last().expect("a run").column("x").expect("x");
    let broken = x.iter().filter(|x| **x >= 0.5).count();
    assert!(broken <= 1 && x.len() >= 5, "{x:?}");
}

#[test]
fn figures_carry_names_units_and_data() {
    let model = "time [day]\nstate prey = 10 [animals], predator = 5 [animals]\n\
                 prey' = 0.7*prey - 0.4*prey*predator\npredator' = 0.1*prey*predator - 0.4*predator\n";
    let data = "year,prey,lynx,note\n0,10,5,1\n1,8,6,1\n";
    let (mut session, _) = session(model, &[("data.csv", data)]);
    say(&mut session, "simulate 0..2").expect("runs");
    let sentence = "plot prey, predator over \"data.csv\" (time = year, predator = lynx) log y";
    let performed = say(&mut session, sentence).expect("draws");
    assert_eq!(
        performed.diagnostics.len(),
        1,
        "the column `note` is not used"
    );
    let Outcome::Figure { figure, to } = performed.outcome else {
        panic!("a figure");
    };
    assert_eq!(to, None);
    assert_eq!(figure.x.label, "time");
    assert_eq!(figure.x.unit.as_deref(), Some("day"));
    assert_eq!(figure.y.label, "prey, predator");
    assert_eq!(figure.y.unit.as_deref(), Some("animals"));
    assert_eq!(figure.y.scale, Scale::Logarithmic);
    let marks: Vec<Mark> = figure.series.iter().map(|series| series.mark).collect();
    assert_eq!(marks, [Mark::Line, Mark::Points, Mark::Line, Mark::Points]);
    assert_eq!(figure.series[3].y, [5.0, 6.0]);
    assert_eq!(figure.series[2].colour, figure.series[3].colour);
    let performed = say(
        &mut session,
        "plot predator vs prey title \"Plane\" to \"a.svg\"",
    )
    .expect("draws");
    let Outcome::Figure { figure, to } = performed.outcome else {
        panic!("a figure");
    };
    assert_eq!(to.as_deref(), Some(Path::new("a.svg")));
    assert_eq!(
        (figure.x.label.as_str(), figure.y.label.as_str()),
        ("prey", "predator")
    );
    assert_eq!(figure.title, "Plane");
}

#[test]
fn tables_hold_time_states_and_definitions_to_the_last_digit() {
    let (mut session, desk) = session("state x = 1\nx' = -x\nlet twice = 2*x\n", &[]);
    say(&mut session, "simulate 0..1 points 2").expect("runs");
    say(&mut session, "save \"out.csv\"").expect("saves");
    let text = String::from_utf8(desk.read(Path::new("out.csv")).expect("written")).expect("text");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("time,x,twice"));
    let last: Vec<f64> = lines
        .last()
        .expect("two rows")
        .split(',')
        .map(|cell| cell.parse().expect("a number"))
        .collect();
    assert_eq!(last, [1.0, end(&session, "x"), end(&session, "2*x")]);
    say(&mut session, "save x/2 to \"half.csv\"").expect("saves");
    let text = String::from_utf8(desk.read(Path::new("half.csv")).expect("written")).expect("text");
    assert!(text.starts_with("time,x/2\n"), "{text}");
}

#[test]
fn a_number_fills_the_diagonal_of_a_declared_matrix() {
    let model = "index g = {a, b}\nparam C[g, g] = diagonal(1)\nstate y[g] = [1, 2]\ny' = C*y\n";
    let (mut session, _) = session(model, &[]);
    // Exact solution: y(0) exp(c t).
    for (sentence, c) in [
        ("simulate 0..1", 1.0_f64),
        ("simulate 0..1 with C = diagonal(2)", 2.0),
    ] {
        say(&mut session, sentence).expect("runs");
        assert!(
            (end(&session, "y[b]") / (2.0 * c.exp()) - 1.0).abs() < 1e-5,
            "{sentence}"
        );
    }
}

#[test]
fn a_later_range_without_output_times_begins_where_it_says() {
    let (mut session, _) = session(DECAY, &[]);
    say(&mut session, "simulate 1..2").expect("runs");
    assert_eq!(times(&session).first(), Some(&1.0));
    let x = session.last().expect("a run").column("x").expect("x");
    assert!((x[0] - (-1.0f64).exp()).abs() < 1e-6);
    let performed = say(&mut session, "simulate 5..6 from last with x = 3").expect("runs");
    assert!(
        performed.diagnostics.is_empty(),
        "the model does not depend on time"
    );
    assert_eq!(
        session.last().expect("a run").column("x").expect("x")[0],
        3.0
    );
}

#[test]
fn a_state_taken_to_another_time_is_said_where_time_matters() {
    let (mut session, _) = session("state x = 0\nx' = t\n", &[]);
    say(&mut session, "simulate 0..1").expect("runs");
    let performed = say(&mut session, "simulate 5..6 from last").expect("runs");
    assert!(performed.diagnostics[0].to_string().starts_with("W0701"));
    let performed = say(&mut session, "simulate 6..7 from last").expect("runs");
    assert!(performed.diagnostics.is_empty());
}

#[test]
fn a_volume_is_positive() {
    let model = "compartment V = 1\nspecies A in V = 1\nA -> 0, 1\n";
    let (mut session, _) = session(model, &[]);
    let refused = say(&mut session, "simulate 0..1 with V = 0").expect_err("no volume");
    assert!(refused.contains("E0401"), "{refused}");
}

// ---- steady states ----

fn steady(session: &mut Session, line: &str) -> Vec<f64> {
    match say(session, line).expect("a steady state").outcome {
        Outcome::Steady(answer) => answer.found.state.clone(),
        other => panic!("{other:?}"),
    }
}

fn first(session: &Session, name: &str) -> f64 {
    let run = session.last().expect("a run");
    run.column(name).expect("a column")[0]
}

const FILLING: &str = "param k = 1
state x = 0
x' = k - x
condition low { k = 0.5 }
";

#[test]
fn a_run_from_steady_starts_where_the_values_of_the_search_lead() {
    let (mut session, _) = session(FILLING, &[]);
    // Exact solution: x = k + (x0 - k) exp(-t).
    for (line, start, k) in [
        ("simulate 0..1 from steady", 1.0, 1.0),
        ("simulate 0..1 from steady in low", 0.5, 1.0),
        ("simulate 0..1 in low from steady", 1.0, 0.5),
        ("simulate 0..1 from steady in low in low", 0.5, 0.5),
        ("simulate 0..1 from steady in low with k = 3", 0.5, 3.0),
        ("simulate 0..1 from steady with k = 2, x = 5", 5.0, 2.0),
    ] {
        say(&mut session, line).expect("runs");
        let exact = k + (start - k) * (-1.0f64).exp();
        assert!((first(&session, "x") - start).abs() < 1e-12, "{line}");
        assert!((end(&session, "x") - exact).abs() < 1e-5, "{line}");
    }
    say(&mut session, "k = 4").expect("sets");
    assert_eq!(steady(&mut session, "steady"), [4.0]);
    assert_eq!(steady(&mut session, "steady in low"), [0.5]);
    assert_eq!(steady(&mut session, "steady with k = 7 in low"), [7.0]);
}

/// Griffith's switch at a = 1, b = 0.4 rests at (0, 0) and (2, 2); the threshold is (0.5, 0.5).
#[test]
fn the_search_starts_where_it_is_told() {
    let model = "param a = 1, b = 0.4\nstate x = 0.1, y = 0.1
        x' = -a*x + y\ny' = x^2/(1 + x^2) - b*y";
    let (mut session, _) = session(model, &[]);
    let off = steady(&mut session, "steady");
    assert!(off.iter().all(|value| value.abs() < 1e-12), "{off:?}");
    let on = steady(&mut session, "steady with x = 3");
    assert!(on.iter().all(|value| (value - 2.0).abs() < 1e-12), "{on:?}");
    assert!(say(&mut session, "steady from last").is_err());
    say(&mut session, "simulate 0..1 with x = 3, y = 3").expect("runs");
    let on = steady(&mut session, "steady from last");
    assert!(on.iter().all(|value| (value - 2.0).abs() < 1e-12), "{on:?}");
}

fn steady_all(session: &mut Session, line: &str) -> Arc<EquilibriaAnswer> {
    match say(session, line).expect("an answer").outcome {
        Outcome::Equilibria(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// Griffith's switch: (1 +- sqrt(1 - 4 a^2 b^2))/(2 a b) and 0.
#[test]
fn all_steady_states_follow_box_values_and_conditions() {
    let model = "param a = 1, b = 0.4\nstate x = 0.1 in 0..10, y = 0.1 in 0..
        x' = -a*x + y\ny' = x^2/(1 + x^2) - b*y\ncondition off { b = 0.6 }";
    let (mut session, _) = session(model, &[]);
    for (line, expected) in [
        ("steady all", &[0.0, 0.5, 2.0][..]),
        ("steady all x in a..3", &[2.0]),
        ("steady all x in 0.1..1, y in 0..5", &[0.5]),
        ("steady all x in 0.., y in ..1", &[0.0, 0.5]),
        ("steady all in off", &[0.0]),
        ("steady all x in 0..5 in off", &[0.0]),
        ("steady all with b = 0.3", &[0.0, 1.0 / 3.0, 3.0]),
    ] {
        let answer = steady_all(&mut session, line);
        let found: Vec<f64> = answer.found.equilibria.iter().map(|e| e.state[0]).collect();
        assert_eq!(found.len(), expected.len(), "{line}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{line}: {found}");
        }
        assert!(matches!(
            answer.found.completeness,
            Completeness::Proved { .. }
        ));
    }
    let answer = steady_all(&mut session, "steady all");
    let kinds: Vec<Kind> = answer
        .linear
        .iter()
        .flatten()
        .map(|linear| linear.class.kind)
        .collect();
    let stable = Kind::Node(Side::Stable);
    assert_eq!(kinds, [stable, Kind::Saddle, stable]);
    assert_eq!(answer.found.region.high[0], 10.0);
    assert_eq!(answer.found.chosen, [false, true]);
    // The same sentence gives the same answer, to the last bit.
    let again = steady_all(&mut session, "steady all");
    assert_eq!(again.found, answer.found);
}

/// The logistic map rests at 0 and 1 - 1/r, where its multipliers are r and 2 - r.
#[test]
fn all_fixed_points_of_a_map() {
    let model = "param r = 3.2\nstate x = 0.3 in 0..1\nnext x = r*x*(1 - x)";
    let (mut session, _) = session(model, &[]);
    let answer = steady_all(&mut session, "steady all");
    let found = &answer.found;
    assert!(matches!(found.completeness, Completeness::Proved { .. }));
    let states: Vec<f64> = found.equilibria.iter().map(|e| e.state[0]).collect();
    assert_eq!(states.len(), 2);
    assert!(states[0].abs() < 1e-15 && (states[1] - 0.6875).abs() < 1e-15);
    let multipliers: Vec<f64> = answer
        .linear
        .iter()
        .flatten()
        .filter_map(|linear| linear.class.leading.map(|leading| leading.real))
        .collect();
    assert!((multipliers[0] - 3.2).abs() < 1e-14 && (multipliers[1] + 1.2).abs() < 1e-14);
}

/// Sums are those of the present state, or of the end of the last run.
#[test]
fn all_steady_states_of_a_closed_system_keep_its_sums() {
    let model = "species A = 3, B = 1\nparam k = 2\nA <-> B, k, 1";
    let (mut session, _) = session(model, &[]);
    let answer = steady_all(&mut session, "steady all");
    assert_eq!(answer.found.kept, (1, 0));
    assert!((answer.found.equilibria[0].state[0] - 4.0 / 3.0).abs() < 1e-14);
    assert_eq!(answer.found.region.high, [4.0, 4.0]);
    say(&mut session, "simulate 0..1 with A = 5").expect("runs");
    let answer = steady_all(&mut session, "steady all from last");
    assert!((answer.found.equilibria[0].state[0] - 2.0).abs() < 1e-12);
}

/// A and B in different volumes, 2 and 3: k1 A 2 = k2 B 3 with 2 A + 3 B kept.
#[test]
fn amounts_are_conserved_across_compartments() {
    let model = "compartment left = 2, right = 3
        species A in left = 5, B in right = 0
        param k1 = 0.3, k2 = 0.1
        A <-> B, k1, k2";
    let (mut session, _) = session(model, &[]);
    let found = steady(&mut session, "steady");
    // 0.6 A = 0.3 B and 2 A + 3 B = 10.
    assert!((found[0] - 1.25).abs() < 1e-14 && (found[1] - 2.5).abs() < 1e-14);
}

#[test]
fn what_has_no_steady_state_says_why() {
    let (mut forced, _) = session("state x = 1\nx' = sin(t) - x", &[]);
    let problem = say(&mut forced, "steady").expect_err("driven");
    assert!(
        problem.contains("E0612") && problem.contains("the equation of `x`"),
        "{problem}"
    );

    let prey = "state prey = 10, predator = 10
        prey' = 1.1*prey - 0.4*prey*predator
        predator' = 0.1*prey*predator - 0.4*predator";
    let (mut prey, _) = session(prey, &[]);
    let performed = say(&mut prey, "steady").expect("one near by");
    let warning = performed.diagnostics[0].to_string();
    assert!(
        warning.starts_with("W0601") && warning.contains("keeps swinging"),
        "{warning}"
    );
    let problem = say(&mut prey, "simulate 0..1 from steady").expect_err("it swings");
    assert!(
        problem.contains("E0612") && problem.contains("keeps swinging"),
        "{problem}"
    );

    let (mut line, _) = session("state x = 0\nx' = 1", &[]);
    let problem = say(&mut line, "steady").expect_err("grows");
    assert!(
        problem.contains("E0612") && problem.contains("still moves"),
        "{problem}"
    );
}

// ---- measures ----

/// Checks measures of a run against exact values.
fn measures(model: &str, run: &str, expected: &[(&str, f64)], within: f64) {
    let model = lotka::compile(model).expect("a sound model");
    let run = model.simulate(run).expect("runs");
    for (measure, exact) in expected {
        let found = run.measure(measure).expect(measure).value;
        let error = (found - exact).abs();
        assert!(
            error <= within * exact.abs().max(1.0),
            "{measure}: {found} for {exact}"
        );
    }
}

/// Functions of the language, of measures of x = 4 exp(-t/2).
#[test]
fn functions_of_measures() {
    measures(
        "param k = 2\nstate x = 4\nx' = -0.5*x",
        "0..10 rtol 1e-10 atol 1e-12",
        &[
            ("sqrt(max(x))", 2.0),
            ("log(last(x)/first(x))", -5.0),
            ("max(max(x), k)", 4.0),
            ("min(first(x), exp(k))", 4.0),
            ("max(x, 2..4)", 4.0 * (-1.0f64).exp()),
            ("sqrt(k)*half_life(x)", 8.0f64.sqrt() * 2.0f64.ln()),
        ],
        1e-8,
    );
}

/// The ends of a run are there, also when not every step of a path is kept.
#[test]
fn the_end_of_a_thinned_path_is_measured() {
    let model = lotka::compile(
        "index cell = 1..40\nwiener W\nstate x = 0, y = 1, z[cell] = 1\nx' = W'\ny' = 0\nz' = 0",
    )
    .expect("sound");
    let run = model
        .simulate("0..300 dt 0.002 using euler_maruyama")
        .expect("runs");
    assert_eq!(run.measure("last(y)/first(y)").expect("ends").value, 1.0);
    let refused = run.measure("max(y)").expect_err("thinned").to_string();
    assert!(refused.contains("0..300 points 10001"), "{refused}");
}

/// x = exp(-0.1 t) (cos 2t + 0.05 sin 2t) turns at multiples of pi/2, however coarse the rows.
#[test]
fn extremes_lie_between_rows() {
    use std::f64::consts::FRAC_PI_2;
    measures(
        "state x = 1, v = 0\nx' = v\nv' = -0.2*v - 4.01*x",
        "0..20 step 5 rtol 1e-10 atol 1e-12",
        &[
            ("max(x)", 1.0),
            ("time_of_max(x)", 0.0),
            ("min(x)", -(-0.1 * FRAC_PI_2).exp()),
            ("time_of_min(x)", FRAC_PI_2),
            ("max(x, 1..5)", (-0.2 * FRAC_PI_2).exp()),
            ("time_of_max(x, 1..5)", 2.0 * FRAC_PI_2),
            ("first(x)", 1.0),
            ("max(x)*2 - min(x)", 2.0 + (-0.1 * FRAC_PI_2).exp()),
        ],
        2e-7,
    );
}

/// Bateman's function: C = D ka/(V (ka - ke)) (exp(-ke t) - exp(-ka t)), with its area D/(V ke).
/// (M. Gibaldi, D. Perrier, Pharmacokinetics, 2nd ed., 1982, ch. 1.)
#[test]
fn an_oral_dose_has_its_textbook_measures() {
    let (dose, v, ka, ke) = (100.0, 5.0, 1.2, 0.15);
    let peak = (f64::ln(ka) - f64::ln(ke)) / (ka - ke);
    let at = |t: f64| dose * ka / (v * (ka - ke)) * ((-ke * t).exp() - (-ka * t).exp());
    measures(
        "param V = 5, ka = 1.2, ke = 0.15\nstate depot = 100, C = 0
        depot' = -ka*depot\nC' = ka*depot/V - ke*C",
        "0..150 step 10 rtol 1e-9 atol 1e-12",
        &[
            ("time_of_max(C)", peak),
            ("max(C)", at(peak)),
            ("auc(C)", dose / (v * ke)),
            ("auc(C, 0..24)", {
                let part = |k: f64| (1.0 - (-k * 24.0).exp()) / k;
                dose * ka / (v * (ka - ke)) * (part(ke) - part(ka))
            }),
            ("mean(C, 0..24)*24 - auc(C, 0..24)", 0.0),
            ("half_life(C, 0..60)", 2.0f64.ln() / ke),
            ("time_of(C < 5 and t > 1)*0 + last(C, 0..10)", at(10.0)),
            ("auc(C)*V*ke", dose),
        ],
        1e-6,
    );
}

/// Logistic growth x = 1/(1 + 9 exp(-t)) passes p at log(9 p/(1 - p)).
#[test]
fn the_first_time_of_a_condition() {
    measures(
        "state x = 0.1\nx' = x*(1 - x)",
        "0..20 step 1 rtol 1e-10 atol 1e-12",
        &[
            ("time_of(x > 0.5)", 9.0f64.ln()),
            ("time_of(x == 0.5)", 9.0f64.ln()),
            ("time_of(x >= 0.9 or t > 12)", 81.0f64.ln()),
            ("time_of(not x < 0.9)", 81.0f64.ln()),
            ("time_of(x < 0.5)", 0.0),
            ("time_of(t > 3 and x > 0.5)", 3.0),
        ],
        1e-7,
    );
}

/// The period of a large orbit by Runge-Kutta steps of 0.0005 in another program; small ones have
/// 2 pi/sqrt(alpha gamma). (V. Volterra, 1926.)
#[test]
fn the_period_of_predator_and_prey() {
    let model = "state prey = 10, predator = 10
        prey' = 1.1*prey - 0.4*prey*predator
        predator' = 0.1*prey*predator - 0.4*predator";
    let tight = "0..100 rtol 1e-10 atol 1e-10";
    measures(
        model,
        tight,
        &[
            ("period(prey)", 14.3435136588),
            ("period(predator)", 14.3435136588),
            ("max(prey)", 29.0672859644),
        ],
        1e-6,
    );
    let small = format!("{tight} with prey = 4.04, predator = 2.75");
    let period = 2.0 * std::f64::consts::PI / (1.1f64 * 0.4).sqrt();
    measures(model, &small, &[("period(prey)", period)], 1e-4);
}

#[test]
fn what_a_run_does_not_have_is_refused_with_the_reason() {
    let damped = "state x = 1, v = 0\nx' = v\nv' = -0.2*v - 4*x";
    let decay = "state x = 1\nx' = -x^2";
    for (model, run, measure, says) in [
        (damped, "0..20", "period(x)", "the swings shrink"),
        (damped, "0..20", "amplitude(x)", "the swings shrink"),
        (damped, "0..2", "period(x)", "passes its middle"),
        (damped, "0..400", "period(x)", "settles"),
        (
            decay,
            "0..100",
            "half_life(x)",
            "does not fall exponentially",
        ),
        (damped, "0..1", "time_of(x > 3)", "never met"),
        (damped, "0..1", "max(x, 0..3)", "outside the run"),
        (damped, "0..1", "maxx(x)", "did you mean `max`"),
        (damped, "0..1", "x", "max(x)"),
        (damped, "0..1", "max(sqrt(-x))", "at t = 0"),
        (damped, "0..1", "max(x, v)", "no range"),
    ] {
        let run = lotka::compile(model).expect("sound").simulate(run);
        let problem = run.expect("runs").measure(measure).expect_err(measure);
        let told = format!("{:?}", problem.diagnostics);
        assert!(told.contains(says), "{measure}: {told}");
    }
}

#[test]
fn measures_of_a_sentence_are_rows_with_units() {
    let model = "time [h]\nstate x = 8 [mg/L]\nx' = -0.5*x";
    let (mut session, _) = session(model, &[]);
    assert!(
        say(&mut session, "measure max(x)").is_err(),
        "nothing has run"
    );
    say(&mut session, "simulate 0..10 step 5").expect("runs");
    let line = "measure max(x), auc(x), half_life(x), period(x)";
    let performed = say(&mut session, line).expect("measures");
    let Outcome::Measured(runs) = performed.outcome else {
        panic!("no measures");
    };
    let units: Vec<Option<&str>> = runs[0].rows.iter().map(|row| row.unit.as_deref()).collect();
    assert_eq!(units, [Some("mg/L"), Some("mg*h/L"), Some("h"), Some("h")]);
    assert!(runs[0].rows[3].measured.is_none(), "a fall has no period");
    assert_eq!(performed.diagnostics.len(), 1, "and that is said");
    let half_life = runs[0].rows[2].measured.expect("a half-life").value;
    assert!((half_life - 2.0 * 2.0f64.ln()).abs() < 1e-4);
}

/// One compartment with first-order absorption, dosed from a table: two subjects.
const ORAL: &str = "time [h]
param ka = 1.5, ke = 0.1, V = 5
state gut = 0, C = 0
gut' = -ka*gut
C' = ka*gut/V - ke*C
dose AMT from \"oral.csv\"";
const ORAL_TABLE: &str = "ID,TIME,AMT,CMT,EVID,DV\n\
    1,0,100,gut,1,.\n1,2,.,.,0,14\n\
    A 2,0,50,1,1,.\nA 2,6,50,1,1,.\n";

/// M. Gibaldi and D. Perrier, Pharmacokinetics (1982), eq. 1.95: the Bateman function.
fn bateman(dose: f64, t: f64) -> f64 {
    let (ka, ke, volume) = (1.5_f64, 0.1_f64, 5.0);
    dose * ka / (volume * (ka - ke)) * ((-ke * t).exp() - (-ka * t).exp())
}

#[test]
fn subjects_have_their_own_doses() {
    let (mut session, desk) = session(ORAL, &[("oral.csv", ORAL_TABLE)]);
    let told = say(&mut session, "simulate 0..12").expect_err("two subjects");
    assert!(
        told.contains("E0515") && told.contains("`subject 1`"),
        "{told}"
    );

    say(&mut session, "simulate 0..12 rtol 1e-9 subject 1").expect("a run");
    assert!((end(&session, "C") - bateman(100.0, 12.0)).abs() < 1e-6);
    say(&mut session, "simulate 0..12 rtol 1e-9 subject \"A 2\"").expect("a run");
    let superposed = bateman(50.0, 12.0) + bateman(50.0, 6.0);
    assert!((end(&session, "C") - superposed).abs() < 1e-6);

    let performed = say(&mut session, "simulate 0..12 step 6 by subject").expect("runs");
    let Outcome::SimulatedEach(runs) = &performed.outcome else {
        panic!("one run for each subject");
    };
    let subjects: Vec<_> = runs.iter().map(|run| run.subject.as_deref()).collect();
    assert_eq!(subjects, [Some("1"), Some("A 2")]);

    let Outcome::Figure { figure, .. } = say(&mut session, "plot C").expect("a figure").outcome
    else {
        panic!("a figure");
    };
    let labels: Vec<&str> = figure.series.iter().map(|s| s.label.as_str()).collect();
    assert_eq!(labels, ["C, subject 1", "C, subject A 2"]);

    say(&mut session, "save gut to \"out.csv\"").expect("a table");
    let table = desk.read(Path::new("out.csv")).expect("written");
    let table = String::from_utf8(table).expect("text");
    let first: Vec<String> = table
        .lines()
        .map(|line| line.split(',').take(2).collect::<Vec<_>>().join(","))
        .collect();
    assert_eq!(
        first,
        [
            "subject,time",
            "1,0",
            "1,6",
            "1,12",
            "A 2,0",
            "A 2,6",
            "A 2,12"
        ]
    );

    // Each subject goes on where it was; nobody else can.
    say(
        &mut session,
        "simulate 12..13 rtol 1e-9 subject 1 from last",
    )
    .expect("a run");
    assert!((end(&session, "C") - bateman(100.0, 13.0)).abs() < 1e-4);
}

#[test]
fn conditions_add_doses_and_may_clear_those_of_the_model() {
    let model = "state A = 0
A' = 0
param k = 1
dose 1 into A at 0
condition more { dose 10 into A at 1 }
condition other { no doses; dose 100 into A at 1 }
condition late { at 2 { A = 7; k = 3 } }";
    let (mut session, _) = session(model, &[]);
    let mut ends = |sentence: &str| {
        say(&mut session, sentence).expect("a run");
        end(&session, "A")
    };
    assert_eq!(ends("simulate 0..3"), 1.0);
    assert_eq!(ends("simulate 0..3 in more"), 11.0);
    assert_eq!(ends("simulate 0..3 in other"), 100.0);
    assert_eq!(ends("simulate 0..3 in late"), 7.0);
    // A run that goes on does not give the doses of its start again.
    assert_eq!(ends("simulate 3..4 from last"), 7.0);
}

#[test]
fn columns_follow_what_events_change() {
    let model = "param k = 1, twice = 2*k
state x = 0
x' = 0
at 1 { k = 5 }
let both = k + twice";
    let (mut session, _) = session(model, &[]);
    let column = |session: &Session| {
        let run = session.last().expect("a run");
        run.column("both").expect("a column")
    };
    say(&mut session, "simulate 0..2 step 1").expect("a run");
    assert_eq!(column(&session), [3.0, 15.0, 15.0]);
    // What was set directly follows nothing.
    say(&mut session, "twice = 4").expect("set");
    say(&mut session, "simulate 0..2 step 1").expect("a run");
    assert_eq!(column(&session), [5.0, 9.0, 9.0]);
}

#[test]
fn inputs_are_quantities_like_others() {
    let model = "input u from \"u.csv\"
state x = 0
x' = u
assert u >= 0";
    let (mut session, _) = session(model, &[("u.csv", "t,u\n0,1\n2,3\n4,0\n")]);
    let value = |performed: Performed| match performed.outcome {
        Outcome::Value { numbers, .. } => numbers[0],
        other => panic!("{other:?}"),
    };
    assert_eq!(value(say(&mut session, "2*u").expect("a value")), 2.0);
    say(&mut session, "simulate 0..4 at 0, 1, 2, 3, 4").expect("a run");
    let run = session.last().expect("a run");
    assert_eq!(
        run.column("u").expect("a column"),
        [1.0, 2.0, 3.0, 1.5, 0.0]
    );
    // The area of a trapezoid and a triangle.
    assert!((end(&session, "x") - 7.0).abs() < 1e-9);
    assert_eq!(value(say(&mut session, "u").expect("a value")), 0.0);
    let performed = say(&mut session, "simulate 0..5").expect("a run");
    assert_eq!(performed.diagnostics[0].code.as_str(), "W0502");
}

/// 0 = z - 0.5 x - 1 and x' = z - x: rest at x = z = 2, where x' = -(x - 2)/2.
#[test]
fn constraints_hold_at_rest() {
    let (mut session, _) = session("state x = 1, z = 1.5\nx' = z - x\n0 = z - 0.5*x - 1", &[]);
    let performed = say(&mut session, "steady").expect("a steady state");
    let Outcome::Steady(answer) = performed.outcome else {
        panic!("no steady state");
    };
    assert!(
        answer
            .found
            .state
            .iter()
            .all(|value| (value - 2.0).abs() < 1e-12),
        "{answer:?}"
    );
    let lotka::analyze::Stability::Attracts(leading) = answer.found.stability else {
        panic!("{answer:?}");
    };
    assert!((leading.real + 0.5).abs() < 1e-12, "{leading:?}");
}

/// Doses take no part, delayed values are the present ones, conditions are those of the state.
#[test]
fn interruptions_take_no_part_in_a_steady_state() {
    let model = "param k = 2\nstate x = 1\nx' = k - x
        dose 5 into x every 12\nwhen x > 4 { k = 1 }";
    let (mut dosed, _) = session(model, &[]);
    let performed = say(&mut dosed, "steady").expect("a steady state");
    let Outcome::Steady(answer) = performed.outcome else {
        panic!("no steady state");
    };
    assert_eq!(answer.found.state, [2.0]);
    assert_eq!(answer.left_out, ["doses", "events"]);

    let (mut delayed, _) = session("state x = 0.1\nx' = x*(1 - x(t - 0.5))", &[]);
    assert_eq!(steady(&mut delayed, "steady"), [1.0]);

    let model = "state x = 0\nx' = (if x < 3 then 1 else 2) - 0.5*x";
    let (mut switched, _) = session(model, &[]);
    assert_eq!(steady(&mut switched, "steady"), [2.0]);
    assert_eq!(steady(&mut switched, "steady with x = 5"), [4.0]);
}

/// Two boluses of 100 into a volume of 1 with rate 0.5, at 0 and 10: the highest value is just
/// after the second, the area is 200/0.5 less what is left at the end.
#[test]
fn measures_see_jumps_between_rows() {
    let left = 100.0 * ((-10.0f64).exp() + (-5.0f64).exp());
    measures(
        "state x = 0\nx' = -0.5*x\ndose 100 into x at 0, 10",
        "0..20 step 20 rtol 1e-10 atol 1e-10",
        &[
            ("max(x)", 100.0 * (1.0 + (-5.0f64).exp())),
            ("time_of_max(x)", 10.0),
            ("auc(x)", (200.0 - left) / 0.5),
            ("min(x)", 100.0 * (-5.0f64).exp()),
            ("time_of(x < 50)", 2.0 * 2.0f64.ln()),
            ("half_life(x)", 2.0 * 2.0f64.ln()),
        ],
        1e-7,
    );
}

/// y' = -k y + a with a dose: dy/dk and dy/da have closed forms between doses.
#[test]
fn sensitivities_of_a_run() {
    let model = "param k = 0.5\nparam a = 1\nparam twice = 2*k\nstate y = 2\ny' = a - k*y
        let z = y^2";
    let (mut session, desk) = session(model, &[]);
    assert!(say(&mut session, "sensitivity y").is_err());
    say(&mut session, "simulate 0..4 points 5 rtol 1e-9 atol 1e-12").expect("a run");
    let performed = say(&mut session, "sensitivity y, z by k, a, y to \"out.csv\"").expect("them");
    let Outcome::Sensitivities { result, .. } = performed.outcome else {
        panic!("no sensitivities");
    };
    let (k, t) = (0.5_f64, 4.0_f64);
    let decay = (-k * t).exp();
    let by = |of: &str, by: &str| result.series(of, by).expect("a series")[4];
    // y0 = a/k, so that y = 2 always: dy/dk = -(a/k^2)(1 - e^-kt), dy/da = (1 - e^-kt)/k.
    assert!((by("y", "k") + 4.0 * (1.0 - decay)).abs() < 1e-7);
    assert!((by("y", "a") - (1.0 - decay) / k).abs() < 1e-7);
    assert!((by("y", "y(0)") - decay).abs() < 1e-7);
    assert!((by("z", "a") - 4.0 * (1.0 - decay) / k).abs() < 1e-6);
    assert_eq!(result.ranked(0).len(), 3);
    let table = String::from_utf8(desk.read(Path::new("out.csv")).expect("written")).expect("text");
    assert!(table.starts_with("time,d(y)/d(k),d(y)/d(a),d(y)/d(y(0)),d(z)/d(k)"));

    // Without names: all states by the parameters that follow no others; relative numbers.
    let performed = say(&mut session, "sensitivity scaled").expect("them");
    let Outcome::Sensitivities { result, .. } = performed.outcome else {
        panic!("no sensitivities");
    };
    assert_eq!(
        (&result.observables[..], &result.quantities[..]),
        (&["y".to_owned()][..], &["k".to_owned(), "a".to_owned()][..])
    );
    let by_k = result.series("y", "k").expect("a series")[4];
    assert!((by_k + 0.5 / 2.0 * 4.0 * (1.0 - decay)).abs() < 1e-7);

    say(&mut session, "simulate 0..4 using bdf").expect("a run");
    let refused = say(&mut session, "sensitivity y").expect_err("no derivatives");
    assert!(refused.contains("`bdf`"), "{refused}");
}

/// A dose of F*100 at the time lag: dC/dlag = k C after it; conditions are those of the last run.
#[test]
fn sensitivities_follow_doses_and_conditions() {
    let model = "param k = 0.5\nparam F = 0.8\nparam late = 1\nstate C = 0\nC' = -k*C
        dose 100*F into C at 0 lag late\ncondition fast { k = 1 }";
    let (mut session, _) = session(model, &[]);
    say(
        &mut session,
        "simulate 0..3 points 4 rtol 1e-9 atol 1e-12 in fast",
    )
    .expect("a run");
    let performed = say(&mut session, "sensitivity C by late, F").expect("them");
    let Outcome::Sensitivities { result, .. } = performed.outcome else {
        panic!("no sensitivities");
    };
    let c = 80.0 * (-2.0_f64).exp();
    let at_end = |by: &str| result.series("C", by).expect("a series")[3];
    assert!((at_end("late") - c).abs() < 1e-6);
    assert!((at_end("F") - c / 0.8).abs() < 1e-6);
}
