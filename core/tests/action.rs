//! Actions: what is read, what is refused, and what a path finds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test may fail loudly, and tables are long"
)]

use lattice_core::action::Lookup;
use lattice_core::condition::Path;
use lattice_core::{Action, Code, Mapping, Number, Value, limits};

#[test]
fn values() {
    let action = Action::parse(
        br#" {"timestamp": [1], "event_id": null, "action_type": "a.b", "data_accessed": ["x", {"y": []}],
             "metadata": {"n": -0.5, "big": 18446744073709551615, "small": -9223372036854775808, "one": 1.0,
                          "t": "\u00e9\n\ud83d\ude00", "no": null, "yes": true, "": {}}} "#,
    )
    .unwrap();
    assert_eq!(action.action_type(), "a.b");
    let number = |literal| Value::Number(Number::parse(literal).unwrap());
    let rows = [
        ("n", number("-0.5")),
        ("big", number("18446744073709551615")),
        ("small", number("-9223372036854775808")),
        ("one", number("1")),
        ("t", Value::String("é\n😀".into())),
        ("no", Value::Null),
        ("yes", Value::Bool(true)),
        ("\"\"", Value::Mapping(Mapping::default())),
        (
            "data_accessed",
            Value::List(vec![
                Value::String("x".into()),
                Value::Mapping([("y", Value::List(Vec::new()))].into_iter().collect()),
            ]),
        ),
    ];
    for (path, value) in rows {
        assert_eq!(
            action.lookup(&Path::parse(path).unwrap()),
            Lookup::Found(&value),
            "{path}"
        );
    }
}

#[test]
fn paths_never_fall_back() {
    let action = Action::parse(
        br#"{"action_type": "top", "metadata": {"action_type": "below", "data_accessed": ["below"], "metadata": 1, "a": {"b": null, "c.d": 2}, "l": [{"x": 1}]}}"#,
    )
    .unwrap();
    let top = Value::String("top".into());
    let number = |int: i64| Value::Number(int.into());
    let list = Value::List(vec![Value::Mapping(
        [("x", number(1))].into_iter().collect(),
    )]);
    let (one, two) = (number(1), number(2));
    let rows = [
        ("action_type", Lookup::Found(&top)),
        ("\"action_type\"", Lookup::Found(&top)),
        (
            "action_type.x",
            Lookup::NotMapping {
                parent: &top,
                depth: 1,
            },
        ),
        ("data_accessed", Lookup::Missing),
        ("data_accessed.x", Lookup::Missing),
        ("metadata", Lookup::Found(&one)),
        (
            "metadata.a",
            Lookup::NotMapping {
                parent: &one,
                depth: 1,
            },
        ),
        ("a.b", Lookup::Found(&Value::Null)),
        (
            "a.b.c.d",
            Lookup::NotMapping {
                parent: &Value::Null,
                depth: 2,
            },
        ),
        ("a.c.d", Lookup::Missing),
        ("a.\"c.d\"", Lookup::Found(&two)),
        (
            "l.x",
            Lookup::NotMapping {
                parent: &list,
                depth: 1,
            },
        ),
        (
            "l.0",
            Lookup::NotMapping {
                parent: &list,
                depth: 1,
            },
        ),
        ("nope", Lookup::Missing),
        ("timestamp", Lookup::Missing),
    ];
    for (path, expected) in rows {
        assert_eq!(
            action.lookup(&Path::parse(path).unwrap()),
            expected,
            "{path}"
        );
    }
}

