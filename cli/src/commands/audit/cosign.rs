//! A witness: a second machine that remembers the head of a log.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use lattice_core::audit::{Checkpoint, Extension};
use lattice_core::{Code, Error, view};

use crate::evidence::{read_checkpoint, read_signing_key, verifying_keys};
use crate::file::{self, PROOF};
use crate::render::Table;
use crate::session::{Outcome, Session};

/// How long to wait for another process that signs for the same log.
const LOCK_WAIT: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al audit consistency | al audit cosign --key-file w1.key --state-file staging.head --state-init
  al audit consistency --old staging.head | al audit cosign --key-file w1.key --state-file staging.head
  al audit verify --checkpoint staging.head --vkey \"$(cat w1.vkey)\"")]
pub(crate) struct Cosign {
    /// What `al audit consistency` printed; `-` is stdin
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// The file of the witness's key
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// What the witness remembers of the log: one file for every log
    #[arg(long, value_name = "FILE")]
    state_file: PathBuf,
    /// The first time: make that file
    #[arg(long)]
    state_init: bool,
    /// A key of the log, which has to have signed its head; may be given again
    #[arg(long = "vkey", value_name = "KEY")]
    vkeys: Vec<String>,
}

impl Cosign {
    pub(super) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let keys = verifying_keys(&self.vkeys)?;
        let key = read_signing_key(&self.key_file)?;
        let input = session.read(&self.file, PROOF)?;
        let extension =
            Extension::parse(&input.bytes).map_err(|error| error.in_file(&input.name))?;

        // INVARIANT: nobody else signs between the look at the state and the new one: two heads that do not extend each
        // other would both extend the state.
        let _lock = lock(&self.state_file)?;
        let known = self.known(session)?;
        let now = u64::try_from((session.io.now)().as_second()).unwrap_or(0);
        let (cosigned, signature) = extension.cosign(known.as_ref(), &keys, &key, now)?;
        // Kept before it is said.
        file::replace(
            &self.state_file,
            cosigned.to_string().as_bytes(),
            session.io,
        )?;
        let document = view::Cosigned {
            origin: cosigned.origin().to_owned(),
            size: cosigned.size(),
            signature,
            checkpoint: cosigned.to_string(),
        };
        session.document(
            &document,
            |_| document.signature.clone(),
            || {
                let mut table = Table::new(["log", "events", "signature"]);
                table.row([
                    document.origin.clone(),
                    document.size.to_string(),
                    document.signature.trim_end().to_owned(),
                ]);
                table.markdown()
            },
        )
    }

    fn known(&self, session: &mut Session<'_, '_>) -> Result<Option<Checkpoint>, Error> {
        let name = self.state_file.display().to_string();
        let refuse = |code, message: String, help| {
            let error = Error::new(code, message).in_file(&name);
            Err(error.with_help(help))
        };
        match (self.state_init, fs::exists(&self.state_file)) {
            (true, Ok(false)) => Ok(None),
            (true, Ok(true)) => refuse(
                Code::Usage,
                format!("`--state-init` makes the state, and `{name}` is there"),
                "leave out `--state-init`",
            ),
            // A witness that forgets would sign a fork.
            (false, Ok(false)) => refuse(
                Code::IoError,
                format!("the state `{name}` does not exist"),
                "nothing was signed; restore it from where the witness keeps it, or add `--state-init` if this key never signed for the log",
            ),
            (false, Ok(true)) | (_, Err(_)) => read_checkpoint(&self.state_file, session).map(Some),
        }
    }
}

/// Waits until no other process is at the state.
fn lock(state: &Path) -> Result<File, Error> {
    // By whatever path, a file has one lock.
    let target = fs::canonicalize(state).unwrap_or_else(|_| state.to_owned());
    let mut name = target.into_os_string();
    name.push(".lock");
    let path = PathBuf::from(name);
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    let locked = opened.and_then(|file| {
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_WAIT => {
                    thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    });
    locked.map_err(|error| {
        let name = path.display().to_string();
        let message = format!("`{name}` cannot be locked: {}", file::reason(&error));
        Error::new(Code::IoError, message)
            .in_file(&name)
            .with_help("nothing was signed; the folder of the state file has to be writable")
    })
}
