//! Where an output comes from: what it would take to make it again.
//!
//! Enters: the session as it is when something is written. Leaves: a [`Stamp`], which goes into every
//! figure, page and JSON, and beside every table. It names no time: the same input gives the same
//! bytes. Must not know in which form it is kept.

use super::fit::GeneFit;
use super::{Command, Session};
use crate::simulate::{MethodUse, Tolerances};
use crate::source::Span;
use crate::world::{FileRead, sha256};
use serde::Serialize;
use std::sync::LazyLock;

/// The commit that a release was built from; empty in other builds.
const COMMIT: &str = env!("LOTKA_COMMIT");

/// `0.1.0 (commit 1a2b3c4d5e6f; features: jit)`
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let commit = match COMMIT {
            "" if cfg!(debug_assertions) => "development build".to_owned(),
            "" => "commit unknown".to_owned(),
            commit => format!("commit {commit}"),
        };
        let features = if cfg!(feature = "jit") { "jit" } else { "none" };
        let version = env!("CARGO_PKG_VERSION");
        format!("{version} ({commit}; features: {features})")
    });
    &VERSION
}

/// Where an output comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stamp {
    schema: &'static str,
    /// Which Lotka made it.
    pub program: String,
    /// How it was called, without what makes no difference to the answers; empty for the library.
    pub command_line: Vec<String>,
    /// The model, what it uses, and the data, as they were when they were read.
    pub files: Vec<StampedFile>,
    /// The SHA-256 of what was declared at the prompt, one statement on each line.
    pub declared_sha256: Option<String>,
    /// The values that were set, as assignments.
    pub values: Vec<String>,
    /// The last run, which the output may be of.
    pub run: Option<Work>,
    /// The last fit, likewise.
    pub fit: Option<Work>,
    /// The sentence that gave it.
    pub sentence: Option<String>,
}

/// A file by its content.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StampedFile {
    /// As it was asked for.
    pub path: String,
    /// In hexadecimal.
    pub sha256: String,
}

/// Values whose text is longer than this, as matrices of many genes, are told by a hash.
const LONGEST_VALUE: usize = 4000;

/// How a run or a fit was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Work {
    /// As it was asked for.
    pub sentence: String,
    /// Methods in the order of their use.
    pub methods: Vec<&'static str>,
    /// The relative tolerance, of methods that have tolerances.
    pub rtol: Option<f64>,
    /// The absolute tolerances, one for each state.
    pub atol: Option<Vec<f64>>,
    /// What chance began with.
    pub seed: Option<u64>,
}

/// An assignment as it stands; of one of very many numbers its name, and a hash of the whole.
fn shortened(assignment: &str) -> String {
    match assignment.split_once(" = ") {
        Some((name, value)) if value.len() > LONGEST_VALUE => {
            format!("{name} = (SHA-256 {})", sha256(assignment.as_bytes()))
        }
        _ => assignment.to_owned(),
    }
}

impl Session {
    /// What the last sentence's output comes from.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        let overrides = self.loaded.as_ref().map(|loaded| {
            let values = self.overrides.sentences(&loaded.compiled);
            values.into_iter().map(|one| shortened(one.trim()))
        });
        let sentence = self.said.map(|span| self.sentence(span));
        Stamp {
            schema: "lotka-stamp-1",
            program: format!("lotka {}", version()),
            command_line: self.called.to_vec(),
            files: self.files(),
            declared_sha256: self.declared(),
            values: overrides.into_iter().flatten().collect(),
            run: self.run_of_stamp(),
            fit: self.fit_of_stamp(),
            sentence: sentence.filter(|text| !text.is_empty()),
        }
    }

    fn fit_of_stamp(&self) -> Option<Work> {
        let work = |span, method, seed| Work {
            sentence: self.sentence(span),
            methods: vec![method],
            rtol: None,
            atol: None,
            seed,
        };
        if let Some(fit) = self.fits.first() {
            return Some(work(fit.span, fit.method.name(), Some(fit.seed)));
        }
        Some(match self.genes.as_ref()? {
            GeneFit::AtRest(fit) => work(fit.span, "stationary", Some(fit.seed)),
            GeneFit::Lines(fit) => work(fit.span, super::velocity::WORD, None),
            GeneFit::Factored(fit) => work(fit.span, "factored", None),
        })
    }

    /// Each file once, with the content that was read last.
    fn files(&self) -> Vec<StampedFile> {
        let read = self.world.files_read();
        let mut files: Vec<StampedFile> = Vec::new();
        for FileRead { path, sha256 } in read.into_iter().skip(self.files_before) {
            let path = path.display().to_string();
            match files.iter_mut().find(|known| known.path == path) {
                Some(known) => known.sha256 = sha256,
                None => files.push(StampedFile { path, sha256 }),
            }
        }
        files
    }

    fn declared(&self) -> Option<String> {
        let loaded = self.loaded.as_ref()?;
        let lines = loaded.written.lines();
        let lines: Vec<&str> = lines.map(|one| self.sources.slice(one.span)).collect();
        (!lines.is_empty()).then(|| sha256(lines.join("\n").as_bytes()))
    }

    fn run_of_stamp(&self) -> Option<Work> {
        let sentence = self.sentence(self.asked.as_ref()?.command.span);
        let work = |methods: &[MethodUse], tolerances: &Tolerances, seed| {
            let has_tolerances = methods.iter().any(|one| one.method.has_tolerances());
            let mut methods: Vec<&str> = methods.iter().map(|one| one.method.name()).collect();
            methods.dedup();
            Work {
                sentence,
                methods,
                rtol: has_tolerances.then_some(tolerances.relative),
                atol: has_tolerances.then(|| tolerances.absolute.clone()),
                seed,
            }
        };
        if let Some(paths) = &self.ensemble {
            return Some(work(&paths.methods, &paths.tolerances, Some(paths.seed)));
        }
        let run = self.by_subject.first().or(self.last.as_ref())?;
        let solution = &run.solution;
        let seed = run.chance().map(|chance| chance.seed);
        Some(work(&solution.methods, &solution.tolerances, seed))
    }

    /// A sentence on one line.
    fn sentence(&self, span: Span) -> String {
        let words = self.sources.slice(span).split_whitespace();
        words.collect::<Vec<_>>().join(" ")
    }

    /// Notes how the program was called.
    pub fn set_called(&mut self, command_line: Vec<String>) {
        self.called = command_line.into();
    }

    /// The sentence that is performed, or was last.
    #[must_use]
    pub fn said(&self) -> Option<Span> {
        self.said
    }

    /// Notes which sentence is performed, for the stamp of what it gives.
    pub(super) fn note_sentence(&mut self, command: &Command) {
        self.said = command.span();
    }
}
