//! The rows, group by group.

mod audit;
mod conditions;
mod decisions;
mod files;
mod plans;
mod start;
mod store;
mod threads;

use crate::memory::{self, Bytes};
use crate::report::Report;
use crate::{input, ours, peers};

/// A group by its short name.
pub type Measure = fn(&mut Report);

/// Every group in order.
pub const GROUPS: &[(&str, Measure)] = &[
    ("files", files::measure),
    ("conditions", conditions::measure),
    ("decisions", decisions::measure),
    ("plans", plans::measure),
    ("store", store::measure),
    ("audit", audit::measure),
    ("threads", threads::measure),
    ("start", start::measure),
];

/// The policies whose memory is measured.
const COMPILED: usize = 10_000;

/// The memory job of that name, for a process of its own.
pub fn memory_job(name: &str) -> Option<Bytes> {
    match name {
        "read" => {
            let text = input::canonical(&input::policies(files::LARGE));
            let mut bytes = memory::of(|| ours::read(&text));
            // A caller holds the text, and no more room than that.
            bytes.peak += text.len();
            Some(bytes)
        }
        "compile" => {
            let specs = ours::specs(&input::with_rules(COMPILED, None));
            Some(memory::of(|| ours::compile(specs.clone())))
        }
        peer => peers::memory_job(peer, &input::with_rules(COMPILED, None)),
    }
}
