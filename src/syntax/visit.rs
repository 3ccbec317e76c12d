//! A walk over all that a tree holds, with leave to change it.
//!
//! Enters: a file or a part of it, and a [`Visitor`]. Leaves: the same tree, as the visitor left it.
//! Must not know what a visitor does. Every match here names every case, so that a new kind of
//! statement cannot be forgotten.

use super::tree::{
    Argument, Binding, Declaration, EquationLeft, Expr, ExprKind, File, IndexSet, Law, Name,
    Reaction, Reference, SentenceOption, Statement, StatementKind, Subject, Text, Unit,
    are_of_a_table,
};
use crate::source::Span;

/// What a name is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameUse {
    /// It is declared here: `param k`, `let total`, `exchange:`, `condition knockout`.
    Declared,
    /// It stands for something that is declared elsewhere: in expressions, before `=` and primes, in
    /// reactions.
    Used,
    /// It is called: a function, a distribution, or a delayed state.
    Called,
    /// In an index: `y[GATA1]`, `u[i-1]`. It may be a label.
    Index,
    /// In the values of an option: `into C`, `by subject`, `column T`. It may be a word.
    Option,
    /// A member of an index set, where the set is written: `{GATA1, KLF1}`.
    Label,
    /// The variable of a `for`.
    Loop,
    /// The argument of an `fn`, where the function is written.
    Parameter,
    /// The name before `=` in an argument or in parentheses after an option: `sd = sigma`.
    Argument,
    /// A word of the language: a verb, an option, `intrinsic`, `stable spiral`.
    Word,
    /// The name of an instance.
    Instance,
    /// The name of the model.
    Model,
}

/// What is called on the way; each does nothing unless it is written out.
pub trait Visitor {
    /// Every place.
    fn span(&mut self, _span: &mut Span) {}
    /// Every name but those of units.
    fn name(&mut self, _name: &mut Name, _used: NameUse) {}
    /// Every unit, before its parts.
    fn unit(&mut self, _unit: &mut Unit) {}
    /// Every expression, before its parts.
    fn expression(&mut self, _expression: &mut Expr) {}
    /// Every statement, before its parts.
    fn statement(&mut self, _statement: &mut Statement) {}
    /// Every statement, after its parts.
    fn leave(&mut self, _statement: &mut Statement) {}
    /// Every option, before its parts.
    fn option(&mut self, _option: &mut SentenceOption) {}
    /// Every text in quotes.
    fn text(&mut self, _text: &mut Text) {}
}

/// Visits a whole file.
pub fn file(file: &mut File, visitor: &mut impl Visitor) {
    statements(&mut file.statements, visitor);
}

/// Visits statements and the blocks in them.
pub fn statements(statements: &mut [Statement], visitor: &mut impl Visitor) {
    for one in statements {
        statement(one, visitor);
    }
}

/// Visits one statement and the block in it.
pub fn statement(statement: &mut Statement, v: &mut impl Visitor) {
    v.statement(statement);
    v.span(&mut statement.span);
    kind(&mut statement.kind, v);
    v.leave(statement);
}

