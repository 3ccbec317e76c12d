//! Expressions back to text, with as few parentheses as the grammar needs.
//!
//! Enters: an expression tree. Leaves: text that reads back as the same tree. Must not know what
//! the names in it mean.

use super::tree::{Argument, BinaryOperator, Expr, ExprKind, Name, Reference, UnaryOperator, Unit};
use super::words::{VALUES, continues_name, is_reserved, starts_name};

/// How tightly an expression holds together; the order of the grammar, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Range,
    Choice,
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Negation,
    Power,
    Whole,
}

use Tightness as T;

/// The expression in canonical form: `a*b + c`, `-x^2`, `if a then b else c`, `0..10`.
#[must_use]
pub fn show_expression(expression: &Expr) -> String {
    let mut out = String::new();
    write(&mut out, expression, T::Range);
    out
}

/// Writes `expression` where at least `least` is needed. A looser prefix (`not`, `if`) to the right
/// of an operator gets parentheses by that alone, so it never takes in what follows.
fn write(out: &mut String, expression: &Expr, least: Tightness) {
    if tightness(expression) < least {
        out.push('(');
        write_bare(out, expression);
        out.push(')');
    } else {
        write_bare(out, expression);
    }
}

fn write_bare(out: &mut String, expression: &Expr) {
    match &expression.kind {
        ExprKind::Number { value, unit } => {
            out.push_str(&number(*value));
            if let Some(unit) = unit {
                out.push(' ');
                write_unit(out, unit);
            }
        }
        ExprKind::Read { written, .. } => write_bare(out, written),
        ExprKind::Text(text) => {
            out.push('"');
            out.push_str(text);
            out.push('"');
        }
        ExprKind::Reference(reference) => write_reference(out, reference),
        ExprKind::Prime { target, order } => {
            write_reference(out, target);
            (0..*order).for_each(|_| out.push('\''));
        }
        ExprKind::Next(target) => {
            out.push_str("next ");
            write_reference(out, target);
        }
        ExprKind::Call {
            function,
            arguments,
        } => {
            write_reference(out, function);
            write_list(out, '(', arguments, ')', write_argument);
        }
        ExprKind::Vector(values) => write_list(out, '[', values, ']', write_entry),
        ExprKind::Unary { operator, operand } => write_unary(out, *operator, operand),
        ExprKind::Binary {
            operator,
            left,
            right,
            ..
        } => {
            write_binary(out, *operator, left, right);
        }
        ExprKind::If {
            condition,
            then,
            otherwise,
        } => {
            out.push_str("if ");
            write(out, condition, T::Choice);
            out.push_str(" then ");
            write(out, then, T::Choice);
            out.push_str(" else ");
            write(out, otherwise, T::Choice);
        }
        ExprKind::Range { low, high } => {
            if let Some(low) = low {
                write(out, low, T::Choice);
            }
            out.push_str("..");
            if let Some(high) = high {
                write(out, high, T::Choice);
            }
        }
        ExprKind::Words(words) => {
            for (place, word) in words.iter().enumerate() {
                if place > 0 {
                    out.push(' ');
                }
                write_name(out, word);
            }
        }
    }
}

fn write_unary(out: &mut String, operator: UnaryOperator, operand: &Expr) {
    match operator {
        UnaryOperator::Negate => {
            out.push('-');
            write(out, operand, T::Negation);
        }
        UnaryOperator::Not => {
            out.push_str("not ");
            write(out, operand, T::Not);
        }
    }
}

fn write_binary(out: &mut String, operator: BinaryOperator, left: &Expr, right: &Expr) {
    let (sign, own) = operator_of(operator);
    let right_first = own == T::Power;
    // Comparisons do not chain, so neither side may be one.
    let step = |grouped: bool| if grouped { own } else { tighter(own) };
    write(out, left, step(!right_first && own != T::Comparison));
    out.push_str(sign);
    // `2^-1` needs no parentheses: a sign in front of an exponent cannot be misread.
    let signed = matches!(
        right.kind,
        ExprKind::Unary {
            operator: UnaryOperator::Negate,
            ..
        }
    );
    let least = if right_first && signed {
        T::Negation
    } else {
        step(right_first)
    };
    write(out, right, least);
}

fn tightness(expression: &Expr) -> Tightness {
    match &expression.kind {
        ExprKind::Range { .. } => T::Range,
        ExprKind::If { .. } => T::Choice,
        ExprKind::Unary {
            operator: UnaryOperator::Not,
            ..
        } => T::Not,
        ExprKind::Unary { .. } => T::Negation,
        ExprKind::Binary { operator, .. } => operator_of(*operator).1,
        ExprKind::Number { value, .. } if value.is_sign_negative() && *value != 0.0 => T::Negation,
        _ => T::Whole,
    }
}

