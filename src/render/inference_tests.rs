//! Posteriors, profiles, bootstraps and bands as figures, tables, JSON and pages, from tiny data.

use super::fit_tests::{DECAY, Desk, FIT, LINE, fine, page, panels, refused, session, unbalanced};
use super::{Colour, figure, fit_json, inference_json, outcome};
use crate::diagnostic::Code;
use crate::figure::{Matrix, Scale, SheetShape};
use crate::session::{Outcome, Session};
use serde_json::Value;

const OBSERVED: &str = "model seen\nparam k = 0.5 in 0.1..2 log ~ lognormal(0.5, 1)\nparam s = 0.3 in 0.01..3 log\nstate x = 10 in 1..20\nx' = -k*x\nobserve x ~ normal(x, s)\n";
const SAMPLED: &str = "fit k, s, x to \"data.csv\" starts 1 using nuts draws 60 chains 2";

/// The columns of the last table that was written, with their names.
fn written(desk: &Desk) -> Vec<(String, Vec<String>)> {
    let all = desk.written.lock().expect("not poisoned");
    let text = &all.last().expect("a table").1;
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let (head, body) = rows.split_first().expect("a header");
    let columns = head.iter().enumerate().map(|(at, name)| {
        let cells = body.iter().map(|row| row[at].to_owned()).collect();
        ((*name).to_owned(), cells)
    });
    columns.collect()
}

fn numbers(columns: &[(String, Vec<String>)], name: &str) -> Vec<f64> {
    let column = columns.iter().find(|(known, _)| known == name);
    let (_, cells) = column.unwrap_or_else(|| panic!("no column {name}"));
    cells.iter().map(|cell| cell.parse().expect(cell)).collect()
}

/// A row of a table of bands, at a place.
fn bands_at(columns: &[(String, Vec<String>)], place: &str, at: f64) -> [f64; 5] {
    let row = numbers(columns, place).iter().position(|x| *x == at);
    let row = row.unwrap_or_else(|| panic!("nothing at {at}"));
    ["fit", "low", "high", "data_low", "data_high"].map(|name| numbers(columns, name)[row])
}

fn are_near(found: [f64; 5], expected: [f64; 5], tolerance: f64) {
    for (found, expected) in found.into_iter().zip(expected) {
        assert!((found - expected).abs() < tolerance, "{found} {expected}");
    }
}

