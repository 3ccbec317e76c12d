//! The pages of diagnostics for a terminal: the very text of the manual, lightly set.
//!
//! Enters: what `explain` was asked about. Leaves: text, with its place in the manual for programs.
//! Must not know where a diagnostic is raised.

use super::{Colour, words};
use crate::diagnostic::{Area, Code};
use crate::session::Explained;
use std::fmt::Write as _;

/// Lines longer than this are hard to read, however wide the terminal is.
const MOST_COLUMNS: usize = 90;

/// A page of the manual: the codes of one area.
struct Page {
    area: Area,
    /// Its file in the folder `diagnostics` of the manual, without the ending.
    name: &'static str,
    text: &'static str,
}

macro_rules! page {
    ($area:ident, $name:literal) => {
        Page {
            area: Area::$area,
            name: $name,
            text: include_str!(concat!("../../docs/src/diagnostics/", $name, ".md")),
        }
    };
}

/// A page for each area.
static PAGES: &[Page] = &[
    page!(Text, "text"),
    page!(Names, "names"),
    page!(Shapes, "shapes"),
    page!(Values, "values"),
    page!(Data, "data"),
    page!(Numerics, "numerics"),
    page!(Sentences, "sentences"),
    page!(NotPerformed, "not-performed"),
];

fn page_of(area: Area) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.area == area)
}

/// The heading that a code has on its page.
fn heading(code: Code) -> String {
    format!("## {}: {}", code.as_str(), code.title())
}

/// The section of a code, its heading left out; nothing when the manual has none.
#[must_use]
pub fn section(code: Code) -> Option<&'static str> {
    let page = page_of(code.area()?)?;
    let heading = heading(code);
    let at = page.text.find(&format!("\n{heading}\n"))?;
    let after = page.text.get(at + heading.len() + 2..)?;
    let end = after.find("\n## ").unwrap_or(after.len());
    after.get(..end).map(str::trim)
}

/// Where a code is told in the manual, from its folder `src`: the file and the heading in it.
#[must_use]
pub fn place(code: Code) -> Option<String> {
    let page = page_of(code.area()?)?;
    let mut anchor = String::new();
    // As mdBook names headings: small letters, digits, `-` for spaces, nothing else.
    for character in heading(code).trim_start_matches("## ").chars() {
        match character {
            ' ' => anchor.push('-'),
            other if other.is_alphanumeric() || "-_".contains(other) => {
                anchor.extend(other.to_lowercase());
            }
            _ => {}
        }
    }
    Some(format!("diagnostics/{}.md#{anchor}", page.name))
}

/// What was asked about, one after the other; the areas when it was nothing.
#[must_use]
pub fn text(asked: &[Explained], width: usize, colour: Colour) -> String {
    let width = width.min(MOST_COLUMNS);
    if asked.is_empty() {
        return areas(width);
    }
    let parts: Vec<String> = asked
        .iter()
        .map(|one| match one {
            Explained::Code(code) => on_code(*code, width, colour),
            Explained::Area(area) => on_area(*area, width, colour),
        })
        .collect();
    parts.join("\n")
}

fn areas(width: usize) -> String {
    let mut text = String::from("the two digits after `E` (errors) and `W` (warnings):\n");
    for area in Area::ALL {
        let count = area.codes().count();
        let line = format!("  {}  {} ({count} codes)", area.digits(), area.title());
        let _ = writeln!(text, "{}", words::wrapped(&line, width, "      "));
    }
    text.push_str("`explain E01` lists the codes of a kind, `explain E0101` explains one\n");
    text
}

fn on_area(area: Area, width: usize, colour: Colour) -> String {
    let title = format!("{}: {}", area.digits(), area.title());
    let mut text = bold(&title, colour) + "\n";
    for code in area.codes() {
        let line = format!("  {}  {}", code.as_str(), code.title());
        let _ = writeln!(text, "{}", words::wrapped(&line, width, "         "));
    }
    text
}

fn on_code(code: Code, width: usize, colour: Colour) -> String {
    let title = format!("{}: {}", code.as_str(), code.title());
    let body = section(code).unwrap_or_default();
    format!("{}\n\n{}", bold(&title, colour), set(body, width, colour))
}

fn bold(text: &str, colour: Colour) -> String {
    match colour {
        Colour::Always => format!("\u{1b}[1m{text}\u{1b}[0m"),
        Colour::Never => text.to_owned(),
    }
}

fn faint(text: &str, colour: Colour) -> String {
    match colour {
        Colour::Always if !text.is_empty() => format!("\u{1b}[36m{text}\u{1b}[0m"),
        _ => text.to_owned(),
    }
}

