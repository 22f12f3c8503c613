//! An import: planned on a snapshot, committed in one transaction if the workspace is still as it was.

use std::thread;

use jiff::Timestamp;
use lattice_core::audit::{Checkpoint, Event, ImportEvent, Names, SigningKey, VerifyingKey};
use lattice_core::hash::{Hash, hex, sha256};
use lattice_core::view;
use lattice_core::{Base, Bundle, Code, Error, Guard, Manifest, Mode, Plan, SavedPlan, State};

use crate::access::look_up_locked;
use crate::ambient::Ambient;
use crate::key::Key;
use crate::log::{Log, is_log_name};
use crate::proposal;
use crate::signer::head;
use crate::store::{KeyRow, Store, WorkspaceRow, Write};
use crate::threads::Meanwhile;
use crate::verify::Proven;

/// What an import would do to a workspace as it stood.
//
// INVARIANT: plan, workspace, base, digest and manifest belong together; only `Planned::new` puts them together.
#[derive(Debug, Clone)]
pub struct Planned {
    plan: Plan,
    workspace: view::WorkspaceRef,
    base: Base,
    after: Hash,
    manifest: view::ManifestRef,
    overlays: Vec<Option<String>>,
    manifest_sha256: Hash,
    rendered_sha256: Option<Hash>,
    manifest_version: &'static str,
    guard: Guard,
    /// Whether it was saved, and planned again to be applied.
    resumed: bool,
    /// The event whose state it goes back to; `None` for an import of a manifest.
    back_to: Option<Event>,
    /// The checkpoint of the workspace that exported the manifest.
    source: Option<Checkpoint>,
    /// The log that was verified, on which the import has to build.
    proven: Option<Proven>,
    /// The key that will sign the log with it, where that is signed elsewhere.
    signer: Option<VerifyingKey>,
    /// Whether a server will plan it again, which takes the texts of the manifest.
    for_server: bool,
    texts: Option<Bundle>,
}

impl Planned {
    /// Plans on the state that `read` gives. Digests are made by other threads as soon as there is something to hash.
    pub(crate) fn new(
        workspace: &WorkspaceRow,
        manifest: &Manifest,
        mode: Mode,
        read: impl FnOnce() -> Result<State, Error>,
    ) -> Result<Self, Error> {
        let desired = manifest.policies();
        let (plan, before, after) = thread::scope(|scope| {
            let desired_digest = Meanwhile::begin(scope, || desired.digest());
            let current = read()?;
            Ok::<_, Error>(thread::scope(|scope| {
                let hash_current = || current.active.digest();
                let before =
                    (current.active != *desired).then(|| Meanwhile::begin(scope, hash_current));
                let plan = Plan::new(&current, desired, mode);
                let stays = plan.summary().untouched > 0;
                let beside =
                    (stays && !plan.is_empty()).then(|| plan.apply(&current).active.digest());
                let before = before.map(Meanwhile::end);
                let after = match (beside, before) {
                    (Some(beside), _) => beside,
                    (None, Some(before)) if stays => before,
                    // Where nothing stays beside what is desired, that is where it leads.
                    (None, _) => desired_digest.end(),
                };
                (plan, before.unwrap_or(after), after)
            }))
        })?;
        Ok(Self {
            after,
            plan,
            workspace: view::WorkspaceRef::from(workspace),
            base: Base {
                revision: workspace.revision,
                digest: before,
            },
            manifest: view::ManifestRef::new(None, manifest),
            overlays: manifest.overlays().to_vec(),
            manifest_sha256: manifest.sha256(),
            rendered_sha256: manifest.rendered_sha256(),
            manifest_version: manifest.version(),
            guard: Guard::default(),
            resumed: false,
            back_to: None,
            source: None,
            proven: None,
            signer: None,
            for_server: false,
            texts: None,
        })
    }

    /// Records the checkpoint of the workspace that exported the manifest: the audit event cites it.
    ///
    /// # Errors
    ///
    /// `INVALID_CHECKPOINT` for a checkpoint of anything but a workspace: an event holds no text that somebody chose.
    pub fn from_checkpoint(self, source: Option<Checkpoint>) -> Result<Self, Error> {
        if let Some(source) = &source
            && !is_log_name(source.origin())
        {
            let message = "the source's checkpoint is not of the log of a workspace";
            return Err(Error::new(Code::InvalidCheckpoint, message).with_help(
                "give what `al audit checkpoint` printed where the manifest was exported",
            ));
        }
        Ok(Self { source, ..self })
    }

