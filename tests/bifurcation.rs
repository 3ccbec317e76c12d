//! Bifurcations of the models in `models/bifurcation/` against numbers that this project did not
//! make: exact solutions, and points refined to 30 digits by an independent solve of their defining
//! equations. The key numbers stand here; the whole collection is read from the folder of shared
//! data when it is there (named by `LOTKA_SHARED`, else looked for beside and above the project).

mod support;

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use support::{Workplace, lotka, root};

/// What refined and exact points allow, relative.
const REFINED: f64 = 1e-6;

/// A point that a diagram must have.
#[derive(Debug)]
struct Expected {
    kind: &'static str,
    parameter: f64,
    state: Vec<f64>,
    /// |fold coefficient|, or the first Lyapunov coefficient in the convention of MatCont.
    coefficient: Option<f64>,
    /// Angular frequency.
    frequency: Option<f64>,
}

fn point(kind: &'static str, parameter: f64, state: &[f64]) -> Expected {
    Expected {
        kind,
        parameter,
        state: state.to_vec(),
        coefficient: None,
        frequency: None,
    }
}

impl Expected {
    fn coefficient(mut self, value: f64) -> Expected {
        self.coefficient = Some(value);
        self
    }

    fn frequency(mut self, value: f64) -> Expected {
        self.frequency = Some(value);
        self
    }
}

/// What `lotka continue` answers as JSON.
fn continued(workplace: &Workplace, arguments: &[&str]) -> Value {
    let mut all = vec!["continue"];
    all.extend(arguments);
    all.extend(["--format", "json"]);
    let printed = lotka(workplace.path(), &all, "");
    serde_json::from_str(&printed.output)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}", printed.both()))
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().into_iter().flatten();
    list.map(|number| number.as_f64().unwrap_or(f64::NAN))
        .collect()
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * b.abs().max(1e-3)
}

/// How a found point differs from an expected one; `None` when it does not.
fn difference(found: &Value, expected: &Expected, tolerance: f64) -> Option<String> {
    let parameter = found["parameter"].as_f64().unwrap_or(f64::NAN);
    if !close(parameter, expected.parameter, tolerance) {
        return Some(format!("the parameter is {parameter}"));
    }
    let state = numbers(&found["state"]);
    let pairs = state.iter().zip(&expected.state);
    if state.len() != expected.state.len() || !pairs.clone().all(|(a, b)| close(*a, *b, tolerance))
    {
        return Some(format!("the state is {state:?}"));
    }
    let coefficient = found["coefficient"].as_f64();
    if let Some(wanted) = expected.coefficient {
        let value = coefficient.unwrap_or(f64::NAN);
        // The sign of a fold coefficient hangs on the direction of the eigenvector.
        let value = if expected.kind == "LP" {
            value.abs()
        } else {
            value
        };
        if (value - wanted).abs() > tolerance * wanted.abs() || value.is_nan() {
            return Some(format!("the coefficient is {value}"));
        }
    }
    if let Some(wanted) = expected.frequency {
        let frequency = std::f64::consts::TAU / found["period"].as_f64().unwrap_or(f64::NAN);
        if !close(frequency, wanted, tolerance) {
            return Some(format!("the frequency is {frequency}"));
        }
    }
    None
}

/// The faults of a diagram: expected points that no point of it agrees with.
fn faults(name: &str, diagram: &Value, expected: &[Expected], tolerance: f64) -> Vec<String> {
    let points = diagram["points"].as_array().cloned().unwrap_or_default();
    let mut faults = Vec::new();
    for wanted in expected {
        let same = points.iter().filter(|found| found["kind"] == wanted.kind);
        let differences: Vec<Option<String>> = same
            .map(|found| difference(found, wanted, tolerance))
            .collect();
        if !differences.contains(&None) {
            faults.push(format!("{name}: {wanted:?}: found {differences:?}"));
        }
    }
    faults
}

/// A model of the folder with a parameter, further arguments and the points it must have.
struct Case {
    model: &'static str,
    parameter: &'static str,
    arguments: &'static [&'static str],
    points: Vec<Expected>,
}

