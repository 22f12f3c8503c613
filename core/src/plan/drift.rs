//! Drift: which of two sides, a workspace and a manifest, moved away from the state that they shared.

use super::Plan;
use crate::policy::{EntryRef, Policy, PolicySet};
use crate::view::Drift;

impl Plan {
    /// Which side made each change of this plan necessary, seen from `base`: a state that both sides were in, or could have
    /// been in, which the audit event `since` left.
    ///
    /// Policies are compared by meaning, and one that is absent from a side was removed there. A plan without changes has no
    /// drift: what both sides changed alike is no difference between them. Where the event was an additive import (`whole`
    /// is false), the manifest may never have had a policy that it does not have now: only the workspace can have
    /// changed that.
    ///
    /// ```
    /// use lattice_core::{Manifest, Mode, Plan, State};
    ///
    /// let manifest = |policies: &str| Manifest::parse(format!("manifest_version: '1.0'\npolicies: {policies}").as_bytes());
    /// let policy = |name: &str, approval| format!(
    ///     "{{name: {name}, action_type: db.write, approval_required: {approval}, allowed_repos: null, \
    ///       allowed_branches: null, conditions: null}}"
    /// );
    /// let base = manifest(&format!("[{}, {}]", policy("a", true), policy("b", true)))?;
    /// let workspace = manifest(&format!("[{}, {}]", policy("a", false), policy("b", true)))?;
    /// let reviewed = manifest(&format!("[{}]", policy("a", true)))?;
    ///
    /// let current = State { active: workspace.policies().clone(), ..State::default() };
    /// let plan = Plan::new(&current, reviewed.policies(), Mode::Replace);
    /// let drift = plan.drift(7, true, base.policies());
    /// // Somebody changed `a` in the workspace, and the manifest no longer has `b`.
    /// assert_eq!((drift.since, drift.workspace, drift.manifest), (7, vec!["a".to_owned()], vec!["b".to_owned()]));
    /// # Ok::<(), lattice_core::Error>(())
    /// ```
    pub fn drift(&self, since: u64, whole: bool, base: &PolicySet) -> Drift {
        let mut drift = Drift {
            since,
            workspace: Vec::new(),
            manifest: Vec::new(),
            both: Vec::new(),
        };
        for step in self.steps().filter(|step| step.outcome.writes()) {
            let base = base.get(step.name()).map(AsRef::as_ref);
            let (before, after) = (policy(step.before), policy(step.after));
            let as_it_was = base == after || (after.is_none() && !whole);
            let moved = match (base == before, as_it_was) {
                (true, true) => continue,
                (true, false) => &mut drift.manifest,
                (false, true) => &mut drift.workspace,
                (false, false) => &mut drift.both,
            };
            moved.push(step.name().to_owned());
        }
        drift
    }
}

fn policy(entry: Option<EntryRef<'_>>) -> Option<&Policy> {
    entry.map(|entry| entry.policy.as_ref())
}
