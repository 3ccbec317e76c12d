//! Every name in a text with what it stands for: for editors, which find, colour and rename.
//!
//! Enters: a tree, which may lack faulty statements. Leaves: an [`Occurrence`] for each name, in
//! the order of the text. Must not know values; a name is bound by where it is declared in the
//! text, as the checker binds it: parameters of a function and loop variables first, then labels in
//! brackets, then the names of the model.

use super::declared_names::{DeclaredName, NameKind, declared_names};
use crate::source::Span;
use crate::syntax::tree::{
    Declaration, EquationLeft, Expr, ExprKind, File, IndexSet, Law, Name, Reaction, Reference,
    Sentence, SentenceOption, Statement, StatementKind, are_of_a_table,
};
use rustc_hash::FxHashMap;

/// What a name does where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It is declared here.
    Declares,
    /// An equation for it stands here.
    Governs,
    /// It is given a value here.
    Sets,
    /// It is called here.
    Calls,
    /// Its value is used here.
    Reads,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bound<'t> {
    /// What the text declares under this name.
    Model,
    /// The parameter of a function or the variable of a loop that is declared at this place.
    Local(Span),
    /// A member of this index set.
    Label(&'t str),
    /// Nothing that this text declares: a built-in function, a name from elsewhere, a mistake.
    Open,
}

/// A name where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence<'t> {
    /// As declared: without backquotes, primes and indices.
    pub name: &'t str,
    /// Where it stands, backquotes included.
    pub span: Span,
    /// What it does here.
    pub role: Role,
    /// What it stands for.
    pub bound: Bound<'t>,
    /// The sentence that it stands in.
    pub sentence: Option<InSentence<'t>>,
}

/// A place in a sentence. Some options take words rather than names, which the sentence's table
/// tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InSentence<'t> {
    /// `plot`
    pub verb: &'t str,
    /// `over`; nothing among the subjects.
    pub option: Option<&'t str>,
}

/// All names of a text in their order.
#[must_use]
pub fn occurrences(file: &File) -> Vec<Occurrence<'_>> {
    let mut known: FxHashMap<&str, DeclaredName<'_>> = FxHashMap::default();
    for declared in declared_names(file) {
        let entry = known.entry(&declared.name.text).or_insert(declared);
        // An observation may go by the name of what it observes.
        if entry.kind == NameKind::Observation {
            *entry = declared;
        }
    }
    let mut walk = Walk {
        known,
        locals: Vec::new(),
        sentence: None,
        found: Vec::new(),
    };
    walk.statements(&file.statements);
    walk.found
        .sort_by_key(|found| (found.span.start, found.span.end));
    walk.found
}

struct Walk<'t> {
    known: FxHashMap<&'t str, DeclaredName<'t>>,
    /// Parameters of the function and variables of the loops around, the innermost last.
    locals: Vec<&'t Name>,
    sentence: Option<InSentence<'t>>,
    found: Vec<Occurrence<'t>>,
}

impl<'t> Walk<'t> {
    fn push(&mut self, name: &'t str, span: Span, role: Role, bound: Bound<'t>) {
        let sentence = self.sentence;
        self.found.push(Occurrence {
            name,
            span,
            role,
            bound,
            sentence,
        });
    }

