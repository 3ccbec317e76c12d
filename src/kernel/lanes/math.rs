//! Elementary functions without branches, for loops that the compiler turns into vector code.
//!
//! Enters: numbers. Leaves: their exponential, logarithm and power, and what normal random numbers
//! are made of, the same bits in every lane, on every machine and for every instruction set:
//! sums and products only, each rounded by itself, and divisions. Special values are those of the
//! functions of the standard library. Must not know registers.
//!
//! Errors, in units of the last place of the result: [`exp`] and [`log`] below 1, [`pow`] below 2
//! over the whole range, [`turn`] below 1.5e-16 absolutely.
//!
//! Method: reduction of the argument and polynomials (W. J. Cody, W. Waite, Software Manual for the
//! Elementary Functions, 1980; J.-M. Muller, Elementary Functions, 3rd edition, 2016, chapters 3,
//! 4 and 11). The polynomials are best approximations for the relative error that matters, by the
//! exchange algorithm of Remez in 120 digits; their errors stand beside them. The power carries
//! its logarithm as a sum of two numbers (T. J. Dekker, Numer. Math. 18, 224, 1971).

/// Adding this and taking it away again rounds to a whole number; the sum ends in its bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// The bits of a number below the exponent.
const MANTISSA: u64 = (1 << 52) - 1;
/// The bits of 1.
const ONE: u64 = 1023 << 52;
/// The bits of the square root of one half, cut.
const ROOT_OF_HALF: u64 = 0x3fe6_a09e_0000_0000;

/// log(2) in two parts, the first of 32 bits: its product with a whole exponent is exact.
const LOG2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
/// The same with 42 bits in the first, so that the second reaches further.
const FINE_LOG2: [f64; 2] = [0.693_147_180_559_890_3, 5.497_923_018_708_371e-14];

/// (e^r - 1 - r) / r^2 for |r| <= log(2)/2; error of e^r 2^-57.9.
const EXPONENTIAL: [f64; 10] = [
    0.500_000_000_000_001_1,
    0.166_666_666_666_664_13,
    0.041_666_666_666_530_16,
    0.008_333_333_333_494_465,
    0.001_388_888_894_362_894_5,
    0.000_198_412_695_065_657_1,
    2.480_149_310_007_098e-5,
    2.755_758_638_843_295e-6,
    2.763_024_799_015_508_5e-7,
    2.500_005_671_660_852e-8,
];

/// (2 artanh(s) - 2 s) / s^3 in s^2, for s up to that of the square root of 2; relative error of
/// the logarithm 2^-59.5.
const LOGARITHM: [f64; 7] = [
    0.666_666_666_666_673_4,
    0.399_999_999_994_139_54,
    0.285_714_287_425_630_5,
    0.222_221_985_537_849_64,
    0.181_835_654_039_818_63,
    0.153_140_212_615_424_82,
    0.147_962_593_236_673_24,
];

/// (2 artanh(s) - 2 s - 2/3 s^3) / s^5 in s^2, for the same s; relative error of the logarithm
/// 2^-66.
const FINE_LOGARITHM: [f64; 7] = [
    0.400_000_000_000_022_56,
    0.285_714_285_700_983_7,
    0.222_222_225_201_402_4,
    0.181_817_843_478_896,
    0.153_867_582_284_207_6,
    0.132_567_965_755_979_73,
    0.131_965_278_897_911_63,
];

/// 2/3 in two parts.
const TWO_THIRDS: [f64; 2] = [0.666_666_666_666_666_6, 3.700_743_415_417_188e-17];

/// sin(2 pi f) / f in f^2 for |f| <= 1/8; relative error 2^-58.
const SINE: [f64; 7] = [
    std::f64::consts::TAU,
    -41.341_702_240_399_634,
    81.605_249_275_944_5,
    -76.705_859_703_314_73,
    42.058_684_902_025_43,
    -15.093_797_504_623_119,
    3.780_726_176_814_446,
];

/// (cos(2 pi f) - 1) / f^2 in f^2 for |f| <= 1/8; error of the cosine 2^-64.
const COSINE: [f64; 7] = [
    -19.739_208_802_178_716,
    64.939_394_022_668_01,
    -85.456_817_206_540_05,
    60.244_641_331_611_34,
    -26.426_251_140_393_745,
    7.903_101_636_084_624_5,
    -1.697_020_040_077_993_8,
];

