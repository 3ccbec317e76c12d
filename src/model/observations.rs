//! What data say of a model: covariates, observations, priors.
//!
//! Enters: `covariate weight by subject`, `observe conc ~ normal(C, sigma)`, `~ lognormal(1, 0.5)`
//! after a parameter. Leaves: [`Covariate`], [`Observation`] and [`Distribution`], or what is wrong
//! with them. Must not know files, nor densities.

use super::clauses::Clauses;
use super::collect::{Draft, not_modelled};
use super::elaborate::Scope;
use super::names::Entity;
use super::{Family, ParameterId, Support, Unit, walk};
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::source::Span;
use crate::symbolic::Expr;
use crate::syntax::tree::{self, DeclareKind, ExprKind};

/// A quantity whose values come with the data; in equations it is a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariate {
    /// The parameter that holds its value.
    pub parameter: ParameterId,
    /// How often it may change.
    pub per: Per,
    /// The statement.
    pub span: Span,
}

/// What a covariate has one value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// Each row of the data.
    Row,
    /// Each subject.
    Subject,
    /// Each condition.
    Condition,
}

/// `observe conc ~ lognormal(median = C1, sd = sigma)`
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The name of the column of the data.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Doc comment.
    pub doc: Option<String>,
    /// Unit as declared.
    pub unit: Option<Unit>,
    /// How the data scatter.
    pub distribution: Distribution,
}

/// A family of distributions with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Which.
    pub family: Family,
    /// One for each parameter of the family; single numbers, definitions as names.
    pub arguments: Vec<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// An observation, before its names are looked up.
pub(super) struct DraftObservation<'t> {
    pub name: &'t tree::Reference,
    pub unit: Option<&'t tree::Unit>,
    pub distribution: &'t tree::Expr,
    pub doc: Option<&'t String>,
}

impl<'t> Draft<'t> {
    pub(super) fn covariates(
        &mut self,
        items: &'t [tree::Declaration],
        options: &'t [tree::SentenceOption],
        doc: Option<&'t String>,
    ) {
        let mut clauses = Clauses::new("a covariate", options);
        let known = ["subject", "condition", "row"];
        let per = match clauses.choice_if_any("by", &known) {
            Some(0) => Per::Subject,
            Some(1) => Per::Condition,
            _ => Per::Row,
        };
        self.diagnostics.extend(clauses.finish());
        for item in items {
            let parameter = ParameterId::new(self.parameters.len());
            self.covariates.push(Covariate {
                parameter,
                per,
                span: item.span,
            });
            self.declared(DeclareKind::Covariate, item, doc);
        }
    }

    pub(super) fn observation(&mut self, draft: DraftObservation<'t>) {
        if !draft.name.indices.is_empty() {
            self.diagnostics.push(
                not_modelled("observations with indices")
                    .at(draft.name.span, "")
                    .help("write one observation for each element, as in `observe y1 ~ normal(y[1], sigma)`"),
            );
            return;
        }
        let text = &draft.name.name.text;
        let mut known = self.observations.iter();
        if let Some(earlier) = known.find(|known| known.name.name.text == *text) {
            self.diagnostics.push(
                Diagnostic::new(Code::Duplicate, format!("`{text}` is observed twice"))
                    .at(draft.name.span, "again here")
                    .at(earlier.name.span, "the first one")
                    .help("an observation takes one column of the data: give the second another name, and map its column"),
            );
            return;
        }
        self.observations.push(draft);
    }