/// Markdown as text: paragraphs are broken anew, blocks of code are indented under the name of
/// their file, of links the words are left.
fn set(markdown: &str, width: usize, colour: Colour) -> String {
    let mut out = String::new();
    let mut paragraph = String::new();
    let mut is_code = false;
    for line in markdown.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            finish(&mut paragraph, &mut out, width);
            is_code = !is_code;
            let file = fence.split(',').find_map(|word| word.strip_prefix("file="));
            if let (true, Some(file)) = (is_code, file) {
                let _ = writeln!(out, "  {file}:");
            }
            continue;
        }
        if is_code {
            let code = format!("    {}", faint(line, colour));
            out.push_str(code.trim_end());
            out.push('\n');
        } else if line.is_empty() {
            finish(&mut paragraph, &mut out, width);
            out.push('\n');
        } else {
            let begins_item = line.starts_with("- ");
            if begins_item {
                finish(&mut paragraph, &mut out, width);
            }
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
    }
    finish(&mut paragraph, &mut out, width);
    out
}

/// Writes a paragraph, and forgets it.
fn finish(paragraph: &mut String, out: &mut String, width: usize) {
    if paragraph.is_empty() {
        return;
    }
    let indent = if paragraph.starts_with("- ") {
        "  "
    } else {
        ""
    };
    let text = without_links(paragraph);
    out.push_str(&words::wrapped(&text, width, indent));
    out.push('\n');
    paragraph.clear();
}

/// `[words](target)` becomes `words`.
fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(middle) = rest.find("](") {
        let (before, after) = rest.split_at(middle);
        let (Some(open), Some(close)) = (before.rfind('['), after.find(')')) else {
            break;
        };
        out.push_str(before.get(..open).unwrap_or_default());
        out.push_str(before.get(open + 1..).unwrap_or_default());
        rest = after.get(close + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every heading `## CODE: title` of a page.
    fn headings(page: &Page) -> impl Iterator<Item = &'static str> {
        page.text.lines().filter(|line| line.starts_with("## "))
    }

    #[test]
    fn every_code_has_its_section() {
        let missing: Vec<String> = Code::ALL
            .iter()
            .filter(|code| section(**code).is_none_or(str::is_empty))
            .map(|code| heading(*code))
            .collect();
        assert!(
            missing.is_empty(),
            "write these sections in docs/src/diagnostics/ (what it means, an example, the \
             mend), in the order of the codes:\n{}",
            missing.join("\n")
        );
    }

    #[test]
    fn pages_have_sections_of_their_codes_alone_in_order() {
        for page in PAGES {
            let found: Vec<&str> = headings(page).collect();
            let mut codes: Vec<Code> = page.area.codes().collect();
            codes.sort_by_key(|code| code.as_str());
            let right: Vec<String> = codes.into_iter().map(heading).collect();
            assert_eq!(found, right, "docs/src/diagnostics/{}.md", page.name);
        }
    }

    #[test]
    fn every_section_shows_its_diagnostic_and_a_mend() {
        /// What no file or line alone brings about.
        const TOLD_ONLY: &[&str] = &["E0502", "E0605", "E0606", "W0702"];
        for code in Code::ALL {
            let text = section(*code).unwrap_or_default();
            let says = format!("{}: ", code.as_str());
            let shows = text.contains(&says) || TOLD_ONLY.contains(&code.as_str());
            assert!(shows, "{} does not show what is printed", code.as_str());
            let examples = text.matches("\n```").count() / 2;
            let mended = examples >= 2 || TOLD_ONLY.contains(&code.as_str());
            assert!(mended, "{} does not show a mend", code.as_str());
        }
    }

    #[test]
    fn sections_fit_a_terminal() {
        for code in Code::ALL {
            let page = on_code(*code, 80, Colour::Never);
            for line in page.lines().filter(|line| !line.starts_with("    ")) {
                assert!(words::width(line) <= 80, "{line}");
                assert!(!line.contains("](") && !line.contains("```"), "{line}");
            }
        }
    }

    #[test]
    fn markdown_becomes_text() {
        let found = set(
            "See [the page](a.md) on\nit.\n\n```lotka,file=a.lotka\nx = 1\n```\n",
            80,
            Colour::Never,
        );
        assert_eq!(found, "See the page on it.\n\n  a.lotka:\n    x = 1\n");
        assert_eq!(
            place(Code::UnclosedText).as_deref(),
            Some("diagnostics/text.md#e0107-a-quotation-mark-is-never-closed")
        );
    }
}
