//! Expressions of the text to expressions of the pool: names looked up, shapes and kinds checked.
//!
//! Every problem becomes a diagnostic; `None` means that it has been reported already.

use super::names::{Entity, Members, Names};
use super::{FunctionId, IndexSetId, ParameterId};
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed, number_text};
use crate::source::Span;
use crate::symbolic::{Binary, Builtin, Expr, Pool, Shape, SymbolId, Unary};
use crate::syntax::tree::{self, BinaryOperator, ExprKind, UnaryOperator};
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

    fn condition(expr: Expr) -> Quantity {
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
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Local {
    /// An argument of a function.
    Argument(Quantity),
    /// The present number of a loop variable.
    Number(i64),
}

impl Scope {
    /// This scope with a loop variable set to a number.
    #[must_use]
    pub fn with_number(&self, name: &str, number: i64) -> Scope {
        let mut scope = self.clone();
        scope
            .bindings
            .push((name.to_owned(), Local::Number(number)));
        scope
    }

    fn get(&self, name: &str) -> Option<Local> {
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
        Some(quantity) if diagnostics.is_empty() => Ok(quantity),
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
    /// The expression stands in a sentence, where nothing can be declared.
    pub in_sentence: bool,
}

/// More expressions within each other than this would need more stack than a thread has. The
/// syntax bounds what is written; calls of functions add up.
const MOST_DEPTH: usize = 1200;

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
            in_sentence: false,
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

    fn need_number(&mut self, quantity: Quantity, span: Span) -> Option<Expr> {
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
            ExprKind::Next(target) => self.report(
                Diagnostic::new(
                    Code::NotModelled,
                    "maps (`next`) are not modelled by this version",
                )
                .at(target.span, "a next value"),
            ),
            ExprKind::Text(_) => self.misplaced(expr.span, "a quoted text"),
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

    fn unary(
        &mut self,
        scope: &Scope,
        operator: UnaryOperator,
        operand: &tree::Expr,
    ) -> Option<Quantity> {
        match operator {
            UnaryOperator::Negate => {
                let value = self.number(scope, operand)?;
                Some(Quantity::number(self.pool.unary(Unary::Negate, value)))
            }
            UnaryOperator::Not => {
                let value = self.condition(scope, operand)?;
                Some(Quantity::condition(self.pool.unary(Unary::Not, value)))
            }
        }
    }

    /// `a + b + c + ...` leans to the left: walk down that side without recursion, since a sum
    /// may have thousands of terms.
    fn binary_chain(&mut self, scope: &Scope, expr: &tree::Expr) -> Option<Quantity> {
        let mut pending = Vec::new();
        let mut first = expr;
        while let ExprKind::Binary { left, .. } = &first.kind {
            pending.push(first);
            first = left;
        }
        let mut value = self.expression(scope, first);
        while let Some(outer) = pending.pop() {
            let ExprKind::Binary {
                operator,
                operator_span,
                left,
                right,
            } = &outer.kind
            else {
                break;
            };
            let right_value = self.expression(scope, right);
            value = match (value, right_value) {
                (Some(a), Some(b)) => {
                    self.operation(*operator, *operator_span, (a, left.span), (b, right.span))
                }
                _ => None,
            };
        }
        value
    }

    fn operation(
        &mut self,
        operator: BinaryOperator,
        span: Span,
        (left, left_span): (Quantity, Span),
        (right, right_span): (Quantity, Span),
    ) -> Option<Quantity> {
        if matches!(operator, BinaryOperator::And | BinaryOperator::Or) {
            for (side, side_span) in [(left, left_span), (right, right_span)] {
                if !side.is_condition {
                    return self.report(
                        Diagnostic::new(Code::NotBoolean, "`and` and `or` join conditions")
                            .at(side_span, "this is a number"),
                    );
                }
            }
            let operator = if operator == BinaryOperator::And {
                Binary::And
            } else {
                Binary::Or
            };
            return self
                .elementwise(
                    operator,
                    span,
                    (left.expr, left_span),
                    (right.expr, right_span),
                )
                .map(Quantity::condition);
        }
        let left = (self.need_number(left, left_span)?, left_span);
        let right = (self.need_number(right, right_span)?, right_span);
        let elementwise = match operator {
            BinaryOperator::Multiply => return self.multiply(span, left, right),
            BinaryOperator::Divide => {
                self.no_vector_divisor(left, right, span)?;
                Binary::Divide
            }
            BinaryOperator::Power => {
                self.no_matrix_power(left, right, span)?;
                Binary::Power
            }
            BinaryOperator::Add => Binary::Add,
            BinaryOperator::Subtract => Binary::Subtract,
            BinaryOperator::ElementMultiply => Binary::Multiply,
            BinaryOperator::ElementDivide => Binary::Divide,
            BinaryOperator::ElementPower => Binary::Power,
            comparison => {
                let comparison = match comparison {
                    BinaryOperator::Equal => Binary::Equal,
                    BinaryOperator::NotEqual => Binary::NotEqual,
                    BinaryOperator::Less => Binary::Less,
                    BinaryOperator::LessEqual => Binary::LessEqual,
                    BinaryOperator::Greater => Binary::Greater,
                    _ => Binary::GreaterEqual,
                };
                return self
                    .elementwise(comparison, span, left, right)
                    .map(Quantity::condition);
            }
        };
        self.elementwise(elementwise, span, left, right)
            .map(Quantity::number)
    }

    fn elementwise(
        &mut self,
        operator: Binary,
        span: Span,
        (left, left_span): (Expr, Span),
        (right, right_span): (Expr, Span),
    ) -> Option<Expr> {
        match self.pool.binary(operator, left, right) {
            Ok(expr) => Some(expr),
            Err(shapes) => self.report(
                Diagnostic::new(Code::ShapeMismatch, "these shapes do not fit together")
                    .at(span, "")
                    .at(left_span, format!("this is {}", shapes.left))
                    .at(right_span, format!("this is {}", shapes.right))
                    .help("both sides need the same shape, or one of them a single number"),
            ),
        }
    }

    fn multiply(
        &mut self,
        span: Span,
        left: (Expr, Span),
        right: (Expr, Span),
    ) -> Option<Quantity> {
        let (a, b) = (self.pool.shape(left.0), self.pool.shape(right.0));
        match (a, b) {
            (Shape::Scalar, _) | (_, Shape::Scalar) => self
                .elementwise(Binary::Multiply, span, left, right)
                .map(Quantity::number),
            (Shape::Vector(_), Shape::Vector(_)) => self.report(
                Diagnostic::new(Code::VectorProduct, "a vector times a vector has two readings")
                    .at(span, "which product is meant?")
                    .at(left.1, format!("this is {a}"))
                    .at(right.1, format!("this is {b}"))
                    .help("write `.*` for element by element, or `dot(a, b)` for the sum of products"),
            ),
            _ => match self.pool.product(left.0, right.0) {
                Ok(expr) => Some(Quantity::number(expr)),
                Err(_) => self.report(
                    Diagnostic::new(Code::ShapeMismatch, "this matrix product does not fit")
                        .at(span, "")
                        .at(left.1, format!("this is {a}"))
                        .at(right.1, format!("this is {b}"))
                        .help("the columns of the left side must match the rows of the right; `transpose(...)` turns a side over"),
                ),
            },
        }
    }

    fn no_vector_divisor(
        &mut self,
        left: (Expr, Span),
        right: (Expr, Span),
        span: Span,
    ) -> Option<()> {
        let (a, b) = (self.pool.shape(left.0), self.pool.shape(right.0));
        if a == Shape::Scalar || b == Shape::Scalar {
            return Some(());
        }
        self.report(
            Diagnostic::new(
                Code::VectorProduct,
                "a vector cannot be divided by a vector",
            )
            .at(span, "")
            .at(left.1, format!("this is {a}"))
            .at(right.1, format!("this is {b}"))
            .help("write `./` to divide element by element"),
        )
    }

    fn no_matrix_power(
        &mut self,
        left: (Expr, Span),
        right: (Expr, Span),
        span: Span,
    ) -> Option<()> {
        let (a, b) = (self.pool.shape(left.0), self.pool.shape(right.0));
        if !matches!(a, Shape::Matrix(..)) && b == Shape::Scalar {
            return Some(());
        }
        self.report(
            Diagnostic::new(
                Code::VectorProduct,
                "`^` takes a number or vector as its base and a number as its exponent",
            )
            .at(span, "")
            .at(left.1, format!("this is {a}"))
            .at(right.1, format!("this is {b}"))
            .help("write `.^` for powers element by element, `A*A` for the square of a matrix"),
        )
    }

    fn conditional(
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

    fn reference(&mut self, scope: &Scope, reference: &tree::Reference) -> Option<Quantity> {
        let name = &reference.name;
        if let Some(local) = scope.get(&name.text) {
            let value = match local {
                Local::Argument(quantity) => quantity,
                #[expect(clippy::cast_precision_loss, reason = "loop numbers are small")]
                Local::Number(number) => Quantity::number(self.pool.constant(number as f64)),
            };
            if reference.indices.is_empty() {
                return Some(value);
            }
            return self
                .element_by_number(scope, reference, value.expr)
                .map(Quantity::number);
        }
        if name.text == "pi" {
            return Some(Quantity::number(self.pool.constant(std::f64::consts::PI)));
        }
        match self.names.get(&name.text) {
            Some(Entity::IndexSet(id)) => self.index_numbers(id, name),
            Some(entity @ (Entity::Function(_) | Entity::Condition(_))) => self.report(
                Diagnostic::new(
                    Code::WrongKind,
                    format!(
                        "`{}` is {}, not a quantity",
                        name.text,
                        self.names.describe(&name.text)
                    ),
                )
                .at(name.span, "a number is needed here")
                .help(if matches!(entity, Entity::Function(_)) {
                    "call it with its arguments in parentheses"
                } else {
                    "a condition is chosen for a run, as in `simulate 0..100 in knockout`"
                }),
            ),
            Some(_) if reference.indices.is_empty() => {
                let symbol = self.names.symbol(&name.text)?;
                Some(Quantity::number(self.pool.symbol(symbol)))
            }
            Some(_) => self.indexed(scope, reference),
            None => self.indexed_flux_or_unknown(scope, reference),
        }
    }

    fn indexed_flux_or_unknown(
        &mut self,
        scope: &Scope,
        reference: &tree::Reference,
    ) -> Option<Quantity> {
        let name = &reference.name;
        if let [index] = reference.indices.as_slice()
            && self.names.has_indexed_fluxes(&name.text)
        {
            let index_number = self.whole_number(scope, index)?;
            if let Some(flux) = self.names.indexed_flux(&name.text, index_number) {
                let symbol = self.names.definition_symbol(flux)?;
                return Some(Quantity::number(self.pool.symbol(symbol)));
            }
            return self.report(
                Diagnostic::new(
                    Code::BadIndex,
                    format!("there is no reaction `{}[{index_number}]`", name.text),
                )
                .at(reference.span, ""),
            );
        }
        self.unknown_name(name)
    }

    pub fn unknown_name(&mut self, name: &tree::Name) -> Option<Quantity> {
        let text = &name.text;
        if self.names.is_refused(text) {
            return None;
        }
        if Builtin::find(text).is_some() {
            return self.report(
                Diagnostic::new(
                    Code::WrongKind,
                    format!("`{text}` is a function, not a quantity"),
                )
                .at(name.span, "a number is needed here")
                .help(format!("call it, as in `{text}(x)`")),
            );
        }
        let near = self.names.closest(text, |entity| {
            !matches!(entity, Entity::Function(_) | Entity::Condition(_))
        });
        let help = match near {
            Some(known) => format!("did you mean `{known}`?"),
            None if self.in_sentence => self.quantities_in_short(),
            None => format!("declare it, for example with `param {text} = 1`"),
        };
        self.report(
            Diagnostic::new(Code::UnknownName, format!("`{text}` is not declared"))
                .at(name.span, "not known")
                .help(help),
        )
    }

    /// What there is to choose from.
    fn quantities_in_short(&self) -> String {
        const MOST: usize = 12;
        let names: Vec<String> = self
            .names
            .iter()
            .filter(|(_, entity)| {
                matches!(
                    entity,
                    Entity::State(_) | Entity::Definition(_) | Entity::Parameter(_)
                )
            })
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        match names.len() {
            0 => "the model declares no quantities".to_owned(),
            1..=MOST => format!("the model declares {}", listed(&names)),
            many => format!("the model declares {many} quantities: see `show model`"),
        }
    }

    /// The name of a numeric index set stands for the vector of its numbers.
    fn index_numbers(&mut self, id: IndexSetId, name: &tree::Name) -> Option<Quantity> {
        let Members::Numbers { first, count } = self.names.index_set(id).members.clone() else {
            return self.report(
                Diagnostic::new(
                    Code::WrongKind,
                    format!("`{}` is an index set of labels, not a quantity", name.text),
                )
                .at(name.span, "a number is needed here")
                .help(format!(
                    "values for its members are a vector, as in `param k[{}] = 1`",
                    name.text
                )),
            );
        };
        #[expect(clippy::cast_precision_loss, reason = "index numbers are small")]
        let numbers = (0..count)
            .map(|k| self.pool.constant(first as f64 + k as f64))
            .collect();
        Some(Quantity::number(
            self.pool.stack(numbers, Shape::Vector(count)),
        ))
    }

    /// `y[gene]` is `y`; `u[i-1]`, `y[GATA1]`, `A[gene, 2]` pick elements.
    fn indexed(&mut self, scope: &Scope, reference: &tree::Reference) -> Option<Quantity> {
        let name = &reference.name.text;
        let symbol = self.names.symbol(name)?;
        let whole = self.pool.symbol(symbol);
        let sets = self.names.indices(name).to_vec();
        if sets.is_empty() {
            return self
                .element_by_number(scope, reference, whole)
                .map(Quantity::number);
        }
        self.right_number_of_indices(reference, sets.len())?;
        let mut choices = Vec::with_capacity(sets.len());
        for (index, set) in reference.indices.iter().zip(&sets) {
            choices.push(self.index_choice(scope, index, *set)?);
        }
        Some(Quantity::number(self.pick(whole, &choices)))
    }

    pub fn right_number_of_indices(
        &mut self,
        reference: &tree::Reference,
        wanted: usize,
    ) -> Option<()> {
        if reference.indices.len() == wanted {
            return Some(());
        }
        self.report(
            Diagnostic::new(
                Code::BadIndex,
                format!(
                    "`{}` has {wanted} {}, not {}",
                    reference.name.text,
                    if wanted == 1 { "index" } else { "indices" },
                    reference.indices.len()
                ),
            )
            .at(reference.span, ""),
        )
    }

    /// A single position in an index set, or all of it.
    pub fn index_choice(
        &mut self,
        scope: &Scope,
        index: &tree::Expr,
        set: IndexSetId,
    ) -> Option<Choice> {
        let members = self.names.index_set(set);
        if let ExprKind::Reference(reference) = &index.kind
            && reference.indices.is_empty()
            && scope.get(&reference.name.text).is_none()
        {
            let text = &reference.name.text;
            if let Some(position) = members.position_of_label(text) {
                return Some(Choice::One(position));
            }
            match self.names.get(text) {
                Some(Entity::IndexSet(id)) if id == set => return Some(Choice::All(members.len())),
                Some(Entity::IndexSet(_)) | None => return self.unknown_label(reference, set),
                Some(_) => {}
            }
        }
        let number = self.whole_number(scope, index)?;
        let members = self.names.index_set(set);
        match members.position_of_number(number) {
            Some(position) => Some(Choice::One(position)),
            None => {
                let range = format!(
                    "`{}` has {} members{}",
                    members.name,
                    members.len(),
                    match members.members {
                        Members::Numbers { first, .. } if !members.is_empty() =>
                            format!(", {first} to {}", members.label(members.len() - 1)),
                        _ => String::new(),
                    }
                );
                self.report(
                    Diagnostic::new(
                        Code::BadIndex,
                        format!("the index {number} lies outside its set"),
                    )
                    .at(index.span, format!("this is {number}"))
                    .help(range),
                )
            }
        }
    }

    fn unknown_label(&mut self, reference: &tree::Reference, set: IndexSetId) -> Option<Choice> {
        let members = self.names.index_set(set);
        let labels: Vec<String> = match &members.members {
            Members::Labels(labels) => labels.clone(),
            Members::Numbers { .. } => Vec::new(),
        };
        let text = &reference.name.text;
        let mut diagnostic = Diagnostic::new(
            Code::BadIndex,
            format!("`{text}` is not a member of `{}`", members.name),
        )
        .at(reference.span, "not in the index set");
        if let Some(help) = did_you_mean(text, labels.iter().map(String::as_str)) {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic)
    }

    fn pick(&mut self, whole: Expr, choices: &[Choice]) -> Expr {
        match (self.pool.shape(whole), choices) {
            (_, choices)
                if choices
                    .iter()
                    .all(|choice| matches!(choice, Choice::All(_))) =>
            {
                whole
            }
            (Shape::Matrix(rows, columns), [row, column]) => {
                let rows_taken = row.positions(rows);
                let columns_taken = column.positions(columns);
                let elements: Vec<Expr> = columns_taken
                    .flat_map(|j| rows_taken.clone().map(move |i| j * rows + i))
                    .map(|offset| self.pool.element(whole, offset))
                    .collect();
                match elements.as_slice() {
                    [single] if matches!((row, column), (Choice::One(_), Choice::One(_))) => {
                        *single
                    }
                    _ => {
                        let shape = Shape::Vector(elements.len());
                        self.pool.stack(elements, shape)
                    }
                }
            }
            (_, [Choice::One(position), ..]) => self.pool.element(whole, *position),
            _ => whole,
        }
    }

    /// Elements of a vector without an index set (an argument, an unnamed literal): by number from 1.
    fn element_by_number(
        &mut self,
        scope: &Scope,
        reference: &tree::Reference,
        whole: Expr,
    ) -> Option<Expr> {
        let offset = self.offset_by_number(scope, reference, self.pool.shape(whole))?;
        Some(self.pool.element(whole, offset))
    }

    /// Where the element with these numbers stands in something of this shape.
    pub fn offset_by_number(
        &mut self,
        scope: &Scope,
        reference: &tree::Reference,
        shape: Shape,
    ) -> Option<usize> {
        let lengths: Vec<usize> = match shape {
            Shape::Scalar => {
                return self.report(
                    Diagnostic::new(
                        Code::BadIndex,
                        format!("`{}` is a single number and has no index", reference.name.text),
                    )
                    .at(reference.span, "")
                    .help("a `*` may be missing; or declare it over an index set, as in `state y[gene] = 0`"),
                );
            }
            Shape::Vector(n) => vec![n],
            Shape::Matrix(rows, columns) => vec![rows, columns],
        };
        self.right_number_of_indices(reference, lengths.len())?;
        let mut offset = 0;
        let mut stride = 1;
        for (index, length) in reference.indices.iter().zip(lengths) {
            let number = self.whole_number(scope, index)?;
            match number
                .checked_sub(1)
                .and_then(|at| usize::try_from(at).ok())
                .filter(|at| *at < length)
            {
                Some(at) => offset += at * stride,
                None => {
                    return self.report(
                        Diagnostic::new(
                            Code::BadIndex,
                            format!("the index {number} lies outside 1..{length}"),
                        )
                        .at(index.span, format!("this is {number}")),
                    );
                }
            }
            stride *= length;
        }
        Some(offset)
    }

    fn prime(
        &mut self,
        scope: &Scope,
        target: &tree::Reference,
        order: u8,
        span: Span,
    ) -> Option<Quantity> {
        let primed = tree::Reference {
            span,
            name: tree::Name {
                text: format!("{}{}", target.name.text, "'".repeat(order.into())),
                span: target.name.span,
            },
            indices: target.indices.clone(),
        };
        if self.names.get(&primed.name.text).is_some() {
            return self.reference(scope, &primed);
        }
        let (state, order) = (&primed.name.text[..primed.name.text.len() - 1], order);
        if order > 0
            && target.indices.is_empty()
            && let Some(drift) = self.names.drift(state)
        {
            return Some(Quantity::number(drift));
        }
        match self.names.get(&target.name.text) {
            None => self.unknown_name(&target.name),
            Some(_) => self.report(
                Diagnostic::new(
                    Code::WrongKind,
                    format!("`{}` has no derivative here", target.name.text),
                )
                .at(
                    span,
                    format!(
                        "`{}` is {}",
                        target.name.text,
                        self.names.describe(&target.name.text)
                    ),
                )
                .help("only what an equation or a reaction governs has a time derivative"),
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
        let scope = Scope {
            bindings: function
                .parameters
                .iter()
                .zip(arguments)
                .map(|(name, value)| (name.text.clone(), Local::Argument(value)))
                .collect(),
        };
        let value = self.expression(&scope, &function.body);
        self.expanded.insert(key, value);
        value
    }
}

/// What an index selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// One position from 0.
    One(usize),
    /// All of this many.
    All(usize),
}

impl Choice {
    pub fn positions(self, length: usize) -> std::ops::Range<usize> {
        match self {
            Choice::One(position) => position..position + 1,
            Choice::All(_) => 0..length,
        }
    }
}

/// A symbol with its index sets.
#[derive(Debug, Clone, Default)]
pub(super) struct Declared {
    pub symbol: Option<SymbolId>,
    pub indices: Vec<IndexSetId>,
    pub compartment: Option<ParameterId>,
}
