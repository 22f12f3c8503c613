//! Where the server stops, so that no client takes more than its share.

use std::time::Duration;

/// Bytes of a request's body.
pub const BODY_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of a body that is read before the key is looked up; a larger one waits for that.
pub const UNCHECKED_BODY_BYTES: usize = 64 * 1024;

/// How long a request's head may take to arrive.
pub const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long its body may take.
pub const BODY_TIME: Duration = Duration::from_secs(30);

/// How long the rest of a small body is waited for whose request was refused already.
pub const DRAIN_TIME: Duration = Duration::from_secs(1);

/// Requests at once on one HTTP/2 connection.
pub const STREAMS: u32 = 16;

/// Bytes of an answer that such a request keeps ready to be sent.
pub const STREAM_BYTES: usize = 64 * 1024;

/// How long a request waits for its turn.
pub const QUEUE_TIME: Duration = Duration::from_secs(5);

/// How long requests that run may go on after the server was told to stop.
pub const STOP_TIME: Duration = Duration::from_mins(1);

/// Requests of one source that a key did not open, in [`FAILURE_TIME`], after which it is not listened to.
pub const FAILURES: u32 = 30;

/// See [`FAILURES`].
pub const FAILURE_TIME: Duration = Duration::from_mins(1);

/// Sources whose failures are counted at once.
pub const SOURCES: usize = 10_000;
