//! Units: the table against another one, scales, inference, and what random expressions do.

mod random;

use super::measure::Registry;
use super::table::{PREFIXES, UNITS};
use crate::diagnostic::Diagnostic;
use crate::model::{Checked, check};
use crate::source::SourceId;
use crate::syntax;

fn checked(text: &str) -> Checked {
    let parsed = syntax::parse_file(SourceId(0), text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    check(&parsed.file)
}

/// The messages of the errors of a text.
fn faults(text: &str) -> Vec<String> {
    let found = checked(text).diagnostics.into_iter();
    found
        .filter(Diagnostic::is_error)
        .map(|found| format!("{}", found))
        .collect()
}

/// The unit of a name, with the word whether it is declared.
fn unit_of(text: &str, name: &str) -> Option<(String, bool)> {
    let found = checked(text);
    let model = found
        .model
        .unwrap_or_else(|| panic!("{:?}", found.diagnostics));
    model.names.units()?.of(name)
}

/// How many of the second unit one of the first is.
fn ratio(first: &str, second: &[(&str, f64)]) -> f64 {
    let mut registry = Registry::default();
    let mut measure = |name: &str| {
        let id = registry.unit(name).unwrap_or_else(|| panic!("{name}"));
        registry.measure(id).clone()
    };
    let mut of = measure(first);
    for (name, exponent) in second {
        of = of.times(&measure(name), -exponent);
    }
    of.factor()
        .unwrap_or_else(|| panic!("{first}: other dimensions"))
}

/// One of each unit in terms of SI's base units, by pint 0.25.3 (its `default_en.txt`).
#[test]
fn units_are_those_of_another_table() {
    #[allow(clippy::type_complexity)]
    let cases: &[(&str, &[(&str, f64)], f64)] = &[
        ("min", &[("s", 1.0)], 60.0),
        ("h", &[("s", 1.0)], 3600.0),
        ("d", &[("s", 1.0)], 86400.0),
        ("week", &[("s", 1.0)], 604_800.0),
        ("year", &[("s", 1.0)], 31_557_600.0),
        ("month", &[("s", 1.0)], 2_629_800.0),
        ("Hz", &[("s", -1.0)], 1.0),
        ("Å", &[("m", 1.0)], 1e-10),
        ("ha", &[("m", 2.0)], 1e4),
        ("L", &[("m", 3.0)], 1e-3),
        ("g", &[("kg", 1.0)], 1e-3),
        ("t", &[("kg", 1.0)], 1e3),
        ("Da", &[("kg", 1.0)], 1.660_539_068_92e-27),
        ("N", &[("kg", 1.0), ("m", 1.0), ("s", -2.0)], 1.0),
        ("Pa", &[("kg", 1.0), ("m", -1.0), ("s", -2.0)], 1.0),
        ("bar", &[("Pa", 1.0)], 1e5),
        ("atm", &[("Pa", 1.0)], 101_325.0),
        ("mmHg", &[("Pa", 1.0)], 133.322_387_415),
        ("J", &[("kg", 1.0), ("m", 2.0), ("s", -2.0)], 1.0),
        ("cal", &[("J", 1.0)], 4.184),
        ("eV", &[("J", 1.0)], 1.602_176_634e-19),
        ("W", &[("kg", 1.0), ("m", 2.0), ("s", -3.0)], 1.0),
        ("molecules", &[("mol", 1.0)], 1.660_539_067_173_846_6e-24),
        ("M", &[("mol", 1.0), ("m", -3.0)], 1000.0),
        ("kat", &[("mol", 1.0), ("s", -1.0)], 1.0),
        (
            "U",
            &[("mol", 1.0), ("s", -1.0)],
            1.666_666_666_666_666_7e-8,
        ),
        ("Bq", &[("s", -1.0)], 1.0),
        ("Ci", &[("s", -1.0)], 3.7e10),
        ("Gy", &[("m", 2.0), ("s", -2.0)], 1.0),
        ("Sv", &[("m", 2.0), ("s", -2.0)], 1.0),
        ("C", &[("A", 1.0), ("s", 1.0)], 1.0),
        (
            "V",
            &[("kg", 1.0), ("m", 2.0), ("s", -3.0), ("A", -1.0)],
            1.0,
        ),
        (
            "F",
            &[("A", 2.0), ("s", 4.0), ("kg", -1.0), ("m", -2.0)],
            1.0,
        ),
        (
            "ohm",
            &[("kg", 1.0), ("m", 2.0), ("s", -3.0), ("A", -2.0)],
            1.0,
        ),
        (
            "S",
            &[("A", 2.0), ("s", 3.0), ("kg", -1.0), ("m", -2.0)],
            1.0,
        ),
        (
            "H",
            &[("kg", 1.0), ("m", 2.0), ("s", -2.0), ("A", -2.0)],
            1.0,
        ),
        (
            "Wb",
            &[("kg", 1.0), ("m", 2.0), ("s", -2.0), ("A", -1.0)],
            1.0,
        ),
        ("T", &[("kg", 1.0), ("s", -2.0), ("A", -1.0)], 1.0),
        ("%", &[], 1e-2),
        ("‰", &[], 1e-3),
        ("ppm", &[], 1e-6),
        ("ppb", &[], 1e-9),
        ("thousands", &[], 1e3),
        ("millions", &[], 1e6),
        ("rad", &[], 1.0),
        ("deg", &[], 0.017_453_292_519_943_295),
        ("uM", &[("nM", 1.0)], 1000.0),
        ("kcal", &[("kJ", 1.0)], 4.184),
        ("mL", &[("cm", 3.0)], 1.0),
    ];
    for (name, of, expected) in cases {
        let found = ratio(name, of);
        assert!(
            (found / expected - 1.0).abs() < 1e-12,
            "{name}: {found}, {expected}"
        );
    }
    // Each unit that is made of others stands above.
    for row in UNITS {
        let usual = row.names[0];
        let is_base = row.of == usual || row.group.starts_with("Counts");
        let is_listed = cases.iter().any(|(name, ..)| row.names.contains(name));
        assert!(is_base || is_listed, "{usual}");
    }
}

/// The powers of ten of the SI brochure, 9th edition, table 7.
#[test]
fn prefixes_are_powers_of_ten() {
    for (prefix, power) in PREFIXES {
        let found = ratio(&format!("{prefix}g"), &[("g", 1.0)]);
        let expected = 10f64.powi(*power);
        assert!((found / expected - 1.0).abs() < 1e-12, "{prefix}: {found}");
    }
}

#[test]
fn every_name_is_a_unit_of_its_own_row() {
    let mut seen = std::collections::BTreeSet::new();
    for row in UNITS {
        for name in row.names {
            assert!(seen.insert(*name), "{name} stands twice");
        }
    }
    // What reads like a prefixed unit and is one of its own.
    for (name, of, expected) in [
        ("min", "s", 60.0),
        ("Pa", "bar", 1e-5),
        ("d", "h", 24.0),
        ("cd", "cd", 1.0),
        ("ha", "ha", 1.0),
        ("mmol", "mol", 1e-3),
        ("dag", "g", 10.0),
        ("month", "month", 1.0),
    ] {
        let found = ratio(name, &[(of, 1.0)]);
        assert!((found / expected - 1.0).abs() < 1e-12, "{name}: {found}");
    }
}

#[test]
fn numbers_without_units_fit_anywhere() {
    let sound = [
        "time [h]\nstate x = 1 [mg]\nx' = -0.5*x + 3",
        "time [h]\nstate x = 1 [mg]\nparam k = 0.3\nx' = -k*x/(5 + x)",
        "time [h]\nstate x = 1 [mg], y = 2\nx' = -0.5*max(x, 0)*y\ny' = -0.7*y*x",
        "time [h]\nparam C = 1 [mg/L], V = 20\nstate A = C*V\nA' = -A*exp(-t/10)*log(2)/3",
        "time [ms]\nstate V = -65 [mV], m = 0\nfn a(u) = 0.1*(u + 40)/(1 - exp(-(u + 40)/10))\nm' = a(V)*(1 - m)\nV' = -120*m^3*(V - 50)",
        "state x = 1\nparam k = 2 [1/h]\nx' = -k*x",
        "time [h]\nparam ke = exp(-2.43) [1/h], Cl = exp(-3.21) [L/h]\nstate C = 1 [mg/L]\nC' = -ke*C*Cl/Cl",
        "time [h]\nparam l = -3, CL = exp(l) [L/h], V = 2 [L]\nstate C = 1\nC' = -CL*C/V",
        "time [h]\nparam k = 1\nstate x = 1 [mg], y = 0 [ug]\nx' = -k*x\ny' = 1000*k*x - k*y",
        "time [h]\nparam V = 3 [mL/min]\nstate x = 1 [L]\nx' = -0.06*V",
    ];
    for text in sound {
        assert_eq!(faults(text), Vec::<String>::new(), "{text}");
    }
}

/// A catalyst does not decide in what a flux is counted, degrees may stand in the exponent of a bare
/// number, and `max` of numbers is a number.
#[test]
fn what_the_field_writes_is_sound() {
    let sound = [
        "time [s]\nspecies E = 5 [U], S = 50 [umol], P = 0 [umol]\nparam kc = 0.01 [1/U/s]\nE + S -> E + P, kc",
        "time [s]\nspecies E = 5 [U], S = 50 [umol], P = 0 [umol]\nparam kc = 0.01 [1/U/s]\nE + S -> E + P, rate kc*E*S",
        "time [d]\nparam T = 25 [degC], k = 0.1 [1/d]\nstate B = 1 [mg/L]\nB' = -k*1.07^(T - 20)*B",
        "time [h]\nparam k = 1 [1/h/mg]\nstate A = 1 [mg]\nA' = -k*A^max(1, 2)",
    ];
    for text in sound {
        assert_eq!(faults(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_factor_of_ten_is_a_slip() {
    // A/V is in mg/mL, of which 1000 mg/L are one.
    let text =
        "time [h]\nparam V = 1000 [mL]\nstate A = 100 [mg]\nA' = -0.1*A\nlet C = A/V*100 [mg/L]";
    assert_eq!(faults(&text.replace("*100", "*1000")), Vec::<String>::new());
    let told = faults(text);
    assert!(told.len() == 1 && told[0].starts_with("E0310"), "{told:?}");
}

#[test]
fn exponents_of_many_products_end() {
    let factors: Vec<String> = (0..40)
        .map(|at| format!("(p{}+p{})", 2 * at, 2 * at + 1))
        .collect();
    let names: Vec<String> = (0..80).map(|at| format!("p{at} = 1")).collect();
    let text = format!(
        "time [h]\nparam {}\nstate x = 1 [mg]\nx' = -0.1*x\nlet y = (x/1 [mg])^({})",
        names.join(", "),
        factors.join("*")
    );
    assert_eq!(faults(&text), Vec::<String>::new());
}

#[test]
fn units_of_constants_follow_from_equations() {
    let reactions = "time [min]\nparam kon = 0.1, koff = 0.2, ks = 1\nspecies L = 1 [uM], D = 0 [uM]\n2 L <-> D, kon, koff\n0 -> L, ks";
    let of = |text: &str, name: &str| unit_of(text, name).map(|(unit, _)| unit);
    // Second order, first order and a source, by the definition of mass action.
    assert_eq!(of(reactions, "kon").as_deref(), Some("1/min/uM"));
    assert_eq!(of(reactions, "koff").as_deref(), Some("1/min"));
    assert_eq!(of(reactions, "ks").as_deref(), Some("uM/min"));
    let compartments = "time [h]\ncompartment V = 5 [L]\nparam ka = 1, CL = 2, F = 1\nspecies depot = 1 [mg]\nspecies C in V = 0 [mg/L]\ndepot -> C, ka*F\nC -> 0, rate CL*C\nparam f = 0.5 [1]\nlet g = F + f";
    assert_eq!(of(compartments, "ka").as_deref(), Some("1/h"));
    assert_eq!(of(compartments, "CL").as_deref(), Some("L/h"));
    assert_eq!(of(compartments, "F").as_deref(), Some("1"));
    // A power whose exponent is a name: K takes the unit of x, or of its power.
    let hill = "time [h]\nstate x = 1 [nM]\nparam v = 1, K = 2, n = 2, Kd = 3\nx' = -v*x^n/(K^n + x^n) - v*x^n/(Kd + x^n)";
    assert_eq!(of(hill, "v").as_deref(), Some("nM/h"));
    assert_eq!(of(hill, "K").as_deref(), Some("nM"));
    assert_eq!(of(hill, "Kd").as_deref(), Some("nM^n"));
    assert_eq!(of(hill, "n").as_deref(), Some("1"));
    // A simple number beside it is a plain number, where nothing else is said.
    let twice = "time [h]\nstate x = 1 [mg]\nparam k = 1\nx' = -7*k*x";
    assert_eq!(of(twice, "k").as_deref(), Some("1/h"));
    // White noise is one over the square root of a time.
    let noise = "time [h]\nstate x = 1 [mg]\nparam s = 1\nwiener W\nx' = -x*0.1 + s*W'";
    assert_eq!(of(noise, "s").as_deref(), Some("mg/h^(1/2)"));
    // The time itself.
    let time = "state x = 1 [mg]\nparam k = 1 [1/day]\nx' = -k*x";
    assert_eq!(
        checked(time)
            .model
            .and_then(|model| model.names.unit_of_time())
            .as_deref(),
        Some("day")
    );
}

#[test]
fn temperatures_keep_their_zero() {
    let sound = [
        "time [min]\nparam k = 0.1 [1/min], room = 20 [degC]\nstate T = 90 [degC]\nT' = -k*(T - room)",
        "time [min]\nparam k = 0.1 [1/min], E = 50 [kJ/mol], R = 8.314e-3 [kJ/mol/K], T = 25 [degC]\nstate x = 1\nx' = -k*exp(-E/(R*(T + 273.15)))*x",
        "time [min]\nparam Q10 = 2, T = 25 [degC], Tref = 20 [degC], k = 1 [1/min]\nstate x = 1\nx' = -k*Q10^((T - Tref)/10)*x",
        "time [min]\nparam rise = 2 [K], T = 25 [degC]\nstate x = T + rise [degC]\nx' = rise/(5 [min])",
        "time [min]\nparam T = 300 [K]\nstate x = T - 273.15 [degC]\nx' = 0.1 [K/min] + 0 [degC/min]",
    ];
    for text in sound {
        assert_eq!(faults(text), Vec::<String>::new(), "{text}");
    }
}
