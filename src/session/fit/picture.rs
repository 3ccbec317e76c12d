//! `plot fit`, `plot residuals`, `plot waterfall`: the pictures of the last fit.
//!
//! Enters: the answers of a fit. Leaves: sheets of figures (curves.rs and residuals.rs make them).
//! Must not know how they are drawn.

use super::super::command::{LogAxis, Plot};
use super::super::compiled::Compiled;
use super::super::lower::word_of;
use super::super::outcome::{Outcome, Performed};
use super::super::{Session, done};
use super::answer::FitAnswer;
use super::{curves, residuals};
use crate::diagnostic::{Code, Diagnostic};
use crate::figure::{Scale, Sheet};
use crate::source::Span;
use crate::world::World;
use std::path::PathBuf;
use std::sync::Arc;

/// A picture of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitPicture {
    /// The model over its data.
    Fit,
    /// Where each datum stands in its distribution.
    Residuals,
    /// What every start came to.
    Waterfall,
}

impl FitPicture {
    /// All with their words after `plot`.
    pub const WORDS: &'static [(&'static str, FitPicture)] = &[
        ("fit", FitPicture::Fit),
        ("residuals", FitPicture::Residuals),
        ("waterfall", FitPicture::Waterfall),
    ];

    /// The one that a `plot` asks for: its word stands alone, and the model has no such name.
    pub(in crate::session) fn asked(compiled: &Compiled, plot: &Plot) -> Option<FitPicture> {
        let [subject] = plot.curves.as_slice() else {
            return None;
        };
        let word = word_of(&subject.value).filter(|_| subject.versus.is_none())?;
        if compiled.model.names.get(&word.text).is_some() {
            return None;
        }
        let known = FitPicture::WORDS
            .iter()
            .find(|(known, _)| *known == word.text);
        known.map(|(_, picture)| *picture)
    }

    fn word(self) -> &'static str {
        let known = FitPicture::WORDS
            .iter()
            .find(|(_, picture)| *picture == self);
        known.map_or("", |(word, _)| word)
    }
}

/// What can be refused of a `plot` of a fit before there is one.
pub(in crate::session) fn check(picture: FitPicture, plot: &Plot) -> Result<(), Vec<Diagnostic>> {
    let word = picture.word();
    if let Some(data) = &plot.data {
        return Err(vec![
            Diagnostic::new(
                Code::BadOption,
                format!("`plot {word}` draws the data of the fit"),
            )
            .at(data.path.span, "these are others")
            .help(format!("remove `over`, as in `plot {word}`")),
        ]);
    }
    if !plot.log.is_empty() && picture != FitPicture::Fit {
        return Err(vec![
            Diagnostic::new(
                Code::BadOption,
                format!("`plot {word}` has axes of its own"),
            )
            .at(plot.span, "")
            .help("remove `log`"),
        ]);
    }
    Ok(())
}

/// There is no fit to be drawn or reported.
pub(in crate::session) fn nothing_fitted(span: Span) -> Vec<Diagnostic> {
    vec![
        Diagnostic::new(Code::NothingYet, "nothing has been fitted before this")
            .at(span, "")
            .help("as in `fit k to \"data.csv\"`"),
    ]
}

/// The panels of a picture of fits: of one, or of one for each subject.
pub(super) fn sheet(picture: FitPicture, answers: &[Arc<FitAnswer>], world: &dyn World) -> Sheet {
    Sheet {
        title: String::new(),
        panels: match picture {
            FitPicture::Fit => curves::panels(answers, world),
            FitPicture::Residuals => residuals::panels(answers),
            FitPicture::Waterfall => residuals::waterfalls(answers),
        },
    }
}

impl Session {
    /// The answers of the last `fit`.
    pub(super) fn need_fits(&self, span: Span) -> Result<&[Arc<FitAnswer>], Vec<Diagnostic>> {
        self.need_model()?;
        match self.fits.as_slice() {
            [] => Err(nothing_fitted(span)),
            fits => Ok(fits),
        }
    }

    pub(in crate::session) fn plot_fit(
        &self,
        picture: FitPicture,
        plot: &Plot,
    ) -> Result<Performed, Vec<Diagnostic>> {
        check(picture, plot)?;
        let answers = self.need_fits(plot.span)?;
        if picture == FitPicture::Waterfall && answers.iter().all(|one| one.findings.all.len() < 2)
        {
            return Err(vec![
                Diagnostic::new(Code::NothingYet, "the last fit had a single start")
                    .at(plot.span, "")
                    .help("search from several, as in `starts 20`, with bounds for what is fitted"),
            ]);
        }
        let mut sheet = sheet(picture, answers, &*self.world);
        sheet.title = plot.title.clone().unwrap_or_default();
        for panel in &mut sheet.panels {
            for axis in &plot.log {
                match axis {
                    LogAxis::X => panel.x.scale = Scale::Logarithmic,
                    LogAxis::Y => panel.y.scale = Scale::Logarithmic,
                }
            }
        }
        let to = plot.to.as_ref().map(|text| PathBuf::from(&text.text));
        Ok(done(shown(sheet, to)))
    }
}

/// A lone panel is a figure.
fn shown(mut sheet: Sheet, to: Option<PathBuf>) -> Outcome {
    match sheet.panels.as_mut_slice() {
        [only] => {
            let mut figure = std::mem::take(only);
            if !sheet.title.is_empty() {
                figure.title = sheet.title;
            }
            Outcome::Figure { figure, to }
        }
        _ => Outcome::Sheet { sheet, to },
    }
}
