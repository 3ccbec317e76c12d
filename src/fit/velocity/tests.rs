use super::*;
use crate::table::cells::{Compressed, Numbers, Values};
use std::slice::from_ref;

/// Three genes over 200 cells.
fn counts(gene: usize) -> (Vec<f64>, Vec<f64>) {
    let pair = |i: u32| {
        let s = f64::from((i * 37) % 61) / 7.0;
        let r = f64::from((i * 53) % 47) / 20.0;
        let u = match gene {
            0 => 0.4 * s + r,
            1 => (0.9 * s - r).max(0.0),
            _ => r,
        };
        (s, u)
    };
    (0..200).map(pair).unzip()
}

fn rows(genes: &[Vec<f64>]) -> Cells {
    let cells = genes[0].len();
    Cells::new(
        genes.len(),
        cells,
        Values::Dense(Numbers::Double(genes.concat())),
    )
    .unwrap()
}

fn fitted(spliced: &Cells, unspliced: &Cells, genes: Axis, convention: Convention) -> Vec<Gene> {
    let counts = Counts {
        spliced,
        unspliced,
        genes,
    };
    lines(counts, convention, &|| false).unwrap()
}

fn close(found: f64, expected: f64, within: f64) {
    assert!(
        (found - expected).abs() <= within * (1.0 + expected.abs()),
        "{found} {expected}"
    );
}

/// By hand: 119.4 / 385 for all cells, the last cell alone (3.2 / 10), and the
/// last three.
#[test]
fn eleven_cells_have_known_slopes() {
    let s = rows(&[(0..11).map(f64::from).collect()]);
    let u = rows(&[vec![0.1, 0.4, 0.5, 1.2, 1.1, 1.6, 1.7, 2.3, 2.2, 2.9, 3.2]]);
    let cases = [
        (Tails::All, 0.310_129_87, 11),
        (Tails::Upper(95.0), 0.32, 1),
        (Tails::Upper(80.0), 0.308_979_59, 3),
    ];
    for (tails, slope, extreme) in cases {
        let line = Convention {
            tails,
            ..Convention::scvelo(Offset::None)
        };
        let gene = fitted(&s, &u, Axis::Rows, line)[0];
        close(gene.slope, slope, 5e-9);
        assert_eq!((gene.extreme, gene.intercept), (extreme, 0.0));
    }
}

/// Convention, gene, slope, intercept, R^2, extreme cells. The cells by numpy.percentile; the lines
/// by numpy.linalg.lstsq (no intercept), numpy.polyfit (intercept) and scipy.optimize.lsq_linear
/// (bounds).
#[test]
fn conventions_agree_with_numpy_and_scipy() {
    let none = Convention::scvelo(Offset::None);
    let offset = Convention::scvelo(Offset::Fitted);
    let bounded = Convention::velocyto(Offset::Fitted);
    let cases = [
        (none, 0, 0.6077729954249943, 0.0, 0.47404624810257345, 10),
        (
            offset,
            0,
            0.565901431705607,
            0.3425488947982331,
            0.5758402704385552,
            20,
        ),
        (
            bounded,
            0,
            0.6343644328312327,
            0.09357131878266238,
            0.4656951709218612,
            8,
        ),
        (none, 1, 0.826988389187243, 0.0, 0.8089916108303072, 10),
        (offset, 1, 0.8266433755173036, 0.0, 0.8094223405302464, 20),
        (
            bounded,
            1,
            0.8473342422502869,
            0.003198550516646896,
            0.7803767353912557,
            8,
        ),
        (none, 2, 0.26006046355391327, 0.0, -0.9022087975763222, 10),
        (
            offset,
            2,
            0.24858888271823087,
            0.07770232745998902,
            -0.8215663081718616,
            20,
        ),
        (bounded, 2, 0.27172452407614783, 0.0, -0.9853953416985342, 8),
    ];
    for (convention, gene, slope, intercept, r_squared, extreme) in cases {
        let (s, u) = counts(gene);
        let found = fitted(&rows(&[s]), &rows(&[u]), Axis::Rows, convention)[0];
        close(found.slope, slope, 1e-9);
        close(found.intercept, intercept, 1e-9);
        close(found.r_squared, r_squared, 1e-8);
        assert_eq!(found.extreme, extreme);
        assert!(found.expressed);
    }
}

/// Genes in columns, sparse in both ways and in both precisions, against genes in rows.
#[test]
fn layouts_agree() {
    let (s, u): (Vec<_>, Vec<_>) = (0..3).map(counts).unzip();
    let (by_row, other) = (rows(&s), rows(&u));
    let turned = |genes: &[Vec<f64>]| -> Vec<f64> {
        (0..200)
            .flat_map(|cell| genes.iter().map(move |gene| gene[cell]))
            .collect()
    };
    let sparse = |lines: Vec<Vec<f64>>| {
        let mut starts = vec![0];
        let (mut places, mut numbers) = (Vec::new(), Vec::new());
        for line in lines {
            for (place, x) in (0_u32..).zip(line) {
                if x != 0.0 {
                    places.push(place);
                    numbers.push(x);
                }
            }
            starts.push(places.len());
        }
        let numbers = Numbers::Double(numbers);
        Compressed {
            starts,
            places,
            numbers,
        }
    };
    let layouts = |genes: &[Vec<f64>]| {
        let by_cell: Vec<Vec<f64>> = turned(genes).chunks(3).map(<[f64]>::to_vec).collect();
        [
            Values::Dense(Numbers::Double(turned(genes))),
            Values::Csr(sparse(by_cell)),
            Values::Csc(sparse(genes.to_vec())),
        ]
        .map(|values| Cells::new(200, 3, values).unwrap())
    };
    for convention in [
        Convention::scvelo(Offset::Fitted),
        Convention::velocyto(Offset::None),
    ] {
        let expected = fitted(&by_row, &other, Axis::Rows, convention);
        for (s, u) in layouts(&s).iter().zip(&layouts(&u)) {
            assert_eq!(fitted(s, u, Axis::Columns, convention), expected);
        }
        let single = |genes: &[Vec<f64>]| {
            #[expect(clippy::cast_possible_truncation, reason = "wanted")]
            let numbers = turned(genes).into_iter().map(|x| x as f32).collect();
            Cells::new(200, 3, Values::Dense(Numbers::Single(numbers))).unwrap()
        };
        let found = fitted(&single(&s), &single(&u), Axis::Columns, convention);
        for (found, expected) in found.iter().zip(&expected) {
            close(found.slope, expected.slope, 1e-6);
            close(found.r_squared, expected.r_squared, 1e-6);
        }
    }
}

