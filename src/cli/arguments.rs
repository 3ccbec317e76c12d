//! The arguments of the program.

use crate::diagnostic::{Code, Severity};
use crate::session::Explained;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

/// Models of change: simulate, plot and understand them from one text file.
#[derive(Debug, Parser)]
#[command(
    name = "lotka",
    version = crate::session::version(),
    about,
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
    /// Threads for paths and sweeps; all cores when absent. The results are the same
    #[arg(long, global = true, value_name = "NUMBER")]
    pub threads: Option<NonZero<usize>>,
    /// A warning that is not given, such as W0201; may be given several times
    #[arg(long, global = true, value_name = "CODE", value_parser = warning)]
    pub allow: Vec<Code>,
    /// Ends what is running after so many seconds, as Ctrl-C does, with exit code 4; what there is
    /// is kept
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds)]
    pub max_time: Option<Duration>,
    /// Overwrites files that are there already
    #[arg(long, global = true)]
    pub force: bool,
    /// Says on standard error what is done and how long it takes
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// A time in seconds, which may have a fraction.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "a number of seconds is needed, such as 60".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("a positive number of seconds is needed".to_owned()),
    }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Perform the sentences of a model file in order
    Run {
        /// The model file; `-` is standard input
        file: PathBuf,
    },
    /// Check a model file and report every problem in it
    Check {
        /// The model file; `-` is standard input
        file: PathBuf,
        /// How problems are reported
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Lay out model files as all are laid out
    Format {
        /// The model files; `-` is standard input, whose layout is printed
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Change nothing; name the files that would change, and end with exit code 1
        #[arg(long)]
        check: bool,
    },
    /// Simulate a model file
    Simulate(Box<SimulateArguments>),
    /// Show the equations, parameters, ... of a model file
    Show {
        /// The model file
        file: PathBuf,
        /// equations, parameters, units, reactions, events, doses, inputs, jacobian, conserved, method; all in short when absent
        topic: Option<String>,
        /// `latex` for a paper
        #[arg(long = "as", value_name = "FORM")]
        form: Option<String>,
    },
    /// Find the steady state that a model goes to
    Steady(SteadyArguments),
    /// Say what happens near a state of rest: node, spiral, saddle, ...
    Stability(StabilityArguments),
    /// Say how noise spreads the state around a stable steady state
    Stationary(StationaryArguments),
    /// Show the derivatives of the equations by the states
    Jacobian(JacobianArguments),
    /// Draw where each of two states stands still, and the flow
    Nullclines(PortraitArguments),
    /// Draw the phase plane: trajectories, fixed points, manifolds, limit cycles
    Phase(PortraitArguments),
    /// Follow the steady states of a model as a parameter moves
    Continue(Box<ContinueArguments>),
    /// Repeat the run of a model for many values of parameters
    Sweep(Box<SweepArguments>),
    /// Find parameters of a model from data
    Fit(Box<FitArguments>),
    /// Simulate a model file and take numbers from the run
    Measure(MeasureArguments),
    /// Simulate a model file and say which parameters matter
    Sensitivity(SensitivityArguments),
    /// Talk to a model, line by line
    Repl {
        /// The model file to begin with
        file: Option<PathBuf>,
    },
    /// Explain diagnostics: what they mean, an example, the mend
    Explain {
        /// Codes, such as E0201; E02 lists those of a kind; the kinds when absent
        #[arg(value_name = "CODE", value_parser = explained)]
        codes: Vec<Explained>,
    },
    /// Print a script that completes commands and flags in a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page of the program or of one of its commands
    Man {
        /// A command, such as `simulate`
        command: Option<String>,
    },
    /// Answer an editor over standard input and output (Language Server Protocol)
    Lsp {
        /// What editors say to choose standard input and output, which there is no other than
        #[arg(long, hide = true)]
        stdio: bool,
    },
    /// Explain the language in short, or one of its words
    Help {
        /// A sentence, such as `simulate`
        word: Option<String>,
    },
}

/// The shells that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

/// How problems are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For editors and other programs
    Json,
}

/// What `with` and `in` say in every sentence.
#[derive(Debug, Args)]
pub struct SettingArguments {
    /// A value for this answer; may be given several times
    #[arg(long = "with", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub with: Vec<String>,
    /// A condition of the model
    #[arg(long = "in", value_name = "CONDITION")]
    pub condition: Option<String>,
}