fn matrix(session: &mut Session) -> Matrix {
    match fine(session, "plot pairs") {
        Outcome::Matrix { matrix, .. } => matrix,
        other => panic!("{other:?}"),
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

// ---- bands ----

#[test]
fn bands_of_a_line_are_those_of_the_textbook() {
    let (mut session, desk) = session("param a = 0\nparam b = 0\ncovariate u\nlet v = a + b*u\n");
    fine(&mut session, "fit a, b to \"straight.csv\"");
    fine(&mut session, "save bands to \"bands.csv\"");
    let columns = written(&desk);
    // statsmodels 0.15: OLS(v, [1, u]).get_prediction().summary_frame().
    let end = [5.82, 5.243_634, 6.396_366, 4.878_799, 6.761_201];
    are_near(bands_at(&columns, "u", 5.0), end, 2e-6);
    let middle = [3.98, 3.647_235, 4.312_765, 3.164_896, 4.795_104];
    are_near(bands_at(&columns, "u", 3.0), middle, 2e-6);
}

#[test]
fn bands_of_a_decay_follow_its_sensitivities() {
    let (mut session, desk) = session(DECAY);
    fine(&mut session, FIT);
    fine(&mut session, "save bands to \"bands.csv\"");
    let columns = written(&desk);
    // numpy: gradients of x0*exp(-k*t) and scipy.optimize.curve_fit's covariance, quantiles of
    // Student's t with 4 degrees of freedom.
    let start = [8.077_772, 7.766_414, 8.389_129, 7.630_943, 8.524_601];
    are_near(bands_at(&columns, "time", 0.0), start, 1e-4);
    let later = [1.947_355, 1.758_301, 2.136_408, 1.575_261, 2.319_448];
    are_near(bands_at(&columns, "time", 2.0), later, 1e-4);
    let end = [0.230_502, 0.171_785, 0.289_220, -0.095_320, 0.556_325];
    are_near(bands_at(&columns, "time", 5.0), end, 1e-4);
}

#[test]
fn counts_have_positive_bands() {
    let (mut session, desk) = session(LINE);
    fine(&mut session, "fit a, b, s to \"line.csv\"");
    fine(&mut session, "save bands to \"bands.csv\"");
    let columns = written(&desk);
    let of_counts = numbers(&columns, "low");
    assert!(
        of_counts
            .iter()
            .skip(of_counts.len() / 2)
            .all(|low| *low > 0.0)
    );
    assert!(
        numbers(&columns, "data_low")
            .last()
            .is_some_and(|low| low.fract() == 0.0)
    );
}

#[test]
fn the_mean_of_counts_has_its_interval_on_the_logarithmic_scale() {
    let (mut session, desk) = session("param a = 1\ncovariate u\nobserve n ~ poisson(exp(a))\n");
    fine(&mut session, "fit a to \"line.csv\"");
    fine(&mut session, "save bands to \"bands.csv\"");
    let columns = written(&desk);
    let [mean, low, high, ..] = bands_at(&columns, "u", 2.0);
    // 2, 3, 1, 4, 2: the mean is 2.4, the error of its logarithm 1/sqrt(12).
    assert!((mean - 2.4).abs() < 1e-6, "{mean}");
    assert!(
        (low - 1.362_983).abs() < 1e-5 && (high - 4.226_024).abs() < 1e-5,
        "{low} {high}"
    );
}

#[test]
fn a_product_has_a_band_though_its_factors_have_none() {
    let (mut session, _) = session("param k = 1, l = 0.7\nstate x = 8\nx' = -k*l*x\n");
    fine(&mut session, "fit k, l to \"data.csv\"");
    let found = panels(fine(&mut session, "plot fit"));
    assert_eq!(found[0].bands.len(), 2);
    assert!(found[0].bands[1].low.iter().all(|low| low.is_finite()));
}

#[test]
fn draws_give_bands_by_their_quantiles() {
    let (mut session, desk) = session(OBSERVED);
    fine(&mut session, SAMPLED);
    fine(&mut session, "save bands to \"bands.csv\"");
    let columns = written(&desk);
    let [fit, low, high, data_low, data_high] = bands_at(&columns, "time", 2.0);
    assert!(data_low < low && low < fit && fit < high && high < data_high);
    // About the band by standard errors of the same model.
    assert!(
        (1.6..1.9).contains(&low) && (1.95..2.3).contains(&high),
        "{low} {high}"
    );
}

// ---- draws ----

#[test]
fn chains_have_traces() {
    let (mut session, _) = session(OBSERVED);
    fine(&mut session, SAMPLED);
    let Outcome::Sheet { sheet, .. } = fine(&mut session, "plot traces") else {
        panic!("no sheet");
    };
    assert_eq!((sheet.panels.len(), sheet.shape), (3, SheetShape::Wide));
    let k = &sheet.panels[0];
    assert_eq!((k.y.label.as_str(), k.y.scale), ("k", Scale::Logarithmic));
    let labels: Vec<&str> = k.series.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(labels[..2], ["chain 1", "chain 2"]);
    assert_eq!(k.series[0].y.len(), 60);
    assert_eq!(sheet.panels[2].y.scale, Scale::Linear);
}

#[test]
fn draws_stand_in_pairs() {
    let (mut session, _) = session(OBSERVED);
    fine(&mut session, SAMPLED);
    let found = matrix(&mut session);
    let sizes: Vec<usize> = found.rows.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 2, 3]);
    assert_eq!(
        found.above.iter().map(Vec::len).collect::<Vec<_>>(),
        [2, 1, 0]
    );
    assert!(found.above[0][0].starts_with("r = "), "{:?}", found.above);
    // Columns share their horizontal axis.
    assert_eq!(found.rows[1][0].x, found.rows[2][0].x);
    assert_eq!(found.rows[2][0].series[0].x.len(), 120);
    // The histogram of k is a density on the logarithmic scale, with its prior beside it.
    let alone = &found.rows[0][0];
    let inner: Vec<f64> = alone.series[0].x.iter().map(|value| value.ln()).collect();
    let pairs = inner.chunks(2).zip(alone.series[0].y.chunks(2));
    let area: f64 = pairs.map(|(x, y)| (x[1] - x[0]) * y[0]).sum();
    assert!((area - 1.0).abs() < 1e-9, "{area}");
    assert_eq!(alone.series[1].label, "prior");
}

