//! What a log gives to those who cannot see it: its head, the proof of one event, and the proof that it was extended.

use std::collections::{BTreeMap, BTreeSet};

use lattice_core::audit::{
    Checkpoint, Extension, Node, Proof, SigningKey, Tree, consistency_proof, inclusion_proof,
    leaf_hash, root_of, verify_consistency,
};
use lattice_core::hash::Hash;
use lattice_core::{Code, Error};

use crate::events::{self, tampered};
use crate::reader::Reader;
use crate::store::PAGE_RECORDS;
use crate::verify::{Proven, expect_own};

impl Reader {
    /// The proof that the event `seq` is in the log of a checkpoint: of `kept`, or of the log as it stands. It can be
    /// checked by itself ([`Proof::check`]).
    ///
    /// It is made from stored hashes, or from the events where those do not lead anywhere; the log is not verified as a whole.
    ///
    /// # Errors
    ///
    /// `USAGE` where the log has no such event, or had none yet at the checkpoint; `AUDIT_TAMPERED` where the log does not
    /// extend the checkpoint, or what is stored does not make a proof that holds; `INVALID_SERVICE_KEY` for an agent's key;
    /// `STORE_UNAVAILABLE`.
    pub fn prove(&self, seq: u64, kept: Option<&Checkpoint>) -> Result<Proof, Error> {
        self.require_service_key()?;
        if let Some(kept) = kept {
            expect_own(kept, &self.log_name())?;
        }
        let tree = self.tree()?;
        let stored = self.proof(seq, kept, &tree, &mut |node| self.stored(node));
        match stored {
            // The stored hashes are a shortcut. Where they do not lead anywhere, the events themselves decide.
            Err(error) if error.code() == Code::AuditTampered => {
                let size = kept.map_or(tree.size(), Checkpoint::size);
                let hashes = self.computed(size, |want| {
                    if size > 0 {
                        root_of(size, want)?;
                    }
                    inclusion_proof(seq, size, want).map(drop)
                })?;
                self.proof(seq, kept, &tree, &mut |node| {
                    hashes.get(&node).copied().ok_or_else(missing)
                })
            }
            proof => proof,
        }
    }

    /// The proof that some hashes of complete subtrees make, if they do.
    fn proof(
        &self,
        seq: u64,
        kept: Option<&Checkpoint>,
        tree: &Tree,
        hash_of: &mut dyn FnMut(Node) -> Result<Hash, Error>,
    ) -> Result<Proof, Error> {
        let checkpoint = match kept {
            Some(kept) => {
                expect_extends(kept, tree, hash_of)?;
                kept.clone()
            }
            None => Checkpoint::of(&self.log_name(), tree),
        };
        let body = self.body(seq)?;
        if seq >= checkpoint.size() {
            let message = format!(
                "the event `{seq}` came after the checkpoint of {} events",
                checkpoint.size()
            );
            return Err(Error::new(Code::Usage, message).with_help(
                "give a later checkpoint, or none to prove against the log as it stands",
            ));
        }
        let proof = Proof {
            body,
            index: seq,
            hashes: inclusion_proof(seq, checkpoint.size(), hash_of)?,
            checkpoint,
        };
        let (_, reason) = proof.check(&[], &[])?;
        match reason {
            None => Ok(proof),
            Some(reason) => Err(tampered(&format!(
                "the events of the audit log are not those of its head: {reason}"
            ))),
        }
    }

    /// The hashes of subtrees of the first `size` events that `ask` asks for, as the stored events make them.
    fn computed(
        &self,
        size: u64,
        ask: impl FnOnce(&mut dyn FnMut(Node) -> Result<Hash, Error>) -> Result<(), Error>,
    ) -> Result<BTreeMap<Node, Hash>, Error> {
        let mut wanted = BTreeSet::new();
        ask(&mut |node| {
            wanted.insert(node);
            Ok(Hash::default())
        })?;
        let (mut tree, mut hashes) = (Tree::new(), BTreeMap::new());
        loop {
            let page = self.records(tree.size(), PAGE_RECORDS)?;
            for record in &page {
                tree.append_with(leaf_hash(&record.body), |node, hash| {
                    if wanted.contains(&node) {
                        hashes.insert(node, hash);
                    }
                });
            }
            if page.is_empty() || tree.size() >= size {
                return Ok(hashes);
            }
        }
    }

