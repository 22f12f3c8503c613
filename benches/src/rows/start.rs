//! The program from its start to its end.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::input;
use crate::measure::{Figure, slow};
use crate::ours;
use crate::report::{Aim, Report, Row, Unit};

const RUNS: usize = 200;

/// GNU time.
const TIME: &str = "/usr/bin/time";

pub(super) fn measure(report: &mut Report) {
    let al = ours::executable();
    if !al.exists() {
        eprintln!(
            "\nno release build of `al`: run `cargo build --release -p al` to measure how it starts"
        );
        return;
    }
    if !Path::new(TIME).exists() {
        eprintln!("\nno GNU time in {TIME}: it measures how `al` starts");
        return;
    }
    report.group("`al`, from start to end, beside `true`");
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("manifest.yaml");
    fs::write(&manifest, input::canonical(&input::policies(10))).expect("a file");
    let version = [al.as_os_str(), OsStr::new("--version")];
    let validate = [al.as_os_str(), OsStr::new("validate"), manifest.as_os_str()];
    let nothing = [OsStr::new("/bin/true")];

    let (floor, least) = (time(&nothing), resident(&nothing));
    for (what, command, most) in [
        ("`al --version`", &version[..], 1.5),
        ("`al validate`, 10 policies", &validate[..], 4.0),
    ] {
        report.add(
            Row::new(what, Unit::Milliseconds, time(command))
                .floor(floor)
                .aim(Aim::AtMost(most)),
        );
        let row = Row::new(
            format!("{what}, resident"),
            Unit::Mebibytes,
            resident(command),
        );
        report.add(row.floor(least).aim(Aim::AtMost(8.0)));
    }
}

fn command(words: &[&OsStr]) -> Command {
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        // `cargo run` sets it, and the loader looks in four folders more. A shell does not.
        .env_remove("LD_LIBRARY_PATH")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn time(words: &[&OsStr]) -> Figure {
    slow(RUNS, || {
        let status = command(words).status().expect("a process");
        assert!(status.success());
    })
}

/// What a command has resident at most, in bytes, as GNU time says: it is small, and the memory of whoever starts a process
/// counts until the process runs its own program.
fn resident(words: &[&OsStr]) -> Figure {
    let output = Command::new(TIME)
        .args(["--format", "%M"])
        .args(words)
        .output()
        .expect("a process");
    let text = String::from_utf8(output.stderr).expect("a number");
    // The command may have had something to say, too.
    let last = text.lines().next_back().unwrap_or_default();
    let kibibytes: usize = last.parse().expect("a number");
    Figure::exact(kibibytes * 1024)
}
