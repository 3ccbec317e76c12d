//! Events, doses, conditions and rows of paths, and what is refused.

use super::{Case, case, of_system};
use crate::simulate::{Invalid, Method, NoiseReason, Output, Stop, SwitchReason, Track};
use crate::system::Unsuited;

/// The methods that take any noise, and those for constant noise and linear drift.
const ALL: [Method; 6] = [
    Method::EulerMaruyama,
    Method::Milstein,
    Method::Sra1,
    Method::Srk,
    Method::ImplicitEuler,
    Method::ExactTransition,
];

const OU: &str = "wiener W\nstate x = 1\nx' = -x + 0.1*W'";

#[test]
fn steps_are_even_between_output_times_and_every_step_is_a_row() {
    let case = case(OU, Method::EulerMaruyama, 0.03);
    let solution = case.path(0, 0.3, &Output::Steps { interior: 0 });
    assert_eq!(solution.stop, Stop::Finished);
    assert_eq!(solution.times.len(), 11);
    assert_eq!(solution.step, Some(0.03));
    // 0.1 / 0.03 makes four steps, 0.2 / 0.03 seven.
    let solution = case.path(0, 0.3, &Output::Times(vec![0.0, 0.1, 0.3]));
    assert_eq!(solution.statistics.steps, 11);
    assert_eq!(solution.times, [0.0, 0.1, 0.3]);
}

#[test]
fn the_same_path_is_made_again_and_others_differ() {
    for method in ALL {
        let case = case(OU, method, 0.1);
        let end = |path| case.path(path, 1.0, &Output::Times(vec![1.0])).states;
        assert_eq!(end(3), end(3), "{method}");
        assert_ne!(end(3), end(4), "{method}");
    }
}

/// Without noise to speak of, paths are solutions of the differential equation: doses, resets at
/// times, infusions, inputs and events by conditions.
#[test]
fn interruptions_work_on_paths() {
    let text = "param k = 0.5, s = 1e-9
         input u from \"u.csv\" linear
         wiener W
         state x = 1, count = 0
         x' = -k*x + u + s*W'
         count' = 0
         dose 2 into x at 1
         dose 3 into x at 2 over 0.5
         at 3 { k = 1 }
         when x < 0.3 {
           x = 1
           count = count + 1
         }";
    let run = |method, tolerance| {
        let step = 1e-3;
        let mut case = case(text, method, step);
        case.tolerance = tolerance;
        case.step = Some(step).filter(|_| method != Method::Tsit5);
        let mut problem = case.problem();
        problem.inputs = vec![Track {
            times: vec![0.0, 4.0, 10.0],
            values: vec![0.2, 0.0, 0.0],
        }];
        let times = Output::Times((0..=24).map(|k| 0.25 * f64::from(k)).collect());
        case.path_of(&problem, 0, 6.0, &times)
    };
    let exact = run(Method::Tsit5, 1e-10);
    assert_eq!(exact.stop, Stop::Finished);
    for method in [
        Method::EulerMaruyama,
        Method::Milstein,
        Method::Sra1,
        Method::Srk,
        Method::ImplicitEuler,
    ] {
        let found = run(method, 1e-4);
        assert_eq!(found.stop, Stop::Finished, "{method}");
        assert_eq!(found.times, exact.times, "{method}");
        for (row, (a, b)) in found.states.iter().zip(&exact.states).enumerate() {
            assert!((a - b).abs() < 6e-3, "{method} {row}: {a} {b}");
        }
        assert_eq!(found.occurrences.len(), exact.occurrences.len(), "{method}");
    }
}

/// A path that is set back whenever it reaches a level never shows a state beyond it.
#[test]
fn events_by_conditions_are_met_between_the_ends_of_steps() {
    let text = "wiener W
         state x = 0
         x' = 1 + 0.5*W'
         when x > 1 { x = 0 }";
    for method in ALL {
        let case = case(text, method, 0.01);
        let solution = case.path(1, 20.0, &Output::Steps { interior: 0 });
        assert_eq!(solution.stop, Stop::Finished, "{method}");
        let most = solution.states.iter().fold(0.0_f64, |most, x| most.max(*x));
        assert!(most < 1.0 + 1e-12, "{method}: {most}");
        // The mean time from 0 to 1 is 1.
        let count = solution.occurrences.len();
        assert!((8..=32).contains(&count), "{method}: {count}");
    }
}

