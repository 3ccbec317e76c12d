//! Running the built program in a directory of its own.
//!
//! Enters: arguments and standard input. Leaves: what it printed. Must not know what is tested.

// Each test binary takes what it needs of this module.
#![allow(dead_code)]

pub mod session;
pub mod snapshot;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// No example takes longer, even in a debug build on a busy machine: beyond this it hangs.
const DEADLINE: Duration = Duration::from_secs(120);

/// The root of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The model files that come with the project, sorted.
pub fn model_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = entries(&root().join("models"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "lotka"))
        .collect();
    files.sort();
    files
}

/// Everything in a directory.
pub fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory)
        .unwrap_or_else(|e| panic!("{}: {e}", directory.display()))
        .map(|entry| entry.expect("a directory entry").path())
        .collect()
}

/// Copies the files of a directory and of those in it.
fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory for the test");
    for entry in entries(from) {
        let copy = to.join(entry.file_name().expect("a file name"));
        if entry.is_dir() {
            copy_all(&entry, &copy);
        } else {
            fs::copy(&entry, copy).expect("a copy of a model");
        }
    }
}

/// A directory that holds a copy of `models/` and goes away at the end.
pub struct Workplace {
    path: PathBuf,
}

impl Workplace {
    /// Makes one.
    pub fn new() -> Workplace {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("workplace-{}-{number}", std::process::id()));
        let models = path.join("models");
        copy_all(&root().join("models"), &models);
        Workplace { path }
    }

    /// Writes a file into it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path.join(name), content).expect("a file for the test");
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// What a run of the program left.
#[derive(Debug)]
pub struct Printed {
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Wall-clock time.
    pub took: Duration,
}

impl Printed {
    /// Both streams, output first, as a reader of the manual sees them.
    pub fn both(&self) -> String {
        format!("{}{}", self.output, self.errors)
    }

    /// True after a panic or a signal: never right, whatever was asked.
    pub fn crashed(&self) -> bool {
        !matches!(self.status.code(), Some(code) if code != 101)
    }
}

/// `lotka ARGUMENTS` in `directory`, without colours and 80 columns wide; not started yet.
pub fn program(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lotka"));
    command
        .args(arguments)
        .current_dir(directory)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "80")
        .env("HOME", directory)
        .env_remove("XDG_DATA_HOME")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs `lotka ARGUMENTS` in `directory`, without colours and 80 columns wide.
pub fn lotka(directory: &Path, arguments: &[&str], input: &str) -> Printed {
    run(program(directory, arguments), arguments, input)
}

/// Runs a prepared [`program`] to its end.
pub fn run(mut program: Command, arguments: &[&str], input: &str) -> Printed {
    let started = Instant::now();
    let mut child = program.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    // A program that does not read its input closes the pipe; that is no fault of the test.
    let writer = thread::spawn(move || {
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = collect(child.stdout.take().expect("a pipe"));
    let errors = collect(child.stderr.take().expect("a pipe"));
    let status = wait(&mut child, started, arguments);
    writer.join().expect("the writer ends");
    Printed {
        output: output.join().expect("the reader ends"),
        errors: errors.join().expect("the reader ends"),
        status,
        took: started.elapsed(),
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("the pipe is readable");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, started: Instant, arguments: &[&str]) -> ExitStatus {
    loop {
        if let Some(status) = child.try_wait().expect("the program can be waited for") {
            return status;
        }
        if started.elapsed() > DEADLINE {
            let _ = child.kill();
            panic!("`lotka {}` does not end", arguments.join(" "));
        }
        thread::sleep(Duration::from_millis(2));
    }
}
