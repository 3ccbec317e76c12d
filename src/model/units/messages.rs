//! What is said about units that do not agree.
//!
//! Enters: two terms and how they differ. Leaves: diagnostics that offer the factor or name what is
//! missing. Must not know how units are found.

use super::checker::{Checker, Needed};
use super::measure::TemperatureScale;
use super::solve::{Difference, Role};
use super::table::{CELSIUS_ZERO, FAHRENHEIT_ZERO};
use super::term::Term;
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::model::walk::each_name;
use crate::syntax::{self, tree};
use tree::ExprKind;

/// What brings two units together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// A sum or a difference.
    Added,
    /// A comparison.
    Compared,
    /// The two ways of `if`, the arguments of `max`, the numbers of a vector.
    Together,
    /// A place with a unit of its own.
    Needed,
}

/// What stands somewhere.
pub struct Found<'t> {
    pub term: Term,
    pub written: &'t tree::Expr,
}

/// Two units that do not agree.
pub fn mismatch(
    checker: &Checker<'_>,
    needed: &Needed,
    found: &Found<'_>,
    difference: &Difference,
    join: Join,
) -> Diagnostic {
    let (there, here) = (checker.text(&needed.term), checker.text(&found.term));
    let message = match join {
        Join::Added => format!("[{there}] and [{here}] do not add up"),
        Join::Compared => format!("[{there}] and [{here}] cannot be compared"),
        Join::Together => format!("[{there}] and [{here}] stand for one quantity"),
        Join::Needed => format!("[{here}] stands where [{there}] is needed"),
    };
    let code = match difference {
        Difference::Zero(..) => Code::TemperatureZero,
        _ => Code::UnitMismatch,
    };
    let mut diagnostic =
        Diagnostic::new(code, message).at(found.written.span, format!("this is in [{here}]"));
    if needed.span != found.written.span {
        diagnostic = diagnostic.at(needed.span, format!("{} [{there}]", needed.what));
    }
    with_inferred(checker, diagnostic, found.written)
        .help(advice(checker, needed, found, difference))
}

fn advice(
    checker: &Checker<'_>,
    needed: &Needed,
    found: &Found<'_>,
    difference: &Difference,
) -> String {
    let (there, here) = (checker.text(&needed.term), checker.text(&found.term));
    match difference {
        Difference::Factor(factor) => {
            let factor = 1.0 / factor;
            let fact = fact(factor, &here, &there);
            match &found.written.kind {
                ExprKind::Number { value, .. } => {
                    let converted = factor_text(value * factor);
                    format!("{fact}: write `{converted} [{there}]`")
                }
                _ => format!("{fact}: {}", times(found.written, factor)),
            }
        }
        Difference::Exponent(name, Some(factor)) => format!(
            "what is raised to a power with `{name}` differs by a factor of {}",
            factor_text(if *factor < 1.0 { 1.0 / factor } else { *factor })
        ),
        Difference::Exponent(name, None) => format!(
            "a unit to a power with `{name}` depends on its value: write the exponent as a number, or divide by a quantity of the same unit first"
        ),
        Difference::Zero(there, here) => zero_advice(*there, *here),
        Difference::Dimension => dimension_advice(checker, needed, found),
    }
}

/// What a unit lacks, and which quantity of the model has it.
fn dimension_advice(checker: &Checker<'_>, needed: &Needed, found: &Found<'_>) -> String {
    let ratio = checker.resolve(&found.term.clone().times(&needed.term, -1.0));
    let inverse = Term::one().times(&ratio, -1.0);
    let registry = &checker.units.registry;
    let (too_much, missing) = (ratio.text(registry), inverse.text(registry));
    // The shorter one reads better: [L] rather than [1/L].
    let (verb, lacking, term) = if missing.starts_with("1/") || missing.len() > too_much.len() {
        ("dividing", too_much, ratio)
    } else {
        ("multiplying", missing, inverse)
    };
    let measure = term.measure(registry);
    let mut suited: Vec<&str> = checker
        .units
        .quantities
        .iter()
        .filter(|(_, quantity)| quantity.is_declared && measure.is_some())
        .filter(|(_, quantity)| quantity.term.measure(registry) == measure)
        .map(|(name, _)| name.as_str())
        .collect();
    suited.sort_unstable();
    let such_as = match suited.as_slice() {
        [] => String::new(),
        [only] => format!(", such as `{only}`,"),
        [first, second, ..] => format!(", such as `{first}` or `{second}`,"),
    };
    if such_as.is_empty() && lacking.contains('/') && !lacking.starts_with("1/") {
        return "they do not measure the same".to_owned();
    }
    format!("{verb} it by something in [{lacking}]{such_as} would make them agree")
}

fn zero_advice(there: Option<TemperatureScale>, here: Option<TemperatureScale>) -> String {
    use TemperatureScale::{Celsius, Fahrenheit};
    let celsius = number_text(CELSIUS_ZERO);
    match (there, here) {
        (None, Some(Celsius)) => format!(
            "0 degC is {celsius} K: write `T + {celsius}` for a temperature `T` in degrees Celsius; a difference of two of them is in [K]"
        ),
        (Some(Celsius), None) => {
            format!("0 degC is {celsius} K: write `T - {celsius}` for a temperature `T` in kelvin")
        }
        (None, Some(Fahrenheit)) => format!(
            "write `(T + {})*5/9` for a temperature `T` in degrees Fahrenheit",
            number_text(FAHRENHEIT_ZERO)
        ),
        (Some(Fahrenheit), None) => format!(
            "write `T*9/5 - {}` for a temperature `T` in kelvin",
            number_text(FAHRENHEIT_ZERO)
        ),
        _ => "32 degF is 0 degC, and 9 degrees Fahrenheit are 5 degrees Celsius: `(T - 32)*5/9`"
            .to_owned(),
    }
}

