//! Programs in lanes against the tape; functions against known values.

use super::level::Level;
use super::*;
use crate::kernel::program::{Code, Operation};
use crate::kernel::{BlockOperation, Kernel};
use crate::symbolic::{Binary, Unary};

/// The arguments of one member.
pub(in crate::kernel) struct Member {
    pub t: f64,
    pub state: Vec<f64>,
    pub parameters: Parameters,
    pub slots: Vec<f64>,
}

/// True when a program uses functions that lanes compute by [`math`].
fn has_functions_of_our_own(code: &Code) -> bool {
    let unary = |function: Unary| matches!(function, Unary::Exp | Unary::Log);
    let scalars = code.instructions.iter().any(|step| match step.operation {
        Operation::Unary(function) => unary(function),
        Operation::Binary(function) => function == Binary::Power,
        _ => false,
    });
    let blocks = code.blocks.iter().any(|block| match block.operation {
        BlockOperation::Unary(function) => unary(function),
        BlockOperation::Binary(function) => function == Binary::Power,
        _ => false,
    });
    scalars || blocks
}

fn by_tape(program: &Arc<Program>, member: &Member) -> Vec<f64> {
    let mut out = vec![f64::NAN; program.out_len()];
    Tape::new(Arc::clone(program)).call(
        member.t,
        &member.state,
        &member.parameters,
        &member.slots,
        &mut out,
        &mut Scratch::new(),
    );
    out
}

/// Number i of member `lane` at `(i * chunks + lane / 8, lane % 8)`.
fn spread<'a>(members: impl Iterator<Item = &'a [f64]>, chunks: usize) -> Vec<Chunk> {
    let mut all = Vec::new();
    for (lane, numbers) in members.enumerate() {
        all.resize(numbers.len() * chunks, Chunk::splat(f64::NAN));
        for (i, number) in numbers.iter().enumerate() {
            all[i * chunks + lane / LANES].0[lane % LANES] = *number;
        }
    }
    all
}

fn of_lane(out: &[Chunk], chunks: usize, lane: usize) -> Vec<f64> {
    let mine = out.iter().skip(lane / LANES).step_by(chunks);
    mine.map(|chunk| chunk.0[lane % LANES]).collect()
}

/// Members with their own time and parameters, or with those of the first.
fn in_lanes(
    program: &Arc<Program>,
    members: &[&Member],
    shared: bool,
    (level, chunks): (Level, usize),
) -> Vec<Chunk> {
    let state = spread(members.iter().map(|member| &*member.state), chunks);
    let slots = spread(members.iter().map(|member| &*member.slots), chunks);
    let mut out = vec![Chunk::splat(f64::NAN); program.out_len() * chunks];
    if shared {
        let lanes = SharedLanes::new(program).at(level);
        let mut scratch = lanes.scratch(chunks);
        let (t, parameters) = (members[0].t, &members[0].parameters);
        // Twice: nothing that the first call leaves changes the second.
        for _ in 0..2 {
            lanes.call(t, &state, parameters, &slots, &mut out, &mut scratch);
        }
    } else {
        let lanes = SeparateLanes::new(program).at(level);
        let mut scratch = lanes.scratch(chunks);
        let times: Vec<[f64; 1]> = members.iter().map(|member| [member.t]).collect();
        let times = spread(times.iter().map(|t| &t[..]), chunks);
        for _ in 0..2 {
            for (lane, member) in members.iter().enumerate() {
                lanes.set_parameters(lane, &member.parameters, &mut scratch);
            }
            lanes.call(&times, &state, &slots, &mut out, &mut scratch);
        }
    }
    out
}

