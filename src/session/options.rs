//! The options of one sentence, taken one by one; what is left over is reported.

use super::command::Command;
use super::lower::word_of;
use super::verbs::{Value, Verb};
use crate::diagnostic::{Code, Diagnostic, closest, listed};
use crate::syntax::tree::{self, ExprKind};

/// The options of a sentence on their way into a command.
pub(super) struct Options<'t> {
    verb: &'static Verb,
    all: &'t [tree::SentenceOption],
    left: Vec<&'t tree::SentenceOption>,
    problems: &'t mut Vec<Diagnostic>,
}

impl<'t> Options<'t> {
    pub fn new(
        verb: &'static Verb,
        sentence: &'t tree::Sentence,
        problems: &'t mut Vec<Diagnostic>,
    ) -> Options<'t> {
        Options {
            verb,
            all: &sentence.options,
            left: sentence.options.iter().collect(),
            problems,
        }
    }

    /// The verb of the sentence.
    pub fn verb(&self) -> &'static str {
        self.verb.word
    }

    pub fn problem(&mut self, diagnostic: Diagnostic) {
        self.problems.push(diagnostic);
    }

    pub fn problems(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.problems.extend(diagnostics);
    }

    /// True for a word that the verb lists as an option.
    pub fn knows(&self, word: &str) -> bool {
        self.verb.option(word).is_some()
    }

    /// Takes out the first option with this word, which the verb lists in its table.
    pub fn take(&mut self, word: &'static str) -> Option<&'t tree::SentenceOption> {
        self.must_be_listed(word);
        self.take_unlisted(word)
    }

    /// Takes out an option that is not to be offered to those who misspell another one.
    pub fn take_unlisted(&mut self, word: &'static str) -> Option<&'t tree::SentenceOption> {
        let at = self
            .left
            .iter()
            .position(|option| option.word.text == word)?;
        Some(self.left.remove(at))
    }

    fn must_be_listed(&self, word: &'static str) {
        debug_assert!(
            self.verb.option(word).is_some(),
            "list `{word}` among the options of `{}` in session/verbs/table.rs",
            self.verb.word
        );
    }

    /// Takes out the first option with this word, and the one right after it when that has the
    /// word `next`.
    pub fn take_with_next(
        &mut self,
        word: &'static str,
        next: &'static str,
    ) -> Option<(&'t tree::SentenceOption, Option<&'t tree::SentenceOption>)> {
        self.must_be_listed(word);
        let at = self
            .left
            .iter()
            .position(|option| option.word.text == word)?;
        let option = self.left.remove(at);
        let follows = self.left.get(at).is_some_and(|after| {
            // Nothing that was taken before stood between them.
            let between = option.span.end..after.span.start;
            let is_between = |other: &&tree::SentenceOption| between.contains(&other.span.start);
            after.word.text == next && !self.all.iter().any(|other| is_between(&other))
        });
        let following = follows.then(|| self.left.remove(at));
        Some((option, following))
    }

    /// Gives back an option that was not meant.
    pub fn put_back(&mut self, option: Option<&'t tree::SentenceOption>) {
        self.left.extend(option);
    }

    /// The option at a place of the sentence, taken or not.
    pub fn at(&self, place: usize) -> Option<&'t tree::SentenceOption> {
        self.all.get(place)
    }

    /// The place after an option of the sentence.
    pub fn place_after(&self, option: &tree::SentenceOption) -> usize {
        let at = self
            .all
            .iter()
            .position(|known| std::ptr::eq(known, option));
        at.map_or(self.all.len(), |at| at + 1)
    }

    /// Takes out this very option.
    pub fn remove(&mut self, option: &tree::SentenceOption) {
        self.left.retain(|left| !std::ptr::eq(*left, option));
    }

    /// True when this very option has not been taken.
    pub fn is_left(&self, option: &tree::SentenceOption) -> bool {
        self.left.iter().any(|left| std::ptr::eq(*left, option))
    }

    /// The first option with this word, which stays where it is.
    pub fn peek(&self, word: &str) -> Option<&'t tree::SentenceOption> {
        self.left
            .iter()
            .find(|option| option.word.text == word)
            .copied()
    }

    /// True when an option with this word is still there.
    pub fn has(&self, word: &str) -> bool {
        self.left.iter().any(|option| option.word.text == word)
    }

    /// Whether a word that stands by itself is there.
    pub fn flag(&mut self, word: &'static str) -> bool {
        let Some(option) = self.take(word) else {
            return false;
        };
        let value = option.values.first().map(|value| value.span);
        let binding = option.bindings.first().map(|binding| binding.name.span);
        if let Some(span) = value.or(binding) {
            self.problem(
                Diagnostic::new(Code::BadOption, format!("`{word}` stands by itself"))
                    .at(span, "one too many")
                    .help(format!("write `{word}` without a value")),
            );
        }
        true
    }

    /// The single value of an option.
    pub fn value(&mut self, word: &'static str) -> Option<tree::Expr> {
        let option = self.take(word)?;
        self.single(option)
    }

    /// The single value of an option already taken; reports when there is none or several.
    pub fn single(&mut self, option: &tree::SentenceOption) -> Option<tree::Expr> {
        match option.values.as_slice() {
            [value] => Some(value.clone()),
            [] => {
                self.needs_value(option);
                None
            }
            [_, second, ..] => {
                self.problem(
                    Diagnostic::new(
                        Code::BadOption,
                        format!("`{}` takes a single value", option.word.text),
                    )
                    .at(second.span, "one too many"),
                );
                None
            }
        }
    }

    /// The single word of an option: `using bdf`.
    pub fn word(&mut self, word: &'static str) -> Option<tree::Name> {
        let option = self.take(word)?;
        self.name_of(option)
    }

    /// The single word of an option already taken.
    pub fn name_of(&mut self, option: &tree::SentenceOption) -> Option<tree::Name> {
        let word = &option.word.text;
        let value = self.single(option)?;
        match word_of(&value) {
            Some(name) => Some(name.clone()),
            None => {
                self.problem(
                    Diagnostic::new(Code::BadOption, format!("`{word}` is followed by a name"))
                        .at(value.span, "not a name")
                        .help(example(self.verb, word)),
                );
                None
            }
        }
    }

    /// The quoted text of an option: `to "figure.svg"`.
    pub fn text(&mut self, word: &'static str) -> Option<tree::Text> {
        let option = self.take(word)?;
        match option.values.as_slice() {
            [value] => {
                if let ExprKind::Text(text) = &value.kind {
                    return Some(tree::Text {
                        text: text.clone(),
                        span: value.span,
                    });
                }
                self.needs_text(option);
                None
            }
            _ => {
                self.needs_text(option);
                None
            }
        }
    }

    pub fn needs_value(&mut self, option: &tree::SentenceOption) {
        self.problem(
            Diagnostic::new(
                Code::BadOption,
                format!("`{}` needs a value", option.word.text),
            )
            .at(option.span, "nothing follows")
            .help(example(self.verb, &option.word.text)),
        );
    }

    pub fn needs_text(&mut self, option: &tree::SentenceOption) {
        self.problem(
            Diagnostic::new(
                Code::BadOption,
                format!("`{}` is followed by a text in quotes", option.word.text),
            )
            .at(option.span, "")
            .help(match option.values.as_slice() {
                [value] => match word_of(value) {
                    Some(word) => {
                        let ending = if self.verb.word == "plot" && option.word.text == "to" {
                            ".svg"
                        } else {
                            ""
                        };
                        format!("write `{} \"{}{ending}\"`", option.word.text, word.text)
                    }
                    None => example(self.verb, &option.word.text),
                },
                _ => example(self.verb, &option.word.text),
            }),
        );
    }

    /// Gives up on the sentence; the problem has been reported.
    pub fn abandon(self) -> Option<Command> {
        None
    }

    /// Reports the options that nothing took, then builds the command.
    pub fn finish(self, build: impl FnOnce() -> Result<Command, ()>) -> Option<Command> {
        for option in &self.left {
            self.problems
                .push(if self.verb.option(&option.word.text).is_some() {
                    Diagnostic::new(
                        Code::BadOption,
                        format!("`{}` is given twice", option.word.text),
                    )
                    .at(option.span, "again here")
                    .help("keep one of them")
                } else {
                    unknown(self.verb, &option.word)
                });
        }
        build().ok()
    }
}

