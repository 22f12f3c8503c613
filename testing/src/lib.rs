//! A throw-away PostgreSQL for tests: a real server with an own folder, that is gone when the tests are.
//!
//! It needs the programs of a PostgreSQL server (Debian's package `postgresql`), running or not, and no rights: as root it
//! runs the server as the user `postgres`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "for tests, which may fail"
)]

pub mod store;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sqlx::postgres::{PgColumn, PgRow};
use sqlx::{Column, Connection, PgConnection, Row, TypeInfo, ValueRef};
use tokio::runtime::Builder;

/// The password of the user `lattice`, who may do everything.
pub const PASSWORD: &str = "a p@ss/word";

/// The same in a URL.
const PASSWORD_IN_URL: &str = "a%20p%40ss%2Fword";

/// A server. It stops when this is dropped, and when the process ends.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    control: Mutex<(Child, BufReader<ChildStdout>)>,
    databases: AtomicU64,
}

impl Cluster {
    /// The server that the tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts a server.
    ///
    /// # Panics
    ///
    /// Where there are no programs to start, or they fail.
    pub fn start() -> Self {
        // Sockets have short paths: not below the folder for temporary files of some systems.
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp");
        let folder = folder.unwrap().keep();
        certify(&folder);
        fs::write(folder.join("password"), PASSWORD).unwrap();
        let port = free_port();
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(include_str!("cluster.sh"))
            .arg("cluster")
            .args([&programs(), &folder])
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        answers.read_line(&mut ready).unwrap();
        if ready != "ready\n" {
            answers.read_to_string(&mut ready).unwrap();
            panic!("{ready}");
        }
        Self {
            folder,
            port,
            control: Mutex::new((child, answers)),
            databases: AtomicU64::new(0),
        }
    }

    /// Ends the server without warning, as a crash would.
    pub fn kill(&self) {
        self.order("kill");
    }

    /// Starts it again.
    pub fn restart(&self) {
        self.order("start");
    }

    fn order(&self, command: &str) {
        let mut control = self.control.lock().unwrap();
        let (child, answers) = &mut *control;
        writeln!(child.stdin.as_mut().unwrap(), "{command}").unwrap();
        answers.read_line(&mut String::new()).unwrap();
    }

    /// Makes an empty database; its URL.
    pub fn database(&self) -> String {
        let name = format!("db{}", self.databases.fetch_add(1, Ordering::Relaxed));
        run(&self.url("postgres"), &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        self.url_for("lattice", database)
    }

    /// The same for another user, who has the same password.
    pub fn url_for(&self, user: &str, database: &str) -> String {
        let port = self.port;
        format!("postgres://{user}:{PASSWORD_IN_URL}@localhost:{port}/{database}")
    }

    /// Where the server listens on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The certificate of the authority that signed the one of the server, which is for `localhost`.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.crt")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let (child, _) = self.control.get_mut().unwrap();
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

/// Runs statements that give no rows.
///
/// # Panics
///
/// Where one of them fails.
pub fn run(url: &str, sql: &str) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let done = sqlx::raw_sql(sql).execute(&mut connection).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.unwrap();
    });
}

/// The rows of a query, their columns as text with a blank between them: `-` for null, `1` and `0` for truths.
///
/// # Panics
///
/// Where it fails.
pub fn rows(url: &str, sql: &str) -> Vec<String> {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(url).await.unwrap();
        // The protocol for plain texts gives plain texts.
        let rows = sqlx::raw_sql(sql).fetch_all(&mut connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.unwrap();
        rows.iter().map(texts).collect()
    })
}

fn texts(row: &PgRow) -> String {
    let text = |column: &PgColumn| {
        let value = row.try_get_raw(column.ordinal()).unwrap();
        if value.is_null() {
            return "-".to_owned();
        }
        let text = value.as_str().unwrap();
        let text = match (column.type_info().name(), text) {
            ("BOOL", "t") => "1",
            ("BOOL", "f") => "0",
            (_, text) => text,
        };
        text.to_owned()
    };
    let texts: Vec<String> = row.columns().iter().map(text).collect();
    texts.join(" ")
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A certificate for `localhost`, and that of the authority behind it.
fn certify(folder: &Path) {
    let authority = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&authority).unwrap();
    fs::write(folder.join("authority.crt"), certificate.pem()).unwrap();

    let issuer = Issuer::from_params(&params, &authority);
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&key, &issuer).unwrap();
    fs::write(folder.join("server.crt"), server.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    // The server insists.
    Command::new("chmod")
        .arg("600")
        .arg(folder.join("server.key"))
        .status()
        .unwrap();
}

/// The folder with the programs of the server: on the path, or else the newest of Debian's.
fn programs() -> PathBuf {
    let on_path = env::var_os("PATH");
    let on_path = on_path.iter().flat_map(env::split_paths);
    let mut packaged: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| {
            let path = version.ok()?.path();
            let number = path.file_name()?.to_str()?.parse().ok()?;
            Some((number, path.join("bin")))
        })
        .collect();
    packaged.sort();
    let packaged = packaged.into_iter().rev().map(|(_, path)| path);
    on_path
        .chain(packaged)
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
        .expect("the tests need the programs of a PostgreSQL server, such as Debian's package `postgresql`")
}
