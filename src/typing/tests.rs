//! What Tab offers.

use super::{Cursor, Known, suggestions};
use crate::session::verbs::Place;
use crate::session::{Compiled, check_text};
use crate::source::SourceId;
use std::path::Path;
use std::sync::Arc;

const MODEL: &str = "index gene = {GATA1, KLF1}\nparam alpha = 1, alphabet = 2, `rate` = 3\nparam k[gene] = 1\nstate prey = 1\nprey' = -alpha*prey*alphabet*`rate`\nlet total = prey + k[KLF1]\nfn hill(x) = x/(1 + x)\ncondition knockout { alpha = 0 }\n";

fn compiled(text: &str) -> Arc<Compiled> {
    let (model, _) = check_text(SourceId(0), text).sound().expect("a model");
    Compiled::new(model)
}

fn known(text: &str) -> Known {
    let mut known = Known::default();
    known.update(Some(&compiled(text)));
    known
}

fn cursor(known: &Known, place: Place) -> Cursor<'_> {
    Cursor {
        known,
        place,
        folder: Path::new("."),
    }
}

/// What the line may become.
fn offered(line: &str) -> Vec<String> {
    offered_in(line, Place::Prompt)
}

fn offered_in(line: &str, place: Place) -> Vec<String> {
    let (start, found) = suggestions(line, cursor(&known(MODEL), place));
    let all = found.iter();
    all.map(|one| format!("{}{}", &line[..start], one.text))
        .collect()
}

#[test]
fn verbs_and_names_begin_a_line() {
    assert_eq!(offered("sim"), ["simulate "]);
    assert_eq!(offered("alp"), ["alpha", "alphabet"]);
    assert_eq!(offered("k; und"), ["k; undo"]);
    assert!(offered("").contains(&"prey".to_owned()));
    assert!(offered("pa").contains(&"param ".to_owned()));
    assert!(offered("hil").contains(&"hill(".to_owned()));
}

#[test]
fn each_place_has_its_words() {
    assert!(offered("show eq").contains(&"show equations".to_owned()));
    assert_eq!(
        offered("simulate 0..10 using ro"),
        ["simulate 0..10 using rodas"]
    );
    assert_eq!(
        offered("simulate 0..10 in "),
        ["simulate 0..10 in knockout"]
    );
    assert_eq!(
        offered("simulate 0..10 with alphab"),
        ["simulate 0..10 with alphabet = "]
    );
    assert_eq!(
        offered("simulate 0..10 with alpha = tot"),
        ["simulate 0..10 with alpha = total"]
    );
    assert_eq!(
        offered("simulate 0..10 from "),
        ["simulate 0..10 from last", "simulate 0..10 from steady"]
    );
    assert_eq!(offered("measure time_of_ma"), ["measure time_of_max("]);
    assert_eq!(offered("measure max(tot"), ["measure max(total"]);
    assert_eq!(offered("help sensi"), ["help sensitivity"]);
    assert_eq!(offered("plot pre"), ["plot prey"]);
}

#[test]
fn options_that_stand_there_are_not_offered_again() {
    let more = offered("simulate 0..10 step 0.1 ");
    assert!(
        more.contains(&"simulate 0..10 step 0.1 rtol ".to_owned()),
        "{more:?}"
    );
    assert!(!more.iter().any(|line| line.ends_with("step ")), "{more:?}");
}

#[test]
fn brackets_hold_members_and_backquotes_names() {
    assert_eq!(offered("k["), ["k[GATA1", "k[KLF1"]);
    assert_eq!(offered("k[K"), ["k[KLF1"]);
    assert_eq!(offered("2*ra"), ["2*`rate`"]);
    assert_eq!(offered("2*`ra"), ["2*`rate`"]);
}

#[test]
fn comments_and_numbers_are_left_alone() {
    assert!(offered("x # al").is_empty());
    assert!(offered("simulate 0..10").is_empty());
}

#[test]
fn files_are_offered_by_their_ending() {
    let line = "load \"models/griff";
    let (start, found) = suggestions(line, cursor(&Known::default(), Place::Prompt));
    assert_eq!(&line[start..], "griff");
    assert_eq!(found[0].text, "griffith.lotka\"");
}

#[test]
fn thousands_of_names_are_no_trouble() {
    let mut text = String::from("state x = 1\nx' = -x\n");
    for at in 0..5000 {
        text.push_str(&format!("param long_name_{at} = {at}\n"));
    }
    let known = known(&text);
    let before = std::time::Instant::now();
    for _ in 0..100 {
        let (_, found) = suggestions("2*long_name_49", cursor(&known, Place::Prompt));
        assert_eq!(found.len(), 111);
    }
    assert!(
        before.elapsed().as_millis() < 500,
        "5 ms each would be felt"
    );
}

#[test]
fn a_file_takes_declarations_and_no_verbs_of_the_prompt() {
    let all = offered_in("", Place::Anywhere);
    assert!(all.contains(&"state ".to_owned()) && all.contains(&"simulate ".to_owned()));
    assert!(
        !all.iter()
            .any(|word| word.starts_with("reload") || word.starts_with("quit"))
    );
    assert_eq!(offered_in("# sta", Place::Anywhere), [""; 0]);
    assert_eq!(offered_in("state sta", Place::Anywhere), [""; 0]);
    assert_eq!(
        offered_in("param a = 1 ~ log", Place::Anywhere),
        ["param a = 1 ~ lognormal("]
    );
    assert_eq!(
        offered_in("dose 100 into pr", Place::Anywhere),
        ["dose 100 into prey"]
    );
    assert_eq!(
        offered_in("dose 100 into prey ev", Place::Anywhere),
        ["dose 100 into prey every "]
    );
    assert_eq!(offered_in("for i in g", Place::Anywhere), ["for i in gene"]);
    assert_eq!(offered_in("state y[ge", Place::Anywhere), ["state y[gene"]);
}

#[test]
fn a_statement_may_go_over_lines() {
    let text = "let a = hill(\n  pre";
    assert_eq!(offered_in(text, Place::Anywhere), ["let a = hill(\n  prey"]);
    let text = "condition low {\n  alpha = 1\n  alphab";
    assert_eq!(
        offered_in(text, Place::Anywhere),
        ["condition low {\n  alpha = 1\n  alphabet"]
    );
}