/// An option that the verb does not list.
fn unknown(verb: &Verb, word: &tree::Name) -> Diagnostic {
    let known = || verb.options.iter().map(|choice| choice.word);
    let of_run = ["rtol", "atol", "using", "dt", "paths", "seed"];
    let help = if verb.word == "sweep" && word.text == "step" {
        "`points 51` spaces the values of a sweep; `step` belongs to the run that it repeats, as in `simulate 0..100 step 5`".to_owned()
    } else if verb.word == "sweep" && of_run.contains(&word.text.as_str()) {
        format!(
            "`{}` belongs to the run that a sweep repeats: write it after `simulate`",
            word.text
        )
    } else if let Some(near) = closest(&word.text, known()) {
        format!("did you mean `{near}`?")
    } else if verb.options.is_empty() {
        format!("`{}` takes no options", verb.word)
    } else if let Some(other) = other_word(&word.text).filter(|other| verb.option(other).is_some())
    {
        format!("the word is `{other}`")
    } else {
        let words: Vec<String> = known().map(|word| format!("`{word}`")).collect();
        let comma = match verb.subjects {
            Value::Quantities => {
                format!(
                    "if `{}` is one more of them, a comma is missing; ",
                    word.text
                )
            }
            _ => String::new(),
        };
        format!("{comma}it takes {}", listed(&words))
    };
    Diagnostic::new(
        Code::UnknownOption,
        format!("`{}` has no option `{}`", verb.word, word.text),
    )
    .at(word.span, "not known here")
    .help(help)
}

/// The word of this language for one of another.
fn other_word(word: &str) -> Option<&'static str> {
    Some(match word {
        "method" | "solver" | "integrator" => "using",
        "dt" | "every" => "step",
        "n" | "steps" | "times" => "points",
        "tolerance" | "reltol" => "rtol",
        "abstol" => "atol",
        "data" => "over",
        "file" | "into" => "to",
        "where" | "set" => "with",
        "id" | "ID" => "subject",
        _ => return None,
    })
}

/// How an option is used.
fn example(verb: &Verb, word: &str) -> String {
    match verb.option(word) {
        Some(choice) => format!("as in `{}`", choice.example),
        None => format!("write it after `{word}`"),
    }
}
