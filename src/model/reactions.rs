//! Reactions: mass action and free rate laws, their fluxes, and what they do to each species.
//!
//! Mass action: flux = constant x product of concentrations^coefficient x volume of the reactants'
//! compartment, an amount per time; a species changes by coefficient x flux / its own volume.

use super::collect::Draft;
use super::elaborate::Scope;
use super::names::Entity;
use super::{DefinitionId, ParameterId, Participant, Reaction, StateId};
use crate::diagnostic::{Code, Diagnostic, listed, number_text};
use crate::source::Span;
use crate::symbolic::{Expr, Shape};
use crate::syntax::tree::{self, DeclareKind, Law};
use rustc_hash::FxHashMap;

/// What reactions add to single species: `(state, element)` to signed terms.
#[derive(Default)]
pub(super) struct Contributions {
    terms: FxHashMap<(StateId, u32), Vec<(f64, Expr)>>,
}

/// One direction of a reaction, before it is spread over the species.
#[derive(Clone, Copy)]
struct Direction {
    /// Change per volume and time for mass action; amount per time for a free law.
    rate: Expr,
    /// The volume that the rate is multiplied by; `None` when `rate` is the flux itself.
    volume: Option<ParameterId>,
    /// The constant of mass action.
    constant: Option<Expr>,
}

