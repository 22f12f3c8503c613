//! A server on a port of its own, and a client.
#![allow(dead_code, reason = "every test file uses some of it")]

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use lattice_server::{AdminKey, Settings, Tls, router, serve};
use lattice_testing::Cluster;
use lattice_workspace::{Ambient, Key, Location, create_workspace};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

const ADMIN: &str = "al_admin_0123456789abcdef0123456789abcdef0123456789abcdef";

/// A server, over a store of its own. It stops with the process.
pub(crate) struct Host {
    folder: TempDir,
    pub(crate) address: SocketAddr,
    agent: Agent,
    base: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Host {
    /// One over each kind of store.
    pub(crate) fn each() -> [Self; 2] {
        [
            Self::sqlite(),
            Self::over(Cluster::shared().database(), None),
        ]
    }

    pub(crate) fn sqlite() -> Self {
        Self::over("sqlite".to_owned(), None)
    }

    /// One that encrypts.
    pub(crate) fn with_tls() -> Self {
        let cluster = Cluster::shared();
        let tls = Tls {
            certificate: cluster.folder().join("server.crt"),
            key: cluster.folder().join("server.key"),
        };
        Self::over("sqlite".to_owned(), Some((tls, cluster.authority())))
    }

    fn over(url: String, tls: Option<(Tls, PathBuf)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match &*url {
            "sqlite" => format!("sqlite:{}", folder.path().join("al.db").display()),
            _ => url,
        };
        let store = Location::parse(&url).unwrap().open();
        // The store is made by the first workspace.
        let ambient = Ambient {
            now: jiff::Timestamp::UNIX_EPOCH,
            seed: [1; 64],
        };
        create_workspace(&*store, "zz-first", None, &ambient).unwrap();
        let settings = Settings {
            admin: Some(AdminKey::parse(ADMIN).unwrap()),
            store: Location::parse(&url).unwrap().store_name(),
            ..Settings::default()
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tls, authority) = tls.unzip();
        thread::spawn(move || {
            serve(
                listener,
                router(Arc::from(store), settings, 4),
                tls.as_ref(),
            )
        });
        let mut config = Agent::config_builder().http_status_as_error(false);
        let mut base = format!("http://{address}");
        if let Some(authority) = authority {
            let pem = std::fs::read(authority).unwrap();
            let root = RootCerts::new_with_certs(&[Certificate::from_pem(&pem).unwrap()]);
            config = config.tls_config(TlsConfig::builder().root_certs(root).build());
            base = format!("https://localhost:{}", address.port());
        }
        Self {
            folder,
            address,
            agent: config.build().into(),
            base,
        }
    }

    /// The admin key.
    #[allow(clippy::unused_self, reason = "it is the key of the server")]
    pub(crate) fn admin(&self) -> &'static str {
        ADMIN
    }

    /// Makes a workspace; its service key.
    pub(crate) fn workspace(&self, name: &str) -> String {
        let made = self.post("/v1/workspaces", ADMIN, &format!(r#"{{"name": "{name}"}}"#));
        let key = made.document()["service_key"].as_str().unwrap().to_owned();
        Key::parse(&key).unwrap();
        key
    }

    pub(crate) fn get(&self, path: &str, key: &str) -> Reply {
        self.send("GET", path, key, &[], "")
    }

    pub(crate) fn post(&self, path: &str, key: &str, body: &str) -> Reply {
        self.send("POST", path, key, &[], body)
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        key: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = match method {
            "GET" => self.agent.run(request.body(()).unwrap()),
            _ => self.agent.run(request.body(body).unwrap()),
        };
        let mut response = response.unwrap();
        let headers = response.headers().iter();
        Reply {
            status: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: String::from_utf8(
                response
                    .body_mut()
                    .with_config()
                    .limit(1 << 30)
                    .read_to_vec()
                    .unwrap(),
            )
            .unwrap(),
        }
    }

    /// The folder of a store in a file.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Edits a store in a file under the server.
    pub(crate) fn sql(&self, sql: &str) {
        let store = Connection::open(self.folder().join("al.db")).unwrap();
        store.execute_batch(sql).unwrap();
    }

    /// Takes the store away under the server.
    pub(crate) fn lose_store(&self) {
        std::fs::remove_file(self.folder().join("al.db")).unwrap();
    }
}

impl Reply {
    /// The document of an answer; of a refusal only where it is looked for.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The status and the code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let code = self.document()["error"]["code"]
            .as_str()
            .unwrap()
            .to_owned();
        (self.status, code)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no `{name}`: {self:?}")).1
    }
}

/// A manifest of policies: the name of each, and whether it asks for approval.
pub(crate) fn manifest(policies: &[(&str, bool)]) -> String {
    let items = policies.iter().map(|(name, approval)| {
        format!(
            "  - name: {name}\n    action_type: deploy.{name}\n    approval_required: {approval}\n    \
             allowed_repos: null\n    allowed_branches: [main]\n    conditions: null\n"
        )
    });
    format!(
        "manifest_version: '1.0'\npolicies:\n{}",
        items.collect::<String>()
    )
}
