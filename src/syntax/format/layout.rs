//! A file as rows: statements, their blocks, and the comments around them.
//!
//! Enters: a tree and its text. Leaves: the text laid out. Must not know the grammar.

use super::super::tree::{Declaration, File, Law, Statement, StatementKind};
use super::lines::{Flow, INDENT, WIDTH};
use super::roles::Roles;
use super::rows::{self, Part, Row, Stop};
use super::spacing;
use super::tokens::{Kind, Token, tokens};
use unicode_width::UnicodeWidthStr;

/// The text of `file`, laid out; lines that are too long are broken when `wrap` is set.
pub fn laid_out(text: &str, file: &File, wrap: bool) -> String {
    let tokens = tokens(text);
    let roles = Roles::of(file, &tokens);
    let blanks = spacing::blanks(&tokens, &roles);
    let mut layout = Layout {
        text,
        tokens: &tokens,
        blanks: &blanks,
        roles: &roles,
        wrap,
        at: 0,
        rows: Vec::new(),
    };
    layout.body(&file.statements, 0, text.len());
    rows::written(layout.rows)
}

struct Layout<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    blanks: &'a [bool],
    roles: &'a Roles,
    wrap: bool,
    /// The next token.
    at: usize,
    rows: Vec<Row>,
}

/// The parts of a statement that has a block.
struct Block<'a> {
    body: &'a [Statement],
    /// The token of its opening brace, and of its closing one.
    open: usize,
    close: usize,
}

impl<'a> Layout<'a> {
    // ---- statements ----

    /// The statements of a file or block that ends at the byte `end`, and all comments there.
    fn body(&mut self, statements: &'a [Statement], indent: usize, end: usize) {
        let mut rest = statements;
        let mut is_first = true;
        while let Some(token) = self.tokens.get(self.at).filter(|token| token.start < end) {
            let blank = token.lines_before > 1 && !is_first;
            if token.kind == Kind::Comment {
                self.rows.push(Row {
                    blank,
                    indent,
                    text: token.text.to_owned(),
                    ..Row::default()
                });
                self.at += 1;
                is_first = false;
                continue;
            }
            if token.is(";") {
                self.at += 1;
                continue;
            }
            let beside = self.beside(rest);
            let Some((group, after)) = rest.split_at_checked(beside) else {
                break;
            };
            let first_row = self.rows.len();
            if !self.on_one_line(group, indent) {
                group.iter().for_each(|one| self.statement(one, indent));
            }
            if let Some(row) = self.rows.get_mut(first_row) {
                row.blank = blank;
            }
            is_first = false;
            self.trailing_comment();
            rest = after;
            if group.is_empty() {
                break;
            }
        }
    }

    /// How many of the statements stand on one line in the text, the first included.
    fn beside(&self, statements: &[Statement]) -> usize {
        let more = statements.windows(2).take_while(|pair| match pair {
            [one, next] => {
                let between = self
                    .text
                    .get(one.span.end as usize..next.span.start as usize);
                between.is_some_and(|between| !between.contains('\n'))
            }
            _ => false,
        });
        (1 + more.count()).min(statements.len())
    }

    /// Several statements on one line, when they fit there.
    fn on_one_line(&mut self, group: &[Statement], indent: usize) -> bool {
        if group.len() < 2 {
            return false;
        }
        let texts: Option<Vec<_>> = group.iter().map(|one| self.inline(one)).collect();
        let Some(text) = texts.map(|texts| texts.join("; ")) else {
            return false;
        };
        if indent + text.width() > WIDTH {
            return false;
        }
        self.rows.push(Row {
            indent,
            text,
            ..Row::default()
        });
        if let Some(last) = group.last() {
            self.at = self.token_at(last.span.end as usize);
        }
        true
    }

