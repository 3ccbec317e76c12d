//! Paths of counted reactions against what is known exactly.

use crate::kernel::Kernels;
use crate::linalg::Exponential;
use crate::model::Model;
use crate::simulate::tests::declared::declared;
use crate::simulate::{
    Chance, CompiledDynamics, Method, Occasion, Options, Output, Paths, Problem, ScheduleFault,
    SinglePaths, Solution, Stop, Tolerances, Track, run,
};
use crate::system::{self, System, Uncountable};
use std::sync::Arc;

/// A model whose reactions are counted, with its values.
struct Case {
    system: Arc<System>,
    kernels: Kernels,
    parameters: Vec<f64>,
    initial: Vec<f64>,
    inputs: Vec<Track>,
}

fn count(text: &str) -> Result<System, Vec<Uncountable>> {
    let model = Model::of_text(text);
    system::count(&model, &system::derive(&model))
}

fn case(text: &str) -> Case {
    let system = Arc::new(count(text).expect("reactions that can be counted"));
    let kernels = Kernels::new(Arc::clone(&system));
    let (parameters, initial) = declared(&system, &kernels);
    Case {
        kernels,
        parameters,
        initial,
        inputs: Vec::new(),
        system,
    }
}

impl Case {
    fn with_problem<R>(&self, act: impl FnOnce(&Problem<'_>) -> R) -> R {
        act(&Problem {
            inputs: self.inputs.clone(),
            ..Problem::new(
                &self.system,
                &self.kernels,
                self.parameters.clone(),
                self.initial.clone(),
            )
        })
    }

    fn options(&self, method: Method, seed: u64) -> Options {
        let tolerances = Tolerances::uniform(1e-6, 1e-9, self.initial.len());
        let mut options = Options::new(tolerances).with_method(method);
        options.chance = Some(Chance {
            seed,
            path: 0,
            step: None,
            non_negative: false,
        });
        options
    }

    /// The states of paths at these times: path after path, row after row.
    fn paths(&self, method: Method, times: &[f64], paths: u64) -> Vec<f64> {
        let options = self.options(method, 20_261);
        let end = times.last().copied().unwrap_or(0.0);
        self.with_problem(|problem| {
            let source = SinglePaths {
                problem,
                range: (0.0, end),
                initial: &self.initial,
                times,
                options: &options,
            };
            let block = source.block(0..paths, &|| false);
            for end in &block.ends {
                assert_eq!(end.stop, Stop::Finished);
            }
            block.values
        })
    }

    fn run(&self, method: Method, end: f64, output: &Output) -> Solution {
        let options = self.options(method, 1);
        self.with_problem(|problem| {
            let dynamics =
                CompiledDynamics::new(&self.system, &self.kernels, self.parameters.clone());
            let range = (0.0, end);
            run(
                problem,
                &dynamics,
                range,
                &self.initial,
                output,
                &options,
                &mut (),
            )
        })
    }
}

/// Mean and variance.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let squares = values.map(|value| (value - mean) * (value - mean));
    (mean, squares.sum::<f64>() / (count - 1.0))
}

/// Means and variances of a Poisson law, within four standard errors each; the fourth central
/// moment is m + 3 m^2.
fn assert_poisson(values: impl Iterator<Item = f64> + Clone, m: f64) {
    let count = values.clone().count() as f64;
    let (mean, variance) = moments(values);
    assert!(
        (mean - m).abs() < 4.0 * (m / count).sqrt(),
        "mean {mean}, not {m}"
    );
    let error = ((m + 2.0 * m * m) / count).sqrt();
    assert!(
        (variance - m).abs() < 4.0 * error,
        "variance {variance}, not {m}"
    );
}

/// Pearson's statistic of whole numbers against a law, over what is expected at least five times;
/// within four standard deviations, sqrt(2 df), of its mean df.
fn assert_law(values: &[f64], law: &[f64]) {
    let count = values.len() as f64;
    let mut statistic = 0.0;
    let mut classes = 0.0;
    let mut rest = (0.0, 0.0);
    for (number, share) in law.iter().enumerate() {
        let seen = values
            .iter()
            .filter(|value| **value == number as f64)
            .count() as f64;
        let expected = share * count;
        if expected < 5.0 {
            rest = (rest.0 + seen, rest.1 + expected);
            continue;
        }
        statistic += (seen - expected) * (seen - expected) / expected;
        classes += 1.0;
    }
    if rest.1 >= 5.0 {
        statistic += (rest.0 - rest.1) * (rest.0 - rest.1) / rest.1;
        classes += 1.0;
    }
    let df: f64 = classes - 1.0;
    let most = df + 4.0 * (2.0 * df).sqrt();
    assert!(statistic < most, "{statistic} with {df} degrees of freedom");
}

const IMMIGRATION: &str = "param k = 4, g = 0.5
species X = 0
0 -> X, k
X -> 0, g
";

