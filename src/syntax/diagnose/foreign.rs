//! What comes from elsewhere: words, signs and characters of other programs, and how it is said here.
//!
//! Enters: what stands at a fault. Leaves: a diagnostic, or nothing where it is none of these. Must not
//! know the grammar.

use super::super::slips::{FOREIGN, LOOKALIKES, OTHER_STARTS};
use super::super::starts::word;
use super::super::words::{DECLARATIONS, starts_name};
use super::Found;
use crate::diagnostic::{Code, Diagnostic};

/// What models for other programs say, and how it is said here.
pub(super) fn foreign_model(found: &Found, token: &str, first: &str) -> Option<String> {
    let before = found.before.trim();
    match (token, first) {
        ("(", "state" | "species") => {
            let name = before.rsplit([' ', ',']).next().unwrap_or("x");
            Some(format!("an initial value is written `{first} {name} = 0`"))
        }
        // `cp ~ prop(s)`
        ("~", _) if word(before) == before && !DECLARATIONS.contains(&before) => {
            let after = found.rest.get(1..).unwrap_or("").trim_start();
            let sd = match word(after) {
                "prop" => format!("normal({before}, sd = s*{before})"),
                "lnorm" | "dlnorm" => format!("lognormal(median = {before}, sd = s)"),
                _ => format!("normal({before}, sd = s)"),
            };
            Some(format!(
                "how data scatter is declared, as in `observe {before} ~ {sd}`"
            ))
        }
        _ => None,
    }
}

/// What stands on the left of `=` in models for other programs, and how it is said here.
pub(super) fn foreign_left(before: &str) -> Option<String> {
    let compact: String = before.split_whitespace().collect();
    if let Some(name) = compact
        .strip_prefix("d/dt(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return Some(format!("write `{name}' = ...`"));
    }
    let (function, name) = compact.strip_suffix(')')?.split_once('(')?;
    let dosed = match function {
        "f" | "F" | "alag" | "lag" | "dur" | "rate" => word(name) == name && !name.is_empty(),
        _ => name == "0",
    };
    if !dosed {
        return None;
    }
    Some(match function {
        "f" | "F" => format!(
            "a function is written `fn {function}({name}) = ...`; the part of a dose that arrives is a factor of it, as in `dose 100*0.8 into {name}`"
        ),
        "alag" | "lag" => {
            format!("a dose waits with `lag`, as in `dose 100 into {name} lag 0.5`")
        }
        "dur" | "rate" => {
            format!("an infusion takes its time with `over`, as in `dose 100 into {name} over 2`")
        }
        _ => format!("an initial value is declared, as in `state {function} = 10`"),
    })
}

pub(super) fn lookalike(found: &Found) -> Option<Diagnostic> {
    let sign = found.rest.chars().next()?;
    let (_, plain) = LOOKALIKES.iter().find(|(other, _)| *other == sign)?;
    let message = format!("`{sign}` is not a character of the language");
    Some(
        Diagnostic::new(Code::BadCharacter, message)
            .at(
                found.here(sign.len_utf8()),
                format!("U+{:04X}", u32::from(sign)),
            )
            .help(format!("write `{plain}`")),
    )
}

/// A sign that begins statements of another language.
pub(super) fn foreign_start(found: &Found) -> Option<Diagnostic> {
    let sign = found
        .rest
        .chars()
        .next()
        .filter(|_| found.before.is_empty())?;
    let (_, help) = OTHER_STARTS.iter().find(|(other, _)| *other == sign)?;
    Some(
        Diagnostic::new(
            Code::BadCharacter,
            format!("no statement begins with `{sign}`"),
        )
        .at(found.here(sign.len_utf8()), "not used here")
        .help(*help),
    )
}

pub(super) fn foreign_operator(found: &Found) -> Option<Diagnostic> {
    // The operator may have begun one character before the place where no rule went on.
    for back in [2, 1, 0] {
        let start = found.at.checked_sub(back)?.min(found.fault.text.len());
        let Some(here) = found.fault.text.get(start..) else {
            continue;
        };
        let sign = FOREIGN
            .iter()
            .find(|(sign, _)| sign.len() > back && here.starts_with(sign));
        if let Some((sign, help)) = sign {
            let message = format!("`{sign}` is not an operator");
            return Some(
                Diagnostic::new(Code::BadCharacter, message)
                    .at(found.span(start, start + sign.len()), "not used here")
                    .help(*help),
            );
        }
    }
    if found.rest.starts_with('!') && !found.rest.starts_with("!=") {
        return Some(
            Diagnostic::new(Code::BadCharacter, "`!` is not an operator")
                .at(found.here(1), "not used here")
                .help("write `not`"),
        );
    }
    None
}

pub(super) fn foreign_character(found: &Found) -> Option<Diagnostic> {
    let sign = found.rest.chars().next()?;
    let known = sign.is_ascii_alphanumeric() || "_+-*/^=<>!~.,:;()[]{}\"'`#".contains(sign);
    if known || starts_name(sign) {
        return None;
    }
    let shown = if sign.is_control() {
        String::new()
    } else {
        format!("`{sign}` ")
    };
    let message = format!(
        "the character {shown}(U+{:04X}) is not used in the language",
        u32::from(sign)
    );
    Some(
        Diagnostic::new(Code::BadCharacter, message)
            .at(found.here(sign.len_utf8()), found.expected()),
    )
}
