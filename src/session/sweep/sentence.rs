//! The sentence `sweep alpha in 0..2 points 200 of max(prey)`, its words understood.
//!
//! Enters: a sentence of the tree. Leaves: a [`Sweep`], expressions as written. Must not know the
//! model.
//!
//! The grammar knows no list of names with their own options: it reads
//! `alpha in 0..2 points 40, beta in 0..1` as the subject `alpha` and the options `in 0..2`,
//! `points 40, beta` and `in 0..1`. Here they are put together again, from left to right.

use super::super::chance::ChanceWords;
use super::super::command::{Command, DataSource, OutputTimes, Setting, Simulate, Subjects};
use super::super::lower::{data_source, figure_or_table, setting, subjects_without_vs, word_of};
use super::super::options::Options;
use super::super::ranges::{Range, range_of};
use crate::diagnostic::{Code, Diagnostic};
use crate::simulate::Method;
use crate::source::Span;
use crate::syntax::tree::{self, ExprKind};

const EXAMPLE: &str = "as in `sweep alpha in 0..2 points 200`";

/// The same run for many values of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// The whole sentence.
    pub span: Span,
    /// Which values.
    pub design: Design,
    /// What each run gives; all states at the end when empty.
    pub of: Vec<tree::Expr>,
    /// `last 100`: so many values of each run instead of the one at the end.
    pub last: Option<tree::Expr>,
    /// The run that is repeated; that of the last `simulate` when absent.
    pub run: Option<Box<Simulate>>,
    /// Values for this sentence only.
    pub setting: Setting,
    /// A logarithmic vertical axis.
    pub log_y: bool,
    /// Stands above the figure.
    pub title: Option<String>,
    /// The file for the figure or the table.
    pub to: Option<tree::Text>,
}

/// Which values the swept quantities take.
#[derive(Debug, Clone, PartialEq)]
pub enum Design {
    /// Every value of each with every value of the others.
    Grid(Vec<Swept>),
    /// So many points that fill the ranges evenly.
    Sobol(Vec<Swept>, tree::Expr),
    /// A row of a table for each run.
    Table(DataSource),
}

/// One swept quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Swept {
    /// A parameter, or a state whose initial value is meant.
    pub name: tree::Expr,
    /// Its values.
    pub values: SweptValues,
}

/// The values of one swept quantity, still as written.
#[derive(Debug, Clone, PartialEq)]
pub enum SweptValues {
    /// One after the other.
    Listed(Vec<tree::Expr>),
    /// At even distances.
    Ranged {
        /// The declared bounds when absent.
        range: Option<Box<Range>>,
        /// Even distances of the logarithm.
        log: Option<Span>,
        /// How many.
        points: Option<Box<tree::Expr>>,
    },
}

/// `sweep alpha in 0..2 points 200 of max(prey)`
pub(in crate::session) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let design = design(sentence, &mut options);
    let of = options
        .take("of")
        .map_or_else(Vec::new, |option| option.values.clone());
    let last = options.value("last");
    let run = own_run(&mut options, span);
    let setting = setting(&mut options);
    let log_y = log_y(&mut options);
    let title = options.text("title").map(|text| text.text);
    let to = figure_or_table(&mut options, "a sweep is");
    options.finish(|| {
        Ok(Command::Sweep(Box::new(Sweep {
            span,
            design: design.ok_or(())?,
            of,
            last,
            run,
            setting,
            log_y,
            title,
            to,
        })))
    })
}

// ---- what is swept ----

fn design(sentence: &tree::Sentence, options: &mut Options<'_>) -> Option<Design> {
    let names = names(sentence, options);
    let sobol = options.take("sobol");
    if let Some(option) = options.take("from") {
        let table = data_source(options, option)?;
        let also = names.first().map(|swept| swept.name.span);
        if let Some(span) = also.or(sobol.map(|option| option.span)) {
            options.problem(
                Diagnostic::new(Code::BadOption, "the table says what is swept")
                    .at(
                        option.span,
                        "a column for each parameter, a row for each run",
                    )
                    .at(span, "this as well?")
                    .help("keep one of the two"),
            );
            return None;
        }
        return Some(Design::Table(table));
    }
    if names.is_empty() {
        options.problem(
            Diagnostic::new(Code::MissingArgument, "`sweep` needs what is swept")
                .at(sentence.verb.span, "which parameters?")
                .help(EXAMPLE),
        );
        return None;
    }
    let Some(option) = sobol else {
        return Some(Design::Grid(names));
    };
    for swept in &names {
        let points = match &swept.values {
            SweptValues::Listed(_) => Some(swept.name.span),
            SweptValues::Ranged { points, .. } => points.as_ref().map(|points| points.span),
        };
        if let Some(span) = points {
            options.problem(
                Diagnostic::new(Code::BadOption, "`sobol` says how many points there are")
                    .at(span, "a grid")
                    .at(option.span, "points that fill the ranges evenly")
                    .help("keep one of the two"),
            );
            return None;
        }
    }
    Some(Design::Sobol(names, options.single(option)?))
}

