//! The JSON objects have the fields that `docs/src/json.md` lists, each of the type listed there.

use super::support::{Workplace, lotka, root};
use serde_json::{Map, Value};
use std::fs;

/// The rows of the table under a line of `docs/src/json.md`: names of fields and their type.
fn fields_listed_after(line: &str) -> Vec<(String, String)> {
    let page = fs::read_to_string(root().join("docs/src/json.md")).expect("a page");
    let (_, rest) = page.split_once(line).expect("the line before the table");
    let rows = rest.lines().skip_while(|row| !row.starts_with("| `"));
    let mut found = Vec::new();
    for row in rows.take_while(|row| row.starts_with('|')) {
        let mut cells = row.split('|').skip(1).map(str::trim);
        let (names, kind) = (cells.next(), cells.next());
        let names = names.unwrap_or_default().split(", ");
        found.extend(names.map(|name| {
            let kind = kind.unwrap_or_default().to_owned();
            (name.trim_matches('`').to_owned(), kind)
        }));
    }
    found
}

fn is_of_type(value: &Value, kind: &str) -> bool {
    let all = |of: &str| {
        let items = value.as_array();
        items.is_some_and(|items| items.iter().all(|item| is_of_type(item, of)))
    };
    match kind {
        "text" => value.is_string(),
        "text or null" => value.is_string() || value.is_null(),
        "number" => value.is_number(),
        "number or null" => value.is_number() || value.is_null(),
        "numbers or null" => all("number") || value.is_null(),
        "truth value or null" => value.is_boolean() || value.is_null(),
        "whole number" => value.is_u64(),
        "whole number or null" => value.is_u64() || value.is_null(),
        "truth value" => value.is_boolean(),
        "object" => value.is_object(),
        "object or null" => value.is_object() || value.is_null(),
        "texts" => all("text"),
        "numbers" => all("number"),
        "objects" => all("object"),
        "numbers with gaps" => all("number or null"),
        "rows of numbers" => all("numbers"),
        "rows of numbers with gaps" => all("numbers with gaps"),
        other => panic!("the manual lists the type `{other}`, which this test does not know"),
    }
}

/// Compares an object with the table under a line of the page: the same fields in the same order,
/// each of the type listed.
fn check_fields(object: &Value, line: &str) {
    let listed = fields_listed_after(line);
    let object: &Map<String, Value> = object.as_object().expect("an object");
    let mut names: Vec<&String> = listed.iter().map(|(name, _)| name).collect();
    names.sort();
    // The map is sorted by name.
    assert_eq!(object.keys().collect::<Vec<_>>(), names, "after `{line}`");
    for (name, kind) in &listed {
        assert!(is_of_type(&object[name], kind), "{name} is not a {kind}");
    }
}

