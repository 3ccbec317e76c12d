//! What a text declares, read off its tree alone, so that it is known while the text has faults.
//!
//! Enters: a tree. Leaves: one [`DeclaredName`] for each name, in the order of the text. Must not
//! know whether the declarations fit together: that is the checker's.

use crate::source::Span;
use crate::syntax::tree::{self, DeclareKind, IndexSet, StatementKind};

/// What a declared name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
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
    /// `let`
    Definition,
    /// `fn`
    Function,
    /// `index`
    IndexSet,
    /// `condition`
    Condition,
    /// `input`
    Input,
    /// `wiener` and `stratonovich`
    Wiener,
    /// The name before a reaction, which is its flux.
    Flux,
    /// `observe`
    Observation,
    /// The prefix of a module: `cell1: use "cell.lotka"`.
    Instance,
}

impl NameKind {
    /// What it is, without an article.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            NameKind::Parameter => "parameter",
            NameKind::State => "state",
            NameKind::Species => "species",
            NameKind::Compartment => "compartment",
            NameKind::Covariate => "covariate",
            NameKind::Definition => "definition",
            NameKind::Function => "function",
            NameKind::IndexSet => "index set",
            NameKind::Condition => "condition",
            NameKind::Input => "input",
            NameKind::Wiener => "Brownian motion",
            NameKind::Flux => "flux of a reaction",
            NameKind::Observation => "observation",
            NameKind::Instance => "instance of a module",
        }
    }
}

/// A name with its declaration.
#[derive(Debug, Clone, Copy)]
pub struct DeclaredName<'t> {
    /// Where and how it is written.
    pub name: &'t tree::Name,
    /// What it is.
    pub kind: NameKind,
    /// Its own part of the statement: one item of `param a = 1, b = 2`.
    pub span: Span,
    /// The statement that declares it.
    pub statement: &'t tree::Statement,
    /// The index sets of a vector or matrix.
    pub indices: &'t [tree::Expr],
    /// The labels of an index set that lists them.
    pub labels: &'t [tree::Name],
}

/// All declared names in the order of the text. A name may come more than once: as an observation of
/// what is declared elsewhere, as the flux of several indexed reactions, or by mistake.
#[must_use]
pub fn declared_names(file: &tree::File) -> Vec<DeclaredName<'_>> {
    let mut found = Vec::new();
    each_of(&file.statements, &mut found);
    found
}

fn each_of<'t>(statements: &'t [tree::Statement], found: &mut Vec<DeclaredName<'t>>) {
    for statement in statements {
        let mut add = |name: &'t tree::Reference, kind, span| {
            found.push(DeclaredName {
                name: &name.name,
                kind,
                span,
                statement,
                indices: &name.indices,
                labels: &[],
            });
        };
        match &statement.kind {
            StatementKind::Declare { kind, items } => {
                let kind = of_declaration(*kind);
                items
                    .iter()
                    .for_each(|item| add(&item.name, kind, item.span));
            }
            StatementKind::Covariate { items, .. } => {
                items
                    .iter()
                    .for_each(|item| add(&item.name, NameKind::Covariate, item.span));
            }
            StatementKind::Let { name, .. } => add(name, NameKind::Definition, statement.span),
            StatementKind::Input { name, .. } => add(name, NameKind::Input, statement.span),
            StatementKind::Observe { name, .. } => {
                add(name, NameKind::Observation, statement.span);
            }
            StatementKind::Wiener { names, .. } => {
                names
                    .iter()
                    .for_each(|name| add(name, NameKind::Wiener, name.span));
            }
            StatementKind::Reaction(reaction) => {
                if let Some(name) = &reaction.name {
                    add(name, NameKind::Flux, statement.span);
                }
            }
            // A loop declares nothing but the names of its reactions.
            StatementKind::For { body, .. } => each_of(body, found),
            _ => found.extend(without_index(statement)),
        }
    }
}

fn of_declaration(kind: DeclareKind) -> NameKind {
    match kind {
        DeclareKind::Parameter => NameKind::Parameter,
        DeclareKind::State => NameKind::State,
        DeclareKind::Species => NameKind::Species,
        DeclareKind::Compartment => NameKind::Compartment,
        DeclareKind::Covariate => NameKind::Covariate,
    }
}

/// What is declared by a bare name.
fn without_index(statement: &tree::Statement) -> Option<DeclaredName<'_>> {
    let mut labels: &[tree::Name] = &[];
    let (name, kind) = match &statement.kind {
        StatementKind::Function { name, .. } => (name, NameKind::Function),
        StatementKind::Condition { name, .. } => (name, NameKind::Condition),
        StatementKind::Index { name, set } => {
            if let IndexSet::Labels(known) = set {
                labels = known;
            }
            (name, NameKind::IndexSet)
        }
        StatementKind::Use {
            instance: Some(name),
            ..
        } => (name, NameKind::Instance),
        _ => return None,
    };
    Some(DeclaredName {
        name,
        kind,
        span: statement.span,
        statement,
        indices: &[],
        labels,
    })
}
