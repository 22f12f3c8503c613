//! What is written where: whole files or none, one document on stdout or nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use std::fs;
use std::io::{ErrorKind, Write};

use common::{Sandbox, assert_snapshot, manifest, policy};

fn sandbox() -> Sandbox {
    Sandbox::with(&manifest(&[policy("a", "b.c", false)]))
}

#[test]
fn an_export_that_would_change_nothing_leaves_the_file() {
    let sandbox = sandbox();
    let first = sandbox.al(&["export", "--file", "out.yaml"]);
    assert_eq!((first.code, first.stdout.as_str()), (0, ""));
    let (text, modified) = (sandbox.read("out.yaml"), modified(&sandbox));
    let second = sandbox.al(&["export", "--file", "out.yaml"]);
    assert!(
        second
            .stderr
            .ends_with("out.yaml is up to date and was left untouched\n")
    );
    assert_eq!(
        (sandbox.read("out.yaml"), self::modified(&sandbox)),
        (text, modified)
    );

    sandbox.write("out.yaml", "something else\n");
    let third = sandbox.al(&["export", "--file", "out.yaml"]);
    assert!(third.stderr.ends_with("wrote out.yaml\n"), "{third:?}");
    assert!(sandbox.read("out.yaml").contains("name: a"));
}

fn modified(sandbox: &Sandbox) -> std::time::SystemTime {
    fs::metadata(sandbox.path("out.yaml"))
        .unwrap()
        .modified()
        .unwrap()
}

#[test]
fn an_export_to_stdout_is_the_manifest_alone() {
    let sandbox = sandbox();
    for args in [&["export"][..], &["export", "--file", "-"]] {
        let run = sandbox.al(args);
        assert!(
            run.stdout.starts_with("manifest_version: '1.0'\n"),
            "{run:?}"
        );
        assert!(
            run.stderr
                .starts_with("workspace staging (Acme (staging)) in sqlite:al.db\n")
        );
        let again = sandbox.al_with(
            run.stdout,
            &["import", "--file", "-", "--dry-run", "--quiet"],
        );
        assert!(
            again.stdout.ends_with("applied:\n  = 1 unchanged\n"),
            "{again:?}"
        );
    }
}

/// A workspace whose manifest is longer than 64 KiB.
fn large() -> Sandbox {
    let policies: Vec<String> = (0..500)
        .map(|i| policy(&format!("p{i}"), "b.c", false))
        .collect();
    Sandbox::with(&manifest(&policies))
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_up_leaves_the_old_file() {
    let sandbox = large();
    sandbox.write("out.yaml", "old\n");
    let before: Vec<_> = sandbox.files();
    // In blocks of 512 or 1024 bytes: room for the store's shared memory, not for the manifest.
    let run = sandbox.shell("trap '' XFSZ; ulimit -f 64; exec \"$AL\" export --file out.yaml");
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    assert!(
        run.stderr
            .contains("error[IO_ERROR]: `out.yaml` cannot be written"),
        "{run:?}"
    );
    assert_eq!(
        sandbox.files(),
        before,
        "a part of the new file stayed behind"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_is_an_error() {
    let sandbox = large();
    let run = sandbox.al(&["export", "--file", "/dev/full"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("`/dev/full` cannot be written: no space left"),
        "{run:?}"
    );
    let run = sandbox.shell("\"$AL\" export > /dev/full");
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("standard output cannot be written"),
        "{run:?}"
    );
}

#[test]
#[cfg(unix)]
fn a_reader_that_leaves_early_is_no_error() {
    let sandbox = large();
    let run = sandbox.shell("{ \"$AL\" export --quiet; echo $? >&2; } | head -n 1");
    assert_eq!(run.stdout, "manifest_version: '1.0'\n");
    assert_eq!(run.stderr, "0\n");
}

/// What was read from a file before it is written: a pipe has nothing to read, and nobody to write it.
#[test]
#[cfg(unix)]
fn an_export_into_a_pipe_does_not_wait_for_it_to_be_filled() {
    let sandbox = sandbox();
    let run = sandbox.shell(
        "mkfifo pipe; timeout 20 cat pipe > got & timeout 10 \"$AL\" export --quiet --file pipe; echo $?; wait",
    );
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("0\n", ""));
    assert!(sandbox.read("got").contains("name: a"));
}

/// Runs in process with a stdout that fails in that way; the exit code, and what stands on stderr.
fn with_failing_stdout(sandbox: &Sandbox, kind: ErrorKind, args: &[&str]) -> (u8, String) {
    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Err(self.0.into())
        }
    }

    let url = format!("sqlite:{}", sandbox.path("al.db").display());
    let mut stderr = Vec::new();
    let mut io = al::Io {
        stdout: Box::new(Failing(kind)),
        stderr: Box::new(&mut stderr),
        env: Box::new(|name| (name == "AL_URL").then(|| url.clone().into())),
        ..al::Io::system()
    };
    let args = std::iter::once("al").chain(args.iter().copied());
    let code = al::run(args.map(Into::into), &mut io);
    drop(io);
    (code, String::from_utf8(stderr).unwrap())
}

