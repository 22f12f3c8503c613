//! Rows into the tables.

use lattice_core::audit::{Node, Record, Tree};
use lattice_core::hash::Hash;
use lattice_core::{AllowList, Breaker, Conditions, Error, Policy};
use sqlx::PgConnection;
use sqlx::postgres::PgQueryResult;

use super::database::LONG_SILENCE;
use super::read::signed;
use super::transaction::{ReadWrite, Transaction};
use crate::once::Once;
use crate::patterns;
use crate::store::{Head, KeyRow, WorkspaceRow, Write};

/// Policies that are sent at one go.
const BATCH: usize = 2_000;

/// Bytes of their conditions after which no more are added to them.
const BATCH_BYTES: usize = 1024 * 1024;

/// Keeps the versions of policies that are about to be replaced.
const KEEP: &str = "
    INSERT INTO lattice.policy_version (workspace, name, active, seq, action_type, approval_required,
                                        approval_timeout_hours, allowed_repos, allowed_branches, conditions)
    SELECT workspace, name, active, seq, action_type, approval_required,
           approval_timeout_hours, allowed_repos, allowed_branches, conditions
    FROM lattice.policy WHERE workspace = $1 AND name = ANY ($2)";

/// Adds policies that were not there.
const INSERT: &str = "
    INSERT INTO lattice.policy (workspace, seq, active, name, action_type, approval_required,
                                approval_timeout_hours, allowed_repos, allowed_branches, conditions)
    SELECT $1, $2, TRUE, new.*
    FROM unnest($3::TEXT[], $4::TEXT[], $5::BOOLEAN[], $6::INTEGER[], $7::TEXT[], $8::TEXT[], $9::TEXT[]) AS new";

/// Writes the next versions of policies, with the parameters of [`INSERT`].
const UPDATE: &str = "
    UPDATE lattice.policy AS policy
    SET seq = $2, active = TRUE, action_type = new.action_type, approval_required = new.approval_required,
        approval_timeout_hours = new.approval_timeout_hours, allowed_repos = new.allowed_repos,
        allowed_branches = new.allowed_branches, conditions = new.conditions
    FROM unnest($3::TEXT[], $4::TEXT[], $5::BOOLEAN[], $6::INTEGER[], $7::TEXT[], $8::TEXT[], $9::TEXT[])
        AS new (name, action_type, approval_required, approval_timeout_hours, allowed_repos, allowed_branches,
                conditions)
    WHERE policy.workspace = $1 AND policy.name = new.name";

const SWITCH_OFF: &str = "
    UPDATE lattice.policy SET seq = $2, active = FALSE WHERE workspace = $1 AND name = ANY ($3)";

/// An event, the subtrees that it completes and the new head, in one statement: the lock is held as long as it takes.
const APPEND: &str = "
    WITH event AS (
        INSERT INTO lattice.audit_event (workspace, seq, body, names, leaf) VALUES ($1, $2, $3, $4, $5)
    ), nodes AS (
        INSERT INTO lattice.audit_node (workspace, level, idx, hash)
        SELECT $1, new.* FROM unnest($6::INTEGER[], $7::BIGINT[], $8::BYTEA[]) AS new
    )
    UPDATE lattice.audit_head SET size = $9, frontier = $10, root = $11 WHERE workspace = $1";

impl Write for Transaction<ReadWrite> {
    fn lock(&self, id: &str) -> Result<(), Error> {
        let sql = "SELECT 1 FROM lattice.audit_head WHERE workspace = $1 FOR UPDATE";
        self.one(sqlx::query(sql).bind(id), |_| Ok(()))?;
        self.trace.borrow_mut().locked.push(id.to_owned());
        Ok(())
    }

    fn add_workspace(&self, workspace: &WorkspaceRow) -> Result<(), Error> {
        let sql = "INSERT INTO lattice.workspace (id, name, org_name, revision, created_at)
                   VALUES ($1, $2, $3, $4, $5)";
        self.execute(
            sqlx::query(sql)
                .bind(&workspace.id)
                .bind(&workspace.name)
                .bind(&workspace.org_name)
                .bind(signed(workspace.revision))
                .bind(&workspace.created_at),
        )?;
        let head = Head::of(&Tree::new());
        let sql = "INSERT INTO lattice.audit_head (workspace, size, frontier, root) VALUES ($1, $2, $3, $4)";
        self.execute(
            sqlx::query(sql)
                .bind(&workspace.id)
                .bind(signed(head.size))
                .bind(&head.frontier)
                .bind(&head.root),
        )?;
        Ok(())
    }

