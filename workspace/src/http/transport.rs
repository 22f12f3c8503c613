//! Requests to a server: sent, sent again where that does no harm, and answered or explained.

use std::fmt::Debug;
use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::Duration;

use lattice_core::view::ErrorDocument;
use lattice_core::{Code, Error};
use serde::de::DeserializeOwned;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, Timeout};

use super::address::Address;

/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long a server may be silent, at work or on the way of its answer: longer than it waits for its turn and its locks.
const SILENCE: Duration = Duration::from_mins(1);
/// How long to wait before a request is sent again: once for each.
const WAITS: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_millis(600),
    Duration::from_millis(1_800),
];
/// The longest that a server may ask to wait: a command that does not come back helps nobody.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Bytes of the longest answer: the policies of a full workspace.
const ANSWER_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// The way to a server.
#[derive(Debug)]
pub(super) struct Transport {
    address: Address,
    agent: OnceLock<Agent>,
}

/// A request. Nothing of it is ever shown.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) path: &'a str,
    /// The key that opens it.
    pub(super) key: &'a str,
    /// What is sent; without, it is a `GET`.
    pub(super) body: Option<&'a [u8]>,
    pub(super) effect: Effect<'a>,
}

/// What a request does where it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect<'a> {
    /// Nothing.
    None,
    /// It changes something once, however often it is sent with this `Idempotency-Key`.
    Once(&'a str),
    /// It changes something each time.
    Each,
}

/// Why there is no answer.
struct Failure {
    error: Error,
    /// Whether another attempt may fare better: nobody took the request, or it may be taken twice.
    again: Again,
    /// How long the server asks to wait.
    wait: Option<Duration>,
}

#[derive(PartialEq, Eq)]
enum Again {
    /// It never left, so that it may be sent whatever it is.
    Unsent,
    /// It may have been done.
    Unanswered,
    /// The server itself says that it cannot do it now.
    Refused,
    /// It would fare no better.
    Never,
}