#[test]
fn a_stdout_that_fails_does_not_hide_the_error() {
    let sandbox = sandbox();
    let rows = [
        (
            &["nosuch"][..],
            64,
            "error[USAGE]: there is no command `nosuch`",
        ),
        (
            &["export"],
            1,
            "error[INVALID_SERVICE_KEY]: no service key was given",
        ),
    ];
    for kind in [ErrorKind::StorageFull, ErrorKind::BrokenPipe] {
        for (args, code, error) in rows {
            let args = [args, &["--format", "json"]].concat();
            let (found, stderr) = with_failing_stdout(&sandbox, kind, &args);
            assert_eq!(found, code, "{args:?}: {stderr}");
            assert!(stderr.starts_with(error), "{args:?}: {stderr}");
            assert!(!stderr.contains("has run"), "{args:?}: {stderr}");
        }
    }
}

/// It is the only copy of the key.
#[test]
fn a_key_that_nobody_reads_is_an_error() {
    let sandbox = sandbox();
    let kinds = [ErrorKind::StorageFull, ErrorKind::BrokenPipe];
    let formats = ["text", "json", "markdown"];
    let runs = kinds
        .iter()
        .flat_map(|kind| formats.map(|format| (*kind, format)));
    for (n, (kind, format)) in runs.enumerate() {
        let name = format!("lost-{n}");
        let commands: [&[&str]; 3] = [
            &["workspace", "create", &name],
            &["key", "create", "--workspace", &name],
            &["key", "create", "--workspace", &name, "--agent"],
        ];
        for args in commands {
            let args = [args, &["--format", format, "--quiet"]].concat();
            let (code, stderr) = with_failing_stdout(&sandbox, kind, &args);
            assert_eq!(code, 1, "{args:?}: {stderr}");
            assert!(
                stderr.starts_with("error[IO_ERROR]: standard output cannot be written: "),
                "{args:?}: {stderr}"
            );
            assert!(
                stderr.contains("  help: the key is made, and lost: make another"),
                "{args:?}: {stderr}"
            );
        }
    }
}

