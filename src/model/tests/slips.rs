//! Texts with a word left out, doubled or exchanged: each is answered, none ends in a panic.

use super::codes;

const TEXT: &str = "index cell = 1..3
param tau = 2, D = 0.1, n = 5, k = 1
compartment V = 2
species A in V = 1, B = 2
input light from \"light.csv\" step (time = hour)
state u[cell] = 1, w, h = 1, h' = 0
let total = u[1] + u[2] + light
fn f(x, s) = x*A(s - tau)
A -> B, 0.1*f(1, t)
for i in 2..3 { u[i]' = D*(u[i-1](t - tau) - u[i]) }
u[1]' = -u[1]
h'' = -9.81
0 = w^2 - total
history u = exp(t)
history A = 1 + t
for i in 1..3 { when u[i] < 0.1*i falling for 0.5 values trigger priority i { u[i] = 1; dose 1 into A } }
when h < 0 { h' = -0.9*h'; k = 2*k }
every tau from 1 until 50 { u = 2*u }
at 3, tau { w2 = k; dose n into u[2] over 1 lag 2 }
dose AMT*2 from \"doses.csv\" (time = hour, CMT = where) into A lag tau/2
dose 3 into h' every 12 times 3 steady
condition c { tau = 3; no doses; for i in 1..2 { u[i] = i; at i { n = i } } }
assert w > n - 100";

fn words() -> Vec<&'static str> {
    TEXT.split_inclusive([' ', '\n', '(', ')', '[', ']', '{', '}', '=', ';'])
        .collect()
}

#[test]
fn a_word_too_few_or_too_many() {
    let words = words();
    for at in 0..words.len() {
        let without: String = words
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != at)
            .map(|(_, word)| *word)
            .collect();
        let doubled: String = words
            .iter()
            .enumerate()
            .map(|(place, word)| {
                if place == at {
                    word.repeat(2)
                } else {
                    (*word).to_owned()
                }
            })
            .collect();
        let _ = (codes(&without), codes(&doubled));
    }
}

#[test]
fn a_line_too_few_or_out_of_place() {
    let lines: Vec<&str> = TEXT.lines().collect();
    for at in 0..lines.len() {
        let mut without = lines.clone();
        let line = without.remove(at);
        let _ = codes(&without.join("\n"));
        without.insert(0, line);
        let _ = codes(&without.join("\n"));
    }
}

#[test]
fn one_name_for_another() {
    let names = [
        "u", "w", "A", "V", "light", "total", "f", "cell", "c", "tau", "t", "h'", "AMT", "zz",
    ];
    let words = words();
    for (at, word) in words.iter().enumerate() {
        if !names.contains(&word.trim_end_matches([' ', '\n', '(', ')', '[', ']', '=', ';'])) {
            continue;
        }
        for name in names {
            let end = word.trim_start_matches(|c: char| c.is_alphanumeric() || c == '\'');
            let changed: String = words
                .iter()
                .enumerate()
                .map(|(place, word)| {
                    if place == at {
                        format!("{name}{end}")
                    } else {
                        (*word).to_owned()
                    }
                })
                .collect();
            let _ = codes(&changed);
        }
    }
}
