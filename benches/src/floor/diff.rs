//! Two lists of policies, joined.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::input::Policy;

/// Joins two sets in name order and compares what is in both: added, modified, removed.
pub fn diff(before: &[Policy], after: &[Policy]) -> [usize; 3] {
    let [mut added, mut modified, mut removed] = [0; 3];
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return [added, modified, removed],
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.name.cmp(&new.name),
        };
        match order {
            Ordering::Less => removed += usize::from(before.next().is_some()),
            Ordering::Greater => added += usize::from(after.next().is_some()),
            Ordering::Equal => modified += usize::from(before.next() != after.next()),
        }
    }
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

/// As [`diff`], of hashes: a join by the names'.
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
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}
