//! Cuts a text into statements, before any of them is read.
//!
//! Enters: the text of a file, or what was typed at the prompt. Leaves: [`Piece`]s in order
//! (statements, heads of blocks, ends of blocks) and the faults that concern brackets, quotes and
//! nesting. Must not know what a statement says: it looks at brackets, line ends and first words.
//!
//! One loop over the bytes, no recursion, so that no input can exhaust the stack here; and what it
//! lets through is nested at most [`MAX_NESTING`] deep, so that none can in the parser either.

use super::starts;
use super::words::{BLOCKS, continues_name, starts_name};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{SourceId, Span};

/// Brackets, and `if`s that wait for their `else`, that may be open at once in a statement.
pub const MAX_NESTING: usize = 200;

/// Blocks that may be open at once.
pub const MAX_BLOCKS: usize = 50;

/// One statement's place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// First byte of the first token.
    pub start: usize,
    /// One past the last token.
    pub end: usize,
    /// The doc comment before it.
    pub doc: Option<String>,
    /// An arrow stands in it outside of brackets.
    pub arrow: bool,
    /// A fault has been reported already; reading it would only repeat that.
    pub faulty: bool,
}

/// What the text is cut into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A statement without a block.
    Statement(Chunk),
    /// The head of a block, up to its brace.
    Open(Chunk),
    /// The end of the innermost open block: one past its brace.
    Close(usize),
}

/// The cut text.
#[derive(Debug, Default)]
pub struct Split {
    /// Balanced: each `Open` has its `Close`.
    pub pieces: Vec<Piece>,
    /// Faults of brackets, quotes and nesting.
    pub diagnostics: Vec<Diagnostic>,
    /// The text ends within a bracket, a block, or after an operator, and had no other fault.
    pub incomplete: bool,
}

/// What the last token asks of the next line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// Nothing: the line may end the statement.
    Complete,
    /// An operator or arrow wants its right side.
    Operator,
    /// A comma wants the next entry of its list.
    Comma,
}

/// An open bracket, and how many `if`s were open before it.
#[derive(Debug, Clone, Copy)]
struct Bracket {
    mark: char,
    at: usize,
    ifs: usize,
}

/// The statement that is being scanned.
#[derive(Debug)]
struct Current {
    chunk: Chunk,
    /// It began with a word that wants a block.
    wants_block: bool,
    /// It is about words or a path, whose signs are no operators: `help if`, `load models/`.
    takes_words: bool,
    brackets: Vec<Bracket>,
    ifs: usize,
    tail: Tail,
}

/// An open block.
#[derive(Debug)]
struct Block {
    /// Its brace.
    at: usize,
    /// Column of the first token of the line that opened it.
    indent: usize,
    /// Declarations do not belong in it, so one that stands no deeper than the head ends it.
    no_declarations: bool,
}

/// Cuts `text` into statements.
#[must_use]
pub fn split(source: SourceId, text: &str) -> Split {
    let mut scanner = Scanner {
        source,
        text,
        at: 0,
        current: None,
        blocks: Vec::new(),
        docs: Vec::new(),
        closed_on_line: false,
        too_deep: false,
        out: Split::default(),
    };
    scanner.run();
    scanner.out
}

struct Scanner<'a> {
    source: SourceId,
    text: &'a str,
    at: usize,
    current: Option<Current>,
    blocks: Vec<Block>,
    docs: Vec<&'a str>,
    /// A block ended on this line and no `;` came since.
    closed_on_line: bool,
    /// Blocks nested too deeply were reported; what is in them is passed over.
    too_deep: bool,
    out: Split,
}

