//! The manual and the README are run: every example does what the text says.
//!
//! Fenced blocks, by the words after the fence:
//!
//! - `lotka`: a whole model file; `lotka run` succeeds. With `file=NAME` it is kept under that
//!   name for later blocks of the page.
//! - `lotka,error`: a whole model file; `lotka run` fails, and the `text` block that follows holds
//!   exactly what it prints on standard error.
//! - `console`: lines `$ lotka ...`, each followed by what it prints, standard output first.
//!   `$ cat FILE` shows a file. With `error` a command may fail. A line `...` stands for any
//!   lines, the character `…` for anything within a line.
//! - `repl`: lines `> ...` as typed at `lotka repl` (with `file=NAME`, of that file), each
//!   followed by the answer.
//! - `csv` with `file=NAME` is kept under that name, for models that read it.
//! - `rust` is run as a doc test of the library; `sh`, `text`, `json`, `toml`, other `csv` are not run.
//!
//! The figures of the manual are drawn anew and compared byte by byte; `json.rs` compares the fields
//! of the JSON objects with those that the manual lists, `tables.rs` the tables that are made from the
//! code's own.
//!
//! Each page has a directory of its own with a copy of `models/`. With `LOTKA_BLESS=1` the
//! answers in the text and the figures are rewritten to what was made; read the difference before it is kept.

mod json;
#[path = "../support/mod.rs"]
mod support;
mod tables;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use support::{Workplace, entries, lotka, root};

/// Blessing reads and writes pages; two tests must not do so at once.
static PAGES: Mutex<()> = Mutex::new(());

/// A fenced block of a page.
#[derive(Debug)]
struct Block {
    /// First word after the fence.
    language: String,
    /// The words after it.
    flags: Vec<String>,
    /// Line number of the opening fence, from 0.
    fence: usize,
    /// The lines between the fences.
    lines: Vec<String>,
}

impl Block {
    fn is(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f == flag)
    }

    fn file(&self) -> Option<&str> {
        self.flags.iter().find_map(|f| f.strip_prefix("file="))
    }

    fn text(&self) -> String {
        let mut text = self.lines.join("\n");
        text.push('\n');
        text
    }
}

/// What is wrong with a page, and what its blocks should hold instead.
#[derive(Default)]
struct Findings {
    /// Wrong whatever is blessed.
    faults: Vec<String>,
    /// Answers that differ; blessing mends them.
    differences: Vec<String>,
    /// Fence line of a block and its right content.
    rewritten: Vec<(usize, Vec<String>)>,
}

fn pages() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs/src")];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn blessing() -> bool {
    std::env::var_os("LOTKA_BLESS").is_some_and(|value| value == "1")
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(words) => {
                let mut words = words.split(',').map(|w| w.trim().to_owned());
                found.push(Block {
                    language: words.next().unwrap_or_default(),
                    flags: words.collect(),
                    fence: number,
                    lines: Vec::new(),
                });
                inside = true;
            }
            None if inside => {
                if let Some(block) = found.last_mut() {
                    block.lines.push(line.to_owned());
                }
            }
            None => {}
        }
    }
    assert!(!inside, "a fence is never closed");
    found
}

