//! The table itself: one entry for each verb.

use super::super::command::Command;
use super::super::lower::{self, alone};
use super::super::{jacobian, measure, sensitivity, stability, stationary, steady};
use super::choices::*;
use super::{Place, Reading, Value, Verb};

use Place::{Anywhere, Prompt};
use Reading::{NotYet, Performed};

/// A sentence that this version recognises and does not perform.
const fn not_yet(word: &'static str, what: &'static str) -> Verb {
    Verb {
        word,
        example: word,
        summary: "for later versions",
        subjects: Value::Expressions,
        options: &[],
        more: &[],
        see: &[],
        place: Anywhere,
        reading: NotYet(what),
    }
}

/// A sentence of one word that only the prompt needs.
const fn word(
    word: &'static str,
    summary: &'static str,
    see: &'static [&'static str],
    reading: Reading,
) -> Verb {
    Verb {
        word,
        example: word,
        summary,
        subjects: Value::Nothing,
        options: &[],
        more: &[],
        see,
        place: Prompt,
        reading,
    }
}

/// Every verb, in the order in which one needs them.
pub static VERBS: &[Verb] = &[
    Verb {
        word: "simulate",
        example: "simulate 0..100 step 0.1",
        summary: "solve the equations",
        subjects: Value::Times,
        options: &[
            STEP,
            POINTS,
            AT,
            USING,
            RTOL,
            ATOL,
            WITH,
            IN_CONDITION,
            FROM,
            SUBJECT,
            BY_SUBJECT,
        ],
        more: &[(
            "from steady in control",
            "start at rest, here under a condition",
        )],
        see: &["plot", "measure", "save", "show"],
        place: Anywhere,
        reading: Performed(lower::simulate),
    },
    Verb {
        word: "plot",
        example: "plot prey, predator over \"data.csv\"",
        summary: "draw curves of the last run",
        subjects: Value::Expressions,
        options: &[OVER, LOG, TITLE, TO_FIGURE],
        more: &[(
            "plot predator vs prey",
            "one against the other instead of time",
        )],
        see: &["simulate", "save"],
        place: Anywhere,
        reading: Performed(lower::plot),
    },
    Verb {
        word: "measure",
        example: "measure max(x), auc(x, 0..24)",
        summary: "take numbers from the last run",
        subjects: Value::Measures,
        options: &[],
        more: &[
            (
                "max, min, mean, auc, first, last",
                "of an expression; the range is optional",
            ),
            ("time_of_max, time_of_min", "when the extreme value is met"),
            ("time_of(x > 5 and y < 1)", "when a condition first holds"),
            ("period, amplitude", "of a lasting swing"),
            ("half_life", "of the fall at the end"),
            ("max(x)/min(x)", "measures may be combined"),
        ],
        see: &["simulate"],
        place: Anywhere,
        reading: Performed(measure::lower),
    },
    Verb {
        word: "steady",
        example: "steady",
        summary: "find the state that it settles in",
        subjects: Value::Nothing,
        options: &[WITH, IN_CONDITION, FROM_LAST],
        more: &[
            ("steady with x = 2", "start the search there"),
            ("steady all", "every one, each with its type"),
            ("steady all x in 0..5, y in 0..3", "every one in a box"),
        ],
        see: &["simulate", "stability", "continue"],
        place: Anywhere,
        reading: Performed(steady::lower),
    },
    Verb {
        word: "sensitivity",
        example: "sensitivity x by alpha, beta",
        summary: "derivatives of the last run",
        subjects: Value::Expressions,
        options: &[BY, SCALED, WITH, IN_CONDITION, TO_MAP],
        more: &[("sensitivity x by x", "by the initial value of x")],
        see: &["simulate"],
        place: Anywhere,
        reading: Performed(sensitivity::lower),
    },
    Verb {
        word: "save",
        example: "save \"out.csv\"",
        summary: "write the last run as a table",
        subjects: Value::File(&["csv", "txt"]),
        options: &[TO_TABLE, SESSION, OVERWRITE],
        more: &[(
            "save prey, prey + predator to \"out.csv\"",
            "only these columns, after time",
        )],
        see: &["simulate", "plot"],
        place: Anywhere,
        reading: Performed(lower::save),
    },
    Verb {
        word: "show",
        example: "show equations",
        summary: "show a part of the model",
        subjects: Value::Topic,
        options: &[AS_LATEX, WITH, IN_CONDITION],
        more: &[
            ("show", "everything in short"),
            (
                "show parameters | reactions | jacobian | conserved | method",
                "",
            ),
            (
                "show events | doses | inputs",
                "what interrupts and drives it",
            ),
        ],
        see: &["load"],
        place: Anywhere,
        reading: Performed(lower::show),
    },
    not_yet("sweep", "sweeps"),
    Verb {
        word: "stability",
        example: "stability",
        summary: "what happens near a state of rest",
        subjects: Value::Nothing,
        options: &[AT_STATE, OVER_RANGES, WITH, IN_CONDITION, FROM_LAST],
        more: &[
            ("stability all", "near every state of rest in a box"),
            ("stability all x in 0..5", "the range of a state of the box"),
            ("stability over k, b", "in the bounds that are declared"),
        ],
        see: &["steady", "jacobian", "continue"],
        place: Anywhere,
        reading: Performed(stability::lower),
    },
    Verb {
        word: "jacobian",
        example: "jacobian at x = 1, y = 2",
        summary: "derivatives of the equations",
        subjects: Value::Nothing,
        options: &[
            AT_POINT,
            FROM_LAST,
            WITH,
            IN_CONDITION,
            AS_LATEX,
            TO_JACOBIAN,
        ],
        more: &[("jacobian", "symbolic")],
        see: &["stability", "show"],
        place: Anywhere,
        reading: Performed(jacobian::lower),
    },
    not_yet("continue", "continuation"),
    not_yet("nullclines", "plots of nullclines"),
    not_yet(
        "phase",
        "phase portraits (`plot y vs x` draws a trajectory)",
    ),
    Verb {
        word: "stationary",
        example: "stationary",
        summary: "how noise spreads a steady state",
        subjects: Value::Expressions,
        options: &[AT_LAGS, WITH, IN_CONDITION, FROM_LAST, TO_FIGURE_ONLY],
        more: &[("stationary x, y", "of these states only")],
        see: &["steady", "stability", "wiener"],
        place: Anywhere,
        reading: Performed(stationary::lower),
    },
    not_yet("fit", "fits"),
    not_yet("profile", "profiles of likelihoods"),
    not_yet("explain", "explanations"),
    Verb {
        word: "load",
        example: "load \"models/griffith.lotka\"",
        summary: "take up a model file",
        subjects: Value::File(&["lotka"]),
        options: &[],
        more: &[],
        see: &["reload", "save"],
        place: Prompt,
        reading: Performed(lower::load),
    },
    word(
        "reload",
        "read the model file again",
        &["load", "reset"],
        Performed(|sentence, _, options| alone(sentence, options, Command::Reload)),
    ),
    word(
        "reset",
        "all values as declared",
        &["undo", "reload"],
        Performed(|sentence, _, options| alone(sentence, options, Command::Reset)),
    ),
    word(
        "undo",
        "take the last step back",
        &["reset", "history"],
        Performed(|sentence, _, options| alone(sentence, options, Command::Undo)),
    ),
    word(
        "history",
        "the lines typed so far",
        &["undo", "save"],
        Performed(|sentence, _, options| alone(sentence, options, Command::History)),
    ),
    Verb {
        word: "help",
        example: "help simulate",
        summary: "this text, or more on one word",
        subjects: Value::HelpWord,
        options: &[],
        more: &[("help functions", "all functions of the language")],
        see: &[],
        place: Prompt,
        reading: Performed(lower::help),
    },
    word(
        "quit",
        "leave (Ctrl-D does too)",
        &["save"],
        Performed(|sentence, _, options| alone(sentence, options, Command::Quit)),
    ),
];
