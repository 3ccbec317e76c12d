//! Fits against published and independently computed results: estimates to 1e-4, optima to 1e-6 (or
//! the digits given), certified standard errors to 1e-3; posteriors against reference draws.
//!
//! The data are shared between projects; without them these tests say so and pass.

#[path = "fitting/data.rs"]
mod data;
mod support;

use lotka::session::fit::{FitAnswer, PosteriorAnswer};
use lotka::session::{Outcome, Performed, Session};
use lotka::world::SystemWorld;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use support::Workplace;

/// The folder of shared time series; `None`, which is said, when it is not there.
fn series() -> Option<PathBuf> {
    let own = std::env::var_os("LOTKA_SHARED").map(PathBuf::from);
    let above = support::root().ancestors().skip(1);
    let folders = own
        .into_iter()
        .chain(above.map(|folder| folder.join("shared")));
    let found = folders
        .map(|folder| folder.join("data/timeseries"))
        .find(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("skipped: there are no shared time series");
    }
    found
}

/// Performs a sentence with a model of its own.
fn performed(model: &str, sentence: &str) -> Result<Performed, String> {
    let workplace = Workplace::new();
    workplace.write("model.lotka", model);
    let mut session = Session::new(Arc::new(SystemWorld::default()));
    let told = |problems: Vec<lotka::diagnostic::Diagnostic>| {
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    session
        .load(&workplace.path().join("model.lotka"))
        .map_err(told)?;
    let commands = session.understand(sentence).map_err(told)?;
    let mut last = None;
    for command in &commands {
        last = Some(session.perform(command, &mut ()).map_err(told)?);
    }
    last.ok_or_else(|| "no sentence".to_owned())
}

fn fits(model: &str, sentence: &str) -> Vec<Arc<FitAnswer>> {
    match performed(model, sentence) {
        Ok(Performed {
            outcome: Outcome::Fitted(answers),
            ..
        }) => answers,
        Ok(other) => panic!("{sentence}: {:?}", other.diagnostics),
        Err(told) => panic!("{sentence}: {told}"),
    }
}

fn fit(model: &str, sentence: &str) -> Arc<FitAnswer> {
    let answers = fits(model, sentence);
    assert_eq!(answers.len(), 1, "{sentence}");
    Arc::clone(&answers[0])
}

#[track_caller]
fn close(what: &str, found: f64, expected: f64, relative: f64) {
    let error = (found - expected).abs() / expected.abs().max(1e-300);
    assert!(
        error <= relative,
        "{what}: {found}, not {expected} ({error:.1e})"
    );
}

#[track_caller]
fn estimates(answer: &FitAnswer, expected: &[f64]) {
    assert!(answer.has_converged(), "{:?}", answer.search().end);
    for (at, expected) in expected.iter().enumerate() {
        close(
            &answer.fitted[at].name,
            answer.estimates[at],
            *expected,
            1e-4,
        );
    }
}

/// The functions of NIST's Statistical Reference Datasets.
const NIST: [(&str, &str); 12] = [
    ("Misra1a", "b1*(1 - exp(-b2*x))"),
    ("Misra1c", "b1*(1 - (1 + 2*b2*x)^(-0.5))"),
    ("Chwirut2", "exp(-b1*x)/(b2 + b3*x)"),
    ("Lanczos3", "b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)"),
    ("MGH17", "b1 + b2*exp(-x*b4) + b3*exp(-x*b5)"),
    ("Rat42", "b1/(1 + exp(b2 - b3*x))"),
    (
        "ENSO",
        "b1 + b2*cos(2*pi*x/12) + b3*sin(2*pi*x/12) + b5*cos(2*pi*x/b4) + b6*sin(2*pi*x/b4) + b8*cos(2*pi*x/b7) + b9*sin(2*pi*x/b7)",
    ),
    (
        "Thurber",
        "(b1 + b2*x + b3*x^2 + b4*x^3)/(1 + b5*x + b6*x^2 + b7*x^3)",
    ),
    ("MGH09", "b1*(x^2 + x*b2)/(x^2 + x*b3 + b4)"),
    (
        "Gauss1",
        "b1*exp(-b2*x) + b3*exp(-(x - b4)^2/b5^2) + b6*exp(-(x - b7)^2/b8^2)",
    ),
    ("DanWood", "b1*x^b2"),
    ("Eckerle4", "(b1/b2)*exp(-0.5*((x - b3)/b2)^2)"),
];

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap_or(f64::NAN)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().map(number).collect()
}

