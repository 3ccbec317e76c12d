//! What `show` shows: equations, parameters, reactions, Jacobian, laws, method.

use super::interruptions;
use super::outcome::in_short;
use super::table::{Column, number, table};
use super::words;
use crate::model::{DefinitionKind, Entity, Model, Motion, Participant, State};
use crate::session::{Compiled, Form, Outcome, Topic};
use crate::symbolic::{self, Expr, Node, Notation, Operator, Shape};
use crate::syntax::tree::Calculus;
use crate::system;

/// Elements of a vector that are written out; the rest are counted.
const MOST_ELEMENTS: usize = 8;
/// Lines of a Jacobian or a list of reactions.
const MOST_LINES: usize = 200;
const DIGITS: usize = 12;
/// Left sides up to this width have their equal signs below each other.
const FURTHEST: usize = 30;

/// The text of [`Outcome::Shown`].
#[must_use]
pub fn shown(outcome: &Outcome, width: usize) -> String {
    let Outcome::Shown {
        compiled,
        topic,
        form,
        parameters,
        initial,
        method,
    } = outcome
    else {
        return String::new();
    };
    match topic {
        Topic::Model => model(compiled, parameters, initial, width),
        Topic::Equations => equations(compiled, *form),
        Topic::Parameters => parameter_table(compiled, parameters, width),
        Topic::Units => super::units::units(&compiled.model, width),
        Topic::Reactions => reactions(compiled, *form),
        Topic::Events => interruptions::events(compiled),
        Topic::Doses => interruptions::doses(compiled),
        Topic::Inputs => interruptions::inputs(compiled),
        Topic::Jacobian => jacobian(compiled, *form),
        Topic::Conserved => conserved(compiled, initial, parameters, width),
        Topic::Method => method
            .as_ref()
            .map_or(String::new(), |method| super::method::advice(method, width)),
    }
}

fn notation(form: Form) -> Notation {
    match form {
        Form::Plain => Notation::Text,
        Form::Latex => Notation::Latex,
    }
}

/// An expression of the model's own pool.
fn print(model: &Model, expr: Expr, form: Form) -> String {
    model.print(&model.pool, expr, notation(form))
}

fn model(compiled: &Compiled, parameters: &[f64], initial: &[f64], width: usize) -> String {
    let model = &compiled.model;
    let mut text = match &model.name {
        Some(name) => format!("{name}: {}\n", in_short(compiled)),
        None => format!("{}\n", in_short(compiled)),
    };
    for definition in model.definitions.iter().filter(|known| known.doc.is_some()) {
        text.push_str(&documented(&definition.name, definition.doc.as_deref()));
    }
    if !model.states.is_empty() {
        text.push('\n');
        text.push_str(&state_table(compiled, initial, width));
    }
    if !model.parameters.is_empty() {
        text.push('\n');
        text.push_str(&parameter_table(compiled, parameters, width));
    }
    text.push('\n');
    text.push_str(&equations(compiled, Form::Plain));
    text.push_str(&interruptions::all(compiled));
    text
}

fn documented(name: &str, doc: Option<&str>) -> String {
    doc.map_or(String::new(), |doc| {
        format!("{name}: {}\n", doc.replace('\n', " "))
    })
}

/// Numbers in one cell: a single one, the same many times, the first few.
#[must_use]
pub fn values_text(numbers: &[f64]) -> String {
    match numbers {
        [single] => number(*single, DIGITS),
        _ if numbers.iter().all(|x| Some(x) == numbers.first()) => format!(
            "{} ({} times)",
            number(numbers.first().copied().unwrap_or(f64::NAN), DIGITS),
            numbers.len()
        ),
        _ => {
            let mut shown: Vec<String> = numbers.iter().take(4).map(|x| number(*x, 4)).collect();
            if numbers.len() > 4 {
                shown.push(format!("... {} more", numbers.len() - 4));
            }
            format!("[{}]", shown.join(", "))
        }
    }
}

