//! Standard output, standard error and the session behind them.

use super::{Deadline, Ending};
use crate::diagnostic::{Code, Diagnostic};
use crate::render::portrait::{self, Drawing};
use crate::render::{
    self, Colour, diagnostics, figure, fit_json, fit_page, progress::Progress, rows_json,
};
use crate::session::{
    Command, DrawnInto, DrawnSweep, Explained, Made, Observer, Outcome, Performed, PortraitAnswer,
    Said, Session, Stage, SweepPicture,
};
use crate::source::Span;
use crate::world::SystemWorld;
use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// A session with a place to print to.
pub struct Terminal {
    /// The session.
    pub session: Session,
    width: usize,
    colour: Colour,
    colour_errors: Colour,
    progress: bool,
    /// Whether sentences are typed at a prompt.
    talks: bool,
    /// Whether it has been said how to ask about a code: once is enough.
    hinted: Cell<bool>,
    verbose: bool,
    deadline: Deadline,
    /// The sentence that is performed next, as it is written.
    sentence: Option<String>,
}

/// Problems reported at once; nobody reads further before mending these.
const MOST_REPORTED: usize = 50;

/// Columns when the output is no terminal.
const WIDTH_OF_A_PIPE: usize = 80;

impl Terminal {
    /// Looks at the surroundings: width, colour, whether someone is watching.
    #[must_use]
    pub fn new(world: SystemWorld, deadline: Deadline) -> Terminal {
        if !std::io::stdout().is_terminal() {
            render::table::keep_whole();
        }
        Terminal {
            session: Session::new(Arc::new(world)),
            width: width(),
            colour: Colour::on(&std::io::stdout()),
            colour_errors: Colour::on(&std::io::stderr()),
            progress: std::io::stderr().is_terminal(),
            talks: false,
            hinted: Cell::new(false),
            verbose: false,
            deadline,
            sentence: None,
        }
    }

    /// `--verbose`
    pub fn set_verbose(&mut self, verbose: bool) {
        self.verbose = verbose;
    }