#[test]
fn nist_regressions_from_both_starts() {
    let Some(folder) = series() else { return };
    let text =
        std::fs::read_to_string(folder.join("nist/certified.json")).expect("certified values");
    let certified: Value = serde_json::from_str(&text).expect("JSON");
    for (name, equation) in NIST {
        let known = &certified[name];
        for start in 0..2 {
            let begin = numbers(&known[format!("start{}", start + 1)]);
            let names: Vec<String> = (1..=begin.len()).map(|at| format!("b{at}")).collect();
            let declared: Vec<String> = names
                .iter()
                .zip(&begin)
                .map(|(name, value)| format!("param {name} = {value:?}"))
                .collect();
            let model = format!("{}\ncovariate x\nlet y = {equation}\n", declared.join("\n"));
            let file = folder.join(format!("nist/{name}.csv"));
            let answer = fit(
                &model,
                &format!("fit {} to \"{}\"", names.join(", "), file.display()),
            );
            let values = numbers(&known["certified"]);
            assert_eq!(values.len(), begin.len(), "{name}");
            estimates(&answer, &values);
            for (at, sd) in numbers(&known["certified_sd"]).iter().enumerate() {
                close(
                    &format!("{name}: error of {}", names[at]),
                    answer.errors[at],
                    *sd,
                    1e-3,
                );
            }
            let squares = answer.squares.expect("least squares");
            close(
                &format!("{name}: RSS"),
                squares,
                number(&known["rss"]),
                1e-6,
            );
        }
    }
}

#[test]
fn the_same_problems_as_differential_equations() {
    let Some(folder) = series() else { return };
    let file = |name: &str| {
        folder
            .join(format!("nist/{name}.csv"))
            .display()
            .to_string()
    };
    // As equations in x with y(0) fixed: the shared README says how. Values certified by NIST.
    let misra1a = fit(
        "param b1 = 250\nparam b2 = 5e-4\nstate y = 0\ny' = b2*(b1 - y)",
        &format!("fit b1, b2 to \"{}\" (time = x)", file("Misra1a")),
    );
    estimates(&misra1a, &[238.94212918, 5.5015643181e-4]);
    close(
        "RSS",
        misra1a.squares.expect("least squares"),
        0.12455138894,
        1e-6,
    );
    close("error", misra1a.errors[0], 2.7070075241, 1e-3);
    let misra1c = fit(
        "param b1 = 600\nparam b2 = 2e-4\nstate y = 0\ny' = b1*b2*(1 - y/b1)^3",
        &format!("fit b1, b2 to \"{}\" (time = x)", file("Misra1c")),
    );
    estimates(&misra1c, &[636.42725809, 2.0813627256e-4]);
    let rat42 = fit(
        "param b1 = 75\nparam b2 = 2.5\nparam b3 = 0.07\nstate y = b1/(1 + exp(b2))\ny' = b3*y*(1 - y/b1)",
        &format!("fit b1, b2, b3 to \"{}\" (time = x)", file("Rat42")),
    );
    estimates(&rat42, &[72.462237576, 2.6180768402, 0.067359200066]);
    close(
        "RSS",
        rat42.squares.expect("least squares"),
        8.0565229338,
        1e-6,
    );
}

const THEOPHYLLINE: &str = "time [h]
param lKe = -2.5
param lKa = 0.5
param lCl = -3.2
let Ke = exp(lKe)
let Ka = exp(lKa)
let Cl = exp(lCl)
covariate Dose [mg/kg] by subject
state A = Dose, conc = 0
A' = -Ka*A
conc' = Ka*Ke/Cl*A - Ke*conc";

#[test]
fn theophylline_by_subject() {
    let Some(folder) = series() else { return };
    let sentence = format!(
        "fit lKe, lKa, lCl to \"{}\" by subject",
        folder.join("theoph.csv").display()
    );
    let answers = fits(THEOPHYLLINE, &sentence);
    assert_eq!(answers.len(), 12);
    // R 4.2.2, nls with SSfol.
    let reference =
        std::fs::read_to_string(folder.join("theoph_reference.csv")).expect("reference");
    for line in reference.lines().skip(1) {
        let cells: Vec<f64> = line
            .split(',')
            .map(|cell| cell.parse().expect("a number"))
            .collect();
        let who = format!("{}", cells[0]);
        let answer = answers
            .iter()
            .find(|answer| answer.subject.as_deref() == Some(&who));
        let answer = answer.expect("every subject has a fit");
        estimates(answer, &cells[1..4]);
        close(
            &format!("RSS of {who}"),
            answer.squares.expect("least squares"),
            cells[4],
            1e-6,
        );
    }
}

