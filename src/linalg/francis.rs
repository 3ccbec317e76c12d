//! The eigenvalues of a real Hessenberg matrix: QR steps with an implicit double shift (J. Francis,
//! Comput. J. 4, 332, 1962; G. Golub, C. Van Loan, Matrix Computations, 4th edition, 2013, section
//! 7.5), on the undeflated part alone since no vectors are wanted. For matrices that fit into the
//! cache.
//!
//! A subdiagonal entry counts as zero when it is negligible beside the eigenvalues of the block of
//! two around it (M. Ahues, F. Tisseur, LAPACK working note 122, 1997).
//!
//! Enters: the matrix, column by column. Leaves: its eigenvalues. Must not know where the matrix
//! comes from.

use nalgebra::Complex;

/// Steps for one deflation at most; two or three are the rule.
const STEPS: usize = 300;
/// After so many steps without deflation the shifts are taken from elsewhere, since a cycle can
/// have been entered.
const EXCEPTION: usize = 10;
/// The shifts of such a step as LAPACK chooses them, in units of a subdiagonal entry: how far the
/// real part is from the diagonal, and the imaginary part, sqrt(0.4375).
const EXCEPTIONAL: (f64, f64) = (0.75, 0.661_437_827_766_147_7);

/// A square matrix, column by column.
struct Matrix<'a> {
    entries: &'a mut [f64],
    n: usize,
}

/// Hands the eigenvalues of an n by n Hessenberg matrix with zeros below the subdiagonal to
/// `found`, in no order, and spoils the matrix. `false` when the iteration does not converge.
pub(super) fn eigenvalues(entries: &mut [f64], n: usize, found: &mut Vec<Complex<f64>>) -> bool {
    let mut matrix = Matrix { entries, n };
    let mut end = n;
    while end > 0 {
        let mut steps = 0;
        let start = loop {
            let start = matrix.deflated(end);
            if end - start <= 2 {
                break start;
            }
            if steps == STEPS {
                return false;
            }
            steps += 1;
            let shifts = matrix.shifts(start, end, steps);
            matrix.step(start, end, shifts);
        };
        let last = end - 1;
        if end - start == 1 {
            found.push(Complex::new(matrix.at(last, last), 0.0));
        } else {
            found.extend(of_two(
                [matrix.at(start, start), matrix.at(start, last)],
                [matrix.at(last, start), matrix.at(last, last)],
            ));
        }
        end = start;
    }
    true
}

/// The eigenvalues of a matrix of two rows: the roots of the characteristic polynomial, without
/// cancellation.
pub(super) fn of_two([a, b]: [f64; 2], [c, d]: [f64; 2]) -> [Complex<f64>; 2] {
    let all = [a, b, c, d];
    let scale = all.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    if scale == 0.0 {
        return [Complex::new(0.0, 0.0); 2];
    }
    let half = 0.5 * (a / scale - d / scale);
    let coupling = (b / scale) * (c / scale);
    let discriminant = half * half + coupling;
    if discriminant < 0.0 {
        let center = 0.5 * a + 0.5 * d;
        let im = scale * (-discriminant).sqrt();
        return [Complex::new(center, im), Complex::new(center, -im)];
    }
    // lambda - d = half + root, where the sum is taken of numbers of one sign; the other follows
    // from the product of both, which is -coupling.
    let far = half + half.signum() * discriminant.sqrt();
    let near = if far == 0.0 { 0.0 } else { -coupling / far };
    [far, near].map(|offset| Complex::new(d + scale * offset, 0.0))
}

/// A reflection 1 - tau v v^T of three (or two) numbers with v_1 = 1.
struct Reflection {
    tau: f64,
    second: f64,
    third: f64,
    /// What becomes of the first number; the others become zero.
    left: f64,
}

impl Reflection {
    fn of([first, second, third]: [f64; 3]) -> Reflection {
        let scale = first.abs().max(second.abs()).max(third.abs());
        if second == 0.0 && third == 0.0 {
            let (tau, left) = (0.0, first);
            return Reflection {
                tau,
                second,
                third,
                left,
            };
        }
        let [a, b, c] = [first / scale, second / scale, third / scale];
        let left = -a.signum() * (a * a + b * b + c * c).sqrt();
        Reflection {
            tau: (left - a) / left,
            second: b / (a - left),
            third: c / (a - left),
            left: left * scale,
        }
    }
}

