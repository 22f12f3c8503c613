use clap::Args;
use lattice_core::view::{KeyKind, Pin, PinResult, Trust, Verification};
use lattice_core::{Code, Error};
use lattice_workspace::Verified;

use crate::args::{Format, KeyArgs};
use crate::evidence::EvidenceArgs;
use crate::exit::Exit;
use crate::render::{Paint, Table, count, safe};
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al audit verify --state
  al audit verify --checkpoint pins/staging.checkpoint --state
  al audit verify --checkpoint head.txt --vkey \"$(cat staging.vkey)\"
  al audit verify --checkpoint head.txt --format json | jq -e .valid")]
pub(crate) struct Verify {
    #[command(flatten)]
    evidence: EvidenceArgs,
    /// Compare the active policies with what the log recorded last
    #[arg(long)]
    state: bool,
    #[command(flatten)]
    key: KeyArgs,
}

impl Verify {
    pub(super) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let checkpoints = self.evidence.checkpoints.iter();
        Session::stdin_once(checkpoints.chain(&self.key.service_key_file))?;
        let keys = self.evidence.keys()?;
        let (reader, _) = self.key.reader(KeyKind::Service, session)?;
        let kept = self.evidence.kept(session)?;
        let Verified {
            verification,
            reason,
            checkpoint,
        } = reader.verify(&kept, &keys, self.state)?;
        let done = session.document(
            &verification,
            |paint| text(&verification, paint),
            || markdown(&verification),
        )?;
        if !verification.valid {
            if session.output.format != Format::Json {
                session.show(&tampered(&verification, reason));
            }
            return Ok(done.exit(Exit::Error));
        }
        if verification.state_matches.is_none() {
            session.note("the policies were not compared with the log; `--state` does");
        }
        match verification.trust {
            Trust::SelfOnly => {
                session.note(
                    "trust: self — compare this checkpoint with one that was kept elsewhere:",
                );
                for line in checkpoint.to_string().lines() {
                    session.note(line);
                }
            }
            Trust::Pinned | Trust::Signed | Trust::Witnessed => {
                let held = verification.pins.iter().map(|pin| pin.size).max();
                let after = verification.size.saturating_sub(held.unwrap_or(0));
                session.note(format_args!(
                    "trust: {}, up to the last checkpoint; {} came after it",
                    verification.trust.as_str(),
                    events(after)
                ));
            }
        }
        Ok(done)
    }
}

fn text(verification: &Verification, paint: Paint) -> String {
    let name = safe(&verification.workspace);
    let mut text = if verification.valid {
        let events = events(verification.size);
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
    };
    for pin in &verification.pins {
        let result = match pin.result {
            PinResult::Consistent => paint.green("consistent"),
            PinResult::Truncated | PinResult::Forked => paint.red(pin.result.as_str()),
        };
        let line = format!(
            "  checkpoint {}: {result}, {}{}\n",
            safe(&name_of(pin)),
            events(pin.size),
            signed_by(pin)
        );
        text += &line;
    }
    match verification.state_matches {
        Some(true) => text + "  policies: those that the log recorded last\n",
        Some(false) => {
            let not = paint.red("not");
            format!("{text}  policies: {not} those that the log recorded last\n")
        }
        None => text,
    }
}

fn markdown(verification: &Verification) -> String {
    let mut table = Table::new(["workspace", "valid", "events", "root", "policies", "trust"]);
    table.row([
        verification.workspace.clone(),
        if verification.valid { "yes" } else { "no" }.to_owned(),
        verification.size.to_string(),
        verification.root.clone(),
        match verification.state_matches {
            Some(true) => "match",
            Some(false) => "differ",
            None => "not compared",
        }
        .to_owned(),
        verification.trust.as_str().to_owned(),
    ]);
    let mut text = table.markdown();
    if !verification.pins.is_empty() {
        let mut pins = Table::new([
            "checkpoint",
            "events",
            "root",
            "result",
            "trust",
            "signed by",
        ]);
        for pin in &verification.pins {
            pins.row([
                name_of(pin),
                pin.size.to_string(),
                pin.root.clone(),
                pin.result.as_str().to_owned(),
                pin.trust.as_str().to_owned(),
                pin.signers.join(", "),
            ]);
        }
        text = format!("{text}\n{}", pins.markdown());
    }
    text
}

fn name_of(pin: &Pin) -> String {
    pin.file.clone().unwrap_or_else(|| pin.origin.clone())
}

fn signed_by(pin: &Pin) -> String {
    match pin.signers.as_slice() {
        [] => String::new(),
        signers => format!(", signed by {}", safe(&signers.join(", "))),
    }
}

pub(super) fn events(number: u64) -> String {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    count(number, "event", "events")
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