/// `lotka simulate FILE RANGE ...` means the sentence `simulate RANGE ...`.
#[derive(Debug, Args)]
pub struct SimulateArguments {
    /// The model file
    pub file: PathBuf,
    /// The range of time, such as 0..100; the file's own `simulate` sentence when absent
    #[arg(allow_hyphen_values = true)]
    pub range: Option<String>,
    /// Distance of the output times
    #[arg(long, value_name = "H")]
    pub step: Option<String>,
    /// Number of output times
    #[arg(long, value_name = "N")]
    pub points: Option<String>,
    /// Output times, separated by commas
    #[arg(long, value_name = "T,T,...")]
    pub at: Option<String>,
    /// auto, tsit5, rodas, bdf, ...; for noise euler_maruyama, milstein, ..., ssa, tau
    #[arg(long, value_name = "METHOD")]
    pub using: Option<String>,
    /// Many paths of a model with noise, summed up
    #[arg(long, value_name = "N")]
    pub paths: Option<String>,
    /// Other random numbers; 1 when absent
    #[arg(long, value_name = "N")]
    pub seed: Option<String>,
    /// The step of a method for noise
    #[arg(long, value_name = "H")]
    pub dt: Option<String>,
    /// Noise that takes a state below zero stops at zero
    #[arg(long)]
    pub nonnegative: bool,
    /// What paths are summed up for, separated by commas; all states when absent
    #[arg(long, value_name = "EXPRESSIONS", allow_hyphen_values = true)]
    pub of: Option<String>,
    /// Relative tolerance
    #[arg(long)]
    pub rtol: Option<String>,
    /// Absolute tolerance of all states
    #[arg(long)]
    pub atol: Option<String>,
    /// `with` and `in`
    #[command(flatten)]
    pub setting: SettingArguments,
    /// A subject of the dose table
    #[arg(long, value_name = "ID", conflicts_with = "by_subject")]
    pub subject: Option<String>,
    /// Every subject of the dose table, each in a run of its own
    #[arg(long)]
    pub by_subject: bool,
    /// Write the result as a CSV table
    #[arg(long, value_name = "FILE")]
    pub save: Option<String>,
    /// Draw the result; without a file, in the terminal
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "")]
    pub plot: Option<String>,
    /// Print one JSON object with times, states and costs on standard output
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all = ["save", "plot"])]
    pub stats: Option<StatsFormat>,
    /// With --stats: load and solve N times and give the medians of the CPU times
    #[arg(long, value_name = "N", default_value_t = 1, requires = "stats", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub repeat: u32,
}

/// `lotka steady FILE ...` means the sentence `steady ...`.
#[derive(Debug, Args)]
pub struct SteadyArguments {
    /// The model file
    pub file: PathBuf,
    /// `with` and `in`
    #[command(flatten)]
    pub setting: SettingArguments,
    /// Every steady state in a box instead of the one that the model goes to
    #[arg(long)]
    pub all: bool,
    /// The range of a state of the box, such as "x in 0..5"; may be given several times
    #[arg(
        long = "box",
        value_name = "RANGE",
        requires = "all",
        allow_hyphen_values = true
    )]
    pub region: Vec<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// `lotka stability FILE ...` means the sentence `stability ...`.
#[derive(Debug, Args)]
pub struct StabilityArguments {
    /// The model file
    pub file: PathBuf,
    /// Near this value of a state instead; may be given several times
    #[arg(long = "at", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub at: Vec<String>,
    /// Every state of rest in a box
    #[arg(long, conflicts_with_all = ["at", "over"])]
    pub all: bool,
    /// The range of a state of the box, such as "x in 0..5"; may be given several times
    #[arg(
        long = "box",
        value_name = "RANGE",
        requires = "all",
        allow_hyphen_values = true
    )]
    pub region: Vec<String>,
    /// Can it oscillate for parameters in these ranges? Such as "k in 0..2, b in 0..1"
    #[arg(long, value_name = "RANGES", conflicts_with = "at")]
    pub over: Option<String>,
    /// `with` and `in`
    #[command(flatten)]
    pub setting: SettingArguments,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// `lotka stationary FILE ...` means the sentence `stationary ...`.
#[derive(Debug, Args)]
pub struct StationaryArguments {
    /// The model file
    pub file: PathBuf,
    /// The states that are reported; all when absent
    pub states: Vec<String>,
    /// Lags at which autocorrelations are given
    #[arg(long, value_name = "LAG", value_delimiter = ',')]
    pub at: Vec<String>,
    /// `with` and `in`
    #[command(flatten)]
    pub setting: SettingArguments,
    /// Draw autocorrelations and spectra (.svg, .png)
    #[arg(long, value_name = "FILE")]
    pub to: Option<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// `lotka continue FILE a 0.2..0.8 ...` means the sentence `continue a in 0.2..0.8 ...`.
#[derive(Debug, Args)]
pub struct ContinueArguments {
    /// The model file
    pub file: PathBuf,
    /// The parameter that moves
    pub parameter: String,
    /// Where it moves, such as 0.2..0.8; between its declared bounds when absent
    #[arg(allow_hyphen_values = true)]
    pub range: Option<String>,
    /// What is drawn above the parameter; the first state when absent
    #[arg(long, value_name = "EXPRESSION")]
    pub of: Option<String>,
    /// From every steady state at the present value of the parameter
    #[arg(long)]
    pub all: bool,
    /// Orbits of a map that close after so many steps
    #[arg(long, value_name = "K")]
    pub period: Option<String>,
    /// At most so many points of a branch
    #[arg(long, value_name = "N")]
    pub points: Option<String>,
    /// A logarithmic axis: x, y or x,y
    #[arg(long, value_name = "AXES")]
    pub log: Option<String>,
    /// `with` and `in`
    #[command(flatten)]
    pub setting: SettingArguments,
    /// A figure (.svg, .png) or a table of every point (.csv)
    #[arg(long, value_name = "FILE")]
    pub to: Option<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print one JSON object with the special points and the costs instead
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all = ["to", "format"])]
    pub stats: Option<StatsFormat>,
    /// With --stats: load and continue N times and give the medians of the CPU times
    #[arg(long, value_name = "N", default_value_t = 1, requires = "stats", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub repeat: u32,
}

