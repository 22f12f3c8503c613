//! A server that is not there, is none, cannot be trusted, or loses its answers: what people read, and what was done.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    reason = "a test may fail loudly, and need not be fast"
)]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use common::{Run, binary, manifest, policy, redact};
use lattice_server::{AdminKey, Settings, Tls, router, serve};
use lattice_testing::Cluster;
use lattice_workspace::Location;
use tempfile::TempDir;

const ADMIN: &str = "al_admin_0123456789abcdef0123456789abcdef0123456789abcdef";

/// A server over a new store in the folder: its port.
fn server(folder: &Path, tls: Option<Tls>) -> u16 {
    let url = format!("sqlite:{}", folder.join("al.db").display());
    let location = Location::parse(&url).unwrap();
    let settings = Settings {
        admin: Some(AdminKey::parse(ADMIN).unwrap()),
        store: location.store_name(),
        ..Settings::default()
    };
    let router = router(Arc::from(location.open()), settings, 4);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || serve(listener, router, tls.as_ref()));
    port
}

fn al(folder: &Path, variables: &[(&str, &str)], args: &[&str]) -> Run {
    let mut command = assert_cmd::Command::new(binary());
    command.args(args).current_dir(folder).env_clear();
    let output = command.envs(variables.iter().copied()).output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The head of a request, and its body by the length that the head says.
fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        request.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&request).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    request.extend(body);
    request
}

/// Something that answers every request with the same bytes, and counts them.
fn foreign(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if read_request(&mut stream).is_empty() {
                continue;
            }
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(answer.as_bytes());
            let _ = stream.shutdown(Shutdown::Write);
        }
    });
    (port, count)
}

/// A way to the server that `route` names for the first line of a request. Each answer is given to `pass` before the client
/// has it, if it has it at all. Its port, and the first lines of the requests that went through.
fn way(
    route: impl Fn(&str) -> u16 + Send + 'static,
    mut pass: impl FnMut(&str, String) -> Option<String> + Send + 'static,
) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut client = stream.unwrap();
            let request = read_request(&mut client);
            if request.is_empty() {
                continue;
            }
            let text = String::from_utf8_lossy(&request).into_owned();
            let first = text.lines().next().unwrap_or_default().to_owned();
            noted.lock().unwrap().push(first.clone());
            let answer = pass(&first, ask(route(&first), &text));
            let _ = client.write_all(answer.unwrap_or_default().as_bytes());
            let _ = client.shutdown(Shutdown::Both);
        }
    });
    (own, seen)
}

/// What the server at `port` answers to a request.
fn ask(port: u16, request: &str) -> String {
    // One request for each connection, so that the answer has an end.
    let request = request.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    server.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();
    answer
}

/// A way on which the answers to the first `lost` requests with `what` in their first line are lost.
fn lossy(port: u16, what: &'static str, lost: usize) -> (u16, Arc<Mutex<Vec<String>>>) {
    let mut left = lost;
    let route = move |_: &str| port;
    way(route, move |first, answer| {
        let is_lost = first.contains(what) && left > 0;
        left -= usize::from(is_lost);
        (!is_lost).then_some(answer)
    })
}

/// A proxy that leads wherever it is asked to: its port, and the heads of what it was asked.
fn proxy() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut client = stream.unwrap();
            let head = String::from_utf8(read_request(&mut client)).unwrap();
            let target = head.split_whitespace().nth(1).unwrap().to_owned();
            noted.lock().unwrap().push(head);
            let mut server = TcpStream::connect(target).unwrap();
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut up, &mut server));
            thread::spawn(move || std::io::copy(&mut down, &mut client));
        }
    });
    (port, seen)
}

/// A workspace with a policy behind the server at `port`: its service key.
fn workspace(folder: &Path, port: u16) -> String {
    let url = format!("http://localhost:{port}");
    let admin = [("AL_URL", &*url), ("AL_ADMIN_KEY", ADMIN)];
    let create = al(folder, &admin, &["workspace", "create", "dev"]);
    let text = manifest(&[policy("a", "b.c", true)]);
    std::fs::write(folder.join("a.yaml"), text).unwrap();
    create.stdout.trim_end().to_owned()
}

