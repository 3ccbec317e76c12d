//! Which entries of a matrix of parameters are there, and what their size costs in a fit.
//!
//! ```text
//! param B[gene, knockout] = 0 mask knockout == none or knockout == gene
//! param A[gene, gene] = diagonal(-1) mask row == column or row == GATA1
//! param W[gene, gene] = 0 mask read("allowed.csv")
//! param A[gene, gene] = diagonal(-1) penalty l1(0.1, offdiag) + l2(0.01)
//! ```
//!
//! In a mask the name of an index set stands for the member that an entry belongs to; `row` and
//! `column` do so where both sets are one.
//!
//! Enters: clauses and the index sets of the parameter. Leaves: a truth value for each entry, and
//! penalties. Must not know what a fit does with them.

use super::elaborate::{Elaborator, Scope};
use super::names::Members;
use super::{IndexSetId, Norm, Penalty, Weight};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::Span;
use crate::syntax::tree::{self, BinaryOperator, ExprKind, UnaryOperator};
use rustc_hash::FxHashMap;

/// A test of one entry.
enum Test {
    Compare(BinaryOperator, Side, Side),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Not(Box<Test>),
    /// Numbers of a file, column by column: those that are not zero.
    Numbers(Vec<f64>),
}

/// What is compared: the member at an entry, by its axis, or always the same.
enum Side {
    Axis(usize),
    Fixed(Value),
}

/// A member of an index set, or what it is compared with.
#[derive(Clone, Copy)]
struct Value {
    /// Equal labels have equal numbers here.
    label: usize,
    /// Its number, in sets of numbers.
    number: Option<i64>,
}

/// The members along each axis.
struct Axes<'a> {
    sets: &'a [IndexSetId],
    members: Vec<Vec<Value>>,
    labels: FxHashMap<String, usize>,
}

