use std::path::{Path, PathBuf};

use clap::Args;
use lattice_core::view::{self, KeyKind, Mode};
use lattice_core::{Code, Error};

use super::{manifest, preview};
use crate::args::{KeyArgs, OverlayArgs};
use crate::exit::Exit;
use crate::render::{Heading, Page};
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(
    override_usage = "al diff [OPTIONS] <A> <B>\n       al diff [OPTIONS] --file <FILE>",
    after_help = "\
Examples:
  al diff staging.yaml dev.yaml              two manifests, offline
  al diff --file policies.yaml               the workspace of the key against a manifest
  al diff base.yaml base.yaml --overlay production.yaml
                                             what an overlay changes
  al diff a.yaml b.yaml --detailed-exitcode  exits with 2 if they differ"
)]
pub(crate) struct Diff {
    /// The manifest before, or a folder of them; `-` is stdin
    #[arg(
        value_name = "A",
        required_unless_present = "file",
        requires = "after",
        conflicts_with_all = ["file", "url", "service_key_file"]
    )]
    before: Option<PathBuf>,
    /// The manifest after, or a folder of them; `-` is stdin
    #[arg(
        value_name = "B",
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    after: Option<PathBuf>,
    /// The manifest to compare with the workspace of the key
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    overlay: OverlayArgs,
    /// Exit with 2 if they differ
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    key: KeyArgs,
}

impl Diff {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let manifests = self.before.iter().chain(&self.after).chain(&self.file);
        let manifests = manifests.chain(&self.overlay.overlays);
        Session::stdin_once(manifests.chain(&self.key.service_key_file))?;
        let (plan, before, after) = match (&self.file, &self.before, &self.after) {
            (Some(file), _, _) => self.workspace_with(file, session)?,
            (None, Some(before), Some(after)) => self.offline(before, after, session)?,
            // INVARIANT: the arguments are declared so that there are two manifests or a file.
            (None, _, _) => return Err(Error::new(Code::Usage, "two manifests are needed")),
        };
        preview::notes(&plan, session);
        let page = Page {
            plan: &plan,
            heading: Heading::Compared(&before, &after),
            refusal: None,
        };
        let pending = plan.summary.changes() > 0;
        let done = session.plan(page, true)?;
        Ok(done.exit(Exit::pending(self.detailed_exitcode, pending)))
    }

    fn workspace_with(
        &self,
        file: &Path,
        session: &mut Session<'_, '_>,
    ) -> Result<(view::Plan, String, String), Error> {
        let (reader, location) = self.key.reader(KeyKind::Service, session)?;
        let workspace = reader.workspace();
        session.note_workspace(&workspace, &location);
        let after = file.display().to_string();
        let manifest = manifest(file, &self.overlay, session)?;
        session.step("comparing");
        let plan = reader.diff(&manifest, Some(&after))?;
        Ok((plan, workspace.name, after))
    }

    fn offline(
        &self,
        before: &Path,
        after: &Path,
        session: &mut Session<'_, '_>,
    ) -> Result<(view::Plan, String, String), Error> {
        let old = manifest(before, &OverlayArgs::default(), session);
        let new = manifest(after, &self.overlay, session);
        let (old, new) = Error::both(old, new)?;
        let [before, after] = [before, after].map(|path| path.display().to_string());
        let plan = view::Plan::between(&old, &new, Some(&after), Mode::Replace);
        Ok((plan, before, after))
    }
}
