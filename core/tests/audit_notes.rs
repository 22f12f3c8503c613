//! Keys, signatures and checkpoints against public vectors and what is no key, no signature and no checkpoint.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test may fail loudly, and tables are long"
)]

use base64ct::{Base64, Encoding};
use lattice_core::audit::{Checkpoint, Extension, KeyType, SigningKey, Tree, VerifyingKey};
use lattice_core::error::{Code, Error};
use lattice_core::hash::{hex, parse_hex, sha256};

// golang/mod, `sumdb/note/note_test.go`.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";

/// C2SP `signed-note.md`.
const FOO: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

/// The checksum database of Go, and three of its tree heads; the last one is the example of C2SP `tlog-cosignature.md`
/// with the name of its real log.
const SUM: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
const SUM_HEADS: [&str; 3] = [
    "go.sum database tree\n7494163\noOF65d3/MJZ5c1hjrktwPzGAPxhg7myKELBEqBK4gm8=\n\n— sum.golang.org Az3grmCvlocGJUpU2KWCCTzTMGZ/B+qyaGxoesMGbruKmiHiVax9N/UqyJ9gkALuSDZyKI2J9hu2DMUnd37LcSbmkwg=\n",
    "go.sum database tree\n7797325\n3B75PrlHOu76bf9kJUniWb4/d2xLX7oJCkCm0URIB50=\n\n— sum.golang.org Az3grvS7Ch4euazi+BB2bRhhpVmffiefMwk797VmmVbpvFGI9SRLKruR635hVEE2YS4QvqIzmuOjmYP1tkhFEdzI8QE=\n",
    "go.sum database tree\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— sum.golang.org Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n",
];

/// The keys of the C2SP CCTV Ed25519 vectors, and whether their order is small: then anybody can sign with them. The
/// others are some multiple of a good key beside a small part, which strict verification does not let pass.
const EDGES: [(&str, bool); 22] = [
    (
        "0000000000000000000000000000000000000000000000000000000000000000",
        true,
    ),
    (
        "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f",
        false,
    ),
    (
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        true,
    ),
    (
        "0000000000000000000000000000000000000000000000000000000000000080",
        true,
    ),
    (
        "dd1483c5304d412c1f29547640a5c2950222ee8931b7ed1c72602b7afa7024e0",
        false,
    ),
    (
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        true,
    ),
    (
        "0100000000000000000000000000000000000000000000000000000000000000",
        true,
    ),
    (
        "ef75b20e7540e3dff77404193652ba2bd13df99c1508eee1515e27ae25f28076",
        false,
    ),
    (
        "0100000000000000000000000000000000000000000000000000000000000080",
        true,
    ),
    (
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        true,
    ),
    (
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        true,
    ),
    (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        true,
    ),
    (
        "6718d0a3d58deaeaefa655eae3f119071deaa2cfebfd0ca28b670f879d657086",
        false,
    ),
    (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        true,
    ),
    (
        "eca00a6a1b1f522ff2217691059915b097b73bc69bef396c36ddcd559b79e2b0",
        false,
    ),
    (
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        true,
    ),
    (
        "015ff595e4e0add00dde896efa66ea4f6848c4396410c693c92232aa64861d4f",
        false,
    ),
    (
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        true,
    ),
    (
        "86e72f5c2a7215151059aa151c0ee6f8e2155d301402f35d7498f078629a8f79",
        false,
    ),
    (
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        true,
    ),
    (
        "fe894df18abf1c20088bfbe6c9ad45d42ec20663eaf7111eaea1d851da0d7f89",
        false,
    ),
    (
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        true,
    ),
];

fn key(text: &str) -> VerifyingKey {
    VerifyingKey::parse(text).unwrap()
}

fn secret(name: &str, key_type: KeyType, seed: u8) -> SigningKey {
    SigningKey::new(name, key_type, [seed; 32]).unwrap()
}

/// The key `NAME+ID+KEY` with the right id, whatever the key is.
fn key_text(name: &str, typed_key: &[u8]) -> String {
    let id = sha256(&[name.as_bytes(), b"\n", typed_key].concat());
    format!(
        "{name}+{}+{}",
        hex(&id[..4]),
        Base64::encode_string(typed_key)
    )
}

