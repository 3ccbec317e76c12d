//! The checker gives an answer to every text, and what it lets pass has equations and functions.

use super::{FIRST, have_places, text_of};
use lotka::kernel::Parameters;
use lotka::kernel::Scratch;
use lotka::render::Colour;
use lotka::render::diagnostics::{Style, json, text as drawn};
use lotka::session::{Compiled, Overrides, check_text, lower};
use lotka::source::SourceMap;
use lotka::syntax::parse_file;
use lotka::syntax::tree::{Expr, ExprKind, IndexSet, Statement, StatementKind};
use lotka::syntax::visit::{self, Visitor};

/// Loops and index sets with larger numbers near them make models that take their time by right.
const LARGEST: f64 = 60.0;

pub fn holds(bytes: &[u8]) {
    let text = text_of(bytes);
    if is_large(text) {
        return;
    }
    let mut sources = SourceMap::new();
    let source = sources.add("text", text);
    let checked = check_text(source, text);
    have_places(&checked.diagnostics, text);
    let few = &checked.diagnostics[..checked.diagnostics.len().min(5)];
    let style = Style {
        colour: Colour::Never,
        width: 80,
    };
    let shown = drawn(few, &sources, style);
    assert_eq!(shown.is_empty(), few.is_empty());
    let _ = json(few, &sources);
    match checked.sound() {
        Err(problems) => assert!(
            problems.iter().any(lotka::diagnostic::Diagnostic::is_error),
            "refused without an error"
        ),
        Ok((model, _)) => {
            for sentence in &model.sentences {
                assert!(lower(sentence).is_ok(), "checked, but not understood");
            }
            runs(&Compiled::new(model));
        }
    }
}

/// The equations and their Jacobian can be computed where the model begins.
fn runs(compiled: &Compiled) {
    let present = compiled.present(&Overrides::new());
    let parameters = Parameters::new(present.parameters);
    let slots = vec![0.0; compiled.system.slots.layout.len()];
    for kernel in [compiled.kernels.drift(), compiled.kernels.jacobian()] {
        let mut out = vec![0.0; kernel.out_len()];
        let mut scratch = Scratch::new();
        kernel.call(
            0.0,
            &present.initial,
            &parameters,
            &slots,
            &mut out,
            &mut scratch,
        );
    }
}

/// The text has loops or index sets, and somewhere a number that may be how long they are.
fn is_large(text: &str) -> bool {
    #[derive(Default)]
    struct Seen {
        ranges: bool,
        large: bool,
    }
    impl Visitor for Seen {
        fn statement(&mut self, statement: &mut Statement) {
            self.ranges |= matches!(
                statement.kind,
                StatementKind::For { .. }
                    | StatementKind::Index {
                        set: IndexSet::Range(_),
                        ..
                    }
            );
        }

        fn expression(&mut self, expression: &mut Expr) {
            self.large |=
                matches!(expression.kind, ExprKind::Number { value, .. } if value > LARGEST);
        }
    }
    let mut seen = Seen::default();
    visit::file(&mut parse_file(FIRST, text).file, &mut seen);
    seen.ranges && seen.large
}
