//! What a caller gives: text, bytes, a file, or a manifest that was read before.

use std::path::Path;
use std::sync::Arc;

use al::Limit;
use lattice_core::{Error, Manifest, view};
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;

/// How a document names a text that has no name, as `al` names standard input.
const UNNAMED: &str = "-";

/// A text with the name that errors give it, or a file to read.
#[napi(object, object_to_js = false)]
#[expect(
    missing_debug_implementations,
    reason = "bytes of JavaScript have none"
)]
pub struct Source {
    /// The text.
    pub text: Option<Either<String, Uint8Array>>,
    /// What errors call the text.
    pub name: Option<String>,
    /// The file.
    pub path: Option<String>,
}

/// The bytes of a source, which can leave the thread of JavaScript, and how it was named.
pub(crate) struct Text {
    bytes: Vec<u8>,
    path: Option<String>,
    name: Option<String>,
}

/// A manifest, and how its file was named.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) manifest: Manifest,
    pub(crate) file: Option<String>,
}

/// What stands where a manifest is wanted.
pub(crate) enum Wanted {
    Text(Text),
    Manifest(Arc<Named>),
}

impl From<Source> for Text {
    fn from(source: Source) -> Self {
        let bytes = match source.text {
            Some(Either::A(text)) => text.into_bytes(),
            Some(Either::B(bytes)) => bytes.to_vec(),
            None => Vec::new(),
        };
        Self {
            bytes,
            path: source.path,
            name: source.name,
        }
    }
}

impl Text {
    /// Reads the file, if it is one, and hands bytes and name to `parse`, whose error then names the file.
    pub(crate) fn with<T>(
        self,
        limit: Limit,
        parse: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<(T, Option<String>), Error> {
        let (bytes, name) = match self.path {
            Some(path) => {
                let input = al::read(Path::new(&path), limit)?;
                (input.bytes, Some(input.name))
            }
            None => (self.bytes, self.name),
        };
        let parsed = parse(&bytes).map_err(|error| match &name {
            Some(name) => error.in_file(name),
            None => error,
        })?;
        Ok((parsed, name))
    }

    pub(crate) fn manifest(self) -> Result<Named, Error> {
        let (manifest, file) = self.with(Limit::MANIFEST, Manifest::parse)?;
        Ok(Named { manifest, file })
    }

    /// Everything that is wrong, or looks wrong, with a manifest.
    pub(crate) fn validation(self) -> view::Validation {
        let mut report = view::Validation::default();
        let named = self.path.clone().or_else(|| self.name.clone());
        let file = named.as_deref().unwrap_or(UNNAMED);
        match self.with(Limit::MANIFEST, |bytes| Ok(bytes.to_vec())) {
            Ok((bytes, _)) => report.add(file, Ok(&bytes)),
            Err(error) => report.add(file, Err(error)),
        };
        report
    }
}

impl Wanted {
    pub(crate) fn manifest(self) -> Result<Arc<Named>, Error> {
        match self {
            Wanted::Text(text) => text.manifest().map(Arc::new),
            Wanted::Manifest(manifest) => Ok(manifest),
        }
    }
}
