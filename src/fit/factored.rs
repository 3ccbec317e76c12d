//! Linear models of perturbations, Y = G K P^T + b 1^T.
//!
//! Y is the change of each gene (row) under each perturbation (column), G holds d factors of each
//! gene and P those of each perturbation; K, d by d, and b are found. With the factors of the
//! perturbed gene as those of the perturbation, a gene that was never perturbed can be predicted
//! (C. Ahlmann-Eltze, W. Huber, S. Anders, Nat. Methods 22, 1657, 2025).
//!
//! The conventions: G = U S from the singular value decomposition of the training matrix less the
//! mean of each of its columns, so that its rows are the scores of genes; a row of P is the row of G
//! of the perturbed gene, and zero for control; b is the mean of each row of Y over all training
//! columns, control included; a prediction adds the baseline.
//!
//! Since the model is linear on both sides, K follows from matrices of d by d numbers; the design
//! of genes * columns rows is never formed. The baseline cancels in Y - b 1^T, so only the training
//! matrix itself is multiplied, and its rows are centred afterwards.
//!
//! Enters: a training matrix, which gene each column perturbs, a penalty. Leaves: a model, and what
//! it predicts. Must not know names.

use crate::linalg::{SingularValues, Spectrum};
use nalgebra::{DMatrix, DVector, RowDVector};

pub use crate::linalg::Matrix;

/// How K is found. Yc is Y - b 1^T.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Penalty {
    /// Least squares; of several solutions that of the least norm.
    None,
    /// K = (G^T G + l I)^-1 G^T Yc P (P^T P + l I)^-1 for this l > 0, each side on its own.
    TwoSided(f64),
    /// The minimum of |Yc - G K P^T|^2 + l |K|^2 for this l > 0, Frobenius norms: with G^T G = V D
    /// V^T and P^T P = W E W^T, K = V Z W^T and Z_ij = (V^T G^T Yc P W)_ij / (D_i E_j + l).
    Ridge(f64),
}

/// What a model is fitted to.
#[derive(Debug, Clone, Copy)]
pub struct Training<'a> {
    /// Genes by columns.
    pub expression: &'a DMatrix<f64>,
    /// What changes are counted from, one number for each gene.
    pub baseline: &'a [f64],
    /// G: genes by d.
    pub genes: &'a DMatrix<f64>,
    /// P: columns by e; e need not be d.
    pub perturbations: &'a DMatrix<f64>,
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// G: genes by d.
    pub genes: DMatrix<f64>,
    /// K: d by e.
    pub coefficients: DMatrix<f64>,
    /// b: the mean change of each gene.
    pub mean: DVector<f64>,
}

/// Why there is no model, or no prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unfit {
    /// More or fewer rows, or numbers, than there are genes.
    Genes {
        /// How many there are.
        found: usize,
        /// Genes.
        expected: usize,
    },
    /// Perturbations with more or fewer rows, or factors, than expected.
    Perturbations {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// No columns to learn from.
    Empty,
    /// A column perturbs a gene that does not exist.
    NoGene {
        /// The column.
        column: usize,
    },
    /// No factor, or more than the smaller of genes and columns.
    Factors {
        /// How many were asked for.
        found: usize,
        /// At most so many.
        most: usize,
    },
    /// A penalty that is not a positive number.
    Penalty,
    /// An entry is not finite, or a decomposition was not found.
    NotFinite,
}

/// The first d principal factors of genes, G = U S: genes by d. The entry of largest size in each
/// column is positive.
///
/// # Errors
/// [`Unfit::Factors`], [`Unfit::NotFinite`].
pub fn gene_factors(expression: &DMatrix<f64>, d: usize) -> Result<DMatrix<f64>, Unfit> {
    let most = expression.nrows().min(expression.ncols());
    if d == 0 || d > most {
        return Err(Unfit::Factors { found: d, most });
    }
    let mut centred = expression.clone();
    for mut column in centred.column_iter_mut() {
        let mean = column.mean();
        column.add_scalar_mut(-mean);
    }
    let found = SingularValues::of(&centred).ok_or(Unfit::NotFinite)?;
    let mut factors = found.left.columns(0, d).clone_owned();
    for (mut column, value) in factors.column_iter_mut().zip(&found.values) {
        column *= *value;
    }
    Ok(factors)
}

