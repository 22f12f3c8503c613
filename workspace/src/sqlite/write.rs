//! Rows into the tables. The transaction began with the connection, and ends here or not at all.

use lattice_core::audit::{Record, Tree};
use lattice_core::{AllowList, Breaker, Conditions, Error, Policy};

use super::{ReadWrite, Transaction, patterns};
use crate::store::{Head, KeyRow, WorkspaceRow, Write};

impl Write for Transaction<ReadWrite> {
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
        self.run(|connection| {
            // Not by a trigger: with one, SQLite prepares to undo each single insert.
            let mut keep = connection.prepare_cached(
                "INSERT INTO policy_version (workspace, name, active, seq, action_type, approval_required,
                                             approval_timeout_hours, allowed_repos, allowed_branches, conditions)
                 SELECT workspace, name, active, seq, action_type, approval_required,
                        approval_timeout_hours, allowed_repos, allowed_branches, conditions
                 FROM policy WHERE workspace = ?1 AND name = ?2",
            )?;
            for name in replaced {
                keep.execute((id, name))?;
            }
            let mut write = connection.prepare_cached(
                "INSERT INTO policy (workspace, seq, active, name, action_type, approval_required,
                                     approval_timeout_hours, allowed_repos, allowed_branches, conditions)
                 VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (workspace, name) DO UPDATE SET
                     seq = excluded.seq, active = 1, action_type = excluded.action_type,
                     approval_required = excluded.approval_required,
                     approval_timeout_hours = excluded.approval_timeout_hours,
                     allowed_repos = excluded.allowed_repos, allowed_branches = excluded.allowed_branches,
                     conditions = excluded.conditions",
            )?;
            for policy in active {
                write.execute((
                    id,
                    seq,
                    policy.name(),
                    policy.action_type(),
                    policy.approval_required(),
                    policy.approval_timeout_hours(),
                    policy.allowed_repos().map(json).transpose()?,
                    policy.allowed_branches().map(json).transpose()?,
                    policy.conditions().map(Conditions::text),
                ))?;
            }
            let mut switch_off = connection.prepare_cached(
                "UPDATE policy SET seq = ?2, active = 0 WHERE workspace = ?1 AND name = ?3",
            )?;
            for name in deactivated {
                switch_off.execute((id, seq, name))?;
            }
            Ok(())
        })
    }

    fn append(&self, id: &str, record: &Record, head: &Head) -> Result<(), Error> {
        // Text in the file, so that the log can be read with other tools. Both are JSON, and so UTF-8.
        self.execute(
            "INSERT INTO audit_event (workspace, seq, body, names, leaf)
             VALUES (?1, ?2, CAST(?3 AS TEXT), CAST(?4 AS TEXT), ?5)",
            (id, record.seq, &record.body, &record.names, &record.leaf),
        )?;
        self.execute(
            "UPDATE audit_head SET size = ?2, frontier = ?3, root = ?4 WHERE workspace = ?1",
            (id, head.size, &head.frontier, &head.root),
        )?;
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        self.run(|connection| connection.execute_batch("COMMIT"))
    }
}

/// A list of patterns as JSON.
fn json(list: &AllowList) -> rusqlite::Result<String> {
    patterns::write(list).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
