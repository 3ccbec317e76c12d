//! What performing a command gives: data, never text.

use super::command::{Form, Topic};
use super::compiled::Compiled;
use super::continuation::DrawnDiagram;
use super::correlation::CorrelationAnswer;
use super::ensemble::Ensemble;
use super::equilibria::EquilibriaAnswer;
use super::explain::Explained;
use super::jacobian::JacobianAnswer;
use super::measure::MeasuredRun;
use super::portrait::PortraitAnswer;
use super::sensitivity::Sensitivities;
use super::stability::{OscillationAnswer, RowsAnswer, StabilityAnswer};
use super::stationary::StationaryAnswer;
use super::steady::SteadyAnswer;
use super::sweep::DrawnSweep;
use super::trajectory::Trajectory;
use crate::diagnostic::Diagnostic;
use crate::figure::{Figure, HeatMap, Matrix, Sheet};
use std::path::PathBuf;
use std::sync::Arc;

/// The result of a command with what was noticed on the way. A partial result comes with the
/// diagnostic that says where it stopped and why.
#[derive(Debug, Clone)]
pub struct Performed {
    /// The result, as far as it got.
    pub outcome: Outcome,
    /// Warnings, or the error that made it partial.
    pub diagnostics: Vec<Diagnostic>,
}

impl Performed {
    /// True without errors.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// A file made of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    /// A table was written.
    Table {
        /// Where.
        path: PathBuf,
        /// How many rows.
        rows: usize,
        /// How many columns, time included.
        columns: usize,
    },
    /// A heat map, drawn by whoever shows it.
    HeatMap {
        /// What it shows.
        map: HeatMap,
        /// The file to draw into.
        to: PathBuf,
    },
}

/// The names of the rows and of the columns of a matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sides {
    /// Members of an index set, or numbers from 1 on.
    pub rows: Vec<String>,
    /// The same of columns.
    pub columns: Vec<String>,
}

