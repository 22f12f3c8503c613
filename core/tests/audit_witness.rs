//! What a proof shows to whom, and what a witness signs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::type_complexity,
    clippy::too_many_lines,
    reason = "a test may fail loudly, and tables are long"
)]

use std::convert::Infallible;

use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use lattice_core::audit::{
    Checkpoint, Event, Extension, KeyType, Kind, Node, Proof, SigningKey, Tree, VerifyingKey,
    consistency_proof, inclusion_proof, leaf_hash,
};
use lattice_core::error::{Code, Error};
use lattice_core::hash::Hash;
use lattice_core::view::{CheckedProof, Trust};

const UUID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const LOG: &str = "al/01890a5d-ac96-774b-bcce-b302099a8057";

/// The event `seq` of a log; the logs of two actors are forks of each other.
fn event(actor: &str, seq: u64) -> Event {
    Event::key(Kind::KeyCreated, UUID, seq, Timestamp::UNIX_EPOCH, actor)
}

/// A log of `size` events, the first `common` of which are those of every log here.
struct Log {
    bodies: Vec<Vec<u8>>,
}

impl Log {
    fn of(size: u64) -> Self {
        Self::forked(size, size)
    }

    fn forked(common: u64, size: u64) -> Self {
        let actor = |seq| if seq < common { "local" } else { "key_1" };
        let bodies = (0..size).map(|seq| event(actor(seq), seq).to_bytes());
        Self {
            bodies: bodies.collect(),
        }
    }

    fn size(&self) -> u64 {
        self.bodies.len() as u64
    }

    fn checkpoint(&self) -> Checkpoint {
        let tree = Tree::of(self.bodies.iter().map(|body| leaf_hash(body)));
        Checkpoint::of(LOG, &tree)
    }

    fn hash_of(&self) -> impl FnMut(Node) -> Result<Hash, Infallible> + '_ {
        |node| {
            let start = usize::try_from(node.index << node.level).unwrap();
            let leaves = &self.bodies[start..start + (1 << node.level)];
            Ok(Tree::of(leaves.iter().map(|body| leaf_hash(body))).root())
        }
    }

    fn prove(&self, index: u64) -> Proof {
        let Ok(hashes) = inclusion_proof(index, self.size(), &mut self.hash_of());
        Proof {
            body: self.bodies[usize::try_from(index).unwrap()].clone(),
            index,
            hashes,
            checkpoint: self.checkpoint(),
        }
    }

    fn extend(&self, old: u64) -> Extension {
        let Ok(hashes) = consistency_proof(old, self.size(), &mut self.hash_of());
        Extension {
            old,
            hashes,
            checkpoint: self.checkpoint(),
        }
    }
}

fn secret(name: &str, key_type: KeyType) -> SigningKey {
    SigningKey::new(name, key_type, [7; 32]).unwrap()
}

fn public(key: &SigningKey) -> VerifyingKey {
    key.verifying_key().clone()
}

fn message<T>(result: Result<T, Error>) -> Option<(Code, String)> {
    let error = result.err()?;
    Some((error.code(), error.message().to_owned()))
}

/// The same head under another name.
fn renamed(checkpoint: &Checkpoint, origin: &str) -> Checkpoint {
    let text = checkpoint.to_string().replacen(LOG, origin, 1);
    Checkpoint::parse(text.as_bytes()).unwrap()
}

#[test]
fn what_a_proof_rests_on() {
    let log = Log::of(7);
    let log_key = secret(LOG, KeyType::Log);
    let witness = secret("w.example/1", KeyType::Witness);
    let kept = log.checkpoint();
    let signed = kept.clone().signed(&log_key).unwrap();
    let known = Extension {
        old: 0,
        hashes: vec![],
        checkpoint: signed.clone(),
    };
    let (witnessed, _) = known.cosign(None, &[], &witness, 5).unwrap();
    let (log_key, witness) = (public(&log_key), public(&witness));
    let both = [log_key.clone(), witness];
    let rows: Vec<(
        &str,
        &Checkpoint,
        Vec<Checkpoint>,
        Vec<VerifyingKey>,
        Trust,
        &[&str],
    )> = vec![
        ("itself", &kept, vec![], vec![], Trust::SelfOnly, &[]),
        (
            "itself, though signed",
            &witnessed,
            vec![],
            vec![],
            Trust::SelfOnly,
            &[],
        ),
        (
            "a kept checkpoint",
            &kept,
            vec![kept.clone()],
            vec![],
            Trust::Pinned,
            &[],
        ),
        (
            "one of those that were kept",
            &kept,
            vec![
                Log::of(3).checkpoint(),
                renamed(&kept, "al/y"),
                kept.clone(),
                kept.clone(),
            ],
            vec![],
            Trust::Pinned,
            &[],
        ),
        (
            "its log",
            &signed,
            vec![],
            vec![log_key],
            Trust::Signed,
            &[LOG],
        ),
        (
            "its log and a pin",
            &signed,
            vec![kept.clone()],
            both[..1].to_vec(),
            Trust::Signed,
            &[LOG],
        ),
        (
            "a witness",
            &witnessed,
            vec![],
            both[1..].to_vec(),
            Trust::Witnessed,
            &["w.example/1"],
        ),
        (
            "both",
            &witnessed,
            vec![kept.clone()],
            both.to_vec(),
            Trust::Witnessed,
            &[LOG, "w.example/1"],
        ),
    ];
    for (name, checkpoint, pins, keys, trust, signers) in rows {
        let proof = Proof {
            checkpoint: checkpoint.clone(),
            ..log.prove(4)
        };
        let expected = CheckedProof {
            valid: true,
            event: Some(event("local", 4)),
            checkpoint: checkpoint.into(),
            trust,
            signers: signers.iter().map(|&signer| signer.to_owned()).collect(),
        };
        assert_eq!(
            proof.check(&pins, &keys).unwrap(),
            (expected, None),
            "{name}"
        );
    }
}

