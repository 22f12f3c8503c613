//! Manifests by meaning, and their texts in every style that YAML has for them.

use std::fmt::Write as _;

use proptest::prelude::*;

/// What a manifest means.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub exported_at: Option<&'static [&'static str]>,
    pub org_name: Option<String>,
    pub policies: Vec<Policy>,
    pub breakers: Option<Breakers>,
}

/// A note, and anomaly types with the spellings of their thresholds.
type Breakers = (Option<String>, Vec<(String, &'static [&'static str])>);

#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub name: String,
    pub approval_required: bool,
    pub hours: u16,
    pub repos: Option<Vec<String>>,
    pub branches: Option<Vec<String>>,
    pub conditions: Option<Group>,
}

#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub logic: &'static str,
    pub rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
pub(crate) enum Rule {
    Group(Group),
    /// Every list holds spellings of one meaning.
    Comparison(&'static [&'static str], &'static [&'static str], Operand),
}

#[derive(Debug, Clone)]
pub(crate) enum Operand {
    None,
    String(String),
    Number(&'static [&'static str]),
    Strings(Vec<String>),
    Numbers(Vec<&'static [&'static str]>),
}

const TIMES: [&[&str]; 3] = [
    &[
        "2026-04-01T10:30:00.000Z",
        "2026-04-01T12:30:00+02:00",
        "2026-04-01 10:30:00Z",
    ],
    &[
        "2026-04-01T10:30:00.123456Z",
        "2026-04-01T11:30:00.1234560+01:00",
    ],
    &["1969-12-31T23:59:59.999Z"],
];
const NUMBERS: [&[&str]; 6] = [
    &["0", "-0", "0.0"],
    &["1", "1.0", "+1"],
    &["0.5", ".5", "5.0e-1"],
    &["-7", "-7.0"],
    &["1.0e+30", "1000000000000000000000000000000.0"],
    &["9007199254740993"],
];
const THRESHOLDS: [&[&str]; 2] = [&["70", "70.0"], &["0.5", ".5"]];
const PATHS: [&[&str]; 4] = [
    &["branch", "\"branch\""],
    &["author.team", "\"author\".team"],
    &["labels.\"app.io/tier\"", "\"labels\".\"app.io/tier\""],
    &["\"a b: #c\".d"],
];

fn text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a", "b", " ", "'", "\"", "#", ":", ": ", "-", "[", ",", "é", "1", "true", "\u{2028}",
        "\t", "\n", "\r",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..5).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = String> {
    (
        prop::sample::select(vec!["a", "b", "é", "#", "1", "-", "yes", "'"]),
        text(),
    )
        .prop_map(|(first, rest)| {
            let printable: String = rest
                .chars()
                .filter(|c| !c.is_control() && *c != '\u{2028}')
                .collect();
            format!("{first}{printable}").trim().to_owned()
        })
}

fn number() -> impl Strategy<Value = &'static [&'static str]> {
    prop::sample::select(NUMBERS.to_vec())
}

fn rule() -> impl Strategy<Value = Rule> {
    let path = prop::sample::select(PATHS.to_vec());
    let rest = prop_oneof![
        Just((&["exists"][..], Operand::None)),
        text().prop_map(|text| (&["eq"][..], Operand::String(text))),
        text().prop_map(|text| (&["ne", "neq"][..], Operand::String(text))),
        Just((
            &["regex", "matches"][..],
            Operand::String("^ma'in\\.\"$".to_owned())
        )),
        number().prop_map(|number| (&["lt"][..], Operand::Number(number))),
        prop::collection::vec(text(), 1..4)
            .prop_map(|texts| (&["in"][..], Operand::Strings(texts))),
        prop::collection::vec(number(), 1..4)
            .prop_map(|numbers| (&["in"][..], Operand::Numbers(numbers))),
    ];
    (path, rest).prop_map(|(path, (operator, value))| Rule::Comparison(path, operator, value))
}