#[test]
fn refusals() {
    let rows = [
        (
            "",
            1,
            1,
            "invalid JSON: the text ends where a value belongs",
        ),
        ("[]", 1, 1, "an action must be a JSON object, found a list"),
        ("{", 1, 2, "invalid JSON: the text ends inside an object"),
        ("{}", 1, 1, "missing field `action_type`"),
        (
            r#"{"action_type": 1}"#,
            1,
            17,
            "`action_type` must be a string, found a number",
        ),
        (
            r#"{"action_type": ""}"#,
            1,
            17,
            "`action_type` `` is empty: write segments joined by `.`",
        ),
        (
            r#"{"action_type": "a.*"}"#,
            1,
            17,
            "`action_type` `a.*` holds a wildcard where none belongs",
        ),
        (
            r#"{"action_type": "a b"}"#,
            1,
            17,
            "`action_type` `a b` holds a space: use printable ASCII without space",
        ),
        (
            "{\"action_type\": \"a\",\n \"action_type\": \"b\"}",
            2,
            2,
            "duplicate key `action_type`",
        ),
        (
            "{\"action_type\": \"a\",\n \"metadata\": {\"x\": [{\"y\": 1, \"\\u0079\": 2}]}}",
            2,
            30,
            "duplicate key `y`",
        ),
        (
            "{\"action_type\": \"a\",\n \"timestamp\": {\"x\": 1, \"x\": 2}}",
            2,
            24,
            "duplicate key `x`",
        ),
        (
            r#"{"action_type": "a", "metdata": {}}"#,
            1,
            22,
            "unknown key `metdata` in an action",
        ),
        (
            r#"{"action_type": "a", "branch": {}}"#,
            1,
            22,
            "unknown key `branch` in an action",
        ),
        (
            r#"{"action_type": "a", "metadata": null}"#,
            1,
            34,
            "`metadata` must be an object, found null",
        ),
        (
            r#"{"action_type": "a", "data_accessed": null}"#,
            1,
            39,
            "`data_accessed` must be a list, found null",
        ),
        (
            r#"{"action_type": "a", "metadata": {"x": NaN}}"#,
            1,
            40,
            "NaN and infinities are not JSON numbers",
        ),
        (
            r#"{"action_type": "a", "metadata": {"x": -Infinity}}"#,
            1,
            41,
            "invalid JSON: invalid number",
        ),
        (
            r#"{"action_type": "a", "metadata": {"x": 1e400}}"#,
            1,
            40,
            "`1e400` is outside the range of finite numbers",
        ),
        (
            r#"{"action_type": "a", "metadata": {"x": 18446744073709551616}}"#,
            1,
            40,
            "`18446744073709551616` is an integer outside the 64-bit range",
        ),
        (
            r#"{"action_type": "a", "metadata": {"x": -9223372036854775809}}"#,
            1,
            40,
            "`-9223372036854775809` is an integer outside the 64-bit range",
        ),
        (
            r#"{"action_type": "a", "metadata": {"x": 01}}"#,
            1,
            41,
            "invalid JSON: invalid number",
        ),
        (
            r#"{"action_type": "a", "metadata": {"x": "\ud800"}}"#,
            1,
            47,
            "invalid JSON: unexpected end of hex escape",
        ),
        (
            r#"{"action_type": "a", "metadata": {"x": "\udc00"}}"#,
            1,
            46,
            "invalid JSON: lone leading surrogate in hex escape",
        ),
        (
            r#"{"action_type": "a"} x"#,
            1,
            22,
            "invalid JSON: trailing characters",
        ),
        (
            r#"{"action_type": "a",}"#,
            1,
            21,
            "invalid JSON: trailing comma",
        ),
        (
            r#"{"action_type": "a", 'x': 1}"#,
            1,
            22,
            "invalid JSON: key must be a string",
        ),
    ];
    for (json, line, column, message) in rows {
        let error = Action::parse(json.as_bytes()).expect_err(json);
        assert_eq!(error.code(), Code::InvalidAction);
        let first = error.into_diagnostics().remove(0);
        let place = first.place.unwrap();
        assert_eq!(
            (first.message.as_str(), place.line, place.column),
            (message, line, column),
            "{json}"
        );
    }
}

