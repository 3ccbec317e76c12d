//! `stability over` a table of states, seen through a session: regulated networks and other flows,
//! files, groups with conditions, tables, figures.

mod support;

use lotka::session::{NoForm, Outcome, RowsAnswer, Session, Way};
use nalgebra::{Complex, DMatrix};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use support::session::{loaded, perform, say};
use support::{Workplace, lotka, root};

/// The network of the exact numbers below.
const NETWORK: &str = "index gene = {a, b, c}
param W[gene, gene] = [[0, 2, 0], [1, 0, 0], [3, 0, 0]]
param k[gene] = [1, 1, 2]
param n[gene] = [2, 2, 3]
param gamma[gene] = [0.5, 0.4, 0.3]
param I[gene] = 0
state s[gene] = [1, 2, 3]
s' = W*hill(s, k, n) - gamma .* s + I
";

fn load(folder: &Path, model: &str) -> Session {
    let path = folder.join("model.lotka");
    fs::write(&path, model).expect("a file");
    loaded(&path)
}

fn ask(session: &mut Session, line: &str) -> Arc<RowsAnswer> {
    match say(session, line) {
        Outcome::Rows { answer, .. } => answer,
        other => panic!("{line}: {other:?}"),
    }
}

fn close(found: f64, exact: f64) {
    assert!(
        (found - exact).abs() <= 1e-10 * (1.0 + exact.abs()),
        "{found} for {exact}"
    );
}

/// All eigenvalues of every row, the rightmost first, as `save eigenvalues` writes them.
fn eigenvalues(session: &mut Session, folder: &Path, rows: usize) -> Vec<Vec<Complex<f64>>> {
    let path = folder.join("all.csv");
    let _ = fs::remove_file(&path);
    say(
        session,
        &format!("save eigenvalues to \"{}\"", path.display()),
    );
    let text = fs::read_to_string(&path).expect("a table");
    let mut all = vec![Vec::new(); rows];
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |at: usize| cells[at].parse::<f64>().expect("a number");
        let last = cells.len() - 1;
        let row: usize = cells[0].parse().expect("a row");
        all[row - 1].push(Complex::new(number(last - 1), number(last)));
    }
    all
}

/// numpy.linalg.eigvals and numpy.linalg.norm (numpy 2) of the same Jacobian at the five states.
#[test]
fn the_network_of_three_genes_has_its_known_numbers() {
    let place = Workplace::new();
    let csv = "cell_type,a,b,c\nHSC,1,2,3\nHSC,1,1,1\nEry,0,0,0\nEry,2,0.1,4\nMono,5,5,5\n";
    fs::write(place.path().join("cells.csv"), csv).expect("a file");
    let mut session = load(place.path(), NETWORK);
    let line = "stability over \"cells.csv\" by cell_type of jacobian[a, b], jacobian[s[c], c]";
    let answer = ask(&mut session, line);
    assert_eq!(answer.told.way, Way::Network);
    assert_eq!((answer.told.entries, answer.told.feedback), (3, 2));
    let leading = [
        -0.046_887_112_585_072_5,
        0.258_872_343_937_891_27,
        -0.3,
        -0.194_580_840_260_479,
        -0.3,
    ];
    let rotation = [
        1.068_269_628_885_891_3,
        1.118_033_988_749_895,
        0.0,
        0.377_013_899_473_988_06,
        0.033_077_928_661_239_49,
    ];
    for row in 0..5 {
        let linear = answer.linear(row).expect("found");
        close(linear.leading.expect("a leading one").re, leading[row]);
        close(linear.shape.trace, -1.2);
        close(linear.shape.rotation, rotation[row]);
        assert_eq!(linear.positive, usize::from(row == 1));
        assert_eq!(linear.negative, 3 - usize::from(row == 1));
        close(linear.elements[1], -0.3);
    }
    // 2*phi'(2) of b with phi' = 2x/(1 + x^2)^2.
    close(answer.linear(0).expect("found").elements[0], 0.32);
    let all = eigenvalues(&mut session, place.path(), 5);
    for (found, exact) in all[0].iter().zip([-0.046_887_11, -0.3, -0.853_112_89]) {
        assert!((found.re - exact).abs() < 1e-8 && found.im == 0.0);
    }
}

