//! What may be typed next, at the prompt and in an editor.
//!
//! Enters: text as far as it is typed, the names that are known. Leaves: tokens for colours, the
//! words that may stand at the cursor, what a word is. Must not know terminals, editors or
//! protocols.

mod clauses;
mod complete;
mod known;
mod scan;

#[cfg(test)]
mod tests;

pub use clauses::CLAUSES;
pub use complete::{Cursor, Sort, Suggestion, suggestions};
pub use known::{Known, Role};
pub use scan::{Kind, Token, partner, tokens};
