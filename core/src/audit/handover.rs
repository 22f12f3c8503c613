//! What shows that whoever wants a new key to sign for a log has it, and the one before.

use base64ct::{Base64, Encoding};

use super::{Checkpoint, SigningKey, VerifyingKey};

/// The first line of what is signed. No log has this name, so that the text is no checkpoint and a checkpoint is none of it.
const CONTEXT: &str = "al/handover/v1";

/// A log as it passes from one signing key to the next. Both sign it before it is logged; it holds for this head of the log
/// and no other.
///
/// ```
/// use lattice_core::audit::{Checkpoint, Handover, KeyType, SigningKey, Tree};
///
/// let key = SigningKey::new("al/0199", KeyType::Log, [7; 32])?;
/// let head = Checkpoint::of("al/0199", &Tree::new());
/// let handover = Handover { head: &head, old: None, new: key.verifying_key() };
/// let signature = handover.sign(&key);
/// assert!(handover.is_signed_by(key.verifying_key(), &signature));
/// assert!(!handover.is_signed_by(key.verifying_key(), ""));
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Handover<'a> {
    /// The log without the event.
    pub head: &'a Checkpoint,
    /// The key that signs until then, if there is one.
    pub old: Option<&'a VerifyingKey>,
    /// The key that signs from then on.
    pub new: &'a VerifyingKey,
}

impl Handover<'_> {
    /// The signature of `key`, in Base64.
    pub fn sign(&self, key: &SigningKey) -> String {
        Base64::encode_string(&key.sign(&self.text(), 0))
    }

    /// Whether `signature` is one of `key`.
    pub fn is_signed_by(&self, key: &VerifyingKey, signature: &str) -> bool {
        let signature = Base64::decode_vec(signature);
        signature.is_ok_and(|signature| key.verifies(&self.text(), &signature))
    }

    fn text(&self) -> String {
        let old = self.old.map(ToString::to_string);
        let old = old.as_deref().unwrap_or("-");
        format!("{CONTEXT}\n{}{old}\n{}\n", self.head.body(), self.new)
    }
}
