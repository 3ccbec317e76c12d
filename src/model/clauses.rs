//! The options behind events, doses and inputs, taken one by one; what is left over is reported.
//!
//! Enters: the options of one statement. Leaves: their values, still as trees, and a diagnostic
//! for each that does not fit. Must not know what the values mean.

use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::source::Span;
use crate::syntax::tree::{self, ExprKind, SentenceOption};

/// The options of one statement on their way into a model.
pub(super) struct Clauses<'t> {
    /// What the statement is, as messages say it: "`when`", "a dose".
    what: &'static str,
    left: Vec<&'t SentenceOption>,
    asked: Vec<&'static str>,
    pub problems: Vec<Diagnostic>,
}

impl<'t> Clauses<'t> {
    pub fn new(what: &'static str, options: &'t [SentenceOption]) -> Clauses<'t> {
        Clauses {
            what,
            left: options.iter().collect(),
            asked: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Takes out the option with this word; a second one is at fault.
    pub fn take(&mut self, word: &'static str) -> Option<&'t SentenceOption> {
        self.asked.push(word);
        let (mut found, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.left)
            .into_iter()
            .partition(|option| option.word.text == word);
        self.left = rest;
        if let [first, second, ..] = found.as_slice() {
            self.problems.push(
                Diagnostic::new(Code::BadOption, format!("`{word}` stands here twice"))
                    .at(second.span, "again here")
                    .at(first.span, "the first one")
                    .help("remove one of them"),
            );
        }
        (!found.is_empty()).then(|| found.swap_remove(0))
    }

    /// A word by itself: `steady`.
    pub fn flag(&mut self, word: &'static str) -> Option<Span> {
        let option = self.take(word)?;
        self.no_values(option);
        self.no_bindings(option);
        Some(option.word.span)
    }

    /// A word by itself, behind which the columns of the table may stand.
    pub fn flag_before_columns(
        &mut self,
        word: &'static str,
        columns: &mut Vec<(tree::Name, tree::Name)>,
    ) -> Option<Span> {
        let option = self.take(word)?;
        self.no_values(option);
        for binding in &option.bindings {
            columns.extend(self.column(binding));
        }
        Some(option.word.span)
    }

    fn no_values(&mut self, option: &SentenceOption) {
        let word = &option.word.text;
        if let Some(value) = option.values.first() {
            self.problems.push(
                Diagnostic::new(Code::BadOption, format!("`{word}` stands by itself"))
                    .at(value.span, "one too many")
                    .help(format!("write `{word}` without a value")),
            );
        }
    }

    /// The values of an option, at least one.
    pub fn values(&mut self, word: &'static str) -> Option<&'t [tree::Expr]> {
        let option = self.take(word)?;
        self.no_bindings(option);
        if option.values.is_empty() {
            self.problems.push(
                Diagnostic::new(Code::BadOption, format!("`{word}` needs a value"))
                    .at(option.span, "nothing follows")
                    .help(example(word)),
            );
            return None;
        }
        Some(&option.values)
    }

    /// The single value of an option.
    pub fn value(&mut self, word: &'static str) -> Option<&'t tree::Expr> {
        let values = self.values(word)?;
        if let Some(second) = values.get(1) {
            self.problems.push(
                Diagnostic::new(Code::BadOption, format!("`{word}` takes a single value"))
                    .at(second.span, "one too many")
                    .help(example(word)),
            );
        }
        values.first()
    }

    /// One of a few words: `values trigger`. Leaves its place in the list.
    pub fn choice(&mut self, word: &'static str, known: &[&'static str]) -> Option<usize> {
        let value = self.value(word)?;
        let written = match &value.kind {
            ExprKind::Reference(reference) if reference.indices.is_empty() => {
                reference.name.text.as_str()
            }
            _ => "",
        };
        let found = known.iter().position(|known| *known == written);
        if found.is_none() {
            let quoted: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
            self.problems.push(
                Diagnostic::new(
                    Code::BadOption,
                    format!("`{word}` is followed by {}", quoted.join(" or ")),
                )
                .at(value.span, "neither of them")
                .help(
                    did_you_mean(written, known.iter().copied()).unwrap_or_else(|| example(word)),
                ),
            );
        }
        found
    }

    /// The same where the option may be absent.
    pub fn choice_if_any(&mut self, word: &'static str, known: &[&'static str]) -> Option<usize> {
        let is_there = self.left.iter().any(|option| option.word.text == word);
        is_there.then(|| self.choice(word, known)).flatten()
    }

    /// `from "file.csv" (time = hour)`, when a text follows the word; otherwise the option stays.
    pub fn table(&mut self) -> Option<(tree::Text, Vec<(tree::Name, tree::Name)>)> {
        let is_table = |option: &&SentenceOption| {
            option.word.text == "from"
                && (option
                    .values
                    .iter()
                    .any(|value| matches!(value.kind, ExprKind::Text(_)))
                    || !option.bindings.is_empty())
        };
        self.left.iter().find(|option| is_table(option))?;
        let option = self.take("from")?;
        let [
            tree::Expr {
                kind: ExprKind::Text(path),
                span,
            },
        ] = option.values.as_slice()
        else {
            self.needs_file(option);
            return None;
        };
        let path = tree::Text {
            text: path.clone(),
            span: *span,
        };
        let columns = option
            .bindings
            .iter()
            .filter_map(|binding| self.column(binding))
            .collect();
        Some((path, columns))
    }

    pub fn needs_file(&mut self, option: &SentenceOption) {
        let help = match option.values.as_slice() {
            [
                tree::Expr {
                    kind: ExprKind::Reference(reference),
                    ..
                },
            ] => format!("write `from \"{}.csv\"`", reference.name.text),
            _ => "as in `from \"data.csv\"`".to_owned(),
        };
        self.problems.push(
            Diagnostic::new(
                Code::BadOption,
                "`from` is followed by one file name in quotes",
            )
            .at(option.span, "")
            .help(help),
        );
    }

    fn column(&mut self, binding: &tree::Binding) -> Option<(tree::Name, tree::Name)> {
        let column = match &binding.value.kind {
            ExprKind::Reference(reference) if reference.indices.is_empty() => {
                reference.name.clone()
            }
            ExprKind::Text(text) => tree::Name {
                text: text.clone(),
                span: binding.value.span,
            },
            _ => {
                self.problems.push(
                    Diagnostic::new(Code::BadOption, "a column is given by its name")
                        .at(binding.value.span, "")
                        .help("as in `(time = hour)`; quote names with spaces"),
                );
                return None;
            }
        };
        Some((binding.name.name.clone(), column))
    }

    fn no_bindings(&mut self, option: &SentenceOption) {
        if let Some(binding) = option.bindings.first() {
            self.problems.push(
                Diagnostic::new(
                    Code::BadOption,
                    format!("`{}` is followed by values, not by `=`", option.word.text),
                )
                .at(binding.name.span, "a binding")
                .help(example(&option.word.text)),
            );
        }
    }

    /// An option that does not go with something else about the statement.
    pub fn refuse(&mut self, word: &'static str, message: &str, help: &str) {
        if let Some(option) = self.take(word) {
            self.problems.push(
                Diagnostic::new(Code::BadEvent, message)
                    .at(option.span, "")
                    .help(help),
            );
        }
        self.asked.retain(|asked| *asked != word);
    }

    /// Reports what nothing has taken, and hands over all problems.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.asked.dedup();
        let known: Vec<String> = self.asked.iter().map(|word| format!("`{word}`")).collect();
        for option in &self.left {
            let word = &option.word.text;
            let near = did_you_mean(word, self.asked.iter().copied());
            self.problems.push(
                Diagnostic::new(
                    Code::UnknownOption,
                    format!("{} has no option `{word}`", self.what),
                )
                .at(option.word.span, "not known")
                .help(
                    near.or_else(|| elsewhere(word))
                        .unwrap_or_else(|| match known.as_slice() {
                            [] => "it takes no options".to_owned(),
                            [one] => format!("its only option is {one}"),
                            many => format!("its options are {}", listed(many)),
                        }),
                ),
            );
        }
        self.problems
    }
}

fn example(word: &str) -> String {
    let text = match word {
        "into" => "`into depot`",
        "at" => "`at 0, 12, 24`",
        "every" => "`every 12`",
        "times" => "`times 7`",
        "until" => "`until 100`",
        "from" => "`from 0`",
        "over" => "`over 0.5`",
        "lag" => "`lag 0.2`",
        "after" => "`after 2`",
        "for" => "`for 2`",
        "priority" => "`priority 1`",
        "values" => "`values trigger`",
        _ => return format!("write a value after `{word}`"),
    };
    format!("as in {text}")
}

/// What an option of dose records is here.
fn elsewhere(word: &str) -> Option<String> {
    let here = match word.to_ascii_lowercase().as_str() {
        "ii" => "the time between doses stands after `every`, as in `every 12`",
        "addl" => {
            "doses are counted by `times`, the first among them: `ii 12 addl 3` is `every 12 times 4`"
        }
        "ss" => "a dose at steady state is `every 12 steady`",
        "cmt" => "where it goes stands after `into`",
        "rate" | "dur" | "tinf" => "an infusion takes its time `over 2`: an amount over a rate",
        "alag" | "tlag" => "a dose waits with `lag`",
        _ => return None,
    };
    Some(here.to_owned())
}