fn state_table(compiled: &Compiled, initial: &[f64], width: usize) -> String {
    let states = &compiled.model.states;
    let blocks = compiled.system.states.blocks();
    let column = |f: &dyn Fn(usize) -> String| (0..states.len()).map(f).collect::<Vec<_>>();
    let mut columns = vec![
        Column::text("state", column(&|at| declared_name(compiled, &states[at]))),
        Column::text(
            "start",
            column(&|at| values_text(&initial[blocks[at].range()])),
        ),
    ];
    let units = column(&|at| {
        super::units::unit_of(&compiled.model, &states[at].name, states[at].unit.as_ref())
    });
    push_unless_empty(&mut columns, "unit", units);
    let docs = column(&|at| {
        states[at]
            .doc
            .clone()
            .unwrap_or_default()
            .replace('\n', " ")
    });
    push_docs(&mut columns, &docs, width);
    table(&columns, width)
}

fn declared_name(compiled: &Compiled, state: &State) -> String {
    let sets: Vec<&str> = state
        .indices
        .iter()
        .map(|id| compiled.model.names.index_set(*id).name.as_str())
        .collect();
    if sets.is_empty() {
        state.name.clone()
    } else {
        format!("{}[{}]", state.name, sets.join(", "))
    }
}

/// Doc comments in what the other columns leave of the width.
fn push_docs(columns: &mut Vec<Column>, docs: &[String], width: usize) {
    const NARROWEST: usize = 12;
    let used: usize = columns.iter().map(|column| column.width() + 2).sum();
    let left = width.saturating_sub(used);
    if left >= NARROWEST {
        push_unless_empty(
            columns,
            "",
            docs.iter().map(|doc| words::fit(doc, left)).collect(),
        );
    }
}

fn push_unless_empty(columns: &mut Vec<Column>, header: &str, cells: Vec<String>) {
    if cells.iter().any(|cell| !cell.is_empty()) {
        columns.push(Column::text(header, cells));
    }
}

fn parameter_table(compiled: &Compiled, values: &[f64], width: usize) -> String {
    let parameters = &compiled.model.parameters;
    if parameters.is_empty() {
        return "the model has no parameters\n".to_owned();
    }
    let blocks = compiled.system.parameters.blocks();
    let column = |f: &dyn Fn(usize) -> String| (0..parameters.len()).map(f).collect::<Vec<_>>();
    let mut columns = vec![
        Column::text("parameter", column(&|at| parameters[at].name.clone())),
        Column::text(
            "value",
            column(&|at| values_text(&values[blocks[at].range()])),
        ),
    ];
    let units = column(&|at| {
        let known = &parameters[at];
        super::units::unit_of(&compiled.model, &known.name, known.unit.as_ref())
    });
    push_unless_empty(&mut columns, "unit", units);
    let bounds = column(&|at| {
        parameters[at].bounds.map_or(String::new(), |bounds| {
            let log = if bounds.logarithmic { " log" } else { "" };
            let end = |x: f64| {
                if x.is_finite() {
                    number(x, DIGITS)
                } else {
                    String::new()
                }
            };
            format!("{}..{}{log}", end(bounds.low), end(bounds.high))
        })
    });
    push_unless_empty(&mut columns, "bounds", bounds);
    let docs = column(&|at| {
        parameters[at]
            .doc
            .clone()
            .unwrap_or_default()
            .replace('\n', " ")
    });
    push_docs(&mut columns, &docs, width);
    table(&columns, width)
}

fn equations(compiled: &Compiled, form: Form) -> String {
    let model = &compiled.model;
    let mut lines: Vec<(String, String)> = Vec::new();
    if form == Form::Latex && !model.wieners.is_empty() {
        return stochastic(compiled);
    }
    // What constraints govern has no equation of its own.
    for state in model.states.iter().filter(|state| !state.is_algebraic) {
        lines.extend(of_state(compiled, state, form));
    }
    lines.extend(interruptions::constraints(model, form));
    for definition in &model.definitions {
        if matches!(
            definition.kind,
            DefinitionKind::Derivative | DefinitionKind::Next
        ) {
            continue;
        }
        let name = match form {
            Form::Plain => definition.name.clone(),
            Form::Latex => symbolic::latex_name(&definition.name),
        };
        lines.push((name, print(model, definition.value, form)));
    }
    if lines.is_empty() {
        return "the model has no equations\n".to_owned();
    }
    aligned(&lines, form)
}

