//! What a sentence `sensitivity` asks: its words understood, its names looked up.
//!
//! Enters: the sentence, the model. Leaves: observables and varied quantities, with the names that
//! the answer uses.

use super::super::command::{Command, Sensitivity};
use super::super::compiled::{Compiled, Observable};
use super::super::lower::{figure_or_table, setting, subjects_without_vs, word_of};
use super::super::options::Options;
use super::super::values::Overrides;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{self, Target};
use crate::simulate::Varied;
use crate::source::Span;
use crate::symbolic::{Pool, Shape};
use crate::syntax::tree::{self, ExprKind};
use std::sync::Arc;

/// `sensitivity conc, C1 by ka, CL scaled to "heat.svg"`
pub(in crate::session) fn lower(
    sentence: &tree::Sentence,
    span: Span,
    mut options: Options<'_>,
) -> Option<Command> {
    let is_scaled = |expr: &tree::Expr| word_of(expr).is_some_and(|word| word.text == "scaled");
    let mut scaled = options.take("scaled").is_some_and(|option| {
        if let Some(value) = option.values.first() {
            options.problem(
                Diagnostic::new(Code::BadOption, "`scaled` takes no value").at(value.span, ""),
            );
        }
        true
    });
    let mut by = match options.take("by") {
        Some(option) if option.values.is_empty() => {
            options.needs_value(option);
            Vec::new()
        }
        Some(option) => option.values.clone(),
        None => Vec::new(),
    };
    // `sensitivity scaled` and `by ka, scaled` mean the word, not a quantity of that name.
    let mut observables = subjects_without_vs(
        sentence,
        &mut options,
        "derivatives have nothing to stand against",
        "name what is differentiated by after `by`",
    );
    for list in [&mut observables, &mut by] {
        if list.last().is_some_and(is_scaled) {
            list.pop();
            scaled = true;
        }
    }
    let setting = setting(&mut options);
    let to = figure_or_table(&mut options, "sensitivities are");
    options.finish(|| {
        Ok(Command::Sensitivity(Sensitivity {
            span,
            observables,
            by,
            scaled,
            setting,
            to,
        }))
    })
}

/// What is differentiated and by what, with names.
pub(in crate::session) struct Question {
    pub observables: Vec<Observable>,
    pub varied: Vec<Varied>,
    pub names: Vec<String>,
}

/// Understands the names of a sentence.
///
/// # Errors
/// Unknown names, and names of something that is no parameter or initial value.
pub(in crate::session) fn question(
    compiled: &Compiled,
    overrides: &Overrides,
    command: &Sensitivity,
) -> Result<Question, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut observables = Vec::new();
    for expr in &command.observables {
        match compiled.observable(expr) {
            Ok(found) if found.is_condition => problems.push(
                Diagnostic::new(Code::NotNumeric, "a condition has no derivative")
                    .at(expr.span, "")
                    .help("name a state, a definition or an expression of them"),
            ),
            Ok(found) => observables.push(found),
            Err(found) => problems.extend(found),
        }
    }
    if command.observables.is_empty() {
        observables = states(compiled);
    }
    let (mut varied, mut names) = (Vec::new(), Vec::new());
    for expr in &command.by {
        match quantity(compiled, expr) {
            Ok(found) => {
                for (quantity, name) in found {
                    if !varied.contains(&quantity) {
                        varied.push(quantity);
                        names.push(name);
                    }
                }
            }
            Err(found) => problems.extend(found),
        }
    }
    if command.by.is_empty() {
        for (position, name) in free_parameters(compiled, overrides) {
            varied.push(Varied::Parameter(position));
            names.push(name);
        }
        if varied.is_empty() {
            problems.push(
                Diagnostic::new(
                    Code::MissingArgument,
                    "the model has no single parameters to differentiate by",
                )
                .at(command.span, "")
                .help("name elements or initial values, as in `sensitivity x by x`"),
            );
        }
    }
    if problems.is_empty() {
        Ok(Question {
            observables,
            varied,
            names,
        })
    } else {
        Err(problems)
    }
}

/// Every state as an observable.
fn states(compiled: &Compiled) -> Vec<Observable> {
    let states = compiled.model.states.iter();
    let observable = |state: &model::State| {
        let mut pool = Pool::continuing(&compiled.system.pool);
        let expr = pool.symbol(state.symbol);
        Observable {
            label: state.name.clone(),
            expr,
            shape: pool.shape(expr),
            pool: Arc::new(pool),
            is_condition: false,
        }
    };
    states.map(observable).collect()
}

/// Single parameters that do not follow others, without compartments: position and name.
fn free_parameters(compiled: &Compiled, overrides: &Overrides) -> Vec<(usize, String)> {
    let (model, system) = (&compiled.model, &compiled.system);
    let known = model.parameters.iter().zip(system.parameters.blocks());
    known
        .enumerate()
        .filter(|(at, (known, block))| {
            let target = Target::Parameter(model::ParameterId::new(*at));
            let is_free = overrides.contains(target)
                || crate::symbolic::symbols_of(&system.pool, system.parameter_values[*at])
                    .is_empty();
            is_free && !known.is_compartment && block.shape == Shape::Scalar
        })
        .map(|(_, (known, block))| (block.offset, known.name.clone()))
        .collect()
}

/// The parameter or initial value that an expression names, element by element.
fn quantity(
    compiled: &Compiled,
    expr: &tree::Expr,
) -> Result<Vec<(Varied, String)>, Vec<Diagnostic>> {
    let ExprKind::Reference(reference) = &expr.kind else {
        return Err(vec![
            Diagnostic::new(
                Code::WrongKind,
                "derivatives are taken by a parameter or an initial value",
            )
            .at(expr.span, "this is an expression")
            .help("as in `by k`, or `by x` for the initial value of the state x"),
        ]);
    };
    let mut pool = Pool::continuing(&compiled.system.pool);
    let mut problems = Vec::new();
    let names = &compiled.model.names;
    let found = model::target(names, &mut pool, &mut problems, reference);
    let Some((target, element)) = found.filter(|_| problems.is_empty()) else {
        return Err(problems);
    };
    let (block, indices, name) = match target {
        Target::Parameter(id) => {
            let known = &compiled.model.parameters[id.index()];
            let block = compiled.system.parameters.blocks()[id.index()];
            (block, &known.indices, &known.name)
        }
        Target::State(id) => {
            let known = &compiled.model.states[id.index()];
            let block = compiled.system.states.blocks()[id.index()];
            (block, &known.indices, &known.name)
        }
    };
    let elements = match element {
        Some(element) => element..element + 1,
        None => 0..block.shape.len(),
    };
    Ok(elements
        .map(|at| {
            let name = element_of(compiled, name, indices, block.shape, at);
            match target {
                Target::Parameter(_) => (Varied::Parameter(block.offset + at), name),
                Target::State(_) => {
                    let start = crate::diagnostic::number_text(compiled.model.time.start);
                    (
                        Varied::Initial(block.offset + at),
                        format!("{name}({start})"),
                    )
                }
            }
        })
        .collect())
}

pub(super) fn element_of(
    compiled: &Compiled,
    name: &str,
    indices: &[model::IndexSetId],
    shape: Shape,
    at: usize,
) -> String {
    if shape == Shape::Scalar {
        name.to_owned()
    } else if indices.is_empty() {
        format!("{name}[{}]", at + 1)
    } else {
        compiled.model.element_name(name, indices, at)
    }
}
