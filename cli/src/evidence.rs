//! What an audit log is held against, and what signs it: checkpoints that were kept, keys, and the pin of a pipeline.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use lattice_core::audit::{Checkpoint, Proof, SigningKey, VerifyingKey};
use lattice_core::{Code, Error, view};
use lattice_workspace::{Kept, Proven, Reader};

use crate::file::{self, AUDIT_KEY, CHECKPOINT, Limit};
use crate::given::Source;
use crate::io::Io;
use crate::session::Session;

/// Checkpoints that were kept elsewhere, and who has to have signed them.
#[derive(Debug, Clone, Args)]
pub(crate) struct EvidenceArgs {
    /// A checkpoint that was kept where the writer of the log cannot write; may be given again
    #[arg(long = "checkpoint", value_name = "FILE")]
    pub(crate) checkpoints: Vec<PathBuf>,
    /// A key, NAME+ID+KEY, of the log or of a witness; may be given again. One of every type that is given has to have
    /// signed the checkpoint
    #[arg(long = "vkey", value_name = "KEY")]
    vkeys: Vec<String>,
}

/// The same from programs in other languages.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Checkpoints that were kept where the writer of the log cannot write.
    pub checkpoints: Vec<Source>,
    /// The text of each key that has to have signed them: of every type that is given, one.
    pub vkeys: Vec<String>,
}

impl Evidence {
    pub(crate) fn kept(self) -> Result<Vec<Kept>, Error> {
        self.checkpoints
            .into_iter()
            .map(Source::checkpoint)
            .collect()
    }

    pub(crate) fn keys(&self) -> Result<Vec<VerifyingKey>, Error> {
        verifying_keys(&self.vkeys)
    }
}

/// Checks the proof of an audit event, offline.
///
/// ```
/// use al::{Evidence, Source};
/// use lattice_core::NamedText;
///
/// let text = NamedText { bytes: b"a proof".to_vec(), file: None };
/// let error = al::check(Source::Text(text), Evidence::default()).unwrap_err();
/// assert_eq!(error.code().as_str(), "INVALID_CHECKPOINT");
/// ```
///
/// # Errors
///
/// `INVALID_CHECKPOINT` for a text that is no proof, for a checkpoint that is none or not the one of the proof, and for
/// missing signatures; `INVALID_AUDIT_KEY`. A proof that does not hold is no error but a verdict.
pub fn check(proof: Source, evidence: Evidence) -> Result<view::CheckedProof, Error> {
    let keys = evidence.keys()?;
    let kept: Vec<Checkpoint> = evidence
        .kept()?
        .into_iter()
        .map(|kept| kept.checkpoint)
        .collect();
    let text = proof.read(Limit::PROOF)?;
    let checked = Proof::parse(&text.bytes).and_then(|proof| proof.check(&kept, &keys));
    checked
        .map(|(document, _)| document)
        .map_err(|error| text.blame(error))
}

impl EvidenceArgs {
    /// The checkpoints, in the order in which they were given.
    pub(crate) fn kept(&self, session: &mut Session<'_, '_>) -> Result<Vec<Kept>, Error> {
        let kept = self.checkpoints.iter().map(|path| {
            let checkpoint = read_checkpoint(path, session)?;
            Ok(Kept {
                file: Some(path.display().to_string()),
                checkpoint,
            })
        });
        kept.collect()
    }

    pub(crate) fn keys(&self) -> Result<Vec<VerifyingKey>, Error> {
        verifying_keys(&self.vkeys)
    }
}

pub(crate) fn verifying_keys(vkeys: &[String]) -> Result<Vec<VerifyingKey>, Error> {
    vkeys.iter().map(|key| VerifyingKey::parse(key)).collect()
}

/// Reads a checkpoint.
pub(crate) fn read_checkpoint(
    path: &Path,
    session: &mut Session<'_, '_>,
) -> Result<Checkpoint, Error> {
    let input = session.read(path, CHECKPOINT)?;
    Checkpoint::parse(&input.bytes).map_err(|error| error.in_file(&input.name))
}

