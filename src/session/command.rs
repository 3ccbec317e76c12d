//! What a sentence asks for, with its words understood and its options sorted.

use super::explain::Explained;
use super::factored::Predict;
use super::fit::{BootstrapCommand, Fit, FitAtRest, ProfileCommand, Report};
use super::measure::Measures;
use super::ranges::Ranged;
use super::sweep::{Design, Sweep};
use crate::model::Direction;
use crate::simulate::Method;
use crate::source::Span;
use crate::syntax::tree;

/// A sentence ready to be performed. Expressions stay as written: they are evaluated with the
/// values that hold when the command runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `simulate 0..100 step 0.1`
    Simulate(Box<Simulate>),
    /// `phase x, y`, `nullclines x, y`
    Portrait(Box<Portrait>),
    /// `plot prey, predator over "lynx_hare.csv"`
    Plot(Plot),
    /// `save "out.csv"`
    Save(Save),
    /// `correlation x, y vs x lag 20`
    Correlation(Correlate),
    /// `histogram x at 20`
    Histogram(Histogram),
    /// `measure max(C1), auc(C1, 0..24)`
    Measure(Measures),
    /// `steady in control`
    Steady(Steady),
    /// `stability at x = 1, y = 2`
    Stability(Box<Stability>),
    /// `stability all x in 0..5`
    StabilityAll(SteadyAll),
    /// `jacobian at x = 1`
    Jacobian(Box<Jacobian>),
    /// `steady all x in 0..5, y in 0..3`
    SteadyAll(SteadyAll),
    /// `stationary x, y at 0.5, 1`
    Stationary(Box<Stationary>),
    /// `continue a in 0.2..0.8`
    Continue(Box<Continue>),
    /// `sweep alpha in 0..2 points 200 of max(prey)`
    Sweep(Box<Sweep>),
    /// Parameters from data.
    Fit(Box<Fit>),
    /// Matrices from cells that are each seen once.
    FitAtRest(Box<FitAtRest>),
    /// How the best likelihood falls as a fitted quantity is held elsewhere.
    Profile(ProfileCommand),
    /// The last fit for data that its own model makes.
    Bootstrap(BootstrapCommand),
    /// `report "fit.html"`
    Report(Report),
    /// `explain fit`; the whole sentence.
    ExplainFit(Span),
    /// `sensitivity conc by ka, CL`
    Sensitivity(Sensitivity),
    /// `show equations as latex`
    Show {
        /// What is shown.
        topic: Topic,
        /// In which form.
        form: Form,
        /// Values that hold for what is shown.
        setting: Setting,
    },
    /// `alpha = 0.9`
    Set {
        /// What is set.
        target: tree::Reference,
        /// To what.
        value: tree::Expr,
    },
    /// Statements of a model file: the model grows by them.
    Declare(Vec<tree::Statement>),
    /// `predict Sox2`
    Predict(Predict),
    /// `save session "today.lotka"`
    SaveSession(SaveSession),
    /// A bare expression, evaluated at the present state.
    Evaluate(tree::Expr),
    /// `assert total < 1e6`, at the present state.
    Assert(tree::Expr),
    /// `load "model.lotka"`
    Load(String),
    /// `reload`
    Reload,
    /// `reset`: declared values, no results.
    Reset,
    /// `undo`: as it was before the last assignment, declaration, `reset` or `load`.
    Undo,
    /// `help`, `help simulate`
    Help(Option<String>),
    /// `explain E0107`, `explain`
    Explain(Vec<Explained>),
    /// `history`
    History,
    /// `quit`
    Quit,
}

impl Command {
    /// The data files that it reads.
    pub fn reads(&self) -> impl Iterator<Item = tree::Text> {
        let (data, starts) = match self {
            Command::Plot(plot) => (plot.data.as_ref(), None),
            Command::Sweep(sweep) => match &sweep.design {
                Design::Table(source) => (Some(source), None),
                _ => (None, None),
            },
            Command::Fit(fit) => (Some(&fit.data), fit.table_of_starts()),
            Command::FitAtRest(fit) => (Some(&fit.data), None),
            _ => (None, None),
        };
        let data = data.map(|data| data.path.clone());
        let rows = match self {
            Command::Stability(command) => match &command.about {
                About::Rows(rows) => Some(rows.file.clone()),
                _ => None,
            },
            _ => None,
        };
        data.into_iter().chain(starts).chain(rows)
    }

    /// The file of data that it writes.
    pub fn writes(&self) -> impl Iterator<Item = &tree::Text> {
        let file = match self {
            Command::Save(_) | Command::Sweep(_) | Command::Stability(_) | Command::Predict(_) => {
                self.output()
            }
            _ => None,
        };
        file.into_iter()
    }

