//! One pass over the data.
//!
//! Enters: a [`Case`]: compiled equations, the values that hold, data by time. Leaves: a
//! [`Filtered`], or the [`Fault`] that ended it.

use super::assumed::{Said, censored, integrated};
use super::equations::{Point, Stochastic};
use super::gaussian::{Gaussian, Moments, Outcome, Seen, Sight, condition, place, shown};
use super::likelihood::{Innovation, Tally};
use super::observe::sights;
use super::predict::Predictor;
use super::stationary::stationary;
use crate::fit::coordinates::Scale;
use crate::fit::family::Datum;
use crate::fit::objective::{Evaluation, Fault, Wanted};
use crate::simulate::{Held, Problem, Varied, VariedStart};

/// What is known at the start.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// The state is at its initial values.
    Given,
    /// The state has the stationary distribution.
    Stationary,
    /// The state is around its initial values with these standard deviations, one per number of
    /// the state vector, on the scale of [`Stochastic::scale`]; large ones say that nothing is
    /// known.
    Spread(Vec<f64>),
}

/// A value that was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    /// Which datum, for innovations and faults.
    pub datum: usize,
    /// Of which observable.
    pub observable: usize,
    /// What was seen, exactly or beyond a limit.
    pub value: Datum,
}

/// What was seen at a time; several looks may share one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Look {
    /// When.
    pub time: f64,
    /// Parameters that have a value of their own here for what is seen, by position: covariates of
    /// the data, which do not drive the state.
    pub own: Vec<(usize, f64)>,
    /// What; missing values are left out.
    pub seen: Vec<Sighting>,
}

/// One series of data and the values that hold for it.
pub struct Case<'c> {
    /// Which run, for faults.
    pub run: usize,
    /// The compiled equations.
    pub equations: &'c Stochastic,
    /// Values, doses and inputs, for the declared equations.
    pub problem: Problem<'c>,
    /// When the run starts.
    pub start: f64,
    /// What is known then.
    pub from: &'c Start,
    /// What is differentiated by; initial values by their positions among the states.
    pub varied: &'c [Varied],
    /// Which values were set.
    pub held: Held<'c>,
    /// The size of each number of the state vector: says how small a change matters.
    pub sizes: &'c [f64],
    /// By time, ascending, from the start on.
    pub data: &'c [Look],
    /// Data with a law of their own are to have scores.
    pub is_scored: bool,
    /// True when the user wants to stop.
    pub interrupted: &'c (dyn Fn() -> bool + Sync),
}

/// What is foretold of the state at a time from the data before, on the scale of
/// [`Stochastic::scale`].
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// When.
    pub time: f64,
    /// Before the data of this time.
    pub before: Moments,
    /// After them.
    pub after: Moments,
}

/// What a pass finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Filtered {
    /// Minus the log-likelihood, with derivatives.
    pub evaluation: Evaluation,
    /// One per datum that was not certain, in the order in which data were taken.
    pub innovations: Vec<Innovation>,
    /// One per time.
    pub predicted: Vec<Predicted>,
}

/// Runs a filter over the data.
///
/// A datum seen without noise at a start that is given is the start, where it shows one state: the
/// likelihood is that of the others given it. Data of the time of a dose see it given.
///
/// # Errors
/// No stationary distribution; an integration that ends early; a datum without density.
pub fn filter(case: &Case<'_>, wanted: Wanted) -> Result<Filtered, Fault> {
    let quantities = match wanted {
        Wanted::Value => &[],
        Wanted::Gradient | Wanted::Residuals => case.varied,
    };
    let varied = VariedStart::new(
        &case.equations.declared,
        &case.equations.declared_kernels,
        case.start,
        &case.problem.parameters,
        &case.problem.initial,
        quantities,
        case.held,
    );
    let mut point = Point::new(case.equations, &case.problem.parameters, &varied.parameters);
    let mut pass = Pass {
        tally: Tally::new(quantities.len(), wanted),
        innovations: Vec::new(),
        predicted: Vec::with_capacity(case.data.len()),
        known: start(case, &mut point, &varied)?,
        placed: Vec::new(),
        case,
    };
    let mut predictor = Predictor::new(case, &mut point, &varied);
    predictor.begin(&mut point, &mut pass.known)?;
    let mut time = case.start;
    for look in case.data {
        if (case.interrupted)() {
            return Err(Fault::Interrupted);
        }
        if look.time > time {
            predictor.advance(&mut point, &mut pass.known, (time, look.time))?;
            time = look.time;
        }
        pass.take(&mut point, look)?;
    }
    Ok(Filtered {
        evaluation: pass.tally.evaluation,
        innovations: pass.innovations,
        predicted: pass.predicted,
    })
}

/// What is known at the start.
fn start(case: &Case<'_>, point: &mut Point<'_>, varied: &VariedStart) -> Result<Gaussian, Fault> {
    let n = case.equations.dimension();
    let moments = |numbers: &[f64]| Moments {
        mean: numbers.to_vec(),
        covariance: vec![0.0; n * n],
    };
    let mut blocks = varied.state.chunks_exact(n.max(1)).map(moments);
    let mut known = Gaussian {
        value: blocks.next().unwrap_or_default(),
        along: blocks.collect(),
    };
    if case.equations.scale == Scale::Logarithmic {
        logarithms(&mut known);
    }
    if known.value.mean.iter().any(|value| !value.is_finite()) {
        return Err(Fault::NoStart { run: case.run });
    }
    match case.from {
        Start::Given => {}
        Start::Spread(deviations) => {
            for (at, deviation) in deviations.iter().enumerate().take(n) {
                known.value.covariance[at * (n + 1)] = deviation * deviation;
            }
        }
        Start::Stationary => {
            let found = stationary(case, point, &known.value.mean);
            known = found.ok_or(Fault::NoStart { run: case.run })?;
        }
    }
    Ok(known)
}

