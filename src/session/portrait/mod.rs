//! `nullclines` and `phase`: the plane of two states, or the line of one, as a picture.
//!
//! ```text
//! command --find.rs--> View per value of a series: fixed points, nullclines, trajectories, ...
//!         --render/portrait--> a figure, or a sheet of several, and a short text
//! ```
//!
//! Enters: a command and the session's values. Leaves: a [`PortraitAnswer`]. Must not know how
//! curves are found or drawn.

mod find;
mod plane;

use super::command::{Command, Portrait, PortraitKind, Series, SeriesValues};
use super::compiled::Compiled;
use super::lower::{figure_file, setting};
use super::options::Options;
use super::outcome::{Outcome, Performed};
use super::ranges::{self, Ranged};
use super::values::Overrides;
use super::{Observer, Session};
use crate::analyze::portrait::{Cycle, Manifold, Point, Streamline, Window};
use crate::analyze::{Kind, Linearised};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree;
use std::path::PathBuf;
use std::sync::Arc;

/// A portrait with the names of its model.
#[derive(Debug, Clone)]
pub struct PortraitAnswer {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// What was asked for.
    pub kind: PortraitKind,
    /// Positions of the states that are drawn: horizontal, and vertical if there is one.
    pub axes: Vec<usize>,
    /// The parameter of a series.
    pub over: Option<String>,
    /// One, or one for each value of the series.
    pub views: Vec<View>,
    /// Stands above the picture.
    pub title: Option<String>,
    /// The file to draw into; the terminal when absent.
    pub to: Option<PathBuf>,
    /// What the model has and a portrait leaves out: `doses`, `events`.
    pub left_out: Vec<&'static str>,
}

/// What was found for one set of values.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The value of the parameter of the series.
    pub value: Option<f64>,
    /// All parameter values.
    pub parameters: Vec<f64>,
    /// The ranges that are drawn, horizontal and vertical.
    pub ranges: [(f64, f64); 2],
    /// True where a range was chosen here.
    pub chosen: [bool; 2],
    /// Fixed points, those outside the window too.
    pub fixed: Vec<Fixed>,
    /// Points of lines of fixed points.
    pub lines: Vec<Vec<Point>>,
    /// Where the horizontal and the vertical state stand still.
    pub nullclines: [Vec<Vec<Point>>; 2],
    /// Direction of the flow at places: (place, rate).
    pub flow: Vec<(Point, Point)>,
    /// Trajectories.
    pub streamlines: Vec<Streamline>,
    /// The trajectory of the present state.
    pub path: Vec<Point>,
    /// Branches of the manifolds of saddles.
    pub manifolds: Vec<Manifold>,
    /// Limit cycles.
    pub cycles: Vec<Cycle>,
    /// Fixed points, by position, that closed orbits surround.
    pub centers: Vec<usize>,
    /// True where no cycle was found, and the present state stays within bounds without resting.
    pub stays: bool,
    /// Of one state: its rate along the range.
    pub rate: Vec<Point>,
    /// States that are held at these values.
    pub held: Vec<(usize, f64)>,
    /// True when they are held at a fixed point rather than where the system is.
    pub held_at_rest: bool,
    /// True when the other states follow from kept sums.
    pub bound: bool,
    /// True when trajectories may leave the plane: what is drawn is their shadow.
    pub shadow: bool,
    /// True when the user stopped it.
    pub interrupted: bool,
}

/// A fixed point.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// Its place in the plane; on a line the second number is 0.
    pub at: Point,
    /// The whole state.
    pub state: Vec<f64>,
    /// Its linear part; `None` where it has none.
    pub linear: Option<Linearised>,
    /// True when it is drawn.
    pub inside: bool,
}

impl Fixed {
    /// True for a saddle.
    #[must_use]
    pub fn is_saddle(&self) -> bool {
        let linear = self.linear.as_ref();
        linear.is_some_and(|linear| linear.class.kind == Kind::Saddle)
    }

    /// True where the linear part says that nearby states come back.
    #[must_use]
    pub fn attracts(&self) -> bool {
        let linear = self.linear.as_ref();
        linear.is_some_and(|linear| linear.class.attracts() == Some(true))
    }
}

impl View {
    fn window(&self) -> Window {
        Window {
            x: self.ranges[0],
            y: self.ranges[1],
        }
    }
}

/// `nullclines x, y`
pub(super) fn lower_nullclines(
    sentence: &tree::Sentence,
    span: Span,
    options: Options<'_>,
) -> Option<Command> {
    lower(sentence, span, options, PortraitKind::Nullclines)
}

/// `phase x in 0..2, y in 0..3 over a = 0.3, 0.5 with b = 1 to "p.svg"`
pub(super) fn lower_phase(
    sentence: &tree::Sentence,
    span: Span,
    options: Options<'_>,
) -> Option<Command> {
    lower(sentence, span, options, PortraitKind::Phase)
}

fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
    kind: PortraitKind,
) -> Option<Command> {
    let axes = ranges::after_verb(sentence, &mut options);
    count(sentence, &axes, kind, &mut options);
    let over = series(&mut options);
    let setting = setting(&mut options);
    let title = options.text("title").map(|text| text.text);
    let to = figure_file(&mut options);
    options.finish(|| {
        Ok(Command::Portrait(Box::new(Portrait {
            span,
            kind,
            axes,
            over,
            setting,
            title,
            to,
        })))
    })
}

