//! What a workspace holds, read through its server.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use base64ct::{Base64, Encoding};
use lattice_core::audit::{Node, Record, leaf_hash};
use lattice_core::hash::Hash;
use lattice_core::view::{self, Decision};
use lattice_core::{Action, Beside, Breaker, Code, Error, PolicyRow, PolicySet};
use serde::de::DeserializeOwned;

use super::transport::{Ask, Effect, Transport};
use crate::events::tampered;
use crate::key::Key;
use crate::store::{Contents, Head, Snapshot, SnapshotError};

/// The workspace of a key as it stood when it was opened. Policies are those of its revision, or none; of the log, which only
/// grows, what it held then.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) transport: Arc<Transport>,
    pub(super) key: Key,
    pub(super) revision: u64,
    pub(super) head: Option<Head>,
    /// The leaves of the events that were seen.
    pub(super) seen: Mutex<HashMap<u64, Hash>>,
}

impl Opened {
    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.transport.ask(&Ask {
            path,
            key: self.key.reveal(),
            body: None,
            effect: Effect::None,
        })
    }

    /// Refuses events that are others than when they were seen before: what is shown and used has to be what was verified.
    fn expect_same(&self, records: &[Record]) -> Result<(), Error> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            let leaf = leaf_hash(&record.body);
            if *seen.entry(record.seq).or_insert(leaf) != leaf {
                return Err(tampered("the server gives an event in two ways"));
            }
        }
        Ok(())
    }

    fn policies<'k>(
        &self,
        path: &str,
        known: &'k PolicySet,
    ) -> Result<Snapshot<'k>, SnapshotError> {
        let rows: view::PolicyRows = self.get(path).map_err(SnapshotError::Unread)?;
        if let Some(view::Undecodable { message, help }) = rows.undecodable {
            let error = Error::new(Code::StoreUnavailable, message);
            return Err(SnapshotError::Undecodable(match help {
                Some(help) => error.with_help(help),
                None => error,
            }));
        }
        let mut active = Beside::new(known);
        for spec in &rows.active {
            active.push(&PolicyRow::of(spec));
        }
        Ok(Snapshot {
            active,
            deactivated: rows.deactivated.into_iter().collect::<BTreeSet<_>>(),
        })
    }
}

impl Contents for Opened {
    fn snapshot<'k>(&self, _: &str, known: &'k PolicySet) -> Result<Snapshot<'k>, SnapshotError> {
        self.policies(
            &format!("/v1/rows/policies?revision={}", self.revision),
            known,
        )
    }

    fn snapshot_at<'k>(
        &self,
        _: &str,
        seq: u64,
        known: &'k PolicySet,
    ) -> Result<Beside<'k>, SnapshotError> {
        let snapshot = self.policies(&format!("/v1/rows/policies?at={seq}"), known)?;
        Ok(snapshot.active)
    }

    fn breakers(&self, _: &str) -> Result<Vec<Breaker>, Error> {
        let found: view::Breakers = self.get("/v1/breakers")?;
        let breakers = found.breakers.into_iter();
        Ok(breakers.map(breaker).collect())
    }

    fn records(&self, _: &str, from: u64, limit: usize) -> Result<Vec<Record>, Error> {
        let path = format!("/v1/rows/events?from={from}&limit={limit}");
        let rows: view::EventRows = self.get(&path)?;
        let records = rows.events.iter().map(record);
        let mut records = records.collect::<Result<Vec<_>, _>>()?;
        let first = records.first().map_or(from, |first| first.seq);
        if first < from || !records.is_sorted_by(|one, next| one.seq < next.seq) {
            return Err(tampered("the server gives events that were not asked for"));
        }
        // What came since the workspace was opened is not of what is looked at.
        let size = self.head.as_ref().map_or(0, |head| head.size);
        records.retain(|record| record.seq < size);
        self.expect_same(&records)?;
        Ok(records)
    }

    fn node(&self, _: &str, node: Node) -> Result<Option<Hash>, Error> {
        let Node { level, index } = node;
        let row: view::NodeRow = self.get(&format!("/v1/rows/nodes/{level}/{index}"))?;
        // What is not a hash is none: a proof does without it, or is not made.
        let hash = row.hash.and_then(|hash| Base64::decode_vec(&hash).ok());
        Ok(hash.and_then(|hash| Hash::try_from(hash).ok()))
    }

    fn head(&self, _: &str) -> Result<Option<Head>, Error> {
        Ok(self.head.clone())
    }

    fn decide(&self, action: &Action<'_>) -> Option<Result<Decision<'static>, Error>> {
        Some(self.transport.ask(&Ask {
            path: "/v1/decisions",
            key: self.key.reveal(),
            body: Some(action.to_json().as_bytes()),
            effect: Effect::None,
        }))
    }
}

pub(super) fn breaker(view: view::Breaker) -> Breaker {
    Breaker {
        anomaly_type: view.anomaly_type,
        score_threshold: view.score_threshold,
        response_level: view.response_level,
    }
}

/// The head of a log as the server has it.
pub(super) fn head(view: &view::LogHead) -> Result<Head, Error> {
    let bytes = |text: &str| Base64::decode_vec(text).map_err(|_| unreadable("the head of a log"));
    Ok(Head {
        size: view.size,
        frontier: bytes(&view.frontier)?,
        root: bytes(&view.root)?,
    })
}

fn record(row: &view::EventRow) -> Result<Record, Error> {
    let bytes = |text: &str| Base64::decode_vec(text).map_err(|_| unreadable("an audit event"));
    let leaf = match &row.leaf {
        // What is not a hash is the hash of nothing: zeros, which no leaf has.
        Some(leaf) => Some(Hash::try_from(bytes(leaf)?).unwrap_or_default()),
        None => None,
    };
    Ok(Record {
        seq: row.seq,
        body: bytes(&row.body)?,
        names: bytes(&row.names)?,
        leaf,
    })
}

fn unreadable(what: &str) -> Error {
    let message = format!("{what} in the answer of the server cannot be read");
    Error::new(Code::StoreUnavailable, message)
        .with_help("use the version of al that the server runs")
}
