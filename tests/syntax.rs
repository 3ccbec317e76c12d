//! Texts to trees: the language's own examples, wrong files with what is said about them, and texts
//! that are no files at all.

use lotka::diagnostic::Diagnostic;
use lotka::source::{SourceId, SourceMap, Span};
use lotka::syntax::format::{format, without_places};
use lotka::syntax::tree::{
    BinaryOperator, DeclareKind, EquationLeft, Expr, ExprKind, Law, Statement, StatementKind,
};
use lotka::syntax::{
    DECLARATIONS, Memory, OPTIONS, RESERVED, VALUES, VERBS, is_incomplete, parse_expression,
    parse_file, parse_file_again, parse_line, show_expression,
};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const FIRST: SourceId = SourceId(0);

/// The files of a folder under `tests/`, by name.
fn fixtures(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|end| end == "lotka"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("text");
            (path, text)
        })
        .collect();
    files.sort();
    files
}

/// Diagnostics in plain text: code, place, message, labels, help.
fn plain(text: &str, diagnostics: &[Diagnostic]) -> String {
    let mut map = SourceMap::new();
    map.add("file", text);
    let place = |span: Span| {
        let (line, column) = map.position(span);
        let end = Span::new(span.source, span.end as usize, span.end as usize);
        let (last, stop) = map.position(end);
        if last == line {
            format!("{line}:{column}-{stop}")
        } else {
            format!("{line}:{column}-{last}:{stop}")
        }
    };
    let mut out = String::new();
    for problem in diagnostics {
        let main = problem.labels.first().expect("each problem has a place");
        let code = problem.code.as_str();
        writeln!(out, "{code} {} {}", place(main.span), problem.message).expect("string");
        for label in &problem.labels {
            let shown: String = map.slice(label.span).chars().take(40).collect();
            writeln!(out, "  at {} {shown:?} {}", place(label.span), label.text).expect("string");
        }
        if let Some(help) = &problem.help {
            writeln!(out, "  help: {help}").expect("string");
        }
    }
    out
}

