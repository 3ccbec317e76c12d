//! How long the state is, known when compiling for the smallest systems.
//!
//! The same loops serve both: with a length that the compiler knows they become straight code,
//! and a step of two equations takes half the time.

/// A number of states.
pub(super) trait Length: Copy {
    fn get(self) -> usize;
}

/// A number known when compiling.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fixed<const N: usize>;

impl<const N: usize> Length for Fixed<N> {
    #[inline(always)]
    fn get(self) -> usize {
        N
    }
}

/// Any number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Any(pub usize);

impl Length for Any {
    #[inline(always)]
    fn get(self) -> usize {
        self.0
    }
}
