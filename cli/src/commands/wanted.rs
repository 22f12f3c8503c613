//! What a workspace is to become: the manifest that the commands plan.

use std::path::Path;

use lattice_core::{Bundle, Error, Guard, Manifest, Mode, NamedText};
use lattice_workspace::{Planned, Reader};

use super::manifest_of;
use crate::file::{Input, MANIFEST};
use crate::render::count;
use crate::session::Session;

/// A manifest that was read.
#[derive(Debug)]
pub(crate) struct Wanted {
    manifest: Manifest,
    file: String,
}

impl Wanted {
    /// Reads and checks a manifest. Beside it stands the text that it was made of.
    pub(crate) fn read(
        path: &Path,
        session: &mut Session<'_, '_>,
    ) -> Result<(Self, Bundle), Error> {
        let input = session.read(path, MANIFEST)?;
        session.step("checking the manifest");
        let (manifest, Input { name, bytes }) = manifest_of(input, session)?;
        let text = NamedText {
            file: Some(name.clone()),
            bytes,
        };
        let wanted = Self {
            manifest,
            file: name,
        };
        Ok((wanted, Bundle::of(text)))
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
