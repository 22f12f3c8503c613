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

/// A way to the server at `port` on which the answers to the first `lost` requests with `what` in their first line are lost:
/// its port, and the first lines of the requests that went through.
fn lossy(port: u16, what: &'static str, lost: usize) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    thread::spawn(move || {
        let mut left = lost;
        for stream in listener.incoming() {
            let mut client = stream.unwrap();
            let request = read_request(&mut client);
            if request.is_empty() {
                continue;
            }
            let text = String::from_utf8_lossy(&request).into_owned();
            let first = text.lines().next().unwrap_or_default().to_owned();
            let is_lost = first.contains(what) && left > 0;
            noted.lock().unwrap().push(first);
            // One request for each connection, so that the answer has an end.
            let request = text.replacen("\r\n", "\r\nconnection: close\r\n", 1);
            let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            server.write_all(request.as_bytes()).unwrap();
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).unwrap();
            if is_lost {
                left -= 1;
            } else {
                let _ = client.write_all(&answer);
            }
            let _ = client.shutdown(Shutdown::Both);
        }
    });
    (own, seen)
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
    let page = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 13\r\n\r\n<h1>502</h1>\r\n";
    let moved = "HTTP/1.1 301 Moved Permanently\r\nlocation: https://elsewhere.example/\r\ncontent-length: 0\r\n\r\n";
    let other = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    let garbled = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let broken = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}";
    // Whether a request that changes nothing was sent again.
    let answers = [(page, 4), (moved, 1), (other, 1), (garbled, 1), (broken, 4)];
    let answers = answers.map(|(answer, times)| (foreign(answer), times));

    let mut urls = vec![
        (format!("http://localhost:{closed}"), None),
        ("https://no-such-host.invalid".to_owned(), None),
        (format!("https://localhost:{secure}"), None),
        (format!("https://127.0.0.1:{secure}"), Some(&*authority)),
        ("https://lattice.example.com".to_owned(), Some("/none.crt")),
    ];
    for ((port, _), _) in &answers {
        urls.push((format!("http://localhost:{port}"), None));
    }
    // The last of the first kind is reached by a proxy that is not there.
    let proxy = format!("http://localhost:{closed}");
    let mut shown = String::new();
    for (url, trusted) in &urls {
        let mut variables = vec![("AL_URL", url.as_str()), ("AL_SERVICE_KEY", &key)];
        match trusted {
            Some("/none.crt") => variables.push(("HTTPS_PROXY", &proxy)),
            Some(file) => variables.push(("SSL_CERT_FILE", file)),
            None => {}
        }
        let run = al(folder.path(), &variables, &["export"]);
        assert!(!format!("{run:?}").contains(&key), "{run:?}");
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
    let create = al(
        folder.path(),
        &[("AL_URL", &url), ("AL_ADMIN_KEY", ADMIN)],
        &["workspace", "create", "dev"],
    );
    let key = create.stdout.trim_end();
    let text = manifest(&[policy("a", "b.c", true)]);
    std::fs::write(folder.path().join("a.yaml"), text).unwrap();

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