/// Conditions of the drift do not end steps, and a path that stays at a border goes on.
#[test]
fn a_path_crosses_the_border_of_a_condition_over_and_over() {
    let text = "wiener W
         state x = 0
         x' = (if x > 0 then -1 else 1) + 0.5*W'";
    for method in [Method::EulerMaruyama, Method::Sra1, Method::ImplicitEuler] {
        // The stationary density is 4 exp(-8 |x|): the mean of |x| is 1/8.
        let values = case(text, method, 0.005).paths(4000, &[3.0]);
        let mean = values.iter().map(|x| x.abs()).sum::<f64>() / 4000.0;
        // Four standard errors are 0.008; the bias of Euler's steps is below 0.008.
        assert!((mean - 0.125).abs() < 0.016, "{method}: {mean}");
    }
    let exact = case(text, Method::ExactTransition, 0.1).path(0, 1.0, &Output::Times(vec![1.0]));
    assert_eq!(
        exact.stop,
        refused(Method::ExactTransition, Unsuited::NotLinear)
    );
}

fn refused(method: Method, why: Unsuited) -> Stop {
    Stop::Invalid(Invalid::Noise { method, why })
}

#[test]
fn methods_that_are_not_for_a_noise_are_refused() {
    // Kloeden & Platen 1992, section 10.3: Heisenberg's group, whose columns do not commute.
    let general = "wiener V, W
         state x = 1, y = 1, z = 0
         x' = V'
         y' = W'
         z' = x*W' - y*V'";
    let multiplicative = "wiener W\nstate x = 1\nx' = -x + 0.1*x*W'";
    let commuting = "wiener V, W\nstate x = 1\nx' = -x + 0.1*x*V' + 0.2*x*W'";
    let moving = "wiener W\nstate x = 1\nx' = -x + sin(t)*W'";
    let delayed = "wiener W\nstate x = 1\nx' = -x(t - 1) + 0.1*W'";
    let why = |text: &str, method| {
        let solution = case(text, method, 0.1).path(0, 1.0, &Output::Times(vec![1.0]));
        match solution.stop {
            Stop::Invalid(Invalid::Noise { why, .. }) => Some(why),
            Stop::Finished => None,
            other => panic!("{other:?}"),
        }
    };
    let columns = (0, 1);
    let cases = [
        (
            general,
            Method::Milstein,
            Some(Unsuited::NotCommutative { columns }),
        ),
        (general, Method::Srk, Some(Unsuited::Coupled { columns })),
        (
            general,
            Method::Sra1,
            Some(Unsuited::NotAdditive { column: 0 }),
        ),
        (general, Method::EulerMaruyama, None),
        (
            multiplicative,
            Method::Sra1,
            Some(Unsuited::NotAdditive { column: 0 }),
        ),
        (multiplicative, Method::Srk, None),
        (
            multiplicative,
            Method::ExactTransition,
            Some(Unsuited::NotAdditive { column: 0 }),
        ),
        (
            multiplicative,
            Method::Langevin,
            Some(Unsuited::NoReactions),
        ),
        (multiplicative, Method::Tsit5, Some(Unsuited::Deterministic)),
        (commuting, Method::Milstein, None),
        (commuting, Method::Srk, Some(Unsuited::Coupled { columns })),
        (
            moving,
            Method::ExactTransition,
            Some(Unsuited::NotConstant { column: 0 }),
        ),
        (delayed, Method::EulerMaruyama, Some(Unsuited::Delays)),
    ];
    for (text, method, expected) in cases {
        assert_eq!(why(text, method), expected, "{method} of {text}");
    }
}

