//! The program as a shell sees it: exit codes, what goes to which stream, files good and bad.

mod support;

use serde_json::{Value, json};
use std::fs;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{Printed, Workplace, lotka, program, run};

const DECAY: &str = "param k = 0.5\nstate x = 1\nx' = -k*x\n";

/// A workplace with `m.lotka` in it.
fn place(model: &str) -> Workplace {
    let place = Workplace::new();
    place.write("m.lotka", model);
    place
}

fn code(printed: &Printed) -> i32 {
    assert!(!printed.crashed(), "{printed:?}");
    printed.status.code().expect("checked above")
}

/// Fails with this code, says this on standard error, and nothing on standard output.
fn refuses(place: &Workplace, arguments: &[&str], exit: i32, says: &str) {
    let printed = lotka(place.path(), arguments, "");
    assert_eq!(code(&printed), exit, "{arguments:?}: {printed:?}");
    assert!(printed.errors.contains(says), "{arguments:?}: {printed:?}");
    assert!(printed.output.is_empty(), "{arguments:?}: {printed:?}");
}

/// A model may come through a pipe.
#[test]
fn a_model_is_read_from_standard_input() {
    let place = Workplace::new();
    let text = format!("{DECAY}simulate 0..2\nmeasure last(x)\n");
    let printed = lotka(place.path(), &["run", "-"], &text);
    assert_eq!(code(&printed), 0, "{printed:?}");
    assert!(printed.output.contains("0.367879"), "{printed:?}");
    let printed = lotka(place.path(), &["check", "-"], "x' = (1\n");
    assert_eq!(code(&printed), 1, "{printed:?}");
    assert!(printed.errors.contains("E0103"), "{printed:?}");
}

/// A section chooses rows; what is asked of the run afterwards does not change.
#[test]
fn measures_and_sweeps_after_a_section_are_those_of_the_run() {
    let model = "param k = 2\ninput u from \"u.csv\"\nstate x = 1, v = 0\nlet f = -k*x\nx' = v\nv' = f - 0.1*v + 0*u\n";
    let asked = "measure max(v), auc(u, 0..20)\nsweep k in 1..3 points 3 of max(v), u*x + 1\n";
    let place = Workplace::new();
    place.write("u.csv", "t,u\n0,0\n30,3\n");
    let answers = |name: &str, rows: &str| {
        place.write(name, format!("{model}simulate 0..20{rows}\n{asked}"));
        let printed = lotka(place.path(), &["run", name], "");
        assert_eq!(code(&printed), 0, "{printed:?}");
        let from = printed.output.find("max(v)").expect("a measure");
        printed.output[from..].to_owned()
    };
    let plain = answers("plain.lotka", "");
    assert_eq!(answers("section.lotka", " when x == 0 rising"), plain);
    let on = "simulate 0..20 when x == 0\nsimulate 20..30 from last\n";
    place.write("on.lotka", format!("{model}{on}"));
    let printed = lotka(place.path(), &["run", "on.lotka"], "");
    assert!(
        printed.errors.contains("moments of a section"),
        "{printed:?}"
    );
}

// ---- layout ----

#[test]
fn files_are_laid_out_in_place() {
    let rough = "param k=0.5 # decay\nstate x=1\nx'=-k * x";
    let fine = "param k = 0.5  # decay\nstate x = 1\nx' = -k*x\n";
    let place = place(rough);
    place.write("fine.lotka", fine);
    place.write("wrong.lotka", "x' = (1\n");
    let read = |name: &str| fs::read_to_string(place.path().join(name)).expect("a file");
    let check = ["format", "--check", "m.lotka", "fine.lotka"];
    let printed = lotka(place.path(), &check, "");
    assert_eq!(code(&printed), 1, "{printed:?}");
    assert_eq!(printed.output, "m.lotka is not formatted\n");
    assert_eq!(read("m.lotka"), rough);
    let all = ["format", "wrong.lotka", "m.lotka", "fine.lotka", "no.lotka"];
    let printed = lotka(place.path(), &all, "");
    assert_eq!(code(&printed), 1, "{printed:?}");
    assert_eq!(printed.output, "formatted m.lotka\n");
    assert!(printed.errors.contains("E0103"), "{printed:?}");
    assert!(printed.errors.contains("E0501"), "{printed:?}");
    assert_eq!(read("m.lotka"), fine);
    assert_eq!(read("wrong.lotka"), "x' = (1\n");
    let printed = lotka(place.path(), &check, "");
    assert_eq!(code(&printed), 0, "{printed:?}");
    assert!(printed.both().is_empty(), "{printed:?}");
    let printed = lotka(place.path(), &["format", "-"], rough);
    assert_eq!((code(&printed), printed.output.as_str()), (0, fine));
    let printed = lotka(place.path(), &["format", "-", "--check"], rough);
    assert_eq!(code(&printed), 1, "{printed:?}");
    refuses(&place, &["format"], 2, "FILES");
    refuses(&place, &["format", "no.lotka"], 3, "E0501");
}

// ---- what a shell wants ----

