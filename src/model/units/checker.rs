//! What the checks of units share: the units of names, the unknowns, and what has been found.
//!
//! Enters: names with their declared units. Leaves: terms for names and for units as written, and
//! diagnostics. Must not know statements.

use super::super::names::{Entity, Names};
use super::measure::{Registry, TemperatureScale};
use super::messages::{self, Found, Join};
use super::solve::{Difference, Role, Store};
use super::term::{Exponent, Term};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree;
use rustc_hash::{FxHashMap, FxHashSet};

/// The unit of a named quantity.
#[derive(Debug, Clone)]
pub struct Quantity {
    /// Known, or an unknown.
    pub term: Term,
    /// It is written in the declaration.
    pub is_declared: bool,
}

/// The units of a model: those of its quantities, and what units there are.
#[derive(Debug, Clone, Default)]
pub struct Units {
    pub(super) registry: Registry,
    pub(super) store: Store,
    pub(super) quantities: FxHashMap<String, Quantity>,
    pub(super) time: Term,
    /// Where it is declared.
    pub(super) time_at: Option<Span>,
    /// The units of observables.
    pub(super) observed: FxHashMap<String, Term>,
    /// The compartment of each species that lies in one.
    pub(super) volumes: FxHashMap<String, String>,
    /// Own units that were refused: their uses are not reported again.
    pub(super) refused: FxHashSet<String>,
}

impl Units {
    /// The unit of a quantity as it stands in brackets, when it is known; with the word whether it was
    /// declared or found out.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<(String, bool)> {
        let quantity = self.quantities.get(name)?;
        let term = self.store.resolve(&quantity.term);
        let known = term.is_known();
        known.then(|| (term.text(&self.registry), quantity.is_declared))
    }

    /// The unit of what data of this name are: of an observable, else of the quantity.
    #[must_use]
    pub fn of_data(&self, name: &str) -> Option<String> {
        match self.observed.get(name) {
            Some(term) => self.text_of(term),
            None => self.of(name).map(|(unit, _)| unit),
        }
    }

    /// The unit of an amount of a species: of its concentration times the volume.
    #[must_use]
    pub fn of_amount(&self, name: &str) -> Option<String> {
        let own = &self.quantities.get(name)?.term;
        let volume = match self.volumes.get(name) {
            Some(volume) => self.quantities.get(volume)?.term.clone(),
            None => Term::one(),
        };
        self.text_of(&own.clone().times(&volume, 1.0))
    }

    fn text_of(&self, term: &Term) -> Option<String> {
        let term = self.store.resolve(term);
        term.is_known().then(|| term.text(&self.registry))
    }

    /// The unit of time, when it is known.
    #[must_use]
    pub fn of_time(&self) -> Option<String> {
        let term = self.store.resolve(&self.time);
        (term.is_known() && !term.is_empty()).then(|| term.text(&self.registry))
    }
}

/// A name that holds inside a function or a loop only.
#[derive(Debug, Clone)]
pub(super) enum Local {
    /// A number without unit: it fits anywhere, at each place anew.
    Number(f64),
    /// An argument of a function: its unit, and what it is as an exponent.
    Argument(Term, Option<Exponent>),
}

/// Names that hold inside a function or a loop only.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    locals: Vec<(String, Local)>,
}

impl Scope {
    /// This scope with one more name.
    pub fn with(&self, name: &str, local: Local) -> Scope {
        let mut scope = self.clone();
        scope.locals.push((name.to_owned(), local));
        scope
    }

    pub fn get(&self, name: &str) -> Option<&Local> {
        let mut locals = self.locals.iter().rev();
        locals
            .find(|(known, _)| known == name)
            .map(|(_, local)| local)
    }
}

/// What is needed somewhere.
#[derive(Debug, Clone)]
pub(super) struct Needed {
    pub term: Term,
    /// Where this can be seen.
    pub span: Span,
    /// What is there: "`C1` changes by"; the unit follows.
    pub what: String,
}

