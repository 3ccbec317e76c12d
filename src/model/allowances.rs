//! Warnings that a text allows: `allow W0201 of spare`.
//!
//! Enters: the words of the statement. Leaves: [`Allowance`]s. Must not know when a warning is given.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;
use crate::syntax::tree::Name;

/// A warning that is known and meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// Which one; never an error.
    pub code: Code,
    /// Where the code stands.
    pub span: Span,
    /// Only where the warning is about one of these names; about any when empty.
    pub names: Vec<String>,
}

impl Allowance {
    /// Whether a diagnostic is the warning that is allowed.
    #[must_use]
    pub fn silences(&self, diagnostic: &Diagnostic) -> bool {
        let is_about = |name: &String| named(&diagnostic.message).any(|known| known == name);
        !diagnostic.is_error()
            && self.code == diagnostic.code
            && (self.names.is_empty() || self.names.iter().any(is_about))
    }
}

/// The names between the backquotes of a message, without primes and indices.
fn named(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2).map(|name| {
        let end = name.find(['\'', '[']).unwrap_or(name.len());
        name.get(..end).unwrap_or(name)
    })
}

/// What a statement allows; words that are no warnings are problems.
pub(super) fn read(codes: &[Name], of: &[Name]) -> (Vec<Allowance>, Vec<Diagnostic>) {
    let (mut allowances, mut problems) = (Vec::new(), Vec::new());
    for word in codes {
        match Code::find(&word.text) {
            Some(code) if code.severity() == Severity::Warning => allowances.push(Allowance {
                code,
                span: word.span,
                names: of.iter().map(|name| name.text.clone()).collect(),
            }),
            Some(code) => problems.push(is_an_error(code, word.span)),
            None => problems.push(unknown(word)),
        }
    }
    (allowances, problems)
}

fn is_an_error(code: Code, span: Span) -> Diagnostic {
    let message = format!("`{}` is an error: it cannot be allowed", code.as_str());
    Diagnostic::new(Code::BadAllowance, message)
        .at(span, code.title())
        .help(format!(
            "mend it: `lotka explain {}` says how",
            code.as_str()
        ))
}

fn unknown(word: &Name) -> Diagnostic {
    let message = format!("there is no warning `{}`", word.text);
    let diagnostic = Diagnostic::new(Code::BadAllowance, message).at(word.span, "");
    match Code::nearest(&word.text).filter(|near| near.starts_with('W')) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help("warnings have codes with a `W`, as in `allow W0201`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_narrows_what_is_allowed() {
        let allowance = |names: &[&str]| Allowance {
            code: Code::UnusedParameter,
            span: Span::new(crate::source::SourceId(0), 0, 0),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let unused = Diagnostic::new(Code::UnusedParameter, "nothing uses `k[2]`");
        assert!(allowance(&[]).silences(&unused));
        assert!(allowance(&["q", "k"]).silences(&unused));
        assert!(!allowance(&["q"]).silences(&unused));
        let other = Diagnostic::new(Code::UnusedHistory, "nothing reads the history of `k`");
        assert!(!allowance(&[]).silences(&other));
    }
}
