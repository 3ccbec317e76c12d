//! `fit`: parameters from data.
//!
//! ```text
//! sentence --sentence.rs--> Fit
//!   quantities.rs  what is fitted: scales, bounds, priors
//!   lens.rs        what is seen of the model: observations as functions
//!   data.rs        the table, by run
//!   runs.rs        how each run is made
//!   objective.rs   minus the log-likelihood, with exact derivatives
//! ```

mod data;
mod lens;
mod objective;
mod quantities;
mod runs;
mod sentence;

pub use data::{Data, Look, Point, RunData};
pub use lens::{Lens, Seen};
pub use objective::{Likelihood, Looked};
pub use quantities::Fitted;
pub use runs::FitRun;
pub(super) use sentence::lower;
pub use sentence::{Fit, Way};

use super::compiled::Compiled;
use super::outcome::{Outcome, Performed};
use super::tables::{Columns, Tables};
use super::values::Overrides;
use super::{Observer, Session};
use crate::diagnostic::Diagnostic;
use crate::fit::{Objective, Wanted};
use crate::world::World;
use std::sync::Arc;

/// Understands a sentence and its data: everything that can be refused before anything is run.
///
/// # Errors
/// All problems of the sentence, its names and its tables.
pub(super) fn understood<'w>(
    compiled: &Arc<Compiled>,
    tables: &Tables<'_>,
    overrides: &Overrides,
    command: &Fit,
    world: &'w dyn World,
) -> Result<(Likelihood<'w>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let present = compiled.present(overrides);
    let mut problems = Vec::new();
    let fitted = quantities::fitted(compiled, &present, &command.quantities, command.span)
        .map_err(|found| problems.extend(found))
        .ok();
    let read = tables
        .read(&command.data.path)
        .map_err(|problem| vec![problem])
        .and_then(|table| {
            let columns = Columns::new(&table, &command.data.columns, command.data.path.span);
            let declared = !compiled.model.observations.is_empty();
            let has = data::observed_names(&columns);
            let lens = Lens::new(compiled, &|name| declared || has(name));
            let read = data::read(compiled, &lens, &table, &columns)?;
            Ok((lens, read))
        })
        .map_err(|found| problems.extend(found))
        .ok();
    let (Some(fitted), Some((lens, (data, mut warnings)))) = (fitted, read) else {
        return Err(problems);
    };
    let (runs, more) = runs::runs(compiled, tables, overrides, command, data.runs)?;
    warnings.extend(more);
    let likelihood = Likelihood {
        compiled: Arc::clone(compiled),
        lens: Arc::new(lens),
        fitted,
        runs,
        world,
    };
    Ok((likelihood, warnings))
}

/// What can be refused without running anything.
pub(super) fn check(
    compiled: &Arc<Compiled>,
    tables: &Tables<'_>,
    overrides: &Overrides,
    command: &Fit,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    understood(compiled, tables, overrides, command, tables.world()).map(|(_, warnings)| warnings)
}

impl Session {
    pub(super) fn fit(
        &mut self,
        command: &Fit,
        _observer: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let world = Arc::clone(&self.world);
        let tables = Tables::new(&*world, self.data_folder());
        let (likelihood, diagnostics) =
            understood(&compiled, &tables, &self.overrides, command, &*world)?;
        let at: Vec<f64> = likelihood.fitted.iter().map(|known| known.start).collect();
        let found = likelihood.evaluate(&at, Wanted::Residuals);
        for (j, known) in likelihood.fitted.iter().enumerate() {
            let h = 1e-5 * at[j].abs().max(1e-8);
            let step = |s: f64| {
                let mut at = at.clone();
                at[j] += s * h;
                likelihood.evaluate(&at, Wanted::Value).map(|e| e.value)
            };
            if let (Ok(a), Ok(b), Ok(e)) = (step(1.0), step(-1.0), &found) {
                let k = likelihood.fitted.len();
                let jr: f64 = e.residuals.iter().zip(e.jacobian.chunks(k)).map(|(r, row)| r * row[j]).sum();
                eprintln!("{} {} gradient {} differences {} J'r {}", known.name, at[j], e.gradient[j], (a - b) / (2.0 * h), jr);
            }
        }
        eprintln!("{:?}", found.map(|f| f.value));
        Ok(Performed {
            outcome: Outcome::Reset,
            diagnostics,
        })
    }
}
