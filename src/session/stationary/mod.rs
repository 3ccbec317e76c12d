//! `stationary`: the distribution that noise spreads around a stable steady state.
//!
//! Enters: a command and the session's values. Leaves: a [`StationaryAnswer`]. The steady state is
//! found as `steady` finds it, with Stratonovich noise read in the Itô sense; a model that
//! declares no noise is given that of its reactions. Must not know how moments are computed.

mod figure;
mod words;

use super::command::{Command, Stationary};
use super::compiled::Compiled;
use super::lower::{setting, subjects_without_vs};
use super::options::Options;
use super::outcome::{Outcome, Performed};
use super::rest::AtRest;
use super::steady::{self, SteadyAnswer};
use super::values::Overrides;
use super::{Observer, Session};
use crate::analyze::stationary::{self as moments, Noise, Question};
use crate::analyze::{self, Motion, Place, Reached};
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::kernel::{Kernels, Scratch, SharedKernel};
use crate::model;
use crate::simulate::CompiledDynamics;
use crate::source::Span;
use crate::symbolic::Pool;
use crate::syntax::{self, tree};
use crate::system::{self, Source, System};
use crate::world::World;
use std::path::PathBuf;
use std::sync::Arc;

/// A stationary distribution with the names of its model.
#[derive(Debug, Clone)]
pub struct StationaryAnswer {
    /// The model.
    pub compiled: Arc<Compiled>,
    /// The parameter values that it holds for.
    pub parameters: Vec<f64>,
    /// The distribution.
    pub found: moments::Stationary,
    /// Positions of the states to report.
    pub shown: Vec<usize>,
    /// Times between two looks at which the autocorrelation is reported.
    pub lags: Vec<f64>,
    /// Whose noise it is.
    pub noise: NoiseOf,
    /// For each state the variance of its number of molecules over the mean; not a number where
    /// that means nothing.
    pub fano: Vec<f64>,
    /// What the model has and this leaves out: `doses`, `events`.
    pub left_out: Vec<&'static str>,
}

/// Whose noise it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoiseOf {
    /// `W'` in the equations.
    Equations,
    /// `noise intrinsic` with this many molecules per unit of amount.
    Reactions(f64),
    /// Both.
    Both(f64),
    /// Nothing is declared: that of the reactions, with amounts as numbers of molecules.
    Undeclared,
}

/// `stationary x, y at 0.5, 1 with k = 2 in knockout to "figure.svg"`
pub(super) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let why = "states stand after each other here";
    let shown = subjects_without_vs(sentence, &mut options, why, "as in `stationary x, y`");
    let lags = match options.take("at") {
        None => Vec::new(),
        Some(option) => {
            if option.values.is_empty() || !option.bindings.is_empty() {
                options.problem(
                    Diagnostic::new(Code::BadOption, "`at` is followed by lags")
                        .at(option.span, "")
                        .help("as in `stationary at 0.5, 1, 2`"),
                );
            }
            option.values.clone()
        }
    };
    let from_last = steady::from_last(&mut options).is_some();
    let setting = setting(&mut options);
    let to = options.text("to");
    if let Some(path) = &to {
        let ending = path.text.rsplit('.').next().unwrap_or("").to_lowercase();
        if !crate::figure::FILE_ENDINGS.contains(&ending.as_str()) {
            options.problem(
                Diagnostic::new(Code::CannotDraw, "figures are drawn as SVG or PNG")
                    .at(path.span, "this ending means something else")
                    .help("end the name in `.svg` or `.png`"),
            );
        }
    }
    options.finish(|| {
        Ok(Command::Stationary(Box::new(Stationary {
            span,
            shown,
            lags,
            setting,
            from_last,
            to,
        })))
    })
}

/// What can be refused without computing anything.
pub(super) fn check(
    compiled: &Compiled,
    overrides: &Overrides,
    command: &Stationary,
) -> Result<(), Vec<Diagnostic>> {
    refuse(compiled, command.span)?;
    let at_rest = AtRest::new(compiled, overrides, &command.setting, None, command.span)?;
    noisy(compiled, at_rest.system(), command.span)?;
    shown(compiled, &command.shown)?;
    lags(compiled, &at_rest, &command.lags)?;
    Ok(())
}