impl Matrix<'_> {
    fn at(&self, i: usize, j: usize) -> f64 {
        self.entries[j * self.n + i]
    }

    fn set(&mut self, i: usize, j: usize, value: f64) {
        self.entries[j * self.n + i] = value;
    }

    /// Where the last undeflated part before `end` begins; the entry that separates it is set to
    /// zero.
    fn deflated(&mut self, end: usize) -> usize {
        for k in (1..end).rev() {
            let below = self.at(k, k - 1);
            if below.abs() < f64::MIN_POSITIVE || self.negligible(k, below, end) {
                self.set(k, k - 1, 0.0);
                return k;
            }
        }
        0
    }

    fn negligible(&self, k: usize, below: f64, end: usize) -> bool {
        let (upper, lower) = (self.at(k - 1, k - 1), self.at(k, k));
        let mut size = upper.abs() + lower.abs();
        if size == 0.0 {
            if k >= 2 {
                size += self.at(k - 1, k - 2).abs();
            }
            if k + 1 < end {
                size += self.at(k + 1, k).abs();
            }
        }
        if below.abs() > f64::EPSILON * size {
            return false;
        }
        let above = self.at(k - 1, k);
        let (most, least) = ordered(below.abs(), above.abs());
        let (far, near) = ordered(lower.abs(), (upper - lower).abs());
        let sum = far + most;
        least * (most / sum) <= f64::MIN_POSITIVE.max(f64::EPSILON * (near * (far / sum)))
    }

    /// Two shifts re + i im and re - i im: the eigenvalues of the last block of two, where they are
    /// real twice the one that is nearer to the last entry.
    fn shifts(&self, start: usize, end: usize, steps: usize) -> (f64, f64) {
        let last = end - 1;
        if steps.is_multiple_of(EXCEPTION) {
            // By turns from the end and from the beginning.
            let low = (steps / EXCEPTION).is_multiple_of(2);
            let (corner, below) = if low {
                (self.at(start, start), self.at(start + 1, start))
            } else {
                (self.at(last, last), self.at(last, last - 1))
            };
            let size = below.abs();
            return (corner + EXCEPTIONAL.0 * size, EXCEPTIONAL.1 * size);
        }
        let corner = self.at(last, last);
        let [one, other] = of_two(
            [self.at(last - 1, last - 1), self.at(last - 1, last)],
            [self.at(last, last - 1), corner],
        );
        if one.im != 0.0 {
            return (one.re, one.im);
        }
        let nearer = (one.re - corner).abs() <= (other.re - corner).abs();
        (if nearer { one.re } else { other.re }, 0.0)
    }

    /// The first column of (H - s1)(H - s2) from row k on, up to a factor.
    fn first(&self, k: usize, (re, im): (f64, f64)) -> [f64; 3] {
        let (a, b) = (self.at(k, k), self.at(k, k + 1));
        let (c, d) = (self.at(k + 1, k), self.at(k + 1, k + 1));
        let size = (a - re).abs() + im.abs() + c.abs();
        if size == 0.0 {
            return [0.0; 3];
        }
        let scaled = c / size;
        [
            (a - re) * ((a - re) / size) + im * (im / size) + b * scaled,
            scaled * (a + d - 2.0 * re),
            scaled * self.at(k + 2, k + 1),
        ]
    }

    /// One step of the double shift on the part from `start` to `end`, of three rows at least.
    fn step(&mut self, start: usize, end: usize, shifts: (f64, f64)) {
        // It may begin below two small subdiagonal entries in a row.
        let mut from = end - 3;
        let mut head = self.first(from, shifts);
        while from > start {
            let above = self.at(from, from - 1).abs() * (head[1].abs() + head[2].abs());
            let diagonal = [from - 1, from, from + 1].map(|i| self.at(i, i).abs());
            if above <= f64::EPSILON * head[0].abs() * diagonal.iter().sum::<f64>() {
                break;
            }
            from -= 1;
            head = self.first(from, shifts);
        }
        for k in from..end - 1 {
            let three = k + 2 < end;
            let numbers = if k == from {
                head
            } else {
                let last = if three { self.at(k + 2, k - 1) } else { 0.0 };
                [self.at(k, k - 1), self.at(k + 1, k - 1), last]
            };
            let reflection = Reflection::of(numbers);
            if k > from {
                self.set(k, k - 1, reflection.left);
                self.set(k + 1, k - 1, 0.0);
                if three {
                    self.set(k + 2, k - 1, 0.0);
                }
            } else if from > start {
                let before = self.at(k, k - 1);
                self.set(k, k - 1, before * (1.0 - reflection.tau));
            }
            if three {
                self.reflect_three(k, start, end, &reflection);
            } else {
                self.reflect_two(k, start, end, &reflection);
            }
        }
    }

    /// Rows k to k + 2 of the columns from k on, then columns k to k + 2 of the rows down to k + 3.
    fn reflect_three(&mut self, k: usize, start: usize, end: usize, reflection: &Reflection) {
        let &Reflection {
            tau, second, third, ..
        } = reflection;
        let n = self.n;
        for column in self.entries[k * n..end * n].chunks_exact_mut(n) {
            if let [a, b, c] = &mut column[k..k + 3] {
                let along = tau * (*a + second * *b + third * *c);
                *a -= along;
                *b -= along * second;
                *c -= along * third;
            }
        }
        let bottom = end.min(k + 4);
        let (one, rest) = self.entries[k * n..(k + 3) * n].split_at_mut(n);
        let (two, three) = rest.split_at_mut(n);
        let rows = one[start..bottom].iter_mut().zip(&mut two[start..bottom]);
        for ((a, b), c) in rows.zip(&mut three[start..bottom]) {
            let along = tau * (*a + second * *b + third * *c);
            *a -= along;
            *b -= along * second;
            *c -= along * third;
        }
    }

    fn reflect_two(&mut self, k: usize, start: usize, end: usize, reflection: &Reflection) {
        let &Reflection { tau, second, .. } = reflection;
        let n = self.n;
        for column in self.entries[k * n..end * n].chunks_exact_mut(n) {
            if let [a, b] = &mut column[k..k + 2] {
                let along = tau * (*a + second * *b);
                *a -= along;
                *b -= along * second;
            }
        }
        let (one, two) = self.entries[k * n..(k + 2) * n].split_at_mut(n);
        for (a, b) in one[start..end].iter_mut().zip(&mut two[start..end]) {
            let along = tau * (*a + second * *b);
            *a -= along;
            *b -= along * second;
        }
    }
}

/// The larger and the smaller.
fn ordered(a: f64, b: f64) -> (f64, f64) {
    if a >= b { (a, b) } else { (b, a) }
}
