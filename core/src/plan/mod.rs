//! Plans: the name-keyed difference between a workspace and a manifest, and what an import will do.

mod drift;
mod level;

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::action_type::TypeDigest;
use crate::audit::Names;
use crate::decode::list;
use crate::diff;
use crate::hash::Hash;
use crate::policy::{EntryRef, Policy, PolicySet, State};
use crate::view::{Change, ChangeAction, Mode, Summary};
use level::{Level, Levels, Type};

/// As many as most notes have.
const NOTE_BYTES: usize = 160;

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

/// What happens to one policy. Which one that is follows from the outcomes in front of it.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    action: ChangeAction,
    reactivated: bool,
}

impl Outcome {
    /// Whether anything is written.
    fn writes(self) -> bool {
        match self.action {
            ChangeAction::Add | ChangeAction::Modify | ChangeAction::Deactivate => true,
            ChangeAction::Unchanged | ChangeAction::Untouched => false,
        }
    }
}

/// What happens to one policy, beside what it is in the two sets.
#[derive(Debug, Clone, Copy)]
struct Step<'p> {
    outcome: Outcome,
    before: Option<EntryRef<'p>>,
    after: Option<EntryRef<'p>>,
}

impl<'p> Step<'p> {
    fn name(self) -> &'p str {
        let entry = self.after.or(self.before);
        entry.map_or("", |entry| entry.policy.name())
    }

    fn is(self, action: ChangeAction) -> bool {
        self.outcome.action == action
    }

    /// Whether it can change the level that decides about an action type, or who asks for approval there.
    fn moves_levels(self) -> bool {
        let differ =
            |(before, after): (EntryRef<'_>, EntryRef<'_>)| before.governed != after.governed;
        match self.outcome.action {
            ChangeAction::Add | ChangeAction::Deactivate => true,
            ChangeAction::Modify => self.before.zip(self.after).is_some_and(differ),
            ChangeAction::Unchanged | ChangeAction::Untouched => false,
        }
    }
}

impl Plan {
    /// Compares a workspace with what a manifest says.
    pub fn new(current: &State, desired: &PolicySet, mode: Mode) -> Self {
        let mut outcomes = Vec::with_capacity(current.active.len().max(desired.len()));
        // How many are written differently, and mean the same.
        let mut laid_out = 0;
        let (mut active, mut wanted) = (0, 0);
        loop {
            let (before, after) = match (current.active.entry(active), desired.entry(wanted)) {
                (None, None) => break,
                (Some(a), Some(b)) if a.digest != b.digest => {
                    match a.policy.name().cmp(b.policy.name()) {
                        Ordering::Less => (Some(a), None),
                        Ordering::Greater => (None, Some(b)),
                        Ordering::Equal => (Some(a), Some(b)),
                    }
                }
                either => either,
            };
            active += usize::from(before.is_some());
            wanted += usize::from(after.is_some());
            let action = match (before, after) {
                (None, _) => ChangeAction::Add,
                (Some(before), Some(after)) if before == after => {
                    let is_laid_out = before.digest != after.digest
                        && before.policy.differs_in_text(after.policy);
                    laid_out += usize::from(is_laid_out);
                    ChangeAction::Unchanged
                }
                (Some(_), Some(_)) => ChangeAction::Modify,
                (Some(_), None) => match mode {
                    Mode::Additive => ChangeAction::Untouched,
                    Mode::Replace => ChangeAction::Deactivate,
                },
            };
            let is_known = |entry: EntryRef<'_>| current.deactivated.contains(entry.policy.name());
            outcomes.push(Outcome {
                action,
                reactivated: action == ChangeAction::Add && after.is_some_and(is_known),
            });
        }
        let mut plan = Self {
            mode,
            active: current.active.clone(),
            desired: desired.clone(),
            outcomes,
            notes: Vec::new(),
        };
        plan.notes = plan.take_notes(laid_out);
        plan
    }