    /// As [`Reader::prove`]; where there is a `signer` and no checkpoint, the proof leads to a head that it signed.
    ///
    /// # Errors
    ///
    /// As [`Reader::prove`] and [`Reader::signed_head`].
    pub fn prove_signed(
        &self,
        seq: u64,
        kept: Option<Checkpoint>,
        signer: Option<&SigningKey>,
    ) -> Result<Proof, Error> {
        let checkpoint = match (kept, signer) {
            (None, Some(_)) => Some(self.signed_head(signer)?),
            (kept, _) => kept,
        };
        self.prove(seq, checkpoint.as_ref())
    }

    /// The checkpoint of the log, which verifies, signed if there is a `signer`.
    ///
    /// # Errors
    ///
    /// As [`Reader::expect_log`] and [`Proven::expect_signer`].
    pub fn signed_head(&self, signer: Option<&SigningKey>) -> Result<Checkpoint, Error> {
        let proven = self.expect_log(None)?;
        signed(&proven, signer)
    }

    /// The proof that the log as it stands extends a checkpoint that was kept, or any log does: what a witness asks for.
    ///
    /// # Errors
    ///
    /// `AUDIT_TAMPERED` where the log does not extend the checkpoint or does not verify; `INVALID_SERVICE_KEY` for an
    /// agent's key; `STORE_UNAVAILABLE`.
    pub fn prove_extension(
        &self,
        kept: Option<&Checkpoint>,
        signer: Option<&SigningKey>,
    ) -> Result<Extension, Error> {
        // A witness is asked to vouch for the head: it is computed from the events, not taken from what is stored.
        if let Some(kept) = kept {
            expect_own(kept, &self.log_name())?;
        }
        let checkpoint = signed(&self.expect_log(kept)?, signer)?;
        let (old, size) = (kept.map_or(0, Checkpoint::size), checkpoint.size());
        let holds = |hashes: &Vec<Hash>| {
            kept.is_none_or(|kept| {
                verify_consistency(old, kept.root(), size, checkpoint.root(), hashes)
            })
        };
        let stored = consistency_proof(old, size, &mut |node| self.stored(node));
        let hashes = match stored {
            Ok(hashes) if holds(&hashes) => hashes,
            Err(error) if error.code() != Code::AuditTampered => return Err(error),
            // The log verifies: it is the stored hashes that are not its own.
            _ => {
                let hashes =
                    self.computed(size, |want| consistency_proof(old, size, want).map(drop))?;
                consistency_proof(old, size, &mut |node| {
                    hashes.get(&node).copied().ok_or_else(missing)
                })?
            }
        };
        Ok(Extension {
            old,
            hashes,
            checkpoint,
        })
    }

    fn tree(&self) -> Result<Tree, Error> {
        events::tree(&*self.read, &self.workspace.id)
    }

    fn body(&self, seq: u64) -> Result<Vec<u8>, Error> {
        Ok(self.event(seq)?.leaf.to_bytes())
    }

    /// The hash of a complete subtree as it is stored.
    fn stored(&self, node: Node) -> Result<Hash, Error> {
        let hash = self.read.node(&self.workspace.id, node)?;
        hash.ok_or_else(missing)
    }
}

/// Refuses a checkpoint that the log does not extend, as some hashes say.
fn expect_extends(
    kept: &Checkpoint,
    tree: &Tree,
    hash_of: &mut dyn FnMut(Node) -> Result<Hash, Error>,
) -> Result<(), Error> {
    let size = kept.size();
    let what = if size > tree.size() {
        let events = tree.size();
        format!("it counts {size} events, and the log holds {events}")
    } else if size > 0 && root_of(size, hash_of)? != *kept.root() {
        format!("its first {size} events are others")
    } else {
        return Ok(());
    };
    Err(tampered(&format!(
        "the log does not extend the checkpoint: {what}"
    )))
}

/// The head of a log, signed if there is a `signer`.
fn signed(proven: &Proven, signer: Option<&SigningKey>) -> Result<Checkpoint, Error> {
    let checkpoint = proven.checkpoint();
    let Some(signer) = signer else {
        return Ok(checkpoint);
    };
    proven.expect_signer(signer)?;
    checkpoint.signed(signer)
}

fn missing() -> Error {
    tampered("an event of the audit log is missing")
}
