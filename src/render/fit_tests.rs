//! Fits as text, JSON, figures and pages, from tiny data.

use super::{fit_json, fit_page, outcome};
use crate::diagnostic::{Code, Diagnostic};
use crate::figure::{Figure, Mark};
use crate::session::fit::Inferred;
use crate::session::{Compiled, Outcome, Session, check_text};
use crate::source::SourceId;
use crate::world::World;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Files in memory; keeps what is written.
pub(super) struct Desk {
    files: Vec<(&'static str, &'static str)>,
    pub(super) written: Mutex<Vec<(PathBuf, String)>>,
}

impl World for Desk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let known = self.files.iter().find(|(name, _)| Path::new(name) == path);
        known
            .map(|(_, text)| text.as_bytes().to_vec())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        // The stamp beside a table has tests of its own.
        if path.to_string_lossy().ends_with(".stamp.json") {
            return Ok(());
        }
        let text = String::from_utf8_lossy(content).into_owned();
        self.written
            .lock()
            .expect("not poisoned")
            .push((path.to_owned(), text));
        Ok(())
    }

    fn cpu_time(&self) -> Duration {
        Duration::ZERO
    }

    fn interrupted(&self) -> bool {
        false
    }
}

pub(super) const DECAY: &str =
    "model decay\n# x < 1 & \"small\"\nparam k = 0.5 in 0.1..2\nstate x = 10 in 1..20\nx' = -k*x\n";
/// 8 exp(-0.7 t), rounded to two digits after adding 0.1, -0.1, ...
const DATA: &str = "time,x\n0,8.1\n1,3.87\n2,2.07\n3,0.88\n4,0.59\n5,0.14\n";
const SUBJECTS: &str = "subject,time,x\nA,0,8.1\nA,1,3.87\nA,2,2.07\nB,0,4.1\nB,1,2.43\nB,2,1.47\n";
/// A regression with counts and a limit of quantification.
pub(super) const LINE: &str = "param a = 1\nparam b = 1\nparam s = 0.5 in 0.01..10\ncovariate u\nobserve v ~ normal(a + b*u, s)\nobserve n ~ poisson(exp(a))\n";
const LINE_DATA: &str = "u,v,n\n0,<0.9,2\n1,2.1,3\n2,2.9,1\n3,4.2,4\n4,5.1,2\n";

const SLOW: &str = "time,x\n0.5,0.80\n1,0.59\n1.5,0.48\n2,0.37\n3,0.21\n4,0.14\n";
const STRAIGHT: &str = "u,v\n1,2.1\n2,2.9\n3,4.2\n4,5.1\n5,5.6\n";

pub(super) fn session(model: &str) -> (Session, Arc<Desk>) {
    let desk = Arc::new(Desk {
        files: vec![
            ("data.csv", DATA),
            ("subjects.csv", SUBJECTS),
            ("line.csv", LINE_DATA),
            ("straight.csv", STRAIGHT),
            ("slow.csv", SLOW),
        ],
        written: Mutex::default(),
    });
    let mut session = Session::new(Arc::<Desk>::clone(&desk));
    let source = session.sources.add("model.lotka", model);
    assert_eq!(source, SourceId(0));
    let checked = check_text(source, model);
    let problems = checked.diagnostics;
    let model = checked.model.unwrap_or_else(|| panic!("{problems:#?}"));
    session.install(PathBuf::from("model.lotka"), Compiled::new(model));
    (session, desk)
}

pub(super) fn said(session: &mut Session, line: &str) -> Result<Outcome, Vec<Diagnostic>> {
    let commands = session.understand(line)?;
    let mut last = Outcome::Quit;
    for command in &commands {
        last = session.perform(command, &mut ())?.outcome;
    }
    Ok(last)
}

pub(super) fn fine(session: &mut Session, line: &str) -> Outcome {
    said(session, line).unwrap_or_else(|problems| panic!("{line}: {problems:#?}"))
}

