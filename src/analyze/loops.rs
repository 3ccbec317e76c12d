//! Feedback loops: the cycles of the graph in which state j acts on state i, with their signs.
//!
//! In: the signs of the entries of a Jacobian, which hold everywhere in a region. Out: what they
//! forbid. Sources: R. Thomas, On the relation between the logical structure of systems and their
//! ability to generate multiple steady states or sustained oscillations, Springer Ser. Synergetics
//! 9 (1981); J.-L. Gouze, Positive and negative circuits in dynamical systems, J. Biol. Syst. 6
//! (1998); E. H. Snoussi, Necessary conditions for multistationarity and stable periodicity, J.
//! Biol. Syst. 6 (1998): without a negative loop of two or more states there is no attracting
//! cycle. A strongly connected part without negative loops becomes cooperative when some states
//! change their sign, so that its leading eigenvalue is real (Perron and Frobenius).

use crate::symbolic::Sign;
use std::collections::VecDeque;

/// A state acts on another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// The state whose equation it enters.
    pub on: usize,
    /// The state that acts.
    pub by: usize,
    /// The sign of the entry of the Jacobian.
    pub sign: Sign,
}

/// A cycle: each state acts on the next one, the last on the first.
pub type Loop = Vec<usize>;

/// What the loops of a system forbid.
#[derive(Debug, Clone, PartialEq)]
pub enum Structure {
    /// No loop of two or more states: in some order the Jacobian is triangular, and its
    /// eigenvalues are the entries of its diagonal.
    Acyclic,
    /// Every loop of two or more states is positive: the leading eigenvalue is real, and no cycle
    /// attracts. An example of such a loop.
    Positive(Loop),
    /// A shortest loop that is negative.
    Negative(Loop),
    /// A shortest loop that may be negative: the sign of one of its actions is not known.
    Unknown(Loop),
}

/// Judges the loops of `n` states. Actions of a state on itself do not count.
#[must_use]
pub fn structure(n: usize, actions: &[Action]) -> Structure {
    let actions: Vec<Action> = actions
        .iter()
        .filter(|action| action.on != action.by && action.sign != Sign::Zero)
        .filter(|action| action.on < n && action.by < n)
        .copied()
        .collect();
    let known: Vec<Action> = actions
        .iter()
        .filter(|action| action.sign != Sign::Unknown)
        .copied()
        .collect();
    if let Some(found) = shortest(n, &known, true) {
        return Structure::Negative(found);
    }
    // An action of either sign makes a loop negative as soon as it is on one.
    for action in actions.iter().filter(|action| action.sign == Sign::Unknown) {
        if let Some(path) = path(n, &actions, action.on, action.by) {
            return Structure::Unknown(path);
        }
    }
    match shortest(n, &known, false) {
        Some(found) => Structure::Positive(found),
        None => Structure::Acyclic,
    }
}

/// The shortest closed walk that is negative (or any cycle): breadth first over states with the
/// sign so far. A shortest negative closed walk is a cycle, or holds a negative cycle, which would
/// be shorter.
fn shortest(n: usize, actions: &[Action], negative: bool) -> Option<Loop> {
    let mut best: Option<Loop> = None;
    for start in 0..n {
        // Walks from `start`: where they are, and whether they are negative.
        let mut before: Vec<Option<(usize, bool)>> = vec![None; 2 * n];
        let mut queue = VecDeque::from([(start, false)]);
        'search: while let Some((at, sign)) = queue.pop_front() {
            for action in actions.iter().filter(|action| action.by == at) {
                let next = sign ^ (action.sign == Sign::NotPositive);
                if action.on == start {
                    if next != negative && negative {
                        // Round once without a change of sign: going on from here leads nowhere new.
                        continue;
                    }
                    let found = walk(&before, start, (at, sign));
                    if best.as_ref().is_none_or(|known| found.len() < known.len()) {
                        best = Some(found);
                    }
                    break 'search;
                }
                let place = 2 * action.on + usize::from(next);
                if before[place].is_none() {
                    before[place] = Some((at, sign));
                    queue.push_back((action.on, next));
                }
            }
        }
    }
    best
}

/// The states of a walk from `start` to `end`.
fn walk(before: &[Option<(usize, bool)>], start: usize, end: (usize, bool)) -> Loop {
    let mut states = vec![end.0];
    let mut at = end;
    while at.0 != start || at.1 {
        let Some(earlier) = before.get(2 * at.0 + usize::from(at.1)).copied().flatten() else {
            break;
        };
        states.push(earlier.0);
        at = earlier;
        if states.len() > before.len() {
            break;
        }
    }
    states.reverse();
    states
}

/// The states from `from` to `to`, each acting on the next, when there is such a path.
fn path(n: usize, actions: &[Action], from: usize, to: usize) -> Option<Loop> {
    let mut before: Vec<Option<usize>> = vec![None; n];
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        if at == to {
            let mut states = vec![at];
            let mut here = at;
            while here != from {
                here = before[here]?;
                states.push(here);
            }
            states.reverse();
            return Some(states);
        }
        for action in actions.iter().filter(|action| action.by == at) {
            if action.on != from && before[action.on].is_none() {
                before[action.on] = Some(at);
                queue.push_back(action.on);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(by: usize, on: usize, sign: Sign) -> Action {
        Action { on, by, sign }
    }

    #[test]
    fn loops_are_told_apart() {
        use Sign::{NotNegative as Plus, NotPositive as Minus, Unknown, Zero};
        let chain = [act(0, 1, Plus), act(1, 2, Minus), act(0, 0, Minus)];
        assert_eq!(structure(3, &chain), Structure::Acyclic);
        let both = [act(0, 1, Minus), act(1, 0, Minus)];
        assert_eq!(structure(2, &both), Structure::Positive(vec![0, 1]));
        let prey = [act(0, 1, Plus), act(1, 0, Minus)];
        assert_eq!(structure(2, &prey), Structure::Negative(vec![0, 1]));
        let ring = [act(0, 1, Minus), act(1, 2, Minus), act(2, 0, Minus)];
        assert_eq!(structure(3, &ring), Structure::Negative(vec![0, 1, 2]));
        let either = [act(0, 1, Unknown), act(1, 0, Plus)];
        assert_eq!(structure(2, &either), Structure::Unknown(vec![1, 0]));
        let open = [act(0, 1, Unknown), act(1, 0, Zero)];
        assert_eq!(structure(2, &open), Structure::Acyclic);
    }
}
