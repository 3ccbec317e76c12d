//! `using extremes(velocyto, tails = 2..98)`: the words that say through which cells lines go.
//!
//! Enters: the value of the option `using`. Leaves: [`Extremes`], and from it a [`Convention`].
//! Must not know data.

use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::fit::velocity::{Convention, Line, Offset, Scale, Tails};
use crate::source::Span;
use crate::syntax::tree::{self, ExprKind};

/// The word after `using`.
pub const WORD: &str = "extremes";
const ALL: &str = "all";
const EXAMPLES: &str = "as in `using extremes`, `using extremes(velocyto)`, `using extremes(tails = 80)`, `using extremes(tails = 5..95, scale = 99.9)`";

/// What is said of the extreme cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Extremes {
    /// The words.
    pub span: Span,
    /// The convention that holds where nothing else is said.
    pub custom: Custom,
    /// Other tails.
    pub tails: Option<SaidTails>,
    /// The percentile that scales are taken at.
    pub scale: Option<tree::Expr>,
}

/// The conventions in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Custom {
    /// `scvelo`: scales are the largest counts.
    ScVelo,
    /// `velocyto`: scales are high percentiles, slope and offset have bounds.
    Velocyto,
}

impl Custom {
    const BOTH: [Custom; 2] = [Custom::ScVelo, Custom::Velocyto];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Custom::ScVelo => "scvelo",
            Custom::Velocyto => "velocyto",
        }
    }
}

/// `tails = 80`, `tails = 5..95`, `tails = all`
#[derive(Debug, Clone, PartialEq)]
pub enum SaidTails {
    /// All cells.
    All,
    /// Cells at or above this percentile.
    Upper(tree::Expr),
    /// Cells at or below the first percentile, or at or above the second.
    Both(tree::Expr, tree::Expr),
}

/// True of `extremes` and `extremes(...)`.
pub(in crate::session) fn is_meant(value: &tree::Expr) -> bool {
    match &value.kind {
        ExprKind::Reference(reference) => reference.name.text == WORD,
        ExprKind::Call { function, .. } => function.name.text == WORD,
        _ => false,
    }
}

/// Reads the words.
///
/// # Errors
/// Words that are not known.
pub(in crate::session) fn read(value: &tree::Expr) -> Result<Extremes, Vec<Diagnostic>> {
    let mut found = Extremes {
        span: value.span,
        custom: Custom::ScVelo,
        tails: None,
        scale: None,
    };
    let ExprKind::Call { arguments, .. } = &value.kind else {
        return Ok(found);
    };
    let mut problems = Vec::new();
    for argument in arguments {
        let of = &argument.value;
        match argument.name.as_ref().map(|name| name.text.as_str()) {
            None => match custom(of) {
                Some(custom) => found.custom = custom,
                None => problems.push(unknown(of.span, "a convention is `scvelo` or `velocyto`")),
            },
            Some("tails") => found.tails = Some(tails(of)),
            Some("scale") => found.scale = Some(of.clone()),
            Some(_) => problems.push(unknown(
                argument.name.as_ref().map_or(of.span, |name| name.span),
                "`extremes` takes `tails` and `scale`",
            )),
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

fn custom(value: &tree::Expr) -> Option<Custom> {
    let word = super::super::lower::word_of(value)?;
    let mut both = Custom::BOTH.into_iter();
    both.find(|custom| custom.name() == word.text)
}

fn tails(value: &tree::Expr) -> SaidTails {
    match &value.kind {
        ExprKind::Range {
            low: Some(low),
            high: Some(high),
        } => SaidTails::Both((**low).clone(), (**high).clone()),
        _ if super::super::lower::word_of(value).is_some_and(|word| word.text == ALL) => {
            SaidTails::All
        }
        _ => SaidTails::Upper(value.clone()),
    }
}

fn unknown(span: Span, message: &str) -> Diagnostic {
    Diagnostic::new(Code::BadOption, message)
        .at(span, "not known here")
        .help(EXAMPLES)
}

impl Extremes {
    /// What the words come to.
    ///
    /// # Errors
    /// What is no percentile from 0 to 100; what `number` says.
    pub(super) fn convention(
        &self,
        offset: Offset,
        number: &dyn Fn(&tree::Expr) -> Result<f64, Vec<Diagnostic>>,
    ) -> Result<Convention, Vec<Diagnostic>> {
        let mut convention = match self.custom {
            Custom::ScVelo => Convention::scvelo(offset),
            Custom::Velocyto => Convention::velocyto(offset),
        };
        let percent = |expr: &tree::Expr| percentile(expr, number(expr)?);
        match &self.tails {
            None => {}
            Some(SaidTails::All) => convention.tails = Tails::All,
            Some(SaidTails::Upper(percentile)) => {
                convention.tails = Tails::Upper(percent(percentile)?);
            }
            Some(SaidTails::Both(low, high)) => {
                let (lower, upper) = (percent(low)?, percent(high)?);
                if lower > upper {
                    return Err(vec![
                        Diagnostic::new(Code::BadOption, "the lower tail comes first")
                            .at(low.span.to(high.span), "")
                            .help("as in `tails = 5..95`: cells at or below 5 %, and at or above 95 %"),
                    ]);
                }
                convention.tails = Tails::Both(lower, upper);
            }
        }
        if let Some(scale) = &self.scale {
            convention.scale = Scale::Percentile(percent(scale)?);
        }
        Ok(convention)
    }
}

fn percentile(expr: &tree::Expr, value: f64) -> Result<f64, Vec<Diagnostic>> {
    if (0.0..=100.0).contains(&value) {
        return Ok(value);
    }
    Err(vec![
        Diagnostic::new(Code::BadOption, "a percentile lies between 0 and 100")
            .at(expr.span, format!("this is {}", number_text(value)))
            .help(EXAMPLES),
    ])
}

/// The cells of a convention in words: `cells at or above 95 % of s/max(s) + u/max(u)`.
#[must_use]
pub fn cells_in_words(convention: &Convention, (s, u): (&str, &str)) -> String {
    let text = number_text;
    let scaled = match convention.scale {
        Scale::Largest => format!("{s}/max({s}) + {u}/max({u})"),
        Scale::Percentile(percent) => {
            let of = |name: &str| format!("{name}/({} % of {name})", text(percent));
            format!("{} + {}", of(s), of(u))
        }
    };
    match convention.tails {
        Tails::All => "all cells".to_owned(),
        Tails::Upper(percent) => format!("cells at or above {} % of {scaled}", text(percent)),
        Tails::Both(lower, upper) => format!(
            "cells at or below {} %, and at or above {} %, of {scaled}",
            text(lower),
            text(upper)
        ),
    }
}

/// The line of a convention in words.
#[must_use]
pub fn line_in_words(convention: &Convention, slope: &str, offset: Option<&str>) -> String {
    let offset = offset.unwrap_or("an offset");
    match convention.line {
        Line::Origin => "through the origin".to_owned(),
        Line::Intercept => {
            format!("with {offset}; through the origin where that would be negative")
        }
        Line::Bounded(bounds) => {
            let (low, high) = bounds.slope;
            let within = format!(
                "{slope} within {} and {}",
                number_text(low),
                number_text(high)
            );
            match bounds.intercept > 0.0 {
                false => format!("through the origin, {within}"),
                true => format!(
                    "{within}, {offset} within 0 and {} times the mean of the chosen cells",
                    number_text(bounds.intercept)
                ),
            }
        }
    }
}