impl Draft<'_> {
    /// Takes up one reaction.
    pub fn reaction(
        &mut self,
        scope: &Scope,
        reaction: &tree::Reaction,
        span: Span,
        contributions: &mut Contributions,
    ) -> Option<(Reaction, Option<DefinitionId>)> {
        let reactants = self.participants(scope, &reaction.left);
        let products = self.participants(scope, &reaction.right);
        let flux_name = self.flux_of(scope, reaction);
        if reaction.left.is_empty() && reaction.right.is_empty() {
            self.diagnostics.push(
                Diagnostic::new(Code::NotASpecies, "a reaction from nothing to nothing")
                    .at(span, "")
                    .help("name what is made or used up"),
            );
            return None;
        }
        let directions = match &reaction.law {
            Law::MassAction { forward, backward } => {
                self.check_backward(reaction, backward.as_ref(), span)?;
                // Look at all parts before one at fault ends the work.
                let forward = self.with_elaborator(|e| e.scalar(scope, forward));
                let backward = backward
                    .as_ref()
                    .map(|backward| self.with_elaborator(|e| e.scalar(scope, backward)));
                let (reactants, products) = (reactants?, products?);
                let arrow = reaction.arrow;
                let mut directions = vec![(
                    1.0,
                    self.mass_action(forward?, &reactants, &products, arrow)?,
                )];
                if let Some(backward) = backward {
                    directions.push((
                        -1.0,
                        self.mass_action(backward?, &products, &reactants, arrow)?,
                    ));
                }
                self.spread(
                    reaction,
                    span,
                    reactants,
                    products,
                    directions,
                    contributions,
                    true,
                )
            }
            Law::Rate(rate) => {
                let rate = self.with_elaborator(|e| e.scalar(scope, rate));
                let direction = Direction {
                    rate: rate?,
                    volume: None,
                    constant: None,
                };
                let (reactants, products) = (reactants?, products?);
                self.spread(
                    reaction,
                    span,
                    reactants,
                    products,
                    vec![(1.0, direction)],
                    contributions,
                    false,
                )
            }
        };
        Some((directions, flux_name))
    }

    fn flux_of(&mut self, scope: &Scope, reaction: &tree::Reaction) -> Option<DefinitionId> {
        let name = reaction.name.as_ref()?;
        match name.indices.as_slice() {
            [] => match self.names.get(&name.name.text)? {
                Entity::Definition(id) => Some(id),
                _ => None,
            },
            [index] => {
                let number = self.with_elaborator(|e| e.whole_number(scope, index))?;
                self.names.indexed_flux(&name.name.text, number)
            }
            _ => None,
        }
    }

    fn check_backward(
        &mut self,
        reaction: &tree::Reaction,
        backward: Option<&tree::Expr>,
        span: Span,
    ) -> Option<()> {
        let (message, help) = match (reaction.reversible, backward) {
            (true, None) => (
                "a reversible reaction needs two constants",
                "write both, as in `A <-> B, k1, k2`; or `rate` with the net flux",
            ),
            (false, Some(_)) => (
                "a one-way reaction has one constant",
                "write `<->` for a reversible reaction",
            ),
            _ => return Some(()),
        };
        self.diagnostics.push(
            Diagnostic::new(Code::Arity, message)
                .at(
                    reaction.arrow,
                    if reaction.reversible {
                        "reversible"
                    } else {
                        "one way"
                    },
                )
                .at(backward.map_or(span, |expr| expr.span), "")
                .help(help),
        );
        None
    }

    fn participants(&mut self, scope: &Scope, terms: &[tree::Term]) -> Option<Vec<Participant>> {
        let mut found: Vec<Participant> = Vec::with_capacity(terms.len());
        let mut complete = true;
        for term in terms {
            let Some(participant) = self.participant(scope, term) else {
                complete = false;
                continue;
            };
            let same = found.iter_mut().find(|known| {
                known.species == participant.species && known.element == participant.element
            });
            match same {
                Some(known) => known.coefficient += participant.coefficient,
                None => found.push(participant),
            }
        }
        complete.then_some(found)
    }

    fn participant(&mut self, scope: &Scope, term: &tree::Term) -> Option<Participant> {
        let name = &term.species.name;
        let species = match self.names.get(&name.text) {
            Some(Entity::State(id)) if self.states[id.index()].kind == DeclareKind::Species => id,
            Some(_) if self.names.is_disputed(&name.text) => return None,
            Some(entity) => {
                let help = match entity {
                    Entity::State(_) => {
                        // Nobody knows yet whether it will have an equation.
                        self.abandon(&name.text);
                        format!("declare it with `species {} = ...`", name.text)
                    }
                    _ => "reactions make and use up species; other quantities belong into the rate"
                        .to_owned(),
                };
                let mut diagnostic = Diagnostic::new(
                    Code::NotASpecies,
                    format!(
                        "`{}` is {}, not a species",
                        name.text,
                        self.names.describe(&name.text)
                    ),
                )
                .at(name.span, "used in a reaction");
                if let Some(declared) = self.names.declared_at(&name.text)
                    && !matches!(entity, Entity::Time)
                {
                    diagnostic = diagnostic.at(declared, "declared here");
                }
                self.diagnostics.push(diagnostic.help(help));
                return None;
            }
            None if self.names.is_refused(&name.text) => return None,
            None => {
                let near = self.names.closest(&name.text, |entity| {
                    matches!(entity, Entity::State(id) if self.states[id.index()].kind == DeclareKind::Species)
                });
                let help = match near {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("declare it, as in `species {} = 0`", name.text),
                };
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::UnknownName,
                        format!("`{}` is not declared", name.text),
                    )
                    .at(name.span, "not known")
                    .help(help),
                );
                return None;
            }
        };
        let symbol = self.names.states[species.index()].symbol?;
        let element = self.with_elaborator(|e| e.single_element(scope, &term.species))?;
        if element.is_none() && self.pool.symbol_data(symbol).shape != Shape::Scalar {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::BadIndex,
                    format!("`{}` is a vector of species", name.text),
                )
                .at(term.species.span, "a single species is needed here")
                .help("write the reaction in a loop, as in `for i in 1..10 { S[i] -> 0, k }`"),
            );
            return None;
        }
        if term.coefficient <= 0.0 || !term.coefficient.is_finite() {
            self.diagnostics.push(
                Diagnostic::new(Code::OutOfBounds, "a coefficient must be positive").at(
                    term.span,
                    format!("this is {}", number_text(term.coefficient)),
                ),
            );
            return None;
        }
        Some(Participant {
            species,
            element: u32::try_from(element.unwrap_or(0)).unwrap_or(u32::MAX),
            coefficient: term.coefficient,
        })
    }

    fn species_expr(&mut self, participant: Participant) -> Option<Expr> {
        let symbol = self.names.states[participant.species.index()].symbol?;
        let whole = self.pool.symbol(symbol);
        Some(match self.pool.shape(whole) {
            Shape::Scalar => whole,
            _ => self.pool.element(whole, participant.element as usize),
        })
    }

    fn compartment_of(&self, participant: Participant) -> Option<ParameterId> {
        self.names.states[participant.species.index()].compartment
    }

    fn mass_action(
        &mut self,
        constant: Expr,
        used: &[Participant],
        made: &[Participant],
        arrow: Span,
    ) -> Option<Direction> {
        let volume = self.volume(if used.is_empty() { made } else { used }, arrow)?;
        let mut rate = constant;
        for participant in used {
            let species = self.species_expr(*participant)?;
            #[expect(clippy::float_cmp, reason = "a coefficient as written")]
            let factor = if participant.coefficient == 1.0 {
                species
            } else {
                let power = self.pool.constant(participant.coefficient);
                self.pool.pow(species, power)
            };
            rate = self.pool.mul(rate, factor);
        }
        Some(Direction {
            rate,
            volume,
            constant: Some(constant),
        })
    }

    /// The one compartment of these species (`None` inside for no compartment at all).
    #[expect(
        clippy::option_option,
        reason = "no compartment is a valid answer, a fault is not"
    )]
    fn volume(&mut self, species: &[Participant], arrow: Span) -> Option<Option<ParameterId>> {
        let Some(first) = species.first() else {
            return Some(None);
        };
        let volume = self.compartment_of(*first);
        match species
            .iter()
            .find(|other| self.compartment_of(**other) != volume)
        {
            None => Some(volume),
            Some(other) => {
                let places = [first, other].map(|participant| {
                    let name = &self.states[participant.species.index()].name;
                    match self.compartment_of(*participant) {
                        Some(volume) => {
                            format!(
                                "`{name}` lies in `{}`",
                                self.parameters[volume.index()].name
                            )
                        }
                        None => format!("`{name}` lies in no compartment"),
                    }
                });
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::NoVolume,
                        format!("mass action has no obvious volume: {}", listed(&places)),
                    )
                    .at(arrow, "")
                    .help("write the flux, an amount per time, after `rate`, as in `A + B -> C, rate k*A*B*V`"),
                );
                None
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one reaction")]
    fn spread(
        &mut self,
        reaction: &tree::Reaction,
        span: Span,
        reactants: Vec<Participant>,
        products: Vec<Participant>,
        directions: Vec<(f64, Direction)>,
        contributions: &mut Contributions,
        mass_action: bool,
    ) -> Reaction {
        // The net change of a species that stands on both sides is one term.
        let mut net: Vec<Participant> = Vec::new();
        for (sign, side) in [(-1.0, &reactants), (1.0, &products)] {
            for participant in side {
                let same = net.iter_mut().find(|known| {
                    known.species == participant.species && known.element == participant.element
                });
                let change = sign * participant.coefficient;
                match same {
                    Some(known) => known.coefficient += change,
                    None => net.push(Participant {
                        coefficient: change,
                        ..*participant
                    }),
                }
            }
        }
        for participant in net
            .iter()
            .filter(|participant| participant.coefficient != 0.0)
        {
            let own = self.compartment_of(*participant);
            let terms = self.terms_for(&directions, own);
            let key = (participant.species, participant.element);
            let list = contributions.terms.entry(key).or_default();
            list.extend(
                terms
                    .into_iter()
                    .map(|(sign, term)| (sign * participant.coefficient, term)),
            );
        }
        let ways: Vec<(f64, Expr)> = directions
            .iter()
            .map(|(sign, direction)| (*sign, self.times_volume(*direction)))
            .collect();
        let flux = self.flux(&ways);
        let constants = directions.iter().filter_map(|(_, way)| way.constant);
        Reaction {
            constants: constants.collect(),
            name: reaction.name.as_ref().map(|name| name.name.text.clone()),
            span,
            reactants,
            products,
            reversible: reaction.reversible,
            flux,
            ways,
            mass_action,
        }
    }

    /// How fast a species with coefficient 1 in the compartment `own` changes.
    fn terms_for(
        &mut self,
        directions: &[(f64, Direction)],
        own: Option<ParameterId>,
    ) -> Vec<(f64, Expr)> {
        if let [(_, forward), (_, backward)] = directions
            && forward.volume == own
            && backward.volume == own
        {
            let net = self.pool.sub(forward.rate, backward.rate);
            return vec![(1.0, net)];
        }
        directions
            .iter()
            .map(|(sign, direction)| {
                if direction.volume == own {
                    return (*sign, direction.rate);
                }
                let amount = self.times_volume(*direction);
                let term = match own.and_then(|own| self.volume_expr(own)) {
                    Some(volume) => self.pool.div(amount, volume),
                    None => amount,
                };
                (*sign, term)
            })
            .collect()
    }

    fn volume_expr(&mut self, volume: ParameterId) -> Option<Expr> {
        let symbol = self.names.parameters[volume.index()].symbol?;
        Some(self.pool.symbol(symbol))
    }

    fn times_volume(&mut self, direction: Direction) -> Expr {
        match direction.volume.and_then(|volume| self.volume_expr(volume)) {
            Some(volume) => self.pool.mul(direction.rate, volume),
            None => direction.rate,
        }
    }

    /// Net amount per time.
    fn flux(&mut self, ways: &[(f64, Expr)]) -> Expr {
        match ways {
            [(_, forward), (_, backward)] => self.pool.sub(*forward, *backward),
            [(_, forward)] => *forward,
            _ => self.pool.constant(0.0),
        }
    }

    /// The drift of a species: the sum of what reactions do to it.
    pub fn drift_of_species(
        &mut self,
        species: StateId,
        contributions: &Contributions,
    ) -> Option<Expr> {
        let symbol = self.names.states[species.index()].symbol?;
        let shape = self.pool.symbol_data(symbol).shape;
        let elements: Vec<Expr> = (0..shape.len())
            .map(|element| {
                let key = (species, u32::try_from(element).unwrap_or(u32::MAX));
                let terms = contributions.terms.get(&key).map_or(&[][..], Vec::as_slice);
                self.sum(terms)
            })
            .collect();
        Some(match (shape, elements.as_slice()) {
            (Shape::Scalar, [single]) => *single,
            _ => self.pool.stack(elements, shape),
        })
    }

    #[expect(clippy::float_cmp, reason = "coefficients as written")]
    fn sum(&mut self, terms: &[(f64, Expr)]) -> Expr {
        let mut total: Option<Expr> = None;
        for (coefficient, term) in terms {
            let size = coefficient.abs();
            let scaled = if size == 1.0 {
                *term
            } else {
                let size = self.pool.constant(size);
                self.pool.mul(size, *term)
            };
            total = Some(match total {
                None if *coefficient < 0.0 => self.pool.neg(scaled),
                None => scaled,
                Some(sum) if *coefficient < 0.0 => self.pool.sub(sum, scaled),
                Some(sum) => self.pool.add(sum, scaled),
            });
        }
        total.unwrap_or_else(|| self.pool.constant(0.0))
    }
}