#[test]
fn completions_manual_pages_and_versions_are_printed() {
    let place = place(DECAY);
    for (arguments, says) in [
        (&["completions", "bash"][..], "_lotka()"),
        (&["completions", "zsh"], "#compdef lotka"),
        (&["completions", "fish"], "complete -c lotka"),
        (&["man"], ".TH lotka 1"),
        (&["man", "simulate"], ".TH lotka-simulate 1"),
        (&["--version"], "features: "),
    ] {
        let printed = lotka(place.path(), arguments, "");
        assert_eq!(code(&printed), 0, "{arguments:?}: {printed:?}");
        assert!(printed.output.contains(says), "{arguments:?}: {printed:?}");
        assert!(printed.errors.is_empty(), "{arguments:?}: {printed:?}");
    }
    refuses(&place, &["completions", "tcsh"], 2, "tcsh");
    refuses(&place, &["man", "simulat"], 1, "did you mean `simulate`?");
}

#[test]
fn what_is_done_is_said_on_standard_error() {
    let place = place(&format!("{DECAY}simulate 0..1\nsave \"out.csv\"\n"));
    let quiet = lotka(place.path(), &["run", "m.lotka"], "");
    let printed = lotka(place.path(), &["run", "-v", "m.lotka", "--force"], "");
    assert_eq!(quiet.output, printed.output);
    assert!(quiet.errors.is_empty());
    for says in [
        "reading m.lotka: 0.",
        "simulate 0..1: 0.",
        "save \"out.csv\"",
    ] {
        assert!(printed.errors.contains(says), "{printed:?}");
    }
}

// ---- exit codes and streams ----

#[test]
fn success_speaks_on_standard_output_alone() {
    let place = place(&format!("{DECAY}simulate 0..1 points 3\n"));
    for arguments in [
        &["run", "m.lotka"][..],
        &["check", "m.lotka"],
        &["show", "m.lotka"],
        &["simulate", "m.lotka"],
        &["help"],
        &["--help"],
        &["--version"],
    ] {
        let printed = lotka(place.path(), arguments, "");
        assert_eq!(code(&printed), 0, "{arguments:?}: {printed:?}");
        assert!(printed.errors.is_empty(), "{arguments:?}: {printed:?}");
        assert!(!printed.output.is_empty(), "{arguments:?}");
    }
}

#[test]
fn each_kind_of_failure_has_its_exit_code() {
    let place = place("state x = 1\nx' = -kk*x\nsimulate 0..1\n");
    for action in ["run", "check", "show", "simulate"] {
        refuses(&place, &[action, "m.lotka"], 1, "E0201");
    }
    refuses(&place, &["frobnicate"], 2, "frobnicate");
    refuses(&place, &["run"], 2, "FILE");
    refuses(
        &place,
        &["simulate", "m.lotka", "--repeat", "0"],
        2,
        "repeat",
    );
    refuses(
        &place,
        &["run", "missing.lotka"],
        3,
        "E0501: cannot read missing.lotka",
    );
    refuses(&place, &["run", "models"], 3, "this is a folder");
    place.write(
        "data.lotka",
        format!("{DECAY}simulate 0..1\nplot x over \"no.csv\"\n"),
    );
    refuses(&place, &["run", "data.lotka"], 3, "E0501");
    place.write(
        "partial.lotka",
        "state x = 1\nx' = x^2\nsimulate 0..2\nsave \"out.csv\"\n",
    );
    let printed = lotka(place.path(), &["run", "partial.lotka"], "");
    assert_eq!(code(&printed), 4, "{printed:?}");
    assert!(printed.errors.contains("E0602"), "{printed:?}");
    assert!(
        printed.output.contains("simulated only t = 0 to"),
        "{printed:?}"
    );
    let kept = fs::read_to_string(place.path().join("out.csv")).expect("the partial run");
    assert!(kept.lines().count() > 10, "{kept}");
}

#[test]
fn nothing_runs_when_a_later_sentence_is_wrong() {
    let place = place(&format!(
        "{DECAY}simulate 0..1\nsave \"out.csv\"\nplot yy\n"
    ));
    refuses(&place, &["run", "m.lotka"], 1, "E0201");
    assert!(!place.path().join("out.csv").exists());
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_run_and_keeps_what_there_is() {
    let place = place("state x = 1, v = 0\nx' = v\nv' = -x\n");
    let arguments = [
        "simulate", "m.lotka", "0..1e9", "--rtol", "1e-12", "--points", "1001", "--save", "out.csv",
    ];
    let started = Instant::now();
    let child = program(place.path(), &arguments)
        .spawn()
        .expect("the program starts");
    std::thread::sleep(Duration::from_millis(700));
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("a signal");
    assert!(sent.success());
    let ended = child.wait_with_output().expect("it ends");
    assert!(started.elapsed() < Duration::from_secs(20));
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{errors}");
    assert!(
        errors.contains("E0605: stopped by the user at t = "),
        "{errors}"
    );
    assert!(place.path().join("out.csv").exists());
}

#[test]
fn a_deadline_ends_a_run_as_partial() {
    let place = place("state x = 1, v = 0\nx' = v\nv' = -x\n");
    let arguments = [
        "simulate",
        "m.lotka",
        "0..1e9",
        "--rtol",
        "1e-12",
        "--points",
        "1001",
        "--save",
        "out.csv",
        "--max-time",
        "0.5",
    ];
    let printed = lotka(place.path(), &arguments, "");
    assert_eq!(code(&printed), 4, "{printed:?}");
    let says = "E0605: stopped by --max-time at t = ";
    assert!(printed.errors.contains(says), "{printed:?}");
    assert!(place.path().join("out.csv").exists());
    for wrong in ["0", "-1", "soon"] {
        let flag = format!("--max-time={wrong}");
        refuses(&place, &["run", "m.lotka", &flag], 2, "max-time");
    }
    let printed = lotka(place.path(), &["check", "m.lotka", "--max-time", "60"], "");
    assert_eq!(code(&printed), 0, "{printed:?}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let place = Workplace::new();
    let mut child = program(place.path(), &["show", "models/pollu.lotka", "jacobian"])
        .spawn()
        .expect("the program starts");
    let output = child.stdout.take().expect("a pipe");
    let mut line = String::new();
    BufReader::with_capacity(16, output)
        .read_line(&mut line)
        .expect("a line");
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0));
    assert!(
        ended.stderr.is_empty(),
        "{:?}",
        String::from_utf8_lossy(&ended.stderr)
    );
}