/// The key numbers. Exact ones follow from the equations; refined ones are an independent
/// 30-digit Newton solve of the defining equations.
fn cases() -> Vec<Case> {
    let third = 1.0 / 3.0_f64.sqrt();
    let case = |model, parameter, points| Case {
        model,
        parameter,
        arguments: &[],
        points,
    };
    let v = (1.0_f64 - 0.064).sqrt();
    let fitzhugh = |sign: f64| {
        let (v, w) = (sign * v, (sign * v + 0.7) / 0.8);
        point("H", w - v + v.powi(3) / 3.0, &[v, w])
    };
    vec![
        // Normal forms: x' = r + x², r x - x³, r x - x².
        case(
            "saddle_node",
            "r",
            vec![point("LP", 0.0, &[0.0]).coefficient(1.0)],
        ),
        case("pitchfork", "r", vec![point("BP", 0.0, &[0.0])]),
        case("transcritical", "r", vec![point("BP", 0.0, &[0.0])]),
        // 2 a b = 1 at x = 1, y = a.
        case("griffith", "a", vec![point("LP", 0.5, &[1.0, 0.5])]),
        Case {
            model: "griffith",
            parameter: "a",
            arguments: &["0.1..0.4", "--with", "b=2", "--with", "a=0.1"],
            points: vec![point("LP", 0.25, &[1.0, 0.25])],
        },
        // B = 1 + A², frequency A; l1 = -1/2 at A = 1 and -1/3 at A = 2.
        case(
            "brusselator",
            "B",
            vec![
                point("H", 2.0, &[1.0, 2.0])
                    .coefficient(-0.5)
                    .frequency(1.0),
            ],
        ),
        Case {
            model: "brusselator",
            parameter: "B",
            arguments: &["2..8", "--with", "A=2"],
            points: vec![
                point("H", 5.0, &[2.0, 2.5])
                    .coefficient(-1.0 / 3.0)
                    .frequency(2.0),
            ],
        },
        // 27 mu² = 4.
        case(
            "cusp",
            "mu",
            vec![
                point("LP", 2.0 * third / 3.0, &[-third]),
                point("LP", -2.0 * third / 3.0, &[third]),
            ],
        ),
        // rho = sigma (sigma + beta + 3)/(sigma - beta - 1).
        case(
            "lorenz",
            "rho",
            vec![
                point("BP", 1.0, &[0.0; 3]),
                point(
                    "H",
                    470.0 / 19.0,
                    &[
                        7.956_019_457_871_825,
                        7.956_019_457_871_825,
                        23.736_842_105_263_158,
                    ],
                )
                .coefficient(0.002_555_495_334)
                .frequency(9.624_530_063_715_8),
            ],
        ),
        Case {
            model: "ab",
            parameter: "D",
            arguments: &["--with", "B=14"],
            points: vec![
                point(
                    "H",
                    0.165_042_045_323_561,
                    &[0.405_955_372_117_471_4, 1.420_843_802_411_15],
                )
                .coefficient(1.590_811_466)
                .frequency(1.024_756_375_405_3),
            ],
        },
        case(
            "ab",
            "D",
            vec![
                point(
                    "H",
                    0.111_153_484_189_864_2,
                    &[0.301_790_868_731_665_4, 1.358_058_909_292_495],
                )
                .coefficient(7.326_786_31)
                .frequency(0.544_708_097_525_58),
                point("LP", 0.111_565_080_074_214_9, &[1.0 / 3.0, 1.5]).coefficient(1.952_374_12),
                point("LP", 0.099_574_136_735_727_89, &[2.0 / 3.0, 3.0])
                    .coefficient(0.390_474_824_1),
                point(
                    "H",
                    0.183_834_607_985_987_4,
                    &[0.920_431_353_490_556_8, 4.141_941_090_707_505],
                )
                .coefficient(-2.400_377_107)
                .frequency(5.805_453_736_659_2),
            ],
        ),
        case(
            "plp",
            "rho",
            vec![
                point(
                    "H",
                    3.499_953_827_986_905,
                    &[27.964_698_731_197_49, 89.823_493_655_987_44],
                )
                .coefficient(0.000_250_308_766)
                .frequency(0.831_044_876_655_03),
                point(
                    "H",
                    4.650_457_812_602_7,
                    &[22.366_923_755_594_55, 61.834_618_777_972_75],
                )
                .coefficient(0.000_301_861_303_1)
                .frequency(1.045_836_336_623_3),
            ],
        ),
        // The branch points are exact; the Hopf point lies on a branch that crosses.
        case(
            "pp2",
            "quota",
            vec![
                point("BP", 0.6, &[0.0, 0.0]),
                point(
                    "BP",
                    2.0 / (3.0 * (1.0 - (-5.0_f64 / 3.0).exp())),
                    &[1.0 / 3.0, 0.0],
                ),
                point(
                    "LP",
                    0.832_929_322_234_156_9,
                    &[0.411_161_560_751_072_5, 0.0],
                )
                .coefficient(1.667_423_411),
                point(
                    "H",
                    0.671_593_847_478_831_8,
                    &[1.0 / 3.0, 0.365_761_535_977_190_5],
                )
                .coefficient(-0.429_274_788)
                .frequency(0.604_782_221_942_07),
            ],
        ),
        case(
            "fhn",
            "a",
            vec![
                point(
                    "H",
                    0.422_817_629_424_160_9,
                    &[0.954_521_404_218_423_5, -0.664_629_718_492_828_2],
                )
                .coefficient(0.768_660_287_1)
                .frequency(0.963_788_819_653_4),
            ],
        ),
        // The trace vanishes: v = ±sqrt(1 - eps b).
        case("fitzhugh_nagumo", "I", vec![fitzhugh(-1.0), fitzhugh(1.0)]),
        case(
            "co_oxidation",
            "q2",
            vec![
                point(
                    "H",
                    1.051_557_462_457_73,
                    &[
                        0.016_357_543_040_156_48,
                        0.523_971_184_590_407_4,
                        0.328_336_623_121_025_8,
                    ],
                )
                .coefficient(10.701_019_63)
                .frequency(0.050_740_344_896_786),
                point(
                    "LP",
                    1.042_048_505_378_527,
                    &[
                        0.024_716_444_911_453_51,
                        0.450_260_037_155_446_8,
                        0.375_016_798_523_642_7,
                    ],
                )
                .coefficient(0.116_659_346_9),
                point(
                    "LP",
                    1.052_200_287_869_955,
                    &[
                        0.054_029_415_071_275_15,
                        0.302_241_440_040_017_7,
                        0.459_806_532_063_362_3,
                    ],
                )
                .coefficient(0.134_650_516_1),
                point(
                    "H",
                    1.040_991_569_532_616,
                    &[
                        0.077_927_770_598_853_55,
                        0.233_064_930_129_733_7,
                        0.492_148_070_908_152,
                    ],
                )
                .coefficient(4.331_378_978)
                .frequency(0.059_106_147_935_775),
            ],
        ),
        // The origin: frequency sqrt(beta) at alpha = 1/beta.
        case(
            "lure",
            "alpha",
            vec![point("H", 1.0, &[0.0; 3]).coefficient(-0.3).frequency(1.0)],
        ),
    ]
}

