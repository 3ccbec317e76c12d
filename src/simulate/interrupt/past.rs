//! What was before, for equations with delays: it begins, comes back, and is interrupted.
//!
//! In: times and states of a run as it goes on. Out: delayed values that hold, discontinuities that
//! come back, and derivatives through them. Must not know what happens otherwise.

use super::Interruptions;
use crate::simulate::Stop;
use crate::simulate::delayed::Delayed;
use crate::simulate::interrupter::Consequence;
use crate::simulate::sensitivity::Variation;

impl Interruptions<'_> {
    /// The past before the start, from the values that the run begins with.
    pub(super) fn begin_delays(&mut self, state: &[f64]) -> Result<(), Stop> {
        let system = self.functions.system;
        if system.delays.is_empty() {
            return Ok(());
        }
        let mut delayed = Delayed::new(
            system,
            self.problem.kernels,
            &self.dynamics.parameters(),
            self.range,
            state,
        )?;
        if let Some(variation) = &self.variation {
            variation.remember(&mut delayed);
        }
        self.dynamics.set_delayed(delayed);
        self.shift_lags(self.range.0, state);
        Ok(())
    }

    /// Goes on to a time at which discontinuities of the past may come back. Where the equations
    /// jump at a time that moves, derivatives do.
    pub(super) fn discontinuities_return(&mut self, time: f64, state: &mut [f64]) -> Consequence {
        let returning = self
            .dynamics
            .with_delayed(|delayed| delayed.returning(time));
        let moment = match &self.variation {
            Some(_) => returning.flatten(),
            None => None,
        };
        if let (Some(moment), Some(variation)) = (&moment, &mut self.variation) {
            variation.open(moment, time, state);
        }
        let returns = self.dynamics.with_delayed(|delayed| delayed.pass(time));
        if let (Some(_), Some(variation)) = (&moment, &mut self.variation) {
            variation.close(time, state);
            variation.take_moment();
        }
        returns.unwrap_or(Consequence::Nothing)
    }

    /// Works out how the lags move.
    fn shift_lags(&mut self, time: f64, state: &[f64]) {
        if let Some(variation) = &mut self.variation {
            let shifts = variation.lags(time, state);
            self.dynamics
                .with_delayed(|delayed| delayed.shift_lags(shifts));
        }
    }

    /// Notes that something happened now, which will come back.
    pub(super) fn remember(
        &mut self,
        consequence: Consequence,
        time: f64,
        state: &[f64],
    ) -> Result<(), Stop> {
        let moment = self.variation.as_mut().map(Variation::take_moment);
        let lags_change = self.dynamics.with_delayed(|delayed| {
            delayed.interrupted(consequence, moment.unwrap_or_default());
            if consequence < Consequence::Equations {
                return Ok(false);
            }
            let parameters = self.dynamics.parameters();
            delayed.read_lags(self.problem.kernels, &parameters)?;
            Ok(true)
        });
        if lags_change.unwrap_or(Ok(false))? {
            self.shift_lags(time, state);
        }
        Ok(())
    }
}