#[test]
fn every_example_does_what_the_text_says() {
    let _guard = PAGES.lock();
    let mut faults = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let findings = run_page(&text);
        let name = page.strip_prefix(root()).unwrap_or(&page).display();
        let bless = blessing();
        let serious = findings.faults.iter();
        let mendable = findings.differences.iter().filter(|_| !bless);
        faults.extend(serious.chain(mendable).map(|f| format!("{name}:{f}")));
        if bless && !findings.rewritten.is_empty() {
            fs::write(&page, rewrite(&text, &findings.rewritten)).expect("the page is written");
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

fn run_page(text: &str) -> Findings {
    let workplace = Workplace::new();
    let here = workplace.path();
    let mut findings = Findings::default();
    let blocks = blocks(text);
    for (index, block) in blocks.iter().enumerate() {
        match block.language.as_str() {
            "lotka" if block.is("error") => {
                failing_model(here, block, blocks.get(index + 1), &mut findings);
            }
            "lotka" => model(here, block, &mut findings),
            "console" => answers(
                block,
                "$ ",
                |line| console(here, block, line),
                &mut findings,
            ),
            "repl" => {
                let mut session = Repl::new(here, block.file());
                answers(block, "> ", |line| Ok(session.answer(line)), &mut findings);
            }
            "csv" => {
                if let Some(name) = block.file() {
                    fs::write(here.join(name), block.text()).expect("the table is written");
                }
            }
            "text" if block.lines.iter().all(|line| line.trim().is_empty()) => {
                let line = block.fence + 1;
                findings.faults.push(format!("{line}: an empty block"));
            }
            "rust" | "sh" | "text" | "json" | "toml" => {}
            other => findings.faults.push(format!(
                "{}: a block in `{other}`, which this test does not know",
                block.fence + 1
            )),
        }
    }
    findings
}

/// A reader makes each figure once; here a model is run where it stands and where the text runs it. A
/// block with the flag `keep` shows what happens without.
const FORCE: &str = "--force";

fn model(here: &Path, block: &Block, findings: &mut Findings) {
    let name = block.file().unwrap_or("example.lotka");
    fs::write(here.join(name), block.text()).expect("the model is written");
    let printed = lotka(here, &["run", name, FORCE], "");
    if !printed.status.success() {
        findings.faults.push(format!(
            "{}: the model fails:\n{}",
            block.fence + 1,
            printed.both()
        ));
    } else if block.file().is_none() && !printed.errors.is_empty() {
        // With a name, what is said is shown below.
        findings.faults.push(format!(
            "{}: the model is warned of:\n{}",
            block.fence + 1,
            printed.errors
        ));
    }
}

fn failing_model(here: &Path, block: &Block, next: Option<&Block>, findings: &mut Findings) {
    let line = block.fence + 1;
    let name = block.file().unwrap_or("example.lotka");
    fs::write(here.join(name), block.text()).expect("the model is written");
    let printed = lotka(here, &["run", name, FORCE], "");
    if printed.status.success() || printed.crashed() {
        let how = printed.status;
        findings
            .faults
            .push(format!("{line}: the model should fail, but: {how}"));
        return;
    }
    let Some(answer) = next.filter(|b| b.language == "text") else {
        findings
            .faults
            .push(format!("{line}: no `text` block follows"));
        return;
    };
    let found = tidy(&printed.errors);
    if !matches(&answer.lines, &found) {
        findings
            .differences
            .push(difference(answer.fence + 1, &answer.lines, &found));
        findings.rewritten.push((answer.fence, found));
    }
}

/// Runs the lines of a block that begin with `prompt` and compares the lines between them.
fn answers(
    block: &Block,
    prompt: &str,
    mut run: impl FnMut(&str) -> Result<String, String>,
    findings: &mut Findings,
) {
    let mut right: Vec<String> = Vec::new();
    let mut different = false;
    let mut position = 0;
    while let Some(line) = block.lines.get(position) {
        let number = block.fence + 2 + position;
        position += 1;
        let Some(typed) = line.strip_prefix(prompt) else {
            findings
                .faults
                .push(format!("{number}: an answer without a question"));
            return;
        };
        let expected: Vec<String> = block.lines[position..]
            .iter()
            .take_while(|l| !l.starts_with(prompt))
            .cloned()
            .collect();
        position += expected.len();
        right.push(line.clone());
        match run(typed) {
            Err(fault) => {
                findings
                    .faults
                    .push(format!("{number}: `{typed}`: {fault}"));
                right.extend(expected);
            }
            Ok(printed) => {
                let found = tidy(&printed);
                if matches(&expected, &found) {
                    right.extend(expected);
                } else {
                    different = true;
                    findings
                        .differences
                        .push(difference(number, &expected, &found));
                    right.extend(found);
                }
            }
        }
    }
    if different {
        findings.rewritten.push((block.fence, right));
    }
}

fn console(here: &Path, block: &Block, line: &str) -> Result<String, String> {
    let words = words(line);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["cat", file] => fs::read_to_string(here.join(file)).map_err(|e| e.to_string()),
        ["lotka", arguments @ ..] => {
            let force: &[&str] = if block.is("keep") { &[] } else { &[FORCE] };
            let printed = lotka(here, &[arguments, force].concat(), "");
            let may_fail = block.is("error");
            if printed.crashed() || (!printed.status.success() && !may_fail) {
                return Err(format!("{}\n{}", printed.status, printed.both()));
            }
            Ok(printed.both())
        }
        _ => Err("only `lotka` and `cat` are run".to_owned()),
    }
}

/// Splits at spaces, except inside quotes.
fn words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => found.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    found.extend(word);
    found
}