/// The swept names, each with the words that belong to it.
fn names(sentence: &tree::Sentence, options: &mut Options<'_>) -> Vec<Swept> {
    let names = subjects_without_vs(
        sentence,
        options,
        "names stand after each other here",
        "as in `sweep alpha in 0..2, beta in 0..1`",
    );
    let mut names: Vec<Swept> = names.into_iter().map(swept).collect();
    let mut place = 0;
    while let Some(option) = options.at(place) {
        place += 1;
        if take(option, options, place, &mut names) {
            options.remove(option);
        }
    }
    share_points(&mut names);
    names
}

/// Takes an option that belongs to the names; false when it does not.
fn take(
    option: &tree::SentenceOption,
    options: &mut Options<'_>,
    next: usize,
    names: &mut Vec<Swept>,
) -> bool {
    let more = match option.word.text.as_str() {
        "in" if option.values.first().and_then(range_of).is_some() => {
            let written = option.values.first().and_then(range_of).map(Box::new);
            match names.last_mut().map(|last| &mut last.values) {
                Some(SweptValues::Ranged {
                    range: range @ None,
                    ..
                }) => *range = written,
                _ => options.problem(belongs_to_none(option, "range")),
            }
            1
        }
        "points" if option.bindings.is_empty() && !option.values.is_empty() => {
            let written = option.values.first().cloned().map(Box::new);
            match names.last_mut().map(|last| &mut last.values) {
                Some(SweptValues::Ranged {
                    points: points @ None,
                    ..
                }) => *points = written,
                _ => options.problem(belongs_to_none(option, "number of points")),
            }
            1
        }
        "at" if option.bindings.is_empty() && !option.values.is_empty() => {
            // `alpha at 1, 2, beta at 3`: the last value is the next name.
            let names_next = options.at(next).is_some_and(belongs_to_a_name);
            let count = option.values.len() - usize::from(names_next);
            let list = option.values.get(..count).unwrap_or(&[]).to_vec();
            match names.last_mut().map(|last| &mut last.values) {
                Some(
                    values @ SweptValues::Ranged {
                        range: None,
                        log: None,
                        points: None,
                    },
                ) => *values = SweptValues::Listed(list),
                _ => options.problem(belongs_to_none(option, "list")),
            }
            count
        }
        "log" if option.values.is_empty() && option.bindings.is_empty() => {
            match names.last_mut().map(|last| &mut last.values) {
                Some(SweptValues::Ranged {
                    log: log @ None, ..
                }) => *log = Some(option.span),
                _ => options.problem(belongs_to_none(option, "scale")),
            }
            0
        }
        _ if is_name(option, options, next) => {
            names.push(swept(tree::Expr {
                span: option.word.span,
                kind: ExprKind::Reference(tree::Reference {
                    span: option.word.span,
                    name: option.word.clone(),
                    indices: Vec::new(),
                }),
            }));
            return true;
        }
        _ => return false,
    };
    names.extend(option.values.iter().skip(more).cloned().map(swept));
    true
}

/// `alpha in 0..2 log, beta in 0..1`: after `log,` a name looks like a word of the sentence.
fn is_name(option: &tree::SentenceOption, options: &Options<'_>, next: usize) -> bool {
    let stands_alone = option.values.is_empty() && option.bindings.is_empty();
    let follows = options.at(next).is_some_and(belongs_to_a_name);
    stands_alone && follows && !options.knows(&option.word.text)
}

/// True for an option that says which values the name before it takes.
fn belongs_to_a_name(option: &tree::SentenceOption) -> bool {
    match option.word.text.as_str() {
        "in" => option.values.first().and_then(range_of).is_some(),
        "at" | "points" => true,
        "log" => option.values.is_empty(),
        _ => false,
    }
}

fn belongs_to_none(option: &tree::SentenceOption, what: &str) -> Diagnostic {
    Diagnostic::new(Code::BadOption, format!("this {what} belongs to no name"))
        .at(option.span, "")
        .help("write the name before it, as in `sweep alpha in 0..2 points 200`")
}

fn swept(name: tree::Expr) -> Swept {
    Swept {
        name,
        values: SweptValues::Ranged {
            range: None,
            log: None,
            points: None,
        },
    }
}

/// `sweep alpha, beta points 30`: a number counts for the names before it as well.
fn share_points(names: &mut [Swept]) {
    let mut following: Option<Box<tree::Expr>> = None;
    for swept in names.iter_mut().rev() {
        if let SweptValues::Ranged { points, .. } = &mut swept.values {
            match points {
                Some(points) => following = Some(points.clone()),
                None => points.clone_from(&following),
            }
        }
    }
}

// ---- the run and its figure ----

