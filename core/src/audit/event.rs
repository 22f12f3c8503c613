//! What the log says: the audit leaf v1 and the names that changed.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Checkpoint, INTEGER_LIMIT, canonical};
use crate::hash::{Hash, hex, parse_hex, sha256};
use crate::time::format_time;

/// The name of a workspace's log, `al/<uuid>`: an event says which log it belongs to, so that it cannot be moved
/// to another.
pub fn log_name(workspace: &str) -> String {
    format!("al/{workspace}")
}

/// The form of a leaf. A later form gets a name of its own; stored leaves keep theirs.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// Version 1.
    #[serde(rename = "al.audit/v1")]
    V1,
}

/// What happened. Nothing else appends to a log.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A manifest was imported.
    Import,
    /// A recorded state was imported again.
    Rollback,
    /// A service or agent key was created.
    KeyCreated,
    /// A service or agent key was revoked.
    KeyRevoked,
    /// The key that signs checkpoints of the log was replaced, or there is a first one.
    LogKeyRotated,
}

impl Kind {
    /// The kind as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Import => "import",
            Kind::Rollback => "rollback",
            Kind::KeyCreated => "key_created",
            Kind::KeyRevoked => "key_revoked",
            Kind::LogKeyRotated => "log_key_rotated",
        }
    }

    /// Whether events of this kind carry a change of policies: counts, digests and names. The others leave all
    /// of those null, but for the `changes` of a key that was rotated.
    pub fn changes_policies(self) -> bool {
        match self {
            Kind::Import | Kind::Rollback => true,
            Kind::KeyCreated | Kind::KeyRevoked | Kind::LogKeyRotated => false,
        }
    }

    /// Whether events of this kind have names beside them, and their digest as `changes`.
    pub(super) fn has_names(self) -> bool {
        self.changes_policies() || self == Kind::LogKeyRotated
    }
}

/// An audit event: leaf v1. Fields that its kind does not use are null.
///
/// Digests are SHA-256 in bare lower-case hex; integers are below 2^53.
//
// INVARIANT: fields are declared in the alphabetical order of their wire names, those are ASCII, and values are
// strings, integers, booleans or null. Plain `serde_json` output is RFC 8785 canonical for exactly that reason.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The id of the key that acted; `local` where no key was needed.
    pub actor: String,
    /// How many policies were added or came back.
    pub added: Option<u64>,
    /// The state digest after the event.
    pub after: Option<String>,
    /// The state digest before the event.
    pub before: Option<String>,
    /// The digest of the names that changed; of a rotation, of the verification keys.
    pub changes: Option<String>,
    /// How many policies were deactivated.
    pub deleted: Option<u64>,
    /// The checkpoint of the workspace that exported the manifest, where it is known: origin, size and base64 root, with
    /// a space between them.
    pub from: Option<String>,
    /// What happened.
    pub kind: Kind,
    /// The log that the event belongs to, `al/<workspace uuid>`.
    pub log: String,
    /// The digest of the manifest's bytes as read.
    pub manifest_sha256: Option<String>,
    /// The manifest's version.
    pub manifest_version: Option<String>,
    /// How many policies were modified.
    pub modified: Option<u64>,
    /// The digest of the manifest after overlays, where there are any.
    pub rendered_sha256: Option<String>,
    /// Whether policies absent from the manifest were deactivated.
    pub replace: Option<bool>,
    /// The index of the leaf in its log, from 0.
    pub seq: u64,
    /// When it happened: RFC 3339, UTC, milliseconds.
    pub time: String,
    /// The form of the leaf.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// How many policies of the manifest were already as it says.
    pub unchanged: Option<u64>,
}

/// What [`Event::import`] and [`Event::rollback`] record. Time and identity are arguments.
#[derive(Debug, Clone, Copy)]
pub struct ImportEvent<'a> {
    /// The workspace's UUID.
    pub workspace: &'a str,
    /// The index of the leaf: the size of the tree that it is appended to.
    pub seq: u64,
    /// When the import happened; kept to the millisecond.
    pub time: Timestamp,
    /// The id of the key that acted; `local` where no key was needed.
    pub actor: &'a str,
    /// The policies that changed; the counts are the lengths of its lists.
    pub names: &'a Names,
    /// How many policies of the manifest were already as it says.
    pub unchanged: u64,
    /// The state digest before the import.
    pub before: Hash,
    /// The state digest after the import.
    pub after: Hash,
    /// SHA-256 of the manifest's bytes as read.
    pub manifest_sha256: Hash,
    /// The manifest's version.
    pub manifest_version: &'a str,
    /// Whether policies absent from the manifest were deactivated.
    pub replace: bool,
    /// The checkpoint of the workspace that exported the manifest, where it is known.
    pub from: Option<&'a Checkpoint>,
    /// SHA-256 of the manifest after overlays, where there are any.
    pub rendered_sha256: Option<Hash>,
}

