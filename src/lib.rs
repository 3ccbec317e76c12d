//! Lotka: a small language and an interpreter for models of change.

pub mod diagnostic;
pub mod figure;
pub mod kernel;
pub mod model;
pub mod render;
pub mod simulate;
pub mod source;
pub mod symbolic;
pub mod syntax;
pub mod table;
pub mod world;