impl Transport {
    pub(super) fn new(address: &Address) -> Self {
        Self {
            address: address.clone(),
            agent: OnceLock::new(),
        }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// The document of the answer.
    pub(super) fn ask<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, Error> {
        let text = self.text(ask)?;
        serde_json::from_slice(&text).map_err(|error| {
            let message = format!(
                "the answer of the server `{}` is not one that this version of al reads: {error}",
                self.address
            );
            Error::new(Code::StoreUnavailable, message)
                .with_help("use the version of al that the server runs")
        })
    }

    /// The answer. A request that may be sent again is, where the server or the way to it failed.
    fn text(&self, ask: &Ask<'_>) -> Result<Vec<u8>, Error> {
        let mut waits = WAITS.iter();
        loop {
            let failure = match self.attempt(ask) {
                Ok(text) => return Ok(text),
                Err(failure) => failure,
            };
            let may_repeat = match failure.again {
                Again::Unsent => true,
                Again::Unanswered | Again::Refused => ask.effect != Effect::Each,
                Again::Never => false,
            };
            let Some(pause) = waits.next().filter(|_| may_repeat) else {
                let is_open = failure.again == Again::Unanswered && ask.effect != Effect::None;
                return Err(if is_open {
                    failure
                        .error
                        .with_help("nobody knows whether it was done: look before you ask again")
                } else {
                    failure.error
                });
            };
            sleep(failure.wait.unwrap_or(*pause).min(LONGEST_WAIT).max(*pause));
        }
    }

    fn attempt(&self, ask: &Ask<'_>) -> Result<Vec<u8>, Failure> {
        let failed = |error: ureq::Error| self.failed(&error);
        let agent = match self.agent.get() {
            Some(agent) => agent,
            None => self.agent.get_or_init(agent),
        };
        let mut request = Request::builder()
            .uri(self.address.at(ask.path))
            .header("Authorization", format!("Bearer {}", ask.key))
            .header("Accept", "application/json");
        if let Effect::Once(once) = ask.effect {
            request = request.header("Idempotency-Key", once);
        }
        let response = match ask.body {
            Some(body) => {
                let request = request
                    .method("POST")
                    .header("Content-Type", "application/json");
                request
                    .body(body)
                    .map_err(ureq::Error::from)
                    .and_then(|request| agent.run(request))
            }
            None => request
                .body(())
                .map_err(ureq::Error::from)
                .and_then(|request| agent.run(request)),
        };
        let mut response = response.map_err(failed)?;
        if !response.status().is_success() {
            return Err(self.refused(&mut response));
        }
        let body = response.body_mut().with_config().limit(ANSWER_BYTES);
        body.read_to_vec().map_err(failed)
    }

    /// What an answer says that is none of success.
    fn refused(&self, response: &mut Response<Body>) -> Failure {
        let status = response.status().as_u16();
        let wait = response.headers().get("Retry-After");
        let wait = wait.and_then(|wait| wait.to_str().ok()?.parse().ok());
        let body = response.body_mut().with_config().limit(ANSWER_BYTES);
        let document = body.read_to_vec().unwrap_or_default();
        let document = serde_json::from_slice::<ErrorDocument>(&document).ok();
        let error = document.and_then(Error::from_document);
        let again = match (status, &error) {
            (503, Some(_)) => Again::Refused,
            // A proxy that reaches no server, or lost it.
            (502..=504, None) => Again::Unanswered,
            _ => Again::Never,
        };
        Failure {
            error: error.unwrap_or_else(|| self.foreign(status, response)),
            again,
            wait: wait.map(Duration::from_secs),
        }
    }

    /// The error for an answer that no server of this kind gave.
    fn foreign(&self, status: u16, response: &Response<Body>) -> Error {
        let address = &self.address;
        let location = response.headers().get("Location");
        let location = location.and_then(|location| location.to_str().ok());
        let (message, help) = match (status, location) {
            (300..=399, Some(to)) => (
                format!("`{address}` sends its clients on to `{to}`"),
                "keys are sent nowhere but to the place that AL_URL names: change it, if that is where the server is now",
            ),
            (407, _) => (
                format!("the proxy on the way to `{address}` wants to know who asks"),
                "put user and password into the URL of the proxy (HTTPS_PROXY), or leave it out for this host (NO_PROXY)",
            ),
            (404 | 405, _) => (
                format!(
                    "`{address}` answers with the status {status}: no server of al, or one of another version"
                ),
                "AL_URL names the place where `al serve` listens; use the version of al that the server runs",
            ),
            (500..=599, _) => (
                format!(
                    "`{address}` answers with the status {status}, and not in the words of a server of al"
                ),
                "a proxy in front of it may have given that answer; its log, and that of the server, say why",
            ),
            _ => (
                format!(
                    "`{address}` answers with the status {status}, and not in the words of a server of al"
                ),
                "AL_URL names the place where `al serve` listens",
            ),
        };
        Error::new(Code::StoreUnavailable, message).with_help(help)
    }

    /// Why no answer came.
    fn failed(&self, error: &ureq::Error) -> Failure {
        let address = &self.address;
        let is_proxied = self.agent.get().is_some_and(|agent| {
            let uri = address.at("/").parse();
            let proxy = agent.config().proxy();
            proxy
                .zip(uri.ok())
                .is_some_and(|(proxy, uri)| !proxy.is_no_proxy(&uri))
        });
        let (message, help, again) = match error {
            ureq::Error::HostNotFound => (
                format!("the name of the server `{address}` is not known"),
                "check AL_URL, and the name service of this machine",
                Again::Never,
            ),
            ureq::Error::Rustls(error) => (
                format!("the server `{address}` cannot be trusted: {error}"),
                "check AL_URL; for a certificate of an authority of your own, name its file in SSL_CERT_FILE",
                Again::Never,
            ),
            // The system's word for it comes as this.
            ureq::Error::Io(error) if error.to_string().contains("lookup address") => (
                format!(
                    "the name of the server `{address}`, or of the proxy on the way, is not known"
                ),
                "check AL_URL, HTTPS_PROXY, and the name service of this machine",
                Again::Never,
            ),
            ureq::Error::Io(error)
                if error.kind() == ErrorKind::ConnectionRefused && is_proxied =>
            {
                (
                    format!("the proxy on the way to the server `{address}` takes no connection"),
                    "check HTTPS_PROXY, or name this host in NO_PROXY",
                    Again::Unsent,
                )
            }
            ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => (
                format!("the server `{address}` takes no connection"),
                "check AL_URL, and whether the server runs",
                Again::Unsent,
            ),
            // What rustls finds while bytes are read or written comes as this.
            ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => (
                format!("the server `{address}` cannot be trusted: {error}"),
                "check AL_URL; for a certificate of an authority of your own, name its file in SSL_CERT_FILE",
                Again::Never,
            ),
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => (
                format!("no connection to the server `{address}` came about in time"),
                "check AL_URL, the network and its proxy",
                Again::Unsent,
            ),
            ureq::Error::Timeout(_) => (
                format!("the server `{address}` did not answer in time"),
                "ask again in a while; the log of the server says what it was at",
                Again::Unanswered,
            ),
            ureq::Error::ConnectProxyFailed(reason) => (
                format!("the proxy does not lead to the server `{address}`: {reason}"),
                "check HTTPS_PROXY and NO_PROXY",
                Again::Unsent,
            ),
            ureq::Error::InvalidProxyUrl => (
                "the URL of the proxy is none".to_owned(),
                "check HTTPS_PROXY and ALL_PROXY",
                Again::Never,
            ),
            ureq::Error::ConnectionFailed => (
                format!("no connection to the server `{address}` came about"),
                "check AL_URL, the network and its proxy",
                Again::Unsent,
            ),
            other => (
                format!("the connection to the server `{address}` failed: {other}"),
                "check the network, and whether the server runs",
                Again::Unanswered,
            ),
        };
        Failure {
            error: Error::new(Code::StoreUnavailable, message).with_help(help),
            again,
            wait: None,
        }
    }
}

/// The client of HTTP, which trusts the authorities of this machine or those of `SSL_CERT_FILE`, and takes its proxy from
/// `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
fn agent() -> Agent {
    let found = rustls_native_certs::load_native_certs();
    let roots = found.certs.iter();
    let roots = roots.map(|root| Certificate::from_der(root).to_owned());
    let roots = RootCerts::Specific(Arc::new(roots.collect()));
    Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(CONNECT_TIME))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .timeout_per_write(Some(SILENCE))
        .user_agent(concat!("al/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}