impl Event {
    /// The event of an import.
    pub fn import(import: &ImportEvent<'_>) -> Event {
        Event::change(Kind::Import, import)
    }

    /// The event of a rollback: an import of a recorded state.
    pub fn rollback(import: &ImportEvent<'_>) -> Event {
        Event::change(Kind::Rollback, import)
    }

    fn change(kind: Kind, import: &ImportEvent<'_>) -> Event {
        let names = import.names;
        Event {
            added: Some(count(&names.added)),
            after: Some(hex(&import.after)),
            before: Some(hex(&import.before)),
            changes: Some(hex(&names.digest())),
            deleted: Some(count(&names.deactivated)),
            from: import.from.map(Checkpoint::to_line),
            manifest_sha256: Some(hex(&import.manifest_sha256)),
            manifest_version: Some(import.manifest_version.to_owned()),
            modified: Some(count(&names.modified)),
            rendered_sha256: import.rendered_sha256.map(|hash| hex(&hash)),
            replace: Some(import.replace),
            unchanged: Some(import.unchanged),
            ..Event::key(
                kind,
                import.workspace,
                import.seq,
                import.time,
                import.actor,
            )
        }
    }

    /// The event of a verification key of the log that took the place of another: `keys` has the new one under `added`
    /// and the old one, if there was one, under `deactivated`.
    pub fn rotation(
        workspace: &str,
        seq: u64,
        time: Timestamp,
        actor: &str,
        keys: &Names,
    ) -> Event {
        Event {
            changes: Some(hex(&keys.digest())),
            ..Event::key(Kind::LogKeyRotated, workspace, seq, time, actor)
        }
    }

    /// The event of a key that was created or revoked in the workspace with the UUID `workspace`: counts and digests
    /// are null.
    ///
    /// `kind` is one of those two; another built here would not [`Event::parse`] again.
    pub fn key(kind: Kind, workspace: &str, seq: u64, time: Timestamp, actor: &str) -> Event {
        Event {
            actor: actor.to_owned(),
            added: None,
            after: None,
            before: None,
            changes: None,
            deleted: None,
            from: None,
            kind,
            log: log_name(workspace),
            manifest_sha256: None,
            manifest_version: None,
            modified: None,
            rendered_sha256: None,
            replace: None,
            seq,
            time: format_time(time),
            event_type: EventType::V1,
            unchanged: None,
        }
    }