    /// Says on which log the import has to build ([`Reader::expect_log`](crate::Reader::expect_log)).
    #[must_use]
    pub fn extending(self, proven: Option<Proven>) -> Self {
        Self { proven, ..self }
    }

    /// Says which key will sign the log with it, where that is signed elsewhere.
    pub(crate) fn signed_by(self, signer: Option<VerifyingKey>) -> Self {
        Self { signer, ..self }
    }

    /// Names the file of the manifest in documents.
    #[must_use]
    pub fn in_file(mut self, file: Option<&str>) -> Self {
        self.manifest.file = file.map(str::to_owned);
        self
    }

    /// Lowers the threshold of the guard to a share in percent, where one is given and lower.
    #[must_use]
    pub fn guarded_at_most(self, percent: Option<u64>) -> Self {
        let guard = self.guard.at_most(percent);
        Self { guard, ..self }
    }

    /// Puts another guard in the place of the default one.
    #[must_use]
    pub fn with_guard(self, guard: Guard) -> Self {
        Self { guard, ..self }
    }

    /// Says that a server will plan it again, or that none will.
    pub(crate) fn for_server(self, for_server: bool) -> Self {
        Self { for_server, ..self }
    }

    /// Keeps the texts that its manifest was made of, where they are needed to import it: through a server.
    #[must_use]
    pub fn from_texts(self, texts: impl FnOnce() -> Bundle) -> Self {
        let texts = self.for_server.then(texts);
        Self { texts, ..self }
    }

    pub(crate) fn texts(&self) -> Option<&Bundle> {
        self.texts.as_ref()
    }

    pub(crate) fn guard(&self) -> Guard {
        self.guard
    }

    pub(crate) fn source(&self) -> Option<&Checkpoint> {
        self.source.as_ref()
    }

