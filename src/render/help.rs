//! Short help on the language, with an example for every sentence.

use super::words;
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
        summary: "solve the equations",
        details: "  step 0.1, points 501, at 0.5, 1, 2   output times; all steps when absent
  using auto                           or tsit5, rodas, exponential, bdf, ...
  rtol 1e-8 atol 1e-10                 relative and absolute tolerance
  with alpha = 0.9, beta = 2           values for this run
  in knockout                          a condition of the model
  subject 3                            of a table of doses; by subject for all
  from last                            go on from the end of the last run
  from steady in control               start at rest, here under a condition
  subject 3                            the doses of one subject of a table
  by subject                           a run for each of them
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
        word: "measure",
        example: "measure max(x), auc(x, 0..24)",
        summary: "take numbers from the last run",
        details: "  max, min, mean, auc, first, last     of an expression; the range is optional
  time_of_max, time_of_min             when the extreme value is met
  time_of(x > 5 and y < 1)             when a condition first holds
  period, amplitude                    of a lasting swing
  half_life                            of the fall at the end
  max(x)/min(x)                        measures may be combined
",
    },
    Entry {
        word: "steady",
        example: "steady",
        summary: "find the state that it settles in",
        details: "  with x = 2                           start the search there
  in knockout                          under a condition of the model
  from last                            from the end of the last run
",
    },
    Entry {
        word: "sensitivity",
        example: "sensitivity x by alpha, beta",
        summary: "derivatives of the last run",
        details: "  sensitivity x by x                   by the initial value of x
  sensitivity x scaled                 relative ones, by all parameters
  to \"heat.svg\"                        a heat map; .csv for every number
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
  show events | doses | inputs         what interrupts and drives it
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
        summary: "its value now (only at the prompt)",
        details: "",
    },
    Entry {
        word: "assert",
        example: "assert prey > 0",
        summary: "what must hold along every run",
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

/// What a model file declares.
const DECLARATIONS: &[Entry] = &[
    Entry {
        word: "param",
        example: "param alpha = 1.1 [1/day] in 0..10",
        summary: "a parameter, its unit and bounds",
        details: "",
    },
    Entry {
        word: "state",
        example: "state prey = 10, predator = 5",
        summary: "what equations change",
        details: "  state y = 0 [mg] atol 1e-12          a unit, an absolute tolerance of its own\n",
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
        word: "condition",
        example: "condition control { alpha = 0.5 }",
        summary: "values, events, doses under one name",
        details: "  simulate 0..9 in control             chooses it
  no doses                             inside: without the doses of the model
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
    let entries = || DECLARATIONS.iter().chain(SENTENCES).chain(PROMPT);
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
    let mut text = String::new();
    let mut section = |title: &str, entries: &[Entry]| {
        text.push_str(title);
        for entry in entries {
            text.push_str(&format!("  {:40}  {}\n", entry.example, entry.summary));
        }
    };
    section(
        "A model file declares what changes, in any order:\n\n",
        DECLARATIONS,
    );
    section(
        "\nIt asks for something. Sentences, in a file or at the prompt:\n\n",
        SENTENCES,
    );
    section("\nAt the prompt:\n\n", PROMPT);
    text.push_str(
        "\n`help simulate` says more on a sentence, `help functions` lists the functions.\n\
         `lotka --help` lists the commands: run, check, simulate, ...\n",
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
        assert!(
            help(Some("simulate"), 50)
                .contains("  step 0.1, points 501, at 0.5, 1, 2\n      output times")
        );
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_nearest() {
        assert!(help(Some("plott"), 80).contains("did you mean `plot`?"));
    }
}
