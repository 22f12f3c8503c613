//! The texts that are kept and handed on: whom a checkpoint is trusted for, and one spelling for every value.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::type_complexity,
    clippy::too_many_lines,
    reason = "a test may fail loudly, and tables are long"
)]

use base64ct::{Base64, Encoding};
use lattice_core::audit::{
    Checkpoint, Extension, KeyType, Proof, SigningKey, Tree, VerifyingKey, leaf_hash,
};
use lattice_core::error::{Code, Error};
use lattice_core::view::Trust;
use proptest::prelude::*;

fn secret(name: &str, key_type: KeyType, seed: u8) -> SigningKey {
    SigningKey::new(name, key_type, [seed; 32]).unwrap()
}

fn public(name: &str, key_type: KeyType, seed: u8) -> VerifyingKey {
    secret(name, key_type, seed).verifying_key().clone()
}

fn checkpoint(text: &str) -> Checkpoint {
    Checkpoint::parse(text.as_bytes()).unwrap()
}

/// The empty log `al/x`.
fn empty() -> Checkpoint {
    Checkpoint::of("al/x", &Tree::new())
}

/// The line of a log under its empty checkpoint.
fn signature(log: &SigningKey) -> String {
    let empty = Checkpoint::of(log.verifying_key().name(), &Tree::new());
    let signed = empty.clone().signed(log).unwrap().to_string();
    signed.replacen(&format!("{empty}\n"), "", 1)
}

/// The line of a witness under the empty log `al/x`.
fn cosignature(witness: &SigningKey) -> String {
    let extension = Extension {
        old: 0,
        hashes: vec![],
        checkpoint: empty(),
    };
    extension.cosign(None, &[], witness, 5).unwrap().1
}

