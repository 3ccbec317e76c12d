//! Steps of methods as formulas.