#[test]
fn bytes_that_are_no_text() {
    let rows: [(&[u8], (u32, u32)); 3] = [
        (b"{\"action_type\":\n \"a\xff\"}", (2, 4)),
        (b"\xff", (1, 1)),
        (b"{\"action_type\": \"\xed\xa0\x80\"}", (1, 18)), // a surrogate
    ];
    for (bytes, expected) in rows {
        let first = Action::parse(bytes)
            .unwrap_err()
            .into_diagnostics()
            .remove(0);
        let place = first.place.unwrap();
        assert_eq!(first.message, "the action is not UTF-8");
        assert_eq!((place.line, place.column), expected);
    }
    assert!(Action::parse("\u{feff}{\"action_type\": \"a\"}".as_bytes()).is_ok());
}

/// An action whose deepest value stands inside so many lists and objects.
fn nested(levels: usize) -> String {
    let inside = levels - 2;
    format!(
        r#"{{"action_type": "a", "metadata": {{"x": {}{}}}}}"#,
        "[".repeat(inside),
        "]".repeat(inside)
    )
}

fn list_in_lists(levels: usize) -> Value<'static> {
    (1..levels).fold(Value::List(Vec::new()), |value, _| Value::List(vec![value]))
}

#[test]
fn limits_hold_exactly() {
    let too_deep = "the action is nested deeper than 32 levels";
    assert!(Action::parse(nested(limits::ACTION_NESTING).as_bytes()).is_ok());
    let error = Action::parse(nested(limits::ACTION_NESTING + 1).as_bytes()).unwrap_err();
    assert_eq!(error.message(), too_deep);
    let endless = format!(
        r#"{{"action_type": "a", "data_accessed": {}"#,
        "[".repeat(900_000)
    );
    assert_eq!(
        Action::parse(endless.as_bytes()).unwrap_err().message(),
        too_deep
    );

    let padded = |bytes: usize| {
        let json = r#"{"action_type": "a"}"#;
        json.to_owned() + &" ".repeat(bytes - json.len())
    };
    assert!(Action::parse(padded(limits::ACTION_BYTES).as_bytes()).is_ok());
    let error = Action::parse(padded(limits::ACTION_BYTES + 1).as_bytes()).unwrap_err();
    assert_eq!(error.message(), "the action is larger than 1048576 bytes");

    let of = |value| Action::new("a", [("x", value)].into_iter().collect(), None);
    assert!(of(list_in_lists(limits::ACTION_NESTING - 2)).is_ok());
    assert_eq!(
        of(list_in_lists(limits::ACTION_NESTING - 1))
            .unwrap_err()
            .message(),
        too_deep
    );
    assert!(of(Value::String("x".repeat(limits::ACTION_BYTES - 100).into())).is_ok());
    let error = of(Value::String("x".repeat(limits::ACTION_BYTES).into())).unwrap_err();
    assert_eq!(error.message(), "the action is larger than 1048576 bytes");
}

#[test]
fn the_size_of_values_is_that_of_their_json() {
    let number = |literal| Value::Number(Number::parse(literal).unwrap());
    let values = [
        Value::Null,
        Value::Bool(true),
        Value::Bool(false),
        number("0"),
        number("-10"),
        number("18446744073709551615"),
        number("-9223372036854775808"),
        number("1.5e300"),
        number("-0.25"),
        Value::String("é\"\\\n\u{1}\u{8}\u{7f}😀".into()),
        Value::List(vec![]),
        Value::List(vec![Value::Null, number("7")]),
        object(&[]),
        object(&[("a\tb", number("1")), ("c", Value::List(vec![object(&[])]))]),
    ];
    for value in values {
        let written = serde_json::to_string(&value).unwrap();
        let of = |padding: usize| {
            let padding = Value::String("x".repeat(padding).into());
            object(&[
                ("action_type", Value::String("t".into())),
                ("event_id", padding),
                ("timestamp", value.clone()),
            ])
        };
        let room = limits::ACTION_BYTES - serde_json::to_string(&of(0)).unwrap().len();
        assert!(Action::from_value(of(room)).is_ok(), "{written}");
        assert!(Action::from_value(of(room + 1)).is_err(), "{written}");
        let json = serde_json::to_string(&of(room)).unwrap();
        assert!(Action::parse(json.as_bytes()).is_ok(), "{written}");
    }
}

