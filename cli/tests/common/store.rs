//! Where a test keeps its workspaces: in the test binary `over_postgres` in a database of its own, in `over_https` behind a
//! server of its own, in all others in an SQLite file.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use lattice_server::{AdminKey, Settings, Tls, router, serve};
use lattice_testing::{Cluster, store};
use lattice_workspace::Location;
use regex::Regex;
use rusqlite::Connection;

pub(crate) enum Store {
    File(PathBuf),
    /// The URL of a database.
    Database(String),
    /// The URLs of a server, with and without TLS, and the file that it keeps.
    Server(String, String, PathBuf),
}

const ADMIN: &str = "al_admin_0123456789abcdef0123456789abcdef0123456789abcdef";

/// What a command wants in its environment beside the place of the store and its key.
pub(crate) fn environment() -> Vec<(&'static str, String)> {
    if env!("CARGO_CRATE_NAME") != "over_https" {
        return Vec::new();
    }
    let authority = Cluster::shared().authority();
    vec![
        ("SSL_CERT_FILE", authority.display().to_string()),
        ("AL_ADMIN_KEY", ADMIN.to_owned()),
    ]
}

/// Two servers over the store in a file, with and without TLS: their ports. They stop with the process.
fn host(file: &Path) -> [u16; 2] {
    let location = Location::parse(&format!("sqlite:{}", file.display())).unwrap();
    let folder = Cluster::shared().folder();
    let tls = Tls {
        certificate: folder.join("server.crt"),
        key: folder.join("server.key"),
    };
    [Some(tls), None].map(|tls| {
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
    })
}

impl Store {
    /// A place without a store: the file, or a database.
    pub(crate) fn new(file: &Path) -> Self {
        match env!("CARGO_CRATE_NAME") {
            "over_postgres" => Self::Database(Cluster::shared().database()),
            "over_https" => {
                let [https, http] = host(file);
                let url = |scheme, port| format!("{scheme}://localhost:{port}");
                Self::Server(url("https", https), url("http", http), file.to_owned())
            }
            _ => Self::File(file.to_owned()),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite:{}", path.display()),
            Self::Database(url) | Self::Server(url, _, _) => url.clone(),
        }
    }

    /// The same for a test that reaches it from its own process, whose environment names no authority.
    pub(crate) fn url_in_process(&self) -> String {
        match self {
            Self::Server(_, url, _) => url.clone(),
            Self::File(_) | Self::Database(_) => self.url(),
        }
    }

    /// Edits the store with statements that SQLite and PostgreSQL both know.
    pub(crate) fn sql(&self, sql: &str) {
        match self {
            Self::File(path) | Self::Server(_, _, path) => {
                Connection::open(path).unwrap().execute_batch(sql).unwrap();
            }
            Self::Database(url) => store::sql(url, sql),
        }
    }

    /// Every row of a database with a store.
    pub(crate) fn rows(&self) -> Option<String> {
        match self {
            Self::Database(url) if store::is_made(url) => Some(store::contents(url)),
            Self::File(_) | Self::Database(_) | Self::Server(..) => None,
        }
    }

    /// Keeps a copy of the store.
    pub(crate) fn back_up(&self) {
        match self {
            Self::File(path) | Self::Server(_, _, path) => {
                let backup = path.with_extension("backup");
                self.sql(&format!("VACUUM INTO '{}'", backup.display()));
            }
            Self::Database(url) => store::back_up(url),
        }
    }

    /// Puts the copy in the place of the store.
    pub(crate) fn restore(&self) {
        match self {
            Self::File(path) | Self::Server(_, _, path) => {
                fs::rename(path.with_extension("backup"), path).unwrap();
            }
            Self::Database(url) => store::restore(url),
        }
    }
}

/// What was printed, with the URL of an SQLite file in the place of a database's, and its path where that stands alone.
pub(crate) fn called_alike(printed: &str, url: &str) -> String {
    let database = "(?:postgres://localhost:[0-9]+/db[0-9]+|https?://localhost:[0-9]+)";
    let path = url.trim_start_matches("sqlite:");
    let rows = [
        (format!("`{database}`"), format!("`{path}`")),
        (database.to_owned(), url.to_owned()),
    ];
    // A server does not say where its store is.
    let mut text = printed.replace("the store of the server", &format!("the store `{path}`"));
    for (database, file) in rows {
        let database = Regex::new(&database).unwrap();
        text = database.replace_all(&text, file).into_owned();
    }
    text
}
