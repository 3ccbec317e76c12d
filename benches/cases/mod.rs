//! What benches with cases of their own share: which are performed, and numbers to make data of.

// Each bench uses a part of it.
#![allow(dead_code)]

/// Performs the cases whose name contains the first argument that is no option; all without one.
pub fn perform(cases: &[(&str, fn())]) {
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let wanted = wanted.unwrap_or_default();
    for (name, case) in cases.iter().filter(|(name, _)| name.contains(&wanted)) {
        println!("{name}");
        case();
    }
}

/// Random that are the same in every run (D. E. Knuth's MMIX generator).
pub struct Random(pub u64);

impl Random {
    /// Uniform between 0 and 1.
    pub fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform between -1 and 1.
    pub fn centred(&mut self) -> f64 {
        2.0 * self.uniform() - 1.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        ((self.uniform() * end as f64) as usize).min(end - 1)
    }

    pub fn normal(&mut self) -> f64 {
        let uniform = self.uniform().max(f64::MIN_POSITIVE);
        (-2.0 * uniform.ln()).sqrt() * (std::f64::consts::PI * self.centred()).cos()
    }
}
