//! References: names, indices, primes, and what is said about those that are not there.

use super::IndexSetId;
use super::elaborate::{Elaborator, Local, Quantity, Scope};
use super::names::{Entity, Members};
use crate::diagnostic::{Code, Diagnostic, did_you_mean, listed};
use crate::source::Span;
use crate::symbolic::{Builtin, Expr, Shape};
use crate::syntax::other_name;
use crate::syntax::tree::{self, ExprKind};

/// What an index selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// One position from 0.
    One(usize),
    /// All of this many.
    All(usize),
}

/// What other programs call the end of no end.
const ENDLESS: &[&str] = &["inf", "infinity"];

impl Choice {
    pub fn positions(self, length: usize) -> std::ops::Range<usize> {
        match self {
            Choice::One(position) => position..position + 1,
            Choice::All(_) => 0..length,
        }
    }
}

impl Elaborator<'_> {
    pub(super) fn reference(
        &mut self,
        scope: &Scope,
        reference: &tree::Reference,
    ) -> Option<Quantity> {
        let name = &reference.name;
        if let Some(local) = scope.get(&name.text) {
            let value = match local {
                Local::Argument(quantity) => quantity,
                #[expect(clippy::cast_precision_loss, reason = "loop numbers are small")]
                Local::Number(number) => Quantity::number(self.pool.constant(number as f64)),
            };
            if reference.indices.is_empty() {
                return Some(value);
            }
            return self
                .element_by_number(scope, reference, value.expr)
                .map(Quantity::number);
        }
        if name.text == "pi" {
            return Some(Quantity::number(self.pool.constant(std::f64::consts::PI)));
        }
        match self.names.get(&name.text) {
            Some(Entity::IndexSet(id)) => self.index_numbers(id, name),
            Some(entity @ (Entity::Function(_) | Entity::Condition(_))) => self.report(
                Diagnostic::new(
                    Code::WrongKind,
                    format!(
                        "`{}` is {}, not a quantity",
                        name.text,
                        self.names.describe(&name.text)
                    ),
                )
                .at(name.span, "a number is needed here")
                .help(if matches!(entity, Entity::Function(_)) {
                    "call it with its arguments in parentheses"
                } else {
                    "a condition is chosen for a run, as in `simulate 0..100 in knockout`"
                }),
            ),
            Some(Entity::Wiener(_)) => self.path_of_noise(name, reference.span),
            Some(_) if reference.indices.is_empty() => {
                let symbol = self.names.symbol(&name.text)?;
                Some(Quantity::number(self.pool.symbol(symbol)))
            }
            Some(_) => self.indexed(scope, reference),
            None => self.indexed_flux_or_unknown(scope, reference),
        }
    }

    fn indexed_flux_or_unknown(
        &mut self,
        scope: &Scope,
        reference: &tree::Reference,
    ) -> Option<Quantity> {
        let name = &reference.name;
        if let [index] = reference.indices.as_slice()
            && self.names.has_indexed_fluxes(&name.text)
        {
            let index_number = self.whole_number(scope, index)?;
            if let Some(flux) = self.names.indexed_flux(&name.text, index_number) {
                let symbol = self.names.definition_symbol(flux)?;
                return Some(Quantity::number(self.pool.symbol(symbol)));
            }
            return self.report(
                Diagnostic::new(
                    Code::BadIndex,
                    format!("there is no reaction `{}[{index_number}]`", name.text),
                )
                .at(reference.span, ""),
            );
        }
        self.unknown_name(name)
    }

    // Expressions are deep, and what is said of a slip needs no room in the frames of their walk.
    #[cold]
    #[inline(never)]
    pub fn unknown_name(&mut self, name: &tree::Name) -> Option<Quantity> {
        let text = &name.text;
        if self.names.is_refused(text) {
            return None;
        }
        if Builtin::find(text).is_some() {
            return self.report(
                Diagnostic::new(
                    Code::WrongKind,
                    format!("`{text}` is a function, not a quantity"),
                )
                .at(name.span, "a number is needed here")
                .help(format!("call it, as in `{text}(x)`")),
            );
        }
        if text == "t" && self.names.map_at().is_some() {
            return self.report(
                Diagnostic::new(Code::UnknownName, "`t` is not known in a map")
                    .at(name.span, "not known")
                    .help("`n` counts the steps"),
            );
        }
        let near = self.names.closest(text, |entity| {
            !matches!(entity, Entity::Function(_) | Entity::Condition(_))
        });
        let is_endless = ENDLESS.iter().any(|word| word.eq_ignore_ascii_case(text));
        let help = match (near, other_name(text)) {
            _ if is_endless => {
                "a run ends: add the rest of an exponential fall at rate `k`, as in `auc(x, 0..24) + last(x)/k`".to_owned()
            }
            (Some(known), _) => format!("did you mean `{known}`?"),
            (None, Some(advice)) => advice.to_owned(),
            (None, None) if self.in_sentence => self.quantities_in_short(),
            (None, None) => format!("declare it, for example with `param {text} = 1`"),
        };
        self.report(
            Diagnostic::new(Code::UnknownName, format!("`{text}` is not declared"))
                .at(name.span, "not known")
                .help(help),
        )
    }

    /// What there is to choose from.
    fn quantities_in_short(&self) -> String {
        const MOST: usize = 12;
        let names: Vec<String> = self
            .names
            .iter()
            .filter(|(_, entity)| {
                matches!(
                    entity,
                    Entity::State(_)
                        | Entity::Definition(_)
                        | Entity::Parameter(_)
                        | Entity::Input(_)
                )
            })
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        match names.len() {
            0 => "the model declares no quantities".to_owned(),
            1..=MOST => format!("the model declares {}", listed(&names)),
            many => format!("the model declares {many} quantities: see `show model`"),
        }
    }

    /// The name of a numeric index set stands for the vector of its numbers.
    pub(super) fn index_numbers(&mut self, id: IndexSetId, name: &tree::Name) -> Option<Quantity> {
        let Members::Numbers { first, count } = self.names.index_set(id).members.clone() else {
            return self.report(
                Diagnostic::new(
                    Code::WrongKind,
                    format!("`{}` is an index set of labels, not a quantity", name.text),
                )
                .at(name.span, "a number is needed here")
                .help(format!(
                    "values for its members are a vector, as in `param k[{}] = 1`",
                    name.text
                )),
            );
        };
        #[expect(clippy::cast_precision_loss, reason = "index numbers are small")]
        let numbers = (0..count)
            .map(|k| self.pool.constant(first as f64 + k as f64))
            .collect();
        Some(Quantity::number(
            self.pool.stack(numbers, Shape::Vector(count)),
        ))
    }

    /// `y[gene]` is `y`; `u[i-1]`, `y[GATA1]`, `A[gene, 2]` pick elements.
    fn indexed(&mut self, scope: &Scope, reference: &tree::Reference) -> Option<Quantity> {
        let name = &reference.name.text;
        let symbol = self.names.symbol(name)?;
        let whole = self.pool.symbol(symbol);
        let sets = self.names.indices(name).to_vec();
        if sets.is_empty() {
            return self
                .element_by_number(scope, reference, whole)
                .map(Quantity::number);
        }
        self.right_number_of_indices(reference, sets.len())?;
        let mut choices = Vec::with_capacity(sets.len());
        for (index, set) in reference.indices.iter().zip(&sets) {
            choices.push(self.index_choice(scope, index, *set)?);
        }
        Some(Quantity::number(self.pick(whole, &choices)))
    }

    pub fn right_number_of_indices(
        &mut self,
        reference: &tree::Reference,
        wanted: usize,
    ) -> Option<()> {
        if reference.indices.len() == wanted {
            return Some(());
        }
        self.report(
            Diagnostic::new(
                Code::BadIndex,
                format!(
                    "`{}` has {wanted} {}, not {}",
                    reference.name.text,
                    if wanted == 1 { "index" } else { "indices" },
                    reference.indices.len()
                ),
            )
            .at(reference.span, ""),
        )
    }

    /// A single position in an index set, or all of it.
    pub fn index_choice(
        &mut self,
        scope: &Scope,
        index: &tree::Expr,
        set: IndexSetId,
    ) -> Option<Choice> {
        let members = self.names.index_set(set);
        if let ExprKind::Reference(reference) = &index.kind
            && reference.indices.is_empty()
            && scope.get(&reference.name.text).is_none()
        {
            let text = &reference.name.text;
            if let Some(position) = members.position_of_label(text) {
                return Some(Choice::One(position));
            }
            match self.names.get(text) {
                Some(Entity::IndexSet(id)) if id == set => return Some(Choice::All(members.len())),
                Some(Entity::IndexSet(_)) | None => return self.unknown_label(reference, set),
                Some(_) => {}
            }
        }
        let number = self.whole_number(scope, index)?;
        let members = self.names.index_set(set);
        match members.position_of_number(number) {
            Some(position) => Some(Choice::One(position)),
            None => {
                let range = format!(
                    "`{}` has {} members{}",
                    members.name,
                    members.len(),
                    match members.members {
                        Members::Numbers { first, .. } if !members.is_empty() =>
                            format!(", {first} to {}", members.label(members.len() - 1)),
                        _ => String::new(),
                    }
                );
                self.report(
                    Diagnostic::new(
                        Code::BadIndex,
                        format!("the index {number} lies outside its set"),
                    )
                    .at(index.span, format!("this is {number}"))
                    .help(range),
                )
            }
        }
    }

    fn unknown_label(&mut self, reference: &tree::Reference, set: IndexSetId) -> Option<Choice> {
        let members = self.names.index_set(set);
        let labels: Vec<String> = match &members.members {
            Members::Labels(labels) => labels.clone(),
            Members::Numbers { .. } => Vec::new(),
        };
        let text = &reference.name.text;
        let mut diagnostic = Diagnostic::new(
            Code::BadIndex,
            format!("`{text}` is not a member of `{}`", members.name),
        )
        .at(reference.span, "not in the index set");
        if let Some(help) = did_you_mean(text, labels.iter().map(String::as_str)) {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic)
    }

    fn pick(&mut self, whole: Expr, choices: &[Choice]) -> Expr {
        match (self.pool.shape(whole), choices) {
            (_, choices)
                if choices
                    .iter()
                    .all(|choice| matches!(choice, Choice::All(_))) =>
            {
                whole
            }
            (Shape::Matrix(rows, columns), [row, column]) => {
                let rows_taken = row.positions(rows);
                let columns_taken = column.positions(columns);
                let elements: Vec<Expr> = columns_taken
                    .flat_map(|j| rows_taken.clone().map(move |i| j * rows + i))
                    .map(|offset| self.pool.element(whole, offset))
                    .collect();
                match elements.as_slice() {
                    [single] if matches!((row, column), (Choice::One(_), Choice::One(_))) => {
                        *single
                    }
                    _ => {
                        let shape = Shape::Vector(elements.len());
                        self.pool.stack(elements, shape)
                    }
                }
            }
            (_, [Choice::One(position), ..]) => self.pool.element(whole, *position),
            _ => whole,
        }
    }

    /// Elements of a vector without an index set (an argument, an unnamed literal): by number from 1.
    fn element_by_number(
        &mut self,
        scope: &Scope,
        reference: &tree::Reference,
        whole: Expr,
    ) -> Option<Expr> {
        let offset = self.offset_by_number(scope, reference, self.pool.shape(whole))?;
        Some(self.pool.element(whole, offset))
    }

    /// Where the element with these numbers stands in something of this shape.
    pub fn offset_by_number(
        &mut self,
        scope: &Scope,
        reference: &tree::Reference,
        shape: Shape,
    ) -> Option<usize> {
        let lengths: Vec<usize> = match shape {
            Shape::Scalar => {
                return self.report(
                    Diagnostic::new(
                        Code::BadIndex,
                        format!("`{}` is a single number and has no index", reference.name.text),
                    )
                    .at(reference.span, "")
                    .help("a `*` may be missing; or declare it over an index set, as in `state y[gene] = 0`"),
                );
            }
            Shape::Vector(n) => vec![n],
            Shape::Matrix(rows, columns) => vec![rows, columns],
        };
        self.right_number_of_indices(reference, lengths.len())?;
        let mut offset = 0;
        let mut stride = 1;
        for (index, length) in reference.indices.iter().zip(lengths) {
            let number = self.whole_number(scope, index)?;
            match number
                .checked_sub(1)
                .and_then(|at| usize::try_from(at).ok())
                .filter(|at| *at < length)
            {
                Some(at) => offset += at * stride,
                None => {
                    return self.report(
                        Diagnostic::new(
                            Code::BadIndex,
                            format!("the index {number} lies outside 1..{length}"),
                        )
                        .at(index.span, format!("this is {number}")),
                    );
                }
            }
            stride *= length;
        }
        Some(offset)
    }

    pub(super) fn prime(
        &mut self,
        scope: &Scope,
        target: &tree::Reference,
        order: u8,
        span: Span,
    ) -> Option<Quantity> {
        let primed = tree::Reference {
            span,
            name: tree::Name {
                text: format!("{}{}", target.name.text, "'".repeat(order.into())),
                span: target.name.span,
            },
            indices: target.indices.clone(),
        };
        if self.names.map_at().is_some() && self.names.get(&target.name.text).is_some() {
            return self.no_derivative_in_maps(&target.name.text, span);
        }
        if self.names.get(&primed.name.text).is_some() {
            return self.reference(scope, &primed);
        }
        let (state, order) = (&primed.name.text[..primed.name.text.len() - 1], order);
        if order > 0
            && target.indices.is_empty()
            && let Some(drift) = self.names.drift(state)
        {
            return Some(Quantity::number(drift));
        }
        match self.names.get(&target.name.text) {
            None => self.unknown_name(&target.name),
            Some(Entity::Wiener(_)) => self.report(
                Diagnostic::new(
                    Code::MisplacedNoise,
                    format!("`{}` has no second derivative", target.name.text),
                )
                .at(span, "white noise has no derivative")
                .help(format!("write `{}'`", target.name.text)),
            ),
            Some(_) => self.report(
                Diagnostic::new(
                    Code::WrongKind,
                    format!("`{}` has no derivative here", target.name.text),
                )
                .at(
                    span,
                    format!(
                        "`{}` is {}",
                        target.name.text,
                        self.names.describe(&target.name.text)
                    ),
                )
                .help("only what an equation or a reaction governs has a time derivative"),
            ),
        }
    }

    /// The element of a vector that indices choose, when they choose a single one.
    pub fn single_element(
        &mut self,
        scope: &Scope,
        reference: &tree::Reference,
    ) -> Option<Option<usize>> {
        if reference.indices.is_empty() {
            return Some(None);
        }
        let sets = self.names.indices(&reference.name.text).to_vec();
        if sets.is_empty() {
            let symbol = self.names.symbol(&reference.name.text)?;
            let shape = self.pool.symbol_data(symbol).shape;
            return self.offset_by_number(scope, reference, shape).map(Some);
        }
        self.right_number_of_indices(reference, sets.len())?;
        let mut offset = 0;
        let mut stride = 1;
        for (index, set) in reference.indices.iter().zip(sets) {
            match self.index_choice(scope, index, set)? {
                Choice::One(position) => offset += position * stride,
                Choice::All(_) => return Some(None),
            }
            stride *= self.names.index_set(set).len();
        }
        Some(Some(offset))
    }
}
