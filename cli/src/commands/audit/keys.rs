//! The keys of a log and of witnesses.

use std::path::{Path, PathBuf};

use clap::Args;
use lattice_core::audit::{KeyType, SigningKey, log_name};
use lattice_core::view::{self, AuditKey, KeyKind};
use lattice_workspace::rotate_log_key;

use crate::args::KeyArgs;
use crate::evidence::{PinArgs, read_signing_key, write_signing_key};
use crate::render::{self, Table};
use crate::session::{Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al audit keygen --out staging.key > staging.vkey
  al audit keygen --witness witness.example.com/w1 --out w1.key > w1.vkey")]
pub(crate) struct Keygen {
    /// The file to make; one that is there is never replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The name of a witness, such as a host and a path: make its key instead of a log's
    #[arg(long, value_name = "NAME")]
    witness: Option<String>,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  al audit vkey staging.key > staging.vkey")]
pub(crate) struct Vkey {
    /// The file of the signing key
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al audit keygen --out new.key > new.vkey
  AL_AUDIT_KEY_FILE=old.key al audit rotate-key --new-key-file new.key")]
pub(crate) struct RotateKey {
    /// The file of the new key
    #[arg(long, value_name = "FILE")]
    new_key_file: PathBuf,
    #[command(flatten)]
    pin: PinArgs,
    #[command(flatten)]
    key: KeyArgs,
}

impl Keygen {
    pub(super) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let mut seed = [0; 32];
        session.io.fill(&mut seed)?;
        let key = if let Some(name) = &self.witness {
            SigningKey::new(name, KeyType::Witness, seed)?
        } else {
            let (reader, _) = self.key.reader(KeyKind::Service, session)?;
            SigningKey::new(&log_name(&reader.workspace().id), KeyType::Log, seed)?
        };
        write_signing_key(&self.out, &key)?;
        session.note(format_args!(
            "wrote the signing key to {}; what is printed verifies its signatures",
            self.out.display()
        ));
        show(&self.out, &key, session)
    }
}

impl Vkey {
    pub(super) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let key = read_signing_key(&self.file)?;
        show(&self.file, &key, session)
    }
}

/// The document of a key, without its secret.
fn show(file: &Path, key: &SigningKey, session: &mut Session<'_, '_>) -> Outcome {
    let document = AuditKey {
        file: file.display().to_string(),
        name: key.verifying_key().name().to_owned(),
        vkey: key.verifying_key().to_string(),
    };
    session.document(
        &document,
        |_| format!("{}\n", document.vkey),
        || {
            let mut table = Table::new(["name", "vkey", "file"]);
            let AuditKey { file, name, vkey } = document.clone();
            table.row([name, vkey, file]);
            table.markdown()
        },
    )
}

impl RotateKey {
    pub(super) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let anchor = self.pin.read(session)?;
        let new = read_signing_key(&self.new_key_file)?;
        let ambient = session.ambient()?;
        let (key, opened) = self.key.open(session)?;
        let (old, kept) = (anchor.signer.as_ref(), anchor.kept());
        let rotated = rotate_log_key(&*opened.store, &key, old, &new, kept, &ambient)?;
        let unkept = anchor.keep(&rotated.checkpoint, session.io).err();
        let document = view::RotatedKey {
            event: rotated.event,
            checkpoint: rotated.checkpoint.to_string(),
        };
        session.note(format_args!(
            "event {} names the new key; from now on AL_AUDIT_KEY_FILE has to name its file",
            document.event.leaf.seq
        ));
        let done = session.document(
            &document,
            |_| document.checkpoint.clone(),
            || render::event_details(&document.event).markdown(),
        )?;
        Ok(session.despite(unkept, done))
    }
}
