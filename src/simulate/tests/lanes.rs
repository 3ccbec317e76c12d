//! Members side by side against the same members alone.

use super::*;
use crate::kernel::Kernels;
use crate::simulate::{CompiledDynamics, Member, MemberBlock, MemberEnd, SideBySide};
use crate::system::{self, System};
use std::sync::Arc;

struct Model {
    system: Arc<System>,
    kernels: Kernels,
}

fn model(text: &str) -> Model {
    let system = Arc::new(system::derive(&crate::model::Model::of_text(text)));
    Model {
        kernels: Kernels::new(Arc::clone(&system)),
        system,
    }
}

const LOTKA_VOLTERRA: &str = "param a = 1, b = 1, c = 1, d = 1\n\
    state x = 1, y = 1\n\
    x' = a*x - b*x*y\n\
    y' = c*x*y - d*y";
/// With powers, an exponential, the time and a square root.
const DRIVEN: &str = "param a = 1, b = 1, c = 1, d = 1\n\
    state x = 1, y = 1\n\
    x' = a/(1 + y^(1 + b)) - c*x + 0.1*exp(-t)\n\
    y' = d*sqrt(1 + x*x) - y + 0.1*sin(t)";

/// Numbers between 0.5 and 1.5.
fn numbers(count: usize, salt: usize) -> Vec<f64> {
    (0..count)
        .map(|k| 0.5 + ((k * 37 + salt * 101 + k * k * 13) % 1000) as f64 / 1000.0)
        .collect()
}

fn members(count: usize) -> Vec<Member> {
    (0..count)
        .map(|k| Member {
            parameters: numbers(4, k),
            initial: numbers(2, k + 7),
        })
        .collect()
}

const RANGE: (f64, f64) = (0.5, 10.0);
const TIMES: [f64; 7] = [0.5, 0.5, 1.0, 2.25, 2.26, 9.0, 10.0];

impl Model {
    fn side_by_side(&self, members: &[Member], options: &Options) -> MemberBlock {
        let runs = SideBySide::new(&self.system, &self.kernels, RANGE, &TIMES, options)
            .expect("a quiet model");
        runs.block(members, &|| false)
    }

    fn alone(&self, member: &Member, options: &Options) -> Solution {
        let parameters = member.parameters.clone();
        let dynamics = CompiledDynamics::new(&self.system, &self.kernels, parameters);
        let times = Output::Times(TIMES[1..].to_vec());
        let (start, end) = RANGE;
        integrate(
            &dynamics,
            start,
            &member.initial,
            end,
            &times,
            options,
            &mut (),
        )
    }
}

/// Sums and products only: the scalar stepper's bits. Functions of our own: within tolerance.
#[test]
fn members_side_by_side_are_the_members_alone() {
    let options = options(Method::Tsit5, 1e-6, 1e-9, 2);
    let members = members(150);
    for (text, same_bits) in [(LOTKA_VOLTERRA, true), (DRIVEN, false)] {
        let model = model(text);
        let block = model.side_by_side(&members, &options);
        let size = TIMES.len() * 2;
        for ((member, run), values) in members
            .iter()
            .zip(&block.runs)
            .zip(block.values.chunks(size))
        {
            let alone = model.alone(member, &options);
            assert_eq!((run.end, run.rows), (MemberEnd::Finished, TIMES.len()));
            assert_eq!(run.statistics.steps, alone.statistics.steps);
            assert_eq!(values[..2], values[2..4]);
            for row in 1..TIMES.len() {
                let (found, expected) = (&values[2 * row..][..2], alone.row(row - 1).unwrap());
                if same_bits {
                    assert_eq!(found, expected, "row {row}");
                } else {
                    assert!(largest_difference(found, expected) < 1e-10, "row {row}");
                }
            }
        }
    }
}

