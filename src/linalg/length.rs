//! How long a vector is, known when compiling for the smallest systems.
//!
//! The same loops serve both: with a length that the compiler knows they become straight code,
//! and a step of two equations takes half the time.

/// A number of components.
pub trait Length: Copy {
    /// The number.
    fn get(self) -> usize;
}

/// A number known when compiling.
#[derive(Debug, Clone, Copy)]
pub struct Fixed<const N: usize>;

impl<const N: usize> Length for Fixed<N> {
    #[inline(always)]
    fn get(self) -> usize {
        N
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
}
