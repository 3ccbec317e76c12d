//! The distributions that observations and priors name.
//!
//! One table for the checker, the likelihood, completion and the manual.

/// A family of distributions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// `normal(mean, sd)`
    Normal,
    /// `lognormal(median, sd)`, sd on the scale of natural logarithms.
    LogNormal,
    /// `student_t(mean, scale, df)`
    StudentT,
    /// `poisson(mean)`
    Poisson,
    /// `negative_binomial(mean, size)`: variance mean + mean^2/size.
    NegativeBinomial,
    /// `binomial(trials, probability)`
    Binomial,
    /// `gamma(shape, rate)`
    Gamma,
    /// `beta(a, b)`
    Beta,
    /// `exponential(mean)`
    Exponential,
    /// `uniform(low, high)`
    Uniform,
    /// `cauchy(median, scale)`
    Cauchy,
}

/// What values a distribution gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Any number.
    Real,
    /// Numbers above 0.
    Positive,
    /// 0, 1, 2, ...
    Counts,
    /// Numbers between 0 and 1.
    Fraction,
    /// Numbers between its two parameters.
    Interval,
}

impl Family {
    /// Every family, in the order of the manual.
    pub const ALL: [Family; 11] = [
        Family::Normal,
        Family::LogNormal,
        Family::StudentT,
        Family::Poisson,
        Family::NegativeBinomial,
        Family::Binomial,
        Family::Gamma,
        Family::Beta,
        Family::Exponential,
        Family::Uniform,
        Family::Cauchy,
    ];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Family::Normal => "normal",
            Family::LogNormal => "lognormal",
            Family::StudentT => "student_t",
            Family::Poisson => "poisson",
            Family::NegativeBinomial => "negative_binomial",
            Family::Binomial => "binomial",
            Family::Gamma => "gamma",
            Family::Beta => "beta",
            Family::Exponential => "exponential",
            Family::Uniform => "uniform",
            Family::Cauchy => "cauchy",
        }
    }

    /// The names of its parameters, in order.
    #[must_use]
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Family::Normal => &["mean", "sd"],
            Family::LogNormal => &["median", "sd"],
            Family::StudentT => &["mean", "scale", "df"],
            Family::Poisson | Family::Exponential => &["mean"],
            Family::NegativeBinomial => &["mean", "size"],
            Family::Binomial => &["trials", "probability"],
            Family::Gamma => &["shape", "rate"],
            Family::Beta => &["a", "b"],
            Family::Uniform => &["low", "high"],
            Family::Cauchy => &["median", "scale"],
        }
    }

    /// What values it gives.
    #[must_use]
    pub fn support(self) -> Support {
        match self {
            Family::Normal | Family::StudentT | Family::Cauchy => Support::Real,
            Family::LogNormal | Family::Gamma | Family::Exponential => Support::Positive,
            Family::Poisson | Family::NegativeBinomial | Family::Binomial => Support::Counts,
            Family::Beta => Support::Fraction,
            Family::Uniform => Support::Interval,
        }
    }

    /// The family of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Family> {
        Family::ALL.into_iter().find(|family| family.name() == name)
    }
}