/// The equation of a state, or those of its elements: left and right sides.
fn of_state(compiled: &Compiled, state: &State, form: Form) -> Vec<(String, String)> {
    let model = &compiled.model;
    let name = |name: &str| left_name(name, model.motion, form);
    let Node::Stack(elements, Shape::Vector(_)) = model.pool.node(state.drift) else {
        return vec![(name(&state.name), print(model, state.drift, form))];
    };
    let mut lines = Vec::new();
    for (at, element) in elements.iter().take(MOST_ELEMENTS).enumerate() {
        let label = element_label(compiled, state, at);
        lines.push((name(&label), print(model, *element, form)));
    }
    if elements.len() > MOST_ELEMENTS {
        let left = elements.len() - MOST_ELEMENTS;
        let more = format!("... {left} more equations of {}", state.name);
        lines.push((String::new(), more));
    }
    lines
}

/// What is derived for one name: the equations of a state, what a flux stands for. Empty for others.
#[must_use]
pub fn derived(compiled: &Compiled, name: &str) -> String {
    let model = &compiled.model;
    let lines = match model.names.get(name) {
        Some(Entity::State(id)) => {
            let state = model.states.get(id.index());
            let governed = state.filter(|state| !state.is_algebraic);
            governed.map_or_else(Vec::new, |state| of_state(compiled, state, Form::Plain))
        }
        Some(Entity::Definition(id)) => {
            let definition = model.definitions.get(id.index());
            let flux = definition.filter(|known| known.kind == DefinitionKind::Flux);
            flux.map_or_else(Vec::new, |flux| {
                vec![(flux.name.clone(), print(model, flux.value, Form::Plain))]
            })
        }
        _ => Vec::new(),
    };
    aligned(&lines, Form::Plain)
}

/// dx = f dt + g dW, for a paper.
fn stochastic(compiled: &Compiled) -> String {
    let model = &compiled.model;
    let (pool, found) = system::noise_terms(model);
    let text = |expr: Expr| model.print(&pool, expr, Notation::Latex);
    let mut lines = Vec::new();
    for known in &found {
        let state = &model.states[known.state];
        if state.is_algebraic {
            continue;
        }
        let parts = match pool.node(known.drift) {
            Node::Stack(elements, Shape::Vector(_)) => elements.to_vec(),
            _ => vec![known.drift],
        };
        let whole = parts.len() == 1;
        for (at, drift) in parts.iter().take(MOST_ELEMENTS).enumerate() {
            let name = if whole {
                state.name.clone()
            } else {
                element_label(compiled, state, at)
            };
            let mut right = format!("\\left( {} \\right) dt", text(*drift));
            for (wiener, term) in &known.terms {
                let term = match (whole, pool.node(*term)) {
                    (false, Node::Stack(elements, _)) => elements.get(at).copied(),
                    _ => Some(*term),
                };
                let Some(term) = term.filter(|term| !pool.is_zero(*term)) else {
                    continue;
                };
                let wiener = &model.wieners[*wiener];
                let sense = match wiener.calculus {
                    Calculus::Ito => "d",
                    Calculus::Stratonovich => "\\circ d",
                };
                let motion = symbolic::latex_name(&wiener.name);
                let increment = format!("{}{}", system::NoiseTerm::INCREMENT, wiener.name);
                let increment = symbolic::latex_name(&increment);
                let term = text(term).replace(&increment, &format!("{sense} {motion}"));
                right.push_str(" + ");
                right.push_str(&term);
            }
            lines.push((format!("d {}", symbolic::latex_name(&name)), right));
        }
    }
    lines.extend(interruptions::constraints(model, Form::Latex));
    for definition in &model.definitions {
        let is_derivative = definition.kind == crate::model::DefinitionKind::Derivative;
        if !is_derivative && !model.names.is_noisy(definition.symbol) {
            let name = symbolic::latex_name(&definition.name);
            lines.push((name, print(model, definition.value, Form::Latex)));
        }
    }
    aligned(&lines, Form::Latex)
}

