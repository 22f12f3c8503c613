//! Where the figures come from: machine, versions and the day.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use jiff::Timestamp;

use crate::peers;

/// The exact versions of everything that is measured.
const LOCKFILE: &str = include_str!("../Cargo.lock");

/// What the lower bounds are made of.
const FLOORS: &[&str] = &["granit-parser", "rusqlite", "serde_json", "sha2"];

/// The processor, its cores and the kernel.
pub fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cores = available_parallelism().map_or_else(|_| "?".to_owned(), |cores| cores.to_string());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpu = cpu.unwrap_or_else(|| "unknown processor".to_owned());
    format!("{cpu}, {cores} virtual cores, Linux {}", kernel.trim())
}

/// The compiler.
pub fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let text = output
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    text.map_or_else(|| "unknown rustc".to_owned(), |text| text.trim().to_owned())
}

/// The versions of what is measured beside us.
pub fn versions() -> String {
    let names = peers::VERSIONS.iter().chain(FLOORS);
    let versions = names.map(|name| format!("{name} {}", version(name).unwrap_or("?")));
    versions.collect::<Vec<_>>().join(", ")
}

fn version(name: &str) -> Option<&'static str> {
    packages(LOCKFILE).find_map(|(other, version)| (other == name).then_some(version))
}

/// Today, in UTC.
pub fn today() -> String {
    Timestamp::now().strftime("%-d %B %Y").to_string()
}

/// Says which packages of the product are measured in another version than the one that it is released with. Those that
/// peers brought in several versions are not the product's alone, and left out.
pub fn warn_of_other_versions() {
    for (name, released) in packages(include_str!("../../Cargo.lock")) {
        let mut here = packages(LOCKFILE).filter(|(other, _)| *other == name);
        if let (Some((_, measured)), None) = (here.next(), here.next())
            && measured != released
        {
            eprintln!("{name} is measured in version {measured}, and released in {released}");
        }
    }
}

/// The packages of a lockfile, with their versions.
fn packages(lockfile: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    lockfile
        .split("[[package]]\n")
        .skip(1)
        .filter_map(|package| {
            let rest = package.strip_prefix("name = \"")?;
            let (name, rest) = rest.split_once("\"\nversion = \"")?;
            Some((name, rest.split('"').next()?))
        })
}