#[test]
fn whom_a_checkpoint_is_trusted_for() {
    let log = public("al/x", KeyType::Log, 7);
    let next_log = public("al/x", KeyType::Log, 9);
    let other_log = public("al/y", KeyType::Log, 7);
    let witness = public("w.example/1", KeyType::Witness, 8);
    let silent = public("w.example/2", KeyType::Witness, 8);
    let by_log = &signature(&secret("al/x", KeyType::Log, 7));
    let by_other_log = &signature(&secret("al/y", KeyType::Log, 7));
    let by_witness = &cosignature(&secret("w.example/1", KeyType::Witness, 8));
    let foreign = Base64::encode_string(b"\x01\x02\x03\x04 a signature of some other kind");
    let foreign = format!("— example.com/else {foreign}\n");
    let log_missing = "the checkpoint is not signed by its log with a key that was given";
    let witness_missing = "the checkpoint is not signed by a witness with a key that was given";
    let forged = "the signature of `al/y` under the checkpoint is not of its key";
    let both = &format!("{by_log}{by_witness}");
    let unknown = &format!("{foreign}{by_log}{by_other_log}");
    let (twice, many) = (
        &by_log.repeat(2),
        &format!("{}{by_log}", foreign.repeat(63)),
    );
    let forged_beside = &format!("{by_log}{by_other_log}");
    let (pinned, signed, witnessed) = (Trust::Pinned, Trust::Signed, Trust::Witnessed);
    // The signatures, the keys, and what they give.
    let rows: Vec<(
        &str,
        &str,
        Vec<&VerifyingKey>,
        Result<(Trust, Vec<&str>), &str>,
    )> = vec![
        ("no key, unsigned", "", vec![], Ok((pinned, vec![]))),
        ("no key, signed", both, vec![], Ok((pinned, vec![]))),
        ("the log", by_log, vec![&log], Ok((signed, vec!["al/x"]))),
        (
            "an old key and the new one",
            by_log,
            vec![&next_log, &log],
            Ok((signed, vec!["al/x"])),
        ),
        (
            "the witness",
            by_witness,
            vec![&witness],
            Ok((witnessed, vec!["w.example/1"])),
        ),
        (
            "one of two witnesses",
            by_witness,
            vec![&silent, &witness],
            Ok((witnessed, vec!["w.example/1"])),
        ),
        (
            "both",
            both,
            vec![&witness, &log],
            Ok((witnessed, vec!["al/x", "w.example/1"])),
        ),
        (
            "only one is asked for",
            both,
            vec![&log],
            Ok((signed, vec!["al/x"])),
        ),
        (
            "the log alone",
            by_log,
            vec![&log, &witness],
            Err(witness_missing),
        ),
        (
            "the witness alone",
            by_witness,
            vec![&log, &witness],
            Err(log_missing),
        ),
        ("unsigned", "", vec![&log], Err(log_missing)),
        (
            "unsigned, of a witness",
            "",
            vec![&witness],
            Err(witness_missing),
        ),
        (
            "another key of that name",
            by_log,
            vec![&next_log],
            Err(log_missing),
        ),
        (
            "another witness",
            by_witness,
            vec![&silent],
            Err(witness_missing),
        ),
        (
            "another log's key",
            by_log,
            vec![&other_log],
            Err(log_missing),
        ),
        (
            "another log's key, which did not sign this",
            by_other_log,
            vec![&other_log],
            Err(forged),
        ),
        (
            "a good one beside it",
            forged_beside,
            vec![&log, &other_log],
            Err(forged),
        ),
        (
            "unknown ones",
            unknown,
            vec![&log],
            Ok((signed, vec!["al/x"])),
        ),
        ("unknown ones alone", &foreign, vec![&log], Err(log_missing)),
        ("twice", twice, vec![&log], Ok((signed, vec!["al/x"]))),
        (
            "the key twice",
            by_log,
            vec![&log, &log],
            Ok((signed, vec!["al/x"])),
        ),
        (
            "64 signatures",
            many,
            vec![&log],
            Ok((signed, vec!["al/x"])),
        ),
    ];
    for (name, lines, keys, expected) in rows {
        let empty_line = if lines.is_empty() { "" } else { "\n" };
        let checkpoint = checkpoint(&format!("{}{empty_line}{lines}", empty()));
        let keys: Vec<_> = keys.into_iter().cloned().collect();
        let found = checkpoint.trust(&keys);
        let found = found
            .as_ref()
            .map(|(trust, signers)| (*trust, signers.iter().map(String::as_str).collect()));
        let found = found.map_err(|error| {
            assert_eq!(error.code(), Code::InvalidCheckpoint, "{name}");
            error.message()
        });
        assert_eq!(found, expected, "{name}");
    }
}

fn message<T>(result: Result<T, Error>) -> Option<(Code, String)> {
    let error = result.err()?;
    Some((error.code(), error.message().to_owned()))
}

/// Reads a text, and says why not.
type Read = fn(&[u8]) -> Option<(Code, String)>;

