//! Signs of expressions over ranges of their symbols.

use crate::symbolic::{Pool, Shape, Sign, Signs, Span, SymbolId};
use rustc_hash::FxHashMap;

struct Bench {
    pool: Pool,
    x: SymbolId,
    k: SymbolId,
}

fn bench() -> Bench {
    let mut pool = Pool::new();
    let x = pool.new_symbol("x", Shape::Scalar);
    let k = pool.new_symbol("k", Shape::Scalar);
    Bench { pool, x, k }
}

fn signs(bench: &Bench, x: Span, k: Span) -> Signs<'_> {
    let symbols = FxHashMap::from_iter([(bench.x, x), (bench.k, k)]);
    Signs::new(&bench.pool, symbols, FxHashMap::default())
}

/// The derivative of x^2/(1 + x^2) is 2x/(1 + x^2)^2.
#[test]
fn terms_cancel_before_signs_are_read() {
    let mut bench = bench();
    let pool = &mut bench.pool;
    let x = pool.symbol(bench.x);
    let square = pool.power(x, 2.0);
    let bottom = pool.add_number(1.0, square);
    let hill = pool.div(square, bottom);
    let slope = crate::symbolic::derivative(pool, hill, bench.x);
    assert_eq!(
        signs(&bench, Span::NOT_NEGATIVE, Span::ALL).sign(slope),
        Sign::NotNegative
    );
    let below = Span {
        low: f64::NEG_INFINITY,
        high: 0.0,
    };
    assert_eq!(
        signs(&bench, below, Span::ALL).sign(slope),
        Sign::NotPositive
    );
    assert_eq!(
        signs(&bench, Span::ALL, Span::ALL).sign(slope),
        Sign::Unknown
    );
}

/// The same with an exponent that is a symbol: n x^(n-1)/(1 + x^n)^2.
#[test]
fn powers_with_a_symbol_are_unknowns() {
    let mut bench = bench();
    let pool = &mut bench.pool;
    let (x, n) = (pool.symbol(bench.x), pool.symbol(bench.k));
    let power = pool.pow(x, n);
    let bottom = pool.add_number(1.0, power);
    let hill = pool.div(power, bottom);
    let slope = crate::symbolic::derivative(pool, hill, bench.x);
    let n = Span {
        low: 1.0,
        high: 9.0,
    };
    assert_eq!(
        signs(&bench, Span::NOT_NEGATIVE, n).sign(slope),
        Sign::NotNegative
    );
}

#[test]
fn sums_of_both_signs_are_bounded() {
    let mut bench = bench();
    let pool = &mut bench.pool;
    let k = pool.symbol(bench.k);
    let rest = pool.subtract_from_number(1.0, k);
    let within = |low, high| Span { low, high };
    let of = |span| signs(&bench, Span::ALL, span).sign(rest);
    assert_eq!(of(within(0.0, 0.5)), Sign::NotNegative);
    assert_eq!(of(within(2.0, 3.0)), Sign::NotPositive);
    assert_eq!(of(within(0.0, 2.0)), Sign::Unknown);
}
