//! Symbolic expressions with shapes.

mod shape;

pub use shape::Shape;