/// Immigration and death from nothing is Poisson with mean k/g (1 - exp(-g t)) at all times
/// (D. T. Gillespie, Markov Processes, 1992, section 6.4).
#[test]
fn immigration_and_death_is_poisson() {
    let times = [0.5, 2.0, 9.0];
    let case = case(IMMIGRATION);
    for method in [Method::Ssa, Method::Tau] {
        let values = case.paths(method, &times, 20_000);
        for (row, t) in times.iter().enumerate() {
            let at = values.iter().skip(row).step_by(times.len()).copied();
            assert_poisson(at, 8.0 * (1.0 - (-0.5 * t).exp()));
        }
    }
}

/// The same in a volume, with a size: the number is the value times both, and its law is that of
/// 12 times the constant of immigration.
#[test]
fn values_are_numbers_over_volume_and_size() {
    let case = case(
        "param k = 4/12, g = 0.5, s = 4
compartment v = 3
species X in v = 0
0 -> X, k
X -> 0, g
noise intrinsic (size = s)",
    );
    let values = case.paths(Method::Ssa, &[2.0], 20_000);
    assert_poisson(
        values.iter().map(|x| x * 12.0),
        8.0 * (1.0 - (-1.0_f64).exp()),
    );
}

/// `2 P -> D, k` happens k n (n - 1) / V times per time: the master equation of at most five
/// dimers, solved by the matrix exponential of its generator.
#[test]
fn dimers_follow_the_master_equation() {
    let text = |law: &str| {
        format!(
            "compartment v = 2
species P in v = 5, D in v = 0
{law}
D -> 2 P, 0.4"
        )
    };
    let up = |n: f64| 0.3 / 2.0 * n * (n - 1.0);
    let mut generator = vec![0.0; 36];
    for dimers in 0..6_usize {
        let molecules = 10.0 - 2.0 * dimers as f64;
        for (to, rate) in [
            (dimers + 1, up(molecules)),
            (dimers.wrapping_sub(1), 0.4 * dimers as f64),
        ] {
            if rate > 0.0 {
                // Column by column.
                generator[dimers * 6 + to] += rate;
                generator[dimers * 6 + dimers] -= rate;
            }
        }
    }
    let t = 0.7;
    let mut transition = vec![0.0; 36];
    Exponential::new(6).of(t, &generator, &mut transition);
    // The first column: from no dimer.
    let law = &transition[..6];
    // The concentration of P is n/2, so that the flux v k' P (P - 1/2) is k' n (n - 1)/2.
    for way in [
        "2 P -> D, 0.3",
        "2 P -> D, rate 0.3*v*P*(P - 0.5)",
        "2 P -> D, 0.3 + min(0, D)",
    ] {
        let case = case(&text(way));
        for method in [Method::Ssa, Method::Tau] {
            let values = case.paths(method, &[t], 20_000);
            let dimers: Vec<f64> = values.chunks(2).map(|state| state[1] * 2.0).collect();
            assert_law(&dimers, law);
        }
    }
}

/// Schlogl's reactions rest in the law of detailed balance: p(n) / p(n - 1) = birth(n - 1) / death(n)
/// (D. T. Gillespie, Markov Processes, 1992, section 6.1). Its modes are 1 and 24; the slowest
/// eigenvalue of the generator of these rates is -0.177, so that exp(-0.177*60) of the start
/// remains.
#[test]
fn schloegl_rests_in_detailed_balance() {
    let case = case(
        "species X = 24
2 X -> 3 X, 0.5
3 X -> 2 X, 0.015
0 -> X, 5
X -> 0, 3",
    );
    let mut law = vec![1.0];
    for n in 1..120 {
        let n = f64::from(n);
        let birth = 5.0 + 0.5 * (n - 1.0) * (n - 2.0);
        let death = 3.0 * n + 0.015 * n * (n - 1.0) * (n - 2.0);
        law.push(law[law.len() - 1] * birth / death);
    }
    let sum: f64 = law.iter().sum();
    law.iter_mut().for_each(|share| *share /= sum);
    assert_law(&case.paths(Method::Ssa, &[60.0], 2000), &law);
}

/// With a thousand channels the next reaction method takes over: independent species, each Poisson.
#[test]
fn many_channels_by_the_next_reaction_method() {
    let case = case(
        "index i = 1..500
species X[i] = 0
for j in 1..500 { 0 -> X[j], 4; X[j] -> 0, 0.5 }",
    );
    let network = case.system.propensities.as_ref().unwrap();
    // Elements are told apart: a death reads its own number only.
    assert_eq!(network.channels.len(), 1000);
    assert!(network.readers.iter().all(|readers| readers.len() == 1));
    let values = case.paths(Method::Ssa, &[2.0], 40);
    assert_poisson(values.iter().copied(), 8.0 * (1.0 - (-1.0_f64).exp()));
}