    /// The file for its answer: a figure, a table or a page. What a later one goes on from, a saved
    /// session or a checkpoint, is none.
    pub fn output(&self) -> Option<&tree::Text> {
        match self {
            Command::Plot(plot) => plot.to.as_ref(),
            Command::Save(save) => Some(&save.path),
            Command::Report(report) => Some(&report.path),
            Command::Predict(predict) => predict.to.as_ref(),
            Command::Portrait(portrait) => portrait.to.as_ref(),
            Command::Correlation(correlation) => correlation.to.as_ref(),
            Command::Histogram(histogram) => histogram.to.as_ref(),
            Command::Jacobian(jacobian) => jacobian.to.as_ref(),
            Command::Stationary(stationary) => stationary.to.as_ref(),
            Command::Continue(branches) => branches.to.as_ref(),
            Command::Sweep(sweep) => sweep.to.as_ref(),
            Command::Profile(profile) => profile.to.as_ref(),
            Command::Sensitivity(sensitivity) => sensitivity.to.as_ref(),
            Command::Stability(stability) => match &stability.about {
                About::Rows(rows) => rows.to.as_ref(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Where it stands, of a sentence that may give an output.
    pub fn span(&self) -> Option<Span> {
        Some(match self {
            Command::Simulate(command) => command.span,
            Command::Portrait(command) => command.span,
            Command::Plot(command) => command.span,
            Command::Save(command) => command.span,
            Command::Correlation(command) => command.span,
            Command::Histogram(command) => command.span,
            Command::Measure(command) => command.span,
            Command::Steady(command) => command.span,
            Command::Stability(command) => command.span,
            Command::StabilityAll(command) | Command::SteadyAll(command) => command.span,
            Command::Jacobian(command) => command.span,
            Command::Stationary(command) => command.span,
            Command::Continue(command) => command.span,
            Command::Sweep(command) => command.span,
            Command::Fit(command) => command.span,
            Command::FitAtRest(command) => command.span,
            Command::Profile(command) => command.span,
            Command::Bootstrap(command) => command.span,
            Command::Report(command) => command.span,
            Command::Predict(command) => command.span,
            Command::Sensitivity(command) => command.span,
            _ => return None,
        })
    }
}

/// A simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulate {
    /// The whole sentence.
    pub span: Span,
    /// First time shown; the model's start when absent.
    pub from: Option<tree::Expr>,
    /// Last time.
    pub to: tree::Expr,
    /// Which times are kept.
    pub output: OutputTimes,
    /// The method asked for.
    pub method: Method,
    /// Relative tolerance.
    pub relative: Option<tree::Expr>,
    /// Absolute tolerance, for all states.
    pub absolute: Option<tree::Expr>,
    /// Values for this run only.
    pub setting: Setting,
    /// Start from the end of the last run.
    pub from_last: bool,
    /// `from steady in control`: start from the steady state of these values.
    pub from_steady: Option<SteadyStart>,
    /// Whose doses are given.
    pub subjects: Subjects,
    /// What is said of paths and their noise.
    pub chance: super::chance::ChanceWords,
}

/// How the rows of the last run hang together over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlate {
    /// The whole sentence.
    pub span: Span,
    /// Quantities, or pairs of them; all states when empty.
    pub shown: Vec<tree::Subject>,
    /// The longest lag.
    pub lag: Option<tree::Expr>,
    /// Stands above the figure.
    pub title: Option<String>,
    /// The file for the figure or the table.
    pub to: Option<tree::Text>,
}

/// How a quantity is distributed over paths.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The whole sentence.
    pub span: Span,
    /// Quantities; all when empty.
    pub shown: Vec<tree::Expr>,
    /// When; the end when absent.
    pub at: Option<tree::Expr>,
    /// Stands above the figure.
    pub title: Option<String>,
    /// The file for the figure or the table.
    pub to: Option<tree::Text>,
}

/// The search for a steady state.
#[derive(Debug, Clone, PartialEq)]
pub struct Steady {
    /// The whole sentence.
    pub span: Span,
    /// Values for this search only.
    pub setting: Setting,
    /// Search from the end of the last run.
    pub from_last: bool,
}

/// What happens near a state at which the system rests.
#[derive(Debug, Clone, PartialEq)]
pub struct Stability {
    /// The whole sentence.
    pub span: Span,
    /// Which state.
    pub about: About,
    /// Values for this sentence only.
    pub setting: Setting,
}

/// The derivative of the equations by the states.
#[derive(Debug, Clone, PartialEq)]
pub struct Jacobian {
    /// The whole sentence.
    pub span: Span,
    /// `at x = 1, y = 2`: numbers at this state.
    pub at: Option<Vec<tree::Binding>>,
    /// Numbers at the end of the last run.
    pub from_last: bool,
    /// In which form.
    pub form: Form,
    /// The file for a table of the numbers.
    pub to: Option<tree::Text>,
    /// Values for this sentence only; there are numbers then.
    pub setting: Setting,
}

/// Which states a sentence is about.
#[derive(Debug, Clone, PartialEq)]
pub enum About {
    /// The present one when the system rests there, else the one that it goes to.
    Here {
        /// From the end of the last run.
        from_last: bool,
    },
    /// `at x = 1, y = 2`: the one next to these values.
    At(Vec<tree::Binding>),
    /// `over k in 0..2, b in 0..1`: all that are found for parameters of a box.
    Over(Vec<Ranged>),
    /// `over "cells.h5ad" layer "Ms" by cell_type`: every row of a table.
    Rows(Box<Rows>),
}

/// A table of states, and what is wanted of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The file.
    pub file: tree::Text,
    /// The layer of an AnnData file; X when absent.
    pub layer: Option<tree::Text>,
    /// The column of groups.
    pub by: Option<tree::Name>,
    /// Elements of the Jacobian, or the parts that alone are wanted.
    pub of: Vec<tree::Expr>,
    /// The file for a table.
    pub to: Option<tree::Text>,
}