/// Visits what a statement says, the block in it included.
pub fn kind(kind: &mut StatementKind, v: &mut impl Visitor) {
    match kind {
        StatementKind::Version(_) | StatementKind::NoDoses => {}
        StatementKind::Model(own) => name(own, NameUse::Model, v),
        StatementKind::Time { unit: of, from } => {
            units(of, v);
            expressions(from, v);
        }
        StatementKind::Declare { kind: _, items } => {
            for item in items {
                declaration(item, v);
            }
        }
        StatementKind::Let {
            name,
            unit: of,
            value,
        } => {
            reference(name, NameUse::Declared, v);
            units(of, v);
            expression(value, v);
        }
        StatementKind::Function {
            name: own,
            parameters,
            body,
        } => {
            name(own, NameUse::Declared, v);
            names(parameters, NameUse::Parameter, v);
            expression(body, v);
        }
        StatementKind::Assert(value) | StatementKind::Expression(value) => expression(value, v),
        StatementKind::Equation { left, right } => {
            equation_left(left, v);
            expression(right, v);
        }
        StatementKind::Assign { target, value } => {
            reference(target, NameUse::Used, v);
            expression(value, v);
        }
        StatementKind::Reaction(own) => reaction(own, v),
        StatementKind::Wiener { calculus: _, names } => {
            for one in names {
                reference(one, NameUse::Declared, v);
            }
        }
        StatementKind::Noise {
            kind,
            bindings: bound,
        } => {
            name(kind, NameUse::Word, v);
            bindings(bound, NameUse::Argument, v);
        }
        StatementKind::Unit(items) => {
            for item in items {
                v.span(&mut item.span);
                v.span(&mut item.name.span);
                expressions(&mut item.value, v);
                units(&mut item.unit, v);
            }
        }
        StatementKind::Allow { codes, of } => {
            names(codes, NameUse::Word, v);
            names(of, NameUse::Used, v);
        }
        StatementKind::Index { name: own, set } => {
            name(own, NameUse::Declared, v);
            match set {
                IndexSet::Labels(labels) => names(labels, NameUse::Label, v),
                IndexSet::Range(range) => expression(range, v),
                IndexSet::Data(list) => options(list, v),
            }
        }
        StatementKind::Covariate {
            items,
            options: list,
        } => {
            for item in items {
                declaration(item, v);
            }
            options(list, v);
        }
        StatementKind::Observe {
            name,
            unit: of,
            distribution,
        } => {
            reference(name, NameUse::Declared, v);
            units(of, v);
            expression(distribution, v);
        }
        StatementKind::Input {
            name,
            unit: of,
            options: list,
        } => {
            reference(name, NameUse::Declared, v);
            units(of, v);
            options(list, v);
        }
        StatementKind::When {
            condition,
            options: list,
            body,
        } => {
            expression(condition, v);
            options(list, v);
            statements(body, v);
        }
        StatementKind::At {
            times,
            options: list,
            body,
        } => {
            expressions(times, v);
            options(list, v);
            statements(body, v);
        }
        StatementKind::Every {
            period,
            options: list,
            body,
        } => {
            expression(period, v);
            options(list, v);
            statements(body, v);
        }
        StatementKind::Dose {
            amount,
            options: list,
        } => {
            // Of a table, the amount names a column: what is declared alone is a name.
            let used = match are_of_a_table(list) {
                true => NameUse::Option,
                false => NameUse::Used,
            };
            expression_in(amount, used, v);
            options(list, v);
        }
        StatementKind::Condition { name: own, body } => {
            name(own, NameUse::Declared, v);
            statements(body, v);
        }
        StatementKind::For {
            variable,
            range,
            body,
        } => {
            name(variable, NameUse::Loop, v);
            expression(range, v);
            statements(body, v);
        }
        StatementKind::Use {
            instance,
            path,
            bindings: bound,
        } => {
            if let Some(own) = instance {
                name(own, NameUse::Instance, v);
            }
            v.text(path);
            v.span(&mut path.span);
            bindings(bound, NameUse::Argument, v);
        }
        StatementKind::Sentence(sentence) => {
            name(&mut sentence.verb, NameUse::Word, v);
            for Subject { value, versus } in &mut sentence.subjects {
                expression(value, v);
                expressions(versus, v);
            }
            options(&mut sentence.options, v);
        }
    }
}

fn declaration(item: &mut Declaration, v: &mut impl Visitor) {
    let Declaration {
        span,
        name: own,
        primes: _,
        compartment,
        unit: of,
        value,
        bounds,
        atol,
        prior,
        mask,
        penalty,
    } = item;
    v.span(span);
    reference(own, NameUse::Declared, v);
    if let Some(compartment) = compartment {
        name(compartment, NameUse::Used, v);
    }
    units(of, v);
    expressions(value, v);
    if let Some(bounds) = bounds {
        v.span(&mut bounds.span);
        expression(&mut bounds.range, v);
        if let Some(log) = &mut bounds.log {
            v.span(log);
        }
    }
    for clause in [atol, prior] {
        expressions(clause, v);
    }
    if let Some(mask) = mask {
        expression_in(mask, NameUse::Index, v);
    }
    if let Some(penalty) = penalty {
        expression_in(penalty, NameUse::Option, v);
    }
}

fn equation_left(left: &mut EquationLeft, v: &mut impl Visitor) {
    match left {
        EquationLeft::Derivative {
            target,
            order: _,
            span,
        } => {
            reference(target, NameUse::Used, v);
            v.span(span);
        }
        EquationLeft::Next(target) | EquationLeft::History(target) => {
            reference(target, NameUse::Used, v);
        }
        EquationLeft::Zero(span) => v.span(span),
    }
}

