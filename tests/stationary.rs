//! The sentence `stationary`, seen through a session: covariances, autocorrelations, spectra and
//! rotation in closed form or printed by others.

mod support;

use lotka::analyze::stationary::Exactness;
use lotka::diagnostic::{Code, Diagnostic};
use lotka::session::{NoiseOf, Outcome, Session, StationaryAnswer};
use lotka::world::SystemWorld;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use support::{Workplace, lotka, root};

fn load(path: &Path) -> Session {
    let mut session = Session::new(Arc::new(SystemWorld::default()));
    session
        .load(path)
        .unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()));
    session
}

fn try_ask(session: &mut Session, line: &str) -> Result<Arc<StationaryAnswer>, Vec<Diagnostic>> {
    let commands = session.understand(line).expect("a sentence");
    match session.perform(&commands[0], &mut ())?.outcome {
        Outcome::Stationary { answer, .. } => Ok(answer),
        other => panic!("{line}: {other:?}"),
    }
}

/// The answer about a model of `models/`.
fn of_file(file: &str, line: &str) -> Arc<StationaryAnswer> {
    let mut session = load(&root().join("models").join(file));
    try_ask(&mut session, line).unwrap_or_else(|problems| panic!("{file}: {problems:?}"))
}

fn try_text(text: &str) -> Result<Arc<StationaryAnswer>, Vec<Diagnostic>> {
    let place = Workplace::new();
    let path = place.path().join("model.lotka");
    fs::write(&path, text).expect("a file");
    try_ask(&mut load(&path), "stationary")
}

