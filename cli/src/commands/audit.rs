use clap::{Args, Subcommand};
use lattice_core::view::{KeyKind, Verification};
use lattice_core::{Code, Error, limits};
use lattice_workspace::Verified;

use crate::args::{Format, KeyArgs};
use crate::exit::Exit;
use crate::render::{self, Paint, Table, count, safe};
use crate::session::{Outcome, Session};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    List(List),
    Show(Show),
    Verify(Verify),
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

/// Verify the log: every event, the root, and that the policies are those last recorded
///
/// This rests on the store alone: whoever can write it can write a log that verifies. Compare the checkpoint on
/// stderr with one that was kept elsewhere.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  al audit verify\n  al audit verify --format json | jq -r .root"
)]
pub(crate) struct Verify {
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

impl Verify {
    fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let (reader, _) = self.key.reader(KeyKind::Service, session)?;
        let Verified {
            verification,
            reason,
            checkpoint,
        } = reader.verify()?;
        let done = session.document(
            &verification,
            |paint| line(&verification, paint),
            || markdown(&verification),
        )?;
        if verification.valid {
            session.note("trust: self — compare this checkpoint with one that was kept elsewhere:");
            for line in checkpoint.lines() {
                session.note(line);
            }
            return Ok(done);
        }
        if session.output.format != Format::Json {
            session.show(&tampered(&verification, reason));
        }
        Ok(done.exit(Exit::Error))
    }
}

fn line(verification: &Verification, paint: Paint) -> String {
    let name = safe(&verification.workspace);
    if verification.valid {
        let events = events(verification);
        let verifies = paint.green("verifies");
        format!(
            "log of {name} {verifies}: {events}, root {}\n",
            verification.root
        )
    } else {
        let from = verification
            .first_broken_seq
            .map(|seq| format!(" from event {seq} on"))
            .unwrap_or_default();
        format!("log of {name} {}{from}\n", paint.red("does not verify"))
    }
}

fn markdown(verification: &Verification) -> String {
    let mut table = Table::new(["workspace", "valid", "events", "root"]);
    table.row([
        verification.workspace.clone(),
        if verification.valid { "yes" } else { "no" }.to_owned(),
        verification.size.to_string(),
        verification.root.clone(),
    ]);
    table.markdown()
}

fn events(verification: &Verification) -> String {
    let size = usize::try_from(verification.size).unwrap_or(usize::MAX);
    count(size, "event", "events")
}

fn tampered(verification: &Verification, reason: Option<String>) -> Error {
    let reason = reason.unwrap_or_else(|| "it is not the log that was written".to_owned());
    let message = match verification.first_broken_seq {
        Some(seq) => format!(
            "the audit log of `{}` does not verify from event {seq} on: {reason}",
            verification.workspace
        ),
        None => format!(
            "the audit log of `{}` does not verify: {reason}",
            verification.workspace
        ),
    };
    Error::new(Code::AuditTampered, message).with_help(
        "keep the store as it is, and compare it with a backup and with checkpoints kept elsewhere",
    )
}
