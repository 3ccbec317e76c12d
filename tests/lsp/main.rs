//! Conversations with the language server, as an editor leads them.

#[path = "../support/mod.rs"]
mod support;

mod client;
mod grammar;

use client::{Client, edited, place, position, under, uri};
use serde_json::{Value, json};
use support::{Workplace, root};

const MODEL: &str = "file:///nowhere/m.lotka";

/// A server with one text open.
fn with(text: &str) -> Client {
    let mut client = Client::start();
    client.open(MODEL, text);
    client
}

/// Lines and columns where locations begin.
fn starts(locations: &Value) -> Vec<(u64, u64)> {
    let all = locations.as_array().expect("a list").iter();
    all.map(|one| {
        let start = &one["range"]["start"];
        let number = |key: &str| start[key].as_u64().expect("a number");
        (number("line"), number("character"))
    })
    .collect()
}

// ---- life and death ----

#[test]
fn it_greets_and_leaves() {
    let client = Client::start();
    let told = &client.greeting;
    assert_eq!(told["serverInfo"]["name"], "lotka");
    for what in [
        "hover",
        "definition",
        "references",
        "rename",
        "documentSymbol",
    ] {
        assert!(
            !told["capabilities"][format!("{what}Provider")].is_null(),
            "{what}"
        );
    }
    assert_eq!(client.leave().code(), Some(0));
}

#[test]
fn an_editor_that_goes_away_takes_the_server_with_it() {
    assert_eq!(Client::start().ended().code(), Some(1));
    let mut client = Client::start();
    client.tell("exit", Value::Null);
    assert_eq!(client.ended().code(), Some(1));
}

#[test]
fn what_is_not_known_is_answered_and_survived() {
    let mut client = with("state x = 1\nx' = -x\n");
    let error = client
        .ask("workspace/diagnostic", json!({}))
        .expect_err("no such request");
    assert_eq!(error["code"], -32601, "MethodNotFound");
    client.tell("$/whatever", json!({"a": 1}));
    client.tell("textDocument/didChange", json!({"nonsense": true}));
    let error = client
        .ask("textDocument/hover", json!({}))
        .expect_err("no place");
    assert_eq!(error["code"], -32602, "InvalidParams");
    let error = client
        .at(
            "hover",
            "file:///not/open.lotka",
            json!({"line": 0, "character": 0}),
        )
        .expect_err("not open");
    assert_eq!(error["code"], -32602, "InvalidParams");
    for place in [(0, 99), (99, 0), (1, 4)] {
        let place = json!({"line": place.0, "character": place.1});
        client.at("hover", MODEL, place.clone()).expect("no error");
        client.at("completion", MODEL, place).expect("no error");
    }
    assert!(client.problems(MODEL).is_empty());
    assert_eq!(client.leave().code(), Some(0));
}

// ---- problems ----

#[test]
fn the_models_of_the_project_have_no_problems() {
    let mut client = Client::start();
    for name in [
        "lotka_volterra.lotka",
        "theophylline.lotka",
        "school_terms.lotka",
        "henon.lotka",
        "fitting/boarding_school.lotka",
    ] {
        let (uri, _) = client.open_model(name);
        // Tables are found beside the model.
        assert_eq!(client.problems(&uri), [Value::Null; 0], "{name}");
    }
}

