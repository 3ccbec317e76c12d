//! The functions that machine code calls: each is the routine of the table of built-ins, with the
//! calling convention of C.

use crate::symbolic::{Binary, Unary};

macro_rules! unary_routines {
    ($($name:ident)*) => {
        /// The address of the routine of a function of one number.
        pub(super) fn unary(function: Unary) -> *const u8 {
            match function {
                $(Unary::$name => {
                    extern "C" fn routine(x: f64) -> f64 {
                        Unary::$name.apply(x)
                    }
                    routine as *const u8
                })*
            }
        }
    };
}

macro_rules! binary_routines {
    ($($name:ident)*) => {
        /// The address of the routine of a function of two numbers.
        pub(super) fn binary(function: Binary) -> *const u8 {
            match function {
                $(Binary::$name => {
                    extern "C" fn routine(x: f64, y: f64) -> f64 {
                        Binary::$name.apply(x, y)
                    }
                    routine as *const u8
                })*
            }
        }
    };
}

unary_routines! {
    Negate Not Positive Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh Acosh Atanh Exp Expm1 Log Log10
    Log2 Log1p Sqrt Cbrt Abs Sign Floor Ceil Round Sigmoid
}

binary_routines! {
    Add Subtract Multiply Divide Power Minimum Maximum Atan2 Modulo Hill HillSlope Equal NotEqual Less LessEqual
    Greater GreaterEqual And Or
}
