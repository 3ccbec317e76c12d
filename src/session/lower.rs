//! From a statement of the tree to a command: verbs, topics and options are understood here.

use super::chance;
use super::command::{
    Command, DataSource, Form, LogAxis, OutputTimes, Plot, Save, Setting, Simulate, Subjects, Topic,
};
use super::options::Options;
use super::ranges;
use super::section;
use super::stability;
use super::steady;
use super::verbs::{VERBS, Verb};
use crate::diagnostic::{Code, Diagnostic, closest, did_you_mean, listed, number_text};
use crate::simulate::Method;
use crate::source::Span;
use crate::syntax::tree::{self, ExprKind, StatementKind};

/// The command of a sentence, an assignment or a bare expression.
///
/// # Errors
/// Every misunderstood word, option and missing part.
pub fn lower(statement: &tree::Statement) -> Result<Command, Vec<Diagnostic>> {
    match &statement.kind {
        StatementKind::Sentence(sentence) => lower_sentence(sentence, statement.span),
        StatementKind::Assign { target, value } => Ok(Command::Set {
            target: target.clone(),
            value: value.clone(),
        }),
        StatementKind::Expression(expr) => Ok(Command::Evaluate(expr.clone())),
        StatementKind::Assert(expr) => Ok(Command::Assert(expr.clone())),
        _ => Ok(Command::Declare(vec![statement.clone()])),
    }
}

fn lower_sentence(sentence: &tree::Sentence, span: Span) -> Result<Command, Vec<Diagnostic>> {
    let verb = Verb::find(&sentence.verb.text).ok_or_else(|| vec![unknown_verb(&sentence.verb)])?;
    let mut problems = Vec::new();
    let command = (verb.read)(sentence, span, Options::new(verb, sentence, &mut problems));
    match command {
        Some(command) if problems.is_empty() => Ok(command),
        _ => Err(problems),
    }
}

/// A sentence of one word.
pub(super) fn alone(
    sentence: &tree::Sentence,
    mut options: Options<'_>,
    command: Command,
) -> Option<Command> {
    if let Some(subject) = sentence.subjects.first() {
        let verb = &sentence.verb.text;
        options.problem(
            Diagnostic::new(Code::BadOption, format!("`{verb}` stands alone"))
                .at(subject.value.span, "one too many")
                .help(format!("write `{verb}`")),
        );
    }
    options.finish(|| Ok(command))
}

fn unknown_verb(verb: &tree::Name) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::NotPerformed,
        format!("`{}` is not a sentence", verb.text),
    )
    .at(verb.span, "");
    match did_you_mean(&verb.text, VERBS.iter().map(|known| known.word)) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

pub(super) fn simulate(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let (from, to) = match sentence.subjects.as_slice() {
        [subject] => match &subject.value.kind {
            ExprKind::Range {
                low,
                high: Some(high),
            } => (low.as_deref().cloned(), (**high).clone()),
            ExprKind::Range { high: None, .. } => {
                options.problem(
                    Diagnostic::new(Code::MissingArgument, "the range has no end")
                        .at(subject.value.span, "")
                        .help("as in `simulate 0..100`"),
                );
                return options.abandon();
            }
            _ => {
                options.problem(
                    Diagnostic::new(Code::MissingArgument, "`simulate` needs a range of time")
                        .at(subject.value.span, "this is no range")
                        .help("as in `simulate 0..100`"),
                );
                return options.abandon();
            }
        },
        _ => {
            options.problem(
                Diagnostic::new(Code::MissingArgument, "`simulate` needs a range of time")
                    .at(sentence.verb.span, "over which times?")
                    .help("as in `simulate 0..100`"),
            );
            return options.abandon();
        }
    };
    let output = output_times(&mut options);
    let method = options
        .word("using")
        .map_or(Some(Method::Auto), |name| method(&mut options, &name));
    let relative = options.value("rtol");
    let absolute = options.value("atol");
    // The `in` right after `from steady` belongs to it: it is taken before that of the run.
    let (from_last, from_steady) = steady::start_of_sentence(&mut options);
    let setting = setting(&mut options);
    let subjects = subjects(&mut options, "one run for each subject of the dose table");
    let chance = chance::words(&mut options);
    options.finish(|| {
        Ok(Command::Simulate(Box::new(Simulate {
            span,
            from,
            to,
            output: output?,
            method: method.ok_or(())?,
            relative,
            absolute,
            setting,
            from_last,
            from_steady,
            subjects,
            chance,
        })))
    })
}

