//! Proofs of RFC 6962 (section 2.1): that an event is in a tree, and that a tree extends an older one.
//!
//! A proof is made from the hashes of complete subtrees, which a store keeps, and checked from the proof alone.

use super::Node;
use super::tree::node_hash;
use crate::hash::Hash;

/// The root of the first `size` leaves, from the hashes of complete subtrees. `size` is not 0.
///
/// # Errors
///
/// The first that `hash_of` gives.
pub fn root_of<E>(size: u64, hash_of: &mut dyn FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    subtree(0, size, hash_of)
}

/// The proof that the leaf `index` is in the tree of the first `size` leaves: from its sibling up to the child of the
/// root. At most 53 hashes.
///
/// It is empty, and verifies nothing, where `index` is not below `size`.
///
/// # Errors
///
/// The first that `hash_of` gives.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    hash_of: &mut dyn FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let mut proof = Vec::new();
    if index >= size {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        let (here, sibling) = if index < middle {
            ((start, middle), (middle, end))
        } else {
            ((middle, end), (start, middle))
        };
        (start, end) = here;
        proof.push(subtree(sibling.0, sibling.1, hash_of)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of the first `size` leaves extends that of the first `old` ones.
///
/// It is empty where there is nothing to prove (`old` is 0 or `size`), and where `old` is larger.
///
/// # Errors
///
/// The first that `hash_of` gives.
pub fn consistency_proof<E>(
    old: u64,
    size: u64,
    hash_of: &mut dyn FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let mut proof = Vec::new();
    if old == 0 || old >= size {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, size);
    while old != end {
        let middle = start + split(end - start);
        let sibling = if old <= middle {
            let right = (middle, end);
            end = middle;
            right
        } else {
            let left = (start, middle);
            start = middle;
            left
        };
        proof.push(subtree(sibling.0, sibling.1, hash_of)?);
    }
    // The old tree itself, unless whoever checks has its root already.
    if start > 0 {
        proof.push(subtree(start, end, hash_of)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether `proof` shows that the leaf with the hash `leaf` is the leaf `index` of the tree with that size and root.
pub fn verify_inclusion(leaf: &Hash, index: u64, proof: &[Hash], size: u64, root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let mut hash = *leaf;
    let arrives = climb(index, size - 1, proof, |side, sibling| {
        hash = match side {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    });
    arrives && hash == *root
}

/// Whether `proof` shows that the tree of `size` leaves with the root `root` extends the one of `old` leaves with
/// `old_root`.
///
/// Every tree extends the empty one, by an empty proof; whether `old_root` is the root of the empty tree is for the
/// caller to say.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> bool {
    if old > size {
        return false;
    }
    if old == size {
        return proof.is_empty() && old_root == root;
    }
    if old == 0 {
        return proof.is_empty();
    }
    let (first, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        match proof.split_first() {
            Some(split) => split,
            None => return false,
        }
    };
    // From the complete subtree that the old tree ends with.
    let level = old.trailing_zeros();
    let (mut old_hash, mut hash) = (*first, *first);
    let arrives = climb(
        (old - 1) >> level,
        (size - 1) >> level,
        rest,
        |side, sibling| {
            match side {
                Side::Left => {
                    old_hash = node_hash(sibling, &old_hash);
                    hash = node_hash(sibling, &hash);
                }
                // The old tree ends before it.
                Side::Right => hash = node_hash(&hash, sibling),
            }
        },
    );
    arrives && old_hash == *old_root && hash == *root
}

/// On which side of the way up a sibling stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Goes up from the node `at` of a level whose last node is `last`, and meets a sibling wherever there is one. Whether the
/// way ends at the root just when the siblings do.
fn climb(mut at: u64, mut last: u64, siblings: &[Hash], mut meet: impl FnMut(Side, &Hash)) -> bool {
    for sibling in siblings {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            meet(Side::Left, sibling);
            // Levels on which the right edge has no sibling.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            meet(Side::Right, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0
}

/// The hash over the leaves from `start` to before `end`.
//
// INVARIANT: `start` is a multiple of the smallest power of two that is not below `end - start`; so every power of two
// of leaves split off below is a complete subtree.
fn subtree<E>(
    start: u64,
    end: u64,
    hash_of: &mut dyn FnMut(Node) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let size = end.saturating_sub(start);
    if size.is_power_of_two() {
        let level = size.trailing_zeros();
        return hash_of(Node {
            level,
            index: start >> level,
        });
    }
    let middle = start + split(size);
    let left = subtree(start, middle, hash_of)?;
    let right = subtree(middle, end, hash_of)?;
    Ok(node_hash(&left, &right))
}

/// The largest power of two below `size`, which is 2 or more.
fn split(size: u64) -> u64 {
    1 << (size.saturating_sub(1)).checked_ilog2().unwrap_or(0)
}