    /// A line about the work itself, on standard error.
    pub fn note(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "lotka: {text}");
    }

    /// Says what is done and how long it took, when the user wants to know.
    pub fn timed<T>(&mut self, what: &str, work: impl FnOnce(&mut Terminal) -> T) -> T {
        if !self.verbose {
            return work(self);
        }
        self.note(what);
        let start = Instant::now();
        let done = work(self);
        self.note(&format!("{what}: {:.3} s", start.elapsed().as_secs_f64()));
        done
    }

    /// Prints to standard output. A reader that has gone away ends the program quietly, as in
    /// `lotka show model.lotka | head`; an output that cannot be written ends it with a message.
    pub fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        let Err(error) = written else { return };
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        let reason = crate::session::reason_to_write(&error);
        self.report(&[Diagnostic::new(
            Code::CannotWrite,
            format!("cannot write to standard output: {reason}"),
        )]);
        std::process::exit(i32::from(Ending::Data.code()));
    }

    /// From now on sentences are typed at a prompt.
    pub fn begin_talk(&mut self) {
        self.talks = true;
    }

    /// Looks at the width again: windows change.
    pub fn measure(&mut self) {
        self.width = width();
    }

    /// Columns that text may take.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Prints the pages of diagnostics.
    pub fn explain(&self, asked: &[Explained]) -> Ending {
        self.print(&render::explain::text(asked, self.width, self.colour));
        Ending::Fine
    }

    /// Prints diagnostics to standard error.
    pub fn report(&self, problems: &[Diagnostic]) {
        if problems.is_empty() {
            return;
        }
        let style = diagnostics::Style {
            colour: self.colour_errors,
            width: self.width,
        };
        let shown = problems.get(..MOST_REPORTED).unwrap_or(problems);
        let shown: Vec<Diagnostic> = shown.iter().map(|problem| self.named(problem)).collect();
        let mut text = diagnostics::text(&shown, &self.session.sources, style);
        if problems.len() > shown.len() {
            let more = problems.len() - shown.len();
            text.push_str(&format!("\n... and {more} more problems\n"));
        }
        // Whoever watches is told once how to learn more; a pipe gets the diagnostics alone.
        if self.progress && !self.hinted.replace(true) {
            text.push_str(&self.hint(&shown));
        }
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    /// How to ask about one of these codes, the first error before any warning.
    fn hint(&self, problems: &[Diagnostic]) -> String {
        let grave = problems.iter().find(|problem| problem.is_error());
        let Some(problem) = grave.or_else(|| problems.first()) else {
            return String::new();
        };
        let code = problem.code.as_str();
        let command = if self.talks { "" } else { "lotka " };
        format!("\n`{command}explain {code}` says more\n")
    }

    /// Remembers the sentence that the next command comes from.
    pub fn about(&mut self, sentence: &str) {
        self.sentence = Some(sentence.split_whitespace().collect::<Vec<_>>().join(" "));
    }

    /// A problem with the name of what stopped the work.
    fn named(&self, problem: &Diagnostic) -> Diagnostic {
        let mut problem = problem.clone();
        if problem.code == Code::Interrupted && self.deadline.is_over() {
            problem.message = problem.message.replace("by the user", "by --max-time");
        }
        problem
    }

    /// Performs a command and shows what came of it.
    pub fn perform(&mut self, command: &Command) -> Ending {
        let result = self.watched(command);
        self.conclude(result)
    }

    /// The same for what was typed, which the session keeps a record of.
    pub fn perform_said(&mut self, said: &Said) -> Ending {
        let result = self.watched(&said.command);
        self.session.note(said, &result);
        self.conclude(result)
    }

    /// The same without what has been reported before.
    pub fn perform_without(&mut self, command: &Command, reported: &[Diagnostic]) -> Ending {
        let mut result = self.watched(command);
        if let Ok(performed) = &mut result {
            performed.diagnostics.retain(|own| !reported.contains(own));
        }
        self.conclude(result)
    }

    /// Performs a command while someone is watching its progress.
    ///
    /// # Errors
    /// Everything that kept it from being performed.
    pub fn watched(&mut self, command: &Command) -> Result<Performed, Vec<Diagnostic>> {
        let label = match command {
            Command::Simulate(_) => "simulating",
            Command::Sweep(_) => "sweeping",
            Command::Fit(_) | Command::FitAtRest(_) => "fitting",
            Command::Profile(_) => "profiling",
            Command::Bootstrap(_) => "refitting",
            _ => "working",
        };
        let progress = self.progress && !self.verbose;
        let what = self.sentence.take().unwrap_or_else(|| label.to_owned());
        self.timed(&what, |terminal| {
            let mut watch = Watch(Progress::new(label, progress));
            let result = terminal.session.perform(command, &mut watch);
            watch.0.finish();
            result
        })
    }

    fn conclude(&mut self, result: Result<Performed, Vec<Diagnostic>>) -> Ending {
        match result {
            Ok(performed) => self.show_of(&performed, self.session.said()),
            Err(problems) => {
                self.report(&problems);
                ending(&problems)
            }
        }
    }

    /// Shows an outcome and its diagnostics.
    pub fn show(&mut self, performed: &Performed) -> Ending {
        self.show_of(performed, None)
    }

    /// The same for a sentence, at which a file that cannot be written is told.
    fn show_of(&mut self, performed: &Performed, sentence: Option<Span>) -> Ending {
        match self.show_outcome(&performed.outcome) {
            Ok(text) => self.print(&text),
            Err(mut problem) => {
                if let (true, Some(span)) = (problem.labels.is_empty(), sentence) {
                    problem = problem.at(span, "");
                }
                self.report(std::slice::from_ref(&problem));
                return ending(&[problem]);
            }
        }
        self.report(&performed.diagnostics);
        ending(&performed.diagnostics)
    }

    fn show_outcome(&self, outcome: &Outcome) -> Result<String, Diagnostic> {
        if let Outcome::Sensitivities {
            made: Some(Made::HeatMap { map, to }),
            ..
        } = outcome
        {
            let text = render::outcome::text(outcome, self.width);
            return Ok(text + &self.draw_heat_map(map, to)?);
        }
        if let Outcome::Stationary {
            figure: Some((sheet, to)),
            ..
        } = outcome
        {
            let text = render::outcome::text(outcome, self.width);
            return Ok(text + &self.draw_sheet(sheet, to)?);
        }
        if let Outcome::Profiled(answer) = outcome
            && let Some(to) = &answer.to
        {
            let text = render::outcome::text(outcome, self.width);
            return Ok(text + &self.draw_sheet(&answer.sheet, to)?);
        }
        if let Outcome::Portrait(answer) = outcome {
            return self.draw_portrait(outcome, answer);
        }
        if let Outcome::Correlation { figure, to, .. } = outcome {
            let text = render::outcome::text(outcome, self.width);
            return Ok(match to {
                None => text + "\n" + &self.in_terminal(figure),
                Some(path) => text + &self.draw(figure, path)?,
            });
        }
        if let Outcome::Diagram(drawn) = outcome {
            let text = render::outcome::text(outcome, self.width);
            return Ok(match &drawn.figure {
                DrawnInto::Terminal(figure) => text + "\n" + &self.in_terminal(figure),
                DrawnInto::File(figure, path) => text + &self.draw(figure, path)?,
                DrawnInto::Table(_) => text,
            });
        }
        if let Outcome::Swept(drawn) = outcome {
            return self.draw_sweep(outcome, drawn);
        }
        if let Outcome::Explained(asked) = outcome {
            return Ok(render::explain::text(asked, self.width, self.colour));
        }
        if let Outcome::Sheet { sheet, to } = outcome {
            return match to {
                None => Ok(self.sheet_in_terminal(sheet)),
                Some(path) => self.draw_sheet(sheet, path),
            };
        }
        if let Outcome::Matrix { matrix, to } = outcome {
            return match to {
                None => Ok(figure::matrix_terminal(
                    matrix,
                    self.width.min(120),
                    self.colour,
                )),
                Some(path) => self.draw_matrix(matrix, path),
            };
        }
        if let Outcome::Rows {
            answer,
            json: Some(to),
            ..
        } = outcome
        {
            let text = render::outcome::text(outcome, self.width);
            let json = rows_json::rows(answer);
            return Ok(text + &self.write(to, format!("{json}\n").as_bytes())?);
        }
        if let Outcome::FitPage { report, to } = outcome {
            return self.write(to, fit_page::html(report)?.as_bytes());
        }
        if let Outcome::FitNumbers {
            answers,
            inferred,
            to,
        } = outcome
        {
            let json = fit_json::fits(answers, inferred);
            return self.write(to, format!("{json}\n").as_bytes());
        }
        let Outcome::Figure { figure, to } = outcome else {
            return Ok(render::outcome::text(outcome, self.width));
        };
        let Some(path) = to else {
            return Ok(self.in_terminal(figure));
        };
        self.draw(figure, path)
    }

    /// Two thirds of the width, in lines that are twice as high as wide.
    fn figure_size(&self) -> (usize, usize) {
        (self.width.min(120), (self.width / 3).clamp(16, 28))
    }

    /// The figure, then what it shows in words.
    fn draw_portrait(
        &self,
        outcome: &Outcome,
        answer: &PortraitAnswer,
    ) -> Result<String, Diagnostic> {
        let words = render::outcome::text(outcome, self.width);
        let drawing = portrait::drawing(answer);
        let Some(path) = &answer.to else {
            let (width, height) = self.figure_size();
            let drawn = match &drawing {
                Drawing::One(figure) => figure::terminal(figure, width, height, self.colour),
                Drawing::Several(sheet) => self.sheet_in_terminal(sheet),
            };
            return Ok(format!("{drawn}\n{words}"));
        };
        let wrote = match &drawing {
            Drawing::One(figure) => self.draw(figure, path)?,
            Drawing::Several(sheet) => self.draw_sheet(sheet, path)?,
        };
        Ok(words + &wrote)
    }

    /// What a sweep found in words, then its picture.
    fn draw_sweep(&self, outcome: &Outcome, drawn: &DrawnSweep) -> Result<String, Diagnostic> {
        let words = render::outcome::text(outcome, self.width);
        let Some(picture) = &drawn.picture else {
            return Ok(words);
        };
        let Some(path) = &drawn.to else {
            let (width, height) = self.figure_size();
            let drawn = match picture {
                SweepPicture::Figure(figure) => self.in_terminal(figure),
                SweepPicture::Sheet(sheet) => self.sheet_in_terminal(sheet),
                SweepPicture::Fields(fields) => {
                    figure::fields_terminal(fields, width, height, self.colour)
                }
            };
            return Ok(format!("{words}\n{drawn}"));
        };
        let wrote = match picture {
            SweepPicture::Figure(figure) => self.draw(figure, path)?,
            SweepPicture::Sheet(sheet) => self.draw_sheet(sheet, path)?,
            SweepPicture::Fields(fields) => {
                let content = match format_of(path)? {
                    figure::Format::Svg => figure::fields_svg(fields).into_bytes(),
                    figure::Format::Png => figure::fields_png(fields)?,
                };
                self.write(path, &content)?
            }
        };
        Ok(words + &wrote)
    }

    fn in_terminal(&self, figure: &crate::figure::Figure) -> String {
        let (width, height) = self.figure_size();
        figure::terminal(figure, width, height, self.colour)
    }

    fn sheet_in_terminal(&self, sheet: &crate::figure::Sheet) -> String {
        let (width, height) = self.figure_size();
        figure::sheet_terminal(sheet, width, height, self.colour)
    }

    fn draw(&self, figure: &crate::figure::Figure, path: &Path) -> Result<String, Diagnostic> {
        let size = figure::Size::default();
        let content = match format_of(path)? {
            figure::Format::Svg => figure::svg(figure, size)?.into_bytes(),
            figure::Format::Png => figure::png(figure, size)?,
        };
        self.write(path, &content)
    }

    fn draw_sheet(&self, sheet: &crate::figure::Sheet, path: &Path) -> Result<String, Diagnostic> {
        let content = match format_of(path)? {
            figure::Format::Svg => figure::sheet_svg(sheet)?.into_bytes(),
            figure::Format::Png => figure::sheet_png(sheet)?,
        };
        self.write(path, &content)
    }

    fn draw_matrix(
        &self,
        matrix: &crate::figure::Matrix,
        path: &Path,
    ) -> Result<String, Diagnostic> {
        let content = match format_of(path)? {
            figure::Format::Svg => figure::matrix_svg(matrix)?.into_bytes(),
            figure::Format::Png => figure::matrix_png(matrix)?,
        };
        self.write(path, &content)
    }

    fn draw_heat_map(
        &self,
        map: &crate::figure::HeatMap,
        path: &Path,
    ) -> Result<String, Diagnostic> {
        let content = match format_of(path)? {
            figure::Format::Svg => figure::heat_svg(map).into_bytes(),
            figure::Format::Png => figure::heat_png(map)?,
        };
        self.write(path, &content)
    }

    /// Writes a file with its stamp and says so.
    ///
    /// # Errors
    /// A file that was there before; one that cannot be written.
    pub fn write(&self, path: &Path, content: &[u8]) -> Result<String, Diagnostic> {
        let content = render::stamp::stamped(path, content, &self.session.stamp());
        let written = self.session.world().write(path, &content);
        written.map_err(|error| crate::session::cannot_write(path, &error))?;
        Ok(format!("wrote {}\n", path.display()))
    }
}

