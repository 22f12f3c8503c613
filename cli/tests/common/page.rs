//! Pages of `docs/` are true: their commands run in order in one shell, and print what they show.
//!
//! `UPDATE_TUTORIAL=1 cargo test -p al` writes what they print now into the pages, with what differs between runs as `…`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;

use super::{Store, binary, called_alike, environment, redact};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// What separates the outputs of two commands; no command prints it.
const BELL: char = '\u{7}';

/// The store that the pages use, which may stand for another.
const STORE: &str = "sqlite:./lattice.db";

/// A part of the page.
enum Part {
    /// What the test does not run, line by line.
    Prose(String),
    /// A file to write: its name and text.
    File(String, String),
    /// Commands, each with what it prints.
    Console(Vec<(String, String)>),
}

fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            parts.push(Part::Prose(format!("{line}\n")));
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let text: String = block.iter().flat_map(|line| [line, "\n"]).collect();
        match info.split_once(' ') {
            Some((_, name)) => parts.push(Part::File(name.to_owned(), format!("{line}\n{text}"))),
            None if info == "console" => parts.push(Part::Console(commands(&block))),
            None => parts.push(Part::Prose(format!("{line}\n{text}```\n"))),
        }
    }
    parts
}

fn commands(block: &[&str]) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in block {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, printed))) => printed.extend([*line, "\n"]),
            (None, None) => panic!("a console begins with `$ `: {line}"),
        }
    }
    commands
}

/// One shell script: each command followed by a mark and its exit code.
fn script(parts: &[Part]) -> String {
    let mut script = String::new();
    for part in parts {
        match part {
            Part::Prose(_) => {}
            Part::File(name, block) => {
                let (_, text) = block.split_once('\n').unwrap();
                let _ = writeln!(script, "cat > '{name}' <<'END'\n{text}END");
            }
            Part::Console(commands) => {
                for (command, _) in commands {
                    let _ = writeln!(script, "{command}\nprintf '\\007%d\\007' $?");
                }
            }
        }
    }
    script
}

/// What every command printed on both streams, with its exit code if that is not 0.
fn outputs(script: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let binary = binary().parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let script = match Store::new(&folder.path().join("lattice.db")) {
        Store::File(_) => script.to_owned(),
        Store::Database(url) | Store::Server(url, _, _) => script.replace(STORE, &url),
    };
    fs::write(folder.path().join("run"), format!("exec 2>&1\n{script}")).unwrap();
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "run"])
        .current_dir(folder.path())
        .env_clear()
        .envs(environment())
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = called_alike(&String::from_utf8(output.stdout).unwrap(), STORE);
    let mut pieces = printed.split(BELL);
    let mut outputs = Vec::new();
    while let (Some(text), Some(code)) = (pieces.next(), pieces.next()) {
        let code = match code {
            "0" => String::new(),
            code => format!("[exit {code}]\n"),
        };
        outputs.push(format!("{text}{code}"));
    }
    outputs
}

/// Puts `…` in the place of what differs between runs.
fn steady(printed: &str) -> String {
    let mut text = redact(printed);
    for mark in [
        "[UUID]",
        "[SECRET]",
        "[TIME]",
        "[DIGEST]",
        "[ROOT]",
        "[SIGNATURE]",
    ] {
        text = text.replace(mark, "…");
    }
    // A digest or a time in short.
    for short in [
        r"\b[0-9a-f]{12}\b",
        r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{5,8}\b",
    ] {
        text = Regex::new(short)
            .unwrap()
            .replace_all(&text, "…")
            .into_owned();
    }
    // Columns are as wide as what was in them.
    Regex::new(r"… +")
        .unwrap()
        .replace_all(&text, "…  ")
        .into_owned()
}

/// Runs the commands of a page, which are at least so many.
pub(crate) fn expect_true(name: &str, least: usize) {
    let path = Path::new(DOCS).join(name);
    let page = fs::read_to_string(&path).unwrap();
    let mut parts = parts(&page);
    let outputs = outputs(&script(&parts));
    let commands = parts.iter_mut().filter_map(|part| match part {
        Part::Console(commands) => Some(commands),
        Part::Prose(_) | Part::File(_, _) => None,
    });
    let commands: Vec<&mut (String, String)> = commands.flatten().collect();
    assert_eq!(commands.len(), outputs.len(), "every command ran");
    assert!(commands.len() > least, "the page has commands");
    for ((_, shown), printed) in commands.into_iter().zip(&outputs) {
        *shown = steady(printed);
    }
    let mut now = String::new();
    for part in &parts {
        match part {
            Part::Prose(text) => now.push_str(text),
            Part::File(_, block) => now.extend([block, "```\n"]),
            Part::Console(commands) => {
                now.push_str("```console\n");
                for (command, printed) in commands {
                    let _ = write!(now, "$ {command}\n{printed}");
                }
                now.push_str("```\n");
            }
        }
    }
    if std::env::var_os("UPDATE_TUTORIAL").is_some() && now != page {
        fs::write(path, &now).unwrap();
        panic!(
            "the page was written anew: read its diff, then run the test without UPDATE_TUTORIAL"
        );
    }
    assert!(
        now == page,
        "docs/{name} shows something else: UPDATE_TUTORIAL=1 writes what is printed now"
    );
}