fn checkpoint(text: &str) -> Checkpoint {
    Checkpoint::parse(text.as_bytes()).unwrap()
}

/// The empty log `al/x`.
fn empty() -> Checkpoint {
    Checkpoint::of("al/x", &Tree::new())
}

fn cosigned(checkpoint: &Checkpoint, witness: &SigningKey, time: u64) -> String {
    let extension = Extension {
        old: 0,
        hashes: vec![],
        checkpoint: checkpoint.clone(),
    };
    extension.cosign(None, &[], witness, time).unwrap().1
}

fn message<T>(result: Result<T, Error>) -> Option<(Code, String)> {
    let error = result.err()?;
    Some((error.code(), error.message().to_owned()))
}

#[test]
fn public_keys() {
    let rows = [
        (PETER, "PeterNeumann"),
        (ENOCH, "EnochRoot"),
        (FOO, "example.com/foo"),
        (SUM, "sum.golang.org"),
    ];
    for (text, name) in rows {
        let key = key(text);
        assert_eq!(
            (key.name(), key.key_type(), key.to_string()),
            (name, KeyType::Log, text.to_owned())
        );
    }
    let peter = SigningKey::parse(PETER_SECRET).unwrap();
    assert_eq!(peter.verifying_key(), &key(PETER));
    assert_eq!(peter.to_text(), format!("{PETER_SECRET}\n"));
    assert_eq!(
        format!("{peter:?}"),
        format!("SigningKey(VerifyingKey({PETER}))")
    );
}

/// Every part of a key, and every key with one byte one higher.
fn manglings(text: &'static str) -> impl Iterator<Item = String> {
    let parts = (0..=text.len()).flat_map(|from| (from..=text.len()).map(move |to| from..to));
    let parts = parts.filter(|part| part.len() < text.len());
    let bumped = (0..text.len()).map(|at| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] += 1;
        String::from_utf8(bytes).unwrap()
    });
    parts.map(|part| text[part].to_owned()).chain(bumped)
}

#[test]
fn mangled_keys_are_refused() {
    for text in manglings(PETER) {
        let code = VerifyingKey::parse(&text).map_err(|error| error.code());
        assert_eq!(code, Err(Code::InvalidAuditKey), "{text}");
    }
    for text in manglings(PETER_SECRET) {
        let refused = message(SigningKey::parse(&text));
        let expected = (
            Code::InvalidAuditKey,
            "the signing key is not one".to_owned(),
        );
        assert_eq!(refused, Some(expected), "{text}");
    }
    // Any point beyond the prime, and any number that is no point.
    let mut beyond = [0xff; 33];
    (beyond[0], beyond[1], beyond[32]) = (1, 0xf0, 0x7f);
    let mut no_point = [0; 33];
    (no_point[0], no_point[1]) = (1, 2);
    let rows = [
        (
            "PeterNeumann".to_owned(),
            "is not of the form `NAME+ID+KEY`",
        ),
        (
            "PeterNeumann+c74f20a3".to_owned(),
            "is not of the form `NAME+ID+KEY`",
        ),
        ("PeterNeumann+c74f20a3+".to_owned(), "holds no key"),
        (
            "PeterNeumann+c74f20a3+A".to_owned(),
            "does not end in base64",
        ),
        (
            PETER.replace("c74f20a3", "C74F20A3"),
            "has an id that is not its own",
        ),
        (
            PETER.replace("Peter", "Paula"),
            "has an id that is not its own",
        ),
        (format!("{PETER}\n"), "does not end in base64"),
        // The two bad keys of the Go tests.
        (
            "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==".to_owned(),
            "does not end in base64",
        ),
        (
            "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".to_owned(),
            "is for another algorithm than Ed25519",
        ),
        (
            key_text("al/x", &[6; 33]),
            "is for another algorithm than Ed25519",
        ),
        (key_text("al/x", &[1; 32]), "is not 32 bytes long"),
        (key_text("al/x", &beyond), "is no Ed25519 key"),
        (key_text("al/x", &no_point), "is no Ed25519 key"),
    ];
    for (text, reason) in rows {
        let expected = (
            Code::InvalidAuditKey,
            format!("the verification key {reason}"),
        );
        assert_eq!(
            message(VerifyingKey::parse(&text)),
            Some(expected),
            "{text}"
        );
    }
    for name in [
        "",
        "a b",
        "a\u{a0}b",
        "a\u{2003}b",
        "a\nb",
        "a\tb",
        "a\u{7f}b",
        "a+b",
    ] {
        let reason = "the name of a key is empty, or holds a space, a `+` or a control character";
        let expected = Some((Code::InvalidAuditKey, reason.to_owned()));
        assert_eq!(
            message(SigningKey::new(name, KeyType::Log, [7; 32])),
            expected,
            "{name:?}"
        );
        let typed_key = Base64::decode_vec(PETER.rsplit('+').next().unwrap()).unwrap();
        assert!(
            VerifyingKey::parse(&key_text(name, &typed_key)).is_err(),
            "{name:?}"
        );
    }
}