#[test]
fn michaelis_and_menten_by_state() {
    let Some(folder) = series() else { return };
    let model = "param Vm = 200\nparam K = 0.1\ncovariate conc [ppm]\nlet v = Vm*conc/(K + conc)";
    let file = folder.join("puromycin.csv");
    let sentence = format!(
        "fit Vm, K to \"{}\" (v = \"rate\", subject = state) by subject",
        file.display()
    );
    let answers = fits(model, &sentence);
    // R nls (Bates & Watts 1988 print 212.7 and 0.06412).
    let expected = [
        (
            "treated",
            [212.683707, 0.0641212258],
            [6.947153, 0.00828094],
            1195.448814,
        ),
        (
            "untreated",
            [160.280116, 0.0477082923],
            [6.480250, 0.00778189],
            859.604294,
        ),
    ];
    for (state, values, errors, squares) in expected {
        let answer = answers
            .iter()
            .find(|answer| answer.subject.as_deref() == Some(state));
        let answer = answer.expect("both states");
        estimates(answer, &values);
        close("RSS", answer.squares.expect("least squares"), squares, 1e-6);
        for (found, expected) in answer.errors.iter().zip(errors) {
            close("standard error", *found, expected, 1e-3);
        }
    }
}

#[test]
fn an_epidemic_by_least_squares_and_by_counts() {
    let Some(folder) = series() else { return };
    let file = folder.join("boarding_school_1978.csv");
    let squares = fit(
        "time [day] from 1\nparam beta = 1.5\nparam gamma = 0.4\nparam I0 = 1\nstate S = 763 - I0, in_bed = I0
         S' = -beta*S*in_bed/763\nin_bed' = beta*S*in_bed/763 - gamma*in_bed",
        &format!("fit beta, gamma, I0 to \"{}\" (time = day)", file.display()),
    );
    // R, deSolve and optim.
    estimates(&squares, &[1.788106, 0.455701, 2.093429]);
    close(
        "RSS",
        squares.squares.expect("least squares"),
        3589.8507,
        1e-6,
    );
    let counts = fit(
        "time [day]\nparam beta = 1.5\nparam gamma = 0.4\nparam phi = 10 in 0.1..1000 log\nstate S = 762, I = 1
         S' = -beta*S*I/763\nI' = beta*S*I/763 - gamma*I\nobserve in_bed ~ negative_binomial(mean = I, size = phi)",
        &format!("fit beta, gamma, phi to \"{}\" (time = day)", file.display()),
    );
    estimates(&counts, &[1.726641, 0.541046, 11.97395]);
    close("log-likelihood", counts.log_likelihood, -60.835014, 1e-6);
}

#[test]
fn isomers_of_pinene_and_gas_oil_from_many_starts() {
    let Some(folder) = series() else { return };
    let rates: Vec<String> = (1..=5)
        .map(|at| format!("param p{at} = 1e-5 in 1e-7..1e-2 log"))
        .collect();
    let pinene = fit(
        &format!(
            "{}\nstate y1 = 100, y2 = 0, y3 = 0, y4 = 0, y5 = 0
             y1' = -(p1 + p2)*y1\ny2' = p1*y1\ny3' = p2*y1 - (p3 + p4)*y3 + p5*y5\ny4' = p3*y3\ny5' = p4*y3 - p5*y5",
            rates.join("\n")
        ),
        &format!("fit to \"{}\"", folder.join("alpha_pinene.csv").display()),
    );
    // COPS (Dolan, More, Munson 2004): 19.8721; R: 19.872167.
    estimates(
        &pinene,
        &[5.92585e-5, 2.96340e-5, 2.04728e-5, 2.74468e-4, 3.99795e-5],
    );
    close(
        "RSS",
        pinene.squares.expect("least squares"),
        19.872167,
        1e-6,
    );
    assert_eq!(pinene.findings.all.len(), 20);
    assert!(pinene.findings.reached_best > 10);
    let oil = fit(
        "param p1 = 1 in 0..30\nparam p2 = 1 in 0..30\nparam p3 = 1 in 0..30\nstate y1 = 1, y2 = 0
         y1' = -(p1 + p3)*y1^2\ny2' = p1*y1^2 - p2*y2",
        &format!("fit to \"{}\"", folder.join("gas_oil.csv").display()),
    );
    // COPS 5.2366e-3; R 5.2365958e-3.
    estimates(&oil, &[11.84674, 8.34452, 1.00144]);
    close(
        "RSS",
        oil.squares.expect("least squares"),
        5.2365958e-3,
        1e-6,
    );
}

