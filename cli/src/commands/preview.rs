//! How the commands that plan show what they planned, or did.

use lattice_core::Error;
use lattice_core::view::{self, ChangeAction};
use lattice_workspace::{Imported, Planned};

use crate::exit::Exit;
use crate::render::{Heading, Page};
use crate::session::{Outcome, Session};

/// What came of a plan: nothing yet, an import, or a refusal by a safety rule.
#[derive(Debug)]
pub(crate) struct Preview<'p> {
    planned: &'p Planned,
    dry_run: bool,
    imported: Option<Imported>,
    refusal: Option<Error>,
}

impl<'p> Preview<'p> {
    /// A plan that is only looked at.
    pub(crate) fn dry_run(planned: &'p Planned) -> Self {
        Self {
            planned,
            dry_run: true,
            imported: None,
            refusal: planned.check(true).err(),
        }
    }

    /// A plan that was to be applied.
    ///
    /// # Errors
    ///
    /// What kept it from being applied, unless that was a safety rule.
    pub(crate) fn applied(
        planned: &'p Planned,
        imported: Result<Imported, Error>,
    ) -> Result<Self, Error> {
        let (imported, refusal) = match imported {
            Ok(imported) => (Some(imported), None),
            Err(error) if error.plan().is_some() => (None, Some(error)),
            Err(error) => return Err(error),
        };
        Ok(Self {
            planned,
            dry_run: false,
            imported,
            refusal,
        })
    }

    /// Whether a safety rule keeps it from being applied.
    pub(crate) fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// The document, with notes beside it. `fields` shows what changes in each policy.
    pub(crate) fn show(
        self,
        fields: bool,
        detailed_exitcode: bool,
        session: &mut Session<'_, '_>,
    ) -> Outcome {
        let plan = self.planned.view(self.dry_run, self.imported.as_ref());
        let name = &self.planned.workspace().name;
        let heading = match (self.dry_run, &self.refusal, self.planned.rollback_to()) {
            (true, _, _) => Heading::DryRun,
            (false, Some(_), _) => Heading::Refused,
            (false, None, None) => Heading::Imported(name),
            (false, None, Some(event)) => Heading::RolledBack(name, Some(event.seq)),
        };
        beside(&plan, session);
        let page = Page {
            plan: &plan,
            heading,
            refusal: self.refusal.as_ref(),
        };
        if let Some(checkpoint) = &plan.checkpoint {
            session.note_checkpoint(checkpoint);
        }
        let done = session.plan(page, fields)?;
        if let Some(refusal) = self.refusal {
            return session.refused(refusal, done);
        }
        let pending = plan.summary.changes() > 0;
        Ok(done.exit(Exit::pending(detailed_exitcode, pending)))
    }
}

/// What stands beside the document of a plan, on stderr.
pub(crate) fn beside(plan: &view::Plan, session: &mut Session<'_, '_>) {
    notes(plan, session);
    untouched(plan, session);
}

/// Notes that are shown to people; a first import has one for every action type.
const NOTES: usize = 50;

/// What a reviewer of a plan should look at twice, on stderr.
pub(crate) fn notes(plan: &view::Plan, session: &mut Session<'_, '_>) {
    for note in plan.notes.iter().take(NOTES) {
        session.note(format_args!("note: {note}"));
    }
    if let Some(more @ 1..) = plan.notes.len().checked_sub(NOTES) {
        session.note(format_args!(
            "note: {more} more; `--format json` has them all"
        ));
    }
}

/// What the manifest does not name, and what `--replace` would do to it.
fn untouched(plan: &view::Plan, session: &mut Session<'_, '_>) {
    if plan.summary.untouched == 0 {
        return;
    }
    let (stay, them) = match plan.summary.untouched {
        1 => ("1 policy stays active".to_owned(), "it"),
        number => (format!("{number} policies stay active"), "them"),
    };
    session.note(format_args!(
        "{stay} that the manifest does not name; `--replace` would deactivate {them}:"
    ));
    for change in &plan.changes {
        if change.action == ChangeAction::Untouched {
            session.note(format_args!("  {}", change.name));
        }
    }
}
