//! The functions of one system, each compiled when it is first asked for.
//!
//! Enters: a system. Leaves: kernels that any number of threads may call at once. Must not know
//! solvers or names.

#[cfg(feature = "jit")]
use super::Adaptive;
use super::{Kernel, Layout, Output, Place, Program, lower};
use crate::model::Repeat;
use crate::symbolic::{Expr, Pool, Shape, SymbolId, derivative};
use crate::system::{
    DoseSchedule, Jacobian, Law, NoiseStructure, Scheme, SchemeKind, System, Trigger, Unsuited,
    noise_structure, partial_tangent, tangent,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A compiled function that threads share.
pub type SharedKernel = Arc<dyn Kernel>;

/// One step of a method for equations with noise.
#[derive(Debug)]
pub struct CompiledScheme {
    /// What is computed.
    pub scheme: Scheme,
    /// f(t, state, parameters ++ \[h\], slots ++ normals): the state after the step.
    pub kernel: SharedKernel,
}

/// Compiled functions f(t, state, parameters, slots) of a system.
#[derive(Debug)]
pub struct Kernels {
    system: Arc<System>,
    layout: Layout,
    /// The same with the directions of tangents.
    directed: OnceLock<Layout>,
    /// Derivatives of expressions of the system's own pool, by how often they are taken.
    tangents: Mutex<FxHashMap<(u8, Vec<Expr>), SharedKernel>>,
    drift: OnceLock<SharedKernel>,
    jacobian: OnceLock<SharedKernel>,
    frozen_drift: OnceLock<SharedKernel>,
    frozen_jacobian: OnceLock<SharedKernel>,
    time_derivative: OnceLock<SharedKernel>,
    assertions: OnceLock<SharedKernel>,
    guards: OnceLock<SharedKernel>,
    guard_rates: OnceLock<SharedKernel>,
    triggers: OnceLock<SharedKernel>,
    event_terms: OnceLock<SharedKernel>,
    schedules: OnceLock<SharedKernel>,
    followers: OnceLock<SharedKernel>,
    volumes: OnceLock<SharedKernel>,
    delays: OnceLock<SharedKernel>,
    history: OnceLock<SharedKernel>,
    diffusion: OnceLock<SharedKernel>,
    noise_factor: OnceLock<SharedKernel>,
    noise_intensities: OnceLock<SharedKernel>,
    noise_structure: OnceLock<Option<NoiseStructure>>,
    /// One per kind.
    schemes: [OnceLock<Result<CompiledScheme, Unsuited>>; SchemeKind::ALL.len()],
    propensity_constants: OnceLock<SharedKernel>,
    molecules: OnceLock<SharedKernel>,
    /// One per channel of the propensities.
    propensities: Box<[OnceLock<SharedKernel>]>,
    /// One per event.
    jumps: Box<[OnceLock<SharedKernel>]>,
    /// One per dose.
    dose_terms: Box<[OnceLock<SharedKernel>]>,
}

impl Kernels {
    /// Nothing is compiled yet.
    #[must_use]
    pub fn new(system: Arc<System>) -> Kernels {
        let mut layout = Layout::new();
        layout.insert(system.time, Place::Time);
        for block in system.states.blocks() {
            layout.insert(block.symbol, Place::State(block.offset));
        }
        for block in system.parameters.blocks() {
            layout.insert(block.symbol, Place::Parameter(block.offset));
        }
        for block in system.slots.layout.blocks() {
            layout.insert(block.symbol, Place::Slot(block.offset));
        }
        let empty = |count: usize| (0..count).map(|_| OnceLock::new()).collect();
        Kernels {
            jumps: empty(system.events.len()),
            dose_terms: empty(system.doses.len()),
            propensities: empty(system.propensities.as_ref().map_or(0, |p| p.channels.len())),
            system,
            layout,
            directed: OnceLock::new(),
            tangents: Mutex::default(),
            drift: OnceLock::new(),
            jacobian: OnceLock::new(),
            frozen_drift: OnceLock::new(),
            frozen_jacobian: OnceLock::new(),
            time_derivative: OnceLock::new(),
            assertions: OnceLock::new(),
            guards: OnceLock::new(),
            guard_rates: OnceLock::new(),
            triggers: OnceLock::new(),
            event_terms: OnceLock::new(),
            schedules: OnceLock::new(),
            followers: OnceLock::new(),
            volumes: OnceLock::new(),
            delays: OnceLock::new(),
            history: OnceLock::new(),
            diffusion: OnceLock::new(),
            noise_factor: OnceLock::new(),
            noise_intensities: OnceLock::new(),
            noise_structure: OnceLock::new(),
            schemes: Default::default(),
            propensity_constants: OnceLock::new(),
            molecules: OnceLock::new(),
        }
    }

    /// dy/dt with live conditions and without infusions, n numbers.
    #[must_use]
    pub fn drift(&self) -> &SharedKernel {
        self.drift
            .get_or_init(|| self.function(&self.system.pool, &self.system.drift))
    }

    /// The entries of d(dy/dt)/dy in the order of the Jacobian's pattern.
    #[must_use]
    pub fn jacobian(&self) -> &SharedKernel {
        self.jacobian
            .get_or_init(|| self.entries(&self.system.jacobian))
    }

    /// The drift that steps integrate, n numbers; its slots are those of the system.
    #[must_use]
    pub fn frozen_drift(&self) -> &SharedKernel {
        if self.system.frozen_drift == self.system.drift {
            return self.drift();
        }
        self.frozen_drift
            .get_or_init(|| self.function(&self.system.pool, &self.system.frozen_drift))
    }

    /// The entries of its Jacobian, in the order of the Jacobian's pattern.
    #[must_use]
    pub fn frozen_jacobian(&self) -> &SharedKernel {
        if self.system.frozen_drift == self.system.drift {
            return self.jacobian();
        }
        self.frozen_jacobian
            .get_or_init(|| self.entries(&self.system.frozen_jacobian))
    }

    /// The partial derivative of the frozen drift by time: n numbers, or none for an autonomous
    /// system.
    #[must_use]
    pub fn time_derivative(&self) -> &SharedKernel {
        self.time_derivative
            .get_or_init(|| self.function(&self.system.pool, &self.system.time_derivative))
    }

    fn entries(&self, jacobian: &Jacobian) -> SharedKernel {
        let outputs: Vec<Output> = jacobian
            .contributions
            .iter()
            .map(|contribution| Output::Scatter {
                expr: contribution.expr,
                at: contribution.entries.clone(),
            })
            .collect();
        self.compile(&self.system.pool, &outputs, jacobian.pattern.len())
    }

    /// One number per assertion: 1 where it holds.
    #[must_use]
    pub fn assertions(&self) -> &SharedKernel {
        self.assertions
            .get_or_init(|| self.function(&self.system.pool, &self.system.assertions))
    }

    /// The guards, in terms of the modes of each other; as many numbers as there are modes.
    #[must_use]
    pub fn guards(&self) -> &SharedKernel {
        self.guards.get_or_init(|| {
            let guards = self.system.guards.iter().map(|guard| guard.expr);
            self.function(&self.system.pool, &guards.collect::<Vec<_>>())
        })
    }

    /// Their total time derivatives along the solution.
    #[must_use]
    pub fn guard_rates(&self) -> &SharedKernel {
        self.guard_rates.get_or_init(|| {
            let rates = self.system.guards.iter().map(|guard| guard.rate);
            self.function(&self.system.pool, &rates.collect::<Vec<_>>())
        })
    }

    /// One number per event: 1 where the condition of its trigger holds, as the modes tell; 0
    /// where it is not set off by a condition.
    #[must_use]
    pub fn triggers(&self) -> &SharedKernel {
        self.triggers.get_or_init(|| {
            let mut pool = Pool::continuing(&self.system.pool);
            let zero = pool.constant(0.0);
            let conditions = self.system.events.iter().map(|event| match event.trigger {
                Trigger::When { condition, .. } => condition,
                Trigger::At(_) | Trigger::Every(_) => zero,
            });
            self.function(&pool, &conditions.collect::<Vec<_>>())
        })
    }

    /// The values that an event sets, in the order of its places, from what holds before it.
    ///
    /// # Panics
    /// When there is no event at this position of [`System::events`].
    #[must_use]
    pub fn jump(&self, event: usize) -> &SharedKernel {
        let values = &self.system.events[event].jump.values;
        self.jumps[event].get_or_init(|| self.function(&self.system.pool, values))
    }

    /// Two numbers per event: its delay and its priority; 0 where absent.
    #[must_use]
    pub fn event_terms(&self) -> &SharedKernel {
        self.event_terms.get_or_init(|| {
            let mut pool = Pool::continuing(&self.system.pool);
            let zero = pool.constant(0.0);
            let terms =
                self.system.events.iter().flat_map(|event| {
                    [event.delay.unwrap_or(zero), event.priority.unwrap_or(zero)]
                });
            self.function(&pool, &terms.collect::<Vec<_>>())
        })
    }

    /// The numbers of all schedules, those of the events and then those of the doses: for a list
    /// of times these times; for a repetition its period, first time (0 when absent), number of
    /// times and last time (infinite when absent); none for others.
    #[must_use]
    pub fn schedules(&self) -> &SharedKernel {
        self.schedules.get_or_init(|| {
            let mut pool = Pool::continuing(&self.system.pool);
            let (zero, never) = (pool.constant(0.0), pool.constant(f64::INFINITY));
            let mut terms = Vec::new();
            let repeated = |terms: &mut Vec<Expr>, repeat: &Repeat| {
                terms.extend([
                    repeat.period,
                    repeat.from.unwrap_or(zero),
                    repeat.times.unwrap_or(never),
                    repeat.until.unwrap_or(never),
                ]);
            };
            for event in &self.system.events {
                match &event.trigger {
                    Trigger::At(times) => terms.extend(times),
                    Trigger::Every(repeat) => repeated(&mut terms, repeat),
                    Trigger::When { .. } => {}
                }
            }
            for dose in &self.system.doses {
                match &dose.schedule {
                    DoseSchedule::At(times) => terms.extend(times),
                    DoseSchedule::Every(repeat) => repeated(&mut terms, repeat),
                    DoseSchedule::Event | DoseSchedule::Table => {}
                }
            }
            self.function(&pool, &terms)
        })
    }

    /// What each parameter block that follows others should be, in the order of
    /// [`System::followers`], from the parameters that hold.
    #[must_use]
    pub fn followers(&self) -> &SharedKernel {
        self.followers.get_or_init(|| {
            let followers = self.system.followers.iter();
            let values = followers.map(|block| self.system.parameter_values[*block]);
            self.function(&self.system.pool, &values.collect::<Vec<_>>())
        })
    }

    /// Three numbers of a dose: its amount, the time it takes (0 for at once) and its lag.
    ///
    /// # Panics
    /// When there is no dose at this position of [`System::doses`].
    #[must_use]
    pub fn dose_terms(&self, dose: usize) -> &SharedKernel {
        let known = &self.system.doses[dose];
        self.dose_terms[dose].get_or_init(|| {
            let mut pool = Pool::continuing(&self.system.pool);
            let zero = pool.constant(0.0);
            let terms = [
                known.amount,
                known.duration.unwrap_or(zero),
                known.lag.unwrap_or(zero),
            ];
            self.function(&pool, &terms)
        })
    }

    /// What an amount is divided by where it enters a state, n numbers; 1 where nothing does.
    #[must_use]
    pub fn volumes(&self) -> &SharedKernel {
        self.volumes.get_or_init(|| {
            let mut pool = Pool::continuing(&self.system.pool);
            let one = pool.constant(1.0);
            let mut volumes = Vec::with_capacity(self.system.volumes.len());
            for (volume, block) in self.system.volumes.iter().zip(self.system.states.blocks()) {
                let volume = volume.unwrap_or(one);
                volumes.push(match pool.shape(volume) {
                    Shape::Scalar => pool.fill(volume, block.shape),
                    _ => volume,
                });
            }
            self.function(&pool, &volumes)
        })
    }

    /// The lags of the delays, one number each.
    #[must_use]
    pub fn delays(&self) -> &SharedKernel {
        self.delays.get_or_init(|| {
            let lags = self.system.delays.iter().map(|delay| delay.lag);
            self.function(&self.system.pool, &lags.collect::<Vec<_>>())
        })
    }

    /// The state before the start, n numbers, and then its time derivative; the arguments are the
    /// time and, for the state, the initial values. No numbers when there are no delays.
    #[must_use]
    pub fn history(&self) -> &SharedKernel {
        self.history.get_or_init(|| {
            let mut pool = Pool::continuing(&self.system.pool);
            let mut values = self.system.history.clone();
            let rates = values.iter().map(|value| {
                let rate = derivative(&mut pool, *value, self.system.time);
                let shape = pool.shape(*value);
                pool.fill(rate, shape)
            });
            values.extend(rates.collect::<Vec<_>>());
            self.function(&pool, &values)
        })
    }

    /// The entries of the diffusion matrix B, in the order of its pattern; none without noise.
    #[must_use]
    pub fn diffusion(&self) -> &SharedKernel {
        self.diffusion.get_or_init(|| match &self.system.noise {
            Some(noise) => self.entries(&noise.diffusion),
            None => self.function(&self.system.pool, &[]),
        })
    }

    /// The entries of the factor G of B = G diag(sqrt(q)), in the order of its pattern; none
    /// without noise.
    #[must_use]
    pub fn noise_factor(&self) -> &SharedKernel {
        self.noise_factor.get_or_init(|| match &self.system.noise {
            Some(noise) => self.entries(&noise.factor),
            None => self.function(&self.system.pool, &[]),
        })
    }

    /// The intensities q of B = G diag(sqrt(q)), one per column; none without noise.
    #[must_use]
    pub fn noise_intensities(&self) -> &SharedKernel {
        self.noise_intensities.get_or_init(|| {
            let noise = self.system.noise.as_ref();
            let intensities = noise.map_or(&[][..], |noise| &noise.intensities);
            self.function(&self.system.pool, intensities)
        })
    }

    /// What the diffusion matrix depends on; `None` without noise.
    #[must_use]
    pub fn noise_structure(&self) -> Option<NoiseStructure> {
        *self.noise_structure.get_or_init(|| {
            let noise = self.system.noise.as_ref()?;
            Some(noise_structure(&self.system, noise))
        })
    }

    /// One step of a method: the length of the step stands behind the system's parameters, the
    /// normal numbers behind its slots.
    ///
    /// # Errors
    /// The noise is not of the kind that the method is for.
    pub fn scheme(&self, kind: SchemeKind) -> Result<&CompiledScheme, Unsuited> {
        let compiled = self.schemes[kind as usize].get_or_init(|| {
            let scheme = Scheme::derive(&self.system, kind)?;
            let kernel = self.stepping(&scheme);
            Ok(CompiledScheme { scheme, kernel })
        });
        compiled.as_ref().map_err(|unsuited| *unsuited)
    }

    fn stepping(&self, scheme: &Scheme) -> SharedKernel {
        let mut layout = self.layout.clone();
        layout.insert(scheme.step, Place::Parameter(self.system.parameters.len()));
        for block in scheme.normals.blocks() {
            let at = self.system.slots.len() + block.offset;
            layout.insert(block.symbol, Place::Slot(at));
        }
        let (outputs, len) = one_after_the_other(&scheme.pool, &scheme.next);
        compile(&scheme.pool, &layout, &outputs, len)
    }

    /// One number per channel of the propensities: its constant of mass action; 0 for a free law.
    #[must_use]
    pub fn propensity_constants(&self) -> &SharedKernel {
        self.propensity_constants.get_or_init(|| {
            let mut pool = Pool::continuing(&self.system.pool);
            let zero = pool.constant(0.0);
            let channels = self.system.propensities.iter().flat_map(|p| &p.channels);
            let constants = channels.map(|channel| match channel.law {
                Law::MassAction(constant) => constant,
                Law::Free(_) => zero,
            });
            self.function(&pool, &constants.collect::<Vec<_>>())
        })
    }

    /// The propensity of a channel as an expression of the state, one number; meant for free laws.
    ///
    /// # Panics
    /// When there is no channel at this position of [`System::propensities`].
    #[must_use]
    pub fn propensity(&self, channel: usize) -> &SharedKernel {
        self.propensities[channel].get_or_init(|| {
            let propensities = self.system.propensities.iter();
            let known = propensities.flat_map(|p| p.channels.get(channel));
            let laws: Vec<Expr> = known.map(|channel| channel.law.expr()).collect();
            self.function(&self.system.pool, &laws)
        })
    }

    /// Molecules per unit of each state, n numbers; none where reactions are not counted.
    #[must_use]
    pub fn molecules(&self) -> &SharedKernel {
        self.molecules.get_or_init(|| {
            let mut pool = Pool::continuing(&self.system.pool);
            let scales = self.system.propensities.iter().flat_map(|p| &p.scales);
            let blocks = self.system.states.blocks().iter();
            let filled: Vec<Expr> = scales
                .zip(blocks)
                .map(|(scale, block)| pool.fill(*scale, block.shape))
                .collect();
            self.function(&pool, &filled)
        })
    }

    /// Other expressions of time, states and parameters, their numbers one after the other.
    /// `pool` is the system's own pool or a continuation of it.
    #[must_use]
    pub fn function(&self, pool: &Pool, exprs: &[Expr]) -> SharedKernel {
        let (outputs, len) = one_after_the_other(pool, exprs);
        self.compile(pool, &outputs, len)
    }

    /// The derivatives of expressions along direction 0: [`crate::system::tangent`]. The numbers
    /// of the direction stand in the slots behind the system's own, at
    /// [`crate::system::Directions::offset`].
    #[must_use]
    pub fn tangent(&self, pool: &Arc<Pool>, exprs: &[Expr]) -> SharedKernel {
        self.kept(pool, exprs, 1, |pool| tangent(&self.system, pool, exprs, 0))
    }

    /// A function of directions, compiled once for each list of expressions of the system's own
    /// pool: runs are differentiated over and over.
    fn kept(
        &self,
        pool: &Arc<Pool>,
        exprs: &[Expr],
        order: u8,
        derivatives: impl FnOnce(&mut Pool) -> Vec<Expr>,
    ) -> SharedKernel {
        let compile = || {
            let mut pool = Pool::continuing(pool);
            let exprs = derivatives(&mut pool);
            self.directed(&pool, &exprs)
        };
        if !Arc::ptr_eq(pool, &self.system.pool) {
            return compile();
        }
        let mut known = self.tangents.lock().unwrap_or_else(PoisonError::into_inner);
        let kernel = known.entry((order, exprs.to_vec())).or_insert_with(compile);
        Arc::clone(kernel)
    }

    /// The second derivatives of expressions along directions 0 and 1.
    #[must_use]
    pub fn second_tangent(&self, pool: &Arc<Pool>, exprs: &[Expr]) -> SharedKernel {
        self.kept(pool, exprs, 2, |pool| {
            let first = tangent(&self.system, pool, exprs, 0);
            tangent(&self.system, pool, &first, 1)
        })
    }

    /// Derivatives of expressions where only the symbols in `moving` move: one after the other
    /// along each of `directions` (0 or 1). `[0, 1]` gives the second derivative along both,
    /// `[0, 0, 1]` the third, twice along the first. The numbers of what does not move are not read.
    #[must_use]
    pub fn partial_tangents(
        &self,
        pool: &Arc<Pool>,
        exprs: &[Expr],
        moving: &FxHashSet<SymbolId>,
        directions: &[usize],
    ) -> SharedKernel {
        let mut pool = Pool::continuing(pool);
        let mut exprs = exprs.to_vec();
        for direction in directions {
            exprs = partial_tangent(&self.system, &mut pool, &exprs, *direction, moving);
        }
        self.directed(&pool, &exprs)
    }

    /// A function of expressions that name directions.
    fn directed(&self, pool: &Pool, exprs: &[Expr]) -> SharedKernel {
        let layout = self.directed.get_or_init(|| self.with_directions());
        let (outputs, len) = one_after_the_other(pool, exprs);
        compile(pool, layout, &outputs, len)
    }

    fn with_directions(&self) -> Layout {
        let system = &*self.system;
        let mut layout = self.layout.clone();
        for direction in &system.directions {
            let mut at = direction.offset;
            if let Some(time) = direction.time {
                layout.insert(time, Place::Slot(at));
            }
            at += 1;
            let blocks = [
                (&system.states, &direction.states),
                (&system.parameters, &direction.parameters),
                (&system.slots.layout, &direction.slots),
            ];
            for (of, symbols) in blocks {
                for (block, symbol) in of.blocks().iter().zip(symbols) {
                    layout.insert(*symbol, Place::Slot(at + block.offset));
                }
                at += of.len();
            }
        }
        layout
    }

    fn compile(&self, pool: &Pool, outputs: &[Output], len: usize) -> SharedKernel {
        compile(pool, &self.layout, outputs, len)
    }
}

/// Outputs that follow each other, and how many numbers they have.
fn one_after_the_other(pool: &Pool, exprs: &[Expr]) -> (Vec<Output>, usize) {
    let mut len = 0;
    let outputs = exprs.iter().map(|expr| {
        let at = len;
        len += pool.shape(*expr).len();
        Output::Assign { expr: *expr, at }
    });
    (outputs.collect(), len)
}

fn compile(pool: &Pool, layout: &Layout, outputs: &[Output], len: usize) -> SharedKernel {
    // Every symbol of an inlined expression is the time, a state, a parameter or a slot.
    let program = lower(pool, layout, outputs, len)
        .expect("an inlined expression names only time, states, parameters and slots");
    executor(program)
}

/// The tape, which becomes machine code once that pays.
#[cfg(feature = "jit")]
fn executor(program: Program) -> SharedKernel {
    Arc::new(Adaptive::new(program))
}

/// The tape.
#[cfg(not(feature = "jit"))]
fn executor(program: Program) -> SharedKernel {
    Arc::new(super::Tape::new(program))
}
