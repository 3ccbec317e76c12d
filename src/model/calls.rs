//! Calls of built-in functions, of functions written with `fn`, and of things that are neither.

use super::elaborate::{Elaborator, Quantity, Scope};
use super::names::Entity;
use super::{FunctionId, ParameterId};
use crate::diagnostic::{Code, Diagnostic, closest};
use crate::source::Span;
use crate::symbolic::{Arity, Binary, Builtin, CallError, Expr, Operation, Shape};
use crate::syntax::tree::{self, ExprKind};

impl Elaborator<'_> {
    pub(super) fn call(
        &mut self,
        scope: &Scope,
        function: &tree::Name,
        arguments: &[tree::Argument],
        span: Span,
    ) -> Option<Quantity> {
        match self.names.get(&function.text) {
            Some(Entity::Function(id)) => return self.own_function(scope, id, arguments, span),
            Some(Entity::State(_)) => {
                return self.report(
                    super::collect::not_modelled("delays").at(span, "a state at another time"),
                );
            }
            _ => {}
        }
        match Builtin::find(&function.text) {
            Some(known) => self.built_in(scope, known, arguments, span),
            None => self.unknown_function(function, span),
        }
    }

    fn unknown_function(&mut self, function: &tree::Name, span: Span) -> Option<Quantity> {
        let text = &function.text;
        let diagnostic = Diagnostic::new(
            Code::UnknownFunction,
            format!("there is no function `{text}`"),
        )
        .at(function.span, "");
        if let Some(entity) = self.names.get(text) {
            return self.report(
                diagnostic
                    .at(span, format!("`{text}` is {}", entity.describe()))
                    .help(format!("if a product is meant, write `{text}*(...)`")),
            );
        }
        let functions = self.names.functions().iter().map(|f| f.name.text.as_str());
        let known = Builtin::all().map(|builtin| builtin.name).chain(functions);
        let help = match text.as_str() {
            "ln" => Some("log"),
            "power" | "pow" => Some("x^y"),
            _ => closest(text, known),
        };
        self.report(diagnostic.help(match help {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("define it, as in `fn {text}(x) = x^2`"),
        }))
    }

    fn arity(&mut self, name: &str, expected: Arity, found: usize, span: Span) -> Option<Quantity> {
        let wanted = match expected {
            Arity::Exactly(1) => "1 argument".to_owned(),
            Arity::Exactly(n) => format!("{n} arguments"),
            Arity::AtLeast(n) => format!("at least {n} arguments"),
        };
        self.report(
            Diagnostic::new(Code::Arity, format!("`{name}` takes {wanted}, not {found}"))
                .at(span, ""),
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
        if function.parameters.len() != arguments.len() {
            let expected = Arity::Exactly(function.parameters.len());
            return self.arity(&function.name.text, expected, arguments.len(), span);
        }
        let mut values = vec![None; arguments.len()];
        for (position, argument) in arguments.iter().enumerate() {
            let value = self.expression(scope, &argument.value);
            let slot = match &argument.name {
                None => Some(position),
                Some(name) => function
                    .parameters
                    .iter()
                    .position(|known| known.text == name.text),
            };
            match (slot, &argument.name) {
                (Some(slot), _) => values[slot] = value,
                (None, name) => {
                    let known = function.parameters.iter().map(|known| known.text.as_str());
                    let wrong = name.as_ref().map_or("", |name| name.text.as_str());
                    let mut diagnostic = Diagnostic::new(
                        Code::UnknownName,
                        format!("`{}` has no parameter `{wrong}`", function.name.text),
                    )
                    .at(name.as_ref().map_or(span, |name| name.span), "");
                    if let Some(near) = closest(wrong, known) {
                        diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
                    }
                    return self.report(diagnostic);
                }
            }
        }
        let values = values.into_iter().collect::<Option<Vec<_>>>()?;
        self.expand(id, values)
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
            return self.arity(function.name, function.arity, arguments.len(), span);
        }
        match function.operation {
            Operation::Gradient => return self.gradient(scope, arguments),
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
            return self.arity(function.name, expected, found, span);
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
    fn gradient(&mut self, scope: &Scope, arguments: &[tree::Argument]) -> Option<Quantity> {
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
            Some(entity) => {
                return self.report(
                    Diagnostic::new(
                        Code::WrongKind,
                        format!("`{}` is {}", name.text, entity.describe()),
                    )
                    .at(
                        name.span,
                        "a gradient is taken by a parameter, a state or the time",
                    ),
                );
            }
            None => return self.unknown_name(name),
        }
        let symbol = self.names.symbol(&name.text)?;
        let gradient = self.pool.gradient(of_expr?, symbol);
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
            Some(entity) => {
                return self.report(
                    Diagnostic::new(
                        Code::WrongKind,
                        format!(
                            "`{}` is {}, not a species",
                            reference.name.text,
                            entity.describe()
                        ),
                    )
                    .at(reference.span, ""),
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
