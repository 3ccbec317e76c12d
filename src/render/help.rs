//! Short help on the language, with an example for every sentence.

use crate::diagnostic::did_you_mean;
use crate::symbolic::Builtin;

/// A sentence, its forms and what it does.
struct Entry {
    word: &'static str,
    example: &'static str,
    summary: &'static str,
    details: &'static str,
}

/// What this version performs, in the order in which one needs it.
const SENTENCES: &[Entry] = &[
    Entry {
        word: "simulate",
        example: "simulate 0..100 step 0.1",
        summary: "solve the equations over a range of time",
        details:
            "  step 0.1, points 501, at 0.5, 1, 2   which times are kept; all steps when absent
  using auto                           or bdf, tr_bdf2, esdirk34, tsit45
  rtol 1e-8 atol 1e-10                 tolerances; 1e-6, and 1e-9 times the size of each state
  with alpha = 0.9, beta = 2           values for this run
  in knockout                          a condition of the model
  from last                            go on from the end of the last run
",
    },
    Entry {
        word: "plot",
        example: "plot prey, predator over \"data.csv\"",
        summary: "draw curves of the last run",
        details: "  plot predator vs prey                one against the other instead of time
  over \"data.csv\" (time = year)        data points, with the names of columns
  log y                                a logarithmic axis; log x, y for both
  title \"Lynx and hare\"
  to \"figure.svg\"                      or .png; in the terminal when absent
",
    },
    Entry {
        word: "save",
        example: "save \"out.csv\"",
        summary: "write the last run as a table",
        details: "  save prey, prey + predator to \"out.csv\"   only these columns, after time\n",
    },
    Entry {
        word: "show",
        example: "show equations",
        summary: "show a part of the model",
        details: "  show                                 everything in short
  show equations                       as latex: for a paper
  show parameters | reactions | jacobian | conserved | method
",
    },
    Entry {
        word: "NAME = VALUE",
        example: "alpha = 0.9",
        summary: "set a parameter or an initial value",
        details: "",
    },
    Entry {
        word: "EXPRESSION",
        example: "prey/(prey + predator)",
        summary: "its value at the end of the last run (prompt only)",
        details: "",
    },
    Entry {
        word: "assert",
        example: "assert prey > 0",
        summary: "what must hold along every run (at the prompt: now)",
        details: "",
    },
];

/// What only makes sense at the prompt.
const PROMPT: &[Entry] = &[
    Entry {
        word: "load",
        example: "load \"models/griffith.lotka\"",
        summary: "take up a model file",
        details: "",
    },
    Entry {
        word: "reload",
        example: "reload",
        summary: "read the model file again",
        details: "",
    },
    Entry {
        word: "reset",
        example: "reset",
        summary: "all values as declared",
        details: "",
    },
    Entry {
        word: "undo",
        example: "undo",
        summary: "take the last assignment back",
        details: "",
    },
    Entry {
        word: "history",
        example: "history",
        summary: "the lines typed so far",
        details: "",
    },
    Entry {
        word: "help",
        example: "help simulate",
        summary: "this text, or more on one sentence",
        details: "",
    },
    Entry {
        word: "quit",
        example: "quit",
        summary: "leave (Ctrl-D does too)",
        details: "",
    },
];

/// A model in a few lines.
const DECLARATIONS: &str = "\
A model file declares what changes, and asks for something:

  param alpha = 1.1 [1/day] in 0..10      a parameter, its unit and bounds
  state prey = 10, predator = 5           what equations change
  prey' = alpha*prey - 0.4*prey*predator  its time derivative
  let total = prey + predator             a definition
  fn hill(x, k, n) = x^n/(k^n + x^n)      a function
  compartment cell = 2 [L]                a volume
  species A in cell = 1, B in cell = 0    what reactions change
  binding: 2 A <-> B, kon, koff           mass action; or: A -> B, rate v*A/(K + A)
  index gene = {GATA1, KLF1}              or 1..50, for vectors: state y[gene] = 0
  for i in 2..49 { u[i]' = u[i-1] - u[i] }
  condition control { alpha = 0.5 }       a set of values
";

/// Help on a word, or on everything.
#[must_use]
pub fn help(word: Option<&str>) -> String {
    let Some(word) = word else { return overview() };
    let entries = || SENTENCES.iter().chain(PROMPT);
    if let Some(entry) = entries().find(|entry| entry.word == word) {
        return format!("{}\n  {}\n{}", entry.summary, entry.example, entry.details);
    }
    if let Some(function) = Builtin::find(word) {
        return format!(
            "{}: {}\n  domain: {}\n",
            function.name, function.description, function.domain
        );
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
    let known = entries()
        .map(|entry| entry.word)
        .chain(Builtin::all().map(|function| function.name));
    match did_you_mean(word, known) {
        Some(near) => format!("there is no help on `{word}`: {near}\n"),
        None => format!("there is no help on `{word}`; `help` lists what there is\n"),
    }
}

fn overview() -> String {
    let mut text = DECLARATIONS.to_owned();
    let mut section = |title: &str, entries: &[Entry]| {
        text.push_str(title);
        for entry in entries {
            text.push_str(&format!("  {:38}  {}\n", entry.example, entry.summary));
        }
    };
    section("\nSentences, in a file or at the prompt:\n\n", SENTENCES);
    section("\nAt the prompt:\n\n", PROMPT);
    text.push_str(
        "\n`help simulate` says more on a sentence, `help functions` lists the functions.\n\
         On the command line: lotka run FILE, check, simulate, show, repl; `lotka --help`.\n",
    );
    text
}
