//! Expressions and references.
//!
//! Enters: pest's pairs. Leaves: [`Expr`] and [`Reference`]. Must not know statements.
//!
//! No tree is deeper than [`MAX_DEPTH`], so that whoever walks one may recurse.

use super::{Reader, Rule};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree::{
    Argument, BinaryOperator, Expr, ExprKind, Name, Reference, UnaryOperator,
};
use pest::iterators::{Pair, Pairs};
use pest::pratt_parser::{Assoc, Op, PrattParser};
use std::sync::LazyLock;

/// The greatest depth of an expression tree. A sum of so many terms is as deep as it is long.
pub const MAX_DEPTH: usize = 1000;

/// Brackets and operators that wait for their right side while an expression is read: what bounds
/// the recursion here (the splitter bounds the brackets alone).
const MAX_PENDING: usize = 400;

/// Where an operator stands, and for operators in between, which side groups first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fixity {
    Prefix,
    Left,
    Right,
}

/// The operators, loosest first. Ranges are looser still, and have a rule of their own.
const LEVELS: &[(Fixity, &[Rule])] = &[
    (Fixity::Prefix, &[Rule::if_head]),
    (Fixity::Left, &[Rule::or_op]),
    (Fixity::Left, &[Rule::and_op]),
    (Fixity::Prefix, &[Rule::not_op]),
    (
        Fixity::Left,
        &[
            Rule::equal,
            Rule::not_equal,
            Rule::less,
            Rule::less_equal,
            Rule::greater,
            Rule::greater_equal,
        ],
    ),
    (Fixity::Left, &[Rule::add, Rule::subtract]),
    (
        Fixity::Left,
        &[Rule::times, Rule::divide, Rule::el_times, Rule::el_divide],
    ),
    (Fixity::Prefix, &[Rule::negate]),
    (Fixity::Right, &[Rule::power, Rule::el_power]),
];

static OPERATORS: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let level = |(fixity, rules): &(Fixity, &[Rule])| {
        let operator = |rule: &Rule| match fixity {
            Fixity::Prefix => Op::prefix(*rule),
            Fixity::Left => Op::infix(*rule, Assoc::Left),
            Fixity::Right => Op::infix(*rule, Assoc::Right),
        };
        rules.iter().map(operator).reduce(|a, b| a | b)
    };
    LEVELS
        .iter()
        .filter_map(level)
        .fold(PrattParser::new(), PrattParser::op)
});

/// An expression on its way into the tree.
struct Node {
    expr: Expr,
    /// With its parentheses, which the tree forgets.
    outer: Span,
    depth: usize,
}

impl Node {
    fn leaf(expr: Expr) -> Node {
        Node {
            outer: expr.span,
            expr,
            depth: 1,
        }
    }

    fn in_parentheses(&self) -> bool {
        self.outer != self.expr.span
    }
}