fn group() -> impl Strategy<Value = Group> {
    let logic = || prop::sample::select(vec!["all", "any", "none"]);
    let nested = rule().prop_recursive(3, 8, 3, move |inner| {
        (logic(), prop::collection::vec(inner, 1..3))
            .prop_map(|(logic, rules)| Rule::Group(Group { logic, rules }))
    });
    (
        prop::sample::select(vec!["all", "any", "none"]),
        prop::collection::vec(nested, 1..4),
    )
        .prop_map(|(logic, rules)| Group { logic, rules })
}

fn patterns() -> impl Strategy<Value = Option<Vec<String>>> {
    let pattern = prop::sample::select(vec![
        "acme/*",
        "*",
        "main",
        "release/?",
        "#1",
        "1.0",
        "it's",
        "-",
    ]);
    prop::option::of(prop::collection::vec(pattern.prop_map(str::to_owned), 0..4))
}

fn policy() -> impl Strategy<Value = Policy> {
    let hours = prop_oneof![Just(8), 1_u16..=8760];
    (
        name(),
        any::<bool>(),
        hours,
        patterns(),
        patterns(),
        prop::option::of(group()),
    )
        .prop_map(
            |(name, approval_required, hours, repos, branches, conditions)| Policy {
                name,
                approval_required,
                hours,
                repos,
                branches,
                conditions,
            },
        )
}

pub(crate) fn model() -> impl Strategy<Value = Model> {
    let breaker = (name(), prop::sample::select(THRESHOLDS.to_vec()));
    let breakers = prop::collection::vec(breaker, 0..3);
    let time = prop::option::of(prop::sample::select(TIMES.to_vec()));
    let policies = prop::collection::vec(policy(), 0..4);
    let info = prop::option::of((prop::option::of(text()), breakers));
    (time, prop::option::of(text()), policies, info).prop_map(
        |(exported_at, org_name, mut policies, mut breakers)| {
            policies.sort_by(|a, b| a.name.cmp(&b.name));
            policies.dedup_by(|a, b| a.name == b.name);
            if let Some((_, entries)) = &mut breakers {
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                entries.dedup_by(|a, b| a.0 == b.0);
            }
            Model {
                exported_at,
                org_name,
                policies,
                breakers,
            }
        },
    )
}

/// What comments begin and end with; between the two stands their number.
pub(crate) const COMMENT: (&str, &str) = ("# c", ": - 'x' [");

/// A comment that would be anything but if it were not one.
pub(crate) fn comment(number: impl std::fmt::Display) -> String {
    format!("{}{number}{}", COMMENT.0, COMMENT.1)
}

/// A YAML value to be written in some style.
#[derive(Debug, Clone)]
enum Yaml {
    /// As it stands.
    Plain(String),
    Text(String),
    /// A string that holds a document.
    Document(Box<Yaml>),
    List(Vec<Yaml>),
    Mapping(Vec<(&'static str, Yaml)>),
}

/// Writes a model, all that YAML and our equality leave open being chosen by `choices`.
///
/// Returns the text and the comments in it.
pub(crate) fn write(model: &Model, choices: &[u8], comments: bool) -> (Vec<u8>, Vec<String>) {
    let mut writer = Writer {
        choices,
        next: 0,
        with_comments: comments,
        comments: Vec::new(),
    };
    let yaml = writer.manifest(model);
    let mut text = writer.document(&yaml);
    if writer.pick(4) == 0 {
        text = text.replace('\n', "\r\n");
    }
    if writer.pick(4) == 0 {
        text.insert(0, '\u{feff}');
    }
    (text.into_bytes(), writer.comments)
}

struct Writer<'c> {
    choices: &'c [u8],
    next: usize,
    with_comments: bool,
    comments: Vec<String>,
}

fn plain(value: impl std::fmt::Display) -> Yaml {
    Yaml::Plain(value.to_string())
}

impl Writer<'_> {
    fn pick(&mut self, count: usize) -> usize {
        let choice = self.choices.get(self.next).copied().unwrap_or(0);
        self.next = (self.next + 1) % self.choices.len().max(1);
        usize::from(choice) % count
    }