// ---- files to read ----

#[test]
fn files_that_are_no_models_are_refused() {
    let place = Workplace::new();
    // Bytes of a linear congruential generator (Knuth's MMIX): binary, but the same every time.
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..5_000_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect();
    place.write("noise.lotka", &noise);
    refuses(&place, &["run", "noise.lotka"], 3, "E0503");
    let letters: Vec<u8> = noise.iter().map(|byte| 32 + byte % 95).collect();
    place.write("letters.lotka", &letters);
    assert_eq!(code(&lotka(place.path(), &["run", "letters.lotka"], "")), 1);
    let lines: Vec<u8> = letters[..500_000]
        .chunks(60)
        .flat_map(|line| [line, b"\n"].concat())
        .collect();
    place.write("lines.lotka", &lines);
    let printed = lotka(place.path(), &["run", "lines.lotka"], "");
    assert_eq!(code(&printed), 1);
    assert!(printed.errors.contains("more problems"));
    place.write("utf16.lotka", [0xff, 0xfe, b'x', 0, b'\n', 0]);
    refuses(&place, &["run", "utf16.lotka"], 3, "E0503");
    place.write("latin1.lotka", b"# gr\xf6\xdfe\nstate x = 1\nx' = -x\n");
    refuses(
        &place,
        &["check", "latin1.lotka"],
        3,
        "save the file as UTF-8",
    );
    place.write("empty.lotka", "");
    refuses(&place, &["run", "empty.lotka"], 1, "E0215");
    place.write("comments.lotka", "# nothing\n\n");
    refuses(&place, &["check", "comments.lotka"], 1, "E0215");
}

#[test]
fn how_a_text_is_stored_does_not_matter() {
    let plain =
        "param μ = 0.5\nstate β₁ = 1,\n  y = 0\nβ₁' = -μ*β₁\ny' = μ*β₁\nsimulate 0..1 points 3\n";
    let place = Workplace::new();
    place.write("m.lotka", plain);
    let expected = lotka(place.path(), &["run", "m.lotka"], "");
    assert_eq!(code(&expected), 0, "{expected:?}");
    for text in [
        plain.replace('\n', "\r\n"),
        format!("\u{feff}{plain}"),
        format!("\u{feff}{}", plain.replace('\n', "\r\n")),
        plain.trim_end().to_owned(),
        plain.replace(' ', "\t"),
        plain.replace(" = ", "="),
    ] {
        place.write("m.lotka", &text);
        let printed = lotka(place.path(), &["run", "m.lotka"], "");
        assert_eq!(printed.output, expected.output, "{text:?}: {printed:?}");
        assert_eq!(code(&printed), 0, "{text:?}");
    }
}

#[test]
fn too_much_of_anything_is_a_plain_error() {
    let place = Workplace::new();
    let deep = 10_000;
    let chain: String = (1..5000)
        .map(|i| format!("fn f{i}(x) = f{}(x) + 1\n", i - 1))
        .collect();
    let twins: String = (1..60)
        .map(|i| format!("fn f{i}(x) = f{0}(x)*f{0}(x)\n", i - 1))
        .collect();
    let cases = [
        (
            "parentheses",
            format!(
                "state x = 1\nx' = {}x{}\n",
                "(".repeat(deep),
                ")".repeat(deep)
            ),
            "E0105",
        ),
        (
            "brackets",
            format!("state x = 1\nx' = {}x\n", "[".repeat(deep)),
            "E0105",
        ),
        ("a number", "state x = 1e999\nx' = -x\n".to_owned(), "E0106"),
        (
            "a sum",
            format!("state x = 1\nx' = x{}\n", " + x".repeat(100_000)),
            "E0105",
        ),
        (
            "powers",
            format!("state x = 1\nx' = x{}\n", "^x".repeat(100_000)),
            "E0105",
        ),
        (
            "signs",
            format!("state x = 1\nx' = {}x\n", "-".repeat(100_000)),
            "E0105",
        ),
        (
            "choices",
            format!(
                "state x = 1\nx' = {}x\n",
                "if x > 1 then 2 else ".repeat(deep)
            ),
            "E0105",
        ),
        (
            "calls",
            format!(
                "state x = 1\nx' = {}x{}\n",
                "sin(".repeat(deep),
                ")".repeat(deep)
            ),
            "E0105",
        ),
        (
            "recursion",
            "fn f(x) = f(x - 1)\nstate x = 1\nx' = f(x)\n".to_owned(),
            "E0211",
        ),
        (
            "functions",
            format!("fn f0(x) = x\n{chain}state x = 1\nx' = -f4999(x)\n"),
            "E0105",
        ),
        (
            "doublings",
            format!("fn f0(x) = x + 1\n{twins}state x = 1\nx' = f59(x)\nsimulate 0..1\n"),
            "E0601",
        ),
        (
            "exponents",
            "state x = 2\nx' = x^1000000\nsimulate 0..1\n".to_owned(),
            "E0601",
        ),
        (
            "elements",
            "index i = 1..100000\nparam A[i, i] = 1\nstate u[i] = 1\nu' = A*u\n".to_owned(),
            "E0305",
        ),
        (
            "rounds",
            "index i = 1..3\nstate u[i] = 1\nfor k in 1..1e9 { u[1]' = 1 }\n".to_owned(),
            "E0305",
        ),
        (
            "times",
            format!("{DECAY}simulate 0..1 step 1e-300\n"),
            "E0702",
        ),
        (
            "points",
            format!("{DECAY}simulate 0..1 points 1e15\n"),
            "E0702",
        ),
    ];
    for (what, text, expected) in cases {
        place.write("m.lotka", &text);
        let printed = lotka(place.path(), &["run", "m.lotka"], "");
        assert_ne!(code(&printed), 0, "{what}: {printed:?}");
        assert!(printed.errors.contains(expected), "{what}: {printed:?}");
        assert!(printed.errors.len() < 20_000, "{what}");
        assert!(
            printed.took < Duration::from_secs(20),
            "{what}: {:?}",
            printed.took
        );
    }
}

