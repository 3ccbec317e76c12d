//! Options that several sentences take.

use super::{Choice, Value};

const fn choice(
    word: &'static str,
    value: Value,
    example: &'static str,
    meaning: &'static str,
) -> Choice {
    Choice {
        word,
        value,
        example,
        meaning,
    }
}

pub(super) const STEP: Choice = choice(
    "step",
    Value::Number,
    "step 0.1",
    "output times; all steps when absent",
);
pub(super) const POINTS: Choice = choice(
    "points",
    Value::Number,
    "points 501",
    "so many output times",
);
pub(super) const AT: Choice = choice("at", Value::Number, "at 0.5, 1, 2", "these output times");
pub(super) const WHEN: Choice = choice(
    "when",
    Value::Expressions,
    "when x == 1 rising",
    "rows at these moments only: a section",
);
pub(super) const RISING: Choice = choice(
    "rising",
    Value::Nothing,
    "rising",
    "of `when`: upwards only",
);
pub(super) const FALLING: Choice = choice(
    "falling",
    Value::Nothing,
    "falling",
    "of `when`: downwards only",
);
pub(super) const AT_STATE: Choice = choice(
    "at",
    Value::Bindings,
    "at x = 1, y = 2",
    "the state of rest next to these values",
);
pub(super) const OVER_RANGES: Choice = choice(
    "over",
    Value::Ranges,
    "over k in 0..2, b in 0..1",
    "can it oscillate for parameters in these ranges?",
);
pub(super) const LAYER: Choice = choice(
    "layer",
    Value::Text,
    "layer \"Ms\"",
    "of an .h5ad file; X when absent",
);
pub(super) const BY_GROUP: Choice = choice(
    "by",
    Value::Text,
    "by cell_type",
    "groups of rows; conditions of these names hold for them",
);
pub(super) const OF_ELEMENTS: Choice = choice(
    "of",
    Value::Expressions,
    "of jacobian[a, b]",
    "elements too; `of trace, rotation` leaves the eigenvalues out",
);
pub(super) const TO_ROWS: Choice = choice(
    "to",
    Value::File(&["csv", "txt", "json"]),
    "to \"spectra.csv\"",
    "a line for each row of the table",
);
pub(super) const ON_EMBEDDING: Choice = choice(
    "on",
    Value::Text,
    "on \"X_umap\"",
    "where the rows of a table lie: colours there",
);
pub(super) const AT_POINT: Choice = choice(
    "at",
    Value::Bindings,
    "at x = 1, y = 2",
    "numbers, at these values of the states",
);
pub(super) const TO_JACOBIAN: Choice = choice(
    "to",
    Value::File(&["csv", "txt"]),
    "to \"jacobian.csv\"",
    "a table of the numbers",
);
pub(super) const USING: Choice = choice(
    "using",
    Value::Method,
    "using bdf",
    "or tsit5, rodas, exponential, ...; auto when absent",
);
pub(super) const AT_TIME: Choice = choice(
    "at",
    Value::Number,
    "at 20",
    "the output time; the end when absent",
);
pub(super) const LAG: Choice = choice(
    "lag",
    Value::Number,
    "lag 20",
    "the longest; a quarter of the run when absent",
);
pub(super) const PATHS: Choice = choice(
    "paths",
    Value::Number,
    "paths 1000",
    "many paths of a model with noise",
);
pub(super) const SEED: Choice = choice(
    "seed",
    Value::Number,
    "seed 7",
    "other random numbers; 1 when absent",
);
pub(super) const DT: Choice = choice(
    "dt",
    Value::Number,
    "dt 0.01",
    "the step of a method for noise",
);
pub(super) const NONNEGATIVE: Choice = choice(
    "nonnegative",
    Value::Nothing,
    "nonnegative",
    "states below zero are set to zero",
);
pub(super) const OF_ENSEMBLE: Choice = choice(
    "of",
    Value::Expressions,
    "of x, x*y",
    "what paths are summed up for",
);
pub(super) const RTOL: Choice = choice("rtol", Value::Number, "rtol 1e-8", "relative tolerance");
pub(super) const ATOL: Choice = choice("atol", Value::Number, "atol 1e-10", "absolute tolerance");
pub(super) const WITH: Choice = choice(
    "with",
    Value::Bindings,
    "with alpha = 0.9, beta = 2",
    "values for this sentence only",
);
pub(super) const IN_CONDITION: Choice = choice(
    "in",
    Value::Condition,
    "in knockout",
    "under a condition of the model",
);
pub(super) const FROM: Choice = choice(
    "from",
    Value::Words(&["last", "steady"]),
    "from last",
    "go on from the end of the last run",
);
pub(super) const FROM_LAST: Choice = choice(
    "from",
    Value::Words(&["last"]),
    "from last",
    "from the end of the last run",
);
pub(super) const SUBJECT: Choice = choice(
    "subject",
    Value::Number,
    "subject 3",
    "the doses of one subject of a table",
);
pub(super) const BY_SUBJECT: Choice = choice(
    "by",
    Value::Words(&["subject"]),
    "by subject",
    "a run for each of them",
);
pub(super) const BY: Choice = choice(
    "by",
    Value::Quantities,
    "by ka, CL",
    "by these; all parameters when absent",
);
pub(super) const SCALED: Choice = choice("scaled", Value::Nothing, "scaled", "relative ones");
pub(super) const OVER: Choice = choice(
    "over",
    Value::File(&["csv", "tsv", "txt"]),
    "over \"data.csv\" (time = year)",
    "data points, with the names of columns",
);
pub(super) const LOG: Choice = choice(
    "log",
    Value::Words(&["x", "y"]),
    "log y",
    "a logarithmic axis; log x, y for both",
);
pub(super) const AS_POINTS: Choice = choice(
    "points",
    Value::Nothing,
    "points",
    "markers, no lines between them",
);
pub(super) const AXES: Choice = choice(
    "axes",
    Value::Ranges,
    "axes x in 0..10, y in -1..1",
    "where the axes begin and end; one end may be left away",
);
pub(super) const TITLE: Choice = choice(
    "title",
    Value::Text,
    "title \"Lynx and hare\"",
    "stands above the figure",
);
pub(super) const TO_FIGURE: Choice = choice(
    "to",
    Value::File(&crate::figure::FILE_ENDINGS),
    "to \"figure.svg\"",
    "or .png; in the terminal when absent",
);
pub(super) const TO_FIGURE_ONLY: Choice = choice(
    "to",
    Value::File(&crate::figure::FILE_ENDINGS),
    "to \"figure.svg\"",
    "autocorrelations and spectra, as SVG or PNG",
);
pub(super) const AT_LAGS: Choice = choice(
    "at",
    Value::Number,
    "at 0.5, 1, 2",
    "autocorrelations at these lags",
);
pub(super) const TO_MAP: Choice = choice(
    "to",
    Value::File(&["svg", "png", "csv"]),
    "to \"heat.svg\"",
    "a heat map; .csv for every number",
);
pub(super) const TO_TABLE: Choice = choice(
    "to",
    Value::File(&["csv", "txt"]),
    "to \"out.csv\"",
    "the file, after the names of columns",
);
pub(super) const SESSION: Choice = choice(
    "session",
    Value::File(&["lotka"]),
    "session \"today.lotka\"",
    "instead: a file that does all of this again",
);
pub(super) const OVERWRITE: Choice = choice(
    "overwrite",
    Value::Nothing,
    "overwrite",
    "a session that is there already",
);
pub(super) const AS_STATIONARY: Choice = choice(
    "as",
    Value::Words(&["stationary"]),
    "as stationary",
    "cells that are each seen once, at rest",
);
pub(super) const AS_LATEX: Choice =
    choice("as", Value::Words(&["latex"]), "as latex", "for a paper");
