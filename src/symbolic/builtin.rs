//! The one table of built-in functions, and the one place where scalar values are computed.
//!
//! Enters: the rows below. Leaves: names, arities, domains and unit rules for the checker,
//! completion and the manual; values for folding, the evaluator and every kernel; derivatives for
//! the symbolic engine. Must not know how expressions are simplified or evaluated.
//!
//! Truth is a number: 0 is false, everything else is true, and what is computed is 0 or 1.

use super::{Binary, Expr, Pool, ShapeError, Unary};

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// Exactly this many.
    Exactly(usize),
    /// This many or more.
    AtLeast(usize),
}

impl Arity {
    /// True when a call with `count` arguments is right.
    #[must_use]
    pub fn accepts(self, count: usize) -> bool {
        match self {
            Arity::Exactly(n) => count == n,
            Arity::AtLeast(n) => count >= n,
        }
    }
}

/// What a function does with the units of its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitRule {
    /// Numbers without unit in, a number without unit out.
    Pure,
    /// An angle or a number without unit in, a number without unit out.
    Angle,
    /// All arguments and the result have one unit.
    Same,
    /// All arguments have one unit, which the result no longer has.
    Ratio,
    /// Any unit in, none out.
    Drop,
    /// The unit to the power one over this.
    Root(u8),
    /// The first two arguments have one unit, the third has none; nor has the result.
    Saturation,
    /// The product of the units of the arguments.
    Product,
    /// One over the unit.
    Inverse,
    /// The checker has a rule of its own.
    Own,
}

/// A function of whole vectors or matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the function of the same name")]
pub enum ArrayFunction {
    Sum,
    Mean,
    Dot,
    Norm,
    Transpose,
    Inverse,
    Diagonal,
    Length,
}

/// What a built-in function is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A function of one argument, element by element.
    Unary(Unary),
    /// A function of two arguments, element by element.
    Binary(Binary),
    /// A function of two arguments, repeated from left to right over more.
    Repeated(Binary),
    /// A function of three arguments: of the quotient of the first two and the third, element by
    /// element.
    OfQuotient(Binary),
    /// A function of whole vectors or matrices.
    Array(ArrayFunction),
    /// `grad(f, w)`: the checker makes a gradient node.
    Gradient,
    /// `amount(C)`: the checker multiplies by the compartment's volume.
    Amount,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// As written in the language.
    pub name: &'static str,
    /// How many arguments.
    pub arity: Arity,
    /// What it is made of.
    pub operation: Operation,
    /// What happens to units.
    pub units: UnitRule,
    /// Where it has a finite real value, in words.
    pub domain: &'static str,
    /// What it computes, in one line.
    pub description: &'static str,
}

/// Why a call cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallError {
    /// A wrong number of arguments.
    Arity {
        /// What the function takes.
        expected: Arity,
        /// What it was given.
        found: usize,
    },
    /// Arguments whose shapes do not fit.
    Shape(ShapeError),
    /// `grad` and `amount` are made by the checker.
    Special,
}

impl From<ShapeError> for CallError {
    fn from(error: ShapeError) -> CallError {
        CallError::Shape(error)
    }
}

/// Writes the rows of functions of one argument out into the table, the values and the
/// derivatives. `x` is the argument, `f` the value; both are expressions on the right.
macro_rules! unary_functions {
    ($( $name:literal $operator:ident $units:ident: $domain:literal, $description:literal,
        $value:expr, $derivative:expr; )*) => {
        /// Functions of one argument, element by element.
        const UNARY: &[Builtin] = &[$( Builtin {
            name: $name,
            arity: Arity::Exactly(1),
            operation: Operation::Unary(Unary::$operator),
            units: unit_rule!($units),
            domain: $domain,
            description: $description,
        } ),*];

        impl Unary {
            /// The value at `x`: NaN where there is none.
            #[must_use]
            #[inline]
            pub fn apply(self, x: f64) -> f64 {
                match self {
                    Unary::Negate => -x,
                    Unary::Not => truth(x == 0.0),
                    Unary::Positive => if x > 0.0 { x } else { f64::NAN },
                    $( Unary::$operator => { let value: fn(f64) -> f64 = $value; value(x) } )*
                }
            }

            /// The name in the language.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    Unary::Negate => "-",
                    Unary::Not => "not",
                    Unary::Positive => "positive",
                    $( Unary::$operator => $name, )*
                }
            }

            /// The derivative at `x`, where `f` is the value at `x`. At a kink it is one of the
            /// one-sided derivatives or their mean; at a jump it leaves the jump out.
            pub(super) fn derivative(self, pool: &mut Pool, x: Expr, f: Expr) -> Expr {
                match self {
                    Unary::Negate => pool.constant(-1.0),
                    Unary::Not => pool.constant(0.0),
                    Unary::Positive => pool.constant(1.0),
                    $( Unary::$operator => {
                        let rule: fn(&mut Pool, Expr, Expr) -> Expr = $derivative;
                        rule(pool, x, f)
                    } )*
                }
            }
        }
    };
}