#[test]
fn a_matrix_is_drawn_everywhere() {
    let (mut session, _) = session(OBSERVED);
    fine(&mut session, SAMPLED);
    let found = matrix(&mut session);
    let svg = figure::matrix_svg(&found).expect("a picture");
    // Names stand at the left and at the lower rim alone.
    assert_eq!(svg.matches(">x(0)<").count(), 2, "{svg}");
    assert_eq!(svg.matches(">k<").count(), 1);
    for width in [60, 80, 120] {
        let text = figure::matrix_terminal(&found, width, Colour::Never);
        assert!(
            text.lines().all(|line| line.chars().count() <= width),
            "{text}"
        );
    }
}

#[test]
fn a_bootstrap_has_pairs_too() {
    let (mut session, desk) = session(DECAY);
    fine(&mut session, FIT);
    assert_eq!(refused(&mut session, "plot pairs").0, Code::NothingYet);
    fine(&mut session, "bootstrap 40");
    let found = matrix(&mut session);
    let labels: Vec<&str> = found.rows[1][0]
        .series
        .iter()
        .map(|one| one.label.as_str())
        .collect();
    assert_eq!(labels, ["replicates", "estimate from the data"]);
    fine(&mut session, "save draws to \"draws.csv\"");
    let columns = written(&desk);
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["replicate", "k", "x(0)"]);
    assert_eq!(numbers(&columns, "replicate").len(), 40);
}

#[test]
fn draws_are_saved_with_their_chain() {
    let (mut session, desk) = session(OBSERVED);
    fine(&mut session, SAMPLED);
    fine(&mut session, "save draws to \"draws.csv\"");
    let columns = written(&desk);
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "chain",
            "draw",
            "k",
            "s",
            "x(0)",
            "log_density",
            "divergent"
        ]
    );
    let chains = numbers(&columns, "chain");
    assert_eq!((chains[59], chains[60], chains.len()), (1.0, 2.0, 120));
    assert_eq!(numbers(&columns, "draw")[60], 1.0);
}

#[test]
fn a_new_fit_forgets_what_was_asked_of_the_old_one() {
    let (mut session, _) = session(DECAY);
    fine(&mut session, FIT);
    fine(&mut session, "profile k");
    fine(&mut session, "bootstrap 20");
    assert_eq!(panels(fine(&mut session, "plot profiles")).len(), 1);
    fine(&mut session, "profile x");
    assert_eq!(panels(fine(&mut session, "plot profiles")).len(), 2);
    fine(&mut session, FIT);
    for line in [
        "plot profiles",
        "plot pairs",
        "plot traces",
        "save draws to \"a.csv\"",
    ] {
        assert_eq!(refused(&mut session, line).0, Code::NothingYet, "{line}");
    }
}

#[test]
fn pictures_need_what_they_show() {
    let (mut session, _) = session(DECAY);
    fine(&mut session, FIT);
    let (_, message) = refused(&mut session, "plot traces");
    assert_eq!(message, "no posterior has been drawn before this");
    let (_, message) = refused(&mut session, "plot profiles");
    assert_eq!(message, "nothing has been profiled before this");
    assert_eq!(refused(&mut session, "plot pairs log x").0, Code::BadOption);
}

// ---- profiles ----