/// A session at the prompt. Lines are answered by running all lines so far and taking what the
/// last one adds, so nothing has to be known about how answers are separated.
struct Repl<'a> {
    here: &'a Path,
    file: Option<&'a str>,
    typed: String,
    output: String,
    errors: String,
}

impl<'a> Repl<'a> {
    fn new(here: &'a Path, file: Option<&'a str>) -> Repl<'a> {
        let mut session = Repl {
            here,
            file,
            typed: String::new(),
            output: String::new(),
            errors: String::new(),
        };
        session.run();
        session
    }

    fn answer(&mut self, line: &str) -> String {
        self.typed.push_str(line);
        self.typed.push('\n');
        self.run()
    }

    fn run(&mut self) -> String {
        let mut arguments = vec!["repl"];
        arguments.extend(self.file);
        arguments.push(FORCE);
        let printed = lotka(self.here, &arguments, &self.typed);
        let new = |now: &str, before: &str| now.strip_prefix(before).unwrap_or(now).to_owned();
        let answer = new(&printed.output, &self.output) + &new(&printed.errors, &self.errors);
        self.output = printed.output;
        self.errors = printed.errors;
        answer
    }
}

/// Lines without trailing blanks, and without blank lines at the end.
fn tidy(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(|l| l.trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Whether printed lines are the expected ones; `...` stands for any number of lines.
fn matches(expected: &[String], found: &[String]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((line, rest)) if line.trim() == "..." => {
            (0..=found.len()).any(|skipped| matches(rest, &found[skipped..]))
        }
        Some((line, rest)) => found
            .split_first()
            .is_some_and(|(first, others)| line_matches(line, first) && matches(rest, others)),
    }
}

/// Whether a printed line is the expected one; `…` stands for anything.
fn line_matches(expected: &str, found: &str) -> bool {
    let mut parts = expected.trim_end().split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = found.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(position) = rest.find(part) else {
            return false;
        };
        rest = &rest[position + part.len()..];
    }
    rest.ends_with(last)
}

fn difference(line: usize, expected: &[String], found: &[String]) -> String {
    let mut text = format!("{line}: the answer is not the one in the text; found:");
    for line in found {
        let _ = write!(text, "\n  | {line}");
    }
    let _ = write!(text, "\n  expected:");
    for line in expected {
        let _ = write!(text, "\n  | {line}");
    }
    text
}

fn rewrite(text: &str, blocks: &[(usize, Vec<String>)]) -> String {
    let mut lines = text.lines().enumerate();
    let mut new = String::new();
    while let Some((number, line)) = lines.next() {
        let _ = writeln!(new, "{line}");
        if let Some((_, content)) = blocks.iter().find(|(fence, _)| *fence == number) {
            for line in content {
                let _ = writeln!(new, "{line}");
            }
            for (_, line) in lines.by_ref() {
                if line.starts_with("```") {
                    let _ = writeln!(new, "{line}");
                    break;
                }
            }
        }
    }
    new
}

fn without_stamp(figure: &Path) -> String {
    let text = fs::read_to_string(figure).expect("a figure");
    let (head, rest) = text.split_once("<metadata>").expect("a stamp");
    let (_, tail) = rest.split_once("</metadata>").expect("its end");
    format!("{head}{tail}")
}

#[test]
fn figures_are_drawn_by_the_models_that_the_manual_names() {
    let _guard = PAGES.lock();
    let workplace = Workplace::new();
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let tour = blocks(&readme)
        .into_iter()
        .find(|block| block.file() == Some("models/tour.lotka"))
        .expect("the model of the README");
    fs::write(workplace.path().join("models/tour.lotka"), tour.text()).expect("a model");
    let known = root().join("docs/src/figures/lynx_hare.svg");
    // The README shows a shorter text for the same figure.
    for model in ["models/lynx_hare.lotka", "models/tour.lotka"] {
        let printed = lotka(workplace.path(), &["run", model], "");
        assert!(printed.status.success(), "{}", printed.both());
        let drawn = workplace.path().join("lynx_hare.svg");
        if blessing() && model == "models/lynx_hare.lotka" {
            fs::copy(&drawn, &known).expect("the figure is written");
        }
        // Their stamps differ.
        let same = without_stamp(&drawn) == without_stamp(&known);
        fs::remove_file(&drawn).expect("the figure is there");
        assert!(
            same,
            "{model} draws another figure: bless it and look at it"
        );
    }
}