impl Reader<'_> {
    /// The next pair as an expression that may be a range.
    pub(super) fn next_ranged(&self, pairs: &mut Pairs<'_, Rule>) -> Expr {
        match pairs.next() {
            Some(pair) => self.ranged(pair),
            None => self.missing(),
        }
    }

    /// `Rule::ranged`
    pub(super) fn ranged(&self, pair: Pair<'_, Rule>) -> Expr {
        self.ranged_node(pair, 0).expr
    }

    /// `Rule::simple`
    pub(super) fn simple(&self, pair: Pair<'_, Rule>) -> Expr {
        self.simple_node(pair, 0).expr
    }

    /// What stands where the grammar promised a value and there is none; never seen, since the
    /// statement is dropped.
    fn missing(&self) -> Expr {
        let span = self.span(0, self.text.len());
        self.problem(Diagnostic::new(Code::Unexpected, "a value is missing").at(span, ""));
        nothing(span)
    }

    fn ranged_node(&self, pair: Pair<'_, Rule>, pending: usize) -> Node {
        let span = self.span_of(&pair);
        self.range_of(pair.into_inner(), span, pending)
    }

    /// `low .. high` from the parts of a rule; other rules than `simple` and `dots` end it.
    fn range_of(&self, parts: Pairs<'_, Rule>, span: Span, pending: usize) -> Node {
        let (mut low, mut high, mut dots) = (None, None, None);
        for part in parts {
            match part.as_rule() {
                Rule::dots => dots = Some(self.span_of(&part)),
                Rule::simple if dots.is_none() => low = Some(self.simple_node(part, pending)),
                Rule::simple => high = Some(self.simple_node(part, pending)),
                _ => break,
            }
        }
        let Some(dots) = dots else {
            return low.unwrap_or_else(|| Node::leaf(nothing(span)));
        };
        let start = low.as_ref().map_or(dots, |low| low.outer);
        let end = high.as_ref().map_or(dots, |high| high.outer);
        let depth = 1 + depth_of(low.as_ref()).max(depth_of(high.as_ref()));
        let kind = ExprKind::Range {
            low: low.map(|low| Box::new(low.expr)),
            high: high.map(|high| Box::new(high.expr)),
        };
        self.node(kind, start.to(end), depth)
    }

    /// The range in a rule that holds more than a range.
    pub(super) fn range_in(&self, parts: Pairs<'_, Rule>, span: Span) -> Expr {
        self.range_of(parts, span, 0).expr
    }

    /// A node, unless it would be too deep: then a leaf, and a fault the first time.
    fn node(&self, kind: ExprKind, span: Span, depth: usize) -> Node {
        if depth <= MAX_DEPTH {
            return Node {
                expr: Expr { span, kind },
                outer: span,
                depth,
            };
        }
        self.too_deep(span, "this expression is too long", MAX_DEPTH);
        Node::leaf(nothing(span))
    }

    fn too_deep(&self, span: Span, message: &str, levels: usize) {
        let mut problems = self.problems.borrow_mut();
        if problems.iter().all(|p| p.code != Code::TooDeep) {
            let problem = Diagnostic::new(Code::TooDeep, message)
                .at(
                    span,
                    format!("more than {levels} operations, one within the other"),
                )
                .help("name parts of it with `let`");
            problems.push(problem);
        }
    }

    fn simple_node(&self, pair: Pair<'_, Rule>, pending: usize) -> Node {
        let span = self.span_of(&pair);
        let inner = pair.into_inner();
        let pending = pending + 1 + longest_wait(inner.clone());
        if pending > MAX_PENDING {
            self.too_deep(span, "this is nested too deeply", MAX_PENDING);
            return Node::leaf(nothing(span));
        }
        let mut parts = inner.clone();
        if let (Some(only), None) = (parts.next(), parts.next()) {
            return self.primary(only, pending);
        }
        OPERATORS
            .map_primary(|pair| self.primary(pair, pending))
            .map_prefix(|pair, operand| self.prefix(pair, operand, pending))
            .map_infix(|left, pair, right| self.infix(left, pair, right))
            .parse(inner)
    }

    fn prefix(&self, pair: Pair<'_, Rule>, operand: Node, pending: usize) -> Node {
        let head = self.span_of(&pair);
        let span = head.to(operand.outer);
        let operator = match pair.as_rule() {
            Rule::if_head => {
                let mut parts = pair
                    .into_inner()
                    .filter(|part| part.as_rule() == Rule::simple);
                let mut part = || match parts.next() {
                    Some(part) => self.simple_node(part, pending),
                    None => Node::leaf(self.missing()),
                };
                let (condition, then) = (part(), part());
                let depth = 1 + condition.depth.max(then.depth).max(operand.depth);
                let kind = ExprKind::If {
                    condition: Box::new(condition.expr),
                    then: Box::new(then.expr),
                    otherwise: Box::new(operand.expr),
                };
                return self.node(kind, span, depth);
            }
            Rule::not_op => UnaryOperator::Not,
            _ => UnaryOperator::Negate,
        };
        let depth = 1 + operand.depth;
        let operand = Box::new(operand.expr);
        self.node(ExprKind::Unary { operator, operand }, span, depth)
    }

    fn infix(&self, left: Node, pair: Pair<'_, Rule>, right: Node) -> Node {
        let operator = binary_operator(pair.as_rule());
        let operator_span = self.span_of(&pair);
        let span = left.outer.to(right.outer);
        if is_comparison(operator) {
            self.check_chain(&left, &right, operator_span);
        }
        let depth = 1 + left.depth.max(right.depth);
        let kind = ExprKind::Binary {
            operator,
            operator_span,
            left: Box::new(left.expr),
            right: Box::new(right.expr),
        };
        self.node(kind, span, depth)
    }

    /// `a < b < c` would compare a truth with a number.
    fn check_chain(&self, left: &Node, right: &Node, second: Span) {
        let ExprKind::Binary {
            operator,
            operator_span,
            right: middle,
            ..
        } = &left.expr.kind
        else {
            return;
        };
        let known = self
            .problems
            .borrow()
            .iter()
            .any(|p| p.code == Code::ChainedComparison);
        if !is_comparison(*operator) || left.in_parentheses() || known {
            return;
        }
        let part = |span: Span| {
            let start = (span.start as usize).saturating_sub(self.base);
            self.text.get(start..start + span.len()).unwrap_or("...")
        };
        let middle = part(middle.span);
        let first = part(left.outer);
        let third = part(right.outer);
        let mark = part(second);
        let problem = Diagnostic::new(Code::ChainedComparison, "comparisons cannot be chained")
            .at(second, "a second comparison")
            .at(*operator_span, "the first one")
            .help(format!("write `{first} and {middle} {mark} {third}`"));
        self.problem(problem);
    }

    fn primary(&self, pair: Pair<'_, Rule>, pending: usize) -> Node {
        let span = self.span_of(&pair);
        match pair.as_rule() {
            Rule::number => Node::leaf(self.number(pair)),
            Rule::text => Node::leaf(Expr {
                span,
                kind: ExprKind::Text(self.text_of(&pair).text),
            }),
            Rule::named => self.named(pair, pending),
            Rule::next_value => {
                let (reference, depth) = self.last_reference(pair, pending);
                self.node(ExprKind::Next(reference), span, depth)
            }
            Rule::group => {
                let inner = pair
                    .into_inner()
                    .find(|part| part.as_rule() == Rule::ranged);
                let mut node = match inner {
                    Some(inner) => self.ranged_node(inner, pending),
                    None => Node::leaf(self.missing()),
                };
                node.outer = span;
                node
            }
            Rule::vector => {
                let (values, depth) = self.list(pair.into_inner(), pending);
                self.node(ExprKind::Vector(values), span, 1 + depth)
            }
            _ => Node::leaf(self.missing()),
        }
    }

    /// All `ranged` parts, and the depth of the deepest.
    fn list(&self, parts: Pairs<'_, Rule>, pending: usize) -> (Vec<Expr>, usize) {
        let mut deepest = 0;
        let values = parts
            .filter(|part| part.as_rule() == Rule::ranged)
            .map(|part| {
                let node = self.ranged_node(part, pending);
                deepest = deepest.max(node.depth);
                node.expr
            })
            .collect();
        (values, deepest)
    }

    /// A reference, a derivative or a call.
    fn named(&self, pair: Pair<'_, Rule>, pending: usize) -> Node {
        let span = self.span_of(&pair);
        let mut parts = pair.into_inner();
        let Some(head) = parts.next() else {
            return Node::leaf(self.missing());
        };
        let written = head.as_str().to_owned();
        let (target, order, depth) = self.primed_at(head, pending);
        self.check_used(&written, target.name.span);
        let Some(arguments) = parts.next() else {
            let kind = match order {
                0 => ExprKind::Reference(target),
                order => ExprKind::Prime { target, order },
            };
            return self.node(kind, span, depth);
        };
        if order > 0 {
            let place = self.span_of(&arguments);
            let problem = Diagnostic::new(Code::MissingOperator, "a derivative cannot be called")
                .at(place, format!("`{written}` takes no arguments"))
                .help("if a product is meant, write `*` between them");
            self.problem(problem);
        }
        let mut deepest = depth;
        let arguments = arguments
            .into_inner()
            .filter(|part| part.as_rule() == Rule::argument)
            .map(|part| self.argument(part, pending, &mut deepest))
            .collect();
        self.node(
            ExprKind::Call {
                function: target,
                arguments,
            },
            span,
            1 + deepest,
        )
    }

    fn argument(&self, pair: Pair<'_, Rule>, pending: usize, deepest: &mut usize) -> Argument {
        let mut name = None;
        let mut value = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.any_name(&part)),
                Rule::ranged => value = Some(self.ranged_node(part, pending)),
                _ => {}
            }
        }
        let value = value.unwrap_or_else(|| Node::leaf(self.missing()));
        *deepest = (*deepest).max(value.depth);
        Argument {
            name,
            value: value.expr,
        }
    }

    // ---- references ----

    /// `Rule::primed` and `Rule::reference`: the name with its indices, and how many primes.
    pub(super) fn primed(&self, pair: Pair<'_, Rule>) -> (Reference, u8) {
        let (reference, order, _) = self.primed_at(pair, 0);
        (reference, order)
    }

    fn primed_at(&self, pair: Pair<'_, Rule>, pending: usize) -> (Reference, u8, usize) {
        let mut span = self.span_of(&pair);
        let mut name = None;
        let mut indices = Vec::new();
        let mut order = 0;
        let mut depth = 0;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::path => name = Some(self.any_name(&part)),
                Rule::index => (indices, depth) = self.list(part.into_inner(), pending),
                Rule::primes => {
                    order = u8::try_from(part.as_str().len()).unwrap_or(u8::MAX);
                    span.end = self.span_of(&part).start;
                }
                _ => {}
            }
        }
        let name = name.unwrap_or(Name {
            text: String::new(),
            span,
        });
        let reference = Reference {
            span,
            name,
            indices,
        };
        (reference, order, 1 + depth)
    }

    /// `Rule::reference` or `Rule::primed` as something that is set or governed: a reserved word is
    /// reported.
    pub(super) fn target(&self, pair: Pair<'_, Rule>) -> (Reference, u8) {
        let path = pair.clone().into_inner().next();
        let (reference, primes) = self.primed(pair);
        if path.is_some_and(|path| super::is_forbidden(path.as_str(), &reference.name.text)) {
            self.reserved(&reference.name.text, reference.name.span);
        }
        (reference, primes)
    }

    /// The reference in a rule that ends with one.
    fn last_reference(&self, pair: Pair<'_, Rule>, pending: usize) -> (Reference, usize) {
        let span = self.span_of(&pair);
        match pair.into_inner().last() {
            Some(part) => {
                let written = part.as_str().to_owned();
                let (reference, _, depth) = self.primed_at(part, pending);
                self.check_used(&written, reference.name.span);
                (reference, depth)
            }
            None => {
                let name = Name {
                    text: String::new(),
                    span,
                };
                (
                    Reference {
                        span,
                        name,
                        indices: Vec::new(),
                    },
                    1,
                )
            }
        }
    }
}

