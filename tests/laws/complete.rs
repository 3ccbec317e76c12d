//! Wherever the cursor stands in whatever text, there are tokens for it, and words that may follow.

use super::{FIRST, text_of};
use lotka::session::verbs::Place;
use lotka::syntax::parse_file;
use lotka::typing::{Cursor, Known, partner, suggestions, tokens};
use std::path::Path;

/// Places of the cursor that are tried.
const MOST: usize = 12;

pub fn holds(bytes: &[u8]) {
    let text = text_of(bytes);
    let known = Known::of_text(&parse_file(FIRST, text).file, FIRST, None);
    let mut end = 0;
    let tokens = tokens(text);
    for token in &tokens {
        assert_eq!(token.start, end, "a gap between tokens");
        assert!(text.is_char_boundary(token.end));
        end = token.end;
    }
    assert_eq!(end, text.len(), "an end without tokens");
    for token in tokens.iter().rev().step_by(tokens.len() / MOST + 1) {
        if let Some((one, other)) = partner(text, token.start) {
            assert!(one < text.len() && other < text.len());
        }
        // In the midst of the token, where it has one.
        let middle = (token.start + token.end) / 2;
        for at in [middle, token.end] {
            for place in [Place::Anywhere, Place::Prompt] {
                let cursor = Cursor {
                    known: &known,
                    place,
                    // No such folder: nothing of the machine is listed.
                    folder: Path::new("/nowhere"),
                };
                let Some(typed) = text.get(..at) else {
                    continue;
                };
                let (begin, _) = suggestions(typed, cursor);
                assert!(typed.get(begin..).is_some(), "{begin} is no place");
            }
        }
    }
}
