//! What the grammar expected, in human words.
//!
//! Enters: the rules that pest tried at the place where it failed. Leaves: a few words for a
//! message. Must not know the text.

use super::Rule;

/// More than this many things are not listed.
const MOST: usize = 5;

/// The words for `rules`, the most useful first, each once.
pub(super) fn words(rules: &[Rule]) -> Vec<&'static str> {
    let mut found: Vec<(u8, &'static str)> = rules.iter().filter_map(|rule| word(*rule)).collect();
    found.sort_unstable();
    found.dedup();
    if found.iter().any(|(_, word)| *word == "a value") {
        // A name or a text is a value.
        found.retain(|(_, word)| !matches!(*word, "a name" | "a text in quotes"));
    }
    if found
        .iter()
        .any(|(_, word)| matches!(*word, "a value" | "an operator"))
    {
        // A bracket opens a value, or the arguments of the name before an operator.
        found.retain(|(_, word)| *word != "`(`");
    }
    found.truncate(MOST);
    found.into_iter().map(|(_, word)| word).collect()
}

/// How much a reader is helped by it (0 is most), and the word. Nothing for what is never the point.
fn word(rule: Rule) -> Option<(u8, &'static str)> {
    let found = match rule {
        Rule::simple | Rule::ranged | Rule::number | Rule::literal | Rule::named | Rule::group => {
            (0, "a value")
        }
        Rule::vector | Rule::negate | Rule::not_op | Rule::if_head | Rule::next_value => {
            (0, "a value")
        }
        Rule::option_item | Rule::subject | Rule::subjects | Rule::argument => (0, "a value"),
        Rule::expression_line | Rule::equation_line | Rule::dose_line => (0, "a value"),
        Rule::reaction_line => (0, "a species"),
        Rule::name | Rule::path | Rule::reference | Rule::primed | Rule::item | Rule::unit_item => {
            (1, "a name")
        }
        Rule::any_word => (1, "a word"),
        Rule::text => (1, "a text in quotes"),
        Rule::nothing | Rule::term | Rule::side | Rule::coefficient => (0, "a species"),
        Rule::mass_action => (0, "a rate constant"),
        Rule::rate_law | Rule::w_rate => (1, "`rate`"),
        Rule::arrow => (0, "an arrow"),
        Rule::plus => (3, "`+`"),
        Rule::equals | Rule::item_value => (1, "`=`"),
        Rule::tilde | Rule::prior => (4, "`~`"),
        Rule::colon => (2, "`:`"),
        Rule::open_paren | Rule::bindings => (4, "`(`"),
        Rule::close_paren => (1, "`)`"),
        Rule::close_bracket => (1, "`]`"),
        Rule::open_brace | Rule::labels => (2, "`{`"),
        Rule::close_brace => (1, "`}`"),
        Rule::comma => (3, "`,`"),
        Rule::dots => (5, "`..`"),
        Rule::binding => (1, "`name = value`"),
        Rule::unit => (4, "a unit"),
        Rule::unit_product | Rule::unit_factor | Rule::unit_name | Rule::unit_one => (0, "a unit"),
        Rule::unit_group | Rule::unit_times | Rule::unit_over => (0, "a unit"),
        Rule::unit_exponent | Rule::unit_power => (0, "an exponent"),
        Rule::item_in | Rule::w_in => (3, "`in`"),
        Rule::w_from | Rule::from_data => (3, "`from`"),
        Rule::w_then => (1, "`then`"),
        Rule::w_else => (1, "`else`"),
        Rule::w_of => (3, "`of`"),
        Rule::w_use => (1, "`use`"),
        Rule::w_doses => (1, "`doses`"),
        Rule::option | Rule::options | Rule::close_options | Rule::option_word => (4, "an option"),
        Rule::EOI => (6, "the end of the statement"),
        rule if is_infix(rule) => (2, "an operator"),
        _ => return None,
    };
    Some(found)
}

fn is_infix(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::add
            | Rule::subtract
            | Rule::times
            | Rule::divide
            | Rule::power
            | Rule::el_power
            | Rule::el_times
            | Rule::el_divide
            | Rule::equal
            | Rule::not_equal
            | Rule::less
            | Rule::less_equal
            | Rule::greater
            | Rule::greater_equal
            | Rule::and_op
            | Rule::or_op
    )
}
