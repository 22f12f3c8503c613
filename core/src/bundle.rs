//! The texts that make one manifest.

use std::num::NonZero;

use crate::error::{Code, Error};
use crate::manifest::Manifest;

/// A text with the name that errors give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedText {
    /// Its file, as it was named.
    pub file: Option<String>,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// The texts that make one manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bundle {
    /// Manifests, which are merged.
    pub manifests: Vec<NamedText>,
    /// Overlays, in the order in which they apply.
    pub overlays: Vec<NamedText>,
}

impl Bundle {
    /// The manifest that the texts make.
    pub fn manifest_on(&self, threads: NonZero<usize>) -> Result<Manifest, Error> {
        match (&*self.manifests, &*self.overlays) {
            ([text], []) => {
                Manifest::parse_on(threads, &text.bytes).map_err(|error| match &text.file {
                    Some(file) => error.in_file(file),
                    None => error,
                })
            }
            _ => Err(Error::new(Code::InvalidManifest, "one manifest is needed")),
        }
    }
}
