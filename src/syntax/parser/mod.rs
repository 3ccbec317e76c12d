//! Reads statements with the pest grammar and builds the tree.
//!
//! Enters: the pieces of a text, as the splitter cut it. Leaves: statements, and a diagnostic for
//! each fault. Only the files of this folder know pest and its rules. Must not know what names mean.
//!
//! A reader never stops at a fault inside a statement: it notes it, puts something in its place, and
//! the statement is dropped at the end. So one statement may report several faults of meaning
//! (reserved words, numbers), though only one of grammar.

mod declarations;
mod dynamics;
mod expected;
mod expressions;
mod memory;
mod sentences;
mod values;

pub use expressions::MAX_DEPTH;
pub use memory::Memory;

use super::classify::{Class, classify};
use super::diagnose;
use super::split::{Chunk, Piece, Split};
use super::tree::{Expr, File, Name, Statement, StatementKind};
use super::words::{VALUES, is_reserved};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{SourceId, Span};
use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::{Pair, Pairs};
use std::cell::RefCell;

/// What pest makes of `grammar/lotka.pest`.
#[derive(pest_derive::Parser)]
#[grammar = "grammar/lotka.pest"]
struct Grammar;

/// Where a text comes from: some statements are for the prompt only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File,
    /// A line, or several, at the prompt.
    Prompt,
}

/// Reads all pieces of a text. `split` gives up its diagnostics, which come first.
pub fn read(
    source: SourceId,
    text: &str,
    split: Split,
    place: Place,
    mut memory: Option<&mut Memory>,
) -> (File, Vec<Diagnostic>) {
    let mut again = memory.as_mut().map(|memory| memory.reread(source));
    let mut read_chunk = |chunk: &Chunk, place, head, diagnostics: &mut Vec<Diagnostic>| {
        let mut read = || read_chunk(source, text, chunk, place, head, diagnostics);
        match &mut again {
            Some(again) if !chunk.faulty => {
                let own = text.get(chunk.start..chunk.end)?;
                again.recall(own, chunk.start, head, read)
            }
            _ => read(),
        }
    };
    let mut diagnostics = split.diagnostics;
    let mut frames: Vec<Frame> = Vec::new();
    let mut file = File::default();
    for piece in split.pieces {
        match piece {
            Piece::Statement(chunk) => {
                let place = if frames.is_empty() {
                    place
                } else {
                    Place::File
                };
                if let Some(kind) = read_chunk(&chunk, place, false, &mut diagnostics) {
                    let statement = Statement {
                        span: Span::new(source, chunk.start, chunk.end),
                        doc: chunk.doc,
                        kind,
                    };
                    push(&mut frames, &mut file, statement);
                }
            }
            Piece::Open(chunk) => {
                let head = read_chunk(&chunk, place, true, &mut diagnostics);
                frames.push(Frame {
                    head,
                    chunk,
                    body: Vec::new(),
                });
            }
            Piece::Close(end) => {
                if let Some(statement) = frames.pop().and_then(|frame| frame.close(source, end)) {
                    push(&mut frames, &mut file, statement);
                }
            }
        }
    }
    if let (Some(memory), Some(again)) = (memory, again) {
        memory.keep(again);
    }
    diagnostics.sort_by_key(|problem| problem.labels.first().map(|label| label.span.start));
    (file, diagnostics)
}

/// A block whose end has not come yet.
struct Frame {
    /// Its statement with an empty body, unless the head is faulty.
    head: Option<StatementKind>,
    chunk: Chunk,
    body: Vec<Statement>,
}

impl Frame {
    fn close(self, source: SourceId, end: usize) -> Option<Statement> {
        let mut kind = self.head?;
        match &mut kind {
            StatementKind::When { body, .. }
            | StatementKind::At { body, .. }
            | StatementKind::Every { body, .. }
            | StatementKind::Condition { body, .. }
            | StatementKind::For { body, .. } => *body = self.body,
            _ => return None,
        }
        Some(Statement {
            span: Span::new(source, self.chunk.start, end),
            doc: self.chunk.doc,
            kind,
        })
    }
}

fn push(frames: &mut [Frame], file: &mut File, statement: Statement) {
    match frames.last_mut() {
        Some(frame) => frame.body.push(statement),
        None => file.statements.push(statement),
    }
}

/// Reads one statement, or the head of a block when `head` is set.
fn read_chunk(
    source: SourceId,
    text: &str,
    chunk: &Chunk,
    place: Place,
    head: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<StatementKind> {
    if chunk.faulty {
        return None;
    }
    let reader = Reader::new(source, chunk.start, text.get(chunk.start..chunk.end)?);
    let kind = reader.statement(chunk.arrow, place, head);
    let mut problems = reader.problems.into_inner();
    let good = problems.is_empty();
    diagnostics.append(&mut problems);
    kind.filter(|_| good)
}

/// Reads a text that is one expression.
///
/// # Errors
///
/// All faults found in it.
pub fn read_expression(
    source: SourceId,
    text: &str,
    chunk: &Chunk,
) -> Result<Expr, Vec<Diagnostic>> {
    let text = text.get(chunk.start..chunk.end).unwrap_or("");
    let reader = Reader::new(source, chunk.start, text);
    let expression = reader
        .entry(Rule::expression_line)
        .map(|mut inner| reader.next_ranged(&mut inner));
    let problems = reader.problems.into_inner();
    match expression {
        Some(expression) if problems.is_empty() => Ok(expression),
        _ => Err(problems),
    }
}

/// Reads one statement; the faults gather in `problems`.
struct Reader<'a> {
    source: SourceId,
    /// Where the statement begins in its source.
    base: usize,
    text: &'a str,
    problems: RefCell<Vec<Diagnostic>>,
}

