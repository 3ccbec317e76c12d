//! Walks over the tree, without recursion.

use super::maps::next_name;
use crate::syntax::tree::{self, ExprKind, StatementKind};

/// Calls `visit` with every expression of a file; of sentences those that they are about, and
/// those in their options.
pub(super) fn each_expression<'t>(file: &'t tree::File, visit: &mut impl FnMut(&'t tree::Expr)) {
    let mut pending: Vec<&tree::Statement> = file.statements.iter().collect();
    while let Some(statement) = pending.pop() {
        match &statement.kind {
            StatementKind::Declare { items, .. } => {
                for item in items {
                    item.value.iter().for_each(&mut *visit);
                    item.bounds.iter().for_each(|bounds| visit(&bounds.range));
                    item.prior.iter().for_each(&mut *visit);
                    item.atol.iter().for_each(&mut *visit);
                }
            }
            StatementKind::Let { value, .. }
            | StatementKind::Assert(value)
            | StatementKind::Expression(value)
            | StatementKind::Assign { value, .. }
            | StatementKind::Function { body: value, .. }
            | StatementKind::Observe {
                distribution: value,
                ..
            }
            | StatementKind::Equation { right: value, .. } => visit(value),
            StatementKind::Covariate { items, .. } => {
                let values = items.iter().flat_map(|item| &item.value);
                values.for_each(&mut *visit);
            }
            StatementKind::Time {
                from: Some(from), ..
            } => visit(from),
            StatementKind::Index {
                set: tree::IndexSet::Range(range),
                ..
            } => visit(range),
            StatementKind::Reaction(reaction) => match &reaction.law {
                tree::Law::MassAction { forward, backward } => {
                    visit(forward);
                    backward.iter().for_each(&mut *visit);
                }
                tree::Law::Rate(rate) => visit(rate),
            },
            StatementKind::Noise { bindings, .. } => {
                bindings.iter().for_each(|binding| visit(&binding.value));
            }
            StatementKind::For { range, body, .. } => {
                visit(range);
                pending.extend(body);
            }
            StatementKind::Condition { body, .. } => pending.extend(body),
            StatementKind::When {
                condition,
                options,
                body,
            } => {
                visit(condition);
                each_value(options, visit);
                pending.extend(body);
            }
            StatementKind::At {
                times,
                options,
                body,
            } => {
                times.iter().for_each(&mut *visit);
                each_value(options, visit);
                pending.extend(body);
            }
            StatementKind::Every {
                period,
                options,
                body,
            } => {
                visit(period);
                each_value(options, visit);
                pending.extend(body);
            }
            StatementKind::Dose { amount, options } => {
                visit(amount);
                each_value(options, visit);
            }
            StatementKind::Sentence(sentence) => {
                for subject in &sentence.subjects {
                    visit(&subject.value);
                    subject.versus.iter().for_each(&mut *visit);
                }
                for option in &sentence.options {
                    option.values.iter().for_each(&mut *visit);
                    option
                        .bindings
                        .iter()
                        .for_each(|binding| visit(&binding.value));
                }
            }
            _ => {}
        }
    }
}

fn each_value<'t>(options: &'t [tree::SentenceOption], visit: &mut impl FnMut(&'t tree::Expr)) {
    for option in options {
        option.values.iter().for_each(&mut *visit);
    }
}

/// Calls `visit` with every name that stands for something, and whether it is called. Indices are
/// left out: labels are no names of their own.
pub(super) fn each_reference<'t>(
    expr: &'t tree::Expr,
    visit: &mut impl FnMut(&'t tree::Name, bool),
) {
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        match &expr.kind {
            ExprKind::Reference(target)
            | ExprKind::Next(target)
            | ExprKind::Prime { target, .. } => {
                visit(&target.name, false);
                continue;
            }
            ExprKind::Call {
                function,
                arguments,
            } => {
                visit(&function.name, true);
                pending.extend(arguments.iter().rev().map(|argument| &argument.value));
                continue;
            }
            _ => {}
        }
        let from = pending.len();
        expr.for_each_part(|part| pending.push(part));
        // The last pushed is visited first: turn them, so that names come in the order of the text.
        pending[from..].reverse();
    }
}

/// Calls `visit` with every name in an expression, `x'` included as the name `x'`, and `next x` as
/// `next x`.
pub(super) fn each_name(expr: &tree::Expr, visit: &mut impl FnMut(&str)) {
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        match &expr.kind {
            ExprKind::Reference(target) => visit(&target.name.text),
            ExprKind::Next(target) => visit(&next_name(&target.name.text)),
            ExprKind::Prime { target, order } => {
                visit(&format!(
                    "{}{}",
                    target.name.text,
                    "'".repeat(usize::from(*order))
                ));
            }
            ExprKind::Call { function, .. } => visit(&function.name.text),
            _ => {}
        }
        let from = pending.len();
        expr.for_each_part(|part| pending.push(part));
        // The last pushed is visited first: turn them, so that names come in the order of the text.
        pending[from..].reverse();
    }
}