#[test]
fn proofs_that_cannot_be_judged() {
    let proof = Log::of(7).prove(4);
    let unsigned = "the checkpoint is not signed by its log with a key that was given";
    let other = format!("none of the checkpoints is that of the proof: `{LOG}`, 7 events");
    let key = public(&secret(LOG, KeyType::Log));
    let renamed = renamed(&proof.checkpoint, "al/y");
    let rows: Vec<(&str, Vec<Checkpoint>, Vec<VerifyingKey>, &str)> = vec![
        (
            "a smaller pin",
            vec![Log::of(6).checkpoint()],
            vec![],
            &other,
        ),
        (
            "a larger pin",
            vec![Log::of(8).checkpoint()],
            vec![],
            &other,
        ),
        ("a pin of another log", vec![renamed], vec![], &other),
        (
            "unsigned",
            vec![proof.checkpoint.clone()],
            vec![key],
            unsigned,
        ),
    ];
    for (name, pins, keys, reason) in rows {
        let expected = Some((Code::InvalidCheckpoint, reason.to_owned()));
        assert_eq!(message(proof.check(&pins, &keys)), expected, "{name}");
    }
}

/// A way to change a proof, and why it no longer holds.
type Forgery = (&'static str, fn(&mut Proof), &'static str);

#[test]
fn proofs_that_do_not_hold() {
    const LEADS: &str = "the hashes do not lead from the event to the root of the checkpoint";
    fn of_one(proof: &mut Proof, body: Vec<u8>) {
        let tree = Tree::of([leaf_hash(&body)]);
        *proof = Proof {
            body,
            index: 0,
            hashes: vec![],
            checkpoint: Checkpoint::of(LOG, &tree),
        };
    }
    let rows: &[Forgery] = &[
        (
            "the event edited",
            |proof| proof.body = event("key_1", 4).to_bytes(),
            LEADS,
        ),
        ("one byte of it", |proof| proof.body[12] ^= 1, LEADS),
        ("no event", |proof| proof.body.clear(), LEADS),
        ("the index moved", |proof| proof.index = 5, LEADS),
        ("an index that is none", |proof| proof.index = 7, LEADS),
        (
            "event and index moved",
            |proof| {
                proof.body = event("local", 5).to_bytes();
                proof.index = 5;
            },
            LEADS,
        ),
        ("a hash edited", |proof| proof.hashes[0][0] ^= 1, LEADS),
        ("no hashes", |proof| proof.hashes.clear(), LEADS),
        (
            "a checkpoint of another size",
            |proof| proof.checkpoint = Log::of(6).checkpoint(),
            LEADS,
        ),
        (
            "a fork that does not hold the event",
            |proof| {
                proof.checkpoint = Log::forked(4, 7).checkpoint();
            },
            LEADS,
        ),
        (
            "no log at all",
            |proof| proof.checkpoint = Log::of(0).checkpoint(),
            LEADS,
        ),
        // These hashes lead to their root, and the event says that it stands elsewhere.
        (
            "another log",
            |proof| proof.checkpoint = renamed(&proof.checkpoint, "al/y"),
            "the event belongs to the log `al/01890a5d-ac96-774b-bcce-b302099a8057`",
        ),
        (
            "another place",
            |proof| of_one(proof, event("local", 4).to_bytes()),
            "the event was appended as event `4`",
        ),
        (
            "another document",
            |proof| of_one(proof, b"{}".to_vec()),
            "the event is not an `al.audit/v1` event: line 1, column 2",
        ),
    ];
    for (name, forge, reason) in rows {
        let mut proof = Log::of(7).prove(4);
        forge(&mut proof);
        let expected = CheckedProof {
            valid: false,
            event: None,
            checkpoint: (&proof.checkpoint).into(),
            trust: Trust::SelfOnly,
            signers: vec![],
        };
        let found = proof.check(&[], &[]).unwrap();
        assert_eq!(found, (expected, Some((*reason).to_owned())), "{name}");
    }
}

