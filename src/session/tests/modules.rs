//! Models of several files against the same models written out in one.

use super::super::{Performed, Session};
use super::Files;
use crate::diagnostic::Diagnostic;
use crate::session::Outcome;
use std::path::Path;
use std::sync::Arc;

const CELL: &str = "
model cell
time [s]
## Stiffness.
param k = 1 [1/s^2] in 0..10
param drive = 0, half = k/2
state x = 1, x' = 0
x'' = -k*x + drive
fn square(x) = x^2
let energy = square(x')/2 + half*square(x)
assert energy < 100
simulate 0..1
k = 3
";

fn session(files: &[(&'static str, &str)]) -> Session {
    Session::new(Arc::new(Files::new(files)))
}

fn loaded(files: &[(&'static str, &str)]) -> Session {
    let mut session = session(files);
    if let Err(problems) = session.load(Path::new("main.lotka")) {
        panic!("{problems:#?}");
    }
    session
}

fn say(session: &mut Session, line: &str) -> Result<Performed, Vec<Diagnostic>> {
    let commands = session.understand(line)?;
    let mut last = None;
    for command in &commands {
        last = Some(session.perform(command, &mut ())?);
    }
    Ok(last.expect("a command"))
}

/// The states of a run, number by number.
fn states(session: &mut Session, line: &str) -> Vec<u64> {
    say(session, line).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let run = session.last().expect("a run");
    run.solution.states.iter().map(|x| x.to_bits()).collect()
}

/// The same run of a model of files and of one written out has the same bits.
#[track_caller]
fn same(files: &[(&'static str, &str)], written_out: &str, lines: &[(&str, &str)]) {
    let mut one = loaded(files);
    let mut other = loaded(&[("main.lotka", written_out)]);
    for (with_dots, without) in lines {
        assert_eq!(states(&mut one, with_dots), states(&mut other, without));
    }
}

#[test]
fn coupled_oscillators_of_one_file() {
    let main = "time [s]
param c = 0.2
left: use \"cell.lotka\" (k = 2*c, drive = c*(right.x - left.x))
right: use \"cell.lotka\" (drive = c*(left.x - right.x), x = 0)
let total = left.energy + right.energy
";
    let written_out = "time [s]
param c = 0.2
param left_k = 2*c
let left_drive = c*(right_x - left_x)
param left_half = left_k/2
state left_x = 1, left_x' = 0
left_x'' = -left_k*left_x + left_drive
param right_k = 1
let right_drive = c*(left_x - right_x)
param right_half = right_k/2
state right_x = 0, right_x' = 0
right_x'' = -right_k*right_x + right_drive
";
    same(
        &[("main.lotka", main), ("cell.lotka", CELL)],
        written_out,
        &[
            ("simulate 0..20", "simulate 0..20"),
            (
                "simulate 0..20 with left.k = 3",
                "simulate 0..20 with left_k = 3",
            ),
            (
                "simulate 0..9 with c = 1, right.x = 2",
                "simulate 0..9 with c = 1, right_x = 2",
            ),
        ],
    );
    let mut session = loaded(&[("main.lotka", main), ("cell.lotka", CELL)]);
    say(&mut session, "simulate 0..1 points 3").expect("a run");
    let run = session.last().expect("a run");
    assert_eq!(
        run.compiled.state_names(),
        ["left.x", "left.x'", "right.x", "right.x'"]
    );
    let total = run.column("total").expect("a column");
    let parts = ["left.energy", "right.energy"];
    let parts = parts.map(|name| run.column(name).expect("a column"));
    assert_eq!(total[2], parts[0][2] + parts[1][2]);
    // The sentences of a used file are not the model's.
    assert!(run.compiled.model.sentences.is_empty());
    assert_eq!(run.compiled.model.name, None);
}

/// What names columns and words of the language has no prefix.
#[test]
fn columns_of_tables_keep_their_names() {
    let used = "param F = 0.5, row = 1
input u from \"u.csv\" (time = year, u = signal)
state A = row
A' = u - A
dose F*AMT into A from \"dose.csv\"
";
    let written_out = "param F = 0.5, row = 1
input u from \"u.csv\" (time = year, u = signal)
state A = row
A' = u - A
dose F*AMT into A from \"dose.csv\"
";
    let tables = [
        ("cell.lotka", used),
        ("u.csv", "year,signal\n0,1\n5,2\n"),
        ("dose.csv", "TIME,AMT\n1,10\n3,20\n"),
    ];
    let run = |main: &str| {
        let mut files = vec![("main.lotka", main)];
        files.extend(tables);
        let mut session = loaded(&files);
        say(&mut session, "simulate 0..5 points 6").expect("a run");
        let run = session.last().expect("a run");
        let name = run.compiled.state_names()[0].clone();
        run.column(&name).expect("a column")
    };
    assert_eq!(run("a: use \"cell.lotka\"\n"), run(written_out));
}

#[test]
fn instances_within_instances_and_files_in_folders() {
    let files = [
        (
            "main.lotka",
            "param s = 1\na: use \"parts/pair.lotka\" (one.k = 2*s, two.feed = t)\n",
        ),
        (
            "parts/pair.lotka",
            "use \"law.lotka\"\none: use \"cell.lotka\" (feed = two.y)\ntwo: use \"cell.lotka\" (k = rate0)\nparam rate0 = 0.5\n",
        ),
        (
            "parts/cell.lotka",
            "use \"law.lotka\"\nparam k = 1, feed = 0\nstate y = 1\ny' = law(feed, k) - y\n",
        ),
        (
            "parts/law.lotka",
            "param scale = 1\nfn law(x, k) = scale*x/(k + x)\n",
        ),
    ];
    let written_out = "param s = 1
param scale = 1, one_scale = 1, two_scale = 1
param one_k = 2*s
let one_feed = two_y
state one_y = 1
one_y' = one_scale*one_feed/(one_k + one_feed) - one_y
param two_k = rate0
let two_feed = t
state two_y = 1
two_y' = two_scale*two_feed/(two_k + two_feed) - two_y
param rate0 = 0.5
";
    same(
        &files,
        written_out,
        &[
            ("simulate 0..5", "simulate 0..5"),
            (
                "simulate 0..5 with a.rate0 = 2",
                "simulate 0..5 with rate0 = 2",
            ),
            (
                "simulate 0..5 with a.two.k = 3",
                "simulate 0..5 with two_k = 3",
            ),
        ],
    );
}

#[test]
fn reactions_events_doses_conditions_and_observations_have_the_prefix() {
    let pk = "compartment V = 2 [L]
species C in V = 0, gut = 0
param ka = 1, ke = 0.2
index place = {skin, lung}
state tissue[place] = 0
tissue[skin]' = C - tissue[skin]
tissue[lung]' = C - 2*tissue[lung]
absorb: gut -> C, ka
C -> 0, ke
dose 100 into gut at 1
when C > 20 { ke = 0.4; tissue[skin] = 0 }
every 4 from 2 times 2 { gut = gut + 1 }
input food from \"food.csv\" linear
let flux = absorb + food
condition fasting { ka = 2; no doses; dose 50 into C at 0 }
observe C ~ normal(C, 1)
";
    let main = "rat: use \"pk/pk.lotka\"\n";
    let written_out = pk
        .replace("food.csv", "pk/food.csv")
        .replace("observe C ~ normal(C, 1)\n", "");
    let food = "time,food\n0,1\n10,2\n";
    let files = [
        ("main.lotka", main),
        ("pk/pk.lotka", pk),
        ("pk/food.csv", food),
    ];
    let mut one = loaded(&files);
    let mut other = loaded(&[("main.lotka", &written_out), ("pk/food.csv", food)]);
    for (with_dots, without) in [
        ("simulate 0..12", "simulate 0..12"),
        ("simulate 0..12 in rat.fasting", "simulate 0..12 in fasting"),
    ] {
        assert_eq!(states(&mut one, with_dots), states(&mut other, without));
        let column = |session: &Session, name: &str| {
            let run = session.last().expect("a run");
            run.column(name).expect("a column")
        };
        assert_eq!(column(&one, "rat.flux"), column(&other, "flux"));
    }
    let run = one.last().expect("a run");
    assert_eq!(
        run.compiled.state_names(),
        ["rat.C", "rat.gut", "rat.tissue[skin]", "rat.tissue[lung]"]
    );
    assert_eq!(run.compiled.model.observations[0].name, "rat.C");
}

#[test]
fn maps_and_noise_have_the_prefix() {
    same(
        &[
            (
                "main.lotka",
                "a: use \"map.lotka\" (r = b.x)\nb: use \"map.lotka\"\n",
            ),
            (
                "map.lotka",
                "param r = 2\nstate x = 0.3\nnext x = r*x*(1 - x) + n/100\n",
            ),
        ],
        "let ar = bx\nstate ax = 0.3\nnext ax = ar*ax*(1 - ax) + n/100\nparam br = 2\nstate bx = 0.3\nnext bx = br*bx*(1 - bx) + n/100\n",
        &[("simulate 0..30", "simulate 0..30")],
    );
    same(
        &[
            (
                "main.lotka",
                "a: use \"ou.lotka\"\nb: use \"ou.lotka\" (s = 2)\n",
            ),
            (
                "ou.lotka",
                "param s = 1\nwiener W\nstate x = 0\nx' = -x + s*W'\n",
            ),
        ],
        "param as = 1\nwiener aW\nstate ax = 0\nax' = -ax + as*aW'\nparam bs = 2\nwiener bW\nstate bx = 0\nbx' = -bx + bs*bW'\n",
        &[("simulate 0..3 seed 4", "simulate 0..3 seed 4")],
    );
}

#[test]
fn loops_and_arguments_keep_to_themselves() {
    let line = "index cell = 1..3
param k = 2
fn f(k, x) = k*x
state u[cell] = cell
for i in 1..3 { u[i]' = -f(i, u[i])/k }
";
    let rest = "param i = 2, x = 3
state z = i*x
z' = -z
";
    let main = format!("{rest}a: use \"line.lotka\"\n");
    let written_out = format!(
        "{rest}{}",
        line.replace("for i", "for j")
            .replace("[i]", "[j]")
            .replace("(i,", "(j,")
    );
    same(
        &[("main.lotka", &main), ("line.lotka", line)],
        &written_out,
        &[
            ("simulate 0..2", "simulate 0..2"),
            ("simulate 0..2 with a.k = 1", "simulate 0..2 with k = 1"),
        ],
    );
}

#[test]
fn units_are_there_once_and_allowances_stay_within() {
    let herd = "unit hare, herd = 20 [hare]
param spare = 1 [herd], r = 0.1
allow W0201
state x = 2 [hare]
x' = r*x
";
    let main = "a: use \"herd.lotka\"\nb: use \"herd.lotka\" (r = 0.2)\nparam idle = 3 [hare]\n";
    let mut session = session(&[("main.lotka", main), ("herd.lotka", herd)]);
    let performed = session
        .load(Path::new("main.lotka"))
        .unwrap_or_else(|problems| panic!("{problems:#?}"));
    let said: Vec<&str> = performed
        .diagnostics
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(said, ["nothing uses `idle`"]);
}

#[test]
fn a_file_is_used_at_the_prompt() {
    let mut session = session(&[("cell.lotka", CELL)]);
    say(
        &mut session,
        "param c = 1, q = 1; state drive = 1; drive' = -c*drive",
    )
    .expect("declared");
    let performed = say(&mut session, "a: use \"cell.lotka\" (drive = drive, k = q)");
    assert!(matches!(
        performed.expect("used").outcome,
        Outcome::Declared(_)
    ));
    say(&mut session, "simulate 0..1").expect("a run");
    let names = session.last().expect("a run").compiled.state_names();
    assert_eq!(names, ["drive", "a.x", "a.x'"]);
    say(&mut session, "a.k = 4").expect("set");
    assert!(say(&mut session, "b: use \"no.lotka\"").is_err());
    assert!(say(&mut session, "a: use \"cell.lotka\"").is_err());
    say(&mut session, "undo").expect("undone");
    say(&mut session, "undo").expect("undone");
    assert!(say(&mut session, "a.x").is_err());
}