#[test]
fn a_problem_has_its_place_its_code_and_its_advice() {
    let text =
        "# 🐇 and α\nparam α = 1 # 🐇\nstate prey = 1 # ħ\nprey' = -α*prey + 0*pray\nparam α = 2\n";
    let mut client = with(text);
    let problems = client.problems(MODEL);
    let named = |word: &str| {
        let all = problems.iter();
        all.filter(|one| {
            one["message"]
                .as_str()
                .is_some_and(|said| said.contains(word))
        })
        .collect::<Vec<_>>()
    };
    let unknown = named("`pray`");
    assert_eq!(under(text, &unknown[0]["range"]), "pray");
    assert_eq!(unknown[0]["code"], "E0201");
    assert_eq!(unknown[0]["severity"], 1);
    assert_eq!(
        unknown[0]["message"],
        "`pray` is not declared: not known\nhelp: did you mean `prey`?"
    );
    let twice = named("declared twice");
    let other = &twice[0]["relatedInformation"][0];
    assert_eq!(
        twice[0]["range"]["start"],
        json!({"line": 4, "character": 6})
    );
    assert_eq!(
        other["location"]["range"]["start"],
        json!({"line": 1, "character": 6})
    );
    assert_eq!(other["location"]["uri"], MODEL);
    assert_eq!(other["message"], "already a parameter here");
}

#[test]
fn a_name_that_nothing_uses_is_a_warning_and_grey() {
    let mut client = with("param k = 1\nstate x = 1\nx' = -x\n");
    let problems = client.problems(MODEL);
    assert_eq!(problems[0]["severity"], 2);
    assert_eq!(problems[0]["tags"], json!([1]), "unnecessary");
}

#[test]
fn an_error_is_made_and_unmade() {
    let mut client = with("state x = 1\nx' = -x\n");
    assert!(client.problems(MODEL).is_empty());
    let at = json!({"line": 1, "character": 6});
    let insert = json!([{"range": {"start": at, "end": at}, "text": "k*"}]);
    client.change(MODEL, insert);
    assert_eq!(client.problems(MODEL).len(), 1);
    let to = json!({"line": 1, "character": 8});
    client.change(
        MODEL,
        json!([{"range": {"start": at, "end": to}, "text": ""}]),
    );
    assert!(client.problems(MODEL).is_empty());
}

#[test]
fn half_typed_texts_and_empty_ones_are_lived_with() {
    let mut client = with("");
    assert!(
        client.problems(MODEL).is_empty(),
        "an empty text is no fault"
    );
    let whole = "param k = 0.5 in 0..10\nstate x = 1\nx' = -k*(x + `a b`)\nparam `a b` = 1\ncondition low { k = 0.1 }\nsimulate 0..10 in low\nplot \"é\"\n";
    for end in whole.char_indices().map(|(at, _)| at) {
        client.replace(MODEL, &whole[..end]);
        let last = position(whole, end);
        client
            .at("completion", MODEL, last.clone())
            .expect("no error");
        client
            .at("signatureHelp", MODEL, last.clone())
            .expect("no error");
        client.at("hover", MODEL, last).expect("no error");
    }
    let named = json!({"textDocument": {"uri": MODEL}});
    client
        .ask("textDocument/documentSymbol", named)
        .expect("no error");
    client.problems(MODEL);
}

#[test]
fn a_hundred_changes_end_in_the_problems_of_the_last() {
    let mut client = with("state x = 1\nx' = -x\n");
    for round in 0..100 {
        let text = if round % 2 == 0 {
            "x' = -k*x\n"
        } else {
            "x' = -x\n"
        };
        client.replace(MODEL, &format!("# {round}\nstate x = 1\n{text}"));
    }
    assert!(client.problems(MODEL).is_empty());
    // Versions only go up, and nothing older comes after.
    let versions: Vec<u64> = client
        .published
        .iter()
        .filter_map(|told| told["version"].as_u64())
        .collect();
    assert!(versions.is_sorted(), "{versions:?}");
    assert_eq!(versions.last(), Some(&101));
    for told in &client.published {
        let version = told["version"].as_u64().expect("a version");
        let wrong = version > 1 && version % 2 == 0;
        assert_eq!(
            !told["diagnostics"].as_array().expect("a list").is_empty(),
            wrong
        );
    }
}