/// The factors of perturbations: for each the row of the gene that it perturbs, zero where it
/// perturbs none.
///
/// # Errors
/// [`Unfit::NoGene`].
pub fn perturbation_factors(
    genes: &DMatrix<f64>,
    perturbed: &[Option<usize>],
) -> Result<DMatrix<f64>, Unfit> {
    let mut factors = DMatrix::zeros(perturbed.len(), genes.ncols());
    for (column, gene) in perturbed.iter().enumerate() {
        let Some(gene) = *gene else { continue };
        if gene >= genes.nrows() {
            return Err(Unfit::NoGene { column });
        }
        factors.row_mut(column).copy_from(&genes.row(gene));
    }
    Ok(factors)
}

/// Fits K and b.
///
/// # Errors
/// [`Unfit`].
pub fn fit(training: Training<'_>, penalty: Penalty) -> Result<Model, Unfit> {
    let (genes, perturbations) = (training.genes, training.perturbations);
    check(training, penalty)?;
    let mut mean = training.expression.column_mean();
    for (mean, baseline) in mean.iter_mut().zip(training.baseline) {
        *mean -= baseline;
    }
    let coefficients = match penalty {
        Penalty::None => least_squares(training)?,
        Penalty::TwoSided(l) => shrunk(training, |a, b| 1.0 / ((a + l) * (b + l)))?,
        Penalty::Ridge(l) => shrunk(training, |a, b| 1.0 / (a * b + l))?,
    };
    debug_assert_eq!(coefficients.shape(), (genes.ncols(), perturbations.ncols()));
    let sound = |x: &f64| x.is_finite();
    if !coefficients.iter().all(sound) || !mean.iter().all(sound) {
        return Err(Unfit::NotFinite);
    }
    Ok(Model {
        genes: genes.clone(),
        coefficients,
        mean,
    })
}

impl Model {
    /// Genes by perturbations: baseline + b + G K p for each row p of `perturbations`.
    ///
    /// # Errors
    /// [`Unfit::Genes`], [`Unfit::Perturbations`].
    pub fn predict(
        &self,
        perturbations: &DMatrix<f64>,
        baseline: &[f64],
    ) -> Result<DMatrix<f64>, Unfit> {
        let (found, expected) = (baseline.len(), self.mean.len());
        if found != expected {
            return Err(Unfit::Genes { found, expected });
        }
        let (found, expected) = (perturbations.ncols(), self.coefficients.ncols());
        if found != expected {
            return Err(Unfit::Perturbations { found, expected });
        }
        let loads = &self.coefficients * perturbations.transpose();
        let mut predicted = &self.genes * loads;
        for mut column in predicted.column_iter_mut() {
            let known = self.mean.iter().zip(baseline);
            for (entry, (mean, baseline)) in column.iter_mut().zip(known) {
                *entry += mean + baseline;
            }
        }
        Ok(predicted)
    }
}

fn check(training: Training<'_>, penalty: Penalty) -> Result<(), Unfit> {
    let (expected, columns) = training.expression.shape();
    for found in [training.baseline.len(), training.genes.nrows()] {
        if found != expected {
            return Err(Unfit::Genes { found, expected });
        }
    }
    let found = training.perturbations.nrows();
    if found != columns {
        let expected = columns;
        return Err(Unfit::Perturbations { found, expected });
    }
    if columns == 0 || expected == 0 {
        return Err(Unfit::Empty);
    }
    match penalty {
        Penalty::TwoSided(l) | Penalty::Ridge(l) if !(l > 0.0 && l.is_finite()) => {
            Err(Unfit::Penalty)
        }
        _ => Ok(()),
    }
}

/// A^T Yc for a matrix A of genes by something. The mean over columns is taken off afterwards.
fn against(a: &DMatrix<f64>, expression: &DMatrix<f64>) -> DMatrix<f64> {
    let mut product = a.transpose() * expression;
    let mean = product.column_mean();
    for mut column in product.column_iter_mut() {
        column -= &mean;
    }
    product
}

/// K with each pair of principal directions of G and P scaled by a function of their squared
/// lengths.
fn shrunk(training: Training<'_>, scale: impl Fn(f64, f64) -> f64) -> Result<DMatrix<f64>, Unfit> {
    let (lengths, v) = principal(training.genes)?;
    let (widths, w) = principal(training.perturbations)?;
    let product = against(training.genes, training.expression) * training.perturbations;
    let mut turned = v.tr_mul(&product) * &w;
    for (mut column, width) in turned.column_iter_mut().zip(&widths) {
        for (entry, length) in column.iter_mut().zip(&lengths) {
            *entry *= scale(*length, *width);
        }
    }
    Ok(v * turned * w.transpose())
}

