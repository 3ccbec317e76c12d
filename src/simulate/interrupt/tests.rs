//! Runs with interruptions against exact solutions.
