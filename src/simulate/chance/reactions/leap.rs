//! Many reactions at a time: tau-leaping with step control.
//!
//! In a leap of length tau every channel happens a Poisson number of times, as if its propensity
//! stayed what it is. Y. Cao, D. T. Gillespie, L. R. Petzold, J. Chem. Phys. 124, 044109 (2006):
//! tau is so short that no propensity is expected to change by more than about
//! [`EPSILON`] of its value (their eq. 33); a channel that is close to exhausting one of its
//! reactants happens at most once in a leap; where leaps are hardly longer than the time between
//! two reactions, single reactions follow. A leap that would make a number negative is taken back
//! and halved. Leaps end at output times and wherever the path is interrupted.

use super::exact::{Clockwork, Exact, Reached};
use super::network::{MOST_MOLECULES, Network};
use super::path::Path;
use super::queue::waiting_time;
use super::sums::Sums;
use crate::kernel::Stream;
use crate::simulate::Stop;
use crate::simulate::interrupter::Interrupter;
use crate::system::Law;
use rand_distr::{Distribution, Poisson};

/// Relative change of propensities that a leap may be expected to bring.
const EPSILON: f64 = 0.03;

/// A channel that can happen fewer times than this is critical.
const CRITICAL: f64 = 10.0;

/// Leaps shorter than so many mean times between reactions do not pay.
const SHORT: f64 = 10.0;

/// Single reactions where leaps do not pay.
const SINGLE_STEPS: u64 = 100;

/// The order that a law by `rate` is taken to have in all it reads: the highest that the formulas
/// of the paper know.
const FREE_ORDER: f64 = 3.0;

/// A species that propensities read.
#[derive(Debug, Clone, Copy)]
struct Reactant {
    position: usize,
    /// The order of the reaction of the highest order that it takes part in.
    order: f64,
    /// How many of it that reaction takes.
    coefficient: u32,
}

impl Reactant {
    /// The paper's g: the relative change of a propensity for that of this number.
    fn sensitivity(self, count: f64) -> f64 {
        let count = count.max(f64::from(self.coefficient));
        let each = (0..self.coefficient).map(|taken| count / (count - f64::from(taken)));
        self.order / f64::from(self.coefficient) * each.sum::<f64>()
    }
}

/// Leaps of one path.
struct Leaper {
    reactants: Vec<Reactant>,
    propensities: Vec<f64>,
    is_critical: Vec<bool>,
    /// Mean and variance of the change of each number per time, critical channels left out.
    drift: Vec<f64>,
    spread: Vec<f64>,
    /// Numbers of molecules before a leap.
    before: Vec<f64>,
}

/// What a leap came to.
enum Leap {
    /// A time at which something is due: the stop, or one before.
    Due(f64),
    /// Some time before.
    Done,
    /// Single reactions are as good.
    TooShort,
}

/// A path made of leaps, and of single reactions where these do not pay.
pub(super) fn run<I: Interrupter>(path: &mut Path<'_, I>) -> Result<(), Stop> {
    path.begin()?;
    let mut leaper = Leaper::new(&path.network);
    let channels = path.network.len();
    let mut exact = Exact::with(&path.network, Clockwork::Sums(Sums::new(channels)));
    while path.time < path.work.end {
        let stop = path.next_stop().min(path.rows.next_output_time(path.time));
        match leaper.leap(path, stop)? {
            Leap::Done => {}
            Leap::Due(at) => {
                path.reach(at)?;
            }
            Leap::TooShort => {
                exact.look_anew(path)?;
                if exact.steps(path, stop, SINGLE_STEPS)? == Reached::Stop {
                    path.reach(stop)?;
                }
            }
        }
    }
    Ok(())
}

impl Leaper {
    fn new(network: &Network<'_>) -> Leaper {
        let known = network.propensities;
        let mut highest: Vec<Option<Reactant>> = vec![None; known.counted.len()];
        for (position, readers) in known.readers.iter().enumerate() {
            for reader in readers {
                let channel = &known.channels[*reader];
                let mut own = channel.reactants.iter().filter(|r| r.0 == position);
                let coefficient = own.next().map_or(1, |r| r.1);
                let order: f64 = channel.reactants.iter().map(|r| f64::from(r.1)).sum();
                let order = match channel.law {
                    Law::MassAction(_) => order,
                    Law::Free(_) => order.max(FREE_ORDER),
                };
                let candidate = Reactant {
                    position,
                    order,
                    coefficient,
                };
                let best = &mut highest[position];
                let is_higher =
                    best.is_none_or(|best| (order, coefficient) > (best.order, best.coefficient));
                if is_higher && known.counted[position] {
                    *best = Some(candidate);
                }
            }
        }
        let numbers = known.counted.len();
        Leaper {
            reactants: highest.into_iter().flatten().collect(),
            propensities: vec![0.0; network.len()],
            is_critical: vec![false; network.len()],
            drift: vec![0.0; numbers],
            spread: vec![0.0; numbers],
            before: vec![0.0; numbers],
        }
    }