/// Eigenvalues, none below zero, and eigenvectors of A^T A.
fn principal(a: &DMatrix<f64>) -> Result<(Vec<f64>, DMatrix<f64>), Unfit> {
    let gram = a.transpose() * a;
    let n = gram.nrows();
    let found = Spectrum::of(gram.as_slice(), n).ok_or(Unfit::NotFinite)?;
    let values = found.values.iter().map(|value| value.max(0.0)).collect();
    let vectors = DMatrix::from_fn(n, n, |i, j| found.vectors[j][i]);
    Ok((values, vectors))
}

/// K = G^+ Yc (P^+)^T.
fn least_squares(training: Training<'_>) -> Result<DMatrix<f64>, Unfit> {
    let genes = SingularValues::of(training.genes).ok_or(Unfit::NotFinite)?;
    let perturbations = SingularValues::of(training.perturbations).ok_or(Unfit::NotFinite)?;
    let product = against(&genes.left, training.expression) * &perturbations.left;
    let rows = inverses(&genes, training.genes.shape());
    let columns = inverses(&perturbations, training.perturbations.shape());
    let mut turned = product;
    for (mut column, width) in turned.column_iter_mut().zip(columns.iter()) {
        for (entry, length) in column.iter_mut().zip(rows.iter()) {
            *entry *= length * width;
        }
    }
    Ok(genes.right * turned * perturbations.right.transpose())
}

