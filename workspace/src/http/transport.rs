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
use super::proxy::proxy;

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
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long a request may take as a whole, the reading of its answer with it.
const LONGEST: Duration = Duration::from_mins(10);
/// Bytes of a body from which on the server is asked first whether it takes it: else it refuses and hangs up, unheard.
const ASKED_FIRST: usize = 64 * 1024;
/// Bytes of the longest answer: the policies of a full workspace.
const ANSWER_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Bytes of the longest refusal, which may hold the plan that was refused.
const REFUSAL_BYTES: u64 = 64 * 1024 * 1024;

/// What to do where a change may have been made.
const NOBODY_KNOWS: &str = "nobody knows whether it was done: look before you ask again";
const VERSIONS: &str = "use the version of al that the server runs";

/// The way to a server.
#[derive(Debug)]
pub(super) struct Transport {
    address: Address,
    /// How long the server may be silent.
    silence: Duration,
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
    /// It may have been done, or be at work still: whoever waited that long does not wait again.
    Silent,
    /// The server itself says that it cannot do it now.
    Refused,
    /// It would fare no better.
    Never,
}

impl Transport {
    pub(super) fn new(address: &Address) -> Self {
        Self {
            address: address.clone(),
            silence: SILENCE,
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
            Error::new(Code::StoreUnavailable, message).with_help(match ask.effect {
                Effect::None => VERSIONS,
                Effect::Once(_) | Effect::Each => NOBODY_KNOWS,
            })
        })
    }

    /// The answer. A request that may be sent again is, where the server or the way to it failed.
    fn text(&self, ask: &Ask<'_>) -> Result<Vec<u8>, Error> {
        let mut waits = WAITS.iter();
        // Once it was, whatever comes of the attempts behind it.
        let mut may_be_done = false;
        loop {
            let failure = match self.attempt(ask) {
                Ok(text) => return Ok(text),
                Err(failure) => failure,
            };
            let may_repeat = match failure.again {
                Again::Unsent => true,
                Again::Unanswered | Again::Refused => ask.effect != Effect::Each,
                Again::Silent | Again::Never => false,
            };
            may_be_done |= matches!(failure.again, Again::Unanswered | Again::Silent);
            let Some(pause) = waits.next().filter(|_| may_repeat) else {
                let is_open = may_be_done && failure.again != Again::Never;
                return Err(if is_open && ask.effect != Effect::None {
                    failure.error.with_help(NOBODY_KNOWS)
                } else {
                    failure.error
                });
            };
            sleep(failure.wait.unwrap_or(*pause).min(LONGEST_WAIT).max(*pause));
        }
    }

    fn attempt(&self, ask: &Ask<'_>) -> Result<Vec<u8>, Failure> {
        let failed = |error: ureq::Error| self.failed(&error);
        let agent = if let Some(agent) = self.agent.get() {
            agent
        } else {
            let agent = agent(&self.address, self.silence).map_err(Failure::for_good)?;
            self.agent.get_or_init(|| agent)
        };
        let mut request = Request::builder()
            .uri(self.address.at(ask.path))
            .header("Authorization", format!("Bearer {}", ask.key))
            .header("Accept", "application/json");
        if let Effect::Once(once) = ask.effect {
            request = request.header("Idempotency-Key", once);
        }
        if ask.body.is_some_and(|body| body.len() > ASKED_FIRST) {
            request = request.header("Expect", "100-continue");
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
        let body = response.body_mut().with_config().limit(REFUSAL_BYTES);
        let document = body.read_to_vec().unwrap_or_default();
        let document = serde_json::from_slice::<ErrorDocument>(&document).ok();
        // Its paths are known here: where one is not there, it is another place, whoever says so.
        let document = document.filter(|_| !matches!(status, 404 | 405));
        let error = document.map(|document| self.told(document));
        let again = match (status, &error) {
            (503, Some(_)) => Again::Refused,
            // A proxy that reaches no server, or lost it.
            (408 | 500..=599, None) => Again::Unanswered,
            _ => Again::Never,
        };
        Failure {
            error: error.unwrap_or_else(|| self.foreign(status, response)),
            again,
            wait: wait.map(Duration::from_secs),
        }
    }

    /// The error that a server tells of, in its words at least.
    fn told(&self, document: ErrorDocument) -> Error {
        let (code, message) = (&document.error.code, &document.error.message);
        let unknown = format!("`{}` answers {code}: {message}", self.address);
        Error::from_document(document)
            .unwrap_or_else(|| Error::new(Code::StoreUnavailable, unknown).with_help(VERSIONS))
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
            (404 | 405, _) => (
                format!(
                    "`{address}` answers with the status {status}: no server of al, or one of another version"
                ),
                "AL_URL names the place where `al serve` listens, and no path below it; use the version of al that the server runs",
            ),
            (413, _) => (
                format!("a proxy in front of `{address}` refuses what is sent as too large"),
                "let it pass 16 MiB, as the server does (nginx: `client_max_body_size 16m`)",
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
                "AL_URL names the place where `al serve` listens; a proxy in front of it may have given that answer",
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
            ureq::Error::Rustls(error) => self.untrusted(&error.to_string()),
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
                    "check HTTPS_PROXY (or ALL_PROXY), or name this host in NO_PROXY",
                    Again::Unsent,
                )
            }
            ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => (
                format!("the server `{address}` takes no connection"),
                "check AL_URL, and whether the server runs",
                Again::Unsent,
            ),
            // What rustls finds while bytes are read or written comes as this.
            ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => {
                self.untrusted(&error.to_string())
            }
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => (
                format!("no connection to the server `{address}` came about in time"),
                "check AL_URL, the network and its proxy",
                Again::Unsent,
            ),
            ureq::Error::Timeout(_) => (
                format!("the server `{address}` did not answer in time"),
                "ask again in a while; the log of the server says what it was at",
                Again::Silent,
            ),
            ureq::Error::ConnectProxyFailed(reason) if reason.contains("407") => (
                format!("the proxy on the way to the server `{address}` wants to know who asks"),
                "put user and password into the URL of the proxy (HTTPS_PROXY), or name this host in NO_PROXY",
                Again::Never,
            ),
            ureq::Error::ConnectProxyFailed(reason) => (
                format!("the proxy does not lead to the server `{address}`: {reason}"),
                "check HTTPS_PROXY and NO_PROXY",
                Again::Unsent,
            ),
            ureq::Error::ConnectionFailed => (
                format!("no connection to the server `{address}` came about"),
                "check AL_URL, the network and its proxy",
                Again::Unsent,
            ),
            // What is sent was never written down.
            ureq::Error::Http(error) => (
                format!("a request to `{address}` cannot be written: {error}"),
                "check AL_URL and the keys",
                Again::Never,
            ),
            ureq::Error::Protocol(error) => (
                format!("what `{address}` answers is not HTTP: {error}"),
                "check AL_URL; where the server encrypts, it begins with `https://`",
                Again::Unanswered,
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

    /// What TLS has against a server.
    fn untrusted(&self, why: &str) -> (String, &'static str, Again) {
        let address = &self.address;
        let (why, help) = if why.contains("InvalidContentType") {
            (
                "it does not encrypt",
                "give it a certificate (`al serve --tls-cert`); `http://` reaches one on this machine",
            )
        } else if why.contains("CaUsedAsEndEntity") {
            (
                "its certificate is that of an authority",
                "give it one that the authority signed, or one of its own with `basicConstraints=CA:FALSE`",
            )
        } else {
            (
                why,
                "check AL_URL; for a certificate of an authority of your own, name its file in SSL_CERT_FILE",
            )
        };
        let message = format!("the server `{address}` cannot be trusted: {why}");
        (message, help, Again::Never)
    }
}

impl Failure {
    /// One that another attempt would meet as well.
    fn for_good(error: Error) -> Self {
        Self {
            error,
            again: Again::Never,
            wait: None,
        }
    }
}

/// The client of HTTP, which trusts the authorities of this machine or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, and takes
/// its [`proxy`] from the environment. What is not encrypted is not shown to a proxy.
fn agent(address: &Address, silence: Duration) -> Result<Agent, Error> {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(LONGEST))
        .timeout_connect(Some(CONNECT_TIME))
        .timeout_recv_response(Some(silence))
        .timeout_per_read(Some(silence))
        .timeout_per_write(Some(silence))
        .user_agent(concat!("al/", env!("CARGO_PKG_VERSION")))
        .proxy(None);
    if address.is_encrypted() {
        let roots = RootCerts::Specific(Arc::new(authorities()?));
        config = config
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .proxy(proxy(|name| std::env::var(name).ok())?);
    }
    Ok(config.build().new_agent())
}

