//! A Brownian path that is looked at ever more closely, but never changes.
//!
//! In: a seed, a path, intervals that follow each other. Out: for each interval, and for the halves
//! that it is divided into on request, the increment W and the area H of every motion: H is the mean
//! over the interval of W(s) - (s/l) W, of variance l/12 and independent of W.
//!
//! Given W and H of an interval of length l, the difference D = W1 - W2 of the increments of its
//! halves has the mean 3 H and the variance l/4, since H = D/4 + (H1 + H2)/2, with D of variance l and
//! H1 + H2 of variance l/12, independent; then H1 + H2 = 2 H - D/2, and H1 - H2 has the variance l/12
//! and is independent of all others (J. Foster, T. Lyons, H. Oberhauser, SIAM J. Numer. Anal. 58
//! (2020) 1393-1421; J. G. Gaines, T. J. Lyons, SIAM J. Appl. Math. 57 (1997) 1455-1484). The numbers of
//! a half are addressed by its place in the tree, so that they do not depend on which other halves
//! were asked for.

use crate::kernel::Stream;

/// An interval may be divided this many times.
pub(super) const DEEPEST: u32 = 60;

/// A piece of the path.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub start: f64,
    pub end: f64,
    /// 1 for the whole interval, 2 k and 2 k + 1 for the halves of k.
    place: u64,
    pub depth: u32,
    /// Increments and then areas.
    pub numbers: Vec<f64>,
}

impl Node {
    pub fn length(&self) -> f64 {
        self.end - self.start
    }
}

/// The path.
#[derive(Debug)]
pub(super) struct Tree {
    /// Of this path of this seed.
    key: u64,
    /// Intervals begun so far.
    intervals: u64,
    /// Of the interval.
    key_here: u64,
    motions: usize,
    normals: Vec<f64>,
    /// What lies ahead in the interval, the nearest last.
    ahead: Vec<Node>,
}

impl Tree {
    pub fn new(seed: u64, path: u64, motions: usize) -> Tree {
        Tree {
            key: Stream::new(seed, path).next_bits(),
            intervals: 0,
            key_here: 0,
            motions,
            normals: vec![0.0; 2 * motions],
            ahead: Vec::new(),
        }
    }

    /// Begins the next interval; what was left of the one before is dropped.
    pub fn begin(&mut self, start: f64, end: f64) {
        self.key_here = Stream::new(self.key, self.intervals).next_bits();
        self.intervals += 1;
        Stream::new(self.key_here, 0).normals(&mut self.normals);
        let length = end - start;
        let (root, area) = (length.sqrt(), (length / 12.0).sqrt());
        let (w, h) = self.normals.split_at(self.motions);
        let numbers = (w.iter().map(|z| root * z)).chain(h.iter().map(|z| area * z));
        self.ahead.clear();
        self.ahead.push(Node {
            start,
            end,
            place: 1,
            depth: 0,
            numbers: numbers.collect(),
        });
    }

    /// The next piece.
    pub fn next(&self) -> Option<&Node> {
        self.ahead.last()
    }

    /// The next piece was gone through.
    pub fn pass(&mut self) {
        self.ahead.pop();
    }

    /// Divides the next piece; false when that is not possible any more.
    pub fn divide(&mut self) -> bool {
        let Some(whole) = self.ahead.last() else {
            return false;
        };
        let middle = 0.5 * (whole.start + whole.end);
        if whole.depth >= DEEPEST || middle <= whole.start || middle >= whole.end {
            return false;
        }
        Stream::new(self.key_here, whole.place).normals(&mut self.normals);
        let length = whole.length();
        let (of_difference, of_areas) = (0.5 * length.sqrt(), (length / 12.0).sqrt());
        let m = self.motions;
        let mut left = vec![0.0; 2 * m];
        let mut right = left.clone();
        for k in 0..m {
            let (w, h) = (whole.numbers[k], whole.numbers[m + k]);
            let difference = 3.0 * h + of_difference * self.normals[k];
            let sum = 2.0 * h - 0.5 * difference;
            let areas = of_areas * self.normals[m + k];
            (left[k], right[k]) = (0.5 * (w + difference), 0.5 * (w - difference));
            (left[m + k], right[m + k]) = (0.5 * (sum + areas), 0.5 * (sum - areas));
        }
        let half = |start, end, bit, numbers| Node {
            start,
            end,
            place: 2 * whole.place + bit,
            depth: whole.depth + 1,
            numbers,
        };
        let (left, right) = (
            half(whole.start, middle, 0, left),
            half(middle, whole.end, 1, right),
        );
        self.ahead.pop();
        self.ahead.extend([right, left]);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All pieces of an interval of unit length, divided `depth` times.
    fn leaves(path: u64, depth: u32) -> Vec<Node> {
        let mut tree = Tree::new(3, path, 1);
        tree.begin(0.0, 1.0);
        let mut found = Vec::new();
        while let Some(node) = tree.next() {
            if node.depth < depth {
                assert!(tree.divide());
            } else {
                found.push(node.clone());
                tree.pass();
            }
        }
        found
    }

    /// Joins the halves: W = W1 + W2, H = (W1 - W2)/4 + (H1 + H2)/2.
    #[test]
    fn halves_make_up_the_whole() {
        for path in 0..10 {
            let mut pieces = leaves(path, 5);
            while pieces.len() > 1 {
                pieces = pieces
                    .chunks_exact(2)
                    .map(|pair| {
                        let ([w1, h1], [w2, h2]) = (
                            [pair[0].numbers[0], pair[0].numbers[1]],
                            [pair[1].numbers[0], pair[1].numbers[1]],
                        );
                        Node {
                            numbers: vec![w1 + w2, 0.25 * (w1 - w2) + 0.5 * (h1 + h2)],
                            ..pair[0].clone()
                        }
                    })
                    .collect();
            }
            let whole = &leaves(path, 0)[0];
            for (a, b) in pieces[0].numbers.iter().zip(&whole.numbers) {
                assert!((a - b).abs() < 1e-14, "{a} {b}");
            }
        }
    }

    /// Increments and areas of the quarters of an interval are independent, of variances 1/4 and
    /// 1/48.
    #[test]
    fn pieces_are_independent_with_their_variances() {
        const PATHS: u64 = 20_000;
        let all: Vec<Vec<f64>> = (0..PATHS)
            .map(|path| {
                leaves(path, 2)
                    .into_iter()
                    .flat_map(|n| n.numbers)
                    .collect()
            })
            .collect();
        let count = PATHS as f64;
        for i in 0..8 {
            for j in 0..=i {
                let variance = |k: usize| {
                    if k.is_multiple_of(2) {
                        0.25
                    } else {
                        1.0 / 48.0
                    }
                };
                let scale = f64::sqrt(variance(i) * variance(j));
                let mean = all.iter().map(|p| p[i] * p[j]).sum::<f64>() / (count * scale);
                let exact = f64::from(u8::from(i == j));
                // The variance of a product of standard normal numbers is 1, of a square 2.
                let error = ((1.0 + exact) / count).sqrt();
                assert!((mean - exact).abs() < 4.5 * error, "{i} {j}: {mean}");
            }
        }
    }
}
