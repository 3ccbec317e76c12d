//! Which instruction set loops over lanes are compiled for.
//!
//! Enters: this machine. Leaves: one function in several versions, of which the widest that the
//! machine has is run. All versions round alike and so give the same bits.

/// The widest vector instructions of this machine. Only [`Level::detect`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(Width);

/// How many numbers an instruction works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Eight numbers at once.
    #[cfg(target_arch = "x86_64")]
    Eight,
    /// Four.
    #[cfg(target_arch = "x86_64")]
    Four,
    /// What every machine of this kind has.
    Baseline,
}

impl Level {
    /// What the machine that this runs on has.
    #[must_use]
    pub fn detect() -> Level {
        Level::all().next().unwrap_or(Level(Width::Baseline))
    }

    /// Everything that this machine has, the widest first.
    pub fn all() -> impl Iterator<Item = Level> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx512f") && has!("avx512dq") && has!("avx512vl") && has!("avx512bw") {
                found.push(Level(Width::Eight));
            }
            if has!("avx2") {
                found.push(Level(Width::Four));
            }
        }
        found.push(Level(Width::Baseline));
        found.into_iter()
    }

    /// The version to be run.
    #[must_use]
    pub fn width(self) -> Width {
        self.0
    }
}

/// `fn name(level, arguments) = inner`: the function `inner`, which must be `#[inline(always)]`
/// and return nothing, compiled once for each level.
macro_rules! in_lanes {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident(
        $($argument:ident: $kind:ty),* $(,)?) = $inner:path) => {
        $(#[$attribute])*
        #[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "instructions that not every machine has"))]
        $visibility fn $name(level: $crate::kernel::lanes::level::Level, $($argument: $kind),*) {
            use $crate::kernel::lanes::level::Width;
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
            fn eight($($argument: $kind),*) {
                $inner($($argument),*);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn four($($argument: $kind),*) {
                $inner($($argument),*);
            }
            match level.width() {
                // SAFETY: a level of this width is only made where the processor has said that
                // it has exactly these instructions.
                #[cfg(target_arch = "x86_64")]
                Width::Eight => unsafe { eight($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Width::Four => unsafe { four($($argument),*) },
                Width::Baseline => $inner($($argument),*),
            }
        }
    };
}
pub(crate) use in_lanes;