    /// One leap, at most to `stop`.
    fn leap<I: Interrupter>(&mut self, path: &mut Path<'_, I>, stop: f64) -> Result<Leap, Stop> {
        let time = path.time;
        for channel in 0..path.network.len() {
            self.propensities[channel] = path.network.propensity(channel, time, &path.state)?;
        }
        let total: f64 = self.propensities.iter().sum();
        let critical = self.find_critical(&path.network);
        let mut longest = self.longest(&path.network);
        if let Some(limit) = path.work.options.max_step {
            longest = longest.min(limit);
        }
        loop {
            if longest < SHORT / total && longest < stop - path.time {
                return Ok(Leap::TooShort);
            }
            let single = path.time + waiting_time(critical, &mut path.stream);
            let mut end = (path.time + longest).min(single).min(stop);
            let crossing = path.crossing(end)?;
            end = crossing.unwrap_or(end);
            let is_single = single == end && crossing.is_none() && end < stop;
            let once = is_single.then(|| self.choose_critical(critical, &mut path.stream));
            if !self.fire(path, end - path.time, once) {
                path.statistics.rejected += 1;
                longest = (end - path.time) / 2.0;
                continue;
            }
            path.show_until(end)?;
            path.network.write(&mut path.state);
            if crossing.is_some() || end >= stop {
                path.statistics.steps += 1;
                return Ok(Leap::Due(end));
            }
            path.time = end;
            path.happened()?;
            return Ok(Leap::Done);
        }
    }

    /// Finds the channels that are close to exhausting a reactant; the sum of their propensities.
    fn find_critical(&mut self, network: &Network<'_>) -> f64 {
        let mut sum = 0.0;
        for (at, channel) in network.propensities.channels.iter().enumerate() {
            let used = channel.change.iter().filter(|(_, by)| *by < 0.0);
            let left = used
                .map(|(position, by)| (network.counts[*position] / -by).floor())
                .fold(f64::INFINITY, f64::min);
            let propensity = self.propensities[at];
            self.is_critical[at] = propensity > 0.0 && left < CRITICAL;
            if self.is_critical[at] {
                sum += propensity;
            }
        }
        sum
    }

    /// The longest leap over which propensities stay about what they are (eq. 33).
    fn longest(&mut self, network: &Network<'_>) -> f64 {
        self.drift.fill(0.0);
        self.spread.fill(0.0);
        for (at, channel) in network.propensities.channels.iter().enumerate() {
            if self.is_critical[at] {
                continue;
            }
            for (position, by) in &channel.change {
                let mean = by * self.propensities[at];
                self.drift[*position] += mean;
                self.spread[*position] += by * mean;
            }
        }
        let mut longest = f64::INFINITY;
        for reactant in &self.reactants {
            let count = network.counts[reactant.position];
            let change = (EPSILON * count / reactant.sensitivity(count)).max(1.0);
            let (drift, spread) = (
                self.drift[reactant.position],
                self.spread[reactant.position],
            );
            // Of a number that does not change: infinite.
            longest = longest
                .min(change / drift.abs())
                .min(change * change / spread);
        }
        longest
    }

    /// One of the critical channels, each with its share in their sum.
    fn choose_critical(&self, sum: f64, stream: &mut Stream) -> usize {
        let mut left = stream.uniform() * sum;
        let mut found = 0;
        for (at, propensity) in self.propensities.iter().enumerate() {
            if self.is_critical[at] {
                found = at;
                left -= propensity;
                if left <= 0.0 {
                    break;
                }
            }
        }
        found
    }

    /// Lets every channel that is not critical happen as often as it does in a leap of this length,
    /// and `once` a single time. False when that is impossible: then nothing has changed.
    fn fire<I: Interrupter>(
        &mut self,
        path: &mut Path<'_, I>,
        length: f64,
        once: Option<usize>,
    ) -> bool {
        let Path {
            network, stream, ..
        } = path;
        self.before.copy_from_slice(&network.counts);
        for (at, channel) in network.propensities.channels.iter().enumerate() {
            let times = match once {
                Some(once) if once == at => 1.0,
                _ if self.is_critical[at] => 0.0,
                _ => poisson(self.propensities[at] * length, stream),
            };
            if times > 0.0 {
                for (position, by) in &channel.change {
                    network.counts[*position] += by * times;
                }
            }
        }
        let counts = network.counts.iter().zip(&network.propensities.counted);
        let is_possible = counts
            .into_iter()
            .all(|(count, is_counted)| !is_counted || (0.0..=MOST_MOLECULES).contains(count));
        if !is_possible {
            network.counts.copy_from_slice(&self.before);
        }
        is_possible
    }
}

/// A Poisson number.
fn poisson(mean: f64, stream: &mut Stream) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    // Refused where the mean is so large that the number is the mean to all its digits.
    Poisson::new(mean).map_or(mean.round(), |distribution| distribution.sample(stream))
}