pub(super) fn refused(session: &mut Session, line: &str) -> (Code, String) {
    let problems = said(session, line).expect_err(line);
    (problems[0].code, problems[0].message.clone())
}

pub(super) fn panels(outcome: Outcome) -> Vec<Figure> {
    match outcome {
        Outcome::Figure { figure, .. } => vec![figure],
        Outcome::Sheet { sheet, .. } => sheet.panels,
        other => panic!("no picture: {other:?}"),
    }
}

/// The JSON with six digits of each number, so that it is the same on all machines.
fn rounded(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            let text = super::table::number(number, 5);
            text.parse::<f64>().map_or(Value::Null, Value::from)
        }
        Value::Array(items) => items.into_iter().map(rounded).collect(),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, one)| (key, rounded(one)))
                .collect(),
        ),
        other => other,
    }
}

pub(super) const FIT: &str = "fit k, x to \"data.csv\" starts 3";

#[test]
fn a_fit_in_words() {
    let (mut session, _) = session(DECAY);
    let outcome = fine(&mut session, FIT);
    insta::assert_snapshot!(outcome::text(&outcome, 80), @r#"
    least squares: 6 data of x from data.csv

          estimate  std. error  rel. %  95 % interval
    ────  ────────  ──────────  ──────  ────────────────────
    k     0.711322  0.0194086   2.73    0.657435 to 0.765209
    x(0)  8.07777   0.112143    1.39    7.76641  to 8.38913

    residual sum of squares 0.053297335, residual sd 0.115431 (4 degrees of
      freedom); log-likelihood 5.65725406, AIC -5.31451, BIC -5.93923
    lm converged (less than 1e-9 of log-likelihood left to gain) after 6 iterations;
      3 of 3 starts reached this optimum (seed 1)
    "#);
    insta::assert_snapshot!(outcome::text(&outcome, 40), @r#"
    least squares: 6 data of x from data.csv

          estimate  std. error
    ────  ────────  ──────────
    k     0.711322  0.0194086
    x(0)  8.07777   0.112143

          95 % interval
    ────  ────────────────────
    k     0.657435 to 0.765209
    x(0)  7.76641  to 8.38913

    residual sum of squares 0.053297335,
      residual sd 0.115431 (4 degrees of
      freedom); log-likelihood 5.65725406,
      AIC -5.31451, BIC -5.93923
    lm converged (less than 1e-9 of
      log-likelihood left to gain) after 6
      iterations; 3 of 3 starts reached this
      optimum (seed 1)
    "#);
}

#[test]
fn fits_of_subjects_in_words() {
    let (mut session, _) = session(DECAY);
    let outcome = fine(
        &mut session,
        "fit k, x to \"subjects.csv\" by subject starts 1",
    );
    insta::assert_snapshot!(outcome::text(&outcome, 80), @r#"
    2 fits to subjects.csv

    subject  k         ±           x(0)     ±                RSS  log-likelihood
    ───────  ────────  ──────────  ───────  ─────────  ─────────  ──────────────
    A        0.707749  0.0314772   8.07335  0.154092   0.0244546         2.95751
    B        0.51635   0.00582962  4.09583  0.0182169  0.0003492         9.33086
    "#);
    insta::assert_snapshot!(outcome::text(&outcome, 40), @r#"
    2 fits to subjects.csv

    subject  k         ±
    ───────  ────────  ──────────
    A        0.707749  0.0314772
    B        0.51635   0.00582962

    subject  x(0)     ±                RSS
    ───────  ───────  ─────────  ─────────
    A        8.07335  0.154092   0.0244546
    B        4.09583  0.0182169  0.0003492

    subject  log-likelihood
    ───────  ──────────────
    A               2.95751
    B               9.33086
    "#);
}

#[test]
fn a_fit_as_json() {
    let (mut session, _) = session(DECAY);
    let Outcome::Fitted(answers) = fine(&mut session, "fit k to \"data.csv\" starts 1") else {
        panic!("no fit");
    };
    let json = fit_json::fits(&answers, &Inferred::default());
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let pretty = serde_json::to_string_pretty(&rounded(value)).expect("JSON");
    insta::assert_snapshot!(pretty, @r#"
    {
      "aic": 18.452,
      "as_good": 0,
      "bic": 18.035,
      "bootstrap": null,
      "converged": true,
      "correlation": [
        [
          1.0
        ]
      ],
      "count": 6,
      "end": "converged",
      "estimates": [
        {
          "estimate": 0.85729,
          "high": 1.224,
          "low": 0.49052,
          "lower": 0.1,
          "name": "k",
          "prior": null,
          "scale": "linear",
          "standing": "determined",
          "start": 0.5,
          "std_error": 0.14268,
          "unit": null,
          "upper": 2.0
        }
      ],
      "file": "data.csv",
      "held": [],
      "iterations": 7,
      "left_out": 0,
      "level": 0.95,
      "likelihood_by": "runs",
      "log_likelihood": -7.2259,
      "log_prior": 0.0,
      "method": "lm",
      "model": "decay",
      "objective": "least_squares",
      "posterior": null,
      "profiles": null,
      "reached": 1,
      "residual_sd": 0.88386,
      "residuals": [
        {
          "autocorrelation": 0.19412,
          "data": [
            {
              "fitted": 10.0,
              "run": 0,
              "score": -2.1497,
              "seen": 8.1,
              "time": 0.0
            },
            {
              "fitted": 4.2431,
              "run": 0,
              "score": -0.42214,
              "seen": 3.87,
              "time": 1.0
            },
            {
              "fitted": 1.8004,
              "run": 0,
              "score": 0.30502,
              "seen": 2.07,
              "time": 2.0
            },
            {
              "fitted": 0.76393,
              "run": 0,
              "score": 0.13132,
              "seen": 0.88,
              "time": 3.0
            },
            {
              "fitted": 0.32415,
              "run": 0,
              "score": 0.30079,
              "seen": 0.59,
              "time": 4.0
            },
            {
              "fitted": 0.13754,
              "run": 0,
              "score": 0.0027846,
              "seen": 0.14,
              "time": 5.0
            }
          ],
          "family": null,
          "name": "x",
          "normality_p": 0.011716,
          "runs_p": 0.26667,
          "unit": null
        }
      ],
      "rss": 3.9061,
      "runs": [
        {
          "condition": null,
          "subject": null
        }
      ],
      "schema": "lotka-fit-1",
      "searches": [
        {
          "end": "converged",
          "estimates": [
            0.85729
          ],
          "iterations": 7,
          "start": 0,
          "value": 7.2259
        }
      ],
      "seed": 1,
      "starts": 1,
      "subject": null,
      "undetermined": [],
      "within": []
    }
    "#);
}

#[test]
fn json_of_subjects_is_a_list() {
    let (mut session, _) = session(DECAY);
    let Outcome::Fitted(answers) = fine(&mut session, "fit k, x to \"subjects.csv\" by subject")
    else {
        panic!("no fit");
    };
    let value: serde_json::Value =
        serde_json::from_str(&fit_json::fits(&answers, &Inferred::default())).expect("JSON");
    assert_eq!(
        (&value[0]["subject"], &value[1]["subject"]),
        (&"A".into(), &"B".into())
    );
}

#[test]
fn a_fit_is_drawn_over_its_data() {
    let (mut session, _) = session(DECAY);
    fine(&mut session, FIT);
    let found = panels(fine(&mut session, "plot fit title \"Decay\""));
    let [figure] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (figure.title.as_str(), figure.y.label.as_str()),
        ("Decay", "x")
    );
    let [line, points] = figure.series.as_slice() else {
        panic!("{figure:?}")
    };
    assert_eq!(
        (line.mark, points.mark, points.x.len()),
        (Mark::Line, Mark::Filled, 6)
    );
    // The curve begins at the estimate of the initial value and goes through every time of the data.
    assert!((line.y[0] - 8.0).abs() < 0.2, "{}", line.y[0]);
    assert!(points.x.iter().all(|time| line.x.contains(time)));
    assert!(line.x.is_sorted() && line.x.len() > 400);
    // That of data, and within it that of the curve.
    let [data, curve] = figure.bands.as_slice() else {
        panic!("{:?}", figure.bands)
    };
    let inside = curve.low.iter().zip(&data.low).all(|(own, all)| own > all);
    assert!(inside && curve.x == line.x);
}

#[test]
fn censored_data_stand_at_their_limit() {
    let (mut session, _) = session(LINE);
    fine(&mut session, "fit a, b, s to \"line.csv\"");
    let found = panels(fine(&mut session, "plot fit"));
    let [v, n] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!((v.x.label.as_str(), n.y.label.as_str()), ("u", "n"));
    let open: Vec<_> = v
        .series
        .iter()
        .filter(|series| series.mark == Mark::Open)
        .collect();
    assert_eq!(
        (open[0].x.as_slice(), open[0].y.as_slice()),
        (&[0.0][..], &[0.9][..])
    );
    // Counts have whole bounds.
    assert!(n.bands[0].high.iter().all(|high| high.fract() == 0.0));
}

#[test]
fn residuals_stand_over_time_and_against_normal_quantiles() {
    let (mut session, _) = session(DECAY);
    fine(&mut session, FIT);
    let found = panels(fine(&mut session, "plot residuals"));
    let [over, normal] = found.as_slice() else {
        panic!("{found:?}")
    };
    let scores = over.series.last().expect("scores");
    assert_eq!(
        (scores.x.as_slice(), scores.y.len()),
        (&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0][..], 6)
    );
    let sorted = normal.series.last().expect("scores");
    assert!(sorted.x.is_sorted() && sorted.y.is_sorted());
    // The ranks lie evenly about zero.
    assert!((sorted.x[0] + sorted.x[5]).abs() < 1e-12);
}

#[test]
fn every_start_has_a_step_of_the_waterfall() {
    let (mut session, _) = session(DECAY);
    fine(&mut session, FIT);
    let found = panels(fine(&mut session, "plot waterfall"));
    assert_eq!(found[0].series[0].x, [1.0, 2.0, 3.0]);
    fine(&mut session, "fit k to \"data.csv\" starts 1");
    let (code, message) = refused(&mut session, "plot waterfall");
    assert_eq!(
        (code, message.as_str()),
        (Code::NothingYet, "the last fit had a single start")
    );
}

#[test]
fn subjects_have_panels_of_their_own() {
    let (mut session, _) = session(DECAY);
    fine(
        &mut session,
        "fit k, x to \"subjects.csv\" by subject starts 2",
    );
    let found = panels(fine(&mut session, "plot fit"));
    let titles: Vec<&str> = found.iter().map(|panel| panel.title.as_str()).collect();
    assert_eq!(titles, ["subject A", "subject B"]);
    assert_eq!(panels(fine(&mut session, "plot waterfall")).len(), 2);
    // Their residuals are one sample.
    let residuals = panels(fine(&mut session, "plot residuals"));
    assert_eq!(
        residuals[0].series.last().map(|series| series.x.len()),
        Some(6)
    );
}

#[test]
fn a_name_of_the_model_comes_first() {
    let (mut session, _) = session("state fit = 1\nfit' = -fit\n");
    fine(&mut session, "simulate 0..1");
    assert_eq!(panels(fine(&mut session, "plot fit"))[0].y.label, "fit");
}

#[test]
fn without_a_fit_there_is_nothing_to_show() {
    let (mut session, _) = session(DECAY);
    for line in [
        "plot fit",
        "plot residuals",
        "plot waterfall",
        "report \"fit.html\"",
    ] {
        let (code, message) = refused(&mut session, line);
        assert_eq!(
            (code, message.as_str()),
            (Code::NothingYet, "nothing has been fitted before this"),
            "{line}"
        );
    }
    fine(&mut session, FIT);
    fine(&mut session, "reset");
    assert_eq!(refused(&mut session, "plot fit").0, Code::NothingYet);
    fine(&mut session, "undo");
    fine(&mut session, "plot fit");
}

#[test]
fn misused_words_are_refused() {
    let (mut session, _) = session(DECAY);
    fine(&mut session, FIT);
    for (line, code) in [
        ("report", Code::MissingArgument),
        ("report fit", Code::MissingArgument),
        ("report \"fit.docx\"", Code::CannotWrite),
        ("report \"fit\"", Code::CannotWrite),
        ("plot fit over \"data.csv\"", Code::BadOption),
        ("plot residuals log y", Code::BadOption),
    ] {
        assert_eq!(refused(&mut session, line).0, code, "{line}");
    }
}

#[test]
fn the_table_of_estimates_is_written() {
    let (mut session, desk) = session(DECAY);
    fine(
        &mut session,
        "fit k, x to \"subjects.csv\" by subject starts 1",
    );
    fine(&mut session, "report \"fit.csv\"");
    let written = desk.written.lock().expect("not poisoned");
    let (path, text) = &written[0];
    assert_eq!(path, Path::new("fit.csv"));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "subject,name,unit,start,estimate,std_error,low,high,lower,upper"
    );
    assert!(lines[4].starts_with("B,x(0),,10,"), "{text}");
}

pub(super) fn page(session: &mut Session) -> String {
    let Outcome::FitPage { report, to } = fine(session, "report \"fit.html\"") else {
        panic!("no page");
    };
    assert_eq!(to, Path::new("fit.html"));
    fit_page::html(&report).expect("a page")
}

/// Every element is closed, in order; the first that is not.
pub(super) fn unbalanced(html: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    for piece in html.split('<').skip(1) {
        let tag = piece.split('>').next().unwrap_or_default();
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        if tag.starts_with('!') || tag.ends_with('/') {
            continue;
        }
        match name.strip_prefix('/') {
            None => open.push(name),
            Some(closed) if open.pop() == Some(closed) => {}
            Some(closed) => return Some(format!("/{closed}")),
        }
    }
    open.pop().map(str::to_owned)
}

#[test]
fn a_page_stands_alone() {
    let (mut session, _) = session(DECAY);
    fine(&mut session, FIT);
    let html = page(&mut session);
    assert_eq!(unbalanced(&html), None);
    for foreign in ["http", "<script", "<link", "src=", "@import", "url("] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    assert!(html.contains("<title>Fit of decay to data.csv</title>"));
    assert!(
        html.contains("# x &lt; 1 &amp; &quot;small&quot;"),
        "the model is escaped"
    );
    assert!(
        html.contains("fit k, x to &quot;data.csv&quot; starts 3"),
        "the sentence"
    );
    assert_eq!(html.matches("<svg").count(), 3, "fit, residuals, waterfall");
    assert_eq!(page(&mut session), html, "the same bytes");
}

#[test]
fn a_page_says_what_is_wrong() {
    let (mut session, _) = session("param a = 1\nparam b = 2\nstate x = 8\nx' = -(a + b)*x\n");
    fine(&mut session, "fit a, b to \"data.csv\"");
    let html = page(&mut session);
    assert_eq!(unbalanced(&html), None);
    assert!(
        html.contains("the data determine `a` and `b` only together"),
        "{html}"
    );
    assert!(html.contains("not determined"));
}

#[test]
fn a_page_of_subjects_has_all_of_them() {
    let (mut session, _) = session(DECAY);
    fine(
        &mut session,
        "fit k, x to \"subjects.csv\" by subject starts 1",
    );
    let html = page(&mut session);
    assert_eq!(unbalanced(&html), None);
    assert!(html.contains("Estimates of subject A") && html.contains("Estimates of subject B"));
}
