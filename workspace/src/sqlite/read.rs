//! Rows out of the tables.

use std::fmt::Debug;

use lattice_core::audit::{Node, Record};
use lattice_core::hash::Hash;
use lattice_core::view::KeyKind;
use lattice_core::{Beside, Breaker, Error, Number, PolicyRow, PolicySet};
use rusqlite::types::{FromSqlError, Type, ValueRef};
use rusqlite::{Connection, Params, Row};

use super::{Transaction, failed, query, undecodable};
use crate::patterns;
use crate::store::{
    Contents, Head, KeyRow, PAGE_BYTES, PAGE_RECORDS, Read, Snapshot, SnapshotError, WorkspaceRow,
};

impl<Access: Debug + Send> Contents for Transaction<Access> {
    fn snapshot<'k>(&self, id: &str, known: &'k PolicySet) -> Result<Snapshot<'k>, SnapshotError> {
        snapshot(&self.connection, id, known).map_err(|error| self.no_snapshot(&error))
    }

    fn snapshot_at<'k>(
        &self,
        id: &str,
        seq: u64,
        known: &'k PolicySet,
    ) -> Result<Beside<'k>, SnapshotError> {
        // Past what SQLite can count to, nothing was made.
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        active(&self.connection, ACTIVE_AT, (id, seq), known)
            .map_err(|error| self.no_snapshot(&error))
    }

    fn breakers(&self, id: &str) -> Result<Vec<Breaker>, Error> {
        self.all(
            "SELECT anomaly_type, score_threshold, response_level FROM breaker
             WHERE workspace = ?1 ORDER BY anomaly_type",
            [id],
            breaker,
        )
    }

    fn records(&self, id: &str, from: u64, limit: usize) -> Result<Vec<Record>, Error> {
        // Past what SQLite can count to there is nothing.
        let Ok(from) = i64::try_from(from) else {
            return Ok(Vec::new());
        };
        self.run(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT seq, body, names, leaf FROM audit_event
                 WHERE workspace = ?1 AND seq >= ?2 ORDER BY seq",
            )?;
            let mut rows = statement.query((id, from))?;
            let (mut page, mut bytes) = (Vec::new(), 0);
            while page.len() < limit.min(PAGE_RECORDS)
                && bytes < PAGE_BYTES
                && let Some(row) = rows.next()?
            {
                let record = record(row)?;
                bytes += record.body.len() + record.names.len();
                page.push(record);
            }
            Ok(page)
        })
    }

    fn node(&self, id: &str, node: Node) -> Result<Option<Hash>, Error> {
        // What is not a hash is none: a proof does without it, or is not made.
        let hash = |row: &Row<'_>| Ok(Hash::try_from(bytes(row, 0)?).ok());
        let found = if node.level == 0 {
            self.one(
                "SELECT leaf FROM audit_event WHERE workspace = ?1 AND seq = ?2",
                (id, node.index),
                hash,
            )
        } else {
            self.one(
                "SELECT hash FROM audit_node WHERE workspace = ?1 AND level = ?2 AND idx = ?3",
                (id, node.level, node.index),
                hash,
            )
        };
        found.map(Option::flatten)
    }

    fn head(&self, id: &str) -> Result<Option<Head>, Error> {
        self.one(
            "SELECT size, frontier, root FROM audit_head WHERE workspace = ?1",
            [id],
            |row| {
                Ok(Head {
                    size: row.get(0)?,
                    frontier: row.get(1)?,
                    root: row.get(2)?,
                })
            },
        )
    }
}

impl<Access: Debug + Send> Read for Transaction<Access> {
    fn workspaces(&self) -> Result<Vec<WorkspaceRow>, Error> {
        self.all(
            "SELECT id, name, org_name, revision, created_at FROM workspace ORDER BY name",
            (),
            workspace,
        )
    }

