//! A server with something to lose, and a client that sends whatever it is told to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use lattice_core::view::KeyKind;
use lattice_core::{Manifest, Mode};
use lattice_server::{AdminKey, Settings, router, serve};
use lattice_testing::Cluster;
use lattice_workspace::{
    Ambient, Caller, Key, Location, Reader, Store, create_key, create_workspace, import, revoke_key,
};
use rusqlite::Connection;
use tempfile::TempDir;
use tracing_subscriber::filter::LevelFilter;

pub(crate) const MANIFEST: &str = "\
manifest_version: '1.0'
policies:
  - name: reviewed-deploys
    action_type: deploy.production
    approval_required: true
    allowed_repos: null
    allowed_branches: [main]
    conditions: null
";

pub(crate) const ACTION: &str = r#"{"action_type": "deploy.production"}"#;

pub(crate) struct House {
    address: SocketAddr,
    folder: TempDir,
    database: Option<String>,
    pub(crate) admin: String,
    pub(crate) service: String,
    pub(crate) agent: String,
    /// A service key that was revoked.
    pub(crate) revoked: String,
    /// The service key of another workspace.
    pub(crate) other: String,
}

/// What came back, if anything did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    /// The code of the error in the body, which is the document of one.
    pub(crate) fn code(&self) -> String {
        let document: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let code = document.pointer("/error/code");
        code.and_then(|code| code.as_str())
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }
}

/// A request and what has to come of it: a status, and the code of the error; empty where HTTP itself is broken, and it
/// never becomes a request.
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) code: &'a str,
}

impl House {
    /// A house behind a proxy, so that each request has the source that it says.
    pub(crate) fn new() -> Self {
        Self::build(None, true, 4)
    }

    pub(crate) fn on_postgres() -> Self {
        Self::build(Some(Cluster::shared().database()), true, 4)
    }

