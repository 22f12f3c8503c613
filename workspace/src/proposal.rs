//! A change that a client planned and a server makes: planned again there, and the answer held against what was asked for.

use lattice_core::audit::{Checkpoint, SigningKey, VerifyingKey, log_name};
use lattice_core::hash::hex;
use lattice_core::view::{self, SavedBase, SavedGuard, SavedText};
use lattice_core::{Bundle, Code, Error, Guard, NamedText};

use crate::ambient::Ambient;
use crate::events::tampered;
use crate::http::Remote;
use crate::import::{Imported, Planned, check_workspace, moved};
use crate::key::Key;
use crate::reader::Reader;
use crate::store::Contents;
use crate::threads::threads;
use crate::verify::{Proven, expect_log};

impl Reader {
    /// Plans again what a client planned, and comes to the same or refuses.
    ///
    /// # Errors
    ///
    /// In this order: `WORKSPACE_MISMATCH` where it was planned for another workspace; `STATE_CHANGED`, or `STALE_PLAN` of a
    /// saved plan, where the workspace is no longer as it was; every error of the texts; `INVALID_PLAN` where a
    /// text is not the one of its digest, or planning again leads to another state; `AUDIT_TAMPERED` where the log does not extend the checkpoint that the client verified. The key that
    /// is to sign is looked at in the transaction that writes.
    pub fn take_up(&self, proposal: view::Proposal) -> Result<Planned, Error> {
        self.require_service_key()?;
        check_workspace(&proposal.workspace, &self.workspace)?;
        let base = &proposal.base;
        if self.workspace.revision != base.revision {
            return Err(moved(&self.workspace, base.revision, proposal.saved));
        }
        let guard = Guard::new(Some(proposal.guard.percent), proposal.guard.allowed)?;
        let checkpoint = |text: Option<&String>| {
            let text = text.map(|text| Checkpoint::parse(text.as_bytes()));
            text.transpose()
        };
        let source = checkpoint(proposal.source.as_ref())?;
        let extends = checkpoint(proposal.extends.as_ref())?;
        let named = |texts: Vec<SavedText>| {
            let named = texts.into_iter().map(NamedText::try_from);
            named.collect::<Result<Vec<_>, _>>()
        };
        let bundle = Bundle {
            manifests: named(proposal.manifests)?,
            overlays: named(proposal.overlays)?,
        };
        let is_empty = bundle.manifests.is_empty() && bundle.overlays.is_empty();
        let planned = match proposal.rollback_to {
            Some(seq) if is_empty => self.plan_rollback(seq)?,
            Some(_) => {
                let message = "a rollback is asked for, and manifests or overlays are given";
                return Err(Error::new(Code::InvalidPlan, message)
                    .with_help("nothing was written; ask for one of them"));
            }
            None => self.plan(&bundle.manifest_on(threads())?, proposal.mode)?,
        };
        let is_same = hex(&planned.base().digest) == base.state
            && hex(&planned.after()) == proposal.after
            && planned.digests() == (proposal.manifest_sha256, proposal.rendered_sha256)
            && planned.plan().mode() == proposal.mode;
        if !is_same {
            let message = "the server comes to another plan than the client: they are not of one version, or the store was edited";
            return Err(Error::new(Code::InvalidPlan, message).with_help(
                "nothing was written; use the version of al that the server runs, and see what `al audit verify` says",
            ));
        }
        let proven = match &extends {
            Some(extends) => Some(self.expect_log(Some(extends))?),
            None => None,
        };
        let signer = proposal.signer.as_deref().map(VerifyingKey::parse);
        let planned = planned.with_guard(guard).extending(proven);
        let planned = planned.signed_by(signer.transpose()?);
        let planned = if proposal.saved {
            planned.resumed()
        } else {
            planned
        };
        planned.from_checkpoint(source)
    }
}

