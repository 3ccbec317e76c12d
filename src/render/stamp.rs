//! Stamps in outputs: where each has a place that other programs leave alone.
//!
//! Enters: a finished file and its stamp. Leaves: the file with the stamp in it, as JSON: in the
//! metadata of an SVG, in a text chunk of a PNG, in a script element of a page that nobody runs, in
//! the field `stamp` of a JSON object. Must not know what the files show.

use crate::session::Stamp;
use std::borrow::Cow;
use std::path::Path;

/// The content of a file with its stamp; as it is in a form that has no place for one.
#[must_use]
pub fn stamped<'c>(path: &Path, content: &'c [u8], stamp: &Stamp) -> Cow<'c, [u8]> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    let with = match extension.to_str() {
        Some("svg") => text(content, |svg| in_svg(svg, stamp)),
        Some("png") => in_png(content, stamp),
        Some("html" | "htm") => text(content, |page| in_page(page, stamp)),
        Some("json") => text(content, |object| Some(in_json(object, stamp))),
        _ => None,
    };
    with.map_or(Cow::Borrowed(content), Cow::Owned)
}

fn text(content: &[u8], with: impl FnOnce(&str) -> Option<String>) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(content).ok()?;
    with(text).map(String::into_bytes)
}

fn json(stamp: &Stamp) -> String {
    serde_json::to_string(stamp).unwrap_or_default()
}

fn in_svg(svg: &str, stamp: &Stamp) -> Option<String> {
    let after = svg.find("<svg")? + svg.get(svg.find("<svg")?..)?.find('>')? + 1;
    let (head, rest) = svg.split_at_checked(after)?;
    let escaped = json(stamp).replace('&', "&amp;").replace('<', "&lt;");
    Some(format!("{head}<metadata>{escaped}</metadata>{rest}"))
}

fn in_page(page: &str, stamp: &Stamp) -> Option<String> {
    let (head, rest) = page.split_at_checked(page.find("</head>")?)?;
    // `</script>` within a string would end the element.
    let escaped = json(stamp).replace('<', "\\u003c");
    Some(format!(
        "{head}<script type=\"application/json\" id=\"lotka-stamp\">{escaped}</script>\n{rest}"
    ))
}

/// One object, or a list of them, each with the field `stamp` at its end.
#[must_use]
pub fn in_json(text: &str, stamp: &Stamp) -> String {
    use serde_json::value::RawValue;
    let field = json(stamp);
    let one = |object: &str| match object.trim_end().strip_suffix('}') {
        Some(head) if head.trim() != "{" => format!("{head},\"stamp\":{field}}}"),
        _ => object.to_owned(),
    };
    let end = if text.ends_with('\n') { "\n" } else { "" };
    match serde_json::from_str::<Vec<&RawValue>>(text) {
        Ok(several) => {
            let several: Vec<String> = several.iter().map(|object| one(object.get())).collect();
            format!("[{}]{end}", several.join(","))
        }
        Err(_) => one(text) + end,
    }
}

/// An `iTXt` chunk (PNG specification, 11.3.3.4) behind the header, which is always first and has a
/// fixed length.
fn in_png(png: &[u8], stamp: &Stamp) -> Option<Vec<u8>> {
    const SIGNATURE_AND_HEADER: usize = 8 + 4 + 4 + 13 + 4;
    let (head, rest) = png.split_at_checked(SIGNATURE_AND_HEADER)?;
    // Not compressed, without language or translated keyword.
    let mut chunk = b"iTXtlotka-stamp\0\0\0\0\0".to_vec();
    chunk.extend_from_slice(json(stamp).as_bytes());
    let length = u32::try_from(chunk.len() - 4).ok()?;
    let check = crc32fast::hash(&chunk);
    Some(
        [
            head,
            &length.to_be_bytes(),
            &chunk,
            &check.to_be_bytes(),
            rest,
        ]
        .concat(),
    )
}
