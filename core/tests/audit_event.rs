//! The bytes of audit events: golden leaves, one spelling each, and everything else refused.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use lattice_core::audit::{Checkpoint, Event, ImportEvent, Kind, Names};
use lattice_core::hash::{hex, sha256};
use lattice_core::time::format_time;
use proptest::prelude::*;

const WORKSPACE: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

const IMPORT: &str = concat!(
    r#"{"actor":"key_1","added":2,"#,
    r#""after":"0202020202020202020202020202020202020202020202020202020202020202","#,
    r#""before":"0101010101010101010101010101010101010101010101010101010101010101","#,
    r#""changes":"68af79d1051ed1dcbd50fe04b33114c5e1843d7a70ebd973a2d91cfd770fcbbb","#,
    r#""deleted":0,"from":null,"kind":"import","log":"al/01890a5d-ac96-774b-bcce-b302099a8057","#,
    r#""manifest_sha256":"0303030303030303030303030303030303030303030303030303030303030303","#,
    r#""manifest_version":"1.0","modified":1,"rendered_sha256":null,"replace":false,"#,
    r#""seq":1,"time":"2026-04-01T10:30:00.000Z","type":"al.audit/v1","unchanged":3}"#,
);

const ROLLBACK: &str = concat!(
    r#"{"actor":"local","added":0,"#,
    r#""after":"0202020202020202020202020202020202020202020202020202020202020202","#,
    r#""before":"0101010101010101010101010101010101010101010101010101010101010101","#,
    r#""changes":"fdfc666c21826ef9eff5c5e73d5e9750e771fa86ad68c412ab9ae0b13d00d4b7","#,
    r#""deleted":0,"from":"al/x 7 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","kind":"rollback","log":"al/01890a5d-ac96-774b-bcce-b302099a8057","#,
    r#""manifest_sha256":"0303030303030303030303030303030303030303030303030303030303030303","#,
    r#""manifest_version":"1.0","modified":0,"#,
    r#""rendered_sha256":"0404040404040404040404040404040404040404040404040404040404040404","replace":true,"#,
    r#""seq":9,"time":"2026-04-01T10:30:00.000Z","type":"al.audit/v1","unchanged":0}"#,
);

const KEY_CREATED: &str = concat!(
    r#"{"actor":"local","added":null,"after":null,"before":null,"changes":null,"deleted":null,"from":null,"#,
    r#""kind":"key_created","log":"al/01890a5d-ac96-774b-bcce-b302099a8057","manifest_sha256":null,"#,
    r#""manifest_version":null,"modified":null,"rendered_sha256":null,"replace":null,"seq":0,"#,
    r#""time":"2026-04-01T10:30:00.000Z","type":"al.audit/v1","unchanged":null}"#,
);

const ROTATED: &str = concat!(
    r#"{"actor":"key_1","added":null,"after":null,"before":null,"#,
    r#""changes":"5c19147472897574633cba8dcb3d75fa69ac82c2cef6eff2af591d73d81f1c5c","#,
    r#""deleted":null,"from":null,"kind":"log_key_rotated","log":"al/01890a5d-ac96-774b-bcce-b302099a8057","#,
    r#""manifest_sha256":null,"manifest_version":null,"modified":null,"rendered_sha256":null,"replace":null,"seq":3,"#,
    r#""time":"2026-04-01T10:30:00.000Z","type":"al.audit/v1","unchanged":null}"#,
);

