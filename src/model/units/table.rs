//! The table of units, and that of prefixes.
//!
//! Enters: nothing. Leaves: [`UNITS`] and [`PREFIXES`], which the checker, the prompt and the manual
//! share. Factors are those of the International System of Units (SI brochure, 9th edition) and of
//! its accepted companions; a year is the Julian year of 365.25 days, a month its twelfth. Must not
//! know expressions.

/// One unit with its names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The group it stands in.
    pub group: &'static str,
    /// As it is written; the first name is the usual one.
    pub names: &'static [&'static str],
    /// One of this unit is so many of `of`.
    pub factor: f64,
    /// A product of powers of earlier units; empty for a number. A unit that is a dimension of its
    /// own stands for itself.
    pub of: &'static str,
    /// True when prefixes may stand before it: `mg`, `kPa`.
    pub takes_prefix: bool,
    /// What it is, in a few words.
    pub description: &'static str,
}

/// What a prefix multiplies by, as a power of ten.
pub const PREFIXES: &[(&str, i32)] = &[
    ("Q", 30),
    ("R", 27),
    ("Y", 24),
    ("Z", 21),
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("da", 1),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("µ", -6),
    ("μ", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("z", -21),
    ("y", -24),
    ("r", -27),
    ("q", -30),
];

/// How many degrees lie between the zero of a scale and that of its absolute one.
pub const CELSIUS_ZERO: f64 = 273.15;

/// The same in degrees Fahrenheit.
pub const FAHRENHEIT_ZERO: f64 = 459.67;

macro_rules! rows {
    ($($group:literal { $( $names:expr, $factor:expr, $of:literal, $prefix:literal, $description:literal; )* })*) => {
        /// Every unit, each after those that it is made of.
        pub const UNITS: &[Row] = &[$($(Row {
            group: $group,
            names: &$names,
            factor: $factor,
            of: $of,
            takes_prefix: $prefix,
            description: $description,
        },)*)*];
    };
}

rows! {
    "Time" {
        ["s", "sec", "second", "seconds"], 1.0, "s", true, "second";
        ["min", "minute", "minutes"], 60.0, "s", false, "minute";
        ["h", "hr", "hour", "hours"], 60.0, "min", false, "hour";
        ["d", "day", "days"], 24.0, "h", false, "day";
        ["week", "weeks", "wk"], 7.0, "d", false, "week";
        ["year", "years", "yr", "a"], 365.25, "d", false, "Julian year";
        ["month", "months"], 30.4375, "d", false, "twelfth of a year";
        ["Hz", "hertz"], 1.0, "1/s", true, "hertz";
    }
    "Length, area and volume" {
        ["m", "metre", "meter"], 1.0, "m", true, "metre";
        ["Å"], 1e-10, "m", false, "ångström";
        ["ha"], 1e4, "m^2", false, "hectare";
        ["L", "l", "litre", "liter"], 1e-3, "m^3", true, "litre";
    }
    "Mass and force" {
        ["g", "gram"], 1e-3, "kg", true, "gram";
        ["t", "tonne"], 1e3, "kg", false, "tonne";
        ["Da", "dalton"], 1.660_539_068_92e-27, "kg", true, "dalton";
        ["N", "newton"], 1.0, "kg*m/s^2", true, "newton";
        ["Pa", "pascal"], 1.0, "N/m^2", true, "pascal";
        ["bar"], 1e5, "Pa", true, "bar";
        ["atm"], 101_325.0, "Pa", false, "standard atmosphere";
        ["mmHg"], 133.322_387_415, "Pa", false, "millimetre of mercury";
        ["J", "joule"], 1.0, "N*m", true, "joule";
        ["cal"], 4.184, "J", true, "thermochemical calorie";
        ["eV"], 1.602_176_634e-19, "J", true, "electronvolt";
        ["W", "watt"], 1.0, "J/s", true, "watt";
    }
    "Amount and activity" {
        ["mol", "mole", "moles"], 1.0, "mol", true, "mole";
        ["molecules", "molecule"], 1.0 / 6.022_140_76e23, "mol", false, "one of a mole's 6.02214076e23";
        ["M", "molar"], 1.0, "mol/L", true, "mole per litre";
        ["kat", "katal"], 1.0, "mol/s", true, "katal";
        ["U"], 1.0, "umol/min", true, "enzyme unit";
        ["IU"], 1.0, "IU", true, "international unit of a drug or hormone";
        ["Bq", "becquerel"], 1.0, "1/s", true, "becquerel";
        ["Ci", "curie"], 3.7e10, "1/s", true, "curie";
        ["Gy", "gray"], 1.0, "J/kg", true, "gray";
        ["Sv", "sievert"], 1.0, "J/kg", true, "sievert";
    }
    "Temperature" {
        ["K", "kelvin"], 1.0, "K", true, "kelvin, or a difference of degrees Celsius";
        ["degC", "°C", "celsius"], 1.0, "degC", false, "degree Celsius, from its own zero";
        ["degF", "°F", "fahrenheit"], 1.0, "degF", false, "degree Fahrenheit, from its own zero";
    }
    "Electricity and light" {
        ["A", "ampere"], 1.0, "A", true, "ampere";
        ["C", "coulomb"], 1.0, "A*s", true, "coulomb";
        ["V", "volt"], 1.0, "W/A", true, "volt";
        ["F", "farad"], 1.0, "C/V", true, "farad";
        ["ohm", "\u{3a9}", "\u{2126}"], 1.0, "V/A", true, "ohm";
        ["S", "siemens"], 1.0, "A/V", true, "siemens";
        ["H", "henry"], 1.0, "V*s/A", true, "henry";
        ["Wb", "weber"], 1.0, "V*s", true, "weber";
        ["T", "tesla"], 1.0, "Wb/m^2", true, "tesla";
        ["cd", "candela"], 1.0, "cd", true, "candela";
    }
    "Numbers and angles" {
        ["%", "percent"], 1e-2, "", false, "hundredth";
        ["‰"], 1e-3, "", false, "thousandth";
        ["ppm"], 1e-6, "", false, "millionth";
        ["ppb"], 1e-9, "", false, "thousand-millionth";
        ["thousand", "thousands"], 1e3, "", false, "thousand";
        ["million", "millions"], 1e6, "", false, "million";
        ["rad", "radian", "radians"], 1.0, "", true, "radian, a number";
        ["deg", "°", "degree", "degrees"], std::f64::consts::PI / 180.0, "", false, "degree of an angle";
    }
    "Counts, each a dimension of its own" {
        ["cells", "cell"], 1.0, "cells", false, "cells";
        ["individuals", "individual", "people", "persons", "person"], 1.0, "individuals", false, "individuals, people";
        ["animals", "animal"], 1.0, "animals", false, "animals";
        ["copies", "copy"], 1.0, "copies", false, "copies of a gene or virus";
        ["CFU"], 1.0, "CFU", false, "colony-forming units";
        ["PFU"], 1.0, "PFU", false, "plaque-forming units";
    }
}