/// The kinds of results.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A run.
    Simulated(Arc<Trajectory>),
    /// Numbers taken from runs, one entry for each.
    Measured(Vec<MeasuredRun>),
    /// A steady state.
    Steady(Arc<SteadyAnswer>),
    /// What happens near an equilibrium.
    Stability(Arc<StabilityAnswer>),
    /// What happens near every equilibrium in a box of states.
    StabilityAll(Arc<EquilibriaAnswer>),
    /// What a model can do in a box of parameters.
    Oscillation(Arc<OscillationAnswer>),
    /// The linear parts at every row of a table.
    Rows {
        /// All of them.
        answer: Arc<RowsAnswer>,
        /// The table that was written.
        made: Option<Made>,
        /// The file for JSON, written by whoever shows it.
        json: Option<PathBuf>,
    },
    /// A stationary distribution.
    Stationary {
        /// What is known of it.
        answer: Arc<StationaryAnswer>,
        /// Autocorrelations and spectra, with the file to draw them into.
        figure: Option<(Sheet, PathBuf)>,
    },
    /// A Jacobian as numbers.
    Jacobian {
        /// The matrix with its names.
        answer: Arc<JacobianAnswer>,
        /// What is made of it besides.
        made: Option<Made>,
    },
    /// Every steady state in a box.
    Equilibria(Arc<EquilibriaAnswer>),
    /// Branches of steady states over a parameter.
    Diagram(Box<DrawnDiagram>),
    /// Many paths of a model with noise, summed up.
    Ensemble(Arc<Ensemble>),
    /// How the rows of a run hang together over time.
    Correlation {
        /// The numbers.
        answer: Arc<CorrelationAnswer>,
        /// The same as a figure.
        figure: Figure,
        /// The file to draw into; the terminal when absent.
        to: Option<PathBuf>,
    },
    /// A fit, or one for each subject.
    Fitted(Vec<Arc<super::fit::FitAnswer>>),
    /// Matrices from cells that are each seen once.
    FittedAtRest(Arc<super::fit::AtRestAnswer>),
    /// How the last fit of cells at rest was computed.
    FitAtRestExplained(Arc<super::fit::AtRestAnswer>),
    /// Profiles of a fit, drawn by whoever shows them.
    Profiled(Arc<super::fit::ProfileAnswer>),
    /// A posterior distribution.
    Sampled(Arc<super::fit::PosteriorAnswer>),
    /// A linear model of perturbations.
    Factored(Arc<super::factored::FactoredAnswer>),
    /// How the last model of perturbations was solved.
    FactoredExplained(Arc<super::factored::FactoredAnswer>),
    /// What it says of perturbations.
    Predicted(Arc<super::factored::PredictionAnswer>),
    /// Lines through extreme cells.
    Velocity(Arc<super::velocity::VelocityAnswer>),
    /// How the last lines were found.
    VelocityExplained(Arc<super::velocity::VelocityAnswer>),
    /// How the last fit was computed.
    FitExplained(Arc<super::fit::Explanation>),
    /// A fit of many data sets drawn from it.
    Bootstrapped(Arc<super::fit::BootstrapAnswer>),
    /// Many runs, each with other values.
    Swept(Box<DrawnSweep>),
    /// A run for each subject, in the order of the tables.
    SimulatedEach(Vec<Arc<Trajectory>>),
    /// A phase plane or line, or several, drawn by whoever shows it.
    Portrait(Arc<PortraitAnswer>),
    /// A figure, drawn by whoever shows it.
    Figure {
        /// What it shows.
        figure: Figure,
        /// The file to draw into; the terminal when absent.
        to: Option<PathBuf>,
    },
    /// Several figures on one sheet, drawn by whoever shows it.
    Sheet {
        /// What it shows.
        sheet: Sheet,
        /// The file to draw into; the terminal when absent.
        to: Option<PathBuf>,
    },
    /// Quantities in pairs, drawn by whoever shows them.
    Matrix {
        /// What it shows.
        matrix: Matrix,
        /// The file to draw into; the terminal when absent.
        to: Option<PathBuf>,
    },
    /// The last fit as a page, written by whoever shows it.
    FitPage {
        /// All that it tells.
        report: Box<super::fit::FitReport>,
        /// The file to write.
        to: PathBuf,
    },
    /// The numbers of the last fit, written by whoever shows it.
    FitNumbers {
        /// The fit, or one for each subject.
        answers: Vec<Arc<super::fit::FitAnswer>>,
        /// What was asked of it since.
        inferred: Box<super::fit::Inferred>,
        /// The file to write.
        to: PathBuf,
    },
    /// Derivatives of a run.
    Sensitivities {
        /// All of them, with what they say.
        result: Arc<Sensitivities>,
        /// What is made of them besides.
        made: Option<Made>,
    },
    /// A table was written.
    Saved {
        /// Where.
        path: PathBuf,
        /// How many rows.
        rows: usize,
        /// How many columns, time included.
        columns: usize,
    },
    /// A copy of an AnnData file was written, with results in it.
    Annotated {
        /// Where.
        path: PathBuf,
        /// How many cells.
        cells: usize,
        /// How many genes.
        genes: usize,
        /// Where each result is found, as in `varp["A"]`.
        added: Vec<String>,
    },
    /// Something of the model to be shown.
    Shown {
        /// The model.
        compiled: Arc<Compiled>,
        /// Which part.
        topic: Topic,
        /// In which form.
        form: Form,
        /// Present parameter values.
        parameters: Vec<f64>,
        /// Present initial values.
        initial: Vec<f64>,
        /// How a run from here would be made, when that is asked for.
        method: Option<super::method::MethodAdvice>,
    },
    /// A value was set.
    Set {
        /// What was set.
        name: String,
        /// What it was.
        before: Vec<f64>,
        /// What it is now.
        now: Vec<f64>,
        /// True for an initial value while there is a run that did not start from it.
        at_start: bool,
    },
    /// The value of an expression.
    Value {
        /// As written.
        label: String,
        /// Its numbers, of a matrix column by column.
        numbers: Vec<f64>,
        /// What the rows and columns of a matrix are called.
        matrix: Option<Sides>,
        /// True when they mean a condition.
        is_condition: bool,
    },
    /// An assertion holds.
    Holds(String),
    /// A model was loaded.
    Loaded {
        /// From where.
        path: PathBuf,
        /// The model.
        compiled: Arc<Compiled>,
    },
    /// Values are as declared; results are forgotten.
    Reset,
    /// The model grew.
    Declared(Declared),
    /// A step was taken back.
    Undone(Undone),
    /// The session was written into a file.
    SavedSession {
        /// Where.
        path: PathBuf,
        /// How many sentences and assignments it performs.
        sentences: usize,
    },
    /// Help is wanted, on a word or in general.
    Help(Option<String>),
    /// The pages of diagnostics are wanted; the kinds of codes when it is none.
    Explained(Vec<Explained>),
    /// The lines typed so far.
    History(Vec<String>),
    /// The session ends.
    Quit,
}

/// What declarations at the prompt came to.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// The model with them, unless it waits.
    pub compiled: Option<Arc<Compiled>>,
    /// Statements whose place they took, as written.
    pub replaced: Vec<String>,
    /// The declared quantities, as far as they have a value now.
    pub values: Vec<(String, Vec<f64>)>,
    /// States that wait for their equations; the model is as before until these come.
    pub waiting: Vec<String>,
    /// The last runs were of the model before and are forgotten.
    pub forgot_runs: bool,
}

/// A step that was taken back.
#[derive(Debug, Clone, PartialEq)]
pub enum Undone {
    /// An assignment.
    Set {
        /// What was set.
        name: String,
        /// To what.
        was: Vec<f64>,
        /// What it is again.
        again: Vec<f64>,
    },
    /// `reset`
    Reset,
    /// `fit`: its estimates no longer hold.
    Fitted,
    /// A declaration, as written.
    Declared(String),
    /// `load` or `reload`; the model before, if there was one.
    Loaded(Option<PathBuf>),
}

impl Undone {
    /// True when the model stayed as it was.
    #[must_use]
    pub fn is_of_values(&self) -> bool {
        matches!(self, Undone::Set { .. } | Undone::Reset | Undone::Fitted)
    }
}
