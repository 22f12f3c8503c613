//! Inclusion and consistency proofs against an independent implementation, public vectors and a real log.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly, and tables are long"
)]

use std::collections::BTreeMap;
use std::convert::Infallible;

use base64ct::{Base64, Encoding};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use lattice_core::audit::{
    Node, Tree, consistency_proof, inclusion_proof, leaf_hash, root_of, verify_consistency,
    verify_inclusion,
};
use lattice_core::hash::{Hash, sha256};
use proptest::prelude::*;
use serde::Deserialize;
use sha2::Sha256;

/// All pairs are compared up to here.
const LEAVES: u64 = 256;

fn body(index: u64) -> Vec<u8> {
    format!("event {index}").into_bytes()
}

/// What a store keeps: the hash of every complete subtree, and here the root of every size too.
struct Store {
    nodes: BTreeMap<Node, Hash>,
    roots: Vec<Hash>,
}

impl Store {
    fn of(leaves: u64) -> Self {
        let mut tree = Tree::new();
        let mut nodes = BTreeMap::new();
        let mut roots = vec![tree.root()];
        for index in 0..leaves {
            tree.append_with(leaf_hash(&body(index)), |node, hash| {
                assert_eq!(nodes.insert(node, hash), None, "{node:?}");
            });
            roots.push(tree.root());
        }
        Self { nodes, roots }
    }

    fn hash_of(&self) -> impl FnMut(Node) -> Result<Hash, Infallible> + '_ {
        |node| Ok(self.nodes[&node])
    }

    fn leaf(&self, index: u64) -> &Hash {
        &self.nodes[&Node { level: 0, index }]
    }

    /// The root that a checkpoint of that size has; none is known past the end.
    fn root(&self, size: u64) -> Option<&Hash> {
        self.roots.get(usize::try_from(size).unwrap())
    }

    fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        let Ok(proof) = inclusion_proof(index, size, &mut self.hash_of());
        proof
    }

    /// Whether `proof` shows that the leaf `at` is the leaf `index` of the first `size` ones.
    fn includes(&self, at: u64, index: u64, size: u64, proof: &[Hash]) -> bool {
        self.root(size)
            .is_some_and(|root| verify_inclusion(self.leaf(at), index, proof, size, root))
    }

    fn consistency(&self, old: u64, size: u64) -> Vec<Hash> {
        let Ok(proof) = consistency_proof(old, size, &mut self.hash_of());
        proof
    }

    fn extends(&self, old: u64, size: u64, proof: &[Hash]) -> bool {
        let roots = self.root(old).zip(self.root(size));
        roots.is_some_and(|(old_root, root)| verify_consistency(old, old_root, size, root, proof))
    }
}

/// All bits of the proofs of this pair are flipped: all pairs of small trees, and of large ones those at the edges of
/// their complete subtrees. Of the other pairs it is one bit of every hash, another one from pair to pair.
fn is_flipped_whole(low: u64, size: u64) -> bool {
    let edges = [0, 1, size / 2, size - 1];
    let is_edge =
        size.is_power_of_two() || (size - 1).is_power_of_two() || (size + 1).is_power_of_two();
    size <= 32 || is_edge && edges.contains(&low)
}

/// Whether none of the proofs `holds` that differ from `proof` in one bit, or in one hash that was dropped, doubled or
/// added.
fn is_rigid(low: u64, size: u64, proof: &[Hash], holds: impl Fn(&[Hash]) -> bool) -> bool {
    let bits = if is_flipped_whole(low, size) {
        0..256
    } else {
        let bit = usize::try_from((low * 31 + size) % 256).unwrap();
        bit..bit + 1
    };
    let with = |at: usize, hash: Hash| {
        let mut other = proof.to_vec();
        other.insert(at, hash);
        other
    };
    let without = |at: usize| {
        let mut other = proof.to_vec();
        other.remove(at);
        other
    };
    let flipped = |at: usize, bit: usize| {
        let mut other = proof.to_vec();
        other[at][bit / 8] ^= 1 << (bit % 8);
        other
    };
    let all = 0..proof.len();
    all.clone().all(|at| {
        bits.clone().all(|bit| !holds(&flipped(at, bit)))
            && !holds(&without(at))
            && !holds(&with(at, proof[at]))
    }) && (0..=proof.len()).all(|at| !holds(&with(at, sha256(b""))))
}