fn tighter(than: Tightness) -> Tightness {
    match than {
        T::Range => T::Choice,
        T::Choice => T::Or,
        T::Or => T::And,
        T::And => T::Not,
        T::Not => T::Comparison,
        T::Comparison => T::Sum,
        T::Sum => T::Product,
        T::Product => T::Negation,
        T::Negation => T::Power,
        T::Power | T::Whole => T::Whole,
    }
}

fn operator_of(operator: BinaryOperator) -> (&'static str, Tightness) {
    match operator {
        BinaryOperator::Add => (" + ", T::Sum),
        BinaryOperator::Subtract => (" - ", T::Sum),
        BinaryOperator::Multiply => ("*", T::Product),
        BinaryOperator::Divide => ("/", T::Product),
        BinaryOperator::ElementMultiply => (" .* ", T::Product),
        BinaryOperator::ElementDivide => (" ./ ", T::Product),
        BinaryOperator::Power => ("^", T::Power),
        BinaryOperator::ElementPower => (" .^ ", T::Power),
        BinaryOperator::Equal => (" == ", T::Comparison),
        BinaryOperator::NotEqual => (" != ", T::Comparison),
        BinaryOperator::Less => (" < ", T::Comparison),
        BinaryOperator::LessEqual => (" <= ", T::Comparison),
        BinaryOperator::Greater => (" > ", T::Comparison),
        BinaryOperator::GreaterEqual => (" >= ", T::Comparison),
        BinaryOperator::And => (" and ", T::And),
        BinaryOperator::Or => (" or ", T::Or),
    }
}

fn write_list<X>(
    out: &mut String,
    open: char,
    entries: &[X],
    close: char,
    entry: fn(&mut String, &X),
) {
    out.push(open);
    for (place, one) in entries.iter().enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        entry(out, one);
    }
    out.push(close);
}

fn write_entry(out: &mut String, value: &Expr) {
    write(out, value, T::Range);
}

fn write_argument(out: &mut String, argument: &Argument) {
    if let Some(name) = &argument.name {
        write_name(out, name);
        out.push_str(" = ");
    }
    write_entry(out, &argument.value);
}

fn write_reference(out: &mut String, reference: &Reference) {
    write_name(out, &reference.name);
    if !reference.indices.is_empty() {
        write_list(out, '[', &reference.indices, ']', write_entry);
    }
}

/// A name as it stands in a text: in backquotes where it would not be read as one.
#[must_use]
pub fn written_name(name: &str) -> String {
    let mut out = String::new();
    let primes = name.len() - name.trim_end_matches('\'').len();
    write_text_of_name(&mut out, name.trim_end_matches('\''));
    out.push_str(&"'".repeat(primes));
    out
}

fn write_name(out: &mut String, name: &Name) {
    write_text_of_name(out, &name.text);
}

fn write_text_of_name(out: &mut String, name: &str) {
    // The dots of such a name are its own, not those of a path.
    if name.split('.').any(str::is_empty) {
        out.push('`');
        out.push_str(name);
        out.push('`');
        return;
    }
    for (place, part) in name.split('.').enumerate() {
        if place > 0 {
            out.push('.');
        }
        let plain = part.starts_with(starts_name) && part.chars().all(continues_name);
        if plain && (!is_reserved(name) || VALUES.contains(&part)) {
            out.push_str(part);
        } else {
            out.push('`');
            out.push_str(part);
            out.push('`');
        }
    }
}

/// The shortest text that reads back as the same number.
fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-4..1e15).contains(&size) {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

fn write_unit(out: &mut String, unit: &Unit) {
    out.push('[');
    if unit
        .factors
        .first()
        .is_none_or(|factor| factor.exponent < 0.0)
    {
        out.push('1');
    }
    for (place, factor) in unit.factors.iter().enumerate() {
        if factor.exponent < 0.0 {
            out.push('/');
        } else if place > 0 {
            out.push('*');
        }
        let name = &factor.name.text;
        if name
            .chars()
            .all(|c| c.is_alphabetic() || "_%‰°".contains(c))
        {
            out.push_str(name);
        } else {
            out.push_str(&format!("`{name}`"));
        }
        let size = factor.exponent.abs();
        if (size - 1.0).abs() > 0.0 {
            out.push_str(&format!("^{}", number(size)));
        }
    }
    out.push(']');
}
