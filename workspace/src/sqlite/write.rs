//! Rows into the tables. The transaction began with the connection, and ends here or not at all.

use lattice_core::audit::{Node, Record, Tree};
use lattice_core::hash::Hash;
use lattice_core::{AllowList, Breaker, Conditions, Error, Policy};

use super::{ReadWrite, Transaction};
use crate::once::Once;
use crate::patterns;
use crate::store::{Head, KeyRow, WorkspaceRow, Write};

/// Keeps the version of a policy that is about to be replaced.
const KEEP: &str = "
    INSERT INTO policy_version (workspace, name, active, seq, action_type, approval_required,
                                approval_timeout_hours, allowed_repos, allowed_branches, conditions)
    SELECT workspace, name, active, seq, action_type, approval_required,
           approval_timeout_hours, allowed_repos, allowed_branches, conditions
    FROM policy WHERE workspace = ?1 AND name = ?2";

/// Adds a policy that was not there.
const INSERT: &str = "
    INSERT INTO policy (workspace, name, seq, active, action_type, approval_required,
                        approval_timeout_hours, allowed_repos, allowed_branches, conditions)
    VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9)";

/// Writes the next version of a policy, with the parameters of [`INSERT`].
const UPDATE: &str = "
    UPDATE policy SET seq = ?3, active = 1, action_type = ?4, approval_required = ?5,
        approval_timeout_hours = ?6, allowed_repos = ?7, allowed_branches = ?8, conditions = ?9
    WHERE workspace = ?1 AND name = ?2";

const SWITCH_OFF: &str =
    "UPDATE policy SET seq = ?3, active = 0 WHERE workspace = ?1 AND name = ?2";

impl Write for Transaction<ReadWrite> {
    fn lock(&self, _: &str) -> Result<(), Error> {
        // The file has one lock, which the transaction has had since it began.
        Ok(())
    }