    fn spelling(&mut self, spellings: &[&'static str]) -> &'static str {
        let i = self.pick(spellings.len());
        spellings[i]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.pick(i + 1);
            items.swap(i, j);
        }
    }

    /// The elements of a set in some order, some of them twice.
    fn set<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        let mut items = items.to_vec();
        if !items.is_empty() && self.pick(3) == 0 {
            let i = self.pick(items.len());
            items.push(items[i].clone());
        }
        self.shuffle(&mut items);
        items
    }

    fn manifest(&mut self, model: &Model) -> Yaml {
        let mut fields = vec![("manifest_version", Yaml::Text("1.0".to_owned()))];
        match model.exported_at {
            Some(times) => {
                let time = self.spelling(times).to_owned();
                fields.push((
                    "exported_at",
                    if self.pick(2) == 0 {
                        plain(time)
                    } else {
                        Yaml::Text(time)
                    },
                ));
            }
            None if self.pick(2) == 0 => fields.push(("exported_at", plain("null"))),
            None => {}
        }
        match &model.org_name {
            Some(name) => fields.push(("org_name", Yaml::Text(name.clone()))),
            None if self.pick(2) == 0 => fields.push(("org_name", plain("null"))),
            None => {}
        }
        let mut policies: Vec<Yaml> = model
            .policies
            .iter()
            .map(|policy| self.policy(policy))
            .collect();
        self.shuffle(&mut policies);
        fields.push(("policies", Yaml::List(policies)));
        if let Some((note, entries)) = &model.breakers {
            let mut info = Vec::new();
            match note {
                Some(note) => info.push(("note", Yaml::Text(note.clone()))),
                None if self.pick(2) == 0 => info.push(("note", plain("null"))),
                None => {}
            }
            let mut entries: Vec<Yaml> = entries
                .iter()
                .map(|(anomaly, threshold)| {
                    let mut breaker = vec![
                        ("anomaly_type", Yaml::Text(anomaly.clone())),
                        ("score_threshold", plain(self.spelling(threshold))),
                        ("response_level", Yaml::Text("HALT".to_owned())),
                    ];
                    self.shuffle(&mut breaker);
                    Yaml::Mapping(breaker)
                })
                .collect();
            self.shuffle(&mut entries);
            info.push(("entries", Yaml::List(entries)));
            self.shuffle(&mut info);
            fields.push(("circuit_breakers_info", Yaml::Mapping(info)));
        }
        self.shuffle(&mut fields);
        Yaml::Mapping(fields)
    }

    fn policy(&mut self, policy: &Policy) -> Yaml {
        let mut fields = vec![
            ("name", Yaml::Text(policy.name.clone())),
            ("action_type", Yaml::Text("deploy.*".to_owned())),
            ("approval_required", plain(policy.approval_required)),
            ("allowed_repos", self.patterns(policy.repos.as_deref())),
            (
                "allowed_branches",
                self.patterns(policy.branches.as_deref()),
            ),
        ];
        if policy.hours != 8 || self.pick(2) == 0 {
            fields.push(("approval_timeout_hours", plain(policy.hours)));
        }
        fields.push(match &policy.conditions {
            None => ("conditions", plain("null")),
            Some(group) => ("conditions", Yaml::Document(Box::new(self.group(group)))),
        });
        self.shuffle(&mut fields);
        Yaml::Mapping(fields)
    }

    fn patterns(&mut self, patterns: Option<&[String]>) -> Yaml {
        let Some(patterns) = patterns else {
            return plain("null");
        };
        Yaml::List(self.set(patterns).into_iter().map(Yaml::Text).collect())
    }

