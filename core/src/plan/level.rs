//! What decides about an action type before and after a plan, and who asks for approval there.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::iter::once;

use foldhash::fast::RandomState;

use super::Step;
use crate::action_type::{TypeDigest, levels_above, lower_case, stems};
use crate::policy::{EntryRef, Governed, PolicySet};

/// The levels that can decide about the action types of a plan. Cheaper than the indexes of its two sides, which are made
/// for decisions.
pub(super) struct Levels<'p> {
    // A level that no policy is at is there, too, and decides about nothing.
    levels: HashMap<TypeDigest, Level<'p>, RandomState>,
}

/// An action type that policies of a plan govern.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Type<'p> {
    /// In lower case.
    key: Cow<'p, str>,
    pub(super) written: &'p str,
    digest: TypeDigest,
}

impl<'p> Type<'p> {
    /// That of one of them, as it is written there.
    pub(super) fn of(entry: EntryRef<'p>) -> Self {
        let written = entry.policy.action_type();
        Self {
            key: lower_case(written),
            written,
            digest: entry.governed.action_type,
        }
    }
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
    fn add(&mut self, governed: &Governed) {
        self.policies += 1;
        self.asking += usize::from(governed.approval_required);
    }

    fn remove(&mut self, governed: &Governed) {
        self.policies -= 1;
        self.asking -= usize::from(governed.approval_required);
    }
}

/// The level that decides about an action type on one side of a plan. Two are equal if they are described alike.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Deciding<'t> {
    /// What its policies govern, in lower case; `None` if there are none.
    action_type: Option<Cow<'t, str>>,
    approval: Approval,
}

impl<'t> Deciding<'t> {
    fn at(key: Cow<'t, str>, count: Count) -> Self {
        Self {
            action_type: Some(key),
            approval: match count.asking {
                0 => Approval::None,
                all if all == count.policies => Approval::All,
                some => Approval::Some(some, count.policies),
            },
        }
    }

    /// Adds the level in words to a note.
    pub(super) fn describe(&self, note: &mut String) {
        let Some(action_type) = &self.action_type else {
            note.push_str("no policy");
            return;
        };
        note.extend(["`", action_type, "` "]);
        match self.approval {
            Approval::None => note.push_str("(no approval)"),
            Approval::All => note.push_str("(approval)"),
            Approval::Some(some, all) => {
                let _ = write!(note, "(approval by {some} of {all} policies)");
            }
        }
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
    /// All that can decide about some types, given what changes among active policies.
    pub(super) fn new(active: &PolicySet, changes: &[Step<'p>], types: &[Type<'_>]) -> Self {
        let own = types.iter().map(|of| of.digest);
        // Most types share what is above them.
        let above: HashSet<&str, RandomState> =
            types.iter().flat_map(|of| stems(&of.key)).collect();
        let above = above
            .iter()
            .map(|stem| TypeDigest::of(&format!("{stem}.*")));
        let keys = own.chain(above).chain(once(TypeDigest::of("*")));
        let mut levels = Self {
            levels: keys.map(|key| (key, Level::default())).collect(),
        };
        if !types.is_empty() {
            levels.count(active);
            levels.change(changes);
        }
        levels
    }

    fn count(&mut self, active: &PolicySet) {
        for governed in active.governed() {
            if let Some(level) = self.levels.get_mut(&governed.action_type) {
                level.before.add(governed);
                level.after.add(governed);
            }
        }
    }

    fn change(&mut self, changes: &[Step<'p>]) {
        for step in changes.iter().filter(|step| step.moves_levels()) {
            if let Some(EntryRef {
                governed, policy, ..
            }) = step.before
                && let Some(level) = self.levels.get_mut(&governed.action_type)
            {
                level.after.remove(governed);
                if governed.approval_required {
                    level.no_longer.push(policy.name());
                }
            }
            if let Some(EntryRef {
                governed, policy, ..
            }) = step.after
                && let Some(level) = self.levels.get_mut(&governed.action_type)
            {
                level.after.add(governed);
                if governed.approval_required {
                    level.newly.push(policy.name());
                }
            }
        }
    }

    /// The policies of just this type.
    pub(super) fn own(&self, of: &Type<'_>) -> Option<&Level<'p>> {
        self.levels.get(&of.digest)
    }

    /// What decides about a type before the plan and after it: the most specific levels that hold a policy.
    pub(super) fn deciding<'t>(&self, of: &'t Type<'_>) -> (Deciding<'t>, Deciding<'t>) {
        let (mut before, mut after) = (Deciding::default(), Deciding::default());
        let above = levels_above(&of.key).map(|key| (TypeDigest::of(&key), Cow::Owned(key)));
        for (digest, key) in once((of.digest, Cow::Borrowed(&*of.key))).chain(above) {
            let Some(level) = self.levels.get(&digest) else {
                continue;
            };
            for (side, count) in [(&mut before, level.before), (&mut after, level.after)] {
                if side.action_type.is_none() && count.policies > 0 {
                    *side = Deciding::at(key.clone(), count);
                }
            }
            if before.action_type.is_some() && after.action_type.is_some() {
                break;
            }
        }
        (before, after)
    }
}
