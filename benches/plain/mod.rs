//! Right-hand sides written by hand, to compare compiled functions with.

/// HIRES, as in `kernel.rs`. The slices have 8 numbers.
#[inline(never)]
pub fn hires(y: &[f64], out: &mut [f64]) {
    let [y1, y2, y3, y4, y5, y6, y7, y8] = *y.first_chunk::<8>().expect("8 states");
    let out = out.first_chunk_mut::<8>().expect("8 results");
    let binding = 280.0 * y6 * y8;
    out[0] = -1.71 * y1 + 0.43 * y2 + 8.32 * y3 + 0.0007;
    out[1] = 1.71 * y1 - 8.75 * y2;
    out[2] = -10.03 * y3 + 0.43 * y4 + 0.035 * y5;
    out[3] = 8.32 * y2 + 1.71 * y3 - 1.12 * y4;
    out[4] = -1.745 * y5 + 0.43 * y6 + 0.43 * y7;
    out[5] = -binding + 0.69 * y4 + 1.71 * y5 - 0.43 * y6 + 0.69 * y7;
    out[6] = binding - 1.81 * y7;
    out[7] = -binding + 1.81 * y7;
}

/// POLLU, as in `kernel.rs`. The slices have 20 numbers.
#[inline(never)]
pub fn pollu(y: &[f64], out: &mut [f64]) {
    let y = y.first_chunk::<20>().expect("20 states");
    let out = out.first_chunk_mut::<20>().expect("20 results");
    let r1 = 0.35 * y[0];
    let r2 = 26.6 * y[1] * y[3];
    let r3 = 12300.0 * y[4] * y[1];
    let r4 = 0.00086 * y[6];
    let r5 = 0.00082 * y[6];
    let r6 = 15000.0 * y[6] * y[5];
    let r7 = 0.00013 * y[8];
    let r8 = 24000.0 * y[8] * y[5];
    let r9 = 16500.0 * y[10] * y[1];
    let r10 = 9000.0 * y[10] * y[0];
    let r11 = 0.022 * y[12];
    let r12 = 12000.0 * y[9] * y[1];
    let r13 = 1.88 * y[13];
    let r14 = 16300.0 * y[0] * y[5];
    let r15 = 4.8e6 * y[2];
    let r16 = 0.00035 * y[3];
    let r17 = 0.0175 * y[3];
    let r18 = 1e8 * y[15];
    let r19 = 4.44e11 * y[15];
    let r20 = 1240.0 * y[16] * y[5];
    let r21 = 2.1 * y[18];
    let r22 = 5.78 * y[18];
    let r23 = 0.0474 * y[0] * y[3];
    let r24 = 1780.0 * y[18] * y[0];
    let r25 = 3.12 * y[19];
    out[0] = -r1 - r10 - r14 - r23 - r24 + r2 + r3 + r9 + r11 + r12 + r22 + r25;
    out[1] = -r2 - r3 - r9 - r12 + r1 + r21;
    out[2] = -r15 + r1 + r17 + r19 + r22;
    out[3] = -r2 - r16 - r17 - r23 + r15;
    out[4] = -r3 + r4 + r4 + r6 + r7 + r13 + r20;
    out[5] = -r6 - r8 - r14 - r20 + r3 + r18 + r18;
    out[6] = -r4 - r5 - r6 + r13;
    out[7] = r4 + r5 + r6 + r7;
    out[8] = -r7 - r8;
    out[9] = -r12 + r7 + r9;
    out[10] = -r9 - r10 + r8 + r11;
    out[11] = r9;
    out[12] = -r11 + r10;
    out[13] = -r13 + r12;
    out[14] = r14;
    out[15] = -r18 - r19 + r16;
    out[16] = -r20;
    out[17] = r20;
    out[18] = -r21 - r22 - r24 + r23 + r25;
    out[19] = -r25 + r24;
}
