//! What a second thread adds. Each thread does the whole work of one, so that 2 is perfect.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use crate::input::{self, CONTEXTS};
use crate::measure::Figure;
use crate::ours;
use crate::report::{Aim, Report, Row, Unit};

const RUNS: usize = 7;

pub(super) fn measure(report: &mut Report) {
    report.group("Two threads, as a multiple of one");
    let ideal = speedup(|| {
        (0..3_000_000).fold(1_u64, |x, n| {
            black_box(x ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        })
    });
    let set = ours::compile(ours::specs(&input::with_rules(10_000, None)));
    let actions: Vec<String> = (0..20_000)
        .map(|n| CONTEXTS[n % 8].action(&input::type_of(n % 10_000)))
        .collect();
    let row = Row::new(
        "decide about 20,000 actions in JSON",
        Unit::Times,
        speedup(|| decide(&set, &actions)),
    );
    report.add(row.floor(ideal).aim(Aim::AtLeast(1.7)));
    let specs = ours::specs(&input::policies(10_000));
    let row = Row::new(
        "compile 10,000 policies",
        Unit::Times,
        speedup(|| ours::compile(specs.clone())),
    );
    report.add(row.floor(ideal).aim(Aim::AtLeast(1.7)));
}

fn decide(set: &lattice_core::PolicySet, actions: &[String]) {
    for json in actions {
        black_box(ours::decide(set, &ours::action(json)));
    }
}

/// How much faster two threads are than one: the best of each, and the medians.
fn speedup<T>(job: impl Fn() -> T + Sync) -> Figure {
    let run = || drop(black_box(job()));
    let [mut one, mut two] = [[0.0; RUNS]; 2];
    // In turns, so that a busy spell slows both.
    for (one, two) in one.iter_mut().zip(&mut two) {
        *one = seconds(run);
        *two = seconds(|| {
            thread::scope(|scope| {
                scope.spawn(run);
                run();
            });
        });
    }
    one.sort_by(f64::total_cmp);
    two.sort_by(f64::total_cmp);
    let ratio = |index: usize| 2.0 * one[index] / two[index];
    Figure {
        best: ratio(0),
        median: ratio(RUNS / 2),
    }
}

fn seconds(job: impl FnOnce()) -> f64 {
    let start = Instant::now();
    job();
    start.elapsed().as_secs_f64()
}
