//! What sentences mean, seen through a session.

use lotka::figure::{Mark, Scale};
use lotka::session::{Outcome, Performed, Session};
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
    assert_eq!(performed.diagnostics.len(), 1);
    assert!(performed.diagnostics[0].to_string().starts_with("W0701"));
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
                 prey' = prey - 0.4*prey*predator\npredator' = 0.1*prey*predator - 0.4*predator\n";
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