fn refuse(compiled: &Compiled, span: Span) -> Result<(), Vec<Diagnostic>> {
    let model = &compiled.model;
    if model.motion == model::Motion::Map {
        return Err(vec![
            Diagnostic::new(
                Code::NotForMaps,
                "a map has no stationary distribution here",
            )
            .at(span, "")
            .help("`stationary` is about noise in continuous time, `x' = -x + s*W'`"),
        ]);
    }
    if let Some(delay) = model.delays.first() {
        return Err(vec![
            Diagnostic::new(
                Code::NotPerformed,
                "this version of Lotka does not describe the noise of equations with delays",
            )
            .at(span, "")
            .at(delay.span, "what was before counts here")
            .help("`steady` finds where they rest"),
        ]);
    }
    Ok(())
}

/// The system with its noise in the Itô sense, and whose noise it is.
fn noisy(
    compiled: &Compiled,
    system: &System,
    span: Span,
) -> Result<(System, Option<NoiseOf>), Vec<Diagnostic>> {
    let model = &compiled.model;
    if system.noise.is_some() {
        return Ok((system.in_ito_form(), None));
    }
    if model.reactions.is_empty() {
        return Err(vec![
            Diagnostic::new(Code::NotStationary, "the model has no noise")
                .at(span, "nothing would spread")
                .help("declare `wiener W` and let it drive an equation, as in `x' = -x + s*W'`; reactions have noise of their own"),
        ]);
    }
    let mixed = model
        .reactions
        .iter()
        .find(|known| known.reversible && !known.mass_action);
    if let Some(reaction) = mixed {
        return Err(vec![
            Diagnostic::new(
                Code::BadNoise,
                "the noise of this reaction is not known from its net rate",
            )
            .at(reaction.span, "both ways in one rate")
            .at(span, "")
            .help(
                "each way has noise of its own: write two reactions with `->`, each with its rate",
            ),
        ]);
    }
    Ok((
        system::of_reactions(model, system),
        Some(NoiseOf::Undeclared),
    ))
}

/// Positions of the states that are named; all when none is.
fn shown(compiled: &Compiled, named: &[tree::Expr]) -> Result<Vec<usize>, Vec<Diagnostic>> {
    let names = compiled.state_names();
    if named.is_empty() {
        return Ok((0..names.len()).collect());
    }
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for expr in named {
        let text = syntax::show_expression(expr);
        let states = compiled
            .model
            .states
            .iter()
            .zip(compiled.system.states.blocks());
        let whole = states
            .filter(|(state, _)| state.name == text)
            .flat_map(|(_, block)| block.range());
        let mut own: Vec<usize> = whole.collect();
        if own.is_empty() {
            own.extend(names.iter().position(|name| *name == text));
        }
        if own.is_empty() {
            let near = did_you_mean(&text, names.iter().map(String::as_str));
            let quoted: Vec<String> = names
                .iter()
                .take(12)
                .map(|name| format!("`{name}`"))
                .collect();
            problems.push(
                Diagnostic::new(Code::UnknownName, format!("there is no state `{text}`"))
                    .at(expr.span, "not a state")
                    .help(near.unwrap_or_else(|| format!("the states are {}", listed(&quoted)))),
            );
        }
        found.extend(own);
    }
    if problems.is_empty() {
        let mut once: Vec<usize> = Vec::with_capacity(found.len());
        found.into_iter().for_each(|at| {
            if !once.contains(&at) {
                once.push(at);
            }
        });
        Ok(once)
    } else {
        Err(problems)
    }
}

fn lags(
    compiled: &Compiled,
    at_rest: &AtRest<'_>,
    written: &[tree::Expr],
) -> Result<Vec<f64>, Vec<Diagnostic>> {
    written
        .iter()
        .map(|expr| compiled.number(expr, &at_rest.present))
        .collect()
}