/// The inverse singular values; zero for those that are zero to working precision.
fn inverses(found: &SingularValues, shape: (usize, usize)) -> RowDVector<f64> {
    let most = found.values.first().copied().unwrap_or(0.0);
    #[expect(clippy::cast_precision_loss, reason = "a number of genes")]
    let least = most * f64::EPSILON * shape.0.max(shape.1) as f64;
    let inverse = |value: &f64| if *value > least { 1.0 / value } else { 0.0 };
    RowDVector::from_iterator(found.values.len(), found.values.iter().map(inverse))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    /// Rows genes; columns control, a perturbation of gene 2, one of gene 4.
    fn small() -> (DMatrix<f64>, [Option<usize>; 3]) {
        let rows = [1., 2., 0., 0., 1., 3., 2., 0., 1., 1., 1., 1.];
        (
            DMatrix::from_row_slice(4, 3, &rows),
            [None, Some(1), Some(3)],
        )
    }

    fn first_row(penalty: Penalty) -> Vec<f64> {
        let (expression, perturbed) = small();
        let genes = gene_factors(&expression, 2).unwrap();
        let perturbations = perturbation_factors(&genes, &perturbed).unwrap();
        let baseline = expression.column(0).clone_owned();
        let training = Training {
            expression: &expression,
            baseline: baseline.as_slice(),
            genes: &genes,
            perturbations: &perturbations,
        };
        let model = fit(training, penalty).unwrap();
        let predicted = model.predict(&perturbations, baseline.as_slice()).unwrap();
        predicted.row(0).iter().copied().collect()
    }

    /// The same with numpy: numpy.linalg.svd of X - X.mean(0), then numpy.linalg.solve and inv for
    /// the two-sided penalty, and numpy.linalg.solve and lstsq of numpy.kron(G, P) for the others.
    #[test]
    fn predictions_are_those_of_the_explicit_design() {
        let cases = [
            (
                Penalty::TwoSided(0.1),
                [1.0, 2.127_660_874_183_338, 0.831_193_757_415_307_1],
            ),
            (
                Penalty::Ridge(0.1),
                [1.0, 2.161_979_392_441_773, 0.653_481_663_134_697_1],
            ),
            (
                Penalty::None,
                [1.0, 2.083_209_789_918_103, -0.160_236_593_166_305],
            ),
        ];
        for (penalty, expected) in cases {
            for (found, expected) in first_row(penalty).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-13, "{penalty:?} {found}");
            }
        }
    }

    /// Against the normal equations of the whole design, formed with the Kronecker product.
    #[test]
    fn random_models_agree_with_the_kronecker_design() {
        let mut rng = rand::rngs::SmallRng::seed_from_u64(2);
        for (m, n, d, e) in [(9, 6, 2, 2), (12, 5, 3, 2), (15, 8, 4, 3)] {
            let mut random = |m, n| DMatrix::from_fn(m, n, |_, _| rng.random::<f64>() - 0.4);
            let (expression, genes) = (random(m, n), random(m, d));
            let (perturbations, baseline) = (random(n, e), random(m, 1));
            let training = Training {
                expression: &expression,
                baseline: baseline.as_slice(),
                genes: &genes,
                perturbations: &perturbations,
            };
            let mut change = expression.clone();
            for mut column in change.column_iter_mut() {
                column -= baseline.column(0);
            }
            let mean = change.column_mean();
            for mut column in change.column_iter_mut() {
                column -= &mean;
            }
            // Columns of K one below the other.
            let design = perturbations.kronecker(&genes);
            let right = design.tr_mul(&DMatrix::from_column_slice(m * n, 1, change.as_slice()));
            for (penalty, l) in [(Penalty::None, 0.0), (Penalty::Ridge(0.3), 0.3)] {
                let model = fit(training, penalty).unwrap();
                let normal = design.tr_mul(&design) + DMatrix::identity(d * e, d * e) * l;
                let exact = normal.lu().solve(&right).unwrap();
                let off = exact.iter().zip(model.coefficients.iter());
                assert!(off.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-8);
                assert!((&model.mean - &mean).norm() < 1e-13);
            }
            let (one, other) = (DMatrix::identity(d, d), DMatrix::identity(e, e));
            let left = (genes.tr_mul(&genes) + one * 0.3).try_inverse().unwrap();
            let last = (perturbations.tr_mul(&perturbations) + other * 0.3)
                .try_inverse()
                .unwrap();
            let exact = left * genes.tr_mul(&change) * &perturbations * last;
            let model = fit(training, Penalty::TwoSided(0.3)).unwrap();
            assert!((exact - model.coefficients).norm() < 1e-10);
        }
    }

    /// Factors that repeat each other leave many solutions; the one of least norm shares.
    #[test]
    fn without_penalty_the_least_norm_is_chosen() {
        let (expression, perturbed) = small();
        let one = gene_factors(&expression, 1).unwrap();
        let genes = DMatrix::from_fn(4, 2, |i, _| one[(i, 0)]);
        let perturbations = perturbation_factors(&one, &perturbed).unwrap();
        let training = |genes| Training {
            expression: &expression,
            baseline: &[0.0; 4],
            genes,
            perturbations: &perturbations,
        };
        let single = fit(training(&one), Penalty::None).unwrap().coefficients;
        let shared = fit(training(&genes), Penalty::None).unwrap().coefficients;
        assert!((shared[0] - single[0] / 2.0).abs() < 1e-14);
        assert!((shared[1] - single[0] / 2.0).abs() < 1e-14);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let (expression, _) = small();
        let most = 3;
        for found in [0, 4] {
            let refused = gene_factors(&expression, found);
            assert_eq!(refused.err(), Some(Unfit::Factors { found, most }));
        }
        let genes = gene_factors(&expression, 2).unwrap();
        let refused = perturbation_factors(&genes, &[None, Some(4)]);
        assert_eq!(refused.err(), Some(Unfit::NoGene { column: 1 }));
        let perturbations = perturbation_factors(&genes, &[None, Some(0)]).unwrap();
        let training = Training {
            expression: &expression,
            baseline: &[0.0; 4],
            genes: &genes,
            perturbations: &perturbations,
        };
        let (found, expected) = (2, 3);
        let refused = fit(training, Penalty::None).err();
        assert_eq!(refused, Some(Unfit::Perturbations { found, expected }));
        let perturbations = perturbation_factors(&genes, &[None, Some(0), None]).unwrap();
        let training = Training {
            perturbations: &perturbations,
            ..training
        };
        assert_eq!(
            fit(training, Penalty::Ridge(0.0)).err(),
            Some(Unfit::Penalty)
        );
        let short = Training {
            baseline: &[0.0; 3],
            ..training
        };
        let (found, expected) = (3, 4);
        assert_eq!(
            fit(short, Penalty::None).err(),
            Some(Unfit::Genes { found, expected })
        );
    }
}
