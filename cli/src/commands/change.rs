//! What the commands share that plan a change of a workspace and make it, or only show it.

use clap::Args;
use lattice_core::view::KeyKind;
use lattice_core::{Error, Guard};
use lattice_workspace::{Key, Planned, Reader, Store, import_signed};

use super::preview::Preview;
use crate::args::{GuardArgs, KeyArgs};
use crate::evidence::{Anchor, PinArgs};
use crate::session::{Outcome, Session};

/// A change of a workspace, or a look at it.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Show the changed fields of each policy, old → new
    #[arg(long)]
    diff: bool,
    /// Refuse a key of any other workspace
    #[arg(long, value_name = "NAME")]
    expect_workspace: Option<String>,
    /// With --dry-run: exit with 2 if something would change
    #[arg(long, requires = "dry_run")]
    detailed_exitcode: bool,
    #[command(flatten)]
    guard: GuardArgs,
    #[command(flatten)]
    pin: PinArgs,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

impl ChangeArgs {
    /// Opens the workspace, plans by `plan`, and then shows the plan or imports it.
    pub(crate) fn run<'s, 'io>(
        self,
        session: &mut Session<'s, 'io>,
        plan: impl FnOnce(&Reader, Guard, &mut Session<'s, 'io>) -> Result<Planned, Error>,
    ) -> Outcome {
        let guard = self.guard.guard(session.io)?;
        let anchor = self.pin.read(session)?;
        let (key, opened) = self.key.open(session)?;
        let expect = self.expect_workspace.as_deref();
        let reader = if self.dry_run {
            Reader::open(&*opened.store, &key, KeyKind::Service, expect)?
        } else {
            Reader::open_to_import(&*opened.store, &key, expect)?
        };
        session.note_workspace(&reader.workspace(), &opened.location);
        let proven = anchor.prove(&reader, session)?;
        let planned = plan(&reader, guard, session)?.extending(proven);
        // Before the write: an older store is locked until then, and the writer closes the store last and leaves one
        // file behind.
        drop(reader);
        if self.dry_run {
            let preview = Preview::dry_run(&planned);
            preview.show(self.diff, self.detailed_exitcode, session)
        } else {
            commit(&planned, &key, &*opened.store, &anchor, self.diff, session)
        }
    }
}

/// Imports what was planned, keeps its checkpoint, and shows what came of it.
pub(crate) fn commit(
    planned: &Planned,
    key: &Key,
    store: &dyn Store,
    anchor: &Anchor,
    fields: bool,
    session: &mut Session<'_, '_>,
) -> Outcome {
    session.step("writing");
    let ambient = session.ambient()?;
    let imported = import_signed(store, key, planned, anchor.signer.as_ref(), &ambient);
    let checkpoint = imported.as_ref().map(|imported| &imported.checkpoint);
    let unkept = checkpoint.map(|checkpoint| anchor.keep(checkpoint, session.io));
    let unkept = unkept.ok().and_then(Result::err);
    let done = Preview::applied(planned, imported)?.show(fields, false, session)?;
    Ok(session.despite(unkept, done))
}
