//! The command line, in this process.

use al::Io;
use napi_derive::napi;

use crate::outcome::now;

/// Runs `al` with its arguments, without the program's name, and returns the exit code.
#[napi]
pub fn run_cli(args: Vec<String>) -> napi::Result<u8> {
    let args = std::iter::once("al".to_owned()).chain(args);
    now(|| Ok(al::run(args.map(Into::into), &mut Io::system())))
}

/// Panics, here or off the event loop.
#[cfg(feature = "test-hooks")]
#[napi]
pub fn test_panic(sync: bool) -> napi::Result<crate::outcome::Answer<String>> {
    crate::outcome::answer(sync, panic)
}

#[cfg(feature = "test-hooks")]
#[expect(clippy::panic, reason = "that is what it is for")]
fn panic() -> Result<String, lattice_core::Error> {
    panic!("a panic for the tests")
}
