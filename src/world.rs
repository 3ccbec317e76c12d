//! The only door to files, clocks and interrupts.
//!
//! Everything below the terminal asks a [`World`] instead of the operating system, so that the
//! same code runs under the command line, in tests and in an editor.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What the library may ask of its surroundings.
pub trait World: Send + Sync {
    /// The whole content of a file.
    ///
    /// # Errors
    /// Whatever the file system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Writes a whole file, replacing what was there only when the new content is complete.
    ///
    /// # Errors
    /// Whatever the file system says.
    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()>;

    /// CPU time that this process has used so far.
    fn cpu_time(&self) -> Duration;

    /// True once after the user asked to stop what is running; asked at every step.
    fn interrupted(&self) -> bool;
}

/// A flag that a signal handler raises and a computation reads.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks the running computation to stop.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Reads the flag.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Lowers the flag before the next computation.
    pub fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// The real file system and clock.
#[derive(Debug, Clone, Default)]
pub struct SystemWorld {
    /// Raised by whoever handles Ctrl-C.
    pub interrupt: Interrupt,
}

impl World for SystemWorld {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        // A reader never sees half a file: write beside it, then rename over it.
        let mut partial = path.as_os_str().to_owned();
        partial.push(format!(".{}.partial", std::process::id()));
        let partial = PathBuf::from(partial);
        let written =
            std::fs::write(&partial, content).and_then(|()| std::fs::rename(&partial, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&partial);
        }
        written
    }

    fn cpu_time(&self) -> Duration {
        cpu_time::ProcessTime::try_now().map_or(Duration::ZERO, |now| now.as_duration())
    }

    fn interrupted(&self) -> bool {
        self.interrupt.is_raised()
    }
}
