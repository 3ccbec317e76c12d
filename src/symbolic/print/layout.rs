//! Expressions taken apart into pieces of text and smaller expressions.
//!
//! Enters: an expression. Leaves: its pieces and how tightly they bind. Must not know what is
//! written before or after.

use super::{Notation, Writer, name, place};
use crate::symbolic::{Binary, Expr, Node, Shape, Unary};
use std::borrow::Cow;

/// How tightly an expression binds, the loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Choice,
    Or,
    And,
    Not,
    Comparison,
    /// Also what begins with a minus.
    Sum,
    Product,
    Power,
    Atom,
}

/// What is still to be written.
pub(super) enum Piece {
    Text(Cow<'static, str>),
    Expr {
        expr: Expr,
        /// Brackets are needed when the expression binds less tightly than this.
        level: Level,
        /// The sign of the number in front has been written already.
        absolute: bool,
    },
}

impl Piece {
    pub(super) fn text(text: &'static str) -> Piece {
        Piece::Text(Cow::Borrowed(text))
    }

    pub(super) fn whole(expr: Expr) -> Piece {
        Piece::at(expr, Level::Choice)
    }

    pub(super) fn at(expr: Expr, level: Level) -> Piece {
        Piece::Expr {
            expr,
            level,
            absolute: false,
        }
    }
}

/// Sums and products of more parts than this are not taken apart at once.
const MOST_PARTS: usize = 10_000;

/// A factor below or above the line of a fraction.
struct Factor {
    base: Expr,
    /// 1 for the base alone.
    exponent: f64,
}

impl Writer<'_> {
    pub(super) fn layout(&self, expr: Expr, absolute: bool) -> (Level, Vec<Piece>) {
        let latex = self.notation == Notation::Latex;
        match *self.pool.node(expr) {
            Node::Constant(bits) => {
                let value = f64::from_bits(bits);
                self.number(if absolute { value.abs() } else { value })
            }
            Node::Symbol(symbol) => {
                let name = self.symbol_name(symbol);
                let name = if latex {
                    name::latex(&name, None)
                } else {
                    name
                };
                (Level::Atom, vec![Piece::Text(name.into())])
            }
            Node::Unary(Unary::Negate, _) | Node::Binary(Binary::Add | Binary::Subtract, ..) => {
                (Level::Sum, self.sum(expr))
            }
            // A scale is written as it stands in the model.
            Node::Unary(Unary::Positive, a) => self.layout(a, absolute),
            Node::Unary(operator, a) => self.function_of_one(operator, a),
            Node::Binary(Binary::Multiply | Binary::Divide, ..) => self.product(expr, absolute),
            Node::Binary(Binary::Power, base, exponent) => self.power(expr, base, exponent),
            Node::Binary(operator, a, b) => self.function_of_two(operator, a, b),
            Node::If(..) => self.choice(expr),
            Node::Element(base, offset) => self.element(base, offset),
            Node::Stack(ref elements, shape) => (Level::Atom, self.stack(elements, shape)),
            Node::Array(_, shape) => (Level::Atom, vec![Piece::Text(format!("({shape})").into())]),
            Node::Fill(value, _) => self.layout(value, absolute),
            Node::Product(a, b) => {
                let times = Piece::text(if latex { " " } else { "*" });
                let left = Piece::Expr {
                    expr: a,
                    level: Level::Product,
                    absolute,
                };
                (
                    Level::Product,
                    vec![left, times, Piece::at(b, Level::Power)],
                )
            }
            Node::Outer(a, b) => {
                let times = Piece::text(if latex { " " } else { "*" });
                let mut pieces = vec![Piece::at(a, Level::Product), times];
                pieces.extend(self.transposed(b));
                (Level::Product, pieces)
            }
            Node::Transpose(a) => (Level::Power, self.transposed(a)),
            Node::Inverse(a) if latex => {
                let pieces = vec![Piece::at(a, Level::Atom), Piece::text("^{-1}")];
                (Level::Power, pieces)
            }
            Node::Inverse(a) => self.call("inverse", &[a]),
            Node::Diagonal(a) => self.call("diagonal", &[a]),
            Node::Sum(a) => self.call("sum", &[a]),
            Node::Dot(a, b) if latex => {
                let dot = Piece::text(" \\cdot ");
                let pieces = vec![Piece::at(a, Level::Power), dot, Piece::at(b, Level::Power)];
                (Level::Product, pieces)
            }
            Node::Dot(a, b) => self.call("dot", &[a, b]),
            Node::Gradient(of, symbol) => self.gradient(of, symbol),
        }
    }

