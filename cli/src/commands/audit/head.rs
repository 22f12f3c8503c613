//! The head of a log: its checkpoint, and the proof that it extends an older one.

use std::path::PathBuf;

use clap::Args;
use lattice_core::hash;
use lattice_core::view::{self, KeyKind};

use crate::args::KeyArgs;
use crate::evidence::{in_file, read_checkpoint, signer};
use crate::render::Table;
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al audit checkpoint > staging.checkpoint
  AL_AUDIT_KEY_FILE=staging.key al audit checkpoint")]
pub(crate) struct Checkpoint {
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al audit consistency                        for a witness that knows nothing of the log
  al audit consistency --old last.checkpoint | ssh witness al audit cosign --key-file w.key --state-file staging.head")]
pub(crate) struct Consistency {
    /// The checkpoint that the witness signed last; left out for one that signs for the log the first time
    #[arg(long, value_name = "FILE")]
    old: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
}

impl Checkpoint {
    pub(super) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let signer = signer(session.io)?;
        let (reader, _) = self.key.reader(KeyKind::Service, session)?;
        let checkpoint = view::Checkpoint::from(&reader.signed_head(signer.as_ref())?);
        session.document(
            &checkpoint,
            |_| checkpoint.checkpoint.clone(),
            || {
                let mut table = Table::new(["log", "events", "root"]);
                table.row([
                    checkpoint.origin.clone(),
                    checkpoint.size.to_string(),
                    checkpoint.root.clone(),
                ]);
                table.markdown()
            },
        )
    }
}

impl Consistency {
    pub(super) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        Session::stdin_once(self.old.iter().chain(&self.key.service_key_file))?;
        let signer = signer(session.io)?;
        let (reader, _) = self.key.reader(KeyKind::Service, session)?;
        let old = match &self.old {
            Some(path) => Some(read_checkpoint(path, session)?),
            None => None,
        };
        let extension = reader
            .prove_extension(old.as_ref(), signer.as_ref())
            .map_err(|error| in_file(error, self.old.as_deref()))?;
        let document = view::Consistency {
            old: extension.old,
            size: extension.checkpoint.size(),
            proof: extension.to_string(),
        };
        session.document(
            &document,
            |_| document.proof.clone(),
            || {
                let mut table = Table::new(["log", "from", "events", "root"]);
                table.row([
                    extension.checkpoint.origin().to_owned(),
                    document.old.to_string(),
                    document.size.to_string(),
                    hash::hex(extension.checkpoint.root()),
                ]);
                table.markdown()
            },
        )
    }
}
