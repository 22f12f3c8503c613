//! Everything effectful that `al` uses beyond files, so that a caller can put its own in place.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, IsTerminal, Read, Write};

use jiff::Timestamp;
use lattice_core::{Code, Error};
use lattice_workspace::Ambient;

use crate::file;
use crate::patient::Patient;

/// The streams, environment, clock and randomness of one run.
///
/// The working directory is never changed; relative paths are those of the process.
pub struct Io<'a> {
    /// Where `-` is read from.
    pub stdin: Box<dyn Read + 'a>,
    /// Takes the document.
    pub stdout: Box<dyn Write + 'a>,
    /// Takes notes and errors.
    pub stderr: Box<dyn Write + 'a>,
    /// Looks up an environment variable.
    pub env: Box<Lookup<'a>>,
    /// The time.
    pub now: Box<dyn Fn() -> Timestamp + 'a>,
    /// Fills a buffer with bytes fit for keys.
    pub random: Box<Fill<'a>>,
    /// Whether stdout is a terminal, which decides its colour.
    pub stdout_is_terminal: bool,
    /// Whether stderr is a terminal, which decides its colour.
    pub stderr_is_terminal: bool,
}

/// Looks up an environment variable by its name.
pub type Lookup<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

/// Fills a buffer.
pub type Fill<'a> = dyn Fn(&mut [u8]) -> io::Result<()> + 'a;

impl Io<'static> {
    /// Those of this process.
    pub fn system() -> Self {
        Self {
            stdin: Box::new(Patient(io::stdin())),
            stdout: Box::new(Patient(io::stdout())),
            stderr: Box::new(Patient(io::stderr())),
            env: Box::new(|name| std::env::var_os(name)),
            now: Box::new(Timestamp::now),
            random: Box::new(|buffer| {
                getrandom::fill(buffer).map_err(|error| io::Error::other(error.to_string()))
            }),
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
        }
    }
}

impl Io<'_> {
    /// The value of an environment variable; one that is empty counts as not set.
    pub(crate) fn variable(&self, name: &str) -> Option<OsString> {
        (self.env)(name).filter(|value| !value.is_empty())
    }

    /// Time and randomness for an operation that writes.
    pub(crate) fn ambient(&self) -> Result<Ambient, Error> {
        let mut seed = [0; 64];
        self.fill(&mut seed)?;
        Ok(Ambient {
            now: (self.now)(),
            seed,
        })
    }

    /// Fills `secret` with bytes that nobody can guess.
    pub(crate) fn fill(&self, secret: &mut [u8]) -> Result<(), Error> {
        (self.random)(secret).map_err(|error| {
            let reason = file::reason(&error);
            Error::new(
                Code::Internal,
                format!("the system gave no random bytes: {reason}"),
            )
        })
    }
}

impl fmt::Debug for Io<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io")
            .field("stdout_is_terminal", &self.stdout_is_terminal)
            .field("stderr_is_terminal", &self.stderr_is_terminal)
            .finish_non_exhaustive()
    }
}