    fn gradient(&self, of: Expr, symbol: crate::symbolic::SymbolId) -> (Level, Vec<Piece>) {
        let name = self.symbol_name(symbol);
        if self.notation == Notation::Latex {
            let nabla = format!("\\nabla_{{{}}} ", name::latex(&name, None));
            let pieces = vec![Piece::Text(nabla.into()), Piece::at(of, Level::Power)];
            return (Level::Product, pieces);
        }
        let rest = format!(", {name})");
        let pieces = vec![
            Piece::text("grad("),
            Piece::whole(of),
            Piece::Text(rest.into()),
        ];
        (Level::Atom, pieces)
    }

    fn number(&self, value: f64) -> (Level, Vec<Piece>) {
        let size = value.abs();
        let text = if value.is_nan() {
            return (Level::Product, vec![Piece::text("0/0")]);
        } else if value.is_infinite() {
            let text = if value > 0.0 { "1/0" } else { "-1/0" };
            return (Level::Sum, vec![Piece::text(text)]);
        } else if size == 0.0 || (1e-4..1e15).contains(&size) {
            format!("{value}")
        } else {
            format!("{value:e}")
        };
        let level = if value.is_sign_negative() && value != 0.0 {
            Level::Sum
        } else {
            Level::Atom
        };
        let text = if value == 0.0 { "0".to_owned() } else { text };
        match text.split_once('e') {
            Some((mantissa, exponent)) if self.notation == Notation::Latex => {
                let power = format!("10^{{{exponent}}}");
                let text = match mantissa {
                    "1" => power,
                    _ => format!("{mantissa} \\cdot {power}"),
                };
                (level.min(Level::Product), vec![Piece::Text(text.into())])
            }
            _ => (level, vec![Piece::Text(text.into())]),
        }
    }

    /// True when the expression is a negative number or a product that begins with one.
    fn begins_negative(&self, expr: Expr) -> bool {
        let mut first = expr;
        loop {
            match *self.pool.node(first) {
                Node::Binary(Binary::Multiply | Binary::Divide, left, _)
                | Node::Product(left, _) => first = left,
                Node::Fill(value, _) => first = value,
                Node::Constant(bits) => {
                    let value = f64::from_bits(bits);
                    return value < 0.0 && value.is_finite();
                }
                _ => return false,
            }
        }
    }

    /// The signed terms of a sum, in their order.
    fn terms(&self, expr: Expr) -> Vec<(bool, Expr)> {
        let mut terms = Vec::new();
        let mut open = vec![(false, expr)];
        while let Some((negative, expr)) = open.pop() {
            if open.len() + terms.len() > MOST_PARTS && !terms.is_empty() {
                terms.push((negative, expr));
                continue;
            }
            match *self.pool.node(expr) {
                Node::Binary(Binary::Add, a, b) => open.extend([(negative, b), (negative, a)]),
                Node::Binary(Binary::Subtract, a, b) => {
                    open.extend([(!negative, b), (negative, a)]);
                }
                Node::Unary(Unary::Negate, a) => open.push((!negative, a)),
                _ => terms.push((negative ^ self.begins_negative(expr), expr)),
            }
        }
        terms
    }

    fn sum(&self, expr: Expr) -> Vec<Piece> {
        let mut terms = self.terms(expr);
        // A positive term reads better in front.
        if let Some(first) = terms.iter().position(|(negative, _)| !negative) {
            let term = terms.remove(first);
            terms.insert(0, term);
        }
        let mut pieces = Vec::with_capacity(2 * terms.len());
        for (k, (negative, term)) in terms.into_iter().enumerate() {
            match (k, negative) {
                (0, false) => {}
                (0, true) => pieces.push(Piece::text("-")),
                (_, false) => pieces.push(Piece::text(" + ")),
                (_, true) => pieces.push(Piece::text(" - ")),
            }
            // A sum as a term is one that was too long to take apart.
            pieces.push(Piece::Expr {
                expr: term,
                level: Level::Product,
                absolute: self.begins_negative(term),
            });
        }
        pieces
    }

