//! Events, doses and inputs.

use super::{codes, model};
use crate::model::{Direction, Interpolation, Model, Repeat, Schedule, StateId, Target, Trigger};

const PREY: &str = "param k1 = 1, F = 0.9, tlag = 0.3
state prey = 10, predator = 5
prey' = k1*prey - prey*predator
predator' = prey*predator - predator
compartment central = 5
species C1 in central = 0, depot = 0
depot -> C1, k1*F*tlag
";

fn prey(more: &str) -> Model {
    model(&format!("{PREY}{more}"))
}

fn repeat(model: &Model, repeat: &Repeat) -> String {
    let text = |expr: Option<_>| expr.map_or("-".to_owned(), |expr| model.text(expr));
    format!(
        "every {} from {} times {} until {}",
        model.text(repeat.period),
        text(repeat.from),
        text(repeat.times),
        text(repeat.until)
    )
}

#[test]
fn when_with_all_its_options() {
    let model = prey(
        "let scarce = prey + predator\nwhen scarce < 1e-3 falling for tlag priority 2*k1 values trigger { prey = 0; predator = predator/2 }",
    );
    let [event] = model.events.as_slice() else {
        panic!("one event");
    };
    let Trigger::When {
        condition,
        direction,
    } = event.trigger
    else {
        panic!("a condition");
    };
    assert_eq!(model.text(condition), "scarce < 0.001");
    assert_eq!(direction, Direction::Falling);
    assert_eq!(
        event.delay.map(|delay| model.text(delay)).as_deref(),
        Some("tlag")
    );
    assert_eq!(
        event.priority.map(|p| model.text(p)).as_deref(),
        Some("2*k1")
    );
    assert!(!event.persistent && event.values_at_trigger && event.within.is_none());
    let set: Vec<_> = event
        .assignments
        .iter()
        .map(|set| (set.target, set.element, model.text(set.value)))
        .collect();
    assert_eq!(
        set,
        [
            (Target::State(StateId(0)), None, "0".to_owned()),
            (Target::State(StateId(1)), None, "predator/2".to_owned()),
        ]
    );
}

#[test]
fn options_are_read_in_any_order() {
    let orders = [
        "rising after 2 priority 1",
        "after 2 rising priority 1",
        "priority 1, after 2, rising",
        "rising for 2 priority 1",
        "values execution after 2 rising",
        "rising for tlag values trigger",
    ];
    for order in orders {
        let model = prey(&format!("when prey > k1 {order} {{ k1 = 0 }}"));
        assert!(model.events[0].delay.is_some(), "{order}");
        assert!(
            matches!(
                model.events[0].trigger,
                Trigger::When {
                    direction: Direction::Rising,
                    ..
                }
            ),
            "{order}"
        );
    }
}

#[test]
fn timed_and_repeated_events() {
    let model = prey(
        "at 10, 2*tlag priority 3 { k1 = 0 }\nevery 24 from 0 times 7 until 100 { predator = predator/2; dose 1 into depot over 0.5 lag tlag }",
    );
    let [at, every] = model.events.as_slice() else {
        panic!("two events");
    };
    let Trigger::At(times) = &at.trigger else {
        panic!("times");
    };
    assert_eq!(model.texts(times), ["10", "2*tlag"]);
    assert!(at.priority.is_some() && at.doses.is_empty());
    let Trigger::Every(again) = &every.trigger else {
        panic!("a period");
    };
    assert_eq!(repeat(&model, again), "every 24 from 0 times 7 until 100");
    assert_eq!(every.doses, [0]);
    assert_eq!(model.doses[0].schedule, Schedule::Event);
    assert!(model.doses[0].duration.is_some() && model.doses[0].lag.is_some());
}

#[test]
fn doses_of_all_kinds() {
    let model = prey(
        "time from -1
dose 100 [mg] into C1 at 0, 24
dose 100 [mg] * F into depot every 12 from 6 times 10 over 0.5 lag tlag
dose 100 [mg] into C1 every 12 steady
dose 5 into prey
dose AMT*F from \"doses.csv\" (TIME = hour, CMT = where) into depot lag tlag
dose AMT from \"more.csv\"",
    );
    let targets: Vec<_> = model.doses.iter().map(|dose| dose.into).collect();
    let (c1, depot, prey) = (StateId(2), StateId(3), StateId(0));
    assert_eq!(
        targets,
        [
            Some((c1, 0)),
            Some((depot, 0)),
            Some((c1, 0)),
            Some((prey, 0)),
            Some((depot, 0)),
            None
        ]
    );
    let amounts: Vec<_> = model
        .doses
        .iter()
        .map(|dose| model.text(dose.amount))
        .collect();
    assert_eq!(amounts, ["100", "100*F", "100", "5", "AMT*F", "AMT"]);
    let Schedule::At(times) = &model.doses[0].schedule else {
        panic!("times");
    };
    assert_eq!(model.texts(times), ["0", "24"]);
    let Schedule::Every(again) = &model.doses[1].schedule else {
        panic!("a period");
    };
    assert_eq!(repeat(&model, again), "every 12 from 6 times 10 until -");
    assert!(model.doses[2].steady && !model.doses[1].steady);
    // Without a time: at the start of the model.
    let Schedule::At(start) = &model.doses[3].schedule else {
        panic!("the start");
    };
    assert_eq!(model.texts(start), ["-1"]);
    let tables: Vec<_> = model
        .doses
        .iter()
        .filter_map(|dose| match &dose.schedule {
            Schedule::Table(table) => Some(table),
            _ => None,
        })
        .collect();
    assert_eq!(tables[0].path.text, "doses.csv");
    let columns: Vec<_> = tables[0]
        .columns
        .iter()
        .map(|(here, there)| (here.text.as_str(), there.text.as_str()))
        .collect();
    assert_eq!(columns, [("TIME", "hour"), ("CMT", "where")]);
    assert_eq!(tables[0].amount, tables[1].amount);
}

