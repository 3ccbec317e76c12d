//! Expressions of the text to expressions of the pool: names looked up, shapes and kinds checked.
//!
//! Every problem becomes a diagnostic; `None` means that it has been reported already.

use super::delays::Delays;
use super::names::{Entity, Names};
use super::noise::misplaced;
use super::{FunctionId, IndexSetId, ParameterId};
use crate::diagnostic::{Code, Diagnostic, number_text};
use crate::source::Span;
use crate::symbolic::{Expr, Pool, Shape, SymbolId};
use crate::syntax::tree::{self, ExprKind};
use rustc_hash::FxHashMap;

/// An expression with its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    /// The expression.
    pub expr: Expr,
    /// True for a condition, which is no number.
    pub is_condition: bool,
}

impl Quantity {
    pub(super) fn number(expr: Expr) -> Quantity {
        Quantity {
            expr,
            is_condition: false,
        }
    }

    pub(super) fn condition(expr: Expr) -> Quantity {
        Quantity {
            expr,
            is_condition: true,
        }
    }
}

/// Names that hold inside a function or a loop only.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    bindings: Vec<(String, Local)>,
    /// Inside the body of a function.
    pub(super) in_function: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Local {
    /// An argument of a function.
    Argument(Quantity),
    /// The present number of a loop variable.
    Number(i64),
}

impl Scope {
    /// This scope with a loop variable set to a number.
    #[must_use]
    pub fn with_number(&self, name: &str, number: i64) -> Scope {
        self.with(name, Local::Number(number))
    }

    /// This scope with one more name.
    pub(super) fn with(&self, name: &str, local: Local) -> Scope {
        let mut scope = self.clone();
        scope.bindings.push((name.to_owned(), local));
        scope
    }

    pub(super) fn get(&self, name: &str) -> Option<Local> {
        self.bindings
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, local)| *local)
    }
}

/// Turns one expression of a sentence into an expression of `pool`.
///
/// # Errors
/// All problems of the expression.
pub fn elaborate(
    names: &Names,
    pool: &mut Pool,
    scope: &Scope,
    expr: &tree::Expr,
) -> Result<Quantity, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let mut elaborator = Elaborator::new(names, pool, &mut diagnostics);
    elaborator.in_sentence = true;
    match elaborator.expression(scope, expr) {
        Some(quantity) if diagnostics.is_empty() => match names.noisy(pool, quantity.expr) {
            None => Ok(quantity),
            Some(noisy) => {
                let name = pool.symbol_data(noisy).name.clone();
                Err(vec![misplaced(&name, "a sentence", expr.span)])
            }
        },
        _ => Err(diagnostics),
    }
}

/// What elaboration needs at hand.
pub(super) struct Elaborator<'a> {
    pub names: &'a Names,
    pub pool: &'a mut Pool,
    pub diagnostics: &'a mut Vec<Diagnostic>,
    /// Calls already expanded: the same call is expanded once, so that functions that call
    /// functions twice do not double the work at every level.
    expanded: FxHashMap<(FunctionId, Vec<Expr>), Option<Quantity>>,
    /// Expressions within expressions, through the bodies of functions.
    depth: usize,
    /// Calls within the bodies of functions that one written call has led to.
    calls: usize,
    /// Bodies of functions within each other.
    bodies: usize,
    /// The expression stands in a sentence, where nothing can be declared.
    pub in_sentence: bool,
    /// Delayed values that can be named.
    pub(super) delays: Delays<'a>,
}

/// More expressions within each other than this would need more stack than a thread has. The
/// syntax bounds what is written; calls of functions add up.
const MOST_DEPTH: usize = 1200;

/// More calls than this that follow from one are a slip: thirty functions that each call the one
/// before twice make a thousand million.
const MOST_CALLS: usize = 100_000;