    fn product(&self, expr: Expr, absolute: bool) -> (Level, Vec<Piece>) {
        if !absolute && self.begins_negative(expr) {
            let rest = Piece::Expr {
                expr,
                level: Level::Product,
                absolute: true,
            };
            return (Level::Sum, vec![Piece::text("-"), rest]);
        }
        if self.pool.shape(expr) != Shape::Scalar {
            return self.array_product(expr, absolute);
        }
        let (above, below) = self.factors(expr);
        match self.notation {
            Notation::Text => {
                let mut pieces = self.factor_list(&above, absolute, Level::Power);
                match below.len() {
                    0 => {}
                    1 => {
                        pieces.push(Piece::text("/"));
                        pieces.extend(self.factor_list(&below, false, Level::Power));
                    }
                    _ => {
                        pieces.push(Piece::text("/("));
                        pieces.extend(self.factor_list(&below, false, Level::Power));
                        pieces.push(Piece::text(")"));
                    }
                }
                (Level::Product, pieces)
            }
            Notation::Latex if below.is_empty() => {
                let pieces = self.factor_list(&above, absolute, Level::Power);
                (Level::Product, pieces)
            }
            Notation::Latex => {
                let level = |factors: &[Factor]| match factors.len() {
                    1 => Level::Choice,
                    _ => Level::Power,
                };
                let mut pieces = vec![Piece::text("\\frac{")];
                pieces.extend(self.factor_list(&above, absolute, level(&above)));
                pieces.push(Piece::text("}{"));
                pieces.extend(self.factor_list(&below, false, level(&below)));
                pieces.push(Piece::text("}"));
                (Level::Product, pieces)
            }
        }
    }

    /// The factors of a product of scalars above and below the line; equal ones below are joined.
    fn factors(&self, expr: Expr) -> (Vec<Factor>, Vec<Factor>) {
        let (mut above, mut below): (Vec<Factor>, Vec<Factor>) = (Vec::new(), Vec::new());
        let mut open = vec![(true, expr)];
        while let Some((up, expr)) = open.pop() {
            let node = self.pool.node(expr);
            let too_many = open.len() + above.len() + below.len() > MOST_PARTS;
            if let (false, &Node::Binary(Binary::Multiply, a, b)) = (too_many, node) {
                open.extend([(up, b), (up, a)]);
                continue;
            }
            if let (false, &Node::Binary(Binary::Divide, a, b)) = (too_many, node) {
                open.extend([(!up, b), (up, a)]);
                continue;
            }
            let (base, exponent) = self.as_power(expr);
            let up = up == (exponent > 0.0);
            let side = if up { &mut above } else { &mut below };
            let exponent = exponent.abs();
            match side.iter_mut().find(|factor| factor.base == base) {
                Some(factor) if !up => factor.exponent += exponent,
                _ => side.push(Factor { base, exponent }),
            }
        }
        // A 1 that something stands beside says nothing; its sign is written apart.
        let one = |factor: &Factor| self.pool.as_constant(factor.base).map(f64::abs) == Some(1.0);
        if above.len() > 1 && one(&above[0]) {
            above.remove(0);
        }
        (above, below)
    }

    /// A power with a whole exponent by its base and exponent, anything else to the power 1.
    fn as_power(&self, expr: Expr) -> (Expr, f64) {
        if let Node::Binary(Binary::Power, base, exponent) = *self.pool.node(expr)
            && let Some(exponent) = self.pool.as_constant(exponent)
            && exponent.fract() == 0.0
            && exponent != 0.0
            && exponent.is_finite()
        {
            (base, exponent)
        } else {
            (expr, 1.0)
        }
    }

