//! Data in every shape, and fits of many kinds against numbers computed elsewhere.

use super::support::{self, Workplace};
use super::{close, estimates, fit, fits, performed};
use lotka::figure::Mark;
use lotka::session::Outcome;

const DECAY: &str = "param k = 0.1 in 0.01..1 log\nstate C = 10\nC' = -k*C\n";

/// A sentence with a table beside it, whose name stands for `@`.
fn with_table(table: &str, sentence: &str) -> (Workplace, String) {
    let workplace = Workplace::new();
    workplace.write("d.csv", table);
    let file = workplace.path().join("d.csv");
    let sentence = sentence.replace('@', &format!("\"{}\"", file.display()));
    (workplace, sentence)
}

#[test]
fn what_a_sentence_saves_a_later_one_fits() {
    let workplace = Workplace::new();
    workplace.write(
        "m.lotka",
        format!(
            "{DECAY}simulate 0..5 step 1 with k = 0.3\nsave C to \"made.csv\"\nfit to \"made.csv\"\n\
             plot C over \"made.csv\"\n"
        ),
    );
    let printed = support::lotka(workplace.path(), &["run", "m.lotka"], "");
    assert!(printed.status.success(), "{}", printed.both());
    assert!(printed.output.contains("6 data of C from made.csv"));
}

#[test]
fn tables_of_spreadsheets_are_read() {
    let plain = "time,C\n0.5,8.6\n1.5,6.4\n3,4.1\n";
    let (_place, sentence) = with_table(plain, "fit to @");
    let expected = fit(DECAY, &sentence).estimates[0];
    for table in [
        "\u{feff}time [h];C (mg/L)\r\n0,5;8,6\r\n1,5;6,4\r\n3;4,1\r\n;\r\n",
        "Time\tC[mg/L]\n0,5\t8,6\n1,5\t6,4\n3\t4,1\n",
        "t,observable,value\n0.5,C,8.6\n1.5,C,6.4\n2,D,77\n3,C,4.1\n",
    ] {
        let (_place, sentence) = with_table(table, "fit to @");
        let found = fit(DECAY, &sentence);
        assert_eq!(found.estimates, [expected], "{table}");
    }
    let long = "t,observable,value\n0.5,conc,8.6\n1.5,conc,6.4\n3,conc,4.1\n";
    let (_place, sentence) = with_table(long, "fit to @ (C = conc)");
    assert_eq!(fit(DECAY, &sentence).estimates, [expected]);
}

#[test]
fn limits_are_drawn_as_open_points() {
    let table = "time,C\n0.5,8.6\n1.5,NA\n3,4.1\n9,<1\n";
    let (_place, sentence) = with_table(table, "simulate 0..10\nplot C over @");
    let model = format!("{DECAY}simulate 0..10\n");
    let found = performed(&model, &sentence.replace('\n', "; ")).expect("a plot");
    let Outcome::Figure { figure, .. } = found.outcome else {
        panic!("a figure");
    };
    let of = |mark: Mark| {
        let mut series = figure.series.iter();
        let found = series.find(|series| series.mark == mark).expect("a series");
        (found.x.clone(), found.y.clone())
    };
    assert_eq!(of(Mark::Points), (vec![0.5, 3.0], vec![8.6, 4.1]));
    assert_eq!(of(Mark::Open), (vec![9.0], vec![1.0]));
}

#[test]
fn what_is_held_is_named() {
    let (_place, sentence) = with_table("time,C\n1,8.6\n2,6.4\n3,4.1\n", "fit to @");
    let model = "param k = 0.1 in 0..1, F = 2, G = 2*F, off = 0\nstate C = 5*F\nC' = -k*C*G/4*(1 - off)\n\
                 condition stopped { off = 1 }";
    let answer = fit(model, &sentence);
    assert_eq!(answer.held, [("F".to_owned(), Some(2.0))]);
    let named = fit(model, &sentence.replace("fit to", "fit k to"));
    assert_eq!(named.held, []);
}

#[test]
fn as_many_data_as_estimates_give_no_errors() {
    let (_place, sentence) = with_table("time,C\n1,3\n", "fit k to @");
    let answer = fit("param k = 0.3\nstate C = 4\nC' = -k*C\n", &sentence);
    close("k", answer.estimates[0], (4.0_f64 / 3.0).ln(), 1e-9);
    assert!(answer.is_exact && answer.has_converged());
    assert!(answer.errors[0].is_nan());
}

