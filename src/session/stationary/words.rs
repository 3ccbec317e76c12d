//! Why there is no stationary distribution, in the model's own words.

use super::Asked;
use crate::analyze::stationary::{self as moments, NotStationary};
use crate::analyze::{Eigenvalue, Law};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::session::places;
use crate::source::Span;
use crate::system::Source;

impl Asked<'_> {
    pub(super) fn not_stationary(&self, why: &NotStationary, state: &[f64]) -> Diagnostic {
        let refuse =
            |message: String| Diagnostic::new(Code::NotStationary, message).at(self.span, "");
        let place = || self.place(state);
        match why {
            NotStationary::Unstable(leading) => refuse(format!(
                "there is no stationary distribution: {} is unstable, with the eigenvalue {}",
                place(),
                pair(*leading)
            ))
            .help("`stability` says what happens near it; `steady all` finds the others, and `stationary with x = 1` starts elsewhere"),
            NotStationary::Marginal(leading) => refuse(format!(
                "there is no stationary distribution: a disturbance of {} does not decay, with the eigenvalue {}",
                place(),
                pair(*leading)
            ))
            .help("the noise would spread it without bounds; what pulls back, as in `x' = -k*x + s*W'`, gives one"),
            NotStationary::Wanders(law) => self.of_law(refuse(format!(
                "there is no stationary distribution: nothing holds {} where the noise takes it",
                self.law(law)
            )), law)
            .help("its eigenvalue is 0: let the equations pull it back, as in `x' = -k*x + s*W'`"),
            NotStationary::Spreads(factor) => refuse(format!(
                "there is no stationary variance: the noise grows with the state and feeds itself, by the factor {} where less than 1 would do",
                short(*factor)
            ))
            .help("the mean is stable, the mean square is not: smaller noise or faster decay gives a variance"),
            NotStationary::Silent => refuse(format!("no noise acts at {}", place()))
                .help("the state stays there: the distribution is this one point"),
            NotStationary::Rigid => refuse("nothing can vary: the conserved sums leave one state".to_owned())
                .help("`show conserved` lists the sums"),
            NotStationary::Negative { column, value } => {
                let (what, span) = self.source(*column);
                let mut diagnostic = refuse(format!(
                    "the noise of {what} is not defined: its rate is {}",
                    short(*value)
                ));
                if let Some(span) = span {
                    diagnostic = diagnostic.at(span, "negative at the steady state");
                }
                diagnostic.help("a one-way reaction runs at a rate that is not negative; write the way back as a reaction of its own")
            }
            NotStationary::TooMany(n) => Diagnostic::new(
                Code::NotPerformed,
                format!(
                    "this version of Lotka describes the noise of at most {} states",
                    moments::MOST_STATES
                ),
            )
            .at(self.span, format!("the model has {n}"))
            .help("`steady` finds where they rest"),
            NotStationary::NotFinite => refuse(format!(
                "the linear part or the noise at {} is not finite",
                place()
            ))
            .help("`jacobian` and `show equations` show where a root, a logarithm or a quotient has no value"),
            NotStationary::Interrupted => Diagnostic::new(
                Code::Interrupted,
                "stopped by the user before the distribution was found",
            )
            .at(self.span, ""),
        }
    }

    /// The diagnostic with the equations underlined whose sum is meant.
    fn of_law(&self, diagnostic: Diagnostic, law: &Law) -> Diagnostic {
        let states = law.terms.iter().map(|(at, _)| *at).take(3);
        states.fold(diagnostic, |diagnostic, at| {
            places::with_equation(diagnostic, self.compiled, at)
        })
    }

    /// `the steady state x = 1, y = 2`
    fn place(&self, state: &[f64]) -> String {
        const MOST: usize = 3;
        let parts: Vec<String> = state
            .iter()
            .enumerate()
            .take(MOST)
            .map(|(at, value)| format!("{} = {}", self.compiled.state_name(at), short(*value)))
            .collect();
        let more = if state.len() > MOST { ", ..." } else { "" };
        format!("the steady state {}{more}", parts.join(", "))
    }

    fn law(&self, law: &Law) -> String {
        let terms: Vec<String> = law
            .terms
            .iter()
            .take(4)
            .map(|(at, weight)| {
                let name = self.compiled.state_name(*at);
                if (weight - 1.0).abs() < 1e-12 {
                    name
                } else {
                    format!("{}*{name}", short(*weight))
                }
            })
            .collect();
        let more = if law.terms.len() > 4 { " + ..." } else { "" };
        format!("`{}{more}`", terms.join(" + "))
    }

    fn source(&self, column: usize) -> (String, Option<Span>) {
        let noise = self.system.noise.as_ref();
        let source = noise.and_then(|noise| noise.columns.get(column));
        let model = &self.compiled.model;
        match source {
            Some(Source::Reaction { reaction, .. }) => {
                let known = model.reactions.get(*reaction);
                let name = known.and_then(|known| known.name.as_ref());
                let what = name.map_or("a reaction".to_owned(), |name| format!("`{name}`"));
                (what, known.map(|known| known.span))
            }
            Some(Source::Wiener { wiener, .. }) => {
                let known = model.wieners.get(*wiener);
                let what = known.map_or(String::new(), |known| format!("`{}'`", known.name));
                (what, known.map(|known| known.span))
            }
            None => ("a source".to_owned(), None),
        }
    }
}

fn short(number: f64) -> String {
    number_text(format!("{number:.4e}").parse().unwrap_or(number))
}

fn pair(value: Eigenvalue) -> String {
    if value.imaginary == 0.0 {
        short(value.real)
    } else {
        format!("{} ± {}i", short(value.real), short(value.imaginary))
    }
}