fn reaction(reaction: &mut Reaction, v: &mut impl Visitor) {
    let Reaction {
        name: own,
        left,
        right,
        reversible: _,
        arrow,
        law,
    } = reaction;
    if let Some(own) = own {
        reference(own, NameUse::Declared, v);
    }
    for term in left.iter_mut().chain(right) {
        v.span(&mut term.span);
        reference(&mut term.species, NameUse::Used, v);
    }
    v.span(arrow);
    match law {
        Law::MassAction { forward, backward } => {
            expression(forward, v);
            expressions(backward, v);
        }
        Law::Rate(rate) => expression(rate, v),
    }
}

fn options(options: &mut [SentenceOption], v: &mut impl Visitor) {
    for option in options {
        v.option(option);
        v.span(&mut option.span);
        name(&mut option.word, NameUse::Word, v);
        // Of `by subject` and `column T` the words are the language's and the table's.
        let inside = match option.word.text.as_str() {
            "by" | "column" => NameUse::Word,
            _ => NameUse::Option,
        };
        for value in &mut option.values {
            expression_in(value, inside, v);
        }
        // `with a = 1` names something of the model; in `to "x.csv" (time = year)` both are columns.
        let used = match option.word.text.as_str() {
            "to" | "from" | "over" => NameUse::Argument,
            _ => NameUse::Used,
        };
        for Binding { name, value } in &mut option.bindings {
            reference(name, used, v);
            expression_in(value, used, v);
        }
    }
}

fn bindings(bindings: &mut [Binding], used: NameUse, v: &mut impl Visitor) {
    for Binding { name, value } in bindings {
        reference(name, used, v);
        expression(value, v);
    }
}

fn names(names: &mut [Name], used: NameUse, v: &mut impl Visitor) {
    for one in names {
        name(one, used, v);
    }
}

fn name(name: &mut Name, used: NameUse, v: &mut impl Visitor) {
    v.name(name, used);
    v.span(&mut name.span);
}

fn reference(reference: &mut Reference, used: NameUse, v: &mut impl Visitor) {
    v.span(&mut reference.span);
    name(&mut reference.name, used, v);
    for index in &mut reference.indices {
        expression_in(index, NameUse::Index, v);
    }
}

fn units(unit: &mut Option<Unit>, v: &mut impl Visitor) {
    if let Some(unit) = unit {
        v.unit(unit);
        v.span(&mut unit.span);
        for factor in &mut unit.factors {
            v.span(&mut factor.name.span);
        }
    }
}

fn expressions<'t>(list: impl IntoIterator<Item = &'t mut Expr>, v: &mut impl Visitor) {
    for one in list {
        expression(one, v);
    }
}

/// Visits an expression, which is at most `syntax::MAX_DEPTH` deep, and all its parts.
pub fn expression(expr: &mut Expr, v: &mut impl Visitor) {
    expression_in(expr, NameUse::Used, v);
}

/// The same where names are used as `used` says.
fn expression_in(expr: &mut Expr, used: NameUse, v: &mut impl Visitor) {
    v.expression(expr);
    v.span(&mut expr.span);
    match &mut expr.kind {
        ExprKind::Number { value: _, unit } => units(unit, v),
        // Its words were for the file.
        ExprKind::Text(_) | ExprKind::Read { .. } => {}
        ExprKind::Reference(target)
        | ExprKind::Next(target)
        | ExprKind::Prime { target, order: _ } => reference(target, used, v),
        ExprKind::Call {
            function,
            arguments,
        } => {
            reference(function, NameUse::Called, v);
            for Argument { name: own, value } in arguments {
                if let Some(own) = own {
                    name(own, NameUse::Argument, v);
                }
                expression_in(value, used, v);
            }
        }
        ExprKind::Vector(items) => items
            .iter_mut()
            .for_each(|item| expression_in(item, used, v)),
        ExprKind::Unary {
            operator: _,
            operand,
        } => expression_in(operand, used, v),
        ExprKind::Binary {
            operator: _,
            operator_span,
            left,
            right,
        } => {
            v.span(operator_span);
            expression_in(left, used, v);
            expression_in(right, used, v);
        }
        ExprKind::If {
            condition,
            then,
            otherwise,
        } => {
            for part in [condition, then, otherwise] {
                expression_in(part, used, v);
            }
        }
        ExprKind::Range { low, high } => {
            for end in [low, high].into_iter().flatten() {
                expression_in(end, used, v);
            }
        }
        ExprKind::Words(words) => names(words, NameUse::Word, v),
    }
}