#[test]
fn failures_as_people_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let key = format!("al_svc_dev_{}", "0f".repeat(32));
    let unused = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = unused.local_addr().unwrap().port();
    drop(unused);
    let tls = Tls {
        certificate: Cluster::shared().folder().join("server.crt"),
        key: Cluster::shared().folder().join("server.key"),
    };
    let authority = Cluster::shared().authority().display().to_string();
    let secure = server(folder.path(), Some(tls));
    let clear = server(folder.path(), None);
    let page = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 13\r\n\r\n<h1>502</h1>\r\n";
    let moved = "HTTP/1.1 301 Moved Permanently\r\nlocation: https://elsewhere.example/\r\ncontent-length: 0\r\n\r\n";
    let other = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    let large = "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n";
    let login = "HTTP/1.1 403 Forbidden\r\ncontent-length: 6\r\n\r\nlog in";
    let garbled = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let broken = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}";
    // Whether a request that changes nothing was sent again.
    let answers = [
        (page, 4),
        (moved, 1),
        (other, 1),
        (large, 1),
        (login, 1),
        (garbled, 1),
        (broken, 4),
    ];
    let answers = answers.map(|(answer, times)| (foreign(answer), times));

    let stranger =
        foreign("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
    let authenticates = format!("http://ada:secret@localhost:{}", stranger.0);
    let absent = format!("http://localhost:{closed}");
    let far = "https://lattice.example.com";
    let mut urls = vec![
        (format!("http://localhost:{closed}"), ("", "")),
        ("https://no-such-host.invalid".to_owned(), ("", "")),
        (format!("https://localhost:{secure}"), ("", "")),
        (
            format!("https://127.0.0.1:{secure}"),
            ("SSL_CERT_FILE", &*authority),
        ),
        (format!("http://localhost:{secure}"), ("", "")),
        (format!("https://localhost:{clear}"), ("", "")),
        (format!("http://localhost:{clear}/below"), ("", "")),
        (far.to_owned(), ("SSL_CERT_FILE", "none.crt")),
        (far.to_owned(), ("HTTPS_PROXY", &*absent)),
        (far.to_owned(), ("HTTPS_PROXY", &*authenticates)),
        (
            far.to_owned(),
            ("HTTPS_PROXY", "socks5://ada:secret@localhost"),
        ),
        (far.to_owned(), ("AL_ADMIN_KEY", "al_admin_secret")),
    ];
    for ((port, _), _) in &answers {
        urls.push((format!("http://localhost:{port}"), ("", "")));
    }
    let mut shown = String::new();
    for (url, (name, value)) in &urls {
        let mut variables = vec![("AL_URL", url.as_str()), ("AL_SERVICE_KEY", &key)];
        if !name.is_empty() {
            variables.push((name, value));
        }
        let run = al(folder.path(), &variables, &["export"]);
        let printed = format!("{run:?}");
        assert!(
            !printed.contains(&key) && !printed.contains("secret"),
            "{run:?}"
        );
        shown.push_str(&run.shown());
    }
    let ports = regex::Regex::new("(localhost|127.0.0.1):[0-9]+").unwrap();
    common::assert_snapshot!(ports.replace_all(&shown, "$1:[PORT]"));
    for ((_, count), times) in answers {
        assert_eq!(count.load(Ordering::SeqCst), times);
    }
}

/// The answer to an import is lost on its way: it is asked for again, and done once. A key is asked for once, as nobody could
/// tell two of them from one.
#[test]
fn what_changes_something_is_done_once() {
    let folder = tempfile::tempdir().unwrap();
    let port = server(folder.path(), None);
    let url = format!("http://localhost:{port}");
    let key = &*workspace(folder.path(), port);

    let (way, seen) = lossy(port, "/v1/changes", 2);
    let lossy_url = format!("http://localhost:{way}");
    let import = al(
        folder.path(),
        &[("AL_URL", &lossy_url), ("AL_SERVICE_KEY", key)],
        &["import", "--file", "a.yaml", "--quiet"],
    );
    assert_eq!(import.code, 0, "{import:?}");
    let asked = seen.lock().unwrap().clone();
    let changes = asked.iter().filter(|line| line.contains("/v1/changes"));
    assert_eq!(changes.count(), 3, "{asked:?}");

    let (way, seen) = lossy(port, "/v1/keys", 1);
    let lossy_url = format!("http://localhost:{way}");
    let made = al(
        folder.path(),
        &[("AL_URL", &lossy_url), ("AL_SERVICE_KEY", key)],
        &["key", "create", "--agent"],
    );
    assert_eq!(made.code, 1, "{made:?}");
    let nobody = "nobody knows whether it was done: look before you ask again";
    assert!(made.stderr.contains(nobody), "{made:?}");
    assert_eq!(seen.lock().unwrap().len(), 1);

    let list = al(
        folder.path(),
        &[("AL_URL", &url), ("AL_SERVICE_KEY", key)],
        &["audit", "list", "--quiet"],
    );
    let kinds: Vec<&str> = list
        .stdout
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().nth(2))
        .collect();
    assert_eq!(
        kinds,
        ["key_created", "import", "key_created"],
        "{}",
        redact(&list.stdout)
    );
}