/// `for 0..50`: a run of its own.
fn own_run(options: &mut Options<'_>, span: Span) -> Option<Box<Simulate>> {
    let option = options.take("for")?;
    let range = options.single(option)?;
    let ExprKind::Range {
        low,
        high: Some(high),
    } = range.kind
    else {
        options.problem(
            Diagnostic::new(Code::BadOption, "`for` is followed by a range of time")
                .at(range.span, "this is none that ends")
                .help("as in `for 0..50`"),
        );
        return None;
    };
    Some(Box::new(Simulate {
        span,
        from: low.map(|low| *low),
        to: *high,
        output: OutputTimes::Steps,
        method: Method::Auto,
        relative: None,
        absolute: None,
        setting: Setting::default(),
        from_last: false,
        from_steady: None,
        subjects: Subjects::Unsaid,
        chance: ChanceWords::default(),
    }))
}

/// `log y`; the horizontal axis goes by the scale of what is swept.
fn log_y(options: &mut Options<'_>) -> bool {
    let Some(option) = options.take("log") else {
        return false;
    };
    let is_y = |value: &tree::Expr| word_of(value).is_some_and(|name| name.text == "y");
    if let Some(wrong) = option.values.iter().find(|value| !is_y(value)) {
        options.problem(
            Diagnostic::new(Code::BadOption, "`log` stands alone, or before `y`")
                .at(wrong.span, "no axis of its own")
                .help("`sweep k in 1e-4..10 log` spreads the values of `k`; `log y` draws the results on a logarithmic axis"),
        );
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;
    use crate::syntax;

    fn read(line: &str) -> Sweep {
        let parsed = syntax::parse_line(SourceId(0), line);
        assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
        let lowered = super::super::super::lower(&parsed.file.statements[0]);
        match lowered {
            Ok(Command::Sweep(sweep)) => *sweep,
            other => panic!("{line}: {other:?}"),
        }
    }

    /// Each name with what belongs to it.
    fn in_short(line: &str) -> String {
        let sweep = read(line);
        let (names, points) = match &sweep.design {
            Design::Grid(names) => (names, String::new()),
            Design::Sobol(names, points) => {
                (names, format!(" sobol {}", syntax::show_expression(points)))
            }
            Design::Table(table) => return table.path.text.clone(),
        };
        let show = |expr: &Option<tree::Expr>| {
            expr.as_ref().map_or(String::new(), syntax::show_expression)
        };
        let mut said: Vec<String> = Vec::new();
        for swept in names {
            let name = syntax::show_expression(&swept.name);
            said.push(match &swept.values {
                SweptValues::Listed(values) => {
                    let values: Vec<String> = values.iter().map(syntax::show_expression).collect();
                    format!("{name} = {}", values.join(" "))
                }
                SweptValues::Ranged { range, log, points } => {
                    let range = range.as_ref().map_or(String::new(), |range| {
                        format!(" {}..{}", show(&range.low), show(&range.high))
                    });
                    let log = if log.is_some() { " log" } else { "" };
                    let points = points.as_ref().map_or(String::new(), |points| {
                        format!(" #{}", syntax::show_expression(points))
                    });
                    format!("{name}{range}{log}{points}")
                }
            });
        }
        said.join("; ") + &points
    }

    #[test]
    fn names_find_what_belongs_to_them() {
        let cases = [
            ("sweep alpha in 0..2 points 200", "alpha 0..2 #200"),
            ("sweep alpha", "alpha"),
            (
                "sweep alpha in 0..2 points 40, beta in 0..1 points 30 of max(prey)",
                "alpha 0..2 #40; beta 0..1 #30",
            ),
            ("sweep alpha, beta points 30", "alpha #30; beta #30"),
            ("sweep k in 1e-4..10 log points 50", "k 0.0001..10 log #50"),
            (
                "sweep k in 1..10 log, m in 0..1 log, n points 3 with a = 1",
                "k 1..10 log #3; m 0..1 log #3; n #3",
            ),
            (
                "sweep alpha in 0..2, beta in 0..1 sobol 500 of max(prey)",
                "alpha 0..2; beta 0..1 sobol 500",
            ),
            ("sweep from \"table.csv\" of max(prey)", "table.csv"),
            ("sweep a at 0.5, 1, 2 of max(x)", "a = 0.5 1 2"),
            (
                "sweep a at 1, -2, b in 0..1 points 3",
                "a = 1 -2; b 0..1 #3",
            ),
            ("sweep a at 1, 2, b at 3", "a = 1 2; b = 3"),
            ("sweep x[2] in 0..1 points 3", "x[2] 0..1 #3"),
            ("sweep theta' in 0..1 points 3", "theta' 0..1 #3"),
        ];
        for (line, expected) in cases {
            assert_eq!(in_short(line), expected, "{line}");
        }
    }

    #[test]
    fn the_rest_of_the_sentence_is_read() {
        let sweep = read("sweep r in 2.5..4 points 800 of x last 100 for 0..1000 in dry log y");
        assert_eq!((sweep.of.len(), sweep.log_y), (1, true));
        assert!(sweep.last.is_some() && sweep.run.is_some() && sweep.setting.condition.is_some());
    }
}
