//! An ensemble as columns of a file: for each quantity its mean, standard deviation and quantiles.
//!
//! Enters: an ensemble. Leaves: headers and columns. Must not know files.

use super::{Ensemble, SHARES};

/// `x_mean`, `x_sd`, `x_q05`, `x_q25`, `x_q50`, `x_q75`, `x_q95` for each of the columns, after the
/// time.
pub(in crate::session) fn columns(
    ensemble: &Ensemble,
    shown: &[usize],
    time_label: &str,
) -> (Vec<String>, Vec<Vec<f64>>) {
    let mut headers = vec![time_label.to_owned()];
    let mut columns = vec![ensemble.times.clone()];
    for column in shown {
        let Some(quantity) = ensemble.quantities.get(*column) else {
            continue;
        };
        let rows = 0..ensemble.times.len();
        let moments = rows
            .clone()
            .map(|row| ensemble.summary.moments(row, *column));
        headers.push(format!("{}_mean", quantity.name));
        columns.push(moments.clone().map(|known| known.known_mean()).collect());
        headers.push(format!("{}_sd", quantity.name));
        columns.push(moments.map(|known| known.deviation()).collect());
        for share in SHARES {
            headers.push(format!("{}_q{:02.0}", quantity.name, 100.0 * share));
            columns.push(
                rows.clone()
                    .map(|row| ensemble.summary.quantile(row, *column, share))
                    .collect(),
            );
        }
    }
    (headers, columns)
}