#[test]
fn keys_that_anybody_could_sign_with_are_refused() {
    for (point, is_small) in EDGES {
        for key_type in [1, 4] {
            let point = parse_hex(point).unwrap();
            let text = key_text("al/x", &[&[key_type], &point[..]].concat());
            let read = VerifyingKey::parse(&text).map(|key| key.to_string());
            let refused = (
                Code::InvalidAuditKey,
                "the verification key is no Ed25519 key".to_owned(),
            );
            if is_small {
                assert_eq!(message(read), Some(refused), "{text}");
            } else {
                assert_eq!(read.ok(), Some(text));
            }
        }
    }
}

// The seed of sevens over the empty log `al/x`, and that of eights as its witness, by another implementation.
const SEVENS: &str = "al/x+06a7bfca+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";
const EIGHTS: &str = "w.example/1+2dd37750+BBOY9ixtGkV8UbpqS189vS9p/KkyFiGNyJl+QWvRfZPK";
const SIGNED: &str = "— al/x Bqe/yj2K6dd357w6/D8s9cG+b+RfHqBHfwj6HhnPm86RHes0SoToaWucqJbCHFa2qWEe9tRYJ9i52pf95JrHdAuY+AU=\n";
const COSIGNED: &str = "— w.example/1 LdN3UAAAAABlU/EAMHzBxHutXTeEyUjWOMUwyirVw5RkyOOBZsCUyQppR2JRL+IGOsHvv2lIYHrdAif6+V+vI4Tjfqrx0TxjH2bnAQ==\n";

#[test]
fn signatures_are_those_of_another_implementation() {
    let (log, witness) = (
        secret("al/x", KeyType::Log, 7),
        secret("w.example/1", KeyType::Witness, 8),
    );
    assert_eq!(log.verifying_key(), &key(SEVENS));
    assert_eq!(witness.verifying_key(), &key(EIGHTS));
    let signed = empty().signed(&log).unwrap();
    assert_eq!(signed.to_string(), format!("{}\n{SIGNED}", empty()));
    assert_eq!(cosigned(&signed, &witness, 1_700_000_000), COSIGNED);
    let both = checkpoint(&format!("{signed}{COSIGNED}"));
    assert_eq!(
        both.signers(&[key(EIGHTS), key(SEVENS)]).unwrap(),
        [&key(SEVENS), &key(EIGHTS)]
    );
}

