//! Whether a stored log still says what was appended to it.

use super::event::count;
use super::{Checkpoint, Event, Kind, LogKeys, Names, Tree, leaf_hash};
use crate::hash::{Hash, hex, parse_hex, sha256};
use crate::view::PinResult;

/// One event as it is stored. Bytes, because verification judges what is there, text or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The index under which the event is stored.
    pub seq: u64,
    /// The event's bytes ([`Event::to_bytes`]).
    pub body: Vec<u8>,
    /// The names' bytes ([`Names::to_bytes`]); for an event of a kind without names, those of empty lists.
    pub names: Vec<u8>,
    /// The leaf hash that the store keeps beside the event, where it keeps one. It only shows *where* a body was
    /// edited; the tree is made of recomputed hashes.
    pub leaf: Option<Hash>,
}

impl Record {
    /// The event and its names, if the record still is what was appended to `log` ([`log_name`](super::log_name))
    /// under its `seq`. What stands before it is for a [`Verifier`] to say.
    ///
    /// # Errors
    ///
    /// A message that says what does not fit.
    pub fn open(&self, log: &str) -> Result<(Event, Names), String> {
        self.check(leaf_hash(&self.body), log)
    }

    fn check(&self, leaf: Hash, log: &str) -> Result<(Event, Names), String> {
        if self.leaf.is_some_and(|stored| stored != leaf) {
            return Err("the event is not the one that was hashed when it was stored".to_owned());
        }
        let event = Event::parse(&self.body)?;
        if event.log != log {
            return Err(format!("the event belongs to the log `{}`", event.log));
        }
        if event.seq != self.seq {
            return Err(format!("the event was appended as event `{}`", event.seq));
        }
        let names = Names::parse(&self.names)?;
        check_names(&event, &names, &self.names)?;
        Ok((event, names))
    }
}

/// What a [`Verifier`] found.
///
/// A log without a broken event is whole only if `size` and `root` are those that were kept elsewhere: an edit
/// that leaves an event well-formed shows in the root alone, a log cut short at its end in the size alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The number of records.
    pub size: u64,
    /// The root of the tree over the stored bytes of all records.
    pub root: Hash,
    /// The first `seq` that is missing or does not verify.
    pub first_broken_seq: Option<u64>,
    /// Why that one does not verify, for people.
    pub reason: Option<String>,
    /// The state digest after the last import or rollback up to there: what the workspace should hold. `None`
    /// before the first one.
    pub last_after: Option<String>,
    /// The keys that the log named up to there.
    pub keys: LogKeys,
    /// What the records say about the checkpoints that they were held against, in the order of those.
    pub pins: Vec<PinResult>,
}

/// Verifies a log record by record, in constant memory.
///
/// Once a record is broken, the rest is hashed but no longer checked: what follows a broken event cannot be vouched
/// for.
#[derive(Debug, Clone)]
pub struct Verifier {
    log: String,
    genesis: String,
    tree: Tree,
    last_after: Option<String>,
    broken: Option<(u64, String)>,
    keys: LogKeys,
    pins: Vec<Pin>,
}

/// A checkpoint that was kept elsewhere, and the root at its size.
#[derive(Debug, Clone)]
struct Pin {
    checkpoint: Checkpoint,
    root: Option<Hash>,
}

impl Pin {
    fn result(&self, log: &str) -> PinResult {
        match self.root {
            _ if self.checkpoint.origin() != log => PinResult::Forked,
            None => PinResult::Truncated,
            Some(root) if root == *self.checkpoint.root() => PinResult::Consistent,
            Some(_) => PinResult::Forked,
        }
    }
}

impl Verifier {
    /// A verifier for the log named `log` ([`log_name`](super::log_name)), whose workspace had the state digest
    /// `genesis` before its first import: that of no policies.
    pub fn new(log: &str, genesis: Hash) -> Verifier {
        Verifier {
            log: log.to_owned(),
            genesis: hex(&genesis),
            tree: Tree::new(),
            last_after: None,
            broken: None,
            keys: LogKeys::default(),
            pins: Vec::new(),
        }
    }

    /// Holds the log against checkpoints that were kept elsewhere, too.
    ///
    /// Before the first [`Verifier::push`]: the roots at their sizes are taken on the way.
    #[must_use]
    pub fn against<'c>(mut self, pins: impl IntoIterator<Item = &'c Checkpoint>) -> Self {
        let pins = pins.into_iter().map(|checkpoint| Pin {
            checkpoint: checkpoint.clone(),
            root: None,
        });
        self.pins.extend(pins);
        self.take_roots();
        self
    }

    /// The name of the log.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// How many records were pushed.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    fn take_roots(&mut self) {
        for pin in &mut self.pins {
            if pin.checkpoint.size() == self.tree.size() {
                pin.root = Some(self.tree.root());
            }
        }
    }

    /// Takes the next record, in the order of the log.
    pub fn push(&mut self, record: &Record) {
        let seq = self.tree.size();
        let leaf = leaf_hash(&record.body);
        self.tree.append(leaf);
        self.take_roots();
        if self.broken.is_some() {
            return;
        }
        match self.check(seq, leaf, record) {
            Ok(event) if event.kind.changes_policies() => self.last_after = event.after,
            Ok(_) => {}
            Err(reason) => self.broken = Some((seq, reason)),
        }
    }

    /// The verdict over all records that were pushed.
    pub fn finish(self) -> Verification {
        let (first_broken_seq, reason) = self.broken.unzip();
        let pins = self.pins.iter().map(|pin| pin.result(&self.log));
        Verification {
            pins: pins.collect(),
            size: self.tree.size(),
            root: self.tree.root(),
            first_broken_seq,
            reason,
            last_after: self.last_after,
            keys: self.keys,
        }
    }

    /// The event of `record`, if that is what stands at `seq`.
    fn check(&mut self, seq: u64, leaf: Hash, record: &Record) -> Result<Event, String> {
        if record.seq != seq {
            return Err(format!("event `{seq}` is missing"));
        }
        let (event, names) = record.check(leaf, &self.log)?;
        if event.kind == Kind::LogKeyRotated {
            let (size, root) = (self.tree.size(), self.tree.root());
            self.keys.rotate(&self.log, &names, size, root)?;
        }
        if event.kind.changes_policies() {
            let expected = self.last_after.as_ref().unwrap_or(&self.genesis);
            if event.before.as_ref() != Some(expected) {
                return Err(
                    "`before` of the event is not the state that the events before it left"
                        .to_owned(),
                );
            }
        }
        Ok(event)
    }
}

/// The names are those that the event was made from, and `stored` are their bytes; an event of a kind without names has
/// none.
fn check_names(event: &Event, names: &Names, stored: &[u8]) -> Result<(), String> {
    if !event.kind.has_names() {
        return if *names == Names::default() {
            Ok(())
        } else {
            Err("the event has names, which its kind does not use".to_owned())
        };
    }
    if event.changes.as_deref().and_then(parse_hex) != Some(sha256(stored)) {
        return Err("the names are not those of the event".to_owned());
    }
    if event.kind == Kind::LogKeyRotated {
        return if names.added.len() == 1 && names.modified.is_empty() {
            Ok(())
        } else {
            Err("the names are not one new verification key".to_owned())
        };
    }
    let counts = [
        ("added", event.added, &names.added),
        ("deleted", event.deleted, &names.deactivated),
        ("modified", event.modified, &names.modified),
    ];
    for (field, counted, names) in counts {
        if counted != Some(count(names)) {
            return Err(format!("`{field}` of the event does not count its names"));
        }
    }
    Ok(())
}
