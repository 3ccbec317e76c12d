//! The only door to files, clocks and interrupts.
//!
//! Everything below the terminal asks a [`World`] instead of the operating system, so that the
//! same code runs under the command line, in tests and in an editor.

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// What the library may ask of its surroundings.
pub trait World: Send + Sync {
    /// The whole content of a file.
    ///
    /// # Errors
    /// Whatever the file system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Where a file stands that is to be read in parts since it may be large; nothing where this world
    /// keeps its files elsewhere than on a disk, and [`World::read`] has them.
    ///
    /// # Errors
    /// Those of [`World::read`].
    fn on_disk(&self, _path: &Path) -> io::Result<Option<PathBuf>> {
        Ok(None)
    }

    /// What tells a file from itself before a change, without reading it; nothing where this world
    /// cannot say.
    fn state(&self, _path: &Path) -> Option<FileState> {
        None
    }

    /// Writes a whole file; what this world wrote before is replaced, only when the new content is
    /// complete. What is no plain file (a pipe, a device) is written to as it is.
    ///
    /// # Errors
    /// `AlreadyExists` where [`World::is_taken`]; whatever the file system says.
    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()>;

    /// The same, whatever was there.
    ///
    /// # Errors
    /// Whatever the file system says.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.write(path, content)
    }

    /// A file that `make` makes at a place of its own, which takes its place here when it is
    /// complete: for what cannot be made in memory.
    ///
    /// # Errors
    /// Those of [`World::write`], then before anything is made; whatever `make` says, and nothing is
    /// left of what it made.
    fn write_made(
        &self,
        path: &Path,
        make: &mut dyn FnMut(&Path) -> io::Result<()>,
    ) -> io::Result<()> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("lotka-{}-{number}.partial", std::process::id());
        let place = std::env::temp_dir().join(name);
        let made = make(&place)
            .and_then(|()| std::fs::read(&place))
            .and_then(|content| self.write(path, &content));
        let _ = std::fs::remove_file(&place);
        made
    }

    /// True of a file that is not to be overwritten: it was there before, and nobody said that it
    /// may be lost.
    fn is_taken(&self, _path: &Path) -> bool {
        false
    }

    /// True of a file that was written through this door before.
    fn wrote(&self, _path: &Path) -> bool {
        false
    }

    /// True where it was said that files, and what stands in them, may be replaced.
    fn overwrites(&self) -> bool {
        false
    }

    /// The files read so far, in order, where that is kept.
    fn files_read(&self) -> Vec<FileRead> {
        Vec::new()
    }

    /// A file's full path, so that two names of one file are the same.
    fn place(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }

    /// CPU time that this process has used so far.
    fn cpu_time(&self) -> Duration;

    /// How many threads a computation may use, at least 1: the cores of the machine when nobody
    /// says otherwise. Results do not depend on it.
    fn threads(&self) -> usize {
        std::thread::available_parallelism().map_or(1, NonZero::get)
    }

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

/// A file as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRead {
    /// Its name, as it was asked for.
    pub path: PathBuf,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// A file that differs in neither has not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    /// Its length in bytes.
    pub len: u64,
    /// When it was written last.
    pub modified: SystemTime,
}

/// What a world has read and written.
#[derive(Debug, Clone, Default)]
pub struct Traffic(Arc<Mutex<Files>>);

#[derive(Debug, Default)]
struct Files {
    /// `None` where nobody asks for it.
    read: Option<Vec<FileRead>>,
    /// Full paths.
    written: BTreeSet<PathBuf>,
    /// Files that were hashed in parts, by length and time of the last change.
    hashed: BTreeMap<(PathBuf, u64, Option<SystemTime>), String>,
}

impl Traffic {
    /// Keeps which files are read.
    #[must_use]
    pub fn of_all_files() -> Traffic {
        Traffic(Arc::new(Mutex::new(Files {
            read: Some(Vec::new()),
            ..Files::default()
        })))
    }

    /// A thread that died while it held the list leaves it whole.
    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, path: &Path, content: &[u8]) {
        if let Some(read) = &mut self.files().read {
            read.push(FileRead {
                path: path.to_owned(),
                sha256: sha256(content),
            });
        }
    }

    /// The same of a file that is read in parts; one that has not changed is hashed once.
    fn note_in_parts(&self, path: &Path, file: &mut std::fs::File) -> io::Result<()> {
        let mut files = self.files();
        if files.read.is_none() {
            return Ok(());
        }
        let about = file.metadata()?;
        let key = (path.to_owned(), about.len(), about.modified().ok());
        let sha256 = match files.hashed.get(&key) {
            Some(known) => known.clone(),
            None => {
                let sha256 = sha256_in_parts(file)?;
                files.hashed.insert(key, sha256.clone());
                sha256
            }
        };
        if let Some(read) = &mut files.read {
            read.push(FileRead {
                path: path.to_owned(),
                sha256,
            });
        }
        Ok(())
    }
}

/// The SHA-256 of bytes, in hexadecimal.
#[must_use]
pub fn sha256(content: &[u8]) -> String {
    in_hexadecimal(&Sha256::digest(content))
}

/// The same of all that a reader gives.
fn sha256_in_parts(file: &mut impl Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut part = vec![0; 1 << 20];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(in_hexadecimal(&hasher.finalize())),
            count => hasher.update(part.get(..count).unwrap_or_default()),
        }
    }
}