    fn add_workspace(&self, workspace: &WorkspaceRow) -> Result<(), Error> {
        self.execute(
            "INSERT INTO workspace (id, name, org_name, revision, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            (
                &workspace.id,
                &workspace.name,
                &workspace.org_name,
                workspace.revision,
                &workspace.created_at,
            ),
        )?;
        let head = Head::of(&Tree::new());
        self.execute(
            "INSERT INTO audit_head (workspace, size, frontier, root) VALUES (?1, ?2, ?3, ?4)",
            (&workspace.id, head.size, &head.frontier, &head.root),
        )?;
        Ok(())
    }

    fn rename_workspace(&self, id: &str, name: &str) -> Result<(), Error> {
        self.execute("UPDATE workspace SET name = ?2 WHERE id = ?1", (id, name))?;
        Ok(())
    }

    fn move_keys(&self, from: &str, to: &str) -> Result<(), Error> {
        self.execute(
            "UPDATE access_key SET workspace = ?2 WHERE workspace = ?1",
            (from, to),
        )?;
        Ok(())
    }

    fn add_key(&self, key: &KeyRow) -> Result<(), Error> {
        self.execute(
            "INSERT INTO access_key (id, workspace, kind, name, hash, created_at, revoked_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                &key.id,
                &key.workspace,
                key.kind.as_str(),
                &key.name,
                &key.hash,
                &key.created_at,
                &key.revoked_at,
            ),
        )?;
        Ok(())
    }

    fn revoke_key(&self, id: &str, at: &str) -> Result<(), Error> {
        self.execute(
            "UPDATE access_key SET revoked_at = ?2 WHERE id = ?1",
            (id, at),
        )?;
        Ok(())
    }

    fn set_breaker(&self, id: &str, breaker: &Breaker) -> Result<(), Error> {
        self.execute(
            "INSERT INTO breaker (workspace, anomaly_type, score_threshold, response_level)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (workspace, anomaly_type) DO UPDATE SET
                 score_threshold = excluded.score_threshold, response_level = excluded.response_level",
            (
                id,
                &breaker.anomaly_type,
                breaker.score_threshold.canonical_literal(),
                &breaker.response_level,
            ),
        )?;
        Ok(())
    }

    fn advance(&self, id: &str, from: u64) -> Result<bool, Error> {
        let moved = self.execute(
            "UPDATE workspace SET revision = revision + 1 WHERE id = ?1 AND revision = ?2",
            (id, from),
        )?;
        Ok(moved == 1)
    }

    fn change_policies(
        &self,
        id: &str,
        seq: u64,
        replaced: &mut dyn Iterator<Item = &str>,
        active: &mut dyn Iterator<Item = &Policy>,
        deactivated: &[String],
    ) -> Result<(), Error> {
        let mut replaced = replaced.peekable();
        self.run(|connection| {
            // Not by a trigger, and not as an upsert: with either, SQLite prepares to undo each single row.
            let mut keep = connection.prepare_cached(KEEP)?;
            let mut insert = connection.prepare_cached(INSERT)?;
            let mut update = connection.prepare_cached(UPDATE)?;
            let mut switch_off = connection.prepare_cached(SWITCH_OFF)?;
            for policy in active {
                let name = policy.name();
                while replaced.next_if(|replaced| *replaced < name).is_some() {}
                let write = if replaced.next_if_eq(&name).is_some() {
                    one(keep.execute((id, name))?)?;
                    &mut update
                } else {
                    &mut insert
                };
                one(write.execute((
                    id,
                    name,
                    seq,
                    policy.action_type(),
                    policy.approval_required(),
                    policy.approval_timeout_hours(),
                    policy.allowed_repos().map(json).transpose()?,
                    policy.allowed_branches().map(json).transpose()?,
                    policy.conditions().map(Conditions::text),
                ))?)?;
            }
            for name in deactivated {
                one(keep.execute((id, name))?)?;
                one(switch_off.execute((id, name, seq))?)?;
            }
            Ok(())
        })
    }

    fn append(
        &self,
        id: &str,
        record: &Record,
        completed: &[(Node, Hash)],
        head: &Head,
    ) -> Result<(), Error> {
        // Text in the file, so that the log can be read with other tools. Both are JSON, and so UTF-8.
        self.execute(
            "INSERT INTO audit_event (workspace, seq, body, names, leaf)
             VALUES (?1, ?2, CAST(?3 AS TEXT), CAST(?4 AS TEXT), ?5)",
            (id, record.seq, &record.body, &record.names, &record.leaf),
        )?;
        for (node, hash) in completed {
            self.execute(
                "INSERT INTO audit_node (workspace, level, idx, hash) VALUES (?1, ?2, ?3, ?4)",
                (id, node.level, node.index, hash),
            )?;
        }
        self.execute(
            "UPDATE audit_head SET size = ?2, frontier = ?3, root = ?4 WHERE workspace = ?1",
            (id, head.size, &head.frontier, &head.root),
        )?;
        Ok(())
    }

    fn forget_answers(&self, id: &str, before: &str) -> Result<(), Error> {
        self.execute(
            "DELETE FROM request WHERE workspace = ?1 AND created_at < ?2",
            (id, before),
        )?;
        Ok(())
    }

    fn record_answer(&self, id: &str, once: &Once, answer: &str, at: &str) -> Result<(), Error> {
        self.execute(
            "INSERT INTO request (workspace, id, digest, created_at, answer) VALUES (?1, ?2, ?3, ?4, ?5)",
            (id, &once.id, &once.request, at, answer),
        )?;
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        self.run(|connection| connection.execute_batch("COMMIT"))
    }
}

/// Every policy is one row: a statement that changed none, or several, met another store than the plan did.
fn one(changed: usize) -> rusqlite::Result<()> {
    match changed {
        1 => Ok(()),
        other => Err(rusqlite::Error::StatementChangedRows(other)),
    }
}

/// A list of patterns as JSON.
fn json(list: &AllowList) -> rusqlite::Result<String> {
    patterns::write(list).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