impl<'a> Scanner<'a> {
    fn run(&mut self) {
        self.line_start();
        while let Some(c) = self.rest().chars().next() {
            match c {
                '\n' => self.newline(),
                '#' => self.comment(),
                ';' => self.semicolon(),
                '"' | '`' => self.quoted(c),
                '(' | '[' | '{' => self.open(c),
                ')' | ']' | '}' => self.close(c),
                _ if starts_name(c) => self.word(),
                _ if c.is_ascii_digit() => self.digits(),
                _ if c.is_whitespace() || c == '\u{FEFF}' => self.at += c.len_utf8(),
                _ => self.symbol(c),
            }
        }
        self.finish_text();
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    // ---- statements ----

    /// The statement that the token at `self.at` belongs to; begins one when there is none.
    fn statement(&mut self) -> &mut Current {
        let (at, rest) = (self.at, self.rest());
        if self.current.is_none() && self.closed_on_line {
            self.closed_on_line = false;
            let message = "a block ends its statement";
            let problem = Diagnostic::new(Code::Unexpected, message)
                .at(
                    self.span(at, at + token_length(rest)),
                    "a new statement begins here",
                )
                .help("begin it on a line of its own, or after `;`");
            self.out.diagnostics.push(problem);
        }
        let docs = &mut self.docs;
        self.current.get_or_insert_with(|| Current {
            chunk: Chunk {
                start: at,
                end: at,
                doc: (!docs.is_empty()).then(|| std::mem::take(docs).join("\n")),
                arrow: false,
                faulty: false,
            },
            wants_block: BLOCKS.contains(&starts::word(rest)),
            takes_words: starts::takes_words(rest),
            brackets: Vec::new(),
            ifs: 0,
            tail: Tail::Complete,
        })
    }

    /// Adds a token of `length` bytes to the statement.
    fn token(&mut self, length: usize, tail: Tail) {
        let end = self.at + length;
        let current = self.statement();
        current.chunk.end = end;
        current.tail = if current.takes_words {
            Tail::Complete
        } else {
            tail
        };
        self.at = end;
    }

    /// Reports a fault of the statement; only its first one counts.
    fn fault(&mut self, problem: Diagnostic) {
        let current = self.statement();
        let first = !current.chunk.faulty;
        current.chunk.faulty = true;
        if first && !self.too_deep {
            self.out.diagnostics.push(problem);
        }
    }

    fn finish(&mut self) {
        if let Some(innermost) = self
            .current
            .as_ref()
            .and_then(|c| c.brackets.last().copied())
        {
            self.fault(self.unclosed(innermost.mark, innermost.at));
        }
        if let Some(current) = self.current.take() {
            self.emit(Piece::Statement(current.chunk));
        }
    }

    fn emit(&mut self, piece: Piece) {
        if self.blocks.len() <= MAX_BLOCKS {
            self.out.pieces.push(piece);
        }
    }

    fn unclosed(&self, mark: char, at: usize) -> Diagnostic {
        let partner = partner(mark);
        Diagnostic::new(Code::UnclosedBracket, format!("`{mark}` is never closed"))
            .at(self.span(at, at + 1), "opened here")
            .help(format!("add the missing `{partner}`"))
    }

    // ---- lines ----

    fn newline(&mut self) {
        self.at += 1;
        self.closed_on_line = false;
        let next = self.rest();
        if let Some(current) = &self.current {
            let goes_on = if !current.brackets.is_empty() {
                !starts::breaks_bracket(next)
            } else {
                match current.tail {
                    Tail::Operator => !starts::breaks_expression(next),
                    Tail::Comma => !starts::breaks_list(next),
                    Tail::Complete if starts::continues_choice(next) => true,
                    Tail::Complete => current.wants_block && starts::opens_brace(next),
                }
            };
            if goes_on && current.brackets.is_empty() && current.tail == Tail::Complete {
                // Straight to it, so that comments before it are looked at once.
                self.at = self.text.len() - starts::skip_blanks(next, true).len();
                return;
            }
            if !goes_on {
                self.finish();
            }
        }
        self.line_start();
    }

    /// Ends blocks that were left open before a declaration that cannot be theirs.
    fn line_start(&mut self) {
        if self.current.is_some() {
            return;
        }
        let indent = indent(self.rest());
        while let Some(block) = self.blocks.last() {
            let outside = block.no_declarations
                && indent <= block.indent
                && starts::declares_outside_blocks(self.rest());
            if !outside {
                break;
            }
            let at = block.at;
            self.report_block(at);
            self.pop_block(self.at);
        }
    }

    fn report_block(&mut self, at: usize) {
        if !self.too_deep {
            self.out.diagnostics.push(self.unclosed('{', at));
        }
    }

    fn comment(&mut self) {
        let line = self.rest().split('\n').next().unwrap_or("");
        let before = self.text.get(..self.at).unwrap_or("");
        let own_line = before.rsplit('\n').next().unwrap_or("").trim().is_empty();
        if let Some(doc) = line.strip_prefix("##")
            && !doc.starts_with('#')
            && own_line
            && self.current.is_none()
        {
            let doc = doc.trim_end();
            self.docs.push(doc.strip_prefix(' ').unwrap_or(doc));
        }
        self.at += line.len();
    }

    fn semicolon(&mut self) {
        match &self.current {
            // Within brackets it is left to the parser, which can say how rows are written.
            Some(current) if !current.brackets.is_empty() => self.token(1, Tail::Complete),
            _ => {
                self.finish();
                self.closed_on_line = false;
                self.at += 1;
            }
        }
    }

    fn finish_text(&mut self) {
        let faults = self.out.diagnostics.len();
        let mut open = false;
        if let Some(current) = &self.current {
            open = !current.brackets.is_empty()
                || current.tail != Tail::Complete
                || current.wants_block;
            open &= !current.chunk.faulty;
        }
        self.finish();
        if let Some(block) = self.blocks.last() {
            open = true;
            let at = block.at;
            if self.out.diagnostics.len() == faults {
                self.report_block(at);
            }
        }
        while !self.blocks.is_empty() {
            self.pop_block(self.text.len());
        }
        self.out.incomplete = open && faults == 0;
    }

    // ---- tokens ----

    fn quoted(&mut self, mark: char) {
        let line = self.rest().split('\n').next().unwrap_or("");
        let inside = line.get(1..).unwrap_or("");
        if let Some(length) = inside.find(mark) {
            self.token(length + 2, Tail::Complete);
            return;
        }
        let (message, help) = match mark {
            '"' => (
                "a quotation mark is never closed",
                "a text ends on its own line, with `\"`",
            ),
            _ => (
                "a backquote is never closed",
                "a name in backquotes ends on its own line, with a backquote",
            ),
        };
        let problem = Diagnostic::new(Code::UnclosedText, message)
            .at(self.span(self.at, self.at + 1), "opened here")
            .help(help);
        self.fault(problem);
        self.token(line.trim_end().len(), Tail::Complete);
    }

    fn word(&mut self) {
        let rest = self.rest();
        let length = rest
            .find(|c| !continues_name(c))
            .unwrap_or(rest.len())
            .max(1);
        let word = rest.get(..length).unwrap_or("");
        let tail = match word {
            "and" | "or" | "not" | "if" | "then" | "else" => Tail::Operator,
            _ => Tail::Complete,
        };
        self.token(length, tail);
        let current = self.statement();
        match word {
            _ if current.takes_words => return,
            "if" => current.ifs += 1,
            "else" => current.ifs = current.ifs.saturating_sub(1),
            _ => return,
        }
        self.check_nesting(self.at - length, length);
    }

    fn digits(&mut self) {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        self.token(length, Tail::Complete);
    }

    fn symbol(&mut self, c: char) {
        let rest = self.rest();
        let arrow = ["<->", "->"]
            .into_iter()
            .find(|arrow| rest.starts_with(arrow));
        if let Some(arrow) = arrow {
            self.token(arrow.len(), Tail::Operator);
            let current = self.statement();
            current.chunk.arrow |= current.brackets.is_empty();
            return;
        }
        let tail = match c {
            '+' | '-' | '*' | '/' | '^' | '=' | '<' | '>' | '~' => Tail::Operator,
            ',' => Tail::Comma,
            _ => Tail::Complete,
        };
        self.token(c.len_utf8(), tail);
    }

    // ---- brackets and blocks ----

    fn check_nesting(&mut self, at: usize, length: usize) {
        let current = self.statement();
        if current.brackets.len() + current.ifs <= MAX_NESTING {
            return;
        }
        let problem = Diagnostic::new(Code::TooDeep, "this is nested too deeply")
            .at(
                self.span(at, at + length),
                format!("more than {MAX_NESTING} levels deep"),
            )
            .help("name inner parts with `let`");
        self.fault(problem);
    }

    fn open(&mut self, mark: char) {
        let at = self.at;
        let current = self.statement();
        if mark == '{' && current.wants_block && current.brackets.is_empty() {
            self.open_block();
            return;
        }
        // `if`s opened before the bracket cannot be closed inside it.
        let ifs = current.ifs;
        current.brackets.push(Bracket { mark, at, ifs });
        self.token(1, Tail::Complete);
        self.check_nesting(at, 1);
    }

    fn open_block(&mut self) {
        let at = self.at;
        self.at += 1;
        let Some(current) = self.current.take() else {
            return;
        };
        let head = self.text.get(current.chunk.start..).unwrap_or("");
        let before = self.text.get(..current.chunk.start).unwrap_or("");
        let line = before.len() - before.rsplit('\n').next().unwrap_or("").len();
        let block = Block {
            at,
            indent: indent(self.text.get(line..).unwrap_or("")),
            no_declarations: starts::word(head) != "for",
        };
        self.blocks.push(block);
        if self.blocks.len() <= MAX_BLOCKS {
            self.emit(Piece::Open(current.chunk));
        } else if !self.too_deep {
            let problem = Diagnostic::new(Code::TooDeep, "blocks are nested too deeply").at(
                self.span(at, at + 1),
                format!("more than {MAX_BLOCKS} blocks deep"),
            );
            self.out.diagnostics.push(problem);
            self.too_deep = true;
        }
    }

    /// Ends the innermost block; `end` is one past its brace.
    fn pop_block(&mut self, end: usize) {
        self.docs.clear();
        if self.blocks.len() <= MAX_BLOCKS {
            self.emit(Piece::Close(end));
        }
        self.blocks.pop();
        if self.blocks.len() <= MAX_BLOCKS {
            self.too_deep = false;
        }
    }

    fn close(&mut self, mark: char) {
        let brackets = self.current.as_ref().map_or(&[][..], |c| &c.brackets);
        let matching = brackets.iter().rposition(|b| partner(b.mark) == mark);
        let innermost = brackets.last().copied();
        match (matching, innermost) {
            (Some(place), Some(innermost)) => {
                if place + 1 < brackets.len() {
                    self.fault(self.unclosed(innermost.mark, innermost.at));
                }
                self.truncate_brackets(place);
            }
            _ if mark == '}' && !self.blocks.is_empty() => {
                self.finish();
                self.at += 1;
                self.pop_block(self.at);
                self.closed_on_line = true;
                return;
            }
            (None, Some(innermost)) => {
                let wanted = partner(innermost.mark);
                let problem = Diagnostic::new(
                    Code::UnmatchedBracket,
                    format!("`{mark}` closes a `{}`", innermost.mark),
                )
                .at(
                    self.span(self.at, self.at + 1),
                    format!("expected `{wanted}`"),
                )
                .at(self.span(innermost.at, innermost.at + 1), "opened here")
                .help(format!("close it with `{wanted}`"));
                self.fault(problem);
                let depth = self.statement().brackets.len();
                self.truncate_brackets(depth - 1);
            }
            (_, None) => {
                let problem =
                    Diagnostic::new(Code::UnmatchedBracket, format!("`{mark}` closes nothing"))
                        .at(self.span(self.at, self.at + 1), "nothing is open here")
                        .help(format!(
                            "remove it, or add the missing `{}` before",
                            opener(mark)
                        ));
                self.fault(problem);
            }
        }
        self.token(1, Tail::Complete);
    }

    /// Closes all brackets from `depth` on.
    fn truncate_brackets(&mut self, depth: usize) {
        let current = self.statement();
        if let Some(bracket) = current.brackets.get(depth) {
            current.ifs = bracket.ifs;
        }
        current.brackets.truncate(depth);
    }
}

fn partner(mark: char) -> char {
    match mark {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

fn opener(mark: char) -> char {
    match mark {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}

/// Width of the white space at the start of a line, a tab counting as one.
fn indent(line: &str) -> usize {
    line.chars().take_while(|c| *c == ' ' || *c == '\t').count()
}

/// Bytes of the word or character that `rest` begins with.
fn token_length(rest: &str) -> usize {
    match starts::word(rest).len() {
        0 => rest.chars().next().map_or(0, char::len_utf8),
        length => length,
    }
}

#[cfg(test)]
mod tests;
