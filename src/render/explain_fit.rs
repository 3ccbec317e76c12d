//! How a fit was computed, in words.
//!
//! Enters: an [`Explanation`]. Leaves: text, a paragraph for each question one may have; the line
//! that the answer of a fit spends on it.

use super::outcome::counted;
use super::table::number;
use super::words;
use crate::diagnostic::listed;
use crate::fit::filter::{Route, Start};
use crate::fit::{Datum, Family, Scale, SearchMethod};
use crate::session::fit::{
    Against, Entry, Explanation, FilterFrom, FitAnswer, LikelihoodFrom, Seen,
};

/// Entries and obstacles that are named one by one.
const MOST: usize = 4;

/// The whole text, `width` columns wide.
pub(super) fn text(known: &Explanation, width: usize) -> String {
    let answer = &*known.fit;
    let mut parts = match &known.from {
        LikelihoodFrom::Formula => vec![(
            "likelihood",
            "of a formula: the model has no states, and nothing is solved".to_owned(),
        )],
        LikelihoodFrom::Runs {
            methods,
            relative,
            moving,
        } => of_runs(answer, methods, *relative, moving),
        LikelihoodFrom::Filter(filter) => of_filter(answer, filter),
    };
    parts.push(("search", search(answer)));
    parts.push(("starts", starts(known)));
    parts.push(("errors", errors(answer)));
    let mut text = words::wrapped(&super::fit::headline(answer), width, "  ");
    text.push_str("\n\n");
    for (label, told) in parts {
        let line = format!("{label}: {told}");
        text.push_str(&words::wrapped(&line, width, "  "));
        text.push('\n');
    }
    text
}

/// The line in the answer of a fit of a model with noise; nothing for other models.
pub(super) fn line(answer: &FitAnswer) -> Option<String> {
    let equations = &answer.filters.as_ref()?.equations;
    let way = match (equations.route, equations.scale) {
        (Route::Transition, Scale::Linear) => {
            "the exact transition density (the drift is linear, the noise additive)"
        }
        (Route::Transition, Scale::Logarithmic) => {
            "the exact transition density (geometric Brownian motion, by logarithms)"
        }
        (Route::Moments(_), _) => {
            "the exact equations of mean and covariance (the drift is linear, the noise additive)"
        }
        (Route::Extended, _) => "the extended Kalman filter, an approximation",
        (Route::LinearNoise, _) => {
            "the linear-noise approximation of the reactions, begun anew at each datum"
        }
    };
    let exact = matches!(equations.route, Route::Transition | Route::Moments(_));
    let is_normal = answer
        .lens
        .seen
        .iter()
        .all(|seen| stays_normal(seen.family));
    let and = if exact && !is_normal {
        "; data that are not normal by an approximation"
    } else {
        ""
    };
    Some(format!("likelihood by {way}{and}"))
}

/// The same as a word of JSON.
pub(super) fn word(answer: &FitAnswer) -> &'static str {
    match answer
        .filters
        .as_ref()
        .map(|filters| filters.equations.route)
    {
        Some(Route::Transition) => "exact_transition",
        Some(Route::Moments(_)) => "moments",
        Some(Route::Extended) => "extended_kalman_filter",
        Some(Route::LinearNoise) => "linear_noise",
        None if answer.compiled.model.states.is_empty() => "formula",
        None => "runs",
    }
}

