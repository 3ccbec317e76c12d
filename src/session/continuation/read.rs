//! The sentence `continue a in 0.2..0.8`, its words understood.

use crate::diagnostic::{Code, Diagnostic};
use crate::session::command::{Command, Continue};
use crate::session::lower::{figure_or_table, log_axes, setting, word_of};
use crate::session::options::Options;
use crate::session::ranges::{self, Ranged};
use crate::source::Span;
use crate::syntax::tree::{self, ExprKind};

/// `continue a in 0.2..0.8 of x`
pub(in crate::session) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let mut names = ranges::after_verb(sentence, &mut options);
    let mut all = flag(&mut options, "all");
    // `continue a all in 0..1`: the flag looks like a second name.
    if let [first, second] = names.as_mut_slice()
        && word_of(&second.name).is_some_and(|word| word.text == "all")
    {
        first.range = first.range.take().or_else(|| second.range.take());
        names.truncate(1);
        all = true;
    }
    if let [only] = names.as_mut_slice()
        && only.range.is_none()
    {
        only.range = late_range(&mut options);
    }
    let parameter = parameter(sentence, names, &mut options);
    let shown = options.value("of");
    let period = options.value("period");
    let points = options.value("points");
    let log = log_axes(&mut options);
    let from_last = from_last(&mut options);
    let setting = setting(&mut options);
    let title = options.text("title").map(|text| text.text);
    let to = figure_or_table(&mut options, "a diagram is");
    options.finish(|| {
        let (parameter, range) = parameter.ok_or(())?;
        Ok(Command::Continue(Box::new(Continue {
            span,
            parameter,
            range,
            shown,
            all,
            period,
            points,
            log,
            setting,
            from_last,
            title,
            to,
        })))
    })
}

/// `continue a of x in 0..1`: the range of the parameter, after another option.
fn late_range(options: &mut Options<'_>) -> Option<ranges::Range> {
    let all = (0..).map_while(|place| options.at(place));
    let (option, range) = all
        .filter(|option| option.word.text == "in" && option.values.len() == 1)
        .find_map(|option| Some((option, ranges::range_of(option.values.first()?)?)))?;
    options.remove(option);
    Some(range)
}

/// A word that stands alone.
fn flag(options: &mut Options<'_>, word: &'static str) -> bool {
    let Some(option) = options.take(word) else {
        return false;
    };
    if let Some(value) = option.values.first() {
        options.problem(
            Diagnostic::new(Code::BadOption, format!("`{word}` stands alone"))
                .at(value.span, "one too many")
                .help(format!("as in `continue a in 0..1 {word}`")),
        );
    }
    true
}

type Moving = (tree::Reference, Option<ranges::Range>);

/// The one name after the verb.
fn parameter(
    sentence: &tree::Sentence,
    names: Vec<Ranged>,
    options: &mut Options<'_>,
) -> Option<Moving> {
    let example = "as in `continue a in 0.2..0.8`";
    let mut names = names.into_iter();
    let Some(first) = names.next() else {
        options.problem(
            Diagnostic::new(
                Code::MissingArgument,
                "`continue` needs the parameter that moves",
            )
            .at(sentence.verb.span, "which parameter?")
            .help(example),
        );
        return None;
    };
    if let Some(second) = names.next() {
        options.problem(
            Diagnostic::new(Code::BadOption, "`continue` moves one parameter")
                .at(second.name.span, "one too many")
                .help("what is drawn above it comes after `of`, as in `continue a in 0..1 of x`"),
        );
    }
    match first.name.kind {
        ExprKind::Reference(reference) => Some((reference, first.range)),
        _ => {
            options.problem(
                Diagnostic::new(Code::BadOption, "`continue` needs the name of a parameter")
                    .at(first.name.span, "this is no name")
                    .help(example),
            );
            None
        }
    }
}

fn from_last(options: &mut Options<'_>) -> bool {
    let Some(option) = options.take("from") else {
        return false;
    };
    let word = option.values.first().and_then(word_of);
    let is_last = option.bindings.is_empty() && word.is_some_and(|word| word.text == "last");
    if !is_last {
        options.problem(
            Diagnostic::new(Code::BadOption, "`from` is followed by `last`")
                .at(option.span, "")
                .help("values for the start of the search come after `with`, as in `continue a in 0..1 with x = 2`"),
        );
    }
    is_last
}