/// The numbers of a product, which may stand for a unit.
#[derive(Debug, Clone)]
pub(super) struct Coefficient {
    pub own: Term,
    pub value: f64,
    pub rest: Term,
    pub span: Span,
}

pub(super) struct Checker<'a> {
    pub names: &'a Names,
    pub units: Units,
    pub diagnostics: Vec<Diagnostic>,
    pub coefficients: Vec<Coefficient>,
    /// How many more calls of functions are looked into.
    pub calls_left: usize,
    /// Expressions within expressions.
    pub depth: usize,
    /// Where the functions are called whose bodies are being looked at, the outermost first.
    pub calls: Vec<Span>,
}

/// A model whose functions call functions more often than this is checked in part.
pub(super) const MOST_CALLS: usize = 20_000;

impl<'a> Checker<'a> {
    pub fn new(names: &'a Names, units: Units) -> Checker<'a> {
        Checker {
            names,
            units,
            diagnostics: Vec::new(),
            coefficients: Vec::new(),
            calls_left: MOST_CALLS,
            depth: 0,
            calls: Vec::new(),
        }
    }

    pub fn fresh(&mut self, role: Role) -> Term {
        self.units.store.fresh_term(role)
    }

    pub fn resolve(&self, term: &Term) -> Term {
        self.units.store.resolve(term)
    }

    pub fn text(&self, term: &Term) -> String {
        self.resolve(term).text(&self.units.registry)
    }

    pub fn report(&mut self, diagnostic: Diagnostic) {
        let diagnostic = match self.calls.first() {
            Some(call) => diagnostic.at(*call, "called here"),
            None => diagnostic,
        };
        // A function's body is read anew at each call: say each thing once.
        let place = |known: &Diagnostic| known.labels.first().map(|label| label.span);
        let said = self
            .diagnostics
            .iter()
            .any(|known| known.code == diagnostic.code && place(known) == place(&diagnostic));
        if !said {
            self.diagnostics.push(diagnostic);
        }
    }

    /// The unit of a named quantity; what is not known is reported elsewhere.
    pub fn quantity(&mut self, name: &str) -> Term {
        if self.names.get(name) == Some(Entity::Time) {
            return self.units.time.clone();
        }
        match self.units.quantities.get(name) {
            Some(known) if !self.names.is_disputed(name) => known.term.clone(),
            _ => self.fresh(Role::Fault),
        }
    }

    /// A unit as written.
    pub fn written(&mut self, unit: &tree::Unit) -> Term {
        let mut term = Term::one();
        let is_alone = matches!(unit.factors.as_slice(), [only] if only.exponent == 1.0);
        for factor in &unit.factors {
            let name = &factor.name.text;
            let Some(mut id) = self.units.registry.unit(name) else {
                if !self.units.refused.contains(name) {
                    let near = self.units.registry.closest(name);
                    self.report(messages::unknown_unit(&factor.name, near));
                }
                return self.fresh(Role::Fault);
            };
            // `J/degC` is about differences.
            if let Some(scale) = self.units.registry.measure(id).zero()
                && !is_alone
                && let Some(of_differences) = self.units.registry.of_differences(scale)
            {
                id = of_differences;
            }
            term = term.times(&Term::unit(id), factor.exponent);
        }
        term
    }

    /// The scale of temperature from whose zero a quantity is counted.
    pub fn zero(&self, term: &Term) -> Option<TemperatureScale> {
        let id = self.resolve(term).only_unit()?;
        self.units.registry.measure(id).zero()
    }

    /// The unit of differences of a quantity: kelvin for degrees Celsius.
    pub fn difference_of(&mut self, term: &Term) -> Term {
        let scale = self.zero(term);
        match scale.and_then(|scale| self.units.registry.of_differences(scale)) {
            Some(id) => Term::unit(id),
            None => term.clone(),
        }
    }

    /// The unit of a quantity's change in time.
    pub fn rate_of(&mut self, term: &Term, order: u8) -> Term {
        let time = self.units.time.clone();
        self.difference_of(term).times(&time, -f64::from(order))
    }

    /// Makes two terms equal without a word.
    pub fn equate(&mut self, left: &Term, right: &Term, place: Span) -> Result<(), Difference> {
        let units = &mut self.units;
        units
            .store
            .equate(&units.registry, left, right, Some(place))
    }

    /// What stands somewhere must be in the unit that is needed there.
    pub fn agree(
        &mut self,
        needed: &Needed,
        found: &Term,
        written: &tree::Expr,
        join: Join,
    ) -> bool {
        let Err(difference) = self.equate(&needed.term, found, written.span) else {
            return true;
        };
        let found = Found {
            term: found.clone(),
            written,
        };
        let diagnostic = messages::mismatch(self, needed, &found, &difference, join);
        self.report(diagnostic);
        false
    }

    /// A number without unit is needed, as by the function `by`.
    pub fn need_number(&mut self, found: &Term, written: &tree::Expr, (message, by): (&str, &str)) {
        let Err(difference) = self.equate(&Term::one(), found, written.span) else {
            return;
        };
        let text = self.text(found);
        let help = match difference {
            Difference::Factor(factor) => format!(
                "{}: {}",
                messages::fact(1.0 / factor, &text, "1"),
                messages::times(written, 1.0 / factor)
            ),
            _ if by.starts_with("log") => {
                let shown = messages::short(written).unwrap_or_else(|| "x".to_owned());
                format!("take the logarithm of a ratio: `{by}({shown}/1 [{text}])`")
            }
            _ => format!("divide it by a quantity in [{text}], or by a value: `.../1 [{text}]`"),
        };
        let diagnostic = Diagnostic::new(Code::NotPure, message)
            .at(written.span, format!("this is in [{text}]"))
            .help(help);
        let diagnostic = messages::with_inferred(self, diagnostic, written);
        self.report(diagnostic);
    }

    /// Numbers of products that had to stand for a factor of units and do not look like one.
    pub fn finish_coefficients(&mut self) {
        /// Just below ten: to be wrong by a factor of ten is the slip of a prefix.
        const TENFOLD: f64 = 10.0 * (1.0 - 1e-9);
        for coefficient in std::mem::take(&mut self.coefficients) {
            let own = self.resolve(&coefficient.own);
            let Some(measure) = own.measure(&self.units.registry) else {
                self.pure_if_alone(&coefficient, &own);
                continue;
            };
            let Some(factor) = measure.factor().filter(|factor| *factor != 1.0) else {
                continue;
            };
            let effect = (coefficient.value * factor).abs();
            // A number that converts and halves or doubles as well is within reason.
            if !effect.is_finite() || effect == 0.0 || (1.0 / TENFOLD..=TENFOLD).contains(&effect) {
                continue;
            }
            let (rest, whole) = (
                self.text(&coefficient.rest),
                self.text(&coefficient.own.clone().times(&coefficient.rest, 1.0)),
            );
            let diagnostic = Diagnostic::new(
                Code::UnitMismatch,
                format!("[{rest}] stands where [{whole}] is needed"),
            )
            .at(coefficient.span, format!("its units make [{rest}]"))
            .help(format!(
                "{}: {}",
                messages::fact(1.0 / factor, &rest, &whole),
                messages::by(1.0 / factor)
            ));
            self.diagnostics.push(diagnostic);
        }
    }

    /// A coefficient that nothing speaks against is a number without unit, where this settles the unit
    /// of a named quantity.
    fn pure_if_alone(&mut self, coefficient: &Coefficient, own: &Term) {
        let mut unknowns = own.unknowns();
        let (Some((id, _)), None) = (unknowns.next(), unknowns.next()) else {
            return;
        };
        if self.units.store.role(id) == Role::Quantity && self.resolve(&self.units.time).is_known()
        {
            let _ = self.equate(&coefficient.own, &Term::one(), coefficient.span);
        }
    }
}
