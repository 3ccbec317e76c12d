//! The run that a sweep repeats, with what changes from member to member.
//!
//! Enters: the run, and what is swept. Leaves: the values and the plan of each member. Must not know
//! what is taken from runs.

use super::super::command::Simulate;
use super::super::compiled::Compiled;
use super::super::simulate::{Plan, plan, with_setting};
use super::super::tables::Tables;
use super::super::tolerances;
use super::super::trajectory::Trajectory;
use super::super::values::{self, Overrides, Present};
use super::axes::Axis;
use super::sentence::Sweep;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Target;
use crate::symbolic::symbols_of;

/// The run that a sweep repeats, with what changes from member to member.
pub(super) struct Base {
    /// At the values that hold without the sweep.
    plan: Plan,
    /// What is set, `with` included.
    overrides: Overrides,
    /// The absolute tolerance that the sentence states.
    absolute: Option<f64>,
    /// The state at the start is not the declared one: it follows no parameter.
    starts_elsewhere: bool,
    /// Nothing is computed from what is swept before a run begins.
    stands_alone: bool,
}

/// Works out the run that a sweep repeats.
///
/// # Errors
/// All problems of the run.
pub(super) fn base(
    compiled: &Compiled,
    tables: &Tables<'_>,
    overrides: &Overrides,
    before: Option<&Trajectory>,
    (command, run): (&Sweep, &Simulate),
    axes: &[Axis],
) -> Result<(Base, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut run = run.clone();
    run.setting.with.extend(command.setting.with.clone());
    if command.setting.condition.is_some() {
        run.setting.condition.clone_from(&command.setting.condition);
    }
    let mut plan = plan(compiled, tables, overrides, before, &run)?;
    if plan.paths.is_some() {
        return Err(vec![
            Diagnostic::new(
                Code::BadOption,
                "a sweep makes one path for each value, and this run makes many",
            )
            .at(run.span, "")
            .help("simulate without `paths` first; `seed 7` chooses the path"),
        ]);
    }
    let warnings = std::mem::take(&mut plan.warnings);
    let mut overrides = with_setting(compiled, overrides, &run.setting)?;
    let present = compiled.present(&overrides);
    let absolute = run.absolute.as_ref();
    let absolute = absolute
        .map(|expr| compiled.number(expr, &present))
        .transpose()?;
    for axis in axes {
        axis.set(&mut overrides, f64::NAN);
    }
    plan.held = overrides.held(compiled.model.parameters.len());
    let base = Base {
        plan,
        overrides,
        absolute,
        starts_elsewhere: run.from_last || run.from_steady.is_some(),
        stands_alone: stand_alone(compiled, axes),
    };
    Ok((base, warnings))
}

/// True when no parameter and no initial value is computed from what is swept.
fn stand_alone(compiled: &Compiled, axes: &[Axis]) -> bool {
    let (model, system) = (&compiled.model, &compiled.system);
    let symbols: Vec<_> = axes
        .iter()
        .filter_map(|axis| match axis.target {
            Target::Parameter(id) => system.parameters.blocks().get(id.index()),
            Target::State(id) => system.states.blocks().get(id.index()),
        })
        .map(|block| block.symbol)
        .collect();
    let is_volume = |axis: &Axis| match axis.target {
        Target::Parameter(id) => model
            .parameters
            .get(id.index())
            .is_some_and(|p| p.is_compartment),
        Target::State(_) => false,
    };
    let mut values = system.parameter_values.iter().chain(&system.initial);
    !axes.iter().any(is_volume)
        && values.all(|value| {
            let mut read = symbols_of(&system.pool, *value).into_iter();
            !read.any(|symbol| symbols.contains(&symbol))
        })
}

impl Base {
    /// First and last time.
    pub fn range(&self) -> (f64, f64) {
        (
            self.plan.options.shown_from.unwrap_or(self.plan.start),
            self.plan.end,
        )
    }

    /// The plan without the values of a member.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The parameters and the state that a member begins with.
    ///
    /// # Errors
    /// Values that make another one infinite, or a volume that is not positive.
    pub fn start(
        &self,
        compiled: &Compiled,
        axes: &[Axis],
        values: &[f64],
    ) -> Result<Start, Vec<Diagnostic>> {
        if !self.stands_alone {
            let present = self.present(compiled, axes, values)?;
            return Ok(self.start_of(&present, axes, values));
        }
        let mut start = Start {
            parameters: self.plan.parameters.clone(),
            initial: self.plan.initial.clone(),
        };
        start.put(axes, values);
        Ok(start)
    }

    /// All values of a member as they are declared.
    fn present(
        &self,
        compiled: &Compiled,
        axes: &[Axis],
        values: &[f64],
    ) -> Result<Present, Vec<Diagnostic>> {
        let mut overrides = self.overrides.clone();
        for (axis, value) in axes.iter().zip(values) {
            axis.set(&mut overrides, *value);
        }
        let present = compiled.present(&overrides);
        values::check_finite(compiled, &present)?;
        Ok(present)
    }

    fn start_of(&self, present: &Present, axes: &[Axis], values: &[f64]) -> Start {
        let initial = if self.starts_elsewhere {
            &self.plan.initial
        } else {
            &present.initial
        };
        let mut start = Start {
            parameters: present.parameters.clone(),
            initial: initial.clone(),
        };
        start.put(axes, values);
        start
    }

    /// The plan of a member.
    ///
    /// # Errors
    /// Those of [`Base::start`].
    pub fn member(
        &self,
        compiled: &Compiled,
        axes: &[Axis],
        values: &[f64],
    ) -> Result<Plan, Vec<Diagnostic>> {
        let present = self.present(compiled, axes, values)?;
        let start = self.start_of(&present, axes, values);
        let mut plan = self.plan.clone();
        if start.initial != plan.initial {
            plan.options.tolerances.absolute =
                tolerances::absolute(compiled, plan.options.method, &start.initial, self.absolute);
        }
        plan.parameters = start.parameters;
        plan.initial = start.initial;
        plan.declared = present.initial;
        Ok(plan)
    }

    /// True when all members have the tolerances of the plan: the absolute ones follow the size of
    /// the state at the start.
    pub fn has_common_tolerances(&self, axes: &[Axis]) -> bool {
        let is_state = |axis: &Axis| matches!(axis.target, Target::State(_));
        let starts_alike = self.starts_elsewhere || self.stands_alone;
        self.absolute.is_some() || (starts_alike && !axes.iter().any(is_state))
    }
}

/// What a member begins with.
pub(super) struct Start {
    pub parameters: Vec<f64>,
    pub initial: Vec<f64>,
}

impl Start {
    /// Puts the values of a member in their places.
    fn put(&mut self, axes: &[Axis], values: &[f64]) {
        for (axis, value) in axes.iter().zip(values) {
            let numbers = match axis.target {
                Target::Parameter(_) => &mut self.parameters,
                Target::State(_) => &mut self.initial,
            };
            if let Some(place) = numbers.get_mut(axis.position) {
                *place = *value;
            }
        }
    }
}
