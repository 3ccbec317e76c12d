//! Calls of built-in functions, of functions written with `fn`, and of things that are neither.

use super::elaborate::{Elaborator, Quantity, Scope};
use super::names::Entity;
use super::{FunctionId, IndexSetId, ParameterId};
use crate::diagnostic::{Code, Diagnostic, closest, listed};
use crate::source::Span;
use crate::symbolic::{
    self, Arity, ArrayFunction, Binary, Builtin, CallError, Expr, Operation, Shape,
};
use crate::syntax::other_function;
use crate::syntax::tree::{self, ExprKind};

/// Gradients within each other, in one expression or through definitions. Each makes what it is taken
/// of several times as long.
pub(super) const MOST_GRADIENTS: usize = 4;

/// What is said of more.
pub(super) fn too_many_gradients(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TooDeep,
        format!("more than {MOST_GRADIENTS} gradients are taken one of the other"),
    )
    .at(span, "one too many")
    .help("each makes its formula several times as long: work out the inner ones by hand")
}

impl Elaborator<'_> {
    pub(super) fn call(
        &mut self,
        scope: &Scope,
        called: &tree::Reference,
        arguments: &[tree::Argument],
        span: Span,
    ) -> Option<Quantity> {
        let function = &called.name;
        match self.names.get(&function.text) {
            Some(Entity::State(_) | Entity::Definition(_))
                if self.names.map_at().is_some() && goes_back(arguments, &["t", "n"]) =>
            {
                return self.no_delay_in_maps(&function.text, span);
            }
            Some(Entity::State(_)) if self.names.map_at().is_some() => {
                return self.unknown_function(function, span);
            }
            Some(Entity::State(id)) => {
                return self.state_at_a_time(scope, id, called, arguments, span);
            }
            Some(entity @ (Entity::Definition(_) | Entity::Input(_) | Entity::Parameter(_)))
                if goes_back(arguments, &["t"]) =>
            {
                return self.no_delay_of(function, entity, span);
            }
            _ if !called.indices.is_empty() => return self.indexed_call(called, span),
            Some(Entity::Function(id)) => return self.own_function(scope, id, arguments, span),
            None if self.names.is_refused(&function.text)
                && Builtin::find(&function.text).is_none() =>
            {
                return None;
            }
            _ => {}
        }
        match Builtin::find(&function.text) {
            Some(known) => self.built_in(scope, known, arguments, span),
            None => self.unknown_function(function, span),
        }
    }

    /// Only delayed states are called with an index.
    fn indexed_call(&mut self, called: &tree::Reference, span: Span) -> Option<Quantity> {
        let name = &called.name.text;
        self.report(
            Diagnostic::new(
                Code::UnknownFunction,
                format!("`{name}` with an index is not a function"),
            )
            .at(span, "reads like a call")
            .help(format!("if a product is meant, write `{name}[...]*(...)`")),
        )
    }

    // Not within expressions, which are followed deep down: its own needs would add to each.
    #[cold]
    #[inline(never)]
    fn unknown_function(&mut self, function: &tree::Name, span: Span) -> Option<Quantity> {
        let text = &function.text;
        if self.names.get(text).is_some() {
            return self.report(
                Diagnostic::new(
                    Code::UnknownFunction,
                    format!("`{text}` is {}, not a function", self.names.describe(text)),
                )
                .at(span, "reads like a call")
                .help(format!("if a product is meant, write `{text}*(...)`")),
            );
        }
        let diagnostic = Diagnostic::new(
            Code::UnknownFunction,
            format!("there is no function `{text}`"),
        )
        .at(function.span, "not known");
        let functions = self.names.functions().iter().map(|f| f.name.text.as_str());
        let known = Builtin::all().map(|builtin| builtin.name).chain(functions);
        let help = match (other_function(text), closest(text, known)) {
            (Some(advice), _) => advice.to_owned(),
            (None, Some(known)) => format!("did you mean `{known}`?"),
            (None, None) => format!("define it, as in `fn {text}(x) = x^2`"),
        };
        self.report(diagnostic.help(help))
    }

    fn arity(
        &mut self,
        name: &str,
        expected: Arity,
        found: usize,
        span: Span,
        help: String,
    ) -> Option<Quantity> {
        let wanted = match expected {
            Arity::Exactly(1) => "1 argument".to_owned(),
            Arity::Exactly(n) => format!("{n} arguments"),
            Arity::AtLeast(n) => format!("at least {n} arguments"),
        };
        self.report(
            Diagnostic::new(Code::Arity, format!("`{name}` takes {wanted}, not {found}"))
                .at(span, "")
                .help(help),
        )
    }

    fn own_function(
        &mut self,
        scope: &Scope,
        id: FunctionId,
        arguments: &[tree::Argument],
        span: Span,
    ) -> Option<Quantity> {
        let names = self.names;
        let function = names.function(id);
        let parameters: Vec<&str> = function
            .parameters
            .iter()
            .map(|known| known.text.as_str())
            .collect();
        // Look at all arguments before one at fault ends the work.
        let values: Vec<Option<Quantity>> = arguments
            .iter()
            .map(|argument| self.expression(scope, &argument.value))
            .collect();
        if parameters.len() != arguments.len() {
            let expected = Arity::Exactly(parameters.len());
            let name = &function.name.text;
            let help = format!("it is declared as `fn {name}({})`", parameters.join(", "));
            return self.arity(name, expected, arguments.len(), span, help);
        }
        let mut slots: Vec<Option<Quantity>> = vec![None; parameters.len()];
        let mut taken = vec![false; parameters.len()];
        for (position, (argument, value)) in arguments.iter().zip(values).enumerate() {
            let slot = match &argument.name {
                None => position,
                Some(name) => match parameters.iter().position(|known| *known == name.text) {
                    Some(slot) => slot,
                    None => return self.unknown_parameter(function, name),
                },
            };
            if std::mem::replace(&mut taken[slot], true) {
                return self.report(
                    Diagnostic::new(
                        Code::Arity,
                        format!("`{}` is given twice", parameters[slot]),
                    )
                    .at(argument.value.span, "again here")
                    .help("arguments with names come after those without"),
                );
            }
            slots[slot] = value;
        }
        let values = slots.into_iter().collect::<Option<Vec<_>>>()?;
        self.expand(id, values, span)
    }

    fn unknown_parameter(
        &mut self,
        function: &super::Function,
        wrong: &tree::Name,
    ) -> Option<Quantity> {
        let known: Vec<&str> = function
            .parameters
            .iter()
            .map(|known| known.text.as_str())
            .collect();
        let help = match closest(&wrong.text, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its parameters are {}", listed(&known)),
        };
        self.report(
            Diagnostic::new(
                Code::UnknownName,
                format!("`{}` has no parameter `{}`", function.name.text, wrong.text),
            )
            .at(wrong.span, "not known")
            .help(help),
        )
    }

    /// A value for a quantity of a known shape: there `diagonal(1)` is the whole diagonal.
    pub(super) fn number_for(
        &mut self,
        scope: &Scope,
        value: &tree::Expr,
        sets: &[IndexSetId],
        wanted: Shape,
    ) -> Option<Expr> {
        if let ExprKind::Read { numbers, .. } = &value.kind {
            let read = numbers.as_ref()?;
            return self.labelled(read, sets, value.span);
        }
        if let Shape::Matrix(rows, columns) = wanted
            && rows == columns
            && let ExprKind::Call {
                function,
                arguments,
            } = &value.kind
            && function.name.text == "diagonal"
            && let [argument] = arguments.as_slice()
        {
            let along = self.number(scope, &argument.value)?;
            if self.pool.shape(along) == Shape::Scalar {
                let vector = self.pool.fill(along, Shape::Vector(rows));
                return self.pool.diagonal(vector).ok();
            }
        }
        self.number(scope, value)
    }

    /// A single number has no diagonal unless the shape is known.
    fn diagonal_of_number(&mut self, argument: &tree::Argument, span: Span) -> Option<Quantity> {
        self.report(
            Diagnostic::new(Code::ShapeMismatch, "`diagonal` needs a vector here")
                .at(span, "")
                .at(argument.value.span, "this is a number")
                .help("a number is spread along the diagonal where the shape is declared, as in `param C[gene, gene] = diagonal(1)`"),
        )
    }

    fn built_in(
        &mut self,
        scope: &Scope,
        function: &'static Builtin,
        arguments: &[tree::Argument],
        span: Span,
    ) -> Option<Quantity> {
        if let Some(name) = arguments.iter().find_map(|argument| argument.name.as_ref()) {
            return self.report(
                Diagnostic::new(
                    Code::Arity,
                    format!("`{}` takes its arguments without names", function.name),
                )
                .at(name.span, ""),
            );
        }
        if !function.arity.accepts(arguments.len()) {
            let help = format!("`{}`: {}", function.name, function.description);
            return self.arity(function.name, function.arity, arguments.len(), span, help);
        }
        match function.operation {
            Operation::Gradient => return self.gradient(scope, arguments, span),
            Operation::Amount => return self.amount(scope, arguments),
            _ => {}
        }
        let mut values = Vec::with_capacity(arguments.len());
        let mut complete = true;
        for argument in arguments {
            match self.number(scope, &argument.value) {
                Some(value) => values.push(value),
                None => complete = false,
            }
        }
        if !complete {
            return None;
        }
        if let (Operation::Array(ArrayFunction::Diagonal), [single], [argument]) =
            (function.operation, values.as_slice(), arguments)
            && self.pool.shape(*single) == Shape::Scalar
        {
            return self.diagonal_of_number(argument, span);
        }
        match function.call(self.pool, &values) {
            Ok(expr) => Some(Quantity::number(expr)),
            Err(error) => self.call_error(function, arguments, &values, error, span),
        }
    }

    fn call_error(
        &mut self,
        function: &Builtin,
        arguments: &[tree::Argument],
        values: &[Expr],
        error: CallError,
        span: Span,
    ) -> Option<Quantity> {
        if let CallError::Arity { expected, found } = error {
            let help = format!("`{}`: {}", function.name, function.description);
            return self.arity(function.name, expected, found, span, help);
        }
        let mut diagnostic = Diagnostic::new(
            Code::ShapeMismatch,
            format!("`{}` does not take such shapes", function.name),
        )
        .at(span, "");
        for (argument, value) in arguments.iter().zip(values) {
            diagnostic = diagnostic.at(
                argument.value.span,
                format!("this is {}", self.pool.shape(*value)),
            );
        }
        self.report(diagnostic.help(format!("`{}`: {}", function.name, function.description)))
    }

    /// `grad(loss, w)`: the second argument names what the loss is differentiated by.
    fn gradient(
        &mut self,
        scope: &Scope,
        arguments: &[tree::Argument],
        span: Span,
    ) -> Option<Quantity> {
        let [of, by] = arguments else { return None };
        let of_expr = self.scalar(scope, &of.value);
        let name = match &by.value.kind {
            ExprKind::Reference(reference) if reference.indices.is_empty() => &reference.name,
            _ => {
                return self.report(
                    Diagnostic::new(
                        Code::WrongKind,
                        "`grad` needs a name as its second argument",
                    )
                    .at(by.value.span, "")
                    .help("as in `grad(loss, w)`"),
                );
            }
        };
        match self.names.get(&name.text) {
            Some(Entity::Parameter(_) | Entity::State(_) | Entity::Time) => {}
            Some(_) => {
                return self.report(
                    Diagnostic::new(
                        Code::WrongKind,
                        format!("`{}` is {}", name.text, self.names.describe(&name.text)),
                    )
                    .at(name.span, "not something to differentiate by")
                    .help("a gradient is taken by a parameter, a state or the time"),
                );
            }
            None => return self.unknown_name(name),
        }
        let symbol = self.names.symbol(&name.text)?;
        let of_expr = of_expr?;
        if symbolic::gradient_depth(self.pool, of_expr, |_| 0) >= MOST_GRADIENTS {
            return self.report(too_many_gradients(span));
        }
        let gradient = self.pool.gradient(of_expr, symbol);
        Some(Quantity::number(gradient))
    }

    /// `amount(C)`: concentration times the volume of its compartment.
    fn amount(&mut self, scope: &Scope, arguments: &[tree::Argument]) -> Option<Quantity> {
        let [argument] = arguments else { return None };
        let ExprKind::Reference(reference) = &argument.value.kind else {
            return self.report(
                Diagnostic::new(Code::WrongKind, "`amount` needs the name of a species")
                    .at(argument.value.span, "")
                    .help("as in `amount(C1)`"),
            );
        };
        let value = self.number(scope, &argument.value)?;
        match self.names.get(&reference.name.text) {
            Some(Entity::State(_)) => {}
            Some(_) => {
                return self.report(
                    Diagnostic::new(
                        Code::WrongKind,
                        format!(
                            "`{}` is {}, not a species",
                            reference.name.text,
                            self.names.describe(&reference.name.text)
                        ),
                    )
                    .at(reference.span, "no amount")
                    .help("`amount(C)` is the concentration of a species times the volume of its compartment"),
                );
            }
            None => return None,
        }
        let Some(volume) = self.names.compartment(&reference.name.text) else {
            // Without a compartment the species is its own amount.
            return Some(Quantity::number(value));
        };
        let volume = self.volume_symbol(volume)?;
        let product = self.pool.binary(Binary::Multiply, value, volume).ok()?;
        debug_assert_eq!(self.pool.shape(volume), Shape::Scalar);
        Some(Quantity::number(product))
    }

    fn volume_symbol(&mut self, volume: ParameterId) -> Option<Expr> {
        let symbol = self.names.parameters.get(volume.index())?.symbol?;
        Some(self.pool.symbol(symbol))
    }
}

/// `t - ...`, by itself: a time in the past.
fn goes_back(arguments: &[tree::Argument], known: &[&str]) -> bool {
    let [only] = arguments else { return false };
    let mut first = &only.value;
    while let ExprKind::Binary {
        operator: tree::BinaryOperator::Subtract | tree::BinaryOperator::Add,
        left,
        ..
    } = &first.kind
    {
        first = left;
    }
    matches!(&first.kind, ExprKind::Reference(time) if known.contains(&time.name.text.as_str()))
}