impl Session {
    pub(super) fn stationary(
        &self,
        command: &Stationary,
        _: &mut dyn Observer,
    ) -> Result<Performed, Vec<Diagnostic>> {
        let compiled = Arc::clone(&self.need_model()?.compiled);
        let last = self.last_when(command.from_last)?;
        let (span, world) = (command.span, &*self.world);
        refuse(&compiled, span)?;
        let last = last.as_deref();
        let at_rest = AtRest::new(&compiled, &self.overrides, &command.setting, last, span)?;
        let (system, of) = noisy(&compiled, at_rest.system(), span)?;
        let system = Arc::new(system);
        let kernels = Kernels::new(Arc::clone(&system));
        let asked = Asked {
            compiled: &compiled,
            at_rest: &at_rest,
            dynamics: CompiledDynamics::new(&system, &kernels, at_rest.present.parameters.clone()),
            system: &system,
            kernels: &kernels,
            span,
            world,
        };
        let shown = shown(&compiled, &command.shown)?;
        let lags = lags(&compiled, &at_rest, &command.lags)?;
        let (state, diagnostics) = asked.rest(command)?;
        let found = asked.moments(&state)?;
        let size = asked.size();
        let answer = StationaryAnswer {
            fano: asked.fano(&found, of, size),
            noise: of.unwrap_or_else(|| asked.noise_of(size)),
            parameters: at_rest.present.parameters.clone(),
            compiled: Arc::clone(&compiled),
            found,
            shown,
            lags,
            left_out: at_rest.left_out(),
        };
        let figure = command.to.as_ref().map(|to| {
            let path = PathBuf::from(&to.text);
            (figure::figure(&answer), path)
        });
        Ok(Performed {
            outcome: Outcome::Stationary {
                answer: Arc::new(answer),
                figure,
            },
            diagnostics,
        })
    }
}

/// What is at hand while a question is answered.
struct Asked<'a> {
    compiled: &'a Arc<Compiled>,
    at_rest: &'a AtRest<'a>,
    system: &'a System,
    kernels: &'a Kernels,
    dynamics: CompiledDynamics<'a>,
    span: Span,
    world: &'a dyn World,
}