/// A temperature that is multiplied though its zero is a convention.
pub fn multiplied_temperature(written: &tree::Expr, unit: &str) -> Diagnostic {
    let shown = short(written).unwrap_or_else(|| "T".to_owned());
    let offset = match unit {
        "degF" | "°F" => number_text(FAHRENHEIT_ZERO),
        _ => number_text(CELSIUS_ZERO),
    };
    Diagnostic::new(
        Code::TemperatureZero,
        "a temperature that is counted from a zero of its own has no multiples",
    )
    .at(written.span, format!("this is in [{unit}]"))
    .help(format!(
        "take the absolute temperature, `({shown} + {offset})`, or a difference from another one in [{unit}]"
    ))
}

/// Two temperatures that are added though their zero is a convention.
pub fn added_temperatures(first: &tree::Expr, second: &tree::Expr, unit: &str) -> Diagnostic {
    Diagnostic::new(
        Code::TemperatureZero,
        format!("two temperatures in [{unit}] do not add up"),
    )
    .at(second.span, format!("this is in [{unit}]"))
    .at(first.span, "and so is this")
    .help("their difference is in [K], and may be added to one of them: `T1 + (T2 - T1)/2`")
}

/// A name in brackets that is no unit.
pub fn unknown_unit(name: &tree::Name, near: Option<String>) -> Diagnostic {
    let text = &name.text;
    let declare = format!("declare one of your own, as in `unit {text}` or `unit {text} = 5 [mg]`");
    Diagnostic::new(Code::UnknownUnit, format!("`{text}` is not a unit"))
        .at(name.span, "not known")
        .help(match near {
            Some(near) => format!("did you mean `{near}`? Or {declare}"),
            None => declare,
        })
}

/// Adds where the units of names were found out that no declaration gives.
pub fn with_inferred(
    checker: &Checker<'_>,
    mut diagnostic: Diagnostic,
    written: &tree::Expr,
) -> Diagnostic {
    // Inside a function its arguments hide the names of the model.
    if !checker.calls.is_empty() {
        return diagnostic;
    }
    let mut seen: Vec<String> = Vec::new();
    each_name(written, &mut |name| {
        if seen.iter().all(|known| known != name) {
            seen.push(name.to_owned());
        }
    });
    for name in seen {
        let Some(quantity) = checker.units.quantities.get(&name) else {
            continue;
        };
        let mut unknowns = quantity.term.unknowns();
        let Some((id, _)) = unknowns.next() else {
            continue;
        };
        let term = checker.resolve(&quantity.term);
        let is_known = term.is_known() && !term.is_empty();
        if let Some(place) = checker.units.store.found_at(id)
            && is_known
            && checker.units.store.role(id) == Role::Quantity
            && diagnostic.labels.len() < 4
            && diagnostic.labels.iter().all(|label| label.span != place)
        {
            let unit = checker.text(&quantity.term);
            diagnostic = diagnostic.at(place, format!("makes `{name}` be in [{unit}]"));
        }
    }
    diagnostic
}

/// How to multiply what is written by a factor.
pub fn times(written: &tree::Expr, factor: f64) -> String {
    match short(written) {
        Some(shown) if factor < 1.0 => format!("write `{shown}/{}`", factor_text(1.0 / factor)),
        Some(shown) => format!("write `{shown}*{}`", factor_text(factor)),
        None => by(factor),
    }
}

/// `multiply it by 60`, `divide it by 60`
pub fn by(factor: f64) -> String {
    if factor < 1.0 {
        format!("divide it by {}", factor_text(1.0 / factor))
    } else {
        format!("multiply it by {}", factor_text(factor))
    }
}

/// The text of a name or call, when it is short enough to be quoted with a factor.
pub fn short(written: &tree::Expr) -> Option<String> {
    const MOST: usize = 24;
    let joins = matches!(
        &written.kind,
        ExprKind::Binary {
            operator: tree::BinaryOperator::Multiply | tree::BinaryOperator::Divide,
            ..
        } | ExprKind::Reference(_)
            | ExprKind::Call { .. }
    );
    let text = syntax::show_expression(written);
    (joins && text.chars().count() <= MOST).then_some(text)
}

/// `1 h is 60 min`, for a factor that takes numbers from one unit to another: the larger one comes
/// first.
pub fn fact(factor: f64, from: &str, to: &str) -> String {
    let (factor, large, small) = if factor < 1.0 {
        (1.0 / factor, to, from)
    } else {
        (factor, from, to)
    };
    format!("{} is {}", so_many(1.0, large), so_many(factor, small))
}

fn so_many(number: f64, unit: &str) -> String {
    let number = factor_text(number);
    match unit {
        "1" => number,
        unit if unit.starts_with("1/") => format!("{number} [{unit}]"),
        unit => format!("{number} {unit}"),
    }
}

/// A factor with ten digits at most, without the noise of its computation.
pub fn factor_text(factor: f64) -> String {
    let rounded = format!("{factor:.9e}").parse::<f64>().unwrap_or(factor);
    number_text(rounded)
}
