//! What decides about an action type before and after a plan, and who asks for approval there.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::Plan;
use crate::action_type;
use crate::policy::Policy;

/// The policies that decide about an action type.
#[derive(Default)]
pub(super) struct Level<'p> {
    /// The action type that they share, as one of them writes it; `None` if there are none.
    action_type: Option<&'p str>,
    size: usize,
    /// The names of those that require approval.
    pub(super) asking: Vec<&'p str>,
}

/// How many of the policies of a level require approval.
#[derive(Debug, PartialEq, Eq)]
enum Approval {
    None,
    All,
    Some(usize, usize),
}

impl<'p> Level<'p> {
    fn of(policies: &[&'p Arc<Policy>]) -> Self {
        let mut level = Self {
            action_type: None,
            size: 0,
            asking: Vec::new(),
        };
        for policy in policies {
            level.action_type.get_or_insert(policy.action_type());
            level.size += 1;
            if policy.approval_required() {
                level.asking.push(policy.name());
            }
        }
        level
    }

    /// Whether the two are described differently; the case of letters says nothing.
    pub(super) fn differs_from(&self, other: &Self) -> bool {
        let action_type = |level: &Self| level.action_type.map(str::to_ascii_lowercase);
        (action_type(self), self.approval()) != (action_type(other), other.approval())
    }

    fn approval(&self) -> Approval {
        match self.asking.len() {
            0 => Approval::None,
            all if all == self.size => Approval::All,
            some => Approval::Some(some, self.size),
        }
    }
}

/// The policies of a plan's two sides that have one action type, each side in name order.
#[derive(Default)]
struct Sides<'p> {
    active: Vec<&'p Arc<Policy>>,
    desired: Vec<&'p Arc<Policy>>,
    // Described once, however many types ask.
    active_level: OnceCell<Level<'p>>,
    desired_level: OnceCell<Level<'p>>,
    level_together: OnceCell<Level<'p>>,
}

/// The two sides of a plan by action type. Cheaper than their indexes, which are made for decisions.
pub(super) struct Levels<'p> {
    plan: &'p Plan,
    types: HashMap<Cow<'p, str>, Sides<'p>, RandomState>,
    none: Level<'p>,
}

impl<'p> Levels<'p> {
    /// All that can decide about some types, which are in lower case.
    pub(super) fn new<'t>(plan: &'p Plan, types: impl Iterator<Item = &'t str>) -> Self {
        let wanted: HashSet<String, RandomState> = types.flat_map(action_type::levels).collect();
        let mut levels = Self {
            plan,
            types: HashMap::default(),
            none: Level::default(),
        };
        if wanted.is_empty() {
            return levels;
        }
        for step in plan.steps() {
            let before = step.before.map(|entry| &entry.policy);
            let after = step.after.map(|entry| &entry.policy);
            // Nearly every policy is shared by both sides, and then looked at once.
            let shared = before
                .zip(after)
                .is_some_and(|(before, after)| Arc::ptr_eq(before, after));
            if let Some(before) = before
                && let Some(sides) = levels.sides(before, &wanted)
            {
                sides.active.push(before);
                if shared {
                    sides.desired.push(before);
                }
            }
            if let Some(after) = after
                && !shared
                && let Some(sides) = levels.sides(after, &wanted)
            {
                sides.desired.push(after);
            }
        }
        levels
    }

    fn sides(
        &mut self,
        policy: &'p Policy,
        wanted: &HashSet<String, RandomState>,
    ) -> Option<&mut Sides<'p>> {
        let key = lower_case(policy.action_type());
        wanted
            .contains(&*key)
            .then(|| self.types.entry(key).or_default())
    }

    /// The level that decides about a type before the plan.
    pub(super) fn active(&self, key: &str) -> &Level<'p> {
        self.first(key, |sides| {
            sides.active_level.get_or_init(|| Level::of(&sides.active))
        })
    }

    /// The level that decides about a type where the desired policies are all there are.
    pub(super) fn desired(&self, key: &str) -> &Level<'p> {
        self.first(key, |sides| {
            sides
                .desired_level
                .get_or_init(|| Level::of(&sides.desired))
        })
    }

    /// The level that decides about a type when the desired policies have taken the place of those of their names.
    pub(super) fn together(&self, key: &str) -> &Level<'p> {
        self.first(key, |sides| {
            sides.level_together.get_or_init(|| self.joined(sides))
        })
    }

    fn joined(&self, sides: &Sides<'p>) -> Level<'p> {
        let stays = |policy: &&Arc<Policy>| {
            let by_name = |other: &&Arc<Policy>| other.name().cmp(policy.name());
            // Nearly every policy is replaced by one of the same type, so that the whole set is seldom searched.
            sides.desired.binary_search_by(by_name).is_err()
                && self.plan.desired.get(policy.name()).is_none()
        };
        let mut policies: Vec<_> = sides.active.iter().copied().filter(stays).collect();
        policies.extend(&sides.desired);
        policies.sort_by_key(|policy| policy.name());
        Level::of(&policies)
    }

    /// The first level that holds a policy, from the most specific on.
    fn first<'l>(
        &'l self,
        key: &str,
        level: impl Fn(&'l Sides<'p>) -> &'l Level<'p>,
    ) -> &'l Level<'p> {
        let levels = action_type::levels(key).filter_map(|key| self.types.get(&*key));
        let mut levels = levels.map(level);
        levels.find(|level| level.size > 0).unwrap_or(&self.none)
    }
}

/// An action type as it is compared.
pub(super) fn lower_case(action_type: &str) -> Cow<'_, str> {
    if action_type.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(action_type.to_ascii_lowercase())
    } else {
        Cow::Borrowed(action_type)
    }
}

impl fmt::Display for Level<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(action_type) = self.action_type else {
            return f.write_str("no policy");
        };
        write!(f, "`{}` ", action_type.to_ascii_lowercase())?;
        match self.approval() {
            Approval::None => f.write_str("(no approval)"),
            Approval::All => f.write_str("(approval)"),
            Approval::Some(some, all) => write!(f, "(approval by {some} of {all} policies)"),
        }
    }
}
