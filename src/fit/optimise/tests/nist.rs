//! The nonlinear regression problems of the NIST Statistical Reference Datasets
//! (<https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml>): certified estimates and sums of
//! squares. Data and starts are in the folder of shared data (named by `LOTKA_SHARED`, else looked
//! for above the crate); of three more they stand here, without the decimals of 11 digits.

use crate::fit::objective::{Evaluation, Fault, Objective, Wanted};
use crate::fit::optimise::{Bounds, End, Method, Options, search};
use serde_json::Value;
use std::f64::consts::PI;
use std::fs;
use std::path::{Path, PathBuf};

/// A regression function with its derivatives by the parameters.
type Curve = fn(x: f64, b: &[f64]) -> (f64, Vec<f64>);

struct Problem {
    name: String,
    curve: Curve,
    x: Vec<f64>,
    y: Vec<f64>,
    starts: [Vec<f64>; 2],
    certified: Vec<f64>,
    rss: f64,
}

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Likelihood {
    /// RSS / (2 s^2), s known.
    Known(f64),
    /// n/2 ln RSS: s profiled.
    Profiled,
}

struct Regression<'p> {
    problem: &'p Problem,
    likelihood: Likelihood,
}

impl Regression<'_> {
    fn rss(&self, b: &[f64]) -> f64 {
        let pairs = self.problem.x.iter().zip(&self.problem.y);
        pairs
            .map(|(x, y)| ((self.problem.curve)(*x, b).0 - y).powi(2))
            .sum()
    }
}

impl Objective for Regression<'_> {
    fn dimension(&self) -> usize {
        self.problem.certified.len()
    }

    fn evaluate(&self, b: &[f64], _: Wanted) -> Result<Evaluation, Fault> {
        let rss = self.rss(b);
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let n = self.problem.x.len() as f64;
        let (value, scale) = match self.likelihood {
            Likelihood::Known(s) => (0.5 * rss / (s * s), 1.0 / s),
            Likelihood::Profiled => (0.5 * n * rss.ln(), (n / rss).sqrt()),
        };
        let mut evaluation = Evaluation {
            value,
            gradient: vec![0.0; b.len()],
            ..Evaluation::default()
        };
        for (x, y) in self.problem.x.iter().zip(&self.problem.y) {
            let (f, slopes) = (self.problem.curve)(*x, b);
            let residual = scale * (f - y);
            evaluation.residuals.push(residual);
            for (sum, slope) in evaluation.gradient.iter_mut().zip(slopes) {
                *sum += residual * scale * slope;
                evaluation.jacobian.push(scale * slope);
            }
        }
        Ok(evaluation)
    }
}

fn misra1a(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let e = (-b[1] * x).exp();
    (b[0] * (1.0 - e), vec![1.0 - e, b[0] * x * e])
}

fn misra1c(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let root = (1.0 + 2.0 * b[1] * x).powf(-0.5);
    (
        b[0] * (1.0 - root),
        vec![1.0 - root, b[0] * x * root.powi(3)],
    )
}

fn chwirut(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let below = b[1] + b[2] * x;
    let f = (-b[0] * x).exp() / below;
    (f, vec![-x * f, -f / below, -x * f / below])
}

fn lanczos(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let (mut f, mut slopes) = (0.0, Vec::new());
    for pair in b.chunks(2) {
        let e = (-pair[1] * x).exp();
        f += pair[0] * e;
        slopes.extend([e, -pair[0] * x * e]);
    }
    (f, slopes)
}

fn mgh17(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let (e, g) = ((-x * b[3]).exp(), (-x * b[4]).exp());
    let slopes = vec![1.0, e, g, -x * b[1] * e, -x * b[2] * g];
    (b[0] + b[1] * e + b[2] * g, slopes)
}

fn rat42(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let e = (b[1] - b[2] * x).exp();
    let below = 1.0 + e;
    let bend = b[0] * e / (below * below);
    (b[0] / below, vec![1.0 / below, -bend, x * bend])
}

fn rat43(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let e = (b[1] - b[2] * x).exp();
    let shape = (1.0 + e).powf(-1.0 / b[3]);
    let bend = b[0] * shape / b[3] * e / (1.0 + e);
    let by_power = b[0] * shape * (1.0 + e).ln() / (b[3] * b[3]);
    (b[0] * shape, vec![shape, -bend, x * bend, by_power])
}