fn of_text(text: &str) -> Arc<StationaryAnswer> {
    try_text(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

#[track_caller]
fn close(found: f64, exact: f64, relative: f64) {
    assert!(
        (found - exact).abs() <= relative * exact.abs().max(1e-3),
        "{found} for {exact}"
    );
}

#[track_caller]
fn all_close(found: &[f64], exact: &[f64], relative: f64) {
    assert_eq!(found.len(), exact.len());
    for (found, exact) in found.iter().zip(exact) {
        close(*found, *exact, relative);
    }
}

const REFERENCES: &str = "../shared/data/sde/references.json";

/// `ou_moments` and `linear_2d` of the shared references: textbook formulas, and numbers made with
/// R's linear algebra.
#[test]
fn the_shared_references_are_met() {
    let (theta, mu, sigma) = (1.3, 1.0, 0.8);
    let ou = of_file("ornstein_uhlenbeck.lotka", "stationary");
    assert_eq!(ou.found.exactness, Exactness::Exact);
    close(ou.found.mean[0], mu, 1e-12);
    close(ou.found.covariance[0], sigma * sigma / (2.0 * theta), 1e-13);
    for lag in [0.0, 0.3, 1.0, 4.0] {
        let correlation = ou.found.autocovariance(lag)[0] / ou.found.covariance[0];
        close(correlation, f64::exp(-theta * lag), 1e-12);
    }
    let Some(path) = Some(root().join(REFERENCES)).filter(|path| path.exists()) else {
        println!("skipped: {REFERENCES} is not there");
        return;
    };
    let text = fs::read_to_string(path).expect("a file");
    let references: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let known = &references["linear_2d"];
    let matrix = |key: &str| -> Vec<f64> {
        // Column by column.
        let at = |i: usize, j: usize| known[key][i][j].as_f64().expect("a number");
        vec![at(0, 0), at(1, 0), at(0, 1), at(1, 1)]
    };
    let (a, g) = (matrix("A"), matrix("G"));
    let rows = |m: &[f64]| format!("[[{}, {}], [{}, {}]]", m[0], m[2], m[1], m[3]);
    let answer = of_text(&format!(
        "index k = 1..2\nparam A[k, k] = {}\nparam G[k, k] = {}\nwiener W[k]\nstate x[k] = 0\nx' = A*x + G*W'",
        rows(&a),
        rows(&g)
    ));
    all_close(&answer.found.covariance, &matrix("stationary_cov"), 1e-11);
    let lagged = answer.found.autocovariance(1.0);
    all_close(&lagged, &matrix("cov_X(t+1)_X(t)"), 1e-9);
}

/// C. W. Gardiner, Stochastic Methods, 4th ed. (2009), section 4.5.6: S = I/2 for any rotation. The
/// entropy production 2 omega^2 follows from that of C. Godreche, J.-M. Luck, J. Phys. A 52 (2019)
/// 035002: tr(A' (D/2)^-1 A S) + tr A = 202 - 2.
#[test]
fn a_rotation_is_seen_in_the_current_alone() {
    let answer = of_file("rotating_ou.lotka", "stationary");
    all_close(&answer.found.covariance, &[0.5, 0.0, 0.0, 0.5], 1e-12);
    let rotation = answer.found.rotation.as_ref().expect("a current");
    let skew = rotation.skew.as_ref().expect("as many sources as states");
    all_close(skew, &[0.0, -10.0, 10.0, 0.0], 1e-12);
    close(rotation.frequencies[0], 10.0, 1e-12);
    close(rotation.entropy.expect("noise on both"), 200.0, 1e-12);
    assert_eq!(rotation.pair, Some((0, 1)));
    assert!(!rotation.balanced);
    // S(w) = (w^2 + 101)/((101 - w^2)^2 + 4 w^2), by hand from (iw - A)^-1.
    for w in [0.0, 3.0, 10.0, 30.0] {
        let exact = (w * w + 101.0) / ((101.0 - w * w) * (101.0 - w * w) + 4.0 * w * w);
        let found = answer.found.spectra(w).expect("no pole");
        all_close(&found, &[exact, exact], 1e-12);
    }
}

/// S = -A^-1/2 for a symmetric A with unit noise: detailed balance.
#[test]
fn a_symmetric_matrix_has_detailed_balance() {
    let answer = of_text(
        "index k = 1..2\nparam A[k, k] = [[-1, 0.8], [0.8, -1]]\nwiener W[k]\nstate y[k] = 0\ny' = A*y + W'",
    );
    let exact = [1.0 / 0.72, 0.8 / 0.72, 0.8 / 0.72, 1.0 / 0.72];
    all_close(&answer.found.covariance, &exact, 1e-12);
    let rotation = answer.found.rotation.as_ref().expect("a current");
    assert!(rotation.balanced);
    all_close(rotation.skew.as_ref().expect("square"), &[0.0; 4], 1e-12);
    close(rotation.entropy.expect("noise on both") + 1.0, 1.0, 1e-12);
}

/// Sharing a Brownian motion correlates: x' = -x + W', y' = -2 y + W' has the covariance
/// 1/(1 + 2), by hand.
#[test]
fn a_shared_motion_correlates() {
    let answer = of_text("wiener W\nstate x = 0, y = 0\nx' = -x + W'\ny' = -2*y + W'");
    all_close(
        &answer.found.covariance,
        &[0.5, 1.0 / 3.0, 1.0 / 3.0, 0.25],
        1e-12,
    );
    // One source for two states makes no entropy that is defined.
    assert!(
        answer
            .found
            .rotation
            .as_ref()
            .is_none_or(|known| known.entropy.is_none())
    );
}

/// Noise through definitions, elementwise factors and single elements is the same noise.
#[test]
fn noise_may_be_written_in_many_ways() {
    let exact = [0.5 * 0.09, 0.0, 0.0, 0.5 * 0.16];
    let head = "index k = 1..2\nparam s[k] = [0.3, 0.4]\nwiener W[k]\nstate y[k] = 0\n";
    for equation in [
        "y' = -1*y + s .* W'",
        "y' = -1*y + diagonal(s)*W'",
        "let xi[k] = s .* W'\ny' = -1*y + xi",
        "for i in 1..2 { y[i]' = -y[i] + s[i]*W[i]' }",
        "state z = 0\nz' = y[1]'\ny' = -1*y + s .* W'",
    ] {
        let text = format!("{head}{equation}");
        if equation.starts_with("state z") {
            // z is y[1] but for a constant: a sum that stays, so that both have one variance.
            let answer = of_text(&text);
            close(answer.found.covariance_of(2, 2), 0.045, 1e-12);
            close(answer.found.correlation(0, 2), 1.0, 1e-12);
            assert_eq!(answer.found.kept, (0, 1));
        } else {
            all_close(&of_text(&text).found.covariance, &exact, 1e-12);
        }
    }
}

/// Immigration and death: the stationary distribution is Poisson (`birth_death_ssa` of the shared
/// references), in any volume and size.
#[test]
fn births_and_deaths_are_poisson() {
    for (head, noise) in [
        ("species n = 0\n0 -> n, k\nn -> 0, g\n", "noise intrinsic"),
        (
            "compartment V = 4\nspecies n in V = 0\n0 -> n, k\nn -> 0, g\n",
            "noise intrinsic (size = 600)",
        ),
        ("species n = 0\n0 -> n, k\nn -> 0, g\n", ""),
        ("species n = 0\n0 <-> n, k, g\n", "noise intrinsic"),
    ] {
        let answer = of_text(&format!("param k = 6, g = 0.3\n{head}{noise}"));
        close(answer.found.mean[0], 20.0, 1e-12);
        close(answer.fano[0], 1.0, 1e-12);
        assert_eq!(answer.found.exactness, Exactness::LinearNoise);
        let undeclared = answer.noise == NoiseOf::Undeclared;
        assert_eq!(undeclared, noise.is_empty());
    }
}

/// M. Thattai, A. van Oudenaarden, PNAS 98 (2001) 8614: 1 + b/(1 + eta), b = kp/gm, eta = gp/gm.
#[test]
fn two_stage_gene_expression_has_the_published_fano_factor() {
    for (kp, gm, gp) in [(3.0, 0.3, 0.03), (10.0, 1.0, 0.5)] {
        let line = format!("stationary with kp = {kp}, gm = {gm}, gp = {gp}");
        let answer = of_file("gene_expression_noise.lotka", &line);
        close(answer.fano[0], 1.0, 1e-11);
        close(answer.fano[1], 1.0 + kp / gm / (1.0 + gp / gm), 1e-11);
    }
}

/// A closed isomerisation of N molecules is binomial: variance N p (1 - p), and the two numbers
/// are tied.
#[test]
fn a_closed_system_is_binomial() {
    let answer = of_text("species A = 100, B = 0\nA <-> B, 3, 1\nnoise intrinsic");
    let variance = 100.0 * 0.75 * 0.25;
    all_close(
        &answer.found.covariance,
        &[variance, -variance, -variance, variance],
        1e-11,
    );
    assert_eq!(answer.found.kept, (1, 0));
}

/// Birth and pair annihilation, 0 -> A at the rate k Omega, 2 A -> 0: the linear-noise
/// approximation gives the Fano factor 3/4 whatever the constants (N. G. van Kampen, Stochastic
/// Processes in Physics and Chemistry, 3rd ed. (2007), section X.3).
#[test]
fn pair_annihilation_has_the_fano_factor_three_quarters() {
    let answer = of_text(
        "param Omega = 500\nspecies A = 1\n0 -> A, 2\n2 A -> 0, 0.7\nnoise intrinsic (size = Omega)",
    );
    close(answer.found.mean[0], f64::sqrt(2.0 / 1.4), 1e-9);
    close(answer.fano[0], 0.75, 1e-9);
}

/// A. J. McKane, T. J. Newman, PRL 94 (2005) 218102: the power spectrum is
/// (alpha + beta w^2)/((w^2 - w0^2)^2 + G^2 w^2) with w0^2 = det A, G = -tr A.
#[test]
fn quasi_cycles_have_the_published_form_of_spectrum() {
    let answer = of_file("quasi_cycles.lotka", "stationary");
    let a = &answer.found.drift;
    let (trace, determinant) = (a[0] + a[3], a[0] * a[3] - a[1] * a[2]);
    let d = &answer.found.diffusion;
    for w in [0.02, 0.1, 0.125, 0.3] {
        let alpha = d[0] * a[3] * a[3] - 2.0 * d[2] * a[2] * a[3] + d[3] * a[2] * a[2];
        let exact =
            (alpha + d[0] * w * w) / ((w * w - determinant).powi(2) + trace * trace * w * w);
        close(answer.found.spectra(w).expect("no pole")[0], exact, 1e-9);
    }
    let peak = answer.found.peaks[0].expect("a peak");
    close(peak.frequency, determinant.sqrt(), 0.02);
}

/// x' = -x + (s + c x) W': d<x^2>/dt = -2 <x^2> + s^2 + c^2 <x^2> at the mean 0 gives
/// s^2/(2 - c^2), exactly.
#[test]
fn noise_that_is_linear_in_the_state_has_exact_moments() {
    let model = |c: f64| format!("param c = {c}\nwiener W\nstate x = 0\nx' = -x + (0.5 + c*x)*W'");
    for c in [0.3, 1.0, 1.3] {
        let answer = of_text(&model(c));
        assert_eq!(answer.found.exactness, Exactness::ExactMoments);
        close(answer.found.covariance[0], 0.25 / (2.0 - c * c), 1e-11);
    }
    // c^2 = 2 and more: the mean square grows. Of geometric Brownian motion nothing is left.
    for text in [model(1.5), model(2.0)] {
        let problems = try_text(&text).expect_err("no variance");
        assert_eq!(problems[0].code, Code::NotStationary);
        assert!(
            problems[0].message.contains("feeds itself"),
            "{}",
            problems[0].message
        );
    }
    let problems = try_text("wiener W\nstate x = 1\nx' = -x + 0.5*x*W'").expect_err("a point");
    assert!(
        problems[0].message.contains("no noise acts"),
        "{}",
        problems[0].message
    );
}

/// Stratonovich noise (s + c x) o dW adds c (s + c x)/2 to the drift in the Itô sense: the mean is
/// that of x' = -x + c (s + c x)/2, and the variance (s + c m)^2/(2 (1 - c^2/2) - c^2).
#[test]
fn stratonovich_noise_is_corrected() {
    let (s, c) = (0.5, 0.6);
    let answer = of_text(&format!(
        "stratonovich V\nstate x = 0\nx' = -x + ({s} + {c}*x)*V'"
    ));
    let rate = 1.0 - c * c / 2.0;
    let mean = c * s / 2.0 / rate;
    close(answer.found.mean[0], mean, 1e-11);
    close(
        answer.found.covariance[0],
        (s + c * mean).powi(2) / (2.0 * rate - c * c),
        1e-11,
    );
    // In vectors, element by element: the same.
    let vector = of_text(&format!(
        "index k = 1..3\nstratonovich V[k]\nstate x[k] = 0\nx' = -1*x + ({s} + {c}*x) .* V'"
    ));
    for at in 0..3 {
        close(vector.found.mean[at], mean, 1e-11);
    }
    // Noise that does not depend on the state needs none.
    let additive = of_text("stratonovich V\nstate x = 0\nx' = 1 - x + 0.5*V'");
    close(additive.found.mean[0], 1.0, 1e-12);
    assert_eq!(additive.found.exactness, Exactness::Exact);
}

/// x' = x - x^3 + s W' near 1 has the linear part -2: variance s^2/4.
#[test]
fn nonlinear_equations_are_approximated() {
    let answer = of_text("wiener W\nstate x = 0.5\nx' = x - x^3 + 0.1*W'");
    assert_eq!(answer.found.exactness, Exactness::LinearNoise);
    close(answer.found.covariance[0], 0.0025, 1e-9);
}

#[test]
fn what_has_no_stationary_distribution_is_refused_in_words() {
    for (text, words) in [
        (
            "wiener W\nstate x = 1\nx' = x + W'",
            "is unstable, with the eigenvalue 1",
        ),
        ("wiener W\nstate x = 0\nx' = 0*x + W'", "nothing holds `x`"),
        (
            "wiener W\nstate x = 0, y = 0\nx' = y\ny' = -x + W'",
            "does not decay",
        ),
        ("state x = 1\nx' = -x", "no noise"),
        ("species A = 1, B = 0\nA <-> B, rate A - B", "net rate"),
        (
            "species A = 1\n0 -> A, rate 1 - 2*A\nnoise intrinsic\nA -> 0, rate A - 1",
            "is not defined",
        ),
    ] {
        let problems = try_text(text).expect_err(text);
        assert!(
            problems[0].message.contains(words),
            "{text}: {}",
            problems[0].message
        );
    }
}

#[test]
fn the_figure_and_the_json_form_are_written() {
    let place = Workplace::new();
    let file = "models/quasi_cycles.lotka";
    let run = lotka(
        place.path(),
        &["stationary", file, "f", "--to", "spectra.png"],
        "",
    );
    assert!(run.status.success(), "{}", run.both());
    assert!(run.output.contains("wrote spectra.png"), "{}", run.output);
    assert!(place.path().join("spectra.png").exists());
    let run = lotka(
        place.path(),
        &["stationary", file, "--at", "1,2", "--format", "json"],
        "",
    );
    let json: serde_json::Value = serde_json::from_str(&run.output).expect("JSON");
    assert_eq!(json["schema"], "lotka-stationary-1");
    assert_eq!(json["autocovariances"][1]["lag"], 2.0);
}