// ---- diagnostics ----

#[test]
fn diagnostics_as_json_have_exact_ranges() {
    // The letters before the slip take more bytes than columns.
    let place = place("state größe = 1\ngröße' = -größe*ratte\nlet z = größe\nlet z = 2\n");
    let printed = lotka(place.path(), &["check", "m.lotka", "--format", "json"], "");
    assert_eq!(code(&printed), 1);
    assert!(printed.errors.is_empty(), "{printed:?}");
    assert_eq!(printed.output.lines().count(), 1);
    let report: Value = serde_json::from_str(&printed.output).expect("JSON");
    let found = report["diagnostics"].as_array().expect("an array");
    let codes: Vec<&str> = found
        .iter()
        .filter_map(|one| one["code"].as_str())
        .collect();
    assert_eq!(codes, ["E0201", "E0202"]);
    let place = |one: &Value, end: &str| {
        let place = &one["labels"][0][end];
        ["line", "column", "offset"].map(|part| place[part].as_u64().expect("a number"))
    };
    // `ratte`: characters 17 to 21 of the second line; 18 bytes stand before that line, and ö and
    // ß are two bytes each.
    assert_eq!(place(&found[0], "start"), [2, 17, 18 + 20]);
    assert_eq!(place(&found[0], "end"), [2, 22, 18 + 25]);
    assert_eq!(found[0]["severity"], "error");
    assert_eq!(found[0]["labels"][0]["file"], "m.lotka");
    assert_eq!(found[1]["labels"].as_array().map(Vec::len), Some(2));
}

#[test]
fn ranges_are_exact_over_lines_beyond_the_basic_plane_and_at_the_end() {
    // A byte order mark (3 bytes), a comment with letters of 2 and 4 bytes, Windows line ends, a
    // declaration over two lines, and a name at the very end of the file.
    let text = "\u{feff}# \u{b5} \u{1f407} \u{e9}\r\nstate x = 1\r\nlet a = 1\r\ncondition c {\r\n \
                assert x <\r\n  1 }\r\n`\u{1f407}` = 2; x' = -x*kk";
    let place = place(text);
    let printed = lotka(place.path(), &["check", "m.lotka", "--format", "json"], "");
    let report: Value = serde_json::from_str(&printed.output).expect("JSON");
    let found = report["diagnostics"].as_array().expect("an array");
    let label_of = |code: &str| {
        let one = found.iter().find(|one| one["code"] == code);
        let one = one.unwrap_or_else(|| panic!("{code}: {report}"));
        assert!(
            one["page"]
                .as_str()
                .is_some_and(|page| page.starts_with("diagnostics/names.md#")
                    && page.contains(&code.to_lowercase())),
            "{one}"
        );
        one["labels"][0].clone()
    };
    let placed = |label: &Value, end: &str| {
        let place = &label[end];
        ["line", "column", "utf16", "offset"].map(|part| place[part].as_u64().expect("a number"))
    };
    let covered = |label: &Value| {
        let at = |end: &str| usize::try_from(placed(label, end)[3]).expect("small");
        text.get(at("start")..at("end")).map(str::to_owned)
    };
    // A statement of two lines where none may stand.
    let assertion = label_of("E0210");
    assert_eq!(covered(&assertion).as_deref(), Some("assert x <\r\n  1"));
    assert_eq!(placed(&assertion, "start")[..3], [5, 2, 2]);
    assert_eq!(placed(&assertion, "end")[..3], [6, 4, 4]);
    // The last two bytes: a hare before them is one character, and two units of UTF-16.
    let unknown = label_of("E0201");
    let codes: Vec<&Value> = found.iter().map(|one| &one["message"]).collect();
    let last = found
        .iter()
        .map(|one| &one["labels"][0])
        .find(|label| covered(label).as_deref() == Some("kk"));
    let last = last.unwrap_or_else(|| panic!("{codes:?} {unknown}"));
    assert_eq!(placed(last, "start"), [7, 18, 19, (text.len() - 2) as u64]);
    assert_eq!(placed(last, "end"), [7, 20, 21, text.len() as u64]);
}

