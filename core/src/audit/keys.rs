//! Which key signs for a log, and since when: what the rotations in it say.

use super::{KeyType, Names, VerifyingKey};
use crate::hash::Hash;

/// A key that a log named as its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedKey {
    /// The key.
    pub key: VerifyingKey,
    /// The one that it took the place of, if there was one in use.
    pub before: Option<VerifyingKey>,
    /// How many events the log had with the one that names it. The checkpoint of this size is signed by both.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// The keys that a log named, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogKeys(Vec<NamedKey>);

impl LogKeys {
    /// The key that signs now; `None` where the log names none, and any key of its name may.
    pub fn current(&self) -> Option<&NamedKey> {
        self.0.last()
    }

    /// Every key that the log named or put out of use.
    pub fn known(&self) -> impl Iterator<Item = &VerifyingKey> {
        let keys = self.0.iter();
        keys.flat_map(|named| named.before.iter().chain([&named.key]))
    }

    /// Whether `key` signs checkpoints of so many events.
    pub fn may_sign(&self, key: &VerifyingKey, size: u64) -> bool {
        match self.0.iter().rev().find(|named| named.size <= size) {
            None => true,
            Some(named) => {
                named.key == *key || (named.size == size && named.before.as_ref() == Some(key))
            }
        }
    }

    /// Takes the names of a rotation of `log`, which has so many events and the root over them with it.
    pub(super) fn rotate(
        &mut self,
        log: &str,
        names: &Names,
        size: u64,
        root: Hash,
    ) -> Result<(), String> {
        let read = |text: &String| {
            let key = VerifyingKey::parse(text).map_err(|error| error.message().to_owned())?;
            if key.key_type() == KeyType::Log && key.name() == log {
                Ok(key)
            } else {
                Err("the event names a key of another log, or of a witness".to_owned())
            }
        };
        let key = names.added.first().map(read).transpose()?;
        let key = key.ok_or("the event names no key")?;
        let before = names.deactivated.first().map(read).transpose()?;
        if self.known().any(|known| *known == key) || before.as_ref() == Some(&key) {
            return Err("the event names a key that was in use before".to_owned());
        }
        if let Some(current) = self.current()
            && before.as_ref() != Some(&current.key)
        {
            return Err(
                "the event does not name the key before, which signed until then".to_owned(),
            );
        }
        self.0.push(NamedKey {
            key,
            before,
            size,
            root,
        });
        Ok(())
    }
}
