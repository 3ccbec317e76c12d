//! Conversations through a pipe: what is typed, what comes back.

mod support;

use support::{Printed, Workplace, lotka};

const DECAY: &str = "param k = 0.5 in 0..10\nstate x = 1\nx' = -k*x\nlet half = x/2\n";

fn place() -> Workplace {
    let place = Workplace::new();
    place.write("m.lotka", DECAY);
    place
}

/// Types these lines into `lotka repl`.
fn talk(place: &Workplace, lines: &str) -> Printed {
    let printed = lotka(place.path(), &["repl"], lines);
    assert!(!printed.crashed(), "{printed:?}");
    printed
}

/// The same after `load "m.lotka"`, with the lines that answer it left out.
fn answers(lines: &str) -> Vec<String> {
    let place = place();
    let printed = talk(&place, &format!("load \"m.lotka\"\n{lines}"));
    assert!(printed.errors.is_empty(), "{printed:?}");
    assert_eq!(printed.status.code(), Some(0));
    printed.output.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn a_model_is_loaded_and_named() {
    let printed = talk(&place(), "load \"m.lotka\"\n");
    assert_eq!(printed.output, "loaded m.lotka: 1 state, 1 parameter\n");
    let place = place();
    let given = lotka(place.path(), &["repl", "m.lotka"], "k\n");
    assert!(given.output.ends_with("k = 0.5\n"), "{given:?}");
}

#[test]
fn an_assignment_shows_the_new_value_and_the_old_one() {
    assert_eq!(
        answers("k = 2*k\nk = 0.25\nk\n"),
        ["k = 1 (was 0.5)", "k = 0.25 (was 1)", "k = 0.25"]
    );
}

#[test]
fn expressions_see_the_start_and_then_the_end_of_the_last_run() {
    let said =
        answers("half\nx > 0.5\nx'\nk = log(2)\nsimulate 0..2 rtol 1e-10\nround(1e6*x)\nt\n");
    assert_eq!(said[..3], ["half = 0.5", "x > 0.5: yes", "x' = -0.5"]);
    // 2^-2
    assert_eq!(
        said[said.len() - 2..],
        ["round(1000000*x) = 250000", "t = 2"]
    );
}

#[test]
fn undo_and_reset_take_values_back() {
    let said = answers("k = 2\nx = 3\nundo\nx\nk\nundo\nk\nk = 7\nreset\nk\n");
    assert_eq!(
        said,
        [
            "k = 2 (was 0.5)",
            "x = 3 (was 1)",
            "undone: x = 1 again (was 3)",
            "x = 1",
            "k = 2",
            "undone: k = 0.5 again (was 2)",
            "k = 0.5",
            "k = 7 (was 0.5)",
            "all values are as declared",
            "k = 0.5",
        ]
    );
}

#[test]
fn a_line_that_fails_changes_nothing() {
    let lines = "load \"m.lotka\"\nk = 2\nk = 20\nk = kk\nk = 1/0\nhalf = 3\nk = 3; nonsense)\nsimulate 5\nundo\nk\nload \"missing.lotka\"\nk\n";
    let printed = talk(&place(), lines);
    for code in ["E0401", "E0201", "E0404", "E0214", "E0703", "E0501"] {
        assert!(printed.errors.contains(code), "{code}: {printed:?}");
    }
    let said: Vec<&str> = printed.output.lines().skip(1).collect();
    assert_eq!(
        said,
        [
            "k = 2 (was 0.5)",
            "undone: k = 0.5 again (was 2)",
            "k = 0.5",
            "k = 0.5"
        ]
    );
    assert_eq!(printed.status.code(), Some(1), "the first failure decides");
}

#[test]
fn what_needs_a_model_or_a_run_says_so() {
    let printed = talk(
        &Workplace::new(),
        "simulate 0..1\nk = 1\nshow equations\nundo\n",
    );
    assert_eq!(printed.errors.matches("E0705").count(), 3, "{printed:?}");
    assert!(printed.output.is_empty(), "{printed:?}");
    let printed = talk(
        &place(),
        "load \"m.lotka\"\nplot x\nsave \"out.csv\"\nsimulate 0..1 from last\n",
    );
    assert_eq!(printed.errors.matches("E0704").count(), 3, "{printed:?}");
}

#[test]
fn a_run_goes_on_from_the_last_one() {
    let said = answers(
        "k = log(2)\nsimulate 0..1 rtol 1e-10\nsimulate 0..1 from last rtol 1e-10\nround(1e6*x)\nreset\nx\n",
    );
    assert_eq!(
        said[said.len() - 3..],
        [
            "round(1000000*x) = 250000",
            "all values are as declared",
            "x = 1"
        ]
    );
}

#[test]
fn a_figure_fits_the_terminal_and_has_no_colours() {
    let place = place();
    let arguments = ["repl", "m.lotka"];
    let mut command = support::program(place.path(), &arguments);
    command.env("COLUMNS", "60");
    let printed = support::run(command, &arguments, "simulate 0..10\nplot x, half\n");
    assert!(printed.errors.is_empty(), "{printed:?}");
    let text = &printed.output;
    assert!(!text.contains('\u{1b}'), "{text}");
    let figure: Vec<&str> = text.lines().skip_while(|line| *line != "x, half").collect();
    assert!(figure.len() > 18, "{text}");
    assert!(
        figure.iter().all(|line| line.chars().count() <= 60),
        "{text}"
    );
    assert!(text.contains("half"), "{text}");
}

#[test]
fn lines_go_on_until_their_brackets_close() {
    let said = answers(
        "k = (1 +\n  2)\nmax(k,\n\n  5)\nk = 1; x = 2\nx +\n  1\n# a comment\n\nx # and another\n",
    );
    assert_eq!(
        said,
        [
            "k = 3 (was 0.5)",
            "max(k, 5) = 5",
            "k = 1 (was 3)",
            "x = 2 (was 1)",
            "x + 1 = 3",
            "x = 2"
        ]
    );
}

#[test]
fn a_line_left_open_at_the_end_is_an_error() {
    let printed = talk(&place(), "load \"m.lotka\"\nk = (1 +\n");
    assert_eq!(printed.status.code(), Some(1), "{printed:?}");
    assert!(printed.errors.contains("E0103"), "{printed:?}");
}

#[test]
fn declarations_extend_the_model() {
    let said = answers(
        "k = 2\nlet s = x + half\nparam c = 3\nx' = -c*k*x\nx'\nfn f(z) = z^2; let q = f(c)\n",
    );
    assert_eq!(
        said,
        [
            "k = 2 (was 0.5)",
            "s = 1.5",
            "c = 3",
            "in place of: x' = -k*x",
            "the model: 1 state, 2 parameters",
            "x' = -6",
            "q = 9",
        ]
    );
}

#[test]
fn what_changes_nothing_keeps_the_run_and_what_changes_the_equations_does_not() {
    let said = answers("simulate 0..2\nlet twice = 2*x\nx' = -2*k*x\nundo\nround(1e4*twice)\n");
    let (kept, forgot) = (
        &said[4..],
        "the last run is forgotten: it was of the model before",
    );
    assert!(kept[0].starts_with("twice = 0.73"), "2 exp(-1): {said:?}");
    assert!(kept.contains(&forgot.to_owned()), "{said:?}");
    // The run is back with the model: 2e4 exp(-1)
    assert_eq!(
        kept[kept.len() - 2..],
        ["undone: x' = -2*k*x", "round(10000*twice) = 7358"]
    );
}

#[test]
fn a_model_can_be_typed_from_nothing() {
    let lines = "state z = 1\nz\nsimulate 0..1\nparam r = 2\nz' = -r*z\nz'\nreload\nundo\nz\nundo\nundo\nundo\n";
    let printed = talk(&Workplace::new(), lines);
    let said: Vec<&str> = printed.output.lines().collect();
    assert_eq!(
        said,
        [
            "`z` waits for its equation: z' = ...",
            "`z` waits for its equation: z' = ...",
            "the model: 1 state, 1 parameter",
            "z' = -2",
            "undone: z' = -r*z",
            "undone: param r = 2",
            "undone: state z = 1",
        ]
    );
    assert_eq!(
        printed.errors.matches("waits for an equation").count(),
        3,
        "{printed:?}"
    );
    assert!(
        printed.errors.contains("no file that could be read again"),
        "{printed:?}"
    );
    assert!(printed.errors.contains("nothing to undo"), "{printed:?}");
}

#[test]
fn a_declaration_at_fault_changes_nothing_and_points_into_its_line() {
    let printed = talk(
        &place(),
        "load \"m.lotka\"\nparam k = 1\nx' = -kk*x\nlet u = (1\n)) \nfor i in 1..2 {\n  u[i]' = 1\n}\nm = 1\nx'\n",
    );
    assert!(printed.errors.contains("line 2:1:7"), "{printed:?}");
    assert!(
        printed.errors.contains("`k = ...` sets its value"),
        "{printed:?}"
    );
    assert!(printed.errors.contains("line 3:1:7"), "{printed:?}");
    assert!(
        printed.errors.contains("`param m = ...` declares it"),
        "{printed:?}"
    );
    assert!(printed.output.ends_with("\nx' = -0.5\n"), "{printed:?}");
}

#[test]
fn a_saved_session_that_would_miss_its_tables_says_so() {
    let place = Workplace::new();
    std::fs::create_dir_all(place.path().join("lamps")).expect("a folder");
    place.write("lamps/light.csv", "time,light\n0,1\n10,2\n");
    place.write(
        "lamps/m.lotka",
        "input light from \"light.csv\" linear\nstate x = 1\nx' = light - x\n",
    );
    let printed = talk(
        &place,
        "load \"lamps/m.lotka\"\nsimulate 0..5\nsave session \"s.lotka\"\nsave session \"lamps/s.lotka\"\n",
    );
    assert_eq!(printed.errors.matches("W0702").count(), 1, "{printed:?}");
    assert!(printed.errors.contains("save it in lamps"), "{printed:?}");
}

/// The session that `save session` wrote.
fn saved(place: &Workplace) -> String {
    std::fs::read_to_string(place.path().join("s.lotka")).expect("it was saved")
}

/// The run that `undo` brought back is made again in the file.
#[test]
fn a_session_is_saved_after_a_declaration_was_undone() {
    let place = place();
    let printed = talk(
        &place,
        "load \"m.lotka\"\nk = 1\nsimulate 0..2\nwhen x < 0.1 { x = 1 }\nsimulate 0..3\nundo\nmeasure last(x)\nsave session \"s.lotka\"\n",
    );
    assert!(printed.errors.is_empty(), "{printed:?}");
    let again = lotka(place.path(), &["run", "s.lotka"], "");
    assert!(again.errors.is_empty(), "{again:?}");
    let end = |output: &str| {
        output
            .lines()
            .rfind(|line| line.starts_with("last(x)"))
            .map(str::to_owned)
    };
    assert_eq!(end(&printed.output), end(&again.output));
    assert!(end(&again.output).is_some());
}

#[test]
fn a_saved_session_does_the_same_again() {
    let place = place();
    let printed = talk(
        &place,
        "load \"m.lotka\"\nk = 1\nx' = -k*x/2\nx = 4\nk = 9\nundo\nsimulate 0..2\nnonsense x\nmeasure x\nmeasure last(x)\nx\nsave session \"s.lotka\"\nsave session \"m.lotka\"\nsave session \"s.lotka\"\n",
    );
    assert!(
        printed.errors.contains("m.lotka: it is there already"),
        "{printed:?}"
    );
    let again = lotka(place.path(), &["run", "s.lotka"], "");
    assert!(again.errors.is_empty(), "{again:?}");
    let measured = |output: &str| {
        let lines = output
            .lines()
            .skip_while(|line| !line.starts_with("simulated"));
        let lines =
            lines.take_while(|line| !line.starts_with("x = ") && !line.starts_with("wrote"));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(measured(&printed.output), measured(&again.output));
    assert!(measured(&again.output).len() > 3, "{again:?}");
    let text = saved(&place);
    for line in [
        "# x' = -k*x",
        "x' = -k*x/2",
        "k = 1.0",
        "x = 4",
        "# measure x",
        "# x",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}: {text}");
    }
    let (second, before) = (
        talk(&place, "state x = 1; x' = -x\nsave session \"s.lotka\"\n"),
        text,
    );
    assert!(second.errors.contains("overwrite"), "{second:?}");
    assert_eq!(saved(&place), before);
}

#[test]
fn the_file_is_read_again() {
    let place = place();
    let printed = talk(&place, "load \"m.lotka\"\nk = 9\nreload\nk\nhistory\n");
    let said: Vec<&str> = printed.output.lines().skip(1).collect();
    assert_eq!(said[2..4], ["k = 0.5", "1  load \"m.lotka\""]);
    assert!(said.ends_with(&["5  history"]), "{said:?}");
}

#[test]
fn quit_ends_the_conversation() {
    let said = answers("k\nquit\nk\n");
    assert_eq!(said, ["k = 0.5"]);
    let place = place();
    let printed = talk(&place, "load \"m.lotka\"\nk; quit; x\n");
    assert!(printed.output.ends_with("k = 0.5\n"), "{printed:?}");
}

#[test]
fn vectors_are_set_and_shown_by_element() {
    let place = place();
    place.write(
        "v.lotka",
        "index gene = {GATA1, KLF1, FLI1}\nstate y[gene] = 0\nparam k[gene] = 1\ny' = k - y\n",
    );
    let printed = talk(
        &place,
        "load \"v.lotka\"\nk[KLF1] = 5\nk\nk = [1, 2, 3]\ny[FLI1]\nk[KLF] = 1\nk = [1, 2]\nundo\nk\n",
    );
    let said: Vec<&str> = printed.output.lines().skip(1).collect();
    assert_eq!(said[1], "k = [1, 5, 1]", "{said:?}");
    assert_eq!(
        said[3..],
        [
            "y[FLI1] = 0",
            "undone: k = [1, 5, 1] again (was [1, 2, 3])",
            "k = [1, 5, 1]"
        ],
        "{said:?}"
    );
    assert!(
        printed.errors.contains("did you mean `KLF1`?"),
        "{printed:?}"
    );
    assert!(printed.errors.contains("E0301"), "{printed:?}");
}