/// `subject 3` or `by subject`, which does for each what is `done`.
pub(super) fn subjects(options: &mut Options<'_>, done: &str) -> Subjects {
    let (one, by) = (options.take("subject"), options.take("by"));
    if let (Some(one), Some(by)) = (one, by) {
        options.problem(
            Diagnostic::new(Code::BadOption, "`subject` and `by` exclude each other")
                .at(one.span, "one of them")
                .at(by.span, "all of them")
                .help("keep one of the two"),
        );
        return Subjects::Unsaid;
    }
    if let Some(option) = by {
        if let [value] = option.values.as_slice()
            && word_of(value).is_some_and(|word| word.text == "subject")
        {
            return Subjects::Each(option.span);
        }
        options.problem(
            Diagnostic::new(Code::BadOption, "`by` is followed by `subject`")
                .at(option.span, "")
                .help(format!("`by subject` makes {done}")),
        );
        return Subjects::Unsaid;
    }
    let Some(option) = one else {
        return Subjects::Unsaid;
    };
    let Some(value) = options.single(option) else {
        return Subjects::Unsaid;
    };
    let text = match &value.kind {
        ExprKind::Number { value, unit: None } => Some(number_text(*value)),
        ExprKind::Text(text) => Some(text.clone()),
        _ => word_of(&value).map(|name| name.text.clone()),
    };
    match text {
        Some(text) => Subjects::One(tree::Name {
            text,
            span: value.span,
        }),
        None => {
            options.problem(
                Diagnostic::new(
                    Code::BadOption,
                    "`subject` is followed by a name or a number",
                )
                .at(value.span, "")
                .help("as in `subject 3` or `subject \"A 1\"`"),
            );
            Subjects::Unsaid
        }
    }
}

fn output_times(options: &mut Options<'_>) -> Result<OutputTimes, ()> {
    let spacing = options.take("step");
    let points = options.take("points");
    let at = options.take("at");
    let when = options.take("when");
    let given: Vec<&tree::SentenceOption> = [&spacing, &points, &at, &when]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    if let [first, second, ..] = given.as_slice() {
        options.problem(
            Diagnostic::new(
                Code::BadOption,
                format!(
                    "`{}` and `{}` exclude each other",
                    first.word.text, second.word.text
                ),
            )
            .at(first.span, "")
            .at(second.span, "")
            .help("choose one way to say which times are kept"),
        );
        return Err(());
    }
    if let Some(option) = spacing {
        return options.single(option).map(OutputTimes::Spacing).ok_or(());
    }
    if let Some(option) = points {
        return options.single(option).map(OutputTimes::Points).ok_or(());
    }
    if let Some(option) = at {
        if option.values.is_empty() {
            options.needs_value(option);
            return Err(());
        }
        return Ok(OutputTimes::At(option.values.clone()));
    }
    match section::when(options, when) {
        Ok(None) => Ok(OutputTimes::Steps),
        Ok(Some(when)) => Ok(OutputTimes::When(when)),
        Err(()) => Err(()),
    }
}

fn method(options: &mut Options<'_>, name: &tree::Name) -> Option<Method> {
    if let Ok(method) = name.text.parse::<Method>() {
        return Some(method);
    }
    let (code, message) = match name.text.as_str() {
        "tsit5" | "rodas" => (
            Code::NotPerformed,
            format!(
                "this version of Lotka does not have the method `{}`",
                name.text
            ),
        ),
        _ => (
            Code::BadOption,
            format!("there is no method `{}`", name.text),
        ),
    };
    let all = Method::ALL.iter().chain(&Method::OF_NOISE);
    let known = all.map(|method| method.name());
    let names: Vec<String> = known.clone().map(|name| format!("`{name}`")).collect();
    let help = match closest(&name.text, known) {
        Some(near) => format!("did you mean `{near}`? There are {}", listed(&names)),
        None => format!("there are {}", listed(&names)),
    };
    options.problem(Diagnostic::new(code, message).at(name.span, "").help(help));
    None
}

pub(super) fn setting(options: &mut Options<'_>) -> Setting {
    let mut setting = Setting::default();
    if let Some(option) = options.take("with") {
        if option.bindings.is_empty() || !option.values.is_empty() {
            options.problem(
                Diagnostic::new(Code::BadOption, "`with` sets values by name")
                    .at(option.span, "")
                    .help("as in `with alpha = 0.9, beta = 2`"),
            );
        }
        setting.with.clone_from(&option.bindings);
    }
    setting.condition = options.word("in");
    setting
}

pub(super) fn plot(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let data = options
        .take("over")
        .and_then(|option| data_source(&mut options, option));
    let on = stability::embedding(&mut options);
    let log = log_axes(&mut options);
    let points = options.flag("points");
    let axes = ranges::after_word("axes", &mut options).unwrap_or_default();
    let title = options.text("title").map(|text| text.text);
    let to = figure_file(&mut options);
    let curves = sentence.subjects.clone();
    options.finish(|| {
        Ok(Command::Plot(Plot {
            span,
            curves,
            data,
            on,
            log,
            points,
            axes,
            title,
            to,
        }))
    })
}