#[test]
fn a_document_that_is_lost_says_whether_the_command_has_run() {
    const RUN: &str = "  help: the command itself has run; only what it prints is lost\n";
    let sandbox = sandbox();
    sandbox.write("untidy.yaml", "policies: []\nmanifest_version: '1.0'\n");
    let untidy = sandbox.path("untidy.yaml").display().to_string();
    let list: &[&str] = &["workspace", "list", "--quiet"];
    let check: &[&str] = &["fmt", "--check", &untidy, "--quiet"];
    let full = "error[IO_ERROR]: standard output cannot be written: no storage space\n";
    let rows = [
        (ErrorKind::BrokenPipe, list, 0, String::new()),
        (ErrorKind::BrokenPipe, check, 1, String::new()),
        (ErrorKind::StorageFull, list, 1, format!("{full}{RUN}")),
        (ErrorKind::StorageFull, check, 1, full.to_owned()),
    ];
    for (kind, args, code, stderr) in rows {
        let found = with_failing_stdout(&sandbox, kind, args);
        assert_eq!(found, (code, stderr), "{kind:?} {args:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_link_to_a_file_that_is_not_there_yet_stays_a_link() {
    use std::os::unix::fs::symlink;

    let sandbox = sandbox();
    fs::create_dir(sandbox.path("real")).unwrap();
    symlink("real/second", sandbox.path("first")).unwrap();
    symlink("third.yaml", sandbox.path("real/second")).unwrap();
    assert_eq!(sandbox.al(&["export", "--file", "first"]).code, 0);
    for link in ["first", "real/second"] {
        let metadata = fs::symlink_metadata(sandbox.path(link)).unwrap();
        assert!(metadata.is_symlink(), "{link}");
    }
    assert!(sandbox.read("real/third.yaml").contains("name: a"));
}

#[test]
#[cfg(unix)]
fn a_file_name_forges_no_line() {
    let sandbox = sandbox();
    let name = "a\nerror[IO_ERROR]: forged";
    for _ in 0..2 {
        let run = sandbox.al(&["export", "--file", name]);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(
            run.stderr.contains("a\\nerror[IO_ERROR]: forged"),
            "{run:?}"
        );
        assert_eq!(run.stderr.lines().count(), 2, "{run:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_file_keeps_its_permissions_and_a_link_its_target() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let sandbox = sandbox();
    sandbox.write("real.yaml", "old\n");
    fs::set_permissions(sandbox.path("real.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.yaml", sandbox.path("link.yaml")).unwrap();
    assert_eq!(sandbox.al(&["export", "--file", "link.yaml"]).code, 0);
    assert!(
        fs::symlink_metadata(sandbox.path("link.yaml"))
            .unwrap()
            .is_symlink()
    );
    assert!(sandbox.read("real.yaml").contains("name: a"));
    let mode = fs::metadata(sandbox.path("real.yaml"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);

    fs::set_permissions(sandbox.path("real.yaml"), fs::Permissions::from_mode(0o440)).unwrap();
    sandbox.al(&["workspace", "create", "other"]);
    let run = sandbox.al(&["fmt", "real.yaml"]);
    assert_eq!(run.code, 0, "nothing to write: {run:?}");
    sandbox.write("base.yaml", &manifest(&[policy("z", "b.c", true)]));
    sandbox.al(&["import", "--file", "base.yaml"]);
    let run = sandbox.al(&["export", "--file", "real.yaml"]);
    assert!(
        run.stderr
            .contains("`real.yaml` cannot be written: permission denied"),
        "{run:?}"
    );
}

#[test]
fn files_that_cannot_be_read_or_written() {
    let sandbox = sandbox();
    fs::create_dir(sandbox.path("folder")).unwrap();
    assert_snapshot!(sandbox.transcript(&[
        &["import", "--file", "nowhere.yaml"],
        &["import", "--file", "folder"],
        &["export", "--file", "folder", "--quiet"],
        &["export", "--file", "nowhere/out.yaml", "--quiet"],
        &["validate", "nowhere.yaml", "base.yaml", "folder"],
        &["fmt", "nowhere.yaml", "folder"],
        &["eval", "--action", "nowhere.json", "--file", "base.yaml"],
    ]));
}

#[test]
fn an_action_is_read_to_its_limit_and_no_further() {
    let sandbox = sandbox();
    let long = format!("{{\"action_type\": \"{}\"}}", "a".repeat(2 << 20));
    let run = sandbox.al_with(long, &["eval", "--action", "-", "--file", "base.yaml"]);
    assert_eq!(run.code, 1);
    assert_eq!(
        run.stderr,
        "error[INVALID_ACTION]: `-` is larger than 1 MiB\n"
    );
}