const LYNX: &str = "time [year] from 1900
param a = 0.55 in 0..5 ~ normal(1, 0.5)
param b = 0.028 in 0..1 ~ normal(0.05, 0.05)
param g = 0.8 in 0..5 ~ normal(1, 0.5)
param d = 0.024 in 0..1 ~ normal(0.05, 0.05)
param u0 = 34 in 1..1000 log ~ lognormal(10, 1)
param v0 = 5.9 in 1..1000 log ~ lognormal(10, 1)
param s1 = 0.25 in 0.01..10 log ~ lognormal(exp(-1), 1)
param s2 = 0.25 in 0.01..10 log ~ lognormal(exp(-1), 1)
state hare = u0, lynx = v0
hare' = (a - b*lynx)*hare
lynx' = (-g + d*hare)*lynx
observe hare ~ lognormal(median = hare, sd = s1)
observe lynx ~ lognormal(median = lynx, sd = s2)";

#[test]
fn the_posterior_of_lynx_and_hare() {
    let Some(folder) = series() else { return };
    let file = folder.join("lynx_hare.csv");
    let sentence = format!(
        "fit to \"{}\" (time = year) using nuts starts 1",
        file.display()
    );
    let answer: Arc<PosteriorAnswer> = match performed(LYNX, &sentence) {
        Ok(Performed {
            outcome: Outcome::Sampled(answer),
            ..
        }) => answer,
        other => panic!("{other:?}"),
    };
    // posteriordb, 10 000 reference draws: means and standard deviations.
    let expected = [
        (0.54686, 0.06305),
        (0.027747, 0.004155),
        (0.80010, 0.08937),
        (0.024086, 0.003528),
        (34.035, 2.917),
        (5.936, 0.531),
        (0.24806, 0.04326),
        (0.25102, 0.04359),
    ];
    for (at, (mean, sd)) in expected.into_iter().enumerate() {
        let (known, found) = (&answer.fit.fitted[at].name, &answer.marginals[at]);
        assert!(
            (found.mean - mean).abs() < 0.1 * sd,
            "{known}: mean {}",
            found.mean
        );
        assert!(
            (found.sd / sd - 1.0).abs() < 0.15,
            "{known}: sd {}",
            found.sd
        );
        assert!(
            found.bulk_size >= 1000.0,
            "{known}: {} effective draws",
            found.bulk_size
        );
        assert!(found.rhat < 1.01, "{known}: R-hat {}", found.rhat);
    }
}

#[test]
fn stationary_and_hidden_noise() {
    let Some(folder) = series() else { return };
    let lh = fit(
        "time from 1\nparam theta = 0.5 in 0.01..10 log\nparam mu = 2\nparam sigma = 0.5 in 0.01..10 log
         state y = 2\nwiener W\ny' = theta*(mu - y) + sigma*W'",
        &format!("fit theta, mu, sigma to \"{}\" from stationary", folder.join("lh.csv").display()),
    );
    // R arima: phi 0.5739296014, mean 2.4132879577, variance 0.1974895149; theta = -log(phi).
    let (phi, variance) = (0.573_929_601_4_f64, 0.197_489_514_9);
    let theta = -phi.ln();
    let sigma = (2.0 * theta * variance / (1.0 - phi * phi)).sqrt();
    estimates(&lh, &[theta, 2.413_287_957_7, sigma]);
    close("log-likelihood", lh.log_likelihood, -29.379_162_387_4, 1e-6);
    let nile = fit(
        "time from 1871\nparam s = 30 in 1..1000 log\nparam e = 100 in 1..1000 log\nstate level = 1000
         wiener W\nlevel' = s*W'\nobserve flow ~ normal(level, e)",
        &format!("fit s, e to \"{}\" (time = year) from diffuse starts 2", folder.join("nile.csv").display()),
    );
    // R StructTS: 1469.1466 and 15098.577 (Durbin & Koopman print 1469.1 and 15099).
    close("level", nile.estimates[0].powi(2), 1469.1466, 1e-4);
    close("noise", nile.estimates[1].powi(2), 15098.577, 1e-4);
}

