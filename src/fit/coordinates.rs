//! Parameters on the scale on which they are explored.
//!
//! Enters: an objective of parameters in their own units. Leaves: the same objective of inner
//! coordinates, logarithms where a parameter is declared so.

use super::objective::{Evaluation, Fault, Margin, Objective, Wanted};

/// The scale on which a parameter is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As it is.
    Linear,
    /// By its natural logarithm.
    Logarithmic,
}

impl Scale {
    /// The inner coordinate of a parameter.
    #[must_use]
    pub fn inner(self, value: f64) -> f64 {
        match self {
            Scale::Linear => value,
            Scale::Logarithmic => value.ln(),
        }
    }

    /// The parameter at an inner coordinate.
    #[must_use]
    pub fn outer(self, inner: f64) -> f64 {
        match self {
            Scale::Linear => inner,
            Scale::Logarithmic => inner.exp(),
        }
    }

    /// The derivative of the parameter by its inner coordinate, at a value of the parameter.
    #[must_use]
    pub fn slope(self, value: f64) -> f64 {
        match self {
            Scale::Linear => 1.0,
            Scale::Logarithmic => value,
        }
    }
}

/// The scale and the bounds of every parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Coordinates {
    /// One for each parameter.
    pub scales: Vec<Scale>,
    /// Lower bounds of the inner coordinates; minus infinity where there is none.
    pub lower: Vec<f64>,
    /// Upper bounds of the inner coordinates.
    pub upper: Vec<f64>,
    /// Both bounds in the parameters' own units.
    bounds: Vec<(f64, f64)>,
}

impl Coordinates {
    /// From bounds in the parameters' own units.
    #[must_use]
    pub fn new(parameters: impl IntoIterator<Item = (Scale, f64, f64)>) -> Coordinates {
        let mut coordinates = Coordinates {
            scales: Vec::new(),
            lower: Vec::new(),
            upper: Vec::new(),
            bounds: Vec::new(),
        };
        for (scale, low, high) in parameters {
            coordinates.scales.push(scale);
            coordinates.lower.push(scale.inner(low));
            coordinates.upper.push(scale.inner(high));
            coordinates.bounds.push((low, high));
        }
        coordinates
    }

    /// How many parameters there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// True without parameters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Inner coordinates of parameters.
    #[must_use]
    pub fn inner(&self, parameters: &[f64]) -> Vec<f64> {
        let pairs = self.scales.iter().zip(parameters);
        pairs.map(|(scale, value)| scale.inner(*value)).collect()
    }

    /// Parameters at inner coordinates within the bounds: what is on a bound has its value, to the
    /// last digit, and not that of an exponential of a logarithm.
    #[must_use]
    pub fn outer(&self, inner: &[f64]) -> Vec<f64> {
        let ends = self.lower.iter().zip(&self.upper).zip(&self.bounds);
        let known = self.scales.iter().zip(ends).zip(inner);
        known
            .map(|((scale, ((lower, upper), (low, high))), value)| {
                if value <= lower {
                    *low
                } else if value >= upper {
                    *high
                } else {
                    // Rounding may go over an end; ends that cross are the search's to tell.
                    scale.outer(*value).min(*high).max(*low)
                }
            })
            .collect()
    }

    /// The derivatives of parameters by their inner coordinates, at values of the parameters.
    #[must_use]
    pub fn slopes(&self, parameters: &[f64]) -> Vec<f64> {
        let scales = self.scales.iter().zip(parameters);
        scales.map(|(scale, value)| scale.slope(*value)).collect()
    }

    /// True where every parameter has two finite bounds.
    #[must_use]
    pub fn are_bounded(&self) -> bool {
        let mut ends = self.lower.iter().chain(&self.upper);
        ends.all(|end| end.is_finite())
    }
}

/// An objective of inner coordinates.
#[derive(Debug)]
pub struct Scaled<'o, O: Objective + ?Sized> {
    /// The objective of parameters in their own units.
    pub objective: &'o O,
    /// Their scales.
    pub coordinates: &'o Coordinates,
}

impl<O: Objective + ?Sized> Objective for Scaled<'_, O> {
    fn dimension(&self) -> usize {
        self.objective.dimension()
    }

    fn has_region(&self) -> bool {
        self.objective.has_region()
    }

    fn margins(&self, at: &[f64], wanted: Wanted) -> Result<Vec<Margin>, Fault> {
        let parameters = self.coordinates.outer(at);
        let mut margins = self.objective.margins(&parameters, wanted)?;
        let slopes = self.coordinates.slopes(&parameters);
        for margin in &mut margins {
            for (derivative, slope) in margin.gradient.iter_mut().zip(&slopes) {
                *derivative *= slope;
            }
        }
        Ok(margins)
    }

    fn evaluate(&self, at: &[f64], wanted: Wanted) -> Result<Evaluation, Fault> {
        let parameters = self.coordinates.outer(at);
        let mut evaluation = self.objective.evaluate(&parameters, wanted)?;
        let slopes = self.coordinates.slopes(&parameters);
        let rows = evaluation.jacobian.chunks_exact_mut(slopes.len().max(1));
        for row in rows.chain([evaluation.gradient.as_mut_slice()]) {
            for (derivative, slope) in row.iter_mut().zip(&slopes) {
                *derivative *= slope;
            }
        }
        Ok(evaluation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_on_its_bound_has_its_value() {
        let coordinates = Coordinates::new([(Scale::Logarithmic, 0.1, 10.0)]);
        assert!(coordinates.upper[0].exp() > 10.0, "round-off to be met");
        assert_eq!(coordinates.outer(&coordinates.upper), [10.0]);
        assert_eq!(coordinates.outer(&coordinates.lower), [0.1]);
    }
}
