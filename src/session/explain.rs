//! `explain`: the page of a diagnostic, or the last fit.
//!
//! Enters: the words after the verb. Leaves: [`Explained`], what is to be told. Must not know the
//! pages: whoever shows them does.

use super::command::Command;
use super::lower::word_of;
use super::options::Options;
use crate::diagnostic::{Area, Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree;

/// What `explain` is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explained {
    /// `explain E0107`: one diagnostic.
    Code(Code),
    /// `explain E01`: the codes of one area.
    Area(Area),
}

impl Explained {
    /// What a word asks for, if anything.
    #[must_use]
    pub fn find(word: &str) -> Option<Explained> {
        let code = Code::find(word).map(Explained::Code);
        code.or_else(|| Area::find(word).map(Explained::Area))
    }
}

/// Reads `explain E0107, W0201`, `explain E06`, `explain`, and `explain fit`, which asks for something
/// else: how the last fit was computed.
pub(super) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    if let [one] = sentence.subjects.as_slice()
        && word_of(&one.value).is_some_and(|word| word.text == "fit")
    {
        return options.finish(|| Ok(Command::ExplainFit(span)));
    }
    let mut asked = Vec::new();
    for subject in &sentence.subjects {
        let word = word_of(&subject.value).map_or("", |name| &name.text);
        match Explained::find(word) {
            Some(found) => asked.push(found),
            None => options.problem(unknown(word, subject.value.span)),
        }
    }
    options.finish(|| Ok(Command::Explain(asked)))
}

fn unknown(word: &str, span: Span) -> Diagnostic {
    let (message, label) = no_code(word);
    let help = match Code::nearest(word) {
        Some(near) => format!("did you mean `{near}`? `explain` lists the kinds of codes"),
        None => "as in `explain E0201`; `explain` lists the kinds of codes".to_owned(),
    };
    Diagnostic::new(Code::BadOption, message)
        .at(span, label)
        .help(help)
}

fn no_code(word: &str) -> (String, &'static str) {
    if word.is_empty() {
        ("`explain` is followed by a code".to_owned(), "this is none")
    } else {
        (format!("there is no code `{word}`"), "")
    }
}