/// Counts s and u with s/5 + u/15 a number of fifteenths: most cells tie with others by other sums.
/// How many are at or above the percentile is counted in whole fifteenths, without rounding.
#[test]
fn ties_do_not_depend_on_the_precision_of_the_file() {
    let pairs: Vec<(u8, u8)> = (0..1500_u32)
        .map(|i| match i {
            0 => (5, 15),
            _ => ((i * 7 % 6) as u8, ((i * i + i / 6) % 11) as u8),
        })
        .collect();
    let mut fifteenths: Vec<u32> = pairs
        .iter()
        .map(|(s, u)| 3 * u32::from(*s) + u32::from(*u))
        .collect();
    fifteenths.sort_unstable();
    // The percentile lies at the place 0.95*1499 = 1424.05, between two that tie.
    assert_eq!(fifteenths[1424], fifteenths[1425]);
    let least = fifteenths[1424];
    let expected = fifteenths.iter().filter(|sum| **sum >= least).count();
    assert!(
        expected > 90,
        "{expected} cells, more than the 75 without ties"
    );
    let single = |of: &dyn Fn(&(u8, u8)) -> u8| {
        let numbers = pairs.iter().map(|pair| f32::from(of(pair))).collect();
        Cells::new(1, pairs.len(), Values::Dense(Numbers::Single(numbers))).unwrap()
    };
    let double = |of: &dyn Fn(&(u8, u8)) -> u8| {
        let numbers = pairs.iter().map(|pair| f64::from(of(pair))).collect();
        rows(&[numbers])
    };
    let convention = Convention::scvelo(Offset::None);
    let [narrow, wide] = [
        fitted(
            &single(&|pair| pair.0),
            &single(&|pair| pair.1),
            Axis::Rows,
            convention,
        ),
        fitted(
            &double(&|pair| pair.0),
            &double(&|pair| pair.1),
            Axis::Rows,
            convention,
        ),
    ];
    assert_eq!(narrow, wide);
    assert_eq!(wide[0].extreme, expected);
}

#[test]
fn velocities_are_what_the_line_leaves() {
    let (s, u) = counts(0);
    let (spliced, unspliced) = (rows(from_ref(&s)), rows(from_ref(&u)));
    let counts = Counts {
        spliced: &spliced,
        unspliced: &unspliced,
        genes: Axis::Rows,
    };
    let genes = lines(counts, Convention::scvelo(Offset::Fitted), &|| false).unwrap();
    let mut seen = Vec::new();
    let mut take = |gene: usize, velocity: &[f64]| seen.push((gene, velocity.to_vec()));
    velocities(counts, &genes, &mut take, &|| false).unwrap();
    assert_eq!(seen.len(), 1);
    for (v, (s, u)) in seen[0].1.iter().zip(s.iter().zip(&u)) {
        assert_eq!(*v, u - genes[0].slope * s - genes[0].intercept);
    }
}

#[test]
fn genes_that_say_nothing_have_no_slope() {
    let (zero, some) = (vec![0.0; 50], (0..50).map(f64::from).collect::<Vec<_>>());
    let s = rows(&[zero.clone(), some.clone(), some.clone()]);
    let u = rows(&[some.clone(), zero, some]);
    for line in [Offset::None, Offset::Fitted] {
        for convention in [Convention::scvelo(line), Convention::velocyto(line)] {
            let found = fitted(&s, &u, Axis::Rows, convention);
            assert!(found[0].slope.is_nan() && !found[0].expressed);
            assert!(found[1].slope.abs() <= 1e-8 && found[1].r_squared == 0.0);
            close(found[2].slope, 1.0, 1e-12);
            assert!(found[2].r_squared > 0.999_999);
        }
    }
    let genes = fitted(&s, &u, Axis::Rows, Convention::scvelo(Offset::None));
    assert_eq!(trusted(&genes, Criteria::default()), [false, false, true]);
}

#[test]
fn what_cannot_be_fitted_is_told() {
    let (one, two) = (rows(&[vec![1.0; 4]]), rows(&[vec![1.0; 5]]));
    let counts = Counts {
        spliced: &one,
        unspliced: &two,
        genes: Axis::Rows,
    };
    let convention = Convention::scvelo(Offset::None);
    let (spliced, unspliced) = ((1, 4), (1, 5));
    let told = lines(counts, convention, &|| false).err();
    assert_eq!(told, Some(Unfit::Shapes { spliced, unspliced }));
    let counts = Counts {
        unspliced: &one,
        ..counts
    };
    let told = lines(counts, convention, &|| true).err();
    assert_eq!(told, Some(Unfit::Interrupted));
    let wrong = Convention {
        tails: Tails::Both(95.0, 5.0),
        ..convention
    };
    assert_eq!(
        lines(counts, wrong, &|| false).err(),
        Some(Unfit::Percentile)
    );
}