    fn local(&self, name: &str) -> Option<&'t Name> {
        let mut locals = self.locals.iter().rev();
        locals.find(|local| local.text == name).copied()
    }

    fn name(&mut self, name: &'t Name, role: Role) {
        if let Some(local) = self.local(&name.text) {
            return self.push(&name.text, name.span, role, Bound::Local(local.span));
        }
        if self.known.contains_key(name.text.as_str()) {
            return self.push(&name.text, name.span, role, Bound::Model);
        }
        self.instance(name);
        self.push(&name.text, name.span, role, Bound::Open);
    }

    /// `cell1` in `cell1.x`.
    fn instance(&mut self, name: &'t Name) {
        let Some((prefix, _)) = name.text.split_once('.') else {
            return;
        };
        let known = self.known.get(prefix);
        let is_bare = name.span.len() == name.text.len();
        if is_bare && known.is_some_and(|known| known.kind == NameKind::Instance) {
            let start = name.span.start as usize;
            let span = Span::new(name.span.source, start, start + prefix.len());
            self.push(prefix, span, Role::Reads, Bound::Model);
        }
    }

    fn reference(&mut self, reference: &'t Reference, role: Role) {
        self.name(&reference.name, role);
        let known = self.known.get(reference.name.text.as_str());
        let sets = known.map_or(&[] as &[Expr], |known| known.indices);
        let sets: Vec<Option<&'t str>> = sets.iter().map(set_name).collect();
        for (place, index) in reference.indices.iter().enumerate() {
            let set = sets.get(place).copied().flatten();
            self.index(index, set, role);
        }
    }

    /// One index: a label of the set when it has one of this name, else an expression.
    fn index(&mut self, index: &'t Expr, set: Option<&'t str>, role: Role) {
        if role != Role::Declares
            && let (Some(set), ExprKind::Reference(reference)) = (set, &index.kind)
            && reference.indices.is_empty()
            && self.local(&reference.name.text).is_none()
            && let Some(labels) = self.known.get(set).map(|known| known.labels)
            && labels.iter().any(|label| label.text == reference.name.text)
        {
            let name = &reference.name;
            return self.push(&name.text, name.span, Role::Reads, Bound::Label(set));
        }
        self.expr(index);
    }

    /// Expressions from text are bounded in depth, so they may be walked by recursion.
    fn expr(&mut self, expr: &'t Expr) {
        match &expr.kind {
            ExprKind::Reference(target)
            | ExprKind::Next(target)
            | ExprKind::Prime { target, .. } => self.reference(target, Role::Reads),
            ExprKind::Call {
                function,
                arguments,
            } => {
                self.reference(function, Role::Calls);
                for argument in arguments {
                    if let Some(name) = &argument.name {
                        self.argument_name(&function.name, name);
                    }
                    self.expr(&argument.value);
                }
            }
            _ => {
                let mut parts = Vec::new();
                expr.for_each_part(|part| parts.push(part));
                parts.into_iter().for_each(|part| self.expr(part));
            }
        }
    }

    /// `k` in `hill(x, k = 2)` is the parameter of the function.
    fn argument_name(&mut self, function: &Name, name: &'t Name) {
        let known = self.known.get(function.text.as_str());
        if let Some(StatementKind::Function { parameters, .. }) =
            known.map(|known| &known.statement.kind)
            && let Some(parameter) = parameters.iter().find(|known| known.text == name.text)
        {
            self.push(
                &name.text,
                name.span,
                Role::Sets,
                Bound::Local(parameter.span),
            );
        }
    }

    fn exprs(&mut self, all: impl IntoIterator<Item = &'t Expr>) {
        all.into_iter().for_each(|expr| self.expr(expr));
    }

    fn statements(&mut self, statements: &'t [Statement]) {
        statements
            .iter()
            .for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &'t Statement) {
        match &statement.kind {
            StatementKind::Version(_)
            | StatementKind::Model(_)
            | StatementKind::Unit(_)
            | StatementKind::NoDoses => {}
            StatementKind::Allow { of, .. } => {
                of.iter().for_each(|name| self.name(name, Role::Reads));
            }
            StatementKind::Time { from, .. } => self.exprs(from),
            StatementKind::Declare { items, .. } | StatementKind::Covariate { items, .. } => {
                items.iter().for_each(|item| self.declaration(item));
            }
            StatementKind::Let { name, value, .. } => {
                self.reference(name, Role::Declares);
                self.expr(value);
            }
            StatementKind::Function {
                name,
                parameters,
                body,
            } => {
                self.name(name, Role::Declares);
                self.within(parameters, |walk| walk.expr(body));
            }
            StatementKind::Assert(value) | StatementKind::Expression(value) => self.expr(value),
            StatementKind::Equation { left, right } => self.equation(left, right),
            StatementKind::Assign { target, value } => {
                self.reference(target, Role::Sets);
                self.expr(value);
            }
            StatementKind::Reaction(reaction) => self.reaction(reaction),
            StatementKind::Wiener { names, .. } => {
                names
                    .iter()
                    .for_each(|name| self.reference(name, Role::Declares));
            }
            StatementKind::Noise { bindings, .. } => {
                self.exprs(bindings.iter().map(|binding| &binding.value));
            }
            StatementKind::Index { name, set } => self.index_set(name, set),
            StatementKind::Observe {
                name, distribution, ..
            } => self.observation(name, distribution),
            StatementKind::Input { name, .. } => self.reference(name, Role::Declares),
            StatementKind::When { .. }
            | StatementKind::At { .. }
            | StatementKind::Every { .. }
            | StatementKind::Dose { .. } => self.interruption(&statement.kind),
            StatementKind::Condition { name, body } => {
                self.name(name, Role::Declares);
                self.statements(body);
            }
            StatementKind::For {
                variable,
                range,
                body,
            } => {
                self.expr(range);
                let local = std::slice::from_ref(variable);
                self.within(local, |walk| walk.statements(body));
            }
            StatementKind::Use {
                instance, bindings, ..
            } => {
                if let Some(instance) = instance {
                    self.name(instance, Role::Declares);
                }
                self.exprs(bindings.iter().map(|binding| &binding.value));
            }
            StatementKind::Sentence(sentence) => self.sentence(sentence),
        }
    }

    /// Declares local names for what `inside` walks over.
    fn within(&mut self, locals: &'t [Name], inside: impl FnOnce(&mut Walk<'t>)) {
        let before = self.locals.len();
        for local in locals {
            let bound = Bound::Local(local.span);
            self.push(&local.text, local.span, Role::Declares, bound);
        }
        self.locals.extend(locals);
        inside(self);
        self.locals.truncate(before);
    }

    fn declaration(&mut self, item: &'t Declaration) {
        self.reference(&item.name, Role::Declares);
        if let Some(compartment) = &item.compartment {
            self.name(compartment, Role::Reads);
        }
        self.exprs(&item.value);
        self.exprs(item.bounds.as_ref().map(|bounds| &bounds.range));
        self.exprs(&item.atol);
        self.exprs(&item.prior);
        self.exprs(&item.mask);
        self.exprs(&item.penalty);
    }

    fn equation(&mut self, left: &'t EquationLeft, right: &'t Expr) {
        if let Some(target) = left.target() {
            self.reference(target, Role::Governs);
        }
        self.expr(right);
    }

    fn reaction(&mut self, reaction: &'t Reaction) {
        if let Some(name) = &reaction.name {
            // Its index is no set but the number of one reaction.
            self.name(&name.name, Role::Declares);
            self.exprs(&name.indices);
        }
        for term in reaction.left.iter().chain(&reaction.right) {
            self.reference(&term.species, Role::Governs);
        }
        match &reaction.law {
            Law::MassAction { forward, backward } => {
                self.expr(forward);
                self.exprs(backward);
            }
            Law::Rate(rate) => self.expr(rate),
        }
    }

    fn index_set(&mut self, name: &'t Name, set: &'t IndexSet) {
        self.name(name, Role::Declares);
        match set {
            IndexSet::Labels(labels) => {
                for label in labels {
                    let bound = Bound::Label(&name.text);
                    self.push(&label.text, label.span, Role::Declares, bound);
                }
            }
            IndexSet::Range(range) => self.expr(range),
            IndexSet::Data(_) => {}
        }
    }

    fn observation(&mut self, name: &'t Reference, distribution: &'t Expr) {
        let known = self.known.get(name.name.text.as_str());
        let is_new = known.is_some_and(|known| known.kind == NameKind::Observation);
        self.reference(name, if is_new { Role::Declares } else { Role::Reads });
        self.expr(distribution);
    }

    fn interruption(&mut self, kind: &'t StatementKind) {
        match kind {
            StatementKind::When {
                condition,
                options,
                body,
            } => {
                self.expr(condition);
                self.clauses(options);
                self.statements(body);
            }
            StatementKind::At {
                times,
                options,
                body,
            } => {
                self.exprs(times);
                self.clauses(options);
                self.statements(body);
            }
            StatementKind::Every {
                period,
                options,
                body,
            } => {
                self.expr(period);
                self.clauses(options);
                self.statements(body);
            }
            StatementKind::Dose { amount, options } => {
                let before = self.found.len();
                self.expr(amount);
                if are_of_a_table(options) {
                    // The amount names a column: what is declared alone is a name.
                    let amount = self.found.split_off(before).into_iter();
                    self.found
                        .extend(amount.filter(|found| found.bound != Bound::Open));
                }
                self.clauses(options);
            }
            _ => {}
        }
    }

    /// What follows the head of an interruption; bindings map columns of a table.
    fn clauses(&mut self, options: &'t [SentenceOption]) {
        options.iter().for_each(|option| self.exprs(&option.values));
    }

    fn sentence(&mut self, sentence: &'t Sentence) {
        let verb = sentence.verb.text.as_str();
        self.sentence = Some(InSentence { verb, option: None });
        for subject in &sentence.subjects {
            self.expr(&subject.value);
            self.exprs(&subject.versus);
        }
        for option in &sentence.options {
            self.sentence = Some(InSentence {
                verb,
                option: Some(&option.word.text),
            });
            self.exprs(&option.values);
            let mut values = option.values.iter();
            let of_table = values.any(|value| matches!(value.kind, ExprKind::Text(_)));
            for binding in &option.bindings {
                // `(x = signal)` after a table: the model's name, then the column's.
                self.reference(&binding.name, Role::Sets);
                if !of_table {
                    self.expr(&binding.value);
                }
            }
        }
        self.sentence = None;
    }
}

