//! Equilibria of flows. Points and coefficients are exact, or those of an independent 30-digit
//! solution of the defining equations, but where a source is named.

use super::jet::{Jet, flow};
use super::*;
use crate::analyze::continuation::Crossing;

#[test]
fn saddle_node() {
    let family = flow(1, |x| vec![x[1] + x[0] * x[0]]);
    let found = over(&family, &[-1.0, -1.0], (-2.0, 1.0));
    assert_eq!(kinds(&found), ["LP"]);
    fold(&found, &[0.0, 0.0], 1.0);
    assert_eq!(ends(&found.branches[0]), [End::Range, End::Range]);
}

#[test]
fn pitchforks() {
    for sign in [-1.0, 1.0] {
        let family = flow(1, move |x| vec![x[1] * x[0] + sign * x[0].pow(3)]);
        let found = over(&family, &[0.0, -1.0], (-1.0, 1.0));
        assert_eq!(kinds(&found), ["BP"], "{:?}", found.specials);
        let kind = at(&found, "BP", &[0.0, 0.0]);
        let supercritical = sign < 0.0;
        assert!(
            matches!(kind, Kind::Crossing(Crossing::Pitchfork { supercritical: s }) if *s == supercritical),
            "{kind:?}"
        );
        assert_eq!(found.branches.len(), 2);
        let arms = &found.branches[1].points;
        let side = -sign;
        for end in [&arms[0].x, &arms[arms.len() - 1].x] {
            near(end[1], side);
            near(end[0].abs(), 1.0);
        }
    }
}

#[test]
fn a_pitchfork_from_its_arm() {
    let family = flow(1, |x| vec![x[1] * x[0] - x[0].pow(3)]);
    let found = over(&family, &[0.5, 0.25], (-1.0, 1.0));
    assert_eq!(kinds(&found), ["BP"], "{:?}", found.specials);
    assert_eq!(found.branches.len(), 2);
}

#[test]
fn a_start_where_branches_cross() {
    let family = flow(1, |x| vec![x[1] * x[0] - x[0].pow(3)]);
    let found = over(&family, &[0.0, 0.0], (-1.0, 1.0));
    assert_eq!(found.branches.len(), 2, "{found:?}");
    let family = flow(1, |x| vec![x[1] * x[0] - x[0].pow(2)]);
    let found = over(&family, &[0.0, 0.0], (-1.0, 1.0));
    assert_eq!(found.branches.len(), 2, "{found:?}");
}

#[test]
fn transcritical() {
    let family = flow(1, |x| vec![x[1] * x[0] - x[0].pow(2)]);
    let found = over(&family, &[0.0, -1.0], (-1.0, 1.0));
    assert_eq!(kinds(&found), ["BP"]);
    let kind = at(&found, "BP", &[0.0, 0.0]);
    assert!(matches!(kind, Kind::Crossing(Crossing::Transcritical)));
    assert_eq!(found.branches.len(), 2);
}

fn griffith(x: &[Jet]) -> Vec<Jet> {
    let (u, v, a) = (x[0], x[1], x[2]);
    vec![v - a * u, u * u / (u * u + 1.0) - v]
}

/// Griffith 1968: 2 a b = 1.
#[test]
fn griffith_folds() {
    let family = flow(2, griffith);
    let a = 0.3_f64;
    let u = (1.0 + (1.0 - 4.0 * a * a).sqrt()) / (2.0 * a);
    let found = over(&family, &[u, a * u, a], (0.2, 0.8));
    assert_eq!(kinds(&found), ["LP"]);
    at(&found, "LP", &[1.0, 0.5, 0.5]);
}