/// The same states from AnnData: other order, a gene too many, a cell without group.
#[test]
fn cells_of_anndata_have_the_same_numbers() {
    let place = Workplace::new();
    fs::copy(
        root().join("tests/data/network.h5ad"),
        place.path().join("network.h5ad"),
    )
    .expect("a copy");
    let mut session = load(place.path(), NETWORK);
    let line = "stability over \"network.h5ad\" layer \"Ms\" by cell_type";
    let answer = ask(&mut session, line);
    close(
        answer.linear(0).expect("found").leading.expect("one").re,
        -0.046_887_112_585_072_5,
    );
    let names: Vec<&str> = answer.groups().iter().map(|(_, name)| *name).collect();
    assert_eq!(names, ["HSC", "Ery", "Mono", "no group"]);
    assert_eq!(answer.rows_of(None), [3]);
    assert_eq!(answer.data.names[3], "cell3");
    for (line, series) in [
        ("plot groups on \"X_umap\"", 4),
        ("plot leading on \"X_umap\"", 4),
        ("plot trace on \"X_umap\"", 1),
        ("plot eigenvalues", 5),
    ] {
        match say(&mut session, line) {
            Outcome::Figure { figure, .. } => {
                let shown = figure.series.iter().filter(|series| !series.x.is_empty());
                assert_eq!(shown.count(), series, "{line}");
            }
            other => panic!("{line}: {other:?}"),
        }
    }
    let Outcome::Figure { figure, .. } = say(&mut session, "plot rotation") else {
        panic!("no figure");
    };
    assert_eq!(figure.x.names, ["HSC", "Ery", "Mono", "no group"]);
}

/// Groups with conditions have their values, others those that hold; numpy, as above.
#[test]
fn conditions_hold_for_the_cells_of_their_names() {
    let place = Workplace::new();
    let csv = "cell_type,a,b,c\nHSC,1,1,1\nEry,1,1,1\n,1,1,1\n";
    fs::write(place.path().join("cells.csv"), csv).expect("a file");
    let model = format!("{NETWORK}condition Ery {{ W[a, b] = -4 }}\n");
    let mut session = load(place.path(), &model);
    let answer = ask(&mut session, "stability over \"cells.csv\" by cell_type");
    assert_eq!(answer.conditions, [false, true]);
    let leading =
        |answer: &RowsAnswer, row: usize| answer.linear(row).expect("found").leading.expect("one");
    close(leading(&answer, 0).re, 0.258_872_343_937_891_27);
    close(leading(&answer, 1).re, -0.3);
    close(leading(&answer, 2).re, 0.258_872_343_937_891_27);
    close(
        answer.linear(1).expect("found").shape.rotation,
        2.061_552_812_808_830_3,
    );
    let all = eigenvalues(&mut session, place.path(), 3);
    close(all[1][1].re, -0.45);
    close(all[1][1].im.abs(), 0.9975_f64.sqrt());
    // A condition that is named holds everywhere.
    let answer = ask(
        &mut session,
        "stability over \"cells.csv\" by cell_type in Ery",
    );
    assert_eq!(answer.conditions, [false, false]);
    close(leading(&answer, 0).re, -0.3);
    let answer = ask(
        &mut session,
        "stability over \"cells.csv\" by cell_type with W[a, b] = 2",
    );
    close(leading(&answer, 0).re, 0.258_872_343_937_891_27);
}

#[test]
fn trace_and_rotation_alone_leave_the_eigenvalues_out() {
    let place = Workplace::new();
    fs::write(place.path().join("cells.csv"), "a,b,c\n1,2,3\n").expect("a file");
    let mut session = load(place.path(), NETWORK);
    let line = "stability over \"cells.csv\" of trace, rotation, jacobian[a, b], jacobian[a, a]";
    let answer = ask(&mut session, line);
    let linear = answer.linear(0).expect("found");
    assert!(!answer.spectrum && linear.leading.is_none());
    close(linear.shape.trace, -1.2);
    close(linear.shape.rotation, 1.068_269_628_885_891_3);
    assert_eq!(linear.elements.len(), 2);
    close(linear.elements[0], 0.32);
    close(linear.elements[1], -0.5);
}

// ---- one network by every way, and by dense work ----

/// Numbers from 0 to 1 that are always the same (D. E. Knuth's 64-bit congruences).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from((self.0 >> 33) as u32) / f64::from(1_u32 << 31)
    }
}

struct Drawn {
    n: usize,
    weights: Vec<f64>,
    half: Vec<f64>,
    exponent: Vec<f64>,
    decay: Vec<f64>,
    states: Vec<Vec<f64>>,
}

