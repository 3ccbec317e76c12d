//! Machine code: what only it does.

use super::*;
use crate::kernel::{Adaptive, Jit};
use std::sync::Arc;

/// y0 sin(y1) + p0, as a program.
fn wave(model: &mut Model) -> Expr {
    let (a, b) = (model.state(0, Shape::Scalar), model.state(1, Shape::Scalar));
    let p = model.parameter(0, Shape::Scalar);
    let sine = model.pool.unary(crate::symbolic::Unary::Sin, b);
    let product = model.pool.mul(a, sine);
    model.pool.add(product, p)
}

fn point(at: f64) -> Point {
    Point {
        t: at,
        state: vec![1.0 + at, 0.3 * at],
        parameters: Parameters::new([0.25]),
        slots: Vec::new(),
    }
}

#[test]
fn the_change_to_machine_code_leaves_no_trace() {
    let mut model = Model::default();
    let result = wave(&mut model);
    let tape = model.tape(&[result]);
    let adaptive = Adaptive::new(model.program(&[result]));
    let mut scratch = Scratch::new();
    for step in 0..200_000 {
        let point = point(f64::from(step) * 1e-3);
        if step % 997 == 0 {
            assert!(same_bits(
                &call_with(&adaptive, &point, &mut scratch),
                &call(&tape, &point)
            ));
        } else {
            call_with(&adaptive, &point, &mut scratch);
        }
    }
}

#[test]
fn threads_share_it_and_the_last_owner_frees_it() {
    let mut model = Model::default();
    let result = wave(&mut model);
    let expected = call(&model.tape(&[result]), &point(2.0));
    let program = Arc::new(model.program(&[result]));
    let jit = Arc::new(Jit::new(&program).expect("this processor"));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let jit = Arc::clone(&jit);
            std::thread::spawn(move || call(&*jit, &point(2.0)))
        })
        .collect();
    drop(jit);
    for thread in threads {
        assert!(same_bits(&thread.join().unwrap(), &expected));
    }
}

/// Each translation takes pages of its own, which the last owner gives back.
#[test]
#[cfg(target_os = "linux")]
fn two_thousand_translations_leave_no_memory_behind() {
    // Executable pages that belong to no file.
    let mapped = || -> usize {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let is_code = |line: &&str| line.contains(" r-xp 00000000 00:00 0 ");
        maps.lines().filter(is_code).count()
    };
    let mut model = Model::default();
    let result = wave(&mut model);
    let program = Arc::new(model.program(&[result]));
    let before = mapped();
    for _ in 0..2000 {
        assert!(Jit::new(&program).is_some());
    }
    let grown = mapped().saturating_sub(before);
    assert!(grown < 500, "{grown} pages of code are left");
}
