//! What a long search has found so far, in a file: the same sentence goes on from there.
//!
//! Enters: a file, what is searched. Leaves: searches done before, or the file. A file belongs to one
//! search: model, data, the values that hold in each run and where they begin, what is fitted with its
//! bounds, conditions, method and seed are part of its key.

use super::objective::Likelihood;
use super::search::Plan;
use crate::diagnostic::{Code, Diagnostic};
use crate::fit::{End, Findings, Local};
use crate::symbolic::Notation;
use crate::syntax::tree;
use crate::world::World;
use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};
use std::hash::Hasher;
use std::path::Path;

const SCHEMA: &str = "lotka-checkpoint-1";

#[derive(Serialize, Deserialize)]
struct Checkpoint {
    schema: String,
    key: String,
    searches: Vec<Saved>,
}

/// A search; numbers that are not finite are absent.
#[derive(Serialize, Deserialize)]
struct Saved {
    start: Vec<f64>,
    point: Vec<f64>,
    value: Option<f64>,
    gradient: Vec<f64>,
    iterations: u64,
    evaluations: u64,
    end: String,
    decrement: Option<f64>,
    /// The margins that are zero at a minimum on an edge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    edges: Vec<usize>,
}

/// What a search is of.
pub(super) fn key(likelihood: &Likelihood<'_>, plan: &Plan) -> String {
    let mut hasher = FxHasher::default();
    let model = &likelihood.compiled.model;
    let drifts = likelihood.compiled.system.drift.iter();
    for drift in drifts {
        hasher.write(likelihood.compiled.text_of(*drift).as_bytes());
    }
    let system = &likelihood.compiled.system;
    for rule in system.initial.iter().chain(&system.parameter_values) {
        hasher.write(likelihood.compiled.text_of(*rule).as_bytes());
    }
    for seen in &likelihood.lens.exprs {
        let text = model.print(&likelihood.lens.pool, *seen, Notation::Text);
        hasher.write(text.as_bytes());
    }
    hasher.write(format!("{:?}", model.observations).as_bytes());
    hasher.write(format!("{:?}", likelihood.fitted).as_bytes());
    let begun: Vec<f64> = likelihood.fitted.iter().map(|known| known.start).collect();
    for run in &likelihood.runs {
        hasher.write(format!("{:?}", run.data).as_bytes());
        let values = run.own.at(&likelihood.compiled, &likelihood.fitted, &begun);
        if let Some((_, present)) = values {
            let numbers = present.parameters.iter().chain(&present.initial);
            numbers.for_each(|number| hasher.write_u64(number.to_bits()));
        }
        hasher.write_u8(u8::from(run.rested.is_some()));
    }
    if let Some(filters) = &likelihood.filters {
        hasher.write(format!("{:?}", filters.from).as_bytes());
    }
    for requirement in likelihood
        .region
        .iter()
        .flat_map(|region| &region.requirements)
    {
        hasher.write(requirement.text.as_bytes());
    }
    let starts = plan.starts_of(likelihood);
    hasher.write(format!("{} {starts} {}", plan.method.name(), plan.seed).as_bytes());
    format!("{:016x}", hasher.finish())
}

/// The searches in a file; none when there is no file yet.
///
/// # Errors
/// A file that cannot be read, or that belongs to another search.
pub(super) fn read(
    world: &dyn World,
    file: &tree::Text,
    key: &str,
) -> Result<Vec<Local>, Vec<Diagnostic>> {
    let bytes = match world.read(Path::new(&file.text)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            let reason = super::super::reason(&error);
            let message = format!("cannot read {}: {reason}", file.text);
            return Err(vec![
                Diagnostic::new(Code::CannotRead, message).at(file.span, ""),
            ]);
        }
    };
    let found: Option<Checkpoint> = serde_json::from_slice(&bytes).ok();
    let refused = |message: &str| {
        Err(vec![
            Diagnostic::new(Code::BadOption, format!("{} {message}", file.text))
                .at(file.span, "")
                .help("name another file, or delete this one"),
        ])
    };
    match found {
        Some(known) if known.schema == SCHEMA && known.key == key => {
            Ok(known.searches.into_iter().map(Saved::local).collect())
        }
        Some(known) if known.schema == SCHEMA => {
            refused("is of another search: its model, data, values, starts, method or seed differ")
        }
        _ => refused("is no checkpoint of a fit"),
    }
}

/// The text of a file that keeps finished searches: those before the first that is missing.
pub(super) fn text(findings: &Findings, key: &str) -> String {
    let mut done: Vec<_> = findings.all.iter().collect();
    done.sort_by_key(|finding| finding.number);
    let finished = done
        .iter()
        .enumerate()
        .take_while(|(at, finding)| *at == finding.number && finding.local.end != End::Interrupted);
    let checkpoint = Checkpoint {
        schema: SCHEMA.to_owned(),
        key: key.to_owned(),
        searches: finished
            .map(|(_, finding)| Saved::of(&finding.local))
            .collect(),
    };
    serde_json::to_string(&checkpoint).unwrap_or_default() + "\n"
}

impl Saved {
    fn of(local: &Local) -> Saved {
        let (end, decrement) = match &local.end {
            End::Converged { decrement } => ("converged", Some(*decrement)),
            End::OnEdge { decrement, .. } => ("on_edge", Some(*decrement)),
            End::Stalled { decrement } => ("stalled", Some(*decrement)),
            End::Unmoved { decrement } => ("unmoved", Some(*decrement)),
            End::OutOfIterations => ("out_of_iterations", None),
            End::SimplexCollapsed => ("simplex_collapsed", None),
            End::SwarmCollapsed => ("swarm_collapsed", None),
            // Why a start has no value is told only by the search that met it.
            End::Fault(_) | End::NotFinite | End::Interrupted => ("not_finite", None),
        };
        Saved {
            start: local.start.clone(),
            point: local.point.clone(),
            value: Some(local.value).filter(|value| value.is_finite()),
            gradient: local.gradient.clone(),
            iterations: local.iterations,
            evaluations: local.evaluations,
            end: end.to_owned(),
            decrement: decrement.filter(|decrement| decrement.is_finite()),
            edges: match &local.end {
                End::OnEdge { margins, .. } => margins.clone(),
                _ => Vec::new(),
            },
        }
    }

    fn local(self) -> Local {
        let decrement = self.decrement.unwrap_or(f64::INFINITY);
        let end = match self.end.as_str() {
            "converged" => End::Converged { decrement },
            "on_edge" => End::OnEdge {
                decrement,
                margins: self.edges,
            },
            "stalled" => End::Stalled { decrement },
            "unmoved" => End::Unmoved { decrement },
            "out_of_iterations" => End::OutOfIterations,
            "simplex_collapsed" => End::SimplexCollapsed,
            "swarm_collapsed" => End::SwarmCollapsed,
            _ => End::NotFinite,
        };
        Local {
            start: self.start,
            point: self.point,
            value: self.value.unwrap_or(f64::INFINITY),
            gradient: self.gradient,
            iterations: self.iterations,
            evaluations: self.evaluations,
            end,
        }
    }
}