fn enso(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let year = 2.0 * PI * x / 12.0;
    let (first, second) = (2.0 * PI * x / b[3], 2.0 * PI * x / b[6]);
    let f = b[0]
        + b[1] * year.cos()
        + b[2] * year.sin()
        + b[4] * first.cos()
        + b[5] * first.sin()
        + b[7] * second.cos()
        + b[8] * second.sin();
    let by_period = |phase: f64, period: f64, cosine: f64, sine: f64| {
        (cosine * phase.sin() - sine * phase.cos()) * phase / period
    };
    let slopes = vec![
        1.0,
        year.cos(),
        year.sin(),
        by_period(first, b[3], b[4], b[5]),
        first.cos(),
        first.sin(),
        by_period(second, b[6], b[7], b[8]),
        second.cos(),
        second.sin(),
    ];
    (f, slopes)
}

fn thurber(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let below = 1.0 + x * (b[4] + x * (b[5] + x * b[6]));
    let f = (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / below;
    let powers = [x, x * x, x * x * x];
    let mut slopes = vec![1.0 / below];
    slopes.extend(powers.map(|power| power / below));
    slopes.extend(powers.map(|power| -f * power / below));
    (f, slopes)
}

fn mgh09(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let (above, below) = (x * x + x * b[1], x * x + x * b[2] + b[3]);
    let f = b[0] * above / below;
    let slopes = vec![above / below, b[0] * x / below, -f * x / below, -f / below];
    (f, slopes)
}

fn mgh10(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let shifted = x + b[2];
    let e = (b[1] / shifted).exp();
    let f = b[0] * e;
    (f, vec![e, f / shifted, -f * b[1] / (shifted * shifted)])
}

fn gauss(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let decay = (-b[1] * x).exp();
    let (mut f, mut slopes) = (b[0] * decay, vec![decay, -b[0] * x * decay]);
    for peak in b[2..].chunks(3) {
        let z = (x - peak[1]) / peak[2];
        let e = (-z * z).exp();
        f += peak[0] * e;
        let by_place = 2.0 * peak[0] * e * z / peak[2];
        slopes.extend([e, by_place, by_place * z]);
    }
    (f, slopes)
}

fn dan_wood(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let power = x.powf(b[1]);
    (b[0] * power, vec![power, b[0] * power * x.ln()])
}

fn eckerle4(x: f64, b: &[f64]) -> (f64, Vec<f64>) {
    let z = (x - b[2]) / b[1];
    let e = (-0.5 * z * z).exp() / b[1];
    let f = b[0] * e;
    (f, vec![e, f * (z * z - 1.0) / b[1], f * z / b[1]])
}

const CURVES: [(&str, Curve); 12] = [
    ("Misra1a", misra1a),
    ("Misra1c", misra1c),
    ("Chwirut2", chwirut),
    ("Lanczos3", lanczos),
    ("MGH17", mgh17),
    ("Rat42", rat42),
    ("ENSO", enso),
    ("Thurber", thurber),
    ("MGH09", mgh09),
    ("Gauss1", gauss),
    ("DanWood", dan_wood),
    ("Eckerle4", eckerle4),
];

fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("LOTKA_SHARED").map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1);
    let all = named
        .into_iter()
        .chain(above.map(|folder| folder.join("shared")));
    let mut folders = all.flat_map(|folder| [folder.join("data"), folder]);
    folders.find_map(|folder| Some(folder.join("timeseries/nist")).filter(|found| found.is_dir()))
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().expect("a list");
    all.iter().map(number).collect()
}

fn number(value: &Value) -> f64 {
    let text = value.as_str().map(|text| text.parse().expect("a number"));
    text.or(value.as_f64()).expect("a number")
}

fn read(folder: &Path, certified: &Value, name: &str, curve: Curve) -> Problem {
    let table = fs::read_to_string(folder.join(format!("{name}.csv"))).expect("the data");
    let rows = table.lines().skip(1).map(|line| {
        let (x, y) = line.split_once(',').expect("two columns");
        let parse = |cell: &str| cell.trim().parse::<f64>().expect("a number");
        (parse(x), parse(y))
    });
    let (x, y) = rows.unzip();
    let of = &certified[name];
    Problem {
        name: name.to_owned(),
        curve,
        x,
        y,
        starts: [numbers(&of["start1"]), numbers(&of["start2"])],
        certified: numbers(&of["certified"]),
        rss: number(&of["rss"]),
    }
}