fn format_of(path: &Path) -> Result<figure::Format, Diagnostic> {
    figure::file_format(path).ok_or_else(|| {
        Diagnostic::new(
            Code::CannotDraw,
            format!(
                "figures are drawn as SVG or PNG, not into {}",
                path.display()
            ),
        )
        .help("end the name in `.svg` or `.png`")
    })
}

struct Watch(Progress);

impl Observer for Watch {
    fn progress(&mut self, fraction: f64) {
        self.0.set(fraction, "");
    }

    fn at(&mut self, fraction: f64, stage: &Stage) {
        self.0.set(fraction, render::progress::At(stage));
    }
}

/// The gravest ending that diagnostics mean.
#[must_use]
pub fn ending(problems: &[Diagnostic]) -> Ending {
    let mut worst = Ending::Fine;
    for problem in problems.iter().filter(|problem| problem.is_error()) {
        let code = problem.code.as_str();
        let found = match problem.code {
            Code::Interrupted => return Ending::Interrupted,
            Code::AssertionFailed => Ending::Partial,
            _ if code.starts_with("E05") => Ending::Data,
            _ if code.starts_with("E06") => Ending::Partial,
            _ => Ending::Model,
        };
        if worst == Ending::Fine || found == Ending::Model {
            worst = found;
        }
    }
    worst
}

fn width() -> usize {
    let stated = std::env::var("COLUMNS")
        .ok()
        .and_then(|value| value.parse().ok());
    let measured = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    measured
        .or(stated)
        .unwrap_or(WIDTH_OF_A_PIPE)
        .clamp(30, 400)
}
