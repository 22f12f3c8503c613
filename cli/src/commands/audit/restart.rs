use std::path::PathBuf;

use clap::Args;
use lattice_core::view;
use lattice_workspace::{Caller, restart_log};

use crate::args::KeyArgs;
use crate::evidence::Anchor;
use crate::render;
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al audit restart-after-restore --pin staging.checkpoint
  al key create --workspace 01a206b1-3fef-7186-9458-ffad00ffac30    to read the old log")]
pub(crate) struct Restart {
    /// The pin that the restored log does not extend; replaced by the checkpoint of the new log
    #[arg(long, value_name = "FILE")]
    pin: PathBuf,
    /// Refuse a key of any other workspace
    #[arg(long, value_name = "NAME")]
    expect_workspace: Option<String>,
    #[command(flatten)]
    key: KeyArgs,
}

impl Restart {
    pub(super) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let (anchor, kept) = Anchor::of_lost_log(self.pin, session)?;
        let ambient = session.ambient()?;
        let (key, opened) = self.key.open(session)?;
        let restarted = restart_log(
            &*opened.store,
            &Caller::Key(key),
            &kept,
            self.expect_workspace.as_deref(),
            &ambient,
        )?;
        let unkept = anchor.keep(&restarted.checkpoint, session.io).err();
        let document = view::RestartedLog {
            workspace: restarted.workspace,
            previous: restarted.previous,
            event: restarted.event,
            checkpoint: restarted.checkpoint.to_string(),
        };
        session.note(format_args!(
            "{} has a new log; the old one stays in the workspace {}",
            document.workspace.name, document.previous
        ));
        session.note_checkpoint(&document.checkpoint);
        let done = session.table(&document, || render::event_details(&document.event))?;
        Ok(session.despite(unkept, done))
    }
}