/// A checkpoint with a root of ones.
fn checkpoint(origin: &str, size: u64) -> Checkpoint {
    let root = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    Checkpoint::parse(format!("{origin}\n{size}\n{root}\n").as_bytes()).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn names(added: &[&str], deactivated: &[&str], modified: &[&str]) -> Names {
    let owned = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect();
    Names {
        added: owned(added),
        deactivated: owned(deactivated),
        modified: owned(modified),
    }
}

fn at(seconds: i64, nanoseconds: i32) -> Timestamp {
    Timestamp::new(seconds, nanoseconds).unwrap_or_default()
}

#[test]
fn golden_leaves() {
    let changed = names(&["a", "ü\n"], &[], &["m"]);
    let none = Names::default();
    let keys = names(&["al/x+2+new"], &["al/x+1+old"], &[]);
    let exporter = checkpoint("al/x", 7);
    let time = at(1_775_039_400, 0);
    let import = ImportEvent {
        workspace: WORKSPACE,
        seq: 1,
        time,
        actor: "key_1",
        names: &changed,
        unchanged: 3,
        before: [1; 32],
        after: [2; 32],
        manifest_sha256: [3; 32],
        manifest_version: "1.0",
        replace: false,
        from: None,
        rendered_sha256: None,
    };
    let rollback = ImportEvent {
        seq: 9,
        actor: "local",
        names: &none,
        unchanged: 0,
        replace: true,
        from: Some(&exporter),
        rendered_sha256: Some([4; 32]),
        ..import
    };
    let rows = [
        (Event::import(&import), IMPORT),
        (Event::rollback(&rollback), ROLLBACK),
        (
            Event::key(Kind::KeyCreated, WORKSPACE, 0, time, "local"),
            KEY_CREATED,
        ),
        (Event::rotation(WORKSPACE, 3, time, "key_1", &keys), ROTATED),
    ];
    for (event, golden) in rows {
        assert_eq!(text(&event.to_bytes()), golden);
        assert_eq!(Event::parse(golden.as_bytes()), Ok(event));
    }
}

/// RFC 8785 sorts keys; every value of a leaf is a scalar, so sorting one level is enough.
#[test]
fn leaves_are_canonical_because_their_keys_are_sorted() {
    for leaf in [IMPORT, ROLLBACK, KEY_CREATED, ROTATED] {
        let sorted: BTreeMap<String, serde_json::Value> = serde_json::from_str(leaf).unwrap();
        assert!(!sorted.values().any(|v| v.is_object() || v.is_array()));
        assert_eq!(serde_json::to_string(&sorted).unwrap(), leaf);
        assert_eq!(sorted.len(), 18);
    }
}

#[test]
fn kinds_on_the_wire() {
    let rows = [
        (Kind::Import, "\"import\"", true),
        (Kind::Rollback, "\"rollback\"", true),
        (Kind::KeyCreated, "\"key_created\"", false),
        (Kind::KeyRevoked, "\"key_revoked\"", false),
        (Kind::LogKeyRotated, "\"log_key_rotated\"", false),
    ];
    for (kind, wire, changes_policies) in rows {
        assert_eq!(serde_json::to_string(&kind).unwrap(), wire);
        assert_eq!(kind.changes_policies(), changes_policies);
    }
}

/// An edit of a leaf, as the leaf, the text to replace and its replacement.
type Edit = (&'static str, &'static str, &'static str);

/// What [`Event::parse`] says to an edited leaf.
fn refusal((leaf, old, new): Edit) -> Option<String> {
    let edited = leaf.replacen(old, new, 1);
    assert_ne!(edited, leaf, "{old}");
    Event::parse(edited.as_bytes()).err()
}

#[test]
fn another_spelling_is_refused() {
    let rows: &[Edit] = &[
        (IMPORT, r#","added""#, r#", "added""#),
        (IMPORT, "key_1", r"key\u005f1"),
        (
            IMPORT,
            r#""actor":"key_1","added":2"#,
            r#""added":2,"actor":"key_1""#,
        ),
        (IMPORT, r#""from":null,"#, ""),
        (IMPORT, r#""unchanged":3}"#, "\"unchanged\":3}\n"),
    ];
    for &row in rows {
        assert_eq!(
            refusal(row).as_deref(),
            Some("the event is not in canonical form"),
            "{row:?}"
        );
    }
}

#[test]
fn another_document_is_refused() {
    let rows: &[Edit] = &[
        (KEY_CREATED, KEY_CREATED, ""),
        (KEY_CREATED, KEY_CREATED, "[]"),
        (IMPORT, "al.audit/v1", "al.audit/v2"),
        (IMPORT, r#""import""#, r#""export""#),
        (IMPORT, r#""added":2"#, r#""added":-2"#),
        (IMPORT, r#""added":2"#, r#""added":2.0"#),
        (IMPORT, r#""added":2"#, r#""added":2,"added":2"#),
        (IMPORT, r#""added":2"#, r#""added":2,"note":"x""#),
        (IMPORT, r#""unchanged":3}"#, r#""unchanged":3}{}"#),
    ];
    for &row in rows {
        let message = refusal(row).unwrap_or_default();
        let (what, place) = message.split_once(": line 1, column ").unwrap_or_default();
        assert_eq!(what, "the event is not an `al.audit/v1` event", "{row:?}");
        assert!(place.parse::<usize>().is_ok(), "{row:?}");
    }
}

#[test]
fn a_value_out_of_its_form_is_refused() {
    let rows: &[(Edit, &str)] = &[
        (
            (IMPORT, r#""seq":1"#, r#""seq":9007199254740992"#),
            "the event holds `9007199254740992`, which is too large",
        ),
        (
            (
                IMPORT,
                r#""unchanged":3"#,
                r#""unchanged":9007199254740992"#,
            ),
            "the event holds `9007199254740992`, which is too large",
        ),
        (
            (IMPORT, r#""before":"0101"#, r#""before":"01"#),
            "`before` of the event is `01010101010101010101010101010101010101010101010101010101010101`, not a SHA-256 digest in lower-case hex",
        ),
        (
            (ROLLBACK, r#""0404"#, r#""040A"#),
            "`rendered_sha256` of the event is `040A040404040404040404040404040404040404040404040404040404040404`, not a SHA-256 digest in lower-case hex",
        ),
        (
            (IMPORT, "00.000Z", "00.000+00:00"),
            "`time` of the event is `2026-04-01T10:30:00.000+00:00`, not a UTC time with milliseconds",
        ),
        (
            (IMPORT, "00.000Z", "00Z"),
            "`time` of the event is `2026-04-01T10:30:00Z`, not a UTC time with milliseconds",
        ),
        (
            (IMPORT, "2026-04-01T10:30:00.000Z", "yesterday"),
            "`time` of the event is `yesterday`, not a UTC time with milliseconds",
        ),
    ];
    for &(edit, message) in rows {
        assert_eq!(refusal(edit).as_deref(), Some(message), "{edit:?}");
    }
    let largest = IMPORT.replace(r#""seq":1"#, r#""seq":9007199254740991"#);
    assert_eq!(
        Event::parse(largest.as_bytes()).map(|event| event.seq),
        Ok((1 << 53) - 1)
    );
}

#[test]
fn a_field_that_does_not_fit_the_kind_is_refused() {
    let rows: &[(Edit, &str)] = &[
        (
            (IMPORT, r#""added":2"#, r#""added":null"#),
            "`added` of the event is null",
        ),
        (
            (ROLLBACK, r#""replace":true"#, r#""replace":null"#),
            "`replace` of the event is null",
        ),
        (
            (KEY_CREATED, r#""key_created""#, r#""import""#),
            "`changes` of the event is null",
        ),
        (
            (IMPORT, r#""import""#, r#""key_created""#),
            "`changes` of the event is set, which its kind does not use",
        ),
        (
            (ROTATED, r#""log_key_rotated""#, r#""key_revoked""#),
            "`changes` of the event is set, which its kind does not use",
        ),
        (
            (KEY_CREATED, r#""key_created""#, r#""log_key_rotated""#),
            "`changes` of the event is null",
        ),
        (
            (ROTATED, r#""added":null"#, r#""added":1"#),
            "`added` of the event is set, which its kind does not use",
        ),
        (
            (
                KEY_CREATED,
                r#""from":null"#,
                r#""from":"al/x 7 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=""#,
            ),
            "`from` of the event is set, which its kind does not use",
        ),
    ];
    for &(edit, message) in rows {
        assert_eq!(refusal(edit).as_deref(), Some(message), "{edit:?}");
    }
}

#[test]
fn a_checkpoint_that_is_cited_is_one() {
    // Origins may hold whatever a checkpoint's first line may.
    for origin in ["al/x", "go.sum database tree", " x ", "\u{85}"] {
        let exporter = checkpoint(origin, 7);
        let edited = ROLLBACK.replacen("al/x 7", &format!("{origin} 7"), 1);
        let event = Event::parse(edited.as_bytes());
        assert_eq!(
            event.map(|event| event.from),
            Ok(Some(exporter.to_line())),
            "{origin:?}"
        );
    }
    let ones = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let refused = [
        String::new(),
        "root".to_owned(),
        "al/x 7".to_owned(),
        "al/x 7 root".to_owned(),
        format!("7 {ones}"),
        format!(" 7 {ones}"),
        format!("al/x 07 {ones}"),
        format!("al/x -7 {ones}"),
        format!("al/x 9007199254740992 {ones}"),
        format!("al/x 0 {ones}"),
        format!("al/x  {ones}"),
        format!("al/x 7 {ones} "),
        format!("al/x 7 {}", ones.replace("QE=", "QF=")),
        format!("al/x 7 {}", ones.replace('=', "")),
    ];
    for from in refused {
        let edited = ROLLBACK.replacen(&format!("al/x 7 {ones}"), &from, 1);
        let message = format!("`from` of the event is `{from}`, not a checkpoint on one line");
        assert_eq!(Event::parse(edited.as_bytes()), Err(message));
    }
    let edited = ROLLBACK.replacen("al/x 7", "al\\nx 7", 1);
    let message = format!("`from` of the event is `al\nx 7 {ones}`, not a checkpoint on one line");
    assert_eq!(Event::parse(edited.as_bytes()), Err(message));
}

#[test]
fn names_have_one_spelling() {
    let rows = [
        (
            Names::default(),
            r#"{"added":[],"deactivated":[],"modified":[]}"#,
        ),
        (
            names(&["a", "ü\n\u{7f}\u{1}\"/"], &["d"], &["m"]),
            "{\"added\":[\"a\",\"ü\\n\u{7f}\\u0001\\\"/\"],\"deactivated\":[\"d\"],\"modified\":[\"m\"]}",
        ),
    ];
    for (names, golden) in rows {
        assert_eq!(text(&names.to_bytes()), golden);
        assert_eq!(hex(&names.digest()), hex(&sha256(golden.as_bytes())));
        assert_eq!(Names::parse(golden.as_bytes()), Ok(names));
    }
    let refused = [
        (
            r#"{"added":[],"modified":[],"deactivated":[]}"#,
            "the names are not in canonical form",
        ),
        (
            r#"{"added":[], "deactivated":[],"modified":[]}"#,
            "the names are not in canonical form",
        ),
        (
            r#"{"added":[],"deactivated":[]}"#,
            "the names are not lists of names: line 1, column 29",
        ),
        ("", "the names are not lists of names: line 1, column 0"),
    ];
    for (stored, message) in refused {
        assert_eq!(
            Names::parse(stored.as_bytes()),
            Err(message.to_owned()),
            "{stored}"
        );
    }
}

#[test]
fn times_have_milliseconds() {
    let rows = [
        (at(1_775_039_400, 0), "2026-04-01T10:30:00.000Z"),
        (at(1_775_039_400, 999_999_999), "2026-04-01T10:30:00.999Z"),
        (at(0, 1_000_000), "1970-01-01T00:00:00.001Z"),
    ];
    for (time, text) in rows {
        assert_eq!(format_time(time), text);
    }
}

proptest! {
    #[test]
    fn any_names_round_trip(
        added in prop::collection::vec(any::<String>(), 0..4),
        deactivated in prop::collection::vec(any::<String>(), 0..4),
        modified in prop::collection::vec(any::<String>(), 0..4),
    ) {
        let names = Names { added, deactivated, modified };
        prop_assert_eq!(Names::parse(&names.to_bytes()), Ok(names));
    }

    #[test]
    fn any_time_round_trips(seconds in -60_000_000_000..60_000_000_000_i64, nanoseconds in 0..1_000_000_000_i32) {
        let event = Event::key(Kind::KeyRevoked, WORKSPACE, 4, at(seconds, nanoseconds), "local");
        prop_assert_eq!(Event::parse(&event.to_bytes()), Ok(event));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), at in 0..IMPORT.len(), flip in 1..=255_u8) {
        let _ = Event::parse(&bytes);
        let mut leaf = IMPORT.as_bytes().to_vec();
        leaf[at] ^= flip;
        // What still parses is another event, never a second spelling of this one.
        prop_assert_ne!(Event::parse(&leaf), Event::parse(IMPORT.as_bytes()));
    }
}