    pub(crate) fn proven(&self) -> Option<&Proven> {
        self.proven.as_ref()
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// The event that records it under the number `seq`.
    fn event(&self, seq: u64, time: Timestamp, actor: &str, names: &Names) -> Event {
        let record = match self.back_to {
            Some(_) => Event::rollback,
            None => Event::import,
        };
        record(&ImportEvent {
            workspace: &self.workspace.id,
            seq,
            time,
            actor,
            names,
            unchanged: u64::try_from(self.plan.summary().unchanged).unwrap_or(u64::MAX),
            before: self.base.digest,
            after: self.after,
            manifest_sha256: self.manifest_sha256,
            manifest_version: self.manifest_version,
            replace: self.plan.mode() == Mode::Replace,
            from: self.source.as_ref(),
            rendered_sha256: self.rendered_sha256,
        })
    }

    /// The digests of the manifest, and of that with its overlays, as the event has them.
    pub(crate) fn digests(&self) -> (String, Option<String>) {
        let rendered = self.rendered_sha256.as_ref();
        (
            hex(&self.manifest_sha256),
            rendered.map(|digest| hex(digest)),
        )
    }

    /// Whether `event` records this and nothing else, whenever that was and by whichever key.
    pub(crate) fn is_recorded_by(&self, event: &view::Event) -> bool {
        let names = self.plan.names();
        let leaf = &event.leaf;
        let time = leaf.time.parse().ok();
        let expected = time.map(|time| self.event(leaf.seq, time, &leaf.actor, &names));
        event.names == names && expected.as_ref() == Some(leaf)
    }

    /// Says that it was saved, and planned again to be applied.
    pub(crate) fn resumed(self) -> Self {
        Self {
            resumed: true,
            ..self
        }
    }

    /// Makes it a rollback to the state after `event`.
    pub(crate) fn back_to(self, event: Event) -> Self {
        let back_to = Some(event);
        Self { back_to, ..self }
    }

    /// The event whose state a rollback goes back to; `None` for an import of a manifest.
    pub fn rollback_to(&self) -> Option<&Event> {
        self.back_to.as_ref()
    }

    /// Whether the guard lets it through; an import asks again.
    ///
    /// # Errors
    ///
    /// `DEACTIVATION_LIMIT`, with the document of the plan, of a dry run or not.
    pub fn check(&self, dry_run: bool) -> Result<(), Error> {
        let checked = self.guard.check(&self.plan.summary());
        checked.map_err(|error| error.with_plan(self.view(dry_run, None)))
    }

    /// The plan to keep, with the texts that its manifest was made of. [`Reader::resume`](crate::Reader::resume) takes it
    /// up again.
    ///
    /// # Errors
    ///
    /// `DEACTIVATION_LIMIT` where the guard holds it: what cannot be applied is not saved. `USAGE` for a rollback, which is
    /// planned afresh, and for texts that are not those of the plan. Else as [`SavedPlan::new`].
    pub fn save(&self, bundle: Bundle) -> Result<SavedPlan, Error> {
        self.check(true)?;
        if self.back_to.is_some() {
            let message = "a rollback cannot be saved";
            return Err(Error::new(Code::Usage, message).with_help("roll back to the event itself"));
        }
        let is_overlaid = !bundle.overlays.is_empty();
        let is_other = match bundle.manifests.as_slice() {
            [] => true,
            [text] => sha256(&text.bytes) != self.manifest_sha256,
            [_, _, ..] => false,
        };
        if is_other || is_overlaid != self.rendered_sha256.is_some() {
            let message = "the texts are not those that the plan was made from";
            return Err(
                Error::new(Code::Usage, message).with_help("save the plan with its own texts")
            );
        }
        let plan = self.view(true, None);
        SavedPlan::new(self.base, self.after, self.guard, bundle, plan)
    }

    /// The difference.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The workspace it is for.
    pub fn workspace(&self) -> &view::WorkspaceRef {
        &self.workspace
    }

    /// What it starts from.
    pub fn base(&self) -> Base {
        self.base
    }

    /// The state digest that it leads to.
    pub fn after(&self) -> Hash {
        self.after
    }

    /// The document of a dry run, or of an import that was `applied`.
    pub fn view(&self, dry_run: bool, applied: Option<&Imported>) -> view::Plan {
        let (workspace, manifest) = (self.workspace.clone(), self.manifest.clone());
        let document = view::Plan::new(&self.plan, Some(workspace), manifest, dry_run);
        view::Plan {
            notes: [self.notes(&document.summary), document.notes].concat(),
            applied: applied.is_some(),
            event: applied.map(|imported| imported.event.clone()),
            checkpoint: applied.map(|imported| imported.checkpoint.to_string()),
            ..document
        }
    }

    /// What a reviewer should know of how the plan came about, in front of what it does.
    fn notes(&self, summary: &view::Summary) -> Vec<String> {
        let rollback = self.back_to.as_ref();
        let rollback =
            rollback.map(|event| format!("a rollback to the state after event {}", event.seq));
        let overlays = self.overlays.iter().map(|file| {
            let file = file.as_deref().unwrap_or("-");
            format!("`{file}`")
        });
        let overlays: Vec<String> = overlays.collect();
        let overlays = match overlays.as_slice() {
            [] => None,
            [one] => Some(format!("with the overlay {one}")),
            several => Some(format!("with the overlays {}", several.join(", "))),
        };
        let guard = self.guard.note(summary);
        [rollback, overlays, guard].into_iter().flatten().collect()
    }
}

/// An import that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its audit event.
    pub event: view::Event,
    /// The checkpoint of the audit log with it; signed where there is a key.
    pub checkpoint: Checkpoint,
}

/// Commits what was `planned`: policies, their versions, the audit event and the new revision, or
/// nothing at all. A plan without changes is recorded, too.
///
/// # Errors
///
/// `DEACTIVATION_LIMIT` where the plan's guard holds it; `STATE_CHANGED` where another import came first, or
/// `STALE_PLAN` for a plan that was saved; `INVALID_SERVICE_KEY` where the key no longer opens the workspace;
/// `WORKSPACE_MISMATCH` where the plan was made for another workspace; `AUDIT_TAMPERED` where the log cannot be appended
/// to, or recorded another state than the one that is there; `STORE_UNAVAILABLE`.
pub fn import(
    store: &dyn Store,
    key: &Key,
    planned: &Planned,
    ambient: &Ambient,
) -> Result<Imported, Error> {
    import_signed(store, key, planned, None, ambient)
}

/// As [`import`], and `signer` signs the checkpoint: after the commit, so that no checkpoint is ever signed of events that
/// are not there.
///
/// # Errors
///
/// `INVALID_AUDIT_KEY` where the key does not sign for the log, before anything is written; else as [`import`].
pub fn import_signed(
    store: &dyn Store,
    key: &Key,
    planned: &Planned,
    signer: Option<&SigningKey>,
    ambient: &Ambient,
) -> Result<Imported, Error> {
    planned.check(false)?;
    let imported = if let Some(remote) = store.remote() {
        proposal::import(remote, key, planned, signer, ambient)?
    } else {
        let import = Import::begin(store, key)?;
        let imported = import.write(planned, signer, ambient)?;
        import.commit()?;
        imported
    };

    let checkpoint = match signer {
        Some(signer) => imported.checkpoint.signed(signer)?,
        None => imported.checkpoint,
    };

    #[cfg(feature = "test-hooks")]
    crate::hook::hold("signed");

    Ok(Imported {
        checkpoint,
        ..imported
    })
}

