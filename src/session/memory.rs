//! What one session leaves to the next that reads the same files: an editor has them checked at every
//! keystroke.
//!
//! Enters: statements and data files as they were read. Leaves: those that have not changed. Must not
//! know what they mean.

use crate::syntax;
use crate::table::Table;
use crate::table::h5ad::H5ad;
use crate::world::FileState;
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Data files that are kept; with more of them, all are read again.
const MOST_FILES: usize = 64;

/// Statements and data files.
#[derive(Default)]
pub struct Memory {
    statements: Mutex<syntax::Memory>,
    files: Mutex<FxHashMap<PathBuf, Kept>>,
}

/// A data file as it was when it was read.
struct Kept {
    state: FileState,
    contents: Contents,
}

#[derive(Clone)]
pub(super) enum Contents {
    Table(Arc<Table>),
    AnnData(Arc<H5ad>),
}

impl Memory {
    /// Calls `read` with what is remembered of statements.
    pub(super) fn of_statements<R>(&self, read: impl FnOnce(&mut syntax::Memory) -> R) -> R {
        // Whoever died while it held the memory left sound statements in it.
        read(
            &mut self
                .statements
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// The contents of a file that is still as it was.
    pub(super) fn recall(&self, path: &Path, state: &FileState) -> Option<Contents> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = files.get(path).filter(|kept| kept.state == *state)?;
        Some(kept.contents.clone())
    }

    /// Keeps the contents of a file that was in this state before it was read.
    pub(super) fn keep(&self, path: PathBuf, state: FileState, contents: Contents) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() >= MOST_FILES {
            files.clear();
        }
        files.insert(path, Kept { state, contents });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Session;
    use crate::world::{SystemWorld, World};
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// The disk; counts how often data are read.
    #[derive(Default)]
    struct Counting {
        disk: SystemWorld,
        data_read: AtomicUsize,
    }

    impl Counting {
        fn count(&self, path: &Path) {
            if path.extension().is_some_and(|ending| ending != "lotka") {
                self.data_read.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    impl World for Counting {
        fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
            self.count(path);
            self.disk.read(path)
        }

        fn on_disk(&self, path: &Path) -> io::Result<Option<PathBuf>> {
            self.count(path);
            self.disk.on_disk(path)
        }

        fn state(&self, path: &Path) -> Option<FileState> {
            self.disk.state(path)
        }

        fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
            self.disk.write(path, content)
        }

        fn cpu_time(&self) -> Duration {
            Duration::ZERO
        }

        fn interrupted(&self) -> bool {
            false
        }
    }

    #[test]
    fn data_files_are_read_again_when_they_have_changed() {
        let folder = std::env::temp_dir().join(format!("lotka-memory-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let (model, table) = (folder.join("m.lotka"), folder.join("light.csv"));
        let cells = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/columns.h5ad");
        std::fs::copy(cells, folder.join("cells.h5ad")).expect("cells");
        std::fs::write(&table, "time,light\n0,0\n10,1\n").expect("a table");
        let text = "index gene from \"cells.h5ad\" var\ninput light from \"light.csv\" linear\n\
                    state x[gene] = 1\nx' = -light*x\nsimulate 0..10\n";
        std::fs::write(&model, text).expect("a model");
        let memory = Arc::new(Memory::default());
        let examined = || {
            let world = Arc::new(Counting::default());
            let session = Session::new(Arc::clone(&world) as Arc<dyn World>);
            let examined = session.remembering(Arc::clone(&memory)).examine(&model);
            let codes = examined
                .diagnostics
                .iter()
                .map(|problem| problem.code.as_str());
            let codes: Vec<&str> = codes.collect();
            (world.data_read.load(Ordering::Relaxed), codes)
        };
        assert_eq!(examined(), (2, vec![]));
        assert_eq!(examined(), (0, vec![]));
        std::fs::write(&table, "time,dark\n0,0\n10,1\n1000,2\n").expect("another table");
        assert_eq!(examined(), (1, vec!["E0505"]));
        std::fs::remove_file(&table).expect("removed");
        assert_eq!(examined(), (1, vec!["E0501"]));
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
