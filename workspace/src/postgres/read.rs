//! Rows out of the tables.

use std::fmt::Debug;

use futures_util::TryStreamExt;
use lattice_core::audit::{Node, Record};
use lattice_core::hash::Hash;
use lattice_core::view::KeyKind;
use lattice_core::{Beside, Breaker, Error, Number, PolicyRow, PolicySet};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::database::LONG_SILENCE;
use super::failure::Failure;
use super::transaction::{Statement, Transaction};
use crate::patterns;
use crate::store::{
    Contents, Head, KeyRow, PAGE_BYTES, PAGE_RECORDS, Read, Snapshot, SnapshotError, WorkspaceRow,
};

impl<Access: Debug + Send> Contents for Transaction<Access> {
    fn snapshot<'k>(&self, id: &str, known: &'k PolicySet) -> Result<Snapshot<'k>, SnapshotError> {
        let active = self.active(sqlx::query(ACTIVE).bind(id), known)?;
        let sql = "SELECT name FROM lattice.policy WHERE workspace = $1 AND NOT active";
        let deactivated = self.all(sqlx::query(sql).bind(id), |row| row.try_get(0));
        Ok(Snapshot {
            active,
            deactivated: deactivated
                .map_err(SnapshotError::Unread)?
                .into_iter()
                .collect(),
        })
    }

    fn snapshot_at<'k>(
        &self,
        id: &str,
        seq: u64,
        known: &'k PolicySet,
    ) -> Result<Beside<'k>, SnapshotError> {
        self.active(sqlx::query(ACTIVE_AT).bind(id).bind(signed(seq)), known)
    }

    fn breakers(&self, id: &str) -> Result<Vec<Breaker>, Error> {
        let sql = "SELECT anomaly_type, score_threshold, response_level FROM lattice.breaker
                   WHERE workspace = $1 ORDER BY anomaly_type";
        self.all(sqlx::query(sql).bind(id), breaker)
    }

    fn records(&self, id: &str, from: u64, limit: usize) -> Result<Vec<Record>, Error> {
        // A row is in if those before it do not fill the page. The sum reads no text, only how long it is.
        let sql = "
            SELECT seq, body, names, leaf FROM (
                SELECT *, sum(bytes) OVER (ORDER BY seq) - bytes AS bytes_before FROM (
                    SELECT seq, body, names, leaf, octet_length(body) + octet_length(names) AS bytes
                    FROM lattice.audit_event WHERE workspace = $1 AND seq >= $2 ORDER BY seq LIMIT $3
                ) AS next
            ) AS measured WHERE bytes_before < $4 ORDER BY seq";
        let (records, bytes) = (
            i64::try_from(limit.min(PAGE_RECORDS)).unwrap_or(i64::MAX),
            i64::try_from(PAGE_BYTES).unwrap_or(i64::MAX),
        );
        let statement = sqlx::query(sql).bind(id).bind(signed(from));
        self.all(statement.bind(records).bind(bytes), record)
    }

    fn node(&self, id: &str, node: Node) -> Result<Option<Hash>, Error> {
        let index = signed(node.index);
        let statement = if node.level == 0 {
            sqlx::query("SELECT leaf FROM lattice.audit_event WHERE workspace = $1 AND seq = $2")
                .bind(id)
                .bind(index)
        } else {
            sqlx::query(
                "SELECT hash FROM lattice.audit_node WHERE workspace = $1 AND idx = $2 AND level = $3",
            )
            .bind(id)
            .bind(index)
            .bind(i32::try_from(node.level).unwrap_or(i32::MAX))
        };
        // What is not a hash is none: a proof does without it, or is not made.
        let found = self.one(statement, |row| {
            Ok(Hash::try_from(row.try_get::<&[u8], _>(0)?).ok())
        });
        found.map(Option::flatten)
    }

    fn head(&self, id: &str) -> Result<Option<Head>, Error> {
        let sql = "SELECT size, frontier, root FROM lattice.audit_head WHERE workspace = $1";
        self.one(sqlx::query(sql).bind(id), |row| {
            Ok(Head {
                size: count(row, 0)?,
                frontier: row.try_get(1)?,
                root: row.try_get(2)?,
            })
        })
    }
}

impl<Access: Debug + Send> Read for Transaction<Access> {
    fn workspaces(&self) -> Result<Vec<WorkspaceRow>, Error> {
        let sql =
            "SELECT id, name, org_name, revision, created_at FROM lattice.workspace ORDER BY name";
        self.all(sqlx::query(sql), workspace)
    }

    fn workspace(&self, name: &str) -> Result<Option<WorkspaceRow>, Error> {
        // A text with a NUL is none to PostgreSQL, and no name.
        if name.contains('\0') {
            return Ok(None);
        }
        let sql = "SELECT id, name, org_name, revision, created_at FROM lattice.workspace WHERE name = $1";
        self.one(sqlx::query(sql).bind(name), workspace)
    }

    fn workspace_by_id(&self, id: &str) -> Result<Option<WorkspaceRow>, Error> {
        let sql =
            "SELECT id, name, org_name, revision, created_at FROM lattice.workspace WHERE id = $1";
        self.one(sqlx::query(sql).bind(id), workspace)
    }