/// Checks that every member gets the tape's bits, or, where functions of our own have a part in
/// them, the same bits in every lane, for every number of chunks and by all instructions.
#[track_caller]
pub(in crate::kernel) fn check(program: &Arc<Program>, members: &[Member]) {
    let own = has_functions_of_our_own(program.body());
    let own_before = has_functions_of_our_own(program.prologue());
    let mut seen: [Vec<Option<Vec<f64>>>; 2] =
        [vec![None; members.len()], vec![None; members.len()]];
    for (shared, known) in [true, false].into_iter().zip(&mut seen) {
        for (shift, way) in ways().enumerate() {
            let count = LANES * way.1;
            let turned = |lane: usize| (lane * 3 + shift) % members.len();
            let list: Vec<&Member> = (0..count).map(|lane| &members[turned(lane)]).collect();
            let first = list[0];
            // With shared parameters members are compared where they have those of the first.
            let list: Vec<&Member> = if shared { vec![first; count] } else { list };
            let out = in_lanes(program, &list, shared, way);
            for lane in 0..count {
                let which = if shared { turned(0) } else { turned(lane) };
                let expected = known[which].get_or_insert_with(|| {
                    if own || own_before && !shared {
                        of_lane(&out, way.1, lane)
                    } else {
                        by_tape(program, &members[which])
                    }
                });
                let found = of_lane(&out, way.1, lane);
                let same =
                    |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
                assert!(
                    found.iter().zip(&*expected).all(same),
                    "shared {shared}, {way:?}: {found:?}, {expected:?}\n{program}"
                );
            }
        }
    }
}

/// Instructions and numbers of chunks.
fn ways() -> impl Iterator<Item = (Level, usize)> {
    let mut levels = Level::all().collect::<Vec<_>>();
    levels.reverse();
    levels.into_iter().zip([1, 2, 8].into_iter().cycle())
}

/// Distance in units of the last place.
fn apart(a: f64, b: f64) -> u64 {
    if a.is_nan() && b.is_nan() || a == b {
        return 0;
    }
    let place = |x: f64| {
        let bits = x.to_bits().cast_signed();
        if bits < 0 { i64::MIN - bits } else { bits }
    };
    place(a).abs_diff(place(b))
}

/// Random bits: SplitMix64.
fn random(state: &mut u64) -> u64 {
    let mut stream = crate::kernel::Stream::new(*state, 0);
    *state += 1;
    stream.next_bits()
}

fn unit(state: &mut u64) -> f64 {
    (random(state) >> 11) as f64 / 9_007_199_254_740_992.0
}

/// The functions of the standard library stray by little more than half a unit where it is good,
/// so that ours, which stray by less than one (two for the power), differ from them by one (two)
/// at most.
#[test]
fn functions_agree_with_the_standard_library() {
    let mut seed = 1;
    for k in 0..200_000 {
        let u = unit(&mut seed);
        let x = match k % 4 {
            0 => 1455.0 * u - 745.5,
            1 => 2.0 * u - 1.0,
            2 => -708.0 - 38.0 * u,
            _ => 20.0 * u - 10.0,
        };
        assert!(apart(math::exp(x), x.exp()) <= 1, "exp {x:e}");
        let x = match k % 4 {
            0 => f64::from_bits(random(&mut seed) >> 1),
            1 => 0.5 + u,
            2 => 1.0 + 1e-3 * (u - 0.5),
            _ => 100.0 * u,
        };
        assert!(apart(math::log(x), x.ln()) <= 1, "log {x:e}");
        let base = if x.is_finite() && x != 1.0 { x } else { 2.0 };
        let exponent = match k % 3 {
            0 => (1440.0 * unit(&mut seed) - 735.0) / base.ln(),
            1 => 10.0 * unit(&mut seed) - 5.0,
            _ => (random(&mut seed) % 17) as f64 - 8.0,
        };
        let (found, expected) = (math::pow(base, exponent), base.powf(exponent));
        assert!(apart(found, expected) <= 2, "{base:e} ^ {exponent:e}");
        let found = math::pow(-base, exponent);
        assert!(
            apart(found, (-base).powf(exponent)) <= 2,
            "{base:e} ^ {exponent:e}"
        );
    }
}

