//! What a backend does: read a store, and write to it.
//!
//! A [`Read`] is one snapshot and cannot write; a [`Write`] is one transaction, and locks the workspaces that it writes to.
//! Backends move rows. What the rows mean, who may change them and in what order is decided above them, once.

use std::collections::BTreeSet;
use std::fmt::Debug;

use lattice_core::audit::{Node, Record, Tree};
use lattice_core::hash::Hash;
use lattice_core::view::{Decision, KeyKind};
use lattice_core::{Action, Beside, Breaker, Error, Policy, PolicySet};

use crate::http::Remote;
use crate::once::Once;

/// Records that are read at one go.
pub const PAGE_RECORDS: usize = 1_024;

/// Bytes of records that are read at one go: an import of many policies has many names.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A place that holds workspaces. Every failure of it is `STORE_UNAVAILABLE`.
pub trait Store: Debug + Send + Sync {
    /// Makes the store if there is none, and begins to write. Nothing else makes one.
    fn create(&self) -> Result<Box<dyn Write>, Error>;

    /// Takes a snapshot. Makes no file or folder, and refuses a store of an older version.
    fn read(&self) -> Result<Box<dyn Read>, Error>;

    /// Begins to write. A backend with one lock for all workspaces takes it here, waiting for at most 10 seconds. A store of
    /// an older version is migrated in the same transaction.
    fn write(&self) -> Result<Box<dyn Write>, Error>;

    /// Takes a snapshot of what the next [`Store::write`] will find: a store of an older version reads as if it were
    /// migrated, and stays as it is. The write lock of such a store is held as long as the snapshot.
    fn read_migrated(&self) -> Result<Box<dyn Read>, Error>;

    /// The server that stands before the store, where that is out of reach: what is asked of the one is asked of the other,
    /// and everything above is refused.
    fn remote(&self) -> Option<&Remote> {
        None
    }
}

/// What workspaces hold, in one snapshot: what others commit meanwhile does not show.
pub trait Contents: Debug + Send {
    /// The policies of the workspace `id`. What is stored just as it is written in `known` is shared with it.
    fn snapshot<'k>(&self, id: &str, known: &'k PolicySet) -> Result<Snapshot<'k>, SnapshotError>;

    /// The policies that were active in the workspace `id` after the audit event `seq`: of each name the last version
    /// that this event or one before it made. Shared with `known` as by [`Contents::snapshot`].
    fn snapshot_at<'k>(
        &self,
        id: &str,
        seq: u64,
        known: &'k PolicySet,
    ) -> Result<Beside<'k>, SnapshotError>;

    /// The circuit breakers of the workspace `id`, by anomaly type.
    fn breakers(&self, id: &str) -> Result<Vec<Breaker>, Error>;

    /// The next audit records of the workspace `id` in order of `seq`, from `from` on, just as they are stored: at most
    /// `limit` and [`PAGE_RECORDS`], and as many as [`PAGE_BYTES`] hold, but one if there is one.
    fn records(&self, id: &str, from: u64, limit: usize) -> Result<Vec<Record>, Error>;

    /// The hash of a complete subtree of the workspace's audit log, just as it is stored.
    fn node(&self, id: &str, node: Node) -> Result<Option<Hash>, Error>;

    /// The head of the workspace's audit log; every workspace has one.
    fn head(&self, id: &str) -> Result<Option<Head>, Error>;

    /// How the policies of the workspace meet `action`, where that is not for the caller to find out: an agent's key opens
    /// no policies. `None` where it is.
    fn decide(&self, action: &Action<'_>) -> Option<Result<Decision<'static>, Error>> {
        let _ = action;
        None
    }
}

/// One snapshot of a whole store.
pub trait Read: Contents {
    /// All workspaces, by name.
    fn workspaces(&self) -> Result<Vec<WorkspaceRow>, Error>;

    /// The workspace of that name.
    fn workspace(&self, name: &str) -> Result<Option<WorkspaceRow>, Error>;

    /// The workspace with that UUID.
    fn workspace_by_id(&self, id: &str) -> Result<Option<WorkspaceRow>, Error>;

    /// How many policies of the workspace `id` are active.
    fn count_policies(&self, id: &str) -> Result<u64, Error>;

    /// The key whose text has that SHA-256, revoked or not.
    fn key_by_hash(&self, hash: &Hash) -> Result<Option<KeyRow>, Error>;

    /// The keys of the workspace `id`, revoked ones included, in order of creation.
    fn keys(&self, id: &str) -> Result<Vec<KeyRow>, Error>;

    /// The answer that the workspace `id` gave to the request with the id `request`, behind the SHA-256 of that request.
    fn answer(&self, id: &str, request: &str) -> Result<Option<(Hash, String)>, Error>;
}

/// One transaction. Dropped without [`Write::commit`], it leaves no trace.
pub trait Write: Read {
    /// Takes the write lock of the workspace `id`, waiting for at most 10 seconds, if writing to the store does not hold it
    /// already. From then on until the end of the transaction nobody else changes the workspace, its keys and its log;
    /// what was read before may be out of date.
    fn lock(&self, id: &str) -> Result<(), Error>;

    /// Adds a workspace with an empty audit log. Its id and name are not taken.
    fn add_workspace(&self, workspace: &WorkspaceRow) -> Result<(), Error>;

