//! Of an exact datum: log density, its gradient, the expected information.
//!
//! The information on Student's t is that of K. Lange, R. Little, J. Taylor, J. Am. Stat. Assoc.
//! 84, 881 (1989), on its degrees of freedom with a series where the formula cancels.

use super::special::{
    digamma_rest_difference, half, ln_1p_minus, ln_binomial, ln_poisson, trigamma,
};
use super::{Family, MOST};
use statrs::function::gamma::digamma;
use std::f64::consts::{PI, TAU};

/// Of a datum. Entries of the information that have no closed form are 0.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Score {
    pub log: f64,
    pub gradient: [f64; MOST],
    pub information: [[f64; MOST]; MOST],
}

/// From here on the information on degrees of freedom is a series, exact to 5 digits.
const LARGE_DF: f64 = 2000.0;
/// The expected information on a size is summed over as many counts at most.
const MOST_COUNTS: f64 = 500.0;

/// The score of a datum; parameters must be in their domain. `None` outside the support.
pub(super) fn score(family: Family, parameters: &[f64], y: f64) -> Option<Score> {
    let is_count = y >= 0.0 && y.fract() == 0.0;
    if !y.is_finite() || (super::is_discrete(family) && !is_count) {
        return None;
    }
    match (family, parameters) {
        (Family::Normal, &[mean, sd]) => Some(normal(mean, sd, y)),
        (Family::LogNormal, &[median, sd]) => (y > 0.0).then(|| lognormal(median, sd, y)),
        (Family::StudentT, &[mean, scale, df]) => Some(student_t(mean, scale, df, y)),
        (Family::Cauchy, &[median, scale]) => Some(cauchy(median, scale, y)),
        (Family::Poisson, &[mean]) => Some(poisson(mean, y)),
        (Family::NegativeBinomial, &[mean, size]) => Some(negative_binomial(mean, size, y)),
        (Family::Binomial, &[trials, probability]) => {
            (y <= trials).then(|| binomial(trials, probability, y))
        }
        (Family::Gamma, &[shape, rate]) => (y > 0.0).then(|| gamma(shape, rate, y)),
        (Family::Beta, &[a, b]) => (y > 0.0 && y < 1.0).then(|| beta(a, b, y)),
        (Family::Exponential, &[mean]) => (y >= 0.0).then(|| exponential(mean, y)),
        (Family::Uniform, &[low, high]) => (low <= y && y <= high).then(|| uniform(low, high)),
        _ => None,
    }
}

fn normal(mean: f64, sd: f64, y: f64) -> Score {
    let z = (y - mean) / sd;
    let precision = 1.0 / (sd * sd);
    Score {
        log: -0.5 * z * z - sd.ln() - 0.5 * TAU.ln(),
        gradient: [z / sd, (z * z - 1.0) / sd, 0.0],
        information: [[precision, 0.0, 0.0], [0.0, 2.0 * precision, 0.0], [0.0; 3]],
    }
}

fn lognormal(median: f64, sd: f64, y: f64) -> Score {
    let mut score = normal(0.0, sd, (y / median).ln());
    score.log -= y.ln();
    score.gradient[0] /= median;
    score.information[0][0] /= median * median;
    score
}

fn student_t(mean: f64, scale: f64, df: f64, y: f64) -> Score {
    let z = (y - mean) / scale;
    let w = z * z / df;
    // z^2 (df + 1) / (df + z^2)
    let pull = (df + 1.0) * w / (1.0 + w);
    let by_mean = (df + 1.0) * z / (df * (1.0 + w) * scale);
    // w / (1 + w) - ln(1 + w), each branch without cancellation.
    let of_tail = if w > 1.0 {
        w / (1.0 + w) - w.ln_1p()
    } else {
        -ln_1p_minus(w) - w * (w / (1.0 + w))
    };
    let by_df = 0.5 * (half::digamma_difference(0.5 * df) + of_tail + w / (df * (1.0 + w)));
    let on_df = if df > LARGE_DF {
        (3.5 - 13.0 / df) / (df * df * df * df)
    } else {
        0.25 * (trigamma(0.5 * df) - trigamma(0.5 * (df + 1.0)))
            - (df + 5.0) / (2.0 * df * (df + 1.0) * (df + 3.0))
    };
    let on_both = -2.0 / (scale * (df + 1.0) * (df + 3.0));
    let precision = 1.0 / (scale * scale);
    Score {
        log: half::ln_gamma_ratio(0.5 * df)
            - 0.5 * TAU.ln()
            - scale.ln()
            - 0.5 * (df + 1.0) * w.ln_1p(),
        gradient: [by_mean, (pull - 1.0) / scale, by_df],
        information: [
            [(df + 1.0) / (df + 3.0) * precision, 0.0, 0.0],
            [0.0, 2.0 * df / (df + 3.0) * precision, on_both],
            [0.0, on_both, on_df],
        ],
    }
}

fn cauchy(median: f64, scale: f64, y: f64) -> Score {
    let z = (y - median) / scale;
    let tail = 1.0 + z * z;
    let information = 0.5 / (scale * scale);
    Score {
        log: -(PI * scale).ln() - tail.ln(),
        gradient: [2.0 * z / tail / scale, (z * z - 1.0) / tail / scale, 0.0],
        information: [[information, 0.0, 0.0], [0.0, information, 0.0], [0.0; 3]],
    }
}

