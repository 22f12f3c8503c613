//! The hand-written lower bounds: what the job itself costs on this machine, without reasons, errors, positions or
//! anything else that a user would miss. None of them is usable; each says how far an engine is from the ground.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Read as _;
use std::path::Path;

use granit_parser::Parser;
use rusqlite::Connection;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::input::{Branch, Policy, Rules};

/// Rules with their fields as slots of a context, and their regex as a comparison.
#[derive(Debug)]
pub struct Compiled(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    slot: usize,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Is(Box<str>),
    Under(Box<str>),
    /// Sorted.
    In(Box<[Box<str>]>),
    Less(u32),
}

/// A value of a context.
#[derive(Debug)]
pub enum Slot<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(u32),
}

/// The four fields, as an action's JSON has them.
#[derive(Debug, Deserialize)]
pub struct Fields<'a> {
    branch: &'a str,
    repo: &'a str,
    pr_size: u32,
    ticket: &'a str,
}

#[derive(Debug, Deserialize)]
struct Action<'a> {
    #[serde(borrow)]
    metadata: Fields<'a>,
}

impl<'a> Fields<'a> {
    /// Reads an action from JSON and finds its fields.
    pub fn read(json: &'a str) -> Self {
        serde_json::from_str::<Action<'a>>(json)
            .expect("an action")
            .metadata
    }

    /// The fields in the order of the slots.
    pub fn slots(&self) -> [Slot<'a>; 4] {
        [
            Slot::Text(self.branch),
            Slot::Text(self.repo),
            Slot::Number(self.pr_size),
            Slot::Text(self.ticket),
        ]
    }
}

impl Compiled {
    /// Compiles rules that are read; `None` if they hold a real regex, which no lower bound can be written for by hand.
    pub fn new(rules: &Rules) -> Option<Self> {
        let branch = match &rules.branch {
            Branch::Is(text) => Test::Is(text.as_str().into()),
            Branch::Under(text) => Test::Under(text.as_str().into()),
            Branch::Like(_) => return None,
        };
        let mut repos: Vec<Box<str>> = rules
            .repos
            .iter()
            .map(|repo| repo.as_str().into())
            .collect();
        repos.sort_unstable();
        let tests = [
            branch,
            Test::In(repos.into()),
            Test::Less(rules.size),
            Test::Under(rules.ticket.as_str().into()),
        ];
        Some(Self(
            tests
                .into_iter()
                .enumerate()
                .map(|(slot, test)| Rule { slot, test })
                .collect(),
        ))
    }

    /// Whether every rule holds.
    pub fn test(&self, slots: &[Slot<'_>; 4]) -> bool {
        self.0
            .iter()
            .all(|rule| match (&rule.test, &slots[rule.slot]) {
                (Test::Is(text), Slot::Text(value)) => **text == **value,
                (Test::Under(prefix), Slot::Text(value)) => value.starts_with(&**prefix),
                (Test::In(texts), Slot::Text(value)) => {
                    texts.binary_search_by(|text| (**text).cmp(value)).is_ok()
                }
                (Test::Less(limit), Slot::Number(value)) => value < limit,
                (_, _) => false,
            })
    }
}

/// Joins two sets by name and compares what is in both: added, modified, removed.
pub fn diff(before: &[Policy], after: &[Policy]) -> [usize; 3] {
    join(before, after, |policy| &policy.name, |a, b| a == b)
}

/// A policy as the hash of its content.
#[derive(Debug)]
pub struct Digest64 {
    name: u64,
    content: u64,
}

/// The hashes of the names and contents of policies, which a reader could make as it goes.
pub fn hashes(policies: &[Policy], state: &RandomState) -> Vec<Digest64> {
    let hash = |policy: &Policy| Digest64 {
        name: state.hash_one(&policy.name),
        content: state.hash_one(policy),
    };
    policies.iter().map(hash).collect()
}

/// As [`diff`], of hashes.
pub fn diff_hashes(before: &[Digest64], after: &[Digest64]) -> [usize; 3] {
    let mut known: HashMap<u64, u64, Identity> =
        HashMap::with_capacity_and_hasher(before.len(), Identity);
    known.extend(before.iter().map(|digest| (digest.name, digest.content)));
    let [mut added, mut modified, mut common] = [0; 3];
    for digest in after {
        match known.get(&digest.name) {
            None => added += 1,
            Some(content) => {
                common += 1;
                modified += usize::from(*content != digest.content);
            }
        }
    }
    [added, modified, before.len() - common]
}

fn join<'p>(
    before: &'p [Policy],
    after: &'p [Policy],
    name: impl Fn(&'p Policy) -> &'p str,
    equal: impl Fn(&Policy, &Policy) -> bool,
) -> [usize; 3] {
    let known: HashMap<&str, &Policy> =
        before.iter().map(|policy| (name(policy), policy)).collect();
    let [mut added, mut modified, mut common] = [0; 3];
    for policy in after {
        match known.get(name(policy)) {
            None => added += 1,
            Some(old) => {
                common += 1;
                modified += usize::from(!equal(old, policy));
            }
        }
    }
    [added, modified, before.len() - common]
}

/// Hashes are spread already.
#[derive(Debug, Clone, Copy)]
struct Identity;

#[derive(Debug, Default)]
struct Same(u64);

impl BuildHasher for Identity {
    type Hasher = Same;