#[test]
fn line_ends_of_windows_do_not_move_anything() {
    let text = "# α\r\nstate x = 1\r\n## Rate.\r\nparam k = 1\r\nx' = -k*y\r\n";
    let mut client = with(text);
    let problems = client.problems(MODEL);
    assert_eq!(
        problems[0]["range"]["start"],
        json!({"line": 4, "character": 8})
    );
    assert_eq!(
        problems[0]["range"]["end"],
        json!({"line": 4, "character": 9})
    );
    assert!(
        client
            .hover(MODEL, json!({"line": 4, "character": 6}))
            .ends_with("Rate.")
    );
}

#[test]
fn a_table_is_looked_for_beside_the_model_and_missed_when_it_is_gone() {
    let folder = Workplace::new();
    folder.write("light.csv", "time,light\n0,0\n10,1\n");
    let text =
        "input light from \"light.csv\" linear\nstate x = 1\nx' = -light*x\nsimulate 0..10\n";
    let here = uri(&folder.path().join("m.lotka"));
    let mut client = Client::start();
    client.open(&here, text);
    assert!(client.problems(&here).is_empty());
    client.replace(&here, &text.replace("light.csv", "dark.csv"));
    let problems = client.problems(&here);
    assert_eq!(problems[0]["code"], "E0501");
    assert_eq!(
        under(
            &text.replace("light.csv", "dark.csv"),
            &problems[0]["range"]
        ),
        "\"dark.csv\""
    );
}

#[test]
fn a_closed_text_has_no_problems_left() {
    let mut client = with("state x = 1\n");
    assert!(!client.problems(MODEL).is_empty());
    client.tell(
        "textDocument/didClose",
        json!({"textDocument": {"uri": MODEL}}),
    );
    client.open(MODEL, "state x = 1\nx' = -x\n");
    assert!(client.problems(MODEL).is_empty());
    let told = client
        .published
        .iter()
        .find(|told| told["version"].is_null());
    assert_eq!(told.expect("told so")["diagnostics"], json!([]));
}

// ---- hover ----

#[test]
fn hovering_tells_the_declaration_the_value_and_the_doc_comment() {
    let mut client = Client::start();
    let (uri, text) = client.open_model("two_compartment_pk.lotka");
    client.problems(&uri);
    let card = client.hover(&uri, place(&text, "CL", "/central"));
    assert_eq!(
        card,
        "```lotka\nparam CL = 4 [L/h] in 0.1..100 log\n```\n\n**parameter** = 4 [L/h], in 0.1..100 log\n\nClearance from plasma."
    );
    let card = client.hover(&uri, place(&text, "amount(C", "1)"));
    // 100 mg in 20 L; the equation is that of the comment in the file, divided by the volume.
    assert!(
        card.contains("**species**, at the start 5 [mg/L]"),
        "{card}"
    );
    assert!(card.contains("C1' = "), "{card}");
    assert!(
        client
            .hover(&uri, place(&text, "exchan", "ge:"))
            .contains("exchange = ")
    );
    assert!(client.hover(&uri, place(&text, "time [", "h]")).is_empty());
}

#[test]
fn the_equation_is_the_one_that_show_equations_prints() {
    let mut client = Client::start();
    let (uri, text) = client.open_model("damped_pendulum.lotka");
    client.problems(&uri);
    let card = client.hover(&uri, place(&text, "sin(the", "ta)"));
    let folder = root().join("models");
    let shown = support::lotka(&folder, &["show", "damped_pendulum.lotka", "equations"], "");
    let equation = shown
        .output
        .lines()
        .find(|line| line.starts_with("theta''"));
    assert!(card.contains(equation.expect("an equation")), "{card}");
}

#[test]
fn hovering_explains_words_of_the_language() {
    let text = "param k = 1\nstate x = 1\nx' = -k*exp(x) + max(x, 1)\nsimulate 0..10 step 0.1 using bdf\nplot x log y\n";
    let mut client = with(text);
    client.problems(MODEL);
    let mut over = |before: &str, after: &str| client.hover(MODEL, place(text, before, after));
    assert!(over("ex", "p(").contains("exp(x)\n```\n\ne to this power"));
    assert!(over("ma", "x(").contains("max(x, y, ...)"));
    assert!(over("sim", "ulate").starts_with("**simulate**: solve the equations"));
    assert!(over("st", "ep 0.1").contains("output times; all steps when absent"));
    assert!(over("par", "am").starts_with("**param**"));
    assert!(over("lo", "g y").contains("logarithmic axis"));
    assert!(over("step 0", ".1").is_empty());
}

