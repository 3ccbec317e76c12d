//! The syntax tree. It mirrors the text: nothing is looked up, nothing is decided.
//!
//! Every node carries its span. Names are plain text, dotted paths (`cell1.x`) included.

use crate::source::Span;
use std::sync::Arc;

/// All statements of one file, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct File {
    /// The statements that could be read; faulty ones are reported and left out.
    pub statements: Vec<Statement>,
}

/// One statement with the doc comment (`## ...`) that stands before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The statement without its doc comment.
    pub span: Span,
    /// Lines of the doc comment joined by `\n`, without the marks.
    pub doc: Option<String>,
    /// What it says.
    pub kind: StatementKind,
}

/// A name as written; backquotes are removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The text of the name.
    pub text: String,
    /// Where it stands, backquotes included.
    pub span: Span,
}

/// A name with indices, as in `y`, `y[gene]`, `u[i-1]`, `A[gene, gene]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// The whole reference.
    pub span: Span,
    /// The name before the bracket.
    pub name: Name,
    /// The indices; empty for a plain name.
    pub indices: Vec<Expr>,
}

/// The kinds of statements.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// `lotka 1`
    Version(u32),
    /// `model lotka_volterra`
    Model(Name),
    /// `time [year] from 1900`
    Time {
        /// The unit of `t`.
        unit: Option<Unit>,
        /// Where time starts; 0 when absent.
        from: Option<Expr>,
    },
    /// `param`, `state`, `species` or `compartment` with one or more declared names.
    Declare {
        /// Which of them.
        kind: DeclareKind,
        /// One entry per declared name.
        items: Vec<Declaration>,
    },
    /// `let total = prey + predator`, `let M[gene, gene] = ...`
    Let {
        /// The defined name, with index sets for vectors.
        name: Reference,
        /// The unit of the whole value.
        unit: Option<Unit>,
        /// The definition.
        value: Expr,
    },
    /// `fn hill(x, k, n) = x^n / (k^n + x^n)`
    Function {
        /// The function's name.
        name: Name,
        /// Its parameters.
        parameters: Vec<Name>,
        /// Its value.
        body: Expr,
    },
    /// `assert total < 1e6`
    Assert(Expr),
    /// `x' = ...`, `theta'' = ...`, `next w = ...`, `0 = ...`, `history x = ...`
    Equation {
        /// What is governed.
        left: EquationLeft,
        /// By what.
        right: Expr,
    },
    /// `alpha = 0.9`: sets a value (a sentence, or an effect inside a block).
    Assign {
        /// What is set.
        target: Reference,
        /// To what.
        value: Expr,
    },
    /// `exchange: C1 <-> C2, k1, k2`
    Reaction(Reaction),
    /// `wiener W[gene], V` and `stratonovich V`
    Wiener {
        /// How `W'` is read.
        calculus: Calculus,
        /// The declared Brownian motions.
        names: Vec<Reference>,
    },
    /// `noise intrinsic (size = Omega)`
    Noise {
        /// `intrinsic`.
        kind: Name,
        /// The bindings in the parentheses.
        bindings: Vec<Binding>,
    },
    /// `unit hare, puff = 90 [ug]`
    Unit(Vec<OwnUnit>),
    /// `index gene = {GATA1, KLF1}`
    Index {
        /// The name of the set.
        name: Name,
        /// Its members.
        set: IndexSet,
    },
    /// `covariate weight [kg], age by subject`, `covariate x[knockout]`, `covariate dose = 100`
    Covariate {
        /// The covariates; their values hold where there are no data.
        items: Vec<Declaration>,
        /// `by subject`, `by condition`.
        options: Vec<SentenceOption>,
    },
    /// `observe conc ~ lognormal(median = C1, sd = sigma)`
    Observe {
        /// The observable.
        name: Reference,
        /// Its unit.
        unit: Option<Unit>,
        /// A call of a distribution.
        distribution: Expr,
    },
    /// `input temperature [K] from "temp.csv" linear`
    Input {
        /// The input's name.
        name: Reference,
        /// Its unit.
        unit: Option<Unit>,
        /// `from "..."`, `step`, `linear`, `cubic`, `column`.
        options: Vec<SentenceOption>,
    },
    /// `when prey < 1e-3 rising after 2 priority 1 { prey = 0 }`
    When {
        /// The trigger.
        condition: Expr,
        /// `after`, `for`, `priority`, `rising`, `falling`, `values`.
        options: Vec<SentenceOption>,
        /// What happens.
        body: Vec<Statement>,
    },
    /// `at 10 { k1 = 0 }`; several times are allowed.
    At {
        /// The times.
        times: Vec<Expr>,
        /// `priority`.
        options: Vec<SentenceOption>,
        /// What happens.
        body: Vec<Statement>,
    },
    /// `every 24 from 0 times 7 { ... }`
    Every {
        /// The period.
        period: Expr,
        /// `from`, `times`, `until`, `priority`.
        options: Vec<SentenceOption>,
        /// What happens.
        body: Vec<Statement>,
    },
    /// `dose 100 [mg] * F into depot every 12 times 10 over 0.5 lag tlag`
    Dose {
        /// The amount.
        amount: Expr,
        /// `into`, `at`, `every`, `times`, `until`, `from`, `over`, `lag`, `steady`.
        options: Vec<SentenceOption>,
    },
    /// `no doses` inside a condition.
    NoDoses,
    /// `condition knockout { k = 0 }`
    Condition {
        /// Its name.
        name: Name,
        /// Its effects.
        body: Vec<Statement>,
    },
    /// `for i in 2..N-1 { ... }`
    For {
        /// The loop variable.
        variable: Name,
        /// A range or an index set.
        range: Expr,
        /// The repeated statements.
        body: Vec<Statement>,
    },
    /// `use "hill.lotka"`, `cell1: use "cell.lotka" (k = 3)`
    Use {
        /// The prefix of an instance.
        instance: Option<Name>,
        /// The file.
        path: Text,
        /// Values set in the instance.
        bindings: Vec<Binding>,
    },
    /// `allow W0201, W0501 of spare`
    Allow {
        /// Codes of warnings.
        codes: Vec<Name>,
        /// The names that they may be about; any when empty.
        of: Vec<Name>,
    },
    /// A sentence that asks for something: `simulate 0..100 step 0.1`.
    Sentence(Sentence),
    /// A bare expression (at the prompt).
    Expression(Expr),
}

