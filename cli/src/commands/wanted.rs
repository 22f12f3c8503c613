//! What a workspace is to become: the manifest that the commands plan.

use std::path::Path;

use lattice_core::{Bundle, Error, Guard, Manifest, Mode};
use lattice_workspace::{Planned, Reader};

use super::manifest_of;
use crate::args::OverlayArgs;
use crate::render::count;
use crate::session::Session;

/// A manifest that was read.
#[derive(Debug)]
pub(crate) struct Wanted {
    manifest: Manifest,
    file: String,
}

impl Wanted {
    /// Reads and checks a manifest. Beside it stand the texts that it was made of.
    pub(crate) fn read(
        path: &Path,
        overlays: &OverlayArgs,
        session: &mut Session<'_, '_>,
    ) -> Result<(Self, Bundle), Error> {
        let (manifest, bundle) = manifest_of(path, overlays, session)?;
        let file = path.display().to_string();
        Ok((Self { manifest, file }, bundle))
    }

    /// What importing it would do.
    pub(crate) fn plan(
        &self,
        reader: &Reader,
        mode: Mode,
        guard: Guard,
        session: &mut Session<'_, '_>,
    ) -> Result<Planned, Error> {
        session.step("planning");
        let planned = reader.plan(&self.manifest, mode)?;
        Ok(planned.in_file(Some(&self.file)).with_guard(guard))
    }

    /// Says what of it no import applies.
    pub(crate) fn note_breakers(&self, session: &mut Session<'_, '_>) {
        let breakers = self.manifest.breakers().len();
        if breakers > 0 {
            session.note(format_args!(
                "skipped {}: circuit breakers are exported for reference only",
                count(breakers, "circuit breaker entry", "circuit breaker entries")
            ));
        }
    }
}
