//! A phase portrait: the figure, and what it shows in words and numbers.

mod json;
mod picture;

pub use json::portrait as json;
pub use picture::{Drawing, drawing};

use super::class::class_words;
use super::table::{Column, number, table};
use super::words::wrapped;
use crate::session::{PortraitAnswer, PortraitKind, View};

/// Digits of the numbers of a portrait.
const DIGITS: usize = 5;
/// More fixed points are counted, not listed.
const MOST_ROWS: usize = 12;

/// What a portrait shows: fixed points with their types, limit cycles, what was held.
#[must_use]
pub fn text(answer: &PortraitAnswer, width: usize) -> String {
    let parts = answer.views.iter().map(|view| {
        let mut text = String::new();
        if let (Some(name), Some(value)) = (&answer.over, view.value) {
            text.push_str(&format!("{name} = {}\n", number(value, DIGITS)));
        }
        text + &of_view(answer, view, width)
    });
    let mut text = parts.collect::<Vec<_>>().join("\n");
    if !answer.left_out.is_empty() {
        let left_out = answer.left_out.join(" and ");
        text.push_str(&paragraph(&format!("left out: {left_out}"), width));
    }
    text
}

fn of_view(answer: &PortraitAnswer, view: &View, width: usize) -> String {
    let name = |at: usize| answer.compiled.state_name(at);
    let inside: Vec<_> = view.fixed.iter().filter(|fixed| fixed.inside).collect();
    let mut text = String::new();
    if inside.is_empty() {
        text.push_str("no fixed point in the window\n");
    } else {
        let shown = inside.iter().take(MOST_ROWS);
        let mut columns: Vec<Column> = answer
            .axes
            .iter()
            .enumerate()
            .map(|(axis, at)| {
                let value = |at: (f64, f64)| if axis == 0 { at.0 } else { at.1 };
                Column::numbers(
                    name(*at),
                    shown.clone().map(|fixed| value(fixed.at)).collect(),
                )
            })
            .collect();
        let words = shown.map(|fixed| {
            fixed
                .linear
                .as_ref()
                .map_or("–".to_owned(), |linear| class_words(&linear.class))
        });
        columns.push(Column::text("fixed point", words.collect()));
        text.push_str(&table(&columns, width));
        if inside.len() > MOST_ROWS {
            text.push_str(&format!("... and {} more\n", inside.len() - MOST_ROWS));
        }
    }
    for sentence in sentences(answer, view, inside.len()) {
        text.push_str(&paragraph(&sentence, width));
    }
    text
}

fn sentences(answer: &PortraitAnswer, view: &View, inside: usize) -> Vec<String> {
    let name = |at: usize| answer.compiled.state_name(at);
    let mut said = Vec::new();
    let outside = view.fixed.len() - inside;
    if outside > 0 {
        let points = if outside == 1 {
            "fixed point lies"
        } else {
            "fixed points lie"
        };
        said.push(format!("{outside} more {points} outside the window"));
    }
    if !view.lines.is_empty() {
        said.push("fixed points fill a line".to_owned());
    }
    for cycle in &view.cycles {
        let kind = if cycle.attracts() {
            "limit cycle"
        } else {
            "unstable limit cycle"
        };
        let extents = answer.axes.iter().filter_map(|at| {
            let (low, high) = cycle.extent.get(*at)?;
            Some(format!(
                "{} from {} to {}",
                name(*at),
                number(*low, DIGITS),
                number(*high, DIGITS)
            ))
        });
        let extents: Vec<String> = extents.collect();
        said.push(format!(
            "{kind}: period {}; {}",
            number(cycle.period, DIGITS),
            extents.join(", ")
        ));
    }
    if view.stays {
        said.push(
            "no cycle was found, but the trajectory of the present state stays bounded and does not come to rest"
                .to_owned(),
        );
    }
    for center in &view.centers {
        if let Some(fixed) = view.fixed.get(*center) {
            said.push(format!(
                "closed orbits surround ({}, {})",
                number(fixed.at.0, DIGITS),
                number(fixed.at.1, DIGITS)
            ));
        }
    }
    if view.bound {
        said.push("the other states follow from kept sums".to_owned());
    }
    if !view.held.is_empty() {
        const MOST: usize = 6;
        let held = view.held.iter().take(MOST);
        let held = held.map(|(at, value)| format!("{} = {}", name(*at), number(*value, DIGITS)));
        let mut held = held.collect::<Vec<_>>().join(", ");
        if view.held.len() > MOST {
            held.push_str(&format!(" and {} more", view.held.len() - MOST));
        }
        let place = if view.held_at_rest {
            "at a fixed point"
        } else {
            "at the present state"
        };
        said.push(match answer.kind {
            PortraitKind::Nullclines => format!("held {place}: {held}"),
            PortraitKind::Phase => format!(
                "trajectories are seen from above; they start with the other states held {place}: {held}"
            ),
        });
    }
    said
}

/// A sentence in lines of `width` columns.
fn paragraph(sentence: &str, width: usize) -> String {
    let mut lines = wrapped(sentence, width, "  ");
    if !lines.ends_with('\n') {
        lines.push('\n');
    }
    lines
}
