//! Failures of PostgreSQL, in the words of someone who wants a store.

use std::io::ErrorKind;

use deadpool::managed::{PoolError, TimeoutType};
use lattice_core::{Code, Error};
use sqlx::error::DatabaseError;

use super::address::Address;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The driver, the network or the server.
    Sql(sqlx::Error),
    /// All connections were in use for too long.
    Busy,
    /// No connection was made in time.
    Unreached,
    /// The server did not answer in time.
    Silent,
    /// The connection was lost before.
    Lost,
    /// Of this program.
    Client(String),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<PoolError<sqlx::Error>> for Failure {
    fn from(error: PoolError<sqlx::Error>) -> Self {
        match error {
            PoolError::Backend(error) => Self::Sql(error),
            PoolError::Timeout(TimeoutType::Wait) => Self::Busy,
            PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => Self::Unreached,
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                Self::Lost
            }
        }
    }
}

const RETRY: &str = "nothing was written; run the command again";
const REACH: &str =
    "check the host and the port in `AL_URL`, and that the server accepts connections from here";
const RESTORE: &str = "restore it from a backup, or upgrade al";

impl Failure {
    /// Whether the connection is of no more use.
    pub(super) fn ends_connection(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => is_shutdown(&state(&**error)),
            Self::Sql(error) => matches!(
                error,
                sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)
            ),
            Self::Silent | Self::Lost | Self::Unreached => true,
            Self::Busy | Self::Client(_) => false,
        }
    }

    /// Whether the other side ended the connection.
    pub(super) fn is_ended(&self) -> bool {
        self.ends_connection() && !matches!(self, Self::Silent | Self::Lost | Self::Unreached)
    }

    /// Whether the statement failed at the server, which then undoes the whole transaction.
    pub(super) fn ends_transaction(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(_))) || self.ends_connection()
    }

    /// Why a value that was read is none that al stores, if that is what it says.
    pub(super) fn is_undecodable(&self) -> bool {
        matches!(
            self,
            Self::Sql(sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_))
        )
    }

    /// Whether the server said so, with that SQLSTATE.
    pub(super) fn is(&self, wanted: &[&str]) -> bool {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => wanted.contains(&&*state(&**error)),
            _ => false,
        }
    }

    /// As an error of the store at `address`.
    pub(super) fn at(&self, address: &Address) -> Error {
        let (what, help) = match self {
            Self::Sql(sqlx::Error::Database(error)) => of_server(&**error),
            Self::Sql(error) => of_driver(error),
            Self::Busy => (
                "is not free: all connections to it have been in use for more than 10 seconds"
                    .to_owned(),
                RETRY,
            ),
            Self::Unreached => ("did not answer within 10 seconds".to_owned(), REACH),
            Self::Silent => (
                "did not answer within 75 seconds".to_owned(),
                "check the network and the server; nothing was written",
            ),
            Self::Lost => ("was lost on the way".to_owned(), RETRY),
            Self::Client(what) => (what.clone(), RETRY),
        };
        unavailable(address, &what, help)
    }
}

/// The error of a store that cannot be used.
pub(super) fn unavailable(address: &Address, what: &str, help: &str) -> Error {
    Error::new(
        Code::StoreUnavailable,
        format!("the store `{address}` {what}"),
    )
    .with_help(help)
}

/// The SQLSTATE.
fn state(error: &dyn DatabaseError) -> String {
    error.code().unwrap_or_default().into_owned()
}

/// Whether a server says so as it goes.
fn is_shutdown(state: &str) -> bool {
    state.starts_with("08") || matches!(state, "57P01" | "57P02" | "57P03" | "25P03")
}

fn of_server(error: &dyn DatabaseError) -> (String, &'static str) {
    let said = error.message();
    match &*state(error) {
        "28P01" | "28000" => (
            format!("refuses the login: {said}"),
            "check the user in `AL_URL`, and its password in PGPASSWORD or ~/.pgpass",
        ),
        "3D000" => (
            format!("does not exist: {said}"),
            "make the database, or set `AL_URL` to the one that you mean",
        ),
        "42501" => (
            format!("does not let this role do that: {said}"),
            "use a role with the rights in docs/postgres.md; a role that may make tables is needed to create or to migrate a store",
        ),
        // A copy of a server says so of a transaction that would write, and only then.
        "25006" | "0A000" if said.contains("read-only") || said.contains("recovery") => (
            "is read-only, as the copy of a server is".to_owned(),
            "set `AL_URL` to the server that takes writes",
        ),
        "53300" => (
            format!("takes no more connections: {said}"),
            "run the command again later, or let the server take more",
        ),
        "55P03" => (
            "has been locked by another process for more than 10 seconds".to_owned(),
            "nothing was written; run the command again when the other process is done",
        ),
        "57014" => (
            "took longer than 60 seconds for one statement, or was told to stop it".to_owned(),
            RETRY,
        ),
        "40001" | "40P01" => (
            "had to end the transaction in favour of another".to_owned(),
            RETRY,
        ),
        "53100" => (
            "cannot grow: its disk is full".to_owned(),
            "nothing was written; make room, then run the command again",
        ),
        state if is_shutdown(state) => (format!("is going down or coming up: {said}"), RETRY),
        state => (
            format!("failed: {said} (SQLSTATE {state})"),
            "nothing was written; if it happens again, ask whoever runs the database",
        ),
    }
}

fn of_driver(error: &sqlx::Error) -> (String, &'static str) {
    match error {
        sqlx::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => {
                ("cannot be reached: connection refused".to_owned(), REACH)
            }
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe => ("ended the connection".to_owned(), RETRY),
            ErrorKind::NotFound | ErrorKind::PermissionDenied => (
                format!("cannot be reached: a file for it cannot be read: {error}"),
                "check the files that `sslrootcert`, `sslcert` and `sslkey` (or PGSSLROOTCERT and so on) name, and the folder of the socket",
            ),
            // What is wrong with a certificate comes as a failure to read.
            ErrorKind::InvalidData => unsafely(&error.to_string()),
            _ => (format!("cannot be reached: {error}"), REACH),
        },
        sqlx::Error::Tls(error) => unsafely(&innermost(&**error)),
        sqlx::Error::Configuration(error) => (
            format!("cannot be reached: {error}"),
            "check the files that `AL_URL` names",
        ),
        sqlx::Error::ColumnDecode { source, .. } | sqlx::Error::Decode(source) => (
            format!("holds what this version of al cannot read: {source}"),
            RESTORE,
        ),
        other => (format!("failed: {other}"), RETRY),
    }
}

fn unsafely(reason: &str) -> (String, &'static str) {
    (
        format!("cannot be reached safely: {reason}"),
        "name the certificate of its authority with `sslrootcert=FILE` in `AL_URL`; `sslmode=require` encrypts without checking who answers",
    )
}

/// What lies at the bottom of an error that wraps others.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
