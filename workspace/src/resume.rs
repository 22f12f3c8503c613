//! Saved plans: taken up again only where everything is as it was when they were reviewed.

use lattice_core::{Code, Error, SavedPlan};

use crate::import::{PLAN_AGAIN, Planned, check_workspace, moved};
use crate::reader::Reader;
use crate::threads::threads;

impl Reader {
    /// Plans again what was `saved`, and comes to the same or refuses. [`import`](crate::import) then applies it, under the
    /// guard that it was reviewed under.
    ///
    /// ```
    /// use lattice_core::{Bundle, Code, Manifest, Mode, NamedText, SavedPlan, view::KeyKind};
    /// use lattice_workspace::{Ambient, Key, Location, Reader, create_workspace, import};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let url = format!("sqlite:{}", folder.path().join("al.db").display());
    /// # let ambient = |n| Ambient { now: jiff::Timestamp::UNIX_EPOCH, seed: [n; 64] };
    /// # let store = Location::parse(&url)?.open();
    /// # let staging = create_workspace(&*store, "staging", None, &ambient(1))?;
    /// # let key = Key::parse(&staging.service_key)?;
    /// let open = || Reader::open(&*store, &key, KeyKind::Service, None);
    /// let text = b"manifest_version: '1.0'\npolicies: []\n".to_vec();
    /// let planned = open()?.plan(&Manifest::parse(&text)?, Mode::Additive)?;
    /// let kept = planned.save(Bundle::of(NamedText { file: None, bytes: text }))?.into_text();
    ///
    /// let saved = SavedPlan::parse(kept.as_bytes())?;
    /// import(&*store, &key, &open()?.resume(&saved)?, &ambient(2))?;
    ///
    /// // It goes through once.
    /// assert_eq!(open()?.resume(&saved).unwrap_err().code(), Code::StalePlan);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// In this order: `WORKSPACE_MISMATCH` where it was made for another workspace; `STALE_PLAN` where the workspace is no
    /// longer as it was; `INVALID_PLAN` where planning again comes to anything else than what was saved, in any byte.
    pub fn resume(&self, saved: &SavedPlan) -> Result<Planned, Error> {
        self.require_service_key()?;
        check_workspace(saved.workspace(), &self.workspace)?;
        let base = saved.base();
        if self.workspace.revision != base.revision {
            return Err(moved(&self.workspace, base.revision, true));
        }
        let bundle = saved.bundle();
        let manifest = bundle.manifest_on(threads()).map_err(|error| {
            let message = format!("the manifest in the plan is not valid: {error}");
            Error::new(Code::InvalidPlan, message).with_help(PLAN_AGAIN)
        })?;
        let reviewed = saved.view();
        let planned = self
            .plan(&manifest, reviewed.mode)?
            .in_file(reviewed.manifest.file.as_deref())
            .with_guard(saved.guard())
            .from_texts(|| saved.bundle())
            .resumed();
        if planned.base() != base {
            let message = format!(
                "the policies of the workspace `{}` are not those that the plan was made on, and no import changed them",
                self.workspace.name
            );
            return Err(Error::new(Code::StalePlan, message).with_help(
                "nothing was written; `al audit verify` says whether the store was edited",
            ));
        }
        let again = SavedPlan::new(
            base,
            planned.after(),
            saved.guard(),
            bundle,
            planned.view(true, None),
        )?;
        if again.text() != saved.text() {
            let message = "the plan is not what comes of its manifest and the workspace";
            return Err(Error::new(Code::InvalidPlan, message).with_help(PLAN_AGAIN));
        }
        Ok(planned)
    }
}
