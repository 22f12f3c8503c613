//! Where workspaces live, as `AL_URL` says it.

use std::fmt;
use std::path::{Path, PathBuf};

use lattice_core::{Code, Error};

use crate::http::{self, Credentials, Remote};
use crate::postgres::{self, PostgresStore};
use crate::sqlite::SqliteStore;
use crate::store::Store;

/// Where workspaces live.
///
/// ```
/// use lattice_workspace::Location;
///
/// let location = Location::parse("sqlite:/var/lib/agentlattice/al.db")?;
/// assert_eq!(location.to_string(), "sqlite:/var/lib/agentlattice/al.db");
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(postgres::Address),
    /// A server.
    Http(http::Address),
}

impl Location {
    /// Reads `sqlite:PATH`, `postgres://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE[?PARAMETERS]` or
    /// `https://HOST[:PORT][/PATH]`. Nothing is opened.
    ///
    /// # Errors
    ///
    /// `USAGE` for anything else.
    pub fn parse(url: &str) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return sqlite(url, path);
        }
        // Never the URL itself: it may hold a password, or be a key that was put in the wrong place.
        let message = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => {
                return postgres::Address::parse(url).map(Self::Postgres);
            }
            Some("http" | "https") => return http::Address::parse(url).map(Self::Http),
            Some(scheme) if is_scheme(scheme) => {
                format!("`{scheme}:` is not a place for workspaces")
            }
            Some(_) | None => {
                "the URL of the store does not begin with `sqlite:`, `postgres:` or `https:`"
                    .to_owned()
            }
        };
        Err(usage(message))
    }

    /// The default: `agentlattice/al.db` in the user's data directory.
    pub fn default_in(data_dir: &Path) -> Self {
        Self::Sqlite(data_dir.join("agentlattice").join("al.db"))
    }

    /// What messages call the store at this place.
    pub fn store_name(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(address) => address.to_string(),
            Self::Http(address) => address.to_string(),
        }
    }

    /// The store at this place. Nothing is touched until it is read or written.
    pub fn open(&self) -> Box<dyn Store> {
        self.open_with(Credentials::default())
    }

    /// [`Location::open`], with what a server wants to know beside the keys of workspaces.
    pub fn open_with(&self, credentials: Credentials) -> Box<dyn Store> {
        match self {
            Self::Sqlite(path) => Box::new(SqliteStore::new(path)),
            Self::Postgres(address) => Box::new(PostgresStore::new(address)),
            Self::Http(address) => Box::new(Remote::new(address, credentials)),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(address) => address.fmt(f),
            Self::Http(address) => address.fmt(f),
        }
    }
}

fn sqlite(url: &str, path: &str) -> Result<Location, Error> {
    if path.is_empty() {
        return Err(usage(format!("`{url}` names no file")));
    }
    if path.contains('\0') {
        return Err(usage(
            "the path of a store holds a NUL character".to_owned(),
        ));
    }
    if path == ":memory:" {
        return Err(usage(format!(
            "`{url}` would be gone when the command ends"
        )));
    }
    // What is meant for another kind of store may hold its password.
    if path.contains("://") {
        return Err(usage(
            "the path of a store is the URL of another".to_owned(),
        ));
    }
    // `sqlite:///a` is the absolute path that it looks like. Other tools read `sqlite://a` as a relative one, and
    // taking it for `/a` would surprise their users.
    if path.starts_with("//") && !path.starts_with("///") {
        return Err(usage(format!("`{url}` is not of the form `sqlite:PATH`")));
    }
    Ok(Location::Sqlite(PathBuf::from(path)))
}

fn usage(message: String) -> Error {
    Error::new(Code::Usage, message).with_help(
        "give `sqlite:` and the path of a file, such as `sqlite:al.db`, a PostgreSQL database, such as `postgres://user@host/lattice`, or a server, such as `https://lattice.example.com`",
    )
}

