//! The language server: what an editor asks while a model is written.
//!
//! Enters: messages of the Language Server Protocol. Leaves: answers, and the problems of each open
//! text. Every answer is a pure function of a document and a place in it; the loop in `server`
//! keeps documents and passes on. Must not know algorithms, nor how the answers are shown.
//!
//! A text is checked on a thread of its own, the newest version only, so that what is slow (a large
//! model, a long table) never keeps a completion waiting.

mod actions;
mod capabilities;
mod check;
mod colours;
mod complete;
mod document;
mod hover;
mod layout;
mod navigate;
mod outline;
mod position;
mod problems;
mod rename;
mod server;
mod signature;
mod uri;

use crate::cli::Ending;
use crate::world::Interrupt;
use lsp_server::Connection;
use std::io::IsTerminal;

/// Serves one editor over standard input and output until it says goodbye.
#[must_use]
pub fn lsp(interrupt: &Interrupt) -> Ending {
    if std::io::stdin().is_terminal() {
        eprintln!(
            "`lotka lsp` speaks with editors over standard input and output; Ctrl-C ends it."
        );
    }
    let (connection, threads) = Connection::stdio();
    let ending = match server::serve(&connection, interrupt) {
        Ok(()) => Ending::Fine,
        Err(_) if interrupt.is_raised() => return Ending::Interrupted,
        Err(error) => {
            eprintln!("the editor broke off: {error}");
            // The thread that reads may wait for input that never comes.
            return Ending::Model;
        }
    };
    drop(connection);
    match threads.join() {
        Ok(()) => ending,
        Err(_) => Ending::Data,
    }
}
