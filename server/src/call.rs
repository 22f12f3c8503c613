//! One request, as an operation sees it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lattice_core::audit::Checkpoint;
use lattice_core::hash::sha256;
use lattice_core::view::KeyKind;
use lattice_core::{Code, Error, Guard, Mode};
use lattice_workspace::{Ambient, Caller, Decider, Key, Once, Reader, Store, page};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    /// Nobody in particular.
    Anyone,
    /// Whoever holds this key, which may open nothing.
    Key(Key),
    /// Whoever holds the admin key.
    Admin,
}

/// A request whose key is still to be looked up.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) decider: &'a Decider,
    /// The store as its messages name it.
    pub(crate) place: &'a str,
    pub(crate) who: Who,
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// The `Idempotency-Key` of the request.
    pub(crate) again: Option<String>,
    pub(crate) ambient: Ambient,
}

impl Call<'_> {
    /// The key of the caller.
    pub(crate) fn key(&self) -> Result<&Key, Error> {
        match &self.who {
            Who::Key(key) => Ok(key),
            Who::Anyone | Who::Admin => Err(no_key()),
        }
    }

    /// The workspace of the key, or the one that the path names to an admin.
    pub(crate) fn caller(&self) -> Result<Caller, Error> {
        match (&self.who, self.path.get("workspace")) {
            (Who::Admin, Some(workspace)) => Ok(Caller::Local {
                workspace: workspace.clone(),
            }),
            _ => self.key().cloned().map(Caller::Key),
        }
    }

    /// The workspace of a service key, if it has the name that the caller expects.
    pub(crate) fn reader(&self) -> Result<Reader, Error> {
        let expect = self.text("expect_workspace");
        Reader::open(self.store, self.key()?, KeyKind::Service, expect)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ambient.now
    }

    /// A parameter that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A parameter that is true or false, and false where it is left out.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(usage(
                &format!("the parameter `{name}` is neither `true` nor `false`"),
                "write one of them, or leave it out",
            )),
        }
    }

    /// A parameter that counts.
    pub(crate) fn count(&self, name: &str) -> Result<Option<u64>, Error> {
        self.text(name).map(|text| number(name, text)).transpose()
    }

    /// The event that the path names.
    pub(crate) fn seq(&self) -> Result<u64, Error> {
        self.number("seq")
    }

    /// A number in the path.
    pub(crate) fn number(&self, name: &str) -> Result<u64, Error> {
        number(name, self.path.get(name).map_or("", String::as_str))
    }

    /// How many items a page holds.
    pub(crate) fn limit(&self) -> Result<usize, Error> {
        page(self.count("limit")?, "items")
    }

    pub(crate) fn mode(&self) -> Result<Mode, Error> {
        self.flag("replace").map(Mode::replacing)
    }

    pub(crate) fn guard(&self) -> Result<Guard, Error> {
        Guard::new(
            self.count("deactivation_threshold")?,
            self.count("allow_deactivations")?,
        )
    }

    /// The body as a document.
    pub(crate) fn document<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let wrong = |how: &str| {
            usage(
                &format!("the body is not the document that was asked for: {how}"),
                "`/v1/openapi.json` describes it",
            )
        };
        // A list of the values would pass for an object of them.
        if self.body.trim_ascii_start().first() != Some(&b'{') {
            return Err(wrong("it is no JSON object"));
        }
        serde_json::from_slice(&self.body).map_err(|error| wrong(&error.to_string()))
    }

    /// The checkpoint in the body, if there is a body.
    pub(crate) fn checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        if self.body.is_empty() {
            return Ok(None);
        }
        Checkpoint::parse(&self.body).map(Some)
    }

    /// What the request is to those that come again under its idempotency key, if it has one. Two are the same where they
    /// say the same in the same place.
    pub(crate) fn once(&self, operation: &str) -> Result<Option<Once>, Error> {
        let Some(id) = &self.again else {
            return Ok(None);
        };
        let mut said = form_urlencoded::Serializer::new(format!("{operation}\n"));
        said.extend_pairs(&self.path).extend_pairs(&self.query);
        let mut said = said.finish().into_bytes();
        said.extend(sha256(&self.body));
        Once::new(id, sha256(&said)).map(Some)
    }
}

/// The refusal of a request without a key.
pub(crate) fn no_key() -> Error {
    Error::new(Code::InvalidServiceKey, "the request has no key")
        .with_help("send `Authorization: Bearer KEY` with the key of the workspace")
}

pub(crate) fn usage(message: &str, help: &str) -> Error {
    Error::new(Code::Usage, message).with_help(help)
}

fn number(name: &str, text: &str) -> Result<u64, Error> {
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_decimal.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| {
        usage(
            &format!("`{name}` is not a number that counts from 0"),
            "write it in decimal digits",
        )
    })
}
