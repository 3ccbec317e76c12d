//! The parser gives an answer to every text: as a file, as a line and as one expression. Places lie
//! within the text, and what is read can be printed and read again.

use super::{FIRST, have_places, text_of};
use lotka::source::Span;
use lotka::syntax::tree::Expr;
use lotka::syntax::visit::{self, Visitor};
use lotka::syntax::{
    is_incomplete, last_statement, parse_expression, parse_file, parse_line, show_expression,
};

pub fn holds(bytes: &[u8]) {
    let text = text_of(bytes);
    for mut parsed in [parse_file(FIRST, text), parse_line(FIRST, text)] {
        have_places(&parsed.diagnostics, text);
        visit::file(&mut parsed.file, &mut Within(text));
    }
    let _ = is_incomplete(text);
    assert!(text.is_char_boundary(last_statement(text)));
    match parse_expression(FIRST, text) {
        Err(problems) => have_places(&problems, text),
        Ok(read) => {
            let shown = show_expression(&read);
            let again = parse_expression(FIRST, &shown)
                .unwrap_or_else(|problems| panic!("printed as {shown:?}: {problems:?}"));
            assert_eq!(nowhere(read), nowhere(again), "printed as {shown:?}");
        }
    }
}

/// Every place is one of the text.
struct Within<'t>(&'t str);

impl Visitor for Within<'_> {
    fn span(&mut self, span: &mut Span) {
        let (start, end) = (span.start as usize, span.end as usize);
        assert!(
            self.0.get(start..end).is_some(),
            "{start}..{end} is no place"
        );
    }
}

/// The expression with all places at the start of the text.
fn nowhere(mut expr: Expr) -> Expr {
    struct Eraser;
    impl Visitor for Eraser {
        fn span(&mut self, span: &mut Span) {
            *span = Span::new(FIRST, 0, 0);
        }
    }
    visit::expression(&mut expr, &mut Eraser);
    expr
}