/// The one transaction of an import. Dropped without [`Import::commit`], it leaves no trace.
#[derive(Debug)]
pub(crate) struct Import {
    write: Box<dyn Write>,
    workspace: WorkspaceRow,
    key: KeyRow,
}

impl Import {
    /// Locks the workspace that a service key opens.
    pub(crate) fn begin(store: &dyn Store, key: &Key) -> Result<Self, Error> {
        #[cfg(feature = "test-hooks")]
        crate::hook::hold("planned");

        let write = store.write()?;
        let (workspace, key) = look_up_locked(&*write, key)?;
        Ok(Self {
            write,
            workspace,
            key,
        })
    }

    /// The transaction, and the UUID of the workspace that it locked.
    pub(crate) fn opened(&self) -> (&dyn Write, &str) {
        (&*self.write, &self.workspace.id)
    }

    /// Writes what was `planned`, which the caller held against its guard, on a log that `signer` signs for where one is given. The checkpoint is yet to be signed.
    pub(crate) fn write(
        &self,
        planned: &Planned,
        signer: Option<&SigningKey>,
        ambient: &Ambient,
    ) -> Result<Imported, Error> {
        let (write, workspace) = self.opened();
        check_workspace(&planned.workspace, &self.workspace)?;
        // INVARIANT: policies change with the revision and never without it, so that an equal revision means that
        // the snapshot still stands.
        let base = planned.base;
        if !write.advance(workspace, base.revision)? {
            return Err(moved(&self.workspace, base.revision, planned.resumed));
        }

        let plan = &planned.plan;
        let log = Log::open(write, workspace)?;
        log.recorded(&base.digest)?;
        let proven = match (&planned.proven, signer) {
            (Some(proven), _) => Some(log.extends(proven)?),
            // What is signed was verified.
            (None, Some(_)) => Some(log.verifies()?),
            (None, None) => None,
        };
        let signer = signer.map(SigningKey::verifying_key);
        if let (Some(proven), Some(signer)) = (&proven, signer.or(planned.signer.as_ref())) {
            proven.expect_named(signer)?;
        }
        let names = plan.names();
        write.change_policies(
            workspace,
            log.seq(),
            &mut plan.replaced(),
            &mut plan.writes().map(AsRef::as_ref),
            &names.deactivated,
        )?;
        let leaf = planned.event(log.seq(), ambient.now, &self.key.id, &names);
        let tree = log.append(&leaf, &names)?;
        Ok(Imported {
            event: view::Event { leaf, names },
            checkpoint: head(workspace, &tree),
        })
    }

    /// Makes it durable.
    pub(crate) fn commit(self) -> Result<(), Error> {
        self.write.commit()?;

        #[cfg(feature = "test-hooks")]
        crate::hook::hold("committed");

        Ok(())
    }
}

/// Refuses a plan that was made for another workspace.
pub(crate) fn check_workspace(
    planned: &view::WorkspaceRef,
    opened: &WorkspaceRow,
) -> Result<(), Error> {
    if planned.id == opened.id {
        return Ok(());
    }
    // Names are unique in one store only.
    let message = if planned.name == opened.name {
        format!(
            "the plan is for another workspace of the name `{}`: {}, and the key opens {}",
            planned.name, planned.id, opened.id
        )
    } else {
        format!(
            "the plan is for the workspace `{}`, and the key opens `{}`",
            planned.name, opened.name
        )
    };
    Err(Error::new(Code::WorkspaceMismatch, message)
        .with_help("use a key of the workspace that the plan was made for"))
}

/// The error of a plan whose workspace has moved on.
pub(crate) fn moved(workspace: &WorkspaceRow, planned_on: u64, resumed: bool) -> Error {
    let message = format!(
        "the workspace `{}` changed after the plan was made: revision {}, planned on {planned_on}",
        workspace.name, workspace.revision,
    );
    let (code, help) = if resumed {
        (Code::StalePlan, PLAN_AGAIN)
    } else {
        (
            Code::StateChanged,
            "nothing was written; run the command again",
        )
    };
    Error::new(code, message).with_help(help)
}

/// What to do about a saved plan that cannot be applied.
pub(crate) const PLAN_AGAIN: &str = "nothing was written; plan again, review it, and apply that";
