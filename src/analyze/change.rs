//! The change that a map makes: its fixed points are where that is zero.

use crate::simulate::Dynamics;

/// g(y) - y for a map whose `drift` is g.
pub(super) struct Change<'a> {
    map: &'a dyn Dynamics,
    /// The pattern of the map with the whole diagonal.
    starts: Vec<usize>,
    rows: Vec<usize>,
    /// Where each entry of the map's Jacobian goes, and where the diagonal is.
    places: Vec<usize>,
    diagonal: Vec<usize>,
}

impl<'a> Change<'a> {
    pub fn new(map: &'a dyn Dynamics) -> Change<'a> {
        let (from, of) = map.pattern();
        let mut change = Change {
            map,
            starts: vec![0],
            rows: Vec::new(),
            places: Vec::new(),
            diagonal: Vec::new(),
        };
        for (column, ends) in from.windows(2).enumerate() {
            let own = of.get(ends[0]..ends[1]).unwrap_or(&[]);
            let mut all = own.to_vec();
            if let Err(at) = all.binary_search(&column) {
                all.insert(at, column);
            }
            let start = change.rows.len();
            let place = |row: &usize| start + all.binary_search(row).unwrap_or(0);
            change.places.extend(own.iter().map(place));
            change.diagonal.push(place(&column));
            change.rows.extend(all);
            change.starts.push(change.rows.len());
        }
        change
    }
}

impl Dynamics for Change<'_> {
    fn dimension(&self) -> usize {
        self.map.dimension()
    }

    fn drift(&self, t: f64, y: &[f64], dy: &mut [f64]) {
        self.map.drift(t, y, dy);
        for (change, y) in dy.iter_mut().zip(y) {
            *change -= y;
        }
    }

    fn pattern(&self) -> (&[usize], &[usize]) {
        (&self.starts, &self.rows)
    }

    fn jacobian(&self, t: f64, y: &[f64], entries: &mut [f64]) {
        let mut own = vec![0.0; self.places.len()];
        self.map.jacobian(t, y, &mut own);
        entries.fill(0.0);
        for (place, value) in self.places.iter().zip(own) {
            entries[*place] = value;
        }
        for place in &self.diagonal {
            entries[*place] -= 1.0;
        }
    }

    fn is_autonomous(&self) -> bool {
        self.map.is_autonomous()
    }

    fn time_derivative(&self, t: f64, y: &[f64], out: &mut [f64]) {
        self.map.time_derivative(t, y, out);
    }

    fn is_linear(&self) -> bool {
        self.map.is_linear()
    }
}
