//! The state digest, which equal policies and only they share.

use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::condition::{Canonical, Conditions, Group};
use crate::hash::{Hash, sha256};
use crate::policy::{AllowList, Policy, PolicySet};

/// Separates state digests from every other use of SHA-256.
const DOMAIN: &[u8] = b"al.state/v1\n";

// INVARIANT: fields stand in alphabetical order and hold no floats, so that plain JSON is RFC 8785 canonical.
#[derive(Serialize)]
struct Body<'a> {
    action_type: &'a str,
    allowed_branches: Option<Vec<&'a str>>,
    allowed_repos: Option<Vec<&'a str>>,
    approval_required: bool,
    approval_timeout_hours: u16,
    conditions: Option<Canonical<'a, Group>>,
    name: &'a str,
}

impl<'a> Body<'a> {
    fn new(policy: &'a Policy, name: &'a str) -> Self {
        let texts = |list: Option<&'a AllowList>| list.map(|list| list.texts().collect());
        Self {
            action_type: policy.action_type(),
            allowed_branches: texts(policy.allowed_branches()),
            allowed_repos: texts(policy.allowed_repos()),
            approval_required: policy.approval_required(),
            approval_timeout_hours: policy.approval_timeout_hours(),
            conditions: policy.conditions().map(Conditions::canonical),
            name,
        }
    }
}

/// Writes the body to `json`, in place of what was there: a hash takes one long text faster than many short ones.
fn write(json: &mut Vec<u8>, body: &Body<'_>) {
    json.clear();
    // INVARIANT: a vector takes every byte and the keys are strings, so writing cannot fail.
    let written = serde_json::to_writer(json, body);
    debug_assert!(written.is_ok(), "{written:?}");
}

impl PolicySet {
    /// SHA-256 over the canonical form of the policies.
    ///
    /// ```
    /// use lattice_core::{Manifest, hash};
    ///
    /// let empty = Manifest::parse(b"manifest_version: '1.0'\npolicies: []\n")?;
    /// assert_eq!(empty.policies().digest(), hash::sha256(b"al.state/v1\n[]"));
    /// # Ok::<(), lattice_core::Error>(())
    /// ```
    pub fn digest(&self) -> Hash {
        let mut state = StateHash::new();
        let mut json = Vec::new();
        for policy in self.iter() {
            write(&mut json, &Body::new(policy, policy.name()));
            state.add(&json);
        }
        state.finish()
    }

    /// The digests of two sets; what the two share is written once for both.
    pub fn digests(&self, other: &Self) -> (Hash, Hash) {
        let (mut first, mut second) = (StateHash::new(), StateHash::new());
        let mut json = Vec::new();
        let (mut ours, mut theirs) = (self.iter().peekable(), other.iter().peekable());
        loop {
            let (ours, theirs) = match (ours.peek(), theirs.peek()) {
                (None, None) => return (first.finish(), second.finish()),
                (Some(a), Some(b)) if Arc::ptr_eq(a, b) => (ours.next(), theirs.next()),
                (Some(a), Some(b)) if a.name() > b.name() => (None, theirs.next()),
                (None, Some(_)) => (None, theirs.next()),
                (Some(_), _) => (ours.next(), None),
            };
            if let Some(policy) = ours.or(theirs) {
                write(&mut json, &Body::new(policy, policy.name()));
            }
            if ours.is_some() {
                first.add(&json);
            }
            if theirs.is_some() {
                second.add(&json);
            }
        }
    }
}

/// A state digest in the making.
struct StateHash {
    hash: Sha256,
    is_empty: bool,
}

impl StateHash {
    fn new() -> Self {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update(b"[");
        Self {
            hash,
            is_empty: true,
        }
    }

    /// Adds the next policy in name order.
    fn add(&mut self, json: &[u8]) {
        if !self.is_empty {
            self.hash.update(b",");
        }
        self.is_empty = false;
        self.hash.update(json);
    }

    fn finish(mut self) -> Hash {
        self.hash.update(b"]");
        self.hash.finalize().into()
    }
}

impl Policy {
    /// A digest of all but the name, for finding policies that only changed theirs.
    pub(crate) fn body_digest(&self) -> Hash {
        let mut json = Vec::new();
        write(&mut json, &Body::new(self, ""));
        sha256(&json)
    }
}
