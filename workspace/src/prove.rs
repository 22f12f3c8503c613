//! What a log gives to those who cannot see it: its head, the proof of one event, and the proof that it was extended.

use lattice_core::audit::{
    Checkpoint, Extension, Node, Proof, SigningKey, Tree, consistency_proof, inclusion_proof,
    root_of, verify_consistency,
};
use lattice_core::hash::Hash;
use lattice_core::{Code, Error};

use crate::events::{self, tampered};
use crate::reader::Reader;

impl Reader {
    /// The proof that the event `seq` is in the log of a checkpoint: of `kept`, or of the log as it stands. It can be
    /// checked by itself ([`Proof::check`]).
    ///
    /// It is read from stored hashes; the log is not verified as a whole.
    ///
    /// # Errors
    ///
    /// `USAGE` where the log has no such event, or had none yet at the checkpoint; `AUDIT_TAMPERED` where the log does not
    /// extend the checkpoint, or what is stored does not make a proof that holds; `INVALID_SERVICE_KEY` for an agent's key;
    /// `STORE_UNAVAILABLE`.
    pub fn prove(&self, seq: u64, kept: Option<&Checkpoint>) -> Result<Proof, Error> {
        self.require_service_key()?;
        let tree = self.tree()?;
        let checkpoint = match kept {
            Some(kept) => {
                self.expect_extends(kept, &tree)?;
                kept.clone()
            }
            None => Checkpoint::of(&self.log_name(), &tree),
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
        let hashes = inclusion_proof(seq, checkpoint.size(), &mut self.hashes())?;
        let proof = Proof {
            body,
            index: seq,
            hashes,
            checkpoint,
        };
        let (_, reason) = proof.check(&[], &[])?;
        match reason {
            None => Ok(proof),
            Some(reason) => Err(unprovable(&reason)),
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
    /// As [`Reader::expect_signer`] and [`Reader::expect_log`].
    pub fn signed_head(&self, signer: Option<&SigningKey>) -> Result<Checkpoint, Error> {
        let Some(signer) = signer else {
            return Ok(self.expect_log(None)?.checkpoint());
        };
        self.expect_signer(signer)?;
        self.expect_log(None)?.checkpoint().signed(signer)
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
        if let Some(signer) = signer {
            self.expect_signer(signer)?;
        }
        // A witness is asked to vouch for the head: it is computed from the events, not taken from what is stored.
        let checkpoint = self.expect_log(kept)?.checkpoint();
        let (old, size) = (kept.map_or(0, Checkpoint::size), checkpoint.size());
        let hashes = consistency_proof(old, size, &mut self.hashes())?;
        let holds = kept.is_none_or(|kept| {
            verify_consistency(old, kept.root(), size, checkpoint.root(), &hashes)
        });
        if !holds {
            return Err(unprovable("the hashes do not lead to the roots"));
        }
        let checkpoint = match signer {
            Some(signer) => checkpoint.signed(signer)?,
            None => checkpoint,
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

    /// Refuses a checkpoint that the stored hashes say the log does not extend.
    fn expect_extends(&self, kept: &Checkpoint, tree: &Tree) -> Result<(), Error> {
        let (log, size) = (self.log_name(), kept.size());
        let refuse = |what: String| {
            Err(tampered(&format!(
                "the log does not extend the checkpoint: {what}"
            )))
        };
        if kept.origin() != log {
            let origin = kept.origin();
            return refuse(format!("it is of the log `{origin}`, and this is `{log}`"));
        }
        if size > tree.size() {
            let events = tree.size();
            return refuse(format!(
                "it counts {size} events, and the log holds {events}"
            ));
        }
        if size > 0 && root_of(size, &mut self.hashes())? != *kept.root() {
            return refuse(format!("its first {size} events are others"));
        }
        Ok(())
    }

    /// The hashes that are stored of complete subtrees.
    fn hashes(&self) -> impl FnMut(Node) -> Result<Hash, Error> {
        |node| {
            let hash = self.read.node(&self.workspace.id, node)?;
            hash.ok_or_else(|| unprovable("a hash is missing"))
        }
    }
}

fn unprovable(reason: &str) -> Error {
    tampered(&format!(
        "the stored hashes of the audit log are not those of its events: {reason}"
    ))
}