    /// Gives the workspace `id` another name, which is not taken.
    fn rename_workspace(&self, id: &str, name: &str) -> Result<(), Error>;

    /// Makes all keys of the workspace `from` keys of the workspace `to`.
    fn move_keys(&self, from: &str, to: &str) -> Result<(), Error>;

    /// Adds a key.
    fn add_key(&self, key: &KeyRow) -> Result<(), Error>;

    /// Revokes the key `id`. `at` is RFC 3339.
    fn revoke_key(&self, id: &str, at: &str) -> Result<(), Error>;

    /// Sets the circuit breaker for its anomaly type in the workspace `id`.
    fn set_breaker(&self, id: &str, breaker: &Breaker) -> Result<(), Error>;

    /// Moves the workspace `id` on from the revision `from`. `false`, and nothing moved, if it is no longer there.
    fn advance(&self, id: &str, from: u64) -> Result<bool, Error>;

    /// Makes `active` the stored and active policies of those names in the workspace `id`, and switches off those
    /// named in `deactivated`. All others stay. The versions before are kept, whose names are `replaced`: all of the
    /// names that are stored already. The new ones are recorded as those of the audit event `seq`. All are in name order.
    fn change_policies(
        &self,
        id: &str,
        seq: u64,
        replaced: &mut dyn Iterator<Item = &str>,
        active: &mut dyn Iterator<Item = &Policy>,
        deactivated: &[String],
    ) -> Result<(), Error>;

    /// Appends to the audit log of the workspace `id`, of which `head` is the new head, and `completed` the subtrees of two
    /// leaves or more that the record completes.
    fn append(
        &self,
        id: &str,
        record: &Record,
        completed: &[(Node, Hash)],
        head: &Head,
    ) -> Result<(), Error>;

    /// Forgets what the workspace `id` answered before the time `before`, RFC 3339.
    fn forget_answers(&self, id: &str, before: &str) -> Result<(), Error>;

    /// Records what the workspace `id` answers to a request, whose id has no answer there. `at` is RFC 3339.
    fn record_answer(&self, id: &str, once: &Once, answer: &str, at: &str) -> Result<(), Error>;

    /// Makes everything durable, and visible to others.
    fn commit(self: Box<Self>) -> Result<(), Error>;
}

/// A workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceRow {
    /// UUID.
    pub id: String,
    /// Name, unique in the store.
    pub name: String,
    /// Organisation name, for people.
    pub org_name: String,
    /// How many imports were committed.
    pub revision: u64,
    /// RFC 3339, UTC, milliseconds.
    pub created_at: String,
}

/// A key, of which only the hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// UUID.
    pub id: String,
    /// The UUID of its workspace.
    pub workspace: String,
    /// What it opens.
    pub kind: KeyKind,
    /// Its name, for people.
    pub name: Option<String>,
    /// SHA-256 of the whole key.
    pub hash: Hash,
    /// RFC 3339, UTC, milliseconds.
    pub created_at: String,
    /// The same, once it is revoked.
    pub revoked_at: Option<String>,
}

/// The policies of a workspace, to be compiled.
#[derive(Debug)]
pub struct Snapshot<'k> {
    /// Active policies, by name.
    pub active: Beside<'k>,
    /// The names of those that were switched off and kept.
    pub deactivated: BTreeSet<String>,
}

/// Why there is no snapshot. Either way the error is `STORE_UNAVAILABLE`; to verification it makes a difference.
#[derive(Debug, Clone)]
pub enum SnapshotError {
    /// The store could not be read.
    Unread(Error),
    /// A row was read and is no policy that al stores.
    Undecodable(Error),
}

impl From<SnapshotError> for Error {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Unread(error) | SnapshotError::Undecodable(error) => error,
        }
    }
}

/// The head of an audit log. Bytes, because verification judges what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How many events the log holds.
    pub size: u64,
    /// The roots of the tree's complete subtrees, largest first, 32 bytes each.
    pub frontier: Vec<u8>,
    /// The root of the tree.
    pub root: Vec<u8>,
}

impl Head {
    /// The head of a log whose tree is `tree`.
    pub fn of(tree: &Tree) -> Self {
        Self {
            size: tree.size(),
            frontier: tree.frontier().concat(),
            root: tree.root().to_vec(),
        }
    }

    /// The tree of the log; `None` if the parts do not belong together.
    pub fn tree(&self) -> Option<Tree> {
        let (frontier, []) = self.frontier.as_chunks::<32>() else {
            return None;
        };
        Tree::from_parts(self.size, frontier.to_vec()).filter(|tree| tree.root()[..] == self.root)
    }
}

#[cfg(test)]
mod tests {
    use lattice_core::audit::leaf_hash;

    use super::*;

    type Edit = fn(&mut Head);

    #[test]
    fn a_head_gives_back_its_tree_or_nothing() {
        let tree = Tree::of((0..11_u8).map(|i| leaf_hash(&[i])));
        let head = Head::of(&tree);
        assert_eq!(head.tree(), Some(tree));

        let edits: [Edit; 5] = [
            |head| head.size -= 1,
            |head| head.frontier[40] ^= 1,
            |head| head.root[0] ^= 1,
            |head| head.root.clear(),
            |head| head.frontier.truncate(95),
        ];
        for edit in edits {
            let mut edited = head.clone();
            edit(&mut edited);
            assert_eq!(edited.tree(), None, "{edited:?}");
        }
    }
}
