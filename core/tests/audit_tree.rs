//! The Merkle tree against public vectors and an independent implementation.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use lattice_core::audit::{INTEGER_LIMIT, Tree, leaf_hash};
use lattice_core::hash::{Hash, hex, parse_hex, sha256};
use proptest::prelude::*;
use sha2::Sha256;

/// `LeafInputs`, node hashes and `RootHashes` of transparency-dev/merkle, `testonly/constants.go`: for every leaf,
/// the frontier and the root of the tree that ends with it.
const VECTORS: [(&[u8], &[&str], &str); 8] = [
    (b"", &[L0], L0),
    (b"\x00", &[N01], N01),
    (
        b"\x10",
        &[N01, L2],
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    ),
    (b"\x20\x21", &[N03], N03),
    (
        b"\x30\x31",
        &[N03, L4],
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    ),
    (
        b"\x40\x41\x42\x43",
        &[N03, N45],
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    ),
    (
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        &[N03, N45, L6],
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    ),
    (
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        &[N07],
        N07,
    ),
];
const L0: &str = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
const L2: &str = "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7";
const L4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const L6: &str = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f";
const N01: &str = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125";
const N45: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const N03: &str = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
const N07: &str = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn hexes(tree: &Tree) -> (u64, Vec<String>, String) {
    let frontier = tree.frontier().iter().map(|hash| hex(hash)).collect();
    (tree.size(), frontier, hex(&tree.root()))
}

#[test]
fn public_vectors() {
    let mut tree = Tree::new();
    assert_eq!(hexes(&tree), (0, vec![], EMPTY.to_owned()));
    for (size, (leaf, frontier, root)) in (1..).zip(VECTORS) {
        tree.append(leaf_hash(leaf));
        let frontier = frontier.iter().map(|&hash| hash.to_owned()).collect();
        assert_eq!(hexes(&tree), (size, frontier, root.to_owned()));
    }
}

/// The roots of all trees over the first leaves, by `ct-merkle`.
fn oracle(leaves: &[Vec<u8>]) -> Vec<Hash> {
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut roots = vec![(*tree.root().as_bytes()).into()];
    for leaf in leaves {
        tree.push(leaf.clone());
        roots.push((*tree.root().as_bytes()).into());
    }
    roots
}

/// The same by [`Tree`], which is stored and loaded before every append.
fn ours(leaves: &[Vec<u8>]) -> Option<Vec<Hash>> {
    let mut tree = Tree::new();
    let mut roots = vec![tree.root()];
    for leaf in leaves {
        tree = Tree::from_parts(tree.size(), tree.frontier().to_vec())?;
        tree.append(leaf_hash(leaf));
        roots.push(tree.root());
    }
    Some(roots)
}

#[test]
fn every_size_agrees_with_ct_merkle() {
    let leaves: Vec<_> = (0..300_u32).map(|n| n.to_be_bytes().to_vec()).collect();
    assert_eq!(ours(&leaves), Some(oracle(&leaves)));
    let whole = Tree::of(leaves.iter().map(|leaf| leaf_hash(leaf)));
    assert_eq!(Some(&whole.root()), oracle(&leaves).last());
}

proptest! {
    #[test]
    fn any_leaves_agree_with_ct_merkle(
        leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..70),
    ) {
        prop_assert_eq!(ours(&leaves), Some(oracle(&leaves)));
    }

    #[test]
    fn hex_round_trips(hash in any::<Hash>()) {
        prop_assert_eq!(parse_hex(&hex(&hash)), Some(hash));
    }
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let rows = [
        (0, 0, true),
        (0, 1, false),
        (1, 0, false),
        (1, 1, true),
        (6, 2, true),
        (6, 3, false),
        (INTEGER_LIMIT - 1, 53, true),
        (INTEGER_LIMIT, 1, false),
        (u64::MAX, 64, false),
    ];
    for (size, roots, accepted) in rows {
        let tree = Tree::from_parts(size, vec![[7; 32]; roots]);
        assert_eq!(tree.is_some(), accepted, "size {size}, {roots} roots");
    }
}

#[test]
fn digests_have_one_spelling() {
    let zeros = "0".repeat(64);
    let rows = [
        (zeros.clone(), Some([0; 32])),
        (EMPTY.to_owned(), Some(sha256(b""))),
        (EMPTY.to_uppercase(), None),
        (String::new(), None),
        ("0".repeat(63), None),
        ("0".repeat(66), None),
        (format!("0x{}", "0".repeat(62)), None),
        (format!("sha256:{zeros}"), None),
        (format!("{}g", "0".repeat(63)), None),
        ("é".repeat(32), None),
    ];
    for (text, hash) in rows {
        assert_eq!(parse_hex(&text), hash, "{text}");
    }
    assert_eq!(hex(&[0x00, 0x09, 0x0a, 0x9f, 0xff]), "00090a9fff");
}