/// What the equation of a state says: its derivative, or its next value.
fn left_name(name: &str, motion: Motion, form: Form) -> String {
    match form {
        Form::Plain if motion == Motion::Map => format!("next {name}"),
        Form::Latex if motion == Motion::Map => next_latex(name),
        Form::Plain => format!("{name}'"),
        Form::Latex => format!("\\frac{{d {}}}{{dt}}", symbolic::latex_name(name)),
    }
}

fn element_label(compiled: &Compiled, state: &State, element: usize) -> String {
    if state.indices.is_empty() {
        format!("{}[{}]", state.name, element + 1)
    } else {
        compiled
            .model
            .element_name(&state.name, &state.indices, element)
    }
}

/// `left = right`, with the equal signs below each other.
fn aligned(lines: &[(String, String)], form: Form) -> String {
    if form == Form::Latex {
        let body: Vec<String> = lines
            .iter()
            .map(|(left, right)| format!("  {left} &= {right}"))
            .collect();
        return format!(
            "\\begin{{align}}\n{}\n\\end{{align}}\n",
            body.join(" \\\\\n")
        );
    }
    let widest = lines
        .iter()
        .map(|(left, _)| left.chars().count())
        .max()
        .unwrap_or(0);
    // Equal signs far to the right are no help to the eye.
    let width = if widest > FURTHEST { 0 } else { widest };
    lines
        .iter()
        .map(|(left, right)| {
            if left.is_empty() {
                format!("{right}\n")
            } else {
                format!("{left:width$} = {right}\n")
            }
        })
        .collect()
}

fn reactions(compiled: &Compiled, form: Form) -> String {
    let model = &compiled.model;
    if model.reactions.is_empty() {
        return "the model has no reactions\n".to_owned();
    }
    let mut text = String::new();
    for reaction in model.reactions.iter().take(MOST_LINES) {
        let arrow = if reaction.reversible { "<->" } else { "->" };
        let name = reaction
            .name
            .as_ref()
            .map_or(String::new(), |name| format!("{name}: "));
        text.push_str(&format!(
            "{name}{} {arrow} {}, flux {}\n",
            side(compiled, &reaction.reactants),
            side(compiled, &reaction.products),
            print(model, reaction.flux, form)
        ));
    }
    if model.reactions.len() > MOST_LINES {
        text.push_str(&format!(
            "... {} more reactions\n",
            model.reactions.len() - MOST_LINES
        ));
    }
    text
}

fn side(compiled: &Compiled, participants: &[Participant]) -> String {
    if participants.is_empty() {
        return "0".to_owned();
    }
    let terms: Vec<String> = participants
        .iter()
        .map(|participant| {
            let name = species_name(
                compiled,
                &compiled.model.states[participant.species.index()],
                participant.element,
            );
            with_coefficient(participant.coefficient, &name, " ")
        })
        .collect();
    terms.join(" + ")
}

#[expect(clippy::float_cmp, reason = "coefficients as written")]
fn with_coefficient(coefficient: f64, name: &str, between: &str) -> String {
    if coefficient == 1.0 {
        name.to_owned()
    } else {
        format!("{}{between}{name}", number(coefficient, DIGITS))
    }
}

pub(super) fn species_name(compiled: &Compiled, state: &State, element: u32) -> String {
    let block = compiled.model.pool.symbol_data(state.symbol).shape;
    if block == Shape::Scalar {
        state.name.clone()
    } else {
        element_label(compiled, state, element as usize)
    }
}

fn jacobian(compiled: &Compiled, form: Form) -> String {
    let system = &compiled.system;
    let mut lines = Vec::new();
    for block in &system.jacobian.blocks {
        block_lines(compiled, block, form, &mut lines);
        if lines.len() > MOST_LINES {
            lines.push((String::new(), "... and more".to_owned()));
            break;
        }
    }
    if lines.is_empty() {
        return "the Jacobian is zero\n".to_owned();
    }
    let mut text = aligned(&lines, form);
    if form == Form::Plain {
        let n = system.dimension();
        let entries = system.jacobian.pattern.len();
        text.push_str(&format!(
            "{entries} of {} entries can be other than zero\n",
            n.saturating_mul(n)
        ));
    }
    text
}