/// The set of an index in a declaration: `gene` in `state y[gene]`.
fn set_name(index: &Expr) -> Option<&str> {
    match &index.kind {
        ExprKind::Reference(set) => Some(&set.name.text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;
    use crate::syntax::parse_file;

    /// `name@start role bound` of all names, but those that the text does not declare.
    fn found(text: &str) -> Vec<String> {
        let parsed = parse_file(SourceId(0), text);
        let all = occurrences(&parsed.file);
        let all = all.iter().filter(|found| found.bound != Bound::Open);
        let described = all.map(|found| {
            let bound = match found.bound {
                Bound::Local(at) => format!("local {}", at.start),
                Bound::Label(set) => format!("label of {set}"),
                _ => "model".to_owned(),
            };
            format!(
                "{}@{} {:?} {bound}",
                found.name, found.span.start, found.role
            )
        });
        described.collect()
    }

    #[test]
    fn locals_come_before_names_of_the_model() {
        assert_eq!(
            found("param x = 1\nfn f(x) = x + 1\nlet y = f(x = x)"),
            [
                "x@6 Declares model",
                "f@15 Declares model",
                "x@17 Declares local 17",
                "x@22 Reads local 17",
                "y@32 Declares model",
                "f@36 Calls model",
                "x@38 Sets local 17",
                "x@42 Reads model",
            ]
        );
    }

    #[test]
    fn labels_belong_to_the_set_of_their_place() {
        assert_eq!(
            found("index g = {A, B}\nstate y[g] = 0\nparam A = 1\ny[g]' = A*y[A]")[3..],
            [
                "y@23 Declares model",
                "g@25 Reads model",
                "A@38 Declares model",
                "y@44 Governs model",
                "g@46 Reads model",
                "A@52 Reads model",
                "y@54 Reads model",
                "A@56 Reads label of g",
            ]
        );
    }

    #[test]
    fn loops_reactions_and_sentences_are_walked() {
        let text = "species S = 1\nparam k = 1\nout: S -> 0, k\nfor i in 1..2 { k = i }\nplot S with k = 2";
        assert_eq!(
            found(text),
            [
                "S@8 Declares model",
                "k@20 Declares model",
                "out@26 Declares model",
                "S@31 Governs model",
                "k@39 Reads model",
                "i@45 Declares local 45",
                "k@57 Sets model",
                "i@61 Reads local 45",
                "S@70 Reads model",
                "k@77 Sets model",
            ]
        );
    }

    #[test]
    fn columns_of_tables_are_no_names() {
        let text = "param time_of = 1, day = 2\nstate x = 1\nx' = -day*x*time_of\nobserve x ~ normal(x, 1)\nfit day to \"d.csv\" (x = day)";
        let names = found(text);
        assert!(names.contains(&"x@78 Reads model".to_owned()), "{names:?}");
        assert!(
            names.last().is_some_and(|last| last.starts_with("x@")),
            "{names:?}"
        );
    }
}
