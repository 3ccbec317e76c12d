//! Checking in the background: one thread, the newest text of each document.
//!
//! Enters: a [`Job`]. Leaves: what `lotka check` finds in that text, with open texts in place of
//! the files on disk.

use super::document::Checked;
use crate::session::{Memory, Session};
use crate::world::{FileState, SystemWorld, World};
use crossbeam_channel::{Receiver, Sender};
use gen_lsp_types::Uri;
use rustc_hash::FxHashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The texts of all open documents.
pub(super) type OpenTexts = FxHashMap<PathBuf, Arc<str>>;

/// A text to be checked.
pub(super) struct Job {
    pub uri: Uri,
    pub path: PathBuf,
    pub version: i32,
    /// The texts of all open documents, this one among them.
    pub open: OpenTexts,
}

/// A checked text.
pub(super) struct Done {
    pub uri: Uri,
    pub checked: Checked,
}

/// Expressions are walked by recursion, as deep as the parser lets them be: as much room as the main
/// thread has.
const STACK: usize = 16 << 20;

/// A thread that checks until no more jobs can come.
///
/// # Errors
/// A thread that the system does not give.
pub(super) fn start(jobs: Receiver<Job>, done: Sender<Done>) -> io::Result<()> {
    let thread = std::thread::Builder::new()
        .name("check".to_owned())
        .stack_size(STACK);
    thread.spawn(move || {
        let memory = Arc::default();
        for job in jobs {
            let uri = job.uri.clone();
            let version = job.version;
            // A fault of the checker must not end the server: this text has no answer then.
            let checked = catch_unwind(AssertUnwindSafe(|| check(job, &memory)));
            let checked = checked.unwrap_or_else(|_| Checked {
                version,
                diagnostics: Vec::new(),
                compiled: None,
                sources: crate::source::SourceMap::new(),
            });
            if done.send(Done { uri, checked }).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

/// What `lotka check` finds.
pub(super) fn check(job: Job, memory: &Arc<Memory>) -> Checked {
    let is_blank = job
        .open
        .get(&job.path)
        .is_some_and(|text| text.trim().is_empty());
    let world = Editor {
        open: job.open,
        disk: SystemWorld::default(),
    };
    let mut session = Session::new(Arc::new(world)).remembering(Arc::clone(memory));
    let examined = session.examine(&job.path);
    Checked {
        version: job.version,
        // Nobody needs to be told of an empty file that it is empty.
        diagnostics: if is_blank {
            Vec::new()
        } else {
            examined.diagnostics
        },
        compiled: examined.compiled,
        sources: session.sources,
    }
}

/// The files as the editor shows them: open texts, and what is on disk.
struct Editor {
    open: OpenTexts,
    disk: SystemWorld,
}

impl World for Editor {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let Some(text) = self.open.get(path) else {
            return self.disk.read(path);
        };
        // A mark of the byte order would be taken away, and all places would be off by it.
        Ok(match text.strip_prefix('\u{feff}') {
            Some(rest) => format!("   {rest}").into_bytes(),
            None => text.as_bytes().to_vec(),
        })
    }

    /// Data are no open texts.
    fn on_disk(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        self.disk.on_disk(path)
    }

    /// What is open changes without a trace on the disk.
    fn state(&self, path: &Path) -> Option<FileState> {
        match self.open.contains_key(path) {
            true => None,
            false => self.disk.state(path),
        }
    }

    /// Checking writes nothing.
    fn write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn cpu_time(&self) -> Duration {
        self.disk.cpu_time()
    }

    fn interrupted(&self) -> bool {
        false
    }
}
