//! What decides about an action type before and after a plan, and who asks for approval there.

use std::collections::{HashMap, HashSet};
use std::fmt;

use foldhash::fast::RandomState;

use super::Plan;
use crate::action_type::{self, TypeDigest};
use crate::policy::Entry;

/// The levels that can decide about the action types of a plan. Cheaper than the indexes of its two sides, which are made
/// for decisions.
pub(super) struct Levels<'p> {
    // A level that no policy is at is there, too, and decides about nothing.
    levels: HashMap<TypeDigest, Level<'p>, RandomState>,
}

/// The policies of one action type.
#[derive(Default)]
pub(super) struct Level<'p> {
    before: Count,
    after: Count,
    /// The names of the policies that ask for approval here after the plan and not before, in order.
    pub(super) newly: Vec<&'p str>,
    /// Those that ask before the plan and not after.
    pub(super) no_longer: Vec<&'p str>,
}

/// How many policies there are, and how many of them require approval.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    policies: usize,
    asking: usize,
}

impl Count {
    fn add(&mut self, entry: &Entry) {
        self.policies += 1;
        self.asking += usize::from(entry.approval_required);
    }
}

/// The level that decides about an action type on one side of a plan. Two are equal if they are described alike.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Deciding {
    /// What its policies govern, in lower case; `None` if there are none.
    action_type: Option<String>,
    approval: Approval,
}

impl Deciding {
    /// Takes the level, if it holds a policy, unless a more specific one did.
    fn or(&mut self, key: &str, count: Count) {
        if self.action_type.is_some() || count.policies == 0 {
            return;
        }
        *self = Self {
            action_type: Some(key.to_owned()),
            approval: match count.asking {
                0 => Approval::None,
                all if all == count.policies => Approval::All,
                some => Approval::Some(some, count.policies),
            },
        };
    }
}

/// How many of the policies of a level require approval.
#[derive(Debug, Default, PartialEq, Eq)]
enum Approval {
    #[default]
    None,
    All,
    Some(usize, usize),
}

impl<'p> Levels<'p> {
    /// All that can decide about some types, which are in lower case.
    pub(super) fn new<'t>(plan: &'p Plan, types: impl Iterator<Item = &'t str>) -> Self {
        let keys: HashSet<String, RandomState> = types.flat_map(action_type::levels).collect();
        let levels = keys
            .iter()
            .map(|key| (TypeDigest::of(key), Level::default()));
        let mut levels = Self {
            levels: levels.collect(),
        };
        if !levels.levels.is_empty() {
            levels.fill(plan);
        }
        levels
    }

    fn fill(&mut self, plan: &'p Plan) {
        for step in plan.steps() {
            let moves = step.moves_levels();
            if let Some(entry) = step.before
                && let Some(level) = self.levels.get_mut(&entry.action_type)
            {
                level.before.add(entry);
                if !moves {
                    level.after.add(entry);
                } else if entry.approval_required {
                    level.no_longer.push(entry.policy.name());
                }
            }
            if let Some(entry) = step.after
                && moves
                && let Some(level) = self.levels.get_mut(&entry.action_type)
            {
                level.after.add(entry);
                if entry.approval_required {
                    level.newly.push(entry.policy.name());
                }
            }
        }
    }

    /// The policies of just this type.
    pub(super) fn get(&self, key: &str) -> Option<&Level<'p>> {
        self.levels.get(&TypeDigest::of(key))
    }

    /// The levels that decide about a type before the plan and after it.
    pub(super) fn deciding(&self, key: &str) -> (Deciding, Deciding) {
        let (mut before, mut after) = (Deciding::default(), Deciding::default());
        for key in action_type::levels(key) {
            let Some(level) = self.get(&key) else {
                continue;
            };
            before.or(&key, level.before);
            after.or(&key, level.after);
            if before.action_type.is_some() && after.action_type.is_some() {
                break;
            }
        }
        (before, after)
    }
}

impl fmt::Display for Deciding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(action_type) = &self.action_type else {
            return f.write_str("no policy");
        };
        write!(f, "`{action_type}` ")?;
        match self.approval {
            Approval::None => f.write_str("(no approval)"),
            Approval::All => f.write_str("(approval)"),
            Approval::Some(some, all) => write!(f, "(approval by {some} of {all} policies)"),
        }
    }
}
