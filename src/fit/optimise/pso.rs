//! A swarm of particles, within bounds.
//!
//! R. Poli, J. Kennedy, T. Blackwell, Swarm Intell. 1, 33 (2007), with the constriction of M. Clerc
//! and J. Kennedy (IEEE Trans. Evol. Comput. 6, 58, 2002). All particles move, then all are
//! evaluated, so that the swarm is the same on any number of threads. One that leaves the bounds is
//! put on them and stops in that coordinate.

use super::probe::Probe;
use super::{Best, End, Steps};
use crate::fit::objective::Wanted;
use crate::fit::starts::latin_hypercube;
use crate::kernel::Stream;

/// What is left of a velocity.
const INERTIA: f64 = 0.729_843_788;
/// The pull to a particle's own best point and to that of all.
const PULL: f64 = 1.496_179_765;
/// The width of the swarm, as a part of the first, at which it is a point.
const COLLAPSED: f64 = 1e-6;

/// The method.
pub(super) struct Pso {
    pub tolerance: f64,
    pub seed: u64,
    pub particles: usize,
}

struct Particle {
    point: Vec<f64>,
    velocity: Vec<f64>,
    best: Vec<f64>,
    best_value: f64,
}

/// A swarm.
pub(super) struct State {
    particles: Vec<Particle>,
    best: Vec<f64>,
    value: f64,
    /// Of the box that the swarm began in.
    widths: Vec<f64>,
    stream: Stream,
}

impl Steps for Pso {
    type State = State;

    /// The start is the first particle; the others fill the box around it.
    fn begin(&self, probe: &Probe<'_>, start: &[f64]) -> Result<State, End> {
        // Elsewhere there may be values though there is none here.
        let value = match probe.first(start, Wanted::Value) {
            Ok(evaluation) => evaluation.value,
            Err(End::Interrupted) => return Err(End::Interrupted),
            Err(_) => f64::INFINITY,
        };
        let ends = super::super::starts::finite_ends(probe.bounds, start);
        let mut points = vec![start.to_vec()];
        points.extend(latin_hypercube(
            &ends,
            self.particles.saturating_sub(1),
            self.seed,
        ));
        let particles = points.into_iter().map(|point| Particle {
            velocity: vec![0.0; point.len()],
            best: point.clone(),
            best_value: f64::INFINITY,
            point,
        });
        let mut state = State {
            particles: particles.collect(),
            best: start.to_vec(),
            value,
            widths: ends.iter().map(|(low, high)| high - low).collect(),
            stream: Stream::new(self.seed, 1),
        };
        evaluate(probe, &mut state);
        if state.value.is_finite() {
            Ok(state)
        } else {
            Err(probe
                .first(start, Wanted::Value)
                .err()
                .unwrap_or(End::NotFinite))
        }
    }

    fn step(&self, probe: &Probe<'_>, state: &mut State) -> Option<End> {
        if self.has_collapsed(state) {
            return Some(End::SwarmCollapsed);
        }
        for particle in &mut state.particles {
            fly(probe, particle, &state.best, &mut state.stream);
        }
        evaluate(probe, state);
        None
    }

    fn best(state: &State) -> Best<'_> {
        Best {
            point: &state.best,
            value: state.value,
            gradient: &[],
        }
    }
}

impl Pso {
    fn has_collapsed(&self, state: &State) -> bool {
        state.particles.iter().all(|particle| {
            let mut all = particle.point.iter().zip(&state.best).zip(&state.widths);
            all.all(|((x, best), width)| (x - best).abs() <= COLLAPSED * width)
                && particle.best_value - state.value <= self.tolerance.max(1e-7)
        })
    }
}

fn fly(probe: &Probe<'_>, particle: &mut Particle, best: &[f64], stream: &mut Stream) {
    let coordinates = particle.point.iter_mut().zip(&mut particle.velocity);
    let targets = particle.best.iter().zip(best).zip(probe.bounds.ends());
    for ((x, velocity), ((own, best), (low, high))) in coordinates.zip(targets) {
        *velocity = INERTIA * *velocity
            + PULL * stream.uniform() * (own - *x)
            + PULL * stream.uniform() * (best - *x);
        let moved = *x + *velocity;
        *x = moved.min(high).max(low);
        if *x != moved {
            *velocity = 0.0;
        }
    }
}

fn evaluate(probe: &Probe<'_>, state: &mut State) {
    let points: Vec<Vec<f64>> = state.particles.iter().map(|p| p.point.clone()).collect();
    for (particle, value) in state.particles.iter_mut().zip(probe.values(&points)) {
        if value < particle.best_value {
            particle.best.clone_from(&particle.point);
            particle.best_value = value;
        }
        if value < state.value {
            state.best.clone_from(&particle.point);
            state.value = value;
        }
    }
}
