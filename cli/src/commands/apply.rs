use std::path::PathBuf;

use clap::Args;
use lattice_core::SavedPlan;
use lattice_workspace::Reader;

use super::change::commit;
use crate::args::{KeyArgs, threshold_in_environment};
use crate::evidence::{PinArgs, read_checkpoint};
use crate::file::PLAN;
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al plan --file policies.yaml --out plan.json    what would change, and the plan to keep
  al show plan.json --diff                        what was planned
  al apply plan.json                              exactly that")]
pub(crate) struct Apply {
    /// The saved plan; `-` is stdin
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Refuse a key of any other workspace
    #[arg(long, value_name = "NAME")]
    expect_workspace: Option<String>,
    /// The checkpoint of the workspace that exported the manifest, to be cited in the audit log
    #[arg(long, value_name = "FILE", help_heading = "Audit")]
    source_checkpoint: Option<PathBuf>,
    #[command(flatten)]
    pin: PinArgs,
    #[command(flatten)]
    key: KeyArgs,
}

impl Apply {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let paths = [&self.plan].into_iter().chain(&self.source_checkpoint);
        Session::stdin_once(paths.chain(&self.key.service_key_file))?;
        // A plan is held where it is applied, too, if that says so.
        let threshold = threshold_in_environment(session.io)?;
        let anchor = self.pin.read(session)?;
        let (key, opened) = self.key.open(session)?;
        let expect = self.expect_workspace.as_deref();
        let reader = Reader::open_to_import(&*opened.store, &key, expect)?;
        session.note_workspace(&reader.workspace(), &opened.location);

        let proven = anchor.prove(&reader, session)?;
        let source = match &self.source_checkpoint {
            Some(path) => Some(read_checkpoint(path, session)?),
            None => None,
        };
        let input = session.read(&self.plan, PLAN)?;
        session.step("checking the plan");
        let planned = SavedPlan::parse(&input.bytes)
            .and_then(|saved| reader.resume(&saved))
            .map_err(|error| error.in_file(&input.name))?
            .guarded_at_most(threshold)
            .extending(proven)
            .from_checkpoint(source)?;
        // Before the write: an older store is locked until then.
        drop((reader, input));
        commit(&planned, &key, &*opened.store, &anchor, false, session)
    }
}