/// Names the file of the checkpoint that an error is about, if there is one.
pub(crate) fn in_file(error: Error, file: Option<&Path>) -> Error {
    match file {
        Some(file) if matches!(error.code(), Code::AuditTampered | Code::InvalidCheckpoint) => {
            error.in_file(&file.display().to_string())
        }
        _ => error,
    }
}

/// The key that signs checkpoints, if the environment names its file.
///
/// A key that cannot be read ends the command before it has done anything: nothing is silently left unsigned.
pub(crate) fn signer(io: &Io<'_>) -> Result<Option<SigningKey>, Error> {
    let path = io.variable("AL_AUDIT_KEY_FILE").map(PathBuf::from);
    path.map(|path| read_signing_key(&path)).transpose()
}

/// Reads a signing key.
pub(crate) fn read_signing_key(path: &Path) -> Result<SigningKey, Error> {
    let input = file::read(path, AUDIT_KEY)?;
    let key = check_secret(path).and_then(|()| {
        // A file that is not even text is no key; the message holds nothing of it either way.
        SigningKey::parse(std::str::from_utf8(&input.bytes).unwrap_or_default())
    });
    key.map_err(|error| error.in_file(&input.name))
}

/// Refuses a key that others may read or replace.
#[cfg(unix)]
fn check_secret(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;

    /// All that others may do, and that the group may do but read: a secret that is mounted for a service is its group's.
    const OPEN: u32 = 0o037;
    let is_open = fs::metadata(path).is_ok_and(|file| file.permissions().mode() & OPEN != 0);
    if !is_open {
        return Ok(());
    }
    let message = "others than its owner may use the file of the signing key";
    Err(Error::new(Code::InvalidAuditKey, message)
        .with_help("`chmod 600` it, or mount it with the mode 0400 or 0440"))
}

#[cfg(not(unix))]
fn check_secret(_: &Path) -> Result<(), Error> {
    Ok(())
}

/// Writes a signing key to a new file that its owner alone may read. One that is there is never replaced.
pub(crate) fn write_signing_key(path: &Path, key: &SigningKey) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(key.to_text().as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| {
        let name = path.display().to_string();
        let message = format!("`{name}` cannot be written: {}", file::reason(&error));
        Error::new(Code::IoError, message)
            .in_file(&name)
            .with_help("name a file that is not there yet: a key is never replaced")
    })
}

/// Refuses standard input for what is written again.
pub(crate) fn expect_file(path: &Path) -> Result<(), Error> {
    if path.as_os_str() != "-" {
        return Ok(());
    }
    let message = "a pin is a file: it is read, and written again";
    Err(Error::new(Code::Usage, message).with_help("name a file"))
}

/// The pin of a pipeline: the checkpoint that it keeps beside its manifests.
#[derive(Debug, Clone, Args)]
pub(crate) struct PinArgs {
    /// Refuse unless the audit log extends the checkpoint in FILE, and keep the new one there
    #[arg(long, value_name = "FILE", help_heading = "Audit")]
    pin: Option<PathBuf>,
    /// The first time: make the file of the pin
    #[arg(long, requires = "pin", help_heading = "Audit")]
    pin_init: bool,
}

/// What an import builds on, and what signs its checkpoint.
#[derive(Debug)]
pub(crate) struct Anchor {
    pub(crate) signer: Option<SigningKey>,
    pin: Option<Pin>,
}

/// A pin, and what it held.
#[derive(Debug)]
struct Pin {
    file: PathBuf,
    kept: Option<Checkpoint>,
}