fn in_hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The real file system and clock.
#[derive(Debug, Clone, Default)]
pub struct SystemWorld {
    /// Raised by whoever handles Ctrl-C.
    pub interrupt: Interrupt,
    /// `--threads`
    pub threads: Option<NonZero<usize>>,
    /// `--force`: files that were there before may be overwritten.
    pub overwrite: bool,
    /// What was read and written.
    pub traffic: Traffic,
    /// Standard input has been read, which can be done once.
    pub piped: Arc<AtomicBool>,
}

impl World for SystemWorld {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // As shells have it.
        let content = match path.as_os_str() == "-" {
            true => {
                if self.piped.swap(true, Ordering::Relaxed) {
                    return Err(io::Error::other("standard input has been read before"));
                }
                let mut piped = Vec::new();
                io::stdin().lock().read_to_end(&mut piped)?;
                piped
            }
            false => std::fs::read(path)?,
        };
        self.traffic.note(path, &content);
        Ok(content)
    }

    fn on_disk(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let mut file = std::fs::File::open(path)?;
        // A pipe is read once: as a whole.
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        self.traffic.note_in_parts(path, &mut file)?;
        Ok(Some(path.to_owned()))
    }

    fn state(&self, path: &Path) -> Option<FileState> {
        let about = std::fs::metadata(path).ok()?;
        // A pipe or a device may give something else each time.
        let modified = about.modified().ok().filter(|_| about.is_file())?;
        Some(FileState {
            len: about.len(),
            modified,
        })
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        if self.is_taken(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.replace(path, content)
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        // Renaming over a device or a pipe would destroy it; a link keeps pointing where it does.
        if std::fs::metadata(path).is_ok_and(|known| !known.is_file()) {
            return std::fs::write(path, content);
        }
        self.beside(path, &mut |partial| std::fs::write(partial, content))
    }

    fn write_made(
        &self,
        path: &Path,
        make: &mut dyn FnMut(&Path) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.is_taken(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if std::fs::metadata(path).is_ok_and(|known| !known.is_file()) {
            return Err(io::Error::other("this is no plain file"));
        }
        self.beside(path, make)
    }

    fn is_taken(&self, path: &Path) -> bool {
        let is_there = std::fs::metadata(path).is_ok_and(|known| known.is_file());
        is_there && !self.overwrite && !self.wrote(path)
    }

    fn wrote(&self, path: &Path) -> bool {
        let place = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        self.traffic.files().written.contains(&place)
    }

    fn overwrites(&self) -> bool {
        self.overwrite
    }

    fn files_read(&self) -> Vec<FileRead> {
        self.traffic.files().read.clone().unwrap_or_default()
    }

    fn place(&self, path: &Path) -> PathBuf {
        std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
    }

    fn cpu_time(&self) -> Duration {
        cpu_time::ProcessTime::try_now().map_or(Duration::ZERO, |now| now.as_duration())
    }

    fn threads(&self) -> usize {
        let all = std::thread::available_parallelism().ok();
        self.threads.or(all).map_or(1, NonZero::get)
    }

    fn interrupted(&self) -> bool {
        self.interrupt.is_raised()
    }
}

impl SystemWorld {
    /// A reader never sees half a file: it is made beside its place, then renamed over it.
    fn beside(&self, path: &Path, make: &mut dyn FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
        let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut partial = path.as_os_str().to_owned();
        partial.push(format!(".{}.partial", std::process::id()));
        let partial = PathBuf::from(partial);
        let written = make(&partial).and_then(|()| std::fs::rename(&partial, path));
        match &written {
            Ok(()) => {
                let own = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                self.traffic.files().written.insert(own);
            }
            Err(_) => {
                let _ = std::fs::remove_file(&partial);
            }
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_read_in_parts_is_noted_with_the_same_hash() {
        let path = std::env::temp_dir().join(format!("lotka-parts-{}", std::process::id()));
        std::fs::write(&path, vec![7; (1 << 20) + 3]).unwrap();
        let world = SystemWorld {
            traffic: Traffic::of_all_files(),
            ..SystemWorld::default()
        };
        assert_eq!(world.on_disk(&path).unwrap(), Some(path.clone()));
        world.read(&path).unwrap();
        assert_eq!(world.on_disk(&path).unwrap(), Some(path.clone()));
        std::fs::remove_file(&path).unwrap();
        let read = world.files_read();
        assert_eq!(read.len(), 3);
        assert!(read.iter().all(|one| *one == read[0]));
        assert!(world.on_disk(&path).is_err());
    }

    #[test]
    fn devices_and_links_stay_what_they_are() {
        // A device of this test's own: a socket is no plain file either, and cheap to make.
        let folder = std::env::temp_dir().join(format!("lotka-world-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let world = SystemWorld::default();
        #[cfg(unix)]
        {
            let socket = folder.join("socket");
            let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
            assert!(world.write(&socket, b"1").is_err());
            let kind = std::fs::metadata(&socket)
                .expect("it is still there")
                .file_type();
            assert!(!kind.is_file());
            let (target, link) = (folder.join("target"), folder.join("link"));
            std::fs::write(&target, b"old").expect("a file");
            std::os::unix::fs::symlink(&target, &link).expect("a link");
            // What was there before is not lost unasked.
            let refused = world.write(&link, b"new").expect_err("it is there");
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read(&target).expect("a file"), b"old");
            world
                .replace(&link, b"new")
                .expect("written through the link");
            assert_eq!(std::fs::read(&target).expect("a file"), b"new");
            assert!(std::fs::symlink_metadata(&link).is_ok_and(|known| known.is_symlink()));
            // What it wrote itself it writes anew.
            assert!(!world.is_taken(&target));
            world.write(&link, b"newer").expect("its own");
        }
        assert!(world.write(&folder, b"1").is_err());
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