#[test]
fn codes_are_explained() {
    let place = place(DECAY);
    let explained = |arguments: &[&str]| {
        let printed = lotka(place.path(), &[&["explain"], arguments].concat(), "");
        assert_eq!(code(&printed), 0, "{printed:?}");
        assert!(printed.errors.is_empty(), "{printed:?}");
        assert!(!printed.output.contains('\u{1b}'), "{printed:?}");
        printed.output
    };
    let page = explained(&["E0107"]);
    assert!(page.starts_with("E0107: a quotation mark is never closed\n\n"));
    assert!(page.contains("\n    save \"decay.csv\"\n"), "{page}");
    assert_eq!(explained(&["e0107"]), page);
    let both = explained(&["E0107", "W0201"]);
    assert!(both.starts_with(&page) && both.contains("W0201: a parameter that nothing uses"));
    assert!(explained(&["E06"]).contains("E0604  a stiff system met by an explicit method"));
    assert!(explained(&[]).contains("06  numerical work"));
    // The same at the prompt.
    let talked = lotka(place.path(), &["repl"], "explain e0107\n");
    assert_eq!(talked.output, page);
    refuses(&place, &["explain", "E0661"], 2, "did you mean W0661?");
    refuses(&place, &["explain", "rabbits"], 2, "there is no such code");
}

#[test]
fn warnings_are_allowed_one_by_one() {
    let text = "param spare = 1, other = 2\nstate x = 1\nx' = -x\nsimulate 0..1\n";
    let warns = |text: &str, arguments: &[&str]| -> Vec<String> {
        let place = place(text);
        let mut told = Vec::new();
        for action in ["check", "run"] {
            let call = [&[action, "m.lotka"], arguments].concat();
            let printed = lotka(place.path(), &call, "");
            assert_eq!(code(&printed), 0, "{printed:?}");
            let lines = printed
                .errors
                .lines()
                .filter(|line| line.contains('\u{26a0}'));
            let here: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
            assert!(action == "check" || here == told, "{here:?} {told:?}");
            told = here;
        }
        told
    };
    assert_eq!(warns(text, &[]).len(), 2);
    assert!(warns(text, &["--allow", "W0201"]).is_empty());
    assert!(warns(&format!("{text}allow W0201\n"), &[]).is_empty());
    let one = warns(&format!("allow W0201 of spare\n{text}"), &[]);
    assert!(matches!(one.as_slice(), [only] if only.contains("`other`")));
    let idle = warns(&format!("allow W0201 of x\nallow W0201\n{text}"), &[]);
    assert!(matches!(idle.as_slice(), [only] if only.contains("W0203")));
    // What only runs could have given is judged after them.
    let place = place(&format!("allow W0601\nallow W0201\n{text}"));
    let checked = lotka(place.path(), &["check", "m.lotka"], "");
    assert!(checked.errors.is_empty(), "{checked:?}");
    let ran = lotka(place.path(), &["run", "m.lotka"], "");
    assert!(
        ran.errors.contains("nothing gives the warning W0601"),
        "{ran:?}"
    );
    refuses(
        &place,
        &["check", "m.lotka", "--allow", "E0201"],
        2,
        "is an error",
    );
    refuses(
        &place,
        &["check", "m.lotka", "--allow", "W9"],
        2,
        "no such warning",
    );
}

#[test]
fn a_sound_file_has_an_empty_json_report() {
    let place = place(DECAY);
    let printed = lotka(place.path(), &["check", "m.lotka", "--format", "json"], "");
    assert_eq!(code(&printed), 0);
    let report: Value = serde_json::from_str(&printed.output).expect("JSON");
    assert_eq!(report["diagnostics"].as_array().map(Vec::len), Some(0));
}

#[test]
fn warnings_do_not_fail() {
    let place = place("param unused = 1\nstate x = 1\nx' = -x\nsimulate 0..1\n");
    for action in ["run", "check"] {
        let printed = lotka(place.path(), &[action, "m.lotka"], "");
        assert_eq!(code(&printed), 0, "{printed:?}");
        assert!(printed.errors.contains("W0201"), "{printed:?}");
        assert!(!printed.output.is_empty());
    }
}

#[test]
fn text_keeps_to_the_width_and_to_plain_characters() {
    let place = place(
        "param alpha = 1, beta = 2\nstate prey = 10, predator = 5\nprey' = alfa*prey - beta*prey*predator*gamma*delta*prey*predator*gamma*delta\npredator' = beta*prey\n",
    );
    for (columns, most) in [("20", 40), ("40", 40), ("60", 60), ("200", 200)] {
        for arguments in [
            &["check", "m.lotka"][..],
            &["run", "models/lynx_hare.lotka"],
            &["show", "models/pollu.lotka"],
            &["help"],
        ] {
            let mut command = program(place.path(), arguments);
            command.env("COLUMNS", columns);
            let printed = run(command, arguments, "");
            let text = printed.both();
            assert!(!text.contains('\u{1b}'), "{arguments:?}: {text}");
            for line in text.lines() {
                // Sentences and equations are not wrapped, nor are the words under a line.
                let is_wrapped = arguments[0] == "check" && !line.contains('·');
                if is_wrapped {
                    assert!(
                        line.chars().count() <= most,
                        "{columns} {arguments:?}: {line}"
                    );
                }
            }
        }
    }
    let mut command = program(place.path(), &["check", "m.lotka"]);
    command.env_remove("NO_COLOR").env("TERM", "xterm-256color");
    let printed = run(command, &[], "");
    assert!(
        !printed.errors.contains('\u{1b}'),
        "a pipe has no colours: {}",
        printed.errors
    );
}