/// The server refuses a body before it has come, and is heard.
#[test]
fn what_is_too_large_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let port = server(folder.path(), None);
    let url = format!("http://localhost:{port}");
    let key = workspace(folder.path(), port);
    let text = manifest(&[policy("a", "b.c", true)]) + &"#".repeat(17 * 1024 * 1024);
    std::fs::write(folder.path().join("large.yaml"), text).unwrap();
    let variables = [("AL_URL", &*url), ("AL_SERVICE_KEY", &key)];
    let import = al(
        folder.path(),
        &variables,
        &["import", "--file", "large.yaml"],
    );
    let refused = "error[LIMIT_EXCEEDED]: the body is larger than 16777216 bytes\n";
    assert!(
        import.code == 1 && import.stderr.contains(refused),
        "{import:?}"
    );
}

/// Keys go through a proxy to a server that is encrypted, and never to one that is not.
#[test]
fn the_way_leads_through_the_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls {
        certificate: Cluster::shared().folder().join("server.crt"),
        key: Cluster::shared().folder().join("server.key"),
    };
    let authority = Cluster::shared().authority().display().to_string();
    let secure = server(folder.path(), Some(tls));
    let (port, seen) = proxy();
    let url = format!("https://localhost:{secure}");
    let through = format!("http://ada:p%40ss@localhost:{port}");
    let of = |more: &[(&str, &str)], args: &[&str]| {
        let mut variables = vec![("AL_URL", &*url), ("SSL_CERT_FILE", &*authority)];
        variables.extend([("HTTPS_PROXY", &*through), ("AL_ADMIN_KEY", ADMIN)]);
        variables.extend(more);
        al(folder.path(), &variables, args)
    };
    let create = of(&[], &["workspace", "create", "dev"]);
    assert_eq!(create.code, 0, "{create:?}");
    let heads = seen.lock().unwrap().clone();
    let [head] = &*heads else { panic!("{heads:?}") };
    assert!(
        head.starts_with(&format!("CONNECT localhost:{secure} HTTP/1.1\r\n")),
        "{head}"
    );
    // What `printf ada:p@ss | base64` prints.
    assert!(
        head.to_lowercase()
            .contains("proxy-authorization: basic ywrhonbac3m=\r\n"),
        "{head}"
    );
    assert!(!head.contains(ADMIN), "{head}");

    let list = of(
        &[("NO_PROXY", "example.com, localhost")],
        &["workspace", "list"],
    );
    assert_eq!(list.code, 0, "{list:?}");
    let clear = format!("http://localhost:{}", server(folder.path(), None));
    let list = of(
        &[("AL_URL", &clear), ("ALL_PROXY", &through)],
        &["workspace", "list"],
    );
    assert_eq!(list.code, 0, "{list:?}");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

/// A workspace with a log and a pin of it, a manifest to import next, a server, and another one over a copy of the store.
struct Scene {
    folder: TempDir,
    _copy: TempDir,
    port: u16,
    other: u16,
    key: String,
}

impl Scene {
    const IMPORT: [&str; 5] = ["import", "--file", "b.yaml", "--pin", "dev.pin"];
    const VERIFY: [&str; 4] = ["audit", "verify", "--checkpoint", "dev.pin"];

    fn new() -> Self {
        let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let port = server(folder.path(), None);
        let key = workspace(folder.path(), port);
        let write = |file: &str, name: &str| {
            let text = manifest(&[policy(name, "b.c", true)]);
            std::fs::write(folder.path().join(file), text).unwrap();
        };
        write("b.yaml", "b");
        write("evil.yaml", "e");
        let import = [
            "import",
            "--file",
            "a.yaml",
            "--pin",
            "dev.pin",
            "--pin-init",
        ];
        let url = format!("http://localhost:{port}");
        let variables = [("AL_URL", &*url), ("AL_SERVICE_KEY", &key)];
        let imported = al(folder.path(), &variables, &import);
        assert_eq!(imported.code, 0, "{imported:?}");
        let store = rusqlite::Connection::open(folder.path().join("al.db")).unwrap();
        let sql = format!("VACUUM INTO '{}'", copy.path().join("al.db").display());
        store.execute_batch(&sql).unwrap();
        let other = server(copy.path(), None);
        Self {
            folder,
            _copy: copy,
            port,
            other,
            key,
        }
    }

