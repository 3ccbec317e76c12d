//! The sentences of fits, their words understood: `fit a, b to "data.csv" starts 20`.
//!
//! Enters: a sentence of the tree. Leaves: a [`Fit`], expressions as written. Must not know the
//! model.

use super::super::command::{Command, DataSource, Setting, SteadyStart, Subjects};
use super::super::lower::{data_source, setting, subjects, subjects_without_vs, word_of};
use super::super::options::Options;
use super::super::velocity::{self, Extremes};
use super::at_rest;
use super::region::{self, Wish};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;
use crate::syntax::tree;

const EXAMPLE: &str = "as in `fit alpha, beta to \"data.csv\"`";

/// Parameters to be found from data.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The whole sentence.
    pub span: Span,
    /// Parameters, and states whose initial values are meant; all parameters with bounds or a
    /// prior when empty.
    pub quantities: Vec<tree::Expr>,
    /// The data.
    pub data: DataSource,
    /// How to search.
    pub method: Way,
    /// `using extremes`: no search, but lines through extreme cells.
    pub extremes: Option<Extremes>,
    /// From how many starts.
    pub starts: Option<tree::Expr>,
    /// For the starts, and for the draws of a posterior.
    pub seed: Option<tree::Expr>,
    /// How many draws each chain keeps.
    pub draws: Option<tree::Expr>,
    /// How many chains.
    pub chains: Option<tree::Expr>,
    /// Relative tolerance of the runs.
    pub relative: Option<tree::Expr>,
    /// Absolute tolerance of the runs.
    pub absolute: Option<tree::Expr>,
    /// The file that keeps finished searches.
    pub checkpoint: Option<tree::Text>,
    /// Where runs start.
    pub from: StartOfFit,
    /// `where`: what must hold of the values that are searched.
    pub within: Vec<Wish>,
    /// `subject 3`, or `by subject`: a fit for each of them.
    pub subjects: Subjects,
    /// Values for this sentence only, and the condition that holds for all data.
    pub setting: Setting,
}

impl Fit {
    /// Where a fit for each subject is asked for.
    #[must_use]
    pub fn each(&self) -> Option<Span> {
        match self.subjects {
            Subjects::Each(span) => Some(span),
            _ => None,
        }
    }

    /// The table that `starts` names.
    #[must_use]
    pub fn table_of_starts(&self) -> Option<tree::Text> {
        let expr = self.starts.as_ref()?;
        match &expr.kind {
            tree::ExprKind::Text(text) => Some(tree::Text {
                text: text.clone(),
                span: expr.span,
            }),
            _ => None,
        }
    }
}

/// Where the runs of a fit start.
#[derive(Debug, Clone, PartialEq)]
pub enum StartOfFit {
    /// At the initial values.
    Declared,
    /// `from steady`, `from steady in control`: at rest.
    Steady(SteadyStart),
    /// `from stationary`: states of a model with noise have their stationary distribution.
    Stationary(Span),
    /// `from diffuse`: nothing is known of them.
    Diffuse(Span),
}

/// How parameters are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Chosen.
    Auto,
    /// The best ones, by this search.
    Search(crate::fit::SearchMethod),
    /// Their posterior distribution, by the No-U-Turn sampler.
    Posterior,
}

impl Way {
    /// The names of all, as sentences use them.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        let searches = crate::fit::SearchMethod::ALL
            .into_iter()
            .map(crate::fit::SearchMethod::name);
        searches.chain(["nuts"]).collect()
    }

    fn named(name: &str) -> Option<Way> {
        match name {
            "auto" => Some(Way::Auto),
            "nuts" => Some(Way::Posterior),
            _ => crate::fit::SearchMethod::named(name).map(Way::Search),
        }
    }
}

/// `fit alpha, beta to "data.csv" starts 20 using lm`
pub(in crate::session) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    if at_rest::is_meant(&options) {
        return at_rest::lower(sentence, span, options);
    }
    if let Some(layer) = options.take("layer") {
        options.problem(
            Diagnostic::new(
                Code::MissingArgument,
                "a layer is chosen for cells that are fitted `as stationary`",
            )
            .at(layer.span, "these words are missing")
            .help("as in `fit A, b to \"cells.h5ad\" layer \"log\" as stationary`; a fit of lines names its layers in parentheses, as in `(s = spliced, u = unspliced) using extremes`"),
        );
    }
    let quantities = subjects_without_vs(
        sentence,
        &mut options,
        "parameters stand after each other here",
        EXAMPLE,
    );
    let data = data(sentence, &mut options, EXAMPLE);
    let (method, extremes) = way(&mut options);
    let starts = options.value("starts");
    let seed = options.value("seed");
    let draws = options.value("draws");
    let chains = options.value("chains");
    let relative = options.value("rtol");
    let absolute = options.value("atol");
    let checkpoint = options.text("checkpoint");
    let within = region::lower(&mut options);
    let from = from(&mut options);
    let subjects = subjects(&mut options, "one fit for each subject of the data");
    let setting = setting(&mut options);
    if let (Some(Way::Posterior), Subjects::Each(each)) = (method, &subjects) {
        options.problem(
            Diagnostic::new(Code::BadOption, "`using nuts` samples the posterior of one fit")
                .at(*each, "a fit for each of them")
                .help("choose a subject, as in `subject 3`, and sample one after the other; without `using nuts` each gets its estimates"),
        );
    }
    if let (Some(file), Subjects::Each(each)) = (&checkpoint, &subjects) {
        options.problem(
            Diagnostic::new(
                Code::BadOption,
                "a checkpoint keeps the searches of one fit",
            )
            .at(file.span, "")
            .at(*each, "a fit for each of them")
            .help("leave one of the two away"),
        );
    }
    options.finish(|| {
        Ok(Command::Fit(Box::new(Fit {
            span,
            quantities,
            data: data.ok_or(())?,
            method: method.ok_or(())?,
            extremes,
            starts,
            seed,
            draws,
            chains,
            relative,
            absolute,
            checkpoint,
            from,
            within,
            subjects,
            setting,
        })))
    })
}