#[test]
fn json_has_the_fields_that_the_manual_lists() {
    let workplace = Workplace::new();
    let whole = |arguments: &[&str]| -> Value {
        let printed = lotka(workplace.path(), arguments, "");
        serde_json::from_str(&printed.output)
            .unwrap_or_else(|e| panic!("{arguments:?}: {e}\n{}", printed.both()))
    };
    let run = |arguments: &[&str]| -> Value {
        let mut value = whole(arguments);
        // Every answer has a stamp behind the fields of its own.
        let fields = value.as_object_mut().expect("an object");
        let stamp = fields.remove("stamp");
        let is_answer = !arguments.contains(&"--stats") && arguments[0] != "check";
        assert_eq!(stamp.is_some(), is_answer, "{arguments:?}");
        if let Some(stamp) = stamp {
            check_fields(&stamp, "## Stamps");
            check_fields(&stamp["files"][0], "Each of the `files`:");
            for work in ["run", "fit"] {
                if stamp[work].is_object() {
                    check_fields(&stamp[work], "A `run` or a `fit`:");
                }
            }
        }
        value
    };
    let statistics = run(&["simulate", "models/griffith.lotka", "--stats", "json"]);
    check_fields(&statistics, "## Statistics of a run");
    assert_eq!(statistics["schema"], "lotka-stats-1");

    fs::write(
        workplace.path().join("doses.lotka"),
        "state x = 0\nx' = -x\ndose 1 into x every 1\nat 0.5 { x = 0 }\n",
    )
    .expect("a model");
    let dosed = run(&["simulate", "doses.lotka", "0..2", "--stats", "json"]);
    let happened = dosed["occurrences"].as_array().expect("a list");
    assert_eq!(happened.len(), 4);
    for one in happened {
        check_fields(one, "Each of the `occurrences`:");
    }
    assert_eq!(
        (&happened[1]["what"], &happened[1]["line"]),
        (&"event".into(), &4.into())
    );

    fs::write(
        workplace.path().join("escape.lotka"),
        "state x = 1; x' = x^2",
    )
    .expect("a model");
    let partial = run(&["simulate", "escape.lotka", "0..2", "--stats", "json"]);
    check_fields(&partial, "## Statistics of a run");
    assert_eq!(
        (&partial["complete"], &partial["model"]),
        (&false.into(), &"".into())
    );

    let many = [
        "simulate",
        "models/double_well.lotka",
        "0..1",
        "--paths",
        "3",
    ];
    let paths = run(&[&many[..], &["--stats", "json"]].concat());
    check_fields(&paths, "## Paths");
    check_fields(&paths["quantiles"][0], "Each of the `quantiles`:");

    let lines = [
        "fit",
        "models/genes/velocity.lotka",
        "gamma",
        "--to",
        "splicing.csv",
        "--using",
        "extremes",
        "--format",
        "json",
    ];
    let lines = run(&lines);
    check_fields(&lines, "## Lines through extreme cells");
    check_fields(&lines["genes"][0], "Each of the `genes`:");

    let columns = ["--columns", "baseline=control", "--format", "json"];
    let screen = [
        "fit",
        "models/genes/perturbations.lotka",
        "K",
        "b",
        "--to",
        "screen.csv",
    ];
    let screen = run(&[&screen[..], &columns].concat());
    check_fields(&screen, "## Models of perturbations");
    check_fields(&screen["perturbations"][0], "Each of the `perturbations`:");

    let rest = run(&["steady", "models/griffith.lotka", "--format", "json"]);
    check_fields(&rest, "## Steady states");
    for file in ["models/griffith.lotka", "models/damped_pendulum.lotka"] {
        let stability = run(&["stability", file, "--format", "json"]);
        check_fields(&stability, "## Stability");
        let point = &stability["points"][0];
        check_fields(point, "Each of the `points`:");
        for value in point["eigenvalues"].as_array().expect("a list") {
            check_fields(value, "Each of the `eigenvalues`:");
        }
    }
    let ranges = ["stability", "models/cell_cycle.lotka", "--over", "k1, k2"];
    let oscillation = run(&[&ranges[..], &["--format", "json"]].concat());
    check_fields(&oscillation, "--over RANGES --format json`");
    let jacobian = run(&["jacobian", "models/griffith.lotka", "--format", "json"]);
    check_fields(&jacobian, "`lotka jacobian FILE --format json`");
    let file = "models/bifurcation/brusselator.lotka";
    let diagram = run(&["continue", file, "B", "--format", "json"]);
    check_fields(&diagram, "## Bifurcation diagrams");
    check_fields(&diagram["points"][0], "Each special point:");
    check_fields(&diagram["branches"][0], "Each of the `branches`:");
    let swept = [
        "sweep",
        "models/griffith.lotka",
        "a in 0.1..1 points 3",
        "--of",
        "period(x)",
        "--for",
        "0..9",
    ];
    let sweep = run(&[&swept[..], &["--format", "json"]].concat());
    check_fields(&sweep, "## Sweeps");
    check_fields(&sweep["parameters"][0], "Each of the `parameters`:");
    let fitted = [
        "fit",
        "models/lynx_hare.lotka",
        "a",
        "--to",
        "lynx_hare.csv",
        "--columns",
        "time=year",
    ];
    let fit = run(&[&fitted[..], &["--format", "json"]].concat());
    check_fields(&fit, "## Fits");
    assert_eq!(fit["schema"], "lotka-fit-1");
    check_fields(&fit["estimates"][0], "Each of the `estimates`:");
    check_fields(&fit["residuals"][0], "Each of the `residuals`:");
    let then = |more: &[&str]| run(&[&fitted[..], more, &["--format", "json"]].concat());
    let profiled = then(&["--profile", "a"]);
    check_fields(&profiled, "## Profiles");
    assert_eq!(profiled["schema"], "lotka-profile-1");
    check_fields(&profiled["profiles"][0], "Each of the `profiles`:");
    let refitted = then(&["--bootstrap", "5"]);
    check_fields(&refitted, "## Bootstraps");
    assert_eq!(refitted["schema"], "lotka-bootstrap-1");
    let model = "param k = 0.2 in 0..1, s = 0.3 in 0.01..3 log\nstate x = 8\nx' = -k*x\nobserve x ~ normal(x, s)\n";
    fs::write(workplace.path().join("seen.lotka"), model).expect("a model");
    let data = "time,x\n0,8.1\n1,6.87\n2,5.07\n3,4.88\n";
    fs::write(workplace.path().join("seen.csv"), data).expect("data");
    let sampled = run(&[
        "fit",
        "seen.lotka",
        "--to",
        "seen.csv",
        "--using",
        "nuts",
        "--draws",
        "20",
        "--format",
        "json",
    ]);
    check_fields(&sampled, "## Posterior distributions");
    assert_eq!(sampled["schema"], "lotka-posterior-1");
    check_fields(
        &sampled["parameters"][0],
        "Each of the `parameters` of a posterior:",
    );
    check_fields(&sampled["chains"][0], "Each of the `chains`:");
    let measures = ["measure", "models/griffith.lotka", "max(x)", "period(x)"];
    let measured = run(&[&measures[..], &["--format", "json"]].concat());
    check_fields(&measured, "## Measures");
    let one = &measured["runs"][0];
    check_fields(one, "Each of the `runs`:");
    for measure in one["measures"].as_array().expect("a list") {
        check_fields(measure, "Each of the `measures`:");
    }

    let text = "param idle = 1\nstate x = 1\n# \u{e9}\nx' = \u{e9} + kk\n";
    fs::write(workplace.path().join("wrong.lotka"), text).expect("a model");
    let report = run(&["check", "wrong.lotka", "--format", "json"]);
    check_fields(&report, "The object:");
    assert_eq!(report["schema"], "lotka-diagnostics-1");
    let problems = report["diagnostics"].as_array().expect("a list");
    assert!(
        problems
            .iter()
            .any(|problem| problem["severity"] == "error")
    );
    fs::write(workplace.path().join("idle.lotka"), "param k = 1").expect("a model");
    let warned = run(&["check", "idle.lotka", "--format", "json"]);
    let warnings = warned["diagnostics"].as_array().expect("a list");
    assert!(
        warnings
            .iter()
            .any(|problem| problem["severity"] == "warning")
    );
    for problem in problems.iter().chain(warnings) {
        check_fields(problem, "Each diagnostic:");
        for label in problem["labels"].as_array().expect("a list") {
            check_fields(label, "Each label:");
            for place in ["start", "end"] {
                check_fields(&label[place], "Each place:");
            }
        }
    }
    // Columns count characters, offsets bytes: the first letter of line 4 takes two.
    let unknown = problems
        .iter()
        .find(|p| p["message"].as_str().is_some_and(|m| m.contains("`kk`")));
    let place = &unknown.expect("the unknown name")["labels"][0]["start"];
    assert_eq!(
        (&place["line"], &place["column"], &place["offset"]),
        (&4.into(), &10.into(), &42.into())
    );

    let fine = run(&["check", "models/griffith.lotka", "--format", "json"]);
    assert_eq!(fine["diagnostics"], Value::Array(Vec::new()));
}