impl<'a> Reader<'a> {
    fn new(source: SourceId, base: usize, text: &'a str) -> Reader<'a> {
        Reader {
            source,
            base,
            text,
            problems: RefCell::new(Vec::new()),
        }
    }

    fn statement(&self, arrow: bool, place: Place, head: bool) -> Option<StatementKind> {
        match classify(self.text, arrow) {
            Class::Declaration(word) => self.declaration(word, head),
            Class::Instance => self.use_line(),
            Class::Equation => self.equation(),
            Class::Zero => self.zero(),
            Class::Reaction => self.reaction(),
            Class::Load(path) => Some(self.load(path)),
            Class::Words => self.words_sentence(),
            Class::Sentence => self.sentence(),
            Class::Expression => self.bare_expression(place),
            Class::Reserved(length) => {
                self.reserved(self.text.get(..length)?, self.span(0, length));
                None
            }
            Class::Unknown(length) => {
                let word = self.text.get(..length)?;
                let rest = self.text.get(length..)?;
                self.problem(diagnose::unknown_word(word, rest, self.span(0, length)));
                None
            }
        }
    }

    /// Reads the statement by one entry of the grammar and gives what it consists of.
    fn entry(&self, rule: Rule) -> Option<Pairs<'a, Rule>> {
        match Grammar::parse(rule, self.text) {
            Ok(mut pairs) => pairs.next().map(Pair::into_inner),
            Err(error) => {
                self.explain(&error);
                None
            }
        }
    }

    /// Turns pest's fault into a diagnostic.
    fn explain(&self, error: &pest::error::Error<Rule>) {
        let at = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
        let problem = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => {
                let expected = expected::words(positives);
                diagnose::syntax_error(&diagnose::Fault {
                    text: self.text,
                    at,
                    expected: &expected,
                    source: self.source,
                    base: self.base,
                })
            }
            // Pest gives up like this when the stack runs out, which the splitter's bound on the
            // nesting should prevent on all but the smallest stacks.
            ErrorVariant::CustomError { .. } => {
                Diagnostic::new(Code::TooDeep, "this is nested too deeply")
                    .at(self.span(0, self.text.len()), "")
                    .help("name inner parts with `let`")
            }
        };
        self.problem(problem);
    }

    // ---- small things shared by all concerns ----

    /// The span of bytes `start..end` of the statement.
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, self.base + start, self.base + end)
    }

    /// From a pair's start to the end of its last token. Pest's own span of a rule that ends with
    /// something optional takes the blanks after it along.
    fn span_of(&self, pair: &Pair<'_, Rule>) -> Span {
        let start = pair.as_span().start();
        let mut last = pair.clone();
        while let Some(inner) = last.clone().into_inner().next_back() {
            last = inner;
        }
        self.span(start, last.as_span().end())
    }

    fn problem(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    fn reserved(&self, word: &str, span: Span) {
        self.problem(diagnose::reserved_word(word, span));
    }

    /// A name as written, whatever it is.
    fn any_name(&self, pair: &Pair<'_, Rule>) -> Name {
        Name {
            text: pair.as_str().replace('`', ""),
            span: self.span_of(pair),
        }
    }

    /// A name that is declared here: no reserved word, no dots.
    fn declared_name(&self, pair: &Pair<'_, Rule>) -> Name {
        let name = self.any_name(pair);
        self.check_declared(&name, pair.as_str());
        name
    }

    fn check_declared(&self, name: &Name, written: &str) {
        if is_forbidden(written, &name.text) {
            self.reserved(&name.text, name.span);
        } else if !written.starts_with('`') && written.contains('.') {
            let problem = Diagnostic::new(Code::Unexpected, "a declared name has no dots")
                .at(name.span, "dots are for the names of an instance")
                .help(format!("write `{}`", written.replace('.', "_")));
            self.problem(problem);
        }
    }

    /// Reports a reserved word that is used as a value.
    fn check_used(&self, written: &str, span: Span) {
        if is_reserved(written) && !VALUES.contains(&written) {
            self.reserved(written, span);
        }
    }
}

/// A reserved word without backquotes; and `t` and `pi` even with them, for the tree would not tell
/// such names from the values.
fn is_forbidden(written: &str, name: &str) -> bool {
    is_reserved(written) || VALUES.contains(&name)
}
