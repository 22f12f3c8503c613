//! How many instructions fixed jobs take, which does not depend on what else the machine does.
//!
//! Each job runs once under callgrind, which counts only inside [`measured`]. The counts that are checked in belong to
//! one compiler and one target; `make bench-instructions-accept` writes them anew.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use serde::{Deserialize, Serialize};

use crate::input::{self, CONTEXTS, Rules, type_of};
use crate::{machine, ours};

/// How many policies, conditions or actions a job is about.
const COUNT: usize = 1000;

/// By how much a count may grow.
const TOLERANCE: f64 = 0.03;

/// The counts that are checked in.
const ACCEPTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

#[derive(Debug, Serialize, Deserialize)]
struct Accepted {
    compiler: String,
    jobs: BTreeMap<String, u64>,
}

const JOBS: &[(&str, fn())] = &[
    ("compile_condition", compile_condition),
    ("decide", decide),
    ("digest", digest),
    ("evaluate", evaluate),
    ("parse_action", parse_action),
    ("plan", plan),
    ("read", read),
    ("verify_log", verify_log),
    ("write", write),
];

/// What callgrind counts.
#[inline(never)]
fn measured(job: &mut dyn FnMut()) {
    job();
    // Keeps this a function of its own, and not a jump to the job.
    black_box(());
}

fn read() {
    let text = input::by_hand(&input::policies(COUNT));
    measured(&mut || drop(black_box(ours::read(&text))));
}

fn write() {
    let set = ours::compile(ours::specs(&input::policies(COUNT)));
    measured(&mut || drop(black_box(ours::write(&set))));
}

fn compile_condition() {
    let text = Rules::example().canonical();
    measured(&mut || (0..COUNT).for_each(|_| drop(black_box(ours::condition(&text)))));
}

fn evaluate() {
    let conditions = ours::condition(&Rules::example().canonical());
    let texts = CONTEXTS.map(|context| context.action("deploy.production"));
    let actions = texts.each_ref().map(|json| ours::action(json));
    measured(&mut || {
        for action in actions.iter().cycle().take(COUNT) {
            black_box(ours::test(&conditions, action));
        }
    });
}

fn decide() {
    let set = ours::compile(ours::specs(&input::with_rules(COUNT, None)));
    let texts: Vec<_> = (0..COUNT)
        .map(|n| CONTEXTS[n % CONTEXTS.len()].action(&type_of(n)))
        .collect();
    let actions: Vec<_> = texts.iter().map(|json| ours::action(json)).collect();
    // The index is made at first use.
    black_box(ours::decide(&set, &actions[0]));
    measured(&mut || {
        for action in &actions {
            black_box(ours::decide(&set, action));
        }
    });
}

fn parse_action() {
    let actions: Vec<_> = CONTEXTS
        .iter()
        .map(|context| context.action("deploy.production"))
        .collect();
    measured(&mut || {
        for json in actions.iter().cycle().take(COUNT) {
            black_box(ours::action(json));
        }
    });
}

fn plan() {
    let before = input::policies(COUNT);
    let desired = ours::compile(ours::specs(&input::changed(&before, 40)));
    let state = ours::state(&ours::compile(ours::specs(&before)));
    measured(&mut || drop(black_box(ours::plan(&state, &desired))));
}

fn digest() {
    let set = ours::compile(ours::specs(&input::policies(COUNT)));
    measured(&mut || {
        black_box(ours::digest(&set));
    });
}

fn verify_log() {
    let records = ours::audit::records(COUNT as u64);
    measured(&mut || {
        let verdict = ours::audit::judge(&records);
        assert_eq!(verdict.first_broken_seq, None, "{:?}", verdict.reason);
    });
}

/// Runs one job; `false` if there is none of that name.
pub fn run(name: &str) -> bool {
    let job = JOBS.iter().find(|(known, _)| *known == name);
    job.inspect(|(_, job)| job()).is_some()
}

/// Counts every job and compares, or accepts what is counted.
pub fn check(accept: bool) -> ExitCode {
    let counted = Accepted {
        compiler: machine::compiler(),
        jobs: count_all(),
    };
    if accept {
        let text = serde_json::to_string_pretty(&counted).expect("numbers") + "\n";
        fs::write(ACCEPTED, text).expect("the file of the counts");
        return ExitCode::SUCCESS;
    }
    let text = fs::read_to_string(ACCEPTED).expect("the file of the counts");
    let accepted: Accepted = serde_json::from_str(&text).expect("counts");
    if accepted.compiler != counted.compiler {
        eprintln!(
            "the counts are of {}, and this is {}",
            accepted.compiler, counted.compiler
        );
    }
    println!(
        "{:20} {:>15} {:>15} {:>9}",
        "job", "accepted", "now", "change"
    );
    let mut worse = false;
    for (job, now) in &counted.jobs {
        let before = accepted.jobs.get(job).copied();
        worse |= print(job, before, *now);
    }
    for job in accepted
        .jobs
        .keys()
        .filter(|job| !counted.jobs.contains_key(*job))
    {
        println!(
            "{job:20} was accepted, and is no job any more: run `make bench-instructions-accept`"
        );
        worse = true;
    }
    if worse {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Prints a row of the comparison and returns whether it is a regression.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn print(job: &str, accepted: Option<u64>, now: u64) -> bool {
    let Some(before) = accepted else {
        println!(
            "{job:20} {:>15} {now:>15}            new: run `make bench-instructions-accept`",
            "-"
        );
        return true;
    };
    let change = now as f64 / before as f64 - 1.0;
    let verdict = match change {
        change if change > TOLERANCE => "  worse",
        change if change < -TOLERANCE => "  better: run `make bench-instructions-accept`",
        _ => "",
    };
    println!(
        "{job:20} {before:>15} {now:>15} {:>+8.2}%{verdict}",
        change * 100.0
    );
    change > TOLERANCE
}

fn count_all() -> BTreeMap<String, u64> {
    let folder = tempfile::tempdir().expect("a folder");
    JOBS.iter()
        .map(|(job, _)| ((*job).to_owned(), count(job, &folder.path().join(job))))
        .collect()
}

fn count(job: &str, out: &Path) -> u64 {
    let me = env::current_exe().expect("the path of this program");
    let status = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--collect-atstart=no",
            "--toggle-collect=*instructions*measured*",
        ])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(me)
        .args(["job", job])
        .stderr(Stdio::null())
        .status()
        .expect("valgrind, which `make bench-instructions` needs");
    assert!(status.success(), "the job {job} failed under callgrind");
    let text = fs::read_to_string(out).expect("what callgrind wrote");
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))
        .and_then(|total| total.trim().parse().ok());
    let total = total.expect("a total");
    assert!(total > 0, "callgrind counted nothing of {job}");
    total
}