#[test]
fn real_tree_heads_verify() {
    let sum = key(SUM);
    for text in SUM_HEADS {
        let head = checkpoint(text);
        assert_eq!(head.to_string(), text);
        assert_eq!(head.signers(&[key(PETER), sum.clone()]).unwrap(), [&sum]);
        // Its name is not that of its log: it verifies, and does not speak for the log.
        let reason = "the checkpoint is not signed by its log with a key that was given";
        let expected = Some((Code::InvalidCheckpoint, reason.to_owned()));
        assert_eq!(message(head.trust(std::slice::from_ref(&sum))), expected);
        // The example as it is printed in `tlog-checkpoint.md` does not verify.
        let moved = text.replace("go.sum database tree", "example.com/behind-the-sofa");
        let reason = "the signature of `sum.golang.org` under the checkpoint is not of its key";
        let expected = Some((Code::InvalidCheckpoint, reason.to_owned()));
        assert_eq!(
            message(checkpoint(&moved).signers(std::slice::from_ref(&sum))),
            expected
        );
    }
}

#[test]
fn forged_signatures_are_refused() {
    let rows = [
        // Predictable ones: a point of small order for `R`, in either spelling, which plain verification takes.
        "Bqe/ygEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXxbpXM8WbpCXR2xfwxdmS/U0IrHMO16LpL5p7gRuWgs=",
        "Bqe/yu7///////////////////////////////////////9/z2GLCl1KeFlFXqJ53Q3iJTy2npYw9GGkHuBFlg5C5Qk=",
        // The good one with the group's order added to `S`.
        "Bqe/yj2K6dd357w6/D8s9cG+b+RfHqBHfwj6HhnPm86RHes0N1jexoX/uu6YuU1ZiFv9CtVYJ9i52pf95JrHdAuY+BU=",
        // One byte, and a byte too many.
        "Bqe/ygA=",
        "Bqe/yj2K6dd357w6/D8s9cG+b+RfHqBHfwj6HhnPm86RHes0SoToaWucqJbCHFa2qWEe9tRYJ9i52pf95JrHdAuY+AUA",
    ];
    let reason = "the signature of `al/x` under the checkpoint is not of its key";
    let expected = Some((Code::InvalidCheckpoint, reason.to_owned()));
    for row in rows {
        let forged = checkpoint(&format!("{}\n— al/x {row}\n", empty()));
        assert_eq!(message(forged.signers(&[key(SEVENS)])), expected, "{row}");
        // Beside a good one, too.
        let forged = checkpoint(&format!("{}\n{SIGNED}— al/x {row}\n", empty()));
        assert_eq!(message(forged.signers(&[key(SEVENS)])), expected, "{row}");
    }
}

const NO_SIGNATURE: &str = "has a line below the empty one that is no signature";
const NO_SIZE: &str = "has no number of events on its second line";
const NO_ROOT: &str = "has no root on its third line";