#[test]
fn a_member_does_not_depend_on_those_beside_it() {
    let options = options(Method::Auto, 1e-5, 1e-8, 2);
    let members = members(97);
    for text in [LOTKA_VOLTERRA, DRIVEN] {
        let model = model(text);
        let block = model.side_by_side(&members, &options);
        let size = TIMES.len() * 2;
        let all: Vec<&[f64]> = block.values.chunks(size).collect();
        let reversed: Vec<Member> = members.iter().rev().cloned().collect();
        let block = model.side_by_side(&reversed, &options);
        for (found, expected) in block.values.chunks(size).zip(all.iter().rev()) {
            assert_eq!(found, *expected);
        }
        for (at, part) in members.chunks(5).enumerate() {
            let block = model.side_by_side(part, &options);
            for (found, expected) in block.values.chunks(size).zip(&all[5 * at..]) {
                assert_eq!(found, *expected);
            }
        }
    }
}

#[test]
fn members_end_each_in_its_own_way() {
    let model = model(
        "param mu = 1, growth = 0\n\
         state x = 2, v = 0\n\
         x' = v + growth*x^2\n\
         v' = mu*(1 - x^2)*v - x",
    );
    let member = |mu, growth, x| Member {
        parameters: vec![mu, growth],
        initial: vec![x, 0.0],
    };
    let members = [
        member(1.0, 0.0, 2.0),
        member(1e4, 0.0, 2.0),
        member(0.0, 5.0, 2.0),
        member(1.0, 0.0, f64::NAN),
        member(1.0, 0.0, 1.0),
    ];
    let mut few = options(Method::Auto, 1e-6, 1e-9, 2);
    let block = model.side_by_side(&members, &few);
    let ends: Vec<MemberEnd> = block.runs.iter().map(|run| run.end).collect();
    assert_eq!(ends[0], MemberEnd::Finished);
    assert!(matches!(ends[1], MemberEnd::Stiff { .. }), "{ends:?}");
    assert!(
        matches!(ends[2], MemberEnd::NotFinite { time } | MemberEnd::StepTooSmall { time }
            if time > 0.5 && time < 1.0),
        "{ends:?}"
    );
    assert_eq!(ends[3], MemberEnd::NotFinite { time: 0.5 });
    assert_eq!(ends[4], MemberEnd::Finished);
    // Rows that were not reached are NaN.
    let size = TIMES.len() * 2;
    let blown = &block.values[2 * size..3 * size];
    assert_eq!(block.runs[2].rows, 2);
    assert!(blown[..4].iter().all(|x| x.is_finite()) && blown[4..].iter().all(|x| x.is_nan()));
    few.max_steps = 3;
    let block = model.side_by_side(&members[..1], &few);
    assert!(matches!(block.runs[0].end, MemberEnd::TooManySteps { .. }));
    assert_eq!(block.runs[0].statistics.steps, 3);
    let runs = SideBySide::new(&model.system, &model.kernels, RANGE, &TIMES, &few).unwrap();
    let block = runs.block(&members, &|| true);
    assert!(
        block
            .runs
            .iter()
            .filter(|run| run.end == MemberEnd::Interrupted)
            .count()
            >= 3
    );
}

#[test]
fn what_is_interrupted_runs_alone() {
    let options = options(Method::Auto, 1e-6, 1e-9, 1);
    let served = |text: &str| {
        let model = model(text);
        SideBySide::new(&model.system, &model.kernels, (0.0, 1.0), &[], &options).is_some()
    };
    assert!(served("state x = 1\nx' = -x"));
    assert!(!served("state x = 1\nx' = if x > 2 then -x else x"));
    assert!(!served("state x = 1\nx' = -x\nassert x < 3"));
    assert!(!served("state x = 1\nnext x = x/2"));
    let model = model("state x = 1\nx' = -x");
    for (range, times) in [
        ((0.0, 0.0), vec![]),
        ((0.0, 1.0), vec![2.0]),
        ((0.0, 1.0), vec![1.0, 0.0]),
    ] {
        assert!(SideBySide::new(&model.system, &model.kernels, range, &times, &options).is_none());
    }
}