    /// What happens to every policy of both sides, in name order.
    fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let mut active = self.active.entries();
        let mut desired = self.desired.entries();
        self.outcomes.iter().map(move |outcome| {
            let (before, after) = match outcome.action {
                ChangeAction::Add => (None, desired.next()),
                ChangeAction::Modify | ChangeAction::Unchanged => (active.next(), desired.next()),
                ChangeAction::Deactivate | ChangeAction::Untouched => (active.next(), None),
            };
            Step {
                outcome: *outcome,
                before,
                after,
            }
        })
    }

    /// Additive or replace.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The active policies that it was made against.
    pub fn current(&self) -> &PolicySet {
        &self.active
    }

    /// Every policy of both sides with what happens to it, in name order.
    pub fn changes(&self) -> Vec<Change> {
        let changes = self.steps().map(|step| Change {
            name: step.name().to_owned(),
            action: step.outcome.action,
            reactivated: step.outcome.reactivated,
            fields: match (step.outcome.action, step.before, step.after) {
                (ChangeAction::Add, _, Some(after)) => diff::all_fields(after.policy),
                (ChangeAction::Modify, Some(before), Some(after)) => {
                    diff::changed_fields(before.policy, after.policy)
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
        !self.outcomes.iter().any(|outcome| outcome.writes())
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
        written.filter_map(|step| step.after.map(|entry| entry.policy))
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
            .filter(move |step| step.outcome.writes() && !is_new(step));
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
            active: PolicySet::in_order(active.map(EntryRef::cloned)),
            deactivated,
        }
    }

    fn take_notes(&self, laid_out: usize) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.is_empty() {
            let changes: Vec<Step<'_>> = self
                .steps()
                .filter(|step| !step.is(ChangeAction::Unchanged))
                .collect();
            self.level_notes(&changes, &mut notes);
            self.rename_notes(&changes, &mut notes);
        }
        match laid_out {
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
    fn level_notes(&self, changes: &[Step<'_>], notes: &mut Vec<String>) {
        // The last policy that names a type, and whether a level can change by it.
        let mut types: HashMap<TypeDigest, (EntryRef<'_>, bool), RandomState> = HashMap::default();
        for step in changes.iter().filter(|step| step.outcome.writes()) {
            let moves = step.moves_levels();
            for entry in step.before.into_iter().chain(step.after) {
                let of = types.entry(entry.governed.action_type);
                let (last, can_change) = of.or_insert((entry, moves));
                *last = entry;
                *can_change |= moves;
            }
        }
        let types = types.into_values().filter(|(_, can_change)| *can_change);
        let mut types: Vec<_> = types.map(|(last, _)| Type::of(last)).collect();
        types.sort_unstable();
        let levels = Levels::new(&self.active, changes, &types);
        for of in &types {
            let (was, is) = levels.deciding(of);
            let mut note = String::with_capacity(NOTE_BYTES);
            note.push_str(of.written);
            if was != is {
                note.push_str(": decided by ");
                was.describe(&mut note);
                note.push_str(" → ");
                is.describe(&mut note);
                notes.push(note);
                continue;
            }
            // A policy of the type itself changed, so that the one level on both sides is its own.
            if let Some(Level {
                newly, no_longer, ..
            }) = levels.own(of)
                && !(newly.is_empty() && no_longer.is_empty())
            {
                note.push_str(": approval at ");
                is.describe(&mut note);
                note.extend([": newly asked for by ", &names(newly)]);
                note.extend([", no longer by ", &names(no_longer)]);
                notes.push(note);
            }
        }
    }

    /// Policies that go, or stay behind, under one name while an equal one comes under another.
    fn rename_notes(&self, changes: &[Step<'_>], notes: &mut Vec<String>) {
        let mut added: Vec<EntryRef<'_>> = changes
            .iter()
            .filter_map(|step| step.after.filter(|_| step.before.is_none()))
            .collect();
        let mut left: Vec<EntryRef<'_>> = changes
            .iter()
            .filter_map(|step| step.before.filter(|_| step.after.is_none()))
            .collect();
        // Most have no other that is like them even in what is quick to compare.
        let governed = |entry: EntryRef<'_>| *entry.governed;
        let hours = |entry: EntryRef<'_>| (*entry.governed, entry.policy.approval_timeout_hours());
        keep_like(&mut left, &added, governed);
        keep_like(&mut added, &left, governed);
        keep_like(&mut left, &added, hours);
        keep_like(&mut added, &left, hours);
        let mut by_body: HashMap<Hash, Vec<&Policy>, RandomState> = HashMap::default();
        for EntryRef { policy, .. } in left.into_iter().rev() {
            by_body
                .entry(policy.body_digest())
                .or_default()
                .push(policy);
        }
        for EntryRef { policy: new, .. } in added {
            let same = by_body.get_mut(&new.body_digest());
            let Some(old) = same.and_then(Vec::pop) else {
                continue;
            };
            let fate = match self.mode {
                Mode::Replace => "is deactivated",
                Mode::Additive => "stays active beside it",
            };
            notes.push(format!(
                "`{old}` → `{new}` looks like a rename: `{old}` {fate}",
                old = old.name(),
                new = new.name(),
            ));
        }
    }
}

/// Drops the entries that share what `of` tells with none of the others.
fn keep_like<'p, T: Eq + std::hash::Hash>(
    entries: &mut Vec<EntryRef<'p>>,
    others: &[EntryRef<'p>],
    of: impl Fn(EntryRef<'p>) -> T,
) {
    let others: HashSet<T, RandomState> = others.iter().map(|other| of(*other)).collect();
    entries.retain(|entry| others.contains(&of(*entry)));
}

/// Names in words.
fn names(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        names => list(names),
    }
}