type Part = (&'static str, String);

fn of_runs(
    answer: &FitAnswer,
    methods: &[crate::simulate::Method],
    relative: f64,
    moving: &[String],
) -> Vec<Part> {
    let names: Vec<String> = methods.iter().map(ToString::to_string).collect();
    let by = match names.as_slice() {
        [] => String::new(),
        names => format!(" by {}", names.join(", then ")),
    };
    let runs = counted(answer.runs.len(), "run", "runs");
    let derivatives = match moving {
        [] => {
            "exact, from the formulas of the observations: nothing that is fitted moves the states"
                .to_owned()
        }
        moving => format!(
            "exact: forward sensitivities by {} ({}), integrated beside the states{}",
            counted(moving.len(), "quantity", "quantities"),
            listed(moving),
            if moving.len() < answer.fitted.len() {
                "; the others do not move the states"
            } else {
                ""
            }
        ),
    };
    vec![
        (
            "likelihood",
            format!("{}, around {runs} of the model", distributions(answer)),
        ),
        (
            "runs",
            format!(
                "each solved up to its last datum{by} (rtol {})",
                number(relative, 3)
            ),
        ),
        ("derivatives", derivatives),
    ]
}

/// How data scatter.
fn distributions(answer: &FitAnswer) -> String {
    if answer.squares.is_some() {
        return "normal errors of one unknown standard deviation, which takes its best value \
                everywhere (least squares; its variance is profiled out)"
            .to_owned();
    }
    let seen = answer.lens.seen.iter().map(|seen| match seen.family {
        Some(family) => format!("{} by {}", seen.name, family.name()),
        None => format!("{} exactly", seen.name),
    });
    listed(&seen.collect::<Vec<_>>())
}

fn of_filter(answer: &FitAnswer, filter: &FilterFrom) -> Vec<Part> {
    let states = counted(filter.states, "state", "states");
    let way = match (filter.route, filter.scale) {
        (Route::Transition, Scale::Linear) => format!(
            "by the exact transition from datum to datum and the Kalman filter: mean and covariance of {states} by the matrix exponential"
        ),
        (Route::Transition, Scale::Logarithmic) => format!(
            "by the exact transition of the logarithms of {states} and the Kalman filter: geometric Brownian motion"
        ),
        (Route::Moments(_), _) => format!(
            "by the equations of mean and covariance of {states}, integrated from datum to datum, and the Kalman filter: exact up to the tolerance"
        ),
        (Route::Extended, _) => format!(
            "by the extended Kalman filter: mean and covariance of {states}, with the equations linearised along the mean"
        ),
        (Route::LinearNoise, _) => format!(
            "by the linear-noise approximation: mean and covariance of {states}, with the noise of each reaction at the mean, begun anew at each datum"
        ),
    };
    let mut parts = vec![("likelihood", way)];
    parts.extend(why(filter));
    parts.push(("seen", seen(answer, filter)));
    parts.push(("exact", exactness(answer, filter)));
    parts.push(("start", start(&filter.start).to_owned()));
    let names: Vec<String> = answer
        .fitted
        .iter()
        .map(|known| known.name.clone())
        .collect();
    parts.push((
        "derivatives",
        format!(
            "exact, by {} ({}), carried along with mean and covariance",
            counted(names.len(), "quantity", "quantities"),
            listed(&names)
        ),
    ));
    parts
}

/// What in the equations decides it.
fn why(filter: &FilterFrom) -> Vec<Part> {
    let mut parts = Vec::new();
    if !filter.matrix.is_empty() || (filter.obstacles.is_empty() && filter.scale == Scale::Linear) {
        parts.push(("linear", linear(&filter.matrix)));
    }
    let told: Vec<String> = filter.obstacles.iter().take(MOST).map(against).collect();
    if !told.is_empty() {
        let more = filter.obstacles.len() - told.len();
        let more = if more > 0 {
            format!("; and {more} more")
        } else {
            String::new()
        };
        parts.push(("no exact transition", format!("{}{more}", told.join("; "))));
    }
    parts
}

fn linear(matrix: &[Entry]) -> String {
    if matrix.is_empty() {
        return "no drift depends on a state".to_owned();
    }
    let entries: Vec<String> = matrix.iter().take(MOST).map(derivative).collect();
    let more = if matrix.len() > MOST {
        format!(" and {} more", matrix.len() - MOST)
    } else {
        String::new()
    };
    format!(
        "no derivative of a drift depends on a state: {}{more}",
        entries.join(", ")
    )
}

/// `d y'/d y = -theta`
fn derivative(entry: &Entry) -> String {
    format!("d {}'/d {} = {}", entry.state, entry.by, entry.text)
}

fn against(known: &Against) -> String {
    match known {
        Against::NotLinear(entry) => format!(
            "the equation of {} is not linear: {}",
            entry.state,
            derivative(entry)
        ),
        Against::NotConstant(entry) => format!(
            "the equation of {} has a coefficient that changes with time: {}",
            entry.state,
            derivative(entry)
        ),
        Against::Driven { state, text } => {
            format!("the equation of {state} changes with time: {text}")
        }
        Against::NotAdditive { state, text } => {
            format!("the noise of {state} is not additive: its variance per time is {text}")
        }
        Against::NoiseNotConstant { state, text } => {
            format!("the noise of {state} changes with time: its variance per time is {text}")
        }
        Against::Conditions => "the equations have conditions".to_owned(),
        Against::Doses => "doses are given".to_owned(),
    }
}

/// True for families whose data leave a normal distribution one.
fn stays_normal(family: Option<Family>) -> bool {
    matches!(family, None | Some(Family::Normal | Family::LogNormal))
}

/// How each observation is taken.
fn seen(answer: &FitAnswer, filter: &FilterFrom) -> String {
    let told = |seen: &Seen| match seen.family {
        None => format!("{} exactly", seen.name),
        Some(family) => format!("{} by {}", seen.name, family.name()),
    };
    let (normal, others): (Vec<&Seen>, Vec<&Seen>) =
        (answer.lens.seen.iter()).partition(|seen| stays_normal(seen.family));
    let names = |seen: &[&Seen]| listed(&seen.iter().map(|seen| told(seen)).collect::<Vec<_>>());
    let mut parts = Vec::new();
    if !normal.is_empty() {
        let how = match (
            filter.is_seen_linearly,
            normal.iter().all(|seen| seen.family.is_none()),
        ) {
            (true, true) => "",
            (true, false) => ", linear in the states: a normal distribution stays one",
            (false, _) => ", linearised where the states are expected",
        };
        parts.push(format!("{}{how}", names(&normal)));
    }
    if !others.is_empty() {
        parts.push(format!(
            "{}: the evidence of each datum is integrated along the slope of its first parameter that depends on the states, and the normal distribution with the mean and covariance after it goes on from there (assumed density filtering)",
            names(&others)
        ));
    }
    if filter.limits > 0 {
        parts.push(format!(
            "{} below or above a limit, by the probability of that; a normal distribution goes on from there",
            counted(filter.limits, "datum", "data")
        ));
    }
    parts.join("; ")
}

/// What is exact, and what is not.
fn exactness(answer: &FitAnswer, filter: &FilterFrom) -> String {
    let route = match filter.route {
        Route::Transition | Route::Moments(_) => None,
        Route::Extended => Some(
            "between data an approximation, good where noise moves the states little from datum to datum",
        ),
        Route::LinearNoise => Some("between data an approximation, good for many molecules"),
    };
    let seen = (!filter.is_seen_linearly)
        .then_some("what is seen is linearised, good where the states are known well");
    let is_assumed = filter.limits > 0
        || answer
            .lens
            .seen
            .iter()
            .any(|seen| !stays_normal(seen.family));
    let assumed =
        is_assumed.then_some("what is known after a datum that is not normal is taken as normal");
    let told: Vec<&str> = route.into_iter().chain(seen).chain(assumed).collect();
    match (told.is_empty(), filter.route) {
        (true, Route::Transition) => "yes, up to rounding".to_owned(),
        (true, _) => "yes, up to the tolerance of the integration".to_owned(),
        (false, _) => format!("no: {}", told.join("; ")),
    }
}

fn start(start: &Start) -> &'static str {
    match start {
        Start::Given => "the states have their initial values",
        Start::Stationary => {
            "the states have the stationary distribution of the linearised equations"
        }
        Start::Spread(_) => {
            "nothing is known of the states: standard deviations of ten thousand times the largest datum"
        }
    }
}