fn poisson(mean: f64, y: f64) -> Score {
    let (slope, information) = if mean > 0.0 {
        ((y - mean) / mean, 1.0 / mean)
    } else {
        (-1.0, 0.0)
    };
    Score {
        log: ln_poisson(y, mean),
        gradient: [slope, 0.0, 0.0],
        information: [[information, 0.0, 0.0], [0.0; 3], [0.0; 3]],
    }
}

fn negative_binomial(mean: f64, size: f64, y: f64) -> Score {
    let total = size + mean;
    let (by_mean, on_mean) = if mean > 0.0 {
        let weight = size / total / mean;
        ((y - mean) * weight, weight)
    } else {
        (-1.0, 0.0)
    };
    let log = if y == 0.0 {
        -size * (mean / size).ln_1p()
    } else {
        // The number of failures before `size` successes.
        ln_binomial(size, size + y, size / total, mean / total) - (y / size).ln_1p()
    };
    // digamma(y + size) - digamma(size) + ln(size / total) + (mean - y) / total
    let by_size = ln_1p_minus((y - mean) / total) + digamma_rest_difference(size, y);
    Score {
        log,
        gradient: [by_mean, by_size, 0.0],
        information: [
            [on_mean, 0.0, 0.0],
            [0.0, information_on_size(mean, size), 0.0],
            [0.0; 3],
        ],
    }
}

/// The sum over j of P(Y > j) (1 / (size + j)^2 - 1 / (size (size + mean))); 0 when it would be
/// long or loses its digits.
fn information_on_size(mean: f64, size: f64) -> f64 {
    let total = size + mean;
    let sd = (mean * total / size).sqrt();
    if mean + 12.0 * sd > MOST_COUNTS {
        return 0.0;
    }
    let mut probability = (-size * (mean / size).ln_1p()).exp();
    let mut beyond = -(-size * (mean / size).ln_1p()).exp_m1();
    let (mut sum, mut largest, mut count) = (0.0, 0.0_f64, 0.0);
    while beyond > f64::EPSILON && count <= 2.0 * MOST_COUNTS {
        let at = size + count;
        let term = beyond * ((1.0 / at) * (1.0 / at) - 1.0 / size / total);
        sum += term;
        largest = largest.max(beyond / size / total);
        probability *= at / (count + 1.0) * (mean / total);
        beyond -= probability;
        count += 1.0;
    }
    if sum > 1e-10 * largest { sum } else { 0.0 }
}

fn binomial(trials: f64, probability: f64, y: f64) -> Score {
    let failure = 1.0 - probability;
    let (by_probability, information) = if probability == 0.0 {
        (-trials, 0.0)
    } else if failure == 0.0 {
        (trials, 0.0)
    } else {
        let scale = 1.0 / (probability * failure);
        ((y - trials * probability) * scale, trials * scale)
    };
    let by_trials = digamma(trials + 1.0) - digamma(trials - y + 1.0) + (-probability).ln_1p();
    Score {
        log: ln_binomial(y, trials, probability, failure),
        gradient: [
            if failure > 0.0 { by_trials } else { 0.0 },
            by_probability,
            0.0,
        ],
        information: [[0.0; 3], [0.0, information, 0.0], [0.0; 3]],
    }
}

fn gamma(shape: f64, rate: f64, y: f64) -> Score {
    let log = if shape < 1.0 {
        ln_poisson(shape, rate * y) + (shape / y).ln()
    } else {
        ln_poisson(shape - 1.0, rate * y) + rate.ln()
    };
    let of_shape = trigamma(shape);
    Score {
        log,
        gradient: [(rate * y).ln() - digamma(shape), shape / rate - y, 0.0],
        information: [
            [of_shape, -1.0 / rate, 0.0],
            [-1.0 / rate, shape / rate / rate, 0.0],
            [0.0; 3],
        ],
    }
}

fn beta(a: f64, b: f64, y: f64) -> Score {
    let rest = 1.0 - y;
    let log = match (a < 1.0, b < 1.0) {
        (true, true) => ln_binomial(a, a + b, y, rest) + (a / (a + b) * b / y / rest).ln(),
        (true, false) => ln_binomial(a, a + b - 1.0, y, rest) + (a / y).ln(),
        (false, true) => ln_binomial(a - 1.0, a + b - 1.0, y, rest) + (b / rest).ln(),
        (false, false) => ln_binomial(a - 1.0, a + b - 2.0, y, rest) + (a + b - 1.0).ln(),
    };
    let (both, of_both) = (digamma(a + b), trigamma(a + b));
    Score {
        log,
        gradient: [
            both - digamma(a) + y.ln(),
            both - digamma(b) + (-y).ln_1p(),
            0.0,
        ],
        information: [
            [trigamma(a) - of_both, -of_both, 0.0],
            [-of_both, trigamma(b) - of_both, 0.0],
            [0.0; 3],
        ],
    }
}

fn exponential(mean: f64, y: f64) -> Score {
    Score {
        log: -mean.ln() - y / mean,
        gradient: [(y / mean - 1.0) / mean, 0.0, 0.0],
        information: [[1.0 / mean / mean, 0.0, 0.0], [0.0; 3], [0.0; 3]],
    }
}

/// The support moves with the parameters: there is no information in Fisher's sense.
fn uniform(low: f64, high: f64) -> Score {
    let width = high - low;
    Score {
        log: -width.ln(),
        gradient: [1.0 / width, -1.0 / width, 0.0],
        ..Score::default()
    }
}
