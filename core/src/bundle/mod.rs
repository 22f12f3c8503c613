//! Bundles: the texts that make one manifest.

mod merge;
mod overlay;

use std::num::NonZero;

use crate::error::{Code, Diagnostic, Error, Kind};
use crate::limits;
use crate::manifest::{Manifest, validate_on};
use crate::parallel::ONE;
use overlay::Policies;

pub(crate) use overlay::FIELDS as OVERLAY_FIELDS;

/// A text, and what errors and documents call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedText {
    /// Its file, as it was named.
    pub file: Option<String>,
    /// All of it.
    pub bytes: Vec<u8>,
}

impl NamedText {
    /// Names the file in an error.
    pub fn blame(&self, error: Error) -> Error {
        match &self.file {
            Some(file) => error.in_file(file),
            None => error,
        }
    }
}

/// Manifests that are merged into one, and the overlays that then change it, in their order.
///
/// An overlay says by name what is different in one environment. It replaces single fields, each as a whole; it
/// removes a policy only by `remove: true` and adds one only by `new: true`.
///
/// ```
/// use lattice_core::{Bundle, NamedText};
///
/// let text = |file: &str, text: &str| NamedText {
///     file: Some(file.to_owned()),
///     bytes: text.into(),
/// };
/// let manifest = "manifest_version: '1.0'
/// policies:
///   - name: deploys
///     action_type: deploy.*
///     approval_required: false
///     allowed_repos: null
///     allowed_branches: null
///     conditions: null
/// ";
/// let production = "overlay_version: '1.0'
/// policies:
///   deploys:
///     approval_required: true
/// ";
/// let mut bundle = Bundle {
///     manifests: vec![text("policies.yaml", manifest)],
///     overlays: vec![text("production.yaml", production)],
/// };
/// let rendered = bundle.manifest()?;
/// assert!(rendered.policies().get("deploys").is_some_and(|policy| policy.approval_required()));
/// assert!(rendered.to_text().contains("approval_required: true"));
///
/// bundle.overlays = vec![text("production.yaml", &production.replace("deploys", "deploy"))];
/// let error = bundle.manifest().unwrap_err();
/// assert_eq!(error.message(), "no policy is named `deploy`");
/// # Ok::<(), lattice_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The manifests.
    pub manifests: Vec<NamedText>,
    /// The overlays.
    pub overlays: Vec<NamedText>,
}

/// Everything that reading a bundle found.
#[derive(Debug)]
pub struct Checked {
    /// The manifest that came of it, if there is no error.
    pub manifest: Option<Manifest>,
    /// What was found in each text, manifests first.
    pub texts: Vec<CheckedText>,
}

/// What was found in one text of a bundle.
#[derive(Debug, Default)]
pub struct CheckedText {
    /// The version it says, where that could be read.
    pub version: Option<String>,
    /// How many policies a manifest holds, or an overlay changes.
    pub policies: usize,
    /// Errors and warnings in the order of the text, which they name.
    pub diagnostics: Vec<Diagnostic>,
}

impl CheckedText {
    /// Whether there is no error.
    pub fn valid(&self) -> bool {
        let is_warning = |d: &Diagnostic| matches!(d.kind, Kind::Warning(_));
        self.diagnostics.iter().all(is_warning)
    }
}

impl Checked {
    /// The manifest.
    ///
    /// # Errors
    ///
    /// Every error of every text.
    pub fn into_manifest(self) -> Result<Manifest, Error> {
        let diagnostics = self.texts.into_iter().flat_map(|text| text.diagnostics);
        self.manifest.ok_or_else(|| {
            Error::from_diagnostics(diagnostics).unwrap_or_else(|| {
                Error::new(Code::InvalidManifest, "no manifest is given").with_help("give one")
            })
        })
    }
}

impl Bundle {
    /// One manifest by itself.
    pub fn of(manifest: NamedText) -> Self {
        Self {
            manifests: vec![manifest],
            overlays: Vec::new(),
        }
    }

    /// The manifest that the texts make.
    ///
    /// # Errors
    ///
    /// Every error of every text, as for [`Manifest::parse`].
    pub fn manifest(&self) -> Result<Manifest, Error> {
        self.manifest_on(ONE)
    }

    /// [`Bundle::manifest`] by so many threads at most, as for [`Manifest::parse_on`].
    ///
    /// # Errors
    ///
    /// As for [`Bundle::manifest`].
    pub fn manifest_on(&self, threads: NonZero<usize>) -> Result<Manifest, Error> {
        self.check_on(threads).into_manifest()
    }

    /// Reads the texts and keeps everything that was found, warnings included.
    pub fn check_on(&self, threads: NonZero<usize>) -> Checked {
        if let Some(error) = too_long(&self.manifests) {
            return Checked {
                manifest: None,
                texts: vec![CheckedText {
                    diagnostics: error.into_diagnostics(),
                    ..CheckedText::default()
                }],
            };
        }
        let read = self.manifests.iter().map(|text| {
            let validation = validate_on(threads, &text.bytes);
            let found = CheckedText {
                version: validation.version,
                policies: validation
                    .manifest
                    .as_ref()
                    .map_or(0, |m| m.policies().len()),
                diagnostics: validation.diagnostics,
            };
            (validation.manifest, found)
        });
        let (manifests, mut texts): (Vec<Option<Manifest>>, Vec<CheckedText>) = read.unzip();
        let mut base = merge::merge(manifests, &self.manifests, &mut texts);
        if !self.overlays.is_empty() {
            let mut policies = base.as_ref().map(|base| Policies::new(base.policies()));
            for overlay in &self.overlays {
                texts.push(overlay::read(&overlay.bytes, &mut policies));
            }
            let valid = texts.iter().all(CheckedText::valid);
            let policies = policies.filter(|_| valid).map(Policies::finish);
            let files = self.overlays.iter().map(|overlay| overlay.file.clone());
            let rendered = base
                .zip(policies)
                .map(|(base, policies)| base.rendered(files.collect(), policies));
            base = rendered.and_then(|rendered| accept(rendered, texts.last_mut()));
        }
        let named = self.manifests.iter().chain(&self.overlays);
        for (named, text) in named.zip(&mut texts) {
            if let Some(file) = &named.file {
                for diagnostic in &mut text.diagnostics {
                    diagnostic.set_file(file);
                }
            }
        }
        Checked {
            manifest: base,
            texts,
        }
    }
}

/// A manifest that was put together, if it could be read; else why not goes with the text that was the last.
fn accept(made: Result<Manifest, Error>, text: Option<&mut CheckedText>) -> Option<Manifest> {
    let error = match made {
        Ok(manifest) => return Some(manifest),
        Err(error) => error,
    };
    if let Some(text) = text {
        text.diagnostics.extend(error.into_diagnostics());
    }
    None
}

/// What is too long together is not read.
fn too_long(manifests: &[NamedText]) -> Option<Error> {
    let [_, _, ..] = manifests else {
        return None;
    };
    let bytes: usize = manifests.iter().map(|text| text.bytes.len()).sum();
    let limit = limits::MANIFEST_BYTES;
    (bytes > limit).then(|| {
        let message = format!("the manifests have {bytes} bytes together, more than {limit}");
        Error::new(Code::InvalidManifest, message).with_help("put less into one manifest")
    })
}