/// The search for all steady states in a box.
#[derive(Debug, Clone, PartialEq)]
pub struct SteadyAll {
    /// The whole sentence.
    pub span: Span,
    /// The box; what it does not say is declared or chosen.
    pub ranges: Vec<Ranged>,
    /// Values for this search only.
    pub setting: Setting,
    /// Take conserved sums and sizes from the end of the last run.
    pub from_last: bool,
}

/// The question about the stationary distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Stationary {
    /// The whole sentence.
    pub span: Span,
    /// States to report; all when empty.
    pub shown: Vec<tree::Expr>,
    /// Lags at which the autocorrelation is reported.
    pub lags: Vec<tree::Expr>,
    /// Values for this answer only.
    pub setting: Setting,
    /// Look for the steady state from the end of the last run.
    pub from_last: bool,
    /// The file for a figure.
    pub to: Option<tree::Text>,
}

/// Branches of steady states as a parameter moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Continue {
    /// The whole sentence.
    pub span: Span,
    /// The parameter, or an element of one.
    pub parameter: tree::Reference,
    /// Where it moves; its declared bounds when absent.
    pub range: Option<super::ranges::Range>,
    /// What is drawn above the parameter; the first state when absent.
    pub shown: Option<tree::Expr>,
    /// From every steady state at the present value, not from one alone.
    pub all: bool,
    /// How many steps of a map an orbit takes to close.
    pub period: Option<tree::Expr>,
    /// The most points of one branch.
    pub points: Option<tree::Expr>,
    /// Axes on a logarithmic scale.
    pub log: Vec<LogAxis>,
    /// Values for this sentence only.
    pub setting: Setting,
    /// Start from the end of the last run.
    pub from_last: bool,
    /// Stands above the figure.
    pub title: Option<String>,
    /// The file for the figure or the table.
    pub to: Option<tree::Text>,
}

/// The steady state where a run starts.
#[derive(Debug, Clone, PartialEq)]
pub struct SteadyStart {
    /// `from steady in control`
    pub span: Span,
    /// The condition that it holds in; the values of `with` are those of the run.
    pub setting: Setting,
}

/// Which subjects of the dose tables a simulation runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Subjects {
    /// Nothing is said: there must be one at most.
    #[default]
    Unsaid,
    /// `subject 3`, `subject A1`, `subject "A 1"`
    One(tree::Name),
    /// `by subject`: each in a run of its own.
    Each(Span),
}

/// `with k = 3 in knockout`
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Setting {
    /// Values that replace the present ones.
    pub with: Vec<tree::Binding>,
    /// A condition, whose values hold before those of `with`.
    pub condition: Option<tree::Name>,
}

/// Which times a simulation keeps.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputTimes {
    /// Every step of the solver, with points between so that curves are smooth.
    Steps,
    /// `step 0.1`
    Spacing(tree::Expr),
    /// `points 501`
    Points(tree::Expr),
    /// `at 0.5, 1, 2`
    At(Vec<tree::Expr>),
    /// `when x == 1 rising`: no times but moments, those at which an event would happen.
    When(When),
}

/// What the moments of a section have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    /// From `when` to the direction.
    pub span: Span,
    /// What becomes true.
    pub condition: tree::Expr,
    /// Which change of it counts.
    pub direction: Direction,
}

/// The plane of two states, or the line of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Portrait {
    /// The whole sentence.
    pub span: Span,
    /// What is drawn.
    pub kind: PortraitKind,
    /// The horizontal state, and the vertical one, with their ranges; those of the model when
    /// empty.
    pub axes: Vec<Ranged>,
    /// A portrait for each of several values of a parameter.
    pub over: Option<Series>,
    /// Values for this portrait only.
    pub setting: Setting,
    /// Stands above the figure.
    pub title: Option<String>,
    /// The file to draw into; the terminal when absent.
    pub to: Option<tree::Text>,
}

