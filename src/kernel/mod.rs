//! Compiled evaluation of expressions.