fn drawn(dice: &mut Dice) -> Drawn {
    let n = 2 + (dice.next() * 7.0) as usize;
    let mut weights = vec![0.0; n * n];
    for weight in &mut weights {
        if dice.next() < 0.4 {
            *weight = 4.0 * dice.next() - 2.0;
        }
    }
    let mut many = |low: f64, high: f64| -> Vec<f64> {
        (0..n).map(|_| low + (high - low) * dice.next()).collect()
    };
    Drawn {
        half: many(0.5, 2.0),
        exponent: many(1.0, 5.0),
        decay: many(0.1, 1.0),
        states: (0..6).map(|_| many(0.0, 3.0)).collect(),
        n,
        weights,
    }
}

impl Drawn {
    fn names(&self) -> Vec<String> {
        (0..self.n).map(|at| format!("x{at}")).collect()
    }

    fn csv(&self) -> String {
        let mut text = self.names().join(",") + "\n";
        for state in &self.states {
            let cells: Vec<String> = state.iter().map(f64::to_string).collect();
            text.push_str(&(cells.join(",") + "\n"));
        }
        text
    }

    /// With a vector; `more` is added to the equation.
    fn vectors(&self, more: &str) -> String {
        let list = |numbers: &[f64]| {
            let all: Vec<String> = numbers.iter().map(f64::to_string).collect();
            format!("[{}]", all.join(", "))
        };
        let rows: Vec<String> = self.weights.chunks(self.n).map(list).collect();
        format!(
            "index gene = {{{}}}\nparam W[gene, gene] = [{}]\nparam k[gene] = {}\nparam n[gene] = {}\n\
             param gamma[gene] = {}\nstate s[gene] = 1\ns' = W*hill(s, k, n) - gamma .* s{more}\n",
            self.names().join(", "),
            rows.join(", "),
            list(&self.half),
            list(&self.exponent),
            list(&self.decay),
        )
    }

    /// With an equation for each gene; `more` gives what is added to each.
    fn scalars(&self, more: &dyn Fn(usize) -> String) -> String {
        let mut text = String::new();
        for name in self.names() {
            let _ = writeln!(text, "state {name} = 1");
        }
        for i in 0..self.n {
            let mut sum = format!("-{}*x{i}", self.decay[i]);
            for j in 0..self.n {
                let weight = self.weights[i * self.n + j];
                if weight != 0.0 {
                    let _ = write!(
                        sum,
                        " + ({weight})*x{j}^{e}/({k}^{e} + x{j}^{e})",
                        e = self.exponent[j],
                        k = self.half[j]
                    );
                }
            }
            let _ = writeln!(text, "x{i}' = {sum}{}", more(i));
        }
        text
    }

    /// The Jacobian of the network by hand: W_ij n x^(n-1) k^n/(k^n + x^n)^2 - gamma on the diagonal.
    fn jacobian(&self, state: &[f64]) -> DMatrix<f64> {
        DMatrix::from_fn(self.n, self.n, |i, j| {
            let (x, k, n) = (state[j], self.half[j], self.exponent[j]);
            let slope = n * x.powf(n - 1.0) * k.powf(n) / (k.powf(n) + x.powf(n)).powi(2);
            let lost = if i == j { self.decay[i] } else { 0.0 };
            self.weights[i * self.n + j] * slope - lost
        })
    }
}

/// The largest distance between two sets of eigenvalues, each matched with the nearest that is left.
fn apart(a: &[Complex<f64>], b: &[Complex<f64>]) -> f64 {
    assert_eq!(a.len(), b.len());
    let mut left = b.to_vec();
    let mut most = 0.0_f64;
    for value in a {
        let nearest = left
            .iter()
            .enumerate()
            .min_by(|x, y| (x.1 - value).norm().total_cmp(&(y.1 - value).norm()))
            .map(|(at, _)| at)
            .expect("one is left");
        most = most.max((left.swap_remove(nearest) - value).norm());
    }
    most
}

