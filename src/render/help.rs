//! Short help on the language, with an example for every sentence.
//!
//! What a verb takes comes from the table in `session/verbs`: a new sentence is written there and
//! needs nothing here. Declarations have their entries below.

use super::words;
use crate::diagnostic::{Code, did_you_mean};
use crate::session::verbs::{Choice, Place, VERBS, Verb};
use crate::symbolic::Builtin;

/// A sentence, its forms and what it does.
struct Entry {
    word: &'static str,
    example: &'static str,
    summary: &'static str,
    details: &'static str,
}

/// What stands at the prompt or in a file without a verb.
const WITHOUT_VERB: &[Entry] = &[
    Entry {
        word: "value",
        example: "alpha = 0.9",
        summary: "set a parameter or an initial value",
        details: "  k[2] = 3                             one element of a vector
  A = [[1, 2], [3, 4]]                 all of a matrix
  undo                                 takes it back
see also: undo, reset, with
",
    },
    Entry {
        word: "expression",
        example: "prey/(prey + predator)",
        summary: "its value now (only at the prompt)",
        details:
            "  x                                    at the end of the last run, else at the start
  x'                                   its rate of change there
  x > 1                                yes or no
see also: measure, functions
",
    },
    Entry {
        word: "assert",
        example: "assert prey > 0",
        summary: "what must hold along every run",
        details: "  at the prompt                        whether it holds now\n",
    },
];

/// What a model file declares.
const DECLARATIONS: &[Entry] = &[
    Entry {
        word: "param",
        example: "param alpha = 1.1 [1/day] in 0..10",
        summary: "a parameter, its unit and bounds",
        details: "",
    },
    Entry {
        word: "unit",
        example: "unit hare, puff = 90 [ug]",
        summary: "units of your own",
        details: "  help units                           those that there are\n",
    },
    Entry {
        word: "state",
        example: "state prey = 10, predator = 5",
        summary: "what equations change",
        details: "  state y = 0 [mg] atol 1e-12          a unit, an absolute tolerance of its own\n",
    },
    Entry {
        word: "wiener",
        example: "wiener W",
        summary: "noise: W' in equations",
        details: "  x' = theta*(mu - x) + sigma*W'       white noise, in the Itô sense\n  stratonovich V                       in the sense of Stratonovich\n  noise intrinsic (size = Omega)       reactions have noise of their own\n",
    },
    Entry {
        word: "equation",
        example: "prey' = alpha*prey - 0.4*prey*predator",
        summary: "its time derivative",
        details: "  theta'' = -sin(theta)                second order, with `state theta = 1, theta' = 0`\n",
    },
    Entry {
        word: "let",
        example: "let total = prey + predator",
        summary: "a definition, true at all times",
        details: "",
    },
    Entry {
        word: "fn",
        example: "fn hill(x, k, n) = x^n/(k^n + x^n)",
        summary: "a function",
        details: "",
    },
    Entry {
        word: "compartment",
        example: "compartment cell = 2 [L]",
        summary: "a volume",
        details: "",
    },
    Entry {
        word: "species",
        example: "species A in cell = 1, B in cell = 0",
        summary: "what reactions change",
        details: "",
    },
    Entry {
        word: "reaction",
        example: "binding: 2 A <-> B, kon, koff",
        summary: "mass action, forward and backward",
        details: "  A -> B, k                            one way
  0 -> A, k                            a source; A -> 0, k is a sink
  A -> B, rate v*A/(K + A)             any other law: amount per time
",
    },
    Entry {
        word: "index",
        example: "index gene = {GATA1, KLF1}",
        summary: "or 1..50: the places of a vector",
        details: "  state y[gene] = 0                    a vector; y[GATA1] is one element\n",
    },
    Entry {
        word: "for",
        example: "for i in 2..49 { u[i]' = u[i-1] - u[i] }",
        summary: "statements for every index",
        details: "",
    },
    Entry {
        word: "when",
        example: "when prey < 1e-3 { prey = 0 }",
        summary: "an event, as this becomes true",
        details: "  when x == 1 falling { y = 0 }        at each downward crossing
  when x > 1 for 2 { k = 0 }           if it has held so long; or after 2
  priority 1                           among events at one time; higher first
",
    },
    Entry {
        word: "at",
        example: "at 10, 20 { k = 0 }",
        summary: "an event at these times",
        details: "",
    },
    Entry {
        word: "every",
        example: "every 24 from 6 times 7 { y = y/2 }",
        summary: "an event again and again",
        details: "",
    },
    Entry {
        word: "dose",
        example: "dose 100 into depot every 12 over 0.5",
        summary: "a dose or an infusion",
        details: "  at 0, 24                             when; or every 12 from 6 times 10
  lag tlag                             arrives so much later
  every 12 steady                      the first finds the settled state
  dose AMT from \"doses.csv\"            a table: ID, TIME, AMT, CMT, RATE, ...
",
    },
    Entry {
        word: "input",
        example: "input light from \"light.csv\" step",
        summary: "a table over time; or linear, cubic",
        details: "",
    },
    Entry {
        word: "constraint",
        example: "0 = A + B + C - 1",
        summary: "an equation without a derivative",
        details: "  state C                              needs no equation and no value then\n",
    },
    Entry {
        word: "delay",
        example: "x' = -x(t - tau)",
        summary: "what x was tau ago",
        details: "  history x = 0.1*exp(t)               before the start, else its initial value\n",
    },
    Entry {
        word: "next",
        example: "next w = w - eta*grad(loss, w)",
        summary: "the state after one step of a map",
        details: "  n                                    counts the steps; there is no t
  next w = w + next v                  the new value of v, in the same step
",
    },
    Entry {
        word: "condition",
        example: "condition control { alpha = 0.5 }",
        summary: "values, events, doses under one name",
        details: "  simulate 0..9 in control             chooses it
  no doses                             inside: without the doses of the model
",
    },
    Entry {
        word: "allow",
        example: "allow W0201",
        summary: "a warning that is known and meant",
        details: "  allow W0201 of alpha, beta           only where it is about these names
see also: explain
",
    },
    Entry {
        word: "use",
        example: "cell1: use \"cell.lotka\" (k = 3)",
        summary: "another file, as an instance",
        details: "  use \"laws.lotka\"                   its declarations, without a prefix
  cell1.x                              a name of the instance
  (pull = c*cell2.x)                   a parameter becomes a definition
",
    },
    Entry {
        word: "time",
        example: "time [year] from 1900",
        summary: "the unit of time and its start",
        details: "",
    },
];

