//! The one spelling of a time: RFC 3339, UTC, milliseconds.

use jiff::Timestamp;

/// `time` as `2026-04-01T10:30:00.000Z`; what is finer than a millisecond is cut off, not rounded,
/// so that a written time never lies in the future.
pub fn format_time(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// A time in UTC with milliseconds, or with all the digits it has.
pub(crate) fn exact_time(time: Timestamp) -> String {
    if time.subsec_nanosecond() % 1_000_000 == 0 {
        format_time(time)
    } else {
        time.to_string()
    }
}
