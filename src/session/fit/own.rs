//! The values of one run at values of what is fitted: those of its condition, its subject and the
//! sentence, and how they move.
//!
//! Enters: what is set for the run. Leaves: parameters, initial values and their derivatives. Must
//! not know data and plans.

use super::super::command::Setting;
use super::super::compiled::Compiled;
use super::super::sensitivity::held;
use super::super::simulate::with_setting;
use super::super::values::{self, Overrides, Present, check_finite};
use super::quantities::{Fitted, difference};
use crate::diagnostic::Diagnostic;
use crate::model::{self, Target, ValueOf};
use crate::simulate::{Held, Varied, VariedStart};
use crate::symbolic::{Pool, SymbolId, symbols_of};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// The values of one run, but for what is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Own {
    /// What is set.
    pub(super) overrides: Overrides,
    /// Which of the fitted quantities the condition of the run gives a value of its own.
    pub(super) replaced: Vec<bool>,
    /// Values of the condition that follow what is fitted.
    following: Option<Arc<Following>>,
}

/// Values that a condition sets and that follow what is fitted: set anew each time.
#[derive(Debug, Clone)]
struct Following {
    /// What is set without them.
    before: Overrides,
    settings: Vec<model::Setting>,
    pool: Pool,
}

impl PartialEq for Following {
    fn eq(&self, other: &Following) -> bool {
        // Expressions of one model: the condition tells them apart by its settings.
        self.before == other.before && self.settings == other.settings
    }
}

impl Own {
    /// The values of a run under a condition and `with`, on top of `base`.
    ///
    /// # Errors
    /// Unknown names, values that do not fit.
    pub(super) fn new(
        compiled: &Compiled,
        base: &Overrides,
        setting: &Setting,
        fitted: &[Fitted],
    ) -> Result<Own, Vec<Diagnostic>> {
        let overrides = with_setting(compiled, base, setting)?;
        let name = setting.condition.as_ref();
        let condition = name.and_then(|name| compiled.model.condition(&name.text));
        let Some(condition) = condition else {
            return Ok(Own {
                overrides,
                replaced: vec![false; fitted.len()],
                following: None,
            });
        };
        let sets = |known: &Fitted| {
            condition.settings.iter().any(|setting| {
                let whole = setting.element.is_none() || setting.element == known.element;
                setting.target == known.target && whole
            })
        };
        let following = match follows(compiled, &condition.settings, fitted) {
            false => None,
            true => Some(following(compiled, base, setting, &condition.settings)?),
        };
        Ok(Own {
            overrides,
            replaced: fitted.iter().map(sets).collect(),
            following: following.map(Arc::new),
        })
    }

    /// Values that are set, under no condition.
    #[cfg(test)]
    pub(super) fn of(overrides: Overrides) -> Own {
        Own {
            overrides,
            replaced: Vec::new(),
            following: None,
        }
    }

    /// True for a fitted quantity that has another value in this run.
    pub(super) fn replaces(&self, quantity: usize) -> bool {
        self.replaced.get(quantity).copied().unwrap_or(false)
    }

    /// True where the condition has a say in what is fitted.
    pub(super) fn sets_fitted(&self) -> bool {
        self.following.is_some() || self.replaced.contains(&true)
    }

    /// All values with those of the fitted quantities; `None` where one is not finite.
    pub(super) fn at(
        &self,
        compiled: &Compiled,
        fitted: &[Fitted],
        at: &[f64],
    ) -> Option<(Overrides, Present)> {
        let overrides = self.overrides_at(compiled, fitted, at);
        let present = compiled.present(&overrides);
        let numbers = present.parameters.iter().chain(&present.initial);
        // Looked at closely only when something is wrong: this is done over and over.
        if numbers.into_iter().all(|number| number.is_finite())
            || check_finite(compiled, &present).is_ok()
        {
            Some((overrides, present))
        } else {
            None
        }
    }

    fn overrides_at(&self, compiled: &Compiled, fitted: &[Fitted], at: &[f64]) -> Overrides {
        let pairs = || fitted.iter().zip(at).enumerate();
        let Some(following) = &self.following else {
            let mut overrides = self.overrides.clone();
            for (at, (quantity, value)) in pairs() {
                if !self.replaces(at) {
                    quantity.set(&mut overrides, *value);
                }
            }
            return overrides;
        };
        let mut overrides = following.before.clone();
        for (_, (quantity, value)) in pairs() {
            quantity.set(&mut overrides, *value);
        }
        let mut pool = following.pool.clone();
        let (model, system) = (&compiled.model, &compiled.system);
        values::apply(model, system, &mut pool, &overrides, &following.settings)
    }