#[test]
fn two_components_of_which_one_is_seen() {
    let workplace = Workplace::new();
    workplace.write("seen.csv", "t,y\n0,.3\n.5,.1\n1.2,-.2\n2,.4\n");
    let file = workplace.path().join("seen.csv");
    let answer = fit(
        "param q = 1 in 1..1.000000001\nstate x1 = 0, x2 = 0\nwiener V, W\nx1' = -x1 - 2*x2 + q + V'\nx2' = 2*x1 - x2 + 0.5*W'
         observe y ~ normal(x1, sqrt(0.1))",
        &format!("fit q to \"{}\" from stationary", file.display()),
    );
    // An independent computation of the stationary filter.
    close(
        "log-likelihood",
        answer.log_likelihood,
        -2.238_640_296_539,
        1e-6,
    );
}

/// A fit says what it cannot know.
#[test]
fn what_data_do_not_determine_is_said() {
    let workplace = Workplace::new();
    let rows: Vec<String> = (0..=10)
        .map(|at| {
            format!(
                "{at},{}",
                (-0.5 * f64::from(at)).exp() + 0.01 * f64::from(at % 3)
            )
        })
        .collect();
    workplace.write("decay.csv", format!("t,x\n{}\n", rows.join("\n")));
    let sentence = format!(
        "fit k1, k2 to \"{}\"",
        workplace.path().join("decay.csv").display()
    );
    let found = performed(
        "param k1 = 1\nparam k2 = 1\nstate x = 1\nx' = -k1*k2*x",
        &sentence,
    )
    .expect("a fit");
    let told: Vec<String> = found.diagnostics.iter().map(ToString::to_string).collect();
    assert!(
        told.iter()
            .any(|line| line.starts_with("W0661") && line.contains("k1") && line.contains("k2")),
        "{told:?}"
    );
    let Outcome::Fitted(answers) = found.outcome else {
        panic!("a fit");
    };
    assert!(answers[0].errors.iter().all(|error| error.is_infinite()));
}

#[test]
fn the_same_fit_on_any_number_of_threads() {
    let workplace = Workplace::new();
    let rows: Vec<String> = (0..=20)
        .map(|at| {
            format!(
                "{at},{}",
                5.0 * (-0.3 * f64::from(at)).exp() + 0.1 * f64::from((at * 7) % 5)
            )
        })
        .collect();
    workplace.write("x.csv", format!("t,x\n{}\n", rows.join("\n")));
    workplace.write(
        "m.lotka",
        "param k = 1 in 1e-3..10 log\nparam x0 = 1 in 0.1..100 log\nstate x = x0\nx' = -k*x\nfit to \"x.csv\" starts 8 seed 3\nprofile k\nbootstrap 10",
    );
    let on = |threads: &str| {
        let printed = support::lotka(
            workplace.path(),
            &["--threads", threads, "run", "m.lotka"],
            "",
        );
        assert!(printed.status.success(), "{}", printed.both());
        printed.output
    };
    assert_eq!(on("1"), on("3"));
}

/// Simulated data give back what they were made with, as often as the level of intervals says.
#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    use lotka::fit::{Family, sample};
    use lotka::kernel::Stream;
    let workplace = Workplace::new();
    let file = workplace.path().join("made.csv");
    let sentence = format!("fit k, x0, s to \"{}\"", file.display());
    let model =
        "param k = 0.4 in 0.01..10 log\nparam x0 = 4 in 0.1..100 log\nparam s = 0.2 in 0.01..10 log
         state x = x0\nx' = -k*x\nobserve x ~ lognormal(median = x, sd = s)";
    let (k, x0, s) = (0.3, 5.0, 0.1);
    let replicates = 120;
    let mut inside = [0_u32; 2];
    for replicate in 0..replicates {
        let mut stream = Stream::new(11, replicate);
        let rows: Vec<String> = (0..40)
            .map(|at| {
                let time = 0.25 * f64::from(at);
                let median = x0 * (-k * time).exp();
                let value = sample(Family::LogNormal, &[median, s], &mut stream).expect("a number");
                format!("{time},{value}")
            })
            .collect();
        workplace.write("made.csv", format!("t,x\n{}\n", rows.join("\n")));
        let answer = fit(model, &format!("{sentence} starts 1"));
        assert!(answer.has_converged());
        for (at, truth) in [k, x0].into_iter().enumerate() {
            let (low, high) = answer.intervals[at];
            inside[at] += u32::from(low <= truth && truth <= high);
        }
    }
    // Binomial(120, 0.95): 106 to 119 hold 99.8 % of it. Normal quantiles with 37 degrees of freedom
    // and the bias of the variance lower the rate by about 1 %.
    for hits in inside {
        assert!((105..=120).contains(&hits), "{hits} of {replicates}");
    }
}