    fn count_policies(&self, id: &str) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM lattice.policy WHERE workspace = $1 AND active";
        let counted = self.one(sqlx::query(sql).bind(id), |row| count(row, 0))?;
        Ok(counted.unwrap_or(0))
    }

    fn key_by_hash(&self, hash: &Hash) -> Result<Option<KeyRow>, Error> {
        let sql =
            "SELECT id, workspace, kind, name, hash, created_at, revoked_at FROM lattice.access_key
                   WHERE hash = $1";
        self.one(sqlx::query(sql).bind(&hash[..]), key)
    }

    fn keys(&self, id: &str) -> Result<Vec<KeyRow>, Error> {
        let sql =
            "SELECT id, workspace, kind, name, hash, created_at, revoked_at FROM lattice.access_key
                   WHERE workspace = $1 ORDER BY nr";
        self.all(sqlx::query(sql).bind(id), key)
    }

    fn answer(&self, id: &str, request: &str) -> Result<Option<(Hash, String)>, Error> {
        let sql = "SELECT digest, answer FROM lattice.request WHERE workspace = $1 AND id = $2";
        self.one(sqlx::query(sql).bind(id).bind(request), |row| {
            let digest = Hash::try_from(row.try_get::<&[u8], _>(0)?)
                .map_err(|_| unreadable("the digest of a request".to_owned()))?;
            Ok((digest, row.try_get(1)?))
        })
    }
}

const ACTIVE: &str = "
    SELECT name, action_type, approval_required, approval_timeout_hours, allowed_repos,
           allowed_branches, conditions
    FROM lattice.policy WHERE workspace = $1 AND active ORDER BY name";

/// Of each name the last version that was made by then, if it is an active one: one sort, whatever the server knows of the
/// tables.
const ACTIVE_AT: &str = "
    SELECT name, action_type, approval_required, approval_timeout_hours, allowed_repos,
           allowed_branches, conditions
    FROM (
        SELECT DISTINCT ON (name) * FROM (
            SELECT name, seq, active, action_type, approval_required, approval_timeout_hours,
                   allowed_repos, allowed_branches, conditions
            FROM lattice.policy WHERE workspace = $1 AND seq <= $2
            UNION ALL
            SELECT name, seq, active, action_type, approval_required, approval_timeout_hours,
                   allowed_repos, allowed_branches, conditions
            FROM lattice.policy_version WHERE workspace = $1 AND seq <= $2
        ) AS made ORDER BY name, seq DESC
    ) AS last WHERE active ORDER BY name";

impl<Access> Transaction<Access> {
    /// The policies that a statement gives, in name order, each compiled or shared as it arrives.
    fn active<'k>(
        &self,
        statement: Statement<'_>,
        known: &'k PolicySet,
    ) -> Result<Beside<'k>, SnapshotError> {
        let read = self.attempt_for(LONG_SILENCE, async |connection| {
            let mut active = Beside::new(known);
            let mut rows = statement.fetch(connection);
            while let Some(row) = rows.try_next().await? {
                active.push(&policy(&row)?);
            }
            Ok(active)
        });
        read.map_err(|failure: Failure| {
            let kind = if failure.is_undecodable() {
                SnapshotError::Undecodable
            } else {
                SnapshotError::Unread
            };
            kind(self.failed(&failure))
        })
    }
}

fn workspace(row: &PgRow) -> sqlx::Result<WorkspaceRow> {
    Ok(WorkspaceRow {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        org_name: row.try_get(2)?,
        revision: count(row, 3)?,
        created_at: row.try_get(4)?,
    })
}

fn key(row: &PgRow) -> sqlx::Result<KeyRow> {
    let kind: &str = row.try_get(2)?;
    let kind = KeyKind::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| unreadable(format!("a key of the kind `{kind}`")))?;
    let hash: &[u8] = row.try_get(4)?;
    Ok(KeyRow {
        id: row.try_get(0)?,
        workspace: row.try_get(1)?,
        kind,
        name: row.try_get(3)?,
        hash: Hash::try_from(hash).map_err(|_| unreadable("the hash of a key".to_owned()))?,
        created_at: row.try_get(5)?,
        revoked_at: row.try_get(6)?,
    })
}

/// A policy where the row has it.
fn policy(row: &PgRow) -> sqlx::Result<PolicyRow<'_>> {
    let name = row.try_get(0)?;
    let list = |column: usize| {
        let json: Option<&str> = row.try_get(column)?;
        json.map(patterns::read)
            .transpose()
            .map_err(|_| unreadable(format!("an allow-list of the policy `{name}`")))
    };
    Ok(PolicyRow {
        name,
        action_type: row.try_get(1)?,
        approval_required: row.try_get(2)?,
        approval_timeout_hours: u16::try_from(row.try_get::<i32, _>(3)?)
            .map_err(|_| unreadable(format!("the timeout of the policy `{name}`")))?,
        allowed_repos: list(4)?,
        allowed_branches: list(5)?,
        conditions: row.try_get(6)?,
    })
}

fn breaker(row: &PgRow) -> sqlx::Result<Breaker> {
    let anomaly_type: String = row.try_get(0)?;
    let score_threshold = Number::parse(row.try_get(1)?)
        .map_err(|_| unreadable(format!("the threshold of the breaker `{anomaly_type}`")))?;
    Ok(Breaker {
        anomaly_type,
        score_threshold,
        response_level: row.try_get(2)?,
    })
}

fn record(row: &PgRow) -> sqlx::Result<Record> {
    let bytes = |column: usize| -> sqlx::Result<Vec<u8>> {
        Ok(row.try_get::<&str, _>(column)?.as_bytes().to_vec())
    };
    Ok(Record {
        seq: count(row, 0)?,
        body: bytes(1)?,
        names: bytes(2)?,
        // What is not a hash is the hash of nothing: zeros, which no leaf has.
        leaf: Some(Hash::try_from(row.try_get::<&[u8], _>(3)?).unwrap_or_default()),
    })
}

/// A number that counts from 0.
fn count(row: &PgRow, column: usize) -> sqlx::Result<u64> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|_| unreadable(format!("a count of {number}")))
}

/// As PostgreSQL counts; past what it can count to there is nothing.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unreadable(what: String) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}