    /// How the run begins, with derivatives by what is fitted.
    pub(super) fn varied(
        &self,
        compiled: &Compiled,
        fitted: &[Fitted],
        at: &[f64],
        (overrides, present): (&Overrides, &Present),
    ) -> VariedStart {
        let varied: Vec<Varied> = fitted.iter().map(|known| known.varied).collect();
        let (parameters, initial) = held(compiled, overrides, false);
        let mut start = VariedStart::new(
            &compiled.system,
            &compiled.kernels,
            compiled.model.time.start,
            &present.parameters,
            &present.initial,
            &varied,
            Held {
                parameters: &parameters,
                initial: &initial,
            },
        );
        let n = compiled.system.states.len();
        for j in 0..fitted.len() {
            let moved = match (&self.following, self.replaces(j)) {
                (Some(_), _) => self.moved(compiled, fitted, at, j),
                // What has another value in this run moves nothing.
                (None, true) => (vec![0.0; present.parameters.len()], vec![0.0; n]),
                (None, false) => continue,
            };
            if let Some(row) = start.parameters.get_mut(j) {
                *row = moved.0;
            }
            if let Some(block) = start.state.get_mut(n * (1 + j)..n * (2 + j)) {
                block.copy_from_slice(&moved.1);
            }
        }
        start
    }

    /// How parameters and initial values move with a quantity that settings follow: by central
    /// differences of their expressions, which are exact for linear ones.
    fn moved(
        &self,
        compiled: &Compiled,
        fitted: &[Fitted],
        at: &[f64],
        j: usize,
    ) -> (Vec<f64>, Vec<f64>) {
        let numbers = |at: &[f64]| {
            let Present {
                mut parameters,
                initial,
                ..
            } = compiled.present(&self.overrides_at(compiled, fitted, at));
            parameters.extend(initial);
            Ok::<_, std::convert::Infallible>(parameters)
        };
        let Ok(mut slopes) = difference(fitted, (at, j), Vec::new, numbers);
        let initial = slopes.split_off(compiled.system.parameters.len());
        (slopes, initial)
    }
}

/// What is set anew each time: the values of the condition, but for what `with` sets.
fn following(
    compiled: &Compiled,
    base: &Overrides,
    setting: &Setting,
    settings: &[model::Setting],
) -> Result<Following, Vec<Diagnostic>> {
    let alone = Setting {
        with: setting.with.clone(),
        condition: None,
    };
    let named = |wanted: Target| {
        let name = values::target_name(&compiled.model, wanted);
        setting
            .with
            .iter()
            .any(|binding| binding.name.name.text == name)
    };
    let settings = settings.iter().filter(|setting| !named(setting.target));
    Ok(Following {
        before: with_setting(compiled, base, &alone)?,
        settings: settings.cloned().collect(),
        pool: Pool::continuing(&compiled.system.pool),
    })
}

/// True where a value of a condition moves with what is fitted.
fn follows(compiled: &Compiled, settings: &[model::Setting], fitted: &[Fitted]) -> bool {
    let (model, system) = (&compiled.model, &compiled.system);
    let symbol = |target: Target| match target {
        Target::Parameter(id) => model.parameters[id.index()].symbol,
        Target::State(id) => model.states[id.index()].symbol,
    };
    // What is fitted, and the parameters that follow it.
    let mut moving: FxHashSet<SymbolId> = fitted.iter().map(|known| symbol(known.target)).collect();
    for value in &model.value_order {
        if let ValueOf::Parameter(id) = value {
            let read = symbols_of(&system.pool, system.parameter_values[id.index()]);
            if read.iter().any(|symbol| moving.contains(symbol)) {
                moving.insert(model.parameters[id.index()].symbol);
            }
        }
    }
    settings.iter().any(|setting| {
        let mut pool = Pool::continuing(&system.pool);
        let value = system.inline(&mut pool, setting.value);
        let read = symbols_of(&pool, value);
        read.iter().any(|symbol| moving.contains(symbol))
    })
}
