//! Where a blank stands between two tokens, and where none does.
//!
//! Enters: the tokens of one statement with their roles. Leaves: for each token whether a blank
//! stands before it. Must not know lines.

use super::super::tree::BinaryOperator;
use super::roles::Roles;
use super::tokens::{Kind, Token};

/// For each token whether a blank stands before it, were all on one line.
pub fn blanks(tokens: &[Token<'_>], roles: &Roles) -> Vec<bool> {
    let mut brackets: Vec<Bracket> = Vec::new();
    let mut unit_end = 0;
    let mut blanks = vec![false; tokens.len()];
    for (place, pair) in tokens.windows(2).enumerate() {
        let [before, next] = pair else { continue };
        if let Some(end) = roles.unit(before) {
            unit_end = end;
        }
        let earlier = place.checked_sub(1).and_then(|at| tokens.get(at));
        match before.text {
            "(" | "[" | "{" if before.kind == Kind::Symbol => {
                brackets.push(bracket(before, earlier, roles));
            }
            ")" | "]" | "}" if before.kind == Kind::Symbol => {
                brackets.pop();
            }
            _ => {}
        }
        let pair = Pair {
            earlier,
            before,
            next,
            roles,
            in_index: brackets.last() == Some(&Bracket::Index),
        };
        if let Some(blank) = blanks.get_mut(place + 1) {
            *blank = if next.start < unit_end {
                pair.blank_in_unit()
            } else {
                pair.blank()
            };
        }
    }
    blanks
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Index,
    Other,
}

fn bracket(open: &Token<'_>, before: Option<&Token<'_>>, roles: &Roles) -> Bracket {
    if is_index(open, before, roles) {
        Bracket::Index
    } else {
        Bracket::Other
    }
}

/// An index touches its name.
fn is_index(open: &Token<'_>, before: Option<&Token<'_>>, roles: &Roles) -> bool {
    let name = before.is_some_and(|before| before.kind == Kind::Word);
    open.is("[") && open.touches && name && roles.unit(open).is_none()
}

/// Two tokens that follow one another.
struct Pair<'a, 't> {
    earlier: Option<&'a Token<'t>>,
    before: &'a Token<'t>,
    next: &'a Token<'t>,
    roles: &'a Roles,
    in_index: bool,
}

impl Pair<'_, '_> {
    fn blank(&self) -> bool {
        let (before, next) = (self.before, self.next);
        let is_symbol = |token: &Token<'_>, texts: &[&str]| {
            token.kind == Kind::Symbol && texts.contains(&token.text)
        };
        if is_symbol(next, &[",", ";", ":", ")", "]", "}", "'"])
            || is_symbol(before, &["(", "[", "{"])
        {
            return false;
        }
        if is_symbol(before, &[",", ":", ";"]) {
            return true;
        }
        if self.is_sign(before) {
            return false;
        }
        for token in [before, next] {
            if let Some(operator) = self.roles.operator(token) {
                return self.operator_blank(token, operator);
            }
        }
        if next.is("..") {
            return !self.roles.ends(next).0;
        }
        if before.is("..") {
            return !self.roles.ends(before).1;
        }
        if next.is("(") {
            return !self.roles.is_call(next);
        }
        if next.is("[") {
            return !is_index(next, Some(before), self.roles);
        }
        // `2*L` in a reaction; elsewhere `*` has its role.
        !(is_symbol(before, &["*"]) || is_symbol(next, &["*"]))
    }

    /// `-` before its only value.
    fn is_sign(&self, token: &Token<'_>) -> bool {
        token.is("-") && self.roles.operator(token).is_none()
    }

    fn operator_blank(&self, token: &Token<'_>, operator: BinaryOperator) -> bool {
        let left = if std::ptr::eq(token, self.next) {
            Some(self.before)
        } else {
            self.earlier
        };
        match operator {
            BinaryOperator::Add | BinaryOperator::Subtract => {
                !self.in_index && !self.roles.is_tight(token)
            }
            // `100 [mg] * F`: a unit keeps its distance.
            BinaryOperator::Multiply | BinaryOperator::Divide => {
                left.is_some_and(|left| self.roles.closes_unit(left))
            }
            BinaryOperator::Power => false,
            // `2.^x` would look like a number with a point.
            BinaryOperator::ElementPower => left.is_some_and(|left| left.kind == Kind::Number),
            BinaryOperator::ElementMultiply
            | BinaryOperator::ElementDivide
            | BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Less
            | BinaryOperator::LessEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterEqual
            | BinaryOperator::And
            | BinaryOperator::Or => true,
        }
    }

    /// Units hold together; only factors without a sign between them have a blank.
    fn blank_in_unit(&self) -> bool {
        let joins = |token: &Token<'_>| {
            token.kind == Kind::Symbol
                && matches!(token.text, "[" | "(" | "*" | "·" | "/" | "^" | "-" | "+")
        };
        let closes = |token: &Token<'_>| {
            token.kind == Kind::Symbol && matches!(token.text, "]" | ")" | "*" | "·" | "/" | "^")
        };
        !joins(self.before) && !closes(self.next) && !self.next.touches
    }
}