#[test]
fn brusselator() {
    for (a, l1) in [(1.0, -0.5), (2.0, -1.0 / 3.0)] {
        let family = flow(2, move |x| {
            vec![
                x[0] * x[0] * x[1] - (x[2] + 1.0) * x[0] + a,
                x[2] * x[0] - x[0] * x[0] * x[1],
            ]
        });
        let found = over(&family, &[a, 0.5 / a, 0.5], (0.1, 8.0));
        assert_eq!(kinds(&found), ["H"]);
        let b = 1.0 + a * a;
        hopf(&found, &[a, b / a, b], a, l1);
    }
}

#[test]
fn cusp_cut_across() {
    let family = flow(1, |x| vec![x[1] + x[0] - x[0].pow(3)]);
    let found = over(&family, &[-1.5, 1.5 - 3.375], (-3.0, 3.0));
    assert_eq!(found.unstarted, []);
    assert_eq!(kinds(&found), ["LP", "LP"]);
    let (x, mu) = (1.0 / 3.0_f64.sqrt(), 2.0 / 27.0_f64.sqrt());
    fold(&found, &[-x, mu], 3.0 * x);
    fold(&found, &[x, -mu], 3.0 * x);
}

#[test]
fn lorenz() {
    let family = flow(3, |x| {
        vec![
            (x[1] - x[0]) * 10.0,
            x[3] * x[0] - x[1] - x[0] * x[2],
            x[0] * x[1] - x[2] * (8.0 / 3.0),
        ]
    });
    let found = over(&family, &[0.0, 0.0, 0.0, 0.5], (0.0, 30.0));
    assert_eq!(kinds(&found), ["BP", "H", "H"]);
    let kind = at(&found, "BP", &[0.0, 0.0, 0.0, 1.0]);
    assert!(matches!(
        kind,
        Kind::Crossing(Crossing::Pitchfork {
            supercritical: true
        })
    ));
    let x = 7.956_019_457_871_825;
    let z = 23.736_842_105_263_158;
    hopf(
        &found,
        &[x, x, z, 470.0 / 19.0],
        9.624_530_063_715_8,
        0.002_555_495_334,
    );
    hopf(
        &found,
        &[-x, -x, z, 470.0 / 19.0],
        9.624_530_063_715_8,
        0.002_555_495_334,
    );
}

/// The A -> B reaction in a stirred tank (a demo of AUTO-07p).
#[test]
fn a_to_b() {
    let at_b = |b: f64| {
        let family = flow(2, move |x| {
            let rate = x[2] * (1.0 - x[0]) * x[1].exp();
            vec![rate - x[0], rate * b - x[1] - x[1] * 3.0]
        });
        over(&family, &[0.0, 0.0, 0.0], (0.0, 0.4))
    };
    let found = at_b(14.0);
    hopf(
        &found,
        &[
            0.405_955_372_117_471_4,
            1.420_843_802_411_15,
            0.165_042_045_323_561,
        ],
        1.024_756_375_405_3,
        1.590_811_466,
    );
    let found = at_b(15.0);
    hopf(
        &found,
        &[
            0.372_991_677_469_778_2,
            1.398_718_790_511_668,
            0.146_882_475_604_236,
        ],
        0.885_790_881_720_97,
        2.361_994_215,
    );
    let found = at_b(16.0);
    hopf(
        &found,
        &[
            0.345_491_502_812_526_3,
            1.381_966_011_250_105,
            0.132_538_444_269_215_2,
        ],
        0.763_932_022_500_21,
        3.405_766_046,
    );
    let found = at_b(17.0);
    assert_eq!(kinds(&found), ["LP", "H", "LP", "H"]);
    hopf(
        &found,
        &[
            0.322_062_481_731_738_5,
            1.368_765_547_359_889,
            0.120_865_719_509_389_1,
        ],
        0.652_063_316_188_44,
        4.918_244_543,
    );
    fold(
        &found,
        &[
            0.378_732_187_481_833_5,
            1.609_611_796_797_792,
            0.121_901_160_810_782_9,
        ],
        0.916_974_790_7,
    );
    fold(
        &found,
        &[
            0.621_267_812_518_166_5,
            2.640_388_203_202_208,
            0.117_014_750_426_703_9,
        ],
        0.317_948_840_9,
    );
    hopf(
        &found,
        &[
            0.913_231_635_915_320_3,
            3.881_234_452_640_111,
            0.217_080_509_696_289_3,
        ],
        5.529_449_649_981_6,
        -2.218_439_285,
    );
    let found = at_b(18.0);
    assert_eq!(kinds(&found), ["LP", "H", "LP", "H"]);
    hopf(
        &found,
        &[
            0.301_790_868_731_665_4,
            1.358_058_909_292_495,
            0.111_153_484_189_864_2,
        ],
        0.544_708_097_525_58,
        7.326_786_31,
    );
    fold(
        &found,
        &[1.0 / 3.0, 1.5, 0.111_565_080_074_214_9],
        1.952_374_12,
    );
    fold(
        &found,
        &[2.0 / 3.0, 3.0, 0.099_574_136_735_727_89],
        0.390_474_824_1,
    );
    hopf(
        &found,
        &[
            0.920_431_353_490_556_8,
            4.141_941_090_707_505,
            0.183_834_607_985_987_4,
        ],
        5.805_453_736_659_2,
        -2.400_377_107,
    );
}