/// `lotka sweep FILE "alpha in 0..2 points 200" ...` means the sentence `sweep alpha in 0..2 ...`.
#[derive(Debug, Args)]
pub struct SweepArguments {
    /// The model file
    pub file: PathBuf,
    /// What is swept, such as "alpha in 0..2 points 200"; several make a grid
    #[arg(required_unless_present = "from")]
    pub ranges: Vec<String>,
    /// A table with a column for each parameter and a row for each run
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ranges", "sobol"])]
    pub from: Option<String>,
    /// So many points that fill the ranges evenly, instead of a grid
    #[arg(long, value_name = "N")]
    pub sobol: Option<String>,
    /// What each run gives, such as "max(x)" or "x + y" at the end; may be given several times;
    /// all states at the end when absent
    #[arg(long, value_name = "MEASURE", allow_hyphen_values = true)]
    pub of: Vec<String>,
    /// The last N values of each run instead of the one at the end
    #[arg(long, value_name = "N")]
    pub last: Option<String>,
    /// The range of time, such as 0..50; the file's own `simulate` sentence when absent
    #[arg(long = "for", value_name = "RANGE", allow_hyphen_values = true)]
    pub run: Option<String>,
    /// `with` and `in`
    #[command(flatten)]
    pub setting: SettingArguments,
    /// A logarithmic axis for the results: y
    #[arg(long, value_name = "AXIS")]
    pub log: Option<String>,
    /// Stands above the figure
    #[arg(long)]
    pub title: Option<String>,
    /// A figure (.svg, .png) or a table of every run (.csv)
    #[arg(long, value_name = "FILE")]
    pub to: Option<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print one JSON object with the numbers and the costs instead
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all = ["to", "format"])]
    pub stats: Option<StatsFormat>,
    /// With --stats: load and sweep N times and give the medians of the times
    #[arg(long, value_name = "N", default_value_t = 1, requires = "stats", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub repeat: u32,
}

/// `lotka fit FILE NAME ... --to DATA` means the sentence `fit NAME, ... to "DATA"`.
#[derive(Debug, Args)]
pub struct FitArguments {
    /// The model file
    pub file: PathBuf,
    /// Parameters, and states whose initial values are meant; all parameters with bounds or priors when absent
    pub names: Vec<String>,
    /// The table of data
    #[arg(long, value_name = "DATA")]
    pub to: String,
    /// Columns that go by another name in the model, such as time=year,prey=hare
    #[arg(long, value_name = "NAME=COLUMN", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Then profiles of these, or of all that was fitted
    #[arg(
        long,
        value_name = "NAME,...",
        value_delimiter = ',',
        num_args = 0..=1,
        conflicts_with = "bootstrap"
    )]
    pub profile: Option<Vec<String>>,
    /// Then so many fits of data drawn from the fit
    #[arg(long, value_name = "N")]
    pub bootstrap: Option<String>,
    /// The search: lm, lbfgs, ...
    #[arg(long, value_name = "SEARCH")]
    pub using: Option<String>,
    /// Searches from so many starts, or from the rows of a table
    #[arg(long, value_name = "N or TABLE")]
    pub starts: Option<String>,
    /// Other random numbers; 1 when absent
    #[arg(long, value_name = "N")]
    pub seed: Option<String>,
    /// Draws of a posterior that each chain keeps
    #[arg(long, value_name = "N")]
    pub draws: Option<String>,
    /// Chains of a posterior
    #[arg(long, value_name = "N")]
    pub chains: Option<String>,
    /// Keeps finished searches in this file, and goes on from there
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<String>,
    /// Runs begin at rest; of models with noise: in their stationary distribution, or unknown
    #[arg(long, value_name = "steady|stationary|diffuse")]
    pub from: Option<String>,
    /// Only values for which this holds, such as "stability = stable spiral" or "oscillates, a < b"
    #[arg(long = "where", value_name = "CONDITION")]
    pub within: Option<String>,
    /// The data of one subject alone
    #[arg(long, value_name = "ID", conflicts_with = "by")]
    pub subject: Option<String>,
    /// A fit for each subject of the data: subject; of cells at rest the column of their groups
    #[arg(long, value_name = "subject or COLUMN")]
    pub by: Option<String>,
    /// Cells that are each seen once, at rest: stationary
    #[arg(long = "as", value_name = "stationary")]
    pub kind: Option<String>,
    /// The matrix of an .h5ad file; X when absent
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// `with` and `in`
    #[command(flatten)]
    pub setting: SettingArguments,
    /// Relative tolerance of the runs
    #[arg(long)]
    pub rtol: Option<String>,
    /// Absolute tolerance of the runs
    #[arg(long)]
    pub atol: Option<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// `lotka jacobian FILE ...` means the sentence `jacobian ...`.