    /// The bytes to store and to hash: RFC 8785 canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_json(self)
    }

    /// Reads stored bytes back.
    ///
    /// # Errors
    ///
    /// A message where they are not the bytes that [`Event::to_bytes`] gives for some event: not leaf v1, another
    /// spelling of it, a digest, time or integer out of its form, or a field that does not fit the kind.
    pub fn parse(bytes: &[u8]) -> Result<Event, String> {
        let event = match str::from_utf8(bytes).ok().and_then(canonical::event) {
            Some(event) => event,
            None => Event::read(bytes)?,
        };
        event.check_integers()?;
        event.check_text()?;
        event.check_kind()?;
        Ok(event)
    }

    /// Reads any spelling, and refuses those that are not canonical.
    fn read(bytes: &[u8]) -> Result<Event, String> {
        let event: Event = serde_json::from_slice(bytes)
            .map_err(|error| malformed("the event is not an `al.audit/v1` event", &error))?;
        if event.to_bytes() == bytes {
            Ok(event)
        } else {
            Err("the event is not in canonical form".to_owned())
        }
    }

    fn check_integers(&self) -> Result<(), String> {
        let counts = [self.added, self.deleted, self.modified, self.unchanged];
        let integers = [self.seq].into_iter().chain(counts.into_iter().flatten());
        match integers.max() {
            Some(largest) if largest >= INTEGER_LIMIT => {
                Err(format!("the event holds `{largest}`, which is too large"))
            }
            _ => Ok(()),
        }
    }

    fn check_text(&self) -> Result<(), String> {
        let digests = [
            ("after", &self.after),
            ("before", &self.before),
            ("changes", &self.changes),
            ("manifest_sha256", &self.manifest_sha256),
            ("rendered_sha256", &self.rendered_sha256),
        ];
        for (field, digest) in digests {
            if let Some(text) = digest
                && parse_hex(text).is_none()
            {
                return Err(format!(
                    "`{field}` of the event is `{text}`, not a SHA-256 digest in lower-case hex"
                ));
            }
        }
        if let Some(from) = &self.from
            && Checkpoint::parse_line(from).is_none()
        {
            return Err(format!(
                "`from` of the event is `{from}`, not a checkpoint on one line"
            ));
        }
        let time = self.time.parse::<Timestamp>();
        if time.is_ok_and(|time| format_time(time) == self.time) {
            Ok(())
        } else {
            Err(format!(
                "`time` of the event is `{}`, not a UTC time with milliseconds",
                self.time
            ))
        }
    }

    fn check_kind(&self) -> Result<(), String> {
        let changes_policies = self.kind.changes_policies();
        let has_names = self.kind.has_names();
        match (&self.changes, has_names) {
            (None, true) => return Err("`changes` of the event is null".to_owned()),
            (Some(_), false) => {
                return Err("`changes` of the event is set, which its kind does not use".to_owned());
            }
            (Some(_), true) | (None, false) => {}
        }
        let always = [
            ("added", self.added.is_some()),
            ("after", self.after.is_some()),
            ("before", self.before.is_some()),
            ("deleted", self.deleted.is_some()),
            ("manifest_sha256", self.manifest_sha256.is_some()),
            ("manifest_version", self.manifest_version.is_some()),
            ("modified", self.modified.is_some()),
            ("replace", self.replace.is_some()),
            ("unchanged", self.unchanged.is_some()),
        ];
        let sometimes = [
            ("from", self.from.is_some()),
            ("rendered_sha256", self.rendered_sha256.is_some()),
        ];
        for (field, present) in always {
            if changes_policies && !present {
                return Err(format!("`{field}` of the event is null"));
            }
        }
        for (field, present) in always.into_iter().chain(sometimes) {
            if !changes_policies && present {
                return Err(format!(
                    "`{field}` of the event is set, which its kind does not use"
                ));
            }
        }
        Ok(())
    }
}

/// The names of the policies that an event changed, each list in name order; of a rotation, the verification keys of the
/// log.
///
/// Kept beside the event, which holds only their digest.
//
// INVARIANT: fields are declared in alphabetical order, as in `Event` and for the same reason.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Policies that were added or came back.
    pub added: Vec<String>,
    /// Policies that were switched off.
    pub deactivated: Vec<String>,
    /// Policies of which a field changed.
    pub modified: Vec<String>,
}

impl Names {
    /// The bytes to store beside the event: RFC 8785 canonical JSON. An event without names stores three empty
    /// lists.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_json(self)
    }

    /// Reads stored bytes back.
    ///
    /// # Errors
    ///
    /// A message where they are not the bytes that [`Names::to_bytes`] gives for some names.
    pub fn parse(bytes: &[u8]) -> Result<Names, String> {
        if let Some(names) = str::from_utf8(bytes).ok().and_then(canonical::names) {
            return Ok(names);
        }
        let names: Names = serde_json::from_slice(bytes)
            .map_err(|error| malformed("the names are not lists of names", &error))?;
        if names.to_bytes() == bytes {
            Ok(names)
        } else {
            Err("the names are not in canonical form".to_owned())
        }
    }

    /// The SHA-256 of [`Names::to_bytes`], which an event holds as `changes`.
    pub fn digest(&self) -> Hash {
        sha256(&self.to_bytes())
    }
}

pub(super) fn count(names: &[String]) -> u64 {
    u64::try_from(names.len()).unwrap_or(u64::MAX)
}

/// The JSON of an [`Event`] or of [`Names`].
fn to_json(value: &impl Serialize) -> Vec<u8> {
    // INVARIANT: structs of strings, integers and lists always serialise. Were one not to, its empty bytes would
    // parse as nothing, and verification would say so.
    serde_json::to_vec(value).unwrap_or_default()
}

/// `what` with the place alone: `serde_json`'s own words name Rust types.
fn malformed(what: &str, error: &serde_json::Error) -> String {
    format!("{what}: line {}, column {}", error.line(), error.column())
}