#[test]
fn figures_of_analysis_are_drawn_by_the_models_on_their_page() {
    let _guard = PAGES.lock();
    let workplace = Workplace::new();
    for (page, model, figure) in [
        ("analysis/portraits", "griffith.lotka", "griffith_phase.svg"),
        (
            "analysis/continuation",
            "griffith.lotka",
            "griffith_diagram.svg",
        ),
        ("analysis/sweeps", "map.lotka", "predators.svg"),
        ("analysis/sweeps", "orbits.lotka", "orbits.svg"),
        ("fitting/fit", "decay.lotka", "decay.svg"),
        ("fitting/trust", "slow.lotka", "slow.svg"),
        ("fitting/trust", "pictures.lotka", "pairs.svg"),
        ("fitting/noise", "nile.lotka", "nile.svg"),
        ("genes/cells", "truth.lotka", "network.svg"),
        ("genes/networks", "network.lotka", "cloud.svg"),
        ("genes/velocity", "velocity.lotka", "velocity.svg"),
    ] {
        let page = root().join(format!("docs/src/{page}.md"));
        let text = fs::read_to_string(page).expect("the page");
        let all = blocks(&text);
        for table in all.iter().filter(|block| block.language == "csv") {
            if let Some(name) = table.file() {
                fs::write(workplace.path().join(name), table.text()).expect("a table");
            }
        }
        let block = all
            .into_iter()
            .find(|block| block.file() == Some(model))
            .expect("the model of the page");
        fs::write(workplace.path().join(model), block.text()).expect("a model");
        let printed = lotka(workplace.path(), &["run", model], "");
        assert!(printed.status.success(), "{}", printed.both());
        let drawn = fs::read(workplace.path().join(figure)).expect("a figure");
        let known = root().join("docs/src/figures").join(figure);
        if blessing() {
            fs::write(&known, &drawn).expect("the figure is written");
        }
        let same = fs::read(&known).is_ok_and(|known| known == drawn);
        assert!(
            same,
            "{model} draws another figure: bless it and look at it"
        );
    }
}

#[test]
fn links_lead_somewhere_and_every_page_is_in_the_summary() {
    let summary = root().join("docs/src/SUMMARY.md");
    let listed = fs::read_to_string(&summary).expect("a summary");
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let folder = page.parent().expect("a folder");
        for link in links(&text) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(
                folder.join(target).exists(),
                "{}: {link} leads nowhere",
                page.display()
            );
        }
        if let Ok(name) = page.strip_prefix(root().join("docs/src")) {
            let name = name.to_string_lossy().replace('\\', "/");
            assert!(
                page == summary || listed.contains(&format!("({name})")),
                "{name} is not in the summary"
            );
        }
    }
}

/// The targets of `[text](target)` outside code blocks.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if !inside {
            let targets = line.split("](").skip(1);
            found.extend(targets.filter_map(|rest| rest.split(')').next()));
        }
    }
    found
}

#[test]
fn answers_are_compared_as_the_header_says() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(matches(&lines("a\n...\nd"), &lines("a\nb\nc\nd")));
    assert!(matches(&lines("a\n...\nd"), &lines("a\nd")));
    assert!(!matches(&lines("a\n...\nd"), &lines("a\nb")));
    assert!(line_matches("took … s, … steps", "took 0.1 s, 12 steps"));
    assert!(!line_matches("took … s", "took 0.1 s, 12 steps"));
    assert!(!line_matches("a", "ab"));
    assert_eq!(
        words("lotka run \"a b.lotka\" --with k=3"),
        ["lotka", "run", "a b.lotka", "--with", "k=3"]
    );
    let page = "x\n```console\n$ lotka\nold\n```\ny\n";
    let new = rewrite(page, &[(1, lines("$ lotka\nnew"))]);
    assert_eq!(new, "x\n```console\n$ lotka\nnew\n```\ny\n");
}
