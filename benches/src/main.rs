//! The performance of Lattice, beside a hand-written lower bound and its peers, in one run on the same inputs.
//!
//! ```text
//! lattice-bench [--only GROUP]… [--write FILE]    measures and prints the tables
//! lattice-bench instructions [--accept]           compares instruction counts with those that are checked in
//! lattice-bench bindings FOLDER                   writes what `python.py` and `node.mjs` need
//! ```
//!
//! `memory`, `hash` and `job` are for processes that it starts itself.

mod bindings;
mod floor;
mod input;
mod instructions;
mod machine;
mod measure;
mod memory;
mod ours;
#[cfg_attr(not(feature = "peers"), path = "no_peers.rs")]
mod peers;
mod report;
mod rows;
mod table;

use std::env;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use report::{Group, Report};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// The words around the tables.
const TEMPLATE: &str = include_str!("../performance.md.in");

/// Rows that other languages measured, as `benches/python.py` and `benches/node.mjs` write them.
const EXTRA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/rows");

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["memory", name] => match rows::memory_job(name) {
            Some(bytes) => println!("{} {}", bytes.peak, bytes.kept),
            None => return usage(),
        },
        ["hash", file] => println!("{}", measure::once(|| ours::hash_file(Path::new(file)))),
        ["job", name] => {
            if !instructions::run(name) {
                return usage();
            }
        }
        ["bindings", folder] => bindings::write(Path::new(folder)),
        ["instructions"] => return instructions::check(false),
        ["instructions", "--accept"] => return instructions::check(true),
        options => return measure(options),
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    let groups: Vec<_> = rows::GROUPS.iter().map(|(name, _)| *name).collect();
    eprintln!(
        "usage: lattice-bench [--only GROUP]… [--write FILE] | instructions [--accept] | bindings FOLDER"
    );
    eprintln!("groups: {}", groups.join(", "));
    ExitCode::from(64)
}

fn measure(mut options: &[&str]) -> ExitCode {
    let (mut only, mut file) = (Vec::new(), None);
    while let [option, value, rest @ ..] = options {
        match *option {
            "--only" if rows::GROUPS.iter().any(|(name, _)| name == value) => only.push(*value),
            "--write" => file = Some(*value),
            _ => return usage(),
        }
        options = rest;
    }
    if !options.is_empty() {
        return usage();
    }
    machine::warn_of_other_versions();
    let mut report = Report::default();
    for (name, measure) in rows::GROUPS {
        if only.is_empty() || only.contains(name) {
            measure(&mut report);
        }
    }
    if only.is_empty() {
        report.groups.extend(extra());
    }
    let text = page(&report);
    match file {
        Some(file) => fs::write(file, text).expect("the file to write"),
        None => print!("{text}"),
    }
    ExitCode::SUCCESS
}

fn extra() -> Vec<Group> {
    let Ok(entries) = fs::read_dir(EXTRA) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    let read = |path| {
        serde_json::from_str(&fs::read_to_string(path).expect("rows")).expect("a group of rows")
    };
    paths.into_iter().map(read).collect()
}

/// The page with its figures.
fn page(report: &Report) -> String {
    let ticks = &report.yardsticks;
    let best = ticks.iter().map(|tick| tick.best);
    let median = ticks.iter().map(|tick| tick.median);
    let [best, worst] = [
        best.fold(f64::INFINITY, f64::min),
        median.fold(0.0, f64::max),
    ];
    TEMPLATE
        .replace("{date}", &machine::today())
        .replace("{machine}", &machine::machine())
        .replace("{compiler}", &machine::compiler())
        .replace("{versions}", &machine::versions())
        .replace(
            "{yardstick}",
            &format!("{best:.2} ns at best, and {worst:.2} ns in the worst median"),
        )
        .replace("{score}", &table::score(report))
        .replace("{tables}", table::markdown(report).trim_end())
}
