//! Differences of two large sets.

use std::hash::RandomState;

use crate::input;
use crate::measure::slow;
use crate::report::{Aim, Report, Row, Unit};
use crate::{floor, ours, peers};

const COUNT: usize = 100_000;
const RUNS: usize = 9;

pub(super) fn measure(report: &mut Report) {
    report.group("Plans of 100,000 policies, 4 % of them changed, per policy");
    let before = input::policies(COUNT);
    let after = input::changed(&before, 40);
    let state = ours::state(&ours::compile(ours::specs(&before)));
    let desired = ours::compile(ours::specs(&after));
    let random = RandomState::new();
    let hashes = [&before, &after].map(|policies| floor::hashes(policies, &random));

    let counts = ours::changes(&ours::plan(&state, &desired));
    assert_eq!(counts, [COUNT / 100, COUNT / 50, COUNT / 100]);
    assert_eq!(floor::diff(&before, &after), counts);
    assert_eq!(floor::diff_hashes(&hashes[0], &hashes[1]), counts);
    // Each names one change for a policy that is added, modified or removed.
    for found in peers::changes(&before, &after) {
        assert_eq!(found, counts.iter().sum::<usize>());
    }

    let plan = slow(RUNS, || ours::plan(&state, &desired));
    let row = Row::new(
        "plan, beside a join of hashes made before",
        Unit::Nanoseconds,
        plan,
    );
    let floor = slow(RUNS, || floor::diff_hashes(&hashes[0], &hashes[1]));
    report.add(row.floor(floor).per(COUNT).aim(Aim::AtMost(40.0)));
    // Not an aim of its own: without digests, 350 ns would do.
    let row = Row::new(
        "the same, beside a join of names that compares",
        Unit::Nanoseconds,
        plan,
    );
    let row = row
        .floor(slow(RUNS, || floor::diff(&before, &after)))
        .peers(peers::diffs(&before, &after));
    report.add(row.per(COUNT));
    let digest = slow(RUNS, || ours::digest(&desired));
    report.add(Row::new("state digest", Unit::Nanoseconds, digest).per(COUNT));
}
