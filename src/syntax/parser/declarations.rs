//! Declarations: everything that begins with a declaration word and is no interruption.
//!
//! Enters: a statement and its first word. Leaves: a [`StatementKind`]. Must not know which clause
//! may stand with which word: that is the model's business.

use super::{Reader, Rule};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::show_expression;
use crate::syntax::tree::{
    Bounds, Calculus, Declaration, DeclareKind, Expr, ExprKind, IndexSet, OwnUnit, Reference,
    StatementKind, Unit,
};
use pest::iterators::{Pair, Pairs};

/// The only language version there is.
const VERSION: u32 = 1;

impl Reader<'_> {
    /// A statement that begins with the declaration word `word`.
    pub(super) fn declaration(&self, word: &str, head: bool) -> Option<StatementKind> {
        match word {
            "lotka" => self.version(),
            "model" => self.model(),
            "time" => self.time(),
            "unit" => self.own_units(),
            "param" | "state" | "species" | "compartment" => self.declare(),
            "let" => self.let_line(),
            "fn" => self.function(),
            "assert" => self.assertion(),
            "wiener" | "stratonovich" => self.wiener(),
            "noise" => self.noise(),
            "index" => self.index(),
            "covariate" => self.covariate(),
            "observe" => self.observe(),
            "input" => self.input(),
            "use" => self.use_line(),
            "allow" => self.allow(),
            _ => self.interruption(word, head),
        }
    }

    fn version(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::version_line)?;
        let literal = inner
            .into_iter()
            .find(|part| part.as_rule() == Rule::literal)?;
        if literal.as_str().parse() != Ok(VERSION) {
            let message = format!("there is no language version {}", literal.as_str());
            let problem = Diagnostic::new(Code::BadVersion, message)
                .at(self.span_of(&literal), "this program knows version 1")
                .help("write `lotka 1`");
            self.problem(problem);
        }
        Some(StatementKind::Version(VERSION))
    }

    fn model(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::model_line)?;
        let name = self.names(inner).into_iter().next()?;
        Some(StatementKind::Model(name))
    }

    fn time(&self) -> Option<StatementKind> {
        let (mut unit, mut from) = (None, None);
        for part in self.entry(Rule::time_line)? {
            match part.as_rule() {
                Rule::unit => unit = Some(self.unit(part)),
                Rule::simple => from = Some(self.simple(part)),
                _ => {}
            }
        }
        Some(StatementKind::Time { unit, from })
    }

    fn own_units(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::unit_line)?;
        let items = inner.filter(|part| part.as_rule() == Rule::unit_item);
        let items: Option<Vec<OwnUnit>> = items.map(|part| self.own_unit(part)).collect();
        Some(StatementKind::Unit(items?))
    }

    fn own_unit(&self, pair: Pair<'_, Rule>) -> Option<OwnUnit> {
        let span = self.span_of(&pair);
        let inner = pair.into_inner();
        let name = self.names(inner.clone()).into_iter().next()?;
        let mut values = inner.filter(|part| part.as_rule() == Rule::item_value);
        let (value, unit) = match values.next() {
            Some(value) => self.value_with_unit(value.into_inner()),
            None => (None, None),
        };
        Some(OwnUnit {
            span,
            name,
            value,
            unit,
        })
    }

    fn declare(&self) -> Option<StatementKind> {
        let mut kind = DeclareKind::Parameter;
        let mut items = Vec::new();
        for part in self.entry(Rule::declare_line)? {
            match part.as_rule() {
                Rule::declare_word => {
                    kind = match part.as_str() {
                        "state" => DeclareKind::State,
                        "species" => DeclareKind::Species,
                        "compartment" => DeclareKind::Compartment,
                        _ => DeclareKind::Parameter,
                    }
                }
                Rule::item => items.extend(self.item(part)),
                _ => {}
            }
        }
        Some(StatementKind::Declare { kind, items })
    }

    fn item(&self, pair: Pair<'_, Rule>) -> Option<Declaration> {
        let span = self.span_of(&pair);
        let mut parts = pair.into_inner();
        let (name, primes) = self.declared(parts.next()?);
        let mut item = Declaration {
            span,
            name,
            primes,
            compartment: None,
            unit: None,
            value: None,
            bounds: None,
            atol: None,
            prior: None,
            mask: None,
            penalty: None,
        };
        for part in parts {
            self.clause(part, &mut item);
        }
        Some(item)
    }

    fn clause(&self, part: Pair<'_, Rule>, item: &mut Declaration) {
        let span = self.span_of(&part);
        let rule = part.as_rule();
        match rule {
            Rule::unit => {
                let unit = self.unit(part);
                self.set(&mut item.unit, unit, "unit", span);
            }
            Rule::item_in => self.in_clause(part, item),
            Rule::item_value => {
                let (value, unit) = self.value_with_unit(part.into_inner());
                if let Some(value) = value {
                    let compares = item.mask.as_ref().filter(|_| item.value.is_some());
                    if let Some(mask) = compares {
                        self.problem(compared_by_one_sign(mask, &value, span));
                        return;
                    }
                    self.set(&mut item.value, value, "value", span);
                }
                if let Some(unit) = unit {
                    let span = unit.span;
                    self.set(&mut item.unit, unit, "unit", span);
                }
            }
            _ => {
                let Some(value) = self.only_simple(part.into_inner()) else {
                    return;
                };
                let (slot, what) = match rule {
                    Rule::atol => (&mut item.atol, "`atol`"),
                    Rule::prior => (&mut item.prior, "prior"),
                    Rule::mask => (&mut item.mask, "`mask`"),
                    _ => (&mut item.penalty, "`penalty`"),
                };
                self.set(slot, value, what, span);
            }
        }
    }

    /// `in central` or `in 0..10 log`
    fn in_clause(&self, part: Pair<'_, Rule>, item: &mut Declaration) {
        let span = self.span_of(&part);
        let parts = part.into_inner();
        let mut log = None;
        let mut start = span;
        let mut range_parts = parts.clone();
        for part in parts {
            match part.as_rule() {
                Rule::log_scale => log = Some(self.span_of(&part)),
                Rule::w_in => {
                    start.start = self.span_of(&part).end;
                    range_parts.next();
                }
                _ => {}
            }
        }
        let range = self.range_in(range_parts, start);
        let bounds = Span {
            start: range.span.start,
            ..span
        };
        match range.kind {
            ExprKind::Range { .. } => {
                let bounds = Bounds {
                    span: bounds,
                    range,
                    log,
                };
                self.set(&mut item.bounds, bounds, "range", span);
            }
            ExprKind::Reference(reference) if reference.indices.is_empty() && log.is_none() => {
                self.set(&mut item.compartment, reference.name, "compartment", span);
            }
            _ => {
                let problem =
                    Diagnostic::new(Code::Unexpected, "`in` needs a range or a compartment")
                        .at(bounds, "this is neither")
                        .help("write bounds as `in 0..10`");
                self.problem(problem);
            }
        }
    }

    /// Fills a slot once; a second time is a fault.
    fn set<T>(&self, slot: &mut Option<T>, value: T, what: &str, span: Span) {
        if slot.is_some() {
            let problem = Diagnostic::new(Code::Unexpected, format!("a second {what}"))
                .at(
                    span,
                    format!("this declaration has a {what} already").replace("a `", "`"),
                )
                .help("remove one of them");
            self.problem(problem);
        }
        *slot = Some(value);
    }

    /// The value after `=` and the unit at its end, which belongs to the whole value.
    fn value_with_unit(&self, parts: Pairs<'_, Rule>) -> (Option<Expr>, Option<Unit>) {
        for part in parts {
            if part.as_rule() == Rule::simple {
                let end = self.span_of(&part).end;
                let mut value = self.simple(part);
                let unit = take_last_unit(&mut value, end);
                return (Some(value), unit);
            }
        }
        (None, None)
    }

    fn let_line(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::let_line)?;
        let mut name = None;
        let mut unit = None;
        let (value, value_unit) = self.value_with_unit(inner.clone());
        for part in inner {
            match part.as_rule() {
                Rule::reference => name = Some(self.declared_reference(part)),
                Rule::unit => {
                    let span = self.span_of(&part);
                    let found = self.unit(part);
                    self.set(&mut unit, found, "unit", span);
                }
                _ => {}
            }
        }
        if let Some(found) = value_unit {
            let span = found.span;
            self.set(&mut unit, found, "unit", span);
        }
        Some(StatementKind::Let {
            name: name?,
            unit,
            value: value?,
        })
    }

    fn function(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::function_line)?;
        let mut names = self.names(inner.clone()).into_iter();
        Some(StatementKind::Function {
            name: names.next()?,
            parameters: names.collect(),
            body: self.only_simple(inner)?,
        })
    }

    fn assertion(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::assert_line)?;
        Some(StatementKind::Assert(self.only_simple(inner)?))
    }

    fn wiener(&self) -> Option<StatementKind> {
        let mut calculus = Calculus::Ito;
        let mut names = Vec::new();
        for part in self.entry(Rule::wiener_line)? {
            match part.as_rule() {
                Rule::wiener_word if part.as_str() == "stratonovich" => {
                    calculus = Calculus::Stratonovich;
                }
                Rule::reference => names.push(self.declared_reference(part)),
                _ => {}
            }
        }
        Some(StatementKind::Wiener { calculus, names })
    }

    fn noise(&self) -> Option<StatementKind> {
        let mut kind = None;
        let mut bindings = Vec::new();
        for part in self.entry(Rule::noise_line)? {
            match part.as_rule() {
                Rule::name => kind = Some(self.any_name(&part)),
                Rule::bindings => bindings = self.bindings(part),
                _ => {}
            }
        }
        Some(StatementKind::Noise {
            kind: kind?,
            bindings,
        })
    }

    fn index(&self) -> Option<StatementKind> {
        let mut name = None;
        let mut set = None;
        for part in self.entry(Rule::index_line)? {
            match part.as_rule() {
                Rule::name => name = Some(self.declared_name(&part)),
                Rule::labels => set = Some(IndexSet::Labels(self.names(part.into_inner()))),
                Rule::ranged => set = Some(IndexSet::Range(self.ranged(part))),
                Rule::from_data => set = Some(IndexSet::Data(self.options(part.into_inner()))),
                _ => {}
            }
        }
        Some(StatementKind::Index {
            name: name?,
            set: set?,
        })
    }

    fn allow(&self) -> Option<StatementKind> {
        let mut lists = self
            .entry(Rule::allow_line)?
            .filter(|part| part.as_rule() == Rule::allowed)
            .map(|list| {
                let words = list.into_inner();
                let words = words.filter(|part| part.as_rule() == Rule::any_word);
                words.map(|word| self.any_name(&word)).collect()
            });
        Some(StatementKind::Allow {
            codes: lists.next()?,
            of: lists.next().unwrap_or_default(),
        })
    }

    fn covariate(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::covariate_line)?;
        let items = inner.clone();
        let items = items.filter(|part| part.as_rule() == Rule::covariate_item);
        Some(StatementKind::Covariate {
            items: items.filter_map(|item| self.item(item)).collect(),
            options: self.options_in(inner),
        })
    }

    fn input(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::input_line)?;
        let (name, unit) = self.name_and_unit(inner.clone());
        Some(StatementKind::Input {
            name: name?,
            unit,
            options: self.options_in(inner),
        })
    }

    fn observe(&self) -> Option<StatementKind> {
        let inner = self.entry(Rule::observe_line)?;
        let (name, unit) = self.name_and_unit(inner.clone());
        Some(StatementKind::Observe {
            name: name?,
            unit,
            distribution: self.only_simple(inner)?,
        })
    }

    /// `use "hill.lotka"` and `cell1: use "cell.lotka" (k = 3)`
    pub(super) fn use_line(&self) -> Option<StatementKind> {
        let (mut instance, mut path, mut bindings) = (None, None, Vec::new());
        for part in self.entry(Rule::use_line)? {
            match part.as_rule() {
                Rule::name => instance = Some(self.declared_name(&part)),
                Rule::text => path = Some(self.text_of(&part)),
                Rule::bindings => bindings = self.bindings(part),
                _ => {}
            }
        }
        Some(StatementKind::Use {
            instance,
            path: path?,
            bindings,
        })
    }

    // ---- shared by declarations ----

    fn name_and_unit(&self, parts: Pairs<'_, Rule>) -> (Option<Reference>, Option<Unit>) {
        let (mut name, mut unit) = (None, None);
        for part in parts {
            match part.as_rule() {
                Rule::reference => name = Some(self.declared_reference(part)),
                Rule::unit => unit = Some(self.unit(part)),
                _ => {}
            }
        }
        (name, unit)
    }

    /// `Rule::reference` where the name is declared.
    pub(super) fn declared_reference(&self, pair: Pair<'_, Rule>) -> Reference {
        self.declared(pair).0
    }

    fn declared(&self, pair: Pair<'_, Rule>) -> (Reference, u8) {
        let path = pair.clone().into_inner().next();
        let (reference, primes) = self.primed(pair);
        if let Some(path) = path {
            self.check_declared(&reference.name, path.as_str());
        }
        (reference, primes)
    }

    /// All `Rule::name` parts, which are declared here.
    pub(super) fn names(&self, parts: Pairs<'_, Rule>) -> Vec<crate::syntax::tree::Name> {
        parts
            .filter(|part| part.as_rule() == Rule::name)
            .map(|part| self.declared_name(&part))
            .collect()
    }

    /// The first `Rule::simple` part.
    pub(super) fn only_simple(&self, mut parts: Pairs<'_, Rule>) -> Option<Expr> {
        parts
            .find(|part| part.as_rule() == Rule::simple)
            .map(|part| self.simple(part))
    }
}

/// Takes the unit off the number that ends at byte `end` of the source, the end of the value: it
/// belongs to the value as a whole. A number in parentheses keeps its own. Spans stay as written.
fn take_last_unit(value: &mut Expr, end: u32) -> Option<Unit> {
    match &mut value.kind {
        ExprKind::Number { unit, .. } => unit.take_if(|unit| unit.span.end == end),
        ExprKind::Unary { operand, .. } => take_last_unit(operand, end),
        ExprKind::Binary { right, .. } => take_last_unit(right, end),
        ExprKind::If { otherwise, .. } => take_last_unit(otherwise, end),
        _ => None,
    }
}

/// `mask knockout = gene`, where a comparison was meant.
fn compared_by_one_sign(mask: &Expr, value: &Expr, span: Span) -> Diagnostic {
    let (left, right) = (show_expression(mask), show_expression(value));
    Diagnostic::new(Code::Unexpected, "a second value")
        .at(span, "this declaration has a value already")
        .help(format!(
            "a mask compares with `==`, as in `mask {left} == {right}`"
        ))
}
