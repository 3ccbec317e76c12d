//! The type of a fixed point in words.

use super::outcome::counted;
use crate::analyze::{Approach, Class, Kind, Side};

/// The type in a few words, as in a table: `stable spiral`, `saddle (2 stable, 1 unstable)`,
/// `stable node, alternating`.
#[must_use]
pub fn class_words(class: &Class) -> String {
    let kind = kind_words(class);
    match class.approach {
        Some(Approach::DeadBeat(_)) => format!("{kind}, dead-beat"),
        Some(Approach::Monotone) if says_approach(class) => format!("{kind}, monotone"),
        Some(Approach::Alternating) if says_approach(class) => format!("{kind}, alternating"),
        _ => kind,
    }
}

/// Of a saddle or a border the leading multiplier says too little.
fn says_approach(class: &Class) -> bool {
    matches!(
        class.kind,
        Kind::Node(_) | Kind::Star(_) | Kind::DegenerateNode(_)
    )
}

fn kind_words(class: &Class) -> String {
    let side = |side: Side| match side {
        Side::Stable => "stable",
        Side::Unstable => "unstable",
    };
    match class.kind {
        Kind::Node(of) => format!("{} node", side(of)),
        Kind::Star(of) => format!("{} star", side(of)),
        Kind::DegenerateNode(of) => format!("{} degenerate node", side(of)),
        Kind::Spiral(of) => format!("{} spiral", side(of)),
        Kind::Saddle => saddle(class),
        Kind::Center if class.linear => "center".to_owned(),
        Kind::Center => "center of the linear part".to_owned(),
        Kind::Continuum => continuum(class),
        Kind::UniformMotion => "line of fixed points beside uniform motion".to_owned(),
        Kind::Undecided if class.unstable > 0 => format!(
            "unstable, undecided in {}",
            counted(class.border, "direction", "directions")
        ),
        Kind::Undecided => "undecided".to_owned(),
        Kind::Rigid => "nothing can vary".to_owned(),
    }
}

fn saddle(class: &Class) -> String {
    let word = if class.is_saddle_focus() {
        "saddle-focus"
    } else {
        "saddle"
    };
    if class.stable + class.unstable == 2 {
        return word.to_owned();
    }
    format!(
        "{word} ({} stable, {} unstable)",
        class.stable, class.unstable
    )
}

fn continuum(class: &Class) -> String {
    let what = match class.border {
        1 => "line of fixed points".to_owned(),
        2 => "plane of fixed points".to_owned(),
        n => format!("{n}-dimensional space of fixed points"),
    };
    match (class.stable, class.unstable) {
        (0, 0) => "every state is a fixed point".to_owned(),
        (_, 0) => format!("stable {what}"),
        (0, _) => format!("unstable {what}"),
        _ => what,
    }
}

/// The type as one word for programs: `stable_node`, `saddle`, `center`.
#[must_use]
pub fn class_name(class: &Class) -> &'static str {
    match class.kind {
        Kind::Node(Side::Stable) => "stable_node",
        Kind::Node(Side::Unstable) => "unstable_node",
        Kind::Star(Side::Stable) => "stable_star",
        Kind::Star(Side::Unstable) => "unstable_star",
        Kind::DegenerateNode(Side::Stable) => "stable_degenerate_node",
        Kind::DegenerateNode(Side::Unstable) => "unstable_degenerate_node",
        Kind::Spiral(Side::Stable) => "stable_spiral",
        Kind::Spiral(Side::Unstable) => "unstable_spiral",
        Kind::Saddle if class.is_saddle_focus() => "saddle_focus",
        Kind::Saddle => "saddle",
        Kind::Center => "center",
        Kind::Continuum => "fixed_points",
        Kind::UniformMotion => "uniform_motion",
        Kind::Undecided => "undecided",
        Kind::Rigid => "rigid",
    }
}

/// The approach as one word for programs.
#[must_use]
pub fn approach_name(approach: Approach) -> &'static str {
    match approach {
        Approach::Monotone => "monotone",
        Approach::Alternating => "alternating",
        Approach::Rotating => "rotating",
        Approach::DeadBeat(_) => "dead_beat",
    }
}