/// The polynomial with these coefficients, the constant one first.
#[inline(always)]
fn polynomial<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    let mut sum = coefficients[N - 1];
    let mut at = N - 1;
    while at > 0 {
        at -= 1;
        sum = sum * x + coefficients[at];
    }
    sum
}

/// 2^k for a whole k that a normal number has room for.
#[inline(always)]
fn power_of_two(k: f64) -> f64 {
    f64::from_bits(((k + ROUNDER).to_bits() << 52).wrapping_add(ONE))
}

/// e^(x + rest), where `rest` is small beside x; x is not NaN and below 1e9 in size.
#[inline(always)]
fn exp_of_sum(x: f64, rest: f64) -> f64 {
    let k = (x * std::f64::consts::LOG2_E + ROUNDER) - ROUNDER;
    let high = x - k * LOG2[0];
    let low = k * LOG2[1] - rest;
    let r = high - low;
    let lost = (high - r) - low;
    let e = 1.0 + (r + (r * r * polynomial(&EXPONENTIAL, r) + lost));
    // In two steps, so that both factors are normal numbers.
    let half = (0.5 * k + ROUNDER) - ROUNDER;
    e * power_of_two(half) * power_of_two(k - half)
}

/// e^x.
#[inline(always)]
#[must_use]
pub fn exp(x: f64) -> f64 {
    // Beyond these all is infinite or zero; comparisons that NaN fails leave it as it is.
    let x = if x > 710.0 { 710.0 } else { x };
    let x = if x < -746.0 { -746.0 } else { x };
    let value = exp_of_sum(x, 0.0);
    if x.is_nan() { x } else { value }
}

/// x = 2^k m with m between the roots of 1/2 and of 2, for a positive normal number x.
#[inline(always)]
fn split(x: f64) -> (f64, f64) {
    let shifted = x.to_bits().wrapping_add(ONE - ROOT_OF_HALF);
    let m = f64::from_bits((shifted & MANTISSA).wrapping_add(ROOT_OF_HALF));
    // The exponent as the last bits of a number with 2^52 in front.
    let k = f64::from_bits((shifted >> 52) | (1075 << 52)) - (4_503_599_627_370_496.0 + 1023.0);
    (k, m)
}

/// log(x) = log(m) + k log(2) for x = 2^k m.
#[inline(always)]
fn log_of_parts(k: f64, m: f64) -> f64 {
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let rest = z * polynomial(&LOGARITHM, z);
    // log(1 + f) = f - f^2/2 + s (f^2/2 + rest): f, the largest part, is exact.
    let half = 0.5 * f * f;
    k * LOG2[0] - ((half - (s * (half + rest) + k * LOG2[1])) - f)
}

/// The natural logarithm.
#[inline(always)]
#[must_use]
pub fn log(x: f64) -> f64 {
    let subnormal = x < f64::MIN_POSITIVE;
    let (k, m) = split(if subnormal { x * TWO_TO_54 } else { x });
    let value = log_of_parts(if subnormal { k - 54.0 } else { k }, m);
    let value = if x < f64::INFINITY { value } else { x };
    let value = if x == 0.0 { f64::NEG_INFINITY } else { value };
    if x < 0.0 { f64::NAN } else { value }
}

const TWO_TO_54: f64 = 18_014_398_509_481_984.0;

