//! What a caller gives: text, bytes, a file, evidence, or a manifest that was read before.

use std::sync::Arc;

use al::Given;
use lattice_core::{Action, Error, NamedText};
use napi::bindgen_prelude::{ClassInstance, Either, Uint8Array};
use napi_derive::napi;

use crate::Manifest;

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

/// The copy of the bytes can leave the thread of JavaScript.
impl From<Source> for al::Source {
    fn from(source: Source) -> Self {
        let bytes = match (source.path, source.text) {
            (Some(path), _) => return al::Source::File(path.into()),
            (None, Some(Either::A(text))) => text.into_bytes(),
            (None, Some(Either::B(bytes))) => bytes.to_vec(),
            (None, None) => Vec::new(),
        };
        let file = source.name;
        al::Source::Text(NamedText { bytes, file })
    }
}

/// What an audit log or a proof is held against.
#[napi(object, object_to_js = false)]
#[expect(
    missing_debug_implementations,
    reason = "bytes of JavaScript have none"
)]
pub struct Evidence {
    /// Checkpoints that were kept.
    pub checkpoints: Vec<Source>,
    /// The keys that have to have signed them.
    pub vkeys: Vec<String>,
}

impl From<Evidence> for al::Evidence {
    fn from(evidence: Evidence) -> Self {
        Self {
            checkpoints: evidence.checkpoints.into_iter().map(Into::into).collect(),
            vkeys: evidence.vkeys,
        }
    }
}

/// A manifest's text, and overlays.
pub(crate) fn sources(manifest: Source, overlays: Vec<Source>) -> al::Sources {
    al::Sources {
        manifest: manifest.into(),
        overlays: overlays.into_iter().map(Into::into).collect(),
    }
}

pub(crate) type ManifestOrSource<'a> = Either<ClassInstance<'a, Manifest>, Source>;

pub(crate) fn given(given: ManifestOrSource<'_>) -> Given {
    match given {
        Either::A(manifest) => Given::Manifest(Arc::clone(&manifest.0)),
        Either::B(source) => Given::Sources(al::Source::from(source).into()),
    }
}

/// JSON text, or its bytes.
pub(crate) type Json = Either<String, Uint8Array>;

fn bytes(json: &Json) -> &[u8] {
    match json {
        Either::A(text) => text.as_bytes(),
        Either::B(bytes) => bytes,
    }
}

/// A copy of bytes can leave the thread of JavaScript.
pub(crate) fn into_bytes(json: Json) -> Vec<u8> {
    match json {
        Either::A(text) => text.into_bytes(),
        Either::B(bytes) => bytes.to_vec(),
    }
}

pub(crate) fn action(json: &Json) -> Result<Action<'_>, Error> {
    Action::parse(bytes(json))
}