impl Planned {
    /// What a server is asked for, on a log that extends `extends` and whose checkpoints `signer` signs.
    fn proposal(
        &self,
        extends: Option<&Proven>,
        signer: Option<&SigningKey>,
    ) -> Result<view::Proposal, Error> {
        let (base, guard) = (self.base(), self.guard());
        let texts = self.texts();
        let saved = |texts: Option<&Vec<NamedText>>| {
            let texts = texts.into_iter().flatten().cloned();
            texts
                .map(SavedText::try_from)
                .collect::<Result<Vec<_>, _>>()
        };
        if texts.is_none() && self.rollback_to().is_none() {
            let message =
                "a server imports texts, and the plan has lost those that it was made from";
            return Err(Error::new(Code::Usage, message)
                .with_help("give them to the plan: `Planned::from_texts`"));
        }
        let (manifest_sha256, rendered_sha256) = self.digests();
        Ok(view::Proposal {
            workspace: self.workspace().clone(),
            base: SavedBase {
                revision: base.revision,
                state: hex(&base.digest),
            },
            after: hex(&self.after()),
            manifest_sha256,
            rendered_sha256,
            mode: self.plan().mode(),
            guard: SavedGuard {
                percent: guard.percent(),
                allowed: guard.allowed(),
            },
            manifests: saved(texts.map(|texts| &texts.manifests))?,
            overlays: saved(texts.map(|texts| &texts.overlays))?,
            rollback_to: self.rollback_to().map(|event| event.seq),
            source: self.source().map(Checkpoint::to_string),
            extends: extends.map(|proven| proven.checkpoint().to_string()),
            signer: signer.map(|signer| signer.verifying_key().to_string()),
            saved: self.is_resumed(),
        })
    }
}

/// Has a server make a change, and looks at what it recorded: the event is the one that was asked for, and where a log was
/// verified before, or a checkpoint is to be signed, the log with it extends the one without.
///
/// # Errors
///
/// As [`import_signed`](crate::import_signed); `AUDIT_TAMPERED` also where the server recorded something else.
pub(crate) fn import(
    remote: &Remote,
    key: &Key,
    planned: &Planned,
    signer: Option<&SigningKey>,
    ambient: &Ambient,
) -> Result<Imported, Error> {
    #[cfg(feature = "test-hooks")]
    crate::hook::hold("planned");

    let id = &planned.workspace().id;
    let open = || remote.open(key).map(|(contents, _, _)| contents);
    let before = match (planned.proven(), signer) {
        (Some(proven), _) => Some(proven.clone().go_on(&*open()?, id)?),
        // What is signed was verified.
        (None, Some(_)) => Some(expect_log(&*open()?, id, None)?),
        (None, None) => None,
    };
    if let (Some(before), Some(signer)) = (&before, signer) {
        before.expect_signer(signer)?;
    }
    let proposal = planned.proposal(before.as_ref(), signer)?;
    let committed = remote.commit(key, &proposal, &ambient.request_id())?;

    #[cfg(feature = "test-hooks")]
    crate::hook::hold("committed");

    let seq = committed.event.leaf.seq;
    let imported = recorded(planned, committed, before, signer, open);
    imported.map_err(|error| {
        error.with_help(format!(
            "the server answered that the change was made, as event {seq}; no checkpoint of it is signed or kept: `al audit list` and `al audit verify` say what is so"
        ))
    })
}

/// What a server recorded, if it is what was asked for.
fn recorded(
    planned: &Planned,
    committed: view::Committed,
    before: Option<Proven>,
    signer: Option<&SigningKey>,
    open: impl Fn() -> Result<Box<dyn Contents>, Error>,
) -> Result<Imported, Error> {
    let unlike = |what: &str| {
        let message = format!("the server answered that the change was made, and {what}");
        Err(tampered(&message))
    };
    let id = &planned.workspace().id;
    let event = committed.event;
    let checkpoint = Checkpoint::parse(committed.checkpoint.as_bytes())?;
    if !planned.is_recorded_by(&event) {
        return unlike("its event is not that of the change");
    }
    if checkpoint.origin() != log_name(id) || checkpoint.size() != event.leaf.seq.saturating_add(1)
    {
        return unlike("its checkpoint is not that of the event");
    }
    if let Some(before) = before {
        let log = before.with(&event, &*open()?, id)?;
        if log.checkpoint() != checkpoint {
            return unlike("its checkpoint is not that of its log");
        }
        if let Some(signer) = signer {
            log.expect_signer(signer)?;
        }
    }
    Ok(Imported { event, checkpoint })
}