#[test]
fn hovering_knows_locals_and_labels() {
    let text = "index gene = {GATA1, KLF1}\nstate y[gene] = 1\nfn f(x, k) = k*x\nfor g in gene { y[g]' = -f(y[g], 2) + y[KLF1] }\n";
    let mut client = with(text);
    assert!(client.problems(MODEL).is_empty());
    let mut over = |before: &str, after: &str| client.hover(MODEL, place(text, before, after));
    assert!(over("= k", "*x").contains("**parameter** of the function `f`"));
    assert!(over("f(y[g", "]").contains("loop variable"));
    assert!(over("y[KL", "F1]").contains("label** of the index set `gene`"));
    assert!(over("[gen", "e] = 1").contains("of 2 members"));
    assert!(over("-f", "(").contains("fn f(x, k) = k*x"));
}

#[test]
fn the_last_sound_model_answers_while_the_text_has_a_fault() {
    let text = "## Speed.\nparam k = 0.5\nstate x = 1\nx' = -k*x\n";
    let mut client = with(text);
    client.problems(MODEL);
    let broken = format!("{text}let y = (\n");
    client.replace(MODEL, &broken);
    assert!(!client.problems(MODEL).is_empty());
    let card = client.hover(MODEL, place(&broken, "-k", "*x"));
    assert!(
        card.contains("= 0.5 (before the last changes)") && card.ends_with("Speed."),
        "{card}"
    );
}

// ---- completion and signatures ----

#[test]
fn completion_knows_names_functions_and_sentences() {
    let text = "param alpha = 1, alphabet = 2\nindex gene = {GATA1, KLF1}\nstate prey = 1, y[gene] = 0\nprey' = -alpha*prey*alphabet\ny[gene]' = -y\nfn hillock(x) = x\ncondition knockout { alpha = 0 }\n";
    let mut client = with(text);
    client.problems(MODEL);
    let mut offered = |line: &str| {
        let whole = format!("{text}{line}");
        client.replace(MODEL, &whole);
        client.offered(MODEL, position(&whole, whole.len()))
    };
    assert_eq!(offered("let z = alp"), ["alpha", "alphabet"]);
    assert_eq!(offered("let z = hillo"), ["hillock("]);
    assert_eq!(offered("let z = y[K"), ["KLF1"]);
    assert_eq!(offered("simulate 0..10 in "), ["knockout"]);
    assert_eq!(offered("simulate 0..10 using ro"), ["rodas"]);
    assert_eq!(offered("observ"), ["observe "]);
    assert!(offered("").contains(&"simulate ".to_owned()));
    assert_eq!(offered("# al"), [""; 0]);
    // A name that only this text declares, in a statement of two lines.
    assert_eq!(
        offered("param spread = 1\nlet z = exp(\n  spre"),
        ["spread"]
    );
}

#[test]
fn completion_tells_what_a_word_is() {
    let text = "## Growth.\nparam alpha = 1 [1/h]\nstate x = 1\nx' = al\n";
    let mut client = with(text);
    client.problems(MODEL);
    let answer = client
        .at("completion", MODEL, place(text, "x' = al", ""))
        .expect("no error");
    let item = &answer["items"][0];
    assert_eq!(item["label"], "alpha");
    assert_eq!(item["detail"], "param alpha = 1 [1/h]");
    assert_eq!(item["documentation"]["value"], "Growth.");
    let range = &item["textEdit"]["range"];
    assert_eq!(under(text, range), "al");
}

