//! What the threads of one run make once and share.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

/// Values by their texts, or by whatever else they are looked up with.
///
/// It is not locked while a value is being made: of what two threads make at once the first is kept, and either would
/// do.
#[derive(Debug)]
pub(super) struct Shared<K, V>(Mutex<HashMap<K, V, RandomState>>);

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Shared<K, V> {
    /// What is kept for a text.
    pub(super) fn get<Q>(&self, text: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let kept = self.lock();
        let (key, value) = kept.get_key_value(text)?;
        Some((key.clone(), value.clone()))
    }

    /// Keeps a value, unless there is one for the text already, and returns what is kept.
    pub(super) fn keep(&self, text: K, value: V) -> (K, V) {
        match self.lock().entry(text.clone()) {
            Entry::Occupied(kept) => (kept.key().clone(), kept.get().clone()),
            Entry::Vacant(place) => (text, place.insert(value).clone()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, V, RandomState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_first_is_kept() {
        let shared: Shared<Arc<str>, u8> = Shared::default();
        assert_eq!(shared.get("a"), None);
        let (first, _) = shared.keep("a".into(), 1);
        let (kept, value) = shared.keep("a".into(), 2);
        assert_eq!(value, 1);
        assert!(Arc::ptr_eq(&first, &kept));
        assert_eq!(shared.get("a"), Some((first, 1)));
    }
}
