//! Tests that need a model and files at once.

mod doses;
mod inputs;
mod maps;
mod modules;
mod paths;

use super::check::check_text;
use super::compiled::Compiled;
use crate::source::SourceId;
use crate::world::World;
use std::cell::Cell;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Files in memory; counts how often they are read.
struct Files {
    files: Vec<(&'static str, String)>,
    read: Mutex<Cell<usize>>,
}

impl Files {
    fn new(files: &[(&'static str, &str)]) -> Files {
        Files {
            files: files
                .iter()
                .map(|(name, text)| (*name, (*text).to_owned()))
                .collect(),
            read: Mutex::default(),
        }
    }

    fn times_read(&self) -> usize {
        self.read.lock().expect("not poisoned").get()
    }
}

impl World for Files {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let count = self.read.lock().expect("not poisoned");
        count.set(count.get() + 1);
        self.files
            .iter()
            .find(|(name, _)| Path::new(name) == path)
            .map(|(_, text)| text.clone().into_bytes())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn cpu_time(&self) -> Duration {
        Duration::ZERO
    }

    fn interrupted(&self) -> bool {
        false
    }
}

fn compile(text: &str) -> Arc<Compiled> {
    let checked = check_text(SourceId(0), text);
    let problems = checked.diagnostics;
    Compiled::new(checked.model.unwrap_or_else(|| panic!("{problems:#?}")))
}