#[test]
fn every_inclusion_agrees_with_ct_merkle() {
    let store = Store::of(LEAVES);
    let mut oracle = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=LEAVES {
        oracle.push(body(size - 1));
        for index in 0..size {
            let proof = store.inclusion(index, size);
            let expected = oracle.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(
                (
                    proof.as_flattened(),
                    store.includes(index, index, size, &proof)
                ),
                (expected.as_bytes(), true),
                "{index} of {size}"
            );
            let found = |index, size| store.includes(index, index, size, &proof);
            let moved = |other: u64| store.includes(index, other, size, &proof);
            assert_eq!(
                [
                    // The leaf at the place of a neighbour, and a neighbour at its place.
                    moved(index + 1) || moved(index.wrapping_sub(1)),
                    index + 1 < size && store.includes(index + 1, index, size, &proof),
                    // The smaller and the larger tree.
                    found(index, size - 1) || found(index, size + 1),
                    !is_rigid(index, size, &proof, |other| {
                        store.includes(index, index, size, other)
                    }),
                ],
                [false; 4],
                "{index} of {size}"
            );
        }
    }
}

#[test]
fn every_consistency_agrees_with_ct_merkle() {
    let store = Store::of(LEAVES);
    let mut oracle = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=LEAVES {
        oracle.push(body(size - 1));
        for old in 1..=size {
            let proof = store.consistency(old, size);
            let expected = oracle.prove_consistency(usize::try_from(size - old).unwrap());
            assert_eq!(
                (proof.as_flattened(), store.extends(old, size, &proof)),
                (expected.as_bytes(), true),
                "{old} to {size}"
            );
            // The proof of two equal trees is empty, as is that from the empty one.
            let is_empty = |old| old == 0 && proof.is_empty();
            assert_eq!(
                [
                    store.extends(old - 1, size, &proof) && !is_empty(old - 1),
                    store.extends(old + 1, size, &proof),
                    store.extends(old, size - 1, &proof),
                    store.extends(old, size + 1, &proof),
                    // The two the other way round.
                    old != size && store.extends(size, old, &proof),
                    !is_rigid(old, size, &proof, |other| store.extends(old, size, other)),
                ],
                [false; 6],
                "{old} to {size}"
            );
        }
    }
}

/// What a store keeps gives back the root of every earlier size.
#[test]
fn roots_from_subtrees() {
    let store = Store::of(LEAVES);
    for size in 1..=LEAVES {
        let Ok(root) = root_of(size, &mut store.hash_of());
        assert_eq!(Some(&root), store.root(size), "{size}");
    }
}

/// Nothing to prove, and nothing that could be: the proof is empty, and no store is asked.
#[test]
fn proofs_of_nothing() {
    let never = |node: Node| Err::<Hash, _>(node);
    let inclusions = [(0, 0), (1, 1), (7, 3), (u64::MAX, 0)];
    for (index, size) in inclusions {
        let proof = inclusion_proof(index, size, &mut { never });
        assert_eq!(proof, Ok(vec![]), "{index} of {size}");
        let holds = verify_inclusion(&[0; 32], index, &[], size, &[0; 32]);
        assert!(!holds, "{index} of {size}");
    }
    // The old size, the size, and whether the empty proof holds.
    let consistencies = [
        (0, 0, true),
        (0, 9, true),
        (9, 9, true),
        (9, 0, false),
        (10, 9, false),
        (u64::MAX, 9, false),
    ];
    for (old, size, holds) in consistencies {
        let proof = consistency_proof(old, size, &mut { never });
        assert_eq!(proof, Ok(vec![]), "{old} to {size}");
        let found = verify_consistency(old, &[0; 32], size, &[0; 32], &[]);
        assert_eq!(found, holds, "{old} to {size}");
    }
    assert!(!verify_consistency(0, &[0; 32], 9, &[0; 32], &[[0; 32]]));
    assert!(!verify_consistency(9, &[0; 32], 9, &[1; 32], &[]));
}

/// The first node that a store does not have ends the proof.
#[test]
fn what_the_store_lacks_is_its_error() {
    let lacks = |node: Node| Err::<Hash, _>(node);
    let node = |level, index| Node { level, index };
    assert_eq!(root_of(6, &mut { lacks }), Err(node(2, 0)));
    assert_eq!(inclusion_proof(0, 6, &mut { lacks }), Err(node(1, 2)));
    assert_eq!(consistency_proof(3, 6, &mut { lacks }), Err(node(1, 2)));
}

fn hashes(texts: &[String]) -> Option<Vec<Hash>> {
    texts.iter().map(|text| hash(text)).collect()
}

fn hash(text: &str) -> Option<Hash> {
    Base64::decode_vec(text).unwrap().try_into().ok()
}

/// `testdata/merkle.json`: see the README there.
#[derive(Deserialize)]
struct Vectors {
    inclusion: Vec<Inclusion>,
    consistency: Vec<Consistency>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    file: String,
    leaf_idx: u64,
    tree_size: u64,
    root: String,
    leaf_hash: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    file: String,
    size1: u64,
    size2: u64,
    root1: String,
    root2: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../testdata/audit/merkle.json")).unwrap()
}

