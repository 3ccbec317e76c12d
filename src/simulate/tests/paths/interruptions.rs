//! Events, doses and rows of paths.

use super::case;
use crate::simulate::{Method, Output, Stop};

#[test]
fn steps_are_even_between_output_times_and_every_step_is_a_row() {
    let case = case(
        "wiener W\nstate x = 1\nx' = -x + 0.1*W'",
        Method::EulerMaruyama,
        0.03,
    );
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
    let case = case(
        "wiener W\nstate x = 1\nx' = -x + 0.1*W'",
        Method::EulerMaruyama,
        0.1,
    );
    let end = |path| case.path(path, 1.0, &Output::Times(vec![1.0])).states;
    assert_eq!(end(3), end(3));
    assert_ne!(end(3), end(4));
}
