//! What a key looks like.

use std::fmt;

use lattice_core::hash::{Hash, hex, parse_hex, sha256};
use lattice_core::view::KeyKind;
use lattice_core::{Code, Error};

use crate::workspace::is_name;

/// A well-formed key of either kind: `al_svc_<workspace>_<random>` or `al_agent_<workspace>_<random>`, where `random`
/// is 32 random bytes as 64 lower-case hexadecimal digits.
///
/// Well-formed says nothing about whether it opens anything. Its `<workspace>` part is a label for people and never
/// trusted: the store finds a key by the SHA-256 of its whole text, and keeps nothing else of it.
///
/// ```
/// use lattice_core::Code;
/// use lattice_workspace::Key;
///
/// let text = format!("al_svc_staging_{}", "0f".repeat(32));
/// let key = Key::parse(&text)?;
/// assert_eq!(key.reveal(), text);
/// assert_eq!(format!("{key:?}"), "Key(Service)");
///
/// let refused = Key::parse("al_svc_staging_").unwrap_err();
/// assert_eq!(refused.code(), Code::InvalidServiceKey);
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Key {
    text: String,
    kind: KeyKind,
}

impl Key {
    /// Reads a key.
    ///
    /// # Errors
    ///
    /// `INVALID_SERVICE_KEY` where the text is not of the form above, white space around it included. The message
    /// never repeats the text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let kind = KeyKind::ALL
            .iter()
            .copied()
            .find(|&kind| is_well_formed(text, kind));
        match kind {
            Some(kind) => Ok(Self {
                text: text.to_owned(),
                kind,
            }),
            None => Err(malformed(text)),
        }
    }

    pub(crate) fn generate(kind: KeyKind, workspace: &str, secret: &[u8; 32]) -> Self {
        Self {
            text: format!("{}{workspace}_{}", prefix(kind), hex(secret)),
            kind,
        }
    }

    /// The whole key. Show it once, to whoever asked for it.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    pub(crate) fn hash(&self) -> Hash {
        sha256(self.text.as_bytes())
    }
}

/// Without the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.kind).finish()
    }
}

/// The key of whoever runs a server, which opens what concerns all of its workspaces: `al_admin_` and at least 32 further
/// letters or digits.
///
/// ```
/// use lattice_workspace::AdminKey;
///
/// let key = AdminKey::parse(&format!("al_admin_{}", "0f".repeat(32)))?;
/// assert_eq!(format!("{key:?}"), "AdminKey");
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Clone)]
pub struct AdminKey(String);

impl AdminKey {
    /// Reads a key.
    ///
    /// # Errors
    ///
    /// `USAGE` for a text that is shorter or has other characters. The message never repeats it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let random = text.strip_prefix("al_admin_").unwrap_or_default();
        if random.len() < 32 || !random.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Error::new(Code::Usage, "the admin key is not well-formed")
                .with_help("give it as the server has it; one is made so: `printf 'al_admin_%s\\n' \"$(openssl rand -hex 32)\"`"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The whole key.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Without the secret.
impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminKey")
    }
}

fn prefix(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Service => "al_svc_",
        KeyKind::Agent => "al_agent_",
    }
}

fn is_well_formed(text: &str, kind: KeyKind) -> bool {
    text.strip_prefix(prefix(kind))
        .and_then(|rest| rest.split_once('_'))
        .is_some_and(|(workspace, random)| is_name(workspace) && parse_hex(random).is_some())
}

fn malformed(text: &str) -> Error {
    let message = if text.is_empty() {
        "the key is empty"
    } else if text.trim() != text {
        "the key has white space around it"
    } else {
        "the key is malformed"
    };
    Error::new(Code::InvalidServiceKey, message).with_help(
        "give the whole key as it was printed: `al_svc_` or `al_agent_`, the workspace, `_` and 64 hexadecimal digits",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_is_a_key() {
        let random = "0123456789abcdef".repeat(4);
        let longest = "a".repeat(63);
        let rows = [
            (format!("al_svc_dev_{random}"), Some(KeyKind::Service)),
            (format!("al_agent_dev_{random}"), Some(KeyKind::Agent)),
            (format!("al_svc_{longest}_{random}"), Some(KeyKind::Service)),
            (format!("al_svc_{longest}a_{random}"), None),
            (format!("al_svc__{random}"), None),
            (format!("al_svc_{random}"), None),
            (format!("al_svc_a_b_{random}"), None),
            (format!("al_svc_Dev_{random}"), None),
            (format!("al_key_dev_{random}"), None),
            (format!("al_svc_dev_{}", random.to_uppercase()), None),
            (format!("al_svc_dev_{random}0"), None),
            (format!("al_svc_dev_{random}\n"), None),
            (format!(" al_svc_dev_{random}"), None),
            ("al_svc_dev_".to_owned(), None),
            (String::new(), None),
            ("ä".repeat(40), None),
        ];
        for (text, kind) in rows {
            let parsed = Key::parse(&text);
            assert_eq!(parsed.as_ref().ok().map(|key| key.kind), kind, "{text}");
            if let Err(error) = parsed {
                assert_eq!(error.code(), Code::InvalidServiceKey);
                assert!(!format!("{error:?}").contains(&random), "{error:?}");
            }
        }
    }

    #[test]
    fn a_generated_key_reads_back() {
        let key = Key::generate(KeyKind::Agent, "dev", &[0xab; 32]);
        let read = Key::parse(key.reveal()).unwrap();
        assert_eq!((read.kind, read.hash()), (KeyKind::Agent, key.hash()));
        assert_eq!(format!("{read:?}"), "Key(Agent)");
    }
    #[test]
    fn an_admin_key_is_long_and_plain() {
        let random = "0f".repeat(32);
        for text in [
            "",
            "al_admin_",
            "al_admin_short",
            &format!("al_svc_{random}"),
            &format!("al_admin_{}", "a b".repeat(20)),
            &format!("al_admin_{random}\n"),
        ] {
            let error = AdminKey::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::Usage);
            assert!(!format!("{error:?}").contains(&random), "{error:?}");
        }
    }
}