impl Elaborator<'_> {
    /// The entries that are there, column by column.
    pub(super) fn mask(&mut self, written: &tree::Expr, sets: &[IndexSetId]) -> Option<Vec<bool>> {
        if sets.is_empty() {
            return self.report(
                Diagnostic::new(Code::ForeignClause, "a mask belongs to a vector or matrix")
                    .at(written.span, "")
                    .help("this parameter is a single number"),
            );
        }
        let mut axes = self.axes(sets);
        let test = self.test(written, &mut axes)?;
        let rows = axes.members.first().map_or(0, Vec::len);
        let columns = axes.members.get(1).map_or(1, Vec::len);
        let mut there = Vec::with_capacity(rows * columns);
        for column in 0..columns {
            for row in 0..rows {
                there.push(holds(&test, &axes, [row, column], row + column * rows));
            }
        }
        if there.iter().any(|entry| *entry) {
            return Some(there);
        }
        self.report(
            Diagnostic::new(Code::NotConstant, "this mask leaves no entry")
                .at(written.span, "it holds nowhere"),
        )
    }

    fn axes<'s>(&self, sets: &'s [IndexSetId]) -> Axes<'s> {
        let mut labels = FxHashMap::default();
        let members = sets
            .iter()
            .map(|set| {
                let set = self.names.index_set(*set);
                let first = match set.members {
                    Members::Numbers { first, .. } => Some(first),
                    Members::Labels(_) => None,
                };
                (0..set.len())
                    .map(|at| {
                        let next = labels.len();
                        let label = *labels.entry(set.label(at)).or_insert(next);
                        let number = first.and_then(|first| Some(first + i64::try_from(at).ok()?));
                        Value { label, number }
                    })
                    .collect()
            })
            .collect();
        Axes {
            sets,
            members,
            labels,
        }
    }

    fn test(&mut self, written: &tree::Expr, axes: &mut Axes<'_>) -> Option<Test> {
        match &written.kind {
            ExprKind::Unary {
                operator: UnaryOperator::Not,
                operand,
            } => Some(Test::Not(Box::new(self.test(operand, axes)?))),
            ExprKind::Binary {
                operator,
                left,
                right,
                ..
            } => match operator {
                BinaryOperator::And | BinaryOperator::Or => {
                    let sides = (self.test(left, axes), self.test(right, axes));
                    let (left, right) = (Box::new(sides.0?), Box::new(sides.1?));
                    Some(if *operator == BinaryOperator::And {
                        Test::And(left, right)
                    } else {
                        Test::Or(left, right)
                    })
                }
                BinaryOperator::Equal | BinaryOperator::NotEqual => {
                    let sides = (self.side(left, axes), self.side(right, axes));
                    Some(Test::Compare(*operator, sides.0?, sides.1?))
                }
                BinaryOperator::Less
                | BinaryOperator::LessEqual
                | BinaryOperator::Greater
                | BinaryOperator::GreaterEqual => {
                    let sides = (self.side(left, axes), self.side(right, axes));
                    let test = (sides.0?, sides.1?);
                    let counted = |side: &Side| match side {
                        Side::Axis(axis) => axes.members[*axis].iter().all(|v| v.number.is_some()),
                        Side::Fixed(value) => value.number.is_some(),
                    };
                    if !counted(&test.0) || !counted(&test.1) {
                        return self.report(
                            Diagnostic::new(Code::NotNumeric, "labels have no order")
                                .at(written.span, "")
                                .help("compare them by `==` and `!=`"),
                        );
                    }
                    Some(Test::Compare(*operator, test.0, test.1))
                }
                _ => self.no_test(written.span),
            },
            ExprKind::Read { numbers, .. } => {
                let read = numbers.as_ref()?;
                let (numbers, _) = self.placed(read, axes.sets, written.span)?;
                Some(Test::Numbers(numbers))
            }
            _ => self.no_test(written.span),
        }
    }

    fn no_test<T>(&mut self, span: Span) -> Option<T> {
        self.report(
            Diagnostic::new(Code::NotBoolean, "a mask says for each entry whether it is there")
                .at(span, "")
                .help("compare members of the index sets, as in `mask knockout == none or knockout == gene`, or `mask row != column`; or read it: `mask read(\"allowed.csv\")`"),
        )
    }

    fn side(&mut self, written: &tree::Expr, axes: &mut Axes<'_>) -> Option<Side> {
        if let ExprKind::Reference(reference) = &written.kind
            && reference.indices.is_empty()
        {
            return self.named_side(&reference.name, axes);
        }
        let number = self.whole_number(&Scope::default(), written)?;
        let label = axes.labels.get(&number.to_string()).copied();
        Some(Side::Fixed(Value {
            label: label.unwrap_or(usize::MAX),
            number: Some(number),
        }))
    }

    fn named_side(&mut self, name: &tree::Name, axes: &Axes<'_>) -> Option<Side> {
        let own: Vec<usize> = (0..axes.sets.len())
            .filter(|axis| self.names.index_set(axes.sets[*axis]).name == name.text)
            .collect();
        match (own.as_slice(), name.text.as_str(), axes.sets.len()) {
            ([axis], _, _) => return Some(Side::Axis(*axis)),
            ([_, _], _, _) => {
                let message = format!("`{}` is the set of rows and of columns", name.text);
                return self.report(
                    Diagnostic::new(Code::BadIndex, message)
                        .at(name.span, "which of them?")
                        .help("say `row` or `column`, as in `mask row != column`"),
                );
            }
            (_, "row", _) => return Some(Side::Axis(0)),
            (_, "column", 2) => return Some(Side::Axis(1)),
            _ => {}
        }
        if let Some(label) = axes.labels.get(&name.text) {
            return Some(Side::Fixed(Value {
                label: *label,
                number: None,
            }));
        }
        let sets = axes.sets.iter().map(|set| &self.names.index_set(*set).name);
        let known: Vec<&str> = axes.labels.keys().chain(sets).map(String::as_str).collect();
        let mut diagnostic = Diagnostic::new(
            Code::BadIndex,
            format!("`{}` is no member of these index sets", name.text),
        )
        .at(name.span, "not known");
        let mut sorted = known;
        sorted.sort_unstable();
        if let Some(help) = did_you_mean(&name.text, sorted) {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic)
    }

    /// `l1(0.1, offdiag) + l2(0.01)`
    pub(super) fn penalties(&mut self, written: &tree::Expr) -> Option<Vec<Penalty>> {
        let mut terms = Vec::new();
        let mut rest = written;
        while let ExprKind::Binary {
            operator: BinaryOperator::Add,
            left,
            right,
            ..
        } = &rest.kind
        {
            terms.push(&**right);
            rest = left;
        }
        terms.push(rest);
        terms
            .into_iter()
            .rev()
            .map(|term| self.penalty(term))
            .collect()
    }

    fn penalty(&mut self, written: &tree::Expr) -> Option<Penalty> {
        let ExprKind::Call {
            function,
            arguments,
        } = &written.kind
        else {
            return self.no_penalty(written.span);
        };
        let norm = match function.name.text.as_str() {
            "l1" => Norm::Absolute,
            "l2" => Norm::Square,
            _ => return self.no_penalty(function.span),
        };
        let Some((weight, words)) = arguments.split_first() else {
            return self.no_penalty(written.span);
        };
        let is_auto = matches!(&weight.value.kind,
            ExprKind::Reference(word) if word.name.text == "auto" && word.indices.is_empty());
        let weight = if is_auto {
            Weight::HeldOut
        } else {
            let number = self.constant(&Scope::default(), &weight.value)?;
            if !(number.is_finite() && number >= 0.0) {
                return self.report(
                    Diagnostic::new(Code::OutOfBounds, "the weight of a penalty is not negative")
                        .at(weight.value.span, ""),
                );
            }
            Weight::Given(number)
        };
        let mut penalty = Penalty {
            norm,
            weight,
            off_diagonal: false,
            is_adaptive: false,
            is_two_sided: false,
            span: written.span,
        };
        for argument in words {
            let word = match &argument.value.kind {
                ExprKind::Reference(word) => word.name.text.as_str(),
                _ => "",
            };
            match (word, norm) {
                ("offdiag", _) => penalty.off_diagonal = true,
                ("adaptive", Norm::Absolute) => penalty.is_adaptive = true,
                ("sides", Norm::Square) => penalty.is_two_sided = true,
                _ => return self.no_penalty(argument.value.span),
            }
        }
        Some(penalty)
    }

    fn no_penalty<T>(&mut self, span: Span) -> Option<T> {
        self.report(
            Diagnostic::new(Code::WrongKind, "this is no penalty")
                .at(span, "")
                .help("penalties are `l1(weight)` and `l2(weight)`; after the weight, which may be `auto`, `offdiag` leaves the diagonal free, `adaptive` weighs an `l1` by a first fit, and `sides` takes an `l2` on each side of a product"),
        )
    }
}

fn holds(test: &Test, axes: &Axes<'_>, at: [usize; 2], entry: usize) -> bool {
    match test {
        Test::And(a, b) => holds(a, axes, at, entry) && holds(b, axes, at, entry),
        Test::Or(a, b) => holds(a, axes, at, entry) || holds(b, axes, at, entry),
        Test::Not(a) => !holds(a, axes, at, entry),
        Test::Numbers(numbers) => numbers.get(entry).is_some_and(|number| *number != 0.0),
        Test::Compare(operator, left, right) => {
            let value = |side: &Side| match side {
                Side::Axis(axis) => axes.members[*axis][at[*axis]],
                Side::Fixed(value) => *value,
            };
            let (left, right) = (value(left), value(right));
            match operator {
                BinaryOperator::Equal => left.label == right.label,
                BinaryOperator::NotEqual => left.label != right.label,
                BinaryOperator::Less => left.number < right.number,
                BinaryOperator::LessEqual => left.number <= right.number,
                BinaryOperator::Greater => left.number > right.number,
                _ => left.number >= right.number,
            }
        }
    }
}