/// Whether this is short and plain enough to be a scheme, and no secret.
fn is_scheme(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        const PLAIN: &str =
            "the URL of the store does not begin with `sqlite:`, `postgres:` or `https:`";
        const NO_SLASHES: &str =
            "the URL of the PostgreSQL database does not begin with `postgres://`";
        const NO_DATABASE: &str =
            "the URL of the PostgreSQL database has no plain name of a database behind its host";
        let key = format!("al_svc_dev_{}", "0f".repeat(32));
        let rows = [
            ("sqlite:al.db", Ok("sqlite:al.db")),
            ("sqlite:./a b/ü.db", Ok("sqlite:./a b/ü.db")),
            ("sqlite:/var/al.db", Ok("sqlite:/var/al.db")),
            ("sqlite:///var/al.db", Ok("sqlite:///var/al.db")),
            ("sqlite:", Err("`sqlite:` names no file")),
            (
                "sqlite::memory:",
                Err("`sqlite::memory:` would be gone when the command ends"),
            ),
            (
                "sqlite:a\0b",
                Err("the path of a store holds a NUL character"),
            ),
            (
                "sqlite://al.db",
                Err("`sqlite://al.db` is not of the form `sqlite:PATH`"),
            ),
            ("al.db", Err(PLAIN)),
            ("", Err(PLAIN)),
            (
                "SQLITE:al.db",
                Err("`SQLITE:` is not a place for workspaces"),
            ),
            (
                "mysql://u:p@h/d",
                Err("`mysql:` is not a place for workspaces"),
            ),
            ("u@h:p", Err(PLAIN)),
            (&key, Err(PLAIN)),
            (&format!("{key}:"), Err(PLAIN)),
            // A password is never shown, and neither is who it belongs to.
            ("postgres://u:p%40ss@h/d", Ok("postgres://h/d")),
            (
                "postgresql://h:5433/d?sslmode=verify-full&sslrootcert=/ca.pem",
                Ok("postgresql://h:5433/d"),
            ),
            ("postgres:///d?host=/run/postgresql", Ok("postgres:///d")),
            (
                "postgres://u:secret@h:x/d",
                Err("the URL of the PostgreSQL database is not valid: invalid port number"),
            ),
            (
                "postgres://u:sec#ret@h/d",
                Err("the URL of the PostgreSQL database is not valid: invalid port number"),
            ),
            (
                "postgres://u:secret@h/d#x",
                Err(
                    "the URL of the PostgreSQL database holds a `#`, which a password writes as `%23`",
                ),
            ),
            ("postgres:u:secret@h/d", Err(NO_SLASHES)),
            ("postgresql:/u:secret@h/d", Err(NO_SLASHES)),
            ("postgres:///u:secret@h/d", Err(NO_DATABASE)),
            ("postgres://u:12/secret@h/d", Err(NO_DATABASE)),
            ("postgres://h/d;password=secret", Err(NO_DATABASE)),
            ("postgres://h/u:secret", Err(NO_DATABASE)),
            (
                "sqlite:postgres://u:secret@h/d",
                Err("the path of a store is the URL of another"),
            ),
            (
                "postgres://h/d?sslmode=verify-full&sslmode=disable",
                Err("the parameter `sslmode` of the PostgreSQL database is there twice"),
            ),
            (
                "postgres://h/d?sslmod=verify-full",
                Err("a parameter in the URL of the PostgreSQL database is unknown"),
            ),
            (
                "postgres://h/d?sslmode=allow",
                Err("the `sslmode` in the URL of the PostgreSQL database is none that al knows"),
            ),
            (
                "https://lattice.example.com?token=x",
                Err("the URL of the server has something behind its path"),
            ),
            ("https://h.example/", Ok("https://h.example")),
        ];
        for (url, expected) in rows {
            let parsed = Location::parse(url);
            match (&parsed, expected) {
                (Ok(location), Ok(text)) => assert_eq!(location.to_string(), text),
                (Err(error), Err(message)) => {
                    assert_eq!((error.code(), error.message()), (Code::Usage, message));
                }
                _ => panic!("{url}: {parsed:?}"),
            }
        }
    }

    #[test]
    fn the_default_is_in_the_data_directory() {
        assert_eq!(
            Location::default_in(Path::new("/home/ada/.local/share")).to_string(),
            "sqlite:/home/ada/.local/share/agentlattice/al.db"
        );
    }
}