/// The proof of a fork holds, and is not of the log that was kept: one such pin is enough.
#[test]
fn proofs_of_a_fork() {
    let proof = Log::forked(5, 7).prove(4);
    let same = proof.checkpoint.clone();
    let kept = Log::of(7).checkpoint();
    for pins in [
        vec![kept.clone()],
        vec![same.clone(), kept.clone()],
        vec![kept, same],
    ] {
        let expected = CheckedProof {
            valid: false,
            event: Some(event("local", 4)),
            checkpoint: (&proof.checkpoint).into(),
            trust: Trust::SelfOnly,
            signers: vec![],
        };
        let reason = "the checkpoint of the proof is not the one that was kept: the log was forked";
        let found = proof.check(&pins, &[]).unwrap();
        assert_eq!(found, (expected, Some(reason.to_owned())));
    }
}

#[test]
fn what_a_witness_signs() {
    let key = secret("w.example/1", KeyType::Witness);
    let log_key = secret(LOG, KeyType::Log);
    // The size that the witness knows, that of the head, and whether it is signed and must be.
    let rows = [
        (None, 0, false),
        (None, 7, false),
        (None, 7, true),
        (Some(0), 0, false),
        (Some(0), 7, true),
        (Some(3), 7, false),
        (Some(4), 7, true),
        (Some(7), 7, true),
    ];
    for (known, size, is_signed) in rows {
        let known = known.map(|size| Log::of(size).checkpoint());
        let mut extension = Log::of(size).extend(known.as_ref().map_or(0, Checkpoint::size));
        let mut keys = vec![];
        if is_signed {
            extension.checkpoint = extension.checkpoint.signed(&log_key).unwrap();
            keys = vec![public(&log_key)];
        }
        let read = Extension::parse(extension.to_string().as_bytes()).unwrap();
        let (head, line) = read
            .cosign(known.as_ref(), &keys, &key, 1_700_000_000)
            .unwrap();
        let empty_line = if is_signed { "" } else { "\n" };
        assert_eq!(
            head.to_string(),
            format!("{}{empty_line}{line}", extension.checkpoint)
        );
        assert_eq!(head.signers(&[public(&key)]).unwrap(), [&public(&key)]);
        // `— NAME BASE64`, of the id, the time and the signature.
        let (name, signature) = line.strip_prefix("— ").unwrap().split_once(' ').unwrap();
        let signature = Base64::decode_vec(signature.trim_end()).unwrap();
        assert_eq!((name, signature.len()), ("w.example/1", 4 + 8 + 64));
        assert_eq!(signature[4..12], 1_700_000_000_u64.to_be_bytes());
    }
}

