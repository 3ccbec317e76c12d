use super::*;
use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use std::cell::Cell;

/// The numbers of a sparse matrix, column by column.
struct Sparse {
    starts: Vec<usize>,
    rows: Vec<usize>,
    values: Vec<f64>,
}

fn sparse(dense: &DMatrix<f64>) -> Sparse {
    let mut found = Sparse {
        starts: vec![0],
        rows: Vec::new(),
        values: Vec::new(),
    };
    for column in dense.column_iter() {
        for (i, value) in column.iter().enumerate() {
            if *value != 0.0 {
                found.rows.push(i);
                found.values.push(*value);
            }
        }
        found.starts.push(found.rows.len());
    }
    found
}

impl Sparse {
    fn structure(&self) -> Structure {
        structure(Pattern {
            starts: &self.starts,
            rows: &self.rows,
        })
        .unwrap()
    }
}

fn options<'a>() -> Options<'a> {
    Options {
        spectrum: Keep::Spectrum,
        elements: &[],
        threads: 1,
        interrupted: &|| false,
    }
}

/// n genes of which the first `regulators` act on others, each on a share of them.
fn random(n: usize, regulators: usize, share: f64, seed: u64) -> DMatrix<f64> {
    let mut rng = rand::rngs::SmallRng::seed_from_u64(seed);
    DMatrix::from_fn(n, n, |_, j| {
        let hit = j < regulators && rng.random::<f64>() < share;
        let value = rng.random::<f64>() - 0.5;
        if hit { value } else { 0.0 }
    })
}

/// The largest distance of an eigenvalue to the nearest not yet taken.
fn apart(found: &[Complex<f64>], exact: &[Complex<f64>]) -> f64 {
    assert_eq!(found.len(), exact.len());
    let mut left = exact.to_vec();
    let mut most = 0.0_f64;
    for z in found {
        let distances = left.iter().map(|other| (other - z).norm());
        let (at, off) = distances
            .enumerate()
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap();
        most = most.max(off);
        left.swap_remove(at);
    }
    most
}

fn rotation(dense: &DMatrix<f64>) -> f64 {
    ((dense - dense.transpose()) * 0.5).norm()
}

/// Three genes with Hill functions; the numbers are those of numpy.linalg.eigvals.
#[test]
fn three_genes_have_known_numbers() {
    let w = DMatrix::from_row_slice(3, 3, &[0., 2., 0., 1., 0., 0., 3., 0., 0.]);
    let w = sparse(&w);
    let structure = w.structure();
    let network = Network {
        structure: &structure,
        weights: &w.values,
        decay: &[0.5, 0.4, 0.3],
    };
    let hill =
        |s: f64, k: f64, n: f64| n * k.powf(n) * s.powf(n - 1.0) / (k.powf(n) + s.powf(n)).powi(2);
    let slopes = [hill(1., 1., 2.), hill(2., 1., 2.), hill(3., 2., 3.)];
    for (slope, expected) in slopes.iter().zip([0.5, 0.16, 0.176_326_53]) {
        assert!((slope - expected).abs() < 5e-9);
    }
    let chosen = Options {
        elements: &[(0, 1), (2, 2), (1, 2)],
        ..options()
    };
    let found = spectra(network, &slopes, chosen).unwrap();
    let cell = found.cells[0].as_ref().unwrap();
    let expected = [-0.046_887_11, -0.3, -0.853_112_89];
    for (value, expected) in cell.spectrum.as_ref().unwrap().iter().zip(expected) {
        assert!((value.re - expected).abs() < 5e-9 && value.im == 0.0);
    }
    assert!((cell.leading.unwrap().re - expected[0]).abs() < 5e-9);
    assert_eq!((cell.positive, cell.negative), (0, 3));
    assert!((cell.shape.trace + 1.2).abs() < 1e-15);
    assert!((cell.shape.rotation - 1.068_269_628_9).abs() < 5e-11);
    assert_eq!(cell.elements, [0.32, -0.3, 0.0]);
    assert_eq!(
        shapes(network, &slopes, options()).unwrap().cells[0],
        cell.shape
    );
}

/// The blocks against the eigenvalues of the whole matrix by another implementation.
#[test]
fn blocks_have_the_eigenvalues_of_the_whole() {
    for (n, regulators, share) in [
        (1, 1, 1.0),
        (30, 30, 0.05),
        (60, 12, 0.4),
        (80, 40, 0.04),
        (90, 0, 0.0),
    ] {
        let dense = random(n, regulators, share, n as u64);
        let w = sparse(&dense);
        let structure = w.structure();
        let decay: Vec<f64> = (0..n).map(|j| 0.3 + 0.01 * j as f64).collect();
        let slopes: Vec<f64> = (0..2 * n).map(|j| 0.2 + (j as f64).sin().abs()).collect();
        let network = Network {
            structure: &structure,
            weights: &w.values,
            decay: &decay,
        };
        let found = spectra(network, &slopes, options()).unwrap();
        assert_eq!(found.cells.len(), 2);
        for (cell, slopes) in found.cells.iter().zip(slopes.chunks(n)) {
            let cell = cell.as_ref().unwrap();
            let mut j = dense.clone();
            for (mut column, slope) in j.column_iter_mut().zip(slopes) {
                column *= *slope;
            }
            for (i, decay) in decay.iter().enumerate() {
                j[(i, i)] -= decay;
            }
            let exact: Vec<_> = j.complex_eigenvalues().iter().copied().collect();
            assert!(apart(cell.spectrum.as_ref().unwrap(), &exact) < 1e-8, "{n}");
            let most = exact.iter().map(|z| z.re).fold(f64::MIN, f64::max);
            assert!((cell.leading.unwrap().re - most).abs() < 1e-8);
            assert_eq!(cell.positive, exact.iter().filter(|z| z.re > 0.0).count());
            assert_eq!(cell.negative, exact.iter().filter(|z| z.re < 0.0).count());
            assert!((cell.shape.trace - j.trace()).abs() < 1e-12 * n as f64);
            assert!((cell.shape.rotation - rotation(&j)).abs() < 1e-12 * n as f64);
            // The general entry, with the whole J as its pattern.
            let own = sparse(&j);
            let fill = |_: usize, values: &mut [f64]| values.copy_from_slice(&own.values);
            let general = spectra_of(&own.structure(), 1, &fill, options()).unwrap();
            let general = general.cells[0].as_ref().unwrap();
            assert!(apart(general.spectrum.as_ref().unwrap(), &exact) < 1e-8);
            assert!((general.shape.trace - j.trace()).abs() < 1e-12 * n as f64);
            assert!((general.shape.rotation - rotation(&j)).abs() < 1e-12 * n as f64);
        }
    }
}