/// The symbolic Jacobian where each entry fits a line; empty otherwise.
pub(super) fn short_jacobian(compiled: &Compiled, width: usize) -> String {
    let mut lines = Vec::new();
    for block in &compiled.system.jacobian.blocks {
        block_lines(compiled, block, Form::Plain, &mut lines);
    }
    let fits =
        |(left, right): &(String, String)| words::width(left) + words::width(right) + 3 <= width;
    if !lines.iter().all(fits) {
        return String::new();
    }
    aligned(&lines, Form::Plain)
}

/// A whole operator on one line; a sparse block entry by entry.
fn block_lines(
    compiled: &Compiled,
    block: &system::JacobianBlock,
    form: Form,
    lines: &mut Vec<(String, String)>,
) {
    let (system, model) = (&compiled.system, &compiled.model);
    let (row, column) = (&model.states[block.row], &model.states[block.column]);
    let partial = |row: &str, column: &str| partial(row, column, model.motion, form);
    let Operator::Entries { entries, .. } = &block.operator else {
        let operator = model.print_operator(&system.pool, &block.operator, notation(form));
        lines.push((partial(&row.name, &column.name), operator));
        return;
    };
    let name = |state: &State, at: u32| species_name(compiled, state, at);
    for (at, (i, j, expr)) in entries.iter().enumerate() {
        if at == 3 * MOST_ELEMENTS {
            let more = entries.len() - at;
            lines.push((String::new(), format!("... {more} more entries")));
            return;
        }
        let left = partial(&name(row, *i), &name(column, *j));
        lines.push((left, model.print(&system.pool, *expr, notation(form))));
    }
}

/// `w_{n+1}`
fn next_latex(name: &str) -> String {
    symbolic::latex_name(&format!("next {name}"))
}

fn partial(row: &str, column: &str, motion: Motion, form: Form) -> String {
    match form {
        Form::Plain if motion == Motion::Map => format!("d(next {row})/d({column})"),
        Form::Latex if motion == Motion::Map => format!(
            "\\frac{{\\partial {}}}{{\\partial {}}}",
            next_latex(row),
            symbolic::latex_name(&format!("now {column}"))
        ),
        Form::Plain => format!("d({row}')/d({column})"),
        Form::Latex => format!(
            "\\frac{{\\partial \\dot{{{}}}}}{{\\partial {}}}",
            symbolic::latex_name(row),
            symbolic::latex_name(column)
        ),
    }
}

fn conserved(compiled: &Compiled, initial: &[f64], parameters: &[f64], width: usize) -> String {
    let laws = system::conservation_laws(&compiled.model);
    if laws.is_empty() {
        return "no linear combination of amounts is conserved by the reactions\n".to_owned();
    }
    let mut lines = Vec::new();
    for law in &laws {
        let mut total = 0.0;
        let mut left = String::new();
        for term in &law.terms {
            let name = species_name(
                compiled,
                &compiled.model.states[term.species.index()],
                term.element,
            );
            let block = compiled.system.states.blocks()[term.species.index()];
            let mut size = term.coefficient * initial[block.offset + term.element as usize];
            let shown = match term.compartment {
                Some(volume) if !law.same_compartment => {
                    let block = compiled.system.parameters.blocks()[volume.index()];
                    size *= parameters[block.offset];
                    format!("{name}*{}", compiled.model.parameters[volume.index()].name)
                }
                _ => name,
            };
            total += size;
            let sign = match (left.is_empty(), term.coefficient < 0.0) {
                (true, false) => "",
                (true, true) => "-",
                (false, false) => " + ",
                (false, true) => " - ",
            };
            left.push_str(sign);
            left.push_str(&with_coefficient(term.coefficient.abs(), &shown, "*"));
        }
        lines.push((left, number(total, DIGITS)));
    }
    wrapped(&aligned(&lines, Form::Plain), width)
}

/// Each line broken at spaces where it is too long.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    let lines = text.lines();
    lines
        .map(|line| words::wrapped(line, width, "    ") + "\n")
        .collect()
}
