//! How long things take, and how much memory.

use std::env;
use std::ffi::OsStr;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use serde::Deserialize;

/// How long a batch of a fast job should take, in nanoseconds: far above the resolution of the clock, and short enough
/// that many batches run undisturbed.
const BATCH: f64 = 400_000.0;

/// How many batches of a fast job run.
const BATCHES: usize = 500;

/// The best and the median of the runs of a job.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Figure {
    /// The best run: what the machine can do when nobody else uses it.
    pub best: f64,
    /// The median run.
    pub median: f64,
}

impl Figure {
    /// A figure that does not vary, such as a size in bytes.
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    pub fn exact(value: usize) -> Self {
        let value = value as f64;
        Figure {
            best: value,
            median: value,
        }
    }

    /// Of runs where less is better.
    fn of(mut runs: Vec<f64>) -> Self {
        runs.sort_by(f64::total_cmp);
        Figure {
            best: runs[0],
            median: runs[runs.len() / 2],
        }
    }

    /// The figure in another unit.
    pub fn map(self, convert: impl Fn(f64) -> f64) -> Self {
        Figure {
            best: convert(self.best),
            median: convert(self.median),
        }
    }

    /// The share of one of `count`.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn per(self, count: usize) -> Self {
        self.map(|value| value / count as f64)
    }
}

/// Nanoseconds of a job that takes less than a millisecond.
pub fn fast<T>(mut job: impl FnMut() -> T) -> Figure {
    let mut size = 1_u32;
    // The loop that finds the size of a batch warms caches and branch predictors up.
    while time(|| (0..size).for_each(|_| drop(black_box(job())))) < BATCH {
        size = size.saturating_mul(2);
    }
    let mut batch = || time(|| (0..size).for_each(|_| drop(black_box(job())))) / f64::from(size);
    Figure::of((0..BATCHES).map(|_| batch()).collect())
}

/// Nanoseconds of one run.
pub fn once<T>(job: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    let result = black_box(job());
    let elapsed = nanoseconds(start);
    drop(result);
    elapsed
}

/// Nanoseconds of a job that is run `runs` times in a process of its own each time, which writes them.
pub fn in_children(runs: usize, arguments: &[&OsStr]) -> Figure {
    let run = || in_child(arguments).trim().parse().expect("a number");
    Figure::of((0..runs).map(|_| run()).collect())
}

/// What this program writes as a process of its own.
pub fn in_child(arguments: &[&OsStr]) -> String {
    let me = env::current_exe().expect("the path of this program");
    let output = Command::new(me).args(arguments).output();
    let output = output.expect("a process for a job");
    assert!(
        output.status.success(),
        "the job {arguments:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// Nanoseconds of a slow job, run `runs` times.
pub fn slow<T>(runs: usize, mut job: impl FnMut() -> T) -> Figure {
    slow_with(runs, || (), |()| job())
}

/// Nanoseconds of a slow job that needs something made for each run.
pub fn slow_with<S, T>(
    runs: usize,
    mut make: impl FnMut() -> S,
    mut job: impl FnMut(S) -> T,
) -> Figure {
    let mut run = || {
        let input = make();
        once(|| job(input))
    };
    Figure::of((0..runs).map(|_| run()).collect())
}

fn time(job: impl FnOnce()) -> f64 {
    let start = Instant::now();
    job();
    nanoseconds(start)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a run is far shorter than 2^53 ns"
)]
fn nanoseconds(start: Instant) -> f64 {
    start.elapsed().as_nanos() as f64
}

/// Ten multiplications, which nothing but the speed of the machine can change. They are timed before every group of rows:
/// the closer the yardsticks of a run are, the more its figures count.
pub fn yardstick() -> Figure {
    fast(|| {
        (0..10).fold(black_box(1_u64), |x, _| {
            x.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (x >> 29)
        })
    })
}