#[test]
fn malformed_proofs_are_refused() {
    let hash = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";
    let head = empty();
    let (begin, index) = ("c2sp.org/tlog-proof@v1\n", "extra e30=\nindex 3\n");
    let proof: Read = |text| message(Proof::parse(text));
    let extension: Read = |text| message(Extension::parse(text));
    let rows: Vec<(Read, String, &str)> = vec![
        (
            proof,
            String::new(),
            "has no checkpoint behind an empty line",
        ),
        (
            proof,
            format!("{begin}{index}{hash}"),
            "has no checkpoint behind an empty line",
        ),
        (
            proof,
            format!("{index}\n{head}"),
            "does not begin with `c2sp.org/tlog-proof@v1`",
        ),
        (
            proof,
            format!("c2sp.org/tlog-proof@v2\n{index}\n{head}"),
            "does not begin with `c2sp.org/tlog-proof@v1`",
        ),
        (
            proof,
            format!("{begin}index 3\n\n{head}"),
            "has no event on its second line",
        ),
        (
            proof,
            format!("{begin}extra e30\nindex 3\n\n{head}"),
            "has no event on its second line",
        ),
        (
            proof,
            format!("{begin}extra e30=\n\n{head}"),
            "has no index on its third line",
        ),
        (
            proof,
            format!("{begin}extra e30=\nindex 03\n\n{head}"),
            "has no index on its third line",
        ),
        (
            proof,
            format!("{begin}extra e30=\nindex -1\n\n{head}"),
            "has no index on its third line",
        ),
        (
            proof,
            format!("{begin}{index}AQE=\n\n{head}"),
            "has a line that is no hash",
        ),
        (
            proof,
            format!("{begin}{index}{}\n{head}", hash.repeat(65)),
            "has more hashes than any log has levels",
        ),
        (proof, "x".repeat(1024 * 1024 + 1), "is longer than 1 MiB"),
        (
            extension,
            "old 3\n".to_owned(),
            "has no checkpoint behind an empty line",
        ),
        (
            extension,
            format!("new 3\n\n{head}"),
            "does not begin with `old` and a number of events",
        ),
        (
            extension,
            format!("old 03\n\n{head}"),
            "does not begin with `old` and a number of events",
        ),
        (
            extension,
            format!("old 3\n{}\n\n{head}", hash.trim_end().replace('=', "")),
            "has a line that is no hash",
        ),
        (
            extension,
            format!("old 3\n{}\n{head}", hash.repeat(64)),
            "has more hashes than any log has levels",
        ),
        (
            extension,
            "x".repeat(1024 * 1024 + 1),
            "is longer than 1 MiB",
        ),
    ];
    for (read, text, reason) in rows {
        let expected = Some((Code::InvalidCheckpoint, format!("the proof {reason}")));
        assert_eq!(read(text.as_bytes()), expected, "{text:.200}");
    }
    for read in [proof, extension] {
        let expected = (Code::InvalidCheckpoint, "the proof is not UTF-8".to_owned());
        assert_eq!(read(b"\xff"), Some(expected));
    }
    let bad_head = "the checkpoint does not end in a newline".to_owned();
    let expected = Some((Code::InvalidCheckpoint, bad_head));
    assert_eq!(proof(format!("{begin}{index}\nal/x").as_bytes()), expected);
    assert_eq!(extension(b"old 3\n\nal/x"), expected);
}

fn any_name() -> impl Strategy<Value = String> {
    "[a-zé/.—]{1,12}"
}

fn any_checkpoint() -> impl Strategy<Value = Checkpoint> {
    let names = prop::collection::vec((any_name(), any::<[u8; 32]>(), 1_u64..1 << 63), 0..4);
    (any_name(), any::<bool>(), 0_u8..20, names).prop_map(|(origin, is_signed, size, witnesses)| {
        let head = Checkpoint::of(&origin, &Tree::of((0..size).map(|leaf| leaf_hash(&[leaf]))));
        let log = SigningKey::new(&origin, KeyType::Log, [size; 32]).unwrap();
        let signed = if is_signed {
            head.signed(&log).unwrap()
        } else {
            head
        };
        witnesses
            .into_iter()
            .fold(signed, |checkpoint, (name, seed, time)| {
                let witness = SigningKey::new(&name, KeyType::Witness, seed).unwrap();
                let extension = Extension {
                    old: 0,
                    hashes: vec![],
                    checkpoint,
                };
                extension.cosign(None, &[], &witness, time).unwrap().0
            })
    })
}

fn any_proof() -> impl Strategy<Value = Proof> {
    let body = prop::collection::vec(any::<u8>(), 0..80);
    let hashes = prop::collection::vec(any::<[u8; 32]>(), 0..6);
    (body, 0..1_u64 << 53, hashes, any_checkpoint()).prop_map(
        |(body, index, hashes, checkpoint)| Proof {
            body,
            index,
            hashes,
            checkpoint,
        },
    )
}

fn any_extension() -> impl Strategy<Value = Extension> {
    any_proof().prop_map(|proof| Extension {
        old: proof.index,
        hashes: proof.hashes,
        checkpoint: proof.checkpoint,
    })
}

