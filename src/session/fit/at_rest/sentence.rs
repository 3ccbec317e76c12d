//! `fit A, B to "cells.h5ad" as stationary by condition`, its words understood.
//!
//! Enters: a sentence of the tree. Leaves: a [`FitAtRest`]. Must not know the model.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::session::command::{Command, DataSource, Setting};
use crate::session::fit::sentence;
use crate::session::lower::{setting, subjects_without_vs};
use crate::session::options::Options;
use crate::source::Span;
use crate::syntax::tree;

const EXAMPLE: &str = "as in `fit A, B to \"cells.h5ad\" as stationary by condition`";

/// Matrices to be found from cells that are each seen once, at rest.
#[derive(Debug, Clone, PartialEq)]
pub struct FitAtRest {
    /// The whole sentence.
    pub span: Span,
    /// Parameters.
    pub quantities: Vec<tree::Expr>,
    /// The cells.
    pub data: DataSource,
    /// The matrix of an AnnData file.
    pub layer: Option<tree::Text>,
    /// The column that says which group a cell belongs to.
    pub by: Option<tree::Name>,
    /// For folds.
    pub seed: Option<tree::Expr>,
    /// Values for this sentence only.
    pub setting: Setting,
}

/// The same sentence without `as stationary` is an ordinary fit.
pub(in crate::session) fn is_meant(options: &Options<'_>) -> bool {
    options.has("as")
}

/// `fit A, B to "cells.h5ad" layer "Ms" as stationary by condition seed 1`
pub(in crate::session) fn lower(
    written: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let why = "parameters stand after each other here";
    let quantities = subjects_without_vs(written, &mut options, why, EXAMPLE);
    if quantities.is_empty() {
        options.problem(
            Diagnostic::new(Code::MissingArgument, "which matrices are fitted?")
                .at(written.verb.span, "")
                .help(EXAMPLE),
        );
    }
    if let Some(option) = options.take("as") {
        let word = options.name_of(option);
        if let Some(word) = word.filter(|word| word.text != "stationary") {
            let near = did_you_mean(&word.text, ["stationary"]);
            options.problem(
                Diagnostic::new(Code::BadOption, "`as` is followed by `stationary`")
                    .at(word.span, "")
                    .help(near.unwrap_or_else(|| {
                        "cells are then independent looks at the system at rest".to_owned()
                    })),
            );
        }
    }
    let data = sentence::data(written, &mut options, EXAMPLE);
    let layer = options.text("layer");
    let by = options.word("by");
    let seed = options.value("seed");
    let setting = setting(&mut options);
    options.finish(|| {
        Ok(Command::FitAtRest(Box::new(FitAtRest {
            span,
            quantities,
            data: data.ok_or(())?,
            layer,
            by,
            seed,
            setting,
        })))
    })
}