/// A demo of AUTO-07p.
#[test]
fn plp() {
    let family = flow(2, |x| {
        let (s, a, rho) = (x[0], x[1], x[2]);
        let rate = rho * s * a / (1.0 + s + s * s * 0.1);
        vec![110.0 - s - rate, (500.0 - a) * 0.2 - rate]
    });
    let found = over(&family, &[45.559_74, 177.798_7, 2.021_628], (1.0, 8.0));
    assert_eq!(kinds(&found), ["H", "H"]);
    hopf(
        &found,
        &[
            27.964_698_731_197_49,
            89.823_493_655_987_44,
            3.499_953_827_986_905,
        ],
        0.831_044_876_655_03,
        0.000_250_308_766,
    );
    hopf(
        &found,
        &[
            22.366_923_755_594_55,
            61.834_618_777_972_75,
            4.650_457_812_602_7,
        ],
        1.045_836_336_623_3,
        0.000_301_861_303_1,
    );
}

/// Fish and sharks (a demo of AUTO-07p), with all branches that cross.
#[test]
fn fish_and_sharks() {
    let family = flow(2, |x| {
        let (f, s, q) = (x[0], x[1], x[2]);
        vec![
            f * (1.0 - f) * 3.0 - f * s - q * (1.0 - (f * -5.0).exp()),
            f * s * 3.0 - s,
        ]
    });
    // Farther out the branch of negative fish grows with the logarithm of the quota.
    let bounds = [(-3.0, 10.0), (-10.0, 10.0)];
    let found = in_box(&family, &[0.0, 0.0, 0.0], (0.0, 1.0), &bounds);
    at(&found, "BP", &[0.0, 0.0, 0.6]);
    let q = 2.0 / (3.0 * (1.0 - (-5.0_f64 / 3.0).exp()));
    at(&found, "BP", &[1.0 / 3.0, 0.0, q]);
    fold(
        &found,
        &[0.411_161_560_751_072_5, 0.0, 0.832_929_322_234_156_9],
        1.667_423_411,
    );
    hopf(
        &found,
        &[1.0 / 3.0, 0.365_761_535_977_190_5, 0.671_593_847_478_831_8],
        0.604_782_221_942_07,
        -0.429_274_788,
    );
    assert_eq!(kinds(&found), ["BP", "H", "BP", "LP"]);
    assert_eq!(found.branches.len(), 3);
    // States that cannot be negative: the same points, no branch beyond.
    let found = in_box(&family, &[0.0, 0.0, 0.0], (0.0, 1.0), &[(0.0, 10.0); 2]);
    assert_eq!(kinds(&found), ["BP", "H", "BP", "LP"]);
    let low = found.branches.iter().flat_map(|branch| &branch.points);
    assert!(
        low.map(|point| point.x[0].min(point.x[1]))
            .all(|low| low >= -1e-9)
    );
}