/// A mapping of these entries.
fn object<'v>(pairs: &[(&'v str, Value<'v>)]) -> Value<'v> {
    let pairs = pairs.iter();
    Value::Mapping(pairs.map(|(key, value)| (*key, value.clone())).collect())
}

#[test]
fn whole_objects_are_read_like_text() {
    let text = |text: &str| Value::String(text.to_owned().into());
    let list = Value::List(vec![Value::Null]);
    let whole = object(&[
        ("action_type", text("db.write")),
        ("metadata", object(&[("branch", text("main"))])),
        ("data_accessed", list.clone()),
        ("timestamp", Value::Bool(true)),
        ("event_id", Value::Null),
    ]);
    let parsed = Action::parse(
        br#"{"action_type": "db.write", "metadata": {"branch": "main"}, "data_accessed": [null]}"#,
    );
    assert_eq!(Action::from_value(whole).unwrap(), parsed.unwrap());

    let kind = ("action_type", text("t"));
    let rows = [
        (Value::Null, "an action must be an object, found null", None),
        (list, "an action must be an object, found a list", None),
        (
            object(&[]),
            "missing field `action_type`",
            Some("add `action_type`"),
        ),
        (
            object(&[("action_type", text("t.*"))]),
            "`action_type` `t.*` holds a wildcard where none belongs",
            None,
        ),
        (
            object(&[kind.clone(), ("metadata", text("m"))]),
            "`metadata` must be an object, found a string",
            None,
        ),
        (
            object(&[kind.clone(), ("data_accessed", Value::Null)]),
            "`data_accessed` must be a list, found null",
            None,
        ),
        (
            object(&[kind.clone(), ("metdata", object(&[]))]),
            "unknown key `metdata` in an action",
            Some("did you mean `metadata`?"),
        ),
        (
            object(&[
                kind.clone(),
                ("timestamp", text(&"x".repeat(limits::ACTION_BYTES))),
            ]),
            "the action is larger than 1048576 bytes",
            None,
        ),
    ];
    for (value, message, help) in rows {
        let error = Action::from_value(value).unwrap_err();
        let found = error.diagnostics().next().unwrap();
        assert_eq!(error.code(), Code::InvalidAction);
        assert_eq!(
            (found.message.as_str(), found.help.as_deref(), found.place),
            (message, help, None)
        );
    }
    // The action is the first level, `event_id` the second.
    let event = |levels| object(&[kind.clone(), ("event_id", list_in_lists(levels))]);
    assert!(Action::from_value(event(limits::ACTION_NESTING - 1)).is_ok());
    assert!(Action::from_value(event(limits::ACTION_NESTING)).is_err());
}

#[test]
fn of_entries_with_one_key_the_last_stays() {
    let number = |int: i64| Value::Number(int.into());
    let entries = [
        ("b", number(1)),
        ("a", number(2)),
        ("b", number(3)),
        ("", number(4)),
    ];
    let mapping: Mapping = entries.into_iter().collect();
    let found: Vec<_> = mapping
        .iter()
        .map(|(key, value)| (key, value.clone()))
        .collect();
    assert_eq!(found, [("", number(4)), ("a", number(2)), ("b", number(3))]);
    let many: Mapping = (0..20)
        .rev()
        .map(|i| (format!("{i:02}"), number(i)))
        .collect();
    assert_eq!((many.get("07"), many.get("7")), (Some(&number(7)), None));
}

#[test]
fn values_and_text_make_the_same_action() {
    let text =
        Action::parse(br#"{"action_type": "a.b", "metadata": {"x": 1}, "data_accessed": ["y"]}"#);
    let values = Action::new(
        "a.b",
        [("x", Value::Number(1_i64.into()))].into_iter().collect(),
        Some(vec![Value::String("y".into())]),
    );
    assert_eq!(text.unwrap(), values.unwrap());
    let error = Action::new("a.*", Mapping::default(), None).unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (
            Code::InvalidAction,
            "`action_type` `a.*` holds a wildcard where none belongs"
        )
    );
}