/// The four declaring words that share one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeclareKind {
    /// `param`
    Parameter,
    /// `state`
    State,
    /// `species`
    Species,
    /// `compartment`
    Compartment,
    /// `covariate`
    Covariate,
}

/// One declared name with all its clauses; which clause may stand with which word is checked later.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// The whole item.
    pub span: Span,
    /// The name, with index sets for vectors and matrices.
    pub name: Reference,
    /// Primes after the name: 1 in `state theta = 1, theta' = 0`.
    pub primes: u8,
    /// `in central` before the value.
    pub compartment: Option<Name>,
    /// The unit of the whole value.
    pub unit: Option<Unit>,
    /// The value or initial value.
    pub value: Option<Expr>,
    /// `in 0..10`
    pub bounds: Option<Bounds>,
    /// `atol 1e-12`
    pub atol: Option<Expr>,
    /// `~ lognormal(...)`
    pub prior: Option<Expr>,
    /// `mask knockout == none or knockout == gene`
    pub mask: Option<Expr>,
    /// `penalty l1(0.1, offdiag)`
    pub penalty: Option<Expr>,
}

/// `in 0..10 log`
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// From the low to the high end, `log` included.
    pub span: Span,
    /// The range expression.
    pub range: Expr,
    /// The word `log`, when it stands there.
    pub log: Option<Span>,
}

/// A unit of one's own: `puff = 90 [ug]`, or `hare`, which stands for itself.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnUnit {
    /// The whole item.
    pub span: Span,
    /// The name that may stand in brackets.
    pub name: Name,
    /// How many of `unit` it is.
    pub value: Option<Expr>,
    /// What it is made of.
    pub unit: Option<Unit>,
}

/// The left side of an equation.
#[derive(Debug, Clone, PartialEq)]
pub enum EquationLeft {
    /// `x' =` (order 1), `theta'' =` (order 2), `u[i]' =`
    Derivative {
        /// What changes.
        target: Reference,
        /// How many primes.
        order: u8,
        /// Name and primes.
        span: Span,
    },
    /// `next w =`
    Next(Reference),
    /// `0 =`
    Zero(Span),
    /// `history x =`
    History(Reference),
}