    fn factor_list(&self, factors: &[Factor], absolute: bool, level: Level) -> Vec<Piece> {
        let latex = self.notation == Notation::Latex;
        if factors.is_empty() {
            return vec![Piece::text("1")];
        }
        let mut pieces = Vec::with_capacity(2 * factors.len());
        for (k, factor) in factors.iter().enumerate() {
            if k > 0 {
                let number = self.pool.as_constant(factor.base).is_some();
                pieces.push(Piece::text(match (latex, number) {
                    (false, _) => "*",
                    (true, true) => " \\cdot ",
                    (true, false) => " ",
                }));
            }
            let alone = factor.exponent == 1.0;
            pieces.push(Piece::Expr {
                expr: factor.base,
                level: if alone { level } else { Level::Atom },
                absolute: absolute && k == 0,
            });
            if !alone {
                let exponent = factor.exponent;
                let text = if latex {
                    format!("^{{{exponent}}}")
                } else {
                    format!("^{exponent}")
                };
                pieces.push(Piece::Text(text.into()));
            }
        }
        pieces
    }

    /// A product or quotient of vectors or matrices, element by element.
    fn array_product(&self, expr: Expr, absolute: bool) -> (Level, Vec<Piece>) {
        let Node::Binary(operator, a, b) = *self.pool.node(expr) else {
            return (Level::Atom, Vec::new());
        };
        let scalar = |expr: Expr| self.pool.shape(expr) == Shape::Scalar;
        let sign = match (self.notation, operator) {
            (Notation::Latex, Binary::Multiply) if scalar(a) || scalar(b) => " ",
            (Notation::Latex, Binary::Multiply) => " \\odot ",
            (Notation::Latex, _) if scalar(b) => " / ",
            (Notation::Latex, _) => " \\oslash ",
            (_, Binary::Multiply) if scalar(a) || scalar(b) => "*",
            (_, Binary::Multiply) => " .* ",
            _ if scalar(b) => "/",
            _ => " ./ ",
        };
        let left = Piece::Expr {
            expr: a,
            level: Level::Product,
            absolute,
        };
        let pieces = vec![left, Piece::text(sign), Piece::at(b, Level::Power)];
        (Level::Product, pieces)
    }

    fn power(&self, expr: Expr, base: Expr, exponent: Expr) -> (Level, Vec<Piece>) {
        let scalar = self.pool.shape(expr) == Shape::Scalar;
        if scalar && self.as_power(expr).1 < 0.0 {
            return self.product(expr, false);
        }
        if self.notation == Notation::Latex {
            let caret = if self.pool.shape(exponent) == Shape::Scalar {
                "^{"
            } else {
                "^{\\odot "
            };
            let pieces = vec![
                Piece::at(base, Level::Atom),
                Piece::text(caret),
                Piece::whole(exponent),
                Piece::text("}"),
            ];
            return (Level::Power, pieces);
        }
        let caret = if scalar { "^" } else { ".^" };
        let pieces = vec![
            Piece::at(base, Level::Atom),
            Piece::text(caret),
            Piece::at(exponent, Level::Atom),
        ];
        (Level::Power, pieces)
    }

    fn function_of_two(&self, operator: Binary, a: Expr, b: Expr) -> (Level, Vec<Piece>) {
        let latex = self.notation == Notation::Latex;
        let (level, sign) = match operator {
            Binary::Equal => (Level::Comparison, if latex { " = " } else { " == " }),
            Binary::NotEqual => (Level::Comparison, if latex { " \\ne " } else { " != " }),
            Binary::Less => (Level::Comparison, " < "),
            Binary::LessEqual => (Level::Comparison, if latex { " \\le " } else { " <= " }),
            Binary::Greater => (Level::Comparison, " > "),
            Binary::GreaterEqual => (Level::Comparison, if latex { " \\ge " } else { " >= " }),
            Binary::And => (Level::And, if latex { " \\land " } else { " and " }),
            Binary::Or => (Level::Or, if latex { " \\lor " } else { " or " }),
            Binary::Hill | Binary::HillSlope => return self.of_quotient(operator, a, b),
            _ => return self.call(operator.name(), &[a, b]),
        };
        // `and` and `or` group to the left; comparisons do not chain.
        let (left, right) = match level {
            Level::Comparison => (Level::Sum, Level::Sum),
            Level::And => (Level::And, Level::Not),
            _ => (Level::Or, Level::And),
        };
        let pieces = vec![Piece::at(a, left), Piece::text(sign), Piece::at(b, right)];
        (level, pieces)
    }