    /// Looks up what observations name. An observation may go by the name of what it observes.
    pub(super) fn finish_observations(&mut self) -> Vec<Observation> {
        let drafts = std::mem::take(&mut self.observations);
        let mut found = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let name = &draft.name.name;
            if let Some(Entity::Parameter(id)) = self.names.get(&name.text) {
                let place = self.parameters[id.index()].item.name.span;
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::BadObservation,
                        format!("`{}` is {}, which is not observed", name.text, self.names.describe(&name.text)),
                    )
                    .at(name.span, "observed here")
                    .at(place, "declared here")
                    .help("an observation has a name of its own, or that of a state or definition: the column of the data that it stands for"),
                );
                continue;
            }
            if let Some(distribution) = self.distribution(draft.distribution, &|_| true) {
                found.push(Observation {
                    name: name.text.clone(),
                    span: name.span,
                    doc: draft.doc.cloned(),
                    unit: draft.unit.map(Unit::from),
                    distribution,
                });
            }
        }
        found
    }

    /// The prior of a parameter: of numbers alone.
    pub(super) fn prior(&mut self, written: &'t tree::Expr) -> Option<Distribution> {
        let distribution =
            self.distribution(written, &|family| family.support() != Support::Counts)?;
        let mut offender = None;
        for argument in arguments(written) {
            walk::each_name(&argument.value, &mut |used| {
                let changes = match self.names.get(used) {
                    Some(Entity::Definition(id)) => self.names.varies(id),
                    Some(Entity::Function(_)) | None => false,
                    Some(_) => true,
                };
                if changes && offender.is_none() {
                    offender = Some((argument.value.span, used.to_owned()));
                }
            });
        }
        if let Some((span, used)) = offender {
            self.diagnostics.push(
                Diagnostic::new(Code::BadObservation, "a prior is given by numbers")
                    .at(span, format!("`{used}` is {}", self.names.describe(&used)))
                    .help("write numbers, or names defined with `let` as numbers; distributions of distributions are not modelled"),
            );
            return None;
        }
        Some(distribution)
    }

    /// `normal(mean = x, sd = 1)`, by position or by name.
    fn distribution(
        &mut self,
        written: &'t tree::Expr,
        serves: &dyn Fn(Family) -> bool,
    ) -> Option<Distribution> {
        let family = self.family(written, serves)?;
        let slots = self.arguments_of(family, written)?;
        let mut values = Vec::with_capacity(slots.len());
        for slot in &slots {
            values.push(self.with_elaborator(|e| e.scalar(&Scope::default(), slot)));
        }
        Some(Distribution {
            family,
            arguments: values.into_iter().collect::<Option<_>>()?,
            span: written.span,
        })
    }

    fn family(&mut self, written: &tree::Expr, serves: &dyn Fn(Family) -> bool) -> Option<Family> {
        let known = Family::ALL.into_iter().filter(|family| serves(*family));
        let names: Vec<&str> = known.map(Family::name).collect();
        let called = match &written.kind {
            ExprKind::Call { function, .. } => Some(&function.name),
            ExprKind::Reference(reference) => Some(&reference.name),
            _ => None,
        };
        let family = called.and_then(|name| Family::named(&name.text));
        if let (Some(family), ExprKind::Call { .. }) =
            (family.filter(|f| serves(*f)), &written.kind)
        {
            return Some(family);
        }
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let near = called.and_then(|name| did_you_mean(&name.text, names.iter().copied()));
        let near = near.filter(|_| family.is_none());
        self.diagnostics.push(
            Diagnostic::new(Code::BadObservation, "a distribution is needed here")
                .at(
                    called.map_or(written.span, |name| name.span),
                    match family {
                        Some(family) => format!("as in `{}`", example(family)),
                        None => "not one".to_owned(),
                    },
                )
                .help(near.unwrap_or_else(|| format!("there are {}", listed(&quoted)))),
        );
        None
    }

    /// The argument of each parameter of a family.
    fn arguments_of(
        &mut self,
        family: Family,
        written: &'t tree::Expr,
    ) -> Option<Vec<&'t tree::Expr>> {
        let names = family.parameters();
        let mut slots: Vec<Option<&tree::Expr>> = vec![None; names.len()];
        let faults = self.diagnostics.len();
        for (at, argument) in arguments(written).iter().enumerate() {
            let slot = match &argument.name {
                None => (at < names.len()).then_some(at),
                Some(name) => names.iter().position(|known| *known == name.text),
            };
            let span = argument
                .name
                .as_ref()
                .map_or(argument.value.span, |name| name.span);
            let fault = match slot {
                None if argument.name.is_some() => "it has no such parameter",
                None => "one too many",
                Some(slot) if slots[slot].is_some() => "given twice",
                Some(slot) => {
                    slots[slot] = Some(&argument.value);
                    continue;
                }
            };
            self.bad_arguments(family, span, fault);
        }
        if self.diagnostics.len() > faults {
            return None;
        }
        let found: Option<Vec<_>> = slots.iter().copied().collect();
        if found.is_none() {
            let pairs = names.iter().zip(&slots).filter(|(_, slot)| slot.is_none());
            let missing: Vec<String> = pairs.map(|(name, _)| format!("`{name}`")).collect();
            self.bad_arguments(
                family,
                written.span,
                &format!("{} is missing", listed(&missing)),
            );
        }
        found
    }

    fn bad_arguments(&mut self, family: Family, span: Span, fault: &str) {
        self.diagnostics.push(
            Diagnostic::new(
                Code::BadObservation,
                format!("`{}` takes {}", family.name(), listed_names(family)),
            )
            .at(span, fault.to_owned())
            .help(format!("as in `{}`", example(family))),
        );
    }
}

fn arguments(written: &tree::Expr) -> &[tree::Argument] {
    match &written.kind {
        ExprKind::Call { arguments, .. } => arguments,
        _ => &[],
    }
}

fn listed_names(family: Family) -> String {
    let names = family.parameters().iter();
    listed(&names.map(|name| format!("`{name}`")).collect::<Vec<_>>())
}

/// `normal(mean = x, sd = sigma)`
fn example(family: Family) -> &'static str {
    match family {
        Family::Normal => "normal(mean = x, sd = sigma)",
        Family::LogNormal => "lognormal(median = x, sd = sigma)",
        Family::StudentT => "student_t(mean = x, scale = s, df = 4)",
        Family::Poisson => "poisson(mean = x)",
        Family::NegativeBinomial => "negative_binomial(mean = x, size = phi)",
        Family::Binomial => "binomial(trials = N, probability = p)",
        Family::Gamma => "gamma(shape = 2, rate = 1)",
        Family::Beta => "beta(a = 2, b = 2)",
        Family::Exponential => "exponential(mean = 1)",
        Family::Uniform => "uniform(low = 0, high = 1)",
        Family::Cauchy => "cauchy(median = 0, scale = 1)",
    }
}