#[test]
fn the_amount_of_a_table_hides_no_other_name() {
    let model = prey("param AMT = 3\nlet b = AMT + 1\ndose AMT*F from \"a.csv\" into depot");
    let Schedule::Table(table) = &model.doses[0].schedule else {
        panic!("a table");
    };
    assert_ne!(Some(table.amount), model.names.symbol("AMT"));
    assert_eq!(model.text(model.definitions[0].value), "AMT + 1");
}

#[test]
fn conditions_have_values_events_and_doses_of_their_own() {
    let model = prey(
        "condition treated { no doses; k1 = 0; dose 10 into C1 at 0; at 5 { prey = 1; dose 1 into prey } }
dose 1 into depot
condition plain { }",
    );
    let id = model.condition("treated").expect("declared");
    assert!(id.clears_doses && id.settings.len() == 1);
    assert!(!model.condition("plain").expect("declared").clears_doses);
    let within: Vec<_> = model
        .doses
        .iter()
        .map(|dose| {
            dose.within
                .map(|condition| model.conditions[condition.index()].name.as_str())
        })
        .collect();
    assert_eq!(within, [Some("treated"), Some("treated"), None]);
    assert_eq!(model.events[0].within, model.doses[0].within);
    assert_eq!(model.events[0].doses, [1]);
}

#[test]
fn loops_hold_events_and_events_hold_loops() {
    let model = model(
        "index cell = 1..3
state u[cell] = 0
u' = -u
for i in 1..3 { when u[i] > i { u[i] = 0 }; dose i into u[i] at i }
at 9 { for i in 1..2 { u[i] = u[i+1]; dose 1 into u[i] } }
condition c { for i in 1..2 { u[i] = i } }",
    );
    assert_eq!(model.events.len(), 4);
    let sets: Vec<_> = model.events[3]
        .assignments
        .iter()
        .map(|set| (set.element, model.text(set.value)))
        .collect();
    assert_eq!(
        sets,
        [(Some(0), "u[2]".to_owned()), (Some(1), "u[3]".to_owned())]
    );
    assert_eq!(model.events[3].doses, [3, 4]);
    assert_eq!(model.doses[2].into, Some((StateId(0), 2)));
    assert_eq!(model.conditions[0].settings.len(), 2);
}

/// A bouncing ball sets its velocity, which is a state of its own.
#[test]
fn velocities_can_be_set_and_dosed() {
    let model = model(
        "state h = 1, h' = 0
h'' = -9.81
when h < 0 { h = 0; h' = -0.9*h' }
dose 1 into h' at 2",
    );
    let set = &model.events[0].assignments[1];
    assert_eq!(set.target, Target::State(StateId(1)));
    assert_eq!(model.text(set.value), "-0.9*h'");
    assert_eq!(model.doses[0].into, Some((StateId(1), 0)));
}

#[test]
fn inputs_are_names_that_change() {
    let model = prey(
        "## Room.
input temperature [K] from \"temp.csv\" cubic (time = hour, temperature = T)
input light from \"light.csv\" step
let warm = temperature - 273
assert temperature > 0
when light > 1 { prey = light }",
    );
    let [temperature, light] = model.inputs.as_slice() else {
        panic!("two inputs");
    };
    assert_eq!(temperature.interpolation, Interpolation::Cubic);
    assert_eq!(light.interpolation, Interpolation::Step);
    assert_eq!(temperature.path.text, "temp.csv");
    assert_eq!(temperature.columns.len(), 2);
    assert_eq!(temperature.doc.as_deref(), Some("Room."));
    assert!(temperature.unit.is_some());
    assert_eq!(model.names.describe("light"), "an input");
    assert_eq!(model.names.symbol("light"), Some(light.symbol));
}

#[test]
fn what_an_event_or_dose_uses_is_used() {
    assert_eq!(
        codes(
            "param a = 1, b = 2, c = 3, d = 4\nstate x = 1\nx' = -x\nwhen x < a { x = b }\ndose c into x at d"
        ),
        [""; 0]
    );
    assert_eq!(
        codes("param a = 1\nstate x = 1\nx' = -x\nat 2 { a = 3 }"),
        ["W0201"]
    );
}
