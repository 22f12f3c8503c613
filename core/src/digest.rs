//! The state digest, which equal policies and only they share.

use sha2::{Digest, Sha256};

use crate::canonical;
use crate::hash::{Hash, sha256};
use crate::policy::{Policy, PolicySet};

/// Separates state digests from every other use of SHA-256.
const DOMAIN: &str = "al.state/v1\n";

impl PolicySet {
    /// SHA-256 over the canonical form of the policies.
    ///
    /// ```
    /// use lattice_core::{Manifest, hash};
    ///
    /// let empty = Manifest::parse(b"manifest_version: '1.0'\npolicies: []\n")?;
    /// assert_eq!(empty.policies().digest(), hash::sha256(b"al.state/v1\n[]"));
    /// # Ok::<(), lattice_core::Error>(())
    /// ```
    pub fn digest(&self) -> Hash {
        let mut state = StateHash::new();
        for policy in self.iter() {
            canonical::policy(state.next(), policy, policy.name());
        }
        state.finish()
    }
}

/// A state digest in the making.
struct StateHash {
    hash: Sha256,
    /// What is still to be hashed: one long text takes less time than many short ones.
    text: String,
    is_empty: bool,
}

impl StateHash {
    /// As many bytes are hashed at once, and still stay close.
    const ENOUGH: usize = 16 * 1024;

    fn new() -> Self {
        Self {
            hash: Sha256::new(),
            text: [DOMAIN, "["].concat(),
            is_empty: true,
        }
    }

    /// Where the next policy in name order is to be added.
    fn next(&mut self) -> &mut String {
        if self.text.len() >= Self::ENOUGH {
            self.hash.update(&self.text);
            self.text.clear();
        }
        if !self.is_empty {
            self.text.push(',');
        }
        self.is_empty = false;
        &mut self.text
    }

    fn finish(mut self) -> Hash {
        self.text.push(']');
        self.hash.update(&self.text);
        self.hash.finalize().into()
    }
}

impl Policy {
    /// A digest of all but the name, for finding policies that only changed theirs.
    pub(crate) fn body_digest(&self) -> Hash {
        let mut json = String::new();
        canonical::policy(&mut json, self, "");
        sha256(json.as_bytes())
    }
}
