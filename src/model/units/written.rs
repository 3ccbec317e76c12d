//! Units as declared. They are kept with the quantities and shown.
//!
//! Enters: units of the tree. Leaves: products of powers of names, as they are shown. Must not know what
//! a name means.

use crate::syntax::tree;
use std::fmt;

/// A product of powers of named units.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Names with exponents, in the order of the text.
    pub factors: Vec<(String, f64)>,
}

impl From<&tree::Unit> for Unit {
    fn from(unit: &tree::Unit) -> Unit {
        Unit {
            factors: unit
                .factors
                .iter()
                .map(|factor| (factor.name.text.clone(), factor.exponent))
                .collect(),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = |name: &str, exponent: f64| {
            if exponent == 1.0 {
                name.to_owned()
            } else {
                format!("{name}^{exponent}")
            }
        };
        let (above, below): (Vec<_>, Vec<_>) = self
            .factors
            .iter()
            .partition(|(_, exponent)| *exponent > 0.0);
        let above: Vec<_> = above.iter().map(|(n, e)| power(n, *e)).collect();
        if above.is_empty() {
            write!(out, "1")?;
        } else {
            write!(out, "{}", above.join("*"))?;
        }
        for (name, exponent) in below {
            write!(out, "/{}", power(name, -exponent))?;
        }
        Ok(())
    }
}