/// Whether what can be read of the bytes is written as they are.
fn has_one_spelling(bytes: &[u8]) -> bool {
    let is_same = |text: String| text.as_bytes() == bytes;
    Checkpoint::parse(bytes).map_or(true, |read| is_same(read.to_string()))
        && Proof::parse(bytes).map_or(true, |read| is_same(read.to_string()))
        && Extension::parse(bytes).map_or(true, |read| is_same(read.to_string()))
        && std::str::from_utf8(bytes).map_or(true, |text| {
            let secret = text.trim_end_matches(['\r', '\n']);
            VerifyingKey::parse(text).map_or(true, |read| read.to_string() == text)
                // A file of a key may end as its editor likes.
                && SigningKey::parse(text).map_or(true, |read| read.to_text().trim_end() == secret)
        })
}

/// The bytes with one stretch replaced by another.
fn any_edit(text: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    let edit = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..3),
        "[\n =+—0-9A-Za-z]{0,3}".prop_map(String::into_bytes),
    ];
    (text, any::<prop::sample::Index>(), 0..3_usize, edit).prop_map(|(text, at, gone, edit)| {
        let mut bytes = text.into_bytes();
        let from = at.index(bytes.len());
        let to = (from + gone).min(bytes.len());
        bytes.splice(from..to, edit);
        bytes
    })
}

fn any_text() -> impl Strategy<Value = String> {
    let secret = |key_type| {
        (any_name(), any::<[u8; 32]>())
            .prop_map(move |(name, seed)| SigningKey::new(&name, key_type, seed).unwrap())
    };
    prop_oneof![
        any_checkpoint().prop_map(|checkpoint| checkpoint.to_string()),
        any_proof().prop_map(|proof| proof.to_string()),
        any_extension().prop_map(|extension| extension.to_string()),
        secret(KeyType::Log).prop_map(|key| key.verifying_key().to_string()),
        secret(KeyType::Witness).prop_map(|key| key.to_text()),
    ]
}

proptest! {
    #[test]
    fn texts_round_trip(
        checkpoint in any_checkpoint(), proof in any_proof(), extension in any_extension(),
        name in any_name(), seed in any::<[u8; 32]>(), is_log in any::<bool>(),
    ) {
        prop_assert_eq!(&Checkpoint::parse(checkpoint.to_string().as_bytes()).unwrap(), &checkpoint);
        prop_assert_eq!(Proof::parse(proof.to_string().as_bytes()).unwrap(), proof);
        prop_assert_eq!(Extension::parse(extension.to_string().as_bytes()).unwrap(), extension);
        let key_type = if is_log { KeyType::Log } else { KeyType::Witness };
        let secret = SigningKey::new(&name, key_type, seed).unwrap();
        let public = secret.verifying_key();
        prop_assert_eq!(&VerifyingKey::parse(&public.to_string()).unwrap(), public);
        for text in [secret.to_text(), secret.to_text().replace('\n', "\r\n"), secret.to_text().replace('\n', "")] {
            let read = SigningKey::parse(&text).unwrap();
            prop_assert_eq!((read.to_text(), read.verifying_key()), (secret.to_text(), public));
        }
    }

    #[test]
    fn no_text_has_two_spellings(edited in any_edit(any_text()), bytes in prop::collection::vec(any::<u8>(), 0..90)) {
        prop_assert!(has_one_spelling(&edited), "{}", String::from_utf8_lossy(&edited));
        prop_assert!(has_one_spelling(&bytes));
    }

    /// An edit of the three lines breaks the signature, whatever it makes of them.
    #[test]
    fn no_edit_keeps_the_signature(edited in any_edit(Just(empty().to_string()))) {
        let log = secret("al/x", KeyType::Log, 7);
        let edited = [&edited, "\n".as_bytes(), signature(&log).as_bytes()].concat();
        if let Ok(edited) = Checkpoint::parse(&edited) {
            prop_assert_eq!(edited.trust(&[log.verifying_key().clone()]).is_ok(), edited.body() == empty().body());
        }
    }
}