    fn workspace(&self, name: &str) -> Result<Option<WorkspaceRow>, Error> {
        self.one(
            "SELECT id, name, org_name, revision, created_at FROM workspace WHERE name = ?1",
            [name],
            workspace,
        )
    }

    fn workspace_by_id(&self, id: &str) -> Result<Option<WorkspaceRow>, Error> {
        self.one(
            "SELECT id, name, org_name, revision, created_at FROM workspace WHERE id = ?1",
            [id],
            workspace,
        )
    }

    fn count_policies(&self, id: &str) -> Result<u64, Error> {
        let count = self.one(
            "SELECT count(*) FROM policy WHERE workspace = ?1 AND active",
            [id],
            |row| row.get(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    fn key_by_hash(&self, hash: &Hash) -> Result<Option<KeyRow>, Error> {
        self.one(
            "SELECT id, workspace, kind, name, hash, created_at, revoked_at FROM access_key WHERE hash = ?1",
            [hash],
            key,
        )
    }

    fn keys(&self, id: &str) -> Result<Vec<KeyRow>, Error> {
        // Keys are never deleted, so that row ids are in order of creation.
        self.all(
            "SELECT id, workspace, kind, name, hash, created_at, revoked_at FROM access_key
             WHERE workspace = ?1 ORDER BY rowid",
            [id],
            key,
        )
    }

    fn answer(&self, id: &str, request: &str) -> Result<Option<(Hash, String)>, Error> {
        self.one(
            "SELECT digest, answer FROM request WHERE workspace = ?1 AND id = ?2",
            [id, request],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }
}

fn workspace(row: &Row<'_>) -> rusqlite::Result<WorkspaceRow> {
    Ok(WorkspaceRow {
        id: row.get(0)?,
        name: row.get(1)?,
        org_name: row.get(2)?,
        revision: row.get(3)?,
        created_at: row.get(4)?,
    })
}

fn key(row: &Row<'_>) -> rusqlite::Result<KeyRow> {
    let kind: String = row.get(2)?;
    let kind = KeyKind::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| unreadable(2, format!("a key of the kind `{kind}`")))?;
    Ok(KeyRow {
        id: row.get(0)?,
        workspace: row.get(1)?,
        kind,
        name: row.get(3)?,
        hash: row.get(4)?,
        created_at: row.get(5)?,
        revoked_at: row.get(6)?,
    })
}

impl<Access> Transaction<Access> {
    fn no_snapshot(&self, error: &rusqlite::Error) -> SnapshotError {
        let kind = match undecodable(error) {
            Some(_) => SnapshotError::Undecodable,
            None => SnapshotError::Unread,
        };
        kind(failed(&self.path, error))
    }
}

const ACTIVE: &str = "
    SELECT name, action_type, approval_required, approval_timeout_hours, allowed_repos,
           allowed_branches, conditions
    FROM policy WHERE workspace = ?1 AND active ORDER BY name";

/// Both tables are read in the order of their keys, and a version that a later one replaced by then is found by its own
/// key: nothing is sorted or held.
const ACTIVE_AT: &str = "
    SELECT name, action_type, approval_required, approval_timeout_hours, allowed_repos,
           allowed_branches, conditions
    FROM policy WHERE workspace = ?1 AND active AND seq <= ?2
    UNION ALL
    SELECT name, action_type, approval_required, approval_timeout_hours, allowed_repos,
           allowed_branches, conditions
    FROM policy_version AS version WHERE workspace = ?1 AND active AND seq <= ?2
        AND NOT EXISTS (SELECT 1 FROM policy
                        WHERE workspace = ?1 AND name = version.name AND seq <= ?2)
        AND NOT EXISTS (SELECT 1 FROM policy_version
                        WHERE workspace = ?1 AND name = version.name
                            AND seq > version.seq AND seq <= ?2)
    ORDER BY name";

fn snapshot<'k>(
    connection: &Connection,
    id: &str,
    known: &'k PolicySet,
) -> rusqlite::Result<Snapshot<'k>> {
    let active = active(connection, ACTIVE, [id], known)?;
    let deactivated = query(
        connection,
        "SELECT name FROM policy WHERE workspace = ?1 AND NOT active",
        [id],
        |row| row.get(0),
    )?;
    Ok(Snapshot {
        active,
        deactivated: deactivated.into_iter().collect(),
    })
}

/// The policies that a statement gives, in name order.
fn active<'k>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    known: &'k PolicySet,
) -> rusqlite::Result<Beside<'k>> {
    let mut active = Beside::new(known);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        active.push(&policy(row)?);
    }
    Ok(active)
}

