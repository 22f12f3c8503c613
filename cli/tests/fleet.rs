//! Replicas of a server over one PostgreSQL, many clients, and crashes of both: no event is lost or doubled, the log is one, and
//! every client is told what is so.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{binary, manifest, policy};
use lattice_testing::{Cluster, rows};
use serde_json::Value;
use ureq::Agent;

const IMPORTERS: usize = 16;
const IMPORTS: usize = 4;

/// `al serve`, as a process.
struct Replica {
    child: Child,
    address: String,
}

impl Replica {
    fn start(url: &str, listen: &str) -> Self {
        let mut child = Command::new(binary())
            .args(["serve", "--listen", listen])
            .env_clear()
            .env("AL_URL", url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let address = line.trim_end().rsplit_once("http://").unwrap().1.to_owned();
        // Somebody has to read it, or the server would wait for that.
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, address }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}

fn al(url: &str, key: &str, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(binary());
    command.args(args).env_clear().env("AL_URL", url);
    if !key.is_empty() {
        command.env("AL_SERVICE_KEY", key);
    }
    let output = command.output().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn nothing_is_lost_or_doubled_when_replicas_and_the_database_crash() {
    let cluster = Cluster::start();
    let url = cluster.database();
    let (_, key) = al(&url, "", &["workspace", "create", "prod"]);
    let key = key.trim_end();
    let replicas = [(); 2].map(|()| Replica::start(&url, "127.0.0.1:0"));
    let addresses = [&replicas[0], &replicas[1]].map(|replica| replica.address.clone());
    let replicas = Mutex::new(replicas);
    let done = AtomicUsize::new(0);
    let deadline = Instant::now() + Duration::from_mins(2);

    let importer = |importer: usize| {
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .into();
        let mut told = Vec::new();
        for n in 0..IMPORTS {
            let name = format!("p{importer}-{n}");
            let text = manifest(&[policy(&name, "b.c", true)]);
            for attempt in importer.. {
                assert!(Instant::now() < deadline, "{name} never went in");
                let to = format!("http://{}/v1/import", addresses[attempt % 2]);
                let asked = agent
                    .post(&to)
                    .header("authorization", format!("Bearer {key}"))
                    .header("idempotency-key", &name)
                    .send(text.as_bytes());
                // No answer says nothing: the other replica is asked, under the same key.
                let Ok(mut answer) = asked else {
                    thread::sleep(Duration::from_millis(20));
                    continue;
                };
                let Ok(body) = answer.body_mut().read_to_string() else {
                    continue;
                };
                let document: Value = serde_json::from_str(&body).unwrap();
                match (answer.status().as_u16(), document["error"]["code"].as_str()) {
                    (200, None) => {
                        assert_eq!(
                            document["event"]["names"]["added"],
                            serde_json::json!([name])
                        );
                        told.push(document["event"]["seq"].as_u64().unwrap());
                        done.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                    (409, Some("STATE_CHANGED")) => {}
                    (503, Some("STORE_UNAVAILABLE")) => thread::sleep(Duration::from_millis(20)),
                    other => panic!("{name}: {other:?} {body}"),
                }
            }
        }
        told
    };
    let importer = &importer;
    let told = thread::scope(|scope| {
        let importers: Vec<_> = (0..IMPORTERS)
            .map(|n| scope.spawn(move || importer(n)))
            .collect();
        let when = |wanted: usize| {
            while done.load(Ordering::SeqCst) < wanted && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(1));
            }
        };
        when(8);
        replicas.lock().unwrap()[0].kill();
        when(16);
        replicas.lock().unwrap()[0] = Replica::start(&url, &addresses[0]);
        when(24);
        cluster.kill();
        cluster.restart();
        when(40);
        replicas.lock().unwrap()[1].kill();
        replicas.lock().unwrap()[1] = Replica::start(&url, &addresses[1]);
        importers
            .into_iter()
            .flat_map(|importer| importer.join().unwrap())
            .collect::<Vec<u64>>()
    });

    // Everyone was told of an event of their own, and there are no others.
    let distinct: BTreeSet<u64> = told.iter().copied().collect();
    let all: BTreeSet<u64> = (1..=u64::try_from(IMPORTERS * IMPORTS).unwrap()).collect();
    assert_eq!((told.len(), distinct), (all.len(), all));
    let policies = rows(&url, "SELECT count(*) FROM lattice.policy WHERE active");
    assert_eq!(policies, [(IMPORTERS * IMPORTS).to_string()]);
    let (code, verified) = al(
        &url,
        key,
        &["audit", "verify", "--state", "--format", "json"],
    );
    assert_eq!(code, Some(0), "{verified}");
    let verified: Value = serde_json::from_str(&verified).unwrap();
    assert_eq!(verified["size"], IMPORTERS * IMPORTS + 1);
}

/// Who is told to stop finishes what it has begun.
#[cfg(unix)]
#[test]
fn a_server_that_is_told_to_stop_answers_first() {
    let cluster = Cluster::shared();
    let url = cluster.database();
    let (_, key) = al(&url, "", &["workspace", "create", "prod"]);
    let mut replica = Replica::start(&url, "127.0.0.1:0");
    let pause = || thread::sleep(Duration::from_millis(500));
    let locked = "BEGIN; SELECT 1 FROM lattice.audit_head FOR UPDATE; SELECT pg_sleep(3); COMMIT";
    let holder = thread::spawn(move || lattice_testing::run(&url, locked));
    pause();
    let address = replica.address.clone();
    let importer = thread::spawn(move || {
        let answer = ureq::post(format!("http://{address}/v1/import"))
            .header("authorization", format!("Bearer {}", key.trim_end()))
            .send(manifest(&[policy("a", "b.c", true)]).as_bytes());
        answer.unwrap().status().as_u16()
    });
    pause();
    // The import waits for the lock when the server hears that it has to stop.
    assert!(!holder.is_finished() && !importer.is_finished());
    let pid = replica.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(importer.join().unwrap(), 200);
    holder.join().unwrap();
    let status = replica.child.wait().unwrap();
    assert!(status.success(), "{status}");
}