    /// `hill(x, k, n)`: a quotient as the two arguments that it was written with.
    fn of_quotient(&self, operator: Binary, quotient: Expr, n: Expr) -> (Level, Vec<Piece>) {
        if let Node::Binary(Binary::Divide, x, k) = *self.pool.node(quotient) {
            return self.call(operator.name(), &[x, k, n]);
        }
        let (level, mut pieces) = self.call(operator.name(), &[quotient, n]);
        // After the name, the bracket and the quotient.
        pieces.insert(3, Piece::text(", 1"));
        (level, pieces)
    }

    fn choice(&self, expr: Expr) -> (Level, Vec<Piece>) {
        let Node::If(condition, a, b) = *self.pool.node(expr) else {
            return (Level::Atom, Vec::new());
        };
        if self.notation == Notation::Latex {
            return (Level::Atom, self.cases(expr));
        }
        let pieces = vec![
            Piece::text("if "),
            Piece::at(condition, Level::Or),
            Piece::text(" then "),
            Piece::at(a, Level::Or),
            Piece::text(" else "),
            Piece::whole(b),
        ];
        (Level::Choice, pieces)
    }

    fn element(&self, base: Expr, offset: u32) -> (Level, Vec<Piece>) {
        let latex = self.notation == Notation::Latex;
        if let Node::Symbol(symbol) = *self.pool.node(base) {
            let (name, index) = (self.symbol_name(symbol), self.index(symbol, offset));
            let text = if latex {
                name::latex(&name, Some(&index))
            } else {
                format!("{name}[{index}]")
            };
            return (Level::Atom, vec![Piece::Text(text.into())]);
        }
        let index = place(self.pool.shape(base), offset as usize);
        let text = if latex {
            format!("_{{{index}}}")
        } else {
            format!("[{index}]")
        };
        let pieces = vec![Piece::at(base, Level::Atom), Piece::Text(text.into())];
        (Level::Atom, pieces)
    }

    fn stack(&self, elements: &[Expr], shape: Shape) -> Vec<Piece> {
        if self.notation == Notation::Latex {
            return self.matrix(elements, shape);
        }
        let list = |pieces: &mut Vec<Piece>, elements: &mut dyn Iterator<Item = Expr>| {
            pieces.push(Piece::text("["));
            for (k, element) in elements.enumerate() {
                if k > 0 {
                    pieces.push(Piece::text(", "));
                }
                pieces.push(Piece::whole(element));
            }
            pieces.push(Piece::text("]"));
        };
        let mut pieces = Vec::new();
        match shape {
            Shape::Matrix(rows, columns) => {
                pieces.push(Piece::text("["));
                for row in 0..rows {
                    if row > 0 {
                        pieces.push(Piece::text(", "));
                    }
                    let mut elements = (0..columns).map(|column| elements[row + column * rows]);
                    list(&mut pieces, &mut elements);
                }
                pieces.push(Piece::text("]"));
            }
            _ => list(&mut pieces, &mut elements.iter().copied()),
        }
        pieces
    }

    fn transposed(&self, a: Expr) -> Vec<Piece> {
        match self.notation {
            Notation::Latex => vec![Piece::at(a, Level::Atom), Piece::text("^{\\mathsf{T}}")],
            Notation::Text => vec![Piece::text("transpose("), Piece::whole(a), Piece::text(")")],
        }
    }

    /// A function with its arguments in brackets.
    pub(super) fn call(&self, name: &'static str, arguments: &[Expr]) -> (Level, Vec<Piece>) {
        let (left, right) = match self.notation {
            Notation::Text => ("(", ")"),
            Notation::Latex => ("\\left(", "\\right)"),
        };
        let mut pieces = vec![self.function_name(name), Piece::text(left)];
        for (k, &argument) in arguments.iter().enumerate() {
            if k > 0 {
                pieces.push(Piece::text(", "));
            }
            pieces.push(Piece::whole(argument));
        }
        pieces.push(Piece::text(right));
        (Level::Atom, pieces)
    }

    fn function_of_one(&self, operator: Unary, a: Expr) -> (Level, Vec<Piece>) {
        match (self.notation, operator) {
            (Notation::Text, Unary::Not) => {
                let pieces = vec![Piece::text("not "), Piece::at(a, Level::Not)];
                (Level::Not, pieces)
            }
            (Notation::Text, _) => self.call(operator.name(), &[a]),
            (Notation::Latex, _) => self.latex_function(operator, a),
        }
    }
}
