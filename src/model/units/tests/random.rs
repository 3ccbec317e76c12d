//! Random expressions of positive quantities, against the theorem that units rest on: what agrees in its
//! units scales with them, every part of it, and what does not agree has a part that does not (A. J.
//! Kennedy, POPL 1997). The whole alone does not say it: faults cancel in (m + s)/(m + s).

use super::{checked, faults};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Made {
    Name(usize),
    Sum(Box<Made>, Box<Made>),
    Product(Box<Made>, Box<Made>),
    Ratio(Box<Made>, Box<Made>),
    Square(Box<Made>),
    Root(Box<Made>),
}

/// Names with the exponents of metre and second, and a value.
const QUANTITIES: [(&str, f64, f64, f64); 5] = [
    ("a", 1.0, 0.0, 1.3),
    ("b", 0.0, 1.0, 0.7),
    ("c", 2.0, 0.0, 2.1),
    ("d", 1.0, -1.0, 1.9),
    ("e", 1.0, 0.0, 0.4),
];

impl Made {
    fn text(&self) -> String {
        match self {
            Made::Name(at) => QUANTITIES[*at].0.to_owned(),
            Made::Sum(a, b) => format!("({} + {})", a.text(), b.text()),
            Made::Product(a, b) => format!("({}*{})", a.text(), b.text()),
            Made::Ratio(a, b) => format!("({}/{})", a.text(), b.text()),
            Made::Square(a) => format!("({})^2", a.text()),
            Made::Root(a) => format!("sqrt({})", a.text()),
        }
    }

    /// The value when lengths are multiplied by one factor and times by another.
    fn value(&self, length: f64, time: f64) -> f64 {
        let value = |made: &Made| made.value(length, time);
        match self {
            Made::Name(at) => {
                let (_, metres, seconds, value) = QUANTITIES[*at];
                value * length.powf(metres) * time.powf(seconds)
            }
            Made::Sum(a, b) => value(a) + value(b),
            Made::Product(a, b) => value(a) * value(b),
            Made::Ratio(a, b) => value(a) / value(b),
            Made::Square(a) => value(a).powi(2),
            Made::Root(a) => value(a).sqrt(),
        }
    }
}

/// Pairs of factors for lengths and times that no exponents of this size confuse.
const STEPS: [(f64, f64); 4] = [(1.7, 1.0), (1.0, 2.3), (1.7, 2.3), (0.31, 0.57)];

impl Made {
    /// The exponents with which it scales, when it and all its parts do.
    fn scales(&self) -> Option<(f64, f64)> {
        match self {
            Made::Name(_) => {}
            Made::Square(a) | Made::Root(a) => {
                a.scales()?;
            }
            Made::Sum(a, b) | Made::Product(a, b) | Made::Ratio(a, b) => {
                a.scales()?;
                b.scales()?;
            }
        }
        let before = self.value(1.0, 1.0);
        let grows = STEPS.map(|(m, s)| (self.value(m, s) / before).ln());
        let (metres, seconds) = (grows[0] / 1.7_f64.ln(), grows[1] / 2.3_f64.ln());
        let mut all = STEPS.iter().zip(&grows);
        let scales = all.all(|((m, s), grown)| {
            let expected = metres * m.ln() + seconds * s.ln();
            (grown - expected).abs() < 1e-9 * (1.0 + grown.abs())
        });
        scales.then_some((metres, seconds))
    }
}

fn made() -> impl Strategy<Value = Made> {
    let leaf = (0..QUANTITIES.len()).prop_map(Made::Name);
    leaf.prop_recursive(4, 12, 2, |inner| {
        let pair = || (inner.clone(), inner.clone());
        prop_oneof![
            pair().prop_map(|(a, b)| Made::Sum(Box::new(a), Box::new(b))),
            pair().prop_map(|(a, b)| Made::Product(Box::new(a), Box::new(b))),
            pair().prop_map(|(a, b)| Made::Ratio(Box::new(a), Box::new(b))),
            inner.clone().prop_map(|a| Made::Square(Box::new(a))),
            inner.clone().prop_map(|a| Made::Root(Box::new(a))),
        ]
    })
}

/// The exponents of `m` and `s` in the text of a unit.
fn exponents(text: &str) -> (f64, f64) {
    let (mut metres, mut seconds) = (0.0, 0.0);
    let mut sign = 1.0;
    // The slash of an exponent stands in parentheses.
    let mut depth = 0;
    let marked: String = text
        .chars()
        .map(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if c == '/' && depth > 0 { ':' } else { c }
        })
        .collect();
    for part in marked.split_inclusive(['*', '/']) {
        let next = if part.ends_with('/') { -1.0 } else { 1.0 };
        let part = part.trim_end_matches(['*', '/']);
        let (name, power) = part.split_once('^').unwrap_or((part, "1"));
        let power = power.trim_matches(['(', ')']);
        let (above, below) = power.split_once(':').unwrap_or((power, "1"));
        let power: f64 = above.parse::<f64>().unwrap() / below.parse::<f64>().unwrap();
        match name {
            "m" => metres += sign * power,
            "s" => seconds += sign * power,
            _ => {}
        }
        sign = next;
    }
    (metres, seconds)
}

fn model(expression: &str, units: &str, [m, s]: [&str; 2]) -> String {
    format!(
        "{units}\nparam a = 1 [{m}], b = 1 [{s}], c = 1 [{m}^2], d = 1 [{m}/{s}], e = 1 [{m}]\nlet out = {expression}\nstate z = 0\nz' = 1 + 0*a*b*c*d*e"
    )
}

proptest! {
    #[test]
    fn what_agrees_scales_and_what_scales_agrees(made in made()) {
        let text = model(&made.text(), "", ["m", "s"]);
        let found = checked(&text);
        let agrees = found.diagnostics.iter().all(|found| !found.is_error());
        let scales = made.scales();
        prop_assert_eq!(agrees, scales.is_some(), "{}", text);
        if let (Some(model), Some((metres, seconds))) = (found.model, scales) {
            let (unit, _) = model.names.units().and_then(|units| units.of("out")).unwrap();
            let (m, s) = exponents(&unit);
            prop_assert!((m - metres).abs() < 1e-6 && (s - seconds).abs() < 1e-6, "{} in [{}]", made.text(), unit);
        }
    }

    /// Another base unit of a dimension changes no verdict, nor does it matter how far it is away.
    #[test]
    fn verdicts_do_not_depend_on_base_units(made in made(), factor in -20f64..20.0) {
        let factor = format!("{:e}", factor.exp());
        let plain = "unit span, wide = 1000 [span], beat";
        let other = format!("unit span = {factor} [m], wide = 1000 [span], beat = {factor} [s]");
        for names in [["span", "beat"], ["wide", "beat"]] {
            let expression = format!("{} + a/e*0", made.text());
            let first = faults(&model(&expression, plain, names)).len();
            let second = faults(&model(&expression, &other, names)).len();
            prop_assert_eq!(first, second);
        }
    }
}