/// Whoever may say that a server is who it says.
fn authorities() -> Result<Vec<Certificate<'static>>, Error> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why = found.errors.first();
        let why = why.map_or_else(|| "there are none".to_owned(), ToString::to_string);
        let message = format!("no certificate of an authority can be read: {why}");
        return Err(Error::new(Code::Usage, message)
            .with_help("check SSL_CERT_FILE and SSL_CERT_DIR, or install those of the system (`ca-certificates`)"));
    }
    let found = found.certs.iter();
    Ok(found
        .map(|root| Certificate::from_der(root).to_owned())
        .collect())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;

    use super::*;

    /// A server that goes away with an import may have done it, though nobody takes the attempts behind it.
    #[test]
    fn what_may_be_done_stays_so() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read(&mut [0; 1024]).unwrap()
        });
        let transport = Transport::new(&Address::parse(&url).unwrap());
        let ask = Ask {
            path: "/v1/changes",
            key: "key",
            body: Some(b"{}"),
            effect: Effect::Once("one"),
        };
        let error = transport.ask::<serde_json::Value>(&ask).unwrap_err();
        assert!(server.join().unwrap() > 0);
        let shown = error.diagnostics().next().unwrap();
        assert_eq!(shown.help.as_deref(), Some(NOBODY_KNOWS), "{error}");
    }

    /// A server that hears and says nothing is waited for once.
    #[test]
    fn a_silent_server_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let length = stream.read(&mut [0; 1024]).unwrap();
                sender.send(length).unwrap();
                open.push(stream);
            }
        });
        let transport = Transport {
            silence: Duration::from_millis(50),
            ..Transport::new(&Address::parse(&url).unwrap())
        };
        let late = format!("the server `{url}` did not answer in time");
        let wait = "ask again in a while; the log of the server says what it was at";
        let look = "nobody knows whether it was done: look before you ask again";
        let rows = [
            (Effect::None, 1, wait),
            (Effect::Once("one"), 1, look),
            (Effect::Each, 1, look),
        ];
        for (effect, times, help) in rows {
            let ask = Ask {
                path: "/v1/rows",
                key: "key",
                body: Some(b"{}"),
                effect,
            };
            let error = transport.ask::<serde_json::Value>(&ask).unwrap_err();
            let shown = error.diagnostics().next().unwrap();
            assert_eq!(
                (error.code(), error.message(), shown.help.as_deref()),
                (Code::StoreUnavailable, &*late, Some(help))
            );
            assert_eq!(heard.try_iter().count(), times, "{effect:?}");
        }
    }
}