    fn rename_workspace(&self, id: &str, name: &str) -> Result<(), Error> {
        let sql = "UPDATE lattice.workspace SET name = $2 WHERE id = $1";
        self.execute(sqlx::query(sql).bind(id).bind(name))?;
        Ok(())
    }

    fn move_keys(&self, from: &str, to: &str) -> Result<(), Error> {
        let sql = "UPDATE lattice.access_key SET workspace = $2 WHERE workspace = $1";
        self.execute(sqlx::query(sql).bind(from).bind(to))?;
        Ok(())
    }

    fn add_key(&self, key: &KeyRow) -> Result<(), Error> {
        let sql = "INSERT INTO lattice.access_key (id, workspace, kind, name, hash, created_at, revoked_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        self.execute(
            sqlx::query(sql)
                .bind(&key.id)
                .bind(&key.workspace)
                .bind(key.kind.as_str())
                .bind(&key.name)
                .bind(&key.hash[..])
                .bind(&key.created_at)
                .bind(&key.revoked_at),
        )?;
        Ok(())
    }

    fn revoke_key(&self, id: &str, at: &str) -> Result<(), Error> {
        let sql = "UPDATE lattice.access_key SET revoked_at = $2 WHERE id = $1";
        self.execute(sqlx::query(sql).bind(id).bind(at))?;
        Ok(())
    }

    fn set_breaker(&self, id: &str, breaker: &Breaker) -> Result<(), Error> {
        let sql = "INSERT INTO lattice.breaker (workspace, anomaly_type, score_threshold, response_level)
                   VALUES ($1, $2, $3, $4)
                   ON CONFLICT (workspace, anomaly_type) DO UPDATE SET
                       score_threshold = excluded.score_threshold, response_level = excluded.response_level";
        self.execute(
            sqlx::query(sql)
                .bind(id)
                .bind(&breaker.anomaly_type)
                .bind(breaker.score_threshold.canonical_literal())
                .bind(&breaker.response_level),
        )?;
        Ok(())
    }

    fn advance(&self, id: &str, from: u64) -> Result<bool, Error> {
        let sql =
            "UPDATE lattice.workspace SET revision = revision + 1 WHERE id = $1 AND revision = $2";
        let moved = self.execute(sqlx::query(sql).bind(id).bind(signed(from)))?;
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
        let (mut replaced, seq) = (replaced.peekable(), signed(seq));
        let changed = self.attempt_for(LONG_SILENCE, async |connection| {
            let (mut new, mut next) = (Batch::default(), Batch::default());
            for policy in active {
                let name = policy.name();
                while replaced.next_if(|replaced| *replaced < name).is_some() {}
                if replaced.next_if_eq(&name).is_some() {
                    next.push(policy)?;
                    if next.is_full() {
                        next.replace(connection, id, seq).await?;
                    }
                } else {
                    new.push(policy)?;
                    if new.is_full() {
                        new.write(INSERT, connection, id, seq).await?;
                    }
                }
            }
            next.replace(connection, id, seq).await?;
            new.write(INSERT, connection, id, seq).await?;
            for names in deactivated.chunks(BATCH) {
                keep(connection, id, names).await?;
                let off = sqlx::query(SWITCH_OFF).bind(id).bind(seq).bind(names);
                each(&off.execute(&mut *connection).await?, names.len())?;
            }
            Ok(())
        });
        changed.map_err(|failure| self.failed(&failure))
    }

    fn append(
        &self,
        id: &str,
        record: &Record,
        completed: &[(Node, Hash)],
        head: &Head,
    ) -> Result<(), Error> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        let leaf = record.leaf.unwrap_or_default();
        let level = |(node, _): &(Node, Hash)| i32::try_from(node.level).unwrap_or(i32::MAX);
        let seq = signed(record.seq);
        self.execute(
            sqlx::query(APPEND)
                .bind(id)
                .bind(seq)
                .bind(text(&record.body))
                .bind(text(&record.names))
                .bind(&leaf[..])
                .bind(completed.iter().map(level).collect::<Vec<_>>())
                .bind(
                    completed
                        .iter()
                        .map(|(node, _)| signed(node.index))
                        .collect::<Vec<_>>(),
                )
                .bind(
                    completed
                        .iter()
                        .map(|(_, hash)| &hash[..])
                        .collect::<Vec<_>>(),
                )
                .bind(signed(head.size))
                .bind(&head.frontier)
                .bind(&head.root),
        )?;
        self.trace.borrow_mut().appended = Some((id.to_owned(), seq, leaf));
        Ok(())
    }

    fn forget_answers(&self, id: &str, before: &str) -> Result<(), Error> {
        let sql = "DELETE FROM lattice.request WHERE workspace = $1 AND created_at < $2";
        self.execute(sqlx::query(sql).bind(id).bind(before))?;
        Ok(())
    }

    fn record_answer(&self, id: &str, once: &Once, answer: &str, at: &str) -> Result<(), Error> {
        let sql = "INSERT INTO lattice.request (workspace, id, digest, created_at, answer)
                   VALUES ($1, $2, $3, $4, $5)";
        self.execute(
            sqlx::query(sql)
                .bind(id)
                .bind(&once.id)
                .bind(&once.request[..])
                .bind(at)
                .bind(answer),
        )?;
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        self.end()
    }
}