impl EquationLeft {
    /// The governed name, unless the equation is a constraint.
    #[must_use]
    pub fn target(&self) -> Option<&Reference> {
        match self {
            EquationLeft::Derivative { target, .. } => Some(target),
            EquationLeft::Next(target) | EquationLeft::History(target) => Some(target),
            EquationLeft::Zero(_) => None,
        }
    }
}

/// A reaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Reaction {
    /// The name before the colon; its flux is a name in expressions.
    pub name: Option<Reference>,
    /// What is used up; empty for `0`.
    pub left: Vec<Term>,
    /// What is made; empty for `0`.
    pub right: Vec<Term>,
    /// `<->`
    pub reversible: bool,
    /// The arrow.
    pub arrow: Span,
    /// How fast.
    pub law: Law,
}

/// A species with its stoichiometric coefficient.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Coefficient and species.
    pub span: Span,
    /// 1 when not written.
    pub coefficient: f64,
    /// The species.
    pub species: Reference,
}

/// The speed of a reaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Law {
    /// `, k1` or `, k1, k2`
    MassAction {
        /// The forward constant.
        forward: Expr,
        /// The backward constant of a reversible reaction.
        backward: Option<Expr>,
    },
    /// `, rate vmax*S/(km + S)`: the net flux itself.
    Rate(Expr),
}

/// How `W'` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Calculus {
    /// `wiener`
    Ito,
    /// `stratonovich`
    Stratonovich,
}

/// The members of an index set.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexSet {
    /// `{GATA1, KLF1}`
    Labels(Vec<Name>),
    /// `1..50`
    Range(Expr),
    /// `from "cells.h5ad" var`: the options begin with `from`.
    Data(Vec<SentenceOption>),
}

/// `name = value` in parentheses, after `with`, or as a named argument.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// What is bound.
    pub name: Reference,
    /// To what.
    pub value: Expr,
}

/// A text in double quotes, without them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The content.
    pub text: String,
    /// Quotes included.
    pub span: Span,
}

/// A sentence: a verb, what it is about, and options in any order.
///
/// Which verbs take which options is the session's knowledge, not the grammar's.
#[derive(Debug, Clone, PartialEq)]
pub struct Sentence {
    /// `simulate`, `plot`, `show`, ...
    pub verb: Name,
    /// What stands right after the verb: `0..100`, `prey, predator`, `equations`, `max(C1)`.
    pub subjects: Vec<Subject>,
    /// `step 0.1`, `with k = 3`, `to "figure.svg"`, `by subject`, ...
    pub options: Vec<SentenceOption>,
}

/// One subject of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The expression, name, range or quoted text.
    pub value: Expr,
    /// `predator vs prey`: the horizontal one.
    pub versus: Option<Expr>,
}

/// An option word with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct SentenceOption {
    /// Word and values.
    pub span: Span,
    /// The word.
    pub word: Name,
    /// The values: `at 0.5, 1, 2` has three, `log y` one, `linear` none.
    pub values: Vec<Expr>,
    /// `with a = 1, b = 2`; `to "x.csv" (time = year)`; `where stability = stable spiral`.
    pub bindings: Vec<Binding>,
}

/// A unit in brackets, kept as a product of powers.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Brackets included.
    pub span: Span,
    /// The factors in order; empty for `[1]`.
    pub factors: Vec<UnitFactor>,
}

/// True for options that name a file: `from "doses.csv"`.
#[must_use]
pub fn are_of_a_table(options: &[SentenceOption]) -> bool {
    let text = |value: &Expr| matches!(value.kind, ExprKind::Text(_));
    options.iter().any(|option| option.values.iter().any(text))
}

/// One unit name with its exponent (negative after `/`).
#[derive(Debug, Clone, PartialEq)]
pub struct UnitFactor {
    /// `mg`, `L`, `%`
    pub name: Name,
    /// The exponent.
    pub exponent: f64,
}

/// An expression. One that comes from text is at most `syntax::MAX_DEPTH` deep, so it may be walked by
/// recursion.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// Where it stands; parentheses around it are not included.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

