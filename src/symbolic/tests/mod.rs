//! Tests of the symbolic engine across its files.

mod builtins;
mod constructors;
mod derivatives;
mod operators;
mod printing;
mod random;
mod signs;
mod speed;
