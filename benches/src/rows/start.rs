//! The program from its start to its end.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

use crate::input;
use crate::measure::{Figure, slow};
use crate::ours;
use crate::report::{Aim, Report, Row, Unit};

const RUNS: usize = 200;

pub(super) fn measure(report: &mut Report) {
    let al = ours::executable();
    if !al.exists() {
        eprintln!(
            "\nno release build of `al`: run `cargo build --release -p al` to measure how it starts"
        );
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

/// The memory of a command, measured by a fresh copy of this program, since it is that of the largest child so far.
fn resident(words: &[&OsStr]) -> Figure {
    let me = env::current_exe().expect("the path of this program");
    let output = Command::new(me)
        .arg("resident")
        .args(words)
        .output()
        .expect("a process");
    let text = String::from_utf8(output.stdout).expect("a number");
    Figure::exact(text.trim().parse().expect("a number"))
}

/// Runs a command and prints how many bytes it had resident at most.
pub(crate) fn print_resident(words: &[impl AsRef<OsStr>]) {
    let words: Vec<&OsStr> = words.iter().map(AsRef::as_ref).collect();
    assert!(command(&words).status().expect("a process").success());
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the use of resources");
    println!("{}", usage.max_rss() * 1024);
}
