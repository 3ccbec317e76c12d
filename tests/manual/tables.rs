//! The tables of the manual that are made from those of the code: functions, units, words, options of
//! sentences, families, codes.
//!
//! Each stands between `<!-- name -->` and `<!-- /name -->` on its page; it differs from what is made
//! here when either was changed alone, and `LOTKA_BLESS=1` writes it anew.

use super::support::root;
use super::{PAGES, blessing};
use lotka::diagnostic::{Code, number_text};
use lotka::model::{Family, PREFIXES, Support, UNITS, UnitRow};
use lotka::render::explain::place;
use lotka::session::verbs::{Choice, Place, VERBS, Value, Verb};
use lotka::simulate::Method;
use lotka::symbolic::Builtin;
use lotka::syntax::RESERVED;
use lotka::typing::CLAUSES;
use std::fmt::Write as _;
use std::fs;

/// Compares what stands between the marks of a name, or replaces it.
fn generated(page: &str, name: &str, content: &str) {
    let _guard = PAGES.lock();
    let path = root().join(page);
    let text = fs::read_to_string(&path).expect("a page");
    let open = format!("<!-- {name} -->\n");
    let close = format!("<!-- /{name} -->");
    let (before, rest) = text.split_once(&open).expect("the opening mark");
    let (between, after) = rest.split_once(&close).expect("the closing mark");
    let right = format!("\n{}\n\n", content.trim());
    if blessing() {
        let new = format!("{before}{open}{right}{close}{after}");
        fs::write(&path, new).expect("the page is written");
    } else {
        assert_eq!(between, right, "{page}: bless the list `{name}`");
    }
}

/// A table in Markdown.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!(
        "| {} |\n|{}\n",
        head.join(" | "),
        " --- |".repeat(head.len())
    );
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

/// Words as code, with commas between them. A bar would end the cell of a table.
fn code<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words = words.into_iter();
    let words: Vec<String> = words
        .map(|word| format!("`{}`", word.replace('|', "\\|")))
        .collect();
    words.join(", ")
}

#[test]
fn the_list_of_codes_is_complete() {
    let rows = Code::ALL.iter().map(|code| {
        let place = place(*code).expect("a page");
        let link = format!("[`{}`]({place})", code.as_str());
        vec![link, code.title().to_owned()]
    });
    let table = table(&["code", "what it means"], rows);
    generated("docs/src/diagnostics.md", "codes", &table);
}

#[test]
fn the_list_of_functions_is_complete() {
    let rows = Builtin::all().map(|function| {
        vec![
            code([function.name]),
            function.description.to_owned(),
            function.domain.to_owned(),
        ]
    });
    let table = table(&["function", "what it gives", "where"], rows);
    generated("docs/src/language/functions.md", "functions", &table);
}

#[test]
fn the_list_of_families_is_complete() {
    let rows = Family::ALL.into_iter().map(|family| {
        let gives = match family.support() {
            Support::Real => "any number",
            Support::Positive => "numbers above 0",
            Support::Counts => "0, 1, 2, ...; not for priors",
            Support::Fraction => "numbers between 0 and 1",
            Support::Interval => "numbers between its two parameters",
        };
        let (name, parameters) = (family.name(), family.parameters().join(", "));
        vec![format!("`{name}({parameters})`"), gives.to_owned()]
    });
    let table = table(&["family", "what it gives"], rows);
    generated("docs/src/fitting/scatter.md", "families", &table);
}

#[test]
fn the_lists_of_units_are_complete() {
    let rows = PREFIXES
        .iter()
        .map(|(prefix, power)| vec![code([*prefix]), power.to_string()]);
    let mut text = table(&["prefix", "power of ten"], rows);
    for group in UNITS.chunk_by(|one, next| one.group == next.group) {
        let name = group.first().map_or("", |row| row.group);
        let rows = group.iter().map(|row| {
            let prefixes = if row.takes_prefix { "yes" } else { "" };
            vec![
                code(row.names.iter().copied()),
                one_is(row),
                prefixes.to_owned(),
                row.description.to_owned(),
            ]
        });
        let _ = write!(
            text,
            "\n**{name}**\n\n{}",
            table(&["names", "one is", "prefixes", "what it is"], rows)
        );
    }
    generated("docs/src/language/units.md", "units", &text);
}

/// What one of a unit is.
fn one_is(row: &UnitRow) -> String {
    match row.names.first() {
        Some(&("degC" | "degF")) => "counted from its own zero".to_owned(),
        Some(&usual) if row.of == usual => "a dimension of its own".to_owned(),
        _ => format!("{} {}", number_text(row.factor), row.of)
            .trim_end()
            .to_owned(),
    }
}

#[test]
fn the_list_of_reserved_words_is_complete() {
    generated(
        "docs/src/language/text.md",
        "reserved",
        &code(RESERVED.iter().copied()),
    );
}

#[test]
fn the_list_of_clauses_is_complete() {
    let rows = CLAUSES
        .iter()
        .map(|(first, words)| vec![code([*first]), code(words.iter().copied())]);
    let table = table(&["declaration", "words that may follow"], rows);
    generated("docs/src/language/options.md", "clauses", &table);
}

#[test]
fn the_list_of_methods_is_complete() {
    let names = |methods: &[Method]| code(methods.iter().map(|method| method.name()));
    let rows = [
        ("without noise", names(&Method::ALL)),
        ("with noise", names(&Method::OF_NOISE)),
    ];
    let rows = rows.map(|(models, methods)| vec![models.to_owned(), methods]);
    let table = table(&["models", "methods"], rows);
    generated("docs/src/language/options.md", "methods", &table);
}

#[test]
fn the_lists_of_options_are_complete() {
    let mut text = String::new();
    for verb in VERBS {
        let place = match verb.place {
            Place::Anywhere => "",
            Place::Prompt => "; at the prompt only",
        };
        let _ = write!(
            text,
            "\n## {}\n\n{}: {}{place}.\n",
            verb.word,
            code([verb.example]),
            verb.summary
        );
        let forms = forms(verb);
        if !forms.is_empty() {
            let table = table(&["option or form", "meaning", "choices"], forms);
            let _ = write!(text, "\n{table}");
        }
    }
    generated("docs/src/language/options.md", "options", &text);
}

/// The options of a sentence and its further forms, as rows of a table.
fn forms(verb: &Verb) -> Vec<Vec<String>> {
    let options = verb.options.iter();
    let options = options.map(|choice: &Choice| {
        let choices = match choice.value {
            Value::Words(words) => code(words.iter().copied()),
            Value::File(endings) => {
                let endings: Vec<String> =
                    endings.iter().map(|ending| format!(".{ending}")).collect();
                code(endings.iter().map(String::as_str))
            }
            Value::Method => "[methods](#methods)".to_owned(),
            _ => String::new(),
        };
        vec![code([choice.example]), choice.meaning.to_owned(), choices]
    });
    let more = verb.more.iter();
    let more =
        more.map(|(form, meaning)| vec![code([*form]), (*meaning).to_owned(), String::new()]);
    options.chain(more).collect()
}