/// Values with what is left over, from a computation with 250 bits: `function x y value rest`.
#[test]
fn functions_are_within_the_stated_error() {
    let mut worst = [0.0_f64; 3];
    for line in include_str!("values.txt").lines() {
        let mut words = line.split(' ');
        let which = words.next().unwrap();
        let numbers: Vec<f64> = words.map(|word| word.parse().unwrap()).collect();
        let [x, y, value, rest] = numbers[..] else {
            panic!("{line}")
        };
        let (at, found) = match which {
            "exp" => (0, math::exp(x)),
            "log" => (1, math::log(x)),
            _ => (2, math::pow(x, y)),
        };
        let unit = f64::from_bits(value.abs().to_bits() + 1) - value.abs();
        worst[at] = worst[at].max(((found - value) - rest).abs() / unit);
    }
    assert!(
        worst[0] < 1.0 && worst[1] < 1.0 && worst[2] < 2.0,
        "{worst:?}"
    );
    assert!(worst.iter().all(|worst| *worst > 0.6), "{worst:?}");
}

#[test]
fn special_values_are_those_of_the_standard_library() {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        -2.0,
        3.0,
        -3.0,
        0.5,
        -0.5,
        1e-310,
        -1e-310,
        5e-324,
        1e300,
        -1e300,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        709.78,
        709.79,
        -745.13,
        -745.14,
        9_007_199_254_740_991.0,
        9_007_199_254_740_993.0,
        1.0 + f64::EPSILON,
        1.0 - f64::EPSILON / 2.0,
    ];
    for x in special {
        assert!(apart(math::exp(x), x.exp()) <= 1, "exp {x:e}");
        assert!(apart(math::log(x), x.ln()) <= 1, "log {x:e}");
        for y in special {
            let (found, expected) = (math::pow(x, y), x.powf(y));
            assert!(
                apart(found, expected) <= 2,
                "{x:e} ^ {y:e}: {found:e}, {expected:e}"
            );
        }
    }
    assert_eq!(math::log(-0.0), f64::NEG_INFINITY);
    assert!(math::log(-1.0).is_nan());
    assert_eq!(math::exp(f64::NEG_INFINITY).to_bits(), 0);
}

#[test]
fn turns_are_sines_and_cosines() {
    let mut seed = 1;
    for k in 0..10_000 {
        let u = if k <= 16 {
            f64::from(k) / 16.0
        } else {
            unit(&mut seed)
        };
        let (cosine, sine) = math::turn(u);
        // The angle itself is rounded: by half a unit of 2 pi at most.
        let (expected_sine, expected_cosine) = (std::f64::consts::TAU * u).sin_cos();
        assert!((cosine - expected_cosine).abs() < 2e-15, "{u}");
        assert!((sine - expected_sine).abs() < 2e-15, "{u}");
        assert!((cosine * cosine + sine * sine - 1.0).abs() < 5e-16, "{u}");
    }
    assert_eq!(math::turn(0.25), (-0.0, 1.0));
    assert_eq!(math::turn(1.0), (1.0, 0.0));
}

#[test]
fn streams_in_lanes_are_the_streams_of_their_paths() {
    for (level, chunks) in ways() {
        for count in [1, 2, 7] {
            let members = LANES * chunks - 3;
            let mut lanes = LaneStreams::new(5, 100..100 + members as u64, chunks).at(level);
            let mut streams: Vec<_> = (0..members)
                .map(|lane| crate::kernel::Stream::new(5, 100 + lane as u64))
                .collect();
            for _ in 0..3 {
                let mut out = vec![Chunk::splat(0.0); count * chunks];
                lanes.normals(&mut out);
                for (lane, stream) in streams.iter_mut().enumerate() {
                    let mut expected = vec![0.0; count];
                    stream.normals(&mut expected);
                    assert_eq!(of_lane(&out, chunks, lane), expected);
                }
            }
        }
    }
}