/// What a condition sets holds in its data, fitted or not.
#[test]
fn a_condition_keeps_its_own_value() {
    let workplace = Workplace::new();
    let rows = |condition: &str, rate: f64| -> Vec<String> {
        let times = (0..6).map(|at| 0.5 * f64::from(at));
        times
            .map(|time| format!("{condition},{time},{}", 10.0 * (-rate * time).exp()))
            .collect()
    };
    let all = [rows("", 0.5), rows("slow", 0.125)].concat();
    workplace.write("d.csv", format!("condition,t,x\n{}\n", all.join("\n")));
    let sentence = format!(
        "fit k, s to \"{}\"",
        workplace.path().join("d.csv").display()
    );
    let answer = fit(
        "param k = 0.3\nparam half = 1\nparam s = 0.1 in 1e-9..1 log\nstate x = 10\nx' = -k*half*x
         condition slow { k = 0.25; half = 0.5 }\nobserve x ~ normal(x, s)",
        &format!("{sentence} using lbfgs with s = 0.01"),
    );
    close("k", answer.estimates[0], 0.5, 1e-4);
    let fixed = fit(
        "param k = 0.3\nstate x = 10\nx' = -k*x\ncondition slow { k = 0.125 }",
        &sentence.replace("k, s", "k"),
    );
    close("k", fixed.estimates[0], 0.5, 1e-6);
    assert!(fixed.has_converged() || fixed.squares.is_some_and(|squares| squares < 1e-12));
}

/// A table of one state over time.
fn table(
    workplace: &Workplace,
    times: impl Iterator<Item = f64>,
    of: impl Fn(f64) -> f64,
) -> String {
    let rows: Vec<String> = times.map(|time| format!("{time},{}", of(time))).collect();
    workplace.write("d.csv", format!("t,x\n{}\n", rows.join("\n")));
    workplace.path().join("d.csv").display().to_string()
}

/// An oscillator x'' = -k x - c x', to be fitted.
const OSCILLATOR: &str =
    "param k = 1 in 0.01..10\nparam c = 1 in 0.01..10\nstate x = 1, v = 0\nx' = v\nv' = -k*x - c*v";

/// The roots of s^2 + c s + k say what its state of rest is: a spiral where c^2 < 4 k.
#[test]
fn a_fit_stays_where_the_steady_state_is_of_a_kind() {
    let workplace = Workplace::new();
    // Beyond critical damping: x = (3 e^-t - e^-3t)/2, with k = 3 and c = 4.
    let exact = |t: f64| (3.0 * (-t).exp() - (-3.0 * t).exp()) / 2.0;
    let data = table(&workplace, (0..21).map(|at| 0.25 * f64::from(at)), exact);
    let free = fit(OSCILLATOR, &format!("fit k, c to \"{data}\""));
    estimates(&free, &[3.0, 4.0]);
    let nodes = fit(
        OSCILLATOR,
        &format!("fit k, c to \"{data}\" where stability = stable node"),
    );
    estimates(&nodes, &[3.0, 4.0]);
    assert!(nodes.standing[0].holds && !nodes.standing[0].on_edge);
    for using in ["lm", "lbfgs"] {
        let spirals = fit(
            OSCILLATOR,
            &format!(
                "fit k, c to \"{data}\" where stability = stable spiral starts 2 using {using}"
            ),
        );
        // Along c = 2 sqrt(k): scipy.optimize.minimize_scalar of the sum of squares over k.
        close("k", spirals.estimates[0], 2.341_842_92, 1e-5);
        close(
            "c",
            spirals.estimates[1],
            2.0 * 2.341_842_92_f64.sqrt(),
            1e-5,
        );
        close("RSS", spirals.squares.unwrap_or(0.0), 4.375_585_65e-3, 1e-5);
        assert!(spirals.has_converged(), "{:?}", spirals.search().end);
        assert!(spirals.standing[0].holds && spirals.standing[0].on_edge);
        let pair = spirals.standing[0].places[0].eigenvalues[0];
        assert!(pair.imaginary > 0.0 && pair.real < 0.0);
        // On the edge only one of the two is free.
        let correlation = spirals
            .uncertainty
            .as_ref()
            .map_or(0.0, |known| known.correlation[1]);
        close("correlation", correlation.abs(), 1.0, 1e-6);
    }
}

