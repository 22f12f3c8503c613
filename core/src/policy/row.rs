//! Policies as they are written, wherever that is, and the digest that tells whether two are written alike.

use std::borrow::Cow;

use super::{AllowList, Policy, PolicySpec};
use crate::condition::Conditions;
use crate::hash::{Hash, sha256};

/// The fields of a policy as they are written in a place that lasts as long as `'a`, such as a row of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow<'a> {
    /// Its identity across environments.
    pub name: &'a str,
    /// An action type, `TYPE.*` or `*`.
    pub action_type: &'a str,
    /// Whether a human must approve.
    pub approval_required: bool,
    /// Hours until an approval expires.
    pub approval_timeout_hours: u16,
    /// Globs of repositories; `None` for any.
    pub allowed_repos: Option<Vec<Cow<'a, str>>>,
    /// Globs of branches; `None` for any.
    pub allowed_branches: Option<Vec<Cow<'a, str>>>,
    /// The conditions document; `None` for none.
    pub conditions: Option<&'a str>,
}

impl<'a> PolicyRow<'a> {
    /// Plain data where it is.
    pub fn of(spec: &'a PolicySpec) -> Self {
        let texts = |list: &'a Option<Vec<String>>| {
            let list = list.as_ref()?;
            Some(list.iter().map(|text| text.as_str().into()).collect())
        };
        Self {
            name: &spec.name,
            action_type: &spec.action_type,
            approval_required: spec.approval_required,
            approval_timeout_hours: spec.approval_timeout_hours,
            allowed_repos: texts(&spec.allowed_repos),
            allowed_branches: texts(&spec.allowed_branches),
            conditions: spec.conditions.as_deref(),
        }
    }

    /// A copy as plain data.
    pub(super) fn to_spec(&self) -> PolicySpec {
        let texts = |list: &Option<Vec<Cow<'_, str>>>| {
            let list = list.as_ref()?;
            Some(list.iter().map(|text| text.clone().into_owned()).collect())
        };
        PolicySpec {
            name: self.name.to_owned(),
            action_type: self.action_type.to_owned(),
            approval_required: self.approval_required,
            approval_timeout_hours: self.approval_timeout_hours,
            allowed_repos: texts(&self.allowed_repos),
            allowed_branches: texts(&self.allowed_branches),
            conditions: self.conditions.map(str::to_owned),
        }
    }

    /// [`Policy::written_digest`] of the policy that is written so.
    pub(super) fn digest(&self) -> Hash {
        // Every text and list is told apart from what follows it by its length; none is as long as `NONE`.
        const NONE: usize = usize::MAX;
        let lists = [&self.allowed_repos, &self.allowed_branches];
        // A hash takes one long text faster than many short ones.
        let mut bytes = Vec::with_capacity(512);
        let mut text = |text: &str| {
            bytes.extend_from_slice(&text.len().to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        };
        text(self.name);
        text(self.action_type);
        text(self.conditions.unwrap_or_default());
        for pattern in lists.into_iter().flatten().flatten() {
            text(pattern);
        }
        let lens = lists.map(|list| list.as_ref().map_or(NONE, Vec::len));
        for len in lens
            .into_iter()
            .chain([self.conditions.map_or(NONE, str::len)])
        {
            bytes.extend_from_slice(&len.to_le_bytes());
        }
        bytes.extend_from_slice(&self.approval_timeout_hours.to_le_bytes());
        bytes.push(self.approval_required.into());
        sha256(&bytes)
    }
}

impl Policy {
    /// A digest of every field, conditions by their text: two policies that share it are equal, down to the layout of
    /// their conditions. Two that do not may still mean the same.
    pub(crate) fn written_digest(&self) -> Hash {
        fn texts(list: &AllowList) -> Vec<Cow<'_, str>> {
            list.texts().map(Cow::Borrowed).collect()
        }
        let row = PolicyRow {
            name: self.name(),
            action_type: self.action_type(),
            approval_required: self.approval_required(),
            approval_timeout_hours: self.approval_timeout_hours(),
            allowed_repos: self.allowed_repos().map(texts),
            allowed_branches: self.allowed_branches().map(texts),
            conditions: self.conditions().map(Conditions::text),
        };
        row.digest()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::policy::PolicySet;

    type Edit = fn(&mut PolicyRow<'_>);

    #[test]
    fn a_digest_is_that_of_the_policy_and_of_nothing_written_differently() {
        let row = PolicyRow {
            name: "a",
            action_type: "b",
            approval_required: true,
            approval_timeout_hours: 8,
            allowed_repos: None,
            allowed_branches: Some(vec!["c".into(), "d".into()]),
            conditions: None,
        };
        let set = PolicySet::compile([row.to_spec()]).unwrap();
        let policy = set.get("a").unwrap();
        assert_eq!(policy.written_digest(), row.digest());
        assert_eq!(PolicyRow::of(&policy.spec()), row);

        let edits: [Edit; 11] = [
            |row| row.name = "A",
            |row| (row.name, row.action_type) = ("ab", ""),
            |row| row.approval_required = false,
            |row| row.approval_timeout_hours = 9,
            |row| row.allowed_repos = Some(vec![]),
            |row| row.allowed_repos = row.allowed_branches.take(),
            |row| row.allowed_branches = Some(vec!["c".into()]),
            |row| row.allowed_branches = Some(vec!["cd".into()]),
            |row| row.allowed_branches = Some(vec!["d".into(), "c".into()]),
            |row| row.conditions = Some(""),
            |row| row.conditions = Some("logic: all"),
        ];
        let mut digests = HashSet::from([row.digest()]);
        for (at, edit) in edits.iter().enumerate() {
            let mut edited = row.clone();
            edit(&mut edited);
            assert!(digests.insert(edited.digest()), "{at}: {edited:?}");
        }
    }
}
