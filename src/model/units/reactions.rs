//! The units of reactions: mass action with its constants, free laws, amounts and concentrations.
//!
//! A flux is an amount per time. A species in a compartment is a concentration: it changes by the flux
//! over the volume; without a compartment it is the amount itself. So a constant of mass action is in
//! the flux over the product of the concentrations and the volume.

use super::checker::{Checker, Needed, Scope};
use super::measure::Measure;
use super::messages;
use super::solve::{Difference, Role};
use super::term::Term;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::tree::{self, Law};

impl Checker<'_> {
    pub(super) fn reaction(&mut self, scope: &Scope, reaction: &tree::Reaction) {
        let faults = self.diagnostics.len();
        let flux = match &reaction.law {
            Law::MassAction { forward, backward } => {
                let sides = (&reaction.left, &reaction.right);
                let flux = self.mass_action(scope, forward, sides.0, sides.1);
                if let Some(backward) = backward
                    && self.diagnostics.len() == faults
                {
                    self.mass_action(scope, backward, sides.1, sides.0);
                }
                flux
            }
            Law::Rate(rate) => {
                let Some(species) = changed(&reaction.left, &reaction.right).next() else {
                    return;
                };
                let flux = self.flux_of(species);
                let name = &species.species.name.text;
                let needed = Needed {
                    term: flux.clone(),
                    span: species.span,
                    what: match self.units.volumes.contains_key(name) {
                        true => format!("a flux is an amount per time: that of `{name}` is in"),
                        false => format!("`{name}` changes by"),
                    },
                };
                self.check(scope, rate, &needed);
                flux
            }
        };
        if self.diagnostics.len() == faults {
            self.all_changed(reaction, &flux);
        }
        if let Some(name) = &reaction.name {
            let known = self.quantity(&name.name.text);
            let _ = self.equate(&known, &flux, name.span);
        }
    }

    /// The amount of a species per time.
    fn flux_of(&mut self, species: &tree::Term) -> Term {
        let name = &species.species.name.text;
        let concentration = self.quantity(name);
        let volume = self.volume_of(name);
        self.rate_of(&concentration, 1).times(&volume, 1.0)
    }

    /// Checks the constant of one way; gives the flux.
    fn mass_action(
        &mut self,
        scope: &Scope,
        constant: &tree::Expr,
        used: &[tree::Term],
        made: &[tree::Term],
    ) -> Term {
        let (Some(moved), Some(place)) =
            (changed(used, made).next(), used.first().or(made.first()))
        else {
            return self.fresh(Role::Fault);
        };
        let flux = self.flux_of(moved);
        let volume = self.volume_of(&place.species.name.text);
        let mut per_constant = volume;
        for species in used {
            let concentration = self.quantity(&species.species.name.text);
            per_constant = per_constant.times(&concentration, species.coefficient);
        }
        let needed = Needed {
            term: flux.clone().times(&per_constant, -1.0),
            span: spanned(used, made),
            what: "the constant of this is in".to_owned(),
        };
        self.check(scope, constant, &needed);
        flux
    }

    /// All species of a reaction take part in one flux.
    fn all_changed(&mut self, reaction: &tree::Reaction, flux: &Term) {
        let mut species = changed(&reaction.left, &reaction.right);
        let Some(first) = species.next() else { return };
        for other in species {
            let own = self.flux_of(other);
            let Err(difference) = self.equate(flux, &own, other.span) else {
                continue;
            };
            let code = match difference {
                Difference::Zero(..) => Code::TemperatureZero,
                _ => Code::UnitMismatch,
            };
            let name = &other.species.name.text;
            let (here, there) = (self.amount_text(other), self.amount_text(first));
            let advice = format!(
                "one flux changes all species of a reaction: declare `{name}` in the unit of the others, or give each species its own reaction, with `rate`"
            );
            let help = match difference {
                Difference::Factor(factor) => {
                    format!("{}; {advice}", messages::fact(1.0 / factor, &here, &there))
                }
                _ => advice,
            };
            let diagnostic = Diagnostic::new(
                code,
                format!("the species of a reaction are counted in [{there}] and in [{here}]"),
            )
            .at(other.span, format!("amounts of `{name}` are in [{here}]"))
            .at(
                first.span,
                format!("and of `{}` in [{there}]", first.species.name.text),
            )
            .help(help);
            self.report(diagnostic);
            return;
        }
    }

    fn amount_text(&mut self, species: &tree::Term) -> String {
        let name = &species.species.name.text;
        let volume = self.volume_of(name);
        let amount = self.quantity(name).times(&volume, 1.0);
        self.text(&amount)
    }

    /// A species in a compartment is a concentration: an amount alone cannot be one.
    pub(super) fn concentration(&mut self, item: &tree::Declaration, name: &str) {
        let (Some(compartment), Some(unit)) = (&item.compartment, &item.unit) else {
            return;
        };
        let volume = self.quantity(&compartment.text);
        let own = self.quantity(name);
        let registry = &mut self.units.registry;
        let mut dimension = |name: &str, power: f64| {
            let unit = registry
                .unit(name)
                .map(|id| registry.measure(id).dimensions())?;
            Some(Measure::one().times(&unit, power))
        };
        let cube = dimension("m", 3.0);
        let amounts = [dimension("g", 1.0), dimension("mol", 1.0)];
        let registry = &self.units.registry;
        let dimensions = |term: &Term| term.measure(registry).map(|measure| measure.dimensions());
        let (held, lies_in) = (dimensions(&own), dimensions(&volume));
        if held.is_none() || lies_in != cube || !amounts.contains(&held) {
            return;
        }
        let (own_text, volume_text) = (self.text(&own), self.text(&volume));
        self.report(
            Diagnostic::new(
                Code::UnitMismatch,
                format!("`{name}` lies in `{}` and is a concentration", compartment.text),
            )
            .at(unit.span, format!("[{own_text}] is an amount"))
            .at(compartment.span, format!("a volume in [{volume_text}]"))
            .help(format!(
                "write its concentration in [{own_text}/{volume_text}]; without `in {}` it is the amount itself",
                compartment.text
            )),
        );
    }
}

/// The species whose amounts change: what stands as often on both sides does not. All of them where
/// nothing changes.
fn changed<'t>(
    left: &'t [tree::Term],
    right: &'t [tree::Term],
) -> impl Iterator<Item = &'t tree::Term> {
    let count = |side: &[tree::Term], name: &str| -> f64 {
        let own = side.iter().filter(|one| one.species.name.text == name);
        own.map(|one| one.coefficient).sum()
    };
    let changes = move |one: &tree::Term| {
        let name = &one.species.name.text;
        !one.species.indices.is_empty() || count(left, name) != count(right, name)
    };
    let all = || left.iter().chain(right);
    let any = all().any(changes);
    all().filter(move |one| !any || changes(one))
}

/// The side of a reaction that one way of it uses up, or what it makes from nothing.
fn spanned(used: &[tree::Term], made: &[tree::Term]) -> Span {
    let side = if used.is_empty() { made } else { used };
    match (side.first(), side.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::new(crate::source::SourceId(0), 0, 0),
    }
}
