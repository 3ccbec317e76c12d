//! Lotka: a small language and an interpreter for models of change.
//!
//! A model file says what changes and how; Lotka turns it into symbolic equations with exact
//! Jacobians, compiles them and simulates. The same sentences work in a file, at a prompt and
//! from Rust:
//!
//! ```
//! let model = lotka::compile(
//!     "state prey = 10, predator = 5
//!      prey' = 1.1*prey - 0.4*prey*predator
//!      predator' = 0.1*prey*predator - 0.4*predator",
//! )?;
//! let run = model.simulate("0..50 step 0.1")?;
//! let total = run.column("prey + predator")?;
//! assert_eq!(run.times().len(), total.len());
//! # Ok::<(), lotka::Error>(())
//! ```
//!
//! # The data's way
//!
//! ```text
//! Source --parse--> SyntaxTree --check--> Model --derive--> System --compile--> Kernels --> simulate --> Solution
//!  text, spans      mirrors the text     names, shapes,    drift, Jacobian   functions    steppers     times,
//!                   (file or one line)   reactions; all    with its exact    over slices  under one    states,
//!                                        problems reported pattern, laws     (tape)       driver       work, stop
//! ```
//!
//! Each arrow is one function with one input type and one output type. [`session`] owns the
//! loaded model, the present values and the last run, performs a [`session::Command`] (the
//! understood sentence) and returns a [`session::Outcome`] (data, never text). The command line,
//! the prompt and [`compile`] all go through it.
//!
//! # Rooms, bottom up; imports go down only
//!
//! | level | room | holds | must not know |
//! | --- | --- | --- | --- |
//! | 0 | [`source`], [`diagnostic`], [`world`], [`figure`] | spans; problems with codes; the door to files, clock and interrupts; figures as data | the terminal |
//! | 1 | [`syntax`] | text to tree, expressions to text, the layout of files | meanings; only its parser knows the grammar's rules |
//! | 1 | [`symbolic`] | hash-consed expressions with shapes, the table of built-ins, derivatives, operators, printing | spans, numeric arrays |
//! | 1 | [`table`] | data tables, CSV and TSV; cells by genes, AnnData files | models |
//! | 2 | [`model`] | names, index sets, masks, reactions, definitions, units and their scales, instances of other models; every check | derivatives |
//! | 3 | [`system`] | definitions inlined, drift, Jacobians with their sparsity, guards and the modes they set, the index of constraints, conservation laws, the diffusion matrix of noise; flows and maps | back ends |
//! | 4 | [`kernel`] | one lowering to programs; the tape that executes them, machine code with the same bits, and lanes for many members at once (the only unsafe code); streams of random numbers | solvers, names |
//! | 5 | [`linalg`] | factorisations of small and sparse matrices, over and over, and of large ones; exponentials; Lyapunov equations; spectra | equations |
//! | 6 | [`simulate`] | own steppers and the one bridge to the solver crate, under one driver with all that interrupts a run: events, doses, inputs, switches, delays; sensitivities; maps iterated | text, terminal |
//! | 7 | [`analyze`] | equilibria and their stability, continuation of any F(u, p) = 0, portraits, stationary distributions, measures of curves, networks at many states | text, terminal |
//! | 8 | [`fit`] | distributions of data, objectives and filters with exact gradients, searches, also within regions, posteriors, how far to trust what they find; models of many genes by statistics of their cells | text, terminal |
//! | 9 | [`session`] | commands, outcomes, values that hold now, which files a model is made of and reads | standard output, line editing |
//! | 10 | [`typing`] | what may stand at the cursor, for the prompt and for editors; asks [`render`] for the words of help only | terminals, protocols |
//! | 10 | [`render`], [`repl`], [`lsp`], [`cli`] | diagnostics and their pages, tables, figures, prompt, language server, arguments: the only places that print | algorithms |
//!
//! # What everything rests on
//!
//! - Expressions carry shapes; a Jacobian is a linear operator, so the Jacobian of `A*y` is `A`.
//! - A kernel is a pure function `f(t, state, parameters, slots)` into a slice. Compiled code is
//!   immutable and shared in an `Arc`; working space belongs to one thread. Parameters are never
//!   baked in.
//! - Interrupts and assertions are polled at every step, never inside kernels. A run that stops
//!   early keeps what it has and says why as data ([`simulate::Stop`]).
//! - Numerical layers name things by position; only the session turns positions into names and
//!   source lines.
//! - The same input gives the same bytes.

#![warn(missing_docs)]

pub mod analyze;
pub mod cli;
pub mod diagnostic;
pub mod figure;
pub mod fit;
pub mod kernel;
pub mod linalg;
pub mod lsp;
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
pub mod typing;
pub mod world;

pub use session::{Compiled, Error, Trajectory, compile};

/// The Rust of the README and of the manual, run as tests.
#[cfg(doctest)]
// `file=NAME` after a fence is for tests/manual.
#[allow(rustdoc::invalid_codeblock_attributes)]
mod texts {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/src/library.md")]
    struct Library;
}