#[test]
fn fitzhugh_nagumo() {
    let family = flow(2, |x| {
        let (u, v, a) = (x[0], x[1], x[2]);
        vec![(u - u.pow(3) / 3.0 + v) * 3.0, -(u - a + v * 0.8) / 3.0]
    });
    let found = over(&family, &[0.0, 0.0, 0.0], (-1.0, 1.0));
    assert_eq!(kinds(&found), ["H", "H"]);
    let (x, y, a) = (
        0.954_521_404_218_423_5,
        -0.664_629_718_492_828_2,
        0.422_817_629_424_160_9,
    );
    hopf(&found, &[x, y, a], 0.963_788_819_653_4, 0.768_660_287_1);
    hopf(&found, &[-x, -y, -a], 0.963_788_819_653_4, 0.768_660_287_1);
}

/// Where Euler's method goes.
fn settled(family: &dyn Family, start: &[f64]) -> Vec<f64> {
    let mut x = start.to_vec();
    let mut rates = vec![0.0; family.dimension()];
    for _ in 0..20_000 {
        family.residual(&x, &mut rates);
        x.iter_mut()
            .zip(&rates)
            .for_each(|(x, rate)| *x += 0.05 * rate);
    }
    x
}

/// Bykov, Yablonskii and Kim (a tutorial of MatCont).
#[test]
fn co_oxidation() {
    let family = flow(3, |x| {
        let (u, y, s, q2) = (x[0], x[1], x[2], x[3]);
        let z = 1.0 - u - y - s;
        vec![
            z * z * 5.0 - u * u * 2.0 - u * y * 10.0,
            q2 * z - y * 0.1 - u * y * 10.0,
            (z - s * 0.4) * 0.0675,
        ]
    });
    let found = over(
        &family,
        &settled(&family, &[0.001, 0.9, 0.06, 1.0]),
        (0.5, 2.0),
    );
    assert_eq!(kinds(&found), ["H", "LP", "H", "LP"]);
    hopf(
        &found,
        &[
            0.016_357_543_040_156_48,
            0.523_971_184_590_407_4,
            0.328_336_623_121_025_8,
            1.051_557_462_457_73,
        ],
        0.050_740_344_896_786,
        10.701_019_63,
    );
    fold(
        &found,
        &[
            0.024_716_444_911_453_51,
            0.450_260_037_155_446_8,
            0.375_016_798_523_642_7,
            1.042_048_505_378_527,
        ],
        0.116_659_346_9,
    );
    fold(
        &found,
        &[
            0.054_029_415_071_275_15,
            0.302_241_440_040_017_7,
            0.459_806_532_063_362_3,
            1.052_200_287_869_955,
        ],
        0.134_650_516_1,
    );
    hopf(
        &found,
        &[
            0.077_927_770_598_853_55,
            0.233_064_930_129_733_7,
            0.492_148_070_908_152,
            1.040_991_569_532_616,
        ],
        0.059_106_147_935_775,
        4.331_378_978,
    );
}

#[test]
fn lure() {
    let family = flow(3, |x| {
        vec![x[1], x[2], x[0] * x[0] - x[3] * x[2] - x[1] - x[0]]
    });
    let found = over(&family, &[0.0, 0.0, 0.0, 0.5], (0.2, 2.0));
    assert_eq!(kinds(&found), ["H"]);
    hopf(&found, &[0.0, 0.0, 0.0, 1.0], 1.0, -0.3);
}

