//! Plans: the name-keyed difference between a workspace and a manifest, and what an import will do.

mod level;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::audit::Names;
use crate::decode::list;
use crate::diff;
use crate::policy::{Entry, Policy, PolicySet, State};
use crate::view::{Change, ChangeAction, Mode, Summary};
use level::{Levels, lower_case};

/// What an import will do to a workspace.
///
/// A plan is plain data: `plan(a, a)` is empty, applying a replace gives the manifest, and an additive plan
/// never deactivates.
///
/// ```
/// use lattice_core::{Manifest, Mode, Plan, State};
///
/// let manifest = Manifest::parse(
///     b"manifest_version: '1.0'
/// policies:
///   - name: audit-all-writes
///     action_type: db.write
///     approval_required: false
///     allowed_repos: null
///     allowed_branches: null
///     conditions: null
/// ",
/// )?;
/// let empty = State::default();
/// let plan = Plan::new(&empty, manifest.policies(), Mode::Replace);
/// assert_eq!(plan.summary().added, 1);
/// assert_eq!(&plan.apply(&empty).active, manifest.policies());
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    mode: Mode,
    active: PolicySet,
    desired: PolicySet,
    // INVARIANT: in name order, each name once.
    outcomes: Vec<Outcome>,
    notes: Vec<String>,
}

/// What happens to one policy, and where it stands in the two sets.
#[derive(Debug, Clone)]
struct Outcome {
    action: ChangeAction,
    reactivated: bool,
    /// The conditions are written differently, and mean the same.
    layout: bool,
    before: Option<usize>,
    after: Option<usize>,
}

/// What happens to one policy.
#[derive(Debug, Clone, Copy)]
struct Step<'p> {
    outcome: &'p Outcome,
    before: Option<&'p Entry>,
    after: Option<&'p Entry>,
}

impl<'p> Step<'p> {
    fn name(self) -> &'p str {
        let entry = self.after.or(self.before);
        entry.map_or("", |entry| entry.policy.name())
    }

    fn is(self, action: ChangeAction) -> bool {
        self.outcome.action == action
    }

    /// Whether anything is written.
    fn writes(self) -> bool {
        match self.outcome.action {
            ChangeAction::Add | ChangeAction::Modify | ChangeAction::Deactivate => true,
            ChangeAction::Unchanged | ChangeAction::Untouched => false,
        }
    }

    /// Whether it can change the level that decides about an action type, or who asks for approval there.
    fn moves_levels(self) -> bool {
        let (Some(before), Some(after)) = (self.before, self.after) else {
            return true;
        };
        let (before, after) = (&before.policy, &after.policy);
        before.approval_required() != after.approval_required()
            || !before
                .action_type()
                .eq_ignore_ascii_case(after.action_type())
    }
}

impl Plan {
    /// Compares a workspace with what a manifest says.
    pub fn new(current: &State, desired: &PolicySet, mode: Mode) -> Self {
        let mut outcomes = Vec::with_capacity(current.active.len().max(desired.len()));
        let mut active = current.active.entries().iter().enumerate().peekable();
        let mut wanted = desired.entries().iter().enumerate().peekable();
        loop {
            let (before, after) = match (active.peek(), wanted.peek()) {
                (None, None) => break,
                (Some(_), None) => (active.next(), None),
                (None, Some(_)) => (None, wanted.next()),
                (Some((_, a)), Some((_, b))) if a.digest == b.digest => {
                    (active.next(), wanted.next())
                }
                (Some((_, a)), Some((_, b))) => match a.policy.name().cmp(b.policy.name()) {
                    Ordering::Less => (active.next(), None),
                    Ordering::Greater => (None, wanted.next()),
                    Ordering::Equal => (active.next(), wanted.next()),
                },
            };
            let mut layout = false;
            let action = match (before, after) {
                (None, _) => ChangeAction::Add,
                (Some((_, before)), Some((_, after))) if before == after => {
                    layout = before.digest != after.digest
                        && before.policy.differs_in_text(&after.policy);
                    ChangeAction::Unchanged
                }
                (Some(_), Some(_)) => ChangeAction::Modify,
                (Some(_), None) => match mode {
                    Mode::Additive => ChangeAction::Untouched,
                    Mode::Replace => ChangeAction::Deactivate,
                },
            };
            let reactivated = action == ChangeAction::Add
                && after
                    .is_some_and(|(_, entry)| current.deactivated.contains(entry.policy.name()));
            outcomes.push(Outcome {
                action,
                reactivated,
                layout,
                before: before.map(|(at, _)| at),
                after: after.map(|(at, _)| at),
            });
        }
        let mut plan = Self {
            mode,
            active: current.active.clone(),
            desired: desired.clone(),
            outcomes,
            notes: Vec::new(),
        };
        plan.notes = plan.take_notes();
        plan
    }

