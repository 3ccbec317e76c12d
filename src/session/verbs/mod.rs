//! The one table of sentences: their verbs, the options they take, what stands where, an example.
//!
//! Enters: nothing. Leaves: [`VERBS`], which the reading of sentences, "did you mean", completion
//! and help share, so that they cannot drift apart. Must not know how a sentence is performed.
//!
//! A new sentence is one entry in `table.rs`: its verb, an example, its options and the function
//! that reads it. [`Options::take`](super::options::Options) refuses, when debugging, an option
//! that its verb does not list; a test tries every option that is listed.

mod choices;
mod table;

#[cfg(test)]
mod tests;

pub use table::VERBS;

use super::command::Command;
use super::options::Options;
use crate::source::Span;
use crate::syntax::tree;

/// A verb of the language with all that its sentence may hold.
#[derive(Debug)]
pub struct Verb {
    /// The word that begins the sentence.
    pub word: &'static str,
    /// A whole sentence, for help.
    pub example: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What stands right after the verb.
    pub subjects: Value,
    /// The options, in the order in which help lists them.
    pub options: &'static [Choice],
    /// Further forms and what they mean, for help.
    pub more: &'static [(&'static str, &'static str)],
    /// Words whose help is related.
    pub see: &'static [&'static str],
    /// Where it makes sense.
    pub place: Place,
    /// How it is read.
    pub(super) read: Reader,
}

/// An option of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Its word.
    pub word: &'static str,
    /// What follows the word.
    pub value: Value,
    /// The option as one writes it.
    pub example: &'static str,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

/// What stands after a verb or the word of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Nothing: the word stands alone.
    Nothing,
    /// A number.
    Number,
    /// A range of times, `0..100`.
    Times,
    /// Expressions of the model's names.
    Expressions,
    /// Measures of expressions, `max(x)`.
    Measures,
    /// Names of states or parameters.
    Quantities,
    /// Names with ranges, `x in 0..2, y in 0..3`.
    Ranges,
    /// Values by name, `k = 2, x = 1`.
    Bindings,
    /// The name of a condition of the model.
    Condition,
    /// The name of a method of integration.
    Method,
    /// What `show` shows.
    Topic,
    /// One of these words.
    Words(&'static [&'static str]),
    /// The name of a file in quotes, with one of these endings.
    File(&'static [&'static str]),
    /// Any text in quotes.
    Text,
    /// A word that help knows.
    HelpWord,
}

/// Where a sentence makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a file and at the prompt.
    Anywhere,
    /// Only at the prompt.
    Prompt,
}

/// Reads a sentence into a command; problems go into the options.
pub(super) type Reader = fn(&tree::Sentence, Span, Options<'_>) -> Option<Command>;

impl Verb {
    /// The verb with this word.
    #[must_use]
    pub fn find(word: &str) -> Option<&'static Verb> {
        VERBS.iter().find(|verb| verb.word == word)
    }

    /// The option with this word.
    #[must_use]
    pub fn option(&self, word: &str) -> Option<&'static Choice> {
        self.options.iter().find(|choice| choice.word == word)
    }
}