/// The states' logarithms in place of the states; not a number where a state is not positive.
fn logarithms(known: &mut Gaussian) {
    for along in &mut known.along {
        for (moved, value) in along.mean.iter_mut().zip(&known.value.mean) {
            *moved /= value;
        }
    }
    for value in &mut known.value.mean {
        *value = if *value > 0.0 { value.ln() } else { f64::NAN };
    }
}

/// What a pass has come to.
struct Pass<'c> {
    case: &'c Case<'c>,
    known: Gaussian,
    /// States that data put where they start.
    placed: Vec<usize>,
    tally: Tally,
    innovations: Vec<Innovation>,
    predicted: Vec<Predicted>,
}

impl Pass<'_> {
    /// Takes all data of a time.
    fn take(&mut self, point: &mut Point<'_>, look: &Look) -> Result<(), Fault> {
        point.set_own(&look.own);
        let sights = sights(point, look.time, &self.known);
        let before = self.known.clone();
        for sighting in &look.seen {
            let sights = sights.get(sighting.observable);
            let taken =
                sights.and_then(|sights| self.datum(point, look, (&before, sights), sighting));
            taken.ok_or(Fault::NoDensity {
                run: self.case.run,
                datum: sighting.datum,
            })?;
        }
        self.predicted.push(Predicted {
            time: look.time,
            before: before.value,
            after: self.known.value.clone(),
        });
        Ok(())
    }

    /// Takes a datum; `None` where it has no density.
    fn datum(
        &mut self,
        point: &mut Point<'_>,
        look: &Look,
        (before, (sight, along)): (&Gaussian, &(Sight, Vec<Sight>)),
        sighting: &Sighting,
    ) -> Option<()> {
        let (k, equations) = (sighting.observable, self.case.equations);
        let scale = equations.seen_scales.get(k).copied();
        let scale = scale.unwrap_or(Scale::Linear);
        let (Datum::Exactly(value) | Datum::Below(value) | Datum::Above(value)) = sighting.value;
        let value = scale.inner(value);
        let seen = Seen {
            value,
            sight: sight.clone(),
            along: along.clone(),
        };
        if equations.laws.get(k).is_some_and(Option::is_some) {
            let known = (&mut self.known, before);
            let datum = (sighting.value, self.case.is_scored);
            let said = integrated(point, (k, look.time), known, &seen, datum)?;
            self.said(said, (look.time, value), sighting.datum);
            return Some(());
        }
        match sighting.value {
            Datum::Exactly(_) if value.is_finite() => {
                self.normal((look.time, before), (&seen, scale), sighting.datum)
            }
            // What has a logarithm is always above a limit that has none.
            Datum::Above(_) if !value.is_finite() => Some(()),
            _ if !value.is_finite() => None,
            limit => {
                let is_below = matches!(limit, Datum::Below(_));
                let said = censored(&mut self.known, before, &seen, is_below)?;
                self.said(said, (look.time, value), sighting.datum);
                Some(())
            }
        }
    }

    /// Takes a normal datum on a scale.
    fn normal(
        &mut self,
        (time, before): (f64, &Gaussian),
        (seen, scale): (&Seen, Scale),
        datum: usize,
    ) -> Option<()> {
        if self.is_start(time, before, seen)
            && let Some(at) = shown(seen).filter(|at| !self.placed.contains(at))
        {
            place(&mut self.known, before, seen, at);
            self.placed.push(at);
            return Some(());
        }
        match condition(&mut self.known, before, seen) {
            Outcome::Informs(deviation, along) => {
                self.tally.add(deviation, &along);
                if scale == Scale::Logarithmic {
                    self.tally.evaluation.value += seen.value;
                }
                self.innovations.push(Innovation {
                    datum,
                    time,
                    expected: seen.value - deviation.value,
                    variance: deviation.variance,
                    deviation: deviation.value,
                    score: Some(deviation.value / deviation.variance.sqrt()),
                    parameters: Vec::new(),
                });
                Some(())
            }
            Outcome::Agrees => Some(()),
            Outcome::Contradicts => None,
        }
    }

    /// Adds a datum that is not normal.
    fn said(&mut self, said: Said, (time, value): (f64, f64), datum: usize) {
        let (expected, variance) = said.expected;
        self.innovations.push(Innovation {
            datum,
            time,
            expected,
            variance,
            deviation: value - expected,
            score: said.score,
            parameters: said.parameters.clone(),
        });
        self.tally.add_said(said);
    }

    /// Whether a datum seen without noise shows a start that is certain.
    fn is_start(&self, time: f64, before: &Gaussian, seen: &Seen) -> bool {
        *self.case.from == Start::Given
            && time <= self.case.start
            && seen.sight.variance == 0.0
            && before.value.covariance.iter().all(|entry| *entry == 0.0)
    }
}
