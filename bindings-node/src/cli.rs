//! The command line, in this process.

use std::io::{self, ErrorKind, Read, Write};
use std::thread;
use std::time::Duration;

use al::Io;
use napi_derive::napi;

use crate::outcome::now;

/// Runs `al` with its arguments, without the program's name, and returns the exit code.
#[napi]
pub fn run_cli(args: Vec<String>) -> napi::Result<u8> {
    now(|| {
        let system = Io::system();
        let mut io = Io {
            stdin: Box::new(Patient(system.stdin)),
            stdout: Box::new(Patient(system.stdout)),
            stderr: Box::new(Patient(system.stderr)),
            ..system
        };
        let args = std::iter::once("al".to_owned()).chain(args);
        Ok(al::run(args.map(Into::into), &mut io))
    })
}

/// A stream that waits. Other processes of Node that share a pipe, such as npx, make it one that does not block.
struct Patient<S>(S);

const PAUSE: Duration = Duration::from_millis(1);

fn patiently<T>(mut step: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match step() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            done => return done,
        }
    }
}

impl<S: Read> Read for Patient<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        patiently(|| self.0.read(buffer))
    }
}

impl<S: Write> Write for Patient<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        patiently(|| self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        patiently(|| self.0.flush())
    }
}

/// Panics, here or off the event loop.
#[cfg(feature = "test-hooks")]
pub mod hooks {
    use napi::bindgen_prelude::AsyncTask;
    use napi_derive::napi;

    use crate::outcome::{Job, later, now};

    #[expect(clippy::panic, reason = "that is what it is for")]
    fn panic() -> Result<String, lattice_core::Error> {
        panic!("a panic for the tests")
    }

    /// Panics.
    #[napi]
    pub fn test_panic_sync() -> napi::Result<String> {
        now(panic)
    }

    /// Panics off the event loop.
    #[napi]
    pub fn test_panic() -> AsyncTask<Job<String>> {
        later(panic)
    }
}
