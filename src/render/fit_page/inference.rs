//! What was asked of a fit besides its estimates, on its page: posterior, profiles, bootstrap.
//!
//! Enters: a report. Leaves: sections of a page, each with its figures.

use super::{DIGITS, Page};
use crate::diagnostic::listed;
use crate::render::figure::FigureError;
use crate::render::inference;
use crate::render::outcome::counted;
use crate::render::table::number;
use crate::session::fit::{
    BootstrapAnswer, FitAnswer, FitPicture, FitReport, LEVEL, PosteriorAnswer, ProfileAnswer, Side,
};
use std::sync::Arc;

impl Page {
    /// All sections about what was asked.
    ///
    /// # Errors
    /// A figure that cannot be drawn.
    pub(super) fn inferred(&mut self, report: &FitReport) -> Result<(), FigureError> {
        if let Some(answer) = &report.inferred.posterior {
            self.element("h2", "Posterior distribution");
            self.posterior(answer);
            self.pictures(report, FitPicture::Traces)?;
            if report.inferred.bootstrap.is_none() {
                self.pictures(report, FitPicture::Pairs)?;
            }
        }
        if !report.inferred.profiles.is_empty() {
            self.element("h2", "Profiles of the likelihood");
            self.profiles(&report.inferred.profiles);
            self.pictures(report, FitPicture::Profiles)?;
        }
        if let Some(answer) = &report.inferred.bootstrap {
            self.element("h2", "Bootstrap");
            self.bootstrap(answer);
            self.pictures(report, FitPicture::Pairs)?;
        }
        Ok(())
    }

    fn posterior(&mut self, answer: &PosteriorAnswer) {
        self.lead(&inference::headline_of_posterior(answer));
        if answer.has_mixed() {
            self.element("p", "The chains agree, and no trajectory diverged.");
        }
        let head = [
            "", "mean", "sd", "2.5 %", "median", "97.5 %", "R-hat", "ESS", "ESS tail",
        ];
        let rows = answer.marginals.iter().enumerate().map(|(at, own)| {
            vec![
                named(&answer.fit, at),
                number(own.mean, DIGITS),
                number(own.sd, 4),
                number(own.low, DIGITS),
                number(own.median, DIGITS),
                number(own.high, DIGITS),
                format!("{:.3}", own.rhat),
                number(own.bulk_size.round(), DIGITS),
                number(own.tail_size.round(), DIGITS),
            ]
        });
        self.table(&head, rows);
        self.element("p", &inference::how_of_posterior(answer));
        self.element("p", "R-hat compares chains: up to 1.01 they agree. ESS is how many independent draws theirs are worth, for the middle and for the ends of intervals: 400 are enough.");
    }

    fn profiles(&mut self, answers: &[Arc<ProfileAnswer>]) {
        self.lead("Between its limits a quantity can be held, and the others fitted again, without a loss of likelihood beyond chance (95 %).");
        let head = ["", "estimate", "lower limit", "upper limit", ""];
        let each = answers
            .iter()
            .flat_map(|answer| answer.profiles.iter().map(move |profile| (answer, profile)));
        let rows = each.map(|(answer, profile)| {
            let fit = &answer.fit;
            let sides = [
                (Side::Lower, &profile.lower, "below"),
                (Side::Upper, &profile.upper, "above"),
            ];
            let mut words = Vec::new();
            for (side, end, word) in sides {
                if inference::is_open(end) {
                    words.push(format!("not identifiable {word}"));
                }
                let held = answer.held(profile, side);
                if !held.is_empty() {
                    words.push(format!("limit {word} by a bound of {}", listed(&held)));
                }
            }
            vec![
                named(fit, profile.parameter),
                fit.estimates
                    .get(profile.parameter)
                    .map_or_else(String::new, |value| number(*value, DIGITS)),
                inference::end(&profile.lower),
                inference::end(&profile.upper),
                words.join("; "),
            ]
        });
        self.table(&head, rows);
    }

    fn bootstrap(&mut self, answer: &BootstrapAnswer) {
        let found = &answer.bootstrap;
        let failed = match found.failed.len() {
            0 => String::new(),
            failed => format!(", {failed} of which could not be fitted"),
        };
        self.lead(&format!(
            "{}{failed} (seed {}).",
            counted(
                found.estimates.len() + found.failed.len(),
                "data set drawn from the fitted model and fitted again",
                "data sets drawn from the fitted model and fitted again"
            ),
            answer.seed
        ));
        let head = [
            "",
            "estimate",
            "std. error",
            "2.5 %",
            "97.5 %",
            "std. error of the fit",
        ];
        let rows = (0..answer.fit.fitted.len()).map(|at| {
            let (low, high) = found.interval(at, LEVEL);
            let of = |numbers: &[f64]| numbers.get(at).copied().unwrap_or(f64::NAN);
            vec![
                named(&answer.fit, at),
                number(of(&answer.fit.estimates), DIGITS),
                number(found.error(at), DIGITS),
                number(low, DIGITS),
                number(high, DIGITS),
                number(of(&answer.fit.errors), DIGITS),
            ]
        });
        self.table(&head, rows);
    }
}

fn named(fit: &FitAnswer, at: usize) -> String {
    crate::render::fit::name(fit, at)
}
