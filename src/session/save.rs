//! `save`: the last run as a table in a file.

use super::command::Save;
use super::compiled::Observable;
use super::outcome::{Outcome, Performed};
use super::trajectory::Trajectory;
use super::{Session, reason_to_write};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::DefinitionKind;
use crate::symbolic::Shape;
use crate::table;
use std::path::PathBuf;

impl Session {
    pub(super) fn save(&self, save: &Save) -> Result<Performed, Vec<Diagnostic>> {
        let run = self.need_last()?;
        let path = PathBuf::from(&save.path.text);
        let (headers, columns) = columns(run, save)?;
        let text = table::write_csv(&headers, &columns);
        self.world.write(&path, text.as_bytes()).map_err(|error| {
            vec![
                Diagnostic::new(
                    Code::CannotWrite,
                    format!(
                        "cannot write {}: {}",
                        path.display(),
                        reason_to_write(&error)
                    ),
                )
                .at(save.path.span, ""),
            ]
        })?;
        Ok(Performed {
            outcome: Outcome::Saved {
                path,
                rows: run.times().len(),
                columns: headers.len(),
            },
            diagnostics: Vec::new(),
        })
    }
}

type Columns = (Vec<String>, Vec<Vec<f64>>);

/// Time first, then what is asked for, else all states and all `let` and flux definitions.
fn columns(run: &Trajectory, save: &Save) -> Result<Columns, Vec<Diagnostic>> {
    let mut headers = vec!["time".to_owned()];
    let mut columns = vec![run.times().to_vec()];
    if !save.columns.is_empty() {
        for expr in &save.columns {
            let observable = run.compiled.observable(expr)?;
            add(run, &observable, &mut headers, &mut columns);
        }
        return Ok((headers, columns));
    }
    let dimension = run.solution.dimension;
    headers.extend(run.compiled.state_names());
    for state in 0..dimension {
        columns.push(
            run.solution
                .states
                .iter()
                .skip(state)
                .step_by(dimension)
                .copied()
                .collect(),
        );
    }
    let system = &run.compiled.system;
    for definition in &run.compiled.model.definitions {
        let Some(expr) = system.definitions.get(&definition.symbol) else {
            continue;
        };
        if definition.kind == DefinitionKind::Derivative {
            continue;
        }
        let observable = Observable {
            label: definition.name.clone(),
            expr: *expr,
            shape: system.pool.shape(*expr),
            pool: std::sync::Arc::new(system.pool.clone()),
            is_condition: false,
        };
        add(run, &observable, &mut headers, &mut columns);
    }
    Ok((headers, columns))
}

fn add(
    run: &Trajectory,
    observable: &Observable,
    headers: &mut Vec<String>,
    columns: &mut Vec<Vec<f64>>,
) {
    let numbers = run.evaluate(observable);
    let width = observable.shape.len();
    let indices = run.compiled.model.names.indices(&observable.label);
    for element in 0..width {
        headers.push(if observable.shape == Shape::Scalar {
            observable.label.clone()
        } else if indices.is_empty() {
            format!("{}[{}]", observable.label, element + 1)
        } else {
            run.compiled
                .model
                .element_name(&observable.label, indices, element)
        });
        columns.push(
            numbers
                .iter()
                .skip(element)
                .step_by(width.max(1))
                .copied()
                .collect(),
        );
    }
}