/// The folds of the spruce budworm (Ludwig, Jones, Holling 1978; Strogatz, section 3.7): at
/// r = 2 x³/(1 + x²)², k = 2 x³/(x² - 1).
#[test]
fn spruce_budworm() {
    let k = 10.0;
    let family = flow(1, move |x| {
        let (u, r) = (x[0], x[1]);
        vec![r * u * (1.0 - u / k) - u * u / (1.0 + u * u)]
    });
    let found = over(&family, &[0.1, 0.1], (0.05, 0.8));
    let folds: Vec<&Special> = sorted(&found)
        .into_iter()
        .filter(|s| name(&s.kind) == "LP")
        .collect();
    assert_eq!(folds.len(), 2, "{:?}", found.specials);
    for special in folds {
        let x = special.x[0];
        near(special.x[1], 2.0 * x.powi(3) / (1.0 + x * x).powi(2));
        near(k, 2.0 * x.powi(3) / (x * x - 1.0));
    }
}

/// Rosenzweig and MacArthur: H where the predator's isocline passes the hump,
/// K = 1/a + 2 x* with x* = m/(c - m) for a = 1; BP where K = x*.
#[test]
fn rosenzweig_macarthur() {
    let (c, m) = (1.0, 0.4);
    let family = flow(2, move |x| {
        let (u, v, k) = (x[0], x[1], x[2]);
        let eaten = u * v / (1.0 + u);
        vec![u * (1.0 - u / k) - eaten, eaten * c - v * m]
    });
    let u = m / (c - m);
    let found = in_box(&family, &[0.3, 0.0, 0.3], (0.2, 5.0), &[(0.0, 100.0); 2]);
    at(&found, "BP", &[u, 0.0, u]);
    let k = 1.0 + 2.0 * u;
    let v = (1.0 + u) * (1.0 - u / k);
    let kind = at(&found, "H", &[u, v, k]);
    assert!(matches!(kind, Kind::Hopf { l1, .. } if *l1 < 0.0));
}

/// A Morris-Lecar neuron with the parameters of its Hopf regime (Rinzel and Ermentrout 1989; the
/// literature gives I = 93.86 and 212.0).
#[test]
fn morris_lecar() {
    let family = flow(2, |x| {
        let (v, w, i) = (x[0], x[1], x[2]);
        let m = (((v + 1.2) / 18.0).tanh() + 1.0) * 0.5;
        let rest = (((v - 2.0) / 30.0).tanh() + 1.0) * 0.5;
        let half = (v - 2.0) / 60.0;
        let cosh = (half.exp() + (-half).exp()) * 0.5;
        vec![
            (i - m * (v - 120.0) * 4.4 - w * (v + 84.0) * 8.0 - (v + 60.0) * 2.0) / 20.0,
            (rest - w) * cosh * 0.04,
        ]
    });
    let found = over(&family, &[-60.0, 0.015, 0.0], (0.0, 300.0));
    assert_eq!(kinds(&found), ["H", "H"]);
    let all = sorted(&found);
    assert!((all[0].x[2] - 93.86).abs() < 0.05, "{:?}", all[0]);
    assert!((all[1].x[2] - 212.0).abs() < 0.1, "{:?}", all[1]);
}

/// Beside a Bogdanov-Takens point, in its normal form u' = v, v' = b1 + b2 u + u² - u v: on the
/// branch H at u = 0, b1 = 0 when b2 < 0, and LP at u = -b2/2, b1 = b2²/4; the frequency is
/// sqrt(-b2).
#[test]
fn beside_bogdanov_takens() {
    for b2 in [-1.0, -0.1, -1e-2, -1e-3] {
        let family = flow(2, move |x| {
            let (u, v, b1) = (x[0], x[1], x[2]);
            vec![v, b1 + u * b2 + u * u - u * v]
        });
        let u = -0.5;
        let found = over(&family, &[u, 0.0, -u * b2 - u * u], (-3.0, 3.0));
        assert_eq!(kinds(&found), ["H", "LP"], "{b2} {:?}", found.specials);
        let omega = (-b2).sqrt();
        match at(&found, "H", &[0.0, 0.0, 0.0]) {
            Kind::Hopf { frequency, .. } => near(*frequency, omega),
            other => panic!("{other:?}"),
        }
        at(&found, "LP", &[-b2 / 2.0, 0.0, b2 * b2 / 4.0]);
    }
}

