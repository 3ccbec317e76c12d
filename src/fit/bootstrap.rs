//! The parametric bootstrap.
//!
//! Enters: how to simulate data anew and fit them, for one replicate with its own stream of random
//! numbers. Leaves: the estimates of all replicates, the same on any number of threads, with
//! standard errors and percentile intervals (B. Efron, R. Tibshirani, An Introduction to the
//! Bootstrap, 1993, chapters 6 and 13). Must not know models.

use super::objective::Fault;
use crate::kernel::Stream;
use crate::simulate::in_order;
use std::ops::ControlFlow;

/// How a bootstrap is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootstrapOptions {
    /// How many replicates.
    pub replicates: usize,
    /// From which all random numbers come.
    pub seed: u64,
    /// On how many threads.
    pub threads: usize,
}

/// The estimates of a bootstrap.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bootstrap {
    /// The number of each replicate that succeeded, with its m estimates.
    pub estimates: Vec<(u64, Vec<f64>)>,
    /// Those that failed.
    pub failed: Vec<(u64, Fault)>,
    /// Whether the user interrupted: there are fewer replicates than were asked for.
    pub interrupted: bool,
}

/// Replicates 0, 1, ... of simulated data, each fitted by `replicate`. Before each result is taken
/// `goes_on` is asked with how many there are; the first no, or [`Fault::Interrupted`], ends it and
/// keeps what is done.
pub fn bootstrap(
    options: &BootstrapOptions,
    replicate: impl Fn(u64, &mut Stream) -> Result<Vec<f64>, Fault> + Sync,
    mut goes_on: impl FnMut(usize) -> bool,
) -> Bootstrap {
    let mut found = Bootstrap::default();
    let work = |at: usize| {
        let number = at as u64;
        let mut stream = Stream::new(options.seed, number);
        (number, replicate(number, &mut stream))
    };
    in_order(
        options.replicates,
        options.threads,
        work,
        |at, (number, result)| {
            match result {
                Ok(estimates) => found.estimates.push((number, estimates)),
                Err(Fault::Interrupted) => {
                    found.interrupted = true;
                    return ControlFlow::Break(());
                }
                Err(fault) => found.failed.push((number, fault)),
            }
            let done = at + 1;
            if done < options.replicates && !goes_on(done) {
                found.interrupted = true;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        },
    );
    found
}

impl Bootstrap {
    /// The estimates of one parameter over the replicates that succeeded.
    #[must_use]
    pub fn of(&self, parameter: usize) -> Vec<f64> {
        let estimates = self.estimates.iter();
        estimates
            .filter_map(|(_, estimates)| estimates.get(parameter).copied())
            .collect()
    }

    /// The standard error of a parameter: not a number with fewer than two estimates.
    #[must_use]
    pub fn error(&self, parameter: usize) -> f64 {
        super::summary::standard_deviation(&self.of(parameter))
    }

    /// The percentile interval of a parameter at a level between 0 and 1; not numbers without
    /// estimates.
    #[must_use]
    pub fn interval(&self, parameter: usize, level: f64) -> (f64, f64) {
        let mut estimates = self.of(parameter);
        estimates.sort_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        (
            super::summary::quantile(&estimates, tail),
            super::summary::quantile(&estimates, 1.0 - tail),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of_nine(_: u64, stream: &mut Stream) -> Result<Vec<f64>, Fault> {
        let mut data = [0.0; 9];
        stream.normals(&mut data);
        Ok(vec![data.iter().sum::<f64>() / 9.0])
    }

    fn options(threads: usize) -> BootstrapOptions {
        BootstrapOptions {
            replicates: 4000,
            seed: 5,
            threads,
        }
    }

    #[test]
    fn a_mean_of_nine_has_a_third_of_the_standard_deviation() {
        let found = bootstrap(&options(1), mean_of_nine, |_| true);
        assert_eq!(found, bootstrap(&options(3), mean_of_nine, |_| true));
        // Four standard errors: of a standard deviation sd / sqrt(2 n), of the quantile at 2.5 %
        // sd sqrt(p (1 - p) / n) / density = sd 2.67 / sqrt(n).
        assert!((found.error(0) - 1.0 / 3.0).abs() < 4.0 / 3.0 / 8000.0_f64.sqrt());
        let (low, high) = found.interval(0, 0.95);
        let tolerance = 4.0 * 2.67 / 3.0 / 4000.0_f64.sqrt();
        assert!((low + 1.96 / 3.0).abs() < tolerance && (high - 1.96 / 3.0).abs() < tolerance);
    }

    #[test]
    fn failures_are_counted_and_an_interrupt_keeps_what_is_done() {
        let sometimes = |number: u64, _: &mut Stream| {
            if number % 4 == 3 {
                Err(Fault::NoPrior { parameter: 0 })
            } else {
                Ok(vec![1.0])
            }
        };
        let found = bootstrap(&options(2), sometimes, |done| done < 40);
        assert!(found.interrupted);
        assert_eq!((found.estimates.len(), found.failed.len()), (30, 10));
        assert!(found.interval(1, 0.9).0.is_nan());
    }
}