fn search(answer: &FitAnswer) -> String {
    let name = answer.method.name();
    let why = match answer.method {
        SearchMethod::Lm => {
            if answer.squares.is_some() {
                "every datum adds a square"
            } else if answer
                .lens
                .seen
                .iter()
                .all(|seen| stays_normal(seen.family))
            {
                if has_limits(answer) {
                    "data are normal, on their scale, and add squares whose products are the expected information; limits add squares by their scores"
                } else {
                    "every datum is normal, on its scale, and adds squares whose products are the expected information"
                }
            } else {
                "every datum adds squares, by its score, whose products stand for the information"
            }
        }
        SearchMethod::Lbfgs => "as asked for; it takes gradients alone",
        SearchMethod::NelderMead | SearchMethod::Pso => "as asked for; it takes values alone",
    };
    let long = match answer.method {
        SearchMethod::Lm => " (Levenberg and Marquardt)",
        SearchMethod::Lbfgs => " (quasi-Newton with limited memory)",
        SearchMethod::NelderMead => " (the simplex of Nelder and Mead)",
        SearchMethod::Pso => " (a swarm of particles)",
    };
    format!("{name}{long}: {why}")
}

/// True where some datum is a limit.
fn has_limits(answer: &FitAnswer) -> bool {
    let mut points = answer.runs.iter().flat_map(|run| &run.data.points);
    points.any(|point| !matches!(point.datum, Datum::Exactly(_)))
}

fn starts(known: &Explanation) -> String {
    let answer = &known.fit;
    let logarithms: Vec<String> = (answer.fitted.iter())
        .filter(|known| known.scale == Scale::Logarithmic)
        .map(|known| known.name.clone())
        .collect();
    let scale = match logarithms.len() {
        0 => String::new(),
        all if all == answer.fitted.len() => "; all by their logarithms".to_owned(),
        _ => format!("; {} by logarithms", listed(&logarithms)),
    };
    if answer.by_hand {
        let count = counted(answer.starts, "start", "starts");
        return format!("{count} from a table{scale}");
    }
    match answer.starts {
        0 | 1 if known.is_bounded => format!("the given values alone{scale}"),
        0 | 1 => format!(
            "the given values alone: {} no bounds to draw others from{scale}",
            unbounded(answer)
        ),
        several => format!(
            "the given values and {} drawn {} (Latin hypercube, seed {}){scale}",
            several - 1,
            if known.is_bounded {
                "within the bounds"
            } else {
                "within the bounds, or near the given values where there are none"
            },
            answer.seed
        ),
    }
}

/// `k and x have`
fn unbounded(answer: &FitAnswer) -> String {
    let names: Vec<String> = (answer.fitted.iter())
        .filter(|known| !(known.bounds.0.is_finite() && known.bounds.1.is_finite()))
        .map(|known| known.name.clone())
        .collect();
    let verb = if names.len() == 1 { "has" } else { "have" };
    format!("{} {verb}", listed(&names))
}

fn errors(answer: &FitAnswer) -> String {
    match answer.squares {
        Some(_) => format!(
            "from the expected information (J'J); intervals by Student's t with {}",
            counted(answer.degrees_left(), "degree of freedom", "degrees of freedom")
        ),
        None => "from the observed information (differences of exact gradients at the estimates); intervals by normal quantiles".to_owned(),
    }
}