#[test]
fn malformed_checkpoints_are_refused() {
    let body = empty().to_string();
    let ones = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let rows: Vec<(String, &str)> = vec![
        // Those of the Go tests.
        (format!("{body}\n"), "does not end in a newline"),
        (
            format!("{body}\n{}", SIGNED.trim_end()),
            "does not end in a newline",
        ),
        (
            format!("\u{1}{body}\n{SIGNED}"),
            "holds a control character",
        ),
        (format!("{body}\n— Bad Name Bqe/ygA=\n"), NO_SIGNATURE),
        (format!("{body}\n{SIGNED}Unexpected line.\n"), NO_SIGNATURE),
        // Signature lines.
        (format!("{body}\n\n{SIGNED}"), NO_SIGNATURE),
        (format!("{body}\n{SIGNED}\n"), NO_SIGNATURE),
        (format!("{body}\n{SIGNED}\n{SIGNED}"), NO_SIGNATURE),
        (format!("{body}\n- al/x Bqe/ygA=\n"), NO_SIGNATURE),
        (format!("{body}\n— a+b Bqe/ygA=\n"), NO_SIGNATURE),
        (format!("{body}\n—  Bqe/ygA=\n"), NO_SIGNATURE),
        (format!("{body}\n— al/x Bqe/ygA\n"), NO_SIGNATURE),
        (format!("{body}\n— al/x Bqe/ygB=\n"), NO_SIGNATURE),
        (format!("{body}\n— al/x Bqe/yg==\n"), NO_SIGNATURE),
        (format!("{body}\n— al/x Bqe/ygA= \n"), NO_SIGNATURE),
        (
            format!("{body}\n{}", SIGNED.repeat(65)),
            "has more than 64 signatures",
        ),
        // Bodies.
        (String::new(), "does not end in a newline"),
        (body.trim_end().to_owned(), "does not end in a newline"),
        (body.replace('\n', "\r\n"), "holds a control character"),
        (format!("{body}extension\n"), "is not of three lines"),
        ("al/x\n0\n".to_owned(), "is not of three lines"),
        (format!("\n1\n{ones}\n"), "does not name its log"),
        (format!("al/x\n01\n{ones}\n"), NO_SIZE),
        (format!("al/x\n+1\n{ones}\n"), NO_SIZE),
        (format!("al/x\n9007199254740992\n{ones}\n"), NO_SIZE),
        (format!("al/x\n1\n{}\n", ones.replace('=', "")), NO_ROOT),
        (
            format!("al/x\n1\n{}\n", ones.replace("QE=", "QF=")),
            NO_ROOT,
        ),
        (format!("al/x\n1\n{ones} \n"), NO_ROOT),
        ("al/x\n1\nAQE=\n".to_owned(), NO_ROOT),
        (
            format!("al/x\n0\n{ones}\n"),
            "has no event, and the root of some",
        ),
        (
            format!("{}\n1\n{ones}\n", "x".repeat(256 * 1024)),
            "is longer than 256 KiB",
        ),
    ];
    for (text, reason) in rows {
        let expected = Some((Code::InvalidCheckpoint, format!("the checkpoint {reason}")));
        assert_eq!(
            message(Checkpoint::parse(text.as_bytes())),
            expected,
            "{text:.400}"
        );
    }
    let bytes = [b"\xff", body.as_bytes()].concat();
    let expected = (
        Code::InvalidCheckpoint,
        "the checkpoint is not UTF-8".to_owned(),
    );
    assert_eq!(message(Checkpoint::parse(&bytes)), Some(expected));
}

#[test]
fn who_may_sign() {
    let rows = [
        (
            secret("al/y", KeyType::Log, 7),
            "the signing key is of the log `al/y`, and this is `al/x`",
        ),
        (
            secret("al/x", KeyType::Witness, 7),
            "the key `al/x` is a witness's, and does not sign for a log",
        ),
    ];
    for (key, reason) in rows {
        let expected = Some((Code::InvalidAuditKey, reason.to_owned()));
        assert_eq!(message(empty().signed(&key)), expected);
    }
}

/// The same 32 bytes serve both types as different keys, and neither passes for the other.
#[test]
fn signatures_are_of_one_type() {
    let (log, witness) = (
        secret("al/x", KeyType::Log, 7),
        secret("al/x", KeyType::Witness, 7),
    );
    let signed = empty().signed(&log).unwrap();
    let keys = [witness.verifying_key().clone()];
    assert_eq!(signed.signers(&keys).unwrap(), Vec::<&VerifyingKey>::new());
    let line = cosigned(&empty(), &witness, 5);
    let both = checkpoint(&format!("{signed}{line}"));
    assert_eq!(both.signers(&keys).unwrap(), [&keys[0]]);
    // The time is signed, and stays below 2^63.
    let bytes = Base64::decode_vec(line.trim_end().rsplit(' ').next().unwrap()).unwrap();
    for (at, flip) in [(4, 0x80), (11, 1), (12, 1), (75, 1)] {
        let mut bytes = bytes.clone();
        bytes[at] ^= flip;
        let line = format!("— al/x {}\n", Base64::encode_string(&bytes));
        let edited = checkpoint(&format!("{signed}{line}"));
        let code = edited.signers(&keys).map_err(|error| error.code());
        assert_eq!(code, Err(Code::InvalidCheckpoint), "{at}");
    }
    for time in [0, 1 << 63, u64::MAX] {
        let extension = Extension {
            old: 0,
            hashes: vec![],
            checkpoint: empty(),
        };
        let refused = extension.cosign(None, &[], &witness, time);
        assert_eq!(refused.map_err(|error| error.code()), Err(Code::Usage));
    }
}