/// Help on a word, or on everything, `width` columns wide.
#[must_use]
pub fn help(word: Option<&str>, width: usize) -> String {
    let text = word.map_or_else(overview, on);
    text.lines().map(|line| narrowed(line, width)).collect()
}

/// A line that is too long puts what stands right of its gap onto a line of its own.
fn narrowed(line: &str, width: usize) -> String {
    if words::width(line) > width {
        let body = line.trim_start();
        if let Some((left, right)) = body.split_once("  ") {
            let indent = " ".repeat(line.len() - body.len());
            let right = words::wrapped(
                &format!("{indent}    {}", right.trim_start()),
                width,
                "      ",
            );
            return format!("{indent}{left}\n{right}\n");
        }
        return words::wrapped(line, width, "") + "\n";
    }
    format!("{line}\n")
}

fn on(word: &str) -> String {
    if let Some(verb) = Verb::find(word) {
        return on_verb(verb);
    }
    let entries = || DECLARATIONS.iter().chain(WITHOUT_VERB);
    if let Some(entry) = entries().find(|entry| entry.word == word) {
        return format!("{}\n  {}\n{}", entry.summary, entry.example, entry.details);
    }
    if let Some(function) = Builtin::find(word) {
        return format!(
            "{}: {}\n  domain: {}\n",
            function.name, function.description, function.domain
        );
    }
    if let Some(code) = Code::find(word) {
        let short = code.as_str();
        return format!("{short}: {}\n`explain {short}` says more\n", code.title());
    }
    match word {
        "declarations" => return declarations(),
        "commands" => return commands(),
        "units" => return super::units::help(),
        _ => {}
    }
    if word == "functions" {
        let mut text = String::new();
        for function in Builtin::all() {
            text.push_str(&format!(
                "  {:10} {}\n",
                function.name, function.description
            ));
        }
        return text;
    }
    let takers: Vec<&Verb> = VERBS
        .iter()
        .filter(|verb| verb.option(word).is_some())
        .collect();
    if !takers.is_empty() {
        return on_option(word, &takers);
    }
    match did_you_mean(word, topics()) {
        Some(near) => format!("there is no help on `{word}`: {near}\n"),
        None => format!("there is no help on `{word}`; `help` lists what there is\n"),
    }
}

/// Every word that help knows, some of them twice.
pub fn topics() -> impl Iterator<Item = &'static str> {
    let entries = DECLARATIONS.iter().chain(WITHOUT_VERB);
    let options = VERBS.iter().flat_map(|verb| verb.options);
    let verbs = VERBS.iter().map(|verb| verb.word);
    verbs
        .chain(entries.map(|entry| entry.word))
        .chain(options.map(|choice| choice.word))
        .chain(Builtin::all().map(|function| function.name))
        .chain(["functions", "units", "declarations", "commands"])
}