    fn build_hasher(&self) -> Same {
        Same(0)
    }
}

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// The events that a YAML parser finds in a text, counted and thrown away.
pub fn scan(text: &str) -> usize {
    Parser::new_from_str(text)
        .map(|event| event.expect("valid YAML"))
        .count()
}

/// SHA-256 of a file, read in pieces that stay in the cache.
pub fn hash_file(path: &Path) -> [u8; 32] {
    let mut file = File::open(path).expect("a readable file");
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece).expect("a readable file") {
            0 => return hasher.finalize().into(),
            read => hasher.update(&piece[..read]),
        }
    }
}

/// One table of policies in an SQLite file, as durable as a store is.
#[derive(Debug)]
pub struct Table(Connection);

impl Table {
    /// An empty one, in a file that is made.
    pub fn create(file: &Path) -> Self {
        let connection = Connection::open(file).expect("a new file");
        let set_up = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            CREATE TABLE policy (
                name TEXT NOT NULL PRIMARY KEY, action_type TEXT NOT NULL, approval_required INTEGER NOT NULL,
                hours INTEGER NOT NULL, repos TEXT, branches TEXT, conditions TEXT
            ) STRICT;";
        connection.execute_batch(set_up).expect("a table");
        Self(connection)
    }

    /// Inserts every row with one prepared statement in one transaction.
    pub fn insert(&mut self, rows: &[Row]) {
        let transaction = self.0.transaction().expect("a transaction");
        let sql = "INSERT INTO policy VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut statement = transaction.prepare(sql).expect("a statement");
        for (name, action_type, approval, hours, repos, branches, conditions) in rows {
            let row = (
                name,
                action_type,
                approval,
                hours,
                repos,
                branches,
                conditions,
            );
            statement.execute(row).expect("a row");
        }
        drop(statement);
        transaction.commit().expect("a commit");
    }

    /// Reads every row in name order.
    pub fn select(&self) -> Vec<Row> {
        let mut statement = self
            .0
            .prepare("SELECT * FROM policy ORDER BY name")
            .expect("a statement");
        let rows = statement.query_map((), |row| row.try_into()).expect("rows");
        rows.map(|row| row.expect("a row")).collect()
    }
}

/// A policy as a row.
pub type Row = (
    String,
    String,
    bool,
    u16,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Policies as rows.
pub fn rows(policies: &[Policy]) -> Vec<Row> {
    let json = |list: &Option<Vec<String>>| {
        list.as_ref()
            .map(|list| serde_json::Value::from(list.clone()).to_string())
    };
    let row = |policy: &Policy| {
        (
            policy.name.clone(),
            policy.action_type.clone(),
            policy.approval_required,
            policy.hours,
            json(&policy.repos),
            json(&policy.branches),
            policy.rules.as_ref().map(Rules::canonical),
        )
    };
    policies.iter().map(row).collect()
}