#[test]
fn a_covariate_of_a_subject_may_stand_in_a_row_without_data() {
    let table = "subject,time,C,dose\n1,0,,10\n1,1,7.4,\n1,2,5.5,\n2,0,NA,20\n2,1,14.8,\n2,2,11,\n";
    let (_place, sentence) = with_table(table, "fit k to @");
    let model = "param k = 0.1\ncovariate dose by subject\nstate C = dose\nC' = -k*C\n";
    let answer = fit(model, &sentence);
    // scipy.optimize.least_squares of both curves at once.
    close("k", answer.estimates[0], 0.299_601_778_4, 1e-6);
    let doses: Vec<f64> = (answer.runs.iter())
        .map(|run| run.data.constants[0].1)
        .collect();
    assert_eq!(doses, [10.0, 20.0]);
}

/// C. I. Bliss (1935): beetles that died of so much carbon disulphide, by logistic regression; a
/// statsmodels GLM of the binomial family.
#[test]
fn dose_and_mortality() {
    let table = "dose,of,dead\n1.69,59,6\n1.72,60,13\n1.755,62,18\n1.784,56,28\n1.811,63,52\n\
                 1.837,59,53\n1.861,62,61\n1.884,60,60\n";
    let (_place, sentence) = with_table(table, "fit a, b to @");
    let model = "param a = -50, b = 30\ncovariate dose, of\nlet p = 1/(1 + exp(-(a + b*dose)))\n\
                 observe dead ~ binomial(of, p)";
    let answer = fit(model, &sentence);
    estimates(&answer, &[-59.434_002, 33.562_907_4]);
    close("error of a", answer.errors[0], 5.057_263, 1e-3);
    close("error of b", answer.errors[1], 2.843_333, 1e-3);
    close(
        "log-likelihood",
        answer.log_likelihood,
        -19.211_217_05,
        1e-8,
    );
}

/// Ricker's map seen with lognormal errors; least squares of logarithms by SciPy.
#[test]
fn a_map_of_growth() {
    let table = "n,N\n0,5.04749\n1,10.4156\n2,21.3971\n3,36.1286\n4,71.707\n5,91.4252\n6,94.7563\n\
                 7,103.109\n8,101.25\n";
    let (_place, sentence) = with_table(table, "fit r, K, N, s to @");
    let model = "param r = 0.5, K = 80, s = 0.2 in 0.001..5 log\nstate N = 8\n\
                 next N = N*exp(r*(1 - N/K))\nobserve N ~ lognormal(N, s)";
    estimates(
        &fit(model, &sentence),
        &[0.794_154_2, 103.428, 4.915_182_5, 0.052_584_88],
    );
}

/// An infusion whose last concentrations are below the limit of quantification; maximum of the
/// likelihood with those probabilities by SciPy. A column `cens` says the same.
#[test]
fn an_infusion_below_quantification() {
    let model = "param k = 0.3 in 0.01..5 log, V = 8 in 0.5..50 log, s = 1 in 0.01..10 log\n\
                 state A = 0\nA' = -k*A\nlet conc = A/V\ndose 50 into A at 0 over 1\n\
                 observe conc ~ normal(conc, s)";
    let rows = [
        (0.5, "4.60211"),
        (1.0, "8.13674"),
        (1.5, "6.22494"),
        (2.0, "4.52756"),
        (3.0, "3.11448"),
        (4.0, "1.60547"),
        (6.0, "<1.0"),
        (8.0, "<1.0"),
        (10.0, "<1.0"),
    ];
    let marked = rows.map(|(time, cell)| format!("{time},{cell}"));
    let flagged = rows.map(|(time, cell)| match cell.strip_prefix('<') {
        Some(limit) => format!("{time},{limit},1"),
        None => format!("{time},{cell},0"),
    });
    for (header, rows) in [("time,conc", marked), ("time,conc,cens", flagged)] {
        let table = format!("{header}\n{}\n", rows.join("\n"));
        let (_place, sentence) = with_table(&table, "fit to @ starts 5");
        let answers = fits(model, &sentence);
        estimates(&answers[0], &[0.524_953_09, 4.809_180_6, 0.160_147_45]);
    }
}

/// Hill's curve through a dose of 0, where the slope by the dose has no end for h below 1; least squares
/// by SciPy. Also where a search begins: at the values that the sentence gives.
#[test]
fn a_curve_through_dose_zero() {
    let table = "dose,y\n0,1.03576\n0.1,9.01408\n0.3,20.7786\n1,50.4151\n3,77.7488\n10,93.6692\n\
                 100,99.6277\n";
    let (_place, sentence) = with_table(table, "fit b, top, e, h to @");
    let model = "param b = 1, top = 90, e = 2, h = 1\ncovariate dose\n\
                 let y = b + (top - b)*dose^h/(e^h + dose^h)";
    for (given, start) in [("", 1.0), (" with h = 0.6", 0.6)] {
        let answer = fit(model, &format!("{sentence}{given}"));
        assert_eq!(answer.fitted[3].start, start);
        estimates(&answer, &[1.475_590, 100.388_624, 1.021_511, 1.129_791_7]);
        close("RSS", answer.squares.expect("squares"), 1.315_806_045, 1e-6);
    }
}