#[test]
fn auto_takes_the_method_that_the_noise_allows() {
    let choice = |text: &str| {
        let mut case = case(text, Method::Auto, 0.1);
        case.step = None;
        let solution = case.path(0, 1.0, &Output::Times(vec![1.0]));
        assert_eq!(solution.stop, Stop::Finished);
        let used = solution.methods[0];
        match used.why {
            SwitchReason::Noise(why) => (used.method, why, solution.step),
            other => panic!("{other:?}"),
        }
    };
    let (method, why, step) = choice(OU);
    assert_eq!(
        (method, why, step),
        (Method::ExactTransition, NoiseReason::Linear, None)
    );
    // A thousandth of the range, since the time scale is 1/2.
    let (method, why, step) = choice("wiener W\nstate x = 1\nx' = x - x^3 + W'");
    assert_eq!(
        (method, why, step),
        (Method::Sra1, NoiseReason::Additive, Some(1e-3))
    );
    let (method, why, _) = choice("wiener W\nstate x = 1\nx' = x*W'");
    assert_eq!((method, why), (Method::Milstein, NoiseReason::Commutative));
    let general = "wiener V, W\nstate x = 1, y = 1\nx' = y*V' + W'\ny' = x*W' + V'";
    let (method, why, _) = choice(general);
    assert_eq!((method, why), (Method::EulerMaruyama, NoiseReason::General));
    let (method, why, _) = choice("wiener W\nstate x = 1\nx' = -1e8*(x^3 - 1) + W'");
    assert_eq!(method, Method::ImplicitEuler);
    assert!(matches!(why, NoiseReason::Stiff { stability } if stability > 100.0));
    let (method, why, _) =
        choice("param k = 50, g = 1\nspecies n = 50\n0 -> n, k\nn -> 0, g\nnoise intrinsic");
    assert_eq!((method, why), (Method::Langevin, NoiseReason::Reactions));
}

/// Stratonovich noise and its Ito form are one and the same equation.
#[test]
fn stratonovich_noise_and_its_ito_form_give_the_same_paths() {
    let text = "stratonovich V
         wiener W
         state x = 1, y = 0.5
         x' = -x + 0.3*x*V' + 0.1*W'
         y' = x - y + 0.2*y*V'";
    for method in [Method::EulerMaruyama, Method::Milstein] {
        let text = match method {
            // Columns that commute.
            Method::Milstein => text.replace(" + 0.1*W'", "").replace("wiener W", ""),
            _ => text.to_owned(),
        };
        let written = case(&text, method, 0.01);
        let ito = of_system(written.system.in_ito_form(), method, 0.01);
        let ends = |case: &Case| case.paths(5, &[0.5, 1.0]);
        for (a, b) in ends(&written).iter().zip(ends(&ito)) {
            assert!((a - b).abs() < 1e-12, "{method}: {a} {b}");
        }
    }
}

/// The Langevin equation of immigration and death has the mean k/g (1 - e^(-gt)) + n0 e^(-gt); its
/// variance at rest is k/g, as that of molecules one by one.
#[test]
fn langevin_equations_leave_their_domain_unless_they_are_kept_in_it() {
    let text =
        "param k = 50, g = 1\nspecies n = 50\nbirth: 0 -> n, k\ndeath: n -> 0, g\nnoise intrinsic";
    let values = case(text, Method::Langevin, 0.02).paths(5000, &[4.0]);
    let mean = values.iter().sum::<f64>() / 5000.0;
    let variance = values.iter().map(|n| (n - 50.0).powi(2)).sum::<f64>() / 5000.0;
    assert!(
        (mean - 50.0).abs() < 4.0 * (50.0_f64 / 5000.0).sqrt(),
        "{mean}"
    );
    // Euler's steps raise the variance by the factor 1/(1 - g h/2), one percent.
    assert!(
        (variance - 50.5).abs() < 4.0 * 50.0 * (2.0_f64 / 5000.0).sqrt(),
        "{variance}"
    );
    let few = text.replace("k = 50", "k = 0.5").replace("n = 50", "n = 1");
    let mut case = case(&few, Method::Langevin, 0.1);
    let solution = case.path(0, 100.0, &Output::Times(vec![100.0]));
    match solution.stop {
        Stop::NegativePropensity {
            reaction: 1,
            way: 0,
            value,
            time,
        } => {
            assert!(value < 0.0 && time < 100.0);
        }
        other => panic!("{other:?}"),
    }
    case.non_negative = true;
    let solution = case.path(0, 100.0, &Output::Steps { interior: 0 });
    assert_eq!(solution.stop, Stop::Finished);
    assert!(solution.states.iter().all(|n| *n >= 0.0));
    assert!(solution.statistics.clamped > 10);
}