#[test]
fn the_arguments_of_a_call_are_told() {
    let text = "## Saturates.\nfn hill(x, k, n) = x^n/(k^n + x^n)\nstate x = 1\nx' = hill(x, max(1, 2), )\n";
    let mut client = with(text);
    let mut told = |before: &str, after: &str| {
        client
            .at("signatureHelp", MODEL, place(text, before, after))
            .expect("no error")
    };
    let outer = told("2), ", ")");
    assert_eq!(outer["signatures"][0]["label"], "hill(x, k, n)");
    assert_eq!(outer["signatures"][0]["documentation"], "Saturates.");
    assert_eq!(outer["activeParameter"], 2);
    assert_eq!(
        told("max(1", ",")["signatures"][0]["label"],
        "max(x, y, ...)"
    );
    assert_eq!(told("x' = ", "hill"), Value::Null);
}

// ---- places of names ----

#[test]
fn names_are_found_where_they_are_declared_governed_and_used() {
    let text = "# 🐇\nstate prey = 1\nparam k = 2\nprey' = -k*prey # 🐇 prey\nfn f(k) = k + 1\nplot prey, f(k)\n";
    let mut client = with(text);
    let here = place(text, "-k*pr", "ey");
    let declared = client
        .at("definition", MODEL, here.clone())
        .expect("no error");
    assert_eq!(starts(&declared), [(1, 6)]);
    let governed = client
        .at("implementation", MODEL, here.clone())
        .expect("no error");
    assert_eq!(starts(&governed), [(3, 0)]);
    let mut uses = |declaration: bool| {
        let params = json!({
            "textDocument": {"uri": MODEL}, "position": here,
            "context": {"includeDeclaration": declaration},
        });
        starts(
            &client
                .ask("textDocument/references", params)
                .expect("no error"),
        )
    };
    assert_eq!(uses(true), [(1, 6), (3, 0), (3, 11), (5, 5)]);
    assert_eq!(uses(false), [(3, 0), (3, 11), (5, 5)]);
    // Behind the prime it is still the same name; the parameter of the function is another one.
    let behind = client
        .at("definition", MODEL, place(text, "prey'", " ="))
        .expect("no error");
    assert_eq!(starts(&behind), [(1, 6)]);
    let local = client
        .at("definition", MODEL, place(text, "= k", " + 1"))
        .expect("no error");
    assert_eq!(starts(&local), [(4, 5)]);
    let marked = client
        .at("documentHighlight", MODEL, place(text, "k", "*prey"))
        .expect("no error");
    assert_eq!(starts(&marked), [(2, 6), (3, 9), (5, 13)]);
}

/// The text after renaming, or why not.
fn renamed(text: &str, before: &str, after: &str, new: &str) -> Result<String, String> {
    let mut client = with(text);
    let params = json!({
        "textDocument": {"uri": MODEL}, "position": place(text, before, after), "newName": new,
    });
    match client.ask("textDocument/rename", params) {
        Ok(edit) => Ok(edited(text, &edit["changes"][MODEL])),
        Err(error) => Err(error["message"].as_str().expect("a reason").to_owned()),
    }
}