/// `to "data.csv" (time = year)`, which every fit needs.
pub(super) fn data(
    sentence: &tree::Sentence,
    options: &mut Options<'_>,
    example: &str,
) -> Option<DataSource> {
    if let Some(option) = options.take("to") {
        return data_source(options, option);
    }
    options.problem(
        Diagnostic::new(Code::MissingArgument, "`fit` needs data")
            .at(sentence.verb.span, "to which file?")
            .help(example),
    );
    None
}

/// The search, or lines instead of one; nothing where the words are at fault.
fn way(options: &mut Options<'_>) -> (Option<Way>, Option<Extremes>) {
    let Some(option) = options.take("using") else {
        return (Some(Way::Auto), None);
    };
    if let [value] = option.values.as_slice()
        && velocity::is_meant(value)
    {
        return match velocity::read(value) {
            Ok(extremes) => (Some(Way::Auto), Some(extremes)),
            Err(problems) => {
                options.problems(problems);
                (None, None)
            }
        };
    }
    (search(options, option), None)
}

fn search(options: &mut Options<'_>, option: &tree::SentenceOption) -> Option<Way> {
    let name = options.name_of(option)?;
    let found = Way::named(&name.text);
    if found.is_none() {
        let mut known = Way::names();
        known.push(velocity::WORD);
        let near = did_you_mean(&name.text, known.iter().copied());
        options.problem(
            Diagnostic::new(
                Code::BadOption,
                format!("there is no search `{}`", name.text),
            )
            .at(name.span, "not known")
            .help(near.unwrap_or_else(|| format!("there are {}", known.join(", ")))),
        );
    }
    found
}

fn from(options: &mut Options<'_>) -> StartOfFit {
    let Some((option, following)) = options.take_with_next("from", "in") else {
        return StartOfFit::Declared;
    };
    let word = option.values.first().and_then(word_of);
    let word = word.map_or("", |word| word.text.as_str());
    if word == "steady" {
        let condition = following.and_then(|following| options.name_of(following));
        let span = following.map_or(option.span, |following| option.span.to(following.span));
        return StartOfFit::Steady(SteadyStart {
            span,
            setting: Setting {
                condition,
                ..Setting::default()
            },
        });
    }
    options.put_back(following);
    match word {
        "stationary" => StartOfFit::Stationary(option.span),
        "diffuse" => StartOfFit::Diffuse(option.span),
        _ => {
            options.problem(
                Diagnostic::new(
                    Code::BadOption,
                    "`from` is followed by `steady`, `stationary` or `diffuse`",
                )
                .at(option.span, "")
                .help("runs start in the steady state, or (of a model with noise) in the stationary distribution, or nothing is known of the start; they start at the initial values when `from` is absent"),
            );
            StartOfFit::Declared
        }
    }
}

/// Refuses what means nothing to a fit in closed form, which is neither searched nor drawn: where
/// that is said, and what it is of.
pub(in crate::session) fn nothing_left_over(
    command: &Fit,
    (place, what): (Span, &str),
) -> Result<(), Vec<Diagnostic>> {
    let setting = &command.setting;
    let start = match &command.from {
        StartOfFit::Declared => None,
        StartOfFit::Steady(start) => Some(start.span),
        StartOfFit::Stationary(span) | StartOfFit::Diffuse(span) => Some(*span),
    };
    let subjects = match &command.subjects {
        Subjects::One(name) => Some(name.span),
        Subjects::Each(span) => Some(*span),
        _ => None,
    };
    let span_of = |expr: &Option<tree::Expr>| expr.as_ref().map(|expr| expr.span);
    let said = [
        ("starts", span_of(&command.starts)),
        ("seed", span_of(&command.seed)),
        ("draws", span_of(&command.draws)),
        ("chains", span_of(&command.chains)),
        ("rtol", span_of(&command.relative)),
        ("atol", span_of(&command.absolute)),
        (
            "checkpoint",
            command.checkpoint.as_ref().map(|text| text.span),
        ),
        ("from", start),
        ("where", command.within.first().map(|wish| wish.span)),
        ("subject", subjects),
        ("in", setting.condition.as_ref().map(|name| name.span)),
        ("with", setting.with.first().map(|one| one.name.span)),
    ];
    let problems: Vec<Diagnostic> = said
        .into_iter()
        .filter_map(|(word, span)| {
            let problem =
                Diagnostic::new(Code::BadOption, format!("`{word}` means nothing to {what}"));
            let problem = problem.at(span?, "").at(place, "");
            Some(problem.help("leave one of the two away"))
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}