    pub(crate) fn build(
        database: Option<String>,
        trust_forwarded_for: bool,
        workers: usize,
    ) -> Self {
        LazyLock::force(&LOG);
        let folder = tempfile::tempdir().unwrap();
        let in_folder = || format!("sqlite:{}", folder.path().join("al.db").display());
        let url = database.clone().unwrap_or_else(in_folder);
        let store: Arc<dyn Store> = Arc::from(Location::parse(&url).unwrap().open());
        let service = create_workspace(&*store, "staging", None, &ambient())
            .unwrap()
            .service_key;
        let other = create_workspace(&*store, "dev", None, &ambient())
            .unwrap()
            .service_key;
        let caller = Caller::Key(Key::parse(&service).unwrap());
        let key = |kind| create_key(&*store, &caller, kind, None, &ambient()).unwrap();
        let (agent, revoked) = (key(KeyKind::Agent), key(KeyKind::Service));
        revoke_key(&*store, &caller, &revoked.id, &ambient()).unwrap();
        let opened = Key::parse(&service).unwrap();
        let reader = Reader::open(&*store, &opened, KeyKind::Service, None).unwrap();
        let manifest = Manifest::parse(MANIFEST.as_bytes()).unwrap();
        let planned = reader.plan(&manifest, Mode::Additive).unwrap();
        import(&*store, &opened, &planned, &ambient()).unwrap();

        let admin = format!("al_admin_{}", random());
        let settings = Settings {
            admin: Some(AdminKey::parse(&admin).unwrap()),
            store: Location::parse(&url).unwrap().store_name(),
            trust_forwarded_for,
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let router = router(store, settings, workers);
        thread::spawn(move || serve(listener, router, None));
        Self {
            address,
            folder,
            database,
            admin,
            service,
            agent: agent.key,
            revoked: revoked.key,
            other,
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("al.db")
    }

    /// Sends `bytes`, ends the sending if asked to, and waits for all that comes.
    pub(crate) fn exchange(&self, bytes: &[u8], half_close: bool) -> Option<Reply> {
        let mut stream = self.connect();
        // A server that has heard enough may close before it has read all.
        let _ = stream.write_all(bytes);
        if half_close {
            let _ = stream.shutdown(Shutdown::Write);
        }
        receive(&mut stream)
    }

    pub(crate) fn send(&self, bytes: &[u8]) -> Option<Reply> {
        self.exchange(bytes, false)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        let patience = Some(Duration::from_secs(40));
        stream.set_read_timeout(patience).unwrap();
        stream.set_write_timeout(patience).unwrap();
        stream
    }

    /// Sends each, and holds the server to what has to come of it; afterwards to what must never happen.
    pub(crate) fn hold(&self, rows: &[Row<'_>]) {
        self.unharmed(|| {
            for row in rows {
                let before = self.refusals();
                let reply = self.send(&row.bytes);
                let found = reply.as_ref().map(|reply| (reply.status, reply.code()));
                let expected = Some((row.status, row.code.to_owned()));
                assert_eq!(found, expected, "{}: {reply:?}", row.name);
                let counted = self.refusals() - before;
                assert_eq!(counted, u64::from(!row.code.is_empty()), "{}", row.name);
                self.keeps_secrets(row.name, &format!("{reply:?}"));
            }
        });
    }

    /// Runs `work`, which changes nothing in the store, and leaves a server that is as good as before.
    pub(crate) fn unharmed<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.rows();
        let done = work();
        assert!(before == self.rows(), "something was written");
        self.answers();
        self.keeps_secrets("log", &String::from_utf8_lossy(&log()));
        let metrics = self.get("/metrics").body;
        self.keeps_secrets("metrics", &metrics);
        assert!(!metrics.contains(r#"status="500""#), "{metrics}");
        done
    }

    /// The server still does what it is for.
    pub(crate) fn answers(&self) {
        let decision = request("POST", "/v1/decisions", &[&bearer(&self.agent)], ACTION);
        let decided = self.send(&decision).unwrap();
        assert_eq!(decided.status, 200, "{decided:?}");
        assert!(decided.body.contains("reviewed-deploys"), "{decided:?}");
        assert_eq!(self.get("/healthz").body, "ok\n");
        assert_eq!(self.get("/readyz").body, "ok\n");
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send(&request("GET", path, &[], "")).unwrap()
    }

    /// How many requests were refused.
    pub(crate) fn refusals(&self) -> u64 {
        self.metric("lattice_refusals_total")
    }

    /// The sum of a family of counters.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").body;
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '));
        lines.map(|(_, count)| count.parse::<u64>().unwrap()).sum()
    }

    /// No key shows, nor a part of one that would make the rest easier to guess.
    pub(crate) fn keeps_secrets(&self, place: &str, text: &str) {
        let keys = [
            &self.admin,
            &self.service,
            &self.agent,
            &self.revoked,
            &self.other,
        ];
        for key in keys {
            let (_, random) = key.rsplit_once('_').unwrap();
            for start in 0..=random.len() - 12 {
                let part = &random[start..start + 12];
                assert!(!text.contains(part), "{place} shows a part of a key");
            }
        }
    }

    /// All that the store holds.
    fn rows(&self) -> BTreeMap<String, Vec<String>> {
        match &self.database {
            Some(url) => postgres_rows(url),
            None => sqlite_rows(&Connection::open(self.file()).unwrap()),
        }
    }
}

fn sqlite_rows(connection: &Connection) -> BTreeMap<String, Vec<String>> {
    let query = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns).try_fold(String::new(), |mut text, column| {
                let value: rusqlite::types::Value = row.get(column)?;
                write!(text, "{value:?} ").unwrap();
                Ok(text)
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    };
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .unwrap();
    let names = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    let tables: BTreeMap<_, _> = names
        .map(Result::unwrap)
        .map(|name| (name.clone(), query(&format!("SELECT * FROM \"{name}\""))))
        .collect();
    assert!(tables.len() > 3);
    tables
}

fn postgres_rows(url: &str) -> BTreeMap<String, Vec<String>> {
    let tables = "SELECT schemaname || '.' || tablename FROM pg_tables \
        WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
    let names = lattice_testing::rows(url, tables);
    assert!(names.len() > 3);
    let all = |name: &String| {
        let sql = format!("SELECT t::text FROM {name} t ORDER BY 1");
        (name.clone(), lattice_testing::rows(url, &sql))
    };
    names.iter().map(all).collect()
}

/// A whole request, after which the connection ends. Where it comes from is new each time.
pub(crate) fn request(
    method: &str,
    target: &str,
    headers: &[&str],
    body: impl AsRef<[u8]>,
) -> Vec<u8> {
    let body = body.as_ref();
    let length = match (method, body.len()) {
        ("GET", 0) => String::new(),
        (_, length) => format!("Content-Length: {length}"),
    };
    let mut all = headers.to_vec();
    if !length.is_empty() {
        all.push(&length);
    }
    let mut bytes = head(method, target, &all);
    bytes.extend(body);
    bytes
}

/// A head alone.
pub(crate) fn head(method: &str, target: &str, headers: &[&str]) -> Vec<u8> {
    static SOURCES: AtomicU32 = AtomicU32::new(0x0a00_0001);
    let source = std::net::Ipv4Addr::from(SOURCES.fetch_add(1, Ordering::Relaxed));
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: lattice\r\nConnection: close\r\n");
    if !headers
        .iter()
        .any(|header| header.starts_with("X-Forwarded-For"))
    {
        write!(head, "X-Forwarded-For: {source}\r\n").unwrap();
    }
    for header in headers {
        write!(head, "{header}\r\n").unwrap();
    }
    head.push_str("\r\n");
    head.into_bytes()
}

pub(crate) fn bearer(key: &str) -> String {
    format!("Authorization: Bearer {key}")
}

/// All that comes until the server ends the connection; `None` if that is nothing.
pub(crate) fn receive(stream: &mut TcpStream) -> Option<Reply> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => bytes.extend(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&bytes)),
        }
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Reply {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// 64 hexadecimal digits that nobody can guess.
pub(crate) fn random() -> String {
    lattice_core::hash::hex(ambient().seed.first_chunk::<32>().unwrap())
}

fn ambient() -> Ambient {
    let mut seed = [0; 64];
    getrandom::fill(&mut seed).unwrap();
    Ambient {
        now: Timestamp::now(),
        seed,
    }
}

/// All that was logged in this process, at every level, by whatever is in it.
static LOG: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(|| {
    let log = Arc::default();
    let writer = Writer(Arc::clone(&log));
    tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .init();
    log
});

pub(crate) fn log() -> MutexGuard<'static, Vec<u8>> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone)]
struct Writer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