#[test]
fn renaming_changes_every_place_and_no_other() {
    let text = "## Prey, prey.\nstate prey = 1, prey' = 0\nprey'' = -prey # prey\nfn f(prey) = prey\nplot prey', prey title \"prey\"\n";
    assert_eq!(
        renamed(text, "plot pr", "ey", "hare").expect("a new name"),
        "## Prey, prey.\nstate hare = 1, hare' = 0\nhare'' = -hare # prey\nfn f(prey) = prey\nplot hare', hare title \"prey\"\n"
    );
    let map = "state w = 1\nparam eta = 0.1\nnext w = w - eta*w\n";
    assert_eq!(
        renamed(map, "next w", " =", "`a b`").expect("a new name"),
        "state `a b` = 1\nparam eta = 0.1\nnext `a b` = `a b` - eta*`a b`\n"
    );
    let reaction =
        "species A = 1\nparam k = 1\nout: A -> 0, k\nlet twice = 2*out\nsimulate 0..1 with A = 2\n";
    assert_eq!(
        renamed(reaction, "ou", "t: A", "loss").expect("a new name"),
        "species A = 1\nparam k = 1\nloss: A -> 0, k\nlet twice = 2*loss\nsimulate 0..1 with A = 2\n"
    );
    let labels =
        "index gene = {GATA1, KLF1}\nstate y[gene] = 1\nparam KLF1 = 2\ny[gene]' = -KLF1*y[KLF1]\n";
    assert_eq!(
        renamed(labels, "y[KL", "F1]", "EKLF").expect("a new name"),
        "index gene = {GATA1, EKLF}\nstate y[gene] = 1\nparam KLF1 = 2\ny[gene]' = -KLF1*y[EKLF]\n"
    );
    assert_eq!(
        renamed(labels, "y[ge", "ne]' ", "g").expect("a new name"),
        "index g = {GATA1, KLF1}\nstate y[g] = 1\nparam KLF1 = 2\ny[g]' = -KLF1*y[KLF1]\n"
    );
}

#[test]
fn a_renamed_model_is_as_sound_as_before() {
    let mut client = Client::start();
    for (name, before, after) in [
        ("two_compartment_pk.lotka", "species C", "1 in"),
        ("brusselator_1d.lotka", "index ce", "ll"),
        ("damped_pendulum.lotka", "state th", "eta"),
        ("fitting/boarding_school.lotka", "param be", "ta"),
    ] {
        let (uri, text) = client.open_model(name);
        assert!(client.problems(&uri).is_empty());
        let params = json!({
            "textDocument": {"uri": uri}, "position": place(&text, before, after), "newName": "ζ_new",
        });
        let edit = client
            .ask("textDocument/rename", params)
            .expect("a new name");
        client.replace(&uri, &edited(&text, &edit["changes"][uri.as_str()]));
        assert_eq!(client.problems(&uri), [Value::Null; 0], "{name}");
    }
}

#[test]
fn a_name_that_would_change_the_meaning_is_refused() {
    let text =
        "param k = 1, rho = 2\nstate x = 1\nfn f(y) = k*y\nx' = -rho*f(x) + exp(1)\nlet z = x(\n";
    let refusal = |before: &str, after: &str, new: &str| {
        renamed(text, before, after, new).expect_err("refused")
    };
    assert_eq!(
        refusal("param k", " ", "rho"),
        "`rho` is taken: it stands in line 1"
    );
    assert_eq!(
        refusal("param k", " ", "rate"),
        "`rate` is a reserved word; in backquotes it may be a name"
    );
    assert_eq!(
        refusal("param k", " ", "exp"),
        "`exp` is a function of the language"
    );
    assert!(refusal("param k", " ", "2k").starts_with("`2k` is no name"));
    assert_eq!(
        refusal("param k", " ", "y"),
        "with the name `y` line 3 would mean something else"
    );
    assert_eq!(
        refusal("ex", "p(", "z"),
        "`exp` is a function of the language"
    );
    assert_eq!(
        refusal("= 1, ", "rho", ""),
        "`` is no name: letters, digits and `_`, beginning with a letter, or anything in backquotes"
    );
    assert_eq!(
        refusal("state x", " ", "u"),
        "line 5 has a fault and would keep `x`: mend it first"
    );
    let mut client = with(text);
    let error = client
        .at("prepareRename", MODEL, place(text, "= k*", "y"))
        .expect("it has a name");
    assert_eq!(error["placeholder"], "y");
    client
        .at("prepareRename", MODEL, place(text, "state", " x"))
        .expect_err("no name");
}

// ---- the rest ----