/// A plane has two states; a line, of `phase` alone, has one. None means those of the model.
fn count(
    sentence: &tree::Sentence,
    axes: &[Ranged],
    kind: PortraitKind,
    options: &mut Options<'_>,
) {
    let verb = &sentence.verb.text;
    if let Some(third) = axes.get(2) {
        options.problem(
            Diagnostic::new(Code::BadOption, "a plane has two states")
                .at(third.name.span, "one too many")
                .help(format!(
                    "`{verb} x, y` draws x to the right and y upward; the other states are held"
                )),
        );
    } else if let ([only], PortraitKind::Nullclines) = (axes, kind) {
        options.problem(
            Diagnostic::new(
                Code::MissingArgument,
                "nullclines lie in a plane of two states",
            )
            .at(only.name.span, "and the other one?")
            .help("as in `nullclines x, y`; `phase x` draws the line of one state"),
        );
    }
}

/// `over a = 0.3, 0.5, 0.7` or `over a in 0.3..0.7 points 3`
fn series(options: &mut Options<'_>) -> Option<Series> {
    let points = options.value("points");
    if let Some((option, binding)) = options
        .peek("over")
        .and_then(|option| Some((option, option.bindings.first()?)))
    {
        options.take("over");
        if let Some(second) = option.bindings.get(1) {
            options.problem(
                Diagnostic::new(Code::BadOption, "a series runs over one parameter")
                    .at(second.name.span, "one too many")
                    .help("as in `over a = 0.3, 0.5, 0.7`"),
            );
        }
        if let Some(points) = points {
            options.problem(
                Diagnostic::new(Code::BadOption, "the values are listed already")
                    .at(points.span, "")
                    .help("`points` goes with a range, as in `over a in 0.3..0.7 points 3`"),
            );
        }
        let mut values = vec![binding.value.clone()];
        values.extend(option.values.iter().cloned());
        return Some(Series {
            span: option.span,
            name: binding.name.clone(),
            values: SeriesValues::Listed(values),
        });
    }
    let span = options.peek("over").map(|option| option.span);
    let names = ranges::after_word("over", options);
    let (Some(span), Some(names)) = (span, names) else {
        if let Some(points) = points {
            options.problem(
                Diagnostic::new(Code::BadOption, "`points` goes with a series")
                    .at(points.span, "")
                    .help("as in `over a in 0.3..0.7 points 3`"),
            );
        }
        return None;
    };
    let example = "as in `over a = 0.3, 0.5, 0.7` or `over a in 0.3..0.7 points 3`";
    if let [
        Ranged {
            name,
            range: Some(range),
        },
    ] = names.as_slice()
        && let tree::ExprKind::Reference(reference) = &name.kind
        && let (Some(low), Some(high)) = (&range.low, &range.high)
    {
        return Some(Series {
            span,
            name: reference.clone(),
            values: SeriesValues::Even {
                low: Box::new(low.clone()),
                high: Box::new(high.clone()),
                points: points.map(Box::new),
            },
        });
    }
    options.problem(
        Diagnostic::new(
            Code::BadOption,
            "a series runs over the values of a parameter",
        )
        .at(span, "")
        .help(example),
    );
    None
}

/// What can be refused without drawing.
pub(super) fn check(
    compiled: &Compiled,
    overrides: &Overrides,
    command: &Portrait,
) -> Result<(), Vec<Diagnostic>> {
    plane::asked(compiled, overrides, command).map(|_| ())
}

impl Session {
    pub(super) fn portrait(
        &self,
        command: &Portrait,
        observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let asked = plane::asked(&compiled, &self.overrides, command)?;
        let mut views = Vec::new();
        for (done, (value, setting)) in asked.settings.iter().enumerate() {
            let view = find::view(
                &compiled,
                &self.overrides,
                &asked,
                *value,
                setting,
                &*self.world,
            )?;
            let stopped = view.interrupted;
            views.push(view);
            observer.progress((done + 1) as f64 / asked.settings.len() as f64);
            if stopped {
                break;
            }
        }
        if asked.settings.len() > 1 {
            find::share_window(&compiled, &self.overrides, &asked, &mut views, &*self.world)?;
        }
        let mut diagnostics = Vec::new();
        if views.iter().any(|view| view.interrupted) {
            let message = "stopped by the user before all was drawn";
            diagnostics.push(Diagnostic::new(Code::Interrupted, message).at(command.span, ""));
        }
        let over = command
            .over
            .as_ref()
            .map(|over| over.name.name.text.clone());
        Ok(Performed {
            outcome: Outcome::Portrait(Arc::new(PortraitAnswer {
                left_out: super::steady::left_out(&compiled),
                compiled,
                kind: command.kind,
                axes: asked.axes,
                over,
                views,
                title: command.title.clone(),
                to: command.to.as_ref().map(|text| PathBuf::from(&text.text)),
            })),
            diagnostics,
        })
    }
}
