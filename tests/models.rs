//! The models that come with the project: each runs whole, without warnings, and says where it is
//! from; some end where published values or exact solutions say.

mod support;

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;
use support::{Workplace, lotka, model_files};

/// A debug build on a busy machine stays far below; a model beyond it has become a burden.
const PATIENCE: Duration = Duration::from_secs(30);

fn shown(path: &Path) -> String {
    let name = path.file_name().expect("a file name");
    format!("models/{}", name.to_string_lossy())
}

#[test]
fn every_model_runs_without_a_warning() {
    let workplace = Workplace::new();
    let mut faults = Vec::new();
    for file in model_files() {
        let name = shown(&file);
        let printed = lotka(workplace.path(), &["run", &name], "");
        if !printed.status.success() {
            faults.push(format!("{name} fails:\n{}", printed.both()));
        } else if printed.errors.contains("warning") || printed.errors.contains("W0") {
            faults.push(format!("{name} warns:\n{}", printed.errors));
        } else if printed.output.trim().is_empty() {
            faults.push(format!("{name} prints nothing"));
        }
        if printed.took > PATIENCE {
            faults.push(format!("{name} takes {:?}", printed.took));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn every_model_checks_alone() {
    let workplace = Workplace::new();
    for file in model_files() {
        let name = shown(&file);
        let printed = lotka(workplace.path(), &["check", &name], "");
        assert!(printed.status.success(), "{name}:\n{}", printed.both());
    }
}

#[test]
fn every_model_says_its_source_and_what_to_try() {
    for file in model_files() {
        let name = shown(&file);
        let text = fs::read_to_string(&file).expect("a model file");
        let header: String = text
            .lines()
            .take_while(|line| line.starts_with('#'))
            .collect();
        assert!(
            names_a_year(&header),
            "{name}: its first comment names no source with a year in parentheses"
        );
        // Noise may be asked how it spreads instead of for its paths.
        let says = |word: &str| text.lines().any(|line| line.starts_with(word));
        let noisy = ["wiener ", "stratonovich ", "noise "].into_iter().any(says);
        let shown = says("simulate ") && (says("plot ") || says("histogram "));
        assert!(
            shown || noisy && says("stationary"),
            "{name}: neither `simulate` with `plot` nor, of a model with noise, `stationary`"
        );
    }
}

/// `(1996)`, the mark of a citation.
fn names_a_year(header: &str) -> bool {
    header.split('(').skip(1).any(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.len() == 4 && (digits.starts_with('1') || digits.starts_with('2'))
    })
}

/// A model of `models/fitting`, and what it prints: values that others published.
struct Fitted {
    model: &'static str,
    prints: &'static [&'static str],
}

const FITTED: &[Fitted] = &[
    // Bates and Watts (1988), R's nls: 212.683707 (6.947153), 1195.448814; 160.280116, 859.604294.
    Fitted {
        model: "puromycin",
        prints: &["212.684", "6.94715", "1195.45", "160.28", "859.60"],
    },
    // R: beta 1.726641, gamma 0.541046, phi 11.97395, log-likelihood -60.835014.
    Fitted {
        model: "boarding_school",
        prints: &["1.72664", "0.541046", "11.97", "-60.8350"],
    },
    // The mode, not the mean, of the posterior: nothing published, but near to the means.
    Fitted {
        model: "lynx_hare_posterior",
        prints: &["maximum of the posterior density", "lm converged"],
    },
    // R's nls by subject.
    Fitted {
        model: "theophylline",
        prints: &["12 fits", "-2.91961", "-3.91586", "4.2860", "2.8092"],
    },
    // StructTS: variances 1469.1466 and 15098.577.
    Fitted {
        model: "nile",
        prints: &["38.329", "122.876"],
    },
    // R's arima: theta = -log 0.5739296, log-likelihood -29.3791624.
    Fitted {
        model: "lh_ou",
        prints: &["0.5552", "2.41329", "-29.37916"],
    },
    // COPS: 19.8721.
    Fitted {
        model: "pinene",
        prints: &["19.87216", "5.92585e-5", "2.9634e-5", "3.99795e-5"],
    },
];

#[test]
fn fits_print_what_others_published() {
    let workplace = Workplace::new();
    let folder = support::root().join("models/fitting");
    let is_model = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "lotka");
    let files: Vec<_> = support::entries(&folder)
        .into_iter()
        .filter(is_model)
        .collect();
    assert_eq!(files.len(), FITTED.len(), "a model that is not listed here");
    for Fitted { model, prints } in FITTED {
        let file = format!("models/fitting/{model}.lotka");
        let text = fs::read_to_string(folder.join(format!("{model}.lotka"))).expect("a model");
        let header: String = text
            .lines()
            .take_while(|line| line.starts_with('#'))
            .collect();
        assert!(names_a_year(&header), "{file} names no source");
        let printed = lotka(workplace.path(), &["run", &file], "");
        assert!(printed.status.success(), "{file}:\n{}", printed.both());
        assert!(
            printed.errors.is_empty(),
            "{file} warns:\n{}",
            printed.errors
        );
        for text in *prints {
            assert!(
                printed.output.contains(text),
                "{file} prints no {text}:\n{}",
                printed.output
            );
        }
    }
}