#[test]
fn formatting_is_that_of_lotka_format() {
    let folder = Workplace::new();
    let text = "# kept\nparam k=1\nstate   x = 1\nx' = -k * x\n";
    folder.write("m.lotka", text);
    support::lotka(folder.path(), &["format", "m.lotka"], "");
    let wanted = std::fs::read_to_string(folder.path().join("m.lotka")).expect("a text");
    assert_ne!(wanted, text);
    let mut client = with(text);
    let params = json!({
        "textDocument": {"uri": MODEL}, "options": {"tabSize": 4, "insertSpaces": true},
    });
    let edits = client
        .ask("textDocument/formatting", params.clone())
        .expect("no error");
    assert_eq!(edited(text, &edits), wanted);
    client.replace(MODEL, &wanted);
    let edits = client
        .ask("textDocument/formatting", params.clone())
        .expect("no error");
    assert_eq!(edits, json!([]));
    // What cannot be read is left alone.
    client.replace(MODEL, "state x=(");
    let edits = client
        .ask("textDocument/formatting", params)
        .expect("no error");
    assert_eq!(edits, json!([]));
}

#[test]
fn names_of_used_files_are_known() {
    let folder = Workplace::new();
    folder.write(
        "cell.lotka",
        "## Speed.\nparam k = 2\nstate x = 1\nx' = -k*x\n",
    );
    let text = "cell1: use \"cell.lotka\"\nlet double = 2*cell1.x\n";
    let here = uri(&folder.path().join("m.lotka"));
    let mut client = Client::start();
    client.open(&here, text);
    assert_eq!(client.problems(&here), [Value::Null; 0]);
    let at = place(text, "cell1.", "x");
    assert!(client.hover(&here, at.clone()).contains("cell1.x' = "));
    let there = client.at("definition", &here, at).expect("no error");
    assert_eq!(there[0]["uri"], uri(&folder.path().join("cell.lotka")));
    assert_eq!(starts(&there), [(2, 6)]);
    let whole = format!("{text}let more = cell1");
    client.replace(&here, &whole);
    let offered = client.offered(&here, position(&whole, whole.len()));
    assert!(offered.contains(&"cell1.k".to_owned()), "{offered:?}");
    client.replace(&here, text);
    assert_eq!(client.problems(&here), [Value::Null; 0]);
    // The used file, open with other content, is taken as it is shown.
    let used = uri(&folder.path().join("cell.lotka"));
    client.open(&used, "state y = 1\ny' = -y\n");
    client.replace(&here, text);
    let problems = client.problems(&here);
    assert_eq!(under(text, &problems[0]["range"]), "cell1.x");
    // Closed, it is the file on disk again.
    client.forget();
    client.tell(
        "textDocument/didClose",
        json!({"textDocument": {"uri": used}}),
    );
    assert_eq!(client.problems(&here), [Value::Null; 0]);
}

#[test]
fn the_outline_has_every_part() {
    let mut client = Client::start();
    let text = "model m\nindex g = {A, B}\nparam k = 1\nstate x = 1, y[g] = 0\nx' = -k*x\ny[g]' = -y\nspecies S = 1\nS -> 0, k\nwhen x < 0.5 { x = 1 }\ncondition low { k = 0.1 }\nsimulate 0..10\n";
    client.open(MODEL, text);
    let named = json!({"textDocument": {"uri": MODEL}});
    let answer = client
        .ask("textDocument/documentSymbol", named)
        .expect("no error");
    let parts = answer.as_array().expect("a list");
    let names: Vec<&str> = parts
        .iter()
        .filter_map(|part| part["name"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "m",
            "g",
            "k",
            "x",
            "y",
            "x'",
            "y[g]'",
            "S",
            "S -> 0, k",
            "when x < 0.5 { x = 1 }",
            "low",
            "simulate 0..10"
        ]
    );
    assert_eq!(parts[1]["children"][1]["name"], "B");
    for part in parts {
        let whole = under(text, &part["range"]);
        assert!(
            whole.contains(under(text, &part["selectionRange"])),
            "{part}"
        );
    }
}

