//! Addresses of texts, as editors name them, and paths of files.

use gen_lsp_types::Uri;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The path of a file; for a text that is no file yet (`untitled:1`), its address as a path.
pub(super) fn path_of(uri: &Uri) -> PathBuf {
    let Some(rest) = uri.0.strip_prefix("file://") else {
        return PathBuf::from(&uri.0);
    };
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or(rest);
    let path = decoded(path);
    // `/C:/models` is `C:/models`.
    let drive = path.strip_prefix('/').filter(|path| {
        let mut letters = path.chars();
        letters.next().is_some_and(|c| c.is_ascii_alphabetic()) && letters.next() == Some(':')
    });
    PathBuf::from(drive.unwrap_or(&path))
}

/// The address of a file.
pub(super) fn uri_of(path: &Path) -> Uri {
    let mut text = String::from("file://");
    let path = path.to_string_lossy().replace('\\', "/");
    if !path.starts_with('/') {
        text.push('/');
    }
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            _ => {
                // Writing into a text cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    Uri(text)
}

/// `%20` and the like become their bytes; what is no such thing stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_addresses_turn_into_each_other() {
        let path = Path::new("/home/a b/50% µ.lotka");
        assert_eq!(uri_of(path).0, "file:///home/a%20b/50%25%20%C2%B5.lotka");
        assert_eq!(path_of(&uri_of(path)), path);
        let of = |text: &str| path_of(&Uri::from(text));
        assert_eq!(of("file:///C%3A/m.lotka"), Path::new("C:/m.lotka"));
        assert_eq!(of("file://localhost/m.lotka"), Path::new("/m.lotka"));
        assert_eq!(of("untitled:Untitled-1"), Path::new("untitled:Untitled-1"));
        assert_eq!(of("file:///100%"), Path::new("/100%"));
    }
}
