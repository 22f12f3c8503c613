use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use lattice_core::{Code, Error};
use lattice_server::{AdminKey, Settings, Tls, router, serve};
use lattice_workspace::threads;

use crate::args::StoreArgs;
use crate::file::KEY;
use crate::session::{Done, Outcome, Session};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  al serve --url postgres://al_writer@db/lattice
  al serve --listen 0.0.0.0:8420 --tls-cert server.crt --tls-key server.key
  al serve --admin-key-file admin.key --log json

Paths:
  /v1/openapi.json describes what there is; /healthz, /readyz and /metrics are for whoever runs it.")]
pub(crate) struct Serve {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8420")]
    listen: SocketAddr,
    /// File of the server's certificate, and those between it and its authority, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// File of the certificate's key, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// File with the key that makes and lists workspaces [env: `AL_ADMIN_KEY` holds the key itself]
    #[arg(
        long,
        value_name = "FILE",
        help = "File with the key that makes and lists workspaces [env: AL_ADMIN_KEY holds the key itself]"
    )]
    admin_key_file: Option<PathBuf>,
    /// Take the last address in `X-Forwarded-For` for the source; only behind a proxy that sets it
    #[arg(long)]
    trust_forwarded_for: bool,
    /// Form of the log on stderr
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    log: Log,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Log {
    #[default]
    Text,
    Json,
}

impl Serve {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Outcome {
        let admin = self.admin_key(session)?;
        let tls = self.tls_cert.zip(self.tls_key);
        let tls = tls.map(|(certificate, key)| Tls { certificate, key });
        if let Some(tls) = &tls {
            tls.check()?;
        }
        let opened = self.store.open(session)?;
        let settings = Settings {
            admin,
            store: opened.location.store_name(),
            trust_forwarded_for: self.trust_forwarded_for,
        };
        // A server that cannot do anything says so now, and not to its first client.
        opened.store.read()?;
        let listener = TcpListener::bind(self.listen).map_err(|error| {
            let message = format!("cannot listen on `{}`: {error}", self.listen);
            Error::new(Code::IoError, message).with_help("choose another address with `--listen`")
        })?;
        let address = listener.local_addr().unwrap_or(self.listen);
        let scheme = if tls.is_some() { "https" } else { "http" };
        session.note(format_args!(
            "serving {} on {scheme}://{address}",
            opened.location
        ));
        if tls.is_none() && !address.ip().is_loopback() {
            session.note("keys travel in the clear: give `--tls-cert` and `--tls-key`, or let a proxy encrypt");
        }
        self.log.start();
        // Each request that works holds a connection of the store.
        let workers = threads().get().saturating_mul(4);
        let store = Arc::from(opened.store);
        serve(listener, router(store, settings, workers), tls.as_ref())?;
        Ok(Done::silent())
    }

    fn admin_key(&self, session: &mut Session<'_, '_>) -> Result<Option<AdminKey>, Error> {
        if let Some(path) = &self.admin_key_file {
            let input = session.read(path, KEY)?;
            let text = String::from_utf8_lossy(&input.bytes);
            return AdminKey::parse(text.trim_end()).map(Some);
        }
        let key = session.io.variable("AL_ADMIN_KEY");
        key.map(|key| AdminKey::parse(&key.to_string_lossy()))
            .transpose()
    }
}

impl Log {
    /// Sends the log of this process to stderr. Where a program has one already, it stays.
    fn start(self) {
        let log = tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
            .with_target(false);
        let _ = match self {
            Log::Text => log.try_init(),
            Log::Json => log.json().flatten_event(true).try_init(),
        };
    }
}
