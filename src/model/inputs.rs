//! Inputs: forcing from tables, `input temperature from "temp.csv" linear`.
//!
//! Enters: the statement. Leaves: an [`Input`] and its name. The table is read by whoever runs the
//! model; must not know files.

use super::clauses::Clauses;
use super::collect::{Draft, not_modelled};
use super::elaborate::Declared;
use super::names::Entity;
use super::{Input, InputId, Interpolation, Unit};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::symbolic::Shape;
use crate::syntax::tree;

impl<'t> Draft<'t> {
    pub(super) fn input(
        &mut self,
        name: &tree::Reference,
        unit: Option<&tree::Unit>,
        options: &'t [tree::SentenceOption],
        doc: Option<&String>,
        span: Span,
    ) {
        if !name.indices.is_empty() {
            self.diagnostics.push(
                not_modelled("inputs with indices")
                    .at(name.span, "")
                    .help("declare one input for each column of the table"),
            );
            self.names.refuse(&name.name.text);
            return;
        }
        let text = &name.name.text;
        let mut clauses = Clauses::new("an input", options);
        let table = clauses.table();
        let mut more_columns = Vec::new();
        let interpolation = interpolation(&mut clauses, &mut more_columns);
        if table.is_none() && clauses.problems.is_empty() {
            match clauses.take("from") {
                Some(option) => clauses.needs_file(option),
                None => clauses.problems.push(
                    Diagnostic::new(
                        Code::MissingArgument,
                        format!("`{text}` needs a table to take its values from"),
                    )
                    .at(span, "no `from`")
                    .help(format!(
                        "as in `input {text} from \"data.csv\"`, with columns for the time and `{text}`"
                    )),
                ),
            }
        }
        self.diagnostics.extend(clauses.finish());
        let symbol = self.pool.new_symbol(text, Shape::Scalar);
        let id = InputId::new(self.inputs.len());
        self.names.inputs.push(Declared {
            symbol: Some(symbol),
            ..Declared::default()
        });
        let (path, mut columns) = table.unwrap_or_else(|| {
            let nothing = tree::Text {
                text: String::new(),
                span,
            };
            (nothing, Vec::new())
        });
        columns.extend(more_columns);
        self.unknown_columns(text, &columns);
        self.inputs.push(Input {
            name: text.clone(),
            span,
            doc: doc.cloned(),
            symbol,
            unit: unit.map(Unit::from),
            path,
            columns,
            interpolation,
        });
        self.declare(&name.name, Entity::Input(id));
    }

    /// The columns that can be renamed are the time and the input's own.
    fn unknown_columns(&mut self, input: &str, columns: &[(tree::Name, tree::Name)]) {
        for (here, _) in columns {
            if here.text != "time" && here.text != "t" && here.text != input {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::BadOption,
                        format!("`{}` is no column that this input reads", here.text),
                    )
                    .at(here.span, "not known")
                    .help(format!(
                        "it reads the time and itself, as in `(time = hour, {input} = T)`"
                    )),
                );
            }
        }
    }
}

/// `step`, `linear` or `cubic`.
fn interpolation(
    clauses: &mut Clauses<'_>,
    columns: &mut Vec<(tree::Name, tree::Name)>,
) -> Interpolation {
    let known = [
        ("step", Interpolation::Step),
        ("linear", Interpolation::Linear),
        ("cubic", Interpolation::Cubic),
    ];
    let mut found: Option<(Span, Interpolation)> = None;
    for (word, meaning) in known {
        let Some(span) = clauses.flag_before_columns(word, columns) else {
            continue;
        };
        match found {
            None => found = Some((span, meaning)),
            Some((earlier, _)) => {
                let (first, second) = if span < earlier {
                    (span, earlier)
                } else {
                    (earlier, span)
                };
                clauses.problems.push(
                    Diagnostic::new(
                        Code::BadOption,
                        "what holds between the times is said twice",
                    )
                    .at(second, "again here")
                    .at(first, "already here")
                    .help("choose one of `step`, `linear` and `cubic`"),
                );
            }
        }
    }
    found.map_or_else(Interpolation::default, |(_, meaning)| meaning)
}
