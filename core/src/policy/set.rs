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
    // INVARIANT: in name order, each name once.
    entries: Arc<Vec<Entry>>,
    index: Arc<OnceLock<Index>>,
}

impl PartialEq for PolicySet {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
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
    pub(crate) fn in_order(mut entries: Vec<Entry>) -> Self {
        entries.shrink_to_fit();
        Self {
            // Not a slice, for which all of them would be moved.
            entries: Arc::new(entries),
            index: Arc::default(),
        }
    }

    /// The policies in name order, with their digests.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The policy of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Policy>> {
        let by_name = |entry: &Entry| entry.policy.name().cmp(name);
        let at = self.entries.binary_search_by(by_name).ok()?;
        self.entries.get(at).map(|entry| &entry.policy)
    }

    /// The policies in name order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.entries.iter().map(|entry| &entry.policy)
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The policies by action type, made at first use.
    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(self.iter()))
    }
}

/// A policy, and beside it what a plan asks of most policies: a look at each, wherever it lies in
/// memory, would take longer than all else.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) policy: Arc<Policy>,
    /// Of all that is written in it.
    pub(crate) digest: Hash,
    /// Of what it governs, the case of letters aside.
    pub(crate) action_type: TypeDigest,
    pub(crate) approval_required: bool,
}

impl Entry {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            digest: policy.written_digest(),
            action_type: TypeDigest::of(&lower_case(policy.action_type())),
            approval_required: policy.approval_required(),
            policy: Arc::new(policy),
        }
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest || self.policy == other.policy
    }
}

impl Eq for Entry {}