/// Of many molecules, leaps keep mean and variance of the exact law, and take far fewer steps.
#[test]
fn leaps_of_many_molecules() {
    let case = case(
        "species X = 0
0 -> X, 20000
X -> 0, 1",
    );
    let values = case.paths(Method::Tau, &[1.5], 2000);
    let exact = 20_000.0 * (1.0 - (-1.5_f64).exp());
    let (mean, variance) = moments(values.iter().copied());
    // Four standard errors, and the leaps' own error: less than epsilon, 0.03, of the mean change.
    assert!(
        (mean / exact - 1.0).abs() < 4.0 / (exact * 2000.0).sqrt() + 0.01,
        "{mean} {exact}"
    );
    assert!(
        (variance / exact - 1.0).abs() < 4.0 * (2.0_f64 / 2000.0).sqrt() + 0.03,
        "{variance}"
    );
    let run = case.run(Method::Tau, 1.5, &Output::Times(vec![1.5]));
    assert!(run.statistics.steps < 2000, "{:?}", run.statistics);
}

/// Molecules run out, and never below zero.
#[test]
fn leaps_never_go_below_zero() {
    let case = case(
        "species A = 1000, B = 1000, C = 0
A + B -> C, 0.01
A -> 0, 1",
    );
    for seed in 0..40 {
        let options = case.options(Method::Tau, seed);
        let output = Output::Steps { interior: 0 };
        let solution = case.with_problem(|problem| {
            let parameters = case.parameters.clone();
            let dynamics = CompiledDynamics::new(&case.system, &case.kernels, parameters);
            let initial = &case.initial;
            run(
                problem,
                &dynamics,
                (0.0, 20.0),
                initial,
                &output,
                &options,
                &mut (),
            )
        });
        assert_eq!(solution.stop, Stop::Finished);
        assert!(
            solution
                .states
                .iter()
                .all(|x| *x >= 0.0 && x.fract() == 0.0)
        );
        // A is gone but for a share of exp(-20) of a thousand; B + C is kept.
        assert_eq!(solution.last().unwrap().1[1..].iter().sum::<f64>(), 1000.0);
    }
}

/// The same path however it is looked at, and another one of another number.
#[test]
fn paths_do_not_depend_on_output_times() {
    let case = case(IMMIGRATION);
    let few = case.run(Method::Ssa, 20.0, &Output::Times(vec![7.0, 20.0]));
    let many = case.run(
        Method::Ssa,
        20.0,
        &Output::Times((0..=20).map(f64::from).collect()),
    );
    assert_eq!(few.row(0), many.row(7));
    assert_eq!(few.row(1), many.row(20));
    let steps = case.run(Method::Ssa, 20.0, &Output::Steps { interior: 0 });
    assert_eq!(steps.last().unwrap().1, many.last().unwrap().1);
    // The start, two rows for each reaction, the end.
    assert_eq!(steps.times.len() as u64, 2 + 2 * steps.statistics.steps);
    let at_seven = steps.times.iter().rposition(|time| *time <= 7.0).unwrap();
    assert_eq!(steps.row(at_seven), many.row(7));
}

/// Events at times, on conditions of time and on numbers, and doses, in the middle of reactions.
#[test]
fn events_interrupt_reactions() {
    let case = case(
        "param k = 4
species X = 0, Y = 3
0 -> X, k
Y -> Y + X, 0
X -> 0, 0.5
when t > 2.5 { X = 50 }
at 5 { k = 0; X = 20 }
when X < 10 { Y = 7 }
dose 30 into X at 8
every 1 from 20 { X = 0 }",
    );
    for method in [Method::Ssa, Method::Tau] {
        let run = case.run(method, 30.0, &Output::Times(vec![2.5, 5.0, 8.0, 30.0]));
        assert_eq!(run.stop, Stop::Finished);
        assert_eq!(run.row(0).unwrap()[0], 50.0);
        assert_eq!(run.row(1).unwrap()[0], 20.0);
        assert_eq!(run.last().unwrap().1, [0.0, 7.0]);
        let fired = |event| {
            let mut found = run.occurrences.iter();
            found
                .find(|known| known.what == Occasion::Event(event))
                .map(|known| known.time)
        };
        assert_eq!(fired(0), Some(2.5));
        assert!(fired(2).unwrap() > 2.5);
        let dose = run
            .occurrences
            .iter()
            .find(|known| known.what == Occasion::Dose(0, None));
        assert_eq!(dose.unwrap().time, 8.0);
        assert!(run.row(2).unwrap()[0] >= 30.0);
    }
}

