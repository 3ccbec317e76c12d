//! How long a vector is, known when compiling for the smallest systems.
//!
//! The same loops serve both: with a length that the compiler knows they become straight code,
//! and a step of two equations takes half the time.

use std::sync::atomic::{Ordering, compiler_fence};

/// A number of components.
pub trait Length: Copy {
    /// The number.
    fn get(self) -> usize;

    /// Ends the work on one component, where components should be worked on one by one.
    ///
    /// Functions write their results number by number. Reading two such numbers at once, as the
    /// compiler would like to, makes the processor wait until both have left its store buffer:
    /// longer than the whole sum takes for two to four states.
    fn next(self);
}

/// A number known when compiling.
#[derive(Debug, Clone, Copy)]
pub struct Fixed<const N: usize>;

impl<const N: usize> Length for Fixed<N> {
    #[inline(always)]
    fn get(self) -> usize {
        N
    }

    #[inline(always)]
    fn next(self) {
        if N <= 4 {
            compiler_fence(Ordering::SeqCst);
        }
    }
}

/// Any number.
#[derive(Debug, Clone, Copy)]
pub struct Any(pub usize);

impl Length for Any {
    #[inline(always)]
    fn get(self) -> usize {
        self.0
    }

    #[inline(always)]
    fn next(self) {}
}
