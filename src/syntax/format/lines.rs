//! The lines of one statement.
//!
//! Enters: the tokens of a statement, and where blanks stand. Leaves: which tokens share a line, and
//! how far each line is indented. Must not know what stands beside the statement.
//!
//! A line break that the author made stays. A line that is too long is broken after a comma or an
//! operator, as far out of brackets as possible; of several such places the last that fits is taken.
//! A line that goes on within a bracket stands under what follows the bracket, or four columns in
//! when the bracket ends its line.

use super::super::tree::BinaryOperator;
use super::roles::Roles;
use super::tokens::{Kind, Token};
use unicode_width::UnicodeWidthStr;

/// Columns that a line may take.
pub const WIDTH: usize = 100;

/// Columns of one level.
pub const INDENT: usize = 4;

/// A break so early in its line would leave little there.
const EARLY: usize = 20;

/// One line: the tokens `first..last`, of which the last may be a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The first token.
    pub first: usize,
    /// One past the last token.
    pub last: usize,
    /// Columns before it.
    pub indent: usize,
}

/// A statement that is laid out.
pub struct Flow<'a, 't> {
    /// Its tokens; the last may be the brace that opens its block.
    pub tokens: &'a [Token<'t>],
    /// Whether a blank stands before each.
    pub blanks: &'a [bool],
    /// What they do.
    pub roles: &'a Roles,
    /// Columns before its first line.
    pub indent: usize,
    /// Whether lines that are too long are broken.
    pub wrap: bool,
}

/// A bracket that is open.
struct Open {
    /// Its column, or the one after it: where lines within it begin.
    column: usize,
    /// It is the last token of its line.
    ends_line: bool,
    /// The indent of its line.
    indent: usize,
}

impl Flow<'_, '_> {
    /// The lines of the statement.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut open = Vec::new();
        let (mut first, mut typed) = (0, 0);
        while first < self.tokens.len() {
            if typed <= first {
                typed = (first + 1..self.tokens.len())
                    .find(|at| self.breaks_before(*at))
                    .unwrap_or(self.tokens.len());
            }
            let indent = self.indent_of(first, &open);
            let last = match self.wrap {
                true => self.wrapped(first, typed, indent).unwrap_or(typed),
                false => typed,
            };
            lines.push(Line {
                first,
                last,
                indent,
            });
            self.follow(first, last, indent, &mut open);
            first = last;
        }
        lines
    }

    /// The author broke the line here, or a comment ends it.
    fn breaks_before(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else {
            return true;
        };
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
        if before.is_some_and(|before| before.kind == Kind::Comment) {
            return true;
        }
        let is_block = at + 1 == self.tokens.len() && token.is("{");
        token.lines_before > 0 && !is_block
    }

    fn indent_of(&self, first: usize, open: &[Open]) -> usize {
        let Some(inner) = open.last() else {
            let further = if first == 0 { 0 } else { INDENT };
            return self.indent + further;
        };
        let closes = self.tokens.get(first).is_some_and(is_close);
        match (closes, inner.ends_line) {
            (true, true) => inner.indent,
            (true, false) => inner.column,
            (false, true) => inner.indent + INDENT,
            (false, false) => inner.column + 1,
        }
    }

    /// Brings the open brackets up to the end of a line.
    fn follow(&self, first: usize, last: usize, indent: usize, open: &mut Vec<Open>) {
        let mut column = indent;
        for at in first..last {
            let Some(token) = self.tokens.get(at) else {
                return;
            };
            column += self.blank_before(at, first);
            if is_open(token) {
                let next = (at + 1 < last).then(|| self.tokens.get(at + 1)).flatten();
                open.push(Open {
                    column,
                    ends_line: next.is_none_or(|next| next.kind == Kind::Comment),
                    indent,
                });
            } else if is_close(token) {
                open.pop();
            }
            column += token.text.width();
        }
    }

    fn blank_before(&self, at: usize, first: usize) -> usize {
        let blank = at > first && self.blanks.get(at).copied().unwrap_or(false);
        usize::from(blank)
    }

    /// Where the line `first..last` is to be broken, when it is too long and there is such a place.
    fn wrapped(&self, first: usize, last: usize, indent: usize) -> Option<usize> {
        let mut column = indent;
        let mut depth = 0_usize;
        let mut best: Option<Break> = None;
        for at in first..last {
            let token = self.tokens.get(at)?;
            if token.kind == Kind::Comment {
                return None;
            }
            let here = (at > first)
                .then(|| self.rank(at))
                .flatten()
                .map(|rank| Break {
                    at,
                    early: column < indent + EARLY,
                    depth,
                    rank,
                });
            if let Some(here) = here
                && best.as_ref().is_none_or(|best| here.is_no_worse_than(best))
            {
                best = Some(here);
            }
            if is_close(token) {
                depth = depth.saturating_sub(1);
            }
            column += self.blank_before(at, first) + token.text.width();
            if column > WIDTH && best.is_some() {
                return best.map(|best| best.at);
            }
            if is_open(token) {
                depth += 1;
            }
        }
        None
    }

    /// How well a line may end before token `at`, the best first; nothing where it may not.
    fn rank(&self, at: usize) -> Option<Rank> {
        let (before, next) = (self.tokens.get(at.checked_sub(1)?)?, self.tokens.get(at)?);
        if next.kind == Kind::Comment {
            return None;
        }
        if next.is("then") || next.is("else") {
            return Some(Rank::Choice);
        }
        if before.kind == Kind::Symbol {
            match before.text {
                "," => return Some(Rank::Comma),
                "=" | "~" | "->" | "<->" => return Some(Rank::Definition),
                _ => {}
            }
        }
        if self.roles.is_tight(before) {
            return None;
        }
        match self.roles.operator(before)? {
            BinaryOperator::Or => Some(Rank::Choice),
            BinaryOperator::And => Some(Rank::And),
            BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Less
            | BinaryOperator::LessEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterEqual => Some(Rank::Comparison),
            BinaryOperator::Add | BinaryOperator::Subtract => Some(Rank::Sum),
            BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::ElementMultiply
            | BinaryOperator::ElementDivide => Some(Rank::Product),
            BinaryOperator::Power | BinaryOperator::ElementPower => None,
        }
    }
}

/// What a line may end with, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Comma,
    Choice,
    And,
    Comparison,
    Sum,
    Product,
    Definition,
}

struct Break {
    at: usize,
    early: bool,
    depth: usize,
    rank: Rank,
}

impl Break {
    fn is_no_worse_than(&self, other: &Break) -> bool {
        let key = |one: &Break| (one.early, one.depth, one.rank);
        key(self) <= key(other)
    }
}

fn is_open(token: &Token<'_>) -> bool {
    token.kind == Kind::Symbol && matches!(token.text, "(" | "[" | "{")
}

fn is_close(token: &Token<'_>) -> bool {
    token.kind == Kind::Symbol && matches!(token.text, ")" | "]" | "}")
}
