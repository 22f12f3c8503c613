//! What a server gives of a workspace to a client that plans, compares and verifies by itself.

use base64ct::{Base64, Encoding};
use lattice_core::audit::{Node, Record};
use lattice_core::view::{self, KeyKind};
use lattice_core::{Error, PolicySet};

use crate::import::moved;
use crate::reader::Reader;
use crate::store::{Head, PAGE_RECORDS, SnapshotError};

impl Reader {
    /// The workspace as it stands; to an agent's key which one that is, and no more.
    pub fn opened(&self) -> Result<view::Opened, Error> {
        let is_service = self.key.kind == KeyKind::Service;
        let head = if is_service {
            self.read.head(&self.workspace.id)?
        } else {
            None
        };
        Ok(view::Opened {
            workspace: self.workspace(),
            key: self.key.id.clone(),
            kind: self.key.kind,
            revision: is_service.then_some(self.workspace.revision),
            head: head.as_ref().map(log_head),
        })
    }

    /// The active policies, if the workspace is at that `revision`.
    ///
    /// # Errors
    ///
    /// `STATE_CHANGED` where it is at another; `INVALID_SERVICE_KEY` for an agent's key; `STORE_UNAVAILABLE`.
    pub fn policy_rows(&self, revision: u64) -> Result<view::PolicyRows, Error> {
        self.require_service_key()?;
        if revision != self.workspace.revision {
            return Err(moved(&self.workspace, revision, false));
        }
        let none = PolicySet::default();
        rows(
            self.read
                .snapshot(&self.workspace.id, &none)
                .map(|snapshot| view::PolicyRows {
                    active: snapshot.active.into_specs().collect(),
                    deactivated: snapshot.deactivated.into_iter().collect(),
                    undecodable: None,
                }),
        )
    }

    /// The policies that were active after the audit event `seq`.
    ///
    /// # Errors
    ///
    /// `INVALID_SERVICE_KEY` for an agent's key; `STORE_UNAVAILABLE`.
    pub fn policy_rows_at(&self, seq: u64) -> Result<view::PolicyRows, Error> {
        self.require_service_key()?;
        let none = PolicySet::default();
        rows(
            self.read
                .snapshot_at(&self.workspace.id, seq, &none)
                .map(|active| view::PolicyRows {
                    active: active.into_specs().collect(),
                    deactivated: Vec::new(),
                    undecodable: None,
                }),
        )
    }

    /// Audit records from `from` on: at most `limit`, and as many as a page holds.
    ///
    /// # Errors
    ///
    /// `INVALID_SERVICE_KEY` for an agent's key; `STORE_UNAVAILABLE`.
    pub fn event_rows(&self, from: u64, limit: Option<u64>) -> Result<view::EventRows, Error> {
        self.require_service_key()?;
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        let records = self.records(from, limit.unwrap_or(PAGE_RECORDS))?;
        Ok(view::EventRows {
            events: records.iter().map(event_row).collect(),
        })
    }

    /// The stored hash of a complete subtree of the audit log.
    ///
    /// # Errors
    ///
    /// `INVALID_SERVICE_KEY` for an agent's key; `STORE_UNAVAILABLE`.
    pub fn node_row(&self, node: Node) -> Result<view::NodeRow, Error> {
        self.require_service_key()?;
        // Past what a store can count to there is nothing.
        let hash = match i64::try_from(node.index) {
            Ok(_) => self.read.node(&self.workspace.id, node)?,
            Err(_) => None,
        };
        Ok(view::NodeRow {
            hash: hash.map(|hash| Base64::encode_string(&hash)),
        })
    }
}

// Whoever lists a page gets as many as were asked for, where they are not large.
const _: () = assert!(lattice_core::limits::PAGE_MAX <= PAGE_RECORDS);

/// Rows, or that one of them is none: that the store cannot be read at all is no row.
fn rows(found: Result<view::PolicyRows, SnapshotError>) -> Result<view::PolicyRows, Error> {
    match found {
        Ok(rows) => Ok(rows),
        Err(SnapshotError::Unread(error)) => Err(error),
        Err(SnapshotError::Undecodable(error)) => Ok(view::PolicyRows {
            active: Vec::new(),
            deactivated: Vec::new(),
            undecodable: Some(view::Undecodable {
                message: error.message().to_owned(),
                help: error.diagnostics().find_map(|found| found.help.clone()),
            }),
        }),
    }
}

fn log_head(head: &Head) -> view::LogHead {
    view::LogHead {
        size: head.size,
        frontier: Base64::encode_string(&head.frontier),
        root: Base64::encode_string(&head.root),
    }
}

fn event_row(record: &Record) -> view::EventRow {
    view::EventRow {
        seq: record.seq,
        body: Base64::encode_string(&record.body),
        names: Base64::encode_string(&record.names),
        leaf: record.leaf.map(|leaf| Base64::encode_string(&leaf)),
    }
}
