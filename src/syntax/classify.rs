//! Chooses how a statement is to be read, by its first words.
//!
//! Enters: the text of one statement. Leaves: a [`Class`]. Must not know the grammar behind it.
//!
//! Choosing first and reading afterwards keeps faults where they are: a broken reaction is told as
//! a broken reaction, not as the last of twenty things that the statement is not either.

use super::starts::{Target, is_equals, is_operand, skip_blanks, target, word};
use super::words::{DECLARATIONS, VALUES, VERBS, is_reserved};

/// How a statement is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It begins with this declaration word.
    Declaration(&'static str),
    /// `cell1: use "cell.lotka"`
    Instance,
    /// `x' = ...`, or `x = ...` without primes.
    Equation,
    /// `0 = ...`
    Zero,
    /// A reaction, named or not.
    Reaction,
    /// `load "x"` and `load path.lotka`; the path begins at this byte.
    Load(usize),
    /// A sentence about words rather than values: `help fit`, `explain E0107`.
    Words,
    /// Any other sentence.
    Sentence,
    /// An expression.
    Expression,
    /// A reserved word of so many bytes where a name should stand: `rate = 3`.
    Reserved(usize),
    /// It begins with a word of so many bytes that begins nothing: `parm a = 1`.
    Unknown(usize),
}

/// Chooses the class of `text`; `arrow` says that an arrow stands in it outside of brackets.
#[must_use]
pub fn classify(text: &str, arrow: bool) -> Class {
    if let Some(rest) = text.strip_prefix('0')
        && is_equals(skip_blanks(rest.trim_start_matches(".0"), true))
    {
        return Class::Zero;
    }
    let first = word(text);
    let Some(target) = target(text) else {
        return match (arrow, first.len()) {
            (true, _) => Class::Reaction,
            (false, 0) => Class::Expression,
            (false, _) => by_word(text, first, text.get(first.len()..).unwrap_or("")),
        };
    };
    let rest = text.get(target.length..).unwrap_or("");
    let after = skip_blanks(rest, true);
    let is_name = is_equals(after) || after.starts_with(':') || target.primes > 0;
    if is_reserved(first) && first.len() == target.path {
        let misused = is_name || after.starts_with("->") || after.starts_with("<->");
        if misused {
            return Class::Reserved(first.len());
        }
    }
    named(text, arrow, first, target, after)
}

/// A statement that begins with a name or word, already known not to misuse a reserved one.
fn named(text: &str, arrow: bool, first: &str, target: Target, after: &str) -> Class {
    if let Some(rest) = after.strip_prefix(':') {
        let is_use = word(skip_blanks(rest, true)) == "use";
        return if is_use {
            Class::Instance
        } else {
            Class::Reaction
        };
    }
    if arrow && !is_reserved(first) {
        return Class::Reaction;
    }
    if is_equals(after) {
        return Class::Equation;
    }
    if first.len() == target.length {
        return by_word(text, first, text.get(first.len()..).unwrap_or(""));
    }
    if first.len() == target.path && DECLARATIONS.contains(&first) && is_reserved(first) {
        return by_word(text, first, text.get(first.len()..).unwrap_or(""));
    }
    Class::Expression
}

/// A statement whose first word is not a name; `rest` is what follows it.
fn by_word(text: &str, first: &str, rest: &str) -> Class {
    let after = skip_blanks(rest, true);
    if let Some(known) = DECLARATIONS.iter().find(|known| **known == first) {
        let declares = match *known {
            "history" => is_operand(after) && after.contains('='),
            "dose" => is_operand(after) || after.starts_with(['(', '-']),
            "no" | "lotka" | "allow" | "unit" => is_operand(after),
            // `next m` may also begin an expression.
            "next" => is_next_equation(after),
            _ => true,
        };
        if declares {
            return Class::Declaration(known);
        }
        if *known == "next" {
            return Class::Expression;
        }
    }
    if VERBS.contains(&first) {
        return sentence(text, first, rest, after);
    }
    if !is_reserved(first) && (is_operand(after) || after.starts_with('"')) {
        return Class::Unknown(first.len());
    }
    Class::Expression
}