#[test]
fn a_misspelt_name_can_be_mended() {
    let text = "param alpha = 1\nstate x = 1\nx' = -alhpa*x + 0*alhpa\n";
    let mut client = with(text);
    client.problems(MODEL);
    let at = place(text, "-al", "hpa");
    let params = json!({
        "textDocument": {"uri": MODEL}, "range": {"start": at, "end": at},
        "context": {"diagnostics": []},
    });
    let answer = client
        .ask("textDocument/codeAction", params)
        .expect("no error");
    assert_eq!(answer[0]["title"], "change `alhpa` to `alpha`");
    let mended = edited(text, &answer[0]["edit"]["changes"][MODEL]);
    assert_eq!(mended, text.replace("alhpa", "alpha"));
}

#[test]
fn names_are_coloured_by_what_they_are() {
    let text = "param α = 1\nstate x = 1\nx' = -α*exp(x)\nsimulate 0..10 using bdf\n";
    let mut client = with(text);
    let named = json!({"textDocument": {"uri": MODEL}});
    let answer = client
        .ask("textDocument/semanticTokens/full", named)
        .expect("no error");
    let types = &client.greeting["capabilities"]["semanticTokensProvider"]["legend"]["tokenTypes"];
    let data: Vec<u64> = answer["data"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_u64)
        .collect();
    let (mut line, mut column) = (0, 0);
    let mut told = Vec::new();
    for token in data.chunks(5) {
        column = if token[0] == 0 {
            column + token[1]
        } else {
            token[1]
        };
        line += token[0];
        let start = json!({"line": line, "character": column});
        let end = json!({"line": line, "character": column + token[2]});
        let word = under(text, &json!({"start": start, "end": end}));
        told.push(format!(
            "{word} {}",
            types[token[3] as usize].as_str().expect("a type")
        ));
    }
    assert_eq!(
        told,
        [
            "α parameter",
            "x variable",
            "x variable",
            "α parameter",
            "exp function",
            "x variable"
        ]
    );
}

/// The time from a keystroke to the problems of the new text, in a file of 1000 lines:
/// `cargo test --release --test lsp -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a test"]
fn keystrokes() {
    let mut text = String::new();
    for k in 0..200_usize {
        let before = k.saturating_sub(1);
        text.push_str(&format!(
            "## Quantity {k}.\nparam a{k} = 0.5 [1/h] in 0..10\nstate x{k} = 1\nlet s{k} = x{k}/(1 + x{before})\nx{k}' = a{k}*s{before} - 0.3*x{k} + exp(-s{k})\n"
        ));
    }
    text.push_str("simulate 0..10\nplot x1, x2\n");
    let mut client = with(&text);
    assert!(client.problems(MODEL).is_empty());
    let mut measured = |what: &str, answer: &mut dyn FnMut(&mut Client, usize)| {
        let mut times: Vec<f64> = (0..200)
            .map(|round| {
                let begun = std::time::Instant::now();
                answer(&mut client, round);
                begun.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!(
            "{what:24} median {:6.2} ms, 95 % below {:6.2} ms",
            times[100], times[190]
        );
    };
    let at = json!({"line": 502, "character": 17});
    let to = json!({"line": 502, "character": 18});
    measured("keystroke to problems", &mut |client, round| {
        let (end, typed) = if round % 2 == 0 {
            (&at, "1")
        } else {
            (&to, "")
        };
        client.change(
            MODEL,
            json!([{"range": {"start": at, "end": end}, "text": typed}]),
        );
        client.problems(MODEL);
    });
    measured("keystroke to completion", &mut |client, round| {
        let (end, typed) = if round % 2 == 0 {
            (&at, "1")
        } else {
            (&to, "")
        };
        client.change(
            MODEL,
            json!([{"range": {"start": at, "end": end}, "text": typed}]),
        );
        client.offered(MODEL, json!({"line": 503, "character": 14}));
    });
    for what in ["hover", "definition", "documentHighlight"] {
        measured(what, &mut |client, _| {
            client
                .at(what, MODEL, json!({"line": 504, "character": 9}))
                .expect("no error");
        });
    }
}
