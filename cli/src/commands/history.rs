use clap::Args;
use lattice_core::limits;
use lattice_core::view::KeyKind;

use super::audit::{page, seq};
use crate::args::KeyArgs;
use crate::render;
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al history
  al history --limit 10 --before 40   the ten states before event 40")]
pub(crate) struct History {
    /// The most states to list
    #[arg(long, value_name = "N", default_value_t = limits::PAGE_DEFAULT, value_parser = page)]
    limit: usize,
    /// Only states that were left before this event
    #[arg(long, value_name = "EVENT", value_parser = seq)]
    before: Option<u64>,
    #[command(flatten)]
    key: KeyArgs,
}

impl History {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let (reader, _) = self.key.reader(KeyKind::Service, session)?;
        let history = reader.history(self.before, self.limit)?;
        if let Some(cursor) = history.next_cursor {
            session.note(format_args!("older states follow: `--before {cursor}`"));
        }
        session.table(&history, || render::history(&history))
    }
}