/// `w = ...` after `next`; anything else that is not clearly an expression is read as one too.
fn is_next_equation(after: &str) -> bool {
    target(after).is_some_and(|target| {
        let rest = skip_blanks(after.get(target.length..).unwrap_or(""), true);
        is_equals(rest)
    })
}

fn sentence(text: &str, first: &str, rest: &str, after: &str) -> Class {
    // A path may begin with `/` or `./`.
    let path = after.len() < rest.len() && !after.is_empty() && !after.starts_with('"');
    if first == "load" && path && after.chars().nth(1).is_some_and(|c| !c.is_whitespace()) {
        return Class::Load(text.len() - after.len());
    }
    // Any word can be asked about, `and` included.
    if matches!(first, "help" | "explain") && !word(after).is_empty() {
        return Class::Words;
    }
    if is_infix(rest, after) {
        return Class::Expression;
    }
    match first {
        "show" if is_reserved(word(after)) && !VALUES.contains(&word(after)) => Class::Words,
        _ => Class::Sentence,
    }
}

/// An operator follows, so that the word before it is a name: `plot + 1`, but not `plot -x`.
fn is_infix(rest: &str, after: &str) -> bool {
    let spaced = after.len() < rest.len();
    let Some(mark) = after.chars().next() else {
        return false;
    };
    let second = after.chars().nth(1).unwrap_or(' ');
    match mark {
        '+' | '*' | '/' | '^' | '<' | '>' | '=' | '!' => true,
        '-' => !spaced || second.is_whitespace(),
        '.' => matches!(second, '*' | '/' | '^'),
        _ => matches!(word(after), "and" | "or"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> Class {
        classify(text, text.contains("->"))
    }

    #[test]
    fn words_of_sentences_are_names_where_they_stand_as_names() {
        assert_eq!(class("plot = 3"), Class::Equation);
        assert_eq!(class("step' = -step"), Class::Equation);
        assert_eq!(class("fit: A -> B, k"), Class::Reaction);
        assert_eq!(class("dose -> C1, ka"), Class::Reaction);
        assert_eq!(class("plot[1] = 3"), Class::Equation);
        assert_eq!(class("plot + 3"), Class::Expression);
        assert_eq!(class("dose"), Class::Expression);
        assert_eq!(class("dose 100 into C1"), Class::Declaration("dose"));
        assert_eq!(class("plot -x"), Class::Sentence);
        assert_eq!(class("history"), Class::Sentence);
        assert_eq!(class("history x = 1"), Class::Declaration("history"));
        assert_eq!(class("allow W0201"), Class::Declaration("allow"));
        assert_eq!(class("allow = 3"), Class::Equation);
        assert_eq!(class("allow' = -allow"), Class::Equation);
        assert_eq!(class("allow: A -> B, k"), Class::Reaction);
        assert_eq!(class("allow -> B, k"), Class::Reaction);
        assert_eq!(class("allow*2"), Class::Expression);
    }

    #[test]
    fn reserved_words_are_not_names() {
        assert_eq!(class("rate = 3"), Class::Reserved(4));
        assert_eq!(class("t' = 1"), Class::Reserved(1));
        assert_eq!(class("param: A -> B, k"), Class::Reserved(5));
        assert_eq!(class("`rate` = 3"), Class::Equation);
        assert_eq!(class("t + 1"), Class::Expression);
    }

    #[test]
    fn the_rest_is_told_by_its_first_marks() {
        assert_eq!(class("0 = A + B"), Class::Zero);
        assert_eq!(class("0 -> A, k"), Class::Reaction);
        assert_eq!(class("2 L <-> D, a, b"), Class::Reaction);
        assert_eq!(class("cell1: use \"cell.lotka\""), Class::Instance);
        assert_eq!(class("parm a = 1"), Class::Unknown(4));
        assert_eq!(class("load models/a.lotka"), Class::Load(5));
        assert_eq!(class("load \"a\""), Class::Sentence);
        assert_eq!(class("help if"), Class::Words);
        assert_eq!(class("next w = w - 1"), Class::Declaration("next"));
        assert_eq!(class("sin(x) + 2"), Class::Expression);
        assert_eq!(class("u[i-1]' = 2"), Class::Equation);
    }
}
