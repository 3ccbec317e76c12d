//! Which values need which others first, and definitions that go round in circles.
//!
//! Tarjan's algorithm for strongly connected components (SIAM J. Comput. 1, 146, 1972), with an
//! explicit stack: a chain of definitions may be as long as the file.

use super::collect::Draft;
use super::names::Entity;
use super::walk::each_name;
use crate::diagnostic::{Code, Diagnostic, listed};
use crate::syntax::tree;
use rustc_hash::FxHashMap;

/// Every named thing with a value, in an order in which each stands after what it needs.
/// Members of circles are reported and left out.
pub(super) fn order(draft: &mut Draft<'_>) -> Vec<Entity> {
    let (nodes, edges) = graph(draft);
    let mut ordered = Vec::with_capacity(nodes.len());
    for component in components(&edges) {
        let is_circle = match component.as_slice() {
            [single] => edges[*single].contains(single),
            _ => true,
        };
        if is_circle {
            let diagnostic = circle(draft, &nodes, &edges, &component);
            draft.diagnostics.push(diagnostic);
            for node in component {
                if let Entity::Function(id) = nodes[node].1 {
                    draft.names.mark_circular(id);
                }
            }
        } else {
            ordered.extend(component.iter().map(|node| nodes[*node].1));
        }
    }
    ordered
}

type Graph = (Vec<(String, Entity)>, Vec<Vec<usize>>);

fn graph(draft: &Draft<'_>) -> Graph {
    let nodes: Vec<(String, Entity)> = draft
        .names
        .iter()
        .filter(|(_, entity)| {
            !matches!(
                entity,
                Entity::Time | Entity::Condition(_) | Entity::Input(_) | Entity::Wiener(_)
            )
        })
        .map(|(name, entity)| (name.to_owned(), entity))
        .collect();
    let position: FxHashMap<&str, usize> = nodes
        .iter()
        .enumerate()
        .map(|(at, (name, _))| (name.as_str(), at))
        .collect();
    let edges = nodes
        .iter()
        .map(|(_, entity)| {
            let mut needed: Vec<usize> = Vec::new();
            let mut add = |name: &str| needed.extend(position.get(name));
            needs(draft, *entity, &mut add);
            needed.sort_unstable();
            needed.dedup();
            needed
        })
        .collect();
    (nodes, edges)
}

fn needs(draft: &Draft<'_>, entity: Entity, add: &mut impl FnMut(&str)) {
    let item = |item: &tree::Declaration, add: &mut dyn FnMut(&str)| {
        for index in &item.name.indices {
            each_name(index, &mut |name| add(name));
        }
        if let Some(value) = &item.value {
            each_name(value, &mut |name| add(name));
        }
    };
    match entity {
        Entity::Parameter(id) => item(draft.parameters[id.index()].item, add),
        Entity::State(id) => item(draft.states[id.index()].item, add),
        Entity::Definition(id) => {
            let definition = &draft.definitions[id.index()];
            for index in definition.indices {
                each_name(index, add);
            }
            if let Some(value) = definition.value {
                each_name(value, add);
            }
            if let Some(state) = definition.state {
                add(&draft.states[state.index()].name);
            }
        }
        Entity::IndexSet(id) => {
            if let (_, tree::IndexSet::Range(range)) = &draft.index_sets[id.index()] {
                each_name(range, add);
            }
        }
        Entity::Function(id) => {
            let function = draft.names.function(id);
            each_name(&function.body, &mut |name| {
                if !function.parameters.iter().any(|known| known.text == name) {
                    add(name);
                }
            });
        }
        Entity::Noise(id) => {
            for index in &draft.wieners[id.index()].name.indices {
                each_name(index, &mut |name| add(name));
            }
        }
        Entity::Time | Entity::Condition(_) | Entity::Input(_) | Entity::Wiener(_) => {}
    }
}

/// Strongly connected components, each after those that it points to.
pub(super) fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let n = edges.len();
    let (mut index, mut low) = (vec![UNSEEN; n], vec![0; n]);
    let (mut on_stack, mut stack) = (vec![false; n], Vec::new());
    let (mut counter, mut found) = (0, Vec::new());
    for root in 0..n {
        if index[root] != UNSEEN {
            continue;
        }
        let mut frames = vec![(root, 0)];
        while let Some((node, next)) = frames.last_mut() {
            let node = *node;
            if *next == 0 {
                index[node] = counter;
                low[node] = counter;
                counter += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(&target) = edges[node].get(*next) {
                *next += 1;
                if index[target] == UNSEEN {
                    frames.push((target, 0));
                } else if on_stack[target] {
                    low[node] = low[node].min(index[target]);
                }
                continue;
            }
            // A node without edges is entered once only, so `next == 0` above cannot repeat.
            frames.pop();
            if let Some((parent, _)) = frames.last() {
                low[*parent] = low[*parent].min(low[node]);
            }
            if low[node] == index[node] {
                let mut component = Vec::new();
                while let Some(member) = stack.pop() {
                    on_stack[member] = false;
                    component.push(member);
                    if member == node {
                        break;
                    }
                }
                component.sort_unstable();
                found.push(component);
            }
        }
    }
    found
}

/// Members of a circle that are shown; a longer one is hardly meant to be read.
const MOST_SHOWN: usize = 6;

fn circle(
    draft: &Draft<'_>,
    nodes: &[(String, Entity)],
    edges: &[Vec<usize>],
    component: &[usize],
) -> Diagnostic {
    let all = |accept: fn(Entity) -> bool| component.iter().all(|node| accept(nodes[*node].1));
    let names: Vec<String> = component
        .iter()
        .take(MOST_SHOWN)
        .map(|node| format!("`{}`", nodes[*node].0))
        .collect();
    let names = listed(&names);
    let is_one = component.len() == 1;
    let mut diagnostic = if all(|entity| matches!(entity, Entity::Function(_))) {
        Diagnostic::new(
            Code::Recursion,
            if is_one {
                format!("the function {names} calls itself")
            } else {
                format!("the functions {names} call each other")
            },
        )
        .help("a function of Lotka is a formula: write it without recursion")
    } else {
        let what = if !all(|entity| matches!(entity, Entity::State(_))) {
            ""
        } else if is_one {
            "the initial value of "
        } else {
            "the initial values of "
        };
        Diagnostic::new(
            Code::Cycle,
            if is_one {
                format!("{what}{names} is defined by itself")
            } else {
                format!("{what}{names} are defined by each other")
            },
        )
        .help(if is_one {
            "its value must not use its own name"
        } else {
            "break the circle: one of them needs a value of its own"
        })
    };
    for node in component.iter().take(MOST_SHOWN) {
        let Some(span) = draft.names.declared_at(&nodes[*node].0) else {
            continue;
        };
        let next = edges[*node].iter().find(|next| component.contains(next));
        let word = if matches!(nodes[*node].1, Entity::Function(_)) {
            "calls"
        } else {
            "needs"
        };
        diagnostic = diagnostic.at(
            span,
            next.map_or(String::new(), |next| format!("{word} `{}`", nodes[*next].0)),
        );
    }
    diagnostic
}
