//! The structures that Jacobians take.

use crate::symbolic::{
    Expr, Operator, Pattern, Pool, Shape, SymbolId, Unary, Value, evaluate, jacobian,
    system_jacobian,
};

struct Net {
    pool: Pool,
    y: SymbolId,
    ey: Expr,
    w: Expr,
}

fn net(n: usize) -> Net {
    let mut pool = Pool::new();
    let y = pool.new_symbol("y", Shape::Vector(n));
    let w = pool.new_symbol("W", Shape::Matrix(n, n));
    let (ey, w) = (pool.symbol(y), pool.symbol(w));
    Net { pool, y, ey, w }
}

#[test]
fn a_linear_drift_has_its_matrix() {
    let Net { mut pool, y, ey, w } = net(4);
    let noise = pool.new_symbol("x", Shape::Vector(4));
    let noise = pool.symbol(noise);
    let drift = pool.product(w, ey).unwrap();
    let drift = pool.add(drift, noise);
    assert_eq!(jacobian(&mut pool, drift, y), Operator::Matrix(w));
}

#[test]
fn a_network_is_a_product() {
    let Net { mut pool, y, ey, w } = net(4);
    let f = pool.unary(Unary::Tanh, ey);
    let activation = pool.product(w, f).unwrap();
    let g = pool.new_symbol("gamma", Shape::Vector(4));
    let g = pool.symbol(g);
    let minus = pool.neg(g);
    let decay = pool.mul(minus, ey);
    let drift = pool.add(activation, decay);
    let square = pool.power(f, 2.0);
    let slope = pool.subtract_from_number(1.0, square);
    let network = Operator::Product(
        Box::new(Operator::Matrix(w)),
        Box::new(Operator::Diagonal(slope)),
    );
    let expected = Operator::Sum(vec![network, Operator::Diagonal(minus)]);
    assert_eq!(jacobian(&mut pool, drift, y), expected);
    let after = pool.unary(Unary::Tanh, drift);
    assert!(matches!(
        jacobian(&mut pool, after, y),
        Operator::Product(..)
    ));
}

#[test]
fn a_sum_is_a_row_of_ones() {
    let Net {
        mut pool, y, ey, ..
    } = net(4);
    let sum = pool.sum(ey);
    let ones = pool.uniform(1.0, Shape::Matrix(1, 4));
    assert_eq!(jacobian(&mut pool, sum, y), Operator::Matrix(ones));
}

/// Heat in a rod: the second difference is tridiagonal.
#[test]
fn an_unrolled_loop_has_a_band() {
    let Net {
        mut pool, y, ey, ..
    } = net(50);
    let zero = pool.constant(0.0);
    let mut elements = vec![zero; 50];
    for (i, element) in elements.iter_mut().enumerate().take(49).skip(1) {
        let [a, b, c] = [i - 1, i, i + 1].map(|k| pool.element(ey, k));
        let twice = pool.scale(2.0, b);
        let difference = pool.sub(a, twice);
        *element = pool.add(difference, c);
    }
    let drift = pool.stack(elements, Shape::Vector(50));
    let operator = jacobian(&mut pool, drift, y);
    let Operator::Entries { entries, .. } = &operator else {
        panic!("{operator:?}");
    };
    assert_eq!(entries.len(), 3 * 48);
    let pattern = operator.pattern(&pool);
    assert_eq!(pattern.bandwidths(), (1, 1));
    assert!(pattern.column(0) == [1] && !pattern.contains(0, 0));
    let value = operator.entries(&mut pool)[1];
    assert_eq!(
        (value.0, value.1, pool.as_constant(value.2)),
        (1, 1, Some(-2.0))
    );
}

/// Elements that share a mean: entries plus a product with one row, no dense matrix.
#[test]
fn a_mean_field_stays_a_product() {
    let Net { mut pool, y, ey, w } = net(6);
    let sum = pool.sum(ey);
    let activity = pool.product(w, ey).unwrap();
    let elements = (0..6)
        .map(|i| {
            let (own, drive) = (pool.element(ey, i), pool.element(activity, i));
            let square = pool.power(own, 2.0);
            let coupled = pool.mul(sum, own);
            let both = pool.sub(coupled, square);
            pool.mul(both, drive)
        })
        .collect();
    let drift = pool.stack(elements, Shape::Vector(6));
    let operator = jacobian(&mut pool, drift, y);
    let Operator::Sum(terms) = &operator else {
        panic!("{operator:?}");
    };
    assert_eq!(terms.len(), 3);
}