    fn group(&mut self, group: &Group) -> Yaml {
        let rules = group
            .rules
            .iter()
            .map(|rule| match rule {
                Rule::Group(group) => self.group(group),
                Rule::Comparison(path, operator, value) => {
                    let mut fields = vec![
                        ("field", Yaml::Text(self.spelling(path).to_owned())),
                        ("operator", Yaml::Text(self.spelling(operator).to_owned())),
                    ];
                    match value {
                        Operand::None => {}
                        Operand::String(text) => fields.push(("value", Yaml::Text(text.clone()))),
                        Operand::Number(number) => {
                            fields.push(("value", plain(self.spelling(number))));
                        }
                        Operand::Strings(texts) => {
                            let texts = self.set(texts).into_iter().map(Yaml::Text).collect();
                            fields.push(("value", Yaml::List(texts)));
                        }
                        Operand::Numbers(numbers) => {
                            let numbers = self.set(numbers);
                            let numbers = numbers
                                .into_iter()
                                .map(|n| plain(self.spelling(n)))
                                .collect();
                            fields.push(("value", Yaml::List(numbers)));
                        }
                    }
                    self.shuffle(&mut fields);
                    Yaml::Mapping(fields)
                }
            })
            .collect();
        let mut fields = vec![
            ("logic", Yaml::Text(group.logic.to_owned())),
            ("rules", Yaml::List(rules)),
        ];
        self.shuffle(&mut fields);
        Yaml::Mapping(fields)
    }

    fn document(&mut self, yaml: &Yaml) -> String {
        let mut out = String::new();
        self.own_line(&mut out, 0);
        if self.pick(4) == 0 {
            out.push_str("---");
            self.trailing(&mut out);
        }
        self.own_line(&mut out, 0);
        if self.pick(3) == 0 {
            self.flow(&mut out, yaml, 0);
            self.trailing(&mut out);
        } else if let Yaml::Mapping(fields) = yaml {
            let column = self.pick(3);
            self.mapping(&mut out, fields, column, false);
        }
        self.own_line(&mut out, 0);
        out
    }

    /// Comments on lines of their own, or an empty line.
    fn own_line(&mut self, out: &mut String, column: usize) {
        match self.pick(6) {
            0 => out.push('\n'),
            1 if self.with_comments => {
                for _ in 0..=self.pick(2) {
                    let comment = self.comment();
                    out.push_str(&" ".repeat(column));
                    out.push_str(&comment);
                    out.push('\n');
                }
            }
            _ => {}
        }
    }

    /// Ends a line.
    fn trailing(&mut self, out: &mut String) {
        if self.pick(4) == 0 && self.with_comments {
            let comment = self.comment();
            out.push_str("  ");
            out.push_str(&comment);
        } else if self.pick(5) == 0 {
            out.push_str("  ");
        }
        out.push('\n');
    }

    fn comment(&mut self) -> String {
        let comment = comment(self.comments.len());
        self.comments.push(comment.clone());
        comment
    }

    /// Writes what follows a colon or a dash, down to the end of its last line.
    fn value(&mut self, out: &mut String, yaml: &Yaml, column: usize, in_list: bool) {
        let empty = match yaml {
            Yaml::List(items) => items.is_empty(),
            Yaml::Mapping(fields) => fields.is_empty(),
            Yaml::Plain(_) | Yaml::Text(_) | Yaml::Document(_) => false,
        };
        match yaml {
            Yaml::List(items) if !empty && self.pick(3) > 0 => {
                self.trailing(out);
                // A list may stand at the column of its key.
                let inner = column + self.pick(4) + usize::from(in_list);
                for item in items {
                    self.own_line(out, inner);
                    out.push_str(&" ".repeat(inner));
                    out.push('-');
                    self.value(out, item, inner, true);
                }
                if inner > column {
                    self.own_line(out, inner);
                }
            }
            Yaml::Mapping(fields) if !empty && self.pick(3) > 0 => {
                if in_list && self.pick(4) > 0 {
                    let gap = 1 + self.pick(3);
                    out.push_str(&" ".repeat(gap));
                    self.mapping(out, fields, column + 1 + gap, true);
                } else {
                    self.trailing(out);
                    let inner = column + 1 + self.pick(3);
                    self.mapping(out, fields, inner, false);
                }
            }
            Yaml::Document(inner) if self.pick(2) == 0 => {
                let text = self.document(inner);
                out.push_str(" |");
                let indent = 2 + self.pick(3);
                let starts_with_space = text.trim_start_matches('\n').starts_with(' ');
                if starts_with_space || self.pick(3) == 0 {
                    out.push_str(&indent.to_string());
                }
                self.trailing(out);
                for line in text.split_inclusive('\n') {
                    out.push_str(&" ".repeat(column + indent));
                    out.push_str(line);
                }
            }
            _ => {
                out.push(' ');
                if self.pick(8) == 0 {
                    // On a line of its own.
                    self.trailing(out);
                    self.own_line(out, column + 1);
                    out.push_str(&" ".repeat(column + 1));
                }
                self.flow(out, yaml, column);
                self.trailing(out);
            }
        }
    }

