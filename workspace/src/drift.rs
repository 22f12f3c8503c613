//! A workspace beside a manifest, and which of the two changed since they were last together.

use lattice_core::audit::Kind;
use lattice_core::hash::{Hash, hex};
use lattice_core::view::{self, Drift, RecordedState};
use lattice_core::{Code, Error, Manifest, Mode};

use crate::events;
use crate::import::Planned;
use crate::log::expect_state;
use crate::reader::Reader;

impl Reader {
    /// What a replacing import of `manifest`, which was read from `file`, would do, and why: which side changed since the
    /// last import of this very manifest, or else since the last import. Where the audit log cannot tell, a note says so.
    ///
    /// # Errors
    ///
    /// As for [`Reader::plan`].
    pub fn diff(&self, manifest: &Manifest, file: Option<&str>) -> Result<view::Plan, Error> {
        let planned = self.plan(manifest, Mode::Replace)?.in_file(file);
        let mut plan = planned.view(true, None);
        match self.drift(&planned, manifest) {
            Ok(drift) => plan.drift = drift,
            Err(error) if error.code() == Code::AuditTampered => {
                let note =
                    format!("which side changed cannot be told: {error} (`al audit verify`)");
                plan.notes.push(note);
            }
            Err(error) => return Err(error),
        }
        Ok(plan)
    }

    /// `None` where nothing was imported yet; `AUDIT_TAMPERED` where the log does not tell how the workspace came to be as
    /// it is.
    fn drift(&self, planned: &Planned, manifest: &Manifest) -> Result<Option<Drift>, Error> {
        let now = planned.base().digest;
        let size = events::tree(&*self.read, &self.workspace.id)?.size();
        let newest = self.states(size).next().transpose()?;
        expect_state(newest.as_ref(), &now)?;
        let Some(base) = self.last_import(manifest, &planned.after(), size)? else {
            return Ok(None);
        };
        let plan = planned.plan();
        let drift = if base.state == hex(&now) {
            plan.drift(base.event, base.replace, plan.current())
        } else {
            let recorded = self.recorded_beside(base.event, manifest.policies())?;
            plan.drift(base.event, base.replace, &recorded.policies)
        };
        Ok(Some(drift))
    }

    /// The state that the last import of `manifest` left, or the last one with its policies, which have that `digest`; else
    /// that of the last import, whatever it was, in a log of `size` events.
    fn last_import(
        &self,
        manifest: &Manifest,
        digest: &Hash,
        size: u64,
    ) -> Result<Option<RecordedState>, Error> {
        let sha256 = hex(&manifest.sha256());
        let digest = hex(digest);
        let rendered_sha256 = manifest.rendered_sha256().map(|hash| hex(&hash));
        let mut last = None;
        for state in self.states(size) {
            let state = state?;
            // A rollback is an import of the manifest of a recorded state; and whatever was imported, a state of these very
            // policies is one that workspace and manifest shared.
            let is_same =
                state.manifest_sha256 == sha256 && state.rendered_sha256 == rendered_sha256;
            if is_same || state.state == digest {
                return Ok(Some(state));
            }
            if last.is_none() && state.kind == Kind::Import {
                last = Some(state);
            }
        }
        Ok(last)
    }
}