impl PinArgs {
    /// Reads the pin and the signing key, before the store is opened.
    pub(crate) fn read(self, session: &mut Session<'_, '_>) -> Result<Anchor, Error> {
        let signer = signer(session.io)?;
        let Some(file) = self.pin else {
            return Ok(Anchor { signer, pin: None });
        };
        let name = file.display().to_string();
        let refuse = |code, message: String, help| {
            Err(Error::new(code, message).in_file(&name).with_help(help))
        };
        expect_file(&file)?;
        let kept = match (self.pin_init, fs::exists(&file)) {
            (true, Ok(false)) => None,
            (true, Ok(true)) => {
                let message = format!("`--pin-init` makes the pin, and `{name}` is there");
                return refuse(Code::Usage, message, "leave out `--pin-init`");
            }
            (false, Ok(false)) => {
                let message = format!("the pin `{name}` does not exist");
                return refuse(
                    Code::IoError,
                    message,
                    "nothing was written; restore the pin from where it is kept, such as git, or add `--pin-init` if there never was one",
                );
            }
            // What stands in the way of looking stands in the way of reading, and is told there.
            (false, Ok(true)) | (_, Err(_)) => Some(read_checkpoint(&file, session)?),
        };
        // Before anything is committed whose checkpoint could then not be kept.
        file::expect_replaceable(&file, session.io)?;
        Ok(Anchor {
            signer,
            pin: Some(Pin { file, kept }),
        })
    }
}

impl Anchor {
    /// The pin of a log that begins anew, without a key that signs, and what it holds.
    pub(crate) fn of_lost_log(
        file: PathBuf,
        session: &mut Session<'_, '_>,
    ) -> Result<(Self, Checkpoint), Error> {
        expect_file(&file)?;
        let kept = read_checkpoint(&file, session)?;
        file::expect_replaceable(&file, session.io)?;
        let pin = Some(Pin { file, kept: None });
        Ok((Self { signer: None, pin }, kept))
    }

    /// The checkpoint that was kept.
    pub(crate) fn kept(&self) -> Option<&Checkpoint> {
        self.pin.as_ref()?.kept.as_ref()
    }

    /// Proves that the log extends the pin, and that the key signs for the log.
    pub(crate) fn prove(
        &self,
        reader: &Reader,
        session: &mut Session<'_, '_>,
    ) -> Result<Option<Proven>, Error> {
        if self.signer.is_none() && self.pin.is_none() {
            return Ok(None);
        }
        session.step("verifying the audit log");
        let kept = self.kept();
        let proven = reader.expect_log(kept).and_then(|proven| {
            if let Some(signer) = &self.signer {
                proven.expect_signer(signer)?;
            }
            if let Some(kept) = kept {
                proven.expect_successor(kept, self.signer.as_ref())?;
            }
            Ok(proven)
        });
        let Some(pin) = &self.pin else {
            return proven.map(Some);
        };
        let name = pin.file.display().to_string();
        proven.map(Some).map_err(|error| {
            let is_other = kept.is_some_and(|kept| !reader.is_log(kept));
            let error = match error.code() {
                Code::AuditTampered if is_other => error.with_help(
                    "nothing was written; if the file is the pin of another workspace, name this one's",
                ),
                Code::AuditTampered => error.with_help(
                    "nothing was written; keep the store as it is, and compare it with backups; who restored an old copy on purpose begins a new log with `al audit restart-after-restore`",
                ),
                _ => error,
            };
            error.in_file(&name)
        })
    }

    /// Keeps the checkpoint of what was committed, unless someone has kept a later one of the log meanwhile.
    ///
    /// # Errors
    ///
    /// `IO_ERROR`, which says that the commit stands.
    pub(crate) fn keep(&self, checkpoint: &Checkpoint, io: &Io<'_>) -> Result<(), Error> {
        let Some(pin) = &self.pin else {
            return Ok(());
        };
        let now = file::read(&pin.file, CHECKPOINT).ok();
        let now = now.and_then(|input| Checkpoint::parse(&input.bytes).ok());
        let is_later = |now: &Checkpoint| {
            now.origin() == checkpoint.origin() && now.size() > checkpoint.size()
        };
        if now.is_some_and(|now| is_later(&now)) {
            return Ok(());
        }
        let kept = file::replace(&pin.file, checkpoint.to_string().as_bytes(), io);
        kept.map_err(|error| {
            let message = format!("the change was committed, but its pin was not kept: {}", error.message());
            Error::new(Code::IoError, message)
                .in_file(&pin.file.display().to_string())
                .with_help("nothing is lost: mend the file's place, and put there what `al audit checkpoint` prints")
        })
    }
}