/// `to "figure.svg"`
pub(super) fn figure_file(options: &mut Options<'_>) -> Option<tree::Text> {
    let to = options.text("to");
    if let Some(path) = &to
        && !ends_in(&path.text, &crate::figure::FILE_ENDINGS)
    {
        options.problem(
            Diagnostic::new(Code::CannotDraw, "figures are drawn as SVG or PNG")
                .at(path.span, "this ending means something else")
                .help("end the name in `.svg` or `.png`"),
        );
    }
    to
}

/// What the verb is followed by, where nothing of it stands `vs` something else; `why` says so.
pub(super) fn subjects_without_vs(
    sentence: &tree::Sentence,
    options: &mut Options<'_>,
    why: &str,
    help: &str,
) -> Vec<tree::Expr> {
    let versus = sentence
        .subjects
        .iter()
        .filter_map(|one| one.versus.as_ref());
    options.problems(versus.map(|versus| {
        Diagnostic::new(Code::BadOption, why)
            .at(versus.span, "")
            .help(help)
    }));
    let subjects = sentence.subjects.iter();
    subjects.map(|subject| subject.value.clone()).collect()
}

/// `to "diagram.svg"`, or a table: for `what` is written in either way, as in `a diagram is`.
pub(super) fn figure_or_table(options: &mut Options<'_>, what: &str) -> Option<tree::Text> {
    let to = options.text("to");
    if let Some(path) = &to
        && !ends_in(&path.text, &["svg", "png", "csv"])
    {
        options.problem(
            Diagnostic::new(
                Code::CannotDraw,
                format!("{what} drawn as SVG or PNG, or written as CSV"),
            )
            .at(path.span, "this ending means something else")
            .help("end the name in `.svg`, `.png` or `.csv`"),
        );
    }
    to
}

/// The axes named in `log x, y`.
pub(super) fn log_axes(options: &mut Options<'_>) -> Vec<LogAxis> {
    let mut log = Vec::new();
    while let Some(option) = options.take("log") {
        for value in &option.values {
            match word_of(value).map(|name| name.text.as_str()) {
                Some("x") => log.push(LogAxis::X),
                Some("y") => log.push(LogAxis::Y),
                _ => options.problem(
                    Diagnostic::new(Code::BadOption, "`log` is followed by `x` or `y`")
                        .at(value.span, "no axis")
                        .help("`log x` and `log y` name the axis; a state is drawn as in `plot x log y`"),
                ),
            }
        }
        if option.values.is_empty() {
            options.needs_value(option);
        }
    }
    log
}

pub(super) fn data_source(
    options: &mut Options<'_>,
    option: &tree::SentenceOption,
) -> Option<DataSource> {
    let [value] = option.values.as_slice() else {
        options.needs_text(option);
        return None;
    };
    let ExprKind::Text(path) = &value.kind else {
        options.needs_text(option);
        return None;
    };
    let mut columns = Vec::new();
    for binding in &option.bindings {
        match &binding.value.kind {
            ExprKind::Reference(reference) if reference.indices.is_empty() => {
                columns.push((binding.name.name.clone(), reference.name.clone()));
            }
            ExprKind::Text(text) => columns.push((
                binding.name.name.clone(),
                tree::Name {
                    text: text.clone(),
                    span: binding.value.span,
                },
            )),
            _ => options.problem(
                Diagnostic::new(Code::BadOption, "a column is given by its name")
                    .at(binding.value.span, "")
                    .help(match &binding.value.kind {
                        ExprKind::Number { value, unit: None } => format!(
                            "a number that stands for what was seen is written in quotes: `({} = \"{}\")`",
                            binding.name.name.text,
                            number_text(*value)
                        ),
                        _ => "as in `(time = year, prey = hare)`; quote names with spaces".to_owned(),
                    }),
            ),
        }
    }
    Some(DataSource {
        path: tree::Text {
            text: path.clone(),
            span: value.span,
        },
        columns,
    })
}

