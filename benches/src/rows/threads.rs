//! What a second thread adds: how many times as fast the same work is done, so that 2 is perfect.

use std::hint::black_box;
use std::num::NonZero;
use std::ops::Range;
use std::thread;
use std::time::Instant;

use crate::input::{self, CONTEXTS};
use crate::measure::Figure;
use crate::ours;
use crate::report::{Aim, Report, Row, Unit};

const RUNS: usize = 15;

const ONE: NonZero<usize> = NonZero::<usize>::MIN;
const TWO: NonZero<usize> = ONE.saturating_add(1);

pub(super) fn measure(report: &mut Report) {
    report.group("Two threads, as a multiple of one");
    let ideal = halves(3_000_000, |range| {
        range.fold(1, |x: usize, n| black_box(x ^ n).wrapping_mul(0x9e37_79b9))
    });
    let mut add = |what: &str, figure, has_aim: bool| {
        let row = Row::new(what, Unit::Times, figure).floor(ideal);
        report.add(if has_aim {
            row.aim(Aim::AtLeast(1.7))
        } else {
            row
        });
    };
    let set = ours::compile(ours::specs(&input::with_rules(10_000, None)));
    let actions: Vec<String> = (0..20_000)
        .map(|n| CONTEXTS[n % 8].action(&input::type_of(n % 10_000)))
        .collect();
    let decide = halves(actions.len(), |range| {
        for json in &actions[range] {
            black_box(ours::decide(&set, &ours::action(json)));
        }
    });
    add("decide about 20,000 actions in JSON", decide, true);
    // What a thread costs to start shows at 1,000; the aim is for large manifests.
    for (count, is_large) in [(1_000, false), (10_000, true), (100_000, true)] {
        let policies = input::policies(count);
        let text = input::canonical(&policies);
        let read = speedup(|threads| seconds(|| ours::read_on(threads, &text)));
        add(&format!("read, check and compile {count}"), read, is_large);
        let specs = ours::specs(&policies);
        let compile = speedup(|threads| {
            let specs = specs.clone();
            seconds(|| ours::compile_on(threads, specs))
        });
        add(
            &format!("compile {count} rows of a store"),
            compile,
            is_large,
        );
    }
}

/// A job in one piece by one thread, against its two halves by two.
fn halves<T>(count: usize, job: impl Fn(Range<usize>) -> T + Sync) -> Figure {
    speedup(|threads| {
        seconds(|| {
            if threads == ONE {
                black_box(job(0..count));
                return;
            }
            thread::scope(|scope| {
                scope.spawn(|| drop(black_box(job(0..count / 2))));
                black_box(job(count / 2..count));
            });
        })
    })
}

/// How much faster two threads are than one: the best of each, and the medians.
fn speedup(run: impl Fn(NonZero<usize>) -> f64) -> Figure {
    let [mut one, mut two] = [[0.0; RUNS]; 2];
    // In turns, so that a busy spell slows both.
    for (one, two) in one.iter_mut().zip(&mut two) {
        *one = run(ONE);
        *two = run(TWO);
    }
    one.sort_by(f64::total_cmp);
    two.sort_by(f64::total_cmp);
    let ratio = |index: usize| one[index] / two[index];
    Figure {
        best: ratio(0),
        median: ratio(RUNS / 2),
    }
}

/// What a job takes, without the time to drop what comes of it.
fn seconds<T>(job: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    let result = job();
    let taken = start.elapsed().as_secs_f64();
    drop(black_box(result));
    taken
}