// ---- simulate ----

fn stats(place: &Workplace, arguments: &[&str]) -> Value {
    let mut all = vec!["simulate", "m.lotka"];
    all.extend(arguments);
    all.extend(["--stats", "json"]);
    let printed = lotka(place.path(), &all, "");
    assert_eq!(code(&printed), 0, "{printed:?}");
    assert_eq!(printed.output.lines().count(), 1, "{}", printed.output);
    serde_json::from_str(&printed.output).expect("one JSON object")
}

fn last(stats: &Value) -> f64 {
    let rows = stats["states"].as_array().expect("rows");
    rows.last().expect("a row")[0].as_f64().expect("a number")
}

#[test]
fn statistics_are_one_object_with_every_field() {
    let place = place(&format!("model decay\n{DECAY}simulate 0..3\n"));
    let found = stats(&place, &["--repeat", "3", "--points", "4"]);
    let object = found.as_object().expect("an object");
    for field in [
        "schema",
        "model",
        "method",
        "rtol",
        "atol",
        "repeats",
        "parse_s",
        "check_s",
        "compile_s",
        "solve_s",
        "steps",
        "rejected",
        "evaluations",
        "jacobians",
        "factorisations",
        "names",
        "times",
        "states",
    ] {
        assert!(object.contains_key(field), "{field}: {found}");
    }
    assert_eq!(found["model"], "decay");
    assert_eq!(found["repeats"], 3);
    assert_eq!(found["names"], serde_json::json!(["x"]));
    assert_eq!(found["times"], serde_json::json!([0.0, 1.0, 2.0, 3.0]));
    // exp(-0.5*3)
    assert!((last(&found) - 0.223_130_160_148_429_8).abs() < 1e-5);
    for time in ["parse_s", "check_s", "compile_s", "solve_s"] {
        assert!(
            found[time]
                .as_f64()
                .is_some_and(|seconds| (0.0..10.0).contains(&seconds)),
            "{time}"
        );
    }
}

#[test]
fn flags_come_before_the_sentence_of_the_file() {
    let place = place(&format!(
        "{DECAY}condition still {{ k = 0 }}\nk = 1\nsimulate 0..2 points 3 rtol 1e-9 with x = 3\nsimulate 0..9\n"
    ));
    // 3*exp(-2): the assignment and the options of the file's first sentence hold.
    assert!((last(&stats(&place, &[])) - 3.0 * (-2.0_f64).exp()).abs() < 1e-8);
    assert_eq!(
        stats(&place, &["--points", "5"])["times"]
            .as_array()
            .map(Vec::len),
        Some(5)
    );
    assert_eq!(stats(&place, &["--rtol", "1e-4"])["rtol"], 1e-4);
    assert_eq!(stats(&place, &["--using", "bdf"])["method"], "bdf");
    assert!((last(&stats(&place, &["--with", "x=1"])) - (-2.0_f64).exp()).abs() < 1e-8);
    let twice = stats(&place, &["--with", "x=1", "--with", "k = 2"]);
    assert!((last(&twice) - (-4.0_f64).exp()).abs() < 1e-8);
    assert_eq!(last(&stats(&place, &["--in", "still"])), 3.0);
    // A range of its own stands for a sentence of its own, after the assignments.
    let other = stats(&place, &["0..1", "--at", "0, 0.5, 1", "--rtol", "1e-9"]);
    assert!((last(&other) - (-1.0_f64).exp()).abs() < 1e-8);
    assert_eq!(other["times"], serde_json::json!([0.0, 0.5, 1.0]));
    let negative = stats(&place, &["0..1", "--with", "x=-2", "--points", "2"]);
    assert!(last(&negative) < 0.0);
}

#[test]
fn wrong_flags_are_named() {
    let place = place(DECAY);
    refuses(
        &place,
        &["simulate", "m.lotka"],
        1,
        "no `simulate` sentence",
    );
    refuses(&place, &["simulate", "m.lotka", "5"], 1, "E0703");
    refuses(
        &place,
        &["simulate", "m.lotka", "0..1", "--with", "kk=1"],
        1,
        "`kk` is not declared",
    );
    refuses(
        &place,
        &["simulate", "m.lotka", "0..1", "--with", "k"],
        1,
        "E0702",
    );
    refuses(
        &place,
        &["simulate", "m.lotka", "0..1", "--using", "bfd"],
        1,
        "did you mean `bdf`?",
    );
    refuses(
        &place,
        &["simulate", "m.lotka", "0..1", "--in", "nowhere"],
        1,
        "no condition `nowhere`",
    );
    refuses(
        &place,
        &["simulate", "m.lotka", "0..1", "--step=-1"],
        1,
        "must be positive",
    );
    refuses(
        &place,
        &["simulate", "m.lotka", "0..1", "--stats", "xml"],
        2,
        "xml",
    );
    refuses(
        &place,
        &["show", "m.lotka", "equation"],
        1,
        "did you mean `equations`?",
    );
    refuses(
        &place,
        &["show", "m.lotka", "equations", "--as", "tex"],
        1,
        "latex",
    );
}

