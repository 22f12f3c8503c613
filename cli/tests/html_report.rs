//! HTML reports in a real browser: what it makes of them, how they look on a phone and whether they can be read.
//!
//! A page of ours loads the report into frames of several widths and measures it from outside, because no script runs
//! inside a report.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use al::{Report, report};
use common::plan::{change, drifted, everything, field, hostile, plan, string};
use lattice_core::Value;
use lattice_core::view::{ChangeAction, Plan};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// Measures the report in the frame and leaves what it found as JSON.
const PROBE: &str = include_str!("html_report/probe.html");

/// How long a browser may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Debug, Clone, Copy)]
enum Scheme {
    Dark = 0,
    Light = 1,
}

fn browser() -> PathBuf {
    if let Some(named) = env::var_os("CHROMIUM") {
        return named.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    ["chromium", "google-chrome"]
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
        .unwrap_or_else(|| {
            panic!("no browser: install chromium, or set CHROMIUM to one (these tests open reports in it)")
        })
}

/// What the browser makes of the plan's report in a frame of that width.
fn look(plan: &Plan, width: u32, scheme: Scheme) -> Json {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("report.html"), report(plan, Report::Html)).unwrap();
    std::fs::write(
        path("probe.html"),
        PROBE.replace("WIDTH", &width.to_string()),
    )
    .unwrap();
    let dom = std::fs::File::create(path("dom.html")).unwrap();
    let browser = browser();
    let mut child = Command::new(&browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--allow-file-access-from-files",
            "--virtual-time-budget=10000",
            "--window-size=1400,1000",
            "--dump-dom",
        ])
        .arg(format!(
            "--blink-settings=preferredColorScheme={}",
            scheme as u8
        ))
        .arg(format!("--user-data-dir={}", path("profile").display()))
        .arg(format!("file://{}", path("probe.html").display()))
        .stdin(Stdio::null())
        .stdout(dom)
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{} cannot be started: {error}", browser.display()));
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{} did not come to an end", browser.display());
        }
        sleep(Duration::from_millis(50));
    }
    let dom = std::fs::read_to_string(path("dom.html")).unwrap();
    let found = dom
        .split_once("<pre id=\"found\">")
        .and_then(|(_, rest)| rest.split_once("</pre>"));
    let (found, _) = found.unwrap_or_else(|| panic!("the probe found nothing: {dom}"));
    serde_json::from_str(found).unwrap_or_else(|error| panic!("{error}: {found}"))
}

/// What holds for every report: nothing in it runs, loads or sticks out, and all of it can be read.
fn assert_sound(seen: &Json, width: u32) {
    assert_eq!(
        seen["active"],
        json!([]),
        "elements that run or load something"
    );
    assert_eq!(seen["handlers"], json!([]), "attributes that run something");
    assert_eq!(seen["links"], json!([]), "links that lead elsewhere");
    assert_eq!(
        seen["lost"],
        json!([]),
        "links within the page that lead nowhere"
    );
    assert_eq!(seen["doubled"], json!([]), "ids that are there twice");
    assert_eq!(seen["skipped"], json!([]), "headings that skip a level");
    assert_eq!(seen["faint"], json!([]), "text with too little contrast");
    assert_eq!(seen["wide"], json!([]), "elements that stick out");
    assert!(
        seen["width"].as_u64().unwrap() <= u64::from(width),
        "{}",
        seen["width"]
    );
    assert_eq!(seen["quirks"], json!("CSS1Compat"));
}

fn expected_cards(plan: &Plan) -> Json {
    let changed = plan.changes.iter().filter_map(|change| {
        let badge = match change.action {
            ChangeAction::Add => "+ added",
            ChangeAction::Modify => "~ modified",
            ChangeAction::Deactivate => "− deactivated",
            ChangeAction::Unchanged | ChangeAction::Untouched => return None,
        };
        let name = change.name.replace('\u{202e}', "\\u{202e}");
        let fields: Vec<String> = change
            .fields
            .iter()
            .map(|field| field.field.replace('\u{202e}', "\\u{202e}"))
            .collect();
        Some(json!({"badge": badge, "name": name, "fields": fields, "back": change.reactivated}))
    });
    changed.collect()
}

#[test]
fn a_report_as_a_browser_reads_it() {
    let plan = drifted();
    for (width, scheme) in [
        (1280, Scheme::Light),
        (1280, Scheme::Dark),
        (390, Scheme::Light),
        (390, Scheme::Dark),
    ] {
        let seen = look(&plan, width, scheme);
        assert_sound(&seen, width);
        assert_eq!(seen["title"], "Comparison: staging → policies.yaml · al");
        assert_eq!(
            seen["tiles"],
            json!({"added": "+2", "modified": "~2", "deactivated": "−1", "unchanged": "=2", "untouched": "·1"})
        );
        assert_eq!(seen["cards"], expected_cards(&plan));
        assert_eq!(
            seen["kept"],
            json!(["break-glass", "read-only", "secrets-read"])
        );
        // A phone has one side below the other, each with its label; the lines of both sides stand level elsewhere.
        assert_eq!(seen["stacked"], json!(width == 390));
        assert_eq!(seen["level"], json!(width != 390));
        assert_eq!(seen["labels"], json!(width == 390));
        // The scheme is the reader's.
        assert_eq!(seen["dark"], json!(matches!(scheme, Scheme::Dark)));
    }
}

#[test]
fn hostile_text_is_text_to_a_browser() {
    let plan = hostile();
    for width in [1280, 390] {
        let seen = look(&plan, width, Scheme::Light);
        assert_sound(&seen, width);
        assert_eq!(seen["cards"], expected_cards(&plan));
        assert_eq!(
            seen["turned"],
            json!(false),
            "a character that turns the reading order"
        );
        assert!(
            seen["title"]
                .as_str()
                .unwrap()
                .starts_with("Comparison: <script>document.title=")
        );
    }
}

#[test]
fn long_words_stay_inside_a_narrow_phone() {
    let long = "a".repeat(200);
    let lines = format!("first\n{}\nlast\n", "long ".repeat(400));
    let mut plan = plan(vec![
        change(
            &long,
            ChangeAction::Modify,
            vec![
                field(
                    &long,
                    string(&"b".repeat(2_000)),
                    string(&"c".repeat(2_000)),
                ),
                field("conditions", string("first\nlast\n"), string(&lines)),
            ],
        ),
        change(
            &format!("{long}b"),
            ChangeAction::Add,
            vec![field(&long, Value::Null, string(&lines))],
        ),
        change(&format!("{long}c"), ChangeAction::Untouched, Vec::new()),
    ]);
    plan.notes = vec![long.clone(), format!("`{long}`")];
    plan.manifest.file = Some(long);
    for width in [1280, 390, 320] {
        assert_sound(&look(&plan, width, Scheme::Light), width);
    }
}

#[test]
fn a_report_without_changes_says_so() {
    let nothing = Plan {
        applied: true,
        dry_run: false,
        ..plan(Vec::new())
    };
    let seen = look(&nothing, 390, Scheme::Light);
    assert_sound(&seen, 390);
    assert_eq!(seen["cards"], json!([]));
    assert!(
        seen["text"]
            .as_str()
            .unwrap()
            .contains("No policy changes.")
    );
    let some = look(&everything(), 390, Scheme::Light);
    assert!(
        !some["text"]
            .as_str()
            .unwrap()
            .contains("No policy changes.")
    );
}