pub(super) const OVER_SERIES: Choice = choice(
    "over",
    Value::Bindings,
    "over a = 0.3, 0.5, 0.7",
    "a portrait for each value of a parameter",
);
pub(super) const SERIES_POINTS: Choice = choice(
    "points",
    Value::Number,
    "points 3",
    "so many of a range, as in `over a in 0.3..0.7 points 3`",
);
pub(super) const OF_SHOWN: Choice = choice(
    "of",
    Value::Expressions,
    "of y",
    "what is drawn above the parameter; the first state when absent",
);
pub(super) const ALL: Choice = choice(
    "all",
    Value::Nothing,
    "all",
    "from every steady state at the present value",
);
pub(super) const PERIOD: Choice = choice(
    "period",
    Value::Number,
    "period 2",
    "orbits of a map that close after so many steps",
);
pub(super) const MOST_POINTS: Choice = choice(
    "points",
    Value::Number,
    "points 500",
    "at most so many points of a branch",
);
pub(super) const TO_DIAGRAM: Choice = choice(
    "to",
    Value::File(&["svg", "png", "csv"]),
    "to \"diagram.svg\"",
    "or .png; .csv for every point",
);
pub(super) const SWEPT_POINTS: Choice = choice(
    "points",
    Value::Number,
    "points 200",
    "so many values of the name before it",
);
pub(super) const SWEPT_AT: Choice = choice(
    "at",
    Value::Number,
    "at 0.5, 1, 2",
    "these values of the name before it",
);
pub(super) const SWEPT_LOG: Choice = choice(
    "log",
    Value::Nothing,
    "log",
    "spread over a logarithmic scale",
);
pub(super) const SOBOL: Choice = choice(
    "sobol",
    Value::Number,
    "sobol 500",
    "points that fill the ranges, no grid",
);
pub(super) const FROM_TABLE: Choice = choice(
    "from",
    Value::File(&["csv", "tsv", "txt"]),
    "from \"table.csv\"",
    "a column for each, a row for each run",
);
pub(super) const OF_EACH: Choice = choice(
    "of",
    Value::Measures,
    "of max(x), y",
    "measures, or values at the end",
);
pub(super) const LAST: Choice = choice(
    "last",
    Value::Number,
    "last 100",
    "the last values of each run",
);
pub(super) const FOR_RUN: Choice = choice(
    "for",
    Value::Times,
    "for 0..50",
    "not the last run, but its own",
);

