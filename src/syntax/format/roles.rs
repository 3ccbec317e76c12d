//! What the tokens do that could do more than one thing: is `(` of a call, `[` of a unit, `-` between
//! two values?
//!
//! Enters: a tree and the tokens of its text. Leaves: the roles of tokens by their first byte. Must
//! not know how a text is laid out.

use super::super::tree::{BinaryOperator, Expr, ExprKind, File, Statement, StatementKind, Unit};
use super::super::visit::{self, Visitor};
use super::tokens::{Kind, Token};
use std::collections::{BTreeMap, BTreeSet};

/// The roles of the tokens of a text, each by its first byte.
#[derive(Debug, Default)]
pub struct Roles {
    /// The operators between two values.
    operators: BTreeMap<usize, BinaryOperator>,
    /// The `+` and `-` at the ends of a range: `2..N-1`.
    tight: BTreeSet<usize>,
    /// The parentheses of calls.
    calls: BTreeSet<usize>,
    /// Where units begin, and where each ends.
    units: BTreeMap<usize, usize>,
    /// Where units end.
    unit_ends: BTreeSet<usize>,
    /// The dots of ranges: whether there is a low end, and a high one.
    dots: BTreeMap<usize, (bool, bool)>,
}

impl Roles {
    /// Finds the roles of `tokens`, which are those of the text of `file`.
    pub fn of(file: &File, tokens: &[Token<'_>]) -> Roles {
        let mut finder = Finder {
            tokens,
            depths: depths(tokens),
            roles: Roles::default(),
        };
        visit::file(&mut file.clone(), &mut finder);
        finder.roles
    }

    /// The operator between two values that `token` is.
    pub fn operator(&self, token: &Token<'_>) -> Option<BinaryOperator> {
        self.operators.get(&token.start).copied()
    }

    /// `+` or `-` at the end of a range.
    pub fn is_tight(&self, token: &Token<'_>) -> bool {
        self.tight.contains(&token.start)
    }

    /// The parenthesis after the name of a function.
    pub fn is_call(&self, token: &Token<'_>) -> bool {
        self.calls.contains(&token.start)
    }

    /// Where the unit ends that begins with `token`.
    pub fn unit(&self, token: &Token<'_>) -> Option<usize> {
        self.units.get(&token.start).copied()
    }

    /// The bracket that ends a unit.
    pub fn closes_unit(&self, token: &Token<'_>) -> bool {
        self.unit_ends.contains(&token.end()) && token.is("]")
    }

    /// Of the dots of a range: whether a low end stands before them, and a high one after.
    pub fn ends(&self, token: &Token<'_>) -> (bool, bool) {
        self.dots.get(&token.start).copied().unwrap_or((true, true))
    }
}

/// How many brackets are open before each token.
fn depths(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut depth = 0_usize;
    let before = |token: &Token<'_>| {
        if token.kind != Kind::Symbol {
            return depth;
        }
        match token.text {
            "(" | "[" | "{" => {
                depth += 1;
                depth - 1
            }
            ")" | "]" | "}" => {
                depth = depth.saturating_sub(1);
                depth
            }
            _ => depth,
        }
    };
    tokens.iter().map(before).collect()
}

struct Finder<'a, 't> {
    tokens: &'a [Token<'t>],
    depths: Vec<usize>,
    roles: Roles,
}

impl Finder<'_, '_> {
    /// The first token at or after a byte that is the mark `text`.
    fn mark_from(&self, byte: usize, text: &str) -> Option<usize> {
        let from = self.tokens.partition_point(|token| token.start < byte);
        let rest = self.tokens.get(from..)?;
        Some(from + rest.iter().position(|token| token.is(text))?)
    }

    /// The parenthesis after a name that ends at the byte `end`.
    fn call(&mut self, end: usize) {
        if let Some(open) = self.mark_from(end, "(")
            && let Some(token) = self.tokens.get(open)
        {
            self.roles.calls.insert(token.start);
        }
    }

    fn range(&mut self, low: Option<&Expr>, high: Option<&Expr>, start: usize, end: usize) {
        let from = low.map_or(start, |low| low.span.end as usize);
        let Some(dots) = self.mark_from(from, "..") else {
            return;
        };
        let depth = self.depths.get(dots).copied();
        if let Some(token) = self.tokens.get(dots) {
            let ends = (low.is_some(), high.is_some());
            self.roles.dots.insert(token.start, ends);
        }
        let from = self.tokens.partition_point(|token| token.start < start);
        for (token, own) in self.tokens.iter().zip(&self.depths).skip(from) {
            if token.start >= end {
                break;
            }
            if Some(*own) == depth && (token.is("+") || token.is("-")) {
                self.roles.tight.insert(token.start);
            }
        }
    }
}

impl Visitor for Finder<'_, '_> {
    fn statement(&mut self, statement: &mut Statement) {
        if let StatementKind::Function { name, .. } = &statement.kind {
            self.call(name.span.end as usize);
        }
    }

    fn unit(&mut self, unit: &mut Unit) {
        let span = unit.span;
        self.roles
            .units
            .insert(span.start as usize, span.end as usize);
        self.roles.unit_ends.insert(span.end as usize);
    }

    fn expression(&mut self, expression: &mut Expr) {
        match &expression.kind {
            ExprKind::Call { function, .. } => self.call(function.span.end as usize),
            ExprKind::Binary {
                operator,
                operator_span,
                ..
            } => {
                let at = operator_span.start as usize;
                self.roles.operators.insert(at, *operator);
            }
            ExprKind::Range { low, high } => {
                let (start, end) = (expression.span.start as usize, expression.span.end as usize);
                self.range(low.as_deref(), high.as_deref(), start, end);
            }
            ExprKind::Number { .. }
            | ExprKind::Text(_)
            | ExprKind::Reference(_)
            | ExprKind::Prime { .. }
            | ExprKind::Next(_)
            | ExprKind::Vector(_)
            | ExprKind::Unary { .. }
            | ExprKind::If { .. }
            | ExprKind::Words(_)
            | ExprKind::Read { .. } => {}
        }
    }
}
