//! The proof of one event, and its check by someone who has nothing else.

use std::path::PathBuf;

use clap::Args;
use lattice_core::audit::Proof;
use lattice_core::view::{self, CheckedProof, KeyKind, Trust};
use lattice_core::{Code, Error, hash};

use super::seq;
use super::verify::events;
use crate::args::{Format, KeyArgs};
use crate::evidence::{EvidenceArgs, in_file, read_checkpoint, signer};
use crate::exit::Exit;
use crate::file::PROOF;
use crate::render::{self, Table, safe};
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al audit prove --event 12 > 12.tlog-proof
  al audit prove --event 12 --checkpoint auditor.checkpoint    against the checkpoint that the auditor has")]
pub(crate) struct Prove {
    /// The event's number, from 0
    #[arg(long, value_name = "SEQ", value_parser = seq)]
    event: u64,
    /// The checkpoint that the proof leads to [default: the head of the log]
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al audit check 12.tlog-proof --checkpoint auditor.checkpoint
  al audit check 12.tlog-proof --vkey \"$(cat staging.vkey)\"")]
pub(crate) struct Check {
    /// The proof; `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

impl Prove {
    pub(super) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        Session::stdin_once(self.checkpoint.iter().chain(&self.key.service_key_file))?;
        let signer = signer(session.io)?;
        let (reader, _) = self.key.reader(KeyKind::Service, session)?;
        let kept = match &self.checkpoint {
            Some(path) => Some(read_checkpoint(path, session)?),
            None => None,
        };
        let proof = reader
            .prove_signed(self.event, kept, signer.as_ref())
            .map_err(|error| in_file(error, self.checkpoint.as_deref()))?;
        let document = view::Proof::from(&proof);
        session.document(
            &document,
            |_| document.proof.clone(),
            || {
                let mut table = Table::new(["event", "log", "events", "root"]);
                table.row([
                    document.event.to_string(),
                    proof.checkpoint.origin().to_owned(),
                    document.size.to_string(),
                    hash::hex(proof.checkpoint.root()),
                ]);
                table.markdown()
            },
        )
    }
}

impl Check {
    pub(super) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let checkpoints = self.evidence.checkpoints.iter();
        Session::stdin_once(checkpoints.chain([&self.file]))?;
        let keys = self.evidence.keys()?;
        let kept = self.evidence.kept(session)?;
        let kept: Vec<_> = kept.into_iter().map(|kept| kept.checkpoint).collect();
        let input = session.read(&self.file, PROOF)?;
        let checked = Proof::parse(&input.bytes).and_then(|proof| proof.check(&kept, &keys));
        let (checked, reason) = checked.map_err(|error| error.in_file(&input.name))?;
        let event = checked.event.as_ref().map(render::leaf_details);
        let done = session.document(
            &checked,
            |paint| {
                let verdict = if checked.valid {
                    paint.green("holds")
                } else {
                    paint.red("does not hold")
                };
                let log = safe(&checked.checkpoint.origin).into_owned();
                let events = events(checked.checkpoint.size);
                let event = event.as_ref().map(|event| event.text(paint));
                let event = event.unwrap_or_default();
                format!("the proof {verdict}: {log}, {events}\n{event}")
            },
            || {
                let mut verdict = Table::new(["holds", "log", "events", "trust", "signed by"]);
                verdict.row([
                    if checked.valid { "yes" } else { "no" }.to_owned(),
                    checked.checkpoint.origin.clone(),
                    checked.checkpoint.size.to_string(),
                    checked.trust.as_str().to_owned(),
                    checked.signers.join(", "),
                ]);
                let event = event
                    .as_ref()
                    .map(|event| format!("\n{}", event.markdown()));
                verdict.markdown() + &event.unwrap_or_default()
            },
        )?;
        if let Some(reason) = reason {
            if session.output.format != Format::Json {
                let message = format!("the proof does not hold: {reason}");
                let error = Error::new(Code::AuditTampered, message).in_file(&input.name);
                session.show(&error.with_help(
                    "ask for the proof again; if that does not hold either, keep both, and compare the log's checkpoints",
                ));
            }
            return Ok(done.exit(Exit::Error));
        }
        note_trust(&checked, session);
        Ok(done)
    }
}

fn note_trust(checked: &CheckedProof, session: &mut Session<'_, '_>) {
    let trust = checked.trust.as_str();
    match checked.trust {
        Trust::SelfOnly => session.note(format_args!(
            "trust: {trust} — whoever made the proof may have made the log; hold it against a checkpoint that you kept (`--checkpoint`) or a key that you know (`--vkey`)"
        )),
        Trust::Pinned => session.note(format_args!("trust: {trust}, by a checkpoint that was kept")),
        Trust::Signed | Trust::Witnessed => session.note(format_args!(
            "trust: {trust} by {}",
            checked.signers.join(", ")
        )),
    }
}
