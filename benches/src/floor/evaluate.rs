//! Rules as comparisons of slots.

use serde::Deserialize;

use crate::input::{Branch, Rules};

/// Rules with their fields as slots of a context, and their regex as a comparison.
#[derive(Debug)]
pub struct Compiled(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    slot: usize,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Is(Box<str>),
    Under(Box<str>),
    /// Sorted.
    In(Box<[Box<str>]>),
    Less(u32),
}

/// A value of a context.
#[derive(Debug)]
pub enum Slot<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(u32),
}

/// The four fields, as an action's JSON has them.
#[derive(Debug, Deserialize)]
pub struct Fields<'a> {
    branch: &'a str,
    repo: &'a str,
    pr_size: u32,
    ticket: &'a str,
}

#[derive(Debug, Deserialize)]
struct Action<'a> {
    #[serde(borrow)]
    metadata: Fields<'a>,
}

impl<'a> Fields<'a> {
    /// Reads an action from JSON and finds its fields.
    pub fn read(json: &'a str) -> Self {
        serde_json::from_str::<Action<'a>>(json)
            .expect("an action")
            .metadata
    }

    /// The fields in the order of the slots.
    pub fn slots(&self) -> [Slot<'a>; 4] {
        [
            Slot::Text(self.branch),
            Slot::Text(self.repo),
            Slot::Number(self.pr_size),
            Slot::Text(self.ticket),
        ]
    }
}

impl Compiled {
    /// Compiles rules that are read; `None` if they hold a real regex, which no lower bound can be written for by hand.
    pub fn new(rules: &Rules) -> Option<Self> {
        let branch = match &rules.branch {
            Branch::Is(text) => Test::Is(text.as_str().into()),
            Branch::Under(text) => Test::Under(text.as_str().into()),
            Branch::Like(_) => return None,
        };
        let mut repos: Vec<Box<str>> = rules
            .repos
            .iter()
            .map(|repo| repo.as_str().into())
            .collect();
        repos.sort_unstable();
        let tests = [
            branch,
            Test::In(repos.into()),
            Test::Less(rules.size),
            Test::Under(rules.ticket.as_str().into()),
        ];
        Some(Self(
            tests
                .into_iter()
                .enumerate()
                .map(|(slot, test)| Rule { slot, test })
                .collect(),
        ))
    }

    /// Whether every rule holds.
    pub fn test(&self, slots: &[Slot<'_>; 4]) -> bool {
        self.0
            .iter()
            .all(|rule| match (&rule.test, &slots[rule.slot]) {
                (Test::Is(text), Slot::Text(value)) => **text == **value,
                (Test::Under(prefix), Slot::Text(value)) => value.starts_with(&**prefix),
                (Test::In(texts), Slot::Text(value)) => {
                    texts.binary_search_by(|text| (**text).cmp(value)).is_ok()
                }
                (Test::Less(limit), Slot::Number(value)) => value < limit,
                (_, _) => false,
            })
    }
}
