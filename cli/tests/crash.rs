//! Imports that are killed around their commit, and many at once: the log is never forked, and the next run goes on.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Sandbox, binary, environment, manifest, policy, run, text};

/// Kills an import with SIGKILL where it stands at `place`.
fn kill_at(sandbox: &Sandbox, key: &str, place: &str) {
    let gate = sandbox.path(&format!("gate-{place}"));
    let mut child = Command::new(binary())
        .args(["import", "--file", "next.yaml", "--pin", "pin"])
        .current_dir(sandbox.path(""))
        .env_clear()
        .env("AL_URL", sandbox.url())
        .envs(environment())
        .env("AL_SERVICE_KEY", key)
        .env("AL_AUDIT_KEY_FILE", "log.key")
        .env("AL_TEST_HOLD", &gate)
        .env("AL_TEST_HOLD_AT", place)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut waiting = gate.into_os_string();
    waiting.push(format!(".{}.waiting", child.id()));
    let deadline = Instant::now() + Duration::from_secs(30);
    while !std::path::Path::new(&waiting).exists() {
        assert!(
            Instant::now() < deadline,
            "the import never came to `{place}`"
        );
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
}

#[test]
fn a_kill_around_the_commit_is_healed_by_the_next_import() {
    // Where the import was killed, and how many events it left.
    let rows = [("planned", 0), ("committed", 1), ("signed", 1)];
    for (place, left) in rows {
        let mut sandbox = Sandbox::new();
        let key = sandbox.create("staging");
        sandbox.use_key(&key);
        sandbox.write("base.yaml", &manifest(&[policy("a", "b.c", true)]));
        sandbox.write("next.yaml", &manifest(&[policy("a", "b.c", false)]));
        let vkey = sandbox.al(&["audit", "keygen", "--out", "log.key"]).stdout;
        let signed = |args: &[&str]| {
            let run = run(sandbox.command(args).env("AL_AUDIT_KEY_FILE", "log.key"));
            assert_eq!(run.code, 0, "{place}: {run:?}");
        };
        signed(&[
            "import",
            "--file",
            "base.yaml",
            "--pin",
            "pin",
            "--pin-init",
        ]);
        let pin = sandbox.read("pin");

        kill_at(&sandbox, &key, place);
        assert_eq!(sandbox.read("pin"), pin, "{place}: the old pin stands");
        // What is there is whole, and extends the old pin.
        let verify = [
            "audit",
            "verify",
            "--checkpoint",
            "pin",
            "--vkey",
            vkey.trim_end(),
            "--state",
        ];
        let (code, verification) = sandbox.json(&verify);
        let found = (
            code,
            verification["size"].as_u64(),
            text(&verification["trust"]),
        );
        assert_eq!(found, (0, Some(2 + left), "signed".to_owned()), "{place}");

        signed(&["import", "--file", "next.yaml", "--pin", "pin"]);
        let (code, verification) = sandbox.json(&verify);
        let pinned = verification["pins"][0]["size"].as_u64();
        let found = (code, verification["size"].as_u64(), pinned);
        assert_eq!(found, (0, Some(3 + left), Some(3 + left)), "{place}");
    }
}

/// Writers that share a store and each keep a pin: whatever comes of their imports, the log is one.
#[test]
fn many_writers_make_one_log() {
    const WRITERS: usize = 4;
    const IMPORTS: usize = 6;
    let mut sandbox = Sandbox::new();
    let key = sandbox.create("staging");
    sandbox.use_key(&key);
    let sandbox = &sandbox;
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                let (file, pin) = (format!("{writer}.yaml"), format!("{writer}.pin"));
                let name = format!("p{writer}");
                for import in 0..IMPORTS {
                    let approval = import % 2 == 0;
                    sandbox.write(&file, &manifest(&[policy(&name, "b.c", approval)]));
                    let mut args = vec!["import", "--file", &file, "--pin", &pin];
                    if import == 0 {
                        args.push("--pin-init");
                    }
                    // A conflict says so, and the command may be run again.
                    loop {
                        let run = sandbox.al(&args);
                        if run.code == 0 {
                            break;
                        }
                        assert!(run.stderr.contains("STATE_CHANGED"), "{run:?}");
                    }
                }
            });
        }
    });
    let pins: Vec<String> = (0..WRITERS).map(|writer| format!("{writer}.pin")).collect();
    let kept = pins.iter().flat_map(|pin| ["--checkpoint", pin]);
    let args: Vec<&str> = ["audit", "verify", "--state"]
        .into_iter()
        .chain(kept)
        .collect();
    let (code, verification) = sandbox.json(&args);
    assert_eq!(code, 0, "{verification}");
    let events = u64::try_from(1 + WRITERS * IMPORTS).unwrap();
    assert_eq!(verification["size"].as_u64(), Some(events));
    let results = verification["pins"].as_array().unwrap().iter();
    let results: Vec<String> = results.map(|pin| text(&pin["result"])).collect();
    assert_eq!(results, ["consistent"; WRITERS]);
}
