//! The canonical text of conditions.

use super::comments;
use super::layout::{self, Block, Value};
use crate::condition::{Comparison, Conditions, Group, Rule};
use crate::value::Scalar;

/// The canonical text of conditions; `None` if they cannot be read again.
pub(super) fn canonical(conditions: &Conditions) -> Option<String> {
    let mut document = comments::read(conditions.text())?;
    group(&mut document.root, conditions.root())?;
    Some(layout::print(document))
}

fn group(block: &mut Block<'_>, group: &Group) -> Option<()> {
    block.set("logic", word(group.logic.as_str()))?;
    let rules = block.get_mut("rules")?.list_mut()?;
    for (part, rule) in rules.parts.iter_mut().zip(&group.rules) {
        let block = part.value.mapping_mut()?;
        match rule {
            Rule::Comparison(rule) => comparison(block, rule)?,
            Rule::Group(rule) => self::group(block, rule)?,
        }
    }
    block.order(&["logic", "rules"]);
    Some(())
}

fn comparison(block: &mut Block<'_>, rule: &Comparison) -> Option<()> {
    block.set("field", word(&rule.path.to_string()))?;
    block.set("operator", word(rule.operator.name()))?;
    match block.get_mut("value") {
        Some(Value::List(list)) => {
            list.sort_set();
            list.parts
                .iter_mut()
                .for_each(|part| quote(&mut part.value));
        }
        Some(value) => quote(value),
        None => {}
    }
    block.order(&["field", "operator", "value"]);
    Some(())
}

fn word<'a>(text: &str) -> Value<'a> {
    Value::Scalar(Scalar::String(text.into()))
}

/// Values are always in double quotes: what an author changes there stays text.
fn quote(value: &mut Value<'_>) {
    if let Value::Scalar(Scalar::String(text)) = value {
        *value = Value::Quoted((**text).to_owned());
    }
}
