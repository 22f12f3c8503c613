//! Where a PostgreSQL database is, and how it is reached.

use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::net::IpAddr;

use lattice_core::{Code, Error};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// The parameters of a URL that mean something here, as libpq spells them.
const PARAMETERS: [&str; 9] = [
    "application_name",
    "dbname",
    "host",
    "options",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
];

/// What `sslmode` may be. Without libpq's `allow`, which asks for encryption last of all.
const MODES: [&str; 5] = ["disable", "prefer", "require", "verify-ca", "verify-full"];

/// The URL of a PostgreSQL database. It is shown without its password, user and parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    url: Url,
}

impl Address {
    /// Reads `postgres://[USER[:PASSWORD]@][HOST[:PORT]]/[DATABASE][?PARAMETERS]`. Nothing is opened.
    ///
    /// # Errors
    ///
    /// `USAGE`. The message never holds the URL, which may hold a password.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        // Without the slashes, or with one of a password that is not escaped, a part of the secret would pass for the host or
        // the database, and be shown as such.
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(usage(
                "the URL of the PostgreSQL database does not begin with `postgres://`",
            ));
        }
        let url = Url::parse(url).map_err(|error| {
            usage(&format!(
                "the URL of the PostgreSQL database is not valid: {error}"
            ))
        })?;
        if url.fragment().is_some() {
            return Err(usage(
                "the URL of the PostgreSQL database holds a `#`, which a password writes as `%23`",
            ));
        }
        let database = url.path().strip_prefix('/').unwrap_or_default();
        if database.contains(['/', '@', ':', ';']) {
            return Err(usage(
                "the URL of the PostgreSQL database has no plain name of a database behind its host",
            ));
        }
        let mut seen = BTreeSet::new();
        for (key, value) in url.query_pairs() {
            expect_parameter(&key, &value)?;
            if !seen.insert(key.clone()) {
                let message =
                    format!("the parameter `{key}` of the PostgreSQL database is there twice");
                return Err(usage(&message));
            }
        }
        Ok(Self { url })
    }

    /// How to connect: what the URL says, then what the environment says as it does to libpq (`PGPASSWORD`,
    /// `PGSSLMODE`, the password file and so on).
    ///
    /// Where neither says how a connection over a network is protected, it is encrypted and the server's certificate is
    /// checked against its name: a key or a policy that somebody on the way can read or change is none. So it is where the
    /// URL names an authority: whoever does so wants to be asked.
    ///
    /// # Errors
    ///
    /// `USAGE` for a value that does not mean anything.
    pub(super) fn options(&self) -> Result<PgConnectOptions, Error> {
        let options: PgConnectOptions = self.url.as_str().parse().map_err(|error| {
            usage(&format!(
                "the URL of the PostgreSQL database is not valid: {}",
                reason(&error)
            ))
        })?;
        let has = |name: &str| self.url.query_pairs().any(|(key, _)| key == name);
        let is_in_url = has("sslmode");
        let in_environment = env::var_os("PGSSLMODE").filter(|_| !is_in_url);
        if let Some(mode) = &in_environment {
            expect_mode("PGSSLMODE", &mode.to_string_lossy())?;
        }
        let is_local = is_local(&options) && !has("sslrootcert");
        let mode = if is_in_url || in_environment.is_some() || is_local {
            options.get_ssl_mode()
        } else {
            PgSslMode::VerifyFull
        };
        let name = options.get_application_name().unwrap_or("al").to_owned();
        // Nothing here is a float, and a pooler may refuse what it does not know.
        let options = options.extra_float_digits(None);
        Ok(options.ssl_mode(mode).application_name(&name))
    }
}

/// Whether the server is on this machine.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn expect_parameter(key: &str, value: &str) -> Result<(), Error> {
    if !PARAMETERS.contains(&key) {
        let message = "a parameter in the URL of the PostgreSQL database is unknown";
        return Err(Error::new(Code::Usage, message)
            .with_help(format!("the parameters are `{}`", PARAMETERS.join("`, `"))));
    }
    if key == "sslmode" {
        expect_mode("the `sslmode` in the URL of the PostgreSQL database", value)?;
    }
    Ok(())
}

fn expect_mode(what: &str, value: &str) -> Result<(), Error> {
    if MODES.contains(&value) {
        return Ok(());
    }
    let help = format!("it is one of `{}`", MODES.join("`, `"));
    Err(Error::new(Code::Usage, format!("{what} is none that al knows")).with_help(help))
}

/// What a library says of a wrong URL, without what it says around it.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(reason) => reason.to_string(),
        other => other.to_string(),
    }
}

fn usage(message: &str) -> Error {
    Error::new(Code::Usage, message).with_help(
        "write `postgres://USER@HOST/DATABASE`, with `%` and two digits for a character of a name that would end it; PGPASSWORD or the file ~/.pgpass has the password",
    )
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}",
            self.url.scheme(),
            self.url.host_str().unwrap_or_default()
        )?;
        if let Some(port) = self.url.port() {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.url.path())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}