    fn statement(&mut self, statement: &'a Statement, indent: usize) {
        let (first, last) = self.range(statement);
        // The `;` before it.
        self.at = first;
        if let Some(block) = self.block(statement) {
            let one_line = self
                .inline(statement)
                .is_some_and(|text| indent + text.width() <= WIDTH);
            if one_line {
                self.block_on_one_line(statement, &block, indent);
            } else {
                self.block_of_lines(&block, indent);
            }
        } else if is_verbatim(statement) {
            self.rows.push(Row {
                indent,
                text: self.typed(statement).to_owned(),
                ..Row::default()
            });
        } else {
            self.lines(first, last, indent);
            self.split_at_stops(statement, first, last);
        }
        self.at = last;
    }

    /// A statement without its block, line by line.
    fn lines(&mut self, first: usize, last: usize, indent: usize) {
        let tokens = self.tokens.get(first..last).unwrap_or(&[]);
        let flow = Flow {
            tokens,
            blanks: self.blanks.get(first..last).unwrap_or(&[]),
            roles: self.roles,
            indent,
            wrap: self.wrap,
        };
        for line in flow.lines() {
            let ends = first + line.last;
            let comment = ends
                .checked_sub(1)
                .and_then(|at| self.tokens.get(at))
                .filter(|token| token.kind == Kind::Comment && line.last > line.first + 1);
            let without = ends - usize::from(comment.is_some());
            let begins = self.tokens.get(first + line.first);
            self.rows.push(Row {
                blank: line.first > 0 && begins.is_some_and(|token| token.lines_before > 1),
                indent: line.indent,
                text: self.written(first + line.first, without),
                comment: comment.map(|token| token.text.to_owned()),
                ..Row::default()
            });
        }
    }

    // ---- blocks ----

    fn block_on_one_line(&mut self, statement: &Statement, block: &Block<'_>, indent: usize) {
        let (first, _) = self.range(statement);
        let head = self.written(first, block.open);
        let text = self.inline_body(block).unwrap_or_default();
        let brace = self.part(block.open, Stop::Brace, text);
        let shape = self.tokens.get(first).map(|token| token.text.to_owned());
        self.rows.push(Row {
            indent,
            text: head,
            parts: vec![brace],
            shape,
            ..Row::default()
        });
    }

    fn block_of_lines(&mut self, block: &Block<'a>, indent: usize) {
        let first = self.at;
        self.lines(first, block.open + 1, indent);
        self.at = block.open + 1;
        self.trailing_comment();
        let end = self.tokens.get(block.close).map_or(0, |token| token.start);
        self.body(block.body, indent + INDENT, end);
        self.rows.push(Row {
            indent,
            text: "}".to_owned(),
            ..Row::default()
        });
    }