/// A policy where SQLite has it until the next row.
fn policy<'r>(row: &'r Row<'_>) -> rusqlite::Result<PolicyRow<'r>> {
    let name = text(row, 0)?;
    let list = |column| {
        let json = text_or_null(row, column)?;
        json.map(patterns::read)
            .transpose()
            .map_err(|_| unreadable(column, format!("an allow-list of the policy `{name}`")))
    };
    Ok(PolicyRow {
        name,
        allowed_repos: list(4)?,
        allowed_branches: list(5)?,
        action_type: text(row, 1)?,
        approval_required: row.get(2)?,
        approval_timeout_hours: row.get(3)?,
        conditions: text_or_null(row, 6)?,
    })
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<&'r str> {
    let value = row.get_ref(column)?;
    value.as_str().map_err(|_| wrong_type(column, value))
}

fn text_or_null<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<Option<&'r str>> {
    let value = row.get_ref(column)?;
    let text = value.as_str_or_null();
    text.map_err(|_| wrong_type(column, value))
}

fn breaker(row: &Row<'_>) -> rusqlite::Result<Breaker> {
    let anomaly_type: String = row.get(0)?;
    let literal: String = row.get(1)?;
    let score_threshold = Number::parse(&literal)
        .map_err(|_| unreadable(1, format!("the threshold of the breaker `{anomaly_type}`")))?;
    Ok(Breaker {
        anomaly_type,
        score_threshold,
        response_level: row.get(2)?,
    })
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        seq: row.get(0)?,
        body: bytes(row, 1)?.to_vec(),
        names: bytes(row, 2)?.to_vec(),
        // What is not a hash is the hash of nothing: zeros, which no leaf has.
        leaf: Some(Hash::try_from(bytes(row, 3)?).unwrap_or_default()),
    })
}

/// Bytes, not text: what no longer is UTF-8 was tampered with, which is for verification to say.
fn bytes<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<&'r [u8]> {
    let value = row.get_ref(column)?;
    value.as_bytes().map_err(|error: FromSqlError| {
        rusqlite::Error::FromSqlConversionFailure(column, value.data_type(), Box::new(error))
    })
}

fn wrong_type(column: usize, value: ValueRef<'_>) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, String::new(), value.data_type())
}

fn unreadable(column: usize, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.into())
}

#[cfg(test)]
mod tests {
    use rusqlite::OpenFlags;

    use super::*;

    /// A state of a large workspace is read in one pass: no table is read whole, and nothing is sorted.
    #[test]
    fn a_past_state_is_found_by_keys_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("al.db");
        let transaction = Transaction::open(&path, OpenFlags::SQLITE_OPEN_CREATE).unwrap();
        let transaction = transaction.begin_to_write(true).unwrap();
        let explain = format!("EXPLAIN QUERY PLAN {ACTIVE_AT}");
        let detail = |row: &Row<'_>| row.get::<_, String>(3);
        let steps = transaction.all(&explain, ("id", 7), detail).unwrap();
        let searches = steps.iter().filter(|step| step.starts_with("SEARCH"));
        assert_eq!(searches.count(), 4, "{steps:#?}");
        let is_dear = |step: &String| step.starts_with("SCAN") || step.contains("TEMP B-TREE");
        assert!(!steps.iter().any(is_dear), "{steps:#?}");
    }
}