/// A chain of three loops: {0, 1, 2} acts on {3, 4}, which acts on 5; 6 is alone.
#[test]
fn feedback_makes_blocks() {
    let mut dense = DMatrix::zeros(7, 7);
    for (from, to) in [
        (0, 1),
        (1, 2),
        (2, 0),
        (1, 3),
        (3, 4),
        (4, 3),
        (4, 5),
        (6, 6),
    ] {
        dense[(to, from)] = 1.0;
    }
    let structure = sparse(&dense).structure();
    assert_eq!(structure.block_sizes(), [3, 2]);
    assert_eq!(structure.singles, [5, 6]);
    assert_eq!(structure.blocks[1].members, [3, 4]);
    // The loop of three has the cube roots of one, the loop of two has 1 and -1.
    let fill = |_: usize, values: &mut [f64]| values.fill(1.0);
    let found = spectra_of(&structure, 1, &fill, options()).unwrap();
    let cell = found.cells[0].as_ref().unwrap();
    assert_eq!((cell.positive, cell.negative), (3, 3));
    let pair = Complex::new(-0.5, 0.75_f64.sqrt());
    let spectrum = cell.spectrum.as_ref().unwrap();
    assert!((spectrum[4] - pair).norm() < 1e-15 && (spectrum[5] - pair.conj()).norm() < 1e-15);
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let dense = random(150, 60, 0.3, 3);
    let w = sparse(&dense);
    let structure = w.structure();
    let decay = vec![0.7; 150];
    let slopes: Vec<f64> = (0..150 * 40)
        .map(|j| (0.1 * j as f64).cos().abs())
        .collect();
    let network = Network {
        structure: &structure,
        weights: &w.values,
        decay: &decay,
    };
    let one = spectra(network, &slopes, options()).unwrap();
    let many = spectra(
        network,
        &slopes,
        Options {
            threads: 3,
            ..options()
        },
    )
    .unwrap();
    assert_eq!(one, many);
    assert_eq!(one.cells.len(), 40);
}

#[test]
fn an_interrupt_keeps_what_is_done() {
    let dense = random(90, 90, 1.0, 5);
    let w = sparse(&dense);
    let structure = w.structure();
    let slopes = vec![1.0; 90 * 50];
    let network = Network {
        structure: &structure,
        weights: &w.values,
        decay: &[1.0; 90],
    };
    let asked = Cell::new(0);
    let interrupted = || {
        asked.set(asked.get() + 1);
        asked.get() > 2
    };
    let stopped = Options {
        interrupted: &interrupted,
        ..options()
    };
    let found = spectra(network, &slopes, stopped).unwrap();
    assert_eq!(found.ended, Ended::Interrupted);
    assert!(!found.cells.is_empty() && found.cells.len() < 50);
}

#[test]
fn what_does_not_fit_is_told() {
    let pattern = |starts, rows| structure(Pattern { starts, rows }).err();
    assert_eq!(pattern(&[0, 2, 1], &[0]), Some(Malformed::Starts));
    assert_eq!(
        pattern(&[0, 1, 2], &[0, 2]),
        Some(Malformed::Rows { column: 1 })
    );
    assert_eq!(
        pattern(&[0, 2, 2], &[1, 1]),
        Some(Malformed::Rows { column: 0 })
    );
    let own = structure(Pattern {
        starts: &[0, 1, 1],
        rows: &[1],
    })
    .unwrap();
    let network = |weights, decay| Network {
        structure: &own,
        weights,
        decay,
    };
    let told =
        |weights, decay, slopes: &[f64]| spectra(network(weights, decay), slopes, options()).err();
    assert_eq!(
        told(&[], &[1.0; 2], &[]),
        Some(Unfit::Weights {
            found: 0,
            expected: 1
        })
    );
    assert_eq!(
        told(&[1.0], &[1.0], &[]),
        Some(Unfit::Decay {
            found: 1,
            expected: 2
        })
    );
    assert_eq!(
        told(&[1.0], &[1.0; 2], &[1.0]),
        Some(Unfit::Slopes {
            found: 1,
            variables: 2
        })
    );
    let outside = Options {
        elements: &[(0, 0), (2, 0)],
        ..options()
    };
    let network = network(&[1.0], &[1.0; 2]);
    assert_eq!(
        spectra(network, &[], outside).err(),
        Some(Unfit::Element { at: 1 })
    );
    let cell = Network {
        decay: &[f64::NAN, 1.0],
        ..network
    };
    assert_eq!(
        spectra(cell, &[1.0; 2], options()).unwrap().cells,
        [Err(Unfound::NotFinite)]
    );
}