macro_rules! unit_rule {
    (SquareRoot) => {
        UnitRule::Root(2)
    };
    (CubeRoot) => {
        UnitRule::Root(3)
    };
    ($rule:ident) => {
        UnitRule::$rule
    };
}

unary_functions! {
    "sin"   Sin   Angle: "all numbers", "sine of an angle in radians",
        f64::sin, |p, x, _| p.unary(Unary::Cos, x);
    "cos"   Cos   Angle: "all numbers", "cosine of an angle in radians",
        f64::cos, |p, x, _| { let sine = p.unary(Unary::Sin, x); p.neg(sine) };
    "tan"   Tan   Angle: "all numbers but odd multiples of pi/2", "tangent of an angle in radians",
        f64::tan, |p, _, f| { let square = p.power(f, 2.0); p.add_number(1.0, square) };
    "asin"  Asin  Pure: "-1 to 1", "inverse sine, in radians from -pi/2 to pi/2",
        f64::asin, |p, x, _| { let root = root_of_one_minus_square(p, x); p.divide_number(1.0, root) };
    "acos"  Acos  Pure: "-1 to 1", "inverse cosine, in radians from 0 to pi",
        f64::acos, |p, x, _| { let root = root_of_one_minus_square(p, x); p.divide_number(-1.0, root) };
    "atan"  Atan  Pure: "all numbers", "inverse tangent, in radians from -pi/2 to pi/2",
        f64::atan, |p, x, _| { let s = p.power(x, 2.0); let d = p.add_number(1.0, s); p.divide_number(1.0, d) };
    "sinh"  Sinh  Pure: "all numbers", "hyperbolic sine",
        f64::sinh, |p, x, _| p.unary(Unary::Cosh, x);
    "cosh"  Cosh  Pure: "all numbers", "hyperbolic cosine",
        f64::cosh, |p, x, _| p.unary(Unary::Sinh, x);
    "tanh"  Tanh  Pure: "all numbers", "hyperbolic tangent",
        f64::tanh, |p, _, f| { let s = p.power(f, 2.0); p.subtract_from_number(1.0, s) };
    "asinh" Asinh Pure: "all numbers", "inverse hyperbolic sine",
        f64::asinh, |p, x, _| { let s = p.power(x, 2.0); let s = p.add_number(1.0, s);
            let root = p.unary(Unary::Sqrt, s); p.divide_number(1.0, root) };
    "acosh" Acosh Pure: "1 and above", "inverse hyperbolic cosine, not negative",
        f64::acosh, |p, x, _| { let s = p.power(x, 2.0); let s = p.add_number(-1.0, s);
            let root = p.unary(Unary::Sqrt, s); p.divide_number(1.0, root) };
    "atanh" Atanh Pure: "between -1 and 1", "inverse hyperbolic tangent",
        f64::atanh, |p, x, _| { let s = p.power(x, 2.0); let d = p.subtract_from_number(1.0, s); p.divide_number(1.0, d) };
    "exp"   Exp   Pure: "all numbers", "e to this power",
        f64::exp, |_, _, f| f;
    "expm1" Expm1 Pure: "all numbers", "exp(x) - 1, exact near 0",
        f64::exp_m1, |p, x, _| p.unary(Unary::Exp, x);
    "log"   Log   Pure: "above 0", "natural logarithm",
        f64::ln, |p, x, _| p.divide_number(1.0, x);
    "log10" Log10 Pure: "above 0", "logarithm to base 10",
        f64::log10, |p, x, _| p.divide_number(std::f64::consts::LOG10_E, x);
    "log2"  Log2  Pure: "above 0", "logarithm to base 2",
        f64::log2, |p, x, _| p.divide_number(std::f64::consts::LOG2_E, x);
    "log1p" Log1p Pure: "above -1", "log(1 + x), exact near 0",
        f64::ln_1p, |p, x, _| { let d = p.add_number(1.0, x); p.divide_number(1.0, d) };
    "sqrt"  Sqrt  SquareRoot: "0 and above", "square root",
        f64::sqrt, |p, _, f| p.divide_number(0.5, f);
    "cbrt"  Cbrt  CubeRoot: "all numbers", "cube root, negative for negative numbers",
        f64::cbrt, |p, _, f| { let s = p.power(f, 2.0); p.divide_number(1.0 / 3.0, s) };
    "abs"   Abs   Same: "all numbers", "absolute value",
        f64::abs, |p, x, _| p.unary(Unary::Sign, x);
    "sign"  Sign  Drop: "all numbers", "-1, 0 or 1",
        sign, |p, _, _| p.constant(0.0);
    "floor" Floor Same: "all numbers", "largest whole number not above",
        f64::floor, |p, _, _| p.constant(0.0);
    "ceil"  Ceil  Same: "all numbers", "smallest whole number not below",
        f64::ceil, |p, _, _| p.constant(0.0);
    "sigmoid" Sigmoid Pure: "all numbers", "logistic function 1/(1 + exp(-x))",
        sigmoid, |p, x, f| { let minus = p.neg(x); let rest = p.unary(Unary::Sigmoid, minus); p.mul(f, rest) };
    "round" Round Same: "all numbers", "nearest whole number, halves away from 0",
        f64::round, |p, _, _| p.constant(0.0);
}

