//! Sets of policies by name.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::draft::{Draft, label};
use super::{Policy, PolicySpec};
use crate::condition::Cache;
use crate::decision::Index;
use crate::error::{Code, Error};
use crate::findings::{Findings, Nowhere, Sink};
use crate::source::Span;

/// Policies by name, compiled. Clones share the policies.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    // INVARIANT: in name order, each name once.
    policies: Arc<[Arc<Policy>]>,
    index: OnceLock<Arc<Index>>,
}

impl PartialEq for PolicySet {
    fn eq(&self, other: &Self) -> bool {
        self.policies == other.policies
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
        let mut cache = Cache::default();
        let mut findings = Findings::default();
        let mut policies = Vec::new();
        let mut names = BTreeSet::new();
        for spec in specs {
            let label = label(&spec.name);
            let mut sink = Sink {
                code: Code::InvalidManifest,
                policy: Some(label.clone()),
                text: &Nowhere,
                findings: &mut findings,
            };
            if names.contains(&spec.name) {
                let message = format!("duplicate policy name `{label}`");
                sink.error_help(Span::default(), message, "rename one of the two");
            }
            policies.extend(Draft::of(&spec).compile(&label, &mut cache, &mut sink));
            names.insert(spec.name);
        }
        match Error::from_diagnostics(findings.in_order_of_report()) {
            Some(error) => Err(error),
            None => Ok(Self::new(policies.into_iter().map(Arc::new).collect())),
        }
    }

    /// The set of policies of which no two share a name.
    pub(crate) fn new(mut policies: Vec<Arc<Policy>>) -> Self {
        policies.sort_by(|a, b| a.name().cmp(b.name()));
        Self {
            policies: policies.into(),
            index: OnceLock::new(),
        }
    }

    /// The policy of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Policy>> {
        let found = self.policies.binary_search_by(|p| p.name().cmp(name));
        found.ok().and_then(|at| self.policies.get(at))
    }

    /// The policies in name order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.policies.iter()
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.policies.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// The policies by action type, made at first use.
    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| Arc::new(Index::new(self.iter())))
    }
}