/// Of van der Pol's equation the origin repels where mu > 0, and turns where mu < 2.
#[test]
fn a_fit_may_ask_for_oscillations_and_for_an_order() {
    let workplace = Workplace::new();
    // Of mu = 0.8 and w = 1, every 0.75: scipy.integrate.solve_ivp, DOP853, rtol 1e-12.
    let seen = [
        2.0,
        1.655_360_598,
        0.897_011_695,
        -0.500_265_003,
        -1.922_811_491,
        -1.835_659_265,
        -1.214_592_238,
        -0.093_846_895,
        1.606_126_438,
        1.962_679_354,
        1.474_879_452,
        0.574_686_055,
        -1.043_667_696,
    ];
    let times = (0..13).map(|at| 0.75 * f64::from(at));
    let data = table(&workplace, times, |t| seen[(t / 0.75).round() as usize]);
    let model = "param mu = 0.5 in -1..5\nparam w = 1 in 0.5..2\nstate x = 2, v = 0\nx' = v\nv' = mu*(1 - x^2)*v - w^2*x";
    let sentence = format!("fit mu, w to \"{data}\" starts 1");
    let asked = fit(model, &format!("{sentence} where oscillates"));
    estimates(&asked, &[0.8, 1.0]);
    assert!(
        asked.standing[0].holds && !asked.standing[0].on_edge,
        "{:?}",
        asked.standing
    );
    let ordered = fit(model, &format!("{sentence} where mu > 0.1*w, w > 1.2"));
    assert!(ordered.has_converged(), "{:?}", ordered.search().end);
    assert!(ordered.estimates[1] >= 1.2 && ordered.estimates[0] >= 0.1 * ordered.estimates[1]);
    assert!(ordered.standing.iter().all(|one| one.holds));
    // The data have w = 1.
    close("w", ordered.estimates[1], 1.2, 1e-5);
    assert!(ordered.standing[1].on_edge, "{:?}", ordered.standing);
    let told = performed(model, &format!("{sentence} where mu < 0.1*w, mu > w"));
    let told = told.map(|_| ()).unwrap_err();
    assert!(
        told.contains("E0660") && told.contains("for none of the"),
        "{told}"
    );
}

/// Conditions of the data have values of their own: what must hold holds for each.
#[test]
fn what_must_hold_holds_under_every_condition() {
    let workplace = Workplace::new();
    let rows = |condition: &str, c: f64| -> Vec<String> {
        let (a, b) = (c / 2.0, (1.0 - c * c / 4.0_f64).sqrt());
        let of = |t: f64| (-a * t).exp() * ((b * t).cos() + a / b * (b * t).sin());
        let times = (0..9).map(|at| 0.5 * f64::from(at));
        times
            .map(|t| format!("{condition},{t},{}", of(t)))
            .collect()
    };
    let all = [rows("plain", 1.0), rows("damped", 1.9)].concat();
    workplace.write("d.csv", format!("condition,t,x\n{}\n", all.join("\n")));
    let data = workplace.path().join("d.csv").display().to_string();
    let model = format!(
        "param factor = 1\n{}\ncondition plain {{ }}\ncondition damped {{ factor = 1.9 }}",
        OSCILLATOR.replace("- c*v", "- c*factor*v")
    );
    let sentence = format!("fit c to \"{data}\" starts 3");
    let free = fit(&model, &format!("{sentence} with k = 1"));
    close("c", free.estimates[0], 1.0, 1e-5);
    // c factor < 2 sqrt(k) with factor = 1.9 is the narrower of the two.
    let bound = fit(
        &model,
        &format!("{sentence} where stability = stable spiral with k = 0.8"),
    );
    assert!(bound.estimates[0] <= 2.0 * 0.8_f64.sqrt() / 1.9 + 1e-9);
    assert_eq!(bound.standing[0].places.len(), 2);
    assert!(bound.standing[0].holds);
    // A node needs c factor >= 2 sqrt(k): now it is `plain` that holds back.
    let nodes = fit(
        &model,
        &format!("{sentence} where stability = stable node with k = 0.8"),
    );
    close("c", nodes.estimates[0], 2.0 * 0.8_f64.sqrt(), 1e-5);
    assert!(nodes.standing[0].on_edge && nodes.has_converged());
}

