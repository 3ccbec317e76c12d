//! Tells the program which commit it is built from, in release builds.
//!
//! Leaves: the environment variable `LOTKA_COMMIT`, empty without git or outside of a clone. Builds
//! for development do not ask, so that a commit alone compiles nothing anew.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = if is_release { commit() } else { None };
    println!(
        "cargo::rustc-env=LOTKA_COMMIT={}",
        commit.unwrap_or_default()
    );
}

fn commit() -> Option<String> {
    // Every commit and every change of branch is written there.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    println!("cargo::rerun-if-changed={log}");
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    let mark = if changed.is_empty() { "" } else { "+" };
    Some(format!("{commit}{mark}"))
}

/// What git says, if there is git.
fn git(arguments: &[&str]) -> Option<String> {
    // A clone of something else around an unpacked archive is not this project.
    if !std::path::Path::new(".git").exists() {
        return None;
    }
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
