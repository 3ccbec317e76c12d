//! The text of expressions and operators.

use crate::symbolic::{
    Binary, Expr, Names, Notation, PlainNames, Pool, Shape, SymbolId, Unary, derivative, gradient,
    jacobian, latex_name, print, print_operator, to_latex, to_text,
};

fn scalars<const N: usize>(pool: &mut Pool, names: [&str; N]) -> [(SymbolId, Expr); N] {
    names.map(|name| {
        let id = pool.new_symbol(name, Shape::Scalar);
        (id, pool.symbol(id))
    })
}

#[test]
fn arithmetic_needs_few_brackets() {
    let mut p = Pool::new();
    let [(_, a), (_, b), (_, c)] = scalars(&mut p, ["a", "b", "c"]);
    let sum = p.add(a, b);
    let difference = p.sub(a, b);
    let product = p.mul(a, b);
    let quotient = p.div(a, b);
    let cases = [
        (p.mul(sum, c), "(a + b)*c"),
        (p.sub(c, sum), "c - a - b"),
        (p.sub(c, difference), "c - a + b"),
        (p.neg(sum), "-a - b"),
        (p.neg(product), "-a*b"),
        (p.div(product, c), "a*b/c"),
        (p.div(c, product), "c/(a*b)"),
        (p.div(quotient, b), "a/b^2"),
        (p.div(c, quotient), "c*b/a"),
        (p.add_number(1.0, a), "1 + a"),
        (p.scale(-2.0, a), "-2*a"),
        (p.power(a, 2.0), "a^2"),
        (p.power(a, -1.0), "1/a"),
        (p.power(a, -2.0), "1/a^2"),
        (p.power(sum, 2.5), "(a + b)^2.5"),
        (p.pow(a, sum), "a^(a + b)"),
        (p.unary(Unary::Exp, difference), "exp(a - b)"),
        (p.constant(1e-7), "1e-7"),
        (p.constant(0.1), "0.1"),
        (p.constant(-3.0), "-3"),
    ];
    for (expr, expected) in cases {
        assert_eq!(to_text(&p, expr), expected);
    }
    let minus = p.neg(a);
    let square = p.power(a, 2.0);
    let below = p.neg(square);
    assert_eq!(to_text(&p, below), "-a^2");
    let power = p.power(minus, 3.0);
    assert_eq!(to_text(&p, power), "(-a)^3");
    let scaled = p.scale(-2.0, b);
    let sum = p.add(a, scaled);
    assert_eq!(to_text(&p, sum), "a - 2*b");
    let sum = p.add(scaled, a);
    assert_eq!(to_text(&p, sum), "a - 2*b");
}

#[test]
fn choices_and_conditions() {
    let mut p = Pool::new();
    let [(_, a), (_, b)] = scalars(&mut p, ["a", "b"]);
    let zero = p.constant(0.0);
    let less = p.binary(Binary::Less, a, zero).unwrap();
    let more = p.binary(Binary::Greater, b, zero).unwrap();
    let both = p.binary(Binary::And, less, more).unwrap();
    let either = p.binary(Binary::Or, both, more).unwrap();
    let not = p.unary(Unary::Not, either);
    let inner = p.conditional(more, a, b).unwrap();
    let choice = p.conditional(not, b, inner).unwrap();
    assert_eq!(
        to_text(&p, choice),
        "if not (a < 0 and b > 0 or b > 0) then b else if b > 0 then a else b"
    );
    let double = p.scale(2.0, choice);
    assert!(to_text(&p, double).starts_with("2*(if "));
    assert_eq!(
        to_latex(&p, inner),
        "\\begin{cases} a & \\text{if } b > 0 \\\\ b & \\text{otherwise} \\end{cases}"
    );
}

/// The Jacobian of Lotka and Volterra, and a saturating rate, as a person would write them.
#[test]
fn derivatives_read_well() {
    let mut p = Pool::new();
    let [(prey, x), (predator, y), (_, alpha), (_, beta)] =
        scalars(&mut p, ["prey", "predator", "alpha", "beta"]);
    let growth = p.mul(alpha, x);
    let loss = p.mul(beta, x);
    let loss = p.mul(loss, y);
    let drift = p.sub(growth, loss);
    assert_eq!(to_text(&p, drift), "alpha*prey - beta*prey*predator");
    let by_prey = derivative(&mut p, drift, prey);
    assert_eq!(to_text(&p, by_prey), "alpha - beta*predator");
    let by_predator = derivative(&mut p, drift, predator);
    assert_eq!(to_text(&p, by_predator), "-beta*prey");

    let [(s, es), (_, vmax), (_, km)] = scalars(&mut p, ["s", "vmax", "km"]);
    let above = p.mul(vmax, es);
    let below = p.add(km, es);
    let rate = p.div(above, below);
    let slope = derivative(&mut p, rate, s);
    assert_eq!(to_text(&p, slope), "vmax/(km + s) - vmax*s/(km + s)^2");
    // The logistic function: 1/(1 + exp(-x)).
    let minus = p.neg(es);
    let decay = p.unary(Unary::Exp, minus);
    let below = p.add_number(1.0, decay);
    let logistic = p.divide_number(1.0, below);
    let slope = gradient(&mut p, logistic, s);
    assert_eq!(to_text(&p, slope), "exp(-s)/(1 + exp(-s))^2");
    let [(x, ex), (_, k)] = scalars(&mut p, ["x", "k"]);
    let square = p.power(ex, 2.0);
    let energy = p.mul(k, square);
    let slope = derivative(&mut p, energy, x);
    assert_eq!(to_text(&p, slope), "2*k*x");
}