pub(super) fn save(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    if let Some(option) = options.take("session") {
        return super::record::lower(sentence, option, options);
    }
    let has_to = options.has("to");
    let mut path = options.text("to");
    if path.is_none() && has_to {
        return options.abandon();
    }
    let mut columns = Vec::new();
    for subject in &sentence.subjects {
        match &subject.value.kind {
            ExprKind::Text(text) if path.is_none() => {
                path = Some(tree::Text {
                    text: text.clone(),
                    span: subject.value.span,
                });
            }
            _ => columns.push(subject.value.clone()),
        }
    }
    let Some(path) = path else {
        let diagnostic = Diagnostic::new(
            Code::MissingArgument,
            "`save` needs the name of a file in quotes",
        );
        options.problem(match columns.as_slice() {
            [only] if word_of(only).is_some() => diagnostic
                .at(only.span, "without quotes this is a column")
                .help("as in `save \"out.csv\"`, or `save x, y to \"out.csv\"` for some columns"),
            _ => diagnostic
                .at(sentence.verb.span, "into which file?")
                .help("as in `save \"out.csv\"`, or `save x, y to \"out.csv\"` for some columns"),
        });
        return options.abandon();
    };
    if !ends_in(&path.text, &["", "csv", "txt", "h5ad"]) {
        options.problem(
            Diagnostic::new(Code::CannotWrite, "a table is written as CSV")
                .at(path.span, "this ending means something else")
                .help("as in `save \"out.csv\"`; figures come from `plot ... to \"figure.svg\"`"),
        );
    }
    options.finish(|| {
        Ok(Command::Save(Save {
            span,
            path,
            columns,
        }))
    })
}

/// `as latex`
pub(super) fn form(options: &mut Options<'_>) -> Form {
    match options.word("as") {
        None => Form::Plain,
        Some(word) if word.text == "latex" => Form::Latex,
        Some(word) => {
            options.problem(
                Diagnostic::new(Code::BadOption, format!("there is no form `{}`", word.text))
                    .at(word.span, "")
                    .help("`as latex` is the only one besides plain text"),
            );
            Form::Plain
        }
    }
}

pub(super) fn show(
    sentence: &tree::Sentence,
    _: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let topic = match sentence.subjects.as_slice() {
        [] => Some(Topic::Model),
        [subject] => {
            let word = word_of(&subject.value);
            let found = word.and_then(|word| {
                Topic::WORDS
                    .iter()
                    .find(|(known, _)| *known == word.text)
                    .map(|(_, topic)| *topic)
            });
            if found.is_none() {
                let known: Vec<&str> = Topic::WORDS.iter().map(|(word, _)| *word).collect();
                let near = word.and_then(|word| did_you_mean(&word.text, known.iter().copied()));
                options.problem(
                    Diagnostic::new(Code::BadOption, "`show` does not know this")
                        .at(subject.value.span, "")
                        .help(near.unwrap_or_else(|| format!("it shows {}", listed(&known)))),
                );
            }
            found
        }
        [_, second, ..] => {
            options.problem(
                Diagnostic::new(Code::BadOption, "`show` shows one thing at a time")
                    .at(second.value.span, "one too many")
                    .help("write a second `show`"),
            );
            None
        }
    };
    let form = form(&mut options);
    let setting = setting(&mut options);
    options.finish(|| {
        Ok(Command::Show {
            topic: topic.ok_or(())?,
            form,
            setting,
        })
    })
}

pub(super) fn help(sentence: &tree::Sentence, _: Span, options: Options<'_>) -> Option<Command> {
    let word = sentence
        .subjects
        .first()
        .and_then(|subject| word_of(&subject.value));
    options.finish(|| Ok(Command::Help(word.map(|name| name.text.clone()))))
}

pub(super) fn load(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    match sentence.subjects.as_slice() {
        [subject] => {
            if let ExprKind::Text(path) = &subject.value.kind {
                let path = path.clone();
                return options.finish(|| Ok(Command::Load(path)));
            }
            options.problem(
                Diagnostic::new(Code::BadOption, "`load` needs the name of a file in quotes")
                    .at(subject.value.span, "")
                    .help("as in `load \"models/griffith.lotka\"`"),
            );
        }
        _ => options.problem(
            Diagnostic::new(Code::MissingArgument, "`load` needs the name of a file")
                .at(span, "")
                .help("as in `load \"models/griffith.lotka\"`"),
        ),
    }
    options.abandon()
}

/// True when the name of a file has one of these endings (in lower case; `""` for none).
pub(super) fn ends_in(path: &str, endings: &[&str]) -> bool {
    let ending = std::path::Path::new(path)
        .extension()
        .map_or(String::new(), |ending| {
            ending.to_string_lossy().to_lowercase()
        });
    endings.contains(&ending.as_str())
}

/// The word that an expression is, if it is nothing but a word.
pub(super) fn word_of(expr: &tree::Expr) -> Option<&tree::Name> {
    match &expr.kind {
        ExprKind::Reference(reference) if reference.indices.is_empty() => Some(&reference.name),
        _ => None,
    }
}
