//! Placeholder until the searches are merged.

/// A search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// lm
    Lm,
}

impl Method {
    /// all
    pub const ALL: [Method; 1] = [Method::Lm];

    /// name
    #[must_use]
    pub fn name(self) -> &'static str {
        "lm"
    }

    /// named
    #[must_use]
    pub fn named(name: &str) -> Option<Method> {
        (name == "lm").then_some(Method::Lm)
    }
}