/// Functions of several arguments and of whole arrays.
#[rustfmt::skip]
const OTHERS: &[Builtin] = &[
    row("atan2", Arity::Exactly(2), Operation::Binary(Binary::Atan2), UnitRule::Ratio,
        "not both 0", "angle of the point (x, y) from atan2(y, x), -pi to pi"),
    row("mod", Arity::Exactly(2), Operation::Binary(Binary::Modulo), UnitRule::Same,
        "divisor not 0", "remainder with the sign of the divisor: x - y*floor(x/y)"),
    row("hill", Arity::Exactly(3), Operation::OfQuotient(Binary::Hill), UnitRule::Saturation,
        "k above 0", "hill(x, k, n): saturation x^n/(k^n + x^n), 0 for x below 0; with -n in place of n the rest to 1"),
    row("hill_slope", Arity::Exactly(3), Operation::OfQuotient(Binary::HillSlope), UnitRule::Saturation,
        "k above 0", "hill_slope(x, k, n): k times the derivative of hill(x, k, n) by x"),
    row("min", Arity::AtLeast(2), Operation::Repeated(Binary::Minimum), UnitRule::Same,
        "all numbers", "smallest of the arguments"),
    row("max", Arity::AtLeast(2), Operation::Repeated(Binary::Maximum), UnitRule::Same,
        "all numbers", "largest of the arguments"),
    row("sum", Arity::Exactly(1), Operation::Array(ArrayFunction::Sum), UnitRule::Same,
        "any vector or matrix", "sum of all elements"),
    row("mean", Arity::Exactly(1), Operation::Array(ArrayFunction::Mean), UnitRule::Same,
        "any vector or matrix", "mean of all elements"),
    row("dot", Arity::Exactly(2), Operation::Array(ArrayFunction::Dot), UnitRule::Product,
        "two vectors of one length", "sum of the products of the elements"),
    row("norm", Arity::Exactly(1), Operation::Array(ArrayFunction::Norm), UnitRule::Same,
        "any vector", "Euclidean length: sqrt(dot(v, v))"),
    row("transpose", Arity::Exactly(1), Operation::Array(ArrayFunction::Transpose), UnitRule::Same,
        "any vector or matrix", "rows become columns"),
    row("inverse", Arity::Exactly(1), Operation::Array(ArrayFunction::Inverse), UnitRule::Inverse,
        "square matrices that are not singular", "matrix inverse"),
    row("diagonal", Arity::Exactly(1), Operation::Array(ArrayFunction::Diagonal), UnitRule::Same,
        "any vector", "square matrix with the vector on its diagonal"),
    row("length", Arity::Exactly(1), Operation::Array(ArrayFunction::Length), UnitRule::Drop,
        "any vector or matrix", "number of elements"),
    row("grad", Arity::Exactly(2), Operation::Gradient, UnitRule::Own,
        "a scalar and a name", "gradient of a scalar with respect to a state or parameter"),
    row("amount", Arity::Exactly(1), Operation::Amount, UnitRule::Own,
        "species", "concentration times the volume of its compartment"),
];

const fn row(
    name: &'static str,
    arity: Arity,
    operation: Operation,
    units: UnitRule,
    domain: &'static str,
    description: &'static str,
) -> Builtin {
    Builtin {
        name,
        arity,
        operation,
        units,
        domain,
        description,
    }
}

