//! Whose doses a run gets: the subjects of the dose tables, and the choice between them.
//!
//! Enters: the rows of all tables that hold, and what the sentence says. Leaves: the subjects to
//! run, and the rows of each.

use super::command::Subjects;
use super::doses::Sheet;
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::simulate::DoseRow;
use crate::source::Span;

/// Subjects named in a message; the others are counted.
const MOST_NAMED: usize = 12;

/// The subjects of all tables, each once, in the order of the tables.
pub(super) fn all(sheets: &[Sheet]) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for sheet in sheets {
        for subject in &sheet.subjects {
            if !found.contains(&subject.as_str()) {
                found.push(subject);
            }
        }
    }
    found
}

/// The subjects that a sentence runs, one run each; `None` where nobody needs a name.
///
/// # Errors
/// A subject that is not there, and several of which none is chosen.
pub(super) fn chosen(
    sheets: &[Sheet],
    asked: &Subjects,
    sentence: Span,
) -> Result<Vec<Option<String>>, Diagnostic> {
    let known = all(sheets);
    match asked {
        Subjects::Unsaid => match known.as_slice() {
            [] => Ok(vec![None]),
            [only] => Ok(vec![Some((*only).to_owned())]),
            _ => Err(choose(&known, sheets, sentence)),
        },
        Subjects::Each(span) if known.is_empty() => Err(nobody(*span)),
        Subjects::Each(_) => Ok(known.iter().map(|one| Some((*one).to_owned())).collect()),
        Subjects::One(name) if known.is_empty() => Err(nobody(name.span)),
        Subjects::One(name) => {
            let found = known.iter().find(|known| same(known, &name.text));
            match found {
                Some(found) => Ok(vec![Some((*found).to_owned())]),
                None => {
                    let message = format!("there are no doses of a subject {}", name.text);
                    let near = did_you_mean(&name.text, known.iter().copied());
                    let problem = Diagnostic::new(Code::NoSubject, message)
                        .at(name.span, "not in the table of doses");
                    let problem = match sheets.iter().find(|sheet| !sheet.subjects.is_empty()) {
                        Some(sheet) => problem.at(sheet.file, "this one"),
                        None => problem,
                    };
                    Err(problem.help(near.unwrap_or_else(|| has(&known))))
                }
            }
        }
    }
}

/// `3`, `3.0` and `03` are the same subject.
#[expect(clippy::float_cmp, reason = "labels, not measurements")]
pub(super) fn same(known: &str, asked: &str) -> bool {
    known == asked
        || matches!(
            (known.parse::<f64>(), asked.parse::<f64>()),
            (Ok(known), Ok(asked)) if known == asked
        )
}

/// `the table has 1, 2 and 3`
pub(super) fn has(known: &[&str]) -> String {
    let mut names: Vec<String> = known
        .iter()
        .take(MOST_NAMED)
        .map(|name| (*name).to_owned())
        .collect();
    if known.len() > MOST_NAMED {
        names.push(format!("{} more", known.len() - MOST_NAMED));
    }
    format!("the table has {}", listed(&names))
}

fn choose(known: &[&str], sheets: &[Sheet], sentence: Span) -> Diagnostic {
    let first = known.first().copied().unwrap_or("1");
    let message = format!("the doses are those of {} subjects", known.len());
    let diagnostic = Diagnostic::new(Code::NoSubject, message).at(sentence, "which one?");
    let diagnostic = match sheets.iter().find(|sheet| !sheet.subjects.is_empty()) {
        Some(sheet) => diagnostic.at(sheet.file, has(known)),
        None => diagnostic,
    };
    diagnostic.help(format!(
        "write `subject {}` for one, or `by subject` for all",
        spelled(first)
    ))
}

/// A subject as a sentence names it.
fn spelled(subject: &str) -> String {
    let plain = subject
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain {
        subject.to_owned()
    } else {
        format!("\"{subject}\"")
    }
}

fn nobody(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NoSubject, "nothing here has subjects")
        .at(span, "")
        .help("subjects come from the column `ID` of a table of doses, as in `dose AMT into C1 from \"doses.csv\"`")
}

/// The rows of one subject from all tables, in order of time; a table without subjects is for
/// everyone.
pub(super) fn rows(sheets: &[Sheet], subject: Option<&str>) -> Vec<DoseRow> {
    let mut rows: Vec<DoseRow> = Vec::new();
    for sheet in sheets {
        let position = sheet
            .subjects
            .iter()
            .position(|known| Some(known.as_str()) == subject);
        let everyone = sheet.subjects.is_empty();
        let own = sheet
            .rows
            .iter()
            .filter(|(of, _)| everyone || Some(*of) == position);
        rows.extend(own.map(|(_, row)| row.clone()));
    }
    // Stable: rows of one time stay in the order of the text and of the table.
    rows.sort_by(|one, other| one.time.total_cmp(&other.time));
    rows
}