/// x' = k - g x rests at k/g, from where a stimulus s takes it to (k + s)/g.
#[test]
fn runs_that_begin_at_rest() {
    let workplace = Workplace::new();
    let exact = |t: f64| 0.5 / 0.2 + (1.5 - 0.5) / 0.2 * (1.0 - (-0.2 * t).exp());
    let data = table(&workplace, (0..13).map(f64::from), exact);
    let model = "param k = 1 in 0.01..10\nparam g = 1 in 0.01..10\nparam s = 0\nstate x = 1\nx' = k + s - g*x";
    // `with` belongs to the runs, not to the state of rest.
    let answer = fit(
        model,
        &format!("fit k, g to \"{data}\" from steady with s = 1"),
    );
    estimates(&answer, &[0.5, 0.2]);
    let told = performed(
        "param k = 1 in 0.5..2\nstate x = 1\nx' = k*x",
        &format!("fit k to \"{data}\" from steady"),
    );
    let told = told.map(|_| ()).unwrap_err();
    assert!(told.contains("E0660"), "{told}");
}

/// A dimer y of x under the sum x + 2 y.
#[test]
fn a_sum_that_stays_moves_the_state_of_rest() {
    let workplace = Workplace::new();
    // kf x^2 = kr y with x + 2 y = 3: x = 1, y = 1 for kf = kr; then kr falls to a half.
    let model = "param kf = 0.5 in 0.05..5\nparam kr = 0.7 in 0.05..5\nparam total = 2 in 0.5..10\nparam half = 1\nspecies x = total, y = 0\n2 x <-> y, kf, kr*half\n";
    let Ok(run) = performed(
        "param kf = 1\nparam kr = 1\nparam half = 0.5\nspecies x = 1, y = 1\n2 x <-> y, kf, kr*half",
        "simulate 0..4 at 0, 0.25, 0.5, 1, 2, 4 rtol 1e-10 atol 1e-12",
    ) else {
        panic!("a run");
    };
    let Outcome::Simulated(run) = run.outcome else {
        panic!("a run");
    };
    let x = run.column("x").unwrap_or_default();
    let pairs: Vec<(f64, f64)> = run.times().iter().copied().zip(x).collect();
    let at = |t: f64| {
        pairs
            .iter()
            .find(|pair| pair.0 == t)
            .map_or(f64::NAN, |pair| pair.1)
    };
    let data = table(&workplace, pairs.iter().map(|pair| pair.0), at);
    let sentence = format!("fit kf, kr, total to \"{data}\" from steady with half = 0.5 starts 1");
    let answer = fit(model, &sentence);
    estimates(&answer, &[1.0, 1.0, 3.0]);
}

/// A checkpoint belongs to one search: other values and another start of the runs are others.
#[test]
fn a_checkpoint_is_of_one_search() {
    let workplace = Workplace::new();
    let data = table(&workplace, (1..7).map(f64::from), |t| (-0.5 * t).exp());
    let kept = workplace.path().join("kept.json").display().to_string();
    let model = "param k = 1 in 0.01..10\nparam s = 0\nstate x = 1\nx' = s - k*x";
    let sentence =
        |rest: &str| format!("fit k to \"{data}\" starts 2 checkpoint \"{kept}\" {rest}");
    let first = fit(model, &sentence(""));
    let again = fit(model, &sentence(""));
    assert_eq!(first.estimates, again.estimates);
    for other in ["with s = 0.1", "from steady", "with x = 2", "seed 5"] {
        let told = performed(model, &sentence(other)).map(|_| ()).unwrap_err();
        assert!(told.contains("is of another search"), "{other}: {told}");
    }
}
