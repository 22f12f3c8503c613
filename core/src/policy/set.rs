//! Sets of policies by name.

use std::num::NonZero;
use std::sync::{Arc, OnceLock};

use super::{Beside, Policy, PolicyRow, PolicySpec};
use crate::action_type::{TypeDigest, lower_case};
use crate::decision::Index;
use crate::error::Error;
use crate::hash::Hash;
use crate::parallel::ONE;

/// Policies by name, compiled. Clones share all of it.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    columns: Arc<Columns>,
    index: Arc<OnceLock<Index>>,
}

impl PartialEq for PolicySet {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.entries().eq(other.entries())
    }
}

impl Eq for PolicySet {}

impl PolicySet {
    /// Compiles plain data, such as the rows of a store.
    ///
    /// # Errors
    ///
    /// `POLICY_COMPILE_ERROR` for conditions, placed in their text; `INVALID_MANIFEST`, without a place, for other
    /// fields and for a name that is used twice. Every bad policy is in it, in the order given.
    pub fn compile(specs: impl IntoIterator<Item = PolicySpec>) -> Result<Self, Error> {
        Self::compile_beside(ONE, specs, &Self::default())
    }

    /// [`PolicySet::compile`] with the same result, by so many threads at most; a policy that is written in `known` just as
    /// in `specs` is shared with it instead of being compiled again. All of those are found if `specs` are in name order, as
    /// a store gives them.
    ///
    /// # Errors
    ///
    /// As for [`PolicySet::compile`].
    pub fn compile_beside(
        threads: NonZero<usize>,
        specs: impl IntoIterator<Item = PolicySpec>,
        known: &Self,
    ) -> Result<Self, Error> {
        let mut rows = Beside::new(known);
        for spec in specs {
            if !rows.share(&PolicyRow::of(&spec)) {
                rows.push_spec(spec);
            }
        }
        rows.compile(threads)
    }

    /// The set of policies of which no two share a name.
    pub(crate) fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable_by(|a, b| a.policy.name().cmp(b.policy.name()));
        Self::in_order(entries)
    }

    /// The set of policies that are in name order, and of which no two share a name.
    pub(crate) fn in_order(entries: impl IntoIterator<Item = Entry>) -> Self {
        let cells = |entry: Entry| (entry.policy, entry.digest, entry.governed);
        let (policies, digests, governed) = entries.into_iter().map(cells).collect();
        let mut columns = Columns {
            policies,
            digests,
            governed,
        };
        columns.policies.shrink_to_fit();
        columns.digests.shrink_to_fit();
        columns.governed.shrink_to_fit();
        Self {
            columns: Arc::new(columns),
            index: Arc::default(),
        }
    }

    /// The policies in name order, with what lies beside them.
    pub(crate) fn entries(&self) -> impl Iterator<Item = EntryRef<'_>> {
        let rows = self.iter().zip(&self.columns.digests).zip(self.governed());
        rows.map(|((policy, digest), governed)| EntryRef {
            policy,
            digest,
            governed,
        })
    }

    /// The policy of that place in name order, with what lies beside it.
    pub(crate) fn entry(&self, at: usize) -> Option<EntryRef<'_>> {
        Some(EntryRef {
            policy: self.columns.policies.get(at)?,
            digest: self.columns.digests.get(at)?,
            governed: self.columns.governed.get(at)?,
        })
    }

    /// What the policies govern, in name order.
    pub(crate) fn governed(&self) -> &[Governed] {
        &self.columns.governed
    }

    /// The policy of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Policy>> {
        let policies = &self.columns.policies;
        let at = policies.binary_search_by(|policy| policy.name().cmp(name));
        policies.get(at.ok()?)
    }

    /// The policies in name order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.columns.policies.iter()
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.columns.policies.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.columns.policies.is_empty()
    }

    /// The policies by action type, made at first use.
    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(self.iter()))
    }
}

/// Policies, and beside them what a plan asks of most policies: a look at each, wherever it lies in memory, would take longer
/// than all else. Lists of their own, since a plan that asks for one thing of all policies waits for memory alone.
// INVARIANT: equally long, and in name order, each name once.
#[derive(Debug, Default)]
struct Columns {
    policies: Vec<Arc<Policy>>,
    digests: Vec<Hash>,
    governed: Vec<Governed>,
}

/// A policy that is to be one of a set.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) policy: Arc<Policy>,
    digest: Hash,
    governed: Governed,
}

impl Entry {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            digest: policy.written_digest(),
            governed: Governed {
                action_type: TypeDigest::of(&lower_case(policy.action_type())),
                approval_required: policy.approval_required(),
            },
            policy: Arc::new(policy),
        }
    }
}

/// A policy of a set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryRef<'s> {
    pub(crate) policy: &'s Arc<Policy>,
    /// Of all that is written in it.
    pub(crate) digest: &'s Hash,
    pub(crate) governed: &'s Governed,
}

impl EntryRef<'_> {
    pub(crate) fn cloned(self) -> Entry {
        Entry {
            policy: Arc::clone(self.policy),
            digest: *self.digest,
            governed: *self.governed,
        }
    }
}

impl PartialEq for EntryRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest || self.policy == other.policy
    }
}

impl Eq for EntryRef<'_> {}

/// What a policy governs, and whether it asks for approval there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Governed {
    /// The case of letters aside.
    pub(crate) action_type: TypeDigest,
    pub(crate) approval_required: bool,
}