#[test]
fn every_way_gives_the_eigenvalues_of_dense_work() {
    let place = Workplace::new();
    let mut dice = Dice(20);
    for round in 0..12 {
        let network = drawn(&mut dice);
        fs::write(place.path().join("cells.csv"), network.csv()).expect("a file");
        let rows = network.states.len();
        let mut by_network = load(place.path(), &network.vectors(""));
        let first = ask(&mut by_network, "stability over \"cells.csv\"");
        assert_eq!(first.told.way, Way::Network, "round {round}");
        let mut by_jacobian = load(place.path(), &network.scalars(&|_| String::new()));
        let second = ask(&mut by_jacobian, "stability over \"cells.csv\"");
        assert_eq!(second.told.way, Way::Jacobian(NoForm::States));
        // Entries that are zero everywhere are seen by both; the diagonal stands beside a network.
        assert!(second.told.largest == first.told.largest);
        let by_network = eigenvalues(&mut by_network, place.path(), rows);
        let by_jacobian = eigenvalues(&mut by_jacobian, place.path(), rows);
        for (row, (one, other)) in by_network.iter().zip(&by_jacobian).enumerate() {
            let jacobian = network.jacobian(&network.states[row]);
            let dense: Vec<Complex<f64>> = jacobian.complex_eigenvalues().iter().copied().collect();
            // A defective matrix spreads its eigenvalues by the root of the rounding errors.
            let near = apart(&dense, one).max(apart(&dense, other));
            assert!(near < 1e-6, "round {round}, row {row}: {near:e}");
            let between = apart(one, other);
            assert!(between < 1e-8, "round {round}, row {row}: {between:e}");
            for answer in [&first, &second] {
                let shape = answer.linear(row).expect("found").shape;
                close(shape.trace, jacobian.trace());
                let half = (&jacobian - jacobian.transpose()) / 2.0;
                close(shape.rotation, half.norm());
            }
        }
    }
}

/// What has not the form of one network: a second term, losses that are not linear, a matrix that
/// depends on the state.
#[test]
fn other_forms_agree_with_scalar_equations() {
    let place = Workplace::new();
    let mut dice = Dice(4);
    type Scalar = fn(usize) -> String;
    let forms: [(&str, Way, Scalar); 4] = [
        (" + 2", Way::Network, |_| " + 2".to_owned()),
        (" - 0.3*s.^2", Way::Terms, |i| format!(" - 0.3*x{i}^2")),
        (" + transpose(W)*sigmoid(s)", Way::Terms, |_| String::new()),
        (" - s .* (W*s)", Way::Jacobian(NoForm::Matrix), |_| {
            String::new()
        }),
    ];
    for (more, way, scalar) in forms {
        let network = drawn(&mut dice);
        fs::write(place.path().join("cells.csv"), network.csv()).expect("a file");
        let mut vectors = load(place.path(), &network.vectors(more));
        let first = ask(
            &mut vectors,
            "stability over \"cells.csv\" of jacobian[x0, x1]",
        );
        assert_eq!(first.told.way, way, "{more}");
        let n = network.n;
        let weight = |i: usize, j: usize| network.weights[i * n + j];
        let of = |i: usize| match more {
            " + transpose(W)*sigmoid(s)" => (0..n)
                .map(|j| format!(" + ({})/(1 + exp(-x{j}))", weight(j, i)))
                .collect(),
            " - s .* (W*s)" => (0..n)
                .map(|j| format!(" - x{i}*({})*x{j}", weight(i, j)))
                .collect(),
            _ => scalar(i),
        };
        let mut scalars = load(place.path(), &network.scalars(&of));
        let second = ask(
            &mut scalars,
            "stability over \"cells.csv\" of jacobian[x0, x1]",
        );
        for row in 0..network.states.len() {
            let (a, b) = (
                first.linear(row).expect("found"),
                second.linear(row).expect("found"),
            );
            let (p, q) = (a.leading.expect("one"), b.leading.expect("one"));
            assert!((p.re - q.re).abs() < 1e-8, "{more}: {p} and {q}");
            close(a.shape.trace, b.shape.trace);
            close(a.shape.rotation, b.shape.rotation);
            close(a.elements[0], b.elements[0]);
        }
    }
}

// ---- files ----