#[test]
fn systems_of_scalars_are_entries_and_others_are_blocks() {
    let Net { mut pool, y, ey, w } = net(3);
    let x = pool.new_symbol("x", Shape::Scalar);
    let ex = pool.symbol(x);
    let sum = pool.sum(ey);
    let scalar = pool.mul(ex, sum);
    let vector = pool.product(w, ey).unwrap();
    let vector = pool.mul(ex, vector);
    let operator = system_jacobian(&mut pool, &[scalar, vector], &[x, y]);
    let Operator::Block { blocks, .. } = &operator else {
        panic!("{operator:?}");
    };
    assert_eq!(blocks.len(), 4);
    assert!(operator.pattern(&pool).is_dense());
    let numbers = |symbol: SymbolId| match symbol.0 {
        0 => Value::vector(vec![1.0, 2.0, 3.0]),
        1 => Value {
            shape: Shape::Matrix(3, 3),
            numbers: (0..9).map(f64::from).collect(),
        },
        _ => Value::scalar(0.5),
    };
    let dense = operator.materialise(&mut pool);
    let dense = evaluate(&pool, dense, &numbers).numbers;
    // d(x*sum(y))/dx = 6, d/dy = x; d(x*W*y)/dx = W*y = (24, 30, 36), d/dy = x*W.
    assert_eq!(dense[..4], [6.0, 24.0, 30.0, 36.0]);
    assert_eq!(dense[4..8], [0.5, 0.0, 0.5, 1.0]);
    let vector = pool.uniform(1.0, Shape::Vector(4));
    let applied = operator.apply(&mut pool, vector);
    let applied = evaluate(&pool, applied, &numbers).numbers;
    assert_eq!(applied, [7.5, 28.5, 36.0, 43.5]);
    let turned = operator.apply_transposed(&mut pool, vector);
    let turned = evaluate(&pool, turned, &numbers).numbers;
    assert_eq!(turned[0], 96.0);

    let square = pool.power(ex, 2.0);
    let operator = system_jacobian(&mut pool, &[square], &[x]);
    assert!(matches!(operator, Operator::Entries { .. }));
}

#[test]
fn patterns_combine() {
    let band = Pattern::from_places(3, 3, [(0, 0), (1, 1), (2, 2), (1, 0), (1, 0)]);
    assert_eq!(band.len(), 4);
    assert_eq!(band.bandwidths(), (1, 0));
    assert_eq!(band.transpose().bandwidths(), (0, 1));
    let union = band.union(&band.transpose());
    assert_eq!((union.len(), union.bandwidths()), (5, (1, 1)));
    assert_eq!(band.product(&Pattern::diagonal(3)), band);
    assert!(Pattern::dense(2, 3).is_dense() && Pattern::empty(2, 3).is_empty());
    assert_eq!(
        band.intersection(&Pattern::diagonal(3)),
        Pattern::diagonal(3)
    );
}

/// An index set may have one member: what is square stays square, and sides of one are scalars.
#[test]
fn one_member_is_enough() {
    let Net { mut pool, y, ey, w } = net(1);
    let turned = pool.transpose(w);
    assert_eq!(pool.shape(turned), Shape::Matrix(1, 1));
    let product = pool.product(w, turned).unwrap();
    let f = pool.unary(Unary::Sin, ey);
    let drift = pool.product(product, f).unwrap();
    let operator = jacobian(&mut pool, drift, y);
    let dense = operator.materialise(&mut pool);
    assert_eq!(pool.shape(dense), Shape::Scalar);
    let numbers = |symbol: SymbolId| match symbol.0 {
        0 => Value::vector(vec![0.5]),
        _ => Value {
            shape: Shape::Matrix(1, 1),
            numbers: vec![3.0],
        },
    };
    let expected = 9.0 * f64::cos(0.5);
    assert_eq!(evaluate(&pool, dense, &numbers).number(), expected);
    let one = pool.constant(1.0);
    let applied = operator.apply_transposed(&mut pool, one);
    assert_eq!(evaluate(&pool, applied, &numbers).number(), expected);
}
