//! What LaTeX writes in its own way.
//!
//! Enters: functions, choices, matrices. Leaves: their pieces. Must not know the plain notation.

use super::layout::{Level, Piece};
use super::{Notation, Writer};
use crate::symbolic::{Expr, Node, Shape, Unary};

impl Writer<'_> {
    pub(super) fn latex_function(&self, operator: Unary, a: Expr) -> (Level, Vec<Piece>) {
        let between = |left: &'static str, right: &'static str| {
            vec![Piece::text(left), Piece::whole(a), Piece::text(right)]
        };
        match operator {
            Unary::Not => {
                let pieces = vec![Piece::text("\\lnot "), Piece::at(a, Level::Not)];
                (Level::Not, pieces)
            }
            Unary::Exp => (Level::Power, between("e^{", "}")),
            Unary::Sqrt => (Level::Atom, between("\\sqrt{", "}")),
            Unary::Cbrt => (Level::Atom, between("\\sqrt[3]{", "}")),
            Unary::Abs => (Level::Atom, between("\\left|", "\\right|")),
            Unary::Floor => (Level::Atom, between("\\left\\lfloor ", "\\right\\rfloor ")),
            Unary::Ceil => (Level::Atom, between("\\left\\lceil ", "\\right\\rceil ")),
            _ => self.call(operator.name(), &[a]),
        }
    }

    /// The name of a function in front of its arguments.
    pub(super) fn function_name(&self, name: &'static str) -> Piece {
        if self.notation == Notation::Text {
            return Piece::text(name);
        }
        Piece::text(match name {
            "sin" => "\\sin",
            "cos" => "\\cos",
            "tan" => "\\tan",
            "asin" => "\\arcsin",
            "acos" => "\\arccos",
            "atan" => "\\arctan",
            "sinh" => "\\sinh",
            "cosh" => "\\cosh",
            "tanh" => "\\tanh",
            "log" => "\\ln",
            "log10" => "\\log_{10}",
            "log2" => "\\log_{2}",
            "min" => "\\min",
            "max" => "\\max",
            "diagonal" => "\\operatorname{diag}",
            "sum" => "\\textstyle\\sum",
            other => return Piece::Text(format!("\\operatorname{{{other}}}").into()),
        })
    }

    /// A choice, with choices in its last branch as further lines.
    pub(super) fn cases(&self, expr: Expr) -> Vec<Piece> {
        let mut pieces = vec![Piece::text("\\begin{cases} ")];
        let mut rest = expr;
        while let Node::If(condition, a, b) = *self.pool.node(rest) {
            pieces.push(Piece::whole(a));
            pieces.push(Piece::text(" & \\text{if } "));
            pieces.push(Piece::whole(condition));
            pieces.push(Piece::text(" \\\\ "));
            rest = b;
        }
        pieces.push(Piece::whole(rest));
        pieces.push(Piece::text(" & \\text{otherwise} \\end{cases}"));
        pieces
    }

    pub(super) fn matrix(&self, elements: &[Expr], shape: Shape) -> Vec<Piece> {
        let (rows, columns) = (shape.rows(), shape.columns());
        let mut pieces = vec![Piece::text("\\begin{bmatrix} ")];
        for row in 0..rows {
            if row > 0 {
                pieces.push(Piece::text(" \\\\ "));
            }
            for column in 0..columns {
                if column > 0 {
                    pieces.push(Piece::text(" & "));
                }
                pieces.push(Piece::whole(elements[row + column * rows]));
            }
        }
        pieces.push(Piece::text(" \\end{bmatrix}"));
        pieces
    }
}