/// A model, its range, and values at the end of the range.
struct Expected {
    model: &'static str,
    range: &'static str,
    values: &'static [(&'static str, f64)],
}

#[rustfmt::skip]
const EXPECTED: &[Expected] = &[
    // Test Set for Initial Value Problem Solvers, release 2.4: published end values.
    Expected { model: "van_der_pol", range: "0..2000", values: &[("x", 1.706167732170469)] },
    Expected { model: "oregonator", range: "0..360",
        values: &[("x", 1.000814870318523), ("y", 1228.178521549917), ("z", 132.0554942846706)] },
    Expected { model: "pollu", range: "0..60",
        values: &[("NO2", 5.646255480022769e-2), ("O3", 5.523140207484359e-3),
                  ("PAN", 2.08716288279863e-4), ("N2O5", 5.682943292316392e-5)] },
    // Roots of s^2 + (k1 + k2) s - k1 k2: exact solution of the linear system.
    Expected { model: "cell_cycle", range: "0..48",
        values: &[("G1", 9.20236460313), ("G2", 3.59249456794)] },
    // x = -tanh(t - artanh 0.9)
    Expected { model: "saddle_node", range: "0..5", values: &[("x", -0.998276289539)] },
    // Both compartments as sums of two exponentials: eigenvalues of [[-0.5, 0.3], [0.12, -0.12]].
    Expected { model: "two_compartment_pk", range: "0..48",
        values: &[("C1", 0.0997948439879), ("C2", 0.152524587233)] },
    // L' = -2 kon L^2 + koff (L0 - L), a Riccati equation with constant coefficients.
    Expected { model: "dimerisation", range: "0..20", values: &[("L", 0.270157147642), ("D", 0.364921426179)] },
];

#[test]
fn models_end_where_references_say() {
    let workplace = Workplace::new();
    for Expected {
        model,
        range,
        values,
    } in EXPECTED
    {
        let file = format!("models/{model}.lotka");
        let arguments = [
            "simulate", &file, range, "--rtol", "1e-8", "--atol", "1e-11", "--stats", "json",
        ];
        let printed = lotka(workplace.path(), &arguments, "");
        assert!(printed.status.success(), "{model}:\n{}", printed.both());
        let stats: Value = serde_json::from_str(&printed.output).expect("one JSON object");
        for &(name, expected) in *values {
            let found = last_value(&stats, name);
            let error = (found - expected).abs() / expected.abs();
            assert!(error < 2e-5, "{model}: {name} is {found}, not {expected}");
        }
    }
}

/// The value of a state at the last time.
fn last_value(stats: &Value, name: &str) -> f64 {
    let names = stats["names"].as_array().expect("names");
    let column = names
        .iter()
        .position(|n| n == name)
        .unwrap_or_else(|| panic!("no column `{name}` in {names:?}"));
    let rows = stats["states"].as_array().expect("states");
    rows.last().expect("a row")[column]
        .as_f64()
        .expect("a number")
}
