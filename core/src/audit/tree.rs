//! The Merkle tree of RFC 6962 (section 2.1) over SHA-256, kept as its compact frontier.

use sha2::{Digest, Sha256};

use super::INTEGER_LIMIT;
use crate::hash::{Hash, sha256};

/// The hash of a leaf: `SHA-256(0x00 ‖ body)`.
pub fn leaf_hash(body: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0x00])
        .chain_update(body)
        .finalize()
        .into()
}

/// The hash of an inner node. Its prefix differs from a leaf's, so that no node passes for a leaf.
pub(super) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([0x01])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// A complete subtree: the one over the leaves from `index << level` to before `(index + 1) << level`. On the level 0
/// it is a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The binary logarithm of its number of leaves.
    pub level: u32,
    /// How many subtrees of that level stand before it.
    pub index: u64,
}

/// An append-only Merkle tree, reduced to what appending and the root need.
///
/// ```
/// use lattice_core::audit::{Tree, leaf_hash};
///
/// let mut tree = Tree::new();
/// tree.append(leaf_hash(b"first"));
/// tree.append(leaf_hash(b"second"));
/// let stored = Tree::from_parts(tree.size(), tree.frontier().to_vec());
/// assert_eq!(stored, Some(tree));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    size: u64,
    // INVARIANT: one root for every bit set in `size`, largest subtree first.
    frontier: Vec<Hash>,
}

impl Tree {
    /// The empty tree; its root is the SHA-256 of no bytes.
    pub fn new() -> Tree {
        Tree::default()
    }

    /// The tree of `leaves`, in order.
    pub fn of(leaves: impl IntoIterator<Item = Hash>) -> Tree {
        let mut tree = Tree::new();
        for leaf in leaves {
            tree.append(leaf);
        }
        tree
    }

    /// A tree from its stored parts, as [`Tree::size`] and [`Tree::frontier`] gave them.
    ///
    /// `None` where they cannot belong together (the frontier has one root for every bit set in `size`), or
    /// where `size` is not below [`INTEGER_LIMIT`].
    pub fn from_parts(size: u64, frontier: Vec<Hash>) -> Option<Tree> {
        let roots = usize::try_from(size.count_ones()).ok()?;
        (size < INTEGER_LIMIT && frontier.len() == roots).then_some(Tree { size, frontier })
    }

    /// The number of leaves, which is the index of the next one.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees that the leaves form, largest first.
    pub fn frontier(&self) -> &[Hash] {
        &self.frontier
    }

    /// Appends a leaf, given as its [`leaf_hash`]. One node hash, averaged over many appends.
    pub fn append(&mut self, leaf: Hash) {
        self.append_with(leaf, |_, _| ());
    }

    /// Appends a leaf, and gives every subtree that it completes, from the leaf itself upwards.
    pub fn append_with(&mut self, leaf: Hash, mut completes: impl FnMut(Node, Hash)) {
        let index = self.size;
        completes(Node { level: 0, index }, leaf);
        // As in adding one to a binary number: every trailing one bit is a complete subtree as large as what
        // is carried, and joins it.
        let mut carry = leaf;
        for level in 1..=index.trailing_ones() {
            if let Some(left) = self.frontier.pop() {
                carry = node_hash(&left, &carry);
                let index = index >> level;
                completes(Node { level, index }, carry);
            }
        }
        self.frontier.push(carry);
        self.size += 1;
    }

    /// The root over all leaves. At most one node hash for every bit of the size.
    pub fn root(&self) -> Hash {
        self.frontier
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(|| sha256(b""))
    }
}
