//! Doses: what is given, where it goes and when.
//!
//! Enters: `dose 100 into depot every 12`, wherever it stands. Leaves: a [`Dose`]. Amounts become
//! concentrations later; tables are read by whoever runs the model.

use super::clauses::Clauses;
use super::collect::Draft;
use super::elaborate::{Local, Quantity, Scope};
use super::names::Entity;
use super::schedules::{Sense, optional};
use super::walk::each_name;
use super::{ConditionId, Dose, DoseTable, Schedule, StateId};
use crate::diagnostic::{Code, Diagnostic, listed};
use crate::source::Span;
use crate::symbolic::{Expr, Shape, SymbolId};
use crate::syntax::tree::{self, ExprKind};

/// The columns of a dose table.
const COLUMNS: &[&str] = &[
    "ID", "TIME", "AMT", "EVID", "CMT", "RATE", "II", "ADDL", "SS",
];

/// The word for a row's amount.
const AMOUNT: &str = "AMT";

/// Where a dose is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given {
    /// The condition around it.
    pub within: Option<ConditionId>,
    /// In the block of an event, which says when.
    pub by_event: bool,
}

impl<'t> Draft<'t> {
    pub(super) fn dose(
        &mut self,
        given: Given,
        scope: &Scope,
        amount: &tree::Expr,
        options: &'t [tree::SentenceOption],
        span: Span,
    ) -> Option<Dose> {
        let mut clauses = Clauses::new("a dose", options);
        let table = clauses.table();
        let into = clauses.value("into");
        let over = match &table {
            None => clauses.value("over"),
            Some(_) => {
                clauses.refuse(
                    "over",
                    "the table says how long a dose takes",
                    "its column RATE is the amount per time; 0 is at once",
                );
                None
            }
        };
        let lag = clauses.value("lag");
        let schedule = match table {
            Some((path, columns)) => self.table_schedule(given, path, columns, &mut clauses),
            None if given.by_event => {
                refuse_times(
                    &mut clauses,
                    "the block around this dose says when it is given",
                    "write the dose outside of the block to give it times of its own",
                );
                Some(Schedule::Event)
            }
            None => self.own_schedule(scope, &mut clauses),
        };
        let steady = self.steady(schedule.as_ref(), &mut clauses);
        self.diagnostics.extend(clauses.finish());
        let symbol = match &schedule {
            Some(Schedule::Table(table)) => Some(table.amount),
            _ => None,
        };
        let amount = self.dose_amount(scope, amount, symbol);
        let target = match into {
            Some(into) => self.dosed(scope, into).map(Some),
            None if symbol.is_some() => Some(None),
            None if options.iter().any(|option| option.word.text == "into") => None,
            None => self.goes_nowhere(span),
        };
        let duration = over.map(|over| self.sensible(scope, "a duration", over, Sense::Positive));
        let lag = lag.map(|lag| self.sensible(scope, "a lag", lag, Sense::NotNegative));
        Some(Dose {
            span,
            within: given.within,
            amount: amount?,
            into: target?,
            schedule: schedule?,
            duration: optional(duration)?,
            lag: optional(lag)?,
            steady,
        })
    }

    fn own_schedule(&mut self, scope: &Scope, clauses: &mut Clauses<'t>) -> Option<Schedule> {
        let at = clauses.take("at");
        if let Some(period) = clauses.value("every") {
            if let Some(at) = at {
                clauses.problems.push(
                    Diagnostic::new(Code::BadEvent, "`at` and `every` do not go together")
                        .at(at.span, "at these times")
                        .at(period.span, "again and again")
                        .help("the first time of a repeated dose is written `every 12 from 6`"),
                );
            }
            let repeat = self.repeat(scope, period, clauses)?;
            return Some(Schedule::Every(repeat));
        }
        for word in ["from", "times", "until"] {
            clauses.refuse(
                word,
                &format!("`{word}` says more about `every`, which is not there"),
                "as in `every 12 from 0 times 7`; single times are written `at 0, 12`",
            );
        }
        match at {
            Some(at) if at.values.is_empty() => {
                clauses.problems.push(
                    Diagnostic::new(Code::BadOption, "`at` needs a value")
                        .at(at.span, "nothing follows")
                        .help("as in `at 0, 12, 24`"),
                );
                None
            }
            Some(at) => self.times(scope, &at.values).map(Schedule::At),
            None => {
                let start = self.pool.constant(self.time.start);
                Some(Schedule::At(vec![start]))
            }
        }
    }

