//! Inputs and our own figures for `python.py` and `node.mjs`, which measure what crossing into their language adds.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use serde_json::json;

use crate::input::{self, CONTEXTS, type_of};
use crate::measure::{Figure, fast, slow};
use crate::ours;

const COUNT: usize = 10_000;
/// How many action types most batches name at most.
const FEW: usize = 100;
const RUNS: usize = 9;

/// Writes `manifest.yaml`, `decisions.yaml`, `actions.json` (each of a type of its own), `few.json` (of few types) and
/// `rust.json`.
pub fn write(folder: &Path) {
    let manifest = input::canonical(&input::policies(COUNT));
    let policies = input::with_rules(COUNT, None);
    let set = ours::compile(ours::specs(&policies));
    let actions = |types| -> Vec<String> {
        let action = |n: usize| CONTEXTS[n % CONTEXTS.len()].action(&type_of(n % types));
        (0..COUNT).map(action).collect()
    };
    let (actions, few) = (actions(COUNT), actions(FEW));
    let decide = |json: &String| drop(black_box(ours::decide(&set, &ours::action(json))));
    // What a program gets back from a batch is its own, so here it is as well.
    let keep = |json: &String| ours::decide_to_keep(&set, &ours::action(json));
    let many = |actions: &[String]| slow(RUNS, || actions.iter().map(keep).collect::<Vec<_>>());

    let shown = |figure: Figure| json!({"best": figure.best, "median": figure.median});
    let figures = json!({
        "parse": shown(slow(RUNS, || ours::read(&manifest))),
        "decide": shown(fast(|| decide(&actions[0]))),
        "decide_many": shown(many(&actions)),
        "decide_many_few": shown(many(&few)),
    });
    let files = [
        ("manifest.yaml", manifest),
        ("decisions.yaml", input::canonical(&policies)),
        ("actions.json", json!(actions).to_string()),
        ("few.json", json!(few).to_string()),
        ("rust.json", figures.to_string()),
    ];
    fs::create_dir_all(folder).expect("a folder");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("a file");
    }
}