#[test]
fn the_models_have_their_bifurcations() {
    let workplace = Workplace::new();
    let mut found = Vec::new();
    for case in cases() {
        let file = format!("models/bifurcation/{}.lotka", case.model);
        let mut arguments = vec![file.as_str(), case.parameter];
        arguments.extend(case.arguments);
        let diagram = continued(&workplace, &arguments);
        found.extend(faults(case.model, &diagram, &case.points, REFINED));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The collection of references, when it is there.
fn references() -> Option<Value> {
    let stated = std::env::var_os("LOTKA_SHARED").map(PathBuf::from);
    let above = root();
    let around = above
        .ancestors()
        .skip(1)
        .map(|folder| folder.join("shared"));
    let places = stated.into_iter().chain(around);
    let files = places.flat_map(|folder| {
        [
            "data/bifurcation/references.json",
            "bifurcation/references.json",
        ]
        .map(|file| folder.join(file))
    });
    let file = files.into_iter().find(|file| file.is_file())?;
    let text = fs::read_to_string(file).expect("the references");
    Some(serde_json::from_str(&text).expect("JSON"))
}

/// A number that a reference gives as text; `None` for a formula.
fn number(value: &Value) -> Option<f64> {
    value.as_str()?.parse().ok()
}

/// A point of a reference as far as it is given in numbers.
fn expected(reference: &Value, free: &str) -> Option<Expected> {
    let kind = ["LP", "BP", "H"]
        .into_iter()
        .find(|kind| reference["kind"] == *kind)?;
    let state: Option<Vec<f64>> = reference["state"].as_array()?.iter().map(number).collect();
    Some(Expected {
        kind,
        parameter: number(&reference[free])?,
        state: state?,
        coefficient: number(&reference[if kind == "LP" { "a_abs" } else { "l1_half_Re" }]),
        frequency: number(&reference["omega"]),
    })
}

#[test]
fn every_reference_is_met() {
    let Some(references) = references() else {
        println!("skipped: no shared data; name their folder in LOTKA_SHARED");
        return;
    };
    let workplace = Workplace::new();
    let (mut faults_found, mut met) = (Vec::new(), 0);
    for (name, model) in references["models"].as_object().into_iter().flatten() {
        let file = format!("models/bifurcation/{name}.lotka");
        let free = model["free"].as_str().expect("a parameter");
        for reference in model["points"].as_array().into_iter().flatten() {
            let Some(wanted) = expected(reference, free) else {
                continue;
            };
            let second = model["second"].as_str().unwrap_or_default();
            let with = number(&reference[second]).map(|value| format!("{second}={value}"));
            let mut arguments = vec![file.as_str(), free];
            if let Some(with) = &with {
                arguments.extend(["--with", with]);
            }
            let diagram = continued(&workplace, &arguments);
            let tolerance = match reference["quality"].as_str() {
                Some("printed") => 2e-4,
                _ => REFINED,
            };
            faults_found.extend(faults(name, &diagram, &[wanted], tolerance));
            met += 1;
        }
    }
    assert!(faults_found.is_empty(), "{}", faults_found.join("\n"));
    assert!(met >= 20, "only {met} points are given in numbers");
}

/// Kuznetsov, Elements of Applied Bifurcation Theory (2004), (4.9): the cubic coefficient of a
/// period doubling is f''^2/4 + f'''/6, here 36/4.
#[test]
fn the_logistic_map_doubles_its_period() {
    let workplace = Workplace::new();
    let file = "models/logistic_map.lotka";
    let fixed = continued(&workplace, &[file, "r", "0.5..3.9"]);
    let mut found = faults(
        "fixed points",
        &fixed,
        &[
            point("PD", 3.0, &[2.0 / 3.0]).coefficient(9.0),
            point("ALT", 2.0, &[0.5]),
        ],
        1e-8,
    );
    // The orbit born there doubles in its turn at 1 + sqrt(6) (May 1976).
    let second = continued(&workplace, &[file, "r", "3.1..3.9", "--period", "2"]);
    let doubling = second["points"].as_array().into_iter().flatten();
    let doublings: Vec<f64> = doubling
        .filter(|point| point["kind"] == "PD")
        .filter_map(|point| point["parameter"].as_f64())
        .collect();
    match doublings.as_slice() {
        [at] if close(*at, 1.0 + 6.0_f64.sqrt(), 1e-8) => {}
        other => found.push(format!("period 2: doublings at {other:?}")),
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Each step multiplies w by 1 - eta*h. The map is linear: no cubic term decides what is born.
#[test]
fn plain_gradient_descent_doubles_its_period_at_two() {
    let workplace = Workplace::new();
    let file = "models/gradient_descent.lotka";
    let diagram = continued(&workplace, &[file, "eta", "0.1..3", "--in", "plain"]);
    let wanted = [point("PD", 2.0, &[0.0, 0.0]).coefficient(0.0)];
    let found = faults("plain", &diagram, &wanted, 1e-8);
    assert!(found.is_empty(), "{}", found.join("\n"));
    let doubling = diagram["points"].as_array().into_iter().flatten();
    for point in doubling.filter(|point| point["kind"] == "PD") {
        assert!(point["supercritical"].is_null(), "{point}");
    }
}

/// u = -3 for every p, and the circle u^2 + p^2 = 1, which no branch reaches from there.
#[test]
fn all_finds_the_branch_that_is_closed() {
    let workplace = Workplace::new();
    workplace.write(
        "isola.lotka",
        "param p = 0.3 in -2..2\nstate u = -3 in -5..5\nu' = (u + 3)*(1 - u^2 - p^2)",
    );
    let alone = continued(&workplace, &["isola.lotka", "p"]);
    assert_eq!(alone["branches"].as_array().map(Vec::len), Some(1));
    let all = continued(&workplace, &["isola.lotka", "p", "--all"]);
    let branches = all["branches"].as_array().cloned().unwrap_or_default();
    assert_eq!(branches.len(), 2);
    assert_eq!(branches[1]["ends"], serde_json::json!(["closed", "closed"]));
    let folds = [point("LP", 1.0, &[0.0]), point("LP", -1.0, &[0.0])];
    let found = faults("isola", &all, &folds, REFINED);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Of a map, too: every fixed point begins a branch.
#[test]
fn all_finds_the_fixed_points_of_a_map() {
    let workplace = Workplace::new();
    workplace.write(
        "henon.lotka",
        "param a = 1 in -1..2, b = 0.3\nstate x = 0, y = 0\nnext x = 1 + y - a*x^2\nnext y = b*x",
    );
    let all = continued(&workplace, &["henon.lotka", "a", "--all"]);
    assert_eq!(all["branches"].as_array().map(Vec::len), Some(2));
    let folds = all["points"].as_array().into_iter().flatten();
    let folds: Vec<f64> = folds
        .filter(|point| point["kind"] == "LP")
        .filter_map(|point| point["parameter"].as_f64())
        .collect();
    // 1 + y - a*x^2 = x with y = b*x has one root at a = -(1 - b)^2/4; b = 0.3.
    assert!(
        matches!(folds.as_slice(), [at] if close(*at, -0.49 / 4.0, 1e-8)),
        "{folds:?}"
    );
}

/// A start at the very point where branches cross: it is said, and both are followed.
#[test]
fn a_start_at_a_crossing_is_a_branch_point() {
    let workplace = Workplace::new();
    let models = [("pitchfork", "r*x - x^3"), ("transcritical", "r*x - x^2")];
    for (kind, right) in models {
        let text = format!("param r = 0 in -1..1\nstate x = 0\nx' = {right}");
        workplace.write("start.lotka", text);
        let diagram = continued(&workplace, &["start.lotka", "r"]);
        let found = faults(kind, &diagram, &[point("BP", 0.0, &[0.0])], REFINED);
        assert!(found.is_empty(), "{}", found.join("\n"));
        assert_eq!(diagram["points"][0]["crossing"], kind);
        for branch in diagram["branches"].as_array().into_iter().flatten() {
            assert_eq!(branch["special"].as_array().map(Vec::len), Some(1));
        }
    }
}

/// Where a second eigenvalue is zero, a coefficient would be a quotient of round-off. Bogdanov's normal
/// form at 0; Rössler's system with a = b, whose fold at c = 2a has the eigenvalues 0 and ±i sqrt(2 - a²)
/// and one place for both.
#[test]
fn doubly_degenerate_points_have_no_coefficient() {
    let workplace = Workplace::new();
    workplace.write(
        "bt.lotka",
        "param m = -1 in -2..1\nstate x = 1, y = 0\nx' = y\ny' = m + x^2 + x*y",
    );
    let diagram = continued(&workplace, &["bt.lotka", "m"]);
    let fold = &diagram["points"][0];
    assert_eq!(fold["kind"], "LP");
    assert!(fold["coefficient"].is_null(), "{fold}");
    workplace.write(
        "rossler.lotka",
        "param a = 0.2, c = 5.7 in 0.2..6\nstate x = 0, y = 0, z = 0\nx' = -y - z\ny' = x + a*y\nz' = a + z*(x - c)",
    );
    let diagram = continued(&workplace, &["rossler.lotka", "c"]);
    let points = diagram["points"].as_array().into_iter().flatten();
    let hopf: Vec<&Value> = points.filter(|point| point["kind"] == "H").collect();
    assert!(
        hopf.iter()
            .all(|point| point["coefficient"].is_null() && point["supercritical"].is_null()),
        "{hopf:?}"
    );
}