impl Builtin {
    /// Every built-in function, in the order of the manual.
    pub fn all() -> impl Iterator<Item = &'static Builtin> {
        UNARY.iter().chain(OTHERS)
    }

    /// The function of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Builtin> {
        Builtin::all().find(|builtin| builtin.name == name)
    }

    /// True for functions that came after models had their own of these names: a function that a
    /// model declares takes the place of such a one.
    #[must_use]
    pub fn gives_way(&self) -> bool {
        matches!(
            self.operation,
            Operation::OfQuotient(_) | Operation::Unary(Unary::Sigmoid)
        )
    }

    /// The call as an expression.
    ///
    /// # Errors
    /// On a wrong number of arguments, on shapes that do not fit, and for the functions that only
    /// the checker can make.
    pub fn call(&self, pool: &mut Pool, arguments: &[Expr]) -> Result<Expr, CallError> {
        if !self.arity.accepts(arguments.len()) {
            return Err(CallError::Arity {
                expected: self.arity,
                found: arguments.len(),
            });
        }
        match (self.operation, arguments) {
            (Operation::Unary(operator), &[x]) => Ok(pool.unary(operator, x)),
            (
                Operation::Binary(operator) | Operation::Repeated(operator),
                &[first, ref rest @ ..],
            ) => {
                let mut value = first;
                for &next in rest {
                    value = pool.binary(operator, value, next)?;
                }
                Ok(value)
            }
            (Operation::OfQuotient(operator), &[x, k, n]) => {
                // A quotient no longer tells a negative scale from an amount below zero.
                let scale = pool.unary(Unary::Positive, k);
                let quotient = pool.binary(Binary::Divide, x, scale)?;
                Ok(pool.binary(operator, quotient, n)?)
            }
            (Operation::Array(ArrayFunction::Dot), &[a, b]) => Ok(pool.dot(a, b)?),
            (Operation::Array(function), &[x]) => Ok(function.call(pool, x)?),
            _ => Err(CallError::Special),
        }
    }
}

impl ArrayFunction {
    fn call(self, pool: &mut Pool, x: Expr) -> Result<Expr, ShapeError> {
        Ok(match self {
            ArrayFunction::Sum => pool.sum(x),
            ArrayFunction::Mean => {
                let total = pool.sum(x);
                let count = pool.count(x);
                pool.div(total, count)
            }
            ArrayFunction::Dot => pool.dot(x, x)?,
            ArrayFunction::Norm => {
                let square = pool.dot(x, x)?;
                pool.unary(Unary::Sqrt, square)
            }
            ArrayFunction::Transpose => pool.transpose(x),
            ArrayFunction::Inverse => pool.inverse(x)?,
            ArrayFunction::Diagonal => pool.diagonal(x)?,
            ArrayFunction::Length => pool.count(x),
        })
    }
}

/// How a power with a known exponent is computed. Kernels that lower a constant exponent must
/// follow this, so that their bits agree with [`Binary::apply`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerForm {
    /// Exponent 0: the number 1, whatever the base.
    One,
    /// Exponent 1: the base itself.
    Base,
    /// Exponent 2: `x*x`.
    Square,
    /// Exponent 3: `(x*x)*x`.
    Cube,
    /// Exponent 4: `s*s` with `s = x*x`.
    Fourth,
    /// Exponent -1: `1/x`.
    Reciprocal,
    /// Exponent -2: `1/(x*x)`.
    ReciprocalSquare,
    /// Exponent 1/2: `sqrt(x)`.
    SquareRoot,
    /// Every other exponent: `f64::powf`.
    General,
}

impl PowerForm {
    /// The form for this exponent.
    #[must_use]
    #[inline]
    #[expect(
        clippy::float_cmp,
        reason = "the forms are for exactly these exponents"
    )]
    pub fn of(exponent: f64) -> PowerForm {
        if exponent == 2.0 {
            PowerForm::Square
        } else if exponent == 3.0 {
            PowerForm::Cube
        } else if exponent == 4.0 {
            PowerForm::Fourth
        } else if exponent == 0.5 {
            PowerForm::SquareRoot
        } else if exponent == -1.0 {
            PowerForm::Reciprocal
        } else if exponent == -2.0 {
            PowerForm::ReciprocalSquare
        } else if exponent == 1.0 {
            PowerForm::Base
        } else if exponent == 0.0 {
            PowerForm::One
        } else {
            PowerForm::General
        }
    }
}