    /// What happens to every policy of both sides, in name order.
    fn steps(&self) -> impl DoubleEndedIterator<Item = Step<'_>> {
        let (active, desired) = (self.active.entries(), self.desired.entries());
        self.outcomes.iter().map(move |outcome| Step {
            outcome,
            before: outcome.before.and_then(|at| active.get(at)),
            after: outcome.after.and_then(|at| desired.get(at)),
        })
    }

    /// Additive or replace.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Every policy of both sides with what happens to it, in name order.
    pub fn changes(&self) -> Vec<Change> {
        let changes = self.steps().map(|step| Change {
            name: step.name().to_owned(),
            action: step.outcome.action,
            reactivated: step.outcome.reactivated,
            fields: match (step.outcome.action, step.before, step.after) {
                (ChangeAction::Add, _, Some(after)) => diff::all_fields(&after.policy),
                (ChangeAction::Modify, Some(before), Some(after)) => {
                    diff::changed_fields(&before.policy, &after.policy)
                }
                // What goes, or stays as it is, has no fields to show.
                (_, _, _) => Vec::new(),
            },
        });
        changes.collect()
    }

    /// How many policies each action concerns.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for outcome in &self.outcomes {
            *match outcome.action {
                ChangeAction::Add => &mut summary.added,
                ChangeAction::Modify => &mut summary.modified,
                ChangeAction::Deactivate => &mut summary.deactivated,
                ChangeAction::Unchanged => &mut summary.unchanged,
                ChangeAction::Untouched => &mut summary.untouched,
            } += 1;
        }
        summary
    }

    /// What a reviewer should look at twice: action types that change their deciding level, likely renames.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        !self.steps().any(Step::writes)
    }

    /// The names that change, as the audit log records them.
    pub fn names(&self) -> Names {
        let named = |action: ChangeAction| {
            let steps = self.steps().filter(move |step| step.is(action));
            steps.map(|step| step.name().to_owned()).collect()
        };
        Names {
            added: named(ChangeAction::Add),
            deactivated: named(ChangeAction::Deactivate),
            modified: named(ChangeAction::Modify),
        }
    }

    /// The policies to write: those added and those modified, in name order.
    pub fn writes(&self) -> impl Iterator<Item = &Arc<Policy>> {
        let written = self
            .steps()
            .filter(|step| step.is(ChangeAction::Add) || step.is(ChangeAction::Modify));
        written.filter_map(|step| step.after.map(|entry| &entry.policy))
    }

    /// The names of the policies to switch off, in order.
    pub fn deactivations(&self) -> impl Iterator<Item = &str> {
        let off = self
            .steps()
            .filter(|step| step.is(ChangeAction::Deactivate));
        off.map(Step::name)
    }

    /// The names of the policies that are there already and get another version, in order: those modified, switched
    /// off, or brought back.
    pub fn replaced(&self) -> impl Iterator<Item = &str> {
        let is_new = |step: &Step<'_>| step.is(ChangeAction::Add) && !step.outcome.reactivated;
        let replaced = self
            .steps()
            .filter(move |step| step.writes() && !is_new(step));
        replaced.map(Step::name)
    }

    /// The state after the plan, given the state it was made against.
    #[must_use]
    pub fn apply(&self, current: &State) -> State {
        let mut deactivated = current.deactivated.clone();
        for policy in self.writes() {
            deactivated.remove(policy.name());
        }
        deactivated.extend(self.deactivations().map(str::to_owned));
        let active = self.steps().filter_map(|step| match step.outcome.action {
            ChangeAction::Add | ChangeAction::Modify => step.after,
            ChangeAction::Unchanged | ChangeAction::Untouched => step.before,
            ChangeAction::Deactivate => None,
        });
        State {
            active: PolicySet::in_order(active.cloned().collect()),
            deactivated,
        }
    }

    fn take_notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.is_empty() {
            self.level_notes(&mut notes);
            self.rename_notes(&mut notes);
        }
        match self
            .outcomes
            .iter()
            .filter(|outcome| outcome.layout)
            .count()
        {
            0 => {}
            1 => notes.push(
                "1 unchanged policy differs in layout only; its stored text stays".to_owned(),
            ),
            n => notes.push(format!(
                "{n} unchanged policies differ in layout only; their stored text stays"
            )),
        }
        notes
    }

    /// Action types whose deciding level, or whose approvals at that level, change.
    ///
    /// Only the types that changed policies name can be among them: where a level keeps its policies, whatever
    /// it decided it still decides.
    fn level_notes(&self, notes: &mut Vec<String>) {
        // How a type is written, and whether a level can change by it.
        let mut types: HashMap<Cow<'_, str>, (&str, bool), RandomState> = HashMap::default();
        for step in self.steps().filter(|step| step.writes()) {
            for Entry { policy, .. } in step.before.into_iter().chain(step.after) {
                let key = lower_case(policy.action_type());
                let (written, moves) = types.entry(key).or_default();
                *written = policy.action_type();
                *moves |= step.moves_levels();
            }
        }
        types.retain(|_, (_, moves)| *moves);
        let mut types: Vec<_> = types.into_iter().collect();
        types.sort_unstable();
        let levels = Levels::new(self, types.iter().map(|(key, _)| &**key));
        for (key, (written, _)) in types {
            let was = levels.active(&key);
            let is = match self.mode {
                Mode::Replace => levels.desired(&key),
                Mode::Additive => levels.together(&key),
            };
            if was.differs_from(is) {
                notes.push(format!("{written}: decided by {was} → {is}"));
            } else if was.asking != is.asking {
                notes.push(format!(
                    "{written}: approval at {is}: newly asked for by {}, no longer by {}",
                    without(&is.asking, &was.asking),
                    without(&was.asking, &is.asking),
                ));
            }
        }
    }

    /// Policies that go, or stay behind, under one name while an equal one comes under another.
    fn rename_notes(&self, notes: &mut Vec<String>) {
        let added: Vec<&Policy> = self
            .steps()
            .filter(|step| step.is(ChangeAction::Add))
            .filter_map(|step| step.after.map(|entry| &*entry.policy))
            .collect();
        if added.is_empty() || self.steps().all(|step| step.after.is_some()) {
            return;
        }
        let types: HashSet<&str> = added.iter().map(|p| p.action_type()).collect();
        let mut left: HashMap<_, Vec<Step<'_>>> = HashMap::new();
        for step in self.steps().rev() {
            if step.after.is_none()
                && let Some(Entry { policy, .. }) = step.before
                && types.contains(policy.action_type())
            {
                left.entry(policy.body_digest()).or_default().push(step);
            }
        }
        for policy in added {
            let Some(step) = left.get_mut(&policy.body_digest()).and_then(Vec::pop) else {
                continue;
            };
            let fate = match self.mode {
                Mode::Replace => "is deactivated",
                Mode::Additive => "stays active beside it",
            };
            notes.push(format!(
                "`{old}` → `{new}` looks like a rename: `{old}` {fate}",
                old = step.name(),
                new = policy.name(),
            ));
        }
    }
}

/// The names that are not among others, in words. Both are in order.
fn without(names: &[&str], others: &[&str]) -> String {
    let is_other = |name: &&&str| others.binary_search(name).is_ok();
    let rest: Vec<&str> = names
        .iter()
        .filter(|name| !is_other(name))
        .copied()
        .collect();
    match rest.as_slice() {
        [] => "none".to_owned(),
        rest => list(rest),
    }
}