    fn mapping(
        &mut self,
        out: &mut String,
        fields: &[(&str, Yaml)],
        column: usize,
        mut inline: bool,
    ) {
        for (key, value) in fields {
            if !inline {
                self.own_line(out, column);
                out.push_str(&" ".repeat(column));
            }
            inline = false;
            self.flow(out, &Yaml::Text((*key).to_owned()), column);
            out.push(':');
            self.value(out, value, column, false);
        }
        self.own_line(out, column);
    }

    /// Writes a value that may stand in brackets; what continues stands deeper than `column`.
    fn flow(&mut self, out: &mut String, yaml: &Yaml, column: usize) {
        match yaml {
            Yaml::Plain(text) => out.push_str(text),
            Yaml::Text(text) => self.string(out, text),
            Yaml::Document(inner) => {
                let text = self.document(inner);
                self.string(out, &text);
            }
            Yaml::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    self.separate(out, i, column);
                    self.flow(out, item, column);
                }
                self.close(out, column);
                out.push(']');
            }
            Yaml::Mapping(fields) => {
                out.push('{');
                for (i, (key, value)) in fields.iter().enumerate() {
                    self.separate(out, i, column);
                    self.flow(out, &Yaml::Text((*key).to_owned()), column);
                    out.push_str(": ");
                    self.flow(out, value, column);
                }
                self.close(out, column);
                out.push('}');
            }
        }
    }

    fn separate(&mut self, out: &mut String, i: usize, column: usize) {
        if i > 0 {
            out.push_str(", ");
        }
        if self.pick(4) == 0 {
            self.close(out, column);
        }
    }

    /// Perhaps a line end inside brackets.
    fn close(&mut self, out: &mut String, column: usize) {
        if self.pick(4) == 0 {
            self.trailing(out);
            self.own_line(out, column + 3);
            out.push_str(&" ".repeat(column + 3));
        }
    }

    fn string(&mut self, out: &mut String, text: &str) {
        let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-/".contains(&b))
            && !["true", "yes", "null", "y", "n", "no", "on", "off"].contains(&text);
        let is_line = text.chars().all(|c| !c.is_control() && c != '\u{2028}');
        match self.pick(3) {
            0 if is_word => out.push_str(text),
            0 | 1 if is_line => {
                out.push('\'');
                out.push_str(&text.replace('\'', "''"));
                out.push('\'');
            }
            _ => {
                out.push('"');
                for c in text.chars() {
                    match c {
                        '"' => out.push_str("\\\""),
                        '\\' => out.push_str("\\\\"),
                        '\n' => out.push_str("\\n"),
                        c if c.is_control() || c == '\u{2028}' || self.pick(16) == 0 => {
                            let _ = write!(out, "\\U{:08x}", u32::from(c));
                        }
                        c => out.push(c),
                    }
                }
                out.push('"');
            }
        }
    }
}