#[test]
fn public_inclusions() {
    let vectors = vectors().inclusion;
    let holds = |row: &Inclusion| {
        let proof = hashes(row.proof.as_deref().unwrap_or_default())?;
        let (leaf, root) = (hash(&row.leaf_hash)?, hash(&row.root)?);
        let holds = verify_inclusion(&leaf, row.leaf_idx, &proof, row.tree_size, &root);
        Some(holds)
    };
    for row in &vectors {
        // A hash of another length is none, and cannot even be asked about.
        assert_eq!(holds(row).unwrap_or(false), !row.want_err, "{}", row.file);
    }
    let refused = vectors.iter().filter(|row| row.want_err).count();
    assert_eq!((vectors.len(), refused), (98, 92));
}

#[test]
fn public_consistencies() {
    let vectors = vectors().consistency;
    // Some of the vectors have a word as their root; its hash is as good a root that is of no tree.
    let root =
        |text: &str| hash(text).unwrap_or_else(|| sha256(&Base64::decode_vec(text).unwrap()));
    let holds = |row: &Consistency| {
        let proof = hashes(row.proof.as_deref().unwrap_or_default());
        proof.is_some_and(|proof| {
            let (old, new) = (root(&row.root1), root(&row.root2));
            verify_consistency(row.size1, &old, row.size2, &new, &proof)
        })
    };
    let differ = vectors.iter().filter(|row| holds(row) == row.want_err);
    let differ: Vec<_> = differ.map(|row| (row.size1, row.file.as_str())).collect();
    // Their verifier refuses every question about the empty tree. Here, as for a witness, every tree extends it by
    // the empty proof, and whose root it is said to have is for the checkpoint to say.
    assert_eq!(
        differ,
        [
            (0, "additional/size1-is-zero-and-does-not-equal-size2"),
            (0, "additional/size1-is-zero-and-size2-is-not-zero"),
            (0, "additional/sizes-are-equal-zero-and-proof-is-empty"),
        ]
    );
    let refused = vectors.iter().filter(|row| row.want_err).count();
    assert_eq!((vectors.len(), refused), (98, 92));
}

/// `testdata/argon2020.json`: see the README there.
#[derive(Deserialize)]
struct Argon2020 {
    tree_size: u64,
    sha256_root_hash: String,
    leaf_index: u64,
    leaf_input: String,
    audit_path: Vec<String>,
    first: u64,
    first_root_hash: String,
    consistency: Vec<String>,
}

#[test]
fn a_real_log_of_961_984_011_leaves() {
    let log: Argon2020 =
        serde_json::from_str(include_str!("../testdata/audit/argon2020.json")).unwrap();
    assert_eq!(
        (log.tree_size, log.leaf_index, log.first),
        (961_984_011, 10_000, 3_654_490)
    );
    let root = hash(&log.sha256_root_hash).unwrap();
    let leaf = leaf_hash(&Base64::decode_vec(&log.leaf_input).unwrap());
    let path = hashes(&log.audit_path).unwrap();
    let includes =
        |index, path: &[Hash]| verify_inclusion(&leaf, index, path, log.tree_size, &root);
    assert!(includes(log.leaf_index, &path));
    assert!(!includes(log.leaf_index + 1, &path));
    assert!(is_rigid(0, 1, &path, |other| includes(
        log.leaf_index,
        other
    )));

    let old_root = hash(&log.first_root_hash).unwrap();
    let proof = hashes(&log.consistency).unwrap();
    let extends =
        |old, proof: &[Hash]| verify_consistency(old, &old_root, log.tree_size, &root, proof);
    assert!(extends(log.first, &proof));
    assert!(!extends(log.first + 1, &proof));
    assert!(is_rigid(0, 1, &proof, |other| extends(log.first, other)));
}

proptest! {
    /// Whatever is claimed: no panic, and no proof of hashes that were made up.
    #[test]
    fn made_up_proofs(
        leaf in any::<Hash>(), root in any::<Hash>(),
        low in any::<u64>(), size in any::<u64>(),
        proof in prop::collection::vec(any::<Hash>(), 0..70),
    ) {
        prop_assert!(!verify_inclusion(&leaf, low, &proof, size, &root));
        let is_of_nothing = proof.is_empty() && low == 0;
        prop_assert!(is_of_nothing || !verify_consistency(low, &leaf, size, &root, &proof));
    }

    /// Paths are no longer than a tree is high (and one for the old tree), and ask for complete subtrees alone.
    #[test]
    fn paths_of_large_trees(low in 0..1_u64 << 53, size in 1..1_u64 << 53) {
        let mut ask = |node: Node| {
            let end = (node.index + 1).checked_shl(node.level);
            if end.is_some_and(|end| end <= size) { Ok([7; 32]) } else { Err(node) }
        };
        prop_assert!(root_of(size, &mut ask).is_ok());
        prop_assert!(inclusion_proof(low, size, &mut ask).is_ok_and(|proof| proof.len() <= 53));
        prop_assert!(consistency_proof(low, size, &mut ask).is_ok_and(|proof| proof.len() <= 54));
    }
}
