//! Inputs and our own figures for `python.py` and `node.mjs`, which measure what crossing into their language adds.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use serde_json::json;

use crate::input::{self, CONTEXTS, type_of};
use crate::measure::{Figure, fast, slow};
use crate::ours;

const COUNT: usize = 10_000;
const RUNS: usize = 9;

/// Writes `manifest.yaml`, `decisions.yaml`, `actions.json` and `rust.json`.
pub fn write(folder: &Path) {
    let manifest = input::canonical(&input::policies(COUNT));
    let policies = input::with_rules(COUNT, None);
    let set = ours::compile(ours::specs(&policies));
    let actions: Vec<String> = (0..COUNT)
        .map(|n| CONTEXTS[n % CONTEXTS.len()].action(&type_of(n)))
        .collect();
    let decide = |json: &String| drop(black_box(ours::decide(&set, &ours::action(json))));

    let shown = |figure: Figure| json!({"best": figure.best, "median": figure.median});
    let figures = json!({
        "parse": shown(slow(RUNS, || ours::read(&manifest))),
        "decide": shown(fast(|| decide(&actions[0]))),
        "decide_many": shown(slow(RUNS, || actions.iter().for_each(decide))),
    });
    let files = [
        ("manifest.yaml", manifest),
        ("decisions.yaml", input::canonical(&policies)),
        ("actions.json", json!(actions).to_string()),
        ("rust.json", figures.to_string()),
    ];
    fs::create_dir_all(folder).expect("a folder");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("a file");
    }
}