impl Expr {
    /// Calls `visit` with every expression that this one is directly made of.
    pub fn for_each_part<'t>(&'t self, mut visit: impl FnMut(&'t Expr)) {
        match &self.kind {
            ExprKind::Number { .. }
            | ExprKind::Text(_)
            | ExprKind::Words(_)
            | ExprKind::Read { .. } => {}
            ExprKind::Reference(target)
            | ExprKind::Next(target)
            | ExprKind::Prime { target, .. } => {
                target.indices.iter().for_each(visit);
            }
            ExprKind::Call {
                function,
                arguments,
            } => {
                function.indices.iter().for_each(&mut visit);
                arguments.iter().for_each(|argument| visit(&argument.value));
            }
            ExprKind::Vector(items) => items.iter().for_each(visit),
            ExprKind::Unary { operand, .. } => visit(operand),
            ExprKind::Binary { left, right, .. } => {
                [left, right].into_iter().for_each(|side| visit(side))
            }
            ExprKind::If {
                condition,
                then,
                otherwise,
            } => [condition, then, otherwise]
                .into_iter()
                .for_each(|part| visit(part)),
            ExprKind::Range { low, high } => {
                [low, high].into_iter().flatten().for_each(|end| visit(end));
            }
        }
    }
}

/// Numbers of a file with the labels of their places.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// The file, for messages.
    pub file: String,
    /// One label for each row.
    pub rows: Vec<String>,
    /// One label for each column of a matrix; none for a vector.
    pub columns: Option<Vec<String>>,
    /// The numbers.
    pub entries: Entries,
}

/// Numbers by their places.
#[derive(Debug, Clone, PartialEq)]
pub enum Entries {
    /// All of them, row by row.
    Dense(Vec<f64>),
    /// Those that are written, as (row, column, number), the column 0 in a vector; the others are 0.
    Sparse(Vec<(u32, u32, f64)>),
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `5`, `5 [mg/L]`
    Number {
        /// The value as written.
        value: f64,
        /// Its unit.
        unit: Option<Unit>,
    },
    /// `"out.csv"`
    Text(String),
    /// `prey`, `cell1.x`, `y[gene]`, `u[i-1]`
    Reference(Reference),
    /// `W'`, `theta'`, `u[i]'` inside an expression
    Prime {
        /// What the primes belong to.
        target: Reference,
        /// How many.
        order: u8,
    },
    /// `next m`
    Next(Reference),
    /// `read("weights.csv")`, after its file was read. The parser makes none of these.
    Read {
        /// The call as written.
        written: Box<Expr>,
        /// What the file holds; nothing when it could not be read, which has been reported.
        numbers: Option<Arc<Labelled>>,
    },
    /// `hill(x, k, n)`, `lognormal(median = C1, sd = sigma)`, `x(t - tau)`
    Call {
        /// The function or delayed state; only the latter may have indices: `u[i-1](t - tau)`.
        function: Reference,
        /// The arguments in order.
        arguments: Vec<Argument>,
    },
    /// `[1, 2]`; a matrix is a vector of rows: `[[-1, 2], [3, 4]]`
    Vector(Vec<Expr>),
    /// `-x`, `not c`
    Unary {
        /// The operator.
        operator: UnaryOperator,
        /// Its operand.
        operand: Box<Expr>,
    },
    /// `a + b`
    Binary {
        /// The operator.
        operator: BinaryOperator,
        /// Where the operator stands.
        operator_span: Span,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `if c then a else b`
    If {
        /// The condition.
        condition: Box<Expr>,
        /// The value when it holds.
        then: Box<Expr>,
        /// The value otherwise.
        otherwise: Box<Expr>,
    },
    /// `0..24`, `0..`, `..5`
    Range {
        /// Low end.
        low: Option<Box<Expr>>,
        /// High end.
        high: Option<Box<Expr>>,
    },
    /// Several words that belong together: `stable spiral`
    Words(Vec<Name>),
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// The name in `sd = sigma`.
    pub name: Option<Name>,
    /// Its value.
    pub value: Expr,
}

/// Operators before their operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOperator {
    /// `-`
    Negate,
    /// `not`
    Not,
}

/// Operators between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`: product, matrix product when shapes say so
    Multiply,
    /// `/`
    Divide,
    /// `^`
    Power,
    /// `.*`
    ElementMultiply,
    /// `./`
    ElementDivide,
    /// `.^`
    ElementPower,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `and`
    And,
    /// `or`
    Or,
}