fn nothing(span: Span) -> Expr {
    Expr {
        span,
        kind: ExprKind::Number {
            value: 0.0,
            unit: None,
        },
    }
}

fn depth_of(node: Option<&Node>) -> usize {
    node.map_or(0, |node| node.depth)
}

/// How many operators wait for their right side at once, at most: how deeply the Pratt parser
/// will recurse. Found by keeping the stack that it keeps.
fn longest_wait(parts: Pairs<'_, Rule>) -> usize {
    let mut waiting: Vec<usize> = Vec::new();
    let mut longest = 0;
    for part in parts {
        let rule = part.as_rule();
        let Some(level) = LEVELS.iter().position(|(_, rules)| rules.contains(&rule)) else {
            continue;
        };
        let fixity = LEVELS
            .get(level)
            .map_or(Fixity::Left, |(fixity, _)| *fixity);
        if fixity != Fixity::Prefix {
            let yields = |top: usize| top > level || top == level && fixity == Fixity::Left;
            while waiting.last().is_some_and(|top| yields(*top)) {
                waiting.pop();
            }
        }
        waiting.push(level);
        longest = longest.max(waiting.len());
    }
    longest
}

fn is_comparison(operator: BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Less
            | BinaryOperator::LessEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterEqual
    )
}

fn binary_operator(rule: Rule) -> BinaryOperator {
    match rule {
        Rule::add => BinaryOperator::Add,
        Rule::subtract => BinaryOperator::Subtract,
        Rule::times => BinaryOperator::Multiply,
        Rule::divide => BinaryOperator::Divide,
        Rule::power => BinaryOperator::Power,
        Rule::el_times => BinaryOperator::ElementMultiply,
        Rule::el_divide => BinaryOperator::ElementDivide,
        Rule::el_power => BinaryOperator::ElementPower,
        Rule::equal => BinaryOperator::Equal,
        Rule::not_equal => BinaryOperator::NotEqual,
        Rule::less => BinaryOperator::Less,
        Rule::less_equal => BinaryOperator::LessEqual,
        Rule::greater => BinaryOperator::Greater,
        Rule::greater_equal => BinaryOperator::GreaterEqual,
        Rule::and_op => BinaryOperator::And,
        _ => BinaryOperator::Or,
    }
}