#[test]
fn the_flags_of_a_fit_spell_its_sentence() {
    fn fit<'a>(flags: &[&'a str]) -> Vec<&'a str> {
        [&["fit", "m.lotka", "k", "--to", "d.csv"], flags].concat()
    }

    let place = place(DECAY);
    place.write("d.csv", "day,y\n0,1\n1,0.6\n2,0.37\n");
    let named = fit(&[
        "--columns",
        "time=day,x=y",
        "--using",
        "lbfgs",
        "--format",
        "json",
    ]);
    let printed = lotka(place.path(), &named, "");
    assert_eq!(code(&printed), 0, "{printed:?}");
    let json: Value = serde_json::from_str(&printed.output).expect("JSON");
    assert_eq!(
        (&json["method"], &json["count"]),
        (&"lbfgs".into(), &3.into())
    );
    refuses(&place, &fit(&[]), 3, "no column `time` or `t`");
    refuses(&place, &fit(&["--using", "lmm"]), 1, "did you mean `lm`?");
    refuses(&place, &fit(&["--by", "hour"]), 1, "followed by `subject`");
    refuses(&place, &["fit", "m.lotka", "k"], 2, "--to");
    refuses(
        &place,
        &["fit", "m.lotka", "q", "--to", "d.csv"],
        1,
        "fit q to \"d.csv\"",
    );
}

#[test]
fn statistics_of_a_partial_run_are_printed_and_fail() {
    let place = place("state x = 1\nx' = x^2\n");
    let arguments = [
        "simulate", "m.lotka", "0..2", "--points", "21", "--stats", "json",
    ];
    let printed = lotka(place.path(), &arguments, "");
    assert_eq!(code(&printed), 4);
    let found: Value = serde_json::from_str(&printed.output).expect("one JSON object");
    assert_eq!(found["complete"], false);
    // x = 1/(1 - t) ends at t = 1.
    assert_eq!(found["times"].as_array().map(Vec::len), Some(11));
    assert!(printed.errors.contains("E0602"), "{printed:?}");
}

// ---- files to write ----

#[test]
fn saved_numbers_are_read_back_exactly() {
    let place = place(&format!("{DECAY}let y = x/3\n"));
    let arguments = ["0..1", "--points", "7", "--rtol", "1e-9"];
    let found = stats(&place, &arguments);
    let mut all = vec!["simulate", "m.lotka"];
    all.extend(arguments);
    all.extend(["--save", "out.csv"]);
    assert_eq!(code(&lotka(place.path(), &all, "")), 0);
    let text = fs::read_to_string(place.path().join("out.csv")).expect("a table");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("time,x,y"));
    let mut rows = 0;
    for (row, line) in lines.enumerate() {
        let numbers: Vec<f64> = line
            .split(',')
            .map(|cell| cell.parse().expect("a number"))
            .collect();
        assert_eq!(Some(numbers[0]), found["times"][row].as_f64());
        assert_eq!(Some(numbers[1]), found["states"][row][0].as_f64());
        assert_eq!(numbers[2], numbers[1] / 3.0);
        rows += 1;
    }
    assert_eq!(rows, 7);
}

#[test]
fn figures_are_drawn_by_the_ending_of_their_name() {
    let place = place(DECAY);
    for (name, start) in [
        ("f.svg", &b"<svg"[..]),
        ("f.png", b"\x89PNG"),
        ("f.SVG", b"<svg"),
    ] {
        let arguments = ["simulate", "m.lotka", "0..1", "--plot", name];
        let printed = lotka(place.path(), &arguments, "");
        assert_eq!(code(&printed), 0, "{printed:?}");
        let bytes = fs::read(place.path().join(name)).expect("a figure");
        let opens = bytes
            .windows(start.len())
            .take(200)
            .any(|window| window == start);
        assert!(opens, "{name}");
    }
    let printed = lotka(
        place.path(),
        &["simulate", "m.lotka", "0..1", "--plot", "f.pdf"],
        "",
    );
    assert_eq!(code(&printed), 3, "{printed:?}");
    assert!(printed.errors.contains("E0506"), "{printed:?}");
    let printed = lotka(place.path(), &["simulate", "m.lotka", "0..1", "--plot"], "");
    assert_eq!(code(&printed), 0);
    assert!(printed.output.lines().count() > 16, "{printed:?}");
}

#[test]
fn what_cannot_be_written_is_said() {
    let place = place(DECAY);
    for path in ["nowhere/out.csv", "m.lotka/out.csv", "models"] {
        let arguments = ["simulate", "m.lotka", "0..1", "--save", path];
        let printed = lotka(place.path(), &arguments, "");
        assert_eq!(code(&printed), 3, "{path}: {printed:?}");
        assert!(printed.errors.contains("E0502"), "{path}: {printed:?}");
        assert!(
            printed.output.contains("simulated t = 0 to 1"),
            "the run itself is fine"
        );
    }
    let arguments = ["simulate", "m.lotka", "0..1", "--plot", "nowhere/f.svg"];
    let printed = lotka(place.path(), &arguments, "");
    assert_eq!(code(&printed), 3, "{printed:?}");
    let leftovers = support::entries(place.path())
        .iter()
        .filter(|path| path.to_string_lossy().contains("partial"))
        .count();
    assert_eq!(leftovers, 0);
}

