//! Tests of the symbolic engine across its files.

mod constructors;
mod derivatives;
mod operators;
mod random;
mod speed;
