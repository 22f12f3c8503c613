//! Sets of policies by name.

use std::collections::HashSet;
use std::num::NonZero;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;

use super::draft::{Draft, label};
use super::{Policy, PolicySpec};
use crate::action_type::{TypeDigest, lower_case};
use crate::condition::Cache;
use crate::decision::Index;
use crate::error::{Code, Error};
use crate::findings::{Findings, Nowhere, Sink};
use crate::hash::Hash;
use crate::parallel::{ONE, Piece, batches, in_order};
use crate::source::Span;

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
        let specs = specs.into_iter();
        let mut known = known.entries().iter().peekable();
        let mut names: HashSet<String, RandomState> = HashSet::default();
        names.reserve(specs.size_hint().0);
        let rows = specs.map(|spec| {
            let is_before = |entry: &&Entry| entry.policy.name() < spec.name.as_str();
            while known.next_if(is_before).is_some() {}
            let same = known.next_if(|entry| entry.policy.is_written_as(&spec));
            Row {
                is_new: names.insert(spec.name.clone()),
                same: same.cloned(),
                spec,
            }
        });
        let cache = Cache::default();
        let mut findings = Findings::default();
        let mut entries = Vec::new();
        in_order(
            threads,
            batches(rows),
            |rows| compile(rows, &cache),
            |(compiled, found)| {
                entries.extend(compiled);
                findings.absorb(found);
            },
        );
        match Error::from_diagnostics(findings.in_order_of_report()) {
            Some(error) => Err(error),
            None => Ok(Self::new(entries)),
        }
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

/// A policy to be compiled.
struct Row {
    spec: PolicySpec,
    /// No other before it has its name.
    is_new: bool,
    /// The same, compiled before.
    same: Option<Entry>,
}

impl Piece for Row {
    fn bytes(&self) -> usize {
        if self.same.is_some() {
            return 0;
        }
        let PolicySpec {
            name, conditions, ..
        } = &self.spec;
        // Beside the conditions, the patterns are what may be long.
        let lists = [&self.spec.allowed_repos, &self.spec.allowed_branches];
        let patterns = lists.into_iter().flatten().flatten();
        name.len()
            + conditions.as_ref().map_or(0, String::len)
            + patterns.map(String::len).sum::<usize>()
    }
}

/// Compiles some policies, one after the other.
fn compile(rows: Vec<Row>, cache: &Cache) -> (Vec<Entry>, Findings) {
    let mut findings = Findings::default();
    let mut entries = Vec::with_capacity(rows.len());
    for Row { spec, is_new, same } in rows {
        if let Some(entry) = same
            && is_new
        {
            entries.push(entry);
            continue;
        }
        let label = label(&spec.name);
        let mut sink = Sink {
            code: Code::InvalidManifest,
            policy: Some(label.clone()),
            text: &Nowhere,
            findings: &mut findings,
        };
        if !is_new {
            let message = format!("duplicate policy name `{label}`");
            sink.error_help(Span::default(), message, "rename one of the two");
        }
        let policy = Draft::of(&spec).compile(&label, cache, &mut sink);
        entries.extend(policy.map(Entry::new));
    }
    (entries, findings)
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
