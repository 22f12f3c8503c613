//! Bundles: the texts that make one manifest.

mod merge;
mod overlay;

use std::num::NonZero;

use crate::error::{Code, Diagnostic, Error, Kind};
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
            // INVARIANT: where there is no manifest, an error says why.
            Error::from_diagnostics(diagnostics)
                .unwrap_or_else(|| Error::new(Code::Internal, "the manifest could not be read"))
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
        let whole: Option<Vec<Manifest>> = manifests.into_iter().collect();
        let mut base = whole.and_then(|whole| merge::merge(whole, &self.manifests, &mut texts));
        if !self.overlays.is_empty() {
            let mut policies = base.as_ref().map(|base| Policies::new(base.policies()));
            for overlay in &self.overlays {
                let found = overlay::read(&overlay.bytes, policies.as_mut());
                if !found.valid() {
                    // What it would have left is not known to the next one.
                    policies = None;
                }
                texts.push(found);
            }
            let policies = policies.map(Policies::finish);
            base = base
                .zip(policies)
                .map(|(base, policies)| base.rendered(policies));
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