/// What is said about each wrong file stands beside it; `UPDATE_SNAPSHOTS=1` writes it anew.
#[test]
fn wrong_files_say_what_is_wrong() {
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut differing = Vec::new();
    for (path, text) in fixtures("errors/syntax") {
        let said = plain(&text, &parse_file(FIRST, &text).diagnostics);
        assert!(!said.is_empty(), "{} is not wrong", path.display());
        let snapshot = path.with_extension("txt");
        if update {
            fs::write(&snapshot, &said).expect("writable");
        } else if fs::read_to_string(&snapshot).unwrap_or_default() != said {
            differing.push(format!("{}:\n{said}", path.display()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

// ---- the language's own examples -------------------------------------------------------------------

/// The statements of a text that has no faults.
fn sound(text: &str) -> Vec<Statement> {
    let parsed = parse_line(FIRST, text);
    assert_eq!(plain(text, &parsed.diagnostics), "", "in {text:?}");
    parsed.file.statements
}

fn one(text: &str) -> StatementKind {
    let mut statements = sound(text);
    assert_eq!(statements.len(), 1, "in {text:?}");
    statements.remove(0).kind
}

fn expression(text: &str) -> Expr {
    parse_expression(FIRST, text).unwrap_or_else(|problems| panic!("{}", plain(text, &problems)))
}

#[test]
fn all_examples_of_the_language_are_read() {
    // Counted by hand in the files.
    let counts = [
        ("conditions_observations", 7),
        ("declarations", 14),
        ("interruptions", 13),
        ("noise_maps_constraints", 7),
        ("prompt", 54),
        ("reactions", 10),
        ("sentences", 22),
        ("usual", 41),
        ("vectors", 12),
    ];
    for ((path, text), (name, count)) in fixtures("syntax").into_iter().zip(counts) {
        assert_eq!(path.file_stem().and_then(|stem| stem.to_str()), Some(name));
        assert_eq!(sound(&text).len(), count, "in {name}");
        let parsed = parse_file(FIRST, &text);
        assert_eq!(plain(&text, &parsed.diagnostics), "", "as a file: {name}");
    }
}

#[test]
fn declarations_keep_all_their_clauses() {
    let text = "## the growth rate\n## of prey\nparam CL = 3 [L/h] in 0.1..100 log ~ lognormal(median = 1, sd = 0.5)";
    let statements = sound(text);
    assert_eq!(
        statements[0].doc.as_deref(),
        Some("the growth rate\nof prey")
    );
    let StatementKind::Declare { kind, items } = &statements[0].kind else {
        panic!("a declaration");
    };
    let item = &items[0];
    assert_eq!(*kind, DeclareKind::Parameter);
    assert_eq!(
        item.value.as_ref().map(show_expression).as_deref(),
        Some("3")
    );
    let factors: Vec<_> = item.unit.iter().flat_map(|unit| &unit.factors).collect();
    assert_eq!(factors.len(), 2);
    assert_eq!(
        (factors[1].name.text.as_str(), factors[1].exponent),
        ("h", -1.0)
    );
    let bounds = item.bounds.as_ref().expect("bounds");
    assert_eq!(show_expression(&bounds.range), "0.1..100");
    assert!(bounds.log.is_some());
    assert!(item.prior.is_some());
}

#[test]
fn the_unit_at_the_end_of_a_declaration_belongs_to_the_whole_value() {
    for (text, unit, value) in [
        ("param k = 1/3 [h]", true, "1/3"),
        ("param k = 5 [h]", true, "5"),
        ("param k = -65 [h]", true, "-65"),
        ("param k = a*b [h]", true, "a*b"),
        ("param k = (a + b) [h]", true, "a + b"),
        ("param k [h] = 2*3", true, "2*3"),
        ("param k = 2 [h] * b", false, "2 [h]*b"),
        ("param k = 2*(3 [h])", false, "2*3 [h]"),
    ] {
        let StatementKind::Declare { items, .. } = one(text) else {
            panic!("a declaration");
        };
        assert_eq!(items[0].unit.is_some(), unit, "in {text}");
        assert_eq!(
            items[0].value.as_ref().map(show_expression).as_deref(),
            Some(value)
        );
    }
    let StatementKind::Let { unit, value, .. } = one("let V = 3*x [mL]") else {
        panic!("a definition");
    };
    assert!(unit.is_some());
    assert_eq!(show_expression(&value), "3*x");
}

#[test]
fn words_of_sentences_are_names_where_they_stand_as_names() {
    assert!(matches!(one("plot = 3"), StatementKind::Assign { .. }));
    let StatementKind::Equation { left, right } = one("step' = -step") else {
        panic!("an equation");
    };
    assert!(matches!(&left, EquationLeft::Derivative { order: 1, .. }));
    assert_eq!(
        left.target().map(|target| target.name.text.as_str()),
        Some("step")
    );
    assert_eq!(show_expression(&right), "-step");
    let StatementKind::Reaction(reaction) = one("fit: 2 A + B <-> C, k, 2*k") else {
        panic!("a reaction");
    };
    assert_eq!(
        reaction.name.map(|name| name.name.text).as_deref(),
        Some("fit")
    );
    assert_eq!(reaction.left[0].coefficient, 2.0);
    assert!(reaction.reversible);
    assert!(matches!(
        reaction.law,
        Law::MassAction {
            backward: Some(_),
            ..
        }
    ));
    for text in [
        "param dose = 1",
        "state with = 2",
        "let over = from + to",
        "plot step, lag over \"x.csv\"",
    ] {
        sound(text);
    }
}

#[test]
fn each_word_of_the_lists_is_known_to_the_reader() {
    for verb in VERBS {
        assert!(matches!(one(verb), StatementKind::Sentence(_)), "{verb}");
        assert!(
            matches!(one(&format!("{verb} = 1")), StatementKind::Assign { .. }),
            "{verb}"
        );
        sound(&format!(
            "param {verb} = 1; let a = {verb} + 1; {verb}' = -{verb}; {verb} + 1"
        ));
    }
    for word in OPTIONS.iter().filter(|word| !RESERVED.contains(word)) {
        sound(&format!(
            "param {word} = 1; {word}: {word} -> B, {word}; a = 2*{word}"
        ));
        if *word != "vs" {
            let StatementKind::Sentence(sentence) = one(&format!("simulate 0..1 {word}")) else {
                panic!("a sentence");
            };
            assert_eq!(sentence.options[0].word.text, *word);
        }
    }
    for word in RESERVED {
        let text = format!("param {word} = 1");
        let problems = parse_file(FIRST, &text).diagnostics;
        let codes: Vec<_> = problems
            .iter()
            .map(|problem| problem.code.as_str())
            .collect();
        assert_eq!(codes, ["E0108"], "{word}");
        if VALUES.contains(word) {
            sound(&format!("a = 2*{word}"));
        } else {
            sound(&format!("param `{word}` = 1; help {word}"));
        }
    }
    for word in DECLARATIONS {
        let problems = parse_file(FIRST, &format!("{word} ?")).diagnostics;
        assert_eq!(problems.len(), 1, "{word}");
    }
}

#[test]
fn blocks_hold_their_statements() {
    let text =
        "when x < 1 rising after 2 { x = 0; dose 5 [mg] into y }\ncondition c {\n  # nothing\n}";
    let statements = sound(text);
    let StatementKind::When { options, body, .. } = &statements[0].kind else {
        panic!("an event");
    };
    assert_eq!(options.len(), 2);
    assert_eq!(body.len(), 2);
    assert!(
        matches!(&statements[1].kind, StatementKind::Condition { body, .. } if body.is_empty())
    );
    let span = statements[0].span;
    assert!(text[span.start as usize..span.end as usize].ends_with('}'));
}

#[test]
fn good_statements_survive_bad_ones() {
    let text = "param a = 1\nparam b = = 2\nat 1 { a = ; b = 3 }\nat { a = 1 }\nx' = a";
    let parsed = parse_file(FIRST, text);
    assert_eq!(parsed.diagnostics.len(), 3);
    assert_eq!(parsed.file.statements.len(), 3);
}

#[test]
fn the_prompt_asks_for_more_lines_only_when_they_are_wanted() {
    for text in [
        "x' = (a +",
        "at 1 {",
        "at 1 { x = 1\n",
        "plot x,",
        "y = a *",
        "A ->",
        "when x < 1",
        "f(1,\n",
    ] {
        assert!(is_incomplete(text), "{text:?}");
    }
    for text in [
        "",
        "x' = a",
        "# (",
        "x = (a]",
        "x = a)",
        "plot \"(\"",
        "at 1 { }",
        "help if",
        "load a/",
    ] {
        assert!(!is_incomplete(text), "{text:?}");
    }
}

// ---- expressions -----------------------------------------------------------------------------------

#[test]
fn precedence_is_that_of_mathematics() {
    // Left: as one writes it. Right: the same with all parentheses.
    for (text, full) in [
        ("-x^2", "-(x^2)"),
        ("2^3^2", "2^(3^2)"),
        ("2^-1*3", "(2^(-1))*3"),
        ("a - b - c", "(a - b) - c"),
        ("a/b*c", "(a/b)*c"),
        ("a + b*c^d", "a + (b*(c^d))"),
        ("-a*b", "(-a)*b"),
        ("a*-b^2", "a*(-(b^2))"),
        ("not a == b and c", "(not (a == b)) and c"),
        ("a or b and c", "a or (b and c)"),
        ("if a then b else c + 1", "if a then b else (c + 1)"),
        (
            "1 + if a then b else c + 1",
            "1 + (if a then b else (c + 1))",
        ),
        ("1 + 2..3*4", "(1 + 2)..(3*4)"),
        ("a .* b ./ c .^ d", "(a .* b) ./ (c .^ d)"),
        ("x'*y''", "(x')*(y'')"),
    ] {
        assert_eq!(
            erased(&expression(text)),
            erased(&expression(full)),
            "{text}"
        );
    }
}

#[test]
fn spans_cover_what_they_name() {
    let text = "let z = (a + b) * f(c ) # end";
    let StatementKind::Let { value, .. } = one(text) else {
        panic!("a definition");
    };
    let at = |span: Span| &text[span.start as usize..span.end as usize];
    assert_eq!(at(value.span), "(a + b) * f(c )");
    let ExprKind::Binary {
        left,
        right,
        operator_span,
        operator,
    } = &value.kind
    else {
        panic!("a product");
    };
    assert_eq!(*operator, BinaryOperator::Multiply);
    assert_eq!(
        (at(left.span), at(*operator_span), at(right.span)),
        ("a + b", "*", "f(c )")
    );
    let ExprKind::Call { arguments, .. } = &right.kind else {
        panic!("a call");
    };
    assert_eq!(at(arguments[0].value.span), "c");
}

#[test]
fn one_expression_is_wanted_for_a_flag() {
    assert!(parse_expression(FIRST, "0..24").is_ok());
    for text in ["", "1; 2", "(1", "1 2", "at 1 { }", "# nothing"] {
        let problems = parse_expression(FIRST, text).expect_err(text);
        assert!(
            !problems.is_empty() && problems.iter().all(|p| !p.labels.is_empty()),
            "{text}"
        );
    }
}

/// The tree without its places, as text: two trees are the same when these are.
fn erased(expression: &Expr) -> String {
    let shown = format!("{expression:?}");
    let mut out = String::new();
    let mut rest = shown.as_str();
    while let Some(at) = rest.find("Span {") {
        out.push_str(&rest[..at]);
        rest = rest[at..].split_once('}').map_or("", |(_, after)| after);
        rest = rest.strip_prefix(" }").map_or(rest, |_| rest);
    }
    out + rest
}

/// A small generator of its own, so that the texts tried are the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        // Knuth's MMIX constants (The Art of Computer Programming, vol. 2, 3.3.4).
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    /// A text of an expression, with parentheses here and there.
    fn expression(&mut self, depth: usize) -> String {
        let leaves = [
            "a", "x'", "y[i - 1]", "2", "1.5e-7", "3 [mg/L]", "next m", "cell1.x", "`rate`",
            "\"t\"", "t", "1e300", "W''",
        ];
        if depth == 0 || self.below(8) == 0 {
            return leaves[self.below(leaves.len())].to_owned();
        }
        let infix = [
            "+", "-", "*", "/", "^", ".*", "./", ".^", "==", "<", ">=", "and", "or", "!=",
        ];
        let a = self.expression(depth - 1);
        let b = self.expression(depth - 1);
        match self.below(14) {
            0 => format!("-{a}"),
            1 => format!("not {a}"),
            2 => format!("(if {a} then {b} else {})", self.expression(depth - 1)),
            3 => format!("if {a} then {b} else {}", self.expression(depth - 1)),
            4 => format!("f({a}, sd = {b})"),
            5 => format!("[{a}, {b}..]"),
            6 => format!("({a}..{b})"),
            7 | 8 => format!("({a}) {} {b}", infix[self.below(infix.len())]),
            _ => format!("{a} {} ({b})", infix[self.below(infix.len())]),
        }
    }
}

#[test]
fn a_printed_expression_reads_back_as_itself() {
    let mut random = Random(1);
    let mut read = 0;
    for _ in 0..5_000 {
        let text = random.expression(4);
        // Chains of comparisons come up, and are rightly refused.
        let Ok(first) = parse_expression(FIRST, &text) else {
            continue;
        };
        read += 1;
        let shown = show_expression(&first);
        let second = expression(&shown);
        assert_eq!(
            erased(&first),
            erased(&second),
            "{text}   printed   {shown}"
        );
        assert_eq!(show_expression(&second), shown);
    }
    assert!(read > 2_500, "only {read} expressions were sound");
}

#[test]
fn printing_uses_no_needless_parentheses() {
    for text in [
        "a + b*c",
        "-x^2",
        "(a + b)*c",
        "a - (b - c)",
        "2^-1",
        "(-x)^2",
        "if a then b else c",
        "0..10",
        "0..",
        "1 + (if a then b else c)",
        "(if a then b else c) + 1",
        "not a and b",
        "not (a and b)",
        "f(x, sd = 2)[1]",
        "x'",
        "next m",
        "`rate` + 1",
        "5 [mg/L]",
        "3 [1/h]",
        "[[1, 2], [3, 4]]",
        "(a < b) == c",
        "a .* b",
        "..5",
    ] {
        let Ok(read) = parse_expression(FIRST, text) else {
            continue;
        };
        let shown = show_expression(&read);
        assert!(shown.len() <= text.len(), "{text} became {shown}");
        assert_eq!(erased(&read), erased(&expression(&shown)));
    }
}

// ---- layout ----------------------------------------------------------------------------------------

/// The comments of a text in which `#` stands for nothing else.
fn comments(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| Some(line.get(line.find('#')?..)?.trim_end()))
        .collect()
}

/// Reading again with what is remembered gives what reading from nothing gives.
#[test]
fn what_is_remembered_is_what_is_read() {
    let text = "param k = 1, m = 2\nstate x = 1\nx' = -k*x\nwhen x < 0.5 {\n    x = 1\n    k = 2\n}\n## Sum.\nlet s = x + k\nat 3 { x = 2 }\nsimulate 0..10\n";
    let mut memory = Memory::default();
    let mut changed = String::from(text);
    let mut random = Random(7);
    let pieces = [
        "1",
        "x",
        "\n",
        " + ",
        "}",
        "{",
        "let y = 2\n",
        "# no\n",
        "'",
        "->",
        "é",
    ];
    for _ in 0..2_000 {
        let again = parse_file_again(FIRST, &changed, &mut memory);
        assert_eq!(again, parse_file(FIRST, &changed), "{changed}");
        let mut at = random.below(changed.len() + 1);
        while !changed.is_char_boundary(at) {
            at -= 1;
        }
        match random.below(3) {
            0 => changed.insert_str(at, pieces[random.below(pieces.len())]),
            1 => drop(changed[at..].chars().next().map(|_| changed.remove(at))),
            _ => changed = text.to_owned(),
        }
    }
}

/// What moves is the same at its new place, whatever it says: in every model file, and twice in a file.
#[test]
fn what_has_moved_is_what_is_read() {
    let models = fixtures("../models");
    assert!(models.len() > 20);
    for (path, text) in models {
        let mut memory = Memory::default();
        for changed in [
            text.clone(),
            format!("# First.\n\n{text}"),
            format!("{text}\n{text}"),
            text,
        ] {
            let again = parse_file_again(FIRST, &changed, &mut memory);
            assert_eq!(again, parse_file(FIRST, &changed), "{}", path.display());
        }
    }
}

#[test]
fn a_layout_says_the_same_and_is_laid_out() {
    let mut random = Random(3);
    let mut read = 0;
    for round in 0..3_000 {
        let (first, second) = (random.expression(4), random.expression(3));
        let mut text =
            format!("let v = ({first})\nx' = {second}\nsimulate 0..1 with k = {second}\n");
        if round % 3 == 0 {
            let mut number = 0;
            text = text
                .split_inclusive(['(', ','])
                .map(|piece| {
                    number += 1;
                    let inside = number > 1 && random.below(3) == 0;
                    if inside && !piece.contains('\n') {
                        format!("{piece} # {number}\n")
                    } else {
                        piece.to_owned()
                    }
                })
                .collect();
        }
        let parsed = parse_file(FIRST, &text);
        if !parsed.diagnostics.is_empty() {
            continue;
        }
        read += 1;
        let laid_out = format(FIRST, &text).expect("it could be read");
        let again = parse_file(FIRST, &laid_out);
        assert_eq!(plain(&laid_out, &again.diagnostics), "", "{laid_out}");
        assert_eq!(
            without_places(&parsed.file),
            without_places(&again.file),
            "{text}\nlaid out\n{laid_out}"
        );
        assert_eq!(comments(&text), comments(&laid_out), "{text}\n{laid_out}");
        assert_eq!(format(FIRST, &laid_out).as_deref(), Ok(laid_out.as_str()));
        // Blanks do not matter; that also shows that the text was not merely given back.
        let wide = text.replace(' ', "   ");
        if round % 3 != 0 {
            assert_eq!(format(FIRST, &wide).as_deref(), Ok(laid_out.as_str()));
        }
    }
    assert!(read > 1_000, "only {read} texts were sound");
}

// ---- texts that are no files -----------------------------------------------------------------------

/// Whatever comes, an answer comes: faults have places, within the text and between characters.
fn survives(text: &str) {
    for parsed in [parse_file(FIRST, text), parse_line(FIRST, text)] {
        for problem in &parsed.diagnostics {
            assert!(
                !problem.labels.is_empty(),
                "{problem} has no place in {text:?}"
            );
            for label in &problem.labels {
                let (start, end) = (label.span.start as usize, label.span.end as usize);
                assert!(
                    text.get(start..end).is_some(),
                    "{problem} at {start}..{end} in {text:?}"
                );
            }
        }
    }
    let _ = is_incomplete(text);
    let _ = parse_expression(FIRST, text);
    if let Ok(laid_out) = format(FIRST, text) {
        let again = format(FIRST, &laid_out);
        assert_eq!(again.as_deref(), Ok(laid_out.as_str()), "of {text:?}");
    }
}

#[test]
fn damaged_files_are_survived() {
    let mut files = fixtures("syntax");
    files.extend(
        fixtures("errors/syntax")
            .into_iter()
            .filter(|(path, _)| !path.ends_with("nesting.lotka")),
    );
    let strange = [
        "(", ")", "{", "}", "[", "]", "\"", "`", "#", ";", "\n", "'", "=", "->", "..", "\0", "é",
        "²", "–", "1e", "if ", "\u{202E}", "\r", "\t", "🦊",
    ];
    let mut random = Random(7);
    for (_, text) in &files {
        for _ in 0..60 {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..=random.below(6) {
                let at = random.below(bytes.len());
                match random.below(4) {
                    0 => bytes[at] = random.below(256) as u8,
                    1 => {
                        bytes.remove(at);
                    }
                    2 => {
                        let piece = strange[random.below(strange.len())];
                        bytes.splice(at..at, piece.bytes());
                    }
                    _ => {
                        let end = (at + random.below(40)).min(bytes.len());
                        bytes.drain(at..end);
                    }
                }
                if bytes.is_empty() {
                    break;
                }
            }
            survives(&String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn noise_is_survived() {
    let mut random = Random(3);
    for length in [0, 1, 2, 10, 100, 1000, 20_000] {
        let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
        survives(&String::from_utf8_lossy(&bytes));
        let words = [
            "param", "x", "=", "1", "(", "if", "then", "{", "at", ",", "\n", "'", "[", "in", "..",
            "plot", ":", "->", "\"a\"",
        ];
        let text: Vec<&str> = (0..length)
            .map(|_| words[random.below(words.len())])
            .collect();
        survives(&text.join(" "));
    }
}

/// Runs on the test's own stack of 2 MiB, a quarter of what a program usually has.
#[test]
fn depth_is_bounded_and_what_passes_can_be_walked() {
    let many = |piece: &str, count: usize| piece.repeat(count);
    for text in [
        many("(", 10_000),
        many("[", 10_000),
        many("f(", 10_000),
        many("x[", 10_000),
        format!("x = {}1{}", many("(", 10_000), many(")", 10_000)),
        format!("x = {}1", many("-", 100_000)),
        format!("x = {}1", many("not ", 10_000)),
        format!("x = {}1", many("- not ", 50_000)),
        format!("x = 1{}", many("+1", 100_000)),
        format!("x = 1{}", many("^1", 10_000)),
        format!("x = 1{}", many("^-1", 10_000)),
        format!("x = {}1", many("if a then 1 else ", 20_000)),
        format!("x = {}1", many("if ", 100_000)),
        format!("x = {}1", many("if a then ", 100_000)),
        format!("x = {}1{}", many("-(-", 5_000), many(")", 5_000)),
        format!("x = {}1{}", many("a^-(", 190), many(")", 190)),
        format!("x = {}1{}", many("a + b*(", 150), many(")", 150)),
        format!("plot {}", many("at ", 10_000)),
        format!("plot {}", many("x, ", 10_000)),
        format!("param a = 1 [{}", many("(", 10_000)),
        format!("param a = 1 [{}m{}]", many("(", 150), many(")", 150)),
        many("at 1 { ", 10_000),
        many("## doc\n", 100_000),
        many("x'", 50_000),
        many("`", 50_000),
        many("a.", 50_000),
        many("at 1\n#\n", 10_000),
    ] {
        survives(&text);
        let parsed = parse_line(FIRST, &text);
        assert_eq!(parsed.clone(), parsed);
    }
    // What is just within the bounds passes, and can be copied, compared, printed and dropped.
    for text in [
        format!("{}1{}", many("(", 200), many(")", 200)),
        format!("1{}", many("+1", 999)),
        format!("{}1", many("-", 390)),
        format!("{}1", many("if a then 1 else ", 390)),
    ] {
        let tree = expression(&text);
        assert_eq!(tree.clone(), tree);
        assert_eq!(erased(&expression(&show_expression(&tree))), erased(&tree));
    }
    let problems =
        parse_expression(FIRST, &format!("1{}", many("+1", 1001))).expect_err("too long");
    assert_eq!(problems[0].code.as_str(), "E0105");
}

/// 50,000 lines, well under a second when optimised. `cargo test -- --ignored speed --nocapture`
#[test]
#[ignore = "a measurement"]
fn speed() {
    let mut text = String::new();
    for line in 0..10_000 {
        writeln!(text, "param k{line} = 1.5e-3 [1/h] in 0..10 log   # a rate").expect("string");
        writeln!(text, "species A{line} in cell = 10 [mg/L]").expect("string");
        writeln!(
            text,
            "r{line}: A{line} + 2 B -> C{line}, k{line}*A{line}/(km + A{line})"
        )
        .expect("string");
        writeln!(
            text,
            "x{line}' = alpha*x{line} - beta*x{line}*y{line}^2 + sin(t)"
        )
        .expect("string");
        writeln!(
            text,
            "let d{line} = if x{line} > 3 then exp(-x{line}/2) else 0"
        )
        .expect("string");
    }
    let start = std::time::Instant::now();
    let parsed = parse_file(FIRST, &text);
    let took = start.elapsed();
    assert_eq!(plain(&text, &parsed.diagnostics), "");
    assert_eq!(parsed.file.statements.len(), 50_000);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or("");
    println!("{} bytes in {took:?}, {peak}", text.len());
}