/// Policies by columns, to be sent at one go.
#[derive(Debug, Default)]
struct Batch<'p> {
    names: Vec<&'p str>,
    action_types: Vec<&'p str>,
    approvals: Vec<bool>,
    timeouts: Vec<i32>,
    repos: Vec<Option<String>>,
    branches: Vec<Option<String>>,
    conditions: Vec<Option<&'p str>>,
    bytes: usize,
}

impl<'p> Batch<'p> {
    fn push(&mut self, policy: &'p Policy) -> sqlx::Result<()> {
        let conditions = policy.conditions().map(Conditions::text);
        self.names.push(policy.name());
        self.action_types.push(policy.action_type());
        self.approvals.push(policy.approval_required());
        self.timeouts.push(policy.approval_timeout_hours().into());
        self.repos
            .push(policy.allowed_repos().map(json).transpose()?);
        self.branches
            .push(policy.allowed_branches().map(json).transpose()?);
        self.bytes += conditions.map_or(0, str::len);
        self.conditions.push(conditions);
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.names.len() >= BATCH || self.bytes >= BATCH_BYTES
    }

    /// Writes the next versions of policies that are there, and empties the batch.
    async fn replace(
        &mut self,
        connection: &mut PgConnection,
        id: &str,
        seq: i64,
    ) -> sqlx::Result<()> {
        keep(connection, id, &self.names).await?;
        self.write(UPDATE, connection, id, seq).await
    }

    /// Runs a statement with the parameters of [`INSERT`], and empties the batch.
    async fn write(
        &mut self,
        sql: &'static str,
        connection: &mut PgConnection,
        id: &str,
        seq: i64,
    ) -> sqlx::Result<()> {
        let batch = std::mem::take(self);
        if batch.names.is_empty() {
            return Ok(());
        }
        let rows = batch.names.len();
        let statement = sqlx::query(sql)
            .bind(id)
            .bind(seq)
            .bind(batch.names)
            .bind(batch.action_types)
            .bind(batch.approvals)
            .bind(batch.timeouts)
            .bind(batch.repos)
            .bind(batch.branches)
            .bind(batch.conditions);
        each(&statement.execute(connection).await?, rows)
    }
}

/// Keeps the versions of the policies of those names.
async fn keep<T>(connection: &mut PgConnection, id: &str, names: &[T]) -> sqlx::Result<()>
where
    T: AsRef<str> + Sync,
{
    if names.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let rows = names.len();
    let keep = sqlx::query(KEEP).bind(id).bind(names);
    each(&keep.execute(connection).await?, rows)
}

/// Every policy is one row: a statement that changed fewer met another store than the plan did.
fn each(result: &PgQueryResult, rows: usize) -> sqlx::Result<()> {
    if result.rows_affected() == rows as u64 {
        Ok(())
    } else {
        Err(sqlx::Error::RowNotFound)
    }
}

/// A list of patterns as JSON.
fn json(list: &AllowList) -> sqlx::Result<String> {
    patterns::write(list).map_err(|error| sqlx::Error::Encode(error.into()))
}