    /// The block of a statement that has one.
    fn block(&self, statement: &'a Statement) -> Option<Block<'a>> {
        let body = match &statement.kind {
            StatementKind::When { body, .. }
            | StatementKind::At { body, .. }
            | StatementKind::Every { body, .. }
            | StatementKind::Condition { body, .. }
            | StatementKind::For { body, .. } => body,
            StatementKind::Version(_)
            | StatementKind::Model(_)
            | StatementKind::Time { .. }
            | StatementKind::Declare { .. }
            | StatementKind::Let { .. }
            | StatementKind::Function { .. }
            | StatementKind::Assert(_)
            | StatementKind::Equation { .. }
            | StatementKind::Assign { .. }
            | StatementKind::Reaction(_)
            | StatementKind::Wiener { .. }
            | StatementKind::Noise { .. }
            | StatementKind::Unit(_)
            | StatementKind::Index { .. }
            | StatementKind::Covariate { .. }
            | StatementKind::Observe { .. }
            | StatementKind::Input { .. }
            | StatementKind::Dose { .. }
            | StatementKind::NoDoses
            | StatementKind::Use { .. }
            | StatementKind::Allow { .. }
            | StatementKind::Sentence(_)
            | StatementKind::Expression(_) => return None,
        };
        let (first, last) = self.range(statement);
        let tokens = self.tokens.get(first..last)?;
        let open = first + tokens.iter().position(|token| token.is("{"))?;
        Some(Block {
            body,
            open,
            close: last.checked_sub(1)?,
        })
    }

    // ---- on one line ----

    /// The statement on one line, when it stands on one line in the text.
    fn inline(&self, statement: &Statement) -> Option<String> {
        if is_verbatim(statement) {
            return Some(self.typed(statement).to_owned());
        }
        let (first, last) = self.range(statement);
        match self.block(statement) {
            Some(block) => self
                .is_one_line(first, block.open)
                .then(|| self.inline_body(&block))
                .flatten()
                .map(|body| format!("{} {body}", self.written(first, block.open))),
            None => self
                .is_one_line(first, last)
                .then(|| self.written(first, last)),
        }
    }

    /// The braces of a block and what is between them.
    fn inline_body(&self, block: &Block<'_>) -> Option<String> {
        if block.body.is_empty() {
            let is_empty = block.close == block.open + 1;
            return is_empty.then(|| "{ }".to_owned());
        }
        if !self.is_one_line(block.open, block.close + 1) {
            return None;
        }
        let body: Option<Vec<_>> = block.body.iter().map(|one| self.inline(one)).collect();
        Some(format!("{{ {} }}", body?.join("; ")))
    }

    /// No line ends, and no comment stands, between these tokens.
    fn is_one_line(&self, first: usize, last: usize) -> bool {
        let tokens = self.tokens.get(first..last).unwrap_or(&[]);
        let breaks = tokens.iter().skip(1).any(|token| token.lines_before > 0);
        !breaks && tokens.iter().all(|token| token.kind != Kind::Comment)
    }

    // ---- comments and parts ----

    /// A comment on the line of what was just written becomes the last row's.
    fn trailing_comment(&mut self) {
        let mut at = self.at;
        while self.tokens.get(at).is_some_and(|token| token.is(";")) {
            at += 1;
        }
        let Some(token) = self.tokens.get(at) else {
            return;
        };
        if token.kind == Kind::Comment
            && !token.is_own_line_comment()
            && let Some(row) = self.rows.last_mut()
        {
            row.comment = Some(token.text.to_owned());
            self.at = at + 1;
        }
    }

    /// Splits the row of a statement where it may be lined up with its neighbours.
    fn split_at_stops(&mut self, statement: &Statement, first: usize, last: usize) {
        if !self.is_one_line(first, last) {
            return;
        }
        let whole = self.written(first, last);
        let stops = self.stops(statement, first, last);
        let ends = stops.iter().skip(1).map(|(at, _)| *at).chain([last]);
        let parts: Vec<Part> = stops
            .iter()
            .zip(ends)
            .map(|((at, stop), end)| self.part(*at, *stop, self.written(*at, end)))
            .collect();
        let head = stops.first().map(|(at, _)| self.written(first, *at));
        let is_reaction = matches!(statement.kind, StatementKind::Reaction(_));
        let is_equation = matches!(statement.kind, StatementKind::Equation { .. });
        let is_use = matches!(statement.kind, StatementKind::Use { .. });
        let shape = match self.tokens.get(first) {
            _ if is_reaction => "->",
            _ if is_equation => "'",
            _ if is_use => "use",
            Some(token) if !matches!(statement.kind, StatementKind::Assign { .. }) => token.text,
            _ => "=",
        };
        let Some(row) = self.rows.last_mut() else {
            return;
        };
        // A line that had to be broken is lined up with nothing.
        if row.text != whole {
            return;
        }
        row.shape = Some(shape.to_owned());
        if let Some(head) = head {
            row.text = head;
            row.parts = parts;
        }
    }

    fn part(&self, token: usize, stop: Stop, text: String) -> Part {
        let start = self.tokens.get(token).map_or(0, |token| token.start);
        let before = self.text.get(..start).unwrap_or("");
        let line = before.rsplit('\n').next().unwrap_or("");
        Part {
            stop,
            text,
            column: line.width(),
            wide: line.ends_with("  ") || line.ends_with('\t'),
            pad: 1,
        }
    }

    /// Where a statement may be lined up with its neighbours: tokens in order.
    fn stops(&self, statement: &Statement, first: usize, last: usize) -> Vec<(usize, Stop)> {
        let mark = |text: &str| {
            let tokens = self.tokens.get(first..last)?;
            Some(first + tokens.iter().position(|token| token.is(text))?)
        };
        let equals = || mark("=").map(|at| (at, Stop::Equals));
        match &statement.kind {
            StatementKind::Declare { items, .. } | StatementKind::Covariate { items, .. } => {
                match items.as_slice() {
                    [item] => self.stops_of_item(item, equals()),
                    _ => Vec::new(),
                }
            }
            StatementKind::Let { .. }
            | StatementKind::Function { .. }
            | StatementKind::Equation { .. }
            | StatementKind::Assign { .. } => equals().into_iter().collect(),
            StatementKind::Observe { .. } => {
                mark("~").map(|at| (at, Stop::Equals)).into_iter().collect()
            }
            StatementKind::Reaction(reaction) => {
                let name = reaction.name.as_ref().and_then(|_| mark(":"));
                let law = match &reaction.law {
                    Law::MassAction { forward, .. } => self.law(forward.span.start as usize),
                    Law::Rate(rate) => self.law(rate.span.start as usize),
                };
                let name = name.map(|at| (at + 1, Stop::Named));
                let law = law.map(|at| (at, Stop::Law));
                [name, law].into_iter().flatten().collect()
            }
            StatementKind::Use {
                instance: Some(_), ..
            } => {
                let name = mark(":").map(|at| (at + 1, Stop::Named));
                name.into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn stops_of_item(
        &self,
        item: &Declaration,
        equals: Option<(usize, Stop)>,
    ) -> Vec<(usize, Stop)> {
        let unit = item.unit.as_ref().map(|unit| {
            let at = self.token_at(unit.span.start as usize);
            (at, Stop::Unit)
        });
        let bounds = item.bounds.as_ref().and_then(|bounds| {
            let at = self.token_at(bounds.span.start as usize).checked_sub(1)?;
            Some((at, Stop::Bounds))
        });
        let mut stops: Vec<_> = [equals, unit, bounds].into_iter().flatten().collect();
        // A unit before `=` belongs to the name.
        if stops.windows(2).any(|pair| pair.first() > pair.last()) {
            stops.retain(|(_, stop)| *stop != Stop::Unit);
        }
        stops
    }

    /// The first token of a rate law whose value begins at the byte `value`: `rate`, or what follows
    /// the comma.
    fn law(&self, value: usize) -> Option<usize> {
        let mut at = self.token_at(value);
        while let Some(before) = at.checked_sub(1).and_then(|at| self.tokens.get(at))
            && !before.is(",")
        {
            at -= 1;
        }
        (at > 0).then_some(at)
    }

    // ---- tokens ----

    /// The tokens of a statement.
    fn range(&self, statement: &Statement) -> (usize, usize) {
        let span = statement.span;
        (
            self.token_at(span.start as usize),
            self.token_at(span.end as usize),
        )
    }

    /// The first token at or after a byte.
    fn token_at(&self, byte: usize) -> usize {
        self.tokens.partition_point(|token| token.start < byte)
    }

    fn typed(&self, statement: &Statement) -> &'a str {
        let span = statement.span;
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
    }

    /// Tokens on one line.
    fn written(&self, first: usize, last: usize) -> String {
        let mut out = String::new();
        for at in first..last {
            let Some(token) = self.tokens.get(at) else {
                break;
            };
            // `*` at the end of a line is no part of what stands before it.
            let hangs = at + 1 == last && self.roles.operator(token).is_some();
            let blank = hangs || self.blanks.get(at).copied().unwrap_or(false);
            if blank && at > first {
                out.push(' ');
            }
            out.push_str(token.text);
        }
        out
    }
}

/// Paths and words to look up are no expressions: they stay as typed.
fn is_verbatim(statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Sentence(sentence) => {
            matches!(sentence.verb.text.as_str(), "load" | "help" | "explain")
        }
        _ => false,
    }
}