#[test]
fn a_limit_that_another_bound_sets_is_told() {
    // V and K are hardly known but for their quotient: the upper limit of V is where K ends.
    let model =
        "param V = 1 in 0.01..1e4 log, K = 1 in 0.01..1000 log\nstate x = 1\nx' = -V*x/(K + x)\n";
    let (mut session, _) = session(model);
    fine(&mut session, "fit V, K to \"slow.csv\" starts 5");
    let commands = session.understand("profile V").expect("a sentence");
    let performed = session.perform(&commands[0], &mut ()).expect("a profile");
    let told: Vec<&str> = performed
        .diagnostics
        .iter()
        .map(|one| one.message.as_str())
        .collect();
    assert_eq!(told, ["the upper limit of `V` rests on a bound of `K`"]);
    let Outcome::Profiled(answer) = &performed.outcome else {
        panic!("no profile");
    };
    let value = json(&inference_json::profiles(answer));
    assert_eq!(value["schema"], "lotka-profile-1");
    assert_eq!(value["profiles"][0]["high_held"][0], "K");
    assert_eq!(value["profiles"][0]["low_end"], "crosses");
}

// ---- for others ----

#[test]
fn json_has_all_that_was_asked() {
    let (mut session, _) = session(OBSERVED);
    let Outcome::Sampled(answer) = fine(&mut session, SAMPLED) else {
        panic!("no posterior");
    };
    let value = json(&inference_json::posterior(&answer));
    assert_eq!(value["schema"], "lotka-posterior-1");
    assert_eq!(value["parameters"][0]["name"], "k");
    assert_eq!(value["parameters"][0]["prior"]["family"], "lognormal");
    assert_eq!(
        value["chains"][1]["draws"][59].as_array().map(Vec::len),
        Some(3)
    );
    assert_eq!(value["mode"]["schema"], "lotka-fit-1");
    fine(&mut session, "profile k");
    let Outcome::Bootstrapped(boot) = fine(&mut session, "bootstrap 20") else {
        panic!("no bootstrap");
    };
    let value = json(&inference_json::bootstrap(&boot));
    assert_eq!(value["schema"], "lotka-bootstrap-1");
    assert_eq!(value["estimates"].as_array().map(Vec::len), Some(20));
    let Outcome::FitNumbers {
        answers, inferred, ..
    } = fine(&mut session, "report \"fit.json\"")
    else {
        panic!("no report");
    };
    let value = json(&fit_json::fits(&answers, &inferred));
    assert_eq!(value["posterior"]["schema"], "lotka-posterior-1");
    assert_eq!(value["profiles"]["profiles"][0]["name"], "k");
    assert_eq!(value["bootstrap"]["asked"], 20);
}

#[test]
fn a_page_holds_what_was_asked_of_the_fit() {
    let (mut session, _) = session(OBSERVED);
    fine(&mut session, SAMPLED);
    fine(&mut session, "profile k, s");
    let html = page(&mut session);
    assert_eq!(unbalanced(&html), None);
    for part in [
        "Posterior distribution",
        "R-hat",
        "Profiles of the likelihood",
    ] {
        assert!(html.contains(part), "{part}");
    }
    // The fit, its residuals, traces, pairs, profiles.
    assert_eq!(html.matches("<svg").count(), 5);
    fine(&mut session, "bootstrap 20");
    let html = page(&mut session);
    assert!(html.contains("<h2>Bootstrap</h2>"));
    assert_eq!(
        html.matches("<svg").count(),
        5,
        "pairs are those of the bootstrap"
    );
}

#[test]
fn answers_fit_narrow_terminals() {
    let (mut session, _) = session(OBSERVED);
    let told = [
        fine(&mut session, SAMPLED),
        fine(&mut session, "profile"),
        fine(&mut session, "bootstrap 20"),
    ];
    for outcome in &told {
        for width in [60, 80] {
            let text = outcome::text(outcome, width);
            assert!(
                text.lines().all(|line| line.chars().count() <= width),
                "{text}"
            );
            assert!(!text.contains("more column"), "{text}");
        }
    }
}