/// a + b, and what rounding it leaves, for a at least as large as b or zero.
#[inline(always)]
fn sum_of_two(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// a b, and what rounding it leaves.
#[inline(always)]
fn product_of_two(a: f64, b: f64) -> (f64, f64) {
    let upper = |x: f64| f64::from_bits(x.to_bits() & !((1 << 27) - 1));
    let (a1, b1) = (upper(a), upper(b));
    let (a2, b2) = (a - a1, b - b1);
    let product = a * b;
    let rest = ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2;
    (product, rest)
}

/// log(x) as a sum of two numbers with a relative error of 2^-63, for positive finite x.
#[inline(always)]
fn fine_log(x: f64) -> (f64, f64) {
    let subnormal = x < f64::MIN_POSITIVE;
    let (k, m) = split(if subnormal { x * TWO_TO_54 } else { x });
    let k = if subnormal { k - 54.0 } else { k };
    // s = f / (2 + f), the divisor and the quotient as sums.
    let f = m - 1.0;
    let divisor = m + 1.0;
    let divisor_rest = m - (divisor - 1.0);
    let inverse = 1.0 / divisor;
    let s = f * inverse;
    let (back, back_rest) = product_of_two(s, divisor);
    let s_rest = (((f - back) - back_rest) - s * divisor_rest) * inverse;
    // s^3 and 2/3 s^3 likewise; of the rest one number is enough.
    let (z, z_rest) = product_of_two(s, s);
    let z_rest = z_rest + 2.0 * s * s_rest;
    let (cube, cube_rest) = product_of_two(z, s);
    let cube_rest = cube_rest + (z_rest * s + z * s_rest);
    let (third, third_rest) = product_of_two(TWO_THIRDS[0], cube);
    let third_rest = third_rest + (TWO_THIRDS[0] * cube_rest + TWO_THIRDS[1] * cube);
    let tail = cube * z * polynomial(&FINE_LOGARITHM, z);
    let (sum, first) = sum_of_two(k * FINE_LOG2[0], 2.0 * s);
    let (sum, second) = sum_of_two(sum, third);
    let rest = first + second + (k * FINE_LOG2[1] + (2.0 * s_rest + third_rest + tail));
    sum_of_two(sum, rest)
}

/// True where [`positive_power`] is x^y.
#[inline(always)]
#[must_use]
pub fn is_plain_power(x: f64, y: f64) -> bool {
    x > 0.0 && x < f64::INFINITY && y.abs() < f64::INFINITY
}

/// x^y for positive finite x and finite y; some number for others.
#[inline(always)]
#[must_use]
pub fn positive_power(x: f64, y: f64) -> f64 {
    let (log, rest) = fine_log(x);
    let (product, lost) = product_of_two(y, log);
    let lost = lost + y * rest;
    // Beyond these all is infinite or zero, and what is left over may be NaN.
    let above = product > 800.0;
    let below = product < -800.0;
    let product = if above { 800.0 } else { product };
    let product = if below { -800.0 } else { product };
    exp_of_sum(product, if above | below { 0.0 } else { lost })
}

/// x^y.
#[inline]
#[must_use]
pub fn pow(x: f64, y: f64) -> f64 {
    if is_plain_power(x, y) {
        return positive_power(x, y);
    }
    if is_plain_power(-x, y) {
        // A whole exponent beyond 2^53 is even.
        return match y % 2.0 {
            0.0 => positive_power(-x, y),
            1.0 | -1.0 => -positive_power(-x, y),
            _ => f64::NAN,
        };
    }
    // With zero, infinity or NaN: the results are exact, and the same everywhere.
    x.powf(y)
}

/// (cos, sin) of 2 pi u for u from 0 to 1.
#[inline(always)]
#[must_use]
pub fn turn(u: f64) -> (f64, f64) {
    // The nearest quarter, and what is left.
    let quarters = (4.0 * u + ROUNDER) - ROUNDER;
    let f = u - 0.25 * quarters;
    let v = f * f;
    let sine = f * polynomial(&SINE, v);
    let cosine = 1.0 + v * polynomial(&COSINE, v);
    let odd = (quarters == 1.0) | (quarters == 3.0);
    let (x, y) = if odd { (sine, cosine) } else { (cosine, sine) };
    let x = if (quarters == 1.0) | (quarters == 2.0) {
        -x
    } else {
        x
    };
    let y = if (quarters == 2.0) | (quarters == 3.0) {
        -y
    } else {
        y
    };
    (x, y)
}

/// Two independent standard normal numbers from two uniform ones, the first in (0, 1] and the
/// second in [0, 1] (G. E. P. Box, M. E. Muller, Ann. Math. Stat. 29, 610, 1958).
#[inline(always)]
#[must_use]
pub fn normal_pair(first: f64, second: f64) -> (f64, f64) {
    let (k, m) = split(first);
    let radius = (-2.0 * log_of_parts(k, m)).sqrt();
    let (cosine, sine) = turn(second);
    (radius * cosine, radius * sine)
}