    fn table_schedule(
        &mut self,
        given: Given,
        path: tree::Text,
        columns: Vec<(tree::Name, tree::Name)>,
        clauses: &mut Clauses<'t>,
    ) -> Option<Schedule> {
        refuse_times(
            clauses,
            "the table says when its doses are given",
            "its columns TIME, II and ADDL hold the times; a dose of its own takes a line of its own",
        );
        if given.by_event {
            clauses.problems.push(
                Diagnostic::new(
                    Code::BadEvent,
                    "the doses of a table have times of their own",
                )
                .at(path.span, "a table in the block of an event")
                .help("write it outside of the block"),
            );
        }
        for (here, _) in &columns {
            if !COLUMNS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&here.text))
            {
                clauses.problems.push(
                    Diagnostic::new(
                        Code::BadOption,
                        format!("`{}` is no column of a dose table", here.text),
                    )
                    .at(here.span, "not known")
                    .help(format!("the columns are {}", listed(COLUMNS))),
                );
            }
        }
        let amount = *self
            .amount
            .get_or_insert_with(|| self.pool.new_symbol(AMOUNT, Shape::Scalar));
        Some(Schedule::Table(DoseTable {
            path,
            columns,
            amount,
        }))
    }

    fn steady(&mut self, schedule: Option<&Schedule>, clauses: &mut Clauses<'t>) -> bool {
        let Some(span) = clauses.flag("steady") else {
            return false;
        };
        let help = match schedule {
            Some(Schedule::Every(_)) | None => return true,
            Some(Schedule::Table(_)) => "the table's column SS says so, dose by dose",
            Some(Schedule::Event) => "write the dose outside of the block, with `every`",
            Some(Schedule::At(_)) => "as in `dose 100 into depot every 12 steady`",
        };
        clauses.problems.push(
            Diagnostic::new(
                Code::BadEvent,
                "a steady state belongs to a dose that is repeated with `every`",
            )
            .at(span, "this dose is not")
            .help(help),
        );
        true
    }

    /// The amount; in that of a table `AMT` is what its row says.
    fn dose_amount(
        &mut self,
        scope: &Scope,
        written: &tree::Expr,
        table: Option<SymbolId>,
    ) -> Option<Expr> {
        let mut names_amount = false;
        each_name(written, &mut |name| names_amount |= name == AMOUNT);
        let Some(symbol) = table else {
            if names_amount && self.names.get(AMOUNT).is_none() {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::BadEvent,
                        "`AMT` is what a row of a dose table says, and this dose has no table",
                    )
                    .at(written.span, "no table")
                    .help(
                        "name the table, as in `dose AMT from \"doses.csv\"`, or write an amount",
                    ),
                );
                return None;
            }
            return self.sensible(scope, "an amount", written, Sense::Finite);
        };
        if !names_amount {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::BadEvent,
                    "the amount of a dose from a table names `AMT`, what a row of the table says",
                )
                .at(written.span, "no `AMT` here")
                .help("as in `dose AMT from \"doses.csv\"` or `dose AMT*F from \"doses.csv\"`"),
            );
            return None;
        }
        let mut column = None;
        each_name(written, &mut |name| {
            let is_column = COLUMNS.contains(&name) && name != AMOUNT;
            if is_column && self.names.get(name).is_none() {
                column = Some(name.to_owned());
            }
        });
        if let Some(column) = column {
            let message = format!("`{column}` is not declared");
            self.diagnostics.push(
                Diagnostic::new(Code::UnknownName, message)
                    .at(written.span, "a column of the table is no name of the model")
                    .help("a row's `AMT` alone can stand here; for compartments that take different shares write a dose for each, with a table of its rows"),
            );
            return None;
        }
        let value = Quantity::number(self.pool.symbol(symbol));
        let inner = scope.with(AMOUNT, Local::Argument(value));
        self.sensible(&inner, "an amount", written, Sense::Finite)
    }

    fn goes_nowhere(&mut self, span: Span) -> Option<Option<(StateId, u32)>> {
        let help = match self.dosable() {
            Some(names) => format!(
                "write where, as in `into {}`; {names}",
                self.first_dosable()
            ),
            None => "write where, as in `into depot`".to_owned(),
        };
        self.diagnostics.push(
            Diagnostic::new(Code::MissingArgument, "a dose goes into something")
                .at(span, "no `into`")
                .help(help),
        );
        None
    }

    /// The number of the state that `into` names.
    fn dosed(&mut self, scope: &Scope, into: &tree::Expr) -> Option<(StateId, u32)> {
        let Some(target) = target_of(into) else {
            let problem = Diagnostic::new(
                Code::NotDosable,
                "a dose goes into a state or a species, which stands by its name",
            )
            .at(into.span, "not a name");
            return self.not_dosable(problem, None);
        };
        let name = &target.name.text;
        match self.names.get(name) {
            Some(Entity::State(state)) if self.algebraic.contains(&state) => {
                let problem = Diagnostic::new(
                    Code::NotDosable,
                    format!("`{name}` follows from the constraints and takes no dose"),
                )
                .at(target.span, "an algebraic state");
                self.not_dosable(problem, None)
            }
            Some(Entity::State(state)) => {
                let element = self.with_elaborator(|e| e.single_element(scope, &target))?;
                let symbol = self.names.states[state.index()].symbol?;
                let is_single = self.pool.symbol_data(symbol).shape == Shape::Scalar;
                if element.is_none() && !is_single {
                    self.diagnostics.push(
                        Diagnostic::new(
                            Code::NotDosable,
                            format!("`{name}` is a vector: a dose goes into one element of it"),
                        )
                        .at(target.span, "which one?")
                        .help(format!(
                            "as in `into {name}[1]`; for all of them write a loop, `for i in 1..3 {{ dose 1 into {name}[i] }}`"
                        )),
                    );
                    return None;
                }
                let element = u32::try_from(element.unwrap_or(0)).unwrap_or(u32::MAX);
                Some((state, element))
            }
            _ if self.names.is_disputed(name) => None,
            Some(_) => {
                let problem = Diagnostic::new(
                    Code::NotDosable,
                    format!(
                        "`{name}` is {} and takes no dose",
                        self.names.describe(name)
                    ),
                )
                .at(target.span, "neither a state nor a species");
                self.not_dosable(problem, None)
            }
            None if self.names.is_refused(name) => None,
            None => {
                let near = self
                    .names
                    .closest(name, |entity| matches!(entity, Entity::State(_)))
                    .map(|known| format!("did you mean `{known}`?"));
                let problem =
                    Diagnostic::new(Code::NotDosable, format!("`{name}` is not declared"))
                        .at(target.span, "not known");
                self.not_dosable(problem, near)
            }
        }
    }

    fn not_dosable<T>(&mut self, problem: Diagnostic, help: Option<String>) -> Option<T> {
        let help = help.or_else(|| self.dosable());
        self.diagnostics.push(match help {
            Some(help) => problem.help(help),
            None => problem.help("declare a state or species for it, as in `species depot = 0`"),
        });
        None
    }

    /// What can be dosed, as a sentence.
    fn dosable(&self) -> Option<String> {
        const MOST: usize = 12;
        let names: Vec<String> = self
            .dosable_names()
            .map(|name| format!("`{name}`"))
            .collect();
        match names.len() {
            0 => None,
            1..=MOST => Some(format!("what can be dosed is {}", listed(&names))),
            _ => Some("what can be dosed are states and species".to_owned()),
        }
    }

    fn first_dosable(&self) -> &str {
        self.dosable_names().next().unwrap_or("depot")
    }

    fn dosable_names(&self) -> impl Iterator<Item = &str> {
        self.states
            .iter()
            .enumerate()
            .filter(|(at, _)| !self.algebraic.contains(&StateId::new(*at)))
            .map(|(_, state)| state.name.as_str())
    }
}

/// A name, or a name with primes: `theta'` is a state of its own.
pub(super) fn target_of(written: &tree::Expr) -> Option<tree::Reference> {
    match &written.kind {
        ExprKind::Reference(reference) => Some(reference.clone()),
        ExprKind::Prime { target, order } => Some(primed(target, *order, written.span)),
        _ => None,
    }
}

/// The name with its primes.
pub(super) fn primed(target: &tree::Reference, order: u8, span: Span) -> tree::Reference {
    tree::Reference {
        span,
        name: tree::Name {
            text: format!("{}{}", target.name.text, "'".repeat(order.into())),
            span: target.name.span,
        },
        indices: target.indices.clone(),
    }
}

fn refuse_times(clauses: &mut Clauses<'_>, message: &str, help: &str) {
    for word in ["at", "every", "from", "times", "until"] {
        clauses.refuse(word, message, help);
    }
}