/// Those small enough to stand here.
fn small_problems() -> [Problem; 3] {
    let range = |from: u32, step: usize, to: u32| -> Vec<f64> {
        (from..=to).step_by(step).map(f64::from).collect()
    };
    [
        Problem {
            name: "BoxBOD".to_owned(),
            curve: misra1a,
            x: vec![1.0, 2.0, 3.0, 5.0, 7.0, 10.0],
            y: vec![109.0, 149.0, 149.0, 191.0, 213.0, 224.0],
            starts: [vec![1.0, 1.0], vec![100.0, 0.75]],
            certified: vec![2.138_094_088_9e2, 5.472_374_854_2e-1],
            rss: 1.168_008_876_6e3,
        },
        Problem {
            name: "MGH10".to_owned(),
            curve: mgh10,
            x: range(50, 5, 125),
            y: vec![
                34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0,
                7030.0, 6005.0, 5147.0, 4427.0, 3820.0, 3307.0, 2872.0,
            ],
            starts: [vec![2.0, 400_000.0, 25_000.0], vec![0.02, 4000.0, 250.0]],
            certified: vec![5.609_636_471_0e-3, 6.181_346_346_3e3, 3.452_236_346_2e2],
            rss: 8.794_585_517_1e1,
        },
        Problem {
            name: "Rat43".to_owned(),
            curve: rat43,
            x: range(1, 1, 15),
            y: vec![
                16.08, 33.83, 65.80, 97.20, 191.55, 326.20, 386.87, 520.53, 590.03, 651.92, 724.93,
                699.56, 689.96, 637.56, 717.41,
            ],
            starts: [vec![100.0, 10.0, 1.0, 1.0], vec![700.0, 5.0, 0.75, 1.3]],
            certified: vec![
                6.996_415_127_0e2,
                5.277_125_302_5,
                7.596_293_832_9e-1,
                1.279_248_385_9,
            ],
            rss: 8.786_404_908_0e3,
        },
    ]
}

fn problems() -> Vec<Problem> {
    let mut all = Vec::from(small_problems());
    let Some(folder) = folder() else {
        println!("skipped in part: no shared data; name their folder in LOTKA_SHARED");
        return all;
    };
    let text = fs::read_to_string(folder.join("certified.json")).expect("the certified values");
    let certified: Value = serde_json::from_str(&text).expect("JSON");
    let read = CURVES.map(|(name, curve)| read(&folder, &certified, name, curve));
    all.extend(read);
    all
}

/// What is wrong with an end, if anything.
fn complaint(problem: &Problem, likelihood: Likelihood, start: &[f64]) -> Option<String> {
    let objective = Regression {
        problem,
        likelihood,
    };
    let bounds = Bounds::none(start.len());
    let found = search(&objective, &bounds, start, &Options::new(Method::Lm), 1);
    let pairs = found.point.iter().zip(&problem.certified);
    let error = pairs.map(|(found, certified)| (found / certified - 1.0).abs());
    let error = error.fold(0.0, f64::max);
    let rss = (objective.rss(&found.point) / problem.rss - 1.0).abs();
    let is_right = error < 1e-4 && rss < 1e-6 && matches!(found.end, End::Converged { .. });
    println!(
        "{} {likelihood:?} {start:?}: {:?} after {}, {error:.1e} {rss:.1e}",
        problem.name, found.end, found.iterations
    );
    (!is_right).then(|| {
        format!(
            "{} {likelihood:?} from {start:?}: {:?} at {:?} after {}, estimates {error:.1e}, RSS {rss:.1e}",
            problem.name, found.end, found.point, found.iterations
        )
    })
}

#[test]
fn certified_estimates_are_reached_from_both_starts() {
    let mut complaints = Vec::new();
    for problem in problems() {
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let sd = (problem.rss / problem.x.len() as f64).sqrt();
        for likelihood in [Likelihood::Known(sd), Likelihood::Profiled] {
            for start in &problem.starts {
                complaints.extend(complaint(&problem, likelihood, start));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
