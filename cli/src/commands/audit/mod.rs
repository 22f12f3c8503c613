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
use crate::deferred::Deferred;
use crate::render;
use crate::session::{Outcome, Session};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// List events, oldest first
    List(Deferred<List>),
    /// Show one event with the names of the policies that it changed
    Show(Deferred<Show>),
    /// Verify the log: recompute it from its events, and hold it against checkpoints that were kept
    ///
    /// Without a checkpoint this rests on the store alone: whoever can write it can write a log that verifies. A checkpoint
    /// shows what was rewritten or cut off up to its event; `--vkey` asks that it was signed; `--state` compares the policies
    /// themselves with what the log recorded last. Exits with 1 and a document where the log was tampered with; where it could
    /// not be verified, there is an error instead of the document.
    Verify(Deferred<verify::Verify>),
    /// Print the checkpoint of the log: what to keep where the writer of the store cannot write
    ///
    /// The log is verified first. Signed with the key in the file that `AL_AUDIT_KEY_FILE` names, if it is set.
    Checkpoint(Deferred<head::Checkpoint>),
    /// Prove that an event is in the log, to someone who has no access to it
    ///
    /// One text with the event, its place and the hashes that lead to a checkpoint, in the C2SP `tlog-proof` form. `al audit
    /// check` checks it offline, and so does any other reader of that form.
    Prove(Deferred<prove::Prove>),
    /// Check the proof of an event, offline: no store, no key
    ///
    /// What the proof says of itself proves little: hold it against a checkpoint that you kept, or a key that you know. Exits
    /// with 1 and a document where the proof does not hold; where it could not be checked, there is an error instead.
    Check(Deferred<prove::Check>),
    /// Prove that the log extends a checkpoint, for a witness
    ///
    /// What is printed is the body that a C2SP witness takes at `add-checkpoint`, and that `al audit cosign` takes.
    Consistency(Deferred<head::Consistency>),
    /// Sign the head of a log as a witness, if it extends the one that was signed last
    ///
    /// Any machine that the writer of the log cannot write to is a witness: it needs a key (`al audit keygen --witness`) and a
    /// file for every log, which holds the head that it signed last. What is printed is the line that goes below the
    /// checkpoint; the file holds the checkpoint with it.
    Cosign(Deferred<cosign::Cosign>),
    /// Make a key that signs checkpoints, and print the key that verifies them
    ///
    /// The file holds the secret: keep it away from the store, and name it in `AL_AUDIT_KEY_FILE`. Who checks the log needs what
    /// is printed. A key of a log is for the log of the workspace alone; a witness's key needs no workspace.
    Keygen(Deferred<keys::Keygen>),
    /// Print the key that verifies the signatures of a signing key
    Vkey(Deferred<keys::Vkey>),
    /// Log another key as the one that signs checkpoints
    ///
    /// What is printed is the checkpoint of the event, signed with both keys, the one in the file that `AL_AUDIT_KEY_FILE` names
    /// and the new one, so that who trusts the old key learns of the new one. From then on only the new key signs, and later
    /// checkpoints with the old one are refused. Without `AL_AUDIT_KEY_FILE` the new key is the first one of the log, which at a server
    /// takes the admin key (`AL_ADMIN_KEY`) too. Run again with both keys, the command signs that checkpoint again and logs nothing.
    RotateKey(Deferred<keys::RotateKey>),
    /// Begin a new log after an old copy of the store was restored
    ///
    /// A log that lost events never extends its pin again. This begins another one, under a new name: its first event adds the
    /// policies that are there and cites the checkpoint that was lost, and the pin is replaced. The workspace keeps its name,
    /// policies and keys, and has a new id; its history begins anew. The old log stays in the store with the states that it
    /// recorded, in a workspace whose name is the old id. Who reviews the pin sees that the log is another one, and asks why. A
    /// command that was interrupted may be run again. At a server it takes the admin key (`AL_ADMIN_KEY`) beside that of the
    /// workspace.
    RestartAfterRestore(Deferred<restart::Restart>),
}

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
            Audit::List(Deferred(command)) => command.run(session),
            Audit::Show(Deferred(command)) => command.run(session),
            Audit::Verify(Deferred(command)) => command.run(session),
            Audit::Checkpoint(Deferred(command)) => command.run(session),
            Audit::Prove(Deferred(command)) => command.run(session),
            Audit::Check(Deferred(command)) => command.run(session),
            Audit::Consistency(Deferred(command)) => command.run(session),
            Audit::Cosign(Deferred(command)) => command.run(session),
            Audit::Keygen(Deferred(command)) => command.run(session),
            Audit::Vkey(Deferred(command)) => command.run(session),
            Audit::RotateKey(Deferred(command)) => command.run(session),
            Audit::RestartAfterRestore(Deferred(command)) => command.run(session),
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