/// A pulse: immigration at 4 per time until t = 3, then none. At 4 the mean is
/// 8 (1 - exp(-1.5)) exp(-0.5).
#[test]
fn propensities_change_in_steps_of_time() {
    let pulse = "species X = 0
X -> 0, 0.5
";
    let law = 8.0 * (1.0 - (-1.5_f64).exp()) * (-0.5_f64).exp();
    for way in [
        "0 -> X, if t < 3 then 4 else 0",
        "0 -> X, rate if t < 3 then 4 else 0",
        "0 -> X, 4*if sqrt(t) <= sqrt(3) then 1 else 0",
        "param k = 4\n0 -> X, k\nat 3 { k = 0 }",
    ] {
        let case = case(&format!("{pulse}{way}"));
        for method in [Method::Ssa, Method::Tau] {
            let values = case.paths(method, &[4.0], 20_000);
            assert_poisson(values.iter().copied(), law);
        }
    }
    let mut case = case(&format!("{pulse}input f from \"f.csv\" step\n0 -> X, f"));
    case.inputs = vec![Track {
        times: vec![0.0, 3.0],
        values: vec![4.0, 0.0],
    }];
    let values = case.paths(Method::Ssa, &[4.0], 20_000);
    assert_poisson(values.iter().copied(), law);
}

/// A condition of a number and the time: X = 3 does not change, t crosses it.
#[test]
fn conditions_of_numbers_and_time_are_met_between_reactions() {
    let case = case(
        "species X = 3, Y = 0
0 -> Y, 0.1
X -> 0, 0
when X + Y*0 < t { Y = 100 }",
    );
    for method in [Method::Ssa, Method::Tau] {
        let run = case.run(method, 10.0, &Output::Times(vec![2.9, 3.1]));
        let event = run.occurrences.first().unwrap();
        assert!((event.time - 3.0).abs() < 1e-9, "{event:?}");
        assert!(run.row(0).unwrap()[1] < 100.0 && run.row(1).unwrap()[1] >= 100.0);
    }
}

#[test]
fn what_cannot_be_counted_is_refused() {
    let refused = |text: &str| count(text).err().unwrap();
    assert_eq!(
        refused("species X = 1, Y = 1\nX -> 1.5 Y, 1"),
        [Uncountable::Coefficient {
            reaction: 0,
            state: 1,
            value: 1.5
        }]
    );
    assert_eq!(
        refused("species X = 1\nstate y = 1\ny' = -y\nX -> 0, 1"),
        [Uncountable::Equation { state: 1 }]
    );
    assert_eq!(
        refused("species X = 1, Y = 1\nX <-> Y, rate X - Y"),
        [Uncountable::BothWays { reaction: 0 }]
    );
    assert_eq!(
        refused("species X = 1\nX -> 0, 1 + sin(t)"),
        [Uncountable::Time { reaction: 0 }]
    );
    assert_eq!(
        refused("state y = 1\ny' = -y"),
        [Uncountable::NoReactions, Uncountable::Equation { state: 0 }]
    );
    // A state that stays is no obstacle.
    assert!(count("species X = 1\nstate y = 1\ny' = 0\nX -> 0, rate y*X").is_ok());
}

#[test]
fn what_makes_no_sense_ends_a_run() {
    let stop = |text: &str, method| {
        let run = case(text).run(method, 10.0, &Output::Times(vec![10.0]));
        run.stop
    };
    for method in [Method::Ssa, Method::Tau] {
        let negative = stop("species X = 5\n0 -> X, rate 5 - X\n0 -> X, 1", method);
        let Stop::Propensity {
            channel: 0,
            value: -1.0,
            ..
        } = negative
        else {
            panic!("{negative:?}");
        };
        let none = stop("species X = 1\nX -> 0, rate 1/(X - 1)", method);
        assert!(
            matches!(none, Stop::Propensity { channel: 0, time: 0.0, value } if value.is_infinite())
        );
        let half = stop("species X = 2.5\nX -> 0, 1", method);
        assert_eq!(
            half,
            Stop::Count {
                time: 0.0,
                state: 0,
                count: 2.5,
                channel: None
            }
        );
        let halved = stop("species X = 5\nX -> 0, 0\nat 2 { X = X/2 }", method);
        assert_eq!(
            halved,
            Stop::Count {
                time: 2.0,
                state: 0,
                count: 2.5,
                channel: None
            }
        );
        let infusion = stop(
            "species X = 5\nX -> 0, 0\ndose 5 into X at 2 over 1",
            method,
        );
        assert_eq!(
            infusion,
            Stop::Schedule {
                what: Occasion::Dose(0, None),
                fault: ScheduleFault::Counted
            }
        );
        // A law that is not zero where nothing is left.
        let below = stop("species X = 2\nX -> 0, rate 3", method);
        assert!(
            matches!(
                below,
                Stop::Count {
                    state: 0,
                    count: -1.0,
                    channel: Some(0),
                    ..
                }
            ),
            "{below:?}"
        );
    }
}
