//! Where a server is, as `AL_URL` says it.

use std::fmt;

use lattice_core::{Code, Error};
use url::{Host, Url};

/// Where a server is: `https://HOST[:PORT][/PATH]`, or `http://` on this very machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Without a slash at its end.
    base: String,
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// `USAGE` for anything else. The message never repeats the text, which may hold what is secret.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let url = Url::parse(text)
            .map_err(|error| refuse(&format!("the URL of the server is not valid: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("the URL of the server holds a user or a password")
                .with_help("a server takes keys: set AL_SERVICE_KEY, or AL_ADMIN_KEY"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse(
                "the URL of the server has something behind its path",
            ));
        }
        if url.scheme() == "http" && !is_this_machine(&url) {
            return Err(
                refuse("keys would travel in the clear to a server at `http://`")
                    .with_help("use `https://`; `http://` reaches this machine alone"),
            );
        }
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
        })
    }

    /// Whether what is sent there is encrypted; what is not stays on this machine.
    pub(super) fn is_encrypted(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// The URL of what is at `path`, which begins with a slash.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn refuse(message: &str) -> Error {
    Error::new(Code::Usage, message)
        .with_help("give the place of the server, such as `https://lattice.example.com`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        const CLEAR: &str = "keys would travel in the clear to a server at `http://`";
        const SECRET: &str = "the URL of the server holds a user or a password";
        const BEHIND: &str = "the URL of the server has something behind its path";
        let rows = [
            ("https://h.example", Ok("https://h.example")),
            ("https://h.example:8420/", Ok("https://h.example:8420")),
            ("https://h/gate/way/", Ok("https://h/gate/way")),
            ("http://localhost:1", Ok("http://localhost:1")),
            ("http://127.0.0.9:1", Ok("http://127.0.0.9:1")),
            ("http://[::1]:1", Ok("http://[::1]:1")),
            ("http://h.example", Err(CLEAR)),
            ("http://localhost.example", Err(CLEAR)),
            ("https://u:secret@h", Err(SECRET)),
            ("https://secret@h", Err(SECRET)),
            ("https://h?token=secret", Err(BEHIND)),
            ("https://h/#secret", Err(BEHIND)),
            (
                "https://h:secret",
                Err("the URL of the server is not valid: invalid port number"),
            ),
            (
                "https://",
                Err("the URL of the server is not valid: empty host"),
            ),
        ];
        for (text, expected) in rows {
            let parsed = Address::parse(text);
            let shown = parsed.as_ref().map(ToString::to_string);
            let shown = shown.as_deref().map_err(|error| error.message());
            assert_eq!(shown, expected, "{text}");
        }
    }
}
