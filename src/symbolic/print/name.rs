//! Names in LaTeX.
//!
//! Enters: a name of the language, an index. Leaves: LaTeX with Greek letters, upright words and
//! subscripts. Must not know expressions.

const GREEK: [&str; 34] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi",
    "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi",
    "Omega",
];

/// `k_on` is `k_{\mathrm{on}}`, `beta1` is `\beta_{1}`, `y` with index `GATA1` is
/// `y_{\mathrm{GATA1}}`. Of a map, `now x` is `x_{n}` and `next x` is `x_{n+1}`.
pub(super) fn latex(name: &str, index: Option<&str>) -> String {
    if let Some((state, lag)) = name.split_once("(t - ") {
        return delayed(state, index, lag);
    }
    // The subscript of the step comes last: `next y[2]` is `y_{2,n+1}`.
    if let Some(state) = name.strip_prefix("next ") {
        return subscripted(state, index, Some("n+1"));
    }
    if let Some(state) = name.strip_prefix("now ") {
        return subscripted(state, index, Some("n"));
    }
    subscripted(name, index, None)
}

fn subscripted(name: &str, index: Option<&str>, step: Option<&str>) -> String {
    let mut parts = name.split('_').filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or(name);
    let mut subscripts: Vec<String> = Vec::new();
    let letters = first.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_letter = letters.chars().count() == 1 || GREEK.contains(&letters);
    let base = if is_letter && letters.len() < first.len() {
        subscripts.push(first[letters.len()..].to_owned());
        letters
    } else {
        first
    };
    subscripts.extend(parts.map(word));
    if let Some(index) = index {
        subscripts.extend(index.split(", ").map(word));
    }
    subscripts.extend(step.map(str::to_owned));
    match subscripts.is_empty() {
        true => word(base),
        false => format!("{}_{{{}}}", word(base), subscripts.join(",")),
    }
}

/// `u[1](t - 2*tau)` is `u_{1}(t - 2 \tau)`.
fn delayed(state: &str, index: Option<&str>, lag: &str) -> String {
    let base = match state.split_once('[') {
        Some((base, own)) => latex(base, Some(own.trim_end_matches(']'))),
        None => latex(state, index),
    };
    let mut out = format!("{base}(t - ");
    let mut rest = lag;
    while let Some(c) = rest.chars().next() {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let length = match rest.find(|c: char| !is_part(c)) {
            Some(0) => c.len_utf8(),
            Some(end) => end,
            None => rest.len(),
        };
        let (part, after) = rest.split_at(length);
        match c {
            '*' => out.push(' '),
            _ if c.is_alphabetic() => out.push_str(&latex(part, None)),
            _ => out.push_str(part),
        }
        rest = after;
    }
    out
}

/// One word: a Greek letter, a single letter or number as it is, anything else upright.
fn word(text: &str) -> String {
    if text == "epsilon" {
        "\\varepsilon".to_owned()
    } else if GREEK.contains(&text) {
        format!("\\{text}")
    } else if text.chars().count() == 1 || text.chars().all(|c| c.is_ascii_digit()) {
        escaped(text)
    } else {
        format!("\\mathrm{{{}}}", escaped(text))
    }
}

/// Characters that mean something to LaTeX, as themselves.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '_' | '%' | '&' | '#' | '$' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '\\' => out.push_str("\\backslash "),
            '^' => out.push_str("\\hat{\\ }"),
            '~' => out.push_str("\\sim "),
            c => out.push(c),
        }
    }
    out
}
