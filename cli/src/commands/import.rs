use std::path::PathBuf;

use clap::Args;
use lattice_core::view::{KeyKind, Mode};
use lattice_workspace::{Reader, import};

use super::preview::Preview;
use super::wanted::Wanted;
use crate::args::{GuardArgs, KeyArgs, OverlayArgs};
use crate::session::{Outcome, Session};

/// Import a manifest into the workspace of the key
///
/// One transaction: everything is written or nothing. Policies that the manifest does not name stay active,
/// unless `--replace` deactivates them; nothing is ever deleted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al import --file policies.yaml --dry-run --diff
  al import --file policies.yaml --expect-workspace staging
  al import --file policies.yaml --overlay production.yaml
  al import --file policies.yaml --dry-run --replace --detailed-exitcode --format markdown")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Import {
    /// The manifest, or a folder of them; `-` is stdin
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    overlay: OverlayArgs,
    /// Show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Deactivate policies that the manifest does not name
    #[arg(long)]
    replace: bool,
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
    key: KeyArgs,
}

impl Import {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let paths = [&self.file].into_iter().chain(&self.overlay.overlays);
        Session::stdin_once(paths.chain(&self.key.service_key_file))?;
        let guard = self.guard.guard(session.io)?;
        let (key, opened) = self.key.open(session)?;
        let expect = self.expect_workspace.as_deref();
        let reader = if self.dry_run {
            Reader::open(&*opened.store, &key, KeyKind::Service, expect)?
        } else {
            Reader::open_to_import(&*opened.store, &key, expect)?
        };
        session.note_workspace(&reader.workspace(), &opened.location);

        let (wanted, _) = Wanted::read(&self.file, &self.overlay, session)?;
        let mode = Mode::replacing(self.replace);
        let planned = wanted.plan(&reader, mode, guard, session)?;
        // Before the write: an older store is locked until then, and the writer closes the store last and leaves one
        // file behind.
        drop(reader);
        let preview = if self.dry_run {
            Preview::dry_run(&planned)
        } else {
            session.step("writing");
            let ambient = session.ambient()?;
            Preview::applied(&planned, import(&*opened.store, &key, &planned, &ambient))?
        };

        wanted.note_breakers(session);
        preview.show(self.diff, self.detailed_exitcode, session)
    }
}
