//! Manifests: text to policies and back.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::input::Policy;
use crate::measure::{Figure, in_children, slow};
use crate::report::{Aim, Peer, Report, Row, Unit};
use crate::{floor, input, memory, ours, peers};

/// The number of policies of a large manifest.
pub(super) const LARGE: usize = 100_000;

const MEDIUM: usize = 10_000;
const SMALL: usize = 100;

pub(super) fn measure(report: &mut Report) {
    report.group("Manifests, per policy");
    let [small, medium, large] = [SMALL, MEDIUM, LARGE].map(input::policies);
    check(&medium);
    let text = input::canonical(&medium);
    let others = peers::reads(&text, &medium);
    let mut read = |what: &str, text: &str, count, runs, peers| {
        let row = Row::new(what, Unit::Microseconds, slow(runs, || ours::read(text)));
        let row = row.floor(slow(runs, || floor::scan(text))).peers(peers);
        report.add(row.per(count).aim(Aim::AtMost(8.0)));
    };
    read(
        "read, check and compile 100",
        &input::canonical(&small),
        SMALL,
        200,
        Vec::new(),
    );
    read("read, check and compile 10,000", &text, MEDIUM, 9, others);
    read(
        "read, check and compile 100,000",
        &input::canonical(&large),
        LARGE,
        3,
        Vec::new(),
    );
    read(
        "read, check and compile 10,000 formatted by hand",
        &input::by_hand(&medium),
        MEDIUM,
        9,
        Vec::new(),
    );
    read(
        "read, check and compile 100,000 formatted by hand",
        &input::by_hand(&large),
        LARGE,
        3,
        Vec::new(),
    );
    peak(report);
    writing(report);
    hashing(report);
}

/// Both spellings of a manifest are the policies that it was made of, and the canonical one is canonical.
fn check(policies: &[Policy]) {
    let compiled = ours::compile(ours::specs(policies));
    let canonical = input::canonical(policies);
    for text in [&canonical, &input::by_hand(policies)] {
        assert!(
            *ours::read(text).policies() == compiled,
            "another manifest than it was made of"
        );
    }
    assert_eq!(ours::format(&canonical), canonical);
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
        // An allocator would give the memory of the run before.
        in_children(15, &["hash".as_ref(), file.as_ref()]),
    );
    let row = row
        .floor(slow(15, || floor::hash_file(&file)))
        .peers(sha256sum(&file));
    report.add(row.per(text.len()).aim(Aim::AtLeast(1.2)));
    let row = Row::new(
        "of that, hash it",
        Unit::GigabytesPerSecond,
        slow(15, || ours::hash(text.as_bytes())),
    );
    report.add(row.per(text.len()));
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