impl Binary {
    /// The value at `(x, y)`: NaN where there is none. 0^0 is 1. Comparisons, `and`, `or` give 1
    /// or 0; a comparison with NaN is false, except `!=`. Minimum and maximum pass NaN on.
    #[must_use]
    #[inline]
    #[expect(
        clippy::float_cmp,
        reason = "== of the language is the equality of numbers"
    )]
    pub fn apply(self, x: f64, y: f64) -> f64 {
        match self {
            Binary::Add => x + y,
            Binary::Subtract => x - y,
            Binary::Multiply => x * y,
            Binary::Divide => x / y,
            Binary::Power => power(x, y),
            Binary::Minimum if x <= y || x.is_nan() => x,
            Binary::Maximum if x >= y || x.is_nan() => x,
            Binary::Minimum | Binary::Maximum => y,
            Binary::Atan2 => x.atan2(y),
            Binary::Modulo => modulo(x, y),
            Binary::Hill => hill(x, y),
            Binary::HillSlope => hill_slope(x, y),
            Binary::Equal => truth(x == y),
            Binary::NotEqual => truth(x != y),
            Binary::Less => truth(x < y),
            Binary::LessEqual => truth(x <= y),
            Binary::Greater => truth(x > y),
            Binary::GreaterEqual => truth(x >= y),
            Binary::And => truth(x != 0.0 && y != 0.0),
            Binary::Or => truth(x != 0.0 || y != 0.0),
        }
    }

    /// The operator or function name in the language, between scalars.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Binary::Add => "+",
            Binary::Subtract => "-",
            Binary::Multiply => "*",
            Binary::Divide => "/",
            Binary::Power => "^",
            Binary::Minimum => "min",
            Binary::Maximum => "max",
            Binary::Atan2 => "atan2",
            Binary::Modulo => "mod",
            Binary::Hill => "hill",
            Binary::HillSlope => "hill_slope",
            Binary::Equal => "==",
            Binary::NotEqual => "!=",
            Binary::Less => "<",
            Binary::LessEqual => "<=",
            Binary::Greater => ">",
            Binary::GreaterEqual => ">=",
            Binary::And => "and",
            Binary::Or => "or",
        }
    }
}

#[inline]
fn truth(condition: bool) -> f64 {
    if condition { 1.0 } else { 0.0 }
}

fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        // Keeps NaN, and makes both zeros 0.
        x + 0.0
    }
}

fn power(x: f64, y: f64) -> f64 {
    match PowerForm::of(y) {
        PowerForm::One => 1.0,
        PowerForm::Base => x,
        PowerForm::Square => x * x,
        PowerForm::Cube => x * x * x,
        PowerForm::Fourth => {
            let square = x * x;
            square * square
        }
        PowerForm::Reciprocal => 1.0 / x,
        PowerForm::ReciprocalSquare => 1.0 / (x * x),
        PowerForm::SquareRoot => x.sqrt(),
        PowerForm::General => x.powf(y),
    }
}

/// 1/(1 + e^-x), with full relative accuracy at both ends.
fn sigmoid(x: f64) -> f64 {
    if x < 0.0 {
        let power = x.exp();
        power / (1.0 + power)
    } else {
        1.0 / (1.0 + (-x).exp())
    }
}

/// r^n/(1 + r^n). What saturates counts amounts, which rounding may take below zero: such an r is
/// taken as the limit at 0. Powers too large to be represented have the limit 1.
fn hill(r: f64, n: f64) -> f64 {
    if r.is_nan() || n.is_nan() {
        return f64::NAN;
    }
    let raised = power(r.max(0.0), n);
    if raised.is_infinite() {
        1.0
    } else {
        raised / (1.0 + raised)
    }
}

/// n r^(n-1)/(1 + r^n)^2, 0 for r below 0. No power that it takes is large, and none is divided by
/// a small one.
fn hill_slope(r: f64, n: f64) -> f64 {
    if r.is_nan() || n.is_nan() {
        return f64::NAN;
    }
    if r < 0.0 || n == 0.0 {
        return 0.0;
    }
    let size = n.abs();
    if r <= 1.0 {
        let below = 1.0 + power(r, size);
        n * power(r, size - 1.0) / (below * below)
    } else {
        let inverse = 1.0 / power(r, size);
        let below = 1.0 + inverse;
        n * (inverse / r) / (below * below)
    }
}

fn modulo(x: f64, y: f64) -> f64 {
    let remainder = x % y;
    if remainder != 0.0 && (remainder < 0.0) != (y < 0.0) {
        remainder + y
    } else {
        remainder
    }
}

fn root_of_one_minus_square(pool: &mut Pool, x: Expr) -> Expr {
    let square = pool.power(x, 2.0);
    let rest = pool.subtract_from_number(1.0, square);
    pool.unary(Unary::Sqrt, rest)
}