impl<'a> Elaborator<'a> {
    pub fn new(
        names: &'a Names,
        pool: &'a mut Pool,
        diagnostics: &'a mut Vec<Diagnostic>,
    ) -> Elaborator<'a> {
        Elaborator {
            names,
            pool,
            diagnostics,
            expanded: FxHashMap::default(),
            depth: 0,
            calls: 0,
            bodies: 0,
            in_sentence: false,
            delays: Delays::Known,
        }
    }

    pub fn report<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        // A function's body is read anew at each call: say each thing once.
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
        None
    }

    /// An expression that must be a number, a vector or a matrix.
    pub fn number(&mut self, scope: &Scope, expr: &tree::Expr) -> Option<Expr> {
        let quantity = self.expression(scope, expr)?;
        self.need_number(quantity, expr.span)
    }

    pub(super) fn need_number(&mut self, quantity: Quantity, span: Span) -> Option<Expr> {
        if quantity.is_condition {
            return self.report(
                Diagnostic::new(Code::NotNumeric, "a number is needed here")
                    .at(span, "this is a condition")
                    .help("choose a value with `if ... then ... else ...`"),
            );
        }
        Some(quantity.expr)
    }

    /// An expression that must be a condition.
    pub fn condition(&mut self, scope: &Scope, expr: &tree::Expr) -> Option<Expr> {
        let quantity = self.expression(scope, expr)?;
        if !quantity.is_condition {
            return self.report(
                Diagnostic::new(Code::NotBoolean, "a condition is needed here")
                    .at(expr.span, "this is a number")
                    .help("compare it with something, as in `x > 0`"),
            );
        }
        Some(quantity.expr)
    }

    /// An expression that must be a known number now.
    pub fn constant(&mut self, scope: &Scope, expr: &tree::Expr) -> Option<f64> {
        let value = self.number(scope, expr)?;
        if let Some(number) = self.names.constant_value(self.pool, value) {
            return Some(number);
        }
        let (label, help) = match &expr.kind {
            ExprKind::Reference(reference)
                if matches!(
                    self.names.get(&reference.name.text),
                    Some(Entity::Parameter(_))
                ) =>
            {
                let name = &reference.name.text;
                (
                    format!("`{name}` is a parameter, which may change between runs"),
                    format!(
                        "write a number, or define the name once and for all: `let {name} = ...`"
                    ),
                )
            }
            _ => (
                "this depends on something that can change".to_owned(),
                "write a number, or a name defined with `let` as a number".to_owned(),
            ),
        };
        self.report(
            Diagnostic::new(Code::NotConstant, "a constant is needed here")
                .at(expr.span, label)
                .help(help),
        )
    }

    /// A constant that must be a whole number.
    pub fn whole_number(&mut self, scope: &Scope, expr: &tree::Expr) -> Option<i64> {
        let value = self.constant(scope, expr)?;
        // Whole numbers up to 2^53 are exact.
        if value.fract() == 0.0 && value.abs() < 9.0e15 {
            #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
            return Some(value as i64);
        }
        self.report(
            Diagnostic::new(Code::NotConstant, "a whole number is needed here")
                .at(expr.span, format!("this is {}", number_text(value))),
        )
    }

    pub fn expression(&mut self, scope: &Scope, expr: &tree::Expr) -> Option<Quantity> {
        self.depth += 1;
        let value = self.expression_within(scope, expr);
        self.depth -= 1;
        value
    }

    fn expression_within(&mut self, scope: &Scope, expr: &tree::Expr) -> Option<Quantity> {
        match &expr.kind {
            ExprKind::Number { value, .. } => Some(Quantity::number(self.pool.constant(*value))),
            ExprKind::Reference(reference) => self.reference(scope, reference),
            ExprKind::Prime { target, order } => self.prime(scope, target, *order, expr.span),
            ExprKind::Call {
                function,
                arguments,
            } => self.call(scope, function, arguments, expr.span),
            ExprKind::Vector(items) => self.vector(scope, items, expr.span),
            ExprKind::Unary { operator, operand } => self.unary(scope, *operator, operand),
            ExprKind::Binary { .. } => self.binary_chain(scope, expr),
            ExprKind::If {
                condition,
                then,
                otherwise,
            } => self.conditional(scope, condition, then, otherwise),
            ExprKind::Next(target) => self.next_value(scope, target, expr.span),
            ExprKind::Text(_) => self.misplaced(expr.span, "a quoted text"),
            ExprKind::Read { numbers, .. } => {
                numbers.as_ref()?;
                self.report(
                    Diagnostic::new(Code::NotNumeric, "what is read from a file stands alone")
                        .at(expr.span, "")
                        .help("give it to a parameter, whose index sets say which labels it has: `param w[gene] = read(...)`"),
                )
            }
            ExprKind::Range { .. } => self.misplaced(expr.span, "a range"),
            ExprKind::Words(_) => self.misplaced(expr.span, "words without an operator"),
        }
    }

    fn misplaced(&mut self, span: Span, what: &str) -> Option<Quantity> {
        self.report(
            Diagnostic::new(Code::NotNumeric, "a number is needed here")
                .at(span, format!("this is {what}")),
        )
    }

    fn vector(&mut self, scope: &Scope, items: &[tree::Expr], span: Span) -> Option<Quantity> {
        let is_matrix = items
            .iter()
            .any(|item| matches!(item.kind, ExprKind::Vector(_)));
        if is_matrix {
            return self.matrix(scope, items, span);
        }
        let mut scalars = Vec::with_capacity(items.len());
        let mut complete = true;
        for item in items {
            match self.scalar(scope, item) {
                Some(scalar) => scalars.push(scalar),
                None => complete = false,
            }
        }
        let shape = Shape::Vector(scalars.len());
        complete.then(|| Quantity::number(self.pool.stack(scalars, shape)))
    }

    fn matrix(&mut self, scope: &Scope, rows: &[tree::Expr], span: Span) -> Option<Quantity> {
        let mut values: Vec<Vec<Expr>> = Vec::with_capacity(rows.len());
        for row in rows {
            let ExprKind::Vector(items) = &row.kind else {
                return self.report(
                    Diagnostic::new(Code::ShapeMismatch, "a matrix is written row by row")
                        .at(row.span, "this is not a row")
                        .help("as in `[[-1, 2], [3, 4]]`"),
                );
            };
            let mut numbers = Vec::with_capacity(items.len());
            for item in items {
                numbers.push(self.scalar(scope, item)?);
            }
            values.push(numbers);
        }
        let columns = values.first().map_or(0, Vec::len);
        if let Some(odd) = values.iter().position(|row| row.len() != columns) {
            return self.report(
                Diagnostic::new(Code::ShapeMismatch, "the rows of a matrix differ in length")
                    .at(
                        rows.get(odd).map_or(span, |row| row.span),
                        format!("this row has {}", values[odd].len()),
                    )
                    .at(
                        rows.first().map_or(span, |row| row.span),
                        format!("the first row has {columns}"),
                    ),
            );
        }
        let shape = Shape::Matrix(values.len(), columns);
        let by_column = (0..columns)
            .flat_map(|column| values.iter().map(move |row| row[column]))
            .collect();
        Some(Quantity::number(self.pool.stack(by_column, shape)))
    }

    /// A number that is neither vector nor matrix.
    pub fn scalar(&mut self, scope: &Scope, expr: &tree::Expr) -> Option<Expr> {
        let value = self.number(scope, expr)?;
        match self.pool.shape(value) {
            Shape::Scalar => Some(value),
            shape => self.report(
                Diagnostic::new(Code::ShapeMismatch, "a single number is needed here")
                    .at(expr.span, format!("this is {shape}")),
            ),
        }
    }

    pub(super) fn conditional(
        &mut self,
        scope: &Scope,
        condition: &tree::Expr,
        then: &tree::Expr,
        otherwise: &tree::Expr,
    ) -> Option<Quantity> {
        let condition_value = self.condition(scope, condition);
        let a = self.expression(scope, then);
        let b = self.expression(scope, otherwise);
        let (c, a, b) = (condition_value?, a?, b?);
        if a.is_condition != b.is_condition {
            return self.report(
                Diagnostic::new(
                    Code::NotNumeric,
                    "both branches of `if` must be of one kind",
                )
                .at(
                    then.span,
                    if a.is_condition {
                        "a condition"
                    } else {
                        "a number"
                    },
                )
                .at(
                    otherwise.span,
                    if b.is_condition {
                        "a condition"
                    } else {
                        "a number"
                    },
                ),
            );
        }
        match self.pool.conditional(c, a.expr, b.expr) {
            Ok(expr) => Some(Quantity {
                expr,
                is_condition: a.is_condition,
            }),
            Err(shapes) => self.report(
                Diagnostic::new(Code::ShapeMismatch, "these shapes do not fit together")
                    .at(condition.span, format!("this is {}", self.pool.shape(c)))
                    .at(then.span, format!("this is {}", shapes.left))
                    .at(otherwise.span, format!("this is {}", shapes.right)),
            ),
        }
    }

    pub(super) fn expand(
        &mut self,
        id: FunctionId,
        arguments: Vec<Quantity>,
        call: Span,
    ) -> Option<Quantity> {
        let key = (id, arguments.iter().map(|argument| argument.expr).collect());
        if let Some(known) = self.expanded.get(&key) {
            return *known;
        }
        let names = self.names;
        if names.is_circular(id) {
            // Reported where the function is declared.
            return None;
        }
        let function = names.function(id);
        if self.depth > MOST_DEPTH {
            return self.report(
                Diagnostic::new(Code::TooDeep, "functions call functions too deeply")
                    .at(call, "one call too many")
                    .help("name inner parts with `let`"),
            );
        }
        if self.bodies == 0 {
            self.calls = 0;
        }
        self.calls += 1;
        if self.calls > MOST_CALLS + 1 {
            // Has been reported.
            return None;
        }
        if self.calls > MOST_CALLS {
            return self.report(
                Diagnostic::new(Code::TooDeep, "functions call functions too often")
                    .at(call, format!("call {} that follows from one", self.calls))
                    .help("name inner parts with `let`"),
            );
        }
        let scope = Scope {
            bindings: function
                .parameters
                .iter()
                .zip(arguments)
                .map(|(name, value)| (name.text.clone(), Local::Argument(value)))
                .collect(),
            in_function: true,
        };
        self.bodies += 1;
        let value = self.expression(&scope, &function.body);
        self.bodies -= 1;
        self.expanded.insert(key, value);
        value
    }
}

/// A symbol with its index sets.
#[derive(Debug, Clone, Default)]
pub(super) struct Declared {
    pub symbol: Option<SymbolId>,
    pub indices: Vec<IndexSetId>,
    pub compartment: Option<ParameterId>,
}
