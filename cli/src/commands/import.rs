use std::path::PathBuf;

use clap::Args;
use lattice_core::Mode;

use super::change::ChangeArgs;
use super::wanted::Wanted;
use crate::args::OverlayArgs;
use crate::evidence::read_checkpoint;
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al import --file policies.yaml --dry-run --diff
  al import --file policies.yaml --expect-workspace staging
  al import --file policies.yaml --overlay production.yaml
  al import --file policies.yaml --pin staging.checkpoint --source-checkpoint dev.checkpoint
  al import --file policies.yaml --dry-run --replace --detailed-exitcode --format markdown")]
pub(crate) struct Import {
    /// The manifest, or a folder of them; `-` is stdin
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    overlay: OverlayArgs,
    /// Deactivate policies that the manifest does not name
    #[arg(long)]
    replace: bool,
    /// The checkpoint of the workspace that exported the manifest, to be cited in the audit log
    #[arg(long, value_name = "FILE", help_heading = "Audit")]
    source_checkpoint: Option<PathBuf>,
    #[command(flatten)]
    change: ChangeArgs,
}

impl Import {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let paths = [&self.file].into_iter().chain(&self.overlay.overlays);
        let paths = paths.chain(&self.source_checkpoint);
        Session::stdin_once(paths.chain(&self.change.key.service_key_file))?;
        let mode = Mode::replacing(self.replace);
        self.change.run(session, |reader, guard, session| {
            let source = match &self.source_checkpoint {
                Some(path) => Some(read_checkpoint(path, session)?),
                None => None,
            };
            let (wanted, bundle) = Wanted::read(&self.file, &self.overlay, session)?;
            wanted.note_breakers(session);
            let planned = wanted.plan(reader, mode, guard, session)?;
            planned.from_texts(|| bundle).from_checkpoint(source)
        })
    }
}
