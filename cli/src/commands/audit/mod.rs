mod cosign;
mod head;
mod keys;
mod prove;
mod restart;
mod verify;

use clap::{Args, Subcommand};
use lattice_core::limits;
use lattice_core::view::KeyKind;

use crate::args::KeyArgs;
use crate::render;
use crate::session::{Outcome, Session};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    List(List),
    Show(Show),
    Verify(verify::Verify),
    Checkpoint(head::Checkpoint),
    Prove(prove::Prove),
    Check(prove::Check),
    Consistency(head::Consistency),
    Cosign(cosign::Cosign),
    Keygen(keys::Keygen),
    Vkey(keys::Vkey),
    RotateKey(keys::RotateKey),
    RestartAfterRestore(restart::Restart),
}

/// List events, oldest first
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al audit list
  al audit list --limit 10 --cursor 40   ten events from number 40 on")]
pub(crate) struct List {
    /// The most events to list
    #[arg(long, value_name = "N", default_value_t = limits::PAGE_DEFAULT, value_parser = page)]
    limit: usize,
    /// The first event to list
    #[arg(long, value_name = "SEQ", value_parser = seq)]
    cursor: Option<u64>,
    #[command(flatten)]
    key: KeyArgs,
}

/// Show one event with the names of the policies that it changed
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  al audit show 12\n  al audit show 12 --format json")]
pub(crate) struct Show {
    /// The event's number, from 0
    #[arg(value_name = "SEQ", value_parser = seq)]
    seq: u64,
    #[command(flatten)]
    key: KeyArgs,
}

pub(super) fn page(text: &str) -> Result<usize, String> {
    const MOST: usize = limits::PAGE_MAX;
    let number = text.parse().ok().filter(|n| (1..=MOST).contains(n));
    number.ok_or_else(|| format!("a page holds 1 to {MOST} events"))
}

pub(super) fn seq(text: &str) -> Result<u64, &'static str> {
    text.parse()
        .map_err(|_| "an event's number is a whole number from 0 on")
}

impl Audit {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        match self {
            Audit::List(command) => command.run(session),
            Audit::Show(command) => command.run(session),
            Audit::Verify(command) => command.run(session),
            Audit::Checkpoint(command) => command.run(session),
            Audit::Prove(command) => command.run(session),
            Audit::Check(command) => command.run(session),
            Audit::Consistency(command) => command.run(session),
            Audit::Cosign(command) => command.run(session),
            Audit::Keygen(command) => command.run(session),
            Audit::Vkey(command) => command.run(session),
            Audit::RotateKey(command) => command.run(session),
            Audit::RestartAfterRestore(command) => command.run(session),
        }
    }
}

impl List {
    fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let (reader, _) = self.key.reader(KeyKind::Service, session)?;
        let page = reader.events(self.cursor, self.limit)?;
        if let Some(cursor) = page.next_cursor {
            session.note(format_args!("more events follow: `--cursor {cursor}`"));
        }
        session.table(&page, || render::event_list(&page))
    }
}

impl Show {
    fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let (reader, _) = self.key.reader(KeyKind::Service, session)?;
        let event = reader.event(self.seq)?;
        session.table(&event, || render::event_details(&event))
    }
}
