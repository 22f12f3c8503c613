//! Streams that do not block: another process that shares a pipe can make it one.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// More than the system keeps between two processes.
fn manifest() -> String {
    let comments = "# kept by the formatter\n".repeat(100_000);
    format!("{comments}manifest_version: '1.0'\npolicies: []\n")
}

/// Our end, and one for `al` that does not block.
fn pair() -> (UnixStream, Stdio) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    (ours, OwnedFd::from(theirs).into())
}

#[test]
fn a_reader_or_writer_that_is_slow_is_waited_for() {
    let text = manifest();
    let (mut input, stdin) = pair();
    let (mut output, stdout) = pair();
    let mut command = Command::new(env!("CARGO_BIN_EXE_al"));
    command.args(["fmt", "-"]).stdin(stdin).stdout(stdout);
    let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
    // The ends that were given to `al` are its own.
    drop(command);

    let mut formatted = String::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            for part in text.as_bytes().chunks(text.len() / 3) {
                thread::sleep(Duration::from_millis(100));
                // What stands behind this is that `al` gave up, which the code says.
                let _ = input.write_all(part);
            }
            drop(input.shutdown(std::net::Shutdown::Write));
        });
        // It has nowhere to put what it writes meanwhile.
        thread::sleep(Duration::from_secs(1));
        output.read_to_string(&mut formatted).unwrap();
    });
    assert!(child.wait().unwrap().success());
    assert!(
        formatted == text,
        "{} of {} bytes",
        formatted.len(),
        text.len()
    );
}
