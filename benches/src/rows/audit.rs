//! The audit log: what an import pays for it, and what those take who verify it or check a proof of one event.

use std::hint::black_box;

use tempfile::tempdir;

use crate::input;
use crate::measure::{fast, slow, slow_with};
use crate::ours::audit::{self, Log};
use crate::report::{Aim, Report, Row, Unit};
use crate::{floor, ours};

/// Events of the log.
const EVENTS: usize = 1_000_000;

/// Imports in one transaction that is not committed: what is timed is the work, and not the disk.
const IMPORTS: usize = 2_000;

const RUNS: usize = 25;

/// Runs that read the whole log.
const RUNS_OF_ALL: usize = 5;

/// Events that are proved.
const PROOFS: usize = 200;

/// Bytes of an event where hashing alone is timed.
const BODY: usize = 512;

pub(super) fn measure(report: &mut Report) {
    report.group("The audit log, of 1,000,000 events");
    let folder = tempdir().expect("a folder");
    let log = Log::create(&folder.path().join("al.db"), EVENTS as u64);
    let bodies = audit::bodies(EVENTS as u64);
    let leaves = floor::Leaves::create(&folder.path().join("bare.db"), bodies);

    append(report, &log, &leaves);

    let texts: Vec<u8> = (0_u8..=255).cycle().take(10_000 * BODY).collect();
    let bodies = || texts.chunks(BODY);
    let hash = slow(RUNS, || audit::root(bodies()));
    let bare = slow(RUNS, || {
        bodies()
            .map(|body| ours::hash(body)[0])
            .fold(0, |a, b| a ^ b)
    });
    let row = Row::new("hash events of 512 bytes to a root", Unit::PerSecond, hash).floor(bare);
    report.add(row.per(texts.len() / BODY).aim(Aim::AtLeast(1e6)));

    let reader = log.open();
    let verify = slow(RUNS_OF_ALL, || {
        assert_eq!(audit::verify(&reader), EVENTS as u64);
    });
    let bare = slow(RUNS_OF_ALL, || assert_eq!(leaves.hash_all(), EVENTS as u64));
    let row = Row::new("verify what is stored", Unit::PerSecond, verify).floor(bare);
    report.add(row.per(EVENTS).aim(Aim::AtLeast(4e5)));

    let seqs = input::numbers(PROOFS, EVENTS);
    let seqs: Vec<u64> = seqs.into_iter().map(|seq| seq as u64).collect();
    let prove = slow(RUNS, || {
        for seq in &seqs {
            black_box(audit::prove(&reader, *seq));
        }
    });
    let row = Row::new("prove one of them, at random", Unit::Microseconds, prove);
    report.add(row.per(PROOFS).aim(Aim::AtMost(1_000.0)));

    for (what, keys) in [
        ("read and check a proof", vec![]),
        ("the same, signed by its log", vec![log.key()]),
    ] {
        let proof = log.proof(seqs[0], !keys.is_empty());
        let check = fast(|| assert!(audit::check(&proof, &keys)));
        report.add(Row::new(what, Unit::Microseconds, check).aim(Aim::AtMost(200.0)));
    }
}

/// What an import does for the log, and of that what it does without the store.
fn append(report: &mut Report, log: &Log, leaves: &floor::Leaves) {
    let body = vec![b'x'; BODY];
    let bare = slow_with(
        RUNS,
        || leaves.begin(),
        |()| {
            let mut insert = leaves.insert();
            (0..IMPORTS).for_each(|_| insert.one(&body));
            drop(insert);
            Undo(leaves)
        },
    );
    let tree = log.append().tree();
    for (signature, signed) in [("", false), (", signed", true)] {
        let imports = slow_with(
            RUNS,
            || log.append(),
            |append| {
                (0..IMPORTS).for_each(|_| drop(black_box(append.import(signed))));
                append
            },
        );
        let what = format!("what an import appends, but for its commit{signature}");
        let row = Row::new(what, Unit::Microseconds, imports).floor(bare);
        report.add(row.per(IMPORTS).aim(Aim::AtMost(100.0)));
        let make = slow_with(
            RUNS,
            || tree.clone(),
            |mut tree| (0..IMPORTS).for_each(|_| drop(black_box(log.make(&mut tree, signed)))),
        );
        let what = format!("of that, all but the store's part{signature}");
        report.add(Row::new(what, Unit::Microseconds, make).per(IMPORTS));
    }
}

/// A transaction that is undone behind the clock.
struct Undo<'l>(&'l floor::Leaves);

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        self.0.undo();
    }
}