impl Asked<'_> {
    /// The steady state of the equations without noise: of linear ones the only one, of others
    /// the one that the system goes to.
    fn rest(&self, command: &Stationary) -> Result<(Vec<f64>, Vec<Diagnostic>), Vec<Diagnostic>> {
        let tolerances = self.at_rest.tolerances();
        let laws = self.at_rest.laws();
        if self.system.has_linear_drift() {
            let place = Place {
                dynamics: &self.dynamics,
                motion: Motion::Flow,
                time: self.at_rest.time(),
                state: &self.at_rest.state,
                tolerances: &tolerances,
                laws: &laws,
            };
            if let Some(state) = analyze::polish(&place) {
                return Ok((state, Vec::new()));
            }
        }
        let found = analyze::steady(&analyze::Question {
            dynamics: &self.dynamics,
            time: self.at_rest.time(),
            state: &self.at_rest.state,
            tolerances: &tolerances,
            laws: &laws,
            non_negative: &self.at_rest.non_negative(),
            follows: true,
            interrupted: &|| self.world.interrupted(),
        });
        let found = found.map_err(|why| vec![steady::not_found(self.compiled, &why, self.span)])?;
        let state = found.state.clone();
        let answer = SteadyAnswer {
            compiled: Arc::clone(self.compiled),
            parameters: self.at_rest.present.parameters.clone(),
            found,
            left_out: Vec::new(),
        };
        let warnings = match answer.found.reached {
            Reached::Not(_) => steady::warnings(&answer, command.span),
            _ => Vec::new(),
        };
        Ok((state, warnings))
    }

    fn moments(&self, state: &[f64]) -> Result<moments::Stationary, Vec<Diagnostic>> {
        let tolerances = self.at_rest.tolerances();
        let laws = self.at_rest.laws();
        let question = Question {
            dynamics: &self.dynamics,
            time: self.at_rest.time(),
            state,
            tolerances: &tolerances,
            laws: &laws,
            noise: self.noise(state),
            linear: self.system.has_linear_drift(),
            interrupted: &|| self.world.interrupted(),
        };
        moments::stationary(&question).map_err(|why| vec![self.not_stationary(&why, state)])
    }

    /// A function of the system, as numbers.
    fn numbers(&self, kernel: &SharedKernel, state: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; kernel.out_len()];
        let mut scratch = Scratch::new();
        let time = self.at_rest.time();
        self.dynamics
            .evaluate(&**kernel, time, state, &mut out, &mut scratch);
        out
    }

    /// G, full, at a state.
    fn factor(&self, state: &[f64]) -> Vec<f64> {
        let Some(noise) = &self.system.noise else {
            return Vec::new();
        };
        let pattern = &noise.factor.pattern;
        let mut full = vec![0.0; pattern.rows * pattern.columns];
        let entries = self.numbers(self.kernels.noise_factor(), state);
        for ((row, column), entry) in pattern.places().zip(entries) {
            full[column * pattern.rows + row] = entry;
        }
        full
    }

    fn noise(&self, state: &[f64]) -> Noise {
        let Some(noise) = &self.system.noise else {
            return Noise {
                factor: Vec::new(),
                intensities: Vec::new(),
                slopes: Vec::new(),
                varies: false,
            };
        };
        let from_reactions = |known: &Source| matches!(known, Source::Reaction { .. });
        let has_reactions = noise.columns.iter().any(from_reactions);
        let is_affine = noise.multiplicative && noise.affine && !has_reactions;
        Noise {
            factor: self.factor(state),
            intensities: self.numbers(self.kernels.noise_intensities(), state),
            slopes: if is_affine {
                self.slopes(state)
            } else {
                Vec::new()
            },
            varies: noise.multiplicative || has_reactions,
        }
    }

    /// The derivative of each column of G by the state, where the columns are linear in it: from
    /// differences, which are exact then but for rounding.
    fn slopes(&self, state: &[f64]) -> Vec<Vec<f64>> {
        let n = state.len();
        let origin = vec![0.0; n];
        let base = self.factor(&origin);
        let columns = base.len() / n.max(1);
        let mut slopes = vec![vec![0.0; n * n]; columns];
        for j in 0..n {
            let step = if state[j] == 0.0 { 1.0 } else { state[j].abs() };
            let mut moved = origin.clone();
            moved[j] = step;
            let there = self.factor(&moved);
            for (k, slope) in slopes.iter_mut().enumerate() {
                for i in 0..n {
                    slope[j * n + i] = (there[k * n + i] - base[k * n + i]) / step;
                }
            }
        }
        slopes
    }

    /// Molecules per unit of amount.
    fn size(&self) -> f64 {
        let size = self
            .compiled
            .model
            .intrinsic
            .as_ref()
            .and_then(|known| known.size);
        let Some(size) = size else { return 1.0 };
        let mut pool = Pool::continuing(&self.system.pool);
        let size = self.system.inline(&mut pool, size);
        let kernel = self.kernels.function(&pool, &[size]);
        let numbers = self.numbers(&kernel, &self.at_rest.state);
        numbers.first().copied().unwrap_or(f64::NAN)
    }

    fn noise_of(&self, size: f64) -> NoiseOf {
        let model = &self.compiled.model;
        match (model.wieners.is_empty(), &model.intrinsic) {
            (true, _) => NoiseOf::Reactions(size),
            (false, Some(_)) => NoiseOf::Both(size),
            (false, None) => NoiseOf::Equations,
        }
    }

    /// The variance of numbers of molecules over their mean.
    fn fano(&self, found: &moments::Stationary, of: Option<NoiseOf>, size: f64) -> Vec<f64> {
        let model = &self.compiled.model;
        let counts = model.intrinsic.is_some() || of == Some(NoiseOf::Undeclared);
        let mut all = vec![f64::NAN; found.mean.len()];
        if !counts {
            return all;
        }
        for (state, block) in model.states.iter().zip(self.system.states.blocks()) {
            if !state.is_species {
                continue;
            }
            let volume = state.compartment.and_then(|id| {
                let block = self.system.parameters.blocks().get(id.index())?;
                self.at_rest.present.parameters.get(block.offset).copied()
            });
            for at in block.range() {
                let mean = found.mean[at];
                if mean > 0.0 {
                    all[at] = size * volume.unwrap_or(1.0) * found.covariance_of(at, at) / mean;
                }
            }
        }
        all
    }
}
