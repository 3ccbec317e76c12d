//! A progress bar on standard error.
//!
//! Enters: the finished fraction of a computation, as often as every solver step. Leaves: a bar,
//! but only on a terminal and only once the computation has taken a second. Must not know what
//! is computed.

use super::table::number;
use crate::session::Stage;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::{self, Display};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Shorter computations show nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// The bar is redrawn about this often.
const REDRAW: Duration = Duration::from_millis(100);

/// Calls between two looks at the clock, at most.
const MOST_CALLS: u32 = 64;

/// Steps of the bar.
const STEPS: u64 = 1000;

/// Digits of log-likelihoods.
const DIGITS: usize = 7;

/// What a computation is at, in a few words: `3 of 20 starts, log L -122.9, iteration 41`.
#[derive(Debug)]
pub struct At<'a>(pub &'a Stage);

impl Display for At<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Stage::Search(progress) => {
                let mut parts = Vec::new();
                // What matters most comes first: on a narrow terminal the rest is cut off.
                if progress.total > 1 {
                    parts.push(format!("{} of {} starts", progress.done, progress.total));
                }
                if let Some(best) = progress.best {
                    parts.push(format!("best log L {}", number(-best, DIGITS)));
                }
                if let Some(pace) = &progress.pace {
                    parts.push(format!("iteration {}", pace.iterations));
                    parts.push(format!("{} evaluations", pace.evaluations));
                }
                write!(out, "{}", parts.join(", "))
            }
            Stage::Draws {
                done,
                all,
                divergences,
            } => {
                write!(out, "{done} of {all} draws")?;
                match divergences {
                    0 => Ok(()),
                    1 => write!(out, ", 1 divergence"),
                    many => write!(out, ", {many} divergences"),
                }
            }
            Stage::Weights(tried) => {
                write!(out, "{} of at most {} fits", tried.fits, tried.most)?;
                match tried.best.is_finite() {
                    true => write!(
                        out,
                        ", held-out log L {} a cell",
                        number(tried.best, DIGITS)
                    ),
                    false => Ok(()),
                }
            }
        }
    }
}

/// One computation's progress.
#[derive(Debug)]
pub struct Progress {
    label: String,
    enabled: bool,
    started: Instant,
    looked: Instant,
    /// Calls until the next look at the clock, and that number after the last look.
    left: u32,
    stride: u32,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress of what `label` names. Nothing is ever shown unless `enabled` and standard error
    /// is a terminal.
    #[must_use]
    pub fn new(label: impl Into<String>, enabled: bool) -> Progress {
        let now = Instant::now();
        Progress {
            label: label.into(),
            enabled: enabled && std::io::stderr().is_terminal(),
            started: now,
            looked: now,
            left: 1,
            stride: 1,
            bar: None,
        }
    }

    /// Reports the finished fraction, 0 to 1, and a note such as `format_args!("t = {t}")`,
    /// which is only written out when the bar is drawn. Most calls only count down.
    #[inline]
    pub fn set(&mut self, fraction: f64, note: impl Display) {
        if !self.enabled {
            return;
        }
        self.left -= 1;
        if self.left == 0 {
            self.look(fraction, &note);
        }
    }

    #[cold]
    fn look(&mut self, fraction: f64, note: &dyn Display) {
        let now = Instant::now();
        // Quick calls are looked at seldom, slow ones (whole ensembles) each time.
        self.stride = if now - self.looked < REDRAW / 4 {
            (self.stride * 2).min(MOST_CALLS)
        } else {
            (self.stride / 2).max(1)
        };
        self.left = self.stride;
        self.looked = now;
        if now - self.started < PATIENCE {
            return;
        }
        let bar = self
            .bar
            .get_or_insert_with(|| new_bar(&self.label, self.started, fraction.is_finite()));
        let part = if fraction.is_finite() {
            fraction.clamp(0.0, 1.0)
        } else {
            0.0
        };
        bar.set_message(note.to_string());
        bar.set_position((part * STEPS as f64) as u64);
    }

    /// Removes the bar.
    pub fn finish(mut self) {
        self.clear();
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Without a bar where nobody knows how much is left.
fn new_bar(label: &str, started: Instant, is_known: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr_with_hz(10))
        .with_elapsed(started.elapsed())
        .with_prefix(label.to_owned());
    let template = match is_known {
        true => "{prefix} {bar:20} {percent:>3} %  {elapsed}  {wide_msg}",
        false => "{prefix}  {elapsed}  {wide_msg}",
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("━╸─")),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_calls_seldom_read_the_clock() {
        let mut progress = Progress::new("simulating", true);
        progress.enabled = true;
        for step in 0..10_000 {
            progress.set(f64::from(step) / 1e4, format_args!("step {step}"));
        }
        assert_eq!(progress.stride, MOST_CALLS);
        assert!(progress.bar.is_none(), "nothing within the first second");
        progress.finish();
    }

    #[test]
    fn a_search_says_where_it_is() {
        use crate::fit::{Pace, Progress as Searched};
        let mut search = Searched {
            done: 0,
            total: 1,
            best: Some(122.945_703),
            pace: Some(Pace {
                iterations: 41,
                evaluations: 230,
                value: 122.945_703,
            }),
        };
        assert_eq!(
            At(&Stage::Search(search)).to_string(),
            "best log L -122.9457, iteration 41, 230 evaluations"
        );
        (search.done, search.total, search.pace) = (3, 20, None);
        assert_eq!(
            At(&Stage::Search(search)).to_string(),
            "3 of 20 starts, best log L -122.9457"
        );
    }

    #[test]
    fn a_late_bar_appears() {
        let mut progress = Progress::new("simulating", true);
        progress.enabled = true;
        progress.started -= Duration::from_secs(2);
        progress.set(f64::NAN, "starting");
        assert_eq!(progress.bar.as_ref().map(ProgressBar::position), Some(0));
        progress.left = 1;
        progress.set(0.5, "half");
        assert_eq!(progress.bar.as_ref().map(ProgressBar::position), Some(500));
        progress.finish();
    }
}
