//! The layout of a text says the same as the text, is laid out, and is never the text merely given
//! back.

use super::{FIRST, text_of};
use lotka::syntax::format::{format, without_places};
use lotka::syntax::parse_file;

pub fn holds(bytes: &[u8]) {
    let text = text_of(bytes);
    let Ok(laid_out) = format(FIRST, text) else {
        return;
    };
    let (before, after) = (parse_file(FIRST, text), parse_file(FIRST, &laid_out));
    assert_eq!(after.diagnostics, [], "laid out as {laid_out:?}");
    assert_eq!(
        without_places(&before.file),
        without_places(&after.file),
        "laid out as {laid_out:?}"
    );
    let again = format(FIRST, &laid_out);
    assert_eq!(again.as_deref(), Ok(laid_out.as_str()));
    // Empty lines at the end of a text go away, unless it could not be laid out.
    let longer = format!("{text}\n\n\n");
    let of_longer = format(FIRST, &longer);
    assert_eq!(of_longer.as_deref(), Ok(laid_out.as_str()));
}