pub(super) const TO_DATA: Choice = choice(
    "to",
    Value::File(&["csv", "tsv", "txt"]),
    "to \"data.csv\" (time = year)",
    "the data, with names of columns",
);
pub(super) const USING_SEARCH: Choice = choice(
    "using",
    Value::Words(&["lm", "lbfgs", "nelder_mead", "pso", "nuts", "extremes"]),
    "using lbfgs",
    "lm when absent; nuts: the posterior",
);
pub(super) const STARTS: Choice = choice(
    "starts",
    Value::Number,
    "starts 20",
    "so many, or a table of starts",
);
pub(super) const DRAWS: Choice = choice(
    "draws",
    Value::Number,
    "draws 1000",
    "of each chain of `using nuts`",
);
pub(super) const CHAINS: Choice = choice("chains", Value::Number, "chains 4", "of `using nuts`");
pub(super) const FIT_SUBJECT: Choice = choice(
    "subject",
    Value::Number,
    "subject 3",
    "the data of one subject alone",
);
pub(super) const FIT_BY_SUBJECT: Choice = choice(
    "by",
    Value::Words(&["subject"]),
    "by subject",
    "a fit for each of them",
);
pub(super) const FROM_DISTRIBUTION: Choice = choice(
    "from",
    Value::Words(&["steady", "stationary", "diffuse"]),
    "from steady",
    "at rest; stationary or diffuse: with noise",
);
pub(super) const WITHIN: Choice = choice(
    "where",
    Value::Expressions,
    "where stability = stable spiral",
    "or oscillates, a < b: values that are searched",
);
pub(super) const CHECKPOINT: Choice = choice(
    "checkpoint",
    Value::File(&["json"]),
    "checkpoint \"fit.json\"",
    "finished searches, to go on from",
);
