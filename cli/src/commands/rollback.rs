use clap::Args;
use lattice_core::hash::hex;
use lattice_core::{Code, Error};
use lattice_workspace::Planned;

use super::audit::seq;
use super::change::ChangeArgs;
use crate::render::short;
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(
    override_usage = "al rollback [OPTIONS] <EVENT>\n       al rollback [OPTIONS] --to <EVENT>",
    after_help = "\
Examples:
  al history                         the states to choose from
  al rollback 6 --dry-run --diff     what would change, and nothing is written
  al rollback --to 6 --expect-workspace staging"
)]
pub(crate) struct Rollback {
    /// The number of the event after which the workspace had the state
    #[arg(
        value_name = "EVENT",
        value_parser = seq,
        required_unless_present = "to",
        conflicts_with = "to"
    )]
    event: Option<u64>,
    /// The same, as a flag
    #[arg(long, value_name = "EVENT", value_parser = seq)]
    to: Option<u64>,
    #[command(flatten)]
    change: ChangeArgs,
}

impl Rollback {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let Some(event) = self.event.or(self.to) else {
            // INVARIANT: the arguments are declared so that there is one of the two.
            return Err(Error::new(Code::Usage, "an event is needed"));
        };
        self.change.run(session, |reader, guard, session| {
            let planned = reader.plan_rollback(event)?.with_guard(guard);
            note_state(&planned, session);
            Ok(planned)
        })
    }
}

/// Says which state it is that the workspace goes back to.
fn note_state(planned: &Planned, session: &mut Session<'_, '_>) {
    if let Some(event) = planned.rollback_to() {
        session.note(format_args!(
            "back to the state after event {} ({}, {}): {}",
            event.seq,
            event.kind.as_str(),
            event.time,
            short(&hex(&planned.after()))
        ));
    }
}