/// A saddle whose eigenvalues pass a and -a is no Hopf point.
#[test]
fn neutral_saddles_are_no_hopf_points() {
    let family = flow(2, |x| vec![x[2] * x[0], -x[1]]);
    let found = over(&family, &[0.0, 0.0, 0.5], (0.3, 2.0));
    assert_eq!(kinds(&found), [] as [&str; 0]);
}

/// Two equal oscillators: both pairs cross at once, which no test function shows by its sign.
#[test]
fn two_pairs_at_once() {
    let family = flow(4, |x| {
        let oscillator = |u: Jet, v: Jet| {
            let r = u * u + v * v;
            [x[4] * u - v - u * r, u + x[4] * v - v * r]
        };
        let (a, b) = (oscillator(x[0], x[1]), oscillator(x[2], x[3]));
        vec![a[0], a[1], b[0], b[1]]
    });
    let found = over(&family, &[0.0, 0.0, 0.0, 0.0, -1.0], (-1.0, 1.0));
    assert_eq!(kinds(&found), ["H", "H"]);
}

/// A cycle of the exact radius sqrt(p) around H: x' = p x - w y - x r², y' = w x + p y - y r².
#[test]
fn amplitude_of_the_cycle_beside_hopf() {
    let family = flow(2, |x| {
        let (u, v, p) = (x[0], x[1], x[2]);
        let r = u * u + v * v;
        vec![p * u - v * 2.0 - u * r, u * 2.0 + p * v - v * r]
    });
    let found = over(&family, &[0.0, 0.0, -1.0], (-1.0, 1.0));
    match at(&found, "H", &[0.0, 0.0, 0.0]) {
        Kind::Hopf {
            frequency,
            growth,
            amplitude,
            ..
        } => {
            near(*frequency, 2.0);
            near(*growth, 1.0);
            near(amplitude[0], 1.0);
            near(amplitude[1], 1.0);
        }
        other => panic!("{other:?}"),
    }
}

/// A constraint w = u² changes nothing: the fast variable eliminated.
#[test]
fn constraints_are_eliminated() {
    let mut family = flow(3, |x| {
        let (u, v, w, b) = (x[0], x[1], x[2], x[3]);
        vec![w * v - (b + 1.0) * u + 1.0, b * u - w * v, w - u * u]
    });
    family.algebraic = vec![false, false, true];
    let found = over(&family, &[1.0, 0.5, 1.0, 0.5], (0.1, 5.0));
    assert_eq!(kinds(&found), ["H"]);
    match at(&found, "H", &[1.0, 2.0, 1.0, 2.0]) {
        Kind::Hopf { frequency, l1, .. } => {
            near(*frequency, 1.0);
            // The same motion, but |q| = 1 now counts w = 2 u: |q|² = |(u, v)|² + 4 |u|², and
            // (u, v) has |u|² : |v|² = 1 : 2.
            near(*l1, -0.5 * 3.0 / 7.0);
        }
        other => panic!("{other:?}"),
    }
}

/// A linear oscillator: its cycles at p = 0 neither attract nor repel.
#[test]
fn degenerate_hopf_has_no_sign() {
    let family = flow(2, |x| vec![x[2] * x[0] - x[1], x[0] + x[2] * x[1]]);
    let found = over(&family, &[0.0, 0.0, -1.0], (-1.0, 1.0));
    match at(&found, "H", &[0.0, 0.0, 0.0]) {
        Kind::Hopf { l1, .. } => assert_eq!(*l1, 0.0),
        other => panic!("{other:?}"),
    }
}
