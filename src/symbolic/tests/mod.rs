//! Tests of the symbolic engine across its files.

mod constructors;
