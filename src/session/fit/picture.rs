//! `plot fit`, `plot residuals`, `plot pairs` and the like: the pictures of the last fit.
//!
//! Enters: the answers of a fit. Leaves: figures (curves.rs, residuals.rs and pairs.rs make them).
//! Must not know how they are drawn.

use super::super::command::{LogAxis, Plot};
use super::super::compiled::Compiled;
use super::super::lower::word_of;
use super::super::outcome::{Outcome, Performed};
use super::super::{Session, done};
use super::GeneFit;
use super::answer::FitAnswer;
use super::draws::Inferred;
use super::{curves, pairs, residuals};
use crate::diagnostic::{Code, Diagnostic};
use crate::figure::{Matrix, Scale, Sheet};
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
    /// The draws of a posterior one after the other.
    Traces,
    /// Draws, two quantities against each other.
    Pairs,
    /// How the likelihood falls.
    Profiles,
}

/// What a picture needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::session) enum Need {
    Fit,
    Posterior,
    Draws,
    Profiles,
    /// Lines through extreme cells.
    Lines,
    /// A model of perturbations.
    Factors,
    /// A fit of any kind.
    Any,
}

/// What sentences before this one have made.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::session) struct Possible {
    pub fit: bool,
    pub posterior: bool,
    pub bootstrap: bool,
    pub profiles: bool,
    pub lines: bool,
    pub factors: bool,
}

impl Possible {
    /// Everything: for what is not known.
    pub const ALL: Possible = Possible {
        fit: true,
        posterior: true,
        bootstrap: true,
        profiles: true,
        lines: true,
        factors: true,
    };

    /// What a fit leaves.
    pub fn fitted(is_posterior: bool) -> Possible {
        Possible {
            fit: true,
            posterior: is_posterior,
            ..Possible::default()
        }
    }

    /// What a fit of lines leaves.
    pub fn lines() -> Possible {
        Possible {
            lines: true,
            ..Possible::default()
        }
    }

    /// # Errors
    /// What is missing.
    pub fn has(self, need: Need, span: Span) -> Result<(), Vec<Diagnostic>> {
        let (is_there, message, help) = match need {
            Need::Any if self.lines || self.factors => return Ok(()),
            Need::Lines if self.lines => return Ok(()),
            Need::Factors if self.factors => return Ok(()),
            Need::Factors => return Err(vec![super::super::factored::nothing_to_predict(span)]),
            Need::Lines => return Err(vec![super::super::velocity::no_lines(span)]),
            _ if !self.fit && self.lines => (
                false,
                "the last fit is one of lines through extreme cells",
                "`save lines to \"genes.csv\"`, `save velocity to \"out.h5ad\"` and `plot u[gene] vs s[gene]` are of lines",
            ),
            _ if !self.fit && self.factors => (
                false,
                "the last fit is one of a model of perturbations",
                "`predict Sox2` and `explain fit` are of such a model",
            ),
            _ if !self.fit => return Err(nothing_fitted(span)),
            Need::Fit | Need::Any => (true, "", ""),
            Need::Posterior => (
                self.posterior,
                "no posterior has been drawn before this",
                "as in `fit to \"data.csv\" using nuts`, with `observe` and priors",
            ),
            Need::Draws => (
                self.posterior || self.bootstrap,
                "there are no draws before this",
                "`fit ... using nuts` draws from the posterior, and `bootstrap 500` fits drawn data",
            ),
            Need::Profiles => (
                self.profiles,
                "nothing has been profiled before this",
                "as in `profile k`, after a fit",
            ),
        };
        match is_there {
            true => Ok(()),
            false => Err(vec![
                Diagnostic::new(Code::NothingYet, message)
                    .at(span, "")
                    .help(help),
            ]),
        }
    }
}

impl FitPicture {
    /// All with their words after `plot`.
    pub const WORDS: &'static [(&'static str, FitPicture)] = &[
        ("fit", FitPicture::Fit),
        ("residuals", FitPicture::Residuals),
        ("waterfall", FitPicture::Waterfall),
        ("traces", FitPicture::Traces),
        ("pairs", FitPicture::Pairs),
        ("profiles", FitPicture::Profiles),
    ];

    /// What must have been made before it.
    pub(in crate::session) fn need(self) -> Need {
        match self {
            FitPicture::Fit | FitPicture::Residuals | FitPicture::Waterfall => Need::Fit,
            FitPicture::Traces => Need::Posterior,
            FitPicture::Pairs => Need::Draws,
            FitPicture::Profiles => Need::Profiles,
        }
    }

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

/// A picture as it is drawn.
#[derive(Debug, Clone)]
pub enum Drawn {
    /// Panels below and beside each other.
    Sheet(Sheet),
    /// Panels that share their axes.
    Matrix(Matrix),
}

impl Drawn {
    /// True when there is nothing to be seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Drawn::Sheet(sheet) => sheet.panels.is_empty(),
            Drawn::Matrix(matrix) => matrix.rows.is_empty(),
        }
    }
}

/// A picture of fits: of one, or of one for each subject.
pub(super) fn drawn(
    picture: FitPicture,
    (answers, inferred): (&[Arc<FitAnswer>], &Inferred),
    world: &dyn World,
) -> Drawn {
    let panels = match picture {
        FitPicture::Fit => curves::panels(answers, inferred.draws().as_ref(), world),
        FitPicture::Residuals => residuals::panels(answers),
        FitPicture::Waterfall => residuals::waterfalls(answers),
        FitPicture::Traces => {
            let posterior = inferred.posterior.as_deref();
            return Drawn::Sheet(posterior.map(pairs::traces).unwrap_or_default());
        }
        FitPicture::Pairs => {
            let draws = inferred.draws();
            return Drawn::Matrix(draws.as_ref().map(pairs::pairs).unwrap_or_default());
        }
        FitPicture::Profiles => {
            let known = inferred.profiles.iter();
            known.flat_map(|one| one.sheet.panels.clone()).collect()
        }
    };
    Drawn::Sheet(Sheet {
        panels,
        ..Sheet::default()
    })
}

impl Session {
    /// The answers of the last `fit`.
    pub(super) fn need_fits(&self, span: Span) -> Result<&[Arc<FitAnswer>], Vec<Diagnostic>> {
        self.need_model()?;
        self.possible().has(Need::Fit, span)?;
        Ok(&self.fits)
    }

    /// What has been made.
    pub(in crate::session) fn possible(&self) -> Possible {
        Possible {
            fit: !self.fits.is_empty(),
            posterior: self.inferred.posterior.is_some(),
            bootstrap: self.inferred.bootstrap.is_some(),
            profiles: !self.inferred.profiles.is_empty(),
            lines: matches!(self.genes, Some(GeneFit::Lines(_))),
            factors: matches!(self.genes, Some(GeneFit::Factored(_))),
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
        self.possible().has(picture.need(), plot.span)?;
        let to = plot.to.as_ref().map(|text| PathBuf::from(&text.text));
        let mut sheet = match drawn(picture, (answers, &self.inferred), &*self.world) {
            Drawn::Sheet(sheet) => sheet,
            Drawn::Matrix(mut matrix) => {
                if let Some(title) = &plot.title {
                    matrix.title.clone_from(title);
                }
                return Ok(done(Outcome::Matrix { matrix, to }));
            }
        };
        if let Some(title) = &plot.title {
            sheet.title.clone_from(title);
        }
        for panel in &mut sheet.panels {
            for axis in &plot.log {
                match axis {
                    LogAxis::X => panel.x.scale = Scale::Logarithmic,
                    LogAxis::Y => panel.y.scale = Scale::Logarithmic,
                }
            }
        }
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