#[test]
fn what_a_witness_does_not_sign() {
    let witness = secret("w.example/1", KeyType::Witness);
    let log_key = secret(LOG, KeyType::Log);
    let keys = [public(&log_key)];
    let known = |size| Some(Log::of(size).checkpoint());
    let bare = |checkpoint: Checkpoint| Extension {
        old: checkpoint.size(),
        hashes: vec![],
        checkpoint,
    };
    let changed = |extension: Extension, change: fn(&mut Vec<Hash>)| {
        let mut extension = extension;
        change(&mut extension.hashes);
        extension
    };
    let grown = |old, size| {
        format!(
            "the checkpoint of {size} events does not extend the one of {old} events that the witness signed"
        )
    };
    let starts = |old, seen| {
        format!("the proof starts from {old} events, and the witness has seen {seen} of this log")
    };
    let tampered = Code::AuditTampered;
    let rows: Vec<(&str, Option<Checkpoint>, Extension, Code, String)> = vec![
        (
            "seen less",
            known(3),
            Log::of(7).extend(4),
            Code::StateChanged,
            starts(4, 3),
        ),
        (
            "seen more",
            known(5),
            Log::of(7).extend(4),
            Code::StateChanged,
            starts(4, 5),
        ),
        (
            "seen something",
            known(5),
            Log::of(7).extend(0),
            Code::StateChanged,
            starts(0, 5),
        ),
        (
            "seen nothing",
            None,
            Log::of(7).extend(4),
            Code::StateChanged,
            starts(4, 0),
        ),
        (
            "a proof from nothing",
            None,
            changed(Log::of(7).extend(0), |hashes| hashes.push([0; 32])),
            tampered,
            grown(0, 7),
        ),
        (
            "a proof from none",
            known(0),
            changed(Log::of(7).extend(0), |hashes| hashes.push([0; 32])),
            tampered,
            grown(0, 7),
        ),
        (
            "a fork",
            known(4),
            Log::forked(2, 7).extend(4),
            tampered,
            grown(4, 7),
        ),
        (
            "a fork of the same size",
            known(7),
            bare(Log::forked(2, 7).checkpoint()),
            tampered,
            grown(7, 7),
        ),
        (
            "no proof",
            known(4),
            changed(Log::of(7).extend(4), Vec::clear),
            tampered,
            grown(4, 7),
        ),
        (
            "a proof of no growth",
            known(7),
            changed(Log::of(7).extend(7), |hashes| hashes.push([0; 32])),
            tampered,
            grown(7, 7),
        ),
        (
            "an edited proof",
            known(4),
            changed(Log::of(7).extend(4), |hashes| hashes[0][31] ^= 1),
            tampered,
            grown(4, 7),
        ),
        (
            "cut short",
            known(7),
            Extension {
                old: 7,
                ..bare(Log::of(4).checkpoint())
            },
            tampered,
            grown(7, 4),
        ),
        (
            "another log",
            known(4).map(|known| renamed(&known, "al/y")),
            Log::of(7).extend(4),
            Code::InvalidCheckpoint,
            format!("the witness remembers the log `al/y` there, and this is `{LOG}`"),
        ),
    ];
    for (name, known, mut extension, code, reason) in rows {
        extension.checkpoint = extension.checkpoint.signed(&log_key).unwrap();
        for keys in [&[], &keys[..]] {
            let found = message(extension.cosign(known.as_ref(), keys, &witness, 5));
            assert_eq!(found, Some((code, reason.clone())), "{name}");
        }
    }
}

#[test]
fn whose_heads_a_witness_signs() {
    let witness = secret("w.example/1", KeyType::Witness);
    let log_key = secret(LOG, KeyType::Log);
    let unsigned = Log::of(7).extend(4);
    let signed = Extension {
        checkpoint: unsigned.checkpoint.clone().signed(&log_key).unwrap(),
        ..unsigned.clone()
    };
    let other_key = SigningKey::new(LOG, KeyType::Log, [8; 32]).unwrap();
    let other_log = secret("al/y", KeyType::Log);
    let missing = "the checkpoint is not signed by its log with a key that was given";
    let invalid = Code::InvalidCheckpoint;
    let rows = [
        (
            "unsigned",
            &unsigned,
            vec![&log_key],
            &witness,
            invalid,
            missing,
        ),
        (
            "another key",
            &signed,
            vec![&other_key],
            &witness,
            invalid,
            missing,
        ),
        (
            "another log's key",
            &signed,
            vec![&other_log],
            &witness,
            invalid,
            missing,
        ),
        (
            "the log's key as a witness",
            &signed,
            vec![&log_key],
            &log_key,
            Code::InvalidAuditKey,
            "the key is a log's, and does not sign as a witness",
        ),
    ];
    let known = Log::of(4).checkpoint();
    for (name, extension, keys, key, code, reason) in rows {
        let keys: Vec<_> = keys.into_iter().map(public).collect();
        let found = message(extension.cosign(Some(&known), &keys, key, 5));
        assert_eq!(found, Some((code, reason.to_owned())), "{name}");
    }
}

/// What a witness remembers, it can read again.
#[test]
fn a_head_full_of_signatures_stays_one() {
    let witness = secret("w.example/1", KeyType::Witness);
    let foreign = format!("— else {}\n", Base64::encode_string(b"idididid"));
    let too_many = "the checkpoint has more than 64 signatures".to_owned();
    let too_many = Some((Code::InvalidCheckpoint, too_many));
    for (signatures, refused) in [(1, None), (63, None), (64, too_many)] {
        let text = format!(
            "{}\n{}",
            Log::of(7).checkpoint(),
            foreign.repeat(signatures)
        );
        let extension = Extension {
            checkpoint: Checkpoint::parse(text.as_bytes()).unwrap(),
            ..Log::of(7).extend(0)
        };
        let cosigned = extension.cosign(None, &[], &witness, 5);
        let read = cosigned.map(|(head, _)| {
            let read = Checkpoint::parse(head.to_string().as_bytes());
            assert_eq!(read.ok(), Some(head), "{signatures}");
        });
        assert_eq!(message(read), refused, "{signatures}");
    }
}
