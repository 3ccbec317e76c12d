//! Warnings that are not given because they are allowed, in the text (`allow W0201`) or for the whole
//! session (`--allow W0201`).
//!
//! Enters: diagnostics on their way out. Leaves: those that are to be told, and a warning for each
//! allowance of a text that nothing needed. Must not know where diagnostics come from.

use super::Session;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Allowance;
use crate::source::Span;
use rustc_hash::FxHashSet;

/// The warnings that checking a file gives, whatever its sentences do: whether one is needed is known
/// without a run.
const OF_CHECKS: &[Code] = &[Code::UnusedParameter, Code::UnusedHistory];

/// What is allowed beside the texts, and which allowances have been of use.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed {
    codes: Vec<Code>,
    /// Where the allowances stand that have silenced something, or of which it has been told that
    /// they do not.
    settled: FxHashSet<Span>,
    /// Places of which a warning of [`ONCE`] has been given.
    told: FxHashSet<(Code, Option<Span>)>,
}

/// Warnings about a text rather than a run, which would be given at each run of it.
const ONCE: &[Code] = &[Code::BetweenSteps];

impl Session {
    /// Allows a warning in all texts from now on. An error stays an error.
    pub fn allow(&mut self, code: Code) {
        self.allowed.codes.push(code);
    }

    /// Takes out the warnings that are allowed, and remembers by which allowance.
    pub(super) fn silence(&mut self, allowances: &[Allowance], told: &mut Vec<Diagnostic>) {
        let Allowed {
            codes,
            settled,
            told: before,
        } = &mut self.allowed;
        told.retain(|diagnostic| {
            let mut is_told = diagnostic.is_error() || !codes.contains(&diagnostic.code);
            for allowance in allowances.iter().filter(|one| one.silences(diagnostic)) {
                is_told = false;
                settled.insert(allowance.span);
            }
            // The sentence stands first, what it is about last.
            let place = diagnostic.labels.last().map(|label| label.span);
            let is_first =
                !ONCE.contains(&diagnostic.code) || before.insert((diagnostic.code, place));
            is_told && is_first
        });
    }

    /// The same for what the loaded model's text allows.
    pub(super) fn silence_here(&mut self, told: &mut Vec<Diagnostic>) {
        if let Some(loaded) = &self.loaded
            && !told.is_empty()
        {
            let allowances = loaded.compiled.model.allowances.clone();
            self.silence(&allowances, told);
        }
    }

    /// A warning for each of these allowances that checking a file would have needed, and did not.
    pub(super) fn idle_in_checks(&mut self, allowances: &[Allowance]) -> Vec<Diagnostic> {
        let of_checks = |one: &&Allowance| OF_CHECKS.contains(&one.code);
        let mut idle = self.idle(allowances.iter().filter(of_checks).cloned().collect());
        self.silence(allowances, &mut idle);
        idle
    }

    /// A warning for each allowance of the loaded model that nothing has needed so far: to be asked
    /// for when all sentences of its file have been performed.
    pub fn idle_allowances(&mut self) -> Vec<Diagnostic> {
        let Some(loaded) = &self.loaded else {
            return Vec::new();
        };
        let allowances = loaded.compiled.model.allowances.clone();
        let mut idle = self.idle(allowances);
        self.silence_here(&mut idle);
        idle
    }

    fn idle(&mut self, allowances: Vec<Allowance>) -> Vec<Diagnostic> {
        let mut told = Vec::new();
        for allowance in allowances {
            // An allowance of this very warning is not judged by it.
            let is_of_these = allowance.code == Code::IdleAllowance;
            if !is_of_these && self.allowed.settled.insert(allowance.span) {
                told.push(idle(&allowance));
            }
        }
        told
    }
}

fn idle(allowance: &Allowance) -> Diagnostic {
    let code = allowance.code.as_str();
    let about = match allowance.names.as_slice() {
        [] => String::new(),
        names => format!(" of {}", names.join(", ")),
    };
    Diagnostic::new(
        Code::IdleAllowance,
        format!("nothing gives the warning {code}{about} that is allowed"),
    )
    .at(allowance.span, allowance.code.title())
    .help("remove it: the next warning of its kind would go unseen")
}