fn on_verb(verb: &Verb) -> String {
    let mut text = format!("{}\n  {}\n", verb.summary, verb.example);
    for choice in verb.options {
        text.push_str(&pair(choice.example, choice.meaning));
    }
    for (form, meaning) in verb.more {
        text.push_str(&pair(form, meaning));
    }
    if !verb.see.is_empty() {
        text.push_str(&format!("see also: {}\n", verb.see.join(", ")));
    }
    text
}

/// An option, with the sentences that take it; forms that several share are told once.
fn on_option(word: &str, takers: &[&Verb]) -> String {
    let mut forms: Vec<(&Choice, Vec<&str>)> = Vec::new();
    for verb in takers {
        let Some(choice) = verb.option(word) else {
            continue;
        };
        match forms.iter_mut().find(|(known, _)| *known == choice) {
            Some((_, verbs)) => verbs.push(verb.word),
            None => forms.push((choice, vec![verb.word])),
        }
    }
    let mut text = format!("`{word}` is an option\n");
    for (choice, verbs) in forms {
        text.push_str(&pair(choice.example, choice.meaning));
        text.push_str(&format!("    of {}\n", verbs.join(", ")));
    }
    text
}

/// A form and what it means, in two columns.
fn pair(form: &str, meaning: &str) -> String {
    format!("  {form:36} {meaning}").trim_end().to_owned() + "\n"
}

/// Sentences that the overview only names: it is to be a screen.
const SELDOM: &[&str] = &[
    "histogram",
    "correlation",
    "bootstrap",
    "profile",
    "report",
    "predict",
];

fn overview() -> String {
    let mut text = String::new();
    let mut line = |example: &str, summary: &str| {
        text.push_str(&format!("  {example:36} {summary}\n"));
    };
    // What explains is named at the end.
    let anywhere = VERBS
        .iter()
        .filter(|verb| verb.place == Place::Anywhere && verb.word != "explain");
    for verb in anywhere.filter(|verb| !SELDOM.contains(&verb.word)) {
        line(verb.example, verb.summary);
    }
    for entry in WITHOUT_VERB {
        line(entry.example, entry.summary);
    }
    line(
        "let total = prey + predator",
        "any declaration: `help declarations`",
    );
    line(
        "load \"model.lotka\"",
        "another model; also reload, reset, undo",
    );
    line(
        "save session \"today.lotka\"",
        "all of this as a file; history, quit",
    );
    text.push_str(&format!("  and {}\n", SELDOM.join(", ")));
    text.push_str(
        "`help simulate` says more on a word, `explain E0201` on an error; `help functions` and `help commands` are lists.\n",
    );
    text
}

/// What a model file declares, each with an example.
fn declarations() -> String {
    let mut text = String::new();
    for entry in DECLARATIONS {
        text.push_str(&format!("  {:40}  {}\n", entry.example, entry.summary));
    }
    text
}

/// The words that begin a sentence at the prompt only, and the program's own commands.
fn commands() -> String {
    let mut text = String::from("at the prompt:\n");
    for verb in VERBS.iter().filter(|verb| verb.place == Place::Prompt) {
        text.push_str(&format!("  {:36}  {}\n", verb.example, verb.summary));
    }
    text.push_str("`lotka --help` lists the commands of the program: run, check, simulate, ...\n");
    text.push_str(
        "`lotka lsp` serves editors, which underline, complete and rename as you type.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_fits_a_terminal() {
        let texts = [None, Some("simulate"), Some("functions"), Some("mod")];
        for text in texts {
            for line in help(text, 80).lines() {
                assert!(words::width(line) <= 80, "{line}");
            }
        }
        assert!(help(Some("simulate"), 50).contains("  step 0.1\n      output times"));
    }

    #[test]
    fn help_is_a_screen() {
        assert!(help(None, 80).lines().count() <= 24, "{}", help(None, 80));
        for word in topics() {
            let text = help(Some(word), 80);
            assert!(!text.contains("no help"), "{word}");
            let lines = text.lines().count();
            assert!(lines <= 24 || word == "functions", "{word}: {lines}");
            assert!(text.lines().all(|line| words::width(line) <= 80), "{text}");
        }
    }

    #[test]
    fn related_words_have_help() {
        for verb in VERBS {
            for word in verb.see {
                assert!(!on(word).contains("no help"), "{} sees {word}", verb.word);
            }
        }
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_nearest() {
        assert!(help(Some("plott"), 80).contains("did you mean `plot`?"));
    }
}