#[test]
fn what_was_there_before_is_kept() {
    let place = place(&format!(
        "{DECAY}simulate 0..1\nsave \"out.csv\"\nplot to \"out.svg\"\n"
    ));
    let first = lotka(place.path(), &["run", "m.lotka"], "");
    assert_eq!(code(&first), 0, "{first:?}");
    let written = |name: &str| fs::read(place.path().join(name)).expect("a file");
    let before = (written("out.csv"), written("out.svg"));
    place.write("out.csv", "mine");
    // Both are told, and nothing is computed for them.
    let printed = lotka(place.path(), &["run", "m.lotka"], "");
    assert_eq!(code(&printed), 3, "{printed:?}");
    for says in [
        "out.csv: it is there already",
        "out.svg: it is there already",
        "`--force`",
    ] {
        assert!(printed.errors.contains(says), "{printed:?}");
    }
    assert!(printed.output.is_empty(), "{printed:?}");
    assert_eq!(written("out.csv"), b"mine");
    refuses(
        &place,
        &["simulate", "m.lotka", "--save", "out.csv"],
        3,
        "there already",
    );
    let forced = lotka(place.path(), &["run", "m.lotka", "--force"], "");
    assert_eq!(code(&forced), 0, "{forced:?}");
    let csv = written("out.csv");
    assert_eq!(csv, before.0);
    // At the prompt, what was written a moment ago is replaced.
    let typed = "simulate 0..1\nplot to \"new.svg\"\nplot to \"new.svg\"\nplot to \"out.svg\"\n";
    let printed = lotka(place.path(), &["repl", "m.lotka"], typed);
    assert_eq!(
        printed.output.matches("wrote new.svg").count(),
        2,
        "{printed:?}"
    );
    assert_eq!(
        printed.errors.matches("there already").count(),
        1,
        "{printed:?}"
    );
}

/// SHA-256 of "state x = 1\n" by `sha256sum`.
#[test]
fn every_output_has_a_stamp() {
    let place = place("");
    place.write("used.lotka", "state x = 1\n");
    let model = "use \"used.lotka\"\nparam k = 1\nx' = -k*x\n";
    let asks = "k = 2\nsimulate 0..1 rtol 1e-5\nsave \"o.csv\"\nplot x to \"o.svg\"\nplot x to \"o.png\"\n";
    place.write("n.lotka", format!("{model}{asks}"));
    let arguments = ["run", "n.lotka"];
    assert_eq!(code(&lotka(place.path(), &arguments, "")), 0);
    let file = |name: &str| fs::read(place.path().join(name)).expect("a file");
    let beside: Value = serde_json::from_slice(&file("o.csv.stamp.json")).expect("JSON");
    assert_eq!(beside["command_line"], json!(["lotka", "run", "n.lotka"]));
    assert_eq!(beside["values"], json!(["k = 2.0"]));
    assert_eq!(beside["sentence"], "save \"o.csv\"");
    assert_eq!(beside["run"]["sentence"], "simulate 0..1 rtol 1e-5");
    assert_eq!(beside["run"]["rtol"], json!(1e-5));
    let files = beside["files"].as_array().expect("a list");
    let of = |name: &str| {
        let mut named = files.iter().filter(|one| {
            one["path"]
                .as_str()
                .is_some_and(|path| path.ends_with(name))
        });
        named
            .next()
            .map(|one| one["sha256"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(
        of("used.lotka").as_deref(),
        Some("8b3ab7521d1a4eaf9df6b755a9931f7ec436c7953688ae9cea32dd0f061fe6c1")
    );
    assert!(of("n.lotka").is_some());
    let svg = String::from_utf8(file("o.svg")).expect("text");
    let (_, rest) = svg.split_once("<metadata>").expect("metadata");
    let (stamp, _) = rest.split_once("</metadata>").expect("its end");
    let of_svg: Value =
        serde_json::from_str(&stamp.replace("&lt;", "<").replace("&amp;", "&")).expect("JSON");
    assert_eq!(of_svg["sentence"], "plot x to \"o.svg\"");
    let png = file("o.png");
    let mut reader = png::Decoder::new(std::io::Cursor::new(&png))
        .read_info()
        .expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut pixels).expect("pixels");
    let chunk = &reader.info().utf8_text[0];
    assert_eq!(chunk.keyword, "lotka-stamp");
    let of_png: Value = serde_json::from_str(&chunk.get_text().expect("text")).expect("JSON");
    assert_eq!(of_png["files"], beside["files"]);
    let printed = lotka(place.path(), &["steady", "n.lotka", "--format", "json"], "");
    let answer: Value = serde_json::from_str(&printed.output).expect("JSON");
    assert_eq!(answer["stamp"]["sentence"], "steady");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_said() {
    let place = place(DECAY);
    for arguments in [
        &["show", "m.lotka"][..],
        &["simulate", "m.lotka", "0..1"],
        &["simulate", "m.lotka", "0..1", "--stats", "json"],
        &["check", "m.lotka", "--format", "json"],
    ] {
        let full = File::options()
            .write(true)
            .open("/dev/full")
            .expect("the full device");
        let mut command = program(place.path(), arguments);
        command.stdout(Stdio::from(full));
        let ended = command
            .spawn()
            .and_then(std::process::Child::wait_with_output)
            .expect("it ends");
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(3), "{arguments:?}: {errors}");
        assert!(errors.contains("no space left"), "{arguments:?}: {errors}");
    }
}
