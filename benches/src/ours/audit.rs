//! The audit log of a workspace: events that an import appends, and what is read of them.

use std::path::Path;

use jiff::Timestamp;
use lattice_core::PolicySet;
use lattice_core::audit::{
    Checkpoint, Event, ImportEvent, KeyType, Names, Node, Proof, Record, SigningKey, Tree,
    Verification, Verifier, VerifyingKey, leaf_hash, log_name,
};
use lattice_core::hash::{Hash, sha256};
use lattice_core::view::KeyKind;
use lattice_workspace::store::{Head, Write};
use lattice_workspace::{Key, Location, Reader, Store, create_workspace, rotate_log_key};

use super::ambient;

/// A UUID where nothing is stored.
const WORKSPACE: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Events before the first import: the first key was created, and the key that signs was logged.
const BEFORE: u64 = 2;

/// How many records an import reads of the end of the log, to see that it recorded the state that the import begins with.
const END: u64 = 16;

/// A workspace in an SQLite file with a log of imports, each of which changed one policy.
#[derive(Debug)]
pub struct Log {
    store: Box<dyn Store>,
    key: Key,
    id: String,
    signer: SigningKey,
}

impl Log {
    /// One with so many events, in a file that is made.
    pub fn create(file: &Path, size: u64) -> Self {
        /// Events in one transaction: what is not committed yet is in memory, or twice on the disk.
        const STEP: usize = 100_000;

        let url = format!("sqlite:{}", file.display());
        let store = Location::parse(&url).expect("a location").open();
        let created =
            create_workspace(&*store, "bench", None, &ambient(0)).expect("a new workspace");
        let key = Key::parse(&created.service_key).expect("its key");
        let signer = SigningKey::new(&log_name(&created.id), KeyType::Log, [7; 32]);
        let signer = signer.expect("a key of the log");
        rotate_log_key(&*store, &key, None, &signer, None, &ambient(1)).expect("a first key");
        let log = Self {
            store,
            key,
            id: created.id,
            signer,
        };
        let events: Vec<u64> = (BEFORE..size).collect();
        for events in events.chunks(STEP) {
            let append = log.append();
            let mut tree = append.tree();
            for _ in events {
                append.put(&mut tree);
            }
            append.write.commit().expect("a commit");
        }
        log
    }

    /// Takes the write lock, to append.
    pub fn append(&self) -> Append<'_> {
        let write = self.store.write().expect("the write lock");
        Append { write, log: self }
    }

    /// Opens the log to read it.
    pub fn open(&self) -> Reader {
        Reader::open(&*self.store, &self.key, KeyKind::Service, None).expect("the workspace")
    }

    /// What an import adds to a log with that tree, unsigned or signed, without what is read and stored.
    pub fn make(&self, tree: &mut Tree, signed: bool) -> (Entry, Head, String) {
        let entry = Entry::new(&self.id, tree);
        (entry, Head::of(tree), self.head(tree, signed))
    }

    /// The text of a checkpoint of a log with that tree.
    fn head(&self, tree: &Tree, signed: bool) -> String {
        let checkpoint = Checkpoint::of(&log_name(&self.id), tree);
        let signed = if signed {
            checkpoint.signed(&self.signer).expect("a signature")
        } else {
            checkpoint
        };
        signed.to_string()
    }

    /// The key that verifies its checkpoints.
    pub fn key(&self) -> VerifyingKey {
        self.signer.verifying_key().clone()
    }

    /// The text of the proof of an event, against the head as it stands.
    pub fn proof(&self, seq: u64, signed: bool) -> String {
        let mut proof = prove(&self.open(), seq);
        if signed {
            proof.checkpoint = proof.checkpoint.signed(&self.signer).expect("a signature");
        }
        proof.to_string()
    }
}

/// A transaction that appends to a log. Dropped, it leaves no trace.
#[derive(Debug)]
pub struct Append<'l> {
    write: Box<dyn Write>,
    log: &'l Log,
}

