//! Streams that wait, also where the system says that they do not.

use std::io::{self, ErrorKind, Read, Write};
use std::thread;
use std::time::Duration;

/// A stream that waits. A process that shares a pipe or a terminal, such as Node, can make it one that does not
/// block, for everyone that has it.
pub(crate) struct Patient<S>(pub(crate) S);

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
