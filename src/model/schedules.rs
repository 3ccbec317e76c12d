//! When things happen whose times are known ahead: `at 0, 12`, `every 24 from 0 times 7`.
//!
//! Enters: options. Leaves: [`Repeat`] and lists of times, in terms of parameters. Must not know
//! what happens then.

use super::Repeat;
use super::clauses::Clauses;
use super::collect::Draft;
use super::elaborate::Scope;
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::symbolic::Expr;
use crate::syntax::tree::{self, ExprKind};

/// Which numbers make sense somewhere, when they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// Any finite number.
    Finite,
    /// From zero on.
    NotNegative,
    /// Above zero.
    Positive,
    /// 1, 2, 3, ...
    Count,
}

impl Sense {
    fn accepts(self, value: f64) -> bool {
        match self {
            Sense::Finite => value.is_finite(),
            Sense::NotNegative => value.is_finite() && value >= 0.0,
            Sense::Positive => value.is_finite() && value > 0.0,
            Sense::Count => value.is_finite() && value >= 1.0 && value.fract() == 0.0,
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Sense::Finite => "must be finite",
            Sense::NotNegative => "must not be negative",
            Sense::Positive => "must be positive",
            Sense::Count => "must be a whole number, at least 1",
        }
    }
}

impl Draft<'_> {
    /// A single number that may follow anything; refused when it is known not to make sense.
    pub(super) fn sensible(
        &mut self,
        scope: &Scope,
        what: &str,
        written: &tree::Expr,
        sense: Sense,
    ) -> Option<Expr> {
        let value = self.with_elaborator(|e| e.scalar(scope, written))?;
        if let Some(number) = self.names.constant_value(&self.pool, value)
            && !sense.accepts(number)
        {
            self.diagnostics.push(
                Diagnostic::new(Code::BadEvent, format!("{what} {}", sense.wanted()))
                    .at(written.span, format!("this is {}", number_text(number))),
            );
            return None;
        }
        Some(value)
    }

    /// The same, but of parameters only: it must be known before the run.
    pub(super) fn known_ahead(
        &mut self,
        scope: &Scope,
        what: &str,
        written: &tree::Expr,
        sense: Sense,
    ) -> Option<Expr> {
        if let ExprKind::Range { .. } = written.kind {
            self.diagnostics.push(
                Diagnostic::new(Code::BadEvent, format!("{what} is a single number"))
                    .at(written.span, "this is a range")
                    .help("for many times write `every 1 from 0 until 10`"),
            );
            return None;
        }
        let value = self.sensible(scope, what, written, sense)?;
        let Some(symbol) = self.names.changing(&self.pool, value) else {
            return Some(value);
        };
        let name = &self.pool.symbol_data(symbol).name;
        self.diagnostics.push(
            Diagnostic::new(
                Code::BadEvent,
                format!("{what} must be known before the run: a number or parameters"),
            )
            .at(written.span, format!("`{name}` changes during a run"))
            .help("what happens when the state says so is written `when ... { }`"),
        );
        None
    }

    /// Times, one by one; none before the model starts.
    pub(super) fn times(&mut self, scope: &Scope, written: &[tree::Expr]) -> Option<Vec<Expr>> {
        let mut times = Vec::with_capacity(written.len());
        let mut complete = true;
        for time in written {
            match self.time_known_ahead(scope, "a time", time) {
                Some(value) => times.push(value),
                None => complete = false,
            }
        }
        complete.then_some(times)
    }

    fn time_known_ahead(
        &mut self,
        scope: &Scope,
        what: &str,
        written: &tree::Expr,
    ) -> Option<Expr> {
        let value = self.known_ahead(scope, what, written, Sense::Finite)?;
        let start = self.time.start;
        if let Some(number) = self.names.constant_value(&self.pool, value)
            && number < start
        {
            self.diagnostics.push(
                Diagnostic::new(Code::BadEvent, "a time before the model starts")
                    .at(
                        written.span,
                        format!("the model starts at {}", number_text(start)),
                    )
                    .help(format!(
                        "to start earlier, declare `time from {}`",
                        number_text(number)
                    )),
            );
            return None;
        }
        Some(value)
    }

    /// `every 24` with `from`, `times` and `until`.
    pub(super) fn repeat(
        &mut self,
        scope: &Scope,
        period: &tree::Expr,
        clauses: &mut Clauses<'_>,
    ) -> Option<Repeat> {
        let (from, times, until) = (
            clauses.value("from"),
            clauses.value("times"),
            clauses.value("until"),
        );
        let period = self.known_ahead(scope, "a period", period, Sense::Positive);
        let first = from.map(|from| self.time_known_ahead(scope, "the first time", from));
        let count =
            times.map(|times| self.known_ahead(scope, "the number of times", times, Sense::Count));
        let last =
            until.map(|until| self.known_ahead(scope, "the last time", until, Sense::Finite));
        let (period, first, count, last) =
            (period?, optional(first)?, optional(count)?, optional(last)?);
        if let Some(until) = until {
            self.ends_after_start(from, first, until, last)?;
        }
        Some(Repeat {
            period,
            from: first,
            times: count,
            until: last,
        })
    }

    fn ends_after_start(
        &mut self,
        from: Option<&tree::Expr>,
        first: Option<Expr>,
        until: &tree::Expr,
        last: Option<Expr>,
    ) -> Option<()> {
        let number = |expr: Option<Expr>| self.names.constant_value(&self.pool, expr?);
        let low = match first {
            Some(_) => number(first),
            None => Some(self.time.start),
        };
        let (Some(low), Some(high)) = (low, number(last)) else {
            return Some(());
        };
        if high >= low {
            return Some(());
        }
        let mut diagnostic = Diagnostic::new(Code::BadEvent, "this schedule holds no time")
            .at(until.span, format!("the end is {}", number_text(high)));
        if let Some(from) = from {
            diagnostic = diagnostic.at(from.span, format!("the start is {}", number_text(low)));
        }
        self.diagnostics
            .push(diagnostic.help("the end comes after the first time"));
        None
    }
}

/// What is absent is in order; what is at fault is not.
#[expect(
    clippy::option_option,
    reason = "no value is a valid answer, a fault is not"
)]
pub(super) fn optional(value: Option<Option<Expr>>) -> Option<Option<Expr>> {
    match value {
        None => Some(None),
        Some(found) => found.map(Some),
    }
}