#[test]
fn the_command_line_has_the_sentence_and_its_files() {
    let place = Workplace::new();
    fs::copy(
        root().join("tests/data/network.h5ad"),
        place.path().join("network.h5ad"),
    )
    .expect("a copy");
    let sentences = "stability over \"network.h5ad\" layer \"Ms\" by cell_type to \"spectra.json\"\n\
                     save \"spectra.csv\"\nsave eigenvalues to \"all.csv\"\nplot leading to \"boxes.svg\"\n";
    fs::write(
        place.path().join("net.lotka"),
        format!("{NETWORK}{sentences}"),
    )
    .expect("a file");
    let printed = lotka(place.path(), &["run", "net.lotka"], "");
    assert!(printed.status.success(), "{}", printed.both());
    let read = |name: &str| fs::read_to_string(place.path().join(name)).expect("a file");
    let rows = read("spectra.csv");
    assert!(rows.starts_with(
        "cell,cell_type,leading,leading_imaginary,positive,negative,trace,rotation\n"
    ));
    assert_eq!(rows.lines().count(), 6);
    assert_eq!(read("all.csv").lines().count(), 16);
    let json: serde_json::Value = serde_json::from_str(&read("spectra.json")).expect("JSON");
    assert_eq!(json["schema"], "lotka-rows-1");
    assert_eq!(json["rows"].as_array().map(Vec::len), Some(5));
    assert_eq!(
        json["groups"][1]["summaries"]["trace"]["quartiles"],
        serde_json::Value::Null
    );
    assert!(read("boxes.svg").contains("Mono"));
    let asked = lotka(
        place.path(),
        &[
            "stability",
            "net.lotka",
            "--over",
            "\"network.h5ad\" layer \"Ms\" by cell_type",
            "--format",
            "json",
        ],
        "",
    );
    assert!(asked.output.contains("lotka-rows-1"), "{}", asked.both());
}

/// Half of a file is no file, and nothing is written of it.
/// A threshold that is not above 0 is refused by name before any work, and one that follows the state
/// makes the function not a number.
#[test]
fn thresholds_are_above_zero() {
    let place = Workplace::new();
    let mut session = load(place.path(), &NETWORK.replace("[1, 1, 2]", "[1, -1, 0]"));
    place.write("cells.csv", "a,b,c\n1,2,3\n");
    let told = perform(&mut session, "stability over \"cells.csv\"").expect_err("refused");
    assert!(told.contains("`k[b]`, which is -1"), "{told}");
    say(&mut session, "stability over \"cells.csv\" with k = 1");
    let told = perform(&mut session, "stability over \"cells.csv\" with k = -1");
    assert!(told.expect_err("refused").contains("`k[a]`"));
    for (text, expected) in [
        ("hill(2, 1, 2)", Some(0.8)),
        ("hill(-2, 1, 2)", Some(0.0)),
        ("hill(2, -1, 2)", None),
        ("hill(-2, -1, 2)", None),
        ("hill(1, 0, 2)", None),
        ("hill_slope(2, -1, 2)", None),
    ] {
        let Outcome::Value { numbers, .. } = say(&mut session, text) else {
            panic!("{text}");
        };
        match expected {
            Some(expected) => assert_eq!(numbers, [expected], "{text}"),
            None => assert!(numbers[0].is_nan(), "{text}"),
        }
    }
    let mut falls = load(place.path(), "state x = 1\nx' = hill(1, x, 2) - 2");
    let told = perform(&mut falls, "simulate 0..10");
    let told = told.map(|performed| format!("{:?}", performed.diagnostics));
    let (Ok(told) | Err(told)) = told;
    assert!(
        told.contains("`x`, which scales a Hill function, is not above 0"),
        "{told}"
    );
}

#[test]
fn a_truncated_file_is_refused_whole() {
    let place = Workplace::new();
    let whole = fs::read(root().join("tests/data/network.h5ad")).expect("a file");
    for part in [0, 100, whole.len() / 2, whole.len() - 100] {
        fs::write(place.path().join("cells.h5ad"), &whole[..part]).expect("a file");
        let sentence = "stability over \"cells.h5ad\" layer \"Ms\" to \"out.csv\"\n";
        fs::write(
            place.path().join("net.lotka"),
            format!("{NETWORK}{sentence}"),
        )
        .expect("a file");
        let printed = lotka(place.path(), &["run", "net.lotka"], "");
        assert!(!printed.status.success());
        assert!(printed.errors.contains("cells.h5ad"), "{}", printed.errors);
        assert!(!place.path().join("out.csv").exists());
    }
}

#[test]
fn the_worked_network_says_what_its_cells_do() {
    let place = Workplace::new();
    let printed = lotka(place.path(), &["run", "models/genes/network.lotka"], "");
    assert!(
        printed.status.success() && printed.errors.is_empty(),
        "{}",
        printed.both()
    );
    for words in ["120 rows", "condition in Ery", "HSC", "a network: J ="] {
        assert!(
            printed.output.contains(words),
            "{words}: {}",
            printed.output
        );
    }
}