/// What is drawn in a plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortraitKind {
    /// Nullclines, the direction of the flow, and fixed points.
    Nullclines,
    /// These with trajectories, manifolds and limit cycles.
    Phase,
}

impl PortraitKind {
    /// The word of the sentence.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            PortraitKind::Nullclines => "nullclines",
            PortraitKind::Phase => "phase",
        }
    }
}

/// `over a = 0.3, 0.5` or `over a in 0.3..0.7 points 3`
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The whole option.
    pub span: Span,
    /// The parameter.
    pub name: tree::Reference,
    /// Its values.
    pub values: SeriesValues,
}

/// The values of a series, still as written.
#[derive(Debug, Clone, PartialEq)]
pub enum SeriesValues {
    /// One after the other.
    Listed(Vec<tree::Expr>),
    /// At even distances.
    Even {
        /// The first.
        low: Box<tree::Expr>,
        /// The last.
        high: Box<tree::Expr>,
        /// How many; four when absent.
        points: Option<Box<tree::Expr>>,
    },
}

/// A figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// The whole sentence.
    pub span: Span,
    /// What is drawn, and against what if not time. All states when empty.
    pub curves: Vec<tree::Subject>,
    /// Data drawn as points over the curves.
    pub data: Option<DataSource>,
    /// `on "X_umap"`: where the rows of a table lie; two columns when two are named.
    pub on: Vec<tree::Text>,
    /// Axes on a logarithmic scale.
    pub log: Vec<LogAxis>,
    /// `points`: markers, no lines between them.
    pub points: bool,
    /// `axes x in 0..10, y in -1..1`: `x` and `y` are the axes.
    pub axes: Vec<Ranged>,
    /// Stands above the figure.
    pub title: Option<String>,
    /// The file to draw into; the terminal when absent.
    pub to: Option<tree::Text>,
}

/// An axis, as `log y` and `axes y in 0..1` name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogAxis {
    /// Horizontal.
    X,
    /// Vertical.
    Y,
}

/// A table with the names that its columns go by here.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSource {
    /// The file, as written.
    pub path: tree::Text,
    /// `(time = year, prey = hare)`: name here, column there.
    pub columns: Vec<(tree::Name, tree::Name)>,
}

/// A table written from the last run.
#[derive(Debug, Clone, PartialEq)]
pub struct Save {
    /// The whole sentence.
    pub span: Span,
    /// The file.
    pub path: tree::Text,
    /// The columns; all states and definitions when empty.
    pub columns: Vec<tree::Expr>,
}

/// A file that does again what a session did.
#[derive(Debug, Clone, PartialEq)]
pub struct SaveSession {
    /// The file.
    pub path: tree::Text,
    /// Whatever is there is replaced.
    pub overwrite: bool,
}

/// Derivatives along a repetition of the last run.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensitivity {
    /// The whole sentence.
    pub span: Span,
    /// What is differentiated; all states when empty.
    pub observables: Vec<tree::Expr>,
    /// By what; all scalar parameters when empty.
    pub by: Vec<tree::Expr>,
    /// Relative: the derivative of the logarithm by the logarithm.
    pub scaled: bool,
    /// Values that replace those of the last run.
    pub setting: Setting,
    /// The file for a heat map or a table.
    pub to: Option<tree::Text>,
}

/// What `show` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Everything that the model declares, in short.
    Model,
    /// The differential equations.
    Equations,
    /// Values, units and bounds.
    Parameters,
    /// The units of all names, found out or declared.
    Units,
    /// Arrows, rates and fluxes.
    Reactions,
    /// What happens when.
    Events,
    /// What is given when.
    Doses,
    /// What comes from tables.
    Inputs,
    /// The derivative of the drift by the states.
    Jacobian,
    /// Conservation laws.
    Conserved,
    /// How it would be integrated, and why.
    Method,
}

impl Topic {
    /// The words after `show`.
    pub const WORDS: &'static [(&'static str, Topic)] = &[
        ("model", Topic::Model),
        ("equations", Topic::Equations),
        ("parameters", Topic::Parameters),
        ("units", Topic::Units),
        ("reactions", Topic::Reactions),
        ("events", Topic::Events),
        ("doses", Topic::Doses),
        ("inputs", Topic::Inputs),
        ("jacobian", Topic::Jacobian),
        ("conserved", Topic::Conserved),
        ("method", Topic::Method),
    ];
}

/// Plain text or LaTeX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As in a model file.
    #[default]
    Plain,
    /// For a paper.
    Latex,
}
