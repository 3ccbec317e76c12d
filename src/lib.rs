//! Lotka: a small language and an interpreter for models of change.

pub mod cli;
pub mod diagnostic;
pub mod figure;
pub mod kernel;
pub mod model;
pub mod render;
pub mod repl;
pub mod session;
pub mod simulate;
pub mod source;
pub mod symbolic;
pub mod syntax;
pub mod system;
pub mod table;
pub mod world;