#[test]
fn arrays_use_the_language() {
    let mut p = Pool::new();
    let y = p.new_symbol("y", Shape::Vector(3));
    let g = p.new_symbol("g", Shape::Vector(3));
    let w = p.new_symbol("W", Shape::Matrix(3, 3));
    let (ey, eg, ew) = (p.symbol(y), p.symbol(g), p.symbol(w));
    let f = p.unary(Unary::Tanh, ey);
    let drive = p.product(ew, f).unwrap();
    let minus = p.neg(eg);
    let decay = p.mul(minus, ey);
    let drift = p.add(drive, decay);
    assert_eq!(to_text(&p, drift), "W*tanh(y) - g .* y");
    let operator = jacobian(&mut p, drift, y);
    let text = print_operator(&p, &operator, Notation::Text, &PlainNames);
    assert_eq!(text, "W*diagonal(1 - tanh(y).^2) - diagonal(g)");
    let element = p.element(ey, 1);
    let corner = p.element(ew, 5);
    let pair = p.stack(vec![element, corner], Shape::Vector(2));
    assert_eq!(to_text(&p, pair), "[y[2], W[3, 2]]");
    let elements = (0..3).map(|k| p.element(ey, 2 - k)).collect();
    let turned = p.stack(elements, Shape::Vector(3));
    let operator = jacobian(&mut p, turned, y);
    let text = print_operator(&p, &operator, Notation::Text, &PlainNames);
    assert_eq!(text, "[1, 3]: 1\n[2, 2]: 1\n[3, 1]: 1");

    struct Genes;
    impl Names for Genes {
        fn element(&self, _: SymbolId, offset: usize) -> Option<String> {
            ["GATA1", "KLF1", "FLI1"]
                .get(offset)
                .map(ToString::to_string)
        }
    }
    assert_eq!(print(&p, element, Notation::Text, &Genes), "y[KLF1]");
    assert_eq!(
        print(&p, element, Notation::Latex, &Genes),
        "y_{\\mathrm{KLF1}}"
    );
    let turned = p.transpose(ew);
    let inverse = p.inverse(turned).unwrap();
    assert_eq!(to_text(&p, inverse), "inverse(transpose(W))");
}

#[test]
fn latex_has_fractions_and_greek_letters() {
    let mut p = Pool::new();
    let [(_, alpha), (_, kon), (_, x)] = scalars(&mut p, ["alpha", "k_on", "x1"]);
    let below = p.add(kon, x);
    let above = p.mul(alpha, x);
    let rate = p.div(above, below);
    assert_eq!(
        to_latex(&p, rate),
        "\\frac{\\alpha x_{1}}{k_{\\mathrm{on}} + x_{1}}"
    );
    let root = p.unary(Unary::Sqrt, below);
    let scaled = p.scale(-2.0, root);
    assert_eq!(to_latex(&p, scaled), "-2 \\sqrt{k_{\\mathrm{on}} + x_{1}}");
    for (name, expected) in [
        ("kon", "\\mathrm{kon}"),
        ("beta_2", "\\beta_{2}"),
        ("V_max_0", "V_{\\mathrm{max},0}"),
        ("epsilon", "\\varepsilon"),
        ("cell1.x", "\\mathrm{cell1.x}"),
        ("x", "x"),
        ("x_1(t - tau)", "x_{1}(t - \\tau)"),
        ("u[GATA1](t - 2*tau)", "u_{\\mathrm{GATA1}}(t - 2 \\tau)"),
    ] {
        assert_eq!(latex_name(name), expected);
    }
}

/// Neither depth nor sharing may hang or crash: 100,000 nested functions, 2^100 equal terms.
#[test]
fn huge_expressions_are_cut() {
    let mut p = Pool::new();
    let [(_, x)] = scalars(&mut p, ["x"]);
    let mut deep = x;
    for _ in 0..100_000 {
        deep = p.unary(Unary::Sin, deep);
    }
    assert_eq!(to_text(&p, deep).len(), 100_000 * 5 + 1);
    let mut wide = x;
    for _ in 0..100 {
        let sine = p.unary(Unary::Sin, wide);
        let product = p.mul(sine, wide);
        wide = p.add(product, wide);
    }
    assert!(to_text(&p, wide).ends_with("..."));
    assert!(to_latex(&p, wide).ends_with("..."));
}
