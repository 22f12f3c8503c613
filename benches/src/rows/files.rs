//! Manifests: text to policies and back.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::memory;
use crate::measure::{Figure, slow};
use crate::report::{Aim, Peer, Report, Row, Unit};
use crate::{floor, input, ours, peers};

/// The number of policies of a large manifest.
pub(super) const LARGE: usize = 100_000;

const MEDIUM: usize = 10_000;
const SMALL: usize = 100;

const READ: Aim = Aim::AtMost(8.0);

pub(super) fn measure(report: &mut Report) {
    report.group("Manifests, per policy");
    for (count, runs) in [(SMALL, 200), (MEDIUM, 9), (LARGE, 3)] {
        let policies = input::policies(count);
        let text = input::canonical(&policies);
        check(&policies, &text);
        let row = Row::new(
            format!("read, check and compile {}", plural(count)),
            Unit::Microseconds,
            slow(runs, || ours::read(&text)),
        );
        let peers = if count == MEDIUM {
            peers::reads(&text, &policies)
        } else {
            Vec::new()
        };
        report.add(
            row.floor(slow(runs, || floor::scan(&text)))
                .peers(peers)
                .per(count)
                .aim(READ),
        );
    }
    for (count, runs) in [(MEDIUM, 9), (LARGE, 3)] {
        let policies = input::policies(count);
        let text = input::by_hand(&policies);
        if count == MEDIUM {
            check(&policies, &text);
        }
        let row = Row::new(
            format!("the same, formatted by hand, {}", plural(count)),
            Unit::Microseconds,
            slow(runs, || ours::read(&text)),
        );
        report.add(
            row.floor(slow(runs, || floor::scan(&text)))
                .per(count)
                .aim(READ),
        );
    }
    peak(report);
    writing(report);
    hashing(report);
}

/// Both spellings of the manifest are the same policies, and the canonical one is canonical.
fn check(policies: &[input::Policy], text: &str) {
    let read = ours::read(text);
    assert!(
        *read.policies() == ours::compile(ours::specs(policies)),
        "the manifest is not what it was made of"
    );
    assert_eq!(
        ours::format(&input::canonical(policies)),
        input::canonical(policies)
    );
}

fn peak(report: &mut Report) {
    let size = input::canonical(&input::policies(LARGE)).len();
    let bytes = memory::in_child("read");
    let share = |bytes: usize| Figure::exact(bytes).per(size);
    report.add(
        Row::new(
            "peak heap of reading 100,000, the text included ÷ file",
            Unit::Times,
            share(bytes.peak),
        )
        .aim(Aim::AtMost(2.0)),
    );
    report.add(Row::new(
        "heap that its policies keep ÷ file",
        Unit::Times,
        share(bytes.kept),
    ));
}

fn writing(report: &mut Report) {
    let policies = input::policies(MEDIUM);
    let set = ours::compile(ours::specs(&policies));
    let row = Row::new(
        "write 10,000",
        Unit::Microseconds,
        slow(21, || ours::write(&set)),
    );
    let row = row
        .floor(slow(21, || input::canonical(&policies)))
        .peers(peers::writes(&policies));
    report.add(row.per(MEDIUM).aim(Aim::AtMost(1.5)));
    let text = input::by_hand(&policies);
    report.add(
        Row::new(
            "format 10,000",
            Unit::Microseconds,
            slow(5, || ours::format(&text)),
        )
        .per(MEDIUM),
    );
}

fn hashing(report: &mut Report) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("manifest.yaml");
    let text = input::canonical(&input::policies(LARGE));
    fs::write(&file, &text).expect("a file");
    assert_eq!(ours::hash_file(&file), floor::hash_file(&file));
    let row = Row::new(
        "read a manifest of 100,000 from its file and hash it",
        Unit::GigabytesPerSecond,
        slow(15, || ours::hash_file(&file)),
    );
    let row = row
        .floor(slow(15, || floor::hash_file(&file)))
        .peers(sha256sum(&file));
    report.add(row.per(text.len()).aim(Aim::AtLeast(1.2)));
}

/// The program that people check a digest with.
fn sha256sum(file: &Path) -> Vec<Peer> {
    let run = || {
        Command::new("sha256sum")
            .arg(file)
            .stdout(Stdio::null())
            .status()
    };
    if !cfg!(feature = "peers") || run().is_err() {
        return Vec::new();
    }
    vec![Peer::new("sha256sum", slow(7, run))]
}

fn plural(count: usize) -> &'static str {
    match count {
        SMALL => "100",
        MEDIUM => "10,000",
        _ => "100,000",
    }
}