    fn al(&self, port: u16, args: &[&str]) -> Run {
        let url = format!("http://localhost:{port}");
        let variables = [("AL_URL", &*url), ("AL_SERVICE_KEY", &self.key)];
        al(self.folder.path(), &variables, args)
    }

    /// What is asked for at `port` is refused, the pin stays, and the log has so many events.
    fn refuses(&self, port: u16, args: &[&str], events: u64) {
        let pin = || std::fs::read(self.folder.path().join("dev.pin")).unwrap();
        let before = pin();
        let run = self.al(port, args);
        let is_refused = run.code == 1 && format!("{run:?}").contains("AUDIT_TAMPERED");
        assert!(is_refused, "{run:?}");
        assert_eq!(pin(), before);
        let store = rusqlite::Connection::open(self.folder.path().join("al.db")).unwrap();
        let count = "SELECT count(*) FROM audit_event";
        let found: u64 = store.query_row(count, [], |row| row.get(0)).unwrap();
        assert_eq!(found, events);
        // Nothing is lost: asked by another way, it goes on.
        let again = self.al(self.port, &Self::IMPORT);
        assert_eq!(again.code, 0, "{again:?}");
    }
}

/// Of a server that answers with something else than what was asked for, no checkpoint is kept.
#[test]
fn a_server_that_lies_is_not_believed() {
    let (import, verify) = (&Scene::IMPORT[..], &Scene::VERIFY[..]);
    let (change, events) = ("/v1/changes", "/v1/rows/events");
    // What is asked, where the answer is changed, what stands there, what is put in its place, and how long the log is then.
    let rows = [
        (import, change, r#""added":["b"]"#, r#""added":["z"]"#, 3),
        (
            import,
            change,
            r#""replace":false"#,
            r#""replace":true "#,
            3,
        ),
        (import, change, r#""unchanged":0"#, r#""unchanged":1"#, 3),
        (import, change, r"\n3\n", r"\n4\n", 3),
        (
            import,
            change,
            r#""checkpoint":"al/0"#,
            r#""checkpoint":"al/1"#,
            3,
        ),
        (import, events, r#""body":"ey"#, r#""body":"eY"#, 2),
        (import, events, r#""seq":0"#, r#""seq":9"#, 2),
        (verify, events, r#""body":"ey"#, r#""body":"eY"#, 2),
    ];
    for (args, path, from, to, size) in rows {
        let scene = Scene::new();
        let port = scene.port;
        let (way, seen) = way(
            move |_| port,
            move |first, answer| {
                let is_there = first.contains(path);
                Some(if is_there {
                    answer.replacen(from, to, 1)
                } else {
                    answer
                })
            },
        );
        scene.refuses(way, args, size);
        let asked = seen.lock().unwrap().clone();
        assert!(asked.iter().any(|line| line.contains(path)), "{asked:?}");
    }
}

/// What was asked for is done in a copy of the store, or in the copy while another change is made in the store itself: the
/// answer to the change is all right, and the log is not the one with that event.
#[test]
fn a_change_that_is_made_elsewhere_is_not_believed() {
    for is_evil in [false, true] {
        let scene = Scene::new();
        let (port, other, key) = (scene.port, scene.other, scene.key.clone());
        let folder = scene.folder.path().to_owned();
        let route = move |first: &str| {
            let is_change = first.contains("/v1/changes");
            if is_change && is_evil {
                let url = format!("http://localhost:{port}");
                let variables = [("AL_URL", &*url), ("AL_SERVICE_KEY", &key)];
                let evil = al(&folder, &variables, &["import", "--file", "evil.yaml"]);
                assert_eq!(evil.code, 0, "{evil:?}");
            }
            if is_change { other } else { port }
        };
        let (way, _) = way(route, |_, answer| Some(answer));
        scene.refuses(way, &Scene::IMPORT, 2 + u64::from(is_evil));
    }
}

/// Where the way breaks behind the change, people are told that it was made.
#[test]
fn a_change_whose_proof_is_lost_is_said_to_be_made() {
    let scene = Scene::new();
    let mut changed = false;
    let port = scene.port;
    let (way, _) = way(
        move |_| port,
        move |first, answer| {
            let is_lost = changed;
            changed |= first.contains("/v1/changes");
            (!is_lost).then_some(answer)
        },
    );
    let run = scene.al(way, &Scene::IMPORT);
    let made = "the server answered that the change was made, as event 2; no checkpoint of it is signed or kept";
    assert!(run.code == 1 && run.stderr.contains(made), "{run:?}");
}