impl Append<'_> {
    /// The tree of the log.
    pub fn tree(&self) -> Tree {
        let head = self.write.head(&self.log.id).expect("the store");
        head.and_then(|head| head.tree()).expect("a head")
    }

    /// Everything that an import does for the log, but for recomputing it where it signs or keeps a pin: looks at its end,
    /// appends, and makes the checkpoint.
    pub fn import(&self, signed: bool) -> String {
        let (id, mut tree) = (&self.log.id, self.tree());
        let name = log_name(id);
        let from = tree.size().saturating_sub(END);
        let limit = usize::try_from(END).expect("a small number");
        let end = self.write.records(id, from, limit).expect("the store");
        end.last().expect("an event").open(&name).expect("whole");
        self.put(&mut tree);
        self.log.head(&tree, signed)
    }

    fn put(&self, tree: &mut Tree) {
        let entry = Entry::new(&self.log.id, tree);
        let (record, completed) = (&entry.record, &entry.completed);
        let put = self
            .write
            .append(&self.log.id, record, completed, &Head::of(tree));
        put.expect("an appended event");
    }
}

/// An event as it is stored, and the subtrees that it completes.
#[derive(Debug)]
pub struct Entry {
    record: Record,
    completed: Vec<(Node, Hash)>,
}

impl Entry {
    /// The next import of a workspace.
    fn new(workspace: &str, tree: &mut Tree) -> Self {
        let seq = tree.size();
        let names = Names {
            modified: vec![format!("policy-{seq}")],
            ..Names::default()
        };
        let body = event(workspace, seq, &names).to_bytes();
        let leaf = leaf_hash(&body);
        let mut completed = Vec::new();
        tree.append_with(leaf, |node, hash| {
            if node.level > 0 {
                completed.push((node, hash));
            }
        });
        let record = Record {
            seq,
            body,
            names: names.to_bytes(),
            leaf: Some(leaf),
        };
        Self { record, completed }
    }
}

fn event(workspace: &str, seq: u64, names: &Names) -> Event {
    // The state before an event; those before the first import leave none.
    let state = |seq: u64| match seq {
        ..=BEFORE => PolicySet::default().digest(),
        seq => sha256(&seq.to_be_bytes()),
    };
    let seconds = i64::try_from(seq).expect("a small number");
    Event::import(&ImportEvent {
        workspace,
        seq,
        time: Timestamp::from_second(1_767_225_600 + seconds).expect("a time"),
        actor: WORKSPACE,
        names,
        unchanged: 1_000,
        before: state(seq),
        after: state(seq + 1),
        manifest_sha256: [3; 32],
        manifest_version: "1.0",
        replace: true,
        from: None,
        rendered_sha256: None,
    })
}

/// Records of a log, as they are read.
pub fn records(count: u64) -> Vec<Record> {
    let mut tree = Tree::new();
    (0..count)
        .map(|_| Entry::new(WORKSPACE, &mut tree).record)
        .collect()
}

/// The verdict over records.
pub fn judge(records: &[Record]) -> Verification {
    let mut verifier = Verifier::new(&log_name(WORKSPACE), PolicySet::default().digest());
    for record in records {
        verifier.push(record);
    }
    verifier.finish()
}

/// The bytes of events, as [`floor`](crate::floor) stores them.
pub fn bodies(count: u64) -> impl Iterator<Item = Vec<u8>> {
    let mut tree = Tree::new();
    (0..count).map(move |_| Entry::new(WORKSPACE, &mut tree).record.body)
}

/// The root over bodies.
pub fn root<'b>(bodies: impl Iterator<Item = &'b [u8]>) -> Hash {
    Tree::of(bodies.map(leaf_hash)).root()
}

/// Verifies a whole log, which is whole; the number of its events.
pub fn verify(reader: &Reader) -> u64 {
    let verified = reader.verify(&[], &[], false).expect("the store");
    assert!(verified.verification.valid, "{:?}", verified.reason);
    verified.verification.size
}

/// Proves an event against the log as it stands.
pub fn prove(reader: &Reader, seq: u64) -> Proof {
    reader.prove(seq, None).expect("a proof")
}

/// Reads a proof and checks it, as someone does who holds `keys` and nothing else.
pub fn check(text: &str, keys: &[VerifyingKey]) -> bool {
    let proof = Proof::parse(text.as_bytes()).expect("a proof");
    let (checked, _) = proof.check(&[], keys).expect("its signature");
    checked.valid
}