#[derive(Debug, Args)]
pub struct JacobianArguments {
    /// The model file
    pub file: PathBuf,
    /// Numbers, at this value of a state; may be given several times
    #[arg(long = "at", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub at: Vec<String>,
    /// `with` and `in`
    #[command(flatten)]
    pub setting: SettingArguments,
    /// `latex` for a paper
    #[arg(long = "as", value_name = "FORM")]
    pub form: Option<String>,
    /// Write the numbers as a CSV table
    #[arg(long, value_name = "FILE")]
    pub to: Option<String>,
    /// How the answer is written; numbers only as JSON
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// `lotka phase FILE x y ...` means the sentence `phase x, y ...`; so does `lotka nullclines`.
#[derive(Debug, Args)]
pub struct PortraitArguments {
    /// The model file
    pub file: PathBuf,
    /// The horizontal and the vertical state, such as x "y in 0..3"; those of the model when absent
    pub states: Vec<String>,
    /// A portrait for each value of a parameter, such as "a = 0.3, 0.5" or "a in 0..1 points 4"
    #[arg(long, value_name = "SERIES")]
    pub over: Option<String>,
    /// `with` and `in`
    #[command(flatten)]
    pub setting: SettingArguments,
    /// Stands above the figure
    #[arg(long)]
    pub title: Option<String>,
    /// Draw into this SVG or PNG file
    #[arg(long, value_name = "FILE")]
    pub to: Option<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// `lotka measure FILE MEASURE ...` means the sentence `measure MEASURE, ...` after a run.
#[derive(Debug, Args)]
pub struct MeasureArguments {
    /// The model file
    pub file: PathBuf,
    /// What is measured, such as "max(x)" or "auc(x, 0..24)"
    #[arg(required = true)]
    pub measures: Vec<String>,
    /// The range of time, such as 0..100; the file's own `simulate` sentence when absent
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    pub over: Option<String>,
    /// `with` and `in`
    #[command(flatten)]
    pub setting: SettingArguments,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// `lotka sensitivity FILE OBSERVABLE ...` means the sentence `sensitivity OBSERVABLE, ...` after a
/// run.
#[derive(Debug, Args)]
pub struct SensitivityArguments {
    /// The model file
    pub file: PathBuf,
    /// What is differentiated; all states when absent
    pub observables: Vec<String>,
    /// By which parameters or initial values; all parameters when absent
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub by: Vec<String>,
    /// Relative derivatives: (p/y) dy/dp
    #[arg(long)]
    pub scaled: bool,
    /// The range of time, such as 0..100; the file's own `simulate` sentence when absent
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    pub over: Option<String>,
    /// `with` and `in`
    #[command(flatten)]
    pub setting: SettingArguments,
    /// A heat map (.svg, .png) or a table (.csv)
    #[arg(long, value_name = "FILE")]
    pub to: Option<String>,
}

/// The format of statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatsFormat {
    /// One JSON object
    Json,
}

fn explained(word: &str) -> Result<Explained, String> {
    Explained::find(word).ok_or_else(|| match Code::nearest(word) {
        Some(near) => format!("there is no such code; did you mean {near}?"),
        None => "there is no such code; `lotka explain` lists the kinds of codes".to_owned(),
    })
}

/// The code of a warning: errors cannot be allowed.
fn warning(word: &str) -> Result<Code, String> {
    match Code::find(word) {
        Some(code) if code.severity() == Severity::Warning => Ok(code),
        Some(code) => Err(format!(
            "this is an error ({}), which cannot be allowed",
            code.title()
        )),
        None => match Code::nearest(word).filter(|near| near.starts_with('W')) {
            Some(near) => Err(format!("there is no such warning; did you mean {near}?")),
            None => Err("there is no such warning; their codes have a W, such as W0201".to_owned()),
        },
    }
}
